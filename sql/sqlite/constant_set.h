// The constants of an IN list, found by look-up instead of one comparison after the other.
//
// For texts and integers alone: what decides whether two of them are equal is their sort key, or
// the number. Immutable once made; belongs to a lowered statement.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_set>

#include "row/type.h"
#include "row/value.h"

namespace borealis::sql {

class ConstantSet {
 public:
  // Whether values that are compared as `type` can be looked up.
  static bool Takes(const row::Type& type) { return type.is_text() || type.is_integer(); }

  // REQUIRES: Takes(type). Texts are equal by the collation of `type`.
  explicit ConstantSet(row::Type type) : type_(std::move(type)) {}

  // REQUIRES: NULL, or a value of the kind that the type has.
  void Add(const row::Value& value);
  // Absent (unknown) for NULL, and where only a NULL in the list could be equal.
  std::optional<bool> Contains(const row::Value& value) const;

 private:
  row::Type type_;
  std::unordered_set<std::string> sort_keys_;
  std::unordered_set<int64_t> integers_;
  bool has_null_ = false;
};

}  // namespace borealis::sql
