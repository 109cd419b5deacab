#include "server/instance_metrics.h"

#include <algorithm>

#include "engine/engine.h"
#include "engine/memory_use.h"
#include "server/role.h"
#include "volume/page.h"

namespace borealis::server {

namespace {

void AddEngineMetrics(const engine::EngineCounters& engine, MetricsPage* page) {
  const auto rows = [&](const char* operation, uint64_t count) {
    page->Counter("borealis_rows_total", "Rows read and changed, by operation.", count,
                  {{"operation", operation}});
  };
  rows("read", engine.rows_read);
  rows("insert", engine.rows_inserted);
  rows("update", engine.rows_updated);
  rows("delete", engine.rows_deleted);
  page->Counter("borealis_commits_total", "Commits of transactions with changes.", engine.commits);
  page->Counter("borealis_rollbacks_total", "Rollbacks of transactions with changes.",
                engine.rollbacks);
  page->Counter("borealis_deadlocks_total", "Transactions rolled back to break a deadlock.",
                engine.deadlocks);
  page->Counter("borealis_lock_timeouts_total", "Statements that waited too long for a lock.",
                engine.lock_timeouts);
  page->Counter("borealis_lock_waits_total", "Waits for row locks.", engine.row_lock_waits);
  page->Seconds("borealis_lock_wait_seconds_total", "Time spent waiting for row locks.",
                static_cast<int64_t>(engine.row_lock_time_us));
  page->Gauge("borealis_lock_waiters", "Transactions that wait for a row lock now.",
              static_cast<double>(engine.row_lock_current_waits));
  page->Gauge("borealis_history_transactions", "Committed transactions not purged yet.",
              static_cast<double>(engine.history_length));
  page->Counter("borealis_purged_records_total", "Undo records purged.", engine.purged_records);
  page->Gauge("borealis_buffer_pool_size_bytes", "Size of the buffer pool.",
              static_cast<double>(engine.buffer_pool_pages_total * kPageSize));
  page->Gauge("borealis_buffer_pool_used_bytes", "Pages in the buffer pool.",
              static_cast<double>(engine.buffer_pool_pages_used * kPageSize));
  page->Counter("borealis_buffer_pool_requests_total", "Pages asked for.",
                engine.buffer_pool_read_requests);
  page->Counter("borealis_buffer_pool_misses_total", "Of these, read from the volume.",
                engine.buffer_pool_reads);
}

void AddMemoryMetrics(const engine::MemoryUse& memory, MetricsPage* page) {
  const auto part = [&](const char* name, uint64_t bytes) {
    page->Gauge("borealis_engine_memory_bytes",
                "Memory besides the buffer pool, by what it is for. Estimated.",
                static_cast<double>(bytes), {{"part", name}});
  };
  part("locks", memory.locks);
  part("transactions", memory.transactions);
  part("dictionary", memory.dictionary);
  part("statistics", memory.statistics);
}

}  // namespace

void AddConnectionMetrics(const NetCounters& net, size_t open, MetricsPage* page) {
  page->Gauge("borealis_connections", "Client connections open now.", static_cast<double>(open));
  page->Counter("borealis_connections_total", "Client connections accepted.", net.connections);
  page->Counter("borealis_connections_refused_total", "Refused: max_connections was reached.",
                net.refused_max_connections);
  page->Counter("borealis_logins_total", "Logins that succeeded.", net.logins);
  page->Counter("borealis_connections_failed_total", "Connections that never logged in.",
                net.aborted_connects);
  page->Counter("borealis_connections_lost_total", "Connections that ended without a goodbye.",
                net.aborted_clients);
  page->Counter("borealis_commands_total", "Commands of MySQL's protocol.", net.commands);
  page->Counter("borealis_client_received_bytes_total", "Bytes from clients.", net.bytes_received);
  page->Counter("borealis_client_sent_bytes_total", "Bytes to clients.", net.bytes_sent);
}

void AddWorkerMetrics(const WorkerPool::Metrics& workers, MetricsPage* page) {
  page->Gauge("borealis_worker_threads", "Threads that run statements.",
              static_cast<double>(workers.threads));
  page->Gauge("borealis_worker_threads_runnable", "Of these, with work that does not wait.",
              static_cast<double>(workers.runnable));
  page->Gauge("borealis_worker_threads_blocked", "Of these, waiting inside a statement.",
              static_cast<double>(workers.blocked));
}

void AddStatementMetrics(const sql::StatementCounters& statements, MetricsPage* page) {
  for (size_t i = 0; i < sql::kStatementKindNames.size(); ++i) {
    page->Counter("borealis_statements_total", "Statements run, by kind.", statements.run[i],
                  {{"kind", std::string(sql::kStatementKindNames[i])}});
  }
  page->Counter("borealis_statements_failed_total",
                "Statements that could be parsed and ended with an error.", statements.failed);
  page->Counter("borealis_statements_slow_total",
                "Statements that took longer than their session's long_query_time.",
                statements.slow);
  page->Histogram("borealis_commit_latency_seconds",
                  "From the end of a transaction's work to its commit being durable at four of "
                  "six storage nodes.",
                  statements.commit_latency.Take());
}

void AddClientMetrics(const storage_client::ClientMetricsSnapshot& volume, MetricsPage* page) {
  storage_client::ForEachCounter(volume, [&](std::string_view counter, uint64_t value) {
    constexpr std::string_view kMicroseconds = "_us";
    const bool is_time = counter.ends_with(kMicroseconds);
    std::string name(counter.substr(0, counter.size() - (is_time ? kMicroseconds.size() : 0)));
    std::string words = name;
    std::replace(words.begin(), words.end(), '_', ' ');
    name = "borealis_volume_" + name + (is_time ? "_seconds_total" : "_total");
    const std::string help = "Volume client: " + words + (is_time ? ", in seconds." : ".");
    if (is_time) {
      page->Seconds(name, help, static_cast<int64_t>(value));
    } else {
      page->Counter(name, help, value);
    }
  });
}

void AddRoleMetrics(const Role* role, MetricsPage* page) {
  const auto is = [&](const char* name, bool value) {
    page->Gauge("borealis_instance_role", "1 for the instance's role.", value ? 1 : 0,
                {{"role", name}});
  };
  is("none", role == nullptr);
  is("writer", role != nullptr && role->is_writer());
  is("reader", role != nullptr && !role->is_writer());
  if (role == nullptr) {
    return;
  }
  const RoleReport report = role->Report();
  page->Gauge("borealis_instance_serving", "1 when sessions are let in.", report.serving ? 1 : 0);
  page->Gauge("borealis_volume_epoch", "Epoch of the volume, as this instance knows it.",
              static_cast<double>(report.volume_epoch));
  page->Gauge("borealis_volume_vcl", "LSN up to which the log is complete at a write quorum.",
              static_cast<double>(report.vcl));
  page->Gauge("borealis_volume_vdl", "LSN up to which the volume is durable; a reader: applied.",
              static_cast<double>(report.vdl));
  if (!role->is_writer()) {
    page->Gauge("borealis_replica_lag_seconds", "How far a reader's view is behind the writer.",
                report.lag_ms / 1000);
  }
  role->AddVolumeMetrics(page);
  if (role->engine() != nullptr) {
    AddEngineMetrics(role->engine()->counters(), page);
    AddMemoryMetrics(engine::MemoryUseOf(*role->engine()), page);
  }
}

}  // namespace borealis::server
