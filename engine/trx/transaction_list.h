// The transactions that have begun, for lists. Threads meet in it at the first use and the end of
// each transaction, so it is in parts.
//
// Thread-safe. A transaction in the list is not destroyed while Visit looks at it.
#pragma once

#include <array>
#include <cstdint>
#include <functional>

#include "base/mutex.h"

namespace borealis::engine {

class EngineTransaction;

class TransactionList {
 public:
  // A member's place in the list; a part of the transaction.
  struct Link {
    EngineTransaction* transaction = nullptr;
    uint64_t number = 0;
    Link* before = nullptr;
    Link* after = nullptr;
  };

  void Add(Link* link) {
    Part& part = PartOf(*link);
    MutexLock lock(part.mutex);
    link->before = nullptr;
    link->after = part.first;
    if (part.first != nullptr) {
      part.first->before = link;
    }
    part.first = link;
  }
  void Remove(Link* link) {
    Part& part = PartOf(*link);
    MutexLock lock(part.mutex);
    (link->before != nullptr ? link->before->after : part.first) = link->after;
    if (link->after != nullptr) {
      link->after->before = link->before;
    }
  }
  void Visit(const std::function<void(const EngineTransaction&)>& visit) const {
    for (const Part& part : parts_) {
      MutexLock lock(part.mutex);
      for (const Link* link = part.first; link != nullptr; link = link->after) {
        visit(*link->transaction);
      }
    }
  }

 private:
  struct Part {
    mutable Mutex mutex{LockRank::kTransactions};
    Link* first GUARDED_BY(mutex) = nullptr;
  };
  Part& PartOf(const Link& link) { return parts_[link.number % parts_.size()]; }

  std::array<Part, 16> parts_;
};

}  // namespace borealis::engine
