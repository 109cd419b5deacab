// Numbers of the messages in volume/messages.proto, as they stand in frame headers. Never reuse
// one.
#pragma once

#include <cstdint>

namespace borealis {

enum class MessageType : uint16_t {
  kAppendRequest = 1,
  kAppendReply = 2,
  kReadPagesRequest = 3,
  kReadPagesReply = 4,
  kSealRequest = 5,
  kSealReply = 6,
  kTruncateRequest = 7,
  kTruncateReply = 8,
  kFetchRecordsRequest = 9,
  kFetchRecordsReply = 10,
  kGossipStatus = 11,
  kNodeStatusRequest = 12,
  kNodeStatusReply = 13,
  kFetchPagesRequest = 14,
  kFetchPagesReply = 15,
  kGeometryUpdate = 16,
  kGeometryReply = 17,
  kRetentionRequest = 18,
  kRetentionReply = 19,
  kReplicaHello = 20,
  kReplicaBatch = 21,
  kReplicaStatus = 22,
};

}  // namespace borealis
