#include "row/json.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "row/collation.h"
#include "row/convert.h"

namespace borealis::row {

namespace {

constexpr int kMaxDepth = 100;

class Normalizer {
 public:
  Normalizer(std::string_view text, JsonError* error) : text_(text), error_(error) {}

  bool Run(std::string* out) {
    SkipSpaces();
    if (pos_ >= text_.size()) {
      return Fail("The document is empty.");
    }
    if (!ReadValue(1, out)) {
      return false;
    }
    SkipSpaces();
    return pos_ == text_.size() || Fail("The document root must not be followed by other values.");
  }

 private:
  bool Fail(std::string_view reason) {
    error_->reason = reason;
    error_->position = pos_;
    return false;
  }
  char peek() const { return pos_ < text_.size() ? text_[pos_] : '\0'; }
  bool digit() const { return peek() >= '0' && peek() <= '9'; }
  void SkipSpaces() {
    while (peek() == ' ' || peek() == '\t' || peek() == '\n' || peek() == '\r') {
      ++pos_;
    }
  }

  bool ReadValue(int depth, std::string* out) {
    if (depth > kMaxDepth) {
      return Fail("The JSON document exceeds the maximum depth.");
    }
    switch (peek()) {
      case '{':
        return ReadObject(depth, out);
      case '[':
        return ReadArray(depth, out);
      case '"': {
        std::string value;
        if (!ReadString(&value)) {
          return false;
        }
        AppendQuoted(value, out);
        return true;
      }
      case 't':
        return ReadWord("true", out);
      case 'f':
        return ReadWord("false", out);
      case 'n':
        return ReadWord("null", out);
      default:
        return ReadNumber(out);
    }
  }

  bool ReadWord(std::string_view word, std::string* out) {
    if (text_.substr(pos_, word.size()) != word) {
      return Fail("Invalid value.");
    }
    pos_ += word.size();
    out->append(word);
    return true;
  }

  bool ReadNumber(std::string* out) {
    size_t start = pos_;
    if (peek() == '-') {
      ++pos_;
    }
    if (!digit()) {
      return Fail("Invalid value.");
    }
    if (peek() == '0') {
      ++pos_;
    } else {
      SkipDigits();
    }
    bool integer = true;
    if (peek() == '.') {
      integer = false;
      ++pos_;
      if (!digit()) {
        return Fail("Miss fraction part in number.");
      }
      SkipDigits();
    }
    if (peek() == 'e' || peek() == 'E') {
      integer = false;
      ++pos_;
      if (peek() == '+' || peek() == '-') {
        ++pos_;
      }
      if (!digit()) {
        return Fail("Miss exponent in number.");
      }
      SkipDigits();
    }
    std::string_view number = text_.substr(start, pos_ - start);
    bool overflow = false;
    size_t consumed;
    if (integer && number.size() < 19) {
      out->append(number == "-0" ? "0" : number);
      return true;
    }
    if (integer) {
      Decimal exact;
      int64_t as_signed;
      uint64_t as_unsigned;
      Decimal::Parse(number, &exact);
      if (exact.ToInt64(&as_signed) || exact.ToUint64(&as_unsigned)) {
        out->append(number);
        return true;
      }
    }
    double value = DoubleOfText(number, &consumed, &overflow);
    if (overflow) {
      pos_ = start;
      return Fail("Number too big to be stored in double.");
    }
    std::string shown = DoubleText(value);
    out->append(shown);
    if (shown.find_first_of(".e") == std::string::npos) {
      out->append(".0");
    }
    return true;
  }

  void SkipDigits() {
    while (digit()) {
      ++pos_;
    }
  }

  bool ReadHex(char32_t* c) {
    *c = 0;
    for (int i = 0; i < 4; ++i, ++pos_) {
      char h = peek();
      int value = h >= '0' && h <= '9'   ? h - '0'
                  : h >= 'a' && h <= 'f' ? h - 'a' + 10
                  : h >= 'A' && h <= 'F' ? h - 'A' + 10
                                         : -1;
      if (value < 0) {
        return Fail("Incorrect hex digit after \\u escape in string.");
      }
      *c = *c * 16 + static_cast<char32_t>(value);
    }
    return true;
  }

