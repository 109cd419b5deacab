#include "engine/schema_changer.h"

#include <algorithm>

#include "base/fault.h"
#include "engine/row/row_version.h"
#include "engine/row/secondary.h"
#include "engine/store/leaf_cursor.h"
#include "engine/store/page_format.h"
#include "engine/table_locks.h"
#include "engine/trx/history.h"

namespace borealis::engine {

std::string MetadataKey(std::string_view schema, std::string_view table) {
  std::string key(schema);
  if (!table.empty()) {
    key.push_back('\0');
    key.append(table);
  }
  return key;
}

SchemaChange::SchemaChange(Core* core, const SchemaChangeOptions& how)
    : core_(core), how_(how), owner_(core->next_owner.fetch_add(1), how.session_id, how.killed) {
  // A change is not picked as a victim while there is a transaction to pick.
  owner_.weight.store(~uint64_t{0});
}

SchemaChange::~SchemaChange() {
  for (PageNo root : new_trees_) {
    core_->dictionary.StopGuarding(root);
  }
  core_->metadata.ReleaseAll(&owner_);
}

Status SchemaChange::Lock(const TableName& name, LockMode mode) {
  if (how_.table_locks != nullptr) {
    const TableLocks::Held held = how_.table_locks->HeldOn(name.schema, name.name);
    if (held == TableLocks::Held::kForWriting ||
        (held == TableLocks::Held::kForReading && mode == LockMode::kShared)) {
      return Status::Ok();
    }
  }
  LockWait wait;
  wait.timeout_us = how_.metadata_wait_timeout_us > 0 ? how_.metadata_wait_timeout_us
                                                      : core_->options.metadata_wait_timeout_us;
  return core_->metadata
      .LockRecord(&owner_, IndexId(0), MetadataKey(name.schema, name.name), mode, wait)
      .status();
}

Status SchemaChange::LockExclusive(std::set<TableName> names) {
  for (const TableName& name : names) {
    RETURN_IF_ERROR(Lock(name, LockMode::kExclusive));
  }
  return Status::Ok();
}

Status SchemaChange::LockShared(const TableName& name) {
  return Lock(name, LockMode::kShared);
}

Status SchemaChange::CheckKilled() const {
  if (core_->stopping.load() || (how_.killed && how_.killed())) {
    return Status::Cancelled("schema change interrupted");
  }
  return Status::Ok();
}

Status SchemaChange::WaitForRecoveredTransactions() {
  for (;;) {
    const auto active = core_->transactions->ListActive();
    const bool any = std::any_of(active.begin(), active.end(), [](const auto& transaction) {
      return transaction->recovered || transaction->orphaned;
    });
    if (!any) {
      return Status::Ok();
    }
    COVER("schema_change.waits_for_recovery");
    RETURN_IF_ERROR(CheckKilled());
    core_->history->Wake();
    core_->transactions->WaitForEnd(20'000);
  }
}

Result<uint64_t> SchemaChange::NewNumber() {
  RETURN_IF_ERROR(core_->transactions->EnsureNumbers());
  return core_->transactions->TakeNumber();
}

Result<PageNo> SchemaChange::NewTree(IndexId id, bool is_clustered) {
  ASSIGN_OR_RETURN(PageNo root, core_->dictionary.CreateTree(id, is_clustered));
  new_trees_.push_back(root);
  return root;
}

namespace {
std::string IdValue(uint64_t id) {
  std::string value;
  AppendLittle(&value, id);
  return value;
}
}  // namespace

Status SchemaChange::AddDefinition(const TableDefinition& table) {
  Add({dictionary_key::Name({table.schema, table.name}), IdValue(table.id.value())});
  Add({dictionary_key::Clustered(table.indexes[0].id), IdValue(table.id.value())});
  ASSIGN_OR_RETURN(DictionaryChange definition, core_->dictionary.DefinitionChange(table));
  Add(std::move(definition));
  for (const IndexDefinition& index : table.indexes) {
    Add({dictionary_key::Drop(index.root), std::nullopt});
  }
  return Status::Ok();
}

Status SchemaChange::AddDrop(const TableDefinition& table, const std::set<PageNo>& keep_trees) {
  Add({dictionary_key::Name({table.schema, table.name}), std::nullopt});
  Add({dictionary_key::Clustered(table.indexes[0].id), std::nullopt});
  ASSIGN_OR_RETURN(std::optional<DictionaryChange> off_page,
                   core_->dictionary.DropOfDefinition(table.id));
  if (off_page.has_value()) {
    Add(std::move(*off_page));
    freed_trees_ = true;
  }
  Add({dictionary_key::Definition(table.id), std::nullopt});
  for (size_t i = 0; i < table.indexes.size(); ++i) {
    if (!keep_trees.contains(table.indexes[i].root)) {
      Add(Dictionary::DropOfTree(table.indexes[i].root, i == kClusteredIndex));
      freed_trees_ = true;
    }
  }
  return Status::Ok();
}

Status SchemaChange::Apply(const std::vector<TableRef>& old_tables,
                           const std::vector<TableRef>& new_tables) {
  RETURN_IF_ERROR(CheckKilled());
  return core_->dictionary.Apply(changes_, old_tables, new_tables);
}

// ---------------------------------------------------------------------------------------------
// Building trees from rows

namespace {

// Index entries are collected, sorted, and put into their tree in runs.
constexpr size_t kRunBytes = size_t{32} << 20;

class IndexRun {
 public:
  IndexRun(SchemaChange& change, const TableBuild& build, size_t index_no)
      : change_(change), build_(build), index_no_(index_no) {}

  Status Add(std::string_view row, std::string_view clustered_key) {
    IndexKey key;
    RETURN_IF_ERROR(build_.target->layout().BuildKey(index_no_, row, &key));
    if (key.bytes.size() + clustered_key.size() > kKeySizeMax) {
      return Status::InvalidArgument("index key is too long");
    }
    bytes_ += key.bytes.size() + clustered_key.size() + sizeof(Entry);
    entries_.push_back({SecondaryEntryKey(key.bytes, clustered_key), clustered_key.size(),
                        key.unique_prefix_size});
    return bytes_ < kRunBytes ? Status::Ok() : Flush();
  }

  Status Flush() {
    std::sort(entries_.begin(), entries_.end(),
              [](const Entry& a, const Entry& b) { return a.key < b.key; });
    BTree& tree = build_.target->trees().tree(index_no_);
    for (size_t i = 0; i < entries_.size(); ++i) {
      const Entry& entry = entries_[i];
      const std::string_view prefix = std::string_view(entry.key).substr(0, entry.unique_size);
      if (entry.unique_size > 0) {
        bool twice = i > 0 && entries_[i - 1].unique_size > 0 &&
                     std::string_view(entries_[i - 1].key).starts_with(prefix);
        if (!twice && flushed_) {
          Mtr mtr(change_.core().store);
          LeafCursor cursor(&tree, &mtr);
          RETURN_IF_ERROR(cursor.Seek(prefix, SeekMode::kAtLeast, LatchMode::kShared));
          twice = cursor.valid() && cursor.key().starts_with(prefix);
        }
        if (twice) {
          return Duplicate(entry);
        }
      }
      if (i % 1024 == 0) {
        RETURN_IF_ERROR(change_.CheckKilled());
      }
      Mtr mtr(change_.core().store);
      RETURN_IF_ERROR(mtr.StartWriting());
      Status status =
          tree.Insert(&mtr, entry.key, EncodeSecondaryValue(false, entry.clustered_size));
      if (!status.ok()) {
        mtr.Abandon();
        return status;
      }
      mtr.Commit();
    }
    flushed_ = flushed_ || !entries_.empty();
    entries_.clear();
    bytes_ = 0;
    return Status::Ok();
  }

 private:
  struct Entry {
    std::string key;
    size_t clustered_size;
    size_t unique_size;
  };

  Status Duplicate(const Entry& entry) {
    const std::string clustered_key = entry.key.substr(entry.key.size() - entry.clustered_size);
    if (build_.duplicate != nullptr) {
      build_.duplicate->index_no = index_no_;
      build_.duplicate->clustered_key = clustered_key;
    }
    if (build_.duplicate_row != nullptr) {
      RowVersion newest;
      ASSIGN_OR_RETURN(bool exists, ReadNewest(*build_.target, clustered_key, &newest));
      if (exists) {
        RETURN_IF_ERROR(LoadRow(change_.core(), newest.view(), build_.duplicate_row));
      }
    }
    return Status::AlreadyExists("duplicate key while building an index");
  }

  SchemaChange& change_;
  const TableBuild& build_;
  const size_t index_no_;
  std::vector<Entry> entries_;
  size_t bytes_ = 0;
  bool flushed_ = false;
};

// Puts a rewritten row into the new clustered tree, as one that everybody sees.
Status InsertRewritten(SchemaChange& change, const TableBuild& build, std::string_view row,
                       std::string* clustered_key) {
  Core& core = change.core();
  IndexKey key;
  RETURN_IF_ERROR(build.target->layout().BuildKey(kClusteredIndex, row, &key));
  if (key.bytes.size() > kIndexKeySizeMax) {
    return Status::InvalidArgument("index key is too long");
  }
  RowHeader header;
  std::string stored(row);
  if (kRowHeaderSize + row.size() > MaxValueSize(key.bytes.size())) {
    const size_t room = MaxValueSize(key.bytes.size()) - kRowHeaderSize - kLongValueReferenceSize;
    const size_t prefix = std::min(kLongRowPrefixSize, room);
    ASSIGN_OR_RETURN(LongValueReference reference, WriteLongValue(core.store, row.substr(prefix)));
    stored.resize(prefix);
    reference.AppendTo(&stored);
    header.is_long = true;
  }
  Mtr mtr(core.store);
  RETURN_IF_ERROR(mtr.StartWriting());
  Status status = build.target->trees()
                      .tree(kClusteredIndex)
                      .Insert(&mtr, key.bytes, EncodeRow(header, stored));
  if (!status.ok()) {
    mtr.Abandon();
    if (status.Is(Code::kAlreadyExists)) {
      if (build.duplicate != nullptr) {
        build.duplicate->index_no = kClusteredIndex;
        build.duplicate->clustered_key = key.bytes;
      }
      if (build.duplicate_row != nullptr) {
        build.duplicate_row->assign(row);
      }
    }
    return status;
  }
  mtr.Commit();
  *clustered_key = std::move(key.bytes);
  return Status::Ok();
}

}  // namespace

Status BuildTable(SchemaChange& change, const TableBuild& build) {
  Core& core = change.core();
  std::vector<std::unique_ptr<IndexRun>> runs;
  for (size_t i = 1; i < build.build.size(); ++i) {
    if (build.build[i]) {
      runs.push_back(std::make_unique<IndexRun>(change, build, i));
    }
  }
  const BTree& source = build.source->trees().tree(kClusteredIndex);
  SavedPosition position;
  bool started = false;
  for (bool more = true; more;) {
    RETURN_IF_ERROR(change.CheckKilled());
    // Some rows at a time, copied, so that no latch is held while they are worked on.
    std::vector<std::pair<std::string, std::string>> rows;
    {
      Mtr mtr(core.store);
      LeafCursor cursor(&source, &mtr);
      bool same = false;
      RETURN_IF_ERROR(started ? cursor.Restore(position, LatchMode::kShared, &same)
                              : cursor.SeekFirst(LatchMode::kShared));
      if (same) {
        RETURN_IF_ERROR(cursor.Next());
      }
      started = true;
      while (cursor.valid()) {
        rows.emplace_back(cursor.key(), cursor.value());
        if (rows.size() == 128) {
          cursor.Save(&position);
          break;
        }
        RETURN_IF_ERROR(cursor.Next());
      }
      more = rows.size() == 128;
    }
    std::string row;
    std::string rewritten;
    for (auto& [key, value] : rows) {
      ASSIGN_OR_RETURN(RowView version, DecodeRow(value));
      if (version.header.deleted) {
        continue;
      }
      RETURN_IF_ERROR(LoadRow(core, version, &row));
      if (build.rewrite) {
        RETURN_IF_ERROR(build.rewrite(row, &rewritten));
        row.swap(rewritten);
        RETURN_IF_ERROR(InsertRewritten(change, build, row, &key));
      }
      for (auto& run : runs) {
        RETURN_IF_ERROR(run->Add(row, key));
      }
    }
  }
  for (auto& run : runs) {
    RETURN_IF_ERROR(run->Flush());
  }
  return Status::Ok();
}

}  // namespace borealis::engine
