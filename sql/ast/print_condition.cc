// Predicates, and expressions where a truth value is wanted.
//
// The server keeps conditions in a normal form, and shows them so: what is no predicate is compared
// with 0, NOT goes inwards as far as it can, a list within a list of the same kind is one list.
#include <utility>
#include <vector>

#include "sql/ast/print_internal.h"

namespace borealis::sql {

namespace {

// The parts that are compared, of rows within rows as well. False: the rows are of different
// shapes.
bool PairParts(const Expr& left, const Expr& right,
               std::vector<std::pair<const Expr*, const Expr*>>* parts) {
  const auto* a = left.TryAs<Row>();
  const auto* b = right.TryAs<Row>();
  if (a == nullptr && b == nullptr) {
    parts->emplace_back(&left, &right);
    return true;
  }
  if (a == nullptr || b == nullptr || a->items.size() != b->items.size()) {
    return false;
  }
  bool paired = true;
  for (size_t i = 0; i < a->items.size() && paired; ++i) {
    paired = PairParts(*a->items[i], *b->items[i], parts);
  }
  return paired;
}

std::optional<BinaryOp> Negation(BinaryOp op) {
  switch (op) {
    case BinaryOp::kEqual:
      return BinaryOp::kNotEqual;
    case BinaryOp::kNotEqual:
      return BinaryOp::kEqual;
    case BinaryOp::kLess:
      return BinaryOp::kGreaterEqual;
    case BinaryOp::kLessEqual:
      return BinaryOp::kGreater;
    case BinaryOp::kGreater:
      return BinaryOp::kLessEqual;
    case BinaryOp::kGreaterEqual:
      return BinaryOp::kLess;
    default:
      return std::nullopt;
  }
}

// Predicates that keep their NOT in front of them.
bool IsPlainPredicate(const Expr& expr) {
  if (const auto* binary = expr.TryAs<Binary>()) {
    return binary->op == BinaryOp::kNullSafeEqual || binary->op == BinaryOp::kMemberOf ||
           binary->op == BinaryOp::kSoundsLike;
  }
  if (const auto* call = expr.TryAs<FunctionCall>()) {
    return call->schema.empty() && call->name == "regexp_like";
  }
  return false;
}

}  // namespace

bool Printer::IsSubqueryTest(const Expr& expr) {
  if (const auto* unary = expr.TryAs<Unary>(); unary != nullptr && unary->op == UnaryOp::kNot) {
    return IsSubqueryTest(*unary->operand);
  }
  return expr.Is<InSubquery>() || expr.Is<Quantified>();
}

void Printer::PrintCondition(const Expr& expr, bool negated) {
  if (const auto* unary = expr.TryAs<Unary>(); unary != nullptr && unary->op == UnaryOp::kNot) {
    return PrintCondition(*unary->operand, !negated);
  }
  if (const auto* logical = expr.TryAs<Logical>()) {
    Add("(");
    bool first = true;
    PrintOperands(*logical, logical->is_and != negated, negated, &first);
    return Add(")");
  }
  switch (expr.kind) {
    case ExprKind::kIs:
    case ExprKind::kBetween:
    case ExprKind::kLike:
    case ExprKind::kRegexp:
    case ExprKind::kInList:
    case ExprKind::kInSubquery:
    case ExprKind::kExists:
    case ExprKind::kQuantified:
      return PrintPredicate(expr, negated);
    default:
      break;
  }
  if (const auto* binary = expr.TryAs<Binary>()) {
    if (binary->op == BinaryOp::kXor) {
      Add("(");
      PrintCondition(*binary->left, negated);
      Add(" xor ");
      PrintCondition(*binary->right, false);
      return Add(")");
    }
    if (const std::optional<BinaryOp> op = Negation(binary->op)) {
      return negated ? PrintComparison(*binary, *op) : Print(expr);
    }
  }
  if (const auto* literal = expr.TryAs<Literal>();
      literal != nullptr && literal->type == LiteralKind::kBoolean) {
    return Add((literal->integer != 0) != negated ? "true" : "false");
  }
  if (IsPlainPredicate(expr)) {
    Add(negated ? "(not(" : "");
    Print(expr);
    return Add(negated ? "))" : "");
  }
  Add(negated ? "(0 = " : "(0 <> ");
  Print(expr);
  Add(")");
}

// The operands of a list of ANDs or ORs; those that are such a list themselves join it.
void Printer::PrintOperands(const Logical& node, bool is_and, bool negated, bool* first) {
  for (const ExprPtr& operand : node.operands) {
    const Expr* at = operand.get();
    bool flipped = negated;
    const auto* unary = at->TryAs<Unary>();
    while (unary != nullptr && unary->op == UnaryOp::kNot) {
      at = unary->operand.get();
      flipped = !flipped;
      unary = at->TryAs<Unary>();
    }
    const auto* nested = at->TryAs<Logical>();
    if (nested != nullptr && (nested->is_and != flipped) == is_and) {
      PrintOperands(*nested, is_and, flipped, first);
      continue;
    }
    Add(*first ? "" : is_and ? " and " : " or ");
    *first = false;
    PrintCondition(*at, flipped);
  }
}

void Printer::PrintComparison(const Binary& node, BinaryOp op) {
  Add("(");
  Print(*node.left);
  Add(std::string(" ") + BinaryOpText(op) + " ");
  Print(*node.right);
  Add(")");
}

// (a,(b,c)) = (d,(e,f)) is kept as equalities of the parts.
bool Printer::PrintRowEquality(const Binary& node) {
  std::vector<std::pair<const Expr*, const Expr*>> parts;
  if (!node.left->Is<Row>() || !PairParts(*node.left, *node.right, &parts)) {
    return false;
  }
  std::string_view before = "((";
  for (const auto& [left, right] : parts) {
    Add(std::exchange(before, " and ("));
    Print(*left);
    Add(" = ");
    Print(*right);
    Add(")");
  }
  Add(")");
  return true;
}

void Printer::Print(const IsExpr& node, bool negated) {
  const bool is_not = node.negated != negated;
  Add("(");
  switch (node.test) {
    case IsTest::kNull:
    case IsTest::kUnknown:
      Print(*node.operand);
      Add(is_not ? " is not null" : " is null");
      break;
    case IsTest::kTrue:
    case IsTest::kFalse:
      PrintCondition(*node.operand, false);
      Add(is_not ? " is not " : " is ");
      Add(node.test == IsTest::kTrue ? "true" : "false");
      break;
  }
  Add(")");
}

void Printer::Print(const InList& node, bool negated) {
  const bool is_not = node.negated != negated;
  Add("(");
  Print(*node.operand);
  if (node.items.size() == 1 && !node.operand->Is<Row>()) {
    Add(is_not ? " <> " : " = ");
    Print(*node.items[0]);
    return Add(")");
  }
  Add(is_not ? " not in (" : " in (");
  PrintList(node.items);
  Add("))");
}

// = ANY and <> ALL are IN and NOT IN.
void Printer::Print(const Quantified& node, bool negated) {
  const bool all = node.all != negated;
  const BinaryOp op = negated ? Negation(node.op).value_or(node.op) : node.op;
  Print(*node.left);
  if ((!all && op == BinaryOp::kEqual) || (all && op == BinaryOp::kNotEqual)) {
    Add(all ? " not in " : " in ");
  } else {
    Add(std::string(" ") + BinaryOpText(op) + (all ? " all " : " any "));
  }
  PrintSubquery(*node.query);
}

void Printer::PrintPredicate(const Expr& expr, bool negated) {
  if (const auto* is = expr.TryAs<IsExpr>()) {
    return Print(*is, negated);
  }
  if (const auto* between = expr.TryAs<Between>()) {
    Add("(");
    Print(*between->operand);
    Add(between->negated != negated ? " not between " : " between ");
    Print(*between->low);
    Add(" and ");
    Print(*between->high);
    return Add(")");
  }
  if (const auto* like = expr.TryAs<Like>()) {
    const bool is_not = like->negated != negated;
    Add(is_not ? "(not((" : "(");
    Print(*like->operand);
    Add(" like ");
    Print(*like->pattern);
    if (like->escape) {
      Add(" escape ");
      Print(*like->escape);
    }
    return Add(is_not ? ")))" : ")");
  }
  if (const auto* regexp = expr.TryAs<Regexp>()) {
    const bool is_not = regexp->negated != negated;
    Add(is_not ? "(not(regexp_like(" : "regexp_like(");
    Print(*regexp->operand);
    Add(",");
    Print(*regexp->pattern);
    return Add(is_not ? ")))" : ")");
  }
  if (const auto* in = expr.TryAs<InList>()) {
    return Print(*in, negated);
  }
  if (const auto* in = expr.TryAs<InSubquery>()) {
    Print(*in->operand);
    Add(in->negated != negated ? " not in " : " in ");
    return PrintSubquery(*in->query);
  }
  if (const auto* exists = expr.TryAs<Exists>()) {
    Add(negated ? "(not exists" : "exists");
    in_exists_ = exists->query->body->Is<SelectCore>() && exists->query->with == nullptr;
    PrintSubquery(*exists->query);
    return Add(negated ? ")" : "");
  }
  Print(expr.As<Quantified>(), negated);
}

}  // namespace borealis::sql
