#include "sql/executor/scalar_value.h"

#include "sql/binder/evaluate.h"
#include "sql/executor/change/change_plan.h"

namespace borealis::sql {

Result<TypedValue> ScalarValue(StatementRun& run, const Expr& expr) {
  StatementFacts facts;
  BindInput input = InputOf(run);
  input.no_narrowing = run.plan != nullptr;  // CollectSubquery knows of no narrowed variables
  ASSIGN_OR_RETURN(const BoundPtr bound, BindScalar(expr, input, &facts));
  EvalFrame frame;
  frame.context = &run.session.eval_context();
  frame.parameters = run.parameters;
  frame.run_subquery = [&run](const BoundQuery& query, std::vector<std::vector<row::Value>>* rows) {
    return run.session.CollectSubquery(query, run.parameters, rows);
  };
  frame.find_variable = [&run](std::string_view name) {
    return run.session.FindUserVariable(name);
  };
  frame.assign_variable = [&run](const std::string& name, TypedValue value) {
    run.session.SetUserVariable(name, std::move(value));
  };
  ASSIGN_OR_RETURN(row::Value value, Evaluate(*bound, frame));
  value.Own();
  return TypedValue{bound->type, std::move(value)};
}

}  // namespace borealis::sql
