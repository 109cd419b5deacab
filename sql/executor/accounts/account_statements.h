// Account statements: users, roles, GRANT and REVOKE. Each works on all the accounts it names or on
// none (account_change.h). What the session may do was checked before (privilege_checks.h), except
// for what depends on the stored accounts.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "sql/accounts/grant_tables.h"
#include "sql/ast/admin.h"
#include "sql/executor/executor.h"

namespace borealis::sql {

// user_statements.cc
Status ExecuteCreateUser(StatementRun& run);
Status ExecuteAlterUser(StatementRun& run);
Status ExecuteDropUser(StatementRun& run);  // DROP ROLE too
Status ExecuteRenameUser(StatementRun& run);
Status ExecuteCreateRole(StatementRun& run);
Status ExecuteSetPassword(StatementRun& run, const SetItem& item);

// grant_statements.cc
Status ExecuteGrant(StatementRun& run);
Status ExecuteRevoke(StatementRun& run);

// role_statements.cc
Status ExecuteSetRole(StatementRun& run);
Status ExecuteSetDefaultRole(StatementRun& run);
Status GrantRoles(StatementRun& run, const GrantStmt& statement);
Status RevokeRoles(StatementRun& run, const RevokeStmt& statement);
// Makes the account's default roles those that the selection means. Error: 3530.
Status ChooseDefaultRoles(const StatementRun& run, RoleSelection selection,
                          const std::vector<AccountName>& roles, Account* account);

// The account that a statement's name means; CURRENT_USER is the session's.
AccountKey ResolveAccount(const StatementRun& run, const AccountName& name);
// "'a'@'%','b'@'%'".
std::string QuotedAccounts(const std::vector<AccountKey>& accounts);

}  // namespace borealis::sql
