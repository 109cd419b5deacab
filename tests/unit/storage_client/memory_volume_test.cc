// The plain model that engine tests and the simulator lean on.
#include "tests/support/memory_volume.h"

#include <gtest/gtest.h>

#include "volume/edit.h"

namespace borealis {
namespace {

Lsn AppendWrite(MemoryVolume& volume, PageNo page, size_t offset, std::string_view bytes) {
  std::string edits;
  AppendWriteEdit(&edits, offset, bytes);
  RecordDraft draft;
  draft.page = page;
  draft.body = edits;
  return volume.Append({&draft, 1});
}

std::string ReadBytes(MemoryVolume& volume, PageNo page, Lsn at, size_t offset, size_t size) {
  Page out;
  const Status status = volume.ReadPage(page, at, &out);
  EXPECT_TRUE(status.ok()) << status.ToString();
  return std::string(out.bytes + offset, size);
}

TEST(MemoryVolumeTest, ServesEveryVersionOfAPage) {
  MemoryVolume volume;
  std::vector<Lsn> ends;
  for (int i = 0; i < 200; ++i) {
    ends.push_back(AppendWrite(volume, PageNo(7), 100, std::to_string(1000 + i)));
  }
  for (int i : {199, 0, 31, 32, 33, 64, 150}) {
    EXPECT_EQ(ReadBytes(volume, PageNo(7), ends[i], 100, 4), std::to_string(1000 + i));
  }
  EXPECT_EQ(ReadBytes(volume, PageNo(8), ends[5], 100, 1), std::string(1, '\0'));
}

TEST(MemoryVolumeTest, HeldDurabilityReleasesInLsnOrder) {
  MemoryVolume volume;
  volume.HoldDurability();
  const Lsn first = AppendWrite(volume, PageNo(1), 16, "a");
  const Lsn second = AppendWrite(volume, PageNo(1), 17, "b");
  std::vector<int> order;
  volume.WhenDurable(second, [&](Status s) { order.push_back(s.ok() ? 2 : -2); });
  volume.WhenDurable(first, [&](Status s) { order.push_back(s.ok() ? 1 : -1); });
  EXPECT_EQ(volume.vdl(), Lsn(0));
  volume.ReleaseUpTo(second - 1);
  EXPECT_EQ(volume.vdl(), first);
  EXPECT_EQ(order, std::vector<int>({1}));
  volume.Release();
  EXPECT_EQ(order, std::vector<int>({1, 2}));
}

TEST(MemoryVolumeTest, CrashCopyCutsAtAConsistencyPoint) {
  MemoryVolume volume(4);
  const Lsn kept = AppendWrite(volume, PageNo(1), 16, "a");
  volume.HoldDurability();
  std::string edits;
  AppendWriteEdit(&edits, 20, "torn");
  std::vector<RecordDraft> drafts(2);
  drafts[0].page = PageNo(1);
  drafts[0].body = edits;
  drafts[1].page = PageNo(9);
  drafts[1].body = edits;
  volume.Append(drafts);

  auto copy = volume.CrashCopy(drafts[0].end);
  EXPECT_EQ(copy->vdl(), kept);
  EXPECT_GT(copy->epoch(), volume.epoch());
  EXPECT_GT(copy->appended(), volume.appended());
  EXPECT_TRUE(copy->WaitForRoom().ok());
  const Lsn next = AppendWrite(*copy, PageNo(1), 16, "c");
  EXPECT_EQ(ReadBytes(*copy, PageNo(1), next, 16, 5), std::string("c\0\0\0\0", 5));
  EXPECT_EQ(ReadBytes(*copy, PageNo(1), kept, 16, 1), "a");

  auto all = volume.CrashCopy(Lsn::Max());
  EXPECT_EQ(all->vdl(), drafts[1].end);
}

TEST(MemoryVolumeTest, FencingRefusesWhatIsNotDurable) {
  MemoryVolume volume;
  volume.HoldDurability();
  const Lsn lsn = AppendWrite(volume, PageNo(1), 16, "a");
  Code code = Code::kOk;
  volume.WhenDurable(lsn, [&](Status s) { code = s.code(); });
  volume.Fence();
  EXPECT_EQ(code, Code::kFenced);
  EXPECT_TRUE(volume.WaitForRoom().Is(Code::kFenced));
  EXPECT_TRUE(volume.WaitDurable(lsn).Is(Code::kFenced));
}

}  // namespace
}  // namespace borealis
