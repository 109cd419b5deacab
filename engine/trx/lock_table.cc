#include "engine/trx/lock_table.h"

#include <algorithm>

#include "base/coding.h"
#include "base/fault.h"
#include "base/invariant.h"
#include "engine/memory_use.h"

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

LockTable::FullKey::FullKey(IndexId index, std::string_view key) {
  const size_t size = sizeof(uint64_t) + key.size();
  char* bytes = short_.data();
  if (size > short_.size()) {
    long_.resize(size);
    bytes = long_.data();
  }
  StoreLittle(bytes, index.value());
  std::copy(key.begin(), key.end(), bytes + sizeof(uint64_t));
  bytes_ = {bytes, size};
}

LockTable::Queues::iterator LockTable::QueueOf(Partition& partition, std::string_view full_key) {
  const auto found = FindQueue(partition, full_key);
  if (found != partition.queues.end()) {
    return found;
  }
  partition.key_bytes += full_key.size();
  if (partition.spare.empty()) {
    return partition.queues.try_emplace(std::string(full_key)).first;
  }
  Queues::node_type node = std::move(partition.spare.back());
  partition.spare.pop_back();
  node.key().assign(full_key);
  return partition.queues.insert(std::move(node)).position;
}

void LockTable::RemoveQueue(Partition& partition, Queues::iterator queue) {
  partition.key_bytes -= queue->first.size();
  const bool small = queue->first.capacity() <= 128 && queue->second.is_small();
  if (small && partition.spare.size() < kSpareQueues) {
    partition.spare.push_back(partition.queues.extract(queue));
  } else {
    partition.queues.erase(queue);
  }
}

LockTable::Partition& LockTable::PartitionOf(std::string_view full_key) const {
  // The map takes the low bits of the same hash; these are others.
  return partitions_[(KeyHash()(full_key) >> 40) % kPartitions];
}

LockTable::GapPartition& LockTable::GapPartitionOf(IndexId index) const {
  return gap_partitions_[index.value() % gap_partitions_.size()];
}

LockTable::Ended& LockTable::EndedAt(Partition& partition, std::string_view full_key) {
  return partition.ended[(KeyHash()(full_key) >> 20) % kEndedSlots];
}

Lsn& LockTable::EndedAt(GapPartition& partition, IndexId index) {
  return partition.ended[index.value() / 16 % kEndedSlots];
}

void LockTable::NoteMet(LockOwner* owner, Lsn ended_at) {
  if (ended_at.value() > owner->met_lsn.load(std::memory_order_relaxed)) {
    owner->met_lsn.store(ended_at.value(), std::memory_order_relaxed);
  }
}

void LockTable::NoteHeld(LockOwner* owner, const std::string* full_key) {
  MutexLock lock(owner->held_mutex_);
  if (owner->held_records_.Insert(full_key)) {
    owner->record_locks.fetch_add(1, std::memory_order_relaxed);
  }
}

void LockTable::ForgetHeld(LockOwner* owner, const std::string* full_key) {
  MutexLock lock(owner->held_mutex_);
  if (owner->held_records_.Erase(full_key)) {
    owner->record_locks.fetch_sub(1, std::memory_order_relaxed);
  }
}

// ---------------------------------------------------------------------------------------------
// Records

Result<LockOutcome> LockTable::LockRecord(LockOwner* owner, IndexId index, std::string_view key,
                                          LockMode mode, const LockWait& wait) {
  INVARIANT(mode != LockMode::kNone);
  const FullKey full_key(index, key);
  Partition& partition = PartitionOf(full_key);
  {
    MutexLock lock(partition.mutex);
    auto found = QueueOf(partition, full_key);
    RecordQueue& queue = found->second;
    std::vector<uint64_t> blockers;
    switch (queue.Ask(owner, mode, graph_, &blockers)) {
      case RecordQueue::Answer::kHeld:
        return LockOutcome::kHeld;
      case RecordQueue::Answer::kGranted:
        NoteHeld(owner, &found->first);
        [[fallthrough]];
      case RecordQueue::Answer::kUpgraded:
        NoteMet(owner, EndedAt(partition, full_key), mode);
        return LockOutcome::kGranted;
      case RecordQueue::Answer::kBlocked:
        break;
    }
    if (wait.policy == WaitPolicy::kFail) {
      return Status::TimedOut("row is locked and NOWAIT is set");
    }
    if (wait.policy == WaitPolicy::kSkip) {
      return LockOutcome::kSkipped;
    }
    WaitedLock what{index, std::string(key), mode != LockMode::kShared};
    what.blocker_exclusive =
        queue.holders().empty() || queue.holders().front().mode != LockMode::kShared;
    RETURN_IF_ERROR(graph_->Register(owner, blockers, std::move(what)));
    queue.Wait(owner, mode, std::move(blockers));
  }
  Status waited = graph_->Wait(owner, wait.timeout_us);
  return AfterWait(partition, owner, full_key, std::move(waited));
}

