#include "row/interval.h"

#include <algorithm>
#include <iterator>

namespace borealis::row {

namespace {

constexpr std::string_view kNames[] = {"microsecond",
                                       "second",
                                       "minute",
                                       "hour",
                                       "day",
                                       "week",
                                       "month",
                                       "quarter",
                                       "year",
                                       "second_microsecond",
                                       "minute_microsecond",
                                       "minute_second",
                                       "hour_microsecond",
                                       "hour_second",
                                       "hour_minute",
                                       "day_microsecond",
                                       "day_second",
                                       "day_minute",
                                       "day_hour",
                                       "year_month"};

using U = IntervalUnit;

// Limits keep every sum within 64 bits; beyond them no date results anyway.
constexpr uint64_t kLimit = 100000000000000;  // of any count

uint64_t Scaled(uint64_t count, uint64_t factor) {
  unsigned __int128 product =
      static_cast<unsigned __int128>(std::min(count, kLimit * 1000)) * factor;
  return product > INT64_MAX / 4 ? INT64_MAX / 4 : static_cast<uint64_t>(product);
}

// Digit groups of `text`; the last one that there is of a microsecond unit is a fraction of six
// digits.
int ReadGroups(std::string_view text, int limit, bool fraction, uint64_t values[5],
               bool* negative) {
  size_t pos = 0;
  while (pos < text.size() && (text[pos] == ' ' || text[pos] == '\t')) {
    ++pos;
  }
  if (pos < text.size() && text[pos] == '-') {
    *negative = true;
    ++pos;
  }
  auto digit = [&] { return pos < text.size() && text[pos] >= '0' && text[pos] <= '9'; };
  int count = 0;
  int digits = 0;
  while (count < limit) {
    while (pos < text.size() && !digit()) {
      ++pos;
    }
    if (pos >= text.size()) {
      break;
    }
    uint64_t value = 0;
    for (digits = 0; digit(); ++pos, ++digits) {
      value = std::min<uint64_t>(value * 10 + static_cast<uint64_t>(text[pos] - '0'), kLimit);
    }
    values[count++] = value;
  }
  for (; fraction && count > 0 && digits < 6; ++digits) {
    values[count - 1] *= 10;
  }
  return count;
}

}  // namespace

bool ParseIntervalUnit(std::string_view name, IntervalUnit* unit) {
  auto equal = [](std::string_view a, std::string_view b) {
    return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) {
             return (x >= 'A' && x <= 'Z' ? x + 32 : x) == y;
           });
  };
  if (name.size() > 8 && equal(name.substr(0, 8), "sql_tsi_")) {
    name.remove_prefix(8);
  }
  for (size_t i = 0; i < std::size(kNames); ++i) {
    if (equal(name, kNames[i])) {
      *unit = static_cast<IntervalUnit>(i);
      return true;
    }
  }
  return false;
}

std::string_view IntervalUnitName(IntervalUnit unit) {
  return kNames[static_cast<size_t>(unit)];
}

bool IsCompositeUnit(IntervalUnit unit) {
  return unit >= U::kSecondMicrosecond;
}

bool HasTimePart(IntervalUnit unit) {
  return unit <= U::kHour || (unit >= U::kSecondMicrosecond && unit <= U::kDayHour);
}

bool HasDatePart(IntervalUnit unit) {
  return (unit >= U::kDay && unit <= U::kYear) || unit >= U::kDayMicrosecond;
}

bool HasMonths(IntervalUnit unit) {
  return (unit >= U::kMonth && unit <= U::kYear) || unit == U::kYearMonth;
}

bool HasMicroseconds(IntervalUnit unit) {
  return unit == U::kMicrosecond || unit == U::kSecondMicrosecond ||
         unit == U::kMinuteMicrosecond || unit == U::kHourMicrosecond || unit == U::kDayMicrosecond;
}

Interval IntervalOf(IntervalUnit unit, int64_t count, int64_t micros) {
  Interval interval;
  interval.negative = count < 0 || micros < 0;
  uint64_t n = count < 0 ? ~static_cast<uint64_t>(count) + 1 : static_cast<uint64_t>(count);
  switch (unit) {
    case U::kMicrosecond:
      interval.seconds = n / 1000000;
      interval.micros = n % 1000000;
      break;
    case U::kSecond:
      interval.seconds = Scaled(n, 1);
      interval.micros = static_cast<uint64_t>(micros < 0 ? -micros : micros);
      break;
    case U::kMinute:
      interval.seconds = Scaled(n, 60);
      break;
    case U::kHour:
      interval.seconds = Scaled(n, 3600);
      break;
    case U::kDay:
      interval.days = Scaled(n, 1);
      break;
    case U::kWeek:
      interval.days = Scaled(n, 7);
      break;
    case U::kMonth:
      interval.months = Scaled(n, 1);
      break;
    case U::kQuarter:
      interval.months = Scaled(n, 3);
      break;
    case U::kYear:
      interval.months = Scaled(n, 12);
      break;
    default:
      break;
  }
  return interval;
}

