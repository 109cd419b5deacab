// Committed logs that wait for purge: how many, and the commit LSN of those of this instance's
// life. Thread-safe.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <vector>

#include "base/mutex.h"
#include "base/types.h"
#include "engine/memory_use.h"

namespace borealis::engine {

class History {
 public:
  // Of logs that an earlier writer left: the LSN at which this one opened the volume.
  explicit History(Lsn opened_at) : opened_at_(opened_at) {}

  void Add(uint64_t commit_no, Lsn commit_lsn) {
    MutexLock lock(mutex_);
    commits_[commit_no] = commit_lsn;
    ++length_;
    // Purge works in batches: it is woken for the first and when there are many.
    if (length_ == 1 || length_ % 256 == 0) {
      woken_ = true;
      changed_.NotifyAll();
    }
  }
  Lsn LsnOf(uint64_t commit_no) const {
    MutexLock lock(mutex_);
    auto found = commits_.find(commit_no);
    return found == commits_.end() ? opened_at_ : found->second;
  }
  void Finish(uint64_t commit_no) {
    MutexLock lock(mutex_);
    if (commits_.erase(commit_no) > 0) {
      --length_;
    }
  }
  uint64_t length() const {
    MutexLock lock(mutex_);
    return length_;
  }
  uint64_t memory_bytes() const {
    MutexLock lock(mutex_);
    return commits_.size() * (sizeof(std::pair<const uint64_t, Lsn>) + kNodeOverhead);
  }
  void set_reader_horizon(Lsn horizon) {
    MutexLock lock(mutex_);
    reader_horizon_ = horizon;
    changed_.NotifyAll();
  }
  Lsn reader_horizon() const {
    MutexLock lock(mutex_);
    return reader_horizon_;
  }
  // For the background thread: returns when there may be something to do, or after `timeout_us`.
  void WaitForWork(int64_t timeout_us) {
    MutexLock lock(mutex_);
    if (!woken_) {
      changed_.WaitFor(mutex_, timeout_us);
    }
    woken_ = false;
  }
  void Wake() {
    MutexLock lock(mutex_);
    woken_ = true;
    changed_.NotifyAll();
  }

 private:
  const Lsn opened_at_;
  mutable Mutex mutex_{LockRank::kLeaf};
  ConditionVariable changed_;
  bool woken_ GUARDED_BY(mutex_) = false;
  std::map<uint64_t, Lsn> commits_ GUARDED_BY(mutex_);
  uint64_t length_ GUARDED_BY(mutex_) = 0;
  Lsn reader_horizon_ GUARDED_BY(mutex_) = Lsn::Max();
};

}  // namespace borealis::engine
