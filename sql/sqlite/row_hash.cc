#include "sql/sqlite/row_hash.h"

#include <algorithm>
#include <bit>
#include <functional>

namespace borealis::sql {
namespace {

constexpr uint32_t kNone = ~uint32_t{0};

}  // namespace

void RowHash::Add(std::string_view key, std::string_view row) {
  entries_.push_back({std::hash<std::string_view>()(key), arena_.Copy(row),
                      static_cast<uint32_t>(row.size()), kNone});
}

void RowHash::Finish() {
  buckets_.assign(std::bit_ceil(std::max<size_t>(entries_.size(), 1)), kNone);
  for (size_t i = entries_.size(); i-- > 0;) {
    uint32_t& first = buckets_[entries_[i].hash & (buckets_.size() - 1)];
    entries_[i].next = first;
    first = static_cast<uint32_t>(i);
  }
}

RowHash::Matches RowHash::Find(std::string_view key) const {
  Matches matches;
  matches.rows_ = this;
  matches.hash_ = std::hash<std::string_view>()(key);
  matches.at_ = buckets_[matches.hash_ & (buckets_.size() - 1)];
  return matches;
}

bool RowHash::Matches::Next(std::string_view* row) {
  while (at_ != kNone) {
    const Entry& entry = rows_->entries_[at_];
    at_ = entry.next;
    if (entry.hash == hash_) {
      *row = {entry.row, entry.size};
      return true;
    }
  }
  return false;
}

}  // namespace borealis::sql
