// The repair planner's decisions, driven by a script in place of writer and storage nodes.
#include "control/repair_planner.h"

#include <algorithm>
#include <memory>
#include <set>

namespace borealis::control {
namespace {

using Kind = RepairOrder::Kind;
using State = SegmentFacts::State;

constexpr int64_t kSecond = 1'000'000;
constexpr int64_t kStep = kSecond / 2;
constexpr uint64_t kRoom = uint64_t{100} << 30;

// Plays the world: nodes that answer, a writer that carries orders out, and segments that fill.
class World {
 public:
  // `per_az` nodes in each of three AZs: 1, 2, … in az1, then those of az2, then az3.
  World(int per_az, int groups) : planner_(std::make_unique<RepairPlanner>(Limits(), 0)) {
    geometry_.version = {VolumeEpoch(1), 1};
    for (int i = 0; i < 3 * per_az; ++i) {
      AddNode(static_cast<uint32_t>(i + 1), "az" + std::to_string(i / per_az + 1));
    }
    for (int pg = 0; pg < groups; ++pg) {
      const std::vector<NodeLoad> loads(geometry_.nodes.size(), NodeLoad{true, kRoom});
      auto group = PlaceGroup(geometry_, PgId(static_cast<uint32_t>(pg)), loads);
      EXPECT_TRUE(group.ok());
      geometry_.groups.push_back(*group);
    }
    Run(2 * kSecond);
  }

  static RepairLimits Limits() {
    RepairLimits limits;
    limits.settle_us = 6 * kSecond;
    return limits;
  }

  void AddNode(uint32_t node, const std::string& az) {
    geometry_.nodes.push_back({NodeId(node), az, "127.0.0.1", 4000});
    ++geometry_.version.number;
  }
  Slot SlotOf(uint32_t node) const { return *geometry_.SlotOf(NodeId(node)); }
  size_t SeatsOf(uint32_t node) const { return geometry_.GroupsOf(SlotOf(node)).size(); }
  size_t Changing() const {
    size_t count = 0;
    for (const Group& group : geometry_.groups) {
      count += static_cast<size_t>(std::ranges::count_if(group.seats, &Seat::changing));
    }
    return count;
  }
  void SetDraining(uint32_t node, bool draining) {
    geometry_.nodes[SlotOf(node)].draining = draining;
    ++geometry_.version.number;
  }

  // Time passes; returns the orders of it.
  std::vector<RepairOrder> Run(int64_t duration_us) {
    std::vector<RepairOrder> orders;
    for (const int64_t end_us = now_us + duration_us; now_us < end_us; now_us += kStep) {
      planner_->OnGeometry(geometry_, now_us);
      for (const StorageNodeAddress& node : geometry_.nodes) {
        if (!down.contains(node.node.value())) {
          planner_->OnNodeAnswer(node.node, FactsOf(node), now_us);
        }
      }
      for (const RepairOrder& order : planner_->Plan(now_us)) {
        Check(order);
        orders.push_back(order);
        if (writer_listens) {
          CarryOut(order);
        }
      }
      if (filling) {
        Fill();
      }
    }
    return orders;
  }
  // A control that starts anew.
  void RestartControl() { planner_ = std::make_unique<RepairPlanner>(Limits(), now_us); }

  const RepairPlanner& planner() const { return *planner_; }

  Geometry geometry_;
  int64_t now_us = 0;
  std::set<uint32_t> down;
  std::set<std::pair<uint32_t, uint32_t>> lost;  // node, pg: the segment, not the node
  bool writer_listens = true;
  bool filling = true;  // successors become holders at the next step

 private:
  StorageNodeFacts FactsOf(const StorageNodeAddress& node) const {
    StorageNodeFacts facts;
    facts.in_service = true;
    facts.free_bytes = kRoom;
    const Slot slot = SlotOf(node.node.value());
    for (const PgId pg : geometry_.GroupsOf(slot)) {
      SegmentFacts& segment = facts.segments[pg];
      segment.scl = Lsn(1000);
      const bool succeeds = std::ranges::any_of(
          geometry_.group(pg).seats, [slot](const Seat& seat) { return seat.successor == slot; });
      if (succeeds) {
        segment = {State::kRepairing, Lsn(0), 0.5};
      } else if (lost.contains({node.node.value(), pg.value()})) {
        segment.state = State::kLost;
      }
    }
    return facts;
  }

