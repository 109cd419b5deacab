// UPDATE and DELETE, of one table and of several.
#pragma once

#include "sql/executor/executor.h"

namespace borealis::sql {

Status ExecuteUpdate(StatementRun& run);
Status ExecuteDelete(StatementRun& run);

}  // namespace borealis::sql
