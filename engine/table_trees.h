// The trees of one published table, and what the engine keeps about a table across DDL.
// Thread-safe.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <string_view>
#include <vector>

#include "base/mutex.h"
#include "engine/definition.h"
#include "engine/statistics.h"
#include "engine/store/btree.h"
#include "engine/store/store.h"

namespace borealis::engine {

class ChangeLog;

class TableTrees {
 public:
  TableTrees(Store* store, const TableDefinition& definition, std::vector<uint64_t> usable_from)
      : usable_from_(std::move(usable_from)) {
    for (const IndexDefinition& index : definition.indexes) {
      trees_.emplace_back(store, index.root);
    }
  }

  const BTree& tree(size_t index_no) const { return trees_[index_no]; }
  BTree& tree(size_t index_no) { return trees_[index_no]; }

  // Read views older than this number find in the tree less than they should see: it was built
  // from newer rows.
  uint64_t usable_from(size_t index_no) const { return usable_from_[index_no]; }
  // The same on a replica, which knows only where in the log the change was.
  Lsn usable_from_lsn() const { return Lsn(usable_from_lsn_.load()); }
  void set_usable_from_lsn(Lsn lsn) { usable_from_lsn_.store(lsn.value()); }

  // For work that holds no metadata lock (purge, estimates): the trees stay while pinned. False
  // once they are being dropped.
  bool Pin() {
    users_.fetch_add(1);
    if (dropped_.load()) {
      users_.fetch_sub(1);
      return false;
    }
    return true;
  }
  void Unpin() { users_.fetch_sub(1); }
  void MarkDropped() { dropped_.store(true); }
  bool in_use() const { return users_.load() != 0; }

 private:
  std::deque<BTree> trees_;
  const std::vector<uint64_t> usable_from_;
  std::atomic<uint64_t> usable_from_lsn_{0};
  std::atomic<int64_t> users_{0};
  std::atomic<bool> dropped_{false};
};

// Holds a pin while in scope.
class TreePin {
 public:
  explicit TreePin(TableTrees& trees) : trees_(trees), held_(trees.Pin()) {}
  ~TreePin() {
    if (held_) {
      trees_.Unpin();
    }
  }
  TreePin(const TreePin&) = delete;
  TreePin& operator=(const TreePin&) = delete;
  bool held() const { return held_; }

 private:
  TableTrees& trees_;
  const bool held_;
};

// What has happened to a table's rows since its statistics were taken.
struct TableChanges {
  std::atomic<int64_t> rows{0};      // inserted less deleted
  std::atomic<uint64_t> changed{0};  // inserted, updated, deleted
  // With more changes than this the statistics are due again.
  std::atomic<uint64_t> due_at{0};
  std::atomic<bool> queued{false};
};

// Lives as long as the table's id is known to the instance.
struct TableState {
  // Who has changed a row tells it to those who build new trees of the table, if there are any. Set
  // under the table's exclusive metadata lock.
  void NoteChange(TrxId trx, std::string_view clustered_key) {
    if (logs_changes.load(std::memory_order_acquire)) {
      LogChange(trx, clustered_key);
    }
  }
  void SetChangeLog(std::shared_ptr<ChangeLog> log);  // change_log.cc, as LogChange
  void LogChange(TrxId trx, std::string_view clustered_key);

  Mutex mutex{LockRank::kDictionary};  // held while the counter's page is written
  bool auto_increment_loaded GUARDED_BY(mutex) = false;
  uint64_t auto_increment_next GUARDED_BY(mutex) = 1;
  // What the volume says: numbers below are never given after a crash.
  uint64_t auto_increment_bound GUARDED_BY(mutex) = 0;
  std::atomic<bool> logs_changes{false};
  Mutex change_log_mutex{LockRank::kLeaf};
  std::shared_ptr<ChangeLog> change_log GUARDED_BY(change_log_mutex);
  TableChanges changes;  // since the statistics were taken
  Mutex statistics_mutex{LockRank::kLeaf};
  // Null: not looked for yet.
  std::shared_ptr<const TableStatistics> statistics GUARDED_BY(statistics_mutex);
  int64_t statistics_read_us GUARDED_BY(statistics_mutex) = 0;
};

}  // namespace borealis::engine
