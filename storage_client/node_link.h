// What the client's state machines need from the world: a way to send frames to the nodes.
//
// Frames are best-effort: they may be lost, repeated, delayed and reordered, and every machine here
// repeats itself until it is answered. A node is named by its slot in the machine's NodeTable.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/net/frame.h"
#include "base/types.h"
#include "volume/geometry.h"

namespace borealis::storage_client {

class NodeLink {
 public:
  virtual ~NodeLink() = default;
  // From now on `slot` is this node; called again when its address changes. The machine hears of
  // the connection by OnNodeUp.
  virtual void ConnectNode(size_t slot, const StorageNodeAddress& node) = 0;
  // REQUIRES: ConnectNode(slot) was called.
  virtual void SendToNode(size_t slot, Frame frame) = 0;
};

// Request ids, unique within one client.
class RequestIds {
 public:
  uint64_t Next() { return ++last_; }

 private:
  uint64_t last_ = 0;
};

inline constexpr int64_t kNeverUs = INT64_MAX;

}  // namespace borealis::storage_client
