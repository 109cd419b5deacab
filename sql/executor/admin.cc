#include "sql/executor/admin.h"

#include <algorithm>
#include <set>

#include "base/mysql_error.h"
#include "engine/engine.h"
#include "sql/ast/admin.h"
#include "sql/binder/binder.h"
#include "sql/binder/evaluate.h"
#include "sql/catalog/catalog.h"
#include "sql/context/computed_column.h"
#include "sql/executor/accounts/account_change.h"
#include "sql/executor/definition/definition_run.h"
#include "sql/executor/lock_requests.h"
#include "sql/executor/show/view_text.h"
#include "sql/executor/table_checksum.h"
#include "sql/functions/eval_context.h"
#include "sql/session/session.h"

namespace borealis::sql {

Status ExecuteUse(StatementRun& run) {
  const std::string& name = run.statement.As<UseStmt>().name;
  RETURN_IF_ERROR(run.session.UseDatabase(name));
  run.session.NoteChange({SessionChange::Kind::kSchema, "", name});
  return Status::Ok();
}

Status ExecuteKill(StatementRun& run) {
  const auto& kill = run.statement.As<KillStmt>();
  BindInput input;
  input.environment = &run.session.binder_environment();
  input.text = run.text;
  input.parameters = run.parameters;
  StatementFacts facts;
  ASSIGN_OR_RETURN(const BoundPtr bound, BindScalar(*kill.connection_id, input, &facts));
  EvalFrame frame;
  frame.context = &run.session.eval_context();
  frame.parameters = run.parameters;
  ASSIGN_OR_RETURN(const row::Value value, Evaluate(*bound, frame));
  bool is_unsigned = false;
  const int64_t id = row::ToInteger(value, bound->type, frame.context->conversion, &is_unsigned);
  if (run.session.environment().server == nullptr) {
    return UserError(ER_NO_SUCH_THREAD, id);
  }
  // Who kills itself gets to read so; the connection ends after the answer.
  if (static_cast<uint64_t>(id) == run.session.identity().connection_id) {
    run.session.Kill(!kill.query_only);
    return run.session.CheckInterrupt();
  }
  // Others' sessions are killed by those with CONNECTION_ADMIN.
  const bool any = run.session.security().HasSuperOr("CONNECTION_ADMIN");
  return run.session.environment().server->Kill(
      static_cast<uint64_t>(id), kill.query_only,
      any ? std::nullopt : std::optional(run.session.account()));
}

namespace {

Status TakeLocks(StatementRun& run, const std::vector<engine::TableLockRequest>& requests) {
  const SessionEnvironment& environment = run.session.environment();
  ASSIGN_OR_RETURN(auto locks, environment.engine->LockTables(requests, ChangeOptions(run)));
  for (const engine::TableLockRequest& request : requests) {  // dropped meanwhile
    RETURN_IF_ERROR(environment.catalog->Find(request.table.schema, request.table.name).status());
  }
  run.session.set_table_locks(std::move(locks));
  return Status::Ok();
}

// FLUSH TABLES t, … WITH READ LOCK: LOCK TABLES for reading, of base tables only, and not on top of
// other locks. There is nothing to flush.
Status LockForFlush(StatementRun& run, const std::vector<QualifiedName>& tables) {
  Session& session = run.session;
  RETURN_IF_ERROR(session.ImplicitCommit());
  if (session.table_locks() != nullptr) {
    return UserError(ER_LOCK_OR_ACTIVE_TRANSACTION);
  }
  std::vector<engine::TableLockRequest> requests;
  std::set<std::string> known_as;
  for (const QualifiedName& table : tables) {
    ASSIGN_OR_RETURN(engine::TableName name, ResolveName(run, table));
    if (!known_as.insert(DottedName(name)).second) {
      return UserError(ER_NONUNIQ_TABLE, table.name);
    }
    Catalog& catalog = *session.environment().catalog;
    if (session.HasTemporary(table)) {
      continue;
    }
    if (catalog.IsSystemSchema(name.schema)) {
      return CheckSchemaChangeable(run, name.schema);
    }
    ASSIGN_OR_RETURN(const CatalogEntry entry, catalog.Find(name.schema, name.name));
    if (entry.table->kind == TableKind::kView) {
      return UserError(ER_WRONG_OBJECT, name.schema, name.name, "BASE TABLE");
    }
    requests.push_back({std::move(name), /*for_writing=*/false});
  }
  return TakeLocks(run, requests);
}

// FLUSH TABLES WITH READ LOCK: nothing on the instance changes any more. Not on top of LOCK TABLES.
Status LockForReading(StatementRun& run) {
  Session& session = run.session;
  RETURN_IF_ERROR(session.ImplicitCommit());
  if (session.table_locks() != nullptr) {
    return UserError(ER_LOCK_OR_ACTIVE_TRANSACTION);
  }
  if (session.read_lock() != nullptr) {
    return Status::Ok();
  }
  RETURN_IF_ERROR(session.CheckMayChange());  // a reader cannot keep its writer from changing
  ASSIGN_OR_RETURN(auto lock, session.environment().engine->LockInstance(
                                  engine::InstanceLockKind::kRead, ChangeOptions(run)));
  session.set_read_lock(std::move(lock));
  return Status::Ok();
}

}  // namespace

Status ExecuteLockInstance(StatementRun& run) {
  Session& session = run.session;
  if (run.statement.As<LockInstanceStmt>().unlock) {
    session.set_backup_lock(nullptr);
    return Status::Ok();
  }
  if (session.backup_lock() != nullptr) {
    return Status::Ok();
  }
  RETURN_IF_ERROR(session.CheckMayChange());
  ASSIGN_OR_RETURN(auto lock, session.environment().engine->LockInstance(
                                  engine::InstanceLockKind::kBackup, ChangeOptions(run)));
  session.set_backup_lock(std::move(lock));
  return Status::Ok();
}

Status ExecuteFlush(StatementRun& run) {
  const auto& flush = run.statement.As<FlushStmt>();
  if (flush.for_export) {
    return UserError(ER_NOT_SUPPORTED_YET, "FLUSH TABLES FOR EXPORT");
  }
  if (flush.with_read_lock) {
    return flush.tables.empty() ? LockForReading(run) : LockForFlush(run, flush.tables);
  }
  if (std::find(flush.what.begin(), flush.what.end(), "STATUS") != flush.what.end()) {
    run.session.ForgetCounts();
  }
  // Nothing else is cached that would have to be written or forgotten.
  if (std::find(flush.what.begin(), flush.what.end(), "PRIVILEGES") != flush.what.end()) {
    return run.session.environment().engine->is_replica()
               ? Status::Ok()  // follows the writer
               : AnnounceAccounts(run.session.environment());
  }
  return Status::Ok();
}

Status ExecuteLockTables(StatementRun& run) {
  Session& session = run.session;
  const SessionEnvironment& environment = session.environment();
  RETURN_IF_ERROR(session.ImplicitCommit());
  session.set_table_locks(nullptr);
  LockRequests requests(run);
  std::set<std::string> known_as;
  for (const LockTablesStmt::Item& item : run.statement.As<LockTablesStmt>().items) {
    ASSIGN_OR_RETURN(const engine::TableName name, ResolveName(run, item.table));
    const std::string& alias = item.alias.empty() ? item.table.name : item.alias;
    if (!known_as.insert(item.alias.empty() ? DottedName(name) : alias).second) {
      return UserError(ER_NONUNIQ_TABLE, alias);
    }
    if (session.HasTemporary(item.table)) {
      continue;  // nobody else could lock it
    }
    const bool for_writing =
        item.lock == TableLockKind::kWrite || item.lock == TableLockKind::kLowPriorityWrite;
    if (for_writing && session.settings().transaction_read_only) {
      return UserError(ER_CANT_EXECUTE_IN_READ_ONLY_TRANSACTION);
    }
    RETURN_IF_ERROR(for_writing ? session.CheckReadLock() : Status::Ok());
    const bool read_only = environment.server != nullptr && environment.server->read_only();
    if (for_writing && (read_only || environment.engine->is_replica())) {
      return UserError(ER_OPTION_PREVENTS_STATEMENT, "--read-only");
    }
    ASSIGN_OR_RETURN(const CatalogEntry entry, environment.catalog->Find(name.schema, name.name));
    if (!environment.catalog->IsSystemSchema(name.schema)) {
      RETURN_IF_ERROR(requests.Add(entry.table, for_writing));
    } else if (for_writing) {
      return CheckSchemaChangeable(run, name.schema);
    }
  }
  return TakeLocks(run, requests.requests());
}

Status ExecuteUnlockTables(StatementRun& run) {
  if (run.session.table_locks() != nullptr) {
    RETURN_IF_ERROR(run.session.ImplicitCommit());
    run.session.set_table_locks(nullptr);
  }
  run.session.set_read_lock(nullptr);
  return Status::Ok();
}

namespace {

constexpr std::string_view kVerbs[] = {"analyze", "optimize", "check", "repair", "checksum"};

struct Finding {
  std::string type = "status";
  std::string text = "OK";
};

Result<std::vector<Finding>> MaintainView(StatementRun& run, TableMaintenanceStmt::Verb verb,
                                          const TablePtr& view) {
  if (verb != TableMaintenanceStmt::Verb::kCheck) {
    const Status refused = UserError(ER_WRONG_OBJECT, view->schema, view->name, "BASE TABLE");
    return std::vector<Finding>{{"Error", std::string(refused.message())},
                                {"status", "Operation failed"}};
  }
  const Status usable = CheckView(run.session, view);
  if (usable.user_errno() != 0) {
    return std::vector<Finding>{{"Error", std::string(usable.message())}, {"error", "Corrupt"}};
  }
  RETURN_IF_ERROR(usable);
  return std::vector<Finding>{{}};
}

// What the verb finds for one table, as rows of (Msg_type, Msg_text).
Result<std::vector<Finding>> Maintain(StatementRun& run, TableMaintenanceStmt::Verb verb,
                                      const std::string& schema, const std::string& name) {
  const auto entry = run.session.catalog().Find(schema, name);
  if (!entry.ok() || entry->engine == nullptr) {
    return std::vector<Finding>{{"Error", fmt::format("Table '{}.{}' doesn't exist", schema, name)},
                                {"status", "Operation failed"}};
  }
  if (entry->table->kind == TableKind::kView) {
    return MaintainView(run, verb, entry->table);
  }
  switch (verb) {
    case TableMaintenanceStmt::Verb::kCheck: {
      const Status status = entry->owner->CheckTable(*entry->engine);
      if (status.Is(Code::kCorruption)) {
        return std::vector<Finding>{{"error", std::string(status.message())}, {"error", "Corrupt"}};
      }
      RETURN_IF_ERROR(status);
      return std::vector<Finding>{{}};
    }
    case TableMaintenanceStmt::Verb::kAnalyze: {
      const Status status =
          entry->owner->AnalyzeTable(*entry->engine, ChangeOptions(run, *entry->table));
      if (status.Is(Code::kRetry) || status.Is(Code::kNotFound)) {
        return std::vector<Finding>{
            {"status", "Operation failed"}};  // dropped or altered meanwhile
      }
      RETURN_IF_ERROR(status);
      return std::vector<Finding>{{}};
    }
    case TableMaintenanceStmt::Verb::kOptimize:
      return std::vector<Finding>{
          {"note", "Pages are merged as rows go; there is nothing to rebuild"}, {}};
    case TableMaintenanceStmt::Verb::kRepair:
      return std::vector<Finding>{
          {"note", "The storage engine for the table doesn't support repair"}};
    case TableMaintenanceStmt::Verb::kChecksum:
      break;
  }
  return Status::Internal("maintenance of an unknown kind");
}

// Of a table that has none the error is told beside the result. Null: QUICK asks for a checksum
// that is kept, and none is.
Result<row::Value> ChecksumOf(StatementRun& run, const TableMaintenanceStmt& statement,
                              const std::string& schema, const std::string& name) {
  const auto entry = run.session.catalog().Find(schema, name);
  const bool found = entry.ok() && entry->engine != nullptr;
  if (!found || entry->table->kind == TableKind::kView) {
    run.session.diagnostics().AddError(found
                                           ? UserError(ER_WRONG_OBJECT, schema, name, "BASE TABLE")
                                           : UserError(ER_NO_SUCH_TABLE, schema, name));
    return row::Value::Null();
  }
  if (std::ranges::find(statement.options, "QUICK") != statement.options.end()) {
    return row::Value::Null();
  }
  ASSIGN_OR_RETURN(const uint32_t sum, TableChecksum(run, *entry->table));
  return row::Value::Int(sum);
}

Status ChecksumTables(StatementRun& run, const TableMaintenanceStmt& statement) {
  std::vector<std::pair<std::string, row::Value>> rows;
  for (const QualifiedName& table : statement.tables) {
    ASSIGN_OR_RETURN(const engine::TableName name, ResolveName(run, table));
    ASSIGN_OR_RETURN(row::Value sum, ChecksumOf(run, statement, name.schema, name.name));
    rows.emplace_back(DottedName(name), std::move(sum));
  }
  ResultColumn columns[] = {TextColumn("Table", 128), TextColumn("Checksum", 0)};
  columns[1].type = row::Type::BigInt();
  RETURN_IF_ERROR(run.sink.OnColumns(columns));
  for (const auto& [table, sum] : rows) {
    const row::Value values[] = {row::Value::View(table), sum.Borrow()};
    RETURN_IF_ERROR(run.sink.OnRow(values));
  }
  return Status::Ok();
}

}  // namespace

Status ExecuteTableMaintenance(StatementRun& run) {
  const auto& statement = run.statement.As<TableMaintenanceStmt>();
  if (statement.update_histogram || statement.drop_histogram) {
    return UserError(ER_NOT_SUPPORTED_YET, "ANALYZE TABLE … HISTOGRAM");
  }
  if (statement.verb == TableMaintenanceStmt::Verb::kAnalyze) {
    const SessionEnvironment& environment = run.session.environment();
    const bool stored = std::any_of(
        statement.tables.begin(), statement.tables.end(),
        [&run](const QualifiedName& table) { return !run.session.HasTemporary(table); });
    if (stored && (environment.engine->is_replica() ||
                   (environment.server != nullptr && environment.server->read_only()))) {
      return UserError(ER_OPTION_PREVENTS_STATEMENT, "--read-only");
    }
    RETURN_IF_ERROR(run.session.ImplicitCommit());
  }
  if (statement.verb == TableMaintenanceStmt::Verb::kChecksum) {
    return ChecksumTables(run, statement);
  }
  const std::string verb(kVerbs[static_cast<size_t>(statement.verb)]);
  std::vector<std::pair<std::string, Finding>> rows;
  for (const QualifiedName& table : statement.tables) {
    const std::string schema = table.schema.empty() ? run.session.database() : table.schema;
    if (schema.empty()) {
      return UserError(ER_NO_DB_ERROR);
    }
    ASSIGN_OR_RETURN(const auto findings, Maintain(run, statement.verb, schema, table.name));
    for (const Finding& finding : findings) {
      rows.emplace_back(schema + "." + table.name, finding);
    }
  }
  const ResultColumn columns[] = {TextColumn("Table", 128, true), TextColumn("Op", 10, true),
                                  TextColumn("Msg_type", 10, true),
                                  TextColumn("Msg_text", 131072, true)};
  RETURN_IF_ERROR(run.sink.OnColumns(columns));
  for (const auto& [table, finding] : rows) {
    const row::Value values[] = {row::Value::View(table), row::Value::View(verb),
                                 row::Value::View(finding.type), row::Value::View(finding.text)};
    RETURN_IF_ERROR(run.sink.OnRow(values));
  }
  return Status::Ok();
}

Status ExecuteShutdown(StatementRun& run) {
  return run.session.environment().server->RequestShutdown(
      run.statement.As<ShutdownStmt>().restart);
}

}  // namespace borealis::sql
