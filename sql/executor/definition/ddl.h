// Data definition: CREATE, ALTER, DROP, RENAME and TRUNCATE of databases, tables and indexes.
//
// A definition statement works on a TableDraft (table_draft.h), which knows MySQL's rules of a
// table; the engine then makes the change in one atomic step. Nothing of a failed statement stays.
#pragma once

#include "sql/executor/executor.h"

namespace borealis::sql {

// Carries out a statement of class kDefine. What is not offered is 1235 with its name.
Status ExecuteDefinition(StatementRun& run);

}  // namespace borealis::sql
