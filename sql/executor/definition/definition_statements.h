// The definition statements, one function each; ddl.cc dispatches.
#pragma once

#include <vector>

#include "engine/schema_change.h"
#include "sql/ast/ddl.h"
#include "sql/executor/executor.h"

namespace borealis::sql {

// database_definition.cc
Status CreateDatabase(StatementRun& run, const CreateDatabaseStmt& statement);
Status AlterDatabase(StatementRun& run, const AlterDatabaseStmt& statement);
Status DropDatabase(StatementRun& run, const DropDatabaseStmt& statement);

// create_table.cc
Status CreateTable(StatementRun& run, const CreateTableStmt& statement);

// drop_table.cc
Status DropTable(StatementRun& run, const DropTableStmt& statement);
// All or none. `checks`: 3730 when a table is left that refers to one of them.
Status DropTablesWithKeys(StatementRun& run, const std::vector<engine::TableName>& tables,
                          bool checks);
Status TruncateTable(StatementRun& run, const TruncateStmt& statement);
Status RenameTable(StatementRun& run, const RenameTableStmt& statement);

// alter_table.cc
Status AlterTable(StatementRun& run, const AlterTableStmt& statement);
Status CreateIndex(StatementRun& run, const CreateIndexStmt& statement);
Status DropIndex(StatementRun& run, const DropIndexStmt& statement);

// view_definition.cc
Status CreateView(StatementRun& run, const CreateViewStmt& statement);
Status DropView(StatementRun& run, const DropViewStmt& statement);

// trigger_definition.cc
Status CreateTrigger(StatementRun& run, const CreateTriggerStmt& statement);
Status DropTrigger(StatementRun& run, const DropTriggerStmt& statement);

// drop_program.cc
Status DropProgram(StatementRun& run, const DropProgramStmt& statement);

}  // namespace borealis::sql
