// Frames from protobuf messages and back. For .cc files: it pulls in the generated messages.
#pragma once

#include <utility>

#include "base/net/frame.h"
#include "volume/message_type.h"
#include "volume/messages.pb.h"

namespace borealis::storage_client {

template <class Message>
Frame MakeFrame(MessageType type, uint64_t request_id, const Message& message) {
  Frame frame;
  frame.type = static_cast<uint16_t>(type);
  frame.request_id = request_id;
  frame.body = message.SerializeAsString();
  return frame;
}

template <class Message>
bool ParseBody(const Frame& frame, Message* message) {
  return message->ParseFromArray(frame.body.data(), static_cast<int>(frame.body.size()));
}

}  // namespace borealis::storage_client
