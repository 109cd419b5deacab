#include "engine/store/structure_change.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/fault.h"
#include "base/invariant.h"

namespace borealis::engine {

namespace {

using namespace node;

constexpr size_t kChildSize = sizeof(uint64_t);
constexpr size_t kInnerEntryMax = kKeySizeMax + 2 + 1 + kChildSize + kSlotSize;

std::string_view ChildValue(PageNo child, char (&buffer)[kChildSize]) {
  StoreLittle(buffer, child.value());
  return {buffer, sizeof buffer};
}

// Where to cut the n+1 entries of a page, the new one (at `slot`) included: entries before the cut
// stay. An entry at the end goes to the new page alone. In an ascending run inside the page (`hint`
// is the slot of the insert before) the entries after the new one go: the run then continues at the
// end of its page, and its pages get full.
int ChooseCut(const Node& page, int slot, size_t new_size, int hint) {
  const int count = page.count();
  if (slot == count) {
    return count;
  }
  if (slot > 0 && slot == hint + 1) {
    size_t tail = 0;
    for (int i = slot; i < count; ++i) {
      tail += page.Entry(i).size + kSlotSize;
    }
    return page.used() - tail + new_size + kSlotSize <= kCapacity ? slot + 1 : slot;
  }
  const size_t total = page.used() + new_size + kSlotSize;
  size_t left = 0;
  for (int i = 0; i <= count; ++i) {
    const size_t size = i == slot ? new_size : page.Entry(i < slot ? i : i - 1).size;
    if (i > 0 && left + (size + kSlotSize) / 2 >= total / 2) {
      return i;
    }
    left += size + kSlotSize;
  }
  return count;
}

}  // namespace

std::string_view ShortestSeparator(std::string_view left, std::string_view right) {
  const size_t common = static_cast<size_t>(
      std::mismatch(left.begin(), left.begin() + std::min(left.size(), right.size()), right.begin())
          .first -
      left.begin());
  return right.substr(0, common + 1);
}

Status CheckTreePage(const MtrPage& page, uint64_t index_id, int level) {
  const Node node(page.bytes());
  if (TypeOf(page.page()) != PageType::kIndex || node.index_id() != index_id ||
      node.level() != level) {
    return Status::Corruption(
        fmt::format("page {}: expected level {} of index {}, found type {}, level {} of index {}",
                    page.number().value(), level, index_id, static_cast<int>(TypeOf(page.page())),
                    node.level(), node.index_id()));
  }
  return Status::Ok();
}

bool EraseLeavesUnderfull(const Node& leaf, int slot) {
  if (leaf.count() == 1) {
    return true;
  }
  const size_t before = leaf.used();
  return before >= kUnderfull && before - leaf.Entry(slot).size - kSlotSize < kUnderfull;
}

void StructureChange::TakeTreeLatch() {
  if (!mtr_->HoldsTreeLatch(tree_->latch_)) {
    tree_->latch_->Lock();
    mtr_->AdoptTreeLatch(tree_->latch_);
  }
}

Status StructureChange::Undo(Status status) {
  const auto let_go = [this](MtrPage*& page) {
    if (page != nullptr && !page->modified()) {
      mtr_->Release(page);
    }
    page = nullptr;
  };
  for (Level& level : path_) {
    let_go(level.page);
    let_go(level.left);
    let_go(level.right);
    let_go(level.second_right);
  }
  for (MtrPage*& page : spare_) {
    let_go(page);
  }
  spare_.clear();
  return status;
}

Result<MtrPage*> StructureChange::FetchLevel(PageNo number, int level) {
  ASSIGN_OR_RETURN(MtrPage * page, mtr_->Fetch(number, LatchMode::kExclusive));
  const uint64_t index_id = Node(page->bytes()).index_id();
  if (Status status = CheckTreePage(*page, index_id, level); !status.ok()) {
    mtr_->Release(page);
    return status;
  }
  return page;
}

Result<MtrPage*> StructureChange::FetchNeighbour(PageNo number) {
  if (number == kNoPage) {
    return static_cast<MtrPage*>(nullptr);
  }
  return mtr_->Fetch(number, LatchMode::kExclusive);
}

void StructureChange::ReleaseAbove(int level) {
  for (size_t i = static_cast<size_t>(level) + 1; i < path_.size(); ++i) {
    for (MtrPage** page :
         {&path_[i].page, &path_[i].left, &path_[i].right, &path_[i].second_right}) {
      if (*page != nullptr) {
        mtr_->Release(*page);
        *page = nullptr;
      }
    }
  }
}

// --- insert ---

Status StructureChange::DescendForInsert(std::string_view key) {
  TakeTreeLatch();
  ASSIGN_OR_RETURN(MtrPage * page, mtr_->Fetch(tree_->root(), LatchMode::kExclusive));
  int level = Node(page->bytes()).level();
  path_.assign(static_cast<size_t>(level) + 1, {});
  path_[static_cast<size_t>(level)].page = page;
  RETURN_IF_ERROR(CheckTreePage(*page, Node(page->bytes()).index_id(), level));
  while (level > 0) {
    Level& here = path_[static_cast<size_t>(level)];
    const Node node(here.page->bytes());
    here.slot = node.ChildSlot(key);
    ASSIGN_OR_RETURN(MtrPage * child, FetchLevel(node.Child(here.slot), level - 1));
    --level;
    Level& below = path_[static_cast<size_t>(level)];
    below.page = child;
    const Node view(child->bytes());
    if (level > 0 && view.free_total() >= kInnerEntryMax) {
      ReleaseAbove(level);
    } else {
      ASSIGN_OR_RETURN(below.right, FetchNeighbour(view.right()));
    }
  }
  return Status::Ok();
}

// One page for each level that may split, and one more for a root that may grow.
Status StructureChange::PrepareSplits() {
  size_t wanted = 0;
  for (size_t level = 0; level < path_.size(); ++level) {
    MtrPage* const page = path_[level].page;
    if (page == nullptr) {
      break;
    }
    const bool may_split = level == 0 || Node(page->bytes()).free_total() < kInnerEntryMax;
    wanted += may_split ? (IsRoot(page) ? 2 : 1) : 0;
  }
  for (size_t i = 0; i < wanted; ++i) {
    ASSIGN_OR_RETURN(MtrPage * page, mtr_->Allocate(path_[0].page->number()));
    spare_.push_back(page);
  }
  std::reverse(spare_.begin(), spare_.end());
  return Status::Ok();
}

Status StructureChange::Insert(std::string_view key, std::string_view value) {
  if (Status status = DescendForInsert(key); !status.ok()) {
    return Undo(std::move(status));
  }
  bool exact;
  const Node leaf(path_[0].page->bytes());
  const int slot = leaf.LowerBound(key, &exact);
  if (exact) {
    return Undo(Status::AlreadyExists("key exists"));
  }
  NodeEditor editor(mtr_, path_[0].page);
  if (!editor.Insert(slot, key, value)) {
    if (Status status = PrepareSplits(); !status.ok()) {
      return Undo(std::move(status));
    }
    editor.RaiseMaxTrxId(trx_id_);
    InsertAt(0, key, value);
  }
  editor.RaiseMaxTrxId(trx_id_);
  return Undo(Status::Ok());
}

Status StructureChange::Update(std::string_view key, std::string_view value) {
  if (Status status = DescendForInsert(key); !status.ok()) {
    return Undo(std::move(status));
  }
  bool exact;
  const int slot = Node(path_[0].page->bytes()).LowerBound(key, &exact);
  if (!exact) {
    return Undo(Status::NotFound("no such key"));
  }
  NodeEditor editor(mtr_, path_[0].page);
  if (!editor.Replace(slot, value)) {
    if (Status status = PrepareSplits(); !status.ok()) {
      return Undo(std::move(status));
    }
    editor.Erase(slot);
    editor.RaiseMaxTrxId(trx_id_);
    InsertAt(0, key, value);
  }
  editor.RaiseMaxTrxId(trx_id_);
  return Undo(Status::Ok());
}

void StructureChange::InsertAt(int level, std::string_view key, std::string_view value) {
  MtrPage* const page = path_[static_cast<size_t>(level)].page;
  INVARIANT(page != nullptr);
  bool exact;
  const int slot = Node(page->bytes()).LowerBound(key, &exact);
  INVARIANT(!exact);
  if (NodeEditor(mtr_, page).Insert(slot, key, value)) {
    return;
  }
  if (IsRoot(page)) {
    GrowRoot();
  }
  Split(level, slot, key, value);
}

// The root's content moves to a new page, of which the root becomes the parent.
void StructureChange::GrowRoot() {
  COVER("btree.grow_root");
  CRASH_POINT("btree.grow_root");
  MtrPage* const root = path_.back().page;
  MtrPage* const child = spare_.back();
  spare_.pop_back();
  const Node view(root->bytes());
  NodeBuilder copy(view.level(), view.index_id());
  copy.AppendFrom(view, 0, view.count());
  copy.SetMaxTrxId(view.max_trx_id());
  copy.WriteTo(mtr_, child);
  NodeBuilder parent(view.level() + 1, view.index_id());
  char buffer[kChildSize];
  parent.Append({}, ChildValue(child->number(), buffer));
  parent.SetMaxTrxId(view.max_trx_id());
  parent.WriteTo(mtr_, root);
  path_.back().page = child;
  path_.push_back({});
  path_.back().page = root;
}

void StructureChange::Split(int level, int slot, std::string_view key, std::string_view value) {
  COVER("btree.split");
  Level& here = path_[static_cast<size_t>(level)];
  MtrPage* const page = here.page;
  INVARIANT(!spare_.empty());
  MtrPage* const fresh = spare_.back();
  spare_.pop_back();
  const Node view(page->bytes());
  const int cut = ChooseCut(view, slot, EntrySize(key.size(), value.size()), page->insert_hint());
  const bool new_goes_right = slot >= cut;
  const int kept = new_goes_right ? cut : cut - 1;  // old entries that stay

  NodeBuilder right(view.level(), view.index_id());
  if (new_goes_right) {
    right.AppendFrom(view, kept, slot);
    right.Append(key, value);
    right.AppendFrom(view, slot, view.count());
  } else {
    right.AppendFrom(view, kept, view.count());
  }
  right.SetLinks(page->number(), view.right());
  right.SetMaxTrxId(view.max_trx_id());
  const std::string_view last_left = !new_goes_right && slot == kept ? key : view.Key(kept - 1);
  const std::string separator(level == 0 ? ShortestSeparator(last_left, right.view().Key(0))
                                         : right.view().Key(0));
  right.WriteTo(mtr_, fresh);
  if (here.right != nullptr) {
    NodeEditor(mtr_, here.right).SetLeft(fresh->number());
  }
  NodeEditor left(mtr_, page);
  left.SetRight(fresh->number());
  left.Truncate(kept);
  if (!new_goes_right) {
    INVARIANT(left.Insert(slot, key, value));
  }
  CRASH_POINT("btree.split");
  char buffer[kChildSize];
  InsertAt(level + 1, separator, ChildValue(fresh->number(), buffer));
}

// --- delete ---

// Latches a page of the path and, left to right, the neighbours that a merge of it would change.
Status StructureChange::LatchForDelete(int level, PageNo number, const MtrPage* parent,
                                       int parent_slot) {
  Level& here = path_[static_cast<size_t>(level)];
  const Node above(parent->bytes());
  if (parent_slot > 0) {
    ASSIGN_OR_RETURN(here.left, FetchNeighbour(above.Child(parent_slot - 1)));
  }
  ASSIGN_OR_RETURN(here.page, FetchLevel(number, level));
  ASSIGN_OR_RETURN(here.right, FetchNeighbour(Node(here.page->bytes()).right()));
  here.right_is_sibling = here.right != nullptr && parent_slot + 1 < above.count() &&
                          above.Child(parent_slot + 1) == here.right->number();
  if (here.right_is_sibling) {
    ASSIGN_OR_RETURN(here.second_right, FetchNeighbour(Node(here.right->bytes()).right()));
  }
  return Status::Ok();
}

Status StructureChange::DescendForDelete(std::string_view key) {
  TakeTreeLatch();
  ASSIGN_OR_RETURN(MtrPage * root, mtr_->Fetch(tree_->root(), LatchMode::kExclusive));
  int level = Node(root->bytes()).level();
  path_.assign(static_cast<size_t>(level) + 1, {});
  path_[static_cast<size_t>(level)].page = root;
  RETURN_IF_ERROR(CheckTreePage(*root, Node(root->bytes()).index_id(), level));
  while (level > 0) {
    Level& here = path_[static_cast<size_t>(level)];
    const Node node(here.page->bytes());
    here.slot = node.ChildSlot(key);
    const PageNo child = node.Child(here.slot);
    // Inner pages hold still under the tree latch: look at the child before deciding what to latch.
    bool safe = false;
    if (level > 1) {
      ASSIGN_OR_RETURN(MtrPage * page, FetchLevel(child, level - 1));
      const Node view(page->bytes());
      const int slot = view.ChildSlot(key);
      size_t largest = view.Entry(slot).size;
      if (slot + 1 < view.count()) {
        largest = std::max(largest, view.Entry(slot + 1).size);
      }
      safe = view.used() >= kUnderfull + largest + kSlotSize;
      if (safe) {
        path_[static_cast<size_t>(level - 1)].page = page;
        ReleaseAbove(level - 1);
      } else {
        mtr_->Release(page);
      }
    }
    if (!safe) {
      RETURN_IF_ERROR(LatchForDelete(level - 1, child, here.page, here.slot));
    }
    --level;
  }
  return Status::Ok();
}

Status StructureChange::PrepareMerges() {
  for (const Level& level : path_) {
    for (const MtrPage* page : {level.page, level.left, level.right}) {
      if (page != nullptr && !IsRoot(page)) {
        RETURN_IF_ERROR(mtr_->PrepareFree(page->number()));
      }
    }
  }
  return Status::Ok();
}

Status StructureChange::Delete(std::string_view key) {
  if (Status status = DescendForDelete(key); !status.ok()) {
    return Undo(std::move(status));
  }
  bool exact;
  const int slot = Node(path_[0].page->bytes()).LowerBound(key, &exact);
  if (!exact) {
    return Undo(Status::NotFound("no such key"));
  }
  if (Status status = PrepareMerges(); !status.ok()) {
    return Undo(std::move(status));
  }
  NodeEditor editor(mtr_, path_[0].page);
  editor.Erase(slot);
  editor.RaiseMaxTrxId(trx_id_);
  MergeAt(0);
  return Undo(Status::Ok());
}

void StructureChange::MergeAt(int level) {
  Level& here = path_[static_cast<size_t>(level)];
  if (here.page == nullptr || IsRoot(here.page)) {
    return;
  }
  const Node page(here.page->bytes());
  if (page.used() >= kUnderfull) {
    return;
  }
  const auto fits = [&](const MtrPage* sibling) {
    return page.count() == 0 || Node(sibling->bytes()).used() + page.used() <= kMergedMax;
  };
  const int slot = path_[static_cast<size_t>(level) + 1].slot;
  if (here.left != nullptr && fits(here.left)) {
    Merge(level, here.left, here.page, here.right, slot);
  } else if (here.right_is_sibling && fits(here.right)) {
    Merge(level, here.page, here.right, here.second_right, slot + 1);
  }
}

void StructureChange::Merge(int level, MtrPage* into, MtrPage* from, MtrPage* after,
                            int parent_slot) {
  COVER("btree.merge");
  const Node source(from->bytes());
  NodeEditor target(mtr_, into);
  if (source.count() > 0) {
    target.AppendFrom(source, 0, source.count());
  }
  target.RaiseMaxTrxId(source.max_trx_id());
  target.SetRight(source.right());
  if (after != nullptr) {
    NodeEditor(mtr_, after).SetLeft(into->number());
  }
  mtr_->Free(from);
  CRASH_POINT("btree.merge");
  MtrPage* const parent = path_[static_cast<size_t>(level) + 1].page;
  INVARIANT(parent != nullptr && parent_slot > 0);
  NodeEditor(mtr_, parent).Erase(parent_slot);
  if (IsRoot(parent) && Node(parent->bytes()).count() == 1) {
    CollapseRoot(into);
  } else {
    MergeAt(level + 1);
  }
}

// The root's only child, alone on its level, becomes the root's content.
void StructureChange::CollapseRoot(MtrPage* child) {
  COVER("btree.collapse_root");
  const Node view(child->bytes());
  INVARIANT(view.left() == kNoPage && view.right() == kNoPage);
  NodeBuilder copy(view.level(), view.index_id());
  copy.AppendFrom(view, 0, view.count());
  copy.SetMaxTrxId(view.max_trx_id());
  copy.WriteTo(mtr_, path_.back().page);
  CRASH_POINT("btree.collapse_root");
  mtr_->Free(child);
}

}  // namespace borealis::engine
