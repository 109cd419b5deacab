// What is durable: from segments' acknowledgements to PGCL, VCL and VDL. Bookkeeping only.
//
// Each acknowledgement carries a segment's SCL. A group's PGCL is the highest LSN that a write
// quorum of its segments has reached; the volume's records, queued in LSN order, become complete
// one after the other as their group's PGCL passes them. An idle group holds nothing back.
//
// INV-VOL-1  vdl <= vcl < next LSN, and vdl is a consistency point.
// INV-VOL-2  vdl never goes back, even when a segment loses what it had acknowledged.
// Not thread-safe.
#pragma once

#include <cstddef>
#include <deque>
#include <map>
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
  QuorumTracker(QuorumExpression write, size_t slot_count, Lsn vdl, Lsn start);

  // A group found at opening, with its last record and what each segment has.
  void AddGroup(PgId pg, Lsn tail, std::span<const Lsn> scls);
  void OnAppended(const LogChunk& chunk);
  // A segment says it has everything up to `scl`. Late and repeated reports do nothing. Call
  // Advance() afterwards.
  void OnProgress(PgId pg, size_t slot, Lsn scl);
  // The segment no longer has what it had acknowledged.
  void OnLoss(PgId pg, size_t slot, Lsn scl);
  // Moves VCL and VDL; true when the VDL moved.
  bool Advance();

  Lsn vcl() const { return vcl_; }
  Lsn vdl() const { return vdl_; }
  Lsn scl(PgId pg, size_t slot) const;
  Lsn pgcl(PgId pg) const;
  PgTails& tails() { return tails_; }
  const PgTails& tails() const { return tails_; }
  // The groups whose tail moved with the last Advance().
  const std::vector<PgTailAt>& changed_tails() const { return changed_tails_; }

 private:
  struct Group {
    std::vector<Lsn> scls;
    Lsn pgcl;
    Lsn appended;  // end of the last record handed to OnAppended
  };
  // Successive records of one mini-transaction in one group count as one.
  struct Run {
    Lsn end;
    PgId pg;
    bool is_consistency_point = false;
  };
  Group& GroupOf(PgId pg);

  const QuorumExpression write_;
  const size_t slot_count_;
  Lsn vcl_;
  Lsn vdl_;
  Lsn next_;
  std::map<PgId, Group> groups_;
  std::deque<Run> outstanding_;
  std::map<PgId, Lsn> tails_at_vcl_;  // groups with records in (vdl, vcl]
  PgTails tails_;
  std::vector<PgTailAt> changed_tails_;
};

}  // namespace borealis::storage_client
