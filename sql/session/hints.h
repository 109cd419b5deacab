// What optimizer hints say to the session: how long a SELECT may run. All other hints are of the
// planner, which takes none.
#pragma once

#include <cstdint>

#include "sql/ast/stmt.h"
#include "sql/context/diagnostics.h"

namespace borealis::sql {

// The milliseconds of MAX_EXECUTION_TIME(n) in the first query block of a SELECT, 0 without it.
// Warnings: 3126 for another one after it; 3125 in a statement that is no SELECT.
uint64_t ExecutionTimeHint(const Stmt& statement, Diagnostics* diagnostics);

}  // namespace borealis::sql
