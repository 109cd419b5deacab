// MAKE_SET and EXPORT_SET: bits of a number as a list of texts.
#include <algorithm>

#include "sql/functions/functions_internal.h"

namespace borealis::sql {
namespace {

using row::Type;
using row::Value;

constexpr uint64_t kMaxBits = 64;

// MAKE_SET(bits, text, …): the texts whose bits are set.
Status EvalMakeSet(const EvalCall& call, std::span<const Value> values, Value* out) {
  Args args(call, values);
  if (args.null(0)) {
    *out = Value::Null();
    return {};
  }
  const uint64_t bits = args.Bits(0);
  std::string result;
  std::string buffer;
  bool first = true;
  for (size_t i = 1; i < args.size() && i <= kMaxBits; ++i) {
    if ((bits >> (i - 1) & 1) != 0 && !args.null(i)) {
      result += first ? "" : ",";
      result += args.Text(i, &buffer);
      first = false;
    }
  }
  return SetText(call, std::move(result), out);
}

Status InferMakeSet(const InferInput& input, Type* type) {
  uint64_t chars = input.args.size() - 2;  // commas
  for (const FunctionArg& arg : input.args.subspan(1)) {
    chars += CharsOf(arg.type);
  }
  *type = TextType(chars, input.settings.collation);
  return {};
}

// EXPORT_SET(bits, on, off[, separator[, count]]): a text for each bit, the lowest first.
Status EvalExportSet(const EvalCall& call, std::span<const Value> values, Value* out) {
  Args args(call, values);
  const uint64_t bits = args.Bits(0);
  const std::string on = args.TextCopy(1);
  const std::string off = args.TextCopy(2);
  const std::string separator = args.size() > 3 ? args.TextCopy(3) : ",";
  const uint64_t count = args.size() > 4 ? std::min(args.Bits(4), kMaxBits) : kMaxBits;
  std::string result;
  for (uint64_t i = 0; i < count; ++i) {
    result += i == 0 ? "" : separator;
    result += (bits >> i & 1) != 0 ? on : off;
  }
  return SetText(call, std::move(result), out);
}

Status InferExportSet(const InferInput& input, Type* type) {
  const uint64_t text = std::max(CharsOf(input.args[1].type), CharsOf(input.args[2].type));
  const uint64_t separator = input.args.size() > 3 ? CharsOf(input.args[3].type) : 1;
  *type = TextType(std::min<uint64_t>(text * kMaxBits + separator * (kMaxBits - 1), UINT32_MAX),
                   input.settings.collation);
  return {};
}

}  // namespace

std::span<const FunctionDef> BitTextFunctions() {
  static constexpr FunctionDef kTable[] = {
      {.name = "make_set",
       .min_args = 2,
       .max_args = kAnyNumber,
       .infer = InferMakeSet,
       .eval = EvalMakeSet,
       .null_if_any_null = false,
       .collation_args = kAllArgs & ~1U,
       .number_args = 1,
       .null_from_args = true},
      {.name = "export_set",
       .min_args = 3,
       .max_args = 5,
       .infer = InferExportSet,
       .eval = EvalExportSet,
       .collation_args = 0b1110,
       .number_args = 0b10001},
  };
  return kTable;
}

}  // namespace borealis::sql
