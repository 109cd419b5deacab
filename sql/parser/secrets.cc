// Works on tokens, under the default sql_mode: what a mode would read as something else than a
// string is at worst taken out as one.
#include "sql/parser/secrets.h"

#include <algorithm>
#include <vector>

#include "sql/parser/lexer.h"

namespace borealis::sql {
namespace {

constexpr std::string_view kSecret = "<secret>";

// Statements may be long: one look at each byte, whatever the locale.
bool ContainsWord(std::string_view text, std::string_view lower_word) {
  const auto same = [](char lower, char c) {
    return (c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c) == lower;
  };
  for (size_t at = 0; at + lower_word.size() <= text.size(); ++at) {
    if (same(lower_word[0], text[at]) &&
        std::equal(lower_word.begin() + 1, lower_word.end(),
                   text.begin() + static_cast<ptrdiff_t>(at) + 1, same)) {
      return true;
    }
  }
  return false;
}

bool MayHoldSecrets(std::string_view text) {
  return ContainsWord(text, "identified") || ContainsWord(text, "password");
}

bool IsString(const Token& token) {
  return token.kind == TokenKind::kString || token.kind == TokenKind::kNationalString ||
         token.kind == TokenKind::kHex;
}

// One statement's tokens: [begin, end).
class Statement {
 public:
  Statement(std::string_view text, const Token* begin, const Token* end)
      : text_(text), begin_(begin), end_(end) {
    for (const Token* token = begin; token != end; ++token) {
      identified_ |= token->keyword == Keyword::kIdentified;
      password_ |= token->keyword == Keyword::kPassword;
    }
  }

  bool IsSecret(const Token* token) const {
    if (token->kind == TokenKind::kError) {
      return identified_ || password_;
    }
    if (!IsString(*token) || token == begin_) {
      return false;
    }
    const Keyword first = begin_->keyword;
    if (first == Keyword::kPrepare || first == Keyword::kSet) {
      const std::string_view own = text_.substr(token->begin, token->end - token->begin);
      return MayHoldSecrets(own) || (first == Keyword::kSet && password_ && FollowsEqual(token)) ||
             FollowsWord(token);
    }
    return identified_ && FollowsWord(token);
  }

 private:
  bool FollowsEqual(const Token* token) const {
    return token[-1].op == Op::kEqual || token[-1].op == Op::kAssign;
  }
  bool FollowsWord(const Token* token) const {
    const Keyword before = token[-1].keyword;
    return before == Keyword::kBy || before == Keyword::kAs || before == Keyword::kReplace;
  }

  const std::string_view text_;
  const Token* const begin_;
  const Token* const end_;
  bool identified_ = false;
  bool password_ = false;
};

}  // namespace

std::optional<std::string> WithoutSecrets(std::string_view text) {
  if (!MayHoldSecrets(text)) {
    return std::nullopt;
  }
  const ParserOptions options;
  std::string out;
  size_t copied = 0;
  bool any = false;
  for (size_t offset = 0; offset < text.size();) {
    std::vector<Token> tokens;
    Lexer lexer(text, options);
    lexer.Run(offset, &tokens);
    const Statement statement(text, tokens.data(), tokens.data() + tokens.size());
    for (const Token& token : tokens) {
      if (!statement.IsSecret(&token)) {
        continue;
      }
      any = true;
      out.append(text.substr(copied, token.begin - copied)).append(kSecret);
      if (token.kind == TokenKind::kError) {
        return out;
      }
      copied = token.end;
    }
    const size_t end = tokens.back().end;
    if (end <= offset) {
      break;
    }
    offset = end;
  }
  if (!any) {
    return std::nullopt;
  }
  out.append(text.substr(copied));
  return out;
}

}  // namespace borealis::sql
