// The inside of Node: its state, and the parts its code falls into.
//
//   node.cc          the public face, works, manifest writes, going out of service
//   node_open.cc     start: manifest, layers, journal; salvage after damage
//   node_append.cc   appends, group commit, acknowledgement
//   node_opening.cc  seal and truncate; status
//   node_read.cc     pages and records out
//   node_gossip.cc   peers: status, catching up record by record, mending
//   node_copy.cc     copying a segment's pages from a peer when its records are gone or damaged
//   node_layers.cc   tables into layers, merging, journal space
// One thread; continuations of works run on it.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "storage_node/journal.h"
#include "storage_node/manifest.h"
#include "storage_node/node.h"
#include "storage_node/page_cache.h"
#include "storage_node/segment.h"
#include "volume/message_type.h"
#include "volume/messages.pb.h"

namespace borealis::storage_node {

template <class Message>
Frame MakeFrame(MessageType type, uint64_t request_id, const Message& message) {
  Frame frame;
  frame.type = static_cast<uint16_t>(type);
  frame.request_id = request_id;
  message.SerializeToString(&frame.body);
  return frame;
}

class Node::Core {
 public:
  Core(NodeConfig config, NodeEnvironment& environment, FileSystem& files, const Clock& clock);
  ~Core();

  Status Open();
  void OnFrame(PeerId from, Frame frame);
  void OnTimer();
  void OnWorkDone(uint64_t id, Status outcome);

 private:
  friend class Node;
  using SegmentKey = std::pair<VolumeId, PgId>;
  using Continuation = std::function<void(Status)>;

  // A copy of a segment's pages from a peer, under way.
  struct Copy;
  struct Held {
    std::unique_ptr<Segment> segment;
    // Catching up: a peer had `behind_target` when we had not, since then.
    Lsn behind_target;
    int64_t behind_since_us = 0;
    bool urgent = false;    // an opener waits: no patience
    uint64_t fetch_id = 0;  // of the fetch under way, 0 for none
    int64_t fetch_sent_us = 0;
    size_t fetch_attempts = 0;
    NodeId fetch_peer;
    size_t collected_answers = 0;  // peers in a row that have what we miss in images only
    std::shared_ptr<Copy> copy;
    int64_t copy_not_before_us = 0;
  };
  struct Volume {
    VolumeState state;
    std::map<PgId, Held> segments;
    // Seals under way: what the manifest that is being written says already.
    VolumeEpoch sealing_epoch;
    bool sealing_has_opener = false;
    uint64_t sealing_opener = 0;
    uint64_t append_count = 0;
  };
  struct Peer {
    std::map<SegmentKey, Lsn> scls;        // as last told
    std::map<SegmentKey, Lsn> least_scls;  // least told since we opened: what mending must reach
    std::map<VolumeId, bool> told;
    uint32_t volume_count = 0;
    bool heard = false;
    bool amnesiac = false;
    int64_t answered_us = 0;
  };

  // Appends on their way to the journal.
  struct PendingRecord {
    Segment* segment = nullptr;
    uint32_t offset = 0;
    uint32_t length = 0;
  };
  struct Waiter {
    PeerId peer = 0;  // none when `then` is set
    uint64_t request_id = 0;
    Volume* volume = nullptr;
    VolumeEpoch epoch;
    std::vector<PgId> pgs;
    std::function<void()> then;
  };
  struct Gathering {
    BatchBuilder builder;
    std::vector<PendingRecord> records;
    std::vector<Waiter> waiters;
    bool empty() const { return waiters.empty() && records.empty(); }
    void Clear() {
      records.clear();
      waiters.clear();
    }
  };

  // node.cc
  void Start(Lane lane, std::function<Status()> work, Continuation then);
  void OutOfService(const std::string& reason, bool reads_too);
  // Why seals, truncates and appends are refused; empty when they are served.
  std::string RefusesPromises() const;
  Volume& VolumeFor(VolumeId id);
  Held& SegmentFor(Volume& volume, PgId pg);
  Held* FindSegment(VolumeId volume, PgId pg);
  Manifest DescribeAll() const;
  // Writes the manifest as the node is now, or a little later; `then` runs when it is durable.
  void WriteManifest(std::function<void()> then);
  void StartManifestWrite();
  int64_t now() const { return clock_.NowUs(); }

  // node_open.cc
  Status LoadManifest(bool* blank);
  void LoadLayers(const Manifest& manifest);
  Status ReplayBatch(const std::shared_ptr<JournalBatch>& batch, const BatchView& view);
  Status Salvage(const std::string& damage);
  void RemoveOrphans();

