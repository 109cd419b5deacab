#include "sql/binder/narrow.h"

#include <cmath>

#include "base/mysql_error.h"
#include "row/collation.h"
#include "row/decimal.h"

namespace borealis::sql {
namespace {

using row::Type;
using Kind = row::TypeKind;
using row::Value;
using row::ValueKind;
using Narrowed = std::optional<Value>;

// Counts what a conversion complains about instead of reporting it; but how a date is written does
// not keep it from being one.
class CountingSink final : public row::WarningSink {
 public:
  void AddWarning(row::WarningLevel, int code, std::string) override {
    count_ += code == ER_WARN_DEPRECATED_DATETIME_DELIMITER ||
                      code == ER_WARN_DEPRECATED_SUPERFLUOUS_DELIMITER
                  ? 0
                  : 1;
  }
  int count() const { return count_; }

 private:
  int count_ = 0;
};

std::optional<row::Decimal> ExactNumber(const Value& value) {
  row::Decimal number;
  switch (value.kind()) {
    case ValueKind::kInt:
      return row::Decimal::FromInt64(value.int_value());
    case ValueKind::kUint:
      return row::Decimal::FromUint64(value.uint_value());
    case ValueKind::kDecimal:
      return value.decimal_value();
    case ValueKind::kDouble:
      if (std::abs(value.double_value()) > 9e15 ||
          row::Decimal::FromDouble(value.double_value(), &number) != row::DecimalStatus::kOk) {
        return std::nullopt;
      }
      return number;
    case ValueKind::kString: {
      size_t consumed = 0;
      if (row::Decimal::Parse(value.bytes(), &number, &consumed) != row::DecimalStatus::kOk) {
        return std::nullopt;
      }
      while (consumed < value.bytes().size() && value.bytes()[consumed] == ' ') {
        ++consumed;
      }
      return consumed == value.bytes().size() ? std::optional(number) : std::nullopt;
    }
    default:
      return std::nullopt;
  }
}

Narrowed ToIntegral(const Value& value, const Type& to) {
  std::optional<row::Decimal> number = ExactNumber(value);
  row::Decimal whole;
  if (!number.has_value() || number->Round(0, &whole) != row::DecimalStatus::kOk ||
      row::Decimal::Compare(whole, *number) != 0) {
    return std::nullopt;
  }
  if (to.is_integer() && !to.is_unsigned) {
    int64_t integer = 0;
    if (!whole.ToInt64(&integer) || integer < MinSigned(to) || integer > MaxSigned(to)) {
      return std::nullopt;
    }
    return Value::Int(integer);
  }
  uint64_t integer = 0;
  uint64_t limit = to.is_integer()          ? MaxUnsigned(to)
                   : to.kind == Kind::kYear ? 2155
                   : to.length >= 64        ? ~uint64_t{0}
                                            : (uint64_t{1} << to.length) - 1;
  if (!whole.ToUint64(&integer) || integer > limit) {
    return std::nullopt;
  }
  return Value::Uint(integer);
}

std::string_view TemporalName(Kind kind) {
  switch (kind) {
    case Kind::kDate:
      return "DATE";
    case Kind::kTime:
      return "TIME";
    case Kind::kTimestamp:
      return "TIMESTAMP";
    default:
      return "DATETIME";
  }
}

Result<Narrowed> ToTemporal(const Value& value, const Type& from, const Type& to,
                            const row::ConversionContext& context) {
  CountingSink sink;
  row::ConversionContext quiet = context;
  quiet.warnings = &sink;
  if (to.kind == Kind::kTime) {
    int64_t time = 0;
    if (from.has_date() || !row::ToTime(value, from, quiet, &time) || sink.count() != 0) {
      return Narrowed();
    }
    if (!from.is_temporal()) {  // as if it were put into the column
      row::RoundTime(to.scale, context.sql_mode, &time);
    }
    return Narrowed(Value::Time(time));
  }
  int64_t packed = 0;
  if (!row::ToDateTime(value, from, quiet, &packed)) {
    if (value.is_string()) {
      return UserError(ER_WRONG_VALUE, TemporalName(to.kind), row::Printable(value.bytes()));
    }
    return Narrowed();
  }
  if (sink.count() != 0) {
    return Narrowed();
  }
  if (to.kind != Kind::kTimestamp) {
    // DATE and DATETIME compare with each other as they are.
    return Narrowed(Value::DateTime(packed));
  }
  quiet.strict = true;
  Result<Value> stored =
      row::StoreConvert(Value::DateTime(packed), Type::DateTime(6), Type::Timestamp(6), quiet);
  if (!stored.ok() || sink.count() != 0) {
    return Narrowed();
  }
  return Narrowed(std::move(stored).value());
}

Narrowed ToMember(const Value& value, const Type& to) {
  if (!value.is_string() || to.kind != Kind::kEnum || to.members == nullptr) {
    return std::nullopt;
  }
  const row::Collation& collation = row::GetCollation(to.collation);
  for (size_t i = 0; i < to.members->size(); ++i) {
    if (collation.Equal((*to.members)[i], value.bytes())) {
      return Value::Uint(i + 1);
    }
  }
  return std::nullopt;
}

}  // namespace

Result<std::optional<row::Value>> NarrowExactly(const Value& value, const Type& from,
                                                const Type& to,
                                                const row::ConversionContext& context) {
  if (value.is_null()) {
    return Narrowed(Value::Null());
  }
  if (to.is_integral()) {
    // Text and temporals with a fraction or garbage compare as doubles.
    if (from.is_temporal()) {
      return Narrowed();
    }
    return ToIntegral(value, to);
  }
  if (to.is_decimal()) {
    if (from.is_temporal()) {
      return Narrowed();
    }
    std::optional<row::Decimal> number = ExactNumber(value);
    return number.has_value() ? Narrowed(Value::Dec(*number)) : Narrowed();
  }
  if (to.is_temporal()) {
    return ToTemporal(value, from, to, context);
  }
  if (to.is_enum_or_set()) {
    return ToMember(value, to);
  }
  return Narrowed();
}

}  // namespace borealis::sql
