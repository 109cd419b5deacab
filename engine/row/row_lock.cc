#include "engine/row/row_lock.h"

#include "base/fault.h"
#include "engine/row/secondary.h"
#include "engine/store/leaf_cursor.h"
#include "engine/table_trees.h"

namespace borealis::engine {

Status LockRow(EngineTransaction& transaction, const Table& table, std::string_view clustered_key,
               LockMode mode, WaitPolicy policy, RowLockResult* result) {
  Core& core = transaction.core();
  const IndexId index = table.definition().indexes[kClusteredIndex].id;
  result->waited = false;
  for (;;) {
    ASSIGN_OR_RETURN(result->exists, ReadNewest(table, clustered_key, &result->newest));
    const TrxId writer = result->newest.header.trx;
    if (result->exists && writer == transaction.id() && writer != TrxId(0)) {
      result->outcome = LockOutcome::kHeld;
      return Status::Ok();
    }
    TrxId ended;
    if (result->exists && !core.transactions->IsActive(writer)) {
      ended = writer;
    } else if (result->exists) {
      // Give the writer the lock that it has anyway, then wait for it.
      core.transactions->IfActive(writer, [&](ChangingTransaction& holder) {
        core.locks.GrantImplicit(holder.owner.get(), index, clustered_key);
      });
    }
    RACE_POINT("row_lock.row_seen");
    ASSIGN_OR_RETURN(result->outcome,
                     core.locks.LockRecord(transaction.owner(), index, clustered_key, mode,
                                           transaction.row_wait(policy)));
    if (result->outcome == LockOutcome::kSkipped) {
      return Status::Ok();
    }
    RACE_POINT("row_lock.lock_granted");
    if (result->outcome == LockOutcome::kWaited) {
      result->waited = true;
    }
    bool active = false;
    const Result<bool> read =
        ReadNewestAndWriter(core, table, clustered_key, ended, &result->newest, &active);
    if (!read.ok()) {
      // Nobody knows whether the row was there to be locked.
      if (result->outcome != LockOutcome::kHeld) {
        core.locks.UnlockRecord(transaction.owner(), index, clustered_key);
      }
      return read.status();
    }
    result->exists = *read;
    const TrxId now = result->newest.header.trx;
    if (!result->exists) {
      // Locks belong to rows; the place of a row that is not there is a matter of gap locks.
      core.locks.UnlockRecord(transaction.owner(), index, clustered_key);
      return Status::Ok();
    }
    if (now == transaction.id() || !active) {
      transaction.NoteMet(now);
      return transaction.CheckUnchanged(now);
    }
    // Written between the look and the lock: by a writer that had dropped its explicit lock for the
    // implied one, or as a new row where a ghost was locked and then purged. Queue behind it.
    COVER("row_lock.writer_slipped_in");
    core.locks.UnlockRecord(transaction.owner(), index, clustered_key);
  }
}

namespace {

Result<EntryState> ReadEntry(const Core& core, const Table& table, size_t index_no,
                             std::string_view entry_key) {
  Mtr mtr(core.store);
  LeafCursor cursor(&table.trees().tree(index_no), &mtr);
  EntryState state;
  RETURN_IF_ERROR(cursor.SeekLeaf(entry_key, LatchMode::kShared, &state.exists));
  state.max_trx = TrxId(cursor.max_trx_id());
  if (state.exists) {
    ASSIGN_OR_RETURN(SecondaryEntry entry, DecodeSecondary(cursor.key(), cursor.value()));
    state.live = !entry.deleted;
    SavedPosition position;
    cursor.Save(&position);
    state.leaf = position.page;
    state.leaf_lsn = position.lsn;
  }
  return state;
}

// The active transaction that has changed the entry; TrxId(0) when there is none.
Result<TrxId> FindEntryWriter(const Core& core, const Table& table, size_t index_no,
                              std::string_view key, std::string_view clustered_key,
                              const EntryState& state) {
  RowVersion newest;
  ASSIGN_OR_RETURN(bool exists, ReadNewest(table, clustered_key, &newest));
  const TrxId writer = newest.header.trx;
  if (!exists || !core.transactions->IsActive(writer)) {
    return TrxId(0);
  }
  ASSIGN_OR_RETURN(bool holds,
                   WriterHoldsEntry(core, table, index_no, key, clustered_key, state.live, writer));
  return holds ? writer : TrxId(0);
}

}  // namespace

Result<EntryState> ReadEntryAndWriter(EngineTransaction& transaction, const Table& table,
                                      size_t index_no, std::string_view key,
                                      std::string_view clustered_key) {
  const Core& core = transaction.core();
  const std::string entry_key = SecondaryEntryKey(key, clustered_key);
  // Taken before the entry is read: who changes the entry later has an id that is not below it.
  const TrxId settled = core.transactions->SettledLimit();
  ASSIGN_OR_RETURN(EntryState state, ReadEntry(core, table, index_no, entry_key));
  for (;;) {
    if (!state.exists || state.max_trx < settled) {
      return state;
    }
    transaction.NoteMetLatest();
    ASSIGN_OR_RETURN(state.writer,
                     FindEntryWriter(core, table, index_no, key, clustered_key, state));
    if (state.writer != TrxId(0)) {
      return state;
    }
    ASSIGN_OR_RETURN(EntryState again, ReadEntry(core, table, index_no, entry_key));
    if (again.leaf == state.leaf && again.leaf_lsn == state.leaf_lsn) {
      return again;
    }
    COVER("row_lock.entry_rolled_back");
    state = again;
  }
}

Status LockEntry(EngineTransaction& transaction, const Table& table, size_t index_no,
                 std::string_view key, std::string_view clustered_key, LockMode mode,
                 WaitPolicy policy, EntryLockResult* result) {
  Core& core = transaction.core();
  const IndexId index = table.definition().indexes[index_no].id;
  const std::string entry_key = SecondaryEntryKey(key, clustered_key);
  result->waited = false;
  for (;;) {
    ASSIGN_OR_RETURN(result->outcome, core.locks.LockRecord(transaction.owner(), index, entry_key,
                                                            mode, transaction.row_wait(policy)));
    if (result->outcome == LockOutcome::kSkipped) {
      return Status::Ok();
    }
    result->waited |= result->outcome == LockOutcome::kWaited;
    ASSIGN_OR_RETURN(const EntryState state,
                     ReadEntryAndWriter(transaction, table, index_no, key, clustered_key));
    result->live = state.live;
    if (!state.exists) {
      core.locks.UnlockRecord(transaction.owner(), index, entry_key);
      result->outcome = LockOutcome::kHeld;
      return Status::Ok();
    }
    if (state.writer == TrxId(0) || state.writer == transaction.id()) {
      return Status::Ok();
    }
    // It was had implicitly: that is made explicit, and one queues behind it.
    COVER("row_lock.entry_writer");
    core.locks.UnlockRecord(transaction.owner(), index, entry_key);
    core.transactions->IfActive(state.writer, [&](ChangingTransaction& holder) {
      core.locks.GrantImplicit(holder.owner.get(), index, entry_key);
    });
  }
}

}  // namespace borealis::engine
