// What transactions change in a table while new trees of it are built: the row log.
//
// Only which row, and who: what becomes of the row is read later, from the row's versions. So a
// change and its taking back need no order among themselves, and a row may be listed too often.
//
// INV-DDL-2  A transaction that has changed a row stands in the log with that row before it
//            commits: a view that sees the transaction was made after its entries.
//
// Entries beyond some that stay in memory go to a temporary file. A log that grows beyond its limit
// takes nothing any more and says so; the transactions never notice. Thread-safe.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/mutex.h"
#include "base/os/file.h"
#include "base/result.h"
#include "base/types.h"

namespace borealis::engine {

class ChangeLog {
 public:
  using Visitor = std::function<Status(TrxId trx, std::string_view clustered_key)>;

  // `limit_bytes`: of all entries not taken yet.
  ChangeLog(std::string temporary_directory, uint64_t limit_bytes)
      : directory_(std::move(temporary_directory)), limit_bytes_(limit_bytes) {}

  void Add(TrxId trx, std::string_view clustered_key);
  // Entries now in the log.
  uint64_t size() const;
  // It has lost entries: because of its limit, or an error of the file.
  Status CheckWhole() const;
  bool beyond_limit() const { return beyond_limit_.load(); }
  // Takes all entries out and shows them; `visit` may Add.
  Status Take(const Visitor& visit);

 private:
  struct Part {
    std::unique_ptr<File> file;
    uint64_t file_bytes = 0;
    std::string tail;  // follows what is in the file
    uint64_t entries = 0;
  };
  Status SpillTail() REQUIRES(mutex_);
  static Status VisitBytes(std::string_view bytes, size_t* used, const Visitor& visit);

  const std::string directory_;
  const uint64_t limit_bytes_;
  std::atomic<bool> beyond_limit_{false};
  mutable Mutex mutex_{LockRank::kSpill};
  Part part_ GUARDED_BY(mutex_);
  Status failed_ GUARDED_BY(mutex_);
};

}  // namespace borealis::engine
