// Mini-transaction: page latches held together, and edits that reach the log together.
//
// Pages fetched through an Mtr stay latched until Commit (or Release, when unmodified). Edits apply
// to the buffered page at once and are collected per page; Commit hands them to the volume as one
// record per page in one contiguous LSN range that ends in a consistency point, stamps the pages
// with their LSNs and lets go of everything. There is no undo at this level:
//
// INV-MTR-1  An Mtr with changes is committed; the destructor asserts it. So whatever can fail
//            (page reads, page allocation, waiting for room in the log) comes before the first
//            edit of an operation.
// INV-MTR-2  A page is edited only under its exclusive latch, held until its LSN is stamped.
// INV-MTR-3  Re-applying the collected edits to the page as it was gives the page as it is
//            (verified at Commit in debug builds).
// INV-MTR-4  One record per page and Mtr: edits that outgrow a page image are replaced by one.
//
// One thread; not movable. A thread that has several open at once must not fetch one page in two.
// Several trees in one Mtr: latch them in a fixed order (see btree.h).
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "engine/store/buffer_pool.h"
#include "volume/record.h"

namespace borealis::engine {

class Store;
class TreeLatch;

// A page in an Mtr. Valid until released or the Mtr ends.
class MtrPage {
 public:
  PageNo number() const { return guard_.number(); }
  const Page& page() const { return guard_.page(); }
  const char* bytes() const { return guard_.page().bytes; }
  Lsn lsn() const { return guard_.page().lsn(); }
  bool exclusive() const { return guard_.mode() == LatchMode::kExclusive; }
  bool modified() const { return edits_.has_value(); }
  // Where the last entry went into the page while it is cached, -1 if unknown: a hint for splits.
  // REQUIRES: exclusive.
  int insert_hint() const { return guard_.frame_hint(); }
  void set_insert_hint(int slot) { guard_.set_frame_hint(slot); }

 private:
  friend class Mtr;
  struct Edits {
    std::string bytes;
    std::unique_ptr<Page> before;  // debug builds
  };

  PageGuard guard_;
  std::optional<Edits> edits_;
  bool created_ = false;  // by Mtr::Create and not yet edited
};

class Mtr {
 public:
  explicit Mtr(Store* store) : store_(store) {}
  ~Mtr();
  Mtr(const Mtr&) = delete;
  Mtr& operator=(const Mtr&) = delete;

  Store* store() const { return store_; }

  // Waits until the log has room. Call before the first page is fetched by an Mtr that will write;
  // kFenced or kCancelled when there will be none. REQUIRES: nothing fetched, not a reader.
  Status StartWriting();

  // --- pages ---
  // The page, latched in `mode`; the same MtrPage when this Mtr has it already.
  // REQUIRES: not held shared when asked for exclusively.
  Result<MtrPage*> Fetch(PageNo number, LatchMode mode);
  // kRetry instead of waiting for a latch.
  Result<MtrPage*> TryFetch(PageNo number, LatchMode mode);
  // Null when the page is not cached.
  MtrPage* FetchCached(PageNo number, LatchMode mode);
  // Null when this Mtr does not hold it.
  MtrPage* Find(PageNo number);
  // Allocates a page near `near` (kNoPage: anywhere) and latches it, all zeroes. It becomes
  // allocated by Commit, if it was edited; otherwise it stays free. Its first edit is preceded by
  // one that clears it, so that old versions do not matter.
  Result<MtrPage*> Allocate(PageNo near);
  // What can fail in freeing a page; Free and FreeUnseen of it cannot fail afterwards.
  Status PrepareFree(PageNo number);
  // Empties the page and marks it free at Commit. REQUIRES: PrepareFree, exclusive.
  void Free(MtrPage* page);
  // The same for a page that nobody can reach any more, without reading it: only its record is
  // made, and what the pool may have of it stays, stale, until the frame is used again.
  // REQUIRES: PrepareFree, not held.
  void FreeUnseen(PageNo number);
  // Unlatches a page before Commit. REQUIRES: !modified().
  void Release(MtrPage* page);
  // Releases all pages without edits, except `keep` (may be null).
  void ReleaseUnmodified(const MtrPage* keep = nullptr);

  // --- edits; REQUIRES: page->exclusive(), StartWriting() ---
  void Write(MtrPage* page, size_t offset, std::string_view bytes);
  void WriteU8(MtrPage* page, size_t offset, uint8_t value);
  void WriteU16(MtrPage* page, size_t offset, uint16_t value);
  void WriteU64(MtrPage* page, size_t offset, uint64_t value);
  // Writes only the span in which the page differs from `bytes`.
  void WriteChanged(MtrPage* page, size_t offset, std::string_view bytes);
  void Move(MtrPage* page, size_t to, size_t from, size_t length);
  void Fill(MtrPage* page, size_t offset, size_t length, uint8_t byte);
  // The page's whole body from kPageHeaderSize on; trailing zeroes may be left out.
  void WriteImage(MtrPage* page, std::string_view body);
  // A record without a page, after the page records, in call order.
  void Mark(RecordKind kind, std::string_view body);

  bool has_changes() const { return modified_ > 0 || !marks_.empty() || frees_ > 0; }

  // Appends everything, releases everything, returns the last record's LSN (the consistency
  // point), or Lsn(0) when there was nothing to append. Cannot fail. The Mtr can be used again,
  // from StartWriting on.
  Lsn Commit();
  // Releases everything. REQUIRES: !has_changes().
  void Abandon();

  // --- for the tree ---
  // Registers a tree latch taken exclusively; released after the pages.
  void AdoptTreeLatch(TreeLatch* latch);
  bool HoldsTreeLatch(const TreeLatch* latch) const;
  // Bytes of record handed to the volume by Commits of this Mtr.
  uint64_t logged_bytes() const { return logged_bytes_; }

 private:
  friend class Space;
  static constexpr size_t kInlinePages = 8;
  struct Marked {
    RecordKind kind;
    std::string body;
  };
  // A page whose allocation bit changes at Commit; its bitmap page is fixed, latched only then.
  struct SpaceChange {
    PageNo page;
    bool allocate = false;
  };

  MtrPage* NewEntry(PageGuard guard);
  Result<MtrPage*> FetchWith(PageNo number, LatchMode mode, bool wait);
  void EnterPool();
  void LeavePoolIfEmpty();
  // The edit list of a page about to change.
  std::string* EditsOf(MtrPage* page);
  void AfterEdit(MtrPage* page);
  void ClearBitAtCommit(PageNo number);
  // Notes that the bitmap page is needed at Commit and keeps it fixed.
  void KeepBitmap(PageGuard bitmap);
  void DropCreated(MtrPage* page);
  void WriteSpaceChanges();
  void ReleaseAll();
  void VerifyEdits();
  template <class Visit>
  void ForEachPage(Visit visit);

  Store* const store_;
  std::array<MtrPage, kInlinePages> inline_;
  std::vector<std::unique_ptr<MtrPage>> more_;
  size_t held_ = 0;
  size_t modified_ = 0;
  size_t frees_ = 0;
  bool writing_ = false;
  bool in_pool_ = false;
  std::vector<Marked> marks_;
  std::vector<SpaceChange> space_changes_;
  std::vector<PageNo> freed_unseen_;
  std::vector<PageGuard> bitmap_pages_;  // fixed, not latched
  std::vector<TreeLatch*> tree_latches_;
  std::vector<RecordDraft> drafts_;
  uint64_t logged_bytes_ = 0;
};

}  // namespace borealis::engine
