// Arithmetic of decimals on 512-bit intermediates (wide_integer_internal.h), with a 128-bit path
// for the common small case.
#include "row/decimal.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/coding.h"
#include "base/invariant.h"
#include "row/wide_integer_internal.h"

namespace borealis::row {

struct DecimalMath {
  static Decimal Make(const Decimal::Limbs& limbs, int scale, bool negative) {
    Decimal d;
    d.limbs_ = limbs;
    d.scale_ = static_cast<uint8_t>(scale);
    d.negative_ = negative && !d.is_zero();
    return d;
  }

  static const Decimal::Limbs& Magnitude(const Decimal& d) { return d.limbs_; }

  // Brings a wide magnitude within 30 digits of scale and 65 in all, giving up digits after the
  // point first (rounded), and clamps what is still too large.
  static DecimalStatus Finish(Wide magnitude, int scale, bool negative, Decimal* out) {
    DecimalStatus status = DecimalStatus::kOk;
    int drop = std::max(scale - Decimal::kMaxScale, 0);
    int digits = DigitCount(magnitude);
    drop = std::max(drop, std::min(scale, digits - Decimal::kMaxPrecision));
    if (drop > 0) {
      if (RoundPower(&magnitude, drop)) {
        status = DecimalStatus::kTruncated;
      }
      scale -= drop;
      digits = DigitCount(magnitude);
      if (digits > Decimal::kMaxPrecision && scale > 0) {  // 99…9.5 became 100…0
        RoundPower(&magnitude, 1);
        --scale;
        --digits;
      }
    }
    if (digits > Decimal::kMaxPrecision) {
      *out = Decimal::Max(Decimal::kMaxPrecision, 0, negative);
      return DecimalStatus::kOverflow;
    }
    Decimal::Limbs limbs;
    std::copy(magnitude.begin(), magnitude.begin() + 4, limbs.begin());
    *out = Make(limbs, scale, negative);
    return status;
  }

  // True when both fit 126 bits after bringing them to one scale.
  static bool AlignSmall(const Decimal& a, const Decimal& b, Uint128* x, Uint128* y) {
    if ((a.limbs_[1] | a.limbs_[2] | a.limbs_[3] | b.limbs_[1] | b.limbs_[2] | b.limbs_[3]) != 0) {
      return false;
    }
    int difference = a.scale_ - b.scale_;
    if (difference > 18 || difference < -18) {
      return false;
    }
    *x = a.limbs_[0];
    *y = b.limbs_[0];
    if (difference < 0) {
      *x *= SmallPower(-difference);
    } else {
      *y *= SmallPower(difference);
    }
    return true;
  }

  static void Align(const Decimal& a, const Decimal& b, Wide* x, Wide* y) {
    *x = Widen(a.limbs_);
    *y = Widen(b.limbs_);
    MulPower(x, std::max(b.scale_ - a.scale_, 0));
    MulPower(y, std::max(a.scale_ - b.scale_, 0));
  }

