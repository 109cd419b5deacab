// CHECK TABLE: the trees themselves, and rows against index entries, both ways.
//
// Other transactions may be at work: what looks wrong is looked at again under the row's newest
// version, and counts only when that has not changed in between and its writer is not active.
#include "engine/engine_impl.h"
#include "engine/row/row_version.h"
#include "engine/row/secondary.h"
#include "engine/store/leaf_cursor.h"
#include "engine/table_trees.h"

namespace borealis::engine {

namespace {

using Visitor = std::function<Status(std::string_view key, std::string_view value)>;

Status VisitTree(Core& core, const BTree& tree, const Visitor& visit) {
  SavedPosition position;
  bool started = false;
  for (bool more = true; more;) {
    std::vector<std::pair<std::string, std::string>> entries;
    {
      Mtr mtr(core.store);
      LeafCursor cursor(&tree, &mtr);
      bool same = false;
      RETURN_IF_ERROR(started ? cursor.Restore(position, LatchMode::kShared, &same)
                              : cursor.SeekFirst(LatchMode::kShared));
      if (same) {
        RETURN_IF_ERROR(cursor.Next());
      }
      started = true;
      while (cursor.valid() && entries.size() < 256) {
        entries.emplace_back(cursor.key(), cursor.value());
        cursor.Save(&position);
        RETURN_IF_ERROR(cursor.Next());
      }
      more = entries.size() == 256;
    }
    for (const auto& [key, value] : entries) {
      RETURN_IF_ERROR(visit(key, value));
    }
  }
  return Status::Ok();
}

Status Wrong(const Table& table, size_t index_no, std::string_view what) {
  return Status::Corruption("table " + table.definition().schema + "." + table.definition().name +
                            " index " + table.definition().indexes[index_no].name + ": " +
                            std::string(what));
}

bool SameVersion(const RowVersion& a, const RowVersion& b) {
  return a.header.roll == b.header.roll && a.header.trx == b.header.trx;
}

// The row as it is now; false when there is none, or it changes faster than it can be read. A long
// value that is not there counts only when the row has not changed since.
Result<bool> LoadNewest(Core& core, const Table& table, std::string_view clustered_key,
                        std::string* row) {
  for (int attempt = 0; attempt < 100; ++attempt) {
    RowVersion before;
    ASSIGN_OR_RETURN(bool exists, ReadNewest(table, clustered_key, &before));
    if (!exists || before.header.deleted) {
      return false;
    }
    row->clear();
    Status status = LoadRow(core, before.view(), row);
    if (status.ok()) {
      return true;
    }
    RowVersion after;
    ASSIGN_OR_RETURN(bool still, ReadNewest(table, clustered_key, &after));
    if (still && SameVersion(before, after)) {
      return status;
    }
  }
  return false;
}

// Whether the entry for this key exists and is live.
Result<bool> HasLiveEntry(const Table& table, size_t index_no, std::string_view key,
                          std::string_view clustered_key) {
  std::string value;
  Status status = table.trees().tree(index_no).Get(SecondaryEntryKey(key, clustered_key), &value);
  if (status.Is(Code::kNotFound)) {
    return false;
  }
  RETURN_IF_ERROR(std::move(status));
  return !value.empty() && (value[0] & 1) == 0;
}

// Whether the row's newest version is settled and wants (or does not want) this entry, while the
// entry says otherwise. Looked at twice around the entry, so that a change in between is noticed.
Result<bool> IsMismatch(Core& core, const Table& table, size_t index_no, std::string_view key,
                        std::string_view clustered_key) {
  for (int attempt = 0; attempt < 100; ++attempt) {
    RowVersion before;
    ASSIGN_OR_RETURN(bool exists, ReadNewest(table, clustered_key, &before));
    bool wants = false;
    if (exists && !before.header.deleted) {
      std::string row;
      if (!LoadRow(core, before.view(), &row).ok()) {
        continue;
      }
      IndexKey built;
      RETURN_IF_ERROR(table.layout().BuildKey(index_no, row, &built));
      wants = built.bytes == key;
    }
    const bool settled = !exists || !core.transactions->IsActive(before.header.trx);
    ASSIGN_OR_RETURN(bool has, HasLiveEntry(table, index_no, key, clustered_key));
    RowVersion after;
    ASSIGN_OR_RETURN(bool still, ReadNewest(table, clustered_key, &after));
    const bool unchanged = exists == still && SameVersion(before, after);
    if (unchanged && settled) {
      return has != wants;
    }
    if (unchanged) {
      return false;  // somebody is at it
    }
  }
  return false;
}

}  // namespace

Status EngineImpl::CheckTable(const Table& table) {
  TreePin pin(table.trees());
  if (!pin.held()) {
    return Status::NotFound("table is being dropped");
  }
  for (size_t i = 0; i < table.index_count(); ++i) {
    Result<BTree::Shape> shape = table.trees().tree(i).Verify();
    if (!shape.ok()) {
      return std::move(shape).status().Annotate("index " + table.definition().indexes[i].name);
    }
  }
  const auto check_row = [&](std::string_view key, std::string_view value) -> Status {
    ASSIGN_OR_RETURN(RowView version, DecodeRow(value));
    if (version.header.deleted) {
      return Status::Ok();
    }
    std::string row;
    if (Status loaded = LoadRow(core_, version, &row); !loaded.ok()) {
      // Its long value may have been freed since the entry was read. Only what is so now counts.
      ASSIGN_OR_RETURN(bool exists, LoadNewest(core_, table, key, &row));
      if (!exists) {
        return Status::Ok();
      }
    }
    IndexKey built;
    RETURN_IF_ERROR(table.layout().BuildKey(kClusteredIndex, row, &built));
    if (built.bytes != key) {
      return Wrong(table, kClusteredIndex, "row under a key that is not its own");
    }
    for (size_t i = 1; i < table.index_count(); ++i) {
      RETURN_IF_ERROR(table.layout().BuildKey(i, row, &built));
      ASSIGN_OR_RETURN(bool has, HasLiveEntry(table, i, built.bytes, key));
      if (!has) {
        ASSIGN_OR_RETURN(bool wrong, IsMismatch(core_, table, i, built.bytes, key));
        if (wrong) {
          return Wrong(table, i, "row without its entry");
        }
      }
    }
    return Status::Ok();
  };
  RETURN_IF_ERROR(VisitTree(core_, table.trees().tree(kClusteredIndex), check_row));
  for (size_t i = 1; i < table.index_count(); ++i) {
    const auto check_entry = [&](std::string_view key, std::string_view value) -> Status {
      ASSIGN_OR_RETURN(SecondaryEntry entry, DecodeSecondary(key, value));
      if (entry.deleted) {
        return Status::Ok();
      }
      ASSIGN_OR_RETURN(bool wrong, IsMismatch(core_, table, i, entry.key, entry.clustered_key));
      return wrong ? Wrong(table, i, "entry without its row") : Status::Ok();
    };
    RETURN_IF_ERROR(VisitTree(core_, table.trees().tree(i), check_entry));
  }
  return Status::Ok();
}

}  // namespace borealis::engine
