// The engine of one instance: tables with transactions on a volume.
//
// A writer opens a Volume: an empty one is formatted, otherwise what the last writer left is taken
// over at once and its unfinished transactions are undone in the background while new work runs. A
// reader opens a PageReader and is fed the writer's log; it refuses changes.
// Thread-safe. Transactions, table locks, cursors and tables must be gone before the engine.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/os/time.h"
#include "base/result.h"
#include "engine/definition.h"
#include "engine/instance_lock.h"
#include "engine/schema_change.h"
#include "engine/statistics.h"
#include "engine/table.h"
#include "engine/table_locks.h"
#include "engine/transaction.h"
#include "engine/user_locks.h"
#include "storage_client/volume.h"

namespace borealis::engine {

struct EngineOptions {
  RowLayoutFactory layouts;  // required
  uint64_t buffer_pool_bytes = uint64_t{128} << 20;
  int64_t lock_wait_timeout_us = 50'000'000;              // innodb_lock_wait_timeout
  int64_t metadata_wait_timeout_us = 31'536'000'000'000;  // lock_wait_timeout
  bool deadlock_detect = true;                            // innodb_deadlock_detect
  // Purge, rollback of what recovery found, freeing of dropped trees, reading ahead. Off: the owner
  // calls RunBackground (tests, temporary tables), and nothing is read ahead.
  bool background_threads = true;
  std::string temporary_directory = "/tmp";  // tmpdir: sorts and logs of schema changes
  const Clock* clock = nullptr;              // null: SystemClock()
};

class Engine {
 public:
  // Blocks for a few page reads only, whatever the volume holds. `volume` outlives the engine.
  static Result<std::unique_ptr<Engine>> Open(Volume* volume, EngineOptions options);
  // A reader at reader->vdl(); `active` is the writer's hello (ActiveTransactions there), fetched
  // for that vdl.
  static Result<std::unique_ptr<Engine>> OpenReplica(PageReader* reader, EngineOptions options,
                                                     std::string_view active);

  virtual ~Engine() = default;
  Engine() = default;
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // Stops the background threads; waits in progress fail with kCancelled. Idempotent.
  virtual void Stop() = 0;
  virtual bool is_replica() const = 0;

  // ---- Transactions
  virtual std::unique_ptr<Transaction> Begin(TransactionOptions options) = 0;

  // ---- Dictionary
  // Opens a table for `transaction`: takes its metadata locks (until the transaction ends; what the
  // transaction's table locks cover needs none) and returns the definition then current.
  // kNotFound; kTimedOut.
  virtual Result<TableRef> OpenTable(Transaction& transaction, std::string_view schema,
                                     std::string_view name, TableUse use) = 0;
  // LOCK TABLES: takes all the locks, in an order of its own, or none. The tables need not exist.
  virtual Result<std::shared_ptr<const TableLocks>> LockTables(
      const std::vector<TableLockRequest>& tables, const SchemaChangeOptions& how) = 0;
  // FLUSH TABLES WITH READ LOCK and LOCK INSTANCE FOR BACKUP (instance_lock.h). Waits as a change
  // of a schema does; kInvalidArgument on a reader instance, where changes come from the writer.
  virtual Result<std::shared_ptr<InstanceLock>> LockInstance(InstanceLockKind kind,
                                                             const SchemaChangeOptions& how) = 0;
  // Empty; see user_locks.h. `killed` as of a transaction's options. Must go before the engine.
  virtual std::shared_ptr<UserLocks> MakeUserLocks(uint64_t session_id,
                                                   std::function<bool()> killed) = 0;
  // The session that holds the name; 0: nobody.
  virtual uint64_t UserLockHolder(std::string_view name) const = 0;
  // The definition current now, without a lock: for listings and name resolution.
  virtual Result<TableRef> FindTable(std::string_view schema, std::string_view name) = 0;
  virtual Result<SchemaDefinition> FindSchema(std::string_view name) = 0;
  virtual Result<std::vector<SchemaDefinition>> ListSchemas() = 0;
  // Names, sorted; kNotFound when there is no such schema.
  virtual Result<std::vector<std::string>> ListTables(std::string_view schema) = 0;
  // SQL's own entries in the dictionary (RelatedChanges) below `prefix`, in order: keys and values.
  // Views opened then see what committed before them (INV-DIC-4). kUnavailable: a lost reader.
  virtual Result<std::vector<std::pair<std::string, std::string>>> ListSqlEntries(
      std::string_view prefix) = 0;
  // Grows with every published schema change: caches of statements compare it.
  virtual uint64_t dictionary_version() const = 0;

