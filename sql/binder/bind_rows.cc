// Rows as operands of comparisons: (a, b) = (1, 2), (a, b) = (SELECT …), rows of rows.
//
// A row of rows compares as its values one after the other. A subquery of several columns is
// compared in a query of its own, which gives what the comparison gives; NULL where the subquery
// has no row, and more rows than one are an error (1242):
//
//   (SELECT a = q.c0 AND b = q.c1 FROM (subquery) AS q)
#include <utility>

#include "sql/binder/binder_internal.h"

namespace borealis::sql {
namespace {

size_t WidthOf(const Expr& expr) {
  const auto* row = expr.TryAs<Row>();
  return row != nullptr ? row->items.size() : 1;
}

std::unique_ptr<BoundFrom> Leaf(BoundTable* table) {
  auto from = std::make_unique<BoundFrom>();
  from->table = table;
  return from;
}

// What an operand should have that stands opposite to a column of a subquery: of a row within the
// row the number of its values.
size_t WidthWithin(const Expr& expr) {
  if (const auto* row = expr.TryAs<Row>()) {
    for (const ExprPtr& item : row->items) {
      if (WidthOf(*item) != 1) {
        return WidthOf(*item);
      }
    }
  }
  return 1;
}

}  // namespace

// A subquery has as many columns as it has: it is looked at when it is bound.
Status CheckSameShape(const Expr& a, const Expr& b) {
  if (a.Is<Subquery>() || b.Is<Subquery>()) {
    return {};
  }
  if (WidthOf(a) != WidthOf(b)) {
    return UserError(ER_OPERAND_COLUMNS, WidthOf(a));
  }
  const auto* left = a.TryAs<Row>();
  const auto* right = b.TryAs<Row>();
  for (size_t i = 0; left != nullptr && right != nullptr && i < left->items.size(); ++i) {
    RETURN_IF_ERROR(CheckSameShape(*left->items[i], *right->items[i]));
  }
  return {};
}

Result<BoundPtr> StatementBinder::CompareRows(CompareOp op, const std::vector<BoundPtr>& a,
                                              const std::vector<BoundPtr>& b) {
  if (a.size() != b.size()) {
    return UserError(ER_OPERAND_COLUMNS, a.size());
  }
  if (a.size() == 1) {
    return Compare(op, a[0], b[0]);
  }
  if (op == CompareOp::kEqual || op == CompareOp::kNullSafeEqual) {
    auto all = std::make_shared<BoundLogical>(true);
    for (size_t i = 0; i < a.size(); ++i) {
      ASSIGN_OR_RETURN(BoundPtr equal, Compare(op, a[i], b[i]));
      all->args.push_back(std::move(equal));
    }
    return Fold(all);
  }
  if (op == CompareOp::kNotEqual) {
    auto any = std::make_shared<BoundLogical>(false);
    for (size_t i = 0; i < a.size(); ++i) {
      ASSIGN_OR_RETURN(BoundPtr differ, Compare(op, a[i], b[i]));
      any->args.push_back(std::move(differ));
    }
    return Fold(any);
  }
  // (a, b) < (c, d)  is  a < c OR (a = c AND b < d).
  CompareOp strict = op == CompareOp::kLessEqual      ? CompareOp::kLess
                     : op == CompareOp::kGreaterEqual ? CompareOp::kGreater
                                                      : op;
  ASSIGN_OR_RETURN(BoundPtr first, Compare(strict, a[0], b[0]));
  ASSIGN_OR_RETURN(BoundPtr same, Compare(CompareOp::kEqual, a[0], b[0]));
  ASSIGN_OR_RETURN(BoundPtr rest, CompareRows(op, std::vector<BoundPtr>(a.begin() + 1, a.end()),
                                              std::vector<BoundPtr>(b.begin() + 1, b.end())));
  auto both = std::make_shared<BoundLogical>(true);
  both->args = {std::move(same), std::move(rest)};
  auto any = std::make_shared<BoundLogical>(false);
  any->args = {std::move(first), std::move(both)};
  return Fold(any);
}

Result<std::vector<BoundPtr>> StatementBinder::BindRowOperand(const Expr& expr, Scope* scope) {
  std::vector<BoundPtr> values;
  const auto* row = expr.TryAs<Row>();
  if (row == nullptr) {
    ASSIGN_OR_RETURN(values.emplace_back(), BindExpr(expr, scope));
    return values;
  }
  for (const ExprPtr& item : row->items) {
    ASSIGN_OR_RETURN(std::vector<BoundPtr> inner, BindRowOperand(*item, scope));
    values.insert(values.end(), inner.begin(), inner.end());
  }
  return values;
}

Result<RowOperand> StatementBinder::BindComparand(const Expr& expr, Scope* scope) {
  RowOperand operand;
  if (const auto* subquery = expr.TryAs<Subquery>()) {
    ASSIGN_OR_RETURN(operand.query, BindQueryExpr(*subquery->query, scope));
    operand.width = operand.query->columns.size();
    if (operand.width == 1) {
      operand.values.push_back(MakeScalarSubquery(std::move(operand.query)));
    }
    return operand;
  }
  operand.width = WidthOf(expr);
  ASSIGN_OR_RETURN(operand.values, BindRowOperand(expr, scope));
  return operand;
}

Result<BoundPtr> StatementBinder::BindComparison(CompareOp op, const Expr& a, const Expr& b,
                                                 Scope* scope) {
  RETURN_IF_ERROR(CheckSameShape(a, b));
  ASSIGN_OR_RETURN(RowOperand left, BindComparand(a, scope));
  ASSIGN_OR_RETURN(RowOperand right, BindComparand(b, scope));
  if (left.width != right.width) {
    return UserError(ER_OPERAND_COLUMNS, left.width);
  }
  if (left.query == nullptr && right.query == nullptr) {
    return CompareRows(op, left.values, right.values);
  }
  auto query = std::make_shared<BoundQuery>();
  query->body.select = std::make_unique<BoundSelect>();
  for (RowOperand* operand : {&left, &right}) {
    RETURN_IF_ERROR(operand->query != nullptr ? JoinRow(operand, query.get())
                                              : MoveInto(operand->values, scope, query.get()));
    if (operand->values.size() != operand->width) {
      return UserError(ER_OPERAND_COLUMNS, operand == &left ? WidthWithin(a) : 1);
    }
  }
  ResultColumn column;
  column.type = row::Type::Boolean();
  ASSIGN_OR_RETURN(BoundPtr compared, CompareRows(op, left.values, right.values));
  query->body.select->items.push_back({std::move(compared), column, false});
  query->columns.push_back(std::move(column));
  BoundPtr result = MakeScalarSubquery(std::move(query));
  if (op == CompareOp::kNullSafeEqual) {
    // No row is equal to none.
    auto holds = std::make_shared<BoundIsTruth>(true, false);
    holds->args.push_back(std::move(result));
    result = std::move(holds);
  }
  return result;
}

Status StatementBinder::JoinRow(RowOperand* operand, BoundQuery* query) {
  query->correlated |= operand->query->correlated;
  BoundTable* table = NewTable(query, BoundTableKind::kDerived, "");
  AddDerivedColumns(*operand->query, table);
  table->query = std::move(operand->query);
  for (size_t i = 0; i < table->columns.size(); ++i) {
    operand->values.push_back(TableColumn(table, i));
  }
  std::unique_ptr<BoundFrom>& from = query->body.select->from;
  if (from == nullptr) {
    from = Leaf(table);
    return {};
  }
  auto join = std::make_unique<BoundFrom>();
  join->left = std::move(from);
  join->right = Leaf(table);
  from = std::move(join);
  return {};
}

Status StatementBinder::MoveInto(const std::vector<BoundPtr>& values, Scope* scope,
                                 BoundQuery* query) {
  bool window = false;
  for (const BoundPtr& value : values) {
    WalkDeep(*value, [&](const BoundExpr& part) {
      query->correlated |= part.Is<BoundColumn>() || part.Is<BoundAggregate>();
    });
    Walk(*value, [&](const BoundExpr& part) { window |= part.Is<BoundWindow>(); });
    if (scope->select != nullptr && HoldsAggregateOf(*value, scope->select)) {
      scope->select->aggregates_below = true;
    }
  }
  return window ? Unsupported("window functions compared with a subquery") : Status();
}

}  // namespace borealis::sql
