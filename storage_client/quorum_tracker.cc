#include "storage_client/quorum_tracker.h"

#include <algorithm>
#include <bit>

#include "base/fault.h"
#include "base/invariant.h"

namespace borealis::storage_client {

namespace {
constexpr uint64_t kNotYet = UINT64_MAX;
}

QuorumTracker::QuorumTracker(Lsn vdl, Lsn start) : vcl_(vdl), vdl_(vdl), next_(start) {
  INVARIANT_LE(vdl, start);
}

void QuorumTracker::AddGroup(PgId pg, QuorumExpression write, Lsn tail, std::span<const Lsn> scls) {
  INVARIANT_LE(tail, vdl_);
  INVARIANT_LE(scls.size(), kSlotsMax);
  Group& group = groups_[pg];
  INVARIANT(!group.write.has_value());
  group.members = write.Members();
  group.write = std::move(write);
  group.appended = std::max(group.appended, tail);
  for (SegmentSet left = group.members; left != 0; left &= left - 1) {
    const auto slot = static_cast<size_t>(std::countr_zero(left));
    group.scls[slot] = slot < scls.size() ? std::min(scls[slot], tail) : Lsn(0);
  }
  group.pgcl = group.write->HighestReached(group.scls);
  if (tail > Lsn(0)) {
    tails_.Advance(pg, vdl_, vdl_, tail);
  }
}

void QuorumTracker::SetQuorum(PgId pg, QuorumExpression write) {
  Group& group = groups_.at(pg);
  const SegmentSet members = write.Members();
  for (SegmentSet gone = group.members & ~members; gone != 0; gone &= gone - 1) {
    group.scls[static_cast<size_t>(std::countr_zero(gone))] = Lsn(0);
  }
  for (SegmentSet came = members & ~group.members; came != 0; came &= came - 1) {
    group.first_request[static_cast<size_t>(std::countr_zero(came))] = kNotYet;
  }
  uncounted_ |= members & ~group.members;
  group.members = members;
  group.write = std::move(write);
  group.pgcl = std::max(group.pgcl, group.write->HighestReached(group.scls));
}

void QuorumTracker::CountFrom(size_t slot, uint64_t request) {
  if ((uncounted_ & SegmentBit(slot)) == 0) {
    return;
  }
  uncounted_ &= ~SegmentBit(slot);
  for (auto& [pg, group] : groups_) {
    const auto first = group.first_request.find(slot);
    if (first != group.first_request.end() && first->second == kNotYet) {
      first->second = request;
    }
  }
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
    groups_[record.pg].appended = record.end;
  }
}

void QuorumTracker::OnProgress(PgId pg, size_t slot, Lsn scl, uint64_t request) {
  const auto found = groups_.find(pg);
  if (found == groups_.end() || (found->second.members & SegmentBit(slot)) == 0) {
    return;
  }
  Group& group = found->second;
  if (scl > group.appended) {
    COVER("tracker.scl_beyond_the_log");
    return;  // nobody can have what was never appended: damage or a stray of another epoch
  }
  if (!group.first_request.empty()) {
    const auto first = group.first_request.find(slot);
    if (first != group.first_request.end() && request < first->second) {
      COVER("tracker.answer_of_a_former_member");
      return;
    }
  }
  group.scls[slot] = std::max(group.scls[slot], scl);
  group.pgcl = std::max(group.pgcl, group.write->HighestReached(group.scls));
}

void QuorumTracker::OnLoss(PgId pg, size_t slot, Lsn scl) {
  const auto found = groups_.find(pg);
  if (found != groups_.end()) {
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

std::optional<QuorumTracker::Waiting> QuorumTracker::WaitsFor() const {
  if (outstanding_.empty()) {
    return std::nullopt;
  }
  const Run& run = outstanding_.front();
  const Group& group = groups_.at(run.pg);
  Waiting waiting{run.pg, 0};
  for (SegmentSet left = group.members; left != 0; left &= left - 1) {
    const auto slot = static_cast<size_t>(std::countr_zero(left));
    waiting.lacking |= group.scls[slot] < run.end ? SegmentBit(slot) : 0;
  }
  return waiting;
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
