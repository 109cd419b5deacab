// The node's journal: batches of records on their way to layers, flushed before they count.
//
// Files are preallocated and used again, so that a batch costs one write and one device flush and
// no file-system transaction. Batches begin on 4 KiB boundaries: a torn write never touches a
// sector that holds an earlier batch. At most one batch is under way, so at restart only the last
// one can be torn; whatever fails to verify before a later good batch is damage, and is reported as
// such. The format is in docs/formats/journal.md.
//
// INV-JRN-1  Batch numbers rise by one without gaps, over all files from the first needed one.
// INV-JRN-2  A file is used again only after a manifest without it is durable and no record of it
//            is needed from memory.
// INV-JRN-3  When no batch follows the last one for a while, an empty one does: then damage to what
//            was acknowledged is damage before a good batch, not a torn write.
// One thread, except for the works it hands out, which touch the journal's files only.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/os/file.h"
#include "base/result.h"
#include "base/types.h"

namespace borealis::storage_node {

inline constexpr size_t kJournalBlockSize = 4096;
inline constexpr size_t kBatchHeaderSize = 48;
inline constexpr size_t kBatchPartHeaderSize = 32;

// A batch in memory; records in segments' tables are views into it.
struct JournalBatch {
  std::string bytes;  // as on disk, padded
  uint64_t sequence = 0;
  uint64_t file = 0;
  uint32_t live = 0;  // records in tables
};

// Gathers a batch.
class BatchBuilder {
 public:
  bool empty() const { return bytes_.size() <= kBatchHeaderSize; }
  size_t size() const { return bytes_.size(); }
  void BeginPart(VolumeId volume, PgId pg, Lsn vdl_told, VolumeEpoch vdl_epoch);
  // Returns where in the batch the record is.
  uint32_t Add(std::string_view record);
  void EndPart();
  // Takes the batch out, complete but for its numbers, and is empty again.
  std::shared_ptr<JournalBatch> Take();

 private:
  std::string bytes_;
  size_t part_at_ = 0;
  uint32_t part_count_ = 0;
};

// A batch of no parts, to follow the last one.
std::shared_ptr<JournalBatch> EmptyBatch();

struct BatchPart {
  VolumeId volume;
  PgId pg;
  Lsn vdl_told;
  VolumeEpoch vdl_epoch;  // of whoever told it
  std::string_view records;
};
struct BatchView {
  uint64_t sequence = 0;
  uint64_t file = 0;
  NodeId node;
  size_t padded_size = 0;
  std::vector<BatchPart> parts;
};
// Decodes and verifies the batch at the front of `bytes`; records are not looked into.
Result<BatchView> ParseBatch(std::string_view bytes);

class Journal {
 public:
  Journal(FileSystem& files, std::string directory, NodeId node, uint64_t file_bytes);

  // Reads all files from `first_needed` on, oldest batch first. `last_known` is the newest file
  // that a manifest mentions. Cuts a torn tail; sets *damage to a description when anything else
  // than the tail is missing, and goes on with what is good.
  using BatchVisitor =
      std::function<Status(const std::shared_ptr<JournalBatch>&, const BatchView&)>;
  Status Open(uint64_t first_needed, uint64_t last_known, const BatchVisitor& visit,
              std::string* damage);
  // Forgets all files, which stay on disk as they are, and goes on in new ones. For salvage after
  // damage. REQUIRES: no batch has live records.
  void StartAfresh();

  // Numbers and places the batch; the work writes and flushes it.
  std::function<Status()> PrepareWrite(const std::shared_ptr<JournalBatch>& batch);
  // The batch is durable and its records enter tables: keeps it alive.
  void Retain(const std::shared_ptr<JournalBatch>& batch);
  // One record of the batch left its table.
  void Release(JournalBatch* batch);

  // The oldest file that holds anything needed; what a manifest must say.
  uint64_t FirstNeeded() const;
  // The newest file with a durable batch, 0 for none.
  uint64_t LastFile() const { return last_file_; }
  // A manifest with that first needed file is durable: older files may be used again.
  void FreeBelow(uint64_t first_needed);
  // Work that makes an empty file ready, or null when one is ready or in the making.
  std::function<Status()> PrepareSpare();
  void SpareDone(bool made);
  // Files that are needed and take no more batches.
  std::vector<uint64_t> FullFiles() const;
  // Work that reads such a file and verifies every batch in it; null when the file is not needed.
  std::function<Status()> PrepareVerify(uint64_t sequence) const;
  // Bytes of the files in use.
  uint64_t SizeBytes() const;
  uint64_t oldest_file() const { return files_.empty() ? 0 : files_.front().sequence; }
  size_t file_count() const { return files_.size(); }

 private:
  struct FileHandle {
    std::unique_ptr<File> file;  // opened by the first work that needs it
  };
  struct JournalFile {
    uint64_t sequence = 0;
    uint64_t used = 0;
    // By number, those with live records.
    std::unordered_map<uint64_t, std::shared_ptr<JournalBatch>> batches;
    std::shared_ptr<FileHandle> handle;
  };

  std::string PathOf(uint64_t sequence) const;
  std::string SparePath(uint64_t number) const;
  Status ReadFile(uint64_t sequence, uint64_t* expected, const BatchVisitor& visit,
                  std::string* damage);
  Status RewriteLast();
  void AddFile();

  FileSystem& file_system_;
  const std::string directory_;
  const NodeId node_;
  const uint64_t file_bytes_;
  std::deque<JournalFile> files_;
  std::vector<std::string> free_paths_;
  uint64_t next_sequence_ = 1;
  uint64_t next_file_ = 1;
  uint64_t last_file_ = 0;
  uint64_t next_spare_ = 1;
  std::string spare_in_the_making_;
  std::shared_ptr<JournalBatch> last_read_;
  uint64_t last_read_offset_ = 0;
};

// "journal-0000000012" → 12; 0 when the name is something else.
uint64_t JournalFileNumber(std::string_view name);

}  // namespace borealis::storage_node
