// Page reads: which segment to ask, when to ask a second one, whom to believe.
//
// Any segment whose SCL has reached the group's last record at or under the read point can answer
// alone. SCLs are known from acknowledgements (the writer) or from earlier answers (a reader), so a
// read is normally one request to the node that answered fastest of late. When it is slower than it
// is nineteen times in twenty, a second node is asked and the first answer counts; now and then a
// random node is asked, so that the estimates stay fresh. Every image is verified before it is
// handed out: checksum, and an LSN at or under the read point.
//
// Not thread-safe. Callbacks may start new reads.
// INV-VOL-5  A page is taken only from a segment that says its SCL has reached the needed LSN.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "base/os/random.h"
#include "base/shared_bytes.h"
#include "base/status.h"
#include "base/types.h"
#include "storage_client/client_metrics.h"
#include "storage_client/node_link.h"
#include "storage_client/pg_tails.h"
#include "volume/geometry.h"

namespace borealis::msg {
class ReadPagesReply;
}

namespace borealis::storage_client {

struct ReadLimits {
  int64_t hedge_min_us = 1'000;
  int64_t hedge_max_us = 200'000;
  int64_t attempt_timeout_us = 500'000;
  int64_t round_pause_us = 10'000;
  int64_t round_pause_max_us = 250'000;
  // After this long without an answer the read fails with kUnavailable.
  int64_t give_up_us = 30'000'000;
  // The same for a group of which the last read that ended has failed so: who has waited once need
  // not wait as long for each page.
  int64_t give_up_again_us = 3'000'000;
  double sample_chance = 1.0 / 32;
};

// Called once. On success images[i] is the kPageSize bytes of the i-th page asked for.
using ReadDone = std::function<void(Status, std::vector<SharedBytes> images)>;

class PageReadScheduler {
 public:
  // The SCL of a segment as far as it is known, and the members of a group that may be asked.
  using SclOf = std::function<Lsn(PgId pg, size_t slot)>;
  using MayAsk = std::function<SegmentSet(PgId pg)>;
  using OnScl = std::function<void(PgId pg, size_t slot, Lsn scl, uint64_t request_id)>;

  // `geometry` may change between calls, in the slots of one NodeTable.
  PageReadScheduler(const Geometry& geometry, const ReadLimits& limits, SclOf scl_of,
                    MayAsk may_ask, OnScl on_scl, NodeLink& link, RequestIds& ids,
                    ClientMetrics& metrics, uint64_t seed);

  void SetEpoch(VolumeEpoch epoch) { epoch_ = epoch; }
  // Reads `pages`, all of one group, as of `read_point`; `tails` says what that asks of a segment.
  void Start(std::vector<PageNo> pages, Lsn read_point, const PgTails& tails, ReadDone done,
             int64_t now_us);
  void OnReply(size_t slot, uint64_t request_id, const msg::ReadPagesReply& reply,
               std::span<const SharedBytes> attachments, int64_t now_us);
  // Answers that were under way to this node will not come.
  void OnNodeDown(size_t slot, int64_t now_us);
  void OnTimer(int64_t now_us);
  int64_t NextDeadlineUs() const;
  // Every read under way fails with `status`.
  void FailAll(const Status& status);

  size_t active() const { return reads_.size(); }
  int64_t smoothed_latency_us(size_t slot) const {
    return static_cast<int64_t>(nodes_[slot].mean_us);
  }

 private:
  // Pages of one group at one read point.
  struct PageRead {
    std::vector<PageNo> pages;
    PgId pg;
    Lsn read_point;
    Lsn needed;  // the SCL that a segment must have to answer
    ReadDone done;
  };
  struct Attempt {
    uint64_t request_id = 0;
    size_t slot = 0;
    int64_t sent_us = 0;
    std::vector<size_t> wanted;  // indexes into PageRead::pages
  };
  struct ActiveRead {
    PageRead read;
    std::vector<std::optional<SharedBytes>> images;
    std::vector<Attempt> attempts;  // unanswered
    SegmentSet tried = 0;           // slots asked in this round
    int64_t next_action_us = 0;
    int64_t pause_us = 0;
    int64_t give_up_us = 0;
    size_t collected = 0;  // refusals because the version is gone
    std::string last_refusal;
  };
  struct NodeLatency {
    double mean_us = 2'000;
    double deviation_us = 2'000;
  };
  using Reads = std::map<uint64_t, ActiveRead>;

  void TryNext(uint64_t id, int64_t now_us);
  std::optional<size_t> Choose(const ActiveRead& active);
  void Send(uint64_t id, ActiveRead* active, size_t slot, int64_t now_us);
  void EndRound(ActiveRead* active, int64_t now_us);
  bool TakeImages(ActiveRead* active, const Attempt& attempt, const msg::ReadPagesReply& reply,
                  std::span<const SharedBytes> attachments);
  void NoteLatency(size_t slot, int64_t latency_us);
  void Finish(Reads::iterator at, Status status, int64_t now_us);
  int64_t HedgeDelayUs(size_t slot) const;

  const Geometry& geometry_;
  const ReadLimits limits_;
  const SclOf scl_of_;
  const MayAsk may_ask_;
  const OnScl on_scl_;
  NodeLink& link_;
  RequestIds& ids_;
  ClientMetrics& metrics_;
  Random random_;
  VolumeEpoch epoch_;
  uint64_t last_read_ = 0;
  Reads reads_;
  std::set<PgId> unreadable_;  // the last read that ended was given up
  std::map<uint64_t, uint64_t> read_of_request_;
  std::array<NodeLatency, kSlotsMax> nodes_;
};

}  // namespace borealis::storage_client
