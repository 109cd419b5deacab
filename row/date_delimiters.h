// Delimiters in the text of a date and time that MySQL reads but means to take away: others than
// '2020-01-31 10:11:12' has, and more than it has.
#pragma once

#include <string_view>

#include "row/convert.h"

namespace borealis::row {

// Warns of the first such delimiter (4095, 4096). REQUIRES: ParseDateTime has read `text`.
void WarnOfDelimiters(std::string_view text, const ConversionContext& context);

}  // namespace borealis::row
