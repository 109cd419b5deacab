// Layers: immutable files of page versions, sorted by page, then LSN.
//
// An entry is a log record, or an image of the page at an LSN. A layer covers an LSN interval of
// one segment; a segment's layers follow each other without gaps or overlaps. Reading a page at an
// LSN needs the newest image at or under it and the records after, taken from the newest layer
// back. Entries lie in blocks of about 32 KiB (block_codec.h); an index leads from a page to
// its first entry, another from an LSN to the record that ends there (peers fetch in LSN order).
// The format is in docs/formats/layer.md.
//
// INV-LAY-1  A layer never changes after Finish; it is used only if its footer and index verify.
// A Layer may be read by several threads at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/mutex.h"
#include "base/os/file.h"
#include "base/result.h"
#include "base/types.h"
#include "storage_node/block_codec.h"
#include "storage_node/manifest.h"

namespace borealis::storage_node {

// `bytes` is a whole verified record, or the 16 KiB of a sealed page image.
struct LayerEntry {
  PageNo page;
  Lsn lsn;
  bool is_image = false;
  std::string_view bytes;
};

// Whether the page has nothing on it once the entry is applied, for all that the entry itself says.
bool LeavesPageEmpty(const LayerEntry& entry);

std::string LayerFileName(uint64_t number);
// 0 when the name is not a layer's.
uint64_t LayerFileNumber(std::string_view name);

struct LayerPagePlace {
  uint64_t page = 0;
  uint32_t block = 0;
  uint32_t offset = 0;  // in the block's content
};
struct LayerLsnPlace {
  uint64_t lsn = 0;
  uint32_t block = 0;
  uint32_t offset = 0;
};
struct LayerBlockPlace {
  uint64_t offset = 0;
  uint32_t size = 0;
  uint32_t reserved = 0;
};

class LayerWriter {
 public:
  // `info` brings number, volume, pg, level, from, up_to and complete_above.
  LayerWriter(FileSystem& files, const std::string& directory, LayerInfo info);
  Status Create();
  // In ascending order of (page, LSN); of a record and an image at one LSN, the record first.
  Status Add(const LayerEntry& entry);
  void set_complete_above(Lsn lsn) { info_.complete_above = lsn; }
  // The pages written so far, ascending.
  const std::vector<LayerPagePlace>& pages() const { return pages_; }
  // Writes indexes and footer and flushes everything, the directory included.
  Result<LayerInfo> Finish();

 private:
  Status CloseBlock();
  void ClosePage();
  Status Put(std::string_view bytes);

  FileSystem& files_;
  const std::string directory_;
  LayerInfo info_;
  std::unique_ptr<File> file_;
  std::string buffer_;  // closed blocks on their way out
  uint64_t synced_ = 0;
  uint64_t written_ = 0;
  std::string block_;  // plain
  BlockEncoder encoder_;
  uint32_t block_entries_ = 0;
  uint64_t page_entries_ = 0;  // of the page at hand
  bool page_is_empty_ = false;
  std::vector<LayerBlockPlace> blocks_;
  std::vector<LayerPagePlace> pages_;
  std::vector<LayerLsnPlace> lsns_;
};

class Layer {
 public:
  // Verifies footer, page index and block table; blocks are verified when they are read.
  static Result<std::shared_ptr<Layer>> Open(FileSystem& files, const std::string& directory,
                                             const LayerInfo& expected);
  // Whatever the file says it is; for inspection.
  static Result<std::shared_ptr<Layer>> OpenPath(FileSystem& files, const std::string& path);

  const LayerInfo& info() const { return info_; }
  size_t page_count() const { return pages_.size(); }
  size_t block_count() const { return blocks_.size(); }
  // The pages with entries here, ascending.
  PageNo page_at(size_t index) const { return PageNo(pages_[index].page); }
  // Index of the first page at or after `page`.
  size_t LowerBound(PageNo page) const;

  // Entries of `page` in (after, up_to], ascending. They view into `blocks`, to which the blocks
  // read are added.
  Status ReadPage(PageNo page, Lsn after, Lsn up_to,
                  std::vector<std::shared_ptr<const std::string>>* blocks,
                  std::vector<LayerEntry>* entries);
  // Records in (after, up_to] in LSN order, appended to `out` until it exceeds `size_max`.
  // *last is the end of the last one appended; *more tells that there are others.
  Status ReadRecords(Lsn after, Lsn up_to, size_t size_max, std::string* out, Lsn* last,
                     bool* more);
  // One block, verified and decoded.
  Result<std::shared_ptr<const std::string>> ReadBlock(size_t block);
  // Verifies blocks from *next_block on, about `bytes_max` of them, and with the last one the rest
  // of the file; moves *next_block on and returns how many bytes that were.
  Result<uint64_t> Verify(size_t* next_block, uint64_t bytes_max);
  // Forgets what only ReadRecords needs.
  void DropLsnIndex();

 private:
  Layer() = default;
  Status ReadIndexes();
  Result<std::string> ReadSection(uint64_t offset, uint64_t size, uint32_t crc,
                                  std::string_view what);
  using LsnIndex = std::shared_ptr<const std::vector<LayerLsnPlace>>;
  Result<LsnIndex> LoadLsnIndex();

  std::string path_;
  std::unique_ptr<File> file_;
  LayerInfo info_;
  uint64_t lsn_index_offset_ = 0;
  uint64_t lsn_index_count_ = 0;
  uint32_t lsn_index_crc_ = 0;
  std::vector<LayerBlockPlace> blocks_;
  std::vector<LayerPagePlace> pages_;
  // What was read last, for those who come next.
  Mutex kept_mutex_{LockRank::kLeaf};
  LsnIndex lsns_ GUARDED_BY(kept_mutex_);
  std::shared_ptr<const std::string> last_block_ GUARDED_BY(kept_mutex_);
  size_t last_block_number_ GUARDED_BY(kept_mutex_) = ~size_t{0};
};

// What the last bytes of a layer file say, verified.
Result<LayerInfo> ParseLayerFooter(std::string_view bytes);
// For inspection: which of a layer file's indexes do not verify, a line each; none when its footer
// does not verify, as then nothing says where they are.
std::vector<std::string> LayerIndexTroubles(std::string_view bytes);
// Takes the entry at `offset` of a decoded block and moves on; false at its end or when malformed.
bool NextEntry(std::string_view block, size_t* offset, LayerEntry* entry);

// All entries of a layer in order, block by block.
class LayerCursor {
 public:
  explicit LayerCursor(std::shared_ptr<Layer> layer) : layer_(std::move(layer)) {}
  // False at the end. The entry is valid until the next call but one block of it is kept.
  Result<bool> Next(LayerEntry* entry);
  // The block that the last entry views into.
  const std::shared_ptr<const std::string>& block() const { return block_; }

 private:
  std::shared_ptr<Layer> layer_;
  std::shared_ptr<const std::string> block_;
  size_t next_block_ = 0;
  size_t offset_ = 0;
};

}  // namespace borealis::storage_node
