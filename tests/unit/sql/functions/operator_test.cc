// Operators, comparison, logic, mathematics, CAST.
#include <gtest/gtest.h>

#include "call.h"

namespace borealis::sql {
namespace {

using row::SqlText;
using row::Type;
using row::TypeKind;

TEST(ArithmeticTest, Integers) {
  Caller call;
  EXPECT_EQ(call("+", {1, 2}), "3");
  EXPECT_EQ(SqlText(call.type), "bigint");
  EXPECT_FALSE(call.type.nullable);
  EXPECT_EQ(call("+", {INT64_MAX, 1}), "error 1690");
  EXPECT_EQ(call.message, "BIGINT value is out of range in '(9223372036854775807 + 1)'");
  EXPECT_EQ(call("-", {uint64_t{1}, 2}), "error 1690");
  EXPECT_EQ(call.message, "BIGINT UNSIGNED value is out of range in '(1 - 2)'");
  EXPECT_EQ(call("+", {UINT64_MAX, -1}), "18446744073709551614");
  EXPECT_EQ(call("*", {INT64_MAX, INT64_MAX}), "error 1690");
  EXPECT_EQ(call("*", {UINT64_MAX, UINT64_MAX}), "error 1690");
  EXPECT_EQ(call("unary_minus", {INT64_MIN}), "error 1690");
  EXPECT_EQ(call("+", {1, Null()}), "NULL");
  call.settings.sql_mode |= row::kModeNoUnsignedSubtraction;
  EXPECT_EQ(call("-", {uint64_t{1}, 2}), "-1");
}

TEST(ArithmeticTest, DecimalsAndDoubles) {
  Caller call;
  EXPECT_EQ(call("+", {Dec("1.10"), Dec("2.205")}), "3.305");
  EXPECT_EQ(call("*", {Dec("1.5"), Dec("1.50")}), "2.250");
  EXPECT_EQ(call("/", {1, 3}), "0.3333");
  EXPECT_EQ(call("/", {2, 3}), "0.6667");
  EXPECT_EQ(call("/", {Dec("1.00"), 3}), "0.333333");
  EXPECT_EQ(call("+", {"1.5", 1}), "2.5");
  EXPECT_EQ(SqlText(call.type), "double");
  EXPECT_EQ(call("+", {"12abc", 1}), "13");
  EXPECT_EQ(call.warnings.numbers.back(), 1292);
  EXPECT_EQ(call("*", {1e300, 1e300}), "error 1690");
  EXPECT_EQ(call("div", {7, 2}), "3");
  EXPECT_EQ(call("div", {Dec("-7.9"), 2}), "-3");
  EXPECT_EQ(call("div", {INT64_MIN, -1}), "error 1690");
  EXPECT_EQ(call("%", {-7, 3}), "-1");
  EXPECT_EQ(call("%", {Dec("5.5"), 2}), "1.5");
  EXPECT_EQ(call("%", {5.5, 2}), "1.5");
  EXPECT_EQ(call("+", {Date("2024-01-05"), 1}), "20240106");
}

TEST(ArithmeticTest, DivisionByZero) {
  Caller call;
  for (const char* op : {"/", "div", "%"}) {
    EXPECT_EQ(call(op, {1, 0}), "NULL");
    EXPECT_EQ(call(op, {1.5, 0.0}), "NULL");
    EXPECT_EQ(call(op, {Dec("1.5"), Dec("0.0")}), "NULL");
  }
  EXPECT_EQ(call.warnings.numbers, std::vector<int>(9, 1365));
  call.context.division_by_zero_is_error = true;
  EXPECT_EQ(call("/", {1, 0}), "error 1365");
}

TEST(ArithmeticTest, Bits) {
  Caller call;
  EXPECT_EQ(call("&", {12, 10}), "8");
  EXPECT_EQ(call("|", {12, 3}), "15");
  EXPECT_EQ(call("^", {11, 3}), "8");
  EXPECT_EQ(call("<<", {1, 63}), "9223372036854775808");
  EXPECT_EQ(call("<<", {1, 64}), "0");
  EXPECT_EQ(call(">>", {-1, 60}), "15");
  EXPECT_EQ(call("bit_not", {0}), "18446744073709551615");
  EXPECT_EQ(call("bit_count", {-1}), "64");
}

TEST(CompareTest, CrossTypeRules) {
  Caller call;
  EXPECT_EQ(call("=", {"abc", "ABC"}), "1");
  EXPECT_EQ(call("=", {"abc", 0}), "1");
  EXPECT_EQ(call("=", {"1.0", 1}), "1");
  EXPECT_EQ(call("<", {-1, UINT64_MAX}), "1");
  EXPECT_EQ(call("=", {Dec("1.10"), Dec("1.1")}), "1");
  EXPECT_EQ(call("=", {INT64_MAX, Dec("9223372036854775807.0")}), "1");
  EXPECT_EQ(call("=", {Date("2024-01-05"), "2024-1-5"}), "1");
  EXPECT_EQ(call(">", {DateTime("2024-01-05 00:00:01"), Date("2024-01-05")}), "1");
  EXPECT_EQ(call("=", {Date("2024-01-05"), 20240105}), "1");
  EXPECT_EQ(call("=", {Time("10:00:00"), "10:00"}), "1");
  EXPECT_EQ(call("=", {Null(), 1}), "NULL");
  EXPECT_EQ(call("<=>", {Null(), Null()}), "1");
  EXPECT_EQ(call("<=>", {Null(), 1}), "0");
  EXPECT_EQ(call("<>", {"a", "b"}), "1");
}

TEST(CompareTest, BetweenInAndOthers) {
  Caller call;
  EXPECT_EQ(call("between", {2, 1, 3}), "1");
  EXPECT_EQ(call("between", {4, 1, Null()}), "NULL");
  EXPECT_EQ(call("between", {0, 1, Null()}), "0");
  EXPECT_EQ(call("in", {2, 1, 2}), "1");
  EXPECT_EQ(call("in", {2, 1, Null()}), "NULL");
  EXPECT_EQ(call("in", {2, 1, 3}), "0");
  EXPECT_EQ(call("like", {"David!", "David_"}), "1");
  EXPECT_EQ(call("like", {"David_", "David|_", "|"}), "1");
  EXPECT_EQ(call("like", {"a", "a", "ab"}), "error 1210");
  EXPECT_EQ(call("greatest", {2, 0}), "2");
  EXPECT_EQ(call("greatest", {"B", "a", "C"}), "C");
  EXPECT_EQ(call("least", {Dec("34.0"), Dec("3.25"), 5}), "3.25");
  EXPECT_EQ(call("interval", {23, 1, 15, 17, 30, 44, 200}), "3");
  EXPECT_EQ(call("greatest", {"abc", 12, Dec("3.5")}), "abc");  // a mix compares as text
  EXPECT_EQ(call("least", {Date("2024-01-05"), "2023-12-31"}), "2023-12-31");
  EXPECT_EQ(call("field", {"Bb", "Aa", "Bb", "Cc"}), "2");
  EXPECT_EQ(call("field", {"12", "", "12abc", 3}), "2");  // a mix compares as double
  EXPECT_EQ(call("strcmp", {"text", "text2"}), "-1");
}

TEST(LogicTest, ThreeValues) {
  Caller call;
  EXPECT_EQ(call("and", {1, Null()}), "NULL");
  EXPECT_EQ(call("and", {0, Null()}), "0");
  EXPECT_EQ(call("or", {1, Null()}), "1");
  EXPECT_EQ(call("or", {0, Null()}), "NULL");
  EXPECT_EQ(call("xor", {1, Null()}), "NULL");
  EXPECT_EQ(call("xor", {1, 1}), "0");
  EXPECT_EQ(call("not", {"a"}), "1");
  EXPECT_EQ(call("isnull", {Null()}), "1");
  EXPECT_EQ(call("coalesce", {Null(), Null(), 3}), "3");
  EXPECT_EQ(call("ifnull", {1, Dec("2.5")}), "1.0");
  EXPECT_EQ(call("if", {0, "a", "b"}), "b");
  EXPECT_EQ(call("nullif", {1, 1}), "NULL");
  EXPECT_EQ(call("case", {0, "a", 1, "b", "c"}), "b");
  EXPECT_EQ(call("case", {0, "a"}), "NULL");
  EXPECT_EQ(call("elt", {2, "a", "b"}), "b");
  EXPECT_EQ(call("elt", {3, "a", "b"}), "NULL");
}

TEST(MathTest, Rounding) {
  Caller call;
  EXPECT_EQ(call("round", {Dec("-1.23")}), "-1");
  EXPECT_EQ(call("round", {Dec("1.58")}), "2");
  EXPECT_EQ(call("round", {Dec("1.298"), 1}), "1.3");
  EXPECT_EQ(call("round", {Dec("23.298"), -1}), "20");
  EXPECT_EQ(call("round", {2.5}), "2");  // doubles round to even
  EXPECT_EQ(call("round", {25, -1}), "30");
  EXPECT_EQ(call("round", {INT64_MAX, -1}), "error 1690");
  EXPECT_EQ(call("truncate", {Dec("1.999"), 1}), "1.9");
  EXPECT_EQ(call("truncate", {122, -2}), "100");
  EXPECT_EQ(call("truncate", {Dec("-1.999"), 0}), "-1");
  EXPECT_EQ(call("ceiling", {Dec("1.23")}), "2");
  EXPECT_EQ(call("ceiling", {Dec("-1.23")}), "-1");
  EXPECT_EQ(call("floor", {Dec("-1.23")}), "-2");
  EXPECT_EQ(call("floor", {1.7}), "1");
  EXPECT_EQ(call("abs", {INT64_MIN}), "error 1690");
  EXPECT_EQ(call("abs", {Dec("-1.5")}), "1.5");
  EXPECT_EQ(call("sign", {-0.5}), "-1");
  EXPECT_EQ(call("round", {1.5, 3}), "1.5");
  EXPECT_EQ(call("truncate", {1e20, -500}), "0");
  EXPECT_EQ(call("ceil", {1e20}), "1e20");
}

TEST(MathTest, Functions) {
  Caller call;
  EXPECT_EQ(call("sqrt", {-1}), "NULL");
  EXPECT_EQ(call("sqrt", {20}), "4.47213595499958");
  EXPECT_EQ(call("ln", {0}), "NULL");
  EXPECT_EQ(call.warnings.numbers.back(), 3020);
  EXPECT_EQ(call("log", {2, 65536}), "16");
  EXPECT_EQ(call("log10", {100}), "2");
  EXPECT_EQ(call("pow", {2, -2}), "0.25");
  EXPECT_EQ(call("exp", {1000}), "error 1690");
  EXPECT_EQ(call("pi", {}), "3.141593");
  EXPECT_EQ(call("acos", {2}), "NULL");
  EXPECT_EQ(call("atan", {-2, 2}), "-0.7853981633974483");
  EXPECT_EQ(call("degrees", {3.141592653589793}), "180");
  EXPECT_EQ(call("rand", {3}), "0.9057697559760601");  // what MySQL gives
  EXPECT_EQ(call("crc32", {"MySQL"}), "3259397556");
  EXPECT_EQ(call("conv", {"a", 16, 2}), "1010");
  EXPECT_EQ(call("conv", {"6E", 18, 8}), "172");
  EXPECT_EQ(call("conv", {-17, 10, -18}), "-H");
  EXPECT_EQ(call("bin", {12}), "1100");
  EXPECT_EQ(call("oct", {12}), "14");
  EXPECT_EQ(call("bin", {Date("2024-01-05")}), "11111101000");  // of the digits it starts with
}

std::string Cast(Caller& call, Lit value, Type to) {
  FunctionOptions options;
  options.cast_type = std::move(to);
  return call("cast", {std::move(value)}, options);
}

TEST(CastTest, AllTargets) {
  Caller call;
  EXPECT_EQ(Cast(call, "12abc", Type::BigInt()), "12");
  EXPECT_EQ(Cast(call, "1.5", Type::BigInt()), "1");
  EXPECT_EQ(Cast(call, Dec("1.5"), Type::BigInt()), "2");
  EXPECT_EQ(Cast(call, -1, Type::BigInt(true)), "18446744073709551615");
  EXPECT_EQ(Cast(call, UINT64_MAX, Type::BigInt()), "-1");
  EXPECT_EQ(Cast(call, "99999999999999999999", Type::BigInt()), "-1");
  EXPECT_EQ(Cast(call, "abc", Type::Decimal(5, 2)), "0.00");
  EXPECT_EQ(Cast(call, "12345.678", Type::Decimal(5, 2)), "999.99");
  EXPECT_EQ(Cast(call, "abcd", Type::Varchar(2, 255)), "ab");
  EXPECT_EQ(call.warnings.messages.back(), "Truncated incorrect CHAR(2) value: 'abcd'");
  EXPECT_EQ(Cast(call, "a", Type::Binary(3)), std::string("a\0\0", 3));
  EXPECT_EQ(Cast(call, "2024-1-5 10:11:12.7", Type::DateTime()), "2024-01-05 10:11:13");
  EXPECT_EQ(Cast(call, "2024-1-5 10:11:12.7", Type::Date()), "2024-01-05");
  EXPECT_EQ(Cast(call, "2024-13-5", Type::Date()), "NULL");
  EXPECT_EQ(Cast(call, "10:11:12.7", Type::Time(1)), "10:11:12.7");
  EXPECT_EQ(Cast(call, 20240105, Type::Date()), "2024-01-05");
  EXPECT_EQ(Cast(call, DateTime("2024-01-05 10:11:12"), Type::BigInt()), "20240105101112");
  EXPECT_EQ(Cast(call, 1.5, Type::Varchar(10, 255)), "1.5");
  EXPECT_EQ(Cast(call, "1e3", Type::Double()), "1000");
  EXPECT_EQ(Cast(call, 70, Type::Year()), "1970");
  EXPECT_EQ(Cast(call, "{\"b\":1}", Type::Json()), "{\"b\": 1}");
  EXPECT_EQ(Cast(call, "{", Type::Json()), "error 3141");
  EXPECT_EQ(Cast(call, Null(), Type::Date()), "NULL");
}

}  // namespace
}  // namespace borealis::sql
