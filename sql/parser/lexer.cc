// Scanning and decoding. The rules for numbers, dots and identifiers that begin with digits follow
// the server: what looks like a number but runs on as a word is a word (1a, 2nd), and a word right
// after a dot is never a keyword.
#include "sql/parser/lexer.h"

#include <algorithm>
#include <array>

namespace borealis::sql {

namespace {

bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}
bool IsHexDigit(char c) {
  return IsDigit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}
bool IsSpace(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\v' || c == '\f';
}
// Bytes of multi-byte UTF-8 characters are identifier characters.
bool IsIdent(char c) {
  return IsDigit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '$' ||
         static_cast<unsigned char>(c) >= 0x80;
}
char Upper(char c) {
  return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
}
char Lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}

struct KeywordEntry {
  std::string_view text;
  bool reserved;
};
constexpr std::array kKeywords = {
    KeywordEntry{"", false},
#define KEYWORD(name, text, reserved) KeywordEntry{text, reserved},
#include "sql/parser/keywords.def"
#undef KEYWORD
};

// Open addressing over the upper-case word; under a third full.
class KeywordTable {
 public:
  KeywordTable() {
    slots_.fill(0);
    for (size_t i = 1; i < kKeywords.size(); ++i) {
      size_t slot = Hash(kKeywords[i].text);
      while (slots_[slot] != 0) {
        slot = (slot + 1) % kSlots;
      }
      slots_[slot] = static_cast<uint16_t>(i);
      longest_ = std::max(longest_, kKeywords[i].text.size());
    }
  }

  Keyword Find(std::string_view word) const {
    if (word.size() > longest_) {
      return Keyword::kNotKeyword;
    }
    for (size_t slot = Hash(word); slots_[slot] != 0; slot = (slot + 1) % kSlots) {
      const std::string_view candidate = kKeywords[slots_[slot]].text;
      if (candidate.size() == word.size() &&
          std::equal(word.begin(), word.end(), candidate.begin(),
                     [](char a, char b) { return Upper(a) == b; })) {
        return static_cast<Keyword>(slots_[slot]);
      }
    }
    return Keyword::kNotKeyword;
  }

 private:
  static constexpr size_t kSlots = 2048;
  static size_t Hash(std::string_view word) {
    uint32_t h = 2166136261U;
    for (char c : word) {
      h = (h ^ static_cast<unsigned char>(Upper(c))) * 16777619U;
    }
    return (h ^ (h >> 15)) % kSlots;
  }
  std::array<uint16_t, kSlots> slots_;
  size_t longest_ = 0;
};

constexpr std::array<std::string_view, 42> kCharsets = {
    "armscii8", "ascii",   "big5",   "binary",   "cp1250",  "cp1251", "cp1256",  "cp1257", "cp850",
    "cp852",    "cp866",   "cp932",  "dec8",     "eucjpms", "euckr",  "gb18030", "gb2312", "gbk",
    "geostd8",  "greek",   "hebrew", "hp8",      "keybcs2", "koi8r",  "koi8u",   "latin1", "latin2",
    "latin5",   "latin7",  "macce",  "macroman", "sjis",    "swe7",   "tis620",  "ucs2",   "ujis",
    "utf16",    "utf16le", "utf32",  "utf8",     "utf8mb3", "utf8mb4"};

constexpr size_t kNotFound = std::string_view::npos;

// Of the characters that begin no longer operator, those that stand in lists of values.
Op SoleOperator(char c) {
  switch (c) {
    case '(':
      return Op::kLeftParen;
    case ')':
      return Op::kRightParen;
    case ',':
      return Op::kComma;
    case '=':
      return Op::kEqual;
    case '+':
      return Op::kPlus;
    case '*':
      return Op::kStar;
    default:
      return Op::kNone;
  }
}

}  // namespace

Keyword FindKeyword(std::string_view word) {
  static const KeywordTable table;
  return table.Find(word);
}

