// Unsigned integers of 256 and 512 bits, as far as decimals need them: by powers of ten above all.
//
// Overflow is the callers' to exclude: 10^77 is the last power below 2^256, and decimals have 65
// digits, so a product of two has 130 of the 154 that 512 bits hold.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

namespace borealis::row {

using Uint128 = unsigned __int128;
using Limbs = std::array<uint64_t, 4>;  // least significant first, as all of them
using Wide = std::array<uint64_t, 8>;

inline constexpr int kPowers = 78;  // 10^77 is the last that fits 256 bits

struct PowerTable {
  std::array<Limbs, kPowers> power{};
  constexpr PowerTable() {
    power[0] = {1, 0, 0, 0};
    for (int i = 1; i < kPowers; ++i) {
      unsigned __int128 carry = 0;
      for (int j = 0; j < 4; ++j) {
        carry += static_cast<unsigned __int128>(power[i - 1][j]) * 10;
        power[i][j] = static_cast<uint64_t>(carry);
        carry >>= 64;
      }
    }
  }
};
inline constexpr PowerTable kPowerTable;
inline constexpr uint64_t kTen19 = 10000000000000000000U;

inline uint64_t SmallPower(int exponent) {  // REQUIRES: 0 <= exponent <= 19
  return kPowerTable.power[exponent][0];
}

template <size_t N>
bool IsZero(const std::array<uint64_t, N>& a) {
  return std::all_of(a.begin(), a.end(), [](uint64_t limb) { return limb == 0; });
}

template <size_t N>
int CompareLimbs(const std::array<uint64_t, N>& a, const std::array<uint64_t, N>& b) {
  for (size_t i = N; i-- > 0;) {
    if (a[i] != b[i]) {
      return a[i] < b[i] ? -1 : 1;
    }
  }
  return 0;
}

inline Wide Widen(const Limbs& a) {
  Wide wide{};
  std::copy(a.begin(), a.end(), wide.begin());
  return wide;
}

// Carry out of the top is lost; callers keep within 512 bits.
inline void MulSmall(Wide* a, uint64_t factor) {
  Uint128 carry = 0;
  for (uint64_t& limb : *a) {
    carry += static_cast<Uint128>(limb) * factor;
    limb = static_cast<uint64_t>(carry);
    carry >>= 64;
  }
}

inline void MulPower(Wide* a, int exponent) {
  for (; exponent >= 19; exponent -= 19) {
    MulSmall(a, kTen19);
  }
  if (exponent > 0) {
    MulSmall(a, SmallPower(exponent));
  }
}

template <size_t N>
uint64_t DivSmall(std::array<uint64_t, N>* a, uint64_t divisor) {
  Uint128 remainder = 0;
  for (size_t i = N; i-- > 0;) {
    if (remainder == 0 && (*a)[i] == 0) {
      continue;
    }
    remainder = (remainder << 64) | (*a)[i];
    (*a)[i] = static_cast<uint64_t>(remainder / divisor);
    remainder %= divisor;
  }
  return static_cast<uint64_t>(remainder);
}

// Returns whether anything was lost.
inline bool DivPower(Wide* a, int exponent) {
  bool lost = false;
  for (; exponent >= 19; exponent -= 19) {
    lost |= DivSmall(a, kTen19) != 0;
  }
  if (exponent > 0) {
    lost |= DivSmall(a, SmallPower(exponent)) != 0;
  }
  return lost;
}

inline void AddSmall(Wide* a, uint64_t addend) {
  Uint128 carry = addend;
  for (size_t i = 0; i < a->size() && carry != 0; ++i) {
    carry += (*a)[i];
    (*a)[i] = static_cast<uint64_t>(carry);
    carry >>= 64;
  }
}

inline void AddWide(Wide* a, const Wide& b) {
  Uint128 carry = 0;
  for (size_t i = 0; i < a->size(); ++i) {
    carry += static_cast<Uint128>((*a)[i]) + b[i];
    (*a)[i] = static_cast<uint64_t>(carry);
    carry >>= 64;
  }
}

// REQUIRES: a >= b.
inline void SubWide(Wide* a, const Wide& b) {
  uint64_t borrow = 0;
  for (size_t i = 0; i < a->size(); ++i) {
    Uint128 difference = static_cast<Uint128>((*a)[i]) - b[i] - borrow;
    (*a)[i] = static_cast<uint64_t>(difference);
    borrow = static_cast<uint64_t>(difference >> 64) & 1;
  }
}

// Drops `exponent` digits, rounding half away from zero. Returns whether anything was lost.
inline bool RoundPower(Wide* a, int exponent) {
  if (exponent <= 0) {
    return false;
  }
  bool lost = DivPower(a, exponent - 1);
  uint64_t digit = DivSmall(a, 10);
  if (digit >= 5) {
    AddSmall(a, 1);
  }
  return lost || digit != 0;
}

template <size_t N>
int BitLength(const std::array<uint64_t, N>& a) {
  for (size_t i = N; i-- > 0;) {
    if (a[i] != 0) {
      return static_cast<int>(i) * 64 + 64 - __builtin_clzll(a[i]);
    }
  }
  return 0;
}

// Decimal digits of a magnitude below 10^77; 0 for zero.
inline int DigitCount(const Limbs& a) {
  int bits = BitLength(a);
  if (bits == 0) {
    return 0;
  }
  int guess = static_cast<int>((static_cast<int64_t>(bits - 1) * 1233) >> 12);
  while (guess < kPowers && CompareLimbs(kPowerTable.power[guess], a) <= 0) {
    ++guess;
  }
  return guess;
}

inline int DigitCount(const Wide& a) {
  Wide rest = a;
  int digits = 0;
  while (BitLength(rest) > 250) {
    DivSmall(&rest, kTen19);
    digits += 19;
  }
  Limbs low;
  std::copy(rest.begin(), rest.begin() + 4, low.begin());
  return digits + DigitCount(low);
}

// Knuth's algorithm D on 32-bit digits. REQUIRES: divisor != 0.
inline void DivWide(const Wide& dividend, const Wide& divisor, Wide* quotient, Wide* remainder) {
  if (BitLength(divisor) <= 64) {
    *quotient = dividend;
    *remainder = {};
    (*remainder)[0] = DivSmall(quotient, divisor[0]);
    return;
  }
  int m = (BitLength(dividend) + 31) / 32;
  int n = (BitLength(divisor) + 31) / 32;
  *quotient = {};
  if (m < n) {
    *remainder = dividend;
    return;
  }
  uint32_t u[17] = {};
  uint32_t v[16] = {};
  auto digit = [](const Wide& a, int i) { return static_cast<uint32_t>(a[i / 2] >> (i % 2 * 32)); };
  int shift = __builtin_clz(digit(divisor, n - 1));
  for (int i = n - 1; i >= 0; --i) {
    uint64_t pair =
        (static_cast<uint64_t>(digit(divisor, i)) << 32) | (i > 0 ? digit(divisor, i - 1) : 0);
    v[i] = static_cast<uint32_t>((pair << shift) >> 32);
  }
  u[m] = shift == 0 ? 0 : digit(dividend, m - 1) >> (32 - shift);
  for (int i = m - 1; i >= 0; --i) {
    uint64_t pair =
        (static_cast<uint64_t>(digit(dividend, i)) << 32) | (i > 0 ? digit(dividend, i - 1) : 0);
    u[i] = static_cast<uint32_t>((pair << shift) >> 32);
  }
  constexpr uint64_t kBase = uint64_t{1} << 32;
  for (int j = m - n; j >= 0; --j) {
    uint64_t top = (static_cast<uint64_t>(u[j + n]) << 32) | u[j + n - 1];
    uint64_t q = top / v[n - 1];
    uint64_t r = top % v[n - 1];
    while (q >= kBase || q * v[n - 2] > ((r << 32) | u[j + n - 2])) {
      --q;
      r += v[n - 1];
      if (r >= kBase) {
        break;
      }
    }
    int64_t borrow = 0;
    uint64_t carry = 0;
    for (int i = 0; i < n; ++i) {
      carry += q * v[i];
      int64_t t =
          static_cast<int64_t>(u[i + j]) - borrow - static_cast<int64_t>(carry & 0xFFFFFFFF);
      u[i + j] = static_cast<uint32_t>(t);
      borrow = t < 0 ? 1 : 0;
      carry >>= 32;
    }
    int64_t t = static_cast<int64_t>(u[j + n]) - borrow - static_cast<int64_t>(carry);
    u[j + n] = static_cast<uint32_t>(t);
    if (t < 0) {
      --q;
      uint64_t sum = 0;
      for (int i = 0; i < n; ++i) {
        sum += static_cast<uint64_t>(u[i + j]) + v[i];
        u[i + j] = static_cast<uint32_t>(sum);
        sum >>= 32;
      }
      u[j + n] += static_cast<uint32_t>(sum);
    }
    (*quotient)[j / 2] |= q << (j % 2 * 32);
  }
  *remainder = {};
  for (int i = 0; i < n; ++i) {
    uint64_t low = u[i] >> shift;
    uint64_t high = shift == 0 || i + 1 > m ? 0 : static_cast<uint64_t>(u[i + 1]) << (32 - shift);
    (*remainder)[i / 2] |= ((low | high) & 0xFFFFFFFF) << (i % 2 * 32);
  }
}

// Digits of a nonzero magnitude, most significant first, into `buffer`; returns how many.
inline int WriteDigits(const Limbs& magnitude, char buffer[80]) {
  char reversed[80];
  int count = 0;
  Limbs rest = magnitude;
  while (!IsZero(rest)) {
    uint64_t chunk = (rest[1] | rest[2] | rest[3]) == 0 ? rest[0] : 0;
    bool last = (rest[1] | rest[2] | rest[3]) == 0 && rest[0] < kTen19;
    if (last) {
      rest = {};
    } else {
      chunk = DivSmall(&rest, kTen19);
    }
    for (int i = 0; last ? chunk != 0 : i < 19; ++i) {
      reversed[count++] = static_cast<char>('0' + chunk % 10);
      chunk /= 10;
    }
  }
  std::reverse_copy(reversed, reversed + count, buffer);
  return count;
}

}  // namespace borealis::row
