#include "storage_node/known_geometry.h"

#include <fmt/format.h>

namespace borealis::storage_node {

namespace {

std::vector<NodeId> NodesOf(const Geometry& geometry, SegmentSet slots, NodeId self) {
  std::vector<NodeId> nodes;
  for (size_t slot = 0; slot < geometry.nodes.size(); ++slot) {
    if ((slots & SegmentBit(slot)) != 0 && geometry.nodes[slot].node != self) {
      nodes.push_back(geometry.nodes[slot].node);
    }
  }
  return nodes;
}

}  // namespace

bool KnownGeometry::TellsMoreThan(GeometryVersion version, bool version_decided) const {
  if (value == nullptr) {
    return false;
  }
  return value->version > version || (value->version == version && decided && !version_decided);
}

bool KnownGeometry::Adopt(const KnownGeometry& told) {
  if (!told.TellsMoreThan(version(), decided)) {
    return false;
  }
  *this = told;
  return true;
}

Result<KnownGeometry> ParseKnownGeometry(VolumeId volume, std::string_view bytes, bool decided) {
  ASSIGN_OR_RETURN(Geometry geometry, ParseGeometry(bytes));
  if (geometry.volume != volume || geometry.groups.empty() ||
      geometry.version == GeometryVersion()) {
    return Status::Corruption(fmt::format("version {} with {} groups is no geometry of volume {}",
                                          geometry.version.ToString(), geometry.groups.size(),
                                          volume.value()));
  }
  return KnownGeometry{std::make_shared<const Geometry>(std::move(geometry)), std::string(bytes),
                       decided};
}

Role RoleOf(const Geometry& geometry, NodeId node, PgId pg) {
  const auto slot = geometry.SlotOf(node);
  if (!slot.has_value() || !geometry.Has(pg)) {
    return Role::kNone;
  }
  for (const Seat& seat : geometry.group(pg).seats) {
    if (seat.holder == *slot) {
      return Role::kHolder;
    }
    if (seat.successor == *slot) {
      return Role::kSuccessor;
    }
  }
  return Role::kNone;
}

std::vector<NodeId> OtherMembers(const Geometry& geometry, PgId pg, NodeId self) {
  return geometry.Has(pg) ? NodesOf(geometry, geometry.group(pg).Members(), self)
                          : std::vector<NodeId>();
}

std::vector<NodeId> OtherHolders(const Geometry& geometry, PgId pg, NodeId self) {
  return geometry.Has(pg) ? NodesOf(geometry, geometry.group(pg).Holders(), self)
                          : std::vector<NodeId>();
}

}  // namespace borealis::storage_node
