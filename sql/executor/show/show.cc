#include "sql/executor/show/show.h"

#include <fmt/format.h>

#include "base/mysql_error.h"
#include "sql/ast/print.h"
#include "sql/catalog/catalog.h"
#include "sql/executor/definition/definition_run.h"
#include "sql/executor/show/show_rows.h"
#include "sql/executor/show/view_text.h"
#include "sql/session/session.h"

namespace borealis::sql {
namespace {

// A string literal under the session's sql_mode.
std::string Quoted(const StatementRun& run, std::string_view text) {
  const bool escapes = (run.session.settings().sql_mode & row::kModeNoBackslashEscapes) == 0;
  std::string out = "'";
  for (const char c : text) {
    out += c;
    if (c == '\'' || (c == '\\' && escapes)) {
      out += c;
    }
  }
  return out + "'";
}

// A SHOW statement as a query: `query` gives its rows under the names that clients see.
struct Listing {
  std::string query;
  // What LIKE compares: one of the query's columns.
  std::string like_column;
  // What clients are told that the columns are of.
  std::string table;
};

// A listing's columns are of a query in FROM that has the name of the table behind it.
class ListingSink final : public ResultSink {
 public:
  ListingSink(ResultSink& to, const Listing& listing) : to_(to), listing_(listing) {}
  Status OnColumns(std::span<const ResultColumn> columns) override {
    std::vector<ResultColumn> shown(columns.begin(), columns.end());
    for (ResultColumn& column : shown) {
      if (!column.org_table.empty()) {
        column.table = listing_.table;
        column.org_name = column.name;
      }
    }
    return to_.OnColumns(shown);
  }
  Status OnRow(std::span<const row::Value> row) override { return to_.OnRow(row); }
  void OnDone(const OkInfo& ok) override { to_.OnDone(ok); }
  void OnError(const Status& error, uint16_t status) override { to_.OnError(error, status); }

