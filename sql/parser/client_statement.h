// Parsing what a client sent, in whose text an introducer (_latin1 'x') says what the client's
// bytes mean. In text that the server keeps (views, defaults, checks) it is UTF-8 that follows one,
// as everywhere: that is for Parse.
#pragma once

#include <string_view>

#include "row/collation.h"
#include "sql/parser/parser.h"

namespace borealis::sql {

// As Parse. `text` is UTF-8; `client` is the character set that it was sent in.
Result<ParsedStatement> ParseFromClient(std::string_view text, const ParserOptions& options,
                                        row::CharsetId client);

}  // namespace borealis::sql
