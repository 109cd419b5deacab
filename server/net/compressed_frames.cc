#include "server/net/compressed_frames.h"

#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <cstring>

namespace borealis::server {
namespace {

constexpr size_t kHeader = 7;
constexpr size_t kLeastCompressed = 50;  // as MySQL does: less is not worth it
constexpr size_t kMostInFrame = 256U << 10;
constexpr size_t kKept = 64U << 10;  // of a buffer's memory between frames

size_t ThreeBytes(std::string_view from) {
  const auto byte = [&](size_t i) { return static_cast<size_t>(static_cast<uint8_t>(from[i])); };
  return byte(0) | byte(1) << 8 | byte(2) << 16;
}

void PutThreeBytes(size_t number, char* to) {
  to[0] = static_cast<char>(number);
  to[1] = static_cast<char>(number >> 8);
  to[2] = static_cast<char>(number >> 16);
}

// Fills `plain`, which has the size that comes out. False: something else comes out.
bool Expand(FrameCodec codec, std::string_view packed, std::string* plain) {
  if (codec == FrameCodec::kZstd) {
    return ZSTD_decompress(plain->data(), plain->size(), packed.data(), packed.size()) ==
           plain->size();
  }
  uLongf size = plain->size();
  return uncompress(reinterpret_cast<Bytef*>(plain->data()), &size,
                    reinterpret_cast<const Bytef*>(packed.data()), packed.size()) == Z_OK &&
         size == plain->size();
}

size_t MostPacked(FrameCodec codec, size_t size) {
  return codec == FrameCodec::kZstd ? ZSTD_compressBound(size) : compressBound(size);
}

// The size that `bytes` then have in `into`; 0: they do not become smaller.
size_t Shrink(FrameCodec codec, int level, std::string_view bytes, std::span<char> into) {
  size_t size = 0;
  if (codec == FrameCodec::kZstd) {
    size = ZSTD_compress(into.data(), into.size(), bytes.data(), bytes.size(), level);
    size = ZSTD_isError(size) != 0 ? 0 : size;
  } else {
    uLongf deflated = into.size();
    const int outcome =
        compress2(reinterpret_cast<Bytef*>(into.data()), &deflated,
                  reinterpret_cast<const Bytef*>(bytes.data()), bytes.size(), level);
    size = outcome == Z_OK ? deflated : 0;
  }
  return size < bytes.size() ? size : 0;
}

void Clear(std::string* buffer) {
  if (buffer->capacity() > kKept) {
    std::string().swap(*buffer);
  }
  buffer->clear();
}

}  // namespace

size_t CompressedInput::Length() const {
  return filled_ < kHeader ? kHeader : kHeader + ThreeBytes(frame_);
}

std::span<char> CompressedInput::Space() {
  frame_.resize(Length());
  return {frame_.data() + filled_, frame_.size() - filled_};
}

bool CompressedInput::Added(size_t size) {
  filled_ += size;
  return filled_ < Length() || Unpack();
}

bool CompressedInput::Unpack() {
  const std::string_view packed = std::string_view(frame_).substr(kHeader);
  const size_t whole = ThreeBytes(std::string_view(frame_).substr(4));
  number_ = static_cast<uint8_t>(frame_[3]);
  bool ok = true;
  if (whole == 0) {
    plain_ = packed;
  } else {
    plain_.resize(whole);
    ok = Expand(codec_, packed, &plain_);
  }
  taken_ = 0;
  filled_ = 0;
  Clear(&frame_);
  return ok;
}

size_t CompressedInput::Take(std::span<char> into) {
  const size_t size = std::min(into.size(), plain_.size() - taken_);
  std::memcpy(into.data(), plain_.data() + taken_, size);
  taken_ += size;
  if (empty()) {
    Clear(&plain_);
    taken_ = 0;
  }
  return size;
}

size_t CompressedOutput::Pack(std::string_view bytes) {
  bytes = bytes.substr(0, kMostInFrame);
  size_t size = 0;
  if (bytes.size() >= kLeastCompressed) {
    frame_.resize(kHeader + MostPacked(codec_, bytes.size()));
    size = Shrink(codec_, level_, bytes, std::span(frame_).subspan(kHeader));
  }
  const bool smaller = size != 0;
  frame_.resize(kHeader + size);
  if (!smaller) {
    frame_.append(bytes);
  }
  PutThreeBytes(frame_.size() - kHeader, frame_.data());
  frame_[3] = static_cast<char>(number_++);
  PutThreeBytes(smaller ? bytes.size() : 0, frame_.data() + 4);
  sent_ = 0;
  return bytes.size();
}

void CompressedOutput::Sent(size_t size) {
  sent_ += size;
  if (empty()) {
    Clear(&frame_);
    sent_ = 0;
  }
}

}  // namespace borealis::server
