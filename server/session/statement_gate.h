// How many bytes of large statement texts may be worked on at once.
//
// A statement's tree takes many times the memory of its text, so sixty-four clients that each send
// half a megabyte of rows would take gigabytes. Large statements therefore pass through this gate;
// those beyond the limit wait their turn, first come first served. Only statements that begin a
// transaction of their own may be made to wait: they hold no locks, so nobody inside can be waiting
// for them. Thread-safe; waiting threads announce it (BlockingScope).
#pragma once

#include <cstdint>
#include <deque>
#include <functional>

#include "base/mutex.h"

namespace borealis::server {

class StatementGate {
 public:
  // Shorter texts do not count.
  static constexpr size_t kLargeBytes = size_t{128} << 10;

  explicit StatementGate(size_t limit_bytes) : limit_bytes_(limit_bytes) {}

  // A place inside; given back when destroyed.
  class Ticket {
   public:
    Ticket() = default;
    Ticket(StatementGate* gate, size_t bytes) : gate_(gate), bytes_(bytes) {}
    Ticket(Ticket&& other) noexcept : gate_(other.gate_), bytes_(other.bytes_) {
      other.gate_ = nullptr;
    }
    Ticket& operator=(Ticket&&) = delete;
    ~Ticket() {
      if (gate_ != nullptr) {
        gate_->Leave(bytes_);
      }
    }

   private:
    StatementGate* gate_ = nullptr;
    size_t bytes_ = 0;
  };

  // Waits for `bytes` of room; a text above the limit goes alone. Returns at once, with no place,
  // for a text that is not large, and soon when `interrupted` says so.
  Ticket Enter(size_t bytes, const std::function<bool()>& interrupted);
  // Statements that wait now.
  size_t waiting() const;

 private:
  void Leave(size_t bytes);

  const size_t limit_bytes_;
  mutable Mutex mutex_{LockRank::kLeaf};
  ConditionVariable changed_;
  size_t inside_bytes_ GUARDED_BY(mutex_) = 0;
  uint64_t next_turn_ GUARDED_BY(mutex_) = 0;
  std::deque<uint64_t> turns_ GUARDED_BY(mutex_);  // of those that wait
};

}  // namespace borealis::server
