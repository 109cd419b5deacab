#include "engine/store/buffer_pool.h"

#include <algorithm>
#include <bit>

#include "base/fault.h"
#include "base/invariant.h"
#include "base/os/blocking.h"
#include "engine/store/latch_order.h"

namespace borealis::engine {

namespace {

using latch_order::How;

constexpr size_t kFramesMin = 64;
constexpr size_t kFramesPerPartition = 256;
constexpr size_t kPartitionsMax = 64;
constexpr size_t kPrefetchMax = 64;

uint64_t HashOf(PageNo number) {
  return number.value() * 0x9E37'79B9'7F4A'7C15ULL;
}

// The replica pool whose apply latch this thread holds shared, and how often it entered.
thread_local const BufferPool* entered_pool = nullptr;
thread_local int entered_depth = 0;

}  // namespace

struct BufferPool::Partition {
  uint32_t index = 0;
  Mutex mutex{LockRank::kBufferPool};
  std::vector<Frame*> buckets GUARDED_BY(mutex);
  std::vector<std::unique_ptr<Frame>> frames GUARDED_BY(mutex);
  size_t target GUARDED_BY(mutex) = 0;
  Replacement replacement GUARDED_BY(mutex);
  uint64_t overflow GUARDED_BY(mutex) = 0;

