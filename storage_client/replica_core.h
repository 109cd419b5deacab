// The read-only client of a reader instance, as a state machine: pages by read point, nothing else.
//
// It knows the geometry, the VDL, the epoch and each group's last record from the writer's stream,
// and learns the segments' SCLs from their answers. Not thread-safe.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <vector>

#include "storage_client/node_link.h"
#include "storage_client/node_machine.h"
#include "storage_client/node_table.h"
#include "storage_client/page_read_scheduler.h"
#include "storage_client/pg_tails.h"
#include "volume/geometry.h"

namespace borealis::storage_client {

class ReplicaCore final : public NodeMachine {
 public:
  // All references must outlive the core.
  ReplicaCore(std::span<const StorageNodeAddress> seeds, const ReadLimits& limits, NodeLink& link,
              ClientMetrics& metrics, uint64_t seed);

  // A version that the writer decided; lower ones than before are ignored. What the stream says of
  // groups after it may be of groups that are new in it.
  void SetGeometry(const Geometry& geometry);

  // What the writer's stream says: at `vdl` the last records of these groups are these. The first
  // call of an epoch must name every group. A lower epoch or VDL than before is ignored.
  void Advance(VolumeEpoch epoch, Lsn vdl, std::span<const PgTailAt> tails);
  // REQUIRES: read_point <= vdl().
  void Read(std::vector<PageNo> pages, Lsn read_point, ReadDone done, int64_t now_us);
  void SetLowestReadPoint(Lsn lsn) { tails_.Forget(lsn); }
  void Shutdown();

  void OnFrame(size_t slot, const Frame& frame, int64_t now_us) override;
  void OnNodeUp(size_t slot, int64_t now_us) override;
  void OnNodeDown(size_t slot, int64_t now_us) override;
  void OnTimer(int64_t now_us) override { reads_.OnTimer(now_us); }
  int64_t NextDeadlineUs() const override { return reads_.NextDeadlineUs(); }

  Lsn vdl() const { return vdl_; }
  VolumeEpoch epoch() const { return epoch_; }

 private:
  NodeTable table_;
  Geometry geometry_;  // in the table's slots; without groups until the stream has told it
  RequestIds ids_;
  SegmentSet up_ = 0;
  VolumeEpoch epoch_;
  Lsn vdl_;
  PgTails tails_;
  std::map<PgId, std::array<Lsn, kSlotsMax>> scls_;
  PageReadScheduler reads_;
};

}  // namespace borealis::storage_client
