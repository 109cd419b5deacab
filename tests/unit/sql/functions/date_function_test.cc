// Functions of dates and times.
#include <gtest/gtest.h>

#include "call.h"

namespace borealis::sql {
namespace {

using row::IntervalUnit;

TEST(DateFunctionTest, Now) {
  Caller call;
  EXPECT_EQ(call("now", {}), "2024-01-05 10:11:12");
  EXPECT_EQ(call("now", {3}), "2024-01-05 10:11:12.345");
  EXPECT_EQ(call("now", {7}), "error 1426");
  EXPECT_EQ(call("curdate", {}), "2024-01-05");
  EXPECT_EQ(call("curtime", {6}), "10:11:12.345678");
  auto zone = *row::TimeZone::Find("+05:30");
  call.context.conversion.zone = zone.get();
  EXPECT_EQ(call("now", {}), "2024-01-05 15:41:12");
  EXPECT_EQ(call("utc_timestamp", {}), "2024-01-05 10:11:12");
  EXPECT_EQ(call("unix_timestamp", {}), "1704449472");
  EXPECT_EQ(call("unix_timestamp", {"2024-01-05 15:41:12"}), "1704449472");
  EXPECT_EQ(call("from_unixtime", {1704449472}), "2024-01-05 15:41:12");
  EXPECT_EQ(call("from_unixtime", {Dec("0.5")}), "1970-01-01 05:30:00.5");
  EXPECT_EQ(call("from_unixtime", {-1}), "NULL");
  EXPECT_EQ(call("from_unixtime", {1704449472, "%Y %D %M"}), "2024 5th January");
}

TEST(DateFunctionTest, Parts) {
  Caller call;
  EXPECT_EQ(call("year", {"1987-01-01"}), "1987");
  EXPECT_EQ(call("month", {"2008-00-00"}), "0");
  EXPECT_EQ(call("day", {"2007-02-03"}), "3");
  EXPECT_EQ(call("dayofweek", {"2007-02-03"}), "7");
  EXPECT_EQ(call("weekday", {"2008-02-03 22:23:00"}), "6");
  EXPECT_EQ(call("dayofyear", {"2007-02-03"}), "34");
  EXPECT_EQ(call("dayname", {"2007-02-03"}), "Saturday");
  EXPECT_EQ(call("monthname", {"2008-02-03"}), "February");
  EXPECT_EQ(call("quarter", {"2008-04-01"}), "2");
  EXPECT_EQ(call("week", {"2008-02-20"}), "7");
  EXPECT_EQ(call("week", {"2008-02-20", 1}), "8");
  EXPECT_EQ(call("yearweek", {"1987-01-01"}), "198652");
  EXPECT_EQ(call("last_day", {"2004-02-05"}), "2004-02-29");
  EXPECT_EQ(call("last_day", {"2003-03-32"}), "NULL");
  EXPECT_EQ(call("hour", {"272:59:59"}), "272");
  EXPECT_EQ(call("minute", {"2008-02-03 10:05:03"}), "5");
  EXPECT_EQ(call("microsecond", {"12:00:00.123456"}), "123456");
  EXPECT_EQ(call("time_to_sec", {"22:23:00"}), "80580");
  EXPECT_EQ(call("to_days", {"2007-10-07"}), "733321");
  EXPECT_EQ(call("to_days", {950501}), "728779");
  EXPECT_EQ(call("date", {"2003-12-31 01:02:03"}), "2003-12-31");
  EXPECT_EQ(call("time", {"2003-12-31 01:02:03.000123"}), "01:02:03.000123");
  EXPECT_EQ(call("year", {"garbage"}), "NULL");
  EXPECT_EQ(call.warnings.numbers.back(), 1292);
  FunctionOptions options;
  options.unit = IntervalUnit::kYearMonth;
  EXPECT_EQ(call("extract", {"2019-07-02 01:02:03"}, options), "201907");
  options.unit = IntervalUnit::kDayMinute;
  EXPECT_EQ(call("extract", {"2019-07-02 01:02:03"}, options), "20102");
  options.unit = IntervalUnit::kMicrosecond;
  EXPECT_EQ(call("extract", {"2003-01-02 10:30:00.000123"}, options), "123");
  options.unit = IntervalUnit::kHour;
  EXPECT_EQ(call("extract", {Time("-10:20:30")}, options), "-10");
}

std::string Add(Caller& call, Lit date, Lit amount, IntervalUnit unit, bool subtract = false) {
  FunctionOptions options;
  options.unit = unit;
  options.subtract = subtract;
  return call("date_add", {std::move(date), std::move(amount)}, options);
}

TEST(DateFunctionTest, Arithmetic) {
  Caller call;
  using U = IntervalUnit;
  EXPECT_EQ(Add(call, "2018-05-01", 1, U::kDay), "2018-05-02");
  EXPECT_EQ(Add(call, "2020-12-31 23:59:59", 1, U::kSecond), "2021-01-01 00:00:00");
  EXPECT_EQ(Add(call, Date("2018-05-01"), 1, U::kHour), "2018-05-01 01:00:00");
  EXPECT_EQ(row::SqlText(call.type), "datetime");
  EXPECT_EQ(Add(call, Date("2018-05-01"), 1, U::kYear, true), "2017-05-01");
  EXPECT_EQ(row::SqlText(call.type), "date");
  EXPECT_EQ(Add(call, "2024-01-31", 1, U::kMonth), "2024-02-29");
  EXPECT_EQ(Add(call, "1992-12-31 23:59:59.000002", "1.999999", U::kSecondMicrosecond),
            "1993-01-01 00:00:01.000001");
  EXPECT_EQ(Add(call, DateTime("2024-01-01 00:00:00"), Dec("1.5"), U::kSecond),
            "2024-01-01 00:00:01.5");
  EXPECT_EQ(Add(call, Time("10:00:00"), 90, U::kMinute), "11:30:00");
  EXPECT_EQ(Add(call, "9999-12-31", 1, U::kDay), "NULL");
  EXPECT_EQ(call.warnings.numbers.back(), 1441);
  EXPECT_EQ(Add(call, "2024-01-01", Null(), U::kDay), "NULL");
  EXPECT_EQ(call("datediff", {"2007-12-31 23:59:59", "2007-12-30"}), "1");
  EXPECT_EQ(call("timediff", {"2000-01-01 00:00:00", "2000-01-01 00:00:00.000001"}),
            "-00:00:00.000001");
  EXPECT_EQ(call("timediff", {"2008-12-31 23:59:59.000001", "2008-12-30 01:01:01.000002"}),
            "46:58:57.999999");
  FunctionOptions months;
  months.unit = U::kMonth;
  EXPECT_EQ(call("timestampdiff", {"2003-02-01", "2003-05-01"}, months), "3");
  FunctionOptions minutes;
  minutes.unit = U::kMinute;
  EXPECT_EQ(call("timestampadd", {1, "2003-01-02"}, minutes), "2003-01-02 00:01:00");
  EXPECT_EQ(call("addtime", {"2007-12-31 23:59:59.999999", "1 1:1:1.000002"}),
            "2008-01-02 01:01:01.000001");
  EXPECT_EQ(call("addtime", {"01:00:00.999999", "02:00:00.999998"}), "03:00:01.999997");
  EXPECT_EQ(call("subtime", {"2007-12-31 23:59:59.999999", "1 1:1:1.000002"}),
            "2007-12-30 22:58:58.999997");
  EXPECT_EQ(call("makedate", {2011, 32}), "2011-02-01");
  EXPECT_EQ(call("makedate", {2011, 0}), "NULL");
  EXPECT_EQ(call("maketime", {12, 15, 30}), "12:15:30");
  EXPECT_EQ(call("maketime", {12, 60, 30}), "NULL");
  EXPECT_EQ(call("sec_to_time", {2378}), "00:39:38");
  EXPECT_EQ(call("from_days", {730669}), "2000-07-03");
  EXPECT_EQ(call("period_add", {200801, 2}), "200803");
  EXPECT_EQ(call("period_diff", {200802, 200703}), "11");
  EXPECT_EQ(call("period_add", {200813, 1}), "error 1210");
  EXPECT_EQ(call("timestamp", {"2003-12-31 12:00:00", "12:00:00"}), "2004-01-01 00:00:00");
  EXPECT_EQ(call("convert_tz", {"2004-01-01 12:00:00", "+00:00", "+10:00"}), "2004-01-01 22:00:00");
  EXPECT_EQ(call("convert_tz", {"2004-01-01 12:00:00", "GMT", "Mars"}), "NULL");
  EXPECT_EQ(call("addtime", {"10:00:00", DateTime("2024-01-05 10:11:12")}), "20:11:12");
  EXPECT_EQ(call("unix_timestamp", {"2024-01-05 15:41:12.25"}), "1704469272.25");
}

TEST(DateFunctionTest, Text) {
  Caller call;
  EXPECT_EQ(call("date_format", {"2009-10-04 22:23:00", "%W %M %Y"}), "Sunday October 2009");
  EXPECT_EQ(call("time_format", {"100:00:00", "%H %k %h %I %l"}), "100 100 04 04 4");
  EXPECT_EQ(call("str_to_date", {"01,5,2013", "%d,%m,%Y"}), "2013-05-01");
  EXPECT_EQ(row::SqlText(call.type), "date");
  EXPECT_EQ(call("str_to_date", {"2013-05-01 10:20", "%Y-%m-%d %H:%i"}), "2013-05-01 10:20:00");
  EXPECT_EQ(call("str_to_date", {"10:20", "%H:%i"}), "10:20:00");
  EXPECT_EQ(call("str_to_date", {"abc", "%Y"}), "NULL");
  EXPECT_EQ(call.warnings.numbers.back(), 1411);
  EXPECT_EQ(call("get_format", {"DATE", "EUR"}), "%d.%m.%Y");
}

}  // namespace
}  // namespace borealis::sql
