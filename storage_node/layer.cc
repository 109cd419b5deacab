#include "storage_node/layer.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <unordered_map>

#include "base/coding.h"
#include "base/crc32c.h"
#include "base/invariant.h"
#include "volume/edit.h"
#include "volume/page.h"
#include "volume/record.h"

namespace borealis::storage_node {

namespace {

constexpr uint32_t kLayerMagic = 0x32594C42;  // "BLY2"
constexpr uint32_t kLayerVersion = 2;
constexpr size_t kFooterVersionAt = 132;
constexpr size_t kBlockTarget = 32 * 1024;
constexpr size_t kEntryHeaderSize = 24;
constexpr size_t kFooterSize = 160;
constexpr size_t kWriteSize = 1u << 20;
// A large layer is flushed as it grows: one flush of gigabytes would hold up the journal's.
constexpr uint64_t kSyncSize = uint64_t{32} << 20;
constexpr std::string_view kNamePrefix = "layer-";
// A bit that flips on the way in, not at rest, is gone the second time.
constexpr int kReadAttempts = 2;
// What reading records in LSN order may hold of decoded blocks at a time.
constexpr size_t kDecodedBytesMax = size_t{64} << 20;
constexpr uint8_t kEntryRecord = 1;
constexpr uint8_t kEntryImage = 2;

template <class T>
std::string_view AsBytes(const std::vector<T>& items) {
  return {reinterpret_cast<const char*>(items.data()), items.size() * sizeof(T)};
}
template <class T>
void FromBytes(std::string_view bytes, std::vector<T>* items) {
  items->resize(bytes.size() / sizeof(T));
  if (items->empty()) {
    return;  // memcpy from or to null is undefined even for no bytes
  }
  std::memcpy(static_cast<void*>(items->data()), bytes.data(), items->size() * sizeof(T));
}
static_assert(sizeof(LayerPagePlace) == 16 && sizeof(LayerLsnPlace) == 16 &&
              sizeof(LayerBlockPlace) == 16);

}  // namespace

std::string LayerFileName(uint64_t number) {
  return fmt::format("{}{:010}", kNamePrefix, number);
}

uint64_t LayerFileNumber(std::string_view name) {
  uint64_t number = 0;
  if (!name.starts_with(kNamePrefix)) {
    return 0;
  }
  name.remove_prefix(kNamePrefix.size());
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  return error == std::errc() && end == name.data() + name.size() ? number : 0;
}

bool LeavesPageEmpty(const LayerEntry& entry) {
  if (!entry.is_image) {
    return ViewVerifiedRecord(entry.bytes).body == kEmptyingEdits;
  }
  return IsAllZero(entry.bytes.substr(kPageHeaderSize));
}

LayerWriter::LayerWriter(FileSystem& files, const std::string& directory, LayerInfo info)
    : files_(files), directory_(directory), info_(info) {}

Status LayerWriter::Create() {
  ASSIGN_OR_RETURN(file_, files_.Open(directory_ + "/" + LayerFileName(info_.number),
                                      FileSystem::Mode::kCreate));
  return file_->Truncate(0);
}

Status LayerWriter::Put(std::string_view bytes) {
  buffer_.append(bytes);
  if (buffer_.size() >= kWriteSize) {
    RETURN_IF_ERROR(file_->WriteAt(written_, buffer_));
    written_ += buffer_.size();
    buffer_.clear();
    if (written_ >= synced_ + kSyncSize) {
      RETURN_IF_ERROR(file_->Sync());
      synced_ = written_;
    }
  }
  return Status::Ok();
}

Status LayerWriter::CloseBlock() {
  if (block_entries_ == 0) {
    return Status::Ok();
  }
  info_.plain_bytes += block_.size();
  const std::string_view stored = encoder_.Encode(&block_, block_entries_);
  blocks_.push_back({written_ + buffer_.size(), static_cast<uint32_t>(stored.size()), 0});
  RETURN_IF_ERROR(Put(stored));
  block_.clear();
  block_entries_ = 0;
  return Status::Ok();
}

void LayerWriter::ClosePage() {
  if (page_is_empty_) {
    ++info_.empty_pages;
    info_.covering_pages += page_entries_ > 1 || info_.from > Lsn(0) ? 1 : 0;
  }
  page_entries_ = 0;
}

Status LayerWriter::Add(const LayerEntry& entry) {
  if (block_.size() >= kBlockTarget) {
    RETURN_IF_ERROR(CloseBlock());
  }
  if (block_.empty()) {
    block_.resize(kBlockHeaderSize);
  }
  const auto block = static_cast<uint32_t>(blocks_.size());
  const auto offset = static_cast<uint32_t>(block_.size());
  if (pages_.empty() || pages_.back().page != entry.page.value()) {
    INVARIANT(pages_.empty() || pages_.back().page < entry.page.value());
    ClosePage();
    pages_.push_back({entry.page.value(), block, offset});
  }
  if (!entry.is_image) {
    lsns_.push_back({entry.lsn.value(), block, offset});
    ++info_.record_count;
  } else {
    ++info_.image_count;
  }
  ++page_entries_;
  page_is_empty_ = entry.page != kNoPage && LeavesPageEmpty(entry);
  char header[kEntryHeaderSize] = {};
  StoreLittle(header, entry.page.value());
  StoreLittle(header + 8, entry.lsn.value());
  StoreLittle(header + 16, static_cast<uint32_t>(entry.bytes.size()));
  header[20] = static_cast<char>(entry.is_image ? kEntryImage : kEntryRecord);
  block_.append(header, kEntryHeaderSize);
  block_.append(entry.bytes);
  ++block_entries_;
  return Status::Ok();
}

Result<LayerInfo> LayerWriter::Finish() {
  RETURN_IF_ERROR(CloseBlock());
  ClosePage();
  std::sort(lsns_.begin(), lsns_.end(),
            [](const LayerLsnPlace& a, const LayerLsnPlace& b) { return a.lsn < b.lsn; });
  const uint64_t pages_at = written_ + buffer_.size();
  RETURN_IF_ERROR(Put(AsBytes(pages_)));
  const uint64_t lsns_at = written_ + buffer_.size();
  RETURN_IF_ERROR(Put(AsBytes(lsns_)));
  const uint64_t blocks_at = written_ + buffer_.size();
  RETURN_IF_ERROR(Put(AsBytes(blocks_)));
  info_.bytes = written_ + buffer_.size() + kFooterSize;

  std::string footer;
  AppendLittle(&footer, kLayerMagic);
  AppendLittle(&footer, uint32_t{0});  // checksum, below
  AppendLittle(&footer, info_.number);
  AppendLittle(&footer, info_.volume.value());
  AppendLittle(&footer, info_.pg.value());
  AppendLittle(&footer, info_.level);
  AppendLittle(&footer, info_.from.value());
  AppendLittle(&footer, info_.up_to.value());
  AppendLittle(&footer, info_.complete_above.value());
  AppendLittle(&footer, info_.record_count);
  AppendLittle(&footer, info_.image_count);
  AppendLittle(&footer, pages_at);
  AppendLittle(&footer, static_cast<uint64_t>(pages_.size()));
  AppendLittle(&footer, lsns_at);
  AppendLittle(&footer, static_cast<uint64_t>(lsns_.size()));
  AppendLittle(&footer, blocks_at);
  AppendLittle(&footer, static_cast<uint64_t>(blocks_.size()));
  AppendLittle(&footer, Crc32c(AsBytes(pages_)));
  AppendLittle(&footer, Crc32c(AsBytes(lsns_)));
  AppendLittle(&footer, Crc32c(AsBytes(blocks_)));
  INVARIANT_EQ(footer.size(), kFooterVersionAt);
  AppendLittle(&footer, kLayerVersion);
  AppendLittle(&footer, info_.empty_pages);
  AppendLittle(&footer, info_.covering_pages);
  AppendLittle(&footer, info_.plain_bytes);
  INVARIANT_EQ(footer.size(), kFooterSize);
  StoreLittle(footer.data() + 4, Crc32c(std::string_view(footer).substr(8)));
  RETURN_IF_ERROR(Put(footer));
  RETURN_IF_ERROR(file_->WriteAt(written_, buffer_));
  RETURN_IF_ERROR(file_->Sync());
  RETURN_IF_ERROR(files_.SyncDirectory(directory_));
  return info_;
}

Result<std::shared_ptr<Layer>> Layer::OpenPath(FileSystem& files, const std::string& path) {
  std::shared_ptr<Layer> layer(new Layer());
  layer->path_ = path;
  ASSIGN_OR_RETURN(layer->file_, files.Open(path, FileSystem::Mode::kRead));
  if (Status status = layer->ReadIndexes(); !status.ok()) {
    return std::move(status).Annotate(path);
  }
  return layer;
}

Result<std::shared_ptr<Layer>> Layer::Open(FileSystem& files, const std::string& directory,
                                           const LayerInfo& expected) {
  ASSIGN_OR_RETURN(auto layer, OpenPath(files, directory + "/" + LayerFileName(expected.number)));
  const LayerInfo& info = layer->info_;
  if (info.number != expected.number || info.volume != expected.volume || info.pg != expected.pg ||
      info.from != expected.from || info.up_to != expected.up_to ||
      info.record_count != expected.record_count) {
    return Status::Corruption(layer->path_ + ": not the layer the manifest means");
  }
  return layer;
}

namespace {

struct Footer {
  LayerInfo info;
  uint64_t pages_at = 0;
  uint64_t page_count = 0;
  uint64_t lsns_at = 0;
  uint64_t lsn_count = 0;
  uint64_t blocks_at = 0;
  uint64_t block_count = 0;
  uint32_t pages_crc = 0;
  uint32_t lsns_crc = 0;
  uint32_t blocks_crc = 0;
};

Result<Footer> ParseFooter(std::string_view bytes, uint64_t file_size) {
  if (bytes.size() != kFooterSize ||
      LoadLittle<uint32_t>(bytes.data() + 4) != Crc32c(bytes.substr(8))) {
    return Status::Corruption("layer footer does not verify");
  }
  if (const auto version = LoadLittle<uint32_t>(bytes.data() + kFooterVersionAt);
      version != kLayerVersion) {
    return Status::Unsupported(fmt::format("layer of format version {}, this program reads {}",
                                           version == 0 ? 1 : version, kLayerVersion));
  }
  if (LoadLittle<uint32_t>(bytes.data()) != kLayerMagic) {
    return Status::Corruption("layer footer does not verify");
  }
  ByteReader reader(bytes.substr(8));
  Footer footer;
  LayerInfo& info = footer.info;
  info.number = reader.Little<uint64_t>();
  info.volume = VolumeId(reader.Little<uint64_t>());
  info.pg = PgId(reader.Little<uint32_t>());
  info.level = reader.Little<uint32_t>();
  info.from = Lsn(reader.Little<uint64_t>());
  info.up_to = Lsn(reader.Little<uint64_t>());
  info.complete_above = Lsn(reader.Little<uint64_t>());
  info.record_count = reader.Little<uint64_t>();
  info.image_count = reader.Little<uint64_t>();
  info.bytes = file_size;
  footer.pages_at = reader.Little<uint64_t>();
  footer.page_count = reader.Little<uint64_t>();
  footer.lsns_at = reader.Little<uint64_t>();
  footer.lsn_count = reader.Little<uint64_t>();
  footer.blocks_at = reader.Little<uint64_t>();
  footer.block_count = reader.Little<uint64_t>();
  footer.pages_crc = reader.Little<uint32_t>();
  footer.lsns_crc = reader.Little<uint32_t>();
  footer.blocks_crc = reader.Little<uint32_t>();
  reader.Little<uint32_t>();  // version
  info.empty_pages = reader.Little<uint64_t>();
  info.covering_pages = reader.Little<uint64_t>();
  info.plain_bytes = reader.Little<uint64_t>();
  if (std::max({footer.page_count, footer.lsn_count, footer.block_count}) > file_size) {
    return Status::Corruption("layer footer is inconsistent");
  }
  return footer;
}

}  // namespace

Result<LayerInfo> ParseLayerFooter(std::string_view bytes) {
  if (bytes.size() < kFooterSize) {
    return Status::Corruption("layer is cut");
  }
  ASSIGN_OR_RETURN(const Footer footer,
                   ParseFooter(bytes.substr(bytes.size() - kFooterSize), bytes.size()));
  return footer.info;
}

std::vector<std::string> LayerIndexTroubles(std::string_view bytes) {
  std::vector<std::string> troubles;
  if (bytes.size() < kFooterSize) {
    return troubles;
  }
  const auto footer = ParseFooter(bytes.substr(bytes.size() - kFooterSize), bytes.size());
  if (!footer.ok()) {
    return troubles;
  }
  const auto check = [&](std::string_view what, uint64_t at, uint64_t count, uint32_t crc) {
    const uint64_t size = count * sizeof(LayerPagePlace);
    if (at > bytes.size() || size > bytes.size() - at || Crc32c(bytes.substr(at, size)) != crc) {
      troubles.push_back(fmt::format("{:#010x}: layer {} does not verify", at, what));
    }
  };
  check("page index", footer->pages_at, footer->page_count, footer->pages_crc);
  check("LSN index", footer->lsns_at, footer->lsn_count, footer->lsns_crc);
  check("block table", footer->blocks_at, footer->block_count, footer->blocks_crc);
  return troubles;
}

Status Layer::ReadIndexes() {
  ASSIGN_OR_RETURN(const uint64_t size, file_->Size());
  if (size < kFooterSize) {
    return Status::Corruption("layer is cut");
  }
  Footer footer;
  for (int attempt = 1;; ++attempt) {
    std::string bytes;
    RETURN_IF_ERROR(file_->ReadAt(size - kFooterSize, kFooterSize, &bytes));
    auto parsed = ParseFooter(bytes, size);
    if (parsed.ok()) {
      footer = *parsed;
      break;
    }
    if (attempt == kReadAttempts) {
      return parsed.status();
    }
  }
  info_ = footer.info;
  lsn_index_offset_ = footer.lsns_at;
  lsn_index_count_ = footer.lsn_count;
  lsn_index_crc_ = footer.lsns_crc;
  ASSIGN_OR_RETURN(const std::string pages,
                   ReadSection(footer.pages_at, footer.page_count * sizeof(LayerPagePlace),
                               footer.pages_crc, "page index"));
  FromBytes(pages, &pages_);
  ASSIGN_OR_RETURN(const std::string blocks,
                   ReadSection(footer.blocks_at, footer.block_count * sizeof(LayerBlockPlace),
                               footer.blocks_crc, "block table"));
  FromBytes(blocks, &blocks_);
  return Status::Ok();
}

Result<std::string> Layer::ReadSection(uint64_t offset, uint64_t size, uint32_t crc,
                                       std::string_view what) {
  std::string bytes;
  for (int attempt = 0; attempt < kReadAttempts; ++attempt) {
    RETURN_IF_ERROR(file_->ReadAt(offset, size, &bytes));
    if (bytes.size() == size && Crc32c(bytes) == crc) {
      return bytes;
    }
  }
  return Status::Corruption(fmt::format("layer {} does not verify", what));
}

Result<Layer::LsnIndex> Layer::LoadLsnIndex() {
  {
    MutexLock lock(kept_mutex_);
    if (lsns_ != nullptr) {
      return lsns_;
    }
  }
  ASSIGN_OR_RETURN(const std::string bytes,
                   ReadSection(lsn_index_offset_, lsn_index_count_ * sizeof(LayerLsnPlace),
                               lsn_index_crc_, "LSN index"));
  auto index = std::make_shared<std::vector<LayerLsnPlace>>();
  FromBytes(bytes, index.get());
  MutexLock lock(kept_mutex_);
  lsns_ = index;
  return LsnIndex(index);
}

void Layer::DropLsnIndex() {
  MutexLock lock(kept_mutex_);
  lsns_ = nullptr;
  last_block_ = nullptr;
  last_block_number_ = ~size_t{0};
}

size_t Layer::LowerBound(PageNo page) const {
  const auto at = std::lower_bound(
      pages_.begin(), pages_.end(), page.value(),
      [](const LayerPagePlace& place, uint64_t wanted) { return place.page < wanted; });
  return static_cast<size_t>(at - pages_.begin());
}

Result<std::shared_ptr<const std::string>> Layer::ReadBlock(size_t block) {
  {
    MutexLock lock(kept_mutex_);
    if (block == last_block_number_) {
      return last_block_;
    }
  }
  if (block >= blocks_.size()) {
    return Status::Corruption(fmt::format("{}: no block {}", path_, block));
  }
  auto bytes = std::make_shared<std::string>();
  const LayerBlockPlace place = blocks_[block];
  for (int attempt = 0; attempt < kReadAttempts; ++attempt) {
    RETURN_IF_ERROR(file_->ReadAt(place.offset, place.size, bytes.get()));
    const auto verified = VerifyBlock(*bytes);
    if (verified.ok() && verified->size() == place.size) {
      ASSIGN_OR_RETURN(*bytes, DecodeBlock(*verified));
      MutexLock lock(kept_mutex_);
      last_block_ = bytes;
      last_block_number_ = block;
      return last_block_;
    }
  }
  return Status::Corruption(fmt::format("{}: block {} does not verify", path_, block));
}

Result<uint64_t> Layer::Verify(size_t* next_block, uint64_t bytes_max) {
  uint64_t bytes = 0;
  for (; *next_block < blocks_.size() && bytes < bytes_max; ++*next_block) {
    RETURN_IF_ERROR(ReadBlock(*next_block).status());
    bytes += blocks_[*next_block].size;
  }
  if (*next_block == blocks_.size()) {
    RETURN_IF_ERROR(LoadLsnIndex().status());
    DropLsnIndex();
    bytes += info_.bytes - (blocks_.empty() ? 0 : blocks_.back().offset + blocks_.back().size);
  }
  return bytes;
}

bool NextEntry(std::string_view block, size_t* offset, LayerEntry* entry) {
  if (*offset < kBlockHeaderSize) {
    *offset = kBlockHeaderSize;
  }
  if (block.size() < *offset + kEntryHeaderSize) {
    return false;
  }
  const char* header = block.data() + *offset;
  const size_t size = LoadLittle<uint32_t>(header + 16);
  if (size > block.size() - *offset - kEntryHeaderSize) {
    return false;
  }
  entry->page = PageNo(LoadLittle<uint64_t>(header));
  entry->lsn = Lsn(LoadLittle<uint64_t>(header + 8));
  entry->is_image = header[20] == static_cast<char>(kEntryImage);
  entry->bytes = block.substr(*offset + kEntryHeaderSize, size);
  *offset += kEntryHeaderSize + size;
  return entry->is_image
             ? size == kPageSize
             : size >= kRecordHeaderSize && LoadLittle<uint32_t>(entry->bytes.data() + 4) == size;
}

Status Layer::ReadPage(PageNo page, Lsn after, Lsn up_to,
                       std::vector<std::shared_ptr<const std::string>>* blocks,
                       std::vector<LayerEntry>* entries) {
  const size_t at = LowerBound(page);
  if (at == pages_.size() || pages_[at].page != page.value()) {
    return Status::Ok();
  }
  size_t offset = pages_[at].offset;
  for (size_t block = pages_[at].block; block < blocks_.size(); ++block, offset = 0) {
    ASSIGN_OR_RETURN(const auto bytes, ReadBlock(block));
    blocks->push_back(bytes);
    LayerEntry entry;
    while (NextEntry(*bytes, &offset, &entry)) {
      if (entry.page != page || entry.lsn > up_to) {
        return Status::Ok();
      }
      if (entry.lsn > after) {
        entries->push_back(entry);
      }
    }
    if (offset != bytes->size()) {
      return Status::Corruption(fmt::format("{}: block {} is malformed", path_, block));
    }
  }
  return Status::Ok();
}

Status Layer::ReadRecords(Lsn after, Lsn up_to, size_t size_max, std::string* out, Lsn* last,
                          bool* more) {
  ASSIGN_OR_RETURN(const LsnIndex lsns, LoadLsnIndex());
  auto at = std::upper_bound(
      lsns->begin(), lsns->end(), after.value(),
      [](uint64_t wanted, const LayerLsnPlace& place) { return wanted < place.lsn; });
  // Neighbours by LSN are spread over all blocks, which are by page: each is read and decoded once
  // for all of them, or a peer that catches up would keep this node from everything else.
  std::unordered_map<uint32_t, std::shared_ptr<const std::string>> decoded;
  size_t decoded_bytes = 0;
  for (; at != lsns->end() && at->lsn <= up_to.value(); ++at) {
    if (out->size() >= size_max) {
      *more = true;
      return Status::Ok();
    }
    if (decoded_bytes > kDecodedBytesMax) {
      decoded.clear();
      decoded_bytes = 0;
    }
    std::shared_ptr<const std::string>& block = decoded[at->block];
    if (block == nullptr) {
      ASSIGN_OR_RETURN(block, ReadBlock(at->block));
      decoded_bytes += block->size();
    }
    size_t offset = at->offset;
    LayerEntry entry;
    if (!NextEntry(*block, &offset, &entry) || entry.lsn.value() != at->lsn || entry.is_image) {
      return Status::Corruption(fmt::format("{}: LSN index leads astray", path_));
    }
    out->append(entry.bytes);
    *last = entry.lsn;
  }
  return Status::Ok();
}

Result<bool> LayerCursor::Next(LayerEntry* entry) {
  while (true) {
    if (block_ != nullptr) {
      if (NextEntry(*block_, &offset_, entry)) {
        return true;
      }
      if (offset_ != block_->size()) {
        return Status::Corruption("layer block is malformed");
      }
    }
    if (next_block_ == layer_->block_count()) {
      return false;
    }
    ASSIGN_OR_RETURN(block_, layer_->ReadBlock(next_block_++));
    offset_ = 0;
  }
}

}  // namespace borealis::storage_node
