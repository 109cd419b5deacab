// For each protection group: which of its records is the last one at or under a read point.
//
// A segment may answer a read at R when its SCL has reached the last record of the group at or
// under R; a group that rests for an hour never shows an SCL near the VDL. Only the writer knows
// those records, and it tells its readers. What is kept is a few (VDL, tail) pairs a group: where
// they thin out, a read is given the tail of the next younger pair, which demands more of the
// segment than it must and is never wrong.
//
// Not thread-safe.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <vector>

#include "base/types.h"

namespace borealis::storage_client {

struct PgTailAt {
  PgId pg;
  Lsn tail;  // end of the group's last record at or under the VDL
};

class PgTails {
 public:
  // As of `vdl` (never going back) the group's last record is `tail`; what was said of the group
  // before still held at `before`.
  void Advance(PgId pg, Lsn before, Lsn vdl, Lsn tail);
  // What a segment's SCL must reach to answer at `read_point`; nothing when the group has no
  // record, so that all its pages are zeroes.
  std::optional<Lsn> Needed(PgId pg, Lsn read_point) const;
  // No read point below this one will be asked about.
  void Forget(Lsn below) { lowest_ = below > lowest_ ? below : lowest_; }
  std::vector<PgTailAt> Latest() const;

 private:
  struct Point {
    Lsn vdl;
    Lsn tail;
  };
  static constexpr size_t kPointsMax = 64;
  void Thin(std::vector<Point>* points) const;

  Lsn lowest_;
  std::map<PgId, std::vector<Point>> groups_;
};

}  // namespace borealis::storage_client
