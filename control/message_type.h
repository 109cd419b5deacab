// Frame types of control/messages.proto; they share one number space with volume/message_type.h.
#pragma once

#include <cstdint>

namespace borealis::control {

enum class MessageType : uint16_t {
  kInstanceStatusRequest = 40,
  kInstanceStatusReply = 41,
  kAssumeRole = 42,
  kAssumeRoleReply = 43,
  kRetire = 44,
  kEndpointTargets = 45,
  kEndpointStatusRequest = 46,
  kEndpointStatusReply = 47,
  kGeometryOrders = 48,
  kGeometryOrdersReply = 49,
  kClusterCommand = 50,
  kClusterReply = 51,
};

}  // namespace borealis::control
