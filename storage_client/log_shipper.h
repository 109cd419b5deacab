// Sends the log to the nodes: one append request at a time a node, with all groups it holds.
//
// What a node holds is said by the decided geometry; it is sent the parts of those groups only, and
// a chunk without any of them is as good as delivered to it. A chunk with a group that the geometry
// does not have yet stops all sending from that chunk on, so that no later opener can fail to hear
// of a group that has records (docs/volume.md, Growth). A node that becomes a member is sent the
// group's records from then on; those before it gets from its peers.
//
// Chunks of log are kept once, in LSN order; a node is a pair of positions in that row: what it has
// (`delivered`) and what it was sent (`next`). A request goes out at once when nothing is under way
// to the node; otherwise the log gathers until the answer comes or there is enough for a request of
// its own (the boxcar rule: no timer, so no waiting when idle and large batches under load).
//
// An append that is not answered in time, and everything after it, is sent again, at doubling
// intervals. A node that is down must not make us remember for ever: beyond a limit the oldest
// durable chunks are dropped and the node gets them from its peers by gossip. Chunks above the VDL
// are never dropped; the LSN allocation limit bounds them.
//
// INV-VOL-9  A node takes part only after it acknowledged this epoch's truncation (SetReady):
// before that it could take records that the truncation voids for the chain that ours continue.
// Not thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <vector>

#include "storage_client/client_metrics.h"
#include "storage_client/log_buffer.h"
#include "storage_client/node_link.h"
#include "storage_client/quorum_tracker.h"
#include "volume/geometry.h"

namespace borealis::msg {
class AppendReply;
}

namespace borealis::storage_client {

struct ShipperLimits {
  size_t batch_bytes_max = 4u << 20;
  size_t batch_parts_max = 200;
  // More than one request is under way to a node only when this much has gathered.
  size_t pipeline_bytes = 256u << 10;
  size_t in_flight_max = 4;
  int64_t timeout_us = 1'000'000;
  int64_t timeout_us_max = 8'000'000;
  int64_t refusal_pause_us = 200'000;
  // Durable log kept for nodes that are behind.
  size_t retained_bytes_max = size_t{128} << 20;
  // An idle node is told a new VDL after this long.
  int64_t vdl_notice_us = 100'000;
  // How often a node, idle or not, is asked for the SCLs of all its segments: those of groups that
  // nothing is written to move as well, by gossip and copies.
  int64_t survey_us = 500'000;
};

class LogShipper {
 public:
  LogShipper(VolumeId volume, const ShipperLimits& limits, VolumeEpoch epoch,
             QuorumTracker& tracker, NodeLink& link, RequestIds& ids, ClientMetrics& metrics);

  // How many slots there are; they never get fewer.
  void SetNodeCount(size_t count);
  // The decided geometry, in its first version and in each that follows.
  void SetGeometry(const Geometry& geometry, int64_t now_us);
  void SetLowestReadPoint(Lsn lsn) { pgmrpl_ = lsn; }
  void SetReady(size_t slot, int64_t now_us);
  void OnNodeUp(size_t slot, int64_t now_us);
  void OnNodeDown(size_t slot);

  void OnAppended(LogChunkPtr chunk, int64_t now_us);
  // Feeds the tracker; the caller calls tracker.Advance(). FENCED answers are the caller's.
  void OnReply(size_t slot, uint64_t request_id, const msg::AppendReply& reply, int64_t now_us);
  // After the VDL moved: drops what no node needs.
  void Trim();
  void OnTimer(int64_t now_us);
  int64_t NextDeadlineUs() const;

  // Those that end above `lsn`. REQUIRES: lsn >= VDL, for what is below it may be gone.
  std::vector<LogChunkPtr> ChunksAbove(Lsn lsn) const;

  size_t retained_bytes() const { return retained_bytes_; }

 private:
  struct Batch {
    uint64_t request_id = 0;
    uint64_t first = 0;  // chunks [first, last)
    uint64_t last = 0;
    int64_t deadline_us = 0;
    bool is_answered = false;
    std::vector<std::pair<PgId, Lsn>> known_scls;  // when it was sent
  };
  struct NodeQueue {
    bool is_up = false;
    bool is_ready = false;
    uint64_t delivered = 0;
    uint64_t next = 0;
    std::deque<Batch> in_flight;
    int64_t timeout_us = 0;
    int64_t not_before_us = 0;
    int64_t last_sent_us = 0;
    int64_t last_survey_us = 0;
    Lsn vdl_sent;
  };

  uint64_t EndOfRow() const { return first_chunk_ + chunks_.size(); }
  // Where sending stops: at a group that is not in the geometry, or at the end of the row.
  void MoveShippingEnd();
  bool IsMember(PgId pg, size_t slot) const {
    return pg.value() < members_.size() && (members_[pg.value()] & SegmentBit(slot)) != 0;
  }
  bool Concerns(const LogChunk& chunk, size_t slot) const;
  void SkipForeign(NodeQueue* node, size_t slot);
  const LogChunk& ChunkAt(uint64_t position) const { return *chunks_[position - first_chunk_]; }
  void Pump(size_t slot, int64_t now_us);
  size_t GatheredBytes(const NodeQueue& node, size_t slot) const;
  void SendBatch(size_t slot, int64_t now_us);
  // An append without records: brings the VDL, and its answer the SCLs of all segments.
  void SendSurvey(size_t slot, int64_t now_us);
  void Rewind(NodeQueue* node);
  void NoteLosses(NodeQueue* node, size_t slot, const Batch& batch, const msg::AppendReply& reply);
  void NoteDelivered(NodeQueue* node, size_t slot);
  void AdvanceDelivered(NodeQueue* node, size_t slot);
  bool IsCovered(size_t slot, const LogChunk& chunk) const;
  int64_t SurveyAtUs(const NodeQueue& node) const;

  const VolumeId volume_;
  const ShipperLimits limits_;
  const VolumeEpoch epoch_;
  QuorumTracker& tracker_;
  NodeLink& link_;
  RequestIds& ids_;
  ClientMetrics& metrics_;
  Lsn pgmrpl_;
  std::vector<SegmentSet> members_;  // by group
  // Chunk positions count from 0 at opening; chunks_[0] is at first_chunk_.
  std::deque<LogChunkPtr> chunks_;
  uint64_t first_chunk_ = 0;
  uint64_t shipping_end_ = 0;
  size_t retained_bytes_ = 0;
  std::vector<NodeQueue> nodes_;
};

}  // namespace borealis::storage_client
