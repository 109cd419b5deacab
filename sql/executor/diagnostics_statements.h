// SIGNAL, RESIGNAL and GET DIAGNOSTICS, in stored programs and on their own.
#pragma once

#include "sql/executor/executor.h"

namespace borealis::sql {

Status ExecuteSignal(StatementRun& run);
Status ExecuteGetDiagnostics(StatementRun& run);

}  // namespace borealis::sql
