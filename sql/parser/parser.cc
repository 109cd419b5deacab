// Entry points, errors, and the small rules every other file uses: names, numbers, accounts.
#include "sql/parser/parser.h"

#include <algorithm>
#include <charconv>

#include "base/mysql_error.h"
#include "row/collation.h"
#include "row/shown_bytes.h"
#include "sql/parser/client_statement.h"
#include "sql/parser/parser_internal.h"
#include "sql/parser/parser_mode.h"

namespace borealis::sql {

namespace {

bool IsSpace(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}

// The server drops white space and semicolons at the end of a command before it parses it.
std::string_view TrimEnd(std::string_view text) {
  while (!text.empty() && (text.back() == ';' || IsSpace(text.back()) || text.back() == '\0')) {
    text.remove_suffix(1);
  }
  return text;
}

// The first `count` characters, where a UTF-8 sequence is one.
std::string_view FirstCharacters(std::string_view text, size_t count) {
  size_t i = 0;
  while (i < text.size() && count > 0) {
    ++i;
    while (i < text.size() && (static_cast<unsigned char>(text[i]) & 0xC0) == 0x80) {
      ++i;
    }
    --count;
  }
  return text.substr(0, i);
}

// Error 1300 shows the first malformed bytes, as MySQL does.
Status CheckUtf8(std::string_view text) {
  if (row::IsAscii(text)) {
    return Status::Ok();
  }
  const size_t valid = row::ValidUtf8Prefix(text);
  return valid == text.size() ? Status::Ok()
                              : UserError(ER_INVALID_CHARACTER_STRING, "utf8mb4",
                                          row::HexOfBadBytes(text.substr(valid)));
}

std::string ToLower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  }
  return out;
}

}  // namespace

Result<ParsedStatement> Parse(std::string_view text, const ParserOptions& options) {
  if (text.size() >= UINT32_MAX) {
    return Status::InvalidArgument("statement text of 4 GiB or more");
  }
  return Parser(text, options).ParseOneStatement();
}

Result<ParsedStatement> ParseFromClient(std::string_view text, const ParserOptions& options,
                                        row::CharsetId client) {
  if (text.size() >= UINT32_MAX) {
    return Status::InvalidArgument("statement text of 4 GiB or more");
  }
  Parser parser(text, options);
  parser.set_client_charset(client);
  return parser.ParseOneStatement();
}

Result<ExprPtr> ParseExpression(std::string_view text, const ParserOptions& options) {
  if (text.size() >= UINT32_MAX) {
    return Status::InvalidArgument("expression text of 4 GiB or more");
  }
  return Parser(text, options).ParseWholeExpression();
}

ParserOptions ParserOptionsUnder(row::SqlMode mode) {
  ParserOptions options;
  options.ansi_quotes = (mode & row::kModeAnsiQuotes) != 0;
  options.pipes_as_concat = (mode & row::kModePipesAsConcat) != 0;
  options.no_backslash_escapes = (mode & row::kModeNoBackslashEscapes) != 0;
  options.ignore_space = (mode & row::kModeIgnoreSpace) != 0;
  options.high_not_precedence = (mode & row::kModeHighNotPrecedence) != 0;
  options.real_as_float = (mode & row::kModeRealAsFloat) != 0;
  return options;
}

Parser::Parser(std::string_view text, const ParserOptions& options)
    : text_(text), options_(options), lexer_(text_, options_) {
  while (start_ < text_.size() && IsSpace(text_[start_])) {
    ++start_;
  }
  tokens_.reserve(std::min<size_t>(text.size() / 4 + 8, 4096));
  lexer_.Run(start_, &tokens_);
}

// Names are UTF-8 (INV-ROW-1). Literals may be malformed: the binder warns of them.
Status Parser::CheckNames(size_t first_token) const {
  for (size_t i = first_token; i < tokens_.size(); ++i) {
    const Token& token = tokens_[i];
    if (token.kind == TokenKind::kIdent || token.kind == TokenKind::kQuotedIdent) {
      RETURN_IF_ERROR(CheckUtf8(TextOf(token)));
    }
  }
  return Status::Ok();
}

