// Geometry at a node: versions kept and told, seats taken and left, mending by groups.
#include "tests/unit/storage_node/test_cluster.h"

namespace borealis::storage_node {
namespace {

constexpr uint64_t kFirstOfPg1 = kTestPagesPerPg;

Geometry Next(Geometry geometry, uint64_t epoch = 1) {
  geometry.version = {VolumeEpoch(epoch),
                      epoch == geometry.version.epoch.value() ? geometry.version.number + 1 : 1};
  return geometry;
}
std::vector<uint64_t> LayerFiles(TestCluster& cluster, size_t index) {
  std::vector<uint64_t> numbers;
  for (const std::string& name : cluster.files(index).List("disk").value()) {
    if (LayerFileNumber(name) != 0) {
      numbers.push_back(LayerFileNumber(name));
    }
  }
  return numbers;
}
bool HasSegment(TestCluster& cluster, PgId pg, size_t index) {
  const auto segments = cluster.node(index).Segments();
  return std::any_of(segments.begin(), segments.end(),
                     [pg](const SegmentSummary& segment) { return segment.pg == pg; });
}

TEST(GeometryTest, TheHighestVersionIsKeptDurablyBeforeItIsAnsweredFor) {
  TestCluster cluster(1);
  cluster.BootAll();
  const Geometry second = Next(cluster.geometry);
  cluster.node().OnFrame(
      TestCluster::kClient,
      MakeFrame(MessageType::kGeometryUpdate, 1, TestCluster::GeometryUpdate(second, false, 1)));
  EXPECT_TRUE(cluster.machine().sent.empty());  // not durable yet
  EXPECT_TRUE(cluster.RunWork(0, Lane::kManifest));
  const auto reply = cluster.Take<msg::GeometryReply>();
  EXPECT_EQ(reply.outcome(), msg::OK);
  EXPECT_EQ(reply.version_number(), 2U);
  // A lower one changes nothing, and is told what is held.
  EXPECT_EQ(cluster.TellGeometry(cluster.geometry, true).version_number(), 2U);
  cluster.Kill(0, /*lose_all=*/true);
  ASSERT_TRUE(cluster.Boot(0).ok());
  EXPECT_EQ(cluster.node().geometry_version(kVolume), second.version);
  // INV-GEO-3: the epoch goes first.
  const Geometry third = Next(cluster.geometry, 5);
  EXPECT_EQ(cluster.TellGeometry(third, false, 5).version_epoch(), 5U);
  EXPECT_EQ(cluster.Seal(5).geometry(), EncodeGeometry(third));
  EXPECT_EQ(cluster.TellGeometry(Next(second), false, 4).outcome(), msg::FENCED);
  EXPECT_EQ(cluster.TellGeometry(Next(third, 5), false, 0).version_number(), 2U);  // of a peer
}

TEST(GeometryTest, MalformedVersionsAreRefused) {
  TestCluster cluster(1);
  cluster.BootAll();
  Geometry bad = Next(cluster.geometry);
  bad.volume = VolumeId(9);
  EXPECT_EQ(cluster.TellGeometry(bad, true).outcome(), msg::MALFORMED);
  bad = Next(cluster.geometry);
  bad.groups.clear();
  EXPECT_EQ(cluster.TellGeometry(bad, true).outcome(), msg::MALFORMED);
  EXPECT_EQ(cluster.TellGeometry(Next(cluster.geometry, 7), true, 3).outcome(), msg::MALFORMED);
  msg::GeometryUpdate update = TestCluster::GeometryUpdate(Next(cluster.geometry), true, 1);
  update.mutable_geometry()->back() ^= 1;
  EXPECT_EQ(cluster.Ask<msg::GeometryReply>(MessageType::kGeometryUpdate, update).outcome(),
            msg::MALFORMED);
  EXPECT_EQ(cluster.node().geometry_version(kVolume), cluster.geometry.version);
}

// A seal that comes while a version is on its way to the disk: either its opener hears of the
// version, or the writer is not answered for it.
TEST(GeometryTest, AVersionUnderWayIsToldToAnOpenerOrFenced) {
  TestCluster cluster(1);
  cluster.BootAll();
  const Geometry second = Next(cluster.geometry);
  cluster.node().OnFrame(
      TestCluster::kClient,
      MakeFrame(MessageType::kGeometryUpdate, 1, TestCluster::GeometryUpdate(second, false, 1)));
  const auto sealed = cluster.Seal(2);
  EXPECT_EQ(sealed.outcome(), msg::OK);
  EXPECT_EQ(sealed.geometry(), EncodeGeometry(second));
  EXPECT_EQ(cluster.Take<msg::GeometryReply>().outcome(), msg::FENCED);
}

TEST(GeometryTest, ATruncationBringsItsGeometryInOneStep) {
  TestCluster cluster(1);
  ASSERT_TRUE(cluster.Boot(0).ok());
  EXPECT_TRUE(cluster.Seal(1).geometry().empty());
  msg::TruncateRequest request;
  request.set_volume_id(kVolume.value());
  request.mutable_range()->set_up_to(100);
  request.mutable_range()->set_epoch(1);
  request.set_geometry("nonsense");
  EXPECT_EQ(cluster.Ask<msg::TruncateReply>(MessageType::kTruncateRequest, request).outcome(),
            msg::MALFORMED);
  request.set_geometry(EncodeGeometry(cluster.geometry));
  const auto reply = cluster.Ask<msg::TruncateReply>(MessageType::kTruncateRequest, request);
  EXPECT_EQ(reply.outcome(), msg::OK);
  EXPECT_EQ(reply.segments_size(), 8);
  cluster.Kill(0, /*lose_all=*/true);
  ASSERT_TRUE(cluster.Boot(0).ok());
  EXPECT_EQ(cluster.node().geometry_version(kVolume), cluster.geometry.version);
  EXPECT_EQ(cluster.Seal(2).annulled_size(), 1);
}

TEST(GeometryTest, AppendsToGroupsOfOthersAreRefusedAsAWhole) {
  TestCluster cluster(7);
  cluster.geometry.groups[1].seats[0].holder = 6;  // node 7 instead of node 1
  cluster.BootAll();
  TestLog log;
  const std::string ours = log.MakeWrite(PageNo(1), 100, "a");
  const std::string theirs = log.MakeWrite(PageNo(kFirstOfPg1), 100, "b");
  const auto refused = cluster.Append({ours, theirs}, 1);
  EXPECT_EQ(refused.outcome(), msg::NOT_A_MEMBER);
  EXPECT_EQ(refused.segments_size(), 0);
  EXPECT_EQ(cluster.Scl(), Lsn(0));
  EXPECT_EQ(cluster.Append({ours}, 1).outcome(), msg::OK);
  Page page;
  EXPECT_EQ(cluster.Read(PageNo(kFirstOfPg1), log.end(), Lsn(0), &page).outcome(),
            msg::NOT_A_MEMBER);
  EXPECT_EQ(cluster.Append({theirs}, 1, Lsn(0), 6).outcome(), msg::OK);
  EXPECT_EQ(cluster.Append({ours}, 1, Lsn(0), 6).outcome(), msg::NOT_A_MEMBER);
}

// INV-GEO-1, INV-NOD-9.
TEST(GeometryTest, ASegmentGoesOnlyWithADecidedVersion) {
  TestCluster cluster(7);
  cluster.config.table_bytes = 2000;
  cluster.BootAll();
  TestLog log;
  Random random(1);
  for (int i = 0; i < 40; ++i) {
    const std::string record = log.MakeWrite(PageNo(kFirstOfPg1 + random.Below(8)), 100,
                                             std::string(100, static_cast<char>('a' + i % 26)));
    for (size_t k = 0; k < 6; ++k) {
      cluster.Append({record}, 1, log.end(), k);
    }
    cluster.Pass(20'000);
  }
  ASSERT_GT(cluster.Summary(PgId(1)).layer_count, 0U);
  ASSERT_FALSE(LayerFiles(cluster, 0).empty());
  Geometry changed = Next(cluster.geometry);
  changed.groups[1].seats[0].holder = 6;
  EXPECT_EQ(cluster.TellGeometry(changed, /*decided=*/false).outcome(), msg::OK);
  EXPECT_TRUE(HasSegment(cluster, PgId(1), 0));
  cluster.Kill(0);
  ASSERT_TRUE(cluster.Boot(0).ok());
  EXPECT_EQ(cluster.Scl(PgId(1)), log.end());  // by the journal too
  EXPECT_EQ(cluster.TellGeometry(changed, /*decided=*/true).outcome(), msg::OK);
  EXPECT_FALSE(HasSegment(cluster, PgId(1), 0));
  cluster.Pass(100'000);
  EXPECT_TRUE(LayerFiles(cluster, 0).empty());
  cluster.Kill(0);
  ASSERT_TRUE(cluster.Boot(0).ok());
  EXPECT_FALSE(HasSegment(cluster, PgId(1), 0));
  // The others learnt of it by gossip, and the new holder has what the old one had.
  cluster.Pass(3'000'000);
  EXPECT_EQ(cluster.Scl(PgId(1), 6), log.end());
  for (uint64_t page = 0; page < 8; ++page) {
    cluster.ExpectPage(log, PageNo(kFirstOfPg1 + page), log.end(), 6);
  }
}

// The layers of a segment must not go while a manifest that names them may come back.
TEST(GeometryTest, ACrashWhileASegmentIsDroppedLeavesAWholeSegmentOrNone) {
  for (uint64_t seed = 1; seed <= 40; ++seed) {
    SCOPED_TRACE(seed);
    TestCluster cluster(1, seed);
    cluster.config.table_bytes = 2000;
    cluster.BootAll();
    TestLog log;
    Random random(seed);
    for (int i = 0; i < 40; ++i) {
      cluster.Append(
          {log.MakeWrite(PageNo(kFirstOfPg1 + random.Below(8)), 100, std::string(100, 'x'))}, 1,
          log.end());
      cluster.Pass(20'000);
    }
    Geometry changed = Next(cluster.geometry);
    changed.nodes.push_back({NodeId(9), "az", "127.0.0.1", 1, false});
    changed.groups[1].seats[0].holder = 6;
    cluster.node().OnFrame(
        TestCluster::kClient,
        MakeFrame(MessageType::kGeometryUpdate, 1, TestCluster::GeometryUpdate(changed, true, 1)));
    for (uint64_t steps = random.Below(8); steps > 0; --steps) {
      cluster.node().OnTimer();
      cluster.RunWork(0, random.Chance(0.5) ? Lane::kManifest : Lane::kLayers);
    }
    cluster.Kill(0);
    ASSERT_TRUE(cluster.Boot(0).ok());
    if (HasSegment(cluster, PgId(1), 0)) {
      EXPECT_EQ(cluster.Summary(PgId(1)).state, "healthy");
      for (uint64_t page = 0; page < 8; ++page) {
        cluster.ExpectPage(log, PageNo(kFirstOfPg1 + page), log.end());
      }
    } else {
      EXPECT_EQ(cluster.node().geometry_version(kVolume), changed.version);
      cluster.Pass(40'000);
      EXPECT_TRUE(LayerFiles(cluster, 0).empty());
    }
  }
}

// An append whose flush is under way when its group's seat goes.
TEST(GeometryTest, ASeatMayGoWhileRecordsAreOnTheirWay) {
  TestCluster cluster(7);
  cluster.BootAll();
  TestLog log;
  cluster.SendAppend({log.MakeWrite(PageNo(kFirstOfPg1), 100, "a")}, 1);
  Geometry changed = Next(cluster.geometry);
  changed.groups[1].seats[0].holder = 6;
  cluster.node().OnFrame(
      TestCluster::kClient,
      MakeFrame(MessageType::kGeometryUpdate, 99, TestCluster::GeometryUpdate(changed, true, 1)));
  while (cluster.RunWork(0, Lane::kManifest)) {
    cluster.node().OnTimer();
  }
  EXPECT_EQ(cluster.Take<msg::GeometryReply>().outcome(), msg::OK);
  cluster.Settle();
  EXPECT_EQ(cluster.Take<msg::AppendReply>().segments_size(), 0);
  cluster.Pass(1'000'000);
  EXPECT_FALSE(HasSegment(cluster, PgId(1), 0));
}

// A version that reached one node only gets to all, its decision too; addresses with it.
TEST(GeometryTest, VersionsSpreadByGossip) {
  TestCluster cluster(8);  // the last two have no seats
  cluster.BootAll();
  Geometry changed = Next(cluster.geometry);
  changed.nodes[7].port = 4711;
  ASSERT_EQ(cluster.TellGeometry(changed, false, 1, 2).outcome(), msg::OK);
  cluster.Pass(3'000'000);
  for (size_t i = 0; i < 8; ++i) {
    EXPECT_EQ(cluster.node(i).geometry_version(kVolume), changed.version) << i;
  }
  EXPECT_EQ(cluster.machine(0).connected.at(NodeId(8)).port, 4711);
  changed.groups[3].seats[5].successor = 6;
  changed = Next(changed);
  ASSERT_EQ(cluster.TellGeometry(changed, true, 1, 6).outcome(), msg::OK);
  changed.groups[3].seats[5] = {6, kNoSlot};
  changed = Next(changed);
  ASSERT_EQ(cluster.TellGeometry(changed, true, 1, 6).outcome(), msg::OK);
  cluster.Pass(3'000'000);
  EXPECT_FALSE(HasSegment(cluster, PgId(3), 5));
  EXPECT_TRUE(HasSegment(cluster, PgId(3), 6));
}

// Statuses that got lost are made up for at once, not after the round that tells all.
TEST(GeometryTest, LostStatusesAreNoticed) {
  TestCluster cluster(6);
  cluster.BootAll();
  TestLog log;
  cluster.Pass(500'000);
  cluster.cut = [](NodeId, NodeId to) { return to == NodeId(6); };
  const std::string record = log.MakeWrite(PageNo(1), 100, "a");
  for (size_t i = 0; i < 5; ++i) {
    cluster.Append({record}, 1, Lsn(0), i);
  }
  cluster.Pass(200'000);
  cluster.cut = nullptr;
  cluster.Pass(600'000);
  EXPECT_EQ(cluster.Scl(PgId(0), 5), log.end());
}

// INV-NOD-7: what a lost disk held of groups that are elsewhere does not matter, what it held of
// those in which it is a holder does.
TEST(GeometryTest, MendingGoesByTheGroupsOfWhichANodeIsHolder) {
  TestCluster cluster(8);
  // Group 1 is on nodes 2 to 7, node 8 is to succeed to a seat of it.
  cluster.geometry.groups[1].seats[0] = {6, 7};
  cluster.BootAll();
  cluster.config.new_cluster = false;
  TestLog log;
  const std::string root = log.MakeWrite(PageNo(1), 100, "a");
  const std::string other = log.MakeWrite(PageNo(kFirstOfPg1), 100, "b");
  for (size_t i = 0; i < 8; ++i) {
    cluster.Append({root}, 1, Lsn(0), i);
    cluster.Append({other}, 1, Lsn(0), i);
    cluster.machine(i).sent.clear();
  }
  // Node 1 holds only the root group: node 7, without a seat in it, is not needed for it.
  cluster.Kill(6);
  cluster.LoseDisk(0);
  ASSERT_TRUE(cluster.Boot(0).ok());
  EXPECT_EQ(cluster.Append({root}, 1).outcome(), msg::OUT_OF_SERVICE);
  EXPECT_EQ(cluster.TellGeometry(cluster.geometry, true).outcome(), msg::OUT_OF_SERVICE);
  cluster.Pass(3'000'000);
  EXPECT_FALSE(cluster.node(0).amnesiac());
  EXPECT_EQ(cluster.Scl(), ViewVerifiedRecord(root).end);
  // With two of the other holders away only three can tell.
  cluster.Kill(1);
  cluster.Kill(2);
  cluster.LoseDisk(0);
  ASSERT_TRUE(cluster.Boot(0).ok());
  cluster.Pass(3'000'000);
  EXPECT_TRUE(cluster.node(0).amnesiac());
  ASSERT_TRUE(cluster.Boot(1).ok());
  cluster.Pass(3'000'000);
  EXPECT_FALSE(cluster.node(0).amnesiac());
}

// A successor that lost its disk takes appends before it is filled, and answers seals after.
TEST(GeometryTest, ASuccessorNeedsNoMendingToTakeAppends) {
  TestCluster cluster(8);
  cluster.geometry.groups[1].seats[0] = {6, 7};
  cluster.BootAll();
  cluster.config.new_cluster = false;
  TestLog log;
  const std::string first = log.MakeWrite(PageNo(kFirstOfPg1), 100, "a");
  for (size_t i = 1; i < 8; ++i) {
    cluster.Append({first}, 1, Lsn(0), i);
  }
  cluster.LoseDisk(7);
  ASSERT_TRUE(cluster.Boot(7).ok());
  // It hears statuses, but gets no records.
  bool records_lost = true;
  cluster.cut_frame = [&](NodeId, NodeId to, const Frame& frame) {
    return records_lost && to == NodeId(8) &&
           frame.type == static_cast<uint16_t>(MessageType::kFetchRecordsReply);
  };
  cluster.Pass(3'000'000);
  EXPECT_EQ(cluster.Summary(PgId(1), 7).state, "repairing");
  EXPECT_LT(cluster.Summary(PgId(1), 7).repaired, 1.0);
  const std::string second = log.MakeWrite(PageNo(kFirstOfPg1), 100, "b");
  const auto taken = cluster.Append({second}, 1, Lsn(0), 7);
  EXPECT_EQ(taken.outcome(), msg::OK);
  EXPECT_EQ(taken.segments(0).scl(), 0U);
  EXPECT_EQ(cluster.Seal(2, 7).outcome(), msg::OUT_OF_SERVICE);
  EXPECT_TRUE(cluster.node(7).amnesiac());
  records_lost = false;
  cluster.Pass(3'000'000);
  EXPECT_EQ(cluster.Scl(PgId(1), 7), log.end());
  EXPECT_FALSE(cluster.node(7).amnesiac());
  EXPECT_EQ(cluster.Seal(2, 7).outcome(), msg::OK);
}

// A version that was never decided leaves the node without a seat, so that it is mended at once; a
// higher one takes that back, and the node answers for what it had acknowledged before.
TEST(GeometryTest, AnAmnesiacMendedByAVersionThatIsTakenBackHasToBeMendedAgain) {
  TestCluster cluster(8);
  cluster.geometry.groups[1].seats[0] = {6, 7};
  cluster.BootAll();
  cluster.config.new_cluster = false;
  TestLog log;
  const std::string record = log.MakeWrite(PageNo(kFirstOfPg1), 100, "a");
  for (size_t i = 1; i < 8; ++i) {
    cluster.Append({record}, 1, Lsn(0), i);
  }
  Geometry moved = cluster.geometry;
  moved.groups[1].seats[0] = {7, kNoSlot};
  ++moved.version.number;
  cluster.LoseDisk(6);
  for (const size_t i : {0, 1, 2, 3, 4, 5, 7}) {
    ASSERT_EQ(cluster.TellGeometry(moved, /*decided=*/false, 1, i).outcome(), msg::OK);
  }
  ASSERT_TRUE(cluster.Boot(6).ok());
  cluster.Pass(3'000'000);
  ASSERT_FALSE(cluster.node(6).amnesiac());

  bool records_lost = true;
  cluster.cut_frame = [&](NodeId, NodeId to, const Frame& frame) {
    return records_lost && to == NodeId(7) &&
           frame.type == static_cast<uint16_t>(MessageType::kFetchRecordsReply);
  };
  Geometry back = cluster.geometry;
  back.version = {VolumeEpoch(2), 1};
  ASSERT_EQ(cluster.TellGeometry(back, /*decided=*/false, 2, 6).outcome(), msg::OUT_OF_SERVICE);
  EXPECT_EQ(cluster.Seal(3, 6).outcome(), msg::OUT_OF_SERVICE);
  cluster.Kill(6);
  ASSERT_TRUE(cluster.Boot(6).ok());
  EXPECT_EQ(cluster.Seal(3, 6).outcome(), msg::OUT_OF_SERVICE);
  records_lost = false;
  cluster.Pass(3'000'000);
  EXPECT_EQ(cluster.Seal(3, 6).outcome(), msg::OK);
  EXPECT_EQ(cluster.Scl(PgId(1), 6), log.end());
}

TEST(GeometryTest, HeartbeatsAndStatusTellTheFreeSpaceAndTheGeometry) {
  TestCluster cluster(1);
  cluster.BootAll();
  cluster.files().SetCapacity(cluster.files().UsedBytes() + 123'456);
  cluster.Pass(1'100'000);
  const uint64_t free = cluster.Append({}, 1).free_bytes();
  EXPECT_GT(free, 100'000U);
  EXPECT_LE(free, 123'456U);
  msg::NodeStatusRequest request;
  request.set_volume_id(kVolume.value());
  const auto status = cluster.Ask<msg::NodeStatusReply>(MessageType::kNodeStatusRequest, request);
  EXPECT_EQ(status.free_bytes(), free);
  EXPECT_EQ(status.geometry(), EncodeGeometry(cluster.geometry));
}

}  // namespace
}  // namespace borealis::storage_node
