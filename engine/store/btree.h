// B+tree on slotted pages: unique byte-string keys in memcmp order, byte-string values.
//
// Readers and row changes descend with shared latches, child latched before the parent is let go,
// and latch only the leaf in the mode they need. A change that does not fit its leaf (or would
// leave it underfull) comes back as kRetry from the cursor and is repeated through Insert, Update
// or Delete of the tree, which take the tree latch and the exclusive latches of all pages that may
// change, top down and left to right, before the first edit. The root's page number never changes.
//
// An inner entry's key is the lowest key its child may hold; separators are cut to the shortest
// string that still separates. Leaves may be empty. A page split at its end moves only the new
// entry, so ascending inserts fill pages.
//
// INV-BTR-1  Accessors trust pages: everything read passed CheckPage.
// INV-BTR-2  Keys in a page ascend strictly; all keys of child i lie in [key i, key i+1); an inner
//            page's first key equals its entry's key in the parent; the leftmost key is empty.
// INV-BTR-3  Siblings of a level are linked in both directions; all leaves are at level 0.
// INV-BTR-4  Latch order (latch_order.h): tree latch; then pages by level from the root down; in a
//            level from left to right; bitmap pages last (at Commit). Who holds a leaf and wants
//            one to the left lets go first, or only tries.
// INV-BTR-5  A leaf with an unchanged LSN is unchanged, also across eviction: saved positions rely
//            on it. A page leaves a tree only with an edit (it is emptied).
//
// Within one Mtr: at most one structure change per tree, and no descent in a tree of which the Mtr
// holds page latches. Several trees in one Mtr are fine when all Mtrs take them in one order.
// On a reader instance only the const part works.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "engine/store/mtr.h"
#include "engine/store/page_format.h"
#include "engine/store/store.h"

namespace borealis::engine {

class BTree {
 public:
  BTree(Store* store, PageNo root) : store_(store), root_(root), latch_(store->TreeLatchOf(root)) {}

  // Makes an empty tree in `mtr`; returns its root. `index_id` is stamped on every page.
  static Result<PageNo> Create(Mtr* mtr, uint64_t index_id);
  // Frees up to about `max_pages` pages of the tree from its right end; true when only an empty
  // root leaf is left (that is truncation). Call in one Mtr after another. Nobody else may use the
  // tree. `visit`, if set, sees every entry removed (off-page values to free); leaves are read only
  // when it is set. After an error commit the Mtr if it has changes: what it did so far is whole.
  using EntryVisitor = std::function<Status(std::string_view key, std::string_view value)>;
  Result<bool> ClearStep(Mtr* mtr, int max_pages, const EntryVisitor& visit = nullptr);
  // Frees the root of a cleared tree. REQUIRES: ClearStep has returned true.
  Status DropRoot(Mtr* mtr);

  PageNo root() const { return root_; }
  Store* store() const { return store_; }

  // The value under `key`; kNotFound. Holds nothing afterwards.
  Status Get(std::string_view key, std::string* value) const;

  // One entry each, with whatever splits and merges it takes. REQUIRES: mtr->StartWriting() was
  // called; the Mtr holds no page of this tree; sizes within kKeySizeMax and kEntrySizeMax
  // (kInvalidArgument otherwise). When they fail nothing has changed. A `trx_id` above 0 raises the
  // leaf's highest transaction id along with the change.
  Status Insert(Mtr* mtr, std::string_view key, std::string_view value,
                uint64_t trx_id = 0);  // kAlreadyExists
  Status Update(Mtr* mtr, std::string_view key, std::string_view value,
                uint64_t trx_id = 0);                                  // kNotFound
  Status Delete(Mtr* mtr, std::string_view key, uint64_t trx_id = 0);  // kNotFound

  // --- CHECK TABLE, optimizer ---
  struct Shape {
    int height = 0;  // levels; 1 for a root that is a leaf
    uint64_t leaf_pages = 0;
    uint64_t inner_pages = 0;
    uint64_t entries = 0;     // in leaves
    uint64_t used_bytes = 0;  // in leaves
  };
  // Reads the whole tree and checks INV-BTR-2 and 3 and that its pages are allocated;
  // kCorruption names the first fault. Excludes structure changes meanwhile, on a reader instance
  // all log apply.
  Result<Shape> Verify() const;

  struct Estimate {
    int height = 0;
    uint64_t leaf_pages = 0;
    uint64_t inner_pages = 0;
    uint64_t entries = 0;
  };
  // From about `samples` dives spread over the tree; the number of leaves is exact up to two
  // levels.
  Result<Estimate> EstimateSize(int samples = 8) const;
  // The first key of a leaf that lies at about `fraction` (in [0, 1)) of the tree; the key is empty
  // when that leaf is.
  Result<std::string> KeyAt(double fraction) const;
  // Entries in [lower, upper), by a dive at both ends; exact when the ends lie within a few leaves.
  // An empty optional end is given as nullptr.
  Result<uint64_t> EstimateRange(const std::string_view* lower,
                                 const std::string_view* upper) const;

 private:
  friend class LeafCursor;
  friend class StructureChange;

  Store* const store_;
  const PageNo root_;
  TreeLatch* const latch_;
};

}  // namespace borealis::engine
