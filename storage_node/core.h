// The inside of Node: its state, and the parts its code falls into.
//
//   node.cc          the public face, works, manifest writes, going out of service
//   node_open.cc     start: manifest, layers, journal; salvage after damage
//   node_append.cc   appends, group commit, acknowledgement
//   node_opening.cc  seal and truncate; status
//   node_read.cc     pages out, to instances
//   node_fetch.cc    records and pages out, to peers
//   node_geometry.cc versions of the geometry; segments that come and go with seats
//   node_gossip.cc   peers: status, catching up record by record
//   node_mend.cc     when an amnesiac may promise again
//   node_copy.cc     copying a segment's pages from its peers
//   node_layers.cc   tables into layers, merging, journal space
//   node_retention.cc what merging may drop, and who says so
//   node_scrub.cc    reading everything once in a while
// One thread; continuations of works run on it.
#pragma once

#include <deque>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "storage_node/journal.h"
#include "storage_node/manifest.h"
#include "storage_node/node.h"
#include "storage_node/node_state.h"
#include "storage_node/page_cache.h"
#include "storage_node/repair_budget.h"
#include "storage_node/segment.h"
#include "volume/message_type.h"
#include "volume/messages.pb.h"

namespace borealis::storage_node {

struct PageBuild;

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

  using Held = HeldSegment;
  using Volume = HeldVolume;
  using Leaving = LeavingSegment;
  using Dialogue = PeerDialogue;
  using Peer = PeerState;
  using Scrub = ScrubState;
  using Waiter = AppendWaiter;
  using Copy = SegmentCopy;

  // node.cc
  void Start(Lane lane, std::function<Status()> work, Continuation then);
  void OutOfService(const std::string& reason, bool reads_too);
  // Why seals, truncates and geometries are refused; empty when they are served.
  std::string RefusesPromises() const;
  std::string RefusesAppends() const;
  Volume& VolumeFor(VolumeId id);
  Held& SegmentFor(Volume& volume, PgId pg);
  Held* FindSegment(VolumeId volume, PgId pg);
  static VolumeRecord Describe(const Volume& volume);
  Manifest DescribeAll() const;
  // Writes the manifest as the node is now, or a little later; `then` runs when it is durable.
  void WriteManifest(std::function<void()> then);
  void StartManifestWrite();
  NodeCounters CountSpace() const;
  int64_t now() const { return clock_.NowUs(); }

  // node_open.cc
  Status LoadManifest(bool* blank);
  Status LoadLayers(const Manifest& manifest);
  Status ReplayBatch(const std::shared_ptr<JournalBatch>& batch, const BatchView& view);
  Status Salvage(const std::string& damage);
  void RemoveOrphans();

  // node_append.cc
  void OnAppend(PeerId from, const Frame& frame);
  std::string TakeParts(Volume& volume, const msg::AppendRequest& request, const Frame& frame);
  std::string VerifyRecords(const Volume& volume, std::string_view bytes, PgId pg,
                            VolumeEpoch epoch_max);
  void GatherRecords(Volume& volume, PgId pg, std::span<const RecordView> records);
  void Flush();
  void CloseJournal(int64_t now_us);
  void WriteBatch(const std::shared_ptr<JournalBatch>& batch);
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
  struct PagesAnswer;
  void OnReadPages(PeerId from, const Frame& frame);
  msg::Outcome ReadOne(const msg::ReadPagesRequest& request, const msg::PageWanted& wanted,
                       PagesAnswer* answer);
  void SendPages(PagesAnswer* answer);
  void NoteDamage(VolumeId volume, const PageBuild& build);
  static bool UsesAnyOf(const Segment& segment, const std::vector<std::shared_ptr<Layer>>& layers);
  void MakeTableImages(Segment& segment);
  void MakeImagesDue();
  void AddTableImage(VolumeId volume, PgId pg, PageBuild* build, uint64_t drops);
  void NoteDamage(Segment& segment, const Status& why);

  // node_fetch.cc
  struct RecordsAnswer;
  struct CopiesAnswer;
  void OnFetchRecords(PeerId from, const Frame& frame);
  msg::Outcome BeginRecords(const msg::FetchRecordsRequest& request, RecordsAnswer* answer);
  void SendRecords(RecordsAnswer* answer);
  void OnFetchPages(PeerId from, const Frame& frame);
  msg::Outcome BeginCopies(const msg::FetchPagesRequest& request, CopiesAnswer* answer);
  void SendCopies(CopiesAnswer* answer);

  // node_geometry.cc
  void OnGeometryUpdate(PeerId from, const Frame& frame);
  bool LearnGeometry(Volume& volume, const KnownGeometry& told);
  bool HoldsWhatItForgot(const Volume& volume, const Geometry& before, const Geometry& now) const;
  void ActOn(Volume& volume, const KnownGeometry& known);
  void DropUnseated(Volume& volume);
  void Leave(Volume& volume, PgId pg);
  void BuryLeaving();
  bool IsGathered(const Segment& segment) const;
  // Whether records of the group are to be kept here, by what is durable.
  bool HasSeat(const Volume& volume, PgId pg) const;
  Role RoleIn(const Volume& volume, PgId pg) const;
  // By a geometry, or as configured, a node that may be listened to.
  bool IsKnownNode(VolumeId volume, NodeId node) const;
  void SendGeometry(PeerId to, const Volume& volume);

