// BENCHMARK, which evaluates its expression many times, and NAME_CONST, which takes only literals:
// functions whose arguments are not values that somebody else has computed.
#include <algorithm>

#include "sql/binder/binder_internal.h"
#include "sql/binder/evaluate.h"
#include "sql/binder/rewrite.h"
#include "sql/functions/function.h"

namespace borealis::sql {
namespace {

// Whether an expression can be evaluated without the query that it stands in: all but its parts
// can then be repeated.
bool NeedsQuery(const BoundExpr& expr) {
  switch (expr.kind) {
    case BoundKind::kLiteral:
    case BoundKind::kConvert:
    case BoundKind::kFunction:
    case BoundKind::kCompare:
    case BoundKind::kLogical:
    case BoundKind::kNot:
    case BoundKind::kIsNull:
    case BoundKind::kIsTruth:
    case BoundKind::kCase:
    case BoundKind::kIn:
      return false;
    default:
      return true;
  }
}

bool IsNumber(const Literal& literal) {
  return literal.type == LiteralKind::kInteger || literal.type == LiteralKind::kDecimal ||
         literal.type == LiteralKind::kFloat;
}

bool IsPlainLiteral(const Expr& expr) {
  const auto* literal = expr.TryAs<Literal>();
  return literal != nullptr &&
         (IsNumber(*literal) || literal->type == LiteralKind::kNull ||
          literal->type == LiteralKind::kString || literal->type == LiteralKind::kHex ||
          literal->type == LiteralKind::kBit);
}

// A literal, one with a sign, or one with a collation.
bool IsNameConstValue(const Expr& expr) {
  if (const auto* collate = expr.TryAs<Collate>()) {
    return IsPlainLiteral(*collate->operand);
  }
  const auto* unary = expr.TryAs<Unary>();
  if (unary != nullptr && (unary->op == UnaryOp::kMinus || unary->op == UnaryOp::kPlus)) {
    return IsPlainLiteral(*unary->operand);
  }
  return IsPlainLiteral(expr);
}

}  // namespace

Result<BoundPtr> StatementBinder::MakeBenchmark(BoundPtr count, const BoundPtr& expr) {
  std::vector<BoundPtr> args = {std::move(count)};
  std::vector<row::Type> types;
  const ExprRewriter::Replace take_out = [&](const BoundPtr& part, bool) -> Result<BoundPtr> {
    const auto* literal = part->TryAs<BoundLiteral>();
    if (literal != nullptr && literal->folded_from != nullptr) {
      return ExprRewriter(take_out).Rewrite(literal->folded_from);
    }
    if (!NeedsQuery(*part)) {
      return BoundPtr();
    }
    args.push_back(part);
    types.push_back(part->type);
    return BoundPtr(
        std::make_shared<BoundParameter>(part->type, static_cast<uint32_t>(types.size() - 1)));
  };
  ASSIGN_OR_RETURN(const BoundPtr repeated, ExprRewriter(take_out).Rewrite(expr));
  FunctionOptions options;
  options.repeated = [repeated, types](EvalContext& context,
                                       std::span<const row::Value> values) -> Status {
    std::vector<TypedValue> parameters;
    for (size_t i = 0; i < values.size(); ++i) {
      parameters.push_back({types[i], values[i].Borrow()});
    }
    EvalFrame frame;
    frame.context = &context;
    frame.parameters = parameters;
    return Evaluate(*repeated, frame).status();
  };
  return MakeFunctionWith("benchmark", std::move(args), options);
}

Result<BoundPtr> StatementBinder::BindNameConst(const FunctionCall& expr, Scope* scope) {
  if (!IsPlainLiteral(*expr.args[0]) || !IsNameConstValue(*expr.args[1])) {
    return UserError(ER_WRONG_ARGUMENTS, "NAME_CONST");
  }
  if (expr.args[0]->As<Literal>().type == LiteralKind::kNull) {
    return UserError(ER_RESERVED_SYNTAX, "NAME_CONST");
  }
  return BindExpr(*expr.args[1], scope);
}

}  // namespace borealis::sql
