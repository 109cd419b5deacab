// Byte strings too long for a B+tree entry, in chains of pages of their own.
//
// A value is written from its end to its beginning, some pages per Mtr, so that every page written
// points at pages already there and the value exists only once its reference is stored. Each page
// names the next eight, which lets a reader fetch eight at a time.
//
//   OFFSET SIZE  DESCRIPTION of a long-value page
//   16     1     type: PageType::kLongValue
//   17     1     reserved, zero
//   18     2     bytes in this page
//   20     4     reserved, zero
//   24     64    page numbers of the next eight pages, kNoPage where there is none
//   88           bytes
//
// A crash between the Mtrs of a write leaks the pages written so far; a reference stored only in
// the last one never points at anything incomplete. The reference is 20 bytes: first page (u64),
// length in bytes (u64), CRC-32C of the value (u32).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "engine/store/mtr.h"

namespace borealis::engine {

inline constexpr size_t kLongValueReferenceSize = 20;

struct LongValueReference {
  PageNo first = kNoPage;
  uint64_t length = 0;
  uint32_t crc = 0;

  // Appends the 20 bytes.
  void AppendTo(std::string* to) const;
  // kCorruption unless `bytes` has the right size and makes sense.
  static Result<LongValueReference> Parse(std::string_view bytes);
};

// Stores `value`, in as many Mtrs of its own as needed. Call it while holding no latches.
// REQUIRES: !value.empty().
Result<LongValueReference> WriteLongValue(Store* store, std::string_view value);

// Appends bytes [offset, offset + length) of the value (clipped to its end) to `out`. The whole
// value is checked against its checksum; a part is not. Takes page latches one at a time in an Mtr
// of its own.
Status ReadLongValue(Store* store, const LongValueReference& reference, uint64_t offset,
                     uint64_t length, std::string* out);

// Frees up to `max_pages` (>= 1) pages of the value in `mtr`; true when that was all of it. Until
// then the reference stays good for further calls, also after a crash, but not for reading. The Mtr
// that gets `true` must also remove the reference.
Result<bool> FreeLongValueStep(Mtr* mtr, const LongValueReference& reference, int max_pages);

}  // namespace borealis::engine
