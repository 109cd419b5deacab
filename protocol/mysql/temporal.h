// Dates and times as the protocol carries them: fields, not an instant. Zero dates are valid.
#pragma once

#include <cstdint>

namespace borealis::mysql {

struct DateTime {
  uint16_t year = 0;
  uint8_t month = 0;
  uint8_t day = 0;
  uint8_t hour = 0;
  uint8_t minute = 0;
  uint8_t second = 0;
  uint32_t microsecond = 0;

  friend bool operator==(const DateTime&, const DateTime&) = default;
};

// TIME: -838:59:59.999999 to 838:59:59.999999. `hour` counts whole hours, days included.
struct TimeOfDay {
  bool negative = false;
  uint32_t hour = 0;
  uint8_t minute = 0;
  uint8_t second = 0;
  uint32_t microsecond = 0;

  friend bool operator==(const TimeOfDay&, const TimeOfDay&) = default;
};

}  // namespace borealis::mysql
