// Groups by hash: what is one group, what a group shows, and that groups that do not fit in memory
// come out the same.
#include "sql/sqlite/group_table.h"

#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "row/collation.h"
#include "row/convert.h"
#include "sql/sqlite/key_index.h"
#include "tests/support/assert_ok.h"

namespace borealis::sql {
namespace {

using row::Type;
using row::Value;

Grouping::Output First(Type type, size_t input) {
  return {std::move(type), input, std::nullopt, 0};
}

Grouping::Output Of(AggregateFn fn, Type arg, Type result, size_t input) {
  AggregateSpec spec;
  spec.fn = fn;
  spec.arg_types = {std::move(arg)};
  spec.result = result;
  return {std::move(result), input, std::move(spec), 1};
}

class GroupTableTest : public ::testing::Test {
 protected:
  GroupTable Make(const Grouping& grouping, size_t memory_bytes = size_t{1} << 20) {
    return GroupTable(&grouping, &eval_, {memory_bytes, [] { return ::testing::TempDir(); }});
  }
  // All groups, each as its outputs with spaces between.
  static std::vector<std::string> All(GroupTable* groups, const Grouping& grouping) {
    std::vector<std::string> all;
    while (true) {
      Result<bool> next = groups->Next();
      EXPECT_TRUE(next.ok()) << next.status().ToString();
      if (!next.ok() || !*next) {
        return all;
      }
      std::string text;
      for (size_t i = 0; i < grouping.outputs.size(); ++i) {
        const Value& value = groups->Column(i);
        text += (i == 0 ? "" : " ") +
                (value.is_null() ? "NULL" : row::ToText(value, grouping.outputs[i].type));
      }
      all.push_back(text);
    }
  }