bool IsReserved(Keyword keyword) {
  return kKeywords[static_cast<size_t>(keyword)].reserved;
}

std::string_view KeywordText(Keyword keyword) {
  return kKeywords[static_cast<size_t>(keyword)].text;
}

bool IsCharsetName(std::string_view name) {
  std::string lower(name);
  std::transform(lower.begin(), lower.end(), lower.begin(), Lower);
  return std::find(kCharsets.begin(), kCharsets.end(), lower) != kCharsets.end();
}

void Lexer::Run(size_t offset, std::vector<Token>* tokens) {
  pos_ = offset;
  tokens_ = tokens;
  done_ = false;
  while (!done_) {
    LexOne();
  }
  for (uint32_t open : open_parens_) {
    (*tokens_)[open].match = static_cast<uint32_t>(tokens_->size() - 1);
  }
  open_parens_.clear();
}

void Lexer::Emit(TokenKind kind, size_t begin, size_t end, Op op) {
  Token token;
  token.kind = kind;
  token.op = op;
  token.begin = static_cast<uint32_t>(begin);
  token.end = static_cast<uint32_t>(end);
  const auto index = static_cast<uint32_t>(tokens_->size());
  if (op == Op::kLeftParen) {
    open_parens_.push_back(index);
  } else if (op == Op::kRightParen && !open_parens_.empty()) {
    (*tokens_)[open_parens_.back()].match = index;
    open_parens_.pop_back();
  }
  tokens_->push_back(token);
  pos_ = end;
  if (kind == TokenKind::kEnd || kind == TokenKind::kError) {
    done_ = true;
    if (kind == TokenKind::kError) {
      Emit(TokenKind::kEnd, text_.size(), text_.size());
    }
  }
}

bool Lexer::IsFinalNul(size_t at) const {
  return text_[at] == '\0' && std::all_of(text_.begin() + static_cast<std::ptrdiff_t>(at) + 1,
                                          text_.end(), [](char c) { return IsSpace(c); });
}

bool Lexer::SkipBlanks() {
  while (pos_ < text_.size()) {
    const char c = text_[pos_];
    if (IsSpace(c) || IsFinalNul(pos_)) {
      ++pos_;
    } else if (c == '#' ||
               (c == '-' && At(pos_ + 1) == '-' &&
                (pos_ + 2 >= text_.size() || static_cast<unsigned char>(At(pos_ + 2)) <= ' '))) {
      const size_t newline = text_.find('\n', pos_);
      pos_ = newline == kNotFound ? text_.size() : newline + 1;
    } else if (c == '/' && At(pos_ + 1) == '*') {
      if (At(pos_ + 2) == '+' && HintMayFollow()) {
        return true;
      }
      if (!SkipComment()) {
        return false;
      }
    } else if (version_comment_depth_ > 0 && c == '*' && At(pos_ + 1) == '/') {
      --version_comment_depth_;
      MarkVersion(pos_, pos_ + 2);
      pos_ += 2;
    } else {
      return true;
    }
  }
  return version_comment_depth_ == 0;
}

bool Lexer::SkipComment() {
  if (At(pos_ + 2) == '!') {
    size_t p = pos_ + 3;
    uint32_t version = 0;
    size_t digits = 0;
    while (digits < 6 && IsDigit(At(p + digits))) {
      version = version * 10 + static_cast<uint32_t>(At(p + digits) - '0');
      ++digits;
    }
    if (digits < 5) {  // /*! and /*!50 are executed by every version
      digits = 0;
      version = 0;
    } else if (digits == 6 && !IsSpace(At(p + 6))) {  // five digits, then a number of the statement
      digits = 5;
      version /= 10;
    }
    if (version <= options_.version) {
      ++version_comment_depth_;
      MarkVersion(pos_, p + digits);
      pos_ = p + digits;
      return true;
    }
  }
  // Skipped: a nested comment counts only inside a version comment.
  const bool nests = At(pos_ + 2) == '!';
  size_t p = pos_ + 2;
  int depth = 1;
  while (p + 1 < text_.size()) {
    if (text_[p] == '*' && text_[p + 1] == '/') {
      p += 2;
      if (--depth == 0) {
        if (nests) {
          MarkVersion(pos_, p);
        }
        pos_ = p;
        return true;
      }
    } else if (nests && text_[p] == '/' && text_[p + 1] == '*') {
      ++depth;
      p += 2;
    } else {
      ++p;
    }
  }
  return false;
}

