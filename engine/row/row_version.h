// Versions of rows: what a snapshot sees, which older versions still matter, and whole rows from
// entries.
//
// Versions hang on roll pointers: the entry in the clustered tree is the newest, each undo record
// gives the one before. Nothing here holds a latch while it reads undo or off-page parts. Undo of a
// committed transaction stays as long as a view needs it, but an unfinished one may be rolled back
// under our hands and its undo space used again. Rollback restores the row in the mini-transaction
// that takes the record away, so:
//
// INV-ROW-3  What was read through undo counts only if the newest version is the same afterwards
//            as it was before; otherwise it is read again from the new one (WalkVersions).
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "engine/row/row_format.h"
#include "engine/table.h"
#include "engine/trx/read_view.h"

namespace borealis::engine {

struct Core;

// One version with its own bytes.
struct RowVersion {
  RowHeader header;
  std::string stored;
  RowView view() const { return {header, stored}; }
  bool SameAs(const RowVersion& other) const {
    return header.trx == other.header.trx && header.roll == other.header.roll &&
           header.deleted == other.header.deleted && stored == other.stored;
  }
};

// Turns *version (read as the newest of this row) into the one that the snapshot sees; false when
// it sees no row.
Result<bool> FindVisible(const Core& core, const Table& table, std::string_view clustered_key,
                         const Snapshot& snapshot, RowVersion* version);

// The whole row of a version, into *row (replaced).
Status LoadRow(const Core& core, const RowView& version, std::string* row);

// The newest version of a row; false when the clustered tree has no entry.
Result<bool> ReadNewest(const Table& table, std::string_view clustered_key, RowVersion* version);

// The newest version and whether its writer is active, as they are together; false when there is no
// entry. `ended`: a transaction known to have ended, or TrxId(0).
//
// INV-ROW-4  A version whose writer has ended is taken for committed only when it was read after
//            that end: a rollback restores the row first and ends afterwards.
Result<bool> ReadNewestAndWriter(const Core& core, const Table& table,
                                 std::string_view clustered_key, TrxId ended, RowVersion* version,
                                 bool* writer_active);

// Whether `version` or any before it that an open view may need has this key in the index.
// Delete-marked versions need no entry. REQUIRES: nothing from `version` on can be rolled back.
Result<bool> AnySettledVersionHasKey(const Core& core, const Table& table, size_t index_no,
                                     std::string_view key, std::string_view clustered_key,
                                     const RowVersion& version);
// The same for all versions of the row, whoever works on it.
Result<bool> AnyVersionHasKey(const Core& core, const Table& table, size_t index_no,
                              std::string_view key, std::string_view clustered_key,
                              const ReadView& oldest_view);

// Whether the transaction `writer`, which wrote the row's newest version, has changed this entry of
// the row, which is `live` now: then it holds the entry. What it has not come to yet it does not
// hold. False when the row has another writer by now.
Result<bool> WriterHoldsEntry(const Core& core, const Table& table, size_t index_no,
                              std::string_view key, std::string_view clustered_key, bool live,
                              TrxId writer);

// Turns *version (read as the newest of this row) into the newest that no active transaction has
// written; false when there is no row then.
Result<bool> FindCommitted(const Core& core, const Table& table, std::string_view clustered_key,
                           RowVersion* version);

}  // namespace borealis::engine
