// Every function: wrong numbers of arguments are refused, NULLs and odd values never misbehave, and
// the value is held as the inferred type says.
#include <gtest/gtest.h>

#include "call.h"
#include "row/register.h"

namespace borealis::sql {
namespace {

class FakeSession final : public SessionInfo {
 public:
  std::string User() const override { return "u@h"; }
  std::string CurrentUser() const override { return "u@%"; }
  std::optional<std::string> Database() const override { return "shop"; }
  uint64_t ConnectionId() const override { return 42; }
  uint64_t LastInsertId() const override { return id; }
  void SetLastInsertId(uint64_t value) override { id = value; }
  int64_t RowCount() const override { return 3; }
  uint64_t FoundRows() const override { return 9; }
  std::string Version() const override { return "8.0.0"; }
  void Sleep(double seconds, bool* interrupted) override {
    slept += seconds;
    *interrupted = false;
  }
  uint64_t id = 7;
  double slept = 0;
};

TEST(RegistryTest, FindsByNameAndChecksArity) {
  EXPECT_EQ(FindFunction("no_such_function"), nullptr);
  Caller call;
  EXPECT_EQ(call("md5", {}), "error 1582");
  EXPECT_EQ(call("md5", {1, 2}), "error 1582");
  EXPECT_GT(AllFunctions().size(), 180U);
}

TEST(RegistryTest, WhatIsOfferedIsNotCalledMissing) {
  for (const FunctionDef* def : AllFunctions()) {
    EXPECT_FALSE(IsMissingFunction(def->name)) << def->name;
  }
  EXPECT_TRUE(IsMissingFunction("json_table"));
  EXPECT_FALSE(IsMissingFunction("json_extract"));
  EXPECT_TRUE(IsMissingFunction("st_area"));
  EXPECT_FALSE(IsMissingFunction("no_such_function"));
}

TEST(RegistryTest, SessionFunctionsAskTheSession) {
  Caller call;
  EXPECT_EQ(call("database", {}), "NULL");
  FakeSession session;
  call.context.session = &session;
  EXPECT_EQ(call("user", {}), "u@h");
  EXPECT_EQ(call("database", {}), "shop");
  EXPECT_EQ(call("connection_id", {}), "42");
  EXPECT_EQ(call("last_insert_id", {}), "7");
  EXPECT_EQ(call("last_insert_id", {11}), "11");
  EXPECT_EQ(session.id, 11U);
  EXPECT_EQ(call("row_count", {}), "3");
  EXPECT_EQ(call("sleep", {0.25}), "0");
  EXPECT_EQ(session.slept, 0.25);
  EXPECT_EQ(call("sleep", {Null()}), "error 1210");
}

// Each function over combinations of awkward arguments.
TEST(RegistryTest, ResultsFitTheirTypesForAnyArguments) {
  FakeSession session;
  std::vector<Lit> pool = {
      Null(),
      0,
      -1,
      3,
      INT64_MAX,
      INT64_MIN,
      UINT64_MAX,
      Dec("1.50"),
      Dec("-99999999999999999999999999999999999999999999999999999999999999999"),
      1.5,
      -1e308,
      "",
      "abc",
      "12",
      "é日\xF0\x9F",
      "%Y-%m-%d",
      "2024-02-30",
      "2024-01-05 10:11:12.345",
      Bytes(std::string("\0\xFFz", 3)),
      Date("2024-01-05"),
      Date("0000-00-00"),
      DateTime("2024-01-05 10:11:12.5", 6),
      Time("-838:59:59"),
      Lit(row::Type::Timestamp(6), row::Value::Timestamp(1704449472345678)),
      Lit(row::Type::Year(), row::Value::Uint(2024)),
      Lit(row::Type::Bit(8), row::Value::Uint(200)),
      Lit(row::Type::Json(),
          row::Value::String(std::string("\x00\x01\x00\x0C\x00\x0B\x00\x01\x00\x05\x01\x00"
                                         "a",
                                         13)))};
  Random random(5);
  for (const FunctionDef* def : AllFunctions()) {
    for (int round = 0; round < 400; ++round) {
      int limit = def->max_args == kAnyNumber ? def->min_args + 3 : def->max_args;
      int count = def->min_args +
                  static_cast<int>(random.Below(static_cast<uint64_t>(limit - def->min_args + 1)));
      std::vector<FunctionArg> bound;
      std::vector<row::Value> values;
      std::string shown(def->name);
      for (int i = 0; i < count; ++i) {
        const Lit& lit = pool[random.Below(pool.size())];
        row::Type type = lit.type;
        type.nullable = lit.value.is_null();
        bound.push_back({type, random.Chance(0.5) ? &lit.value : nullptr});
        values.push_back(lit.value);
        shown += " " + lit.value.ToString();
      }
      BindSettings settings;
      settings.collation = random.Chance(0.3) ? row::kBinaryCollation : row::kDefaultCollation;
      FunctionOptions options;
      options.unit = static_cast<row::IntervalUnit>(random.Below(20));
      options.cast_type = pool[1 + random.Below(pool.size() - 1)].type;
      auto instance = BindFunction(*def, bound, settings, options);
      if (!instance.ok()) {
        ASSERT_NE(instance.status().user_errno(), 0) << shown << instance.status().ToString();
        continue;
      }
      Warnings warnings;
      EvalContext context;
      context.session = &session;
      context.max_allowed_packet = 4096;
      context.conversion.warnings = &warnings;
      context.SetNow(1704449472345678);
      row::Value out;
      Status status = (*instance)->Eval(context, values, &out);
      if (!status.ok()) {
        ASSERT_NE(status.user_errno(), 0) << shown << status.ToString();
        continue;
      }
      const row::Type& type = (*instance)->type();
      row::Register reg;
      ASSERT_TRUE(!out.is_null() || type.nullable) << shown << " is NULL";
      Status held = row::ToRegister(out, type, &reg);
      ASSERT_TRUE(held.ok()) << shown << ": " << held.ToString();
    }
  }
}

}  // namespace
}  // namespace borealis::sql
