// INSERT and REPLACE.
#pragma once

#include "sql/executor/executor.h"

namespace borealis::sql {

Status ExecuteInsert(StatementRun& run);

}  // namespace borealis::sql
