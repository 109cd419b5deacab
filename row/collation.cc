// The registry of collations and the operations on text: compare, key, hash, LIKE, find.
//
// PAD SPACE keys (INV-ROW-3). Padding a text with endless spaces means that its end sorts as a
// space that is followed by more spaces. A key therefore says at every space whether what follows
// the run of spaces is below or above a space, and marks the end between the two:
//   01 w   a weight w below a space        02   a space, something lower follows the run
//   03     the end                         04   a space, something higher follows the run
//   w      a weight above a space, with 05 before it when its first byte is 05 or less
// Trailing spaces are the end. In plain text this costs one byte.
#include "row/collation.h"

#include <algorithm>
#include <cstring>

#include "base/invariant.h"
#include "row/weights_internal.h"

namespace borealis::row {

namespace {

using Rule = Collation::Rule;

constexpr Charset kCharsets[] = {
    {CharsetId::kAscii, "ascii", "US ASCII", kAsciiGeneralCi, kAsciiBin, 1},
    {CharsetId::kBinary, "binary", "Binary pseudo charset", kBinaryCollation, kBinaryCollation, 1},
    {CharsetId::kLatin1, "latin1", "cp1252 West European", kLatin1SwedishCi, kLatin1Bin, 1},
    {CharsetId::kUtf8mb3, "utf8mb3", "UTF-8 Unicode", kUtf8mb3GeneralCi, kUtf8mb3Bin, 3},
    {CharsetId::kUtf8mb4, "utf8mb4", "UTF-8 Unicode", kUtf8mb4_0900AiCi, kUtf8mb4Bin, 4},
};

constexpr bool kPad = true;
constexpr bool kNoPad = false;
constexpr Collation kCollations[] = {
    {kAsciiBin, "ascii_bin", CharsetId::kAscii, Rule::kBytes, kPad, false},
    {kAsciiGeneralCi, "ascii_general_ci", CharsetId::kAscii, Rule::kSimple, kPad, true},
    {kBinaryCollation, "binary", CharsetId::kBinary, Rule::kBytes, kNoPad, true},
    {kLatin1Bin, "latin1_bin", CharsetId::kLatin1, Rule::kBytes, kPad, false},
    {kLatin1DanishCi, "latin1_danish_ci", CharsetId::kLatin1, Rule::kSimple, kPad, false},
    {kLatin1GeneralCi, "latin1_general_ci", CharsetId::kLatin1, Rule::kSimple, kPad, false},
    {kLatin1GeneralCs, "latin1_general_cs", CharsetId::kLatin1, Rule::kSimple, kPad, false},
    {kLatin1German1Ci, "latin1_german1_ci", CharsetId::kLatin1, Rule::kSimple, kPad, false},
    {kLatin1SpanishCi, "latin1_spanish_ci", CharsetId::kLatin1, Rule::kSimple, kPad, false},
    {kLatin1SwedishCi, "latin1_swedish_ci", CharsetId::kLatin1, Rule::kSimple, kPad, true},
    {kUtf8mb3Bin, "utf8mb3_bin", CharsetId::kUtf8mb3, Rule::kBytes, kPad, false},
    {kUtf8mb3GeneralCi, "utf8mb3_general_ci", CharsetId::kUtf8mb3, Rule::kSimple, kPad, true},
    {kUtf8mb3Unicode520Ci, "utf8mb3_unicode_520_ci", CharsetId::kUtf8mb3, Rule::kUcaPrimary, kPad,
     false},
    {kUtf8mb3UnicodeCi, "utf8mb3_unicode_ci", CharsetId::kUtf8mb3, Rule::kUcaPrimary, kPad, false},
    {kUtf8mb4_0900AiCi, "utf8mb4_0900_ai_ci", CharsetId::kUtf8mb4, Rule::kUcaPrimary, kNoPad, true},
    {kUtf8mb4_0900AsCi, "utf8mb4_0900_as_ci", CharsetId::kUtf8mb4, Rule::kUcaSecondary, kNoPad,
     false},
    {kUtf8mb4_0900AsCs, "utf8mb4_0900_as_cs", CharsetId::kUtf8mb4, Rule::kUcaTertiary, kNoPad,
     false},
    {kUtf8mb4_0900Bin, "utf8mb4_0900_bin", CharsetId::kUtf8mb4, Rule::kBytes, kNoPad, false},
    {kUtf8mb4Bin, "utf8mb4_bin", CharsetId::kUtf8mb4, Rule::kBytes, kPad, false},
    {kUtf8mb4GeneralCi, "utf8mb4_general_ci", CharsetId::kUtf8mb4, Rule::kSimple, kPad, false},
    {kUtf8mb4Unicode520Ci, "utf8mb4_unicode_520_ci", CharsetId::kUtf8mb4, Rule::kUcaPrimary, kPad,
     false},
    {kUtf8mb4UnicodeCi, "utf8mb4_unicode_ci", CharsetId::kUtf8mb4, Rule::kUcaPrimary, kPad, false},
};

struct ById {
  std::array<const Collation*, 512> at{};
  constexpr ById() {
    for (const Collation& collation : kCollations) {
      at[collation.id()] = &collation;
    }
  }
};
constexpr ById kById;

bool EqualNoCase(std::string_view a, std::string_view b) {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) {
           auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
           return lower(x) == lower(y);
         });
}

