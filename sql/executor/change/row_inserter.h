// Puts rows into a table for INSERT, REPLACE and LOAD DATA: what no value was given for, generated
// keys, and what happens when a unique key is in the way (error, IGNORE, REPLACE, ON DUPLICATE KEY
// UPDATE).
//
// Triggers: BEFORE INSERT sees the row with its defaults, and 0 for a number yet to be generated.
// REPLACE fires those of DELETE for the rows that it makes room of, ON DUPLICATE KEY UPDATE those
// of UPDATE, whether the row changes or not.
//
// Auto-increment numbers are reserved per row from the engine's counter; what a failed statement
// took is lost, as in InnoDB. One per statement; used on the statement's thread.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "sql/binder/dml.h"
#include "sql/executor/change/insert_batch.h"
#include "sql/executor/change/row_triggers.h"
#include "sql/executor/change/table_writer.h"

namespace borealis::sql {

class RowInserter {
 public:
  // Opens the table. `multi_row`: NULL for a NOT NULL column may be let pass.
  static Result<std::unique_ptr<RowInserter>> Open(StatementRun& run, const BoundInsert& insert,
                                                   const StatementFacts& facts, bool multi_row);

  TableWriter& writer() { return *writer_; }
  bool multi_row() const { return multi_row_; }

  // Rows may wait from here on, to be put in together, if nobody can tell; whoever says so ends
  // with Finish.
  void StartBatches();
  // What waits is put in before anything is done that a failed statement would not have done.
  Status PutIn() { return batch_ != nullptr ? batch_->PutIn() : Status::Ok(); }
  // Puts in what waits. `so_far` is the outcome without it: an error in a row that waits came
  // first.
  Status Finish(Status so_far);

  // Completes a row begun with TableWriter::BlankRow and inserts it. `given`: the columns that have
  // their value; the others get their defaults. `source`: the row of INSERT … SELECT's query, or
  // null. False: with IGNORE the row was skipped before it was tried.
  Result<bool> Add(const std::vector<bool>& given, const RowValues* source, RowValues* row);

  uint64_t affected() const { return affected_ + (batch_ != nullptr ? batch_->inserted() : 0); }
  // Of these, rows deleted or overwritten to make room.
  uint64_t deleted() const { return deleted_; }
  // Rows that CHECK or a view's option turned away, which are not counted among the records.
  uint64_t turned_away() const { return turned_away_; }
  // Rows that met another with the same key, of which those left as they were count under IGNORE
  // alone.
  uint64_t duplicates() const {
    return duplicates_ + (batch_ != nullptr ? batch_->duplicates() : 0);
  }
  // The first number generated, and the last that a row brought along or had before it was updated;
  // 0: none.
  uint64_t first_generated() const {
    return batch_ != nullptr ? batch_->first_generated() : first_generated_;
  }
  uint64_t explicit_id() const { return explicit_id_; }

 private:
  RowInserter(StatementRun& run, const BoundInsert& insert, bool multi_row)
      : run_(run), insert_(insert), session_(run.session), multi_row_(multi_row) {}

  // BEFORE INSERT, and what waits for it.
  Status FireBefore(const std::vector<bool>& given, RowValues* row);
  Status DeleteExisting(const engine::DuplicateKey& duplicate);
  Status GiveRowId(RowValues* row);
  Status GiveAutoIncrement(RowValues* row);
  Status InsertRow(RowValues* row, const RowValues* source);
  // The row with the number given to it is in.
  void NoteGenerated() {
    first_generated_ = first_generated_ != 0 ? first_generated_ : pending_generated_;
  }
  void NoteUpdated(const RowValues& row);
  bool MayReplaceInPlace(size_t index_no) const;
  Status ReplaceInPlace(const engine::DuplicateKey& duplicate, RowValues* row);
  Status UpdateExisting(const engine::DuplicateKey& duplicate, const RowValues& row,
                        const RowValues* source);
  Status AssignExisting(const RowValues& row, const RowValues* source, RowValues* changed,
                        std::vector<bool>* assigned);
  // kNotFound: with IGNORE a check, a key or a foreign key let the row stay as it was.
  Status UpdateChanged(const engine::DuplicateKey& duplicate, const RowValues& before,
                       const std::vector<bool>& assigned, RowValues* row);

  StatementRun& run_;
  const BoundInsert& insert_;
  Session& session_;
  const bool multi_row_;
  std::unique_ptr<TableWriter> writer_;
  std::unique_ptr<RowTriggers> triggers_;  // null: none
  bool has_before_insert_ = false;
  std::unique_ptr<InsertBatch> batch_;  // null: rows go one by one
  int auto_column_ = -1;
  uint64_t affected_ = 0;
  uint64_t deleted_ = 0;
  uint64_t duplicates_ = 0;
  uint64_t first_generated_ = 0;
  uint64_t pending_generated_ = 0;  // of the row at hand
  uint64_t explicit_id_ = 0;
  uint64_t turned_away_ = 0;
};

}  // namespace borealis::sql
