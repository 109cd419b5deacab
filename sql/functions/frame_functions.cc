// "range position": where a value stands on the line on which a RANGE frame measures its distances,
// as a whole number that orders as the value does. A time or date is its microseconds; a number is
// its value in units of the last decimal of FunctionOptions::cast_type.
#include <algorithm>

#include "sql/functions/functions_internal.h"

namespace borealis::sql {
namespace {

using row::Type;
using row::Value;

int64_t MicrosOfDate(int64_t packed) {
  const row::TemporalParts parts = row::UnpackDateTime(packed);
  return row::DayNumber(parts.year, parts.month, parts.day) * row::kMicrosPerDay +
         row::TimeOf(packed);
}

Status EvalRangePosition(const EvalCall& call, std::span<const Value> values, Value* out) {
  Args args(call, values);
  if (args.type(0).kind == row::TypeKind::kTime) {
    return SetInt(out, values[0].temporal());
  }
  if (args.type(0).is_temporal()) {
    int64_t packed = 0;
    *out = args.DateTime(0, &packed) ? Value::Int(MicrosOfDate(packed)) : Value::Null();
    return {};
  }
  // Shifting the point, exactly: the binder has seen to it that there are digits enough.
  constexpr int kMostDigits = 18;  // of a 64-bit number
  int64_t units_in_one = 1;
  for (int i = 0; i < std::min<int>(call.function.options().cast_type.scale, kMostDigits); ++i) {
    units_in_one *= 10;
  }
  row::Decimal units;
  row::Decimal::Mul(args.Dec(0), row::Decimal::FromInt64(units_in_one), &units);
  bool is_unsigned = false;
  return SetInt(out, row::ToInteger(Value::Dec(units), Type::Decimal(65, 0),
                                    call.context.conversion, &is_unsigned));
}

}  // namespace

std::span<const FunctionDef> FrameFunctions() {
  static constexpr FunctionDef kTable[] = {
      {.name = "range position",
       .min_args = 1,
       .max_args = 1,
       .infer = InferBigInt,
       .eval = EvalRangePosition},
  };
  return kTable;
}

}  // namespace borealis::sql
