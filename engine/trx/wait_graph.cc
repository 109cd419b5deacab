#include "engine/trx/wait_graph.h"

#include <algorithm>
#include <unordered_set>

#include "base/coding.h"
#include "base/fault.h"
#include "base/invariant.h"

namespace borealis::engine {

namespace {
// How often a waiting thread asks whether its session has been killed.
constexpr int64_t kPollUs = 100'000;
}  // namespace

bool HeldRecords::Insert(const std::string* key) {
  const auto end = first_.begin() + few_;
  if (std::find(first_.begin(), end, key) != end) {
    return false;
  }
  if (few_ == first_.size()) {
    return more_.insert(key).second;
  }
  if (more_.contains(key)) {
    return false;
  }
  first_[few_++] = key;
  return true;
}

bool HeldRecords::Erase(const std::string* key) {
  const auto end = first_.begin() + few_;
  const auto found = std::find(first_.begin(), end, key);
  if (found == end) {
    return more_.erase(key) > 0;
  }
  *found = first_[--few_];
  return true;
}

void LockOwner::Interrupt() {
  interrupted.store(true);
  MutexLock lock(wait_mutex_);
  wait_changed_.NotifyAll();
}

void WaitGraph::SetBlockers(Waiting* waiting, std::vector<uint64_t> blockers) {
  for (uint64_t id : blockers) {
    ++waited_for_[id];
  }
  for (uint64_t id : waiting->blockers) {
    const auto found = waited_for_.find(id);
    if (--found->second == 0) {
      waited_for_.erase(found);
    }
  }
  waiting->blockers = std::move(blockers);
}

void WaitGraph::Erase(LockOwner* owner) {
  if (const auto found = waiting_.find(owner->id); found != waiting_.end()) {
    SetBlockers(&found->second, {});
    waiting_.erase(found);
  }
}

size_t LockOwner::CountLockSets() {
  MutexLock lock(held_mutex_);
  std::unordered_set<uint64_t> indexes = held_gaps_;
  held_records_.ForEach(
      [&](const std::string& key) { indexes.insert(LoadLittle<uint64_t>(key.data())); });
  return indexes.size() + held_gaps_alone_.size();
}

Status WaitGraph::Register(LockOwner* owner, std::vector<uint64_t> blockers, WaitedLock lock) {
  std::string statement = owner->statement ? owner->statement() : std::string();
  MutexLock guard(mutex_);
  INVARIANT(!waiting_.contains(owner->id));  // INV-LCK-1
  {
    MutexLock wait(owner->wait_mutex_);
    owner->granted_ = false;
    owner->victim_ = false;
  }
  Waiting& waiting = waiting_[owner->id];
  waiting.owner = owner;
  waiting.lock = std::move(lock);
  waiting.statement = std::move(statement);
  SetBlockers(&waiting, std::move(blockers));
  if (detect_ && !BreakCircles(owner)) {
    Erase(owner);
    counters_.deadlocks.fetch_add(1, std::memory_order_relaxed);
    return Status::Deadlock("deadlock found when trying to get lock");
  }
  owner->wait_started_wall_us.store(clock_->WallUs(), std::memory_order_relaxed);
  owner->waiting.store(true);
  return Status::Ok();
}

void WaitGraph::Update(LockOwner* owner, std::vector<uint64_t> blockers) {
  MutexLock lock(mutex_);
  auto found = waiting_.find(owner->id);
  if (found == waiting_.end()) {
    return;
  }
  SetBlockers(&found->second, std::move(blockers));
  if (detect_ && !BreakCircles(owner)) {
    counters_.deadlocks.fetch_add(1, std::memory_order_relaxed);
    MarkVictim(owner);
  }
}

void WaitGraph::Clear(LockOwner* owner) {
  MutexLock lock(mutex_);
  Erase(owner);
  owner->waiting.store(false);
}

void WaitGraph::Grant(LockOwner* owner) {
  MutexLock lock(mutex_);
  Erase(owner);
  owner->waiting.store(false);
  MutexLock wait(owner->wait_mutex_);
  owner->granted_ = true;
  owner->wait_changed_.NotifyAll();
}

void WaitGraph::MarkVictim(LockOwner* owner) {
  // Its edges go at once, so that the circle is found broken by whoever looks next.
  SetBlockers(&waiting_[owner->id], {});
  MutexLock wait(owner->wait_mutex_);
  owner->victim_ = true;
  owner->wait_changed_.NotifyAll();
}

void WaitGraph::Join(uint64_t owner_id, uint64_t party) {
  MutexLock lock(mutex_);
  party_of_[owner_id] = party;
  members_[party].insert(owner_id);
}

void WaitGraph::Leave(uint64_t owner_id) {
  MutexLock lock(mutex_);
  const auto found = party_of_.find(owner_id);
  if (found == party_of_.end()) {
    return;
  }
  const auto members = members_.find(found->second);
  members->second.erase(owner_id);
  if (members->second.empty()) {
    members_.erase(members);
  }
  party_of_.erase(found);
}

uint64_t WaitGraph::WaiterFor(uint64_t owner_id) const {
  const auto party = party_of_.find(owner_id);
  if (party != party_of_.end()) {
    for (const uint64_t member : members_.at(party->second)) {
      if (waiting_.contains(member)) {
        return member;
      }
    }
  }
  return owner_id;
}

bool WaitGraph::FindCircle(uint64_t start, std::vector<uint64_t>* path) {
  if (!waited_for_.contains(start) && !party_of_.contains(start)) {
    return false;
  }
  // Depth first, without recursion: each frame is an owner and its next blocker to look at.
  struct Step {
    uint64_t id;
    size_t next;
  };
  std::vector<Step> steps = {{start, 0}};
  std::unordered_set<uint64_t> seen = {start};
  while (!steps.empty()) {
    Step& top = steps.back();
    auto found = waiting_.find(top.id);
    if (found == waiting_.end() || top.next == found->second.blockers.size()) {
      steps.pop_back();
      continue;
    }
    const uint64_t blocker = WaiterFor(found->second.blockers[top.next++]);
    if (blocker == start) {
      path->clear();
      for (const Step& step : steps) {
        path->push_back(step.id);
      }
      return true;
    }
    if (seen.insert(blocker).second) {
      steps.push_back({blocker, 0});
    }
  }
  return false;
}

uint64_t WaitGraph::CostOfUndoing(LockOwner* owner) {
  // As InnoDB weighs: changes, and sets of locks (there per page, here per index).
  return owner->weight.load() + owner->CountLockSets();
}

void WaitGraph::Note(const std::vector<uint64_t>& path, const LockOwner* victim) {
  DeadlockInfo info;
  info.wall_us = clock_->WallUs();
  for (size_t i = 0; i < path.size(); ++i) {
    // The one that closed the circle comes last.
    const Waiting& waiting = waiting_[path[(i + 1) % path.size()]];
    LockOwner& owner = *waiting.owner;
    info.members.push_back({TrxId(owner.trx_id.load()), owner.id, owner.session_id,
                            owner.started_wall_us, owner.weight.load(), owner.record_locks.load(),
                            owner.CountLockSets(), waiting.statement, waiting.lock});
    if (waiting.owner == victim) {
      info.victim = i;
    }
  }
  latest_ = std::move(info);
}

std::optional<DeadlockInfo> WaitGraph::LatestDeadlock() const {
  MutexLock lock(mutex_);
  return latest_;
}

bool WaitGraph::BreakCircles(LockOwner* start) {
  std::vector<uint64_t> path;
  while (FindCircle(start->id, &path)) {
    COVER("wait_graph.circle");
    // On a tie the one that closed the circle goes, as in InnoDB.
    LockOwner* victim = start;
    for (uint64_t id : path) {
      LockOwner* member = waiting_[id].owner;
      if (CostOfUndoing(member) < CostOfUndoing(victim)) {
        victim = member;
      }
    }
    Note(path, victim);
    if (victim == start) {
      return false;
    }
    counters_.deadlocks.fetch_add(1, std::memory_order_relaxed);
    MarkVictim(victim);
  }
  return true;
}

Status WaitGraph::Wait(LockOwner* owner, int64_t timeout_us) {
  const int64_t started = clock_->NowUs();
  counters_.waits.fetch_add(1, std::memory_order_relaxed);
  counters_.current.fetch_add(1, std::memory_order_relaxed);
  Status outcome;
  for (;;) {
    const int64_t left = started + timeout_us - clock_->NowUs();
    {
      MutexLock lock(owner->wait_mutex_);
      if (!owner->granted_ && !owner->victim_ && !owner->interrupted.load() && !stopped_.load() &&
          left > 0) {
        owner->wait_changed_.WaitFor(owner->wait_mutex_, std::min(left, kPollUs));
      }
      if (owner->victim_) {
        outcome = Status::Deadlock("deadlock found when trying to get lock");
        break;
      }
      if (owner->granted_) {
        break;
      }
    }
    if (stopped_.load() || owner->interrupted.load() || (owner->killed && owner->killed())) {
      outcome = Status::Cancelled("lock wait interrupted");
      break;
    }
    if (left <= 0) {
      counters_.timeouts.fetch_add(1, std::memory_order_relaxed);
      outcome = Status::TimedOut("lock wait timeout exceeded");
      break;
    }
  }
  const auto waited = static_cast<uint64_t>(std::max<int64_t>(0, clock_->NowUs() - started));
  counters_.current.fetch_sub(1, std::memory_order_relaxed);
  counters_.time_us.fetch_add(waited, std::memory_order_relaxed);
  uint64_t most = counters_.time_max_us.load(std::memory_order_relaxed);
  while (waited > most && !counters_.time_max_us.compare_exchange_weak(most, waited)) {
  }
  return outcome;
}

void WaitGraph::Stop() {
  stopped_.store(true);
  MutexLock lock(mutex_);
  for (auto& [id, entry] : waiting_) {
    MutexLock wait(entry.owner->wait_mutex_);
    entry.owner->wait_changed_.NotifyAll();
  }
}

}  // namespace borealis::engine
