// Says in the log who failed to prove that it belongs to the cluster: at most once a minute for
// each address that connects and each that we connect to, so that a stranger cannot fill the disk.
// Not thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>

#include "base/status.h"

namespace borealis {

class StrangerLog {
 public:
  // `who` names the address: "a connection from 10.0.0.1".
  void Note(const std::string& who, const Status& why);
  // Whether `who` is to be named at `now_us`, and remembers that it was.
  bool IsDue(const std::string& who, int64_t now_us);

 private:
  std::unordered_map<std::string, int64_t> named_us_;  // when each was last named
  uint64_t unnamed_count_ = 0;                         // since the last line
};

}  // namespace borealis
