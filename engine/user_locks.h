// User-level locks (GET_LOCK): names that a session holds over any number of transactions.
//
// One owner for each session that has ever asked for one. Names are locked among the metadata
// locks, so that waits go through the wait graph; with the session's transactions the owner is one
// party there, and circles over names, rows and tables are found alike. A name taken twice is given
// back twice. Not thread-safe but for the destructor's effect on others.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/result.h"

namespace borealis::engine {

class UserLocks {
 public:
  virtual ~UserLocks() = default;  // gives everything back
  UserLocks() = default;
  UserLocks(const UserLocks&) = delete;
  UserLocks& operator=(const UserLocks&) = delete;

  // kTimedOut; kDeadlock, which ends nothing but the wait; kCancelled when killed.
  virtual Status Lock(std::string_view name, int64_t timeout_us) = 0;
  enum class Release : uint8_t { kDone, kNotOurs, kNobodys };
  virtual Release Unlock(std::string_view name) = 0;
  // How many times Unlock would have had to be called.
  virtual uint64_t UnlockAll() = 0;
  // Number of the party in the wait graph, for transactions that begin.
  virtual uint64_t party() const = 0;
};

}  // namespace borealis::engine
