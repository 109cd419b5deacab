// The Engine of one open volume: composes the parts and runs the background.
//
// Background threads: one undoes what recovery found, or a session could not undo or has left; one
// purges and frees dropped trees; one counts statistics; one reports the read point. Work is cut
// into small mini-transactions, so it can stop at any time and go on after a restart.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/os/thread.h"
#include "engine/core.h"
#include "engine/engine.h"
#include "engine/memory_use.h"
#include "engine/statistics_keeper.h"
#include "engine/trx/engine_transaction.h"
#include "engine/trx/history.h"
#include "engine/trx/purge.h"
#include "engine/trx/table_locks.h"
#include "engine/trx/user_locks.h"

namespace borealis::engine {

class EngineImpl final : public Engine {
 public:
  EngineImpl(std::unique_ptr<Store> store, EngineOptions options, const Clock* clock);
  ~EngineImpl() override;

  Status OpenWriter();
  Status OpenReader(std::string_view active);

  void Stop() override;
  bool is_replica() const override { return store_->is_replica(); }
  std::unique_ptr<Transaction> Begin(TransactionOptions options) override;

  // --- dictionary (engine_impl.cc)
  Result<TableRef> OpenTable(Transaction& transaction, std::string_view schema,
                             std::string_view name, TableUse use) override;
  Result<std::shared_ptr<const TableLocks>> LockTables(const std::vector<TableLockRequest>& tables,
                                                       const SchemaChangeOptions& how) override;
  Result<std::shared_ptr<InstanceLock>> LockInstance(InstanceLockKind kind,
                                                     const SchemaChangeOptions& how) override;
  std::shared_ptr<UserLocks> MakeUserLocks(uint64_t session_id,
                                           std::function<bool()> killed) override {
    return std::make_shared<HeldUserLocks>(&core_, session_id, std::move(killed));
  }
  uint64_t UserLockHolder(std::string_view name) const override {
    return HolderOfUserLock(core_, name);
  }
  Result<TableRef> FindTable(std::string_view schema, std::string_view name) override;
  Result<SchemaDefinition> FindSchema(std::string_view name) override;
  Result<std::vector<SchemaDefinition>> ListSchemas() override;
  Result<std::vector<std::string>> ListTables(std::string_view schema) override;
  Result<std::vector<std::pair<std::string, std::string>>> ListSqlEntries(
      std::string_view prefix) override;
  uint64_t dictionary_version() const override { return core_.dictionary.version(); }

  // --- schema changes (schema_change.cc)
  Status CreateSchema(const SchemaDefinition& schema, const SchemaChangeOptions& how) override;
  Status AlterSchema(const SchemaDefinition& schema, const SchemaChangeOptions& how) override;
  Status DropSchema(std::string_view name, const SchemaChangeOptions& how) override;
  Result<TableRef> CreateTable(TableDefinition table, const SchemaChangeOptions& how) override;
  Status DropTables(const std::vector<TableName>& tables, const SchemaChangeOptions& how) override;
  Status RenameTables(const std::vector<std::pair<TableName, TableName>>& renames,
                      const SchemaChangeOptions& how) override;
  Status AlterTable(const TableName& table, const TableAlteration& alteration,
                    const SchemaChangeOptions& how) override;
  Status TruncateTable(const TableName& table, const SchemaChangeOptions& how) override;

  // --- counters of tables (table_counters.cc)
  Result<uint64_t> NextRowId(const Table& table) override;
  Result<uint64_t> ReserveAutoIncrement(const Table& table, uint64_t count, uint64_t offset,
                                        uint64_t increment) override;
  Status BumpAutoIncrement(const Table& table, uint64_t seen) override;
  Status SetAutoIncrement(const Table& table, uint64_t next) override;
  Result<uint64_t> PeekAutoIncrement(const Table& table) override;

  // --- statistics and lists (statistics.cc)
  Status AnalyzeTable(const Table& table, const SchemaChangeOptions& how) override {
    return statistics_.Analyze(table, how);
  }
  Result<std::shared_ptr<const TableStatistics>> Statistics(const Table& table) override {
    return statistics_.Get(table);
  }
  void SetStatisticsDefaults(const StatisticsDefaults& defaults) override {
    statistics_.set_defaults(defaults);
  }
  Result<TableEstimate> EstimateTable(const Table& table) override;
  Result<uint64_t> EstimateRange(const Table& table, size_t index_no, std::string_view lower,
                                 std::string_view upper) override;
  EngineCounters counters() const override;
  void ResizeBufferPool(uint64_t bytes) override;
  std::vector<TransactionInfo> ListTransactions() const override;
  std::vector<LockInfo> ListLocks() const override;
  std::optional<DeadlockInfo> LatestDeadlock() const override {
    return core_.graph.LatestDeadlock();
  }
  Result<std::string> PeekRow(const Table& table, std::string_view clustered_key) const override;
  std::vector<MetadataLockInfo> ListMetadataLocks() const override;
  Status CheckTable(const Table& table) override;  // check_table.cc

  // --- writer and readers
  Lsn OldestReadLsn() const override;
  void SetReaderHorizon(Lsn horizon) override;
  std::string ActiveTransactions(Lsn* at) override { return core_.transactions->EncodeUnseen(at); }
  Status ApplyLog(std::string_view records, Lsn vdl) override;
  Status RestartReplica(std::string_view active) override;

  Status RunBackground() override;

  MemoryUse memory_use() const;

 private:
  // At a clean stop: the exact numbers instead of the bounds ahead of them.
  void SaveAutoIncrement();
  // New things to free may be listed; wakes the background.
  void AfterSchemaChange();
  void BackgroundLoop();
  // Tells storage once a second what may still be read.
  void ReportLoop();
  void ContinueResize();
  // Pages, then marks; see ApplyLog.
  Status ApplyRecords(std::string_view records, Lsn vdl);
  // One round; true when something was done.
  Result<bool> BackgroundStep();
  void RollbackLoop();
  Status RollBackOrphan();
  Result<bool> FreeDrops() REQUIRES(background_mutex_);
  Result<bool> FreeIfUnused(const PendingDrop& drop) REQUIRES(background_mutex_);
  Status FreeDrop(const PendingDrop& drop);

  const std::unique_ptr<Store> store_;
  Core core_;
  Purge purge_;
  StatisticsKeeper statistics_;
  Mutex background_mutex_{LockRank::kServer};  // one round at a time
  std::atomic<bool> drops_listed_{false};      // false: look for dropped trees
  std::map<PageNo, Lsn> drop_seen_ GUARDED_BY(background_mutex_);
  // Beyond every bound until the bound has been read: what is taken before is not used.
  std::atomic<uint64_t> next_row_id_{~uint64_t{0} / 2};
  std::atomic<uint64_t> row_id_bound_{0};
  Mutex row_id_mutex_{LockRank::kDictionary};
  // Held while a piece of log is applied: who waits for it knows that the marks that belong to the
  // pages it has read are applied.
  Mutex apply_mutex_{LockRank::kDictionary};
  bool marks_are_missing_ GUARDED_BY(apply_mutex_) = false;
  Mutex report_mutex_{LockRank::kLeaf};
  ConditionVariable report_ends_;
  std::atomic<bool> resizing_{false};
  std::atomic<int64_t> resized_wall_us_{0};
  Thread background_;
  Thread rollback_;
  Thread counter_;  // of statistics
  Thread reporter_;
};

}  // namespace borealis::engine
