// + - * / DIV % and unary minus.
//
// Integers compute exactly in 128 bits and are then checked against the result's range (1690);
// decimals exactly; with text or floating-point operands everything is DOUBLE. Division by zero is
// NULL with 1365.
#include <algorithm>
#include <cmath>

#include "sql/functions/functions_internal.h"

namespace borealis::sql {
namespace {

using row::Decimal;
using row::DecimalStatus;
using row::Type;
using row::TypeKind;
using row::Value;

enum class Op { kAdd, kSubtract, kMultiply };

NumberClass WiderClass(const InferInput& input) {
  return std::max(NumberClassOf(input.args[0].type), NumberClassOf(input.args[1].type));
}

// Digits that a client may be shown of an operand; those of a function can be more than fit. The
// width of a column with ZEROFILL is the least that is shown.
uint32_t ShownDigitsOf(const Type& type) {
  return type.is_integer() && !type.zerofill
             ? std::max<uint32_t>(row::DisplayWidth(type), 2) - (IsUnsignedNumber(type) ? 0 : 1)
             : IntegerDigitsOf(type);
}

template <Op op>
Status InferArithmetic(const InferInput& input, Type* type) {
  const Type& a = input.args[0].type;
  const Type& b = input.args[1].type;
  switch (WiderClass(input)) {
    case NumberClass::kDouble:
      *type = DoubleLike(a, b);
      return {};
    case NumberClass::kDecimal: {
      uint32_t scale =
          op == Op::kMultiply ? ScaleOf(a) + ScaleOf(b) : std::max(ScaleOf(a), ScaleOf(b));
      uint32_t digits = op == Op::kMultiply ? IntegerDigitsOf(a) + IntegerDigitsOf(b)
                                            : std::max(IntegerDigitsOf(a), IntegerDigitsOf(b)) + 1;
      *type = DecimalType(digits, scale);
      return {};
    }
    case NumberClass::kInteger:
      break;
  }
  bool is_unsigned = IsUnsignedNumber(a) || IsUnsignedNumber(b);
  if (op == Op::kSubtract && (input.settings.sql_mode & row::kModeNoUnsignedSubtraction) != 0) {
    is_unsigned = false;
  }
  *type = Type::BigInt(is_unsigned);
  const uint32_t digits = op == Op::kMultiply ? ShownDigitsOf(a) + ShownDigitsOf(b)
                                              : std::max(ShownDigitsOf(a), ShownDigitsOf(b)) + 1;
  type->length = digits + (is_unsigned ? 0 : 1);
  return {};
}

__int128 Exact(const Args& args, size_t i) {
  bool is_unsigned;
  int64_t bits = args.Int(i, &is_unsigned);
  return is_unsigned ? static_cast<__int128>(static_cast<uint64_t>(bits))
                     : static_cast<__int128>(bits);
}

Status SetExact(const EvalCall& call, std::span<const Value> values, __int128 result, Value* out) {
  if (call.function.type().is_unsigned) {
    if (result < 0 || result > static_cast<__int128>(UINT64_MAX)) {
      return OutOfRange(call, values, "BIGINT UNSIGNED");
    }
    *out = Value::Uint(static_cast<uint64_t>(result));
    return {};
  }
  if (result < INT64_MIN || result > INT64_MAX) {
    return OutOfRange(call, values, "BIGINT");
  }
  *out = Value::Int(static_cast<int64_t>(result));
  return {};
}

Status SetDecimal(const EvalCall& call, std::span<const Value> values, DecimalStatus status,
                  const Decimal& result, Value* out) {
  if (status == DecimalStatus::kOverflow) {
    return OutOfRange(call, values, "DECIMAL");
  }
  *out = Value::Dec(result);
  return {};
}

template <Op op>
Status EvalArithmetic(const EvalCall& call, std::span<const Value> values, Value* out) {
  Args args(call, values);
  const Type& type = call.function.type();
  if (type.is_integer()) {
    __int128 a = Exact(args, 0);
    __int128 b = Exact(args, 1);
    // |a|, |b| < 2^64, so only the product can leave 128 bits, and then by its top bit alone.
    __int128 result = op == Op::kAdd ? a + b : op == Op::kSubtract ? a - b : 0;
    if (op == Op::kMultiply && __builtin_mul_overflow(a, b, &result)) {
      return OutOfRange(call, values, type.is_unsigned ? "BIGINT UNSIGNED" : "BIGINT");
    }
    return SetExact(call, values, result, out);
  }
  if (type.is_decimal()) {
    Decimal a = args.Dec(0);
    Decimal b = args.Dec(1);
    Decimal result;
    DecimalStatus status = op == Op::kAdd        ? Decimal::Add(a, b, &result)
                           : op == Op::kSubtract ? Decimal::Sub(a, b, &result)
                                                 : Decimal::Mul(a, b, &result);
    return SetDecimal(call, values, status, result, out);
  }
  double a = args.Double(0);
  double b = args.Double(1);
  return SetDouble(call, values, op == Op::kAdd ? a + b : op == Op::kSubtract ? a - b : a * b, out);
}

Status DivisionByZero(const EvalCall& call, Value* out) {
  *out = Value::Null();
  if (call.context.division_by_zero_is_error) {
    return UserError(ER_DIVISION_BY_ZERO);
  }
  if ((call.context.conversion.sql_mode & row::kModeErrorForDivisionByZero) != 0) {
    call.context.conversion.Warn(UserError(ER_DIVISION_BY_ZERO));
  }
  return {};
}

Status InferDivide(const InferInput& input, Type* type) {
  const Type& a = input.args[0].type;
  const Type& b = input.args[1].type;
  uint32_t increment = input.settings.div_precision_increment;
  if (WiderClass(input) == NumberClass::kDouble) {
    *type = DoubleLike(a, b);
    const uint32_t scale = type->scale + increment;
    if (scale < Type::kFloatingScale) {
      type->scale = static_cast<uint8_t>(scale);
      type->length += increment;
    } else {
      *type = Type::Double();
    }
    return {};
  }
  uint32_t scale = std::min<uint32_t>(ScaleOf(a) + increment, 30);
  uint32_t precision = IntegerDigitsOf(a) + ScaleOf(a) + ScaleOf(b) + increment;
  *type = DecimalType(precision > scale ? precision - scale : 0, scale);
  return {};
}

Status EvalDivide(const EvalCall& call, std::span<const Value> values, Value* out) {
  Args args(call, values);
  if (call.function.type().is_decimal()) {
    Decimal result;
    DecimalStatus status =
        Decimal::Div(args.Dec(0), args.Dec(1),
                     static_cast<int>(call.function.settings().div_precision_increment), &result);
    if (status == DecimalStatus::kDivisionByZero) {
      return DivisionByZero(call, out);
    }
    return SetDecimal(call, values, status, result, out);
  }
  double divisor = args.Double(1);
  if (divisor == 0) {
    return DivisionByZero(call, out);
  }
  return SetDouble(call, values, args.Double(0) / divisor, out);
}

Status InferIntDivide(const InferInput& input, Type* type) {
  *type =
      Type::BigInt(IsUnsignedNumber(input.args[0].type) || IsUnsignedNumber(input.args[1].type));
  if (input.args[0].type.is_integer()) {
    type->length = row::DisplayWidth(input.args[0].type);
  }
  return {};
}

Status EvalIntDivide(const EvalCall& call, std::span<const Value> values, Value* out) {
  Args args(call, values);
  bool integers = NumberClassOf(args.type(0)) == NumberClass::kInteger &&
                  NumberClassOf(args.type(1)) == NumberClass::kInteger;
  if (integers) {
    __int128 divisor = Exact(args, 1);
    if (divisor == 0) {
      return DivisionByZero(call, out);
    }
    return SetExact(call, values, Exact(args, 0) / divisor, out);
  }
  Decimal quotient;
  DecimalStatus status = Decimal::Div(args.Dec(0), args.Dec(1), 0, &quotient);
  if (status == DecimalStatus::kDivisionByZero) {
    return DivisionByZero(call, out);
  }
  Decimal whole;
  quotient.Truncate(0, &whole);
  const char* name = call.function.type().is_unsigned ? "BIGINT UNSIGNED" : "BIGINT";
  if (call.function.type().is_unsigned) {
    uint64_t result;
    if (!whole.ToUint64(&result)) {
      return OutOfRange(call, values, name);
    }
    *out = Value::Uint(result);
    return {};
  }
  int64_t result;
  if (status == DecimalStatus::kOverflow || !whole.ToInt64(&result)) {
    return OutOfRange(call, values, name);
  }
  return SetInt(out, result);
}

Status InferModulo(const InferInput& input, Type* type) {
  const Type& a = input.args[0].type;
  const Type& b = input.args[1].type;
  switch (WiderClass(input)) {
    case NumberClass::kDouble:
      *type = DoubleLike(a, b);
      break;
    case NumberClass::kDecimal:
      *type = DecimalType(std::max(IntegerDigitsOf(a), IntegerDigitsOf(b)),
                          std::max(ScaleOf(a), ScaleOf(b)));
      break;
    case NumberClass::kInteger:
      *type = Type::BigInt(IsUnsignedNumber(a));
      type->length = std::max(row::DisplayWidth(a), row::DisplayWidth(b));
  }
  return {};
}

Status EvalModulo(const EvalCall& call, std::span<const Value> values, Value* out) {
  Args args(call, values);
  const Type& type = call.function.type();
  if (type.is_integer()) {
    __int128 divisor = Exact(args, 1);
    if (divisor == 0) {
      return DivisionByZero(call, out);
    }
    return SetExact(call, values, Exact(args, 0) % divisor, out);
  }
  if (type.is_decimal()) {
    Decimal result;
    DecimalStatus status = Decimal::Mod(args.Dec(0), args.Dec(1), &result);
    if (status == DecimalStatus::kDivisionByZero) {
      return DivisionByZero(call, out);
    }
    return SetDecimal(call, values, status, result, out);
  }
  double divisor = args.Double(1);
  if (divisor == 0) {
    return DivisionByZero(call, out);
  }
  return SetDouble(call, values, std::fmod(args.Double(0), divisor), out);
}

Status InferNegate(const InferInput& input, Type* type) {
  const Type& a = input.args[0].type;
  switch (NumberClassOf(a)) {
    case NumberClass::kDouble:
      *type = DoubleLike(a);
      break;
    case NumberClass::kDecimal:
      *type = DecimalType(IntegerDigitsOf(a), ScaleOf(a));
      break;
    case NumberClass::kInteger: {
      const Value* constant = input.args[0].constant;
      bool huge = constant != nullptr && constant->kind() == row::ValueKind::kUint &&
                  constant->uint_value() > uint64_t{1} << 63;
      *type = huge ? Type::Decimal(20, 0) : Type::BigInt();
      if (!huge) {
        type->length = std::min<uint32_t>(row::DisplayWidth(a) + (IsUnsignedNumber(a) ? 1 : 0), 21);
      }
    }
  }
  return {};
}

Status EvalNegate(const EvalCall& call, std::span<const Value> values, Value* out) {
  Args args(call, values);
  const Type& type = call.function.type();
  if (type.is_integer()) {
    return SetExact(call, values, -Exact(args, 0), out);
  }
  if (type.is_decimal()) {
    *out = Value::Dec(args.Dec(0).Negated());
    return {};
  }
  *out = Value::Double(-args.Double(0));
  return {};
}

}  // namespace

std::span<const FunctionDef> ArithmeticFunctions() {
  static constexpr FunctionDef kTable[] = {
      {.name = "+",
       .min_args = 2,
       .max_args = 2,
       .infer = InferArithmetic<Op::kAdd>,
       .eval = EvalArithmetic<Op::kAdd>,
       .total = true},
      {.name = "-",
       .min_args = 2,
       .max_args = 2,
       .infer = InferArithmetic<Op::kSubtract>,
       .eval = EvalArithmetic<Op::kSubtract>,
       .total = true},
      {.name = "*",
       .min_args = 2,
       .max_args = 2,
       .infer = InferArithmetic<Op::kMultiply>,
       .eval = EvalArithmetic<Op::kMultiply>,
       .total = true},
      {.name = "/", .min_args = 2, .max_args = 2, .infer = InferDivide, .eval = EvalDivide},
      {.name = "div", .min_args = 2, .max_args = 2, .infer = InferIntDivide, .eval = EvalIntDivide},
      {.name = "%", .min_args = 2, .max_args = 2, .infer = InferModulo, .eval = EvalModulo},
      {.name = "mod",
       .min_args = 2,
       .max_args = 2,
       .infer = InferModulo,
       .eval = EvalModulo,
       .number_args = 0b11},
      {.name = "unary_minus",
       .min_args = 1,
       .max_args = 1,
       .infer = InferNegate,
       .eval = EvalNegate,
       .total = true},
  };
  return kTable;
}

}  // namespace borealis::sql
