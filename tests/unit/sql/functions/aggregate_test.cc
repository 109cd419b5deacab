#include "sql/functions/aggregate.h"

#include <gtest/gtest.h>

#include "call.h"

namespace borealis::sql {
namespace {

using row::Type;
using row::Value;

std::string Aggregated(AggregateSpec spec, std::vector<std::vector<Value>> rows,
                       EvalContext* given = nullptr) {
  EvalContext own;
  EvalContext& context = given != nullptr ? *given : own;
  auto result = AggregateResultType(spec.fn, spec.arg_types, 4, row::kDefaultCollation);
  if (!result.ok()) {
    return "error " + std::to_string(result.status().user_errno());
  }
  spec.result = *result;
  auto aggregator = MakeAggregator(spec);
  if (!aggregator.ok()) {
    return "error " + std::to_string(aggregator.status().user_errno());
  }
  for (const std::vector<Value>& row : rows) {
    Status status = (*aggregator)->Step(context, row);
    if (!status.ok()) {
      return "error " + std::to_string(status.user_errno());
    }
  }
  Value out;
  Status status = (*aggregator)->Finish(context, &out);
  if (!status.ok()) {
    return "error " + std::to_string(status.user_errno());
  }
  return out.is_null() ? "NULL" : row::ToText(out, spec.result);
}

std::vector<std::vector<Value>> Ints(std::vector<int64_t> numbers) {
  std::vector<std::vector<Value>> rows = {{Value::Null()}};
  for (int64_t n : numbers) {
    rows.push_back({Value::Int(n)});
  }
  return rows;
}

AggregateSpec Of(AggregateFn fn, Type type, bool distinct = false) {
  AggregateSpec spec;
  spec.fn = fn;
  spec.distinct = distinct;
  spec.arg_types = {std::move(type)};
  return spec;
}

TEST(AggregateTest, NumbersAndNulls) {
  Type i = Type::BigInt();
  EXPECT_EQ(Aggregated(Of(AggregateFn::kCount, i), Ints({1, 2, 2})), "3");
  EXPECT_EQ(Aggregated(Of(AggregateFn::kCount, i, true), Ints({1, 2, 2})), "2");
  AggregateSpec star;
  star.fn = AggregateFn::kCount;
  EXPECT_EQ(Aggregated(star, {{}, {}, {}}), "3");
  EXPECT_EQ(Aggregated(Of(AggregateFn::kSum, i), Ints({1, 2, 2})), "5");
  EXPECT_EQ(Aggregated(Of(AggregateFn::kSum, i, true), Ints({1, 2, 2})), "3");
  EXPECT_EQ(Aggregated(Of(AggregateFn::kSum, i), Ints({INT64_MAX, INT64_MAX, 1})),
            "18446744073709551615");
  EXPECT_EQ(Aggregated(Of(AggregateFn::kSum, i), Ints({INT64_MIN, INT64_MIN})),
            "-18446744073709551616");
  EXPECT_EQ(Aggregated(Of(AggregateFn::kSum, i), Ints({})), "NULL");
  EXPECT_EQ(Aggregated(Of(AggregateFn::kAvg, i), Ints({1, 2, 2})), "1.6667");
  EXPECT_EQ(Aggregated(Of(AggregateFn::kMin, i), Ints({3, -2, 2})), "-2");
  EXPECT_EQ(Aggregated(Of(AggregateFn::kMax, i), Ints({3, -2, 2})), "3");
  EXPECT_EQ(Aggregated(Of(AggregateFn::kMax, i), Ints({})), "NULL");
  EXPECT_EQ(Aggregated(Of(AggregateFn::kBitAnd, i), Ints({})), "18446744073709551615");
  EXPECT_EQ(Aggregated(Of(AggregateFn::kBitOr, i), Ints({1, 4})), "5");
  EXPECT_EQ(Aggregated(Of(AggregateFn::kBitXor, i), Ints({1, 5})), "4");
  EXPECT_EQ(Aggregated(Of(AggregateFn::kVarPop, i), Ints({2, 4, 4, 4, 5, 5, 7, 9})), "4");
  EXPECT_EQ(Aggregated(Of(AggregateFn::kStddevPop, i), Ints({2, 4, 4, 4, 5, 5, 7, 9})), "2");
  EXPECT_EQ(Aggregated(Of(AggregateFn::kVarSamp, i), Ints({5})), "NULL");
  EXPECT_EQ(Aggregated(Of(AggregateFn::kJsonArrayAgg, i), Ints({5, 7})), "[null, 5, 7]");
}

TEST(AggregateTest, DecimalsAndText) {
  auto dec = [](const char* text) { return std::vector<Value>{Dec(text).value}; };
  EXPECT_EQ(Aggregated(Of(AggregateFn::kSum, Type::Decimal(5, 2)), {dec("1.10"), dec("2.25")}),
            "3.35");
  EXPECT_EQ(Aggregated(Of(AggregateFn::kAvg, Type::Decimal(5, 2)), {dec("1.10"), dec("2.25")}),
            "1.675000");
  Type text = Type::Varchar(10, row::kDefaultCollation);
  auto s = [](const char* t) { return std::vector<Value>{Value::View(t)}; };
  EXPECT_EQ(Aggregated(Of(AggregateFn::kMax, text), {s("a"), s("B"), s("C"), s("b")}), "C");
  EXPECT_EQ(Aggregated(Of(AggregateFn::kCount, text, true), {s("a"), s("A"), s("á"), s("b")}), "2");
  EXPECT_EQ(Aggregated(Of(AggregateFn::kSum, text), {s("1.5"), s("2x")}), "3.5");
}

TEST(AggregateTest, SumsCanTakeRowsBack) {
  Random random(2);
  AggregateSpec spec = Of(AggregateFn::kSum, Type::BigInt());
  spec.result = Type::Decimal(41, 0);
  auto sliding = MakeAggregator(spec);
  ASSERT_TRUE(sliding.ok() && (*sliding)->can_remove());
  EvalContext context;
  std::vector<Value> window;
  for (int i = 0; i < 200; ++i) {
    window.push_back(random.Chance(0.1) ? Value::Null()
                                        : Value::Int(static_cast<int64_t>(random.Next())));
    ASSERT_TRUE((*sliding)->Step(context, std::span(&window.back(), 1)).ok());
    if (window.size() > 7) {
      ASSERT_TRUE((*sliding)->Remove(context, std::span(&window.front(), 1)).ok());
      window.erase(window.begin());
    }
    auto fresh = MakeAggregator(spec);
    for (const Value& value : window) {
      ASSERT_TRUE((*fresh)->Step(context, std::span(&value, 1)).ok());
    }
    Value a;
    Value b;
    ASSERT_TRUE((*sliding)->Finish(context, &a).ok());
    ASSERT_TRUE((*fresh)->Finish(context, &b).ok());
    ASSERT_TRUE(a.Identical(b));
  }
}

TEST(AggregateTest, GroupConcat) {
  Type text = Type::Varchar(10, row::kDefaultCollation);
  AggregateSpec spec = Of(AggregateFn::kGroupConcat, text);
  auto row = [](const char* t, int64_t order) {
    return std::vector<Value>{Value::View(t), Value::Int(order)};
  };
  auto one = [](const char* t) { return std::vector<Value>{Value::View(t)}; };
  EXPECT_EQ(Aggregated(spec, {one("b"), one("a"), {Value::Null()}, one("c")}), "b,a,c");
  EXPECT_EQ(Aggregated(spec, {{Value::Null()}}), "NULL");
  EXPECT_EQ(Aggregated(spec, {one("")}), "");
  AggregateSpec ordered = spec;
  ordered.order_by = {{Type::BigInt(), true}};
  ordered.separator = "; ";
  EXPECT_EQ(Aggregated(ordered, {row("b", 2), row("a", 1), row("c", 3)}), "c; b; a");
  AggregateSpec distinct = spec;
  distinct.distinct = true;
  EXPECT_EQ(Aggregated(distinct, {one("a"), one("A"), one("b")}), "a,b");
  EvalContext context;
  Warnings warnings;
  context.conversion.warnings = &warnings;
  context.group_concat_max_len = 4;
  EXPECT_EQ(Aggregated(spec, {one("ab"), one("é"), one("x")}, &context), "ab,");
  EXPECT_EQ(warnings.messages, (std::vector<std::string>{"Row 2 was cut by GROUP_CONCAT()"}));
}

}  // namespace
}  // namespace borealis::sql
