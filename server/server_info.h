// What SQL asks of the server it runs in (SHOW PROCESSLIST, KILL, status variables, who am I).
// Thread-safe.
#pragma once

#include <atomic>
#include <functional>
#include <string>

#include "server/net/net_server.h"
#include "server/worker_pool.h"
#include "sql/session/server_interface.h"

namespace borealis::server {

class Role;

class ServerInfo final : public sql::ServerInterface {
 public:
  struct Facts {
    std::string hostname;
    std::string uuid;
    uint16_t port = 0;
    uint64_t buffer_pool_bytes = 0;  // to begin with
  };
  explicit ServerInfo(Facts facts);
  // Before sessions exist. `role` gives the role of the moment, null when there is none.
  void Connect(NetServer* net, WorkerPool* pool, std::function<std::shared_ptr<Role>()> role);

  std::vector<sql::ProcessInfo> Processes() const override;
  std::vector<sql::ClientAttributes> Clients() const override;
  Status Kill(uint64_t id, bool query_only, const std::optional<sql::AccountKey>& owner) override;
  std::vector<std::pair<std::string, std::string>> StatusVariables() const override;
  bool read_only() const override;
  std::string_view version() const override { return "8.0.36"; }
  std::string_view version_comment() const override { return "Borealis"; }
  std::string_view hostname() const override { return facts_.hostname; }
  uint16_t port() const override { return facts_.port; }
  std::string_view server_uuid() const override { return facts_.uuid; }
  int64_t uptime_seconds() const override;
  uint64_t NextShortUuid() override { return next_short_uuid_.fetch_add(1); }
  void ResizeBufferPool(uint64_t bytes) override;
  // What the engine of the next role is to begin with.
  uint64_t buffer_pool_bytes() const { return buffer_pool_bytes_.load(); }
  Status RequestShutdown(bool restart) override;

 private:
  const Facts facts_;
  const int64_t started_us_;
  std::atomic<uint64_t> buffer_pool_bytes_;
  std::atomic<uint64_t> next_short_uuid_;
  NetServer* net_ = nullptr;
  WorkerPool* pool_ = nullptr;
  std::function<std::shared_ptr<Role>()> role_;
};

}  // namespace borealis::server