 private:
  ResultSink& to_;
  const Listing& listing_;
};

std::string_view TextOf(const StatementRun& run, const Expr& expr) {
  return run.text.substr(expr.span.begin, expr.span.end - expr.span.begin);
}

Status RunListing(StatementRun& run, const Listing& listing, const std::optional<std::string>& like,
                  const Expr* where) {
  std::string text = listing.query;
  if (like.has_value()) {
    text = fmt::format("SELECT * FROM ({}) AS shown WHERE {} LIKE {}", listing.query,
                       QuoteIdentifier(listing.like_column), Quoted(run, *like));
  } else if (where != nullptr) {
    text =
        fmt::format("SELECT * FROM ({}) AS shown WHERE ({})", listing.query, TextOf(run, *where));
  }
  ListingSink sink(run.sink, listing);
  return run.session.RunQueryText(text, sink, run.parameters);
}

// The schema written in the statement or the current one, if it exists: 1046, 1049.
Result<std::string> ShownSchema(StatementRun& run, const std::string& written) {
  std::string schema = written.empty() ? run.session.database() : written;
  if (schema.empty()) {
    return UserError(ER_NO_DB_ERROR);
  }
  RETURN_IF_ERROR(CatalogOf(run).FindSchema(schema).status());
  return schema;
}

// As TABLE_SCHEMA has it.
std::string StoredSchemaName(const std::string& schema) {
  return SameName(schema, "information_schema") ? "information_schema" : schema;
}

// "Tables_in_shop", and with LIKE "Tables_in_shop (a%)".
std::string HeadWithPattern(std::string head, const std::optional<std::string>& like) {
  return like.has_value() ? head + " (" + *like + ")" : head;
}

Status ShowDatabases(StatementRun& run, const ShowStmt& show) {
  const std::string head = HeadWithPattern("Database", show.like);
  const std::string query = fmt::format("SELECT SCHEMA_NAME AS {} FROM information_schema.SCHEMATA",
                                        QuoteIdentifier(head));
  return RunListing(run, {query, head, "SCHEMATA"}, show.like, show.where.get());
}

Status ShowTables(StatementRun& run, const ShowStmt& show) {
  ASSIGN_OR_RETURN(const std::string schema, ShownSchema(run, show.schema));
  const std::string head = HeadWithPattern("Tables_in_" + schema, show.like);
  const std::string query = fmt::format(
      "SELECT TABLE_NAME AS {}{} FROM information_schema.TABLES WHERE TABLE_SCHEMA = {}",
      QuoteIdentifier(head), show.full ? ", TABLE_TYPE AS Table_type" : "",
      Quoted(run, StoredSchemaName(schema)));
  return RunListing(run, {query, head, "TABLES"}, show.like, show.where.get());
}

Status ShowTableStatus(StatementRun& run, const ShowStmt& show) {
  ASSIGN_OR_RETURN(const std::string schema, ShownSchema(run, show.schema));
  const std::string query =
      "SELECT TABLE_NAME AS Name, ENGINE AS Engine, VERSION AS Version, ROW_FORMAT AS Row_format, "
      "TABLE_ROWS AS `Rows`, AVG_ROW_LENGTH AS Avg_row_length, DATA_LENGTH AS Data_length, "
      "MAX_DATA_LENGTH AS Max_data_length, INDEX_LENGTH AS Index_length, DATA_FREE AS Data_free, "
      "AUTO_INCREMENT AS Auto_increment, CREATE_TIME AS Create_time, UPDATE_TIME AS Update_time, "
      "CHECK_TIME AS Check_time, TABLE_COLLATION AS Collation, CHECKSUM AS Checksum, "
      "CREATE_OPTIONS AS Create_options, TABLE_COMMENT AS Comment "
      "FROM information_schema.TABLES WHERE TABLE_SCHEMA = " +
      Quoted(run, StoredSchemaName(schema));
  return RunListing(run, {query, "Name", "TABLES"}, show.like, show.where.get());
}

// "WHERE TABLE_SCHEMA = … AND TABLE_NAME = …" for a table that exists.
Result<std::string> OfTable(StatementRun& run, const QualifiedName& name) {
  ASSIGN_OR_RETURN(const engine::TableName resolved, ResolveName(run, name));
  ASSIGN_OR_RETURN(const CatalogEntry entry, CatalogOf(run).Find(resolved.schema, resolved.name));
  if (entry.table->kind == TableKind::kView) {
    RETURN_IF_ERROR(CheckView(run.session, entry.table));
  }
  return fmt::format(" WHERE TABLE_SCHEMA = {} AND TABLE_NAME = {}",
                     Quoted(run, entry.table->schema), Quoted(run, entry.table->name));
}

// While it lives, information_schema tells of the temporary table of this name, if there is one.
class TemporaryShown {
 public:
  TemporaryShown(StatementRun& run, const QualifiedName& name) : session_(run.session) {
    if (session_.HasTemporary(name)) {
      const std::string& schema = name.schema.empty() ? session_.database() : name.schema;
      entry_ = session_.catalog().Find(schema, name.name);
      session_.set_shown_temporary(&*entry_);
    }
  }
  ~TemporaryShown() { session_.set_shown_temporary(nullptr); }
  TemporaryShown(const TemporaryShown&) = delete;
  TemporaryShown& operator=(const TemporaryShown&) = delete;

