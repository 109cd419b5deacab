#include "sql/executor/accounts/account_text.h"

#include <fmt/format.h>

#include "sql/ast/print.h"
#include "sql/executor/show/create_text.h"

namespace borealis::sql {
namespace {

constexpr PrivilegeSet kGrantOption = {Privilege::kGrantOption};

// "GRANT … ON … TO …" and what may follow.
std::string GrantLine(std::string_view what, std::string_view where, const AccountKey& account,
                      bool with_grant_option) {
  return fmt::format("GRANT {} ON {} TO {}{}", what, where, AccountIdentifier(account),
                     with_grant_option ? " WITH GRANT OPTION" : "");
}

// "SELECT, INSERT", "ALL PRIVILEGES" or "USAGE".
std::string PrivilegesText(PrivilegeSet set, PrivilegeLevel level) {
  const PrivilegeSet own = set - kGrantOption;
  if (own.empty()) {
    return "USAGE";
  }
  const bool all = level != PrivilegeLevel::kGlobal && own == PrivilegesAt(level) - kGrantOption;
  return all ? "ALL PRIVILEGES" : PrivilegeList(own);
}

// "SELECT, UPDATE (`a`, `b`)".
std::string TablePrivilegesText(const TableGrant& grant) {
  const PrivilegeSet all = PrivilegesAt(PrivilegeLevel::kTable) - kGrantOption;
  if (grant.columns.empty() || grant.table.HasAll(all)) {
    return PrivilegesText(grant.table, PrivilegeLevel::kTable);
  }
  std::string text;
  for (int i = 0; i < kPrivilegeCount; ++i) {
    const auto privilege = static_cast<Privilege>(i);
    const auto add = [&](const std::string& one) { text += (text.empty() ? "" : ", ") + one; };
    const std::string name(PrivilegeName(privilege));
    if (grant.table.Has(privilege) && privilege != Privilege::kGrantOption) {
      add(name);
    }
    std::string columns;
    for (const auto& [column, privileges] : grant.columns) {
      if (privileges.Has(privilege)) {
        columns += (columns.empty() ? "" : ", ") + QuoteIdentifier(column);
      }
    }
    if (!columns.empty()) {
      add(name + " (" + columns + ")");
    }
  }
  return text;
}

// What the account and the roles named with it hold together, as one account.
Account Together(const GrantTables& tables, const AccountKey& key,
                 const std::set<AccountKey>& roles) {
  const std::vector<const Account*> holders = tables.WithRoles(key, roles);
  Account sum = *holders.front();
  for (const Account* holder : holders) {
    sum.global |= holder->global;
    for (const auto& [name, grantable] : holder->dynamic) {
      sum.dynamic[name] |= grantable;
    }
    for (const auto& [schema, privileges] : holder->schemas) {
      sum.schemas[schema] |= privileges;
    }
    for (const auto& [name, grant] : holder->tables) {
      TableGrant& to = sum.tables[name];
      to.table |= grant.table;
      for (const auto& [column, privileges] : grant.columns) {
        to.columns[column] |= privileges;
      }
    }
  }
  return sum;
}

void AddDynamicLine(const Account& account, bool grantable, std::vector<std::string>* lines) {
  std::string names;
  for (const auto& [name, with_grant_option] : account.dynamic) {
    if (with_grant_option == grantable) {
      names += (names.empty() ? "" : ",") + name;
    }
  }
  if (!names.empty()) {
    lines->push_back(GrantLine(names, "*.*", account.key, grantable));
  }
}

// Names in which a wildcard stands come last, even where it is escaped.
void AddSchemaLines(const Account& account, bool patterns, std::vector<std::string>* lines) {
  for (const auto& [schema, privileges] : account.schemas) {
    if ((schema.find_first_of("%_") != std::string::npos) == patterns) {
      lines->push_back(GrantLine(PrivilegesText(privileges, PrivilegeLevel::kSchema),
                                 QuoteIdentifier(schema) + ".*", account.key,
                                 privileges.HasAll(kGrantOption)));
    }
  }
}

void AddRoleLine(const Account& account, bool admin, std::vector<std::string>* lines) {
  std::string names;
  for (const auto& [role, with_admin_option] : account.roles) {
    if (with_admin_option == admin) {
      names += (names.empty() ? "" : ",") + AccountIdentifier(role);
    }
  }
  if (!names.empty()) {
    lines->push_back(fmt::format("GRANT {} TO {}{}", names, AccountIdentifier(account.key),
                                 admin ? " WITH ADMIN OPTION" : ""));
  }
}

std::string RequireText(const TlsRequirement& tls) {
  switch (tls.kind) {
    case TlsRequirement::Kind::kNone:
      return " REQUIRE NONE";
    case TlsRequirement::Kind::kAny:
      return " REQUIRE SSL";
    case TlsRequirement::Kind::kX509:
      return " REQUIRE X509";
    case TlsRequirement::Kind::kSpecified:
      break;
  }
  std::string text = " REQUIRE";
  const auto add = [&](std::string_view what, const std::string& value) {
    if (!value.empty()) {
      text += fmt::format(" {} {}", what, QuoteLiteral(value));
    }
  };
  add("SUBJECT", tls.subject);
  add("ISSUER", tls.issuer);
  add("CIPHER", tls.cipher);
  return text;
}

std::string LimitsText(const ResourceLimits& limits) {
  std::string text;
  const auto add = [&](std::string_view what, uint32_t value) {
    if (value != 0) {
      text += fmt::format("{} {} {}", text.empty() ? " WITH" : "", what, value);
    }
  };
  add("MAX_QUERIES_PER_HOUR", limits.queries_per_hour);
  add("MAX_UPDATES_PER_HOUR", limits.updates_per_hour);
  add("MAX_CONNECTIONS_PER_HOUR", limits.connections_per_hour);
  add("MAX_USER_CONNECTIONS", limits.user_connections);
  return text;
}

std::string ExpiryText(const Account& account) {
  if (account.password_expired) {
    return " PASSWORD EXPIRE";
  }
  if (!account.policy.lifetime_days.has_value()) {
    return " PASSWORD EXPIRE DEFAULT";
  }
  return *account.policy.lifetime_days == 0
             ? " PASSWORD EXPIRE NEVER"
             : fmt::format(" PASSWORD EXPIRE INTERVAL {} DAY", *account.policy.lifetime_days);
}

std::string PolicyText(const PasswordPolicy& policy) {
  std::string text = policy.reuse_history.has_value()
                         ? fmt::format(" PASSWORD HISTORY {}", *policy.reuse_history)
                         : " PASSWORD HISTORY DEFAULT";
  text += policy.reuse_days.has_value()
              ? fmt::format(" PASSWORD REUSE INTERVAL {} DAY", *policy.reuse_days)
              : " PASSWORD REUSE INTERVAL DEFAULT";
  text += " PASSWORD REQUIRE CURRENT";
  text += !policy.require_current.has_value() ? " DEFAULT"
          : *policy.require_current           ? ""
                                              : " OPTIONAL";
  return text;
}

std::string LockingText(const LoginLocking& locking) {
  std::string text;
  if (locking.attempts != 0) {
    text += fmt::format(" FAILED_LOGIN_ATTEMPTS {}", locking.attempts);
  }
  if (locking.lock_days != 0) {
    text += locking.lock_days < 0 ? " PASSWORD_LOCK_TIME UNBOUNDED"
                                  : fmt::format(" PASSWORD_LOCK_TIME {}", locking.lock_days);
  }
  return text;
}

}  // namespace

std::span<const PrivilegeText> Privileges() {
  static constexpr PrivilegeText kPrivileges[] = {
      {"Alter", "Tables", "To alter the table"},
      {"Alter routine", "Functions,Procedures", "To alter or drop stored functions/procedures"},
      {"Create", "Databases,Tables,Indexes", "To create new databases and tables"},
      {"Create routine", "Databases", "To use CREATE FUNCTION/PROCEDURE"},
      {"Create role", "Server Admin", "To create new roles"},
      {"Create temporary tables", "Databases", "To use CREATE TEMPORARY TABLE"},
      {"Create view", "Tables", "To create new views"},
      {"Create user", "Server Admin", "To create new users"},
      {"Delete", "Tables", "To delete existing rows"},
      {"Drop", "Databases,Tables", "To drop databases, tables, and views"},
      {"Drop role", "Server Admin", "To drop roles"},
      {"Event", "Server Admin", "To create, alter, drop and execute events"},
      {"Execute", "Functions,Procedures", "To execute stored routines"},
      {"File", "File access on server", "To read and write files on the server"},
      {"Grant option", "Databases,Tables,Functions,Procedures",
       "To give to other users those privileges you possess"},
      {"Index", "Tables", "To create or drop indexes"},
      {"Insert", "Tables", "To insert data into tables"},
      {"Lock tables", "Databases", "To use LOCK TABLES (together with SELECT privilege)"},
      {"Process", "Server Admin", "To view the plain text of currently executing queries"},
      {"Proxy", "Server Admin", "To make proxy user possible"},
      {"References", "Databases,Tables", "To have references on tables"},
      {"Reload", "Server Admin", "To reload or refresh tables, logs and privileges"},
      {"Replication client", "Server Admin", "To ask where the slave or master servers are"},
      {"Replication slave", "Server Admin", "To read binary log events from the master"},
      {"Select", "Tables", "To retrieve rows from table"},
      {"Show databases", "Server Admin", "To see all databases with SHOW DATABASES"},
      {"Show view", "Tables", "To see views with SHOW CREATE VIEW"},
      {"Shutdown", "Server Admin", "To shut down the server"},
      {"Super", "Server Admin", "To use KILL thread, SET GLOBAL, CHANGE REPLICATION SOURCE, etc."},
      {"Trigger", "Tables", "To use triggers"},
      {"Create tablespace", "Server Admin", "To create/alter/drop tablespaces"},
      {"Update", "Tables", "To update existing rows"},
      {"Usage", "Server Admin", "No privileges - allow connect only"},
  };
  return kPrivileges;
}

std::string CreateUserText(const Account& account) {
  std::string text = fmt::format("CREATE USER {} IDENTIFIED WITH '{}'",
                                 AccountIdentifier(account.key), account.plugin);
  if (!account.credential.empty()) {
    text += " AS " + QuoteLiteral(account.credential);
  }
  std::string roles;
  for (const AccountKey& role : account.default_roles) {
    roles += (roles.empty() ? " DEFAULT ROLE " : ",") + AccountIdentifier(role);
  }
  text += roles + RequireText(account.tls) + LimitsText(account.limits) + ExpiryText(account);
  text += account.locked ? " ACCOUNT LOCK" : " ACCOUNT UNLOCK";
  text += PolicyText(account.policy) + LockingText(account.locking);
  return account.metadata.empty() ? text : text + " ATTRIBUTE " + QuoteLiteral(account.metadata);
}

std::vector<std::string> GrantTexts(const GrantTables& tables, const AccountKey& key,
                                    const std::set<AccountKey>& roles) {
  const Account account = Together(tables, key, roles);
  std::vector<std::string> lines;
  lines.push_back(GrantLine(PrivilegesText(account.global, PrivilegeLevel::kGlobal), "*.*",
                            account.key, account.global.HasAll(kGrantOption)));
  AddDynamicLine(account, false, &lines);
  AddDynamicLine(account, true, &lines);
  AddSchemaLines(account, /*patterns=*/false, &lines);
  AddSchemaLines(account, /*patterns=*/true, &lines);
  for (const auto& [name, grant] : account.tables) {
    lines.push_back(GrantLine(TablePrivilegesText(grant),
                              QuoteIdentifier(name.first) + "." + QuoteIdentifier(name.second),
                              account.key, grant.table.HasAll(kGrantOption)));
  }
  AddRoleLine(account, false, &lines);
  AddRoleLine(account, true, &lines);
  return lines;
}

}  // namespace borealis::sql
