// Files, as everything above base/os sees them: positioned reads and writes, explicit flushes.
//
// Two implementations: the machine's (RealFileSystem) and a simulated one that drops or tears what
// was not flushed when its machine "crashes" (base/os/sim_file.h). Calls block; a File may be used
// from one thread at a time. Paths are absolute or relative to the process.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace borealis {

class File {
 public:
  virtual ~File() = default;
  // Reads up to `size` bytes at `offset` into `out` (replaced); fewer only at the end of the file.
  virtual Status ReadAt(uint64_t offset, size_t size, std::string* out) = 0;
  // Writes all bytes, extending the file when needed. Durable only after Sync.
  virtual Status WriteAt(uint64_t offset, std::string_view bytes) = 0;
  // Makes all earlier writes durable. After a failure nothing written since the last success may be
  // taken for durable, and the file must not be used further.
  virtual Status Sync() = 0;
  virtual Status Truncate(uint64_t size) = 0;
  // Reserves and zeroes [0, size) so that later writes inside need no file-system transaction.
  virtual Status Preallocate(uint64_t size) = 0;
  virtual Result<uint64_t> Size() = 0;
};

class FileSystem {
 public:
  virtual ~FileSystem() = default;
  enum class Mode { kRead, kReadWrite, kCreate, kCreatePrivate };
  // The kCreate modes open an existing file or make one, kCreatePrivate one that only its owner may
  // read; the others need it to exist (kNotFound).
  virtual Result<std::unique_ptr<File>> Open(const std::string& path, Mode mode) = 0;
  // Atomically replaces `to`. Durable after SyncDirectory of the parent.
  virtual Status Rename(const std::string& from, const std::string& to) = 0;
  virtual Status Remove(const std::string& path) = 0;
  virtual Status CreateDirectories(const std::string& path) = 0;
  // Makes creations, renames and removals in `path` durable.
  virtual Status SyncDirectory(const std::string& path) = 0;
  // Names (not paths) of the entries of a directory, sorted.
  virtual Result<std::vector<std::string>> List(const std::string& path) = 0;
  virtual bool Exists(const std::string& path) = 0;
  // Bytes free for new data on the file system that holds `path`.
  virtual Result<uint64_t> FreeBytes(const std::string& path) = 0;
};

// The machine's file system. Thread-safe; lives for the whole process.
FileSystem& RealFileSystem();

// Locks a file, made when missing, until this process ends, however it ends. kUnavailable when
// another process has it.
Status LockForLife(const std::string& path);
// The path without links, "..", and without a trailing slash; what does not exist yet is kept as
// is.
std::string CanonicalPath(const std::string& path);

// kInvalidArgument when anybody but its owner may read or write the file: a secret that is none.
Status CheckPrivate(const std::string& path);

// Reads a whole file; writes one atomically (temporary, flush, rename, directory flush). `mode` is
// kCreate or kCreatePrivate.
Result<std::string> ReadWholeFile(FileSystem& files, const std::string& path);
Status WriteWholeFile(FileSystem& files, const std::string& path, std::string_view bytes,
                      FileSystem::Mode mode = FileSystem::Mode::kCreate);

}  // namespace borealis
