// SET: user variables, system variables, NAMES, CHARACTER SET, TRANSACTION.
#pragma once

#include "sql/executor/executor.h"

namespace borealis::sql {

Status ExecuteSet(StatementRun& run);

}  // namespace borealis::sql
