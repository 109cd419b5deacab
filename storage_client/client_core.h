// The volume client as one state machine: opening, then shipping, tracking and reading, and keeping
// the geometry.
//
// Groups are made ahead of need: when the last one of the geometry gets its first record, the next
// one is asked for. Until a group's version is decided its records wait in the shipper.
//
// Messages, appended log and the time go in; frames go out through NodeLink and news through
// ClientEvents. It does no I/O and has no threads: the shell (client.h) drives it with a Transport,
// the simulator with virtual time.
//
//   kIdle --StartOpen()--> kOpening --> kOpen --> kFenced
//                              +--> kFailed          (a write quorum is out of reach: newer epoch)
//
// Not thread-safe. ClientEvents may not call back into the core, except Read().
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "base/net/frame.h"
#include "base/os/random.h"
#include "base/result.h"
#include "storage_client/client_metrics.h"
#include "storage_client/geometry_keeper.h"
#include "storage_client/log_buffer.h"
#include "storage_client/log_shipper.h"
#include "storage_client/node_link.h"
#include "storage_client/node_machine.h"
#include "storage_client/node_table.h"
#include "storage_client/opener.h"
#include "storage_client/page_read_scheduler.h"
#include "storage_client/quorum_tracker.h"
#include "storage_client/seat_changes.h"
#include "volume/geometry.h"
#include "volume/placement.h"

namespace borealis::storage_client {

struct ClientLimits {
  OpenerLimits opener;
  ShipperLimits shipper;
  ReadLimits reads;
  // INV-VOL-3: mini-transactions wait when the log is this far ahead of the VDL.
  uint64_t allocation_bytes = uint64_t{64} << 20;
  int64_t truncation_repeat_us = 500'000;
};

// Why nothing becomes durable any more.
struct WriteStall {
  int64_t since_us = 0;
  PgId pg;                      // the group that is short of a write quorum
  std::vector<NodeId> lacking;  // its nodes that have not acknowledged what comes next
};

class ClientEvents {
 public:
  virtual ~ClientEvents() = default;
  virtual void OnOpenProgress(const OpenProgress& /*progress*/) {}
  virtual void OnOpened(const OpenedVolume& opened) = 0;
  virtual void OnOpenFailed(Status status) = 0;
  // `changed` are the groups whose last record moved.
  virtual void OnVdlAdvanced(Lsn vdl, std::span<const PgTailAt> changed) = 0;
  // What geometry() is from now on. OnOpened tells the first.
  virtual void OnGeometryDecided(const Geometry& geometry) = 0;
  virtual void OnFenced(Status status) = 0;
};

class ClientCore final : public NodeMachine {
 public:
  // All references must outlive the core.
  ClientCore(VolumeSource source, const ClientLimits& limits, NodeLink& link, ClientEvents& events,
             ClientMetrics& metrics, uint64_t seed);

  void StartOpen(OpenRequest request, int64_t now_us);
  void OnAppended(LogChunkPtr chunk, int64_t now_us);
  // Pages of one group. A group without records reads as zeroes at once.
  void Read(std::vector<PageNo> pages, Lsn read_point, ReadDone done, int64_t now_us);
  void SetLowestReadPoint(Lsn lsn);

  // Changes of the geometry: Ok when the change is on its way; geometry() tells when it is decided.
  // kUnavailable or kFenced when the volume is not open.
  // See SeatChanges.
  Status OrderSeat(const SeatOrder& order, int64_t now_us);
  // A node that seats may go to, or the new address of one. kInvalidArgument when there are
  // kSlotsMax already, when the node would move to another AZ, or when the address is too long.
  Status AddNode(const StorageNodeAddress& node, int64_t now_us);
  // A draining node gets no new seats. kInvalidArgument when it is not known, or when its AZ would
  // be left with less than two that do: the volume could not grow.
  Status SetDraining(NodeId node, bool draining, int64_t now_us);
  // The decided one. REQUIRES: is_open() or is_fenced().
  const Geometry& geometry() const { return keeper_->decided(); }
  size_t changing_seats() const { return seats_ ? seats_->changing() : 0; }

  void OnFrame(size_t slot, const Frame& frame, int64_t now_us) override;
  void OnNodeUp(size_t slot, int64_t now_us) override;
  void OnNodeDown(size_t slot, int64_t now_us) override;
  void OnTimer(int64_t now_us) override;
  int64_t NextDeadlineUs() const override;
  // Reads under way fail.
  void Shutdown();

  bool is_open() const { return state_ == State::kOpen; }
  bool is_fenced() const { return state_ == State::kFenced; }
  Lsn vdl() const { return tracker_ ? tracker_->vdl() : Lsn(0); }
  Lsn vcl() const { return tracker_ ? tracker_->vcl() : Lsn(0); }
  VolumeEpoch epoch() const { return epoch_; }
  // Set when the log has waited for longer than a busy disk explains, with the VDL not moving.
  std::optional<WriteStall> StallAt(int64_t now_us) const;
  std::string DescribeOpening() const { return opener_ ? opener_->Describe() : ""; }
  // Every group's last record at the VDL, for a reader that begins.
  std::vector<PgTailAt> Tails() const;
  // What was appended and holds records above the VDL, oldest first.
  std::vector<LogChunkPtr> ChunksAboveVdl() const;

 private:
  enum class State : uint8_t { kIdle, kOpening, kOpen, kFailed, kFenced };

  void AfterOpenerStep(int64_t now_us);
  void BecomeOpen(const OpenedVolume& opened, int64_t now_us);
  Status NotOpen() const;
  void OnGeometryReply(size_t slot, const Frame& frame, int64_t now_us);
  void OnGeometryDecided(int64_t now_us);
  void AskForGroups(int64_t now_us);
  void PlaceGroups(Geometry* geometry);
  std::vector<NodeLoad> Loads() const;
  void OnAppendReply(size_t slot, const Frame& frame, int64_t now_us);
  void OnReadReply(size_t slot, const Frame& frame, int64_t now_us);
  void OnLateTruncateReply(size_t slot, const Frame& frame, int64_t now_us);
  void SendTruncation(size_t slot, int64_t now_us);
  void NoteFenced(size_t slot, VolumeEpoch by);
  void AdvanceVdl(int64_t now_us);

  const VolumeSource source_;
  const ClientLimits limits_;
  NodeLink& link_;
  ClientEvents& events_;
  ClientMetrics& metrics_;
  Random random_;
  RequestIds ids_;
  NodeTable nodes_;
  State state_ = State::kIdle;
  VolumeEpoch epoch_;
  SegmentSet up_ = 0;
  SegmentSet ready_ = 0;  // acknowledged this epoch's truncation
  SegmentSet fenced_ = 0;
  std::array<uint64_t, kSlotsMax> free_bytes_{};  // as nodes last told
  size_t decided_groups_ = 0;                     // that the tracker knows
  size_t groups_wanted_ = 0;
  int64_t vdl_due_since_us_ = 0;   // when the VDL last moved, or first had reason to
  int64_t grow_at_us_ = kNeverUs;  // when groups are asked for again
  Frame truncation_;
  int64_t truncate_at_us_ = kNeverUs;
  std::unique_ptr<Opener> opener_;
  std::unique_ptr<QuorumTracker> tracker_;
  std::unique_ptr<LogShipper> shipper_;
  std::unique_ptr<GeometryKeeper> keeper_;
  std::unique_ptr<SeatChanges> seats_;
  std::unique_ptr<PageReadScheduler> reads_;
};

}  // namespace borealis::storage_client
