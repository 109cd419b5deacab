// Memory of the buffer pool's pages, in chunks of 2 MiB that the system may back by huge pages.
//
// A random lookup touches a few cache lines in each of several pages; with 4 KiB mappings nearly
// each of them would miss the TLB as well. Thread-safe.
#pragma once

#include <cstddef>
#include <unordered_map>
#include <vector>

#include "base/mutex.h"
#include "volume/page.h"

namespace borealis::engine {

class FrameMemory {
 public:
  FrameMemory() = default;
  // Frees all chunks, also those with pages taken.
  ~FrameMemory();
  FrameMemory(const FrameMemory&) = delete;
  FrameMemory& operator=(const FrameMemory&) = delete;

  // Uninitialised.
  Page* Take();
  // The system gets the page's memory back at once; a chunk of which all pages were given back is
  // freed.
  void Give(Page* page);

  size_t chunks_for_testing() const;

 private:
  static constexpr size_t kChunkSize = size_t{2} << 20;
  static constexpr size_t kPagesPerChunk = kChunkSize / kPageSize;

  struct Chunk {
    char* memory = nullptr;
    std::vector<Page*> free;
  };

  static char* ChunkOf(Page* page);

  mutable Mutex mutex_{LockRank::kLeaf};
  std::unordered_map<char*, Chunk> chunks_ GUARDED_BY(mutex_);
  std::vector<Chunk*> open_ GUARDED_BY(mutex_);  // with free pages; the last is taken from
};

}  // namespace borealis::engine
