// What follows the accounts in CREATE USER and ALTER USER, and how passwords are set.
#pragma once

#include <vector>

#include "sql/accounts/account.h"
#include "sql/ast/admin.h"
#include "sql/executor/executor.h"

namespace borealis::sql {

// REQUIRE, WITH limits, PASSWORD …, ACCOUNT LOCK, FAILED_LOGIN_ATTEMPTS, COMMENT and ATTRIBUTE.
// Errors: 1235 (certificates), 1525, 3982.
Status ApplyAccountOptions(const std::vector<AccountOption>& options, Account* account);

// A password that was made up for an account, to be shown once.
struct GeneratedPassword {
  AccountKey account;
  std::string password;
};

// IDENTIFIED …, RETAIN CURRENT PASSWORD, DISCARD OLD PASSWORD. Errors: 1524, 1827, 3638.
Status ApplyCredentials(const StatementRun& run, const UserSpec& spec, Account* account,
                        std::vector<GeneratedPassword>* generated);

// The rows that tell of generated passwords; nothing when there are none.
Status SendGeneratedPasswords(StatementRun& run, const std::vector<GeneratedPassword>& generated);

}  // namespace borealis::sql
