#include "engine/store/replacement.h"

#include <algorithm>
#include <bit>

#include "base/invariant.h"

namespace borealis::engine {

namespace {

constexpr size_t kProbationPart = 4;  // of all frames
constexpr size_t kAheadPart = 8;

}  // namespace

void Replacement::SetTarget(size_t frames) {
  share_ = std::max<size_t>(frames / kProbationPart, 1);
  window_ = std::max<size_t>(share_ / 2, 1);
  ahead_max_ = std::max<size_t>(frames / kAheadPart, 1);
  memory_span_ = frames - std::min(frames, share_);
  if (const size_t size = std::bit_ceil(frames); size != memory_.size()) {
    memory_.assign(size, Memory{});
    memory_.shrink_to_fit();
  }
}

Replacement::Queue& Replacement::QueueOf(FrameQueue queue) {
  switch (queue) {
    case FrameQueue::kSpare:
      return spare_;
    case FrameQueue::kProbation:
      return probation_;
    default:
      INVARIANT(queue == FrameQueue::kProtected);
      return protected_;
  }
}

void Replacement::Push(FrameQueue to, Frame* frame) {
  INVARIANT(frame->queue == FrameQueue::kNone);
  Queue& queue = QueueOf(to);
  frame->queue = to;
  frame->newer = nullptr;
  frame->older = queue.newest;
  (queue.newest != nullptr ? queue.newest->newer : queue.oldest) = frame;
  queue.newest = frame;
  ++queue.size;
}

void Replacement::Unlink(Frame* frame) {
  Queue& queue = QueueOf(frame->queue);
  (frame->newer != nullptr ? frame->newer->older : queue.newest) = frame->older;
  (frame->older != nullptr ? frame->older->newer : queue.oldest) = frame->newer;
  frame->newer = frame->older = nullptr;
  frame->queue = FrameQueue::kNone;
  --queue.size;
}

// The multiplier differs from the hash table's, whose high bits chose the partition.
Replacement::Memory& Replacement::MemoryOf(PageNo number) {
  return memory_[((number.value() * 0xD6E8'FEB8'6659'FD93ULL) >> 24) & (memory_.size() - 1)];
}

bool Replacement::Remembers(PageNo number) {
  const Memory& memory = MemoryOf(number);
  return memory.number == number && left_probation_ - memory.when <= memory_span_;
}

void Replacement::Enter(Frame* frame, Reason reason) {
  ++entered_;
  const bool remembered = Remembers(frame->number);
  counters_.remembered += remembered ? 1 : 0;
  if (reason == Reason::kAhead) {
    // On probation even when remembered: only its use, which may not come, makes it hot.
    ++ahead_;
    frame->use = FrameUse::kAhead;
    frame->counts_from = remembered ? 0 : kNever;
    Push(FrameQueue::kProbation, frame);
    return;
  }
  frame->use = FrameUse::kOnce;
  frame->counts_from = remembered ? 0 : now() + window_;
  Push(remembered ? FrameQueue::kProtected : FrameQueue::kProbation, frame);
}

void Replacement::NoteUse(Frame* frame) {
  if (frame->use == FrameUse::kAhead) {
    --ahead_;
    frame->use = FrameUse::kOnce;
    if (frame->counts_from == kNever) {
      frame->counts_from = now() + window_;
    }
  }
  if (now() >= frame->counts_from) {
    frame->use = FrameUse::kAgain;
  }
}

void Replacement::Leave(Frame* frame) {
  if (frame->use == FrameUse::kAhead) {
    --ahead_;
  }
  frame->use = FrameUse::kOnce;
  Unlink(frame);
  Push(FrameQueue::kSpare, frame);
}

// Waiters may still have it fixed for a moment.
Frame* Replacement::TakeSpare() {
  for (Frame* frame = spare_.oldest; frame != nullptr; frame = frame->newer) {
    if (frame->fixes.load(std::memory_order_acquire) == 0) {
      Unlink(frame);
      return frame;
    }
  }
  return nullptr;
}

// Fixes are only ever raised under the partition's mutex, so an unfixed frame stays so here, and
// its last holder's changes are visible.
bool Replacement::TakeOrRenew(Frame* frame, Lsn durable, Sweep* sweep) {
  FrameQueue to = frame->queue;
  Unlink(frame);
  if (frame->fixes.load(std::memory_order_acquire) == 0) {
    sweep->all_fixed = false;
    if (frame->page->lsn() > durable) {
      sweep->lowest_undurable = std::min(sweep->lowest_undurable, frame->page->lsn());
    } else if (frame->use == FrameUse::kAgain) {
      counters_.promotions += to == FrameQueue::kProbation ? 1 : 0;
      frame->use = FrameUse::kOnce;
      frame->counts_from = 0;
      to = FrameQueue::kProtected;
    } else {
      if (to == FrameQueue::kProbation) {
        MemoryOf(frame->number) = {frame->number, ++left_probation_};
      }
      return true;
    }
  }
  Push(to, frame);
  return false;
}

Frame* Replacement::TakeVictim(Lsn durable, Reason reason, Sweep* sweep) {
  *sweep = Sweep{};
  if (Frame* const spare = TakeSpare()) {
    return spare;
  }
  const bool ahead = reason == Reason::kAhead;
  size_t probation_left = probation_.size;
  size_t protected_left = ahead ? 0 : 2 * protected_.size;
  while (probation_left + protected_left > 0) {
    if (ahead && probation_.size <= share_ / 2) {
      return nullptr;
    }
    const bool probe = probation_left > 0 && (probation_.size >= share_ || protected_left == 0);
    --(probe ? probation_left : protected_left);
    Frame* const frame = probe ? probation_.oldest : protected_.oldest;
    if (!TakeOrRenew(frame, durable, sweep)) {
      continue;
    }
    INVARIANT_LE(frame->page->lsn(), durable);  // INV-BUF-1
    ++counters_.evictions;
    if (frame->use == FrameUse::kAhead) {
      --ahead_;
      ++counters_.ahead_evictions;
    }
    return frame;
  }
  return nullptr;
}

}  // namespace borealis::engine
