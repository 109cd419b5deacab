// information_schema tables that describe accounts, privileges and roles.
//
// Who may read mysql.user sees all accounts; everybody sees the own and the active roles'.
#include "sql/executor/tables/system_rows.h"
#include "sql/session/session.h"

namespace borealis::sql {
namespace {

// All but GRANT OPTION, which is a column of its own.
std::vector<Privilege> Members(PrivilegeSet set) {
  std::vector<Privilege> list;
  for (int i = 0; i < kPrivilegeCount; ++i) {
    const auto privilege = static_cast<Privilege>(i);
    if (set.Has(privilege) && privilege != Privilege::kGrantOption) {
      list.push_back(privilege);
    }
  }
  return list;
}

// The accounts whose privileges the session may see.
std::vector<const Account*> VisibleAccounts(const Session& session) {
  const SecurityContext& security = session.security();
  std::vector<const Account*> list;
  if (security.tables() == nullptr) {
    return list;
  }
  if (!security.OnTable("mysql", "user").Has(Privilege::kSelect)) {
    return security.holders();
  }
  for (const auto& [key, account] : security.tables()->accounts()) {
    list.push_back(&account);
  }
  return list;
}

std::vector<std::string_view> Names(PrivilegeSet set) {
  std::vector<std::string_view> names;
  for (const Privilege privilege : Members(set)) {
    names.push_back(PrivilegeName(privilege));
  }
  return names;
}

// One row for each of `privileges` in a table that begins with GRANTEE and TABLE_CATALOG and ends
// with PRIVILEGE_TYPE and IS_GRANTABLE; `names` are between.
Status AddPrivileges(SystemRows& rows, const Account& account,
                     std::initializer_list<std::string_view> names,
                     const std::vector<std::string_view>& privileges, bool grantable) {
  for (const std::string_view privilege : privileges) {
    SystemRow row = rows.NewRow();
    row.Text(QuotedAccount(account.key)).Text("def");
    for (const std::string_view name : names) {
      row.Text(name);
    }
    RETURN_IF_ERROR(rows.Add(row.Text(privilege).YesNo(grantable)));
  }
  return Status::Ok();
}

constexpr std::string_view kUserPrivileges =
    "GRANTEE varchar(292) NOT NULL DEFAULT '', TABLE_CATALOG varchar(512) NOT NULL DEFAULT '', "
    "PRIVILEGE_TYPE varchar(64) NOT NULL DEFAULT '', IS_GRANTABLE varchar(3) NOT NULL DEFAULT ''";

Status ScanUserPrivileges(SystemRows& rows) {
  for (const Account* account : VisibleAccounts(rows.session())) {
    std::vector<std::string_view> held = Names(account->global);
    if (held.empty() && account->dynamic.empty()) {
      held.push_back("USAGE");
    }
    const bool grantable = account->global.Has(Privilege::kGrantOption);
    RETURN_IF_ERROR(AddPrivileges(rows, *account, {}, held, grantable));
    for (const auto& [name, with_grant_option] : account->dynamic) {
      RETURN_IF_ERROR(AddPrivileges(rows, *account, {}, {name}, with_grant_option));
    }
  }
  return Status::Ok();
}

constexpr std::string_view kSchemaPrivileges =
    "GRANTEE varchar(292) NOT NULL DEFAULT '', TABLE_CATALOG varchar(512) NOT NULL DEFAULT '', "
    "TABLE_SCHEMA varchar(64) NOT NULL DEFAULT '', PRIVILEGE_TYPE varchar(64) NOT NULL DEFAULT "
    "'', IS_GRANTABLE varchar(3) NOT NULL DEFAULT ''";

Status ScanSchemaPrivileges(SystemRows& rows) {
  for (const Account* account : VisibleAccounts(rows.session())) {
    for (const auto& [schema, privileges] : account->schemas) {
      std::vector<std::string_view> held = Names(privileges);
      if (held.empty()) {
        held.push_back("USAGE");
      }
      const bool grantable = privileges.Has(Privilege::kGrantOption);
      RETURN_IF_ERROR(AddPrivileges(rows, *account, {schema}, held, grantable));
    }
  }
  return Status::Ok();
}

constexpr std::string_view kTablePrivileges =
    "GRANTEE varchar(292) NOT NULL DEFAULT '', TABLE_CATALOG varchar(512) NOT NULL DEFAULT '', "
    "TABLE_SCHEMA varchar(64) NOT NULL DEFAULT '', TABLE_NAME varchar(64) NOT NULL DEFAULT '', "
    "PRIVILEGE_TYPE varchar(64) NOT NULL DEFAULT '', IS_GRANTABLE varchar(3) NOT NULL DEFAULT ''";

Status ScanTablePrivileges(SystemRows& rows) {
  for (const Account* account : VisibleAccounts(rows.session())) {
    for (const auto& [name, grant] : account->tables) {
      const bool grantable = grant.table.Has(Privilege::kGrantOption);
      RETURN_IF_ERROR(
          AddPrivileges(rows, *account, {name.first, name.second}, Names(grant.table), grantable));
    }
  }
  return Status::Ok();
}

constexpr std::string_view kColumnPrivileges =
    "GRANTEE varchar(292) NOT NULL DEFAULT '', TABLE_CATALOG varchar(512) NOT NULL DEFAULT '', "
    "TABLE_SCHEMA varchar(64) NOT NULL DEFAULT '', TABLE_NAME varchar(64) NOT NULL DEFAULT '', "
    "COLUMN_NAME varchar(64) NOT NULL DEFAULT '', PRIVILEGE_TYPE varchar(64) NOT NULL DEFAULT '', "
    "IS_GRANTABLE varchar(3) NOT NULL DEFAULT ''";

Status ScanColumnPrivileges(SystemRows& rows) {
  for (const Account* account : VisibleAccounts(rows.session())) {
    for (const auto& [name, grant] : account->tables) {
      const bool grantable = grant.table.Has(Privilege::kGrantOption);
      for (const auto& [column, privileges] : grant.columns) {
        RETURN_IF_ERROR(AddPrivileges(rows, *account, {name.first, name.second, column},
                                      Names(privileges), grantable));
      }
    }
  }
  return Status::Ok();
}

// --- roles ---------------------------------------------------------------------------------------

// One edge from an account or role that the session has to a role granted to it.
struct Edge {
  const Account* to;
  AccountKey role;
  bool admin;
};

std::vector<Edge> ReachableEdges(const Session& session, const std::set<AccountKey>& from) {
  const SecurityContext& security = session.security();
  std::vector<Edge> edges;
  if (security.tables() == nullptr) {
    return edges;
  }
  for (const Account* account : security.tables()->WithRoles(session.account(), from)) {
    for (const auto& [role, admin] : account->roles) {
      edges.push_back({account, role, admin});
    }
  }
  return edges;
}

// All roles that the session's account could activate.
std::set<AccountKey> GrantedRoles(const Session& session) {
  std::set<AccountKey> roles;
  const std::vector<const Account*>& holders = session.security().holders();
  if (!holders.empty()) {
    for (const auto& [role, admin] : holders.front()->roles) {
      roles.insert(role);
    }
  }
  return roles;
}

bool IsDefaultRole(const Session& session, const AccountKey& role) {
  const std::vector<const Account*>& holders = session.security().holders();
  return !holders.empty() && holders.front()->default_roles.contains(role);
}

constexpr std::string_view kApplicableRoles =
    "USER varchar(97), HOST varchar(256), GRANTEE varchar(97) COLLATE utf8mb4_0900_ai_ci, "
    "GRANTEE_HOST varchar(256) COLLATE utf8mb4_0900_ai_ci, ROLE_NAME varchar(255) COLLATE "
    "utf8mb4_0900_ai_ci, ROLE_HOST varchar(256) COLLATE utf8mb4_0900_ai_ci, IS_GRANTABLE "
    "varchar(3) NOT NULL DEFAULT '', IS_DEFAULT varchar(3), IS_MANDATORY varchar(3) NOT NULL "
    "DEFAULT ''";

Status AddApplicable(SystemRows& rows, bool only_administrable) {
  const Session& session = rows.session();
  const AccountKey own = session.account();
  for (const Edge& edge : ReachableEdges(session, GrantedRoles(session))) {
    if (only_administrable && !edge.admin) {
      continue;
    }
    SystemRow row = rows.NewRow();
    row.Text(own.user).Text(own.host).Text(edge.to->key.user).Text(edge.to->key.host);
    row.Text(edge.role.user).Text(edge.role.host).YesNo(edge.admin);
    RETURN_IF_ERROR(rows.Add(row.YesNo(IsDefaultRole(session, edge.role)).YesNo(false)));
  }
  return Status::Ok();
}

Status ScanApplicableRoles(SystemRows& rows) {
  return AddApplicable(rows, false);
}
Status ScanAdministrableRoles(SystemRows& rows) {
  return AddApplicable(rows, true);
}

constexpr std::string_view kEnabledRoles =
    "ROLE_NAME varchar(255) COLLATE utf8mb4_0900_ai_ci, ROLE_HOST varchar(255) COLLATE "
    "utf8mb4_0900_ai_ci, IS_DEFAULT varchar(3), IS_MANDATORY varchar(3) NOT NULL DEFAULT ''";

Status ScanEnabledRoles(SystemRows& rows) {
  const Session& session = rows.session();
  for (const AccountKey& role : session.active_roles()) {
    SystemRow row = rows.NewRow();
    row.Text(role.user).Text(role.host).YesNo(IsDefaultRole(session, role)).YesNo(false);
    RETURN_IF_ERROR(rows.Add(row));
  }
  return Status::Ok();
}

constexpr std::string_view kRoleTableGrants =
    "GRANTOR varchar(97), GRANTOR_HOST varchar(256), GRANTEE char(32) BIN NOT NULL DEFAULT '', "
    "GRANTEE_HOST char(255) COLLATE ascii_general_ci NOT NULL DEFAULT '', TABLE_CATALOG "
    "varchar(3) NOT NULL DEFAULT '', TABLE_SCHEMA char(64) BIN NOT NULL DEFAULT '', TABLE_NAME "
    "char(64) BIN NOT NULL DEFAULT '', PRIVILEGE_TYPE set('Select','Insert','Update','Delete',"
    "'Create','Drop','Grant','References','Index','Alter','Create View','Show view','Trigger') "
    "NOT NULL, IS_GRANTABLE varchar(3) NOT NULL DEFAULT ''";

constexpr std::string_view kRoleColumnGrants =
    "GRANTOR varchar(97), GRANTOR_HOST varchar(256), GRANTEE char(32) BIN NOT NULL DEFAULT '', "
    "GRANTEE_HOST char(255) COLLATE ascii_general_ci NOT NULL DEFAULT '', TABLE_CATALOG "
    "varchar(3) NOT NULL DEFAULT '', TABLE_SCHEMA char(64) BIN NOT NULL DEFAULT '', TABLE_NAME "
    "char(64) BIN NOT NULL DEFAULT '', COLUMN_NAME char(64) BIN NOT NULL DEFAULT '', "
    "PRIVILEGE_TYPE set('Select','Insert','Update','References') NOT NULL, IS_GRANTABLE "
    "varchar(3) NOT NULL DEFAULT ''";

std::string MemberList(PrivilegeSet set) {
  std::string list;
  for (const Privilege privilege : Members(set)) {
    list += (list.empty() ? "" : ",") + std::string(PrivilegeMember(privilege));
  }
  return list;
}

// The first columns of both tables, of a role that is active.
SystemRow RoleGrantRow(SystemRows& rows, const Account& role,
                       const std::pair<std::string, std::string>& name, const TableGrant& grant) {
  const size_t at = grant.grantor.rfind('@');
  SystemRow row = rows.NewRow();
  row.Text(grant.grantor.substr(0, at));
  row.Text(at == std::string::npos ? "" : grant.grantor.substr(at + 1));
  row.Text(role.key.user).Text(role.key.host).Text("def").Text(name.first).Text(name.second);
  return row;
}

Status ScanRoleTableGrants(SystemRows& rows) {
  const std::vector<const Account*>& holders = rows.session().security().holders();
  for (size_t i = 1; i < holders.size(); ++i) {
    for (const auto& [name, grant] : holders[i]->tables) {
      if (Members(grant.table).empty()) {
        continue;
      }
      SystemRow row = RoleGrantRow(rows, *holders[i], name, grant);
      row.Text(MemberList(grant.table)).YesNo(grant.table.Has(Privilege::kGrantOption));
      RETURN_IF_ERROR(rows.Add(row));
    }
  }
  return Status::Ok();
}

Status ScanRoleColumnGrants(SystemRows& rows) {
  const std::vector<const Account*>& holders = rows.session().security().holders();
  for (size_t i = 1; i < holders.size(); ++i) {
    for (const auto& [name, grant] : holders[i]->tables) {
      for (const auto& [column, privileges] : grant.columns) {
        SystemRow row = RoleGrantRow(rows, *holders[i], name, grant);
        row.Text(column).Text(MemberList(privileges));
        RETURN_IF_ERROR(rows.Add(row.YesNo(grant.table.Has(Privilege::kGrantOption))));
      }
    }
  }
  return Status::Ok();
}

constexpr std::string_view kUserAttributes =
    "USER char(32) BIN NOT NULL DEFAULT '', HOST char(255) COLLATE ascii_general_ci NOT NULL "
    "DEFAULT '', ATTRIBUTE longtext COLLATE utf8mb4_bin";

Status ScanUserAttributes(SystemRows& rows) {
  for (const Account* account : VisibleAccounts(rows.session())) {
    SystemRow row = rows.NewRow();
    row.Text(account->key.user).Text(account->key.host);
    row.TextOrNull(account->metadata.empty() ? std::nullopt : std::optional(account->metadata));
    RETURN_IF_ERROR(rows.Add(row));
  }
  return Status::Ok();
}

constexpr std::string_view kInformation = "information_schema";

}  // namespace

std::vector<SystemTableDefinition> PrivilegeSystemTables() {
  return {
      {kInformation, "USER_PRIVILEGES", kUserPrivileges, ScanUserPrivileges},
      {kInformation, "SCHEMA_PRIVILEGES", kSchemaPrivileges, ScanSchemaPrivileges},
      {kInformation, "TABLE_PRIVILEGES", kTablePrivileges, ScanTablePrivileges},
      {kInformation, "COLUMN_PRIVILEGES", kColumnPrivileges, ScanColumnPrivileges},
      {kInformation, "APPLICABLE_ROLES", kApplicableRoles, ScanApplicableRoles},
      {kInformation, "ADMINISTRABLE_ROLE_AUTHORIZATIONS", kApplicableRoles, ScanAdministrableRoles},
      {kInformation, "ENABLED_ROLES", kEnabledRoles, ScanEnabledRoles},
      {kInformation, "ROLE_TABLE_GRANTS", kRoleTableGrants, ScanRoleTableGrants},
      {kInformation, "ROLE_COLUMN_GRANTS", kRoleColumnGrants, ScanRoleColumnGrants},
      {kInformation, "USER_ATTRIBUTES", kUserAttributes, ScanUserAttributes},
  };
}

}  // namespace borealis::sql
