// JSON text to a tree, by RapidJSON: the parser MySQL uses, so that reasons and positions of errors
// are its own.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "row/json/node.h"

namespace borealis::row {

struct JsonError {
  std::string_view reason;  // as MySQL words it; empty when the text nests too deep (3157)
  size_t position = 0;      // in bytes
  bool too_deep = false;
};

// False when the text is not one JSON value of at most kMaxJsonDepth levels.
bool ParseJson(std::string_view text, JsonNode* out, JsonError* error);

}  // namespace borealis::row
