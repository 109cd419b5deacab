// CHECK TABLE finds what is wrong between rows and index entries, and reads each tree in its own
// order however large the table is.
#include <fmt/format.h>

#include "engine/row/secondary.h"
#include "engine/table_trees.h"
#include "tests/unit/engine/engine_fixture.h"
#include "tests/unit/engine/store_testing.h"

namespace borealis::engine::testing {
namespace {

// Counts the pages that are read.
class CountingVolume final : public MemoryVolume {
 public:
  Status ReadPage(PageNo page, Lsn read_point, Page* out) override {
    ++pages;
    return MemoryVolume::ReadPage(page, read_point, out);
  }
  Status ReadPages(std::span<const PageNo> list, Lsn read_point, Page* out) override {
    pages += list.size();
    return MemoryVolume::ReadPages(list, read_point, out);
  }
  std::atomic<uint64_t> pages = 0;
};

class CheckTableTest : public EngineTest {
 protected:
  void SetUp() override {
    EngineTest::SetUp();
    Create("t", "0;1;2", {true, false, true});
    std::vector<std::string> rows;
    for (int i = 0; i < 200; ++i) {
      rows.push_back(fmt::format("{:03}|{}|u{}", i, i % 7, i));
    }
    Load("t", rows);
    Check("t");
  }
  BTree Tree(size_t index_no) {
    const BTree& tree = Table("t")->trees().tree(index_no);
    return BTree(tree.store(), tree.root());
  }
  std::string Complaint() {
    const Status status = engine_->CheckTable(*Table("t"));
    return status.ok() ? "" : std::string(status.message());
  }
};

TEST_F(CheckTableTest, ARowWithoutItsEntry) {
  BTree tree = Tree(1);
  ASSERT_OK(DeleteOne(&tree, SecondaryEntryKey(K("3"), K("010"))));
  EXPECT_NE(Complaint().find("row without its entry"), std::string::npos) << Complaint();
}

TEST_F(CheckTableTest, AnEntryWithoutItsRow) {
  BTree tree = Tree(1);
  std::string value;
  ASSERT_OK(tree.Get(SecondaryEntryKey(K("3"), K("010")), &value));
  ASSERT_OK(InsertOne(&tree, SecondaryEntryKey(K("4"), K("010")), value));
  EXPECT_NE(Complaint().find("entry without its row"), std::string::npos) << Complaint();
}

TEST_F(CheckTableTest, AnEntryOfAnotherRowsKey) {
  BTree tree = Tree(2);
  std::string value;
  const std::string own = SecondaryEntryKey(K("u10"), K("010"));
  ASSERT_OK(tree.Get(own, &value));
  ASSERT_OK(DeleteOne(&tree, own));
  ASSERT_OK(InsertOne(&tree, SecondaryEntryKey(K("u500"), K("010")), value));
  EXPECT_NE(Complaint().find("row without its entry"), std::string::npos) << Complaint();
}

TEST_F(CheckTableTest, WhatIsBeingChangedIsNoMistake) {
  Session session(engine_.get());
  ASSERT_OK(session.Update("t", "010", "010|x|y"));
  ASSERT_OK(session.Delete("t", "011"));
  ASSERT_OK(session.Insert("t", "900|1|z"));
  EXPECT_EQ(Complaint(), "");
  ASSERT_OK(session.Rollback());
  EXPECT_EQ(Complaint(), "");
}

TEST_F(CheckTableTest, EachTreeIsReadInItsOwnOrder) {
  engine_.reset();
  auto counting = std::make_unique<CountingVolume>();
  CountingVolume* volume = counting.get();
  volume_ = std::move(counting);
  EngineOptions options = TestOptions();
  options.buffer_pool_bytes = 1;  // the least there is
  OpenEngine(options);
  Create("large", "0;1", {true, false});
  constexpr uint64_t kRows = 15'000;
  std::vector<std::string> rows;
  for (uint64_t i = 0; i < kRows; ++i) {
    // The index's order has nothing to do with that of the rows.
    rows.push_back(fmt::format("{:06}|{:06}|{:300}", i, i * 7919 % kRows, "wide"));
  }
  Load("large", rows);
  volume->pages = 0;
  Check("large");
  // A look-up for each row would read more than ten thousand.
  EXPECT_LT(volume->pages, 3'000u);
}

}  // namespace
}  // namespace borealis::engine::testing