  // node_append.cc
  void OnAppend(PeerId from, const Frame& frame);
  std::string TakeParts(Volume& volume, const msg::AppendRequest& request, const Frame& frame);
  std::string VerifyRecords(std::string_view bytes, PgId pg, VolumeEpoch epoch_max);
  void GatherRecords(Volume& volume, PgId pg, std::span<const RecordView> records);
  void Flush();
  void OnFlushed(const std::shared_ptr<JournalBatch>& batch, Status outcome);
  void IndexBatch(JournalBatch* batch);
  void Acknowledge(const Waiter& waiter);
  void RefuseAppend(PeerId to, uint64_t request_id, msg::Outcome outcome, VolumeEpoch epoch,
                    const std::string& reason);
  void NoteTold(Volume& volume, Lsn vdl, VolumeEpoch teller, Lsn pgmrpl);

  // node_opening.cc
  void OnSeal(PeerId from, const Frame& frame);
  void OnTruncate(PeerId from, const Frame& frame);
  void ReplySeal(PeerId to, uint64_t request_id, Volume& volume);
  void ReplyTruncate(PeerId to, uint64_t request_id, Volume& volume);
  void RaiseEpoch(Volume& volume, VolumeEpoch epoch, bool has_opener, uint64_t opener,
                  std::function<void()> then);
  // The annulled ranges of the volume changed.
  void ApplyAnnulled(Volume& volume);
  void OnNodeStatus(PeerId from, const Frame& frame);
  SegmentSummary Summarize(const Volume& volume, PgId pg, const Held& held) const;

  // node_read.cc
  void OnReadPages(PeerId from, const Frame& frame);
  msg::Outcome ReadOne(const msg::ReadPagesRequest& request, const msg::PageWanted& wanted,
                       msg::PageRead* reply, Page* page);
  void OnFetchRecords(PeerId from, const Frame& frame);
  void OnFetchPages(PeerId from, const Frame& frame);
  void NoteDamage(Segment& segment, const Status& why);

  // node_gossip.cc
  void SendGossip();
  std::vector<Frame> GossipFrames() const;
  void OnGossip(const Frame& frame);
  void CatchUp(Volume& volume, PgId pg, Held& held, int64_t now_us);
  void Fetch(Volume& volume, PgId pg, Held& held, int64_t now_us);
  std::vector<std::pair<Lsn, NodeId>> PeersAhead(SegmentKey key, Lsn scl) const;
  void OnFetchRecordsReply(const Frame& frame);
  Lsn HighestAtPeers(SegmentKey key) const;
  void TryMend();

  // node_copy.cc
  void StartCopy(Volume& volume, PgId pg, Held& held, NodeId from, Lsn wanted);
  void AskPages(const std::shared_ptr<Copy>& copy);
  void OnFetchPagesReply(const Frame& frame);
  void TakePages(const std::shared_ptr<Copy>& copy, const msg::FetchPagesReply& reply,
                 const Frame& frame);
  void FinishCopy(const std::shared_ptr<Copy>& copy);
  void AbandonCopy(std::shared_ptr<Copy> copy, const std::string& why);
  void CheckCopy(Held& held, int64_t now_us);

  // node_layers.cc
  void StartLayerWork();
  bool StartTable();
  bool StartMerge();
  void RunMerge(Held& held, struct MergePlan plan, std::vector<uint64_t> replaced, Lsn cut);
  void RemoveLayerFiles(const std::vector<uint64_t>& numbers);
  uint64_t MemoryBytes() const;

  const NodeConfig config_;
  NodeEnvironment& environment_;
  FileSystem& files_;
  const Clock& clock_;
  bool opened_ = false;
  bool amnesiac_ = false;
  std::string out_of_service_;
  bool reads_out_of_service_ = true;  // until opened

  uint64_t next_work_ = 1;
  std::map<uint64_t, Continuation> works_;

  Journal journal_;
  std::map<VolumeId, std::unique_ptr<Volume>> volumes_;
  PageCache cache_;
  Gathering gathering_;  // the next batch
  Gathering flushing_;   // the one under way
  bool flush_under_way_ = false;
  std::vector<RecordView> verified_;  // of the request at hand; kept for its capacity

  uint64_t next_layer_ = 1;
  bool layer_work_under_way_ = false;
  int64_t layer_not_before_us_ = 0;
  uint64_t journal_last_written_ = 0;
  uint64_t journal_first_written_ = 1;
  bool manifest_under_way_ = false;
  bool manifest_wanted_ = false;
  std::vector<std::function<void()>> manifest_waiters_;

  std::map<NodeId, Peer> peers_;
  int64_t next_gossip_us_ = 0;
  uint64_t next_fetch_ = 1;
  NodeCounters counters_;
};

}  // namespace borealis::storage_node
