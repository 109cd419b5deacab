// Assignment of values to columns: ranges, lengths, members, dates, character sets.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>

#include "base/mysql_error.h"
#include "row/collation.h"
#include "row/convert.h"
#include "row/date_delimiters.h"
#include "row/json/parse.h"
#include "row/json/scalar.h"
#include "row/json/text.h"
#include "row/shown_bytes.h"

namespace borealis::row {

namespace {

bool OnlyWhite(std::string_view text) {
  return text.find_first_not_of(" \t\n\v\f\r") == std::string_view::npos;
}

// Longer digits are no number of a member, whatever they say.
constexpr size_t kEnumDigitsMax = 5;
constexpr size_t kSetDigitsMax = 21;

// Of text that is digits and nothing else, but for white space before them.
std::optional<uint64_t> WholeNumber(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(" \t\n\v\f\r"), text.size()));
  if (!text.empty() && text.front() == '+') {
    text.remove_prefix(1);
  }
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() ? std::optional(number)
                                                                  : std::nullopt;
}

void CutTrailingSpaces(std::string* text) {
  text->resize(text->find_last_not_of(' ') + 1);
}

// One assignment. Each Store… gives the value to keep; Fail turns a misfit into the statement's
// error or into a warning, after which the adjusted value is kept.
class Assignment {
 public:
  Assignment(const Value& value, const Type& from, const Type& to, const ConversionContext& context)
      : value_(value), from_(from), to_(to), context_(context) {}

  Result<Value> Run();

 private:
  Status Fail(Status error) const {
    if (context_.strict) {
      return error;
    }
    context_.Warn(error);
    return {};
  }
  Status OutOfRange() const {
    return UserError(ER_WARN_DATA_OUT_OF_RANGE, context_.column, context_.row_number);
  }
  Status DataTruncated() const {
    return UserError(WARN_DATA_TRUNCATED, context_.column, context_.row_number);
  }
  Status TooLong() const {
    return context_.strict ? UserError(ER_DATA_TOO_LONG, context_.column, context_.row_number)
                           : DataTruncated();
  }
  Status Incorrect(std::string_view what) const {
    return UserError(ER_TRUNCATED_WRONG_VALUE_FOR_FIELD, what, Shown(), context_.column,
                     context_.row_number);
  }
  // Lenient mode words it as 1264 or 1265; strict as 1292.
  Status WrongTemporal(std::string_view what, bool out_of_range) const {
    if (!context_.strict) {
      return out_of_range ? OutOfRange() : DataTruncated();
    }
    return WrongTemporal(what, Shown());
  }
  Status WrongTemporal(std::string_view what, std::string_view shown) const {
    return Status::User(ER_TRUNCATED_WRONG_VALUE,
                        fmt::format("Incorrect {} value: '{}' for column '{}' at row {}", what,
                                    shown, context_.column, context_.row_number));
  }
  // Part of the value is lost, which is no error in any mode.
  void NoteCut(std::string_view what) const;
  std::string Text() const { return ToText(value_, from_, context_.time_zone()); }
  std::string Shown() const {
    return from_.is_binary_string() ? PrintableBytes(Text()) : Printable(Text());
  }
  bool IsOutOfRange(const TemporalParts& parts) const;

  // The value as an exact number; text with characters left over fails as MySQL words it.
  Status ReadNumber(std::string_view what, Decimal* number);
  Result<Value> StoreInteger();
  Result<Value> StoreDecimal();
  Result<Value> StoreFloating();
  Result<Value> StoreBit();
  Result<Value> StoreYear();
  Result<Value> StoreDateTime();
  Result<Value> StoreTime();
  Result<Value> StoreText();
  Result<Value> StoreBinary();
  Result<Value> StoreEnum();
  Result<Value> StoreSet();
  Result<Value> StoreJson();
  Result<Value> StoreJsonAs();
  Status InvalidJson(std::string_view reason, size_t position) const;
  Status CheckCharacters(std::string* text);

  const Value& value_;
  const Type& from_;
  const Type& to_;
  const ConversionContext& context_;
};

