// The rows of VALUES (sql/ast/value_rows.h). A literal, DEFAULT or `?` between a parenthesis or
// comma and the next becomes a cell without passing the rules of expressions; everything else is
// one.
#include <charconv>

#include "row/convert.h"
#include "sql/parser/parser_internal.h"

namespace borealis::sql {

Status Parser::ParseValueRow(ValueRows* rows) {
  RETURN_IF_ERROR(Expect(Op::kLeftParen));
  if (!At(Op::kRightParen)) {
    do {
      RETURN_IF_ERROR(ParseRowValue(rows));
    } while (Accept(Op::kComma));
  }
  rows->EndRow();
  return Expect(Op::kRightParen);
}

Status Parser::ParseRowValue(ValueRows* rows) {
  const bool negative = At(Op::kMinus);
  const size_t size = negative ? 2 : 1;
  const Token& after = Ahead(size);
  if ((Is(after, Op::kComma) || Is(after, Op::kRightParen)) &&
      (negative ? AddNegative(Ahead(1), rows) : AddPlain(Cur(), rows))) {
    for (size_t i = 0; i < size; ++i) {
      Next();
    }
    return Status::Ok();
  }
  ASSIGN_OR_RETURN(ExprPtr value, ParseValueOrDefault());
  rows->AddExpression(std::move(value));
  return Status::Ok();
}

bool Parser::AddPlain(const Token& token, ValueRows* rows) {
  using Kind = ValueCell::Kind;
  const std::string_view text = TextOf(token);
  switch (token.kind) {
    case TokenKind::kInteger:
      if (uint64_t number = 0; ReadInteger(text, &number)) {
        rows->Add(Kind::kUnsigned, number);
        return true;
      }
      [[fallthrough]];
    case TokenKind::kDecimal:
      if (row::Decimal number; row::Decimal::Parse(text, &number) == row::DecimalStatus::kOk) {
        rows->AddDecimal(number);
        return true;
      }
      return false;
    case TokenKind::kFloat:
      if (double number = 0; ReadFloat(text, &number)) {
        rows->Add(Kind::kFloat, std::bit_cast<uint64_t>(number));
        return true;
      }
      return false;
    case TokenKind::kString:
      rows->AddString(
          [&](std::string* texts) { AppendStringValue(text_, token, StringEscapes(), texts); });
      return true;
    case TokenKind::kParameter:
      if (!options_.allow_parameters) {
        return false;
      }
      rows->Add(Kind::kParameter, parameters_.size());
      parameters_.push_back(token.begin);
      return true;
    case TokenKind::kIdent:
      if (token.keyword == Kw::kNull || token.keyword == Kw::kDefault) {
        rows->Add(token.keyword == Kw::kNull ? Kind::kNull : Kind::kDefault);
        return true;
      }
      return false;
    default:
      return false;
  }
}

// `token` follows a minus.
bool Parser::AddNegative(const Token& token, ValueRows* rows) {
  constexpr auto kLeast = uint64_t{1} << 63;
  const std::string_view text = TextOf(token);
  if (token.kind == TokenKind::kInteger) {
    uint64_t number = 0;
    if (!ReadInteger(text, &number) || number > kLeast) {
      return false;
    }
    rows->Add(ValueCell::Kind::kNegative, ~number + 1);
    return true;
  }
  if (token.kind == TokenKind::kDecimal) {
    row::Decimal number;
    if (row::Decimal::Parse(text, &number) != row::DecimalStatus::kOk) {
      return false;
    }
    rows->AddDecimal(number.Negated());
    return true;
  }
  if (token.kind == TokenKind::kFloat) {
    double number = 0;
    if (!ReadFloat(text, &number)) {
      return false;
    }
    rows->Add(ValueCell::Kind::kFloat, std::bit_cast<uint64_t>(-number));
    return true;
  }
  return false;
}

// False: it has more than 64 bits.
bool Parser::ReadInteger(std::string_view text, uint64_t* number) {
  return std::from_chars(text.data(), text.data() + text.size(), *number).ec == std::errc();
}

// False: it is beyond a double's range.
bool Parser::ReadFloat(std::string_view text, double* number) {
  size_t consumed = 0;
  bool overflow = false;
  *number = row::DoubleOfText(text, &consumed, &overflow);
  return !overflow;
}

}  // namespace borealis::sql
