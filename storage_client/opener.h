// Opening a volume: fence the old writer, find where the log ends, annul what lies beyond, make the
// rest durable at write quorum. No log is replayed; time grows with groups and records in flight.
//
//   kProbing --read quorum tells epochs--> kSealing --write quorum sealed--> kTruncating
//   (only when the epoch is to be chosen)          FindRecoveryPoint()           |
//                    kOpen <--every group at write quorum-- kReplicating <--write quorum truncated
//   and from every state to kFailed, when a higher epoch makes a write quorum impossible.
//
// A read quorum of seals would do to know the end of the log; a write quorum is waited for because
// it is the claim to the epoch (a node binds an epoch to one opener) and because nothing can be
// opened without it anyway.
//
// Truncations and pushed records tell the nodes only the VDL that was told before. The recovered
// one is told when the volume is open: if we die on the way, the next opener may find fewer
// records, and must be free to end the log before them.
//
// INV-VOL-8  Of all openers with one epoch at most one truncates.
// Requests are repeated until answered; a node that comes late joins at whatever step it is.
// Not thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/net/frame.h"
#include "base/os/random.h"
#include "base/result.h"
#include "storage_client/node_link.h"
#include "storage_client/recovery_point.h"
#include "volume/geometry.h"

namespace borealis::storage_client {

struct OpenerLimits {
  int64_t repeat_us = 100'000;
  int64_t push_timeout_us = 500'000;
  uint32_t push_bytes = 4u << 20;
  // How often an opener that chooses its own epoch may raise it before it gives way.
  int epoch_raises_max = 4;
};

struct OpenRequest {
  VolumeEpoch epoch;       // 0: one above the highest seen
  uint64_t opener_id = 0;  // random, not 0
};

struct OpenedGroup {
  Lsn tail;
  std::vector<Lsn> scls;
  MembershipEpoch membership_epoch;
};

struct OpenedVolume {
  VolumeEpoch epoch;
  Lsn vdl;
  Lsn start;  // the first record begins here
  std::map<PgId, OpenedGroup> groups;
  SegmentSet ready = 0;  // nodes that acknowledged the truncation
  Frame truncation;      // for the others
};

struct OpenProgress {
  std::string step;  // "sealing: 2 of 6 storage nodes answered, …"
  int answered = 0;
  int nodes = 0;
};

class Opener {
 public:
  Opener(const Geometry& geometry, const OpenerLimits& limits, OpenRequest request, NodeLink& link,
         RequestIds& ids, uint64_t seed, std::function<void(const OpenProgress&)> on_progress);

  void Start(int64_t now_us);
  void OnFrame(size_t slot, const Frame& frame, int64_t now_us);
  void OnNodeUp(size_t slot, int64_t now_us);
  void OnTimer(int64_t now_us);
  int64_t NextDeadlineUs() const { return is_done() ? kNeverUs : repeat_at_us_; }

  bool is_done() const { return state_ == State::kOpen || state_ == State::kFailed; }
  // REQUIRES: is_done().
  Result<OpenedVolume> TakeResult();
  // "sealing: 2 of 6 storage nodes answered (…); waiting": why it is not open yet.
  std::string Describe() const;

 private:
  enum class State : uint8_t { kProbing, kSealing, kTruncating, kReplicating, kOpen, kFailed };
  struct NodeState {
    bool is_fenced = false;
    std::optional<NodeAnswer> sealed;
    bool is_truncated = false;
    std::map<PgId, Lsn> scls;  // since it truncated
    VolumeEpoch epoch;
    bool has_told_epoch = false;
    std::string refusal;
  };
  // A copy of missing records from one node to another.
  struct Push {
    size_t from = 0;
    size_t attempt = 0;
    uint64_t fetch_id = 0;
    uint64_t append_id = 0;
    int64_t deadline_us = 0;
  };

  template <class Predicate>
  SegmentSet Slots(Predicate predicate) const;
  void BeginSealing(VolumeEpoch epoch, int64_t now_us);
  void SendStep(size_t slot);
  void SendAll(int64_t now_us);
  void OnNodeStatus(size_t slot, const Frame& frame, int64_t now_us);
  void OnSealReply(size_t slot, const Frame& frame, int64_t now_us);
  void OnTruncateReply(size_t slot, const Frame& frame, int64_t now_us);
  void OnFetchReply(size_t slot, const Frame& frame, int64_t now_us);
  void OnAppendReply(size_t slot, const Frame& frame, int64_t now_us);
  void OnFenced(size_t slot, VolumeEpoch by, int64_t now_us);
  void TakeProgress(size_t slot, PgId pg, Lsn scl);
  void Decide(int64_t now_us);
  void CheckReplicated(int64_t now_us);
  void PushMissing(int64_t now_us);
  void StartPush(PgId pg, size_t to, int64_t now_us);
  SegmentSet HoldersOf(PgId pg) const;
  Frame TruncationFrame() const;
  void Fail(Status status);
  void Report();

  const Geometry& geometry_;
  const OpenerLimits limits_;
  const OpenRequest request_;
  NodeLink& link_;
  RequestIds& ids_;
  Random random_;
  const std::function<void(const OpenProgress&)> on_progress_;
  State state_ = State::kProbing;
  VolumeEpoch epoch_;
  VolumeEpoch highest_seen_;
  int epoch_raises_ = 0;
  std::optional<VolumeEpoch> raise_to_;  // begin again with this one when the pause is over
  int64_t repeat_at_us_ = 0;
  std::vector<NodeState> nodes_;
  RecoveryPoint point_;
  std::map<std::pair<PgId, size_t>, Push> pushes_;
  Status failure_;
  std::string last_report_;
};

}  // namespace borealis::storage_client
