// One node: chain and SCL, group commit, seal and fencing, annulled ranges, restarts, failures.
#include "storage_node/node.h"

#include "base/obs/log.h"
#include "tests/unit/storage_node/test_cluster.h"

namespace borealis::storage_node {
namespace {

[[maybe_unused]] const bool kQuiet = [] {
  OpenLog("", "storage_node_test", LogLevel::kError);
  return true;
}();

using Operation = SimFileSystem::Operation;

TEST(NodeTest, SclFollowsBackLinksWhateverTheOrder) {
  TestCluster cluster(1);
  cluster.BootAll();
  TestLog log;
  std::vector<std::string> records;
  for (int i = 0; i < 5; ++i) {
    records.push_back(log.MakeWrite(PageNo(3), 100, std::string(1, static_cast<char>('a' + i))));
  }
  const auto end = [&](size_t i) { return ViewVerifiedRecord(records[i]).end; };
  EXPECT_EQ(cluster.Append({records[0]}, 1).segments(0).scl(), end(0).value());
  EXPECT_EQ(cluster.Append({records[3]}, 1).segments(0).scl(), end(0).value());
  EXPECT_EQ(cluster.Append({records[2]}, 1).segments(0).scl(), end(0).value());
  EXPECT_EQ(cluster.Append({records[0]}, 1).segments(0).scl(), end(0).value());
  EXPECT_EQ(cluster.Append({records[1]}, 1).segments(0).scl(), end(3).value());
  EXPECT_EQ(cluster.Append({records[4], records[4]}, 1).segments(0).scl(), end(4).value());
  cluster.ExpectPage(log, PageNo(3), log.end());
  cluster.ExpectPage(log, PageNo(3), end(2));
}

TEST(NodeTest, EachGroupHasItsOwnChain) {
  TestCluster cluster(1);
  cluster.BootAll();
  TestLog log;
  const std::string a = log.MakeWrite(PageNo(1), 100, "a");
  const std::string b = log.MakeWrite(PageNo(kTestPagesPerPg + 1), 100, "b");
  const std::string c = log.MakeWrite(PageNo(1), 100, "c");
  const auto reply = cluster.Append({b, c}, 1);
  ASSERT_EQ(reply.segments_size(), 2);
  EXPECT_EQ(reply.segments(0).scl(), 0U);
  EXPECT_EQ(reply.segments(1).scl(), ViewVerifiedRecord(b).end.value());
  EXPECT_EQ(cluster.Append({a}, 1).segments(0).scl(), ViewVerifiedRecord(c).end.value());
}

// INV-NOD-1: nothing is acknowledged before its flush, and a flush carries all that gathered.
TEST(NodeTest, GroupCommit) {
  TestCluster cluster(1);
  cluster.BootAll();
  TestLog log;
  cluster.SendAppend({log.MakeWrite(PageNo(1), 100, "a")}, 1);
  for (int i = 0; i < 10; ++i) {
    cluster.SendAppend({log.MakeWrite(PageNo(1 + 64 * static_cast<uint64_t>(i % 3)), 100, "b")}, 1);
  }
  EXPECT_TRUE(cluster.machine().sent.empty());
  const uint64_t flushes = cluster.files().Count(Operation::kSync);
  EXPECT_TRUE(cluster.RunWork(0, Lane::kJournal));
  EXPECT_EQ(cluster.machine().sent.size(), 1U);
  EXPECT_TRUE(cluster.RunWork(0, Lane::kJournal));
  EXPECT_EQ(cluster.machine().sent.size(), 11U);
  EXPECT_FALSE(cluster.RunWork(0, Lane::kJournal));
  // Two batches, and the first file's preparation.
  EXPECT_EQ(cluster.files().Count(Operation::kSync) - flushes, 3U);
}

TEST(NodeTest, SealFencesOlderWritersDurably) {
  TestCluster cluster(1);
  cluster.BootAll();
  TestLog log;
  ASSERT_EQ(cluster.Append({log.MakeWrite(PageNo(1), 100, "a")}, 1, log.end()).outcome(), msg::OK);
  const Lsn vdl = log.end();
  cluster.Append({log.MakeWrite(PageNo(2), 100, "b")}, 1, vdl);
  const auto sealed = cluster.Seal(2);
  ASSERT_EQ(sealed.outcome(), msg::OK);
  EXPECT_EQ(sealed.volume_epoch(), 2U);
  ASSERT_EQ(sealed.segments_size(), 8);
  EXPECT_EQ(sealed.segments(0).scl(), log.end().value());
  EXPECT_EQ(sealed.segments(0).vdl_told(), vdl.value());
  EXPECT_EQ(sealed.segments(0).last_at_vdl_told(), vdl.value());
  const auto tail = ParseTail(sealed.segments(0).tail());
  ASSERT_TRUE(tail.ok());
  ASSERT_EQ(tail->size(), 1U);
  EXPECT_EQ(tail->front().end, log.end());
  cluster.Kill(0);
  ASSERT_TRUE(cluster.Boot(0).ok());
  const auto refused = cluster.Append({log.MakeWrite(PageNo(1), 100, "c")}, 1);
  EXPECT_EQ(refused.outcome(), msg::FENCED);
  EXPECT_EQ(refused.volume_epoch(), 2U);
  EXPECT_EQ(cluster.Seal(1).outcome(), msg::FENCED);
  EXPECT_EQ(cluster.Seal(2).outcome(), msg::OK);
  const auto refusal = cluster.Seal(2, 0, /*opener=*/2);
  EXPECT_EQ(refusal.outcome(), msg::FENCED);
  EXPECT_EQ(refusal.geometry(), EncodeGeometry(cluster.geometry));
  EXPECT_EQ(cluster.Seal(3, 0, /*opener=*/2).outcome(), msg::OK);
}

// An append that is being flushed while a seal comes must not be acknowledged after it, as the
// opener does not know of it.
TEST(NodeTest, AppendUnderWayIsFencedByASeal) {
  TestCluster cluster(1);
  cluster.BootAll();
  TestLog log;
  cluster.SendAppend({log.MakeWrite(PageNo(1), 100, "a")}, 1);
  msg::SealRequest request;
  request.set_volume_id(kVolume.value());
  request.set_epoch(2);
  cluster.node().OnFrame(TestCluster::kClient, MakeFrame(MessageType::kSealRequest, 9, request));
  EXPECT_TRUE(cluster.RunWork(0, Lane::kManifest));
  const auto sealed = cluster.Take<msg::SealReply>();
  EXPECT_EQ(sealed.outcome(), msg::OK);
  EXPECT_EQ(sealed.segments(0).scl(), 0U);
  EXPECT_TRUE(cluster.RunWork(0, Lane::kJournal));
  EXPECT_EQ(cluster.Take<msg::AppendReply>().outcome(), msg::FENCED);
}

TEST(NodeTest, TruncationVoidsTheTailAndTheChainJumpsTheGap) {
  for (const bool restart : {false, true}) {
    for (const bool layers : {false, true}) {
      TestCluster cluster(1);
      cluster.config.table_bytes = layers ? 1 : 1 << 20;
      cluster.BootAll();
      TestLog log;
      std::vector<std::string> records;
      for (int i = 0; i < 6; ++i) {
        records.push_back(log.MakeWrite(PageNo(1), 100 + static_cast<size_t>(i), "x"));
      }
      const Lsn vdl = ViewVerifiedRecord(records[2]).end;
      cluster.Append({records[0], records[1], records[2]}, 1);
      cluster.Append({records[3], records[5]}, 1, vdl);  // and a hole
      cluster.Pass(100'000);
      EXPECT_EQ(cluster.Summary().layer_count, layers ? 1U : 0U);
      ASSERT_EQ(cluster.Seal(2).outcome(), msg::OK);
      const Lsn start = vdl + 100'000;
      const auto truncated = cluster.Truncate(2, vdl, start);
      ASSERT_EQ(truncated.outcome(), msg::OK);
      EXPECT_EQ(truncated.segments(0).scl(), vdl.value());
      if (restart) {
        cluster.Kill(0, /*lose_all=*/true);
        ASSERT_TRUE(cluster.Boot(0).ok());
        EXPECT_EQ(cluster.Scl(), vdl);
      }
      const std::string late = records[3];
      log.Reopen(2, vdl, start);
      const std::string next = log.MakeWrite(PageNo(1), 200, "y");
      EXPECT_EQ(cluster.Append({next}, 2).segments(0).scl(), log.end().value());
      EXPECT_EQ(cluster.Append({late}, 2).segments(0).scl(), log.end().value());
      cluster.ExpectPage(log, PageNo(1), log.end());
      EXPECT_EQ(cluster.Seal(3).segments(0).scl(), log.end().value());
    }
  }
}

// A node that missed the truncation learns from the new writer's chain what was annulled.
TEST(NodeTest, RecordsOfALaterEpochCutAChainThatWasAnnulled) {
  TestCluster cluster(1);
  cluster.BootAll();
  TestLog log;
  cluster.Append({log.MakeWrite(PageNo(1), 100, "valid")}, 1);
  const Lsn vdl = log.end();
  cluster.Append({log.MakeWrite(PageNo(1), 100, "void1"), log.MakeWrite(PageNo(2), 100, "void2")},
                 1, vdl);
  log.Reopen(2, vdl, vdl + 50'000);
  // Told a VDL that covers the void records, the node must not take them for settled.
  cluster.Append({}, 2, vdl + 40'000);
  EXPECT_EQ(cluster.Seal(2).segments(0).vdl_told(), 0U);
  Page page;
  EXPECT_EQ(cluster.Read(PageNo(1), vdl + 40'000, vdl, &page, 0, 2).outcome(), msg::NOT_COMPLETE);
  const std::string first = log.MakeWrite(PageNo(3), 100, "new");
  EXPECT_EQ(cluster.Append({first}, 2).segments(0).scl(), log.end().value());
  cluster.ExpectPage(log, PageNo(1), log.end());
  cluster.ExpectPage(log, PageNo(2), log.end());
  cluster.Kill(0);
  ASSERT_TRUE(cluster.Boot(0).ok());
  EXPECT_EQ(cluster.Scl(), log.end());
  cluster.ExpectPage(log, PageNo(1), log.end());
}

// The later opening's list says that an earlier, unfinished one does not count.
TEST(NodeTest, AListOfALaterEpochReplacesWhatAnOpeningLeftBehind) {
  TestCluster cluster(1);
  cluster.BootAll();
  TestLog log;
  const std::string a = log.MakeWrite(PageNo(1), 100, "a");
  const std::string b = log.MakeWrite(PageNo(1), 101, "b");
  const Lsn end_a = ViewVerifiedRecord(a).end;
  const Lsn end_b = ViewVerifiedRecord(b).end;
  cluster.Append({a, b}, 1);
  EXPECT_EQ(cluster.Truncate(2, end_a, end_a + 10'000).segments(0).scl(), end_a.value());
  EXPECT_EQ(cluster.Append({b}, 2).segments(0).scl(), end_a.value());
  EXPECT_EQ(cluster.Truncate(3, end_b, end_b + 10'000).segments(0).scl(), end_a.value());
  EXPECT_EQ(cluster.Append({b}, 3).segments(0).scl(), end_b.value());
  EXPECT_EQ(cluster.Truncate(2, end_a, end_a + 10'000).outcome(), msg::FENCED);
}

TEST(NodeTest, MalformedAppendsChangeNothing) {
  TestCluster cluster(1);
  cluster.BootAll();
  TestLog log;
  std::string record = log.MakeWrite(PageNo(1), 100, "a");
  for (size_t i = 0; i < record.size(); ++i) {
    std::string bad = record;
    bad[i] = static_cast<char>(bad[i] ^ 0x10);
    Frame frame = cluster.AppendFrame({record}, 1);
    frame.attachments = {SharedBytes(bad)};
    cluster.node().OnFrame(TestCluster::kClient, frame);
    EXPECT_EQ(cluster.Take<msg::AppendReply>().outcome(), msg::MALFORMED) << i;
  }
  TestLog later(5);
  EXPECT_EQ(cluster.Append({later.MakeWrite(PageNo(1), 100, "x")}, 4).outcome(), msg::MALFORMED);
  EXPECT_EQ(cluster.Scl(), Lsn(0));
}

TEST(NodeTest, TwoRecordsAtOnePlaceTakeTheNodeOutOfService) {
  TestCluster cluster(1);
  cluster.BootAll();
  TestLog one;
  TestLog other;
  cluster.Append({one.MakeWrite(PageNo(1), 100, "a")}, 1);
  EXPECT_EQ(cluster.Append({other.MakeWrite(PageNo(1), 100, "b")}, 1).outcome(),
            msg::OUT_OF_SERVICE);
  EXPECT_FALSE(cluster.node().in_service());
}

// INV-NOD-4.
TEST(NodeTest, AfterAFailedFlushNothingOfTheBatchCounts) {
  for (uint64_t seed = 1; seed < 30; ++seed) {
    TestCluster cluster(1, seed);
    cluster.BootAll();
    TestLog log;
    cluster.Append({log.MakeWrite(PageNo(1), 100, "a")}, 1);
    const Lsn durable = log.end();
    cluster.files().FailNth(seed % 2 == 0 ? Operation::kSync : Operation::kWrite, 1, "journal");
    const auto reply = cluster.Append({log.MakeWrite(PageNo(1), 100, "b")}, 1);
    EXPECT_EQ(reply.outcome(), msg::OUT_OF_SERVICE);
    EXPECT_NE(reply.reason().find("simulated"), std::string::npos);
    EXPECT_EQ(cluster.Scl(), durable);
    EXPECT_EQ(cluster.Append({log.MakeWrite(PageNo(1), 100, "c")}, 1).outcome(),
              msg::OUT_OF_SERVICE);
    EXPECT_EQ(cluster.Seal(2).outcome(), msg::OUT_OF_SERVICE);
    cluster.ExpectPage(log, PageNo(1), durable);
    // Restarted without a crash it must make durable what it finds before it counts.
    ASSERT_TRUE(cluster.Boot(0).ok());
    const Lsn found = cluster.Scl();
    EXPECT_GE(found, durable);
    cluster.Kill(0, /*lose_all=*/true);
    ASSERT_TRUE(cluster.Boot(0).ok());
    EXPECT_EQ(cluster.Scl(), found);
  }
}

TEST(NodeTest, AcknowledgedRecordsSurviveEveryCrash) {
  for (uint64_t seed = 1; seed < 60; ++seed) {
    TestCluster cluster(1, seed);
    cluster.config.table_bytes = 4096;
    cluster.config.journal_file_bytes = 16384;
    Random random(seed);
    const uint64_t errors = LogErrorCount();
    cluster.BootAll();
    TestLog log;
    Lsn acknowledged;
    for (int round = 0; round < 12; ++round) {
      for (uint64_t i = random.Below(8); i > 0; --i) {
        cluster.SendAppend({log.MakeRandom(random, 20)}, 1, acknowledged);
        if (random.Chance(0.5)) {
          cluster.RunWork(0, Lane::kJournal);
        }
        while (!cluster.machine().sent.empty()) {
          const auto reply = cluster.Take<msg::AppendReply>();
          ASSERT_EQ(reply.outcome(), msg::OK) << reply.reason();
          acknowledged = std::max(acknowledged, Lsn(reply.segments(0).scl()));
        }
        if (random.Chance(0.3)) {
          cluster.clock.now_us += 10'000;
          cluster.node().OnTimer();
          for (uint64_t w = random.Below(4); w > 0; --w) {
            cluster.RunWork(0, random.Chance(0.5) ? Lane::kLayers : Lane::kManifest);
          }
        }
      }
      cluster.Kill(0);
      ASSERT_TRUE(cluster.Boot(0).ok()) << seed << cluster.node().out_of_service_reason();
      ASSERT_EQ(LogErrorCount(), errors) << seed;  // no damage is seen where there is none
      ASSERT_GE(cluster.Scl(), acknowledged) << "seed " << seed;
      for (uint64_t page = 0; page < 20; ++page) {
        cluster.ExpectPage(log, PageNo(page), acknowledged);
      }
      // What was never flushed is sent again.
      std::vector<std::string> all;
      for (auto at = log.records().upper_bound(cluster.Scl()); at != log.records().end(); ++at) {
        all.push_back(at->second);
      }
      if (!all.empty()) {
        acknowledged = Lsn(cluster.Append(all, 1).segments(0).scl());
        ASSERT_EQ(acknowledged, log.end());
      }
    }
  }
}

TEST(NodeTest, RefusesTheDirectoryOfAnotherNode) {
  TestCluster cluster(2);
  ASSERT_TRUE(cluster.Boot(0).ok());
  TestClock clock;
  NodeConfig config = cluster.config;
  config.node = NodeId(9);
  Node other(config, cluster.machine(0), cluster.files(0), clock);
  EXPECT_FALSE(other.Open().ok());
  EXPECT_FALSE(other.in_service());
}

}  // namespace
}  // namespace borealis::storage_node
