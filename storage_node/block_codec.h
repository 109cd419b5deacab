// What a layer's block looks like on disk: a head, and content that may be compressed.
//
//   0   4   CRC-32C of bytes [4, size)
//   4   4   size on disk, head included
//   8   4   number of entries
//   12  4   magic "BBL2"
//   16  1   codec: 0 plain, 1 zstd
//   20  4   size of the content, uncompressed
//   24  …   content
//
// The checksum covers what is on disk, so damage is found before anything is decompressed.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

struct ZSTD_CCtx_s;

namespace borealis::storage_node {

inline constexpr size_t kBlockHeaderSize = 24;

class BlockEncoder {
 public:
  BlockEncoder();
  ~BlockEncoder();
  BlockEncoder(const BlockEncoder&) = delete;
  BlockEncoder& operator=(const BlockEncoder&) = delete;

  // `block`: room for the head, then the content. Returns the block as it goes to disk, compressed
  // where that saves an eighth; valid until the next call. `block` is the plain form of it.
  std::string_view Encode(std::string* block, uint32_t entry_count);

 private:
  ZSTD_CCtx_s* const context_;
  std::string compressed_;
};

// The block on disk at the front of `bytes`, verified but not decompressed; kNotFound where blocks
// have ended.
Result<std::string_view> VerifyBlock(std::string_view bytes);
// A verified block with its content in plain. kCorruption when that does not add up.
Result<std::string> DecodeBlock(std::string_view stored);

}  // namespace borealis::storage_node
