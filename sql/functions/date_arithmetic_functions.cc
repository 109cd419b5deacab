// Adding to dates and times, differences, and conversions between them and numbers.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "sql/functions/functions_internal.h"

namespace borealis::sql {
namespace {

using row::Decimal;
using row::Interval;
using row::IntervalUnit;
using row::TemporalParts;
using row::Type;
using row::TypeKind;
using row::Value;

Status Overflow(const EvalCall& call, Value* out) {
  call.context.conversion.Warn(UserError(ER_DATETIME_FUNCTION_OVERFLOW, "datetime"));
  *out = Value::Null();
  return {};
}

// The amount argument as an interval. A fraction counts for SECOND only; others round.
Interval ReadInterval(const Args& args, size_t i, IntervalUnit unit) {
  if (row::IsCompositeUnit(unit)) {
    std::string buffer;
    return row::ParseInterval(unit, args.Text(i, &buffer));
  }
  if (unit == IntervalUnit::kSecond && NumberClassOf(args.type(i)) != NumberClass::kInteger) {
    Decimal seconds = args.Dec(i);
    Decimal whole;
    Decimal rest;
    seconds.Truncate(0, &whole);
    Decimal::Sub(seconds, whole, &rest);
    Decimal::Mul(rest, Decimal::FromInt64(row::kMicrosPerSecond), &rest);
    int64_t count = 0;
    int64_t micros = 0;
    whole.ToInt64(&count);
    rest.ToInt64(&micros);
    return row::IntervalOf(unit, count, micros);
  }
  if (args[i].is_string()) {  // '1.9' days are 1 by text's integer prefix
    return row::IntervalOf(unit, args.Int(i));
  }
  return row::IntervalOf(unit, args.Int(i));
}

// DATE stays DATE for units of days and more; TIME stays TIME for units below; text gives text.
Type DateAddType(const InferInput& input, size_t date_arg) {
  const Type& a = input.args[date_arg].type;
  IntervalUnit unit = input.options.unit;
  uint8_t fsp = a.is_temporal() ? a.scale : 0;
  if (row::HasMicroseconds(unit)) {
    fsp = 6;
  } else if (unit == IntervalUnit::kSecond && input.args.size() > 1) {
    fsp = std::max(fsp, FspOf(input.args[1 - std::min<size_t>(date_arg, 1)].type));
  }
  switch (a.kind) {
    case TypeKind::kDate:
      return row::HasTimePart(unit) ? Type::DateTime(fsp) : Type::Date();
    case TypeKind::kTime:
      return row::HasDatePart(unit) && unit != IntervalUnit::kDayMicrosecond ? Type::DateTime(fsp)
                                                                             : Type::Time(fsp);
    case TypeKind::kDateTime:
    case TypeKind::kTimestamp:
      return Type::DateTime(fsp);
    default:
      return Type::Varchar(29, input.settings.collation_connection);
  }
}

Status InferDateAdd(const InferInput& input, Type* type) {
  *type = DateAddType(input, 0);
  return {};
}

// Whether a text or number that is read as a date has a time of day as well.
bool HadTime(const Args& args, size_t i) {
  if (!args[i].is_string()) {
    constexpr int64_t kDigitsOfDate = 100000000;  // YYYYMMDD is below
    row::Decimal whole;
    args.Dec(i).Truncate(0, &whole);
    return row::Decimal::Compare(whole, row::Decimal::FromInt64(kDigitsOfDate)) >= 0;
  }
  std::string buffer;
  row::ParsedTemporal parsed;
  return row::ParseDateTime(args.Text(i, &buffer), 0, &parsed) != row::TemporalStatus::kInvalid &&
         parsed.has_time;
}

Status AddToDate(const EvalCall& call, const Args& args, size_t date_arg, size_t amount_arg,
                 Value* out) {
  IntervalUnit unit = call.function.options().unit;
  Interval interval = ReadInterval(args, amount_arg, unit);
  bool subtract = call.function.options().subtract;
  const Type& type = call.function.type();
  *out = Value::Null();
  if (type.kind == TypeKind::kTime) {
    int64_t time;
    if (!args.Time(date_arg, &time)) {
      return {};
    }
    if (!row::AddIntervalToTime(interval, subtract, &time)) {
      call.context.conversion.Warn(UserError(ER_DATETIME_FUNCTION_OVERFLOW, "time"));
      return {};
    }
    *out = Value::Time(time);
    return {};
  }
  int64_t packed;
  if (!args.DateTime(date_arg, &packed)) {
    return {};
  }
  TemporalParts parts = row::UnpackDateTime(packed);
  bool months_only = interval.days == 0 && interval.seconds == 0 && interval.micros == 0;
  if (parts.month == 0 || (parts.day == 0 && !months_only)) {
    return {};
  }
  if (!row::AddInterval(interval, subtract, &parts)) {
    return Overflow(call, out);
  }
  packed = row::PackDateTime(parts);
  if (type.kind == TypeKind::kDate) {
    *out = Value::Date(row::DateOf(packed));
  } else if (type.kind == TypeKind::kDateTime) {
    *out = Value::DateTime(packed);
  } else {  // text: a date unless there is a time
    bool show_time = HadTime(args, date_arg) || row::HasTimePart(unit);
    *out = Value::String(show_time ? row::FormatDateTime(packed, parts.microsecond != 0 ? 6 : 0)
                                   : row::FormatDate(packed));
  }
  return {};
}

Status EvalDateAdd(const EvalCall& call, std::span<const Value> values, Value* out) {
  return AddToDate(call, Args(call, values), 0, 1, out);
}

// TIMESTAMPADD(unit, amount, date)
Status InferTimestampAdd(const InferInput& input, Type* type) {
  *type = DateAddType(input, 1);
  return {};
}

Status EvalTimestampAdd(const EvalCall& call, std::span<const Value> values, Value* out) {
  return AddToDate(call, Args(call, values), 1, 0, out);
}

// Two dates with no zero parts; false (NULL) otherwise.
bool TwoDates(const Args& args, TemporalParts* a, TemporalParts* b) {
  int64_t x;
  int64_t y;
  if (!args.DateTime(0, &x) || !args.DateTime(1, &y)) {
    return false;
  }
  *a = row::UnpackDateTime(x);
  *b = row::UnpackDateTime(y);
  return !a->zero_in_date() && !b->zero_in_date();
}

Status EvalTimestampDiff(const EvalCall& call, std::span<const Value> values, Value* out) {
  TemporalParts a;
  TemporalParts b;
  if (!TwoDates(Args(call, values), &a, &b)) {
    *out = Value::Null();
    return {};
  }
  return SetInt(out, row::TimestampDiff(call.function.options().unit, a, b));
}

Status EvalDateDiff(const EvalCall& call, std::span<const Value> values, Value* out) {
  TemporalParts a;
  TemporalParts b;
  if (!TwoDates(Args(call, values), &a, &b)) {
    *out = Value::Null();
    return {};
  }
  return SetInt(out,
                row::DayNumber(a.year, a.month, a.day) - row::DayNumber(b.year, b.month, b.day));
}

// A time as far as there is one; what lies beyond is told as `shown`.
Status SetTime(const EvalCall& call, int64_t micros, std::string_view shown, Value* out) {
  if (micros > row::kMaxTime || micros < -row::kMaxTime) {
    micros = micros < 0 ? -row::kMaxTime : row::kMaxTime;
    call.context.conversion.Warn(UserError(ER_TRUNCATED_WRONG_VALUE, "time", shown));
  }
  *out = Value::Time(micros);
  return {};
}

Status SetTime(const EvalCall& call, int64_t micros, Value* out) {
  return SetTime(call, micros, row::FormatTime(micros, call.function.type().scale), out);
}

Status InferTimeDiff(const InferInput& input, Type* type) {
  *type = Type::Time(std::max(FspOf(input.args[0]), FspOf(input.args[1])));
  return {};
}

// An argument of TIMEDIFF or ADDTIME: a DATETIME when it has a date, else a TIME.
struct Moment {
  bool is_datetime = false;
  int64_t micros = 0;  // since 1970, or of the TIME
};

bool ReadMoment(const Args& args, size_t i, Moment* moment) {
  const Type& type = args.type(i);
  moment->is_datetime = type.has_date();
  if (type.is_string()) {
    row::ParsedTemporal parsed;
    moment->is_datetime = row::ParseDateTime(args[i].bytes(), row::kModeAllowInvalidDates,
                                             &parsed) != row::TemporalStatus::kInvalid &&
                          parsed.has_time && args[i].bytes().size() >= 12;
  }
  if (!moment->is_datetime) {
    return args.Time(i, &moment->micros);
  }
  int64_t packed;
  if (!args.DateTime(i, &packed)) {
    return false;
  }
  TemporalParts parts = row::UnpackDateTime(packed);
  moment->micros = row::MicrosSince1970(parts);
  return !parts.zero_in_date();
}

Status EvalTimeDiff(const EvalCall& call, std::span<const Value> values, Value* out) {
  Args args(call, values);
  Moment a;
  Moment b;
  *out = Value::Null();
  if (!ReadMoment(args, 0, &a) || !ReadMoment(args, 1, &b) || a.is_datetime != b.is_datetime) {
    return {};
  }
  return SetTime(call, a.micros - b.micros, out);
}

Status InferAddTime(const InferInput& input, Type* type) {
  const Type& a = input.args[0].type;
  uint8_t fsp = std::max(FspOf(input.args[0]), FspOf(input.args[1]));
  if (a.has_date()) {
    *type = Type::DateTime(fsp);
  } else if (a.kind == TypeKind::kTime) {
    *type = Type::Time(fsp);
  } else {
    *type = Type::Varchar(26, input.settings.collation_connection);
  }
  return {};
}

template <int kSign>
Status EvalAddTime(const EvalCall& call, std::span<const Value> values, Value* out) {
  Args args(call, values);
  Moment a;
  Moment delta;
  *out = Value::Null();
  // Of a date that is no text its time is added.
  const bool has_time = args.type(1).has_date() ? args.Time(1, &delta.micros)
                                                : ReadMoment(args, 1, &delta) && !delta.is_datetime;
  if (!ReadMoment(args, 0, &a) || !has_time) {
    return {};
  }
  int64_t micros = a.micros + kSign * delta.micros;
  bool text = call.function.type().is_string();
  if (!a.is_datetime) {
    RETURN_IF_ERROR(SetTime(call, micros, out));
    if (text) {
      *out = Value::String(
          row::FormatTime(out->temporal(), out->temporal() % row::kMicrosPerSecond != 0 ? 6 : 0));
    }
    return {};
  }
  TemporalParts parts = row::PartsOfMicros(micros);
  if (parts.zero_date() || parts.year > 9999) {
    return Overflow(call, out);
  }
  int64_t packed = row::PackDateTime(parts);
  *out = text ? Value::String(row::FormatDateTime(packed, parts.microsecond != 0 ? 6 : 0))
              : Value::DateTime(packed);
  return {};
}

// TIMESTAMP(x[, time])
Status InferTimestamp(const InferInput& input, Type* type) {
  uint8_t fsp = FspOf(input.args[0]);
  if (input.args.size() > 1) {
    fsp = std::max(fsp, FspOf(input.args[1]));
  }
  *type = Type::DateTime(fsp);
  return {};
}

Status EvalTimestamp(const EvalCall& call, std::span<const Value> values, Value* out) {
  Args args(call, values);
  if (args.size() == 1) {
    return CastValue(call.context, args[0], args.type(0), call.function.type(), out);
  }
  int64_t packed;
  int64_t time;
  *out = Value::Null();
  if (!args.DateTime(0, &packed)) {
    return {};
  }
  TemporalParts parts = row::UnpackDateTime(packed);
  if (parts.zero_in_date() || !args.Time(1, &time)) {
    return {};
  }
  parts = row::PartsOfMicros(row::MicrosSince1970(parts) + time);
  if (parts.zero_date() || parts.year > 9999) {
    return Overflow(call, out);
  }
  *out = Value::DateTime(row::PackDateTime(parts));
  return {};
}

Status EvalMakeDate(const EvalCall& call, std::span<const Value> values, Value* out) {
  Args args(call, values);
  int64_t year = args.Int(0);
  int64_t day = args.Int(1);
  *out = Value::Null();
  if (year < 0 || year > 9999 || day <= 0 || day > 3660000) {
    return {};
  }
  if (year < 100) {
    year += year < 70 ? 2000 : 1900;
  }
  TemporalParts parts =
      row::DateOfDayNumber(row::DayNumber(static_cast<int>(year), 1, 1) + day - 1);
  if (!parts.zero_date() && parts.year <= 9999) {
    *out = Value::Date(row::PackDate(parts));
  }
  return {};
}

Status InferMakeTime(const InferInput& input, Type* type) {
  *type = Type::Time(FspOf(input.args[2].type));
  return {};
}

Status EvalMakeTime(const EvalCall& call, std::span<const Value> values, Value* out) {
  Args args(call, values);
  int64_t hour = args.Int(0);
  int64_t minute = args.Int(1);
  Decimal second = args.Dec(2);
  *out = Value::Null();
  Decimal micros_exact;
  int64_t micros = 0;
  Decimal::Mul(second, Decimal::FromInt64(row::kMicrosPerSecond), &micros_exact);
  if (minute < 0 || minute > 59 || second.negative() ||
      Decimal::Compare(second, Decimal::FromInt64(60)) >= 0 || !micros_exact.ToInt64(&micros)) {
    return {};
  }
  const uint64_t hours = hour < 0 ? ~static_cast<uint64_t>(hour) + 1 : static_cast<uint64_t>(hour);
  const int64_t rest = minute * 60 * row::kMicrosPerSecond + micros;
  constexpr uint64_t kTooMany = 1000;
  const int64_t time =
      static_cast<int64_t>(std::min(hours, kTooMany)) * 3600 * row::kMicrosPerSecond + rest;
  const std::string minutes = row::FormatTime(rest, call.function.type().scale).substr(2);
  return SetTime(call, hour < 0 ? -time : time, std::to_string(hours) + minutes, out);
}

Status InferSecToTime(const InferInput& input, Type* type) {
  *type = Type::Time(FspOf(input.args[0].type));
  return {};
}

Status EvalSecToTime(const EvalCall& call, std::span<const Value> values, Value* out) {
  const Decimal seconds = Args(call, values).Dec(0);
  Decimal micros_exact;
  int64_t micros;
  Decimal::Mul(seconds, Decimal::FromInt64(row::kMicrosPerSecond), &micros_exact);
  micros_exact.ToInt64(&micros);
  return SetTime(call, std::clamp(micros, -row::kMaxTime - 1, row::kMaxTime + 1),
                 seconds.ToString(), out);
}

Status EvalFromDays(const EvalCall& call, std::span<const Value> values, Value* out) {
  TemporalParts parts = row::DateOfDayNumber(Args(call, values).Int(0));
  *out = Value::Date(row::PackDate(parts));
  return {};
}

// PERIOD_ADD and PERIOD_DIFF work on YYYYMM or YYMM.
bool PeriodToMonths(int64_t period, int64_t* months) {
  int64_t year = period / 100;
  int64_t month = period % 100;
  if (period <= 0 || month < 1 || month > 12) {
    return false;
  }
  if (year < 100) {
    year += year < 70 ? 2000 : 1900;
  }
  *months = year * 12 + month - 1;
  return true;
}

Status EvalPeriodAdd(const EvalCall& call, std::span<const Value> values, Value* out) {
  Args args(call, values);
  int64_t months;
  if (!PeriodToMonths(args.Int(0), &months)) {
    return UserError(ER_WRONG_ARGUMENTS, "period_add");
  }
  months += std::clamp<int64_t>(args.Int(1), -1000000, 1000000);
  // As in MySQL, numbers that are no years any more wrap around.
  const uint64_t number = static_cast<uint64_t>(months);
  return SetInt(out, months < 0 ? 0 : static_cast<int64_t>(number / 12 * 100 + number % 12 + 1));
}

Status EvalPeriodDiff(const EvalCall& call, std::span<const Value> values, Value* out) {
  Args args(call, values);
  int64_t a;
  int64_t b;
  if (!PeriodToMonths(args.Int(0), &a) || !PeriodToMonths(args.Int(1), &b)) {
    return UserError(ER_WRONG_ARGUMENTS, "period_diff");
  }
  return SetInt(out, a - b);
}

// --- UNIX time, zones
// -----------------------------------------------------------------------------

bool IsNoDate(const FunctionArg& arg, row::SqlMode mode) {
  row::ParsedTemporal parsed;
  return arg.constant != nullptr && arg.constant->is_string() && arg.type.is_string() &&
         row::ParseDateTime(arg.constant->bytes(), mode, &parsed) == row::TemporalStatus::kInvalid;
}

Status InferUnixTimestamp(const InferInput& input, Type* type) {
  uint8_t fsp = input.args.empty() ? 0 : FspOf(input.args[0]);
  if (!input.args.empty() && IsNoDate(input.args[0], input.settings.sql_mode)) {
    fsp = 6;
  }
  *type = fsp == 0 ? Type::BigInt() : Type::Decimal(11U + fsp, fsp);
  return {};
}

Status EvalUnixTimestamp(const EvalCall& call, std::span<const Value> values, Value* out) {
  const Type& type = call.function.type();
  int64_t micros = call.context.now_us;
  if (!values.empty()) {
    Args args(call, values);
    if (args[0].kind() == row::ValueKind::kTimestamp) {
      micros = args[0].temporal();
    } else {
      int64_t packed = 0;  // what is no date stands at 0, too
      const bool dated = args.DateTime(0, &packed);
      TemporalParts parts = row::UnpackDateTime(packed);
      micros =
          !dated || parts.zero_in_date() ? 0 : call.context.conversion.time_zone().ToUtc(parts);
    }
    constexpr int64_t kLast = 32536771199;  // '3001-01-18 23:59:59' UTC
    if (micros < 0 || micros > kLast * row::kMicrosPerSecond + 999999) {
      micros = 0;
    }
  }
  if (type.is_integer()) {
    return SetInt(out, micros / row::kMicrosPerSecond);
  }
  Decimal seconds;
  Decimal::Parse(
      fmt::format("{}.{:06}", micros / row::kMicrosPerSecond, micros % row::kMicrosPerSecond),
      &seconds);
  seconds.Truncate(type.scale, &seconds);
  *out = Value::Dec(seconds);
  return {};
}

Status InferFromUnixtime(const InferInput& input, Type* type) {
  if (input.args.size() > 1) {
    *type = TextType(CharsOf(input.args[1].type) * 10, input.settings.collation_connection);
  } else {
    *type = Type::DateTime(FspOf(input.args[0].type));
  }
  return {};
}

Status EvalFromUnixtime(const EvalCall& call, std::span<const Value> values, Value* out) {
  Args args(call, values);
  Decimal exact;
  int64_t micros;
  *out = Value::Null();
  Decimal::Mul(args.Dec(0), Decimal::FromInt64(row::kMicrosPerSecond), &exact);
  constexpr int64_t kEnd = 32536771200;
  if (!exact.ToInt64(&micros) || micros < 0 || micros >= kEnd * row::kMicrosPerSecond) {
    return {};
  }
  // 0 is the epoch here, not the zero date of a TIMESTAMP column.
  const row::TimeZone& zone = call.context.conversion.time_zone();
  int64_t packed = row::PackDateTime(row::PartsOfMicros(
      micros + zone.OffsetAt(micros / row::kMicrosPerSecond) * row::kMicrosPerSecond));
  if (args.size() == 1) {
    *out = Value::DateTime(packed);
    return {};
  }
  std::string buffer;
  std::string text;
  if (row::FormatTemporal(row::UnpackDateTime(packed), args.Text(1, &buffer), false, &text)) {
    return SetText(call, std::move(text), out);
  }
  return {};
}

Status InferConvertTz(const InferInput& input, Type* type) {
  *type = Type::DateTime(FspOf(input.args[0]));
  return {};
}

Status EvalConvertTz(const EvalCall& call, std::span<const Value> values, Value* out) {
  Args args(call, values);
  int64_t packed;
  std::string from_name;
  std::string to_name;
  auto from = row::TimeZone::Find(args.Text(1, &from_name));
  auto to = row::TimeZone::Find(args.Text(2, &to_name));
  *out = Value::Null();
  if (!from.ok() || !to.ok() || !args.DateTime(0, &packed)) {
    return {};
  }
  TemporalParts parts = row::UnpackDateTime(packed);
  if (parts.zero_in_date()) {
    return {};
  }
  int64_t utc = (*from)->ToUtc(parts);
  constexpr int64_t kEnd = 32536771200;
  bool convertible = utc > 0 && utc < kEnd * row::kMicrosPerSecond;
  *out = Value::DateTime(convertible ? (*to)->ToLocal(utc) : packed);
  return {};
}

}  // namespace

std::span<const FunctionDef> DateArithmeticFunctions() {
  static constexpr FunctionDef kTable[] = {
      {.name = "date_add",
       .min_args = 2,
       .max_args = 2,
       .infer = InferDateAdd,
       .eval = EvalDateAdd,
       .number_args = 0b10},
      {.name = "timestampadd",
       .min_args = 2,
       .max_args = 2,
       .infer = InferTimestampAdd,
       .eval = EvalTimestampAdd,
       .number_args = 1},
      {.name = "timestampdiff",
       .min_args = 2,
       .max_args = 2,
       .infer = InferBigInt,
       .eval = EvalTimestampDiff},
      {.name = "datediff",
       .min_args = 2,
       .max_args = 2,
       .infer = InferBigIntOf<9>,
       .eval = EvalDateDiff},
      {.name = "timediff",
       .min_args = 2,
       .max_args = 2,
       .infer = InferTimeDiff,
       .eval = EvalTimeDiff},
      {.name = "addtime",
       .min_args = 2,
       .max_args = 2,
       .infer = InferAddTime,
       .eval = EvalAddTime<1>},
      {.name = "subtime",
       .min_args = 2,
       .max_args = 2,
       .infer = InferAddTime,
       .eval = EvalAddTime<-1>},
      {.name = "timestamp",
       .min_args = 1,
       .max_args = 2,
       .infer = InferTimestamp,
       .eval = EvalTimestamp},
      {.name = "makedate",
       .min_args = 2,
       .max_args = 2,
       .infer = InferDate,
       .eval = EvalMakeDate,
       .number_args = 0b11},
      {.name = "maketime",
       .min_args = 3,
       .max_args = 3,
       .infer = InferMakeTime,
       .eval = EvalMakeTime,
       .number_args = 0b111},
      {.name = "sec_to_time",
       .min_args = 1,
       .max_args = 1,
       .infer = InferSecToTime,
       .eval = EvalSecToTime,
       .number_args = 1},
      {.name = "from_days",
       .min_args = 1,
       .max_args = 1,
       .infer = InferDate,
       .eval = EvalFromDays,
       .number_args = 1},
      {.name = "period_add",
       .min_args = 2,
       .max_args = 2,
       .infer = InferBigInt,
       .eval = EvalPeriodAdd,
       .number_args = 0b11},
      {.name = "period_diff",
       .min_args = 2,
       .max_args = 2,
       .infer = InferBigInt,
       .eval = EvalPeriodDiff,
       .number_args = 0b11},
      {.name = "unix_timestamp",
       .min_args = 0,
       .max_args = 1,
       .infer = InferUnixTimestamp,
       .eval = EvalUnixTimestamp,
       .stability = Stability::kStatement},
      {.name = "from_unixtime",
       .min_args = 1,
       .max_args = 2,
       .infer = InferFromUnixtime,
       .eval = EvalFromUnixtime,
       .stability = Stability::kStatement,
       .number_args = 1},
      {.name = "convert_tz",
       .min_args = 3,
       .max_args = 3,
       .infer = InferConvertTz,
       .eval = EvalConvertTz},
  };
  return kTable;
}

}  // namespace borealis::sql
