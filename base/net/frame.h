// Frames: the unit of every connection between Borealis processes.
//
//   OFFSET SIZE  DESCRIPTION
//   0      4     magic "BORA"
//   4      2     message type
//   6      2     number of attachments, at most 255
//   8      8     request id, echoed in the reply; 0 for messages without one
//   16     4     length of the body (a protobuf message)
//   20     4     total length of the attachments
//   24     4     CRC-32C of bytes [0, 24), the attachment lengths and the body
//   28     4·n   length of each attachment
//   …            body, then the attachments
//
// Attachments carry their own checksums (log records, pages), taken when they were built, so
// sending a batch to six nodes neither copies nor re-checksums it; receivers verify them before
// use.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/shared_bytes.h"

namespace borealis {

inline constexpr size_t kFrameHeaderSize = 28;
inline constexpr size_t kFrameBodySizeMax = 64u << 20;
inline constexpr size_t kFrameAttachmentsSizeMax = 256u << 20;

struct Frame {
  uint16_t type = 0;
  uint64_t request_id = 0;
  std::string body;
  std::vector<SharedBytes> attachments;
};

// The bytes that go before the attachments: header, attachment lengths, body.
std::string EncodeFrameHead(const Frame& frame);

// Cuts frames out of a byte stream. Feed what arrived; take frames until there is none.
class FrameDecoder {
 public:
  void Feed(std::string_view bytes) { buffer_.append(bytes); }
  // True and *frame set when a whole frame is there; false when more bytes are needed; an error
  // when the stream is damaged, after which the connection must be closed.
  Result<bool> Next(Frame* frame);

 private:
  std::string buffer_;
  size_t consumed_ = 0;
};

}  // namespace borealis
