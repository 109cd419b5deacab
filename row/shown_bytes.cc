#include "row/shown_bytes.h"

#include <fmt/format.h>

namespace borealis::row {

std::string HexOfBadBytes(std::string_view bytes) {
  std::string shown;
  for (const char byte : bytes.substr(0, 3)) {
    shown += fmt::format("{:02X}", static_cast<uint8_t>(byte));
  }
  return shown;
}

std::string PrintableBytes(std::string_view bytes) {
  std::string shown;
  for (const char byte : bytes) {
    shown += byte >= 0x20 && byte < 0x7F ? std::string(1, byte)
                                         : fmt::format("\\x{:02X}", static_cast<uint8_t>(byte));
  }
  return shown;
}

std::string EscapedBytes(std::string_view bytes) {
  const std::string shown = PrintableBytes(bytes.substr(0, 6));
  return bytes.size() > 6 ? shown + "..." : shown;
}

}  // namespace borealis::row
