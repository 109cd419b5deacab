// What control knows of the volume and orders: nodes that join, drain and leave; what status says.
#include "control/volume_keeper.h"

#include "control/messages.pb.h"
#include "volume/messages.pb.h"

namespace borealis::control {
namespace {

using msg::GeometryOrder;

constexpr int64_t kSecond = 1'000'000;

class VolumeKeeperTest : public ::testing::Test {
 protected:
  VolumeKeeperTest() {
    geometry_.version = {VolumeEpoch(3), 1};
    for (uint32_t i = 1; i <= 6; ++i) {
      const std::string az = "az" + std::to_string((i + 1) / 2);
      geometry_.nodes.push_back({NodeId(i), az, "127.0.0.1", static_cast<uint16_t>(4000 + i)});
      config_.storage_nodes.push_back(
          {"storage-" + std::to_string(i), i, az, "127.0.0.1", static_cast<uint16_t>(4000 + i)});
    }
    Group group;
    for (Slot slot = 0; slot < 6; ++slot) {
      group.seats.push_back({slot, kNoSlot});
    }
    geometry_.groups.push_back(group);
  }

  const StorageNodeConfig& Node(size_t number) const { return config_.storage_nodes[number - 1]; }
  void Decide() {
    ++geometry_.version.number;
    EXPECT_TRUE(keeper_.OnWriterGeometry(EncodeGeometry(geometry_), kSecond).ok());
  }
  std::vector<GeometryOrder> Plan() {
    const msg::GeometryOrders orders = keeper_.Plan(config_, kSecond);
    return {orders.orders().begin(), orders.orders().end()};
  }
  void Refuse(const GeometryOrder& order, const std::string& reason) {
    msg::GeometryOrdersReply reply;
    auto* outcome = reply.add_outcomes();
    *outcome->mutable_order() = order;
    outcome->set_reason(reason);
    keeper_.OnOutcomes(reply, kSecond);
  }

