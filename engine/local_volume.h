// A volume of one session's own, for its temporary tables: pages in an unlinked file, and changes
// of them in memory.
//
// What is appended is "durable" at once: nothing of it is to survive the session, so the VDL is the
// end of the log and nobody ever waits. No log is kept. A page's edits wait in memory until there
// are too many of them, and are then carried into the file; a page is read as the file has it with
// the edits that wait. The file is made when something is first written to it: small tables never
// need it.
//
//   Append --edits--> pending --WaitForRoom, when full--> file
//   ReadPage: file, then pending
//
// INV-LVOL-1  A page has one version, the newest. That is the one that every read asks for: a
//             page's edits are made under its latch by those who have it in the buffer pool, and it
//             is read only when it is not there.
// INV-LVOL-2  What waits in memory is bounded: WaitForRoom, which comes before each
//             mini-transaction, carries it into the file, and fails when the file is full.
// Thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "base/mutex.h"
#include "base/os/file.h"
#include "storage_client/volume.h"

namespace borealis::engine {

class LocalVolume final : public Volume {
 public:
  static constexpr size_t kPendingMax = size_t{1} << 20;

  // The file will be in `directory`. `pending_max`: bytes of edits that may wait.
  explicit LocalVolume(std::string directory, size_t pending_max = kPendingMax);
  ~LocalVolume() override;

  Lsn vdl() const override { return appended(); }
  Status ReadPage(PageNo page, Lsn read_point, Page* out) override;
  Status ReadPages(std::span<const PageNo> pages, Lsn read_point, Page* out) override;
  void SetLowestReadPoint(Lsn) override {}

  // kNoSpace and other errors of the file, once what waits has nowhere to go.
  Status WaitForRoom() override;
  Lsn Append(std::span<RecordDraft> drafts) override;
  void WhenDurable(Lsn lsn, std::function<void(Status)> done) override;
  Status WaitDurable(Lsn lsn) override;
  VolumeEpoch epoch() const override { return VolumeEpoch(1); }
  Lsn appended() const override;

  // In memory, and in the file.
  uint64_t pending_bytes() const;
  Result<uint64_t> file_bytes() const;

 private:
  struct Pending {
    std::string edits;
    Lsn end;
  };

  void Keep(const RecordDraft& draft) REQUIRES(mutex_);
  // The page as it is now.
  Status Load(PageNo page, Page* out) REQUIRES(mutex_);
  Status ReadFromFile(PageNo page, Page* out) REQUIRES(mutex_);
  // Carries all that waits into the file. What was written before a failure waits no more.
  Status Flush() REQUIRES(mutex_);

  const std::string directory_;
  const size_t pending_max_;
  mutable Mutex mutex_{LockRank::kLog};
  std::unique_ptr<File> file_ GUARDED_BY(mutex_);  // null until something is written
  std::map<PageNo, Pending> pending_ GUARDED_BY(mutex_);
  size_t pending_bytes_ GUARDED_BY(mutex_) = 0;
  // Beyond pending_max_ while the file is full: what a statement has done must be undone somewhere.
  size_t limit_ GUARDED_BY(mutex_);
  Lsn appended_ GUARDED_BY(mutex_);
};

}  // namespace borealis::engine
