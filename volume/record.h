// Log records: edits to one page, or a mark, with their place in the volume's one log.
//
//   OFFSET SIZE  DESCRIPTION
//   0      4     CRC-32C of the body [48, length) followed by the header [4, 48)
//   4      4     length of the whole record in bytes; the record covers LSNs [end - length, end)
//   8      8     end LSN, the record's name
//   16     8     volume epoch of the writer
//   24     8     PG back link: end LSN of the previous record of the same PG, 0 for the first
//   32     8     page number; all ones for a record without a page
//   40     4     protection group
//   44     1     kind (RecordKind)
//   45     1     flags: bit 0 = consistency point (last record of its mini-transaction)
//   46     2     reserved, zero
//   48     …     body: edits (edit.h) for kEdit, otherwise as the kind says
//
// INV-LOG-1  Over all PGs the records of one volume tile the LSN line except for annulled ranges.
// INV-LOG-2  Within a PG each record's back link is the end LSN of its predecessor there.
// The body's checksum is taken first so that it can be computed before the LSN is known.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/types.h"
#include "volume/page.h"

namespace borealis {

inline constexpr size_t kRecordHeaderSize = 48;
// Records larger than this are refused as corrupt: a page image with its edits fits well inside.
inline constexpr size_t kRecordSizeMax = 64 * 1024;

enum class RecordKind : uint8_t {
  kEdit = 1,  // edits to a page
  kClockMark =
      2,  // body: wall clock, microseconds since 1970 (u64); at least once a second of traffic
  kTrxBegin = 3,      // body: transaction id (u64), id below which none begins any more (u64)
  kTrxCommit = 4,     // body: transaction id (u64), commit number (u64)
  kTrxRollback = 5,   // body: transaction id (u64); all its changes are undone
  kSchemaChange = 6,  // body: the engine's; readers drop cached definitions
};

// A verified record inside somebody else's bytes.
struct RecordView {
  Lsn end;
  uint32_t length = 0;
  VolumeEpoch epoch;
  Lsn pg_back_link;
  PageNo page = kNoPage;
  PgId pg;
  RecordKind kind = RecordKind::kEdit;
  bool is_consistency_point = false;
  std::string_view body;
  std::string_view bytes;  // the whole record

  Lsn start() const { return end - length; }
};

// What the writer knows of a record before it has an LSN.
struct RecordDraft {
  RecordKind kind = RecordKind::kEdit;
  PageNo page = kNoPage;  // kNoPage unless kind is kEdit
  std::string_view body;  // must outlive the append
  Lsn end;                // out: set when the record is appended
};

struct RecordPlace {
  Lsn end;
  VolumeEpoch epoch;
  Lsn pg_back_link;
  PgId pg;
  bool is_consistency_point = false;
};

inline size_t RecordSize(size_t body_size) {
  return kRecordHeaderSize + body_size;
}

// Appends the encoded record to `to`. REQUIRES: RecordSize(body) <= kRecordSizeMax.
// `body_crc` is Crc32c(draft.body), computed outside any critical section.
void AppendRecord(std::string* to, const RecordDraft& draft, uint32_t body_crc,
                  const RecordPlace& place);

// Decodes and verifies the record at the front of `bytes`; kCorruption with the reason when it is
// torn, damaged or malformed. Views into `bytes`.
Result<RecordView> ParseRecord(std::string_view bytes);

// Decodes without verifying. REQUIRES: ParseRecord accepted these very bytes before, and they have
// been in trusted memory, or under a checksum verified since, ever after.
RecordView ViewVerifiedRecord(std::string_view bytes);

// Brings `page` from its LSN to record.end. A record at or below the page's LSN is skipped, so
// applying a run twice is harmless. kCorruption when the edits are malformed.
// REQUIRES: record.kind == kEdit.
Status ApplyRecord(const RecordView& record, Page* page);

// "lsn 1234 +96 epoch 2 pg 0 page 7 cpl: write 96+12".
std::string DescribeRecord(const RecordView& record);

}  // namespace borealis
