// Rows that one statement inserts, put into the table several at a time.
//
// A row on its own costs a mini-transaction with its undo record and its entry, a descent, two log
// records, and looks at who has locked gaps. Rows whose clustered keys ascend share all that as far
// as a leaf and an undo page go: the run's undo records are one edit, its entries another. Entries
// of secondary indexes are made afterwards, sorted, so that those of one leaf share theirs.
//
// To others it is as if the rows had been inserted one by one, in the order in which they were
// added: a row that is alone in something (its key is there, its leaf is full, it does not fit a
// page, somebody has locked a gap of the index) is inserted by itself, in its turn. A table with a
// second unique key is not for batches: which duplicate is met first would show.
//
// After a crash a row of an unfinished transaction may lack entries, as between the steps of an
// insert of one row; rollback takes back those that it finds (INV-UND-3 holds for each run).
// Used on the transaction's thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "engine/row.h"

namespace borealis::engine {

class EngineTransaction;
struct UndoPlace;

class RowBatch {
 public:
  // Whether rows of the table may be inserted so.
  static bool Suits(const Table& table);

  // Both must outlive the batch, which keeps nothing that was added and not flushed.
  RowBatch(Transaction* transaction, const Table* table);
  ~RowBatch();

  Status Add(std::string_view row);
  size_t size() const { return rows_.size(); }
  bool full() const { return rows_.size() >= kRowsMax || bytes_.size() >= kBytesMax; }
  std::string_view row(size_t number) const {
    return std::string_view(bytes_).substr(rows_[number].row, rows_[number].row_size);
  }
  // For the next rows.
  void Clear();

  // Inserts the rows that are not in yet. After a failure done() is the number of the row whose it
  // is: those before are in, nothing of the others is. kAlreadyExists fills *duplicate.
  Status Flush(DuplicateKey* duplicate);
  size_t done() const { return done_; }
  // After kAlreadyExists: Flush goes on with the row behind that one.
  void SkipRow() { ++done_; }

 private:
  // Enough for several leaves and for entries to meet in their leaves; what a failure undoes.
  static constexpr size_t kRowsMax = 4096;
  static constexpr size_t kBytesMax = 1 << 20;
  // Rows that announce themselves together; about a leaf of the smallest.
  static constexpr size_t kRunMax = 512;
  static constexpr size_t kEntryRunMax = 64;

  struct Row {
    size_t row = 0;  // offsets in bytes_
    size_t row_size = 0;
    size_t key = 0;
    size_t key_size = 0;
  };
  // What runs are put together in; kept for its memory.
  struct Scratch;

  std::string_view KeyOf(const Row& row) const {
    return std::string_view(bytes_).substr(row.key, row.key_size);
  }
  // The next row and those that go in with it.
  Status InsertNext(DuplicateKey* duplicate);
  // How many from `first` on ascend and stay within a page.
  size_t RunFrom(size_t first) const;
  // How many of the `count` rows it has written; 0 when the first has to go alone.
  Result<size_t> InsertRun(size_t first, size_t count);
  Result<size_t> WriteRun(size_t first, size_t count);
  // Encodes the run's undo records and values, as many as fit behind `offset` of the undo page.
  size_t EncodeRun(size_t first, size_t count, const UndoPlace& place);
  void NoteWritten(size_t first, size_t count);

  // The entries of rows [first, end). *failed: whose it was when it failed, unless all of theirs.
  Status InsertEntries(size_t first, size_t end, size_t* failed);
  Status InsertEntriesByRow(size_t first, size_t end, size_t* failed);
  Status InsertEntriesSorted(size_t index_no, size_t first, size_t end);
  Result<size_t> WriteEntries(size_t index_no, size_t first);
  Status InsertEntryAlone(size_t index_no, size_t row);

  EngineTransaction& transaction_;
  const Table& table_;
  std::string bytes_;  // rows and their clustered keys
  std::vector<Row> rows_;
  size_t done_ = 0;
  std::unique_ptr<Scratch> scratch_;
};

}  // namespace borealis::engine
