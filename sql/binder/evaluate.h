// Evaluates typed expressions over given rows, without a query: defaults, generated columns,
// checks, VALUES lists, ON DUPLICATE KEY UPDATE, and folding of constants.
//
// The same functions serve queries (called back from the query machine), so an expression means the
// same wherever it is evaluated. No aggregates or windows; subqueries only through run_subquery.
#pragma once

#include <functional>
#include <span>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "row/value.h"
#include "sql/binder/typed.h"
#include "sql/context/typed_value.h"

namespace borealis::sql {

struct EvalContext;  // sql/functions

// Where an expression's columns and parameters come from. Borrowed for one evaluation.
struct EvalFrame {
  EvalContext* context = nullptr;
  // Rows of the tables that the expression names.
  struct Row {
    const BoundTable* table;
    std::span<const row::Value> values;
  };
  std::span<const Row> rows;
  std::span<const TypedValue> parameters;
  // All rows of a query that does not depend on the frame. Unset: subqueries are refused.
  std::function<Status(const BoundQuery&, std::vector<std::vector<row::Value>>*)> run_subquery;
  // The user variable as it is now, by folded name; null: never set. Unset: they are refused.
  std::function<const TypedValue*(std::string_view)> find_variable;
  // What @name := value does. Unset: it is refused.
  std::function<void(const std::string& name, TypedValue value)> assign_variable;
};

// The value, held as expr.type holds it. Text may borrow from the frame.
Result<row::Value> Evaluate(const BoundExpr& expr, const EvalFrame& frame);
// Whether a condition is true (not false, not NULL).
Result<bool> EvaluateCondition(const BoundExpr& expr, const EvalFrame& frame);
// No column, parameter, subquery, aggregate, or function whose value changes between calls.
bool IsConstant(const BoundExpr& expr);
bool HasSubquery(const BoundExpr& expr);

}  // namespace borealis::sql
