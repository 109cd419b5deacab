#include "sql/sqlite/constant_set.h"

#include "row/collation.h"

namespace borealis::sql {

void ConstantSet::Add(const row::Value& value) {
  if (value.is_null()) {
    has_null_ = true;
  } else if (type_.is_text()) {
    sort_keys_.insert(row::GetCollation(type_.collation).SortKey(value.bytes()));
  } else {
    integers_.insert(value.raw_int());
  }
}

std::optional<bool> ConstantSet::Contains(const row::Value& value) const {
  if (value.is_null()) {
    return std::nullopt;
  }
  bool found;
  if (type_.is_text()) {
    found = sort_keys_.contains(row::GetCollation(type_.collation).SortKey(value.bytes()));
  } else {
    found = integers_.contains(value.raw_int());
  }
  return found || !has_null_ ? std::optional(found) : std::nullopt;
}

}  // namespace borealis::sql
