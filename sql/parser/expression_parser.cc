// Operators, from loosest to tightest:
//   :=   OR ||   XOR   AND &&   NOT   = <=> < <= > >= <> IS   IN LIKE BETWEEN REGEXP MEMBER SOUNDS
//   |   &   << >>   + -   * / DIV % MOD   ^   || (PIPES_AS_CONCAT)   unary - + ~   !   BINARY
//   COLLATE
// As in MySQL's grammar, operands of IN, LIKE and BETWEEN are bit expressions, not comparisons, and
// NOT may stand only where a whole boolean expression may.
#include <algorithm>

#include "sql/parser/parser_internal.h"

namespace borealis::sql {

namespace {

constexpr int kOrPrecedence = 1;
constexpr int kXorPrecedence = 2;
constexpr int kAndPrecedence = 3;

struct BitOperator {
  BinaryOp op;
  int precedence;
};

std::optional<BitOperator> FindBitOperator(const Token& token) {
  if (token.kind == TokenKind::kIdent) {
    if (token.keyword == Keyword::kDiv) {
      return BitOperator{BinaryOp::kIntDivide, 5};
    }
    if (token.keyword == Keyword::kMod) {
      return BitOperator{BinaryOp::kModulo, 5};
    }
    return std::nullopt;
  }
  if (token.kind != TokenKind::kOperator) {
    return std::nullopt;
  }
  switch (token.op) {
    case Op::kPipe:
      return BitOperator{BinaryOp::kBitOr, 1};
    case Op::kAmpersand:
      return BitOperator{BinaryOp::kBitAnd, 2};
    case Op::kShiftLeft:
      return BitOperator{BinaryOp::kShiftLeft, 3};
    case Op::kShiftRight:
      return BitOperator{BinaryOp::kShiftRight, 3};
    case Op::kPlus:
      return BitOperator{BinaryOp::kAdd, 4};
    case Op::kMinus:
      return BitOperator{BinaryOp::kSubtract, 4};
    case Op::kStar:
      return BitOperator{BinaryOp::kMultiply, 5};
    case Op::kSlash:
      return BitOperator{BinaryOp::kDivide, 5};
    case Op::kPercent:
      return BitOperator{BinaryOp::kModulo, 5};
    case Op::kCaret:
      return BitOperator{BinaryOp::kBitXor, 6};
    default:
      return std::nullopt;
  }
}

std::optional<BinaryOp> FindComparison(const Token& token) {
  if (token.kind != TokenKind::kOperator) {
    return std::nullopt;
  }
  switch (token.op) {
    case Op::kEqual:
      return BinaryOp::kEqual;
    case Op::kNullSafeEqual:
      return BinaryOp::kNullSafeEqual;
    case Op::kNotEqual:
      return BinaryOp::kNotEqual;
    case Op::kLess:
      return BinaryOp::kLess;
    case Op::kLessEqual:
      return BinaryOp::kLessEqual;
    case Op::kGreater:
      return BinaryOp::kGreater;
    case Op::kGreaterEqual:
      return BinaryOp::kGreaterEqual;
    default:
      return std::nullopt;
  }
}

// AND and OR are associative: operands of the same operator are merged into one list.
void AppendOperand(ExprPtr operand, Logical* logical) {
  Logical* same = operand->TryAs<Logical>();
  if (same == nullptr || same->is_and != logical->is_and) {
    logical->operands.push_back(std::move(operand));
    return;
  }
  for (ExprPtr& inner : same->operands) {
    logical->operands.push_back(std::move(inner));
  }
}

}  // namespace

Result<ExprPtr> Parser::ParseExpr() {
  const NestingScope scope(this);
  if (!scope.ok()) {
    return TooDeep();
  }
  return ParseLogic(kOrPrecedence);
}

// Parses the right side of an operator: what counts for the tree's height is the higher of the two
// sides, not their sum.
Result<ExprPtr> Parser::BesideLeft(Result<ExprPtr> (Parser::*rule)(int), int min_precedence) {
  const uint32_t left_height = height_;
  height_ = 0;
  Result<ExprPtr> right = (this->*rule)(min_precedence);
  height_ = std::max(left_height, height_);
  return right;
}

Result<ExprPtr> Parser::ParseLogic(int min_precedence) {
  ASSIGN_OR_RETURN(ExprPtr left, ParseNot());
  while (true) {
    int precedence = 0;
    if (At(Kw::kOr) || (At(Op::kPipePipe) && !options_.pipes_as_concat)) {
      precedence = kOrPrecedence;
    } else if (At(Kw::kXor)) {
      precedence = kXorPrecedence;
    } else if (At(Kw::kAnd) || At(Op::kAndAnd)) {
      precedence = kAndPrecedence;
    } else {
      return left;
    }
    if (precedence < min_precedence) {
      return left;
    }
    if (Accept(Op::kAndAnd)) {
      WarnOfSyntax("&&", "AND");
    } else if (Accept(Op::kPipePipe)) {
      WarnOfSyntax("|| as a synonym for OR", "OR");
    } else {
      Next();
    }
    ASSIGN_OR_RETURN(ExprPtr right, BesideLeft(&Parser::ParseLogic, precedence + 1));
    if (precedence == kXorPrecedence) {
      ASSIGN_OR_RETURN(left, MakeBinary(BinaryOp::kXor, std::move(left), std::move(right)));
      continue;
    }
    const bool is_and = precedence == kAndPrecedence;
    if (Logical* same = left->TryAs<Logical>(); same != nullptr && same->is_and == is_and) {
      AppendOperand(std::move(right), same);
    } else {
      auto logical = std::make_unique<Logical>();
      logical->is_and = is_and;
      logical->span.begin = left->span.begin;
      logical->operands.push_back(std::move(left));
      AppendOperand(std::move(right), logical.get());
      left = std::move(logical);
    }
    left->span.end = last_end_;
  }
}

Result<ExprPtr> Parser::ParseNot() {
  if (!At(Kw::kNot) || options_.high_not_precedence) {
    return ParseComparison();
  }
  const NestingScope scope(this);
  if (!scope.ok()) {
    return TooDeep();
  }
  auto node = std::make_unique<Unary>();
  const uint32_t begin = Begin();
  Next();
  node->op = UnaryOp::kNot;
  ASSIGN_OR_RETURN(node->operand, ParseNot());
  node->span = SpanFrom(begin);
  return ExprPtr(std::move(node));
}

Result<ExprPtr> Parser::MakeBinary(BinaryOp op, ExprPtr left, ExprPtr right) {
  RETURN_IF_ERROR(GrowChain());
  auto node = std::make_unique<Binary>();
  node->op = op;
  node->span = {left->span.begin, last_end_};
  node->left = std::move(left);
  node->right = std::move(right);
  return ExprPtr(std::move(node));
}

Result<ExprPtr> Parser::ParseComparison() {
  ASSIGN_OR_RETURN(ExprPtr left, ParsePredicate());
  while (true) {
    if (At(Kw::kIs)) {
      bool is_final = false;
      ASSIGN_OR_RETURN(left, ParseIs(std::move(left), &is_final));
      if (is_final) {
        return left;
      }
      continue;
    }
    const std::optional<BinaryOp> op = FindComparison(Cur());
    if (!op) {
      return left;
    }
    Next();
    const bool any = (At(Kw::kAny) || At(Kw::kSome)) && AtCall();
    if ((any || (At(Kw::kAll) && AtCall())) && ParenHoldsQuery(pos_ + 1)) {
      Next();
      auto node = std::make_unique<Quantified>();
      node->op = *op;
      node->all = !any;
      ASSIGN_OR_RETURN(node->query, ParseSubquery());
      node->span = {left->span.begin, last_end_};
      node->left = std::move(left);
      RETURN_IF_ERROR(GrowChain());
      left = std::move(node);
      continue;
    }
    ASSIGN_OR_RETURN(ExprPtr right, ParsePredicate());
    ASSIGN_OR_RETURN(left, MakeBinary(*op, std::move(left), std::move(right)));
  }
}

// IS NULL yields an operand for further comparisons; IS TRUE, FALSE and UNKNOWN do not.
Result<ExprPtr> Parser::ParseIs(ExprPtr operand, bool* is_final) {
  Next();
  auto node = std::make_unique<IsExpr>();
  node->negated = Accept(Kw::kNot);
  *is_final = true;
  if (Accept(Kw::kNull)) {
    node->test = IsTest::kNull;
    *is_final = false;
  } else if (Accept(Kw::kTrue)) {
    node->test = IsTest::kTrue;
  } else if (Accept(Kw::kFalse)) {
    node->test = IsTest::kFalse;
  } else if (Accept(Kw::kUnknown)) {
    node->test = IsTest::kUnknown;
  } else {
    return Error();
  }
  node->span = {operand->span.begin, last_end_};
  node->operand = std::move(operand);
  RETURN_IF_ERROR(GrowChain());
  return ExprPtr(std::move(node));
}

Result<ExprPtr> Parser::ParsePredicate() {
  ASSIGN_OR_RETURN(ExprPtr left, ParseBits(1));
  if (Cur().kind != TokenKind::kIdent) {
    return left;
  }
  const bool negated = At(Kw::kNot);
  const Token& token = negated ? Ahead(1) : Cur();
  switch (token.keyword) {
    case Kw::kIn:
    case Kw::kBetween:
    case Kw::kLike:
    case Kw::kRegexp:
    case Kw::kRlike:
      if (negated) {
        Next();
      }
      return ParsePredicateTail(std::move(left), negated);
    case Kw::kMember:
    case Kw::kSounds:
      if (negated) {
        return left;
      }
      return ParsePredicateTail(std::move(left), false);
    default:
      return left;
  }
}

Result<ExprPtr> Parser::ParsePredicateTail(ExprPtr left, bool negated) {
  const Span from = left->span;
  if (Accept(Kw::kIn)) {
    return ParseIn(std::move(left), negated);
  }
  if (Accept(Kw::kBetween)) {
    const NestingScope scope(this);  // the upper bound is a predicate again
    if (!scope.ok()) {
      return TooDeep();
    }
    auto node = std::make_unique<Between>();
    node->negated = negated;
    node->operand = std::move(left);
    ASSIGN_OR_RETURN(node->low, ParseBits(1));
    RETURN_IF_ERROR(Expect(Kw::kAnd));
    ASSIGN_OR_RETURN(node->high, ParsePredicate());
    node->span = SpanFrom(from.begin);
    return ExprPtr(std::move(node));
  }
  if (Accept(Kw::kLike)) {
    auto node = std::make_unique<Like>();
    node->negated = negated;
    node->operand = std::move(left);
    ASSIGN_OR_RETURN(node->pattern, ParseUnary());
    if (Accept(Kw::kEscape)) {
      ASSIGN_OR_RETURN(node->escape, ParseUnary());
    }
    node->span = SpanFrom(from.begin);
    return ExprPtr(std::move(node));
  }
  if (Accept(Kw::kRegexp) || Accept(Kw::kRlike)) {
    auto node = std::make_unique<Regexp>();
    node->negated = negated;
    node->operand = std::move(left);
    ASSIGN_OR_RETURN(node->pattern, ParseBits(1));
    node->span = SpanFrom(from.begin);
    return ExprPtr(std::move(node));
  }
  if (Accept(Kw::kMember)) {
    Accept(Kw::kOf);
    RETURN_IF_ERROR(Expect(Op::kLeftParen));
    ASSIGN_OR_RETURN(ExprPtr array, ParseUnary());
    RETURN_IF_ERROR(Expect(Op::kRightParen));
    return MakeBinary(BinaryOp::kMemberOf, std::move(left), std::move(array));
  }
  RETURN_IF_ERROR(Expect(Kw::kSounds, Kw::kLike));
  ASSIGN_OR_RETURN(ExprPtr right, ParseBits(1));
  return MakeBinary(BinaryOp::kSoundsLike, std::move(left), std::move(right));
}

Result<ExprPtr> Parser::ParseIn(ExprPtr left, bool negated) {
  const uint32_t begin = left->span.begin;
  if (At(Op::kLeftParen) && ParenHoldsQuery(pos_)) {
    auto node = std::make_unique<InSubquery>();
    node->negated = negated;
    node->operand = std::move(left);
    ASSIGN_OR_RETURN(node->query, ParseSubquery());
    node->span = SpanFrom(begin);
    return ExprPtr(std::move(node));
  }
  RETURN_IF_ERROR(Expect(Op::kLeftParen));
  auto node = std::make_unique<InList>();
  node->negated = negated;
  node->operand = std::move(left);
  RETURN_IF_ERROR(ParseExprList(&node->items));
  RETURN_IF_ERROR(Expect(Op::kRightParen));
  node->span = SpanFrom(begin);
  return ExprPtr(std::move(node));
}

Result<ExprPtr> Parser::ParseBits(int min_precedence) {
  ASSIGN_OR_RETURN(ExprPtr left, ParseUnary());
  while (true) {
    const std::optional<BitOperator> found = FindBitOperator(Cur());
    if (!found || found->precedence < min_precedence) {
      return left;
    }
    Next();
    const bool additive = found->op == BinaryOp::kAdd || found->op == BinaryOp::kSubtract;
    if (additive && At(Kw::kInterval)) {
      ASSIGN_OR_RETURN(left, ParseIntervalSide(std::move(left), found->op == BinaryOp::kSubtract));
      continue;
    }
    ASSIGN_OR_RETURN(ExprPtr right, BesideLeft(&Parser::ParseBits, found->precedence + 1));
    ASSIGN_OR_RETURN(left, MakeBinary(found->op, std::move(left), std::move(right)));
  }
}

// left ± INTERVAL expr unit, or left ± INTERVAL(a, b, …), the function.
Result<ExprPtr> Parser::ParseIntervalSide(ExprPtr left, bool subtract) {
  if (Is(Ahead(1), Op::kLeftParen) && HasTopLevelComma(pos_ + 1)) {
    ASSIGN_OR_RETURN(ExprPtr right, ParseBits(5));
    return MakeBinary(subtract ? BinaryOp::kSubtract : BinaryOp::kAdd, std::move(left),
                      std::move(right));
  }
  Next();
  auto node = std::make_unique<IntervalArithmetic>();
  node->subtract = subtract;
  node->span.begin = left->span.begin;
  node->operand = std::move(left);
  ASSIGN_OR_RETURN(node->amount, ParseExpr());
  ASSIGN_OR_RETURN(node->unit, ParseIntervalUnit());
  node->span.end = last_end_;
  RETURN_IF_ERROR(GrowChain());
  return ExprPtr(std::move(node));
}

// Prefix operators, then postfix COLLATE and, under PIPES_AS_CONCAT, ||.
Result<ExprPtr> Parser::ParseUnary() {
  ASSIGN_OR_RETURN(ExprPtr left, ParseSimple());
  while (AtConcatPipes()) {
    Next();
    ASSIGN_OR_RETURN(ExprPtr right, ParseSimple());
    ASSIGN_OR_RETURN(left, MakeBinary(BinaryOp::kConcat, std::move(left), std::move(right)));
  }
  return left;
}

Result<ExprPtr> Parser::ParseSimple() {
  const uint32_t begin = Begin();
  std::optional<UnaryOp> prefix;
  if (At(TokenKind::kOperator)) {
    if (At(Op::kMinus)) {
      prefix = UnaryOp::kMinus;
    } else if (At(Op::kPlus)) {
      prefix = UnaryOp::kPlus;
    } else if (At(Op::kTilde)) {
      prefix = UnaryOp::kBitNot;
    } else if (At(Op::kBang)) {
      prefix = UnaryOp::kNot;
      WarnOfSyntax("!", "NOT");
    }
  } else if (At(Kw::kNot) && options_.high_not_precedence) {
    prefix = UnaryOp::kNot;
  }
  const bool binary = At(Kw::kBinary);
  if (prefix || binary) {
    const NestingScope scope(this);
    if (!scope.ok()) {
      return TooDeep();
    }
    Next();
    ASSIGN_OR_RETURN(ExprPtr operand, ParseSimple());
    if (binary) {
      WarnOfSyntax("BINARY expr", "CAST");
      auto node = std::make_unique<Cast>();
      node->type.kind = TypeKind::kBinary;
      node->operand = std::move(operand);
      node->span = SpanFrom(begin);
      return ExprPtr(std::move(node));
    }
    auto node = std::make_unique<Unary>();
    node->op = *prefix;
    node->operand = std::move(operand);
    node->span = SpanFrom(begin);
    return ExprPtr(std::move(node));
  }
  ASSIGN_OR_RETURN(ExprPtr expr, ParsePrimary());
  while (Accept(Kw::kCollate)) {
    auto node = std::make_unique<Collate>();
    node->operand = std::move(expr);
    ASSIGN_OR_RETURN(node->collation, CharsetOrCollation());
    node->span = SpanFrom(begin);
    RETURN_IF_ERROR(GrowChain());
    expr = std::move(node);
  }
  return expr;
}

Status Parser::ParseExprList(std::vector<ExprPtr>* out) {
  do {
    ASSIGN_OR_RETURN(ExprPtr expr, ParseExpr());
    out->push_back(std::move(expr));
  } while (Accept(Op::kComma));
  return Status::Ok();
}

Status Parser::ParseParenExprList(std::vector<ExprPtr>* out) {
  RETURN_IF_ERROR(Expect(Op::kLeftParen));
  if (Accept(Op::kRightParen)) {
    return Status::Ok();
  }
  RETURN_IF_ERROR(ParseExprList(out));
  return Expect(Op::kRightParen);
}

Result<ExprPtr> Parser::ParseValueOrDefault() {
  if (At(Kw::kDefault) && !AtCall()) {
    auto node = std::make_unique<DefaultExpr>();
    node->span = {Cur().begin, Cur().end};
    Next();
    return ExprPtr(std::move(node));
  }
  return ParseExpr();
}

Status Parser::ParseValueList(std::vector<ExprPtr>* out) {
  RETURN_IF_ERROR(Expect(Op::kLeftParen));
  if (Accept(Op::kRightParen)) {
    return Status::Ok();
  }
  do {
    ASSIGN_OR_RETURN(ExprPtr value, ParseValueOrDefault());
    out->push_back(std::move(value));
  } while (Accept(Op::kComma));
  return Expect(Op::kRightParen);
}

Status Parser::ParseOrderList(std::vector<OrderItem>* out) {
  do {
    OrderItem item;
    ASSIGN_OR_RETURN(item.expr, ParseExpr());
    item.direction = ParseDirection();
    out->push_back(std::move(item));
  } while (Accept(Op::kComma));
  return Status::Ok();
}

// ORDER BY of ALTER TABLE: columns and nothing else.
Status Parser::ParseColumnOrder(std::vector<OrderItem>* out) {
  do {
    OrderItem item;
    ASSIGN_OR_RETURN(item.expr, ParseSimpleColumn());
    item.direction = ParseDirection();
    out->push_back(std::move(item));
  } while (Accept(Op::kComma));
  return Status::Ok();
}

SortDirection Parser::ParseDirection() {
  if (Accept(Kw::kAsc)) {
    return SortDirection::kAscending;
  }
  return Accept(Kw::kDesc) ? SortDirection::kDescending : SortDirection::kDefault;
}

}  // namespace borealis::sql
