// Peers: who has what, catching up record by record, and mending an amnesiac.
#include "base/fault.h"
#include "base/obs/log.h"
#include "storage_node/core.h"

namespace borealis::storage_node {

namespace {
// A peer that is behind us is told so at once, but not more often than this.
constexpr int64_t kAnswerIntervalUs = 10'000;
}  // namespace

std::vector<Frame> Node::Core::GossipFrames() const {
  std::vector<Frame> frames;
  const auto add = [&](msg::GossipStatus& status) {
    status.set_from_node(config_.node.value());
    status.set_amnesiac(amnesiac_);
    status.set_volume_count(static_cast<uint32_t>(volumes_.size()));
    frames.push_back(MakeFrame(MessageType::kGossipStatus, 0, status));
  };
  for (const auto& [id, volume] : volumes_) {
    msg::GossipStatus status;
    const VolumeState& state = volume->state;
    status.set_volume_id(id.value());
    status.set_volume_epoch(state.epoch.value());
    status.set_vdl_told(state.vdl_told.value());
    status.set_vdl_epoch(state.vdl_epoch.value());
    status.set_pgmrpl(state.pgmrpl.value());
    for (const auto& [pg, held] : volume->segments) {
      msg::SegmentProgress* progress = status.add_segments();
      progress->set_pg(pg.value());
      progress->set_scl(held.segment->scl().value());
    }
    for (const AnnulledRange& range : state.annulled) {
      msg::AnnulledRange* out = status.add_annulled();
      out->set_after(range.after.value());
      out->set_up_to(range.up_to.value());
      out->set_epoch(range.epoch.value());
    }
    add(status);
  }
  if (frames.empty()) {
    msg::GossipStatus nothing;  // a peer that mends wants to know that, too
    add(nothing);
  }
  return frames;
}

void Node::Core::SendGossip() {
  const std::vector<Frame> frames = GossipFrames();
  for (const NodeId peer : config_.peers) {
    for (const Frame& frame : frames) {
      environment_.SendToNode(peer, frame);
    }
  }
}

void Node::Core::OnGossip(const Frame& frame) {
  msg::GossipStatus status;
  if (!opened_ || !out_of_service_.empty() ||
      !status.ParseFromArray(frame.body.data(), static_cast<int>(frame.body.size()))) {
    return;
  }
  const NodeId from(status.from_node());
  if (std::find(config_.peers.begin(), config_.peers.end(), from) == config_.peers.end()) {
    return;
  }
  Peer& peer = peers_[from];
  peer.amnesiac = status.amnesiac();
  peer.volume_count = status.volume_count();
  bool is_behind = peer.amnesiac;
  if (status.volume_count() > 0) {
    Volume& volume = VolumeFor(VolumeId(status.volume_id()));
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
    peer.told[state.id] = true;
    for (const msg::SegmentProgress& progress : status.segments()) {
      const SegmentKey key{state.id, PgId(progress.pg())};
      const Lsn scl(progress.scl());
      peer.scls[key] = scl;
      const auto [least, fresh] = peer.least_scls.try_emplace(key, scl);
      least->second = std::min(least->second, scl);
      SegmentFor(volume, key.second);  // a group we have not heard of: there is something to fetch
    }
    for (const auto& [pg, held] : volume.segments) {
      const auto told = peer.scls.find({state.id, pg});
      is_behind |= told == peer.scls.end() || told->second < held.segment->scl();
    }
  }
  peer.heard = peer.told.size() >= peer.volume_count;
  const int64_t now_us = now();
  if (is_behind && now_us >= peer.answered_us + kAnswerIntervalUs) {
    peer.answered_us = now_us;
    for (Frame& answer : GossipFrames()) {
      environment_.SendToNode(from, std::move(answer));
    }
  }
  if (amnesiac_) {
    TryMend();
  }
}

Lsn Node::Core::HighestAtPeers(SegmentKey key) const {
  Lsn highest;
  for (const auto& [node, peer] : peers_) {
    const auto told = peer.scls.find(key);
    if (told != peer.scls.end()) {
      highest = std::max(highest, told->second);
    }
  }
  return highest;
}

void Node::Core::CatchUp(Volume& volume, PgId pg, Held& held, int64_t now_us) {
  Segment& segment = *held.segment;
  if (held.copy != nullptr) {
    return;
  }
  if (segment.damaged) {
    const Lsn needed = segment.layered_up_to();  // not 0, as there was a layer
    const auto able = PeersAhead({volume.state.id, pg}, needed - 1);
    if (now_us >= held.copy_not_before_us && !able.empty()) {
      StartCopy(volume, pg, held, able[held.fetch_attempts++ % able.size()].second, needed);
    }
    return;
  }
  const Lsn highest = HighestAtPeers({volume.state.id, pg});
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

// The peers that told of more than `scl`, the one with most first.
std::vector<std::pair<Lsn, NodeId>> Node::Core::PeersAhead(SegmentKey key, Lsn scl) const {
  std::vector<std::pair<Lsn, NodeId>> ahead;
  for (const auto& [node, peer] : peers_) {
    const auto told = peer.scls.find(key);
    if (told != peer.scls.end() && told->second > scl) {
      ahead.emplace_back(told->second, node);
    }
  }
  std::sort(ahead.rbegin(), ahead.rend());
  return ahead;
}

// Asks one of the peers that are ahead; another one at each attempt.
void Node::Core::Fetch(Volume& volume, PgId pg, Held& held, int64_t now_us) {
  const auto ahead = PeersAhead({volume.state.id, pg}, held.segment->scl());
  if (ahead.empty()) {
    return;
  }
  const auto& [scl, node] = ahead[held.fetch_attempts++ % ahead.size()];
  held.fetch_peer = node;
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
    if (++held->collected_answers < PeersAhead({volume.state.id, pg}, scl).size()) {
      Fetch(volume, pg, *held, now());
    } else if (now() >= held->copy_not_before_us) {
      held->collected_answers = 0;
      StartCopy(volume, pg, *held, held->fetch_peer, scl);
    }
    return;
  }
  if (reply.outcome() != msg::OK) {
    return;
  }
  held->collected_answers = 0;
  verified_.clear();
  for (const SharedBytes& attachment : frame.attachments) {
    const std::string reason = VerifyRecords(attachment.view(), pg, VolumeEpoch(~uint64_t{0}));
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
  waiter.then = [this, &volume, pg, held, scl_before] {
    if (held->segment->scl() > scl_before && held->segment->scl() < held->behind_target &&
        held->fetch_id == 0 && held->copy == nullptr) {
      held->fetch_attempts = 0;
      Fetch(volume, pg, *held, now());
    }
  };
  gathering_.waiters.push_back(std::move(waiter));
  if (!flush_under_way_) {
    Flush();
  }
}

// INV-NOD-7.
void Node::Core::TryMend() {
  if (!amnesiac_) {
    return;
  }
  size_t heard = 0;
  size_t trusted = 0;
  for (const NodeId node : config_.peers) {
    const auto peer = peers_.find(node);
    if (peer != peers_.end() && peer->second.heard) {
      ++heard;
      trusted += peer->second.amnesiac ? 0 : 1;
    }
  }
  if (heard < config_.peers.size() && trusted < config_.mend_answers) {
    return;
  }
  for (const auto& [id, volume] : volumes_) {
    if (volume->sealing_epoch > volume->state.epoch) {
      return;  // learnt from a peer, not durable yet
    }
  }
  for (const auto& [node, peer] : peers_) {
    for (const auto& [key, scl] : peer.least_scls) {
      const Held* held = FindSegment(key.first, key.second);
      if (held == nullptr || held->segment->scl() < scl) {
        return;
      }
    }
  }
  amnesiac_ = false;
  WriteManifest(nullptr);
  LOG_INFO("node {}: mended by {} peers", config_.node.value(), heard);
}

}  // namespace borealis::storage_node
