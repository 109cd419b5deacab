// CREATE, ALTER, DROP and RENAME USER, SET PASSWORD, CREATE and DROP ROLE.
#include <fmt/format.h>

#include <algorithm>

#include "base/mysql_error.h"
#include "row/collation.h"
#include "sql/accounts/credentials.h"
#include "sql/executor/accounts/account_change.h"
#include "sql/executor/accounts/account_options.h"
#include "sql/executor/accounts/account_statements.h"
#include "sql/session/session.h"

namespace borealis::sql {
namespace {

constexpr size_t kUserChars = 32;
constexpr size_t kHostChars = 255;

Status CheckAccountName(const AccountKey& key) {
  if (row::CharCount(key.user) > kUserChars) {
    return UserError(ER_WRONG_STRING_LENGTH, key.user, "user name", kUserChars);
  }
  if (key.host.size() > kHostChars) {
    return UserError(ER_WRONG_STRING_LENGTH, key.host, "host name", kHostChars);
  }
  return Status::Ok();
}

// The accounts for which a statement failed, all named in one error.
class Failures {
 public:
  explicit Failures(std::string_view operation) : operation_(operation) {}
  void Add(const AccountKey& key) { keys_.push_back(key); }
  Status Outcome() const {
    return keys_.empty() ? Status::Ok()
                         : UserError(ER_CANNOT_USER, operation_, QuotedAccounts(keys_));
  }

