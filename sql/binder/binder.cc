#include "sql/binder/binder.h"

#include "sql/binder/binder_internal.h"

namespace borealis::sql {

Result<std::shared_ptr<BoundQuery>> BindQuery(const Query& query, const BindInput& input,
                                              StatementFacts* facts) {
  StatementBinder binder(input, facts);
  return binder.BindQueryExpr(query, nullptr);
}

Result<BoundPtr> BindScalar(const Expr& expr, const BindInput& input, StatementFacts* facts) {
  StatementBinder binder(input, facts);
  BoundQuery owner;
  Scope scope;
  scope.query = &owner;
  scope.clause = Clause::kFieldList;
  ASSIGN_OR_RETURN(BoundPtr bound, binder.BindExpr(expr, &scope));
  if (scope.has_aggregate) {
    return UserError(ER_INVALID_GROUP_FUNC_USE);
  }
  return bound;
}

std::unique_ptr<BoundTable> MakeRowTable(const TablePtr& table, std::string_view alias) {
  auto row = std::make_unique<BoundTable>();
  row->kind = BoundTableKind::kRow;
  row->alias = alias;
  row->schema = table->schema;
  row->table = table;
  for (const ColumnDescriptor& column : table->columns) {
    BoundTableColumn bound;
    bound.name = column.hidden ? std::string() : column.name;
    bound.org_name = column.name;
    bound.type = column.type;
    bound.coercibility = ColumnCoercibility(column.type);
    bound.hidden = column.hidden || column.invisible;
    bound.org_table = table->name;
    bound.org_schema = table->schema;
    row->columns.push_back(std::move(bound));
  }
  return row;
}

Result<BoundPtr> BindRowExpression(const Expr& expr, const BoundTable& row,
                                   const BindInput& input) {
  StatementFacts facts;
  StatementBinder binder(input, &facts);
  BoundQuery owner;
  Scope scope;
  scope.query = &owner;
  scope.clause = Clause::kWhere;  // no aggregates, no windows
  binder.ExposeTable(&row, &scope.from);
  return binder.BindExpr(expr, &scope);
}

Result<BoundPtr> BindRowCondition(const Expr& expr, const BoundTable& row, const BindInput& input) {
  StatementFacts facts;
  StatementBinder binder(input, &facts);
  BoundQuery owner;
  Scope scope;
  scope.query = &owner;
  scope.clause = Clause::kWhere;  // no aggregates, no windows
  binder.ExposeTable(&row, &scope.from);
  return binder.BindCondition(expr, &scope);
}

}  // namespace borealis::sql
