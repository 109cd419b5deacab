// Storage nodes and writers for tests of the client: nodes that keep promises in memory, a network
// that loses what a test tells it to lose, time that moves when a test says so.
//
// A scripted node does what docs/volume.md asks of one with the least means: it keeps records by
// group, epochs, annulled ranges and the highest geometry. It is no storage node: real ones are
// tested with the client in client_test.cc and in tests/sim.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/crc32c.h"
#include "base/invariant.h"
#include "storage_client/client_core.h"
#include "storage_client/message_frame.h"
#include "volume/edit.h"

namespace borealis::storage_client {

constexpr uint64_t kScriptedPagesPerPg = 10;

class ScriptedNode {
 public:
  explicit ScriptedNode(StorageNodeAddress self) : self_(std::move(self)) {}

  std::optional<Frame> Answer(const Frame& request) {
    switch (static_cast<MessageType>(request.type)) {
      case MessageType::kNodeStatusRequest:
        return OnStatus(request);
      case MessageType::kSealRequest:
        return OnSeal(request);
      case MessageType::kTruncateRequest:
        return OnTruncate(request);
      case MessageType::kGeometryUpdate:
        return OnGeometry(request);
      case MessageType::kAppendRequest:
        return OnAppend(request);
      case MessageType::kFetchRecordsRequest:
        return OnFetch(request);
      default:
        return std::nullopt;
    }
  }

  const StorageNodeAddress& self() const { return self_; }
  const Geometry& geometry() const { return geometry_; }
  bool knows_decided() const { return knows_decided_; }
  VolumeEpoch epoch() const { return epoch_; }
  bool Has(PgId pg) const { return records_.contains(pg) && !records_.at(pg).empty(); }
  Lsn Scl(PgId pg) const {
    Lsn scl;
    const auto group = records_.find(pg);
    if (group != records_.end()) {
      for (const auto& [end, record] : group->second) {
        if (record.back_link != scl) {
          break;
        }
        scl = end;
      }
    }
    return scl;
  }
  // Its disk is gone, and what it had is back from its peers; but for what only it had.
  void LoseAbove(PgId pg, Lsn lsn) {
    records_[pg].erase(records_[pg].upper_bound(lsn), records_[pg].end());
  }
  // What gossip does, all at once.
  void TakeFrom(const ScriptedNode& peer, PgId pg) {
    if (const auto group = peer.records_.find(pg); group != peer.records_.end()) {
      records_[pg].insert(group->second.begin(), group->second.end());
    }
  }
  bool IsMember(PgId pg) const {
    const std::optional<Slot> slot = geometry_.SlotOf(self_.node);
    return slot && geometry_.Has(pg) && (geometry_.group(pg).Members() & SegmentBit(*slot)) != 0;
  }

 private:
  struct Held {
    Lsn back_link;
    uint32_t length = 0;
    bool is_consistency_point = false;
    VolumeEpoch epoch;
    std::string bytes;
  };

  template <class Message>
  static Message Parse(const Frame& frame) {
    Message message;
    EXPECT_TRUE(ParseBody(frame, &message));
    return message;
  }
  template <class Reply>
  Frame Make(MessageType type, const Frame& to, Reply reply) const {
    reply.set_volume_epoch(epoch_.value());
    return MakeFrame(type, to.request_id, reply);
  }
  template <class Reply>
  void AddProgress(Reply* reply) const {
    for (const auto& [pg, group] : records_) {
      AddProgress(reply, pg);
    }
  }
  template <class Reply>
  void AddProgress(Reply* reply, PgId pg) const {
    msg::SegmentProgress* segment = reply->add_segments();
    segment->set_pg(pg.value());
    segment->set_scl(Scl(pg).value());
  }
  bool Keep(std::string_view bytes) {
    const Result<Geometry> told = ParseGeometry(bytes);
    EXPECT_TRUE(told.ok()) << told.status().ToString();
    if (!told.ok() || told->version <= geometry_.version) {
      return false;
    }
    geometry_ = *told;
    knows_decided_ = false;
    return true;
  }

  Frame OnStatus(const Frame& frame) {
    msg::NodeStatusReply reply;
    if (geometry_.Has(kRootGroup)) {
      reply.set_geometry(EncodeGeometry(geometry_));
    }
    return Make(MessageType::kNodeStatusReply, frame, reply);
  }

