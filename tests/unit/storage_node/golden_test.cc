// Files that were written once and are kept: what this program writes today, later ones must read.
//
// golden/NAME-vN is a NAME of format version N. To add one after a version was raised, run this
// test with BOREALIS_WRITE_GOLDEN=1 and commit what it leaves there; the older ones stay as they
// are.
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "base/coding.h"
#include "storage_node/merge.h"
#include "tests/unit/storage_node/test_cluster.h"

namespace borealis::storage_node {
namespace {

std::string GoldenPath(const std::string& name) {
  return std::string(GOLDEN_DIRECTORY) + "/" + name;
}
std::string Golden(const std::string& name, const std::string& as_written_today) {
  if (std::getenv("BOREALIS_WRITE_GOLDEN") != nullptr) {
    std::ofstream(GoldenPath(name), std::ios::binary) << as_written_today;
  }
  std::ifstream file(GoldenPath(name), std::ios::binary);
  std::stringstream content;
  content << file.rdbuf();
  return content.str();
}

std::vector<std::string> Records() {
  TestLog log(3);
  std::vector<std::string> records;
  for (uint64_t page = 4; page < 7; ++page) {
    records.push_back(log.MakeWrite(PageNo(page), 100, "page " + std::to_string(page)));
  }
  return records;
}

std::string MakeJournal(SimFileSystem& files) {
  EXPECT_TRUE(files.CreateDirectories("d").ok());
  Journal journal(files, "d", NodeId(5), 2 * kJournalBlockSize);
  BatchBuilder builder;
  builder.BeginPart(VolumeId(1), PgId(0), Lsn(77), VolumeEpoch(3));
  for (const std::string& record : Records()) {
    builder.Add(record);
  }
  builder.EndPart();
  EXPECT_TRUE(journal.PrepareWrite(builder.Take())().ok());
  return ReadWholeFile(files, "d/journal-0000000001").value();
}

std::string LayerImage() {
  Page page;
  page.Clear();
  std::memcpy(page.bytes + 100, "an image", 8);
  page.set_lsn(Lsn(500));
  SealPage(&page);
  return std::string(page.view());
}

std::string MakeLayer(SimFileSystem& files) {
  EXPECT_TRUE(files.CreateDirectories("d").ok());
  LayerInfo info;
  info.number = 9;
  info.volume = VolumeId(1);
  info.level = 2;
  info.up_to = Lsn(500);
  info.complete_above = Lsn(20);
  LayerWriter writer(files, "d", info);
  EXPECT_TRUE(writer.Create().ok());
  EXPECT_TRUE(writer.Add({PageNo(3), Lsn(500), true, LayerImage()}).ok());
  for (const std::string& bytes : Records()) {
    const RecordView record = ViewVerifiedRecord(bytes);
    EXPECT_TRUE(writer.Add({record.page, record.end, false, bytes}).ok());
  }
  EXPECT_TRUE(writer.Finish().ok());
  return ReadWholeFile(files, "d/" + LayerFileName(9)).value();
}

Manifest TheManifest() {
  Manifest manifest;
  manifest.node = NodeId(5);
  manifest.amnesiac = true;
  manifest.journal_first = 3;
  manifest.journal_last = 4;
  manifest.next_layer = 10;
  VolumeRecord volume;
  volume.volume = kVolume;
  volume.epoch = VolumeEpoch(3);
  volume.has_opener = true;
  volume.opener_id = 0x1234;
  volume.vdl_told = Lsn(77);
  volume.vdl_epoch = VolumeEpoch(3);
  volume.pgmrpl = Lsn(50);
  volume.holds = {{HoldKind::kClone, 7, Lsn(60)}, {HoldKind::kBackup, 1, Lsn(65)}};
  volume.annulled = {{Lsn(10), Lsn(20), VolumeEpoch(2)}};
  volume.geometry = EncodeGeometry(TestCluster::FirstGeometry(6));
  volume.geometry_decided = true;
  manifest.volumes.push_back(volume);
  manifest.segments.push_back({kVolume,
                               PgId(0),
                               Lsn(500),
                               Lsn(40),
                               true,
                               {{9, kVolume, PgId(0), 2, Lsn(0), Lsn(500), Lsn(20), 4096, 3, 1}}});
  return manifest;
}

TEST(GoldenTest, Journal1) {
  SimFileSystem files(1);
  const std::string today = MakeJournal(files);
  const std::string golden = Golden("journal-v1", today);
  EXPECT_EQ(golden, today);
  const auto batch = ParseBatch(golden);
  ASSERT_TRUE(batch.ok()) << batch.status().ToString();
  EXPECT_EQ(batch->sequence, 1U);
  EXPECT_EQ(batch->file, 1U);
  EXPECT_EQ(batch->node, NodeId(5));
  ASSERT_EQ(batch->parts.size(), 1U);
  EXPECT_EQ(batch->parts[0].vdl_told, Lsn(77));
  EXPECT_EQ(batch->parts[0].vdl_epoch, VolumeEpoch(3));
  std::string records;
  for (const std::string& record : Records()) {
    records += record;
  }
  EXPECT_EQ(batch->parts[0].records, records);
}

// The content only: another release of zstd may compress to other bytes.
TEST(GoldenTest, Layer2) {
  SimFileSystem files(1);
  const std::string golden = Golden("layer-v2", MakeLayer(files));
  ASSERT_TRUE(WriteWholeFile(files, "golden", golden).ok());
  auto layer = Layer::OpenPath(files, "golden");
  ASSERT_TRUE(layer.ok()) << layer.status().ToString();
  EXPECT_EQ((*layer)->info().number, 9U);
  EXPECT_EQ((*layer)->info().level, 2U);
  EXPECT_EQ((*layer)->info().complete_above, Lsn(20));
  EXPECT_EQ((*layer)->info().record_count, 3U);
  EXPECT_EQ((*layer)->info().image_count, 1U);
  Page page;
  page.Clear();
  ASSERT_TRUE(ReadPageFromLayers({*layer}, PageNo(3), Lsn(500), &page).ok());
  EXPECT_EQ(page.view(), LayerImage());
  std::string records;
  Lsn last;
  bool more = false;
  ASSERT_TRUE((*layer)->ReadRecords(Lsn(0), Lsn(500), 1 << 20, &records, &last, &more).ok());
  EXPECT_EQ(records, Records()[0] + Records()[1] + Records()[2]);
}

// As version 3, but without holds.
TEST(GoldenTest, Manifest2) {
  std::ifstream file(GoldenPath("manifest-v2"), std::ios::binary);
  std::stringstream content;
  content << file.rdbuf();
  const auto manifest = ParseManifest(content.str());
  ASSERT_TRUE(manifest.ok()) << manifest.status().ToString();
  Manifest expected = TheManifest();
  expected.volumes[0].holds.clear();
  EXPECT_EQ(EncodeManifest(*manifest), EncodeManifest(expected));
}

TEST(GoldenTest, Manifest3) {
  const std::string today = EncodeManifest(TheManifest());
  const std::string golden = Golden("manifest-v3", today);
  EXPECT_EQ(golden, today);
  const auto manifest = ParseManifest(golden);
  ASSERT_TRUE(manifest.ok()) << manifest.status().ToString();
  EXPECT_EQ(EncodeManifest(*manifest), golden);
  EXPECT_EQ(manifest->volumes.at(0).opener_id, 0x1234U);
  EXPECT_EQ(manifest->volumes.at(0).holds, TheManifest().volumes[0].holds);
  EXPECT_TRUE(manifest->volumes.at(0).geometry_decided);
  EXPECT_EQ(ParseGeometry(manifest->volumes.at(0).geometry).value(), TestCluster::FirstGeometry(6));
  EXPECT_EQ(manifest->segments.at(0).layers.at(0).complete_above, Lsn(20));
}

// A node that meets a file of a later version says which one and of what version, and changes
// nothing.
class LaterVersionTest : public testing::Test {
 protected:
  LaterVersionTest() : cluster_(1) {
    cluster_.config.table_bytes = 1;
    cluster_.BootAll();
    TestLog log;
    const std::string first = log.MakeWrite(PageNo(1), 100, "a");
    cluster_.Append({first}, 1, log.end());
    cluster_.Pass(100'000);
    cluster_.Append({log.MakeWrite(PageNo(1), 100, "b")}, 1);
    cluster_.Kill(0, /*lose_all=*/true);
  }
  void ExpectRefused(const std::string& path, const std::string& changed,
                     const std::string& message) {
    ASSERT_TRUE(WriteWholeFile(cluster_.files(), path, changed).ok());
    const Status status = cluster_.Boot(0);
    EXPECT_EQ(status.code(), Code::kUnsupported) << status.ToString();
    EXPECT_NE(status.ToString().find(path), std::string::npos) << status.ToString();
    EXPECT_NE(status.ToString().find(message), std::string::npos) << status.ToString();
    EXPECT_EQ(ReadWholeFile(cluster_.files(), path).value(), changed);
  }
  std::string Read(const std::string& path) {
    return ReadWholeFile(cluster_.files(), path).value();
  }

  TestCluster cluster_;
};

TEST_F(LaterVersionTest, Manifest) {
  std::string bytes = Read("disk/manifest");
  StoreLittle(bytes.data() + 4, uint32_t{4});
  ExpectRefused("disk/manifest", bytes, "format version 4");
}

TEST_F(LaterVersionTest, Journal) {
  std::string bytes = Read("disk/journal-0000000001");
  for (size_t at = 0; at + kJournalBlockSize <= bytes.size(); at += kJournalBlockSize) {
    if (bytes.substr(at, 4) == "BJB1") {
      char* head = bytes.data() + at;
      StoreLittle(head + 12, uint32_t{2});
      StoreLittle(head + 4, Crc32c({head + 8, LoadLittle<uint32_t>(head + 8) - 8}));
    }
  }
  ExpectRefused("disk/journal-0000000001", bytes, "format version 2");
}

TEST_F(LaterVersionTest, Layer) {
  std::string path;
  for (const std::string& name : cluster_.files().List("disk").value()) {
    path = LayerFileNumber(name) != 0 ? "disk/" + name : path;
  }
  ASSERT_FALSE(path.empty());
  std::string bytes = Read(path);
  char* footer = bytes.data() + bytes.size() - 160;
  StoreLittle(footer + 132, uint32_t{3});
  StoreLittle(footer + 4, Crc32c({footer + 8, 152}));
  ExpectRefused(path, bytes, "format version 3");
}

}  // namespace
}  // namespace borealis::storage_node
