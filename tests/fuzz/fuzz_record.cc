// Log records and the edits in them: any bytes are applied or refused, never outside the page.
#include <memory>

#include "base/coding.h"
#include "base/crc32c.h"
#include "tests/fuzz/fuzz.h"
#include "volume/edit.h"
#include "volume/record.h"
#include "volume/tail.h"

namespace borealis::fuzz {

namespace {

std::string Record(RecordKind kind, std::string_view body) {
  RecordDraft draft;
  draft.kind = kind;
  draft.page = kind == RecordKind::kEdit ? PageNo(7) : kNoPage;
  draft.body = body;
  RecordPlace place;
  place.end = Lsn(100'000);
  place.epoch = VolumeEpoch(3);
  place.pg_back_link = Lsn(50'000);
  place.is_consistency_point = true;
  std::string bytes;
  AppendRecord(&bytes, draft, Crc32c(body), place);
  return bytes;
}

// A page that is not empty, and the bytes around it, which must stay as they are.
struct GuardedPage {
  char before[64];
  Page page;
  char after[64];
  GuardedPage() {
    std::memset(before, 0x5a, sizeof before);
    std::memset(after, 0x5a, sizeof after);
    for (size_t i = 0; i < kPageSize; ++i) {
      page.bytes[i] = static_cast<char>(i * 7);
    }
    page.set_lsn(Lsn(9));
  }
  bool guards_hold() const {
    return std::all_of(std::begin(before), std::end(before), [](char c) { return c == 0x5a; }) &&
           std::all_of(std::begin(after), std::end(after), [](char c) { return c == 0x5a; });
  }
};

void CheckEdits(std::string_view edits) {
  const auto first = std::make_unique<GuardedPage>();
  const auto second = std::make_unique<GuardedPage>();
  const std::string head(first->page.bytes, kPageHeaderSize);
  const Status status = ApplyEdits(edits, &first->page);
  FUZZ_CHECK(first->guards_hold(), "an edit left the page");
  FUZZ_CHECK(std::string_view(first->page.bytes, kPageHeaderSize) == head,
             "an edit touched the page's head");
  FUZZ_CHECK(status.ok() || status.Is(Code::kCorruption), "refused with another code");
  FUZZ_CHECK(ApplyEdits(edits, &second->page).ok() == status.ok(), "not repeatable");
  FUZZ_CHECK(!status.ok() || first->page.view() == second->page.view(), "not a pure function");
  (void)DescribeEdits(edits);
  (void)StartsWithImage(edits);
}

class RecordTarget final : public Target {
 public:
  std::vector<std::string> Seeds() override {
    std::string edits;
    AppendWriteEdit(&edits, 100, "some bytes");
    AppendMoveEdit(&edits, 300, 290, 50);
    AppendFillEdit(&edits, kPageSize - 10, 10, 0xee);
    std::string image;
    AppendImageEdit(&image, std::string(kPageSize - kPageHeaderSize, 'i'));
    AppendWriteEdit(&image, kPageHeaderSize, "x");
    std::string small_image;
    AppendImageEdit(&small_image, "short");
    std::string tail;
    for (uint64_t i = 1; i < 5; ++i) {
      AppendTailEntry(&tail, {Lsn(i * 100), 100, i == 4, VolumeEpoch(2), Lsn(i * 100 - 100)});
    }
    return {Record(RecordKind::kEdit, edits),
            Record(RecordKind::kEdit, image),
            Record(RecordKind::kEdit, small_image),
            Record(RecordKind::kTrxCommit, std::string(16, '\1')),
            Record(RecordKind::kClockMark, "12345678"),
            edits,
            small_image,
            tail};
  }

  void Repair(std::string* input) override {
    if (input->size() < kRecordHeaderSize) {
      return;
    }
    const std::string_view bytes(*input);
    const size_t length = LoadLittle<uint32_t>(input->data() + 4);
    if (length < kRecordHeaderSize || length > input->size()) {
      StoreLittle(input->data() + 4, static_cast<uint32_t>(input->size()));
    }
    const size_t size = LoadLittle<uint32_t>(input->data() + 4);
    const uint32_t body = Crc32c(bytes.substr(kRecordHeaderSize, size - kRecordHeaderSize));
    StoreLittle(input->data(), Crc32c(bytes.substr(4, kRecordHeaderSize - 4), body));
  }

  void Run(std::string_view input) override {
    CheckEdits(input);
    (void)ParseTail(input);
    const Result<RecordView> record = ParseRecord(input);
    if (!record.ok()) {
      return;
    }
    FUZZ_CHECK(record->length <= input.size() && record->bytes.size() == record->length, "length");
    FUZZ_CHECK(record->start() <= record->end, "start");
    (void)DescribeRecord(*record);
    const RecordView trusted = ViewVerifiedRecord(record->bytes);
    FUZZ_CHECK(trusted.end == record->end && trusted.body == record->body, "two views differ");
    if (record->kind == RecordKind::kEdit) {
      CheckEdits(record->body);
      const auto guarded = std::make_unique<GuardedPage>();
      if (ApplyRecord(*record, &guarded->page).ok()) {
        FUZZ_CHECK(guarded->page.lsn() >= Lsn(9), "the page went back");
        const std::string once(guarded->page.view());
        FUZZ_CHECK(ApplyRecord(*record, &guarded->page).ok() && guarded->page.view() == once,
                   "not idempotent");
      }
      FUZZ_CHECK(guarded->guards_hold(), "a record left the page");
    }
  }
};

}  // namespace

Target& TheTarget() {
  static RecordTarget target;
  return target;
}

}  // namespace borealis::fuzz
