// The geometry of a volume as a storage node knows it, and who is what in a group by it.
//
// A node keeps the highest version it was given by anybody (INV-GEO-3), and whether it has been
// told that this version is decided. Values; nothing here is thread-safe by itself.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/types.h"
#include "volume/geometry.h"

namespace borealis::storage_node {

struct KnownGeometry {
  std::shared_ptr<const Geometry> value;  // null: none
  std::string bytes;                      // the value, encoded; empty: none
  bool decided = false;

  GeometryVersion version() const { return value == nullptr ? GeometryVersion() : value->version; }
  // Whether a node that knows `version`, decided or not, has something to learn from this one.
  bool TellsMoreThan(GeometryVersion version, bool version_decided) const;
  // Takes `told` over where it tells more; whether it did.
  bool Adopt(const KnownGeometry& told);
};

// kCorruption when the bytes are no geometry of this volume with at least the root group.
Result<KnownGeometry> ParseKnownGeometry(VolumeId volume, std::string_view bytes, bool decided);

enum class Role : uint8_t { kNone, kSuccessor, kHolder };
// kNone also for a group that is not there.
Role RoleOf(const Geometry& geometry, NodeId node, PgId pg);

// The nodes of a group except `self`; none when there is no such group.
std::vector<NodeId> OtherMembers(const Geometry& geometry, PgId pg, NodeId self);
std::vector<NodeId> OtherHolders(const Geometry& geometry, PgId pg, NodeId self);

}  // namespace borealis::storage_node
