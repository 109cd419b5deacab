// Packed forms, calendar arithmetic and the plain text forms of dates and times.
#include "row/temporal.h"

#include <fmt/format.h>

#include <algorithm>

namespace borealis::row {

namespace {

constexpr int64_t kDay1970 = 719528;  // DayNumber(1970, 1, 1)
constexpr int kMonthDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
constexpr int64_t kPowers[] = {1000000, 100000, 10000, 1000, 100, 10, 1};

std::string Fraction(int microsecond, int fsp) {
  return fsp == 0
             ? std::string()
             : fmt::format(".{:0{}}", microsecond / kPowers[std::min(fsp, 6)], std::min(fsp, 6));
}

}  // namespace

int64_t PackDateTime(const TemporalParts& p) {
  int64_t date = (static_cast<int64_t>(p.year) * 13 + p.month) << 5 | p.day;
  int64_t time = p.hour << 12 | static_cast<int64_t>(p.minute) << 6 | p.second;
  return (date << 17 | time) << 24 | p.microsecond;
}

int64_t PackDate(const TemporalParts& p) {
  return ((static_cast<int64_t>(p.year) * 13 + p.month) << 5 | p.day) << 41;
}

TemporalParts UnpackDateTime(int64_t packed) {
  TemporalParts p;
  int64_t date = packed >> 41;
  p.day = static_cast<int>(date & 31);
  p.month = static_cast<int>((date >> 5) % 13);
  p.year = static_cast<int>((date >> 5) / 13);
  p.hour = packed >> 36 & 31;
  p.minute = static_cast<int>(packed >> 30 & 63);
  p.second = static_cast<int>(packed >> 24 & 63);
  p.microsecond = static_cast<int>(packed & 0xFFFFFF);
  return p;
}

int64_t DateOf(int64_t packed_datetime) {
  return packed_datetime >> 41 << 41;
}

int64_t TimeOf(int64_t packed_datetime) {
  return PackTime(UnpackDateTime(packed_datetime));
}

int64_t PackTime(const TemporalParts& p) {
  int64_t micros = ((p.hour * 60 + p.minute) * 60 + p.second) * kMicrosPerSecond + p.microsecond;
  return p.negative ? -micros : micros;
}

TemporalParts UnpackTime(int64_t time) {
  TemporalParts p;
  p.negative = time < 0;
  int64_t micros = p.negative ? -time : time;
  p.microsecond = static_cast<int>(micros % kMicrosPerSecond);
  int64_t seconds = micros / kMicrosPerSecond;
  p.second = static_cast<int>(seconds % 60);
  p.minute = static_cast<int>(seconds / 60 % 60);
  p.hour = seconds / 3600;
  return p;
}

bool IsLeapYear(int year) {
  return (year % 4 == 0 && year % 100 != 0) || (year % 400 == 0 && year != 0);
}

int DaysInMonth(int year, int month) {
  return month == 2 && IsLeapYear(year) ? 29 : kMonthDays[month - 1];
}

int64_t DayNumber(int year, int month, int day) {
  if (year == 0 && month == 0) {
    return 0;
  }
  int64_t days = 365 * static_cast<int64_t>(year) + 31 * (month - 1) + day;
  int64_t counted = year;
  if (month <= 2) {
    --counted;
  } else {
    days -= (month * 4 + 23) / 10;
  }
  int64_t century_days = (counted / 100 + 1) * 3 / 4;
  return days + counted / 4 - century_days;
}

TemporalParts DateOfDayNumber(int64_t day_number) {
  TemporalParts p;
  if (day_number <= 365 || day_number >= 3652500) {
    return p;
  }
  int64_t year = day_number * 100 / 36525;
  int64_t century_days = ((year - 1) / 100 + 1) * 3 / 4;
  int64_t day_of_year = day_number - year * 365 - (year - 1) / 4 + century_days;
  int64_t in_year;
  while (day_of_year > (in_year = IsLeapYear(static_cast<int>(year)) ? 366 : 365)) {
    day_of_year -= in_year;
    ++year;
  }
  p.year = static_cast<int>(year);
  p.month = 1;
  while (day_of_year > DaysInMonth(p.year, p.month)) {
    day_of_year -= DaysInMonth(p.year, p.month);
    ++p.month;
  }
  p.day = static_cast<int>(day_of_year);
  return p;
}

int Weekday(int64_t day_number, bool sunday_first) {
  return static_cast<int>((day_number + 5 + (sunday_first ? 1 : 0)) % 7);
}

int WeekOf(const TemporalParts& date, int mode, int* year) {
  // MySQL's mode bits: 1 = weeks start on Monday, 2 = range 1 to 53, 4 = week 1 has its first
  // weekday; the last is inverted for weeks that start on Sunday.
  if ((mode & 1) == 0) {
    mode ^= 4;
  }
  bool monday_first = (mode & 1) != 0;
  bool week_year = (mode & 2) != 0;
  bool first_weekday = (mode & 4) != 0;
  int64_t day_number = DayNumber(date.year, date.month, date.day);
  int64_t first_day = DayNumber(date.year, 1, 1);
  int weekday = Weekday(first_day, !monday_first);
  *year = date.year;
  if (date.month == 1 && date.day <= 7 - weekday) {
    if (!week_year && ((first_weekday && weekday != 0) || (!first_weekday && weekday >= 4))) {
      return 0;
    }
    if (week_year && ((first_weekday && weekday != 0) || (!first_weekday && weekday >= 4))) {
      --*year;
      int64_t days = IsLeapYear(*year) ? 366 : 365;
      first_day -= days;
      weekday = static_cast<int>((weekday + 53 * 7 - days) % 7);
    }
  }
  int64_t days;
  if ((first_weekday && weekday != 0) || (!first_weekday && weekday >= 4)) {
    days = day_number - (first_day + (7 - weekday));
  } else {
    days = day_number - (first_day - weekday);
  }
  if (week_year && days >= 52 * 7) {
    weekday = static_cast<int>((weekday + (IsLeapYear(*year) ? 366 : 365)) % 7);
    if ((!first_weekday && weekday < 4) || (first_weekday && weekday == 0)) {
      ++*year;
      return 1;
    }
  }
  return static_cast<int>(days / 7 + 1);
}

int64_t MicrosSince1970(const TemporalParts& p) {
  int64_t days = DayNumber(p.year, p.month, p.day) - kDay1970;
  return ((days * 24 + p.hour) * 60 + p.minute) * 60 * kMicrosPerSecond +
         p.second * kMicrosPerSecond + p.microsecond;
}

TemporalParts PartsOfMicros(int64_t micros) {
  int64_t days = micros / kMicrosPerDay;
  int64_t rest = micros % kMicrosPerDay;
  if (rest < 0) {
    rest += kMicrosPerDay;
    --days;
  }
  TemporalParts p = DateOfDayNumber(days + kDay1970);
  TemporalParts time = UnpackTime(rest);
  p.hour = time.hour;
  p.minute = time.minute;
  p.second = time.second;
  p.microsecond = time.microsecond;
  return p;
}

std::string FormatDate(int64_t packed) {
  TemporalParts p = UnpackDateTime(packed);
  return fmt::format("{:04}-{:02}-{:02}", p.year, p.month, p.day);
}

std::string FormatDateTime(int64_t packed, int fsp) {
  TemporalParts p = UnpackDateTime(packed);
  return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02}{}", p.year, p.month, p.day, p.hour,
                     p.minute, p.second, Fraction(p.microsecond, fsp));
}

