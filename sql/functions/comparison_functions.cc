// Comparison by MySQL's cross-type rules, and functions that compare their arguments: BETWEEN, IN,
// LIKE, GREATEST, LEAST, INTERVAL, FIELD, STRCMP.
#include <algorithm>

#include "sql/functions/functions_internal.h"

namespace borealis::sql {
namespace {

using row::Type;
using row::TypeKind;
using row::Value;

// Compares arguments i and j; false when a date could not be read (the result is then NULL).
bool CompareArgs(const EvalCall& call, const Args& args, size_t i, size_t j, int* order) {
  bool comparable;
  *order = CompareMixed(call.context, args[i], args.type(i), args[j], args.type(j),
                        call.function.collation(), &comparable);
  return comparable;
}

template <bool kLess, bool kEqual, bool kGreater>
Status EvalCompare(const EvalCall& call, std::span<const Value> values, Value* out) {
  int order;
  if (!CompareArgs(call, Args(call, values), 0, 1, &order)) {
    *out = Value::Null();
    return {};
  }
  *out = Value::Bool(order < 0 ? kLess : order == 0 ? kEqual : kGreater);
  return {};
}

Status EvalNullSafeEqual(const EvalCall& call, std::span<const Value> values, Value* out) {
  Args args(call, values);
  if (args.null(0) || args.null(1)) {
    *out = Value::Bool(args.null(0) && args.null(1));
    return {};
  }
  int order;
  *out = Value::Bool(CompareArgs(call, args, 0, 1, &order) && order == 0);
  return {};
}

// low <= x AND x <= high, by three-valued logic.
Status EvalBetween(const EvalCall& call, std::span<const Value> values, Value* out) {
  Args args(call, values);
  *out = Value::Null();
  if (args.null(0)) {
    return {};
  }
  int low = 0;
  int high = 0;
  bool low_known = !args.null(1) && CompareArgs(call, args, 0, 1, &low);
  bool high_known = !args.null(2) && CompareArgs(call, args, 0, 2, &high);
  if ((low_known && low < 0) || (high_known && high > 0)) {
    *out = Value::Bool(false);
  } else if (low_known && high_known) {
    *out = Value::Bool(true);
  }
  return {};
}

Status EvalIn(const EvalCall& call, std::span<const Value> values, Value* out) {
  Args args(call, values);
  *out = Value::Null();
  if (args.null(0)) {
    return {};
  }
  bool unknown = false;
  for (size_t i = 1; i < args.size(); ++i) {
    int order;
    if (args.null(i) || !CompareArgs(call, args, 0, i, &order)) {
      unknown = true;
    } else if (order == 0) {
      *out = Value::Bool(true);
      return {};
    }
  }
  if (!unknown) {
    *out = Value::Bool(false);
  }
  return {};
}

Status EvalLike(const EvalCall& call, std::span<const Value> values, Value* out) {
  Args args(call, values);
  if (args.null(0) || args.null(1)) {
    *out = Value::Null();
    return {};
  }
  char32_t escape =
      (call.context.conversion.sql_mode & row::kModeNoBackslashEscapes) != 0 ? 0 : '\\';
  if (args.size() == 3 && !args.null(2)) {
    std::string buffer;
    std::string_view text = args.Text(2, &buffer);
    size_t size = 0;
    escape = text.empty() ? 0 : row::DecodeChar(text, 0, &size);
    if (size < text.size() || escape == row::kBadChar) {
      return UserError(ER_WRONG_ARGUMENTS, "ESCAPE");
    }
  }
  std::string text_buffer;
  std::string pattern_buffer;
  *out = Value::Bool(call.function.collation().Like(args.Text(0, &text_buffer),
                                                    args.Text(1, &pattern_buffer), escape));
  return {};
}

Status InferExtreme(const InferInput& input, Type* type) {
  *type = CommonResult(input.args, input.settings.collation);
  return {};
}

// The arguments compared in the result's type: numbers as numbers, and as text when there is text
// among them; text with dates and no numbers compares as dates.
template <int kSign>
Status EvalExtreme(const EvalCall& call, std::span<const Value> values, Value* out) {
  Args args(call, values);
  bool as_text = call.function.type().is_string();
  bool dates = false;
  bool numbers = false;
  for (size_t i = 0; i < args.size(); ++i) {
    dates |= args.type(i).has_date();
    numbers |= args.type(i).is_numeric();
  }
  as_text &= !dates || numbers;
  size_t best = 0;
  for (size_t i = 1; i < args.size(); ++i) {
    int order;
    if (as_text) {
      std::string x;
      std::string y;
      order = call.function.collation().Compare(args.Text(i, &x), args.Text(best, &y));
    } else if (!CompareArgs(call, args, i, best, &order)) {
      *out = Value::Null();
      return {};
    }
    if (order * kSign > 0) {
      best = i;
    }
  }
  return ConvertValue(call.context, args[best], args.type(best), call.function.type(), out);
}

// INTERVAL(n, a, b, …): how many of the ascending arguments are at most n.
Status EvalInterval(const EvalCall& call, std::span<const Value> values, Value* out) {
  Args args(call, values);
  if (args.null(0)) {
    return SetInt(out, -1);
  }
  row::Decimal n = args.Dec(0);
  int64_t position = 0;
  for (size_t i = 1; i < args.size(); ++i) {
    if (!args.null(i) && row::Decimal::Compare(args.Dec(i), n) > 0) {
      break;
    }
    position = static_cast<int64_t>(i);
  }
  return SetInt(out, position);
}

Status EvalField(const EvalCall& call, std::span<const Value> values, Value* out) {
  Args args(call, values);
  // All text (dates and JSON count as text), all exact numbers, or else everything as double.
  bool all_text = true;
  bool all_exact = true;
  for (size_t i = 0; i < args.size(); ++i) {
    all_text &= !args.type(i).is_numeric() || args.null(i);
    all_exact &= NumberClassOf(args.type(i)) != NumberClass::kDouble;
  }
  if (args.null(0)) {
    return SetInt(out, 0);
  }
  // Converted once, with one warning.
  std::string buffer;
  const std::string_view sought_text = all_text ? args.Text(0, &buffer) : std::string_view();
  const double sought = all_text || all_exact ? 0 : args.Double(0);
  for (size_t i = 1; i < args.size(); ++i) {
    if (args.null(i)) {
      continue;
    }
    bool equal;
    if (all_text) {
      std::string text;
      equal = call.function.collation().Equal(sought_text, args.Text(i, &text));
    } else if (all_exact) {
      equal = args.Dec(0) == args.Dec(i);
    } else {
      equal = sought == args.Double(i);
    }
    if (equal) {
      return SetInt(out, static_cast<int64_t>(i));
    }
  }
  return SetInt(out, 0);
}

Status EvalStrcmp(const EvalCall& call, std::span<const Value> values, Value* out) {
  Args args(call, values);
  std::string x;
  std::string y;
  int order = call.function.collation().Compare(args.Text(0, &x), args.Text(1, &y));
  return SetInt(out, (order > 0) - (order < 0));
}

}  // namespace

std::span<const FunctionDef> ComparisonFunctions() {
  static constexpr FunctionDef kTable[] = {
      {.name = "=",
       .min_args = 2,
       .max_args = 2,
       .infer = InferBoolean,
       .eval = EvalCompare<false, true, false>,
       .collation_args = 3,
       .compares_texts = true},
      {.name = "<>",
       .min_args = 2,
       .max_args = 2,
       .infer = InferBoolean,
       .eval = EvalCompare<true, false, true>,
       .collation_args = 3,
       .compares_texts = true},
      {.name = "<",
       .min_args = 2,
       .max_args = 2,
       .infer = InferBoolean,
       .eval = EvalCompare<true, false, false>,
       .collation_args = 3,
       .compares_texts = true},
      {.name = "<=",
       .min_args = 2,
       .max_args = 2,
       .infer = InferBoolean,
       .eval = EvalCompare<true, true, false>,
       .collation_args = 3,
       .compares_texts = true},
      {.name = ">",
       .min_args = 2,
       .max_args = 2,
       .infer = InferBoolean,
       .eval = EvalCompare<false, false, true>,
       .collation_args = 3,
       .compares_texts = true},
      {.name = ">=",
       .min_args = 2,
       .max_args = 2,
       .infer = InferBoolean,
       .eval = EvalCompare<false, true, true>,
       .collation_args = 3,
       .compares_texts = true},
      {.name = "<=>",
       .min_args = 2,
       .max_args = 2,
       .infer = InferBoolean,
       .eval = EvalNullSafeEqual,
       .null_if_any_null = false,
       .collation_args = 3,
       .compares_texts = true,
       .total = true},
      {.name = "between",
       .min_args = 3,
       .max_args = 3,
       .infer = InferBoolean,
       .eval = EvalBetween,
       .null_if_any_null = false,
       .collation_args = 7,
       .compares_texts = true},
      {.name = "in",
       .min_args = 2,
       .max_args = kAnyNumber,
       .infer = InferBoolean,
       .eval = EvalIn,
       .null_if_any_null = false,
       .collation_args = kAllArgs,
       .compares_texts = true},
      {.name = "like",
       .min_args = 2,
       .max_args = 3,
       .infer = InferBoolean,
       .eval = EvalLike,
       .null_if_any_null = false,
       .collation_args = 3,
       .compares_texts = true,
       .null_from_args = true},
      {.name = "greatest",
       .min_args = 2,
       .max_args = kAnyNumber,
       .infer = InferExtreme,
       .eval = EvalExtreme<1>,
       .collation_args = kAllArgs},
      {.name = "least",
       .min_args = 2,
       .max_args = kAnyNumber,
       .infer = InferExtreme,
       .eval = EvalExtreme<-1>,
       .collation_args = kAllArgs},
      {.name = "interval",
       .min_args = 2,
       .max_args = kAnyNumber,
       .infer = InferBigIntOf<2>,
       .eval = EvalInterval,
       .null_if_any_null = false,
       .number_args = kAllArgs,
       .total = true},
      {.name = "field",
       .min_args = 2,
       .max_args = kAnyNumber,
       .infer = InferBigIntOf<11>,
       .eval = EvalField,
       .null_if_any_null = false,
       .collation_args = kAllArgs,
       .leading_arg = 0,
       .total = true},
      {.name = "strcmp",
       .min_args = 2,
       .max_args = 2,
       .infer = InferBigIntOf<2>,
       .eval = EvalStrcmp,
       .collation_args = 3,
       .compares_texts = true,
       .total = true},
  };
  return kTable;
}

}  // namespace borealis::sql
