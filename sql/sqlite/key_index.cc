#include "sql/sqlite/key_index.h"

#include <algorithm>
#include <functional>
#include <utility>

namespace borealis::sql {
namespace {

constexpr size_t kFirstSlots = 64;

uint32_t HashOf(std::string_view key) {
  return static_cast<uint32_t>(std::hash<std::string_view>()(key));
}

}  // namespace

size_t KeyIndex::SlotOf(std::string_view key, uint32_t hash) const {
  const size_t mask = slots_.size() - 1;
  for (size_t at = hash & mask;; at = (at + 1) & mask) {
    const Slot& slot = slots_[at];
    if (slot.entry == kNone) {
      return at;
    }
    if (slot.hash == hash) {
      const Entry& entry = entries_[slot.entry];
      if (std::string_view(entry.key, entry.size) == key) {
        return at;
      }
    }
  }
}

uint32_t KeyIndex::Find(std::string_view key) const {
  if (slots_.empty()) {
    return kNone;
  }
  const uint32_t entry = slots_[SlotOf(key, HashOf(key))].entry;
  return entry == kNone ? kNone : entries_[entry].number;
}

void KeyIndex::Grow() {
  const std::vector<Slot> old =
      std::exchange(slots_, std::vector<Slot>(std::max(kFirstSlots, slots_.size() * 2)));
  const size_t mask = slots_.size() - 1;
  for (const Slot& slot : old) {
    if (slot.entry == kNone) {
      continue;
    }
    size_t at = slot.hash & mask;
    while (slots_[at].entry != kNone) {
      at = (at + 1) & mask;
    }
    slots_[at] = slot;
  }
}

bool KeyIndex::Add(std::string_view key, uint32_t number) {
  if (2 * (entries_.size() + 1) > slots_.size()) {
    Grow();
  }
  const uint32_t hash = HashOf(key);
  Slot& slot = slots_[SlotOf(key, hash)];
  if (slot.entry != kNone) {
    return false;
  }
  slot = {hash, static_cast<uint32_t>(entries_.size())};
  entries_.push_back({arena_.Copy(key), static_cast<uint32_t>(key.size()), number});
  return true;
}

}  // namespace borealis::sql