  bool ReadEscape(std::string* value) {
    char c = peek();
    ++pos_;
    constexpr std::string_view kFrom = "\"\\/bfnrt";
    constexpr std::string_view kTo = "\"\\/\b\f\n\r\t";
    size_t simple = kFrom.find(c);
    if (simple != std::string_view::npos && c != '\0') {
      *value += kTo[simple];
      return true;
    }
    if (c != 'u') {
      return Fail("Invalid escape character in string.");
    }
    char32_t first;
    if (!ReadHex(&first)) {
      return false;
    }
    if (first >= 0xD800 && first <= 0xDFFF) {
      char32_t second;
      if (first >= 0xDC00 || text_.substr(pos_, 2) != "\\u") {
        return Fail("The surrogate pair in string is invalid.");
      }
      pos_ += 2;
      if (!ReadHex(&second)) {
        return false;
      }
      if (second < 0xDC00 || second > 0xDFFF) {
        return Fail("The surrogate pair in string is invalid.");
      }
      first = 0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00);
    }
    AppendChar(value, first);
    return true;
  }

  bool ReadString(std::string* value) {
    ++pos_;
    while (pos_ < text_.size()) {
      if (peek() == '"') {
        ++pos_;
        return true;
      }
      if (static_cast<uint8_t>(peek()) < 0x20) {
        return Fail("Invalid encoding in string.");
      }
      if (peek() == '\\') {
        ++pos_;
        if (!ReadEscape(value)) {
          return false;
        }
        continue;
      }
      size_t size;
      if (DecodeChar(text_, pos_, &size) == kBadChar) {
        return Fail("Invalid encoding in string.");
      }
      value->append(text_.substr(pos_, size));
      pos_ += size;
    }
    return Fail("Missing a closing quotation mark in string.");
  }

  static void AppendQuoted(std::string_view value, std::string* out) {
    *out += '"';
    for (char c : value) {
      constexpr std::string_view kFrom = "\"\\\b\f\n\r\t";
      constexpr std::string_view kTo = "\"\\bfnrt";
      size_t special = c == '\0' ? std::string_view::npos : kFrom.find(c);
      if (special != std::string_view::npos) {
        *out += '\\';
        *out += kTo[special];
      } else if (static_cast<uint8_t>(c) < 0x20) {
        *out += fmt::format("\\u{:04x}", static_cast<int>(c));
      } else {
        *out += c;
      }
    }
    *out += '"';
  }

  bool ReadArray(int depth, std::string* out) {
    ++pos_;
    *out += '[';
    SkipSpaces();
    if (peek() == ']') {
      ++pos_;
      *out += ']';
      return true;
    }
    for (;;) {
      SkipSpaces();
      if (!ReadValue(depth + 1, out)) {
        return false;
      }
      SkipSpaces();
      if (peek() == ']') {
        ++pos_;
        *out += ']';
        return true;
      }
      if (peek() != ',') {
        return Fail("Missing a comma or ']' after an array element.");
      }
      ++pos_;
      *out += ", ";
    }
  }

  bool ReadObject(int depth, std::string* out) {
    ++pos_;
    struct Member {
      std::string key;
      std::string value;
    };
    std::vector<Member> members;
    SkipSpaces();
    while (peek() != '}') {
      SkipSpaces();
      if (peek() != '"') {
        return Fail("Missing a name for object member.");
      }
      Member member;
      if (!ReadString(&member.key)) {
        return false;
      }
      SkipSpaces();
      if (peek() != ':') {
        return Fail("Missing a colon after a name of object member.");
      }
      ++pos_;
      SkipSpaces();
      if (!ReadValue(depth + 1, &member.value)) {
        return false;
      }
      members.push_back(std::move(member));
      SkipSpaces();
      if (peek() == ',') {
        ++pos_;
        SkipSpaces();
        if (peek() == '}') {
          return Fail("Missing a name for object member.");
        }
      } else if (peek() != '}') {
        return Fail("Missing a comma or '}' after an object member.");
      }
    }
    ++pos_;
    std::stable_sort(members.begin(), members.end(), [](const Member& a, const Member& b) {
      return a.key.size() != b.key.size() ? a.key.size() < b.key.size() : a.key < b.key;
    });
    *out += '{';
    bool first = true;
    for (size_t i = 0; i < members.size(); ++i) {
      if (i + 1 < members.size() && members[i].key == members[i + 1].key) {
        continue;
      }
      *out += first ? "" : ", ";
      first = false;
      AppendQuoted(members[i].key, out);
      *out += ": ";
      *out += members[i].value;
    }
    *out += '}';
    return true;
  }

  std::string_view text_;
  JsonError* error_;
  size_t pos_ = 0;
};

}  // namespace

bool NormalizeJson(std::string_view text, std::string* out, JsonError* error) {
  out->clear();
  return Normalizer(text, error).Run(out);
}

}  // namespace borealis::row
