// Fixed-width and variable-length integers in byte strings.
//
// Formats of ours are little-endian; keys that must compare with memcmp use the big-endian forms.
// A ByteReader never reads past its end: after a failed read ok() is false, every later read gives
// zero or empty, and the caller checks once at the end.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace borealis {

static_assert(std::endian::native == std::endian::little, "formats are written by plain copies");

template <class T>
inline void StoreLittle(char* to, T value) {
  std::memcpy(to, &value, sizeof(T));
}
template <class T>
inline T LoadLittle(const char* from) {
  T value;
  std::memcpy(&value, from, sizeof(T));
  return value;
}
template <class T>
inline T ByteSwap(T value) {
  if constexpr (sizeof(T) == 8) {
    return static_cast<T>(__builtin_bswap64(static_cast<uint64_t>(value)));
  } else if constexpr (sizeof(T) == 4) {
    return static_cast<T>(__builtin_bswap32(static_cast<uint32_t>(value)));
  } else if constexpr (sizeof(T) == 2) {
    return static_cast<T>(__builtin_bswap16(static_cast<uint16_t>(value)));
  } else {
    return value;
  }
}
template <class T>
inline void StoreBig(char* to, T value) {
  StoreLittle(to, ByteSwap(value));
}
template <class T>
inline T LoadBig(const char* from) {
  return ByteSwap(LoadLittle<T>(from));
}

template <class T>
inline void AppendLittle(std::string* to, T value) {
  to->append(reinterpret_cast<const char*>(&value), sizeof(T));
}
template <class T>
inline void AppendBig(std::string* to, T value) {
  AppendLittle(to, ByteSwap(value));
}
// LEB128, 1 to 10 bytes.
void AppendVarint(std::string* to, uint64_t value);
// A varint length, then the bytes.
void AppendSized(std::string* to, std::string_view bytes);

class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : rest_(bytes) {}

  template <class T>
  T Little() {
    if (!Need(sizeof(T))) {
      return T{};
    }
    T value = LoadLittle<T>(rest_.data());
    rest_.remove_prefix(sizeof(T));
    return value;
  }
  template <class T>
  T Big() {
    return ByteSwap(Little<T>());
  }
  uint64_t Varint();
  // Views into the bytes given at construction.
  std::string_view Bytes(size_t size);
  std::string_view Sized();

  std::string_view rest() const { return rest_; }
  bool empty() const { return rest_.empty(); }
  bool ok() const { return ok_; }

 private:
  bool Need(size_t size) {
    if (!ok_ || rest_.size() < size) {
      ok_ = false;
      rest_ = {};
      return false;
    }
    return true;
  }

  std::string_view rest_;
  bool ok_ = true;
};

}  // namespace borealis