 private:
  Session& session_;
  Result<CatalogEntry> entry_ = CatalogEntry();
};

Status ShowColumns(StatementRun& run, const QualifiedName& table, bool full,
                   const std::optional<std::string>& like, const Expr* where) {
  ASSIGN_OR_RETURN(const std::string of_table, OfTable(run, table));
  const TemporaryShown shown(run, table);
  const std::string query = fmt::format(
      "SELECT COLUMN_NAME AS Field, COLUMN_TYPE AS Type, {}IS_NULLABLE AS `Null`, "
      "COLUMN_KEY AS `Key`, COLUMN_DEFAULT AS `Default`, EXTRA AS Extra{} "
      "FROM information_schema.COLUMNS{}",
      full ? "COLLATION_NAME AS Collation, " : "",
      full ? ", PRIVILEGES AS Privileges, COLUMN_COMMENT AS Comment" : "", of_table);
  return RunListing(run, {query, "Field", "COLUMNS"}, like, where);
}

Status ShowIndexes(StatementRun& run, const ShowStmt& show) {
  ASSIGN_OR_RETURN(const std::string of_table, OfTable(run, show.table));
  const TemporaryShown shown(run, show.table);
  const std::string query =
      "SELECT TABLE_NAME AS `Table`, NON_UNIQUE AS Non_unique, INDEX_NAME AS Key_name, "
      "SEQ_IN_INDEX AS Seq_in_index, COLUMN_NAME AS Column_name, COLLATION AS Collation, "
      "CARDINALITY AS Cardinality, SUB_PART AS Sub_part, NULL AS Packed, NULLABLE AS `Null`, "
      "INDEX_TYPE AS Index_type, COMMENT AS Comment, INDEX_COMMENT AS Index_comment, "
      "IS_VISIBLE AS Visible, EXPRESSION AS Expression FROM information_schema.STATISTICS" +
      of_table;
  return RunListing(run, {query, "Key_name", "SHOW_STATISTICS"}, show.like, show.where.get());
}

Status ShowTriggers(StatementRun& run, const ShowStmt& show) {
  ASSIGN_OR_RETURN(const std::string schema, ShownSchema(run, show.schema));
  const std::string query =
      "SELECT TRIGGER_NAME AS `Trigger`, EVENT_MANIPULATION AS Event, "
      "EVENT_OBJECT_TABLE AS `Table`, ACTION_STATEMENT AS Statement, ACTION_TIMING AS Timing, "
      "CREATED AS Created, SQL_MODE AS sql_mode, DEFINER AS Definer, "
      "CHARACTER_SET_CLIENT AS character_set_client, "
      "COLLATION_CONNECTION AS collation_connection, DATABASE_COLLATION AS `Database Collation` "
      "FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = " +
      Quoted(run, StoredSchemaName(schema));
  return RunListing(run, {query, "Table", "TRIGGERS"}, show.like, show.where.get());
}

Status ShowEvents(StatementRun& run, const ShowStmt& show) {
  const std::string schema = show.schema.empty() ? run.session.database() : show.schema;
  if (schema.empty()) {
    return UserError(ER_NO_DB_ERROR);
  }
  const std::string query =
      "SELECT EVENT_SCHEMA AS Db, EVENT_NAME AS Name, DEFINER AS Definer, "
      "TIME_ZONE AS `Time zone`, EVENT_TYPE AS Type, EXECUTE_AT AS `Execute at`, "
      "INTERVAL_VALUE AS `Interval value`, INTERVAL_FIELD AS `Interval field`, STARTS AS Starts, "
      "ENDS AS Ends, STATUS AS Status, ORIGINATOR AS Originator, "
      "CHARACTER_SET_CLIENT AS character_set_client, "
      "COLLATION_CONNECTION AS collation_connection, DATABASE_COLLATION AS `Database Collation` "
      "FROM information_schema.EVENTS WHERE EVENT_SCHEMA = " +
      Quoted(run, schema);
  return RunListing(run, {query, "Name", "EVENTS"}, show.like, show.where.get());
}

Status ShowRoutines(StatementRun& run, const ShowStmt& show) {
  const std::string query = fmt::format(
      "SELECT ROUTINE_SCHEMA AS Db, ROUTINE_NAME AS Name, ROUTINE_TYPE AS Type, "
      "DEFINER AS Definer, LAST_ALTERED AS Modified, CREATED AS Created, "
      "SECURITY_TYPE AS Security_type, ROUTINE_COMMENT AS Comment, "
      "CHARACTER_SET_CLIENT AS character_set_client, "
      "COLLATION_CONNECTION AS collation_connection, DATABASE_COLLATION AS `Database Collation` "
      "FROM information_schema.ROUTINES WHERE ROUTINE_TYPE = '{}'",
      show.show == ShowKind::kFunctionStatus ? "FUNCTION" : "PROCEDURE");
  return RunListing(run, {query, "Name", "ROUTINES"}, show.like, show.where.get());
}

// A table is open while a transaction has it locked, and in use by those that locked it whole.
Status ShowOpenTables(StatementRun& run, const ShowStmt& show) {
  const std::string schema = show.schema.empty() ? "OBJECT_SCHEMA" : Quoted(run, show.schema);
  const std::string query = fmt::format(
      "SELECT OBJECT_SCHEMA AS `Database`, OBJECT_NAME AS `Table`, "
      "CAST(SUM(LOCK_TYPE IN ('SHARED_READ_ONLY', 'EXCLUSIVE')) AS SIGNED) AS In_use, "
      "0 AS Name_locked FROM performance_schema.metadata_locks WHERE OBJECT_TYPE = 'TABLE' "
      "AND OBJECT_SCHEMA = {} GROUP BY OBJECT_SCHEMA, OBJECT_NAME",
      schema);
  return RunListing(run, {query, "Table", "OPEN_TABLES"}, show.like, show.where.get());
}

Status ShowVariables(StatementRun& run, const ShowStmt& show) {
  const bool global = show.scope == VariableScope::kGlobal;
  const bool status = show.show == ShowKind::kStatus;
  const std::string table =
      fmt::format("{}_{}", global ? "global" : "session", status ? "status" : "variables");
  const std::string query =
      "SELECT VARIABLE_NAME AS Variable_name, VARIABLE_VALUE AS Value FROM performance_schema." +
      table;
  return RunListing(run, {query, "Variable_name", table}, show.like, show.where.get());
}

// Its columns are of no table, unlike those of the table that has the rows.
class ProcesslistSink final : public ResultSink {
 public:
  ProcesslistSink(ResultSink& to, bool full) : to_(to), full_(full) {}
  Status OnColumns(std::span<const ResultColumn>) override {
    using row::Type;
    constexpr uint64_t kQueryChars = 100;
    constexpr uint64_t kLongestQuery = uint64_t{1} << 26;
    const ResultColumn columns[] = {
        NumberColumn("Id", Type::BigInt().NotNull(), 22),
        TextColumn("User", 32),
        TextColumn("Host", 255),
        TextColumn("db", kNameChars, true),
        TextColumn("Command", 16),
        NumberColumn("Time", Type::Int().NotNull(), 8),
        TextColumn("State", 30, true),
        TextColumn("Info", full_ ? kLongestQuery : kQueryChars, true),
    };
    return to_.OnColumns(columns);
  }
  Status OnRow(std::span<const row::Value> row) override { return to_.OnRow(row); }
  void OnDone(const OkInfo& ok) override { to_.OnDone(ok); }
  void OnError(const Status& error, uint16_t status) override { to_.OnError(error, status); }

