// Insert, update and delete of one row (row.h).
//
// The row first, in one mini-transaction with its undo record; then its index entries, one
// mini-transaction each, and each may have to wait for who has the entry locked. What fails on the
// way is undone here, back to before the row.
#include "engine/row/row_write.h"

#include <algorithm>

#include "base/fault.h"
#include "base/mysql_error.h"
#include "engine/row.h"
#include "engine/row/row_lock.h"
#include "engine/row/row_version.h"
#include "engine/row/secondary.h"
#include "engine/statistics_keeper.h"
#include "engine/store/page_format.h"
#include "engine/table_trees.h"
#include "engine/trx/engine_transaction.h"

namespace borealis::engine {

namespace {

// A row's bytes as its entry will hold them. Off-page parts are written before the entry that
// refers to them; Discard frees them when that entry is never written.
struct StoredRow {
  std::string bytes;
  std::string reference;  // as in bytes, when long
  bool is_long = false;
};

Result<StoredRow> StoreRow(Core& core, std::string_view row, size_t key_size) {
  StoredRow stored;
  if (kRowHeaderSize + row.size() <= MaxValueSize(key_size)) {
    stored.bytes = row;
    return stored;
  }
  const size_t room = MaxValueSize(key_size) - kRowHeaderSize - kLongValueReferenceSize;
  const size_t prefix = std::min(kLongRowPrefixSize, room);
  ASSIGN_OR_RETURN(LongValueReference reference, WriteLongValue(core.store, row.substr(prefix)));
  reference.AppendTo(&stored.reference);
  stored.bytes.assign(row.substr(0, prefix));
  stored.bytes.append(stored.reference);
  stored.is_long = true;
  return stored;
}

void Discard(Core& core, const StoredRow& stored) {
  if (!stored.is_long) {
    return;
  }
  Result<LongValueReference> reference = LongValueReference::Parse(stored.reference);
  for (bool freed = false; reference.ok() && !freed;) {
    Mtr mtr(core.store);
    if (!mtr.StartWriting().ok()) {
      return;  // pages are lost to a volume that takes no more log
    }
    Result<bool> step = FreeLongValueStep(&mtr, *reference, 64);
    if (mtr.has_changes()) {
      mtr.Commit();
    }
    freed = !step.ok() || *step;
  }
}

// One change of one clustered entry.
struct RowChange {
  std::string_view key;
  const RowVersion* old = nullptr;  // null: the row is new
  const StoredRow* stored = nullptr;
  bool deletes = false;
  std::vector<std::pair<IndexId, std::string_view>> given_up;
};

// Writes the entry and its undo record. kAlreadyExists (new row) or kNotFound when the tree is not
// as expected; then nothing has happened.
Status WriteRow(EngineTransaction& transaction, const Table& table, const RowChange& change) {
  Core& core = transaction.core();
  UndoDraft draft;
  draft.type = change.old == nullptr ? UndoType::kInsert : UndoType::kChange;
  draft.clustered_index = table.definition().indexes[kClusteredIndex].id;
  draft.clustered_key = change.key;
  draft.deletes = change.deletes;
  RowHeader header;
  header.deleted = change.deletes;
  header.trx = transaction.id();
  std::string_view stored;
  if (change.deletes) {
    // The bytes stay, so that the ghost's index entries can be found.
    stored = change.old->stored;
    header.is_long = change.old->header.is_long;
  } else {
    stored = change.stored->bytes;
    header.is_long = change.stored->is_long;
    draft.new_reference = change.stored->reference;
  }
  if (change.old != nullptr) {
    draft.old_header = change.old->header;
    draft.old_stored = change.old->stored;
    draft.new_stored = stored;
    // A deleted row's off-page part belongs to the delete, also when the ghost is revived.
    if (change.old->header.is_long && !change.old->header.deleted) {
      draft.old_reference = change.old->view().reference();
    }
    draft.given_up = change.given_up;
  }
  const std::string undo = EncodeUndo(draft);

  Mtr mtr(core.store);
  RETURN_IF_ERROR(mtr.StartWriting());
  UndoPlace place;
  RETURN_IF_ERROR(core.undo.Prepare(&mtr, *transaction.log(), undo.size(), &place));
  header.roll = RollPointer(place.page->number(), place.offset, change.old == nullptr);
  BTree& tree = table.trees().tree(kClusteredIndex);
  const std::string value = EncodeRow(header, stored);
  Status status = change.old == nullptr ? tree.Insert(&mtr, change.key, value)
                                        : tree.Update(&mtr, change.key, value);
  if (!status.ok()) {
    mtr.Abandon();
    return status;
  }
  const bool begins = !transaction.log()->begun;
  core.undo.Append(&mtr, transaction.log(), place, transaction.id(),
                   core.transactions->BeginFloor(), undo);
  if (change.old != nullptr) {
    transaction.log()->only_inserts = false;
  }
  mtr.Commit();
  CRASH_POINT("row_write.entry_written");
  if (begins) {
    core.transactions->NoteBegun(transaction.id());
  }
  transaction.NoteChange();
  table.state().NoteChange(transaction.id(), change.key);  // INV-DDL-2
  const bool was_live = change.old != nullptr && !change.old->header.deleted;
  core.statistics->NoteChange(table, was_live, !change.deletes);
  return Status::Ok();
}

Status DuplicateRow(std::string_view key, DuplicateKey* duplicate) {
  if (duplicate != nullptr) {
    duplicate->index_no = kClusteredIndex;
    duplicate->clustered_key = key;
  }
  return Status::AlreadyExists("duplicate clustered key");
}

// The keys of a ghost's index entries that the row written over it does not have: from now on it is
// that row's change which has to see them purged.
Status FindGivenUp(const Core& core, const Table& table, const RowVersion& ghost,
                   std::string_view new_row, std::vector<std::pair<IndexId, std::string>>* keys) {
  keys->clear();
  if (table.index_count() == 1) {
    return Status::Ok();
  }
  std::string old_row;
  RETURN_IF_ERROR(LoadRow(core, ghost.view(), &old_row));
  IndexKey old_key;
  IndexKey new_key;
  for (size_t i = 1; i < table.index_count(); ++i) {
    RETURN_IF_ERROR(table.layout().BuildKey(i, old_row, &old_key));
    RETURN_IF_ERROR(table.layout().BuildKey(i, new_row, &new_key));
    if (old_key.bytes != new_key.bytes) {
      keys->emplace_back(table.definition().indexes[i].id, old_key.bytes);
    }
  }
  return Status::Ok();
}

// Puts the clustered entry of a new row there, over a ghost if there is one.
Status InsertClustered(EngineTransaction& transaction, const Table& table, std::string_view key,
                       std::string_view row, const StoredRow& stored, LockMode duplicate_lock,
                       DuplicateKey* duplicate) {
  Core& core = transaction.core();
  const IndexId index = table.definition().indexes[kClusteredIndex].id;
  RowVersion ghost;
  bool holds_ghost = false;
  uint64_t place = 0;
  std::vector<std::pair<IndexId, std::string>> given_up;
  for (;;) {
    // Whether there is a row already is asked before the gap is waited for.
    bool occupied = false;
    Status status = core.locks.BeginInsert(transaction.owner(), index, key, key.size(),
                                           transaction.row_wait(WaitPolicy::kFail));
    if (status.Is(Code::kTimedOut)) {
      if (!holds_ghost) {
        RowVersion newest;
        ASSIGN_OR_RETURN(occupied, ReadNewest(table, key, &newest));
      }
      if (!occupied) {
        status = core.locks.BeginInsert(transaction.owner(), index, key, key.size(),
                                        transaction.row_wait(WaitPolicy::kWait));
      }
    }
    if (occupied) {
      status = Status::AlreadyExists("clustered key is there");
    } else {
      RETURN_IF_ERROR(std::move(status));
      RowChange change;
      change.key = key;
      change.stored = &stored;
      if (holds_ghost) {
        COVER("row_write.insert_over_ghost");
        change.old = &ghost;
        change.given_up.assign(given_up.begin(), given_up.end());
      }
      status = WriteRow(transaction, table, change);
      core.locks.EndInsert(transaction.owner(), index);
    }
    if (holds_ghost && status.ok()) {
      core.locks.DropImplied(transaction.owner(), index, key);
    }
    if (holds_ghost && status.Is(Code::kNotFound)) {
      holds_ghost = false;  // purged meanwhile
      continue;
    }
    if (holds_ghost || !status.Is(Code::kAlreadyExists)) {
      return status;
    }
    // Somebody's row or ghost is there: lock it, then see. The place of its key is locked as well,
    // at every level as InnoDB does: when the other insert is taken back, those who waited for it
    // exclude each other.
    if (place == 0) {
      const GapBounds bounds{key, true, key, true, false, /*exclusive=*/false, /*place=*/true};
      place = core.locks.LockGap(transaction.owner(), index, bounds, 0);
    }
    RowLockResult locked;
    RETURN_IF_ERROR(LockRow(transaction, table, key, duplicate_lock, WaitPolicy::kWait, &locked));
    if (!locked.exists) {
      continue;
    }
    if (!locked.newest.header.deleted) {
      return DuplicateRow(key, duplicate);
    }
    if (duplicate_lock != LockMode::kExclusive) {
      RETURN_IF_ERROR(
          LockRow(transaction, table, key, LockMode::kExclusive, WaitPolicy::kWait, &locked));
      if (!locked.exists) {
        continue;
      }
      if (!locked.newest.header.deleted) {
        return DuplicateRow(key, duplicate);
      }
    }
    ghost = std::move(locked.newest);
    Status found = FindGivenUp(core, table, ghost, row, &given_up);
    if (!found.ok()) {
      ASSIGN_OR_RETURN(bool still_there, ReadNewest(table, key, &ghost));
      if (!still_there) {
        continue;  // purged meanwhile, with its off-page part
      }
      return found;
    }
    holds_ghost = true;
  }
}

}  // namespace

Status CheckIndexKey(std::string_view key) {
  return key.size() > kIndexKeySizeMax ? Status::InvalidArgument("index key is too long")
                                       : Status::Ok();
}

Status InsertClusteredRow(EngineTransaction& transaction, const Table& table, std::string_view key,
                          std::string_view row, LockMode duplicate_lock, DuplicateKey* duplicate) {
  Core& core = transaction.core();
  ASSIGN_OR_RETURN(StoredRow stored, StoreRow(core, row, key.size()));
  Status status = InsertClustered(transaction, table, key, row, stored, duplicate_lock, duplicate);
  if (!status.ok()) {
    Discard(core, stored);
  }
  return status;
}

Status SettleChange(EngineTransaction& transaction, Savepoint before, Status status) {
  if (status.ok()) {
    return status;
  }
  if (!status.Is(Code::kDeadlock)) {
    if (Status undone = transaction.TakeBack(before); !undone.ok()) {
      return std::move(undone).Annotate("undo a failed change");
    }
  }
  return transaction.Fail(std::move(status));
}

namespace {

// The whole of an insert, without taking it back when it fails.
Status InsertRow(EngineTransaction& transaction, const Table& table, std::string_view row,
                 DuplicateKey* duplicate, LockMode duplicate_lock) {
  IndexKey key;
  RETURN_IF_ERROR(table.layout().BuildKey(kClusteredIndex, row, &key));
  RETURN_IF_ERROR(CheckIndexKey(key.bytes));
  RETURN_IF_ERROR(
      InsertClusteredRow(transaction, table, key.bytes, row, duplicate_lock, duplicate));
  IndexKey secondary;
  for (size_t i = 1; i < table.index_count(); ++i) {
    RETURN_IF_ERROR(table.layout().BuildKey(i, row, &secondary));
    RETURN_IF_ERROR(
        InsertSecondary(transaction, table, i, secondary, key.bytes, duplicate_lock, duplicate));
  }
  return Status::Ok();
}

// Delete-marks a row that is locked exclusively.
Status DeleteRow(EngineTransaction& transaction, const Table& table, std::string_view key,
                 const RowVersion& newest) {
  Core& core = transaction.core();
  RowChange change;
  change.key = key;
  change.old = &newest;
  change.deletes = true;
  RETURN_IF_ERROR(WriteRow(transaction, table, change));
  if (table.index_count() == 1) {
    return Status::Ok();
  }
  std::string row;
  RETURN_IF_ERROR(LoadRow(core, newest.view(), &row));
  IndexKey secondary;
  for (size_t i = 1; i < table.index_count(); ++i) {
    RETURN_IF_ERROR(table.layout().BuildKey(i, row, &secondary));
    RETURN_IF_ERROR(DeleteMarkSecondary(transaction, table, i, secondary.bytes, key));
  }
  return Status::Ok();
}

// A new version of a row that is locked exclusively and keeps its clustered key.
Status UpdateRow(EngineTransaction& transaction, const Table& table, std::string_view key,
                 const RowVersion& newest, std::string_view new_row, DuplicateKey* duplicate,
                 LockMode duplicate_lock) {
  Core& core = transaction.core();
  std::vector<std::pair<IndexKey, IndexKey>> keys(table.index_count());  // old, new
  RowChange change;
  change.key = key;
  change.old = &newest;
  if (table.index_count() > 1) {
    std::string old_row;
    RETURN_IF_ERROR(LoadRow(core, newest.view(), &old_row));
    for (size_t i = 1; i < table.index_count(); ++i) {
      RETURN_IF_ERROR(table.layout().BuildKey(i, old_row, &keys[i].first));
      RETURN_IF_ERROR(table.layout().BuildKey(i, new_row, &keys[i].second));
      RETURN_IF_ERROR(CheckIndexKey(keys[i].second.bytes));
      if (keys[i].first.bytes != keys[i].second.bytes) {
        change.given_up.emplace_back(table.definition().indexes[i].id, keys[i].first.bytes);
      }
    }
  }
  ASSIGN_OR_RETURN(StoredRow stored, StoreRow(core, new_row, key.size()));
  change.stored = &stored;
  Status status = WriteRow(transaction, table, change);
  if (!status.ok()) {
    Discard(core, stored);
    return status;
  }
  for (size_t i = 1; i < table.index_count(); ++i) {
    if (keys[i].first.bytes == keys[i].second.bytes) {
      continue;
    }
    RETURN_IF_ERROR(DeleteMarkSecondary(transaction, table, i, keys[i].first.bytes, key));
    RETURN_IF_ERROR(
        InsertSecondary(transaction, table, i, keys[i].second, key, duplicate_lock, duplicate));
  }
  return Status::Ok();
}

EngineTransaction& Of(Transaction& transaction) {
  return static_cast<EngineTransaction&>(transaction);
}

LockMode DuplicateLock(const WriteOptions& options) {
  return options.lock_duplicate_exclusive ? LockMode::kExclusive : LockMode::kShared;
}

}  // namespace

Status Insert(Transaction& transaction, const Table& table, std::string_view row,
              DuplicateKey* duplicate, WriteOptions options) {
  EngineTransaction& trx = Of(transaction);
  RETURN_IF_ERROR(trx.StartChange());
  const Savepoint before = trx.SetSavepoint();
  Status status = InsertRow(trx, table, row, duplicate, DuplicateLock(options));
  if (status.ok()) {
    trx.core().rows.inserted.fetch_add(1, std::memory_order_relaxed);
  }
  return SettleChange(trx, before, std::move(status));
}

Status Update(Transaction& transaction, const Table& table, std::string_view clustered_key,
              std::string_view new_row, DuplicateKey* duplicate, WriteOptions options) {
  EngineTransaction& trx = Of(transaction);
  RETURN_IF_ERROR(trx.StartChange());
  const Savepoint before = trx.SetSavepoint();
  const IndexId index = table.definition().indexes[kClusteredIndex].id;
  auto update = [&]() -> Status {
    IndexKey new_key;
    RETURN_IF_ERROR(table.layout().BuildKey(kClusteredIndex, new_row, &new_key));
    RETURN_IF_ERROR(CheckIndexKey(new_key.bytes));
    RowLockResult locked;
    RETURN_IF_ERROR(
        LockRow(trx, table, clustered_key, LockMode::kExclusive, WaitPolicy::kWait, &locked));
    if (!locked.exists || locked.newest.header.deleted) {
      return Status::NotFound("row does not exist");
    }
    if (new_key.bytes == clustered_key) {
      RETURN_IF_ERROR(UpdateRow(trx, table, clustered_key, locked.newest, new_row, duplicate,
                                DuplicateLock(options)));
    } else {
      RETURN_IF_ERROR(DeleteRow(trx, table, clustered_key, locked.newest));
      RETURN_IF_ERROR(InsertRow(trx, table, new_row, duplicate, DuplicateLock(options)));
    }
    trx.core().locks.DropImplied(trx.owner(), index, clustered_key);
    return Status::Ok();
  };
  Status status = update();
  if (status.ok()) {
    trx.core().rows.updated.fetch_add(1, std::memory_order_relaxed);
  }
  return SettleChange(trx, before, std::move(status));
}

Status Delete(Transaction& transaction, const Table& table, std::string_view clustered_key) {
  EngineTransaction& trx = Of(transaction);
  RETURN_IF_ERROR(trx.StartChange());
  const Savepoint before = trx.SetSavepoint();
  auto erase = [&]() -> Status {
    RowLockResult locked;
    RETURN_IF_ERROR(
        LockRow(trx, table, clustered_key, LockMode::kExclusive, WaitPolicy::kWait, &locked));
    if (!locked.exists || locked.newest.header.deleted) {
      return Status::NotFound("row does not exist");
    }
    RETURN_IF_ERROR(DeleteRow(trx, table, clustered_key, locked.newest));
    trx.core().locks.DropImplied(trx.owner(), table.definition().indexes[kClusteredIndex].id,
                                 clustered_key);
    return Status::Ok();
  };
  Status status = erase();
  if (status.ok()) {
    trx.core().rows.deleted.fetch_add(1, std::memory_order_relaxed);
  }
  return SettleChange(trx, before, std::move(status));
}

}  // namespace borealis::engine
