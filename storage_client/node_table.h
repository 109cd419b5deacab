// The storage nodes that this process knows, each with a slot that stays its own for the life of
// the table.
//
// Slots are what sets of nodes are made of (SegmentSet), and they are private: another process may
// count otherwise. A geometry that comes from elsewhere is rebased, that is, written anew in the
// slots of this table. Every node of the table is made known to the link. Not thread-safe.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "base/result.h"
#include "storage_client/node_link.h"
#include "volume/geometry.h"

namespace borealis::storage_client {

class NodeTable {
 public:
  // The nodes named in the cluster's configuration. `link` must outlive the table.
  NodeTable(std::span<const StorageNodeAddress> seeds, NodeLink& link);

  size_t size() const { return nodes_.size(); }
  const StorageNodeAddress& operator[](size_t slot) const { return nodes_[slot]; }
  const std::vector<StorageNodeAddress>& nodes() const { return nodes_; }
  std::optional<Slot> SlotOf(NodeId node) const;
  // The node's slot, a new one for a new node; takes over a changed address. Nothing when all
  // kSlotsMax are in use.
  std::optional<Slot> Add(const StorageNodeAddress& node);
  void SetDraining(Slot slot, bool draining) { nodes_[slot].draining = draining; }

  // `geometry` with this table's nodes and slots. Nodes that are only in the geometry are added
  // when they have a seat; which nodes are draining is taken from the geometry. kUnavailable when
  // the table is full.
  Result<Geometry> Rebase(const Geometry& geometry);

 private:
  std::vector<StorageNodeAddress> nodes_;
  NodeLink& link_;
};

}  // namespace borealis::storage_client
