#include "sql/accounts/account_key.h"

#include <array>
#include <bit>
#include <charconv>
#include <cstdint>
#include <optional>
#include <tuple>

namespace borealis::sql {
namespace {

struct Network {
  uint32_t address = 0;
  uint32_t mask = ~uint32_t{0};
};

std::optional<uint32_t> Number(std::string_view text, uint32_t max) {
  uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value > max) {
    return std::nullopt;
  }
  return value;
}

std::optional<uint32_t> Ipv4(std::string_view text) {
  uint32_t address = 0;
  for (int part = 0; part < 4; ++part) {
    const size_t dot = part < 3 ? text.find('.') : text.size();
    if (dot == std::string_view::npos) {
      return std::nullopt;
    }
    const auto byte = Number(text.substr(0, dot), 255);
    if (!byte.has_value()) {
      return std::nullopt;
    }
    address = address << 8 | *byte;
    text.remove_prefix(part < 3 ? dot + 1 : dot);
  }
  return address;
}

std::optional<Network> ParseNetwork(std::string_view pattern) {
  const size_t slash = pattern.find('/');
  if (slash == std::string_view::npos) {
    return std::nullopt;
  }
  const auto address = Ipv4(pattern.substr(0, slash));
  const std::string_view size = pattern.substr(slash + 1);
  std::optional<uint32_t> mask = Ipv4(size);
  if (!mask.has_value()) {
    if (const auto bits = Number(size, 32); bits.has_value()) {
      mask = *bits == 0 ? 0 : ~uint32_t{0} << (32 - *bits);
    }
  }
  if (!address.has_value() || !mask.has_value()) {
    return std::nullopt;
  }
  return Network{*address, *mask};
}

bool IsLoopback(std::string_view address) {
  return address.starts_with("127.") || address == "::1" || address.starts_with("::ffff:127.");
}

// Greater is tried first.
std::tuple<int, size_t> Specificity(std::string_view host) {
  if (const auto network = ParseNetwork(host); network.has_value()) {
    return {1, static_cast<size_t>(std::popcount(network->mask))};
  }
  if (!HasWildcards(host) && !host.empty()) {
    return {2, 0};
  }
  return {0, LiteralPrefix(host)};
}

}  // namespace

AccountKey MakeAccountKey(std::string_view user, std::string_view host) {
  AccountKey key{std::string(user), std::string(host)};
  for (char& c : key.host) {
    c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return key;
}

std::string QuotedAccount(const AccountKey& account) {
  return "'" + account.user + "'@'" + account.host + "'";
}

std::string AccountIdentifier(const AccountKey& account) {
  const auto quote = [](std::string_view name) {
    std::string quoted = "`";
    for (const char c : name) {
      quoted.append(c == '`' ? 2 : 1, c);
    }
    return quoted + "`";
  };
  return quote(account.user) + "@" + quote(account.host);
}

bool MatchesWildcards(std::string_view text, std::string_view pattern) {
  size_t t = 0;
  size_t p = 0;
  size_t star = std::string_view::npos;  // the last %, and where its match ends so far
  size_t resume = 0;
  while (t < text.size()) {
    const bool escaped = p + 1 < pattern.size() && pattern[p] == '\\';
    const char want = escaped ? pattern[p + 1] : p < pattern.size() ? pattern[p] : '\0';
    if (p < pattern.size() && !escaped && want == '%') {
      star = p++;
      resume = t;
    } else if (p < pattern.size() && ((!escaped && want == '_') || want == text[t])) {
      p += escaped ? 2 : 1;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++resume;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '%') {
    ++p;
  }
  return p == pattern.size();
}

size_t LiteralPrefix(std::string_view pattern) {
  for (size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] == '\\' && i + 1 < pattern.size()) {
      ++i;
    } else if (pattern[i] == '%' || pattern[i] == '_') {
      return i;
    }
  }
  return pattern.size();
}

bool HasWildcards(std::string_view pattern) {
  return LiteralPrefix(pattern) < pattern.size();
}

bool HostMatches(std::string_view address, std::string_view pattern) {
  if (pattern.empty()) {
    return true;
  }
  if (pattern == "localhost") {
    return IsLoopback(address) || address == "localhost";
  }
  if (const auto network = ParseNetwork(pattern); network.has_value()) {
    const auto own = Ipv4(address);
    return own.has_value() && (*own & network->mask) == network->address;
  }
  return MatchesWildcards(address, pattern);
}

bool IsMoreSpecific(const AccountKey& a, const AccountKey& b) {
  const auto of_a = Specificity(a.host);
  const auto of_b = Specificity(b.host);
  if (of_a != of_b) {
    return of_a > of_b;
  }
  if (a.user.empty() != b.user.empty()) {
    return b.user.empty();
  }
  return a < b;
}

}  // namespace borealis::sql