Result<Value> Assignment::Run() {
  if (value_.is_null()) {
    return Value::Null();
  }
  if (from_.kind == TypeKind::kJson && value_.is_string()) {
    return to_.kind == TypeKind::kJson ? Result<Value>(value_) : StoreJsonAs();
  }
  switch (to_.kind) {
    case TypeKind::kNull:
      return value_;
    case TypeKind::kDecimal:
      return StoreDecimal();
    case TypeKind::kFloat:
    case TypeKind::kDouble:
      return StoreFloating();
    case TypeKind::kBit:
      return StoreBit();
    case TypeKind::kYear:
      return StoreYear();
    case TypeKind::kDate:
    case TypeKind::kDateTime:
    case TypeKind::kTimestamp:
      return StoreDateTime();
    case TypeKind::kTime:
      return StoreTime();
    case TypeKind::kEnum:
      return StoreEnum();
    case TypeKind::kSet:
      return StoreSet();
    case TypeKind::kJson:
      return StoreJson();
    default:
      break;
  }
  if (to_.is_integer()) {
    return StoreInteger();
  }
  return to_.is_text() ? StoreText() : StoreBinary();
}

Status Assignment::ReadNumber(std::string_view what, Decimal* number) {
  if (!value_.is_string()) {
    *number = ToDecimal(value_, from_, context_);
    return {};
  }
  size_t consumed;
  DecimalStatus status = Decimal::Parse(value_.bytes(), number, &consumed);
  if (status == DecimalStatus::kBadNumber) {
    return Fail(Incorrect(what));
  }
  if (!OnlyWhite(value_.bytes().substr(consumed))) {
    return Fail(DataTruncated());
  }
  return {};
}

Result<Value> Assignment::StoreInteger() {
  if (value_.kind() == ValueKind::kInt) {  // the usual case
    int64_t number = value_.int_value();
    if (!to_.is_unsigned && number >= MinSigned(to_) && number <= MaxSigned(to_)) {
      return Value::Int(number);
    }
    if (to_.is_unsigned && number >= 0 && static_cast<uint64_t>(number) <= MaxUnsigned(to_)) {
      return Value::Uint(static_cast<uint64_t>(number));
    }
  }
  if (value_.kind() == ValueKind::kDouble) {  // rounds half to even, as the machine does
    double number = std::nearbyint(value_.double_value());
    double low = to_.is_unsigned ? 0 : static_cast<double>(MinSigned(to_));
    double high = to_.is_unsigned ? static_cast<double>(MaxUnsigned(to_))
                                  : static_cast<double>(MaxSigned(to_));
    bool wide = to_.kind == TypeKind::kBigInt;  // its limit is not a double: 2^63 is beyond it
    if (number < low || number > high || (wide && number >= high)) {
      RETURN_IF_ERROR(Fail(OutOfRange()));
      if (to_.is_unsigned) {
        return Value::Uint(number < low ? 0 : MaxUnsigned(to_));
      }
      return Value::Int(number < low ? MinSigned(to_) : MaxSigned(to_));
    }
    return to_.is_unsigned ? Value::Uint(static_cast<uint64_t>(number))
                           : Value::Int(static_cast<int64_t>(number));
  }
  Decimal number;
  RETURN_IF_ERROR(ReadNumber("integer", &number));
  if (to_.is_unsigned) {
    uint64_t stored;
    bool fits = number.ToUint64(&stored) && !number.negative();
    if (!fits || stored > MaxUnsigned(to_)) {
      RETURN_IF_ERROR(Fail(OutOfRange()));
      stored = std::min(stored, MaxUnsigned(to_));
    }
    return Value::Uint(stored);
  }
  int64_t stored;
  bool fits = number.ToInt64(&stored);
  if (!fits || stored < MinSigned(to_) || stored > MaxSigned(to_)) {
    RETURN_IF_ERROR(Fail(OutOfRange()));
    stored = std::clamp(stored, MinSigned(to_), MaxSigned(to_));
  }
  return Value::Int(stored);
}

