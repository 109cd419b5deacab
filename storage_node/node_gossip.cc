// Peers: who has what, and catching up record by record.
//
// Statuses go to the nodes that share groups with this one, of each group to its members only. They
// carry the segments that moved since the status before; all segments at the start, when a peer
// asks as it missed a status, and once in a while. Everybody else in the cluster hears now and then
// which geometry we know, so that versions spread where no groups are shared.
#include <algorithm>
#include <iterator>
#include <set>

#include "base/fault.h"
#include "base/obs/log.h"
#include "storage_node/core.h"

namespace borealis::storage_node {

namespace {
// A peer that asks is answered at once, but not more often than this.
constexpr int64_t kAnswerIntervalUs = 10'000;
// One round in so many goes to everybody, and tells each peer of all segments.
constexpr uint64_t kRoundsToTellAll = 20;
constexpr size_t kFetchesMax = 32;
}  // namespace

msg::GossipStatus Node::Core::StatusOf(const Volume& volume, const std::vector<PgId>& pgs) const {
  msg::GossipStatus status;
  const VolumeState& state = volume.state;
  status.set_volume_id(state.id.value());
  status.set_volume_epoch(state.epoch.value());
  status.set_vdl_told(state.vdl_told.value());
  status.set_vdl_epoch(state.vdl_epoch.value());
  status.set_pgmrpl(state.retention.read_points().value());
  status.set_geometry_epoch(state.geometry.version().epoch.value());
  status.set_geometry_number(state.geometry.version().number);
  status.set_geometry_decided(state.geometry.decided);
  for (const PgId pg : pgs) {
    msg::SegmentProgress* progress = status.add_segments();
    progress->set_pg(pg.value());
    progress->set_scl(volume.segments.at(pg).segment->scl().value());
  }
  for (const AnnulledRange& range : state.annulled) {
    msg::AnnulledRange* out = status.add_annulled();
    out->set_after(range.after.value());
    out->set_up_to(range.up_to.value());
    out->set_epoch(range.epoch.value());
  }
  return status;
}

Frame Node::Core::StatusFrame(msg::GossipStatus status) const {
  status.set_from_node(config_.node.value());
  status.set_amnesiac(amnesiac_);
  status.set_volume_count(static_cast<uint32_t>(volumes_.size()));
  return MakeFrame(MessageType::kGossipStatus, 0, status);
}

// A status of the volume for that peer.
Frame Node::Core::NextStatus(const Volume& volume, NodeId to, const std::vector<PgId>& pgs,
                             bool is_all) {
  Dialogue& dialogue = peers_[to].volumes[volume.state.id];
  msg::GossipStatus status = StatusOf(volume, pgs);
  status.set_sequence(++dialogue.sent);
  status.set_is_all(is_all);
  status.set_wants_all(dialogue.missed);
  return StatusFrame(std::move(status));
}

void Node::Core::SendGossip() {
  const bool everybody = ++gossip_round_ % kRoundsToTellAll == 0 || amnesiac_;
  for (const auto& [id, volume] : volumes_) {
    SendVolumeGossip(*volume, everybody);
  }
  if (volumes_.empty() && everybody) {
    for (const NodeId peer : config_.peers) {
      environment_.SendToNode(peer, StatusFrame({}));  // who mends wants to know that, too
    }
  }
}

void Node::Core::SendVolumeGossip(Volume& volume, bool everybody) {
  std::vector<PgId> moved;
  for (auto& [pg, held] : volume.segments) {
    if (held.gossiped != held.segment->scl()) {
      held.gossiped = held.segment->scl();
      moved.push_back(pg);
    }
  }
  for (const auto& [node, pgs] : volume.shared) {
    // Everything to one peer now, to another in a later round.
    const bool all = volume.tell_all || (gossip_round_ + node.value()) % kRoundsToTellAll == 0;
    std::vector<PgId> of_both;
    std::set_intersection(moved.begin(), moved.end(), pgs.begin(), pgs.end(),
                          std::back_inserter(of_both));
    environment_.SendToNode(node, NextStatus(volume, node, all ? pgs : of_both, all));
  }
  volume.tell_all = false;
  if (!everybody) {
    return;
  }
  std::set<NodeId> others(config_.peers.begin(), config_.peers.end());
  if (const auto& geometry = volume.state.geometry.value; geometry != nullptr) {
    for (const StorageNodeAddress& address : geometry->nodes) {
      others.insert(address.node);
    }
  }
  others.erase(config_.node);
  for (const NodeId other : others) {
    if (!volume.shared.contains(other)) {
      environment_.SendToNode(other, NextStatus(volume, other, {}, /*is_all=*/true));
    }
  }
}

void Node::Core::OnGossip(PeerId sender, const Frame& frame) {
  msg::GossipStatus status;
  if (!opened_ || !out_of_service_.empty() ||
      !status.ParseFromArray(frame.body.data(), static_cast<int>(frame.body.size()))) {
    return;
  }
  const NodeId from(status.from_node());
  Peer& peer = peers_[from];
  peer.amnesiac = status.amnesiac();
  peer.volume_count = status.volume_count();
  if (status.volume_count() > 0 && IsKnownNode(VolumeId(status.volume_id()), from)) {
    TakeStatus(VolumeFor(VolumeId(status.volume_id())), from, status);
  }
  peer.heard = static_cast<uint64_t>(std::count_if(
                   peer.volumes.begin(), peer.volumes.end(),
                   [](const auto& entry) { return entry.second.heard; })) >= peer.volume_count;
  const int64_t now_us = now();
  if (now_us >= peer.answered_us + kAnswerIntervalUs && Answer(sender, from, status)) {
    peer.answered_us = now_us;
  }
  TryMend();
}

void Node::Core::TakeStatus(Volume& volume, NodeId from, const msg::GossipStatus& status) {
  VolumeState& state = volume.state;
  std::vector<AnnulledRange> list;
  for (const msg::AnnulledRange& range : status.annulled()) {
    list.push_back({Lsn(range.after()), Lsn(range.up_to()), VolumeEpoch(range.epoch())});
  }
  if (state.AdoptList(std::move(list))) {
    COVER("node.annulled_by_gossip");
    ApplyAnnulled(volume);
    WriteManifest(nullptr);
  }
  NoteTold(volume, Lsn(status.vdl_told()), VolumeEpoch(status.vdl_epoch()), Lsn(status.pgmrpl()));
  const VolumeEpoch epoch(status.volume_epoch());
  if (epoch > std::max(state.epoch, volume.sealing_epoch)) {
    RaiseEpoch(volume, epoch, /*has_opener=*/false, 0, [] {});
  }
  Dialogue& dialogue = peers_[from].volumes[state.id];
  dialogue.heard = true;
  dialogue.version = {VolumeEpoch(status.geometry_epoch()), status.geometry_number()};
  dialogue.decided = status.geometry_decided();
  dialogue.missed =
      !status.is_all() && (dialogue.missed || status.sequence() != dialogue.received + 1);
  dialogue.received = status.sequence();
  const auto shared = volume.shared.find(from);
  for (const msg::SegmentProgress& progress : status.segments()) {
    const PgId pg(progress.pg());
    if (shared != volume.shared.end() &&
        std::binary_search(shared->second.begin(), shared->second.end(), pg)) {
      const Lsn scl(progress.scl());
      Told& told = volume.segments.at(pg).told.try_emplace(from, Told{scl, scl}).first->second;
      told.scl = scl;
      told.least = std::min(told.least, scl);
    }
  }
}

// Tells a peer at once what it asks for, and the geometry that it does not know. Whether there was
// anything.
bool Node::Core::Answer(PeerId sender, NodeId from, const msg::GossipStatus& status) {
  bool answered = false;
  for (const auto& [id, volume] : volumes_) {
    const bool is_this = status.volume_count() > 0 && VolumeId(status.volume_id()) == id;
    if (!is_this && !status.amnesiac()) {
      continue;
    }
    GeometryVersion told;
    if (is_this) {
      told = {VolumeEpoch(status.geometry_epoch()), status.geometry_number()};
    }
    if (volume->state.geometry.TellsMoreThan(told, is_this && status.geometry_decided())) {
      COVER("node.geometry_told_by_gossip");
      SendGeometry(sender, *volume);
      answered = true;
    }
    // One that knows a higher version sends it when it hears ours.
    if (status.amnesiac() || status.wants_all() || told > volume->state.geometry.version()) {
      const auto shared = volume->shared.find(from);
      environment_.Send(
          sender, NextStatus(*volume, from,
                             shared == volume->shared.end() ? std::vector<PgId>() : shared->second,
                             /*is_all=*/true));
      answered = true;
    }
  }
  if (volumes_.empty() && status.amnesiac()) {
    environment_.Send(sender, StatusFrame({}));
    answered = true;
  }
  return answered;
}

Lsn Node::Core::HighestAtPeers(const Held& held) {
  Lsn highest;
  for (const auto& [node, told] : held.told) {
    highest = std::max(highest, told.scl);
  }
  return highest;
}

void Node::Core::CatchUpAll(int64_t now_us) {
  fetches_under_way_ = 0;
  for (const auto& [id, volume] : volumes_) {
    for (const auto& [pg, held] : volume->segments) {
      fetches_under_way_ += held.fetch_id != 0 ? 1 : 0;
    }
  }
  for (auto& [id, volume] : volumes_) {
    for (auto& [pg, held] : volume->segments) {
      CatchUp(*volume, pg, held, now_us);
    }
  }
}

void Node::Core::CatchUp(Volume& volume, PgId pg, Held& held, int64_t now_us) {
  Segment& segment = *held.segment;
  if (held.copy != nullptr) {
    return PumpCopy(held.copy);
  }
  if (WantsPages(held, now_us)) {
    if (now_us >= held.copy_not_before_us) {
      CatchUpByPages(volume, pg, held);
    }
    if (segment.damaged || held.copy != nullptr) {
      return;
    }
  }
  const Lsn highest = HighestAtPeers(held);
  if (segment.scl() >= held.behind_target) {
    // What was missing has come.
    held.urgent &= held.behind_target == Lsn(0);
    held.behind_target = highest > segment.scl() ? highest : Lsn(0);
    held.behind_since_us = now_us;
    held.fetch_attempts = 0;
  }
  if (held.behind_target == Lsn(0) ||
      (held.fetch_id != 0 && now_us < held.fetch_sent_us + config_.fetch_timeout_us)) {
    return;
  }
  if (amnesiac_ || held.urgent || now_us >= held.behind_since_us + config_.gossip_patience_us) {
    Fetch(volume, pg, held, now_us);
  }
}

// Whether records alone do not help: a layer is bad, what we miss is merged away, or the segment is
// new and its group old. Above the VDL told there are records only.
bool Node::Core::WantsPages(const Held& held, int64_t now_us) const {
  const Segment& segment = *held.segment;
  const Lsn in_pages = std::min(HighestAtPeers(held), segment.volume().vdl_told);
  // The group itself may be new, and its first records on their way here.
  const bool is_patient =
      held.behind_target == Lsn(0) || now_us < held.behind_since_us + config_.gossip_patience_us;
  return segment.damaged || held.needs_pages ||
         (segment.scl() == Lsn(0) && in_pages.value() > config_.retain_log_bytes && !is_patient);
}

void Node::Core::CatchUpByPages(Volume& volume, PgId pg, Held& held) {
  const Segment& segment = *held.segment;
  const Lsn needed = segment.damaged ? segment.layered_up_to() : segment.scl();
  const Lsn highest = HighestAtPeers(held);
  held.needs_pages &= highest > needed;
  if (highest >= std::max(needed, Lsn(1))) {
    StartCopy(volume, pg, held, needed);
  }
}

// The peers that told of more than `scl`, the one with most first.
std::vector<std::pair<Lsn, NodeId>> Node::Core::PeersAhead(const Held& held, Lsn scl) {
  std::vector<std::pair<Lsn, NodeId>> ahead;
  for (const auto& [node, told] : held.told) {
    if (told.scl > scl) {
      ahead.emplace_back(told.scl, node);
    }
  }
  std::sort(ahead.rbegin(), ahead.rend());
  return ahead;
}

// Asks one of the peers that are ahead; another one at each attempt.
void Node::Core::Fetch(Volume& volume, PgId pg, Held& held, int64_t now_us) {
  const auto ahead = PeersAhead(held, held.segment->scl());
  if (ahead.empty()) {
    return;
  }
  if (!held.urgent && (fetches_under_way_ >= kFetchesMax || !repair_budget_.Allows(now_us))) {
    return;  // at a later tick
  }
  const auto& [scl, node] = ahead[held.fetch_attempts++ % ahead.size()];
  ++fetches_under_way_;
  held.fetch_id = next_fetch_++;
  held.fetch_sent_us = now_us;
  ++counters_.fetches;
  msg::FetchRecordsRequest request;
  request.set_volume_id(volume.state.id.value());
  request.set_pg(pg.value());
  request.set_after(held.segment->scl().value());
  request.set_up_to(scl.value());
  request.set_size_bytes_max(config_.fetch_bytes);
  environment_.SendToNode(node,
                          MakeFrame(MessageType::kFetchRecordsRequest, held.fetch_id, request));
}

void Node::Core::OnFetchRecordsReply(const Frame& frame) {
  msg::FetchRecordsReply reply;
  if (!opened_ || !out_of_service_.empty() ||
      !reply.ParseFromArray(frame.body.data(), static_cast<int>(frame.body.size()))) {
    return;
  }
  const PgId pg(reply.pg());
  Held* held = FindSegment(VolumeId(reply.volume_id()), pg);
  if (held == nullptr || held->fetch_id == 0 || held->fetch_id != frame.request_id) {
    return;  // late
  }
  held->fetch_id = 0;
  Volume& volume = VolumeFor(VolumeId(reply.volume_id()));
  if (reply.outcome() == msg::COLLECTED) {
    COVER("node.fetch_collected");
    const Lsn scl = held->segment->scl();
    if (++held->collected_answers < PeersAhead(*held, scl).size()) {
      Fetch(volume, pg, *held, now());
    } else {
      held->collected_answers = 0;
      held->needs_pages = true;
    }
    return;
  }
  if (reply.outcome() != msg::OK) {
    return;
  }
  held->collected_answers = 0;
  verified_.clear();
  for (const SharedBytes& attachment : frame.attachments) {
    repair_budget_.Spend(attachment.size());
    const std::string reason =
        VerifyRecords(volume, attachment.view(), pg, VolumeEpoch(~uint64_t{0}));
    if (!reason.empty()) {
      LOG_WARN("node {}: fetched records refused: {}", config_.node.value(), reason);
      return;
    }
  }
  const size_t before = gathering_.records.size();
  GatherRecords(volume, pg, verified_);
  if (gathering_.records.size() == before) {
    return;
  }
  COVER("node.fetched_records");
  const Lsn scl_before = held->segment->scl();
  Waiter waiter;
  waiter.volume = &volume;
  waiter.then = [this, &volume, pg, scl_before] {
    Held* after = FindSegment(volume.state.id, pg);
    if (after != nullptr && after->segment->scl() > scl_before &&
        after->segment->scl() < after->behind_target && after->fetch_id == 0 &&
        after->copy == nullptr) {
      after->fetch_attempts = 0;
      Fetch(volume, pg, *after, now());
    }
  };
  gathering_.waiters.push_back(std::move(waiter));
  if (!flush_under_way_) {
    Flush();
  }
}

}  // namespace borealis::storage_node
