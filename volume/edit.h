// The byte language in which log records change pages: all that storage understands of them.
//
//   OP    OPERANDS                                   EFFECT
//   0x01  offset u16, length u16, bytes              bytes[offset, offset+length) = bytes
//   0x02  to u16, from u16, length u16               memmove inside the page
//   0x03  offset u16, length u16, byte u8            fill
//   0x04  length u16, bytes                          image: [16, 16+length) = bytes, the rest zero
//
// Offsets count from the start of the page; no edit may touch the page header [0, 16). Integers are
// little-endian. Edits apply in order. ApplyEdits is a pure function; it runs in storage nodes, in
// readers' buffer pools and in tests, and gives the same bytes everywhere.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/status.h"
#include "volume/page.h"

namespace borealis {

enum class EditOp : uint8_t { kWrite = 1, kMove = 2, kFill = 3, kImage = 4 };

// Appends edits to a byte string. REQUIRES (of all): ranges lie in [kPageHeaderSize, kPageSize).
void AppendWriteEdit(std::string* edits, size_t offset, std::string_view bytes);
void AppendMoveEdit(std::string* edits, size_t to, size_t from, size_t length);
void AppendFillEdit(std::string* edits, size_t offset, size_t length, uint8_t byte);
// `body` is the page from kPageHeaderSize on; trailing zeroes may be left out.
void AppendImageEdit(std::string* edits, std::string_view body);

// Applies all edits to the page's body; the LSN is left alone. kCorruption when they do not parse
// or leave the page: then the page's content is undefined and must be dropped.
Status ApplyEdits(std::string_view edits, Page* page);

// One line a person can read: "write 96+12, move 200<-188+40".
std::string DescribeEdits(std::string_view edits);

// What a page that is freed gets for its only record: an image of nothing. From it on the page
// reads as one that was never written, and storage keeps nothing else of it (INV-SPC-3, INV-LAY-2).
inline constexpr std::string_view kEmptyingEdits{"\x04\0\0", 3};

// Whether the first edit is an image, so that older versions of the page do not matter.
bool StartsWithImage(std::string_view edits);

}  // namespace borealis
