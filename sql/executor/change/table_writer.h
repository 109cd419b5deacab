// Changing rows of one table for one statement: defaults, conversions, generated columns, checks,
// auto-increment, unique keys. What INSERT, REPLACE, UPDATE and LOAD share.
//
// A row is a vector of values, one per column of the descriptor, hidden ones included, each as its
// column's type holds it. Errors carry MySQL's numbers; with `ignore` or outside strict mode what
// MySQL lets pass becomes a warning. One per statement and table; used on the statement's thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "engine/engine.h"
#include "engine/row.h"
#include "engine/transaction.h"
#include "row/convert.h"
#include "sql/binder/dml.h"
#include "sql/binder/evaluate.h"
#include "sql/binder/query.h"
#include "sql/catalog/row_layout.h"
#include "sql/executor/change/foreign_key_check.h"
#include "sql/executor/executor.h"

namespace borealis::sql {

class TableWriter {
 public:
  // Opens the table in the session's transaction, or the companion of it that temporary tables
  // have. `ignore`: INSERT IGNORE and UPDATE IGNORE. Errors: 1290 and 1792 where only temporary
  // tables may be changed.
  static Result<std::unique_ptr<TableWriter>> Open(StatementRun& run, const TablePtr& table,
                                                   bool ignore);

  const TableDescriptor& descriptor() const { return *table_; }
  const engine::Table& engine_table() const { return *engine_table_; }
  engine::Engine& engine() const { return *engine_; }
  const BoundTable& row_table() const { return *row_table_; }
  // Numbers given from now on are above the one in the row.
  Status BumpAutoIncrement(const RowValues& row);
  // Row number in messages, from 1.
  void set_row_number(uint64_t number) { row_number_ = number; }

  // The row before values are given: constants as defaults, everything else NULL.
  RowValues BlankRow() const;
  // The column's default for a row being built. Error: 1364, or through a view 1423 where the
  // column is `left_out`; outside strict mode a warning and the type's own default.
  Result<row::Value> Default(uint32_t column, const RowValues& row, bool left_out = false);
  // The defaults of columns that are left out. Of several without one all are told.
  Status PutDefaults(const std::function<bool(uint32_t column)>& is_left_out, RowValues* row);
  // What the type has where there is no default: 0, '' or the first member of an ENUM.
  row::Value TypeDefault(const row::Type& type) const;
  // The statement's time as the column holds it.
  Result<row::Value> Now(uint32_t column);
  // Converts and puts a value. NULL for a NOT NULL column: 1048, or the type's own default with a
  // warning where MySQL lets it pass (`multi_row`).
  Status Store(uint32_t column, const row::Value& value, const row::Type& from, bool multi_row,
               RowValues* row);
  // Before triggers have seen it, a row may have NULL where no column allows it: Store lets it pass
  // until CheckNulls, and what has no default (`given` names what has a value; null: all has) waits
  // with it. Errors: 1048, 1364.
  void set_defers_nulls(bool defers) { defers_nulls_ = defers; }
  bool defers_nulls() const { return defers_nulls_; }
  // What NULL is for an AUTO_INCREMENT column: of an inserted row it stays, and is given a number;
  // ON DUPLICATE KEY UPDATE takes it for 0 without a word, UPDATE as for any other column.
  enum class NullNumber : uint8_t { kRefused, kZero, kGiven };
  void set_null_number(NullNumber null) { null_number_ = null; }
  // INSERT warns of NULL in a column once for the statement, UPDATE and LOAD DATA for each row.
  void set_tells_nulls_once() { tells_nulls_once_ = true; }
  Status CheckNulls(const std::vector<bool>* given, bool multi_row, RowValues* row);
  Status ComputeGenerated(RowValues* row);
  // After all values are in: generated columns and checks (3819).
  Status Complete(RowValues* row);
  // ON UPDATE CURRENT_TIMESTAMP of the columns that `assigned` does not name.
  void TouchTimestamps(const std::vector<bool>& assigned, RowValues* row) const;

