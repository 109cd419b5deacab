#include <fmt/format.h>

#include "row/held_internal.h"
#include "row/key_codec.h"

namespace borealis::row {

Status NotHeld(const Type& type, const Value& value) {
  return Status::InvalidArgument(
      fmt::format("{} is not a value of type {}", value.ToString(), SqlText(type)));
}

bool IsHeldAsBits(const Type& type) {
  return type.is_integral() || type.is_temporal() || type.is_enum_or_set();
}

bool HasUnsignedBits(const Type& type) {
  return (type.is_integer() && type.is_unsigned) || type.kind == TypeKind::kBit ||
         type.kind == TypeKind::kYear || type.is_enum_or_set();
}

namespace {

// Largest value of an unsigned type that is not an integer type.
uint64_t UnsignedLimit(const Type& type) {
  switch (type.kind) {
    case TypeKind::kYear:
      return 2155;
    case TypeKind::kEnum:
      return type.members == nullptr ? 0xFFFF : type.members->size();
    case TypeKind::kBit:
      return type.length == 0 || type.length >= 64 ? UINT64_MAX : (uint64_t{1} << type.length) - 1;
    case TypeKind::kSet: {
      size_t count = type.members == nullptr ? 64 : type.members->size();
      return count >= 64 ? UINT64_MAX : (uint64_t{1} << count) - 1;
    }
    default:
      return MaxUnsigned(type);
  }
}

ValueKind TemporalKind(TypeKind kind) {
  switch (kind) {
    case TypeKind::kDate:
      return ValueKind::kDate;
    case TypeKind::kTime:
      return ValueKind::kTime;
    case TypeKind::kDateTime:
      return ValueKind::kDateTime;
    default:
      return ValueKind::kTimestamp;
  }
}

}  // namespace

int SideOfRange(const Type& type, const Value& value) {
  const bool is_uint = value.kind() == ValueKind::kUint;
  const bool has_range = IsHeldAsBits(type) && !type.is_temporal();
  if (!has_range || (!is_uint && value.kind() != ValueKind::kInt)) {
    return 0;
  }
  const int64_t bits = value.raw_int();
  if (!is_uint && bits < (HasUnsignedBits(type) ? 0 : MinSigned(type))) {
    return -1;
  }
  const uint64_t limit =
      HasUnsignedBits(type) ? UnsignedLimit(type) : static_cast<uint64_t>(MaxSigned(type));
  const bool is_negative = !is_uint && bits < 0;
  return !is_negative && static_cast<uint64_t>(bits) > limit ? 1 : 0;
}

Status HeldInteger(const Type& type, const Value& value, int64_t* bits) {
  if (type.is_temporal()) {
    bool fits = value.kind() == TemporalKind(type.kind) ||
                (type.kind == TypeKind::kDateTime && value.kind() == ValueKind::kDate);
    if (!fits) {
      return NotHeld(type, value);
    }
    *bits = value.temporal();
    return {};
  }
  if (value.kind() != ValueKind::kInt && value.kind() != ValueKind::kUint) {
    return NotHeld(type, value);
  }
  *bits = value.raw_int();
  return SideOfRange(type, value) == 0 ? Status() : NotHeld(type, value);
}

Status HeldDecimal(const Type& type, const Value& value, Decimal* decimal) {
  switch (value.kind()) {
    case ValueKind::kDecimal:
      *decimal = value.decimal_value();
      return {};
    case ValueKind::kInt:
      *decimal = Decimal::FromInt64(value.int_value());
      return {};
    case ValueKind::kUint:
      *decimal = Decimal::FromUint64(value.uint_value());
      return {};
    default:
      return NotHeld(type, value);
  }
}

Status HeldDouble(const Type& type, const Value& value, double* number) {
  if (value.kind() != ValueKind::kDouble) {
    return NotHeld(type, value);
  }
  *number = value.double_value();
  return {};
}

Value ValueOfBits(const Type& type, int64_t bits) {
  switch (type.kind) {
    case TypeKind::kDate:
      return Value::Date(bits);
    case TypeKind::kTime:
      return Value::Time(bits);
    case TypeKind::kDateTime:
      return Value::DateTime(bits);
    case TypeKind::kTimestamp:
      return Value::Timestamp(bits);
    default:
      return HasUnsignedBits(type) ? Value::Uint(static_cast<uint64_t>(bits)) : Value::Int(bits);
  }
}

}  // namespace borealis::row
