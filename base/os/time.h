// Time. Only base/os reads the machine's clocks; everything else takes a Clock&, so that the
// simulator can run virtual time.
#pragma once

#include <cstdint>

namespace borealis {

class Clock {
 public:
  virtual ~Clock() = default;
  // Microseconds since an arbitrary start; never goes back.
  virtual int64_t NowUs() const = 0;
  // Microseconds since 1970-01-01 UTC; may jump either way.
  virtual int64_t WallUs() const = 0;
};

// The machine's clock. Thread-safe; lives for the whole process.
const Clock& SystemClock();

}  // namespace borealis
