// Journal files as their works meet on disk: the works run on lanes of their own, in any order that
// the lanes allow.
#include "storage_node/journal.h"

#include <gtest/gtest.h>

#include "base/os/sim_file.h"

namespace borealis::storage_node {
namespace {

constexpr uint64_t kFileBytes = 4 * kJournalBlockSize;

std::shared_ptr<JournalBatch> BatchOf(size_t bytes) {
  BatchBuilder builder;
  builder.BeginPart(VolumeId(1), PgId(0), Lsn(0), VolumeEpoch(1));
  builder.Add(std::string(bytes, 'r'));
  builder.EndPart();
  return builder.Take();
}

TEST(JournalTest, ASpareIsMadeWhileTheOneBeforeWaitsToBeUsed) {
  SimFileSystem files(1);
  Journal journal(files, "node", NodeId(1), kFileBytes);
  ASSERT_TRUE(files.CreateDirectories("node").ok());
  for (int file = 0; file < 8; ++file) {
    auto write = journal.PrepareWrite(BatchOf(3 * kJournalBlockSize));
    const auto carry_out_write = [&write] {
      const Status written = write();
      EXPECT_TRUE(written.ok()) << written.ToString();
    };
    // Now the layers' lane is quicker than the journal's, now the other way round.
    const bool spare_first = file % 2 != 0;
    if (!spare_first) {
      carry_out_write();
    }
    if (auto spare = journal.PrepareSpare(); spare != nullptr) {
      const Status made = spare();
      EXPECT_TRUE(made.ok()) << made.ToString();
      journal.SpareDone(made.ok());
    }
    if (spare_first) {
      carry_out_write();
    }
  }
}

TEST(JournalTest, SparesOfAnEarlierRunAreRemoved) {
  SimFileSystem files(1);
  ASSERT_TRUE(files.CreateDirectories("node").ok());
  Journal before(files, "node", NodeId(1), kFileBytes);
  ASSERT_TRUE(before.PrepareSpare()().ok());
  Journal after(files, "node", NodeId(1), kFileBytes);
  std::string damage;
  const auto visit = [](const std::shared_ptr<JournalBatch>&, const BatchView&) {
    return Status::Ok();
  };
  ASSERT_TRUE(after.Open(0, 0, visit, &damage).ok());
  const auto names = files.List("node");
  ASSERT_TRUE(names.ok());
  EXPECT_TRUE(names->empty());
}

}  // namespace
}  // namespace borealis::storage_node
