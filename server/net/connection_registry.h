// All connections of a server: ids, the limit, KILL, SHOW PROCESSLIST, the timer's sweep.
// Thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <unordered_map>
#include <vector>

#include "base/mutex.h"
#include "base/status.h"

namespace borealis::server {

class ClientConnection;
class CommandHandler;
class Connection;

class ConnectionRegistry {
 public:
  // A connection with its session; the handler is null before login and after the end.
  struct Entry {
    std::shared_ptr<Connection> connection;
    std::shared_ptr<CommandHandler> handler;
  };

  explicit ConnectionRegistry(int max_connections) : max_connections_(max_connections) {}

  void SetMaxConnections(int count);
  int max_connections() const;

  // Takes a place and gives an id, never 0 and not in use; 0 when all places are taken.
  uint32_t Reserve();
  // Fills the place, or gives it back.
  void Add(uint32_t id, std::shared_ptr<ClientConnection> connection);
  void Remove(uint32_t id);

  // KILL [QUERY] id. 1094 when there is no such connection.
  Status Kill(uint32_t id, bool query_only);
  void KillAll();
  Entry Find(uint32_t id) const;
  std::vector<Entry> List() const;
  // Closes what has waited too long.
  void Sweep(int64_t now_us);

  size_t size() const;
  size_t most_used() const;
  // Waits until no connection is left; false when `timeout_us` passed before.
  bool WaitEmpty(int64_t timeout_us);

 private:
  std::vector<std::shared_ptr<ClientConnection>> Snapshot() const;

  mutable Mutex mutex_{LockRank::kServer};
  ConditionVariable changed_;
  int max_connections_ GUARDED_BY(mutex_);
  uint32_t last_id_ GUARDED_BY(mutex_) = 0;
  size_t most_used_ GUARDED_BY(mutex_) = 0;
  std::unordered_map<uint32_t, std::shared_ptr<ClientConnection>> connections_ GUARDED_BY(mutex_);
};

}  // namespace borealis::server
