#include "engine/row/secondary.h"

#include "base/fault.h"
#include "engine/row/row_lock.h"
#include "engine/row/row_read.h"
#include "engine/row/row_version.h"
#include "engine/store/latch_order.h"
#include "engine/store/leaf_cursor.h"
#include "engine/table_trees.h"

namespace borealis::engine {

namespace {

struct KeyInUse {
  std::string rival;  // the row that has the unique key, or may have it again; empty: none
  bool was_ours =
      false;  // a row of this transaction's has given it up, or is about to have it again
};

// REQUIRES: an insert mark on the unique prefix, so that none can be added meanwhile.
Result<KeyInUse> FindKeyInUse(EngineTransaction& transaction, const Table& table, size_t index_no,
                              const IndexKey& key, std::string_view clustered_key) {
  const std::string_view prefix = std::string_view(key.bytes).substr(0, key.unique_prefix_size);
  KeyInUse use;
  std::vector<std::string> marked;
  {
    Mtr mtr(transaction.core().store);
    LeafCursor cursor(&table.trees().tree(index_no), &mtr);
    RETURN_IF_ERROR(cursor.Seek(prefix, SeekMode::kAtLeast, LatchMode::kShared));
    while (cursor.valid() && cursor.key().starts_with(prefix)) {
      ASSIGN_OR_RETURN(SecondaryEntry entry, DecodeSecondary(cursor.key(), cursor.value()));
      if (entry.clustered_key == clustered_key) {
        use.was_ours = true;
      } else if (!entry.deleted) {
        use.rival = entry.clustered_key;
        return use;
      } else {
        marked.emplace_back(entry.clustered_key);
      }
      RETURN_IF_ERROR(cursor.Next());
    }
  }
  for (std::string& rival : marked) {
    // Who marked it may take that back, or has done so by now.
    ASSIGN_OR_RETURN(const EntryState state,
                     ReadEntryAndWriter(transaction, table, index_no, key.bytes, rival));
    const bool ours = state.writer == transaction.id();
    if (state.live || (state.writer != TrxId(0) && !ours)) {
      use.rival = std::move(rival);
      return use;
    }
    use.was_ours |= ours;
  }
  return use;
}

// What InnoDB's search for duplicates leaves locked where it meets marked entries: their place, and
// for a statement that would change the row in the way the entry that follows as well.
Status LockPastKey(EngineTransaction& transaction, const Table& table, size_t index_no,
                   std::string_view prefix, LockMode lock) {
  COVER("secondary.locked_past_key");
  Core& core = transaction.core();
  const std::string end = PrefixEnd(prefix);
  RETURN_IF_ERROR(
      LockGapAround(core, transaction.owner(), table, index_no,
                    {prefix, true, end, false, end.empty(), lock != LockMode::kShared}));
  if (lock == LockMode::kShared) {
    return Status::Ok();
  }
  std::string next_key;
  std::string next_clustered_key;
  {
    Mtr mtr(core.store);
    LeafCursor cursor(&table.trees().tree(index_no), &mtr);
    if (!end.empty()) {
      RETURN_IF_ERROR(cursor.Seek(end, SeekMode::kAtLeast, LatchMode::kShared));
    }
    if (end.empty() || !cursor.valid()) {
      return Status::Ok();
    }
    ASSIGN_OR_RETURN(const SecondaryEntry next, DecodeSecondary(cursor.key(), cursor.value()));
    next_key = next.key;
    next_clustered_key = next.clustered_key;
  }
  EntryLockResult locked;
  return LockEntry(transaction, table, index_no, next_key, next_clustered_key, lock,
                   WaitPolicy::kWait, &locked);
}

Status WriteLiveEntry(Core& core, BTree& tree, std::string_view entry_key,
                      size_t clustered_key_size, TrxId trx) {
  const std::string value = EncodeSecondaryValue(false, clustered_key_size);
  Mtr mtr(core.store);
  RETURN_IF_ERROR(mtr.StartWriting());
  Status status = tree.Insert(&mtr, entry_key, value, trx.value());
  if (status.Is(Code::kAlreadyExists)) {
    COVER("secondary.ghost_revived");
    mtr.Abandon();
    RETURN_IF_ERROR(mtr.StartWriting());
    status = tree.Update(&mtr, entry_key, value, trx.value());
    if (status.Is(Code::kNotFound)) {  // purge has just removed the ghost
      mtr.Abandon();
      RETURN_IF_ERROR(mtr.StartWriting());
      status = tree.Insert(&mtr, entry_key, value, trx.value());
    }
  }
  if (!status.ok()) {
    mtr.Abandon();
    return status;
  }
  mtr.Commit();
  CRASH_POINT("secondary.entry_written");
  return Status::Ok();
}

}  // namespace

std::string SecondaryEntryKey(std::string_view key, std::string_view clustered_key) {
  std::string entry;
  entry.reserve(key.size() + clustered_key.size());
  entry.append(key);
  entry.append(clustered_key);
  return entry;
}

Status InsertSecondary(EngineTransaction& transaction, const Table& table, size_t index_no,
                       const IndexKey& key, std::string_view clustered_key, LockMode duplicate_lock,
                       DuplicateKey* duplicate) {
  Core& core = transaction.core();
  const IndexId index = table.definition().indexes[index_no].id;
  const std::string entry_key = SecondaryEntryKey(key.bytes, clustered_key);
  if (entry_key.size() > kKeySizeMax) {
    return Status::InvalidArgument("index key is too long");
  }
  const bool unique = key.unique_prefix_size > 0;
  const std::string_view unique_prefix =
      std::string_view(key.bytes).substr(0, key.unique_prefix_size);
  const auto begin = [&](WaitPolicy policy) {
    return core.locks.BeginInsert(transaction.owner(), index, entry_key, key.unique_prefix_size,
                                  transaction.row_wait(policy));
  };
  for (;;) {
    // A duplicate is looked for before the gap is waited for; without the mark what is found may
    // change, but a rival that is there is waited for all the same.
    Status status = begin(WaitPolicy::kFail);
    KeyInUse use;
    if (status.Is(Code::kTimedOut)) {
      if (unique) {
        ASSIGN_OR_RETURN(use, FindKeyInUse(transaction, table, index_no, key, clustered_key));
      }
      status = use.rival.empty() ? begin(WaitPolicy::kWait) : Status::Ok();
    }
    RETURN_IF_ERROR(std::move(status));
    if (use.rival.empty()) {
      Result<KeyInUse> found = KeyInUse();
      if (unique) {
        found = FindKeyInUse(transaction, table, index_no, key, clustered_key);
      }
      Status written = found.status();
      if (found.ok() && found->rival.empty()) {
        written = WriteLiveEntry(core, table.trees().tree(index_no), entry_key,
                                 clustered_key.size(), transaction.id());
      }
      core.locks.EndInsert(transaction.owner(), index);
      RETURN_IF_ERROR(std::move(written));
      use = std::move(*found);
    }
    if (use.rival.empty()) {
      return use.was_ours ? LockPastKey(transaction, table, index_no, unique_prefix, duplicate_lock)
                          : Status::Ok();
    }
    std::string& rival = use.rival;
    // Locks the place of the key, at every level as InnoDB does: when the rival's insert is taken
    // back, those who waited for it exclude each other. The rival's entry is waited for, and stays
    // locked if it is there to stay; otherwise everything is looked at again.
    RETURN_IF_ERROR(LockUniquePlace(transaction, table, index_no, unique_prefix));
    EntryLockResult locked;
    RETURN_IF_ERROR(LockEntry(transaction, table, index_no, key.bytes, rival, duplicate_lock,
                              WaitPolicy::kWait, &locked));
    if (locked.live) {
      if (duplicate != nullptr) {
        duplicate->index_no = index_no;
        duplicate->clustered_key = std::move(rival);
      }
      return Status::AlreadyExists("duplicate key in " + table.definition().indexes[index_no].name);
    }
    COVER("secondary.rival_went_away");
    if (locked.outcome != LockOutcome::kHeld) {
      core.locks.UnlockRecord(transaction.owner(), index, SecondaryEntryKey(key.bytes, rival));
    }
  }
}

Status DeleteMarkSecondary(EngineTransaction& transaction, const Table& table, size_t index_no,
                           std::string_view key, std::string_view clustered_key) {
  Core& core = transaction.core();
  const IndexId index = table.definition().indexes[index_no].id;
  const std::string entry_key = SecondaryEntryKey(key, clustered_key);
  for (;;) {
    {
      Mtr mtr(core.store);
      RETURN_IF_ERROR(mtr.StartWriting());
      LeafCursor cursor(&table.trees().tree(index_no), &mtr);
      bool exact = false;
      RETURN_IF_ERROR(cursor.SeekLeaf(entry_key, LatchMode::kExclusive, &exact));
      if (!exact) {
        return Status::Corruption("index entry of a row is missing");
      }
      // Asked with the leaf latched (INV-LCK-6): who gets the lock from now on will see the mark.
      if (!core.locks.IsContested(transaction.owner(), index, entry_key)) {
        const char mark = 1;
        cursor.PatchValue(0, {&mark, 1});
        cursor.RaiseMaxTrxId(transaction.id().value());
        mtr.Commit();
        return Status::Ok();
      }
    }
    COVER("secondary.waited_for_entry");
    RETURN_IF_ERROR(core.locks
                        .LockRecord(transaction.owner(), index, entry_key, LockMode::kExclusive,
                                    transaction.row_wait(WaitPolicy::kWait))
                        .status());
  }
}

Status MarkSecondary(Core& core, const Table& table, size_t index_no, std::string_view key,
                     std::string_view clustered_key, bool deleted, TrxId trx) {
  const std::string entry_key = SecondaryEntryKey(key, clustered_key);
  Mtr mtr(core.store);
  RETURN_IF_ERROR(mtr.StartWriting());
  {
    LeafCursor cursor(&table.trees().tree(index_no), &mtr);
    bool exact = false;
    RETURN_IF_ERROR(cursor.SeekLeaf(entry_key, LatchMode::kExclusive, &exact));
    if (exact) {
      const char flag = deleted ? 1 : 0;
      cursor.PatchValue(0, {&flag, 1});
      cursor.RaiseMaxTrxId(trx.value());
      mtr.Commit();
      return Status::Ok();
    }
  }
  mtr.Abandon();
  if (deleted) {
    return Status::Corruption("index entry of a row is missing");
  }
  return WriteLiveEntry(core, table.trees().tree(index_no), entry_key, clustered_key.size(), trx);
}

Status RemoveOrMarkSecondary(Core& core, LockOwner* owner, const Table& table, size_t index_no,
                             std::string_view key, std::string_view clustered_key,
                             const RowVersion* newest, TrxId trx) {
  if (newest != nullptr) {
    ASSIGN_OR_RETURN(bool needed,
                     AnySettledVersionHasKey(core, table, index_no, key, clustered_key, *newest));
    if (needed) {
      COVER("secondary.rollback_marks");
      return MarkSecondary(core, table, index_no, key, clustered_key, /*deleted=*/true, trx);
    }
  }
  Mtr mtr(core.store);
  RETURN_IF_ERROR(mtr.StartWriting());
  const std::string entry_key = SecondaryEntryKey(key, clustered_key);
  Status status = table.trees().tree(index_no).Delete(&mtr, entry_key);
  if (!status.ok()) {
    mtr.Abandon();
    return status.Is(Code::kNotFound) ? Status::Ok() : status;
  }
  mtr.Commit();
  if (owner != nullptr) {
    core.locks.UnlockRecord(owner, table.definition().indexes[index_no].id, entry_key);
  }
  return Status::Ok();
}

namespace {

// Looks, with the entry's leaf latched, whether it is a ghost that nobody needs. The latch keeps
// the entry from being revived meanwhile: whoever makes the row need it again writes the row first
// and comes here afterwards.
Result<bool> IsDeadEntry(Core& core, const LeafCursor& cursor, const Table& table, size_t index_no,
                         std::string_view key, std::string_view clustered_key,
                         const ReadView& oldest_view) {
  if (cursor.value().empty() || (cursor.value()[0] & 1) == 0) {
    return false;
  }
  const latch_order::LookFromLeaf looks;
  ASSIGN_OR_RETURN(bool needed,
                   AnyVersionHasKey(core, table, index_no, key, clustered_key, oldest_view));
  return !needed;
}

}  // namespace

Status PurgeSecondary(Core& core, LockOwner* purge, const Table& table, size_t index_no,
                      std::string_view key, std::string_view clustered_key,
                      const ReadView& oldest_view) {
  BTree& tree = table.trees().tree(index_no);
  const std::string entry_key = SecondaryEntryKey(key, clustered_key);
  auto attempt = [&](bool keep_latch) -> Status {
    Mtr mtr(core.store);
    RETURN_IF_ERROR(mtr.StartWriting());
    LeafCursor cursor(&tree, &mtr);
    bool exact = false;
    RETURN_IF_ERROR(cursor.SeekLeaf(entry_key, LatchMode::kExclusive, &exact));
    if (!exact) {
      return Status::Ok();
    }
    ASSIGN_OR_RETURN(bool dead,
                     IsDeadEntry(core, cursor, table, index_no, key, clustered_key, oldest_view));
    if (!dead) {
      return Status::Ok();
    }
    Status status = cursor.Erase();
    if (status.Is(Code::kRetry) && !keep_latch) {
      cursor.Release();
      status = tree.Delete(&mtr, entry_key);
    }
    if (!status.ok()) {
      mtr.Abandon();
      return status;
    }
    mtr.Commit();
    core.rows.purged.fetch_add(1, std::memory_order_relaxed);
    return Status::Ok();
  };
  Status status = attempt(/*keep_latch=*/true);
  if (!status.Is(Code::kRetry)) {
    return status;
  }
  // The leaf has to be merged, for which the latch is given up: a gap lock on the key keeps
  // inserts away instead.
  COVER("secondary.purge_merges");
  const IndexId index = table.definition().indexes[index_no].id;
  core.locks.LockGap(purge, index, {entry_key, true, entry_key, true, false}, 0);
  status = attempt(/*keep_latch=*/false);
  core.locks.ReleaseAll(purge);
  return status;
}

}  // namespace borealis::engine
