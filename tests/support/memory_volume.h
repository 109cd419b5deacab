// The volume as a plain model: what six-way storage must look like from above, in one process.
//
// Keeps every record ever appended and serves a page at any LSN by folding its records, so a page
// read here is right by definition. Engine tests run on it, and the simulator compares the real
// thing with it. Durability is immediate, or held back under a test's control; CrashCopy gives the
// volume that an opener would find after the writer stopped.
//
// It is strict where the real one is tolerant: a read point that vdl() never had, or one below the
// lowest read point reported, fails an INVARIANT.
//
// Thread-safe. WhenDurable callbacks run on the calling thread, outside the lock.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/mutex.h"
#include "storage_client/volume.h"
#include "volume/geometry.h"

namespace borealis {

class MemoryVolume : public Volume {
 public:
  // The distance by which a new epoch's LSNs jump over the last VDL, as after a real opening.
  static constexpr uint64_t kAllocationLimitDefault = uint64_t{64} << 20;

  explicit MemoryVolume(uint64_t pages_per_pg = kPagesPerPgDefault,
                        uint64_t allocation_limit = kAllocationLimitDefault);
  ~MemoryVolume() override;

  // PageReader.
  Lsn vdl() const override;
  Status ReadPage(PageNo page, Lsn read_point, Page* out) override;
  Status ReadPages(std::span<const PageNo> pages, Lsn read_point, Page* out) override;
  void SetLowestReadPoint(Lsn lsn) override;
  Lsn lowest_read_point() const;

  // Volume.
  Status WaitForRoom() override;
  Lsn Append(std::span<RecordDraft> drafts) override;
  void WhenDurable(Lsn lsn, std::function<void(Status)> done) override;
  Status WaitDurable(Lsn lsn) override;
  VolumeEpoch epoch() const override;
  Lsn appended() const override;

  // From now on what is appended stays volatile until released.
  void HoldDurability();
  // Everything appended is durable, and so is what will be.
  void Release();
  // The last consistency point at or under `lsn` is durable; the hold goes on.
  void ReleaseUpTo(Lsn lsn);
  // As if a newer epoch had sealed the volume: nothing more becomes durable, waiters get kFenced.
  void Fence();
  // Reads fail with this status until it is set to Ok.
  void FailReadsWith(Status status);

  // What an opener finds when this writer stopped after `up_to` had reached storage: the log cut at
  // the last consistency point at or under it, a new epoch, LSNs beyond the allocation limit.
  // REQUIRES: up_to >= vdl(), or the model would lose what was acknowledged.
  std::unique_ptr<MemoryVolume> CrashCopy(Lsn up_to) const;

  // Visits the records in (after, up_to] in LSN order.
  void ForEachRecord(Lsn after, Lsn up_to,
                     const std::function<void(const RecordView&)>& visit) const;
  size_t record_count() const;
  uint64_t read_count() const;

 private:
  struct PageHistory {
    std::vector<size_t> records;                     // indexes into records_, ascending
    std::map<size_t, std::unique_ptr<Page>> images;  // after so many of them
  };

  void AppendOne(const RecordDraft& draft, bool is_consistency_point);
  Status FoldPage(PageNo page, Lsn read_point, Page* out);
  // Moves the VDL to `lsn` and returns the callbacks that this releases, in LSN order.
  std::vector<std::function<void(Status)>> AdvanceVdl(Lsn lsn);
  Lsn LastConsistencyPoint(Lsn at_or_under) const;
  void KeepRecord(std::string bytes);

  const uint64_t pages_per_pg_;
  const uint64_t allocation_limit_;
  mutable Mutex mutex_{LockRank::kLog};
  ConditionVariable changed_;
  // Views into bytes_, whose strings never move.
  std::deque<std::string> bytes_;
  std::vector<RecordView> records_;
  std::unordered_map<PageNo, PageHistory> pages_;
  std::unordered_map<PgId, Lsn> pg_tails_;
  std::multimap<Lsn, std::function<void(Status)>> waiting_;
  VolumeEpoch epoch_{1};
  Lsn vdl_;
  Lsn appended_;
  Lsn epoch_start_;  // LSNs of this epoch lie above it
  Lsn lowest_read_point_;
  uint64_t read_count_ = 0;
  bool holding_ = false;
  bool fenced_ = false;
  Status read_failure_;
};

}  // namespace borealis
