#include "protocol/mysql/packet.h"

#include <algorithm>
#include <cstring>

#include "base/mysql_error.h"
#include "protocol/mysql/wire.h"

namespace borealis::mysql {

namespace {

constexpr size_t kLeastBuffer = 4096;

uint32_t FrameLength(const char* header) {
  return LoadLittle<uint32_t>(header) & kMaxFramePayload;
}

}  // namespace

std::span<char> PacketReader::Space(size_t least) {
  if (buffer_.size() - end_ < least) {
    // Move the partial packet to the front before growing: the buffer is as large as the largest
    // packet, not as the sum of packets.
    if (begin_ > 0) {
      std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
      end_ -= begin_;
      begin_ = 0;
    }
    if (buffer_.size() - end_ < least) {
      buffer_.resize(std::max(
          {end_ + least, kLeastBuffer, std::min(buffer_.size() * 2, end_ + least + (1U << 20))}));
    }
  }
  return std::span<char>(buffer_).subspan(end_);
}

void PacketReader::Added(size_t size) {
  INVARIANT_LE(size, buffer_.size() - end_);
  end_ += size;
}

Result<bool> PacketReader::Next(uint8_t* sequence, std::string_view* payload) {
  while (end_ - scan() >= kFrameHeaderSize) {
    char* const header = buffer_.data() + scan();
    const uint32_t length = FrameLength(header);
    if (joined_ + length > max_packet_) {
      return UserError(ER_NET_PACKET_TOO_LARGE);
    }
    if (end_ - scan() < kFrameHeaderSize + length) {
      return false;
    }
    if (sequence != nullptr) {
      if (static_cast<uint8_t>(header[3]) != *sequence) {
        return UserError(ER_NET_PACKETS_OUT_OF_ORDER);
      }
      ++*sequence;
    }
    char* const joined_end = buffer_.data() + begin_ + kFrameHeaderSize + joined_;
    if (joined_ > 0) {
      std::memmove(joined_end, header + kFrameHeaderSize, length);
    }
    joined_ += length;
    scanned_ += kFrameHeaderSize + length;
    if (length < kMaxFramePayload) {
      *payload = {buffer_.data() + begin_ + kFrameHeaderSize, joined_};
      begin_ += scanned_;
      scanned_ = joined_ = 0;
      if (begin_ == end_) {
        begin_ = end_ = 0;
      }
      return true;
    }
  }
  return false;
}

size_t PacketReader::wanted() const {
  const size_t have = end_ - scan();
  if (have < kFrameHeaderSize) {
    return kFrameHeaderSize - have;
  }
  const size_t frame = kFrameHeaderSize + FrameLength(buffer_.data() + scan());
  return frame > have ? frame - have : 1;
}

void PacketReader::Release(size_t keep) {
  INVARIANT(empty());
  begin_ = end_ = 0;
  if (buffer_.size() > keep) {
    std::vector<char>().swap(buffer_);
  }
}

std::string* PacketWriter::Begin() {
  INVARIANT(!open_);
  open_ = true;
  start_ = out_->size();
  out_->append(kFrameHeaderSize, '\0');
  return out_;
}

void PacketWriter::End() {
  INVARIANT(open_);
  open_ = false;
  const size_t payload = out_->size() - start_ - kFrameHeaderSize;
  // A payload of an exact multiple of the frame size ends with an empty frame.
  const size_t more_frames = payload / kMaxFramePayload;
  if (more_frames > 0) {
    // Open gaps for the further headers from the back, so that each byte moves once.
    out_->append(more_frames * kFrameHeaderSize, '\0');
    char* const first = out_->data() + start_ + kFrameHeaderSize;
    for (size_t frame = more_frames; frame > 0; --frame) {
      const size_t from = frame * kMaxFramePayload;
      const size_t size = std::min<size_t>(payload - from, kMaxFramePayload);
      std::memmove(first + from + frame * kFrameHeaderSize, first + from, size);
    }
  }
  char* header = out_->data() + start_;
  for (size_t frame = 0; frame <= more_frames; ++frame) {
    const size_t size =
        frame < more_frames ? kMaxFramePayload : payload - more_frames * kMaxFramePayload;
    StoreLittle(header, static_cast<uint32_t>(size) | (static_cast<uint32_t>(*sequence_) << 24));
    ++*sequence_;
    header += kFrameHeaderSize + kMaxFramePayload;
  }
}

void PacketWriter::Abandon() {
  INVARIANT(open_);
  open_ = false;
  out_->resize(start_);
}

void PacketWriter::Write(std::string_view payload) {
  Begin();
  out_->append(payload);
  End();
}

}  // namespace borealis::mysql
