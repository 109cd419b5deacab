// base/: codecs, checksums, statuses, latch ranks.
#include "base/coding.h"
#include "base/crc32c.h"
#include "base/mutex.h"
#include "base/mysql_error.h"
#include "base/os/random.h"
#include "base/result.h"
#include "base/types.h"

namespace borealis {
namespace {

TEST(Crc32cTest, MatchesPublishedVectors) {
  EXPECT_EQ(Crc32c("123456789"), 0xE3069283U);            // RFC 3720 B.4 check value
  EXPECT_EQ(Crc32c(std::string(32, '\0')), 0x8A9136AAU);  // RFC 3720 B.4
}

TEST(Crc32cTest, ContinuesFromSeed) {
  EXPECT_EQ(Crc32c("6789", Crc32c("12345")), Crc32c("123456789"));
}

TEST(CodingTest, VarintRoundTripsAtEveryWidth) {
  for (int bit = 0; bit < 64; ++bit) {
    for (uint64_t value : {(uint64_t{1} << bit) - 1, uint64_t{1} << bit}) {
      std::string bytes;
      AppendVarint(&bytes, value);
      ByteReader reader(bytes);
      EXPECT_EQ(reader.Varint(), value);
      EXPECT_TRUE(reader.ok());
      EXPECT_TRUE(reader.empty());
    }
  }
}

TEST(CodingTest, ShortInputFailsAndStaysFailed) {
  ByteReader reader("\x01\x02\x03");
  EXPECT_EQ(reader.Little<uint32_t>(), 0U);
  EXPECT_FALSE(reader.ok());
  EXPECT_EQ(reader.Little<uint8_t>(), 0U);
}

TEST(CodingTest, SizedLongerThanInputFails) {
  std::string bytes;
  AppendVarint(&bytes, uint64_t{1} << 60);
  ByteReader reader(bytes);
  EXPECT_TRUE(reader.Sized().empty());
  EXPECT_FALSE(reader.ok());
}

TEST(StatusTest, UserErrorKeepsMysqlWording) {
  Status status = UserError(ER_NO_SUCH_TABLE, "shop", "users");
  EXPECT_EQ(status.user_errno(), 1146);
  EXPECT_EQ(status.message(), "Table 'shop.users' doesn't exist");
  EXPECT_EQ(SqlStateOf(1146), "42S02");
  Status annotated = std::move(status).Annotate("bind");
  EXPECT_EQ(annotated.message(), "Table 'shop.users' doesn't exist");
}

TEST(StatusTest, AnnotationReadsOutermostFirst) {
  Status status = Status::TimedOut("quorum read").Annotate("read page 7");
  EXPECT_EQ(status.ToString(), "timed out: read page 7: quorum read");
}

TEST(RandomTest, SameSeedSameSequence) {
  Random a(7);
  Random b(7);
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(a.Next(), b.Next());
    EXPECT_LT(a.Below(10), 10U);
    b.Below(10);
  }
}

TEST(MutexDeathTest, RankDisorderAborts) {
#if !defined(NDEBUG) || defined(BOREALIS_SANITIZED)
  Mutex outer(LockRank::kTree);
  Mutex inner(LockRank::kPage);
  EXPECT_DEATH(
      {
        MutexLock a(inner);
        MutexLock b(outer);
      },
      "invariant failed");
#endif
}

}  // namespace
}  // namespace borealis
