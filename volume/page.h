// A page: the unit in which the volume is addressed, read and cached.
//
//   OFFSET SIZE  DESCRIPTION
//   0      8     LSN: end of the last record applied to the page; 0 for a page never written
//   8      4     CRC-32C of bytes [0, 8) and [12, 16384); kept only where a page rests or travels
//   12     4     reserved, zero
//   16     16368 the owner's business (engine/page/)
//
// A page that no record ever touched reads as all zeroes with LSN 0.
// Thread-compatible: latching is the holder's business.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

#include "base/coding.h"
#include "base/types.h"

namespace borealis {

inline constexpr size_t kPageSize = 16384;
inline constexpr size_t kPageHeaderSize = 16;

struct Page {
  alignas(64) char bytes[kPageSize];

  Lsn lsn() const { return Lsn(LoadLittle<uint64_t>(bytes)); }
  void set_lsn(Lsn lsn) { StoreLittle(bytes, lsn.value()); }
  std::string_view view() const { return {bytes, kPageSize}; }
  void Clear() { std::memset(bytes, 0, kPageSize); }
};
static_assert(sizeof(Page) == kPageSize);

bool IsAllZero(std::string_view bytes);
// Stamps the checksum; call before a page leaves memory.
void SealPage(Page* page);
// True when the checksum matches, or the page is all zeroes.
bool PageIsIntact(const Page& page);

}  // namespace borealis
