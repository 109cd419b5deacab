// The volume client as one state machine: opening, then shipping, tracking and reading.
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

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "base/net/frame.h"
#include "base/os/random.h"
#include "base/result.h"
#include "storage_client/client_metrics.h"
#include "storage_client/log_buffer.h"
#include "storage_client/log_shipper.h"
#include "storage_client/node_link.h"
#include "storage_client/node_machine.h"
#include "storage_client/opener.h"
#include "storage_client/page_read_scheduler.h"
#include "storage_client/quorum_tracker.h"
#include "volume/geometry.h"

namespace borealis::storage_client {

struct ClientLimits {
  OpenerLimits opener;
  ShipperLimits shipper;
  ReadLimits reads;
  // INV-VOL-3: mini-transactions wait when the log is this far ahead of the VDL.
  uint64_t allocation_bytes = uint64_t{64} << 20;
  int64_t truncation_repeat_us = 500'000;
};

class ClientEvents {
 public:
  virtual ~ClientEvents() = default;
  virtual void OnOpenProgress(const OpenProgress& /*progress*/) {}
  virtual void OnOpened(const OpenedVolume& opened) = 0;
  virtual void OnOpenFailed(Status status) = 0;
  // `changed` are the groups whose last record moved.
  virtual void OnVdlAdvanced(Lsn vdl, std::span<const PgTailAt> changed) = 0;
  virtual void OnFenced(Status status) = 0;
};

class ClientCore final : public NodeMachine {
 public:
  // All references must outlive the core.
  ClientCore(const Geometry& geometry, const ClientLimits& limits, NodeLink& link,
             ClientEvents& events, ClientMetrics& metrics, uint64_t seed);

  void StartOpen(OpenRequest request, int64_t now_us);
  void OnAppended(LogChunkPtr chunk, int64_t now_us);
  // Pages of one group. A group without records reads as zeroes at once.
  void Read(std::vector<PageNo> pages, Lsn read_point, ReadDone done, int64_t now_us);
  void SetLowestReadPoint(Lsn lsn);

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
  std::string DescribeOpening() const { return opener_ ? opener_->Describe() : ""; }
  // Every group's last record at the VDL, for a reader that begins.
  std::vector<PgTailAt> Tails() const;
  // What was appended and holds records above the VDL, oldest first.
  std::vector<LogChunkPtr> ChunksAboveVdl() const;

 private:
  enum class State : uint8_t { kIdle, kOpening, kOpen, kFailed, kFenced };

  void AfterOpenerStep(int64_t now_us);
  void BecomeOpen(const OpenedVolume& opened, int64_t now_us);
  void OnAppendReply(size_t slot, const Frame& frame, int64_t now_us);
  void OnReadReply(size_t slot, const Frame& frame, int64_t now_us);
  void OnLateTruncateReply(size_t slot, const Frame& frame, int64_t now_us);
  void SendTruncation(size_t slot, int64_t now_us);
  void NoteFenced(size_t slot, VolumeEpoch by);
  void AdvanceVdl();

  const Geometry& geometry_;
  const ClientLimits limits_;
  NodeLink& link_;
  ClientEvents& events_;
  ClientMetrics& metrics_;
  Random random_;
  RequestIds ids_;
  State state_ = State::kIdle;
  VolumeEpoch epoch_;
  SegmentSet up_ = 0;
  SegmentSet ready_ = 0;  // acknowledged this epoch's truncation
  SegmentSet fenced_ = 0;
  Frame truncation_;
  int64_t truncate_at_us_ = kNeverUs;
  std::unique_ptr<Opener> opener_;
  std::unique_ptr<QuorumTracker> tracker_;
  std::unique_ptr<LogShipper> shipper_;
  std::unique_ptr<PageReadScheduler> reads_;
};

}  // namespace borealis::storage_client
