#include "engine/row/row_undo.h"

#include <optional>

#include "base/fault.h"
#include "engine/core.h"
#include "engine/row/row_version.h"
#include "engine/row/secondary.h"
#include "engine/statistics_keeper.h"
#include "engine/table_trees.h"

namespace borealis::engine {

namespace {

// A version and its keys in the secondary indexes; nothing for a delete-marked one.
struct VersionKeys {
  bool live = false;
  std::vector<IndexKey> keys;  // [index_no]; [0] is unused
};

Result<VersionKeys> KeysOf(const Core& core, const Table& table, const RowView& version) {
  VersionKeys result;
  result.live = !version.header.deleted;
  if (!result.live || table.index_count() == 1) {
    return result;
  }
  std::string row;
  RETURN_IF_ERROR(LoadRow(core, version, &row));
  result.keys.resize(table.index_count());
  for (size_t i = 1; i < table.index_count(); ++i) {
    RETURN_IF_ERROR(table.layout().BuildKey(i, row, &result.keys[i]));
  }
  return result;
}

// Brings the entries from those of the newer version to those of the older one (null: none).
Status UndoEntries(Core& core, TrxId trx, LockOwner* owner, const Table& table,
                   std::string_view clustered_key, const RowVersion& newer,
                   const RowVersion* older) {
  ASSIGN_OR_RETURN(VersionKeys from, KeysOf(core, table, newer.view()));
  VersionKeys to;
  if (older != nullptr) {
    ASSIGN_OR_RETURN(to, KeysOf(core, table, older->view()));
  }
  for (size_t i = 1; i < table.index_count(); ++i) {
    const bool same = from.live && to.live && from.keys[i].bytes == to.keys[i].bytes;
    if (same) {
      continue;
    }
    if (from.live) {
      RETURN_IF_ERROR(RemoveOrMarkSecondary(core, owner, table, i, from.keys[i].bytes,
                                            clustered_key, older, trx));
    }
    if (to.live) {
      RETURN_IF_ERROR(MarkSecondary(core, table, i, to.keys[i].bytes, clustered_key,
                                    /*deleted=*/false, trx));
    }
  }
  return Status::Ok();
}

// Frees the off-page part that the undone version had, step by step, then removes the record.
Status RemoveRecord(Core& core, const UndoRecord& record, const UndoPosition& position,
                    UndoLog* log) {
  for (bool freed = false; !freed;) {
    Mtr mtr(core.store);
    RETURN_IF_ERROR(mtr.StartWriting());
    RETURN_IF_ERROR(mtr.Fetch(position.page, LatchMode::kExclusive).status());
    if (record.new_reference.empty()) {
      freed = true;
    } else {
      ASSIGN_OR_RETURN(LongValueReference reference,
                       LongValueReference::Parse(record.new_reference));
      ASSIGN_OR_RETURN(freed, FreeLongValueStep(&mtr, reference, 64));
    }
    if (freed) {
      RETURN_IF_ERROR(core.undo.RemoveLast(&mtr, log, position));
    }
    mtr.Commit();
  }
  return Status::Ok();
}

}  // namespace

Status UndoChange(Core& core, TrxId trx, LockOwner* owner, const UndoRecord& record,
                  const UndoPosition& position, UndoLog* log) {
  ASSIGN_OR_RETURN(TableRef table, core.dictionary.FindByClusteredIndex(record.clustered_index));
  std::optional<TreePin> pin;
  RowVersion newest;
  bool undo = false;
  if (table != nullptr) {
    pin.emplace(table->trees());
    if (pin->held()) {
      ASSIGN_OR_RETURN(bool exists, ReadNewest(*table, record.clustered_key, &newest));
      const RollPointer roll = newest.header.roll;
      undo = exists && newest.header.trx == trx && roll.page() == position.page &&
             roll.offset() == position.offset;
    }
  }
  if (!undo) {
    COVER("row_undo.done_before");
    return RemoveRecord(core, record, position, log);
  }
  BTree& tree = table->trees().tree(kClusteredIndex);
  RowVersion older;
  if (record.type == UndoType::kInsert) {
    RETURN_IF_ERROR(
        UndoEntries(core, trx, owner, *table, record.clustered_key, newest, /*older=*/nullptr));
  } else {
    older.header = record.old_header;
    RETURN_IF_ERROR(ApplyUndo(record, newest.stored, &older.stored));
    RETURN_IF_ERROR(UndoEntries(core, trx, owner, *table, record.clustered_key, newest, &older));
  }
  CRASH_POINT("row_undo.entries_undone");
  const bool has_off_page = !record.new_reference.empty();
  {
    Mtr mtr(core.store);
    RETURN_IF_ERROR(mtr.StartWriting());
    RETURN_IF_ERROR(mtr.Fetch(position.page, LatchMode::kExclusive).status());
    Status status =
        record.type == UndoType::kInsert
            ? tree.Delete(&mtr, record.clustered_key)
            : tree.Update(&mtr, record.clustered_key, EncodeRow(older.header, older.stored));
    if (!status.ok()) {
      mtr.Abandon();
      return status;
    }
    if (!has_off_page) {
      RETURN_IF_ERROR(core.undo.RemoveLast(&mtr, log, position));
    }
    mtr.Commit();
  }
  const bool live_again = record.type != UndoType::kInsert && !older.header.deleted;
  core.statistics->NoteChange(*table, !newest.header.deleted, live_again);
  CRASH_POINT("row_undo.row_undone");
  return has_off_page ? RemoveRecord(core, record, position, log) : Status::Ok();
}

}  // namespace borealis::engine
