// JSON text: checked, and brought to the one form MySQL shows and compares.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace borealis::row {

struct JsonError {
  std::string_view reason;  // as MySQL words it
  size_t position = 0;      // in bytes
};

// Writes `text` with members sorted (shorter keys first, then by bytes; of equal keys the last
// counts), ", " and ": " between, and minimal escapes. False when it is not one JSON value of at
// most 100 levels.
bool NormalizeJson(std::string_view text, std::string* out, JsonError* error);

}  // namespace borealis::row
