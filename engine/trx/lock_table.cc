#include "engine/trx/lock_table.h"

#include <algorithm>

#include "base/coding.h"
#include "base/fault.h"
#include "base/invariant.h"

namespace borealis::engine {

namespace {
constexpr int64_t kMarkPollUs = 100'000;
}  // namespace

LockTable::~LockTable() {
  for (Partition& partition : partitions_) {
    MutexLock lock(partition.mutex);
    DCHECK(partition.queues.empty());
  }
}

std::string LockTable::FullKey(IndexId index, std::string_view key) {
  std::string full;
  full.reserve(sizeof(uint64_t) + key.size());
  AppendLittle(&full, index.value());
  full.append(key);
  return full;
}

LockTable::Partition& LockTable::PartitionOf(std::string_view full_key) const {
  // The map takes the low bits of the same hash; these are others.
  return partitions_[(KeyHash()(full_key) >> 40) % kPartitions];
}

LockTable::GapPartition& LockTable::GapPartitionOf(IndexId index) const {
  return gap_partitions_[index.value() % gap_partitions_.size()];
}

void LockTable::NoteHeld(LockOwner* owner, const std::string* full_key) {
  MutexLock lock(owner->held_mutex_);
  owner->held_records_.insert(full_key);
  owner->record_locks.fetch_add(1, std::memory_order_relaxed);
}

void LockTable::ForgetHeld(LockOwner* owner, const std::string* full_key) {
  MutexLock lock(owner->held_mutex_);
  if (owner->held_records_.erase(full_key) > 0) {
    owner->record_locks.fetch_sub(1, std::memory_order_relaxed);
  }
}

// ---------------------------------------------------------------------------------------------
// Records

bool LockTable::IsBlockedBy(const Queue& queue, size_t position, size_t other) {
  const Request& request = queue[position];
  const Request& before = queue[other];
  if (before.owner == request.owner || !Conflicts(before.mode, request.mode)) {
    return false;
  }
  if (before.granted) {
    return true;
  }
  // Those who wait behind the shared lock that is being upgraded would wait for this owner anyway.
  return other < position && !request.upgrade;
}

std::vector<uint64_t> LockTable::BlockersAt(const Queue& queue, size_t position) {
  std::vector<uint64_t> blockers;
  for (size_t i = 0; i < queue.size(); ++i) {
    if (i != position && IsBlockedBy(queue, position, i)) {
      blockers.push_back(queue[i].owner->id);
    }
  }
  return blockers;
}

void LockTable::Advance(Queue* queue) {
  for (size_t i = 0; i < queue->size(); ++i) {
    Request& request = (*queue)[i];
    if (request.granted) {
      continue;
    }
    std::vector<uint64_t> blockers = BlockersAt(*queue, i);
    if (blockers.empty()) {
      request.granted = true;
      graph_->Grant(request.owner);
    } else {
      graph_->Update(request.owner, std::move(blockers));
    }
  }
}

Result<LockOutcome> LockTable::LockRecord(LockOwner* owner, IndexId index, std::string_view key,
                                          LockMode mode, const LockWait& wait) {
  INVARIANT(mode != LockMode::kNone);
  const std::string full_key = FullKey(index, key);
  Partition& partition = PartitionOf(full_key);
  {
    MutexLock lock(partition.mutex);
    auto found = partition.queues.try_emplace(full_key).first;
    Queue& queue = found->second;
    bool upgrade = false;
    for (Request& request : queue) {
      if (request.owner == owner && request.granted) {
        if (request.mode == LockMode::kExclusive || mode == request.mode) {
          return LockOutcome::kHeld;
        }
        upgrade = true;
      }
    }
    queue.push_back({owner, mode, false, upgrade});
    std::vector<uint64_t> blockers = BlockersAt(queue, queue.size() - 1);
    if (blockers.empty()) {
      if (upgrade) {
        queue.pop_back();
        for (Request& request : queue) {
          if (request.owner == owner) {
            request.mode = LockMode::kExclusive;
          }
        }
        Advance(&queue);  // those who waited now wait for more
      } else {
        queue.back().granted = true;
        NoteHeld(owner, &found->first);
      }
      return LockOutcome::kGranted;
    }
    Status refused;
    if (wait.policy == WaitPolicy::kWait) {
      refused = graph_->Register(owner, std::move(blockers));
    } else if (wait.policy == WaitPolicy::kFail) {
      refused = Status::TimedOut("row is locked and NOWAIT is set");
    }
    if (!refused.ok() || wait.policy == WaitPolicy::kSkip) {
      queue.pop_back();
      if (refused.ok()) {
        return LockOutcome::kSkipped;
      }
      return refused;
    }
  }
  Status waited = graph_->Wait(owner, wait.timeout_us);
  return AfterWait(partition, owner, full_key, std::move(waited));
}

Result<LockOutcome> LockTable::AfterWait(Partition& partition, LockOwner* owner,
                                         std::string_view full_key, Status waited) {
  MutexLock lock(partition.mutex);
  graph_->Clear(owner);
  auto found = partition.queues.find(full_key);
  INVARIANT(found != partition.queues.end());
  Queue& queue = found->second;
  auto mine = std::find_if(queue.begin(), queue.end(), [&](const Request& request) {
    return request.owner == owner && (request.upgrade || !request.granted);
  });
  if (mine == queue.end()) {
    // Granted, and not an upgrade: find it.
    mine = std::find_if(queue.begin(), queue.end(),
                        [&](const Request& request) { return request.owner == owner; });
  }
  INVARIANT(mine != queue.end());
  // A timeout or an interrupt that came together with the grant: the lock counts.
  if (mine->granted && !waited.Is(Code::kDeadlock)) {
    if (mine->upgrade) {
      queue.erase(mine);
      for (Request& request : queue) {
        if (request.owner == owner) {
          request.mode = LockMode::kExclusive;
        }
      }
    } else {
      NoteHeld(owner, &found->first);
    }
    return LockOutcome::kWaited;
  }
  queue.erase(mine);
  Advance(&queue);
  if (queue.empty()) {
    partition.queues.erase(found);
  }
  return waited;
}

void LockTable::Remove(Partition& partition, LockOwner* owner, std::string_view full_key,
                       bool only_without_waiters) {
  auto found = partition.queues.find(full_key);
  if (found == partition.queues.end()) {
    return;
  }
  Queue& queue = found->second;
  if (only_without_waiters && queue.size() > 1) {
    return;
  }
  const size_t before = queue.size();
  std::erase_if(queue, [&](const Request& request) { return request.owner == owner; });
  if (queue.size() == before) {
    return;
  }
  ForgetHeld(owner, &found->first);
  Advance(&queue);
  if (queue.empty()) {
    partition.queues.erase(found);
  }
}

void LockTable::UnlockRecord(LockOwner* owner, IndexId index, std::string_view key) {
  const std::string full_key = FullKey(index, key);
  Partition& partition = PartitionOf(full_key);
  MutexLock lock(partition.mutex);
  Remove(partition, owner, full_key, /*only_without_waiters=*/false);
}

void LockTable::DropImplied(LockOwner* owner, IndexId index, std::string_view key) {
  const std::string full_key = FullKey(index, key);
  Partition& partition = PartitionOf(full_key);
  MutexLock lock(partition.mutex);
  Remove(partition, owner, full_key, /*only_without_waiters=*/true);
}

void LockTable::GrantImplicit(LockOwner* owner, IndexId index, std::string_view key) {
  const std::string full_key = FullKey(index, key);
  Partition& partition = PartitionOf(full_key);
  MutexLock lock(partition.mutex);
  auto found = partition.queues.try_emplace(full_key).first;
  Queue& queue = found->second;
  for (Request& request : queue) {
    if (request.owner == owner && request.granted) {
      request.mode = LockMode::kExclusive;
      return;
    }
  }
  queue.insert(queue.begin(), Request{owner, LockMode::kExclusive, true, false});
  NoteHeld(owner, &found->first);
  Advance(&queue);
}

bool LockTable::HoldsRecord(const LockOwner* owner, IndexId index, std::string_view key,
                            LockMode mode) const {
  const std::string full_key = FullKey(index, key);
  Partition& partition = PartitionOf(full_key);
  MutexLock lock(partition.mutex);
  auto found = partition.queues.find(full_key);
  if (found == partition.queues.end()) {
    return false;
  }
  return std::any_of(found->second.begin(), found->second.end(), [&](const Request& request) {
    return request.owner == owner && request.granted &&
           (request.mode == LockMode::kExclusive || mode == request.mode);
  });
}

// ---------------------------------------------------------------------------------------------
// Gaps

bool LockTable::Range::Contains(std::string_view key) const {
  if (lower_inclusive ? key < lower : key <= lower) {
    return false;
  }
  return no_upper || (upper_inclusive ? key <= upper : key < upper);
}

uint64_t LockTable::LockGap(LockOwner* owner, IndexId index, const GapBounds& bounds,
                            uint64_t range_id) {
  GapPartition& partition = GapPartitionOf(index);
  MutexLock lock(partition.mutex);
  Range range;
  range.owner = owner;
  range.lower = bounds.lower;
  range.lower_inclusive = bounds.lower_inclusive;
  range.upper = bounds.upper;
  range.upper_inclusive = bounds.upper_inclusive;
  range.no_upper = bounds.no_upper;
  for (;;) {
    IndexGaps& gaps = partition.indexes[index];
    const bool marked = std::any_of(gaps.marks.begin(), gaps.marks.end(), [&](const Mark& mark) {
      return mark.owner != owner && range.Contains(mark.key);
    });
    if (!marked) {
      break;
    }
    COVER("lock_table.gap_met_mark");
    partition.marks_changed.WaitFor(partition.mutex, kMarkPollUs);
  }
  IndexGaps& gaps = partition.indexes[index];
  auto place = gaps.ranges.end();
  if (range_id != 0) {
    place = std::find_if(gaps.ranges.begin(), gaps.ranges.end(),
                         [&](const Range& other) { return other.id == range_id; });
    INVARIANT(place != gaps.ranges.end() && place->owner == owner);
    range.id = range_id;
    *place = std::move(range);
  } else {
    range.id = next_range_id_.fetch_add(1, std::memory_order_relaxed);
    gaps.ranges.push_back(std::move(range));
    place = gaps.ranges.end() - 1;
    MutexLock held(owner->held_mutex_);
    if (std::find(owner->held_gaps_.begin(), owner->held_gaps_.end(), index.value()) ==
        owner->held_gaps_.end()) {
      owner->held_gaps_.push_back(index.value());
    }
  }
  const uint64_t id = place->id;
  // Those who wait to insert here now wait for this owner too.
  for (const InsertWaiter& waiter : gaps.waiters) {
    if (waiter.owner != owner && place->Contains(waiter.key)) {
      graph_->Update(waiter.owner, GapBlockers(gaps, waiter.owner, waiter.key));
    }
  }
  return id;
}

std::vector<uint64_t> LockTable::GapBlockers(const IndexGaps& gaps, const LockOwner* owner,
                                             std::string_view key) {
  std::vector<uint64_t> blockers;
  for (const Range& range : gaps.ranges) {
    if (range.owner != owner && range.Contains(key)) {
      blockers.push_back(range.owner->id);
    }
  }
  return blockers;
}

Status LockTable::BeginInsert(LockOwner* owner, IndexId index, std::string_view key,
                              size_t unique_size, const LockWait& wait) {
  GapPartition& partition = GapPartitionOf(index);
  for (;;) {
    {
      MutexLock lock(partition.mutex);
      std::vector<uint64_t> blockers;
      for (;;) {
        IndexGaps& gaps = partition.indexes[index];
        blockers = GapBlockers(gaps, owner, key);
        if (!blockers.empty()) {
          break;
        }
        const bool rival = std::any_of(gaps.marks.begin(), gaps.marks.end(), [&](const Mark& mark) {
          return unique_size > 0 && mark.unique_size == unique_size && mark.owner != owner &&
                 std::string_view(mark.key).substr(0, unique_size) == key.substr(0, unique_size);
        });
        if (!rival) {
          gaps.marks.push_back({owner, std::string(key), unique_size});
          return Status::Ok();
        }
        COVER("lock_table.rival_insert");
        partition.marks_changed.WaitFor(partition.mutex, kMarkPollUs);
      }
      if (wait.policy != WaitPolicy::kWait) {
        return Status::TimedOut("gap is locked and NOWAIT is set");
      }
      RETURN_IF_ERROR(graph_->Register(owner, std::move(blockers)));
      partition.indexes[index].waiters.push_back({owner, std::string(key)});
    }
    Status waited = graph_->Wait(owner, wait.timeout_us);
    MutexLock lock(partition.mutex);
    graph_->Clear(owner);
    IndexGaps& gaps = partition.indexes[index];
    std::erase_if(gaps.waiters, [&](const InsertWaiter& waiter) { return waiter.owner == owner; });
    if (!waited.ok()) {
      if (gaps.empty()) {
        partition.indexes.erase(index);
      }
      return waited;
    }
  }
}

void LockTable::EndInsert(LockOwner* owner, IndexId index) {
  GapPartition& partition = GapPartitionOf(index);
  MutexLock lock(partition.mutex);
  IndexGaps& gaps = partition.indexes[index];
  const size_t erased =
      std::erase_if(gaps.marks, [&](const Mark& mark) { return mark.owner == owner; });
  INVARIANT_EQ(erased, size_t{1});
  if (gaps.empty()) {
    partition.indexes.erase(index);
  }
  partition.marks_changed.NotifyAll();
}

void LockTable::AdvanceInserts(IndexGaps* gaps) {
  for (const InsertWaiter& waiter : gaps->waiters) {
    std::vector<uint64_t> blockers = GapBlockers(*gaps, waiter.owner, waiter.key);
    if (blockers.empty()) {
      graph_->Grant(waiter.owner);
    } else {
      graph_->Update(waiter.owner, std::move(blockers));
    }
  }
}

void LockTable::ReleaseAll(LockOwner* owner) {
  std::unordered_set<const std::string*> records;
  std::vector<uint64_t> gap_indexes;
  {
    MutexLock lock(owner->held_mutex_);
    records.swap(owner->held_records_);
    gap_indexes.swap(owner->held_gaps_);
    owner->record_locks.store(0, std::memory_order_relaxed);
  }
  for (const std::string* key : records) {
    Partition& partition = PartitionOf(*key);
    MutexLock lock(partition.mutex);
    Remove(partition, owner, *key, /*only_without_waiters=*/false);
  }
  for (uint64_t id : gap_indexes) {
    const IndexId index(id);
    GapPartition& partition = GapPartitionOf(index);
    MutexLock lock(partition.mutex);
    IndexGaps& gaps = partition.indexes[index];
    std::erase_if(gaps.ranges, [&](const Range& range) { return range.owner == owner; });
    AdvanceInserts(&gaps);
    if (gaps.empty()) {
      partition.indexes.erase(index);
    }
  }
}

std::vector<LockInfo> LockTable::List() const {
  std::vector<LockInfo> list;
  auto make = [&](const LockOwner* owner, IndexId index, std::string_view key, std::string mode,
                  bool granted) {
    LockInfo info;
    info.trx = TrxId(owner->trx_id.load());
    info.session_id = owner->session_id;
    info.owner = owner->id;
    info.index = index;
    info.key = key;
    info.mode = std::move(mode);
    info.granted = granted;
    if (!granted) {
      info.blocking_owners = graph_->BlockersOf(owner);
    }
    list.push_back(std::move(info));
  };
  for (Partition& partition : partitions_) {
    MutexLock lock(partition.mutex);
    for (const auto& [full_key, queue] : partition.queues) {
      const IndexId index(LoadLittle<uint64_t>(full_key.data()));
      for (const Request& request : queue) {
        make(request.owner, index, std::string_view(full_key).substr(sizeof(uint64_t)),
             request.mode == LockMode::kShared ? "S,REC_NOT_GAP" : "X,REC_NOT_GAP",
             request.granted);
      }
    }
  }
  for (GapPartition& partition : gap_partitions_) {
    MutexLock lock(partition.mutex);
    for (const auto& [index, gaps] : partition.indexes) {
      for (const Range& range : gaps.ranges) {
        make(range.owner, index, range.lower, "X,GAP", true);
      }
      for (const InsertWaiter& waiter : gaps.waiters) {
        make(waiter.owner, index, waiter.key, "X,GAP,INSERT_INTENTION", false);
      }
    }
  }
  return list;
}

}  // namespace borealis::engine
