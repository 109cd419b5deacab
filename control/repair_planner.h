// Decides which seats change hands: repair of what is gone, draining, balance.
//
// A deterministic state machine without I/O. In come the decided geometry, as the writer reports
// it, and what each storage node answers; out come orders, which the writer carries out
// (storage_client/ seat_changes.h) and which are repeated until the geometry shows their effect.
// What is under way is read off the geometry alone, so a control that starts anew, or a new writer,
// goes on where things stand; only patience begins again.
//
// Safety never depends on it: the writer checks every order, and makes nobody a holder who lacks a
// record. What depends on it is that a lost copy is replaced soon, and that moving copies never
// costs the volume its write quorum: while a seat changes it counts only when its holder and its
// successor both have a record, and a successor counts for nothing before it is full.
//
// INV-RPR-1  A successor is in the holder's AZ, no member of the group, answers, is in service and
//            does not drain.
// INV-RPR-2  A group begins a change only while no other seat of it changes, unless the holders of
//            all of these are gone.
// INV-RPR-3  A seat whose holder could still serve begins to change only when the holders of all
//            other seats of the group are present and whole.
// INV-RPR-4  No more than `changing_max` seats are changing or ordered to change at once.
//
// Patience. A node is gone when it has not answered in service for `repair_after_us`; shorter
// absences are healed by catching up. A node that was gone counts as back only when it has answered
// for `settle_us` without a pause, which doubles with each return up to a limit: a node that comes
// and goes is replaced once, not again and again. When a holder is back and whole before its
// successor is further, the successor goes; at once, without settling, where the group would
// otherwise be short of seats that can acknowledge.
//
// When no other node of the AZ can take a segment nothing is ordered: a node that comes back, with
// its disk or an empty one, is filled by its peers anyway. Report() says so.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "volume/geometry.h"
#include "volume/placement.h"

namespace borealis::control {

struct SegmentFacts {
  enum class State : uint8_t { kHealthy, kBehind, kRepairing, kLost };
  State state = State::kHealthy;
  Lsn scl;
  double repaired = 0;  // while kRepairing: the part that has come, 0 to 1
};

// What a storage node said of itself last.
struct StorageNodeFacts {
  bool in_service = false;  // makes promises
  bool rebuilding = false;  // not in service, but being filled by its peers
  uint64_t free_bytes = 0;
  std::map<PgId, SegmentFacts> segments;
};

struct RepairOrder {
  enum class Kind : uint8_t { kReplace, kWithdraw };
  Kind kind = Kind::kReplace;
  PgId pg;
  NodeId holder;
  NodeId successor;
  friend bool operator==(const RepairOrder&, const RepairOrder&) = default;
};

struct RepairLimits {
  int64_t repair_after_us = 60'000'000;
  int64_t settle_us = 5'000'000;
  int64_t present_us = 2'000'000;  // who answered within this time is present
  int64_t repeat_us = 1'000'000;   // an order without effect is repeated,
  int64_t forget_us = 5'000'000;   // and thought over again after this long
  int changing_max = 4;
  size_t balance_gap = 3;  // differences of up to so many segments are left alone
  uint64_t free_bytes_least = uint64_t{256} << 20;  // a successor has at least this much room
};

struct RepairReport {
  size_t changing = 0;  // seats that have a successor
  size_t wanted = 0;    // these, and seats that should get one
  double part = 0;      // of the changing ones: how much their successors have, 0 to 1
  std::string blocked;  // why some of the wanted ones have to wait for a person or a node
};

struct RepairCounters {
  uint64_t moved = 0;      // seats that have another holder now
  uint64_t withdrawn = 0;  // successors that went again
};

class RepairPlanner {
 public:
  RepairPlanner(const RepairLimits& limits, int64_t now_us);

  // As the writer in office reports it. An older version than the last is ignored.
  void OnGeometry(const Geometry& geometry, int64_t now_us);
  void OnNodeAnswer(NodeId node, StorageNodeFacts facts, int64_t now_us);
  // Its process has ended, or its connection is down: not present, whatever it said a moment ago.
  void OnNodeDown(NodeId node);
  // The writer would not carry the order out; it is thought over again after a while.
  void OnRefused(const RepairOrder& order, int64_t now_us);

