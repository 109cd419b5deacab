#include "engine/store/space.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "base/invariant.h"
#include "engine/store/page_format.h"
#include "engine/store/store.h"

namespace borealis::engine {

namespace {

using namespace space;

constexpr PageNo kHeaderPage{0};

uint64_t IndexInGroup(PageNo page) {
  return page.value() % kGroupPages;
}

size_t ByteOf(PageNo page) {
  return kBits + IndexInGroup(page) / 8;
}
uint8_t MaskOf(PageNo page) {
  return static_cast<uint8_t>(1u << (IndexInGroup(page) % 8));
}

bool BitIsSet(const Page& bitmap, PageNo page) {
  return (static_cast<uint8_t>(bitmap.bytes[ByteOf(page)]) & MaskOf(page)) != 0;
}

// Pages of a group that are in use from the start: its bitmap, and page 0.
uint64_t FirstWord(uint64_t group) {
  return group == 0 ? 3 : 2;
}

Status CheckBitmap(PageNo number, const Page& page) {
  if (TypeOf(page) != PageType::kBitmap && TypeOf(page) != PageType::kNone) {
    return Status::Corruption(fmt::format("page {}: expected a bitmap, found type {}",
                                          number.value(), static_cast<int>(TypeOf(page))));
  }
  return Status::Ok();
}

}  // namespace

Status Space::Format(Mtr* mtr) {
  ASSIGN_OR_RETURN(MtrPage * page, mtr->Fetch(kHeaderPage, LatchMode::kExclusive));
  if (TypeOf(page->page()) != PageType::kNone) {
    return Status::AlreadyExists("the volume has a header");
  }
  mtr->WriteU8(page, kPageTypeOffset, static_cast<uint8_t>(PageType::kVolumeHeader));
  mtr->WriteU64(page, kHeaderMagic, kMagic);
  char version[4];
  StoreLittle(version, kFormatVersion);
  mtr->Write(page, kHeaderVersion, {version, sizeof version});
  return Status::Ok();
}

Status Space::CheckFormat(Mtr* mtr) {
  ASSIGN_OR_RETURN(MtrPage * page, mtr->Fetch(kHeaderPage, LatchMode::kShared));
  const PageType type = TypeOf(page->page());
  const auto magic = LoadLittle<uint64_t>(page->bytes() + kHeaderMagic);
  const auto version = LoadLittle<uint32_t>(page->bytes() + kHeaderVersion);
  mtr->Release(page);
  if (type == PageType::kNone) {
    return Status::NotFound("the volume was never formatted");
  }
  if (type != PageType::kVolumeHeader || magic != kMagic) {
    return Status::Corruption("page 0 is not a volume header");
  }
  if (version > kFormatVersion) {
    return Status::Unsupported(
        fmt::format("volume format {} is newer than this program's {}", version, kFormatVersion));
  }
  return Status::Ok();
}

Result<uint64_t> Space::GetSlot(Mtr* mtr, int slot) {
  INVARIANT(slot >= 0 && slot < kSlotCount);
  MtrPage* const held = mtr->Find(kHeaderPage);
  ASSIGN_OR_RETURN(MtrPage * page, mtr->Fetch(kHeaderPage, LatchMode::kShared));
  const auto value =
      LoadLittle<uint64_t>(page->bytes() + kHeaderSlots + 8 * static_cast<size_t>(slot));
  if (held == nullptr) {
    mtr->Release(page);
  }
  return value;
}

Status Space::SetSlot(Mtr* mtr, int slot, uint64_t value) {
  INVARIANT(slot >= 0 && slot < kSlotCount);
  ASSIGN_OR_RETURN(MtrPage * page, mtr->Fetch(kHeaderPage, LatchMode::kExclusive));
  mtr->WriteU64(page, kHeaderSlots + 8 * static_cast<size_t>(slot), value);
  return Status::Ok();
}

void Space::WriteBit(Mtr* mtr, MtrPage* bitmap, PageNo page, bool allocated) {
  if (TypeOf(bitmap->page()) == PageType::kNone) {
    mtr->WriteU8(bitmap, kPageTypeOffset, static_cast<uint8_t>(PageType::kBitmap));
    mtr->WriteU8(bitmap, kBits, static_cast<uint8_t>(FirstWord(GroupOf(page))));
  }
  INVARIANT_NE(BitIsSet(bitmap->page(), page), allocated);  // INV-SPC-2: no double free or use
  const auto byte = static_cast<uint8_t>(bitmap->bytes()[ByteOf(page)]);
  mtr->WriteU8(bitmap, ByteOf(page), static_cast<uint8_t>(byte ^ MaskOf(page)));
}

Status Space::LoadGroup(uint64_t group) {
  const PageNo number(group * kGroupPages + 1);
  // Installed under the page's latch: no Mtr changes the bits between the copy and the shadow.
  ASSIGN_OR_RETURN(PageGuard guard, pool_->Fetch(number, LatchMode::kShared));
  RETURN_IF_ERROR(CheckBitmap(number, guard.page()));
  MutexLock lock(mutex_);
  if (groups_.size() <= group) {
    groups_.resize(group + 1);
  }
  if (groups_[group] != nullptr) {
    return Status::Ok();
  }
  auto loaded = std::make_unique<Group>();
  loaded->used.resize(kGroupPages / 64);
  for (size_t i = 0; i < loaded->used.size(); ++i) {
    loaded->used[i] = LoadLittle<uint64_t>(guard.page().bytes + kBits + 8 * i);
  }
  loaded->used[0] |= FirstWord(group);
  for (const uint64_t word : loaded->used) {
    loaded->free += static_cast<uint64_t>(64 - std::popcount(word));
  }
  groups_[group] = std::move(loaded);
  return Status::Ok();
}

bool Space::ReserveIn(uint64_t group, uint64_t from, PageNo* page) {
  Group& g = *groups_[group];
  if (g.free == 0) {
    return false;
  }
  const auto take = [&](uint64_t word, uint64_t candidates) {
    const auto bit = static_cast<uint64_t>(std::countr_zero(candidates));
    g.used[word] |= uint64_t{1} << bit;
    --g.free;
    *page = PageNo(group * kGroupPages + word * 64 + bit);
    return true;
  };
  if (from > 0) {
    uint64_t mask = ~uint64_t{0} << (from % 64);
    for (uint64_t word = from / 64; word < g.used.size(); ++word) {
      if (const uint64_t candidates = ~g.used[word] & mask; candidates != 0) {
        return take(word, candidates);
      }
      mask = ~uint64_t{0};
    }
  }
  for (uint64_t word = g.first_free_word; word < g.used.size(); ++word) {
    if (const uint64_t candidates = ~g.used[word]; candidates != 0) {
      g.first_free_word = word;
      return take(word, candidates);
    }
  }
  INVARIANT(false && "free count of a bitmap group is wrong");
  return false;
}

Result<PageNo> Space::Reserve(PageNo near, PageGuard* bitmap) {
  PageNo page = kNoPage;
  const uint64_t near_group = near == kNoPage ? ~uint64_t{0} : GroupOf(near);
  while (page == kNoPage) {
    uint64_t to_load = 0;
    {
      MutexLock lock(mutex_);
      if (near_group < groups_.size() && groups_[near_group] != nullptr &&
          ReserveIn(near_group, (IndexInGroup(near) + 1) % kGroupPages, &page)) {
        break;
      }
      // The lowest group with room; the first one never loaded, if all before it are full.
      for (to_load = current_group_; to_load < groups_.size(); ++to_load) {
        if (groups_[to_load] == nullptr || ReserveIn(to_load, 0, &page)) {
          break;
        }
        current_group_ = to_load + 1;
      }
      if (page != kNoPage) {
        break;
      }
    }
    RETURN_IF_ERROR(LoadGroup(to_load));
  }
  Result<PageGuard> fixed = FixBitmap(page);
  if (!fixed.ok()) {
    MakeAvailable(page);
    return std::move(fixed).status();
  }
  *bitmap = std::move(fixed).value();
  return page;
}

Result<PageGuard> Space::FixBitmap(PageNo page) {
  const uint64_t group = GroupOf(page);
  bool loaded;
  {
    MutexLock lock(mutex_);
    loaded = group < groups_.size() && groups_[group] != nullptr;
  }
  if (!loaded) {
    RETURN_IF_ERROR(LoadGroup(group));
  }
  ASSIGN_OR_RETURN(PageGuard guard, pool_->Fetch(BitmapOf(page), LatchMode::kShared));
  RETURN_IF_ERROR(CheckBitmap(guard.number(), guard.page()));
  guard.UnlockOnly();
  return guard;
}

void Space::MakeAvailable(PageNo page) {
  MutexLock lock(mutex_);
  const uint64_t group = GroupOf(page);
  INVARIANT(group < groups_.size() && groups_[group] != nullptr);
  Group& g = *groups_[group];
  const uint64_t word = IndexInGroup(page) / 64;
  const uint64_t bit = uint64_t{1} << (IndexInGroup(page) % 64);
  INVARIANT_NE(g.used[word] & bit, uint64_t{0});
  g.used[word] &= ~bit;
  ++g.free;
  g.first_free_word = std::min(g.first_free_word, word);
  current_group_ = std::min(current_group_, group);
}

Result<bool> Space::IsAllocated(PageNo page) {
  pool_->EnterTraversal();
  Result<PageGuard> guard = pool_->Fetch(BitmapOf(page), LatchMode::kShared);
  bool allocated = false;
  if (guard.ok()) {
    allocated = BitIsSet(guard->page(), page);
    guard->Release();
  }
  pool_->LeaveTraversal();
  if (!guard.ok()) {
    return std::move(guard).status();
  }
  return allocated;
}

Result<Space::Usage> Space::MeasureUsage() {
  Usage usage;
  for (uint64_t group = 0;; ++group) {
    const PageNo number(group * kGroupPages + 1);
    pool_->EnterTraversal();
    Result<PageGuard> guard = pool_->Fetch(number, LatchMode::kShared);
    bool last = true;
    if (guard.ok() && TypeOf(guard->page()) == PageType::kBitmap) {
      last = false;
      for (uint64_t word = 0; word < kGroupPages / 64; ++word) {
        const auto bits = LoadLittle<uint64_t>(guard->page().bytes + kBits + 8 * word);
        usage.allocated_pages += static_cast<uint64_t>(std::popcount(bits));
        if (bits != 0) {
          usage.highest = PageNo(group * kGroupPages + word * 64 +
                                 static_cast<uint64_t>(63 - std::countl_zero(bits)));
        }
      }
    }
    if (guard.ok()) {
      guard->Release();
    }
    pool_->LeaveTraversal();
    if (!guard.ok()) {
      return std::move(guard).status();
    }
    if (last) {
      return usage;
    }
  }
}

}  // namespace borealis::engine
