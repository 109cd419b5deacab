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

  text.clear();
  InspectManifest(ReadWholeFile(files, "disk/manifest").value(), sink);
  EXPECT_NE(text.find("volume 1 epoch 2 by opener 0x1"), std::string::npos) << text;
  EXPECT_NE(text.find("volume 1 pg 0 in layers up to"), std::string::npos) << text;
  text.clear();
  InspectManifest("garbage", sink);
  EXPECT_EQ(text, "corruption: not a manifest\n");
}

}  // namespace
}  // namespace borealis::storage_node
