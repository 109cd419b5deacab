// The two kinds of cursor behind cursor.h.
//
// A consistent cursor copies entries out of a leaf in batches and resolves their versions with no
// latch held. A locking cursor goes key by key: lock the gap, lock the row, look again.
#pragma once

#include <memory>

#include "base/result.h"
#include "engine/cursor.h"
#include "engine/store/leaf_cursor.h"
#include "engine/trx/engine_transaction.h"

namespace borealis::engine {

Result<std::unique_ptr<Cursor>> MakeConsistentCursor(EngineTransaction& transaction, TableRef table,
                                                     ScanOptions options, Snapshot snapshot);
Result<std::unique_ptr<Cursor>> MakeLockingCursor(EngineTransaction& transaction, TableRef table,
                                                  ScanOptions options);

// Whether a key lies beyond the end of a range, in the direction of the scan.
inline bool PastEnd(const KeyRange& range, bool reverse, std::string_view key) {
  if (reverse) {
    return range.lower_inclusive ? key < range.lower : key <= range.lower;
  }
  return !range.no_upper && (range.upper_inclusive ? key > range.upper : key >= range.upper);
}

// The key of the first entry after the place (kBefore: of the last one before it); false: none.
Result<bool> FindEntry(const Core& core, BTree& tree, std::string_view key, SeekMode mode,
                       std::string* found);

// Locks what was walked against inserts, and on both sides up to the next entry.
Status LockGapAround(Core& core, LockOwner* owner, const Table& table, size_t index_no,
                     const GapBounds& walked);

// Locks from the entry before a key of a unique index to the end of all entries of that key.
Status LockUniquePlace(EngineTransaction& transaction, const Table& table, size_t index_no,
                       std::string_view prefix);

}  // namespace borealis::engine
