// Pages as text, for `borealis inspect page` and for failure messages.
#pragma once

#include <string>

#include "base/types.h"
#include "volume/page.h"

namespace borealis::engine {

struct DescribeOptions {
  bool entries = true;    // one line per entry
  size_t bytes_max = 32;  // of each key and value, in hexadecimal
};

// Several lines: header fields, the verdict of CheckPage, and the content as the type has it.
// Never fails: what cannot be decoded is said to be so.
std::string DescribePage(PageNo number, const Page& page, const DescribeOptions& options = {});

}  // namespace borealis::engine