  // What the writer is to be told now: new orders and repetitions. Call a few times a second.
  std::vector<RepairOrder> Plan(int64_t now_us);

  // What is under way now; what waits, as of the last Plan.
  RepairReport Report() const;
  const RepairCounters& counters() const { return counters_; }
  // Groups that have a seat for the node, as holder or successor; 0 before the first geometry.
  size_t SeatsOf(NodeId node) const;
  // Null before the first.
  const Geometry* geometry() const { return geometry_ ? &*geometry_ : nullptr; }

 private:
  struct Node {
    StorageNodeFacts facts;
    std::map<PgId, int64_t> lost_since_us;
    int64_t heard_us = 0;  // when it was last of use: in service, or rebuilding
    int64_t answering_since_us = 0;
    int64_t settle_us = 0;      // how long its next return must last to count
    bool is_up = false;         // nothing says that it went since it answered
    bool was_gone = false;      // and is not back for good
    bool has_returned = false;  // back, and some of its seats still have successors
  };
  struct Pending {
    RepairOrder order;
    int64_t since_us = 0;
    int64_t sent_us = 0;
  };
  using SeatKey = std::pair<PgId, NodeId>;  // by holder

  void NotePresence();
  void DropSettledOrders();
  void MakeExpected();
  void PlanWithdrawals();
  void PlanRepairs();
  void PlanDrains();
  void PlanBalance();
  std::vector<RepairOrder> Due();

  // What is known of nodes and their segments, by slots of the decided geometry.
  const Node& At(Slot slot) const { return nodes_.at(geometry_->nodes[slot].node); }
  NodeId IdOf(Slot slot) const { return geometry_->nodes[slot].node; }
  bool IsPresent(Slot slot) const;
  bool IsGone(Slot slot) const;
  bool IsSteady(Slot slot) const;
  const SegmentFacts* FactsOf(PgId pg, Slot slot) const;
  // Serves the group, or will in a moment.
  bool IsWhole(PgId pg, Slot slot) const;
  // Nobody waits any longer for the node or for its segment.
  bool IsLost(PgId pg, Slot slot) const;
  Lsn HighestScl(PgId pg) const;

  bool IsSettled(const RepairOrder& order) const;
  bool IsChanging(PgId pg, size_t seat) const;
  bool ShouldWithdraw(PgId pg, const Seat& seat) const;
  bool IsShortOfSeats(PgId pg) const;
  bool HasCandidate(PgId pg, const Seat& seat) const;
  bool MayBegin(PgId pg, size_t seat) const;
  // Orders a successor where the rules allow; otherwise counts the seat among those that wait.
  void Replace(PgId pg, size_t seat);
  void Order(PgId pg, size_t seat, Slot successor);
  void Withdraw(PgId pg, const Seat& seat);
  bool IsHeldBack(PgId pg, Slot holder) const;
  void NoteUsable();
  // The segment to move within the AZ, and where to; nothing when it is balanced.
  struct Move {
    PgId pg;
    size_t seat = 0;
    Slot to = kNoSlot;
  };
  std::optional<Move> FindMove(const std::string& az, const std::vector<size_t>& counts) const;

  const RepairLimits limits_;
  int64_t now_us_;  // of the last call that told it
  int64_t last_plan_us_;
  std::optional<Geometry> geometry_;
  Geometry expected_;  // the decided one with the pending orders carried out
  int changing_ = 0;   // seats that are changing, or will by pending orders
  std::map<NodeId, Node> nodes_;
  std::vector<NodeLoad> loads_;               // who can be a successor, as of this Plan
  std::map<std::string, SegmentSet> usable_;  // the same by AZ
  std::map<SeatKey, Pending> pending_;
  std::map<SeatKey, int64_t> refused_until_us_;
  std::map<Slot, size_t> blocked_;  // seats that wait for want of a node, by holder
  size_t waiting_ = 0;              // seats that should change and have no successor yet
  RepairCounters counters_;
};

}  // namespace borealis::control
