// What an instance tells Prometheus, from the counters of its parts.
#pragma once

#include "base/obs/metrics.h"
#include "server/net/net_counters.h"
#include "server/worker_pool.h"
#include "sql/session/statement_counters.h"
#include "storage_client/client_metrics.h"

namespace borealis::server {

class Role;

void AddConnectionMetrics(const NetCounters& net, size_t open, MetricsPage* page);
void AddWorkerMetrics(const WorkerPool::Metrics& workers, MetricsPage* page);
void AddStatementMetrics(const sql::StatementCounters& statements, MetricsPage* page);
void AddClientMetrics(const storage_client::ClientMetricsSnapshot& volume, MetricsPage* page);
// Role, volume and engine; `role` may be null.
void AddRoleMetrics(const Role* role, MetricsPage* page);

}  // namespace borealis::server
