// Seats that change hands: carries out what control orders and finishes what is complete.
//
// An order puts a successor beside a holder, or takes it away again. The rest follows from the
// decided geometry alone, so a writer that takes over goes on where the last one was: for each
// changing seat it waits until the successor's segment is complete up to a VDL that was reached
// after the succession was decided (INV-GEO-2), and then makes it the holder.
//
// What the successor must have is the group's PGCL of the moment when this process saw the
// succession decided. Up to there a write may have counted without the successor, beyond it none
// has; and when the VDL has come that far, the successor is complete up to it. (The VDL of that
// moment would not do: a record above it may have its write quorum already.)
//
// An order is idempotent and checked against the decided geometry; what cannot be done is refused
// with the reason. Not thread-safe.
#pragma once

#include <compare>
#include <cstdint>
#include <map>

#include "base/status.h"
#include "storage_client/geometry_keeper.h"
#include "storage_client/node_table.h"
#include "storage_client/quorum_tracker.h"

namespace borealis::storage_client {

struct SeatOrder {
  enum class Kind : uint8_t {
    kReplace,   // `successor` is to follow `holder` in the group
    kWithdraw,  // whoever is to follow `holder` goes; the holder stays
  };
  Kind kind = Kind::kReplace;
  PgId pg;
  NodeId holder;
  NodeId successor;
};

class SeatChanges {
 public:
  // Takes up the successions that are under way in the decided geometry.
  SeatChanges(GeometryKeeper& keeper, const NodeTable& nodes, const QuorumTracker& tracker);

  // kInvalidArgument: no such group, holder or successor, or another successor is there already,
  // or it is in another AZ, or a member of the group.
  Status Order(const SeatOrder& order, int64_t now_us);
  // The keeper decided a version, and the tracker knows its quorums: successions that are new in
  // it count from now.
  void OnDecided();
  // Makes holders of the successors that are complete. Call when SCLs or the VDL have moved.
  void Finish(int64_t now_us);

  size_t changing() const { return successions_.size(); }

 private:
  struct SeatKey {
    PgId pg;
    size_t seat = 0;
    Slot successor = kNoSlot;
    friend auto operator<=>(const SeatKey&, const SeatKey&) = default;
  };
  struct Succession {
    Lsn needed;  // what the successor's SCL must reach
    bool is_finishing = false;
  };
  Status Replace(const SeatOrder& order, int64_t now_us);
  Status Withdraw(const SeatOrder& order, int64_t now_us);

  GeometryKeeper& keeper_;
  const NodeTable& nodes_;
  const QuorumTracker& tracker_;
  // Changing seats of the decided geometry.
  std::map<SeatKey, Succession> successions_;
};

}  // namespace borealis::storage_client
