// Space: what pages that were emptied took is given back, and nothing else goes with it; how many
// records a read applies stays bounded.

#include "storage_node/merge.h"
#include "tests/unit/storage_node/test_cluster.h"

namespace borealis::storage_node {
namespace {

// A page's worth of bytes that do not compress.
std::string NoiseImage(Random& random) {
  std::string body(16'000, '\0');
  for (char& byte : body) {
    byte = static_cast<char>(random.Next());
  }
  std::string edits;
  AppendImageEdit(&edits, body);
  return edits;
}

class SpaceTest : public testing::Test {
 protected:
  SpaceTest() : cluster_(1) {
    cluster_.config.table_bytes = 1 << 20;
    cluster_.config.retain_log_bytes = 0;
    cluster_.config.page_cache_pages = 4;
    cluster_.BootAll();
  }
  // With an LSN at which nobody reads older versions any more.
  void Append(const std::string& record, Lsn read_points = Lsn(0)) {
    ASSERT_EQ(cluster_.Append({record}, 1, log_.end(), 0, read_points).outcome(), msg::OK);
  }
  uint64_t LayerBytes() { return cluster_.node().Counters().layer_bytes; }
  // What is in the directory, whatever the node says of it.
  uint64_t LayerFileBytes() {
    uint64_t bytes = 0;
    for (const std::string& name : cluster_.files().List("disk").value()) {
      if (LayerFileNumber(name) != 0) {
        bytes += ReadWholeFile(cluster_.files(), "disk/" + name).value().size();
      }
    }
    return bytes;
  }

  TestCluster cluster_;
  TestLog log_;
  Random random_{1};
};

TEST_F(SpaceTest, WhatEmptiedPagesTookIsGivenBack) {
  // All of a group's pages and of the next one's; then those of the first are freed.
  for (uint64_t page = 0; page < 2 * kTestPagesPerPg; ++page) {
    Append(log_.Make(PageNo(page), NoiseImage(random_)));
  }
  cluster_.Pass(2'000'000);
  const Lsn full = log_.end();
  for (uint64_t page = 0; page < kTestPagesPerPg; ++page) {
    Append(log_.Make(PageNo(page), std::string(kEmptyingEdits)), full);
  }
  // Somebody still reads at `full`: everything stays.
  cluster_.Pass(5'000'000);
  const uint64_t before = LayerFileBytes() + cluster_.node().Counters().journal_bytes;
  for (uint64_t page = 0; page < kTestPagesPerPg; ++page) {
    cluster_.ExpectPage(log_, PageNo(page), full);
    cluster_.ExpectPage(log_, PageNo(page), log_.end());
  }
  // Nobody does any more.
  cluster_.Append({}, 1, log_.end(), 0, log_.end());
  cluster_.Pass(5'000'000);
  const auto segments = cluster_.node().Segments();
  EXPECT_EQ(segments[0].layered_up_to, log_.last_of(PgId(0)));
  EXPECT_EQ(segments[0].horizon, log_.end());
  EXPECT_LT(LayerFileBytes() + (16'000 * kTestPagesPerPg * 9) / 10, before);
  uint64_t emptied_group = 0;
  for (const std::string& name : cluster_.files().List("disk").value()) {
    if (LayerFileNumber(name) != 0) {
      const auto info =
          ParseLayerFooter(ReadWholeFile(cluster_.files(), "disk/" + name).value()).value();
      emptied_group += info.pg == PgId(0) ? info.bytes : 0;
    }
  }
  EXPECT_LT(emptied_group, 16'000 * kTestPagesPerPg / 50);  // two hundredths
  EXPECT_EQ(LayerBytes(), LayerFileBytes());
  Page page;
  for (uint64_t number = 0; number < 2 * kTestPagesPerPg; ++number) {
    cluster_.ExpectPage(log_, PageNo(number), log_.end());
  }
  EXPECT_EQ(cluster_.Read(PageNo(0), full, full, &page).outcome(), msg::COLLECTED);
  EXPECT_EQ(cluster_.node().Counters().logical_bytes, kTestPagesPerPg * kPageSize);
  // Not done again and again.
  const uint64_t merges = cluster_.node().Counters().layer_merges;
  cluster_.Pass(10'000'000);
  EXPECT_EQ(cluster_.node().Counters().layer_merges, merges);
  // The pages may be used again, and a restart changes nothing.
  Append(log_.Make(PageNo(3), NoiseImage(random_)), log_.end());
  cluster_.Kill(0);
  ASSERT_TRUE(cluster_.Boot(0).ok());
  for (uint64_t number = 0; number < 2 * kTestPagesPerPg; ++number) {
    cluster_.ExpectPage(log_, PageNo(number), log_.end());
  }
}

// In a cycle of writing and freeing, what is on disk does not grow.
TEST_F(SpaceTest, ACycleOfWritingAndFreeingDoesNotGrow) {
  uint64_t most = 0;
  for (int round = 0; round < 12; ++round) {
    for (uint64_t page = 0; page < kTestPagesPerPg; ++page) {
      Append(log_.Make(PageNo(page), NoiseImage(random_)), log_.end());
    }
    cluster_.Pass(1'000'000);
    for (uint64_t page = 0; page < kTestPagesPerPg; ++page) {
      Append(log_.Make(PageNo(page), std::string(kEmptyingEdits)), log_.end());
    }
    cluster_.Append({}, 1, log_.end(), 0, log_.end());
    cluster_.Pass(3'000'000);
    most = std::max(most, LayerFileBytes());
  }
  EXPECT_LT(most, 16'000 * kTestPagesPerPg / 50);
}

// What a read takes, at any read point, with a page that is written over and over again.
TEST(ChainTest, NoReadAppliesMoreThanTheStatedNumberOfRecords) {
  TestCluster cluster(1);
  cluster.config.table_bytes = 400'000;
  cluster.config.retain_log_bytes = 0;
  cluster.config.page_cache_pages = 0;
  cluster.BootAll();
  TestLog log;
  Random random(1);
  std::vector<Lsn> points;
  Lsn horizon;
  size_t most_layers = 0;
  for (int i = 0; i < 500; ++i) {
    std::vector<std::string> records;
    for (int k = 0; k < 100; ++k) {  // nine of ten to one page
      records.push_back(log.MakeWrite(PageNo(random.Chance(0.9) ? 0 : 1 + random.Below(20)),
                                      16 + random.Below(16'000), "0123456789"));
    }
    points.push_back(log.end());
    if (random.Chance(0.1)) {
      horizon = std::max(horizon, points[points.size() - 1 - random.Below(points.size())]);
    }
    cluster.Append(records, 1, log.end(), 0, horizon);
    if (i % 20 == 0) {
      cluster.Pass(100'000);
    }
    most_layers = std::max(most_layers, cluster.Summary().layer_count);
    for (int k = 0; k < 2; ++k) {
      const Lsn point = k == 0 ? log.end() : points[random.Below(points.size())];
      if (point < horizon) {
        continue;
      }
      const uint64_t before = cluster.node().Counters().page_read_records;
      cluster.ExpectPage(log, PageNo(0), point);
      const uint64_t applied = cluster.node().Counters().page_read_records - before;
      EXPECT_LE(applied,
                kTableChainMax + kLayerChainMax + most_layers * cluster.config.image_after_records);
    }
    if (random.Chance(0.02)) {
      cluster.Kill(0);
      ASSERT_TRUE(cluster.Boot(0).ok());
    }
    if (HasFailure()) {
      return;
    }
  }
  // Five megabytes of log, three layers on each of two levels and one of the third.
  EXPECT_LE(most_layers, 7U);
  EXPECT_GT(cluster.node().Counters().layer_merges + most_layers, 0U);
}

// INV-SEG-3 holds where records of a table turn out to be void.
TEST(ChainTest, ImagesOfTheTableGoWithTheRecordsThatMadeThem) {
  TestCluster cluster(1);
  cluster.config.table_bytes = 16 << 20;
  cluster.config.page_cache_pages = 0;
  cluster.BootAll();
  TestLog log;
  Random random(1);
  const auto append = [&](int count, uint64_t epoch, Lsn vdl) {
    std::vector<std::string> records;
    for (int i = 0; i < count; ++i) {
      records.push_back(log.MakeWrite(PageNo(0), 16 + random.Below(16'000), "0123456789"));
    }
    ASSERT_EQ(cluster.Append(records, epoch, vdl).outcome(), msg::OK);
  };
  append(1000, 1, Lsn(0));
  const Lsn vdl = log.end();
  append(1500, 1, vdl);
  cluster.ExpectPage(log, PageNo(0), log.end());
  ASSERT_EQ(cluster.Seal(2).outcome(), msg::OK);
  const Lsn start = log.end() + 1000;
  ASSERT_EQ(cluster.Truncate(2, vdl, start).outcome(), msg::OK);
  log.Reopen(2, vdl, start);
  cluster.ExpectPage(log, PageNo(0), vdl);
  append(3000, 2, vdl);
  const uint64_t before = cluster.node().Counters().page_read_records;
  cluster.ExpectPage(log, PageNo(0), log.end());
  EXPECT_LE(cluster.node().Counters().page_read_records - before, kTableChainMax);
}

// INV-LAY-2: a peer that was away while a page was emptied and everything older of it collected
// gets to know.
TEST(SpaceCopyTest, APeerThatCopiesWhatChangedLearnsOfEmptiedPages) {
  TestCluster cluster(2);
  cluster.config.table_bytes = 1 << 17;
  cluster.config.retain_log_bytes = 0;
  cluster.config.page_cache_pages = 0;
  cluster.config.collect_pages_min = 16;
  cluster.BootAll();
  TestLog log;
  Random random(1);
  for (uint64_t page = 0; page < kTestPagesPerPg; ++page) {
    const std::string record = log.Make(PageNo(page), NoiseImage(random));
    cluster.Append({record}, 1, log.end(), 0, log.end());
    cluster.Append({record}, 1, log.end(), 1, log.end());
  }
  cluster.Pass(2'000'000);
  cluster.Kill(1);
  for (uint64_t page = 0; page < kTestPagesPerPg; ++page) {
    cluster.Append({log.Make(PageNo(page), std::string(kEmptyingEdits))}, 1, log.end(), 0,
                   log.end());
  }
  // Something after it, so that the emptying is in no table any more.
  for (int i = 0; i < 20; ++i) {
    cluster.Append({log.Make(PageNo(0), NoiseImage(random))}, 1, log.end(), 0, log.end());
  }
  cluster.Append({}, 1, log.end(), 0, log.end());
  cluster.Pass(5'000'000);
  ASSERT_LT(cluster.node(0).Counters().layer_bytes, 16'000 * kTestPagesPerPg / 2);
  ASSERT_TRUE(cluster.Boot(1).ok());
  cluster.Pass(5'000'000);
  ASSERT_EQ(cluster.node(1).Segments().at(0).scl, log.end());
  EXPECT_GT(cluster.node(1).Counters().segments_copied, 0U);
  for (uint64_t page = 0; page < kTestPagesPerPg; ++page) {
    cluster.ExpectPage(log, PageNo(page), log.end(), 1);
  }
}

// Records that every member of the group has are dropped where images cover them; those that one
// lacks are kept for it, as far back as retain_log_bytes goes.
TEST(SpacePeersTest, RecordsStayWhileAPeerLacksThem) {
  for (const bool one_is_cut_off : {false, true}) {
    TestCluster cluster(6);
    cluster.config.table_bytes = 1 << 14;
    cluster.config.page_cache_pages = 0;
    cluster.BootAll();
    TestLog log;
    Random random(1);
    if (one_is_cut_off) {
      cluster.Kill(5);
    }
    for (int i = 0; i < 60; ++i) {
      const std::string record = log.Make(PageNo(1), NoiseImage(random));
      for (size_t node = 0; node < (one_is_cut_off ? 5U : 6U); ++node) {
        cluster.Append({record}, 1, log.end(), node, log.end());
      }
      cluster.Pass(200'000);
    }
    cluster.Pass(2'000'000);
    const uint64_t bytes = cluster.node(0).Counters().layer_bytes;
    if (one_is_cut_off) {
      EXPECT_GT(bytes, 50 * 16'000U);
      ASSERT_TRUE(cluster.Boot(5).ok());
      ASSERT_EQ(cluster.TellGeometry(cluster.geometry, /*decided=*/true, 1, 5).outcome(), msg::OK);
      cluster.Pass(3'000'000);
      EXPECT_EQ(cluster.node(5).Segments().at(0).scl, log.end());
      EXPECT_EQ(cluster.node(5).Counters().segments_copied, 0U);
    } else {
      EXPECT_LT(bytes, 25 * 16'000U);
    }
  }
}

}  // namespace
}  // namespace borealis::storage_node
