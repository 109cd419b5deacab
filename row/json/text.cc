#include "row/json/text.h"

#include <fmt/format.h>
#include <unicode/uchar.h>

#include <cmath>

#include "base/mysql_error.h"
#include "row/collation.h"
#include "row/convert.h"
#include "row/temporal.h"

namespace borealis::row {

namespace {

void AppendBase64(std::string_view bytes, std::string* out) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (size_t i = 0; i < bytes.size(); i += 3) {
    size_t left = bytes.size() - i;
    auto at = [&](size_t k) -> uint32_t {
      return k < left ? static_cast<uint8_t>(bytes[i + k]) : 0;
    };
    uint32_t group = at(0) << 16 | at(1) << 8 | at(2);
    *out += kDigits[group >> 18];
    *out += kDigits[group >> 12 & 63];
    *out += left > 1 ? kDigits[group >> 6 & 63] : '=';
    *out += left > 2 ? kDigits[group & 63] : '=';
  }
}

void AppendDouble(double value, std::string* out) {
  std::string text = value == 0 && std::signbit(value) ? "-0" : DoubleText(value);
  *out += text;
  if (text.find_first_of(".e") == std::string::npos) {
    *out += ".0";
  }
}

// Text of a value that is no container and no string, without quotes.
std::string ScalarText(const JsonView& value) {
  std::string text;
  switch (value.type()) {
    case JsonType::kNull:
      return "null";
    case JsonType::kBoolean:
      return value.integer() != 0 ? "true" : "false";
    case JsonType::kInt:
      return fmt::format("{}", value.integer());
    case JsonType::kUint:
      return fmt::format("{}", value.uint());
    case JsonType::kDouble:
      AppendDouble(value.real(), &text);
      return text;
    case JsonType::kDecimal:
      return value.decimal().ToString();
    case JsonType::kDate:
      return FormatDate(value.integer());
    case JsonType::kTime:
      return FormatTime(value.integer(), 6);
    case JsonType::kDateTime:
      return FormatDateTime(value.integer(), 6);
    default:
      text = fmt::format("base64:type{}:", value.opaque_type());
      AppendBase64(value.text(), &text);
      return text;
  }
}

bool IsQuoted(JsonType type) {
  return type == JsonType::kDate || type == JsonType::kTime || type == JsonType::kDateTime ||
         type == JsonType::kOpaque;
}

class Printer {
 public:
  Printer(bool pretty, std::string* out) : pretty_(pretty), out_(out) {}

  Status Print(const JsonView& value, int depth) {
    if (value.is_damaged() || depth > kMaxJsonDepth) {
      return UserError(ER_INVALID_JSON_BINARY_DATA);
    }
    if (value.is_container()) {
      return PrintContainer(value, depth);
    }
    if (value.type() == JsonType::kString) {
      AppendQuotedJson(value.text(), out_);
    } else if (IsQuoted(value.type())) {
      *out_ += '"' + ScalarText(value) + '"';
    } else {
      *out_ += ScalarText(value);
    }
    return {};
  }

 private:
  Status PrintContainer(const JsonView& value, int depth) {
    bool object = value.is_object();
    *out_ += object ? '{' : '[';
    for (uint32_t i = 0; i < value.size(); ++i) {
      *out_ += i == 0 ? "" : (pretty_ ? "," : ", ");
      NewLine(depth);
      if (object) {
        AppendQuotedJson(value.key(i), out_);
        *out_ += ": ";
      }
      RETURN_IF_ERROR(Print(value.item(i), depth + 1));
    }
    if (value.size() != 0) {
      NewLine(depth - 1);
    }
    *out_ += object ? '}' : ']';
    return {};
  }
  void NewLine(int level) {
    if (pretty_) {
      *out_ += '\n';
      out_->append(static_cast<size_t>(level) * 2, ' ');
    }
  }

  bool pretty_;
  std::string* out_;
};

}  // namespace

void AppendQuotedJson(std::string_view text, std::string* out) {
  constexpr std::string_view kFrom = "\"\\\b\f\n\r\t";
  constexpr std::string_view kTo = "\"\\bfnrt";
  *out += '"';
  for (char c : text) {
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

Status AppendJsonText(const JsonView& value, std::string* out) {
  return Printer(false, out).Print(value, 1);
}

Status AppendPrettyJson(const JsonView& value, std::string* out) {
  return Printer(true, out).Print(value, 1);
}

Status AppendUnquotedJson(const JsonView& value, std::string* out) {
  if (value.type() == JsonType::kString) {
    out->append(value.text());
    return {};
  }
  if (IsQuoted(value.type())) {
    *out += ScalarText(value);
    return {};
  }
  return AppendJsonText(value, out);
}

std::string JsonTextOf(std::string_view document) {
  std::string text;
  if (!AppendJsonText(JsonView(document), &text).ok()) {
    text.clear();
  }
  return text;
}

bool IsJsonIdentifier(std::string_view text) {
  if (text.empty()) {
    return false;
  }
  for (size_t pos = 0; pos < text.size();) {
    size_t size;
    char32_t c = DecodeChar(text, pos, &size);
    if (c == kBadChar) {
      return false;
    }
    auto code = static_cast<UChar32>(c);
    bool good = c == '$' || c == '_' || u_hasBinaryProperty(code, UCHAR_ID_START) != 0;
    if (pos > 0) {
      good =
          good || c == 0x200C || c == 0x200D || u_hasBinaryProperty(code, UCHAR_ID_CONTINUE) != 0;
    }
    if (!good) {
      return false;
    }
    pos += size;
  }
  return true;
}

}  // namespace borealis::row
