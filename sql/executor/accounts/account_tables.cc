// The definitions of the account tables (grant_rows.h): MySQL 8.0's.
#include <string>

#include "sql/accounts/privilege.h"
#include "sql/executor/accounts/grant_rows.h"

namespace borealis::sql {
namespace {

// Y/N columns for the privileges that `level` has, those from CREATE ROLE on apart: mysql.user got
// them later and has them near its end.
std::string PrivilegeColumns(PrivilegeLevel level, bool roles) {
  // GRANT stands after FILE or, without that, after DROP.
  std::string text;
  const auto add = [&](Privilege privilege) {
    text += std::string(PrivilegeColumn(privilege)) +
            " enum('N','Y') COLLATE utf8mb3_general_ci NOT NULL DEFAULT 'N', ";
  };
  const PrivilegeSet set = PrivilegesAt(level);
  for (int i = 0; i < kPrivilegeCount; ++i) {
    const auto privilege = static_cast<Privilege>(i);
    const bool of_roles = privilege == Privilege::kCreateRole || privilege == Privilege::kDropRole;
    if (privilege == Privilege::kReferences && !roles) {
      add(Privilege::kGrantOption);
    }
    if (set.Has(privilege) && privilege != Privilege::kGrantOption && of_roles == roles) {
      add(privilege);
    }
  }
  return text;
}

const std::string& UserColumns() {
  static const std::string text =
      "Host char(255) CHARACTER SET ascii COLLATE ascii_general_ci NOT NULL DEFAULT '', "
      "User char(32) COLLATE utf8mb3_bin NOT NULL DEFAULT '', " +
      PrivilegeColumns(PrivilegeLevel::kGlobal, false) +
      "ssl_type enum('','ANY','X509','SPECIFIED') COLLATE utf8mb3_general_ci NOT NULL DEFAULT '', "
      "ssl_cipher blob NOT NULL, x509_issuer blob NOT NULL, x509_subject blob NOT NULL, "
      "max_questions int unsigned NOT NULL DEFAULT 0, max_updates int unsigned NOT NULL DEFAULT 0, "
      "max_connections int unsigned NOT NULL DEFAULT 0, "
      "max_user_connections int unsigned NOT NULL DEFAULT 0, "
      "plugin char(64) COLLATE utf8mb3_bin NOT NULL DEFAULT 'caching_sha2_password', "
      "authentication_string text COLLATE utf8mb3_bin, "
      "password_expired enum('N','Y') COLLATE utf8mb3_general_ci NOT NULL DEFAULT 'N', "
      "password_last_changed timestamp NULL DEFAULT NULL, "
      "password_lifetime smallint unsigned DEFAULT NULL, "
      "account_locked enum('N','Y') COLLATE utf8mb3_general_ci NOT NULL DEFAULT 'N', " +
      PrivilegeColumns(PrivilegeLevel::kGlobal, true) +
      "Password_reuse_history smallint unsigned DEFAULT NULL, "
      "Password_reuse_time smallint unsigned DEFAULT NULL, "
      "Password_require_current enum('N','Y') COLLATE utf8mb3_general_ci DEFAULT NULL, "
      "User_attributes json DEFAULT NULL, PRIMARY KEY (Host, User)";
  return text;
}

const std::string& DbColumns() {
  static const std::string text =
      "Host char(255) CHARACTER SET ascii COLLATE ascii_general_ci NOT NULL DEFAULT '', "
      "Db char(64) COLLATE utf8mb3_bin NOT NULL DEFAULT '', "
      "User char(32) COLLATE utf8mb3_bin NOT NULL DEFAULT '', " +
      PrivilegeColumns(PrivilegeLevel::kSchema, false) +
      "PRIMARY KEY (Host, User, Db), KEY User (User)";
  return text;
}

constexpr std::string_view kTablesPriv =
    "Host char(255) CHARACTER SET ascii COLLATE ascii_general_ci NOT NULL DEFAULT '', "
    "Db char(64) COLLATE utf8mb3_bin NOT NULL DEFAULT '', "
    "User char(32) COLLATE utf8mb3_bin NOT NULL DEFAULT '', "
    "Table_name char(64) COLLATE utf8mb3_bin NOT NULL DEFAULT '', "
    "Grantor varchar(288) COLLATE utf8mb3_bin NOT NULL DEFAULT '', "
    "Timestamp timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP, "
    "Table_priv set('Select','Insert','Update','Delete','Create','Drop','Grant','References',"
    "'Index','Alter','Create View','Show view','Trigger') COLLATE utf8mb3_general_ci NOT NULL "
    "DEFAULT '', "
    "Column_priv set('Select','Insert','Update','References') COLLATE utf8mb3_general_ci NOT NULL "
    "DEFAULT '', PRIMARY KEY (Host, User, Db, Table_name), KEY Grantor (Grantor)";

constexpr std::string_view kColumnsPriv =
    "Host char(255) CHARACTER SET ascii COLLATE ascii_general_ci NOT NULL DEFAULT '', "
    "Db char(64) COLLATE utf8mb3_bin NOT NULL DEFAULT '', "
    "User char(32) COLLATE utf8mb3_bin NOT NULL DEFAULT '', "
    "Table_name char(64) COLLATE utf8mb3_bin NOT NULL DEFAULT '', "
    "Column_name char(64) COLLATE utf8mb3_bin NOT NULL DEFAULT '', "
    "Timestamp timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP, "
    "Column_priv set('Select','Insert','Update','References') COLLATE utf8mb3_general_ci NOT NULL "
    "DEFAULT '', PRIMARY KEY (Host, User, Db, Table_name, Column_name)";

constexpr std::string_view kProcsPriv =
    "Host char(255) CHARACTER SET ascii COLLATE ascii_general_ci NOT NULL DEFAULT '', "
    "Db char(64) COLLATE utf8mb3_bin NOT NULL DEFAULT '', "
    "User char(32) COLLATE utf8mb3_bin NOT NULL DEFAULT '', "
    "Routine_name char(64) COLLATE utf8mb3_general_ci NOT NULL DEFAULT '', "
    "Routine_type enum('FUNCTION','PROCEDURE') COLLATE utf8mb3_bin NOT NULL, "
    "Grantor varchar(288) COLLATE utf8mb3_bin NOT NULL DEFAULT '', "
    "Proc_priv set('Execute','Alter Routine','Grant') COLLATE utf8mb3_general_ci NOT NULL DEFAULT "
    "'', Timestamp timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP, "
    "PRIMARY KEY (Host, User, Db, Routine_name, Routine_type), KEY Grantor (Grantor)";

constexpr std::string_view kGlobalGrants =
    "USER char(32) COLLATE utf8mb3_bin NOT NULL DEFAULT '', "
    "HOST char(255) CHARACTER SET ascii COLLATE ascii_general_ci NOT NULL DEFAULT '', "
    "PRIV char(32) COLLATE utf8mb3_general_ci NOT NULL DEFAULT '', "
    "WITH_GRANT_OPTION enum('N','Y') COLLATE utf8mb3_general_ci NOT NULL DEFAULT 'N', "
    "PRIMARY KEY (USER, HOST, PRIV)";

constexpr std::string_view kRoleEdges =
    "FROM_HOST char(255) CHARACTER SET ascii COLLATE ascii_general_ci NOT NULL DEFAULT '', "
    "FROM_USER char(32) COLLATE utf8mb3_bin NOT NULL DEFAULT '', "
    "TO_HOST char(255) CHARACTER SET ascii COLLATE ascii_general_ci NOT NULL DEFAULT '', "
    "TO_USER char(32) COLLATE utf8mb3_bin NOT NULL DEFAULT '', "
    "WITH_ADMIN_OPTION enum('N','Y') COLLATE utf8mb3_general_ci NOT NULL DEFAULT 'N', "
    "PRIMARY KEY (FROM_HOST, FROM_USER, TO_HOST, TO_USER)";

constexpr std::string_view kDefaultRoles =
    "HOST char(255) CHARACTER SET ascii COLLATE ascii_general_ci NOT NULL DEFAULT '', "
    "USER char(32) COLLATE utf8mb3_bin NOT NULL DEFAULT '', "
    "DEFAULT_ROLE_HOST char(255) CHARACTER SET ascii COLLATE ascii_general_ci NOT NULL DEFAULT "
    "'%', DEFAULT_ROLE_USER char(32) COLLATE utf8mb3_bin NOT NULL DEFAULT '', "
    "PRIMARY KEY (HOST, USER, DEFAULT_ROLE_HOST, DEFAULT_ROLE_USER)";

constexpr std::string_view kPasswordHistory =
    "Host char(255) CHARACTER SET ascii COLLATE ascii_general_ci NOT NULL DEFAULT '', "
    "User char(32) COLLATE utf8mb3_bin NOT NULL DEFAULT '', "
    "Password_timestamp timestamp(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6), "
    "Password text COLLATE utf8mb3_bin, PRIMARY KEY (Host, User, Password_timestamp DESC)";

}  // namespace

std::span<const AccountTable> AccountTables() {
  static const AccountTable tables[] = {
      {"user", UserColumns(), "Users and global privileges"},
      {"db", DbColumns(), "Database privileges"},
      {"tables_priv", kTablesPriv, "Table privileges"},
      {"columns_priv", kColumnsPriv, "Column privileges"},
      // Empty: there are no routines yet. Clients list it with the others.
      {"procs_priv", kProcsPriv, "Procedure privileges"},
      {"global_grants", kGlobalGrants, "Extended global grants"},
      {"role_edges", kRoleEdges, "Role hierarchy and role grants"},
      {"default_roles", kDefaultRoles, "Default roles"},
      {"password_history", kPasswordHistory, "Password history for user accounts"},
  };
  return tables;
}

}  // namespace borealis::sql
