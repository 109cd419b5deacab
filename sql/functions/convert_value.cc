// CAST, implicit conversion and comparison of values of any two types.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "row/json/parse.h"
#include "row/json/scalar.h"
#include "row/json/view.h"
#include "row/shown_bytes.h"
#include "sql/functions/functions_internal.h"

namespace borealis::sql {

using row::Decimal;
using row::DecimalStatus;
using row::Type;
using row::TypeKind;
using row::Value;
using row::ValueKind;

namespace {

Status NodeOf(const EvalContext& context, const Value& value, const Type& type,
              row::JsonNode* out) {
  int64_t local = value.kind() == ValueKind::kTimestamp
                      ? context.conversion.time_zone().ToLocal(value.temporal())
                      : 0;
  return row::JsonOfValue(value, type, local, out);
}

Status CastToInteger(EvalContext& context, const Value& value, const Type& from, const Type& to,
                     Value* out) {
  bool is_unsigned;
  int64_t bits = row::ToInteger(value, from, context.conversion, &is_unsigned);
  bool text = value.is_string() && from.kind != TypeKind::kJson;
  if (text && to.is_unsigned && !is_unsigned && bits < 0) {
    context.conversion.Warn(
        Status::User(ER_UNKNOWN_ERROR,
                     "Cast to unsigned converted negative integer to its positive complement"));
  } else if (text && !to.is_unsigned && is_unsigned && bits < 0) {
    context.conversion.Warn(
        Status::User(ER_UNKNOWN_ERROR,
                     "Cast to signed converted positive out-of-range integer to its negative "
                     "complement"));
  } else if (!text && !to.is_unsigned && is_unsigned && bits < 0 &&
             value.kind() != ValueKind::kUint) {
    bits = INT64_MAX;  // a decimal or double beyond the signed range
  }
  *out = to.is_unsigned ? Value::Uint(static_cast<uint64_t>(bits)) : Value::Int(bits);
  return {};
}

Status CastToDecimal(EvalContext& context, const Value& value, const Type& from, const Type& to,
                     Value* out) {
  Decimal number = row::ToDecimal(value, from, context.conversion);
  Decimal fitted;
  if (number.FitTo(static_cast<int>(to.length), to.scale, &fitted) == DecimalStatus::kOverflow) {
    context.conversion.Warn(UserError(ER_WARN_DATA_OUT_OF_RANGE, "cast", 1));
  }
  *out = Value::Dec(fitted);
  return {};
}

// Text cut to the target's length, with a warning.
Status CastToText(EvalContext& context, const Value& value, const Type& from, const Type& to,
                  Value* out) {
  if (to.kind == TypeKind::kBinary && to.length > context.max_allowed_packet) {
    context.conversion.Warn(
        UserError(ER_WARN_ALLOWED_PACKET_OVERFLOWED, "cast_as_binary", context.max_allowed_packet));
    *out = Value::Null();
    return {};
  }
  std::string text = row::ToText(value, from, context.conversion.time_zone());
  bool binary = to.is_binary_string();
  if (!binary) {
    const row::Charset& charset = row::GetCollation(to.collation).charset();
    if (from.is_binary_string()) {
      text = charset.Decode(text);
      size_t valid = row::ValidUtf8Prefix(text);
      if (valid < text.size()) {
        context.conversion.Warn(
            UserError(ER_INVALID_CHARACTER_STRING, charset.name,
                      row::HexOfBadBytes(std::string_view(text).substr(valid))));
        *out = Value::Null();
        return {};
      }
    } else if (charset.ValidPrefix(text) < text.size()) {
      text = charset.Decode(charset.Encode(text));
    }
  } else if (from.is_text()) {
    text = row::GetCollation(from.collation).charset().Encode(text);
  }
  if (!to.is_blob()) {
    size_t limit =
        binary ? std::min<size_t>(to.length, text.size()) : row::OffsetOfChar(text, to.length);
    if (limit < text.size()) {
      context.conversion.Warn(UserError(
          ER_TRUNCATED_WRONG_VALUE, fmt::format("{}({})", binary ? "BINARY" : "CHAR", to.length),
          binary ? row::PrintableBytes(text) : row::Printable(text)));
      text.resize(limit);
    }
    if (to.kind == TypeKind::kBinary) {
      text.resize(to.length, '\0');
    }
  }
  *out = Value::String(std::move(text));
  return {};
}

Status CastToTemporal(EvalContext& context, const Value& value, const Type& from, const Type& to,
                      Value* out) {
  const row::ConversionContext& conversion = context.conversion;
  *out = Value::Null();
  int64_t time;
  if (to.kind == TypeKind::kTime) {
    if (row::ToTime(value, from, conversion, &time)) {
      row::RoundTime(to.scale, conversion.sql_mode, &time);
      *out = Value::Time(std::clamp(time, -row::kMaxTime, row::kMaxTime));
    }
    return {};
  }
  if (value.kind() == ValueKind::kTimestamp && to.kind == TypeKind::kTimestamp) {
    *out = value;
    return {};
  }
  int64_t packed;
  if (!row::ToDateTime(value, from, conversion, &packed)) {
    return {};
  }
  if (to.kind == TypeKind::kDate) {
    *out = Value::Date(row::DateOf(packed));
    return {};
  }
  if (!row::RoundDateTime(to.scale, conversion.sql_mode, &packed)) {
    conversion.Warn(UserError(ER_DATETIME_FUNCTION_OVERFLOW, "datetime"));
    return {};
  }
  if (to.kind == TypeKind::kDateTime) {
    *out = Value::DateTime(packed);
    return {};
  }
  row::TemporalParts parts = row::UnpackDateTime(packed);
  if (packed == 0) {
    *out = Value::Timestamp(0);
  } else if (!parts.zero_in_date()) {
    *out = Value::Timestamp(conversion.time_zone().ToUtc(parts));
  }
  return {};
}

// A zero date, or one with zeros in it, that the mode does not let be made on purpose.
bool IsRefusedDate(const row::ConversionContext& conversion, const Value& value, const Type& to) {
  if (value.kind() != ValueKind::kDate && value.kind() != ValueKind::kDateTime &&
      value.kind() != ValueKind::kTimestamp) {
    return false;
  }
  const bool zero = value.temporal() == 0;
  const bool zero_in_date = !zero && value.kind() != ValueKind::kTimestamp &&
                            row::UnpackDateTime(value.temporal()).zero_in_date();
  const bool stays_date = value.kind() == ValueKind::kDate && to.kind == TypeKind::kDate;
  const bool has_zeros = zero_in_date || (zero && !stays_date);
  return (zero && (conversion.sql_mode & row::kModeNoZeroDate) != 0) ||
         (has_zeros && (conversion.sql_mode & row::kModeNoZeroInDate) != 0);
}

// Digits, of which what follows them is told. Text that does not begin with a year is none (1525).
bool YearOfText(EvalContext& context, std::string_view text, int64_t* year) {
  constexpr size_t kMostDigits = 4;
  const size_t first = std::min(text.find_first_not_of(' '), text.size());
  size_t end = first;
  *year = 0;
  for (; end < text.size() && text[end] >= '0' && text[end] <= '9' && end - first <= kMostDigits;
       ++end) {
    *year = *year * 10 + (text[end] - '0');
  }
  const bool good = end > first && end - first <= kMostDigits;
  if (!good) {
    context.conversion.Warn(UserError(ER_WRONG_VALUE, "YEAR", row::Printable(text)));
  } else if (end < text.size()) {
    context.conversion.Warn(UserError(ER_TRUNCATED_WRONG_VALUE, "YEAR", row::Printable(text)));
  }
  return good;
}

// A DOUBLE as the nearest FLOAT; 1690 beyond the largest.
Status CastToFloat(EvalContext& context, const Value& value, const Type& from, Value* out) {
  const double number = row::ToDouble(value, from, context.conversion);
  if (std::abs(number) > static_cast<double>(std::numeric_limits<float>::max())) {
    const std::string text = row::ToText(value, from);
    return UserError(ER_DATA_OUT_OF_RANGE, "DOUBLE",
                     fmt::format("cast({} as float)",
                                 value.is_string() ? "'" + row::Printable(text) + "'" : text));
  }
  *out = Value::Double(static_cast<float>(number));
  return {};
}

Status CastToYear(EvalContext& context, const Value& value, const Type& from, Value* out) {
  int64_t year;
  bool is_unsigned;
  if (value.is_temporal()) {
    int64_t packed;
    if (!row::ToDateTime(value, from, context.conversion, &packed)) {
      *out = Value::Null();
      return {};
    }
    year = row::UnpackDateTime(packed).year;
  } else if (value.is_string() && from.kind != TypeKind::kJson) {
    if (!YearOfText(context, value.bytes(), &year)) {
      *out = Value::Null();
      return {};
    }
  } else {
    year = row::ToInteger(value, from, context.conversion, &is_unsigned);
  }
  if (year < 0 || (year > 99 && year < 1901) || year > 2155) {
    context.conversion.Warn(UserError(ER_TRUNCATED_WRONG_VALUE, "YEAR", row::ToText(value, from)));
    *out = Value::Null();
    return {};
  }
  if (year < 100 && (year != 0 || (value.is_string() && from.kind != TypeKind::kJson))) {
    year += year < 70 ? 2000 : 1900;
  }
  *out = Value::Uint(static_cast<uint64_t>(year));
  return {};
}

// Bytes that meet a text are text of its character set. Error: 3854.
Status TextOfBytes(std::string_view bytes, const Type& to, Value* out) {
  const row::Charset& charset = row::GetCollation(to.collation).charset();
  std::string text = charset.Decode(bytes);
  if (charset.ValidPrefix(text) != text.size()) {
    return UserError(ER_IMPOSSIBLE_STRING_CONVERSION, row::EscapedBytes(bytes), "binary",
                     charset.name);
  }
  *out = Value::String(std::move(text));
  return {};
}

// Text is parsed, everything else becomes the JSON value it stands for.
Status CastToJson(EvalContext& context, const Value& value, const Type& from, Value* out) {
  if (from.kind == TypeKind::kJson) {
    *out = value;
    return {};
  }
  row::JsonNode document;
  if (from.is_text() || from.is_enum_or_set()) {
    row::JsonError error;
    if (!row::ParseJson(row::ToText(value, from), &document, &error)) {
      return error.too_deep ? UserError(ER_JSON_DOCUMENT_TOO_DEEP)
                            : UserError(ER_INVALID_JSON_TEXT_IN_PARAM, 1, "cast_as_json",
                                        error.reason, error.position);
    }
  } else {
    RETURN_IF_ERROR(NodeOf(context, value, from, &document));
  }
  ASSIGN_OR_RETURN(std::string bytes, row::JsonBytes(document));
  *out = Value::String(std::move(bytes));
  return {};
}

// The number of the member, or the bits of the members, that a column of the type keeps of the
// value; 0 where it is none. What is wrong with it is told where it is stored.
Status CastToMember(const EvalContext& context, const Value& value, const Type& from,
                    const Type& to, Value* out) {
  row::ConversionContext quiet = context.conversion;
  quiet.strict = false;
  quiet.warnings = nullptr;
  ASSIGN_OR_RETURN(*out, row::StoreConvert(value, from, to, quiet));
  return {};
}

}  // namespace

Status CastValue(EvalContext& context, const Value& value, const Type& from, const Type& to,
                 Value* out) {
  if (value.is_null()) {
    *out = Value::Null();
    return {};
  }
  switch (to.kind) {
    case TypeKind::kDecimal:
      return CastToDecimal(context, value, from, to, out);
    case TypeKind::kFloat:
      return CastToFloat(context, value, from, out);
    case TypeKind::kDouble:
      *out = Value::Double(row::ToDouble(value, from, context.conversion));
      return {};
    case TypeKind::kYear:
      return CastToYear(context, value, from, out);
    case TypeKind::kJson:
      return CastToJson(context, value, from, out);
    case TypeKind::kBit: {
      bool is_unsigned;
      uint64_t bits =
          static_cast<uint64_t>(row::ToInteger(value, from, context.conversion, &is_unsigned));
      *out = Value::Uint(to.length >= 64 ? bits : bits & ((uint64_t{1} << to.length) - 1));
      return {};
    }
    default:
      break;
  }
  if (to.is_integer()) {
    return CastToInteger(context, value, from, to, out);
  }
  if (to.is_temporal()) {
    if (to.has_date() && IsRefusedDate(context.conversion, value, to)) {
      *out = Value::Null();
      return {};
    }
    return CastToTemporal(context, value, from, to, out);
  }
  if (to.is_string()) {
    return CastToText(context, value, from, to, out);
  }
  if (to.is_enum_or_set()) {
    return CastToMember(context, value, from, to, out);
  }
  if (to.is_null()) {
    *out = value;
    return {};
  }
  return UserError(ER_NOT_SUPPORTED_YET, fmt::format("conversion to {}", row::SqlText(to)));
}

Status ConvertValue(EvalContext& context, const Value& value, const Type& from, const Type& to,
                    Value* out) {
  if (value.is_null()) {
    *out = Value::Null();
    return {};
  }
  if (to.kind ==
      TypeKind::kJson) {  // as a comparison with JSON takes the value: text is not parsed
    row::JsonNode node;
    RETURN_IF_ERROR(NodeOf(context, value, from, &node));
    ASSIGN_OR_RETURN(std::string bytes, row::JsonBytes(node));
    *out = Value::String(std::move(bytes));
    return {};
  }
  if (to.is_text() && from.is_binary_string()) {
    return TextOfBytes(value.bytes(), to, out);
  }
  if (to.is_string()) {
    if (value.is_string() && from.kind != TypeKind::kJson) {
      *out = value.Borrow();
    } else {
      *out = Value::String(row::ToText(value, from, context.conversion.time_zone()));
    }
    return {};
  }
  if (to.is_decimal()) {  // keeps digits beyond the type's scale: a comparison sees all of them
    Decimal number = row::ToDecimal(value, from, context.conversion);
    if (number.scale() < to.scale) {
      Decimal scaled;
      number.Round(to.scale, &scaled);
      number = scaled;
    }
    *out = Value::Dec(number);
    return {};
  }
  if (to.is_integer() && value.kind() != ValueKind::kString) {
    bool is_unsigned;
    int64_t bits = row::ToInteger(value, from, context.conversion, &is_unsigned);
    if (to.is_unsigned) {
      *out = Value::Uint(!is_unsigned && bits < 0 ? 0 : static_cast<uint64_t>(bits));
    } else {
      *out = Value::Int(is_unsigned && bits < 0 ? INT64_MAX : bits);
    }
    return {};
  }
  if (to.is_temporal()) {
    return CastToTemporal(context, value, from, to, out);
  }
  return CastValue(context, value, from, to, out);
}

int CompareValues(const Type& type, const Value& a, const Value& b) {
  auto three = [](auto x, auto y) { return x < y ? -1 : (y < x ? 1 : 0); };
  if (a.is_string() && b.is_string() && type.kind == TypeKind::kJson) {
    return row::CompareJson(a.bytes(), b.bytes());
  }
  if (a.is_string() && b.is_string()) {
    int order = type.is_text() ? row::GetCollation(type.collation).Compare(a.bytes(), b.bytes())
                               : a.bytes().compare(b.bytes());
    return three(order, 0);
  }
  if (a.is_temporal() && b.is_temporal()) {
    return three(a.temporal(), b.temporal());
  }
  bool a_int = a.kind() == ValueKind::kInt || a.kind() == ValueKind::kUint;
  bool b_int = b.kind() == ValueKind::kInt || b.kind() == ValueKind::kUint;
  if (a_int && b_int) {
    bool a_negative = a.kind() == ValueKind::kInt && a.raw_int() < 0;
    bool b_negative = b.kind() == ValueKind::kInt && b.raw_int() < 0;
    if (a_negative != b_negative) {
      return a_negative ? -1 : 1;
    }
    return three(static_cast<uint64_t>(a.raw_int()), static_cast<uint64_t>(b.raw_int()));
  }
  row::ConversionContext quiet;
  if (a.kind() == ValueKind::kDouble || b.kind() == ValueKind::kDouble || a.is_string() ||
      b.is_string()) {
    return three(row::ToDouble(a, type, quiet), row::ToDouble(b, type, quiet));
  }
  return Decimal::Compare(row::ToDecimal(a, type, quiet), row::ToDecimal(b, type, quiet));
}

int CompareMixed(EvalContext& context, const Value& a, const Type& a_type, const Value& b,
                 const Type& b_type, const row::Collation& collation, bool* comparable) {
  *comparable = true;
  auto three = [](auto x, auto y) { return x < y ? -1 : (y < x ? 1 : 0); };
  auto textual = [](const Type& type) { return type.is_string() || type.is_enum_or_set(); };
  const row::ConversionContext& conversion = context.conversion;
  if (a_type.kind == TypeKind::kJson || b_type.kind == TypeKind::kJson) {
    Value x;
    Value y;
    *comparable = ConvertValue(context, a, a_type, Type::Json(), &x).ok() &&
                  ConvertValue(context, b, b_type, Type::Json(), &y).ok();
    return *comparable ? row::CompareJson(x.bytes(), y.bytes()) : 0;
  }
  if (textual(a_type) && textual(b_type)) {
    std::string x = row::ToText(a, a_type);
    std::string y = row::ToText(b, b_type);
    return three(collation.Compare(x, y), 0);
  }
  if ((a_type.is_temporal() && (b_type.is_temporal() || textual(b_type))) ||
      (b_type.is_temporal() && textual(a_type))) {
    const Type& temporal = a_type.is_temporal() ? a_type : b_type;
    const Type& other = a_type.is_temporal() ? b_type : a_type;
    int64_t x = 0;
    int64_t y = 0;
    bool times =
        temporal.kind == TypeKind::kTime && (other.kind == TypeKind::kTime || textual(other));
    *comparable =
        times ? row::ToTime(a, a_type, conversion, &x) && row::ToTime(b, b_type, conversion, &y)
              : row::ToDateTime(a, a_type, conversion, &x) &&
                    row::ToDateTime(b, b_type, conversion, &y);
    return three(x, y);
  }
  NumberClass wider = std::max(NumberClassOf(a_type), NumberClassOf(b_type));
  if (wider == NumberClass::kDouble) {
    return three(row::ToDouble(a, a_type, conversion), row::ToDouble(b, b_type, conversion));
  }
  if (wider == NumberClass::kInteger && !a.is_temporal() && !b.is_temporal()) {
    return CompareValues(a_type, a, b);
  }
  return Decimal::Compare(row::ToDecimal(a, a_type, conversion),
                          row::ToDecimal(b, b_type, conversion));
}

}  // namespace borealis::sql
