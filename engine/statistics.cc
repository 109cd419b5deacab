// Estimates, counters and lists (statistics.h).
#include <algorithm>
#include <map>
#include <tuple>

#include "engine/engine_impl.h"
#include "engine/row/row_version.h"
#include "engine/schema_changer.h"
#include "engine/table_trees.h"
#include "engine/trx/engine_transaction.h"
#include "engine/trx/instance_lock.h"

namespace borealis::engine {

Result<TableEstimate> EngineImpl::EstimateTable(const Table& table) {
  ASSIGN_OR_RETURN(const std::shared_ptr<const TableStatistics> statistics, statistics_.Get(table));
  const int64_t since = table.state().changes.rows.load(std::memory_order_relaxed);
  const auto rows = static_cast<int64_t>(statistics->row_count) + since;
  TableEstimate estimate;
  estimate.row_count = static_cast<uint64_t>(std::max<int64_t>(rows, 0));
  estimate.clustered_bytes = statistics->clustered_pages * kPageSize;
  estimate.secondary_bytes = statistics->secondary_pages * kPageSize;
  return estimate;
}

Result<uint64_t> EngineImpl::EstimateRange(const Table& table, size_t index_no,
                                           std::string_view lower, std::string_view upper) {
  if (index_no >= table.index_count()) {
    return Status::InvalidArgument("no such index");
  }
  TreePin pin(table.trees());
  if (!pin.held()) {
    return uint64_t{0};
  }
  return table.trees().tree(index_no).EstimateRange(lower.empty() ? nullptr : &lower,
                                                    upper.empty() ? nullptr : &upper);
}

EngineCounters EngineImpl::counters() const {
  EngineCounters counters;
  const auto get = [](const std::atomic<uint64_t>& value) {
    return value.load(std::memory_order_relaxed);
  };
  counters.rows_read = get(core_.rows.read);
  counters.rows_inserted = get(core_.rows.inserted);
  counters.rows_updated = get(core_.rows.updated);
  counters.rows_deleted = get(core_.rows.deleted);
  counters.commits = get(core_.rows.commits);
  counters.rollbacks = get(core_.rows.rollbacks);
  counters.purged_records = get(core_.rows.purged);
  const WaitCounters& waits = core_.graph.counters();
  counters.row_lock_waits = get(waits.waits);
  counters.row_lock_current_waits = get(waits.current);
  counters.row_lock_time_us = get(waits.time_us);
  counters.row_lock_time_max_us = get(waits.time_max_us);
  counters.deadlocks = get(waits.deadlocks);
  counters.lock_timeouts = get(waits.timeouts);
  counters.history_length = core_.history->length();
  const BufferPoolCounters pool = store_->pool()->counters();
  counters.buffer_pool_pages_total = std::max(pool.frames, pool.target_frames);
  counters.buffer_pool_pages_used = pool.frames;
  counters.buffer_pool_read_requests = pool.hits + pool.misses;
  counters.buffer_pool_reads = pool.misses;
  counters.buffer_pool_read_ahead = pool.prefetched;
  counters.buffer_pool_read_ahead_evicted = pool.prefetched_unused;
  counters.buffer_pool_wait_free = pool.durability_waits;
  counters.buffer_pool_pages_wanted = pool.target_frames;
  counters.buffer_pool_resized_wall_us = resized_wall_us_.load();
  return counters;
}

namespace {

std::string_view IsolationText(Isolation isolation) {
  switch (isolation) {
    case Isolation::kReadUncommitted:
      return "READ UNCOMMITTED";
    case Isolation::kReadCommitted:
      return "READ COMMITTED";
    case Isolation::kRepeatableRead:
      break;
    case Isolation::kSerializable:
      return "SERIALIZABLE";
  }
  return "REPEATABLE READ";
}

TransactionInfo InfoOf(LockOwner& owner) {
  TransactionInfo info;
  info.id = TrxId(owner.trx_id.load());
  info.owner = owner.id;
  info.session_id = owner.session_id;
  info.state = "RUNNING";
  if (owner.waiting.load()) {
    info.state = "LOCK WAIT";
    info.wait_started_wall_us = owner.wait_started_wall_us.load();
  }
  info.changes = owner.weight.load();
  info.row_locks = owner.record_locks.load();
  info.lock_sets = owner.CountLockSets();
  return info;
}

}  // namespace

std::vector<TransactionInfo> EngineImpl::ListTransactions() const {
  std::vector<TransactionInfo> list;
  core_.begun.Visit([&](const EngineTransaction& transaction) {
    TransactionInfo info = InfoOf(*transaction.owner());
    info.started_wall_us = transaction.started_wall_us();
    info.isolation = IsolationText(transaction.options().isolation);
    info.read_only = transaction.options().read_only;
    info.autocommit = transaction.options().autocommit;
    list.push_back(std::move(info));
  });
  for (const auto& transaction : core_.transactions->ListActive()) {
    if (transaction->recovered || transaction->orphaned) {
      TransactionInfo info = InfoOf(*transaction->owner);
      info.id = transaction->id;
      info.state = "ROLLING BACK";
      info.started_wall_us = transaction->started_wall_us;
      info.isolation = IsolationText(Isolation::kRepeatableRead);
      info.recovered = transaction->recovered;
      info.undone = transaction->undone.load();
      list.push_back(std::move(info));
    }
  }
  // As InnoDB lists them: the youngest first, those without changes last.
  std::sort(list.begin(), list.end(), [](const TransactionInfo& a, const TransactionInfo& b) {
    return std::tie(a.id, a.owner) > std::tie(b.id, b.owner);
  });
  return list;
}

Result<std::string> EngineImpl::PeekRow(const Table& table, std::string_view clustered_key) const {
  TreePin pin(table.trees());
  RowVersion version;
  bool exists = false;
  if (pin.held()) {
    ASSIGN_OR_RETURN(exists, ReadNewest(table, clustered_key, &version));
  }
  if (!exists) {
    return Status::NotFound("row does not exist");
  }
  std::string row;
  RETURN_IF_ERROR(LoadRow(core_, version.view(), &row));
  return row;
}

std::vector<LockInfo> EngineImpl::ListLocks() const {
  return core_.locks.List();
}

namespace {

using Kind = MetadataLockInfo::Kind;

Kind KindOfGate(InstanceGate gate) {
  switch (gate) {
    case InstanceGate::kChanges:
      return Kind::kGlobal;
    case InstanceGate::kCommits:
      return Kind::kCommit;
    case InstanceGate::kDefinitions:
      break;
  }
  return Kind::kBackup;
}

MetadataLockInfo Describe(const LockInfo& lock) {
  const bool shared = lock.mode.starts_with("S");
  MetadataLockInfo info;
  info.granted = lock.granted;
  info.session_id = lock.session_id;
  if (lock.index == kUserLockIndex) {
    info.kind = Kind::kUserLevel;
    info.name = lock.key;
    info.mode = "EXCLUSIVE";
    return info;
  }
  if (lock.index == kInstanceGateIndex) {
    info.kind = KindOfGate(GateOfKey(lock.key));
    info.mode = shared ? "SHARED" : "INTENTION_EXCLUSIVE";
    return info;
  }
  const size_t split = std::min(lock.key.find('\0'), lock.key.size());
  info.schema = lock.key.substr(0, split);
  info.name = split < lock.key.size() ? lock.key.substr(split + 1) : "";
  info.kind = info.name.empty() ? Kind::kSchema : Kind::kTable;
  if (info.name.ends_with('\0')) {  // the table's rows
    info.name.pop_back();
    info.mode = shared ? "SHARED_READ_ONLY" : "SHARED_WRITE";
  } else {
    info.mode = shared ? "SHARED_READ" : "EXCLUSIVE";
  }
  return info;
}

}  // namespace

std::vector<MetadataLockInfo> EngineImpl::ListMetadataLocks() const {
  // A transaction has up to two locks on a table, on its name and on its rows, and an instance lock
  // one on each lane of a gate: one entry, of a table the stronger mode.
  std::map<std::tuple<uint64_t, Kind, std::string, std::string>, MetadataLockInfo> by_object;
  for (const LockInfo& lock : core_.metadata.List()) {
    MetadataLockInfo info = Describe(lock);
    auto [place, first] =
        by_object.try_emplace({lock.owner, info.kind, info.schema, info.name}, info);
    if (!first) {
      place->second.granted = place->second.granted && info.granted;
      if (place->second.mode == "SHARED_READ") {
        place->second.mode = info.mode;
      }
    }
  }
  std::vector<MetadataLockInfo> list;
  for (auto& [object, info] : by_object) {
    list.push_back(std::move(info));
  }
  return list;
}

}  // namespace borealis::engine