int Sign(uint64_t a, uint64_t b) {
  return a < b ? -1 : (a > b ? 1 : 0);
}

bool IsContinuation(std::string_view text, size_t pos) {
  return pos < text.size() && (static_cast<uint8_t>(text[pos]) & 0xC0) == 0x80;
}

// Size of the common prefix, moved back to where a character starts in both.
size_t CommonPrefix(std::string_view a, std::string_view b) {
  size_t limit = std::min(a.size(), b.size());
  size_t i = 0;
  for (; i + 8 <= limit; i += 8) {
    if (std::memcmp(a.data() + i, b.data() + i, 8) != 0) {
      break;
    }
  }
  while (i < limit && a[i] == b[i]) {
    ++i;
  }
  while (i > 0 && (IsContinuation(a, i) || IsContinuation(b, i))) {
    --i;
  }
  return i;
}

// How the rest of a PAD SPACE text compares with endless spaces. `next` yields weights.
template <class Next>
int CompareWithSpaces(uint64_t first, uint64_t space, Next next) {
  uint32_t weight = static_cast<uint32_t>(first);
  do {
    if (weight != space) {
      return Sign(weight, space);
    }
  } while (next(&weight));
  return 0;
}

int ComparePadBytes(std::string_view a, std::string_view b) {
  size_t common = std::min(a.size(), b.size());
  int order = a.substr(0, common).compare(b.substr(0, common));
  if (order != 0) {
    return order;
  }
  std::string_view rest = (a.size() > b.size() ? a : b).substr(common);
  for (char byte : rest) {
    if (byte != ' ') {
      int side = static_cast<uint8_t>(byte) < ' ' ? -1 : 1;
      return a.size() > b.size() ? side : -side;
    }
  }
  return 0;
}

int ComparePrimary(const Weigher& weigher, bool pad, std::string_view a, std::string_view b) {
  PrimaryCursor x(weigher, a);
  PrimaryCursor y(weigher, b);
  for (;;) {
    uint32_t p = 0;
    uint32_t q = 0;
    bool has_p = x.Next(&p);
    bool has_q = y.Next(&q);
    if (has_p && has_q) {
      if (p != q) {
        return p < q ? -1 : 1;
      }
    } else if (!has_p && !has_q) {
      return 0;
    } else if (!pad) {
      return has_p ? 1 : -1;
    } else if (has_p) {
      return CompareWithSpaces(p, weigher.space, [&](uint32_t* w) { return x.Next(w); });
    } else {
      return -CompareWithSpaces(q, weigher.space, [&](uint32_t* w) { return y.Next(w); });
    }
  }
}

// Calls visit(element) for every element; malformed bytes are one element of their own.
template <class Visit>
void ForEachElement(std::string_view text, Visit visit) {
  for (size_t pos = 0; pos < text.size();) {
    size_t size;
    char32_t c = DecodeChar(text, pos, &size);
    if (c == kBadChar) {
      visit(WeightElement{BadByteWeight(text[pos]), kCommonWeight, kCommonWeight});
    } else {
      for (const WeightElement& element : UnicodeElements(c)) {
        visit(element);
      }
    }
    pos += size;
  }
}

