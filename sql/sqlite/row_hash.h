// Rows of a table by the values of some columns, for equalities that no index serves: the build
// side of a hash join.
//
// Rows are copied as they are stored. A look-up goes by 64 bits of hash alone, so it may give rows
// of other values; the machine evaluates the condition again anyway. Filled once, then only read.
// One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "sql/sqlite/byte_arena.h"

namespace borealis::sql {

class RowHash {
 public:
  // `key`: of the columns, as an index on them would have it (row/key_codec.h).
  void Add(std::string_view key, std::string_view row);
  // After the last row, before the first look-up.
  void Finish();
  // What it takes, Finish() included.
  size_t bytes() const { return arena_.bytes() + entries_.size() * kEntryBytes; }

  // The rows found by one look-up, in the order in which they were added.
  class Matches {
   public:
    Matches() = default;
    // The next row, until the hash goes; false at the end.
    bool Next(std::string_view* row);

   private:
    friend class RowHash;
    const RowHash* rows_ = nullptr;
    uint64_t hash_ = 0;
    uint32_t at_ = 0;
  };
  // REQUIRES: Finish().
  Matches Find(std::string_view key) const;

 private:
  struct Entry {
    uint64_t hash;
    const char* row;
    uint32_t size;
    uint32_t next;  // in the bucket; kNone at its end
  };
  static constexpr size_t kEntryBytes = sizeof(Entry) + sizeof(uint32_t);

  std::vector<Entry> entries_;
  std::vector<uint32_t> buckets_;  // first entries; a power of two of them
  ByteArena arena_;
};

}  // namespace borealis::sql
