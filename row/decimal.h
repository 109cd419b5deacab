// Exact decimal numbers as MySQL's DECIMAL: up to 65 digits, up to 30 of them after the point.
//
// Held as a 256-bit magnitude, a sign and a scale: value = ±magnitude / 10^scale. The scale is part
// of the value ("1.10" prints its zero), not of its order: 1.1 and 1.10 are equal. Zero is never
// negative. Plain data, no allocation.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace borealis {
class ByteReader;
}

namespace borealis::row {

enum class DecimalStatus : uint8_t {
  kOk,
  kTruncated,       // digits after the point were lost
  kOverflow,        // more than 65 digits; the result is the largest value of that sign
  kDivisionByZero,  // no result
  kBadNumber,       // no digits at all
};

class Decimal {
 public:
  static constexpr int kMaxPrecision = 65;
  static constexpr int kMaxScale = 30;
  using Limbs = std::array<uint64_t, 4>;  // least significant first

  Decimal() = default;
  static Decimal FromInt64(int64_t value);
  static Decimal FromUint64(uint64_t value);
  // The decimal number that prints shortest and reads back as `value`, as MySQL converts.
  static DecimalStatus FromDouble(double value, Decimal* out);
  // Reads "[+-]digits[.digits][e[+-]digits]" from the start of `text`, after leading white space.
  // `consumed` (optional) gets the number of bytes taken.
  static DecimalStatus Parse(std::string_view text, Decimal* out, size_t* consumed = nullptr);
  // The largest value of decimal(precision, scale): 999.99 for (5, 2).
  static Decimal Max(int precision, int scale, bool negative);

  int scale() const { return scale_; }
  bool negative() const { return negative_; }
  bool is_zero() const { return (limbs_[0] | limbs_[1] | limbs_[2] | limbs_[3]) == 0; }
  // Digits, without leading zeros, at least `scale()` and at least 1.
  int precision() const;
  // Digits before the point, without leading zeros; 0 for 0.5.
  int integer_digits() const;

  std::string ToString() const;
  // Nearest double.
  double ToDouble() const;
  // Rounds half away from zero; false (and the nearest limit) when it does not fit.
  bool ToInt64(int64_t* out) const;
  bool ToUint64(uint64_t* out) const;

  Decimal Negated() const;
  // To `scale` digits after the point; negative rounds before it: Round(-2) of 150 is 200. The
  // result's scale is max(scale, 0). Rounding is half away from zero.
  DecimalStatus Round(int scale, Decimal* out) const;
  DecimalStatus Truncate(int scale, Decimal* out) const;
  // Assignment into decimal(precision, scale): rounds, clamps on overflow. kTruncated when rounding
  // changed the value.
  DecimalStatus FitTo(int precision, int scale, Decimal* out) const;

  static DecimalStatus Add(const Decimal& a, const Decimal& b, Decimal* out);
  static DecimalStatus Sub(const Decimal& a, const Decimal& b, Decimal* out);
  static DecimalStatus Mul(const Decimal& a, const Decimal& b, Decimal* out);
  // Keeps at least a.scale() + scale_increment digits after the point (MySQL's
  // div_precision_increment, 4), and more by MySQL's rule of whole groups of nine digits, cut, not
  // rounded. The expression's type says how many of them are shown: 2/3 is held as 0.666666666 and
  // shows as 0.6667.
  static DecimalStatus Div(const Decimal& a, const Decimal& b, int scale_increment, Decimal* out);
  // Sign of the dividend, scale max of both.
  static DecimalStatus Mod(const Decimal& a, const Decimal& b, Decimal* out);
  // <0, 0, >0 by value.
  static int Compare(const Decimal& a, const Decimal& b);
  bool operator==(const Decimal& other) const { return Compare(*this, other) == 0; }

  // Comparable form, self-delimiting and canonical: memcmp order is numeric order for any two
  // decimals of any scales, and equal numbers have equal bytes. The scale is not kept.
  //   zero      80
  //   positive  C0+e  then base-100 digits d1 d2 … each as d+1, then 00   (0.d1d2… * 100^e)
  //   negative  the complement of the positive's bytes
  void AppendComparable(std::string* out) const;
  // Reads one comparable form; false when malformed. The scale is as small as the value allows.
  static bool ReadComparable(ByteReader* reader, Decimal* out);

  // Fixed-width form of decimal(precision, scale) for rows: big-endian two's complement of the
  // unscaled integer with the sign bit flipped. REQUIRES: the value fits (see FitTo).
  static int FixedSize(int precision);
  void AppendFixed(int precision, int scale, std::string* out) const;
  // False when the bytes are not a value of that type.
  static bool ReadFixed(std::string_view bytes, int precision, int scale, Decimal* out);

 private:
  friend struct DecimalMath;
  bool is_one_limb() const { return (limbs_[1] | limbs_[2] | limbs_[3]) == 0; }
  Limbs limbs_ = {0, 0, 0, 0};
  uint8_t scale_ = 0;
  bool negative_ = false;
};

}  // namespace borealis::row
