// Reading: cursors over an index, and point lookups.
//
// LockMode::kNone is a consistent read: the version the transaction's read view sees (READ
// UNCOMMITTED: the newest; SERIALIZABLE outside autocommit: as kShared). The other modes read the
// newest committed version, waiting for its lock, and lock what they read as InnoDB does: rows, the
// index entries that they were found by, and under REPEATABLE READ and above the gaps walked.
//
// A cursor holds no latch between calls; its own transaction may change rows under it, and it then
// goes on from its key. Thread-safety: its transaction's.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "engine/table.h"

namespace borealis::engine {

class Transaction;

// kChanging is for metadata locks: changes of a table's rows go together, and with nothing else.
enum class LockMode : uint8_t { kNone, kShared, kExclusive, kChanging };
// What to do about a row that another transaction has locked: kFail = NOWAIT (kTimedOut at once;
// SQL says ER_LOCK_NOWAIT), kSkip = SKIP LOCKED.
enum class WaitPolicy : uint8_t { kWait, kFail, kSkip };

// A range of encoded key bytes of one index. Bounds may be prefixes of keys; they compare with
// memcmp, so [prefix, prefix followed by 0xFF…) is "all keys with this prefix": PrefixEnd below.
struct KeyRange {
  std::string lower;  // empty: from the start
  bool lower_inclusive = true;
  std::string upper;  // ignored when no_upper
  bool upper_inclusive = false;
  bool no_upper = true;

  static KeyRange All() { return {}; }
  // Keys that start with `prefix`, and `prefix` itself.
  static KeyRange Prefix(std::string_view prefix);
};

// The least byte string above all that start with `prefix`; empty when there is none.
std::string PrefixEnd(std::string_view prefix);

// What a locking scan of a secondary index under REPEATABLE READ and above locks of the first entry
// beyond its range, as InnoDB does depending on where the end is noticed: the gap before it, the
// entry, or its row as well.
enum class BeyondRange : uint8_t { kGap, kEntry, kRow };

struct ScanOptions {
  size_t index_no = kClusteredIndex;
  KeyRange range;  // over the index's own keys (secondary: secondary key bytes first)
  bool reverse = false;
  LockMode lock = LockMode::kNone;
  WaitPolicy wait = WaitPolicy::kWait;
  // The range can hold one row at most (equality on a whole unique key): locks no gap when found.
  bool unique_point = false;
  // A long scan is coming: fetch leaves ahead.
  bool read_ahead = false;
  // Keys are all that the caller reads: a shared lock of the entry is enough.
  bool covering = false;
  BeyondRange beyond = BeyondRange::kGap;
  // Below REPEATABLE READ, in the clustered index: a row that somebody else has locked is shown as
  // it was last committed, without a lock, and waited for once it is confirmed.
  bool semi_consistent = false;
};

class Cursor {
 public:
  virtual ~Cursor() = default;
  Cursor() = default;
  Cursor(const Cursor&) = delete;
  Cursor& operator=(const Cursor&) = delete;

  // Moves to the first or next row. False at the end. Errors: kDeadlock (the transaction is rolled
  // back), kTimedOut, kCancelled, and the volume's.
  virtual Result<bool> Next() = 0;

  // Of the current row, valid until the next call. `key` is the index key without the clustered
  // part that the engine appends.
  virtual std::string_view key() const = 0;
  virtual std::string_view clustered_key() const = 0;
  // The row bytes; a secondary cursor fetches (and locks) them at the first call for a row.
  virtual Result<std::string_view> row() = 0;

  // For READ COMMITTED: the row does not match after all; gives back the locks that Next() took on
  // it. No effect under REPEATABLE READ and above, nor on a lock held before.
  virtual void UnlockRow() = 0;
  // The row matches: one that was shown without its lock is waited for. False when it is not the
  // same any more; then the next Next() shows it again, as it is now, if it is still there.
  virtual Result<bool> Confirm() { return true; }
  // Starts again with another range of the same index; keeps buffers.
  virtual Status Restart(KeyRange range, bool unique_point) = 0;
};

// REQUIRES: `transaction` and `table` outlive the cursor.
Result<std::unique_ptr<Cursor>> OpenCursor(Transaction& transaction, TableRef table,
                                           ScanOptions options);

// The row with this clustered key, into *row (replaced). kNotFound when the transaction sees none,
// or with kSkip when it is locked. *may_unlock: below REPEATABLE READ, and it was not locked
// before.
Status Get(Transaction& transaction, const Table& table, std::string_view clustered_key,
           LockMode lock, WaitPolicy wait, std::string* row, bool* may_unlock = nullptr);

// Gives back the lock that Get() took on a row that does not match after all. REQUIRES: Get() said
// that it may be.
void UnlockRow(Transaction& transaction, const Table& table, std::string_view clustered_key);

}  // namespace borealis::engine
