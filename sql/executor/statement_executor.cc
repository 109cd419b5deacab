#include "sql/executor/statement_executor.h"

#include "base/mysql_error.h"
#include "sql/ast/stmt.h"

namespace borealis::sql {

Status Executor::Execute(StatementRun& run) {
  const StmtKind kind = run.statement.kind;
  switch (kind) {
    default:
      return UserError(ER_NOT_SUPPORTED_YET, StmtKindName(kind));
  }
}

}  // namespace borealis::sql
