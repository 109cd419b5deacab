// Administrative statements: USE, KILL, FLUSH, locks on tables and on the instance, table
// maintenance, SHUTDOWN.
#pragma once

#include "sql/executor/executor.h"

namespace borealis::sql {

Status ExecuteUse(StatementRun& run);
Status ExecuteKill(StatementRun& run);
// Accepted where there is nothing to flush. WITH READ LOCK locks the tables that it names, or the
// instance.
Status ExecuteFlush(StatementRun& run);
// LOCK INSTANCE FOR BACKUP and UNLOCK INSTANCE.
Status ExecuteLockInstance(StatementRun& run);
// The tables stay locked until UNLOCK TABLES, START TRANSACTION or the session's end. A lock counts
// for the table under all its aliases.
Status ExecuteLockTables(StatementRun& run);
Status ExecuteUnlockTables(StatementRun& run);
// ANALYZE, OPTIMIZE, CHECK, REPAIR, CHECKSUM TABLE: a result set with a row a table.
Status ExecuteTableMaintenance(StatementRun& run);
Status ExecuteShutdown(StatementRun& run);

}  // namespace borealis::sql