  // Against the rules in the header, by the geometry alone.
  void Check(const RepairOrder& order) {
    if (order.kind != Kind::kReplace) {
      return;
    }
    const Group& group = geometry_.group(order.pg);
    const Slot holder = SlotOf(order.holder.value());
    const Slot successor = SlotOf(order.successor.value());
    EXPECT_EQ(geometry_.nodes[holder].az, geometry_.nodes[successor].az);
    EXPECT_FALSE(geometry_.nodes[successor].draining);
    EXPECT_FALSE(down.contains(order.successor.value()));
    EXPECT_LT(Changing(), static_cast<size_t>(Limits().changing_max));
    for (const Seat& seat : group.seats) {
      if (seat.changing()) {
        EXPECT_TRUE(down.contains(geometry_.nodes[seat.holder].node.value()));
        EXPECT_TRUE(down.contains(order.holder.value()));
      }
    }
  }

  void CarryOut(const RepairOrder& order) {
    for (Seat& seat : geometry_.groups[order.pg.value()].seats) {
      if (seat.holder == SlotOf(order.holder.value())) {
        seat.successor = order.kind == Kind::kReplace ? SlotOf(order.successor.value()) : kNoSlot;
        ++geometry_.version.number;
      }
    }
  }

  void Fill() {
    for (Group& group : geometry_.groups) {
      for (Seat& seat : group.seats) {
        if (seat.changing() && !down.contains(geometry_.nodes[seat.successor].node.value())) {
          seat = {seat.successor, kNoSlot};
          ++geometry_.version.number;
        }
      }
    }
  }

