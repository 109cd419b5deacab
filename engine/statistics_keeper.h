// Statistics of tables: counted, stored, kept in memory, and counted again when rows have changed.
//
// An open table's statistics hang on its TableState, so a statement that plans reads no page. They
// come from the volume on first use; a reader instance reads them again when they are some seconds
// old. A table that was never counted has rough ones: its sizes, from a few dives.
//
//   row changed  --changes.changed > due_at-->  queued  --background-->  counted, stored, due_at
//   set
//
// As InnoDB: due after a tenth of the rows has changed, and for one table not more often than every
// ten seconds. The background counts one table at a time and rests as long as it has worked.
//
// INV-STA-1  Statistics are written under the table's metadata lock and erased in its dropping
//            schema change: those of a table that is gone are not left behind.
// INV-STA-2  What an entry says holds for the index whose id is in its key; ids are never reused,
// so
//            statistics of a rebuilt or truncated index are found to be missing, never wrong.
// Thread-safe.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>

#include "base/mutex.h"
#include "base/result.h"
#include "engine/core.h"
#include "engine/statistics.h"
#include "engine/table_trees.h"

namespace borealis::engine {

class StatisticsKeeper {
 public:
  explicit StatisticsKeeper(Core* core) : core_(core) {}

  Result<std::shared_ptr<const TableStatistics>> Get(const Table& table);
  // Counts now. Stores what it found unless the table's statistics are transient.
  Status Analyze(const Table& table, const SchemaChangeOptions& how);

  // A row's newest version has become another: live or not, before and after.
  void NoteChange(const Table& table, bool was_live, bool is_live) {
    TableChanges& changes = table.state().changes;
    if (was_live != is_live) {
      changes.rows.fetch_add(is_live ? 1 : -1, std::memory_order_relaxed);
    }
    if (changes.changed.fetch_add(1, std::memory_order_relaxed) >=
        changes.due_at.load(std::memory_order_relaxed)) {
      Queue(table);
    }
  }

  // So many new rows.
  void NoteInserted(const Table& table, uint64_t count) {
    TableChanges& changes = table.state().changes;
    changes.rows.fetch_add(static_cast<int64_t>(count), std::memory_order_relaxed);
    if (changes.changed.fetch_add(count, std::memory_order_relaxed) + count >
        changes.due_at.load(std::memory_order_relaxed)) {
      Queue(table);
    }
  }

  void set_defaults(const StatisticsDefaults& defaults);

  // The background: until the engine stops. Wake ends its rest.
  void Run();
  void Wake();

 private:
  struct Settings {
    bool persistent = true;
    bool auto_recalc = true;
    uint64_t sample_pages = 1;
  };
  struct Due {
    TableName name;
    TableId id;
    std::shared_ptr<TableState> state;
    int64_t queued_us = 0;
  };

  Settings SettingsOf(const Table& table) const;
  void Queue(const Table& table);
  // Null when the volume has none of this table as it is now.
  Result<std::shared_ptr<const TableStatistics>> Load(const Table& table);
  Result<std::shared_ptr<const TableStatistics>> Rough(const Table& table);
  Result<std::shared_ptr<TableStatistics>> Count(const Table& table, uint64_t sample_pages);
  Status Store(const Table& table, const TableStatistics& statistics,
               const SchemaChangeOptions& how);
  void Publish(const Table& table, std::shared_ptr<const TableStatistics> statistics,
               int64_t rows_before, uint64_t changed_before);
  Status Recount(const Due& due);
  // The next table whose time has come; false when there is none, *wait_us then says for how long.
  bool TakeDue(Due* due, int64_t* wait_us);

  Core* const core_;
  mutable Mutex mutex_{LockRank::kLeaf};
  ConditionVariable changed_;
  StatisticsDefaults defaults_ GUARDED_BY(mutex_);
  std::deque<Due> queue_ GUARDED_BY(mutex_);
  std::map<TableId, int64_t> counted_at_ GUARDED_BY(mutex_);  // by the background
};

}  // namespace borealis::engine