  EvalContext eval_;
};

TEST_F(GroupTableTest, EqualKeysAreOneGroupAndShowTheFirstRow) {
  const Type text = Type::Varchar(10, row::kDefaultCollation);
  Grouping grouping;
  grouping.inputs = {text, Type::BigInt()};
  grouping.keys = 1;
  grouping.outputs = {First(text, 0), First(Type::BigInt(), 1),
                      Of(AggregateFn::kCount, Type::BigInt(), Type::BigInt(), 1)};
  GroupTable groups = Make(grouping);
  const std::vector<std::pair<Value, int64_t>> rows = {
      {Value::View("b"), 1}, {Value::View("a"), 2}, {Value::View("B"), 3}, {Value::Null(), 4},
      {Value::View("á"), 5}, {Value::Null(), 6},    {Value::View("B"), 7}, {Value::View(""), 8},
  };
  for (const auto& [key, number] : rows) {
    const Value row[] = {key, Value::Int(number)};
    ASSERT_OK(groups.Add(row));
  }
  EXPECT_EQ(All(&groups, grouping),
            (std::vector<std::string>{"b 1 3", "a 2 2", "NULL 4 2", " 8 1"}));
}

TEST_F(GroupTableTest, NumbersAreOneGroupWhenEqual) {
  Grouping grouping;
  grouping.inputs = {Type::Double(), Type::Decimal(10, 2)};
  grouping.keys = 2;
  grouping.outputs = {First(Type::Double(), 0), First(Type::Decimal(10, 2), 1)};
  GroupTable groups = Make(grouping);
  const auto decimal = [](std::string_view text) {
    row::Decimal number;
    EXPECT_EQ(row::Decimal::Parse(text, &number), row::DecimalStatus::kOk);
    return Value::Dec(number);
  };
  for (const auto& [a, b] : std::vector<std::pair<double, std::string>>{
           {0.0, "1.50"}, {-0.0, "1.5"}, {0.0, "-1.50"}, {1e300, "0"}}) {
    const Value row[] = {Value::Double(a), decimal(b)};
    ASSERT_OK(groups.Add(row));
  }
  EXPECT_EQ(All(&groups, grouping).size(), 3);
}

TEST_F(GroupTableTest, GroupsThatDoNotFitAreTheSame) {
  constexpr int kRows = 20000;
  constexpr int kGroups = 3000;
  const Type text = Type::Varchar(20, row::kDefaultCollation);
  Grouping grouping;
  grouping.inputs = {text, Type::BigInt()};
  grouping.keys = 1;
  grouping.outputs = {First(text, 0), First(Type::BigInt(), 1),
                      Of(AggregateFn::kSum, Type::BigInt(), Type::Decimal(41, 0), 1)};
  const auto groups_in = [&](size_t memory_bytes, uint64_t* on_disk) {
    GroupTable groups = Make(grouping, memory_bytes);
    for (int i = 0; i < kRows; ++i) {
      // Each key in two spellings.
      const int key = (i * 7919) % kGroups;
      const std::string name = (i % 2 == 0 ? "Key " : "kEY ") + std::to_string(key);
      const Value row[] = {Value::View(name), Value::Int(i % 64)};
      EXPECT_OK(groups.Add(row));
    }
    *on_disk = groups.rows_on_disk();
    std::map<std::string, int> all;
    for (const std::string& group : All(&groups, grouping)) {
      ++all[group];
    }
    return all;
  };
  uint64_t on_disk = 0;
  const std::map<std::string, int> plenty = groups_in(size_t{64} << 20, &on_disk);
  EXPECT_EQ(on_disk, 0);
  EXPECT_EQ(plenty.size(), kGroups);
  EXPECT_EQ(groups_in(size_t{256} << 10, &on_disk), plenty);
  EXPECT_GT(on_disk, 0);
}

TEST_F(GroupTableTest, DistinctArgumentsThatDoNotFitCountOnce) {
  constexpr int kRows = 60000;
  constexpr int kValues = 9000;
  const Type text = Type::Varchar(20, row::kDefaultCollation);
  Grouping grouping;
  grouping.inputs = {Type::BigInt(), text, Type::BigInt()};
  grouping.keys = 1;
  grouping.outputs = {First(Type::BigInt(), 0), Of(AggregateFn::kCount, text, Type::BigInt(), 1),
                      Of(AggregateFn::kSum, Type::BigInt(), Type::Decimal(41, 0), 2),
                      Of(AggregateFn::kCount, Type::BigInt(), Type::BigInt(), 2)};
  grouping.outputs[1].aggregate->distinct = true;
  grouping.outputs[2].aggregate->distinct = true;
  const auto groups_in = [&](size_t memory_bytes, int groups, uint64_t* on_disk) {
    GroupTable table = Make(grouping, memory_bytes);
    for (int i = 0; i < kRows; ++i) {
      const int value = (i * 7919) % kValues;
      // Each text in two spellings, and NULL.
      const std::string name = (i % 2 == 0 ? "Key " : "kEY ") + std::to_string(value);
      const Value row[] = {Value::Int(value % groups),
                           value % 1000 == 0 ? Value::Null() : Value::View(name),
                           Value::Int(value)};
      EXPECT_OK(table.Add(row));
    }
    on_disk[0] = table.distinct_on_disk();
    on_disk[1] = table.rows_on_disk();
    std::vector<std::string> all = All(&table, grouping);
    std::ranges::sort(all);
    return all;
  };
  // 1,000 groups: some of them do not fit either.
  for (const int groups : {2, 1000}) {
    uint64_t on_disk[2] = {};
    const std::vector<std::string> plenty = groups_in(size_t{64} << 20, groups, on_disk);
    EXPECT_EQ(on_disk[0] + on_disk[1], 0);
    ASSERT_EQ(plenty.size(), groups);
    // The values of a group are kValues / groups, from its key on; nine of all are multiples of a
    // thousand.
    if (groups == 2) {
      EXPECT_EQ(plenty[0], "0 4491 20245500 30000");
      EXPECT_EQ(plenty[1], "1 4500 20250000 30000");
    }
    EXPECT_EQ(groups_in(size_t{256} << 10, groups, on_disk), plenty);
    EXPECT_GT(on_disk[0], 0);
    EXPECT_EQ(on_disk[1] > 0, groups == 1000);
  }
}

TEST(KeyIndexTest, FindsWhatWasAdded) {
  constexpr uint32_t kKeys = 10000;
  KeyIndex index;
  EXPECT_EQ(index.Find(""), KeyIndex::kNone);
  for (uint32_t i = 0; i < kKeys; ++i) {
    EXPECT_TRUE(index.Add(std::string(i % 7, 'x') + std::to_string(i), i));
  }
  for (uint32_t i = 0; i < kKeys; ++i) {
    EXPECT_EQ(index.Find(std::string(i % 7, 'x') + std::to_string(i)), i);
  }
  EXPECT_EQ(index.Find("x"), KeyIndex::kNone);
  EXPECT_EQ(index.Find(""), KeyIndex::kNone);
  EXPECT_TRUE(index.Add("", 7));
  EXPECT_FALSE(index.Add("", 8));
  EXPECT_EQ(index.Find(""), 7);
}

}  // namespace
}  // namespace borealis::sql