  Frame OnSeal(const Frame& frame) {
    const auto request = Parse<msg::SealRequest>(frame);
    msg::SealReply reply;
    const VolumeEpoch epoch(request.epoch());
    const bool is_bound = epoch == epoch_ && opener_ != request.opener_id();
    if (epoch < epoch_ || is_bound) {
      reply.set_outcome(msg::FENCED);
      return Make(MessageType::kSealReply, frame, reply);
    }
    epoch_ = epoch;
    opener_ = request.opener_id();
    for (const auto& [pg, group] : records_) {
      msg::SegmentState* segment = reply.add_segments();
      segment->set_pg(pg.value());
      segment->set_scl(Scl(pg).value());
      segment->set_vdl_told(vdl_told_.value());
      std::string tail;
      for (const auto& [end, record] : group) {
        if (end <= vdl_told_) {
          segment->set_last_at_vdl_told(end.value());
        } else {
          AppendTailEntry(&tail, {end, record.length, record.is_consistency_point, record.epoch,
                                  record.back_link});
        }
      }
      segment->set_tail(tail);
    }
    *reply.mutable_annulled() = annulled_;
    if (geometry_.Has(kRootGroup)) {
      reply.set_geometry(EncodeGeometry(geometry_));
    }
    return Make(MessageType::kSealReply, frame, reply);
  }

  Frame OnTruncate(const Frame& frame) {
    const auto request = Parse<msg::TruncateRequest>(frame);
    msg::TruncateReply reply;
    const VolumeEpoch epoch(request.range().epoch());
    if (epoch < epoch_) {
      reply.set_outcome(msg::FENCED);
      return Make(MessageType::kTruncateReply, frame, reply);
    }
    epoch_ = epoch;
    annulled_ = request.annulled();
    Keep(request.geometry());
    for (auto& [pg, group] : records_) {
      std::erase_if(group, [&](const auto& held) {
        return std::any_of(annulled_.begin(), annulled_.end(), [&](const auto& span) {
          return held.first > Lsn(span.after()) && held.first <= Lsn(span.up_to());
        });
      });
    }
    AddProgress(&reply);
    return Make(MessageType::kTruncateReply, frame, reply);
  }

  Frame OnGeometry(const Frame& frame) {
    const auto request = Parse<msg::GeometryUpdate>(frame);
    msg::GeometryReply reply;
    if (VolumeEpoch(request.volume_epoch()) < epoch_) {
      reply.set_outcome(msg::FENCED);
      return Make(MessageType::kGeometryReply, frame, reply);
    }
    Keep(request.geometry());
    const Result<Geometry> told = ParseGeometry(request.geometry());
    if (request.decided() && told->version == geometry_.version) {
      knows_decided_ = true;
      std::erase_if(records_, [this](const auto& group) { return !IsMember(group.first); });
    }
    reply.set_version_epoch(geometry_.version.epoch.value());
    reply.set_version_number(geometry_.version.number);
    return Make(MessageType::kGeometryReply, frame, reply);
  }

  Frame OnAppend(const Frame& frame) {
    const auto request = Parse<msg::AppendRequest>(frame);
    msg::AppendReply reply;
    reply.set_free_bytes(uint64_t{1} << 40);
    if (VolumeEpoch(request.volume_epoch()) < epoch_) {
      reply.set_outcome(msg::FENCED);
      return Make(MessageType::kAppendReply, frame, reply);
    }
    for (const msg::AppendPart& part : request.parts()) {
      if (!IsMember(PgId(part.pg()))) {
        reply.set_outcome(msg::NOT_A_MEMBER);
        return Make(MessageType::kAppendReply, frame, reply);
      }
    }
    for (const SharedBytes& attachment : frame.attachments) {
      std::string_view rest = attachment.view();
      while (!rest.empty()) {
        const Result<RecordView> record = ParseRecord(rest);
        INVARIANT(record.ok());
        records_[record->pg][record->end] = {record->pg_back_link, record->length,
                                             record->is_consistency_point, record->epoch,
                                             std::string(record->bytes)};
        rest.remove_prefix(record->length);
      }
    }
    vdl_told_ = std::max(vdl_told_, Lsn(request.vdl()));
    if (request.parts().empty()) {
      AddProgress(&reply);
    }
    for (const msg::AppendPart& part : request.parts()) {
      AddProgress(&reply, PgId(part.pg()));
    }
    return Make(MessageType::kAppendReply, frame, reply);
  }

  Frame OnFetch(const Frame& frame) {
    const auto request = Parse<msg::FetchRecordsRequest>(frame);
    msg::FetchRecordsReply reply;
    reply.set_pg(request.pg());
    std::string bytes;
    for (const auto& [end, record] : records_[PgId(request.pg())]) {
      if (end > Lsn(request.after()) && end <= Lsn(request.up_to())) {
        bytes += record.bytes;
      }
    }
    Frame answer = Make(MessageType::kFetchRecordsReply, frame, reply);
    if (!bytes.empty()) {
      answer.attachments.emplace_back(std::move(bytes));
    }
    return answer;
  }

