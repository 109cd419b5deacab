// Collations: order of keys is order of comparison for every collation, and MySQL's known answers.
#include "row/collation.h"

#include <gtest/gtest.h>

#include "base/os/random.h"

namespace borealis::row {
namespace {

int Sign(int x) {
  return (x > 0) - (x < 0);
}

const Collation& Named(std::string_view name) {
  const Collation* collation = FindCollation(name);
  EXPECT_NE(collation, nullptr) << name;
  return *collation;
}

// Text that provokes: spaces, controls, case, accents, expansions, ignorables, malformed bytes.
std::string RandomText(Random& random) {
  static const char* kPieces[] = {
      "a", "A",      "b",      "B",      " ",    "  ",      "\t",       "\n",   "z",
      "Z", "1",      "-",      "é",      "É",    "e\u0301", "ß",        "ss",   "æ",
      "Å", "ä",      "ñ",      "n",      "я",    "Ё",       "日",       "本",   "한",
      "😀", "\u00AD", "\u200B", "\x01",   "\x80", "\xC3",    "\xE4\xB8", "\xFF", "!",
      "_", "~",      "\u00A0", "\u3000", "ﬁ",    "\uFFFF"};
  std::string text;
  for (uint64_t n = random.Below(7); n > 0; --n) {
    text += kPieces[random.Below(std::size(kPieces))];
  }
  if (random.Chance(0.1)) {
    text.push_back('\0');
  }
  return text;
}

TEST(CollationTest, KeyOrderIsCompareOrder) {  // INV-ROW-2, INV-ROW-3
  Random random(1);
  for (const Collation& collation : AllCollations()) {
    std::vector<std::string> texts;
    for (int i = 0; i < 300; ++i) {
      texts.push_back(RandomText(random));
    }
    for (int i = 0; i < 20000; ++i) {
      const std::string& a = texts[random.Below(texts.size())];
      std::string b = texts[random.Below(texts.size())];
      if (random.Chance(0.3)) {
        b = a + b;  // long common prefixes
      }
      int order = Sign(collation.Compare(a, b));
      ASSERT_EQ(order, Sign(collation.SortKey(a).compare(collation.SortKey(b))))
          << collation.name() << " '" << a << "' '" << b << "'";
      ASSERT_EQ(order, -Sign(collation.Compare(b, a))) << collation.name();
      ASSERT_EQ(order == 0, collation.Equal(a, b));
      if (order == 0) {
        ASSERT_EQ(collation.Hash(a), collation.Hash(b)) << collation.name();
      }
    }
  }
}

TEST(CollationTest, AsciiPathAgreesWithTheSlowOne) {
  // The same letters behind a character that leaves the ASCII path must order the same way.
  for (const Collation& collation : AllCollations()) {
    if (collation.charset().id != CharsetId::kUtf8mb4) {
      continue;
    }
    for (int a = 1; a < 128; ++a) {
      for (int b = 1; b < 128; ++b) {
        std::string x(1, static_cast<char>(a));
        std::string y(1, static_cast<char>(b));
        ASSERT_EQ(Sign(collation.Compare(x, y)), Sign(collation.Compare("日" + x, "日" + y)))
            << collation.name() << a << " " << b;
      }
    }
  }
}

TEST(CollationTest, KnownAnswers) {
  struct Case {
    const char* collation;
    const char* a;
    const char* b;
    int order;
  };
  for (Case c : {Case{"utf8mb4_0900_ai_ci", "a", "A", 0},
                 {"utf8mb4_0900_ai_ci", "é", "E", 0},
                 {"utf8mb4_0900_ai_ci", "ß", "ss", 0},
                 {"utf8mb4_0900_ai_ci", "a", "a ", -1},
                 {"utf8mb4_0900_ai_ci", "a", "B", -1},
                 {"utf8mb4_0900_ai_ci", "_", "a", -1},
                 {"utf8mb4_0900_ai_ci", "9", "a", -1},
                 {"utf8mb4_0900_as_cs", "a", "A", -1},
                 {"utf8mb4_0900_as_cs", "é", "e", 1},
                 {"utf8mb4_0900_as_cs", "é", "f", -1},
                 {"utf8mb4_0900_as_ci", "e", "E", 0},
                 {"utf8mb4_0900_as_ci", "e", "é", -1},
                 {"utf8mb4_0900_bin", "a", "a ", -1},
                 {"utf8mb4_0900_bin", "A", "a", -1},
                 {"utf8mb4_bin", "a", "a  ", 0},
                 {"utf8mb4_bin", "a", "a\t", 1},
                 {"utf8mb4_general_ci", "a ", "A", 0},
                 {"utf8mb4_general_ci", "ß", "s", 0},
                 {"utf8mb4_general_ci", "é", "e", 0},
                 {"utf8mb4_general_ci", "ё", "е", 0},
                 {"utf8mb4_general_ci", "й", "и", 1},
                 {"utf8mb4_general_ci", "😀", "😁", 0},
                 {"utf8mb4_unicode_ci", "a", "a ", 0},
                 {"utf8mb4_unicode_ci", "ß", "ss", 0},
                 {"utf8mb4_unicode_520_ci", "a", "Á ", 0},
                 {"utf8mb4_unicode_520_ci", "😀", "z", 1},
                 {"utf8mb4_unicode_520_ci", "😀", "😁", -1},
                 {"latin1_swedish_ci", "ä", "z", 1},
                 {"latin1_swedish_ci", "ü", "y", 0},
                 {"latin1_swedish_ci", "é", "E", 0},
                 {"binary", "a", "a ", -1}}) {
    EXPECT_EQ(Sign(Named(c.collation).Compare(c.a, c.b)), c.order)
        << c.collation << " " << c.a << " " << c.b;
  }
}

TEST(CollationTest, LooksUpByNameAndNumber) {
  EXPECT_EQ(Named("UTF8MB4_0900_AI_CI").id(), 255);
  EXPECT_EQ(Named("utf8_general_ci").id(), 33);
  EXPECT_EQ(FindCollation("klingon_ci"), nullptr);
  EXPECT_EQ(FindCollation(static_cast<CollationId>(9999)), nullptr);
  EXPECT_EQ(FindCollation(CollationId{46})->name(), "utf8mb4_bin");
  EXPECT_EQ(FindCharset("utf8")->name, "utf8mb3");
  for (const Charset& charset : AllCharsets()) {
    EXPECT_EQ(GetCollation(charset.default_collation).charset().id, charset.id);
    EXPECT_TRUE(GetCollation(charset.default_collation).is_default());
  }
}

TEST(CollationTest, LikeMatches) {
  const Collation& ci = GetCollation(kUtf8mb4_0900AiCi);
  struct Case {
    const char* text;
    const char* pattern;
    bool matches;
  };
  for (Case c : {Case{"abc", "abc", true}, {"abc", "ABC", true},
                 {"abc", "a%", true},      {"abc", "%c", true},
                 {"abc", "%b%", true},     {"abc", "a_c", true},
                 {"abc", "a_", false},     {"", "%", true},
                 {"", "_", false},         {"", "", true},
                 {"a%c", "a\\%c", true},   {"abc", "a\\%c", false},
                 {"a_c", "a\\_c", true},   {"aébc", "a_bc", true},
                 {"é", "E", true},         {"日本", "_本", true},
                 {"abcabc", "%abc", true}, {"aaaaaaaaab", "%a%a%b", true},
                 {"abc ", "abc", false},   {"a\\", "a\\\\", true},
                 {"ab", "a%%b%", true},    {"mississippi", "m%iss%pi", true}}) {
    EXPECT_EQ(ci.Like(c.text, c.pattern, '\\'), c.matches) << c.text << " LIKE " << c.pattern;
  }
  EXPECT_FALSE(GetCollation(kUtf8mb4Bin).Like("abc", "ABC", '\\'));
  EXPECT_TRUE(GetCollation(kBinaryCollation).Like("\xC3\xA9", "__", '\\'));
  EXPECT_TRUE(ci.Like("50%", "50|%", U'|'));
}

TEST(CollationTest, FindsByWeights) {
  const Collation& ci = GetCollation(kUtf8mb4_0900AiCi);
  size_t size = 0;
  EXPECT_EQ(ci.Find("xÉy", "e", 0, &size), 1U);
  EXPECT_EQ(size, 2U);
  EXPECT_EQ(ci.Find("abcABC", "abc", 1), 3U);
  EXPECT_EQ(GetCollation(kUtf8mb4Bin).Find("abcABC", "ABC", 0), 3U);
  EXPECT_EQ(ci.Find("abc", "z", 0), std::string_view::npos);
  EXPECT_EQ(ci.Find("abc", "", 3), 3U);
  EXPECT_EQ(ci.Find("abc", "", 4), std::string_view::npos);
}

TEST(CharsetTest, CountsFoldsAndChecks) {
  EXPECT_EQ(CharCount("aé日😀"), 4U);
  EXPECT_EQ(OffsetOfChar("aé日😀", 2), 3U);
  EXPECT_EQ(OffsetOfChar("ab", 9), 2U);
  EXPECT_EQ(UpperText("aéßя"), "AÉßЯ");
  EXPECT_EQ(LowerText("AÉЯ"), "aéя");
  EXPECT_EQ(ValidUtf8Prefix("ab\xF0\x9F"), 2U);
  EXPECT_EQ(ValidUtf8Prefix("\xC0\x80"), 0U);      // overlong
  EXPECT_EQ(ValidUtf8Prefix("\xED\xA0\x80"), 0U);  // surrogate
  EXPECT_EQ(GetCharset(CharsetId::kUtf8mb3).ValidPrefix("é😀"), 2U);
  EXPECT_EQ(GetCharset(CharsetId::kLatin1).ValidPrefix("é€日"), 5U);
  EXPECT_EQ(GetCharset(CharsetId::kLatin1).Encode("é€日"), "\xE9\x80?");
  EXPECT_EQ(GetCharset(CharsetId::kLatin1).Decode("\xE9\x80"), "é€");
}

}  // namespace
}  // namespace borealis::row
