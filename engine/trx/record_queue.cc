#include "engine/trx/record_queue.h"

#include <algorithm>

namespace borealis::engine {

const RecordQueue::Holder* RecordQueue::FindHolder(const LockOwner* owner) const {
  const auto found = std::find_if(holders_.begin(), holders_.end(),
                                  [&](const Holder& holder) { return holder.owner == owner; });
  return found == holders_.end() ? nullptr : &*found;
}

RecordQueue::Holder* RecordQueue::MutableHolder(const LockOwner* owner) {
  return const_cast<Holder*>(FindHolder(owner));
}

bool RecordQueue::IsHeldAlone(const LockOwner* owner) const {
  return holders_.size() == 1 && holders_[0].owner == owner && waiters_.empty();
}

bool RecordQueue::IsContested(const LockOwner* owner) const {
  const Holder* own = FindHolder(owner);
  if (own != nullptr && own->mode == LockMode::kExclusive) {
    return false;
  }
  return !waiters_.empty() || holders_.size() > (own != nullptr ? 1 : 0);
}

std::vector<uint64_t> RecordQueue::Blockers(const LockOwner* owner, LockMode mode, bool upgrade,
                                            std::list<Waiter>::const_iterator place) const {
  std::vector<uint64_t> blockers;
  if (!upgrade) {
    while (place != waiters_.begin()) {
      const Waiter& before = *--place;
      if (Conflict(before.mode, mode)) {
        return {before.owner->id};  // it waits for all others that are in the way
      }
    }
  }
  for (const Holder& holder : holders_) {
    if (BlockedByHolder(holder, owner, mode)) {
      blockers.push_back(holder.owner->id);
    }
  }
  return blockers;
}

std::vector<uint64_t> RecordQueue::AllBlockersOf(const Waiter& waiter) const {
  std::vector<uint64_t> blockers;
  for (const Holder& holder : holders_) {
    if (BlockedByHolder(holder, waiter.owner, waiter.mode)) {
      blockers.push_back(holder.owner->id);
    }
  }
  for (const Waiter& before : waiters_) {
    if (&before == &waiter || waiter.upgrade) {
      break;
    }
    if (Conflict(before.mode, waiter.mode)) {
      blockers.push_back(before.owner->id);
    }
  }
  return blockers;
}

void RecordQueue::Advance(std::list<Waiter>::iterator place, WaitGraph* graph) {
  while (place != waiters_.end()) {
    std::vector<uint64_t> blockers = Blockers(place->owner, place->mode, place->upgrade, place);
    if (blockers.empty()) {
      if (place->upgrade) {
        MutableHolder(place->owner)->mode = place->mode;
      } else {
        holders_.push_back({place->owner, place->mode});
      }
      graph->Grant(place->owner);
      place = waiters_.erase(place);
      continue;
    }
    if (blockers != place->blockers) {
      place->blockers = blockers;
      graph->Update(place->owner, std::move(blockers));
    }
    if (place->mode == LockMode::kExclusive && !place->upgrade) {
      return;  // those behind it wait for it, and still do
    }
    ++place;
  }
}

RecordQueue::Answer RecordQueue::Ask(LockOwner* owner, LockMode mode, WaitGraph* graph,
                                     std::vector<uint64_t>* blockers) {
  Holder* own = MutableHolder(owner);
  if (own != nullptr && (own->mode == LockMode::kExclusive || own->mode == mode)) {
    return Answer::kHeld;
  }
  *blockers = Blockers(owner, mode, own != nullptr, waiters_.end());
  if (!blockers->empty()) {
    return Answer::kBlocked;
  }
  if (own == nullptr) {
    holders_.push_back({owner, mode});
    return Answer::kGranted;
  }
  own->mode = LockMode::kExclusive;
  Advance(waiters_.begin(), graph);  // those who waited now wait for more
  return Answer::kUpgraded;
}

void RecordQueue::Wait(LockOwner* owner, LockMode mode, std::vector<uint64_t> blockers) {
  const bool upgrade = FindHolder(owner) != nullptr;
  auto place = waiters_.end();
  if (upgrade) {
    mode = LockMode::kExclusive;
    place = std::find_if(waiters_.begin(), waiters_.end(),
                         [](const Waiter& waiter) { return !waiter.upgrade; });
  }
  waiters_.insert(place, Waiter{owner, mode, upgrade, std::move(blockers)});
}

bool RecordQueue::EndWait(LockOwner* owner, WaitGraph* graph) {
  const auto mine = std::find_if(waiters_.begin(), waiters_.end(),
                                 [&](const Waiter& waiter) { return waiter.owner == owner; });
  if (mine == waiters_.end()) {
    return true;
  }
  Advance(waiters_.erase(mine), graph);
  return false;
}

bool RecordQueue::GrantImplicit(LockOwner* owner, WaitGraph* graph) {
  Holder* own = MutableHolder(owner);
  if (own != nullptr && own->mode == LockMode::kExclusive) {
    return false;
  }
  if (own != nullptr) {
    own->mode = LockMode::kExclusive;
  } else {
    holders_.push_back({owner, LockMode::kExclusive});
  }
  Advance(waiters_.begin(), graph);
  return own == nullptr;
}

void RecordQueue::Downgrade(LockOwner* owner, WaitGraph* graph) {
  if (Holder* own = MutableHolder(owner); own != nullptr) {
    own->mode = LockMode::kShared;
    Advance(waiters_.begin(), graph);
  }
}

bool RecordQueue::Release(LockOwner* owner, WaitGraph* graph) {
  const size_t had =
      std::erase_if(holders_, [&](const Holder& holder) { return holder.owner == owner; });
  if (had > 0) {
    Advance(waiters_.begin(), graph);
  }
  return had > 0;
}

}  // namespace borealis::engine
