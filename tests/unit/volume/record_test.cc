// Log records: round trip, damage, idempotent apply; page seals.
#include "volume/record.h"

#include "base/crc32c.h"
#include "volume/edit.h"
#include "volume/tail.h"

namespace borealis {
namespace {

std::string Encode(std::string_view body, Lsn end, bool cpl) {
  RecordDraft draft;
  draft.page = PageNo(7);
  draft.body = body;
  std::string bytes;
  AppendRecord(&bytes, draft, Crc32c(body), {end, VolumeEpoch(3), Lsn(10), PgId(2), cpl});
  return bytes;
}

std::string SomeEdits() {
  std::string edits;
  AppendWriteEdit(&edits, 96, "payload");
  return edits;
}

TEST(RecordTest, RoundTrips) {
  const std::string bytes = Encode(SomeEdits(), Lsn(500), true);
  const std::string followed = bytes + "next";
  auto record = ParseRecord(followed);
  ASSERT_TRUE(record.ok());
  EXPECT_EQ(record->end, Lsn(500));
  EXPECT_EQ(record->start(), Lsn(500 - bytes.size()));
  EXPECT_EQ(record->epoch, VolumeEpoch(3));
  EXPECT_EQ(record->pg_back_link, Lsn(10));
  EXPECT_EQ(record->page, PageNo(7));
  EXPECT_EQ(record->pg, PgId(2));
  EXPECT_TRUE(record->is_consistency_point);
  EXPECT_EQ(record->bytes, bytes);
  EXPECT_EQ(DescribeRecord(*record), "lsn 500 +60 epoch 3 pg 2 page 7 cpl: write 96+7");
}

TEST(RecordTest, EveryFlippedBitIsFound) {
  const std::string good = Encode(SomeEdits(), Lsn(500), false);
  for (size_t bit = 0; bit < good.size() * 8; ++bit) {
    std::string bad = good;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_FALSE(ParseRecord(bad).ok()) << "bit " << bit;
  }
}

TEST(RecordTest, EveryCutIsFound) {
  const std::string good = Encode(SomeEdits(), Lsn(500), false);
  for (size_t size = 0; size < good.size(); ++size) {
    EXPECT_EQ(ParseRecord(std::string_view(good).substr(0, size)).status().code(),
              Code::kCorruption);
  }
}

TEST(RecordTest, ApplyingTwiceIsHarmless) {
  std::string edits;
  AppendMoveEdit(&edits, 100, 96, 20);  // not idempotent by itself
  const std::string bytes = Encode(edits, Lsn(500), false);
  const RecordView record = ParseRecord(bytes).value();
  Page page;
  page.Clear();
  std::memcpy(page.bytes + 96, "abcdefgh", 8);
  ASSERT_TRUE(ApplyRecord(record, &page).ok());
  EXPECT_EQ(page.lsn(), Lsn(500));
  const std::string once(page.view());
  ASSERT_TRUE(ApplyRecord(record, &page).ok());
  EXPECT_EQ(page.view(), once);
}

TEST(PageTest, SealFindsFlippedBitsAndAcceptsZeroPages) {
  Page page;
  page.Clear();
  EXPECT_TRUE(PageIsIntact(page));
  page.set_lsn(Lsn(9));
  page.bytes[5000] = 'x';
  SealPage(&page);
  EXPECT_TRUE(PageIsIntact(page));
  for (size_t at : {0, 9, 13, 5000, 16383}) {
    page.bytes[at] = static_cast<char>(page.bytes[at] ^ 0x10);
    EXPECT_FALSE(PageIsIntact(page)) << at;
    page.bytes[at] = static_cast<char>(page.bytes[at] ^ 0x10);
  }
}

TEST(TailTest, RoundTripsAndRefusesDisorder) {
  std::string bytes;
  AppendTailEntry(&bytes, {Lsn(100), 40, false, VolumeEpoch(2), Lsn(3)});
  AppendTailEntry(&bytes, {Lsn(160), 60, true, VolumeEpoch(2), Lsn(100)});
  auto entries = ParseTail(bytes);
  ASSERT_TRUE(entries.ok());
  ASSERT_EQ(entries->size(), 2U);
  EXPECT_TRUE((*entries)[1].is_consistency_point);
  EXPECT_EQ((*entries)[1].pg_back_link, Lsn(100));
  EXPECT_FALSE(ParseTail(bytes + bytes).ok());
  EXPECT_FALSE(ParseTail(std::string_view(bytes).substr(1)).ok());
}

}  // namespace
}  // namespace borealis
