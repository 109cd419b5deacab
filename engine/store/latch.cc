#include "engine/store/latch.h"

#include "base/invariant.h"

namespace borealis::engine {

namespace {

constexpr int kSpins = 64;

inline void Pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

#if !defined(NDEBUG) || defined(BOREALIS_SANITIZED)
thread_local int held_latches = 0;

// Before waiting: aborts when a mutex of rank kPage or above is held. The page rank itself is not
// kept, so that row locks may be looked up under a page latch.
void CheckMayWait() {
  internal::NoteAcquire(LockRank::kPage);
  internal::NoteRelease(LockRank::kPage);
}
void NoteLatched() {
  ++held_latches;
}
void NoteUnlatched() {
  --held_latches;
}
#else
inline void CheckMayWait() {}
inline void NoteLatched() {}
inline void NoteUnlatched() {}
#endif

}  // namespace

#if !defined(NDEBUG) || defined(BOREALIS_SANITIZED)
int HeldLatchesForDebug() {
  return held_latches;
}
#else
int HeldLatchesForDebug() {
  return 0;
}
#endif

bool PageLatch::TryShared() {
  int32_t word = word_.load(std::memory_order_relaxed);
  while ((word & (kExclusive | kWriterWaits)) == 0) {
    if (word_.compare_exchange_weak(word, word + 1, std::memory_order_acquire,
                                    std::memory_order_relaxed)) {
      return true;
    }
  }
  return false;
}

bool PageLatch::TryExclusive() {
  int32_t word = word_.load(std::memory_order_relaxed);
  while ((word & (kExclusive | kReaders)) == 0) {
    // Taking it clears the wish; other waiting writers wish again when they wake.
    if (word_.compare_exchange_weak(word, kExclusive, std::memory_order_acquire,
                                    std::memory_order_relaxed)) {
      return true;
    }
  }
  return false;
}

// Sleeps while word_ is `seen`. Either the sleeper counts itself before a waker looks, or its
// comparison sees the waker's change: both sides are sequentially consistent.
void PageLatch::Park(int32_t seen) {
  parked_.fetch_add(1);
  if (word_.load() == seen) {
    word_.wait(seen);
  }
  parked_.fetch_sub(1);
}

void PageLatch::Wake() {
  if (parked_.load() > 0) {
    word_.notify_all();
  }
}

void PageLatch::LockShared() {
  CheckMayWait();
  for (int spin = 0; !TryShared(); ++spin) {
    if (spin < kSpins) {
      Pause();
      continue;
    }
    const int32_t word = word_.load();
    if ((word & (kExclusive | kWriterWaits)) != 0) {
      Park(word);
    }
  }
  NoteLatched();
}

void PageLatch::LockExclusive() {
  CheckMayWait();
  for (int spin = 0; !TryExclusive(); ++spin) {
    int32_t word = word_.load();
    if ((word & (kExclusive | kReaders)) == 0) {
      continue;
    }
    if ((word & kWriterWaits) == 0) {
      word_.compare_exchange_weak(word, word | kWriterWaits);
      continue;
    }
    if (spin < kSpins) {
      Pause();
      continue;
    }
    Park(word);
  }
  NoteLatched();
}

bool PageLatch::TryLockShared() {
  if (!TryShared()) {
    return false;
  }
  NoteLatched();
  return true;
}

bool PageLatch::TryLockExclusive() {
  if (!TryExclusive()) {
    return false;
  }
  NoteLatched();
  return true;
}

void PageLatch::UnlockShared() {
  NoteUnlatched();
  const int32_t before = word_.fetch_sub(1);
  DCHECK((before & kReaders) > 0);
  if ((before & kReaders) == 1) {
    Wake();
  }
}

void PageLatch::UnlockExclusive() {
  NoteUnlatched();
  [[maybe_unused]] const int32_t before = word_.fetch_and(~kExclusive);
  DCHECK((before & kExclusive) != 0);
  Wake();
}

void PageLatch::Downgrade() {
  [[maybe_unused]] const int32_t before = word_.fetch_add(1 - kExclusive);
  DCHECK((before & kExclusive) != 0);
  Wake();
}

}  // namespace borealis::engine
