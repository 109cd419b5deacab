// Rows of a table by the values of some columns, for equalities that no index serves: the build
// side of a hash join.
//
// Rows are copied as they are stored. A look-up goes by 64 bits of hash alone, so it may give rows
// of other values; the machine evaluates the condition again anyway. Filled once, then only read.
// One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

namespace borealis::sql {

class RowHash {
 public:
  // `key`: of the columns, as an index on them would have it (row/key_codec.h).
  void Add(std::string_view key, std::string_view row);
  // After the last row, before the first look-up.
  void Finish();
  // What it takes, Finish() included.
  size_t bytes() const { return bytes_; }

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
  char* Allocate(size_t size);

  std::vector<Entry> entries_;
  std::vector<uint32_t> buckets_;  // first entries; a power of two of them
  std::vector<std::unique_ptr<char[]>> chunks_;
  char* free_ = nullptr;  // in the last chunk
  size_t free_bytes_ = 0;
  size_t bytes_ = 0;
};

}  // namespace borealis::sql
