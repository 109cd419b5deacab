#include "engine/store/frame_memory.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdlib>

#include "base/invariant.h"

namespace borealis::engine {

FrameMemory::~FrameMemory() {
  for (const auto& [memory, chunk] : chunks_) {
    std::free(memory);
  }
}

char* FrameMemory::ChunkOf(Page* page) {
  const auto address = reinterpret_cast<uintptr_t>(page);
  return reinterpret_cast<char*>(address - address % kChunkSize);
}

Page* FrameMemory::Take() {
  MutexLock lock(mutex_);
  if (open_.empty()) {
    char* const memory = static_cast<char*>(std::aligned_alloc(kChunkSize, kChunkSize));
    INVARIANT(memory != nullptr);
    madvise(memory, kChunkSize, MADV_HUGEPAGE);  // a wish; refused where not supported
    Chunk& chunk = chunks_[memory];
    chunk.memory = memory;
    for (size_t i = kPagesPerChunk; i > 0; --i) {
      chunk.free.push_back(reinterpret_cast<Page*>(memory + (i - 1) * kPageSize));
    }
    open_.push_back(&chunk);
  }
  Chunk* const chunk = open_.back();
  Page* const page = chunk->free.back();
  chunk->free.pop_back();
  if (chunk->free.empty()) {
    open_.pop_back();
  }
  return page;
}

void FrameMemory::Give(Page* page) {
  madvise(page, kPageSize, MADV_DONTNEED);
  MutexLock lock(mutex_);
  Chunk& chunk = chunks_.at(ChunkOf(page));
  if (chunk.free.empty()) {
    open_.push_back(&chunk);
  }
  chunk.free.push_back(page);
  if (chunk.free.size() == kPagesPerChunk) {
    std::erase(open_, &chunk);
    char* const memory = chunk.memory;
    chunks_.erase(memory);
    std::free(memory);
  }
}

size_t FrameMemory::chunks_for_testing() const {
  MutexLock lock(mutex_);
  return chunks_.size();
}

}  // namespace borealis::engine
