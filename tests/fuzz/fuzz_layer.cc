// Layer files: whatever the bytes, reads give entries that verify, or an error.
#include <memory>

#include "base/coding.h"
#include "base/crc32c.h"
#include "base/os/sim_file.h"
#include "storage_node/layer.h"
#include "tests/fuzz/fuzz.h"
#include "volume/edit.h"
#include "volume/page.h"
#include "volume/record.h"

namespace borealis::fuzz {

namespace {

using storage_node::Layer;
using storage_node::LayerCursor;
using storage_node::LayerEntry;
using storage_node::LayerInfo;
using storage_node::LayerWriter;

constexpr size_t kFooterSize = 160;
constexpr char kPath[] = "/l/layer-0000000007";

std::string EditRecord(uint64_t page, uint64_t end, size_t size) {
  std::string edits;
  AppendWriteEdit(&edits, 200, std::string(size, 'e'));
  RecordDraft draft;
  draft.page = PageNo(page);
  draft.body = edits;
  RecordPlace place;
  place.end = Lsn(end);
  std::string bytes;
  AppendRecord(&bytes, draft, Crc32c(edits), place);
  return bytes;
}

std::string LayerBytes(uint64_t pages, size_t edit_size, bool images) {
  SimFileSystem files(1);
  FUZZ_CHECK(files.CreateDirectories("/l").ok(), "directory");
  LayerInfo info;
  info.number = 7;
  info.volume = VolumeId(1);
  info.up_to = Lsn(100'000);
  LayerWriter writer(files, "/l", info);
  FUZZ_CHECK(writer.Create().ok(), "create");
  for (uint64_t page = 1; page <= pages; ++page) {
    if (images) {
      auto image = std::make_unique<Page>();
      image->Clear();
      image->set_lsn(Lsn(1000));
      SealPage(image.get());
      FUZZ_CHECK(writer.Add({PageNo(page), Lsn(1000), true, image->view()}).ok(), "add");
    }
    for (uint64_t i = 1; i <= 3; ++i) {
      const uint64_t end = 10'000 * i + 1000 * page;
      FUZZ_CHECK(writer.Add({PageNo(page), Lsn(end), false, EditRecord(page, end, edit_size)}).ok(),
                 "add");
    }
  }
  FUZZ_CHECK(writer.Finish().ok(), "finish");
  auto file = files.Open(kPath, FileSystem::Mode::kRead);
  FUZZ_CHECK(file.ok(), "no file");
  const Result<uint64_t> size = (*file)->Size();
  FUZZ_CHECK(size.ok(), "size");
  std::string bytes;
  FUZZ_CHECK((*file)->ReadAt(0, *size, &bytes).ok(), "read");
  return bytes;
}

// The part of the file that footer bytes [at, at + 16) describe; empty when it lies outside.
std::string_view Section(std::string_view file, std::string_view footer, size_t at) {
  const auto offset = LoadLittle<uint64_t>(footer.data() + at);
  const auto count = LoadLittle<uint64_t>(footer.data() + at + 8);
  if (offset > file.size() || count > (file.size() - offset) / 16) {
    return {};
  }
  return file.substr(offset, count * 16);
}

class LayerTarget final : public Target {
 public:
  std::vector<std::string> Seeds() override {
    return {LayerBytes(1, 10, false), LayerBytes(5, 3000, false), LayerBytes(3, 10, true),
            LayerBytes(9, 9000, false)};
  }

  void Repair(std::string* input) override {
    if (input->size() < kFooterSize) {
      return;
    }
    const std::string_view file(*input);
    const std::string_view footer = file.substr(file.size() - kFooterSize);
    char* to = input->data() + input->size() - kFooterSize;
    const std::string_view blocks = Section(file, footer, 104);
    for (size_t i = 0; i < blocks.size(); i += 16) {
      const auto offset = LoadLittle<uint64_t>(blocks.data() + i);
      const auto size = LoadLittle<uint32_t>(blocks.data() + i + 8);
      if (offset <= file.size() && size >= 4 && size <= file.size() - offset) {
        StoreLittle(input->data() + offset, Crc32c(file.substr(offset + 4, size - 4)));
      }
    }
    StoreLittle(to + 120, Crc32c(Section(file, footer, 72)));
    StoreLittle(to + 124, Crc32c(Section(file, footer, 88)));
    StoreLittle(to + 128, Crc32c(blocks));
    StoreLittle(to + 4, Crc32c(footer.substr(8)));
  }

  void Run(std::string_view input) override {
    SimFileSystem files(1);
    FUZZ_CHECK(files.CreateDirectories("/l").ok(), "directory");
    {
      auto file = files.Open(kPath, FileSystem::Mode::kCreate);
      FUZZ_CHECK(file.ok() && (*file)->WriteAt(0, input).ok(), "write");
    }
    Result<std::shared_ptr<Layer>> layer = Layer::OpenPath(files, kPath);
    if (!layer.ok()) {
      return;
    }
    for (size_t i = 0; i < (*layer)->page_count(); ++i) {
      ReadPage(**layer, (*layer)->page_at(i));
    }
    ReadPage(**layer, PageNo(12345));
    std::string records;
    Lsn last;
    bool more = true;
    (*layer)->ReadRecords(Lsn(0), Lsn::Max(), 1 << 20, &records, &last, &more).IgnoreError();
    LayerCursor cursor(*layer);
    LayerEntry entry;
    for (int i = 0; i < 100'000; ++i) {
      const Result<bool> next = cursor.Next(&entry);
      if (!next.ok() || !*next) {
        break;
      }
    }
  }

 private:
  static void ReadPage(Layer& layer, PageNo page) {
    std::vector<std::shared_ptr<const std::string>> blocks;
    std::vector<LayerEntry> entries;
    if (!layer.ReadPage(page, Lsn(0), Lsn::Max(), &blocks, &entries).ok()) {
      return;
    }
    for (const LayerEntry& entry : entries) {
      FUZZ_CHECK(entry.page == page, "an entry of another page");
      const bool inside = std::any_of(blocks.begin(), blocks.end(), [&](const auto& block) {
        return entry.bytes.data() >= block->data() &&
               entry.bytes.data() + entry.bytes.size() <= block->data() + block->size();
      });
      FUZZ_CHECK(inside, "an entry outside the blocks read");
    }
  }
};

}  // namespace

Target& TheTarget() {
  static LayerTarget target;
  return target;
}

}  // namespace borealis::fuzz
