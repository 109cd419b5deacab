// Mutexes with a rank, and their scoped locks.
//
// A thread may take a mutex only if its rank is higher than every rank the thread holds; debug and
// sanitizer builds keep the held ranks per thread and abort on disorder, so a latch-order mistake
// fails the first test that walks the path, not the first unlucky production night. The order is
// LockRank, outermost first. Clang's thread-safety analysis (preset tidy) reads the annotations.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <shared_mutex>

#if defined(__clang__)
#define BOREALIS_TSA(x) __attribute__((x))
#else
#define BOREALIS_TSA(x)
#endif
#define CAPABILITY(x) BOREALIS_TSA(capability(x))
#define SCOPED_CAPABILITY BOREALIS_TSA(scoped_lockable)
#define GUARDED_BY(x) BOREALIS_TSA(guarded_by(x))
#define REQUIRES(...) BOREALIS_TSA(requires_capability(__VA_ARGS__))
#define ACQUIRE(...) BOREALIS_TSA(acquire_capability(__VA_ARGS__))
#define RELEASE(...) BOREALIS_TSA(release_capability(__VA_ARGS__))
#define NO_THREAD_SAFETY_ANALYSIS BOREALIS_TSA(no_thread_safety_analysis)

namespace borealis {

// Outermost first: a mutex may be taken only while all held ranks are lower.
enum class LockRank : uint8_t {
  kServer = 10,  // session tables, role changes
  kSession = 20,
  kDictionary = 30,
  kDictionaryCache = 35,
  kTransactions = 40,  // transaction table, read views
  kLockTable = 50,     // row locks, metadata locks
  kWaitGraph = 55,     // who waits for whom
  kUndo = 57,          // ends of undo streams
  kTree = 60,          // index tree latches
  kPage = 70,          // page latches; among pages the B+tree's own order holds
  kSpace = 75,         // page allocation, reserved in memory
  kBufferPool = 80,
  kLog = 90,      // log buffer, LSN allocation
  kVolume = 100,  // volume client state
  kNetwork = 110,
  kSpill = 115,  // what goes on in temporary files
  kLeaf = 120,   // takes nothing inside
};

namespace internal {
#if !defined(NDEBUG) || defined(BOREALIS_SANITIZED)
void NoteAcquire(LockRank rank);
void NoteRelease(LockRank rank);
#else
inline void NoteAcquire(LockRank) {}
inline void NoteRelease(LockRank) {}
#endif
}  // namespace internal

class CAPABILITY("mutex") Mutex {
 public:
  explicit Mutex(LockRank rank) : rank_(rank) {}
  Mutex(const Mutex&) = delete;
  Mutex& operator=(const Mutex&) = delete;

  void Lock() ACQUIRE() {
    internal::NoteAcquire(rank_);
    mutex_.lock();
  }
  void Unlock() RELEASE() {
    internal::NoteRelease(rank_);  // first: once unlocked, its next holder may destroy the mutex
    mutex_.unlock();
  }

 private:
  friend class ConditionVariable;
  const LockRank rank_;
  std::mutex mutex_;
};

class SCOPED_CAPABILITY MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) ACQUIRE(mutex) : mutex_(mutex) { mutex_.Lock(); }
  ~MutexLock() RELEASE() { mutex_.Unlock(); }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  Mutex& mutex_;
};

// Waits with a ranked Mutex. Spurious wake-ups happen: wait in a loop over the condition.
class ConditionVariable {
 public:
  void Wait(Mutex& mutex) REQUIRES(mutex);
  // False when `timeout_us` passed without a notification.
  bool WaitFor(Mutex& mutex, int64_t timeout_us) REQUIRES(mutex);
  void NotifyOne() { condition_.notify_one(); }
  void NotifyAll() { condition_.notify_all(); }

 private:
  std::condition_variable condition_;
};

}  // namespace borealis
