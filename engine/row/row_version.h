// Versions of rows: what a snapshot sees, which older versions still matter, and whole rows from
// entries.
//
// Versions hang on roll pointers: the entry in the clustered tree is the newest, each undo record
// gives the one before. Nothing here holds a latch while it reads undo or off-page parts.
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
};

// Turns *version into the one before it; false when there is none (it was inserted).
// REQUIRES: the undo record is still kept.
Result<bool> StepBack(const Core& core, RowVersion* version);

// Turns *version (the newest) into the one that the snapshot sees; false when it sees no row.
Result<bool> FindVisible(const Core& core, const Snapshot& snapshot, RowVersion* version);

// The whole row of a version, into *row (replaced).
Status LoadRow(const Core& core, const RowView& version, std::string* row);

// The newest version of a row; false when the clustered tree has no entry.
Result<bool> ReadNewest(const Table& table, std::string_view clustered_key, RowVersion* version);

// Whether `newest` or any version before it that an open view may need has this key in the index.
// Delete-marked versions need no entry.
Result<bool> AnyVersionHasKey(const Core& core, const Table& table, size_t index_no,
                              std::string_view key, RowVersion newest, const ReadView& oldest_view);

// Whether the active transaction that wrote `newest` has changed the presence of this key among
// the row's entries, so that the entry is locked by it.
Result<bool> WriterAffectsKey(const Core& core, const Table& table, size_t index_no,
                              std::string_view key, RowVersion newest);

}  // namespace borealis::engine
