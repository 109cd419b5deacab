#include "sql/program/program_expression.h"

#include "sql/binder/binder.h"
#include "sql/binder/evaluate.h"
#include "sql/catalog/catalog.h"
#include "sql/functions/eval_context.h"
#include "sql/session/session.h"
#include "sql/sqlite/machine.h"

namespace borealis::sql {

ProgramExpression::ProgramExpression(ExprPtr expr) : expr_(std::move(expr)) {}
ProgramExpression::~ProgramExpression() = default;
ProgramExpression::ProgramExpression(ProgramExpression&&) noexcept = default;

Status ProgramExpression::Bind(const ProgramContext& context) {
  Session& session = context.session;
  const uint64_t generation = session.settings().generation;
  const uint64_t catalog_version = session.catalog().version();
  if (bound_ != nullptr && !bound_each_time_ && generation == generation_ &&
      catalog_version == catalog_version_ && context.frame_types == frame_types_) {
    return {};
  }
  subqueries_.clear();
  bound_ = nullptr;
  BindInput input;
  input.environment = &session.binder_environment();
  input.text = context.text;
  input.parameters = context.frame;
  input.frame = true;
  input.no_narrowing = true;  // what is narrowed has to be told to whoever runs the expression
  StatementFacts facts;
  ASSIGN_OR_RETURN(bound_, BindScalar(*expr_, input, &facts));
  generation_ = generation;
  catalog_version_ = catalog_version;
  frame_types_ = context.frame_types;
  bound_each_time_ = facts.uncacheable;
  return {};
}

Result<TypedValue> ProgramExpression::Evaluate(const ProgramContext& context) {
  RETURN_IF_ERROR(Bind(context));
  struct {
    ProgramExpression* self;
    const ProgramContext* context;
  } call{this, &context};
  EvalFrame frame;
  frame.context = &context.session.eval_context();
  frame.parameters = context.frame;
  frame.run_subquery = [&call](const BoundQuery& query,
                               std::vector<std::vector<row::Value>>* rows) {
    return call.context->session.CollectSubquery(query, call.context->frame, rows,
                                                 &call.self->subqueries_[&query]);
  };
  frame.find_variable = [&context](std::string_view name) {
    return context.session.FindUserVariable(name);
  };
  frame.assign_variable = [&context](const std::string& name, TypedValue value) {
    context.session.SetUserVariable(name, std::move(value));
  };
  ASSIGN_OR_RETURN(row::Value value, sql::Evaluate(*bound_, frame));
  return TypedValue{bound_->type, std::move(value)};
}

}  // namespace borealis::sql
