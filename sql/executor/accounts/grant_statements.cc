// GRANT and REVOKE of privileges, at all levels.
#include <fmt/format.h>

#include <algorithm>

#include "base/mysql_error.h"
#include "sql/catalog/catalog.h"
#include "sql/executor/accounts/account_change.h"
#include "sql/executor/accounts/account_statements.h"
#include "sql/executor/definition/definition_run.h"
#include "sql/session/session.h"

namespace borealis::sql {
namespace {

constexpr PrivilegeSet kGrantOption = {Privilege::kGrantOption};

// What a statement names, checked against the level it names it for.
struct GrantWork {
  PrivilegeLevel level = PrivilegeLevel::kGlobal;  // never kColumn
  std::string schema;
  std::string table;
  bool all = false;         // ALL PRIVILEGES
  PrivilegeSet privileges;  // GRANT OPTION among them
  std::vector<std::string> dynamic;
  std::map<std::string, PrivilegeSet> columns;  // by name as written, then as the table has it
};

Status ResolveTarget(const StatementRun& run, const QualifiedName& target, GrantWork* work) {
  work->schema = target.schema;
  if (target.schema == "*") {
    work->schema.clear();
    return Status::Ok();
  }
  if (target.schema.empty()) {
    if (run.session.database().empty()) {
      return UserError(ER_NO_DB_ERROR);
    }
    work->schema = run.session.database();
  }
  work->level = target.name == "*" ? PrivilegeLevel::kSchema : PrivilegeLevel::kTable;
  work->table = target.name == "*" ? "" : target.name;
  return Status::Ok();
}

Status WrongLevel(PrivilegeLevel level) {
  return level == PrivilegeLevel::kSchema
             ? UserError(ER_WRONG_USAGE, "DB GRANT", "GLOBAL PRIVILEGES")
             : UserError(ER_ILLEGAL_GRANT_FOR_TABLE);
}

Status AddColumns(const PrivilegeSpec& spec, Privilege privilege, GrantWork* work) {
  if (!PrivilegesAt(PrivilegeLevel::kColumn).Has(privilege)) {
    return UserError(ER_PARSE_ERROR, "(" + spec.columns[0] + ")", 1);
  }
  if (work->level != PrivilegeLevel::kTable) {
    return UserError(ER_ILLEGAL_GRANT_FOR_TABLE);
  }
  for (const std::string& column : spec.columns) {
    work->columns[column].Add(privilege);
  }
  return Status::Ok();
}

Status AddPrivilege(const PrivilegeSpec& spec, GrantWork* work) {
  const std::string& name = spec.name;
  if (name == "ALL" || name == "ALL PRIVILEGES") {
    work->all = true;
    work->privileges |= PrivilegesAt(work->level) - kGrantOption;
    if (work->level == PrivilegeLevel::kGlobal) {
      work->dynamic.assign(DynamicPrivileges().begin(), DynamicPrivileges().end());
    }
    return Status::Ok();
  }
  if (name == "USAGE") {
    return Status::Ok();
  }
  if (const auto privilege = FindPrivilege(name); privilege.has_value()) {
    if (!spec.columns.empty()) {
      return AddColumns(spec, *privilege, work);
    }
    if (!PrivilegesAt(work->level).Has(*privilege)) {
      return WrongLevel(work->level);
    }
    work->privileges.Add(*privilege);
    return Status::Ok();
  }
  if (!IsDynamicPrivilege(name)) {
    return UserError(ER_SYNTAX_ERROR);
  }
  if (work->level != PrivilegeLevel::kGlobal) {
    return UserError(ER_ILLEGAL_PRIVILEGE_LEVEL, name);
  }
  work->dynamic.push_back(name);
  return Status::Ok();
}

Result<GrantWork> ResolveWork(const StatementRun& run, const std::vector<PrivilegeSpec>& privileges,
                              GrantObject object, const QualifiedName& target) {
  if (object != GrantObject::kTable) {
    return UserError(ER_SP_DOES_NOT_EXIST,
                     object == GrantObject::kFunction ? "FUNCTION" : "PROCEDURE", target.name);
  }
  GrantWork work;
  RETURN_IF_ERROR(ResolveTarget(run, target, &work));
  for (const PrivilegeSpec& spec : privileges) {
    RETURN_IF_ERROR(AddPrivilege(spec, &work));
  }
  return work;
}

// Only what one has, with GRANT OPTION, can be given or taken.
Status CheckMayGrant(const StatementRun& run, const GrantWork& work) {
  const SecurityContext& security = run.session.security();
  const SessionIdentity& who = run.session.identity();
  if (work.schema == "information_schema") {
    return UserError(ER_DBACCESS_DENIED_ERROR, who.account_user, who.account_host, work.schema);
  }
  if (security.unrestricted() && security.tables() == nullptr) {
    return Status::Ok();
  }
  PrivilegeSet wanted = work.privileges;
  for (const auto& [name, privileges] : work.columns) {
    wanted |= privileges;
  }
  wanted |= work.dynamic.empty() || !wanted.empty() ? kGrantOption : PrivilegeSet();
  const PrivilegeSet held = work.level == PrivilegeLevel::kGlobal ? security.global()
                            : work.level == PrivilegeLevel::kSchema
                                ? security.OnSchema(work.schema)
                                : security.OnTable(work.schema, work.table);
  const PrivilegeSet lacking = wanted - held;
  if (!lacking.empty()) {
    switch (work.level) {
      case PrivilegeLevel::kGlobal:
        return UserError(ER_ACCESS_DENIED_ERROR, who.account_user, who.account_host, "YES");
      case PrivilegeLevel::kSchema:
        return UserError(ER_DBACCESS_DENIED_ERROR, who.account_user, who.account_host, work.schema);
      default:
        return UserError(ER_TABLEACCESS_DENIED_ERROR, DeniedList(lacking), who.account_user,
                         who.host, work.table);
    }
  }
  for (const std::string& name : work.dynamic) {
    const bool may = std::any_of(security.holders().begin(), security.holders().end(),
                                 [&](const Account* holder) {
                                   const auto found = holder->dynamic.find(name);
                                   return found != holder->dynamic.end() && found->second;
                                 });
    if (!may) {
      return UserError(ER_SPECIFIC_ACCESS_DENIED_ERROR, "GRANT OPTION");
    }
  }
  return Status::Ok();
}

// The table must exist unless CREATE is granted on it, and the columns in it, whose own names are
// taken.
Status FindTarget(const StatementRun& run, GrantWork* work) {
  if (work->level != PrivilegeLevel::kTable) {
    return Status::Ok();
  }
  const Result<CatalogEntry> entry = StoredCatalogOf(run).Find(work->schema, work->table);
  if (!entry.ok()) {
    const bool may_come = work->privileges.Has(Privilege::kCreate) && work->columns.empty();
    return may_come ? Status::Ok() : UserError(ER_NO_SUCH_TABLE, work->schema, work->table);
  }
  std::map<std::string, PrivilegeSet> columns;
  for (const auto& [name, privileges] : work->columns) {
    const int found = entry->table->FindColumn(name);
    if (found < 0 || entry->table->columns[static_cast<size_t>(found)].hidden) {
      return UserError(ER_BAD_FIELD_ERROR, name, work->table);
    }
    columns[entry->table->columns[static_cast<size_t>(found)].name] |= privileges;
  }
  work->columns = std::move(columns);
  return Status::Ok();
}

void GrantTo(const StatementRun& run, const GrantWork& work, bool with_grant_option,
             Account* account) {
  PrivilegeSet privileges = work.privileges;
  const bool only_dynamic = privileges.empty() && !work.dynamic.empty();
  if (with_grant_option && !only_dynamic) {
    privileges |= kGrantOption;
  }
  for (const std::string& name : work.dynamic) {
    account->dynamic[name] |= with_grant_option;
  }
  switch (work.level) {
    case PrivilegeLevel::kGlobal:
      account->global |= privileges;
      break;
    case PrivilegeLevel::kSchema:
      if (!privileges.empty()) {
        account->schemas[work.schema] |= privileges;
      }
      break;
    default: {
      if (privileges.empty() && work.columns.empty()) {
        break;
      }
      TableGrant& grant = account->tables[{work.schema, work.table}];
      grant.table |= privileges;
      for (const auto& [name, of_column] : work.columns) {
        grant.columns[name] |= of_column;
      }
      grant.grantor =
          run.session.identity().account_user + "@" + run.session.identity().account_host;
    }
  }
}

// --- REVOKE --------------------------------------------------------------------------------------

Status NoGrant(const GrantWork& work, const AccountKey& key) {
  return work.level == PrivilegeLevel::kTable
             ? UserError(ER_NONEXISTING_TABLE_GRANT, key.user, key.host, work.table)
             : UserError(ER_NONEXISTING_GRANT, key.user, key.host);
}

Status RevokeOnSchema(const GrantWork& work, Account* account) {
  const auto found = account->schemas.find(work.schema);
  const bool held =
      found != account->schemas.end() && (work.all || found->second.HasAll(work.privileges));
  if (!held) {
    return work.privileges.empty() ? Status::Ok() : NoGrant(work, account->key);
  }
  found->second = found->second - work.privileges;
  if (found->second.empty()) {
    account->schemas.erase(found);
  }
  return Status::Ok();
}

// A privilege on the table takes those on its columns along.
Status RevokeOnTable(const GrantWork& work, Account* account) {
  const auto found = account->tables.find({work.schema, work.table});
  if (found == account->tables.end()) {
    return work.privileges.empty() && work.columns.empty() ? Status::Ok()
                                                           : NoGrant(work, account->key);
  }
  TableGrant& grant = found->second;
  if (!work.all && !(grant.table | grant.OfColumns()).HasAll(work.privileges)) {
    return NoGrant(work, account->key);
  }
  for (const auto& [name, privileges] : work.columns) {
    const auto column =
        std::find_if(grant.columns.begin(), grant.columns.end(),
                     [&](const auto& entry) { return SameName(entry.first, name); });
    if (column == grant.columns.end() || !column->second.HasAll(privileges)) {
      return NoGrant(work, account->key);
    }
    column->second = column->second - privileges;
  }
  grant.table = grant.table - work.privileges;
  for (auto& [name, privileges] : grant.columns) {
    privileges = privileges - work.privileges;
  }
  std::erase_if(grant.columns, [](const auto& column) { return column.second.empty(); });
  if (grant.empty()) {
    account->tables.erase(found);
  }
  return Status::Ok();
}

Status RevokeFrom(const GrantWork& work, Account* account) {
  for (const std::string& name : work.dynamic) {
    account->dynamic.erase(name);
  }
  switch (work.level) {
    case PrivilegeLevel::kGlobal:
      account->global = account->global - work.privileges;
      if (work.privileges.Has(Privilege::kGrantOption)) {
        for (auto& [name, grantable] : account->dynamic) {
          grantable = false;
        }
      }
      return Status::Ok();
    case PrivilegeLevel::kSchema:
      return RevokeOnSchema(work, account);
    default:
      return RevokeOnTable(work, account);
  }
}

void Warn(StatementRun& run, const Status& status) {
  run.session.diagnostics().AddWarning(row::WarningLevel::kWarning, status.user_errno(),
                                       std::string(status.message()));
}

void WarnUnknownUser(StatementRun& run, const AccountKey& key) {
  Warn(run, UserError(ER_USER_DOES_NOT_EXIST, key.user));
}

// REVOKE ALL PRIVILEGES, GRANT OPTION: at all levels; roles stay.
Status RevokeEverything(StatementRun& run, const RevokeStmt& statement) {
  return ChangeAccounts(run, [&](GrantTables* tables) -> Status {
    for (const AccountName& name : statement.users) {
      const AccountKey key = ResolveAccount(run, name);
      Account* account = tables->FindMutable(key);
      if (account == nullptr) {
        if (!statement.ignore_unknown_user) {
          return UserError(ER_REVOKE_GRANTS);
        }
        WarnUnknownUser(run, key);
        continue;
      }
      account->global = PrivilegeSet();
      account->dynamic.clear();
      account->schemas.clear();
      account->tables.clear();
    }
    return Status::Ok();
  });
}

Status RevokePrivileges(StatementRun& run, const RevokeStmt& statement) {
  Result<GrantWork> resolved =
      ResolveWork(run, statement.privileges, statement.object, statement.target);
  if (!resolved.ok() && statement.if_exists &&
      resolved.status().user_errno() == ER_SYNTAX_ERROR) {  // a privilege nobody knows
    Warn(run, resolved.status());
    return Status::Ok();
  }
  ASSIGN_OR_RETURN(const GrantWork work, std::move(resolved));
  RETURN_IF_ERROR(CheckMayGrant(run, work));
  return ChangeAccounts(run, [&](GrantTables* tables) -> Status {
    for (const AccountName& name : statement.users) {
      const AccountKey key = ResolveAccount(run, name);
      Account* account = tables->FindMutable(key);
      if (account == nullptr && statement.ignore_unknown_user) {
        WarnUnknownUser(run, key);
        continue;
      }
      Status status = account == nullptr ? NoGrant(work, key) : RevokeFrom(work, account);
      if (!status.ok()) {
        if (!statement.if_exists || account == nullptr) {
          return status;
        }
        Warn(run, status);
      }
    }
    return Status::Ok();
  });
}

}  // namespace

Status ExecuteGrant(StatementRun& run) {
  const auto& statement = run.statement.As<GrantStmt>();
  if (statement.proxy.has_value()) {
    return UserError(ER_NOT_SUPPORTED_YET, "GRANT PROXY");
  }
  if (!statement.roles.empty()) {
    return GrantRoles(run, statement);
  }
  for (const UserSpec& user : statement.users) {
    if (user.identified) {
      return UserError(ER_PARSE_ERROR, "IDENTIFIED", 1);
    }
  }
  ASSIGN_OR_RETURN(GrantWork work,
                   ResolveWork(run, statement.privileges, statement.object, statement.target));
  RETURN_IF_ERROR(CheckMayGrant(run, work));
  RETURN_IF_ERROR(FindTarget(run, &work));
  return ChangeAccounts(run, [&](GrantTables* tables) -> Status {
    for (const UserSpec& user : statement.users) {
      Account* account = tables->FindMutable(ResolveAccount(run, user.account));
      if (account == nullptr) {
        return UserError(ER_CANT_CREATE_USER_WITH_GRANT);
      }
      GrantTo(run, work, statement.with_grant_option, account);
    }
    return Status::Ok();
  });
}

Status ExecuteRevoke(StatementRun& run) {
  const auto& statement = run.statement.As<RevokeStmt>();
  if (statement.proxy.has_value()) {
    return UserError(ER_NOT_SUPPORTED_YET, "REVOKE PROXY");
  }
  if (statement.all_and_grant_option) {
    return RevokeEverything(run, statement);
  }
  return statement.roles.empty() ? RevokePrivileges(run, statement) : RevokeRoles(run, statement);
}

}  // namespace borealis::sql
