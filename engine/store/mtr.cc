#include "engine/store/mtr.h"

#include <algorithm>

#include "base/invariant.h"
#include "engine/store/page_format.h"
#include "engine/store/space.h"
#include "engine/store/store.h"
#include "volume/edit.h"

namespace borealis::engine {

namespace {

#if !defined(NDEBUG) || defined(BOREALIS_SANITIZED)
constexpr bool kVerifyEdits = true;
#else
constexpr bool kVerifyEdits = false;
#endif

// Edits of one page beyond this are replaced by its image (INV-MTR-4).
constexpr size_t kEditsMax = kPageSize;
// Most pages are changed by less.
constexpr size_t kEditsUsual = 256;
static_assert(kRecordHeaderSize + 2 * kPageSize + 64 <= kRecordSizeMax);

}  // namespace

template <class Visit>
void Mtr::ForEachPage(Visit visit) {
  for (MtrPage& page : inline_) {
    if (page.guard_.holds()) {
      visit(&page);
    }
  }
  for (const std::unique_ptr<MtrPage>& page : more_) {
    if (page->guard_.holds()) {
      visit(page.get());
    }
  }
}

Mtr::~Mtr() {
  Abandon();
}

Status Mtr::StartWriting() {
  INVARIANT(held_ == 0 && !has_changes());
  if (store_->is_replica()) {
    return Status::Unsupported("a reader instance cannot write");
  }
  RETURN_IF_ERROR(store_->volume()->WaitForRoom());
  writing_ = true;
  return Status::Ok();
}

void Mtr::EnterPool() {
  if (!in_pool_ && store_->is_replica()) {
    store_->pool()->EnterTraversal();
    in_pool_ = true;
  }
}

void Mtr::LeavePoolIfEmpty() {
  if (in_pool_ && held_ == 0) {
    store_->pool()->LeaveTraversal();
    in_pool_ = false;
  }
}

MtrPage* Mtr::NewEntry(PageGuard guard) {
  ++held_;
  for (MtrPage& page : inline_) {
    if (!page.guard_.holds()) {
      page.guard_ = std::move(guard);
      return &page;
    }
  }
  for (const std::unique_ptr<MtrPage>& page : more_) {
    if (!page->guard_.holds()) {
      page->guard_ = std::move(guard);
      return page.get();
    }
  }
  more_.push_back(std::make_unique<MtrPage>());
  more_.back()->guard_ = std::move(guard);
  return more_.back().get();
}

MtrPage* Mtr::Find(PageNo number) {
  if (held_ == 0) {
    return nullptr;
  }
  MtrPage* found = nullptr;
  ForEachPage([&](MtrPage* page) {
    if (page->number() == number) {
      found = page;
    }
  });
  return found;
}

Result<MtrPage*> Mtr::FetchWith(PageNo number, LatchMode mode, bool wait) {
  if (MtrPage* held = Find(number)) {
    INVARIANT(mode == LatchMode::kShared || held->exclusive());
    return held;
  }
  EnterPool();
  Result<PageGuard> guard =
      wait ? store_->pool()->Fetch(number, mode) : store_->pool()->TryFetch(number, mode);
  if (!guard.ok()) {
    LeavePoolIfEmpty();
    return std::move(guard).status();
  }
  return NewEntry(std::move(guard).value());
}

Result<MtrPage*> Mtr::Fetch(PageNo number, LatchMode mode) {
  return FetchWith(number, mode, true);
}

Result<MtrPage*> Mtr::TryFetch(PageNo number, LatchMode mode) {
  return FetchWith(number, mode, false);
}

MtrPage* Mtr::FetchCached(PageNo number, LatchMode mode) {
  if (MtrPage* held = Find(number)) {
    INVARIANT(mode == LatchMode::kShared || held->exclusive());
    return held;
  }
  EnterPool();
  PageGuard guard = store_->pool()->FetchCached(number, mode);
  if (!guard.holds()) {
    LeavePoolIfEmpty();
    return nullptr;
  }
  return NewEntry(std::move(guard));
}

void Mtr::KeepBitmap(PageGuard bitmap) {
  for (const PageGuard& kept : bitmap_pages_) {
    if (kept.number() == bitmap.number()) {
      return;
    }
  }
  bitmap_pages_.push_back(std::move(bitmap));
}

Result<MtrPage*> Mtr::Allocate(PageNo near) {
  INVARIANT(writing_);
  PageGuard bitmap;
  ASSIGN_OR_RETURN(const PageNo number, store_->space()->Reserve(near, &bitmap));
  Result<PageGuard> guard = store_->pool()->Create(number);
  if (!guard.ok()) {
    store_->space()->MakeAvailable(number);
    return std::move(guard).status();
  }
  KeepBitmap(std::move(bitmap));
  space_changes_.push_back({number, true});
  MtrPage* const page = NewEntry(std::move(guard).value());
  page->created_ = true;
  return page;
}

// An allocated page that was never edited: it stays free.
void Mtr::DropCreated(MtrPage* page) {
  const PageNo number = page->number();
  page->created_ = false;
  store_->pool()->Discard(std::move(page->guard_));
  --held_;
  const auto change =
      std::find_if(space_changes_.begin(), space_changes_.end(),
                   [&](const SpaceChange& c) { return c.allocate && c.page == number; });
  INVARIANT(change != space_changes_.end());
  space_changes_.erase(change);
  store_->space()->MakeAvailable(number);
}

Status Mtr::PrepareFree(PageNo number) {
  INVARIANT(writing_);
  const PageNo bitmap_number = space::BitmapOf(number);
  for (const PageGuard& kept : bitmap_pages_) {
    if (kept.number() == bitmap_number) {
      return Status::Ok();
    }
  }
  ASSIGN_OR_RETURN(PageGuard bitmap, store_->space()->FixBitmap(number));
  KeepBitmap(std::move(bitmap));
  return Status::Ok();
}

void Mtr::Free(MtrPage* page) {
  WriteImage(page, {});
  ClearBitAtCommit(page->number());
}

void Mtr::FreeUnseen(PageNo number) {
  INVARIANT(Find(number) == nullptr);
  freed_unseen_.push_back(number);
  ClearBitAtCommit(number);
}

void Mtr::ClearBitAtCommit(PageNo number) {
  INVARIANT(writing_);
  space_changes_.push_back({number, false});
  ++frees_;
}

void Mtr::Release(MtrPage* page) {
  INVARIANT(!page->modified());
  if (page->created_) {
    DropCreated(page);
    return;
  }
  page->guard_.Release();
  --held_;
  LeavePoolIfEmpty();
}

void Mtr::ReleaseUnmodified(const MtrPage* keep) {
  ForEachPage([&](MtrPage* page) {
    if (!page->modified() && page != keep) {
      Release(page);
    }
  });
}

std::string* Mtr::EditsOf(MtrPage* page) {
  INVARIANT(writing_ && page->exclusive());
  if (!page->edits_.has_value()) {
    page->edits_.emplace().bytes.reserve(kEditsUsual);
    ++modified_;
    if constexpr (kVerifyEdits) {
      page->edits_->before = std::make_unique<Page>(page->page());
    }
    if (page->created_) {
      AppendImageEdit(&page->edits_->bytes, {});
      page->created_ = false;
    }
  }
  return &page->edits_->bytes;
}

void Mtr::AfterEdit(MtrPage* page) {
  std::string* const edits = &page->edits_->bytes;
  if (edits->size() > kEditsMax) {
    edits->clear();
    AppendImageEdit(edits, page->page().view().substr(kPageHeaderSize));
  }
}

void Mtr::Write(MtrPage* page, size_t offset, std::string_view bytes) {
  AppendWriteEdit(EditsOf(page), offset, bytes);
  std::memcpy(page->guard_.mutable_page()->bytes + offset, bytes.data(), bytes.size());
  AfterEdit(page);
}

void Mtr::WriteU8(MtrPage* page, size_t offset, uint8_t value) {
  const char byte = static_cast<char>(value);
  Write(page, offset, {&byte, 1});
}

void Mtr::WriteU16(MtrPage* page, size_t offset, uint16_t value) {
  char bytes[2];
  StoreLittle(bytes, value);
  Write(page, offset, {bytes, sizeof bytes});
}

void Mtr::WriteU64(MtrPage* page, size_t offset, uint64_t value) {
  char bytes[8];
  StoreLittle(bytes, value);
  Write(page, offset, {bytes, sizeof bytes});
}

void Mtr::WriteChanged(MtrPage* page, size_t offset, std::string_view bytes) {
  const char* const now = page->bytes() + offset;
  size_t first = 0;
  while (first < bytes.size() && now[first] == bytes[first]) {
    ++first;
  }
  size_t end = bytes.size();
  while (end > first && now[end - 1] == bytes[end - 1]) {
    --end;
  }
  if (first < end) {
    Write(page, offset + first, bytes.substr(first, end - first));
  }
}

void Mtr::Move(MtrPage* page, size_t to, size_t from, size_t length) {
  AppendMoveEdit(EditsOf(page), to, from, length);
  char* const bytes = page->guard_.mutable_page()->bytes;
  std::memmove(bytes + to, bytes + from, length);
  AfterEdit(page);
}

void Mtr::Fill(MtrPage* page, size_t offset, size_t length, uint8_t byte) {
  AppendFillEdit(EditsOf(page), offset, length, byte);
  std::memset(page->guard_.mutable_page()->bytes + offset, byte, length);
  AfterEdit(page);
}

void Mtr::WriteImage(MtrPage* page, std::string_view body) {
  std::string* const edits = EditsOf(page);
  edits->clear();
  AppendImageEdit(edits, body);
  char* const bytes = page->guard_.mutable_page()->bytes;
  body.copy(bytes + kPageHeaderSize, body.size());
  std::memset(bytes + kPageHeaderSize + body.size(), 0, kPageSize - kPageHeaderSize - body.size());
}

void Mtr::Mark(RecordKind kind, std::string_view body) {
  INVARIANT(writing_ && kind != RecordKind::kEdit);
  marks_.push_back({kind, std::string(body)});
}

void Mtr::AdoptTreeLatch(TreeLatch* latch) {
  tree_latches_.push_back(latch);
}

bool Mtr::HoldsTreeLatch(const TreeLatch* latch) const {
  return std::find(tree_latches_.begin(), tree_latches_.end(), latch) != tree_latches_.end();
}

// Latches the bitmap pages, last of all pages and in page order, and writes the bits.
void Mtr::WriteSpaceChanges() {
  if (space_changes_.empty()) {
    return;
  }
  std::sort(bitmap_pages_.begin(), bitmap_pages_.end(),
            [](const PageGuard& a, const PageGuard& b) { return a.number() < b.number(); });
  for (PageGuard& bitmap : bitmap_pages_) {
    const uint64_t group = space::GroupOf(bitmap.number());
    const bool needed = std::any_of(
        space_changes_.begin(), space_changes_.end(),
        [&](const SpaceChange& change) { return space::GroupOf(change.page) == group; });
    if (!needed) {
      continue;
    }
    bitmap.LockAgain(LatchMode::kExclusive);
    MtrPage* const page = NewEntry(std::move(bitmap));
    for (const SpaceChange& change : space_changes_) {
      if (space::GroupOf(change.page) == group) {
        Space::WriteBit(this, page, change.page, change.allocate);
      }
    }
  }
}

void Mtr::VerifyEdits() {
  if constexpr (kVerifyEdits) {
    ForEachPage([](MtrPage* page) {
      if (page->modified()) {
        Page* const before = page->edits_->before.get();
        INVARIANT(ApplyEdits(page->edits_->bytes, before).ok());
        INVARIANT(before->view().substr(kPageHeaderSize) ==
                  page->page().view().substr(kPageHeaderSize));  // INV-MTR-3
      }
    });
  }
}

Lsn Mtr::Commit() {
  ForEachPage([&](MtrPage* page) {
    if (page->created_) {
      DropCreated(page);
    }
  });
  if (!has_changes()) {
    Abandon();
    return Lsn(0);
  }
  WriteSpaceChanges();
  VerifyEdits();
  drafts_.clear();
  drafts_.reserve(modified_ + freed_unseen_.size() + marks_.size());
  ForEachPage([&](MtrPage* page) {
    if (page->modified()) {
      drafts_.push_back({RecordKind::kEdit, page->number(), page->edits_->bytes, {}});
    }
  });
  for (const PageNo number : freed_unseen_) {
    drafts_.push_back({RecordKind::kEdit, number, kEmptyingEdits, {}});
  }
  for (const Marked& mark : marks_) {
    drafts_.push_back({mark.kind, kNoPage, mark.body, {}});
  }
  const Lsn end = store_->volume()->Append(drafts_);
  size_t next = 0;
  ForEachPage([&](MtrPage* page) {
    if (page->modified()) {
      const RecordDraft& draft = drafts_[next++];
      INVARIANT_LT(page->lsn(), draft.end);
      page->guard_.mutable_page()->set_lsn(draft.end);
      page->edits_.reset();
    }
  });
  for (const RecordDraft& draft : drafts_) {
    logged_bytes_ += RecordSize(draft.body.size());
  }
  modified_ = 0;
  marks_.clear();
  ReleaseAll();
  for (const SpaceChange& change : space_changes_) {
    if (!change.allocate) {
      store_->space()->MakeAvailable(change.page);
    }
  }
  space_changes_.clear();
  freed_unseen_.clear();
  frees_ = 0;
  return end;
}

void Mtr::ReleaseAll() {
  ForEachPage([&](MtrPage* page) {
    if (page->created_) {
      DropCreated(page);
    } else {
      page->guard_.Release();
      --held_;
    }
  });
  more_.clear();
  bitmap_pages_.clear();
  for (TreeLatch* latch : tree_latches_) {
    latch->Unlock();
  }
  tree_latches_.clear();
  writing_ = false;
  LeavePoolIfEmpty();
}

void Mtr::Abandon() {
  INVARIANT(!has_changes());  // INV-MTR-1
  ReleaseAll();
  INVARIANT_EQ(held_, size_t{0});
}

}  // namespace borealis::engine
