// The writer's side of the geometry: proposes versions, one at a time, and knows which are decided.
//
// A proposal is sent to every node until it is decided: until a write quorum of the root group, by
// the decided version, has it durably. Then it is the decided version, and every node is told so,
// again and again until it has answered that it knows. A node that comes back, or that answers
// NOT_A_MEMBER, is sent the latest version at once. While the next version is being proposed nobody
// is told of the last one: a node keeps only the highest.
//
// Changes are functions from one geometry to the next, so that a change asked for while another is
// under way applies to whatever that one makes of it; all that have gathered become one version. A
// function that changes nothing costs nothing. In one version a seat makes one step at most: it
// gets a successor, loses it, or goes to it. That is what makes the quorums of neighbouring
// versions meet, so functions look at the seat that they change before they change it.
//
// INV-GEO-1  decided() moves only by the rule above; nobody acts on a proposal.
// Not thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "storage_client/node_link.h"
#include "storage_client/node_table.h"
#include "volume/geometry.h"

namespace borealis::msg {
class GeometryReply;
}

namespace borealis::storage_client {

class GeometryKeeper {
 public:
  using Change = std::function<void(Geometry* geometry)>;

  // `decided` is what the opening decided, in the slots of `nodes`. Every version has the nodes of
  // the table as it is then.
  GeometryKeeper(Geometry decided, const NodeTable& nodes, NodeLink& link, RequestIds& ids);

  const Geometry& decided() const { return decided_; }
  // Whether a proposal is under way.
  bool is_changing() const { return proposal_.has_value(); }
  // The node has the decided version, or the proposal made from it.
  bool IsKnownTo(size_t slot) const { return slot < nodes_.size() && nodes_[slot].has_answered; }

  void Ask(Change change, int64_t now_us);
  // True when a version was decided by it. FENCED answers are the caller's.
  bool OnReply(size_t slot, uint64_t request_id, const msg::GeometryReply& reply, int64_t now_us);
  void OnNodeUp(size_t slot, int64_t now_us);
  // The node does not know of a seat that it has: it is sent the latest version.
  void OnNotAMember(size_t slot, int64_t now_us);
  void OnTimer(int64_t now_us);
  int64_t NextDeadlineUs() const;

 private:
  struct NodeState {
    bool has_answered = false;  // to the message of now
    int64_t sent_us = INT64_MIN / 2;
  };
  // What is being told at present: the proposal, or that the last one is decided.
  const Geometry& Current() const { return proposal_.has_value() ? *proposal_ : decided_; }
  void Propose(int64_t now_us);
  void TellAll(int64_t now_us);
  void Send(size_t slot, int64_t now_us);
  bool NoteDecided(int64_t now_us);

  const NodeTable& table_;
  NodeLink& link_;
  RequestIds& ids_;
  Geometry decided_;
  std::optional<Geometry> proposal_;
  std::vector<Change> asked_;  // not in a proposal yet
  std::vector<NodeState> nodes_;
  uint64_t first_request_ = 0;  // that carried the message of now
};

}  // namespace borealis::storage_client
