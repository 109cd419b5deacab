// Checks that a value is held the way its static type holds it (row/value.h), for the codecs.
#pragma once

#include <cstdint>

#include "base/status.h"
#include "row/type.h"
#include "row/value.h"

namespace borealis::row {

// The 64 bits of an integer, BIT, YEAR, ENUM, SET or temporal value, when they are in the type's
// range; kInvalidArgument otherwise. Integers of the other signedness are taken when they fit.
Status HeldInteger(const Type& type, const Value& value, int64_t* bits);
// Bytes that its values need: 1, 2, 3, 4 or 8. Row and key formats depend on it.
inline uint8_t BitsWidth(const Type& type) {
  switch (type.kind) {
    case TypeKind::kTinyInt:
      return 1;
    case TypeKind::kSmallInt:
    case TypeKind::kYear:
    case TypeKind::kEnum:
      return 2;
    case TypeKind::kMediumInt:
      return 3;
    case TypeKind::kInt:
      return 4;
    default:
      return 8;
  }
}
// The exact decimal of a kDecimal, kInt or kUint value.
Status HeldDecimal(const Type& type, const Value& value, Decimal* decimal);
Status HeldDouble(const Type& type, const Value& value, double* number);

// The value of an integer, BIT, YEAR, ENUM, SET or temporal type with these 64 bits.
Value ValueOfBits(const Type& type, int64_t bits);
// Whether the type's values are held as 64 bits.
bool IsHeldAsBits(const Type& type);
// Whether they are compared as unsigned.
bool HasUnsignedBits(const Type& type);
Status NotHeld(const Type& type, const Value& value);

}  // namespace borealis::row
