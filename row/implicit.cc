// Implicit conversions between kinds of values inside expressions.
#include <fmt/format.h>

#include <cmath>

#include "base/mysql_error.h"
#include "row/collation.h"
#include "row/convert.h"
#include "row/date_delimiters.h"
#include "row/json/scalar.h"

namespace borealis::row {

namespace {

Status Truncated(std::string_view type_name, std::string_view text) {
  return UserError(ER_TRUNCATED_WRONG_VALUE, type_name, Printable(text));
}

bool OnlySpaces(std::string_view text) {
  return text.find_first_not_of(" \t\n\v\f\r") == std::string_view::npos;
}

// The digits of a temporal value as a number: 20240105101112.5
Decimal TemporalNumber(const Value& value, const ConversionContext& context) {
  int64_t whole;
  int64_t micros;
  bool negative = false;
  if (value.kind() == ValueKind::kDate) {
    return Decimal::FromInt64(NumberOfDate(value.temporal()));
  }
  if (value.kind() == ValueKind::kTime) {
    whole = NumberOfTime(value.temporal());
    negative = value.temporal() < 0;
    micros = (negative ? -value.temporal() : value.temporal()) % kMicrosPerSecond;
  } else {
    int64_t packed = value.kind() == ValueKind::kTimestamp
                         ? context.time_zone().ToLocal(value.temporal())
                         : value.temporal();
    whole = NumberOfDateTime(packed);
    micros = UnpackDateTime(packed).microsecond;
  }
  if (micros == 0) {
    return Decimal::FromInt64(whole);
  }
  Decimal number;
  Decimal::Parse(fmt::format("{}{}.{:06}", negative ? "-" : "", whole < 0 ? -whole : whole, micros),
                 &number);
  return number;
}

bool IsJson(const Value& value, const Type& type) {
  return type.kind == TypeKind::kJson && value.is_string();
}

class AnyWarning final : public WarningSink {
 public:
  void AddWarning(WarningLevel, int, std::string) override { seen_ = true; }
  bool seen() const { return seen_; }

