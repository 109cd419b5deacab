// Values as a query machine's registers hold them: integer, real, text or blob.
//
// One encoding per type, chosen so that the machine's plain comparison of two registers of one type
// is MySQL's order: integers as integers, BIGINT UNSIGNED and BIT(64) with the top bit flipped,
// DECIMAL in its comparable form (a blob; equal numbers have equal bytes), temporals as their
// packed integers, ENUM and SET by number, text as UTF-8 to be compared with its collation, JSON's
// stored form as text whose "collation" compares documents (kJsonOrder): bytes that are no UTF-8,
// which the machine only carries and hands to the comparison. The static type says how to read a
// register back.
//
// INV-ROW-6  For values a, b of one type: Compare(ToRegister(a), ToRegister(b)) orders as a, b do;
//            FromRegister(ToRegister(a)) equals a.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "row/type.h"
#include "row/value.h"

namespace borealis::row {

// The name under which a machine knows the order of JSON documents.
inline constexpr std::string_view kJsonOrder = "json_order";

enum class RegisterKind : uint8_t { kNull, kInteger, kReal, kText, kBlob };

struct Register {
  RegisterKind kind = RegisterKind::kNull;
  int64_t integer = 0;
  double real = 0;
  // kText and kBlob: borrowed from the value (text, binary) or from `owned` (decimals).
  std::string_view bytes;
  std::string owned;

  Register() = default;
  Register(const Register&) = delete;  // `bytes` may point into `owned`
  Register& operator=(const Register&) = delete;
};

// Which kind every non-null value of the type has.
RegisterKind RegisterKindOf(const Type& type);
// Fills `out`; text and binary borrow from `value`. A value not held as its type holds it (see
// row/value.h) is converted where nothing is lost and is kInvalidArgument otherwise.
Status ToRegister(const Value& value, const Type& type, Register* out);
// The value of a register of that type. Text and binary borrow from `bytes`. Registers come back
// from an expression machine, so a kind that does not fit the type is kInvalidArgument.
Result<Value> FromRegister(RegisterKind kind, int64_t integer, double real, std::string_view bytes,
                           const Type& type);

}  // namespace borealis::row
