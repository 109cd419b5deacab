// `borealis cluster verify`: whether all copies of the volume are equal, byte for byte.
//
// Asks every storage node that holds a segment for every page of the segment, as of one LSN, and
// compares. It goes past the instances, reads what clients would read, changes nothing, and may run
// while statements do: each batch of pages has an LSN of its own, which every holder has reached
// and none has merged away.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/net/security.h"
#include "base/result.h"
#include "control/cluster_config.h"

namespace borealis::cli {

struct VerifyReport {
  uint64_t groups = 0;
  uint64_t segments = 0;
  uint64_t pages = 0;  // compared in all their copies
  // One line for each page that differs, and for each segment that could not be compared; of many,
  // the first ones.
  std::vector<std::string> findings;
  uint64_t different_pages = 0;
  uint64_t unread_segments = 0;
  bool all_equal() const { return different_pages == 0 && unread_segments == 0; }
};

// kUnavailable when no storage node knows a geometry. Tells how far it is on standard error.
Result<VerifyReport> VerifyVolume(const control::ClusterConfig& config,
                                  std::shared_ptr<const PeerSecurity> security);

}  // namespace borealis::cli
