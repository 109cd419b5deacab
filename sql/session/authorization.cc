// Who the session is and what it may do: following changes of the accounts, active roles, and the
// account whose password has expired.
#include "base/mysql_error.h"
#include "sql/accounts/grant_store.h"
#include "sql/ast/admin.h"
#include "sql/session/session_internal.h"

namespace borealis::sql {

void Session::set_identity(SessionIdentity identity) {
  identity_ = std::move(identity);
  active_roles_.clear();
  security_version_ = 0;
}

Status Session::RefreshSecurity() {
  if (environment_.grants == nullptr) {
    return {};
  }
  const uint64_t version = environment_.engine->dictionary_version();
  if (version == security_version_) {
    return {};
  }
  ASSIGN_OR_RETURN(std::shared_ptr<const GrantTables> tables, environment_.grants->At(version));
  if (security_version_ == 0 || tables != security_.tables()) {
    // A role that was revoked or dropped is active no more.
    const Account* own = tables->Find(account());
    std::erase_if(active_roles_, [&](const AccountKey& role) {
      return own == nullptr || !own->roles.contains(role);
    });
    security_ = SecurityContext(std::move(tables), account(), active_roles_);
    ++settings_.generation;  // plans were made with the privileges of before
  }
  security_version_ = version;
  return {};
}

Status Session::SetActiveRoles(std::set<AccountKey> roles) {
  active_roles_ = std::move(roles);
  security_version_ = 0;
  return RefreshSecurity();
}

Status Session::ActivateDefaultRoles() {
  RETURN_IF_ERROR(SetActiveRoles({}));
  const Account* own = security_.holders().empty() ? nullptr : security_.holders().front();
  if (own == nullptr) {
    return {};
  }
  std::set<AccountKey> roles = DefaultRolesOf(*own);
  return roles.empty() ? Status::Ok() : SetActiveRoles(std::move(roles));
}

std::set<AccountKey> Session::DefaultRolesOf(const Account& account) const {
  const SystemVariables* variables = environment_.variables;
  const bool all = variables != nullptr &&
                   variables->IntegerValue("activate_all_roles_on_login").value_or(0) != 0;
  std::set<AccountKey> roles;
  for (const auto& [role, admin] : account.roles) {
    if (all || account.default_roles.contains(role)) {
      roles.insert(role);
    }
  }
  return roles;
}

// A session whose password has expired may change it and do nothing else.
Status Session::CheckPasswordChange(const Stmt& statement) const {
  if (const auto* set = statement.TryAs<SetStmt>();
      set != nullptr && set->items.size() == 1 && set->items[0].kind == SetItem::Kind::kPassword) {
    return {};
  }
  const auto* alter = statement.TryAs<AlterUserStmt>();
  if (alter != nullptr && alter->users.size() == 1) {
    const AccountName& name = alter->users[0].account;
    if (name.current_user || MakeAccountKey(name.user, name.host) == account()) {
      return {};
    }
  }
  return UserError(ER_MUST_CHANGE_PASSWORD);
}

}  // namespace borealis::sql
