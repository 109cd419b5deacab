// The geometry from the writer's side: growth, seats that change hands, and openers that find
// versions half decided. On scripted nodes.
#include "tests/unit/storage_client/scripted_volume.h"

namespace borealis::storage_client {
namespace {

constexpr PgId kPg0{0};
constexpr PgId kPg1{1};
constexpr PgId kPg2{2};

PageNo PageOf(PgId pg) {
  return PageNo(pg.value() * kScriptedPagesPerPg + 1);
}

std::set<uint32_t> NodesOf(const Geometry& geometry, SegmentSet slots) {
  std::set<uint32_t> nodes;
  for (; slots != 0; slots &= slots - 1) {
    nodes.insert(geometry.nodes[static_cast<size_t>(std::countr_zero(slots))].node.value());
  }
  return nodes;
}

std::set<uint32_t> HoldersOf(const Geometry& geometry, PgId pg) {
  return NodesOf(geometry, geometry.group(pg).Holders());
}

bool IsOf(const Frame& frame, MessageType type) {
  return frame.type == static_cast<uint16_t>(type);
}

// Groups that the frame's append carries records of.
std::set<uint32_t> GroupsIn(const Frame& frame) {
  std::set<uint32_t> groups;
  msg::AppendRequest request;
  if (IsOf(frame, MessageType::kAppendRequest) && ParseBody(frame, &request)) {
    for (const msg::AppendPart& part : request.parts()) {
      groups.insert(part.pg());
    }
  }
  return groups;
}

SeatOrder Replace(PgId pg, uint32_t holder, uint32_t successor) {
  return {SeatOrder::Kind::kReplace, pg, NodeId(holder), NodeId(successor)};
}
SeatOrder Withdraw(PgId pg, uint32_t holder) {
  return {SeatOrder::Kind::kWithdraw, pg, NodeId(holder), NodeId(0)};
}

// A volume made on nodes 1 to 6, then nodes 7 and 8 in AZ c and 9 in AZ b; one record is durable.
class SeatTest : public ::testing::Test {
 protected:
  SeatTest() : world_(2) {
    world_.AddMachine(NodeId(7), 'c');
    world_.AddMachine(NodeId(8), 'c');
    world_.AddMachine(NodeId(9), 'b');
    writer_ = world_.OpenWriter(true);
    for (uint32_t node : {7, 8, 9}) {
      EXPECT_TRUE(writer_->core().AddNode(world_.node(node).self(), world_.now_us).ok());
      writer_->ReportConnections();
      world_.seeds.push_back(world_.node(node).self());
    }
    Write();
  }
  // A record of group 0; true when it became durable.
  bool Write(PgId pg = kPg0) {
    const Lsn end = writer_->Append(PageOf(pg));
    world_.Settle(*writer_);
    return writer_->core().vdl() == end;
  }
  Status Order(const SeatOrder& order) {
    const Status status = writer_->core().OrderSeat(order, world_.now_us);
    world_.Settle(*writer_);
    return status;
  }
  // The writer dies and another opens the volume.
  void FailOver() {
    world_.gone.insert(writer_.get());
    dead_.push_back(std::move(writer_));
    writer_ = world_.OpenWriter();
  }
  std::set<uint32_t> Holders() const { return HoldersOf(writer_->geometry(), kPg0); }
  std::set<uint32_t> Members() const {
    return NodesOf(writer_->geometry(), writer_->geometry().group(kPg0).Members());
  }

