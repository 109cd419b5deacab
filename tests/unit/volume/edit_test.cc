// Page edits: what they do, and that damaged ones are refused.
#include "volume/edit.h"

#include "base/os/random.h"

namespace borealis {
namespace {

Page Numbered() {
  Page page;
  for (size_t i = 0; i < kPageSize; ++i) {
    page.bytes[i] = static_cast<char>(i * 7);
  }
  return page;
}

TEST(EditTest, EachOperationChangesItsRangeOnly) {
  Page page = Numbered();
  Page expected = page;
  std::string edits;
  AppendWriteEdit(&edits, 100, "hello");
  AppendMoveEdit(&edits, 110, 100, 5);
  AppendFillEdit(&edits, 200, 3, 0xEE);
  std::memcpy(expected.bytes + 100, "hello", 5);
  std::memcpy(expected.bytes + 110, "hello", 5);
  std::memset(expected.bytes + 200, 0xEE, 3);
  ASSERT_TRUE(ApplyEdits(edits, &page).ok());
  EXPECT_EQ(page.view(), expected.view());
  EXPECT_EQ(DescribeEdits(edits), "write 100+5, move 110<-100+5, fill 200+3=238");
}

TEST(EditTest, ImageReplacesTheBodyAndKeepsTheHeader) {
  Page page = Numbered();
  const std::string header(page.bytes, kPageHeaderSize);
  std::string edits;
  AppendImageEdit(&edits, std::string("body\0\0\0", 7));
  EXPECT_TRUE(StartsWithImage(edits));
  ASSERT_TRUE(ApplyEdits(edits, &page).ok());
  EXPECT_EQ(page.view().substr(0, kPageHeaderSize), header);
  EXPECT_EQ(page.view().substr(kPageHeaderSize, 4), "body");
  EXPECT_EQ(page.view().find_first_not_of('\0', kPageHeaderSize + 4), std::string_view::npos);
}

TEST(EditTest, MayNotTouchHeaderOrLeaveThePage) {
  Page page = Numbered();
  for (auto [offset, length] : {std::pair{0, 4}, {15, 1}, {16380, 5}, {65535, 1}}) {
    std::string edits;
    edits.push_back(3);
    AppendLittle(&edits, static_cast<uint16_t>(offset));
    AppendLittle(&edits, static_cast<uint16_t>(length));
    edits.push_back(0);
    EXPECT_EQ(ApplyEdits(edits, &page).code(), Code::kCorruption) << offset;
  }
}

TEST(EditTest, RandomBytesNeverEscapeThePage) {
  Random random(1);
  for (int round = 0; round < 20000; ++round) {
    struct {
      Page page;
      char guard[64];
    } memory;
    memory.page.Clear();
    std::memset(memory.guard, 0x5A, sizeof(memory.guard));
    std::string edits;
    for (uint64_t i = random.Below(40); i > 0; --i) {
      edits.push_back(
          static_cast<char>(random.Chance(0.3) ? 1 + random.Below(4) : random.Below(256)));
    }
    ApplyEdits(edits, &memory.page).IgnoreError();
    EXPECT_EQ(memory.page.view().substr(0, kPageHeaderSize), std::string(kPageHeaderSize, '\0'));
    EXPECT_EQ(std::string(memory.guard, 64), std::string(64, 0x5A));
  }
}

}  // namespace
}  // namespace borealis
