#include "volume/page.h"

#include <algorithm>

#include "base/crc32c.h"

namespace borealis {

namespace {
constexpr size_t kCrcOffset = 8;

uint32_t PageCrc(const Page& page) {
  const uint32_t crc = Crc32c({page.bytes, kCrcOffset});
  return Crc32c({page.bytes + kCrcOffset + 4, kPageSize - kCrcOffset - 4}, crc);
}
}  // namespace

bool IsAllZero(std::string_view bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](char byte) { return byte == 0; });
}

void SealPage(Page* page) {
  StoreLittle(page->bytes + kCrcOffset, PageCrc(*page));
}

bool PageIsIntact(const Page& page) {
  if (LoadLittle<uint32_t>(page.bytes + kCrcOffset) == PageCrc(page)) {
    return true;
  }
  return IsAllZero(page.view());
}

}  // namespace borealis
