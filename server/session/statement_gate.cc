#include "server/session/statement_gate.h"

#include <algorithm>

#include "base/os/blocking.h"
#include "base/os/memory.h"

namespace borealis::server {

namespace {
constexpr int64_t kLookForInterruptUs = 100'000;
}  // namespace

StatementGate::Ticket StatementGate::Enter(size_t bytes, const std::function<bool()>& interrupted) {
  if (bytes < kLargeBytes) {
    return {};
  }
  bytes = std::min(bytes, limit_bytes_);
  {
    MutexLock lock(mutex_);
    if (turns_.empty() && inside_bytes_ + bytes <= limit_bytes_) {
      inside_bytes_ += bytes;
      return {this, bytes};
    }
  }
  BlockingScope waiting;
  MutexLock lock(mutex_);
  const uint64_t turn = next_turn_++;
  turns_.push_back(turn);
  while (turns_.front() != turn || inside_bytes_ + bytes > limit_bytes_) {
    changed_.WaitFor(mutex_, kLookForInterruptUs);
    if (interrupted()) {
      std::erase(turns_, turn);
      changed_.NotifyAll();
      return {};
    }
  }
  turns_.pop_front();
  inside_bytes_ += bytes;
  changed_.NotifyAll();  // there may be room for the next as well
  return {this, bytes};
}

size_t StatementGate::waiting() const {
  MutexLock lock(mutex_);
  return turns_.size();
}

void StatementGate::Leave(size_t bytes) {
  bool was_last = false;
  {
    MutexLock lock(mutex_);
    inside_bytes_ -= bytes;
    was_last = inside_bytes_ == 0;
    changed_.NotifyAll();
  }
  if (was_last) {
    ReturnFreeMemory();
  }
}

}  // namespace borealis::server
