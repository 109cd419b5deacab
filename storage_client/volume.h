// The volume as an instance sees it: a log to append to and pages to read at an LSN.
//
// PageReader is what every instance has; a writer has a Volume. Implementations: the storage client
// over six-way storage (storage_client/client.h), and the plain model that engine tests run on
// (tests/support/memory_volume.h). Thread-safe throughout.
//
// INV-VOL-1  vdl <= vcl < next LSN, and vdl is a consistency point.
// INV-VOL-2  vdl never goes back within an epoch; a new epoch starts at the recovered vdl.
// INV-VOL-3  No LSN is handed out more than the allocation limit beyond the vdl.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>

#include "base/result.h"
#include "base/types.h"
#include "volume/page.h"
#include "volume/record.h"

namespace borealis {

class PageReader {
 public:
  virtual ~PageReader() = default;
  // Highest consistency point up to which the log is durable (writer) or known to be (reader).
  virtual Lsn vdl() const = 0;
  // The page as it was at `read_point` (a value that vdl() has had, not below the lowest read point
  // reported). Blocks; verified. A page never written is all zeroes. Errors: kUnavailable when no
  // segment can answer for longer than the configured time, kCancelled on shutdown.
  virtual Status ReadPage(PageNo page, Lsn read_point, Page* out) = 0;
  // The same for several pages in one round trip where they share a segment; `out[i]` for
  // `pages[i]`.
  virtual Status ReadPages(std::span<const PageNo> pages, Lsn read_point, Page* out) = 0;
  // No read at an LSN below this one will be asked for again by this instance.
  virtual void SetLowestReadPoint(Lsn lsn) = 0;
};

class Volume : public PageReader {
 public:
  // Blocks while the log is the allocation limit ahead of the VDL; call it before taking latches
  // for a mini-transaction. kFenced once a newer epoch is known; kCancelled on shutdown.
  virtual Status WaitForRoom() = 0;

  // Appends the records of one mini-transaction as one contiguous LSN range, the last one a
  // consistency point; sets `end` in each draft and returns the last. Short, never blocks; callers
  // hold page latches, which orders the log of each page. REQUIRES: !drafts.empty().
  // After fencing it still hands out LSNs, but nothing of it will ever be durable.
  virtual Lsn Append(std::span<RecordDraft> drafts) = 0;

  // Calls `done` once vdl() >= lsn (Ok), or when that cannot happen any more (kFenced, kCancelled).
  // May call at once; otherwise from an internal thread, in LSN order; must be quick.
  virtual void WhenDurable(Lsn lsn, std::function<void(Status)> done) = 0;
  // Blocks for the same.
  virtual Status WaitDurable(Lsn lsn) = 0;

  virtual VolumeEpoch epoch() const = 0;
  // End of the last record appended.
  virtual Lsn appended() const = 0;
};

}  // namespace borealis
