// SHOW and DESCRIBE.
//
// What lists things is a query over the system tables, as in MySQL 8: the statement becomes
// SELECT … FROM information_schema.…, with LIKE and WHERE around it. What describes one thing
// (SHOW CREATE …, GRANTS, ENGINE … STATUS) and the diagnostics give their rows directly.
// Column names, their order and their case are part of MySQL's interface: clients look for them.
#pragma once

#include "sql/executor/executor.h"

namespace borealis::sql {

Status ExecuteShow(StatementRun& run);
Status ExecuteDescribe(StatementRun& run);

}  // namespace borealis::sql
