// Character sets and collations: how text is compared, sorted, matched, folded and checked.
//
// Text is UTF-8 inside the server (INV-ROW-1), so a collation works on UTF-8 whatever its character
// set; the set says which characters are allowed and how many bytes each has for the client.
//
// Order comes from per-character weights without contractions: for the Unicode collations they are
// taken from ICU's root collation, one character at a time; for general_ci, swedish_ci and ascii
// each character has one weight after folding case and accents. A sort key is the sequence of
// weights, so keys of the utf8mb4_0900 family are prefix-free of characters' boundaries and compare
// with memcmp.
//
// INV-ROW-2  sign(Compare(a, b)) == sign(memcmp order of SortKey(a), SortKey(b)) for every
//            collation and every two byte strings, including malformed ones (a malformed byte
//            sorts after every character, by its own value).
// INV-ROW-3  PAD SPACE collations compare as if the shorter side were padded with spaces; their
//            sort keys have trailing spaces removed and mark where the text ends.
//
// Tables are built once, on first use, and are then read-only: everything here is thread-safe.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "row/type.h"

namespace borealis::row {

inline constexpr CollationId kBinaryCollation = 63;
inline constexpr CollationId kLatin1SwedishCi = 8;
inline constexpr CollationId kAsciiGeneralCi = 11;
inline constexpr CollationId kUtf8mb3GeneralCi = 33;
inline constexpr CollationId kUtf8mb4GeneralCi = 45;
inline constexpr CollationId kUtf8mb4Bin = 46;
inline constexpr CollationId kLatin1Bin = 47;
inline constexpr CollationId kAsciiBin = 65;
inline constexpr CollationId kUtf8mb3Bin = 83;
inline constexpr CollationId kUtf8mb3UnicodeCi = 192;
inline constexpr CollationId kUtf8mb4UnicodeCi = 224;
inline constexpr CollationId kUtf8mb4_0900AiCi = 255;
inline constexpr CollationId kUtf8mb4_0900AsCs = 278;
inline constexpr CollationId kUtf8mb4_0900AsCi = 305;
inline constexpr CollationId kUtf8mb4_0900Bin = 309;
inline constexpr CollationId kDefaultCollation = kUtf8mb4_0900AiCi;

enum class CharsetId : uint8_t { kBinary, kAscii, kLatin1, kUtf8mb3, kUtf8mb4 };

struct Charset {
  CharsetId id;
  std::string_view name;
  std::string_view description;
  CollationId default_collation;
  CollationId binary_collation;
  int max_bytes;  // per character

  // Bytes of valid UTF-8 `text` in this character set.
  size_t EncodedSize(std::string_view text) const;
  // Text as the client or a byte function sees it; '?' for characters the set lacks.
  std::string Encode(std::string_view text) const;
  // Bytes in this character set to UTF-8. Malformed utf8 input is kept as it is (see Validate).
  std::string Decode(std::string_view bytes) const;
  // Size of the longest prefix of `text` that is valid UTF-8 with characters of this set only;
  // text.size() when all of it is.
  size_t ValidPrefix(std::string_view text) const;
};

class Collation {
 public:
  enum class Rule : uint8_t {
    kBytes,         // binary and the *_bin collations: code point order is byte order
    kSimple,        // one weight per character: *_general_ci, latin1_swedish_ci
    kUcaPrimary,    // accents and case ignored: 0900_ai_ci, unicode_ci
    kUcaSecondary,  // case ignored: 0900_as_ci
    kUcaTertiary,   // 0900_as_cs
  };

  constexpr Collation(CollationId id, std::string_view name, CharsetId charset, Rule rule,
                      bool pad_space, bool is_default)
      : id_(id),
        name_(name),
        charset_(charset),
        rule_(rule),
        pad_space_(pad_space),
        is_default_(is_default) {}

  constexpr CollationId id() const { return id_; }
  std::string_view name() const { return name_; }
  const Charset& charset() const;
  Rule rule() const { return rule_; }
  // False: trailing spaces count (NO PAD).
  bool pad_space() const { return pad_space_; }
  bool is_default() const { return is_default_; }
  // True when characters, not bytes, are the unit (all but `binary`).
  bool is_text() const { return id_ != kBinaryCollation; }
  // True for *_bin and binary: equal means the same bytes (but for PAD SPACE).
  bool is_bytewise() const { return rule_ == Rule::kBytes; }

  // <0, 0, >0.
  int Compare(std::string_view a, std::string_view b) const;
  bool Equal(std::string_view a, std::string_view b) const;
  // Appends a key whose memcmp order (shorter first) is the collation's order.
  void AppendSortKey(std::string_view text, std::string* key) const;
  std::string SortKey(std::string_view text) const;
  // Equal strings have equal hashes.
  uint64_t Hash(std::string_view text) const;

  // SQL LIKE: % any run, _ one character, `escape` (0 for none) takes the next one literally.
  // Characters match by the collation's weights, one by one.
  bool Like(std::string_view text, std::string_view pattern, char32_t escape) const;
  // Position in bytes of the first occurrence of `needle` at or after byte `from`, comparing by
  // weights; npos when there is none. `match_size` (optional) gets the matched bytes.
  size_t Find(std::string_view text, std::string_view needle, size_t from,
              size_t* match_size = nullptr) const;

 private:
  CollationId id_;
  std::string_view name_;
  CharsetId charset_;
  Rule rule_;
  bool pad_space_;
  bool is_default_;
};

// Null when there is none of that number or name (ASCII case ignored).
const Collation* FindCollation(CollationId id);
const Collation* FindCollation(std::string_view name);
const Charset* FindCharset(std::string_view name);  // "utf8" is utf8mb3
const Charset& GetCharset(CharsetId id);
// REQUIRES: `id` came from a checked source (a Type).
const Collation& GetCollation(CollationId id);
// In order of name, for SHOW COLLATION and SHOW CHARACTER SET.
std::span<const Collation> AllCollations();
std::span<const Charset> AllCharsets();

// --- characters of UTF-8 text -----------------------------------------------------------------

// The character at `pos` and its size. A malformed byte gives kBadChar with size 1.
inline constexpr char32_t kBadChar = 0xFFFFFFFF;
char32_t DecodeChar(std::string_view text, size_t pos, size_t* size);
void AppendChar(std::string* text, char32_t c);
// Malformed bytes count as one character each.
size_t CharCount(std::string_view text);
// Byte offset of character number `chars`, or text.size() when there are fewer.
size_t OffsetOfChar(std::string_view text, size_t chars);
// Size of the longest prefix that is valid UTF-8.
size_t ValidUtf8Prefix(std::string_view text);
bool IsAscii(std::string_view text);
// Simple case mapping, one character to one, as MySQL's UPPER and LOWER.
std::string UpperText(std::string_view text);
std::string LowerText(std::string_view text);

}  // namespace borealis::row
