#include "volume/record.h"

#include <fmt/format.h>

#include "base/coding.h"
#include "base/crc32c.h"
#include "base/invariant.h"
#include "volume/edit.h"

namespace borealis {

namespace {
constexpr uint8_t kFlagConsistencyPoint = 1;
}  // namespace

void AppendRecord(std::string* to, const RecordDraft& draft, uint32_t body_crc,
                  const RecordPlace& place) {
  const size_t length = RecordSize(draft.body.size());
  INVARIANT_LE(length, kRecordSizeMax);
  INVARIANT_LT(place.pg_back_link, place.end);
  char header[kRecordHeaderSize] = {};
  StoreLittle(header + 4, static_cast<uint32_t>(length));
  StoreLittle(header + 8, place.end.value());
  StoreLittle(header + 16, place.epoch.value());
  StoreLittle(header + 24, place.pg_back_link.value());
  StoreLittle(header + 32, draft.page.value());
  StoreLittle(header + 40, place.pg.value());
  header[44] = static_cast<char>(draft.kind);
  header[45] = static_cast<char>(place.is_consistency_point ? kFlagConsistencyPoint : 0);
  StoreLittle(header, Crc32c({header + 4, kRecordHeaderSize - 4}, body_crc));
  to->append(header, kRecordHeaderSize);
  to->append(draft.body);
}

RecordView ViewVerifiedRecord(std::string_view bytes) {
  const char* at = bytes.data();
  RecordView record;
  record.length = LoadLittle<uint32_t>(at + 4);
  record.bytes = bytes.substr(0, record.length);
  record.body = record.bytes.substr(kRecordHeaderSize);
  record.end = Lsn(LoadLittle<uint64_t>(at + 8));
  record.epoch = VolumeEpoch(LoadLittle<uint64_t>(at + 16));
  record.pg_back_link = Lsn(LoadLittle<uint64_t>(at + 24));
  record.page = PageNo(LoadLittle<uint64_t>(at + 32));
  record.pg = PgId(LoadLittle<uint32_t>(at + 40));
  record.kind = static_cast<RecordKind>(at[44]);
  record.is_consistency_point = (static_cast<uint8_t>(at[45]) & kFlagConsistencyPoint) != 0;
  return record;
}

Result<RecordView> ParseRecord(std::string_view bytes) {
  if (bytes.size() < kRecordHeaderSize) {
    return Status::Corruption(fmt::format("record header cut at {} bytes", bytes.size()));
  }
  const auto length = LoadLittle<uint32_t>(bytes.data() + 4);
  if (length < kRecordHeaderSize || length > kRecordSizeMax) {
    return Status::Corruption(fmt::format("record length {} is out of range", length));
  }
  if (bytes.size() < length) {
    return Status::Corruption(fmt::format("record of {} bytes cut at {}", length, bytes.size()));
  }
  const RecordView record = ViewVerifiedRecord(bytes);
  const uint32_t crc = Crc32c({bytes.data() + 4, kRecordHeaderSize - 4}, Crc32c(record.body));
  if (crc != LoadLittle<uint32_t>(bytes.data())) {
    return Status::Corruption("record checksum does not match");
  }
  const auto flags = static_cast<uint8_t>(bytes[45]);
  const bool kind_known =
      record.kind >= RecordKind::kEdit && record.kind <= RecordKind::kSchemaChange;
  if (!kind_known || (flags & ~kFlagConsistencyPoint) != 0 || record.end.value() < length ||
      record.pg_back_link > record.start() ||
      (record.kind == RecordKind::kEdit) != (record.page != kNoPage)) {
    return Status::Corruption("record header is inconsistent");
  }
  return record;
}

Status ApplyRecord(const RecordView& record, Page* page) {
  INVARIANT(record.kind == RecordKind::kEdit);
  if (record.end <= page->lsn()) {
    return Status::Ok();
  }
  RETURN_IF_ERROR(ApplyEdits(record.body, page));
  page->set_lsn(record.end);
  return Status::Ok();
}

std::string DescribeRecord(const RecordView& record) {
  std::string what;
  switch (record.kind) {
    case RecordKind::kEdit:
      what = DescribeEdits(record.body);
      break;
    case RecordKind::kClockMark:
      what = "clock mark";
      break;
    case RecordKind::kTrxBegin:
      what = "transaction begins";
      break;
    case RecordKind::kTrxCommit:
      what = "transaction commits";
      break;
    case RecordKind::kTrxRollback:
      what = "transaction rolled back";
      break;
    case RecordKind::kSchemaChange:
      what = "schema change";
      break;
  }
  const std::string page =
      record.page == kNoPage ? "no page" : fmt::format("page {}", record.page.value());
  return fmt::format("lsn {} +{} epoch {} pg {} {}{}: {}", record.end.value(), record.length,
                     record.epoch.value(), record.pg.value(), page,
                     record.is_consistency_point ? " cpl" : "", what);
}

}  // namespace borealis
