#include "base/invariant.h"

#include <cstdio>
#include <cstdlib>

namespace borealis {

void InvariantFailed(const char* file, int line, const char* expression,
                     const std::string& values) {
  std::fprintf(stderr, "%s:%d: invariant failed: %s%s%s%s\n", file, line, expression,
               values.empty() ? "" : " (", values.c_str(), values.empty() ? "" : ")");
  std::fflush(stderr);
  std::abort();
}

}  // namespace borealis
