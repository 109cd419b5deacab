// INTERVAL expressions: their units, how a value is read as one, and adding it to a date.
#pragma once

#include <cstdint>
#include <string_view>

#include "row/temporal.h"

namespace borealis::row {

enum class IntervalUnit : uint8_t {
  kMicrosecond,
  kSecond,
  kMinute,
  kHour,
  kDay,
  kWeek,
  kMonth,
  kQuarter,
  kYear,
  kSecondMicrosecond,
  kMinuteMicrosecond,
  kMinuteSecond,
  kHourMicrosecond,
  kHourSecond,
  kHourMinute,
  kDayMicrosecond,
  kDaySecond,
  kDayMinute,
  kDayHour,
  kYearMonth,
};

struct Interval {
  bool negative = false;
  uint64_t months = 0;
  uint64_t days = 0;
  uint64_t seconds = 0;
  uint64_t micros = 0;
};

// "DAY_HOUR", "sql_tsi_day", in any case; false for no unit.
bool ParseIntervalUnit(std::string_view name, IntervalUnit* unit);
// "microsecond", "day_hour", …
std::string_view IntervalUnitName(IntervalUnit unit);
// Units made of several numbers, written as a string: '1 10:30' DAY_MINUTE.
bool IsCompositeUnit(IntervalUnit unit);
// Units below a day: adding one to a DATE makes a DATETIME.
bool HasTimePart(IntervalUnit unit);
bool HasDatePart(IntervalUnit unit);
bool HasMicroseconds(IntervalUnit unit);
// Units whose length depends on the date: months, quarters, years.
bool HasMonths(IntervalUnit unit);

// `count` of a single unit; `micros` is a fraction of SECOND. REQUIRES: !IsCompositeUnit(unit).
Interval IntervalOf(IntervalUnit unit, int64_t count, int64_t micros = 0);
// A composite unit's text: groups of digits, the missing ones at the left are zero.
Interval ParseInterval(IntervalUnit unit, std::string_view text);

// Adds (or, when `subtract`, takes away). False when the result leaves year 0 to 9999, or months
// are asked of a zero date. A day past the month's end becomes its last.
bool AddInterval(const Interval& interval, bool subtract, TemporalParts* parts);
// The same for a TIME; false beyond ±838:59:59 or when the interval has months.
bool AddIntervalToTime(const Interval& interval, bool subtract, int64_t* time);

// TIMESTAMPDIFF: whole units from a to b. REQUIRES: both are real dates; unit is not composite.
int64_t TimestampDiff(IntervalUnit unit, const TemporalParts& a, const TemporalParts& b);

}  // namespace borealis::row
