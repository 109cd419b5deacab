// Fires the triggers of one table that a statement changes, row by row.
//
// A statement whose table has no triggers has none of these. They fire in the order of the table's
// list; the first failure ends the statement, which is then undone as a whole (INV-SQL-2). Changes
// by foreign keys' actions and TRUNCATE fire nothing. One per statement and table; used on the
// statement's thread.
#pragma once

#include <memory>
#include <vector>

#include "base/result.h"
#include "row/value.h"
#include "sql/binder/query.h"
#include "sql/executor/executor.h"
#include "sql/program/session_programs.h"

namespace borealis::sql {

class TableWriter;

class RowTriggers {
 public:
  // Null when the table has no triggers.
  static std::unique_ptr<RowTriggers> Of(StatementRun& run, const TablePtr& table,
                                         const StatementFacts& facts);
  RowTriggers(Session* session, const TablePtr& table, const StatementFacts& facts);

  bool Has(TriggerTiming timing, TriggerEvent event) const {
    return present_[static_cast<size_t>(timing)][static_cast<size_t>(event)];
  }
  // `old_row` and `new_row` as the event has them, else null. Harmless without such triggers.
  // Error: 1235 for triggers within triggers beyond kNestingMax.
  Status Fire(TriggerTiming timing, TriggerEvent event, const std::vector<row::Value>* old_row,
              std::vector<row::Value>* new_row);
  Status Before(TriggerEvent event, const std::vector<row::Value>* old_row,
                std::vector<row::Value>* new_row) {
    return Fire(TriggerTiming::kBefore, event, old_row, new_row);
  }
  // Of a row that BEFORE triggers have changed: a column that they have made NULL though it allows
  // none (1048). Ok otherwise.
  Status CheckNulled(const std::vector<row::Value>& row) const;
  // The row is in: nothing of it can be changed.
  Status After(TriggerEvent event, const std::vector<row::Value>* old_row,
               std::vector<row::Value>* new_row) {
    return Fire(TriggerTiming::kAfter, event, old_row, new_row);
  }

 private:
  static constexpr size_t kNestingMax = 32;

  Session& session_;
  const TablePtr table_;
  const SessionPrograms::StatementTables in_use_;
  std::shared_ptr<CompiledTriggers> compiled_;
  std::vector<uint32_t> nulled_;  // columns of the row at hand
  bool present_[2][3] = {};
};

// BEFORE UPDATE over a row that `writer`, which defers NULLs, has put together; then what waited
// for it. ON UPDATE CURRENT_TIMESTAMP has acted when they see the row, and does not for what they
// change themselves: all columns are `assigned` afterwards. kNotFound: with `ignore` the row stays
// as it was.
Status FireBeforeUpdate(TableWriter* writer, RowTriggers* triggers,
                        const std::vector<row::Value>& before, bool ignore, bool multi_row,
                        std::vector<bool>* assigned, std::vector<row::Value>* after);

}  // namespace borealis::sql
