// How far back a volume's past stays readable on a node: to the least of named lines.
//
// Merging drops what only reads under Line() could need, and nothing else decides about that. The
// instances' read points come with appends and gossip and only ever rise. Every other line is a
// hold: set and released, by a RetentionRequest, on behalf of somebody with a number of its own (a
// clone, a backup), and durable in the manifest before the setter is told so.
//
// INV-RET-1  The horizon of a segment, under which reads are refused as collected, is never above
//            a line that was acknowledged here: a hold is taken only at or above every horizon of
//            its volume, those included that a merge under way may bring.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/types.h"

namespace borealis::storage_node {

// Numbers as they stand in messages and manifests. Read points are no hold.
enum class HoldKind : uint8_t {
  kBacktrack = 1,  // the volume may be taken back to it; moves up as the window does
  kClone = 2,      // a clone began there; goes with the clone
  kBackup = 3,     // not all up to it is in the backup yet; moves up with its progress
};

inline bool IsHoldKind(uint32_t number) {
  return number >= 1 && number <= 3;
}
inline std::string_view NameOf(HoldKind kind) {
  switch (kind) {
    case HoldKind::kBacktrack:
      return "backtrack";
    case HoldKind::kClone:
      return "clone";
    case HoldKind::kBackup:
      return "backup";
  }
  return "unknown";
}

struct RetentionHold {
  HoldKind kind = HoldKind::kClone;
  uint64_t holder = 0;
  Lsn lsn;
  friend bool operator==(const RetentionHold&, const RetentionHold&) = default;
};

class Retention {
 public:
  Lsn read_points() const { return read_points_; }
  void RaiseReadPoints(Lsn pgmrpl) { read_points_ = std::max(read_points_, pgmrpl); }

  const std::vector<RetentionHold>& holds() const { return holds_; }
  // Takes the place of the one of the same kind and holder.
  void Set(const RetentionHold& hold) {
    Release(hold.kind, hold.holder);
    holds_.push_back(hold);
  }
  void Release(HoldKind kind, uint64_t holder) {
    std::erase_if(holds_, [&](const RetentionHold& hold) {
      return hold.kind == kind && hold.holder == holder;
    });
  }
  void RestoreHolds(std::vector<RetentionHold> holds) { holds_ = std::move(holds); }

  // The least of all lines.
  Lsn Line() const {
    Lsn line = read_points_;
    for (const RetentionHold& hold : holds_) {
      line = std::min(line, hold.lsn);
    }
    return line;
  }

 private:
  Lsn read_points_;
  std::vector<RetentionHold> holds_;
};

}  // namespace borealis::storage_node
