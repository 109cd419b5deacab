// Versions of the geometry: taken, made durable, acted upon. Segments come and go with seats.
//
// A version is told to others as soon as it is known here, so that no opener misses one that was
// answered for; its own rules the node follows only when the version is durable, so that a restart
// finds a seat for every record that was acknowledged by it (INV-NOD-9).
#include <algorithm>

#include "base/fault.h"
#include "base/obs/log.h"
#include "storage_node/core.h"

namespace borealis::storage_node {

void Node::Core::OnGeometryUpdate(PeerId from, const Frame& frame) {
  msg::GeometryUpdate update;
  const auto answer = [this, from, id = frame.request_id](
                          msg::Outcome outcome, const Volume* volume, const std::string& reason) {
    msg::GeometryReply reply;
    reply.set_outcome(outcome);
    reply.set_reason(reason);
    if (volume != nullptr) {  // what is durable: a higher one may be on its way to the disk
      reply.set_volume_epoch(volume->state.epoch.value());
      reply.set_version_epoch(volume->acting.version().epoch.value());
      reply.set_version_number(volume->acting.version().number);
    }
    environment_.Send(from, MakeFrame(MessageType::kGeometryReply, id, reply));
  };
  if (!update.ParseFromArray(frame.body.data(), static_cast<int>(frame.body.size()))) {
    return answer(msg::MALFORMED, nullptr, "no GeometryUpdate");
  }
  const VolumeEpoch epoch(update.volume_epoch());
  const bool from_writer = epoch > VolumeEpoch(0);
  if (const std::string reason = from_writer ? RefusesPromises() : out_of_service_;
      !reason.empty()) {
    return answer(msg::OUT_OF_SERVICE, nullptr, reason);
  }
  const auto told =
      ParseKnownGeometry(VolumeId(update.volume_id()), update.geometry(), update.decided());
  if (!told.ok()) {
    return answer(msg::MALFORMED, nullptr, told.status().ToString());
  }
  if (from_writer && told->version().epoch > epoch) {
    return answer(msg::MALFORMED, nullptr, "a version of a higher epoch than its writer's");
  }
  Volume& volume = VolumeFor(VolumeId(update.volume_id()));
  const auto is_fenced = [&volume, epoch, from_writer] {
    return from_writer && epoch < std::max(volume.state.epoch, volume.sealing_epoch);
  };
  if (is_fenced()) {
    COVER("node.geometry_fenced");
    return answer(msg::FENCED, &volume, "a higher epoch is sealed here");
  }
  const auto answer_held = [this, answer, is_fenced, from_writer, &volume] {
    if (const std::string reason = RefusesPromises(); from_writer && !reason.empty()) {
      return answer(msg::OUT_OF_SERVICE, nullptr, reason);
    }
    answer(is_fenced() ? msg::FENCED : msg::OK, &volume, "");
  };
  LearnGeometry(volume, *told);
  if (volume.state.geometry.TellsMoreThan(volume.acting.version(), volume.acting.decided)) {
    return WriteManifest(answer_held);
  }
  answer_held();
}

// A holder was a successor first, in a version that it knew, and has a segment. One without is back
// where it was before a version that was never decided, by which it was mended: that of what it
// promised for this seat has been forgotten (INV-NOD-7).
bool Node::Core::HoldsWhatItForgot(const Volume& volume, const Geometry& before,
                                   const Geometry& now) const {
  const auto slot = now.SlotOf(config_.node);
  const std::vector<PgId> groups = slot.has_value() ? now.GroupsOf(*slot) : std::vector<PgId>();
  return std::ranges::any_of(groups, [&](PgId pg) {
    return RoleOf(now, config_.node, pg) == Role::kHolder && before.Has(pg) &&
           RoleOf(before, config_.node, pg) == Role::kNone && !volume.segments.contains(pg);
  });
}

// Into what the next manifest says. Whether it is news.
bool Node::Core::LearnGeometry(Volume& volume, const KnownGeometry& told) {
  const std::shared_ptr<const Geometry> before = volume.state.geometry.value;
  if (!volume.state.geometry.Adopt(told)) {
    return false;
  }
  if (before != nullptr && HoldsWhatItForgot(volume, *before, *volume.state.geometry.value)) {
    COVER("node.holds_what_it_forgot");
    LOG_WARN("node {}: volume {}: geometry {} takes back the one by which this node was mended",
             config_.node.value(), volume.state.id.value(), told.version().ToString());
    amnesiac_ = true;
    mended_as_holder_ = false;
  }
  return true;
}

// `known` is durable. Also on opening, before segments are loaded.
void Node::Core::ActOn(Volume& volume, const KnownGeometry& known) {
  if (!volume.acting.Adopt(known)) {
    return;
  }
  const Geometry& geometry = *volume.acting.value;
  LOG_INFO("node {}: volume {}: geometry {}{}", config_.node.value(), volume.state.id.value(),
           geometry.version.ToString(), known.decided ? ", decided" : "");
  for (const StorageNodeAddress& address : geometry.nodes) {
    if (address.node != config_.node) {
      environment_.ConnectNode(address);
    }
  }
  volume.shared.clear();
  if (const auto slot = geometry.SlotOf(config_.node); slot.has_value()) {
    for (const PgId pg : geometry.GroupsOf(*slot)) {
      Held& held = SegmentFor(volume, pg);
      const std::vector<NodeId> others = OtherMembers(geometry, pg, config_.node);
      for (const NodeId other : others) {
        volume.shared[other].push_back(pg);
      }
      std::erase_if(held.told, [&](const auto& told) {
        return std::find(others.begin(), others.end(), told.first) == others.end();
      });
    }
  }
  for (auto& [node, peer] : peers_) {
    peer.volumes[volume.state.id].missed = true;  // what it told of groups that were not ours yet
  }
  mended_as_holder_ = false;
  volume.tell_all = true;
  next_gossip_us_ = 0;
  if (opened_) {
    DropUnseated(volume);
  }
}

Role Node::Core::RoleIn(const Volume& volume, PgId pg) const {
  return volume.acting.value == nullptr ? Role::kNone
                                        : RoleOf(*volume.acting.value, config_.node, pg);
}

bool Node::Core::HasSeat(const Volume& volume, PgId pg) const {
  return volume.acting.value != nullptr &&
         (!volume.acting.decided || RoleIn(volume, pg) != Role::kNone);
}

void Node::Core::DropUnseated(Volume& volume) {
  std::vector<PgId> unseated;
  for (const auto& [pg, held] : volume.segments) {
    if (!HasSeat(volume, pg)) {
      unseated.push_back(pg);
    }
  }
  for (const PgId pg : unseated) {
    Leave(volume, pg);
  }
}

// The segment is out of sight at once. Works and appends that are under way may still touch it, so
// it stays in memory until they have ended; its files, until the manifest does not name them.
void Node::Core::Leave(Volume& volume, PgId pg) {
  COVER("node.segment_dropped");
  LOG_INFO("node {}: volume {} pg {}: dropped, by geometry {} it is elsewhere",
           config_.node.value(), volume.state.id.value(), pg.value(),
           volume.acting.version().ToString());
  auto leaving = std::make_shared<Leaving>();
  leaving->node = volume.segments.extract(pg);
  if (leaving->held().copy != nullptr) {
    AbandonCopy(leaving->held().copy, "the segment is dropped");
  }
  leaving_.push_back(leaving);
  WriteManifest([leaving] { leaving->out_of_manifest = true; });
}

void Node::Core::BuryLeaving() {
  for (auto at = leaving_.begin(); at != leaving_.end();) {
    Leaving& leaving = **at;
    Segment& segment = *leaving.held().segment;
    if (!leaving.out_of_manifest || segment.layer_job || IsGathered(segment)) {
      ++at;
      continue;
    }
    std::vector<uint64_t> layers;
    for (const LayerInfo& info : segment.LayerInfos()) {
      layers.push_back(info.number);
    }
    segment.Discard();
    at = leaving_.erase(at);
    RemoveLayerFiles(layers);
  }
}

bool Node::Core::IsGathered(const Segment& segment) const {
  const auto has = [&](const Gathering& gathering) {
    return std::any_of(gathering.records.begin(), gathering.records.end(),
                       [&](const PendingRecord& pending) { return pending.segment == &segment; });
  };
  return has(gathering_) || has(flushing_);
}

bool Node::Core::IsKnownNode(VolumeId volume, NodeId node) const {
  if (std::find(config_.peers.begin(), config_.peers.end(), node) != config_.peers.end()) {
    return true;
  }
  const auto at = volumes_.find(volume);
  const Geometry* geometry =
      at == volumes_.end() ? nullptr : at->second->state.geometry.value.get();
  return geometry != nullptr && geometry->SlotOf(node).has_value();
}

void Node::Core::SendGeometry(PeerId to, const Volume& volume) {
  msg::GeometryUpdate update;
  update.set_volume_id(volume.state.id.value());
  update.set_geometry(volume.state.geometry.bytes);
  update.set_decided(volume.state.geometry.decided);
  environment_.Send(to, MakeFrame(MessageType::kGeometryUpdate, 0, update));
}

}  // namespace borealis::storage_node
