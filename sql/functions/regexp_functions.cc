// REGEXP_LIKE, REGEXP_INSTR, REGEXP_SUBSTR, REGEXP_REPLACE over ICU, as MySQL 8.0.
//
// A compiled pattern is kept per thread for the next row: patterns are nearly always constant. Byte
// strings are searched as texts whose characters are the bytes.
#include <unicode/uregex.h>
#include <unicode/ustring.h>

#include <algorithm>

#include "sql/functions/functions_internal.h"

namespace borealis::sql {
namespace {

using row::Type;
using row::Value;

std::u16string ToUtf16(std::string_view text) {
  std::u16string wide;
  wide.reserve(text.size());
  for (size_t pos = 0; pos < text.size();) {
    size_t size;
    char32_t c = row::DecodeChar(text, pos, &size);
    if (c == row::kBadChar) {
      c = 0xFFFD;
    }
    if (c >= 0x10000) {
      wide += static_cast<char16_t>(0xD7C0 + (c >> 10));
      wide += static_cast<char16_t>(0xDC00 + (c & 0x3FF));
    } else {
      wide += static_cast<char16_t>(c);
    }
    pos += size;
  }
  return wide;
}

std::string ToUtf8(std::u16string_view wide) {
  std::string text;
  for (size_t i = 0; i < wide.size(); ++i) {
    char32_t c = wide[i];
    if (c >= 0xD800 && c < 0xDC00 && i + 1 < wide.size()) {
      c = 0x10000 + ((c - 0xD800) << 10) + (wide[++i] - 0xDC00U);
    }
    row::AppendChar(&text, c);
  }
  return text;
}

std::u16string BytesToUtf16(std::string_view bytes) {
  std::u16string wide;
  wide.reserve(bytes.size());
  for (char byte : bytes) {
    wide += static_cast<unsigned char>(byte);
  }
  return wide;
}

std::string BytesOfUtf16(std::u16string_view wide) {
  std::string bytes;
  bytes.reserve(wide.size());
  for (char16_t c : wide) {
    bytes += static_cast<char>(c);
  }
  return bytes;
}

// Characters of UTF-16 text, and offsets of them.
size_t CharsIn(std::u16string_view wide) {
  return wide.size() - static_cast<size_t>(std::count_if(wide.begin(), wide.end(), [](char16_t c) {
           return c >= 0xDC00 && c < 0xE000;
         }));
}
size_t OffsetIn(std::u16string_view wide, size_t chars) {
  size_t i = 0;
  for (; chars > 0 && i < wide.size(); --chars) {
    i += wide[i] >= 0xD800 && wide[i] < 0xDC00 && i + 1 < wide.size() ? 2 : 1;
  }
  return i;
}

Status RegexError(UErrorCode error) {
  switch (error) {
    case U_ILLEGAL_ARGUMENT_ERROR:
    case U_REGEX_PROPERTY_SYNTAX:
      return UserError(ER_REGEXP_ILLEGAL_ARGUMENT);
    case U_INDEX_OUTOFBOUNDS_ERROR:
      return UserError(ER_REGEXP_INDEX_OUTOFBOUNDS_ERROR);
    case U_REGEX_INTERNAL_ERROR:
      return UserError(ER_REGEXP_INTERNAL_ERROR);
    case U_REGEX_BAD_ESCAPE_SEQUENCE:
      return UserError(ER_REGEXP_BAD_ESCAPE_SEQUENCE);
    case U_REGEX_UNIMPLEMENTED:
      return UserError(ER_REGEXP_UNIMPLEMENTED);
    case U_REGEX_MISMATCHED_PAREN:
      return UserError(ER_REGEXP_MISMATCHED_PAREN);
    case U_REGEX_BAD_INTERVAL:
      return UserError(ER_REGEXP_BAD_INTERVAL);
    case U_REGEX_MAX_LT_MIN:
      return UserError(ER_REGEXP_MAX_LT_MIN);
    case U_REGEX_INVALID_BACK_REF:
      return UserError(ER_REGEXP_INVALID_BACK_REF);
    case U_REGEX_LOOK_BEHIND_LIMIT:
      return UserError(ER_REGEXP_LOOK_BEHIND_LIMIT);
    case U_REGEX_MISSING_CLOSE_BRACKET:
      return UserError(ER_REGEXP_MISSING_CLOSE_BRACKET);
    case U_REGEX_INVALID_RANGE:
      return UserError(ER_REGEXP_INVALID_RANGE);
    case U_REGEX_STACK_OVERFLOW:
      return UserError(ER_REGEXP_STACK_OVERFLOW);
    case U_REGEX_TIME_OUT:
      return UserError(ER_REGEXP_TIME_OUT);
    case U_REGEX_PATTERN_TOO_BIG:
      return UserError(ER_REGEXP_PATTERN_TOO_BIG);
    case U_REGEX_INVALID_CAPTURE_GROUP_NAME:
      return UserError(ER_REGEXP_INVALID_CAPTURE_GROUP_NAME);
    case U_REGEX_INVALID_FLAG:
      return UserError(ER_REGEXP_INVALID_FLAG);
    case U_REGEX_NUMBER_TOO_BIG:
      return UserError(ER_REGEXP_NUMBER_TOO_BIG);
    default:
      return UserError(ER_REGEXP_ERROR, u_errorName(error));
  }
}

Status PatternError(UErrorCode error, const UParseError& where) {
  return error == U_REGEX_RULE_SYNTAX ? UserError(ER_REGEXP_RULE_SYNTAX, where.line, where.offset)
                                      : RegexError(error);
}

class Regex {
 public:
  Regex() = default;
  Regex(const Regex&) = delete;
  Regex& operator=(const Regex&) = delete;
  ~Regex() { Close(); }

