// Numbers by byte strings: which group the rows of a key belong to. A hash table with open
// addressing, which only grows. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "sql/sqlite/byte_arena.h"

namespace borealis::sql {

class KeyIndex {
 public:
  static constexpr uint32_t kNone = ~uint32_t{0};

  // kNone: the key was not added.
  uint32_t Find(std::string_view key) const;
  // False, and nothing changes, where the key was added before. REQUIRES: number != kNone.
  bool Add(std::string_view key, uint32_t number);
  // What it takes of memory.
  size_t bytes() const {
    return arena_.bytes() + slots_.size() * sizeof(Slot) + entries_.capacity() * sizeof(Entry);
  }

 private:
  // Small, since most of what a look-up costs is the cache line of a slot; an entry is looked at
  // where the hashes are the same.
  struct Slot {
    uint32_t hash = 0;
    uint32_t entry = kNone;  // kNone: the slot is free
  };
  struct Entry {
    const char* key;
    uint32_t size;
    uint32_t number;
  };
  // The slot of the key, or the free one where it belongs. REQUIRES: there are slots.
  size_t SlotOf(std::string_view key, uint32_t hash) const;
  void Grow();

  std::vector<Slot> slots_;  // a power of two of them, at most half of them taken
  std::vector<Entry> entries_;
  ByteArena arena_;
};

}  // namespace borealis::sql
