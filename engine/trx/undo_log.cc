#include "engine/trx/undo_log.h"

#include <algorithm>

#include "base/fault.h"
#include "base/invariant.h"
#include "engine/store/page_format.h"

namespace borealis::engine {

namespace {

constexpr uint8_t kUndoPageType = static_cast<uint8_t>(PageType::kUndo);
constexpr uint8_t kDirectoryPageType = static_cast<uint8_t>(PageType::kUndoDirectory);

constexpr size_t kUsed = 18;
constexpr size_t kLast = 20;
constexpr size_t kLogOffset = 22;
constexpr size_t kPrev = 24;
constexpr size_t kNext = 32;
constexpr size_t kLogPage = 40;
constexpr size_t kStreamNo = 48;
constexpr size_t kRecords = 64;
constexpr size_t kFrame = 4;

constexpr size_t kDirectoryNext = 24;
constexpr size_t kDirectoryEntries = 64;
constexpr size_t kDirectoryEntrySize = 24;

size_t U16(const char* page, size_t offset) {
  return LoadLittle<uint16_t>(page + offset);
}
uint64_t U64(const char* page, size_t offset) {
  return LoadLittle<uint64_t>(page + offset);
}
size_t EntryOffset(size_t stream) {
  return kDirectoryEntries + stream % 512 * kDirectoryEntrySize;
}

Status CheckUndoPage(PageNo number, const char* page) {
  if (static_cast<uint8_t>(page[kPageTypeOffset]) != kUndoPageType) {
    return Status::Corruption("page " + number.ToString() + " is no undo page");
  }
  const size_t used = U16(page, kUsed);
  const size_t last = U16(page, kLast);
  if (used < kRecords || used > kPageSize || last >= used || (last != 0 && last < kRecords)) {
    return Status::Corruption("undo page " + number.ToString() + " is malformed");
  }
  return Status::Ok();
}

// The frame at `offset` of a checked page; kCorruption when there is none.
Result<std::string_view> FrameAt(PageNo number, const char* page, size_t offset) {
  const size_t used = U16(page, kUsed);
  if (offset < kRecords || offset + kFrame > used || U16(page, offset) <= kFrame ||
      offset + U16(page, offset) > used) {
    return Status::Corruption("no undo record at page " + number.ToString() + " offset " +
                              std::to_string(offset));
  }
  return std::string_view(page + offset + kFrame, U16(page, offset) - kFrame);
}

Result<MtrPage*> FetchUndo(Mtr* mtr, PageNo number, LatchMode mode) {
  ASSIGN_OR_RETURN(MtrPage * page, mtr->Fetch(number, mode));
  RETURN_IF_ERROR(CheckUndoPage(number, page->bytes()));
  return page;
}

void InitUndoPage(Mtr* mtr, MtrPage* page, PageNo prev, size_t stream, PageNo log_page,
                  size_t log_offset) {
  std::string start(kRecords, '\0');
  char* at = start.data();
  at[kPageTypeOffset] = static_cast<char>(kUndoPageType);
  StoreLittle<uint16_t>(at + kUsed, kRecords);
  StoreLittle<uint16_t>(at + kLogOffset, static_cast<uint16_t>(log_offset));
  StoreLittle(at + kPrev, prev.value());
  StoreLittle(at + kNext, kNoPage.value());
  StoreLittle(at + kLogPage, log_page.value());
  StoreLittle(at + kStreamNo, static_cast<uint32_t>(stream));
  mtr->WriteImage(page, std::string_view(start).substr(kPageHeaderSize));
}

void InitDirectoryPage(Mtr* mtr, MtrPage* page) {
  std::string start(kDirectoryEntries, '\0');
  char* at = start.data();
  at[kPageTypeOffset] = static_cast<char>(kDirectoryPageType);
  StoreLittle(at + kDirectoryNext, kNoPage.value());
  mtr->WriteImage(page, std::string_view(start).substr(kPageHeaderSize));
}

}  // namespace

Result<PageNo> UndoSpace::Format(Mtr* mtr) {
  ASSIGN_OR_RETURN(MtrPage * page, mtr->Allocate(kNoPage));
  InitDirectoryPage(mtr, page);
  return page->number();
}

Status UndoSpace::Load(PageNo directory, std::vector<Unfinished>* unfinished) {
  std::vector<Stream> streams;
  std::vector<PageNo> directory_pages;
  for (PageNo number = directory; number != kNoPage;) {
    Mtr mtr(store_);
    ASSIGN_OR_RETURN(MtrPage * page, mtr.Fetch(number, LatchMode::kShared));
    const char* bytes = page->bytes();
    if (static_cast<uint8_t>(bytes[kPageTypeOffset]) != kDirectoryPageType ||
        directory_pages.size() == kDirectoryPagesMax) {
      return Status::Corruption("undo directory page " + number.ToString() + " is malformed");
    }
    for (size_t i = 0; i < kStreamsPerDirectory; ++i) {
      const size_t entry = EntryOffset(i);
      const PageNo head(U64(bytes, entry));
      if (head == PageNo(0)) {
        break;  // streams are made in order and stay
      }
      streams.push_back({head, U16(bytes, entry + 16), PageNo(U64(bytes, entry + 8)), false});
    }
    directory_pages.push_back(number);
    number = PageNo(U64(bytes, kDirectoryNext));
  }
  std::vector<PageNo> tails;
  for (const Stream& stream : streams) {
    tails.push_back(stream.tail);
  }
  store_->pool()->Prefetch(tails);
  std::vector<size_t> free_streams;
  for (size_t i = streams.size(); i > 0; --i) {
    const size_t number = i - 1;
    UndoLog log;
    log.stream = static_cast<int>(number);
    {
      Mtr mtr(store_);
      ASSIGN_OR_RETURN(MtrPage * tail, FetchUndo(&mtr, streams[number].tail, LatchMode::kShared));
      log.header = {PageNo(U64(tail->bytes(), kLogPage)), U16(tail->bytes(), kLogOffset)};
    }
    if (log.header.page != kNoPage) {
      std::string body;
      RETURN_IF_ERROR(Read(log.header.page, log.header.offset, &body));
      ASSIGN_OR_RETURN(UndoLogHeader header, ParseUndoLogHeader(body));
      if (!header.committed) {
        log.begun = true;
        log.only_inserts = false;
        streams[number].acquired = true;
        unfinished->push_back({header.trx, log});
        continue;
      }
    }
    free_streams.push_back(number);
  }
  MutexLock lock(mutex_);
  streams_ = std::move(streams);
  free_ = std::move(free_streams);
  directory_ = std::move(directory_pages);
  return Status::Ok();
}

// ---------------------------------------------------------------------------------------------
// The owner of a log

Status UndoSpace::Acquire(UndoLog* log) {
  size_t number = 0;
  {
    MutexLock lock(mutex_);
    while (making_ && free_.empty()) {
      made_.Wait(mutex_);
    }
    if (!free_.empty()) {
      number = free_.back();
      free_.pop_back();
      streams_[number].acquired = true;
      log->stream = static_cast<int>(number);
      return Status::Ok();
    }
    number = streams_.size();
    if (number == kStreamsPerDirectory * kDirectoryPagesMax) {
      return Status::NoSpace("too many active transactions");
    }
    making_ = true;
  }
  Status made = MakeStream(number);
  MutexLock lock(mutex_);
  making_ = false;
  made_.NotifyAll();
  if (made.ok()) {
    log->stream = static_cast<int>(number);
  }
  return made;
}

Status UndoSpace::MakeStream(size_t number) {
  size_t directory_pages = 0;
  PageNo last_directory;
  {
    MutexLock lock(mutex_);
    directory_pages = directory_.size();
    last_directory = directory_.back();
  }
  Mtr mtr(store_);
  RETURN_IF_ERROR(mtr.StartWriting());
  ASSIGN_OR_RETURN(MtrPage * page, mtr.Allocate(last_directory));
  ASSIGN_OR_RETURN(MtrPage * directory, mtr.Fetch(last_directory, LatchMode::kExclusive));
  if (number / kStreamsPerDirectory == directory_pages) {
    ASSIGN_OR_RETURN(MtrPage * next, mtr.Allocate(last_directory));
    InitDirectoryPage(&mtr, next);
    mtr.WriteU64(directory, kDirectoryNext, next->number().value());
    directory = next;
  }
  InitUndoPage(&mtr, page, kNoPage, number, kNoPage, 0);
  const PageNo first = page->number();
  const PageNo directory_page = directory->number();
  std::string entry;
  AppendLittle(&entry, first.value());
  AppendLittle(&entry, first.value());
  AppendLittle<uint16_t>(&entry, kRecords);
  mtr.Write(directory, EntryOffset(number), entry);
  mtr.Commit();
  MutexLock lock(mutex_);
  if (directory_page != directory_.back()) {
    directory_.push_back(directory_page);
  }
  streams_.push_back({first, kRecords, first, true});
  return Status::Ok();
}

PageNo UndoSpace::TailOf(const UndoLog& log) const {
  MutexLock lock(mutex_);
  return streams_[static_cast<size_t>(log.stream)].tail;
}

Result<MtrPage*> UndoSpace::FetchDirectory(Mtr* mtr, size_t stream) {
  PageNo number;
  {
    MutexLock lock(mutex_);
    number = directory_[stream / kStreamsPerDirectory];
  }
  return mtr->Fetch(number, LatchMode::kExclusive);
}

Status UndoSpace::Prepare(Mtr* mtr, const UndoLog& log, size_t body_size, UndoPlace* place) {
  const size_t header = log.begun ? 0 : kFrame + UndoLogHeader::kSize;
  const size_t need = header + kFrame + body_size;
  if (need > kPageSize - kRecords) {
    return Status::InvalidArgument("undo record does not fit a page");
  }
  for (;;) {
    ASSIGN_OR_RETURN(MtrPage * page, FetchUndo(mtr, TailOf(log), LatchMode::kExclusive));
    const size_t used = U16(page->bytes(), kUsed);
    if (used + need <= kPageSize) {
      *place = {page, used + header};
      return Status::Ok();
    }
    mtr->Release(page);
    RETURN_IF_ERROR(Grow(log));
  }
}

Status UndoSpace::Grow(const UndoLog& log) {
  const PageNo old_tail = TailOf(log);
  Mtr mtr(store_);
  RETURN_IF_ERROR(mtr.StartWriting());
  ASSIGN_OR_RETURN(MtrPage * tail, FetchUndo(&mtr, old_tail, LatchMode::kExclusive));
  ASSIGN_OR_RETURN(MtrPage * page, mtr.Allocate(old_tail));
  ASSIGN_OR_RETURN(MtrPage * directory, FetchDirectory(&mtr, static_cast<size_t>(log.stream)));
  const UndoPosition last_log = log.begun ? log.header
                                          : UndoPosition{PageNo(U64(tail->bytes(), kLogPage)),
                                                         U16(tail->bytes(), kLogOffset)};
  InitUndoPage(&mtr, page, old_tail, static_cast<size_t>(log.stream), last_log.page,
               last_log.offset);
  const PageNo new_tail = page->number();
  mtr.WriteU64(tail, kNext, new_tail.value());
  mtr.WriteU64(directory, EntryOffset(static_cast<size_t>(log.stream)) + 8, new_tail.value());
  mtr.Commit();
  MutexLock lock(mutex_);
  streams_[static_cast<size_t>(log.stream)].tail = new_tail;
  return Status::Ok();
}

size_t UndoSpace::FrameSize(size_t body_size) {
  return kFrame + body_size;
}

bool UndoSpace::RunFits(const UndoPlace& place, size_t frames_size) {
  return place.offset + frames_size <= kPageSize;
}

void UndoSpace::AppendRun(Mtr* mtr, UndoLog* log, const UndoPlace& place, TrxId trx,
                          TrxId begin_floor, std::span<const std::string_view> bodies) {
  const char* bytes = place.page->bytes();
  std::string frames;
  size_t size = kFrame + UndoLogHeader::kSize;
  for (const std::string_view body : bodies) {
    size += FrameSize(body.size());
  }
  frames.reserve(size);
  size_t start = place.offset;
  size_t previous = U16(bytes, kLast);
  if (!log->begun) {
    start -= kFrame + UndoLogHeader::kSize;
    AppendLittle<uint16_t>(&frames, kFrame + UndoLogHeader::kSize);
    AppendLittle<uint16_t>(&frames, static_cast<uint16_t>(previous));
    frames += EncodeUndoLogHeader({trx, false, 0});
    previous = start;
    log->header = {place.page->number(), start};
    std::string where;
    AppendLittle<uint16_t>(&where, static_cast<uint16_t>(start));
    mtr->Write(place.page, kLogOffset, where);
    mtr->WriteU64(place.page, kLogPage, place.page->number().value());
    char mark[2 * sizeof(uint64_t)];
    StoreLittle(mark, trx.value());
    StoreLittle(mark + sizeof(uint64_t), begin_floor.value());
    mtr->Mark(RecordKind::kTrxBegin, {mark, sizeof mark});
  }
  INVARIANT_EQ(U16(bytes, kUsed), start);
  for (const std::string_view body : bodies) {
    const size_t offset = start + frames.size();
    AppendLittle<uint16_t>(&frames, static_cast<uint16_t>(FrameSize(body.size())));
    AppendLittle<uint16_t>(&frames, static_cast<uint16_t>(previous));
    frames.append(body);
    previous = offset;
  }
  INVARIANT_LE(start + frames.size(), kPageSize);
  mtr->Write(place.page, start, frames);
  std::string ends;
  AppendLittle<uint16_t>(&ends, static_cast<uint16_t>(start + frames.size()));
  AppendLittle<uint16_t>(&ends, static_cast<uint16_t>(previous));
  mtr->Write(place.page, kUsed, ends);
  log->begun = true;
  log->records += bodies.size();
}

Result<bool> UndoSpace::ReadLast(UndoLog* log, std::string* body, UndoPosition* position) {
  if (!log->begun) {
    return false;
  }
  for (;;) {
    {
      Mtr mtr(store_);
      ASSIGN_OR_RETURN(MtrPage * page, FetchUndo(&mtr, TailOf(*log), LatchMode::kShared));
      const size_t last = U16(page->bytes(), kLast);
      *position = {page->number(), last};
      if (*position == log->header) {
        return false;
      }
      if (last != 0) {
        ASSIGN_OR_RETURN(std::string_view frame, FrameAt(page->number(), page->bytes(), last));
        body->assign(frame);
        return true;
      }
    }
    // A page that was added and then not used, or emptied by rollback.
    RETURN_IF_ERROR(DropEmptyTail(*log));
  }
}

Status UndoSpace::DropEmptyTail(const UndoLog& log) {
  const PageNo number = TailOf(log);
  PageNo before;
  {
    Mtr mtr(store_);
    ASSIGN_OR_RETURN(MtrPage * page, FetchUndo(&mtr, number, LatchMode::kShared));
    before = PageNo(U64(page->bytes(), kPrev));
  }
  if (before == kNoPage) {
    return Status::Corruption("undo log lost its header");
  }
  Mtr mtr(store_);
  RETURN_IF_ERROR(mtr.StartWriting());
  ASSIGN_OR_RETURN(MtrPage * previous, FetchUndo(&mtr, before, LatchMode::kExclusive));
  ASSIGN_OR_RETURN(MtrPage * tail, FetchUndo(&mtr, number, LatchMode::kExclusive));
  ASSIGN_OR_RETURN(MtrPage * directory, FetchDirectory(&mtr, static_cast<size_t>(log.stream)));
  RETURN_IF_ERROR(mtr.PrepareFree(number));
  mtr.Free(tail);
  mtr.WriteU64(previous, kNext, kNoPage.value());
  mtr.WriteU64(directory, EntryOffset(static_cast<size_t>(log.stream)) + 8, before.value());
  mtr.Commit();
  MutexLock lock(mutex_);
  streams_[static_cast<size_t>(log.stream)].tail = before;
  return Status::Ok();
}

Status UndoSpace::TruncateTo(Mtr* mtr, MtrPage* page, size_t offset) {
  ASSIGN_OR_RETURN(std::string_view frame, FrameAt(page->number(), page->bytes(), offset));
  (void)frame;
  const size_t previous = U16(page->bytes(), offset + 2);
  std::string ends;
  AppendLittle<uint16_t>(&ends, static_cast<uint16_t>(offset));
  AppendLittle<uint16_t>(&ends, static_cast<uint16_t>(previous));
  mtr->Write(page, kUsed, ends);
  return Status::Ok();
}

Status UndoSpace::RemoveLast(Mtr* mtr, UndoLog* log, const UndoPosition& position) {
  ASSIGN_OR_RETURN(MtrPage * page, FetchUndo(mtr, position.page, LatchMode::kExclusive));
  INVARIANT_EQ(U16(page->bytes(), kLast), position.offset);
  RETURN_IF_ERROR(TruncateTo(mtr, page, position.offset));
  if (log->records > 0) {
    --log->records;
  }
  return Status::Ok();
}

Status UndoSpace::Erase(Mtr* mtr, UndoLog* log) {
  ASSIGN_OR_RETURN(MtrPage * page, FetchUndo(mtr, log->header.page, LatchMode::kExclusive));
  INVARIANT_EQ(U16(page->bytes(), kLast), log->header.offset);
  RETURN_IF_ERROR(TruncateTo(mtr, page, log->header.offset));
  mtr->WriteU64(page, kLogPage, kNoPage.value());
  return Status::Ok();
}

Status UndoSpace::Commit(Mtr* mtr, UndoLog* log, uint64_t commit_no, bool* kept) {
  ASSIGN_OR_RETURN(MtrPage * page, FetchUndo(mtr, log->header.page, LatchMode::kExclusive));
  MtrPage* tail = page;
  if (const PageNo number = TailOf(*log); number != log->header.page) {
    ASSIGN_OR_RETURN(tail, FetchUndo(mtr, number, LatchMode::kExclusive));
  }
  *kept = !log->only_inserts || tail != page;
  if (*kept) {
    const size_t body = log->header.offset + kFrame;
    std::string number;
    AppendLittle(&number, commit_no);
    mtr->WriteU8(page, body + 1, 1);
    mtr->Write(page, body + 10, number);
  } else {
    RETURN_IF_ERROR(TruncateTo(mtr, page, log->header.offset));
  }
  // The header's page may be freed before this one: recovery must not look for it.
  mtr->WriteU64(tail, kLogPage, kNoPage.value());
  return Status::Ok();
}

void UndoSpace::Release(UndoLog* log) {
  if (log->stream < 0) {
    return;
  }
  MutexLock lock(mutex_);
  const auto number = static_cast<size_t>(log->stream);
  INVARIANT(streams_[number].acquired);
  streams_[number].acquired = false;
  free_.push_back(number);
  *log = UndoLog();
}

// ---------------------------------------------------------------------------------------------
// Readers and purge

Status UndoSpace::Read(PageNo number, size_t offset, std::string* body) const {
  Mtr mtr(store_);
  ASSIGN_OR_RETURN(MtrPage * page, FetchUndo(&mtr, number, LatchMode::kShared));
  ASSIGN_OR_RETURN(std::string_view frame, FrameAt(number, page->bytes(), offset));
  body->assign(frame);
  return Status::Ok();
}

size_t UndoSpace::stream_count() const {
  MutexLock lock(mutex_);
  return streams_.size();
}

UndoPosition UndoSpace::HeadOf(size_t stream) const {
  MutexLock lock(mutex_);
  return {streams_[stream].head, streams_[stream].head_offset};
}

Result<bool> UndoSpace::ReadNext(UndoPosition* at, std::string* body, UndoPosition* place) const {
  for (;;) {
    Mtr mtr(store_);
    ASSIGN_OR_RETURN(MtrPage * page, FetchUndo(&mtr, at->page, LatchMode::kShared));
    if (at->offset < U16(page->bytes(), kUsed)) {
      ASSIGN_OR_RETURN(std::string_view frame, FrameAt(at->page, page->bytes(), at->offset));
      body->assign(frame);
      *place = *at;
      at->offset += kFrame + frame.size();
      return true;
    }
    const PageNo next(U64(page->bytes(), kNext));
    if (next == kNoPage) {
      return false;
    }
    *at = {next, kRecords};
  }
}

Result<bool> UndoSpace::AdvanceHead(size_t stream, const UndoPosition& head, size_t max_pages) {
  UndoPosition now = HeadOf(stream);
  if (now == head) {
    return true;
  }
  Mtr mtr(store_);
  RETURN_IF_ERROR(mtr.StartWriting());
  std::vector<MtrPage*> passed;
  while (now.page != head.page && passed.size() < max_pages) {
    ASSIGN_OR_RETURN(MtrPage * page, FetchUndo(&mtr, now.page, LatchMode::kExclusive));
    now = {PageNo(U64(page->bytes(), kNext)), kRecords};
    if (now.page == kNoPage) {
      return Status::Corruption("undo stream ends before its purge position");
    }
    RETURN_IF_ERROR(mtr.PrepareFree(page->number()));
    passed.push_back(page);
  }
  if (now.page == head.page) {
    now = head;
  }
  MtrPage* first = nullptr;
  if (!passed.empty()) {
    ASSIGN_OR_RETURN(first, FetchUndo(&mtr, now.page, LatchMode::kExclusive));
  }
  ASSIGN_OR_RETURN(MtrPage * directory, FetchDirectory(&mtr, stream));
  for (MtrPage* page : passed) {
    mtr.Free(page);
  }
  if (first != nullptr) {
    mtr.WriteU64(first, kPrev, kNoPage.value());
  }
  mtr.WriteU64(directory, EntryOffset(stream), now.page.value());
  std::string offset;
  AppendLittle<uint16_t>(&offset, static_cast<uint16_t>(now.offset));
  mtr.Write(directory, EntryOffset(stream) + 16, offset);
  mtr.Commit();
  MutexLock lock(mutex_);
  streams_[stream].head = now.page;
  streams_[stream].head_offset = now.offset;
  return now == head;
}

Status UndoSpace::SetFlag(Mtr* mtr, const UndoPosition& place, uint8_t flag) {
  ASSIGN_OR_RETURN(MtrPage * page, FetchUndo(mtr, place.page, LatchMode::kExclusive));
  ASSIGN_OR_RETURN(std::string_view frame, FrameAt(place.page, page->bytes(), place.offset));
  if (frame.size() <= kUndoFlagsOffset) {
    return Status::Corruption("undo record is too short");
  }
  mtr->WriteU8(page, place.offset + kFrame + kUndoFlagsOffset,
               static_cast<uint8_t>(frame[kUndoFlagsOffset]) | flag);
  return Status::Ok();
}

}  // namespace borealis::engine
