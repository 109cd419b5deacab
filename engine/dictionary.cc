#include "engine/dictionary.h"

#include <algorithm>

#include "base/coding.h"
#include "base/fault.h"
#include "base/invariant.h"
#include "engine/memory_use.h"
#include "engine/store/leaf_cursor.h"
#include "engine/store/space.h"
#include "engine/trx/transaction_system.h"

namespace borealis::engine {

namespace {

constexpr uint64_t kDictionaryIndexId = 1;
constexpr uint8_t kDefinitionInline = 1;
constexpr uint8_t kDefinitionLong = 2;
constexpr size_t kDefinitionInlineMax = 2048;
constexpr uint8_t kDropTree = 1;
constexpr uint8_t kDropClusteredTree = 2;
constexpr uint8_t kDropLongValue = 3;

Result<LongValueReference> ReadJournalSlots(Store* store) {
  Mtr mtr(store);
  LongValueReference reference;
  ASSIGN_OR_RETURN(uint64_t first, Space::GetSlot(&mtr, Dictionary::kJournalSlot));
  ASSIGN_OR_RETURN(reference.length, Space::GetSlot(&mtr, Dictionary::kJournalSlot + 1));
  ASSIGN_OR_RETURN(uint64_t crc, Space::GetSlot(&mtr, Dictionary::kJournalSlot + 2));
  reference.first = first == 0 ? kNoPage : PageNo(first);
  reference.crc = static_cast<uint32_t>(crc);
  return reference;
}

}  // namespace

Result<PageNo> Dictionary::Format(Mtr* mtr) {
  return BTree::Create(mtr, kDictionaryIndexId);
}

Status Dictionary::Load() {
  uint64_t root = 0;
  {
    Mtr mtr(store_);
    ASSIGN_OR_RETURN(root, Space::GetSlot(&mtr, kRootSlot));
  }
  if (root == 0) {
    return Status::Corruption("volume has no dictionary");
  }
  tree_ = std::make_unique<BTree>(store_, PageNo(root));
  if (store_->is_replica()) {
    return Status::Ok();
  }
  MutexLock lock(apply_mutex_);
  return FinishJournal();
}

// ---------------------------------------------------------------------------------------------
// Lookups

Status Dictionary::Lookup(std::string_view key, std::string* value) {
  if (store_->is_replica()) {
    ASSIGN_OR_RETURN(LongValueReference reference, ReadJournalSlots(store_));
    if (reference.first != kNoPage) {
      std::string bytes;
      RETURN_IF_ERROR(ReadLongValue(store_, reference, 0, reference.length, &bytes));
      ASSIGN_OR_RETURN(std::vector<DictionaryChange> changes, ParseChanges(bytes));
      for (size_t i = changes.size(); i > 0; --i) {
        if (changes[i - 1].key == key) {
          if (!changes[i - 1].value.has_value()) {
            return Status::NotFound("no such dictionary entry");
          }
          *value = *changes[i - 1].value;
          return Status::Ok();
        }
      }
    }
  }
  return tree_->Get(key, value);
}

Status Dictionary::ListPrefix(
    std::string_view prefix,
    const std::function<Status(std::string_view, std::string_view)>& visit) {
  // Copied out of the tree first: `visit` may read other pages.
  std::map<std::string, std::string> entries;
  {
    Mtr mtr(store_);
    LeafCursor cursor(tree_.get(), &mtr);
    RETURN_IF_ERROR(cursor.Seek(prefix, SeekMode::kAtLeast, LatchMode::kShared));
    while (cursor.valid() && cursor.key().starts_with(prefix)) {
      entries.emplace(cursor.key(), cursor.value());
      RETURN_IF_ERROR(cursor.Next());
    }
  }
  if (store_->is_replica()) {
    ASSIGN_OR_RETURN(LongValueReference reference, ReadJournalSlots(store_));
    if (reference.first != kNoPage) {
      std::string bytes;
      RETURN_IF_ERROR(ReadLongValue(store_, reference, 0, reference.length, &bytes));
      ASSIGN_OR_RETURN(std::vector<DictionaryChange> changes, ParseChanges(bytes));
      for (const DictionaryChange& change : changes) {
        if (change.key.starts_with(prefix)) {
          if (change.value.has_value()) {
            entries[change.key] = *change.value;
          } else {
            entries.erase(change.key);
          }
        }
      }
    }
  }
  for (const auto& [key, value] : entries) {
    RETURN_IF_ERROR(visit(key, value));
  }
  return Status::Ok();
}

Result<TableDefinition> Dictionary::ReadDefinition(TableId id) {
  std::string value;
  RETURN_IF_ERROR(Lookup(dictionary_key::Definition(id), &value));
  for (;;) {
    if (value.empty()) {
      return Status::Corruption("table definition is malformed");
    }
    const std::string_view rest = std::string_view(value).substr(1);
    if (value[0] == kDefinitionInline) {
      return ParseDefinition(rest);
    }
    ASSIGN_OR_RETURN(LongValueReference reference, LongValueReference::Parse(rest));
    std::string bytes;
    Status read = ReadLongValue(store_, reference, 0, reference.length, &bytes);
    if (read.ok()) {
      return ParseDefinition(bytes);
    }
    // A schema change may have replaced and freed it since the entry was read.
    std::string again;
    RETURN_IF_ERROR(Lookup(dictionary_key::Definition(id), &again));
    if (!read.Is(Code::kCorruption) || again == value) {
      return read;
    }
    value = std::move(again);
  }
}

std::shared_ptr<TableState> Dictionary::StateOf(TableId id) {
  std::shared_ptr<TableState>& state = states_[id];
  if (state == nullptr) {
    state = std::make_shared<TableState>();
  }
  return state;
}

Result<TableRef> Dictionary::MakeTable(const TableDefinition& definition,
                                       std::vector<uint64_t> usable_from) {
  ASSIGN_OR_RETURN(std::shared_ptr<const RowLayout> layout, layouts_(definition));
  usable_from.resize(definition.indexes.size(), 0);
  auto trees = std::make_shared<TableTrees>(store_, definition, std::move(usable_from));
  std::shared_ptr<TableState> state;
  {
    MutexLock lock(mutex_);
    state = StateOf(definition.id);
  }
  return TableRef(std::make_shared<const Table>(definition, std::move(layout), std::move(trees),
                                                std::move(state)));
}

void Dictionary::Cache(const TableRef& table) {
  by_name_[{table->definition().schema, table->definition().name}] = table;
  if (!table->definition().indexes.empty()) {
    by_clustered_[table->definition().indexes[0].id] = table;
  }
}

Result<TableRef> Dictionary::LoadTable(TableId id) {
  ASSIGN_OR_RETURN(TableDefinition definition, ReadDefinition(id));
  if (!definition.indexes.empty()) {
    MutexLock lock(mutex_);
    auto found = by_clustered_.find(definition.indexes[0].id);
    if (found != by_clustered_.end()) {
      return found->second;
    }
  }
  ASSIGN_OR_RETURN(TableRef table, MakeTable(definition, {}));
  MutexLock lock(mutex_);
  if (auto found = changed_at_.find(id); found != changed_at_.end()) {
    table->trees().set_usable_from_lsn(found->second);
  }
  Cache(table);
  return table;
}

Result<TableRef> Dictionary::Find(const TableName& name) {
  {
    MutexLock lock(mutex_);
    auto found = by_name_.find(name);
    if (found != by_name_.end()) {
      return found->second;
    }
  }
  MutexLock loading(load_mutex_);
  {
    MutexLock lock(mutex_);
    auto found = by_name_.find(name);
    if (found != by_name_.end()) {
      return found->second;
    }
  }
  std::string value;
  Status status = Lookup(dictionary_key::Name(name), &value);
  if (status.Is(Code::kNotFound) || (status.ok() && value.size() != sizeof(uint64_t))) {
    return Status::NotFound("table " + name.schema + "." + name.name + " does not exist");
  }
  RETURN_IF_ERROR(std::move(status));
  return LoadTable(TableId(LoadLittle<uint64_t>(value.data())));
}

Result<TableRef> Dictionary::FindByClusteredIndex(IndexId id) {
  {
    MutexLock lock(mutex_);
    auto found = by_clustered_.find(id);
    if (found != by_clustered_.end()) {
      return found->second;
    }
  }
  MutexLock loading(load_mutex_);
  std::string value;
  Status status = Lookup(dictionary_key::Clustered(id), &value);
  if (status.Is(Code::kNotFound)) {
    return TableRef();
  }
  RETURN_IF_ERROR(std::move(status));
  if (value.size() != sizeof(uint64_t)) {
    return Status::Corruption("dictionary entry of an index is malformed");
  }
  return LoadTable(TableId(LoadLittle<uint64_t>(value.data())));
}

Result<SchemaDefinition> Dictionary::FindSchema(std::string_view name) {
  SchemaDefinition schema;
  schema.name = name;
  Status status = Lookup(dictionary_key::Schema(name), &schema.payload);
  if (status.Is(Code::kNotFound)) {
    return Status::NotFound("schema " + std::string(name) + " does not exist");
  }
  RETURN_IF_ERROR(std::move(status));
  return schema;
}

Result<std::vector<SchemaDefinition>> Dictionary::ListSchemas() {
  std::vector<SchemaDefinition> list;
  RETURN_IF_ERROR(ListPrefix("S", [&](std::string_view key, std::string_view value) {
    list.push_back({std::string(key.substr(1)), std::string(value)});
    return Status::Ok();
  }));
  return list;
}

Result<std::vector<std::string>> Dictionary::ListTables(std::string_view schema) {
  ASSIGN_OR_RETURN(SchemaDefinition found, FindSchema(schema));
  const std::string prefix = dictionary_key::Name({found.name, ""});
  std::vector<std::string> list;
  RETURN_IF_ERROR(ListPrefix(prefix, [&](std::string_view key, std::string_view) {
    list.emplace_back(key.substr(prefix.size()));
    return Status::Ok();
  }));
  return list;
}

Result<std::vector<std::pair<std::string, std::string>>> Dictionary::ListSqlEntries(
    std::string_view prefix) {
  std::vector<std::pair<std::string, std::string>> list;
  RETURN_IF_ERROR(
      ListPrefix(dictionary_key::Sql(prefix), [&](std::string_view key, std::string_view value) {
        list.emplace_back(key.substr(1), value);
        return Status::Ok();
      }));
  return list;
}

// ---------------------------------------------------------------------------------------------
// Changes

Status Dictionary::ApplyOne(const DictionaryChange& change) {
  Mtr mtr(store_);
  RETURN_IF_ERROR(mtr.StartWriting());
  Status status;
  if (!change.value.has_value()) {
    status = tree_->Delete(&mtr, change.key);
    if (status.Is(Code::kNotFound)) {
      status = Status::Ok();
    }
  } else {
    status = tree_->Insert(&mtr, change.key, *change.value);
    if (status.Is(Code::kAlreadyExists)) {
      if (!mtr.has_changes()) {
        mtr.Abandon();
      }
      RETURN_IF_ERROR(mtr.StartWriting());
      status = tree_->Update(&mtr, change.key, *change.value);
    }
  }
  if (mtr.has_changes()) {
    mtr.Commit();
  }
  return status;
}

Status Dictionary::CheckExpected(const std::vector<RelatedChanges::Expectation>& expected) {
  for (const RelatedChanges::Expectation& one : expected) {
    ASSIGN_OR_RETURN(const auto entries, ListSqlEntries(one.prefix));
    const bool same =
        std::equal(entries.begin(), entries.end(), one.keys.begin(), one.keys.end(),
                   [](const auto& entry, const std::string& key) { return entry.first == key; });
    if (!same) {
      COVER("dictionary.related_entries_changed");
      return Status::Retry("another schema change came first");
    }
  }
  return Status::Ok();
}

Status Dictionary::Apply(const std::vector<DictionaryChange>& changes,
                         const std::vector<RelatedChanges::Expectation>& expected,
                         const std::vector<TableRef>& old_tables,
                         const std::vector<TableRef>& new_tables) {
  MutexLock lock(apply_mutex_);
  RETURN_IF_ERROR(FinishJournal());
  RETURN_IF_ERROR(CheckExpected(expected));
  const std::string journal = EncodeChanges(changes);
  ASSIGN_OR_RETURN(LongValueReference reference, WriteLongValue(store_, journal));
  {
    Mtr mtr(store_);
    RETURN_IF_ERROR(mtr.StartWriting());
    RETURN_IF_ERROR(Space::SetSlot(&mtr, kJournalSlot + 1, reference.length));
    RETURN_IF_ERROR(Space::SetSlot(&mtr, kJournalSlot + 2, reference.crc));
    RETURN_IF_ERROR(Space::SetSlot(&mtr, kJournalSlot, reference.first.value()));
    mtr.Commit();
  }
  RETURN_IF_ERROR(FinishJournal());
  Publish(old_tables, new_tables);
  return Status::Ok();
}

Status Dictionary::FinishJournal() {
  ASSIGN_OR_RETURN(LongValueReference reference, ReadJournalSlots(store_));
  if (reference.first == kNoPage) {
    return Status::Ok();
  }
  COVER("dictionary.journal_carried_out");
  std::string bytes;
  Status read = ReadLongValue(store_, reference, 0, reference.length, &bytes);
  std::vector<DictionaryChange> changes;
  if (read.ok()) {
    ASSIGN_OR_RETURN(changes, ParseChanges(bytes));
    for (const DictionaryChange& change : changes) {
      RETURN_IF_ERROR(ApplyOne(change));
    }
  } else if (!read.Is(Code::kCorruption)) {
    return read;
  }
  // A journal that cannot be read any more was being freed when the writer stopped.
  Lsn done;
  for (bool freed = false; !freed;) {
    Mtr mtr(store_);
    RETURN_IF_ERROR(mtr.StartWriting());
    ASSIGN_OR_RETURN(freed, FreeLongValueStep(&mtr, reference, 64));
    if (freed) {
      RETURN_IF_ERROR(Space::SetSlot(&mtr, kJournalSlot, 0));
      mtr.Mark(RecordKind::kSchemaChange, EncodeTables(changes));
    }
    done = mtr.Commit();
  }
  return store_->volume()->WaitDurable(done);
}

Result<PageNo> Dictionary::CreateTree(IndexId id, bool is_clustered) {
  Mtr mtr(store_);
  RETURN_IF_ERROR(mtr.StartWriting());
  ASSIGN_OR_RETURN(PageNo root, BTree::Create(&mtr, id.value()));
  const DictionaryChange drop = DropOfTree(root, is_clustered);
  // The new tree is edited already: an error below would leave it half made, so the entry's place
  // is made sure of by the tree's own rule that a failed change changes nothing.
  Status listed = tree_->Insert(&mtr, drop.key, *drop.value);
  {
    MutexLock lock(mutex_);
    guarded_.insert(root);
  }
  mtr.Commit();
  if (!listed.ok()) {
    StopGuarding(root);
    return listed;
  }
  return root;
}

void Dictionary::StopGuarding(PageNo root) {
  MutexLock lock(mutex_);
  guarded_.erase(root);
}

Result<DictionaryChange> Dictionary::DefinitionChange(const TableDefinition& definition) {
  const std::string bytes = EncodeDefinition(definition);
  DictionaryChange change{dictionary_key::Definition(definition.id), std::string()};
  if (bytes.size() <= kDefinitionInlineMax) {
    change.value->push_back(kDefinitionInline);
    change.value->append(bytes);
    return change;
  }
  ASSIGN_OR_RETURN(LongValueReference reference, WriteLongValue(store_, bytes));
  change.value->push_back(kDefinitionLong);
  reference.AppendTo(&*change.value);
  return change;
}

Result<std::optional<DictionaryChange>> Dictionary::DropOfDefinition(TableId id) {
  std::string value;
  RETURN_IF_ERROR(Lookup(dictionary_key::Definition(id), &value));
  if (value.empty() || value[0] != kDefinitionLong) {
    return std::optional<DictionaryChange>();
  }
  const std::string_view bytes = std::string_view(value).substr(1);
  ASSIGN_OR_RETURN(LongValueReference reference, LongValueReference::Parse(bytes));
  DictionaryChange drop{dictionary_key::Drop(reference.first), std::string(1, kDropLongValue)};
  drop.value->append(bytes);
  return std::optional<DictionaryChange>(std::move(drop));
}

DictionaryChange Dictionary::DropOfTree(PageNo root, bool is_clustered) {
  return {dictionary_key::Drop(root),
          std::string(1, static_cast<char>(is_clustered ? kDropClusteredTree : kDropTree))};
}

void Dictionary::Publish(const std::vector<TableRef>& old_tables,
                         const std::vector<TableRef>& new_tables) {
  MutexLock lock(mutex_);
  for (const TableRef& table : old_tables) {
    table->MarkStale();
    const TableDefinition& definition = table->definition();
    auto named = by_name_.find({definition.schema, definition.name});
    if (named != by_name_.end() && named->second == table) {
      by_name_.erase(named);
    }
    if (!definition.indexes.empty()) {
      auto indexed = by_clustered_.find(definition.indexes[0].id);
      if (indexed != by_clustered_.end() && indexed->second == table) {
        by_clustered_.erase(indexed);
      }
    }
    for (const IndexDefinition& index : definition.indexes) {
      retired_[index.root] = table->shared_trees();
    }
    states_.erase(definition.id);
  }
  for (const TableRef& table : new_tables) {
    Cache(table);
    states_[table->id()] = table->shared_state();
    for (const IndexDefinition& index : table->definition().indexes) {
      guarded_.erase(index.root);
      retired_.erase(index.root);
    }
  }
  version_.fetch_add(1);
}

void Dictionary::Invalidate(const std::vector<TableId>& tables, Lsn at) {
  MutexLock lock(mutex_);
  const auto concerned = [&](const TableRef& table) {
    return std::find(tables.begin(), tables.end(), table->id()) != tables.end();
  };
  for (auto& [name, table] : by_name_) {
    if (concerned(table)) {
      table->MarkStale();
    }
  }
  std::erase_if(by_name_, [&](const auto& entry) { return concerned(entry.second); });
  std::erase_if(by_clustered_, [&](const auto& entry) { return concerned(entry.second); });
  for (TableId id : tables) {
    changed_at_[id] = at;
  }
  version_.fetch_add(1);
}

void Dictionary::InvalidateAll() {
  MutexLock lock(mutex_);
  for (auto& [name, table] : by_name_) {
    table->MarkStale();
  }
  by_name_.clear();
  by_clustered_.clear();
  version_.fetch_add(1);
}

// ---------------------------------------------------------------------------------------------
// Counters, things to free

Result<uint64_t> Dictionary::ReadCounter(TableId table) {
  std::string value;
  Status status = Lookup(dictionary_key::Counter(table), &value);
  if (status.Is(Code::kNotFound)) {
    return uint64_t{1};
  }
  RETURN_IF_ERROR(std::move(status));
  if (value.size() != sizeof(uint64_t)) {
    return Status::Corruption("auto-increment counter is malformed");
  }
  return LoadLittle<uint64_t>(value.data());
}

Status Dictionary::WriteCounter(TableId table, uint64_t bound) {
  std::string value;
  AppendLittle(&value, bound);
  return ApplyOne({dictionary_key::Counter(table), value});
}

Result<std::vector<std::pair<std::string, std::string>>> Dictionary::ReadStatistics(TableId table) {
  std::vector<std::pair<std::string, std::string>> entries;
  RETURN_IF_ERROR(ListPrefix(dictionary_key::Statistics(table),
                             [&](std::string_view key, std::string_view value) {
                               entries.emplace_back(key, value);
                               return Status::Ok();
                             }));
  return entries;
}

Status Dictionary::WriteStatistics(const std::vector<DictionaryChange>& entries) {
  for (const DictionaryChange& entry : entries) {
    RETURN_IF_ERROR(ApplyOne(entry));
  }
  return Status::Ok();
}

namespace {

uint64_t MemoryOf(const Table& table) {
  // A decoded definition and its layout for each byte of the definition, as measured.
  constexpr uint64_t kDecodedBytes = 32;
  constexpr uint64_t kIndexBytes = sizeof(IndexDefinition) + sizeof(BTree) + 64;
  const TableDefinition& definition = table.definition();
  return sizeof(Table) + sizeof(TableTrees) + 2 * (sizeof(TableRef) + kNodeOverhead) +
         definition.payload.size() * (1 + kDecodedBytes) + definition.indexes.size() * kIndexBytes;
}

uint64_t MemoryOf(const TableStatistics& statistics) {
  uint64_t bytes = sizeof(TableStatistics);
  for (const IndexStatistics& index : statistics.indexes) {
    bytes += sizeof(IndexStatistics) + index.distinct.capacity() * sizeof(uint64_t);
  }
  return bytes;
}

}  // namespace

void Dictionary::AddMemory(MemoryUse* use) const {
  MutexLock lock(mutex_);
  for (const auto& [name, table] : by_name_) {
    use->dictionary += MemoryOf(*table);
  }
  for (const auto& [id, state] : states_) {
    use->dictionary += sizeof(TableState) + kNodeOverhead;
    MutexLock statistics(state->statistics_mutex);
    if (state->statistics != nullptr) {
      use->statistics += MemoryOf(*state->statistics);
    }
  }
}

std::vector<std::pair<TableId, std::shared_ptr<TableState>>> Dictionary::ListStates() const {
  MutexLock lock(mutex_);
  return {states_.begin(), states_.end()};
}

Result<std::vector<PendingDrop>> Dictionary::ListDrops() {
  std::vector<PendingDrop> list;
  RETURN_IF_ERROR(ListPrefix("D", [&](std::string_view key, std::string_view value) -> Status {
    if (key.size() != 1 + sizeof(uint64_t) || value.empty()) {
      return Status::Corruption("entry of a dropped tree is malformed");
    }
    PendingDrop drop;
    drop.page = PageNo(LoadBig<uint64_t>(key.data() + 1));
    drop.is_long_value = value[0] == kDropLongValue;
    drop.is_clustered = value[0] == kDropClusteredTree;
    if (drop.is_long_value) {
      ASSIGN_OR_RETURN(drop.reference, LongValueReference::Parse(value.substr(1)));
    }
    list.push_back(drop);
    return Status::Ok();
  }));
  return list;
}

Status Dictionary::RemoveDrop(Mtr* mtr, PageNo page) {
  Status status = tree_->Delete(mtr, dictionary_key::Drop(page));
  return status.Is(Code::kNotFound) ? Status::Ok() : status;
}

// Between schema changes, never in the middle of one: the entry may have been listed while the tree
// was being made, and the tree be a table's by now; or the change that lists it is not published,
// and nobody could tell who is at work on the tree.
Result<bool> Dictionary::MayFree(const PendingDrop& drop) {
  MutexLock lock(apply_mutex_);
  RETURN_IF_ERROR(FinishJournal());
  std::string value;
  Status listed = Lookup(dictionary_key::Drop(drop.page), &value);
  if (listed.Is(Code::kNotFound)) {
    COVER("dictionary.drop_was_taken_back");
    return false;
  }
  RETURN_IF_ERROR(std::move(listed));
  return drop.is_long_value || !TreeInUse(drop.page);
}

bool Dictionary::TreeInUse(PageNo root) {
  MutexLock lock(mutex_);
  if (guarded_.contains(root)) {
    return true;
  }
  auto found = retired_.find(root);
  if (found == retired_.end()) {
    return false;
  }
  found->second->MarkDropped();
  if (found->second->in_use()) {
    return true;
  }
  retired_.erase(found);
  return false;
}

}  // namespace borealis::engine
