#include "tests/support/memory_volume.h"

#include <algorithm>

#include "base/crc32c.h"
#include "base/invariant.h"

namespace borealis {

namespace {
// A page image is kept after every so many records of a page, so that a fold stays short.
constexpr size_t kRecordsPerImage = 32;
// Records without a page belong to the first protection group.
constexpr PgId kMarksPg{0};
}  // namespace

MemoryVolume::MemoryVolume(uint64_t pages_per_pg, uint64_t allocation_limit)
    : pages_per_pg_(pages_per_pg), allocation_limit_(allocation_limit) {}

MemoryVolume::~MemoryVolume() {
  for (auto& [lsn, done] : waiting_) {
    done(Status::Cancelled("the volume was closed"));
  }
}

Lsn MemoryVolume::vdl() const {
  MutexLock lock(mutex_);
  return vdl_;
}

VolumeEpoch MemoryVolume::epoch() const {
  MutexLock lock(mutex_);
  return epoch_;
}

Lsn MemoryVolume::appended() const {
  MutexLock lock(mutex_);
  return appended_;
}

size_t MemoryVolume::record_count() const {
  MutexLock lock(mutex_);
  return records_.size();
}

uint64_t MemoryVolume::read_count() const {
  MutexLock lock(mutex_);
  return read_count_;
}

void MemoryVolume::SetLowestReadPoint(Lsn lsn) {
  MutexLock lock(mutex_);
  INVARIANT_LE(lsn, vdl_);
  lowest_read_point_ = std::max(lowest_read_point_, lsn);
}

Lsn MemoryVolume::lowest_read_point() const {
  MutexLock lock(mutex_);
  return lowest_read_point_;
}

Status MemoryVolume::ReadPage(PageNo page, Lsn read_point, Page* out) {
  return ReadPages({&page, 1}, read_point, out);
}

Status MemoryVolume::ReadPages(std::span<const PageNo> pages, Lsn read_point, Page* out) {
  MutexLock lock(mutex_);
  INVARIANT_LE(read_point, vdl_);
  INVARIANT_GE(read_point, lowest_read_point_);
  RETURN_IF_ERROR(Status(read_failure_));
  for (size_t i = 0; i < pages.size(); ++i) {
    RETURN_IF_ERROR(FoldPage(pages[i], read_point, &out[i]));
    ++read_count_;
  }
  return Status::Ok();
}

Status MemoryVolume::FoldPage(PageNo page, Lsn read_point, Page* out) {
  out->Clear();
  const auto found = pages_.find(page);
  if (found == pages_.end()) {
    return Status::Ok();
  }
  PageHistory& history = found->second;
  const auto end = std::upper_bound(history.records.begin(), history.records.end(), read_point,
                                    [&](Lsn lsn, size_t i) { return lsn < records_[i].end; });
  const auto wanted = static_cast<size_t>(end - history.records.begin());
  size_t done = 0;
  auto image = history.images.upper_bound(wanted);
  if (image != history.images.begin()) {
    --image;
    done = image->first;
    *out = *image->second;
  }
  while (done < wanted) {
    RETURN_IF_ERROR(ApplyRecord(records_[history.records[done]], out));
    ++done;
    if (done % kRecordsPerImage == 0) {
      history.images[done] = std::make_unique<Page>(*out);
    }
  }
  return Status::Ok();
}

Status MemoryVolume::WaitForRoom() {
  MutexLock lock(mutex_);
  while (!fenced_ && appended_ - std::max(vdl_, epoch_start_) >= allocation_limit_) {
    changed_.Wait(mutex_);
  }
  return fenced_ ? Status::Fenced("a newer epoch owns the volume") : Status::Ok();
}

void MemoryVolume::KeepRecord(std::string bytes) {
  bytes_.push_back(std::move(bytes));
  Result<RecordView> record = ParseRecord(bytes_.back());
  INVARIANT(record.ok());
  if (record->kind == RecordKind::kEdit) {
    pages_[record->page].records.push_back(records_.size());
  }
  pg_tails_[record->pg] = record->end;
  appended_ = record->end;
  records_.push_back(*record);
}

void MemoryVolume::AppendOne(const RecordDraft& draft, bool is_consistency_point) {
  RecordPlace place;
  place.end = appended_ + RecordSize(draft.body.size());
  place.epoch = epoch_;
  place.pg = draft.page == kNoPage
                 ? kMarksPg
                 : PgId(static_cast<uint32_t>(draft.page.value() / pages_per_pg_));
  place.pg_back_link = pg_tails_[place.pg];
  place.is_consistency_point = is_consistency_point;
  std::string bytes;
  AppendRecord(&bytes, draft, Crc32c(draft.body), place);
  KeepRecord(std::move(bytes));
}

Lsn MemoryVolume::Append(std::span<RecordDraft> drafts) {
  INVARIANT(!drafts.empty());
  std::vector<std::function<void(Status)>> released;
  Lsn last;
  {
    MutexLock lock(mutex_);
    for (size_t i = 0; i < drafts.size(); ++i) {
      AppendOne(drafts[i], i + 1 == drafts.size());
      drafts[i].end = appended_;
    }
    last = appended_;
    if (!holding_ && !fenced_) {
      released = AdvanceVdl(last);
    }
  }
  for (auto& done : released) {
    done(Status::Ok());
  }
  return last;
}

std::vector<std::function<void(Status)>> MemoryVolume::AdvanceVdl(Lsn lsn) {
  std::vector<std::function<void(Status)>> released;
  vdl_ = std::max(vdl_, lsn);
  while (!waiting_.empty() && waiting_.begin()->first <= vdl_) {
    released.push_back(std::move(waiting_.begin()->second));
    waiting_.erase(waiting_.begin());
  }
  changed_.NotifyAll();
  return released;
}

void MemoryVolume::WhenDurable(Lsn lsn, std::function<void(Status)> done) {
  Status outcome;
  {
    MutexLock lock(mutex_);
    if (lsn > vdl_ && !fenced_) {
      waiting_.emplace(lsn, std::move(done));
      return;
    }
    if (lsn > vdl_) {
      outcome = Status::Fenced("a newer epoch owns the volume");
    }
  }
  done(std::move(outcome));
}

Status MemoryVolume::WaitDurable(Lsn lsn) {
  MutexLock lock(mutex_);
  while (lsn > vdl_ && !fenced_) {
    changed_.Wait(mutex_);
  }
  return lsn <= vdl_ ? Status::Ok() : Status::Fenced("a newer epoch owns the volume");
}

void MemoryVolume::HoldDurability() {
  MutexLock lock(mutex_);
  holding_ = true;
}

void MemoryVolume::Release() {
  std::vector<std::function<void(Status)>> released;
  {
    MutexLock lock(mutex_);
    holding_ = false;
    if (!fenced_) {
      released = AdvanceVdl(appended_);
    }
  }
  for (auto& done : released) {
    done(Status::Ok());
  }
}

void MemoryVolume::ReleaseUpTo(Lsn lsn) {
  std::vector<std::function<void(Status)>> released;
  {
    MutexLock lock(mutex_);
    if (!fenced_) {
      released = AdvanceVdl(LastConsistencyPoint(lsn));
    }
  }
  for (auto& done : released) {
    done(Status::Ok());
  }
}

void MemoryVolume::Fence() {
  std::multimap<Lsn, std::function<void(Status)>> refused;
  {
    MutexLock lock(mutex_);
    fenced_ = true;
    refused.swap(waiting_);
    changed_.NotifyAll();
  }
  for (auto& [lsn, done] : refused) {
    done(Status::Fenced("a newer epoch owns the volume"));
  }
}

void MemoryVolume::FailReadsWith(Status status) {
  MutexLock lock(mutex_);
  read_failure_ = std::move(status);
}

Lsn MemoryVolume::LastConsistencyPoint(Lsn at_or_under) const {
  auto it = std::upper_bound(records_.begin(), records_.end(), at_or_under,
                             [](Lsn lsn, const RecordView& record) { return lsn < record.end; });
  while (it != records_.begin()) {
    --it;
    if (it->is_consistency_point) {
      return it->end;
    }
  }
  return Lsn(0);
}

std::unique_ptr<MemoryVolume> MemoryVolume::CrashCopy(Lsn up_to) const {
  MutexLock lock(mutex_);
  up_to = std::max(up_to, vdl_);  // what is durable stays, also what has become so meanwhile
  auto copy = std::make_unique<MemoryVolume>(pages_per_pg_, allocation_limit_);
  const Lsn cut = LastConsistencyPoint(up_to);
  for (const RecordView& record : records_) {
    if (record.end > cut) {
      break;
    }
    copy->KeepRecord(std::string(record.bytes));
  }
  // Where the log itself ends nothing was appended since an earlier opening: its VDL stands.
  copy->vdl_ = std::max(cut, vdl_);
  copy->epoch_start_ = appended_ + allocation_limit_;
  copy->appended_ = copy->epoch_start_;
  copy->epoch_ = VolumeEpoch(epoch_.value() + 1);
  return copy;
}

void MemoryVolume::ForEachRecord(Lsn after, Lsn up_to,
                                 const std::function<void(const RecordView&)>& visit) const {
  // Copied so that `visit` may call back into the volume; the bytes behind the views never move.
  std::vector<RecordView> chosen;
  {
    MutexLock lock(mutex_);
    for (const RecordView& record : records_) {
      if (record.end > after && record.end <= up_to) {
        chosen.push_back(record);
      }
    }
  }
  for (const RecordView& record : chosen) {
    visit(record);
  }
}

}  // namespace borealis
