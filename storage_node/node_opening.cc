// What openers ask for: seal and truncate. And what people ask for: status.
#include <algorithm>

#include "base/fault.h"
#include "base/obs/log.h"
#include "storage_node/core.h"

namespace borealis::storage_node {

// Durable before `then`. The epoch counts from then on, so whatever is acknowledged to an older
// writer before is in the state that `then` tells.
void Node::Core::RaiseEpoch(Volume& volume, VolumeEpoch epoch, bool has_opener, uint64_t opener,
                            std::function<void()> then) {
  if (epoch > volume.sealing_epoch || (epoch == volume.sealing_epoch && has_opener)) {
    volume.sealing_epoch = epoch;
    volume.sealing_has_opener = has_opener;
    volume.sealing_opener = opener;
  }
  WriteManifest([&volume, epoch, has_opener, opener, then = std::move(then)] {
    VolumeState& state = volume.state;
    if (epoch > state.epoch || (epoch == state.epoch && has_opener && !state.has_opener)) {
      state.epoch = epoch;
      state.has_opener = has_opener;
      state.opener_id = opener;
    }
    then();
  });
}

void Node::Core::OnSeal(PeerId from, const Frame& frame) {
  msg::SealRequest request;
  msg::SealReply refusal;
  const auto refuse = [&](msg::Outcome outcome, VolumeEpoch epoch, const std::string& reason) {
    refusal.set_outcome(outcome);
    refusal.set_volume_epoch(epoch.value());
    refusal.set_reason(reason);
    environment_.Send(from, MakeFrame(MessageType::kSealReply, frame.request_id, refusal));
  };
  if (!request.ParseFromArray(frame.body.data(), static_cast<int>(frame.body.size()))) {
    return refuse(msg::MALFORMED, VolumeEpoch(0), "no SealRequest");
  }
  if (const std::string reason = RefusesPromises(); !reason.empty()) {
    return refuse(msg::OUT_OF_SERVICE, VolumeEpoch(0), reason);
  }
  Volume& volume = VolumeFor(VolumeId(request.volume_id()));
  const VolumeEpoch epoch(request.epoch());
  // The seal under way, if any, is as good as durable: of two openers one must be first.
  const bool sealing = volume.sealing_epoch >= volume.state.epoch && volume.sealing_has_opener;
  const VolumeEpoch known = std::max(volume.state.epoch, volume.sealing_epoch);
  const bool taken =
      (sealing && volume.sealing_opener != request.opener_id()) ||
      (!sealing && volume.state.has_opener && volume.state.opener_id != request.opener_id());
  if (epoch < known || (epoch == known && taken)) {
    COVER("node.seal_fenced");
    // By it the opener knows whether those who fence it are enough.
    refusal.set_geometry(volume.state.geometry.bytes);
    return refuse(msg::FENCED, volume.state.epoch,
                  epoch < known ? "a higher epoch is sealed here"
                                : "another opener has sealed this epoch here");
  }
  if (epoch == volume.state.epoch && volume.state.has_opener) {
    return ReplySeal(from, frame.request_id, volume);
  }
  RaiseEpoch(volume, epoch, /*has_opener=*/true, request.opener_id(),
             [this, from, id = frame.request_id, epoch, &volume] {
               LOG_INFO("node {}: volume {} sealed at epoch {}", config_.node.value(),
                        volume.state.id.value(), epoch.value());
               if (epoch == volume.state.epoch) {
                 ReplySeal(from, id, volume);
               }
             });
}

namespace {
template <class Reply>
void PutAnnulled(const VolumeState& state, Reply* reply) {
  for (const AnnulledRange& range : state.annulled) {
    msg::AnnulledRange* out = reply->add_annulled();
    out->set_after(range.after.value());
    out->set_up_to(range.up_to.value());
    out->set_epoch(range.epoch.value());
  }
}

AnnulledRange RangeOf(const msg::AnnulledRange& range) {
  return {Lsn(range.after()), Lsn(range.up_to()), VolumeEpoch(range.epoch())};
}
}  // namespace

// It may have become an amnesiac since it was asked.
void Node::Core::ReplySeal(PeerId to, uint64_t request_id, Volume& volume) {
  msg::SealReply reply;
  if (const std::string reason = RefusesPromises(); !reason.empty()) {
    reply.set_outcome(msg::OUT_OF_SERVICE);
    reply.set_reason(reason);
    return environment_.Send(to, MakeFrame(MessageType::kSealReply, request_id, reply));
  }
  reply.set_outcome(msg::OK);
  reply.set_volume_epoch(volume.state.epoch.value());
  for (const auto& [pg, held] : volume.segments) {
    const Segment& segment = *held.segment;
    const Lsn vdl = segment.SettledVdl();
    msg::SegmentState* state = reply.add_segments();
    state->set_pg(pg.value());
    state->set_scl(segment.scl().value());
    state->set_vdl_told(vdl.value());
    state->set_last_at_vdl_told(segment.LastAtOrUnder(vdl).value());
    state->set_tail(segment.Tail(vdl));
  }
  PutAnnulled(volume.state, &reply);
  reply.set_geometry(volume.state.geometry.bytes);
  environment_.Send(to, MakeFrame(MessageType::kSealReply, request_id, reply));
}

void Node::Core::OnTruncate(PeerId from, const Frame& frame) {
  msg::TruncateRequest request;
  msg::TruncateReply refusal;
  const auto refuse = [&](msg::Outcome outcome, VolumeEpoch epoch, const std::string& reason) {
    refusal.set_outcome(outcome);
    refusal.set_volume_epoch(epoch.value());
    refusal.set_reason(reason);
    environment_.Send(from, MakeFrame(MessageType::kTruncateReply, frame.request_id, refusal));
  };
  if (!request.ParseFromArray(frame.body.data(), static_cast<int>(frame.body.size())) ||
      request.range().after() > request.range().up_to() || request.range().epoch() == 0) {
    return refuse(msg::MALFORMED, VolumeEpoch(0), "no TruncateRequest");
  }
  if (const std::string reason = RefusesPromises(); !reason.empty()) {
    return refuse(msg::OUT_OF_SERVICE, VolumeEpoch(0), reason);
  }
  Volume& volume = VolumeFor(VolumeId(request.volume_id()));
  const AnnulledRange range = RangeOf(request.range());
  if (range.epoch < std::max(volume.state.epoch, volume.sealing_epoch)) {
    return refuse(msg::FENCED, volume.state.epoch, "a higher epoch is sealed here");
  }
  bool fresh = false;
  if (!request.geometry().empty()) {
    const auto told = ParseKnownGeometry(volume.state.id, request.geometry(), /*decided=*/false);
    if (!told.ok()) {
      return refuse(msg::MALFORMED, volume.state.epoch, told.status().ToString());
    }
    fresh = LearnGeometry(volume, *told);
  }
  std::vector<AnnulledRange> list;
  for (const msg::AnnulledRange& entry : request.annulled()) {
    list.push_back(RangeOf(entry));
  }
  if (list.empty()) {
    list = volume.state.annulled;
    list.push_back(range);
  }
  if (volume.state.AdoptList(std::move(list))) {
    fresh = true;
    ApplyAnnulled(volume);
  }
  NoteTold(volume, Lsn(request.vdl()), range.epoch, Lsn(0));
  const auto reply = [this, from, id = frame.request_id, &volume] {
    ReplyTruncate(from, id, volume);
  };
  if (range.epoch > volume.state.epoch) {
    RaiseEpoch(volume, range.epoch, /*has_opener=*/false, 0, reply);
  } else if (fresh) {
    WriteManifest(reply);
  } else if (manifest_under_way_) {
    WriteManifest(reply);  // both may be in the write that is under way, not durable yet
  } else {
    reply();
  }
  // The opener waits for segments that are behind: let the peers know at once who they are.
  next_gossip_us_ = 0;
  next_walk_us_ = 0;
  for (auto& [pg, held] : volume.segments) {
    held.urgent = true;
  }
}

void Node::Core::ReplyTruncate(PeerId to, uint64_t request_id, Volume& volume) {
  msg::TruncateReply reply;
  if (const std::string reason = RefusesPromises(); !reason.empty()) {
    reply.set_outcome(msg::OUT_OF_SERVICE);
    reply.set_reason(reason);
    return environment_.Send(to, MakeFrame(MessageType::kTruncateReply, request_id, reply));
  }
  reply.set_outcome(msg::OK);
  reply.set_volume_epoch(volume.state.epoch.value());
  for (const auto& [pg, held] : volume.segments) {
    msg::SegmentProgress* progress = reply.add_segments();
    progress->set_pg(pg.value());
    progress->set_scl(held.segment->scl().value());
  }
  environment_.Send(to, MakeFrame(MessageType::kTruncateReply, request_id, reply));
}

void Node::Core::ApplyAnnulled(Volume& volume) {
  for (auto& [pg, held] : volume.segments) {
    held.segment->DropVoid();
    held.behind_target = Lsn(0);
    for (auto& [node, told] : held.told) {
      told.scl = Lsn(0);  // what peers told before may be void now
    }
  }
  volume.tell_all = true;
  for (const AnnulledRange& range : volume.state.annulled) {
    if (range.epoch == volume.state.HighestAnnulling()) {
      cache_.DropAbove(volume.state.id, range.after);
    }
  }
  for (auto& [node, peer] : peers_) {
    peer.volumes[volume.state.id].missed = true;
  }
}

SegmentSummary Node::Core::Summarize(const Volume& volume, PgId pg, const Held& held) const {
  const Segment& segment = *held.segment;
  SegmentSummary summary;
  summary.volume = volume.state.id;
  summary.pg = pg;
  summary.scl = segment.scl();
  summary.highest_seen = std::max(segment.highest_held(), HighestAtPeers(held));
  summary.layered_up_to = segment.layered_up_to();
  summary.horizon = segment.horizon();
  summary.records_in_memory = segment.table_records();
  summary.layer_count = segment.layers().size();
  const bool is_behind = summary.highest_seen > summary.scl;
  const bool is_filling = is_behind && (amnesiac_ || RoleIn(volume, pg) == Role::kSuccessor);
  if (held.copy != nullptr) {
    summary.repaired = PartCopied(*held.copy);
  } else if (is_filling) {
    summary.repaired = static_cast<double>(summary.scl.value()) /
                       static_cast<double>(summary.highest_seen.value());
  }
  summary.state = held.copy != nullptr || is_filling ? "repairing"
                  : segment.damaged                  ? "lost"
                  : is_behind                        ? "behind"
                                                     : "healthy";
  return summary;
}

void Node::Core::OnNodeStatus(PeerId from, const Frame& frame) {
  msg::NodeStatusRequest request;
  if (!request.ParseFromArray(frame.body.data(), static_cast<int>(frame.body.size()))) {
    return;
  }
  msg::NodeStatusReply reply;
  reply.set_node(config_.node.value());
  reply.set_az(config_.az);
  reply.set_journal_bytes(journal_.SizeBytes());
  reply.set_append_count(counters_.appends);
  reply.set_flush_count(counters_.flushes);
  reply.set_read_count(counters_.page_reads);
  reply.set_out_of_service(RefusesPromises());
  reply.set_rebuilding(amnesiac_ && out_of_service_.empty());
  reply.set_free_bytes(free_bytes_);
  const NodeCounters space = CountSpace();
  reply.set_layer_bytes(space.layer_bytes);
  msg::NodeSpace* out = reply.mutable_space();
  out->set_record_bytes(space.record_bytes);
  out->set_journal_bytes_written(space.flushed_bytes);
  out->set_layer_bytes_from_tables(space.layer_bytes_from_tables);
  out->set_layer_bytes_from_merges(space.layer_bytes_from_merges);
  out->set_layer_bytes_from_copies(space.layer_bytes_from_copies);
  out->set_journal_bytes(space.journal_bytes);
  out->set_layer_bytes(space.layer_bytes);
  out->set_layer_plain_bytes(space.layer_plain_bytes);
  out->set_logical_bytes(space.logical_bytes);
  if (const auto at = volumes_.find(VolumeId(request.volume_id())); at != volumes_.end()) {
    const Volume& volume = *at->second;
    reply.set_volume_epoch(volume.state.epoch.value());
    reply.set_vdl_told(volume.state.vdl_told.value());
    reply.set_geometry(volume.state.geometry.bytes);
    for (const auto& [pg, held] : volume.segments) {
      const SegmentSummary summary = Summarize(volume, pg, held);
      msg::SegmentHealth* health = reply.add_segments();
      health->set_pg(pg.value());
      health->set_scl(summary.scl.value());
      health->set_highest_seen(summary.highest_seen.value());
      health->set_state(amnesiac_ ? "repairing" : summary.state);
      health->set_repaired(summary.repaired);
    }
  }
  environment_.Send(from, MakeFrame(MessageType::kNodeStatusReply, frame.request_id, reply));
}

}  // namespace borealis::storage_node
