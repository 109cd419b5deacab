#include "engine/row/row_version.h"

#include "base/fault.h"
#include "engine/core.h"
#include "engine/trx/undo_record.h"

namespace borealis::engine {

namespace {

// Turns *version into the one before it; false when there is none (it was inserted).
Result<bool> StepBack(const Core& core, const Table& table, std::string_view clustered_key,
                      RowVersion* version) {
  const RollPointer roll = version->header.roll;
  if (roll.is_insert()) {
    return false;
  }
  std::string body;
  RETURN_IF_ERROR(core.undo.Read(roll.page(), roll.offset(), &body));
  ASSIGN_OR_RETURN(UndoRecord record, ParseUndo(body));
  if (record.type != UndoType::kChange || record.clustered_key != clustered_key ||
      record.clustered_index != table.definition().indexes[kClusteredIndex].id) {
    return Status::Corruption("roll pointer does not point at a change of its row");
  }
  std::string old_stored;
  RETURN_IF_ERROR(ApplyUndo(record, version->stored, &old_stored));
  version->header = record.old_header;
  version->stored = std::move(old_stored);
  return true;
}

// The same for a version whose writer was active just before. kRetry when it has ended since, after
// which its undo may be purged at any moment: what was read says nothing.
Result<bool> StepBackFromActive(const Core& core, const Table& table,
                                std::string_view clustered_key, RowVersion* version) {
  const TrxId writer = version->header.trx;
  RACE_POINT("row_version.writer_active");
  Result<bool> stepped = StepBack(core, table, clustered_key, version);
  return core.transactions->IsActive(writer) ? std::move(stepped)
                                             : Status::Retry("the row's writer has ended");
}

// Walks the row's versions with `walk`, which gets the newest and says whether it read any undo.
// Walks again while the newest changes meanwhile (INV-ROW-3) and after kRetry; false when the row
// has gone.
template <class Walk>
Result<bool> WalkVersions(const Table& table, std::string_view clustered_key, RowVersion newest,
                          const Walk& walk) {
  for (;;) {
    bool read_undo = false;
    Result<bool> result = walk(newest, &read_undo);
    if (result.ok() && !read_undo) {
      return result;
    }
    RowVersion now;
    ASSIGN_OR_RETURN(bool exists, ReadNewest(table, clustered_key, &now));
    if (!exists) {
      return false;
    }
    if (now.SameAs(newest) && !result.status().Is(Code::kRetry)) {
      return result;
    }
    COVER("row_version.walked_again");
    newest = std::move(now);
  }
}

}  // namespace

Result<bool> FindVisible(const Core& core, const Table& table, std::string_view clustered_key,
                         const Snapshot& snapshot, RowVersion* version) {
  if (snapshot.Sees(version->header.trx)) {
    return !version->header.deleted;
  }
  if (version->header.roll.is_insert()) {
    return false;
  }
  RowVersion newest = std::move(*version);
  return WalkVersions(table, clustered_key, std::move(newest),
                      [&](const RowVersion& from, bool* read_undo) -> Result<bool> {
                        *version = from;
                        while (!snapshot.Sees(version->header.trx)) {
                          *read_undo = true;
                          ASSIGN_OR_RETURN(bool stepped,
                                           StepBack(core, table, clustered_key, version));
                          if (!stepped) {
                            return false;
                          }
                        }
                        return !version->header.deleted;
                      });
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

Result<bool> ReadNewestAndWriter(const Core& core, const Table& table,
                                 std::string_view clustered_key, TrxId ended, RowVersion* version,
                                 bool* writer_active) {
  for (;;) {
    ASSIGN_OR_RETURN(const bool exists, ReadNewest(table, clustered_key, version));
    const TrxId writer = version->header.trx;
    *writer_active = false;
    if (!exists || writer == ended) {
      return exists;
    }
    RACE_POINT("row_version.newest_read");
    *writer_active = core.transactions->IsActive(writer);
    if (*writer_active) {
      return true;
    }
    ended = writer;
  }
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

namespace {

Result<bool> FindKey(const Core& core, const Table& table, size_t index_no, std::string_view key,
                     std::string_view clustered_key, RowVersion version,
                     const ReadView& oldest_view, bool* read_undo) {
  for (;;) {
    // Off-page parts go away with their versions, like undo.
    *read_undo |= version.header.is_long;
    ASSIGN_OR_RETURN(bool has, HasKey(core, table, index_no, key, version));
    if (has) {
      return true;
    }
    if (oldest_view.Sees(version.header.trx)) {
      return false;  // nobody looks behind a version that all see
    }
    *read_undo = true;
    ASSIGN_OR_RETURN(bool stepped, StepBack(core, table, clustered_key, &version));
    if (!stepped) {
      return false;
    }
  }
}

}  // namespace

Result<bool> AnySettledVersionHasKey(const Core& core, const Table& table, size_t index_no,
                                     std::string_view key, std::string_view clustered_key,
                                     const RowVersion& version) {
  for (;;) {
    const ReadView oldest_view = core.transactions->OldestView();
    RACE_POINT("row_version.oldest_view_taken");
    bool read_undo = false;
    Result<bool> has =
        FindKey(core, table, index_no, key, clustered_key, version, oldest_view, &read_undo);
    // Undo that only this view needed may have been purged; the view that follows it needs less.
    if (has.ok() || core.transactions->OldestView().low_limit_no == oldest_view.low_limit_no) {
      return has;
    }
    COVER("row_version.purged_meanwhile");
  }
}

Result<bool> AnyVersionHasKey(const Core& core, const Table& table, size_t index_no,
                              std::string_view key, std::string_view clustered_key,
                              const ReadView& oldest_view) {
  RowVersion newest;
  ASSIGN_OR_RETURN(bool exists, ReadNewest(table, clustered_key, &newest));
  if (!exists) {
    return false;
  }
  return WalkVersions(
      table, clustered_key, std::move(newest), [&](const RowVersion& from, bool* read_undo) {
        return FindKey(core, table, index_no, key, clustered_key, from, oldest_view, read_undo);
      });
}

Result<bool> WriterHoldsEntry(const Core& core, const Table& table, size_t index_no,
                              std::string_view key, std::string_view clustered_key, bool live,
                              TrxId writer) {
  RowVersion newest;
  ASSIGN_OR_RETURN(bool exists, ReadNewest(table, clustered_key, &newest));
  if (!exists) {
    return false;
  }
  // The newest version is written before the entries are changed. So an entry that is as an older
  // version had it says nothing, and one that is not has been changed since.
  const auto walk = [&](RowVersion version, bool* read_undo) -> Result<bool> {
    *read_undo = true;
    // Who has ended holds nothing, and purge may be at what it left.
    while (version.header.trx == writer && core.transactions->IsActive(writer)) {
      ASSIGN_OR_RETURN(bool stepped, StepBackFromActive(core, table, clustered_key, &version));
      bool had = false;
      if (stepped) {
        ASSIGN_OR_RETURN(had, HasKey(core, table, index_no, key, version));
      }
      if (had != live) {
        return true;
      }
      if (!stepped) {
        return false;
      }
    }
    return false;
  };
  Result<bool> holds = WalkVersions(table, clustered_key, std::move(newest), walk);
  return holds.ok() || core.transactions->IsActive(writer) ? std::move(holds) : Result<bool>(false);
}

Result<bool> FindCommitted(const Core& core, const Table& table, std::string_view clustered_key,
                           RowVersion* version) {
  RowVersion newest = std::move(*version);
  return WalkVersions(table, clustered_key, std::move(newest),
                      [&](const RowVersion& from, bool* read_undo) -> Result<bool> {
                        *version = from;
                        // That a writer has ended says that it has committed only while its
                        // version stays.
                        *read_undo = true;
                        RACE_POINT("row_version.newest_read");
                        while (core.transactions->IsActive(version->header.trx)) {
                          ASSIGN_OR_RETURN(bool stepped,
                                           StepBackFromActive(core, table, clustered_key, version));
                          if (!stepped) {
                            return false;
                          }
                        }
                        return !version->header.deleted;
                      });
}

}  // namespace borealis::engine
