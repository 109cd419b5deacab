#include "base/double_text.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <string>

#include "base/invariant.h"

namespace borealis {

namespace {

constexpr int kMaxPointShift = 15;  // DBL_DIG: beyond it, the exponent form

// Lays out significant `digits` of a value 0.d1d2d3… × 10^point.
size_t Layout(bool negative, const char* digits, int count, int point, char* out) {
  char* to = out;
  if (negative) {
    *to++ = '-';
  }
  // A fraction keeps the plain form one digit longer: 3333333333333333.5.
  if ((point > kMaxPointShift && count <= point) || point < -kMaxPointShift + 1) {
    *to++ = digits[0];
    if (count > 1) {
      *to++ = '.';
      std::memcpy(to, digits + 1, static_cast<size_t>(count - 1));
      to += count - 1;
    }
    *to++ = 'e';
    to = std::to_chars(to, to + 8, point - 1).ptr;
  } else if (point <= 0) {
    *to++ = '0';
    *to++ = '.';
    std::memset(to, '0', static_cast<size_t>(-point));
    to += -point;
    std::memcpy(to, digits, static_cast<size_t>(count));
    to += count;
  } else {
    const int whole = count < point ? count : point;
    std::memcpy(to, digits, static_cast<size_t>(whole));
    to += whole;
    std::memset(to, '0', static_cast<size_t>(point - whole));
    to += point - whole;
    if (count > point) {
      *to++ = '.';
      std::memcpy(to, digits + point, static_cast<size_t>(count - point));
      to += count - point;
    }
  }
  return static_cast<size_t>(to - out);
}

// `scientific` is what to_chars gave: [-]d[.ddd]e±dd, up to `end`.
size_t FromScientific(const char* scientific, const char* end, char* out) {
  bool negative = false;
  if (*scientific == '-') {
    negative = true;
    ++scientific;
  }
  char digits[24];
  int count = 0;
  for (; scientific < end && *scientific != 'e'; ++scientific) {
    if (*scientific != '.') {
      digits[count++] = *scientific;
    }
  }
  ++scientific;
  const bool exponent_negative = *scientific == '-';
  int exponent = 0;
  std::from_chars(scientific + 1, end, exponent);
  exponent = exponent_negative ? -exponent : exponent;
  while (count > 1 && digits[count - 1] == '0') {
    --count;
  }
  return Layout(negative, digits, count, exponent + 1, out);
}

// MySQL stores neither infinities nor NaN; one that appears anyway prints as zero would mislead.
size_t NotFinite(double value, char* out) {
  const char* text = std::isnan(value) ? "nan" : value > 0 ? "inf" : "-inf";
  const size_t size = std::strlen(text);
  std::memcpy(out, text, size);
  return size;
}

size_t Zero(double value, char* out) {
  size_t size = 0;
  if (std::signbit(value)) {
    out[size++] = '-';
  }
  out[size++] = '0';
  return size;
}

}  // namespace

size_t DoubleToText(double value, char* out) {
  if (!std::isfinite(value)) {
    return NotFinite(value, out);
  }
  if (value == 0) {
    return Zero(value, out);
  }
  char buffer[40];
  const auto end =
      std::to_chars(buffer, buffer + sizeof(buffer), value, std::chars_format::scientific);
  return FromScientific(buffer, end.ptr, out);
}

size_t FloatToText(float value, char* out) {
  if (!std::isfinite(value)) {
    return NotFinite(static_cast<double>(value), out);
  }
  if (value == 0) {
    return Zero(static_cast<double>(value), out);
  }
  char buffer[40];
  const auto end = std::to_chars(buffer, buffer + sizeof(buffer), static_cast<double>(value),
                                 std::chars_format::scientific, 5);
  return FromScientific(buffer, end.ptr, out);
}

size_t FixedDoubleToText(double value, int decimals, char* out) {
  INVARIANT(decimals >= 0 && decimals <= 30);
  if (!std::isfinite(value)) {
    return NotFinite(value, out);
  }
  char shortest[40];
  char* const end =
      std::to_chars(shortest, shortest + sizeof(shortest), value, std::chars_format::scientific)
          .ptr;
  char* const mark = std::find(shortest, end, 'e');
  int exponent = 0;
  std::from_chars(mark + (mark[1] == '+' ? 2 : 1), end, exponent);
  std::string digits;
  std::copy_if(shortest, mark, std::back_inserter(digits),
               [](char c) { return c >= '0' && c <= '9'; });
  const int places = static_cast<int>(digits.size()) - 1 - exponent;
  if (places > decimals) {
    return static_cast<size_t>(
        std::to_chars(out, out + 384, value, std::chars_format::fixed, decimals).ptr - out);
  }
  // The shortest digits say it all; what is written after them is zeros.
  digits.insert(0, static_cast<size_t>(std::max(-exponent, 0)), '0');
  const size_t whole = static_cast<size_t>(std::max(exponent, 0)) + 1;
  digits.resize(whole + static_cast<size_t>(decimals), '0');
  char* at = out;
  if (std::signbit(value)) {
    *at++ = '-';
  }
  at = std::copy_n(digits.begin(), whole, at);
  if (decimals > 0) {
    *at++ = '.';
    at = std::copy(digits.begin() + static_cast<ptrdiff_t>(whole), digits.end(), at);
  }
  return static_cast<size_t>(at - out);
}

}  // namespace borealis
