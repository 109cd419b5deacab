// Statement text with its literals taken out, in the manner of MySQL's STATEMENT_DIGEST_TEXT():
// keywords in upper case, identifiers in backticks, one blank between tokens, literals and
// parameters as `?`, lists of them as `?, ...` or `(...)`, lists of such rows with `/* , ... */`.
//
// Two statements with the same text differ only in values, letter case of keywords, comments and
// white space.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "sql/parser/parser.h"

namespace borealis::sql {

// Of the first statement in `text`. Longer results are cut at a token and end in "...". Text that
// cannot be lexed is kept up to the error.
std::string NormaliseStatement(std::string_view text, const ParserOptions& options = {},
                               size_t max_length = 1024);

}  // namespace borealis::sql
