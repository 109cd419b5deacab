// Decoders for people: whole files, and files with a damaged place.
#include "storage_node/inspect.h"

#include "tests/unit/storage_node/test_cluster.h"

namespace borealis::storage_node {
namespace {

TEST(InspectTest, ShowsWhatIsThereAndWhatIsDamaged) {
  TestCluster cluster(1);
  cluster.config.table_bytes = 600;
  cluster.BootAll();
  TestLog log;
  for (int i = 0; i < 10; ++i) {
    cluster.Append({log.MakeWrite(PageNo(1), 100, std::string(50, 'x'))}, 1, log.end());
    cluster.Pass(20'000);
  }
  cluster.Seal(2);
  std::string text;
  const LineSink sink = [&](std::string_view line) { text.append(line).append("\n"); };
  SimFileSystem& files = cluster.files();

  std::string journal = ReadWholeFile(files, "disk/journal-0000000001").value();
  InspectJournal(journal, {}, sink);
  EXPECT_NE(text.find("0x00001000: batch 2 file 1 node 1: 1 parts, 4096 bytes"), std::string::npos)
      << text;
  EXPECT_NE(text.find("epoch 1 pg 0 page 1 cpl: write 100+50"), std::string::npos) << text;
  EXPECT_EQ(text.find("no batch: unused"), text.rfind("no batch: unused"));
  text.clear();
  journal[4096 + 60] ^= 1;
  InspectJournal(journal, {false}, sink);
  EXPECT_NE(text.find("0x00001000: 4096 bytes that are no batch"), std::string::npos) << text;
  EXPECT_NE(text.find("0x00002000: batch 3"), std::string::npos) << text;

  std::string name;
  for (const std::string& entry : files.List("disk").value()) {
    name = LayerFileNumber(entry) != 0 ? entry : name;
  }
  std::string layer = ReadWholeFile(files, "disk/" + name).value();
  text.clear();
  InspectLayer(layer, {}, sink);
  EXPECT_NE(text.find("volume 1 pg 0\nlayer "), std::string::npos) << text;
  EXPECT_NE(text.find("page 1 cpl: write 100+50"), std::string::npos) << text;
  EXPECT_NE(text.find("end of blocks"), std::string::npos) << text;
  text.clear();
  layer[layer.size() - 100] ^= 1;
  layer[30] ^= 1;
  InspectLayer(layer, {}, sink);
  EXPECT_NE(text.find("footer does not verify"), std::string::npos) << text;
  EXPECT_NE(text.find("0x00000000: corruption: block does not verify"), std::string::npos) << text;
  // One of several blocks is bad, and the page index: the others are shown.
  {
    LayerInfo info;
    info.number = 77;
    info.volume = kVolume;
    info.up_to = Lsn(1'000'000'000);
    LayerWriter writer(files, "disk", info);
    ASSERT_TRUE(writer.Create().ok());
    TestLog many;
    Random random(1);
    for (uint64_t page = 0; page < 20; ++page) {
      std::string noise(10'000, '\0');
      for (char& byte : noise) {
        byte = static_cast<char>(random.Next());
      }
      const std::string record = many.MakeWrite(PageNo(page), 100, noise);
      ASSERT_TRUE(writer.Add({PageNo(page), many.end(), false, record}).ok());
    }
    ASSERT_TRUE(writer.Finish().ok());
    layer = ReadWholeFile(files, "disk/" + LayerFileName(77)).value();
  }
  text.clear();
  InspectLayer(layer, {}, sink);
  EXPECT_EQ(text.find("verify"), std::string::npos) << text;
  EXPECT_NE(text.find("20 records"), std::string::npos) << text;
  const auto pages_at = LoadLittle<uint64_t>(layer.data() + layer.size() - 160 + 72);
  layer[pages_at + 5] ^= 4;
  layer[50'000] ^= 1;
  text.clear();
  InspectLayer(layer, {}, sink);
  EXPECT_NE(text.find("bytes that are no block: corruption: block does not verify"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("page 0 cpl: write"), std::string::npos) << text;
  EXPECT_NE(text.find("page 19 cpl: write"), std::string::npos) << text;
  EXPECT_NE(text.find("layer page index does not verify"), std::string::npos) << text;
  EXPECT_EQ(text.find("block table"), std::string::npos) << text;

  text.clear();
  InspectManifest(ReadWholeFile(files, "disk/manifest").value(), sink);
  EXPECT_NE(text.find("volume 1 epoch 2 by opener 0x1"), std::string::npos) << text;
  EXPECT_NE(text.find("volume 1 pg 0 in layers up to"), std::string::npos) << text;
  text.clear();
  InspectManifest("garbage", sink);
  EXPECT_EQ(text, "corruption: not a manifest\n");
  // Damaged: what it seems to say is shown all the same.
  std::string manifest = ReadWholeFile(files, "disk/manifest").value();
  manifest[18] ^= 1;  // in journal_first
  text.clear();
  InspectManifest(manifest, sink);
  EXPECT_NE(text.find("checksum does not match; what it seems to say"), std::string::npos) << text;
  EXPECT_NE(text.find("volume 1 epoch 2 by opener 0x1"), std::string::npos) << text;
  text.clear();
  InspectManifest(std::string_view(manifest).substr(0, manifest.size() - 20), sink);
  EXPECT_NE(text.find("does not add up; what it seems to say"), std::string::npos) << text;
  EXPECT_NE(text.find("volume 1 epoch 2 by opener 0x1"), std::string::npos) << text;
}

// Any damage to any file: nothing crashes, nothing runs away.
TEST(InspectTest, ShowsDamagedFilesAsFarAsTheyGo) {
  TestCluster cluster(1);
  cluster.config.table_bytes = 3000;
  cluster.BootAll();
  TestLog log;
  Random random(1);
  for (int i = 0; i < 60; ++i) {
    cluster.Append({log.MakeRandom(random, 8)}, 1, log.end());
    cluster.Pass(20'000);
  }
  SimFileSystem& files = cluster.files();
  uint64_t lines = 0;
  const LineSink sink = [&](std::string_view line) {
    EXPECT_LT(line.size(), 100'000U);
    ++lines;
  };
  int kinds = 0;
  for (const std::string& name : files.List("disk").value()) {
    const bool journal = JournalFileNumber(name) != 0;
    const bool layer = LayerFileNumber(name) != 0;
    if (!journal && !layer && name != "manifest") {
      continue;
    }
    ++kinds;
    std::string whole = ReadWholeFile(files, "disk/" + name).value();
    whole.resize(std::min<size_t>(whole.size(), 200'000));
    for (int round = 0; round < 60; ++round) {
      std::string bytes = whole;
      switch (random.Below(5)) {
        case 0:
          bytes.resize(random.Below(bytes.size() + 1));
          break;
        case 1: {
          const size_t at = random.Below(bytes.size());
          const size_t length = std::min<size_t>(bytes.size() - at, random.Below(9000));
          std::fill_n(bytes.begin() + static_cast<ptrdiff_t>(at), length, '\0');
          break;
        }
        case 2:
          for (char& byte : bytes) {
            byte = static_cast<char>(random.Next());
          }
          break;
        case 3:  // lengths and counts beyond all bounds
          for (int i = 0; i < 20 && bytes.size() > 4; ++i) {
            StoreLittle(bytes.data() + random.Below(bytes.size() - 4), ~uint32_t{0});
          }
          break;
        default:
          for (uint64_t i = 1 + random.Below(10); i > 0; --i) {
            bytes[random.Below(bytes.size())] ^= static_cast<char>(1u << random.Below(8));
          }
      }
      journal ? InspectJournal(bytes, {}, sink)
      : layer ? InspectLayer(bytes, {}, sink)
              : InspectManifest(bytes, sink);
    }
  }
  EXPECT_GE(kinds, 3);
  EXPECT_GT(lines, 1000U);
}

// A batch with a flipped bit: the records beside the place are shown.
TEST(InspectTest, ShowsTheGoodRecordsOfADamagedBatch) {
  TestCluster cluster(1);
  cluster.BootAll();
  TestLog log;
  std::vector<std::string> records;
  for (uint64_t page = 1; page <= 5; ++page) {
    records.push_back(log.MakeWrite(PageNo(page), 100, std::string(50, 'x')));
  }
  cluster.Append(records, 1, log.end());
  std::string journal = ReadWholeFile(cluster.files(), "disk/journal-0000000001").value();
  journal[kBatchHeaderSize + kBatchPartHeaderSize + 2 * records[0].size() + 60] ^= 1;
  std::string text;
  InspectJournal(journal, {}, [&](std::string_view line) { text.append(line).append("\n"); });
  EXPECT_NE(text.find("begins like batch 1 of file 1"), std::string::npos) << text;
  for (const char* page : {"page 1 ", "page 2 ", "page 4 ", "page 5 "}) {
    EXPECT_NE(text.find(page), std::string::npos) << text;
  }
  EXPECT_EQ(text.find("page 3 "), std::string::npos) << text;
  EXPECT_NE(text.find("bytes that are no record"), std::string::npos) << text;
}

}  // namespace
}  // namespace borealis::storage_node
