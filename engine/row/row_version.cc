#include "engine/row/row_version.h"

#include "engine/core.h"
#include "engine/trx/undo_record.h"

namespace borealis::engine {

Result<bool> StepBack(const Core& core, RowVersion* version) {
  const RollPointer roll = version->header.roll;
  if (roll.is_insert()) {
    return false;
  }
  std::string body;
  RETURN_IF_ERROR(core.undo.Read(roll.page(), roll.offset(), &body));
  ASSIGN_OR_RETURN(UndoRecord record, ParseUndo(body));
  if (record.type != UndoType::kChange) {
    return Status::Corruption("roll pointer does not point at a change");
  }
  std::string old_stored;
  RETURN_IF_ERROR(ApplyUndo(record, version->stored, &old_stored));
  version->header = record.old_header;
  version->stored = std::move(old_stored);
  return true;
}

Result<bool> FindVisible(const Core& core, const Snapshot& snapshot, RowVersion* version) {
  while (!snapshot.Sees(version->header.trx)) {
    ASSIGN_OR_RETURN(bool stepped, StepBack(core, version));
    if (!stepped) {
      return false;
    }
  }
  return !version->header.deleted;
}

Status LoadRow(const Core& core, const RowView& version, std::string* row) {
  row->assign(version.inline_bytes());
  if (!version.header.is_long) {
    return Status::Ok();
  }
  ASSIGN_OR_RETURN(LongValueReference reference, LongValueReference::Parse(version.reference()));
  return ReadLongValue(core.store, reference, 0, reference.length, row);
}

Result<bool> ReadNewest(const Table& table, std::string_view clustered_key, RowVersion* version) {
  std::string value;
  Status status = table.trees().tree(kClusteredIndex).Get(clustered_key, &value);
  if (status.Is(Code::kNotFound)) {
    return false;
  }
  RETURN_IF_ERROR(std::move(status));
  ASSIGN_OR_RETURN(RowView row, DecodeRow(value));
  version->header = row.header;
  version->stored.assign(row.stored);
  return true;
}

namespace {

Result<bool> HasKey(const Core& core, const Table& table, size_t index_no, std::string_view key,
                    const RowVersion& version) {
  if (version.header.deleted) {
    return false;
  }
  std::string row;
  RETURN_IF_ERROR(LoadRow(core, version.view(), &row));
  IndexKey built;
  RETURN_IF_ERROR(table.layout().BuildKey(index_no, row, &built));
  return built.bytes == key;
}

}  // namespace

Result<bool> AnyVersionHasKey(const Core& core, const Table& table, size_t index_no,
                              std::string_view key, RowVersion newest,
                              const ReadView& oldest_view) {
  for (;;) {
    ASSIGN_OR_RETURN(bool has, HasKey(core, table, index_no, key, newest));
    if (has) {
      return true;
    }
    if (oldest_view.Sees(newest.header.trx)) {
      return false;  // nobody looks behind a version that all see
    }
    ASSIGN_OR_RETURN(bool stepped, StepBack(core, &newest));
    if (!stepped) {
      return false;
    }
  }
}

Result<bool> WriterAffectsKey(const Core& core, const Table& table, size_t index_no,
                              std::string_view key, RowVersion newest) {
  const TrxId writer = newest.header.trx;
  ASSIGN_OR_RETURN(bool has, HasKey(core, table, index_no, key, newest));
  while (newest.header.trx == writer) {
    ASSIGN_OR_RETURN(bool stepped, StepBack(core, &newest));
    bool had = false;
    if (stepped) {
      ASSIGN_OR_RETURN(had, HasKey(core, table, index_no, key, newest));
    }
    if (had != has) {
      return true;
    }
    if (!stepped) {
      return false;
    }
  }
  return false;
}

}  // namespace borealis::engine