bool Lexer::HintMayFollow() const {
  if (tokens_->empty() || tokens_->back().kind != TokenKind::kIdent) {
    return false;
  }
  switch (tokens_->back().keyword) {
    case Keyword::kSelect:
    case Keyword::kInsert:
    case Keyword::kReplace:
    case Keyword::kUpdate:
    case Keyword::kDelete:
      return true;
    default:
      return false;
  }
}

void Lexer::LexOne() {
  const size_t before = pos_;
  if (!SkipBlanks()) {
    const size_t at = pos_ < text_.size() ? pos_ : std::max(before, pos_);
    Emit(TokenKind::kError, at, text_.size());
    return;
  }
  if (pos_ >= text_.size()) {
    Emit(TokenKind::kEnd, text_.size(), text_.size());
    return;
  }
  const char c = text_[pos_];
  if (c == '/' && At(pos_ + 1) == '*') {  // SkipBlanks stops only at a hint
    const size_t end = text_.find("*/", pos_ + 3);
    if (end == kNotFound) {
      Emit(TokenKind::kError, pos_, text_.size());
    } else {
      Emit(TokenKind::kHint, pos_, end + 2);
    }
    return;
  }
  if (IsDigit(c)) {
    LexNumber();
  } else if (IsIdent(c)) {
    if (!LexPrefixedString()) {
      LexIdentifier(true);
    }
  } else if (c == '\'') {
    LexQuoted(TokenKind::kString, pos_, c);
  } else if (c == '"') {
    LexQuoted(options_.ansi_quotes ? TokenKind::kQuotedIdent : TokenKind::kString, pos_, c);
  } else if (c == '`') {
    LexQuoted(TokenKind::kQuotedIdent, pos_, c);
  } else if (c == '@') {
    LexAt();
  } else {
    LexOperator();
  }
}

void Lexer::LexIdentifier(bool keyword_allowed) {
  const size_t begin = pos_;
  size_t end = pos_;
  while (end < text_.size() && IsIdent(text_[end])) {
    ++end;
  }
  const std::string_view word = text_.substr(begin, end - begin);
  Emit(TokenKind::kIdent, begin, end);
  if (keyword_allowed) {
    tokens_->back().keyword = FindKeyword(word);
    if (word.size() > 1 && word[0] == '_' && IsCharsetName(word.substr(1))) {
      tokens_->back().kind = TokenKind::kIntroducer;
    }
  }
}

void Lexer::LexNumber() {
  const size_t begin = pos_;
  if (text_[pos_] == '0' && (At(pos_ + 1) == 'x' || At(pos_ + 1) == 'b')) {
    const bool hex = At(pos_ + 1) == 'x';
    size_t end = pos_ + 2;
    while (hex ? IsHexDigit(At(end)) : (At(end) == '0' || At(end) == '1')) {
      ++end;
    }
    if (end > pos_ + 2 && !IsIdent(At(end))) {
      Emit(hex ? TokenKind::kHex : TokenKind::kBit, begin, end);
      return;
    }
    LexIdentifier(false);
    return;
  }
  size_t end = pos_;
  while (IsDigit(At(end))) {
    ++end;
  }
  if (At(end) == '.') {
    pos_ = end;
    LexFraction(begin);
    return;
  }
  if (end >= text_.size() || !IsIdent(text_[end])) {
    Emit(TokenKind::kInteger, begin, end);
    return;
  }
  if (At(end) == 'e' || At(end) == 'E') {
    size_t p = end + 1;
    if (At(p) == '+' || At(p) == '-') {
      ++p;
    }
    if (IsDigit(At(p))) {
      while (IsDigit(At(p))) {
        ++p;
      }
      Emit(TokenKind::kFloat, begin, p);
      return;
    }
  }
  LexIdentifier(false);  // 1a, 2nd
}

