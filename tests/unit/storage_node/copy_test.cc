// Segments filled from several peers: page by page, with peers that fail, within a budget.
#include "storage_node/repair_budget.h"
#include "tests/unit/storage_node/test_cluster.h"

namespace borealis::storage_node {
namespace {

// Six nodes that hold group 0, merged into images; a seventh that is to succeed node 6.
class CopyTest : public testing::Test {
 protected:
  static constexpr size_t kNew = 6;

  CopyTest() : cluster_(7) {
    cluster_.config.table_bytes = 3000;
    cluster_.config.retain_log_bytes = 0;
    cluster_.config.merge_layers = 2;
    cluster_.config.image_after_records = 2;
    cluster_.config.fetch_bytes = 2 * kPageSize;
    cluster_.config.page_cache_pages = 0;
  }
  void Fill(int records, uint64_t page_count = 60) {
    for (int i = 0; i < records; ++i) {
      const std::string record = log_.MakeRandom(random_, page_count);
      for (size_t k = 0; k < 6; ++k) {
        cluster_.Append({record}, 1, log_.end(), k, log_.end());
      }
      if (i % 10 == 0) {
        cluster_.Pass(20'000);
      }
    }
    cluster_.Pass(100'000);
  }
  void NameSuccessor() {
    Geometry changed = cluster_.geometry;
    ++changed.version.number;
    changed.groups[0].seats[5].successor = kNew;
    for (size_t i = 0; i < 7; ++i) {
      if (cluster_.machine(i).up) {
        ASSERT_EQ(cluster_.TellGeometry(changed, true, 1, i).outcome(), msg::OK);
      }
    }
  }
  void ExpectWhole(size_t index, uint64_t page_count = 60) {
    ASSERT_EQ(cluster_.Scl(PgId(0), index), log_.last_of(PgId(0)));
    for (uint64_t page = 0; page < page_count; ++page) {
      cluster_.ExpectPage(log_, PageNo(page), log_.end(), index);
    }
  }
  // Who was asked for pages, how often, and how many questions were open at once.
  void Watch() {
    cluster_.cut_frame = [this](NodeId from, NodeId to, const Frame& frame) {
      if (frame.type == static_cast<uint16_t>(MessageType::kFetchPagesRequest)) {
        ++asked_[to];
        most_open_ = std::max(most_open_, ++open_);
      }
      const bool answer = frame.type == static_cast<uint16_t>(MessageType::kFetchPagesReply);
      open_ -= answer ? 1 : 0;
      return drop_ && drop_(from, to, frame);
    };
  }

  TestCluster cluster_;
  TestLog log_;
  Random random_{3};
  std::map<NodeId, int> asked_;
  int open_ = 0;
  int most_open_ = 0;
  int answers_of_three_ = 0;
  std::function<bool(NodeId, NodeId, const Frame&)> drop_;
};

TEST_F(CopyTest, ANewSegmentComesFromSeveralPeersSideBySide) {
  cluster_.BootAll();
  Fill(400);
  Watch();
  NameSuccessor();
  cluster_.Pass(1'000'000);
  ExpectWhole(kNew);
  EXPECT_EQ(cluster_.node(kNew).Counters().segments_copied, 1U);
  EXPECT_EQ(cluster_.node(kNew).Counters().fetches, 0U);
  EXPECT_GE(asked_.size(), 4U);
  EXPECT_GT(most_open_, 4);
  EXPECT_LE(most_open_, 12);
  cluster_.Kill(kNew);
  ASSERT_TRUE(cluster_.Boot(kNew).ok());
  ExpectWhole(kNew);
}

TEST_F(CopyTest, PeersThatFailAreReplaced) {
  cluster_.BootAll();
  Fill(400);
  cluster_.config.fetch_timeout_us = 200'000;
  cluster_.Kill(kNew);
  ASSERT_TRUE(cluster_.Boot(kNew).ok());
  Watch();
  // One answers garbage, one nothing, one with a flipped bit, one goes away in the middle.
  drop_ = [this](NodeId from, NodeId to, const Frame& frame) {
    if (frame.type != static_cast<uint16_t>(MessageType::kFetchPagesReply) || to != NodeId(7)) {
      return false;
    }
    if (from == NodeId(1)) {
      return true;
    }
    if (from == NodeId(2) && !frame.attachments.empty()) {
      const_cast<char*>(frame.attachments[0].view().data())[5000] ^= 1;
    }
    return from == NodeId(3) && ++answers_of_three_ > 2;
  };
  NameSuccessor();
  cluster_.Pass(3'000'000);
  ExpectWhole(kNew);
}

// Whoever has not answered is asked again only after those who may.
TEST_F(CopyTest, PeersThatNeverAnswerAreNotWaitedForAgain) {
  cluster_.BootAll();
  Fill(400);
  Watch();
  drop_ = [](NodeId from, NodeId to, const Frame& frame) {
    return frame.type == static_cast<uint16_t>(MessageType::kFetchPagesReply) && to == NodeId(7) &&
           (from == NodeId(1) || from == NodeId(2));
  };
  NameSuccessor();
  cluster_.Pass(4 * cluster_.config.fetch_timeout_us);
  ExpectWhole(kNew);
}

// What the layers have stays; only pages that changed since come.
TEST_F(CopyTest, ASegmentThatFellBehindGetsOnlyWhatChanged) {
  cluster_.BootAll();
  Fill(400);
  cluster_.Pass(500'000);
  ASSERT_GT(cluster_.Summary(PgId(0), 5).layer_count, 0U);
  const Lsn before = cluster_.Scl(PgId(0), 5);
  cluster_.Kill(5);
  for (int i = 0; i < 60; ++i) {
    const std::string record = log_.MakeRandom(random_, 4);
    for (size_t k = 0; k < 5; ++k) {
      cluster_.Append({record}, 1, log_.end(), k, log_.end());
    }
    cluster_.Pass(20'000);
  }
  ASSERT_TRUE(cluster_.Boot(5).ok());
  cluster_.Pass(2'000'000);
  ExpectWhole(5);
  EXPECT_EQ(cluster_.node(5).Counters().segments_copied, 1U);
  EXPECT_LE(cluster_.node(5).Counters().pages_copied, 60U / 2);
  EXPECT_GT(cluster_.Summary(PgId(0), 5).horizon, before);
  cluster_.Kill(5);
  ASSERT_TRUE(cluster_.Boot(5).ok());
  ExpectWhole(5);
  Fill(100);  // and goes on
  ExpectWhole(5);
}

TEST_F(CopyTest, AppendsGoOnWhileASegmentIsFilled) {
  cluster_.config.repair_bytes_per_second = 20 * kPageSize;
  cluster_.BootAll();
  Fill(300);
  NameSuccessor();
  double repaired = 0;
  for (int i = 0; i < 100; ++i) {
    const std::string record = log_.MakeRandom(random_, 60);
    for (size_t k = 0; k < 7; ++k) {
      EXPECT_EQ(cluster_.Append({record}, 1, log_.end(), k, log_.end()).outcome(), msg::OK);
    }
    cluster_.Pass(20'000);
    const SegmentSummary summary = cluster_.Summary(PgId(0), kNew);
    if (summary.state == "repairing" && summary.repaired < 1) {
      EXPECT_GE(summary.repaired, repaired);
      repaired = summary.repaired;
    }
  }
  EXPECT_GT(repaired, 0.2);
  cluster_.Pass(20'000'000);
  ExpectWhole(kNew);
}

// Two seconds for forty pages at twenty a second, one tenth of a second's worth at once.
TEST_F(CopyTest, TheBudgetBoundsTheRate) {
  cluster_.config.repair_bytes_per_second = 20 * kPageSize;
  cluster_.BootAll();
  Fill(400, 40);
  NameSuccessor();
  cluster_.Pass(1'500'000);
  EXPECT_EQ(cluster_.Summary(PgId(0), kNew).state, "repairing");
  cluster_.Pass(2'000'000);
  ExpectWhole(kNew, 40);
}

TEST_F(CopyTest, ACrashInTheMiddleLeavesNothingBehind) {
  cluster_.config.repair_bytes_per_second = 20 * kPageSize;
  cluster_.BootAll();
  Fill(400);
  NameSuccessor();
  cluster_.Pass(800'000);
  ASSERT_EQ(cluster_.Summary(PgId(0), kNew).state, "repairing");
  cluster_.Kill(kNew);
  cluster_.config.repair_bytes_per_second = uint64_t{100} << 20;
  ASSERT_TRUE(cluster_.Boot(kNew).ok());
  cluster_.Pass(1'000'000);
  ExpectWhole(kNew);
  size_t layers = 0;
  for (const std::string& name : cluster_.files(kNew).List("disk").value()) {
    layers += LayerFileNumber(name) != 0 ? 1 : 0;
  }
  EXPECT_EQ(layers, cluster_.Summary(PgId(0), kNew).layer_count);
}

// INV-NOD-1: what was copied counts only when the manifest that names the layer is durable.
TEST_F(CopyTest, ACopyIsNotAcknowledgedBeforeItIsDurable) {
  cluster_.BootAll();
  Fill(400);
  NameSuccessor();
  TestCluster::Machine& fresh = cluster_.machine(kNew);
  fresh.hold_manifests = true;
  cluster_.Pass(1'000'000);
  EXPECT_EQ(cluster_.Scl(PgId(0), kNew), Lsn(0));
  EXPECT_EQ(cluster_.Append({}, 1, Lsn(0), kNew).segments(0).scl(), 0U);
  EXPECT_EQ(cluster_.Summary(PgId(0), kNew).state, "repairing");
  fresh.hold_manifests = false;
  cluster_.Settle();
  cluster_.Kill(kNew, /*lose_all=*/true);
  ASSERT_TRUE(cluster_.Boot(kNew).ok());
  cluster_.cut = [](NodeId, NodeId) { return true; };
  ExpectWhole(kNew);
}

TEST(RepairBudgetTest, FillsWithTimeAndTakesBackWhatDidNotCome) {
  RepairBudget budget(1'000'000);
  EXPECT_TRUE(budget.Allows(1'000));
  budget.Spend(500'000);
  EXPECT_FALSE(budget.Allows(400'000));
  budget.GiveBack(300'000);
  EXPECT_TRUE(budget.Allows(400'000));
  budget.Spend(200'000);
  EXPECT_TRUE(budget.Allows(10'000'000));  // a tenth of a second's worth at most
  budget.Spend(100'001);
  EXPECT_FALSE(budget.Allows(10'000'000));
}

}  // namespace
}  // namespace borealis::storage_node
