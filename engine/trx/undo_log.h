// Undo streams: where undo records live, and how they are appended, taken back, and forgotten.
//
// A stream is a chain of pages; transactions use it one after the other, so it is a sequence of
// logs: header record, undo records, next header … Only the last log of a stream can be active. A
// committed log stays until purge has passed it; pages before the purge position are freed. So a
// small transaction allocates nothing, and the history needs no list of its own. One directory page
// (more when very many transactions change things at once) has the ends of every stream, which is
// all that recovery reads besides the last page of each.
//
//   undo page         OFFSET SIZE
//                     16     1    type 16
//                     18     2    end of the used bytes
//                     20     2    offset of the last record, 0 for none
//                     22     2    offset of the header of the stream's last log …
//                     24     8    previous page, kNoPage for none
//                     32     8    next page, kNoPage for none
//                     40     8    … and its page; kNoPage when that log was taken back
//                     48     4    number of the stream
//                     64          records: u16 length, u16 offset of the one before (0: first on
//                                 the page), body (undo_record.h)
//   directory page    16     1    type 17
//                     24     8    next directory page, kNoPage for none
//                     64          512 × { u64 head page (0: no stream), u64 tail page,
//                                 u16 head offset, 6 bytes 0 }
//
// Latch order: pages of a stream from old to new, then the directory; all before tree pages.
//
// INV-UND-1  A stream's tail is changed by the one transaction that has acquired it; its head by
//            purge alone. Purge never passes an active log.
// INV-UND-2  A roll pointer of a row that some open read view needs points at a record not purged.
// INV-UND-3  A record is written in the mini-transaction of the row change that it undoes.
// Thread-safe across streams.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/mutex.h"
#include "base/result.h"
#include "engine/row/row_format.h"
#include "engine/store/mtr.h"
#include "engine/store/store.h"
#include "engine/trx/undo_record.h"

namespace borealis::engine {

struct UndoPosition {
  PageNo page = kNoPage;
  size_t offset = 0;
  friend bool operator==(const UndoPosition&, const UndoPosition&) = default;
};

// One transaction's part of a stream.
struct UndoLog {
  int stream = -1;  // -1: none acquired
  bool begun = false;
  UndoPosition header;
  uint64_t records = 0;  // unknown (0) after recovery
  bool only_inserts = true;
};

// Where the next record goes: the tail page is latched in the Mtr.
struct UndoPlace {
  MtrPage* page = nullptr;
  size_t offset = 0;  // of the record's frame
};

class UndoSpace {
 public:
  explicit UndoSpace(Store* store) : store_(store) {}

  // First page of the directory; its number belongs in the volume header's slot.
  static Result<PageNo> Format(Mtr* mtr);

  struct Unfinished {
    TrxId trx;
    UndoLog log;
  };
  // Reads the directory and the tails. Fills in the unfinished transactions' logs.
  Status Load(PageNo directory, std::vector<Unfinished>* unfinished);

  // --- the owner of a log
  // Finds a stream that nobody uses. kNoSpace when even the largest directory is in use.
  Status Acquire(UndoLog* log);
  // Latches the tail with room for a record of `body_size` (and the log's header).
  // REQUIRES: mtr->StartWriting(); the Mtr holds nothing yet.
  Status Prepare(Mtr* mtr, const UndoLog& log, size_t body_size, UndoPlace* place);
  // Writes the record there, preceded by the log's header if it is the first; then the log gets the
  // begin mark, which carries `begin_floor` (TransactionSystem::BeginFloor).
  void Append(Mtr* mtr, UndoLog* log, const UndoPlace& place, TrxId trx, TrxId begin_floor,
              std::string_view body) {
    AppendRun(mtr, log, place, trx, begin_floor, {&body, 1});
  }
  // The same for several records, one after the other. REQUIRES: RunFits.
  void AppendRun(Mtr* mtr, UndoLog* log, const UndoPlace& place, TrxId trx, TrxId begin_floor,
                 std::span<const std::string_view> bodies);
  // What a record takes of a page.
  static size_t FrameSize(size_t body_size);
  static bool RunFits(const UndoPlace& place, size_t frames_size);

  // The last record of the log: body and roll pointer; false when there is none left.
  Result<bool> ReadLast(UndoLog* log, std::string* body, UndoPosition* position);
  // Takes the last record back. REQUIRES: mtr->StartWriting().
  Status RemoveLast(Mtr* mtr, UndoLog* log, const UndoPosition& position);
  // Takes the log's header back, after all its records.
  Status Erase(Mtr* mtr, UndoLog* log);
  // Marks the log committed; a log of inserts alone is taken back instead: nobody reads it.
  // *kept says whether it stays for purge.
  Status Commit(Mtr* mtr, UndoLog* log, uint64_t commit_no, bool* kept);
  // The stream may be acquired by others; after the Mtr of Commit or Erase.
  void Release(UndoLog* log);

  // --- readers of old versions
  // The body of a record. kCorruption when there is none there.
  Status Read(PageNo page, size_t offset, std::string* body) const;

  // --- purge
  // Streams that have ever been used.
  size_t stream_count() const;
  // The purge position of a stream.
  UndoPosition HeadOf(size_t stream) const;
  // The record at *at (moving on over ends of pages): body, its own place, and *at moved past it.
  // False at the end of what is written.
  Result<bool> ReadNext(UndoPosition* at, std::string* body, UndoPosition* place) const;
  // Moves the head to `head` and frees up to `max_pages` pages before it; true when none is left
  // to free. REQUIRES: everything before belongs to committed logs that nobody needs.
  Result<bool> AdvanceHead(size_t stream, const UndoPosition& head, size_t max_pages);
  // Sets a bit in a record's flags.
  Status SetFlag(Mtr* mtr, const UndoPosition& place, uint8_t flag);

 private:
  struct Stream {
    PageNo head;
    size_t head_offset = 0;
    PageNo tail;
    bool acquired = false;
  };

  static constexpr size_t kStreamsPerDirectory = 512;
  static constexpr size_t kDirectoryPagesMax = 16;

  Status MakeStream(size_t number);
  Status Grow(const UndoLog& log);
  Status DropEmptyTail(const UndoLog& log);
  Result<MtrPage*> FetchDirectory(Mtr* mtr, size_t stream);
  PageNo TailOf(const UndoLog& log) const;
  Status TruncateTo(Mtr* mtr, MtrPage* page, size_t offset);

  Store* const store_;
  mutable Mutex mutex_{LockRank::kUndo};
  std::vector<Stream> streams_ GUARDED_BY(mutex_);
  std::vector<size_t> free_ GUARDED_BY(mutex_);  // acquired last-in first-out
  std::vector<PageNo> directory_ GUARDED_BY(mutex_);
  bool making_ GUARDED_BY(mutex_) = false;
  ConditionVariable made_;
};

}  // namespace borealis::engine
