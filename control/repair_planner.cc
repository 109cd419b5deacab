#include "control/repair_planner.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/invariant.h"

namespace borealis::control {

namespace {

// A segment that is behind the best of its group by less is on the way: facts are half a second
// old, and records have to travel.
constexpr uint64_t kOnTheWayBytes = uint64_t{64} << 20;
// A return need not last longer than this many times `settle_us`.
constexpr int64_t kSettleFactorMax = 32;
// After a pause of our own between two plans (a stopped process, a suspended machine) silence of
// others means nothing.
constexpr int64_t kOwnPauseUs = 2'000'000;

std::optional<size_t> SeatOf(const Group& group, Slot holder) {
  for (size_t i = 0; i < group.seats.size(); ++i) {
    if (group.seats[i].holder == holder) {
      return i;
    }
  }
  return std::nullopt;
}

// What became of seats between two versions.
void CountOutcomes(const Geometry& before, const Geometry& after, RepairCounters* counters) {
  const size_t groups = std::min(before.groups.size(), after.groups.size());
  for (size_t pg = 0; pg < groups; ++pg) {
    for (size_t i = 0; i < kSeats; ++i) {
      const Seat& was = before.groups[pg].seats[i];
      const Seat& is = after.groups[pg].seats[i];
      if (before.nodes[was.holder].node != after.nodes[is.holder].node) {
        ++counters->moved;
      } else if (was.changing() && !is.changing()) {
        ++counters->withdrawn;
      }
    }
  }
}

}  // namespace

RepairPlanner::RepairPlanner(const RepairLimits& limits, int64_t now_us)
    : limits_(limits), now_us_(now_us), last_plan_us_(now_us) {}

void RepairPlanner::OnGeometry(const Geometry& geometry, int64_t now_us) {
  if (geometry_.has_value() && geometry.version <= geometry_->version) {
    return;
  }
  if (geometry_.has_value()) {
    CountOutcomes(*geometry_, geometry, &counters_);
  }
  geometry_ = geometry;
  for (const StorageNodeAddress& node : geometry.nodes) {
    const auto [at, is_new] = nodes_.try_emplace(node.node);
    if (is_new) {
      at->second.heard_us = now_us;  // patience begins
      at->second.settle_us = limits_.settle_us;
    }
  }
}

void RepairPlanner::OnNodeAnswer(NodeId id, StorageNodeFacts facts, int64_t now_us) {
  const auto [at, is_new] = nodes_.try_emplace(id);
  Node& node = at->second;
  if (is_new) {
    node.heard_us = now_us;
    node.settle_us = limits_.settle_us;
  }
  std::map<PgId, int64_t> lost_since_us;
  for (const auto& [pg, segment] : facts.segments) {
    if (segment.state == SegmentFacts::State::kLost) {
      const auto known = node.lost_since_us.find(pg);
      lost_since_us[pg] = known == node.lost_since_us.end() ? now_us : known->second;
    }
  }
  node.lost_since_us = std::move(lost_since_us);
  node.facts = std::move(facts);
  if (!node.facts.in_service && !node.facts.rebuilding) {
    node.is_up = false;
    return;
  }
  if (!node.is_up || now_us - node.heard_us > limits_.present_us) {
    node.answering_since_us = now_us;
  }
  node.heard_us = now_us;
  node.is_up = true;
}

void RepairPlanner::OnNodeDown(NodeId node) {
  if (const auto found = nodes_.find(node); found != nodes_.end()) {
    found->second.is_up = false;
  }
}

void RepairPlanner::OnRefused(const RepairOrder& order, int64_t now_us) {
  const SeatKey key{order.pg, order.holder};
  if (const auto found = pending_.find(key);
      found != pending_.end() && found->second.order == order) {
    pending_.erase(found);
    refused_until_us_[key] = now_us + limits_.forget_us;
  }
}

std::vector<RepairOrder> RepairPlanner::Plan(int64_t now_us) {
  if (now_us - last_plan_us_ > kOwnPauseUs) {
    for (auto& [id, node] : nodes_) {
      node.heard_us = std::min(node.heard_us + now_us - last_plan_us_, now_us);
    }
  }
  now_us_ = last_plan_us_ = now_us;
  blocked_.clear();
  waiting_ = 0;
  if (!geometry_.has_value()) {
    return {};
  }
  std::erase_if(refused_until_us_, [&](const auto& entry) { return now_us >= entry.second; });
  NotePresence();
  DropSettledOrders();
  MakeExpected();
  NoteUsable();
  PlanWithdrawals();
  PlanRepairs();
  PlanDrains();
  PlanBalance();
  return Due();
}

// ---- what is known

void RepairPlanner::NotePresence() {
  for (Slot slot = 0; slot < geometry_->nodes.size(); ++slot) {
    Node& node = nodes_.at(IdOf(slot));
    if (IsGone(slot)) {
      if (!node.was_gone) {
        node.was_gone = true;
        node.has_returned = false;
      }
      continue;
    }
    if (node.was_gone && IsPresent(slot) && now_us_ - node.answering_since_us >= node.settle_us) {
      node.was_gone = false;
      node.has_returned = true;
      node.settle_us = std::min(node.settle_us * 2, limits_.settle_us * kSettleFactorMax);
    }
    if (node.has_returned) {
      node.has_returned = std::ranges::any_of(geometry_->groups, [slot](const Group& group) {
        const auto seat = SeatOf(group, slot);
        return seat.has_value() && group.seats[*seat].changing();
      });
    }
  }
}

bool RepairPlanner::IsPresent(Slot slot) const {
  const Node& node = At(slot);
  return node.is_up && now_us_ - node.heard_us <= limits_.present_us;
}

bool RepairPlanner::IsGone(Slot slot) const {
  return now_us_ - At(slot).heard_us >= limits_.repair_after_us;
}

bool RepairPlanner::IsSteady(Slot slot) const {
  const Node& node = At(slot);
  return IsPresent(slot) && node.facts.in_service && !node.was_gone;
}

const SegmentFacts* RepairPlanner::FactsOf(PgId pg, Slot slot) const {
  const auto& segments = At(slot).facts.segments;
  const auto found = segments.find(pg);
  return found == segments.end() ? nullptr : &found->second;
}

Lsn RepairPlanner::HighestScl(PgId pg) const {
  Lsn highest;
  for (const Seat& seat : geometry_->group(pg).seats) {
    if (const SegmentFacts* facts = FactsOf(pg, seat.holder); facts != nullptr) {
      highest = std::max(highest, facts->scl);
    }
  }
  return highest;
}

bool RepairPlanner::IsWhole(PgId pg, Slot slot) const {
  const SegmentFacts* facts = FactsOf(pg, slot);
  if (!IsPresent(slot) || !At(slot).facts.in_service || facts == nullptr) {
    return false;
  }
  return facts->state == SegmentFacts::State::kHealthy ||
         (facts->state == SegmentFacts::State::kBehind &&
          facts->scl + kOnTheWayBytes >= HighestScl(pg));
}

bool RepairPlanner::IsLost(PgId pg, Slot slot) const {
  const auto& lost = At(slot).lost_since_us;
  const auto found = lost.find(pg);
  return IsGone(slot) ||
         (found != lost.end() && now_us_ - found->second >= limits_.repair_after_us);
}

void RepairPlanner::NoteUsable() {
  loads_.assign(geometry_->nodes.size(), NodeLoad());
  usable_.clear();
  for (Slot slot = 0; slot < loads_.size(); ++slot) {
    const uint64_t free_bytes = At(slot).facts.free_bytes;
    if (IsSteady(slot) && free_bytes >= limits_.free_bytes_least &&
        !geometry_->nodes[slot].draining) {
      loads_[slot] = {true, free_bytes};
      usable_[geometry_->nodes[slot].az] |= SegmentBit(slot);
    }
  }
}

// ---- orders under way

bool RepairPlanner::IsSettled(const RepairOrder& order) const {
  const auto holder = geometry_->SlotOf(order.holder);
  if (!geometry_->Has(order.pg) || !holder.has_value()) {
    return true;
  }
  const Group& group = geometry_->group(order.pg);
  const auto seat = SeatOf(group, *holder);
  return !seat.has_value() ||
         group.seats[*seat].changing() == (order.kind == RepairOrder::Kind::kReplace);
}

void RepairPlanner::DropSettledOrders() {
  std::erase_if(pending_, [&](const auto& entry) {
    return IsSettled(entry.second.order) || now_us_ - entry.second.since_us >= limits_.forget_us;
  });
}

void RepairPlanner::MakeExpected() {
  expected_ = *geometry_;
  for (const auto& [key, pending] : pending_) {
    Group& group = expected_.groups[key.first.value()];
    Seat& seat = group.seats[*SeatOf(group, *geometry_->SlotOf(key.second))];
    const auto successor = geometry_->SlotOf(pending.order.successor);
    seat.successor =
        pending.order.kind == RepairOrder::Kind::kReplace ? successor.value_or(kNoSlot) : kNoSlot;
  }
  changing_ = 0;
  for (uint32_t pg = 0; pg < geometry_->groups.size(); ++pg) {
    for (size_t i = 0; i < kSeats; ++i) {
      changing_ += IsChanging(PgId(pg), i) ? 1 : 0;
    }
  }
}

std::vector<RepairOrder> RepairPlanner::Due() {
  std::vector<RepairOrder> due;
  for (auto& [key, pending] : pending_) {
    if (now_us_ - pending.sent_us >= limits_.repeat_us) {
      pending.sent_us = now_us_;
      due.push_back(pending.order);
    }
  }
  return due;
}

// In the decided geometry, or soon.
bool RepairPlanner::IsChanging(PgId pg, size_t seat) const {
  return geometry_->group(pg).seats[seat].changing() || expected_.group(pg).seats[seat].changing();
}

bool RepairPlanner::IsHeldBack(PgId pg, Slot holder) const {
  const SeatKey key{pg, IdOf(holder)};
  return pending_.contains(key) || refused_until_us_.contains(key);
}

// ---- decisions

void RepairPlanner::PlanWithdrawals() {
  for (uint32_t number = 0; number < geometry_->groups.size(); ++number) {
    const PgId pg(number);
    for (const Seat& seat : geometry_->group(pg).seats) {
      if (seat.changing() && !IsHeldBack(pg, seat.holder) && ShouldWithdraw(pg, seat)) {
        Withdraw(pg, seat);
      }
    }
  }
}

bool RepairPlanner::ShouldWithdraw(PgId pg, const Seat& seat) const {
  const bool holder_serves = IsWhole(pg, seat.holder);
  if (IsGone(seat.successor)) {
    return holder_serves || HasCandidate(pg, seat);
  }
  if (!holder_serves || IsWhole(pg, seat.successor)) {
    return false;
  }
  return geometry_->nodes[seat.successor].draining || At(seat.holder).has_returned ||
         IsShortOfSeats(pg);
}

// Whether writes may be waiting for a seat that is changing.
bool RepairPlanner::IsShortOfSeats(PgId pg) const {
  const auto& seats = geometry_->group(pg).seats;
  const auto counts = [&](const Seat& seat) {
    return IsWhole(pg, seat.holder) && (!seat.changing() || IsWhole(pg, seat.successor));
  };
  return std::ranges::count_if(seats, counts) < kSeatsToWrite;
}

void RepairPlanner::Withdraw(PgId pg, const Seat& seat) {
  RepairOrder order{RepairOrder::Kind::kWithdraw, pg, IdOf(seat.holder), IdOf(seat.successor)};
  pending_[{pg, order.holder}] = {order, now_us_, now_us_ - limits_.repeat_us};
}

// Groups that lack most come first.
void RepairPlanner::PlanRepairs() {
  std::map<int, std::vector<std::pair<PgId, size_t>>, std::greater<>> by_need;
  for (uint32_t number = 0; number < geometry_->groups.size(); ++number) {
    const PgId pg(number);
    const auto& seats = geometry_->group(pg).seats;
    std::vector<std::pair<PgId, size_t>> lost;
    for (size_t i = 0; i < seats.size(); ++i) {
      if (IsLost(pg, seats[i].holder)) {
        lost.emplace_back(pg, i);
      }
    }
    auto& list = by_need[static_cast<int>(lost.size())];
    list.insert(list.end(), lost.begin(), lost.end());
  }
  for (const auto& [need, lost] : by_need) {
    for (const auto& [pg, seat] : lost) {
      if (!IsChanging(pg, seat)) {
        Replace(pg, seat);
      }
    }
  }
}

void RepairPlanner::PlanDrains() {
  for (uint32_t number = 0; number < geometry_->groups.size(); ++number) {
    const PgId pg(number);
    const auto& seats = geometry_->group(pg).seats;
    for (size_t i = 0; i < seats.size(); ++i) {
      const Slot holder = seats[i].holder;
      if (geometry_->nodes[holder].draining && !IsChanging(pg, i) && !IsLost(pg, holder)) {
        Replace(pg, i);
      }
    }
  }
}

// One segment at a time, and only when nothing else is to be done.
void RepairPlanner::PlanBalance() {
  const std::vector<size_t> counts = SegmentCounts(expected_);
  if (!pending_.empty() || waiting_ > 0 || changing_ > 0) {
    return;
  }
  for (Slot slot = 0; slot < counts.size(); ++slot) {
    if (!IsSteady(slot) && !(geometry_->nodes[slot].draining && counts[slot] == 0)) {
      return;
    }
  }
  for (const auto& [az, usable] : usable_) {
    const std::optional<Move> move = FindMove(az, counts);
    if (move.has_value() && MayBegin(move->pg, move->seat)) {
      Order(move->pg, move->seat, move->to);
      return;
    }
  }
}

std::optional<RepairPlanner::Move> RepairPlanner::FindMove(
    const std::string& az, const std::vector<size_t>& counts) const {
  Slot from = kNoSlot;
  Slot to = kNoSlot;
  for (Slot slot = 0; slot < counts.size(); ++slot) {
    if ((usable_.at(az) & SegmentBit(slot)) != 0) {
      from = from == kNoSlot || counts[slot] > counts[from] ? slot : from;
      to = to == kNoSlot || counts[slot] < counts[to] ? slot : to;
    }
  }
  // Also measured by room it must pay, as placement measures it: (segments + 1) / free bytes.
  const auto load = [&](Slot slot, size_t more) {
    return static_cast<double>(counts[slot] + more) / static_cast<double>(loads_[slot].free_bytes);
  };
  if (from == kNoSlot || counts[from] - counts[to] <= limits_.balance_gap ||
      load(to, 1) >= load(from, 0)) {
    return std::nullopt;
  }
  for (size_t number = geometry_->groups.size(); number-- > 0;) {
    const PgId pg(static_cast<uint32_t>(number));
    const Group& group = geometry_->group(pg);
    const auto seat = SeatOf(group, from);
    if (seat.has_value() && (group.Members() & SegmentBit(to)) == 0 && !IsHeldBack(pg, from)) {
      return Move{pg, *seat, to};
    }
  }
  return std::nullopt;
}

bool RepairPlanner::HasCandidate(PgId pg, const Seat& seat) const {
  const auto usable = usable_.find(geometry_->nodes[seat.holder].az);
  const SegmentSet members = geometry_->group(pg).Members() | expected_.group(pg).Members();
  return usable != usable_.end() && (usable->second & ~members) != 0;
}

bool RepairPlanner::MayBegin(PgId pg, size_t seat) const {
  const auto& seats = geometry_->group(pg).seats;
  const bool is_lost = IsLost(pg, seats[seat].holder);
  for (size_t i = 0; i < seats.size(); ++i) {
    const Slot holder = seats[i].holder;
    if (i != seat && IsChanging(pg, i) && !(is_lost && IsLost(pg, holder))) {  // INV-RPR-2
      return false;
    }
    if (i != seat && !is_lost && !IsWhole(pg, holder)) {  // INV-RPR-3
      return false;
    }
  }
  return true;
}

void RepairPlanner::Replace(PgId pg, size_t seat) {
  const Seat& now = geometry_->group(pg).seats[seat];
  if (!HasCandidate(pg, now)) {
    ++blocked_[now.holder];
    ++waiting_;
    return;
  }
  const bool may_begin =
      changing_ < limits_.changing_max && !IsHeldBack(pg, now.holder) && MayBegin(pg, seat);
  const std::optional<Slot> successor =
      may_begin ? ChooseSuccessor(expected_, pg, seat, loads_) : std::nullopt;
  if (successor.has_value()) {
    Order(pg, seat, *successor);
  } else {
    ++waiting_;
  }
}

void RepairPlanner::Order(PgId pg, size_t seat, Slot successor) {
  const Group& group = geometry_->group(pg);
  const Slot holder = group.seats[seat].holder;
  INVARIANT(geometry_->nodes[holder].az == geometry_->nodes[successor].az);  // INV-RPR-1
  INVARIANT((group.Members() & SegmentBit(successor)) == 0 && loads_[successor].usable);
  INVARIANT(MayBegin(pg, seat));                  // INV-RPR-2, INV-RPR-3
  INVARIANT_LT(changing_, limits_.changing_max);  // INV-RPR-4
  RepairOrder order{RepairOrder::Kind::kReplace, pg, IdOf(holder), IdOf(successor)};
  pending_[{pg, order.holder}] = {order, now_us_, now_us_ - limits_.repeat_us};
  expected_.groups[pg.value()].seats[seat].successor = successor;
  ++changing_;
}

// ---- for people

size_t RepairPlanner::SeatsOf(NodeId node) const {
  const auto slot = geometry_.has_value() ? geometry_->SlotOf(node) : std::nullopt;
  return slot.has_value() ? geometry_->GroupsOf(*slot).size() : 0;
}

RepairReport RepairPlanner::Report() const {
  RepairReport report;
  if (!geometry_.has_value()) {
    return report;
  }
  for (uint32_t number = 0; number < geometry_->groups.size(); ++number) {
    const PgId pg(number);
    for (const Seat& seat : geometry_->group(pg).seats) {
      if (!seat.changing()) {
        continue;
      }
      ++report.changing;
      const SegmentFacts* facts = FactsOf(pg, seat.successor);
      report.part += facts == nullptr                                  ? 0
                     : facts->state == SegmentFacts::State::kRepairing ? facts->repaired
                                                                       : 1;
    }
  }
  report.wanted = report.changing + waiting_;
  report.part = report.changing == 0 ? 0 : report.part / static_cast<double>(report.changing);
  for (const auto& [holder, count] : blocked_) {
    report.blocked +=
        fmt::format("{}no other storage node in {} can take {} segment{} of storage node {}",
                    report.blocked.empty() ? "" : "; ", geometry_->nodes[holder].az, count,
                    count == 1 ? "" : "s", IdOf(holder).value());
  }
  return report;
}

}  // namespace borealis::control
