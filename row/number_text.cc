// Numbers and other values to text and back, as MySQL writes them.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/double_text.h"
#include "row/collation.h"
#include "row/convert.h"
#include "row/json/text.h"

namespace borealis::row {

std::string DoubleText(double number) {
  char buffer[kDoubleTextSize];
  return {buffer, DoubleToText(number, buffer)};
}

std::string FloatText(double number) {
  char buffer[kDoubleTextSize];
  return {buffer, FloatToText(static_cast<float>(number), buffer)};
}

std::string DoubleText(double number, int decimals) {
  char buffer[384];
  return {buffer, FixedDoubleToText(number, decimals, buffer)};
}

std::string MemberText(uint64_t number, const Type& type) {
  if (type.members == nullptr) {
    return fmt::format("{}", number);
  }
  if (type.kind == TypeKind::kEnum) {
    return number >= 1 && number <= type.members->size() ? (*type.members)[number - 1] : "";
  }
  std::string text;
  for (size_t i = 0; i < type.members->size() && i < 64; ++i) {
    if ((number >> i & 1) != 0) {
      text += text.empty() ? "" : ",";
      text += (*type.members)[i];
    }
  }
  return text;
}

namespace {

// What a text of `size` lacks to the width of its type.
void AppendZeros(size_t size, const Type& type, std::string* out) {
  const size_t width = DisplayWidth(type);
  out->append(width - std::min(size, width), '0');
}

void AppendInteger(const Value& value, const Type& type, std::string* out) {
  if (type.is_enum_or_set()) {
    *out += MemberText(static_cast<uint64_t>(value.raw_int()), type);
    return;
  }
  if (type.kind == TypeKind::kBit) {
    uint32_t bits = type.length == 0 ? 64 : type.length;
    for (uint32_t byte = (bits + 7) / 8; byte-- > 0;) {
      *out += static_cast<char>(static_cast<uint64_t>(value.raw_int()) >> (byte * 8));
    }
    return;
  }
  fmt::format_int digits = value.kind() == ValueKind::kInt ? fmt::format_int(value.int_value())
                                                           : fmt::format_int(value.uint_value());
  if (type.kind == TypeKind::kYear || (type.is_integer() && type.zerofill)) {
    AppendZeros(digits.size(), type, out);
  }
  out->append(digits.data(), digits.size());
}

std::string FloatingText(double number, const Type& type) {
  if (type.is_floating() && type.scale < Type::kFloatingScale) {
    return DoubleText(number, type.scale);
  }
  return type.kind == TypeKind::kFloat ? FloatText(number) : DoubleText(number);
}

std::string DecimalText(const Decimal& decimal, const Type& type) {
  if (!type.is_decimal() || decimal.scale() == type.scale) {
    return decimal.ToString();
  }
  Decimal shown;
  decimal.Round(type.scale, &shown);
  return shown.ToString();
}

}  // namespace

void AppendText(const Value& value, const Type& type, const TimeZone& zone, std::string* out) {
  switch (value.kind()) {
    case ValueKind::kNull:
      return;
    case ValueKind::kInt:
    case ValueKind::kUint:
      AppendInteger(value, type, out);
      return;
    case ValueKind::kDouble:
    case ValueKind::kDecimal: {
      const std::string text = value.kind() == ValueKind::kDouble
                                   ? FloatingText(value.double_value(), type)
                                   : DecimalText(value.decimal_value(), type);
      if (type.zerofill && (type.is_floating() || type.is_decimal())) {
        AppendZeros(text.size(), type, out);
      }
      *out += text;
      return;
    }
    case ValueKind::kString:
      if (type.kind == TypeKind::kJson) {
        *out += JsonTextOf(value.bytes());
      } else {
        out->append(value.bytes());
      }
      return;
    case ValueKind::kDate:
      *out += FormatDate(value.temporal());
      return;
    case ValueKind::kTime:
      *out += FormatTime(value.temporal(), type.kind == TypeKind::kTime ? type.scale : 0);
      return;
    case ValueKind::kDateTime:
      *out += type.kind == TypeKind::kDate
                  ? FormatDate(value.temporal())
                  : FormatDateTime(value.temporal(), type.is_temporal() ? type.scale : 0);
      return;
    case ValueKind::kTimestamp:
      *out += FormatDateTime(zone.ToLocal(value.temporal()),
                             type.kind == TypeKind::kTimestamp ? type.scale : 0);
      return;
  }
}

std::string ToText(const Value& value, const Type& type, const TimeZone& zone) {
  std::string text;
  AppendText(value, type, zone, &text);
  return text;
}

double DoubleOfText(std::string_view text, size_t* consumed, bool* overflow) {
  size_t start = 0;
  while (start < text.size() &&
         (text[start] == ' ' || (text[start] >= '\t' && text[start] <= '\r'))) {
    ++start;
  }
  size_t pos = start;
  bool negative = pos < text.size() && text[pos] == '-';
  if (pos < text.size() && (text[pos] == '-' || text[pos] == '+')) {
    ++pos;
  }
  *consumed = 0;
  *overflow = false;
  double value = 0;
  auto digit = [&](size_t i) { return i < text.size() && text[i] >= '0' && text[i] <= '9'; };
  if (!digit(pos) && !(pos < text.size() && text[pos] == '.' && digit(pos + 1))) {
    return 0;
  }
  auto end = std::from_chars(text.data() + pos, text.data() + text.size(), value);
  *consumed = static_cast<size_t>(end.ptr - text.data());
  if (end.ec == std::errc::result_out_of_range) {
    size_t e = text.substr(pos, *consumed - pos).find_first_of("eE");
    bool tiny = e != std::string_view::npos && text[pos + e + 1] == '-';
    if (e == std::string_view::npos) {
      tiny = text[pos] == '0' || text[pos] == '.';
    }
    *overflow = !tiny;
    value = tiny ? 0 : 1.7976931348623157e308;
  }
  return negative ? -value : value;
}

std::string Printable(std::string_view text) {
  std::string shown;
  for (size_t pos = 0; pos < text.size();) {
    if (shown.size() >= 128) {
      return shown + "...";
    }
    size_t size;
    char32_t c = DecodeChar(text, pos, &size);
    if (c == kBadChar || c < 0x20) {
      shown += fmt::format("\\x{:02X}", static_cast<uint8_t>(text[pos]));
    } else if (c > 0xFFFF) {
      shown += '?';
    } else {
      shown.append(text.substr(pos, size));
    }
    pos += size;
  }
  return shown;
}

}  // namespace borealis::row
