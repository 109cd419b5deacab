// The frames of the compressed protocol, in which a side's packets travel once the login is over: 3
// bytes of length, the frame's number, 3 bytes of length before compression, or zeros where that
// would not have made it smaller. They are a stream of bytes and know nothing of packets.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace borealis::server {

enum class FrameCodec : uint8_t { kZlib, kZstd };
inline constexpr int kZlibLevel = 6;
inline constexpr int kZstdLevelMin = 1;  // as MySQL takes them from clients
inline constexpr int kZstdLevelMax = 22;

// Frames that come. One is read when what the one before it held has been taken, and not a byte
// beyond it.
class CompressedInput {
 public:
  explicit CompressedInput(FrameCodec codec) : codec_(codec) {}
  // Room for what the frame that is being read still lacks. REQUIRES: empty().
  std::span<char> Space();
  // `size` bytes of that room have been filled. False: this is no frame, and nothing can follow.
  bool Added(size_t size);

  bool empty() const { return taken_ == plain_.size(); }
  // As much as there is and fits.
  size_t Take(std::span<char> into);
  uint8_t number() const { return number_; }  // of the last whole frame

 private:
  size_t Length() const;  // with the header, as far as it is known
  bool Unpack();

  const FrameCodec codec_;
  std::string frame_;
  size_t filled_ = 0;
  std::string plain_;
  size_t taken_ = 0;
  uint8_t number_ = 0;
};

// Frames that go, one at a time.
class CompressedOutput {
 public:
  // `level` as the codec has them; higher takes longer.
  CompressedOutput(FrameCodec codec, int level) : codec_(codec), level_(level) {}
  bool empty() const { return sent_ == frame_.size(); }
  // Makes a frame of as many of `bytes` as go into one, and gives their number. REQUIRES: empty().
  size_t Pack(std::string_view bytes);
  std::string_view unsent() const { return std::string_view(frame_).substr(sent_); }
  void Sent(size_t size);
  void set_number(uint8_t number) { number_ = number; }  // of the next frame

 private:
  const FrameCodec codec_;
  const int level_;
  std::string frame_;
  size_t sent_ = 0;
  uint8_t number_ = 0;
};

}  // namespace borealis::server
