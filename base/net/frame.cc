#include "base/net/frame.h"

#include "base/coding.h"
#include "base/crc32c.h"
#include "base/invariant.h"

namespace borealis {

namespace {
constexpr uint32_t kMagic = 0x41524F42;  // "BORA"
constexpr size_t kAttachmentCountMax = 255;
constexpr size_t kCrcOffset = 24;

// Where the decoder has left more than this behind, it moves the rest to the front.
constexpr size_t kCompactBytes = 1u << 20;
}  // namespace

std::string EncodeFrameHead(const Frame& frame) {
  INVARIANT_LE(frame.attachments.size(), kAttachmentCountMax);
  INVARIANT_LE(frame.body.size(), kFrameBodySizeMax);
  size_t attached = 0;
  std::string head(kFrameHeaderSize, '\0');
  head.reserve(kFrameHeaderSize + 4 * frame.attachments.size() + frame.body.size());
  for (const SharedBytes& attachment : frame.attachments) {
    attached += attachment.size();
    AppendLittle(&head, static_cast<uint32_t>(attachment.size()));
  }
  INVARIANT_LE(attached, kFrameAttachmentsSizeMax);
  head += frame.body;
  StoreLittle(head.data(), kMagic);
  StoreLittle(head.data() + 4, frame.type);
  StoreLittle(head.data() + 6, static_cast<uint16_t>(frame.attachments.size()));
  StoreLittle(head.data() + 8, frame.request_id);
  StoreLittle(head.data() + 16, static_cast<uint32_t>(frame.body.size()));
  StoreLittle(head.data() + 20, static_cast<uint32_t>(attached));
  const std::string_view bytes = head;
  StoreLittle(head.data() + kCrcOffset,
              Crc32c(bytes.substr(kFrameHeaderSize), Crc32c(bytes.substr(0, kCrcOffset))));
  return head;
}

Result<bool> FrameDecoder::Next(Frame* frame) {
  const std::string_view rest = std::string_view(buffer_).substr(consumed_);
  if (rest.size() < kFrameHeaderSize) {
    return false;
  }
  const size_t attachment_count = LoadLittle<uint16_t>(rest.data() + 6);
  const size_t body_size = LoadLittle<uint32_t>(rest.data() + 16);
  const size_t attached = LoadLittle<uint32_t>(rest.data() + 20);
  if (LoadLittle<uint32_t>(rest.data()) != kMagic || attachment_count > kAttachmentCountMax ||
      body_size > kFrameBodySizeMax || attached > kFrameAttachmentsSizeMax) {
    return Status::Corruption("not a frame");
  }
  const size_t lengths_size = 4 * attachment_count;
  const size_t head_size = kFrameHeaderSize + lengths_size + body_size;
  if (rest.size() < head_size + attached) {
    return false;
  }
  const uint32_t crc = Crc32c(rest.substr(kFrameHeaderSize, lengths_size + body_size),
                              Crc32c(rest.substr(0, kCrcOffset)));
  if (crc != LoadLittle<uint32_t>(rest.data() + kCrcOffset)) {
    return Status::Corruption("frame checksum does not match");
  }
  frame->type = LoadLittle<uint16_t>(rest.data() + 4);
  frame->request_id = LoadLittle<uint64_t>(rest.data() + 8);
  frame->body = rest.substr(kFrameHeaderSize + lengths_size, body_size);
  frame->attachments.clear();
  const SharedBytes all(std::string(rest.substr(head_size, attached)));
  size_t offset = 0;
  for (size_t i = 0; i < attachment_count; ++i) {
    const size_t size = LoadLittle<uint32_t>(rest.data() + kFrameHeaderSize + 4 * i);
    if (size > attached - offset) {
      return Status::Corruption("frame attachments do not add up");
    }
    frame->attachments.push_back(all.Slice(offset, size));
    offset += size;
  }
  if (offset != attached) {
    return Status::Corruption("frame attachments do not add up");
  }
  consumed_ += head_size + attached;
  if (consumed_ == buffer_.size() || consumed_ >= kCompactBytes) {
    buffer_.erase(0, consumed_);
    consumed_ = 0;
  }
  return true;
}

}  // namespace borealis
