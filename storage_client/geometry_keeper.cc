#include "storage_client/geometry_keeper.h"

#include <algorithm>

#include "base/fault.h"
#include "storage_client/message_frame.h"

namespace borealis::storage_client {

namespace {
constexpr int64_t kRepeatUs = 200'000;
}

GeometryKeeper::GeometryKeeper(Geometry decided, const NodeTable& nodes, NodeLink& link,
                               RequestIds& ids)
    : table_(nodes), link_(link), ids_(ids), decided_(std::move(decided)), nodes_(nodes.size()) {
  first_request_ = ids_.Next();
}

void GeometryKeeper::Ask(Change change, int64_t now_us) {
  asked_.push_back(std::move(change));
  if (!proposal_.has_value()) {
    Propose(now_us);
  }
}

void GeometryKeeper::Propose(int64_t now_us) {
  Geometry next = decided_;
  next.nodes = table_.nodes();
  for (const Change& change : asked_) {
    change(&next);
  }
  asked_.clear();
  if (next == decided_) {
    return;
  }
  ++next.version.number;
  proposal_ = std::move(next);
  TellAll(now_us);
}

void GeometryKeeper::TellAll(int64_t now_us) {
  nodes_.assign(table_.size(), {});
  first_request_ = ids_.Next();
  for (size_t slot = 0; slot < nodes_.size(); ++slot) {
    Send(slot, now_us);
  }
}

void GeometryKeeper::Send(size_t slot, int64_t now_us) {
  msg::GeometryUpdate update;
  update.set_volume_id(decided_.volume.value());
  update.set_volume_epoch(decided_.version.epoch.value());
  update.set_geometry(EncodeGeometry(Current()));
  update.set_decided(!proposal_.has_value());
  nodes_[slot].sent_us = now_us;
  link_.SendToNode(slot, MakeFrame(MessageType::kGeometryUpdate, ids_.Next(), update));
}

bool GeometryKeeper::OnReply(size_t slot, uint64_t request_id, const msg::GeometryReply& reply,
                             int64_t now_us) {
  const GeometryVersion has{VolumeEpoch(reply.version_epoch()), reply.version_number()};
  if (reply.outcome() != msg::OK || request_id < first_request_ || has != Current().version ||
      slot >= nodes_.size()) {
    return false;
  }
  nodes_[slot].has_answered = true;
  return proposal_.has_value() && NoteDecided(now_us);
}

bool GeometryKeeper::NoteDecided(int64_t now_us) {
  SegmentSet have = 0;
  for (size_t slot = 0; slot < nodes_.size(); ++slot) {
    have |= nodes_[slot].has_answered ? SegmentBit(slot) : 0;
  }
  if (!decided_.group(kRootGroup).Quorums().write.SatisfiedBy(have)) {  // INV-GEO-1
    return false;
  }
  decided_ = std::move(*proposal_);
  proposal_.reset();
  if (!asked_.empty()) {
    COVER("keeper.changes_gathered");
    Propose(now_us);
  }
  if (!proposal_.has_value()) {
    TellAll(now_us);
  }
  return true;
}

void GeometryKeeper::OnNodeUp(size_t slot, int64_t now_us) {
  if (slot < nodes_.size()) {
    nodes_[slot].has_answered = false;
    Send(slot, now_us);
  }
}

void GeometryKeeper::OnNotAMember(size_t slot, int64_t now_us) {
  COVER("keeper.node_did_not_know_its_seat");
  OnNodeUp(slot, now_us);
}

void GeometryKeeper::OnTimer(int64_t now_us) {
  for (size_t slot = 0; slot < nodes_.size(); ++slot) {
    if (!nodes_[slot].has_answered && now_us >= nodes_[slot].sent_us + kRepeatUs) {
      Send(slot, now_us);
    }
  }
}

int64_t GeometryKeeper::NextDeadlineUs() const {
  int64_t next = kNeverUs;
  for (const NodeState& node : nodes_) {
    if (!node.has_answered) {
      next = std::min(next, node.sent_us + kRepeatUs);
    }
  }
  return next;
}

}  // namespace borealis::storage_client
