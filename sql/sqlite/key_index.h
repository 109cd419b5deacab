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
  // REQUIRES: the key was not added before; number != kNone.
  void Add(std::string_view key, uint32_t number);
  // What it takes of memory.
  size_t bytes() const { return arena_.bytes() + slots_.size() * sizeof(Slot); }

 private:
  struct Slot {
    uint64_t hash = 0;
    const char* key = nullptr;
    uint32_t size = 0;
    uint32_t number = kNone;  // kNone: the slot is free
  };
  // The first free slot for the hash.
  Slot& FreeSlot(uint64_t hash);
  void Grow();

  std::vector<Slot> slots_;  // a power of two of them, at most half of them taken
  size_t count_ = 0;
  ByteArena arena_;
};

}  // namespace borealis::sql
