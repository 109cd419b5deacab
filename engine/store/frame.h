// A frame: the place of one page in the buffer pool, and what the pool knows of that page.
//
// The first cache line holds what a hit touches; the second what only misses and writers do.
// Fields marked (m) are under the mutex of the frame's partition.
#pragma once

#include <atomic>
#include <cstdint>

#include "base/types.h"
#include "engine/store/latch.h"
#include "volume/page.h"

namespace borealis::engine {

// Which queue of its partition's Replacement a frame is in.
enum class FrameQueue : uint8_t { kNone, kSpare, kProbation, kProtected };

// How often the page was asked for since it came, or since the sweep last looked.
enum class FrameUse : uint8_t {
  kAhead,  // read ahead, and nobody has asked for it yet
  kOnce,   // once, or several times in one go
  kAgain,  // again, after others came: worth keeping
};

struct alignas(64) Frame {
  Page* page = nullptr;
  PageNo number = kNoPage;
  PageLatch latch;
  std::atomic<uint32_t> fixes{0};
  // False while the first read is under way (its reader holds the latch exclusively) and after it
  // failed; waiters look again after latching.
  std::atomic<bool> ready{false};
  FrameUse use = FrameUse::kOnce;        // (m)
  FrameQueue queue = FrameQueue::kNone;  // (m)
  Frame* next_in_bucket = nullptr;       // (m)
  uint64_t counts_from = 0;              // (m) see Replacement

  alignas(64) Frame* newer = nullptr;  // (m) neighbours in the queue
  Frame* older = nullptr;              // (m)
  uint32_t slot = 0;                   // (m) place in the partition's list of frames
  uint32_t partition = 0;
  int insert_hint = -1;  // under the exclusive latch; see MtrPage
};

}  // namespace borealis::engine
