#include "engine/store/frame_memory.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdint>

#include "base/invariant.h"

namespace borealis::engine {

namespace {

// The first chunks are backed page by page as they are used: pools of sessions have no more, and
// there are many of those.
constexpr size_t kSmallChunks = 4;

char* Map(size_t size) {
  void* const memory = mmap(nullptr, size, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  INVARIANT(memory != MAP_FAILED);
  return static_cast<char*>(memory);
}

// Aligned to its size. From the system and back to it: an allocator would keep the pieces around.
// The system maps one below the other, so that what comes after an aligned chunk mostly is one, and
// a large pool is few mappings.
char* MapChunk(size_t size) {
  char* const plain = Map(size);
  if (reinterpret_cast<uintptr_t>(plain) % size == 0) {
    return plain;
  }
  munmap(plain, size);
  char* const wide = Map(2 * size);
  const size_t before = (size - reinterpret_cast<uintptr_t>(wide) % size) % size;
  if (before != 0) {
    munmap(wide, before);
  }
  munmap(wide + before + size, size - before);
  return wide + before;
}

}  // namespace

FrameMemory::~FrameMemory() {
  for (const auto& [memory, chunk] : chunks_) {
    munmap(memory, kChunkSize);
  }
}

char* FrameMemory::ChunkOf(Page* page) {
  const auto address = reinterpret_cast<uintptr_t>(page);
  return reinterpret_cast<char*>(address - address % kChunkSize);
}

Page* FrameMemory::Take() {
  MutexLock lock(mutex_);
  if (open_.empty()) {
    char* const memory = MapChunk(kChunkSize);
    // A wish; refused where not supported.
    madvise(memory, kChunkSize, chunks_.size() < kSmallChunks ? MADV_NOHUGEPAGE : MADV_HUGEPAGE);
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
    munmap(memory, kChunkSize);
  }
}

size_t FrameMemory::chunks_for_testing() const {
  MutexLock lock(mutex_);
  return chunks_.size();
}

}  // namespace borealis::engine
