// Functions that build text: concatenation, parts, padding, case.
//
// Positions count characters, or bytes when the operands' collation is binary.
#include <fmt/format.h>

#include <algorithm>

#include "sql/functions/functions_internal.h"

namespace borealis::sql {
namespace {

using row::Type;
using row::Value;

// Offsets and counts in the unit of the call: characters of text, bytes of binary strings.
class Unit {
 public:
  explicit Unit(const EvalCall& call) : bytes_(IsBinaryText(call)) {}
  size_t Count(std::string_view text) const { return bytes_ ? text.size() : row::CharCount(text); }
  size_t Offset(std::string_view text, uint64_t count) const {
    return bytes_ ? std::min<uint64_t>(count, text.size())
                  : row::OffsetOfChar(text, static_cast<size_t>(count));
  }

 private:
  bool bytes_;
};

// A part of an argument: borrows when the argument does not need converting.
Status SetPart(const Args& args, size_t i, size_t begin, size_t size, Value* out) {
  if (args[i].is_string() && args.type(i).kind != row::TypeKind::kJson) {
    *out = Value::View(args[i].bytes().substr(begin, size));
  } else {
    *out = Value::String(args.TextCopy(i).substr(begin, size));
  }
  return {};
}

Status EvalConcat(const EvalCall& call, std::span<const Value> values, Value* out) {
  Args args(call, values);
  std::string result;
  std::string buffer;
  for (size_t i = 0; i < args.size(); ++i) {
    result += args.Text(i, &buffer);
  }
  return SetText(call, std::move(result), out);
}

Status EvalConcatWs(const EvalCall& call, std::span<const Value> values, Value* out) {
  Args args(call, values);
  *out = Value::Null();
  if (args.null(0)) {
    return {};
  }
  std::string separator = args.TextCopy(0);
  std::string result;
  std::string buffer;
  bool first = true;
  for (size_t i = 1; i < args.size(); ++i) {
    if (!args.null(i)) {
      result += first ? "" : separator;
      result += args.Text(i, &buffer);
      first = false;
    }
  }
  return SetText(call, std::move(result), out);
}

Status InferConcatWs(const InferInput& input, Type* type) {
  uint64_t chars = CharsOf(input.args[0].type) * (input.args.size() - 2);
  for (const FunctionArg& arg : input.args.subspan(1)) {
    chars += CharsOf(arg.type);
  }
  *type = TextType(chars, input.settings.collation);
  return {};
}

// SUBSTRING(text, position[, count]); a negative position counts from the end.
Status EvalSubstring(const EvalCall& call, std::span<const Value> values, Value* out) {
  Args args(call, values);
  Unit unit(call);
  std::string buffer;
  std::string_view text = args.Text(0, &buffer);
  int64_t position = args.Int(1);
  int64_t count = args.size() > 2 ? args.Int(2) : INT64_MAX;
  int64_t length = static_cast<int64_t>(unit.Count(text));
  if (position < 0) {
    position = position < -length ? 0 : length + position + 1;
  }
  if (position <= 0 || position > length || count <= 0) {
    *out = Value::View("");
    return {};
  }
  size_t begin = unit.Offset(text, static_cast<uint64_t>(position - 1));
  size_t size = unit.Offset(text.substr(begin), static_cast<uint64_t>(count));
  return SetPart(args, 0, begin, size, out);
}

Status EvalLeft(const EvalCall& call, std::span<const Value> values, Value* out) {
  Args args(call, values);
  std::string buffer;
  std::string_view text = args.Text(0, &buffer);
  int64_t count = std::max<int64_t>(args.Int(1), 0);
  return SetPart(args, 0, 0, Unit(call).Offset(text, static_cast<uint64_t>(count)), out);
}

Status EvalRight(const EvalCall& call, std::span<const Value> values, Value* out) {
  Args args(call, values);
  Unit unit(call);
  std::string buffer;
  std::string_view text = args.Text(0, &buffer);
  int64_t count = std::max<int64_t>(args.Int(1), 0);
  int64_t length = static_cast<int64_t>(unit.Count(text));
  size_t begin = unit.Offset(text, static_cast<uint64_t>(std::max<int64_t>(length - count, 0)));
  return SetPart(args, 0, begin, std::string_view::npos, out);
}

template <std::string (*kMap)(std::string_view)>
Status EvalCaseMap(const EvalCall& call, std::span<const Value> values, Value* out) {
  Args args(call, values);
  std::string buffer;
  std::string_view text = args.Text(0, &buffer);
  if (args.type(0).is_binary_string()) {  // bytes have no case
    return SetPart(args, 0, 0, std::string_view::npos, out);
  }
  return SetText(call, kMap(text), out);
}

template <bool kLeading, bool kTrailing>
Status Trim(const Args& args, std::string_view text, std::string_view remove, Value* out) {
  size_t begin = 0;
  size_t end = text.size();
  if (!remove.empty()) {
    while (kLeading && end - begin >= remove.size() &&
           text.substr(begin, remove.size()) == remove) {
      begin += remove.size();
    }
    while (kTrailing && end - begin >= remove.size() &&
           text.substr(end - remove.size(), remove.size()) == remove) {
      end -= remove.size();
    }
  }
  return SetPart(args, 0, begin, end - begin, out);
}

// "trim"(text[, remove]); the sides are an option.
Status EvalTrim(const EvalCall& call, std::span<const Value> values, Value* out) {
  Args args(call, values);
  std::string buffer;
  std::string_view text = args.Text(0, &buffer);
  std::string remove = args.size() > 1 ? args.TextCopy(1) : " ";
  const FunctionOptions& options = call.function.options();
  if (options.trim_leading && options.trim_trailing) {
    return Trim<true, true>(args, text, remove, out);
  }
  return options.trim_leading ? Trim<true, false>(args, text, remove, out)
                              : Trim<false, true>(args, text, remove, out);
}

template <bool kLeading, bool kTrailing>
Status EvalTrimSpaces(const EvalCall& call, std::span<const Value> values, Value* out) {
  Args args(call, values);
  std::string buffer;
  return Trim<kLeading, kTrailing>(args, args.Text(0, &buffer), " ", out);
}

template <bool kLeft>
Status EvalPad(const EvalCall& call, std::span<const Value> values, Value* out) {
  Args args(call, values);
  Unit unit(call);
  std::string buffer;
  std::string_view text = args.Text(0, &buffer);
  int64_t wanted = args.Int(1);
  std::string pad = args.size() > 2 ? args.TextCopy(2) : " ";
  if (wanted < 0) {
    *out = Value::Null();
    return {};
  }
  int64_t length = static_cast<int64_t>(unit.Count(text));
  if (wanted <= length) {
    return SetPart(args, 0, 0, unit.Offset(text, static_cast<uint64_t>(wanted)), out);
  }
  int64_t pad_length = static_cast<int64_t>(unit.Count(pad));
  if (pad_length == 0) {
    *out = Value::View("");
    return {};
  }
  int64_t missing = wanted - length;
  uint64_t times = static_cast<uint64_t>(missing / pad_length) + 1;
  uint64_t bytes = times > UINT32_MAX ? UINT64_MAX : times * pad.size() + text.size();
  if (!FitsPacket(call, bytes, out)) {
    return {};
  }
  std::string filling;
  for (int64_t i = 0; i < missing / pad_length; ++i) {
    filling += pad;
  }
  filling += pad.substr(0, unit.Offset(pad, static_cast<uint64_t>(missing % pad_length)));
  return SetText(call, kLeft ? filling + std::string(text) : std::string(text) + filling, out);
}

Status InferPad(const InferInput& input, Type* type) {
  const Value* constant = input.args[1].constant;
  uint64_t chars = UINT32_MAX;
  if (constant != nullptr && !constant->is_null()) {
    bool is_unsigned;
    int64_t n = row::ToInteger(*constant, input.args[1].type, {}, &is_unsigned);
    chars = n < 0 ? 0 : std::min<uint64_t>(static_cast<uint64_t>(n), UINT32_MAX);
  }
  *type = TextType(chars, input.settings.collation);
  return {};
}

Status EvalRepeat(const EvalCall& call, std::span<const Value> values, Value* out) {
  Args args(call, values);
  std::string text = args.TextCopy(0);
  int64_t count = args.Int(1);
  if (count <= 0 || text.empty()) {
    *out = Value::View("");
    return {};
  }
  uint64_t times = static_cast<uint64_t>(count);
  if (!FitsPacket(call, times > UINT32_MAX ? UINT64_MAX : text.size() * times, out)) {
    return {};
  }
  std::string result;
  result.reserve(text.size() * static_cast<size_t>(count));
  for (int64_t i = 0; i < count; ++i) {
    result += text;
  }
  return SetText(call, std::move(result), out);
}

Status InferRepeat(const InferInput& input, Type* type) {
  const Value* constant = input.args[1].constant;
  uint64_t chars = UINT32_MAX;
  if (constant != nullptr && !constant->is_null()) {
    bool is_unsigned;
    int64_t n = row::ToInteger(*constant, input.args[1].type, {}, &is_unsigned);
    uint64_t times = n < 0 ? 0 : std::min<uint64_t>(static_cast<uint64_t>(n), UINT32_MAX);
    chars = std::min<uint64_t>(CharsOf(input.args[0].type) * times, UINT32_MAX);
  }
  *type = TextType(chars, input.settings.collation);
  return {};
}

Status EvalSpace(const EvalCall& call, std::span<const Value> values, Value* out) {
  int64_t count = std::max<int64_t>(Args(call, values).Int(0), 0);
  if (!FitsPacket(call, static_cast<uint64_t>(count), out)) {
    return {};
  }
  return SetText(call, std::string(static_cast<size_t>(count), ' '), out);
}

// Replaces by bytes: case matters whatever the collation.
Status EvalReplace(const EvalCall& call, std::span<const Value> values, Value* out) {
  Args args(call, values);
  std::string text = args.TextCopy(0);
  std::string from = args.TextCopy(1);
  std::string to = args.TextCopy(2);
  if (from.empty()) {
    return SetText(call, std::move(text), out);
  }
  std::string result;
  size_t pos = 0;
  for (;;) {
    size_t found = text.find(from, pos);
    result.append(text, pos, found - pos);
    if (found == std::string::npos) {
      break;
    }
    result += to;
    pos = found + from.size();
    if (result.size() > call.context.max_allowed_packet) {
      break;
    }
  }
  return SetText(call, std::move(result), out);
}

Status InferReplace(const InferInput& input, Type* type) {
  uint64_t chars = CharsOf(input.args[0].type);
  const bool binary = input.settings.collation == row::kBinaryCollation;
  uint64_t grown = binary ? BytesOf(input.args[2].type) : CharsOf(input.args[2].type);
  *type = TextType(std::min<uint64_t>(chars * std::max<uint64_t>(grown, 1), UINT32_MAX),
                   input.settings.collation);
  return {};
}

Status EvalReverse(const EvalCall& call, std::span<const Value> values, Value* out) {
  Args args(call, values);
  std::string buffer;
  std::string_view text = args.Text(0, &buffer);
  std::string result(text.rbegin(), text.rend());
  if (!IsBinaryText(call) && !row::IsAscii(text)) {
    result.clear();
    result.resize(text.size());
    size_t end = text.size();
    for (size_t pos = 0; pos < text.size();) {
      size_t size;
      row::DecodeChar(text, pos, &size);
      end -= size;
      text.copy(result.data() + end, size, pos);
      pos += size;
    }
  }
  return SetText(call, std::move(result), out);
}

// INSERT(text, position, count, new)
Status EvalInsert(const EvalCall& call, std::span<const Value> values, Value* out) {
  Args args(call, values);
  Unit unit(call);
  std::string text = args.TextCopy(0);
  int64_t position = args.Int(1);
  int64_t count = args.Int(2);
  int64_t length = static_cast<int64_t>(unit.Count(text));
  if (position < 1 || position > length) {
    return SetText(call, std::move(text), out);
  }
  if (count < 0 || count > length - position + 1) {
    count = length - position + 1;
  }
  size_t begin = unit.Offset(text, static_cast<uint64_t>(position - 1));
  size_t size = unit.Offset(std::string_view(text).substr(begin), static_cast<uint64_t>(count));
  text.replace(begin, size, args.TextCopy(3));
  return SetText(call, std::move(text), out);
}

// SUBSTRING_INDEX(text, delimiter, count)
Status EvalSubstringIndex(const EvalCall& call, std::span<const Value> values, Value* out) {
  Args args(call, values);
  std::string buffer;
  std::string_view text = args.Text(0, &buffer);
  std::string delimiter = args.TextCopy(1);
  int64_t count = args.Int(2);
  if (delimiter.empty() || count == 0) {
    *out = Value::View("");
    return {};
  }
  if (count > 0) {
    size_t pos = 0;
    for (; count > 0; --count) {
      size_t found = text.find(delimiter, pos);
      if (found == std::string_view::npos) {
        return SetPart(args, 0, 0, std::string_view::npos, out);
      }
      if (count == 1) {
        return SetPart(args, 0, 0, found, out);
      }
      pos = found + delimiter.size();
    }
  }
  size_t end = text.size();
  for (; count < 0; ++count) {
    size_t found = end < delimiter.size() ? std::string_view::npos
                                          : text.rfind(delimiter, end - delimiter.size());
    if (found == std::string_view::npos) {
      return SetPart(args, 0, 0, std::string_view::npos, out);
    }
    if (count == -1) {
      return SetPart(args, 0, found + delimiter.size(), std::string_view::npos, out);
    }
    end = found;
  }
  return {};
}

Status EvalQuote(const EvalCall& call, std::span<const Value> values, Value* out) {
  Args args(call, values);
  if (args.null(0)) {
    *out = Value::View("NULL");
    return {};
  }
  std::string buffer;
  std::string result = "'";
  for (char c : args.Text(0, &buffer)) {
    if (c == '\'' || c == '\\') {
      result += '\\';
      result += c;
    } else if (c == '\0') {
      result += "\\0";
    } else if (c == '\x1A') {
      result += "\\Z";
    } else {
      result += c;
    }
  }
  return SetText(call, result + "'", out);
}

Status InferQuote(const InferInput& input, Type* type) {
  *type = TextType(CharsOf(input.args[0].type) * 2 + 2, input.settings.collation);
  return {};
}

// CHAR(n, …): bytes; values above 255 are several.
Status EvalChar(const EvalCall& call, std::span<const Value> values, Value* out) {
  Args args(call, values);
  std::string result;
  for (size_t i = 0; i < args.size(); ++i) {
    if (args.null(i)) {
      continue;
    }
    uint32_t number = static_cast<uint32_t>(args.Bits(i));
    for (int shift = 24; shift >= 0; shift -= 8) {
      if (shift == 0 || number >> shift != 0) {
        result += static_cast<char>(number >> shift);
      }
    }
  }
  return SetText(call, std::move(result), out);
}

Status InferChar(const InferInput& input, Type* type) {
  *type = Type::Varbinary(static_cast<uint32_t>(input.args.size() * 4));
  return {};
}

}  // namespace

std::span<const FunctionDef> StringFunctions() {
  static constexpr FunctionDef kTable[] = {
      {.name = "concat",
       .min_args = 1,
       .max_args = kAnyNumber,
       .infer = InferConcat,
       .eval = EvalConcat,
       .collation_args = kAllArgs,
       .total = true},
      {.name = "concat_ws",
       .min_args = 2,
       .max_args = kAnyNumber,
       .infer = InferConcatWs,
       .eval = EvalConcatWs,
       .null_if_any_null = false,
       .collation_args = kAllArgs},
      {.name = "substring",
       .min_args = 2,
       .max_args = 3,
       .infer = InferLikeFirst,
       .eval = EvalSubstring,
       .collation_args = 1,
       .number_args = 0b110,
       .total = true},
      {.name = "substr",
       .min_args = 2,
       .max_args = 3,
       .infer = InferLikeFirst,
       .eval = EvalSubstring,
       .collation_args = 1,
       .number_args = 0b110,
       .total = true},
      {.name = "mid",
       .min_args = 2,
       .max_args = 3,
       .infer = InferLikeFirst,
       .eval = EvalSubstring,
       .collation_args = 1,
       .number_args = 0b110,
       .total = true},
      {.name = "left",
       .min_args = 2,
       .max_args = 2,
       .infer = InferLikeFirst,
       .eval = EvalLeft,
       .collation_args = 1,
       .number_args = 0b10,
       .total = true},
      {.name = "right",
       .min_args = 2,
       .max_args = 2,
       .infer = InferLikeFirst,
       .eval = EvalRight,
       .collation_args = 1,
       .number_args = 0b10,
       .total = true},
      {.name = "upper",
       .min_args = 1,
       .max_args = 1,
       .infer = InferLikeFirst,
       .eval = EvalCaseMap<row::UpperText>,
       .collation_args = 1,
       .total = true},
      {.name = "ucase",
       .min_args = 1,
       .max_args = 1,
       .infer = InferLikeFirst,
       .eval = EvalCaseMap<row::UpperText>,
       .collation_args = 1,
       .total = true},
      {.name = "lower",
       .min_args = 1,
       .max_args = 1,
       .infer = InferLikeFirst,
       .eval = EvalCaseMap<row::LowerText>,
       .collation_args = 1,
       .total = true},
      {.name = "lcase",
       .min_args = 1,
       .max_args = 1,
       .infer = InferLikeFirst,
       .eval = EvalCaseMap<row::LowerText>,
       .collation_args = 1,
       .total = true},
      {.name = "trim",
       .min_args = 1,
       .max_args = 2,
       .infer = InferLikeFirst,
       .eval = EvalTrim,
       .collation_args = 3,
       .leading_arg = 0,
       .total = true},
      {.name = "ltrim",
       .min_args = 1,
       .max_args = 1,
       .infer = InferLikeFirst,
       .eval = EvalTrimSpaces<true, false>,
       .collation_args = 1,
       .total = true},
      {.name = "rtrim",
       .min_args = 1,
       .max_args = 1,
       .infer = InferLikeFirst,
       .eval = EvalTrimSpaces<false, true>,
       .collation_args = 1,
       .total = true},
      {.name = "lpad",
       .min_args = 3,
       .max_args = 3,
       .infer = InferPad,
       .eval = EvalPad<true>,
       .collation_args = 5,
       .number_args = 0b10,
       .leading_arg = 0},
      {.name = "rpad",
       .min_args = 3,
       .max_args = 3,
       .infer = InferPad,
       .eval = EvalPad<false>,
       .collation_args = 5,
       .number_args = 0b10,
       .leading_arg = 0},
      {.name = "repeat",
       .min_args = 2,
       .max_args = 2,
       .infer = InferRepeat,
       .eval = EvalRepeat,
       .collation_args = 1,
       .number_args = 0b10},
      {.name = "space",
       .min_args = 1,
       .max_args = 1,
       .infer = InferLongText,
       .eval = EvalSpace,
       .collation_args = 1,
       .number_args = 1},
      {.name = "replace",
       .min_args = 3,
       .max_args = 3,
       .infer = InferReplace,
       .eval = EvalReplace,
       .collation_args = 7,
       .leading_arg = 0},
      {.name = "reverse",
       .min_args = 1,
       .max_args = 1,
       .infer = InferLikeFirst,
       .eval = EvalReverse,
       .collation_args = 1,
       .total = true},
      {.name = "insert",
       .min_args = 4,
       .max_args = 4,
       .infer = InferConcat,
       .eval = EvalInsert,
       .collation_args = 9,
       .number_args = 0b110,
       .leading_arg = 0},
      {.name = "substring_index",
       .min_args = 3,
       .max_args = 3,
       .infer = InferLikeFirst,
       .eval = EvalSubstringIndex,
       .collation_args = 3,
       .number_args = 0b100,
       .leading_arg = 0,
       .total = true},
      {.name = "quote",
       .min_args = 1,
       .max_args = 1,
       .infer = InferQuote,
       .eval = EvalQuote,
       .null_if_any_null = false,
       .collation_args = 1},
      {.name = "char",
       .min_args = 1,
       .max_args = kAnyNumber,
       .infer = InferChar,
       .eval = EvalChar,
       .null_if_any_null = false,
       .number_args = kAllArgs,
       .total = true},
  };
  return kTable;
}

}  // namespace borealis::sql