 private:
  ResultSink& to_;
  const bool full_;
};

Status ShowProcesslist(StatementRun& run, const ShowStmt& show) {
  const std::string query = fmt::format(
      "SELECT ID AS Id, USER AS User, HOST AS Host, DB AS db, COMMAND AS Command, TIME AS Time, "
      "STATE AS State, {} AS Info FROM information_schema.PROCESSLIST",
      show.full ? "INFO" : "LEFT(INFO, 100)");
  ProcesslistSink sink(run.sink, show.full);
  return run.session.RunQueryText(query, sink, run.parameters);
}

// Lists that say the same whatever the statement says besides its filter.
const Listing& FixedListing(ShowKind kind) {
  static const Listing kCharsets = {
      "SELECT CHARACTER_SET_NAME AS Charset, DESCRIPTION AS Description, "
      "DEFAULT_COLLATE_NAME AS `Default collation`, MAXLEN AS Maxlen "
      "FROM information_schema.CHARACTER_SETS",
      "Charset", "CHARACTER_SETS"};
  static const Listing kCollations = {
      "SELECT COLLATION_NAME AS Collation, CHARACTER_SET_NAME AS Charset, ID AS Id, "
      "IS_DEFAULT AS `Default`, IS_COMPILED AS Compiled, SORTLEN AS Sortlen, "
      "PAD_ATTRIBUTE AS Pad_attribute FROM information_schema.COLLATIONS",
      "Collation", "COLLATIONS"};
  static const Listing kPlugins = {
      "SELECT PLUGIN_NAME AS Name, PLUGIN_STATUS AS Status, PLUGIN_TYPE AS Type, "
      "PLUGIN_LIBRARY AS Library, PLUGIN_LICENSE AS License FROM information_schema.PLUGINS",
      "Name", "PLUGINS"};
  static const Listing kEngines = {
      "SELECT ENGINE AS Engine, SUPPORT AS Support, COMMENT AS Comment, "
      "TRANSACTIONS AS Transactions, XA, SAVEPOINTS AS Savepoints FROM information_schema.ENGINES",
      "Engine", "ENGINES"};
  switch (kind) {
    case ShowKind::kCharacterSet:
      return kCharsets;
    case ShowKind::kCollation:
      return kCollations;
    case ShowKind::kPlugins:
      return kPlugins;
    default:
      return kEngines;
  }
}

}  // namespace

Status ExecuteShow(StatementRun& run) {
  const auto& show = run.statement.As<ShowStmt>();
  if (show.extended && show.show != ShowKind::kTables) {
    return Unsupported("SHOW EXTENDED");
  }
  switch (show.show) {
    case ShowKind::kDatabases:
      return ShowDatabases(run, show);
    case ShowKind::kTables:
      return ShowTables(run, show);
    case ShowKind::kTableStatus:
      return ShowTableStatus(run, show);
    case ShowKind::kColumns:
      return ShowColumns(run, show.table, show.full, show.like, show.where.get());
    case ShowKind::kIndexes:
      return ShowIndexes(run, show);
    case ShowKind::kTriggers:
      return ShowTriggers(run, show);
    case ShowKind::kEvents:
      return ShowEvents(run, show);
    case ShowKind::kFunctionStatus:
    case ShowKind::kProcedureStatus:
      return ShowRoutines(run, show);
    case ShowKind::kOpenTables:
      return ShowOpenTables(run, show);
    case ShowKind::kVariables:
    case ShowKind::kStatus:
      return ShowVariables(run, show);
    case ShowKind::kProcesslist:
      return ShowProcesslist(run, show);
    case ShowKind::kCharacterSet:
    case ShowKind::kCollation:
    case ShowKind::kPlugins:
    case ShowKind::kEngines:
      return RunListing(run, FixedListing(show.show), show.like, show.where.get());
    case ShowKind::kCreateDatabase:
    case ShowKind::kCreateTable:
    case ShowKind::kCreateView:
    case ShowKind::kCreateProcedure:
    case ShowKind::kCreateFunction:
    case ShowKind::kCreateTrigger:
    case ShowKind::kCreateEvent:
      return ShowCreate(run, show);
    case ShowKind::kCreateUser:
      return ShowCreateUser(run, show);
    case ShowKind::kGrants:
      return ShowGrants(run, show);
    case ShowKind::kPrivileges:
      return ShowPrivileges(run);
    case ShowKind::kWarnings:
    case ShowKind::kErrors:
      return ShowConditions(run, show);
    case ShowKind::kCountWarnings:
    case ShowKind::kCountErrors:
      return ShowConditionCount(run, show);
    case ShowKind::kEngine:
      return ShowEngine(run, show);
    case ShowKind::kProfiles:
    case ShowKind::kProfile:
      return ShowProfiling(run, show);
    case ShowKind::kBinaryLogs:
    case ShowKind::kBinaryLogStatus:
    case ShowKind::kBinlogEvents:
    case ShowKind::kRelaylogEvents:
    case ShowKind::kReplicas:
    case ShowKind::kReplicaStatus:
      return ShowReplication(run, show);
  }
  return Unsupported("SHOW");
}

Status ExecuteDescribe(StatementRun& run) {
  const auto& describe = run.statement.As<DescribeStmt>();
  return ShowColumns(run, describe.table, false, describe.column, nullptr);
}

}  // namespace borealis::sql
