// The volume's pages under tables that come and go: used again, and emptied when they are freed.
#include "engine/store/space.h"

#include <bit>

#include "engine/store/page_format.h"
#include "tests/unit/engine/engine_fixture.h"

namespace borealis::engine::testing {
namespace {

class SpaceTest : public EngineTest {
 protected:
  struct Usage {
    uint64_t allocated = 0;
    uint64_t highest = 0;          // page that ever held anything
    uint64_t free_with_bytes = 0;  // free pages that are not empty
  };
  // By what the volume's pages say, at its end.
  Usage Measure() {
    Usage usage;
    Page bitmap;
    EXPECT_OK(volume_->ReadPage(PageNo(1), volume_->vdl(), &bitmap));
    constexpr uint64_t kPages = 4096;
    for (uint64_t number = 0; number < kPages; ++number) {
      const auto byte = static_cast<uint8_t>(bitmap.bytes[space::kBits + number / 8]);
      const bool allocated = (byte & (1u << (number % 8))) != 0;
      Page page;
      EXPECT_OK(volume_->ReadPage(PageNo(number), volume_->vdl(), &page));
      usage.allocated += allocated ? 1 : 0;
      usage.highest = page.lsn() > Lsn(0) ? number : usage.highest;
      const bool empty = IsAllZero(page.view().substr(kPageHeaderSize));
      usage.free_with_bytes += allocated || empty ? 0 : 1;
    }
    EXPECT_LT(usage.highest, kPages - 1);
    return usage;
  }
  void Fill(int rows) {
    Create("t", "0;1", {true, false});
    Session session(engine_.get());
    for (int i = 0; i < rows; ++i) {
      const std::string number = std::to_string(1'000'000 + i);
      // Every hundredth row does not fit into a page.
      const size_t size = i % 100 == 0 ? 40'000 : 400;
      ASSERT_OK(session.Insert("t", number + "|" + number + "|" + std::string(size, 'x')));
    }
    ASSERT_OK(session.Commit());
  }
};

TEST_F(SpaceTest, DroppedTablesLeaveTheirPagesToOthers) {
  Usage first;
  for (int round = 0; round < 6; ++round) {
    Fill(2000);
    ASSERT_OK(engine_->DropTables({{"test", "t"}}, {}));
    ASSERT_OK(engine_->RunBackground());
    const Usage usage = Measure();
    if (round == 0) {
      first = usage;
      EXPECT_GT(usage.highest, 80U);
    }
    EXPECT_LE(usage.allocated, first.allocated + 2) << round;
    EXPECT_LE(usage.highest, first.highest + 8) << round;
    EXPECT_EQ(usage.free_with_bytes, 0U) << round;  // INV-SPC-3
  }
}

TEST_F(SpaceTest, PurgedRowsLeaveTheirPagesToOthers) {
  Fill(2000);
  const Usage full = Measure();
  for (int i = 0; i < 2000; ++i) {
    Session session(engine_.get());
    ASSERT_OK(session.Delete("t", std::to_string(1'000'000 + i)));
    ASSERT_OK(session.Commit());
  }
  ASSERT_OK(engine_->RunBackground());
  const Usage usage = Measure();
  EXPECT_LT(usage.allocated, full.allocated / 4);
  EXPECT_EQ(usage.free_with_bytes, 0U);
  Check("t");
}

// The off-page part of a deleted row is purge's to free, whatever has become of the table.
TEST_F(SpaceTest, DeletedRowsOfADroppedTableAreFreedOnce) {
  Create("t", "0", {true});
  Load("t", {"1|" + std::string(60'000, 'x'), "2|" + std::string(60'000, 'y')});
  ASSERT_OK(engine_->RunBackground());
  Session reader(engine_.get());  // holds purge up
  reader.Scan("t");
  ASSERT_OK(reader.trx().MakeReadView());
  {
    Session session(engine_.get());
    ASSERT_OK(session.Delete("t", "1"));
    ASSERT_OK(session.Commit());
  }
  ASSERT_OK(reader.Commit());
  ASSERT_OK(engine_->DropTables({{"test", "t"}}, {}));
  ASSERT_OK(engine_->RunBackground());
  const Usage usage = Measure();
  EXPECT_LT(usage.allocated, 40U);
}

}  // namespace
}  // namespace borealis::engine::testing
