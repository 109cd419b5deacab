// What an opener concludes from the nodes' answers to its seal: where the log ends.
//
// A pure function, so that a test can try every subset of answers. From the highest VDL that any
// segment was ever told, the union of what the answering segments hold is walked along the LSN
// line; the VCL is where the tiling first breaks, the VDL the last consistency point at or under
// it. Ranges annulled by earlier openings are jumped, and whatever lies in them is void.
//
// Why a union over a read quorum loses nothing: a record that was acknowledged is on a write quorum
// of its group's segments, and every read quorum meets it (INV-QUO-1). Records that only some hold
// may be kept or not; both are right, as nobody was told.
//
// Of several lists of annulled ranges the one with the highest last epoch holds, alone: its opener
// saw a read quorum and decided anew, so a range that a lower epoch left behind and that is not in
// its list lies over records which that opener kept.
//
// INV-VOL-6  The recovered VDL is at or above every VDL at which a commit was ever answered.
// INV-VOL-7  LSNs of a new epoch begin above every LSN that any earlier epoch can have handed out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "base/result.h"
#include "base/types.h"
#include "volume/tail.h"

namespace borealis::storage_client {

// No writer hands out LSNs further than this beyond the greater of its VDL and its first LSN. Part
// of the protocol: openers annul as much, whatever limit the writer before them was configured to.
inline constexpr uint64_t kLsnSpan = uint64_t{1} << 30;

// LSNs (after, up_to] hold no valid record of an epoch below `epoch`.
struct AnnulledSpan {
  Lsn after;
  Lsn up_to;
  VolumeEpoch epoch;
};

struct SegmentAnswer {
  PgId pg;
  Lsn scl;
  Lsn vdl_told;
  Lsn last_at_vdl_told;
  std::vector<TailEntry> tail;
};

struct NodeAnswer {
  size_t slot = 0;
  std::vector<SegmentAnswer> segments;
  std::vector<AnnulledSpan> annulled;
};

struct RecoveryPoint {
  Lsn vdl_told;  // highest in the answers
  Lsn vcl;
  Lsn vdl;
  Lsn start;                  // LSNs of the new epoch lie above
  std::map<PgId, Lsn> tails;  // last record of each group at or under the VDL
  // The list that holds from the new epoch on; its last entry is (vdl, start].
  std::vector<AnnulledSpan> annulled;
};

// kCorruption when the answers contradict the protocol.
// REQUIRES: each answer was given after the node sealed `epoch`; it names segments only of groups
// that the node is a member of; and of every group a read quorum has answered.
Result<RecoveryPoint> FindRecoveryPoint(std::span<const NodeAnswer> answers, VolumeEpoch epoch);

}  // namespace borealis::storage_client