Result<ParsedStatement> Parser::ParseOneStatement() {
  ParsedStatement parsed;
  RETURN_IF_ERROR(CheckNames(0));
  if (!AtEnd()) {
    ASSIGN_OR_RETURN(parsed.statement, ParseStatement());
    if (!consume_all_ && !AtEnd()) {
      return Error();
    }
  }
  if (consume_all_) {
    parsed.end = TrimEnd(text_).size();
    parsed.consumed = text_.size();
  } else {
    parsed.end = last_end_;
    parsed.consumed = At(Op::kSemicolon) ? Cur().end : text_.size();
  }
  if (parsed.statement) {
    parsed.statement->span = {static_cast<uint32_t>(start_), static_cast<uint32_t>(parsed.end)};
  }
  parsed.parameter_count = static_cast<uint32_t>(parameters_.size());
  parsed.parameter_positions = std::move(parameters_);
  parsed.warnings = std::move(warnings_);
  return parsed;
}

Result<ExprPtr> Parser::ParseWholeExpression() {
  RETURN_IF_ERROR(CheckNames(0));
  ASSIGN_OR_RETURN(ExprPtr expr, ParseExpr());
  if (!At(TokenKind::kEnd)) {
    return Error();
  }
  return expr;
}

Status Parser::ErrorAt(const Token& token) const {
  const auto [near, line] = Place(token);
  return UserError(ER_PARSE_ERROR, near, line);
}

Status Parser::ErrorAt(const Token& token, const std::string& reason) const {
  const auto [near, line] = Place(token);
  return Status::User(ER_PARSE_ERROR,
                      reason + " near '" + near + "' at line " + std::to_string(line));
}

// What an error message says of where it is.
std::pair<std::string, ptrdiff_t> Parser::Place(const Token& token) const {
  const std::string_view trimmed = TrimEnd(text_);
  const size_t at = std::min<size_t>(token.begin, trimmed.size());
  const auto line = 1 + std::count(text_.begin() + static_cast<ptrdiff_t>(std::min(start_, at)),
                                   text_.begin() + static_cast<ptrdiff_t>(at), '\n');
  return {std::string(FirstCharacters(trimmed.substr(at), 80)), line};
}

Status Parser::TooDeep() const {
  return Status::User(
      ER_PARSE_ERROR,
      "Statement is nested too deeply (limits: " + std::to_string(options_.max_nesting) +
          " levels, " + std::to_string(options_.max_height) + " chained operations)");
}

Status Parser::GrowChain() {
  return ++height_ > options_.max_height ? TooDeep() : Status::Ok();
}

bool Parser::Accept(Kw first, Kw second) {
  if (!At(first, second)) {
    return false;
  }
  Next();
  Next();
  return true;
}

bool Parser::AcceptAny(std::initializer_list<Kw> keywords) {
  for (Kw keyword : keywords) {
    if (Accept(keyword)) {
      return true;
    }
  }
  return false;
}

Status Parser::Expect(Kw first, Kw second) {
  RETURN_IF_ERROR(Expect(first));
  return Expect(second);
}

bool Parser::AtWord(std::string_view upper) const {
  return Cur().kind == TokenKind::kIdent && Cur().keyword == Kw::kNotKeyword &&
         UpperText(Cur()) == upper;
}

std::string Parser::UpperText(const Token& token) const {
  std::string out(TextOf(token));
  for (char& c : out) {
    c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
  }
  return out;
}

bool Parser::IsIdent(const Token& token) const {
  return token.kind == TokenKind::kQuotedIdent || token.kind == TokenKind::kIntroducer ||
         (token.kind == TokenKind::kIdent && !IsReserved(token.keyword));
}

Result<std::string> Parser::Ident() {
  if (!AtIdent()) {
    return Error();
  }
  std::string name = IdentifierValue(text_, Cur());
  Next();
  return name;
}

Result<std::string> Parser::DottedIdent() {
  if (!AtIdent() && !At(TokenKind::kIdent)) {
    return Error();
  }
  std::string name = IdentifierValue(text_, Cur());
  Next();
  return name;
}

Result<std::string> Parser::IdentOrString() {
  return At(TokenKind::kString) ? StringText() : Ident();
}

Result<std::string> Parser::StringText() {
  if (!At(TokenKind::kString)) {
    return Error();
  }
  std::string value = StringValue(text_, Cur(), StringEscapes());
  RETURN_IF_ERROR(CheckUtf8(value));
  Next();
  return value;
}

Status Parser::IdentList(std::vector<std::string>* out) {
  RETURN_IF_ERROR(Expect(Op::kLeftParen));
  do {
    ASSIGN_OR_RETURN(std::string name, Ident());
    out->push_back(std::move(name));
  } while (Accept(Op::kComma));
  return Expect(Op::kRightParen);
}

