// Bit operators and BIT_COUNT: over numbers, as BIGINT UNSIGNED, and over byte strings, where those
// of & | ^ are of one length (3513). Hexadecimal literals are numbers, but beside byte strings; the
// binder has seen to that.
#include <algorithm>
#include <bit>

#include "sql/functions/functions_internal.h"

namespace borealis::sql {
namespace {

using row::Type;
using row::Value;

enum class BitOp { kAnd, kOr, kXor, kLeft, kRight };

Type BytesType(uint32_t length) {
  constexpr uint32_t kVarbinaryMax = 65535;
  return length > kVarbinaryMax ? Type::Blob(row::TypeKind::kLongBlob) : Type::Varbinary(length);
}

// & | ^
Status InferBits(const InferInput& input, Type* type) {
  const Type& a = input.args[0].type;
  const Type& b = input.args[1].type;
  *type = a.is_binary_string() && b.is_binary_string()
              ? BytesType(std::max(row::ColumnLengthBytes(a), row::ColumnLengthBytes(b)))
              : Type::BigInt(true);
  return {};
}

// << >> ~
Status InferOfFirst(const InferInput& input, Type* type) {
  const Type& a = input.args[0].type;
  *type = a.is_binary_string() ? BytesType(row::ColumnLengthBytes(a)) : Type::BigInt(true);
  return {};
}

template <BitOp op>
constexpr uint64_t Combined(uint64_t a, uint64_t b) {
  switch (op) {
    case BitOp::kAnd:
      return a & b;
    case BitOp::kOr:
      return a | b;
    case BitOp::kXor:
      return a ^ b;
    case BitOp::kLeft:
      return b < 64 ? a << b : 0;
    case BitOp::kRight:
      return b < 64 ? a >> b : 0;
  }
}

template <BitOp op>
Status EvalBits(const EvalCall& call, std::span<const Value> values, Value* out) {
  Args args(call, values);
  if (!call.function.type().is_string()) {
    *out = Value::Uint(Combined<op>(args.Bits(0), args.Bits(1)));
    return {};
  }
  std::string bytes = args.Bytes(0);
  const std::string other = args.Bytes(1);
  if (bytes.size() != other.size()) {
    return UserError(ER_INVALID_BITWISE_OPERANDS_SIZE);
  }
  for (size_t i = 0; i < bytes.size(); ++i) {
    bytes[i] = static_cast<char>(
        Combined<op>(static_cast<unsigned char>(bytes[i]), static_cast<unsigned char>(other[i])));
  }
  *out = Value::String(std::move(bytes));
  return {};
}

// All bytes by `count` bits to the left, or to the right.
std::string Shifted(std::string_view bytes, uint64_t count, bool left) {
  std::string shifted(bytes.size(), '\0');
  const uint64_t whole = count / 8;
  const auto part = static_cast<unsigned>(count % 8);
  // The byte `distance` before (or behind, to the left) place i; beyond the ends there are zeros.
  const auto byte = [&](size_t i, uint64_t distance) -> unsigned {
    const bool inside = left ? distance < bytes.size() - i : distance <= i;
    return inside ? static_cast<unsigned char>(bytes[left ? i + distance : i - distance]) : 0;
  };
  for (size_t i = 0; i < bytes.size() && whole < bytes.size(); ++i) {
    const unsigned near = byte(i, whole);
    const unsigned far = byte(i, whole + 1);
    shifted[i] = static_cast<char>(left ? near << part | far >> (8 - part)
                                        : near >> part | far << (8 - part));
  }
  return shifted;
}

template <BitOp op>
Status EvalShift(const EvalCall& call, std::span<const Value> values, Value* out) {
  Args args(call, values);
  if (call.function.type().is_string()) {
    *out = Value::String(Shifted(args.Bytes(0), args.Bits(1), op == BitOp::kLeft));
  } else {
    *out = Value::Uint(Combined<op>(args.Bits(0), args.Bits(1)));
  }
  return {};
}

Status EvalBitNot(const EvalCall& call, std::span<const Value> values, Value* out) {
  Args args(call, values);
  if (!call.function.type().is_string()) {
    *out = Value::Uint(~args.Bits(0));
    return {};
  }
  std::string bytes = args.Bytes(0);
  for (char& c : bytes) {
    c = static_cast<char>(~c);
  }
  *out = Value::String(std::move(bytes));
  return {};
}

Status EvalBitCount(const EvalCall& call, std::span<const Value> values, Value* out) {
  Args args(call, values);
  if (!args.type(0).is_binary_string()) {
    return SetInt(out, std::popcount(args.Bits(0)));
  }
  int64_t count = 0;
  for (const char c : args.Bytes(0)) {
    count += std::popcount(static_cast<unsigned char>(c));
  }
  return SetInt(out, count);
}

}  // namespace

std::span<const FunctionDef> BitFunctions() {
  static constexpr FunctionDef kTable[] = {
      {.name = "&",
       .min_args = 2,
       .max_args = 2,
       .infer = InferBits,
       .eval = EvalBits<BitOp::kAnd>,
       .total = true},
      {.name = "|",
       .min_args = 2,
       .max_args = 2,
       .infer = InferBits,
       .eval = EvalBits<BitOp::kOr>,
       .total = true},
      {.name = "^",
       .min_args = 2,
       .max_args = 2,
       .infer = InferBits,
       .eval = EvalBits<BitOp::kXor>,
       .total = true},
      {.name = "<<",
       .min_args = 2,
       .max_args = 2,
       .infer = InferOfFirst,
       .eval = EvalShift<BitOp::kLeft>,
       .number_args = 3,
       .total = true},
      {.name = ">>",
       .min_args = 2,
       .max_args = 2,
       .infer = InferOfFirst,
       .eval = EvalShift<BitOp::kRight>,
       .number_args = 3,
       .total = true},
      {.name = "bit_not",
       .min_args = 1,
       .max_args = 1,
       .infer = InferOfFirst,
       .eval = EvalBitNot,
       .number_args = 1,
       .total = true},
      {.name = "bit_count",
       .min_args = 1,
       .max_args = 1,
       .infer = InferBigInt,
       .eval = EvalBitCount,
       .number_args = 1,
       .total = true},
  };
  return kTable;
}

}  // namespace borealis::sql
