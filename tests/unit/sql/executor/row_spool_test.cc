// Rows come back from a spool as they went in, from memory and from the file.
#include "sql/executor/change/row_spool.h"

#include <gtest/gtest.h>

#include "base/os/random.h"

namespace borealis::sql {
namespace {

using row::Value;

std::vector<Value> EveryKind(Random& random, size_t long_size) {
  row::Decimal number;
  row::Decimal::Parse("-12.340", &number);
  return {Value::Null(),
          Value::Int(-1 - static_cast<int64_t>(random.Below(1000))),
          Value::Uint(~uint64_t{0} - random.Below(1000)),
          Value::Double(-0.1),
          Value::Dec(number),
          Value::String(std::string(random.Below(200) + long_size, 'x')),
          Value::String(std::string("\0\xff", 2)),
          Value::Date(int64_t{1} << 60),
          Value::Time(-5),
          Value::DateTime(7),
          Value::Timestamp(9)};
}

void PutThrough(size_t rows, size_t long_every, bool spills) {
  Random random(rows);
  RowSpool spool("/tmp");
  std::vector<std::vector<Value>> expected;
  for (size_t i = 0; i < rows; ++i) {
    expected.push_back(EveryKind(random, long_every != 0 && i % long_every == 0 ? 900'000 : 0));
    ASSERT_TRUE(spool.Add(expected.back()).ok());
  }
  EXPECT_EQ(spool.file_bytes() > 0, spills);
  std::vector<Value> row;
  for (const std::vector<Value>& wanted : expected) {
    const Result<bool> more = spool.Next(&row);
    ASSERT_TRUE(more.ok() && *more) << more.status().ToString();
    ASSERT_EQ(row.size(), wanted.size());
    for (size_t i = 0; i < row.size(); ++i) {
      ASSERT_TRUE(row[i].Identical(wanted[i])) << row[i].ToString();
      ASSERT_EQ(row[i].ToString(), wanted[i].ToString());
    }
  }
  const Result<bool> end = spool.Next(&row);
  ASSERT_TRUE(end.ok());
  EXPECT_FALSE(*end);
}

TEST(RowSpoolTest, NothingAtAll) {
  PutThrough(0, 0, false);
}
TEST(RowSpoolTest, RowsInMemory) {
  PutThrough(1000, 0, false);
}
TEST(RowSpoolTest, RowsInTheFileAndTheLastInMemory) {
  PutThrough(60'000, 7000, true);
}
TEST(RowSpoolTest, RowsLargerThanWhatIsReadAtATime) {
  PutThrough(12, 1, true);
}

}  // namespace
}  // namespace borealis::sql
