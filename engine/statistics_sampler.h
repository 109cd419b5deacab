// Counting the distinct values of an index's prefixes, from some of its leaves.
//
// In a sorted index the distinct values of a prefix are one more than the places where it changes
// from one entry to the next, and each such place belongs to the leaf that it follows in. So:
//
//   few leaves    all are read: exact
//   many          the changes in evenly spread leaves, times the leaves there are for each read
//   few changes   where a sampled leaf has hardly any, values span leaves and most changes would be
//                 missed: values are skipped over instead, from each sampled leaf on, a dive each
//
// Delete-marked entries do not count. Reads under shared latches, a leaf at a time.
#pragma once

#include <atomic>
#include <cstdint>

#include "base/result.h"
#include "engine/statistics.h"
#include "engine/table.h"

namespace borealis::engine {

struct SampledIndex {
  IndexStatistics statistics;
  uint64_t entries = 0;  // live ones
};

// REQUIRES: the trees are pinned, or the table's metadata lock is held. kCancelled once *stop.
Result<SampledIndex> SampleIndex(const Table& table, size_t index_no, uint64_t sample_pages,
                                 const std::atomic<bool>& stop);

}  // namespace borealis::engine
