// What an engine keeps in memory besides its buffer pool, for status and metrics.
//
// Estimates: what the parts hold, and what their containers need for each piece; sizes of what is
// cached are not tracked. Undo is in pages: of it only what finds it is counted.
#pragma once

#include <cstdint>

namespace borealis::engine {

class Engine;

struct MemoryUse {
  uint64_t locks = 0;         // of rows, gaps, tables and names
  uint64_t transactions = 0;  // with changes and not ended or not purged; read views
  uint64_t dictionary = 0;    // definitions of the tables that have been used
  uint64_t statistics = 0;    // of these tables

  uint64_t total() const { return locks + transactions + dictionary + statistics; }
};

// What a node of a standard hash table or tree takes besides the element.
inline constexpr uint64_t kNodeOverhead = 40;

MemoryUse MemoryUseOf(const Engine& engine);

}  // namespace borealis::engine
