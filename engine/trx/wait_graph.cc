#include "engine/trx/wait_graph.h"

#include <algorithm>
#include <unordered_set>

#include "base/fault.h"
#include "base/invariant.h"

namespace borealis::engine {

namespace {
// How often a waiting thread asks whether its session has been killed.
constexpr int64_t kPollUs = 100'000;
}  // namespace

void LockOwner::Interrupt() {
  interrupted.store(true);
  MutexLock lock(wait_mutex_);
  wait_changed_.NotifyAll();
}

Status WaitGraph::Register(LockOwner* owner, std::vector<uint64_t> blockers) {
  MutexLock lock(mutex_);
  INVARIANT(!waiting_.contains(owner->id));  // INV-LCK-1
  {
    MutexLock wait(owner->wait_mutex_);
    owner->granted_ = false;
    owner->victim_ = false;
  }
  waiting_[owner->id] = {owner, std::move(blockers)};
  if (detect_ && !BreakCircles(owner)) {
    waiting_.erase(owner->id);
    counters_.deadlocks.fetch_add(1, std::memory_order_relaxed);
    return Status::Deadlock("deadlock found when trying to get lock");
  }
  owner->waiting.store(true);
  return Status::Ok();
}

void WaitGraph::Update(LockOwner* owner, std::vector<uint64_t> blockers) {
  MutexLock lock(mutex_);
  auto found = waiting_.find(owner->id);
  if (found == waiting_.end()) {
    return;
  }
  found->second.blockers = std::move(blockers);
  if (detect_ && !BreakCircles(owner)) {
    counters_.deadlocks.fetch_add(1, std::memory_order_relaxed);
    MarkVictim(owner);
  }
}

void WaitGraph::Clear(LockOwner* owner) {
  MutexLock lock(mutex_);
  waiting_.erase(owner->id);
  owner->waiting.store(false);
}

void WaitGraph::Grant(LockOwner* owner) {
  MutexLock lock(mutex_);
  waiting_.erase(owner->id);
  owner->waiting.store(false);
  MutexLock wait(owner->wait_mutex_);
  owner->granted_ = true;
  owner->wait_changed_.NotifyAll();
}

void WaitGraph::MarkVictim(LockOwner* owner) {
  // Its edges go at once, so that the circle is found broken by whoever looks next.
  waiting_[owner->id].blockers.clear();
  MutexLock wait(owner->wait_mutex_);
  owner->victim_ = true;
  owner->wait_changed_.NotifyAll();
}

bool WaitGraph::FindCircle(uint64_t start, std::vector<uint64_t>* path) {
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
    const uint64_t blocker = found->second.blockers[top.next++];
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

bool WaitGraph::BreakCircles(LockOwner* start) {
  std::vector<uint64_t> path;
  while (FindCircle(start->id, &path)) {
    COVER("wait_graph.circle");
    // On a tie the one that closed the circle goes, as in InnoDB.
    LockOwner* victim = start;
    for (uint64_t id : path) {
      LockOwner* member = waiting_[id].owner;
      if (member->weight.load() < victim->weight.load()) {
        victim = member;
      }
    }
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

std::vector<uint64_t> WaitGraph::BlockersOf(const LockOwner* owner) const {
  MutexLock lock(mutex_);
  auto found = waiting_.find(owner->id);
  return found == waiting_.end() ? std::vector<uint64_t>{} : found->second.blockers;
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
