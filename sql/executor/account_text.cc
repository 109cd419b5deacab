#include "sql/executor/account_list.h"

#include <fmt/format.h>

#include "row/value.h"
#include "sql/ast/print.h"
#include "sql/catalog/catalog.h"
#include "sql/executor/create_text.h"
#include "sql/session/session.h"

namespace borealis::sql {
namespace {

// In the order MySQL grants them.
constexpr std::string_view kAllPrivileges =
    "SELECT, INSERT, UPDATE, DELETE, CREATE, DROP, RELOAD, SHUTDOWN, PROCESS, FILE, "
    "REFERENCES, INDEX, ALTER, SHOW DATABASES, SUPER, CREATE TEMPORARY TABLES, LOCK "
    "TABLES, EXECUTE, REPLICATION SLAVE, REPLICATION CLIENT, CREATE VIEW, SHOW VIEW, "
    "CREATE ROUTINE, ALTER ROUTINE, CREATE USER, EVENT, TRIGGER, CREATE TABLESPACE, "
    "CREATE ROLE, DROP ROLE";

std::string Text(const row::Value& value) {
  return value.is_string() ? std::string(value.bytes()) : std::string();
}

std::string QuotedAccount(const AccountRecord& account) {
  return QuoteIdentifier(account.user) + "@" + QuoteIdentifier(account.host);
}

}  // namespace

Result<std::vector<AccountRecord>> ListAccounts(Session& session) {
  std::vector<AccountRecord> accounts;
  if (!session.environment().catalog->Find("mysql", "user").ok()) {
    AccountRecord own;
    own.user = session.identity().account_user;
    own.host = session.identity().account_host;
    accounts.push_back(std::move(own));
    return accounts;
  }
  ASSIGN_OR_RETURN(
      const auto rows,
      session.CollectQueryText("SELECT User, Host, plugin, authentication_string, ssl_type, "
                               "password_expired = 'Y', account_locked = 'Y' FROM mysql.user"));
  for (const auto& row : rows) {
    AccountRecord account;
    account.user = Text(row[0]);
    account.host = Text(row[1]);
    account.plugin = Text(row[2]);
    account.credential = Text(row[3]);
    account.ssl_type = Text(row[4]);
    account.password_expired = !row[5].is_null() && row[5].raw_int() != 0;
    account.locked = !row[6].is_null() && row[6].raw_int() != 0;
    accounts.push_back(std::move(account));
  }
  return accounts;
}

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

std::string CreateUserText(const AccountRecord& account) {
  std::string text =
      fmt::format("CREATE USER {} IDENTIFIED WITH '{}'", QuotedAccount(account), account.plugin);
  if (!account.credential.empty()) {
    text += " AS " + QuoteLiteral(account.credential);
  }
  text += account.ssl_type.empty() ? " REQUIRE NONE" : " REQUIRE SSL";
  text += account.password_expired ? " PASSWORD EXPIRE" : " PASSWORD EXPIRE DEFAULT";
  text += account.locked ? " ACCOUNT LOCK" : " ACCOUNT UNLOCK";
  return text +
         " PASSWORD HISTORY DEFAULT PASSWORD REUSE INTERVAL DEFAULT PASSWORD REQUIRE CURRENT "
         "DEFAULT";
}

std::string GrantText(const AccountRecord& account) {
  return fmt::format("GRANT {} ON *.* TO {} WITH GRANT OPTION", kAllPrivileges,
                     QuotedAccount(account));
}

}  // namespace borealis::sql
