// Fills an empty tree with entries that come in ascending order.
//
// Leaves are made in memory, filled up to fifteen sixteenths as InnoDB's (room for later changes),
// and hung onto the right edge of the tree, each in one Mtr with whatever inner pages it takes. So
// an entry costs no descent and no log record of its own.
//
// INV-BLK-1  After every Mtr the tree is a well-formed tree of the entries of the leaves written:
//            whoever has to free it (after a crash, too) finds all of its pages from its root.
//
// One thread. Nobody else may use the tree until Finish has returned.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "engine/store/btree.h"
#include "engine/store/node_edit.h"

namespace borealis::engine {

class BulkLoad {
 public:
  // REQUIRES: `tree` is empty, and outlives this.
  BulkLoad(const BTree* tree, uint64_t index_id);

  // REQUIRES: `key` is above last_key() unless it is the first. kInvalidArgument for an entry that
  // is too long.
  Status Append(std::string_view key, std::string_view value);
  // Writes what is left. Afterwards the tree may be used, and nothing be appended.
  Status Finish();

  // The values appended since the last leaf was written.
  void VisitUnwritten(const std::function<void(std::string_view value)>& visit) const;

  bool empty() const { return entries_ == 0; }
  const std::string& last_key() const { return last_key_; }

 private:
  Status WriteLeaf();
  // In the Mtr of the new leaf, all pages latched: hangs `child` into the levels above.
  void Hang(Mtr* mtr, std::vector<MtrPage*>* edge, const std::vector<MtrPage*>& fresh,
            MtrPage* leaf, bool grow);
  MtrPage* GrowRoot(Mtr* mtr, MtrPage* root, MtrPage* moved);

  const BTree* const tree_;
  const uint64_t index_id_;
  NodeBuilder leaf_;
  std::string separator_;  // of the leaf under way: the least key it may hold
  std::string last_key_;
  uint64_t entries_ = 0;
  // The last page of each level, leaf first, root last; empty until the first leaf is written.
  std::vector<PageNo> edge_;
};

}  // namespace borealis::engine
