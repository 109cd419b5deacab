// A JSON document as a tree in memory: what text is parsed into and what functions that change a
// document work on. Reading is done on the binary form (row/json/view.h) without making a tree.
//
// INV-JSON-1  The keys of an object are unique and in JsonKeyLess order, shorter ones first, then
//             by bytes: the order of the binary form and of the text.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "row/decimal.h"

namespace borealis::row {

enum class JsonType : uint8_t {
  kNull,
  kDecimal,
  kInt,
  kUint,
  kDouble,
  kString,
  kObject,
  kArray,
  kBoolean,
  kDate,
  kTime,
  kDateTime,
  kOpaque,   // bytes of an SQL type that JSON has none for
  kDamaged,  // bytes that are no JSON value; only views of stored bytes have it
};

// A document nests at most this deep; a scalar has depth 1 (error 3157).
inline constexpr int kMaxJsonDepth = 100;

inline bool JsonKeyLess(std::string_view a, std::string_view b) {
  return a.size() != b.size() ? a.size() < b.size() : a < b;
}

struct JsonNode {
  JsonType type = JsonType::kNull;
  uint8_t opaque_type = 0;  // kOpaque: the wire protocol's type code
  // kInt, kBoolean; kUint: its bits; temporals: as row/value.h packs them.
  int64_t integer = 0;
  double real = 0;
  Decimal decimal;
  std::string text;               // kString, kOpaque
  std::vector<std::string> keys;  // kObject: items[i] is the value of keys[i]
  std::vector<JsonNode> items;    // kObject, kArray

  static JsonNode Int(int64_t value);
  static JsonNode Uint(uint64_t value);
  static JsonNode Boolean(bool value);
  static JsonNode Double(double value);
  static JsonNode Dec(const Decimal& value);
  static JsonNode String(std::string text);
  static JsonNode Opaque(uint8_t type_code, std::string bytes);
  static JsonNode Temporal(JsonType type, int64_t packed);
  static JsonNode Array() { return OfType(JsonType::kArray); }
  static JsonNode Object() { return OfType(JsonType::kObject); }

  bool is_array() const { return type == JsonType::kArray; }
  bool is_object() const { return type == JsonType::kObject; }
  // --- objects ---
  // The member of that name, or null.
  JsonNode* Find(std::string_view key);
  // Adds the member or replaces its value.
  void Set(std::string key, JsonNode value);
  void Remove(std::string_view key);
  // Adds members as they come; FinishMembers brings them in order, the last of equal keys wins.
  void AddMember(std::string key, JsonNode value);
  void FinishMembers();
  // 1 for a scalar or an empty container.
  int Depth() const;

 private:
  static JsonNode OfType(JsonType type) {
    JsonNode node;
    node.type = type;
    return node;
  }
  size_t LowerBound(std::string_view key) const;
};

// The array that `node` is, or an array of it.
JsonNode JsonArrayOf(JsonNode node);
// JSON_MERGE_PRESERVE: arrays are joined, objects member by member, anything else goes into arrays.
JsonNode MergeJsonPreserve(JsonNode a, JsonNode b);
// JSON_MERGE_PATCH (RFC 7396): members of `patch` replace those of `target`, null removes.
JsonNode MergeJsonPatch(JsonNode target, JsonNode patch);

}  // namespace borealis::row