Status Parser::TableName(QualifiedName* out) {
  const uint32_t begin = Begin();
  if (Accept(Op::kDot)) {  // .t: ODBC's spelling of the current schema
    ASSIGN_OR_RETURN(out->name, DottedIdent());
  } else {
    ASSIGN_OR_RETURN(out->name, Ident());
    if (Accept(Op::kDot)) {
      out->schema = std::move(out->name);
      ASSIGN_OR_RETURN(out->name, DottedIdent());
    }
  }
  if (out->name.empty()) {
    return UserError(ER_WRONG_TABLE_NAME, "");
  }
  out->span = SpanFrom(begin);
  return Status::Ok();
}

Status Parser::TableNameList(std::vector<QualifiedName>* out) {
  do {
    RETURN_IF_ERROR(TableName(&out->emplace_back()));
  } while (Accept(Op::kComma));
  return Status::Ok();
}

Result<uint64_t> Parser::UnsignedNumber() {
  uint64_t value = 0;
  if (At(TokenKind::kHex)) {
    for (char c : HexValue(text_, Cur())) {
      value = value << 8 | static_cast<unsigned char>(c);
    }
    Next();
    return value;
  }
  const std::string_view digits = TextOf(Cur());
  if (!At(TokenKind::kInteger) ||
      std::from_chars(digits.data(), digits.data() + digits.size(), value).ec != std::errc()) {
    return Error();
  }
  Next();
  return value;
}

Result<uint64_t> Parser::NumberWithSuffix() {
  const std::string_view word = TextOf(Cur());
  if (!At(TokenKind::kIdent) || word.empty() || word[0] < '0' || word[0] > '9') {
    return UnsignedNumber();
  }
  uint64_t value = 0;
  const auto parsed = std::from_chars(word.data(), word.data() + word.size(), value);
  const std::string_view suffix = word.substr(static_cast<size_t>(parsed.ptr - word.data()));
  int shift = 0;
  if (suffix == "k" || suffix == "K") {
    shift = 10;
  } else if (suffix == "m" || suffix == "M") {
    shift = 20;
  } else if (suffix == "g" || suffix == "G") {
    shift = 30;
  }
  if (parsed.ec != std::errc() || shift == 0 || value > (UINT64_MAX >> shift)) {
    return Error();
  }
  Next();
  return value << shift;
}

bool Parser::AcceptCharsetKeyword() {
  return Accept(Kw::kCharset) || Accept(Kw::kCharacter, Kw::kSet) || Accept(Kw::kChar, Kw::kSet);
}

Result<std::string> Parser::CharsetOrCollation() {
  if (Accept(Kw::kDefault)) {
    return std::string("default");
  }
  if (Accept(Kw::kBinary)) {
    return std::string("binary");
  }
  ASSIGN_OR_RETURN(std::string name, IdentOrString());
  return ToLower(name);
}

Result<std::string> Parser::CharsetName() {
  ASSIGN_OR_RETURN(std::string name, CharsetOrCollation());
  WarnOfCharset(name);
  return name;
}

Result<std::string> Parser::CollationName() {
  ASSIGN_OR_RETURN(std::string name, CharsetOrCollation());
  const row::Collation* collation = row::FindCollation(name);
  if (collation != nullptr && collation->charset().id == row::CharsetId::kUtf8mb3) {
    Warn(UserError(ER_WARN_DEPRECATED_UTF8MB3_COLLATION, collation->name()));
  }
  return name;
}

Status Parser::Account(AccountName* out) {
  if (Accept(Kw::kCurrentUser)) {
    out->current_user = true;
    if (Accept(Op::kLeftParen)) {
      return Expect(Op::kRightParen);
    }
    return Status::Ok();
  }
  if (At(TokenKind::kString) && TextOf(Cur()).size() == 2) {  // '' is the anonymous user
    Next();
  } else {
    ASSIGN_OR_RETURN(out->user, IdentOrString());
  }
  if (At(TokenKind::kUserVariable)) {
    out->host = ToLower(UserVariableName(text_, Cur(), StringEscapes()));
    Next();
  }
  return Status::Ok();
}

Status Parser::AccountList(std::vector<AccountName>* out) {
  do {
    RETURN_IF_ERROR(Account(&out->emplace_back()));
  } while (Accept(Op::kComma));
  return Status::Ok();
}

bool Parser::AcceptIfExists(Status* error) {
  if (!Accept(Kw::kIf)) {
    return false;
  }
  *error = Expect(Kw::kExists);
  return true;
}

bool Parser::AcceptIfNotExists(Status* error) {
  if (!Accept(Kw::kIf)) {
    return false;
  }
  *error = Expect(Kw::kNot, Kw::kExists);
  return true;
}

}  // namespace borealis::sql
