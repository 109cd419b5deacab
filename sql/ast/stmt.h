// Statement kinds, and the statements that read or change rows. DDL is in ddl.h, everything else in
// admin.h.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sql/ast/expr.h"
#include "sql/ast/node.h"
#include "sql/ast/query.h"
#include "sql/ast/value_rows.h"

namespace borealis::sql {

enum class StmtKind : uint8_t {
  // stmt.h
  kSelect,
  kInsert,
  kUpdate,
  kDelete,
  kLoadData,
  kDo,
  kCall,
  kHandler,
  // ddl.h
  kCreateDatabase,
  kAlterDatabase,
  kDropDatabase,
  kCreateTable,
  kAlterTable,
  kDropTable,
  kTruncate,
  kRenameTable,
  kCreateIndex,
  kDropIndex,
  kCreateView,
  kDropView,
  kDropProgram,
  kCreateTrigger,
  kDropTrigger,
  // admin.h
  kStartTransaction,
  kCommit,
  kRollback,
  kSavepoint,
  kReleaseSavepoint,
  kXa,
  kSet,
  kSetRole,
  kSetDefaultRole,
  kShow,
  kUse,
  kDescribe,
  kExplain,
  kExplainConnection,
  kHelp,
  kKill,
  kPrepare,
  kExecute,
  kDeallocate,
  kLockTables,
  kUnlockTables,
  kLockInstance,
  kFlush,
  kReset,
  kTableMaintenance,
  kCreateUser,
  kAlterUser,
  kDropUser,
  kRenameUser,
  kCreateRole,
  kDropRole,
  kGrant,
  kRevoke,
  kShutdown,
  kSignal,
  kGetDiagnostics,
  kUnsupported,
};

// "SELECT", "CREATE TABLE", …: for messages and statistics.
const char* StmtKindName(StmtKind kind);

// SELECT, VALUES, TABLE, WITH …, (SELECT …) UNION ….
struct SelectStmt final : Stmt {
  static constexpr StmtKind kKind = StmtKind::kSelect;
  SelectStmt() : Stmt(kKind) {}
  QueryPtr query;
};

enum class WritePriority : uint8_t { kNormal, kLow, kHigh, kDelayed };

// column = value; the column may be qualified.
struct Assignment {
  ColumnRef column;
  ExprPtr value;  // DefaultExpr without column for DEFAULT
};
using AssignmentPtr = std::unique_ptr<Assignment>;

// INSERT and REPLACE. Exactly one source: `rows`, or `query` (SELECT, TABLE, VALUES ROW(), WITH).
// INSERT … SET a = 1 arrives as columns and one row.
struct InsertStmt final : Stmt {
  static constexpr StmtKind kKind = StmtKind::kInsert;
  InsertStmt() : Stmt(kKind) {}
  bool replace = false;
  bool ignore = false;
  bool set_form = false;  // written with SET
  WritePriority priority = WritePriority::kNormal;
  std::vector<std::string> hints;
  QualifiedName table;
  std::vector<std::string> partitions;
  bool has_columns = false;  // a column list, possibly empty, was written
  std::vector<std::unique_ptr<ColumnRef>> columns;
  ValueRows rows;
  QueryPtr query;
  std::string row_alias;  // VALUES (…) AS row_alias(column_aliases)
  std::vector<std::string> column_aliases;
  std::vector<AssignmentPtr> on_duplicate;
};

// Single-table when `tables` is one TableRefName and `multi` is false.
struct UpdateStmt final : Stmt {
  static constexpr StmtKind kKind = StmtKind::kUpdate;
  UpdateStmt() : Stmt(kKind) {}
  std::unique_ptr<WithClause> with;
  bool multi = false;
  bool ignore = false;
  bool low_priority = false;
  std::vector<std::string> hints;
  std::vector<TableRefPtr> tables;
  std::vector<AssignmentPtr> assignments;
  ExprPtr where;
  std::vector<OrderItem> order_by;   // single-table only
  std::optional<LimitClause> limit;  // single-table only
};

// Single-table: `tables` holds one TableRefName and `targets` is empty. Multi-table
// (DELETE t1, t2 FROM … or DELETE FROM t1, t2 USING …): `targets` names tables or aliases of
// `tables`.
struct DeleteStmt final : Stmt {
  static constexpr StmtKind kKind = StmtKind::kDelete;
  DeleteStmt() : Stmt(kKind) {}
  std::unique_ptr<WithClause> with;
  bool ignore = false;
  bool low_priority = false;
  bool quick = false;
  std::vector<std::string> hints;
  std::vector<QualifiedName> targets;
  std::vector<TableRefPtr> tables;
  ExprPtr where;
  std::vector<OrderItem> order_by;   // single-table only
  std::optional<LimitClause> limit;  // single-table only
};

struct LoadDataStmt final : Stmt {
  static constexpr StmtKind kKind = StmtKind::kLoadData;
  LoadDataStmt() : Stmt(kKind) {}
  bool xml = false;
  bool local = false;
  bool ignore = false;
  bool replace = false;
  WritePriority priority = WritePriority::kNormal;
  bool concurrent = false;
  std::string file;
  QualifiedName table;
  std::vector<std::string> partitions;
  FileFormat format;
  std::string rows_identified_by;  // XML
  uint64_t ignore_lines = 0;
  std::vector<ExprPtr> columns;  // ColumnRef or UserVariable
  std::vector<AssignmentPtr> assignments;
};

struct DoStmt final : Stmt {
  static constexpr StmtKind kKind = StmtKind::kDo;
  DoStmt() : Stmt(kKind) {}
  SelectStmt select;  // whose rows nobody is sent
};

struct CallStmt final : Stmt {
  static constexpr StmtKind kKind = StmtKind::kCall;
  CallStmt() : Stmt(kKind) {}
  QualifiedName procedure;
  std::vector<ExprPtr> args;
};

// HANDLER t OPEN | CLOSE | READ …: recognised so that it can be refused by name.
struct HandlerStmt final : Stmt {
  static constexpr StmtKind kKind = StmtKind::kHandler;
  HandlerStmt() : Stmt(kKind) {}
  enum class Action : uint8_t { kOpen, kClose, kRead };
  Action action = Action::kOpen;
  QualifiedName table;
  std::string alias;
  std::string index;           // READ index …
  std::string read_operation;  // "first", "next", "prev", "last", "=", "<=", …
  std::vector<ExprPtr> key;
  ExprPtr where;
  std::optional<LimitClause> limit;
};

}  // namespace borealis::sql
