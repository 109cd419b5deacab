// A state machine that talks to the storage nodes: what a driver (threads, or the simulator) feeds.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/net/frame.h"

namespace borealis::storage_client {

// All calls come one at a time, with a time that never goes back.
class NodeMachine {
 public:
  virtual ~NodeMachine() = default;
  virtual void OnFrame(size_t slot, const Frame& frame, int64_t now_us) = 0;
  virtual void OnNodeUp(size_t slot, int64_t now_us) = 0;
  virtual void OnNodeDown(size_t slot, int64_t now_us) = 0;
  virtual void OnTimer(int64_t now_us) = 0;
  // When OnTimer is wanted next; it may change with every call.
  virtual int64_t NextDeadlineUs() const = 0;
};

}  // namespace borealis::storage_client
