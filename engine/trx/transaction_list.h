// The transactions that have begun, for lists. Threads meet in it at the first use and the end of
// each transaction, so it is in parts.
//
// Thread-safe. A transaction in the list is not destroyed while Visit looks at it.
#pragma once

#include <array>
#include <functional>
#include <unordered_set>

#include "base/mutex.h"

namespace borealis::engine {

class EngineTransaction;

class TransactionList {
 public:
  void Add(EngineTransaction* transaction, uint64_t number) {
    Part& part = parts_[number % parts_.size()];
    MutexLock lock(part.mutex);
    part.members.insert(transaction);
  }
  void Remove(EngineTransaction* transaction, uint64_t number) {
    Part& part = parts_[number % parts_.size()];
    MutexLock lock(part.mutex);
    part.members.erase(transaction);
  }
  void Visit(const std::function<void(const EngineTransaction&)>& visit) const {
    for (const Part& part : parts_) {
      MutexLock lock(part.mutex);
      for (const EngineTransaction* transaction : part.members) {
        visit(*transaction);
      }
    }
  }

 private:
  struct Part {
    mutable Mutex mutex{LockRank::kTransactions};
    std::unordered_set<EngineTransaction*> members GUARDED_BY(mutex);
  };
  std::array<Part, 16> parts_;
};

}  // namespace borealis::engine