  // Each is atomic: after a crash it has happened entirely or not at all. Each waits for the
  // metadata locks of the tables concerned, exclusively; see schema_change.h for the arguments.
  virtual Status CreateSchema(const SchemaDefinition& schema, const SchemaChangeOptions& how) = 0;
  virtual Status AlterSchema(const SchemaDefinition& schema, const SchemaChangeOptions& how) = 0;
  // With all its tables.
  virtual Status DropSchema(std::string_view name, const SchemaChangeOptions& how) = 0;
  // `table`: schema, name, payload, and names and uniqueness of the indexes; [0] is the clustered
  // one, and without any it is a view. kAlreadyExists; kNotFound when the schema does not exist.
  virtual Result<TableRef> CreateTable(TableDefinition table, const SchemaChangeOptions& how) = 0;
  // All or none; kNotFound names the first that does not exist.
  virtual Status DropTables(const std::vector<TableName>& tables,
                            const SchemaChangeOptions& how) = 0;
  // In order, so that a cycle through a spare name swaps two tables; all or none.
  virtual Status RenameTables(const std::vector<std::pair<TableName, TableName>>& renames,
                              const SchemaChangeOptions& how) = 0;
  virtual Status AlterTable(const TableName& table, const TableAlteration& alteration,
                            const SchemaChangeOptions& how) = 0;
  // Empties the table and starts its auto-increment counter again.
  virtual Status TruncateTable(const TableName& table, const SchemaChangeOptions& how) = 0;

  // ---- Counters of tables
  // A row id never given before, for tables without a primary key: fits in six bytes.
  virtual Result<uint64_t> NextRowId(const Table& table) = 0;
  // Reserves `count` consecutive numbers and returns the first; never given again, nor after a
  // crash. `offset` and `increment` as auto_increment_offset and auto_increment_increment: numbers
  // are offset + k * increment, and the reserved run holds `count` of those.
  virtual Result<uint64_t> ReserveAutoIncrement(const Table& table, uint64_t count,
                                                uint64_t offset = 1, uint64_t increment = 1) = 0;
  // The next number will be above `seen`, a value that a row has been given explicitly.
  virtual Status BumpAutoIncrement(const Table& table, uint64_t seen) = 0;
  // ALTER TABLE … AUTO_INCREMENT = next; SQL keeps it above the greatest value in the table.
  virtual Status SetAutoIncrement(const Table& table, uint64_t next) = 0;
  // The next number, as SHOW TABLE STATUS prints it.
  virtual Result<uint64_t> PeekAutoIncrement(const Table& table) = 0;

  // ---- Statistics and lists (statistics.h)
  // Counted now, and stored unless the table's statistics are transient.
  virtual Status AnalyzeTable(const Table& table, const SchemaChangeOptions& how) = 0;
  // As last counted; never null, `rough` when that was never. From memory but for the first call.
  virtual Result<std::shared_ptr<const TableStatistics>> Statistics(const Table& table) = 0;
  virtual void SetStatisticsDefaults(const StatisticsDefaults& defaults) = 0;
  // From the statistics, with the rows that have come and gone since.
  virtual Result<TableEstimate> EstimateTable(const Table& table) = 0;
  // Rows of `index_no` in [lower, upper); empty upper: to the end. Rough.
  virtual Result<uint64_t> EstimateRange(const Table& table, size_t index_no,
                                         std::string_view lower, std::string_view upper) = 0;
  virtual EngineCounters counters() const = 0;
  // Gives the buffer pool another size while it is used. Returns once what may go at once has gone;
  // the rest follows (counters().buffer_pool_resized_wall_us).
  virtual void ResizeBufferPool(uint64_t bytes) = 0;
  virtual std::vector<TransactionInfo> ListTransactions() const = 0;
  virtual std::vector<LockInfo> ListLocks() const = 0;
  virtual std::optional<DeadlockInfo> LatestDeadlock() const = 0;
  // The row's newest version, whoever wrote it, for lists; kNotFound.
  virtual Result<std::string> PeekRow(const Table& table, std::string_view clustered_key) const = 0;
  virtual std::vector<MetadataLockInfo> ListMetadataLocks() const = 0;

  // ---- Writer and readers
  // The least LSN that open read views and the undo they need have in use here; for a replica what
  // it reports to the writer. Lsn::Max() when nothing is open.
  virtual Lsn OldestReadLsn() const = 0;
  // Writer: no reader uses anything older than `horizon` (the least OldestReadLsn of all readers;
  // Lsn::Max() without readers). Purge keeps what they need.
  virtual void SetReaderHorizon(Lsn horizon) = 0;
  // Writer: the unfinished transactions as of a consistency point, for a replica that starts to
  // follow; *at is that point.
  virtual std::string ActiveTransactions(Lsn* at) = 0;
  // Replica: applies whole mini-transactions of the writer's log, in order: every record in
  // (last applied, vdl]. After it vdl is the replica's read point.
  virtual Status ApplyLog(std::string_view records, Lsn vdl) = 0;
  // Replica: forgets everything cached and goes on at a later point, as after OpenReplica.
  virtual Status RestartReplica(std::string_view active) = 0;

  // Runs background work to its end (purge as far as the read views allow) on this thread: for
  // tests and for a clean shutdown.
  virtual Status RunBackground() = 0;
  // Walks a table's trees: clustered rows in order, every index entry matched by its row and every
  // row by its entries. For CHECK TABLE; kCorruption says what is wrong.
  virtual Status CheckTable(const Table& table) = 0;
};

}  // namespace borealis::engine
