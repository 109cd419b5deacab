// Layout of the engine's pages: the common header, and the slotted page of the B+tree.
//
//   OFFSET SIZE  DESCRIPTION (after the volume's header [0, 16), little-endian)
//   16     1     type (PageType)
//   17     1     level: 0 for leaves
//   18     2     n, number of entries
//   20     2     heap top: end of the used part of the heap
//   22     2     garbage: bytes of the heap in [64, heap top) that belong to no entry
//   24     8     left sibling, kNoPage for none
//   32     8     right sibling, kNoPage for none
//   40     8     index id
//   48     8     highest id of a transaction that changed the page (for secondary indexes)
//   56     8     reserved, zero
//   64           heap of entries, in no order, growing up
//   16384-2n     directory: slot i is the u16 at 16384 - 2(i+1), the offset of entry i by key
//
// Entry: key length varint, value length varint, key, value. Keys are unique in a page and compare
// with memcmp. In an inner page the value is a child's page number (u64); the entry's key is the
// lowest key its subtree may hold. The leftmost entry of a level has the empty key.
//
// Everything read from the volume passes CheckPage before it is used; the accessors of Node trust
// their page (INV-BTR-1).
#pragma once

#include <cstdint>
#include <string_view>

#include "base/coding.h"
#include "base/status.h"
#include "base/types.h"
#include "volume/page.h"

namespace borealis::engine {

enum class PageType : uint8_t {
  kNone = 0,  // never written
  kVolumeHeader = 1,
  kBitmap = 2,
  kIndex = 3,
  kLongValue = 4,
  kUndo = 16,  // 16 and above belong to the upper half of the engine
  kUndoDirectory = 17,
  kFree = 255,
};

inline constexpr size_t kPageTypeOffset = 16;
inline PageType TypeOf(const Page& page) {
  return static_cast<PageType>(static_cast<uint8_t>(page.bytes[kPageTypeOffset]));
}

namespace node {
inline constexpr size_t kLevel = 17;
inline constexpr size_t kCount = 18;
inline constexpr size_t kHeapTop = 20;
inline constexpr size_t kGarbage = 22;
inline constexpr size_t kLeft = 24;
inline constexpr size_t kRight = 32;
inline constexpr size_t kIndexId = 40;
inline constexpr size_t kMaxTrxId = 48;
inline constexpr size_t kHeap = 64;
inline constexpr size_t kSlotSize = 2;
// What entries and slots share.
inline constexpr size_t kCapacity = kPageSize - kHeap;
}  // namespace node

inline constexpr size_t kKeySizeMax = 3072;
// Entry with its slot: four fit on a page. Longer values go off-page (engine/store/long_value.h).
inline constexpr size_t kEntrySizeMax = node::kCapacity / 4 - node::kSlotSize;
inline constexpr int kLevelMax = 32;

inline size_t VarintSize(size_t value) {
  return value < 128 ? 1 : value < 16384 ? 2 : 3;
}
inline size_t EntrySize(size_t key_size, size_t value_size) {
  return VarintSize(key_size) + VarintSize(value_size) + key_size + value_size;
}
// Longest value that may stand beside a key of this size.
size_t MaxValueSize(size_t key_size);

struct EntryView {
  std::string_view key;
  std::string_view value;
  size_t offset = 0;  // of the entry in the page
  size_t size = 0;
};

// Reading access to a checked index page. A view; cheap to copy.
class Node {
 public:
  explicit Node(const Page& page) : bytes_(page.bytes) {}
  explicit Node(const char* bytes) : bytes_(bytes) {}

  int level() const { return static_cast<uint8_t>(bytes_[node::kLevel]); }
  bool is_leaf() const { return level() == 0; }
  int count() const { return LoadLittle<uint16_t>(bytes_ + node::kCount); }
  size_t heap_top() const { return LoadLittle<uint16_t>(bytes_ + node::kHeapTop); }
  size_t garbage() const { return LoadLittle<uint16_t>(bytes_ + node::kGarbage); }
  PageNo left() const { return PageNo(LoadLittle<uint64_t>(bytes_ + node::kLeft)); }
  PageNo right() const { return PageNo(LoadLittle<uint64_t>(bytes_ + node::kRight)); }
  uint64_t index_id() const { return LoadLittle<uint64_t>(bytes_ + node::kIndexId); }
  uint64_t max_trx_id() const { return LoadLittle<uint64_t>(bytes_ + node::kMaxTrxId); }

  size_t SlotOffset(int slot) const {
    return kPageSize - node::kSlotSize * (static_cast<size_t>(slot) + 1);
  }
  size_t EntryOffset(int slot) const { return LoadLittle<uint16_t>(bytes_ + SlotOffset(slot)); }
  EntryView Entry(int slot) const { return EntryAt(EntryOffset(slot)); }
  EntryView EntryAt(size_t offset) const;
  std::string_view Key(int slot) const;
  std::string_view Value(int slot) const { return Entry(slot).value; }
  PageNo Child(int slot) const { return PageNo(LoadLittle<uint64_t>(Value(slot).data())); }

  // First slot whose key is >= `key` (count() when none); *exact tells whether it is equal.
  int LowerBound(std::string_view key, bool* exact) const;
  // Inner pages: the slot of the child that covers `key`.
  int ChildSlot(std::string_view key) const;

  // Bytes of heap and directory in use by entries.
  size_t used() const { return heap_top() - node::kHeap - garbage() + DirectorySize(); }
  size_t free_total() const { return node::kCapacity - used(); }
  size_t free_contiguous() const { return kPageSize - DirectorySize() - heap_top(); }
  size_t DirectorySize() const { return node::kSlotSize * static_cast<size_t>(count()); }

 private:
  const char* bytes_;
};

// Whether the page is well-formed as its type says: afterwards every accessor stays inside it and
// keys ascend. kCorruption names the page and the fault. A page never written and page types of the
// upper half pass.
Status CheckPage(PageNo number, const Page& page);

}  // namespace borealis::engine