Result<LockOutcome> LockTable::AfterWait(Partition& partition, LockOwner* owner,
                                         std::string_view full_key, Status waited) {
  MutexLock lock(partition.mutex);
  graph_->Clear(owner);
  auto found = FindQueue(partition, full_key);
  INVARIANT(found != partition.queues.end());
  RecordQueue& queue = found->second;
  if (queue.EndWait(owner, graph_)) {
    // A failure that came together with the grant: the lock counts; a victim gives it back with the
    // others.
    NoteHeld(owner, &found->first);
    NoteMet(owner, EndedAt(partition, full_key), queue.FindHolder(owner)->mode);
    return waited.Is(Code::kDeadlock) ? Result<LockOutcome>(std::move(waited))
                                      : Result<LockOutcome>(LockOutcome::kWaited);
  }
  if (queue.empty()) {
    RemoveQueue(partition, found);
  }
  return waited;
}

void LockTable::Remove(Partition& partition, LockOwner* owner, std::string_view full_key,
                       bool only_without_waiters, Lsn ended_at) {
  auto found = FindQueue(partition, full_key);
  if (found == partition.queues.end()) {
    return;
  }
  RecordQueue& queue = found->second;
  if (only_without_waiters && !queue.IsHeldAlone(owner)) {
    return;
  }
  const RecordQueue::Holder* const holder = queue.FindHolder(owner);
  if (holder == nullptr) {
    return;
  }
  Ended& ended = EndedAt(partition, full_key);
  ended.any = std::max(ended.any, ended_at);
  if (holder->mode != LockMode::kShared) {
    ended.not_shared = std::max(ended.not_shared, ended_at);
  }
  queue.Release(owner, graph_);
  if (partition.awaiting > 0) {
    partition.released.NotifyAll();
  }
  ForgetHeld(owner, &found->first);
  if (queue.empty()) {
    RemoveQueue(partition, found);
  }
}

void LockTable::Downgrade(LockOwner* owner, IndexId index, std::string_view key) {
  const FullKey full_key(index, key);
  Partition& partition = PartitionOf(full_key);
  MutexLock lock(partition.mutex);
  if (auto found = FindQueue(partition, full_key); found != partition.queues.end()) {
    found->second.Downgrade(owner, graph_);
  }
}

void LockTable::UnlockRecord(LockOwner* owner, IndexId index, std::string_view key) {
  const FullKey full_key(index, key);
  Partition& partition = PartitionOf(full_key);
  MutexLock lock(partition.mutex);
  Remove(partition, owner, full_key, /*only_without_waiters=*/false);
}

void LockTable::DropImplied(LockOwner* owner, IndexId index, std::string_view key) {
  const FullKey full_key(index, key);
  Partition& partition = PartitionOf(full_key);
  MutexLock lock(partition.mutex);
  Remove(partition, owner, full_key, /*only_without_waiters=*/true);
}

void LockTable::GrantImplicit(LockOwner* owner, IndexId index, std::string_view key) {
  const FullKey full_key(index, key);
  Partition& partition = PartitionOf(full_key);
  MutexLock lock(partition.mutex);
  auto found = QueueOf(partition, full_key);
  if (found->second.GrantImplicit(owner, graph_)) {
    NoteHeld(owner, &found->first);
  }
}

