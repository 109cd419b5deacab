// Point lookups and the pieces that all cursors share (cursor.h).
#include "engine/row/row_read.h"

#include "base/fault.h"
#include "base/mysql_error.h"
#include "engine/row/row_lock.h"
#include "engine/store/leaf_cursor.h"
#include "engine/table_trees.h"

namespace borealis::engine {

std::string PrefixEnd(std::string_view prefix) {
  std::string end(prefix);
  while (!end.empty() && static_cast<uint8_t>(end.back()) == 0xFF) {
    end.pop_back();
  }
  if (!end.empty()) {
    end.back() = static_cast<char>(static_cast<uint8_t>(end.back()) + 1);
  }
  return end;
}

KeyRange KeyRange::Prefix(std::string_view prefix) {
  KeyRange range;
  range.lower = prefix;
  range.upper = PrefixEnd(prefix);
  range.no_upper = range.upper.empty();
  return range;
}

Status LockGapAround(Core& core, LockOwner* owner, const Table& table, size_t index_no,
                     const GapBounds& walked) {
  BTree& tree = table.trees().tree(index_no);
  std::string lower;
  std::string upper;
  GapBounds bounds;
  ASSIGN_OR_RETURN(const bool has_lower,
                   FindEntry(core, tree, walked.lower, SeekMode::kBefore, &lower));
  bounds.lower = lower;
  bounds.lower_inclusive = !has_lower;
  bounds.no_upper = walked.no_upper;
  if (!walked.no_upper) {
    const SeekMode mode = walked.upper_inclusive ? SeekMode::kAfter : SeekMode::kAtLeast;
    ASSIGN_OR_RETURN(const bool has_upper, FindEntry(core, tree, walked.upper, mode, &upper));
    bounds.upper = upper;
    bounds.no_upper = !has_upper;
  }
  core.locks.LockGap(owner, table.definition().indexes[index_no].id, bounds, 0);
  return Status::Ok();
}

Status LockUniquePlace(EngineTransaction& trx, const Table& table, size_t index_no,
                       std::string_view prefix) {
  std::string lower;
  ASSIGN_OR_RETURN(const bool found, FindEntry(trx.core(), table.trees().tree(index_no), prefix,
                                               SeekMode::kBefore, &lower));
  const std::string upper = PrefixEnd(prefix);
  const GapBounds bounds{lower,         !found, upper, false, upper.empty(), /*exclusive=*/false,
                         /*place=*/true};
  trx.core().locks.LockGap(trx.owner(), table.definition().indexes[index_no].id, bounds, 0);
  return Status::Ok();
}

Result<bool> FindEntry(const Core& core, BTree& tree, std::string_view key, SeekMode mode,
                       std::string* found) {
  Mtr mtr(core.store);
  LeafCursor cursor(&tree, &mtr);
  RETURN_IF_ERROR(cursor.Seek(key, mode, LatchMode::kShared));
  found->clear();
  if (!cursor.valid()) {
    return false;
  }
  *found = cursor.key();
  return true;
}

namespace {

Status GetConsistent(EngineTransaction& trx, const Table& table, std::string_view key,
                     std::string* row) {
  ASSIGN_OR_RETURN(Snapshot snapshot, trx.SnapshotForRead());
  RETURN_IF_ERROR(trx.CheckTableUsable(table, kClusteredIndex, snapshot));
  // READ UNCOMMITTED may meet a version that is being undone, and its off-page part going away:
  // then the version before is there to be read.
  for (int attempt = 0;; ++attempt) {
    auto read = [&]() -> Status {
      RowVersion version;
      ASSIGN_OR_RETURN(bool exists, ReadNewest(table, key, &version));
      if (exists) {
        ASSIGN_OR_RETURN(exists, FindVisible(trx.core(), table, key, snapshot, &version));
      }
      return exists ? LoadRow(trx.core(), version.view(), row)
                    : Status::NotFound("row does not exist");
    };
    Status status = read();
    RETURN_IF_ERROR(trx.CheckView());
    if (status.ok() || status.Is(Code::kNotFound) || snapshot.view != nullptr || attempt == 3) {
      return status;
    }
  }
}

// The writer would not know of a reader's locks.
Status CheckTakesLocks(const EngineTransaction& trx) {
  return trx.core().store->is_replica() ? UserError(ER_READ_ONLY_MODE) : Status::Ok();
}

Status GetLocked(EngineTransaction& trx, const Table& table, std::string_view key, LockMode lock,
                 WaitPolicy wait, std::string* row, bool* may_unlock) {
  const IndexId index = table.definition().indexes[kClusteredIndex].id;
  bool gap_locked = false;
  for (;;) {
    RowVersion newest;
    ASSIGN_OR_RETURN(bool exists, ReadNewest(table, key, &newest));
    // A ghost of an active transaction is as good as its row: wait for its fate.
    bool fate_is_open = false;
    if (exists && newest.header.deleted && newest.header.trx != trx.id()) {
      ASSIGN_OR_RETURN(
          exists, ReadNewestAndWriter(trx.core(), table, key, TrxId(0), &newest, &fate_is_open));
    }
    if (exists && (!newest.header.deleted || fate_is_open)) {
      RowLockResult locked;
      RETURN_IF_ERROR(LockRow(trx, table, key, lock, wait, &locked));
      if (locked.outcome == LockOutcome::kSkipped) {
        return Status::NotFound("row is locked");
      }
      if (locked.exists && !locked.newest.header.deleted) {
        *may_unlock = !trx.locks_gaps() && locked.outcome != LockOutcome::kHeld;
        return LoadRow(trx.core(), locked.newest.view(), row);
      }
      if (!trx.locks_gaps() && locked.outcome != LockOutcome::kHeld) {
        trx.core().locks.UnlockRecord(trx.owner(), index, key);
      }
    } else if (exists) {
      RETURN_IF_ERROR(trx.CheckUnchanged(newest.header.trx));
    }
    if (!trx.locks_gaps() || gap_locked) {
      return Status::NotFound("row does not exist");
    }
    // Nothing there: lock the place where it would be, and look once more.
    RETURN_IF_ERROR(LockGapAround(trx.core(), trx.owner(), table, kClusteredIndex,
                                  {key, true, key, true, false}));
    gap_locked = true;
  }
}

}  // namespace

Status Get(Transaction& transaction, const Table& table, std::string_view clustered_key,
           LockMode lock, WaitPolicy wait, std::string* row, bool* may_unlock) {
  auto& trx = static_cast<EngineTransaction&>(transaction);
  RETURN_IF_ERROR(trx.CheckUsable());
  const LockMode mode = trx.EffectiveLock(lock);
  if (mode != LockMode::kNone) {
    RETURN_IF_ERROR(CheckTakesLocks(trx));
  }
  bool unlockable = false;
  Status status =
      mode == LockMode::kNone
          ? GetConsistent(trx, table, clustered_key, row)
          : trx.Fail(GetLocked(trx, table, clustered_key, mode, wait, row, &unlockable));
  if (may_unlock != nullptr) {
    *may_unlock = unlockable;
  }
  if (status.ok()) {
    trx.core().rows.read.fetch_add(1, std::memory_order_relaxed);
  }
  return status;
}

void UnlockRow(Transaction& transaction, const Table& table, std::string_view clustered_key) {
  auto& trx = static_cast<EngineTransaction&>(transaction);
  trx.core().locks.UnlockRecord(trx.owner(), table.definition().indexes[kClusteredIndex].id,
                                clustered_key);
}

Result<std::unique_ptr<Cursor>> OpenCursor(Transaction& transaction, TableRef table,
                                           ScanOptions options) {
  auto& trx = static_cast<EngineTransaction&>(transaction);
  RETURN_IF_ERROR(trx.CheckUsable());
  if (options.index_no >= table->index_count()) {
    return Status::InvalidArgument("no such index");
  }
  options.lock = trx.EffectiveLock(options.lock);
  if (options.lock != LockMode::kNone) {
    RETURN_IF_ERROR(CheckTakesLocks(trx));
    return MakeLockingCursor(trx, std::move(table), std::move(options));
  }
  ASSIGN_OR_RETURN(Snapshot snapshot, trx.SnapshotForRead());
  RETURN_IF_ERROR(trx.CheckTableUsable(*table, options.index_no, snapshot));
  RETURN_IF_ERROR(trx.CheckTableUsable(*table, kClusteredIndex, snapshot));
  return MakeConsistentCursor(trx, std::move(table), std::move(options), snapshot);
}

}  // namespace borealis::engine
