#include "engine/store/latch_order.h"

#if !defined(NDEBUG) || defined(BOREALIS_SANITIZED)

#include <algorithm>
#include <vector>

#include "base/invariant.h"
#include "engine/store/page_format.h"
#include "engine/store/space.h"

namespace borealis::engine::latch_order {

namespace {

// INV-BTR-4: its places, for pages.
enum class Place : uint8_t {
  kUnknown,  // created, freed: nobody else waits for it
  kLookedFrom,
  kUndo,
  kUndoDirectory,
  kTree,
  kLongValue,
  kHeader,
  kBitmap,
};

thread_local std::vector<const Frame*> latched;
thread_local const Frame* looked_from = nullptr;

Place PlaceOf(const Frame& frame) {
  if (&frame == looked_from) {
    return Place::kLookedFrom;
  }
  if (space::BitmapOf(frame.number) == frame.number) {
    return Place::kBitmap;
  }
  switch (TypeOf(*frame.page)) {
    case PageType::kVolumeHeader:
      return Place::kHeader;
    case PageType::kIndex:
      return Place::kTree;
    case PageType::kLongValue:
      return Place::kLongValue;
    case PageType::kUndo:
      return Place::kUndo;
    case PageType::kUndoDirectory:
      return Place::kUndoDirectory;
    default:
      return Place::kUnknown;
  }
}

[[noreturn]] void Disorder(const Frame& held, const Frame& wanted, const char* why) {
  const auto describe = [](const Frame& frame) {
    const Node node(*frame.page);
    return "page " + frame.number.ToString() + " (type " +
           std::to_string(static_cast<int>(TypeOf(*frame.page))) + ", index " +
           std::to_string(node.index_id()) + ", level " + std::to_string(node.level()) + ")";
  };
  InvariantFailed(
      __FILE__, __LINE__, "INV-BTR-4: latches are waited for in order",
      std::string(why) + ": holds " + describe(held) + ", waited for " + describe(wanted));
}

// Of two pages of one tree.
void CheckInTree(const Frame& held, const Frame& wanted) {
  const Node above(*held.page);
  const Node below(*wanted.page);
  if (below.level() > above.level()) {
    Disorder(held, wanted, "from a child to its parent");
  }
  if (below.level() == above.level() && below.count() > 0 && above.count() > 0 &&
      below.Key(0) < above.Key(0)) {
    Disorder(held, wanted, "from right to left");
  }
}

}  // namespace

void NoteLatched(const Frame& frame, How how) {
  const Place place = PlaceOf(frame);
  if (how == How::kWaited && place != Place::kUnknown) {
    for (const Frame* held : latched) {
      const Place at = PlaceOf(*held);
      if (held == &frame) {
        Disorder(*held, frame, "takes a page twice");
      }
      if (at > place) {
        Disorder(*held, frame, "places");
      }
      if (at == Place::kBitmap && held->number > frame.number) {
        Disorder(*held, frame, "bitmap pages by number");
      }
      if (at == Place::kTree && place == Place::kTree &&
          Node(*held->page).index_id() == Node(*frame.page).index_id()) {
        CheckInTree(*held, frame);
      }
    }
  }
  latched.push_back(&frame);
}

void NoteUnlatched(const Frame& frame) {
  const auto at = std::find(latched.rbegin(), latched.rend(), &frame);
  INVARIANT(at != latched.rend());
  latched.erase(std::next(at).base());
}

LookFromLeaf::LookFromLeaf() {
  INVARIANT(looked_from == nullptr);
  INVARIANT_EQ(latched.size(), size_t{1});
  looked_from = latched.front();
}

LookFromLeaf::~LookFromLeaf() {
  looked_from = nullptr;
}

void CheckTreeLatch(PageNo root) {
  for (const Frame* held : latched) {
    if (PlaceOf(*held) > Place::kTree) {
      Disorder(*held, *held, "waits for the latch of a tree");
    }
    if (held->number == root) {
      Disorder(*held, *held, "waits for the latch of a tree of which it holds the root");
    }
  }
}

}  // namespace borealis::engine::latch_order

#endif