Interval ParseInterval(IntervalUnit unit, std::string_view text) {
  // Which of days, hours, minutes, seconds, microseconds the unit's groups are.
  int first = 0;
  int last = 0;
  switch (unit) {
    case U::kYearMonth:
      break;
    case U::kDayHour:
      last = 1;
      break;
    case U::kDayMinute:
      last = 2;
      break;
    case U::kDaySecond:
      last = 3;
      break;
    case U::kDayMicrosecond:
      last = 4;
      break;
    case U::kHourMinute:
      first = 1;
      last = 2;
      break;
    case U::kHourSecond:
      first = 1;
      last = 3;
      break;
    case U::kHourMicrosecond:
      first = 1;
      last = 4;
      break;
    case U::kMinuteSecond:
      first = 2;
      last = 3;
      break;
    case U::kMinuteMicrosecond:
      first = 2;
      last = 4;
      break;
    default:
      first = 3;
      last = 4;
  }
  Interval interval;
  uint64_t values[5] = {};
  if (unit == U::kYearMonth) {
    int count = ReadGroups(text, 2, false, values, &interval.negative);
    interval.months = count == 1 ? values[0] : Scaled(values[0], 12) + values[1];
    return interval;
  }
  int width = last - first + 1;
  int count = ReadGroups(text, width, last == 4, values, &interval.negative);
  uint64_t slots[5] = {};
  for (int i = 0; i < count; ++i) {
    slots[last - count + 1 + i] = values[i];
  }
  interval.days = Scaled(slots[0], 1);
  interval.seconds =
      Scaled(slots[1], 3600) + Scaled(slots[2], 60) + Scaled(slots[3], 1) + slots[4] / 1000000;
  interval.micros = slots[4] % 1000000;
  return interval;
}

bool AddInterval(const Interval& interval, bool subtract, TemporalParts* parts) {
  bool minus = interval.negative != subtract;
  constexpr uint64_t kMaxMonths = 12 * 10000;
  constexpr uint64_t kMaxDays = 3652500;
  if (interval.months > kMaxMonths || interval.days > kMaxDays ||
      interval.seconds > kMaxDays * 86400) {
    return false;
  }
  TemporalParts p = *parts;
  if (interval.months != 0) {
    int64_t delta = static_cast<int64_t>(interval.months);
    int64_t months = static_cast<int64_t>(p.year) * 12 + p.month - 1 + (minus ? -delta : delta);
    if (months < 0 || months >= 120000) {
      return false;
    }
    p.year = static_cast<int>(months / 12);
    p.month = static_cast<int>(months % 12) + 1;
    p.day = std::min(p.day, DaysInMonth(p.year, p.month));
  }
  if (interval.days != 0 || interval.seconds != 0 || interval.micros != 0) {
    int64_t delta = static_cast<int64_t>(interval.days) * kMicrosPerDay +
                    static_cast<int64_t>(interval.seconds) * kMicrosPerSecond +
                    static_cast<int64_t>(interval.micros);
    p = PartsOfMicros(MicrosSince1970(p) + (minus ? -delta : delta));
    if (p.zero_date() || p.year > 9999) {
      return false;
    }
  }
  *parts = p;
  return true;
}

bool AddIntervalToTime(const Interval& interval, bool subtract, int64_t* time) {
  if (interval.months != 0 || interval.days > 1000 || interval.seconds > 100000000) {
    return false;
  }
  int64_t delta = static_cast<int64_t>(interval.days) * kMicrosPerDay +
                  static_cast<int64_t>(interval.seconds) * kMicrosPerSecond +
                  static_cast<int64_t>(interval.micros);
  int64_t result = *time + (interval.negative != subtract ? -delta : delta);
  if (result > kMaxTime || result < -kMaxTime) {
    return false;
  }
  *time = result;
  return true;
}

int64_t TimestampDiff(IntervalUnit unit, const TemporalParts& a, const TemporalParts& b) {
  int64_t x = MicrosSince1970(a);
  int64_t y = MicrosSince1970(b);
  int64_t micros = y - x;
  switch (unit) {
    case U::kMicrosecond:
      return micros;
    case U::kSecond:
      return micros / kMicrosPerSecond;
    case U::kMinute:
      return micros / (60 * kMicrosPerSecond);
    case U::kHour:
      return micros / (3600 * kMicrosPerSecond);
    case U::kDay:
      return micros / kMicrosPerDay;
    case U::kWeek:
      return micros / (7 * kMicrosPerDay);
    default:
      break;
  }
  const TemporalParts& from = micros < 0 ? b : a;
  const TemporalParts& to = micros < 0 ? a : b;
  int64_t months = (static_cast<int64_t>(to.year) - from.year) * 12 + to.month - from.month;
  auto in_month = [](const TemporalParts& p) {
    return PackDateTime({.day = p.day,
                         .hour = p.hour,
                         .minute = p.minute,
                         .second = p.second,
                         .microsecond = p.microsecond});
  };
  if (in_month(to) < in_month(from)) {
    --months;
  }
  if (unit == U::kQuarter) {
    months /= 3;
  } else if (unit == U::kYear) {
    months /= 12;
  }
  return micros < 0 ? -months : months;
}

}  // namespace borealis::row
