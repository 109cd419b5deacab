// The integers and strings MySQL packets are made of.
//
//   fixed       little-endian, 1, 2, 3, 4 or 8 bytes (base/coding.h; Int3 here)
//   lenenc int  <251: itself; 0xFC u16; 0xFD u24; 0xFE u64; 0xFB stands for NULL where a row allows
//   it lenenc str  a lenenc int, then as many bytes NUL str     bytes up to a zero byte
//
// A WireReader never reads past its end: after a failed read ok() is false and every later read
// gives zero or empty, so that a parser checks once at the end. Views point into the given bytes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/coding.h"

namespace borealis::mysql {

inline constexpr unsigned char kNullMarker = 0xFB;

void AppendLenEncInt(std::string* to, uint64_t value);
void AppendLenEncString(std::string* to, std::string_view bytes);
inline void AppendInt1(std::string* to, uint8_t value) {
  to->push_back(static_cast<char>(value));
}
inline void AppendInt3(std::string* to, uint32_t value) {
  char bytes[4];
  StoreLittle(bytes, value);
  to->append(bytes, 3);
}
inline void AppendNulString(std::string* to, std::string_view bytes) {
  to->append(bytes);
  to->push_back('\0');
}

class WireReader {
 public:
  explicit WireReader(std::string_view bytes) : reader_(bytes) {}

  uint8_t Int1() { return reader_.Little<uint8_t>(); }
  uint16_t Int2() { return reader_.Little<uint16_t>(); }
  uint32_t Int3();
  uint32_t Int4() { return reader_.Little<uint32_t>(); }
  uint64_t Int8() { return reader_.Little<uint64_t>(); }
  float Float() { return reader_.Little<float>(); }
  double Double() { return reader_.Little<double>(); }
  // Fails on 0xFB and 0xFF.
  uint64_t LenEncInt();
  std::string_view LenEncString();
  // Fails when no zero byte follows.
  std::string_view NulString();
  std::string_view Bytes(uint64_t size);
  void Skip(uint64_t size) { Bytes(size); }
  // All that is left.
  std::string_view Rest() { return Bytes(reader_.rest().size()); }

  void Fail() { failed_ = true; }
  bool ok() const { return reader_.ok() && !failed_; }
  bool empty() const { return reader_.empty(); }
  size_t left() const { return reader_.rest().size(); }

 private:
  ByteReader reader_;
  bool failed_ = false;
};

}  // namespace borealis::mysql
