// Three-valued logic, and functions that choose among their arguments.
#include "sql/functions/functions_internal.h"

namespace borealis::sql {
namespace {

using row::Type;
using row::Value;

template <bool kAnd>
Status EvalLogical(const EvalCall& call, std::span<const Value> values, Value* out) {
  Args args(call, values);
  bool unknown = false;
  for (size_t i = 0; i < args.size(); ++i) {
    if (args.null(i)) {
      unknown = true;
    } else if (args.Bool(i) != kAnd) {  // one decides
      *out = Value::Bool(!kAnd);
      return {};
    }
  }
  *out = unknown ? Value::Null() : Value::Bool(kAnd);
  return {};
}

Status EvalXor(const EvalCall& call, std::span<const Value> values, Value* out) {
  Args args(call, values);
  *out = Value::Bool(args.Bool(0) != args.Bool(1));
  return {};
}

Status EvalNot(const EvalCall& call, std::span<const Value> values, Value* out) {
  *out = Value::Bool(!Args(call, values).Bool(0));
  return {};
}

Status EvalIsNull(const EvalCall&, std::span<const Value> values, Value* out) {
  *out = Value::Bool(values[0].is_null());
  return {};
}

// As the result type holds the chosen argument.
Status Choose(const EvalCall& call, const Args& args, size_t i, Value* out) {
  return ConvertValue(call.context, args[i], args.type(i), call.function.type(), out);
}

Status InferCommon(const InferInput& input, Type* type) {
  *type = CommonResult(input.args, input.settings.collation);
  return {};
}

Status EvalCoalesce(const EvalCall& call, std::span<const Value> values, Value* out) {
  Args args(call, values);
  for (size_t i = 0; i < args.size(); ++i) {
    if (!args.null(i)) {
      return Choose(call, args, i, out);
    }
  }
  *out = Value::Null();
  return {};
}

Status InferIf(const InferInput& input, Type* type) {
  *type = CommonResult(input.args.subspan(1), input.settings.collation);
  return {};
}

Status EvalIf(const EvalCall& call, std::span<const Value> values, Value* out) {
  Args args(call, values);
  return Choose(call, args, args.Bool(0) ? 1 : 2, out);
}

Status InferNullIf(const InferInput& input, Type* type) {
  *type = CommonResult(input.args.first(1), input.settings.collation);
  return {};
}

Status EvalNullIf(const EvalCall& call, std::span<const Value> values, Value* out) {
  Args args(call, values);
  bool comparable;
  if (!args.null(0) && !args.null(1) &&
      CompareMixed(call.context, args[0], args.type(0), args[1], args.type(1),
                   call.function.collation(), &comparable) == 0 &&
      comparable) {
    *out = Value::Null();
    return {};
  }
  return Choose(call, args, 0, out);
}

// "case": condition, result, condition, result, …[, else].
Status InferCase(const InferInput& input, Type* type) {
  std::vector<FunctionArg> results;
  for (size_t i = 1; i < input.args.size(); i += 2) {
    results.push_back(input.args[i]);
  }
  if (input.args.size() % 2 == 1) {
    results.push_back(input.args.back());
  }
  *type = CommonResult(results, input.settings.collation);
  return {};
}

Status EvalCase(const EvalCall& call, std::span<const Value> values, Value* out) {
  Args args(call, values);
  for (size_t i = 0; i + 1 < args.size(); i += 2) {
    if (!args.null(i) && args.Bool(i)) {
      return Choose(call, args, i + 1, out);
    }
  }
  if (args.size() % 2 == 1) {
    return Choose(call, args, args.size() - 1, out);
  }
  *out = Value::Null();
  return {};
}

Status InferElt(const InferInput& input, Type* type) {
  uint64_t chars = 0;
  for (const FunctionArg& arg : input.args.subspan(1)) {
    chars = std::max(chars, CharsOf(arg.type));
  }
  *type = TextType(chars, input.settings.collation);
  return {};
}

Status EvalElt(const EvalCall& call, std::span<const Value> values, Value* out) {
  Args args(call, values);
  *out = Value::Null();
  if (args.null(0)) {
    return {};
  }
  int64_t n = args.Int(0);
  if (n < 1 || n >= static_cast<int64_t>(args.size()) || args.null(static_cast<size_t>(n))) {
    return {};
  }
  return Choose(call, args, static_cast<size_t>(n), out);
}

Status InferCast(const InferInput& input, Type* type) {
  *type = input.options.cast_type;
  return {};
}

Status EvalCast(const EvalCall& call, std::span<const Value> values, Value* out) {
  return CastValue(call.context, values[0], call.function.arg_types()[0], call.function.type(),
                   out);
}

}  // namespace

std::span<const FunctionDef> LogicFunctions() {
  static constexpr FunctionDef kTable[] = {
      {.name = "and",
       .min_args = 2,
       .max_args = kAnyNumber,
       .infer = InferBoolean,
       .eval = EvalLogical<true>,
       .null_if_any_null = false},
      {.name = "or",
       .min_args = 2,
       .max_args = kAnyNumber,
       .infer = InferBoolean,
       .eval = EvalLogical<false>,
       .null_if_any_null = false},
      {.name = "xor",
       .min_args = 2,
       .max_args = 2,
       .infer = InferBoolean,
       .eval = EvalXor,
       .total = true},
      {.name = "not",
       .min_args = 1,
       .max_args = 1,
       .infer = InferBoolean,
       .eval = EvalNot,
       .total = true},
      {.name = "isnull",
       .min_args = 1,
       .max_args = 1,
       .infer = InferBoolean,
       .eval = EvalIsNull,
       .null_if_any_null = false,
       .total = true},
      {.name = "coalesce",
       .min_args = 1,
       .max_args = kAnyNumber,
       .infer = InferCommon,
       .eval = EvalCoalesce,
       .null_if_any_null = false,
       .collation_args = kAllArgs},
      {.name = "ifnull",
       .min_args = 2,
       .max_args = 2,
       .infer = InferCommon,
       .eval = EvalCoalesce,
       .null_if_any_null = false,
       .collation_args = 3},
      {.name = "if",
       .min_args = 3,
       .max_args = 3,
       .infer = InferIf,
       .eval = EvalIf,
       .null_if_any_null = false,
       .collation_args = 6},
      {.name = "nullif",
       .min_args = 2,
       .max_args = 2,
       .infer = InferNullIf,
       .eval = EvalNullIf,
       .null_if_any_null = false,
       .collation_args = 3,
       .compares_texts = true},
      {.name = "case",
       .min_args = 2,
       .max_args = kAnyNumber,
       .infer = InferCase,
       .eval = EvalCase,
       .null_if_any_null = false,
       .collation_args = kAllArgs},
      {.name = "elt",
       .min_args = 2,
       .max_args = kAnyNumber,
       .infer = InferElt,
       .eval = EvalElt,
       .null_if_any_null = false,
       .collation_args = kAllArgs & ~1U,
       .number_args = 1},
      {.name = "cast", .min_args = 1, .max_args = 1, .infer = InferCast, .eval = EvalCast},
  };
  return kTable;
}

}  // namespace borealis::sql