  // Compiles `pattern` unless it is the last one, and sets the text.
  Status Prepare(std::u16string pattern, uint32_t flags, std::u16string text) {
    UErrorCode error = U_ZERO_ERROR;
    if (regex_ == nullptr || pattern_ != pattern || flags_ != flags) {
      Close();
      UParseError where;
      regex_ =
          uregex_open(pattern.data(), static_cast<int32_t>(pattern.size()), flags, &where, &error);
      if (U_FAILURE(error)) {
        regex_ = nullptr;
        return PatternError(error, where);
      }
      pattern_ = std::move(pattern);
      flags_ = flags;
      uregex_setStackLimit(regex_, 8000000, &error);  // bytes, as regexp_stack_limit
      uregex_setTimeLimit(regex_, 32, &error);        // steps of ICU, as regexp_time_limit
    }
    text_ = std::move(text);
    uregex_setText(regex_, text_.data(), static_cast<int32_t>(text_.size()), &error);
    return U_FAILURE(error) ? RegexError(error) : Status();
  }

  // The match number `occurrence` at or after `from`; *found is false when there is none.
  Status Find(size_t from, int64_t occurrence, bool* found) {
    UErrorCode error = U_ZERO_ERROR;
    *found = uregex_find(regex_, static_cast<int32_t>(from), &error) != 0;
    for (; *found && occurrence > 1 && U_SUCCESS(error); --occurrence) {
      *found = uregex_findNext(regex_, &error) != 0;
    }
    return U_FAILURE(error) ? RegexError(error) : Status();
  }
  Status FindNext(bool* found) {
    UErrorCode error = U_ZERO_ERROR;
    *found = uregex_findNext(regex_, &error) != 0;
    return U_FAILURE(error) ? RegexError(error) : Status();
  }
  size_t start() const {
    UErrorCode error = U_ZERO_ERROR;
    return static_cast<size_t>(uregex_start(regex_, 0, &error));
  }
  size_t end() const {
    UErrorCode error = U_ZERO_ERROR;
    return static_cast<size_t>(uregex_end(regex_, 0, &error));
  }
  Result<std::u16string_view> Group(int number) const {
    UErrorCode error = U_ZERO_ERROR;
    int32_t begin = uregex_start(regex_, number, &error);
    int32_t finish = uregex_end(regex_, number, &error);
    if (U_FAILURE(error)) {
      return RegexError(error);
    }
    return begin < 0 ? std::u16string_view()
                     : std::u16string_view(text_).substr(static_cast<size_t>(begin),
                                                         static_cast<size_t>(finish - begin));
  }
  Result<std::u16string_view> Group(std::u16string_view name) const {
    UErrorCode error = U_ZERO_ERROR;
    const int32_t number =
        uregex_groupNumberFromName(regex_, name.data(), static_cast<int32_t>(name.size()), &error);
    return U_FAILURE(error) ? RegexError(error) : Group(number);
  }
  int groups() const {
    UErrorCode error = U_ZERO_ERROR;
    return uregex_groupCount(regex_, &error);
  }
  const std::u16string& text() const { return text_; }

