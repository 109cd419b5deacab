// The stored form of JSON (docs/formats/json.md) and reading it in place.
//
// A document is a type byte and a value. Containers begin with a table of their elements' offsets,
// an object's keys are sorted: a member is found by binary search, and nothing else is decoded.
// Offsets are 16 bits wide, or 32 in a container of more than 64 KiB.
//
// A view borrows the document's bytes. They may come from disk: every access is checked against
// their bounds, and what is no value reads as one of type kDamaged, which whoever makes text, a
// tree or a copy of it reports as corruption.
//
// INV-JSON-2  An element's bytes lie behind its container's tables and inside its container, so
//             reading ends whatever the bytes are.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "row/json/node.h"

namespace borealis::row {

// Appends the document's stored form. Error 3150: more than 4 GiB; 3151: a key beyond 64 KiB.
Status AppendJson(const JsonNode& node, std::string* out);
Result<std::string> JsonBytes(const JsonNode& node);
// The stored form of JSON's null.
std::string_view JsonNullBytes();

// Whether bytes stored for a JSON value are its text: no type byte is that large.
inline bool IsJsonText(std::string_view stored) {
  return !stored.empty() && static_cast<unsigned char>(stored[0]) >= 0x20;
}

class JsonView {
 public:
  JsonView() = default;  // JSON's null
  explicit JsonView(std::string_view document);

  JsonType type() const { return type_; }
  bool is_array() const { return type_ == JsonType::kArray; }
  bool is_object() const { return type_ == JsonType::kObject; }
  bool is_container() const { return is_array() || is_object(); }
  bool is_number() const { return type_ >= JsonType::kDecimal && type_ <= JsonType::kDouble; }
  bool is_damaged() const { return type_ == JsonType::kDamaged; }

  // Elements of a container; 0 for a scalar.
  uint32_t size() const { return count_; }
  // REQUIRES: i < size().
  JsonView item(uint32_t i) const;
  // REQUIRES: is_object(), i < size(). Empty where the bytes are damaged.
  std::string_view key(uint32_t i) const;
  bool Find(std::string_view key, JsonView* value) const;

  // kInt, kBoolean, temporals; the bits of kUint.
  int64_t integer() const { return integer_; }
  uint64_t uint() const { return static_cast<uint64_t>(integer_); }
  double real() const { return real_; }
  Decimal decimal() const;
  // kString, kOpaque.
  std::string_view text() const { return data_; }
  uint8_t opaque_type() const { return opaque_type_; }

  // Where the value is in its document: two views of one document are of one value when equal.
  const void* place() const { return place_; }
  // A document of this value alone.
  Status AppendTo(std::string* out) const;
  Status ToNode(JsonNode* out) const { return ToNode(1, out); }
  // Bytes AppendTo adds.
  Result<size_t> StoredSize() const;
  // 1 for a scalar or an empty container; 0 for damage.
  int Depth() const { return Depth(1); }

 private:
  JsonView(uint8_t code, std::string_view value, const void* place);
  void ReadScalar(uint8_t code, std::string_view value);
  void ReadContainer(uint8_t code, std::string_view value);
  void ReadOpaque(std::string_view value);
  Status ToNode(int depth, JsonNode* out) const;
  int Depth(int above) const;
  size_t OffsetSize() const { return large_ ? 4 : 2; }
  size_t EntriesStart() const;
  uint32_t ReadOffset(size_t at) const;
  Status Damaged() const;

  JsonType type_ = JsonType::kNull;
  bool large_ = false;
  uint8_t code_ = 4;
  uint8_t opaque_type_ = 0;
  uint32_t count_ = 0;
  int64_t integer_ = 0;
  double real_ = 0;
  std::string_view data_;  // text, or the whole container
  const void* place_ = nullptr;
};

// MySQL's order of JSON values, a total one: by kind first (null, numbers, strings, objects,
// arrays, booleans, dates, times, datetimes, opaque values), numbers by value whatever their type.
int CompareJson(const JsonView& a, const JsonView& b);
inline int CompareJson(std::string_view a, std::string_view b) {
  return CompareJson(JsonView(a), JsonView(b));
}

}  // namespace borealis::row
