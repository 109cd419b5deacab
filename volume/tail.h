// What a segment tells an opener about the records it holds above the VDL it was last told: one
// fixed entry a record, enough to walk the tiling and to find consistency points.
//
//   OFFSET SIZE  DESCRIPTION (one entry; entries in ascending LSN order)
//   0      8     end LSN
//   8      4     length in bytes
//   12     4     flags: bit 0 = consistency point
//   16     8     volume epoch
//   24     8     PG back link
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/types.h"

namespace borealis {

struct TailEntry {
  Lsn end;
  uint32_t length = 0;
  bool is_consistency_point = false;
  VolumeEpoch epoch;
  Lsn pg_back_link;
};

void AppendTailEntry(std::string* to, const TailEntry& entry);
// kCorruption when the bytes are not whole entries in ascending order.
Result<std::vector<TailEntry>> ParseTail(std::string_view bytes);

}  // namespace borealis
