// The volume's geometry: which protection groups there are, and on which nodes their segments live.
//
// A PG is a run of consecutive pages. It has six seats, two in each AZ; a seat is held by one
// storage node, and while that one is being replaced also promised to a successor. A write counts
// for a seat only when all of its nodes have it, so a write quorum during a replacement of F by G
// is "four of {A…F} and four of {A…E, G}"; either outcome of the replacement then finds every
// acknowledged record. The successor has no part in read quorums before it holds the seat: it may
// not have the older records yet. Any number of seats may be changing at once.
//
// The geometry is one small value with a version, and only the volume's writer makes new ones. It
// is kept by every storage node; a version is decided when a write quorum of the root group (PG 0)
// under the version before it has it durably. Whoever opens the volume finds the decided version
// among the answers of a read quorum of the root group, and repeats it under its own epoch.
//
// INV-GEO-1  A version is acted upon (records sent by its new rules, segments dropped) only when it
//            is decided.
// INV-GEO-2  A successor becomes holder only when its segment is complete up to a VDL that was
//            reached after its succession was decided.
// INV-GEO-3  Of two versions the one with the higher (epoch, number) holds alone.
// A value; nothing here is thread-safe by itself.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/types.h"
#include "volume/page.h"
#include "volume/quorum.h"

namespace borealis {

inline constexpr uint64_t kPagesPerPgDefault = (uint64_t{10} << 30) / kPageSize;
inline constexpr uint64_t kPagesPerPgMin = (uint64_t{16} << 20) / kPageSize;
inline constexpr size_t kSeats = 6;
inline constexpr int kSeatsToWrite = 4;
inline constexpr int kSeatsToRead = 3;
inline constexpr PgId kRootGroup{0};

struct StorageNodeAddress {
  NodeId node;
  std::string az;
  std::string host;
  uint16_t port = 0;
  // Gets no new segments, and those it has are to move away.
  bool draining = false;
  friend bool operator==(const StorageNodeAddress&, const StorageNodeAddress&) = default;
};

// A node's position in Geometry::nodes, which no other node takes as long as the volume is open.
using Slot = uint8_t;
inline constexpr Slot kNoSlot = 0xFF;

struct Seat {
  Slot holder = kNoSlot;
  Slot successor = kNoSlot;  // kNoSlot: the holder stays
  bool changing() const { return successor != kNoSlot; }
  friend bool operator==(const Seat&, const Seat&) = default;
};

struct Group {
  std::vector<Seat> seats;

  QuorumPair Quorums() const;
  // Nodes that records of the group are sent to: holders and successors.
  SegmentSet Members() const;
  SegmentSet Holders() const;
  friend bool operator==(const Group&, const Group&) = default;
};

// Ordered by the epoch of the writer that made it, then by number.
struct GeometryVersion {
  VolumeEpoch epoch;
  uint64_t number = 0;
  friend auto operator<=>(const GeometryVersion&, const GeometryVersion&) = default;
  std::string ToString() const;  // "3.17"
};

struct Geometry {
  VolumeId volume{1};
  uint64_t pages_per_pg = kPagesPerPgDefault;
  GeometryVersion version;  // {0, 0}: none was ever decided, and `groups` is empty
  std::vector<StorageNodeAddress> nodes;
  std::vector<Group> groups;  // by PgId

  PgId PgOf(PageNo page) const { return PgId(static_cast<uint32_t>(page.value() / pages_per_pg)); }
  bool Has(PgId pg) const { return pg.value() < groups.size(); }
  // REQUIRES: Has(pg).
  const Group& group(PgId pg) const { return groups[pg.value()]; }
  std::optional<Slot> SlotOf(NodeId node) const;
  // Of all groups that the node in `slot` is a member of.
  std::vector<PgId> GroupsOf(Slot slot) const;
  friend bool operator==(const Geometry&, const Geometry&) = default;
};

// Format in docs/formats/geometry.md.
std::string EncodeGeometry(const Geometry& geometry);
// kCorruption when the bytes do not parse or describe no possible geometry: seats of a group on one
// node twice, slots without a node, a group without kSeats seats.
Result<Geometry> ParseGeometry(std::string_view bytes);

}  // namespace borealis
