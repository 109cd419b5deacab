// Quorums as data: an expression over the segments of a protection group.
//
// A segment is a bit (its slot) of a SegmentSet. The rules every configuration must meet, and that
// tests prove by enumerating all subsets:
// INV-QUO-1  Every read quorum meets every write quorum.
// INV-QUO-2  Every two write quorums meet, also across one membership change.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/types.h"

namespace borealis {

// Bit i is the segment in slot i. At most 64 segments take part in one expression.
using SegmentSet = uint64_t;

class QuorumExpression {
 public:
  // At least `count` of `members`.
  static QuorumExpression AtLeast(int count, SegmentSet members);
  static QuorumExpression And(QuorumExpression a, QuorumExpression b);
  static QuorumExpression Or(QuorumExpression a, QuorumExpression b);

  bool SatisfiedBy(SegmentSet segments) const;
  // All segments the expression mentions.
  SegmentSet Members() const;
  // The highest LSN such that the segments that have reached it satisfy the expression; Lsn(0) when
  // none does. `reached[slot]` is each segment's LSN.
  Lsn HighestReached(std::span<const Lsn> reached) const;
  // "4 of {0,1,2,3,4,5}".
  std::string ToString() const;

 private:
  enum class Kind : uint8_t { kAtLeast, kAnd, kOr };
  Kind kind_ = Kind::kAtLeast;
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
