// Functions that measure text and search in it.
#include <algorithm>

#include "sql/functions/functions_internal.h"

namespace borealis::sql {
namespace {

using row::Type;
using row::Value;

// Bytes as the client's character set counts them: one per character of latin1.
Status EvalLength(const EvalCall& call, std::span<const Value> values, Value* out) {
  Args args(call, values);
  std::string buffer;
  std::string_view text = args.Text(0, &buffer);
  const Type& type = args.type(0);
  size_t bytes =
      type.is_text() ? row::GetCollation(type.collation).charset().EncodedSize(text) : text.size();
  return SetInt(out, static_cast<int64_t>(bytes));
}

template <int kFactor>
Status EvalBytesTimes(const EvalCall& call, std::span<const Value> values, Value* out) {
  RETURN_IF_ERROR(EvalLength(call, values, out));
  return SetInt(out, out->int_value() * kFactor);
}

Status EvalCharLength(const EvalCall& call, std::span<const Value> values, Value* out) {
  Args args(call, values);
  std::string buffer;
  std::string_view text = args.Text(0, &buffer);
  bool bytes = args.type(0).is_binary_string() || args.type(0).kind == row::TypeKind::kBit;
  return SetInt(out, static_cast<int64_t>(bytes ? text.size() : row::CharCount(text)));
}

// LOCATE(needle, text[, position]): characters from 1, 0 when there is none.
Status Locate(const EvalCall& call, std::string_view text, std::string_view needle,
              int64_t position, Value* out) {
  bool bytes = IsBinaryText(call);
  if (position < 1) {
    return SetInt(out, 0);
  }
  size_t from = bytes ? static_cast<size_t>(position - 1)
                      : row::OffsetOfChar(text, static_cast<size_t>(position - 1));
  if (!bytes && from == text.size() && row::CharCount(text) < static_cast<size_t>(position - 1)) {
    return SetInt(out, 0);
  }
  size_t found = call.function.collation().Find(text, needle, from);
  if (found == std::string_view::npos) {
    return SetInt(out, 0);
  }
  size_t before = bytes ? found : row::CharCount(text.substr(0, found));
  return SetInt(out, static_cast<int64_t>(before) + 1);
}

Status EvalLocate(const EvalCall& call, std::span<const Value> values, Value* out) {
  Args args(call, values);
  std::string text;
  std::string needle;
  return Locate(call, args.Text(1, &text), args.Text(0, &needle), args.size() > 2 ? args.Int(2) : 1,
                out);
}

Status EvalInstr(const EvalCall& call, std::span<const Value> values, Value* out) {
  Args args(call, values);
  std::string text;
  std::string needle;
  return Locate(call, args.Text(0, &text), args.Text(1, &needle), 1, out);
}

Status EvalFindInSet(const EvalCall& call, std::span<const Value> values, Value* out) {
  Args args(call, values);
  std::string buffer;
  std::string list_buffer;
  std::string_view needle = args.Text(0, &buffer);
  std::string_view list = args.Text(1, &list_buffer);
  if (list.empty() || needle.find(',') != std::string_view::npos) {
    return SetInt(out, 0);
  }
  int64_t number = 1;
  for (;; ++number) {
    size_t comma = list.find(',');
    if (call.function.collation().Equal(list.substr(0, comma), needle)) {
      return SetInt(out, number);
    }
    if (comma == std::string_view::npos) {
      return SetInt(out, 0);
    }
    list.remove_prefix(comma + 1);
  }
}

Status EvalAscii(const EvalCall& call, std::span<const Value> values, Value* out) {
  std::string buffer;
  std::string_view text = Args(call, values).Text(0, &buffer);
  return SetInt(out, text.empty() ? 0 : static_cast<uint8_t>(text[0]));
}

// The bytes of the first character as one number.
Status EvalOrd(const EvalCall& call, std::span<const Value> values, Value* out) {
  std::string buffer;
  std::string_view text = Args(call, values).Text(0, &buffer);
  if (text.empty()) {
    return SetInt(out, 0);
  }
  size_t size = 1;
  if (!IsBinaryText(call)) {
    row::DecodeChar(text, 0, &size);
  }
  int64_t number = 0;
  for (size_t i = 0; i < size; ++i) {
    number = number << 8 | static_cast<uint8_t>(text[i]);
  }
  return SetInt(out, number);
}

// Four letters and digits of how an English word sounds; MySQL's original algorithm.
std::string Soundex(std::string_view text) {
  constexpr std::string_view kCodes = "01230120022455012623010202";  // A to Z
  std::string result;
  char last = 0;
  for (size_t pos = 0; pos < text.size();) {
    size_t size;
    char32_t c = row::DecodeChar(text, pos, &size);
    if (c < 0x80 && ((c | 32) >= 'a' && (c | 32) <= 'z')) {
      char upper = static_cast<char>(c & ~32U);
      char code = kCodes[static_cast<size_t>(upper - 'A')];
      if (result.empty()) {
        result += upper;
      } else if (code != '0' && code != last) {
        result += code;
      }
      last = code;
    }
    pos += size;
  }
  if (!result.empty() && result.size() < 4) {
    result.append(4 - result.size(), '0');
  }
  return result;
}

Status EvalSoundex(const EvalCall& call, std::span<const Value> values, Value* out) {
  std::string buffer;
  return SetText(call, Soundex(Args(call, values).Text(0, &buffer)), out);
}

Status EvalSoundsLike(const EvalCall& call, std::span<const Value> values, Value* out) {
  Args args(call, values);
  std::string a;
  std::string b;
  *out = Value::Bool(Soundex(args.Text(0, &a)) == Soundex(args.Text(1, &b)));
  return {};
}

Status EvalCharset(const EvalCall& call, std::span<const Value>, Value* out) {
  const Type& type = call.function.arg_types()[0];
  *out = Value::View(type.has_collation() ? row::GetCollation(type.collation).charset().name
                                          : "binary");
  return {};
}

Status EvalCollation(const EvalCall& call, std::span<const Value>, Value* out) {
  const Type& type = call.function.arg_types()[0];
  *out = Value::View(type.has_collation() ? row::GetCollation(type.collation).name() : "binary");
  return {};
}

}  // namespace

std::span<const FunctionDef> TextSearchFunctions() {
  static constexpr FunctionDef kTable[] = {
      {.name = "length",
       .min_args = 1,
       .max_args = 1,
       .infer = InferBigInt,
       .eval = EvalLength,
       .total = true},
      {.name = "octet_length",
       .min_args = 1,
       .max_args = 1,
       .infer = InferBigInt,
       .eval = EvalLength,
       .total = true},
      {.name = "bit_length",
       .min_args = 1,
       .max_args = 1,
       .infer = InferBigInt,
       .eval = EvalBytesTimes<8>,
       .total = true},
      {.name = "char_length",
       .min_args = 1,
       .max_args = 1,
       .infer = InferBigInt,
       .eval = EvalCharLength,
       .total = true},
      {.name = "character_length",
       .min_args = 1,
       .max_args = 1,
       .infer = InferBigInt,
       .eval = EvalCharLength,
       .total = true},
      {.name = "locate",
       .min_args = 2,
       .max_args = 3,
       .infer = InferBigInt,
       .eval = EvalLocate,
       .collation_args = 3,
       .total = true},
      {.name = "position",
       .min_args = 2,
       .max_args = 2,
       .infer = InferBigInt,
       .eval = EvalLocate,
       .collation_args = 3,
       .total = true},
      {.name = "instr",
       .min_args = 2,
       .max_args = 2,
       .infer = InferBigInt,
       .eval = EvalInstr,
       .collation_args = 3,
       .total = true},
      {.name = "find_in_set",
       .min_args = 2,
       .max_args = 2,
       .infer = InferBigInt,
       .eval = EvalFindInSet,
       .collation_args = 3,
       .compares_texts = true,
       .total = true},
      {.name = "ascii",
       .min_args = 1,
       .max_args = 1,
       .infer = InferBigInt,
       .eval = EvalAscii,
       .total = true},
      {.name = "ord",
       .min_args = 1,
       .max_args = 1,
       .infer = InferBigInt,
       .eval = EvalOrd,
       .collation_args = 1,
       .total = true},
      {.name = "soundex",
       .min_args = 1,
       .max_args = 1,
       .infer = InferLikeFirst,
       .eval = EvalSoundex,
       .collation_args = 1,
       .total = true},
      {.name = "sounds_like",
       .min_args = 2,
       .max_args = 2,
       .infer = InferBoolean,
       .eval = EvalSoundsLike,
       .collation_args = 3,
       .compares_texts = true,
       .total = true},
      {.name = "charset",
       .min_args = 1,
       .max_args = 1,
       .infer = InferAscii<64>,
       .eval = EvalCharset,
       .null_if_any_null = false,
       .total = true},
      {.name = "collation",
       .min_args = 1,
       .max_args = 1,
       .infer = InferAscii<64>,
       .eval = EvalCollation,
       .null_if_any_null = false,
       .total = true},
  };
  return kTable;
}

}  // namespace borealis::sql
