// The requests for one lock: who has it, and who waits, in what order.
//
// First come, first served; an upgrade goes ahead of those that wait for its owner anyway. Who
// blocks a waiter is kept short: the nearest request before it that conflicts stands for all before
// that one, because it waits for them itself. So a queue of n waiters has about n edges in the wait
// graph, every circle that goes through it with all edges does so with these (INV-LCK-2), and
// a release looks at those in front only.
// Guarded by its partition's mutex.
//
// INV-LCK-5  A waiter that is not blocked is granted by the change that unblocked it.
#pragma once

#include <cstdint>
#include <list>
#include <vector>

#include "engine/cursor.h"
#include "engine/trx/wait_graph.h"

namespace borealis::engine {

class RecordQueue {
 public:
  struct Holder {
    LockOwner* owner = nullptr;
    LockMode mode = LockMode::kShared;
  };
  struct Waiter {
    LockOwner* owner = nullptr;
    LockMode mode = LockMode::kShared;
    bool upgrade = false;              // the owner holds a weaker lock already
    std::vector<uint64_t> blockers{};  // as the wait graph has them
  };
  enum class Answer : uint8_t { kHeld, kGranted, kUpgraded, kBlocked };

  bool empty() const { return holders_.empty() && waiters_.empty(); }
  // Whether it has no more memory than most queues need.
  bool is_small() const { return holders_.capacity() <= 4; }
  const std::vector<Holder>& holders() const { return holders_; }
  const std::list<Waiter>& waiters() const { return waiters_; }
  const Holder* FindHolder(const LockOwner* owner) const;
  bool IsHeldAlone(const LockOwner* owner) const;
  // Whether another owner has it or waits for it, and this one does not have it exclusively.
  bool IsContested(const LockOwner* owner) const;

  // Grants the lock if nobody is in the way; otherwise changes nothing and fills *blockers.
  Answer Ask(LockOwner* owner, LockMode mode, WaitGraph* graph, std::vector<uint64_t>* blockers);
  // After kBlocked.
  void Wait(LockOwner* owner, LockMode mode, std::vector<uint64_t> blockers);
  // The owner does not wait any more; true when it had been granted meanwhile.
  bool EndWait(LockOwner* owner, WaitGraph* graph);
  // The owner has it exclusively, whoever else has it. True when it did not have it at all.
  bool GrantImplicit(LockOwner* owner, WaitGraph* graph);
  // What the owner has becomes a shared lock.
  void Downgrade(LockOwner* owner, WaitGraph* graph);
  // True when the owner had it.
  bool Release(LockOwner* owner, WaitGraph* graph);

  // All owners that block a waiter, for lists.
  std::vector<uint64_t> AllBlockersOf(const Waiter& waiter) const;

 private:
  static bool Conflict(LockMode a, LockMode b) { return a == LockMode::kExclusive || a != b; }
  bool BlockedByHolder(const Holder& holder, const LockOwner* owner, LockMode mode) const {
    return holder.owner != owner && Conflict(holder.mode, mode);
  }
  Holder* MutableHolder(const LockOwner* owner);
  std::vector<uint64_t> Blockers(const LockOwner* owner, LockMode mode, bool upgrade,
                                 std::list<Waiter>::const_iterator place) const;
  // From `place` on: grants what can be granted and tells the graph about the rest, as far as the
  // change behind it can matter.
  void Advance(std::list<Waiter>::iterator place, WaitGraph* graph);

  std::vector<Holder> holders_;
  std::list<Waiter> waiters_;  // upgrades first
};

}  // namespace borealis::engine
