// Names of accounts: 'user'@'host', where the host may be a pattern, and which of them a client's
// user name and address mean.
//
// Addresses are numeric (names are not looked up, as with skip_name_resolve); "localhost" stands
// for the loopback addresses. A pattern is an address or name, one with % and _ as in LIKE, or
// an IPv4 network as address/mask or address/bits.
#pragma once

#include <compare>
#include <string>
#include <string_view>

namespace borealis::sql {

struct AccountKey {
  std::string user;
  std::string host;  // lower case; of roles "%"
  friend auto operator<=>(const AccountKey&, const AccountKey&) = default;
};

// With the host in lower case.
AccountKey MakeAccountKey(std::string_view user, std::string_view host);

// "'u'@'h'" as messages and USER_PRIVILEGES have it.
std::string QuotedAccount(const AccountKey& account);
// "`u`@`h`" as statements have it.
std::string AccountIdentifier(const AccountKey& account);

// '%' and '_' as in LIKE, '\' before either takes it literally.
bool MatchesWildcards(std::string_view text, std::string_view pattern);
bool HasWildcards(std::string_view pattern);
// Bytes before the first wildcard; the whole size without one.
size_t LiteralPrefix(std::string_view pattern);

// Whether a client at `address` (numeric) is meant by the host pattern.
bool HostMatches(std::string_view address, std::string_view pattern);

// Whether `a` is tried before `b` when both match: hosts without wildcards first, then networks,
// the smaller first, then patterns, the longer literal prefix first; of equal hosts the named user
// before the anonymous one.
bool IsMoreSpecific(const AccountKey& a, const AccountKey& b);

}  // namespace borealis::sql
