// Buffer pool: the pages an instance has in memory.
//
// Frames are spread over partitions by page number; each partition has its own hash table, frames
// and replacement queues (engine/store/replacement.h) under its own short mutex. Nothing is ever
// written back: the log is the database, so a page leaves by being forgotten. A miss reads the page
// at the read point; concurrent misses of one page read once, the others wait on its latch.
//
// Writer: the read point of a miss is the VDL at that moment; INV-BUF-1 makes that the latest
// version. Reader (replica): the pool stands at applied_lsn(); every cached page is as of that LSN
// and misses read at it, so all pages of the pool show one consistent point. Traversals hold the
// apply latch shared (Mtr does it) and ApplyLog takes it exclusively: no traversal sees half a
// mini-transaction, and no read is under way between its read point and its insertion while log is
// applied.
//
// INV-BUF-1  A page is dropped only when unfixed and its LSN <= vdl: the volume can give it back.
// INV-BUF-2  A page is in at most one frame.
// INV-BUF-3  On a reader every cached page equals the volume's page at applied_lsn().
// Thread-safe. Page contents are protected by the frames' latches.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <span>
#include <vector>

#include "base/mutex.h"
#include "base/result.h"
#include "base/types.h"
#include "engine/store/frame.h"
#include "engine/store/frame_memory.h"
#include "engine/store/latch.h"
#include "engine/store/latch_order.h"
#include "engine/store/read_ahead.h"
#include "engine/store/replacement.h"
#include "storage_client/volume.h"
#include "volume/page.h"
#include "volume/record.h"

namespace borealis::engine {

class BufferPool;

// A fixed page, latched (or only fixed, after UnlockOnly). Movable; releases when destroyed.
class PageGuard {
 public:
  PageGuard() = default;
  PageGuard(PageGuard&& other) noexcept { *this = std::move(other); }
  PageGuard& operator=(PageGuard&& other) noexcept;
  PageGuard(const PageGuard&) = delete;
  PageGuard& operator=(const PageGuard&) = delete;
  ~PageGuard() { Release(); }

  bool holds() const { return frame_ != nullptr; }
  bool latched() const { return latched_; }
  LatchMode mode() const { return mode_; }
  PageNo number() const { return frame_->number; }
  const Page& page() const { return *frame_->page; }
  // REQUIRES (of all three): latched exclusively.
  Page* mutable_page() const { return frame_->page; }
  int frame_hint() const { return frame_->insert_hint; }
  void set_frame_hint(int slot) { frame_->insert_hint = slot; }

  void Release();
  // Gives the latch back and keeps the page fixed, and the reverse.
  void UnlockOnly();
  void LockAgain(LatchMode mode);

 private:
  friend class BufferPool;
  PageGuard(BufferPool* pool, Frame* frame, LatchMode mode, latch_order::How how)
      : pool_(pool), frame_(frame), mode_(mode), latched_(true) {
    latch_order::NoteLatched(*frame, how);
  }

  BufferPool* pool_ = nullptr;
  Frame* frame_ = nullptr;
  LatchMode mode_ = LatchMode::kShared;
  bool latched_ = false;
};

struct BufferPoolCounters {
  uint64_t hits = 0;
  uint64_t misses = 0;
  uint64_t prefetched = 0;
  uint64_t prefetched_unused = 0;  // of these, evicted before anybody asked for them
  uint64_t evictions = 0;
  uint64_t promotions = 0;  // pages protected because they were used again on probation,
  uint64_t remembered = 0;  // or because they came back soon after they had left it
  uint64_t durability_waits =
      0;  // a frame was wanted and only unfixed pages above the VDL were left
  uint64_t overflow_frames = 0;  // frames made beyond the size because all were fixed
  uint64_t applied_records = 0;  // reader: to cached pages
  uint64_t dropped_records = 0;  // reader: the page was not cached
  uint64_t frames = 0;
  uint64_t protected_frames = 0;
  uint64_t target_frames = 0;  // the size
};

class BufferPool {
 public:
  // Examines a page that was read before anyone sees it (engine/store/page_format.h: CheckPage).
  using Checker = Status (*)(PageNo number, const Page& page);

  // `volume` is the same object as `reader` on the writer and null on a reader instance.
  // `bytes` is rounded to frames, at least 64.
  BufferPool(PageReader* reader, Volume* volume, size_t bytes, Checker checker);
  ~BufferPool();
  BufferPool(const BufferPool&) = delete;
  BufferPool& operator=(const BufferPool&) = delete;

