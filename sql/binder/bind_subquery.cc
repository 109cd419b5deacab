// Subqueries as expressions: scalar, EXISTS, IN, ANY and ALL.
#include "sql/binder/binder_internal.h"

namespace borealis::sql {
namespace {

using row::Type;
using row::Value;

BoundPtr One(std::shared_ptr<BoundExpr> node, BoundPtr arg) {
  node->args.push_back(std::move(arg));
  return node;
}

BoundPtr Truthy(int64_t value) {
  return MakeLiteral(Type::Boolean(), Value::Int(value));
}

}  // namespace

BoundPtr MakeScalarSubquery(std::shared_ptr<BoundQuery> query) {
  Type type = query->columns[0].type;
  type.nullable = true;
  auto subquery = std::make_shared<BoundScalarSubquery>(type, std::move(query));
  const BoundSelect* const select = subquery->query->body.select.get();
  subquery->coercibility = select != nullptr ? select->items[0].expr->coercibility
                           : type.has_collation() || type.is_binary_string()
                               ? Coercibility::kImplicit
                               : Coercibility::kNumeric;
  return subquery;
}

Result<BoundPtr> StatementBinder::BindScalarSubquery(const Subquery& expr, Scope* scope) {
  ASSIGN_OR_RETURN(std::shared_ptr<BoundQuery> query, BindQueryExpr(*expr.query, scope));
  if (query->columns.size() != 1) {
    return UserError(ER_OPERAND_COLUMNS, 1);
  }
  return MakeScalarSubquery(std::move(query));
}

Result<BoundPtr> StatementBinder::BindExists(const Exists& expr, Scope* scope) {
  ASSIGN_OR_RETURN(std::shared_ptr<BoundQuery> query, BindQueryExpr(*expr.query, scope));
  return BoundPtr(std::make_shared<BoundExists>(std::move(query)));
}

Result<BoundPtr> StatementBinder::InQuery(std::vector<BoundPtr> left,
                                          std::shared_ptr<BoundQuery> query, bool negated) {
  if (left.size() != query->columns.size()) {
    return UserError(ER_OPERAND_COLUMNS, left.size());
  }
  // Compare each operand with a stand-in for the query's column to learn the common type.
  BoundTable shape;
  AddDerivedColumns(*query, &shape);
  std::vector<Type> types;
  std::vector<Coercibility> coercibilities;
  bool nullable = false;
  for (size_t i = 0; i < left.size(); ++i) {
    auto stand_in =
        std::make_shared<BoundColumn>(shape.columns[i].type, &shape, static_cast<uint32_t>(i));
    stand_in->coercibility = shape.columns[i].coercibility;
    ASSIGN_OR_RETURN(BoundPtr compare, Compare(CompareOp::kEqual, left[i], stand_in));
    const auto* plain = compare->TryAs<BoundCompare>();
    if (plain == nullptr || plain->op != CompareOp::kEqual) {
      if (compare->Is<BoundLiteral>()) {
        // A NULL operand: the column keeps its type.
        left[i] = Convert(left[i], shape.columns[i].type);
        types.push_back(shape.columns[i].type);
        coercibilities.push_back(Coercibility::kImplicit);
        nullable = true;
        continue;
      }
      return Unsupported("IN (subquery) over these types");
    }
    bool stand_in_first = false;
    Walk(*plain->args[0], [&](const BoundExpr& e) { stand_in_first |= &e == stand_in.get(); });
    const BoundPtr& operand = plain->args[stand_in_first ? 1 : 0];
    const BoundPtr& column = plain->args[stand_in_first ? 0 : 1];
    left[i] = operand;
    types.push_back(column->type);
    coercibilities.push_back(column->coercibility);
    nullable |= plain->type.nullable;
  }
  RETURN_IF_ERROR(ConvertColumns(query.get(), types, coercibilities));
  auto in = std::make_shared<BoundInSubquery>(negated, std::move(query));
  in->type.nullable = nullable;
  in->args = std::move(left);
  return BoundPtr(in);
}

Result<BoundPtr> StatementBinder::BindInSubquery(const InSubquery& expr, Scope* scope) {
  ASSIGN_OR_RETURN(std::vector<BoundPtr> left, BindRowOperand(*expr.operand, scope));
  ASSIGN_OR_RETURN(std::shared_ptr<BoundQuery> query, BindQueryExpr(*expr.query, scope));
  return InQuery(std::move(left), std::move(query), expr.negated);
}

namespace {

// What the operand is compared by with the extremes of the other side; = ALL is NOT (<> ANY).
Result<CompareOp> QuantifiedOp(BinaryOp op, bool all) {
  switch (op) {
    case BinaryOp::kEqual:
    case BinaryOp::kNotEqual:
      return CompareOp::kNotEqual;
    case BinaryOp::kLess:
      return all ? CompareOp::kGreaterEqual : CompareOp::kLess;
    case BinaryOp::kLessEqual:
      return all ? CompareOp::kGreater : CompareOp::kLessEqual;
    case BinaryOp::kGreater:
      return all ? CompareOp::kLessEqual : CompareOp::kGreater;
    case BinaryOp::kGreaterEqual:
      return all ? CompareOp::kLess : CompareOp::kGreaterEqual;
    default:
      return Status::Internal("quantified comparison with another operator");
  }
}

// An aggregate of a column, or of the rows: COUNT(*).
BoundPtr AggregateOf(AggregateFn fn, Type type, const std::shared_ptr<BoundColumn>& column,
                     bool with_argument, const BoundSelect* owner) {
  auto node = std::make_shared<BoundAggregate>(std::move(type), fn);
  node->owner = owner;
  node->coercibility = column->coercibility;
  if (with_argument) {
    node->args.push_back(column);
  }
  return node;
}

}  // namespace

// x op ANY (q) looks at the least or greatest value of q:
//   0 when q is empty; 1 when x op extreme; NULL when q has a NULL; otherwise what x op extreme is.
// x op ALL (q) is NOT (x inverse-op ANY (q)).
Result<BoundPtr> StatementBinder::BindQuantified(const Quantified& expr, Scope* scope) {
  ASSIGN_OR_RETURN(std::vector<BoundPtr> left, BindRowOperand(*expr.left, scope));
  ASSIGN_OR_RETURN(std::shared_ptr<BoundQuery> query, BindQueryExpr(*expr.query, scope));
  if (!expr.all && expr.op == BinaryOp::kEqual) {
    return InQuery(std::move(left), std::move(query), false);
  }
  if (expr.all && expr.op == BinaryOp::kNotEqual) {
    return InQuery(std::move(left), std::move(query), true);
  }
  if (left.size() != 1 || query->columns.size() != 1) {
    return UserError(ER_OPERAND_COLUMNS, 1);
  }
  ASSIGN_OR_RETURN(const CompareOp op, QuantifiedOp(expr.op, expr.all));
  auto outer = std::make_shared<BoundQuery>();
  outer->correlated = query->correlated;
  RETURN_IF_ERROR(MoveInto(left, scope, outer.get()));
  BoundTable* table = NewTable(outer.get(), BoundTableKind::kDerived, "");
  AddDerivedColumns(*query, table);
  table->query = std::move(query);
  auto column = std::make_shared<BoundColumn>(table->columns[0].type, table, 0);
  column->coercibility = table->columns[0].coercibility;
  outer->body.select = std::make_unique<BoundSelect>();
  ASSIGN_OR_RETURN(BoundPtr node, AnyOf(op, left[0], column, outer->body.select.get()));
  outer->body.select->aggregated = true;
  outer->body.select->from = std::make_unique<BoundFrom>();
  outer->body.select->from->table = table;
  ResultColumn description;
  description.name = "any";
  description.type = Type::Boolean();
  outer->body.select->items.push_back({std::move(node), description, false});
  outer->columns.push_back(description);
  BoundPtr result = std::make_shared<BoundScalarSubquery>(Type::Boolean(), std::move(outer));
  if (expr.all) {
    result = One(std::make_shared<BoundNot>(), std::move(result));
  }
  return result;
}

Result<BoundPtr> StatementBinder::AnyOf(CompareOp op, const BoundPtr& value,
                                        const std::shared_ptr<BoundColumn>& column,
                                        const BoundSelect* owner) {
  const Type extreme_type = column->type.Nullable();
  const Type count_type = Type::BigInt().NotNull();
  BoundPtr least = AggregateOf(AggregateFn::kMin, extreme_type, column, true, owner);
  BoundPtr greatest = AggregateOf(AggregateFn::kMax, extreme_type, column, true, owner);
  BoundPtr count = AggregateOf(AggregateFn::kCount, count_type, column, false, owner);
  BoundPtr present = AggregateOf(AggregateFn::kCount, count_type, column, true, owner);
  BoundPtr holds;
  if (op == CompareOp::kNotEqual) {
    ASSIGN_OR_RETURN(BoundPtr low, Compare(op, value, least));
    ASSIGN_OR_RETURN(BoundPtr high, Compare(op, value, greatest));
    auto either = std::make_shared<BoundLogical>(false);
    either->args = {std::move(low), std::move(high)};
    holds = std::move(either);
  } else {
    const bool above = op == CompareOp::kGreater || op == CompareOp::kGreaterEqual;
    ASSIGN_OR_RETURN(holds, Compare(op, value, above ? least : greatest));
  }
  ASSIGN_OR_RETURN(BoundPtr empty,
                   Compare(CompareOp::kEqual, count, MakeLiteral(Type::BigInt(), Value::Int(0))));
  ASSIGN_OR_RETURN(BoundPtr has_null, Compare(CompareOp::kNotEqual, count, present));
  auto node = std::make_shared<BoundCase>(Type::Boolean());
  node->args = {std::move(empty),
                Truthy(0),
                holds,
                Truthy(1),
                std::move(has_null),
                MakeLiteral(Type::Boolean(), Value::Null()),
                holds};
  return BoundPtr(std::move(node));
}

}  // namespace borealis::sql
