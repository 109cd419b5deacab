#include "engine/store/read_ahead.h"

#include <algorithm>

#include "base/fault.h"
#include "engine/store/buffer_pool.h"

namespace borealis::engine {

void ReadAhead::Ask(std::span<const PageNo> pages) {
  MutexLock lock(mutex_);
  while (!pages.empty() && !stopping_) {
    if (waiting_.size() >= kWaitingMax) {
      COVER("read_ahead.dropped");
      ++dropped_;
      return;
    }
    const auto some = pages.first(std::min(pages.size(), kRequestMax));
    pages = pages.subspan(some.size());
    waiting_.emplace_back(some.begin(), some.end());
    if (threads_.empty()) {
      for (size_t i = 0; i < kThreads; ++i) {
        threads_.emplace_back("read-ahead", [this] { Run(); });
      }
    }
    work_.NotifyOne();
  }
}

void ReadAhead::Run() {
  MutexLock lock(mutex_);
  while (true) {
    while (waiting_.empty() && !stopping_) {
      work_.Wait(mutex_);
    }
    if (stopping_) {
      return;
    }
    const std::vector<PageNo> pages = std::move(waiting_.front());
    waiting_.pop_front();
    ++under_way_;
    mutex_.Unlock();
    pool_->Prefetch(pages);
    mutex_.Lock();
    --under_way_;
    idle_.NotifyAll();
  }
}

void ReadAhead::Stop() {
  std::vector<Thread> threads;
  {
    MutexLock lock(mutex_);
    stopping_ = true;
    waiting_.clear();
    threads.swap(threads_);
    work_.NotifyAll();
  }
  // Joined as they are destroyed.
}

uint64_t ReadAhead::dropped() const {
  MutexLock lock(mutex_);
  return dropped_;
}

void ReadAhead::DrainForTesting() {
  MutexLock lock(mutex_);
  while (!waiting_.empty() || under_way_ > 0) {
    idle_.Wait(mutex_);
  }
}

}  // namespace borealis::engine