 private:
  std::string_view operation_;
  std::vector<AccountKey> keys_;
};

void NoteExists(StatementRun& run, const AccountKey& key) {
  run.session.diagnostics().Note(
      ER_USER_ALREADY_EXISTS,
      fmt::format("Authorization ID {} already exists.", QuotedAccount(key)));
}

void NoteMissing(StatementRun& run, const AccountKey& key) {
  run.session.diagnostics().Note(
      ER_USER_DOES_NOT_EXIST,
      fmt::format("Authorization ID {} does not exist.", QuotedAccount(key)));
}

// Accounts with SYSTEM_USER are changed only by those that have it too.
Status CheckMayTouch(const StatementRun& run, const Account& account) {
  if (account.dynamic.contains("SYSTEM_USER") &&
      !run.session.security().HasDynamic("SYSTEM_USER")) {
    return UserError(ER_SPECIFIC_ACCESS_DENIED_ERROR, "SYSTEM_USER");
  }
  return Status::Ok();
}

Account NewAccount(const StatementRun& run, const AccountKey& key) {
  Account account;
  account.key = key;
  account.password_changed_s = run.session.statement_time_us() / 1'000'000;
  return account;
}

// REPLACE 'current': needed, where the policy says so, of who changes the own password.
Status CheckCurrentPassword(const StatementRun& run, const Account& account,
                            const std::optional<std::string>& given) {
  const bool own = account.key == run.session.account();
  const SystemVariables* variables = run.session.environment().variables;
  const bool required = account.policy.require_current.value_or(
      variables != nullptr && variables->IntegerValue("password_require_current").value_or(0) != 0);
  if (!given.has_value()) {
    const bool exempt = !own || run.session.security().Has(Privilege::kCreateUser);
    return required && !exempt && !account.credential.empty()
               ? UserError(ER_MISSING_CURRENT_PASSWORD)
               : Status::Ok();
  }
  if (!own) {
    return UserError(ER_CURRENT_PASSWORD_NOT_REQUIRED);
  }
  const Credentials* credentials = run.session.environment().credentials;
  if (credentials == nullptr || !credentials->Proves(account.plugin, *given, account.credential)) {
    return UserError(ER_INCORRECT_CURRENT_PASSWORD);
  }
  return Status::Ok();
}

bool ExpiresPassword(const std::vector<AccountOption>& options) {
  return std::any_of(options.begin(), options.end(),
                     [](const AccountOption& option) { return option.name == "PASSWORD EXPIRE"; });
}

// The options first: a new password has to meet the policy that comes with it.
Status ApplyAll(const StatementRun& run, const UserSpec& spec,
                const std::vector<AccountOption>& options, Account* account,
                std::vector<GeneratedPassword>* generated) {
  RETURN_IF_ERROR(ApplyAccountOptions(options, account));
  RETURN_IF_ERROR(ApplyCredentials(run, spec, account, generated));
  account->password_expired |= ExpiresPassword(options);
  return Status::Ok();
}

Status AlterOne(const StatementRun& run, const AlterUserStmt& statement, const UserSpec& spec,
                Account* account, std::vector<GeneratedPassword>* generated) {
  RETURN_IF_ERROR(CheckMayTouch(run, *account));
  if (spec.identified) {
    RETURN_IF_ERROR(CheckCurrentPassword(run, *account, spec.current_password));
  }
  RETURN_IF_ERROR(ApplyAll(run, spec, statement.options, account, generated));
  if (statement.default_role.has_value()) {
    RETURN_IF_ERROR(
        ChooseDefaultRoles(run, *statement.default_role, statement.default_roles, account));
  }
  return Status::Ok();
}

// A session that was let in to change its expired password is free once it has.
void NotePasswordChanged(StatementRun& run, const AccountKey& key, bool expired_again) {
  if (key == run.session.account() && !expired_again) {
    run.session.set_password_expired(false);
  }
}

}  // namespace

AccountKey ResolveAccount(const StatementRun& run, const AccountName& name) {
  return name.current_user ? run.session.account() : MakeAccountKey(name.user, name.host);
}

std::string QuotedAccounts(const std::vector<AccountKey>& accounts) {
  std::string list;
  for (const AccountKey& key : accounts) {
    list += list.empty() ? "" : ",";
    list += QuotedAccount(key);
  }
  return list;
}

Status ExecuteCreateUser(StatementRun& run) {
  const auto& statement = run.statement.As<CreateUserStmt>();
  std::vector<GeneratedPassword> generated;
  Status changed = ChangeAccounts(run, [&](GrantTables* tables) -> Status {
    Failures failures("CREATE USER");
    for (const UserSpec& spec : statement.users) {
      const AccountKey key = ResolveAccount(run, spec.account);
      RETURN_IF_ERROR(CheckAccountName(key));
      Account account = NewAccount(run, key);
      RETURN_IF_ERROR(ApplyAll(run, spec, statement.options, &account, &generated));
      for (const AccountName& name : statement.default_roles) {
        const AccountKey role = ResolveAccount(run, name);
        if (tables->Find(role) == nullptr) {
          return UserError(ER_USER_DOES_NOT_EXIST, AccountIdentifier(role));
        }
        account.roles.emplace(role, false);
        account.default_roles.insert(role);
      }
      if (tables->Add(std::move(account))) {
        continue;
      }
      if (!statement.if_not_exists) {
        failures.Add(key);
      } else {
        NoteExists(run, key);
        std::erase_if(generated, [&](const auto& one) { return one.account == key; });
      }
    }
    return failures.Outcome();
  });
  RETURN_IF_ERROR(std::move(changed));
  return SendGeneratedPasswords(run, generated);
}

Status ExecuteAlterUser(StatementRun& run) {
  const auto& statement = run.statement.As<AlterUserStmt>();
  std::vector<GeneratedPassword> generated;
  const bool expired_again = ExpiresPassword(statement.options);
  Status changed = ChangeAccounts(run, [&](GrantTables* tables) -> Status {
    Failures failures("ALTER USER");
    for (const UserSpec& spec : statement.users) {
      const AccountKey key = ResolveAccount(run, spec.account);
      Account* account = tables->FindMutable(key);
      if (account != nullptr) {
        RETURN_IF_ERROR(AlterOne(run, statement, spec, account, &generated));
      } else if (statement.if_exists) {
        NoteMissing(run, key);
      } else {
        failures.Add(key);
      }
    }
    return failures.Outcome();
  });
  RETURN_IF_ERROR(std::move(changed));
  for (const UserSpec& spec : statement.users) {
    if (spec.identified) {
      NotePasswordChanged(run, ResolveAccount(run, spec.account), expired_again);
    }
  }
  return SendGeneratedPasswords(run, generated);
}

Status ExecuteDropUser(StatementRun& run) {
  const auto* roles = run.statement.TryAs<DropRoleStmt>();
  const std::vector<AccountName>& names =
      roles != nullptr ? roles->roles : run.statement.As<DropUserStmt>().users;
  const bool if_exists =
      roles != nullptr ? roles->if_exists : run.statement.As<DropUserStmt>().if_exists;
  return ChangeAccounts(run, [&](GrantTables* tables) -> Status {
    Failures failures(roles != nullptr ? "DROP ROLE" : "DROP USER");
    for (const AccountName& name : names) {
      const AccountKey key = ResolveAccount(run, name);
      if (const Account* account = tables->Find(key); account != nullptr) {
        RETURN_IF_ERROR(CheckMayTouch(run, *account));
        tables->Erase(key);
      } else if (if_exists) {
        NoteMissing(run, key);
      } else {
        failures.Add(key);
      }
    }
    return failures.Outcome();
  });
}

Status ExecuteRenameUser(StatementRun& run) {
  const auto& statement = run.statement.As<RenameUserStmt>();
  return ChangeAccounts(run, [&](GrantTables* tables) -> Status {
    Failures failures("RENAME USER");
    for (const auto& [from_name, to_name] : statement.renames) {
      const AccountKey from = ResolveAccount(run, from_name);
      const AccountKey to = ResolveAccount(run, to_name);
      RETURN_IF_ERROR(CheckAccountName(to));
      const Account* account = tables->Find(from);
      if (account == nullptr || tables->Find(to) != nullptr) {
        failures.Add(from);
        continue;
      }
      RETURN_IF_ERROR(CheckMayTouch(run, *account));
      tables->Rename(from, to);
    }
    return failures.Outcome();
  });
}

Status ExecuteCreateRole(StatementRun& run) {
  const auto& statement = run.statement.As<CreateRoleStmt>();
  return ChangeAccounts(run, [&](GrantTables* tables) -> Status {
    Failures failures("CREATE ROLE");
    for (const AccountName& name : statement.roles) {
      const AccountKey key = ResolveAccount(run, name);
      RETURN_IF_ERROR(CheckAccountName(key));
      Account account = NewAccount(run, key);
      account.locked = account.password_expired = true;
      if (tables->Add(std::move(account))) {
        continue;
      }
      if (statement.if_not_exists) {
        NoteExists(run, key);
      } else {
        failures.Add(key);
      }
    }
    return failures.Outcome();
  });
}

Status ExecuteSetPassword(StatementRun& run, const SetItem& item) {
  const AccountKey key =
      item.account.has_value() ? ResolveAccount(run, *item.account) : run.session.account();
  UserSpec spec;
  spec.identified = true;
  spec.password = item.password;
  spec.random_password = item.random_password;
  spec.retain_current_password = item.retain_current_password;
  std::vector<GeneratedPassword> generated;
  RETURN_IF_ERROR(run.session.ImplicitCommit());
  Status changed = ChangeAccounts(run, [&](GrantTables* tables) -> Status {
    Account* account = tables->FindMutable(key);
    if (account == nullptr) {
      return UserError(ER_PASSWORD_NO_MATCH);
    }
    RETURN_IF_ERROR(CheckMayTouch(run, *account));
    RETURN_IF_ERROR(CheckCurrentPassword(run, *account, item.current_password));
    return ApplyCredentials(run, spec, account, &generated);
  });
  RETURN_IF_ERROR(std::move(changed));
  NotePasswordChanged(run, key, false);
  return SendGeneratedPasswords(run, generated);
}

}  // namespace borealis::sql
