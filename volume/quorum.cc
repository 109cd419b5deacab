#include "volume/quorum.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "base/invariant.h"

namespace borealis {

QuorumExpression QuorumExpression::AtLeast(int count, SegmentSet members) {
  INVARIANT_GT(count, 0);
  INVARIANT_LE(count, std::popcount(members));
  QuorumExpression expression;
  expression.count_ = count;
  expression.members_ = members;
  return expression;
}

QuorumExpression QuorumExpression::And(QuorumExpression a, QuorumExpression b) {
  QuorumExpression expression;
  expression.kind_ = Kind::kAnd;
  expression.operands_ = {std::move(a), std::move(b)};
  return expression;
}

QuorumExpression QuorumExpression::Or(QuorumExpression a, QuorumExpression b) {
  QuorumExpression expression;
  expression.kind_ = Kind::kOr;
  expression.operands_ = {std::move(a), std::move(b)};
  return expression;
}

bool QuorumExpression::SatisfiedBy(SegmentSet segments) const {
  switch (kind_) {
    case Kind::kAtLeast:
      return std::popcount(segments & members_) >= count_;
    case Kind::kAnd:
      return operands_[0].SatisfiedBy(segments) && operands_[1].SatisfiedBy(segments);
    case Kind::kOr:
      return operands_[0].SatisfiedBy(segments) || operands_[1].SatisfiedBy(segments);
  }
  return false;
}

SegmentSet QuorumExpression::Members() const {
  SegmentSet members = members_;
  for (const QuorumExpression& operand : operands_) {
    members |= operand.Members();
  }
  return members;
}

Lsn QuorumExpression::HighestReached(std::span<const Lsn> reached) const {
  std::vector<Lsn> candidates(reached.begin(), reached.end());
  std::sort(candidates.rbegin(), candidates.rend());
  for (Lsn candidate : candidates) {
    SegmentSet have = 0;
    for (size_t slot = 0; slot < reached.size(); ++slot) {
      have |= reached[slot] >= candidate ? SegmentSet{1} << slot : 0;
    }
    if (SatisfiedBy(have)) {
      return candidate;
    }
  }
  return Lsn(0);
}

std::string QuorumExpression::ToString() const {
  if (kind_ != Kind::kAtLeast) {
    return fmt::format("({} {} {})", operands_[0].ToString(), kind_ == Kind::kAnd ? "and" : "or",
                       operands_[1].ToString());
  }
  std::string slots;
  for (int slot = 0; slot < 64; ++slot) {
    if ((members_ >> slot & 1) != 0) {
      slots += fmt::format("{}{}", slots.empty() ? "" : ",", slot);
    }
  }
  return fmt::format("{} of {{{}}}", count_, slots);
}

QuorumPair SixWayQuorums() {
  return {QuorumExpression::AtLeast(4, 0b111111), QuorumExpression::AtLeast(3, 0b111111)};
}

Lsn HighestPossiblyWritten(const QuorumExpression& write, SegmentSet answered,
                           std::span<const Lsn> reached) {
  std::vector<Lsn> assumed(reached.begin(), reached.end());
  for (size_t slot = 0; slot < assumed.size(); ++slot) {
    if ((answered >> slot & 1) == 0) {
      assumed[slot] = Lsn::Max();
    }
  }
  const Lsn highest = write.HighestReached(assumed);
  INVARIANT_NE(highest, Lsn::Max());  // REQUIRES: the answers are a read quorum (INV-QUO-1)
  return highest;
}

}  // namespace borealis
