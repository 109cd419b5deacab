// Builds the weight tables: ICU elements in pages, folded characters for the simple collations.
#include <unicode/uchar.h>
#include <unicode/ucol.h>
#include <unicode/ucoleitr.h>
#include <unicode/unorm2.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <vector>

#include "base/invariant.h"
#include "row/weights_internal.h"

namespace borealis::row {

namespace {

constexpr size_t kPageChars = 256;
constexpr size_t kPages = 0x110000 / kPageChars;

struct Page {
  std::vector<WeightElement> elements;
  std::array<uint32_t, kPageChars + 1> start;
};

// ICU objects behind one mutex; used only while pages are being built.
class PageBuilder {
 public:
  PageBuilder() {
    UErrorCode error = U_ZERO_ERROR;
    collator_ = ucol_open("", &error);
    INVARIANT(U_SUCCESS(error));
    ucol_setStrength(collator_, UCOL_TERTIARY);
    UChar dummy = 'a';
    iterator_ = ucol_openElements(collator_, &dummy, 1, &error);
    INVARIANT(U_SUCCESS(error));
  }

  std::unique_ptr<const Page> Build(size_t number) {
    auto page = std::make_unique<Page>();
    for (size_t i = 0; i < kPageChars; ++i) {
      page->start[i] = static_cast<uint32_t>(page->elements.size());
      Append(static_cast<UChar32>(number * kPageChars + i), &page->elements);
      if (number * kPageChars + i == 0xFFFF) {  // ICU gives it FF FF, which malformed bytes extend
        page->elements.back().primary = 0xFFFE0000;
      }
    }
    page->start[kPageChars] = static_cast<uint32_t>(page->elements.size());
    return page;
  }

 private:
  // ICU hands out each 64-bit element as one or two 32-bit halves; the second is marked C0.
  void Append(UChar32 c, std::vector<WeightElement>* elements) {
    UChar text[2];
    int32_t size = 0;
    U16_APPEND_UNSAFE(text, size, c);
    UErrorCode error = U_ZERO_ERROR;
    ucol_setText(iterator_, text, size, &error);
    INVARIANT(U_SUCCESS(error));
    for (;;) {
      int32_t order = ucol_next(iterator_, &error);
      if (order == UCOL_NULLORDER || U_FAILURE(error)) {
        return;
      }
      uint32_t half = static_cast<uint32_t>(order);
      if ((half & 0xC0) == 0xC0 && !elements->empty()) {
        WeightElement& last = elements->back();
        last.primary |= half >> 16;
        last.secondary |= static_cast<uint16_t>(half >> 8 & 0xFF);
        last.tertiary |= static_cast<uint16_t>(half & 0x3F);
      } else {
        elements->push_back({.primary = half & 0xFFFF0000,
                             .secondary = static_cast<uint16_t>(half & 0xFF00),
                             .tertiary = static_cast<uint16_t>((half & 0x3F) << 8)});
      }
    }
  }

