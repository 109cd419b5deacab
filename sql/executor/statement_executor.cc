#include "sql/executor/statement_executor.h"

#include "base/mysql_error.h"
#include "sql/ast/admin.h"
#include "sql/ast/stmt.h"
#include "sql/executor/accounts/account_statements.h"
#include "sql/executor/accounts/privilege_checks.h"
#include "sql/executor/admin.h"
#include "sql/executor/change/change.h"
#include "sql/executor/change/insert.h"
#include "sql/executor/change/load_data.h"
#include "sql/executor/definition/ddl.h"
#include "sql/executor/diagnostics_statements.h"
#include "sql/executor/show/show.h"
#include "sql/executor/variables/set_statement.h"
#include "sql/session/session.h"

namespace borealis::sql {
namespace {

// There are no stored procedures.
Status ExecuteCall(const StatementRun& run) {
  const QualifiedName& procedure = run.statement.As<CallStmt>().procedure;
  const std::string& schema = procedure.schema.empty() ? run.session.database() : procedure.schema;
  if (schema.empty()) {
    return UserError(ER_NO_DB_ERROR);
  }
  return UserError(ER_SP_DOES_NOT_EXIST, "PROCEDURE", schema + "." + procedure.name);
}

}  // namespace

Status Executor::Execute(StatementRun& run) {
  RETURN_IF_ERROR(CheckPrivileges(run));
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
    case StmtKind::kCreateView:
    case StmtKind::kDropView:
    case StmtKind::kDropProgram:
    case StmtKind::kCreateTrigger:
    case StmtKind::kDropTrigger:
      return ExecuteDefinition(run);
    case StmtKind::kInsert:
      return ExecuteInsert(run);
    case StmtKind::kLoadData:
      return ExecuteLoadData(run);
    case StmtKind::kUpdate:
      return ExecuteUpdate(run);
    case StmtKind::kDelete:
      return ExecuteDelete(run);
    case StmtKind::kSet:
      return ExecuteSet(run);
    case StmtKind::kSignal:
      return ExecuteSignal(run);
    case StmtKind::kGetDiagnostics:
      return ExecuteGetDiagnostics(run);
    case StmtKind::kShow:
      return ExecuteShow(run);
    case StmtKind::kDescribe:
      return ExecuteDescribe(run);
    case StmtKind::kUse:
      return ExecuteUse(run);
    case StmtKind::kKill:
      return ExecuteKill(run);
    case StmtKind::kFlush:
      return ExecuteFlush(run);
    case StmtKind::kLockInstance:
      return ExecuteLockInstance(run);
    case StmtKind::kTableMaintenance:
      return ExecuteTableMaintenance(run);
    case StmtKind::kShutdown:
      return ExecuteShutdown(run);
    case StmtKind::kUnlockTables:
      return ExecuteUnlockTables(run);
    case StmtKind::kLockTables:
      return ExecuteLockTables(run);
    case StmtKind::kCreateUser:
      return ExecuteCreateUser(run);
    case StmtKind::kAlterUser:
      return ExecuteAlterUser(run);
    case StmtKind::kDropUser:
    case StmtKind::kDropRole:
      return ExecuteDropUser(run);
    case StmtKind::kRenameUser:
      return ExecuteRenameUser(run);
    case StmtKind::kCreateRole:
      return ExecuteCreateRole(run);
    case StmtKind::kGrant:
      return ExecuteGrant(run);
    case StmtKind::kRevoke:
      return ExecuteRevoke(run);
    case StmtKind::kSetRole:
      return ExecuteSetRole(run);
    case StmtKind::kSetDefaultRole:
      return ExecuteSetDefaultRole(run);
    case StmtKind::kCall:
      return ExecuteCall(run);
    case StmtKind::kUnsupported:
      return UserError(ER_NOT_SUPPORTED_YET, run.statement.As<UnsupportedStmt>().construct);
    default:
      return UserError(ER_NOT_SUPPORTED_YET, StmtKindName(kind));
  }
}

}  // namespace borealis::sql
