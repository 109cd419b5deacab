// Decimals: against __int128 arithmetic on random values, and against known results at the limits.
#include "row/decimal.h"

#include <gtest/gtest.h>

#include "base/coding.h"
#include "base/os/random.h"

namespace borealis::row {
namespace {

Decimal D(std::string_view text) {
  Decimal d;
  size_t consumed;
  DecimalStatus status = Decimal::Parse(text, &d, &consumed);
  EXPECT_TRUE(status == DecimalStatus::kOk) << text;
  EXPECT_EQ(consumed, text.size()) << text;
  return d;
}

std::string Text(__int128 value, int scale) {
  bool negative = value < 0;
  unsigned __int128 rest =
      negative ? -static_cast<unsigned __int128>(value) : static_cast<unsigned __int128>(value);
  std::string digits;
  while (rest != 0 || static_cast<int>(digits.size()) <= scale) {
    digits.insert(digits.begin(), static_cast<char>('0' + static_cast<int>(rest % 10)));
    rest /= 10;
  }
  if (scale > 0) {
    digits.insert(digits.size() - static_cast<size_t>(scale), ".");
  }
  return (negative ? "-" : "") + digits;
}

TEST(DecimalTest, ParsesAndPrints) {
  struct Case {
    const char* in;
    const char* out;
  };
  for (Case c : {Case{"0", "0"},
                 {"-0.00", "0.00"},
                 {"1.10", "1.10"},
                 {"  +12", "12"},
                 {".5", "0.5"},
                 {"5.", "5"},
                 {"1e3", "1000"},
                 {"1.5e-3", "0.0015"},
                 {"-12.34e1", "-123.4"},
                 {"000012", "12"},
                 {"1e-30", "0.000000000000000000000000000001"},
                 {"99999999999999999999999999999999999999999999999999999999999999999",
                  "99999999999999999999999999999999999999999999999999999999999999999"}}) {
    EXPECT_EQ(D(c.in).ToString(), c.out) << c.in;
  }
}

TEST(DecimalTest, ParseTellsWhatItTookAndWhatIsWrong) {
  Decimal d;
  size_t consumed;
  EXPECT_EQ(Decimal::Parse("12abc", &d, &consumed), DecimalStatus::kOk);
  EXPECT_EQ(consumed, 2U);
  EXPECT_EQ(Decimal::Parse("abc", &d, &consumed), DecimalStatus::kBadNumber);
  EXPECT_EQ(Decimal::Parse("", &d, &consumed), DecimalStatus::kBadNumber);
  EXPECT_EQ(Decimal::Parse("1e", &d, &consumed), DecimalStatus::kOk);
  EXPECT_EQ(consumed, 1U);
  EXPECT_EQ(Decimal::Parse("1e66", &d, &consumed), DecimalStatus::kOverflow);
  EXPECT_EQ(d.ToString(), std::string(65, '9'));
  EXPECT_EQ(Decimal::Parse("-1e999999999999", &d, &consumed), DecimalStatus::kOverflow);
  EXPECT_EQ(d.ToString(), "-" + std::string(65, '9'));
  EXPECT_EQ(Decimal::Parse("1e-999999999999", &d, &consumed), DecimalStatus::kTruncated);
  EXPECT_TRUE(d.is_zero());
  EXPECT_EQ(Decimal::Parse("0." + std::string(29, '0') + "15", &d, &consumed),
            DecimalStatus::kTruncated);
  EXPECT_EQ(d.ToString(), "0." + std::string(29, '0') + "2");
}

TEST(DecimalTest, ArithmeticAgreesWithInt128) {
  Random random(7);
  for (int round = 0; round < 20000; ++round) {
    auto next = [&] {
      int64_t value = static_cast<int64_t>(random.Next() >> (1 + random.Below(62)));
      return random.Chance(0.5) ? -value : value;
    };
    int64_t a = next();
    int64_t b = next();
    int scale_a = static_cast<int>(random.Below(7));
    int scale_b = static_cast<int>(random.Below(7));
    Decimal x = D(Text(a, scale_a));
    Decimal y = D(Text(b, scale_b));
    int scale = std::max(scale_a, scale_b);
    __int128 p = a;
    __int128 q = b;
    for (int i = scale_a; i < scale; ++i) {
      p *= 10;
    }
    for (int i = scale_b; i < scale; ++i) {
      q *= 10;
    }
    Decimal r;
    ASSERT_EQ(Decimal::Add(x, y, &r), DecimalStatus::kOk);
    ASSERT_EQ(r.ToString(), Text(p + q, scale));
    ASSERT_EQ(Decimal::Sub(x, y, &r), DecimalStatus::kOk);
    ASSERT_EQ(r.ToString(), Text(p - q, scale));
    ASSERT_EQ(Decimal::Mul(x, y, &r), DecimalStatus::kOk);
    ASSERT_EQ(r.ToString(), Text(static_cast<__int128>(a) * b, scale_a + scale_b));
    ASSERT_EQ(Decimal::Compare(x, y), p < q ? -1 : (p > q ? 1 : 0));
    if (b != 0) {
      ASSERT_EQ(Decimal::Mod(x, y, &r), DecimalStatus::kOk);
      ASSERT_EQ(r.ToString(), Text(p % q, scale));
    }
  }
}

TEST(DecimalTest, DivisionTimesDivisorPlusRemainderIsTheDividend) {
  Random random(11);
  for (int round = 0; round < 3000; ++round) {
    std::string digits_a = "1";
    std::string digits_b = "1";
    for (uint64_t i = random.Below(60); i > 0; --i) {
      digits_a += static_cast<char>('0' + random.Below(10));
    }
    for (uint64_t i = random.Below(60); i > 0; --i) {
      digits_b += static_cast<char>('0' + random.Below(10));
    }
    Decimal a = D(digits_a);
    Decimal b = D(digits_b);
    Decimal remainder;
    ASSERT_EQ(Decimal::Mod(a, b, &remainder), DecimalStatus::kOk);
    ASSERT_LT(Decimal::Compare(remainder, b), 0);
    ASSERT_FALSE(remainder.negative());
    Decimal multiple;
    Decimal quotient;
    Decimal back;
    ASSERT_EQ(Decimal::Sub(a, remainder, &multiple), DecimalStatus::kOk);
    DecimalStatus status = Decimal::Div(multiple, b, 4, &quotient);
    ASSERT_TRUE(status == DecimalStatus::kOk || status == DecimalStatus::kTruncated);
    ASSERT_EQ(Decimal::Mul(quotient, b, &back), DecimalStatus::kOk);
    ASSERT_EQ(Decimal::Compare(back, multiple), 0) << digits_a << " / " << digits_b;
  }
}

TEST(DecimalTest, DivisionKeepsGroupsOfNineDigits) {
  Decimal r;
  ASSERT_EQ(Decimal::Div(D("2"), D("3"), 4, &r), DecimalStatus::kOk);
  EXPECT_EQ(r.ToString(), "0.666666666");
  ASSERT_EQ(Decimal::Div(D("1"), D("0.00"), 4, &r), DecimalStatus::kDivisionByZero);
}

TEST(DecimalTest, RoundsHalfAwayFromZero) {
  struct Case {
    const char* in;
    int scale;
    const char* rounded;
    const char* cut;
  };
  for (Case c : {Case{"2.5", 0, "3", "2"},
                 {"-2.5", 0, "-3", "-2"},
                 {"2.449", 1, "2.4", "2.4"},
                 {"150", -2, "200", "100"},
                 {"-149.99", -2, "-100", "-100"},
                 {"0.05", 1, "0.1", "0.0"},
                 {"1.1", 3, "1.100", "1.100"},
                 {"49", -2, "0", "0"},
                 {"-0.4", 0, "0", "0"}}) {
    Decimal r;
    D(c.in).Round(c.scale, &r);
    EXPECT_EQ(r.ToString(), c.rounded) << c.in;
    D(c.in).Truncate(c.scale, &r);
    EXPECT_EQ(r.ToString(), c.cut) << c.in;
  }
}

TEST(DecimalTest, FitClampsAndTellsTruncation) {
  Decimal r;
  EXPECT_EQ(D("1.239").FitTo(5, 2, &r), DecimalStatus::kTruncated);
  EXPECT_EQ(r.ToString(), "1.24");
  EXPECT_EQ(D("-1234.5").FitTo(5, 2, &r), DecimalStatus::kOverflow);
  EXPECT_EQ(r.ToString(), "-999.99");
  EXPECT_EQ(D("999.995").FitTo(5, 2, &r), DecimalStatus::kOverflow);
  EXPECT_EQ(D(std::string(65, '9')).FitTo(65, 30, &r), DecimalStatus::kOverflow);
}

TEST(DecimalTest, OverflowOfArithmeticClamps) {
  Decimal most = Decimal::Max(65, 0, false);
  Decimal r;
  EXPECT_EQ(Decimal::Add(most, D("1"), &r), DecimalStatus::kOverflow);
  EXPECT_EQ(r.ToString(), std::string(65, '9'));
  EXPECT_EQ(Decimal::Mul(most, most.Negated(), &r), DecimalStatus::kOverflow);
  EXPECT_EQ(r.ToString(), "-" + std::string(65, '9'));
}

TEST(DecimalTest, ConvertsToMachineNumbers) {
  int64_t i;
  uint64_t u;
  EXPECT_TRUE(D("-9223372036854775808.4").ToInt64(&i));
  EXPECT_EQ(i, INT64_MIN);
  EXPECT_FALSE(D("9223372036854775807.5").ToInt64(&i));
  EXPECT_EQ(i, INT64_MAX);
  EXPECT_TRUE(D("18446744073709551615").ToUint64(&u));
  EXPECT_EQ(u, UINT64_MAX);
  EXPECT_FALSE(D("-1").ToUint64(&u));
  EXPECT_TRUE(D("-0.4").ToInt64(&i));
  EXPECT_EQ(i, 0);
  EXPECT_EQ(D("0.1").ToDouble(), 0.1);
  EXPECT_EQ(D("123456789012345678901234567890.123").ToDouble(), 123456789012345678901234567890.123);
  Decimal d;
  Decimal::FromDouble(-1.5e-7, &d);
  EXPECT_EQ(d.ToString(), "-0.00000015");
}

TEST(DecimalTest, ComparableFormOrdersAndReadsBack) {
  Random random(3);
  std::vector<Decimal> values = {D("0"),
                                 D("1"),
                                 D("-1"),
                                 D("10"),
                                 D("100"),
                                 D("0.1"),
                                 D("0.01"),
                                 D("99"),
                                 D("9.9"),
                                 D("1.10"),
                                 D("1.1"),
                                 Decimal::Max(65, 0, false),
                                 Decimal::Max(65, 30, true),
                                 D("1e-30"),
                                 D("-1e-30")};
  for (int i = 0; i < 400; ++i) {
    std::string text = random.Chance(0.5) ? "-" : "";
    for (uint64_t n = 1 + random.Below(20); n > 0; --n) {
      text += static_cast<char>('0' + random.Below(random.Chance(0.5) ? 2 : 10));
    }
    text += ".";
    for (uint64_t n = 1 + random.Below(20); n > 0; --n) {
      text += static_cast<char>('0' + random.Below(random.Chance(0.5) ? 2 : 10));
    }
    values.push_back(D(text));
  }
  auto sign = [](int x) { return (x > 0) - (x < 0); };
  for (const Decimal& a : values) {
    std::string x;
    a.AppendComparable(&x);
    ByteReader reader(x);
    Decimal back;
    ASSERT_TRUE(Decimal::ReadComparable(&reader, &back)) << a.ToString();
    ASSERT_TRUE(reader.empty());
    ASSERT_EQ(Decimal::Compare(a, back), 0) << a.ToString() << " " << back.ToString();
    for (const Decimal& b : values) {
      std::string y;
      b.AppendComparable(&y);
      ASSERT_EQ(sign(x.compare(y)), Decimal::Compare(a, b)) << a.ToString() << " " << b.ToString();
    }
  }
}

TEST(DecimalTest, DamagedComparableFormsAreRefused) {
  Random random(5);
  for (int i = 0; i < 20000; ++i) {
    std::string bytes;
    for (uint64_t n = random.Below(12); n > 0; --n) {
      bytes += static_cast<char>(random.Below(256));
    }
    ByteReader reader(bytes);
    Decimal d;
    if (Decimal::ReadComparable(&reader, &d)) {  // then it is the canonical form of that number
      std::string again;
      d.AppendComparable(&again);
      ASSERT_EQ(again, bytes.substr(0, bytes.size() - reader.rest().size()));
    }
  }
}

TEST(DecimalTest, FixedFormRoundTrips) {
  for (int precision : {1, 2, 9, 10, 18, 19, 38, 65}) {
    int scale = std::min(precision / 2, 30);
    std::string previous;
    for (const Decimal& value : {Decimal::Max(precision, scale, true), D("-0.1"), D("0"),
                                 Decimal::Max(precision, scale, false)}) {
      Decimal fitted;
      value.FitTo(precision, scale, &fitted);
      std::string bytes;
      fitted.AppendFixed(precision, scale, &bytes);
      ASSERT_EQ(bytes.size(), static_cast<size_t>(Decimal::FixedSize(precision)));
      Decimal back;
      ASSERT_TRUE(Decimal::ReadFixed(bytes, precision, scale, &back));
      ASSERT_EQ(back.ToString(), fitted.ToString());
      ASSERT_LE(previous, bytes);
      previous = bytes;
    }
  }
  Decimal d;
  EXPECT_FALSE(Decimal::ReadFixed("\xFF", 1, 0, &d));  // 127 is not decimal(1,0)
}

}  // namespace
}  // namespace borealis::row
