// CRC-32C (Castagnoli), the checksum of pages, records, frames and files.
#pragma once

#include <cstdint>
#include <string_view>

namespace borealis {

// The checksum of `bytes`, continuing from `seed` (the checksum of what came before, or 0).
uint32_t Crc32c(std::string_view bytes, uint32_t seed = 0);

}  // namespace borealis
