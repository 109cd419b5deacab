// Weights of characters under the collations that are not bytewise (row/collation.h).
//
// A primary weight is 1 to 4 bytes, left-aligned in a uint32_t with zeros behind; no weight's bytes
// begin another's, so comparing the numbers and comparing concatenated bytes agree. 0 is "ignored
// at this level". Unicode weights come from ICU's root collation, one character at a time, in pages
// of 256 characters made when first needed.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "row/collation.h"

namespace borealis::row {

// One collation element: what a character contributes to each level.
struct WeightElement {
  uint32_t primary = 0;
  uint16_t secondary = 0;
  uint16_t tertiary = 0;
  bool operator==(const WeightElement&) const = default;
};

inline constexpr CollationId kLatin1German1Ci = 5;
inline constexpr CollationId kLatin1DanishCi = 15;
inline constexpr CollationId kLatin1GeneralCi = 48;
inline constexpr CollationId kLatin1GeneralCs = 49;
inline constexpr CollationId kLatin1SpanishCi = 94;
inline constexpr CollationId kUtf8mb3Unicode520Ci = 214;
inline constexpr CollationId kUtf8mb4Unicode520Ci = 246;

inline constexpr uint16_t kCommonWeight = 0x0500;  // secondary or tertiary of a plain letter

// The elements of a character in ICU's root collation; lives for the whole process.
std::span<const WeightElement> UnicodeElements(char32_t c);

// How one collation weighs. Immutable after construction, lives for the whole process.
struct Weigher {
  Collation::Rule rule;
  // Primary of each ASCII character; agrees with Primary.
  std::array<uint32_t, 128> ascii;
  uint32_t space;  // primary of U+0020
  // kSimple: the weight of a character that is not ASCII.
  uint32_t (*simple)(char32_t c);
  // Not kSimple: characters that Unicode 5.2 did not have yet have no weights of their own.
  bool unicode_520 = false;
};

// Of a character of latin1 under one of the collations named kLatin1… above.
uint8_t Latin1Weight(CollationId collation, uint8_t byte);

// REQUIRES: the collation is not bytewise.
const Weigher& WeigherOf(const Collation& collation);

// A malformed byte: after every character, by its value.
inline uint32_t BadByteWeight(char byte) {
  return 0xFFFF0000U | static_cast<uint32_t>(static_cast<uint8_t>(byte)) << 8 | 1;
}

// The nonzero primary weights of a text, in order.
class PrimaryCursor {
 public:
  PrimaryCursor(const Weigher& weigher, std::string_view text) : weigher_(weigher), text_(text) {}
  // False at the end.
  bool Next(uint32_t* weight) {
    for (;;) {
      if (element_ < elements_.size()) {
        *weight = elements_[element_++].primary;
      } else if (pos_ >= text_.size()) {
        return false;
      } else if (static_cast<uint8_t>(text_[pos_]) < 0x80) {
        *weight = weigher_.ascii[static_cast<uint8_t>(text_[pos_++])];
      } else {
        Slow(weight);
      }
      if (*weight != 0) {
        return true;
      }
    }
  }

 private:
  void Slow(uint32_t* weight);

  const Weigher& weigher_;
  std::string_view text_;
  size_t pos_ = 0;
  std::span<const WeightElement> elements_;
  size_t element_ = 0;
};

}  // namespace borealis::row
