#include "storage_client/recovery_point.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/fault.h"
#include "base/invariant.h"

namespace borealis::storage_client {

namespace {

struct Held {
  Lsn end;
  PgId pg;
  bool is_consistency_point = false;
};

std::vector<AnnulledSpan> ListThatHolds(std::span<const NodeAnswer> answers) {
  std::vector<AnnulledSpan> holds;
  VolumeEpoch highest;
  for (const NodeAnswer& answer : answers) {
    for (const AnnulledSpan& span : answer.annulled) {
      if (span.epoch > highest) {
        if (!holds.empty()) {
          COVER("opener.lists_differ");
        }
        highest = span.epoch;
        holds = answer.annulled;
      }
    }
  }
  std::sort(holds.begin(), holds.end(),
            [](const AnnulledSpan& a, const AnnulledSpan& b) { return a.after < b.after; });
  return holds;
}

bool IsVoid(const std::vector<AnnulledSpan>& annulled, Lsn end) {
  // Epochs need no look: LSNs of an epoch lie above the ranges it annulled.
  return std::any_of(annulled.begin(), annulled.end(), [&](const AnnulledSpan& span) {
    return end > span.after && end <= span.up_to;
  });
}

// The valid records above `vdl_told` that any segment holds, by their start.
std::map<Lsn, Held> UnionOfTails(std::span<const NodeAnswer> answers,
                                 const std::vector<AnnulledSpan>& annulled, Lsn vdl_told) {
  std::map<Lsn, Held> held;
  for (const NodeAnswer& answer : answers) {
    for (const SegmentAnswer& segment : answer.segments) {
      for (const TailEntry& entry : segment.tail) {
        if (entry.end <= vdl_told) {
          continue;
        }
        if (IsVoid(annulled, entry.end)) {
          COVER("opener.void_record_in_tail");
          continue;
        }
        held[entry.end - entry.length] = {entry.end, segment.pg, entry.is_consistency_point};
      }
    }
  }
  return held;
}

void Walk(const std::map<Lsn, Held>& held, RecoveryPoint* point,
          const std::vector<AnnulledSpan>& annulled) {
  Lsn at = point->vdl_told;
  std::map<PgId, Lsn> unfinished;
  while (true) {
    for (const AnnulledSpan& span : annulled) {
      if (span.after == at) {
        COVER("opener.walk_jumped_annulled");
        at = span.up_to;
      }
    }
    const auto found = held.find(at);
    if (found == held.end()) {
      break;
    }
    at = found->second.end;
    point->vcl = at;
    unfinished[found->second.pg] = at;
    if (found->second.is_consistency_point) {
      point->vdl = at;
      for (const auto& [pg, end] : unfinished) {
        point->tails[pg] = end;
      }
      unfinished.clear();
    }
  }
  if (!unfinished.empty()) {
    COVER("opener.half_a_mini_transaction_at_the_end");
  }
  if (held.upper_bound(at) != held.end()) {
    COVER("opener.union_had_hole");
  }
}

}  // namespace

Result<RecoveryPoint> FindRecoveryPoint(std::span<const NodeAnswer> answers, VolumeEpoch epoch) {
  RecoveryPoint point;
  Lsn highest_annulled;
  for (const NodeAnswer& answer : answers) {
    for (const SegmentAnswer& segment : answer.segments) {
      point.vdl_told = std::max(point.vdl_told, segment.vdl_told);
    }
    for (const AnnulledSpan& span : answer.annulled) {
      highest_annulled = std::max(highest_annulled, span.up_to);
    }
  }
  const std::vector<AnnulledSpan> annulled = ListThatHolds(answers);
  point.vcl = point.vdl_told;
  point.vdl = point.vdl_told;
  for (const NodeAnswer& answer : answers) {
    for (const SegmentAnswer& segment : answer.segments) {
      auto note = [&](Lsn end) {
        if (end > Lsn(0) && end <= point.vdl_told && !IsVoid(annulled, end)) {
          point.tails[segment.pg] = std::max(point.tails[segment.pg], end);
        }
      };
      note(segment.last_at_vdl_told);
      for (const TailEntry& entry : segment.tail) {
        note(entry.end);
      }
    }
  }
  Walk(UnionOfTails(answers, annulled, point.vdl_told), &point, annulled);
  point.start = std::max(point.vdl, highest_annulled) + kLsnSpan;
  for (const AnnulledSpan& span : annulled) {
    if (span.after < point.vdl) {
      if (span.up_to > point.vdl || span.epoch >= epoch) {
        return Status::Corruption(fmt::format(
            "annulled range ({}, {}] of epoch {} contradicts recovered VDL {} of epoch {}",
            span.after.value(), span.up_to.value(), span.epoch.value(), point.vdl.value(),
            epoch.value()));
      }
      point.annulled.push_back(span);
    }
  }
  point.annulled.push_back({point.vdl, point.start, epoch});
  INVARIANT_GE(point.vdl, point.vdl_told);
  INVARIANT_LE(point.vdl, point.vcl);
  return point;
}

}  // namespace borealis::storage_client
