// GRANT and REVOKE of roles, SET ROLE, SET DEFAULT ROLE.
#include <algorithm>

#include "base/mysql_error.h"
#include "sql/executor/accounts/account_change.h"
#include "sql/executor/accounts/account_statements.h"
#include "sql/session/session.h"

namespace borealis::sql {
namespace {

// Roles are given and taken by those that have them WITH ADMIN OPTION.
Status CheckMayGrantRole(const StatementRun& run, const AccountKey& role) {
  const SecurityContext& security = run.session.security();
  if (security.HasSuperOr("ROLE_ADMIN")) {
    return Status::Ok();
  }
  const bool admin =
      std::any_of(security.holders().begin(), security.holders().end(), [&](const Account* holder) {
        const auto found = holder->roles.find(role);
        return found != holder->roles.end() && found->second;
      });
  return admin ? Status::Ok()
               : UserError(ER_SPECIFIC_ACCESS_DENIED_ERROR, "WITH ADMIN, ROLE_ADMIN, SUPER");
}

Status NotGranted(const AccountKey& role, const AccountKey& to) {
  return UserError(ER_ROLE_NOT_GRANTED, AccountIdentifier(role), AccountIdentifier(to));
}

Result<std::vector<AccountKey>> ResolveRoles(const StatementRun& run,
                                             const std::vector<AccountName>& names) {
  std::vector<AccountKey> keys;
  for (const AccountName& name : names) {
    keys.push_back(ResolveAccount(run, name));
    RETURN_IF_ERROR(CheckMayGrantRole(run, keys.back()));
  }
  return keys;
}

Status GrantRoleTo(const AccountKey& role, const AccountKey& to, bool admin, GrantTables* tables) {
  if (tables->Find(role) == nullptr) {
    return UserError(ER_UNKNOWN_AUTHID, AccountIdentifier(role));
  }
  Account* account = tables->FindMutable(to);
  if (account == nullptr) {
    return UserError(ER_UNKNOWN_AUTHID, AccountIdentifier(to));
  }
  if (role == to || tables->Reaches(role, to)) {
    return UserError(ER_ROLE_GRANTED_TO_ITSELF, AccountIdentifier(to), AccountIdentifier(role));
  }
  account->roles[role] |= admin;
  return Status::Ok();
}

// The problem with a role or an account that a REVOKE names; Ok when there is none.
Status RevokeRoleFrom(const AccountKey& role, const AccountKey& from, GrantTables* tables) {
  if (tables->Find(role) == nullptr) {
    return UserError(ER_UNKNOWN_AUTHID, AccountIdentifier(role));
  }
  Account* account = tables->FindMutable(from);
  if (account == nullptr) {
    return UserError(ER_UNKNOWN_AUTHID, AccountIdentifier(from));
  }
  account->roles.erase(role);
  account->default_roles.erase(role);
  return Status::Ok();
}

}  // namespace

Status GrantRoles(StatementRun& run, const GrantStmt& statement) {
  ASSIGN_OR_RETURN(const std::vector<AccountKey> roles, ResolveRoles(run, statement.roles));
  return ChangeAccounts(run, [&](GrantTables* tables) -> Status {
    for (const UserSpec& user : statement.users) {
      for (const AccountKey& role : roles) {
        RETURN_IF_ERROR(GrantRoleTo(role, ResolveAccount(run, user.account),
                                    statement.with_admin_option, tables));
      }
    }
    return Status::Ok();
  });
}

Status RevokeRoles(StatementRun& run, const RevokeStmt& statement) {
  ASSIGN_OR_RETURN(const std::vector<AccountKey> roles, ResolveRoles(run, statement.roles));
  return ChangeAccounts(run, [&](GrantTables* tables) -> Status {
    for (const AccountName& name : statement.users) {
      const AccountKey from = ResolveAccount(run, name);
      for (const AccountKey& role : roles) {
        Status status = RevokeRoleFrom(role, from, tables);
        const bool excused =
            tables->Find(from) == nullptr ? statement.ignore_unknown_user : statement.if_exists;
        if (!status.ok() && !excused) {
          return status;
        }
        if (!status.ok()) {
          run.session.diagnostics().AddWarning(row::WarningLevel::kWarning, status.user_errno(),
                                               std::string(status.message()));
        }
      }
    }
    return Status::Ok();
  });
}

Status ChooseDefaultRoles(const StatementRun& run, RoleSelection selection,
                          const std::vector<AccountName>& roles, Account* account) {
  std::set<AccountKey> chosen;
  if (selection == RoleSelection::kAll) {
    for (const auto& [role, admin] : account->roles) {
      chosen.insert(role);
    }
  }
  for (const AccountName& name : roles) {
    const AccountKey role = ResolveAccount(run, name);
    if (!account->roles.contains(role)) {
      return NotGranted(role, account->key);
    }
    chosen.insert(role);
  }
  account->default_roles = std::move(chosen);
  return Status::Ok();
}

Status ExecuteSetDefaultRole(StatementRun& run) {
  const auto& statement = run.statement.As<SetDefaultRoleStmt>();
  return ChangeAccounts(run, [&](GrantTables* tables) -> Status {
    for (const AccountName& name : statement.accounts) {
      Account* account = tables->FindMutable(ResolveAccount(run, name));
      if (account == nullptr) {
        // What it is not, it has no roles granted to.
        return statement.roles.empty()
                   ? UserError(ER_PASSWORD_NO_MATCH)
                   : NotGranted(ResolveAccount(run, statement.roles[0]), ResolveAccount(run, name));
      }
      RETURN_IF_ERROR(ChooseDefaultRoles(run, statement.selection, statement.roles, account));
    }
    return Status::Ok();
  });
}

Status ExecuteSetRole(StatementRun& run) {
  const auto& statement = run.statement.As<SetRoleStmt>();
  Session& session = run.session;
  const SecurityContext& security = session.security();
  if (statement.selection == RoleSelection::kDefault) {
    return session.ActivateDefaultRoles();
  }
  // Roles are activated by those to whom they are granted themselves; what is granted to a role
  // comes with it.
  std::map<AccountKey, bool> granted;
  if (!security.holders().empty()) {
    granted = security.holders().front()->roles;
  }
  std::set<AccountKey> named;
  for (const AccountName& name : statement.roles) {
    const AccountKey role = ResolveAccount(run, name);
    if (!granted.contains(role)) {
      return NotGranted(role, session.account());
    }
    named.insert(role);
  }
  std::set<AccountKey> active;
  switch (statement.selection) {
    case RoleSelection::kList:
      active = std::move(named);
      break;
    case RoleSelection::kAll:
    case RoleSelection::kAllExcept:
      for (const auto& [role, admin] : granted) {
        if (!named.contains(role)) {
          active.insert(role);
        }
      }
      break;
    case RoleSelection::kNone:
    case RoleSelection::kDefault:
      break;
  }
  return session.SetActiveRoles(std::move(active));
}

}  // namespace borealis::sql
