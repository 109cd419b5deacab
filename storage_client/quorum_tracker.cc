#include "storage_client/quorum_tracker.h"

#include <algorithm>

#include "base/fault.h"
#include "base/invariant.h"

namespace borealis::storage_client {

QuorumTracker::QuorumTracker(QuorumExpression write, size_t slot_count, Lsn vdl, Lsn start)
    : write_(std::move(write)), slot_count_(slot_count), vcl_(vdl), vdl_(vdl), next_(start) {
  INVARIANT_LE(vdl, start);
}

QuorumTracker::Group& QuorumTracker::GroupOf(PgId pg) {
  Group& group = groups_[pg];
  group.scls.resize(slot_count_);
  return group;
}

void QuorumTracker::AddGroup(PgId pg, Lsn tail, std::span<const Lsn> scls) {
  INVARIANT_LE(tail, vdl_);
  INVARIANT_EQ(scls.size(), slot_count_);
  Group& group = GroupOf(pg);
  group.appended = tail;
  for (size_t slot = 0; slot < slot_count_; ++slot) {
    group.scls[slot] = std::min(scls[slot], tail);
  }
  group.pgcl = write_.HighestReached(group.scls);
  tails_.Advance(pg, vdl_, vdl_, tail);
}

void QuorumTracker::OnAppended(const LogChunk& chunk) {
  INVARIANT_EQ(chunk.start, next_);
  next_ = chunk.end;
  bool run_ended = true;
  for (const RecordSpan& record : chunk.records) {
    if (run_ended || outstanding_.empty() || outstanding_.back().pg != record.pg) {
      outstanding_.push_back({record.end, record.pg, record.is_consistency_point});
    } else {
      outstanding_.back().end = record.end;
      outstanding_.back().is_consistency_point = record.is_consistency_point;
    }
    run_ended = record.is_consistency_point;
    GroupOf(record.pg).appended = record.end;
  }
}

void QuorumTracker::OnProgress(PgId pg, size_t slot, Lsn scl) {
  const auto found = groups_.find(pg);
  if (found == groups_.end() || slot >= slot_count_) {
    return;
  }
  Group& group = found->second;
  if (scl > group.appended) {
    COVER("tracker.scl_beyond_the_log");
    return;  // nobody can have what was never appended: damage or a stray of another epoch
  }
  group.scls[slot] = std::max(group.scls[slot], scl);
  group.pgcl = std::max(group.pgcl, write_.HighestReached(group.scls));
}

void QuorumTracker::OnLoss(PgId pg, size_t slot, Lsn scl) {
  const auto found = groups_.find(pg);
  if (found != groups_.end() && slot < slot_count_) {
    COVER("tracker.segment_lost_log");
    found->second.scls[slot] = std::min(found->second.scls[slot], scl);
  }
}

bool QuorumTracker::Advance() {
  const Lsn before = vdl_;
  std::map<PgId, Lsn> moved;
  while (!outstanding_.empty()) {
    const Run& run = outstanding_.front();
    if (run.end > groups_.at(run.pg).pgcl) {
      break;
    }
    INVARIANT_GT(run.end, vcl_);
    vcl_ = run.end;
    tails_at_vcl_[run.pg] = run.end;
    if (run.is_consistency_point) {
      vdl_ = vcl_;
      for (const auto& [pg, tail] : tails_at_vcl_) {
        moved[pg] = tail;
      }
      tails_at_vcl_.clear();
    }
    outstanding_.pop_front();
  }
  changed_tails_.clear();
  for (const auto& [pg, tail] : moved) {
    tails_.Advance(pg, before, vdl_, tail);
    changed_tails_.push_back({pg, tail});
  }
  INVARIANT_LE(vdl_, vcl_);
  INVARIANT_LE(vcl_, next_);
  return vdl_ > before;
}

Lsn QuorumTracker::scl(PgId pg, size_t slot) const {
  const auto found = groups_.find(pg);
  return found == groups_.end() ? Lsn(0) : found->second.scls[slot];
}

Lsn QuorumTracker::pgcl(PgId pg) const {
  const auto found = groups_.find(pg);
  return found == groups_.end() ? Lsn(0) : found->second.pgcl;
}

}  // namespace borealis::storage_client
