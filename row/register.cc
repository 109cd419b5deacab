#include "row/register.h"

#include <fmt/format.h>

#include "base/coding.h"
#include "row/held_internal.h"

namespace borealis::row {

namespace {

constexpr int64_t kTopBit = INT64_MIN;

// Unsigned 64-bit values whose order needs the top bit flipped. Narrower ones fit a signed integer.
bool FlipsTopBit(const Type& type) {
  return (type.kind == TypeKind::kBigInt && type.is_unsigned) ||
         (type.kind == TypeKind::kBit && type.length == 64);
}

}  // namespace

RegisterKind RegisterKindOf(const Type& type) {
  if (type.is_null()) {
    return RegisterKind::kNull;
  }
  if (type.is_decimal() || type.is_binary_string()) {
    return RegisterKind::kBlob;
  }
  if (type.is_floating()) {
    return RegisterKind::kReal;
  }
  return type.is_text() || type.kind == TypeKind::kJson ? RegisterKind::kText
                                                        : RegisterKind::kInteger;
}

Status ToRegister(const Value& value, const Type& type, Register* out) {
  out->kind = value.is_null() ? RegisterKind::kNull : RegisterKindOf(type);
  switch (out->kind) {
    case RegisterKind::kNull:
      return value.is_null() ? Status() : NotHeld(type, value);
    case RegisterKind::kInteger:
      RETURN_IF_ERROR(HeldInteger(type, value, &out->integer));
      if (FlipsTopBit(type)) {
        out->integer ^= kTopBit;
      }
      return {};
    case RegisterKind::kReal:
      RETURN_IF_ERROR(HeldDouble(type, value, &out->real));
      return {};
    case RegisterKind::kText:
    case RegisterKind::kBlob:
      break;
  }
  if (type.is_decimal()) {
    Decimal decimal;
    RETURN_IF_ERROR(HeldDecimal(type, value, &decimal));
    out->owned.clear();
    decimal.AppendComparable(&out->owned);
    out->bytes = out->owned;
    return {};
  }
  if (!value.is_string()) {
    return NotHeld(type, value);
  }
  out->bytes = value.bytes();
  return {};
}

Result<Value> FromRegister(RegisterKind kind, int64_t integer, double real, std::string_view bytes,
                           const Type& type) {
  if (kind == RegisterKind::kNull) {
    return Value::Null();
  }
  if (kind != RegisterKindOf(type)) {
    return Status::InvalidArgument(
        fmt::format("read register: kind {} for type {}", static_cast<int>(kind), SqlText(type)));
  }
  switch (kind) {
    case RegisterKind::kInteger:
      if (FlipsTopBit(type)) {
        return ValueOfBits(type, integer ^ kTopBit);
      }
      // Below all unsigned values: of a wider, signed type that this one is compared with.
      return integer < 0 && type.is_integral() ? Value::Int(integer) : ValueOfBits(type, integer);
    case RegisterKind::kReal:
      return Value::Double(real);
    default:
      break;
  }
  if (!type.is_decimal()) {
    return Value::View(bytes);
  }
  ByteReader reader(bytes);
  Decimal decimal;
  if (!Decimal::ReadComparable(&reader, &decimal) || !reader.empty()) {
    return Status::InvalidArgument("read register: not a decimal");
  }
  if (decimal.scale() < type.scale) {
    decimal.Round(type.scale, &decimal);
  }
  return Value::Dec(decimal);
}

}  // namespace borealis::row