  // Insert, update and delete keep the table's foreign keys: errors 1451 and 1452 and those of
  // cascades; with `ignore` the first two are warnings, the row stays as it was, and the answer is
  // kNotFound.
  // kAlreadyExists with *duplicate filled when a unique key is in the way.
  Status Insert(const RowValues& row, engine::DuplicateKey* duplicate);
  Status Update(std::string_view clustered_key, const RowValues& before, const RowValues& row,
                engine::DuplicateKey* duplicate);
  // Whether what becomes of a row shows in nothing but unique keys being in its way.
  bool inserts_alone() const { return foreign_keys_ == nullptr; }
  engine::Transaction& transaction() const { return *transaction_; }
  // Rows in the way will be changed (REPLACE, ON DUPLICATE KEY UPDATE).
  void set_resolves_duplicates() { write_options_.lock_duplicate_exclusive = true; }
  // kNotFound, too, when there is no such row.
  Status Delete(std::string_view clustered_key);
  // Reads a row that is there, locking it exclusively.
  Result<RowValues> ReadLocked(std::string_view clustered_key);
  Result<RowValues> Decode(std::string_view row) const;

  // --- for foreign_key_cascade.cc: a child's rows, which the caller has locked
  static Result<std::unique_ptr<TableWriter>> ForCascades(StatementRun& run,
                                                          const engine::TableRef& table,
                                                          CascadeState* cascades);
  Status DeleteInCascade(std::string_view clustered_key, const RowValues& row);
  // Computes generated columns. kAlreadyExists with the index's number.
  Status UpdateInCascade(std::string_view clustered_key, const RowValues& before, RowValues* row,
                         const ForeignKeyDescriptor* key, size_t* duplicate);
  // The row's key as messages tell it.
  std::string KeyText(const RowValues& row, size_t index_no) const;

  // 1062 for this row and key.
  Status DuplicateError(const RowValues& row, size_t index_no) const;
  // Whose rows these are: what it leaves out is told as of the view that it names, and subqueries
  // of what is evaluated here may name columns of them.
  void set_insert(const BoundInsert* insert) { insert_ = insert; }
  // Evaluates an expression over this table's row (and others'), as the statement's context has it.
  Result<row::Value> Evaluate(const BoundExpr& expr, std::span<const EvalFrame::Row> rows);

  // Where conversions of this statement report.
  bool strict() const { return strict_; }
  const row::ConversionContext& conversion(uint32_t column);

 private:
  TableWriter(StatementRun& run, TablePtr table, bool ignore);
  Status BindExpressions();
  // What INSERT and UPDATE put where NULL must not be, with a warning; or 1048.
  Status StoreNullAnyway(uint32_t column, bool multi_row, RowValues* row);
  Status CheckConstraints(const RowValues& row);
  // The statement's parameters, and what subqueries name of these rows.
  std::vector<TypedValue> WithOuterColumns(std::span<const EvalFrame::Row> rows) const;
  Status UpdateKeepingKeys(std::string_view clustered_key, const RowValues& before,
                           const RowValues& row, const ForeignKeyDescriptor* settled,
                           engine::DuplicateKey* duplicate);
  Status DeleteKeepingKeys(std::string_view clustered_key, const RowValues& row);
  // With IGNORE, what foreign keys forbid is undone and told as a warning: kNotFound.
  Status SettleIgnored(Status status, engine::Savepoint before);

  struct BoundCheck {
    const CheckDescriptor* check;
    BoundPtr condition;
  };

  StatementRun& run_;
  const TablePtr table_;
  const bool ignore_;
  const bool strict_;
  engine::TableRef engine_table_;
  bool MayBeNull(const ColumnDescriptor& column) const {
    return column.type.nullable || (column.auto_increment && null_number_ == NullNumber::kGiven);
  }

  engine::Engine* engine_ = nullptr;
  engine::Transaction* transaction_ = nullptr;
  std::unique_ptr<BoundTable> row_table_;
  std::vector<BoundPtr> defaults_;   // per column; null unless an expression
  std::vector<BoundPtr> generated_;  // per column; null unless generated
  std::vector<BoundCheck> checks_;
  bool has_generated_ = false;
  bool defers_nulls_ = false;
  NullNumber null_number_ = NullNumber::kRefused;
  row::ConversionContext conversion_;
  uint64_t row_number_ = 1;
  const BoundInsert* insert_ = nullptr;            // null: none
  std::unique_ptr<ForeignKeyGuard> foreign_keys_;  // null: none to keep
  engine::WriteOptions write_options_;
  std::string bytes_;                // encoding buffer
  std::set<uint32_t> missing_told_;  // left out, and warned of to have no default
  bool tells_nulls_once_ = false;
  std::set<uint32_t> nulls_told_;  // columns in which NULL was warned of
};

// 1369 when the rows do not fulfil what the view asks of them.
Status CheckViewOption(const BoundViewCheck& check, std::span<const EvalFrame::Row> rows,
                       TableWriter* writer);

}  // namespace borealis::sql
