#include "engine/store/bulk_load.h"

#include "base/fault.h"
#include "base/invariant.h"
#include "engine/store/structure_change.h"

namespace borealis::engine {

namespace {

// One sixteenth of each page stays free.
constexpr size_t kFilled = node::kCapacity - node::kCapacity / 16;

bool HasRoom(const Node& page, size_t entry_size) {
  return page.count() == 0 || page.used() + entry_size + node::kSlotSize <= kFilled;
}

std::string ChildValue(const MtrPage* child) {
  std::string value(sizeof(uint64_t), '\0');
  StoreLittle(value.data(), child->number().value());
  return value;
}

}  // namespace

BulkLoad::BulkLoad(const BTree* tree, uint64_t index_id)
    : tree_(tree), index_id_(index_id), leaf_(0, index_id) {}

Status BulkLoad::Append(std::string_view key, std::string_view value) {
  const size_t size = EntrySize(key.size(), value.size());
  if (key.size() > kKeySizeMax || size > kEntrySizeMax) {
    return Status::InvalidArgument("entry is too long");
  }
  DCHECK(entries_ == 0 || last_key_ < key);
  if (!HasRoom(leaf_.view(), size)) {
    RETURN_IF_ERROR(WriteLeaf());
    separator_ = ShortestSeparator(last_key_, key);
  }
  leaf_.Append(key, value);
  last_key_ = key;
  ++entries_;
  return Status::Ok();
}

Status BulkLoad::Finish() {
  return leaf_.view().count() == 0 ? Status::Ok() : WriteLeaf();
}

void BulkLoad::VisitUnwritten(const std::function<void(std::string_view value)>& visit) const {
  for (int slot = 0; slot < leaf_.view().count(); ++slot) {
    visit(leaf_.view().Value(slot));
  }
}

Status BulkLoad::WriteLeaf() {
  Mtr mtr(tree_->store());
  RETURN_IF_ERROR(mtr.StartWriting());
  if (edge_.empty()) {
    ASSIGN_OR_RETURN(MtrPage * root, mtr.Fetch(tree_->root(), LatchMode::kExclusive));
    INVARIANT(Node(root->bytes()).is_leaf() && Node(root->bytes()).count() == 0);
    leaf_.WriteTo(&mtr, root);
    mtr.Commit();
    edge_.push_back(tree_->root());
    leaf_ = NodeBuilder(0, index_id_);
    return Status::Ok();
  }
  // All that can fail comes before the first edit: pages from the root down, then new ones.
  std::vector<MtrPage*> edge(edge_.size());
  for (size_t level = edge_.size(); level-- > 0;) {
    ASSIGN_OR_RETURN(edge[level], mtr.Fetch(edge_[level], LatchMode::kExclusive));
  }
  const size_t inner_entry = EntrySize(separator_.size(), sizeof(uint64_t));
  size_t level = 1;
  while (level < edge.size() && !HasRoom(Node(edge[level]->bytes()), inner_entry)) {
    ++level;
  }
  const bool grow = level == edge.size();
  std::vector<MtrPage*> fresh;  // a page for each level below, and one for what the root held
  for (size_t i = 0; i < level + (grow ? 1 : 0); ++i) {
    ASSIGN_OR_RETURN(MtrPage * page, mtr.Allocate(edge_[0]));
    fresh.push_back(page);
  }
  Hang(&mtr, &edge, fresh, fresh[0], grow);
  for (size_t i = 0; i < edge.size(); ++i) {
    edge_.resize(edge.size(), tree_->root());
    edge_[i] = edge[i]->number();
  }
  mtr.Commit();
  leaf_ = NodeBuilder(0, index_id_);
  return Status::Ok();
}

// The root's content moves to a new page, of which the root becomes the parent.
MtrPage* BulkLoad::GrowRoot(Mtr* mtr, MtrPage* root, MtrPage* moved) {
  COVER("bulk_load.grow_root");
  const Node view(root->bytes());
  NodeBuilder copy(view.level(), index_id_);
  copy.AppendFrom(view, 0, view.count());
  copy.SetLinks(view.left(), view.right());
  copy.WriteTo(mtr, moved);
  NodeBuilder parent(view.level() + 1, index_id_);
  parent.Append({}, ChildValue(moved));
  parent.WriteTo(mtr, root);
  return moved;
}

void BulkLoad::Hang(Mtr* mtr, std::vector<MtrPage*>* edge, const std::vector<MtrPage*>& fresh,
                    MtrPage* leaf, bool grow) {
  if (grow) {
    MtrPage* const root = edge->back();
    edge->back() = GrowRoot(mtr, root, fresh.back());
    edge->push_back(root);
  }
  const size_t new_levels = fresh.size() - (grow ? 1 : 0);
  leaf_.SetLinks((*edge)[0]->number(), kNoPage);
  leaf_.WriteTo(mtr, leaf);
  NodeEditor(mtr, (*edge)[0]).SetRight(leaf->number());
  (*edge)[0] = leaf;
  for (size_t level = 1; level < new_levels; ++level) {
    MtrPage* const page = fresh[level];
    NodeBuilder inner(static_cast<int>(level), index_id_);
    inner.Append(separator_, ChildValue((*edge)[level - 1]));
    inner.SetLinks((*edge)[level]->number(), kNoPage);
    inner.WriteTo(mtr, page);
    NodeEditor(mtr, (*edge)[level]).SetRight(page->number());
    (*edge)[level] = page;
  }
  MtrPage* const parent = (*edge)[new_levels];
  const bool hung =
      NodeEditor(mtr, parent)
          .Insert(Node(parent->bytes()).count(), separator_, ChildValue((*edge)[new_levels - 1]));
  INVARIANT(hung);
}

}  // namespace borealis::engine
