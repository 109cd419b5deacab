// Statements of a client become UTF-8, and the place in them is kept in the client's bytes.
#include "server/session/client_text.h"

namespace borealis::server {
namespace {

using row::CharsetId;

TEST(ClientTextTest, Utf8IsHandedOnUnchanged) {
  const std::string malformed = "SELECT '\xE9'; SELECT 'é'";
  for (const CharsetId charset :
       {CharsetId::kUtf8mb4, CharsetId::kUtf8mb3, CharsetId::kAscii, CharsetId::kBinary}) {
    ClientText text(malformed);
    EXPECT_EQ(text.Rest(charset), malformed);
    text.Skip(11);
    EXPECT_EQ(text.Rest(charset), " SELECT 'é'");
    text.Skip(12);
    EXPECT_TRUE(text.at_end());
  }
}

TEST(ClientTextTest, Latin1IsReadAsCp1252) {
  ClientText text("'\xE9\x80'; '\xFC'");
  EXPECT_EQ(text.Rest(CharsetId::kLatin1), "'é€'; 'ü'");
  text.Skip(8);
  EXPECT_FALSE(text.at_end());
  EXPECT_EQ(text.Rest(CharsetId::kLatin1), " 'ü'");
  text.Skip(5);
  EXPECT_TRUE(text.at_end());
}

TEST(ClientTextTest, AStatementMayChangeTheCharacterSetOfTheNext) {
  ClientText text("'\xE9';'\xC3\xA9';'\xC3\xA9'");
  EXPECT_EQ(text.Rest(CharsetId::kLatin1).substr(0, 5), "'é';");
  text.Skip(5);
  EXPECT_EQ(text.Rest(CharsetId::kUtf8mb4), "'é';'é'");
  text.Skip(5);
  EXPECT_EQ(text.Rest(CharsetId::kLatin1), "'Ã©'");
  text.Skip(6);
  EXPECT_TRUE(text.at_end());
}

TEST(ClientTextTest, NamesOfALatin1ClientAreRead) {
  EXPECT_EQ(FromClient("d\xE9", CharsetId::kLatin1), "dé");
  EXPECT_EQ(FromClient("d\xC3\xA9", CharsetId::kUtf8mb4), "dé");
}

}  // namespace
}  // namespace borealis::server
