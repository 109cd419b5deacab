// Changes of the volume's geometry that control orders, carried out by the writer.
#pragma once

#include "storage_client/client.h"

namespace borealis::control::msg {
class GeometryOrders;
class GeometryOrdersReply;
}  // namespace borealis::control::msg

namespace borealis::server {

// Hands each order to the volume's client, for whose thread it waits; says of each whether it was
// taken up, and why not.
control::msg::GeometryOrdersReply CarryOutGeometryOrders(const control::msg::GeometryOrders& orders,
                                                         storage_client::StorageClient* volume);

}  // namespace borealis::server
