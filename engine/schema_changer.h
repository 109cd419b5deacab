// What schema changes share: exclusive metadata locks on names, building of trees, publication.
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

  // In the order of the names, so that two changes do not meet crosswise.
  Status LockExclusive(std::set<TableName> names);
  Status LockShared(const TableName& name);
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
  // Makes it so, durably, and publishes it.
  Status Apply(const std::vector<TableRef>& old_tables, const std::vector<TableRef>& new_tables);

  Core& core() const { return *core_; }
  // Whether Apply freed trees, for the background.
  bool freed_trees() const { return freed_trees_; }

 private:
  Status Lock(const TableName& name, LockMode mode);

  Core* const core_;
  const SchemaChangeOptions& how_;
  LockOwner owner_;
  std::vector<PageNo> new_trees_;
  std::vector<DictionaryChange> changes_;
  bool freed_trees_ = false;
};

// Fills `target` (all its trees empty, or kept ones to be left alone) from the rows of `source`.
struct TableBuild {
  const Table* source = nullptr;
  const Table* target = nullptr;
  std::vector<bool> build;  // [index_no of target]
  RowMapper rewrite;        // null: rows stay as they are
  DuplicateKey* duplicate = nullptr;
  std::string* duplicate_row = nullptr;
};
Status BuildTable(SchemaChange& change, const TableBuild& build);

}  // namespace borealis::engine
