#include "sql/executor/statement_executor.h"

#include "base/mysql_error.h"
#include "sql/ast/stmt.h"
#include "sql/executor/ddl.h"

namespace borealis::sql {

Status Executor::Execute(StatementRun& run) {
  const StmtKind kind = run.statement.kind;
  switch (kind) {
    case StmtKind::kCreateDatabase:
    case StmtKind::kAlterDatabase:
    case StmtKind::kDropDatabase:
    case StmtKind::kCreateTable:
    case StmtKind::kAlterTable:
    case StmtKind::kDropTable:
    case StmtKind::kTruncate:
    case StmtKind::kRenameTable:
    case StmtKind::kCreateIndex:
    case StmtKind::kDropIndex:
      return ExecuteDefinition(run);
    default:
      return UserError(ER_NOT_SUPPORTED_YET, StmtKindName(kind));
  }
}

}  // namespace borealis::sql
