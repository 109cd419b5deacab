// Dates and times: MySQL's documented answers, and the calendar against itself.
#include "row/temporal.h"

#include <gtest/gtest.h>

#include "row/interval.h"
#include "row/time_zone.h"

namespace borealis::row {
namespace {

constexpr SqlMode kAnyDate = kModeAllowInvalidDates;

std::string Parse(std::string_view text, SqlMode mode = kDefaultSqlMode) {
  ParsedTemporal parsed;
  TemporalStatus status = ParseDateTime(text, mode, &parsed);
  int64_t packed;
  if (status == TemporalStatus::kInvalid || !FinishDateTime(parsed, 6, mode, &packed)) {
    return "invalid";
  }
  std::string shown =
      parsed.has_time ? FormatDateTime(packed, parsed.fraction_digits) : FormatDate(packed);
  return shown + (status == TemporalStatus::kTruncated ? " +" : "");
}

TEST(TemporalTest, ParsesDates) {
  struct Case {
    const char* in;
    const char* out;
  };
  for (Case c : {Case{"2024-01-05", "2024-01-05"},
                 {"2024-1-5", "2024-01-05"},
                 {"20240105", "2024-01-05"},
                 {"240105", "2024-01-05"},
                 {"24-1-5", "2024-01-05"},
                 {"70-1-5", "1970-01-05"},
                 {"69-1-5", "2069-01-05"},
                 {"2024/01/05", "2024-01-05"},
                 {"2024.01.05", "2024-01-05"},
                 {"2024-01-05T10:11:12.5", "2024-01-05 10:11:12.5"},
                 {"2024-01-05 10:11:12", "2024-01-05 10:11:12"},
                 {"2024-01-05 10:11", "2024-01-05 10:11:00"},
                 {"2024-01-05 1:2:3", "2024-01-05 01:02:03"},
                 {"20240105101112", "2024-01-05 10:11:12"},
                 {"20240105T101112", "2024-01-05 10:11:12"},
                 {"2024-01-05 10:11:12.1234567", "2024-01-05 10:11:12.123457"},
                 {"2024-01-05 10:11:12abc", "2024-01-05 10:11:12 +"},
                 {"  2024-01-05  ", "2024-01-05"},
                 {"2024-13-01", "invalid"},
                 {"2024-02-30", "invalid"},
                 {"2023-02-29", "invalid"},
                 {"2024-02-29", "2024-02-29"},
                 {"0000-00-00", "invalid"},
                 {"2024-00-01", "invalid"},
                 {"2024-01-05 24:00:00", "invalid"},
                 {"abc", "invalid"},
                 {"", "invalid"},
                 {"2024", "invalid"},
                 {"2024-01", "invalid"},
                 {"20241301", "invalid"}}) {
    EXPECT_EQ(Parse(c.in), c.out) << c.in;
  }
  EXPECT_EQ(Parse("2024-02-30", kAnyDate), "2024-02-30");
  EXPECT_EQ(Parse("0000-00-00", 0), "0000-00-00");
  EXPECT_EQ(Parse("2024-00-00", 0), "2024-00-00");
}

TEST(TemporalTest, ReadsNumbers) {
  ParsedTemporal p;
  auto shown = [&](int64_t number) -> std::string {
    if (DateTimeOfNumber(number, kDefaultSqlMode, &p) != TemporalStatus::kOk) {
      return "invalid";
    }
    return FormatDateTime(PackDateTime(p.parts), 0);
  };
  EXPECT_EQ(shown(20240105101112), "2024-01-05 10:11:12");
  EXPECT_EQ(shown(240105), "2024-01-05 00:00:00");
  EXPECT_EQ(shown(700101), "1970-01-01 00:00:00");
  EXPECT_EQ(shown(101), "2000-01-01 00:00:00");
  EXPECT_EQ(shown(240105101112), "2024-01-05 10:11:12");
  EXPECT_EQ(shown(1), "invalid");
  EXPECT_EQ(shown(-20240105), "invalid");
  EXPECT_EQ(shown(INT64_MAX), "invalid");
}

TEST(TemporalTest, ParsesTimes) {
  struct Case {
    const char* in;
    const char* out;
    TemporalStatus status;
  };
  using S = TemporalStatus;
  for (Case c : {Case{"10:11:12", "10:11:12", S::kOk},
                 {"10:11:12.123456", "10:11:12.123456", S::kOk},
                 {"10:11", "10:11:00", S::kOk},
                 {"101112", "10:11:12", S::kOk},
                 {"11", "00:00:11", S::kOk},
                 {"1 02:03:04", "26:03:04", S::kOk},
                 {"-1:2:3", "-01:02:03", S::kOk},
                 {"1 5", "29:00:00", S::kOk},
                 {"10:11:12.5", "10:11:12.500000", S::kOk},
                 {"900:00:00", "838:59:59", S::kOutOfRange},
                 {"10:61:00", "", S::kInvalid},
                 {"abc", "", S::kInvalid},
                 {"10:11:12x", "10:11:12", S::kTruncated},
                 {"2024-01-05 10:11:12", "10:11:12", S::kOk}}) {
    ParsedTemporal p;
    TemporalStatus status = ParseTime(c.in, &p);
    EXPECT_EQ(status, c.status) << c.in;
    if (status != S::kInvalid) {
      int64_t time;
      FinishTime(p, 6, 0, &time);
      EXPECT_EQ(FormatTime(time, p.fraction_digits > 0 ? 6 : 0), c.out) << c.in;
    }
  }
}

TEST(TemporalTest, RoundsAndCarries) {
  int64_t packed = PackDateTime({.year = 2024,
                                 .month = 12,
                                 .day = 31,
                                 .hour = 23,
                                 .minute = 59,
                                 .second = 59,
                                 .microsecond = 999500});
  int64_t rounded = packed;
  ASSERT_TRUE(RoundDateTime(3, 0, &rounded));
  EXPECT_EQ(FormatDateTime(rounded, 3), "2025-01-01 00:00:00.000");
  rounded = packed;
  ASSERT_TRUE(RoundDateTime(3, kModeTimeTruncateFractional, &rounded));
  EXPECT_EQ(FormatDateTime(rounded, 3), "2024-12-31 23:59:59.999");
  int64_t last = PackDateTime({.year = 9999,
                               .month = 12,
                               .day = 31,
                               .hour = 23,
                               .minute = 59,
                               .second = 59,
                               .microsecond = 999999});
  EXPECT_FALSE(RoundDateTime(0, 0, &last));
}

TEST(TemporalTest, DayNumbersCountEveryDay) {
  EXPECT_EQ(DayNumber(1970, 1, 1), 719528);
  EXPECT_EQ(DayNumber(0, 1, 1), 1);
  int64_t number = DayNumber(1, 1, 1);
  for (int year = 1; year <= 9999; ++year) {
    for (int month = 1; month <= 12; ++month) {
      for (int day = 1; day <= DaysInMonth(year, month); ++day, ++number) {
        ASSERT_EQ(DayNumber(year, month, day), number);
        if (day == 1 || day == 28) {
          TemporalParts p = DateOfDayNumber(number);
          ASSERT_TRUE(p.year == year && p.month == month && p.day == day) << number;
        }
      }
    }
  }
  EXPECT_EQ(Weekday(DayNumber(2024, 1, 1), false), 0);  // a Monday
}

TEST(TemporalTest, WeeksInEveryMode) {
  // From the manual: WEEK('2008-02-20') = 7, with mode 1 = 8; WEEK('2008-12-31', 1) = 53.
  int year;
  EXPECT_EQ(WeekOf({.year = 2008, .month = 2, .day = 20}, 0, &year), 7);
  EXPECT_EQ(WeekOf({.year = 2008, .month = 2, .day = 20}, 1, &year), 8);
  EXPECT_EQ(WeekOf({.year = 2008, .month = 12, .day = 31}, 1, &year), 53);
  EXPECT_EQ(WeekOf({.year = 2000, .month = 1, .day = 1}, 0, &year), 0);
  EXPECT_EQ(WeekOf({.year = 2000, .month = 1, .day = 1}, 2, &year), 52);
  EXPECT_EQ(year, 1999);
  // 2024-12-30 is a Monday of ISO week 1 of 2025.
  EXPECT_EQ(WeekOf({.year = 2024, .month = 12, .day = 30}, 3, &year), 1);
  EXPECT_EQ(year, 2025);
}

std::string Format(std::string_view date, std::string_view format) {
  ParsedTemporal p;
  EXPECT_EQ(ParseDateTime(date, 0, &p), TemporalStatus::kOk);
  std::string out;
  return FormatTemporal(p.parts, format, false, &out) ? out : "NULL";
}

TEST(TemporalTest, FormatsDirectives) {
  EXPECT_EQ(Format("2009-10-04 22:23:00", "%W %M %Y"), "Sunday October 2009");
  EXPECT_EQ(Format("2007-10-04 22:23:00", "%H:%i:%s"), "22:23:00");
  EXPECT_EQ(Format("1900-10-04 22:23:00", "%D %y %a %d %m %b %j"), "4th 00 Thu 04 10 Oct 277");
  EXPECT_EQ(Format("1997-10-04 22:23:00", "%H %k %I %r %T %S %w"),
            "22 22 10 10:23:00 PM 22:23:00 00 6");
  EXPECT_EQ(Format("1999-01-01", "%X %V"), "1998 52");
  EXPECT_EQ(Format("2006-06-00", "%d"), "00");
  EXPECT_EQ(Format("2006-01-11", "100%% %q %"), "100% q %");
}

std::string StrToDate(std::string_view text, std::string_view format) {
  ParsedTemporal p;
  bool has_date = false;
  if (ParseByFormat(text, format, kDefaultSqlMode, &p, &has_date) == TemporalStatus::kInvalid) {
    return "NULL";
  }
  return has_date ? (p.has_time ? FormatDateTime(PackDateTime(p.parts), 0)
                                : FormatDate(PackDate(p.parts)))
                  : FormatTime(PackTime(p.parts), 0);
}

TEST(TemporalTest, ReadsByFormat) {
  EXPECT_EQ(StrToDate("01,5,2013", "%d,%m,%Y"), "2013-05-01");
  EXPECT_EQ(StrToDate("May 1, 2013", "%M %d,%Y"), "2013-05-01");
  EXPECT_EQ(StrToDate("a09:30:17", "a%h:%i:%s"), "09:30:17");
  EXPECT_EQ(StrToDate("a09:30:17", "%h:%i:%s"), "NULL");
  EXPECT_EQ(StrToDate("09:30:17a", "%h:%i:%s"), "09:30:17");
  EXPECT_EQ(StrToDate("2024-01-05 11:12:13 PM", "%Y-%m-%d %h:%i:%s %p"), "2024-01-05 23:12:13");
  EXPECT_EQ(StrToDate("200442 Monday", "%X%V %W"), "2004-10-18");
  EXPECT_EQ(StrToDate("2024 60", "%Y %j"), "2024-02-29");
  EXPECT_EQ(StrToDate("30/02/2024", "%d/%m/%Y"), "NULL");
}

std::string Plus(std::string_view date, IntervalUnit unit, std::string_view interval,
                 bool subtract = false) {
  ParsedTemporal p;
  ParseDateTime(date, 0, &p);
  Interval i = IsCompositeUnit(unit) ? ParseInterval(unit, interval)
                                     : IntervalOf(unit, std::stoll(std::string(interval)));
  if (!AddInterval(i, subtract, &p.parts)) {
    return "NULL";
  }
  return FormatDateTime(PackDateTime(p.parts), p.parts.microsecond != 0 ? 6 : 0);
}

TEST(IntervalTest, Adds) {
  using U = IntervalUnit;
  EXPECT_EQ(Plus("2018-12-31 23:59:59", U::kSecond, "1"), "2019-01-01 00:00:00");
  EXPECT_EQ(Plus("2024-01-31", U::kMonth, "1"), "2024-02-29 00:00:00");
  EXPECT_EQ(Plus("2100-12-31 23:59:59", U::kMinuteSecond, "1:1"), "2101-01-01 00:01:00");
  EXPECT_EQ(Plus("2025-01-01 00:00:00", U::kDaySecond, "1 1:1:1", true), "2024-12-30 22:58:59");
  EXPECT_EQ(Plus("1900-01-01 00:00:00", U::kDayHour, "-1 10"), "1899-12-30 14:00:00");
  EXPECT_EQ(Plus("1992-12-31 23:59:59.000002", U::kSecondMicrosecond, "1.999999"),
            "1993-01-01 00:00:01.000001");
  EXPECT_EQ(Plus("2024-01-01", U::kYearMonth, "1-2"), "2025-03-01 00:00:00");
  EXPECT_EQ(Plus("9999-12-31", U::kDay, "1"), "NULL");
  EXPECT_EQ(Plus("2024-01-01", U::kYear, "-3000"), "NULL");
  EXPECT_EQ(Plus("2024-01-01", U::kQuarter, "1"), "2024-04-01 00:00:00");
}

TEST(IntervalTest, Differences) {
  using U = IntervalUnit;
  TemporalParts a{.year = 2003, .month = 2, .day = 1};
  TemporalParts b{.year = 2003, .month = 5, .day = 1};
  EXPECT_EQ(TimestampDiff(U::kMonth, a, b), 3);
  EXPECT_EQ(TimestampDiff(U::kYear, {.year = 2002, .month = 5, .day = 1},
                          {.year = 2001, .month = 1, .day = 1}),
            -1);
  EXPECT_EQ(TimestampDiff(U::kMonth, {.year = 2024, .month = 1, .day = 31},
                          {.year = 2024, .month = 2, .day = 29}),
            0);
  EXPECT_EQ(TimestampDiff(U::kDay, a, b), 89);
}

TEST(TimeZoneTest, FindsZones) {
  EXPECT_EQ((*TimeZone::Find("+05:30"))->OffsetAt(0), 19800);
  EXPECT_EQ((*TimeZone::Find("-8:00"))->OffsetAt(0), -28800);
  EXPECT_EQ((*TimeZone::Find("utc"))->OffsetAt(0), 0);
  EXPECT_TRUE(TimeZone::Find("SYSTEM").ok());
  for (const char* bad : {"+15:00", "Mars/Olympus", "../etc/passwd", "", "+5", "/etc/localtime"}) {
    auto zone = TimeZone::Find(bad);
    ASSERT_FALSE(zone.ok()) << bad;
    EXPECT_EQ(zone.status().user_errno(), 1298) << bad;
  }
}

TEST(TimeZoneTest, ConvertsThroughChangesOfClocks) {
  auto found = TimeZone::Find("Europe/Berlin");
  ASSERT_TRUE(found.ok());
  const TimeZone& berlin = **found;
  auto to_utc = [&](std::string_view text, bool* skipped) {
    ParsedTemporal p;
    ParseDateTime(text, 0, &p);
    return FormatDateTime(PackDateTime(PartsOfMicros(berlin.ToUtc(p.parts, skipped))), 0);
  };
  bool skipped;
  EXPECT_EQ(to_utc("2024-01-15 12:00:00", &skipped), "2024-01-15 11:00:00");
  EXPECT_EQ(to_utc("2024-07-15 12:00:00", &skipped), "2024-07-15 10:00:00");
  EXPECT_FALSE(skipped);
  EXPECT_EQ(to_utc("2024-03-31 02:30:00", &skipped), "2024-03-31 01:00:00");
  EXPECT_TRUE(skipped);
  EXPECT_EQ(to_utc("2024-10-27 02:30:00", &skipped), "2024-10-27 00:30:00");  // the first
  EXPECT_EQ(to_utc("2037-07-15 12:00:00", &skipped), "2037-07-15 10:00:00");  // by the rule
  for (int64_t t = 1700000000; t < 1740000000; t += 86400 / 3 + 17) {
    int64_t local = berlin.ToLocal(t * kMicrosPerSecond);
    int64_t back = berlin.ToUtc(UnpackDateTime(local));
    if (back != t * kMicrosPerSecond) {  // only the hour that occurred twice
      EXPECT_EQ(t * kMicrosPerSecond - back, 3600 * kMicrosPerSecond);
    }
  }
}

}  // namespace
}  // namespace borealis::row
