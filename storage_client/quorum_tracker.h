// What is durable: from segments' acknowledgements to PGCL, VCL and VDL. Bookkeeping only.
//
// Each acknowledgement carries a segment's SCL. A group's PGCL is the highest LSN that a write
// quorum of its segments has reached; the volume's records, queued in LSN order, become complete
// one after the other as their group's PGCL passes them. An idle group holds nothing back. Records
// of a group that is not in the decided geometry yet wait, as no write quorum is known for them.
//
// What counts as a write quorum may change at any time (SetQuorum); a PGCL once reached stays, for
// the next opener finds it by the old expression and by the new one (volume/geometry.h).
//
// INV-VOL-1  vdl <= vcl < next LSN, and vdl is a consistency point.
// INV-VOL-2  vdl never goes back, even when a segment loses what it had acknowledged.
// Not thread-safe.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <span>
#include <vector>

#include "base/types.h"
#include "storage_client/log_buffer.h"
#include "storage_client/pg_tails.h"
#include "volume/quorum.h"

namespace borealis::storage_client {

class QuorumTracker {
 public:
  // Opens at `vdl`; records begin at `start`.
  QuorumTracker(Lsn vdl, Lsn start);

  // A group of the decided geometry, with its last record at opening (0: none) and what each
  // segment has, by slot. REQUIRES: it was not added before.
  void AddGroup(PgId pg, QuorumExpression write, Lsn tail, std::span<const Lsn> scls);
  // The group's seats have changed. Nodes that are no members any more have nothing. What nodes
  // that are new say does not count before CountFrom: they may still hold what they held as members
  // of old, and drop it when they hear late of a version that gave them no seat.
  void SetQuorum(PgId pg, QuorumExpression write);
  // The node has the geometry in which it became a member, so it drops nothing any more: what it
  // says in answer to `request` or later ones counts.
  void CountFrom(size_t slot, uint64_t request);
  void OnAppended(const LogChunk& chunk);
  // A segment says, in answer to `request`, that it has everything up to `scl`. Late and repeated
  // reports do nothing. Call Advance() afterwards.
  void OnProgress(PgId pg, size_t slot, Lsn scl, uint64_t request);
  // The segment no longer has what it had acknowledged.
  void OnLoss(PgId pg, size_t slot, Lsn scl);
  // Moves VCL and VDL; true when the VDL moved.
  bool Advance();

  Lsn vcl() const { return vcl_; }
  Lsn vdl() const { return vdl_; }
  Lsn scl(PgId pg, size_t slot) const;
  // The group whose write quorum the VCL waits for, and its members that do not have the record
  // that comes next; nothing when all that was appended is complete.
  struct Waiting {
    PgId pg;
    SegmentSet lacking = 0;
  };
  std::optional<Waiting> WaitsFor() const;
  Lsn pgcl(PgId pg) const;
  PgTails& tails() { return tails_; }
  const PgTails& tails() const { return tails_; }
  // The groups whose tail moved with the last Advance().
  const std::vector<PgTailAt>& changed_tails() const { return changed_tails_; }

 private:
  struct Group {
    std::optional<QuorumExpression> write;  // nothing: not in the decided geometry yet
    SegmentSet members = 0;
    std::array<Lsn, kSlotsMax> scls{};
    // From which request on what members of later days say counts.
    std::map<size_t, uint64_t> first_request;
    Lsn pgcl;
    Lsn appended;  // end of the last record handed to OnAppended
  };
  // Successive records of one mini-transaction in one group count as one.
  struct Run {
    Lsn end;
    PgId pg;
    bool is_consistency_point = false;
  };
  Lsn vcl_;
  Lsn vdl_;
  Lsn next_;
  std::map<PgId, Group> groups_;
  SegmentSet uncounted_ = 0;  // wait for CountFrom in some group
  std::deque<Run> outstanding_;
  std::map<PgId, Lsn> tails_at_vcl_;  // groups with records in (vdl, vcl]
  PgTails tails_;
  std::vector<PgTailAt> changed_tails_;
};

}  // namespace borealis::storage_client
