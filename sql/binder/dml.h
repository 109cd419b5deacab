// INSERT, UPDATE and DELETE after binding: what the executor carries out.
//
// UPDATE and DELETE are a query plus what to do with its rows: the query yields, per target table,
// the row's handle (its clustered key as bytes; NULL where an outer join found no row) and the new
// values. It reads with exclusive row locks. Whoever carries it out collects the rows before the
// first change where `materialise` says that the scan could meet its own writes.
//
// Expressions that are evaluated row by row outside a query (VALUES lists, ON DUPLICATE KEY UPDATE,
// defaults, generated columns, checks) refer to columns of BoundTables of kind kRow; see
// binder/evaluate.h for how values are supplied. A null BoundPtr as a value stands for DEFAULT.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sql/ast/value_rows.h"
#include "sql/binder/query.h"
#include "sql/binder/typed.h"

namespace borealis::sql {

// column = value; the value has its own type: storing it converts (row/convert.h).
struct BoundAssignment {
  uint32_t column = 0;
  BoundPtr value;  // null: DEFAULT
};

// WITH CHECK OPTION: what a new row must fulfil, or else 1369 in the view's name.
struct BoundViewCheck {
  BoundPtr condition;  // null: nothing
  std::string schema;
  std::string name;
  const BoundTable* target = nullptr;  // the new row
  // Columns of the view's other tables: `item` is the column of the query's row.
  struct Other {
    const BoundTable* table = nullptr;
    uint32_t column = 0;
    uint32_t item = 0;
  };
  std::vector<Other> others;
};

// The rows of VALUES: plain literals are as the statement has them, the rest is bound.
struct BoundValues {
  const ValueRows* rows = nullptr;  // the statement's; null: INSERT … SELECT
  // By their number there. Null: DEFAULT.
  std::vector<BoundPtr> expressions;
  // Strings that mean something else than their own text, by its offset there.
  std::map<uint64_t, BoundPtr> strings;
  row::Type string_type;  // of all others

  size_t size() const { return rows != nullptr ? rows->size() : 0; }
  // What the string means; null: its own text, as an empty one, which has no offset of its own.
  const BoundExpr* MeaningOf(const ValueCell& cell) const {
    const auto other = cell.size != 0 ? strings.find(cell.bits) : strings.end();
    return other != strings.end() ? other->second.get() : nullptr;
  }
};

struct BoundInsert {
  TablePtr table;
  // Through a view: it, what its tables belong to, and what it asks of new rows.
  TablePtr view;
  std::shared_ptr<BoundQuery> view_query;
  BoundViewCheck check;
  bool replace = false;
  bool ignore = false;
  // Target column of each value of a row, in the order written.
  std::vector<uint32_t> columns;
  // One of: values, query.
  BoundValues values;
  std::shared_ptr<BoundQuery> query;
  bool query_reads_table = false;  // that the rows go into, anywhere in it
  std::vector<BoundAssignment> on_duplicate;
  // What expressions refer to: in `values`, the row being built (columns assigned so far, others as
  // their defaults); in `on_duplicate`, the existing row.
  std::unique_ptr<BoundTable> target;
  // In `on_duplicate`: the row that could not be inserted (VALUES(c), row alias).
  std::unique_ptr<BoundTable> proposed;
  // In `on_duplicate` after INSERT … SELECT: the row of the query, which may have more columns than
  // are inserted.
  std::unique_ptr<BoundTable> source;
  // Columns of these rows that subqueries name: there a parameter stands for each, from this number
  // on.
  struct OuterColumn {
    const BoundTable* table;
    uint32_t column;
  };
  std::vector<OuterColumn> outer_columns;
  uint32_t first_outer_parameter = 0;
};

// LOAD DATA: rows of fields from a file. `insert` has neither values nor a query.
struct BoundLoad {
  struct Field {
    std::optional<uint32_t> column;  // none: the user variable
    std::string variable;
  };
  BoundInsert insert;
  std::vector<Field> fields;
  std::vector<BoundAssignment> assignments;  // after the fields; over `insert.target`
};

struct BoundChangeTarget {
  TablePtr table;
  std::string alias;
  uint32_t handle_item = 0;  // column of the query's row that holds the handle
  // UPDATE: new values in the order written; `item` is the column of the query's row, or
  // kDefaultItem for DEFAULT.
  struct NewValue {
    uint32_t column = 0;
    uint32_t item = 0;
  };
  std::vector<NewValue> values;
  std::vector<BoundViewCheck> checks;  // of the views that it is changed through
};
inline constexpr uint32_t kDefaultItem = ~uint32_t{0};

struct BoundUpdate {
  bool ignore = false;
  bool materialise = true;
  std::vector<BoundChangeTarget> targets;
  std::shared_ptr<BoundQuery> query;
};

struct BoundDelete {
  bool ignore = false;
  bool materialise = true;
  std::vector<BoundChangeTarget> targets;  // without values
  std::shared_ptr<BoundQuery> query;
};

}  // namespace borealis::sql
