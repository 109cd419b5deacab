// The current time, parts of dates and times, and their text.
#include <algorithm>

#include "sql/functions/functions_internal.h"

namespace borealis::sql {
namespace {

using row::Interval;
using row::IntervalUnit;
using row::TemporalParts;
using row::Type;
using row::TypeKind;
using row::Value;

// --- now
// ------------------------------------------------------------------------------------------

Status InferFsp(const InferInput& input, int64_t* fsp) {
  *fsp = 0;
  if (!input.args.empty() && input.args[0].constant != nullptr) {
    bool is_unsigned;
    *fsp = row::ToInteger(*input.args[0].constant, input.args[0].type, {}, &is_unsigned);
  }
  if (*fsp < 0 || *fsp > 6) {
    return UserError(ER_TOO_BIG_PRECISION, *fsp, "now", 6);
  }
  return {};
}

Status InferNow(const InferInput& input, Type* type) {
  int64_t fsp;
  RETURN_IF_ERROR(InferFsp(input, &fsp));
  *type = Type::DateTime(static_cast<uint8_t>(fsp));
  return {};
}

Status InferCurtime(const InferInput& input, Type* type) {
  int64_t fsp;
  RETURN_IF_ERROR(InferFsp(input, &fsp));
  *type = Type::Time(static_cast<uint8_t>(fsp));
  return {};
}

enum class Zone { kSession, kUtc };

template <Zone zone>
int64_t LocalNow(const EvalCall& call, int64_t utc_micros) {
  return zone == Zone::kUtc ? row::PackDateTime(row::PartsOfMicros(utc_micros))
                            : call.context.conversion.time_zone().ToLocal(utc_micros);
}

// The current time is cut, not rounded, to its digits.
void CutTo(const EvalCall& call, int64_t* packed) {
  row::RoundDateTime(call.function.type().scale, row::kModeTimeTruncateFractional, packed);
}

template <Zone zone>
Status EvalNow(const EvalCall& call, std::span<const Value>, Value* out) {
  int64_t packed = LocalNow<zone>(call, call.context.now_us);
  CutTo(call, &packed);
  *out = Value::DateTime(packed);
  return {};
}

Status EvalSysdate(const EvalCall& call, std::span<const Value>, Value* out) {
  int64_t packed = LocalNow<Zone::kSession>(call, call.context.clock->WallUs());
  CutTo(call, &packed);
  *out = Value::DateTime(packed);
  return {};
}

template <Zone zone>
Status EvalCurdate(const EvalCall& call, std::span<const Value>, Value* out) {
  *out = Value::Date(row::DateOf(LocalNow<zone>(call, call.context.now_us)));
  return {};
}

template <Zone zone>
Status EvalCurtime(const EvalCall& call, std::span<const Value>, Value* out) {
  int64_t packed = LocalNow<zone>(call, call.context.now_us);
  CutTo(call, &packed);
  *out = Value::Time(row::TimeOf(packed));
  return {};
}

// --- parts
// ----------------------------------------------------------------------------------------

// Reads a date that may have zero parts (functions of parts accept '2024-00-00').
bool ReadDate(const EvalCall& call, std::span<const Value> values, size_t i, TemporalParts* parts,
              bool zero_parts = true) {
  Args args(call, values);
  const row::ConversionContext& given = call.context.conversion;
  row::ConversionContext lenient = given;
  lenient.sql_mode &= ~row::kModeNoZeroInDate;
  if (!args[i].is_string()) {  // NO_ZERO_DATE is about what is written
    lenient.sql_mode &= ~row::kModeNoZeroDate;
  }
  int64_t packed;
  if (!row::ToDateTime(args[i], args.type(i), lenient, &packed)) {
    return false;
  }
  *parts = row::UnpackDateTime(packed);
  return zero_parts || !parts->zero_in_date();
}

Status EvalDate(const EvalCall& call, std::span<const Value> values, Value* out) {
  return CastValue(call.context, values[0], call.function.arg_types()[0], Type::Date(), out);
}

Status InferTimeOf(const InferInput& input, Type* type) {
  *type = Type::Time(FspOf(input.args[0]));
  return {};
}

Status EvalTime(const EvalCall& call, std::span<const Value> values, Value* out) {
  int64_t time;
  *out = Args(call, values).Time(0, &time) ? Value::Time(time) : Value::Null();
  return {};
}

// Functions of the date alone. kZeroParts: a zero month or day is fine.
template <int64_t (*kPart)(const TemporalParts&), bool kZeroParts>
Status EvalDatePart(const EvalCall& call, std::span<const Value> values, Value* out) {
  TemporalParts parts;
  if (!ReadDate(call, values, 0, &parts, kZeroParts)) {
    *out = Value::Null();
    return {};
  }
  return SetInt(out, kPart(parts));
}

template <int64_t (*kPart)(const TemporalParts&)>
Status EvalTimePart(const EvalCall& call, std::span<const Value> values, Value* out) {
  int64_t time;
  if (!Args(call, values).Time(0, &time)) {
    *out = Value::Null();
    return {};
  }
  return SetInt(out, kPart(row::UnpackTime(time)));
}

int64_t DayNumberOf(const TemporalParts& p) {
  return row::DayNumber(p.year, p.month, p.day);
}
int64_t Year(const TemporalParts& p) {
  return p.year;
}
int64_t Month(const TemporalParts& p) {
  return p.month;
}
int64_t Day(const TemporalParts& p) {
  return p.day;
}
int64_t Quarter(const TemporalParts& p) {
  return (p.month + 2) / 3;
}
int64_t DayOfWeek(const TemporalParts& p) {
  return row::Weekday(DayNumberOf(p), true) + 1;
}
int64_t WeekdayOf(const TemporalParts& p) {
  return row::Weekday(DayNumberOf(p), false);
}
int64_t DayOfYear(const TemporalParts& p) {
  return DayNumberOf(p) - row::DayNumber(p.year, 1, 1) + 1;
}
int64_t ToDays(const TemporalParts& p) {
  return DayNumberOf(p);
}
int64_t ToSeconds(const TemporalParts& p) {
  return ((DayNumberOf(p) * 24 + p.hour) * 60 + p.minute) * 60 + p.second;
}
int64_t Hour(const TemporalParts& p) {
  return p.hour;
}
int64_t Minute(const TemporalParts& p) {
  return p.minute;
}
int64_t Second(const TemporalParts& p) {
  return p.second;
}
int64_t Microsecond(const TemporalParts& p) {
  return p.microsecond;
}
int64_t TimeToSec(const TemporalParts& p) {
  int64_t seconds = (p.hour * 60 + p.minute) * 60 + p.second;
  return p.negative ? -seconds : seconds;
}

Status EvalWeek(const EvalCall& call, std::span<const Value> values, Value* out) {
  Args args(call, values);
  TemporalParts parts;
  if (!ReadDate(call, values, 0, &parts, false)) {
    *out = Value::Null();
    return {};
  }
  int64_t mode = args.size() > 1 ? args.Int(1) : call.context.default_week_format;
  int year;
  return SetInt(out, row::WeekOf(parts, static_cast<int>(mode & 7), &year));
}

Status EvalWeekOfYear(const EvalCall& call, std::span<const Value> values, Value* out) {
  TemporalParts parts;
  if (!ReadDate(call, values, 0, &parts, false)) {
    *out = Value::Null();
    return {};
  }
  int year;
  return SetInt(out, row::WeekOf(parts, 3, &year));
}

Status EvalYearWeek(const EvalCall& call, std::span<const Value> values, Value* out) {
  Args args(call, values);
  TemporalParts parts;
  if (!ReadDate(call, values, 0, &parts, false)) {
    *out = Value::Null();
    return {};
  }
  int64_t mode = args.size() > 1 ? args.Int(1) : 0;
  int year;
  int week = row::WeekOf(parts, static_cast<int>(mode & 7) | 2, &year);
  return SetInt(out, static_cast<int64_t>(year) * 100 + week);
}

Status EvalDayName(const EvalCall& call, std::span<const Value> values, Value* out) {
  TemporalParts parts;
  *out = ReadDate(call, values, 0, &parts, false)
             ? Value::View(row::DayName(static_cast<int>(WeekdayOf(parts))))
             : Value::Null();
  return {};
}

Status EvalMonthName(const EvalCall& call, std::span<const Value> values, Value* out) {
  TemporalParts parts;
  *out = ReadDate(call, values, 0, &parts) && parts.month != 0
             ? Value::View(row::MonthName(parts.month))
             : Value::Null();
  return {};
}

Status EvalLastDay(const EvalCall& call, std::span<const Value> values, Value* out) {
  TemporalParts parts;
  *out = Value::Null();
  if (ReadDate(call, values, 0, &parts) && parts.month != 0) {
    parts.day = row::DaysInMonth(parts.year, parts.month);
    *out = Value::Date(row::PackDate(parts));
  }
  return {};
}

// Text that is a time of day or longer, and no date with one.
bool IsTimeText(const Args& args, size_t i) {
  std::string buffer;
  const std::string_view text = args.type(i).is_string() ? args.Text(i, &buffer) : "";
  row::ParsedTemporal parsed;
  return text.find(':') != std::string_view::npos &&
         row::ParseTime(text, &parsed) != row::TemporalStatus::kInvalid &&
         parsed.parts.month == 0 && parsed.parts.day == 0;
}

// EXTRACT(unit FROM value): composite units are digits side by side.
Status EvalExtract(const EvalCall& call, std::span<const Value> values, Value* out) {
  IntervalUnit unit = call.function.options().unit;
  TemporalParts p;
  const Args args(call, values);
  // Hours of a TIME are not counted in days. Of its date, which is today's, all others tell.
  if (row::HasTimePart(unit) &&
      (args.type(0).kind == TypeKind::kTime || !row::HasDatePart(unit) || IsTimeText(args, 0))) {
    int64_t time;
    if (!args.Time(0, &time)) {
      *out = Value::Null();
      return {};
    }
    p = row::UnpackTime(time);
  } else if (!ReadDate(call, values, 0, &p)) {
    *out = Value::Null();
    return {};
  }
  int64_t hms = (p.hour * 100 + p.minute) * 100 + p.second;
  int64_t result = 0;
  int week_year;
  switch (unit) {
    case IntervalUnit::kYear:
      result = p.year;
      break;
    case IntervalUnit::kYearMonth:
      result = p.year * 100 + p.month;
      break;
    case IntervalUnit::kQuarter:
      result = Quarter(p);
      break;
    case IntervalUnit::kMonth:
      result = p.month;
      break;
    case IntervalUnit::kWeek:
      result = row::WeekOf(p, static_cast<int>(call.context.default_week_format & 7), &week_year);
      break;
    case IntervalUnit::kDay:
      result = p.day;
      break;
    case IntervalUnit::kDayHour:
      result = p.day * 100 + p.hour;
      break;
    case IntervalUnit::kDayMinute:
      result = p.day * 10000 + p.hour * 100 + p.minute;
      break;
    case IntervalUnit::kDaySecond:
      result = p.day * int64_t{1000000} + hms;
      break;
    case IntervalUnit::kDayMicrosecond:
      result = (p.day * int64_t{1000000} + hms) * 1000000 + p.microsecond;
      break;
    case IntervalUnit::kHour:
      result = p.hour;
      break;
    case IntervalUnit::kHourMinute:
      result = p.hour * 100 + p.minute;
      break;
    case IntervalUnit::kHourSecond:
      result = hms;
      break;
    case IntervalUnit::kHourMicrosecond:
      result = hms * 1000000 + p.microsecond;
      break;
    case IntervalUnit::kMinute:
      result = p.minute;
      break;
    case IntervalUnit::kMinuteSecond:
      result = p.minute * 100 + p.second;
      break;
    case IntervalUnit::kMinuteMicrosecond:
      result = (p.minute * 100 + p.second) * int64_t{1000000} + p.microsecond;
      break;
    case IntervalUnit::kSecond:
      result = p.second;
      break;
    case IntervalUnit::kSecondMicrosecond:
      result = p.second * int64_t{1000000} + p.microsecond;
      break;
    case IntervalUnit::kMicrosecond:
      result = p.microsecond;
  }
  return SetInt(out, p.negative ? -result : result);
}

// --- text
// -----------------------------------------------------------------------------------------

Status InferFormat(const InferInput& input, Type* type) {
  *type = TextType(std::min<uint64_t>(CharsOf(input.args[1].type) * 10, UINT32_MAX),
                   input.settings.collation_connection);
  return {};
}

Status EvalDateFormat(const EvalCall& call, std::span<const Value> values, Value* out) {
  TemporalParts parts;
  std::string buffer;
  std::string text;
  *out = Value::Null();
  if (ReadDate(call, values, 0, &parts) &&
      row::FormatTemporal(parts, Args(call, values).Text(1, &buffer), false, &text)) {
    return SetText(call, std::move(text), out);
  }
  return {};
}

Status EvalTimeFormat(const EvalCall& call, std::span<const Value> values, Value* out) {
  Args args(call, values);
  int64_t time;
  std::string buffer;
  std::string text;
  *out = Value::Null();
  if (args.Time(0, &time) &&
      row::FormatTemporal(row::UnpackTime(time), args.Text(1, &buffer), true, &text)) {
    return SetText(call, std::move(text), out);
  }
  return {};
}

// The format, when constant, says whether the result is a DATE, TIME or DATETIME.
Status InferStrToDate(const InferInput& input, Type* type) {
  *type = Type::DateTime(6);
  const Value* constant = input.args[1].constant;
  if (constant == nullptr || !constant->is_string()) {
    return {};
  }
  bool date = false;
  bool time = false;
  bool micros = false;
  std::string_view format = constant->bytes();
  for (size_t i = 0; i + 1 < format.size(); ++i) {
    if (format[i] == '%') {
      char c = format[++i];
      date |= std::string_view("MbWaDYymcdejwUuVvXx").find(c) != std::string_view::npos;
      time |= std::string_view("HkhIlisSfprT").find(c) != std::string_view::npos;
      micros |= c == 'f';
    }
  }
  uint8_t fsp = micros ? 6 : 0;
  *type = date && time ? Type::DateTime(fsp) : time ? Type::Time(fsp) : Type::Date();
  return {};
}

Status EvalStrToDate(const EvalCall& call, std::span<const Value> values, Value* out) {
  Args args(call, values);
  std::string text;
  std::string format;
  row::ParsedTemporal parsed;
  bool has_date = false;
  row::SqlMode mode = call.context.conversion.sql_mode;
  row::TemporalStatus status =
      row::ParseByFormat(args.Text(0, &text), args.Text(1, &format), mode, &parsed, &has_date);
  const Type& type = call.function.type();
  bool wants_date = type.kind != TypeKind::kTime;
  if (status == row::TemporalStatus::kInvalid ||
      (wants_date && !row::IsAllowedDate(parsed.parts, mode))) {
    // Whatever type the format asks for.
    call.context.conversion.Warn(UserError(ER_WRONG_VALUE_FOR_TYPE, "datetime",
                                           row::Printable(args.Text(0, &text)), "str_to_date"));
    *out = Value::Null();
    return {};
  }
  if (status == row::TemporalStatus::kTruncated) {
    call.context.conversion.Warn(UserError(ER_TRUNCATED_WRONG_VALUE, row::SqlName(type.kind),
                                           row::Printable(args.Text(0, &text))));
  }
  if (type.kind == TypeKind::kTime) {
    *out = Value::Time(row::PackTime(parsed.parts));
  } else if (type.kind == TypeKind::kDate) {
    *out = Value::Date(row::PackDate(parsed.parts));
  } else {
    *out = Value::DateTime(row::PackDateTime(parsed.parts));
  }
  return {};
}

Status EvalGetFormat(const EvalCall& call, std::span<const Value> values, Value* out) {
  Args args(call, values);
  struct Format {
    std::string_view type;
    std::string_view region;
    std::string_view text;
  };
  static constexpr Format kFormats[] = {{"date", "usa", "%m.%d.%Y"},
                                        {"date", "jis", "%Y-%m-%d"},
                                        {"date", "iso", "%Y-%m-%d"},
                                        {"date", "eur", "%d.%m.%Y"},
                                        {"date", "internal", "%Y%m%d"},
                                        {"datetime", "usa", "%Y-%m-%d %H.%i.%s"},
                                        {"datetime", "jis", "%Y-%m-%d %H:%i:%s"},
                                        {"datetime", "iso", "%Y-%m-%d %H:%i:%s"},
                                        {"datetime", "eur", "%Y-%m-%d %H.%i.%s"},
                                        {"datetime", "internal", "%Y%m%d%H%i%s"},
                                        {"time", "usa", "%h:%i:%s %p"},
                                        {"time", "jis", "%H:%i:%s"},
                                        {"time", "iso", "%H:%i:%s"},
                                        {"time", "eur", "%H.%i.%s"},
                                        {"time", "internal", "%H%i%s"}};
  std::string type = row::LowerText(args.TextCopy(0));
  type = type == "timestamp" ? "datetime" : type;
  std::string region = row::LowerText(args.TextCopy(1));
  *out = Value::Null();
  for (const Format& format : kFormats) {
    if (format.type == type && format.region == region) {
      *out = Value::View(format.text);
    }
  }
  return {};
}

}  // namespace

std::span<const FunctionDef> DateFunctions() {
  constexpr Stability kStatement = Stability::kStatement;
#define DATE_PART(NAME, PART, ZERO, WIDTH)                                     \
  {                                                                            \
    .name = NAME, .min_args = 1, .max_args = 1, .infer = InferBigIntOf<WIDTH>, \
    .eval = EvalDatePart<PART, ZERO>                                           \
  }
#define TIME_PART(NAME, PART, WIDTH)                                           \
  {                                                                            \
    .name = NAME, .min_args = 1, .max_args = 1, .infer = InferBigIntOf<WIDTH>, \
    .eval = EvalTimePart<PART>                                                 \
  }
  static constexpr FunctionDef kTable[] = {
      {.name = "now",
       .min_args = 0,
       .max_args = 1,
       .infer = InferNow,
       .eval = EvalNow<Zone::kSession>,
       .stability = kStatement,
       .total = true},
      {.name = "utc_timestamp",
       .min_args = 0,
       .max_args = 1,
       .infer = InferNow,
       .eval = EvalNow<Zone::kUtc>,
       .stability = kStatement,
       .total = true},
      {.name = "sysdate",
       .min_args = 0,
       .max_args = 1,
       .infer = InferNow,
       .eval = EvalSysdate,
       .stability = Stability::kVolatile,
       .total = true},
      {.name = "curdate",
       .infer = InferDate,
       .eval = EvalCurdate<Zone::kSession>,
       .stability = kStatement,
       .total = true},
      {.name = "utc_date",
       .infer = InferDate,
       .eval = EvalCurdate<Zone::kUtc>,
       .stability = kStatement,
       .total = true},
      {.name = "curtime",
       .min_args = 0,
       .max_args = 1,
       .infer = InferCurtime,
       .eval = EvalCurtime<Zone::kSession>,
       .stability = kStatement,
       .total = true},
      {.name = "utc_time",
       .min_args = 0,
       .max_args = 1,
       .infer = InferCurtime,
       .eval = EvalCurtime<Zone::kUtc>,
       .stability = kStatement,
       .total = true},
      {.name = "date", .min_args = 1, .max_args = 1, .infer = InferDate, .eval = EvalDate},
      {.name = "time", .min_args = 1, .max_args = 1, .infer = InferTimeOf, .eval = EvalTime},
      DATE_PART("year", Year, true, 5),
      DATE_PART("month", Month, true, 3),
      DATE_PART("day", Day, true, 3),
      DATE_PART("dayofmonth", Day, true, 3),
      DATE_PART("quarter", Quarter, true, 2),
      DATE_PART("dayofweek", DayOfWeek, false, 2),
      DATE_PART("weekday", WeekdayOf, false, 2),
      DATE_PART("dayofyear", DayOfYear, false, 4),
      DATE_PART("to_days", ToDays, false, 8),
      DATE_PART("to_seconds", ToSeconds, false, 21),
      TIME_PART("hour", Hour, 4),
      TIME_PART("minute", Minute, 3),
      TIME_PART("second", Second, 3),
      TIME_PART("microsecond", Microsecond, 21),
      TIME_PART("time_to_sec", TimeToSec, 10),
      {.name = "week",
       .min_args = 1,
       .max_args = 2,
       .infer = InferBigIntOf<3>,
       .eval = EvalWeek,
       .number_args = 0b10},
      {.name = "weekofyear",
       .min_args = 1,
       .max_args = 1,
       .infer = InferBigIntOf<3>,
       .eval = EvalWeekOfYear},
      {.name = "yearweek",
       .min_args = 1,
       .max_args = 2,
       .infer = InferBigIntOf<7>,
       .eval = EvalYearWeek,
       .number_args = 0b10},
      {.name = "dayname",
       .min_args = 1,
       .max_args = 1,
       .infer = InferAscii<9>,
       .eval = EvalDayName},
      {.name = "monthname",
       .min_args = 1,
       .max_args = 1,
       .infer = InferAscii<9>,
       .eval = EvalMonthName},
      {.name = "last_day", .min_args = 1, .max_args = 1, .infer = InferDate, .eval = EvalLastDay},
      {.name = "extract", .min_args = 1, .max_args = 1, .infer = InferBigInt, .eval = EvalExtract},
      {.name = "date_format",
       .min_args = 2,
       .max_args = 2,
       .infer = InferFormat,
       .eval = EvalDateFormat},
      {.name = "time_format",
       .min_args = 2,
       .max_args = 2,
       .infer = InferFormat,
       .eval = EvalTimeFormat},
      {.name = "str_to_date",
       .min_args = 2,
       .max_args = 2,
       .infer = InferStrToDate,
       .eval = EvalStrToDate},
      {.name = "get_format",
       .min_args = 2,
       .max_args = 2,
       .infer = InferAscii<17>,
       .eval = EvalGetFormat},
  };
#undef DATE_PART
#undef TIME_PART
  return kTable;
}

}  // namespace borealis::sql
