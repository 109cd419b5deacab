// Says in the log who failed to prove that it belongs to the cluster: at most once a minute for
// each address, so that a stranger cannot fill the disk. Not thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>

#include "base/status.h"

namespace borealis {

class StrangerLog {
 public:
  // `what` is "connection" for those who connected to us.
  void Note(const std::string& host, const char* what, const Status& why);
  // Whether `host` is to be named at `now_us`, and remembers that it was.
  bool IsDue(const std::string& host, int64_t now_us);

 private:
  std::unordered_map<std::string, int64_t> named_us_;  // by address: when it was last named
  uint64_t unnamed_count_ = 0;                         // since the last line
};

}  // namespace borealis
