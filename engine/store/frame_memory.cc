#include "engine/store/frame_memory.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdlib>

#include "base/invariant.h"

namespace borealis::engine {

FrameMemory::~FrameMemory() {
  for (const auto& [chunk, taken] : taken_) {
    std::free(chunk);
  }
}

char* FrameMemory::ChunkOf(Page* page) {
  const auto address = reinterpret_cast<uintptr_t>(page);
  return reinterpret_cast<char*>(address - address % kChunkSize);
}

Page* FrameMemory::Take() {
  MutexLock lock(mutex_);
  if (free_.empty()) {
    char* const chunk = static_cast<char*>(std::aligned_alloc(kChunkSize, kChunkSize));
    INVARIANT(chunk != nullptr);
    madvise(chunk, kChunkSize, MADV_HUGEPAGE);  // a wish; refused where not supported
    taken_[chunk] = 0;
    for (size_t i = kPagesPerChunk; i > 0; --i) {
      free_.push_back(reinterpret_cast<Page*>(chunk + (i - 1) * kPageSize));
    }
  }
  Page* const page = free_.back();
  free_.pop_back();
  ++taken_[ChunkOf(page)];
  return page;
}

void FrameMemory::Give(Page* page) {
  MutexLock lock(mutex_);
  char* const chunk = ChunkOf(page);
  free_.push_back(page);
  if (--taken_[chunk] == 0) {
    std::erase_if(free_, [chunk](Page* p) { return ChunkOf(p) == chunk; });
    taken_.erase(chunk);
    std::free(chunk);
  }
}

size_t FrameMemory::chunks_for_testing() const {
  MutexLock lock(mutex_);
  return taken_.size();
}

}  // namespace borealis::engine
