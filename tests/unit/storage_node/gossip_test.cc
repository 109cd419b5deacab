// Peers: holes and absences filled by gossip, lost disks and damaged journals mended.
#include "base/obs/log.h"
#include "tests/unit/storage_node/test_cluster.h"

namespace borealis::storage_node {
namespace {

TEST(GossipTest, HolesFillWithoutAWriter) {
  TestCluster cluster(6);
  cluster.BootAll();
  TestLog log;
  Random random(5);
  // Each record reaches a random four of six.
  for (int i = 0; i < 200; ++i) {
    const std::string record = log.MakeRandom(random, 150);
    std::vector<size_t> nodes = {0, 1, 2, 3, 4, 5};
    for (int k = 0; k < 4; ++k) {
      const size_t at = random.Below(nodes.size());
      cluster.node(nodes[at]).OnFrame(TestCluster::kClient, cluster.AppendFrame({record}, 1));
      nodes.erase(nodes.begin() + static_cast<ptrdiff_t>(at));
    }
    cluster.Settle();
  }
  cluster.Pass(5'000'000);
  for (size_t i = 0; i < 6; ++i) {
    for (uint32_t pg = 0; pg < 3; ++pg) {
      EXPECT_EQ(cluster.Scl(PgId(pg), i), log.last_of(PgId(pg))) << i;
    }
    cluster.machine(i).sent.clear();
    for (uint64_t page = 0; page < 150; page += 7) {
      cluster.ExpectPage(log, PageNo(page), log.end(), i);
    }
  }
}

TEST(GossipTest, ANodeThatWasDownCatchesUpFromLayers) {
  TestCluster cluster(2);
  cluster.config.table_bytes = 3000;
  cluster.config.fetch_bytes = 2000;
  cluster.BootAll();
  TestLog log;
  Random random(5);
  cluster.Kill(1);
  for (int i = 0; i < 300; ++i) {
    cluster.Append({log.MakeRandom(random, 20)}, 1, log.end());
    cluster.Pass(20'000);
  }
  EXPECT_GT(cluster.Summary().layered_up_to, Lsn(0));
  ASSERT_TRUE(cluster.Boot(1).ok());
  cluster.Pass(3'000'000);
  EXPECT_EQ(cluster.Scl(PgId(0), 1), log.end());
  EXPECT_EQ(cluster.Summary(PgId(0), 1).horizon, Lsn(0));
  for (uint64_t page = 0; page < 20; ++page) {
    for (int i = 0; i < 5; ++i) {
      cluster.ExpectPage(
          log, PageNo(page),
          std::next(log.records().begin(), static_cast<ptrdiff_t>(random.Below(300)))->first, 1);
    }
  }
}

// Records merged away at the peer: pages are copied, the rest comes as records.
TEST(GossipTest, ANodeThatWasDownTooLongCopiesPages) {
  TestCluster cluster(2);
  cluster.config.table_bytes = 3000;
  cluster.config.retain_log_bytes = 0;
  cluster.config.merge_layers = 2;
  cluster.config.image_after_records = 2;
  cluster.config.fetch_bytes = 3 * kPageSize;
  cluster.BootAll();
  TestLog log;
  Random random(5);
  for (int i = 0; i < 20; ++i) {
    const std::string record = log.MakeRandom(random, 20);
    cluster.Append({record}, 1, log.end(), 0);
    cluster.Append({record}, 1, log.end(), 1);
  }
  cluster.Kill(1);
  for (int i = 0; i < 300; ++i) {
    cluster.Append({log.MakeRandom(random, 20)}, 1, log.end(), 0, log.end());
    cluster.Pass(20'000);
  }
  ASSERT_TRUE(cluster.Boot(1).ok());
  cluster.Pass(4'000'000);
  EXPECT_EQ(cluster.Scl(PgId(0), 1), log.end());
  EXPECT_GT(cluster.Summary(PgId(0), 1).horizon, Lsn(0));
  for (uint64_t page = 0; page < 20; ++page) {
    cluster.ExpectPage(log, PageNo(page), log.end(), 1);
  }
  // And goes on from there.
  for (int i = 0; i < 50; ++i) {
    const std::string record = log.MakeRandom(random, 20);
    cluster.Append({record}, 1, log.end(), 0);
    cluster.Append({record}, 1, log.end(), 1);
    cluster.Pass(20'000);
  }
  cluster.Kill(1);
  ASSERT_TRUE(cluster.Boot(1).ok());
  for (uint64_t page = 0; page < 20; ++page) {
    cluster.ExpectPage(log, PageNo(page), log.end(), 1);
  }
}

TEST(GossipTest, EpochsAndAnnulledRangesSpread) {
  TestCluster cluster(3);
  cluster.BootAll();
  TestLog log;
  const std::string a = log.MakeWrite(PageNo(1), 100, "a");
  const std::string b = log.MakeWrite(PageNo(1), 100, "b");
  const Lsn vdl = ViewVerifiedRecord(a).end;
  for (size_t i = 0; i < 3; ++i) {
    cluster.Append({a, b}, 1, Lsn(0), i);
  }
  cluster.cut = [](NodeId, NodeId) { return true; };
  ASSERT_EQ(cluster.Seal(2, 0).outcome(), msg::OK);
  ASSERT_EQ(cluster.Truncate(2, vdl, vdl + 1000, 0).outcome(), msg::OK);
  cluster.Pass(1'000'000);
  EXPECT_EQ(cluster.Scl(PgId(0), 1), ViewVerifiedRecord(b).end);
  cluster.cut = nullptr;
  cluster.Pass(1'000'000);
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(cluster.Scl(PgId(0), i), vdl);
    EXPECT_EQ(cluster.node(i).epoch(kVolume), VolumeEpoch(2));
    EXPECT_EQ(cluster.Append({b}, 1, Lsn(0), i).outcome(), msg::FENCED);
  }
  cluster.Kill(2, /*lose_all=*/true);
  ASSERT_TRUE(cluster.Boot(2).ok());
  EXPECT_EQ(cluster.node(2).epoch(kVolume), VolumeEpoch(2));
  EXPECT_EQ(cluster.Scl(PgId(0), 2), vdl);
}

// INV-NOD-7: an empty directory promises nothing until its peers have told it enough.
TEST(GossipTest, ALostDiskIsMendedBeforeItPromisesAnything) {
  TestCluster cluster(6);
  cluster.config.table_bytes = 4000;
  cluster.BootAll();
  cluster.config.new_cluster = false;
  TestLog log;
  Random random(5);
  for (int i = 0; i < 100; ++i) {
    const std::string record = log.MakeRandom(random, 20);
    for (size_t k = 0; k < 6; ++k) {
      cluster.Append({record}, 1, log.end(), k);
    }
  }
  for (size_t k = 0; k < 3; ++k) {
    ASSERT_EQ(cluster.Seal(5, k).outcome(), msg::OK);
  }
  cluster.LoseDisk(0);
  cluster.LoseDisk(3);
  cluster.Kill(4);
  ASSERT_TRUE(cluster.Boot(0).ok());
  ASSERT_TRUE(cluster.Boot(3).ok());
  cluster.Pass(2'000'000);
  // 1, 2 and 5 are no amnesiacs; four are needed, or all.
  EXPECT_TRUE(cluster.node(0).amnesiac());
  EXPECT_EQ(cluster.Seal(6, 0).outcome(), msg::OUT_OF_SERVICE);
  EXPECT_EQ(cluster.Append({log.MakeRandom(random, 20)}, 5, Lsn(0), 0).outcome(),
            msg::OUT_OF_SERVICE);
  EXPECT_EQ(cluster.Scl(PgId(0), 0), log.NeededAt(PgId(0), log.end() - 1));
  ASSERT_TRUE(cluster.Boot(4).ok());
  cluster.Pass(2'000'000);
  EXPECT_FALSE(cluster.node(0).amnesiac());
  EXPECT_FALSE(cluster.node(3).amnesiac());
  EXPECT_EQ(cluster.node(0).epoch(kVolume), VolumeEpoch(5));
  EXPECT_EQ(cluster.Seal(4, 0).outcome(), msg::FENCED);
}

// INV-JRN-3: the last batch that was acknowledged, too, once there was time to write one after it.
TEST(GossipTest, DamageToTheLastBatchIsNotTakenForATornWrite) {
  TestCluster cluster(6);
  cluster.BootAll();
  TestLog log;
  for (int i = 0; i < 10; ++i) {
    const std::string record = log.MakeWrite(PageNo(1), 100, "x");
    for (size_t k = 0; k < 6; ++k) {
      cluster.Append({record}, 1, log.end(), k);
    }
  }
  cluster.Pass(200'000);
  cluster.Kill(0);
  cluster.files().FlipBit("disk/journal-0000000001", 9 * 4096 + 60, 3);
  cluster.cut = [](NodeId, NodeId) { return true; };
  ASSERT_TRUE(cluster.Boot(0).ok());
  EXPECT_TRUE(cluster.node(0).amnesiac());
  EXPECT_EQ(cluster.Seal(2, 0).outcome(), msg::OUT_OF_SERVICE);
  cluster.cut = nullptr;
  cluster.Pass(2'000'000);
  EXPECT_FALSE(cluster.node(0).amnesiac());
  EXPECT_EQ(cluster.Scl(PgId(0), 0), log.end());
}

TEST(GossipTest, ADamagedJournalMakesAnAmnesiacThatIsMended) {
  uint64_t mended = 0;
  for (uint64_t seed = 1; seed <= 30; ++seed) {
    SCOPED_TRACE(seed);
    TestCluster cluster(6, seed);
    cluster.BootAll();
    TestLog log;
    Random random(seed);
    for (int i = 0; i < 60; ++i) {
      const std::string record = log.MakeRandom(random, 20);
      for (size_t k = 0; k < 6; ++k) {
        cluster.Append({record}, 1, log.end(), k);
      }
    }
    const std::string last = log.MakeRandom(random, 20);
    cluster.Append({last}, 1, log.end(), 0);
    cluster.Kill(0);
    cluster.files().FlipBit("disk/journal-0000000001", random.Below(60 * 4096),
                            static_cast<int>(random.Below(8)));
    cluster.cut = [](NodeId, NodeId) { return true; };
    ASSERT_TRUE(cluster.Boot(0).ok());
    if (!cluster.node(0).amnesiac()) {
      EXPECT_EQ(cluster.Scl(PgId(0), 0), log.end());  // the flip hit padding
      continue;
    }
    EXPECT_EQ(cluster.Seal(2, 0).outcome(), msg::OUT_OF_SERVICE);
    if (seed % 2 == 0) {
      cluster.Kill(0);
      ASSERT_TRUE(cluster.Boot(0).ok());
      EXPECT_TRUE(cluster.node(0).amnesiac());
    }
    cluster.cut = nullptr;
    cluster.Pass(2'000'000);
    EXPECT_FALSE(cluster.node(0).amnesiac());
    EXPECT_EQ(cluster.Scl(PgId(0), 0), log.end());
    ++mended;
    // The damage is behind it: a restart finds a clean journal and needs nobody.
    cluster.cut = [](NodeId, NodeId) { return true; };
    cluster.Kill(0);
    const uint64_t errors = LogErrorCount();
    ASSERT_TRUE(cluster.Boot(0).ok());
    EXPECT_FALSE(cluster.node(0).amnesiac());
    EXPECT_EQ(LogErrorCount(), errors);
    EXPECT_EQ(cluster.Scl(PgId(0), 0), log.end());
    cluster.cut = nullptr;
    for (uint64_t page = 0; page < 20; ++page) {
      cluster.ExpectPage(log, PageNo(page), log.end(), 0);
    }
  }
  EXPECT_GT(mended, 0U);
}

}  // namespace
}  // namespace borealis::storage_node