Result<Value> Assignment::StoreDecimal() {
  Decimal number;
  RETURN_IF_ERROR(ReadNumber("decimal", &number));
  Decimal stored;
  DecimalStatus status = number.FitTo(static_cast<int>(to_.length), to_.scale, &stored);
  if (to_.is_unsigned && number.negative() && !number.is_zero()) {  // also what rounds to 0
    RETURN_IF_ERROR(Fail(OutOfRange()));
    Decimal().Round(to_.scale, &stored);
  } else if (status == DecimalStatus::kOverflow) {
    RETURN_IF_ERROR(Fail(OutOfRange()));
  } else if (status == DecimalStatus::kTruncated && value_.kind() != ValueKind::kDouble) {
    context_.Note(DataTruncated());
  }
  return Value::Dec(stored);
}

Result<Value> Assignment::StoreFloating() {
  double number;
  bool overflow = false;
  if (value_.is_string()) {
    size_t consumed;
    number = DoubleOfText(value_.bytes(), &consumed, &overflow);
    if (consumed == 0 || !OnlyWhite(value_.bytes().substr(consumed))) {
      RETURN_IF_ERROR(Fail(DataTruncated()));
    }
  } else {
    number = ToDouble(value_, from_, context_);
  }
  double limit = to_.kind == TypeKind::kFloat ? 3.402823466e+38 : 1.7976931348623157e+308;
  if (to_.scale < Type::kFloatingScale) {  // FLOAT(M, D)
    double unit = std::pow(10.0, to_.scale);
    limit = std::min(limit, (std::pow(10.0, to_.length) - 1) / unit);
    double whole = std::floor(number);
    number = whole + std::nearbyint((number - whole) * unit) / unit;
  }
  if (to_.is_unsigned && number < 0) {
    overflow = true;
    number = 0;
  } else if (std::fabs(number) > limit) {
    overflow = true;
    number = number < 0 ? -limit : limit;
  }
  if (overflow) {
    RETURN_IF_ERROR(Fail(OutOfRange()));
  }
  return Value::Double(to_.kind == TypeKind::kFloat ? static_cast<float>(number) : number);
}

Result<Value> Assignment::StoreBit() {
  uint64_t bits = 0;
  bool fits = true;
  if (value_.is_string()) {
    for (char byte : value_.bytes()) {
      fits &= bits >> 56 == 0;
      bits = bits << 8 | static_cast<uint8_t>(byte);
    }
  } else {
    bool is_unsigned;
    bits = static_cast<uint64_t>(ToInteger(value_, from_, context_, &is_unsigned));
  }
  uint64_t limit = to_.length >= 64 ? UINT64_MAX : (uint64_t{1} << to_.length) - 1;
  if (!fits || bits > limit) {
    // By the mode alone: IGNORE does not change which of the two it is.
    RETURN_IF_ERROR(Fail(IsStrict(context_.sql_mode)
                             ? UserError(ER_DATA_TOO_LONG, context_.column, context_.row_number)
                             : OutOfRange()));
    bits = limit;
  }
  return Value::Uint(bits);
}

Result<Value> Assignment::StoreYear() {
  if (value_.is_temporal() && value_.kind() != ValueKind::kTime) {
    int64_t packed = value_.kind() == ValueKind::kTimestamp
                         ? context_.time_zone().ToLocal(value_.temporal())
                         : value_.temporal();
    return Assignment(Value::Int(UnpackDateTime(packed).year), Type::BigInt(), to_, context_)
        .StoreYear();
  }
  Decimal number;
  RETURN_IF_ERROR(ReadNumber("integer", &number));
  int64_t year;
  bool fits = number.ToInt64(&year);
  if (!fits || year < 0 || (year > 99 && year < 1901) || year > 2155) {
    RETURN_IF_ERROR(Fail(OutOfRange()));
    return Value::Uint(0);
  }
  bool written_short = value_.is_string() && value_.bytes().size() < 4;
  if (year < 100 && (year != 0 || written_short)) {
    year += year < 70 ? 2000 : 1900;
  }
  return Value::Uint(static_cast<uint64_t>(year));
}