  size_t BucketOf(PageNo number) const REQUIRES(mutex) {
    return (HashOf(number) >> 20) & (buckets.size() - 1);
  }
  Frame* Find(PageNo number) REQUIRES(mutex) {
    Frame* frame = buckets[BucketOf(number)];
    while (frame != nullptr && frame->number != number) {
      frame = frame->next_in_bucket;
    }
    return frame;
  }
  void Link(Frame* frame) REQUIRES(mutex) {
    Frame** bucket = &buckets[BucketOf(frame->number)];
    frame->next_in_bucket = *bucket;
    *bucket = frame;
  }
  void Unlink(Frame* frame) REQUIRES(mutex) {
    Frame** at = &buckets[BucketOf(frame->number)];
    while (*at != frame) {
      INVARIANT(*at != nullptr);
      at = &(*at)->next_in_bucket;
    }
    *at = frame->next_in_bucket;
    frame->next_in_bucket = nullptr;
    frame->number = kNoPage;
  }
  // A frame that may be used anew, or null. Like TakeVictim of Replacement.
  Frame* TakeVictim(Lsn durable, Replacement::Reason reason, Replacement::Sweep* sweep)
      REQUIRES(mutex) {
    Frame* const frame = replacement.TakeVictim(durable, reason, sweep);
    if (frame != nullptr && frame->number != kNoPage) {
      Unlink(frame);
    }
    return frame;
  }
  void SetTarget(size_t count) REQUIRES(mutex) {
    target = count;
    replacement.SetTarget(count);
    const size_t size = std::bit_ceil(count * 2);
    if (size == buckets.size()) {
      return;
    }
    std::vector<Frame*> old(size, nullptr);
    old.swap(buckets);
    for (const auto& frame : frames) {
      if (frame->number != kNoPage) {
        Link(frame.get());
      }
    }
  }
};

PageGuard& PageGuard::operator=(PageGuard&& other) noexcept {
  if (this != &other) {
    Release();
    pool_ = other.pool_;
    frame_ = other.frame_;
    mode_ = other.mode_;
    latched_ = other.latched_;
    other.frame_ = nullptr;
    other.latched_ = false;
  }
  return *this;
}

void PageGuard::Release() {
  if (frame_ == nullptr) {
    return;
  }
  UnlockOnly();
  pool_->Unfix(frame_);
  frame_ = nullptr;
}

void PageGuard::UnlockOnly() {
  if (latched_) {
    latch_order::NoteUnlatched(*frame_);
    frame_->latch.Unlock(mode_);
    latched_ = false;
  }
}

void PageGuard::LockAgain(LatchMode mode) {
  DCHECK(!latched_);
  frame_->latch.Lock(mode);
  mode_ = mode;
  latched_ = true;
  latch_order::NoteLatched(*frame_, How::kWaited);
}

BufferPool::BufferPool(PageReader* reader, Volume* volume, size_t bytes, Checker checker)
    : reader_(reader),
      volume_(volume),
      checker_(checker),
      applied_(reader->vdl().value()),
      read_ahead_(this) {
  const size_t frames = std::max(bytes / kPageSize, kFramesMin);
  const size_t partitions =
      std::bit_floor(std::clamp<size_t>(frames / kFramesPerPartition, 1, kPartitionsMax));
  for (size_t i = 0; i < partitions; ++i) {
    partitions_.push_back(std::make_unique<Partition>());
    partitions_.back()->index = static_cast<uint32_t>(i);
  }
  Resize(bytes);
}

BufferPool::~BufferPool() = default;

BufferPool::Partition& BufferPool::PartitionOf(PageNo number) const {
  return *partitions_[(HashOf(number) >> 52) & (partitions_.size() - 1)];
}

void BufferPool::Unfix(Frame* frame) {
  [[maybe_unused]] const uint32_t before = frame->fixes.fetch_sub(1, std::memory_order_release);
  DCHECK(before > 0);
}

Frame* BufferPool::FindAndFix(Partition& partition, PageNo number, Purpose purpose) {
  MutexLock lock(partition.mutex);
  Frame* const frame = partition.Find(number);
  if (frame != nullptr) {
    frame->fixes.fetch_add(1, std::memory_order_relaxed);
    if (purpose == Purpose::kUse) {
      partition.replacement.NoteHit(frame);
    }
  }
  return frame;
}

Result<PageGuard> BufferPool::Fetch(PageNo number, LatchMode mode) {
  return FetchWith(number, mode, Wait::kYes);
}

Result<PageGuard> BufferPool::TryFetch(PageNo number, LatchMode mode) {
  return FetchWith(number, mode, Wait::kNo);
}

Result<PageGuard> BufferPool::FetchWith(PageNo number, LatchMode mode, Wait wait) {
  Partition& partition = PartitionOf(number);
  while (true) {
    Frame* frame = FindAndFix(partition, number);
    if (frame == nullptr) {
      Frame* existing = nullptr;
      ASSIGN_OR_RETURN(frame,
                       MakeFrame(partition, number, Replacement::Reason::kDemand, &existing));
      if (frame != nullptr) {
        misses_.fetch_add(1, std::memory_order_relaxed);
        if (Status status = ReadInto(frame); !status.ok()) {
          Abandon(frame);
          return status;
        }
        if (mode == LatchMode::kShared) {
          frame->latch.Downgrade();
        }
        return PageGuard(this, frame, mode, wait == Wait::kYes ? How::kWaited : How::kTried);
      }
      frame = existing;
    }
    if (!frame->latch.TryLock(mode)) {
      if (wait == Wait::kNo) {
        Unfix(frame);
        return Status::Retry("page is latched");
      }
      if (frame->ready.load(std::memory_order_acquire)) {
        frame->latch.Lock(mode);
      } else {
        BlockingScope waiting;
        frame->latch.Lock(mode);
      }
    }
    const bool ready = frame->ready.load(std::memory_order_acquire);
    PageGuard guard(this, frame, mode, ready && wait == Wait::kYes ? How::kWaited : How::kTried);
    if (ready) {
      return guard;
    }
    COVER("buffer_pool.read_of_other_failed");
  }
}

PageGuard BufferPool::FetchCached(PageNo number, LatchMode mode) {
  Frame* const frame = FindAndFix(PartitionOf(number), number);
  if (frame == nullptr) {
    return {};
  }
  frame->latch.Lock(mode);
  const bool ready = frame->ready.load(std::memory_order_acquire);
  PageGuard guard(this, frame, mode, ready ? How::kWaited : How::kTried);
  if (!ready) {
    return {};
  }
  return guard;
}

Result<PageGuard> BufferPool::Create(PageNo number) {
  Partition& partition = PartitionOf(number);
  while (true) {
    Frame* frame = FindAndFix(partition, number);
    if (frame == nullptr) {
      Frame* existing = nullptr;
      ASSIGN_OR_RETURN(frame,
                       MakeFrame(partition, number, Replacement::Reason::kDemand, &existing));
      if (frame != nullptr) {
        frame->page->Clear();
        frame->ready.store(true, std::memory_order_release);
        return PageGuard(this, frame, LatchMode::kExclusive, How::kTried);
      }
      frame = existing;
    }
    frame->latch.LockExclusive();
    PageGuard guard(this, frame, LatchMode::kExclusive, How::kTried);
    if (frame->ready.load(std::memory_order_acquire)) {
      frame->page->Clear();
      return guard;
    }
  }
}

// Takes a loading (or discarded) frame out of the table and lets its waiters look again.
void BufferPool::Abandon(Frame* frame) {
  {
    Partition& partition = *partitions_[frame->partition];
    MutexLock lock(partition.mutex);
    frame->ready.store(false, std::memory_order_release);
    partition.Unlink(frame);
    partition.replacement.Leave(frame);
  }
  frame->latch.UnlockExclusive();
  Unfix(frame);
}

void BufferPool::Discard(PageGuard guard) {
  INVARIANT(guard.latched_ && guard.mode_ == LatchMode::kExclusive);
  Frame* const frame = guard.frame_;
  latch_order::NoteUnlatched(*frame);
  guard.frame_ = nullptr;
  guard.latched_ = false;
  Abandon(frame);
}

Frame* BufferPool::NewFrame(Partition& partition) NO_THREAD_SAFETY_ANALYSIS {
  partition.frames.push_back(std::make_unique<Frame>());
  Frame* const frame = partition.frames.back().get();
  frame->page = memory_.Take();
  frame->partition = partition.index;
  frame->slot = static_cast<uint32_t>(partition.frames.size() - 1);
  return frame;
}

// Gives a victim back to memory.
void BufferPool::DropFrame(Partition& partition, Frame* frame) NO_THREAD_SAFETY_ANALYSIS {
  memory_.Give(frame->page);
  std::unique_ptr<Frame>& place = partition.frames[frame->slot];
  partition.frames.back()->slot = frame->slot;
  place.swap(partition.frames.back());
  partition.frames.pop_back();
}

Result<Frame*> BufferPool::MakeFrame(Partition& partition, PageNo number,
                                     Replacement::Reason reason, Frame** existing) {
  const bool ahead = reason == Replacement::Reason::kAhead;
  while (true) {
    const Lsn durable = reader_->vdl();
    Replacement::Sweep sweep;
    {
      MutexLock lock(partition.mutex);
      *existing = partition.Find(number);
      if (*existing != nullptr) {
        (*existing)->fixes.fetch_add(1, std::memory_order_relaxed);
        return static_cast<Frame*>(nullptr);
      }
      if (ahead && !partition.replacement.MayReadAhead()) {
        return static_cast<Frame*>(nullptr);
      }
      Frame* frame = nullptr;
      if (partition.frames.size() >= partition.target) {
        frame = partition.TakeVictim(durable, reason, &sweep);
        // Shrink back to size, one surplus frame per miss.
        if (frame != nullptr && partition.frames.size() > partition.target) {
          DropFrame(partition, frame);
          continue;
        }
        if (frame == nullptr && ahead) {
          return frame;
        }
        if (frame == nullptr && !sweep.all_fixed && sweep.lowest_undurable == Lsn::Max()) {
          continue;  // the sweep only looked who was used
        }
      }
      if (frame == nullptr && (sweep.lowest_undurable == Lsn::Max() || volume_ == nullptr)) {
        if (partition.frames.size() >= partition.target) {
          COVER("buffer_pool.overflow_frame");
          ++partition.overflow;
        }
        frame = NewFrame(partition);
      }
      if (frame != nullptr) {
        INVARIANT(frame->latch.TryLockExclusive());
        frame->ready.store(false, std::memory_order_relaxed);
        frame->fixes.store(1, std::memory_order_relaxed);
        frame->insert_hint = -1;
        frame->number = number;
        partition.Link(frame);
        partition.replacement.Enter(frame, reason);
        return frame;
      }
    }
    COVER("buffer_pool.durability_wait");
    durability_waits_.fetch_add(1, std::memory_order_relaxed);
    BlockingScope waiting;
    RETURN_IF_ERROR(volume_->WaitDurable(sweep.lowest_undurable)
                        .Annotate("wait for a page that may be dropped"));
  }
}

// The read point is taken once the frame is in the table: a page evicted before had an LSN at or
// under an earlier VDL, and nobody evicts it from here on.
Lsn BufferPool::BeginRead() {
  MutexLock lock(reads_mutex_);
  const Lsn read_point = is_replica() ? applied_lsn() : reader_->vdl();
  read_points_.insert(read_point);
  return read_point;
}

void BufferPool::EndRead(Lsn read_point) {
  MutexLock lock(reads_mutex_);
  read_points_.erase(read_points_.find(read_point));
}

Status BufferPool::ReadInto(Frame* frame) {
  const Lsn read_point = BeginRead();
  Status status;
  {
    BlockingScope waiting;
    status = reader_->ReadPage(frame->number, read_point, frame->page);
  }
  EndRead(read_point);
  RETURN_IF_ERROR(std::move(status));
  RETURN_IF_ERROR(checker_(frame->number, *frame->page));
  frame->ready.store(true, std::memory_order_release);
  return Status::Ok();
}

bool BufferPool::IsCached(PageNo number) const {
  Partition& partition = PartitionOf(number);
  MutexLock lock(partition.mutex);
  return partition.Find(number) != nullptr;
}

void BufferPool::Prefetch(std::span<const PageNo> numbers) {
  EnterTraversal();
  std::vector<Frame*> frames;
  std::vector<PageNo> wanted;
  for (const PageNo number : numbers.first(std::min(numbers.size(), prefetch_max()))) {
    Frame* existing = nullptr;
    Result<Frame*> made =
        MakeFrame(PartitionOf(number), number, Replacement::Reason::kAhead, &existing);
    if (existing != nullptr) {
      Unfix(existing);
    } else if (made.ok() && *made != nullptr) {
      frames.push_back(*made);
      wanted.push_back(number);
    }
  }
  if (!frames.empty()) {
    auto pages = std::make_unique<Page[]>(frames.size());
    const Lsn read_point = BeginRead();
    Status status;
    {
      BlockingScope waiting;
      status = reader_->ReadPages(wanted, read_point, pages.get());
    }
    EndRead(read_point);
    for (size_t i = 0; i < frames.size(); ++i) {
      Frame* const frame = frames[i];
      if (!status.ok() || !checker_(frame->number, pages[i]).ok()) {
        Abandon(frame);  // whoever needs the page meets the error
        continue;
      }
      std::memcpy(frame->page->bytes, pages[i].bytes, kPageSize);
      frame->ready.store(true, std::memory_order_release);
      frame->latch.UnlockExclusive();
      Unfix(frame);
      prefetched_.fetch_add(1, std::memory_order_relaxed);
    }
  }
  LeaveTraversal();
}

size_t BufferPool::AskAhead(std::span<const PageNo> numbers) {
  std::array<PageNo, kPrefetchMax> missing;
  size_t count = 0;
  for (const PageNo number : numbers) {
    if (count < missing.size() && !IsCached(number)) {
      missing[count++] = number;
    }
  }
  read_ahead_.Ask(std::span<const PageNo>(missing).first(count));
  return count;
}

void BufferPool::EnterTraversal() {
  if (!is_replica()) {
    return;
  }
  if (entered_pool == this) {
    ++entered_depth;
    return;
  }
  apply_latch_.LockShared();
  if (entered_pool == nullptr) {
    entered_pool = this;
    entered_depth = 1;
  }
}

void BufferPool::LeaveTraversal() {
  if (!is_replica()) {
    return;
  }
  if (entered_pool == this) {
    if (--entered_depth > 0) {
      return;
    }
    entered_pool = nullptr;
  }
  apply_latch_.UnlockShared();
}

Status BufferPool::ApplyLog(std::span<const RecordView> records, Lsn through) {
  INVARIANT(is_replica());
  INVARIANT(entered_pool != this);
  apply_latch_.LockExclusive();
  INVARIANT_LE(applied_lsn(), through);
  Status first_failure;
  uint64_t applied = 0;
  uint64_t dropped = 0;
  for (const RecordView& record : records) {
    INVARIANT_LE(record.end, through);
    if (record.kind != RecordKind::kEdit) {
      continue;
    }
    Frame* const frame = FindAndFix(PartitionOf(record.page), record.page, Purpose::kApply);
    if (frame == nullptr) {
      ++dropped;
      continue;
    }
    frame->latch.LockExclusive();
    ++applied;
    Status status = ApplyRecord(record, frame->page);
    if (status.ok()) {
      frame->latch.UnlockExclusive();
      Unfix(frame);
      continue;
    }
    Abandon(frame);
    if (first_failure.ok()) {
      first_failure = std::move(status).Annotate("apply log to page " + record.page.ToString());
    }
  }
  applied_.store(through.value(), std::memory_order_release);
  applied_records_.fetch_add(applied, std::memory_order_relaxed);
  dropped_records_.fetch_add(dropped, std::memory_order_relaxed);
  apply_latch_.UnlockExclusive();
  return first_failure;
}

void BufferPool::DropAll(Lsn lsn) {
  INVARIANT(is_replica());
  INVARIANT(entered_pool != this);
  apply_latch_.LockExclusive();
  for (const auto& partition : partitions_) {
    MutexLock lock(partition->mutex);
    for (const auto& frame : partition->frames) {
      INVARIANT_EQ(frame->fixes.load(), 0u);
      if (frame->number != kNoPage) {
        partition->Unlink(frame.get());
        partition->replacement.Leave(frame.get());
      }
    }
  }
  applied_.store(lsn.value(), std::memory_order_release);
  apply_latch_.UnlockExclusive();
}

void BufferPool::ReportReadPoint(Lsn others) {
  Lsn lowest;
  {
    MutexLock lock(reads_mutex_);
    lowest = is_replica() ? applied_lsn() : reader_->vdl();
    if (!read_points_.empty()) {
      lowest = std::min(lowest, *read_points_.begin());
    }
  }
  reader_->SetLowestReadPoint(std::min(lowest, others));
}

void BufferPool::Resize(size_t bytes) {
  const size_t frames = std::max(bytes / kPageSize, kFramesMin);
  const size_t share = (frames + partitions_.size() - 1) / partitions_.size();
  prefetch_max_.store(std::min(kPrefetchMax, frames / 8), std::memory_order_relaxed);
  for (const auto& partition : partitions_) {
    MutexLock lock(partition->mutex);
    partition->SetTarget(share);
  }
  ContinueResize();
}

bool BufferPool::DropSurplus(Partition& partition) {
  constexpr int kStep = 64;
  MutexLock lock(partition.mutex);
  for (int i = 0; i < kStep; ++i) {
    if (partition.frames.size() <= partition.target) {
      return false;
    }
    Replacement::Sweep sweep;
    Frame* const frame = partition.TakeVictim(reader_->vdl(), Replacement::Reason::kDemand, &sweep);
    if (frame == nullptr) {
      return false;  // fixed or not durable yet
    }
    DropFrame(partition, frame);
  }
  return true;
}

bool BufferPool::ContinueResize() {
  bool done = true;
  for (const auto& partition : partitions_) {
    while (DropSurplus(*partition)) {
    }
    MutexLock lock(partition->mutex);
    done &= partition->frames.size() <= partition->target;
  }
  return done;
}

BufferPoolCounters BufferPool::counters() const {
  BufferPoolCounters sum;
  for (const auto& partition : partitions_) {
    MutexLock lock(partition->mutex);
    const Replacement::Counters& counters = partition->replacement.counters();
    sum.hits += counters.hits;
    sum.evictions += counters.evictions;
    sum.prefetched_unused += counters.ahead_evictions;
    sum.promotions += counters.promotions;
    sum.remembered += counters.remembered;
    sum.protected_frames += partition->replacement.protected_count();
    sum.overflow_frames += partition->overflow;
    sum.frames += partition->frames.size();
    sum.target_frames += partition->target;
  }
  sum.misses = misses_.load(std::memory_order_relaxed);
  sum.prefetched = prefetched_.load(std::memory_order_relaxed);
  sum.durability_waits = durability_waits_.load(std::memory_order_relaxed);
  sum.applied_records = applied_records_.load(std::memory_order_relaxed);
  sum.dropped_records = dropped_records_.load(std::memory_order_relaxed);
  return sum;
}

}  // namespace borealis::engine
