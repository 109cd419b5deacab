#include "volume/placement.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <set>
#include <vector>

#include "base/invariant.h"

namespace borealis {

namespace {

constexpr size_t kAzs = 3;
constexpr size_t kSeatsInAz = kSeats / kAzs;

// The usable nodes of the AZ that are not in `taken`, best first.
std::vector<Slot> Candidates(const Geometry& geometry, PgId pg, std::string_view az,
                             SegmentSet taken, std::span<const NodeLoad> loads) {
  const std::vector<size_t> counts = SegmentCounts(geometry);
  std::vector<Slot> slots;
  for (Slot slot = 0; slot < geometry.nodes.size(); ++slot) {
    const StorageNodeAddress& node = geometry.nodes[slot];
    const bool usable = slot < loads.size() && loads[slot].usable && !node.draining;
    if (usable && node.az == az && (taken & SegmentBit(slot)) == 0) {
      slots.push_back(slot);
    }
  }
  if (!slots.empty()) {  // equals take turns
    std::rotate(slots.begin(), slots.begin() + pg.value() % slots.size(), slots.end());
  }
  std::stable_sort(slots.begin(), slots.end(), [&](Slot a, Slot b) {
    // (segments of a + 1) / free of a < (segments of b + 1) / free of b, without dividing.
    return static_cast<double>(counts[a] + 1) * static_cast<double>(loads[b].free_bytes) <
           static_cast<double>(counts[b] + 1) * static_cast<double>(loads[a].free_bytes);
  });
  return slots;
}

}  // namespace

std::vector<size_t> SegmentCounts(const Geometry& geometry) {
  std::vector<size_t> counts(geometry.nodes.size());
  for (const Group& group : geometry.groups) {
    for (SegmentSet left = group.Members(); left != 0; left &= left - 1) {
      ++counts[static_cast<size_t>(std::countr_zero(left))];
    }
  }
  return counts;
}

Result<Group> PlaceGroup(const Geometry& geometry, PgId pg, std::span<const NodeLoad> loads) {
  std::set<std::string> azs;
  for (const StorageNodeAddress& node : geometry.nodes) {
    azs.insert(node.az);
  }
  Group group;
  std::string short_of;
  for (const std::string& az : azs) {
    const std::vector<Slot> slots = Candidates(geometry, pg, az, 0, loads);
    if (slots.size() < kSeatsInAz) {
      short_of += fmt::format("{}{} has {} usable storage nodes", short_of.empty() ? "" : ", ", az,
                              slots.size());
    } else if (group.seats.size() < kSeats) {
      for (size_t i = 0; i < kSeatsInAz; ++i) {
        group.seats.push_back({slots[i], kNoSlot});
      }
    }
  }
  if (group.seats.size() < kSeats) {
    return Status::Unavailable(fmt::format(
        "protection group {} needs {} availability zones with {} usable storage nodes each{}{}",
        pg.value(), kAzs, kSeatsInAz, short_of.empty() ? "" : "; ", short_of));
  }
  return group;
}

std::optional<Slot> ChooseSuccessor(const Geometry& geometry, PgId pg, size_t seat,
                                    std::span<const NodeLoad> loads) {
  const Group& group = geometry.group(pg);
  INVARIANT_LT(seat, group.seats.size());
  const std::string& az = geometry.nodes[group.seats[seat].holder].az;
  const std::vector<Slot> slots = Candidates(geometry, pg, az, group.Members(), loads);
  if (slots.empty()) {
    return std::nullopt;
  }
  return slots.front();
}

}  // namespace borealis
