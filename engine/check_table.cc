// CHECK TABLE: the trees themselves, and rows against index entries, both ways.
//
// Rows and entries lie in different orders: to look up each one's counterpart would read a page for
// each row of a table that is larger than the buffer pool. So every tree is read once in its own
// order, and what each row asks for and what each entry is are summed up in buckets by their hash
// (EntrySums). Equal sums are equal sets. Only rows and entries of buckets that differ are looked
// up, in a second reading.
//
// Other transactions may be at work: what looks wrong is looked at again under the row's newest
// version, and counts only when that has not changed in between and its writer is not active.
#include <functional>
#include <vector>

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

// The entries of one index, as a sum for each of many buckets.
class EntrySums {
 public:
  void Add(std::string_view entry_key) {
    const uint64_t hash = HashOf(entry_key);
    Bucket& bucket = buckets_[BucketOf(hash)];
    ++bucket.entries;
    bucket.sum += hash;
  }
  // Whether this entry's bucket is not the same in both.
  bool Differs(const EntrySums& other, std::string_view entry_key) const {
    const size_t at = BucketOf(HashOf(entry_key));
    return buckets_[at] != other.buckets_[at];
  }
  bool operator==(const EntrySums& other) const { return buckets_ == other.buckets_; }

 private:
  static constexpr int kBucketBits = 14;  // 256 KiB
  struct Bucket {
    uint64_t entries = 0;
    uint64_t sum = 0;
    bool operator==(const Bucket&) const = default;
  };
  static uint64_t HashOf(std::string_view key) { return std::hash<std::string_view>()(key); }
  static size_t BucketOf(uint64_t hash) { return hash >> (64 - kBucketBits); }

  std::vector<Bucket> buckets_ = std::vector<Bucket>(size_t{1} << kBucketBits);
};

// One CHECK TABLE.
class TableCheck {
 public:
  TableCheck(Core& core, const Table& table)
      : core_(core), table_(table), wanted_(table.index_count()), present_(table.index_count()) {}

  Status Run() {
    for (size_t i = 0; i < table_.index_count(); ++i) {
      Result<BTree::Shape> shape = table_.trees().tree(i).Verify();
      if (!shape.ok()) {
        return std::move(shape).status().Annotate("index " + table_.definition().indexes[i].name);
      }
    }
    RETURN_IF_ERROR(VisitEntries([&](size_t index_no, const SecondaryEntry&, std::string_view key) {
      present_[index_no].Add(key);
      return Status::Ok();
    }));
    RETURN_IF_ERROR(
        VisitWanted([&](size_t index_no, std::string_view key, std::string_view row_key) {
          wanted_[index_no].Add(SecondaryEntryKey(key, row_key));
          return Status::Ok();
        }));
    return wanted_ == present_ ? Status::Ok() : LookAgain();
  }

 private:
  using EntryVisitor =
      std::function<Status(size_t index_no, const SecondaryEntry& entry, std::string_view key)>;
  using WantedVisitor =
      std::function<Status(size_t index_no, std::string_view key, std::string_view row_key)>;

  // Each live entry of the secondary indexes.
  Status VisitEntries(const EntryVisitor& visit) {
    for (size_t i = 1; i < table_.index_count(); ++i) {
      RETURN_IF_ERROR(VisitTree(core_, table_.trees().tree(i),
                                [&](std::string_view key, std::string_view value) -> Status {
                                  ASSIGN_OR_RETURN(const SecondaryEntry entry,
                                                   DecodeSecondary(key, value));
                                  return entry.deleted ? Status::Ok() : visit(i, entry, key);
                                }));
    }
    return Status::Ok();
  }

  // Each entry that a live row asks for. Checks the rows' own keys on the way.
  Status VisitWanted(const WantedVisitor& visit) {
    return VisitTree(
        core_, table_.trees().tree(kClusteredIndex),
        [&](std::string_view key, std::string_view value) { return VisitRow(key, value, visit); });
  }

  Status VisitRow(std::string_view key, std::string_view value, const WantedVisitor& visit) {
    ASSIGN_OR_RETURN(RowView version, DecodeRow(value));
    if (version.header.deleted) {
      return Status::Ok();
    }
    std::string row;
    if (Status loaded = LoadRow(core_, version, &row); !loaded.ok()) {
      // Its long value may have been freed since the entry was read. Only what is so now counts.
      ASSIGN_OR_RETURN(bool exists, LoadNewest(core_, table_, key, &row));
      if (!exists) {
        return Status::Ok();
      }
    }
    IndexKey built;
    RETURN_IF_ERROR(table_.layout().BuildKey(kClusteredIndex, row, &built));
    if (built.bytes != key) {
      return Wrong(table_, kClusteredIndex, "row under a key that is not its own");
    }
    for (size_t i = 1; i < table_.index_count(); ++i) {
      RETURN_IF_ERROR(table_.layout().BuildKey(i, row, &built));
      RETURN_IF_ERROR(visit(i, built.bytes, key));
    }
    return Status::Ok();
  }

  // Looks up the counterparts of what is in buckets that differ.
  Status LookAgain() {
    RETURN_IF_ERROR(
        VisitWanted([&](size_t index_no, std::string_view key, std::string_view row_key) -> Status {
          if (!wanted_[index_no].Differs(present_[index_no], SecondaryEntryKey(key, row_key))) {
            return Status::Ok();
          }
          ASSIGN_OR_RETURN(bool has, HasLiveEntry(table_, index_no, key, row_key));
          if (has) {
            return Status::Ok();
          }
          ASSIGN_OR_RETURN(bool wrong, IsMismatch(core_, table_, index_no, key, row_key));
          return wrong ? Wrong(table_, index_no, "row without its entry") : Status::Ok();
        }));
    return VisitEntries(
        [&](size_t index_no, const SecondaryEntry& entry, std::string_view key) -> Status {
          if (!wanted_[index_no].Differs(present_[index_no], key)) {
            return Status::Ok();
          }
          ASSIGN_OR_RETURN(bool wrong,
                           IsMismatch(core_, table_, index_no, entry.key, entry.clustered_key));
          return wrong ? Wrong(table_, index_no, "entry without its row") : Status::Ok();
        });
  }

  Core& core_;
  const Table& table_;
  // By index; that of the clustered one stays empty.
  std::vector<EntrySums> wanted_;
  std::vector<EntrySums> present_;
};

}  // namespace

Status EngineImpl::CheckTable(const Table& table) {
  TreePin pin(table.trees());
  if (!pin.held()) {
    return Status::NotFound("table is being dropped");
  }
  return TableCheck(core_, table).Run();
}

}  // namespace borealis::engine
