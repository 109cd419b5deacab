// Scrub: damage at rest is found without anybody's reading it, and mended.
#include "tests/unit/storage_node/test_cluster.h"

namespace borealis::storage_node {
namespace {

constexpr int64_t kInterval = 10'000'000;

class ScrubTest : public testing::Test {
 protected:
  ScrubTest() : cluster_(2) {
    cluster_.config.scrub_interval_us = kInterval;
    cluster_.config.page_cache_pages = 0;
    cluster_.config.journal_file_bytes = 1 << 15;
  }
  void Fill(int records) {
    for (int i = 0; i < records; ++i) {
      const std::string record = log_.MakeRandom(random_, 8);
      cluster_.Append({record}, 1, log_.end(), 0);
      cluster_.Append({record}, 1, log_.end(), 1);
      cluster_.Pass(20'000);
    }
  }
  NodeCounters Counters() { return cluster_.node().Counters(); }
  std::vector<std::string> Layers() {
    std::vector<std::string> names;
    for (const std::string& name : cluster_.files().List("disk").value()) {
      if (LayerFileNumber(name) != 0) {
        names.push_back("disk/" + name);
      }
    }
    return names;
  }
  void ExpectPages() {
    for (uint64_t page = 0; page < 8; ++page) {
      cluster_.ExpectPage(log_, PageNo(page), log_.end());
    }
  }

  TestCluster cluster_;
  TestLog log_;
  Random random_{1};
};

TEST_F(ScrubTest, EverythingIsReadInACycleAndNoFaster) {
  cluster_.config.table_bytes = 1500;
  cluster_.BootAll();
  Fill(100);
  const uint64_t cycles = Counters().scrub_cycles;
  const uint64_t before = Counters().scrubbed_bytes;
  cluster_.Pass(3 * kInterval);
  EXPECT_GE(Counters().scrub_cycles - cycles, 2U);
  EXPECT_LE(Counters().scrub_cycles - cycles, 4U);
  EXPECT_GT(Counters().scrubbed_bytes, before);
  EXPECT_EQ(Counters().scrub_damage, 0U);
}

TEST_F(ScrubTest, ABadBlockIsFoundAndMendedFromAPeer) {
  cluster_.config.table_bytes = 1500;
  cluster_.BootAll();
  Fill(60);
  ASSERT_FALSE(Layers().empty());
  for (const std::string& path : Layers()) {
    cluster_.files().FlipBit(path, 60, 3);
  }
  EXPECT_EQ(cluster_.Summary().state, "healthy");  // nobody has looked
  cluster_.Pass(3 * kInterval);
  EXPECT_GE(Counters().scrub_damage, 1U);
  EXPECT_EQ(Counters().segments_copied, 1U);
  EXPECT_EQ(cluster_.Summary().state, "healthy");
  ExpectPages();
}

// The LSN index is read when a peer catches up, perhaps never.
TEST_F(ScrubTest, ABadIndexIsFound) {
  cluster_.config.table_bytes = 1500;
  cluster_.BootAll();
  Fill(60);
  ASSERT_FALSE(Layers().empty());
  const std::string path = Layers().front();
  const uint64_t size = ReadWholeFile(cluster_.files(), path).value().size();
  auto layer = Layer::OpenPath(cluster_.files(), path);
  ASSERT_TRUE(layer.ok());
  const uint64_t block_table = (*layer)->block_count() * sizeof(LayerBlockPlace);
  cluster_.files().FlipBit(path, size - 160 - block_table - 8, 3);
  cluster_.Pass(3 * kInterval);
  EXPECT_EQ(Counters().scrub_damage, 1U);
}

TEST_F(ScrubTest, ABadJournalFileIsNotNeededBeforeItIsMissed) {
  cluster_.BootAll();
  Fill(40);  // several files; everything is in tables
  ASSERT_EQ(cluster_.Summary().layer_count, 0U);
  cluster_.files().FlipBit("disk/journal-0000000001", 4096 + 60, 3);
  cluster_.Pass(3 * kInterval);
  EXPECT_EQ(Counters().scrub_damage, 1U);
  EXPECT_GT(cluster_.Summary().layer_count, 0U);
  cluster_.Kill(0);
  ASSERT_TRUE(cluster_.Boot(0).ok());
  EXPECT_FALSE(cluster_.node().amnesiac());
  EXPECT_EQ(cluster_.Scl(), log_.end());
  ExpectPages();
}

TEST_F(ScrubTest, TheRateIsBounded) {
  cluster_.config.table_bytes = 1500;
  cluster_.config.scrub_interval_us = 1;
  cluster_.config.scrub_bytes_per_second = 10'000;
  cluster_.BootAll();
  Fill(60);
  const uint64_t before = Counters().scrubbed_bytes;
  cluster_.Pass(10'000'000);
  EXPECT_GT(Counters().scrubbed_bytes, before);
  EXPECT_LE(Counters().scrubbed_bytes - before, 160'000U);
}

}  // namespace
}  // namespace borealis::storage_node
