// Function calls with syntax of their own, aggregates, and windows.
//
// As in MySQL, the names of aggregates and a few others (COUNT, NOW, SUBSTRING, TRIM …) are special
// only when the parenthesis follows without a blank, unless IGNORE_SPACE is on.
#include <algorithm>
#include <array>
#include <string>

#include "base/mysql_error.h"
#include "sql/parser/parser_internal.h"

namespace borealis::sql {

namespace {

std::string ToLower(std::string text) {
  for (char& c : text) {
    c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  }
  return text;
}

enum class Special : uint8_t {
  kAggregate,
  kCount,
  kGroupConcat,
  kNow,
  kDateAdd,
  kDateSub,
  kAddDate,
  kSubDate,
  kExtract,
  kTrim,
  kSubstring,
  kPosition,
  kCast,
  kUser,
  kCall,  // an ordinary call under the name in `canonical`
};

struct SpecialName {
  std::string_view name;
  Special special;
  AggregateFn fn = AggregateFn::kCount;
  std::string_view canonical = {};
};

// Special only directly before '('.
constexpr std::array kSpecialNames = {
    SpecialName{"count", Special::kCount},
    SpecialName{"sum", Special::kAggregate, AggregateFn::kSum},
    SpecialName{"min", Special::kAggregate, AggregateFn::kMin},
    SpecialName{"max", Special::kAggregate, AggregateFn::kMax},
    SpecialName{"now", Special::kNow},
    SpecialName{"group_concat", Special::kGroupConcat},
    SpecialName{"cast", Special::kCast},
    SpecialName{"substring", Special::kSubstring},
    SpecialName{"substr", Special::kSubstring},
    SpecialName{"mid", Special::kSubstring},
    SpecialName{"trim", Special::kTrim},
    SpecialName{"date_add", Special::kDateAdd},
    SpecialName{"date_sub", Special::kDateSub},
    SpecialName{"adddate", Special::kAddDate},
    SpecialName{"subdate", Special::kSubDate},
    SpecialName{"extract", Special::kExtract},
    SpecialName{"position", Special::kPosition},
    SpecialName{"curdate", Special::kCall, AggregateFn::kCount, "curdate"},
    SpecialName{"curtime", Special::kCall, AggregateFn::kCount, "curtime"},
    SpecialName{"sysdate", Special::kCall, AggregateFn::kCount, "sysdate"},
    SpecialName{"session_user", Special::kUser},
    SpecialName{"system_user", Special::kUser},
    SpecialName{"bit_and", Special::kAggregate, AggregateFn::kBitAnd},
    SpecialName{"bit_or", Special::kAggregate, AggregateFn::kBitOr},
    SpecialName{"bit_xor", Special::kAggregate, AggregateFn::kBitXor},
    SpecialName{"std", Special::kAggregate, AggregateFn::kStddevPop},
    SpecialName{"stddev", Special::kAggregate, AggregateFn::kStddevPop},
    SpecialName{"stddev_pop", Special::kAggregate, AggregateFn::kStddevPop},
    SpecialName{"stddev_samp", Special::kAggregate, AggregateFn::kStddevSamp},
    SpecialName{"variance", Special::kAggregate, AggregateFn::kVarPop},
    SpecialName{"var_pop", Special::kAggregate, AggregateFn::kVarPop},
    SpecialName{"var_samp", Special::kAggregate, AggregateFn::kVarSamp},
    SpecialName{"json_arrayagg", Special::kAggregate, AggregateFn::kJsonArrayAgg},
    SpecialName{"json_objectagg", Special::kAggregate, AggregateFn::kJsonObjectAgg},
    SpecialName{"st_collect", Special::kAggregate, AggregateFn::kStCollect},
};

const SpecialName* FindSpecial(std::string_view word) {
  const std::string lower = ToLower(std::string(word));
  const auto* const found =
      std::find_if(kSpecialNames.begin(), kSpecialNames.end(),
                   [&](const SpecialName& special) { return special.name == lower; });
  return found == kSpecialNames.end() ? nullptr : found;
}

std::optional<WindowFn> FindWindowFn(Keyword keyword) {
  switch (keyword) {
    case Keyword::kRowNumber:
      return WindowFn::kRowNumber;
    case Keyword::kRank:
      return WindowFn::kRank;
    case Keyword::kDenseRank:
      return WindowFn::kDenseRank;
    case Keyword::kPercentRank:
      return WindowFn::kPercentRank;
    case Keyword::kCumeDist:
      return WindowFn::kCumeDist;
    case Keyword::kNtile:
      return WindowFn::kNtile;
    case Keyword::kLead:
      return WindowFn::kLead;
    case Keyword::kLag:
      return WindowFn::kLag;
    case Keyword::kFirstValue:
      return WindowFn::kFirstValue;
    case Keyword::kLastValue:
      return WindowFn::kLastValue;
    case Keyword::kNthValue:
      return WindowFn::kNthValue;
    default:
      return std::nullopt;
  }
}

}  // namespace

bool Parser::HasTopLevelComma(size_t open) const {
  const size_t close = tokens_[open].match;
  for (size_t i = open + 1; i < close; ++i) {
    if (Is(tokens_[i], Op::kComma)) {
      return true;
    }
    if (Is(tokens_[i], Op::kLeftParen)) {
      i = tokens_[i].match;
    }
  }
  return false;
}

bool Parser::AtTightCall() const {
  return AtCall() && (options_.ignore_space || Ahead(1).begin == Cur().end);
}

Result<ExprPtr> Parser::ParseCall(std::string name) {
  auto node = std::make_unique<FunctionCall>();
  const uint32_t begin = Begin();
  node->name = ToLower(std::move(name));
  RETURN_IF_ERROR(ParseParenExprList(&node->args));
  node->span = SpanFrom(begin);
  return ExprPtr(std::move(node));
}

Result<ExprPtr> Parser::ParseNamedCall(std::string name) {
  ASSIGN_OR_RETURN(ExprPtr parsed, ParseCall(std::move(name)));
  auto& call = parsed->As<FunctionCall>();
  if (call.name == "found_rows") {
    WarnOfFoundRows(false);
  }
  call.name_collides =
      FindKeyword(call.name) != Keyword::kNotKeyword || FindSpecial(call.name) != nullptr;
  return parsed;
}

Result<ExprPtr> Parser::ParseKeywordCall(std::string name) {
  const uint32_t begin = Begin();
  Next();
  ASSIGN_OR_RETURN(ExprPtr call, ParseCall(std::move(name)));
  call->span.begin = begin;
  return call;
}

// The word, then optional parentheses with an optional precision: CURRENT_TIMESTAMP, NOW(6).
Result<ExprPtr> Parser::ParseNow(std::string name) {
  const uint32_t begin = Begin();
  if (AtCall()) {
    return ParseKeywordCall(std::move(name));
  }
  Next();
  auto node = std::make_unique<FunctionCall>();
  node->name = std::move(name);
  node->span = SpanFrom(begin);
  return ExprPtr(std::move(node));
}

// Handles words that are functions by grammar. A null result with *handled false means that the
// word is none here.
Result<ExprPtr> Parser::ParseSpecialCall(bool* handled) {
  *handled = true;
  switch (Cur().keyword) {
    case Kw::kCurrentTimestamp:
    case Kw::kLocaltime:
    case Kw::kLocaltimestamp:
      return ParseNow("now");
    case Kw::kCurrentDate:
      return ParseNow("curdate");
    case Kw::kCurrentTime:
      return ParseNow("curtime");
    case Kw::kUtcDate:
      return ParseNow("utc_date");
    case Kw::kUtcTime:
      return ParseNow("utc_time");
    case Kw::kUtcTimestamp:
      return ParseNow("utc_timestamp");
    case Kw::kCurrentUser:
      return ParseNow("current_user");
    default:
      break;
  }
  if (!AtCall()) {
    *handled = false;
    return ExprPtr();
  }
  ASSIGN_OR_RETURN(ExprPtr call, ParseKeywordFunction(handled));
  if (*handled) {
    return call;
  }
  return ParseTightCall(handled);
}

// Keywords that take arguments in parentheses, with or without a blank before them.
Result<ExprPtr> Parser::ParseKeywordFunction(bool* handled) {
  *handled = true;
  if (const std::optional<WindowFn> window = FindWindowFn(Cur().keyword)) {
    return ParseWindowFunction(*window);
  }
  switch (Cur().keyword) {
    case Kw::kChar:
      return ParseCharFunction();
    case Kw::kMod:
      return ParseModFunction();
    case Kw::kDatabase:
    case Kw::kSchema:
      return ParseKeywordCall("database");
    case Kw::kIf:
    case Kw::kInsert:
    case Kw::kLeft:
    case Kw::kRight:
    case Kw::kRepeat:
    case Kw::kReplace:
      return ParseKeywordCall(UpperText(Cur()));
    case Kw::kGrouping:
      if (Is(Ahead(1), Op::kLeftParen) && Is(Ahead(2), Op::kRightParen)) {
        Next();
        Next();
        return Error();
      }
      return ParseKeywordCall(UpperText(Cur()));
    case Kw::kAvg:
      return ParseAggregate(AggregateFn::kAvg);
    case Kw::kTimestampadd:
    case Kw::kTimestampdiff:
      return ParseTimestampDifference();
    case Kw::kGetFormat:
      return ParseGetFormat();
    case Kw::kWeightString:
      return ParseWeightString();
    case Kw::kJsonValue:
      return ParseJsonValue();
    default:
      *handled = false;
      return ExprPtr();
  }
}

// Names that are special only directly before the parenthesis.
Result<ExprPtr> Parser::ParseTightCall(bool* handled) {
  const SpecialName* special =
      IsReserved(Cur().keyword) || !AtTightCall() ? nullptr : FindSpecial(TextOf(Cur()));
  if (special == nullptr) {
    *handled = false;
    return ExprPtr();
  }
  *handled = true;
  switch (special->special) {
    case Special::kAggregate:
      return ParseAggregate(special->fn);
    case Special::kCount:
      return ParseCount();
    case Special::kGroupConcat:
      return ParseGroupConcat();
    case Special::kNow:
      return ParseKeywordCall("now");
    case Special::kDateAdd:
      return ParseDateArithmetic(false, false);
    case Special::kDateSub:
      return ParseDateArithmetic(true, false);
    case Special::kAddDate:
      return ParseDateArithmetic(false, true);
    case Special::kSubDate:
      return ParseDateArithmetic(true, true);
    case Special::kExtract:
      return ParseExtract();
    case Special::kTrim:
      return ParseTrim();
    case Special::kSubstring:
      return ParseSubstring();
    case Special::kPosition:
      return ParsePosition();
    case Special::kCast:
      return ParseCast();
    case Special::kUser:
      return ParseKeywordCall("user");
    case Special::kCall:
      return ParseKeywordCall(std::string(special->canonical));
  }
  return Error();
}

Result<ExprPtr> Parser::ParseModFunction() {
  const uint32_t begin = Begin();
  ASSIGN_OR_RETURN(ExprPtr call, ParseKeywordCall("mod"));
  std::vector<ExprPtr>& args = call->As<FunctionCall>().args;
  if (args.size() != 2) {
    return Error();
  }
  ASSIGN_OR_RETURN(ExprPtr node,
                   MakeBinary(BinaryOp::kModulo, std::move(args[0]), std::move(args[1])));
  node->span = SpanFrom(begin);
  return node;
}

Result<ExprPtr> Parser::ParseAggregate(AggregateFn fn) {
  auto node = std::make_unique<Aggregate>();
  node->fn = fn;
  const uint32_t begin = Begin();
  Next();
  RETURN_IF_ERROR(Expect(Op::kLeftParen));
  const bool sets = fn == AggregateFn::kSum || fn == AggregateFn::kAvg || fn == AggregateFn::kMin ||
                    fn == AggregateFn::kMax || fn == AggregateFn::kStCollect;
  if (sets) {
    node->distinct = Accept(Kw::kDistinct);
  }
  Accept(Kw::kAll);
  ASSIGN_OR_RETURN(ExprPtr arg, ParseExpr());
  node->args.push_back(std::move(arg));
  if (fn == AggregateFn::kJsonObjectAgg) {
    RETURN_IF_ERROR(Expect(Op::kComma));
    ASSIGN_OR_RETURN(ExprPtr value, ParseExpr());
    node->args.push_back(std::move(value));
  }
  RETURN_IF_ERROR(Expect(Op::kRightParen));
  RETURN_IF_ERROR(ParseOver(&node->over));
  node->span = SpanFrom(begin);
  return ExprPtr(std::move(node));
}

Result<ExprPtr> Parser::ParseCount() {
  auto node = std::make_unique<Aggregate>();
  const uint32_t begin = Begin();
  Next();
  RETURN_IF_ERROR(Expect(Op::kLeftParen));
  if (Accept(Op::kStar)) {
    node->star = true;
  } else if (Accept(Kw::kDistinct)) {
    node->distinct = true;
    RETURN_IF_ERROR(ParseExprList(&node->args));
  } else {
    Accept(Kw::kAll);
    if (Accept(Op::kStar)) {
      node->star = true;
    } else {
      ASSIGN_OR_RETURN(ExprPtr arg, ParseExpr());
      node->args.push_back(std::move(arg));
    }
  }
  RETURN_IF_ERROR(Expect(Op::kRightParen));
  RETURN_IF_ERROR(ParseOver(&node->over));
  node->span = SpanFrom(begin);
  return ExprPtr(std::move(node));
}

Result<ExprPtr> Parser::ParseGroupConcat() {
  auto node = std::make_unique<Aggregate>();
  node->fn = AggregateFn::kGroupConcat;
  const uint32_t begin = Begin();
  Next();
  RETURN_IF_ERROR(Expect(Op::kLeftParen));
  node->distinct = Accept(Kw::kDistinct);
  RETURN_IF_ERROR(ParseExprList(&node->args));
  if (Accept(Kw::kOrder)) {
    RETURN_IF_ERROR(Expect(Kw::kBy));
    RETURN_IF_ERROR(ParseOrderList(&node->order_by));
  }
  if (Accept(Kw::kSeparator)) {
    if (At(TokenKind::kHex) || At(TokenKind::kBit)) {
      node->separator = At(TokenKind::kHex) ? HexValue(text_, Cur()) : BitValue(text_, Cur());
      Next();
    } else {
      ASSIGN_OR_RETURN(node->separator, StringText());
    }
  }
  RETURN_IF_ERROR(Expect(Op::kRightParen));
  RETURN_IF_ERROR(ParseOver(&node->over));
  node->span = SpanFrom(begin);
  return ExprPtr(std::move(node));
}

// DATE_ADD(x, INTERVAL n unit); ADDDATE(x, n) adds days.
Result<ExprPtr> Parser::ParseDateArithmetic(bool subtract, bool days_allowed) {
  auto node = std::make_unique<IntervalArithmetic>();
  node->subtract = subtract;
  const uint32_t begin = Begin();
  Next();
  RETURN_IF_ERROR(Expect(Op::kLeftParen));
  ASSIGN_OR_RETURN(node->operand, ParseExpr());
  RETURN_IF_ERROR(Expect(Op::kComma));
  const bool function = At(Kw::kInterval) && AtCall() && HasTopLevelComma(pos_ + 1);
  if (days_allowed && (!At(Kw::kInterval) || function)) {
    ASSIGN_OR_RETURN(node->amount, ParseExpr());
  } else {
    RETURN_IF_ERROR(Expect(Kw::kInterval));
    ASSIGN_OR_RETURN(node->amount, ParseExpr());
    ASSIGN_OR_RETURN(node->unit, ParseIntervalUnit());
  }
  RETURN_IF_ERROR(Expect(Op::kRightParen));
  node->span = SpanFrom(begin);
  return ExprPtr(std::move(node));
}

Result<ExprPtr> Parser::ParseExtract() {
  auto node = std::make_unique<Extract>();
  const uint32_t begin = Begin();
  Next();
  RETURN_IF_ERROR(Expect(Op::kLeftParen));
  ASSIGN_OR_RETURN(node->unit, ParseIntervalUnit());
  RETURN_IF_ERROR(Expect(Kw::kFrom));
  ASSIGN_OR_RETURN(node->operand, ParseExpr());
  RETURN_IF_ERROR(Expect(Op::kRightParen));
  node->span = SpanFrom(begin);
  return ExprPtr(std::move(node));
}

// TRIM(x), TRIM(y FROM x), TRIM(LEADING [y] FROM x)
Result<ExprPtr> Parser::ParseTrim() {
  auto node = std::make_unique<Trim>();
  const uint32_t begin = Begin();
  Next();
  RETURN_IF_ERROR(Expect(Op::kLeftParen));
  bool side = true;
  if (Accept(Kw::kLeading)) {
    node->side = TrimSide::kLeading;
  } else if (Accept(Kw::kTrailing)) {
    node->side = TrimSide::kTrailing;
  } else {
    side = Accept(Kw::kBoth);
  }
  if (!side || !At(Kw::kFrom)) {
    ASSIGN_OR_RETURN(node->operand, ParseExpr());
  }
  if (At(Kw::kFrom)) {
    Next();
    node->remove = std::move(node->operand);
    ASSIGN_OR_RETURN(node->operand, ParseExpr());
  } else if (side) {
    return Error();
  }
  RETURN_IF_ERROR(Expect(Op::kRightParen));
  node->span = SpanFrom(begin);
  return ExprPtr(std::move(node));
}

// SUBSTRING(x, a[, b]), SUBSTRING(x FROM a [FOR b])
Result<ExprPtr> Parser::ParseSubstring() {
  auto node = std::make_unique<FunctionCall>();
  node->name = "substring";
  const uint32_t begin = Begin();
  Next();
  RETURN_IF_ERROR(Expect(Op::kLeftParen));
  ASSIGN_OR_RETURN(ExprPtr text, ParseExpr());
  node->args.push_back(std::move(text));
  const bool from = Accept(Kw::kFrom);
  if (!from) {
    RETURN_IF_ERROR(Expect(Op::kComma));
  }
  ASSIGN_OR_RETURN(ExprPtr position, ParseExpr());
  node->args.push_back(std::move(position));
  if (from ? Accept(Kw::kFor) : Accept(Op::kComma)) {
    ASSIGN_OR_RETURN(ExprPtr length, ParseExpr());
    node->args.push_back(std::move(length));
  }
  RETURN_IF_ERROR(Expect(Op::kRightParen));
  node->span = SpanFrom(begin);
  return ExprPtr(std::move(node));
}

// POSITION(a IN b)
Result<ExprPtr> Parser::ParsePosition() {
  auto node = std::make_unique<FunctionCall>();
  node->name = "locate";
  const uint32_t begin = Begin();
  Next();
  RETURN_IF_ERROR(Expect(Op::kLeftParen));
  ASSIGN_OR_RETURN(ExprPtr needle, ParseBits(1));
  RETURN_IF_ERROR(Expect(Kw::kIn));
  ASSIGN_OR_RETURN(ExprPtr text, ParseExpr());
  RETURN_IF_ERROR(Expect(Op::kRightParen));
  node->args.push_back(std::move(needle));
  node->args.push_back(std::move(text));
  node->span = SpanFrom(begin);
  return ExprPtr(std::move(node));
}

// TIMESTAMPADD(unit, n, x), TIMESTAMPDIFF(unit, a, b)
Result<ExprPtr> Parser::ParseTimestampDifference() {
  auto node = std::make_unique<FunctionCall>();
  node->name = ToLower(std::string(TextOf(Cur())));
  const uint32_t begin = Begin();
  Next();
  RETURN_IF_ERROR(Expect(Op::kLeftParen));
  ASSIGN_OR_RETURN(node->unit, ParseIntervalUnit());
  for (int i = 0; i < 2; ++i) {
    RETURN_IF_ERROR(Expect(Op::kComma));
    ASSIGN_OR_RETURN(ExprPtr arg, ParseExpr());
    node->args.push_back(std::move(arg));
  }
  RETURN_IF_ERROR(Expect(Op::kRightParen));
  node->span = SpanFrom(begin);
  return ExprPtr(std::move(node));
}

// GET_FORMAT(DATE, 'EUR'): the first argument arrives as a string literal, "DATE".
Result<ExprPtr> Parser::ParseGetFormat() {
  auto node = std::make_unique<FunctionCall>();
  node->name = "get_format";
  const uint32_t begin = Begin();
  Next();
  RETURN_IF_ERROR(Expect(Op::kLeftParen));
  auto type = std::make_unique<Literal>();
  type->type = LiteralKind::kString;
  type->text = At(Kw::kTimestamp) ? "DATETIME" : UpperText(Cur());
  type->span = {Cur().begin, Cur().end};
  if (!AcceptAny({Kw::kDate, Kw::kTime, Kw::kDatetime, Kw::kTimestamp})) {
    return Error();
  }
  node->args.push_back(std::move(type));
  RETURN_IF_ERROR(Expect(Op::kComma));
  ASSIGN_OR_RETURN(ExprPtr region, ParseExpr());
  node->args.push_back(std::move(region));
  RETURN_IF_ERROR(Expect(Op::kRightParen));
  node->span = SpanFrom(begin);
  return ExprPtr(std::move(node));
}

Result<ExprPtr> Parser::ParseCharFunction() {
  auto node = std::make_unique<FunctionCall>();
  node->name = "char";
  const uint32_t begin = Begin();
  Next();
  RETURN_IF_ERROR(Expect(Op::kLeftParen));
  RETURN_IF_ERROR(ParseExprList(&node->args));
  if (Accept(Kw::kUsing)) {
    ASSIGN_OR_RETURN(node->charset, CharsetName());
  }
  RETURN_IF_ERROR(Expect(Op::kRightParen));
  node->span = SpanFrom(begin);
  return ExprPtr(std::move(node));
}

Result<ExprPtr> Parser::ParseWeightString() {
  auto node = std::make_unique<FunctionCall>();
  node->name = "weight_string";
  const uint32_t begin = Begin();
  Next();
  RETURN_IF_ERROR(Expect(Op::kLeftParen));
  ASSIGN_OR_RETURN(ExprPtr text, ParseExpr());
  node->args.push_back(std::move(text));
  if (Accept(Kw::kAs)) {
    TypeName type;
    RETURN_IF_ERROR(ParseCastType(&type));
    node->type = std::move(type);
  }
  RETURN_IF_ERROR(Expect(Op::kRightParen));
  node->span = SpanFrom(begin);
  return ExprPtr(std::move(node));
}

Result<ExprPtr> Parser::ParseJsonValue() {
  auto node = std::make_unique<JsonValue>();
  const uint32_t begin = Begin();
  Next();
  RETURN_IF_ERROR(Expect(Op::kLeftParen));
  ASSIGN_OR_RETURN(node->document, ParseExpr());
  RETURN_IF_ERROR(Expect(Op::kComma));
  if (!At(TokenKind::kString)) {
    return Error();
  }
  ASSIGN_OR_RETURN(node->path, ParseStringLiteral());
  if (Accept(Kw::kReturning)) {
    TypeName type;
    RETURN_IF_ERROR(ParseCastType(&type));
    node->returning = std::move(type);
  }
  RETURN_IF_ERROR(ParseJsonOn(&node->on_empty, &node->on_error));
  RETURN_IF_ERROR(Expect(Op::kRightParen));
  node->span = SpanFrom(begin);
  return ExprPtr(std::move(node));
}

// [NULL | ERROR | DEFAULT value ON EMPTY] [… ON ERROR]
Status Parser::ParseJsonOn(JsonOn* on_empty, JsonOn* on_error) {
  bool seen_error = false;
  while (At(Kw::kNull) || At(Kw::kError) || At(Kw::kDefault)) {
    JsonOn on;
    if (Accept(Kw::kNull)) {
      on.kind = JsonOnKind::kNull;
    } else if (Accept(Kw::kError)) {
      on.kind = JsonOnKind::kError;
    } else {
      Next();
      on.kind = JsonOnKind::kDefault;
      ASSIGN_OR_RETURN(on.value, ParseSimple());
    }
    RETURN_IF_ERROR(Expect(Kw::kOn));
    if (At(Kw::kEmpty) && !seen_error && on_empty->kind == JsonOnKind::kUnspecified) {
      *on_empty = std::move(on);
    } else if (At(Kw::kError) && !seen_error) {
      *on_error = std::move(on);
      seen_error = true;
    } else {
      return Error();
    }
    Next();
  }
  return Status::Ok();
}

Result<IntervalUnit> Parser::ParseIntervalUnit() {
  IntervalUnit unit{};
  if (Cur().kind != TokenKind::kIdent || !row::ParseIntervalUnit(TextOf(Cur()), &unit)) {
    return Error();
  }
  Next();
  return unit;
}

// The number of rows of NTILE, LEAD and LAG is written as a number, `?`, @variable or a program's
// variable.
Status Parser::CheckRowCount(const Expr& count) const {
  const auto* literal = count.TryAs<Literal>();
  if (program_ || count.Is<Parameter>() || count.Is<UserVariable>() ||
      (literal != nullptr && literal->type == LiteralKind::kInteger)) {
    return Status::Ok();
  }
  const auto* column = count.TryAs<ColumnRef>();
  if (column != nullptr && column->table.empty()) {
    return UserError(ER_SP_UNDECLARED_VAR, column->column);
  }
  const auto at = std::ranges::find(tokens_, count.span.begin, &Token::begin);
  return ErrorAt(at != tokens_.end() ? *at : Cur());
}

Result<ExprPtr> Parser::ParseWindowFunction(WindowFn fn) {
  auto node = std::make_unique<WindowFunction>();
  node->fn = fn;
  const uint32_t begin = Begin();
  Next();
  RETURN_IF_ERROR(ParseParenExprList(&node->args));
  size_t least = 1;
  size_t most = 1;
  switch (fn) {
    case WindowFn::kRowNumber:
    case WindowFn::kRank:
    case WindowFn::kDenseRank:
    case WindowFn::kPercentRank:
    case WindowFn::kCumeDist:
      least = most = 0;
      break;
    case WindowFn::kLead:
    case WindowFn::kLag:
      most = 3;
      break;
    case WindowFn::kNthValue:
      least = most = 2;
      break;
    default:
      break;
  }
  if (node->args.size() < least || node->args.size() > most) {
    return Error();
  }
  const bool shifts = fn == WindowFn::kLead || fn == WindowFn::kLag;
  if (fn == WindowFn::kNtile || (shifts && node->args.size() > 1)) {
    RETURN_IF_ERROR(CheckRowCount(*node->args[shifts ? 1 : 0]));
  }
  if (fn == WindowFn::kNthValue && Accept(Kw::kFrom)) {
    if (!Accept(Kw::kFirst)) {
      RETURN_IF_ERROR(Expect(Kw::kLast));
      node->from_last = true;
    }
  }
  if (most > 0 && fn != WindowFn::kNtile && Accept(Kw::kIgnore)) {
    RETURN_IF_ERROR(Expect(Kw::kNulls));
    node->ignore_nulls = true;
  } else if (most > 0 && fn != WindowFn::kNtile && Accept(Kw::kRespect)) {
    RETURN_IF_ERROR(Expect(Kw::kNulls));
  }
  if (!At(Kw::kOver)) {
    return Error();
  }
  RETURN_IF_ERROR(ParseOver(&node->over));
  node->span = SpanFrom(begin);
  return ExprPtr(std::move(node));
}

Status Parser::ParseOver(std::unique_ptr<WindowSpec>* over) {
  if (!Accept(Kw::kOver)) {
    return Status::Ok();
  }
  auto spec = std::make_unique<WindowSpec>();
  if (At(Op::kLeftParen)) {
    RETURN_IF_ERROR(ParseWindowSpec(spec.get()));
  } else {
    spec->only_name = true;
    ASSIGN_OR_RETURN(spec->base, Ident());
  }
  *over = std::move(spec);
  return Status::Ok();
}

Status Parser::ParseWindowSpec(WindowSpec* spec) {
  RETURN_IF_ERROR(Expect(Op::kLeftParen));
  if (AtIdent()) {
    ASSIGN_OR_RETURN(spec->base, Ident());
  }
  if (Accept(Kw::kPartition)) {
    RETURN_IF_ERROR(Expect(Kw::kBy));
    RETURN_IF_ERROR(ParseExprList(&spec->partition_by));
  }
  if (Accept(Kw::kOrder)) {
    RETURN_IF_ERROR(Expect(Kw::kBy));
    RETURN_IF_ERROR(ParseOrderList(&spec->order_by));
  }
  if (At(Kw::kRows) || At(Kw::kRange) || At(Kw::kGroups)) {
    if (At(Kw::kGroups)) {
      return Error();
    }
    WindowFrame frame;
    RETURN_IF_ERROR(ParseFrame(&frame));
    spec->frame = std::move(frame);
  }
  return Expect(Op::kRightParen);
}

Status Parser::ParseFrame(WindowFrame* frame) {
  frame->unit = At(Kw::kRows) ? FrameUnit::kRows : FrameUnit::kRange;
  Next();
  if (!Accept(Kw::kBetween)) {
    return ParseFrameBound(&frame->start);
  }
  RETURN_IF_ERROR(ParseFrameBound(&frame->start));
  RETURN_IF_ERROR(Expect(Kw::kAnd));
  return ParseFrameBound(&frame->end);
}

Status Parser::ParseFrameBound(FrameBound* bound) {
  if (Accept(Kw::kCurrent)) {
    bound->kind = FrameBoundKind::kCurrentRow;
    return Expect(Kw::kRow);
  }
  if (Accept(Kw::kUnbounded)) {
    bound->kind = FrameBoundKind::kUnboundedPreceding;
    if (Accept(Kw::kFollowing)) {
      bound->kind = FrameBoundKind::kUnboundedFollowing;
      return Status::Ok();
    }
    return Expect(Kw::kPreceding);
  }
  if (Accept(Kw::kInterval)) {
    ASSIGN_OR_RETURN(bound->offset, ParseExpr());
    ASSIGN_OR_RETURN(bound->unit, ParseIntervalUnit());
  } else {
    if (!At(TokenKind::kInteger) && !At(TokenKind::kDecimal) && !At(TokenKind::kFloat) &&
        !At(TokenKind::kParameter)) {
      return Error();
    }
    ASSIGN_OR_RETURN(bound->offset, ParsePrimary());
  }
  bound->kind = FrameBoundKind::kPreceding;
  if (Accept(Kw::kFollowing)) {
    bound->kind = FrameBoundKind::kFollowing;
    return Status::Ok();
  }
  return Expect(Kw::kPreceding);
}

}  // namespace borealis::sql