void LockTable::GrantImplicitAlone(LockOwner* owner, IndexId index, std::string_view key) {
  const FullKey full_key(index, key);
  Partition& partition = PartitionOf(full_key);
  MutexLock lock(partition.mutex);
  auto& [held_key, queue] = *QueueOf(partition, full_key);  // stays while the owner is in it
  if (queue.GrantImplicit(owner, graph_)) {
    NoteHeld(owner, &held_key);
  }
  while (queue.holders().size() > 1) {
    COVER("lock_table.others_look");
    ++partition.awaiting;
    partition.released.WaitFor(partition.mutex, kMarkPollUs);
    --partition.awaiting;
  }
}

bool LockTable::IsContested(const LockOwner* owner, IndexId index, std::string_view key) const {
  const FullKey full_key(index, key);
  Partition& partition = PartitionOf(full_key);
  MutexLock lock(partition.mutex);
  auto found = FindQueue(partition, full_key);
  return found != partition.queues.end() && found->second.IsContested(owner);
}

bool LockTable::HoldsRecord(const LockOwner* owner, IndexId index, std::string_view key,
                            LockMode mode) const {
  const FullKey full_key(index, key);
  Partition& partition = PartitionOf(full_key);
  MutexLock lock(partition.mutex);
  auto found = FindQueue(partition, full_key);
  if (found == partition.queues.end()) {
    return false;
  }
  const RecordQueue::Holder* own = found->second.FindHolder(owner);
  return own != nullptr && (own->mode == LockMode::kExclusive || own->mode == mode);
}

// ---------------------------------------------------------------------------------------------
// Gaps

LockTable::IndexGaps& LockTable::GapsOf(GapPartition& partition, IndexId index) {
  const auto found = partition.indexes.find(index);
  if (found != partition.indexes.end()) {
    return found->second;
  }
  if (partition.spare.empty()) {
    return partition.indexes[index];
  }
  GapsByIndex::node_type node = std::move(partition.spare.back());
  partition.spare.pop_back();
  node.key() = index;
  return partition.indexes.insert(std::move(node)).position->second;
}

void LockTable::RemoveGapsIfEmpty(GapPartition& partition, IndexId index) {
  constexpr size_t kSmall = 64;
  const auto found = partition.indexes.find(index);
  IndexGaps& gaps = found->second;
  if (!gaps.empty()) {
    return;
  }
  const bool small = gaps.by_id.bucket_count() <= kSmall && gaps.ids_of.bucket_count() <= kSmall &&
                     gaps.marks.capacity() <= kSmall && gaps.waiters.capacity() <= kSmall;
  if (small && partition.spare.size() < kSpareGaps) {
    partition.spare.push_back(partition.indexes.extract(found));
  } else {
    partition.indexes.erase(found);
  }
}

uint64_t LockTable::LockGap(LockOwner* owner, IndexId index, const GapBounds& bounds,
                            uint64_t range_id) {
  LockedRange range;
  range.owner = owner;
  range.lower = bounds.lower;
  range.lower_inclusive = bounds.lower_inclusive;
  range.upper = bounds.upper;
  range.upper_inclusive = bounds.upper_inclusive;
  range.no_upper = bounds.no_upper;
  range.exclusive = bounds.exclusive;
  range.place = bounds.place;
  GapPartition& partition = GapPartitionOf(index);
  MutexLock lock(partition.mutex);
  for (;;) {
    IndexGaps& gaps = GapsOf(partition, index);
    const bool marked = std::any_of(gaps.marks.begin(), gaps.marks.end(), [&](const Mark& mark) {
      return mark.owner != owner && mark.Touches(range);
    });
    if (!marked) {
      break;
    }
    COVER("lock_table.gap_met_mark");
    partition.marks_changed.WaitFor(partition.mutex, kMarkPollUs);
  }
  IndexGaps& gaps = GapsOf(partition, index);
  const LockedRange* placed = PlaceRange(&gaps, std::move(range), range_id);
  {
    MutexLock held(owner->held_mutex_);
    owner->held_gaps_.insert(index.value());
    if (!bounds.upper_inclusive && !bounds.no_upper && !bounds.place) {
      owner->held_gaps_alone_.insert(index.value());
    }
  }
  // Those who wait to insert here now wait for this owner too.
  for (InsertWaiter& waiter : gaps.waiters) {
    if (waiter.owner != owner && placed->Contains(waiter.key)) {
      UpdateInsert(gaps, &waiter);
    }
  }
  return placed->id;
}

