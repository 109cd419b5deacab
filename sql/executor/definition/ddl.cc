#include "sql/executor/definition/ddl.h"

#include "base/mysql_error.h"
#include "sql/ast/ddl.h"
#include "sql/executor/definition/definition_run.h"
#include "sql/executor/definition/definition_statements.h"

namespace borealis::sql {

Status ExecuteDefinition(StatementRun& run) {
  const Stmt& statement = run.statement;
  switch (statement.kind) {
    case StmtKind::kCreateDatabase:
      return CreateDatabase(run, statement.As<CreateDatabaseStmt>());
    case StmtKind::kAlterDatabase:
      return AlterDatabase(run, statement.As<AlterDatabaseStmt>());
    case StmtKind::kDropDatabase:
      return DropDatabase(run, statement.As<DropDatabaseStmt>());
    case StmtKind::kCreateTable:
      return CreateTable(run, statement.As<CreateTableStmt>());
    case StmtKind::kAlterTable:
      return AlterTable(run, statement.As<AlterTableStmt>());
    case StmtKind::kDropTable:
      return DropTable(run, statement.As<DropTableStmt>());
    case StmtKind::kTruncate:
      return TruncateTable(run, statement.As<TruncateStmt>());
    case StmtKind::kRenameTable:
      return RenameTable(run, statement.As<RenameTableStmt>());
    case StmtKind::kCreateIndex:
      return CreateIndex(run, statement.As<CreateIndexStmt>());
    case StmtKind::kDropIndex:
      return DropIndex(run, statement.As<DropIndexStmt>());
    case StmtKind::kCreateView:
      return CreateView(run, statement.As<CreateViewStmt>());
    case StmtKind::kDropView:
      return DropView(run, statement.As<DropViewStmt>());
    case StmtKind::kDropProgram:
      return DropProgram(run, statement.As<DropProgramStmt>());
    case StmtKind::kCreateTrigger:
      return CreateTrigger(run, statement.As<CreateTriggerStmt>());
    case StmtKind::kDropTrigger:
      return DropTrigger(run, statement.As<DropTriggerStmt>());
    default:
      return Unsupported(StmtKindName(statement.kind));
  }
}

}  // namespace borealis::sql
