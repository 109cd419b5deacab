#include "server/geometry_orders.h"

#include <fmt/format.h>

#include "base/obs/log.h"
#include "control/messages.pb.h"

namespace borealis::server {

using control::msg::GeometryOrder;

namespace {

Status CarryOut(const GeometryOrder& order, storage_client::StorageClient* volume) {
  using Kind = storage_client::SeatOrder::Kind;
  const PgId pg(order.pg());
  const NodeId holder(order.holder());
  const NodeId node(order.node().number());
  switch (order.kind()) {
    case GeometryOrder::REPLACE:
      return volume->OrderSeat({Kind::kReplace, pg, holder, NodeId(order.successor())});
    case GeometryOrder::WITHDRAW:
      return volume->OrderSeat({Kind::kWithdraw, pg, holder, NodeId(order.successor())});
    case GeometryOrder::ADD_NODE:
      if (order.node().port() == 0 || order.node().port() > 65535) {
        return Status::InvalidArgument(
            fmt::format("storage node {} at port {}", node.value(), order.node().port()));
      }
      return volume->AddNode({node, order.node().az(), order.node().host(),
                              static_cast<uint16_t>(order.node().port())});
    case GeometryOrder::DRAIN:
      return volume->SetDraining(node, true);
    case GeometryOrder::UNDRAIN:
      return volume->SetDraining(node, false);
    default:
      return Status::InvalidArgument("an order of an unknown kind");
  }
}

}  // namespace

control::msg::GeometryOrdersReply CarryOutGeometryOrders(const control::msg::GeometryOrders& orders,
                                                         storage_client::StorageClient* volume) {
  control::msg::GeometryOrdersReply reply;
  for (const GeometryOrder& order : orders.orders()) {
    const Status status = CarryOut(order, volume);
    LOG_INFO("order of control, {}: {}", order.ShortDebugString(), status.ToString());
    auto* outcome = reply.add_outcomes();
    *outcome->mutable_order() = order;
    outcome->set_ok(status.ok());
    outcome->set_reason(std::string(status.message()));
  }
  return reply;
}

}  // namespace borealis::server
