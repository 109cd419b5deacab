#include "storage_node/journal.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/coding.h"
#include "base/crc32c.h"
#include "base/fault.h"
#include "base/invariant.h"

namespace borealis::storage_node {

namespace {

constexpr uint32_t kBatchMagic = 0x31424A42;  // "BJB1"
constexpr uint32_t kJournalVersion = 1;       // which a batch tells as 0
constexpr std::string_view kNamePrefix = "journal-";
constexpr std::string_view kSparePrefix = "spare-";
constexpr size_t kFreeFilesMax = 2;

size_t Padded(size_t size) {
  return (size + kJournalBlockSize - 1) / kJournalBlockSize * kJournalBlockSize;
}

// Its bytes: room for the header, and the parts.
void Complete(JournalBatch* batch, uint32_t part_count) {
  std::string& bytes = batch->bytes;
  StoreLittle(bytes.data(), kBatchMagic);
  StoreLittle(bytes.data() + 8, static_cast<uint32_t>(bytes.size()));
  StoreLittle(bytes.data() + 36, part_count);
  bytes.resize(Padded(bytes.size()));
}

void StampBatch(JournalBatch* batch, NodeId node) {
  char* head = batch->bytes.data();
  StoreLittle(head + 16, batch->sequence);
  StoreLittle(head + 24, batch->file);
  StoreLittle(head + 32, node.value());
  const auto size = LoadLittle<uint32_t>(head + 8);
  StoreLittle(head + 4, Crc32c(std::string_view(batch->bytes).substr(8, size - 8)));
}

}  // namespace

void BatchBuilder::BeginPart(VolumeId volume, PgId pg, Lsn vdl_told, VolumeEpoch vdl_epoch) {
  if (bytes_.empty()) {
    bytes_.resize(kBatchHeaderSize);
  }
  part_at_ = bytes_.size();
  AppendLittle(&bytes_, volume.value());
  AppendLittle(&bytes_, pg.value());
  AppendLittle(&bytes_, uint32_t{0});
  AppendLittle(&bytes_, vdl_told.value());
  AppendLittle(&bytes_, vdl_epoch.value());
}

uint32_t BatchBuilder::Add(std::string_view record) {
  const size_t at = bytes_.size();
  bytes_.append(record);
  return static_cast<uint32_t>(at);
}

void BatchBuilder::EndPart() {
  const size_t size = bytes_.size() - part_at_ - kBatchPartHeaderSize;
  if (size == 0) {
    bytes_.resize(part_at_);
    return;
  }
  StoreLittle(bytes_.data() + part_at_ + 12, static_cast<uint32_t>(size));
  ++part_count_;
}

std::shared_ptr<JournalBatch> BatchBuilder::Take() {
  INVARIANT(!empty());
  auto batch = std::make_shared<JournalBatch>();
  batch->bytes = std::move(bytes_);
  bytes_ = std::string();
  bytes_.reserve(std::min<size_t>(batch->bytes.size() * 2, 1u << 20));
  Complete(batch.get(), std::exchange(part_count_, 0));
  return batch;
}

std::shared_ptr<JournalBatch> EmptyBatch() {
  auto batch = std::make_shared<JournalBatch>();
  batch->bytes.resize(kBatchHeaderSize);
  Complete(batch.get(), 0);
  return batch;
}

Result<BatchView> ParseBatch(std::string_view bytes) {
  if (bytes.size() < kBatchHeaderSize || LoadLittle<uint32_t>(bytes.data()) != kBatchMagic) {
    return Status::Corruption("no batch here");
  }
  const size_t size = LoadLittle<uint32_t>(bytes.data() + 8);
  if (size < kBatchHeaderSize || size > bytes.size()) {
    return Status::Corruption(fmt::format("batch size {} leaves the file", size));
  }
  if (Crc32c(bytes.substr(8, size - 8)) != LoadLittle<uint32_t>(bytes.data() + 4)) {
    return Status::Corruption("batch checksum does not match");
  }
  if (const auto version = LoadLittle<uint32_t>(bytes.data() + 12); version != 0) {
    return Status::Unsupported(fmt::format(
        "journal batch of format version {}, this program reads {}", version, kJournalVersion));
  }
  BatchView batch;
  batch.sequence = LoadLittle<uint64_t>(bytes.data() + 16);
  batch.file = LoadLittle<uint64_t>(bytes.data() + 24);
  batch.node = NodeId(LoadLittle<uint32_t>(bytes.data() + 32));
  batch.padded_size = Padded(size);
  const auto part_count = LoadLittle<uint32_t>(bytes.data() + 36);
  ByteReader reader(bytes.substr(kBatchHeaderSize, size - kBatchHeaderSize));
  for (uint32_t i = 0; i < part_count && reader.ok(); ++i) {
    BatchPart part;
    part.volume = VolumeId(reader.Little<uint64_t>());
    part.pg = PgId(reader.Little<uint32_t>());
    const auto part_size = reader.Little<uint32_t>();
    part.vdl_told = Lsn(reader.Little<uint64_t>());
    part.vdl_epoch = VolumeEpoch(reader.Little<uint64_t>());
    part.records = reader.Bytes(part_size);
    batch.parts.push_back(part);
  }
  if (!reader.ok() || !reader.empty()) {
    return Status::Corruption("batch parts do not add up");
  }
  return batch;
}

uint64_t JournalFileNumber(std::string_view name) {
  uint64_t number = 0;
  if (!name.starts_with(kNamePrefix)) {
    return 0;
  }
  name.remove_prefix(kNamePrefix.size());
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  return error == std::errc() && end == name.data() + name.size() ? number : 0;
}

Journal::Journal(FileSystem& files, std::string directory, NodeId node, uint64_t file_bytes)
    : file_system_(files),
      directory_(std::move(directory)),
      node_(node),
      file_bytes_(Padded(file_bytes)) {}

std::string Journal::PathOf(uint64_t sequence) const {
  return fmt::format("{}/{}{:010}", directory_, kNamePrefix, sequence);
}

// Each spare has a name of its own: the one before may still wait for the work that renames it.
std::string Journal::SparePath(uint64_t number) const {
  return fmt::format("{}/{}{}", directory_, kSparePrefix, number);
}

void Journal::AddFile() {
  JournalFile file;
  file.sequence = next_file_++;
  file.handle = std::make_shared<FileHandle>();
  files_.push_back(std::move(file));
}

Status Journal::Open(uint64_t first_needed, uint64_t last_known, const BatchVisitor& visit,
                     std::string* damage) {
  ASSIGN_OR_RETURN(const std::vector<std::string> names, file_system_.List(directory_));
  std::vector<uint64_t> numbers;
  for (const std::string& name : names) {
    if (const uint64_t number = JournalFileNumber(name); number != 0) {
      number < first_needed ? free_paths_.push_back(PathOf(number)) : numbers.push_back(number);
    } else if (name.starts_with(kSparePrefix)) {
      RETURN_IF_ERROR(file_system_.Remove(directory_ + "/" + name));  // perhaps half made
    }
  }
  std::sort(numbers.begin(), numbers.end());
  const uint64_t last = std::max(last_known, numbers.empty() ? 0 : numbers.back());
  uint64_t expected = 0;
  next_file_ = std::max<uint64_t>(first_needed, 1);
  for (uint64_t number = next_file_; number <= last; ++number) {
    if (!std::binary_search(numbers.begin(), numbers.end(), number)) {
      *damage += fmt::format("{} is missing; ", PathOf(number));
      next_file_ = number + 1;
      continue;
    }
    next_file_ = number;
    AddFile();
    RETURN_IF_ERROR(ReadFile(number, &expected, visit, damage));
  }
  next_sequence_ = std::max<uint64_t>(expected, 1);
  return RewriteLast();
}

Status Journal::ReadFile(uint64_t sequence, uint64_t* expected, const BatchVisitor& visit,
                         std::string* damage) {
  auto content = ReadWholeFile(file_system_, PathOf(sequence));
  if (!content.ok()) {
    // A shortage, of descriptors or memory or space, is no reason to forget anything.
    const bool is_damage = content.status().Is(Code::kIoError) ||
                           content.status().Is(Code::kNotFound) ||
                           content.status().Is(Code::kCorruption);
    RETURN_IF_ERROR(is_damage ? Status::Ok() : content.status());
    *damage += content.status().ToString() + "; ";
    return Status::Ok();
  }
  const std::string_view bytes = *content;
  JournalFile& file = files_.back();
  uint64_t bad_from = ~uint64_t{0};
  for (uint64_t offset = 0; offset < bytes.size();) {
    auto batch = ParseBatch(bytes.substr(offset));
    if (batch.status().Is(Code::kUnsupported)) {
      return Status(batch.status()).Annotate(PathOf(sequence));
    }
    // What an earlier use of this file left behind carries that use's number.
    const bool ours =
        batch.ok() && batch->file == sequence && (*expected == 0 || batch->sequence >= *expected);
    if (!ours) {
      bad_from = std::min(bad_from, offset);
      offset += kJournalBlockSize;
      continue;
    }
    if (batch->node != node_) {
      return Status::InvalidArgument(
          fmt::format("{} was written by node {}", PathOf(sequence), batch->node.value()));
    }
    if (bad_from != ~uint64_t{0} || (*expected != 0 && batch->sequence != *expected)) {
      COVER("journal.damage_before_good_batch");
      *damage += fmt::format("{} at {}: batches {} to {} are unreadable; ", PathOf(sequence),
                             std::min(bad_from, offset), *expected, batch->sequence - 1);
      bad_from = ~uint64_t{0};
    }
    auto kept = std::make_shared<JournalBatch>();
    kept->bytes = bytes.substr(offset, batch->padded_size);
    kept->bytes.resize(batch->padded_size);
    kept->sequence = batch->sequence;
    kept->file = sequence;
    ASSIGN_OR_RETURN(const BatchView view, ParseBatch(kept->bytes));
    RETURN_IF_ERROR(visit(kept, view));
    *expected = batch->sequence + 1;
    last_read_ = kept;
    last_read_offset_ = offset;
    offset += batch->padded_size;
    file.used = offset;
  }
  return Status::Ok();
}

// The flush of the last batch may have failed, or never have ended, with its bytes still in the
// system's cache: it is made durable before it counts.
Status Journal::RewriteLast() {
  if (last_read_ == nullptr) {
    return Status::Ok();
  }
  ASSIGN_OR_RETURN(auto file,
                   file_system_.Open(PathOf(last_read_->file), FileSystem::Mode::kReadWrite));
  RETURN_IF_ERROR(file->WriteAt(last_read_offset_, last_read_->bytes));
  RETURN_IF_ERROR(file->Sync());
  last_read_ = nullptr;
  return file_system_.SyncDirectory(directory_);
}

void Journal::StartAfresh() {
  for (const JournalFile& file : files_) {
    INVARIANT(file.batches.empty());
  }
  files_.clear();
  free_paths_.clear();
}

std::function<Status()> Journal::PrepareWrite(const std::shared_ptr<JournalBatch>& batch) {
  const uint64_t size = batch->bytes.size();
  if (files_.empty() || (files_.back().used > 0 && files_.back().used + size > file_bytes_)) {
    AddFile();
  }
  JournalFile& file = files_.back();
  batch->sequence = next_sequence_++;
  batch->file = file.sequence;
  StampBatch(batch.get(), node_);
  const uint64_t offset = file.used;
  file.used += size;
  std::string reuse;
  if (file.handle->file == nullptr && offset == 0 && !free_paths_.empty()) {
    reuse = free_paths_.back();
    free_paths_.pop_back();
  }
  return [files = &file_system_, directory = directory_, path = PathOf(file.sequence), reuse,
          handle = file.handle, batch, offset, file_bytes = file_bytes_]() -> Status {
    if (handle->file == nullptr) {
      if (!reuse.empty()) {
        RETURN_IF_ERROR(files->Rename(reuse, path));
      }
      const bool existed = files->Exists(path);
      ASSIGN_OR_RETURN(handle->file, files->Open(path, FileSystem::Mode::kCreate));
      if (!existed) {
        RETURN_IF_ERROR(handle->file->Preallocate(file_bytes));
      }
      RETURN_IF_ERROR(files->SyncDirectory(directory));
    }
    RETURN_IF_ERROR(handle->file->WriteAt(offset, batch->bytes));
    return handle->file->Sync();
  };
}

void Journal::Retain(const std::shared_ptr<JournalBatch>& batch) {
  for (auto file = files_.rbegin(); file != files_.rend(); ++file) {
    if (file->sequence == batch->file) {
      file->batches.emplace(batch->sequence, batch);
      last_file_ = std::max(last_file_, batch->file);
      return;
    }
  }
  INVARIANT(false);
}

void Journal::Release(JournalBatch* batch) {
  INVARIANT_GT(batch->live, 0U);
  if (--batch->live > 0) {
    return;
  }
  for (JournalFile& file : files_) {
    if (file.sequence == batch->file) {
      INVARIANT(file.batches.erase(batch->sequence) == 1);
      return;
    }
  }
}

uint64_t Journal::FirstNeeded() const {
  for (const JournalFile& file : files_) {
    if (!file.batches.empty() || &file == &files_.back()) {
      return file.sequence;
    }
  }
  return next_file_;
}

void Journal::FreeBelow(uint64_t first_needed) {
  while (!files_.empty() && files_.front().sequence < first_needed) {
    INVARIANT(files_.front().batches.empty());
    const std::string path = PathOf(files_.front().sequence);
    if (free_paths_.size() < kFreeFilesMax) {
      free_paths_.push_back(path);
    } else {
      file_system_.Remove(path).IgnoreError();  // found again, and freed, at the next start
    }
    files_.pop_front();
  }
}

std::function<Status()> Journal::PrepareSpare() {
  if (!free_paths_.empty() || !spare_in_the_making_.empty()) {
    return nullptr;
  }
  spare_in_the_making_ = SparePath(next_spare_++);
  return [files = &file_system_, path = spare_in_the_making_, bytes = file_bytes_]() -> Status {
    ASSIGN_OR_RETURN(auto file, files->Open(path, FileSystem::Mode::kCreate));
    return file->Preallocate(bytes);
  };
}

void Journal::SpareDone(bool made) {
  if (made) {
    free_paths_.push_back(spare_in_the_making_);
  }
  spare_in_the_making_.clear();
}

std::vector<uint64_t> Journal::FullFiles() const {
  std::vector<uint64_t> numbers;
  for (const JournalFile& file : files_) {
    if (&file != &files_.back() && file.sequence >= FirstNeeded()) {
      numbers.push_back(file.sequence);
    }
  }
  return numbers;
}

std::function<Status()> Journal::PrepareVerify(uint64_t sequence) const {
  const std::vector<uint64_t> full = FullFiles();
  if (!std::binary_search(full.begin(), full.end(), sequence)) {
    return nullptr;
  }
  const auto file = std::find_if(files_.begin(), files_.end(), [&](const JournalFile& known) {
    return known.sequence == sequence;
  });
  return [files = &file_system_, path = PathOf(sequence), sequence, used = file->used]() -> Status {
    ASSIGN_OR_RETURN(const std::string bytes, ReadWholeFile(*files, path));
    for (uint64_t offset = 0; offset < used;) {
      const auto batch = ParseBatch(std::string_view(bytes).substr(std::min(offset, bytes.size())));
      if (!batch.ok() || batch->file != sequence) {
        return Status::Corruption(fmt::format("{} at {}: the batch does not verify", path, offset));
      }
      offset += batch->padded_size;
    }
    return Status::Ok();
  };
}

uint64_t Journal::SizeBytes() const {
  uint64_t bytes = 0;
  for (const JournalFile& file : files_) {
    bytes += std::max(file.used, file_bytes_);
  }
  return bytes;
}

}  // namespace borealis::storage_node