// At the dot of a number that began at `begin`.
void Lexer::LexFraction(size_t begin) {
  size_t end = pos_ + 1;
  while (IsDigit(At(end))) {
    ++end;
  }
  if (At(end) == 'e' || At(end) == 'E') {
    size_t p = end + 1;
    if (At(p) == '+' || At(p) == '-') {
      ++p;
    }
    if (!IsDigit(At(p))) {
      Emit(TokenKind::kError, begin, text_.size());
      return;
    }
    while (IsDigit(At(p))) {
      ++p;
    }
    Emit(TokenKind::kFloat, begin, p);
    return;
  }
  Emit(TokenKind::kDecimal, begin, end);
}

// `pos` is just past the opening quote; returns the offset past the closing one.
size_t Lexer::EndOfQuoted(size_t pos, char quote, bool escapes) const {
  while (pos < text_.size()) {
    const char c = text_[pos];
    if (c == '\\' && escapes) {
      pos += 2;
    } else if (c == quote) {
      if (At(pos + 1) != quote) {
        return pos + 1;
      }
      pos += 2;
    } else {
      ++pos;
    }
  }
  return kNotFound;
}

void Lexer::LexQuoted(TokenKind kind, size_t begin, char quote) {
  const bool identifier = kind == TokenKind::kQuotedIdent;
  const size_t end = EndOfQuoted(pos_ + 1, quote, !identifier && !options_.no_backslash_escapes);
  if (end == kNotFound) {
    Emit(TokenKind::kError, begin, text_.size());
    return;
  }
  Emit(kind, begin, end);
}

bool Lexer::LexPrefixedString() {
  const char c = Lower(text_[pos_]);
  if (At(pos_ + 1) != '\'' || (c != 'x' && c != 'b' && c != 'n')) {
    return false;
  }
  const size_t begin = pos_;
  if (c == 'n') {
    ++pos_;
    LexQuoted(TokenKind::kNationalString, begin, '\'');
    return true;
  }
  size_t end = pos_ + 2;
  while (c == 'x' ? IsHexDigit(At(end)) : (At(end) == '0' || At(end) == '1')) {
    ++end;
  }
  const bool valid = At(end) == '\'' && (c == 'b' || (end - begin) % 2 == 0);
  if (valid) {
    Emit(c == 'x' ? TokenKind::kHex : TokenKind::kBit, begin, end + 1);
  } else {
    Emit(TokenKind::kError, begin, text_.size());
  }
  return true;
}

void Lexer::LexAt() {
  const size_t begin = pos_;
  const char next = At(pos_ + 1);
  if (next == '@') {
    Emit(TokenKind::kSystemVariableMark, begin, begin + 2);
    return;
  }
  if (next == '\'' || next == '"' || next == '`') {
    const bool escapes =
        next != '`' && !options_.no_backslash_escapes && !(next == '"' && options_.ansi_quotes);
    const size_t end = EndOfQuoted(begin + 2, next, escapes);
    if (end == kNotFound) {
      Emit(TokenKind::kError, begin, text_.size());
    } else {
      Emit(TokenKind::kUserVariable, begin, end);
    }
    return;
  }
  size_t end = begin + 1;
  while (end < text_.size() && (IsIdent(text_[end]) || text_[end] == '.')) {
    ++end;
  }
  if (end == begin + 1) {
    Emit(TokenKind::kError, begin, text_.size());
  } else {
    Emit(TokenKind::kUserVariable, begin, end);
  }
}

