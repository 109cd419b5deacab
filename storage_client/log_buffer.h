// The log buffer: gives mini-transactions their LSNs and builds their records, once, in the form in
// which they travel to six nodes.
//
// Records are gathered per protection group, because a node wants a group's records together; a
// record's place in the volume's LSN order is kept beside them. The transport thread takes what has
// gathered as one immutable chunk, of which every message then holds slices.
//
// Not thread-safe: the shell calls it under the log mutex.
// INV-VOL-4  The LSN ranges of mini-transactions are contiguous and never overlap.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/shared_bytes.h"
#include "base/types.h"
#include "volume/record.h"

namespace borealis::storage_client {

// One record of a chunk, in LSN order.
struct RecordSpan {
  Lsn end;
  uint32_t length = 0;
  PgId pg;
  bool is_consistency_point = false;
};

struct PgBytes {
  PgId pg;
  Lsn last_end;  // of its last record in the chunk
  SharedBytes bytes;
};

// Whole mini-transactions, covering LSNs [start, end).
struct LogChunk {
  Lsn start;
  Lsn end;
  size_t size_bytes = 0;
  std::vector<PgBytes> parts;
  std::vector<RecordSpan> records;

  // The same records in LSN order; a copy only when several groups took part.
  SharedBytes InLsnOrder() const;
};
using LogChunkPtr = std::shared_ptr<const LogChunk>;

class LogBuffer {
 public:
  // LSNs begin at `start`; `tails` are the ends of each group's last record before it.
  LogBuffer(uint64_t pages_per_pg, VolumeEpoch epoch, Lsn start, std::map<PgId, Lsn> tails);

  // Appends one mini-transaction; `body_crcs[i]` is Crc32c(drafts[i].body). Puts a wall-clock mark
  // before it when the last one is a second old. Sets each draft's end and returns the last.
  Lsn Append(std::span<RecordDraft> drafts, std::span<const uint32_t> body_crcs, int64_t now_us,
             int64_t wall_us);
  // What was appended since the last call; null when nothing was.
  LogChunkPtr Take();

  Lsn end() const { return end_; }
  // INV-VOL-3: appending beyond this LSN is a broken promise to every later opener, and aborts.
  void SetHardLimit(Lsn limit) { hard_limit_ = limit; }

 private:
  struct Gathering {
    Lsn last_end;
    std::string bytes;
  };
  void AppendOne(const RecordDraft& draft, uint32_t body_crc, bool is_consistency_point);

  const uint64_t pages_per_pg_;
  const VolumeEpoch epoch_;
  Lsn end_;
  Lsn taken_;
  Lsn hard_limit_ = Lsn::Max();
  int64_t next_clock_mark_us_ = INT64_MIN;
  std::map<PgId, Lsn> tails_;
  std::map<PgId, Gathering> gathering_;
  std::vector<RecordSpan> records_;
};

}  // namespace borealis::storage_client
