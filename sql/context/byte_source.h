// Bytes that arrive piece by piece: a file of the server, or one that the client sends. Used by one
// thread at a time; getting the next piece may wait.
#pragma once

#include <string_view>

#include "base/result.h"

namespace borealis::sql {

class ByteSource {
 public:
  virtual ~ByteSource() = default;
  // The next bytes, valid until the next call; none at the end, also when asked again.
  virtual Result<std::string_view> Next() = 0;
};

}  // namespace borealis::sql
