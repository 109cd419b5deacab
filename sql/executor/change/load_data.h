// LOAD DATA [LOCAL] INFILE.
#pragma once

#include "sql/executor/executor.h"

namespace borealis::sql {

Status ExecuteLoadData(StatementRun& run);

}  // namespace borealis::sql
