// Ranges of encoded keys from values of key parts: for the scan that reads them, and for the
// planner that asks how many entries lie in them.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "engine/cursor.h"
#include "row/key_codec.h"
#include "row/value.h"
#include "sql/sqlite/table_plan.h"

namespace borealis::sql {

// One side of a range; never NULL.
struct RangeBound {
  PlanArgument::Use use = PlanArgument::Use::kGreater;  // kGreater … kLessEqual
  row::Value value;
};

// Extends each prefix by the part's bytes of a value. False, and they stay, when the part's type
// holds no value that equals this one, which is of a wider type.
Result<bool> AppendEqual(const row::KeyPart& part, const row::Value& value,
                         std::vector<std::string>* prefixes);

// Behind each prefix, the keys whose next part lies within the bounds. A descending part's bytes
// are complemented, which swaps the sides. NULL is in no range.
Status AppendBounds(const row::KeyPart& part, std::span<const RangeBound> bounds,
                    const std::vector<std::string>& prefixes,
                    std::vector<engine::KeyRange>* ranges);

}  // namespace borealis::sql
