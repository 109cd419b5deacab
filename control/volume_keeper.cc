#include "control/volume_keeper.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/obs/log.h"
#include "base/obs/metrics.h"
#include "control/messages.pb.h"
#include "volume/messages.pb.h"

namespace borealis::control {

using msg::GeometryOrder;

namespace {

SegmentFacts::State StateOf(const std::string& state) {
  using State = SegmentFacts::State;
  return state == "healthy"     ? State::kHealthy
         : state == "repairing" ? State::kRepairing
         : state == "lost"      ? State::kLost
                                : State::kBehind;
}

const char* NameOf(SegmentFacts::State state) {
  switch (state) {
    case SegmentFacts::State::kHealthy:
      return "healthy";
    case SegmentFacts::State::kBehind:
      return "behind";
    case SegmentFacts::State::kRepairing:
      return "repairing";
    case SegmentFacts::State::kLost:
      return "lost";
  }
  return "";
}

GeometryOrder ToMessage(const RepairOrder& order) {
  GeometryOrder message;
  message.set_kind(order.kind == RepairOrder::Kind::kReplace ? GeometryOrder::REPLACE
                                                             : GeometryOrder::WITHDRAW);
  message.set_pg(order.pg.value());
  message.set_holder(order.holder.value());
  message.set_successor(order.successor.value());
  return message;
}

RepairOrder FromMessage(const GeometryOrder& message) {
  return {message.kind() == GeometryOrder::REPLACE ? RepairOrder::Kind::kReplace
                                                   : RepairOrder::Kind::kWithdraw,
          PgId(message.pg()), NodeId(message.holder()), NodeId(message.successor())};
}

const StorageNodeConfig* ConfigOf(const ClusterConfig& config, NodeId node) {
  const auto found =
      std::ranges::find(config.storage_nodes, node.value(), &StorageNodeConfig::number);
  return found == config.storage_nodes.end() ? nullptr : &*found;
}

}  // namespace

Status VolumeKeeper::OnWriterGeometry(const std::string& bytes, int64_t now_us) {
  ASSIGN_OR_RETURN(const Geometry geometry, ParseGeometry(bytes));
  planner_.OnGeometry(geometry, now_us);
  return Status::Ok();
}

void VolumeKeeper::OnNodeStatus(const StorageNodeConfig& node,
                                const borealis::msg::NodeStatusReply& reply, int64_t now_us) {
  Answer& answer = answers_[node.number];
  answer.facts = StorageNodeFacts();
  answer.facts.in_service = reply.out_of_service().empty();
  answer.facts.rebuilding = reply.rebuilding();
  answer.facts.free_bytes = reply.free_bytes();
  for (const auto& segment : reply.segments()) {
    answer.facts.segments[PgId(segment.pg())] = {StateOf(segment.state()), Lsn(segment.scl()),
                                                 segment.repaired()};
  }
  answer.space = {reply.space().record_bytes(),
                  reply.space().journal_bytes_written(),
                  reply.space().layer_bytes_from_tables() +
                      reply.space().layer_bytes_from_merges() +
                      reply.space().layer_bytes_from_copies(),
                  reply.space().journal_bytes(),
                  reply.space().layer_bytes(),
                  reply.space().layer_plain_bytes(),
                  reply.space().logical_bytes()};
  planner_.OnNodeAnswer(NodeId(node.number), answer.facts, now_us);
  if (reply.geometry() == answer.geometry) {
    return;
  }
  answer.geometry = reply.geometry();
  if (Result<Geometry> told = ParseGeometry(answer.geometry);
      told.ok() && (!told_.has_value() || told_->version < told->version)) {
    told_ = std::move(*told);
  }
}

void VolumeKeeper::OnOutcomes(const msg::GeometryOrdersReply& reply, int64_t now_us) {
  for (const auto& outcome : reply.outcomes()) {
    if (outcome.ok()) {
      continue;
    }
    const GeometryOrder& order = outcome.order();
    LOG_WARN("the writer refuses {}: {}", order.ShortDebugString(), outcome.reason());
    if (order.kind() == GeometryOrder::REPLACE || order.kind() == GeometryOrder::WITHDRAW) {
      planner_.OnRefused(FromMessage(order), now_us);
    } else if (const auto wish = wishes_.find(order.node().number());
               wish != wishes_.end() &&
               wish->second.draining == (order.kind() == GeometryOrder::DRAIN)) {
      wish->second.refusal = outcome.reason();
    }
  }
}

msg::GeometryOrders VolumeKeeper::Plan(const ClusterConfig& config, int64_t now_us) {
  msg::GeometryOrders orders;
  for (const RepairOrder& order : planner_.Plan(now_us)) {
    *orders.add_orders() = ToMessage(order);
  }
  if (planner_.geometry() == nullptr) {
    return orders;
  }
  for (const StorageNodeConfig& node : config.storage_nodes) {
    if (!Has(node)) {
      GeometryOrder* order = orders.add_orders();
      order->set_kind(GeometryOrder::ADD_NODE);
      order->mutable_node()->set_number(node.number);
      order->mutable_node()->set_az(node.az);
      order->mutable_node()->set_host(node.host);
      order->mutable_node()->set_port(node.port);
    }
  }
  std::erase_if(wishes_, [&](const auto& entry) {
    const auto slot = planner_.geometry()->SlotOf(NodeId(entry.first));
    return !slot.has_value() || planner_.geometry()->nodes[*slot].draining == entry.second.draining;
  });
  for (const auto& [number, wish] : wishes_) {
    if (wish.refusal.empty()) {
      GeometryOrder* order = orders.add_orders();
      order->set_kind(wish.draining ? GeometryOrder::DRAIN : GeometryOrder::UNDRAIN);
      order->mutable_node()->set_number(number);
    }
  }
  return orders;
}

GeometryVersion VolumeKeeper::version() const {
  return planner_.geometry() == nullptr ? GeometryVersion() : planner_.geometry()->version;
}

bool VolumeKeeper::Has(const StorageNodeConfig& node) const {
  return planner_.geometry() != nullptr &&
         planner_.geometry()->SlotOf(NodeId(node.number)).has_value();
}

Result<bool> VolumeKeeper::SetDraining(const StorageNodeConfig& node, bool draining) {
  if (!Has(node)) {
    return Status::Unavailable("the writer has not told yet that it knows " + node.id);
  }
  const Geometry& geometry = *planner_.geometry();
  if (geometry.nodes[*geometry.SlotOf(NodeId(node.number))].draining == draining) {
    wishes_.erase(node.number);
    return true;
  }
  const auto [wish, is_new] = wishes_.try_emplace(node.number);
  if (!is_new && !wish->second.refusal.empty() && wish->second.draining == draining) {
    Status refused = Status::InvalidArgument(wish->second.refusal);
    wishes_.erase(wish);
    return refused;
  }
  wish->second = {draining, ""};
  return false;
}

Status VolumeKeeper::MayRemove(const StorageNodeConfig& node) const {
  if (planner_.geometry() == nullptr) {
    return Status::Unavailable("no writer has told which segments are where");
  }
  if (!Has(node)) {
    return Status::Ok();
  }
  const Geometry& geometry = *planner_.geometry();
  const size_t seats = planner_.SeatsOf(NodeId(node.number));
  const bool draining = geometry.nodes[*geometry.SlotOf(NodeId(node.number))].draining;
  if (seats > 0) {
    return Status::InvalidArgument(
        fmt::format("{} holds {} segment{}{}", node.id, seats, seats == 1 ? "" : "s",
                    draining ? " that are still to move"
                             : "; move them with: borealis cluster drain " + node.id));
  }
  if (!draining) {
    return Status::InvalidArgument(
        fmt::format("{} may be given segments at any time; first: borealis cluster drain {}",
                    node.id, node.id));
  }
  return Status::Ok();
}

uint32_t VolumeKeeper::HighestNumber() const {
  uint32_t highest = 0;
  if (const Geometry* geometry = Shown(); geometry != nullptr) {
    for (const StorageNodeAddress& node : geometry->nodes) {
      highest = std::max(highest, node.node.value());
    }
  }
  return highest;
}

bool VolumeKeeper::CanBeWritten(const std::set<uint32_t>& reachable) const {
  const Geometry* geometry = Shown();
  if (geometry == nullptr) {
    return true;
  }
  SegmentSet there = 0;
  for (size_t slot = 0; slot < geometry->nodes.size(); ++slot) {
    const uint32_t number = geometry->nodes[slot].node.value();
    const auto answer = answers_.find(number);
    if (reachable.contains(number) && answer != answers_.end() && answer->second.facts.in_service) {
      there |= SegmentBit(slot);
    }
  }
  return std::ranges::all_of(geometry->groups, [there](const Group& group) {
    return group.Quorums().write.SatisfiedBy(group.Members() & there);
  });
}

const Geometry* VolumeKeeper::Shown() const {
  const Geometry* decided = planner_.geometry();
  if (told_.has_value() && (decided == nullptr || decided->version < told_->version)) {
    return &*told_;
  }
  return decided;
}

void VolumeKeeper::AddSegment(PgId pg, const StorageNodeConfig& node,
                              const StorageNodeConfig* successor_of, bool reachable,
                              ClusterStatus* status) const {
  SegmentStatus row{pg.value(), node.id, 0, "lost", std::nullopt, ""};
  if (successor_of != nullptr) {
    row.successor_of = successor_of->id;
  }
  const auto answer = answers_.find(node.number);
  if (answer != answers_.end()) {
    const auto& segments = answer->second.facts.segments;
    if (const auto segment = segments.find(pg); segment != segments.end()) {
      row.scl = segment->second.scl.value();
      row.state = reachable ? NameOf(segment->second.state) : "lost";
      if (reachable && segment->second.state == SegmentFacts::State::kRepairing) {
        row.repaired = segment->second.repaired * 100;
      }
    } else if (reachable) {
      row.state = "repairing";  // it has a seat, and has not begun
      row.repaired = 0;
    }
  }
  status->segments.push_back(std::move(row));
}

void VolumeKeeper::Describe(const std::map<std::string, bool>& reachable,
                            ClusterStatus* status) const {
  status->repair = planner_.Report();
  const Geometry* geometry = Shown();
  if (geometry == nullptr) {
    return;
  }
  status->protection_groups = static_cast<uint32_t>(geometry->groups.size());
  for (const StorageNodeConfig& node : status->config.storage_nodes) {
    StorageNodeStatus& row = status->storage[node.id];
    const auto slot = geometry->SlotOf(NodeId(node.number));
    row.in_volume = slot.has_value();
    row.draining = slot.has_value() && geometry->nodes[*slot].draining;
    row.segments = slot.has_value() ? geometry->GroupsOf(*slot).size() : 0;
    const auto answer = answers_.find(node.number);
    if (answer != answers_.end()) {
      row.free_bytes = answer->second.facts.free_bytes;
      row.space = answer->second.space;
    }
  }
  const auto add = [&](PgId pg, Slot slot, const StorageNodeConfig* successor_of) {
    const StorageNodeConfig* node = ConfigOf(status->config, geometry->nodes[slot].node);
    if (node != nullptr) {
      const auto answers = reachable.find(node->id);
      AddSegment(pg, *node, successor_of, answers != reachable.end() && answers->second, status);
    }
    return node;
  };
  for (uint32_t pg = 0; pg < geometry->groups.size(); ++pg) {
    for (const Seat& seat : geometry->groups[pg].seats) {
      const StorageNodeConfig* holder = add(PgId(pg), seat.holder, nullptr);
      if (seat.changing()) {
        add(PgId(pg), seat.successor, holder);
      }
    }
  }
}

void VolumeKeeper::AddMetrics(MetricsPage* page) const {
  const RepairReport report = planner_.Report();
  page->Gauge("borealis_seats_changing", "Seats of protection groups that have a successor.",
              static_cast<double>(report.changing));
  page->Gauge("borealis_seats_waiting", "Seats that should get a successor and have none yet.",
              static_cast<double>(report.wanted - report.changing));
  page->Gauge("borealis_seats_changing_part",
              "How much their successors have, on average, from 0 to 1.", report.part);
  const auto count = [page](const char* outcome, uint64_t value) {
    page->Counter("borealis_seat_changes_total",
                  "Successions that ended, by how, since control started.", value,
                  {{"outcome", outcome}});
  };
  count("moved", planner_.counters().moved);
  count("withdrawn", planner_.counters().withdrawn);
}

}  // namespace borealis::control
