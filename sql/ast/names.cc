// Names of enumerators, and the destructors of expressions that hold queries.
#include "sql/ast/query.h"
#include "sql/ast/stmt.h"
#include "sql/ast/trigger.h"

namespace borealis::sql {

InSubquery::InSubquery() : Expr(kKind) {}
InSubquery::~InSubquery() = default;
Exists::Exists() : Expr(kKind) {}
Exists::~Exists() = default;
Quantified::Quantified() : Expr(kKind) {}
Quantified::~Quantified() = default;
Subquery::Subquery() : Expr(kKind) {}
Subquery::~Subquery() = default;

const char* TriggerTimingName(TriggerTiming timing) {
  return timing == TriggerTiming::kBefore ? "BEFORE" : "AFTER";
}

const char* TriggerEventName(TriggerEvent event) {
  switch (event) {
    case TriggerEvent::kInsert:
      return "INSERT";
    case TriggerEvent::kUpdate:
      return "UPDATE";
    case TriggerEvent::kDelete:
      break;
  }
  return "DELETE";
}

const char* StmtKindName(StmtKind kind) {
  switch (kind) {
    case StmtKind::kSelect:
      return "SELECT";
    case StmtKind::kInsert:
      return "INSERT";
    case StmtKind::kUpdate:
      return "UPDATE";
    case StmtKind::kDelete:
      return "DELETE";
    case StmtKind::kLoadData:
      return "LOAD DATA";
    case StmtKind::kDo:
      return "DO";
    case StmtKind::kCall:
      return "CALL";
    case StmtKind::kHandler:
      return "HANDLER";
    case StmtKind::kCreateDatabase:
      return "CREATE DATABASE";
    case StmtKind::kAlterDatabase:
      return "ALTER DATABASE";
    case StmtKind::kDropDatabase:
      return "DROP DATABASE";
    case StmtKind::kCreateTable:
      return "CREATE TABLE";
    case StmtKind::kAlterTable:
      return "ALTER TABLE";
    case StmtKind::kDropTable:
      return "DROP TABLE";
    case StmtKind::kTruncate:
      return "TRUNCATE TABLE";
    case StmtKind::kRenameTable:
      return "RENAME TABLE";
    case StmtKind::kCreateIndex:
      return "CREATE INDEX";
    case StmtKind::kDropIndex:
      return "DROP INDEX";
    case StmtKind::kCreateView:
      return "CREATE VIEW";
    case StmtKind::kDropView:
      return "DROP VIEW";
    case StmtKind::kDropProgram:
      return "DROP PROCEDURE";
    case StmtKind::kCreateTrigger:
      return "CREATE TRIGGER";
    case StmtKind::kDropTrigger:
      return "DROP TRIGGER";
    case StmtKind::kStartTransaction:
      return "START TRANSACTION";
    case StmtKind::kCommit:
      return "COMMIT";
    case StmtKind::kRollback:
      return "ROLLBACK";
    case StmtKind::kSavepoint:
      return "SAVEPOINT";
    case StmtKind::kReleaseSavepoint:
      return "RELEASE SAVEPOINT";
    case StmtKind::kXa:
      return "XA";
    case StmtKind::kSet:
      return "SET";
    case StmtKind::kSetRole:
      return "SET ROLE";
    case StmtKind::kSetDefaultRole:
      return "SET DEFAULT ROLE";
    case StmtKind::kShow:
      return "SHOW";
    case StmtKind::kUse:
      return "USE";
    case StmtKind::kDescribe:
      return "DESCRIBE";
    case StmtKind::kExplain:
      return "EXPLAIN";
    case StmtKind::kExplainConnection:
      return "EXPLAIN FOR CONNECTION";
    case StmtKind::kHelp:
      return "HELP";
    case StmtKind::kKill:
      return "KILL";
    case StmtKind::kPrepare:
      return "PREPARE";
    case StmtKind::kExecute:
      return "EXECUTE";
    case StmtKind::kDeallocate:
      return "DEALLOCATE PREPARE";
    case StmtKind::kLockTables:
      return "LOCK TABLES";
    case StmtKind::kUnlockTables:
      return "UNLOCK TABLES";
    case StmtKind::kLockInstance:
      return "LOCK INSTANCE";
    case StmtKind::kFlush:
      return "FLUSH";
    case StmtKind::kReset:
      return "RESET";
    case StmtKind::kTableMaintenance:
      return "ADMIN TABLE";
    case StmtKind::kCreateUser:
      return "CREATE USER";
    case StmtKind::kAlterUser:
      return "ALTER USER";
    case StmtKind::kDropUser:
      return "DROP USER";
    case StmtKind::kRenameUser:
      return "RENAME USER";
    case StmtKind::kCreateRole:
      return "CREATE ROLE";
    case StmtKind::kDropRole:
      return "DROP ROLE";
    case StmtKind::kGrant:
      return "GRANT";
    case StmtKind::kRevoke:
      return "REVOKE";
    case StmtKind::kShutdown:
      return "SHUTDOWN";
    case StmtKind::kSignal:
      return "SIGNAL";
    case StmtKind::kGetDiagnostics:
      return "GET DIAGNOSTICS";
    case StmtKind::kUnsupported:
      return "unsupported statement";
  }
  return "";
}

}  // namespace borealis::sql
