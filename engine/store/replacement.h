// Which page a partition of the buffer pool gives up: a scan must not throw out the hot set.
//
// Two queues. A page that comes in goes on probation, a first-in-first-out queue of a quarter of
// the frames. At its end a page that was used again is protected, others go: a scan of any length
// passes through probation only. The protected are swept as by a clock: one that was used since the
// last look stays for another round. Page numbers that left probation are remembered for about as
// many evictions as there are protected frames; one that comes back in that time is protected at
// once, so a hot set that is too slow for probation gets in, too. (This is S3-FIFO with a wider
// probation, see docs/architecture.md for the choice.)
//
// A page's uses in one go count as one: a statement fetches a leaf again for every few rows. What
// tells "in one go" from "again" is not the time of day but a count of what happened since: a page
// that came in is a tick, and so are 64 hits (in a pool that holds everything, nothing comes in).
// Uses count from `counts_from` on, which is half of probation after the first one. A hit moves
// nothing between queues, and writes to the frame only when the page's standing changes.
//
// State of a page:
//   absent --Enter--> probation --TakeVictim, kAgain--> protected --TakeVictim, kOnce--> absent
//   probation --TakeVictim, not kAgain--> remembered --Enter--> protected
//   any --Leave--> spare --TakeVictim--> absent       (its page was forgotten, not evicted)
//
// INV-BUF-4  A protected page leaves only while probation has less than its share of the frames, or
//            when no page on probation may leave (INV-BUF-1).
// INV-BUF-5  What is read ahead takes frames from probation only, down to half of its share, and at
//            most an eighth of all frames hold pages read ahead that nobody has asked for yet.
// Not thread-safe: under the partition's mutex.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/types.h"
#include "engine/store/frame.h"

namespace borealis::engine {

class Replacement {
 public:
  enum class Reason : uint8_t { kDemand, kAhead };

  struct Counters {
    uint64_t hits = 0;
    uint64_t evictions = 0;
    uint64_t ahead_evictions = 0;  // of pages read ahead that nobody had asked for
    uint64_t promotions = 0;       // out of probation
    uint64_t remembered = 0;       // pages protected at once
  };

  // What a sweep met that it could not take.
  struct Sweep {
    Lsn lowest_undurable = Lsn::Max();
    bool all_fixed = true;
  };

  // Of how many frames this decides.
  void SetTarget(size_t frames);

  // The frame has got a page. REQUIRES: in no queue.
  void Enter(Frame* frame, Reason reason);
  // Its page was asked for while cached. Inline: the hot path.
  void NoteHit(Frame* frame) {
    ++counters_.hits;
    if (frame->use != FrameUse::kAgain) [[unlikely]] {
      NoteUse(frame);
    }
  }
  // Its page is forgotten.
  void Leave(Frame* frame);

  // A frame in no queue: spare, or evicted with its page number still set. Null when every frame is
  // fixed, or above `durable`, or was used (and may be taken by the next sweep).
  Frame* TakeVictim(Lsn durable, Reason reason, Sweep* sweep);
  // INV-BUF-5.
  bool MayReadAhead() const { return ahead_ < ahead_max_; }

  size_t protected_count() const { return protected_.size; }
  size_t ahead_count() const { return ahead_; }
  const Counters& counters() const { return counters_; }

 private:
  static constexpr uint64_t kNever = ~uint64_t{0};
  static constexpr uint64_t kHitsPerTick = 64;

  struct Queue {
    Frame* newest = nullptr;
    Frame* oldest = nullptr;
    size_t size = 0;
  };
  // Of a page that left probation; entries of other pages overwrite it now and then.
  struct Memory {
    PageNo number = kNoPage;
    uint64_t when = 0;
  };

  uint64_t now() const { return entered_ + counters_.hits / kHitsPerTick; }
  Queue& QueueOf(FrameQueue queue);
  void Push(FrameQueue to, Frame* frame);
  void Unlink(Frame* frame);
  void NoteUse(Frame* frame);
  Frame* TakeSpare();
  // The victim if this is one; otherwise the frame has gone to the new end of a queue.
  bool TakeOrRenew(Frame* frame, Lsn durable, Sweep* sweep);
  Memory& MemoryOf(PageNo number);
  bool Remembers(PageNo number);

  Queue spare_, probation_, protected_;
  size_t share_ = 1;      // of probation
  size_t ahead_ = 0;      // frames in kAhead
  size_t ahead_max_ = 1;  // INV-BUF-5
  size_t window_ = 1;     // ticks until uses count
  uint64_t entered_ = 0;  // pages that came in
  uint64_t left_probation_ = 0;
  size_t memory_span_ = 0;  // evictions from probation for which one is remembered
  std::vector<Memory> memory_;
  Counters counters_;
};

}  // namespace borealis::engine
