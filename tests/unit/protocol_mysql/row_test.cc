// Rows in both encodings, and how numbers and times print.
#include "protocol/mysql/row.h"

#include <cmath>
#include <limits>

#include "base/double_text.h"
#include "base/os/random.h"
#include "protocol/mysql/parameter.h"
#include "protocol/mysql/wire.h"
#include "tests/unit/protocol_mysql/bytes.h"

namespace borealis::mysql {
namespace {

std::string Print(double value) {
  char text[kDoubleTextSize];
  return {text, DoubleToText(value, text)};
}

std::string PrintFloat(float value) {
  char text[kDoubleTextSize];
  return {text, FloatToText(value, text)};
}

TEST(DoubleTextTest, PrintsAsMysqlDoes) {
  EXPECT_EQ(Print(0), "0");
  EXPECT_EQ(Print(1), "1");
  EXPECT_EQ(Print(-1.5), "-1.5");
  EXPECT_EQ(Print(0.1), "0.1");
  EXPECT_EQ(Print(0.1 + 0.2), "0.30000000000000004");
  EXPECT_EQ(Print(1e14), "100000000000000");
  EXPECT_EQ(Print(1e15), "1e15");
  EXPECT_EQ(Print(123456789012345.0), "123456789012345");
  EXPECT_EQ(Print(1234567890123456.0), "1.234567890123456e15");
  EXPECT_EQ(Print(1.5e300), "1.5e300");
  EXPECT_EQ(Print(0.00001), "0.00001");
  EXPECT_EQ(Print(1e-15), "0.000000000000001");
  EXPECT_EQ(Print(1e-16), "1e-16");
  EXPECT_EQ(Print(1.7976931348623157e308), "1.7976931348623157e308");
  EXPECT_EQ(Print(2.2250738585072014e-308), "2.2250738585072014e-308");
  EXPECT_EQ(PrintFloat(1.1F), "1.1");
  EXPECT_EQ(PrintFloat(16777216.0F), "16777200");
  EXPECT_EQ(PrintFloat(3.402823466e38F), "3.40282e38");
}

TEST(DoubleTextTest, EveryDoubleReadsBackTheSame) {
  Random random(7);
  for (int i = 0; i < 20000; ++i) {
    const uint64_t bits = random.Next();
    double value;
    std::memcpy(&value, &bits, sizeof(value));
    if (!std::isfinite(value)) {
      continue;
    }
    ASSERT_EQ(std::strtod(Print(value).c_str(), nullptr), value);
    ASSERT_LE(Print(value).size(), kDoubleTextSize);
  }
}

TEST(DoubleTextTest, FixedDecimals) {
  char text[384];
  EXPECT_EQ(std::string(text, FixedDoubleToText(1.005, 2, text)), "1.00");
  EXPECT_EQ(std::string(text, FixedDoubleToText(-2.5, 3, text)), "-2.500");
  EXPECT_EQ(std::string(text, FixedDoubleToText(0.1, 20, text)), "0.10000000000000000000");
  EXPECT_EQ(std::string(text, FixedDoubleToText(1e-7, 8, text)), "0.00000010");
  EXPECT_EQ(std::string(text, FixedDoubleToText(1e-7, 6, text)), "0.000000");
  EXPECT_EQ(std::string(text, FixedDoubleToText(-1000.0 / 3, 15, text)), "-333.333333333333300");
  EXPECT_EQ(std::string(text, FixedDoubleToText(1e23, 1, text)), "100000000000000000000000.0");
  EXPECT_EQ(std::string(text, FixedDoubleToText(0.0, 2, text)), "0.00");
  EXPECT_EQ(std::string(text, FixedDoubleToText(7.0, 0, text)), "7");
  EXPECT_EQ(FixedDoubleToText(-1.7e308, 30, text), 341U);
}

TEST(RowTest, TextRowBytes) {
  std::string out;
  uint8_t sequence = 4;
  PacketWriter packets(&out, &sequence);
  TextRowWriter row(&packets);
  row.Begin();
  row.AppendInt64(std::numeric_limits<int64_t>::min());
  row.AppendUint64(~uint64_t{0});
  row.AppendNull();
  row.AppendString("");
  row.AppendDouble(2.5);
  row.AppendDouble(2.5, 2);
  row.AppendFloat(0.1F);
  row.AppendDate({2024, 2, 29, 1, 1, 1, 1});
  row.AppendDateTime({2024, 2, 29, 12, 0, 5, 50000}, 2);
  row.AppendDateTime({}, 0);
  row.AppendTime({true, 838, 59, 59, 0}, 0);
  row.AppendTime({false, 1, 2, 3, 999999}, 6);
  row.End();
  EXPECT_EQ(ToHex(out.substr(4)),
            ToHex(FromHex("14 '-9223372036854775808' 14 '18446744073709551615' fb 00 03 '2.5'"
                          "04 '2.50' 03 '0.1' 0a '2024-02-29' 16 '2024-02-29 12:00:05.05'"
                          "13 '0000-00-00 00:00:00' 0a '-838:59:59' 0f '01:02:03.999999'")));
  EXPECT_EQ(out[3], 4);
}

TEST(RowTest, BinaryRowBytes) {
  std::string out;
  uint8_t sequence = 0;
  PacketWriter packets(&out, &sequence);
  BinaryRowWriter row(
      &packets, {ColumnType::kTiny, ColumnType::kYear, ColumnType::kInt24, ColumnType::kLongLong,
                 ColumnType::kVarString, ColumnType::kFloat, ColumnType::kNull, ColumnType::kDouble,
                 ColumnType::kDate, ColumnType::kDateTime, ColumnType::kTime, ColumnType::kTime});
  row.Begin();
  row.AppendInt64(-1);
  row.AppendUint64(2024);
  row.AppendInt64(-2);
  row.AppendInt64(-3);
  row.AppendString("abc");
  row.AppendFloat(1.5F);
  row.AppendNull();
  row.AppendDouble(1.5);
  row.AppendDate({2024, 2, 29, 0, 0, 0, 0});
  row.AppendDateTime({2024, 2, 29, 0, 0, 1, 0}, 0);
  row.AppendTime({true, 51, 4, 5, 1}, 6);
  row.AppendTime({}, 0);
  row.End();
  // The NULL is column 6: bit 8 of the bitmap.
  EXPECT_EQ(ToHex(out.substr(4)),
            ToHex(FromHex("00 0001 ff e807 feffffff fdffffffffffffff 03 'abc' 0000c03f"
                          "000000000000f83f 04 e807021d 07 e807021d 000001"
                          "0c 01 02000000 030405 01000000 00")));
}

TEST(RowTest, BinaryTemporalsReadBackAsParameters) {
  Random random(3);
  for (int i = 0; i < 2000; ++i) {
    DateTime moment{static_cast<uint16_t>(random.Below(10000)),
                    static_cast<uint8_t>(random.Below(13)),
                    static_cast<uint8_t>(random.Below(32)),
                    static_cast<uint8_t>(random.Below(2) * random.Below(24)),
                    static_cast<uint8_t>(random.Below(60)),
                    static_cast<uint8_t>(random.Below(60)),
                    static_cast<uint32_t>(random.Below(2) * random.Below(1000000))};
    TimeOfDay time{random.Chance(0.5), static_cast<uint32_t>(random.Below(839)),
                   static_cast<uint8_t>(random.Below(60)), static_cast<uint8_t>(random.Below(60)),
                   static_cast<uint32_t>(random.Below(2) * random.Below(1000000))};
    std::string out;
    uint8_t sequence = 0;
    PacketWriter packets(&out, &sequence);
    BinaryRowWriter row(&packets, {ColumnType::kDateTime, ColumnType::kTime});
    row.Begin();
    row.AppendDateTime(moment, 6);
    row.AppendTime(time, 6);
    row.End();
    WireReader reader(std::string_view(out).substr(4 + 2));
    EXPECT_EQ(DecodeBinaryValue(reader, {ColumnType::kDateTime, false}), ParameterValue(moment));
    const ParameterValue read = DecodeBinaryValue(reader, {ColumnType::kTime, false});
    if (time.hour != 0 || time.minute != 0 || time.second != 0 || time.microsecond != 0) {
      EXPECT_EQ(read, ParameterValue(time));
    }
    EXPECT_TRUE(reader.ok());
    EXPECT_TRUE(reader.empty());
  }
}

}  // namespace
}  // namespace borealis::mysql