  const StorageNodeAddress self_;
  VolumeEpoch epoch_;
  uint64_t opener_ = 0;
  Geometry geometry_;
  bool knows_decided_ = false;
  Lsn vdl_told_;
  google::protobuf::RepeatedPtrField<msg::AnnulledRange> annulled_;
  std::map<PgId, std::map<Lsn, Held>> records_;
};

class ScriptedVolume;

// A client core in the scripted world.
class ScriptedWriter final : public NodeLink, private ClientEvents {
 public:
  ScriptedWriter(ScriptedVolume* world, uint64_t seed, bool may_make_the_volume);
  ~ScriptedWriter() override;

  // Tells the core of connections: to nodes that it has asked for, to one that is back.
  void ReportConnections();
  void ReportUp(NodeId node);
  void ConnectNode(size_t slot, const StorageNodeAddress& node) override;
  void SendToNode(size_t slot, Frame frame) override;

  ClientCore& core() { return *core_; }
  const std::optional<OpenedVolume>& opened() const { return opened_; }
  const Status& failure() const { return failure_; }
  const Geometry& geometry() const { return core_->geometry(); }
  Lsn Append(PageNo page);
  size_t SlotOf(NodeId node) const;
  NodeId NodeIn(size_t slot) const { return nodes_.at(slot); }
  size_t geometries_decided = 0;

 private:
  void OnOpened(const OpenedVolume& opened) override;
  void OnOpenFailed(Status status) override { failure_ = std::move(status); }
  void OnVdlAdvanced(Lsn, std::span<const PgTailAt>) override {}
  void OnGeometryDecided(const Geometry&) override { ++geometries_decided; }
  void OnFenced(Status status) override { failure_ = std::move(status); }

  ScriptedVolume* const world_;
  std::vector<NodeId> nodes_;  // by slot
  size_t reported_ = 0;        // of them, to the core
  ClientMetrics metrics_;
  std::optional<OpenedVolume> opened_;
  Status failure_;
  std::unique_ptr<LogBuffer> log_;
  std::unique_ptr<ClientCore> core_;
};

class ScriptedVolume {
 public:
  // `nodes_in_az` nodes in each of three AZs, numbered from 1 by AZ; seeds are all of them.
  explicit ScriptedVolume(uint32_t nodes_in_az) {
    for (uint32_t i = 0; i < 3 * nodes_in_az; ++i) {
      AddMachine(NodeId(i + 1), static_cast<char>('a' + i / nodes_in_az));
    }
    for (const auto& [id, node] : nodes_) {
      seeds.push_back(node.self());
    }
  }
  void AddMachine(NodeId id, char az) {
    nodes_.emplace(id, StorageNodeAddress{id, std::string(1, az), "", 0, false});
  }

  ScriptedNode& node(uint32_t number) { return nodes_.at(NodeId(number)); }
  std::map<NodeId, ScriptedNode>& nodes() { return nodes_; }

  // A writer; every node that is up is connected.
  std::unique_ptr<ScriptedWriter> NewWriter(bool may_make_the_volume = false) {
    auto writer = std::make_unique<ScriptedWriter>(this, ++last_seed_, may_make_the_volume);
    writers_.push_back(writer.get());
    writer->ReportConnections();
    return writer;
  }
  // An opened one, or a failed expectation.
  std::unique_ptr<ScriptedWriter> OpenWriter(bool may_make_the_volume = false) {
    auto writer = NewWriter(may_make_the_volume);
    Start(*writer);
    Settle(*writer);
    EXPECT_TRUE(writer->opened().has_value()) << writer->core().DescribeOpening();
    return writer;
  }
  void Start(ScriptedWriter& writer, VolumeEpoch epoch = VolumeEpoch(0)) {
    writer.core().StartOpen({epoch, ++last_seed_}, now_us);
  }

  bool IsUp(NodeId node) const { return !down.contains(node); }
  void TakeDown(uint32_t node) { down.insert(NodeId(node)); }
  void BringUp(uint32_t node) {
    down.erase(NodeId(node));
    for (ScriptedWriter* writer : writers_) {
      if (!gone.contains(writer)) {
        writer->ReportUp(NodeId(node));
      }
    }
  }

