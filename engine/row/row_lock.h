// Locking rows and index entries: explicit locks, and the implicit ones of who wrote them last.
//
// A transaction that changed a row holds it through its id in the row's header, and the entries
// that it has changed along with it. Whoever wants the row or an entry makes that lock explicit on
// the holder's behalf and queues behind it.
//
// An entry is locked before its row by readers; a writer has its row first and then asks for the
// entries one by one. Whoever closes a circle that way is found by the wait graph, as in InnoDB.
//
// INV-LCK-6  Whoever is granted an entry's lock finds the entry unchanged by any other active
//            transaction, and nobody else changes it while the lock is held: a writer looks for
//            locks with the entry's leaf latched, a reader looks at the entry once it has the lock.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "engine/row/row_version.h"
#include "engine/trx/engine_transaction.h"

namespace borealis::engine {

struct RowLockResult {
  LockOutcome outcome = LockOutcome::kHeld;
  bool exists = false;  // an entry is there (it may be delete-marked)
  RowVersion newest;    // as read under the lock
  bool waited = false;
};

// Locks the row and reads its newest version under the lock. kSkipped (SKIP LOCKED) reads nothing.
// Nothing is locked when there is no entry.
Status LockRow(EngineTransaction& transaction, const Table& table, std::string_view clustered_key,
               LockMode mode, WaitPolicy policy, RowLockResult* result);

struct EntryState {
  bool exists = false;
  bool live = false;
  TrxId writer;   // active, and has changed the entry; TrxId(0): nobody
  TrxId max_trx;  // no younger transaction has changed an entry of the leaf (INV-ROW-2)
  PageNo leaf = kNoPage;
  Lsn leaf_lsn;
};

// The entry and who holds it by having changed it, as they are together: a rollback puts entries
// right before it puts the row right, so a row that names no holder counts if the entry's leaf is
// the same before and after it was read: an entry that looks the same may have been taken back and
// changed again. Counts as long as nobody new can change the entry.
Result<EntryState> ReadEntryAndWriter(EngineTransaction& transaction, const Table& table,
                                      size_t index_no, std::string_view key,
                                      std::string_view clustered_key);

struct EntryLockResult {
  LockOutcome outcome = LockOutcome::kHeld;
  bool live = false;  // the entry is there and not delete-marked, as read under the lock
  bool waited = false;
};

// Locks one entry of a secondary index and reads its mark under the lock. Without an entry nothing
// is locked; kSkipped reads nothing.
Status LockEntry(EngineTransaction& transaction, const Table& table, size_t index_no,
                 std::string_view key, std::string_view clustered_key, LockMode mode,
                 WaitPolicy policy, EntryLockResult* result);

}  // namespace borealis::engine
