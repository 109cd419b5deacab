// Rows kept by hash: all that were added under a key come back, in their order.
#include "sql/sqlite/row_hash.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace borealis::sql {
namespace {

std::vector<std::string> RowsOf(const RowHash& rows, std::string_view key) {
  std::vector<std::string> found;
  RowHash::Matches matches = rows.Find(key);
  for (std::string_view row; matches.Next(&row);) {
    found.emplace_back(row);
  }
  return found;
}

TEST(RowHashTest, GivesRowsInTheOrderOfTheirComing) {
  RowHash rows;
  rows.Add("k", "first");
  rows.Add("other", "");
  rows.Add("k", "second");
  rows.Finish();
  EXPECT_EQ(RowsOf(rows, "k"), (std::vector<std::string>{"first", "second"}));
  EXPECT_EQ(RowsOf(rows, "other"), std::vector<std::string>{""});
  EXPECT_TRUE(RowsOf(rows, "none").empty());
}

TEST(RowHashTest, NothingIsFoundInNothing) {
  RowHash rows;
  rows.Finish();
  EXPECT_TRUE(RowsOf(rows, "").empty());
}

TEST(RowHashTest, HoldsManyRowsAndLargeOnes) {
  constexpr int kRows = 20000;
  RowHash rows;
  const std::string large(size_t{1} << 20, 'x');
  rows.Add("large", large);
  size_t content = large.size();
  for (int i = 0; i < kRows; ++i) {
    const std::string row = "row " + std::to_string(i);
    rows.Add(std::to_string(i / 2), row);
    content += row.size();
  }
  rows.Finish();
  EXPECT_GT(rows.bytes(), content);
  EXPECT_EQ(RowsOf(rows, "large"), std::vector<std::string>{large});
  for (int i = 0; i < kRows; i += 2) {
    EXPECT_EQ(
        RowsOf(rows, std::to_string(i / 2)),
        (std::vector<std::string>{"row " + std::to_string(i), "row " + std::to_string(i + 1)}));
  }
}

}  // namespace
}  // namespace borealis::sql
