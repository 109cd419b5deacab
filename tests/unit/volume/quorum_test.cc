// Quorum expressions, proved by enumerating every subset of segments.
#include "volume/quorum.h"

#include "base/os/random.h"

namespace borealis {
namespace {

constexpr SegmentSet kAllSets = 1 << 6;

TEST(QuorumTest, ReadAndWriteQuorumsOfSixMeet) {  // INV-QUO-1, INV-QUO-2
  const QuorumPair quorums = SixWayQuorums();
  for (SegmentSet a = 0; a < kAllSets; ++a) {
    for (SegmentSet b = 0; b < kAllSets; ++b) {
      if (quorums.write.SatisfiedBy(a) &&
          (quorums.read.SatisfiedBy(b) || quorums.write.SatisfiedBy(b))) {
        EXPECT_NE(a & b, 0U);
      }
    }
  }
}

TEST(QuorumTest, SurvivesAnAzForWritesAndOneMoreForReads) {
  const QuorumPair quorums = SixWayQuorums();
  for (int az = 0; az < 3; ++az) {
    const SegmentSet left = 0b111111 & ~(SegmentSet{0b11} << (2 * az));
    EXPECT_TRUE(quorums.write.SatisfiedBy(left));
    for (int slot = 0; slot < 6; ++slot) {
      EXPECT_TRUE(quorums.read.SatisfiedBy(left & ~(SegmentSet{1} << slot)));
    }
  }
}

TEST(QuorumTest, HighestReachedIsTheFourthHighest) {
  const std::vector<Lsn> reached = {Lsn(5), Lsn(60), Lsn(10), Lsn(40), Lsn(30), Lsn(20)};
  EXPECT_EQ(SixWayQuorums().write.HighestReached(reached), Lsn(20));
}

TEST(QuorumTest, RecoveryKeepsWhatMayHaveReachedAQuorum) {
  // Three answers: the maximum; four: the second highest; six: the fourth.
  const std::vector<Lsn> reached = {Lsn(50), Lsn(40), Lsn(30), Lsn(20), Lsn(10), Lsn(5)};
  const QuorumExpression write = SixWayQuorums().write;
  EXPECT_EQ(HighestPossiblyWritten(write, 0b000111, reached), Lsn(50));
  EXPECT_EQ(HighestPossiblyWritten(write, 0b001111, reached), Lsn(40));
  EXPECT_EQ(HighestPossiblyWritten(write, 0b111111, reached), Lsn(20));
}

TEST(QuorumTest, TransitionalQuorumNeedsBothSets) {
  // ABCDEF while F (5) is replaced by G (6).
  const QuorumExpression both = QuorumExpression::And(QuorumExpression::AtLeast(4, 0b0111111),
                                                      QuorumExpression::AtLeast(4, 0b1011111));
  EXPECT_TRUE(both.SatisfiedBy(0b0001111));
  EXPECT_FALSE(both.SatisfiedBy(0b0100111));
  EXPECT_TRUE(both.SatisfiedBy(0b1100111));
  EXPECT_EQ(both.Members(), 0b1111111U);
  EXPECT_EQ(both.ToString(), "2 of {4 of {0,1,2,3,4,5},4 of {0,1,2,3,4,6}}");
}

TEST(QuorumTest, ThreeFullAndThreeLogOnlySegments) {
  // Full: 0, 2, 4. Four of any six or all three full to write; three with a full one to read.
  const QuorumExpression write = QuorumExpression::Or(QuorumExpression::AtLeast(4, 0b111111),
                                                      QuorumExpression::AtLeast(3, 0b010101));
  const QuorumExpression read = QuorumExpression::And(QuorumExpression::AtLeast(3, 0b111111),
                                                      QuorumExpression::AtLeast(1, 0b010101));
  for (SegmentSet a = 0; a < kAllSets; ++a) {
    for (SegmentSet b = 0; b < kAllSets; ++b) {
      if (write.SatisfiedBy(a) && (read.SatisfiedBy(b) || write.SatisfiedBy(b))) {
        EXPECT_NE(a & b, 0U);
      }
    }
  }
}

TEST(QuorumTest, HighestReachedAgreesWithItsDefinition) {
  Random random(7);
  const QuorumExpression expression = QuorumExpression::AtLeast(
      4, 0b001111,
      {QuorumExpression::AtLeast(2, 0b01010000), QuorumExpression::AtLeast(2, 0b10100000)});
  for (int round = 0; round < 2000; ++round) {
    std::vector<Lsn> reached(8);
    for (Lsn& lsn : reached) {
      lsn = Lsn(random.Below(6));
    }
    Lsn expected;
    for (uint64_t level = 0; level < 6; ++level) {
      SegmentSet have = 0;
      for (size_t slot = 0; slot < reached.size(); ++slot) {
        have |= reached[slot] >= Lsn(level) ? SegmentBit(slot) : 0;
      }
      expected = expression.SatisfiedBy(have) ? Lsn(level) : expected;
    }
    EXPECT_EQ(expression.HighestReached(reached), expected);
  }
}

}  // namespace
}  // namespace borealis
