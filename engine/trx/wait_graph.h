// Who waits for whom, over all kinds of locks, and the choice of a victim when a circle closes.
//
// A waiting owner is registered with the owners that block it; owners that are not registered run.
// A registration that closes a circle is answered at once by choosing the member with the fewest
// changes and locks; the lock that the victim waits for is then given up by its own thread. The
// graph is kept exact: whoever changes a queue updates or clears the registrations of those that
// wait in it, under that queue's mutex, so there are no false deadlocks.
//
// A circle goes through somebody who is waited for: an owner that nobody waits for, as those are
// that queue up for one hot row, is registered without a search.
// Thread-safe.
//
// INV-LCK-1  An owner waits for at most one lock at a time.
// INV-LCK-2  No circle of registered owners lasts: each registration or update breaks those it
// closes.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "base/os/time.h"
#include "base/status.h"
#include "engine/statistics.h"

namespace borealis::engine {

// The record locks of one owner: most have few, which take no memory of their own. The strings are
// the lock table's and live as long as the lock.
class HeldRecords {
 public:
  // False when it is there already.
  bool Insert(const std::string* key);
  // False when it is not there.
  bool Erase(const std::string* key);
  template <class Visit>
  void ForEach(Visit visit) const {
    for (size_t i = 0; i < few_; ++i) {
      visit(*first_[i]);
    }
    for (const std::string* key : more_) {
      visit(*key);
    }
  }
  // Returns what there is and has none left.
  HeldRecords Take() { return std::exchange(*this, HeldRecords()); }

 private:
  size_t few_ = 0;
  std::array<const std::string*, 8> first_{};
  std::unordered_set<const std::string*> more_;
};

// Somebody who takes locks: a transaction, or a schema change. Waits happen on its own thread.
// Must have released everything before it is destroyed.
class LockOwner {
 public:
  LockOwner(uint64_t owner_id, uint64_t session, std::function<bool()> is_killed)
      : id(owner_id), session_id(session), killed(std::move(is_killed)) {}

  const uint64_t id;  // unique in the life of the engine, never 0
  const uint64_t session_id;
  const std::function<bool()> killed;
  // For reports of deadlocks; set before the owner is used, if at all.
  std::function<std::string()> statement;
  int64_t started_wall_us = 0;
  // Rows changed: the more, the less likely a victim. kSpared: none while there is another to pick.
  static constexpr uint64_t kSpared = uint64_t{1} << 62;
  std::atomic<uint64_t> weight{0};
  std::atomic<uint64_t> trx_id{0};
  std::atomic<bool> interrupted{false};
  std::atomic<bool> waiting{false};
  std::atomic<int64_t> wait_started_wall_us{0};
  std::atomic<uint64_t> record_locks{0};
  // Up to where the log has to be durable for a view to see all that earlier owners of what this
  // one has locked did and saw.
  std::atomic<uint64_t> met_lsn{0};

  // Wakes a wait.
  void Interrupt();
  // As InnoDB counts lock structs, which it has per page and mode: an index in which there are
  // locks of records or up to records is one, and one more with locks of gaps alone.
  size_t CountLockSets();

 private:
  friend class WaitGraph;
  friend class LockTable;
  Mutex wait_mutex_{LockRank::kLeaf};
  ConditionVariable wait_changed_;
  bool granted_ GUARDED_BY(wait_mutex_) = false;
  bool victim_ GUARDED_BY(wait_mutex_) = false;
  // What the owner holds; other threads add to it when they make an implicit lock explicit.
  Mutex held_mutex_{LockRank::kLeaf};
  HeldRecords held_records_ GUARDED_BY(held_mutex_);
  std::unordered_set<uint64_t> held_gaps_ GUARDED_BY(held_mutex_);        // index ids
  std::unordered_set<uint64_t> held_gaps_alone_ GUARDED_BY(held_mutex_);  // of these
};

struct WaitCounters {
  std::atomic<uint64_t> waits{0};
  std::atomic<uint64_t> current{0};
  std::atomic<uint64_t> time_us{0};
  std::atomic<uint64_t> time_max_us{0};
  std::atomic<uint64_t> deadlocks{0};
  std::atomic<uint64_t> timeouts{0};
};

class WaitGraph {
 public:
  WaitGraph(const Clock* clock, bool detect) : clock_(clock), detect_(detect) {}

  // `owner` is about to wait for `blockers`, which keep it from `lock`. kDeadlock: it is itself the
  // victim and is not registered.
  Status Register(LockOwner* owner, std::vector<uint64_t> blockers, WaitedLock lock);
  // The blockers of a registered owner have changed; no effect when it is not registered.
  void Update(LockOwner* owner, std::vector<uint64_t> blockers);
  void Clear(LockOwner* owner);
  // Clears the registration and ends the wait.
  void Grant(LockOwner* owner);

  // Owners of one party are one session's, of which one waits at a time: who waits for any of them
  // waits for what the party waits for. A party is known by any number but 0.
  void Join(uint64_t owner_id, uint64_t party);
  void Leave(uint64_t owner_id);

  // Blocks until granted (Ok), chosen as victim (kDeadlock), killed or interrupted (kCancelled), or
  // for `timeout_us` (kTimedOut). The owner stays registered after a failure. REQUIRES: registered;
  // no mutex or latch held.
  Status Wait(LockOwner* owner, int64_t timeout_us);

  std::optional<DeadlockInfo> LatestDeadlock() const;
  // Every wait from now on fails with kCancelled.
  void Stop();
  const WaitCounters& counters() const { return counters_; }

 private:
  struct Waiting {
    LockOwner* owner = nullptr;
    std::vector<uint64_t> blockers;
    WaitedLock lock;
    std::string statement;
  };

  // The member of the owner's party that waits; the owner itself when there is none.
  uint64_t WaiterFor(uint64_t owner_id) const REQUIRES(mutex_);
  void SetBlockers(Waiting* waiting, std::vector<uint64_t> blockers) REQUIRES(mutex_);
  void Erase(LockOwner* owner) REQUIRES(mutex_);
  static uint64_t CostOfUndoing(LockOwner* owner);
  // Who waits for whom in the circle, for SHOW ENGINE INNODB STATUS.
  void Note(const std::vector<uint64_t>& path, const LockOwner* victim) REQUIRES(mutex_);
  // Breaks the circles through `start`; false when `start` is chosen itself.
  bool BreakCircles(LockOwner* start) REQUIRES(mutex_);
  bool FindCircle(uint64_t start, std::vector<uint64_t>* path) REQUIRES(mutex_);
  void MarkVictim(LockOwner* owner) REQUIRES(mutex_);

  const Clock* const clock_;
  const bool detect_;
  std::atomic<bool> stopped_{false};
  WaitCounters counters_;
  mutable Mutex mutex_{LockRank::kWaitGraph};
  std::unordered_map<uint64_t, Waiting> waiting_ GUARDED_BY(mutex_);
  // How many registered owners wait for this one; no entry: none.
  std::unordered_map<uint64_t, uint32_t> waited_for_ GUARDED_BY(mutex_);
  std::unordered_map<uint64_t, uint64_t> party_of_ GUARDED_BY(mutex_);
  std::unordered_map<uint64_t, std::unordered_set<uint64_t>> members_ GUARDED_BY(mutex_);
  std::optional<DeadlockInfo> latest_ GUARDED_BY(mutex_);
};

}  // namespace borealis::engine
