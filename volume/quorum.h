// Quorums as data: an expression over the segments of a protection group.
//
// An expression is "at least k of these", where each of these is a segment or an expression again:
// four of six, (three of three full) or (four of six), and, while a segment is replaced, four of
// {A, B, C, D, E, (F and G)}. A segment is a bit (its node's slot) of a SegmentSet. The rules every
// configuration must meet, and that tests prove by enumerating all subsets:
// INV-QUO-1  Every read quorum meets every write quorum.
// INV-QUO-2  Every two write quorums meet, also across one membership change.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/types.h"

namespace borealis {

// Bit i is the segment on the node in slot i. At most 64 nodes take part in one expression.
using SegmentSet = uint64_t;
inline constexpr size_t kSlotsMax = 64;
constexpr SegmentSet SegmentBit(size_t slot) {
  return SegmentSet{1} << slot;
}

class QuorumExpression {
 public:
  // At least `count` of the segments in `members`.
  static QuorumExpression AtLeast(int count, SegmentSet members);
  // At least `count` of the segments in `members` and of the `operands`, taken together.
  static QuorumExpression AtLeast(int count, SegmentSet members,
                                  std::vector<QuorumExpression> operands);
  static QuorumExpression And(QuorumExpression a, QuorumExpression b);
  static QuorumExpression Or(QuorumExpression a, QuorumExpression b);

  bool SatisfiedBy(SegmentSet segments) const;
  // All segments the expression mentions.
  SegmentSet Members() const;
  // The highest LSN such that the segments that have reached it satisfy the expression; Lsn(0) when
  // none does. `reached[slot]` is each segment's LSN; slots beyond its end have reached nothing.
  Lsn HighestReached(std::span<const Lsn> reached) const;
  // "4 of {0,1,2,3,4,2 of {5,6}}".
  std::string ToString() const;

 private:
  int count_ = 0;
  SegmentSet members_ = 0;
  std::vector<QuorumExpression> operands_;
};

// The two quorums of a protection group.
struct QuorumPair {
  QuorumExpression write;
  QuorumExpression read;
};
// Four of six to write, three of six to read, over slots 0..5.
QuorumPair SixWayQuorums();

// What recovery must keep: the highest LSN that may have reached a write quorum, given the LSNs of
// the segments that answered (`answered` marks them); those that did not are taken to have it all.
Lsn HighestPossiblyWritten(const QuorumExpression& write, SegmentSet answered,
                           std::span<const Lsn> reached);

}  // namespace borealis