  // The page, fixed and latched; reads it when it is not cached. Waits: for the latch, for the
  // read, and for the VDL when no page may be dropped. Errors: of PageReader::ReadPage,
  // kCorruption from the checker; kFenced or kCancelled when no page may be dropped any more.
  Result<PageGuard> Fetch(PageNo number, LatchMode mode);
  // As Fetch, but kRetry instead of waiting for a latch.
  Result<PageGuard> TryFetch(PageNo number, LatchMode mode);
  // As Fetch when the page is cached; a guard that holds nothing otherwise.
  PageGuard FetchCached(PageNo number, LatchMode mode);
  // A page whose present content does not matter: exclusively latched, all zeroes, not read.
  Result<PageGuard> Create(PageNo number);
  // Forgets a created page to which no record was written. Takes the guard.
  void Discard(PageGuard guard);
  // Reads those of `numbers` that are not cached, in one request; does not wait for frames. Takes
  // the first prefetch_max() of them.
  void Prefetch(std::span<const PageNo> numbers);
  // Has those of `numbers` that are not cached read by other threads, soon or not at all, without
  // waiting; returns how many there are. For pages that are not wanted next, but after it.
  size_t AskAhead(std::span<const PageNo> numbers);
  size_t prefetch_max() const { return prefetch_max_.load(std::memory_order_relaxed); }
  ReadAhead& read_ahead() { return read_ahead_; }
  bool IsCached(PageNo number) const;

  // --- reader instances ---
  bool is_replica() const { return volume_ == nullptr; }
  Lsn applied_lsn() const { return Lsn(applied_.load(std::memory_order_acquire)); }
  // Applies whole mini-transactions, in LSN order, to the cached pages, and moves applied_lsn() to
  // `through`, a value the VDL has had, at or after the last record. REQUIRES: is_replica(). On
  // kCorruption the page concerned is dropped and the pool goes on.
  Status ApplyLog(std::span<const RecordView> records, Lsn through);
  // Forgets all pages and stands at `lsn`: for a reader that lost the stream.
  void DropAll(Lsn lsn);
  // Held shared by everyone who reads pages on a reader instance; Mtr takes it. No effect on a
  // writer. Nests within a thread.
  void EnterTraversal();
  void LeaveTraversal();

  // Tells the volume the lowest read point that may still be asked for, by this instance or by
  // others (nothing below `others`); call about once a second.
  void ReportReadPoint(Lsn others = Lsn::Max());

  // Changes the size while in use. Growing takes effect as pages are read. Shrinking drops what may
  // go (INV-BUF-1), a few frames at a time so that others get their turn; the rest goes as misses
  // meet it or with ContinueResize.
  void Resize(size_t bytes);
  // Drops frames beyond the size; true when none are left. Call now and then while a resize lasts.
  bool ContinueResize();
  BufferPoolCounters counters() const;

 private:
  friend class PageGuard;
  struct Partition;
  enum class Wait : uint8_t { kYes, kNo };
  enum class Purpose : uint8_t { kUse, kApply };  // applying log to a page is no use of it

  Partition& PartitionOf(PageNo number) const;
  Result<PageGuard> FetchWith(PageNo number, LatchMode mode, Wait wait);
  Frame* FindAndFix(Partition& partition, PageNo number, Purpose purpose = Purpose::kUse);
  // A frame in the hash table for `number`, fixed, exclusively latched, not ready; or null with
  // *existing set to the frame that another thread put there first (fixed). Reading ahead, it waits
  // for nothing and is null as well when no frame is to be had.
  Result<Frame*> MakeFrame(Partition& partition, PageNo number, Replacement::Reason reason,
                           Frame** existing);
  Frame* NewFrame(Partition& partition);
  void DropFrame(Partition& partition, Frame* frame);
  // Some of the partition's frames beyond its size; true when there is more to drop.
  bool DropSurplus(Partition& partition);
  void Abandon(Frame* frame);
  void Unfix(Frame* frame);
  Lsn BeginRead();
  void EndRead(Lsn read_point);
  Status ReadInto(Frame* frame);

  PageReader* const reader_;
  Volume* const volume_;
  const Checker checker_;
  FrameMemory memory_;
  std::vector<std::unique_ptr<Partition>> partitions_;
  std::atomic<uint64_t> applied_{0};
  PageLatch apply_latch_;
  mutable Mutex reads_mutex_{LockRank::kBufferPool};
  std::multiset<Lsn> read_points_;  // under reads_mutex_: of reads under way
  std::atomic<size_t> prefetch_max_{0};
  std::atomic<uint64_t> misses_{0}, prefetched_{0}, durability_waits_{0};
  std::atomic<uint64_t> applied_records_{0}, dropped_records_{0};
  ReadAhead read_ahead_;  // last: its threads use the others
};

}  // namespace borealis::engine
