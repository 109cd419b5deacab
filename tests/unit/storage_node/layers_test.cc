// Layers: reads at any read point equal the model's fold while tables become layers, layers merge
// and old versions go; damage in a layer is found; a copy from a peer mends it.
#include "storage_node/merge.h"
#include "tests/unit/storage_node/test_cluster.h"

namespace borealis::storage_node {
namespace {

// INV-NOD-8. Small tables and eager merging, random edits, a horizon that follows the VDL at a
// distance; reads at random points at or above it, restarts in between.
TEST(LayersTest, ReadsAtRandomPointsEqualTheModel) {
  uint64_t merges = 0;
  uint64_t collected = 0;
  for (uint64_t seed = 1; seed <= 25; ++seed) {
    SCOPED_TRACE(seed);
    TestCluster cluster(1, seed);
    Random random(seed);
    cluster.config.table_bytes = 1000 + random.Below(8000);
    cluster.config.merge_layers = 2 + random.Below(3);
    cluster.config.collect_pages_min = 1 + random.Below(4);
    cluster.config.image_after_records = random.Below(12);
    cluster.config.retain_log_bytes = random.Chance(0.5) ? 0 : random.Below(50'000);
    cluster.config.page_cache_pages = random.Below(8);
    cluster.config.journal_file_bytes = 1 << 15;
    cluster.BootAll();
    TestLog log;
    std::vector<Lsn> points = {Lsn(0)};
    Lsn horizon;
    constexpr uint64_t kPages = 12;
    for (int round = 0; round < 90; ++round) {
      std::vector<std::string> records;
      for (uint64_t i = 1 + random.Below(20); i > 0; --i) {
        records.push_back(log.MakeRandom(random, kPages));
        points.push_back(log.end());
      }
      if (random.Chance(0.3)) {
        horizon = std::max(horizon, points[random.Below(points.size())]);
      }
      const auto reply = cluster.Append(records, 1, log.end(), 0, horizon);
      ASSERT_EQ(reply.outcome(), msg::OK);
      cluster.Pass(random.Chance(0.9) ? 20'000 : 1'200'000);
      if (random.Chance(0.1)) {
        merges += cluster.node().Counters().layer_merges;
        cluster.Kill(0);
        ASSERT_TRUE(cluster.Boot(0).ok());
        ASSERT_EQ(cluster.Scl(), log.end());
      }
      for (int i = 0; i < 10; ++i) {
        const Lsn point = points[random.Below(points.size())];
        const PageNo page(random.Below(kPages));
        if (point >= horizon) {
          cluster.ExpectPage(log, page, point);
        } else {
          Page got;
          const auto read = cluster.Read(page, point, log.NeededAt(PgId(0), point), &got);
          collected += read.outcome() == msg::COLLECTED ? 1 : 0;
          if (read.outcome() == msg::OK) {  // not merged away yet: then it must be right
            EXPECT_EQ(got.view().substr(16), log.Fold(page, point).view().substr(16));
          }
        }
      }
      if (HasFatalFailure()) {
        return;
      }
    }
    merges += cluster.node().Counters().layer_merges;
    EXPECT_LE(cluster.Summary().horizon, horizon);
  }
  EXPECT_GT(merges, 200U);
  EXPECT_GT(collected, 100U);
}

// A read that needs layers waits for the disk alone: appends go on, layers are merged away under
// it, a truncation annuls records that it has; it is answered as of when it came, and leaves
// nothing in the cache that a later read could trip over.
TEST(LayersTest, AReadThatWaitsForTheDiskKeepsNobodyWaiting) {
  TestCluster cluster(1);
  cluster.config.table_bytes = 2'000;
  cluster.config.merge_layers = 2;
  cluster.BootAll();
  TestLog log;
  Random random(3);
  std::vector<std::string> records;
  for (int i = 0; i < 40; ++i) {
    records.push_back(log.MakeRandom(random, 2));
  }
  const Lsn settled = log.end();
  cluster.Append(records, 1, settled);
  cluster.Append({log.MakeWrite(PageNo(50), 100, "tells the VDL")}, 1, log.end());
  cluster.Pass(100'000);
  ASSERT_GT(cluster.Summary().layer_count, 0U);
  // Records that are durable here and that no writer counts.
  cluster.Append({log.MakeWrite(PageNo(0), 200, "to be annulled")}, 1, Lsn(0));
  const Lsn doubtful = log.end();
  const auto ask = [&](Lsn point) {
    msg::ReadPagesRequest request;
    request.set_volume_id(kVolume.value());
    request.set_volume_epoch(1);
    request.set_read_point(point.value());
    auto* wanted = request.add_pages();
    wanted->set_page(0);
    wanted->set_needed_lsn(log.NeededAt(PgId(0), point).value());
    cluster.node().OnFrame(TestCluster::kClient,
                           MakeFrame(MessageType::kReadPagesRequest, point.value(), request));
  };
  ask(settled);
  ask(doubtful);
  auto& reads = cluster.machine().works[Lane::kReads];
  ASSERT_EQ(reads.size(), 2U);
  auto held = std::move(reads);
  reads.clear();
  EXPECT_TRUE(cluster.machine().sent.empty());
  // Both are under way. (The log's model forgets what is annulled: the page as of then first.)
  const Page as_of_doubtful = log.Fold(PageNo(0), doubtful);
  const uint64_t merges = cluster.node().Counters().layer_merges;
  EXPECT_EQ(cluster.Seal(2).outcome(), msg::OK);
  const Lsn vdl = log.NeededAt(PgId(0), Lsn(doubtful.value() - 1));
  EXPECT_EQ(cluster.Truncate(2, vdl, doubtful + 1000).outcome(), msg::OK);
  log.Reopen(2, vdl, doubtful + 1000);
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(cluster.Append({log.MakeWrite(PageNo(0), 300, std::string(900, 'n'))}, 2, log.end())
                  .outcome(),
              msg::OK);
    cluster.Pass(50'000);
  }
  EXPECT_GT(cluster.node().Counters().layer_merges, merges);
  for (auto& [id, work] : held) {
    const Status outcome = work();
    cluster.node().OnWorkDone(id, outcome);
  }
  for (const Page& expected : {log.Fold(PageNo(0), settled), as_of_doubtful}) {
    Frame frame;
    const auto reply = cluster.Take<msg::ReadPagesReply>(0, &frame);
    ASSERT_EQ(reply.pages(0).outcome(), msg::OK);
    EXPECT_TRUE(frame.attachments.at(0).view().substr(16) == expected.view().substr(16));
  }
  cluster.ExpectPage(log, PageNo(0), log.end());
}

TEST(LayersTest, JournalSpaceIsUsedAgain) {
  TestCluster cluster(1);
  cluster.config.table_bytes = 20'000;
  cluster.config.journal_file_bytes = 1 << 15;
  cluster.BootAll();
  TestLog log;
  Random random(1);
  for (int i = 0; i < 400; ++i) {
    cluster.Append({log.MakeRandom(random, 10), log.MakeRandom(random, 10)}, 1, log.end());
    cluster.Pass(20'000);
  }
  size_t journal_files = 0;
  for (const std::string& name : cluster.files().List("disk").value()) {
    journal_files += JournalFileNumber(name) != 0 ? 1 : 0;
  }
  EXPECT_GT(cluster.node().Counters().flushed_bytes, 40U << 15);
  EXPECT_LE(journal_files, 12U);
  EXPECT_LE(cluster.node().Counters().journal_bytes, 10U << 15);
}

// A segment with a few old records must not hold the journal for ever.
TEST(LayersTest, ShortJournalSpaceMakesLayersOfWhatHoldsIt) {
  TestCluster cluster(1);
  cluster.config.table_bytes = 1 << 20;
  cluster.config.journal_file_bytes = 1 << 15;
  cluster.config.journal_bytes = 4 << 15;
  cluster.BootAll();
  TestLog log;
  Random random(1);
  for (int i = 0; i < 200; ++i) {
    cluster.Append({log.MakeRandom(random, 10), log.MakeWrite(PageNo(100), 100, "x")}, 1,
                   log.end());
    cluster.Pass(20'000);
  }
  EXPECT_LE(cluster.node().Counters().journal_bytes, 7U << 15);
  cluster.Kill(0);
  ASSERT_TRUE(cluster.Boot(0).ok());
  for (uint64_t page = 0; page < 10; ++page) {
    cluster.ExpectPage(log, PageNo(page), log.end());
  }
}

// INV-NOD-6: every single flipped bit of a layer file is found; none is ever served.
TEST(LayersTest, EveryFlippedBitOfALayerIsFound) {
  SimFileSystem files(1);
  ASSERT_TRUE(files.CreateDirectories("d").ok());
  TestLog log;
  Random random(3);
  MergePlan plan;
  std::vector<std::string> records;
  for (int i = 0; i < 40; ++i) {
    records.push_back(log.MakeRandom(random, 4));
  }
  for (const std::string& bytes : records) {
    const RecordView record = ViewVerifiedRecord(bytes);
    plan.table.push_back({record.page, record.end, false, bytes});
  }
  plan.output.number = 1;
  plan.output.up_to = log.end();
  plan.image_after_records = 3;
  const auto made = MergeLayers(files, "d", plan);
  ASSERT_TRUE(made.ok());
  EXPECT_GT(made->info.image_count, 0U);
  const std::string path = "d/" + LayerFileName(1);
  const std::string content = ReadWholeFile(files, path).value();
  for (uint64_t at = 0; at < content.size(); at += 1 + random.Below(40)) {
    const int bit = static_cast<int>(random.Below(8));
    files.FlipBit(path, at, bit);
    auto layer = Layer::OpenPath(files, path);
    Status outcome = layer.ok() ? Status::Ok() : layer.status();
    for (uint64_t page = 0; page < 4 && outcome.ok(); ++page) {
      Page got;
      got.Clear();
      outcome = ReadPageFromLayers({*layer}, PageNo(page), log.end(), &got);
      if (outcome.ok()) {
        EXPECT_EQ(got.view().substr(16), log.Fold(PageNo(page), log.end()).view().substr(16)) << at;
      }
    }
    std::string out;
    Lsn last;
    bool more = false;
    if (outcome.ok()) {
      outcome = (*layer)->ReadRecords(Lsn(0), log.end(), 1 << 20, &out, &last, &more);
    }
    EXPECT_EQ(outcome.code(), Code::kCorruption) << "byte " << at << " of " << content.size();
    files.FlipBit(path, at, bit);
  }
}

TEST(LayersTest, ABitThatFlipsOnTheWayInIsReadAgain) {
  TestCluster cluster(1);
  cluster.config.table_bytes = 1;
  cluster.config.page_cache_pages = 0;
  cluster.BootAll();
  TestLog log;
  Random random(1);
  for (int i = 0; i < 20; ++i) {
    cluster.Append({log.MakeRandom(random, 5)}, 1, log.end());
  }
  cluster.Pass(100'000);
  uint64_t refused = 0;
  cluster.files().SetReadFlipChance(0.2);
  for (int i = 0; i < 100 && refused == 0; ++i) {
    Page got;
    const auto read = cluster.Read(PageNo(1), log.end(), log.end(), &got);
    if (read.outcome() == msg::OK) {
      EXPECT_EQ(got.view().substr(16), log.Fold(PageNo(1), log.end()).view().substr(16));
    } else {
      ++refused;  // twice in a row
    }
  }
}

TEST(LayersTest, ADamagedLayerIsRefusedAndMendedFromAPeer) {
  for (const bool at_restart : {false, true}) {
    TestCluster cluster(2);
    cluster.config.table_bytes = 2000;
    cluster.config.page_cache_pages = 0;
    cluster.BootAll();
    TestLog log;
    Random random(1);
    for (int i = 0; i < 60; ++i) {
      const std::string record = log.MakeRandom(random, 8);
      cluster.Append({record}, 1, log.end(), 0);
      cluster.Append({record}, 1, log.end(), 1);
    }
    cluster.Pass(50'000);
    ASSERT_GT(cluster.Summary().layer_count, 0U);
    cluster.cut = [](NodeId, NodeId) { return true; };
    if (at_restart) {
      cluster.Kill(0);
    }
    for (const std::string& name : cluster.files().List("disk").value()) {
      if (LayerFileNumber(name) != 0) {
        cluster.files().FlipBit("disk/" + name, at_restart ? 0 : 100, 3);
        const uint64_t size = ReadWholeFile(cluster.files(), "disk/" + name).value().size();
        if (at_restart) {
          cluster.files().FlipBit("disk/" + name, size - 20, 3);
        }
      }
    }
    if (at_restart) {
      ASSERT_TRUE(cluster.Boot(0).ok());
    }
    bool refused = false;
    for (uint64_t page = 0; page < 8; ++page) {
      Page got;
      const auto read = cluster.Read(PageNo(page), log.end(), log.end(), &got);
      refused |= read.outcome() == msg::OUT_OF_SERVICE;
      if (read.outcome() == msg::OK) {
        EXPECT_EQ(got.view().substr(16), log.Fold(PageNo(page), log.end()).view().substr(16));
      }
    }
    EXPECT_TRUE(refused);
    EXPECT_EQ(cluster.Summary().state, "lost");
    // Promises are kept meanwhile.
    const std::string record = log.MakeRandom(random, 8);
    EXPECT_EQ(cluster.Append({record}, 1, log.end(), 0).segments(0).scl(), log.end().value());
    cluster.Append({record}, 1, log.end(), 1);
    cluster.cut = nullptr;
    cluster.Pass(2'000'000);
    EXPECT_EQ(cluster.Summary().state, "healthy");
    for (uint64_t page = 0; page < 8; ++page) {
      cluster.ExpectPage(log, PageNo(page), log.end());
    }
    cluster.Kill(0);
    ASSERT_TRUE(cluster.Boot(0).ok());
    EXPECT_EQ(cluster.Scl(), log.end());
    for (uint64_t page = 0; page < 8; ++page) {
      cluster.ExpectPage(log, PageNo(page), log.end());
    }
  }
}

TEST(LayersTest, AFullDiskStopsLayersNotTheNode) {
  TestCluster cluster(1);
  cluster.config.table_bytes = 2000;
  cluster.BootAll();
  TestLog log;
  Random random(1);
  cluster.Append({log.MakeRandom(random, 8)}, 1, log.end());
  cluster.Pass(100'000);
  cluster.files().SetCapacity(cluster.files().UsedBytes() + 600);
  for (int i = 0; i < 40; ++i) {
    ASSERT_EQ(cluster.Append({log.MakeRandom(random, 8)}, 1, log.end()).outcome(), msg::OK);
    cluster.Pass(20'000);
  }
  EXPECT_EQ(cluster.Summary().layer_count, 0U);
  cluster.files().SetCapacity(1 << 30);
  cluster.Pass(2'000'000);
  EXPECT_GT(cluster.Summary().layer_count, 0U);
  for (uint64_t page = 0; page < 8; ++page) {
    cluster.ExpectPage(log, PageNo(page), log.end());
  }
}

}  // namespace
}  // namespace borealis::storage_node
