// A table as a virtual table of the query machine.
//
// One module per table version and way of reading (lock, index hints), eponymous: it needs no
// CREATE VIRTUAL TABLE. Planning (xBestIndex) is in table_planner.cc, reading in table_cursor.cc;
// system tables are read whole by system_cursor.cc.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "engine/cursor.h"
#include "engine/statistics.h"
#include "engine/table.h"
#include "row/key_codec.h"
#include "sql/binder/query.h"
#include "sql/catalog/catalog.h"
#include "sql/sqlite/lowering.h"
#include "sql/sqlite/machine.h"

struct sqlite3;
struct sqlite3_index_info;

namespace borealis::sql {

class TableModule {
 public:
  static Result<std::unique_ptr<TableModule>> Make(const ModuleUse& use, QueryMachine* machine,
                                                   const Catalog& catalog);
  // The connection owns the module from then on.
  static Status Register(sqlite3* connection, const std::string& name,
                         std::unique_ptr<TableModule> module);

  // Opens the table for a run: takes the metadata lock. kRetry when the definition has changed.
  Status OpenFor(const RunContext& context);

  QueryMachine* machine() const { return machine_; }
  const TableDescriptor& table() const { return *table_; }
  // Of the table that the module was made for; others that are read alike may share it.
  uint32_t table_number() const { return table_number_; }
  const SystemTable* system() const { return system_; }
  const engine::TableRef& engine_table() const { return engine_table_; }
  // To read the table in; as of the last run.
  engine::Transaction& transaction() const { return *transaction_; }
  engine::LockMode LockAt(engine::Isolation isolation) const {
    const bool free = lock_repeatable_only_ && isolation < engine::Isolation::kRepeatableRead;
    return free ? engine::LockMode::kNone : lock_;
  }
  bool exclusive() const { return lock_ == engine::LockMode::kExclusive; }
  bool locks() const { return lock_ != engine::LockMode::kNone; }
  engine::WaitPolicy wait() const { return wait_; }
  bool changes() const { return changes_; }
  bool semi_consistent() const { return semi_consistent_; }
  // Number of the hidden column that holds the handle.
  int handle_column() const { return static_cast<int>(table_->columns.size()); }
  // Number of the hidden column, always 0, that tells the planner of conditions (passing_share.h).
  int guess_column() const { return handle_column() + 1; }
  // Number of the hidden column that names a filter (RowFilter).
  int filter_column() const { return handle_column() + 2; }
  const row::KeySchema& keys(size_t index) const { return keys_[index]; }
  bool IndexUsable(size_t index) const;
  bool force_index() const { return force_index_; }
  Result<engine::TableEstimate> EstimateRows() const;
  engine::Engine& engine() const { return *engine_; }

  // The schema that SQLite is told.
  std::string Declaration() const;
  // xBestIndex.
  int Plan(sqlite3_index_info* info) const;
  int PlanSystem(sqlite3_index_info* info) const;

 private:
  TableModule() = default;

  QueryMachine* machine_ = nullptr;
  engine::Engine* engine_ = nullptr;
  TablePtr table_;
  uint32_t table_number_ = 0;
  const SystemTable* system_ = nullptr;
  engine::TableRef engine_table_;  // as of the last run, or of compiling
  engine::Transaction* transaction_ = nullptr;
  std::vector<row::KeySchema> keys_;
  engine::LockMode lock_ = engine::LockMode::kNone;
  bool lock_repeatable_only_ = false;
  engine::WaitPolicy wait_ = engine::WaitPolicy::kWait;
  bool changes_ = false;
  bool semi_consistent_ = false;
  uint64_t usable_indexes_ = ~uint64_t{0};
  bool force_index_ = false;
};

}  // namespace borealis::sql
