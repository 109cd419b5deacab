#include "volume/geometry.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/coding.h"
#include "base/crc32c.h"
#include "base/invariant.h"

namespace borealis {

namespace {

constexpr uint32_t kGeometryMagic = 0x4547'4D42;  // "BMGE"
constexpr uint32_t kGeometryVersion = 1;
constexpr size_t kPrefixSize = 12;
constexpr size_t kTextMax = 255;

void PutText(std::string* to, std::string_view text) {
  INVARIANT_LE(text.size(), kTextMax);
  AppendLittle(to, static_cast<uint8_t>(text.size()));
  to->append(text);
}

void PutNode(std::string* to, const StorageNodeAddress& node) {
  AppendLittle(to, node.node.value());
  AppendLittle(to, static_cast<uint8_t>(node.draining ? 1 : 0));
  AppendLittle(to, node.port);
  PutText(to, node.az);
  PutText(to, node.host);
}

StorageNodeAddress GetNode(ByteReader* reader) {
  StorageNodeAddress node;
  node.node = NodeId(reader->Little<uint32_t>());
  node.draining = reader->Little<uint8_t>() != 0;
  node.port = reader->Little<uint16_t>();
  node.az = std::string(reader->Bytes(reader->Little<uint8_t>()));
  node.host = std::string(reader->Bytes(reader->Little<uint8_t>()));
  return node;
}

// Why no volume can look like this; empty when one can.
std::string Objection(const Geometry& geometry) {
  if (geometry.nodes.size() > kSlotsMax) {
    return fmt::format("{} storage nodes", geometry.nodes.size());
  }
  if (geometry.pages_per_pg < 1) {
    return "protection groups without pages";
  }
  for (size_t pg = 0; pg < geometry.groups.size(); ++pg) {
    SegmentSet seen = 0;
    for (const Seat& seat : geometry.groups[pg].seats) {
      for (const Slot slot : {seat.holder, seat.successor}) {
        if (slot == kNoSlot && slot != seat.holder) {
          continue;
        }
        if (slot >= geometry.nodes.size() || (seen & SegmentBit(slot)) != 0) {
          return fmt::format("protection group {} has a seat at slot {}", pg, slot);
        }
        seen |= SegmentBit(slot);
      }
    }
  }
  return "";
}

}  // namespace

QuorumPair Group::Quorums() const {
  INVARIANT_EQ(seats.size(), kSeats);
  SegmentSet settled = 0;
  std::vector<QuorumExpression> changing;
  for (const Seat& seat : seats) {
    if (seat.changing()) {
      changing.push_back(
          QuorumExpression::AtLeast(2, SegmentBit(seat.holder) | SegmentBit(seat.successor)));
    } else {
      settled |= SegmentBit(seat.holder);
    }
  }
  return {QuorumExpression::AtLeast(kSeatsToWrite, settled, std::move(changing)),
          QuorumExpression::AtLeast(kSeatsToRead, Holders())};
}

SegmentSet Group::Members() const {
  SegmentSet members = Holders();
  for (const Seat& seat : seats) {
    members |= seat.changing() ? SegmentBit(seat.successor) : 0;
  }
  return members;
}

SegmentSet Group::Holders() const {
  SegmentSet holders = 0;
  for (const Seat& seat : seats) {
    holders |= SegmentBit(seat.holder);
  }
  return holders;
}

std::string GeometryVersion::ToString() const {
  return fmt::format("{}.{}", epoch.value(), number);
}

std::optional<Slot> Geometry::SlotOf(NodeId node) const {
  const auto found = std::find_if(nodes.begin(), nodes.end(),
                                  [&](const StorageNodeAddress& n) { return n.node == node; });
  if (found == nodes.end()) {
    return std::nullopt;
  }
  return static_cast<Slot>(found - nodes.begin());
}

std::vector<PgId> Geometry::GroupsOf(Slot slot) const {
  std::vector<PgId> found;
  for (uint32_t pg = 0; pg < groups.size(); ++pg) {
    if ((groups[pg].Members() & SegmentBit(slot)) != 0) {
      found.emplace_back(pg);
    }
  }
  return found;
}

std::string EncodeGeometry(const Geometry& geometry) {
  std::string bytes(kPrefixSize, '\0');
  AppendLittle(&bytes, geometry.volume.value());
  AppendLittle(&bytes, geometry.pages_per_pg);
  AppendLittle(&bytes, geometry.version.epoch.value());
  AppendLittle(&bytes, geometry.version.number);
  AppendLittle(&bytes, static_cast<uint8_t>(geometry.nodes.size()));
  for (const StorageNodeAddress& node : geometry.nodes) {
    PutNode(&bytes, node);
  }
  AppendLittle(&bytes, static_cast<uint32_t>(geometry.groups.size()));
  for (const Group& group : geometry.groups) {
    INVARIANT_EQ(group.seats.size(), kSeats);
    for (const Seat& seat : group.seats) {
      AppendLittle(&bytes, seat.holder);
      AppendLittle(&bytes, seat.successor);
    }
  }
  StoreLittle(bytes.data(), kGeometryMagic);
  StoreLittle(bytes.data() + 4, kGeometryVersion);
  StoreLittle(bytes.data() + 8, Crc32c(std::string_view(bytes).substr(kPrefixSize)));
  return bytes;
}

Result<Geometry> ParseGeometry(std::string_view bytes) {
  if (bytes.size() < kPrefixSize || LoadLittle<uint32_t>(bytes.data()) != kGeometryMagic) {
    return Status::Corruption("not a volume's geometry");
  }
  if (const auto version = LoadLittle<uint32_t>(bytes.data() + 4); version != kGeometryVersion) {
    return Status::Unsupported(fmt::format("geometry format version {}", version));
  }
  if (Crc32c(bytes.substr(kPrefixSize)) != LoadLittle<uint32_t>(bytes.data() + 8)) {
    return Status::Corruption("the geometry's checksum does not match");
  }
  ByteReader reader(bytes.substr(kPrefixSize));
  Geometry geometry;
  geometry.volume = VolumeId(reader.Little<uint64_t>());
  geometry.pages_per_pg = reader.Little<uint64_t>();
  geometry.version.epoch = VolumeEpoch(reader.Little<uint64_t>());
  geometry.version.number = reader.Little<uint64_t>();
  const auto node_count = reader.Little<uint8_t>();
  for (uint8_t i = 0; i < node_count && reader.ok(); ++i) {
    geometry.nodes.push_back(GetNode(&reader));
  }
  const auto group_count = reader.Little<uint32_t>();
  for (uint32_t pg = 0; pg < group_count && reader.ok(); ++pg) {
    Group group;
    for (size_t i = 0; i < kSeats; ++i) {
      Seat seat;
      seat.holder = reader.Little<Slot>();
      seat.successor = reader.Little<Slot>();
      group.seats.push_back(seat);
    }
    geometry.groups.push_back(std::move(group));
  }
  if (!reader.ok() || !reader.empty()) {
    return Status::Corruption("the geometry does not add up");
  }
  if (const std::string objection = Objection(geometry); !objection.empty()) {
    return Status::Corruption("impossible geometry: " + objection);
  }
  return geometry;
}

}  // namespace borealis
