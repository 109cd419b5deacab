// Mathematics.
#include <algorithm>
#include <cmath>

#include "sql/functions/functions_internal.h"

namespace borealis::sql {
namespace {

using row::Decimal;
using row::Type;
using row::Value;

// --- rounding: exact for exact types
// --------------------------------------------------------------

Status InferSameNumber(const InferInput& input, Type* type) {
  const Type& a = input.args[0].type;
  switch (NumberClassOf(a)) {
    case NumberClass::kDouble:
      *type = DoubleLike(a);
      break;
    case NumberClass::kDecimal:
      *type = DecimalType(IntegerDigitsOf(a), ScaleOf(a));
      break;
    case NumberClass::kInteger:
      *type = Type::BigInt(IsUnsignedNumber(a));
      type->length = row::DisplayWidth(a);
  }
  return {};
}

Status EvalAbs(const EvalCall& call, std::span<const Value> values, Value* out) {
  Args args(call, values);
  const Type& type = call.function.type();
  if (type.is_decimal()) {
    Decimal number = args.Dec(0);
    *out = Value::Dec(number.negative() ? number.Negated() : number);
  } else if (type.is_floating()) {
    *out = Value::Double(std::fabs(args.Double(0)));
  } else if (type.is_unsigned) {
    *out = Value::Uint(args.Bits(0));
  } else {
    int64_t number = args.Int(0);
    if (number == INT64_MIN) {
      return OutOfRange(call, values, "BIGINT");
    }
    *out = Value::Int(number < 0 ? -number : number);
  }
  return {};
}

// CEILING and FLOOR of a decimal are integers when the digits allow.
Status InferWhole(const InferInput& input, Type* type) {
  const Type& a = input.args[0].type;
  NumberClass number = NumberClassOf(a);
  if (number == NumberClass::kDouble) {
    *type = Type::Double();
  } else if (number == NumberClass::kDecimal && IntegerDigitsOf(a) > 17) {
    *type = DecimalType(IntegerDigitsOf(a) + 1, 0);
  } else {
    *type = Type::BigInt(IsUnsignedNumber(a));
  }
  return {};
}

template <bool kUp>
Status EvalWhole(const EvalCall& call, std::span<const Value> values, Value* out) {
  Args args(call, values);
  const Type& type = call.function.type();
  if (type.is_floating()) {
    *out = Value::Double(kUp ? std::ceil(args.Double(0)) : std::floor(args.Double(0)));
    return {};
  }
  if (NumberClassOf(args.type(0)) == NumberClass::kInteger) {
    bool is_unsigned;
    int64_t bits = args.Int(0, &is_unsigned);
    *out = type.is_unsigned ? Value::Uint(static_cast<uint64_t>(bits)) : Value::Int(bits);
    return {};
  }
  Decimal number = args.Dec(0);
  Decimal whole;
  number.Truncate(0, &whole);
  bool fraction = Decimal::Compare(number, whole) != 0;
  if (fraction && number.negative() != kUp) {
    Decimal::Add(whole, Decimal::FromInt64(kUp ? 1 : -1), &whole);
  }
  if (type.is_decimal()) {
    *out = Value::Dec(whole);
    return {};
  }
  bool is_unsigned;
  int64_t bits = row::ToInteger(Value::Dec(whole), Type::Decimal(65, 0), call.context.conversion,
                                &is_unsigned);
  *out = type.is_unsigned ? Value::Uint(static_cast<uint64_t>(bits)) : Value::Int(bits);
  return {};
}

int64_t ConstantDigits(const InferInput& input, bool* known) {
  *known = true;
  if (input.args.size() < 2) {
    return 0;
  }
  const Value* constant = input.args[1].constant;
  if (constant == nullptr || constant->is_null()) {
    *known = false;
    return 0;
  }
  bool is_unsigned;
  int64_t digits =
      row::ToInteger(*constant, input.args[1].type, row::ConversionContext{}, &is_unsigned);
  return std::clamp<int64_t>(is_unsigned && digits < 0 ? INT64_MAX : digits, -100, 100);
}

Status InferRound(const InferInput& input, Type* type) {
  const Type& a = input.args[0].type;
  bool known;
  int64_t digits = ConstantDigits(input, &known);
  switch (NumberClassOf(a)) {
    case NumberClass::kDouble:
      *type = Type::Double();
      break;
    case NumberClass::kInteger:
      *type = Type::BigInt(IsUnsignedNumber(a));
      break;
    case NumberClass::kDecimal: {
      const int64_t scale = known ? std::clamp<int64_t>(digits, 0, ScaleOf(a)) : ScaleOf(a);
      *type = DecimalType(IntegerDigitsOf(a) + 1, static_cast<uint32_t>(scale));
    }
  }
  return {};
}

double RoundDouble(double number, int64_t digits, bool truncate) {
  if (digits > 308) {
    return number;
  }
  if (digits < -308) {
    return 0;
  }
  double unit = std::pow(10.0, static_cast<double>(digits < 0 ? -digits : digits));
  double scaled = digits < 0 ? number / unit : number * unit;
  if (!std::isfinite(scaled)) {
    return digits < 0 ? 0 : number;
  }
  double whole = truncate ? std::trunc(scaled) : std::nearbyint(scaled);
  double result = digits < 0 ? whole * unit : whole / unit;
  return std::isfinite(result) ? result : number;
}

template <bool kTruncate>
Status EvalRound(const EvalCall& call, std::span<const Value> values, Value* out) {
  Args args(call, values);
  int64_t digits = args.size() > 1 ? std::clamp<int64_t>(args.Int(1), -400, 400) : 0;
  const Type& type = call.function.type();
  if (type.is_floating()) {
    return SetDouble(call, values, RoundDouble(args.Double(0), digits, kTruncate), out);
  }
  const int most = type.is_decimal() ? type.scale : 30;
  const int scale = static_cast<int>(std::clamp<int64_t>(digits, -100, most));
  Decimal number = args.Dec(0);
  if (type.is_integer() && scale >= 0) {
    return ConvertValue(call.context, args[0], args.type(0), type, out);
  }
  Decimal result;
  if (kTruncate) {
    number.Truncate(scale, &result);
  } else if (number.Round(scale, &result) == row::DecimalStatus::kOverflow) {
    return OutOfRange(call, values, "DECIMAL");
  }
  if (type.is_decimal()) {
    if (result.scale() < type.scale) {
      result.Round(type.scale, &result);
    }
    *out = Value::Dec(result);
    return {};
  }
  if (type.is_unsigned) {
    uint64_t bits;
    if (!result.ToUint64(&bits)) {
      return OutOfRange(call, values, "BIGINT UNSIGNED");
    }
    *out = Value::Uint(bits);
    return {};
  }
  int64_t bits;
  if (!result.ToInt64(&bits)) {
    return OutOfRange(call, values, "BIGINT");
  }
  return SetInt(out, bits);
}

Status EvalSign(const EvalCall& call, std::span<const Value> values, Value* out) {
  Args args(call, values);
  if (NumberClassOf(args.type(0)) == NumberClass::kDouble) {
    double number = args.Double(0);
    return SetInt(out, number > 0 ? 1 : (number < 0 ? -1 : 0));
  }
  Decimal number = args.Dec(0);
  return SetInt(out, number.is_zero() ? 0 : (number.negative() ? -1 : 1));
}

// --- of doubles
// -----------------------------------------------------------------------------------

template <double (*kFunction)(double)>
Status EvalDouble(const EvalCall& call, std::span<const Value> values, Value* out) {
  return SetDouble(call, values, kFunction(Args(call, values).Double(0)), out);
}

// NULL outside [low, high].
template <double (*kFunction)(double), int kLow, int kHigh>
Status EvalWithin(const EvalCall& call, std::span<const Value> values, Value* out) {
  double number = Args(call, values).Double(0);
  if (!(number >= kLow && number <= kHigh)) {
    *out = Value::Null();
    return {};
  }
  return SetDouble(call, values, kFunction(number), out);
}

Status EvalSqrt(const EvalCall& call, std::span<const Value> values, Value* out) {
  double number = Args(call, values).Double(0);
  *out = number < 0 ? Value::Null() : Value::Double(std::sqrt(number));
  return {};
}

// NULL with warning 3020 for what has no logarithm.
Status InvalidLogarithm(const EvalCall& call, Value* out) {
  call.context.conversion.Warn(UserError(ER_INVALID_ARGUMENT_FOR_LOGARITHM));
  *out = Value::Null();
  return {};
}

template <double (*kFunction)(double)>
Status EvalLogarithm(const EvalCall& call, std::span<const Value> values, Value* out) {
  double number = Args(call, values).Double(0);
  if (number <= 0) {
    return InvalidLogarithm(call, out);
  }
  *out = Value::Double(kFunction(number));
  return {};
}

Status EvalLog(const EvalCall& call, std::span<const Value> values, Value* out) {
  Args args(call, values);
  if (args.size() == 1) {
    return EvalLogarithm<std::log>(call, values, out);
  }
  double base = args.Double(0);
  double number = args.Double(1);
  if (base <= 0 || base == 1 || number <= 0) {
    return InvalidLogarithm(call, out);
  }
  *out = Value::Double(std::log(number) / std::log(base));
  return {};
}

Status EvalPow(const EvalCall& call, std::span<const Value> values, Value* out) {
  Args args(call, values);
  return SetDouble(call, values, std::pow(args.Double(0), args.Double(1)), out);
}

Status EvalAtan(const EvalCall& call, std::span<const Value> values, Value* out) {
  Args args(call, values);
  *out = Value::Double(args.size() == 1 ? std::atan(args.Double(0))
                                        : std::atan2(args.Double(0), args.Double(1)));
  return {};
}

double Cotangent(double x) {
  return 1 / std::tan(x);
}
double ToDegrees(double x) {
  return x * (180 / M_PI);
}
double ToRadians(double x) {
  return x * (M_PI / 180);
}
double Log2(double x) {
  return std::log2(x);
}

Status InferPi(const InferInput&, Type* type) {
  *type = Type::Double();
  type->scale = 6;
  type->length = 8;
  return {};
}

Status EvalPi(const EvalCall&, std::span<const Value>, Value* out) {
  *out = Value::Double(M_PI);
  return {};
}

uint32_t SeedOf(const Args& args) {
  return args.null(0) ? 0 : static_cast<uint32_t>(args.Bits(0));
}

Status EvalRand(const EvalCall& call, std::span<const Value> values, Value* out) {
  Args args(call, values);
  *out = Value::Double(args.size() == 0 ? call.context.random().Unit()
                                        : RandomSequence(SeedOf(args)).Next());
  return {};
}

Status EvalRandSequence(const EvalCall& call, std::span<const Value> values, Value* out) {
  const uint32_t seed = SeedOf(Args(call, values));
  *out = Value::Double(call.context.SequenceOf(call.function, seed).Next());
  return {};
}

}  // namespace

std::span<const FunctionDef> MathFunctions() {
  static constexpr FunctionDef kTable[] = {
      {.name = "abs",
       .min_args = 1,
       .max_args = 1,
       .infer = InferSameNumber,
       .eval = EvalAbs,
       .number_args = 1,
       .total = true},
      {.name = "ceiling",
       .min_args = 1,
       .max_args = 1,
       .infer = InferWhole,
       .eval = EvalWhole<true>,
       .number_args = 1,
       .total = true},
      {.name = "ceil",
       .min_args = 1,
       .max_args = 1,
       .infer = InferWhole,
       .eval = EvalWhole<true>,
       .number_args = 1,
       .total = true},
      {.name = "floor",
       .min_args = 1,
       .max_args = 1,
       .infer = InferWhole,
       .eval = EvalWhole<false>,
       .number_args = 1,
       .total = true},
      {.name = "round",
       .min_args = 1,
       .max_args = 2,
       .infer = InferRound,
       .eval = EvalRound<false>,
       .number_args = 0b11,
       .total = true},
      {.name = "truncate",
       .min_args = 2,
       .max_args = 2,
       .infer = InferRound,
       .eval = EvalRound<true>,
       .number_args = 0b11,
       .total = true},
      {.name = "sign",
       .min_args = 1,
       .max_args = 1,
       .infer = InferBigInt,
       .eval = EvalSign,
       .number_args = 1,
       .total = true},
      {.name = "sqrt",
       .min_args = 1,
       .max_args = 1,
       .infer = InferDouble,
       .eval = EvalSqrt,
       .number_args = 1},
      {.name = "exp",
       .min_args = 1,
       .max_args = 1,
       .infer = InferDouble,
       .eval = EvalDouble<std::exp>,
       .number_args = 1,
       .total = true},
      {.name = "ln",
       .min_args = 1,
       .max_args = 1,
       .infer = InferDouble,
       .eval = EvalLogarithm<std::log>,
       .number_args = 1},
      {.name = "log",
       .min_args = 1,
       .max_args = 2,
       .infer = InferDouble,
       .eval = EvalLog,
       .number_args = 0b11},
      {.name = "log2",
       .min_args = 1,
       .max_args = 1,
       .infer = InferDouble,
       .eval = EvalLogarithm<Log2>,
       .number_args = 1},
      {.name = "log10",
       .min_args = 1,
       .max_args = 1,
       .infer = InferDouble,
       .eval = EvalLogarithm<std::log10>,
       .number_args = 1},
      {.name = "pow",
       .min_args = 2,
       .max_args = 2,
       .infer = InferDouble,
       .eval = EvalPow,
       .number_args = 0b11,
       .total = true},
      {.name = "power",
       .min_args = 2,
       .max_args = 2,
       .infer = InferDouble,
       .eval = EvalPow,
       .number_args = 0b11,
       .total = true},
      {.name = "sin",
       .min_args = 1,
       .max_args = 1,
       .infer = InferDouble,
       .eval = EvalDouble<std::sin>,
       .number_args = 1,
       .total = true},
      {.name = "cos",
       .min_args = 1,
       .max_args = 1,
       .infer = InferDouble,
       .eval = EvalDouble<std::cos>,
       .number_args = 1,
       .total = true},
      {.name = "tan",
       .min_args = 1,
       .max_args = 1,
       .infer = InferDouble,
       .eval = EvalDouble<std::tan>,
       .number_args = 1,
       .total = true},
      {.name = "cot",
       .min_args = 1,
       .max_args = 1,
       .infer = InferDouble,
       .eval = EvalDouble<Cotangent>,
       .number_args = 1,
       .total = true},
      {.name = "asin",
       .min_args = 1,
       .max_args = 1,
       .infer = InferDouble,
       .eval = EvalWithin<std::asin, -1, 1>,
       .number_args = 1},
      {.name = "acos",
       .min_args = 1,
       .max_args = 1,
       .infer = InferDouble,
       .eval = EvalWithin<std::acos, -1, 1>,
       .number_args = 1},
      {.name = "atan",
       .min_args = 1,
       .max_args = 2,
       .infer = InferDouble,
       .eval = EvalAtan,
       .number_args = 0b11,
       .total = true},
      {.name = "atan2",
       .min_args = 1,
       .max_args = 2,
       .infer = InferDouble,
       .eval = EvalAtan,
       .number_args = 0b11,
       .total = true},
      {.name = "degrees",
       .min_args = 1,
       .max_args = 1,
       .infer = InferDouble,
       .eval = EvalDouble<ToDegrees>,
       .number_args = 1,
       .total = true},
      {.name = "radians",
       .min_args = 1,
       .max_args = 1,
       .infer = InferDouble,
       .eval = EvalDouble<ToRadians>,
       .number_args = 1,
       .total = true},
      {.name = "pi", .min_args = 0, .max_args = 0, .infer = InferPi, .eval = EvalPi, .total = true},
      {.name = "rand sequence",
       .min_args = 1,
       .max_args = 1,
       .infer = InferDouble,
       .eval = EvalRandSequence,
       .null_if_any_null = false,
       .stability = Stability::kVolatile,
       .number_args = 1,
       .total = true},
      {.name = "rand",
       .min_args = 0,
       .max_args = 1,
       .infer = InferDouble,
       .eval = EvalRand,
       .null_if_any_null = false,
       .stability = Stability::kVolatile,
       .number_args = 1,
       .total = true},
  };
  return kTable;
}

}  // namespace borealis::sql
