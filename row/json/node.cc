#include "row/json/node.h"

#include <algorithm>
#include <numeric>

namespace borealis::row {

JsonNode JsonNode::Int(int64_t value) {
  JsonNode node = OfType(JsonType::kInt);
  node.integer = value;
  return node;
}

JsonNode JsonNode::Uint(uint64_t value) {
  JsonNode node = OfType(JsonType::kUint);
  node.integer = static_cast<int64_t>(value);
  return node;
}

JsonNode JsonNode::Boolean(bool value) {
  JsonNode node = OfType(JsonType::kBoolean);
  node.integer = value ? 1 : 0;
  return node;
}

JsonNode JsonNode::Double(double value) {
  JsonNode node = OfType(JsonType::kDouble);
  node.real = value;
  return node;
}

JsonNode JsonNode::Dec(const Decimal& value) {
  JsonNode node = OfType(JsonType::kDecimal);
  node.decimal = value;
  return node;
}

JsonNode JsonNode::String(std::string text) {
  JsonNode node = OfType(JsonType::kString);
  node.text = std::move(text);
  return node;
}

JsonNode JsonNode::Opaque(uint8_t type_code, std::string bytes) {
  JsonNode node = OfType(JsonType::kOpaque);
  node.opaque_type = type_code;
  node.text = std::move(bytes);
  return node;
}

JsonNode JsonNode::Temporal(JsonType type, int64_t packed) {
  JsonNode node = OfType(type);
  node.integer = packed;
  return node;
}

size_t JsonNode::LowerBound(std::string_view key) const {
  auto found = std::lower_bound(keys.begin(), keys.end(), key, JsonKeyLess);
  return static_cast<size_t>(found - keys.begin());
}

JsonNode* JsonNode::Find(std::string_view key) {
  size_t at = LowerBound(key);
  return at < keys.size() && keys[at] == key ? &items[at] : nullptr;
}

void JsonNode::Set(std::string key, JsonNode value) {
  size_t at = LowerBound(key);
  if (at < keys.size() && keys[at] == key) {
    items[at] = std::move(value);
    return;
  }
  keys.insert(keys.begin() + static_cast<ptrdiff_t>(at), std::move(key));
  items.insert(items.begin() + static_cast<ptrdiff_t>(at), std::move(value));
}

void JsonNode::Remove(std::string_view key) {
  size_t at = LowerBound(key);
  if (at < keys.size() && keys[at] == key) {
    keys.erase(keys.begin() + static_cast<ptrdiff_t>(at));
    items.erase(items.begin() + static_cast<ptrdiff_t>(at));
  }
}

void JsonNode::AddMember(std::string key, JsonNode value) {
  keys.push_back(std::move(key));
  items.push_back(std::move(value));
}

void JsonNode::FinishMembers() {
  bool ordered = std::adjacent_find(keys.begin(), keys.end(), [](const auto& a, const auto& b) {
                   return !JsonKeyLess(a, b);
                 }) == keys.end();
  if (ordered) {
    return;
  }
  std::vector<size_t> order(keys.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return JsonKeyLess(keys[a], keys[b]); });
  std::vector<std::string> sorted_keys;
  std::vector<JsonNode> sorted_items;
  sorted_keys.reserve(keys.size());
  sorted_items.reserve(items.size());
  for (size_t i = 0; i < order.size(); ++i) {
    if (i + 1 < order.size() && keys[order[i]] == keys[order[i + 1]]) {
      continue;
    }
    sorted_keys.push_back(std::move(keys[order[i]]));
    sorted_items.push_back(std::move(items[order[i]]));
  }
  keys = std::move(sorted_keys);
  items = std::move(sorted_items);
}

int JsonNode::Depth() const {
  int deepest = 0;
  for (const JsonNode& item : items) {
    deepest = std::max(deepest, item.Depth());
  }
  return deepest + 1;
}

JsonNode JsonArrayOf(JsonNode node) {
  if (node.is_array()) {
    return node;
  }
  JsonNode array = JsonNode::Array();
  array.items.push_back(std::move(node));
  return array;
}

JsonNode MergeJsonPreserve(JsonNode a, JsonNode b) {
  if (a.is_object() && b.is_object()) {
    for (size_t i = 0; i < b.keys.size(); ++i) {
      JsonNode* there = a.Find(b.keys[i]);
      if (there == nullptr) {
        a.Set(std::move(b.keys[i]), std::move(b.items[i]));
      } else {
        *there = MergeJsonPreserve(std::move(*there), std::move(b.items[i]));
      }
    }
    return a;
  }
  JsonNode array = JsonArrayOf(std::move(a));
  JsonNode more = JsonArrayOf(std::move(b));
  std::move(more.items.begin(), more.items.end(), std::back_inserter(array.items));
  return array;
}

JsonNode MergeJsonPatch(JsonNode target, JsonNode patch) {
  if (!patch.is_object()) {
    return patch;
  }
  if (!target.is_object()) {
    target = JsonNode::Object();
  }
  for (size_t i = 0; i < patch.keys.size(); ++i) {
    if (patch.items[i].type == JsonType::kNull) {
      target.Remove(patch.keys[i]);
      continue;
    }
    JsonNode* there = target.Find(patch.keys[i]);
    JsonNode old = there != nullptr ? std::move(*there) : JsonNode();
    target.Set(patch.keys[i], MergeJsonPatch(std::move(old), std::move(patch.items[i])));
  }
  return target;
}

}  // namespace borealis::row
