// Packet framing. A packet is one or more frames:
//
//   OFFSET SIZE DESCRIPTION
//   0      3    payload length n, little-endian; n = 0xFFFFFF means another frame follows
//   3      1    sequence number, +1 for each frame of either side, 0 at each command
//   4      n    payload
//
// Both classes share the connection's sequence number: the reader checks it and the writer stamps
// it. They hold no socket: the owner moves bytes in with Space/Added and out of the writer's
// string. Neither is thread-safe.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace borealis::mysql {

inline constexpr uint32_t kFrameHeaderSize = 4;
inline constexpr uint32_t kMaxFramePayload = 0xFFFFFF;

class PacketReader {
 public:
  explicit PacketReader(uint32_t max_allowed_packet) : max_packet_(max_allowed_packet) {}

  void set_max_allowed_packet(uint32_t bytes) { max_packet_ = bytes; }

  // Room for at least `least` more bytes of input; invalidates the views Next gave.
  std::span<char> Space(size_t least);
  // `size` bytes of that room have been filled.
  void Added(size_t size);

  // Takes the next whole packet off the input. Gives false when more input is needed; `payload` is
  // valid until the next call of Space or Release. Frames of a large packet are joined in place.
  // Errors, after which the connection cannot be used: 1153 as soon as a header announces more than
  // max_allowed_packet, 1156 when `sequence` is not the one expected (null: no matter).
  Result<bool> Next(uint8_t* sequence, std::string_view* payload);

  // Bytes that complete the header or the frame being read: reading no more than this never takes
  // bytes that follow the packet (a TLS ClientHello follows the SSLRequest). At least 1.
  size_t wanted() const;
  // No partial packet is buffered.
  bool empty() const { return begin_ == end_; }
  // Gives the buffer's memory back if it is larger than `keep`. REQUIRES: empty().
  void Release(size_t keep = 0);

 private:
  size_t scan() const { return begin_ + scanned_; }

  uint32_t max_packet_;
  std::vector<char> buffer_;
  size_t begin_ = 0;    // first byte of the packet being assembled
  size_t end_ = 0;      // end of the input
  size_t scanned_ = 0;  // bytes of complete frames of this packet, headers included
  size_t joined_ = 0;   // their payload bytes, contiguous from begin_ + kFrameHeaderSize
};

class PacketWriter {
 public:
  // Appends to `out`; both must outlive the writer. The owner of `out` may take its bytes away
  // between packets.
  PacketWriter(std::string* out, uint8_t* sequence) : out_(out), sequence_(sequence) {}

  // Starts a packet: append its payload to body(), then call End, or Abandon to take it back.
  std::string* Begin();
  std::string* body() { return out_; }
  void End();
  void Abandon();
  // Begin, append, End.
  void Write(std::string_view payload);

  bool open() const { return open_; }
  size_t buffered() const { return out_->size(); }

 private:
  std::string* out_;
  uint8_t* sequence_;
  size_t start_ = 0;  // offset of the open packet's first header
  bool open_ = false;
};

}  // namespace borealis::mysql
