// REGEXP_LIKE, REGEXP_INSTR, REGEXP_SUBSTR, REGEXP_REPLACE over ICU, as MySQL 8.0.
//
// A compiled pattern is kept per thread for the next row: patterns are nearly always constant.
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
    case U_REGEX_RULE_SYNTAX:
      return UserError(ER_REGEXP_ILLEGAL_ARGUMENT);
    case U_REGEX_MISMATCHED_PAREN:
      return UserError(ER_REGEXP_MISMATCHED_PAREN);
    case U_REGEX_BAD_INTERVAL:
      return UserError(ER_REGEXP_BAD_INTERVAL);
    case U_REGEX_MISSING_CLOSE_BRACKET:
      return UserError(ER_REGEXP_MISSING_CLOSE_BRACKET);
    case U_REGEX_BAD_ESCAPE_SEQUENCE:
      return UserError(ER_REGEXP_BAD_ESCAPE_SEQUENCE);
    case U_REGEX_STACK_OVERFLOW:
      return UserError(ER_REGEXP_STACK_OVERFLOW);
    case U_REGEX_TIME_OUT:
      return UserError(ER_REGEXP_TIME_OUT);
    default:
      return UserError(ER_REGEXP_ERROR, u_errorName(error));
  }
}

class Regex {
 public:
  Regex() = default;
  Regex(const Regex&) = delete;
  Regex& operator=(const Regex&) = delete;
  ~Regex() { Close(); }

