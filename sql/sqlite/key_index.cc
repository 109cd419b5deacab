#include "sql/sqlite/key_index.h"

#include <functional>
#include <utility>

namespace borealis::sql {
namespace {

constexpr size_t kFirstSlots = 64;

uint64_t HashOf(std::string_view key) {
  return std::hash<std::string_view>()(key);
}

}  // namespace

uint32_t KeyIndex::Find(std::string_view key) const {
  if (slots_.empty()) {
    return kNone;
  }
  const uint64_t hash = HashOf(key);
  for (size_t at = hash;; ++at) {
    const Slot& slot = slots_[at & (slots_.size() - 1)];
    if (slot.number == kNone ||
        (slot.hash == hash && std::string_view(slot.key, slot.size) == key)) {
      return slot.number;
    }
  }
}

KeyIndex::Slot& KeyIndex::FreeSlot(uint64_t hash) {
  size_t at = hash & (slots_.size() - 1);
  while (slots_[at].number != kNone) {
    at = (at + 1) & (slots_.size() - 1);
  }
  return slots_[at];
}

void KeyIndex::Grow() {
  const size_t size = slots_.empty() ? kFirstSlots : slots_.size() * 2;
  const std::vector<Slot> old = std::exchange(slots_, std::vector<Slot>(size));
  for (const Slot& slot : old) {
    if (slot.number != kNone) {
      FreeSlot(slot.hash) = slot;
    }
  }
}

void KeyIndex::Add(std::string_view key, uint32_t number) {
  if (2 * (count_ + 1) > slots_.size()) {
    Grow();
  }
  const uint64_t hash = HashOf(key);
  FreeSlot(hash) = {hash, arena_.Copy(key), static_cast<uint32_t>(key.size()), number};
  ++count_;
}

}  // namespace borealis::sql
