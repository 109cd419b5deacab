// When an amnesiac may promise again (INV-NOD-7).
//
// It may have acknowledged records and geometries, and answered seals, that it forgot. It is mended
// when all of these hold:
//
//   1. It knows which volumes there are: all the peers it was configured with have told it, or as
//      many that are no amnesiacs themselves as a write quorum has seats.
//   2. Of each volume it knows the geometry. All other holders of the root group, or four that are
//      no amnesiacs, have told theirs since, and none told of a higher version.
//   3. Of every group in which it is a holder, all other holders, or four that are no amnesiacs,
//      have told their epoch and SCL since, and its segment has reached the highest of these SCLs.
//
// Why that is enough. "Four of the other five" leaves out one seat besides the node's own:
// - A seal that was answered here counted, if at all, with two other holders of the same group; one
//   of them is among any four, and told the epoch, which counts here before the node is mended.
// - A record that was acknowledged here counted with three other seats; two of their holders are
//   among any four, so the highest SCL told covers it (INV-NOD-1). Holders that are amnesiacs may
//   have forgotten as this one did, so they do not count, unless everybody has told: then nothing
//   better will ever come.
// - A version of the geometry that this node answered for was decided, if at all, with three other
//   seats of the root group by the version before it, of which two are among any four. So the
//   highest version told is at least the decided one, and its seats are those that count in 3.
//
// The version that it goes by may not be decided, and be taken back: then it is a holder again of
// groups that it did not look at, and an amnesiac again (HoldsWhatItForgot).
//
// For a segment that it is to succeed to, a node's acknowledgement counted only together with the
// holder's, who still has it: nothing to mend before it acknowledges appends. But if it is made the
// holder while an opener asks, its answer to a seal would count alone; so until the segment has
// reached what the holders told, seals, truncates and geometries are refused, and appends served.
#include <algorithm>

#include "base/obs/log.h"
#include "storage_node/core.h"

namespace borealis::storage_node {

bool Node::Core::EnoughTold(const std::vector<NodeId>& nodes, const HasTold& has_told) const {
  size_t told = 0;
  size_t trusted = 0;
  for (const NodeId node : nodes) {
    const auto peer = peers_.find(node);
    if (peer != peers_.end() && has_told(node, peer->second)) {
      ++told;
      trusted += peer->second.amnesiac ? 0 : 1;
    }
  }
  return told == nodes.size() || trusted >= kSeatsToWrite;
}

bool Node::Core::KnowsVolumes() const {
  return EnoughTold(config_.peers, [](NodeId, const Peer& peer) { return peer.heard; });
}

bool Node::Core::KnowsGeometry(const Volume& volume) const {
  const VolumeId id = volume.state.id;
  for (const auto& [node, peer] : peers_) {
    const auto dialogue = peer.volumes.find(id);
    if (dialogue != peer.volumes.end() && dialogue->second.version > volume.acting.version()) {
      return false;
    }
  }
  // Before its first geometry a volume has no groups, and there is no more to know.
  const std::vector<NodeId> tellers =
      volume.acting.value == nullptr ? config_.peers
                                     : OtherHolders(*volume.acting.value, kRootGroup, config_.node);
  return EnoughTold(tellers, [id](NodeId, const Peer& peer) {
    const auto dialogue = peer.volumes.find(id);
    return dialogue != peer.volumes.end() && dialogue->second.heard;
  });
}

bool Node::Core::IsMended(const Volume& volume, PgId pg, const Held& held) const {
  const std::vector<NodeId> holders = OtherHolders(*volume.acting.value, pg, config_.node);
  const bool reached = std::all_of(holders.begin(), holders.end(), [&](NodeId node) {
    const auto told = held.told.find(node);
    return told == held.told.end() || told->second.least <= held.segment->scl();
  });
  return reached && EnoughTold(holders, [&](NodeId node, const Peer& /*peer*/) {
           return held.told.contains(node);
         });
}

void Node::Core::TryMend() {
  if (!amnesiac_ || !KnowsVolumes()) {
    return;
  }
  bool filled = true;
  for (const auto& [id, volume] : volumes_) {
    if (volume->sealing_epoch > volume->state.epoch || !KnowsGeometry(*volume)) {
      return;  // an epoch that a peer told is not durable yet, or a version not known
    }
    for (const auto& [pg, held] : volume->segments) {
      if (!IsMended(*volume, pg, held)) {
        if (RoleIn(*volume, pg) == Role::kHolder) {
          return;
        }
        filled = false;
      }
    }
  }
  mended_as_holder_ = true;
  if (filled) {
    amnesiac_ = false;
    WriteManifest(nullptr);
    LOG_INFO("node {}: mended by its peers", config_.node.value());
  }
}

}  // namespace borealis::storage_node