const LockedRange* LockTable::PlaceRange(IndexGaps* gaps, LockedRange range, uint64_t range_id) {
  const LockOwner* owner = range.owner;
  if (range_id == 0) {
    range.id = next_range_id_.fetch_add(1, std::memory_order_relaxed);
    gaps->ids_of[owner].push_back(range.id);
  } else {
    const LockedRange* old = gaps->by_id.at(range_id);
    INVARIANT(old->owner == owner);
    if (old->lower == range.lower && old->lower_inclusive == range.lower_inclusive) {
      gaps->ranges.MoveUpperEnd(old, std::move(range.upper), range.upper_inclusive, range.no_upper);
      return old;
    }
    range.id = range_id;
    gaps->ranges.Erase(old);
  }
  const LockedRange* placed = gaps->ranges.Insert(std::move(range));
  gaps->by_id[placed->id] = placed;
  return placed;
}

std::vector<uint64_t> LockTable::GapBlockers(const IndexGaps& gaps, const LockOwner* owner,
                                             std::string_view key) {
  std::vector<uint64_t> blockers;
  gaps.ranges.VisitContaining(key, [&](const LockedRange& range) {
    if (range.owner != owner) {
      blockers.push_back(range.owner->id);
    }
    return true;
  });
  return blockers;
}

void LockTable::UpdateInsert(const IndexGaps& gaps, InsertWaiter* waiter) {
  std::vector<uint64_t> blockers = GapBlockers(gaps, waiter->owner, waiter->key);
  if (blockers.empty()) {
    graph_->Grant(waiter->owner);
  } else if (blockers != waiter->blockers) {
    waiter->blockers = blockers;
    graph_->Update(waiter->owner, std::move(blockers));
  }
}

bool LockTable::Mark::Excludes(std::string_view other, size_t other_unique_size) const {
  if (unique_size == 0 || other_unique_size == 0) {
    return false;
  }
  if (last != key) {
    return key <= other && other <= last;
  }
  return unique_size == other_unique_size &&
         key.substr(0, unique_size) == other.substr(0, unique_size);
}

Status LockTable::BeginInsert(LockOwner* owner, IndexId index, std::string_view key,
                              size_t unique_size, const LockWait& wait) {
  GapPartition& partition = GapPartitionOf(index);
  for (;;) {
    {
      MutexLock lock(partition.mutex);
      std::vector<uint64_t> blockers;
      for (;;) {
        IndexGaps& gaps = GapsOf(partition, index);
        blockers = GapBlockers(gaps, owner, key);
        if (!blockers.empty()) {
          break;
        }
        const bool rival = std::any_of(gaps.marks.begin(), gaps.marks.end(), [&](const Mark& mark) {
          return mark.owner != owner && mark.Excludes(key, unique_size);
        });
        if (!rival) {
          gaps.marks.push_back({owner, key, unique_size, key});
          NoteMet(owner, EndedAt(partition, index));
          return Status::Ok();
        }
        COVER("lock_table.rival_insert");
        partition.marks_changed.WaitFor(partition.mutex, kMarkPollUs);
      }
      if (wait.policy != WaitPolicy::kWait) {
        return Status::TimedOut("gap is locked and NOWAIT is set");
      }
      const WaitedLock what{index, std::string(key), true, /*insert_intention=*/true};
      RETURN_IF_ERROR(graph_->Register(owner, blockers, what));
      GapsOf(partition, index).waiters.push_back({owner, std::string(key), std::move(blockers)});
    }
    Status waited = graph_->Wait(owner, wait.timeout_us);
    MutexLock lock(partition.mutex);
    graph_->Clear(owner);
    IndexGaps& gaps = GapsOf(partition, index);
    std::erase_if(gaps.waiters, [&](const InsertWaiter& waiter) { return waiter.owner == owner; });
    if (!waited.ok()) {
      RemoveGapsIfEmpty(partition, index);
      return waited;
    }
  }
}

