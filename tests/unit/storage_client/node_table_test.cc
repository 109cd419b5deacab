// The slots of a process: geometries from elsewhere, nodes that move, a full table.
#include "storage_client/node_table.h"

namespace borealis::storage_client {
namespace {

class SilentLink final : public NodeLink {
 public:
  void ConnectNode(size_t slot, const StorageNodeAddress& node) override {
    connected.emplace_back(slot, node.port);
  }
  void SendToNode(size_t, Frame) override {}
  std::vector<std::pair<size_t, uint16_t>> connected;
};

StorageNodeAddress NodeAt(uint32_t number, uint16_t port) {
  return {NodeId(number), std::string(1, static_cast<char>('a' + number % 3)), "host", port, false};
}

TEST(NodeTableTest, AGeometryFromElsewhereIsWrittenInOurSlots) {
  SilentLink link;
  const std::vector<StorageNodeAddress> seeds = {NodeAt(3, 30), NodeAt(1, 10), NodeAt(9, 90)};
  NodeTable table(seeds, link);
  Geometry theirs;
  theirs.version = {VolumeEpoch(4), 2};
  Group group;
  for (uint32_t i = 0; i < 8; ++i) {
    theirs.nodes.push_back(NodeAt(i + 1, static_cast<uint16_t>(100 + i)));
    if (i < kSeats) {
      group.seats.push_back({static_cast<Slot>(i), kNoSlot});
    }
  }
  group.seats[5].successor = 6;
  theirs.nodes[0].draining = true;
  theirs.groups.push_back(group);
  const Result<Geometry> ours = table.Rebase(theirs);
  ASSERT_TRUE(ours.ok());
  EXPECT_EQ(ours->version, theirs.version);
  EXPECT_EQ(ours->nodes, table.nodes());
  ASSERT_EQ(table.size(), 8U) << "node 8 has no seat, node 9 is ours";
  EXPECT_FALSE(table.SlotOf(NodeId(8)).has_value());
  for (size_t i = 0; i < kSeats; ++i) {
    EXPECT_EQ(ours->nodes[ours->groups[0].seats[i].holder].node, theirs.nodes[i].node);
  }
  EXPECT_EQ(ours->nodes[ours->groups[0].seats[5].successor].node, NodeId(7));
  EXPECT_TRUE(table[*table.SlotOf(NodeId(1))].draining);
  EXPECT_EQ(table[*table.SlotOf(NodeId(1))].port, 10) << "our configuration's address";
  EXPECT_EQ(link.connected.size(), 8U);
  // A node that has moved is connected anew, in its slot.
  EXPECT_EQ(table.Add(NodeAt(9, 91)), Slot{2});
  EXPECT_EQ(link.connected.back(), (std::pair<size_t, uint16_t>(2, 91)));
  EXPECT_EQ(link.connected.size(), 9U);
}

TEST(NodeTableTest, MoreNodesThanSlotsAreRefused) {
  SilentLink link;
  std::vector<StorageNodeAddress> seeds;
  for (uint32_t i = 0; i < kSlotsMax; ++i) {
    seeds.push_back(NodeAt(100 + i, 1));
  }
  NodeTable table(seeds, link);
  EXPECT_FALSE(table.Add(NodeAt(1, 1)).has_value());
  Geometry theirs;
  Group group;
  for (uint32_t i = 0; i < kSeats; ++i) {
    theirs.nodes.push_back(NodeAt(i + 1, 1));
    group.seats.push_back({static_cast<Slot>(i), kNoSlot});
  }
  theirs.groups.push_back(group);
  EXPECT_TRUE(table.Rebase(theirs).status().Is(Code::kUnavailable));
}

}  // namespace
}  // namespace borealis::storage_client
