// Entries of secondary indexes: making, marking, removing, and the search for duplicates.
//
// An entry is never changed but for its delete mark. Whoever changes it has its row locked, and
// waits for those who have locked the entry itself (row_lock.h); ranges of the index are locked
// through the lock table's gaps and insert marks.
//
// INV-ROW-1  Each live row version that the newest clustered entry or an open view can show has
//            its entry in every index; a marked entry stays as long as some view may need it.
// INV-ROW-2  Every change of an entry raises its leaf's max transaction id to the changer's (or is
//            done by purge and rollback, which change nothing that a view sees).
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "engine/definition.h"
#include "engine/row.h"
#include "engine/table.h"
#include "engine/trx/engine_transaction.h"

namespace borealis::engine {

std::string SecondaryEntryKey(std::string_view key, std::string_view clustered_key);

// Puts a live entry there, checking uniqueness. kAlreadyExists fills *duplicate.
Status InsertSecondary(EngineTransaction& transaction, const Table& table, size_t index_no,
                       const IndexKey& key, std::string_view clustered_key, LockMode duplicate_lock,
                       DuplicateKey* duplicate);

// Marks an entry whose row the transaction has changed, once nobody else has it locked.
Status DeleteMarkSecondary(EngineTransaction& transaction, const Table& table, size_t index_no,
                           std::string_view key, std::string_view clustered_key);

// Sets or clears the mark of an entry, for rollback. With `must_exist` a missing entry is put back
// (rollback).
Status MarkSecondary(Core& core, const Table& table, size_t index_no, std::string_view key,
                     std::string_view clustered_key, bool deleted, TrxId trx);

// Removes the entry unless some version of the row from *newest on (null: there is no row) has
// this key for an open view; then leaves it, marked. For rollback: the row is held. Who waits for
// `owner` (may be null) because of a removed entry waits no longer.
Status RemoveOrMarkSecondary(Core& core, LockOwner* owner, const Table& table, size_t index_no,
                             std::string_view key, std::string_view clustered_key,
                             const struct RowVersion* newest, TrxId trx);

// Removes a marked entry that no version of its row needs. For purge: nothing is held.
Status PurgeSecondary(Core& core, LockOwner* purge, const Table& table, size_t index_no,
                      std::string_view key, std::string_view clustered_key,
                      const ReadView& oldest_view);

}  // namespace borealis::engine
