#include "volume/quorum.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <functional>

#include "base/invariant.h"

namespace borealis {

QuorumExpression QuorumExpression::AtLeast(int count, SegmentSet members) {
  return AtLeast(count, members, {});
}

QuorumExpression QuorumExpression::AtLeast(int count, SegmentSet members,
                                           std::vector<QuorumExpression> operands) {
  INVARIANT_GT(count, 0);
  INVARIANT_LE(static_cast<size_t>(count),
               static_cast<size_t>(std::popcount(members)) + operands.size());
  QuorumExpression expression;
  expression.count_ = count;
  expression.members_ = members;
  expression.operands_ = std::move(operands);
  return expression;
}

QuorumExpression QuorumExpression::And(QuorumExpression a, QuorumExpression b) {
  return AtLeast(2, 0, {std::move(a), std::move(b)});
}

QuorumExpression QuorumExpression::Or(QuorumExpression a, QuorumExpression b) {
  return AtLeast(1, 0, {std::move(a), std::move(b)});
}

bool QuorumExpression::SatisfiedBy(SegmentSet segments) const {
  int satisfied = std::popcount(segments & members_);
  for (const QuorumExpression& operand : operands_) {
    satisfied += operand.SatisfiedBy(segments) ? 1 : 0;
  }
  return satisfied >= count_;
}

SegmentSet QuorumExpression::Members() const {
  SegmentSet members = members_;
  for (const QuorumExpression& operand : operands_) {
    members |= operand.Members();
  }
  return members;
}

Lsn QuorumExpression::HighestReached(std::span<const Lsn> reached) const {
  // At least `count` of them have reached x exactly when x is at or under the count-th highest.
  std::array<Lsn, 2 * kSlotsMax> values;
  size_t size = 0;
  for (SegmentSet left = members_; left != 0; left &= left - 1) {
    const auto slot = static_cast<size_t>(std::countr_zero(left));
    values[size++] = slot < reached.size() ? reached[slot] : Lsn(0);
  }
  for (const QuorumExpression& operand : operands_) {
    INVARIANT_LT(size, values.size());
    values[size++] = operand.HighestReached(reached);
  }
  const auto wanted = values.begin() + (count_ - 1);
  std::nth_element(values.begin(), wanted, values.begin() + size, std::greater<>());
  return *wanted;
}

std::string QuorumExpression::ToString() const {
  std::string parts;
  for (SegmentSet left = members_; left != 0; left &= left - 1) {
    parts += fmt::format("{}{}", parts.empty() ? "" : ",", std::countr_zero(left));
  }
  for (const QuorumExpression& operand : operands_) {
    parts += fmt::format("{}{}", parts.empty() ? "" : ",", operand.ToString());
  }
  return fmt::format("{} of {{{}}}", count_, parts);
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
