// Statements about transactions, the session, the server, accounts, and what is there to SHOW.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sql/ast/expr.h"
#include "sql/ast/node.h"
#include "sql/ast/stmt.h"

namespace borealis::sql {

// START TRANSACTION and BEGIN.
struct StartTransactionStmt final : Stmt {
  static constexpr StmtKind kKind = StmtKind::kStartTransaction;
  StartTransactionStmt() : Stmt(kKind) {}
  bool consistent_snapshot = false;
  std::optional<bool> read_only;  // READ ONLY / READ WRITE as written
};

enum class Completion : uint8_t { kDefault, kYes, kNo };  // CHAIN / NO CHAIN, RELEASE / NO RELEASE

struct CommitStmt final : Stmt {
  static constexpr StmtKind kKind = StmtKind::kCommit;
  CommitStmt() : Stmt(kKind) {}
  Completion chain = Completion::kDefault;
  Completion release = Completion::kDefault;
};

struct RollbackStmt final : Stmt {
  static constexpr StmtKind kKind = StmtKind::kRollback;
  RollbackStmt() : Stmt(kKind) {}
  Completion chain = Completion::kDefault;
  Completion release = Completion::kDefault;
  std::string savepoint;  // ROLLBACK TO SAVEPOINT name; empty: the whole transaction
};

struct SavepointStmt final : Stmt {
  static constexpr StmtKind kKind = StmtKind::kSavepoint;
  SavepointStmt() : Stmt(kKind) {}
  std::string name;
};

struct ReleaseSavepointStmt final : Stmt {
  static constexpr StmtKind kKind = StmtKind::kReleaseSavepoint;
  ReleaseSavepointStmt() : Stmt(kKind) {}
  std::string name;
};

struct XaStmt final : Stmt {
  static constexpr StmtKind kKind = StmtKind::kXa;
  XaStmt() : Stmt(kKind) {}
  std::string verb;  // "START", "END", "PREPARE", "COMMIT", "ROLLBACK", "RECOVER"
};

enum class IsolationLevel : uint8_t {
  kReadUncommitted,
  kReadCommitted,
  kRepeatableRead,
  kSerializable,
};

// One item of SET, in the order written.
struct SetItem {
  enum class Kind : uint8_t {
    kUserVariable,    // @name = value
    kSystemVariable,  // scope, name, value (null for DEFAULT)
    kNames,        // SET NAMES charset [COLLATE collation]; name = charset, "default" for DEFAULT
    kCharset,      // SET CHARACTER SET charset
    kTransaction,  // SET [scope] TRANSACTION …: isolation, read_only
    kPassword,     // SET PASSWORD [FOR account] = 'text'
  };
  Kind kind = Kind::kSystemVariable;
  VariableScope scope = VariableScope::kDefault;
  std::string name;
  ExprPtr value;  // a bare word (ON, utf8mb4, STRICT_ALL_TABLES) arrives as a ColumnRef, ON and
                  // other keywords as a string Literal, as in MySQL
  std::string collation;
  std::optional<IsolationLevel> isolation;
  std::optional<bool> read_only;
  std::optional<AccountName> account;
  std::string password;
  bool random_password = false;
  std::optional<std::string> current_password;  // REPLACE 'text'
  bool retain_current_password = false;
};

struct SetStmt final : Stmt {
  static constexpr StmtKind kKind = StmtKind::kSet;
  SetStmt() : Stmt(kKind) {}
  std::vector<SetItem> items;
};

enum class RoleSelection : uint8_t { kNone, kDefault, kAll, kAllExcept, kList };

struct SetRoleStmt final : Stmt {
  static constexpr StmtKind kKind = StmtKind::kSetRole;
  SetRoleStmt() : Stmt(kKind) {}
  RoleSelection selection = RoleSelection::kNone;
  std::vector<AccountName> roles;
};

struct SetDefaultRoleStmt final : Stmt {
  static constexpr StmtKind kKind = StmtKind::kSetDefaultRole;
  SetDefaultRoleStmt() : Stmt(kKind) {}
  RoleSelection selection = RoleSelection::kNone;
  std::vector<AccountName> roles;
  std::vector<AccountName> accounts;
};

enum class ShowKind : uint8_t {
  kBinaryLogs,
  kBinaryLogStatus,  // also SHOW MASTER STATUS
  kBinlogEvents,
  kCharacterSet,
  kCollation,
  kColumns,  // table, schema
  kCountErrors,
  kCountWarnings,
  kCreateDatabase,  // name, if_not_exists
  kCreateEvent,
  kCreateFunction,
  kCreateProcedure,
  kCreateTable,  // table
  kCreateTrigger,
  kCreateUser,  // account
  kCreateView,  // table
  kDatabases,
  kEngine,  // name, engine_part ("STATUS", "MUTEX", "LOGS")
  kEngines,
  kErrors,
  kEvents,
  kFunctionStatus,
  kGrants,   // account (empty: current user), roles
  kIndexes,  // table
  kOpenTables,
  kPlugins,
  kPrivileges,
  kProcedureStatus,
  kProcesslist,
  kProfile,
  kProfiles,
  kRelaylogEvents,
  kReplicas,       // SHOW REPLICAS | SLAVE HOSTS
  kReplicaStatus,  // SHOW REPLICA | SLAVE STATUS
  kStatus,
  kTables,
  kTableStatus,
  kTriggers,
  kVariables,
  kWarnings,
};

struct ShowStmt final : Stmt {
  static constexpr StmtKind kKind = StmtKind::kShow;
  ShowStmt() : Stmt(kKind) {}
  ShowKind show = ShowKind::kDatabases;
  bool full = false;                              // FULL TABLES, FULL COLUMNS, FULL PROCESSLIST
  bool extended = false;                          // EXTENDED COLUMNS, INDEX, TABLES
  VariableScope scope = VariableScope::kDefault;  // GLOBAL / SESSION of VARIABLES and STATUS
  bool if_not_exists = false;
  QualifiedName table;  // kColumns, kIndexes, kCreate*
  std::string schema;   // FROM|IN schema of TABLES, TABLE STATUS, TRIGGERS, EVENTS, OPEN TABLES
  std::string name;     // database, engine, log file
  std::string engine_part;
  std::optional<AccountName> account;
  std::vector<AccountName> roles;
  std::optional<std::string> like;
  ExprPtr where;
  std::optional<LimitClause> limit;
};

struct UseStmt final : Stmt {
  static constexpr StmtKind kKind = StmtKind::kUse;
  UseStmt() : Stmt(kKind) {}
  std::string name;
};

// DESCRIBE table [column | 'pattern']
struct DescribeStmt final : Stmt {
  static constexpr StmtKind kKind = StmtKind::kDescribe;
  DescribeStmt() : Stmt(kKind) {}
  QualifiedName table;
  std::optional<std::string> column;  // as a LIKE pattern when written as a string
};

enum class ExplainFormat : uint8_t { kDefault, kTraditional, kTree, kJson };

struct ExplainStmt final : Stmt {
  static constexpr StmtKind kKind = StmtKind::kExplain;
  ExplainStmt() : Stmt(kKind) {}
  bool analyze = false;
  ExplainFormat format = ExplainFormat::kDefault;
  StmtPtr statement;  // SELECT, INSERT, UPDATE, DELETE
};

struct ExplainConnectionStmt final : Stmt {
  static constexpr StmtKind kKind = StmtKind::kExplainConnection;
  ExplainConnectionStmt() : Stmt(kKind) {}
  ExplainFormat format = ExplainFormat::kDefault;
  uint64_t connection_id = 0;
};

struct HelpStmt final : Stmt {
  static constexpr StmtKind kKind = StmtKind::kHelp;
  HelpStmt() : Stmt(kKind) {}
  std::string topic;
};

struct KillStmt final : Stmt {
  static constexpr StmtKind kKind = StmtKind::kKill;
  KillStmt() : Stmt(kKind) {}
  bool query_only = false;
  ExprPtr connection_id;
};

struct PrepareStmt final : Stmt {
  static constexpr StmtKind kKind = StmtKind::kPrepare;
  PrepareStmt() : Stmt(kKind) {}
  std::string name;
  bool from_variable = false;
  std::string text;  // statement text, or the user variable that holds it
};

struct ExecuteStmt final : Stmt {
  static constexpr StmtKind kKind = StmtKind::kExecute;
  ExecuteStmt() : Stmt(kKind) {}
  std::string name;
  std::vector<std::string> variables;  // USING @a, @b
};

struct DeallocateStmt final : Stmt {
  static constexpr StmtKind kKind = StmtKind::kDeallocate;
  DeallocateStmt() : Stmt(kKind) {}
  std::string name;
};

enum class TableLockKind : uint8_t { kRead, kReadLocal, kWrite, kLowPriorityWrite };

struct LockTablesStmt final : Stmt {
  static constexpr StmtKind kKind = StmtKind::kLockTables;
  LockTablesStmt() : Stmt(kKind) {}
  struct Item {
    QualifiedName table;
    std::string alias;
    TableLockKind lock = TableLockKind::kRead;
  };
  std::vector<Item> items;
};

struct UnlockTablesStmt final : Stmt {
  static constexpr StmtKind kKind = StmtKind::kUnlockTables;
  UnlockTablesStmt() : Stmt(kKind) {}
};

struct LockInstanceStmt final : Stmt {
  static constexpr StmtKind kKind = StmtKind::kLockInstance;
  LockInstanceStmt() : Stmt(kKind) {}
  bool unlock = false;
};

struct FlushStmt final : Stmt {
  static constexpr StmtKind kKind = StmtKind::kFlush;
  FlushStmt() : Stmt(kKind) {}
  bool no_write_to_binlog = false;  // NO_WRITE_TO_BINLOG or LOCAL
  std::vector<std::string> what;  // upper case: "PRIVILEGES", "TABLES", "ENGINE LOGS", "STATUS" …
  std::vector<QualifiedName> tables;
  bool with_read_lock = false;
  bool for_export = false;
};

struct ResetStmt final : Stmt {
  static constexpr StmtKind kKind = StmtKind::kReset;
  ResetStmt() : Stmt(kKind) {}
  std::vector<std::string> what;  // "MASTER", "REPLICA", "PERSIST name", "BINARY LOGS AND GTIDS"
};

struct TableMaintenanceStmt final : Stmt {
  static constexpr StmtKind kKind = StmtKind::kTableMaintenance;
  TableMaintenanceStmt() : Stmt(kKind) {}
  enum class Verb : uint8_t { kAnalyze, kOptimize, kCheck, kRepair, kChecksum };
  Verb verb = Verb::kAnalyze;
  bool no_write_to_binlog = false;
  std::vector<QualifiedName> tables;
  std::vector<std::string> options;  // upper case: "QUICK", "EXTENDED", "FOR UPGRADE" …
  // ANALYZE TABLE t UPDATE | DROP HISTOGRAM ON columns
  bool update_histogram = false;
  bool drop_histogram = false;
  std::vector<std::string> histogram_columns;
};

struct UserSpec {
  AccountName account;
  bool identified = false;
  std::string plugin;                   // IDENTIFIED WITH plugin
  std::optional<std::string> password;  // BY 'text'
  std::optional<std::string> hash;      // AS 'hash'
  bool random_password = false;
  std::optional<std::string> current_password;  // REPLACE 'text'
  bool discard_old_password = false;
  bool retain_current_password = false;
};

// An option that follows the accounts, e.g. "REQUIRE SSL", "ACCOUNT LOCK",
// "PASSWORD EXPIRE NEVER", "MAX_QUERIES_PER_HOUR", "COMMENT": upper-case words, and a value.
struct AccountOption {
  std::string name;
  std::string text;
  std::optional<uint64_t> number;
};

struct CreateUserStmt final : Stmt {
  static constexpr StmtKind kKind = StmtKind::kCreateUser;
  CreateUserStmt() : Stmt(kKind) {}
  bool if_not_exists = false;
  std::vector<UserSpec> users;
  std::vector<AccountName> default_roles;
  std::vector<AccountOption> options;
};

struct AlterUserStmt final : Stmt {
  static constexpr StmtKind kKind = StmtKind::kAlterUser;
  AlterUserStmt() : Stmt(kKind) {}
  bool if_exists = false;
  std::vector<UserSpec> users;
  std::optional<RoleSelection> default_role;
  std::vector<AccountName> default_roles;
  std::vector<AccountOption> options;
};

struct DropUserStmt final : Stmt {
  static constexpr StmtKind kKind = StmtKind::kDropUser;
  DropUserStmt() : Stmt(kKind) {}
  bool if_exists = false;
  std::vector<AccountName> users;
};

struct RenameUserStmt final : Stmt {
  static constexpr StmtKind kKind = StmtKind::kRenameUser;
  RenameUserStmt() : Stmt(kKind) {}
  std::vector<std::pair<AccountName, AccountName>> renames;
};

struct CreateRoleStmt final : Stmt {
  static constexpr StmtKind kKind = StmtKind::kCreateRole;
  CreateRoleStmt() : Stmt(kKind) {}
  bool if_not_exists = false;
  std::vector<AccountName> roles;
};

struct DropRoleStmt final : Stmt {
  static constexpr StmtKind kKind = StmtKind::kDropRole;
  DropRoleStmt() : Stmt(kKind) {}
  bool if_exists = false;
  std::vector<AccountName> roles;
};

struct PrivilegeSpec {
  std::string name;  // upper case words: "SELECT", "CREATE VIEW", "ALL PRIVILEGES",
                     // "BACKUP_ADMIN"
  std::vector<std::string> columns;
};

enum class GrantObject : uint8_t { kTable, kFunction, kProcedure };

// GRANT privileges ON object TO users, GRANT roles TO users, GRANT PROXY ON user TO users.
struct GrantStmt final : Stmt {
  static constexpr StmtKind kKind = StmtKind::kGrant;
  GrantStmt() : Stmt(kKind) {}
  std::vector<PrivilegeSpec> privileges;
  std::vector<AccountName> roles;    // the role form; `privileges` is then empty
  std::optional<AccountName> proxy;  // the proxy form
  GrantObject object = GrantObject::kTable;
  // *.* : both "*"; schema.* : name is "*"; * : schema empty, name "*".
  QualifiedName target;
  std::vector<UserSpec> users;
  bool with_grant_option = false;
  bool with_admin_option = false;
};

struct RevokeStmt final : Stmt {
  static constexpr StmtKind kKind = StmtKind::kRevoke;
  RevokeStmt() : Stmt(kKind) {}
  bool if_exists = false;
  bool ignore_unknown_user = false;
  bool all_and_grant_option = false;  // REVOKE ALL PRIVILEGES, GRANT OPTION FROM …
  std::vector<PrivilegeSpec> privileges;
  std::vector<AccountName> roles;
  std::optional<AccountName> proxy;
  GrantObject object = GrantObject::kTable;
  QualifiedName target;
  std::vector<AccountName> users;
};

struct ShutdownStmt final : Stmt {
  static constexpr StmtKind kKind = StmtKind::kShutdown;
  ShutdownStmt() : Stmt(kKind) {}
  bool restart = false;
};

// SIGNAL and RESIGNAL.
struct SignalStmt final : Stmt {
  static constexpr StmtKind kKind = StmtKind::kSignal;
  SignalStmt() : Stmt(kKind) {}
  bool resignal = false;
  std::string sqlstate;   // SQLSTATE '45000'
  std::string condition;  // or a condition name; in stored programs the parser has looked it up
  struct Item {
    std::string name;  // upper case: "MESSAGE_TEXT", "MYSQL_ERRNO" …
    ExprPtr value;
  };
  std::vector<Item> items;
};

struct GetDiagnosticsStmt final : Stmt {
  static constexpr StmtKind kKind = StmtKind::kGetDiagnostics;
  GetDiagnosticsStmt() : Stmt(kKind) {}
  bool stacked = false;
  ExprPtr condition;  // CONDITION n; null: statement information
  struct Item {
    std::string variable;          // user variable
    std::optional<uint32_t> slot;  // or a variable of a stored program
    std::string name;              // upper case: "NUMBER", "ROW_COUNT", "MESSAGE_TEXT" …
  };
  std::vector<Item> items;
};

// A statement MySQL has and this version does not, e.g. "CREATE PROCEDURE". The rest of its text is
// not examined.
struct UnsupportedStmt final : Stmt {
  static constexpr StmtKind kKind = StmtKind::kUnsupported;
  UnsupportedStmt() : Stmt(kKind) {}
  std::string construct;
};

}  // namespace borealis::sql