// Secondary and tertiary weights: one byte for the common one, two otherwise, never 00 or 01 first.
void AppendLevel(uint16_t weight, std::string* key) {
  if (weight == 0) {
    return;
  }
  *key += static_cast<char>(weight >> 8);
  if (weight != kCommonWeight) {
    *key += static_cast<char>(weight & 0xFF);
  }
}

// Levels below the first, each opened by 01, which is below every weight's first byte.
void AppendLowerLevels(Rule rule, std::string_view text, std::string* key) {
  *key += '\x01';
  ForEachElement(text, [&](const WeightElement& e) { AppendLevel(e.secondary, key); });
  if (rule == Rule::kUcaTertiary) {
    *key += '\x01';
    ForEachElement(text, [&](const WeightElement& e) { AppendLevel(e.tertiary, key); });
  }
}

void AppendWeight(uint32_t weight, std::string* key) {
  do {
    *key += static_cast<char>(weight >> 24);
    weight <<= 8;
  } while (weight != 0);
}

// Takes weights in order, writes a PAD SPACE key.
class PadKeyWriter {
 public:
  PadKeyWriter(uint32_t space, std::string* key) : space_(space), key_(key) {}
  void Add(uint32_t weight) {
    if (weight == space_) {
      ++spaces_;
      return;
    }
    key_->append(spaces_, weight < space_ ? '\x02' : '\x04');
    spaces_ = 0;
    if (weight < space_) {
      *key_ += '\x01';
    } else if (weight >> 24 <= 5) {
      *key_ += '\x05';
    }
    AppendWeight(weight, key_);
  }
  void Finish() { *key_ += '\x03'; }

 private:
  uint32_t space_;
  std::string* key_;
  size_t spaces_ = 0;
};

// Whether characters are equal, each given as its bytes.
class CharComparer {
 public:
  explicit CharComparer(const Collation& collation) : collation_(collation) {
    if (!collation.is_bytewise()) {
      weigher_ = &WeigherOf(collation);
      has_ascii_ = collation.rule() != Rule::kUcaTertiary;  // no accents there, but case
    }
  }
  bool Same(std::string_view a, std::string_view b) const {
    if (a == b) {
      return true;
    }
    if (weigher_ == nullptr) {
      return false;
    }
    if (IsQuick(a) && IsQuick(b)) {
      return WeightOf(a[0]) == WeightOf(b[0]);
    }
    if (collation_.rule() == Rule::kUcaSecondary || collation_.rule() == Rule::kUcaTertiary) {
      return collation_.Compare(a, b) == 0;
    }
    return ComparePrimary(*weigher_, false, a, b) == 0;
  }
  // Whether one look-up says all of the character.
  bool IsQuick(std::string_view character) const {
    return has_ascii_ && character.size() == 1 && IsAscii(character[0]);
  }
  // The position from `at` on of the first character that is not quick, or equals `wanted`.
  // REQUIRES: IsQuick of it.
  size_t Skip(std::string_view text, size_t at, char wanted) const {
    const uint32_t weight = WeightOf(wanted);
    while (at < text.size() && IsAscii(text[at]) && WeightOf(text[at]) != weight) {
      ++at;
    }
    return at;
  }

 private:
  static bool IsAscii(char c) { return static_cast<uint8_t>(c) < 0x80; }
  uint32_t WeightOf(char c) const { return weigher_->ascii[static_cast<uint8_t>(c)]; }

  const Collation& collation_;
  const Weigher* weigher_ = nullptr;
  bool has_ascii_ = false;
};

// LIKE over text and pattern with backtracking to the last % only (enough for its grammar).
class LikeMatcher {
 public:
  LikeMatcher(const Collation& collation, std::string_view text, std::string_view pattern,
              char32_t escape)
      : collation_(collation),
        comparer_(collation),
        text_(text),
        pattern_(pattern),
        escape_(escape) {}

