// The typed form of a query expression: tables, joins, selects, set operations.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "row/type.h"
#include "row/value.h"
#include "sql/ast/query.h"
#include "sql/binder/typed.h"
#include "sql/catalog/table_descriptor.h"
#include "sql/context/result_sink.h"

namespace borealis::sql {

class JsonTableSpec;
class SecurityContext;
class SystemTable;

struct BoundTableColumn {
  std::string name;
  std::string org_name;  // empty for a column that is an expression
  row::Type type;
  Coercibility coercibility = Coercibility::kImplicit;
  uint16_t extra_flags = 0;  // as ResultColumn
  bool hidden = false;       // not part of *; can still be named when invisible, not when internal
  std::string org_table;     // of a derived table's column: where it came from
  std::string org_schema;
  bool unreadable = false;  // of a view: it shows what the view's definer or invoker may not read
};

enum class BoundTableKind : uint8_t {
  kBase,       // `table`
  kSystem,     // `system`
  kDerived,    // `query`: derived table or view
  kCte,        // `cte`
  kRow,        // values supplied by whoever evaluates the expression (binder/evaluate.h)
  kJsonTable,  // `json` over `document`
  kView,       // a view that is merged into its query: not part of the join, names only
};

// kShareRepeatable: what a change reads beside its targets; REPEATABLE READ and above lock it
// shared, below it is read without locks.
enum class RowLock : uint8_t { kNone, kShareRepeatable, kShare, kExclusive };

struct BoundCte;

// One occurrence of a table in a statement.
struct BoundTable {
  uint32_t id = 0;  // unique in the statement
  BoundTableKind kind = BoundTableKind::kBase;
  std::string alias;
  std::string schema;  // as shown to the client; empty for derived tables
  TablePtr table;
  const SystemTable* system = nullptr;
  std::shared_ptr<BoundQuery> query;
  const BoundCte* cte = nullptr;  // belongs to a query that encloses this table
  std::vector<BoundTableColumn> columns;
  bool lateral = false;  // a derived table whose rows depend on tables before it
  BoundPtr document;     // kJsonTable; may name tables before it
  std::shared_ptr<const JsonTableSpec> json;

  // The view it stands for: kView, or kDerived.
  TablePtr view;
  // kView: what its columns are, over the tables of its FROM (views among them), and the condition
  // that its rows fulfil: WHERE and ON.
  std::vector<BoundPtr> merged_items;
  std::vector<BoundTable*> merged_tables;
  BoundPtr merged_condition;
  bool has_outer_join = false;
  bool in_view = false;  // one of another table's merged_tables

  RowLock lock = RowLock::kNone;
  LockWait lock_wait = LockWait::kWait;
  // SELECT is not granted on the whole table: each column that is read is checked.
  bool select_by_column = false;
  // What whoever names it may do; null: everything. Only while the statement is bound.
  const SecurityContext* security = nullptr;
  bool changes = false;          // UPDATE or DELETE changes its rows
  bool semi_consistent = false;  // a locked row is waited for only if it matches as last committed
  // Index hints as a mask over the table's indexes; all ones: no restriction.
  uint64_t usable_indexes = ~uint64_t{0};
  bool force_index = false;
};

enum class BoundJoinKind : uint8_t { kInner, kLeft };

// A tree of joins; leaves are tables.
struct BoundFrom {
  BoundTable* table = nullptr;  // leaf
  BoundJoinKind join = BoundJoinKind::kInner;
  bool straight = false;
  std::unique_ptr<BoundFrom> left;
  std::unique_ptr<BoundFrom> right;
  BoundPtr on;  // null: none
  // While FROM is bound: the condition of a merged view, until it is part of WHERE or of an ON.
  BoundPtr filter;
};

struct BoundItem {
  BoundPtr expr;
  ResultColumn column;  // name and origin; type as expr's
  bool hidden = false;  // helper for ORDER BY; not part of the result
};

struct BoundSelect {
  bool distinct = false;
  std::vector<BoundItem> items;
  std::unique_ptr<BoundFrom> from;  // null: no tables
  BoundPtr where;
  bool aggregated = false;  // has aggregates or GROUP BY
  // A subquery of it holds an aggregate that is over its own rows.
  bool aggregates_below = false;
  std::vector<BoundPtr> group_by;
  BoundPtr having;
  // WITH ROLLUP: grouped already, FROM is one derived table. SourceOf() has the written FROM.
  bool rollup = false;
  // Grouped already in the same way, without a rollup.
  bool separated = false;
};

struct BoundSetOperation;

// One of: select, values, set operation.
struct BoundBody {
  std::unique_ptr<BoundSelect> select;
  std::vector<std::vector<BoundPtr>> values;
  std::unique_ptr<BoundSetOperation> set_operation;
};

struct BoundSetOperation {
  SetOperator op = SetOperator::kUnion;
  bool all = false;
  std::shared_ptr<BoundQuery> left;
  std::shared_ptr<BoundQuery> right;
};

// A temporary table that a statement uses: "schema.name", and what it is called there first.
struct TemporaryUse {
  std::string table;
  std::string alias;
};

struct BoundCte {
  uint32_t id = 0;
  std::string name;
  bool recursive = false;
  std::shared_ptr<BoundQuery> query;  // not recursive, or the whole union
  std::vector<BoundTableColumn> columns;
  int uses = 0;                         // tables made of it so far
  std::vector<TemporaryUse> temporary;  // read by it
};

class BoundQuery {
 public:
  std::vector<std::shared_ptr<BoundCte>> ctes;
  BoundBody body;
  std::vector<BoundOrder> order_by;  // over the select's tables
  // For a set operation ORDER BY names result columns: positions from 0 in `order_columns`.
  struct OrderColumn {
    uint32_t column = 0;
    bool descending = false;
  };
  std::vector<OrderColumn> order_columns;
  BoundPtr limit;   // null: none; a literal or parameter, unsigned
  BoundPtr offset;  // null: none
  std::vector<ResultColumn> columns;
  // Refers to tables of an enclosing query.
  bool correlated = false;
  bool calc_found_rows = false;

  // Tables of this query and of everything in it live here.
  std::vector<std::unique_ptr<BoundTable>> tables;
};

// The select that reads the tables written in its FROM: itself, or what its groups are made from.
const BoundSelect& SourceOf(const BoundSelect& select);

// Facts about the whole statement, gathered while it is bound.
struct StatementFacts {
  // Base tables with the descriptor version the statement was bound against.
  std::vector<TablePtr> base_tables;
  // What the tree means depends on more than text, schema and settings (a user variable's value, a
  // system variable): it must not be used again.
  bool uncacheable = false;
  bool locks_rows = false;
  bool locks_for_update = false;  // by SELECT … FOR UPDATE
  bool uses_system_tables = false;
  bool assigns_variables = false;
  uint32_t parameter_count = 0;
  // Parameters taken in the type of a column they are compared with (binder/narrow.h). The one at
  // position i is parameter number parameter_count + i of the tree. Where a value cannot be
  // narrowed the statement must be bound again with BindInput::no_narrowing.
  struct NarrowedParameter {
    uint32_t source = 0;
    row::Type to;
  };
  std::vector<NarrowedParameter> narrowed;
};

}  // namespace borealis::sql
