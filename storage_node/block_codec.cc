#include "storage_node/block_codec.h"

#include <zstd.h>

#include "base/coding.h"
#include "base/crc32c.h"
#include "base/invariant.h"

namespace borealis::storage_node {

namespace {

constexpr uint32_t kBlockMagic = 0x324C4242;  // "BBL2"
constexpr uint8_t kPlain = 0;
constexpr uint8_t kZstd = 1;
// On B+tree pages level 3 takes three times as long and saves no more; level -1 saves half as much.
constexpr int kZstdLevel = 1;
// A block is closed at 32 KiB, and no record is larger than 64 KiB.
constexpr size_t kContentSizeMax = size_t{1} << 20;

void PutHead(std::string* block, uint32_t entry_count, uint8_t codec, size_t content_size) {
  char* head = block->data();
  StoreLittle(head + 4, static_cast<uint32_t>(block->size()));
  StoreLittle(head + 8, entry_count);
  StoreLittle(head + 12, kBlockMagic);
  StoreLittle(head + 16, uint32_t{codec});
  StoreLittle(head + 20, static_cast<uint32_t>(content_size));
  StoreLittle(head, Crc32c(std::string_view(*block).substr(4)));
}

// One for each thread that reads layers: making it costs more than decompressing a block.
ZSTD_DCtx* ThreadsContext() {
  struct Free {
    void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
  };
  static thread_local const std::unique_ptr<ZSTD_DCtx, Free> context(ZSTD_createDCtx());
  INVARIANT(context != nullptr);
  return context.get();
}

}  // namespace

BlockEncoder::BlockEncoder() : context_(ZSTD_createCCtx()) {
  INVARIANT(context_ != nullptr);
}

BlockEncoder::~BlockEncoder() {
  ZSTD_freeCCtx(context_);
}

std::string_view BlockEncoder::Encode(std::string* block, uint32_t entry_count) {
  const std::string_view content = std::string_view(*block).substr(kBlockHeaderSize);
  compressed_.resize(kBlockHeaderSize + ZSTD_compressBound(content.size()));
  const size_t size = ZSTD_compressCCtx(context_, compressed_.data() + kBlockHeaderSize,
                                        compressed_.size() - kBlockHeaderSize, content.data(),
                                        content.size(), kZstdLevel);
  if (ZSTD_isError(size) != 0 || size > content.size() - content.size() / 8) {
    PutHead(block, entry_count, kPlain, content.size());
    return *block;
  }
  compressed_.resize(kBlockHeaderSize + size);
  PutHead(&compressed_, entry_count, kZstd, content.size());
  return compressed_;
}

Result<std::string_view> VerifyBlock(std::string_view bytes) {
  if (bytes.size() < kBlockHeaderSize || LoadLittle<uint32_t>(bytes.data() + 12) != kBlockMagic) {
    return Status::NotFound("no block");
  }
  const size_t size = LoadLittle<uint32_t>(bytes.data() + 4);
  if (size < kBlockHeaderSize || size > bytes.size() ||
      LoadLittle<uint32_t>(bytes.data()) != Crc32c(bytes.substr(4, size - 4))) {
    return Status::Corruption("block does not verify");
  }
  return bytes.substr(0, size);
}

Result<std::string> DecodeBlock(std::string_view stored) {
  const auto codec = LoadLittle<uint32_t>(stored.data() + 16);
  const size_t content_size = LoadLittle<uint32_t>(stored.data() + 20);
  const std::string_view content = stored.substr(kBlockHeaderSize);
  if (codec == kPlain && content_size == content.size()) {
    return std::string(stored);
  }
  if (codec != kZstd || content_size > kContentSizeMax) {
    return Status::Corruption("block of an unknown kind");
  }
  std::string block(kBlockHeaderSize + content_size, '\0');
  std::memcpy(block.data(), stored.data(), kBlockHeaderSize);
  const size_t size = ZSTD_decompressDCtx(ThreadsContext(), block.data() + kBlockHeaderSize,
                                          content_size, content.data(), content.size());
  if (size != content_size) {
    return Status::Corruption("block does not decompress to its size");
  }
  return block;
}

}  // namespace borealis::storage_node