  bool Match() {
    size_t t = 0;
    size_t p = 0;
    size_t star_p = std::string_view::npos;  // pattern position after the last %
    size_t star_t = 0;                       // where its run ends so far
    while (t < text_.size()) {
      if (p < pattern_.size()) {
        Token token = Read(p);
        if (token.kind == Kind::kAny) {
          star_p = p = token.end;
          star_t = t = SkipTo(p, t);
          continue;
        }
        size_t size = CharSize(text_, t);
        if (token.kind == Kind::kOne || comparer_.Same(text_.substr(t, size), token.literal)) {
          t += size;
          p = token.end;
          continue;
        }
      }
      if (star_p == std::string_view::npos) {
        return false;
      }
      star_t = SkipTo(star_p, star_t + CharSize(text_, star_t));
      t = star_t;
      p = star_p;
    }
    while (p < pattern_.size()) {
      Token token = Read(p);
      if (token.kind != Kind::kAny) {
        return false;
      }
      p = token.end;
    }
    return true;
  }

 private:
  enum class Kind { kAny, kOne, kLiteral };
  struct Token {
    Kind kind;
    size_t end;
    std::string_view literal;
  };

  // From `t` on where a text may begin that the pattern at `p` matches.
  size_t SkipTo(size_t p, size_t t) const {
    if (p == pattern_.size()) {
      return t;
    }
    const Token token = Read(p);
    return token.kind == Kind::kLiteral && comparer_.IsQuick(token.literal)
               ? comparer_.Skip(text_, t, token.literal[0])
               : t;
  }

  size_t CharSize(std::string_view text, size_t pos) const {
    if (static_cast<uint8_t>(text[pos]) < 0x80 || !collation_.is_text()) {
      return 1;
    }
    size_t size;
    DecodeChar(text, pos, &size);
    return size;
  }

  Token Read(size_t p) const {
    size_t size = CharSize(pattern_, p);
    char32_t c = static_cast<uint8_t>(pattern_[p]);
    if (size > 1) {
      c = DecodeChar(pattern_, p, &size);
    }
    if (escape_ != 0 && c == escape_ && p + size < pattern_.size()) {
      size_t next = CharSize(pattern_, p + size);
      return {Kind::kLiteral, p + size + next, pattern_.substr(p + size, next)};
    }
    if (c == '%') {
      return {Kind::kAny, p + size, {}};
    }
    if (c == '_') {
      return {Kind::kOne, p + size, {}};
    }
    return {Kind::kLiteral, p + size, pattern_.substr(p, size)};
  }

  const Collation& collation_;
  const CharComparer comparer_;
  std::string_view text_;
  std::string_view pattern_;
  char32_t escape_;
};

uint64_t HashBytes(std::string_view bytes) {
  uint64_t hash = 0x9E3779B97F4A7C15U ^ bytes.size();
  auto mix = [&](uint64_t word) {
    unsigned __int128 product = static_cast<unsigned __int128>(hash ^ word) * 0xD6E8FEB86659FD93U;
    hash = static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
  };
  size_t i = 0;
  for (; i + 8 <= bytes.size(); i += 8) {
    uint64_t word;
    std::memcpy(&word, bytes.data() + i, 8);
    mix(word);
  }
  uint64_t tail = 0;
  std::memcpy(&tail, bytes.data() + i, bytes.size() - i);
  mix(tail);
  mix(0xA0761D6478BD642FU);
  return hash;
}

}  // namespace

const Charset& Collation::charset() const {
  return GetCharset(charset_);
}

int Collation::Compare(std::string_view a, std::string_view b) const {
  if (rule_ == Rule::kBytes) {
    return pad_space_ ? ComparePadBytes(a, b) : a.compare(b);
  }
  size_t common = CommonPrefix(a, b);
  a.remove_prefix(common);
  b.remove_prefix(common);
  if (a.empty() && b.empty()) {
    return 0;
  }
  int order = ComparePrimary(WeigherOf(*this), pad_space_, a, b);
  if (order != 0 || rule_ == Rule::kSimple || rule_ == Rule::kUcaPrimary) {
    return order;
  }
  std::string x;
  std::string y;
  AppendLowerLevels(rule_, a, &x);
  AppendLowerLevels(rule_, b, &y);
  return x.compare(y);
}

bool Collation::Equal(std::string_view a, std::string_view b) const {
  if (rule_ == Rule::kBytes && !pad_space_) {
    return a == b;
  }
  return Compare(a, b) == 0;
}

