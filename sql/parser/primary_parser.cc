// Operands: literals, names, variables, parentheses, and the constructs that begin with a keyword.
#include <charconv>

#include "base/mysql_error.h"
#include "row/collation.h"
#include "sql/parser/parser_internal.h"

namespace borealis::sql {

Result<ExprPtr> Parser::ParsePrimary() {
  switch (Cur().kind) {
    case TokenKind::kString:
    case TokenKind::kNationalString:
    case TokenKind::kHex:
    case TokenKind::kBit:
    case TokenKind::kInteger:
    case TokenKind::kDecimal:
    case TokenKind::kFloat:
      return ParseLiteral();
    case TokenKind::kIntroducer: {
      const TokenKind next = Ahead(1).kind;
      if (next == TokenKind::kString || next == TokenKind::kHex || next == TokenKind::kBit) {
        return ParseLiteral();
      }
      return ParseWordPrimary();
    }
    case TokenKind::kParameter: {
      if (!options_.allow_parameters) {
        return Error();
      }
      auto node = std::make_unique<Parameter>();
      node->index = static_cast<uint32_t>(parameters_.size());
      node->span = {Cur().begin, Cur().end};
      parameters_.push_back(Cur().begin);
      Next();
      return ExprPtr(std::move(node));
    }
    case TokenKind::kUserVariable:
      return ParseUserVariable();
    case TokenKind::kSystemVariableMark:
      return ParseSystemVariable();
    case TokenKind::kOperator:
      if (At(Op::kLeftParen)) {
        return ParseParenthesised();
      }
      if (At(Op::kLeftBrace)) {
        return ParseOdbcEscape();
      }
      if (At(Op::kDot)) {
        return ParseColumnRef();
      }
      return Error();
    case TokenKind::kQuotedIdent:
      return ParseColumnRef();
    case TokenKind::kIdent:
      return IsReserved(Cur().keyword) ? ParseKeywordPrimary() : ParseWordPrimary();
    default:
      return Error();
  }
}

// At a reserved word.
Result<ExprPtr> Parser::ParseKeywordPrimary() {
  switch (Cur().keyword) {
    case Kw::kNull:
      return KeywordLiteral(LiteralKind::kNull, 0);
    case Kw::kTrue:
      return KeywordLiteral(LiteralKind::kBoolean, 1);
    case Kw::kFalse:
      return KeywordLiteral(LiteralKind::kBoolean, 0);
    case Kw::kCase:
      return ParseCase();
    case Kw::kConvert:
      return ParseConvert();
    case Kw::kExists:
      return ParseExists();
    case Kw::kMatch:
      return ParseMatch();
    case Kw::kDefault:
      return ParseDefaultFunction();
    case Kw::kValues:
      return ParseValuesFunction();
    case Kw::kRow:
      return ParseRowConstructor();
    case Kw::kInterval:
      return ParseIntervalPrimary();
    default:
      break;
  }
  bool handled = false;
  ASSIGN_OR_RETURN(ExprPtr call, ParseSpecialCall(&handled));
  if (handled) {
    return call;
  }
  return Error();
}

// At a word that may be an identifier.
Result<ExprPtr> Parser::ParseWordPrimary() {
  if (Ahead(1).kind == TokenKind::kString) {
    switch (Cur().keyword) {
      case Kw::kDate:
        return ParseTemporalLiteral(LiteralKind::kDate);
      case Kw::kTime:
        return ParseTemporalLiteral(LiteralKind::kTime);
      case Kw::kTimestamp:
        return ParseTemporalLiteral(LiteralKind::kTimestamp);
      default:
        break;
    }
  }
  if (!AtCall()) {
    return ParseColumnRef();
  }
  bool handled = false;
  ASSIGN_OR_RETURN(ExprPtr call, ParseSpecialCall(&handled));
  if (handled) {
    return call;
  }
  const uint32_t begin = Begin();
  std::string name(TextOf(Cur()));
  const bool keyword = Cur().keyword != Kw::kNotKeyword;
  Next();
  ASSIGN_OR_RETURN(call, keyword ? ParseCall(std::move(name)) : ParseNamedCall(std::move(name)));
  call->span.begin = begin;
  return call;
}

Result<ExprPtr> Parser::KeywordLiteral(LiteralKind kind, uint64_t value) {
  auto node = std::make_unique<Literal>();
  node->type = kind;
  node->integer = value;
  node->span = {Cur().begin, Cur().end};
  Next();
  return ExprPtr(std::move(node));
}

Result<ExprPtr> Parser::ParseLiteral() {
  switch (Cur().kind) {
    case TokenKind::kInteger:
    case TokenKind::kDecimal:
    case TokenKind::kFloat:
      return ParseNumberLiteral();
    case TokenKind::kHex:
    case TokenKind::kBit:
      break;
    case TokenKind::kIntroducer:
      if (Ahead(1).kind != TokenKind::kHex && Ahead(1).kind != TokenKind::kBit) {
        return ParseStringLiteral();
      }
      break;
    default:
      return ParseStringLiteral();
  }
  auto node = std::make_unique<Literal>();
  const uint32_t begin = Begin();
  if (At(TokenKind::kIntroducer)) {
    node->charset = UpperText(Cur()).substr(1);
    for (char& c : node->charset) {
      c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    }
    Next();
  }
  const bool hex = At(TokenKind::kHex);
  node->type = hex ? LiteralKind::kHex : LiteralKind::kBit;
  node->text = hex ? HexValue(text_, Cur()) : BitValue(text_, Cur());
  Next();
  node->span = SpanFrom(begin);
  return ExprPtr(std::move(node));
}

Result<ExprPtr> Parser::ParseNumberLiteral() {
  auto node = std::make_unique<Literal>();
  node->span = {Cur().begin, Cur().end};
  const std::string_view digits = TextOf(Cur());
  node->text = std::string(digits);
  if (At(TokenKind::kFloat)) {
    node->type = LiteralKind::kFloat;
  } else if (At(TokenKind::kInteger) &&
             std::from_chars(digits.data(), digits.data() + digits.size(), node->integer).ec ==
                 std::errc()) {
    node->type = LiteralKind::kInteger;
  } else {
    node->type = LiteralKind::kDecimal;
    node->integer = 0;
  }
  Next();
  return ExprPtr(std::move(node));
}

namespace {

// The text that the client's bytes are in the introduced character set; `text` is the same bytes
// read in the client's.
std::string IntroducedText(std::string_view introduced, std::string text, row::CharsetId client) {
  const row::Charset* charset = row::FindCharset(introduced);
  if (charset == nullptr || charset->id == client || row::IsAscii(text)) {
    return text;
  }
  if (client == row::CharsetId::kLatin1) {
    text = row::GetCharset(client).Encode(text);
  }
  return charset->Decode(text);
}

}  // namespace

// [introducer] 'a' 'b' …
Result<ExprPtr> Parser::ParseStringLiteral() {
  auto node = std::make_unique<Literal>();
  node->type = LiteralKind::kString;
  const uint32_t begin = Begin();
  const bool introduced = At(TokenKind::kIntroducer) || At(TokenKind::kNationalString);
  if (At(TokenKind::kIntroducer)) {
    node->charset = UpperText(Cur()).substr(1);
    for (char& c : node->charset) {
      c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    }
    WarnOfCharset(node->charset);
    Next();
  } else if (At(TokenKind::kNationalString)) {
    WarnOfNational();
    node->charset = "utf8mb3";
  }
  node->text = StringValue(text_, Cur(), StringEscapes());
  node->first_part = node->text.size();
  Next();
  while (At(TokenKind::kString)) {
    node->text += StringValue(text_, Cur(), StringEscapes());
    Next();
  }
  if (introduced && client_charset_.has_value()) {
    const std::string first = node->text.substr(0, node->first_part);
    node->first_part = IntroducedText(node->charset, first, *client_charset_).size();
    node->text = IntroducedText(node->charset, std::move(node->text), *client_charset_);
  }
  node->span = SpanFrom(begin);
  return ExprPtr(std::move(node));
}

Result<ExprPtr> Parser::ParseTemporalLiteral(LiteralKind kind) {
  auto node = std::make_unique<Literal>();
  const uint32_t begin = Begin();
  Next();
  node->type = kind;
  ASSIGN_OR_RETURN(node->text, StringText());
  node->span = SpanFrom(begin);
  return ExprPtr(std::move(node));
}

// {d '2020-01-01'}, {t '…'}, {ts '…'}, {fn expr}: ODBC's escapes. Any other word is ignored, as in
// MySQL.
Result<ExprPtr> Parser::ParseOdbcEscape() {
  Next();
  const std::string word = UpperText(Cur());
  const bool literal = Ahead(1).kind == TokenKind::kString;
  ASSIGN_OR_RETURN(ExprPtr expr, [&]() -> Result<ExprPtr> {
    if (literal && word == "D") {
      return ParseTemporalLiteral(LiteralKind::kDate);
    }
    if (literal && word == "T") {
      return ParseTemporalLiteral(LiteralKind::kTime);
    }
    if (literal && word == "TS") {
      return ParseTemporalLiteral(LiteralKind::kTimestamp);
    }
    RETURN_IF_ERROR(Ident().status());
    return ParseExpr();
  }());
  RETURN_IF_ERROR(Expect(Op::kRightBrace));
  return expr;
}

// (expr), (a, b), (query)
Result<ExprPtr> Parser::ParseParenthesised() {
  const uint32_t begin = Begin();
  if (ParenHoldsQuery(pos_)) {
    auto node = std::make_unique<Subquery>();
    ASSIGN_OR_RETURN(node->query, ParseSubquery());
    node->span = SpanFrom(begin);
    return ExprPtr(std::move(node));
  }
  Next();
  ASSIGN_OR_RETURN(ExprPtr first, ParseExpr());
  if (!At(Op::kComma)) {
    RETURN_IF_ERROR(Expect(Op::kRightParen));
    first->span = SpanFrom(begin);
    return first;
  }
  Next();
  auto row = std::make_unique<Row>();
  row->items.push_back(std::move(first));
  RETURN_IF_ERROR(ParseExprList(&row->items));
  RETURN_IF_ERROR(Expect(Op::kRightParen));
  row->span = SpanFrom(begin);
  return ExprPtr(std::move(row));
}

Result<ExprPtr> Parser::ParseRowConstructor() {
  const uint32_t begin = Begin();
  Next();
  auto row = std::make_unique<Row>();
  RETURN_IF_ERROR(Expect(Op::kLeftParen));
  RETURN_IF_ERROR(ParseExprList(&row->items));
  if (row->items.size() < 2) {
    return Error();
  }
  RETURN_IF_ERROR(Expect(Op::kRightParen));
  row->span = SpanFrom(begin);
  return ExprPtr(std::move(row));
}

Result<ExprPtr> Parser::ParseUserVariable() {
  const uint32_t begin = Begin();
  std::string name = UserVariableName(text_, Cur(), StringEscapes());
  Next();
  if (Accept(Op::kAssign)) {
    auto node = std::make_unique<VariableAssignment>();
    node->name = std::move(name);
    ASSIGN_OR_RETURN(node->value, ParseExpr());
    node->span = SpanFrom(begin);
    WarnOfVariableAssignment();
    return ExprPtr(std::move(node));
  }
  auto node = std::make_unique<UserVariable>();
  node->name = std::move(name);
  node->span = SpanFrom(begin);
  return ExprPtr(std::move(node));
}

// @@[scope.][component.]name
Result<ExprPtr> Parser::ParseSystemVariable() {
  const uint32_t begin = Begin();
  Next();
  auto node = std::make_unique<SystemVariable>();
  if (Is(Ahead(1), Op::kDot)) {
    if (At(Kw::kGlobal)) {
      node->scope = VariableScope::kGlobal;
    } else if (At(Kw::kSession) || At(Kw::kLocal)) {
      node->scope = VariableScope::kSession;
    } else if (At(Kw::kPersist)) {
      node->scope = VariableScope::kPersist;
    } else if (At(Kw::kPersistOnly)) {
      node->scope = VariableScope::kPersistOnly;
    }
    if (node->scope != VariableScope::kDefault) {
      Next();
      Next();
    }
  }
  ASSIGN_OR_RETURN(node->name, DottedIdent());
  if (Accept(Op::kDot)) {
    ASSIGN_OR_RETURN(std::string part, DottedIdent());
    node->name += "." + part;
  }
  node->span = SpanFrom(begin);
  return ExprPtr(std::move(node));
}

Result<std::unique_ptr<ColumnRef>> Parser::ParseSimpleColumn() {
  auto node = std::make_unique<ColumnRef>();
  const uint32_t begin = Begin();
  const bool leading_dot = Accept(Op::kDot);  // .t.c: ODBC's spelling of the current schema
  if (leading_dot) {
    ASSIGN_OR_RETURN(node->column, DottedIdent());
  } else {
    ASSIGN_OR_RETURN(node->column, Ident());
  }
  for (int parts = leading_dot ? 2 : 1; parts < 3 && At(Op::kDot); ++parts) {
    Next();
    node->schema = std::move(node->table);
    node->table = std::move(node->column);
    ASSIGN_OR_RETURN(node->column, DottedIdent());
  }
  node->span = SpanFrom(begin);
  return node;
}

// A column, or schema.function(…), with JSON arrows.
Result<ExprPtr> Parser::ParseColumnRef() {
  const uint32_t begin = Begin();
  if (At(TokenKind::kQuotedIdent) && AtCall()) {
    std::string name = IdentifierValue(text_, Cur());
    Next();
    ASSIGN_OR_RETURN(ExprPtr call, ParseNamedCall(std::move(name)));
    call->span.begin = begin;
    return call;
  }
  ASSIGN_OR_RETURN(std::unique_ptr<ColumnRef> column, ParseSimpleColumn());
  if (At(Op::kLeftParen) && !column->table.empty() && column->schema.empty()) {
    ASSIGN_OR_RETURN(ExprPtr call, ParseNamedCall(std::move(column->column)));
    call->As<FunctionCall>().schema = std::move(column->table);
    call->span = SpanFrom(begin);
    return call;
  }
  if (program_) {
    ASSIGN_OR_RETURN(ExprPtr value, ResolveInProgram(*column));
    if (value) {
      return ParseJsonArrows(std::move(value));
    }
  }
  return ParseJsonArrows(std::move(column));
}

Result<ExprPtr> Parser::ParseJsonArrows(ExprPtr column) {
  if (!At(Op::kArrow) && !At(Op::kArrowUnquote)) {
    return column;
  }
  const BinaryOp op = At(Op::kArrow) ? BinaryOp::kJsonExtract : BinaryOp::kJsonUnquote;
  Next();
  if (!At(TokenKind::kString)) {
    return Error();
  }
  ASSIGN_OR_RETURN(ExprPtr path, ParseStringLiteral());
  return MakeBinary(op, std::move(column), std::move(path));
}

Result<ExprPtr> Parser::ParseCase() {
  auto node = std::make_unique<CaseExpr>();
  const uint32_t begin = Begin();
  Next();
  if (!At(Kw::kWhen)) {
    ASSIGN_OR_RETURN(node->operand, ParseExpr());
  }
  if (!At(Kw::kWhen)) {
    return Error();
  }
  while (Accept(Kw::kWhen)) {
    CaseExpr::When when;
    ASSIGN_OR_RETURN(when.condition, ParseExpr());
    RETURN_IF_ERROR(Expect(Kw::kThen));
    ASSIGN_OR_RETURN(when.result, ParseExpr());
    node->whens.push_back(std::move(when));
  }
  if (Accept(Kw::kElse)) {
    ASSIGN_OR_RETURN(node->otherwise, ParseExpr());
  }
  RETURN_IF_ERROR(Expect(Kw::kEnd));
  node->span = SpanFrom(begin);
  return ExprPtr(std::move(node));
}

// CAST(expr [AT TIME ZONE [INTERVAL] 'zone'] AS type [ARRAY])
Result<ExprPtr> Parser::ParseCast() {
  auto node = std::make_unique<Cast>();
  const uint32_t begin = Begin();
  Next();
  RETURN_IF_ERROR(Expect(Op::kLeftParen));
  ASSIGN_OR_RETURN(node->operand, ParseExpr());
  if (Accept(Kw::kAt)) {
    RETURN_IF_ERROR(Expect(Kw::kTime, Kw::kZone));
    Accept(Kw::kInterval);
    ASSIGN_OR_RETURN(node->time_zone, StringText());
  }
  RETURN_IF_ERROR(Expect(Kw::kAs));
  RETURN_IF_ERROR(ParseCastType(&node->type));
  node->array = Accept(Kw::kArray);
  RETURN_IF_ERROR(Expect(Op::kRightParen));
  node->span = SpanFrom(begin);
  return ExprPtr(std::move(node));
}

// CONVERT(expr, type), CONVERT(expr USING charset)
Result<ExprPtr> Parser::ParseConvert() {
  const uint32_t begin = Begin();
  Next();
  RETURN_IF_ERROR(Expect(Op::kLeftParen));
  ASSIGN_OR_RETURN(ExprPtr operand, ParseExpr());
  ExprPtr result;
  if (Accept(Kw::kUsing)) {
    auto node = std::make_unique<ConvertUsing>();
    node->operand = std::move(operand);
    ASSIGN_OR_RETURN(node->charset, CharsetName());
    result = std::move(node);
  } else {
    RETURN_IF_ERROR(Expect(Op::kComma));
    auto node = std::make_unique<Cast>();
    node->operand = std::move(operand);
    RETURN_IF_ERROR(ParseCastType(&node->type));
    result = std::move(node);
  }
  RETURN_IF_ERROR(Expect(Op::kRightParen));
  result->span = SpanFrom(begin);
  return result;
}

Result<ExprPtr> Parser::ParseExists() {
  auto node = std::make_unique<Exists>();
  const uint32_t begin = Begin();
  Next();
  ASSIGN_OR_RETURN(node->query, ParseSubquery());
  node->span = SpanFrom(begin);
  return ExprPtr(std::move(node));
}

// MATCH (a, b) AGAINST (expr [mode]); the parentheses around the columns may be left out.
Result<ExprPtr> Parser::ParseMatch() {
  auto node = std::make_unique<MatchAgainst>();
  const uint32_t begin = Begin();
  Next();
  const bool parenthesised = Accept(Op::kLeftParen);
  do {
    ASSIGN_OR_RETURN(std::unique_ptr<ColumnRef> column, ParseSimpleColumn());
    node->columns.push_back(std::move(column));
  } while (Accept(Op::kComma));
  if (parenthesised) {
    RETURN_IF_ERROR(Expect(Op::kRightParen));
  }
  RETURN_IF_ERROR(Expect(Kw::kAgainst));
  RETURN_IF_ERROR(Expect(Op::kLeftParen));
  ASSIGN_OR_RETURN(node->against, ParseBits(1));
  if (Accept(Kw::kIn)) {
    if (Accept(Kw::kBoolean)) {
      node->mode = MatchMode::kBoolean;
    } else {
      RETURN_IF_ERROR(Expect(Kw::kNatural, Kw::kLanguage));
      node->mode = MatchMode::kNaturalLanguage;
    }
    RETURN_IF_ERROR(Expect(Kw::kMode));
  }
  if (node->mode != MatchMode::kBoolean && Accept(Kw::kWith)) {
    RETURN_IF_ERROR(Expect(Kw::kQuery, Kw::kExpansion));
    node->mode = node->mode == MatchMode::kDefault ? MatchMode::kExpansion
                                                   : MatchMode::kNaturalLanguageWithExpansion;
  }
  RETURN_IF_ERROR(Expect(Op::kRightParen));
  node->span = SpanFrom(begin);
  return ExprPtr(std::move(node));
}

template <class Node>
Result<ExprPtr> Parser::ParseOfColumn() {
  auto node = std::make_unique<Node>();
  const uint32_t begin = Begin();
  Next();
  RETURN_IF_ERROR(Expect(Op::kLeftParen));
  ASSIGN_OR_RETURN(node->column, ParseSimpleColumn());
  RETURN_IF_ERROR(Expect(Op::kRightParen));
  node->span = SpanFrom(begin);
  return ExprPtr(std::move(node));
}

// A variable of a stored program has no default that could be asked for.
Result<ExprPtr> Parser::ParseDefaultFunction() {
  ASSIGN_OR_RETURN(ExprPtr value, ParseOfColumn<DefaultExpr>());
  const auto& column = value->As<DefaultExpr>().column->As<ColumnRef>();
  if (program_ && column.table.empty() && program_->FindVariable(column.column)) {
    return UserError(ER_WRONG_COLUMN_NAME, column.column);
  }
  return value;
}

Result<ExprPtr> Parser::ParseValuesFunction() {
  if (in_on_duplicate_) {
    WarnOfSyntax("VALUES function",
                 "an alias (INSERT INTO ... VALUES (...) AS alias) and replace VALUES(col) in the "
                 "ON DUPLICATE KEY UPDATE clause with alias.col");
  } else {
    Warn(UserError(ER_WARN_DEPRECATED_SYNTAX_NO_REPLACEMENT, "'VALUES function'"));
  }
  return ParseOfColumn<InsertValue>();
}

// INTERVAL(a, b, …), the function, or INTERVAL expr unit + expr.
Result<ExprPtr> Parser::ParseIntervalPrimary() {
  const uint32_t begin = Begin();
  if (AtCall() && HasTopLevelComma(pos_ + 1)) {
    return ParseKeywordCall("interval");
  }
  const NestingScope scope(this);
  if (!scope.ok()) {
    return TooDeep();
  }
  Next();
  auto node = std::make_unique<IntervalArithmetic>();
  ASSIGN_OR_RETURN(node->amount, ParseExpr());
  ASSIGN_OR_RETURN(node->unit, ParseIntervalUnit());
  RETURN_IF_ERROR(Expect(Op::kPlus));
  ASSIGN_OR_RETURN(node->operand, ParseBits(5));
  node->span = SpanFrom(begin);
  return ExprPtr(std::move(node));
}

}  // namespace borealis::sql
