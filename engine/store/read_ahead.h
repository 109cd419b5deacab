// Threads that read pages before a scan asks for them.
//
// A request is a hint: it is dropped when too many wait, and pages for which the pool has no frame
// to spare are left out (INV-BUF-5). Who asks never waits, and may hold page latches. The threads
// start with the first request; an instance that scans nothing has none.
// Thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>
#include <vector>

#include "base/mutex.h"
#include "base/os/thread.h"
#include "base/types.h"

namespace borealis::engine {

class BufferPool;

class ReadAhead {
 public:
  // Pages of one request; more go into several.
  static constexpr size_t kRequestMax = 32;

  explicit ReadAhead(BufferPool* pool) : pool_(pool) {}
  ~ReadAhead() { Stop(); }
  ReadAhead(const ReadAhead&) = delete;
  ReadAhead& operator=(const ReadAhead&) = delete;

  void Ask(std::span<const PageNo> pages);
  // Ends the threads; what waits is dropped. Idempotent.
  void Stop();

  uint64_t dropped() const;
  // Returns when nothing is waiting or under way.
  void DrainForTesting();

 private:
  static constexpr size_t kThreads = 4;  // requests under way at once
  static constexpr size_t kWaitingMax = 64;

  void Run();

  BufferPool* const pool_;
  mutable Mutex mutex_{LockRank::kLeaf};
  ConditionVariable work_;
  ConditionVariable idle_;
  std::deque<std::vector<PageNo>> waiting_ GUARDED_BY(mutex_);
  std::vector<Thread> threads_ GUARDED_BY(mutex_);
  size_t under_way_ GUARDED_BY(mutex_) = 0;
  uint64_t dropped_ GUARDED_BY(mutex_) = 0;
  bool stopping_ GUARDED_BY(mutex_) = false;
};

}  // namespace borealis::engine