void Lexer::LexOperator() {
  struct Spelling {
    std::string_view text;
    Op op;
  };
  // Longer spellings before their prefixes.
  static constexpr std::array kSpellings = {
      Spelling{"<=>", Op::kNullSafeEqual},
      Spelling{"->>", Op::kArrowUnquote},
      Spelling{"<=", Op::kLessEqual},
      Spelling{"<>", Op::kNotEqual},
      Spelling{"<<", Op::kShiftLeft},
      Spelling{">=", Op::kGreaterEqual},
      Spelling{">>", Op::kShiftRight},
      Spelling{"!=", Op::kNotEqual},
      Spelling{"&&", Op::kAndAnd},
      Spelling{"||", Op::kPipePipe},
      Spelling{":=", Op::kAssign},
      Spelling{"->", Op::kArrow},
      Spelling{";", Op::kSemicolon},
      Spelling{"-", Op::kMinus},
      Spelling{"/", Op::kSlash},
      Spelling{"%", Op::kPercent},
      Spelling{"&", Op::kAmpersand},
      Spelling{"|", Op::kPipe},
      Spelling{"^", Op::kCaret},
      Spelling{"~", Op::kTilde},
      Spelling{"!", Op::kBang},
      Spelling{"<", Op::kLess},
      Spelling{">", Op::kGreater},
      Spelling{":", Op::kColon},
      Spelling{"{", Op::kLeftBrace},
      Spelling{"}", Op::kRightBrace},
  };
  const size_t begin = pos_;
  const char c = text_[pos_];
  if (const Op op = SoleOperator(c); op != Op::kNone) {  // most of a long statement's
    Emit(TokenKind::kOperator, begin, begin + 1, op);
    return;
  }
  if (c == '?') {
    Emit(TokenKind::kParameter, begin, begin + 1);
    return;
  }
  if (c == '.') {
    const bool after_word = !tokens_->empty() && tokens_->back().end == begin &&
                            tokens_->back().kind == TokenKind::kIdent;
    if (IsDigit(At(begin + 1)) && !after_word) {
      LexFraction(begin);
      return;
    }
    Emit(TokenKind::kOperator, begin, begin + 1, Op::kDot);
    if (pos_ < text_.size() && IsIdent(text_[pos_])) {  // t.select: no keyword right after a dot
      LexIdentifier(false);
    }
    return;
  }
  const std::string_view rest = text_.substr(begin, 3);
  for (const Spelling& spelling : kSpellings) {
    if (rest.starts_with(spelling.text)) {
      Emit(TokenKind::kOperator, begin, begin + spelling.text.size(), spelling.op);
      if (spelling.op == Op::kSemicolon) {
        Emit(TokenKind::kEnd, pos_, pos_);
      }
      return;
    }
  }
  Emit(TokenKind::kError, begin, text_.size());
}

