#include "engine/store/leaf_cursor.h"

#include <algorithm>
#include <array>

#include "base/fault.h"
#include "base/invariant.h"
#include "engine/store/node_edit.h"
#include "engine/store/structure_change.h"

namespace borealis::engine {

namespace {

// Descends from the root by what `choose` says of each inner page; the leaf comes latched in
// `latch`, everything above shared and let go one level later. The leaf's mode is known from its
// parent's level; a root that is a leaf is latched again in the mode wanted.
template <class Choose>
Result<MtrPage*> DescendBy(Mtr* mtr, PageNo root, LatchMode latch, Choose choose) {
  LatchMode root_mode = LatchMode::kShared;
  while (true) {
    ASSIGN_OR_RETURN(MtrPage * page, mtr->Fetch(root, root_mode));
    int level = Node(page->bytes()).level();
    const uint64_t index_id = Node(page->bytes()).index_id();
    if (Status status = CheckTreePage(*page, index_id, level); !status.ok()) {
      mtr->Release(page);
      return status;
    }
    if (level == 0 && root_mode != latch) {
      mtr->Release(page);
      root_mode = latch;
      continue;
    }
    while (level > 0) {
      const Node node(page->bytes());
      --level;
      const LatchMode mode = level == 0 ? latch : LatchMode::kShared;
      Result<MtrPage*> child = mtr->Fetch(node.Child(choose(node)), mode);
      mtr->Release(page);
      if (!child.ok()) {
        return child;
      }
      page = *child;
      if (Status status = CheckTreePage(*page, index_id, level); !status.ok()) {
        mtr->Release(page);
        return status;
      }
    }
    return page;
  }
}

}  // namespace

void LeafCursor::Release() {
  if (leaf_ != nullptr && !leaf_->modified()) {
    mtr_->Release(leaf_);
  }
  leaf_ = nullptr;
  slot_ = 0;
}

Status LeafCursor::Descend(std::string_view key, LatchMode latch) {
  Release();
  latch_ = latch;
  ASSIGN_OR_RETURN(leaf_, DescendBy(mtr_, tree_->root(), latch,
                                    [key](const Node& node) { return node.ChildSlot(key); }));
  return Status::Ok();
}

Status LeafCursor::DescendEdge(bool last, LatchMode latch) {
  Release();
  latch_ = latch;
  ASSIGN_OR_RETURN(leaf_, DescendBy(mtr_, tree_->root(), latch, [last](const Node& node) {
                     return last ? node.count() - 1 : 0;
                   }));
  return Status::Ok();
}

Status LeafCursor::SeekLeaf(std::string_view key, LatchMode latch, bool* exact) {
  *exact = false;
  walk_ = {};
  RETURN_IF_ERROR(Descend(key, latch));
  slot_ = node().LowerBound(key, exact);
  return Status::Ok();
}

Status LeafCursor::SeekLeafAndFence(std::string_view key, LatchMode latch, bool* exact,
                                    std::string* fence) {
  *exact = false;
  walk_ = {};
  fence->clear();
  Release();
  latch_ = latch;
  // The way down may begin anew at a root that is a leaf: then nothing has been noted yet.
  ASSIGN_OR_RETURN(leaf_, DescendBy(mtr_, tree_->root(), latch, [&](const Node& node) {
                     const int slot = node.ChildSlot(key);
                     if (slot + 1 < node.count()) {
                       fence->assign(node.Key(slot + 1));
                     }
                     return slot;
                   }));
  slot_ = node().LowerBound(key, exact);
  return Status::Ok();
}

Status LeafCursor::Seek(std::string_view key, SeekMode mode, LatchMode latch) {
  bool exact;
  RETURN_IF_ERROR(SeekLeaf(key, latch, &exact));
  switch (mode) {
    case SeekMode::kAfter:
      slot_ += exact ? 1 : 0;
      return SkipRightToEntry();
    case SeekMode::kAtLeast:
      return SkipRightToEntry();
    case SeekMode::kAtMost:
      if (exact) {
        return Status::Ok();
      }
      return StepBefore(key);
    case SeekMode::kBefore:
      return StepBefore(key);
  }
  return Status::Internal("seek mode");
}

Status LeafCursor::SeekFirst(LatchMode latch) {
  RETURN_IF_ERROR(DescendEdge(false, latch));
  slot_ = 0;
  return SkipRightToEntry();
}

Status LeafCursor::SeekLast(LatchMode latch) {
  RETURN_IF_ERROR(DescendEdge(true, latch));
  slot_ = node().count();
  if (slot_ > 0) {
    --slot_;
    return Status::Ok();
  }
  // The last leaf is empty. No key is beyond this bound, so it serves for walking left.
  return StepBefore(std::string(kKeySizeMax + 1, '\xff'));
}

// Leaves after (before) the one that holds `key`, all but the first `skip`, as its parent names
// them. Only tries for latches, since the leaf is held; what it says may be outdated when it is
// used, and is only a hint.
size_t LeafCursor::FindLeavesAhead(std::string_view key, bool forward, int skip,
                                   std::span<PageNo> leaves) {
  const uint64_t index_id = node().index_id();
  const auto let_go = [this](MtrPage* page) {
    if (!page->modified()) {
      mtr_->Release(page);
    }
  };
  Result<MtrPage*> page = mtr_->TryFetch(tree_->root(), LatchMode::kShared);
  int level = page.ok() ? Node((*page)->bytes()).level() : 0;
  while (page.ok() && level > 1) {
    const Node inner((*page)->bytes());
    Result<MtrPage*> child = mtr_->TryFetch(inner.Child(inner.ChildSlot(key)), LatchMode::kShared);
    let_go(*page);
    page = std::move(child);
    --level;
    if (page.ok() && !CheckTreePage(**page, index_id, level).ok()) {
      let_go(*page);
      return 0;
    }
  }
  if (!page.ok()) {
    return 0;
  }
  const Node parent((*page)->bytes());
  size_t count = 0;
  if (level == 1) {
    const int step = forward ? 1 : -1;
    for (int slot = parent.ChildSlot(key) + step * (skip + 1);
         slot >= 0 && slot < parent.count() && count < leaves.size(); slot += step) {
      leaves[count++] = parent.Child(slot);
    }
  }
  let_go(*page);
  return count;
}

void LeafCursor::AskAhead(PageNo next, bool forward) {
  constexpr int kRunMin = 2;
  constexpr int kSizeMin = 8;
  WalkAhead& walk = walk_;
  walk.ahead -= walk.ahead > 0 ? 1 : 0;
  walk.run = std::min(walk.run + 1, kRunMin);
  BufferPool* const pool = tree_->store()->pool();
  const int count = node().count();
  if (walk.run < kRunMin || walk.ahead > walk.low || count == 0 ||
      (walk.size == 0 && pool->IsCached(next))) {
    return;
  }
  COVER("btree.read_ahead");
  std::array<PageNo, 64> leaves;
  const int size_max = static_cast<int>(std::min(pool->prefetch_max(), leaves.size()));
  walk.size = std::min(std::max(2 * walk.size, kSizeMin), size_max);
  walk.ahead = std::max(walk.ahead, 1);  // this step reads `next` itself
  const int wanted = std::max(walk.size - walk.ahead, 1);
  const std::string key(node().Key(forward ? count - 1 : 0));
  const size_t found = FindLeavesAhead(
      key, forward, walk.ahead, std::span<PageNo>(leaves).first(static_cast<size_t>(wanted)));
  walk.ahead += static_cast<int>(found);
  walk.low = walk.size / 2;
  if (found < static_cast<size_t>(wanted)) {
    walk.low = 0;  // the parent has no more; the next one will
  }
  if (pool->AskAhead(std::span<const PageNo>(leaves).first(found)) == 0) {
    walk.size = walk.low = 0;
  }
}

// From the end of a leaf to the first entry of a later one, if any.
Status LeafCursor::SkipRightToEntry() {
  while (slot_ >= node().count()) {
    const PageNo right = node().right();
    if (right == kNoPage) {
      return Status::Ok();
    }
    AskAhead(right, true);
    ASSIGN_OR_RETURN(MtrPage * next, mtr_->Fetch(right, latch_));
    const Status status = CheckTreePage(*next, node().index_id(), 0);
    if (!status.ok()) {
      mtr_->Release(next);
      return status;
    }
    if (!leaf_->modified()) {
      mtr_->Release(leaf_);
    }
    leaf_ = next;
    slot_ = 0;
  }
  return Status::Ok();
}

Status LeafCursor::Next() {
  ++slot_;
  return SkipRightToEntry();
}

// To the entry before slot_, all entries from which on are >= `bound`; in a leaf to the left when
// slot_ is the first. `bound` may point into the leaf.
Status LeafCursor::StepBefore(std::string_view bound) {
  if (slot_ > 0) {
    --slot_;
    return Status::Ok();
  }
  const std::string key(bound);
  while (true) {
    if (node().left() == kNoPage) {
      slot_ = node().count();
      return Status::Ok();
    }
    bool moved = false;
    RETURN_IF_ERROR(StepToLeftLeaf(&moved));
    if (moved) {
      slot_ = node().count();
    } else {
      COVER("btree.left_step_raced");
      bool exact;
      RETURN_IF_ERROR(SeekLeaf(key, latch_, &exact));
    }
    if (slot_ > 0) {
      --slot_;
      return Status::Ok();
    }
  }
}

// Latches the left neighbour. Order is left to right (INV-BTR-4), so it only tries while holding
// this leaf; else it lets go, takes both in order and looks whether this leaf is as it was. When it
// is not, *moved is false and nothing is held.
Status LeafCursor::StepToLeftLeaf(bool* moved) {
  *moved = false;
  const PageNo left = node().left();
  const uint64_t index_id = node().index_id();
  AskAhead(left, false);
  Result<MtrPage*> tried = mtr_->TryFetch(left, latch_);
  if (tried.ok()) {
    RETURN_IF_ERROR(CheckTreePage(**tried, index_id, 0));
    if (!leaf_->modified()) {
      mtr_->Release(leaf_);
    }
    leaf_ = *tried;
    *moved = true;
    return Status::Ok();
  }
  if (!tried.status().Is(Code::kRetry) || leaf_->modified()) {
    return tried.status();
  }
  const PageNo here = leaf_->number();
  const Lsn lsn = leaf_->lsn();
  Release();
  ASSIGN_OR_RETURN(MtrPage * page, mtr_->Fetch(left, latch_));
  if (CheckTreePage(*page, index_id, 0).ok() && Node(page->bytes()).right() == here) {
    Result<MtrPage*> again = mtr_->Fetch(here, LatchMode::kShared);
    if (!again.ok()) {
      mtr_->Release(page);
      return again.status();
    }
    *moved = (*again)->lsn() == lsn;
    mtr_->Release(*again);
  }
  if (*moved) {
    leaf_ = page;
  } else {
    mtr_->Release(page);
  }
  return Status::Ok();
}

Status LeafCursor::Prev() {
  DCHECK(valid());
  return StepBefore(slot_ > 0 ? std::string_view() : key());
}

Result<bool> LeafCursor::PeekNextLeaf(std::string* key) {
  MtrPage* at = nullptr;
  PageNo right = node().right();
  bool found = false;
  Status status;
  while (right != kNoPage && !found && status.ok()) {
    Result<MtrPage*> next = mtr_->Fetch(right, LatchMode::kShared);
    if (at != nullptr) {
      mtr_->Release(at);
      at = nullptr;
    }
    if (!next.ok()) {
      return std::move(next).status();
    }
    at = *next;
    status = CheckTreePage(*at, node().index_id(), 0);
    const Node view(at->bytes());
    if (status.ok() && view.count() > 0) {
      key->assign(view.Key(0));
      found = true;
    }
    right = view.right();
  }
  if (at != nullptr) {
    mtr_->Release(at);
  }
  if (!status.ok()) {
    return status;
  }
  return found;
}

Status LeafCursor::InsertHere(std::string_view key, std::string_view value) {
  if (key.size() > kKeySizeMax || EntrySize(key.size(), value.size()) > kEntrySizeMax) {
    return Status::InvalidArgument("entry is too long");
  }
  DCHECK(slot_ == 0 || node().Key(slot_ - 1) < key);
  DCHECK(slot_ == node().count() || key < node().Key(slot_));
  if (!NodeEditor(mtr_, leaf_).Insert(slot_, key, value)) {
    return Status::Retry("leaf is full");
  }
  return Status::Ok();
}

size_t LeafCursor::InsertRunHere(std::span<const NodeEntry> entries) {
  size_t room = node().free_total();
  size_t fitting = 0;
  for (const NodeEntry& entry : entries) {
    const size_t size = EntrySize(entry.key.size(), entry.value.size());
    DCHECK(entry.key.size() <= kKeySizeMax && size <= kEntrySizeMax);
    DCHECK(fitting == 0 || entries[fitting - 1].key < entry.key);
    if (size + node::kSlotSize > room) {
      break;
    }
    room -= size + node::kSlotSize;
    ++fitting;
  }
  if (fitting == 0) {
    return 0;
  }
  DCHECK(slot_ == 0 || node().Key(slot_ - 1) < entries[0].key);
  DCHECK(slot_ == node().count() || entries[fitting - 1].key < node().Key(slot_));
  NodeEditor(mtr_, leaf_).InsertRun(slot_, entries.first(fitting));
  slot_ += static_cast<int>(fitting) - 1;
  return fitting;
}

Status LeafCursor::ReplaceValue(std::string_view value) {
  DCHECK(valid());
  if (EntrySize(key().size(), value.size()) > kEntrySizeMax) {
    return Status::InvalidArgument("entry is too long");
  }
  if (!NodeEditor(mtr_, leaf_).Replace(slot_, value)) {
    return Status::Retry("leaf is full");
  }
  return Status::Ok();
}

void LeafCursor::PatchValue(size_t offset, std::string_view bytes) {
  DCHECK(valid());
  const std::string_view now = value();
  INVARIANT_LE(offset + bytes.size(), now.size());
  mtr_->WriteChanged(leaf_, static_cast<size_t>(now.data() - leaf_->bytes()) + offset, bytes);
}

Status LeafCursor::Erase() {
  DCHECK(valid());
  if (leaf_->number() != tree_->root() && EraseLeavesUnderfull(node(), slot_)) {
    return Status::Retry("leaf would be underfull");
  }
  NodeEditor(mtr_, leaf_).Erase(slot_);
  return Status::Ok();
}

void LeafCursor::RaiseMaxTrxId(uint64_t trx_id) {
  NodeEditor(mtr_, leaf_).RaiseMaxTrxId(trx_id);
}

void LeafCursor::Save(SavedPosition* position) const {
  DCHECK(valid());
  position->key.assign(key());
  position->page = leaf_->number();
  position->lsn = leaf_->lsn();
  position->slot = slot_;
  position->walk = walk_;
}

Status LeafCursor::Restore(const SavedPosition& position, LatchMode latch, bool* same) {
  Release();
  latch_ = latch;
  if (MtrPage* page = mtr_->FetchCached(position.page, latch)) {
    if (page->lsn() == position.lsn && !page->modified()) {
      leaf_ = page;
      slot_ = position.slot;
      walk_ = position.walk;
      *same = true;
      return Status::Ok();
    }
    if (!page->modified()) {
      mtr_->Release(page);
    }
  }
  COVER("btree.restore_by_key");
  RETURN_IF_ERROR(Seek(position.key, SeekMode::kAtLeast, latch));
  walk_ = position.walk;
  *same = valid() && key() == position.key;
  return Status::Ok();
}

}  // namespace borealis::engine