void Collation::AppendSortKey(std::string_view text, std::string* key) const {
  if (rule_ == Rule::kBytes && !pad_space_) {
    key->append(text);
    return;
  }
  key->reserve(key->size() + text.size() * 2 + 4);
  if (rule_ == Rule::kBytes) {
    PadKeyWriter writer(uint32_t{' '} << 24, key);
    for (char byte : text) {
      writer.Add(static_cast<uint32_t>(static_cast<uint8_t>(byte)) << 24);
    }
    writer.Finish();
    return;
  }
  const Weigher& weigher = WeigherOf(*this);
  PrimaryCursor cursor(weigher, text);
  uint32_t weight;
  if (pad_space_) {
    PadKeyWriter writer(weigher.space, key);
    while (cursor.Next(&weight)) {
      writer.Add(weight);
    }
    writer.Finish();
    return;
  }
  while (cursor.Next(&weight)) {
    AppendWeight(weight, key);
  }
  if (rule_ == Rule::kUcaSecondary || rule_ == Rule::kUcaTertiary) {
    AppendLowerLevels(rule_, text, key);
  }
}

std::string Collation::SortKey(std::string_view text) const {
  std::string key;
  AppendSortKey(text, &key);
  return key;
}

uint64_t Collation::Hash(std::string_view text) const {
  if (rule_ == Rule::kBytes) {
    while (pad_space_ && !text.empty() && text.back() == ' ') {
      text.remove_suffix(1);
    }
    return HashBytes(text);
  }
  return HashBytes(SortKey(text));
}

bool Collation::Like(std::string_view text, std::string_view pattern, char32_t escape) const {
  return LikeMatcher(*this, text, pattern, escape).Match();
}

size_t Collation::Find(std::string_view text, std::string_view needle, size_t from,
                       size_t* match_size) const {
  if (from > text.size()) {
    return std::string_view::npos;
  }
  if (is_bytewise() || needle.empty()) {
    if (match_size != nullptr) {
      *match_size = needle.size();
    }
    return text.find(needle, from);  // UTF-8: a match of valid text starts at a character
  }
  const CharComparer comparer(*this);
  for (size_t start = from;;) {
    size_t t = start;
    size_t n = 0;
    while (n < needle.size() && t < text.size()) {
      size_t text_size;
      size_t needle_size;
      DecodeChar(text, t, &text_size);
      DecodeChar(needle, n, &needle_size);
      if (!comparer.Same(text.substr(t, text_size), needle.substr(n, needle_size))) {
        break;
      }
      t += text_size;
      n += needle_size;
    }
    if (n == needle.size()) {
      if (match_size != nullptr) {
        *match_size = t - start;
      }
      return start;
    }
    if (start >= text.size()) {
      return std::string_view::npos;
    }
    size_t size;
    DecodeChar(text, start, &size);
    start += size;
  }
}

const Collation* FindCollation(CollationId id) {
  return id < kById.at.size() ? kById.at[id] : nullptr;
}

const Collation* FindCollation(std::string_view name) {
  std::string modern;
  if (EqualNoCase(name.substr(0, 5), "utf8_")) {
    modern = "utf8mb3_" + std::string(name.substr(5));
    name = modern;
  }
  for (const Collation& collation : kCollations) {
    if (EqualNoCase(collation.name(), name)) {
      return &collation;
    }
  }
  return nullptr;
}

const Charset* FindCharset(std::string_view name) {
  if (EqualNoCase(name, "utf8")) {
    name = "utf8mb3";
  }
  for (const Charset& charset : kCharsets) {
    if (EqualNoCase(charset.name, name)) {
      return &charset;
    }
  }
  return nullptr;
}

const Charset& GetCharset(CharsetId id) {
  for (const Charset& charset : kCharsets) {
    if (charset.id == id) {
      return charset;
    }
  }
  INVARIANT(false && "no such character set");
  return kCharsets[0];
}

const Collation& GetCollation(CollationId id) {
  const Collation* collation = FindCollation(id);
  INVARIANT(collation != nullptr);
  return *collation;
}

std::span<const Collation> AllCollations() {
  return kCollations;
}
std::span<const Charset> AllCharsets() {
  return kCharsets;
}

}  // namespace borealis::row
