// Accounts and privileges as SHOW GRANTS, SHOW CREATE USER and USER_PRIVILEGES tell them.
//
// Accounts are the rows of mysql.user. Every account of this release holds all privileges.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace borealis::sql {

class Session;

struct AccountRecord {
  std::string user;
  std::string host;
  std::string plugin = "caching_sha2_password";
  std::string credential;
  std::string ssl_type;
  bool password_expired = false;
  bool locked = false;
};

// All accounts; the session's own alone where there is no mysql.user.
Result<std::vector<AccountRecord>> ListAccounts(Session& session);

// A row of SHOW PRIVILEGES.
struct PrivilegeText {
  std::string_view name;
  std::string_view context;
  std::string_view comment;
};
std::span<const PrivilegeText> Privileges();

// "CREATE USER `u`@`h` IDENTIFIED WITH …".
std::string CreateUserText(const AccountRecord& account);
// "GRANT SELECT, … ON *.* TO `u`@`h` WITH GRANT OPTION".
std::string GrantText(const AccountRecord& account);

}  // namespace borealis::sql
