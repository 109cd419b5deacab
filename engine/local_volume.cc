#include "engine/local_volume.h"

#include <algorithm>

#include "base/fault.h"
#include "base/invariant.h"
#include "engine/sorted_runs.h"
#include "volume/edit.h"

namespace borealis::engine {

namespace {

// What a page with edits takes besides them.
constexpr size_t kPendingOverhead = 96;
// More memory that a full file allows to those who undo what they could not finish, each time it
// turns somebody away, and altogether.
constexpr size_t kReserve = size_t{1} << 20;
constexpr size_t kReservesMax = 8;

}  // namespace

LocalVolume::LocalVolume(std::string directory, size_t pending_max)
    : directory_(std::move(directory)), pending_max_(pending_max), limit_(pending_max) {}

LocalVolume::~LocalVolume() = default;

Lsn LocalVolume::appended() const {
  MutexLock lock(mutex_);
  return appended_;
}

uint64_t LocalVolume::pending_bytes() const {
  MutexLock lock(mutex_);
  return pending_bytes_;
}

Result<uint64_t> LocalVolume::file_bytes() const {
  MutexLock lock(mutex_);
  return file_ != nullptr ? file_->Size() : Result<uint64_t>(0);
}

Status LocalVolume::ReadPage(PageNo page, Lsn read_point, Page* out) {
  return ReadPages({&page, 1}, read_point, out);
}

Status LocalVolume::ReadPages(std::span<const PageNo> pages, Lsn read_point, Page* out) {
  MutexLock lock(mutex_);
  for (size_t i = 0; i < pages.size(); ++i) {
    RETURN_IF_ERROR(Load(pages[i], &out[i]));
    INVARIANT_LE(out[i].lsn(), read_point);  // INV-LVOL-1
  }
  return Status::Ok();
}

Status LocalVolume::ReadFromFile(PageNo page, Page* out) {
  out->Clear();
  if (file_ == nullptr) {
    return Status::Ok();
  }
  std::string bytes;
  RETURN_IF_ERROR(file_->ReadAt(page.value() * kPageSize, kPageSize, &bytes));
  bytes.copy(out->bytes, bytes.size());  // behind the end of the file all is zero
  return PageIsIntact(*out) ? Status::Ok()
                            : Status::Corruption("page of a temporary table is damaged");
}

Status LocalVolume::Load(PageNo page, Page* out) {
  const auto found = pending_.find(page);
  if (found != pending_.end() && StartsWithImage(found->second.edits)) {
    out->Clear();
  } else {
    RETURN_IF_ERROR(ReadFromFile(page, out));
  }
  if (found == pending_.end()) {
    return Status::Ok();
  }
  RETURN_IF_ERROR(ApplyEdits(found->second.edits, out));
  out->set_lsn(found->second.end);
  return Status::Ok();
}

void LocalVolume::Keep(const RecordDraft& draft) {
  if (draft.kind != RecordKind::kEdit) {
    return;  // marks tell others of transactions; there are no others
  }
  const auto [place, is_new] = pending_.try_emplace(draft.page);
  Pending& pending = place->second;
  pending_bytes_ += is_new ? kPendingOverhead : 0;
  if (StartsWithImage(draft.body)) {
    pending_bytes_ -= pending.edits.size();
    pending.edits.clear();
  }
  pending.edits += draft.body;
  pending_bytes_ += draft.body.size();
  pending.end = draft.end;
}

Lsn LocalVolume::Append(std::span<RecordDraft> drafts) {
  INVARIANT(!drafts.empty());
  MutexLock lock(mutex_);
  for (RecordDraft& draft : drafts) {
    appended_ = appended_ + RecordSize(draft.body.size());
    draft.end = appended_;
    Keep(draft);
  }
  return appended_;
}

Status LocalVolume::Flush() {
  if (FAULT_POINT("local_volume.full")) {
    return Status::NoSpace("the file of temporary tables is full");
  }
  if (file_ == nullptr) {
    ASSIGN_OR_RETURN(file_, OpenTemporaryFile(directory_));
  }
  while (!pending_.empty()) {
    const auto next = pending_.begin();
    Page page;
    RETURN_IF_ERROR(Load(next->first, &page));
    SealPage(&page);
    RETURN_IF_ERROR(file_->WriteAt(next->first.value() * kPageSize, page.view()));
    pending_bytes_ -= kPendingOverhead + next->second.edits.size();
    pending_.erase(next);
  }
  return Status::Ok();
}

Status LocalVolume::WaitForRoom() {
  MutexLock lock(mutex_);
  if (pending_bytes_ <= limit_) {
    return Status::Ok();
  }
  Status flushed = Flush();
  limit_ = flushed.ok()
               ? pending_max_
               : std::min(pending_bytes_ + kReserve, pending_max_ + kReservesMax * kReserve);
  return std::move(flushed).Annotate("temporary tables");
}

void LocalVolume::WhenDurable(Lsn lsn, std::function<void(Status)> done) {
  done(WaitDurable(lsn));
}

Status LocalVolume::WaitDurable(Lsn lsn) {
  INVARIANT_LE(lsn, appended());
  return Status::Ok();
}

}  // namespace borealis::engine