 private:
  bool seen_ = false;
};

// What the scalar in a JSON value converts to, or `none` for a value that is no scalar. Whatever
// the conversion would warn about is one warning, 3156.
template <class T, class Conversion>
T OfJson(const Value& value, std::string_view what, const ConversionContext& context, T none,
         Conversion convert) {
  Value scalar;
  Type type;
  AnyWarning warning;
  ConversionContext inner = context;
  inner.warnings = &warning;
  JsonView json(value.bytes());
  bool usable = JsonScalarValue(json, &scalar, &type) && json.type() != JsonType::kOpaque;
  T converted = usable ? convert(scalar, type, inner) : none;
  if (!usable || warning.seen()) {
    context.Warn(
        UserError(ER_INVALID_JSON_VALUE_FOR_CAST, what, context.column, context.row_number));
  }
  return converted;
}

// JSON's numbers are no dates, though SQL's are.
bool IsTemporalOperand(const Type& scalar, const ConversionContext& context) {
  if (scalar.is_numeric()) {
    context.Warn(UserError(ER_TRUNCATED_WRONG_VALUE, "datetime", "a number"));
  }
  return !scalar.is_numeric();
}

}  // namespace

double ToDouble(const Value& value, const Type& type, const ConversionContext& context) {
  if (IsJson(value, type)) {
    return OfJson(value, "DOUBLE", context, 0.0, ToDouble);
  }
  switch (value.kind()) {
    case ValueKind::kNull:
      return 0;
    case ValueKind::kInt:
      return static_cast<double>(value.int_value());
    case ValueKind::kUint:
      return static_cast<double>(value.uint_value());
    case ValueKind::kDouble:
      return value.double_value();
    case ValueKind::kDecimal:
      return value.decimal_value().ToDouble();
    case ValueKind::kString: {
      std::string_view text = value.bytes();
      size_t consumed;
      bool overflow;
      double number = DoubleOfText(text, &consumed, &overflow);
      // Text of spaces alone is 0 without a word.
      if (overflow || !OnlySpaces(text.substr(consumed))) {
        context.Warn(Truncated("DOUBLE", text));
      }
      return number;
    }
    default:
      return TemporalNumber(value, context).ToDouble();
  }
}

Decimal ToDecimal(const Value& value, const Type& type, const ConversionContext& context) {
  if (IsJson(value, type)) {
    return OfJson(value, "DECIMAL", context, Decimal(), ToDecimal);
  }
  Decimal number;
  switch (value.kind()) {
    case ValueKind::kNull:
      return number;
    case ValueKind::kInt:
      return Decimal::FromInt64(value.int_value());
    case ValueKind::kUint:
      return Decimal::FromUint64(value.uint_value());
    case ValueKind::kDouble:
      if (Decimal::FromDouble(value.double_value(), &number) == DecimalStatus::kOverflow) {
        context.Warn(Truncated("DECIMAL", DoubleText(value.double_value())));
      }
      return number;
    case ValueKind::kDecimal:
      return value.decimal_value();
    case ValueKind::kString: {
      size_t consumed;
      DecimalStatus status = Decimal::Parse(value.bytes(), &number, &consumed);
      if (status == DecimalStatus::kBadNumber || status == DecimalStatus::kOverflow ||
          !OnlySpaces(value.bytes().substr(consumed))) {
        context.Warn(Truncated("DECIMAL", value.bytes()));
      }
      return number;
    }
    default:
      return TemporalNumber(value, context);
  }
}

namespace {

int64_t IntegerOfText(std::string_view text, const ConversionContext& context, bool* is_unsigned) {
  size_t pos = 0;
  while (pos < text.size() && (text[pos] == ' ' || (text[pos] >= '\t' && text[pos] <= '\r'))) {
    ++pos;
  }
  bool negative = pos < text.size() && text[pos] == '-';
  if (pos < text.size() && (text[pos] == '-' || text[pos] == '+')) {
    ++pos;
  }
  size_t first = pos;
  uint64_t magnitude = 0;
  bool overflow = false;
  for (; pos < text.size() && text[pos] >= '0' && text[pos] <= '9'; ++pos) {
    uint64_t digit = static_cast<uint64_t>(text[pos] - '0');
    overflow |= magnitude > (UINT64_MAX - digit) / 10;
    magnitude = magnitude * 10 + digit;
  }
  uint64_t limit = negative ? uint64_t{1} << 63 : UINT64_MAX;
  if (overflow || magnitude > limit) {
    overflow = true;
    magnitude = limit;
  }
  if (overflow || pos == first || !OnlySpaces(text.substr(pos))) {
    context.Warn(Truncated("INTEGER", text));
  }
  *is_unsigned = !negative && magnitude > INT64_MAX;
  return static_cast<int64_t>(negative ? ~magnitude + 1 : magnitude);
}

// To a whole second first: 10:10:59.9 is 101100. A value at the end of its range stays there.
int64_t IntegerOfTemporal(const Value& value, const ConversionContext& context) {
  if (value.kind() == ValueKind::kDate) {
    return NumberOfDate(value.temporal());
  }
  int64_t whole = value.temporal();
  if (value.kind() == ValueKind::kTime) {
    RoundTime(0, context.sql_mode, &whole);
    return NumberOfTime(whole);
  }
  if (value.kind() == ValueKind::kTimestamp) {
    whole = context.time_zone().ToLocal(whole);
  }
  int64_t rounded = whole;
  return NumberOfDateTime(RoundDateTime(0, context.sql_mode, &rounded) ? rounded : whole);
}

int64_t IntegerOfDecimal(const Decimal& decimal, const ConversionContext& context,
                         bool* is_unsigned) {
  int64_t number;
  *is_unsigned = false;
  if (decimal.ToInt64(&number)) {
    return number;
  }
  if (!decimal.negative()) {
    uint64_t wide;
    bool fits = decimal.ToUint64(&wide);
    if (!fits) {
      context.Warn(Truncated("DECIMAL", decimal.ToString()));
    }
    *is_unsigned = true;
    return static_cast<int64_t>(wide);
  }
  context.Warn(Truncated("DECIMAL", decimal.ToString()));
  return number;
}

}  // namespace

int64_t ToInteger(const Value& value, const Type& type, const ConversionContext& context,
                  bool* is_unsigned) {
  *is_unsigned = false;
  if (IsJson(value, type)) {
    return OfJson(value, "INTEGER", context, int64_t{0},
                  [&](const Value& scalar, const Type& scalar_type, const ConversionContext& to) {
                    return ToInteger(scalar, scalar_type, to, is_unsigned);
                  });
  }
  switch (value.kind()) {
    case ValueKind::kNull:
      return 0;
    case ValueKind::kInt:
      return value.int_value();
    case ValueKind::kUint:
      *is_unsigned = true;
      return value.raw_int();
    case ValueKind::kDouble: {
      double rounded = std::nearbyint(value.double_value());
      if (rounded >= -0x1p63 && rounded < 0x1p63) {
        return static_cast<int64_t>(rounded);
      }
      if (rounded > 0 && rounded < 0x1p64) {
        *is_unsigned = true;
        return static_cast<int64_t>(static_cast<uint64_t>(rounded));
      }
      context.Warn(Truncated("INTEGER", DoubleText(value.double_value())));
      return rounded < 0 ? INT64_MIN : INT64_MAX;
    }
    case ValueKind::kDecimal:
      return IntegerOfDecimal(value.decimal_value(), context, is_unsigned);
    case ValueKind::kString:
      return IntegerOfText(value.bytes(), context, is_unsigned);
    default:
      return IntegerOfTemporal(value, context);
  }
}

bool ToBool(const Value& value, const Type& type, const ConversionContext& context) {
  if (IsJson(value, type)) {
    static const std::string* const zero = new std::string(JsonBytes(JsonNode::Int(0)).value());
    context.Warn(UserError(ER_WARN_JSON_IN_BOOLEAN_CONTEXT));
    return CompareJson(value.bytes(), *zero) != 0;
  }
  switch (value.kind()) {
    case ValueKind::kNull:
      return false;
    case ValueKind::kInt:
    case ValueKind::kUint:
      return value.raw_int() != 0;
    case ValueKind::kDecimal:
      return !value.decimal_value().is_zero();
    case ValueKind::kTime:
    case ValueKind::kTimestamp:
    case ValueKind::kDate:
    case ValueKind::kDateTime:
      return value.temporal() != 0;
    default:
      return ToDouble(value, type, context) != 0;
  }
}

namespace {

// What a number says about fractions of a second.
void AddFraction(const Decimal& number, ParsedTemporal* parsed) {
  Decimal whole;
  Decimal rest;
  number.Truncate(0, &whole);
  Decimal::Sub(number, whole, &rest);
  if (rest.is_zero()) {
    return;
  }
  Decimal scaled;
  int64_t nanos = 0;
  Decimal::Mul(rest, Decimal::FromInt64(1000000000), &scaled);
  scaled.Truncate(0, &scaled);
  scaled.ToInt64(&nanos);
  nanos = nanos < 0 ? -nanos : nanos;
  parsed->parts.microsecond = static_cast<int>(nanos / 1000);
  parsed->nanosecond_rest = static_cast<int>(nanos % 1000);
}

bool WholeOf(const Decimal& number, int64_t* whole) {
  Decimal truncated;
  number.Truncate(0, &truncated);
  return truncated.ToInt64(whole);
}

Status WrongValue(std::string_view type_name, std::string_view text) {
  return Status::User(ER_TRUNCATED_WRONG_VALUE,
                      fmt::format("Incorrect {} value: '{}'", type_name, Printable(text)));
}

}  // namespace

bool ToDateTime(const Value& value, const Type& type, const ConversionContext& context,
                int64_t* packed) {
  if (IsJson(value, type)) {
    return OfJson(value, "DATETIME/TIMESTAMP", context, false,
                  [&](const Value& scalar, const Type& scalar_type, const ConversionContext& to) {
                    return IsTemporalOperand(scalar_type, to) &&
                           ToDateTime(scalar, scalar_type, to, packed);
                  });
  }
  ParsedTemporal parsed;
  TemporalStatus status = TemporalStatus::kOk;
  switch (value.kind()) {
    case ValueKind::kNull:
      return false;
    case ValueKind::kDate:
    case ValueKind::kDateTime:
      *packed = value.temporal();
      return true;
    case ValueKind::kTimestamp:
      *packed = context.time_zone().ToLocal(value.temporal());
      return true;
    case ValueKind::kTime: {
      TemporalParts today = UnpackDateTime(context.current_date);
      if (today.zero_in_date()) {
        return false;
      }
      *packed = PackDateTime(PartsOfMicros(MicrosSince1970(today) + value.temporal()));
      return true;
    }
    case ValueKind::kString:
      status = ParseDateTime(value.bytes(), context.sql_mode, &parsed);
      if (status == TemporalStatus::kOk) {
        WarnOfDelimiters(value.bytes(), context);
      }
      break;
    default: {
      Decimal number = ToDecimal(value, type, context);
      int64_t whole;
      status = WholeOf(number, &whole) ? DateTimeOfNumber(whole, context.sql_mode, &parsed)
                                       : TemporalStatus::kInvalid;
      AddFraction(number, &parsed);
    }
  }
  if (status == TemporalStatus::kInvalid || !FinishDateTime(parsed, 6, context.sql_mode, packed)) {
    context.Warn(WrongValue("datetime", ToText(value, type, context.time_zone())));
    return false;
  }
  if (status == TemporalStatus::kTruncated) {
    context.Warn(Truncated("datetime", value.bytes()));
  }
  if (parsed.has_offset && !parsed.parts.zero_in_date()) {
    *packed = context.time_zone().ToLocal(MicrosSince1970(parsed.parts) -
                                          parsed.offset_seconds * kMicrosPerSecond);
  }
  return true;
}

bool ToTime(const Value& value, const Type& type, const ConversionContext& context, int64_t* time) {
  if (IsJson(value, type)) {
    return OfJson(value, "TIME", context, false,
                  [&](const Value& scalar, const Type& scalar_type, const ConversionContext& to) {
                    return IsTemporalOperand(scalar_type, to) &&
                           ToTime(scalar, scalar_type, to, time);
                  });
  }
  ParsedTemporal parsed;
  TemporalStatus status = TemporalStatus::kOk;
  switch (value.kind()) {
    case ValueKind::kNull:
      return false;
    case ValueKind::kTime:
      *time = value.temporal();
      return true;
    case ValueKind::kDate:
      *time = 0;
      return true;
    case ValueKind::kDateTime:
      *time = TimeOf(value.temporal());
      return true;
    case ValueKind::kTimestamp:
      *time = TimeOf(context.time_zone().ToLocal(value.temporal()));
      return true;
    case ValueKind::kString:
      status = ParseTime(value.bytes(), &parsed);
      break;
    default: {
      Decimal number = ToDecimal(value, type, context);
      int64_t whole;
      if (!WholeOf(number, &whole)) {
        whole = number.negative() ? INT64_MIN : INT64_MAX;
      }
      status = TimeOfNumber(whole, &parsed);
      if (status == TemporalStatus::kOk) {
        parsed.parts.negative = number.negative();
        AddFraction(number, &parsed);
      } else {
        status = TemporalStatus::kInvalid;  // a number that is out of range is no time
      }
    }
  }
  if (status == TemporalStatus::kInvalid) {
    context.Warn(Truncated("time", ToText(value, type, context.time_zone())));
    return false;
  }
  bool fits = FinishTime(parsed, 6, context.sql_mode, time);
  if (status != TemporalStatus::kOk || !fits) {
    context.Warn(Truncated("time", ToText(value, type, context.time_zone())));
  }
  return true;
}

}  // namespace borealis::row
