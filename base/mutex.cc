#include "base/mutex.h"

#include <chrono>
#include <vector>

#include "base/invariant.h"

namespace borealis {

namespace internal {
#if !defined(NDEBUG) || defined(BOREALIS_SANITIZED)
namespace {
thread_local std::vector<LockRank> held_ranks;
}

void NoteAcquire(LockRank rank) {
  if (!held_ranks.empty()) {
    INVARIANT_LT(static_cast<int>(held_ranks.back()), static_cast<int>(rank));
  }
  held_ranks.push_back(rank);
}

void NoteRelease(LockRank rank) {
  for (size_t i = held_ranks.size(); i > 0; --i) {
    if (held_ranks[i - 1] == rank) {
      held_ranks.erase(held_ranks.begin() + static_cast<std::ptrdiff_t>(i - 1));
      return;
    }
  }
  INVARIANT(false && "released a mutex that was not held");
}
#endif
}  // namespace internal

void ConditionVariable::Wait(Mutex& mutex) {
  std::unique_lock<std::mutex> lock(mutex.mutex_, std::adopt_lock);
  condition_.wait(lock);
  lock.release();
}

bool ConditionVariable::WaitFor(Mutex& mutex, int64_t timeout_us) {
  std::unique_lock<std::mutex> lock(mutex.mutex_, std::adopt_lock);
  const bool notified = condition_.wait_for(lock, std::chrono::microseconds(timeout_us)) ==
                        std::cv_status::no_timeout;
  lock.release();
  return notified;
}

}  // namespace borealis