  void Post(ScriptedWriter* writer, NodeId node, Frame frame) {
    if (IsUp(node) && !(is_lost && is_lost(node, frame))) {
      under_way_.push_back({writer, node, std::move(frame)});
    }
  }
  // Delivers all that is under way, and what comes of it.
  void Run() {
    while (!under_way_.empty()) {
      const Message message = std::move(under_way_.front());
      under_way_.pop_front();
      if (!IsUp(message.node)) {
        continue;
      }
      if (delivered) {
        delivered(message.node, message.frame);
      }
      const std::optional<Frame> answer = nodes_.at(message.node).Answer(message.frame);
      if (answer.has_value() && !gone.contains(message.writer)) {
        message.writer->core().OnFrame(message.writer->SlotOf(message.node), *answer, now_us);
        message.writer->ReportConnections();
      }
    }
  }
  // Run, and a second and a half of the writer's timers.
  void Settle(ScriptedWriter& writer) {
    Run();
    const int64_t until_us = now_us + 1'500'000;
    while (writer.core().NextDeadlineUs() <= until_us) {
      now_us = std::max(now_us, writer.core().NextDeadlineUs());
      writer.core().OnTimer(now_us);
      Run();
    }
    now_us = until_us;
  }
  // What gossip would bring to `to` of the group, from every member.
  void Fill(uint32_t to, PgId pg) {
    for (const auto& [id, peer] : nodes_) {
      if (IsUp(id) && id != NodeId(to)) {
        node(to).TakeFrom(peer, pg);
      }
    }
  }

  std::vector<StorageNodeAddress> seeds;
  std::set<NodeId> down;
  std::set<const ScriptedWriter*> gone;
  std::function<bool(NodeId node, const Frame& frame)> is_lost;
  std::function<void(NodeId node, const Frame& frame)> delivered;
  int64_t now_us = 1'000'000;

 private:
  struct Message {
    ScriptedWriter* writer;
    NodeId node;
    Frame frame;
  };
  std::map<NodeId, ScriptedNode> nodes_;
  std::deque<Message> under_way_;
  std::vector<ScriptedWriter*> writers_;
  uint64_t last_seed_ = 0;
};

inline ScriptedWriter::ScriptedWriter(ScriptedVolume* world, uint64_t seed,
                                      bool may_make_the_volume)
    : world_(world) {
  VolumeSource source;
  source.seeds = world->seeds;
  if (may_make_the_volume) {
    source.make_new = VolumeSource::NewVolume{kScriptedPagesPerPg};
  }
  ClientEvents& events = *this;
  core_ = std::make_unique<ClientCore>(source, ClientLimits{}, *this, events, metrics_, seed);
}

inline ScriptedWriter::~ScriptedWriter() {
  world_->gone.insert(this);
}

inline void ScriptedWriter::ReportConnections() {
  while (reported_ < nodes_.size()) {
    ReportUp(nodes_[reported_++]);
  }
}

inline void ScriptedWriter::ReportUp(NodeId node) {
  const size_t slot = SlotOf(node);
  if (slot < nodes_.size() && world_->IsUp(node)) {
    core_->OnNodeUp(slot, world_->now_us);
  }
}

inline void ScriptedWriter::ConnectNode(size_t slot, const StorageNodeAddress& node) {
  nodes_.resize(std::max(nodes_.size(), slot + 1));
  nodes_[slot] = node.node;
}

inline void ScriptedWriter::SendToNode(size_t slot, Frame frame) {
  world_->Post(this, nodes_.at(slot), std::move(frame));
}

inline size_t ScriptedWriter::SlotOf(NodeId node) const {
  return static_cast<size_t>(std::find(nodes_.begin(), nodes_.end(), node) - nodes_.begin());
}

inline void ScriptedWriter::OnOpened(const OpenedVolume& opened) {
  opened_ = opened;
  std::map<PgId, Lsn> tails;
  for (const auto& [pg, group] : opened.groups) {
    tails[pg] = group.tail;
  }
  log_ = std::make_unique<LogBuffer>(opened.geometry.pages_per_pg, opened.epoch, opened.start,
                                     std::move(tails));
}

inline Lsn ScriptedWriter::Append(PageNo page) {
  std::string edits;
  AppendWriteEdit(&edits, 64, "something");
  RecordDraft draft;
  draft.page = page;
  draft.body = edits;
  const uint32_t crc = Crc32c(edits);
  const Lsn end = log_->Append({&draft, 1}, {&crc, 1}, world_->now_us, 0);
  core_->OnAppended(log_->Take(), world_->now_us);
  return end;
}

}  // namespace borealis::storage_client
