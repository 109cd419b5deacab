// JSON values as byte strings that compare with memcmp as the values do.
#pragma once

#include <string>

#include "row/json/view.h"

namespace borealis::row {

// Keys of equal values are equal, whatever their number types; a key is no prefix of another.
// Two documents that nest deeper than kMaxJsonDepth, which only damage makes, may share one.
void AppendJsonSortKey(const JsonView& value, std::string* out);

}  // namespace borealis::row
