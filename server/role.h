// What an instance is at the moment: writer or reader, with everything a session of that role uses.
//
// A role owns its volume, engine and catalog. Sessions share ownership, so a role that an instance
// has left behind (a promoted reader's) ends when its last session does. Opening blocks; see each.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "base/mutex.h"
#include "base/net/transport.h"
#include "base/obs/metrics.h"
#include "engine/engine.h"
#include "server/replication/log_receiver.h"
#include "server/replication/log_sender.h"
#include "sql/accounts/grant_store.h"
#include "sql/catalog/catalog.h"
#include "sql/session/session.h"
#include "storage_client/client.h"
#include "storage_client/replica_volume.h"

namespace borealis::server {

struct RoleReport {
  uint64_t volume_epoch = 0;
  uint64_t vcl = 0;
  uint64_t vdl = 0;
  double lag_ms = 0;
  bool serving = false;
  bool can_read = false;  // the engine is open; of a reader: whether or not it follows a writer now
};

class Role {
 public:
  virtual ~Role() = default;
  virtual bool is_writer() const = 0;
  virtual RoleReport Report() const = 0;
  // What a new session gets. REQUIRES: Report().can_read has been true.
  virtual sql::SessionEnvironment environment() const = 0;
  virtual engine::Engine* engine() const = 0;  // null until open
  // Of the volume, as this role uses it.
  virtual void AddVolumeMetrics(MetricsPage* page) const = 0;
  // Stops background work and fails waits with kCancelled; sessions may still exist. Idempotent.
  virtual void Stop() = 0;
};

// What both roles need from the instance. Everything outlives the role.
struct RoleParts {
  std::string instance;
  storage_client::VolumeSource volume;
  uint64_t buffer_pool_bytes = 0;
  // Members other than engine and catalog.
  sql::SessionEnvironment shared;
  const sql::SystemTables* system_tables = nullptr;
};

class WriterRole final : public Role {
 public:
  // Opens the volume with a new epoch, which fences every other writer, and the engine on it.
  // `on_progress` says what it waits for; `on_deposed` is called once when a newer writer has taken
  // the volume.
  static Result<std::shared_ptr<WriterRole>> Open(
      const RoleParts& parts, const std::function<void(const std::string&)>& on_progress,
      const std::function<void(Status)>& on_deposed);
  ~WriterRole() override;

  bool is_writer() const override { return true; }
  RoleReport Report() const override;
  sql::SessionEnvironment environment() const override { return environment_; }
  engine::Engine* engine() const override { return engine_.get(); }
  void AddVolumeMetrics(MetricsPage* page) const override;
  void Stop() override;

  // Readers, on the admin transport's thread.
  void OnReaderHello(Transport* transport, PeerId reader, const std::string& instance);
  void OnReaderStatus(PeerId reader, Lsn lowest_read_point);
  void OnReaderGone(PeerId reader);

  storage_client::StorageClient* volume() const { return volume_.get(); }

 private:
  WriterRole() = default;
  void UpdateReaderHorizon() REQUIRES(mutex_);

  std::unique_ptr<storage_client::StorageClient> volume_;
  std::unique_ptr<engine::Engine> engine_;
  std::unique_ptr<sql::Catalog> catalog_;
  std::unique_ptr<sql::GrantStore> grants_;
  sql::SessionEnvironment environment_;
  std::map<PeerId, std::unique_ptr<LogSender>> senders_;  // admin transport's thread, and Stop
  Mutex mutex_{LockRank::kServer};                        // guards senders_
};

class ReaderRole final : public Role {
 public:
  // Begins to follow the writer; serving once the stream has come and the engine stands at its VDL.
  ReaderRole(const RoleParts& parts, const std::string& writer_host, uint16_t writer_admin_port);
  ~ReaderRole() override;

  bool is_writer() const override { return false; }
  RoleReport Report() const override;
  sql::SessionEnvironment environment() const override;
  engine::Engine* engine() const override { return ready_.load() ? engine_.get() : nullptr; }
  void AddVolumeMetrics(MetricsPage* page) const override;
  void Stop() override;

  // A newer writer, or the same again.
  void Follow(const std::string& writer_host, uint16_t writer_admin_port);

 private:
  Result<engine::Engine*> OpenEngine(std::string_view active);

  const RoleParts parts_;
  std::unique_ptr<storage_client::ReplicaVolume> volume_;
  std::unique_ptr<engine::Engine> engine_;
  std::unique_ptr<sql::Catalog> catalog_;
  std::unique_ptr<sql::GrantStore> grants_;
  std::atomic<bool> ready_{false};
  std::unique_ptr<LogReceiver> receiver_;
};

}  // namespace borealis::server
