// The value of an entry in a clustered tree: who wrote this version of the row, where the version
// before it is, and the row's bytes.
//
//   OFFSET SIZE  DESCRIPTION (little-endian)
//   0      1     flags: bit 0 = delete-marked; bit 1 = the row goes on off-page
//   1      6     id of the transaction that wrote this version
//   7      8     roll pointer: undo record that gives the version before (RollPointer)
//   15     …     the row's bytes; with bit 1 its first bytes, then a long-value reference
//                (engine/store/long_value.h, 20 bytes) to the rest
//
// The value of an entry in a secondary tree is one byte of flags (bit 0) and the length of the
// clustered key as a varint; the entry's key is the secondary key followed by the clustered key.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/coding.h"
#include "base/result.h"
#include "base/types.h"
#include "engine/store/long_value.h"

namespace borealis::engine {

// Place of an undo record: bit 63 says that there is no version before (the row was inserted),
// bits 16..62 are the page, bits 0..15 the offset in it.
class RollPointer {
 public:
  RollPointer() = default;
  explicit RollPointer(uint64_t value) : value_(value) {}
  RollPointer(PageNo page, size_t offset, bool is_insert)
      : value_((is_insert ? kInsert : 0) | page.value() << 16 | offset) {}
  uint64_t value() const { return value_; }
  PageNo page() const { return PageNo((value_ & ~kInsert) >> 16); }
  size_t offset() const { return value_ & 0xFFFF; }
  bool is_insert() const { return (value_ & kInsert) != 0; }
  friend bool operator==(RollPointer, RollPointer) = default;

 private:
  static constexpr uint64_t kInsert = uint64_t{1} << 63;
  uint64_t value_ = kInsert;
};

inline constexpr size_t kRowHeaderSize = 15;
// Bytes of a long row that stay in its entry.
inline constexpr size_t kLongRowPrefixSize = 512;

struct RowHeader {
  bool deleted = false;
  bool is_long = false;
  TrxId trx;
  RollPointer roll;

  void EncodeTo(char* out) const {
    out[0] = static_cast<char>((deleted ? 1 : 0) | (is_long ? 2 : 0));
    const uint64_t id = trx.value();
    std::memcpy(out + 1, &id, 6);
    StoreLittle(out + 7, roll.value());
  }
};

// One version of a row: header and stored bytes (inline bytes, and the reference when long).
struct RowView {
  RowHeader header;
  std::string_view stored;

  std::string_view inline_bytes() const {
    return header.is_long ? stored.substr(0, stored.size() - kLongValueReferenceSize) : stored;
  }
  std::string_view reference() const {
    return header.is_long ? stored.substr(stored.size() - kLongValueReferenceSize)
                          : std::string_view();
  }
};

inline Result<RowView> DecodeRow(std::string_view value) {
  RowView row;
  if (value.size() < kRowHeaderSize || static_cast<uint8_t>(value[0]) > 3) {
    return Status::Corruption("row header is malformed");
  }
  row.header.deleted = (value[0] & 1) != 0;
  row.header.is_long = (value[0] & 2) != 0;
  uint64_t id = 0;
  std::memcpy(&id, value.data() + 1, 6);
  row.header.trx = TrxId(id);
  row.header.roll = RollPointer(LoadLittle<uint64_t>(value.data() + 7));
  row.stored = value.substr(kRowHeaderSize);
  if (row.header.is_long && row.stored.size() < kLongValueReferenceSize) {
    return Status::Corruption("long row without a reference");
  }
  return row;
}

inline std::string EncodeRow(const RowHeader& header, std::string_view stored) {
  std::string value(kRowHeaderSize, '\0');
  header.EncodeTo(value.data());
  value.append(stored);
  return value;
}

struct SecondaryEntry {
  bool deleted = false;
  std::string_view key;            // secondary part
  std::string_view clustered_key;  // the rest of the entry's key
};

inline std::string EncodeSecondaryValue(bool deleted, size_t clustered_key_size) {
  std::string value(1, deleted ? 1 : 0);
  AppendVarint(&value, clustered_key_size);
  return value;
}

inline Result<SecondaryEntry> DecodeSecondary(std::string_view key, std::string_view value) {
  ByteReader reader(value);
  const auto flags = reader.Little<uint8_t>();
  const uint64_t size = reader.Varint();
  if (!reader.ok() || flags > 1 || size > key.size()) {
    return Status::Corruption("secondary index entry is malformed");
  }
  return SecondaryEntry{flags == 1, key.substr(0, key.size() - size),
                        key.substr(key.size() - size)};
}

}  // namespace borealis::engine
