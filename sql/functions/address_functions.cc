// Internet addresses: INET and INET6, to bytes and back, and what a text or bytes are.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

#include "sql/functions/functions_internal.h"

namespace borealis::sql {
namespace {

using row::Type;
using row::Value;

// "127.0.0.1" as a number. A short form leaves out the middle: "127.1" is 127.0.0.1.
bool ParseInet(std::string_view text, uint64_t* number) {
  uint64_t result = 0;
  uint64_t part = 0;
  int dots = 0;
  bool digits = false;
  for (char c : text) {
    if (c >= '0' && c <= '9') {
      part = part * 10 + static_cast<uint64_t>(c - '0');
      digits = true;
      if (part > 255) {
        return false;
      }
    } else if (c == '.' && dots < 3) {
      ++dots;
      result = result << 8 | part;
      part = 0;
      digits = false;
    } else {
      return false;
    }
  }
  result = dots == 3 ? result << 8 : dots == 2 ? result << 16 : result << 24;
  *number = result | part;
  return digits;
}

Status EvalInetAton(const EvalCall& call, std::span<const Value> values, Value* out) {
  std::string buffer;
  const std::string_view text = Args(call, values).Text(0, &buffer);
  uint64_t number = 0;
  if (!ParseInet(text, &number)) {
    WarnOfArgument(call, "string", row::Printable(text));
    *out = Value::Null();
    return {};
  }
  *out = Value::Uint(number);
  return {};
}

Status EvalInetNtoa(const EvalCall& call, std::span<const Value> values, Value* out) {
  Args args(call, values);
  const uint64_t n = args.Bits(0);
  if (n > UINT32_MAX) {
    WarnOfArgument(call, "integer", args.TextCopy(0));
    *out = Value::Null();
    return {};
  }
  return SetText(
      call, fmt::format("{}.{}.{}.{}", n >> 24 & 255, n >> 16 & 255, n >> 8 & 255, n & 255), out);
}

// --- IPv6 and strict IPv4
// -------------------------------------------------------------------------

constexpr size_t kIpv4Bytes = 4;
constexpr size_t kIpv6Bytes = 16;

// Four numbers of one to three digits.
std::optional<std::string> ParseIpv4(std::string_view text) {
  std::string bytes;
  uint32_t part = 0;
  size_t digits = 0;
  for (size_t i = 0; i <= text.size(); ++i) {
    if (i == text.size() || text[i] == '.') {
      if (digits == 0 || part > 255 || bytes.size() == kIpv4Bytes) {
        return std::nullopt;
      }
      bytes += static_cast<char>(part);
      part = 0;
      digits = 0;
    } else if (text[i] >= '0' && text[i] <= '9' && digits < 3) {
      part = part * 10 + static_cast<uint32_t>(text[i] - '0');
      ++digits;
    } else {
      return std::nullopt;
    }
  }
  return bytes.size() == kIpv4Bytes ? std::optional(std::move(bytes)) : std::nullopt;
}

int HexValue(char c) {
  return c >= '0' && c <= '9'                 ? c - '0'
         : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10
                                              : -1;
}

// Reads groups of up to four hexadecimal digits; the last two may be an IPv4 address.
class Ipv6Parser {
 public:
  explicit Ipv6Parser(std::string_view text) : text_(text) {}

  std::optional<std::string> Run() {
    constexpr size_t kMaxText = 39;
    if (text_.size() < 2 || text_.size() > kMaxText || (text_[0] == ':' && text_[1] != ':') ||
        !Groups()) {
      return std::nullopt;
    }
    if (gap_.has_value()) {
      if (bytes_.size() >= kIpv6Bytes) {
        return std::nullopt;
      }
      bytes_.insert(*gap_, kIpv6Bytes - bytes_.size(), '\0');
    }
    return bytes_.size() == kIpv6Bytes ? std::optional(std::move(bytes_)) : std::nullopt;
  }

 private:
  bool Groups() {
    size_t start = text_[0] == ':' ? 1 : 0;  // of the group
    for (size_t pos = start; pos < text_.size(); ++pos) {
      const char c = text_[pos];
      if (c == '.') {
        const std::optional<std::string> tail = ParseIpv4(text_.substr(start));
        bytes_ += tail.value_or("");
        return tail.has_value() && bytes_.size() <= kIpv6Bytes;
      }
      if (c == ':') {
        start = pos + 1;
        if (digits_ == 0 ? gap_.has_value() : start == text_.size()) {
          return false;
        }
        if (digits_ == 0) {
          gap_ = bytes_.size();
        } else if (!EndGroup()) {
          return false;
        }
      } else if (HexValue(c) < 0 || ++digits_ > 4) {
        return false;
      } else {
        group_ = group_ << 4 | static_cast<uint32_t>(HexValue(c));
      }
    }
    return digits_ == 0 || EndGroup();
  }

  bool EndGroup() {
    bytes_ += static_cast<char>(group_ >> 8);
    bytes_ += static_cast<char>(group_);
    group_ = 0;
    digits_ = 0;
    return bytes_.size() <= kIpv6Bytes;
  }

