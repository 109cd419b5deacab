// Retention lines: what a hold keeps, when it is taken, and that it outlives a restart.
#include "tests/unit/storage_node/test_cluster.h"

namespace borealis::storage_node {
namespace {

class RetentionTest : public testing::Test {
 protected:
  RetentionTest() : cluster_(1) {
    cluster_.config.table_bytes = 4000;
    cluster_.config.merge_layers = 2;
    cluster_.config.image_after_records = 1;
    cluster_.config.retain_log_bytes = 0;
    cluster_.config.page_cache_pages = 0;
    cluster_.config.collect_pages_min = 2;
    cluster_.BootAll();
  }
  // Random records; instances read at the newest state only.
  void Write(int count) {
    for (int i = 0; i < count; ++i) {
      const std::string record = log_.MakeRandom(random_, kPages);
      ASSERT_EQ(cluster_.Append({record}, 1, log_.end(), 0, log_.end()).outcome(), msg::OK);
      points_.push_back(log_.end());
      cluster_.Pass(20'000);
    }
    cluster_.Pass(2'000'000);
  }
  msg::RetentionReply Hold(HoldKind kind, uint64_t holder, Lsn lsn, bool release = false) {
    msg::RetentionRequest request;
    request.set_volume_id(kVolume.value());
    request.set_kind(static_cast<uint32_t>(kind));
    request.set_holder(holder);
    request.set_lsn(lsn.value());
    request.set_release(release);
    return cluster_.Ask<msg::RetentionReply>(MessageType::kRetentionRequest, request);
  }
  void ExpectReadableFrom(Lsn line) {
    for (const Lsn point : points_) {
      for (uint64_t page = 0; point >= line && page < kPages; ++page) {
        cluster_.ExpectPage(log_, PageNo(page), point);
      }
    }
  }
  msg::Outcome ReadAt(Lsn point) {
    Page page;
    return cluster_.Read(PageNo(0), point, log_.NeededAt(PgId(0), point), &page).outcome();
  }

  static constexpr uint64_t kPages = 8;
  TestCluster cluster_;
  TestLog log_;
  Random random_{1};
  std::vector<Lsn> points_;
};

TEST_F(RetentionTest, TheLeastLineDecides) {
  Write(20);
  const Lsn early = log_.end();
  auto reply = Hold(HoldKind::kClone, 1, early);
  ASSERT_EQ(reply.outcome(), msg::OK) << reply.reason();
  EXPECT_EQ(reply.line(), early.value());
  Write(100);
  const Lsn later = log_.end();
  reply = Hold(HoldKind::kBackup, 1, later);
  ASSERT_EQ(reply.outcome(), msg::OK) << reply.reason();
  EXPECT_EQ(reply.line(), early.value());
  Write(100);
  EXPECT_LE(cluster_.Summary().horizon, early);
  EXPECT_GT(cluster_.node().Counters().layer_merges, 2U);
  ExpectReadableFrom(early);
  // They are still held after a restart, even where there is much to collect.
  cluster_.Kill(0, /*lose_all=*/true);
  ASSERT_TRUE(cluster_.Boot(0).ok());
  for (uint64_t page = 0; page < kPages; ++page) {
    const std::string record = log_.Make(PageNo(page), std::string(kEmptyingEdits));
    cluster_.Append({record}, 1, log_.end(), 0, log_.end());
    points_.push_back(log_.end());
  }
  const Lsn emptied = log_.end();
  cluster_.Pass(3'000'000);
  EXPECT_LE(cluster_.Summary().horizon, early);
  ExpectReadableFrom(early);
  // The clone goes, the backup stays, and moves on.
  ASSERT_EQ(Hold(HoldKind::kClone, 1, Lsn(0), /*release=*/true).line(), later.value());
  cluster_.Pass(3'000'000);
  EXPECT_LE(cluster_.Summary().horizon, later);
  ExpectReadableFrom(later);
  ASSERT_EQ(Hold(HoldKind::kBackup, 1, emptied).line(), emptied.value());
  cluster_.Pass(5'000'000);
  EXPECT_EQ(cluster_.Summary().horizon, emptied);
  EXPECT_EQ(ReadAt(early), msg::COLLECTED);
  EXPECT_EQ(ReadAt(later), msg::COLLECTED);
  ExpectReadableFrom(emptied);
  const auto gone = Hold(HoldKind::kClone, 2, later);
  EXPECT_EQ(gone.outcome(), msg::COLLECTED);
  EXPECT_EQ(gone.line(), emptied.value());
  EXPECT_EQ(Hold(HoldKind::kBackup, 1, Lsn(0), /*release=*/true).line(), log_.end().value());
}

// INV-RET-1: what is gone, or being merged away this very moment, cannot be held any more.
TEST_F(RetentionTest, AHoldThatComesTooLateIsRefused) {
  Write(100);
  const Lsn horizon = cluster_.Summary().horizon;
  ASSERT_GT(horizon, Lsn(0));
  auto reply = Hold(HoldKind::kBacktrack, 1, Lsn(horizon.value() - 1));
  EXPECT_EQ(reply.outcome(), msg::COLLECTED);
  EXPECT_EQ(reply.horizon(), horizon.value());
  // A merge that began before the hold came: it may raise the horizon to what was its line.
  const Lsn before = log_.end();
  bool refused = false;
  bool taken = false;
  for (int i = 0; i < 60; ++i) {
    cluster_.node().OnFrame(
        TestCluster::kClient,
        cluster_.AppendFrame({log_.MakeRandom(random_, kPages)}, 1, log_.end(), log_.end()));
    cluster_.RunWork(0, Lane::kJournal);
    cluster_.clock.now_us += 20'000;
    cluster_.node().OnTimer();
    msg::RetentionRequest request;
    request.set_volume_id(kVolume.value());
    request.set_kind(1);
    request.set_holder(2);
    request.set_lsn(before.value());
    cluster_.machine().sent.clear();
    cluster_.node().OnFrame(TestCluster::kClient,
                            MakeFrame(MessageType::kRetentionRequest, 1, request));
    if (!cluster_.machine().sent.empty()) {
      const bool collected = cluster_.Take<msg::RetentionReply>().outcome() == msg::COLLECTED;
      // By the merge alone: so far it could be read.
      refused |= collected && cluster_.Summary().horizon <= before;
    } else {
      taken = true;
    }
    cluster_.Settle();
    cluster_.machine().sent.clear();
    if (refused) {
      break;
    }
    request.set_release(true);
    EXPECT_EQ(cluster_.Ask<msg::RetentionReply>(MessageType::kRetentionRequest, request).outcome(),
              msg::OK);
  }
  EXPECT_TRUE(taken);
  EXPECT_TRUE(refused);
}

TEST_F(RetentionTest, AHoldIsAnsweredWhenItIsDurable) {
  Write(10);
  cluster_.machine().hold_manifests = true;
  msg::RetentionRequest request;
  request.set_volume_id(kVolume.value());
  request.set_kind(2);
  request.set_lsn(log_.end().value());
  cluster_.machine().sent.clear();
  cluster_.node().OnFrame(TestCluster::kClient,
                          MakeFrame(MessageType::kRetentionRequest, 1, request));
  cluster_.Settle();
  EXPECT_TRUE(cluster_.machine().sent.empty());
  cluster_.machine().hold_manifests = false;
  cluster_.Settle();
  EXPECT_EQ(cluster_.Take<msg::RetentionReply>().outcome(), msg::OK);
  request.set_kind(9);
  EXPECT_EQ(cluster_.Ask<msg::RetentionReply>(MessageType::kRetentionRequest, request).outcome(),
            msg::MALFORMED);
  request.set_kind(2);
  request.set_volume_id(99);
  EXPECT_EQ(cluster_.Ask<msg::RetentionReply>(MessageType::kRetentionRequest, request).outcome(),
            msg::UNKNOWN);
}

}  // namespace
}  // namespace borealis::storage_node
