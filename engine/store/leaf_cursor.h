// A position in a tree's leaf level, with its leaf latched inside an Mtr.
//
// The upper half works through cursors: find an entry, look at it in place, change it under the
// same latch, walk on, or save the position, let go, and come back. Within a leaf a step costs a
// slot lookup; between leaves the next one is latched before the last is let go (moving left lets
// go first and checks that nothing changed). Leaves that the Mtr has edited stay latched until its
// Commit, as every edited page.
//
// Views returned by key() and value() are valid until the cursor moves, edits or releases.
// A walk over many leaves reads ahead; SavedPosition carries that on over letting go.
//
// One thread; the Mtr must outlive the cursor. Destroying a cursor releases nothing of the Mtr.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "engine/store/btree.h"
#include "engine/store/mtr.h"
#include "engine/store/node_edit.h"

namespace borealis::engine {

enum class SeekMode : uint8_t {
  kAtLeast,  // first entry >= key
  kAfter,    // first entry > key
  kAtMost,   // last entry <= key
  kBefore,   // last entry < key
};

// How far a walk over leaves has read ahead. It begins once the walk has met a leaf that is not
// cached; the number of leaves in front of it doubles up to a bound, and is topped up when half of
// it is used. When all leaves are cached for a while it begins anew.
struct WalkAhead {
  int run = 0;    // leaves walked since the last descent, up to a few
  int size = 0;   // leaves to have in front
  int ahead = 0;  // leaves in front that were asked for or found cached
  int low = 0;    // more are asked for when `ahead` has come down to this
};

// Where a cursor was. Reuse the object: its key buffer keeps its memory.
struct SavedPosition {
  std::string key;
  PageNo page = kNoPage;
  Lsn lsn;
  int slot = 0;
  WalkAhead walk;
};

class LeafCursor {
 public:
  LeafCursor(const BTree* tree, Mtr* mtr) : tree_(tree), mtr_(mtr) {}
  LeafCursor(const LeafCursor&) = delete;
  LeafCursor& operator=(const LeafCursor&) = delete;

  // --- position; each releases the leaf held before, unless edited. REQUIRES: the Mtr holds no
  // other page of this tree. valid() is false when there is no such entry. ---
  Status Seek(std::string_view key, SeekMode mode, LatchMode latch);
  Status SeekFirst(LatchMode latch);
  Status SeekLast(LatchMode latch);
  // The leaf that covers `key`, at its first slot >= `key`; valid() is false when that is the end
  // of the leaf, though entries may follow in the next one. *exact: an equal key is there. This is
  // the position for InsertHere.
  Status SeekLeaf(std::string_view key, LatchMode latch, bool* exact);

  // The same, with the bound of the leaf: all keys below *fence that are not below `key` belong to
  // it; none when *fence is empty.
  Status SeekLeafAndFence(std::string_view key, LatchMode latch, bool* exact, std::string* fence);
  // To another key that belongs to this leaf. REQUIRES: positioned().
  void SeekWithinLeaf(std::string_view key, bool* exact) { slot_ = node().LowerBound(key, exact); }

  // On an entry.
  bool valid() const { return leaf_ != nullptr && slot_ < node().count(); }
  // Has a leaf latched.
  bool positioned() const { return leaf_ != nullptr; }
  std::string_view key() const { return node().Key(slot_); }
  std::string_view value() const { return node().Value(slot_); }
  MtrPage* leaf() const { return leaf_; }
  int slot() const { return slot_; }

  // One entry on; past the last (first) one valid() becomes false and the cursor stays there.
  // REQUIRES: valid(), or positioned() at the end of a leaf (SeekLeaf) for Next.
  Status Next();
  // REQUIRES: valid(); the leaf was not edited by this Mtr, or is the leftmost, or the step stays
  // in it: kRetry otherwise.
  Status Prev();
  // Copies the key of the entry that follows the end of this leaf, without moving; false when there
  // is none. For locking the gap before the next key.
  Result<bool> PeekNextLeaf(std::string* key);

  // --- changes under the leaf's exclusive latch ---
  // Each does its work in this leaf or changes nothing and returns kRetry: then Release() and use
  // the tree's Insert, Update or Delete in the same Mtr.
  // REQUIRES: SeekLeaf(key) left the cursor here and found no equal key. The cursor is then on it.
  Status InsertHere(std::string_view key, std::string_view value);
  // Several entries in ascending order, the first as for InsertHere, the others right after it: as
  // many as fit, which may be none. The cursor is then on the last.
  // REQUIRES: they all belong to this leaf, below the entry that the cursor is on.
  size_t InsertRunHere(std::span<const NodeEntry> entries);
  // REQUIRES: valid().
  Status ReplaceValue(std::string_view value);
  // Overwrites bytes of the value in place: always possible, shortest log.
  void PatchValue(size_t offset, std::string_view bytes);
  // The cursor is then on the entry that followed (maybe the end of the leaf).
  // kRetry when the leaf would become underfull by it.
  Status Erase();

  uint64_t max_trx_id() const { return node().max_trx_id(); }
  // Raises the leaf's transaction id; no edit when it is as high already.
  void RaiseMaxTrxId(uint64_t trx_id);

  // --- letting go and coming back ---
  // REQUIRES: valid().
  void Save(SavedPosition* position) const;
  // Back to the saved entry: *same is true when it is still there; otherwise the cursor is at the
  // first entry after it (valid() may be false). Without a descent when the leaf did not change.
  Status Restore(const SavedPosition& position, LatchMode latch, bool* same);
  // Lets the leaf go (an edited one stays latched until Commit) and forgets the position.
  void Release();

 private:
  Node node() const { return Node(leaf_->bytes()); }
  Status Descend(std::string_view key, LatchMode latch);
  // The first or last leaf.
  Status DescendEdge(bool last, LatchMode latch);
  // Before a step to the neighbour `next`: when the walk goes on and on and meets a leaf that is
  // not cached, has those that follow it read meanwhile.
  void AskAhead(PageNo next, bool forward);
  size_t FindLeavesAhead(std::string_view key, bool forward, int skip, std::span<PageNo> leaves);
  Status SkipRightToEntry();
  Status StepBefore(std::string_view bound);
  Status StepToLeftLeaf(bool* moved);

  const BTree* const tree_;
  Mtr* const mtr_;
  MtrPage* leaf_ = nullptr;
  int slot_ = 0;
  LatchMode latch_ = LatchMode::kShared;
  WalkAhead walk_;
};

}  // namespace borealis::engine
