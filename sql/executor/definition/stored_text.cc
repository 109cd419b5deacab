#include "sql/executor/definition/stored_text.h"

#include <algorithm>

#include "sql/catalog/table_descriptor.h"

namespace borealis::sql {
namespace {

bool IsWordChar(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '$' || (c & 0x80) != 0;
}

// Past the quoted run that starts at `at`; the text between the quotes goes to *inner.
size_t SkipQuoted(std::string_view text, size_t at, std::string* inner) {
  char quote = text[at];
  size_t i = at + 1;
  while (i < text.size()) {
    if (quote == '\'' && text[i] == '\\') {
      i += 2;
      continue;
    }
    if (text[i] == quote) {
      if (i + 1 < text.size() && text[i + 1] == quote) {
        ++i;
      } else {
        return i + 1;
      }
    }
    inner->push_back(text[i]);
    ++i;
  }
  return i;
}

// Past the name of the variable that starts at `at`: @`user`, @@global.system.
size_t SkipVariable(std::string_view text, size_t at) {
  while (at < text.size() && (text[at] == '@' || text[at] == '.' || IsWordChar(text[at]))) {
    ++at;
  }
  std::string name;
  return at < text.size() && text[at] == '`' ? SkipQuoted(text, at, &name) : at;
}

}  // namespace

StoredTextFacts ReadStoredText(std::string_view text) {
  StoredTextFacts facts;
  size_t i = 0;
  while (i < text.size()) {
    char c = text[i];
    if (c == '\'' || c == '`') {
      std::string inner;
      i = SkipQuoted(text, i, &inner);
      bool known = std::any_of(facts.columns.begin(), facts.columns.end(),
                               [&](const std::string& name) { return SameName(name, inner); });
      if (c == '`' && !known) {
        facts.columns.push_back(std::move(inner));
      }
    } else if (c == '@') {
      facts.variables = true;
      i = SkipVariable(text, i);
    } else if (IsWordChar(c)) {
      size_t begin = i;
      while (i < text.size() && IsWordChar(text[i])) {
        ++i;
      }
      std::string word = FoldName(text.substr(begin, i - begin));
      if (word == "select") {
        facts.subquery = true;
      } else if (i < text.size() && text[i] == '(') {
        facts.functions.push_back(std::move(word));
      }
    } else {
      ++i;
    }
  }
  return facts;
}

}  // namespace borealis::sql
