#include "sql/executor/definition/definition_run.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/invariant.h"
#include "base/mysql_error.h"
#include "row/collation.h"
#include "sql/catalog/temporary_tables.h"
#include "sql/functions/eval_context.h"
#include "sql/session/session.h"

namespace borealis::sql {
namespace {

constexpr size_t kIdentifierChars = 64;

bool BadName(std::string_view name) {
  return name.empty() || name.back() == ' ' || name.find('\0') != std::string_view::npos;
}

// The session's value of an integer variable; 0 where there are no variables.
uint64_t IntegerVariable(const Session& session, std::string_view name) {
  const SystemVariables* variables = session.environment().variables;
  if (variables == nullptr) {
    return 0;
  }
  const auto value = variables->Get(session, VariableScope::kDefault, name);
  INVARIANT(value.ok());
  return value->value.uint_value();
}

}  // namespace

engine::Engine& EngineOf(const StatementRun& run) {
  return *run.session.environment().engine;
}

engine::Engine& EngineOf(const StatementRun& run, const TableDescriptor& table) {
  return table.temporary ? run.session.temporary_tables()->engine() : EngineOf(run);
}

Catalog& CatalogOf(const StatementRun& run) {
  return run.session.catalog();
}

Catalog& StoredCatalogOf(const StatementRun& run) {
  return *run.session.environment().catalog;
}

engine::SchemaChangeOptions ChangeOptions(const StatementRun& run) {
  engine::SchemaChangeOptions options;
  Session* session = &run.session;
  options.killed = [session] { return session->interrupted(); };
  options.session_id = session->identity().connection_id;
  options.table_locks = session->table_locks();
  options.backup_lock = session->backup_lock();
  options.metadata_wait_timeout_us =
      static_cast<int64_t>(session->settings().metadata_lock_wait_timeout_s) * 1'000'000;
  const uint64_t log = IntegerVariable(*session, "innodb_online_alter_log_max_size");
  options.online_log_max_bytes = log != 0 ? log : options.online_log_max_bytes;
  const uint64_t buffer = IntegerVariable(*session, "innodb_ddl_buffer_size");
  options.sort_buffer_bytes = buffer != 0 ? buffer : options.sort_buffer_bytes;
  return options;
}

engine::SchemaChangeOptions ChangeOptions(const StatementRun& run, const TableDescriptor& table) {
  engine::SchemaChangeOptions options = ChangeOptions(run);
  if (table.temporary) {
    options.table_locks = nullptr;
  }
  return options;
}

Result<engine::TableName> ResolveName(const StatementRun& run, const QualifiedName& name) {
  engine::TableName resolved{name.schema, name.name};
  if (resolved.schema.empty()) {
    if (run.session.database().empty()) {
      return UserError(ER_NO_DB_ERROR);
    }
    resolved.schema = run.session.database();
  }
  return resolved;
}

Result<engine::TableName> ResolveForChange(const StatementRun& run, const QualifiedName& name) {
  ASSIGN_OR_RETURN(engine::TableName resolved, ResolveName(run, name));
  RETURN_IF_ERROR(CheckSchemaChangeable(run, resolved.schema));
  if (const auto& locks = run.session.table_locks(); locks != nullptr) {
    RETURN_IF_ERROR(
        CheckTableLock(*locks, resolved.schema, resolved.name, engine::TableUse::kChange));
  }
  return resolved;
}

Result<engine::TableName> ResolveForAlteration(const StatementRun& run, const QualifiedName& name) {
  return run.session.HasTemporary(name) ? ResolveName(run, name) : ResolveForChange(run, name);
}

std::string DottedName(const engine::TableName& name) {
  return name.schema + "." + name.name;
}

namespace {

Result<CatalogEntry> FindBaseTable(const Catalog& catalog, const engine::TableName& name) {
  ASSIGN_OR_RETURN(CatalogEntry entry, catalog.Find(name.schema, name.name));
  if (entry.engine == nullptr) {
    return UserError(ER_NO_SUCH_TABLE, name.schema, name.name);
  }
  if (entry.table->kind == TableKind::kView) {
    return UserError(ER_WRONG_OBJECT, name.schema, name.name, "BASE TABLE");
  }
  return entry;
}

}  // namespace

Result<CatalogEntry> FindBaseTable(const StatementRun& run, const engine::TableName& name) {
  return FindBaseTable(CatalogOf(run), name);
}

Result<CatalogEntry> FindStoredTable(const StatementRun& run, const engine::TableName& name) {
  return FindBaseTable(StoredCatalogOf(run), name);
}

Status CheckIdentifierLength(std::string_view name) {
  if (row::CharCount(name) > kIdentifierChars) {
    return UserError(ER_TOO_LONG_IDENT, name);
  }
  return {};
}

Status CheckDatabaseName(std::string_view name) {
  if (BadName(name)) {
    return UserError(ER_WRONG_DB_NAME, name);
  }
  return CheckIdentifierLength(name);
}

Status CheckTableName(std::string_view name) {
  if (BadName(name)) {
    return UserError(ER_WRONG_TABLE_NAME, name);
  }
  return CheckIdentifierLength(name);
}

Status CheckColumnName(std::string_view name) {
  if (BadName(name)) {
    return UserError(ER_WRONG_COLUMN_NAME, name);
  }
  return CheckIdentifierLength(name);
}

Status CheckPrimaryKeyRequired(const StatementRun& run, const TableDescriptor& table) {
  const SystemVariables* variables = run.session.environment().variables;
  if (variables == nullptr) {
    return {};
  }
  ASSIGN_OR_RETURN(const TypedValue required,
                   variables->Get(run.session, VariableScope::kDefault, "sql_require_primary_key"));
  if (required.value.raw_int() == 0) {
    return {};
  }
  const auto identifies = [&](const IndexDescriptor& index) {
    return index.unique() && std::ranges::all_of(index.parts, [&](const IndexPart& part) {
             return !table.columns[part.column].type.nullable && part.prefix_length == 0;
           });
  };
  return std::ranges::any_of(table.indexes, identifies) ? Status::Ok()
                                                        : UserError(ER_TABLE_WITHOUT_PK);
}

Status CheckSchemaChangeable(const StatementRun& run, std::string_view schema) {
  if (CatalogOf(run).IsSystemSchema(schema)) {
    const SessionIdentity& who = run.session.identity();
    return UserError(ER_DBACCESS_DENIED_ERROR, who.account_user, who.account_host, schema);
  }
  return {};
}

Status Unsupported(std::string_view construct) {
  return UserError(ER_NOT_SUPPORTED_YET, construct);
}

row::ConversionContext DefinitionConversion(const StatementRun& run, std::string_view column) {
  row::ConversionContext context = run.session.eval_context().conversion;
  context.strict = true;
  context.column = column;
  context.row_number = 1;
  context.warnings = nullptr;
  return context;
}

}  // namespace borealis::sql