  std::unique_ptr<RepairPlanner> planner_;
};

size_t Count(const std::vector<RepairOrder>& orders, Kind kind) {
  return static_cast<size_t>(std::ranges::count(orders, kind, &RepairOrder::kind));
}

TEST(RepairPlannerTest, LeavesAHealthyVolumeAlone) {
  World world(3, 9);
  EXPECT_TRUE(world.Run(300 * kSecond).empty());
  EXPECT_EQ(world.planner().Report().wanted, 0U);
}

TEST(RepairPlannerTest, ReplacesWhoIsGoneAndNotBefore) {
  World world(3, 12);
  const size_t seats = world.SeatsOf(1);
  ASSERT_GT(seats, 4U);
  world.down = {1};
  EXPECT_TRUE(world.Run(58 * kSecond).empty());
  const auto orders = world.Run(30 * kSecond);
  EXPECT_EQ(Count(orders, Kind::kReplace), seats);
  EXPECT_EQ(world.SeatsOf(1), 0U);
  EXPECT_EQ(world.planner().counters().moved, seats);
  EXPECT_EQ(world.planner().Report().wanted, 0U);
}

TEST(RepairPlannerTest, NoMoreThanTheLimitAtOnce) {
  World world(3, 30);
  world.filling = false;
  world.down = {1};
  world.Run(90 * kSecond);
  EXPECT_EQ(world.Changing(), 4U);
  EXPECT_EQ(world.planner().Report().changing, 4U);
  EXPECT_EQ(world.planner().Report().wanted, 20U);
  EXPECT_DOUBLE_EQ(world.planner().Report().part, 0.5);
}

TEST(RepairPlannerTest, ASegmentThatItsNodeGaveUpMoves) {
  World world(3, 9);
  const PgId pg = world.geometry_.GroupsOf(world.SlotOf(1)).front();
  world.lost = {{1, pg.value()}};
  EXPECT_TRUE(world.Run(50 * kSecond).empty());
  const auto orders = world.Run(20 * kSecond);
  ASSERT_EQ(orders.size(), 1U);
  EXPECT_EQ(orders[0].pg, pg);
  EXPECT_EQ(orders[0].holder, NodeId(1));
}

TEST(RepairPlannerTest, WhoComesBackWholeKeepsItsSeats) {
  World world(3, 9);
  world.filling = false;
  world.down = {1};
  world.Run(70 * kSecond);
  ASSERT_EQ(world.Changing(), 4U);
  world.down = {};
  EXPECT_EQ(Count(world.Run(4 * kSecond), Kind::kWithdraw), 0U);  // is it back for good?
  const auto orders = world.Run(20 * kSecond);
  EXPECT_EQ(Count(orders, Kind::kWithdraw), 4U);
  EXPECT_EQ(world.Changing(), 0U);
  EXPECT_EQ(world.planner().counters().withdrawn, 4U);
  EXPECT_EQ(world.SeatsOf(1), 6U);
}

TEST(RepairPlannerTest, ANodeThatComesAndGoesCausesNoStorm) {
  World world(3, 12);
  world.filling = false;
  size_t orders = 0;
  for (int i = 0; i < 60; ++i) {  // 62 s away, 10 s there
    world.down = {1};
    orders += world.Run(62 * kSecond).size();
    world.down = {};
    orders += world.Run(10 * kSecond).size();
  }
  // Once replaced and withdrawn; after that a return of ten seconds no longer counts.
  EXPECT_LE(orders, 12U);
  // Short absences cause nothing at all.
  World other(3, 12);
  for (int i = 0; i < 60; ++i) {
    other.down = {1};
    EXPECT_TRUE(other.Run(30 * kSecond).empty());
    other.down = {};
    EXPECT_TRUE(other.Run(5 * kSecond).empty());
  }
}

TEST(RepairPlannerTest, ASecondNodeFailsInTheMiddle) {
  World world(4, 16);
  world.filling = false;
  world.down = {1};
  world.Run(70 * kSecond);
  world.down = {1, 2};  // in the same AZ; perhaps a successor, too
  world.Run(70 * kSecond);
  world.filling = true;
  world.Run(120 * kSecond);
  EXPECT_EQ(world.SeatsOf(1), 0U);
  EXPECT_EQ(world.SeatsOf(2), 0U);
  EXPECT_EQ(world.Changing(), 0U);
}

TEST(RepairPlannerTest, ASuccessorThatDiesIsReplaced) {
  World world(4, 4);
  world.filling = false;
  world.down = {1};
  world.Run(62 * kSecond);
  ASSERT_GT(world.Changing(), 0U);
  std::set<uint32_t> successors;
  for (const Group& group : world.geometry_.groups) {
    for (const Seat& seat : group.seats) {
      if (seat.changing()) {
        successors.insert(world.geometry_.nodes[seat.successor].node.value());
      }
    }
  }
  world.down.insert(*successors.begin());
  world.Run(70 * kSecond);
  world.filling = true;
  world.Run(60 * kSecond);
  EXPECT_EQ(world.SeatsOf(1), 0U);
  EXPECT_EQ(world.Changing(), 0U);
}

TEST(RepairPlannerTest, DrainsToTheLastSegment) {
  World world(3, 12);
  const size_t seats = world.SeatsOf(4);
  world.SetDraining(4, true);
  const auto orders = world.Run(60 * kSecond);
  EXPECT_EQ(orders.size(), seats);
  EXPECT_EQ(world.SeatsOf(4), 0U);
  EXPECT_TRUE(world.Run(60 * kSecond).empty());
}

TEST(RepairPlannerTest, ChangesOneSeatOfAGroupAtATime) {
  World world(3, 1);  // World::Check looks at every order
  world.filling = false;
  for (const size_t seat : {0U, 2U, 4U}) {
    const Slot holder = world.geometry_.groups[0].seats[seat].holder;
    world.SetDraining(world.geometry_.nodes[holder].node.value(), true);
  }
  world.Run(10 * kSecond);
  EXPECT_EQ(world.Changing(), 1U);  // INV-RPR-2
  EXPECT_EQ(world.planner().Report().wanted, 3U);
  world.filling = true;
  world.Run(10 * kSecond);
  EXPECT_EQ(world.planner().Report().wanted, 0U);
}

TEST(RepairPlannerTest, DrainsNothingWhileOthersAreMissing) {
  World world(3, 12);
  world.down = {7};
  world.Run(3 * kSecond);
  world.SetDraining(4, true);
  for (const RepairOrder& order : world.Run(50 * kSecond)) {
    const Group& group = world.geometry_.group(order.pg);
    EXPECT_EQ(group.Members() & SegmentBit(world.SlotOf(7)), 0U);  // INV-RPR-3
  }
}

TEST(RepairPlannerTest, ADrainGivesWayToWrites) {
  World world(3, 1);
  world.filling = false;
  const Slot holder = world.geometry_.groups[0].seats[0].holder;
  world.SetDraining(world.geometry_.nodes[holder].node.value(), true);
  world.Run(10 * kSecond);
  ASSERT_EQ(world.Changing(), 1U);
  // An AZ goes: with a successor that is not full only three seats can acknowledge.
  for (const Seat& seat : world.geometry_.groups[0].seats) {
    if (world.geometry_.nodes[seat.holder].az == "az3") {
      world.down.insert(world.geometry_.nodes[seat.holder].node.value());
    }
  }
  const auto orders = world.Run(4 * kSecond);
  ASSERT_EQ(orders.size(), 1U);
  EXPECT_EQ(orders[0].kind, Kind::kWithdraw);
}

TEST(RepairPlannerTest, BalancesTowardsANewNodeAndStops) {
  World world(3, 18);
  world.AddNode(10, "az1");
  std::vector<RepairOrder> orders;
  for (int i = 0; i < 200; ++i) {
    const auto now = world.Run(kStep);
    EXPECT_LE(now.size(), 1U);
    orders.insert(orders.end(), now.begin(), now.end());
  }
  EXPECT_GE(world.SeatsOf(10), 6U);
  EXPECT_EQ(orders.size(), world.SeatsOf(10));
  EXPECT_TRUE(world.Run(100 * kSecond).empty());
}

TEST(RepairPlannerTest, DoesNotBalanceWhileANodeIsAway) {
  World world(3, 18);
  world.down = {5};
  world.Run(3 * kSecond);
  world.AddNode(10, "az1");
  EXPECT_TRUE(world.Run(40 * kSecond).empty());
}

TEST(RepairPlannerTest, WaitsForAnAzThatIsGone) {
  World world(2, 4);
  world.down = {1, 2};
  EXPECT_TRUE(world.Run(600 * kSecond).empty());
  EXPECT_EQ(world.planner().Report().wanted, 8U);
  EXPECT_NE(world.planner().Report().blocked.find("az1"), std::string::npos);
  world.down = {};
  EXPECT_TRUE(world.Run(60 * kSecond).empty());
  EXPECT_EQ(world.planner().Report().wanted, 0U);
}

TEST(RepairPlannerTest, OneLeftInTheAzTakesOneSeatOfAGroup) {
  World world(3, 6);
  world.down = {1, 2};
  world.Run(120 * kSecond);
  for (const Group& group : world.geometry_.groups) {
    EXPECT_NE(group.Members() & SegmentBit(world.SlotOf(3)), 0U);
  }
  EXPECT_NE(world.planner().Report().blocked, "");
}

TEST(RepairPlannerTest, ControlThatStartsAnewGoesOn) {
  World world(3, 12);
  world.filling = false;
  world.down = {1};
  world.Run(70 * kSecond);
  ASSERT_EQ(world.Changing(), 4U);
  world.RestartControl();
  EXPECT_TRUE(world.Run(50 * kSecond).empty());  // its patience begins again
  EXPECT_EQ(world.Changing(), 4U);
  world.filling = true;
  world.Run(60 * kSecond);
  EXPECT_EQ(world.SeatsOf(1), 0U);
}

TEST(RepairPlannerTest, RepeatsWhatHasNoEffect) {
  World world(3, 1);
  world.writer_listens = false;
  const uint32_t holder =
      world.geometry_.nodes[world.geometry_.groups[0].seats[0].holder].node.value();
  world.down = {holder};
  const auto orders = world.Run(64 * kSecond);
  ASSERT_GE(orders.size(), 2U);
  EXPECT_EQ(orders[0], orders[1]);
  EXPECT_LE(orders.size(), 6U);
}

TEST(RepairPlannerTest, APauseOfControlIsNoSilenceOfNodes) {
  World world(3, 6);
  world.down = {1};
  world.Run(30 * kSecond);
  world.now_us += 3600 * kSecond;
  EXPECT_TRUE(world.Run(20 * kSecond).empty());
}

}  // namespace
}  // namespace borealis::control
