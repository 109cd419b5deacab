// Page latch: a small reader-writer lock that spins a little, then parks.
//
// 8 bytes, no allocation, no owner. Waiting writers keep new readers out, so neither starves.
// A thread must not take a latch it already holds (in either mode): a waiting writer between the
// two would deadlock it; Mtr looks pages up in its memo for that reason.
//
// Order (INV-BTR-4): engine/store/latch_order.h, which also checks it. Debug builds count the page
// latches a thread holds, so that waits which must not happen under a latch can be asserted.
#pragma once

#include <atomic>
#include <cstdint>

#include "base/mutex.h"

namespace borealis::engine {

enum class LatchMode : uint8_t { kShared, kExclusive };

class PageLatch {
 public:
  PageLatch() = default;
  PageLatch(const PageLatch&) = delete;
  PageLatch& operator=(const PageLatch&) = delete;

  void LockShared();
  void LockExclusive();
  bool TryLockShared();
  bool TryLockExclusive();
  void UnlockShared();
  void UnlockExclusive();
  // Turns an exclusive latch into a shared one without letting a writer in between.
  void Downgrade();

  void Lock(LatchMode mode) { mode == LatchMode::kShared ? LockShared() : LockExclusive(); }
  bool TryLock(LatchMode mode) {
    return mode == LatchMode::kShared ? TryLockShared() : TryLockExclusive();
  }
  void Unlock(LatchMode mode) { mode == LatchMode::kShared ? UnlockShared() : UnlockExclusive(); }

  bool IsExclusive() const { return (word_.load(std::memory_order_relaxed) & kExclusive) != 0; }
  bool IsFree() const {
    return (word_.load(std::memory_order_relaxed) & (kExclusive | kReaders)) == 0;
  }

 private:
  static constexpr int32_t kExclusive = 1 << 30;
  static constexpr int32_t kWriterWaits = 1 << 29;
  static constexpr int32_t kReaders = kWriterWaits - 1;

  bool TryShared();
  bool TryExclusive();
  void Park(int32_t seen);
  void Wake();

  std::atomic<int32_t> word_{0};  // readers, kWriterWaits, kExclusive
  std::atomic<int32_t> parked_{0};
};

// Page latches this thread holds; always 0 in release builds.
int HeldLatchesForDebug();

}  // namespace borealis::engine
