// Functions that measure text and search in it.
#include <fmt/format.h>

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

// The collation in which `needle`, the text of argument `of`, is looked for in argument `in`. Bytes
// that are looked for in a text are text of its collation. Error: 3854.
Status SearchCollation(const EvalCall& call, size_t in, size_t of, std::string_view* needle,
                       std::string* buffer, const row::Collation** collation) {
  const Type& text = call.function.arg_types()[in];
  *collation = &call.function.collation();
  if (!text.is_text() || !call.function.arg_types()[of].is_binary_string()) {
    return {};
  }
  *collation = &row::GetCollation(text.collation);
  const row::Charset& charset = (*collation)->charset();
  std::string decoded = charset.Decode(*needle);
  if (charset.ValidPrefix(decoded) != decoded.size()) {
    return UserError(ER_IMPOSSIBLE_STRING_CONVERSION, row::Printable(*needle), "binary",
                     charset.name);
  }
  *buffer = std::move(decoded);
  *needle = *buffer;
  return {};
}

// Of `needle` in `text`, from `position` on: characters from 1, 0 when there is none.
Status Locate(const row::Collation& collation, std::string_view text, std::string_view needle,
              int64_t position, Value* out) {
  const bool bytes = !collation.is_text();
  if (position < 1) {
    return SetInt(out, 0);
  }
  size_t from = bytes ? static_cast<size_t>(position - 1)
                      : row::OffsetOfChar(text, static_cast<size_t>(position - 1));
  if (!bytes && from == text.size() && row::CharCount(text) < static_cast<size_t>(position - 1)) {
    return SetInt(out, 0);
  }
  size_t found = collation.Find(text, needle, from);
  if (found == std::string_view::npos) {
    return SetInt(out, 0);
  }
  size_t before = bytes ? found : row::CharCount(text.substr(0, found));
  return SetInt(out, static_cast<int64_t>(before) + 1);
}

template <size_t kText, size_t kNeedle>
Status EvalLocate(const EvalCall& call, std::span<const Value> values, Value* out) {
  const Args args(call, values);
  std::string text;
  std::string buffer;
  std::string_view needle = args.Text(kNeedle, &buffer);
  const row::Collation* collation;
  RETURN_IF_ERROR(SearchCollation(call, kText, kNeedle, &needle, &buffer, &collation));
  const int64_t position = args.size() > 2 ? args.Int(2) : 1;
  return Locate(*collation, args.Text(kText, &text), needle, position, out);
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
// A letter's code: '0' for vowels and for what English does not have; 0 for no letter.
char SoundexCode(char32_t c) {
  constexpr std::string_view kCodes = "01230120022455012623010202";  // A to Z
  if (c < 0x80) {
    const char32_t lower = c | 32;
    return lower >= 'a' && lower <= 'z' ? kCodes[lower - 'a'] : '\0';
  }
  return c >= 0xC0 && c != row::kBadChar ? '0' : '\0';
}

std::string Soundex(std::string_view text) {
  std::string result;
  size_t count = 0;  // of characters in it
  char last = 0;
  for (size_t pos = 0; pos < text.size();) {
    size_t size;
    const char32_t c = row::DecodeChar(text, pos, &size);
    const char code = SoundexCode(c);
    if (count == 0 && code != 0) {
      row::AppendChar(&result, c >= 'a' && c <= 'z' ? c - 32 : c);
      last = code;
      ++count;
    } else if (code != 0 && code != '0' && code != last) {
      result += code;
      last = code;
      ++count;
    }
    pos += size;
  }
  if (count > 0 && count < 4) {
    result.append(4 - count, '0');
  }
  return result;
}

Status EvalSoundex(const EvalCall& call, std::span<const Value> values, Value* out) {
  std::string buffer;
  return SetText(call, Soundex(Args(call, values).Text(0, &buffer)), out);
}

Status InferSoundex(const InferInput& input, Type* type) {
  *type = TextType(std::max<uint64_t>(CharsOf(input.args[0].type), 4), input.settings.collation);
  return {};
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

// Names of the catalogue are utf8mb3.
Status InferCatalogName(const InferInput&, Type* type) {
  *type = Type::Varchar(64, row::kUtf8mb3GeneralCi);
  return {};
}

}  // namespace

std::span<const FunctionDef> TextSearchFunctions() {
  static constexpr FunctionDef kTable[] = {
      {.name = "length",
       .min_args = 1,
       .max_args = 1,
       .infer = InferBigIntOf<11>,
       .eval = EvalLength,
       .total = true},
      {.name = "octet_length",
       .min_args = 1,
       .max_args = 1,
       .infer = InferBigIntOf<11>,
       .eval = EvalLength,
       .total = true},
      {.name = "bit_length",
       .min_args = 1,
       .max_args = 1,
       .infer = InferBigIntOf<11>,
       .eval = EvalBytesTimes<8>,
       .total = true},
      {.name = "char_length",
       .min_args = 1,
       .max_args = 1,
       .infer = InferBigIntOf<11>,
       .eval = EvalCharLength,
       .total = true},
      {.name = "character_length",
       .min_args = 1,
       .max_args = 1,
       .infer = InferBigIntOf<11>,
       .eval = EvalCharLength,
       .total = true},
      {.name = "locate",
       .min_args = 2,
       .max_args = 3,
       .infer = InferBigIntOf<11>,
       .eval = EvalLocate<1, 0>,
       .collation_args = 3,
       .number_args = 0b100,
       .leading_arg = 1,
       .total = true},
      {.name = "position",
       .min_args = 2,
       .max_args = 2,
       .infer = InferBigIntOf<11>,
       .eval = EvalLocate<1, 0>,
       .collation_args = 3,
       .leading_arg = 1,
       .total = true},
      {.name = "instr",
       .min_args = 2,
       .max_args = 2,
       .infer = InferBigIntOf<11>,
       .eval = EvalLocate<0, 1>,
       .collation_args = 3,
       .leading_arg = 0,
       .total = true},
      {.name = "find_in_set",
       .min_args = 2,
       .max_args = 2,
       .infer = InferBigIntOf<11>,
       .eval = EvalFindInSet,
       .collation_args = 3,
       .compares_texts = true,
       .total = true},
      {.name = "ascii",
       .min_args = 1,
       .max_args = 1,
       .infer = InferBigIntOf<4>,
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
       .infer = InferSoundex,
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
       .infer = InferCatalogName,
       .eval = EvalCharset,
       .null_if_any_null = false,
       .total = true},
      {.name = "collation",
       .min_args = 1,
       .max_args = 1,
       .infer = InferCatalogName,
       .eval = EvalCollation,
       .null_if_any_null = false,
       .total = true},
  };
  return kTable;
}

}  // namespace borealis::sql
