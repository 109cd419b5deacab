// What a run has read of each table, for EXPLAIN ANALYZE.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>

namespace borealis::sql {

struct TableReads {
  uint64_t loops = 0;  // how often reading began
  uint64_t rows = 0;   // of all loops
  // Spent in reading: until the first row of each loop, and all in all.
  std::chrono::nanoseconds first_row{0};
  std::chrono::nanoseconds all_rows{0};
};

// By the tables' ids in the statement.
using ReadCounts = std::map<uint32_t, TableReads>;

}  // namespace borealis::sql
