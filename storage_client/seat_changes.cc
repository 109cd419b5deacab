#include "storage_client/seat_changes.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "base/fault.h"

namespace borealis::storage_client {

namespace {

// The seat that `holder` has in the group.
std::optional<size_t> SeatOf(const Group& group, Slot holder) {
  const auto found = std::find_if(group.seats.begin(), group.seats.end(),
                                  [&](const Seat& seat) { return seat.holder == holder; });
  if (found == group.seats.end()) {
    return std::nullopt;
  }
  return static_cast<size_t>(found - group.seats.begin());
}

Status NoSeat(const SeatOrder& order) {
  return Status::InvalidArgument(fmt::format("storage node {} has no seat in protection group {}",
                                             order.holder.value(), order.pg.value()));
}

// From one state of a seat to the next, unless the seat is in another state by then.
GeometryKeeper::Change Step(PgId pg, size_t seat, Seat from, Seat to) {
  return [=](Geometry* geometry) {
    Group& group = geometry->groups[pg.value()];
    if (group.seats[seat] != from) {
      return;
    }
    const bool is_taken = to.changing() && (group.Members() & SegmentBit(to.successor)) != 0;
    if (!is_taken) {
      group.seats[seat] = to;
    }
  };
}

}  // namespace

SeatChanges::SeatChanges(GeometryKeeper& keeper, const NodeTable& nodes,
                         const QuorumTracker& tracker)
    : keeper_(keeper), nodes_(nodes), tracker_(tracker) {
  OnDecided();
}

Status SeatChanges::Order(const SeatOrder& order, int64_t now_us) {
  if (!keeper_.decided().Has(order.pg)) {
    return Status::InvalidArgument(
        fmt::format("there is no protection group {}", order.pg.value()));
  }
  return order.kind == SeatOrder::Kind::kReplace ? Replace(order, now_us) : Withdraw(order, now_us);
}

Status SeatChanges::Replace(const SeatOrder& order, int64_t now_us) {
  const Group& group = keeper_.decided().group(order.pg);
  const std::optional<Slot> holder = nodes_.SlotOf(order.holder);
  const std::optional<Slot> successor = nodes_.SlotOf(order.successor);
  if (!successor.has_value()) {
    return Status::InvalidArgument(
        fmt::format("storage node {} is not known", order.successor.value()));
  }
  const std::optional<size_t> at = holder ? SeatOf(group, *holder) : std::nullopt;
  if (!at.has_value()) {
    if (SeatOf(group, *successor).has_value()) {
      return Status::Ok();  // done before
    }
    return NoSeat(order);
  }
  const Seat& seat = group.seats[*at];
  if (seat.successor == *successor) {
    return Status::Ok();
  }
  if (seat.changing()) {
    return Status::InvalidArgument(
        fmt::format("storage node {} is to follow node {} in protection group {} already",
                    nodes_[seat.successor].node.value(), order.holder.value(), order.pg.value()));
  }
  if ((group.Members() & SegmentBit(*successor)) != 0) {
    return Status::InvalidArgument(fmt::format("storage node {} has a seat in protection group {}",
                                               order.successor.value(), order.pg.value()));
  }
  if (nodes_[*holder].az != nodes_[*successor].az) {
    return Status::InvalidArgument(fmt::format(
        "a seat stays in its availability zone: storage node {} is in {}, node {} in {}",
        order.holder.value(), nodes_[*holder].az, order.successor.value(), nodes_[*successor].az));
  }
  keeper_.Ask(Step(order.pg, *at, seat, {*holder, *successor}), now_us);
  return Status::Ok();
}

Status SeatChanges::Withdraw(const SeatOrder& order, int64_t now_us) {
  const Group& group = keeper_.decided().group(order.pg);
  const std::optional<Slot> holder = nodes_.SlotOf(order.holder);
  const std::optional<size_t> at = holder ? SeatOf(group, *holder) : std::nullopt;
  if (!at.has_value()) {
    return NoSeat(order);
  }
  const Seat& seat = group.seats[*at];
  if (seat.changing()) {
    keeper_.Ask(Step(order.pg, *at, seat, {*holder, kNoSlot}), now_us);
  }
  return Status::Ok();
}

void SeatChanges::OnDecided() {
  std::map<SeatKey, Succession> now;
  const Geometry& geometry = keeper_.decided();
  for (uint32_t pg = 0; pg < geometry.groups.size(); ++pg) {
    const std::vector<Seat>& seats = geometry.groups[pg].seats;
    for (size_t i = 0; i < seats.size(); ++i) {
      if (!seats[i].changing()) {
        continue;
      }
      const SeatKey key{PgId(pg), i, seats[i].successor};
      const auto known = successions_.find(key);
      now[key] =
          known != successions_.end() ? known->second : Succession{tracker_.pgcl(PgId(pg)), false};
    }
  }
  successions_ = std::move(now);
}

void SeatChanges::Finish(int64_t now_us) {
  for (auto& [key, succession] : successions_) {
    const bool is_complete = keeper_.IsKnownTo(key.successor) &&
                             tracker_.vdl() >= succession.needed &&
                             tracker_.scl(key.pg, key.successor) >= succession.needed;  // INV-GEO-2
    if (!is_complete || succession.is_finishing) {
      continue;
    }
    COVER("seats.finished");
    succession.is_finishing = true;
    const Seat& seat = keeper_.decided().group(key.pg).seats[key.seat];
    keeper_.Ask(Step(key.pg, key.seat, seat, {key.successor, kNoSlot}), now_us);
  }
}

}  // namespace borealis::storage_client