  // node_gossip.cc
  void SendGossip();
  void SendVolumeGossip(Volume& volume, bool everybody);
  Frame StatusFrame(msg::GossipStatus status) const;
  Frame NextStatus(const Volume& volume, NodeId to, const std::vector<PgId>& pgs, bool is_all);
  msg::GossipStatus StatusOf(const Volume& volume, const std::vector<PgId>& pgs) const;
  void OnGossip(PeerId sender, const Frame& frame);
  void TakeStatus(Volume& volume, NodeId from, const msg::GossipStatus& status);
  bool Answer(PeerId sender, NodeId from, const msg::GossipStatus& status);
  void CatchUpAll(int64_t now_us);
  void CatchUp(Volume& volume, PgId pg, Held& held, int64_t now_us);
  bool WantsPages(const Held& held, int64_t now_us) const;
  void CatchUpByPages(Volume& volume, PgId pg, Held& held);
  void Fetch(Volume& volume, PgId pg, Held& held, int64_t now_us);
  static std::vector<std::pair<Lsn, NodeId>> PeersAhead(const Held& held, Lsn scl);
  void OnFetchRecordsReply(const Frame& frame);
  static Lsn HighestAtPeers(const Held& held);

  // node_mend.cc
  void TryMend();
  bool KnowsVolumes() const;
  bool KnowsGeometry(const Volume& volume) const;
  bool IsMended(const Volume& volume, PgId pg, const Held& held) const;
  using HasTold = std::function<bool(NodeId, const Peer&)>;
  bool EnoughTold(const std::vector<NodeId>& nodes, const HasTold& has_told) const;

  // node_copy.cc
  void StartCopy(Volume& volume, PgId pg, Held& held, Lsn wanted);
  void PumpCopy(const std::shared_ptr<Copy>& copy);
  void ReplaceSlowPeers(Copy& copy, int64_t now_us);
  void FailPiece(Copy& copy, CopyPiece& piece);
  void AskPieces(Copy& copy, int64_t now_us);
  bool AskPiece(Copy& copy, CopyPiece& piece, int64_t now_us);
  void OnFetchPagesReply(const Frame& frame);
  std::string TakePages(Copy& copy, CopyPiece& piece, const msg::FetchPagesReply& reply,
                        const Frame& frame);
  bool BeginCopy(Copy& copy, const msg::FetchPagesReply& reply);
  void PlanOn(Copy& copy, CopyPiece& piece, const msg::FetchPagesReply& reply);
  void WritePiece(const std::shared_ptr<Copy>& copy);
  void FinishCopy(const std::shared_ptr<Copy>& copy);
  void InstallCopy(const std::shared_ptr<Copy>& copy, std::shared_ptr<Layer> layer);
  void AbandonCopy(std::shared_ptr<Copy> copy, const std::string& why);
  double PartCopied(const Copy& copy) const;

  // node_layers.cc
  void StartLayerWork();
  bool StartTable();
  bool StartMerge();
  bool StartCollection();
  void MakeLayerOfTable(Held& held);
  void MergeInto(Held& held, size_t begin, size_t end, uint32_t level);
  void RunMerge(Held& held, struct MergePlan plan, std::vector<uint64_t> replaced, Lsn cut);
  void RemoveLayerFiles(const std::vector<uint64_t>& numbers);
  uint64_t CountMemoryBytes() const;

  // node_retention.cc
  void OnRetention(PeerId from, const Frame& frame);
  msg::Outcome TakeHold(Volume& volume, const msg::RetentionRequest& request, std::string* reason);
  static Lsn ReadLine(const Segment& segment);
  Lsn RecordLine(const Held& held, Lsn end) const;

  // node_scrub.cc
  void StepScrub(int64_t now_us);
  void BeginScrubCycle();
  Segment* ScrubSegment(const ScrubTarget& target);
  void EndScrubTarget();
  void PaceScrub(uint64_t bytes);
  void ScrubLayer(const ScrubTarget& target);
  void ScrubJournal(uint64_t file);

  const NodeConfig config_;
  NodeEnvironment& environment_;
  FileSystem& files_;
  const Clock& clock_;
  bool opened_ = false;
  bool amnesiac_ = false;
  bool mended_as_holder_ = false;  // an amnesiac only for segments that it is to succeed to
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
  int64_t flushed_at_us_ = 0;
  bool journal_ends_open_ = false;    // no empty batch follows the last one yet
  std::vector<RecordView> verified_;  // of the request at hand; kept for its capacity

  // Of records in tables: as last counted, and what has come since.
  uint64_t memory_bytes_ = 0;
  uint64_t next_layer_ = 1;
  bool layer_work_under_way_ = false;
  int64_t layer_not_before_us_ = 0;
  int64_t collect_not_before_us_ = 0;
  Scrub scrub_;
  uint64_t suspect_journal_file_ = 0;  // it and older ones are to be needed no more
  uint64_t journal_last_written_ = 0;
  uint64_t journal_first_written_ = 1;
  bool manifest_under_way_ = false;
  bool manifest_wanted_ = false;
  std::vector<std::function<void()>> manifest_waiters_;

  std::map<NodeId, Peer> peers_;
  std::list<std::shared_ptr<Leaving>> leaving_;
  int64_t next_gossip_us_ = 0;
  int64_t next_walk_us_ = 0;
  uint64_t gossip_round_ = 0;
  uint64_t free_bytes_ = 0;  // of the disk, as last asked
  int64_t next_free_bytes_us_ = 0;
  uint64_t next_fetch_ = 1;
  RepairBudget repair_budget_;
  size_t copies_under_way_ = 0;
  size_t fetches_under_way_ = 0;  // about; counted anew at each tick
  NodeCounters counters_;
};

}  // namespace borealis::storage_node
