#include "engine/store/btree.h"

#include <fmt/format.h>

#include <vector>

#include "base/invariant.h"
#include "engine/store/leaf_cursor.h"
#include "engine/store/node_edit.h"
#include "engine/store/structure_change.h"

namespace borealis::engine {

namespace {

Status CheckSizes(std::string_view key, std::string_view value) {
  if (key.size() > kKeySizeMax || EntrySize(key.size(), value.size()) > kEntrySizeMax) {
    return Status::InvalidArgument(fmt::format(
        "entry of {} bytes of key and {} of value is too long", key.size(), value.size()));
  }
  return Status::Ok();
}

}  // namespace

Result<PageNo> BTree::Create(Mtr* mtr, uint64_t index_id) {
  ASSIGN_OR_RETURN(MtrPage * root, mtr->Allocate(kNoPage));
  NodeEditor(mtr, root).Format(0, index_id);
  return root->number();
}

Status BTree::Get(std::string_view key, std::string* value) const {
  Mtr mtr(store_);
  LeafCursor cursor(this, &mtr);
  bool exact;
  RETURN_IF_ERROR(cursor.SeekLeaf(key, LatchMode::kShared, &exact));
  if (!exact) {
    return Status::NotFound("no such key");
  }
  value->assign(cursor.value());
  return Status::Ok();
}

Status BTree::Insert(Mtr* mtr, std::string_view key, std::string_view value, uint64_t trx_id) {
  RETURN_IF_ERROR(CheckSizes(key, value));
  LeafCursor cursor(this, mtr);
  bool exact;
  RETURN_IF_ERROR(cursor.SeekLeaf(key, LatchMode::kExclusive, &exact));
  Status status = exact ? Status::AlreadyExists("key exists") : cursor.InsertHere(key, value);
  if (status.ok()) {
    cursor.RaiseMaxTrxId(trx_id);
  }
  cursor.Release();
  return status.Is(Code::kRetry) ? StructureChange(this, mtr, trx_id).Insert(key, value) : status;
}

Status BTree::Update(Mtr* mtr, std::string_view key, std::string_view value, uint64_t trx_id) {
  RETURN_IF_ERROR(CheckSizes(key, value));
  LeafCursor cursor(this, mtr);
  bool exact;
  RETURN_IF_ERROR(cursor.SeekLeaf(key, LatchMode::kExclusive, &exact));
  Status status = exact ? cursor.ReplaceValue(value) : Status::NotFound("no such key");
  if (status.ok()) {
    cursor.RaiseMaxTrxId(trx_id);
  }
  cursor.Release();
  return status.Is(Code::kRetry) ? StructureChange(this, mtr, trx_id).Update(key, value) : status;
}

Status BTree::Delete(Mtr* mtr, std::string_view key, uint64_t trx_id) {
  LeafCursor cursor(this, mtr);
  bool exact;
  RETURN_IF_ERROR(cursor.SeekLeaf(key, LatchMode::kExclusive, &exact));
  Status status = exact ? cursor.Erase() : Status::NotFound("no such key");
  if (status.ok()) {
    cursor.RaiseMaxTrxId(trx_id);
  }
  cursor.Release();
  return status.Is(Code::kRetry) ? StructureChange(this, mtr, trx_id).Delete(key) : status;
}

namespace {

Status VisitEntries(Mtr* mtr, PageNo number, const BTree::EntryVisitor& visit) {
  ASSIGN_OR_RETURN(MtrPage * leaf, mtr->Fetch(number, LatchMode::kShared));
  Status status;
  const Node view(leaf->bytes());
  for (int slot = 0; slot < view.count() && status.ok(); ++slot) {
    const EntryView entry = view.Entry(slot);
    status = visit(entry.key, entry.value);
  }
  mtr->Release(leaf);
  return status;
}

}  // namespace

// Eats the tree from its right end: the rightmost level-1 page loses leaves; a page left without
// children goes with them; a root left without children becomes an empty leaf. In between the tree
// is well-formed but for the right links of its last pages, which nobody follows any more.
Result<bool> BTree::ClearStep(Mtr* mtr, int max_pages, const EntryVisitor& visit) {
  ASSIGN_OR_RETURN(MtrPage * root, mtr->Fetch(root_, LatchMode::kExclusive));
  const uint64_t index_id = Node(root->bytes()).index_id();
  RETURN_IF_ERROR(CheckTreePage(*root, index_id, Node(root->bytes()).level()));
  int budget = max_pages;
  while (Node(root->bytes()).level() > 0) {
    std::vector<MtrPage*> path{root};
    while (Node(path.back()->bytes()).level() > 1) {
      const Node above(path.back()->bytes());
      ASSIGN_OR_RETURN(MtrPage * page,
                       mtr->Fetch(above.Child(above.count() - 1), LatchMode::kExclusive));
      RETURN_IF_ERROR(CheckTreePage(*page, index_id, above.level() - 1));
      RETURN_IF_ERROR(mtr->PrepareFree(page->number()));
      path.push_back(page);
    }
    MtrPage* const bottom = path.back();
    while (true) {
      if (budget <= 0) {
        return false;
      }
      --budget;
      const Node view(bottom->bytes());
      const int last = view.count() - 1;
      const PageNo leaf = view.Child(last);
      RETURN_IF_ERROR(mtr->PrepareFree(leaf));
      if (visit) {
        RETURN_IF_ERROR(VisitEntries(mtr, leaf, visit));
      }
      mtr->FreeUnseen(leaf);
      if (last > 0) {
        NodeEditor(mtr, bottom).Erase(last);
        continue;
      }
      while (path.size() > 1 && Node(path.back()->bytes()).count() == 1) {
        mtr->Free(path.back());
        path.pop_back();
      }
      NodeEditor top(mtr, path.back());
      if (top.view().count() == 1) {
        top.Format(0, index_id);
      } else {
        top.Erase(top.view().count() - 1);
      }
      break;
    }
  }
  if (Node(root->bytes()).count() > 0) {
    if (visit) {
      RETURN_IF_ERROR(VisitEntries(mtr, root_, visit));
    }
    NodeEditor(mtr, root).Format(0, index_id);
  }
  return true;
}

Status BTree::DropRoot(Mtr* mtr) {
  ASSIGN_OR_RETURN(MtrPage * root, mtr->Fetch(root_, LatchMode::kExclusive));
  INVARIANT(Node(root->bytes()).level() == 0 && Node(root->bytes()).count() == 0);
  RETURN_IF_ERROR(mtr->PrepareFree(root_));
  mtr->Free(root);
  return Status::Ok();
}

}  // namespace borealis::engine