void Assignment::NoteCut(std::string_view what) const {
  if (!context_.strict) {
    context_.Note(DataTruncated());
    return;
  }
  // Of a date and time the fraction has been rounded before; a TIME's is not looked at.
  int64_t rounded = 0;
  Type whole = from_;
  whole.scale = 0;
  const bool has_date = value_.is_temporal() && value_.kind() != ValueKind::kTime;
  if (has_date && ToDateTime(value_, from_, context_, &rounded) &&
      RoundDateTime(0, context_.sql_mode, &rounded)) {
    context_.Note(WrongTemporal(what, ToText(Value::DateTime(rounded), Type::DateTime(0))));
  } else {
    context_.Note(WrongTemporal(what, value_.is_temporal() ? ToText(value_, whole) : Shown()));
  }
}

// Whether what is no date is told as out of range, and not as malformed: as 8.0's str_to_datetime
// and number_to_datetime tell them apart. Of text, each part has to be possible by itself.
bool Assignment::IsOutOfRange(const TemporalParts& parts) const {
  if (value_.is_string()) {
    return parts.zero_date()
               ? value_.bytes().starts_with('0') &&
                     value_.bytes().find_first_of("123456789") == std::string_view::npos
               : parts.month <= 12 && parts.day <= 31 && parts.hour <= 23 && parts.minute <= 59 &&
                     parts.second <= 59;
  }
  if (value_.is_temporal()) {
    return true;
  }
  constexpr double kGreatest = 99991231235959;
  const double number = ToDouble(value_, from_, ConversionContext());
  return number <= 0 || number > kGreatest;
}

Result<Value> Assignment::StoreDateTime() {
  std::string_view what = to_.kind == TypeKind::kDate ? "date" : "datetime";
  ParsedTemporal parsed;
  TemporalStatus status = TemporalStatus::kOk;
  ConversionContext quiet = context_;
  quiet.warnings = nullptr;
  int64_t packed = 0;
  bool zero = false;
  if (value_.is_string()) {
    status = ParseDateTime(value_.bytes(), context_.sql_mode, &parsed);
    if (status == TemporalStatus::kOk) {
      WarnOfDelimiters(value_.bytes(), context_);
    }
  } else if (value_.is_temporal()) {
    if (value_.kind() == ValueKind::kTimestamp && to_.kind == TypeKind::kTimestamp &&
        to_.scale >= 6) {
      return value_;
    }
    if (!ToDateTime(value_, from_, quiet, &packed)) {
      status = TemporalStatus::kInvalid;
    }
    parsed.parts = UnpackDateTime(packed);
    if (!IsAllowedDate(parsed.parts, context_.sql_mode)) {
      status = TemporalStatus::kInvalid;
    }
  } else {
    Decimal number = ToDecimal(value_, from_, quiet);
    Decimal whole;
    int64_t integer;
    number.Truncate(0, &whole);
    status = whole.ToInt64(&integer) ? DateTimeOfNumber(integer, context_.sql_mode, &parsed)
                                     : TemporalStatus::kInvalid;
    if (status == TemporalStatus::kOk && whole.scale() != number.scale()) {
      Decimal rest;
      int64_t micros = 0;
      Decimal::Sub(number, whole, &rest);
      Decimal::Mul(rest, Decimal::FromInt64(kMicrosPerSecond), &rest);
      rest.ToInt64(&micros);
      parsed.parts.microsecond = static_cast<int>(std::min<int64_t>(micros, 999999));
    }
  }
  if (status == TemporalStatus::kInvalid) {
    RETURN_IF_ERROR(Fail(WrongTemporal(what, IsOutOfRange(parsed.parts))));
    zero = true;
  } else if (status == TemporalStatus::kTruncated) {
    RETURN_IF_ERROR(Fail(WrongTemporal(what, false)));
  }
  zero |= parsed.parts.zero_date();
  if (zero) {
    return to_.kind == TypeKind::kDate        ? Value::Date(0)
           : to_.kind == TypeKind::kTimestamp ? Value::Timestamp(0)
                                              : Value::DateTime(0);
  }
  if (parsed.has_offset) {
    parsed.parts = UnpackDateTime(context_.time_zone().ToLocal(
        MicrosSince1970(parsed.parts) - parsed.offset_seconds * kMicrosPerSecond));
  }
  int fsp = to_.kind == TypeKind::kDate ? 6 : to_.scale;
  if (!FinishDateTime(parsed, fsp, context_.sql_mode, &packed)) {
    RETURN_IF_ERROR(Fail(WrongTemporal(what, true)));
    packed = 0;
  }
  if (to_.kind == TypeKind::kDate) {
    if (DateOf(packed) != packed) {
      NoteCut(what);
    }
    return Value::Date(DateOf(packed));
  }
  if (to_.kind == TypeKind::kDateTime) {
    return Value::DateTime(packed);
  }
  TemporalParts parts = UnpackDateTime(packed);
  bool skipped = false;
  int64_t utc = 0;
  bool fits = !parts.zero_in_date();
  if (fits) {
    utc = context_.time_zone().ToUtc(parts, &skipped);
    fits = utc >= kMinTimestamp && utc <= kMaxTimestamp;
  }
  if (!fits || skipped) {
    RETURN_IF_ERROR(Fail(WrongTemporal("datetime", true)));
  }
  return Value::Timestamp(fits ? utc : 0);
}

