// Accounts and what they may do as SHOW GRANTS, SHOW CREATE USER and SHOW PRIVILEGES tell them.
#pragma once

#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sql/accounts/grant_tables.h"

namespace borealis::sql {

// A row of SHOW PRIVILEGES, of a static privilege.
struct PrivilegeText {
  std::string_view name;
  std::string_view context;
  std::string_view comment;
};
std::span<const PrivilegeText> Privileges();

// "CREATE USER `u`@`h` IDENTIFIED WITH …".
std::string CreateUserText(const Account& account);

// The lines of SHOW GRANTS: with what `roles` give, as SHOW GRANTS … USING. REQUIRES: the account
// exists.
std::vector<std::string> GrantTexts(const GrantTables& tables, const AccountKey& key,
                                    const std::set<AccountKey>& roles);

}  // namespace borealis::sql
