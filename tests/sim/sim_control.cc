#include "tests/sim/sim_control.h"

#include <fmt/format.h>

#include "control/messages.pb.h"
#include "storage_client/message_frame.h"

namespace borealis::sim {

namespace {

constexpr int64_t kTickUs = 100'000;

control::RepairLimits Limits() {
  control::RepairLimits limits;
  limits.repair_after_us = 700'000;
  limits.settle_us = 200'000;
  limits.present_us = 250'000;
  limits.repeat_us = 150'000;
  limits.forget_us = 600'000;
  limits.balance_gap = 1;
  limits.free_bytes_least = 64u << 10;
  return limits;
}

Status CarryOut(const control::msg::GeometryOrder& order, SimWriter* writer) {
  using control::msg::GeometryOrder;
  using Kind = storage_client::SeatOrder::Kind;
  const NodeId node(order.node().number());
  switch (order.kind()) {
    case GeometryOrder::REPLACE:
      return writer->OrderSeat(
          {Kind::kReplace, PgId(order.pg()), NodeId(order.holder()), NodeId(order.successor())});
    case GeometryOrder::WITHDRAW:
      return writer->OrderSeat(
          {Kind::kWithdraw, PgId(order.pg()), NodeId(order.holder()), NodeId(order.successor())});
    case GeometryOrder::ADD_NODE:
      return writer->AddNode({node, order.node().az(), order.node().host(), 0, false});
    case GeometryOrder::DRAIN:
      return writer->SetDraining(node, true);
    case GeometryOrder::UNDRAIN:
      return writer->SetDraining(node, false);
    default:
      return Status::InvalidArgument("an order of an unknown kind");
  }
}

}  // namespace

SimControl::SimControl(World& world, Network& network, Endpoint endpoint,
                       std::function<SimWriter*()> writer)
    : world_(world), network_(network), endpoint_(endpoint), writer_(std::move(writer)) {
  network_.Attach(endpoint_, [this](Endpoint from, const Frame& frame) { OnFrame(from, frame); });
  Restart();
}

SimControl::~SimControl() {
  network_.Detach(endpoint_);
}

void SimControl::AddMachine(const StorageNodeAddress& node) {
  control::StorageNodeConfig config;
  config.id = fmt::format("storage-{}", node.node.value());
  config.number = node.node.value();
  config.az = node.az;
  config.host = node.host;
  config_.storage_nodes.push_back(std::move(config));
}

void SimControl::NodeDown(size_t machine) {
  if (machine < config_.storage_nodes.size()) {
    keeper_->OnNodeDown(config_.storage_nodes[machine]);
  }
}

void SimControl::WishDraining(size_t machine, bool draining) {
  if (machine < config_.storage_nodes.size()) {
    const Result<bool> done = keeper_->SetDraining(config_.storage_nodes[machine], draining);
    done.status().IgnoreError();  // refusals reach the operator, who does not insist
  }
}

void SimControl::Restart() {
  world_.Note("control starts", ++life_);
  keeper_ = std::make_unique<control::VolumeKeeper>(Limits(), world_.now_us());
  office_ = 0;
  world_.After(world_.Between(0, kTickUs), [this, life = life_] {
    if (life == life_) {
      Tick();
    }
  });
}

void SimControl::Later(std::function<void()> what) {
  world_.After(world_.Between(100, 3'000), [this, life = life_, what = std::move(what)] {
    if (life == life_) {
      what();
    }
  });
}

void SimControl::Tick() {
  if (world_.now_us() >= hangs_until_us_) {
    AskNodes();
    AskWriter();
  }
  world_.After(kTickUs, [this, life = life_] {
    if (life == life_) {
      Tick();
    }
  });
}

void SimControl::AskNodes() {
  msg::NodeStatusRequest request;
  request.set_volume_id(1);
  for (const control::StorageNodeConfig& node : config_.storage_nodes) {
    network_.Send(
        endpoint_, node.number,
        storage_client::MakeFrame(MessageType::kNodeStatusRequest, ++last_request_, request));
  }
}

void SimControl::OnFrame(Endpoint from, const Frame& frame) {
  msg::NodeStatusReply reply;
  if (world_.now_us() < hangs_until_us_ || from > config_.storage_nodes.size() ||
      static_cast<MessageType>(frame.type) != MessageType::kNodeStatusReply ||
      !storage_client::ParseBody(frame, &reply)) {
    return;
  }
  keeper_->OnNodeStatus(config_.storage_nodes[from - 1], reply, world_.now_us());
}

void SimControl::AtWriter(Endpoint endpoint, std::function<void(SimWriter*)> what) {
  if (network_.IsCut(endpoint_, endpoint)) {
    return;
  }
  Later([this, endpoint, what = std::move(what)] {
    SimWriter* writer = writer_();
    if (writer != nullptr && writer->endpoint() == endpoint) {
      what(writer);
    }
  });
}

void SimControl::AskWriter() {
  SimWriter* newest = writer_();
  if (newest != nullptr && newest->endpoint() != office_ && world_.Chance(0.5)) {
    office_ = newest->endpoint();
  }
  AtWriter(office_, [this](SimWriter* writer) {
    if (network_.IsCut(writer->endpoint(), endpoint_)) {
      return;
    }
    Later([this, from = writer->endpoint(), bytes = EncodeGeometry(writer->geometry())] {
      const Status known = keeper_->OnWriterGeometry(bytes, world_.now_us());
      if (!known.ok()) {
        world_.Fail("control cannot read the writer's geometry: " + known.ToString());
      }
      SendOrders(from);
    });
  });
}

void SimControl::SendOrders(Endpoint to) {
  control::msg::GeometryOrders orders = keeper_->Plan(config_, world_.now_us());
  if (orders.orders_size() == 0) {
    return;
  }
  AtWriter(to, [this, orders = std::move(orders)](SimWriter* writer) {
    control::msg::GeometryOrdersReply reply;
    for (const control::msg::GeometryOrder& order : orders.orders()) {
      const Status status = CarryOut(order, writer);
      world_.Note("order of control", static_cast<uint64_t>(order.kind()), order.pg(),
                  order.holder());
      auto* outcome = reply.add_outcomes();
      *outcome->mutable_order() = order;
      outcome->set_ok(status.ok());
      outcome->set_reason(std::string(status.message()));
    }
    if (!network_.IsCut(writer->endpoint(), endpoint_)) {
      Later([this, reply] { keeper_->OnOutcomes(reply, world_.now_us()); });
    }
  });
}

}  // namespace borealis::sim