Result<Value> Assignment::StoreTime() {
  ParsedTemporal parsed;
  TemporalStatus status = TemporalStatus::kOk;
  int64_t time = 0;
  if (value_.is_string()) {
    status = ParseTime(value_.bytes(), &parsed);
    if (status != TemporalStatus::kInvalid) {
      if (parsed.parts.year != 0) {
        NoteCut("time");
      }
      if (!FinishTime(parsed, to_.scale, context_.sql_mode, &time)) {
        status = TemporalStatus::kOutOfRange;
      }
    }
  } else if (value_.is_temporal()) {
    ToTime(value_, from_, context_, &time);
    RoundTime(to_.scale, context_.sql_mode, &time);
    time = std::clamp(time, -kMaxTime, kMaxTime);
  } else {
    ConversionContext quiet = context_;
    quiet.warnings = nullptr;
    Decimal number = ToDecimal(value_, from_, quiet);
    int64_t whole;
    Decimal cut;
    number.Truncate(0, &cut);
    status = cut.ToInt64(&whole) ? TimeOfNumber(whole, &parsed) : TemporalStatus::kOutOfRange;
    if (status == TemporalStatus::kOk) {
      if (parsed.parts.year != 0) {
        NoteCut("time");
      }
      ToTime(value_, from_, quiet, &time);
      RoundTime(to_.scale, context_.sql_mode, &time);
    } else if (status == TemporalStatus::kOutOfRange) {
      time = number.negative() ? -kMaxTime : kMaxTime;
    }
  }
  if (status == TemporalStatus::kInvalid) {
    RETURN_IF_ERROR(Fail(WrongTemporal("time", parsed.parts.minute > 59)));
    time = 0;
  } else if (status != TemporalStatus::kOk) {
    RETURN_IF_ERROR(Fail(WrongTemporal("time", status == TemporalStatus::kOutOfRange)));
  }
  return Value::Time(time);
}

// Malformed bytes, characters the column's character set lacks, and those that the value's own
// lacks: a literal of a utf8mb3 client may hold four bytes that are no character to it.
Status Assignment::CheckCharacters(std::string* text) {
  const Charset& charset = GetCollation(to_.collation).charset();
  const Charset& own = from_.is_text() ? GetCollation(from_.collation).charset() : charset;
  size_t valid = charset.ValidPrefix(*text);
  if (own.id != charset.id && own.id != CharsetId::kUtf8mb4) {
    valid = std::min(valid, own.ValidPrefix(*text));
  }
  if (valid == text->size()) {
    return {};
  }
  RETURN_IF_ERROR(Fail(UserError(ER_TRUNCATED_WRONG_VALUE_FOR_FIELD, "string",
                                 EscapedBytes(std::string_view(*text).substr(valid)),
                                 context_.column, context_.row_number)));
  if (ValidUtf8Prefix(*text) == text->size()) {
    for (const Charset* set : {&own, &charset}) {
      *text = set->Decode(set->Encode(*text));  // '?' for what is lacking
    }
  } else {
    text->resize(valid);
  }
  return {};
}

