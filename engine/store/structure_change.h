// Changes of a tree that may touch more than one leaf: splits and merges.
//
// One object does one Insert, Update or Delete inside one Mtr. It works in two phases. Prepare
// takes the tree latch, descends with exclusive latches, keeps the pages that may change (and the
// siblings whose links may), allocates pages and readies bitmap pages: all that can fail. Then the
// change is applied, which cannot.
//
// A page is safe for an insert when the longest separator fits, for a delete when it stays filled
// enough without one entry; above a safe page nothing can change and latches are let go.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/store/btree.h"
#include "engine/store/node_edit.h"

namespace borealis::engine {

namespace node {
// A page that falls below this is merged with a sibling if the two leave some room together.
inline constexpr size_t kUnderfull = kCapacity / 3;
inline constexpr size_t kMergedMax = kCapacity - kCapacity / 8;
}  // namespace node

// Whether erasing `slot` must go through StructureChange: it makes the page underfull or empty.
bool EraseLeavesUnderfull(const Node& leaf, int slot);

class StructureChange {
 public:
  // `trx_id` above 0 raises the leaf's highest transaction id.
  StructureChange(const BTree* tree, Mtr* mtr, uint64_t trx_id)
      : tree_(tree), mtr_(mtr), trx_id_(trx_id) {}

  Status Insert(std::string_view key, std::string_view value);
  Status Update(std::string_view key, std::string_view value);
  Status Delete(std::string_view key);

 private:
  // A latched page of the path, with the neighbours that may change with it.
  struct Level {
    MtrPage* page = nullptr;
    MtrPage* left = nullptr;          // deletes: under the same parent
    MtrPage* right = nullptr;         // whose left link may change
    MtrPage* second_right = nullptr;  // deletes: right of `right`
    bool right_is_sibling = false;    // `right` is under the same parent
    int slot = 0;                     // inner pages: of the child on the path
  };

  void TakeTreeLatch();
  // Releases what was latched and not changed, after a failure or at the end.
  Status Undo(Status status);
  bool IsRoot(const MtrPage* page) const { return page->number() == tree_->root(); }
  Result<MtrPage*> FetchLevel(PageNo number, int level);
  Result<MtrPage*> FetchNeighbour(PageNo number);
  void ReleaseAbove(int level);

  Status DescendForInsert(std::string_view key);
  Status PrepareSplits();
  void InsertAt(int level, std::string_view key, std::string_view value);
  void GrowRoot();
  void Split(int level, int slot, std::string_view key, std::string_view value);

  Status DescendForDelete(std::string_view key);
  Status LatchForDelete(int level, PageNo number, const MtrPage* parent, int parent_slot);
  Status PrepareMerges();
  void MergeAt(int level);
  // Moves all of `from` to the end of `into`, its left neighbour, and frees it.
  void Merge(int level, MtrPage* into, MtrPage* from, MtrPage* after, int parent_slot);
  void CollapseRoot(MtrPage* child);

  const BTree* const tree_;
  Mtr* const mtr_;
  const uint64_t trx_id_;
  std::vector<Level> path_;      // by level, leaf first; empty Levels above a safe page
  std::vector<MtrPage*> spare_;  // allocated for splits
};

// The shortest string s with left < s <= right.
std::string_view ShortestSeparator(std::string_view left, std::string_view right);

// Shared by all descents: kCorruption unless the page is one of the tree's at that level.
Status CheckTreePage(const MtrPage& page, uint64_t index_id, int level);

}  // namespace borealis::engine
