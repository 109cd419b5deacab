// What all definition statements need of their surroundings: names, the engine's options, and the
// engine's errors in MySQL's words.
#pragma once

#include <string>
#include <string_view>

#include "base/mysql_error.h"
#include "base/result.h"
#include "engine/engine.h"
#include "engine/schema_change.h"
#include "row/convert.h"
#include "sql/ast/ddl.h"
#include "sql/binder/column_type.h"
#include "sql/catalog/catalog.h"
#include "sql/executor/executor.h"
#include "sql/session/session.h"

namespace borealis::sql {

// The instance's, and the one that has the table.
engine::Engine& EngineOf(const StatementRun& run);
engine::Engine& EngineOf(const StatementRun& run, const TableDescriptor& table);
// What names mean to the session, and to everybody: without its temporary tables.
Catalog& CatalogOf(const StatementRun& run);
Catalog& StoredCatalogOf(const StatementRun& run);

// Works out a schema change and makes it, again while other changes come in between (kRetry).
template <class Work>
Status UntilNotOvertaken(const StatementRun& run, const Work& work) {
  constexpr int kAttemptsMax = 10;
  for (int attempt = 1;; ++attempt) {
    Status status = work();
    if (!status.Is(Code::kRetry)) {
      return status;
    }
    if (attempt == kAttemptsMax) {
      return UserError(ER_TABLE_DEF_CHANGED);
    }
    RETURN_IF_ERROR(run.session.CheckInterrupt());
  }
}

// Kill, timeouts and the session's id for a schema change.
engine::SchemaChangeOptions ChangeOptions(const StatementRun& run);
// The same for a change of `table`: a temporary one has nothing to do with LOCK TABLES.
engine::SchemaChangeOptions ChangeOptions(const StatementRun& run, const TableDescriptor& table);

// The table that a name means; errors: 1046 without a current database, 1044 in a system schema.
Result<engine::TableName> ResolveForChange(const StatementRun& run, const QualifiedName& name);
// The same for what may be a temporary table of the session, which LOCK TABLES does not concern.
Result<engine::TableName> ResolveForAlteration(const StatementRun& run, const QualifiedName& name);
// The same without the refusal of system schemas.
Result<engine::TableName> ResolveName(const StatementRun& run, const QualifiedName& name);
// "db.t" for messages.
std::string DottedName(const engine::TableName& name);

// The open table as of now; errors 1146, 1049, 1347 for a view.
Result<CatalogEntry> FindBaseTable(const StatementRun& run, const engine::TableName& name);
// The same without temporary tables.
Result<CatalogEntry> FindStoredTable(const StatementRun& run, const engine::TableName& name);

// Errors: 1102, 1103, 1166, 1059.
Status CheckDatabaseName(std::string_view name);
Status CheckTableName(std::string_view name);
Status CheckColumnName(std::string_view name);
Status CheckIdentifierLength(std::string_view name);

// 3750: sql_require_primary_key asks for a primary key or a unique one without NULL.
Status CheckPrimaryKeyRequired(const StatementRun& run, const TableDescriptor& table);

// A system schema may not be changed: 1044.
Status CheckSchemaChangeable(const StatementRun& run, std::string_view schema);

Status Unsupported(std::string_view construct);  // 1235

// Conversion of values written in a definition, under the session's modes and strict.
row::ConversionContext DefinitionConversion(const StatementRun& run, std::string_view column);

}  // namespace borealis::sql