  // Compiles `pattern` unless it is the last one, and sets the text.
  Status Prepare(std::string_view pattern, uint32_t flags, std::u16string text) {
    UErrorCode error = U_ZERO_ERROR;
    if (regex_ == nullptr || pattern_ != pattern || flags_ != flags) {
      Close();
      std::u16string wide = ToUtf16(pattern);
      UParseError where;
      regex_ = uregex_open(wide.data(), static_cast<int32_t>(wide.size()), flags, &where, &error);
      if (U_FAILURE(error)) {
        regex_ = nullptr;
        return RegexError(error);
      }
      pattern_ = std::string(pattern);
      flags_ = flags;
      uregex_setStackLimit(regex_, 8000000, &error);  // bytes, as regexp_stack_limit
      uregex_setTimeLimit(regex_, 10000, &error);     // steps of ICU, some seconds
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
  // False when there is no such group.
  bool Group(int number, std::u16string_view* text) const {
    UErrorCode error = U_ZERO_ERROR;
    int32_t begin = uregex_start(regex_, number, &error);
    int32_t finish = uregex_end(regex_, number, &error);
    if (U_FAILURE(error)) {
      return false;
    }
    *text = begin < 0 ? std::u16string_view()
                      : std::u16string_view(text_).substr(static_cast<size_t>(begin),
                                                          static_cast<size_t>(finish - begin));
    return true;
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
  std::string pattern_;
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
  *flags = collation.is_bytewise() || collation.rule() == row::Collation::Rule::kUcaTertiary
               ? 0
               : UREGEX_CASE_INSENSITIVE;
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

// Prepares the thread's regex for text args[0] and pattern args[1].
Status Prepare(const EvalCall& call, const Args& args, size_t match_type) {
  uint32_t flags;
  RETURN_IF_ERROR(ReadFlags(call, args, match_type, &flags));
  std::string text;
  std::string pattern;
  if (args.Text(1, &pattern).empty()) {
    return UserError(ER_REGEXP_ILLEGAL_ARGUMENT);
  }
  return ThreadRegex().Prepare(args.Text(1, &pattern), flags, ToUtf16(args.Text(0, &text)));
}

// Position argument to an offset; 3686 when it is outside the text.
Status ReadPosition(const Args& args, size_t i, size_t* offset) {
  *offset = 0;
  if (i >= args.size()) {
    return {};
  }
  const std::u16string& text = ThreadRegex().text();
  int64_t position = args.Int(i);
  if (position < 1 || static_cast<uint64_t>(position) > CharsIn(text) + 1) {
    return UserError(ER_REGEXP_INDEX_OUTOFBOUNDS_ERROR);
  }
  *offset = OffsetIn(text, static_cast<size_t>(position - 1));
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
  RETURN_IF_ERROR(ReadPosition(args, 2, &offset));
  int64_t occurrence = args.size() > 3 ? args.Int(3) : 1;
  bool after = args.size() > 4 && args.Int(4) == 1;
  bool found;
  Regex& regex = ThreadRegex();
  RETURN_IF_ERROR(regex.Find(offset, occurrence, &found));
  if (!found) {
    return SetInt(out, 0);
  }
  size_t at = after ? regex.end() : regex.start();
  return SetInt(out,
                static_cast<int64_t>(CharsIn(std::u16string_view(regex.text()).substr(0, at)) + 1));
}

Status EvalRegexpSubstr(const EvalCall& call, std::span<const Value> values, Value* out) {
  Args args(call, values);
  RETURN_IF_ERROR(Prepare(call, args, 4));
  size_t offset;
  RETURN_IF_ERROR(ReadPosition(args, 2, &offset));
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
      ToUtf8(std::u16string_view(regex.text()).substr(regex.start(), regex.end() - regex.start())),
      out);
}

// Appends the replacement with $1 … $9 and \x resolved.
Status AppendReplacement(const Regex& regex, std::u16string_view replacement,
                         std::u16string* result) {
  for (size_t i = 0; i < replacement.size(); ++i) {
    char16_t c = replacement[i];
    if (c == u'\\' && i + 1 < replacement.size()) {
      *result += replacement[++i];
    } else if (c == u'$') {
      if (i + 1 >= replacement.size() || replacement[i + 1] < u'0' || replacement[i + 1] > u'9') {
        return UserError(ER_REGEXP_INVALID_CAPTURE_GROUP_NAME);
      }
      std::u16string_view group;
      if (!regex.Group(replacement[++i] - u'0', &group)) {
        return UserError(ER_REGEXP_INDEX_OUTOFBOUNDS_ERROR);
      }
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
  RETURN_IF_ERROR(ReadPosition(args, 3, &offset));
  int64_t occurrence = args.size() > 4 ? args.Int(4) : 0;  // 0 is all
  std::string buffer;
  std::u16string replacement = ToUtf16(args.Text(2, &buffer));
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
    if (occurrence > 0 || !FitsPacket(call, result.size(), out)) {
      break;
    }
    RETURN_IF_ERROR(regex.FindNext(&found));
  }
  result += text.substr(copied);
  return SetText(call, ToUtf8(result), out);
}

}  // namespace

std::span<const FunctionDef> RegexpFunctions() {
  static constexpr FunctionDef kTable[] = {
      {.name = "regexp_like",
       .min_args = 2,
       .max_args = 3,
       .infer = InferBoolean,
       .eval = EvalRegexpLike,
       .collation_args = 3,
       .compares_texts = true,
       .total = true},
      {.name = "regexp_instr",
       .min_args = 2,
       .max_args = 6,
       .infer = InferBigInt,
       .eval = EvalRegexpInstr,
       .collation_args = 3,
       .number_args = 0b11100,
       .compares_texts = true,
       .total = true},
      {.name = "regexp_substr",
       .min_args = 2,
       .max_args = 5,
       .infer = InferLikeFirst,
       .eval = EvalRegexpSubstr,
       .collation_args = 3,
       .number_args = 0b1100,
       .compares_texts = true},
      {.name = "regexp_replace",
       .min_args = 3,
       .max_args = 6,
       .infer = InferLongText,
       .eval = EvalRegexpReplace,
       .collation_args = 7,
       .number_args = 0b11000,
       .compares_texts = true},
  };
  return kTable;
}

}  // namespace borealis::sql
