// How the volume's pages fall into protection groups, and where their segments live.
//
// A PG is a run of consecutive pages. Its segments are slots 0..n-1, each on one storage node of
// one AZ. A PG comes into being with its first record: nodes make the segment on the first append
// to it.
#pragma once

#include <string>
#include <vector>

#include "base/types.h"
#include "volume/page.h"
#include "volume/quorum.h"

namespace borealis {

inline constexpr uint64_t kPagesPerPgDefault = (uint64_t{10} << 30) / kPageSize;

struct StorageNodeAddress {
  NodeId node;
  std::string az;
  std::string host;
  uint16_t port = 0;
};

struct Geometry {
  VolumeId volume{1};
  uint64_t pages_per_pg = kPagesPerPgDefault;
  // Slot i of every PG is on nodes[i].
  std::vector<StorageNodeAddress> nodes;
  QuorumPair quorums = SixWayQuorums();

  PgId PgOf(PageNo page) const { return PgId(static_cast<uint32_t>(page.value() / pages_per_pg)); }
};

}  // namespace borealis
