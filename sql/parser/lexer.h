// Splits MySQL statement text into tokens.
//
// The whole statement is lexed at once, up to its semicolon, because the grammar needs far
// lookahead in a few places ("is this parenthesis a query?"): each opening parenthesis knows its
// closing one. Tokens are offsets into the text; values are decoded when the parser asks. What
// cannot be lexed (an unterminated string, a stray byte) becomes a kError token, so that the error
// is raised at the place the parser reaches it, as MySQL does.
//
// Version comments (/*!80000 … */) up to ParserOptions::version are lexed as if the comment marks
// were blanks; newer ones are skipped with everything in them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "sql/parser/parser.h"

namespace borealis::sql {

enum class Keyword : uint16_t {
  kNotKeyword = 0,
#define KEYWORD(name, text, reserved) k##name,
#include "sql/parser/keywords.def"
#undef KEYWORD
};

// kNotKeyword when `word` (any case) is no keyword.
Keyword FindKeyword(std::string_view word);
bool IsReserved(Keyword keyword);
std::string_view KeywordText(Keyword keyword);
// True for the name of a character set MySQL 8.0 has ("utf8mb4", "latin1", …), in any case.
bool IsCharsetName(std::string_view name);

enum class TokenKind : uint8_t {
  kEnd,
  kError,
  kIdent,           // unquoted; `keyword` says which word it is, if any
  kQuotedIdent,     // `x`, or "x" under ANSI_QUOTES
  kString,          // 'x', or "x"
  kNationalString,  // N'x'
  kHex,             // x'4D', 0x4D
  kBit,             // b'01', 0b01
  kInteger,
  kDecimal,
  kFloat,
  kParameter,           // ?
  kUserVariable,        // @x, @'x', @`x`, @"x"; also the host part of user@host
  kSystemVariableMark,  // @@
  kIntroducer,          // _utf8mb4 before a string
  kHint,                // /*+ … */ after SELECT, INSERT, REPLACE, UPDATE or DELETE
  kOperator,
};

enum class Op : uint8_t {
  kNone,
  kLeftParen,
  kRightParen,
  kComma,
  kDot,
  kSemicolon,
  kPlus,
  kMinus,
  kStar,
  kSlash,
  kPercent,
  kAmpersand,
  kPipe,
  kCaret,
  kTilde,
  kBang,
  kEqual,
  kNullSafeEqual,
  kNotEqual,
  kLess,
  kLessEqual,
  kGreater,
  kGreaterEqual,
  kShiftLeft,
  kShiftRight,
  kAndAnd,
  kPipePipe,
  kAssign,        // :=
  kArrow,         // ->
  kArrowUnquote,  // ->>
  kColon,
  kLeftBrace,
  kRightBrace,
};

struct Token {
  TokenKind kind = TokenKind::kEnd;
  Op op = Op::kNone;
  Keyword keyword = Keyword::kNotKeyword;
  uint32_t begin = 0;
  uint32_t end = 0;
  uint32_t match = 0;  // of '(': index of the token that closes it, or of the last token
};

class Lexer {
 public:
  // `text` must outlive the lexer.
  Lexer(std::string_view text, const ParserOptions& options) : text_(text), options_(options) {}

  // Appends tokens from `offset` to the first semicolon (which is included) or the end of the text;
  // the last token is always kEnd or a semicolon followed by kEnd.
  void Run(size_t offset, std::vector<Token>* tokens);

  // What was passed over of version comments: the marks of those that are executed, and the others
  // with all that is in them. In order.
  const std::vector<Span>& version_marks() const { return version_marks_; }

 private:
  char At(size_t pos) const { return pos < text_.size() ? text_[pos] : '\0'; }
  // Moves over white space and comments. False: a comment is not closed.
  bool SkipBlanks();
  // C programs send the end of their strings along; MySQL takes one NUL there.
  bool IsFinalNul(size_t at) const;
  bool SkipComment();  // at "/*"
  void MarkVersion(size_t begin, size_t end) {
    version_marks_.push_back({static_cast<uint32_t>(begin), static_cast<uint32_t>(end)});
  }
  void LexOne();
  void LexIdentifier(bool keyword_allowed);
  void LexNumber();
  void LexFraction(size_t begin);
  void LexQuoted(TokenKind kind, size_t begin, char quote);
  bool LexPrefixedString();  // x'…', b'…', n'…'
  void LexAt();
  void LexOperator();
  void Emit(TokenKind kind, size_t begin, size_t end, Op op = Op::kNone);
  bool HintMayFollow() const;
  size_t EndOfQuoted(size_t pos, char quote, bool escapes) const;

  std::string_view text_;
  const ParserOptions& options_;
  size_t pos_ = 0;
  uint32_t version_comment_depth_ = 0;
  bool done_ = false;
  std::vector<Token>* tokens_ = nullptr;
  std::vector<uint32_t> open_parens_;
  std::vector<Span> version_marks_;
};

// Values of tokens of the named kinds.
std::string IdentifierValue(std::string_view text, const Token& token);
std::string StringValue(std::string_view text, const Token& token, bool backslash_escapes);
void AppendStringValue(std::string_view text, const Token& token, bool backslash_escapes,
                       std::string* out);
std::string HexValue(std::string_view text, const Token& token);
std::string BitValue(std::string_view text, const Token& token);
std::string UserVariableName(std::string_view text, const Token& token, bool backslash_escapes);
// Bytes between /*+ and */.
std::string_view HintText(std::string_view text, const Token& token);

}  // namespace borealis::sql