  const std::string_view text_;
  std::string bytes_;
  std::optional<size_t> gap_;  // where "::" stands in `bytes_`
  uint32_t group_ = 0;
  int digits_ = 0;
};

std::optional<std::string> ParseIpv6(std::string_view text) {
  return Ipv6Parser(text).Run();
}

std::string Ipv4Text(std::string_view bytes) {
  return fmt::format("{}.{}.{}.{}", static_cast<uint8_t>(bytes[0]), static_cast<uint8_t>(bytes[1]),
                     static_cast<uint8_t>(bytes[2]), static_cast<uint8_t>(bytes[3]));
}

// The first of the longest runs of zero groups is "::"; an IPv4 address behind one is shown as
// such.
std::string Ipv6Text(std::string_view bytes) {
  constexpr size_t kGroups = kIpv6Bytes / 2;
  std::array<uint32_t, kGroups> groups;
  for (size_t i = 0; i < kGroups; ++i) {
    groups[i] = static_cast<uint32_t>(static_cast<uint8_t>(bytes[2 * i])) << 8 |
                static_cast<uint8_t>(bytes[2 * i + 1]);
  }
  size_t gap = 0;
  size_t gap_size = 0;
  for (size_t i = 0; i < kGroups; ++i) {
    const auto end = std::find_if(groups.begin() + static_cast<ptrdiff_t>(i), groups.end(),
                                  [](uint32_t group) { return group != 0; });
    const size_t size = static_cast<size_t>(end - groups.begin()) - i;
    if (size > gap_size) {
      gap = i;
      gap_size = size;
    }
  }
  std::string text;
  for (size_t i = 0; i < kGroups;) {
    if (gap_size > 0 && i == gap) {
      text += i == 0 ? "::" : ":";
      i += gap_size;
    } else if (i == 6 && gap == 0 && (gap_size == 6 || (gap_size == 5 && groups[5] == 0xFFFF))) {
      return text + Ipv4Text(bytes.substr(kIpv6Bytes - kIpv4Bytes));
    } else {
      text += fmt::format("{:x}", groups[i]);
      text += ++i < kGroups ? ":" : "";
    }
  }
  return text;
}

Status EvalInet6Aton(const EvalCall& call, std::span<const Value> values, Value* out) {
  const std::string text = Args(call, values).TextCopy(0);
  std::optional<std::string> bytes = ParseIpv4(text);
  if (!bytes.has_value()) {
    bytes = ParseIpv6(text);
  }
  if (!bytes.has_value()) {
    WarnOfArgument(call, "string", row::Printable(text));
    *out = Value::Null();
    return {};
  }
  *out = Value::String(std::move(*bytes));
  return {};
}

Status EvalInet6Ntoa(const EvalCall& call, std::span<const Value> values, Value* out) {
  const Args args(call, values);
  const std::string bytes = args.TextCopy(0);
  const bool binary = args.type(0).is_binary_string();
  if (!binary || (bytes.size() != kIpv4Bytes && bytes.size() != kIpv6Bytes)) {
    WarnOfArgument(call, "string", row::Printable(bytes));
    *out = Value::Null();
    return {};
  }
  *out = Value::String(bytes.size() == kIpv4Bytes ? Ipv4Text(bytes) : Ipv6Text(bytes));
  return {};
}

Status InferInet6Aton(const InferInput&, Type* type) {
  *type = Type::Varbinary(kIpv6Bytes);
  return {};
}

template <std::optional<std::string> (*kParse)(std::string_view)>
Status EvalIsText(const EvalCall& call, std::span<const Value> values, Value* out) {
  *out = Value::Bool(kParse(Args(call, values).TextCopy(0)).has_value());
  return {};
}

// ::1.2.3.4, which is neither :: nor ::1.
bool IsCompatible(std::string_view bytes) {
  return bytes.substr(0, 12) == std::string(12, '\0') &&
         (bytes.substr(12, 3) != std::string(3, '\0') || static_cast<uint8_t>(bytes[15]) > 1);
}

// ::ffff:1.2.3.4
bool IsMapped(std::string_view bytes) {
  return bytes.substr(0, 12) == std::string(10, '\0') + "\xFF\xFF";
}

template <bool (*kTest)(std::string_view)>
Status EvalIsBytes(const EvalCall& call, std::span<const Value> values, Value* out) {
  const Args args(call, values);
  const std::string bytes = args.TextCopy(0);
  *out = Value::Bool(args.type(0).is_binary_string() && bytes.size() == kIpv6Bytes && kTest(bytes));
  return {};
}

}  // namespace

std::span<const FunctionDef> AddressFunctions() {
  static constexpr FunctionDef kTable[] = {
      {.name = "inet_aton",
       .min_args = 1,
       .max_args = 1,
       .infer = InferUnsignedBigInt,
       .eval = EvalInetAton},
      {.name = "inet_ntoa",
       .min_args = 1,
       .max_args = 1,
       .infer = InferAscii<31>,
       .eval = EvalInetNtoa,
       .number_args = 1},
      {.name = "inet6_aton",
       .min_args = 1,
       .max_args = 1,
       .infer = InferInet6Aton,
       .eval = EvalInet6Aton},
      {.name = "inet6_ntoa",
       .min_args = 1,
       .max_args = 1,
       .infer = InferAscii<39>,
       .eval = EvalInet6Ntoa},
      {.name = "is_ipv4",
       .min_args = 1,
       .max_args = 1,
       .infer = InferBoolean,
       .eval = EvalIsText<ParseIpv4>,
       .total = true},
      {.name = "is_ipv6",
       .min_args = 1,
       .max_args = 1,
       .infer = InferBoolean,
       .eval = EvalIsText<ParseIpv6>,
       .total = true},
      {.name = "is_ipv4_compat",
       .min_args = 1,
       .max_args = 1,
       .infer = InferBoolean,
       .eval = EvalIsBytes<IsCompatible>,
       .total = true},
      {.name = "is_ipv4_mapped",
       .min_args = 1,
       .max_args = 1,
       .infer = InferBoolean,
       .eval = EvalIsBytes<IsMapped>,
       .total = true},
  };
  return kTable;
}

}  // namespace borealis::sql
