// Announces that a thread is about to wait for a page, so that the worker pool can let another run.
#pragma once

#if __has_include("base/os/blocking.h")
#include "base/os/blocking.h"
#endif

namespace borealis::engine {

#if __has_include("base/os/blocking.h")
using PageWait = BlockingScope;
#else
struct PageWait {
  PageWait() {}
  ~PageWait() {}
};
#endif

}  // namespace borealis::engine
