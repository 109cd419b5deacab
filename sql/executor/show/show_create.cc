// SHOW CREATE, and of accounts what they may do.
#include <fmt/format.h>

#include "base/mysql_error.h"
#include "row/collation.h"
#include "sql/executor/accounts/account_statements.h"
#include "sql/executor/accounts/account_text.h"
#include "sql/executor/definition/definition_run.h"
#include "sql/executor/show/create_text.h"
#include "sql/executor/show/show_rows.h"
#include "sql/executor/show/trigger_text.h"
#include "sql/executor/show/view_text.h"
#include "sql/functions/eval_context.h"
#include "sql/session/session.h"

namespace borealis::sql {
namespace {

Result<CreateTextOptions> TextOptions(StatementRun& run) {
  CreateTextOptions options;
  options.zone = &run.session.eval_context().conversion.time_zone();
  options.ansi_quotes = (run.session.settings().sql_mode & row::kModeAnsiQuotes) != 0;
  ASSIGN_OR_RETURN(const TypedValue quote,
                   run.session.environment().variables->Get(run.session, VariableScope::kDefault,
                                                            "sql_quote_show_create"));
  options.quote_names = quote.value.is_null() || quote.value.raw_int() != 0;
  return options;
}

Status ShowCreateView(StatementRun& run, const TablePtr& view, const CreateTextOptions& options) {
  const Status usable = CheckView(run.session, view);
  if (usable.user_errno() != 0) {
    run.session.diagnostics().AddWarning(usable);
  } else {
    RETURN_IF_ERROR(usable);
  }
  const row::Collation& client = row::GetCollation(view->view->client_collation);
  const row::Collation& connection = row::GetCollation(view->view->connection_collation);
  return SendTextRows(run,
                      {{TextColumn("View", kNameChars), TextColumn("Create View", kStatementChars),
                        TextColumn("character_set_client", kCharsetNameChars),
                        TextColumn("collation_connection", kCharsetNameChars)},
                       {{view->name, CreateViewText(*view, run.session.database(), options),
                         std::string(client.charset().name), std::string(connection.name())}}});
}

Status ShowCreateTable(StatementRun& run, const ShowStmt& show) {
  ASSIGN_OR_RETURN(const engine::TableName name, ResolveName(run, show.table));
  ASSIGN_OR_RETURN(const CatalogEntry entry, CatalogOf(run).Find(name.schema, name.name));
  ASSIGN_OR_RETURN(CreateTextOptions options, TextOptions(run));
  const TableDescriptor& table = *entry.table;
  if (table.kind == TableKind::kView) {
    return ShowCreateView(run, entry.table, options);
  }
  if (show.show == ShowKind::kCreateView) {
    return UserError(ER_WRONG_OBJECT, table.schema, table.name, "VIEW");
  }
  if (entry.engine != nullptr && table.auto_increment_column() >= 0) {
    ASSIGN_OR_RETURN(options.next_auto_increment, entry.owner->PeekAutoIncrement(*entry.engine));
  }
  return SendTextRows(
      run, {{TextColumn("Table", kNameChars), TextColumn("Create Table", kStatementChars)},
            {{table.name, CreateTableText(table, options)}}});
}

Status ShowTrigger(StatementRun& run, const ShowStmt& show) {
  ASSIGN_OR_RETURN(const CreateTextOptions options, TextOptions(run));
  return ShowCreateTrigger(run, show, options);
}

Status ShowCreateDatabase(StatementRun& run, const ShowStmt& show) {
  ASSIGN_OR_RETURN(const SchemaDescriptor schema, CatalogOf(run).FindSchema(show.name));
  ASSIGN_OR_RETURN(const CreateTextOptions options, TextOptions(run));
  return SendTextRows(
      run, {{TextColumn("Database", kNameChars), TextColumn("Create Database", kStatementChars)},
            {{show.name, CreateDatabaseText(show.name, schema, show.if_not_exists, options)}}});
}

// The accounts as the session knows them; the session's own alone, with all privileges, where none
// are stored.
GrantTables KnownAccounts(const StatementRun& run) {
  if (run.session.security().tables() != nullptr) {
    return *run.session.security().tables();
  }
  GrantTables tables;
  Account own;
  own.key = run.session.account();
  own.global = PrivilegeSet::All();
  tables.Add(std::move(own));
  return tables;
}

AccountKey NamedAccount(const StatementRun& run, const std::optional<AccountName>& name) {
  return name.has_value() ? ResolveAccount(run, *name) : run.session.account();
}

// Others' accounts are for those that may read mysql.user.
bool MayShowAccount(const StatementRun& run, const AccountKey& key) {
  return key == run.session.account() ||
         run.session.security().OnTable("mysql", "user").Has(Privilege::kSelect);
}

}  // namespace

Status ShowCreate(StatementRun& run, const ShowStmt& show) {
  switch (show.show) {
    case ShowKind::kCreateDatabase:
      return ShowCreateDatabase(run, show);
    case ShowKind::kCreateProcedure:
      return UserError(ER_SP_DOES_NOT_EXIST, "PROCEDURE", show.table.name);
    case ShowKind::kCreateFunction:
      return UserError(ER_SP_DOES_NOT_EXIST, "FUNCTION", show.table.name);
    case ShowKind::kCreateTrigger:
      return ShowTrigger(run, show);
    case ShowKind::kCreateEvent:
      return UserError(ER_EVENT_DOES_NOT_EXIST, show.table.name);
    default:
      return ShowCreateTable(run, show);
  }
}

Status ShowGrants(StatementRun& run, const ShowStmt& show) {
  const AccountKey key = NamedAccount(run, show.account);
  if (!MayShowAccount(run, key)) {
    const SessionIdentity& who = run.session.identity();
    return UserError(ER_TABLEACCESS_DENIED_ERROR, "SELECT", who.account_user, who.host, "user");
  }
  const GrantTables tables = KnownAccounts(run);
  if (tables.Find(key) == nullptr) {
    return UserError(ER_NONEXISTING_GRANT, key.user, key.host);
  }
  std::set<AccountKey> roles;
  for (const AccountName& name : show.roles) {
    const AccountKey role = ResolveAccount(run, name);
    if (!tables.Reaches(key, role)) {
      return UserError(ER_ROLE_NOT_GRANTED, AccountIdentifier(role), AccountIdentifier(key));
    }
    roles.insert(role);
  }
  if (!show.account.has_value() || show.account->current_user) {
    roles.insert(run.session.active_roles().begin(), run.session.active_roles().end());
  }
  TextRows rows{{TextColumn(fmt::format("Grants for {}@{}", key.user, key.host), kStatementChars)},
                {}};
  for (std::string& line : GrantTexts(tables, key, roles)) {
    rows.rows.push_back({std::move(line)});
  }
  return SendTextRows(run, rows);
}

Status ShowPrivileges(StatementRun& run) {
  TextRows rows{
      {TextColumn("Privilege", 10), TextColumn("Context", 15), TextColumn("Comment", kNameChars)},
      {}};
  for (const PrivilegeText& privilege : Privileges()) {
    rows.rows.push_back({std::string(privilege.name), std::string(privilege.context),
                         std::string(privilege.comment)});
  }
  for (const std::string_view name : DynamicPrivileges()) {
    rows.rows.push_back({std::string(name), "Server Admin", ""});
  }
  return SendTextRows(run, rows);
}

Status ShowCreateUser(StatementRun& run, const ShowStmt& show) {
  const AccountKey key = NamedAccount(run, show.account);
  if (!MayShowAccount(run, key)) {
    const SessionIdentity& who = run.session.identity();
    return UserError(ER_DBACCESS_DENIED_ERROR, who.account_user, who.account_host, "mysql");
  }
  const GrantTables tables = KnownAccounts(run);
  const Account* account = tables.Find(key);
  if (account == nullptr) {
    return UserError(ER_CANNOT_USER, "SHOW CREATE USER", QuotedAccount(key));
  }
  constexpr uint64_t kAccountChars = 256;
  return SendTextRows(
      run, {{TextColumn(fmt::format("CREATE USER for {}@{}", key.user, key.host), kAccountChars)},
            {{CreateUserText(*account)}}});
}

}  // namespace borealis::sql
