// Where a segment goes: six seats of a new group, or a node that takes a seat over.
//
// Two seats in each of three AZs, never two on one node; a seat stays in its AZ for life, so that
// losing an AZ always means losing two. Within an AZ the node with the fewest segments for its free
// space is taken; equals take turns, by the group's number. Pure functions: the writer asks them
// when the volume grows, control when a segment must move.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/result.h"
#include "volume/geometry.h"

namespace borealis {

// What is known of the node in a slot.
struct NodeLoad {
  bool usable = false;  // answers, is in service, and has room
  uint64_t free_bytes = 0;
};

// How many segments, held or promised, each node has, by slot.
std::vector<size_t> SegmentCounts(const Geometry& geometry);

// kUnavailable, naming the AZ, when there are no three AZs with two usable nodes each.
Result<Group> PlaceGroup(const Geometry& geometry, PgId pg, std::span<const NodeLoad> loads);

// A node for seat `seat` of the group: in the holder's AZ, usable, not draining, no member of the
// group. Nothing when there is none.
std::optional<Slot> ChooseSuccessor(const Geometry& geometry, PgId pg, size_t seat,
                                    std::span<const NodeLoad> loads);

}  // namespace borealis
