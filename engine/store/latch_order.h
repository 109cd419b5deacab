// The order in which a thread may wait for latches, and its check at run time.
//
// INV-BTR-4  Who holds a latch waits only for latches further down this list; against the order one
//            lets go first, or only tries. Outermost first:
//              1  apply latch (reader instances): Mtr takes it before its first page
//              2  a secondary tree's leaf from under which purge looks at the row (LookFromLeaf);
//                 who has undo or clustered pages never waits for a secondary tree
//              3  undo pages, then the undo directory
//              4  trees, one after the other; within a tree
//                   its tree latch (structure changes only), before any page of the tree
//                   pages by level from the root down; on a level from left to right
//              5  pages of long values, head first
//              6  the volume header
//              7  bitmap pages by number, at Commit
//            Mutexes of rank kSpace and above are never held while a latch is waited for; those of
//            lower rank are taken before (LockRank) or, where the engine only looks (row locks),
//            under latches without waiting.
//
// A page that an Mtr has just created is exempt: nobody else can reach it. Two undo pages, or
// two of a long value, of one thread are of one chain, whose owner alone takes more than one of
// them.
//
// Debug and sanitizer builds keep the latched pages of each thread and look at every latch that was
// waited for: which tree, level and keys a page has is only known once it is latched, so a disorder
// that has not yet met its counterpart is caught the first time the path is walked. Release builds
// compile the calls away.
#pragma once

#include "base/types.h"
#include "engine/store/frame.h"

namespace borealis::engine::latch_order {

enum class How : uint8_t { kWaited, kTried };

#if !defined(NDEBUG) || defined(BOREALIS_SANITIZED)
inline constexpr bool kChecked = true;
// The calling thread has latched the page; aborts on disorder.
void NoteLatched(const Frame& frame, How how);
void NoteUnlatched(const Frame& frame);
// It is about to wait for the latch of a tree.
void CheckTreeLatch(PageNo root);
// While it lives, the one page that the thread has latched is in the second place.
class LookFromLeaf {
 public:
  LookFromLeaf();
  ~LookFromLeaf();
};
#else
inline constexpr bool kChecked = false;
inline void NoteLatched(const Frame&, How) {}
inline void NoteUnlatched(const Frame&) {}
inline void CheckTreeLatch(PageNo) {}
struct LookFromLeaf {
  LookFromLeaf() {}  // not trivial: a scope that is never used otherwise
};
#endif

}  // namespace borealis::engine::latch_order
