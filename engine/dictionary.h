// The dictionary: schemas and tables in a B+tree of the volume, with a cache of open tables.
// Its entries are in dictionary_entries.h.
//
// A schema change is a list of such entries to set or erase. It is written off-page first, then
// becomes valid with one slot of the volume header (the commit point), is carried out entry by
// entry, and ends by clearing the slot. Recovery carries out what a slot still names, so the whole
// list happens or nothing does. New trees are entered under 'D' when they are made and leave it in
// the list; dropped ones enter it in the list. So whatever happens, no tree is lost.
//
// INV-DIC-1  A change is published to this instance's cache after it is durable, while its metadata
//            locks are held exclusively.
// INV-DIC-2  Every index tree is named by a definition or by a 'D' entry.
// INV-DIC-4  Views opened after entries of SQL's were read see what committed before these entries
//            were made: readers apply pages first, then which transactions ended (EngineImpl).
// Thread-safe.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/mutex.h"
#include "base/result.h"
#include "engine/definition.h"
#include "engine/dictionary_entries.h"
#include "engine/schema_change.h"
#include "engine/store/btree.h"
#include "engine/store/long_value.h"
#include "engine/table.h"
#include "engine/table_trees.h"

namespace borealis::engine {

struct MemoryUse;
class TransactionSystem;

// What waits to be freed.
struct PendingDrop {
  PageNo page;  // root of a tree, or first page of a long value
  bool is_long_value = false;
  bool is_clustered = false;  // rows may have off-page parts
  LongValueReference reference;
};

class Dictionary {
 public:
  static constexpr int kRootSlot = 0;
  static constexpr int kJournalSlot = 4;  // three slots: first page, length, checksum

  Dictionary(Store* store, RowLayoutFactory layouts, TransactionSystem* transactions)
      : store_(store), layouts_(std::move(layouts)), transactions_(transactions) {}

  // Makes the tree; its root goes into kRootSlot.
  static Result<PageNo> Format(Mtr* mtr);
  // Opens it; a writer finishes a schema change that was under way.
  Status Load();

  // --- lookups, from the cache where possible
  Result<TableRef> Find(const TableName& name);
  // Null when no such table exists (any more).
  Result<TableRef> FindByClusteredIndex(IndexId id);
  Result<SchemaDefinition> FindSchema(std::string_view name);
  Result<std::vector<SchemaDefinition>> ListSchemas();
  Result<std::vector<std::string>> ListTables(std::string_view schema);
  // SQL's own entries whose keys start with `prefix`, in order.
  Result<std::vector<std::pair<std::string, std::string>>> ListSqlEntries(std::string_view prefix);
  uint64_t version() const { return version_.load(); }

  // --- counters: direct, not part of a schema change
  Result<uint64_t> ReadCounter(TableId table);
  Status WriteCounter(TableId table, uint64_t bound);

  // --- statistics: direct as well. Entries by their keys, the table's own first.
  Result<std::vector<std::pair<std::string, std::string>>> ReadStatistics(TableId table);
  // One after the other: each entry is whole. REQUIRES: the table's metadata lock (INV-STA-1).
  Status WriteStatistics(const std::vector<DictionaryChange>& entries);
  // Cached plans are out of date though no definition is.
  void OutdatePlans() { version_.fetch_add(1); }

  // Adds what is cached here.
  void AddMemory(MemoryUse* use) const;
  // Of the tables used since the engine was opened.
  std::vector<std::pair<TableId, std::shared_ptr<TableState>>> ListStates() const;

  // --- schema changes
  // Carries out `changes` atomically and durably, and publishes: the old tables are stale and
  // forgotten, the new ones known. After a failure of the volume in the middle the next change, or
  // recovery, finishes it first. kRetry, and nothing happens, when SQL's entries are not as
  // `expected`: changes are applied one at a time, so what was expected is what is changed.
  Status Apply(const std::vector<DictionaryChange>& changes,
               const std::vector<RelatedChanges::Expectation>& expected,
               const std::vector<TableRef>& old_tables, const std::vector<TableRef>& new_tables);
  // Makes an empty tree, listed under 'D' and guarded from the background until Forget.
  Result<PageNo> CreateTree(IndexId id, bool is_clustered);
  void StopGuarding(PageNo root);
  // The entry of a definition; long ones are written off-page.
  Result<DictionaryChange> DefinitionChange(const TableDefinition& definition);
  // An entry that frees the off-page part of a definition's entry, if it has one.
  Result<std::optional<DictionaryChange>> DropOfDefinition(TableId id);
  static DictionaryChange DropOfTree(PageNo root, bool is_clustered);

  Result<TableRef> MakeTable(const TableDefinition& definition, std::vector<uint64_t> usable_from);
  // A replica learns of a schema change: forgets these tables.
  void Invalidate(const std::vector<TableId>& tables, Lsn at);
  void InvalidateAll();

  // --- things to free
  Result<std::vector<PendingDrop>> ListDrops();
  // Removes the entry in `mtr`, which must hold no page of the dictionary.
  Status RemoveDrop(Mtr* mtr, PageNo page);
  // Whether it is still listed, and nobody works on the tree or will begin to (INV-DIC-3).
  Result<bool> MayFree(const PendingDrop& drop);

 private:
  void Publish(const std::vector<TableRef>& old_tables, const std::vector<TableRef>& new_tables)
      REQUIRES(apply_mutex_);
  // Whether somebody still works on the tree; marks it so that nobody starts.
  bool TreeInUse(PageNo root);
  Status FinishJournal() REQUIRES(apply_mutex_);
  Status CheckExpected(const std::vector<RelatedChanges::Expectation>& expected);
  Status ApplyOne(const DictionaryChange& change);
  // The value under a key, with a pending journal of the writer laid over it on a replica.
  Status Lookup(std::string_view key, std::string* value);
  Status ListPrefix(std::string_view prefix,
                    const std::function<Status(std::string_view, std::string_view)>& visit);
  Result<TableDefinition> ReadDefinition(TableId id);
  Result<TableRef> LoadTable(TableId id);
  void Cache(const TableRef& table) REQUIRES(mutex_);
  std::shared_ptr<TableState> StateOf(TableId id) REQUIRES(mutex_);

  Store* const store_;
  const RowLayoutFactory layouts_;
  TransactionSystem* const transactions_;
  std::unique_ptr<BTree> tree_;
  std::atomic<uint64_t> version_{1};
  Mutex apply_mutex_{LockRank::kDictionary};  // one schema change at a time
  Mutex load_mutex_{LockRank::kDictionary};   // loads of tables into the cache, one at a time
  mutable Mutex mutex_{LockRank::kDictionaryCache};
  std::map<TableName, TableRef> by_name_ GUARDED_BY(mutex_);
  std::unordered_map<IndexId, TableRef> by_clustered_ GUARDED_BY(mutex_);
  std::unordered_map<TableId, std::shared_ptr<TableState>> states_ GUARDED_BY(mutex_);
  // Replica: views made before this point must not use the table as it is now.
  std::unordered_map<TableId, Lsn> changed_at_ GUARDED_BY(mutex_);
  std::set<PageNo> guarded_ GUARDED_BY(mutex_);
  // Trees of tables that were replaced, by root: may be in use without a metadata lock.
  std::map<PageNo, std::shared_ptr<TableTrees>> retired_ GUARDED_BY(mutex_);
};

}  // namespace borealis::engine
