// Opening a volume: fence the old writer, find where the log ends, annul what lies beyond, make the
// rest durable at write quorum. No log is replayed; time grows with groups and records in flight.
//
//   kProbing --root group's read quorum tells epochs--> kSealing --see below--> kTruncating
//   (only when the epoch is to be chosen)             FindRecoveryPoint()            |
//        kOpen <--every group replicated to its write quorum-- kReplicating <--write quorum of
//                                                                       every group truncated
//   and from every state to kFailed, when higher epochs make a group's write quorum impossible.
//
// Sealing ends when a read quorum of every group is sealed, which finds the end of the log, and a
// write quorum of the root group, which is the claim to the epoch (a node binds an epoch to one
// opener) and to the geometry.
//
// The geometry worked with is the highest version in any answer. It is the decided one or a
// proposal made from it (docs/volume.md), and either will do: neighbouring versions' quorums meet,
// in the root group and in every other. So a read quorum by it finds every acknowledged record, a
// sealed one lets no writer of the version before acknowledge another, and two openers that work
// with neighbouring versions cannot both have the root group. The truncation repeats the geometry
// under the new epoch; decided by its own write quorum, it ends every proposal of lower epochs. A
// version that turns up while sealing may bring more groups and nodes; they are sealed, too. Only
// holders' answers count for read quorums: a successor may lack what was acknowledged before it
// came.
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
#include <string_view>
#include <vector>

#include "base/net/frame.h"
#include "base/os/random.h"
#include "base/result.h"
#include "storage_client/node_link.h"
#include "storage_client/node_table.h"
#include "storage_client/recovery_point.h"
#include "volume/geometry.h"

namespace borealis::storage_client {

struct OpenerLimits {
  int64_t repeat_us = 100'000;
  int64_t push_timeout_us = 500'000;
  uint32_t push_bytes = 4u << 20;
  // How often an opener that chooses its own epoch may raise it before it gives way.
  int epoch_raises_max = 4;
  // When replication comes no further for so long, though nodes enough take part, it begins anew;
  // twice as long each time.
  int64_t stuck_us = 3'000'000;
};

// What an instance is told of the volume before it has asked a storage node.
struct VolumeSource {
  VolumeId volume{1};
  std::vector<StorageNodeAddress> seeds;
  // Only when it is set may the volume be made, by whoever finds that a read quorum of its first
  // group (which follows from the seeds) knows no geometry.
  struct NewVolume {
    uint64_t pages_per_pg = kPagesPerPgDefault;
  };
  std::optional<NewVolume> make_new;
};

struct OpenRequest {
  VolumeEpoch epoch;       // 0: one above the highest seen
  uint64_t opener_id = 0;  // random, not 0
};

struct OpenedGroup {
  Lsn tail;
  std::vector<Lsn> scls;  // by slot
};

struct OpenedVolume {
  VolumeEpoch epoch;
  Lsn vdl;
  Lsn start;                           // the first record begins here
  Geometry geometry;                   // decided by the opening
  std::map<PgId, OpenedGroup> groups;  // all of the geometry
  SegmentSet ready = 0;                // nodes that acknowledged the truncation
  Frame truncation;                    // for the others
};

struct OpenProgress {
  std::string step;  // "sealing: 2 of 6 storage nodes answered, …"
  int answered = 0;
  int nodes = 0;
};

class Opener {
 public:
  // `nodes` gets the nodes that only the geometry names.
  Opener(const VolumeSource& source, const OpenerLimits& limits, OpenRequest request,
         NodeTable& nodes, NodeLink& link, RequestIds& ids, uint64_t seed,
         std::function<void(const OpenProgress&)> on_progress);

  void Start(int64_t now_us);
  void OnFrame(size_t slot, const Frame& frame, int64_t now_us);
  void OnNodeUp(size_t slot, int64_t now_us);
  void OnTimer(int64_t now_us);
  int64_t NextDeadlineUs() const { return is_done() ? kNeverUs : repeat_at_us_; }

  bool is_done() const { return state_ == State::kOpen || state_ == State::kFailed; }
  // REQUIRES: is_done().
  Result<OpenedVolume> TakeResult();
  // "sealing epoch 3: protection group 2: 2 of 6 segments answered, 3 needed; waiting": why it is
  // not open yet.
  std::string Describe() const;

 private:
  enum class State : uint8_t { kProbing, kSealing, kTruncating, kReplicating, kOpen, kFailed };
  struct NodeState {
    bool is_fenced = false;
    std::optional<NodeAnswer> sealed;
    bool is_truncated = false;
    std::map<PgId, Lsn> scls;  // since it truncated
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

  using Quorum = QuorumExpression QuorumPair::*;

  template <class Predicate>
  SegmentSet Slots(Predicate predicate) const;
  SegmentSet Truncated() const;
  // The first group whose quorum `have` does not satisfy.
  std::optional<PgId> FirstWithout(Quorum quorum, SegmentSet have) const;
  bool HasRoot(Quorum quorum, SegmentSet have) const;
  bool HasAll(Quorum quorum, SegmentSet have) const;
  void ProposeFirstGeometry(const VolumeSource& source);
  void LearnGeometry(size_t slot, std::string_view bytes);
  void BeginSealing(VolumeEpoch epoch, int64_t now_us);
  void SendStep(size_t slot);
  void SendAll(int64_t now_us);
  void OnNodeStatus(size_t slot, const Frame& frame, int64_t now_us);
  void OnSealReply(size_t slot, const Frame& frame, int64_t now_us);
  void OnTruncateReply(size_t slot, const Frame& frame, int64_t now_us);
  void OnFetchReply(size_t slot, const Frame& frame, int64_t now_us);
  void OnAppendReply(size_t slot, const Frame& frame, int64_t now_us);
  void OnFenced(size_t slot, VolumeEpoch by, int64_t now_us);
  void TakeProgress(size_t slot, PgId pg, Lsn scl, int64_t now_us);
  bool IsStuck(int64_t now_us) const;
  void BeginAnew(int64_t now_us);
  void CheckSealed(int64_t now_us);
  std::vector<NodeAnswer> AnswersOfMembers() const;
  void CheckReplicated();
  bool IsReplicated(PgId pg) const;
  void PushMissing(int64_t now_us);
  void StartPush(PgId pg, size_t to, int64_t now_us);
  // Members of the group that have all of it.
  SegmentSet CompleteOf(PgId pg) const;
  Frame TruncationFrame() const;
  void Fail(Status status);
  std::string DescribeQuorum(std::string_view step, std::optional<PgId> lacking, Quorum quorum,
                             SegmentSet have) const;
  void Report();

  const VolumeId volume_;
  const OpenerLimits limits_;
  const OpenRequest request_;
  NodeTable& table_;
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
  // The highest version heard of, or the first one of a volume to be made; without groups while
  // there is neither.
  Geometry geometry_;
  std::string no_geometry_ = "no storage node that answered knows the volume";
  std::vector<NodeState> nodes_;  // by slot
  RecoveryPoint point_;
  std::map<std::pair<PgId, size_t>, Push> pushes_;
  int64_t progressed_at_us_ = 0;
  int times_stuck_ = 0;
  Status failure_;
  std::string last_report_;
};

}  // namespace borealis::storage_client
