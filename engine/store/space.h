// Allocation of the volume's pages.
//
// The volume is divided into groups of kGroupPages pages; page 1 of each group is its bitmap, one
// bit per page, set when allocated. A bitmap page never written is a group never used: the volume
// grows by allocating from it. Pages are given out lowest first near a hint.
//
//   page 0              volume header: magic, format version, 64 slots of u64 (roots, counters)
//   page g*K + 1        bitmap of group g, K = kGroupPages; bytes [64, 64 + K/8)
//
// An Mtr that allocates only reserves in memory (a short mutex over a shadow of the bitmaps) and
// fixes the bitmap page; the bit is written at the Mtr's Commit, when bitmap pages are latched last
// of all and only for the append. So allocation never waits for another Mtr and takes part in no
// latch cycle. A page freed can be allocated again once the freeing Mtr has committed.
//
// INV-SPC-1  Shadow bit clear => page bit clear and no open Mtr has reserved or freed the page.
// INV-SPC-2  Bits change only in the Mtr that makes the page reachable or unreachable.
// INV-SPC-3  The Mtr that clears a page's bit also empties the page: its record is kEmptyingEdits,
//            so that what the page held can go from storage when nobody reads the past any more.
// Thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/mutex.h"
#include "base/result.h"
#include "base/types.h"
#include "engine/store/buffer_pool.h"
#include "engine/store/mtr.h"

namespace borealis::engine {

namespace space {
inline constexpr size_t kBits = 64;              // offset of the bits in a bitmap page
inline constexpr uint64_t kGroupPages = 130048;  // a multiple of 64; 16256 bytes of bits
inline constexpr size_t kHeaderMagic = 64;       // offsets in the header page
inline constexpr size_t kHeaderVersion = 72;
inline constexpr size_t kHeaderSlots = 128;
inline constexpr int kSlotCount = 64;
inline constexpr uint64_t kMagic = 0x5349'4C41'4552'4F42;  // "BOREALIS"
inline constexpr uint32_t kFormatVersion = 1;

inline constexpr uint64_t GroupOf(PageNo page) {
  return page.value() / kGroupPages;
}
inline constexpr PageNo BitmapOf(PageNo page) {
  return PageNo(GroupOf(page) * kGroupPages + 1);
}
}  // namespace space

class Space {
 public:
  explicit Space(BufferPool* pool) : pool_(pool) {}

  // Makes page 0 and the first bitmap. REQUIRES: an empty volume; commits nothing itself.
  static Status Format(Mtr* mtr);
  // Checks page 0; kUnsupported for a newer format, kNotFound for a volume never formatted.
  static Status CheckFormat(Mtr* mtr);

  // The header's slots: 64 numbers for the upper half (root of the dictionary, next ids, …).
  static Result<uint64_t> GetSlot(Mtr* mtr, int slot);
  static Status SetSlot(Mtr* mtr, int slot, uint64_t value);

  // Whether the bit of `page` is set, as the committed bitmap has it.
  Result<bool> IsAllocated(PageNo page);
  // Pages allocated according to the bitmaps, and the highest of them.
  struct Usage {
    uint64_t allocated_pages = 0;
    PageNo highest{0};
  };
  Result<Usage> MeasureUsage();

 private:
  friend class Mtr;
  struct Group {
    std::vector<uint64_t> used;  // shadow; empty until loaded
    uint64_t free = 0;
    uint64_t first_free_word = 0;  // no free bit in the words below
  };

  // Sets or clears the bit of `page` in its bitmap page, which is formatted by its first bit.
  static void WriteBit(Mtr* mtr, MtrPage* bitmap, PageNo page, bool allocated);
  // Reserves a page; its bitmap page is returned fixed, unlatched, in *bitmap.
  Result<PageNo> Reserve(PageNo near, PageGuard* bitmap);
  // Fixes the bitmap page of a page to be freed.
  Result<PageGuard> FixBitmap(PageNo page);
  // Gives a reservation back, or makes a freed page available.
  void MakeAvailable(PageNo page);
  Status LoadGroup(uint64_t group);
  bool ReserveIn(uint64_t group, uint64_t from, PageNo* page) REQUIRES(mutex_);

  BufferPool* const pool_;
  Mutex mutex_{LockRank::kSpace};
  std::vector<std::unique_ptr<Group>> groups_ GUARDED_BY(mutex_);
  uint64_t current_group_ GUARDED_BY(mutex_) = 0;
};

}  // namespace borealis::engine
