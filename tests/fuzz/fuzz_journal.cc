// Journal files: a batch alone, and a whole file read at the node's start.
#include "base/coding.h"
#include "base/crc32c.h"
#include "base/os/sim_file.h"
#include "storage_node/journal.h"
#include "tests/fuzz/fuzz.h"
#include "volume/record.h"

namespace borealis::fuzz {

namespace {

using storage_node::BatchBuilder;
using storage_node::BatchView;
using storage_node::Journal;
using storage_node::JournalBatch;
using storage_node::kBatchHeaderSize;
using storage_node::kJournalBlockSize;

constexpr uint64_t kFileBytes = 64 * 1024;
constexpr char kPath[] = "/j/journal-0000000001";

std::string Record(uint64_t end, size_t body_size) {
  RecordDraft draft;
  const std::string body(body_size, 'r');
  draft.kind = RecordKind::kClockMark;
  draft.body = body;
  RecordPlace place;
  place.end = Lsn(end);
  std::string bytes;
  AppendRecord(&bytes, draft, Crc32c(body), place);
  return bytes;
}

// A file with a few batches, as a node writes it.
std::string JournalFile(int batches) {
  SimFileSystem files(1);
  FUZZ_CHECK(files.CreateDirectories("/j").ok(), "directory");
  Journal journal(files, "/j", NodeId(2), kFileBytes);
  std::string damage;
  FUZZ_CHECK(journal
                 .Open(
                     1, 0, [](const auto&, const BatchView&) { return Status::Ok(); }, &damage)
                 .ok(),
             "open");
  for (int i = 0; i < batches; ++i) {
    BatchBuilder builder;
    for (uint32_t pg = 0; pg < 2; ++pg) {
      builder.BeginPart(VolumeId(1), PgId(pg), Lsn(1000), VolumeEpoch(1));
      builder.Add(Record(10'000u + static_cast<uint64_t>(i) * 1000, 8));
      builder.Add(Record(10'500u + static_cast<uint64_t>(i) * 1000, i == 1 ? 5000 : 40));
      builder.EndPart();
    }
    FUZZ_CHECK(journal.PrepareWrite(builder.Take())().ok(), "write");
  }
  auto file = files.Open(kPath, FileSystem::Mode::kRead);
  FUZZ_CHECK(file.ok(), "no file");
  const Result<uint64_t> size = (*file)->Size();
  FUZZ_CHECK(size.ok(), "size");
  std::string bytes;
  FUZZ_CHECK((*file)->ReadAt(0, *size, &bytes).ok(), "read");
  return bytes;
}

class JournalTarget final : public Target {
 public:
  std::vector<std::string> Seeds() override {
    std::string file = JournalFile(3);
    file.resize(std::min<size_t>(file.size(), 10 * kJournalBlockSize));
    return {file, file.substr(0, kJournalBlockSize),
            file.substr(kJournalBlockSize, kJournalBlockSize)};
  }

  void Repair(std::string* input) override {
    for (size_t at = 0; at + kBatchHeaderSize <= input->size(); at += kJournalBlockSize) {
      const size_t size = LoadLittle<uint32_t>(input->data() + at + 8);
      if (size >= 8 && size <= input->size() - at) {
        StoreLittle(input->data() + at + 4,
                    Crc32c(std::string_view(*input).substr(at + 8, size - 8)));
      }
    }
  }

  void Run(std::string_view input) override {
    CheckBatch(input);
    SimFileSystem files(1);
    FUZZ_CHECK(files.CreateDirectories("/j").ok(), "directory");
    {
      auto file = files.Open(kPath, FileSystem::Mode::kCreate);
      FUZZ_CHECK(file.ok() && (*file)->WriteAt(0, input).ok() && (*file)->Sync().ok(), "write");
    }
    Journal journal(files, "/j", NodeId(2), kFileBytes);
    std::string damage;
    std::optional<uint64_t> last;
    bool gap = false;
    const Status opened = journal.Open(
        1, 1,
        [&](const std::shared_ptr<JournalBatch>& batch, const BatchView& view) {
          FUZZ_CHECK(!last.has_value() || view.sequence > *last, "batch numbers do not rise");
          gap = gap || (last.has_value() && view.sequence != *last + 1);
          last = view.sequence;
          FUZZ_CHECK(batch->bytes.size() >= view.padded_size, "a batch without its bytes");
          return Status::Ok();
        },
        &damage);
    FUZZ_CHECK(!opened.ok() || !gap || !damage.empty(), "INV-JRN-1: a gap that is not reported");
  }

 private:
  static void CheckBatch(std::string_view bytes) {
    const Result<BatchView> batch = storage_node::ParseBatch(bytes);
    if (!batch.ok()) {
      return;
    }
    FUZZ_CHECK(batch->padded_size % kJournalBlockSize == 0, "padding");
    for (const storage_node::BatchPart& part : batch->parts) {
      FUZZ_CHECK(part.records.data() >= bytes.data() &&
                     part.records.data() + part.records.size() <= bytes.data() + bytes.size(),
                 "records outside the batch");
      for (std::string_view rest = part.records; !rest.empty();) {
        const Result<RecordView> record = ParseRecord(rest);
        if (!record.ok()) {
          break;
        }
        rest.remove_prefix(record->length);
      }
    }
  }
};

}  // namespace

Target& TheTarget() {
  static JournalTarget target;
  return target;
}

}  // namespace borealis::fuzz
