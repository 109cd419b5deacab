// CREATE, ALTER and DROP DATABASE.
#include "base/mysql_error.h"
#include "row/collation.h"
#include "sql/executor/definition/definition_run.h"
#include "sql/executor/definition/definition_statements.h"
#include "sql/executor/definition/foreign_key_relations.h"
#include "sql/executor/definition/trigger_names.h"
#include "sql/session/session.h"

namespace borealis::sql {
namespace {

// Options as written, over what the database has.
Status ApplyDatabaseOptions(const DatabaseOptions& options, row::CollationId server,
                            SchemaDescriptor* schema) {
  if (options.encryption.value_or(false)) {
    return Unsupported("ENCRYPTION of a database");
  }
  if (options.read_only.has_value()) {
    schema->read_only = *options.read_only;
  }
  if (!options.charset.has_value() && !options.collation.has_value()) {
    return {};
  }
  std::string charset = options.charset.value_or("");
  if (charset == "default") {
    schema->collation = server;
    charset.clear();
  }
  ASSIGN_OR_RETURN(schema->collation,
                   ResolveCollation(charset, options.collation.value_or(""), schema->collation));
  return {};
}

Status CheckNoTableLocks(const StatementRun& run) {
  return run.session.table_locks() == nullptr ? Status::Ok()
                                              : UserError(ER_LOCK_OR_ACTIVE_TRANSACTION);
}

}  // namespace

Status CreateDatabase(StatementRun& run, const CreateDatabaseStmt& statement) {
  RETURN_IF_ERROR(CheckNoTableLocks(run));
  RETURN_IF_ERROR(CheckDatabaseName(statement.name));
  RETURN_IF_ERROR(CheckSchemaChangeable(run, statement.name));
  row::CollationId server = run.session.settings().collation_server;
  SchemaDescriptor schema;
  schema.collation = server;
  RETURN_IF_ERROR(ApplyDatabaseOptions(statement.options, server, &schema));
  Status created = EngineOf(run).CreateSchema({statement.name, EncodeSchemaDescriptor(schema)},
                                              ChangeOptions(run));
  if (created.Is(Code::kAlreadyExists)) {
    Status exists = UserError(ER_DB_CREATE_EXISTS, statement.name);
    if (!statement.if_not_exists) {
      return exists;
    }
    run.session.diagnostics().Note(ER_DB_CREATE_EXISTS, std::string(exists.message()));
    created = {};
  }
  RETURN_IF_ERROR(created);
  run.ok.affected_rows = 1;
  return {};
}

Status AlterDatabase(StatementRun& run, const AlterDatabaseStmt& statement) {
  std::string name = statement.name.empty() ? run.session.database() : statement.name;
  if (name.empty()) {
    return UserError(ER_NO_DB_ERROR);
  }
  RETURN_IF_ERROR(CheckSchemaChangeable(run, name));
  ASSIGN_OR_RETURN(SchemaDescriptor schema, CatalogOf(run).FindSchema(name));
  RETURN_IF_ERROR(
      ApplyDatabaseOptions(statement.options, run.session.settings().collation_server, &schema));
  RETURN_IF_ERROR(
      EngineOf(run).AlterSchema({name, EncodeSchemaDescriptor(schema)}, ChangeOptions(run)));
  if (name == run.session.database()) {
    run.session.settings().collation_database = schema.collation;
    ++run.session.settings().generation;
  }
  run.ok.affected_rows = 1;
  return {};
}

Status DropDatabase(StatementRun& run, const DropDatabaseStmt& statement) {
  RETURN_IF_ERROR(CheckNoTableLocks(run));
  RETURN_IF_ERROR(CheckSchemaChangeable(run, statement.name));
  if (statement.name == "mysql") {
    return UserError(ER_NO_SYSTEM_SCHEMA_ACCESS, statement.name);
  }
  Result<std::vector<std::string>> tables = EngineOf(run).ListTables(statement.name);
  if (!tables.ok() && tables.status().Is(Code::kNotFound)) {
    Status missing = UserError(ER_DB_DROP_EXISTS, statement.name);
    if (!statement.if_exists) {
      return missing;
    }
    run.session.diagnostics().Note(ER_DB_DROP_EXISTS, std::string(missing.message()));
    run.ok.status |= kStatusDatabaseDropped;
    return {};
  }
  if (!tables.ok()) {
    return std::move(tables).status();
  }
  Status dropped = UntilNotOvertaken(run, [&]() -> Status {
    engine::SchemaChangeOptions how = ChangeOptions(run);
    ASSIGN_OR_RETURN(how.related, RelateDroppedSchema(run, statement.name));
    RETURN_IF_ERROR(RelateTriggersOfSchema(EngineOf(run), statement.name, &how.related));
    return EngineOf(run).DropSchema(statement.name, how);
  });
  if (dropped.Is(Code::kNotFound)) {
    return UserError(ER_DB_DROP_EXISTS, statement.name);
  }
  RETURN_IF_ERROR(dropped);
  run.ok.affected_rows = tables->size();
  run.ok.status |= kStatusDatabaseDropped;
  if (run.session.database() == statement.name) {
    run.session.ForgetDatabase();
  }
  return {};
}

}  // namespace borealis::sql
