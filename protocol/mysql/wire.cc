#include "protocol/mysql/wire.h"

namespace borealis::mysql {

void AppendLenEncInt(std::string* to, uint64_t value) {
  if (value < 251) {
    AppendInt1(to, static_cast<uint8_t>(value));
  } else if (value <= 0xFFFF) {
    AppendInt1(to, 0xFC);
    AppendLittle(to, static_cast<uint16_t>(value));
  } else if (value <= 0xFFFFFF) {
    AppendInt1(to, 0xFD);
    AppendInt3(to, static_cast<uint32_t>(value));
  } else {
    AppendInt1(to, 0xFE);
    AppendLittle(to, value);
  }
}

void AppendLenEncString(std::string* to, std::string_view bytes) {
  AppendLenEncInt(to, bytes.size());
  to->append(bytes);
}

uint32_t WireReader::Int3() {
  const uint32_t low = Int2();
  return low | (static_cast<uint32_t>(Int1()) << 16);
}

uint64_t WireReader::LenEncInt() {
  const uint8_t first = Int1();
  switch (first) {
    case 0xFB:
    case 0xFF:
      Fail();
      return 0;
    case 0xFC:
      return Int2();
    case 0xFD:
      return Int3();
    case 0xFE:
      return Int8();
    default:
      return first;
  }
}

std::string_view WireReader::LenEncString() {
  return Bytes(LenEncInt());
}

std::string_view WireReader::NulString() {
  const size_t end = reader_.rest().find('\0');
  if (end == std::string_view::npos) {
    Fail();
    return {};
  }
  const std::string_view bytes = reader_.Bytes(end);
  reader_.Little<uint8_t>();
  return bytes;
}

std::string_view WireReader::Bytes(uint64_t size) {
  if (failed_ || size > reader_.rest().size()) {
    Fail();
    return {};
  }
  return reader_.Bytes(size);
}

}  // namespace borealis::mysql
