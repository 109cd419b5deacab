#include "sql/sqlite/key_ranges.h"

#include <utility>

namespace borealis::sql {

namespace {

// A side of a range over one part's bytes.
struct Side {
  std::string bytes;
  bool inclusive = false;
  bool given = false;
};

}  // namespace

Result<bool> AppendEqual(const row::KeyPart& part, const row::Value& value,
                         std::vector<std::string>* prefixes) {
  if (row::SideOfRange(part.type, value) != 0) {
    return false;
  }
  for (std::string& prefix : *prefixes) {
    RETURN_IF_ERROR(row::EncodeKeyPart(part, value, &prefix));
  }
  return true;
}

Status AppendBounds(const row::KeyPart& part, std::span<const RangeBound> bounds,
                    const std::vector<std::string>& prefixes,
                    std::vector<engine::KeyRange>* ranges) {
  using Use = PlanArgument::Use;
  Side low;
  Side high;
  for (const RangeBound& bound : bounds) {
    const bool lower = bound.use == Use::kGreater || bound.use == Use::kGreaterEqual;
    if (const int side = row::SideOfRange(part.type, bound.value); side != 0) {
      if (lower == (side > 0)) {
        return {};  // nothing lies beyond
      }
      continue;  // everything does
    }
    Side& side = lower ? low : high;
    RETURN_IF_ERROR(row::EncodeKeyPart(part, bound.value, &side.bytes));
    side.inclusive = bound.use == Use::kGreaterEqual || bound.use == Use::kLessEqual;
    side.given = true;
  }
  if (part.descending) {
    std::swap(low, high);
  }
  std::string null_key;
  RETURN_IF_ERROR(row::EncodeKeyPart(part, row::Value::Null(), &null_key));
  for (const std::string& prefix : prefixes) {
    engine::KeyRange range;
    // Keys that go on after this part's bytes belong to the bound as well: an exclusive lower
    // bound starts behind all of them, an inclusive upper bound ends behind them.
    if (low.given) {
      range.lower = low.inclusive ? prefix + low.bytes : engine::PrefixEnd(prefix + low.bytes);
    } else if (part.descending) {
      range.lower = prefix;
    } else {
      range.lower = engine::PrefixEnd(prefix + null_key);
    }
    std::string upper;
    if (high.given) {
      upper = high.inclusive ? engine::PrefixEnd(prefix + high.bytes) : prefix + high.bytes;
    } else if (part.descending) {
      upper = prefix + null_key;
    } else {
      upper = engine::PrefixEnd(prefix);
    }
    range.no_upper = upper.empty();
    range.upper = std::move(upper);
    if (range.no_upper || range.lower < range.upper) {
      ranges->push_back(std::move(range));
    }
  }
  return {};
}

}  // namespace borealis::sql