  Geometry geometry_;
  ClusterConfig config_;
  VolumeKeeper keeper_{RepairLimits(), 0};
};

TEST_F(VolumeKeeperTest, OrdersNothingBeforeTheWriterHasTold) {
  config_.storage_nodes.push_back({"storage-7", 7, "az1", "127.0.0.1", 4007});
  EXPECT_TRUE(Plan().empty());
  EXPECT_EQ(keeper_.SetDraining(Node(1), true).status().code(), Code::kUnavailable);
  EXPECT_EQ(keeper_.MayRemove(Node(1)).code(), Code::kUnavailable);
  EXPECT_FALSE(keeper_.OnWriterGeometry("nonsense", 0).ok());
  EXPECT_EQ(keeper_.version(), GeometryVersion());
}

TEST_F(VolumeKeeperTest, TellsTheWriterOfNodesUntilItHasThem) {
  Decide();
  EXPECT_TRUE(Plan().empty());
  config_.storage_nodes.push_back({"storage-7", 7, "az1", "127.0.0.1", 4007});
  for (int i = 0; i < 2; ++i) {
    const auto orders = Plan();
    ASSERT_EQ(orders.size(), 1U);
    EXPECT_EQ(orders[0].kind(), GeometryOrder::ADD_NODE);
    EXPECT_EQ(orders[0].node().number(), 7U);
    EXPECT_EQ(orders[0].node().az(), "az1");
    EXPECT_EQ(orders[0].node().port(), 4007U);
  }
  geometry_.nodes.push_back({NodeId(7), "az1", "127.0.0.1", 4007});
  Decide();
  EXPECT_TRUE(Plan().empty());
  EXPECT_EQ(keeper_.HighestNumber(), 7U);
}

TEST_F(VolumeKeeperTest, DrainsWhenTheGeometrySaysSo) {
  Decide();
  EXPECT_FALSE(*keeper_.SetDraining(Node(1), true));
  const auto orders = Plan();
  ASSERT_EQ(orders.size(), 1U);
  EXPECT_EQ(orders[0].kind(), GeometryOrder::DRAIN);
  EXPECT_EQ(orders[0].node().number(), 1U);
  EXPECT_FALSE(*keeper_.SetDraining(Node(1), true));
  geometry_.nodes[0].draining = true;
  Decide();
  EXPECT_TRUE(Plan().empty());
  EXPECT_TRUE(*keeper_.SetDraining(Node(1), true));
  EXPECT_FALSE(*keeper_.SetDraining(Node(1), false));
  EXPECT_EQ(Plan().at(0).kind(), GeometryOrder::UNDRAIN);
}

TEST_F(VolumeKeeperTest, TellsTheRefusalOnceAndAsksNoMore) {
  Decide();
  EXPECT_FALSE(*keeper_.SetDraining(Node(1), true));
  Refuse(Plan().at(0), "az1 has no two for new segments");
  EXPECT_TRUE(Plan().empty());
  const auto refused = keeper_.SetDraining(Node(1), true);
  EXPECT_EQ(refused.status().code(), Code::kInvalidArgument);
  EXPECT_NE(refused.status().message().find("no two"), std::string::npos);
  EXPECT_FALSE(*keeper_.SetDraining(Node(1), true));  // asked again, ordered again
  EXPECT_EQ(Plan().size(), 1U);
}

TEST_F(VolumeKeeperTest, RemovesOnlyWhatIsDrainedAndEmpty) {
  geometry_.nodes.push_back({NodeId(7), "az1", "127.0.0.1", 4007});
  config_.storage_nodes.push_back({"storage-7", 7, "az1", "127.0.0.1", 4007});
  Decide();
  EXPECT_NE(keeper_.MayRemove(Node(1)).message().find("holds 1 segment"), std::string::npos);
  EXPECT_NE(keeper_.MayRemove(Node(7)).message().find("cluster drain"), std::string::npos);
  geometry_.nodes[6].draining = true;
  geometry_.groups[0].seats[0].successor = 6;  // a successor has a seat, too
  Decide();
  EXPECT_FALSE(keeper_.MayRemove(Node(7)).ok());
  geometry_.groups[0].seats[0].successor = kNoSlot;
  Decide();
  EXPECT_TRUE(keeper_.MayRemove(Node(7)).ok());
}

TEST_F(VolumeKeeperTest, DescribesHoldersAndSuccessors) {
  geometry_.nodes.push_back({NodeId(7), "az1", "127.0.0.1", 4007});
  config_.storage_nodes.push_back({"storage-7", 7, "az1", "127.0.0.1", 4007});
  geometry_.groups[0].seats[0].successor = 6;
  Decide();
  borealis::msg::NodeStatusReply reply;
  reply.set_free_bytes(5000);
  auto* segment = reply.add_segments();
  segment->set_state("repairing");
  segment->set_repaired(0.25);
  segment->set_scl(77);
  keeper_.OnNodeStatus(Node(7), reply, kSecond);
  ClusterStatus status;
  status.config = config_;
  keeper_.Describe({{"storage-7", true}}, &status);
  ASSERT_EQ(status.segments.size(), 7U);
  EXPECT_EQ(status.segments[0].state, "lost");  // never heard of
  EXPECT_EQ(status.segments[1].node, "storage-7");
  EXPECT_EQ(status.segments[1].successor_of, "storage-1");
  EXPECT_EQ(status.segments[1].state, "repairing");
  EXPECT_EQ(status.segments[1].scl, 77U);
  EXPECT_EQ(status.segments[1].repaired, 25.0);
  EXPECT_EQ(status.storage["storage-7"].segments, 1U);
  EXPECT_EQ(status.storage["storage-7"].free_bytes, 5000U);
  EXPECT_EQ(status.repair.changing, 1U);
  EXPECT_DOUBLE_EQ(status.repair.part, 0.25);
  ClusterStatus without;
  without.config = config_;
  keeper_.Describe({{"storage-7", false}}, &without);
  EXPECT_EQ(without.segments[1].state, "lost");
}

}  // namespace
}  // namespace borealis::control