bool LockTable::TryBeginInserts(LockOwner* owner, IndexId index, std::string_view first,
                                std::string_view last, bool unique) {
  GapPartition& partition = GapPartitionOf(index);
  MutexLock lock(partition.mutex);
  IndexGaps& gaps = GapsOf(partition, index);
  const bool rival = std::any_of(gaps.marks.begin(), gaps.marks.end(), [&](const Mark& mark) {
    return unique && mark.owner != owner && mark.unique_size > 0 && mark.key <= last &&
           first <= mark.last;
  });
  if (rival || gaps.HasRangesBesides(owner)) {
    COVER("lock_table.run_is_split");
    RemoveGapsIfEmpty(partition, index);
    return false;
  }
  gaps.marks.push_back({owner, first, unique ? first.size() : 0, last});
  NoteMet(owner, EndedAt(partition, index));
  return true;
}

bool LockTable::OthersLockRanges(const LockOwner* owner, IndexId index) const {
  GapPartition& partition = GapPartitionOf(index);
  MutexLock lock(partition.mutex);
  const auto found = partition.indexes.find(index);
  return found != partition.indexes.end() && found->second.HasRangesBesides(owner);
}

void LockTable::EndInsert(LockOwner* owner, IndexId index) {
  GapPartition& partition = GapPartitionOf(index);
  MutexLock lock(partition.mutex);
  IndexGaps& gaps = GapsOf(partition, index);
  const size_t erased =
      std::erase_if(gaps.marks, [&](const Mark& mark) { return mark.owner == owner; });
  INVARIANT_EQ(erased, size_t{1});
  RemoveGapsIfEmpty(partition, index);
  partition.marks_changed.NotifyAll();
}

void LockTable::ReleaseGaps(LockOwner* owner, IndexId index, Lsn ended_at) {
  GapPartition& partition = GapPartitionOf(index);
  MutexLock lock(partition.mutex);
  Lsn& ended = EndedAt(partition, index);
  ended = std::max(ended, ended_at);
  IndexGaps& gaps = GapsOf(partition, index);
  for (uint64_t id : gaps.ids_of[owner]) {
    const auto found = gaps.by_id.find(id);
    gaps.ranges.Erase(found->second);
    gaps.by_id.erase(found);
  }
  gaps.ids_of.erase(owner);
  for (InsertWaiter& waiter : gaps.waiters) {
    UpdateInsert(gaps, &waiter);
  }
  RemoveGapsIfEmpty(partition, index);
}

void LockTable::ReleaseAll(LockOwner* owner, Lsn ended_at) {
  HeldRecords records;
  std::unordered_set<uint64_t> gap_indexes;
  {
    MutexLock lock(owner->held_mutex_);
    records = owner->held_records_.Take();
    gap_indexes.swap(owner->held_gaps_);
    owner->held_gaps_alone_.clear();
    owner->record_locks.store(0, std::memory_order_relaxed);
  }
  records.ForEach([&](const std::string& key) {
    Partition& partition = PartitionOf(key);
    MutexLock lock(partition.mutex);
    Remove(partition, owner, key, /*only_without_waiters=*/false, ended_at);
  });
  for (uint64_t id : gap_indexes) {
    ReleaseGaps(owner, IndexId(id), ended_at);
  }
}

// ---------------------------------------------------------------------------------------------
// Lists

namespace {

LockInfo MakeInfo(const LockOwner* owner, IndexId index, std::string_view key, std::string mode,
                  bool granted) {
  LockInfo info;
  info.trx = TrxId(owner->trx_id.load());
  info.session_id = owner->session_id;
  info.owner = owner->id;
  info.index = index;
  info.key = key;
  info.mode = std::move(mode);
  info.granted = granted;
  return info;
}

std::string RecordMode(LockMode mode) {
  return mode == LockMode::kShared ? "S,REC_NOT_GAP" : "X,REC_NOT_GAP";
}

}  // namespace

