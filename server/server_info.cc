#include "server/server_info.h"

#include <fmt/format.h>

#include <ctime>

#include "base/mysql_error.h"
#include "base/os/signals.h"
#include "base/os/time.h"
#include "server/role.h"
#include "server/session/sql_handler.h"

namespace borealis::server {

namespace {

// What PROCESSLIST shows as Command.
std::string CommandText(const ConnectionActivity& activity) {
  switch (activity.phase) {
    case ConnectionActivity::Phase::kLogin:
      return "Connect";
    case ConnectionActivity::Phase::kIdle:
    case ConnectionActivity::Phase::kClosed:
      return "Sleep";
    case ConnectionActivity::Phase::kCommand:
    case ConnectionActivity::Phase::kSending:
      return std::string(mysql::CommandName(activity.command));
  }
  return "Sleep";
}

// A byte of the server, the seconds of its start, and zeros to count in.
uint64_t FirstShortUuid(const std::string& server_uuid) {
  const uint64_t server = std::hash<std::string>()(server_uuid) & 0x7F;
  const uint64_t seconds = static_cast<uint64_t>(SystemClock().WallUs()) / 1'000'000 & 0xFFFFFFFF;
  return server << 56 | seconds << 24;
}

}  // namespace

ServerInfo::ServerInfo(Facts facts)
    : facts_(std::move(facts)),
      started_us_(SystemClock().NowUs()),
      buffer_pool_bytes_(facts_.buffer_pool_bytes),
      next_short_uuid_(FirstShortUuid(facts_.uuid)) {}

void ServerInfo::Connect(NetServer* net, WorkerPool* pool,
                         std::function<std::shared_ptr<Role>()> role) {
  net_ = net;
  pool_ = pool;
  role_ = std::move(role);
}

std::vector<sql::ProcessInfo> ServerInfo::Processes() const {
  std::vector<sql::ProcessInfo> processes;
  const int64_t now_us = SystemClock().NowUs();
  for (const auto& entry : net_->connections().List()) {
    const ConnectionActivity activity = entry.connection->activity();
    sql::ProcessInfo process;
    process.id = entry.connection->id();
    process.user = entry.connection->user_at_login();
    process.host = entry.connection->peer();
    process.command = CommandText(activity);
    process.seconds = static_cast<uint64_t>((now_us - activity.since_us) / 1'000'000);
    if (entry.handler != nullptr) {
      const auto& session = static_cast<const SqlHandler&>(*entry.handler);
      process.user = session.user();
      if (std::string database = session.database(); !database.empty()) {
        process.database = std::move(database);
      }
      if (std::string text = session.running_text(); !text.empty()) {
        process.info = std::move(text);
        process.state = "executing";
      }
    }
    processes.push_back(std::move(process));
  }
  return processes;
}

std::vector<sql::ClientAttributes> ServerInfo::Clients() const {
  std::vector<sql::ClientAttributes> clients;
  for (const auto& entry : net_->connections().List()) {
    if (entry.handler != nullptr) {
      clients.push_back(static_cast<const SqlHandler&>(*entry.handler).client());
      clients.back().id = entry.connection->id();
    }
  }
  return clients;
}

Status ServerInfo::Kill(uint64_t id, bool query_only, const std::optional<sql::AccountKey>& owner) {
  if (id > UINT32_MAX) {
    return UserError(ER_NO_SUCH_THREAD, id);
  }
  const auto entry = net_->connections().Find(static_cast<uint32_t>(id));
  if (owner.has_value() && entry.connection != nullptr) {
    // One that is still logging in is nobody's.
    const auto* session = static_cast<const SqlHandler*>(entry.handler.get());
    if (session == nullptr || session->account() != *owner) {
      return UserError(ER_KILL_DENIED_ERROR, id);
    }
  }
  return net_->connections().Kill(static_cast<uint32_t>(id), query_only);
}

namespace {

// As InnoDB words it; code 3 is withdrawing, 0 done.
void AddResizeStatus(const engine::EngineCounters& counters,
                     std::vector<std::pair<std::string, std::string>>* list) {
  std::string text;
  const bool lasts = counters.buffer_pool_pages_used > counters.buffer_pool_pages_wanted;
  if (lasts) {
    text = "Withdrawing blocks to be shrunken.";
  } else if (counters.buffer_pool_resized_wall_us != 0) {
    const std::time_t seconds = counters.buffer_pool_resized_wall_us / 1'000'000;
    std::tm local{};
    localtime_r(&seconds, &local);
    text = fmt::format("Completed resizing buffer pool at {:02}{:02}{:02} {:2}:{:02}:{:02}.",
                       local.tm_year % 100, local.tm_mon + 1, local.tm_mday, local.tm_hour,
                       local.tm_min, local.tm_sec);
  }
  const bool done = !lasts && !text.empty();
  list->emplace_back("Innodb_buffer_pool_resize_status", std::move(text));
  list->emplace_back("Innodb_buffer_pool_resize_status_code", lasts ? "3" : "0");
  list->emplace_back("Innodb_buffer_pool_resize_status_progress", done ? "100" : "0");
}

}  // namespace

void ServerInfo::ResizeBufferPool(uint64_t bytes) {
  buffer_pool_bytes_ = bytes;
  const std::shared_ptr<Role> role = role_();
  if (role != nullptr && role->engine() != nullptr) {
    role->engine()->ResizeBufferPool(bytes);
  }
}

std::vector<std::pair<std::string, std::string>> ServerInfo::StatusVariables() const {
  std::vector<std::pair<std::string, std::string>> list;
  auto add = [&list](const char* name, uint64_t value) {
    list.emplace_back(name, std::to_string(value));
  };
  const NetCounters& net = net_->counters();
  const WorkerPool::Metrics pool = pool_->metrics();
  add("Aborted_clients", net.aborted_clients);
  add("Aborted_connects", net.aborted_connects);
  add("Bytes_received", net.bytes_received);
  add("Bytes_sent", net.bytes_sent);
  add("Connections", net.connections);
  add("Connection_errors_max_connections", net.refused_max_connections);
  add("Max_used_connections", net_->connections().most_used());
  add("Questions", net.commands);
  add("Queries", net.commands);
  add("Threads_connected", net_->connections().size());
  add("Threads_running", pool.runnable);
  add("Threads_created", pool.threads_made);
  add("Threads_cached", pool.threads - std::min(pool.threads, pool.runnable + pool.blocked));
  add("Uptime", static_cast<uint64_t>(uptime_seconds()));
  const std::shared_ptr<Role> role = role_();
  if (role != nullptr && role->engine() != nullptr) {
    const engine::EngineCounters counters = role->engine()->counters();
    add("Innodb_buffer_pool_pages_total", counters.buffer_pool_pages_total);
    add("Innodb_buffer_pool_pages_data", counters.buffer_pool_pages_used);
    add("Innodb_buffer_pool_bytes_data", counters.buffer_pool_pages_used * kPageSize);
    add("Innodb_buffer_pool_pages_free",
        counters.buffer_pool_pages_total - counters.buffer_pool_pages_used);
    add("Innodb_buffer_pool_read_requests", counters.buffer_pool_read_requests);
    add("Innodb_buffer_pool_reads", counters.buffer_pool_reads);
    add("Innodb_buffer_pool_read_ahead", counters.buffer_pool_read_ahead);
    add("Innodb_buffer_pool_read_ahead_evicted", counters.buffer_pool_read_ahead_evicted);
    add("Innodb_buffer_pool_wait_free", counters.buffer_pool_wait_free);
    AddResizeStatus(counters, &list);
    add("Innodb_page_size", kPageSize);
    add("Innodb_row_lock_current_waits", counters.row_lock_current_waits);
    add("Innodb_row_lock_time", counters.row_lock_time_us / 1000);
    add("Innodb_row_lock_time_max", counters.row_lock_time_max_us / 1000);
    add("Innodb_row_lock_waits", counters.row_lock_waits);
    add("Innodb_rows_deleted", counters.rows_deleted);
    add("Innodb_rows_inserted", counters.rows_inserted);
    add("Innodb_rows_read", counters.rows_read);
    add("Innodb_rows_updated", counters.rows_updated);
    add("Handler_commit", counters.commits);
    add("Handler_rollback", counters.rollbacks);
    const RoleReport report = role->Report();
    add("Borealis_volume_epoch", report.volume_epoch);
    add("Borealis_volume_vdl", report.vdl);
    list.emplace_back("Borealis_replica_lag_ms", fmt::format("{:.3f}", report.lag_ms));
  }
  return list;
}

bool ServerInfo::read_only() const {
  const std::shared_ptr<Role> role = role_();
  return role == nullptr || !role->is_writer();
}

int64_t ServerInfo::uptime_seconds() const {
  return (SystemClock().NowUs() - started_us_) / 1'000'000;
}

// Control starts the process again, so that RESTART and SHUTDOWN are one.
Status ServerInfo::RequestShutdown(bool /*restart*/) {
  RequestStop();
  return Status::Ok();
}

}  // namespace borealis::server