Result<Value> Assignment::StoreText() {
  std::string text = Text();
  if (from_.is_binary_string()) {
    text = GetCollation(to_.collation).charset().Decode(text);
  }
  RETURN_IF_ERROR(CheckCharacters(&text));
  size_t limit;  // in bytes of `text`
  if (to_.is_blob()) {
    limit = std::min<uint64_t>(text.size(), MaxLength(to_));
    while (limit > 0 && limit < text.size() && (text[limit] & 0xC0) == 0x80) {
      --limit;
    }
  } else {
    limit = text.size() <= to_.length ? text.size() : OffsetOfChar(text, to_.length);
  }
  if (limit < text.size()) {
    if (!OnlyWhite(std::string_view(text).substr(limit))) {
      RETURN_IF_ERROR(Fail(TooLong()));
    } else if (to_.kind != TypeKind::kChar) {
      context_.Note(DataTruncated());
    }
    text.resize(limit);
  }
  if (to_.kind == TypeKind::kChar) {  // trailing spaces are not part of a CHAR's value
    while (!text.empty() && text.back() == ' ') {
      text.pop_back();
    }
  }
  return Value::String(std::move(text));
}

Result<Value> Assignment::StoreBinary() {
  std::string bytes = Text();
  if (from_.has_collation() && GetCollation(from_.collation).charset().id == CharsetId::kLatin1) {
    bytes = GetCharset(CharsetId::kLatin1).Encode(bytes);
  }
  uint64_t limit = MaxLength(to_);
  if (bytes.size() > limit) {
    RETURN_IF_ERROR(Fail(TooLong()));
    bytes.resize(limit);
  }
  if (to_.kind == TypeKind::kBinary) {
    bytes.resize(to_.length, '\0');
  }
  return Value::String(std::move(bytes));
}

Result<Value> Assignment::StoreEnum() {
  uint64_t count = to_.members->size();
  uint64_t number = 0;
  if (value_.is_string() || from_.is_enum_or_set() || value_.is_temporal()) {
    std::string text = Text();
    CutTrailingSpaces(&text);
    const Collation& collation = GetCollation(to_.collation);
    for (uint64_t i = 0; i < count && number == 0; ++i) {
      number = collation.Equal((*to_.members)[i], text) ? i + 1 : 0;
    }
    if (number == 0 && from_.kind == TypeKind::kEnum && value_.raw_int() == 0) {
      return Value::Uint(0);  // the error value keeps being one
    }
    if (number == 0) {  // digits name a member by its number; 0 is nobody, and no error
      const std::optional<uint64_t> written =
          text.size() <= kEnumDigitsMax ? WholeNumber(text) : std::nullopt;
      if (written == 0U) {
        return Value::Uint(0);
      }
      number = written.value_or(0) <= count ? written.value_or(0) : 0;
    }
  } else {
    bool is_unsigned;
    int64_t integer = ToInteger(value_, from_, context_, &is_unsigned);
    number = static_cast<uint64_t>(integer) <= count ? static_cast<uint64_t>(integer) : 0;
  }
  if (number == 0) {
    RETURN_IF_ERROR(Fail(DataTruncated()));
  }
  return Value::Uint(number);
}

Result<Value> Assignment::StoreSet() {
  uint64_t count = to_.members->size();
  uint64_t all = count >= 64 ? UINT64_MAX : (uint64_t{1} << count) - 1;
  uint64_t bits = 0;
  bool good = true;
  if (value_.is_string() || from_.is_enum_or_set() || value_.is_temporal()) {
    const std::string text = Text();
    std::string names = text;
    CutTrailingSpaces(&names);
    const Collation& collation = GetCollation(to_.collation);
    for (std::optional<std::string_view> rest = names; rest.has_value() && !names.empty();) {
      const size_t comma = rest->find(',');
      const std::string_view name = rest->substr(0, comma);
      rest =
          comma == std::string_view::npos ? std::nullopt : std::optional(rest->substr(comma + 1));
      bool found = false;
      for (uint64_t i = 0; i < count && !found; ++i) {
        found = collation.Equal((*to_.members)[i], name);
        bits |= found ? uint64_t{1} << i : 0;
      }
      good &= found;
    }
    if (bits == 0 && !text.empty()) {  // digits name members by their bits
      const std::optional<uint64_t> written =
          text.size() <= kSetDigitsMax ? WholeNumber(text) : std::nullopt;
      good = written.has_value() && (*written & ~all) == 0;
      bits = good ? *written : 0;
    }
  } else {
    bool is_unsigned;
    bits = static_cast<uint64_t>(ToInteger(value_, from_, context_, &is_unsigned));
    good = (bits & ~all) == 0;
    bits &= all;
  }
  if (!good) {
    RETURN_IF_ERROR(Fail(DataTruncated()));
  }
  return Value::Uint(bits);
}

