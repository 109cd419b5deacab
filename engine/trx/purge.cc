#include "engine/trx/purge.h"

#include "base/fault.h"
#include "base/invariant.h"
#include "engine/row/row_version.h"
#include "engine/row/secondary.h"
#include "engine/store/leaf_cursor.h"
#include "engine/table_trees.h"
#include "engine/trx/history.h"

namespace borealis::engine {

Purge::Purge(Core* core) : core_(core), owner_(core->next_owner.fetch_add(1), 0, nullptr) {}

Result<bool> Purge::Pass(size_t max_logs) {
  oldest_ = core_->transactions->OldestView();
  bool did_something = false;
  const size_t count = core_->undo.stream_count();
  for (size_t stream = 0; stream < count && !core_->stopping.load(); ++stream) {
    ASSIGN_OR_RETURN(bool did, PassStream(stream, max_logs));
    did_something |= did;
  }
  return did_something;
}

Result<bool> Purge::PassStream(size_t stream, size_t max_logs) {
  const Lsn horizon = core_->history->reader_horizon();
  const UndoPosition start = core_->undo.HeadOf(stream);
  UndoPosition at = start;        // next record to look at
  UndoPosition finished = start;  // everything before belongs to logs that are done
  TrxId trx;
  bool inside = false;  // a purgeable log
  uint64_t commit_no = 0;
  size_t logs = 0;
  std::string body;
  UndoPosition place;
  for (;;) {
    UndoPosition next = at;
    ASSIGN_OR_RETURN(bool found, core_->undo.ReadNext(&next, &body, &place));
    const bool header = found && body[0] == static_cast<char>(UndoType::kLogBegin);
    if (inside && (!found || header)) {
      core_->history->Finish(commit_no);
      finished = found ? place : at;
      inside = false;
      ++logs;
    }
    if (!found || core_->stopping.load() || (header && logs >= max_logs)) {
      break;
    }
    if (header) {
      ASSIGN_OR_RETURN(UndoLogHeader log, ParseUndoLogHeader(body));
      if (!log.committed || log.commit_no >= oldest_.low_limit_no ||
          core_->history->LsnOf(log.commit_no) > horizon) {
        break;
      }
      trx = log.trx;
      commit_no = log.commit_no;
      inside = true;
    } else if (inside) {
      ASSIGN_OR_RETURN(UndoRecord record, ParseUndo(body));
      RETURN_IF_ERROR(PurgeRecord(trx, record, place));
    }
    // A record outside a log is the rest of one that was done before its pages were freed.
    at = next;
    if (!inside && !header) {
      finished = at;
    }
  }
  if (finished == start) {
    return false;
  }
  CRASH_POINT("purge.done_but_for_the_log");
  for (bool done = false; !done;) {
    ASSIGN_OR_RETURN(done, core_->undo.AdvanceHead(stream, finished, 32));
  }
  return true;
}

Status Purge::PurgeRecord(TrxId trx, const UndoRecord& record, const UndoPosition& place) {
  if (record.type != UndoType::kChange) {
    return Status::Ok();
  }
  if (!record.given_up.empty() || record.deletes) {
    ASSIGN_OR_RETURN(TableRef table,
                     core_->dictionary.FindByClusteredIndex(record.clustered_index));
    if (table != nullptr) {
      TreePin pin(table->trees());
      const auto& indexes = table->definition().indexes;
      for (const auto& [id, key] : record.given_up) {
        for (size_t i = 1; pin.held() && i < indexes.size(); ++i) {
          if (indexes[i].id == id) {
            RETURN_IF_ERROR(
                PurgeSecondary(*core_, &owner_, *table, i, key, record.clustered_key, oldest_));
          }
        }
      }
      if (record.deletes && pin.held()) {
        RETURN_IF_ERROR(PurgeGhost(trx, *table, record, place));
      }
    }
  }
  return record.old_reference.empty() || record.old_reference_freed
             ? Status::Ok()
             : FreeOldReference(record, place);
}

Status Purge::PurgeGhost(TrxId trx, const Table& table, const UndoRecord& record,
                         const UndoPosition& place) {
  auto is_that_ghost = [&](const RowHeader& header) {
    return header.deleted && header.trx == trx && header.roll.page() == place.page &&
           header.roll.offset() == place.offset;
  };
  RowVersion newest;
  ASSIGN_OR_RETURN(bool exists, ReadNewest(table, record.clustered_key, &newest));
  if (!exists || !is_that_ghost(newest.header)) {
    return Status::Ok();
  }
  if (table.index_count() > 1) {
    std::string row;
    RETURN_IF_ERROR(LoadRow(*core_, newest.view(), &row));
    IndexKey key;
    for (size_t i = 1; i < table.index_count(); ++i) {
      RETURN_IF_ERROR(table.layout().BuildKey(i, row, &key));
      RETURN_IF_ERROR(
          PurgeSecondary(*core_, &owner_, table, i, key.bytes, record.clustered_key, oldest_));
    }
  }
  CRASH_POINT("purge.entries_gone");
  BTree& tree = table.trees().tree(kClusteredIndex);
  auto attempt = [&](bool keep_latch) -> Status {
    Mtr mtr(core_->store);
    RETURN_IF_ERROR(mtr.StartWriting());
    LeafCursor cursor(&tree, &mtr);
    bool exact = false;
    RETURN_IF_ERROR(cursor.SeekLeaf(record.clustered_key, LatchMode::kExclusive, &exact));
    if (!exact) {
      return Status::Ok();
    }
    ASSIGN_OR_RETURN(RowView now, DecodeRow(cursor.value()));
    if (!is_that_ghost(now.header)) {
      COVER("purge.ghost_revived");
      return Status::Ok();
    }
    Status status = cursor.Erase();
    if (status.Is(Code::kRetry) && !keep_latch) {
      cursor.Release();
      status = tree.Delete(&mtr, record.clustered_key);
    }
    if (!status.ok()) {
      mtr.Abandon();
      return status;
    }
    mtr.Commit();
    CRASH_POINT("purge.ghost_gone");
    core_->rows.purged.fetch_add(1, std::memory_order_relaxed);
    return Status::Ok();
  };
  Status status = attempt(/*keep_latch=*/true);
  if (!status.Is(Code::kRetry)) {
    return status;
  }
  // The leaf has to be merged, for which the latch is given up: whoever would write over the ghost
  // announces an insert first, and the gap lock keeps it away.
  const IndexId index = table.definition().indexes[kClusteredIndex].id;
  core_->locks.LockGap(&owner_, index,
                       {record.clustered_key, true, record.clustered_key, true, false}, 0);
  status = attempt(/*keep_latch=*/false);
  core_->locks.ReleaseAll(&owner_);
  return status;
}

Status Purge::FreeOldReference(const UndoRecord& record, const UndoPosition& place) {
  ASSIGN_OR_RETURN(LongValueReference reference, LongValueReference::Parse(record.old_reference));
  for (bool freed = false; !freed;) {
    Mtr mtr(core_->store);
    RETURN_IF_ERROR(mtr.StartWriting());
    // Latched before anything is edited, so that the flag cannot fail to be set.
    ASSIGN_OR_RETURN(MtrPage * page, mtr.Fetch(place.page, LatchMode::kExclusive));
    (void)page;
    ASSIGN_OR_RETURN(freed, FreeLongValueStep(&mtr, reference, 64));
    if (freed) {
      Status patched = core_->undo.SetFlag(&mtr, place, kUndoOldReferenceFreed);
      INVARIANT(patched.ok());
    }
    mtr.Commit();
    CRASH_POINT("purge.long_value_step");
  }
  return Status::Ok();
}

}  // namespace borealis::engine
