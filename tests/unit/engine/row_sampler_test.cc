// What the planner is shown of a table: a few rows that are there, spread over all of it.
#include "engine/row_sampler.h"

#include <fmt/format.h>

#include <set>

#include "tests/unit/engine/engine_fixture.h"

namespace borealis::engine::testing {
namespace {

constexpr uint32_t kLeaves = 4;
constexpr uint32_t kRowsOfLeaf = 64;

class RowSamplerTest : public EngineTest {
 protected:
  void SetUp() override {
    EngineTest::SetUp();
    Create("t", "0", {true});
  }
  void LoadNumbers(uint64_t count) {
    Session session(engine_.get());
    for (uint64_t i = 0; i < count; ++i) {
      ASSERT_OK(session.Insert("t", fmt::format("{:05}|{:0100}", i, 0)));
    }
    ASSERT_OK(session.Commit());
  }
  // The keys of the rows that are shown.
  std::set<std::string> Sample(const TableRef& table) {
    std::set<std::string> keys;
    const auto see = [&](std::string_view row) {
      EXPECT_TRUE(keys.insert(Split(row, '|')[0]).second);
    };
    EXPECT_OK(SampleRows(*table, kLeaves, kRowsOfLeaf, see, &whole_));
    return keys;
  }

  bool whole_ = false;
};

TEST_F(RowSamplerTest, ShowsAllOfOneLeaf) {
  EXPECT_TRUE(Sample(Table("t")).empty());
  EXPECT_TRUE(whole_);
  LoadNumbers(10);
  EXPECT_EQ(Sample(Table("t")).size(), 10u);
  EXPECT_TRUE(whole_);
}

TEST_F(RowSamplerTest, LeavesOutWhatIsDeletedAndWhatIsLong) {
  LoadNumbers(10);
  Session session(engine_.get());
  ASSERT_OK(session.Delete("t", "00003"));
  EXPECT_EQ(Sample(Table("t")).count("00003"), 0u);
  EXPECT_TRUE(whole_);
  ASSERT_OK(session.Insert("t", "00050|" + std::string(100'000, 'x')));
  EXPECT_EQ(Sample(Table("t")).size(), 9u);
  EXPECT_FALSE(whole_);
  ASSERT_OK(session.Rollback());
}

TEST_F(RowSamplerTest, ShowsAFewOfManySpreadOverTheTable) {
  LoadNumbers(20'000);
  const std::set<std::string> keys = Sample(Table("t"));
  EXPECT_FALSE(whole_);
  EXPECT_LE(keys.size(), kLeaves * kRowsOfLeaf);
  EXPECT_GE(keys.size(), kRowsOfLeaf);
  EXPECT_LT(*keys.begin(), "05000");
  EXPECT_GT(*keys.rbegin(), "15000");
}

}  // namespace
}  // namespace borealis::engine::testing
