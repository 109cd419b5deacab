// JSON values as text.
#pragma once

#include <string>
#include <string_view>

#include "row/json/view.h"

namespace borealis::row {

// As MySQL prints a document: ", " and ": " between, minimal escapes.
Status AppendJsonText(const JsonView& value, std::string* out);
// JSON_PRETTY: an element a line, two spaces a level.
Status AppendPrettyJson(const JsonView& value, std::string* out);
// With the quotes around it.
void AppendQuotedJson(std::string_view text, std::string* out);
// What JSON_UNQUOTE makes of a value: a string's own characters, anything else as AppendJsonText.
Status AppendUnquotedJson(const JsonView& value, std::string* out);
// The text of a document in stored form, for places that cannot fail: damage shows as "".
std::string JsonTextOf(std::string_view document);
// Whether text may stand in a path as a member's name without quotes.
bool IsJsonIdentifier(std::string_view text);

}  // namespace borealis::row
