// Dates and times: packed forms, the calendar, parsing with MySQL's leniency, formatting.
//
// Packed forms are int64 and order as integers:
//   DATE, DATETIME   ((year*13 + month) << 5 | day) << 41 | hour << 36 | minute << 30 | second <<
//   24
//                    | microsecond; a DATE is a DATETIME at midnight, so the two compare. 0 is
//                    '0000-00-00'; a zero month or day is representable.
//   TIME             microseconds, signed, within ±838:59:59
//   TIMESTAMP        microseconds since 1970-01-01 UTC; 0 stands for '0000-00-00 00:00:00'
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "row/sql_mode.h"

namespace borealis::row {

struct TemporalParts {
  int year = 0;
  int month = 0;
  int day = 0;
  int64_t hour = 0;  // beyond 23 for TIME
  int minute = 0;
  int second = 0;
  int microsecond = 0;
  bool negative = false;  // TIME only

  bool zero_date() const { return year == 0 && month == 0 && day == 0; }
  bool zero_in_date() const { return month == 0 || day == 0; }
};

inline constexpr int64_t kMicrosPerSecond = 1000000;
inline constexpr int64_t kMicrosPerDay = 86400 * kMicrosPerSecond;
inline constexpr int64_t kMaxTime = ((838 * 60 + 59) * 60 + 59) * kMicrosPerSecond;
// '1970-01-01 00:00:01' to '2038-01-19 03:14:07.999999' UTC.
inline constexpr int64_t kMinTimestamp = kMicrosPerSecond;
inline constexpr int64_t kMaxTimestamp = 2147483647 * kMicrosPerSecond + 999999;

int64_t PackDate(const TemporalParts& parts);
int64_t PackDateTime(const TemporalParts& parts);
TemporalParts UnpackDateTime(int64_t packed);  // DATE as well
int64_t DateOf(int64_t packed_datetime);
// Time of day of a DATETIME, as a TIME.
int64_t TimeOf(int64_t packed_datetime);
int64_t PackTime(const TemporalParts& parts);
TemporalParts UnpackTime(int64_t time);

// --- calendar (proleptic Gregorian, as MySQL) ----------------------------------------------------

bool IsLeapYear(int year);
int DaysInMonth(int year, int month);
// TO_DAYS: days since year 0; 0 for a zero date.
int64_t DayNumber(int year, int month, int day);
// FROM_DAYS; sets the date only. A number outside 366 … 3652424 gives the zero date.
TemporalParts DateOfDayNumber(int64_t day_number);
// 0 is Monday, or Sunday when `sunday_first`.
int Weekday(int64_t day_number, bool sunday_first);
// WEEK(date, mode), mode 0 to 7; `year` gets the year the week belongs to.
int WeekOf(const TemporalParts& date, int mode, int* year);
// Microseconds of a DATETIME since 1970 with no time zone; REQUIRES: not a zero month or day.
int64_t MicrosSince1970(const TemporalParts& parts);
TemporalParts PartsOfMicros(int64_t micros);

// --- text and numbers ----------------------------------------------------------------------------

enum class TemporalStatus : uint8_t {
  kOk,
  kTruncated,   // a value was read, characters after it were not
  kOutOfRange,  // looks right, not representable; a TIME is clamped
  kInvalid,     // not a date or time
};

struct ParsedTemporal {
  TemporalParts parts;
  bool has_time = false;    // hours or more were given
  bool has_offset = false;  // '2020-01-01 00:00:00+05:30'
  int offset_seconds = 0;
  int nanosecond_rest = 0;  // digits beyond microseconds, 0 to 999, for rounding
  int fraction_digits = 0;  // as written, at most 6
};

// Text to a date with or without a time. `mode` decides on zero and impossible dates.
TemporalStatus ParseDateTime(std::string_view text, SqlMode mode, ParsedTemporal* out);
// Text to a TIME; text that is a full DATETIME sets out->parts.year and so on as well.
TemporalStatus ParseTime(std::string_view text, ParsedTemporal* out);
// 20240105, 240105, 20240105101112 and the short forms.
TemporalStatus DateTimeOfNumber(int64_t number, SqlMode mode, ParsedTemporal* out);
// 101112 is 10:11:12.
TemporalStatus TimeOfNumber(int64_t number, ParsedTemporal* out);
// Whether the date is one that `mode` lets pass.
bool IsAllowedDate(const TemporalParts& parts, SqlMode mode);

std::string FormatDate(int64_t packed);
std::string FormatDateTime(int64_t packed, int fsp);
std::string FormatTime(int64_t time, int fsp);
// 20240105, 20240105101112, 101112: the number without fraction, signed for TIME.
int64_t NumberOfDate(int64_t packed);
int64_t NumberOfDateTime(int64_t packed);
int64_t NumberOfTime(int64_t time);

// To `fsp` fractional digits, half up (away from zero for TIME), or cut with
// TIME_TRUNCATE_FRACTIONAL in `mode`. False when rounding leaves the range.
bool RoundDateTime(int fsp, SqlMode mode, int64_t* packed);
bool RoundTime(int fsp, SqlMode mode, int64_t* time);
// A parsed DATETIME packed and rounded; false when out of range.
bool FinishDateTime(const ParsedTemporal& parsed, int fsp, SqlMode mode, int64_t* packed);
bool FinishTime(const ParsedTemporal& parsed, int fsp, SqlMode mode, int64_t* time);

// DATE_FORMAT and TIME_FORMAT. False when the format needs a part the value lacks (NULL).
bool FormatTemporal(const TemporalParts& parts, std::string_view format, bool is_time,
                    std::string* out);
// STR_TO_DATE. `out->has_time` and `*has_date` tell what the format set.
TemporalStatus ParseByFormat(std::string_view text, std::string_view format, SqlMode mode,
                             ParsedTemporal* out, bool* has_date);

std::string_view MonthName(int month);              // 1 to 12
std::string_view DayName(int weekday_from_monday);  // 0 to 6

}  // namespace borealis::row
