#include "storage_client/node_table.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/invariant.h"

namespace borealis::storage_client {

NodeTable::NodeTable(std::span<const StorageNodeAddress> seeds, NodeLink& link) : link_(link) {
  INVARIANT_LE(seeds.size(), kSlotsMax);
  for (const StorageNodeAddress& seed : seeds) {
    Add(seed);
  }
}

std::optional<Slot> NodeTable::SlotOf(NodeId node) const {
  const auto found = std::find_if(nodes_.begin(), nodes_.end(),
                                  [&](const StorageNodeAddress& n) { return n.node == node; });
  if (found == nodes_.end()) {
    return std::nullopt;
  }
  return static_cast<Slot>(found - nodes_.begin());
}

std::optional<Slot> NodeTable::Add(const StorageNodeAddress& node) {
  std::optional<Slot> slot = SlotOf(node.node);
  if (!slot.has_value()) {
    if (nodes_.size() == kSlotsMax) {
      return std::nullopt;
    }
    slot = static_cast<Slot>(nodes_.size());
    nodes_.push_back(node);
    link_.ConnectNode(*slot, node);
    return slot;
  }
  StorageNodeAddress& known = nodes_[*slot];
  const bool has_moved = known.host != node.host || known.port != node.port;
  known = node;
  if (has_moved) {
    link_.ConnectNode(*slot, node);
  }
  return slot;
}

Result<Geometry> NodeTable::Rebase(const Geometry& geometry) {
  SegmentSet seated = 0;
  for (const Group& group : geometry.groups) {
    seated |= group.Members();
  }
  std::vector<Slot> slots(geometry.nodes.size(), kNoSlot);
  for (size_t from = 0; from < geometry.nodes.size(); ++from) {
    const StorageNodeAddress& node = geometry.nodes[from];
    std::optional<Slot> to = SlotOf(node.node);
    if (!to.has_value() && (seated & SegmentBit(from)) != 0) {
      to = Add(node);
      if (!to.has_value()) {
        return Status::Unavailable(fmt::format("more than {} storage nodes: no place for node {}",
                                               kSlotsMax, node.node.value()));
      }
    }
    if (to.has_value()) {
      slots[from] = *to;
      SetDraining(*to, node.draining);
    }
  }
  Geometry rebased = geometry;
  rebased.nodes = nodes_;
  for (Group& group : rebased.groups) {
    for (Seat& seat : group.seats) {
      seat.holder = slots[seat.holder];
      seat.successor = seat.changing() ? slots[seat.successor] : kNoSlot;
    }
  }
  return rebased;
}

}  // namespace borealis::storage_client