void LockTable::ListRecords(std::vector<LockInfo>* list) const {
  for (Partition& partition : partitions_) {
    MutexLock lock(partition.mutex);
    for (const auto& [full_key, queue] : partition.queues) {
      const IndexId index(LoadLittle<uint64_t>(full_key.data()));
      const auto key = std::string_view(full_key).substr(sizeof(uint64_t));
      for (const RecordQueue::Holder& holder : queue.holders()) {
        list->push_back(MakeInfo(holder.owner, index, key, RecordMode(holder.mode), true));
      }
      for (const RecordQueue::Waiter& waiter : queue.waiters()) {
        list->push_back(MakeInfo(waiter.owner, index, key, RecordMode(waiter.mode), false));
        list->back().blocking_owners = queue.AllBlockersOf(waiter);
      }
    }
  }
}

void LockTable::ListGaps(std::vector<LockInfo>* list) const {
  // A record lock whose owner has locked the space before the record too is a next-key lock.
  std::map<std::pair<uint64_t, std::string>, std::vector<LockInfo*>> records;
  for (LockInfo& info : *list) {
    records[{info.index.value(), info.key}].push_back(&info);
  }
  std::vector<LockInfo> gap_list;
  for (GapPartition& partition : gap_partitions_) {
    MutexLock lock(partition.mutex);
    for (const auto& [index, gaps] : partition.indexes) {
      gaps.ranges.VisitAll([&, id = index](const LockedRange& range) {
        bool listed = false;  // as a part of its last record's lock
        for (auto at = records.lower_bound({id.value(), range.lower});
             at != records.end() && at->first.first == id.value() &&
             !range.EndsBefore(at->first.second);
             ++at) {
          for (LockInfo* info : at->second) {
            const bool spans = info->owner == range.owner->id && !range.StartsAfter(info->key) &&
                               (info->key != range.lower || range.lower.empty());
            if (spans && info->mode.size() > 1) {
              info->mode.resize(1);
            }
            listed |= spans && info->key == range.upper;
          }
        }
        const bool one_key = !range.no_upper && range.lower == range.upper;
        if (range.place || one_key || (listed && !range.no_upper)) {
          return;
        }
        const char* mode = range.exclusive ? "X" : "S";
        gap_list.push_back(MakeInfo(range.owner, id, range.no_upper ? "" : range.upper,
                                    range.no_upper ? mode : std::string(mode) + ",GAP", true));
        gap_list.back().supremum = range.no_upper;
      });
      for (const InsertWaiter& waiter : gaps.waiters) {
        gap_list.push_back(
            MakeInfo(waiter.owner, index, waiter.key, "X,GAP,INSERT_INTENTION", false));
        gap_list.back().blocking_owners = GapBlockers(gaps, waiter.owner, waiter.key);
      }
    }
  }
  list->insert(list->end(), gap_list.begin(), gap_list.end());
}

uint64_t LockTable::memory_bytes() const {
  constexpr uint64_t kQueueBytes =
      sizeof(Queues::value_type) + sizeof(RecordQueue::Holder) + kNodeOverhead;
  constexpr uint64_t kHeldBytes = sizeof(const std::string*) + kNodeOverhead;
  constexpr uint64_t kRangeBytes = sizeof(LockedRange) + 3 * kNodeOverhead;
  uint64_t bytes = sizeof(*this);
  for (const Partition& partition : partitions_) {
    MutexLock lock(partition.mutex);
    bytes += partition.queues.size() * (kQueueBytes + kHeldBytes) + partition.key_bytes +
             partition.spare.size() * kQueueBytes + partition.queues.bucket_count() * sizeof(void*);
  }
  for (const GapPartition& partition : gap_partitions_) {
    MutexLock lock(partition.mutex);
    for (const auto& [index, gaps] : partition.indexes) {
      bytes += sizeof(IndexGaps);
      gaps.ranges.VisitAll([&bytes](const LockedRange& range) {
        bytes += kRangeBytes + range.lower.capacity() + range.upper.capacity();
      });
    }
  }
  return bytes;
}

std::vector<LockInfo> LockTable::List() const {
  std::vector<LockInfo> list;
  ListRecords(&list);
  ListGaps(&list);
  return list;
}

}  // namespace borealis::engine
