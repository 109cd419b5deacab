#include "sql/accounts/privilege.h"

#include <algorithm>

namespace borealis::sql {
namespace {

struct Description {
  std::string_view name;
  std::string_view column;
  std::string_view member;
  PrivilegeLevel finest;  // the finest level at which it can be granted
};

using Level = PrivilegeLevel;

// By Privilege.
constexpr Description kDescriptions[kPrivilegeCount] = {
    {"SELECT", "Select_priv", "Select", Level::kColumn},
    {"INSERT", "Insert_priv", "Insert", Level::kColumn},
    {"UPDATE", "Update_priv", "Update", Level::kColumn},
    {"DELETE", "Delete_priv", "Delete", Level::kTable},
    {"CREATE", "Create_priv", "Create", Level::kTable},
    {"DROP", "Drop_priv", "Drop", Level::kTable},
    {"RELOAD", "Reload_priv", "", Level::kGlobal},
    {"SHUTDOWN", "Shutdown_priv", "", Level::kGlobal},
    {"PROCESS", "Process_priv", "", Level::kGlobal},
    {"FILE", "File_priv", "", Level::kGlobal},
    {"REFERENCES", "References_priv", "References", Level::kColumn},
    {"INDEX", "Index_priv", "Index", Level::kTable},
    {"ALTER", "Alter_priv", "Alter", Level::kTable},
    {"SHOW DATABASES", "Show_db_priv", "", Level::kGlobal},
    {"SUPER", "Super_priv", "", Level::kGlobal},
    {"CREATE TEMPORARY TABLES", "Create_tmp_table_priv", "", Level::kSchema},
    {"LOCK TABLES", "Lock_tables_priv", "", Level::kSchema},
    {"EXECUTE", "Execute_priv", "", Level::kSchema},
    {"REPLICATION SLAVE", "Repl_slave_priv", "", Level::kGlobal},
    {"REPLICATION CLIENT", "Repl_client_priv", "", Level::kGlobal},
    {"CREATE VIEW", "Create_view_priv", "Create View", Level::kTable},
    {"SHOW VIEW", "Show_view_priv", "Show view", Level::kTable},
    {"CREATE ROUTINE", "Create_routine_priv", "", Level::kSchema},
    {"ALTER ROUTINE", "Alter_routine_priv", "", Level::kSchema},
    {"CREATE USER", "Create_user_priv", "", Level::kGlobal},
    {"EVENT", "Event_priv", "", Level::kSchema},
    {"TRIGGER", "Trigger_priv", "Trigger", Level::kTable},
    {"CREATE TABLESPACE", "Create_tablespace_priv", "", Level::kGlobal},
    {"CREATE ROLE", "Create_role_priv", "", Level::kGlobal},
    {"DROP ROLE", "Drop_role_priv", "", Level::kGlobal},
    {"GRANT OPTION", "Grant_priv", "Grant", Level::kTable},
};

constexpr std::string_view kDynamic[] = {
    "APPLICATION_PASSWORD_ADMIN",
    "AUDIT_ABORT_EXEMPT",
    "AUDIT_ADMIN",
    "AUTHENTICATION_POLICY_ADMIN",
    "BACKUP_ADMIN",
    "BINLOG_ADMIN",
    "BINLOG_ENCRYPTION_ADMIN",
    "CLONE_ADMIN",
    "CONNECTION_ADMIN",
    "ENCRYPTION_KEY_ADMIN",
    "FIREWALL_EXEMPT",
    "FLUSH_OPTIMIZER_COSTS",
    "FLUSH_STATUS",
    "FLUSH_TABLES",
    "FLUSH_USER_RESOURCES",
    "GROUP_REPLICATION_ADMIN",
    "GROUP_REPLICATION_STREAM",
    "INNODB_REDO_LOG_ARCHIVE",
    "INNODB_REDO_LOG_ENABLE",
    "PASSWORDLESS_USER_ADMIN",
    "PERSIST_RO_VARIABLES_ADMIN",
    "REPLICATION_APPLIER",
    "REPLICATION_SLAVE_ADMIN",
    "RESOURCE_GROUP_ADMIN",
    "RESOURCE_GROUP_USER",
    "ROLE_ADMIN",
    "SENSITIVE_VARIABLES_OBSERVER",
    "SERVICE_CONNECTION_ADMIN",
    "SESSION_VARIABLES_ADMIN",
    "SET_USER_ID",
    "SHOW_ROUTINE",
    "SYSTEM_USER",
    "SYSTEM_VARIABLES_ADMIN",
    "TABLE_ENCRYPTION_ADMIN",
    "TELEMETRY_LOG_ADMIN",
    "XA_RECOVER_ADMIN",
};

const Description& Describe(Privilege privilege) {
  return kDescriptions[static_cast<int>(privilege)];
}

void AppendName(std::string* list, std::string_view name, std::string_view between = ", ") {
  if (!list->empty()) {
    *list += between;
  }
  *list += name;
}

}  // namespace

PrivilegeSet PrivilegesAt(PrivilegeLevel level) {
  PrivilegeSet set;
  for (int i = 0; i < kPrivilegeCount; ++i) {
    if (kDescriptions[i].finest >= level) {
      set.Add(static_cast<Privilege>(i));
    }
  }
  return set;
}

std::string_view PrivilegeName(Privilege privilege) {
  return Describe(privilege).name;
}

std::optional<Privilege> FindPrivilege(std::string_view name) {
  for (int i = 0; i < kPrivilegeCount; ++i) {
    if (kDescriptions[i].name == name) {
      return static_cast<Privilege>(i);
    }
  }
  return std::nullopt;
}

std::string_view PrivilegeColumn(Privilege privilege) {
  return Describe(privilege).column;
}

std::string_view PrivilegeMember(Privilege privilege) {
  return Describe(privilege).member;
}

std::string PrivilegeList(PrivilegeSet set, std::string_view between) {
  std::string list;
  set.Remove(Privilege::kGrantOption);
  for (int i = 0; i < kPrivilegeCount; ++i) {
    if (set.Has(static_cast<Privilege>(i))) {
      AppendName(&list, kDescriptions[i].name, between);
    }
  }
  return list;
}

std::string DeniedList(PrivilegeSet set) {
  // Messages have GRANT where mysql.user has its column: after FILE.
  std::string list;
  for (int i = 0; i < kPrivilegeCount; ++i) {
    const auto privilege = static_cast<Privilege>(i);
    if (privilege == Privilege::kReferences && set.Has(Privilege::kGrantOption)) {
      AppendName(&list, "GRANT");
    }
    if (privilege != Privilege::kGrantOption && set.Has(privilege)) {
      AppendName(&list, kDescriptions[i].name);
    }
  }
  return list;
}

std::span<const std::string_view> DynamicPrivileges() {
  return kDynamic;
}

bool IsDynamicPrivilege(std::string_view upper_name) {
  return std::binary_search(std::begin(kDynamic), std::end(kDynamic), upper_name);
}

}  // namespace borealis::sql
