// What schema changes share: metadata locks on names, new trees, publication.
#pragma once

#include <functional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "engine/core.h"
#include "engine/schema_change.h"

namespace borealis::engine {

class HeldInstanceLock;

// The key of a name in the table of metadata locks; an empty table name is the schema itself.
std::string MetadataKey(std::string_view schema, std::string_view table);

// One schema change. Releases its metadata locks, and leaves trees that did not become part of a
// definition to the background, when it goes.
class SchemaChange {
 public:
  SchemaChange(Core* core, const SchemaChangeOptions& how);
  ~SchemaChange();
  SchemaChange(const SchemaChange&) = delete;
  SchemaChange& operator=(const SchemaChange&) = delete;

  // In the order of the names, so that two changes do not meet crosswise. The related tables are
  // locked with the first tables that are: kRetry when they are not as SQL took them to be.
  Status LockExclusive(std::set<TableName> names);
  Status LockShared(const TableName& name);
  // Keeps other alterations of the table off: they wait for this one before they ask for the table
  // itself. With less concurrency than kReadAndWrite writers are kept off as well, from now on.
  // Comes before all other locks of the table.
  Status LockAlteration(const TableName& name, Concurrency concurrency);
  // A table locked exclusively becomes open to those that `concurrency` lets in. LockExclusive
  // takes it back.
  void OpenTo(Concurrency concurrency, const TableName& name);
  // Transactions that recovery found hold no metadata locks: waits until they are undone.
  Status WaitForRecoveredTransactions();
  Status CheckKilled() const;

  // A new number for a table, index or version.
  Result<uint64_t> NewNumber();
  Result<PageNo> NewTree(IndexId id, bool is_clustered);
  void Add(DictionaryChange change) { changes_.push_back(std::move(change)); }
  // Entries of a table that comes into being, or changes its definition.
  Status AddDefinition(const TableDefinition& table);
  // Removes a table's name, definition and counter, and frees its trees except `keep`.
  Status AddDrop(const TableDefinition& table, const std::set<PageNo>& keep_trees);
  // The description that SQL gave the table of this name; null: it keeps its own.
  const std::string* NewPayload(const TableName& name) const;
  // Makes it so with the related changes, durably, and publishes it.
  Status Apply(const std::vector<TableRef>& old_tables, const std::vector<TableRef>& new_tables);

  void Report(BuildStep step) const;

  Core& core() const { return *core_; }
  const SchemaChangeOptions& how() const { return how_; }
  // Whether Apply freed trees, for the background.
  bool freed_trees() const { return freed_trees_; }

 private:
  // LOCK TABLES has what the change needs.
  bool IsGiven(const TableName& name, LockMode mode) const;
  Status Lock(const TableName& name, LockMode mode);
  int64_t wait_timeout_us() const;
  Status LockKey(const std::string& key, LockMode mode);
  // Of locks on the instance, before the first lock of a name.
  Status PassGates();
  Status CheckRelated();
  Status AddRelated(std::vector<TableRef>* old_tables, std::vector<TableRef>* new_tables);

  Core* const core_;
  const SchemaChangeOptions& how_;
  LockOwner owner_;
  std::vector<PageNo> new_trees_;
  std::vector<DictionaryChange> changes_;
  bool passed_gates_ = false;
  HeldInstanceLock* own_backup_lock_ = nullptr;  // whose gate the change is passing
  bool freed_trees_ = false;
  bool related_locked_ = false;
};

}  // namespace borealis::engine
