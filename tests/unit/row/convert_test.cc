// Conversions: text of numbers, implicit conversions and assignment with MySQL's errors.
#include "row/convert.h"

#include <gtest/gtest.h>

#include "row/collation.h"

namespace borealis::row {
namespace {

class Sink : public WarningSink {
 public:
  using WarningSink::AddWarning;
  void AddWarning(WarningLevel level, int mysql_errno, std::string message) override {
    list.push_back((level == WarningLevel::kNote ? "note " : "") + std::to_string(mysql_errno) +
                   " " + message);
  }
  std::vector<std::string> list;
};

TypeMembers Members(std::vector<std::string> names) {
  return std::make_shared<const std::vector<std::string>>(std::move(names));
}

TEST(NumberTextTest, DoublesPrintAsMySql) {
  struct Case {
    double number;
    const char* text;
  };
  for (Case c : {Case{0, "0"},
                 {-0.0, "-0"},
                 {0.1, "0.1"},
                 {1e20, "1e20"},
                 {1e15, "1e15"},
                 {1e14, "100000000000000"},
                 {1e16 / 3, "3333333333333333.5"},
                 {1e-15, "0.000000000000001"},
                 {1e-16, "1e-16"},
                 {1.5e300, "1.5e300"},
                 {-2.5, "-2.5"},
                 {0.30000000000000004, "0.30000000000000004"},
                 {1e17 / 3, "3.3333333333333332e16"}}) {
    EXPECT_EQ(DoubleText(c.number), c.text);
  }
  EXPECT_EQ(FloatText(16777216), "16777200");
  EXPECT_EQ(FloatText(1.1F), "1.1");
  EXPECT_EQ(DoubleText(1.005, 2), "1.00");
}

TEST(ToTextTest, FollowsTheType) {
  Type zerofill = Type::Int();
  zerofill.is_unsigned = zerofill.zerofill = true;
  zerofill.length = 5;
  EXPECT_EQ(ToText(Value::Uint(42), zerofill), "00042");
  EXPECT_EQ(ToText(Value::Uint(0), Type::Year()), "0000");
  Decimal d;
  Decimal::Parse("0.666666666", &d);
  EXPECT_EQ(ToText(Value::Dec(d), Type::Decimal(5, 4)), "0.6667");
  EXPECT_EQ(ToText(Value::Uint(5), Type::Bit(9)), std::string("\0\x05", 2));
  EXPECT_EQ(ToText(Value::Uint(3), Type::Set(Members({"a", "b"}), 255)), "a,b");
  EXPECT_EQ(ToText(Value::Timestamp(1), Type::Timestamp(6), **TimeZone::Find("+01:00")),
            "1970-01-01 01:00:00.000001");
}

struct Store {
  Type to;
  Value value;
  const char* stored;  // nullptr: an error
  int error_or_warning;
};

std::string Stored(const Type& to, const Value& value, bool strict, SqlMode mode, int* number,
                   std::string* message = nullptr) {
  Sink sink;
  ConversionContext context;
  context.sql_mode = mode;
  context.strict = strict;
  context.column = "c";
  context.warnings = &sink;
  auto result = StoreConvert(value, to, context);
  *number = 0;
  if (!result.ok()) {
    *number = result.status().user_errno();
    if (message != nullptr) {
      *message = std::string(result.status().message());
    }
    return "error";
  }
  if (!sink.list.empty()) {
    *number = std::stoi(sink.list[0].substr(sink.list[0][0] == 'n' ? 5 : 0));
    if (message != nullptr) {
      *message = sink.list[0];
    }
  }
  return result->is_null() ? "NULL" : ToText(*result, to);
}

TEST(StoreConvertTest, StrictMode) {
  Type tiny = Type::Integer(TypeKind::kTinyInt);
  Type enumeration = Type::Enum(Members({"a", "b"}), kUtf8mb4_0900AiCi);
  Type set = Type::Set(Members({"x", "y"}), kUtf8mb4_0900AiCi);
  Type varchar = Type::Varchar(3, kUtf8mb4_0900AiCi);
  auto s = [](const char* text) { return Value::String(text); };
  Decimal minus_half;
  Decimal::Parse("-0.5", &minus_half);
  std::vector<Store> cases = {
      {tiny, s("12abc"), "error", 1265},
      {tiny, s("abc"), "error", 1366},
      {tiny, s(""), "error", 1366},
      {tiny, s("300"), "error", 1264},
      {tiny, s("1.6"), "2", 0},
      {tiny, s("1e1"), "10", 0},
      {tiny, s(" 7 "), "7", 0},
      {tiny, Value::Double(2.5), "2", 0},
      {tiny, Value::Int(-129), "error", 1264},
      {tiny, Value::Int(127), "127", 0},
      {tiny, Value::Null(), "NULL", 0},
      {Type::BigInt(), Value::Double(1e19), "error", 1264},
      {Type::BigInt(), s("9223372036854775807"), "9223372036854775807", 0},
      {Type::BigInt(true), Value::Int(-1), "error", 1264},
      {Type::BigInt(true), s("18446744073709551615"), "18446744073709551615", 0},
      {Type::Integer(TypeKind::kInt, true), Value::Dec(minus_half), "error", 1264},
      {Type::Decimal(5, 2), s("12abc"), "error", 1265},
      {Type::Decimal(5, 2), s("x"), "error", 1366},
      {Type::Decimal(5, 2), Value::Int(12345), "error", 1264},
      {Type::Decimal(5, 2), s("1.239"), "1.24", 1265},
      {Type::Double(), s("abc"), "error", 1265},
      {Type::Double(), s("1.5e3"), "1500", 0},
      {Type::Double(), s("1e400"), "error", 1264},
      {Type::Float(), Value::Double(1e39), "error", 1264},
      {Type::DateTime(), s("2024-13-01"), "error", 1292},
      {Type::DateTime(), s("2024-01-01 10:11:12abc"), "error", 1292},
      {Type::DateTime(), s("2024-01-01 10:11:12.6"), "2024-01-01 10:11:13", 0},
      {Type::DateTime(), Value::Int(20240105101112), "2024-01-05 10:11:12", 0},
      {Type::DateTime(), s("0000-00-00"), "error", 1292},
      {Type::Date(), s("2024-02-30"), "error", 1292},
      {Type::Date(), s("2024-01-01 10:11:12"), "2024-01-01", 1292},
      {Type::Date(), Value::Int(20240105), "2024-01-05", 0},
      {Type::Time(), s("25:61:00"), "error", 1292},
      {Type::Time(), s("900:00:00"), "error", 1292},
      {Type::Time(), s("10:11:12.9"), "10:11:13", 0},
      {Type::Time(), Value::Int(-101112), "-10:11:12", 0},
      {Type::Timestamp(), s("2040-01-01"), "error", 1292},
      {Type::Timestamp(), s("1969-01-01"), "error", 1292},
      {Type::Timestamp(), s("2024-01-01 00:00:00"), "2024-01-01 00:00:00", 0},
      {Type::Timestamp(), s("2024-01-01 00:00:00+01:00"), "2023-12-31 23:00:00", 0},
      {Type::Year(), Value::Int(1800), "error", 1264},
      {Type::Year(), s("70"), "1970", 0},
      {Type::Year(), Value::Int(69), "2069", 0},
      {Type::Year(), Value::Int(0), "0000", 0},
      {Type::Year(), s("0"), "2000", 0},
      {enumeration, s("B"), "b", 0},
      {enumeration, s("c"), "error", 1265},
      {enumeration, s("2"), "b", 0},
      {enumeration, Value::Int(3), "error", 1265},
      {enumeration, Value::Int(0), "error", 1265},
      {set, s("y,x"), "x,y", 0},
      {set, s("x,z"), "error", 1265},
      {set, Value::Int(3), "x,y", 0},
      {set, Value::Int(4), "error", 1265},
      {set, s(""), "", 0},
      {varchar, s("abcd"), "error", 1406},
      {varchar, s("ébc"), "ébc", 0},
      {varchar, s("abc   "), "abc", 1265},
      {varchar, s("ab "), "ab ", 0},
      {varchar, Value::Int(1234), "error", 1406},
      {varchar, s("a\xF0"), "error", 1366},
      {Type::Varchar(3, kUtf8mb3GeneralCi), s("😀"), "error", 1366},
      {Type::Char(3, 255), s("abc  "), "abc", 0},
      {Type::Char(3, 255), s("a "), "a", 0},
      {Type::Binary(3), s("abcd"), "error", 1406},
      {Type::Bit(4), Value::Int(16), "error", 1406},
      {Type::Bit(4), Value::Int(5), "\x05", 0},
      {Type::Text(TypeKind::kTinyText, 255), Value::String(std::string(256, 'a')), "error", 1406},
      {Type::Json(), s("{bad"), "error", 3140},
      {Type::Json(), s("{\"bb\":1,\"a\":[1,2.50,\"x\"]}"), "{\"a\": [1, 2.5, \"x\"], \"bb\": 1}",
       0},
  };
  for (const Store& c : cases) {
    int number;
    EXPECT_EQ(Stored(c.to, c.value, true, kDefaultSqlMode, &number), c.stored)
        << SqlText(c.to) << " " << c.value.ToString();
    EXPECT_EQ(number, c.error_or_warning) << SqlText(c.to) << " " << c.value.ToString();
  }
}

TEST(StoreConvertTest, LenientModeAdjusts) {
  Type tiny = Type::Integer(TypeKind::kTinyInt);
  auto s = [](const char* text) { return Value::String(text); };
  std::vector<Store> cases = {
      {tiny, s("12abc"), "12", 1265},
      {tiny, s("abc"), "0", 1366},
      {tiny, s("300"), "127", 1264},
      {tiny, Value::Int(-300), "-128", 1264},
      {Type::BigInt(true), Value::Int(-5), "0", 1264},
      {Type::Decimal(5, 2), Value::Int(12345), "999.99", 1264},
      {Type::DateTime(), s("garbage"), "0000-00-00 00:00:00", 1265},
      {Type::DateTime(), s("2024-02-31"), "0000-00-00 00:00:00", 1264},
      {Type::Time(), s("900:00:00"), "838:59:59", 1264},
      {Type::Enum(Members({"a"}), 255), s("c"), "", 1265},
      {Type::Varchar(3, 255), s("abcd"), "abc", 1265},
      {Type::Varchar(9, 255), s("ab\xF0zz"), "ab", 1366},
      {Type::Varchar(9, kLatin1SwedishCi), s("a日b"), "a?b", 1366},
  };
  for (const Store& c : cases) {
    int number;
    EXPECT_EQ(Stored(c.to, c.value, false, 0, &number), c.stored)
        << SqlText(c.to) << " " << c.value.ToString();
    EXPECT_EQ(number, c.error_or_warning) << SqlText(c.to) << " " << c.value.ToString();
  }
}

TEST(StoreConvertTest, WordsErrorsAsMySql) {
  int number;
  std::string message;
  Stored(Type::Int(), Value::String("abc"), true, kDefaultSqlMode, &number, &message);
  EXPECT_EQ(message, "Incorrect integer value: 'abc' for column 'c' at row 1");
  Stored(Type::Varchar(9, 255), Value::String("x\xF0\x9F"), true, kDefaultSqlMode, &number,
         &message);
  EXPECT_EQ(message, "Incorrect string value: '\\xF0\\x9F' for column 'c' at row 1");
  Stored(Type::Date(), Value::String("2024-02-30"), true, kDefaultSqlMode, &number, &message);
  EXPECT_EQ(message, "Incorrect date value: '2024-02-30' for column 'c' at row 1");
  Stored(Type::Varchar(1, 255), Value::String("ab"), true, kDefaultSqlMode, &number, &message);
  EXPECT_EQ(message, "Data too long for column 'c' at row 1");
}

TEST(ImplicitTest, ReadsPrefixesAndWarns) {
  Sink sink;
  ConversionContext context;
  context.warnings = &sink;
  Type text = Type::Varchar(20, 255);
  EXPECT_EQ(ToDouble(Value::String("12abc"), text, context), 12);
  EXPECT_EQ(ToDouble(Value::String(" 1.5 "), text, context), 1.5);
  bool is_unsigned;
  EXPECT_EQ(ToInteger(Value::String("1.5"), text, context, &is_unsigned), 1);
  EXPECT_EQ(ToInteger(Value::String("99999999999999999999"), text, context, &is_unsigned), -1);
  EXPECT_TRUE(is_unsigned);
  EXPECT_EQ(ToInteger(Value::Double(2.5), Type::Double(), context, &is_unsigned), 2);
  EXPECT_EQ(ToDecimal(Value::String("abc"), text, context).ToString(), "0");
  int64_t packed;
  EXPECT_FALSE(ToDateTime(Value::String("x"), text, context, &packed));
  EXPECT_EQ(sink.list, (std::vector<std::string>{
                           "1292 Truncated incorrect DOUBLE value: '12abc'",
                           "1292 Truncated incorrect INTEGER value: '1.5'",
                           "1292 Truncated incorrect INTEGER value: '99999999999999999999'",
                           "1292 Truncated incorrect DECIMAL value: 'abc'",
                           "1292 Incorrect datetime value: 'x'"}));
  EXPECT_EQ(ToDouble(Value::DateTime(PackDateTime({.year = 2024,
                                                   .month = 1,
                                                   .day = 5,
                                                   .hour = 10,
                                                   .minute = 11,
                                                   .second = 12,
                                                   .microsecond = 500000})),
                     Type::DateTime(6), context),
            20240105101112.5);
}

TEST(TypeTest, SqlTextAndWireMetadata) {
  Type tiny = Type::Integer(TypeKind::kTinyInt);
  tiny.length = 1;
  EXPECT_EQ(SqlText(tiny), "tinyint(1)");
  EXPECT_EQ(SqlText(Type::Integer(TypeKind::kInt, true)), "int unsigned");
  EXPECT_EQ(SqlText(Type::Decimal(10, 2)), "decimal(10,2)");
  EXPECT_EQ(SqlText(Type::Varchar(20, 255)), "varchar(20)");
  EXPECT_EQ(SqlText(Type::DateTime(3)), "datetime(3)");
  EXPECT_EQ(SqlText(Type::Enum(Members({"a", "it's"}), 255)), "enum('a','it''s')");
  EXPECT_EQ(ColumnLengthBytes(Type::Int()), 11U);
  EXPECT_EQ(ColumnLengthBytes(Type::Varchar(20, 255)), 80U);
  EXPECT_EQ(ColumnLengthBytes(Type::Text(TypeKind::kText, 255)), 262140U);
  EXPECT_EQ(ColumnLengthBytes(Type::Decimal(10, 2)), 12U);
  EXPECT_EQ(WireTypeCode(Type::Varchar(1, 255)), MysqlTypeCode::kVarString);
  EXPECT_EQ(WireFlags(Type::BigInt(true).NotNull()), kUnsignedFlag | kNotNullFlag);
  EXPECT_EQ(WireCollation(Type::Int()), 63);
}

TEST(SqlModeTest, TextRoundTrips) {
  EXPECT_EQ(SqlModeText(kDefaultSqlMode),
            "ONLY_FULL_GROUP_BY,STRICT_TRANS_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,"
            "ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION");
  EXPECT_EQ(*ParseSqlMode(SqlModeText(kDefaultSqlMode)), kDefaultSqlMode);
  EXPECT_EQ(*ParseSqlMode(""), 0U);
  EXPECT_EQ(ParseSqlMode("NO_SUCH").status().user_errno(), 1231);
}

}  // namespace
}  // namespace borealis::row