  UCollator* collator_;
  UCollationElements* iterator_;
};

struct UnicodeTable {
  std::array<std::atomic<const Page*>, kPages> pages{};
  std::mutex building;
  std::unique_ptr<PageBuilder> builder;
};

UnicodeTable& Table() {
  static UnicodeTable* table = new UnicodeTable;  // never destroyed: threads may outlive statics
  return *table;
}

const Page& GetPage(size_t number) {
  UnicodeTable& table = Table();
  const Page* page = table.pages[number].load(std::memory_order_acquire);
  if (page == nullptr) [[unlikely]] {
    std::lock_guard lock(table.building);
    page = table.pages[number].load(std::memory_order_acquire);
    if (page == nullptr) {
      if (table.builder == nullptr) {
        table.builder = std::make_unique<PageBuilder>();
      }
      page = table.builder->Build(number).release();
      table.pages[number].store(page, std::memory_order_release);
    }
  }
  return *page;
}

// UTF-8 bytes of a character, left-aligned: numeric order is code point order. Control characters
// get a lead byte of their own so that U+0000 has a weight.
uint32_t CodePointWeight(char32_t c) {
  if (c < 0x20) {
    return 0x01000000U | (c + 1) << 16;
  }
  if (c < 0x80) {
    return c << 24;
  }
  if (c < 0x800) {
    return (0xC0 | c >> 6) << 24 | (0x80 | (c & 0x3F)) << 16;
  }
  if (c < 0x10000) {
    return (0xE0 | c >> 12) << 24 | (0x80 | (c >> 6 & 0x3F)) << 16 | (0x80 | (c & 0x3F)) << 8;
  }
  return (0xF0 | c >> 18) << 24 | (0x80 | (c >> 12 & 0x3F)) << 16 | (0x80 | (c >> 6 & 0x3F)) << 8 |
         (0x80 | (c & 0x3F));
}

// general_ci: upper case, then the bare letter of accented Latin and Greek ones (and of the two
// Cyrillic letters with a diaeresis or grave that MySQL folds).
char32_t GeneralFold(char32_t c) {
  if (c == 0xDF) {
    return 'S';
  }
  char32_t upper = static_cast<char32_t>(u_toupper(static_cast<UChar32>(c)));
  bool folds = upper < 0x0370 || (upper >= 0x0370 && upper <= 0x03FF) || upper == 0x0400 ||
               upper == 0x0401 || upper == 0x0407 || (upper >= 0x1E00 && upper <= 0x1FFF);
  if (!folds) {
    return upper;
  }
  UErrorCode error = U_ZERO_ERROR;
  const UNormalizer2* nfd = unorm2_getNFDInstance(&error);
  UChar decomposed[32];
  int32_t size = U_SUCCESS(error) ? unorm2_getDecomposition(nfd, static_cast<UChar32>(upper),
                                                            decomposed, 32, &error)
                                  : -1;
  if (U_FAILURE(error) || size <= 1) {
    return upper;
  }
  for (int32_t i = 1; i < size; ++i) {
    if (u_charType(decomposed[i]) != U_NON_SPACING_MARK) {
      return upper;
    }
  }
  return static_cast<char32_t>(u_toupper(decomposed[0]));
}

uint32_t GeneralWeight(char32_t c) {
  static const std::vector<uint32_t>* table = [] {
    auto* weights = new std::vector<uint32_t>(0x10000);
    for (char32_t i = 0; i < 0x10000; ++i) {
      (*weights)[i] = CodePointWeight(GeneralFold(i));
    }
    return weights;
  }();
  return c < 0x10000 ? (*table)[c] : CodePointWeight(0xFFFD);
}

// Letters C0..FF of latin1_swedish_ci: Å, Ä, Ö after Z, Ü as Y.
constexpr uint8_t kSwedish[64] = {
    65, 65, 65, 65, 92, 91, 92, 67,  69,  69, 69, 69, 73, 73, 73,  73,   // À..Ï
    68, 78, 79, 79, 79, 79, 93, 215, 216, 85, 85, 85, 89, 89, 222, 223,  // Ð..ß
    65, 65, 65, 65, 92, 91, 92, 67,  69,  69, 69, 69, 73, 73, 73,  73,   // à..ï
    68, 78, 79, 79, 79, 79, 93, 247, 216, 85, 85, 85, 89, 89, 222, 255,  // ð..ÿ
};

constexpr uint32_t kNotInSet = 0xFFFE0000U;

// The byte of a character beyond ASCII; false when latin1 does not have it.
bool Latin1Byte(char32_t c, uint8_t* byte) {
  std::string text;
  AppendChar(&text, c);
  *byte = static_cast<uint8_t>(GetCharset(CharsetId::kLatin1).Encode(text)[0]);
  return *byte != '?';
}

uint32_t SwedishWeight(char32_t c) {
  if (c < 0x80) {
    return CodePointWeight(c >= 'a' && c <= 'z' ? c - 32 : c);
  }
  uint8_t byte;
  if (!Latin1Byte(c, &byte)) {
    return kNotInSet;
  }
  return static_cast<uint32_t>(byte >= 0xC0 ? kSwedish[byte - 0xC0] : byte) << 24;
}

template <CollationId collation>
uint32_t WeightInLatin1(char32_t c) {
  uint8_t byte = static_cast<uint8_t>(c);
  if (c >= 0x80 && !Latin1Byte(c, &byte)) {
    return kNotInSet;
  }
  const uint8_t weight = Latin1Weight(collation, byte);
  return weight < 0x20 ? CodePointWeight(weight) : static_cast<uint32_t>(weight) << 24;
}

uint32_t AsciiWeight(char32_t c) {
  return CodePointWeight(c >= 'a' && c <= 'z' ? c - 32 : c);
}

Weigher MakeSimple(uint32_t (*weight)(char32_t)) {
  Weigher weigher{Collation::Rule::kSimple, {}, 0, weight};
  for (char32_t c = 0; c < 128; ++c) {
    weigher.ascii[c] = weight(c);
  }
  weigher.space = weigher.ascii[' '];
  return weigher;
}

// Whether Unicode 5.2 had the character.
bool InUnicode520(char32_t c) {
  UVersionInfo age;
  u_charAge(static_cast<UChar32>(c), age);
  return age[0] != 0 && (age[0] < 5 || (age[0] == 5 && age[1] <= 2));
}

// The implicit primary of a character that has no weight of its own: after all that have one, by
// code point. It is ICU's for code points that are not assigned, so no other character has it.
uint32_t ImplicitWeight(char32_t c) {
  uint32_t rest = c + 1;
  uint32_t weight = 2 + rest % 18 * 14;
  rest /= 18;
  weight |= (2 + rest % 254) << 8;
  rest /= 254;
  return 0xFE000000U | (4 + rest % 251) << 16 | weight;
}

Weigher MakeUnicode(Collation::Rule rule, bool unicode_520 = false) {
  Weigher weigher{rule, {}, 0, nullptr, unicode_520};
  for (char32_t c = 0; c < 128; ++c) {
    std::span<const WeightElement> elements = UnicodeElements(c);
    INVARIANT(elements.size() <= 1);  // PrimaryCursor's ASCII path takes one weight each
    weigher.ascii[c] = elements.empty() ? 0 : elements[0].primary;
  }
  weigher.space = weigher.ascii[' '];
  return weigher;
}

}  // namespace

std::span<const WeightElement> UnicodeElements(char32_t c) {
  if (c > 0x10FFFF) {
    return {};
  }
  const Page& page = GetPage(c / kPageChars);
  uint32_t start = page.start[c % kPageChars];
  return {page.elements.data() + start, page.start[c % kPageChars + 1] - start};
}

const Weigher& WeigherOf(const Collation& collation) {
  static const Weigher* general = new Weigher(MakeSimple(GeneralWeight));
  static const Weigher* swedish = new Weigher(MakeSimple(SwedishWeight));
  static const Weigher* german1 = new Weigher(MakeSimple(WeightInLatin1<kLatin1German1Ci>));
  static const Weigher* danish = new Weigher(MakeSimple(WeightInLatin1<kLatin1DanishCi>));
  static const Weigher* general_latin1 = new Weigher(MakeSimple(WeightInLatin1<kLatin1GeneralCi>));
  static const Weigher* general_latin1_cs =
      new Weigher(MakeSimple(WeightInLatin1<kLatin1GeneralCs>));
  static const Weigher* spanish = new Weigher(MakeSimple(WeightInLatin1<kLatin1SpanishCi>));
  static const Weigher* ascii = new Weigher(MakeSimple(AsciiWeight));
  static const Weigher* primary = new Weigher(MakeUnicode(Collation::Rule::kUcaPrimary));
  static const Weigher* secondary = new Weigher(MakeUnicode(Collation::Rule::kUcaSecondary));
  static const Weigher* tertiary = new Weigher(MakeUnicode(Collation::Rule::kUcaTertiary));
  static const Weigher* unicode_520 = new Weigher(MakeUnicode(Collation::Rule::kUcaPrimary, true));
  switch (collation.rule()) {
    case Collation::Rule::kUcaPrimary:
      return collation.id() == kUtf8mb4Unicode520Ci || collation.id() == kUtf8mb3Unicode520Ci
                 ? *unicode_520
                 : *primary;
    case Collation::Rule::kUcaSecondary:
      return *secondary;
    case Collation::Rule::kUcaTertiary:
      return *tertiary;
    case Collation::Rule::kSimple:
      switch (collation.id()) {
        case kLatin1SwedishCi:
          return *swedish;
        case kLatin1German1Ci:
          return *german1;
        case kLatin1DanishCi:
          return *danish;
        case kLatin1GeneralCi:
          return *general_latin1;
        case kLatin1GeneralCs:
          return *general_latin1_cs;
        case kLatin1SpanishCi:
          return *spanish;
        case kAsciiGeneralCi:
          return *ascii;
        default:
          return *general;
      }
    case Collation::Rule::kBytes:
      break;
  }
  INVARIANT(false && "bytewise collations have no weights");
  return *general;
}

void PrimaryCursor::Slow(uint32_t* weight) {
  size_t size;
  char32_t c = DecodeChar(text_, pos_, &size);
  if (c == kBadChar) {
    *weight = BadByteWeight(text_[pos_]);
  } else if (weigher_.rule == Collation::Rule::kSimple) {
    *weight = weigher_.simple(c);
  } else if (weigher_.unicode_520 && !InUnicode520(c)) {
    *weight = ImplicitWeight(c);
  } else {
    elements_ = UnicodeElements(c);
    element_ = 0;
    *weight = 0;  // the elements follow
  }
  pos_ += size;
}

}  // namespace borealis::row
