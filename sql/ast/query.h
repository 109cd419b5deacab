// Query expressions (SELECT, VALUES, TABLE, set operations, WITH) and table references.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sql/ast/expr.h"
#include "sql/ast/node.h"

namespace borealis::sql {

struct LimitClause {
  ExprPtr count;   // literal or parameter
  ExprPtr offset;  // null when not written
};

struct CommonTableExpr {
  std::string name;
  std::vector<std::string> columns;
  QueryPtr query;
};

struct WithClause {
  bool recursive = false;
  std::vector<CommonTableExpr> tables;
};

enum class LockStrength : uint8_t { kShare, kUpdate };
enum class LockWait : uint8_t { kWait, kNoWait, kSkipLocked };

struct LockingClause {
  LockStrength strength = LockStrength::kUpdate;
  LockWait wait = LockWait::kWait;
  std::vector<QualifiedName> tables;  // OF …; empty: all
};

// LOAD DATA and SELECT … INTO OUTFILE. Unset: MySQL's default.
struct FileFormat {
  std::string charset;
  std::optional<std::string> field_terminator;
  std::optional<std::string> enclosed_by;
  bool optionally_enclosed = false;
  std::optional<std::string> escaped_by;
  std::optional<std::string> line_start;
  std::optional<std::string> line_terminator;
};

struct IntoClause {
  std::vector<std::string> variables;  // INTO @a, @b; a name without @ is a stored-program variable
  bool has_local_variable = false;
  // In a stored program: for each of `variables` the slot it is, or kNoSlot for a user variable.
  // Empty elsewhere.
  static constexpr uint32_t kNoSlot = UINT32_MAX;
  std::vector<uint32_t> slots;
  std::optional<std::string> outfile;
  std::optional<std::string> dumpfile;
  FileFormat format;
};

// A query expression with everything that applies to its whole result.
struct Query {
  Span span;
  std::unique_ptr<WithClause> with;
  QueryBodyPtr body;
  std::vector<OrderItem> order_by;
  std::optional<LimitClause> limit;
  std::vector<LockingClause> locking;
  std::unique_ptr<IntoClause> into;
};

enum class QueryBodyKind : uint8_t {
  kSelect,
  kValues,
  kTable,
  kSetOperation,
  kNested,
};

struct SelectItem {
  // Either `expr`, or a wildcard: *, table.*, schema.table.*
  ExprPtr expr;
  bool wildcard = false;
  std::string schema;
  std::string table;
  std::optional<std::string> alias;
  Span span;  // of the expression alone: its text names an unaliased column
};

struct NamedWindow {
  std::string name;
  WindowSpec spec;
};

struct SelectCore final : QueryBody {
  static constexpr QueryBodyKind kKind = QueryBodyKind::kSelect;
  SelectCore() : QueryBody(kKind) {}
  bool distinct = false;
  bool straight_join = false;
  bool calc_found_rows = false;
  bool high_priority = false;
  bool small_result = false;
  bool big_result = false;
  bool buffer_result = false;
  bool no_cache = false;
  std::vector<std::string> hints;  // text of each /*+ … */ comment
  std::vector<SelectItem> items;
  std::vector<TableRefPtr> from;  // comma-separated references; empty: no FROM, or FROM DUAL
  bool from_dual = false;
  ExprPtr where;
  std::vector<OrderItem> group_by;  // direction always kDefault
  bool rollup = false;
  ExprPtr having;
  std::vector<NamedWindow> windows;
};

// VALUES ROW(1, 2), ROW(3, 4)
struct ValuesCore final : QueryBody {
  static constexpr QueryBodyKind kKind = QueryBodyKind::kValues;
  ValuesCore() : QueryBody(kKind) {}
  std::vector<std::vector<ExprPtr>> rows;  // DefaultExpr allowed only under INSERT
};

// TABLE name
struct TableCore final : QueryBody {
  static constexpr QueryBodyKind kKind = QueryBodyKind::kTable;
  TableCore() : QueryBody(kKind) {}
  QualifiedName table;
};

enum class SetOperator : uint8_t { kUnion, kIntersect, kExcept };

// first op arm op arm …, from left to right. INTERSECT binds tighter than the others, so a list
// holds either only INTERSECTs or none.
struct SetOperation final : QueryBody {
  static constexpr QueryBodyKind kKind = QueryBodyKind::kSetOperation;
  SetOperation() : QueryBody(kKind) {}
  struct Arm {
    SetOperator op = SetOperator::kUnion;
    bool all = false;
    QueryBodyPtr body;
  };
  QueryBodyPtr first;
  std::vector<Arm> rest;  // one or more
};

// (query): a parenthesised arm with its own ORDER BY or LIMIT.
struct NestedQuery final : QueryBody {
  static constexpr QueryBodyKind kKind = QueryBodyKind::kNested;
  NestedQuery() : QueryBody(kKind) {}
  QueryPtr query;
};

enum class TableRefKind : uint8_t {
  kTable,
  kDerived,
  kJoin,
  kJsonTable,
};

enum class IndexHintKind : uint8_t { kUse, kForce, kIgnore };
enum class IndexHintScope : uint8_t { kAll, kJoin, kOrderBy, kGroupBy };

struct IndexHint {
  IndexHintKind kind = IndexHintKind::kUse;
  IndexHintScope scope = IndexHintScope::kAll;
  std::vector<std::string> indexes;  // may be empty for USE
};

struct TableRefName final : TableRef {
  static constexpr TableRefKind kKind = TableRefKind::kTable;
  TableRefName() : TableRef(kKind) {}
  QualifiedName table;
  std::vector<std::string> partitions;
  std::optional<std::string> alias;
  std::vector<IndexHint> index_hints;
};

struct DerivedTable final : TableRef {
  static constexpr TableRefKind kKind = TableRefKind::kDerived;
  DerivedTable() : TableRef(kKind) {}
  bool lateral = false;
  QueryPtr query;
  std::string alias;  // never empty: MySQL demands one
  std::vector<std::string> columns;
};

enum class JoinKind : uint8_t { kInner, kLeft, kRight };

// CROSS JOIN and JOIN without ON are kInner without condition. A parenthesised comma list inside a
// join arrives as a chain of kInner.
struct JoinedTable final : TableRef {
  static constexpr TableRefKind kKind = TableRefKind::kJoin;
  JoinedTable() : TableRef(kKind) {}
  JoinKind join = JoinKind::kInner;
  bool natural = false;
  bool straight = false;  // STRAIGHT_JOIN
  bool parenthesised = false;
  TableRefPtr left;
  TableRefPtr right;
  ExprPtr on;
  std::vector<std::string> using_columns;
};

struct JsonTableColumn {
  enum class Kind : uint8_t { kOrdinality, kPath, kExistsPath, kNested };
  Kind kind = Kind::kPath;
  std::string name;
  TypeName type;
  std::string path;
  JsonOn on_empty;
  JsonOn on_error;
  std::vector<JsonTableColumn> nested;
};

// JSON_TABLE(document, path COLUMNS (…)) AS alias
struct JsonTable final : TableRef {
  static constexpr TableRefKind kKind = TableRefKind::kJsonTable;
  JsonTable() : TableRef(kKind) {}
  ExprPtr document;
  std::string path;
  std::vector<JsonTableColumn> columns;
  std::string alias;
};

}  // namespace borealis::sql
