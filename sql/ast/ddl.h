// Data definition statements. Constraints written on a column (PRIMARY KEY, UNIQUE, CHECK,
// REFERENCES) stay in its ColumnDefinition; the binder decides how they become indexes.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sql/ast/expr.h"
#include "sql/ast/node.h"
#include "sql/ast/program.h"
#include "sql/ast/query.h"
#include "sql/ast/stmt.h"
#include "sql/ast/trigger.h"
#include "sql/ast/type_name.h"
#include "sql/ast/view.h"

namespace borealis::sql {

struct DatabaseOptions {
  std::optional<std::string> charset;  // lower case; "default" for CHARACTER SET DEFAULT
  std::optional<std::string> collation;
  std::optional<bool> encryption;
  std::optional<bool> read_only;  // ALTER DATABASE … READ ONLY = 1
};

struct CreateDatabaseStmt final : Stmt {
  static constexpr StmtKind kKind = StmtKind::kCreateDatabase;
  CreateDatabaseStmt() : Stmt(kKind) {}
  std::string name;
  bool if_not_exists = false;
  DatabaseOptions options;
};

struct AlterDatabaseStmt final : Stmt {
  static constexpr StmtKind kKind = StmtKind::kAlterDatabase;
  AlterDatabaseStmt() : Stmt(kKind) {}
  std::string name;  // empty: the current one
  DatabaseOptions options;
};

struct DropDatabaseStmt final : Stmt {
  static constexpr StmtKind kKind = StmtKind::kDropDatabase;
  DropDatabaseStmt() : Stmt(kKind) {}
  std::string name;
  bool if_exists = false;
};

enum class ReferenceAction : uint8_t {
  kUnspecified,
  kRestrict,
  kCascade,
  kSetNull,
  kNoAction,
  kSetDefault,
};
enum class ReferenceMatch : uint8_t { kUnspecified, kFull, kPartial, kSimple };

struct References {
  QualifiedName table;
  std::vector<std::string> columns;
  ReferenceMatch match = ReferenceMatch::kUnspecified;
  ReferenceAction on_delete = ReferenceAction::kUnspecified;
  ReferenceAction on_update = ReferenceAction::kUnspecified;
};

struct CheckConstraint {
  std::string name;  // empty: generated
  ExprPtr expr;
  Span expr_span;
  bool enforced = true;
  size_t columns_before = 0;  // of CREATE TABLE: where it stands among the columns
};

// DEFAULT as written. A literal (possibly signed) or NOW() is `expr` with parenthesised = false.
struct DefaultValue {
  ExprPtr expr;
  bool parenthesised = false;
};

struct GeneratedColumn {
  ExprPtr expr;
  Span expr_span;
  bool stored = false;
};

enum class ColumnFormat : uint8_t { kUnspecified, kDefault, kFixed, kDynamic };
enum class ColumnStorage : uint8_t { kUnspecified, kDefault, kDisk, kMemory };

struct ColumnDefinition {
  std::string name;
  TypeName type;
  std::optional<bool> nullable;  // NULL / NOT NULL as written
  std::optional<DefaultValue> default_value;
  ExprPtr on_update;  // FunctionCall "now"
  std::optional<GeneratedColumn> generated;
  bool auto_increment = false;
  bool primary_key = false;
  bool unique = false;
  std::optional<bool> visible;
  std::optional<std::string> comment;
  std::optional<References> references;  // MySQL parses and ignores it on a column
  std::vector<CheckConstraint> checks;
  ColumnFormat format = ColumnFormat::kUnspecified;
  ColumnStorage storage = ColumnStorage::kUnspecified;
  std::optional<std::string> engine_attribute;
  std::optional<std::string> secondary_engine_attribute;
  bool not_secondary = false;
};

struct KeyPart {
  std::string column;              // empty for a functional part
  ExprPtr expr;                    // functional part, without its parentheses
  std::optional<uint64_t> length;  // prefix
  SortDirection direction = SortDirection::kDefault;
};

enum class IndexType : uint8_t { kPrimary, kUnique, kIndex, kFulltext, kSpatial };
enum class IndexAlgorithm : uint8_t { kUnspecified, kBtree, kRtree, kHash };

struct IndexDefinition {
  IndexType type = IndexType::kIndex;
  std::string constraint_name;  // CONSTRAINT name PRIMARY KEY | UNIQUE
  std::string name;             // empty: generated
  std::vector<KeyPart> parts;
  IndexAlgorithm algorithm = IndexAlgorithm::kUnspecified;
  std::optional<bool> visible;
  std::optional<std::string> comment;
  std::optional<std::string> parser;  // WITH PARSER name
  std::optional<uint64_t> key_block_size;
  std::optional<std::string> engine_attribute;
};

struct ForeignKeyDefinition {
  std::string constraint_name;
  std::string index_name;
  std::vector<std::string> columns;
  References references;
  size_t indexes_before = 0;  // how many of the statement's index definitions stand before it
};

// One table option as written, its name in the canonical form listed here:
// AUTO_INCREMENT, AUTOEXTEND_SIZE, AVG_ROW_LENGTH, CHARACTER SET, CHECKSUM, COLLATE, COMMENT,
// COMPRESSION, CONNECTION, DATA DIRECTORY, DELAY_KEY_WRITE, ENCRYPTION, ENGINE, ENGINE_ATTRIBUTE,
// INDEX DIRECTORY, INSERT_METHOD, KEY_BLOCK_SIZE, MAX_ROWS, MIN_ROWS, PACK_KEYS, PASSWORD,
// ROW_FORMAT, SECONDARY_ENGINE, SECONDARY_ENGINE_ATTRIBUTE, START TRANSACTION, STATS_AUTO_RECALC,
// STATS_PERSISTENT, STATS_SAMPLE_PAGES, STORAGE, TABLESPACE, UNION.
struct TableOption {
  std::string name;
  std::string text;                   // identifier or string value; numbers as text too
  std::optional<uint64_t> number;     // when the value is a number
  bool is_default = false;            // written as DEFAULT
  std::vector<QualifiedName> tables;  // UNION
};

// PARTITION BY …, kept whole: this version parses it so that it can refuse it by name.
struct PartitionClause {
  Span span;
  std::string method;  // "RANGE", "LIST COLUMNS", "HASH", "LINEAR KEY" …
};

struct CreateTableStmt final : Stmt {
  static constexpr StmtKind kKind = StmtKind::kCreateTable;
  CreateTableStmt() : Stmt(kKind) {}
  bool temporary = false;
  bool if_not_exists = false;
  QualifiedName table;
  std::optional<QualifiedName> like;
  std::vector<ColumnDefinition> columns;
  std::vector<IndexDefinition> indexes;
  std::vector<ForeignKeyDefinition> foreign_keys;
  std::vector<CheckConstraint> checks;
  std::vector<TableOption> options;
  std::optional<PartitionClause> partition;
  bool select_ignore = false;
  bool select_replace = false;
  QueryPtr select;
};

enum class AlterActionKind : uint8_t {
  kAddColumn,         // columns (one, or several when parenthesised), position
  kAddIndex,          // index
  kAddForeignKey,     // foreign_key
  kAddCheck,          // check
  kDropColumn,        // name
  kDropIndex,         // name
  kDropPrimaryKey,    //
  kDropForeignKey,    // name
  kDropCheck,         // name
  kDropConstraint,    // name: of any kind
  kModifyColumn,      // columns[0], position
  kChangeColumn,      // name (old), columns[0], position
  kRenameColumn,      // name, new_name
  kRenameIndex,       // name, new_name
  kRenameTable,       // table
  kSetDefault,        // name, default_value
  kDropDefault,       // name
  kSetColumnVisible,  // name, flag
  kSetIndexVisible,   // name, flag
  kAlterCheck,        // name, flag = enforced
  kAlterConstraint,   // name: of any kind, flag = enforced
  kOptions,           // options
  kConvertCharset,    // charset ("default" for DEFAULT), collation
  kDisableKeys,
  kEnableKeys,
  kOrderBy,  // order_by
  kForce,
  kDiscardTablespace,
  kImportTablespace,
  kPartitioning,  // text: any partition operation, refused by name
  kSecondaryLoad,
  kSecondaryUnload,
};

struct ColumnPosition {
  bool first = false;
  std::string after;
};

struct AlterAction {
  AlterActionKind kind = AlterActionKind::kForce;
  std::string name;
  std::string new_name;
  std::vector<ColumnDefinition> columns;
  std::optional<ColumnPosition> position;
  std::optional<IndexDefinition> index;
  std::optional<ForeignKeyDefinition> foreign_key;
  std::optional<CheckConstraint> check;
  std::optional<DefaultValue> default_value;
  std::vector<TableOption> options;
  std::vector<OrderItem> order_by;
  QualifiedName table;
  std::string charset;
  std::string collation;
  std::string text;
  bool flag = false;
};

// ALGORITHM= and LOCK=, upper case: "DEFAULT", "INSTANT", "INPLACE", "COPY"; "NONE", "SHARED",
// "EXCLUSIVE". Empty: not written.
struct OnlineDdlOptions {
  std::string algorithm;
  std::string lock;
  std::optional<bool> validation;  // WITH | WITHOUT VALIDATION
};

struct AlterTableStmt final : Stmt {
  static constexpr StmtKind kKind = StmtKind::kAlterTable;
  AlterTableStmt() : Stmt(kKind) {}
  QualifiedName table;
  std::vector<AlterAction> actions;  // in the order written; ADD (a, KEY b) becomes several
  OnlineDdlOptions online;
};

struct DropTableStmt final : Stmt {
  static constexpr StmtKind kKind = StmtKind::kDropTable;
  DropTableStmt() : Stmt(kKind) {}
  bool temporary = false;
  bool if_exists = false;
  std::vector<QualifiedName> tables;
};

struct TruncateStmt final : Stmt {
  static constexpr StmtKind kKind = StmtKind::kTruncate;
  TruncateStmt() : Stmt(kKind) {}
  QualifiedName table;
};

struct RenameTableStmt final : Stmt {
  static constexpr StmtKind kKind = StmtKind::kRenameTable;
  RenameTableStmt() : Stmt(kKind) {}
  struct Rename {
    QualifiedName from;
    QualifiedName to;
  };
  std::vector<Rename> renames;
};

struct CreateIndexStmt final : Stmt {
  static constexpr StmtKind kKind = StmtKind::kCreateIndex;
  CreateIndexStmt() : Stmt(kKind) {}
  QualifiedName table;
  IndexDefinition index;
  OnlineDdlOptions online;
};

struct DropIndexStmt final : Stmt {
  static constexpr StmtKind kKind = StmtKind::kDropIndex;
  DropIndexStmt() : Stmt(kKind) {}
  QualifiedName table;
  std::string name;  // "PRIMARY" for DROP INDEX `PRIMARY`
  OnlineDdlOptions online;
};

// CREATE [OR REPLACE] VIEW and ALTER VIEW.
struct CreateViewStmt final : Stmt {
  static constexpr StmtKind kKind = StmtKind::kCreateView;
  CreateViewStmt() : Stmt(kKind) {}
  bool or_replace = false;
  bool alter = false;
  ViewAlgorithm algorithm = ViewAlgorithm::kUndefined;
  std::optional<AccountName> definer;
  bool security_invoker = false;
  QualifiedName view;
  std::vector<std::string> columns;
  QueryPtr query;
  Span query_span;
  ViewCheck check = ViewCheck::kNone;
};

enum class ProgramKind : uint8_t { kProcedure, kFunction, kEvent };

// DROP PROCEDURE, FUNCTION or EVENT.
struct DropProgramStmt final : Stmt {
  static constexpr StmtKind kKind = StmtKind::kDropProgram;
  DropProgramStmt() : Stmt(kKind) {}
  ProgramKind program = ProgramKind::kProcedure;
  bool if_exists = false;
  QualifiedName name;
};

struct TriggerOrder {
  bool follows = false;  // otherwise PRECEDES
  std::string name;
};

struct CreateTriggerStmt final : Stmt {
  static constexpr StmtKind kKind = StmtKind::kCreateTrigger;
  CreateTriggerStmt() : Stmt(kKind) {}
  std::optional<AccountName> definer;
  bool if_not_exists = false;
  QualifiedName trigger;
  TriggerTiming timing = TriggerTiming::kBefore;
  TriggerEvent event = TriggerEvent::kInsert;
  QualifiedName table;
  std::optional<TriggerOrder> order;
  Program program;
  std::string body;  // text of the program, without the marks of version comments
};

struct DropTriggerStmt final : Stmt {
  static constexpr StmtKind kKind = StmtKind::kDropTrigger;
  DropTriggerStmt() : Stmt(kKind) {}
  bool if_exists = false;
  QualifiedName trigger;
};

struct DropViewStmt final : Stmt {
  static constexpr StmtKind kKind = StmtKind::kDropView;
  DropViewStmt() : Stmt(kKind) {}
  bool if_exists = false;
  std::vector<QualifiedName> views;
};

}  // namespace borealis::sql