  static DecimalStatus AddSigned(const Decimal& a, const Decimal& b, bool b_negative,
                                 Decimal* out) {
    int scale = std::max(a.scale_, b.scale_);
    Uint128 p;
    Uint128 q;
    if (AlignSmall(a, b, &p, &q)) {
      bool negative = a.negative_;
      Uint128 sum;
      if (a.negative_ == b_negative) {
        sum = p + q;
      } else if (p >= q) {
        sum = p - q;
      } else {
        sum = q - p;
        negative = b_negative;
      }
      *out = Make({static_cast<uint64_t>(sum), static_cast<uint64_t>(sum >> 64), 0, 0}, scale,
                  negative);
      return DecimalStatus::kOk;
    }
    Wide x;
    Wide y;
    Align(a, b, &x, &y);
    if (a.negative_ == b_negative) {
      AddWide(&x, y);
      return Finish(x, scale, a.negative_, out);
    }
    if (CompareLimbs(x, y) >= 0) {
      SubWide(&x, y);
      return Finish(x, scale, a.negative_, out);
    }
    SubWide(&y, x);
    return Finish(y, scale, b_negative, out);
  }
};

Decimal Decimal::FromInt64(int64_t value) {
  uint64_t magnitude = value < 0 ? ~static_cast<uint64_t>(value) + 1 : static_cast<uint64_t>(value);
  return DecimalMath::Make({magnitude, 0, 0, 0}, 0, value < 0);
}

Decimal Decimal::FromUint64(uint64_t value) {
  return DecimalMath::Make({value, 0, 0, 0}, 0, false);
}

DecimalStatus Decimal::FromDouble(double value, Decimal* out) {
  if (!std::isfinite(value)) {
    *out = Max(kMaxPrecision, 0, value < 0);
    return DecimalStatus::kOverflow;
  }
  char text[40];
  auto end = std::to_chars(text, text + sizeof text, value, std::chars_format::scientific);
  return Parse(std::string_view(text, static_cast<size_t>(end.ptr - text)), out);
}

Decimal Decimal::Max(int precision, int scale, bool negative) {
  Limbs limbs = kPowerTable.power[precision];
  for (uint64_t& limb : limbs) {  // minus one, with borrow
    if (limb-- != 0) {
      break;
    }
  }
  return DecimalMath::Make(limbs, scale, negative);
}

DecimalStatus Decimal::Parse(std::string_view text, Decimal* out, size_t* consumed) {
  size_t pos = 0;
  auto at = [&](size_t i) { return i < text.size() ? text[i] : '\0'; };
  auto is_digit = [&](size_t i) { return at(i) >= '0' && at(i) <= '9'; };
  *out = Decimal();
  if (consumed != nullptr) {
    *consumed = 0;
  }
  while (at(pos) == ' ' || (at(pos) >= '\t' && at(pos) <= '\r')) {
    ++pos;
  }
  bool negative = at(pos) == '-';
  if (at(pos) == '-' || at(pos) == '+') {
    ++pos;
  }
  // Significant digits, at most kKeep of them; what is beyond only moves the exponent.
  constexpr int kKeep = 100;
  char digits[kKeep];
  int count = 0;
  int64_t exponent = 0;  // value = digits * 10^exponent
  bool any = false;
  bool sticky = false;
  auto take = [&](bool after_point) {
    for (; is_digit(pos); ++pos) {
      any = true;
      if (count == 0 && text[pos] == '0') {
        exponent -= after_point ? 1 : 0;
      } else if (count < kKeep) {
        digits[count++] = text[pos];
        exponent -= after_point ? 1 : 0;
      } else {
        sticky |= text[pos] != '0';
        exponent += after_point ? 0 : 1;
      }
    }
  };
  take(false);
  if (at(pos) == '.' && (any || is_digit(pos + 1))) {
    ++pos;
    take(true);
  }
  if (!any) {
    return DecimalStatus::kBadNumber;
  }
  if ((at(pos) == 'e' || at(pos) == 'E') &&
      (is_digit(pos + 1) || ((at(pos + 1) == '-' || at(pos + 1) == '+') && is_digit(pos + 2)))) {
    bool minus = at(pos + 1) == '-';
    pos += is_digit(pos + 1) ? 1 : 2;
    int64_t written = 0;
    for (; is_digit(pos); ++pos) {
      written = std::min<int64_t>(written * 10 + (text[pos] - '0'), 1000000);
    }
    exponent += minus ? -written : written;
  }
  if (consumed != nullptr) {
    *consumed = pos;
  }
  if (count == 0) {
    *out = DecimalMath::Make({}, static_cast<int>(std::clamp<int64_t>(-exponent, 0, kMaxScale)),
                             false);
    return DecimalStatus::kOk;
  }
  if (exponent > 0 && count + exponent > kMaxPrecision) {
    *out = Max(kMaxPrecision, 0, negative);
    return DecimalStatus::kOverflow;
  }
  if (-exponent > count + kMaxScale + 1) {  // smaller than any digit kept
    *out = DecimalMath::Make({}, kMaxScale, false);
    return DecimalStatus::kTruncated;
  }
  Wide magnitude{};
  for (int i = 0; i < count; ++i) {
    MulSmall(&magnitude, 10);
    AddSmall(&magnitude, static_cast<uint64_t>(digits[i] - '0'));
  }
  MulPower(&magnitude, static_cast<int>(std::max<int64_t>(exponent, 0)));
  DecimalStatus status = DecimalMath::Finish(
      magnitude, static_cast<int>(std::max<int64_t>(-exponent, 0)), negative, out);
  return status == DecimalStatus::kOk && sticky ? DecimalStatus::kTruncated : status;
}

int Decimal::precision() const {
  return std::max({DigitCount(limbs_), static_cast<int>(scale_), 1});
}

int Decimal::integer_digits() const {
  return std::max(DigitCount(limbs_) - scale_, 0);
}

std::string Decimal::ToString() const {
  char digits[80];
  int count = WriteDigits(limbs_, digits);
  std::string text;
  text.reserve(static_cast<size_t>(std::max<int>(count, scale_)) + 3);
  if (negative_) {
    text += '-';
  }
  int integer = count - scale_;
  if (integer <= 0) {
    text += '0';
  } else {
    text.append(digits, static_cast<size_t>(integer));
  }
  if (scale_ > 0) {
    text += '.';
    if (integer < 0) {
      text.append(static_cast<size_t>(-integer), '0');
      integer = 0;
    }
    text.append(digits + std::max(integer, 0), digits + count);
  }
  return text;
}

double Decimal::ToDouble() const {
  static constexpr double kExact[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                      1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                      1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
  if ((limbs_[1] | limbs_[2] | limbs_[3]) == 0 && limbs_[0] <= (uint64_t{1} << 53) &&
      scale_ <= 22) {
    double value = static_cast<double>(limbs_[0]) / kExact[scale_];  // both exact: rounded once
    return negative_ ? -value : value;
  }
  std::string text = ToString();
  double value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

bool Decimal::ToInt64(int64_t* out) const {
  Decimal rounded;
  Round(0, &rounded);
  const Limbs& m = rounded.limbs_;
  uint64_t limit = negative_ ? uint64_t{1} << 63 : (uint64_t{1} << 63) - 1;
  if ((m[1] | m[2] | m[3]) != 0 || m[0] > limit) {
    *out = negative_ ? INT64_MIN : INT64_MAX;
    return false;
  }
  *out = static_cast<int64_t>(rounded.negative_ ? ~m[0] + 1 : m[0]);
  return true;
}

bool Decimal::ToUint64(uint64_t* out) const {
  Decimal rounded;
  Round(0, &rounded);
  const Limbs& m = rounded.limbs_;
  if (rounded.negative_) {
    *out = 0;
    return false;
  }
  if ((m[1] | m[2] | m[3]) != 0) {
    *out = UINT64_MAX;
    return false;
  }
  *out = m[0];
  return true;
}

Decimal Decimal::Negated() const {
  return DecimalMath::Make(limbs_, scale_, !negative_);
}

DecimalStatus Decimal::Round(int scale, Decimal* out) const {
  scale = std::min(scale, kMaxScale);
  if (scale < -kMaxPrecision) {
    *out = Decimal();
    return is_zero() ? DecimalStatus::kOk : DecimalStatus::kTruncated;
  }
  if (is_one_limb() && scale >= scale_ && scale - scale_ <= 18) {
    const Uint128 magnitude = static_cast<Uint128>(limbs_[0]) * SmallPower(scale - scale_);
    *out = DecimalMath::Make(
        {static_cast<uint64_t>(magnitude), static_cast<uint64_t>(magnitude >> 64), 0, 0}, scale,
        negative_);
    return DecimalStatus::kOk;
  }
  Wide magnitude = Widen(limbs_);
  bool lost = false;
  if (scale >= scale_) {
    MulPower(&magnitude, scale - scale_);
  } else {
    lost = RoundPower(&magnitude, scale_ - scale);
    MulPower(&magnitude, std::max(-scale, 0));
  }
  DecimalStatus status = DecimalMath::Finish(magnitude, std::max(scale, 0), negative_, out);
  return status == DecimalStatus::kOk && lost ? DecimalStatus::kTruncated : status;
}

DecimalStatus Decimal::Truncate(int scale, Decimal* out) const {
  scale = std::min(scale, kMaxScale);
  if (scale >= scale_) {
    return Round(scale, out);
  }
  if (scale < -kMaxPrecision) {
    *out = Decimal();
    return is_zero() ? DecimalStatus::kOk : DecimalStatus::kTruncated;
  }
  Wide magnitude = Widen(limbs_);
  bool lost = DivPower(&magnitude, scale_ - scale);
  MulPower(&magnitude, std::max(-scale, 0));
  DecimalStatus status = DecimalMath::Finish(magnitude, std::max(scale, 0), negative_, out);
  return status == DecimalStatus::kOk && lost ? DecimalStatus::kTruncated : status;
}

DecimalStatus Decimal::FitTo(int precision, int scale, Decimal* out) const {
  Decimal rounded;
  DecimalStatus status = Round(scale, &rounded);
  if (status == DecimalStatus::kOverflow || rounded.scale_ != scale ||
      CompareLimbs(rounded.limbs_, kPowerTable.power[precision]) >= 0) {
    *out = Max(precision, scale, negative_);
    return DecimalStatus::kOverflow;
  }
  *out = rounded;
  return status;
}

DecimalStatus Decimal::Add(const Decimal& a, const Decimal& b, Decimal* out) {
  return DecimalMath::AddSigned(a, b, b.negative_, out);
}

DecimalStatus Decimal::Sub(const Decimal& a, const Decimal& b, Decimal* out) {
  return DecimalMath::AddSigned(a, b, !b.negative_, out);
}

DecimalStatus Decimal::Mul(const Decimal& a, const Decimal& b, Decimal* out) {
  if (a.is_one_limb() && b.is_one_limb() && a.scale_ + b.scale_ <= kMaxScale) {
    const Uint128 product = static_cast<Uint128>(a.limbs_[0]) * b.limbs_[0];
    *out = DecimalMath::Make(
        {static_cast<uint64_t>(product), static_cast<uint64_t>(product >> 64), 0, 0},
        a.scale_ + b.scale_, a.negative_ != b.negative_);
    return DecimalStatus::kOk;
  }
  Wide product{};
  for (size_t i = 0; i < 4; ++i) {
    Uint128 carry = 0;
    for (size_t j = 0; j < 4 && a.limbs_[i] != 0; ++j) {
      carry += static_cast<Uint128>(a.limbs_[i]) * b.limbs_[j] + product[i + j];
      product[i + j] = static_cast<uint64_t>(carry);
      carry >>= 64;
    }
    product[i + 4] = static_cast<uint64_t>(carry);
  }
  return DecimalMath::Finish(product, a.scale_ + b.scale_, a.negative_ != b.negative_, out);
}

DecimalStatus Decimal::Div(const Decimal& a, const Decimal& b, int scale_increment, Decimal* out) {
  if (b.is_zero()) {
    *out = Decimal();
    return DecimalStatus::kDivisionByZero;
  }
  auto groups = [](int digits) { return (digits + 8) / 9 * 9; };
  int spare = groups(a.scale_) - a.scale_ + groups(b.scale_) - b.scale_;
  int scale = groups(groups(a.scale_) + groups(b.scale_) + std::max(scale_increment - spare, 0));
  scale = std::max(scale, static_cast<int>(a.scale_));  // Finish rounds what is too much
  Wide dividend = Widen(a.limbs_);
  MulPower(&dividend, scale + b.scale_ - a.scale_);
  Wide quotient;
  Wide remainder;
  DivWide(dividend, Widen(b.limbs_), &quotient, &remainder);
  return DecimalMath::Finish(quotient, scale, a.negative_ != b.negative_, out);
}

DecimalStatus Decimal::Mod(const Decimal& a, const Decimal& b, Decimal* out) {
  if (b.is_zero()) {
    *out = Decimal();
    return DecimalStatus::kDivisionByZero;
  }
  Wide x;
  Wide y;
  DecimalMath::Align(a, b, &x, &y);
  Wide quotient;
  Wide remainder;
  DivWide(x, y, &quotient, &remainder);
  return DecimalMath::Finish(remainder, std::max(a.scale_, b.scale_), a.negative_, out);
}

int Decimal::Compare(const Decimal& a, const Decimal& b) {
  if (a.negative_ != b.negative_) {
    return a.negative_ ? -1 : 1;
  }
  int order;
  Uint128 p;
  Uint128 q;
  if (a.scale_ == b.scale_) {
    order = CompareLimbs(a.limbs_, b.limbs_);
  } else if (DecimalMath::AlignSmall(a, b, &p, &q)) {
    order = p < q ? -1 : (p > q ? 1 : 0);
  } else {
    Wide x;
    Wide y;
    DecimalMath::Align(a, b, &x, &y);
    order = CompareLimbs(x, y);
  }
  return a.negative_ ? -order : order;
}

namespace {

// The comparable form of what fits one limb and is not zero: pairs of digits are taken off it from
// the last to the first. REQUIRES: ten times the magnitude fits, too.
void AppendComparableLimb(uint64_t magnitude, int scale, bool negative, std::string* out) {
  if (scale % 2 != 0) {
    magnitude *= 10;
    ++scale;
  }
  while (magnitude % 100 == 0) {
    magnitude /= 100;
    scale -= 2;
  }
  constexpr size_t kMostBytes = 12;  // exponent, ten pairs, end
  const uint8_t mask = negative ? 0xFF : 0;
  char bytes[kMostBytes];
  size_t at = kMostBytes;
  auto put = [&](int byte) { bytes[--at] = static_cast<char>(static_cast<uint8_t>(byte) ^ mask); };
  put(0);
  int pairs = 0;
  for (; magnitude != 0; magnitude /= 100, ++pairs) {
    put(static_cast<int>(magnitude % 100) + 1);
  }
  put(0xC0 + pairs - scale / 2);
  out->append(bytes + at, kMostBytes - at);
}

}  // namespace

void Decimal::AppendComparable(std::string* out) const {
  if (is_zero()) {
    *out += '\x80';
    return;
  }
  if (is_one_limb() && limbs_[0] <= UINT64_MAX / 10) {
    AppendComparableLimb(limbs_[0], scale_, negative_, out);
    return;
  }
  char digits[82];
  int count = WriteDigits(limbs_, digits);
  int point = count - scale_;  // value = 0.digits * 10^point
  while (digits[count - 1] == '0') {
    --count;
  }
  uint8_t mask = negative_ ? 0xFF : 0;
  auto put = [&](int byte) { *out += static_cast<char>(static_cast<uint8_t>(byte) ^ mask); };
  int exponent = point >= 0 ? (point + 1) / 2 : -(-point / 2);
  put(0xC0 + exponent);
  int i = 0;
  if (point % 2 != 0) {
    put(digits[i++] - '0' + 1);
  }
  for (; i < count; i += 2) {
    put((digits[i] - '0') * 10 + (i + 1 < count ? digits[i + 1] - '0' : 0) + 1);
  }
  put(0);
}

bool Decimal::ReadComparable(ByteReader* reader, Decimal* out) {
  *out = Decimal();
  uint8_t first = reader->Little<uint8_t>();
  if (!reader->ok() || first == 0x80) {
    return reader->ok();
  }
  uint8_t mask = first < 0x80 ? 0xFF : 0;
  int exponent = (first ^ mask) - 0xC0;
  if (exponent < -15 || exponent > 33) {
    return false;
  }
  constexpr int kSmallPairs = 9;  // what a limb holds
  uint64_t small = 0;
  Wide magnitude{};
  int pairs = 0;
  int last = 0;
  for (;; ++pairs) {
    int byte = reader->Little<uint8_t>() ^ mask;
    if (!reader->ok() || byte > 100 || pairs > 48) {
      return false;
    }
    if (byte == 0) {
      break;
    }
    last = byte - 1;
    if (pairs == 0 && last == 0) {
      return false;
    }
    if (pairs < kSmallPairs) {
      small = small * 100 + static_cast<uint64_t>(last);
      continue;
    }
    if (pairs == kSmallPairs) {
      magnitude[0] = small;
    }
    MulSmall(&magnitude, 100);
    AddSmall(&magnitude, static_cast<uint64_t>(last));
  }
  if (pairs == 0 || last == 0) {
    return false;  // not canonical
  }
  int scale = 2 * (pairs - exponent);
  if (pairs <= kSmallPairs) {
    if (scale > 0) {
      const bool halved = last % 10 == 0;
      scale -= halved ? 1 : 0;
      *out = DecimalMath::Make({halved ? small / 10 : small, 0, 0, 0}, scale, mask != 0);
      return scale <= kMaxScale;
    }
    magnitude[0] = small;
  }
  if (scale > 0 && last % 10 == 0) {
    DivSmall(&magnitude, 10);
    --scale;
  }
  if (scale < 0) {
    MulPower(&magnitude, -scale);
    scale = 0;
  }
  return scale <= kMaxScale &&
         DecimalMath::Finish(magnitude, scale, mask != 0, out) == DecimalStatus::kOk &&
         out->scale_ == scale;
}

int Decimal::FixedSize(int precision) {
  static const std::array<uint8_t, kMaxPrecision + 1> kSizes = [] {
    std::array<uint8_t, kMaxPrecision + 1> sizes{};
    for (int p = 1; p <= kMaxPrecision; ++p) {
      sizes[p] = static_cast<uint8_t>((BitLength(kPowerTable.power[p]) + 1 + 7) / 8);
    }
    return sizes;
  }();
  INVARIANT(precision >= 1 && precision <= kMaxPrecision);
  return kSizes[precision];
}

void Decimal::AppendFixed(int precision, int scale, std::string* out) const {
  Decimal fitted;
  DecimalStatus status = FitTo(precision, scale, &fitted);
  DCHECK(status == DecimalStatus::kOk);
  (void)status;
  Limbs limbs = fitted.limbs_;
  if (fitted.negative_) {
    Uint128 carry = 1;
    for (uint64_t& limb : limbs) {
      carry += ~limb;
      limb = static_cast<uint64_t>(carry);
      carry >>= 64;
    }
  }
  int size = FixedSize(precision);
  for (int i = size - 1; i >= 0; --i) {
    uint8_t byte = static_cast<uint8_t>(limbs[static_cast<size_t>(i) / 8] >> (i % 8 * 8));
    *out += static_cast<char>(i == size - 1 ? byte ^ 0x80 : byte);
  }
}

bool Decimal::ReadFixed(std::string_view bytes, int precision, int scale, Decimal* out) {
  int size = FixedSize(precision);
  if (bytes.size() != static_cast<size_t>(size)) {
    return false;
  }
  if (size <= 8) {
    uint64_t bits = 0;
    for (char byte : bytes) {
      bits = bits << 8 | static_cast<uint8_t>(byte);
    }
    const int unused = 64 - 8 * size;
    bits = (bits << unused) ^ (uint64_t{1} << 63);
    const int64_t value = static_cast<int64_t>(bits) >> unused;
    const uint64_t magnitude =
        value < 0 ? -static_cast<uint64_t>(value) : static_cast<uint64_t>(value);
    *out = DecimalMath::Make({magnitude, 0, 0, 0}, scale, value < 0);
    return magnitude < kPowerTable.power[precision][0];
  }
  bool negative = (static_cast<uint8_t>(bytes[0]) & 0x80) == 0;
  Limbs limbs = {0, 0, 0, 0};
  for (int i = 0; i < 32; ++i) {
    uint8_t byte = negative ? 0xFF : 0;
    if (i < size) {
      byte = static_cast<uint8_t>(bytes[static_cast<size_t>(size - 1 - i)]);
      byte ^= i == size - 1 ? 0x80 : 0;
    }
    limbs[static_cast<size_t>(i) / 8] |= static_cast<uint64_t>(byte) << (i % 8 * 8);
  }
  if (negative) {
    Uint128 carry = 1;
    for (uint64_t& limb : limbs) {
      carry += ~limb;
      limb = static_cast<uint64_t>(carry);
      carry >>= 64;
    }
  }
  if (CompareLimbs(limbs, kPowerTable.power[precision]) >= 0) {
    return false;
  }
  *out = DecimalMath::Make(limbs, scale, negative);
  return true;
}

}  // namespace borealis::row