namespace {

void AppendUnquoted(std::string_view body, char quote, std::string* out) {
  for (size_t i = 0; i < body.size();) {
    const size_t end = body.find(quote, i);
    if (end == kNotFound) {
      out->append(body.substr(i));
      return;
    }
    out->append(body.substr(i, end + 1 - i));
    i = end + 2;  // it is doubled
  }
}

std::string Unquote(std::string_view body, char quote) {
  std::string out;
  out.reserve(body.size());
  AppendUnquoted(body, quote, &out);
  return out;
}

void AppendEscape(char c, std::string* out) {
  switch (c) {
    case '0':
      out->push_back('\0');
      break;
    case 'n':
      out->push_back('\n');
      break;
    case 't':
      out->push_back('\t');
      break;
    case 'r':
      out->push_back('\r');
      break;
    case 'b':
      out->push_back('\b');
      break;
    case 'Z':
      out->push_back('\x1a');
      break;
    case '%':
    case '_':  // kept for LIKE
      out->push_back('\\');
      out->push_back(c);
      break;
    default:
      out->push_back(c);
  }
}

void AppendUnescaped(std::string_view body, char quote, std::string* out) {
  if (body.find('\\') == kNotFound) {
    AppendUnquoted(body, quote, out);
    return;
  }
  for (size_t i = 0; i < body.size(); ++i) {
    if (body[i] == '\\' && i + 1 < body.size()) {
      AppendEscape(body[++i], out);
    } else {
      out->push_back(body[i]);
      if (body[i] == quote) {
        ++i;
      }
    }
  }
}

std::string Unescape(std::string_view body, char quote) {
  std::string out;
  out.reserve(body.size());
  AppendUnescaped(body, quote, &out);
  return out;
}

int HexDigit(char c) {
  if (IsDigit(c)) {
    return c - '0';
  }
  return (Lower(c) - 'a') + 10;
}

// The digits of x'4D', 0x4D, b'01', 0b01.
std::string_view DigitsOf(std::string_view text, const Token& token) {
  std::string_view body = text.substr(token.begin + 2, token.end - token.begin - 2);
  if (body.ends_with('\'')) {
    body.remove_suffix(1);
  }
  return body;
}

}  // namespace

std::string IdentifierValue(std::string_view text, const Token& token) {
  if (token.kind == TokenKind::kQuotedIdent) {
    return Unquote(text.substr(token.begin + 1, token.end - token.begin - 2), text[token.begin]);
  }
  return std::string(text.substr(token.begin, token.end - token.begin));
}

void AppendStringValue(std::string_view text, const Token& token, bool backslash_escapes,
                       std::string* out) {
  const size_t open = token.begin + (token.kind == TokenKind::kNationalString ? 1 : 0);
  const std::string_view body = text.substr(open + 1, token.end - open - 2);
  if (backslash_escapes) {
    AppendUnescaped(body, text[open], out);
  } else {
    AppendUnquoted(body, text[open], out);
  }
}

std::string StringValue(std::string_view text, const Token& token, bool backslash_escapes) {
  std::string out;
  out.reserve(token.end - token.begin);
  AppendStringValue(text, token, backslash_escapes, &out);
  return out;
}

std::string HexValue(std::string_view text, const Token& token) {
  const std::string_view digits = DigitsOf(text, token);
  std::string out;
  size_t i = 0;
  if (digits.size() % 2 == 1) {  // 0xABC is 0x0ABC
    out.push_back(static_cast<char>(HexDigit(digits[0])));
    i = 1;
  }
  for (; i + 1 < digits.size(); i += 2) {
    out.push_back(static_cast<char>(HexDigit(digits[i]) * 16 + HexDigit(digits[i + 1])));
  }
  return out;
}

std::string BitValue(std::string_view text, const Token& token) {
  const std::string_view digits = DigitsOf(text, token);
  std::string out((digits.size() + 7) / 8, '\0');
  for (size_t i = 0; i < digits.size(); ++i) {
    const size_t from_right = digits.size() - 1 - i;
    if (digits[i] == '1') {
      out[out.size() - 1 - from_right / 8] |= static_cast<char>(1 << (from_right % 8));
    }
  }
  return out;
}

std::string UserVariableName(std::string_view text, const Token& token, bool backslash_escapes) {
  std::string_view body = text.substr(token.begin + 1, token.end - token.begin - 1);
  const char quote = body[0];
  if (quote != '\'' && quote != '"' && quote != '`') {
    return std::string(body);
  }
  body = body.substr(1, body.size() - 2);
  return backslash_escapes && quote != '`' ? Unescape(body, quote) : Unquote(body, quote);
}

std::string_view HintText(std::string_view text, const Token& token) {
  return text.substr(token.begin + 3, token.end - token.begin - 5);
}

}  // namespace borealis::sql