 private:
  void Close() {
    if (regex_ != nullptr) {
      uregex_close(regex_);
      regex_ = nullptr;
    }
  }
  URegularExpression* regex_ = nullptr;
  std::u16string pattern_;
  uint32_t flags_ = 0;
  std::u16string text_;
};

Regex& ThreadRegex() {
  thread_local Regex regex;
  return regex;
}

// The collation says whether case matters unless match_type does.
Status ReadFlags(const EvalCall& call, const Args& args, size_t i, uint32_t* flags) {
  const row::Collation& collation = call.function.collation();
  *flags =
      collation.is_bytewise() || collation.name().ends_with("_cs") ? 0 : UREGEX_CASE_INSENSITIVE;
  if (i >= args.size()) {
    return {};
  }
  std::string buffer;
  for (char c : args.Text(i, &buffer)) {
    switch (c) {
      case 'c':
        *flags &= ~static_cast<uint32_t>(UREGEX_CASE_INSENSITIVE);
        break;
      case 'i':
        *flags |= UREGEX_CASE_INSENSITIVE;
        break;
      case 'm':
        *flags |= UREGEX_MULTILINE;
        break;
      case 'n':
        *flags |= UREGEX_DOTALL;
        break;
      case 'u':
        *flags |= UREGEX_UNIX_LINES;
        break;
      default:
        return UserError(ER_WRONG_ARGUMENTS, call.function.def().name);
    }
  }
  return {};
}

std::u16string WideArgument(const EvalCall& call, const Args& args, size_t i) {
  std::string buffer;
  const std::string_view text = args.Text(i, &buffer);
  return IsBinaryText(call) ? BytesToUtf16(text) : ToUtf16(text);
}

std::string NarrowResult(const EvalCall& call, std::u16string_view wide) {
  return IsBinaryText(call) ? BytesOfUtf16(wide) : ToUtf8(wide);
}

// Prepares the thread's regex for text args[0] and pattern args[1].
Status Prepare(const EvalCall& call, const Args& args, size_t match_type) {
  uint32_t flags;
  RETURN_IF_ERROR(ReadFlags(call, args, match_type, &flags));
  std::u16string pattern = WideArgument(call, args, 1);
  if (pattern.empty()) {
    return UserError(ER_REGEXP_ILLEGAL_ARGUMENT);
  }
  return ThreadRegex().Prepare(std::move(pattern), flags, WideArgument(call, args, 0));
}

// Position argument to an offset. Errors: 1583 before the text, 3686 behind its end.
Status ReadPosition(const EvalCall& call, const Args& args, size_t i, size_t* offset) {
  *offset = 0;
  if (i >= args.size()) {
    return {};
  }
  const std::u16string& text = ThreadRegex().text();
  int64_t position = args.Int(i);
  if (position < 1) {
    return UserError(ER_WRONG_PARAMETERS_TO_NATIVE_FCT, call.function.def().name);
  }
  if (static_cast<uint64_t>(position) > CharsIn(text) + 1) {
    return UserError(ER_REGEXP_INDEX_OUTOFBOUNDS_ERROR);
  }
  *offset = OffsetIn(text, static_cast<size_t>(position - 1));
  return {};
}

// REGEXP_INSTR's: it finds nothing in an empty text, wherever it starts, and may not start behind
// the last character of another.
Status ReadInstrPosition(const Args& args, size_t* offset, bool* nothing) {
  *offset = 0;
  *nothing = false;
  if (args.size() <= 2) {
    return {};
  }
  const std::u16string& text = ThreadRegex().text();
  const int64_t position = args.Int(2);
  const bool inside = position >= 1 && static_cast<uint64_t>(position) <= CharsIn(text);
  *nothing = text.empty() && position > 1;
  if (!inside && !(text.empty() && position >= 1)) {
    return UserError(ER_REGEXP_INDEX_OUTOFBOUNDS_ERROR);
  }
  *offset = inside ? OffsetIn(text, static_cast<size_t>(position - 1)) : 0;
  return {};
}

Status EvalRegexpLike(const EvalCall& call, std::span<const Value> values, Value* out) {
  Args args(call, values);
  RETURN_IF_ERROR(Prepare(call, args, 2));
  bool found;
  RETURN_IF_ERROR(ThreadRegex().Find(0, 1, &found));
  *out = Value::Bool(found);
  return {};
}

Status EvalRegexpInstr(const EvalCall& call, std::span<const Value> values, Value* out) {
  Args args(call, values);
  RETURN_IF_ERROR(Prepare(call, args, 5));
  size_t offset;
  bool nothing;
  RETURN_IF_ERROR(ReadInstrPosition(args, &offset, &nothing));
  int64_t occurrence = args.size() > 3 ? args.Int(3) : 1;
  const int64_t return_option = args.size() > 4 ? args.Int(4) : 0;
  if (return_option != 0 && return_option != 1) {
    return UserError(ER_WRONG_ARGUMENTS, "regexp_instr: return_option must be 1 or 0.");
  }
  bool found = false;
  Regex& regex = ThreadRegex();
  if (!nothing) {
    RETURN_IF_ERROR(regex.Find(offset, occurrence, &found));
  }
  if (!found) {
    return SetInt(out, 0);
  }
  size_t at = return_option == 1 ? regex.end() : regex.start();
  return SetInt(out,
                static_cast<int64_t>(CharsIn(std::u16string_view(regex.text()).substr(0, at)) + 1));
}

Status EvalRegexpSubstr(const EvalCall& call, std::span<const Value> values, Value* out) {
  Args args(call, values);
  RETURN_IF_ERROR(Prepare(call, args, 4));
  size_t offset;
  RETURN_IF_ERROR(ReadPosition(call, args, 2, &offset));
  int64_t occurrence = args.size() > 3 ? args.Int(3) : 1;
  bool found;
  Regex& regex = ThreadRegex();
  RETURN_IF_ERROR(regex.Find(offset, occurrence, &found));
  if (!found) {
    *out = Value::Null();
    return {};
  }
  return SetText(
      call,
      NarrowResult(
          call,
          std::u16string_view(regex.text()).substr(regex.start(), regex.end() - regex.start())),
      out);
}

// The group that `replacement` names after its '$' at `*at`, which moves to the last character of
// the name: a number of as many digits as there are groups for, or {name}.
Result<std::u16string_view> ReplacementGroup(const Regex& regex, std::u16string_view replacement,
                                             size_t* at) {
  const std::u16string_view name = replacement.substr(*at + 1);
  auto digit = [&](size_t i) {
    return i < name.size() && name[i] >= u'0' && name[i] <= u'9' ? name[i] - u'0' : -1;
  };
  if (digit(0) >= 0) {
    int number = digit(0);
    size_t size = 1;
    for (; digit(size) >= 0 && number * 10 + digit(size) <= regex.groups(); ++size) {
      number = number * 10 + digit(size);
    }
    *at += size;
    return regex.Group(number);
  }
  const size_t close = name.find(u'}');
  if (!name.starts_with(u'{') || close == std::u16string_view::npos) {
    return UserError(ER_REGEXP_INVALID_CAPTURE_GROUP_NAME);
  }
  *at += close + 1;
  return regex.Group(name.substr(1, close - 1));
}

// Appends the replacement with $1, ${name} and \x resolved.
Status AppendReplacement(const Regex& regex, std::u16string_view replacement,
                         std::u16string* result) {
  for (size_t i = 0; i < replacement.size(); ++i) {
    char16_t c = replacement[i];
    if (c == u'\\') {
      if (i + 1 < replacement.size()) {
        *result += replacement[++i];
      }
    } else if (c == u'$') {
      ASSIGN_OR_RETURN(std::u16string_view group, ReplacementGroup(regex, replacement, &i));
      *result += group;
    } else {
      *result += c;
    }
  }
  return {};
}

Status EvalRegexpReplace(const EvalCall& call, std::span<const Value> values, Value* out) {
  Args args(call, values);
  RETURN_IF_ERROR(Prepare(call, args, 5));
  size_t offset;
  RETURN_IF_ERROR(ReadPosition(call, args, 3, &offset));
  int64_t occurrence = args.size() > 4 ? args.Int(4) : 0;  // 0 is all, below it is the first
  const std::u16string replacement = WideArgument(call, args, 2);
  Regex& regex = ThreadRegex();
  std::u16string_view text = regex.text();
  std::u16string result(text.substr(0, offset));
  size_t copied = offset;
  bool found;
  RETURN_IF_ERROR(regex.Find(offset, std::max<int64_t>(occurrence, 1), &found));
  while (found) {
    result += text.substr(copied, regex.start() - copied);
    RETURN_IF_ERROR(AppendReplacement(regex, replacement, &result));
    copied = regex.end();
    if (occurrence != 0 || !FitsPacket(call, result.size(), out)) {
      break;
    }
    RETURN_IF_ERROR(regex.FindNext(&found));
  }
  result += text.substr(copied);
  return SetText(call, NarrowResult(call, result), out);
}

// Bytes are matched with bytes, texts with texts: 3995 otherwise.
Status CheckCharsets(const InferInput& input, size_t texts, std::string_view name) {
  const Type* first = nullptr;
  for (size_t i = 0; i < texts; ++i) {
    const Type& type = input.args[i].type;
    if (!type.is_string()) {
      continue;
    }
    first = first == nullptr ? &type : first;
    if (first->is_binary_string() != type.is_binary_string()) {
      auto shown = [](const Type& of) {
        return of.is_binary_string() ? std::string_view("binary")
                                     : row::GetCollation(of.collation).name();
      };
      return UserError(ER_CHARACTER_SET_MISMATCH, shown(*first), shown(type), name);
    }
  }
  return {};
}

Status InferRegexpLike(const InferInput& input, Type* type) {
  RETURN_IF_ERROR(CheckCharsets(input, 2, "regexp_like"));
  return InferBoolean(input, type);
}

Status InferRegexpInstr(const InferInput& input, Type* type) {
  RETURN_IF_ERROR(CheckCharsets(input, 2, "regexp_instr"));
  return InferBigInt(input, type);
}

Status InferRegexpSubstr(const InferInput& input, Type* type) {
  RETURN_IF_ERROR(CheckCharsets(input, 2, "regexp_substr"));
  return InferLikeFirst(input, type);
}

Status InferRegexpReplace(const InferInput& input, Type* type) {
  RETURN_IF_ERROR(CheckCharsets(input, 3, "regexp_replace"));
  return InferLongText(input, type);
}

}  // namespace

std::span<const FunctionDef> RegexpFunctions() {
  static constexpr FunctionDef kTable[] = {
      {.name = "regexp_like",
       .min_args = 2,
       .max_args = 3,
       .infer = InferRegexpLike,
       .eval = EvalRegexpLike,
       .collation_args = 3,
       .compares_texts = true,
       .total = true},
      {.name = "regexp_instr",
       .min_args = 2,
       .max_args = 6,
       .infer = InferRegexpInstr,
       .eval = EvalRegexpInstr,
       .collation_args = 3,
       .number_args = 0b11100,
       .compares_texts = true,
       .total = true},
      {.name = "regexp_substr",
       .min_args = 2,
       .max_args = 5,
       .infer = InferRegexpSubstr,
       .eval = EvalRegexpSubstr,
       .collation_args = 3,
       .number_args = 0b1100,
       .compares_texts = true},
      {.name = "regexp_replace",
       .min_args = 3,
       .max_args = 6,
       .infer = InferRegexpReplace,
       .eval = EvalRegexpReplace,
       .collation_args = 3,
       .number_args = 0b11000,
       .compares_texts = true},
  };
  return kTable;
}

}  // namespace borealis::sql