  ScriptedVolume world_;
  std::unique_ptr<ScriptedWriter> writer_;
  std::vector<std::unique_ptr<ScriptedWriter>> dead_;
};

TEST_F(SeatTest, ADeadHolderIsReplacedWhenTheSuccessorIsFull) {
  world_.TakeDown(6);
  EXPECT_TRUE(Order(Replace(kPg0, 6, 7)).ok());
  EXPECT_EQ(Holders(), (std::set<uint32_t>{1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(Members(), (std::set<uint32_t>{1, 2, 3, 4, 5, 6, 7}));
  EXPECT_TRUE(Write());  // nothing waits for the dead one or for the empty one
  world_.Settle(*writer_);
  EXPECT_EQ(writer_->core().changing_seats(), 1U) << "it lacks what was written before it came";
  world_.Fill(7, kPg0);
  EXPECT_TRUE(Write());
  EXPECT_EQ(writer_->core().changing_seats(), 0U);
  EXPECT_EQ(Holders(), (std::set<uint32_t>{1, 2, 3, 4, 5, 7}));
  // Every node that answers knows that it is decided, the spare ones, too.
  for (const auto& [id, node] : world_.nodes()) {
    const bool has_it = node.geometry().version == writer_->geometry().version;
    EXPECT_EQ(has_it && node.knows_decided(), id != NodeId(6)) << id.value();
  }
  // Who comes back is told, and has no seat any more.
  world_.BringUp(6);
  world_.Settle(*writer_);
  EXPECT_FALSE(world_.node(6).Has(kPg0));
  EXPECT_TRUE(Write());
}

TEST_F(SeatTest, ASuccessorInAGroupThatNobodyWritesToIsSeenWhileTheRestIsBusy) {
  EXPECT_TRUE(Write(kPg1));
  const uint32_t successor = 7;  // it gets a seat in group 0 first, and so never rests
  world_.TakeDown(6);
  EXPECT_TRUE(Order(Replace(kPg0, 6, successor)).ok());
  world_.Fill(successor, kPg0);
  EXPECT_TRUE(Write());
  EXPECT_TRUE(Order(Replace(kPg1, 6, successor)).ok());
  EXPECT_EQ(writer_->core().changing_seats(), 1U);
  world_.Fill(successor, kPg1);
  for (int i = 0; i < 200; ++i) {  // two seconds without a pause
    writer_->Append(PageOf(kPg0));
    world_.now_us += 10'000;
    world_.Run();
    writer_->core().OnTimer(world_.now_us);
    world_.Run();
  }
  EXPECT_EQ(writer_->core().changing_seats(), 0U);
  EXPECT_TRUE(HoldersOf(writer_->geometry(), kPg1).contains(successor));
}

TEST_F(SeatTest, WithdrawingEndsASuccessionThatNeverFills) {
  EXPECT_TRUE(Order(Replace(kPg0, 6, 7)).ok());
  EXPECT_TRUE(Order(Replace(kPg0, 6, 7)).ok()) << "idempotent";
  EXPECT_TRUE(Order(Replace(kPg0, 6, 8)).Is(Code::kInvalidArgument));
  EXPECT_TRUE(Write());
  EXPECT_EQ(writer_->core().changing_seats(), 1U);
  EXPECT_TRUE(Order(Withdraw(kPg0, 6)).ok());
  EXPECT_TRUE(Order(Withdraw(kPg0, 6)).ok()) << "idempotent";
  EXPECT_EQ(Members(), (std::set<uint32_t>{1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(writer_->core().changing_seats(), 0U);
  EXPECT_FALSE(world_.node(7).Has(kPg0)) << "dropped when the withdrawal was decided";
  // Again with another: it must not be taken for complete by what the first one had.
  EXPECT_TRUE(Order(Replace(kPg0, 6, 8)).ok());
  EXPECT_EQ(writer_->core().changing_seats(), 1U);
  world_.Fill(8, kPg0);
  EXPECT_TRUE(Write());
  EXPECT_EQ(Holders(), (std::set<uint32_t>{1, 2, 3, 4, 5, 8}));
}

TEST_F(SeatTest, ASuccessorThatCameAgainStartsFromNothing) {
  EXPECT_TRUE(Order(Replace(kPg0, 6, 7)).ok());
  world_.is_lost = [](NodeId, const Frame& frame) { return !GroupsIn(frame).empty(); };
  world_.Fill(7, kPg0);  // complete, but it goes before anybody knows
  writer_->core().OrderSeat(Withdraw(kPg0, 6), world_.now_us).IgnoreError();
  world_.Settle(*writer_);
  ASSERT_FALSE(world_.node(7).Has(kPg0));
  EXPECT_TRUE(Order(Replace(kPg0, 6, 7)).ok());
  world_.Settle(*writer_);
  EXPECT_EQ(Holders(), (std::set<uint32_t>{1, 2, 3, 4, 5, 6}));
  world_.is_lost = nullptr;
  world_.Fill(7, kPg0);
  EXPECT_TRUE(Write());
  EXPECT_EQ(Holders(), (std::set<uint32_t>{1, 2, 3, 4, 5, 7}));
}

TEST_F(SeatTest, TwoSeatsChangeAtOnceAndASecondFailureInTheMiddleStopsNothing) {
  world_.TakeDown(6);
  EXPECT_TRUE(Order(Replace(kPg0, 6, 7)).ok());
  EXPECT_TRUE(Write());
  world_.TakeDown(4);
  EXPECT_TRUE(Order(Replace(kPg0, 4, 9)).ok());
  EXPECT_EQ(writer_->core().changing_seats(), 2U);
  EXPECT_TRUE(Write());
  world_.Fill(9, kPg0);
  EXPECT_TRUE(Write());
  EXPECT_EQ(Holders(), (std::set<uint32_t>{1, 2, 3, 5, 6, 9}));
  world_.Fill(7, kPg0);
  EXPECT_TRUE(Write());
  EXPECT_EQ(Holders(), (std::set<uint32_t>{1, 2, 3, 5, 7, 9}));
  // Two of the new six may go.
  world_.TakeDown(1);
  world_.TakeDown(2);
  EXPECT_TRUE(Write());
}

TEST_F(SeatTest, OrdersThatCannotBeCarriedOutSayWhy) {
  const auto refused = [&](const SeatOrder& order, const std::string& why) {
    const Status status = Order(order);
    EXPECT_TRUE(status.Is(Code::kInvalidArgument));
    EXPECT_NE(status.ToString().find(why), std::string::npos) << status.ToString();
  };
  refused(Replace(PgId(99), 6, 7), "no protection group 99");
  refused(Replace(kPg0, 7, 8), "node 7 has no seat");
  refused(Replace(kPg0, 6, 77), "node 77 is not known");
  refused(Replace(kPg0, 6, 5), "node 5 has a seat");
  refused(Replace(kPg0, 6, 9), "availability zone");
  refused(Withdraw(kPg0, 8), "node 8 has no seat");
  EXPECT_EQ(writer_->core().changing_seats(), 0U);
}

// A writer that takes over finds the succession and finishes it.
TEST_F(SeatTest, ASuccessionOutlivesItsWriter) {
  world_.TakeDown(6);
  EXPECT_TRUE(Order(Replace(kPg0, 6, 7)).ok());
  EXPECT_TRUE(Write());
  FailOver();
  EXPECT_EQ(writer_->core().changing_seats(), 1U);
  EXPECT_TRUE(Write());
  EXPECT_EQ(writer_->core().changing_seats(), 1U);
  world_.Fill(7, kPg0);
  EXPECT_TRUE(Write());
  EXPECT_EQ(Holders(), (std::set<uint32_t>{1, 2, 3, 4, 5, 7}));
}

// INV-GEO-1, INV-GEO-3: a proposal that some nodes have is found or not; both are right, and what
// an opener decides holds against it from then on.
TEST_F(SeatTest, AnOpenerFindsAProposalOrNotAndBothAreRight) {
  for (const bool is_found : {true, false}) {
    const Geometry before = writer_->geometry();
    const std::set<uint32_t> members_before = Members();
    // The proposal reaches node 1 alone, and the writer dies.
    world_.is_lost = [](NodeId node, const Frame& frame) {
      return IsOf(frame, MessageType::kGeometryUpdate) && node != NodeId(1);
    };
    EXPECT_TRUE(Order(Replace(kPg0, 6, is_found ? 7 : 8)).ok() || !is_found);
    EXPECT_EQ(writer_->geometry(), before) << "nobody acts on a proposal";
    ASSERT_GT(world_.node(1).geometry().version, before.version);
    world_.is_lost = nullptr;
    if (!is_found) {
      world_.TakeDown(1);
    }
    FailOver();
    EXPECT_EQ(Members() != members_before, is_found);
    EXPECT_GT(writer_->geometry().version, before.version);
    EXPECT_EQ(writer_->geometry().version.epoch, writer_->core().epoch());
    EXPECT_TRUE(Write());
    if (is_found) {
      EXPECT_TRUE(Order(Withdraw(kPg0, 6)).ok());
    } else {
      // The proposal of the dead writer is no more when its node comes back.
      world_.BringUp(1);
      world_.Settle(*writer_);
      EXPECT_EQ(world_.node(1).geometry().version, writer_->geometry().version);
    }
  }
}

// A seat that was handed over in a version that only a minority knows of: whichever way the next
// opener goes, it finds what was acknowledged last.
TEST_F(SeatTest, AcknowledgedRecordsAreFoundWhicheverVersionAnOpenerFinds) {
  for (const uint32_t hears_of_it : {1U, 7U, 6U}) {
    SCOPED_TRACE(hears_of_it);
    ScriptedVolume& world = world_;
    EXPECT_TRUE(Order(Replace(kPg0, 6, 7)).ok());
    // Acknowledged by nodes 1, 2, 3 and the changing seat: both 6 and 7 have it.
    world.is_lost = [&](NodeId node, const Frame& frame) {
      const bool is_far = node == NodeId(4) || node == NodeId(5);
      return (is_far && !GroupsIn(frame).empty()) ||
             (IsOf(frame, MessageType::kGeometryUpdate) && node != NodeId(hears_of_it));
    };
    world.Fill(7, kPg0);
    const Lsn end = writer_->Append(PageOf(kPg0));
    world.Settle(*writer_);
    ASSERT_EQ(writer_->core().vdl(), end);
    world.is_lost = nullptr;
    // Three of the nodes that have it are gone.
    world.TakeDown(1);
    world.TakeDown(hears_of_it == 6 ? 7 : 6);
    world.gone.insert(writer_.get());
    dead_.push_back(std::move(writer_));
    writer_ = world.OpenWriter();
    EXPECT_GE(writer_->core().vdl(), end);
    world.BringUp(1);
    world.BringUp(6);
    world.BringUp(7);
    FailOver();
    EXPECT_GE(writer_->core().vdl(), end);
    // Back to six with node 6.
    if (Holders().contains(7)) {
      EXPECT_TRUE(Order(Replace(kPg0, 7, 6)).ok());
      world.Fill(6, kPg0);
      EXPECT_TRUE(Write());
    } else {
      EXPECT_TRUE(Order(Withdraw(kPg0, 6)).ok());
    }
    EXPECT_EQ(Members(), (std::set<uint32_t>{1, 2, 3, 4, 5, 6}));
  }
}

TEST_F(SeatTest, AWriteCountsForAChangingSeatOnlyWithTheSuccessor) {
  EXPECT_TRUE(Order(Replace(kPg0, 6, 7)).ok());
  world_.TakeDown(4);
  world_.TakeDown(5);
  EXPECT_FALSE(Write()) << "three nodes and the old holder have it";
  world_.Fill(7, kPg0);
  for (int i = 0; i < 3; ++i) {
    world_.Settle(*writer_);
  }
  EXPECT_TRUE(Write());
}

// INV-GEO-3
TEST_F(SeatTest, AnOpenerTakesTheHighestVersionThatAnybodyTells) {
  world_.is_lost = [](NodeId node, const Frame& frame) {
    return IsOf(frame, MessageType::kGeometryUpdate) && node == NodeId(1);
  };
  EXPECT_TRUE(Order(Replace(kPg0, 6, 7)).ok());
  const Geometry decided = writer_->geometry();
  ASSERT_LT(world_.node(1).geometry().version, decided.version);
  world_.is_lost = nullptr;
  FailOver();  // node 1 is the first to answer
  EXPECT_EQ(writer_->geometry().groups, decided.groups);
  EXPECT_GT(writer_->geometry().version, decided.version);
}

TEST_F(SeatTest, AnOpeningThatCountedOnTheOnlyCopyBeginsAnewWhenThatIsGone) {
  const Lsn durable = writer_->core().vdl();
  world_.is_lost = [](NodeId node, const Frame& frame) {
    return IsOf(frame, MessageType::kAppendRequest) && node != NodeId(1);
  };
  writer_->Append(PageOf(kPg0));
  world_.Settle(*writer_);
  ASSERT_GT(world_.node(1).Scl(kPg0), durable);
  world_.is_lost = nullptr;
  world_.gone.insert(writer_.get());
  dead_.push_back(std::move(writer_));
  world_.delivered = [&](NodeId node, const Frame& frame) {
    if (node == NodeId(1) && IsOf(frame, MessageType::kTruncateRequest)) {
      world_.node(1).LoseAbove(kPg0, durable);  // after its answer to the seal
    }
  };
  writer_ = world_.NewWriter();
  world_.Start(*writer_);
  for (int i = 0; i < 4 && !writer_->opened().has_value(); ++i) {
    world_.Settle(*writer_);
  }
  ASSERT_TRUE(writer_->opened().has_value()) << writer_->core().DescribeOpening();
  EXPECT_EQ(writer_->opened()->vdl, durable);
  EXPECT_TRUE(Write());
}

TEST_F(SeatTest, OfTwoOpenersOneGetsTheVolume) {
  EXPECT_TRUE(Order(Replace(kPg0, 6, 7)).ok());
  auto one = world_.NewWriter();
  auto other = world_.NewWriter();
  world_.Start(*one, VolumeEpoch(9));
  world_.Start(*other, VolumeEpoch(9));
  world_.Settle(*one);
  world_.Settle(*other);
  EXPECT_NE(one->opened().has_value(), other->opened().has_value());
  EXPECT_TRUE((one->opened() ? other : one)->failure().Is(Code::kFenced));
}

// Nine nodes, three in each AZ, unless a test wants more.
class GrowthTest : public ::testing::Test {
 protected:
  explicit GrowthTest(uint32_t nodes_in_az = 3) : world_(nodes_in_az) {
    writer_ = world_.OpenWriter(true);
  }
  bool Write(PgId pg) {
    const Lsn end = writer_->Append(PageOf(pg));
    world_.Settle(*writer_);
    return writer_->core().vdl() == end;
  }
  ScriptedVolume world_;
  std::unique_ptr<ScriptedWriter> writer_;
  std::vector<std::unique_ptr<ScriptedWriter>> dead_;
};

TEST_F(GrowthTest, GroupsComeAheadOfNeedInDifferentPlacesAndTheNextOpenerFindsThem) {
  EXPECT_EQ(writer_->geometry().groups.size(), 1U);
  EXPECT_TRUE(Write(kPg0));
  EXPECT_EQ(writer_->geometry().groups.size(), 2U);
  EXPECT_TRUE(Write(kPg1));
  EXPECT_TRUE(Write(kPg2));
  EXPECT_EQ(writer_->geometry().groups.size(), 4U);
  const Geometry geometry = writer_->geometry();
  EXPECT_NE(HoldersOf(geometry, kPg0), HoldersOf(geometry, kPg1));
  const Lsn end = writer_->core().vdl();

  // The next one knows three of the nodes only, which is enough to hear of all.
  world_.gone.insert(writer_.get());
  world_.seeds.erase(world_.seeds.begin() + 1, world_.seeds.begin() + 7);
  auto next = world_.OpenWriter();
  ASSERT_TRUE(next->opened().has_value());
  EXPECT_EQ(next->opened()->vdl, end);
  ASSERT_EQ(next->geometry().groups.size(), geometry.groups.size());
  for (uint32_t pg = 0; pg < 4; ++pg) {
    EXPECT_EQ(HoldersOf(next->geometry(), PgId(pg)), HoldersOf(geometry, PgId(pg)));
    EXPECT_EQ(next->opened()->groups.at(PgId(pg)).tail == Lsn(0), pg == 3);
  }
}

TEST_F(GrowthTest, NodesAreSentOnlyWhatTheyHold) {
  std::map<NodeId, std::set<uint32_t>> sent;
  world_.delivered = [&](NodeId node, const Frame& frame) { sent[node].merge(GroupsIn(frame)); };
  for (PgId pg : {kPg0, kPg1, kPg2, kPg1, kPg0}) {
    EXPECT_TRUE(Write(pg));
  }
  for (uint32_t pg = 0; pg < 3; ++pg) {
    std::set<uint32_t> got;
    for (const auto& [node, groups] : sent) {
      if (groups.contains(pg)) {
        got.insert(node.value());
      }
    }
    EXPECT_EQ(got, HoldersOf(writer_->geometry(), PgId(pg))) << pg;
  }
}

// INV-GEO-1
TEST_F(GrowthTest, RecordsOfAGroupGoOutOnlyWhenItIsDecided) {
  world_.is_lost = [](NodeId node, const Frame& frame) {
    return IsOf(frame, MessageType::kGeometryUpdate) && node.value() > 4;
  };
  bool was_sent = false;
  world_.delivered = [&](NodeId, const Frame& frame) { was_sent |= GroupsIn(frame).contains(1); };
  EXPECT_TRUE(Write(kPg0));
  EXPECT_FALSE(Write(kPg1));
  EXPECT_FALSE(Write(kPg0)) << "the log is one line";
  EXPECT_FALSE(was_sent);
  EXPECT_EQ(writer_->geometry().groups.size(), 1U);
  world_.is_lost = nullptr;
  EXPECT_TRUE(Write(kPg0));
  EXPECT_TRUE(was_sent);
  EXPECT_EQ(writer_->geometry().groups.size(), 3U);
}

TEST_F(GrowthTest, AGroupIsMadeAndUsedWhileANodeIsDown) {
  EXPECT_TRUE(Write(kPg0));
  // With six nodes left the down one is not chosen; with five it is, as there is no other.
  world_.TakeDown(1);
  writer_->core().OnNodeDown(writer_->SlotOf(NodeId(1)), world_.now_us);
  EXPECT_TRUE(Write(kPg1));
  EXPECT_FALSE(HoldersOf(writer_->geometry(), kPg2).contains(1));
  world_.TakeDown(2);
  writer_->core().OnNodeDown(writer_->SlotOf(NodeId(2)), world_.now_us);
  EXPECT_TRUE(Write(kPg2));
  ASSERT_EQ(writer_->geometry().groups.size(), 4U);
  EXPECT_TRUE(Write(PgId(3)));
  EXPECT_TRUE(Write(PgId(4)));
}

TEST_F(GrowthTest, DrainingNodesGetNoNewGroupsAndAnAzKeepsTwoThatDo) {
  EXPECT_TRUE(writer_->core().SetDraining(NodeId(2), true, world_.now_us).ok());
  const Status refused = writer_->core().SetDraining(NodeId(3), true, world_.now_us);
  EXPECT_TRUE(refused.Is(Code::kInvalidArgument)) << refused.ToString();
  EXPECT_TRUE(
      writer_->core().SetDraining(NodeId(77), true, world_.now_us).Is(Code::kInvalidArgument));
  for (PgId pg : {kPg0, kPg1, kPg2}) {
    EXPECT_TRUE(Write(pg));
  }
  for (uint32_t pg = 1; pg < 4; ++pg) {
    EXPECT_FALSE(HoldersOf(writer_->geometry(), PgId(pg)).contains(2)) << pg;
  }
  // The next writer knows.
  world_.gone.insert(writer_.get());
  auto next = world_.OpenWriter();
  EXPECT_TRUE(next->geometry().nodes[next->SlotOf(NodeId(2))].draining);
}

TEST_F(GrowthTest, ChangesAskedForTogetherBecomeOneVersion) {
  EXPECT_TRUE(Write(kPg0));
  const Geometry before = writer_->geometry();
  // The first goes out alone; the others gather behind it.
  for (uint32_t holder : {1, 4, 7}) {
    EXPECT_TRUE(writer_->core().OrderSeat(Replace(kPg0, holder, holder + 2), world_.now_us).ok());
  }
  writer_->geometries_decided = 0;
  world_.Run();
  EXPECT_EQ(writer_->geometries_decided, 2U);
  EXPECT_EQ(writer_->geometry().version.number, before.version.number + 2);
  EXPECT_EQ(writer_->core().changing_seats(), 3U);
}

TEST_F(GrowthTest, NodesThatCannotBeAddedAreRefused) {
  StorageNodeAddress moved = world_.node(1).self();
  moved.az = "elsewhere";
  EXPECT_TRUE(writer_->core().AddNode(moved, world_.now_us).Is(Code::kInvalidArgument));
  StorageNodeAddress lengthy{NodeId(50), "a", std::string(300, 'h'), 1, false};
  EXPECT_TRUE(writer_->core().AddNode(lengthy, world_.now_us).Is(Code::kInvalidArgument));
  world_.AddMachine(NodeId(10), 'a');
  EXPECT_TRUE(writer_->core().AddNode(world_.node(10).self(), world_.now_us).ok());
  writer_->ReportConnections();
  world_.Settle(*writer_);
  EXPECT_TRUE(writer_->geometry().SlotOf(NodeId(10)).has_value());
  EXPECT_EQ(world_.node(10).geometry().version, writer_->geometry().version);
}

TEST_F(GrowthTest, ANodeThatDoesNotKnowItsSeatIsToldAndGetsTheRecords) {
  EXPECT_TRUE(Write(kPg0));
  const uint32_t deaf = *HoldersOf(writer_->geometry(), kPg1).begin();
  world_.is_lost = [&](NodeId node, const Frame& frame) {
    return IsOf(frame, MessageType::kGeometryUpdate) && node == NodeId(deaf);
  };
  EXPECT_TRUE(Write(kPg2));
  world_.is_lost = nullptr;
  EXPECT_TRUE(Write(kPg1));
  world_.Settle(*writer_);
  EXPECT_EQ(world_.node(deaf).Scl(kPg1),
            world_.node(*HoldersOf(writer_->geometry(), kPg1).rbegin()).Scl(kPg1));
  EXPECT_TRUE(world_.node(deaf).knows_decided());
}

TEST_F(GrowthTest, AnOpeningWaitsForTheGroupThatLacksAQuorumAndNamesIt) {
  for (PgId pg : {kPg0, kPg1, kPg2}) {
    EXPECT_TRUE(Write(pg));
  }
  // Four holders of group 1, of which the root group needs one.
  const std::set<uint32_t> root = HoldersOf(writer_->geometry(), kPg0);
  std::set<uint32_t> others = HoldersOf(writer_->geometry(), kPg1);
  std::erase_if(others, [&](uint32_t node) { return root.contains(node); });
  ASSERT_EQ(others.size(), 3U);
  world_.gone.insert(writer_.get());
  for (uint32_t node : others) {
    world_.TakeDown(node);
  }
  uint32_t fourth = 0;
  for (uint32_t node : HoldersOf(writer_->geometry(), kPg1)) {
    fourth = root.contains(node) ? node : fourth;
  }
  world_.TakeDown(fourth);
  auto next = world_.NewWriter();
  world_.Start(*next);
  world_.Settle(*next);
  EXPECT_FALSE(next->opened().has_value());
  EXPECT_NE(next->core().DescribeOpening().find("protection group 1: 2 of 6 segments answered"),
            std::string::npos)
      << next->core().DescribeOpening();
  world_.BringUp(fourth);
  for (uint32_t node : others) {
    world_.BringUp(node);
  }
  world_.Settle(*next);
  EXPECT_TRUE(next->opened().has_value());
}

TEST_F(GrowthTest, AnOpenerThatDiesHalfWayLeavesEitherVersionToTheNext) {
  for (PgId pg : {kPg0, kPg1}) {
    EXPECT_TRUE(Write(pg));
  }
  const Lsn end = writer_->core().vdl();
  const Geometry before = writer_->geometry();
  for (const uint32_t reached : {0U, 1U, 3U}) {
    // Its truncations, which carry the geometry, reach a few nodes.
    uint32_t left = reached;
    world_.is_lost = [&](NodeId, const Frame& frame) {
      return IsOf(frame, MessageType::kTruncateRequest) && (left == 0 || left-- == 0);
    };
    auto dying = world_.NewWriter();
    world_.Start(*dying);
    world_.Run();
    EXPECT_FALSE(dying->opened().has_value());
    world_.gone.insert(dying.get());
    world_.is_lost = nullptr;
    auto next = world_.OpenWriter();
    ASSERT_TRUE(next->opened().has_value());
    EXPECT_EQ(next->opened()->vdl, end);
    EXPECT_EQ(next->geometry().groups, before.groups);
    EXPECT_GT(next->geometry().version, before.version);
    world_.gone.insert(next.get());
    dead_.push_back(std::move(dying));
    dead_.push_back(std::move(next));
  }
}

// Twelve nodes, four in each AZ: groups 0 and 1 share none.
class ApartTest : public GrowthTest {
 protected:
  ApartTest() : GrowthTest(4) {
    EXPECT_TRUE(Write(kPg0) && Write(kPg1) && Write(kPg0));
    EXPECT_EQ(HoldersOf(writer_->geometry(), kPg0), (std::set<uint32_t>{1, 2, 5, 6, 9, 10}));
    EXPECT_EQ(HoldersOf(writer_->geometry(), kPg1), (std::set<uint32_t>{3, 4, 7, 8, 11, 12}));
  }
  void LoseAppends(std::set<uint32_t> to_nodes) {
    world_.is_lost = [to_nodes](NodeId node, const Frame& frame) {
      return to_nodes.contains(node.value()) && !GroupsIn(frame).empty();
    };
  }
};

// INV-GEO-2: a record may have its write quorum before the succession is decided while the VDL,
// held up by another group, is still below it. The successor needs it all the same.
TEST_F(ApartTest, ASuccessorNeedsAllThatCountedWithoutIt) {
  LoseAppends({3, 4, 7});
  writer_->Append(PageOf(kPg1));  // on three nodes only
  world_.Run();
  LoseAppends({3, 4, 7, 6, 10});
  const Lsn counted = writer_->Append(PageOf(kPg0));
  world_.Run();
  ASSERT_LT(writer_->core().vdl(), counted);
  ASSERT_TRUE(writer_->core().OrderSeat(Replace(kPg0, 10, 12), world_.now_us).ok());
  world_.Run();
  ASSERT_EQ(writer_->core().changing_seats(), 1U);
  // Node 12 gets what node 6 has: all up to the VDL at which the succession was decided.
  world_.node(12).TakeFrom(world_.node(6), kPg0);
  LoseAppends({6, 10});
  world_.Settle(*writer_);
  ASSERT_GE(writer_->core().vdl(), counted) << "the VDL has passed it meanwhile";
  EXPECT_TRUE(Write(kPg0));  // and from node 12's answer we hear what it has
  ASSERT_GT(world_.node(12).Scl(kPg0), Lsn(0));
  ASSERT_LT(world_.node(12).Scl(kPg0), counted);
  EXPECT_TRUE(HoldersOf(writer_->geometry(), kPg0).contains(10));
  world_.is_lost = nullptr;
  world_.Fill(12, kPg0);
  EXPECT_TRUE(Write(kPg0));
  EXPECT_EQ(HoldersOf(writer_->geometry(), kPg0), (std::set<uint32_t>{1, 2, 5, 6, 9, 12}));
}

TEST_F(ApartTest, ASuccessorDoesNotCountForAReadQuorum) {
  ASSERT_TRUE(writer_->core().OrderSeat(Replace(kPg1, 12, 9), world_.now_us).ok());
  world_.Settle(*writer_);
  ASSERT_EQ(writer_->core().changing_seats(), 1U);
  for (uint32_t node : {3, 4, 7, 8}) {
    world_.TakeDown(node);
  }
  auto opener = world_.NewWriter();
  world_.Start(*opener);
  world_.Settle(*opener);  // of group 1 two holders and the successor answer
  EXPECT_FALSE(opener->opened().has_value());
  EXPECT_NE(
      opener->core().DescribeOpening().find("protection group 1: 2 of 6 segments answered, 3"),
      std::string::npos)
      << opener->core().DescribeOpening();
  world_.BringUp(3);
  world_.BringUp(4);
  world_.Settle(*opener);
  EXPECT_TRUE(opener->opened().has_value());
}

// A node that lost its seat while it was away keeps what it had, which nobody keeps whole any more.
TEST_F(ApartTest, LeftoversOfFormerMembersCountForNothing) {
  world_.TakeDown(10);
  ASSERT_TRUE(writer_->core().OrderSeat(Replace(kPg0, 10, 12), world_.now_us).ok());
  world_.Settle(*writer_);
  world_.Fill(12, kPg0);
  ASSERT_TRUE(Write(kPg0));
  ASSERT_TRUE(HoldersOf(writer_->geometry(), kPg0).contains(12));
  const Lsn end = writer_->core().vdl();
  world_.gone.insert(writer_.get());
  for (uint32_t node : {1, 2}) {
    world_.TakeDown(node);
  }
  world_.BringUp(10);
  ASSERT_TRUE(world_.node(10).Has(kPg0));
  auto next = world_.OpenWriter();
  ASSERT_TRUE(next->opened().has_value());
  EXPECT_EQ(next->opened()->vdl, end);
  EXPECT_FALSE(HoldersOf(next->geometry(), kPg0).contains(10));
  EXPECT_FALSE(world_.node(10).Has(kPg0)) << "and it is dropped";
}

TEST(VolumeMakingTest, OnlyWhoMayMakesAVolumeAndOnlyOnce) {
  ScriptedVolume world(2);
  auto stranger = world.NewWriter();
  world.Start(*stranger);
  world.Settle(*stranger);
  EXPECT_FALSE(stranger->opened().has_value());
  EXPECT_NE(
      stranger->core().DescribeOpening().find("no storage node that answered knows the volume"),
      std::string::npos)
      << stranger->core().DescribeOpening();
  // Two nodes are not a read quorum of the group that would be the first.
  for (uint32_t node : {1, 2, 3, 4}) {
    world.TakeDown(node);
  }
  auto maker = world.NewWriter(true);
  world.Start(*maker);
  world.Settle(*maker);
  EXPECT_FALSE(maker->opened().has_value());
  for (uint32_t node : {1, 2, 3, 4}) {
    world.BringUp(node);
  }
  world.Settle(*maker);
  ASSERT_TRUE(maker->opened().has_value());
  EXPECT_EQ(maker->geometry().pages_per_pg, kScriptedPagesPerPg);
  const Lsn end = maker->Append(PageNo(1));
  world.Settle(*maker);
  // Whoever comes now finds it, also when it might make one.
  world.gone.insert(maker.get());
  auto next = world.OpenWriter(true);
  ASSERT_TRUE(next->opened().has_value());
  EXPECT_EQ(next->opened()->vdl, end);
}

}  // namespace
}  // namespace borealis::storage_client
