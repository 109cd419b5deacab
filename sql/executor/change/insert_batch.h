// Rows of INSERT and LOAD DATA that wait to be put into the table together (engine/row_batch.h).
//
// The statement comes out as if each row had been put in before the next was looked at: of several
// errors the one of the earliest row counts, nothing is said of rows behind it, and with IGNORE
// what is said of a duplicate stands before what was said of the rows behind it. So whoever fills a
// batch puts it in before it tells an error of its own (RowInserter::Finish), and before it does
// anything else than looking at rows.
//
// One per statement; used on its thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "engine/row_batch.h"
#include "sql/context/diagnostics.h"
#include "sql/executor/change/table_writer.h"

namespace borealis::sql {

class InsertBatch {
 public:
  // Null when rows of the table go one by one. All must outlive the batch.
  static std::unique_ptr<InsertBatch> For(TableWriter* writer, Diagnostics* diagnostics,
                                          bool ignore);

  // Takes a row to which all that can be said of it has been said; puts the batch in when it is
  // full. `generated`: the number generated for it, 0 for none.
  Status Add(const RowValues& row, uint64_t generated);
  Status PutIn();

  // Of the rows that were put in.
  uint64_t inserted() const { return inserted_; }
  uint64_t first_generated() const { return first_generated_; }
  // Rows left out with a warning.
  uint64_t duplicates() const { return duplicates_; }

 private:
  struct Waiting {
    Diagnostics::Mark said;  // up to this row
    uint64_t generated = 0;
  };

  InsertBatch(TableWriter* writer, Diagnostics* diagnostics, bool ignore)
      : writer_(*writer),
        diagnostics_(*diagnostics),
        ignore_(ignore),
        rows_(&writer->transaction(), &writer->engine_table()) {}

  Status PutInAll();
  void Count(size_t begin, size_t end);

  TableWriter& writer_;
  Diagnostics& diagnostics_;
  const bool ignore_;
  engine::RowBatch rows_;
  std::vector<Waiting> waiting_;  // as in rows_
  uint64_t inserted_ = 0;
  uint64_t duplicates_ = 0;
  uint64_t first_generated_ = 0;
  std::string bytes_;
};

}  // namespace borealis::sql
