// The value of an expression without tables, as SET, SIGNAL and GET DIAGNOSTICS take it.
#pragma once

#include "base/result.h"
#include "sql/ast/node.h"
#include "sql/context/typed_value.h"
#include "sql/executor/executor.h"

namespace borealis::sql {

Result<TypedValue> ScalarValue(StatementRun& run, const Expr& expr);

}  // namespace borealis::sql
