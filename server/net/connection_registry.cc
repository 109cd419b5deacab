#include "server/net/connection_registry.h"

#include <algorithm>

#include "base/mysql_error.h"
#include "base/os/time.h"
#include "server/net/client_connection.h"

namespace borealis::server {

void ConnectionRegistry::SetMaxConnections(int count) {
  MutexLock lock(mutex_);
  max_connections_ = count;
}

int ConnectionRegistry::max_connections() const {
  MutexLock lock(mutex_);
  return max_connections_;
}

uint32_t ConnectionRegistry::Reserve() {
  MutexLock lock(mutex_);
  if (connections_.size() >= static_cast<size_t>(max_connections_)) {
    return 0;
  }
  do {
    ++last_id_;
  } while (last_id_ == 0 || connections_.contains(last_id_));
  connections_.emplace(last_id_, nullptr);
  most_used_ = std::max(most_used_, connections_.size());
  return last_id_;
}

void ConnectionRegistry::Add(uint32_t id, std::shared_ptr<ClientConnection> connection) {
  MutexLock lock(mutex_);
  connections_[id] = std::move(connection);
}

void ConnectionRegistry::Remove(uint32_t id) {
  std::shared_ptr<ClientConnection> removed;  // dies outside the mutex
  MutexLock lock(mutex_);
  const auto it = connections_.find(id);
  if (it != connections_.end()) {
    removed = std::move(it->second);
    connections_.erase(it);
  }
  if (connections_.empty()) {
    changed_.NotifyAll();
  }
}

Status ConnectionRegistry::Kill(uint32_t id, bool query_only) {
  std::shared_ptr<ClientConnection> connection;
  {
    MutexLock lock(mutex_);
    const auto it = connections_.find(id);
    if (it == connections_.end() || it->second == nullptr) {
      return UserError(ER_NO_SUCH_THREAD, id);
    }
    connection = it->second;
  }
  if (query_only) {
    connection->KillQuery();
  } else {
    connection->Kill();
  }
  return Status::Ok();
}

void ConnectionRegistry::KillAll() {
  for (const auto& connection : Snapshot()) {
    connection->Kill();
  }
}

ConnectionRegistry::Entry ConnectionRegistry::Find(uint32_t id) const {
  std::shared_ptr<ClientConnection> connection;
  {
    MutexLock lock(mutex_);
    const auto it = connections_.find(id);
    if (it == connections_.end() || it->second == nullptr) {
      return {};
    }
    connection = it->second;
  }
  return {connection, connection->handler()};
}

std::vector<ConnectionRegistry::Entry> ConnectionRegistry::List() const {
  std::vector<Entry> entries;
  for (auto& connection : Snapshot()) {
    entries.push_back({connection, connection->handler()});
  }
  return entries;
}

void ConnectionRegistry::Sweep(int64_t now_us) {
  for (const auto& connection : Snapshot()) {
    connection->OnTimer(now_us);
  }
}

size_t ConnectionRegistry::size() const {
  MutexLock lock(mutex_);
  return connections_.size();
}

size_t ConnectionRegistry::most_used() const {
  MutexLock lock(mutex_);
  return most_used_;
}

bool ConnectionRegistry::WaitEmpty(int64_t timeout_us) {
  const int64_t until = SystemClock().NowUs() + timeout_us;
  MutexLock lock(mutex_);
  while (!connections_.empty()) {
    const int64_t left = until - SystemClock().NowUs();
    if (left <= 0) {
      return false;
    }
    changed_.WaitFor(mutex_, left);
  }
  return true;
}

std::vector<std::shared_ptr<ClientConnection>> ConnectionRegistry::Snapshot() const {
  std::vector<std::shared_ptr<ClientConnection>> all;
  MutexLock lock(mutex_);
  all.reserve(connections_.size());
  for (const auto& [id, connection] : connections_) {
    if (connection != nullptr) {
      all.push_back(connection);
    }
  }
  return all;
}

}  // namespace borealis::server