// Text, or the scalar of a JSON value, in a column of another type.
Result<Value> Assignment::StoreJsonAs() {
  JsonView json(value_.bytes());
  if (to_.is_string() || to_.is_enum_or_set()) {
    std::string text;
    RETURN_IF_ERROR(AppendJsonText(json, &text));
    return Assignment(Value::String(std::move(text)), Type::Text(TypeKind::kLongText, kUtf8mb4Bin),
                      to_, context_)
        .Run();
  }
  Value scalar;
  Type type;
  if (JsonScalarValue(json, &scalar, &type) && !(type.is_numeric() && to_.is_temporal())) {
    Result<Value> stored = Assignment(scalar, type, to_, context_).Run();
    if (stored.ok()) {
      stored->Own();
    }
    return stored;
  }
  std::string_view what = to_.is_integral()             ? "INTEGER"
                          : to_.is_decimal()            ? "DECIMAL"
                          : to_.is_floating()           ? "DOUBLE"
                          : to_.kind == TypeKind::kDate ? "DATE"
                          : to_.kind == TypeKind::kTime ? "TIME"
                                                        : "DATETIME/TIMESTAMP";
  RETURN_IF_ERROR(
      Fail(UserError(ER_INVALID_JSON_VALUE_FOR_CAST, what, context_.column, context_.row_number)));
  return Assignment(Value::Int(0), Type::BigInt(), to_, context_).Run();
}

Status Assignment::InvalidJson(std::string_view reason, size_t position) const {
  std::string column(context_.column);
  if (!context_.table.empty()) {
    column = std::string(context_.table) + "." + column;
  }
  return UserError(ER_INVALID_JSON_TEXT, reason, position, column);
}

Result<Value> Assignment::StoreJson() {
  if (from_.is_binary_string()) {
    return UserError(ER_INVALID_JSON_CHARSET, "binary");
  }
  JsonNode document;
  if (value_.is_string() || from_.is_enum_or_set()) {
    JsonError error;
    if (!ParseJson(Text(), &document, &error)) {  // never adjusted, in any mode
      return error.too_deep ? UserError(ER_JSON_DOCUMENT_TOO_DEEP)
                            : InvalidJson(error.reason, error.position);
    }
  } else {
    return InvalidJson("not a JSON text, may need CAST", 0);
  }
  ASSIGN_OR_RETURN(std::string bytes, JsonBytes(document));
  return Value::String(std::move(bytes));
}

}  // namespace

Type TypeOfValue(const Value& value) {
  switch (value.kind()) {
    case ValueKind::kNull:
      return Type::Null();
    case ValueKind::kInt:
      return Type::BigInt();
    case ValueKind::kUint:
      return Type::BigInt(true);
    case ValueKind::kDouble:
      return Type::Double();
    case ValueKind::kDecimal:
      return Type::Decimal(static_cast<uint32_t>(value.decimal_value().precision()),
                           static_cast<uint8_t>(value.decimal_value().scale()));
    case ValueKind::kString:
      return Type::Varchar(static_cast<uint32_t>(CharCount(value.bytes())), kDefaultCollation);
    case ValueKind::kDate:
      return Type::Date();
    case ValueKind::kTime:
      return Type::Time(6);
    case ValueKind::kDateTime:
      return Type::DateTime(6);
    case ValueKind::kTimestamp:
      return Type::Timestamp(6);
  }
  return Type::Null();
}

Result<Value> StoreConvert(const Value& value, const Type& from, const Type& to,
                           const ConversionContext& context) {
  return Assignment(value, from, to, context).Run();
}

Result<Value> StoreConvert(const Value& value, const Type& to, const ConversionContext& context) {
  return StoreConvert(value, TypeOfValue(value), to, context);
}

}  // namespace borealis::row