std::string FormatTime(int64_t time, int fsp) {
  TemporalParts p = UnpackTime(time);
  return fmt::format("{}{:02}:{:02}:{:02}{}", p.negative ? "-" : "", p.hour, p.minute, p.second,
                     Fraction(p.microsecond, fsp));
}

int64_t NumberOfDate(int64_t packed) {
  TemporalParts p = UnpackDateTime(packed);
  return (static_cast<int64_t>(p.year) * 100 + p.month) * 100 + p.day;
}

int64_t NumberOfDateTime(int64_t packed) {
  TemporalParts p = UnpackDateTime(packed);
  return ((NumberOfDate(packed) * 100 + p.hour) * 100 + p.minute) * 100 + p.second;
}

int64_t NumberOfTime(int64_t time) {
  TemporalParts p = UnpackTime(time);
  int64_t number = (p.hour * 100 + p.minute) * 100 + p.second;
  return p.negative ? -number : number;
}

namespace {

// Adds what rounds `rest` thousandths of a microsecond and the digits beyond fsp half up, or cuts.
int64_t RoundMicros(int64_t micros, int nanosecond_rest, int fsp, SqlMode mode) {
  int64_t unit = kPowers[std::min(fsp, 6)];
  bool up = false;
  if (unit == 1) {
    up = nanosecond_rest >= 500;
  } else {
    up = micros % unit >= unit / 2;
  }
  micros -= micros % unit;
  return micros + (up && (mode & kModeTimeTruncateFractional) == 0 ? unit : 0);
}

bool RoundParts(TemporalParts p, int nanosecond_rest, int fsp, SqlMode mode, int64_t* packed) {
  int64_t micros = RoundMicros(p.microsecond, nanosecond_rest, fsp, mode);
  if (micros < kMicrosPerSecond) {
    p.microsecond = static_cast<int>(micros);
    *packed = PackDateTime(p);
    return true;
  }
  if (p.zero_in_date()) {  // no calendar to carry into: cut
    p.microsecond = static_cast<int>(p.microsecond - p.microsecond % kPowers[std::min(fsp, 6)]);
    *packed = PackDateTime(p);
    return true;
  }
  p.microsecond = 0;
  TemporalParts next = PartsOfMicros(MicrosSince1970(p) + kMicrosPerSecond);
  if (next.zero_date() || next.year > 9999) {
    return false;
  }
  *packed = PackDateTime(next);
  return true;
}

}  // namespace

bool RoundDateTime(int fsp, SqlMode mode, int64_t* packed) {
  return RoundParts(UnpackDateTime(*packed), 0, fsp, mode, packed);
}

bool FinishDateTime(const ParsedTemporal& parsed, int fsp, SqlMode mode, int64_t* packed) {
  return RoundParts(parsed.parts, parsed.nanosecond_rest, fsp, mode, packed);
}

bool RoundTime(int fsp, SqlMode mode, int64_t* time) {
  int64_t magnitude = RoundMicros(*time < 0 ? -*time : *time, 0, fsp, mode);
  *time = *time < 0 ? -magnitude : magnitude;
  return magnitude <= kMaxTime;
}

bool FinishTime(const ParsedTemporal& parsed, int fsp, SqlMode mode, int64_t* time) {
  TemporalParts p = parsed.parts;
  p.negative = false;
  int64_t magnitude = RoundMicros(PackTime(p), parsed.nanosecond_rest, fsp, mode);
  bool fits = magnitude <= kMaxTime;
  magnitude = std::min(magnitude, kMaxTime);
  *time = parsed.parts.negative ? -magnitude : magnitude;
  return fits;
}

}  // namespace borealis::row
