#include "engine/row/off_page.h"

#include <string>

#include "engine/core.h"
#include "engine/row/row_format.h"
#include "engine/store/leaf_cursor.h"

namespace borealis::engine {

Status FreeOffPagePart(Core& core, BTree* tree, std::string_view key) {
  std::string value;
  Status found = tree->Get(key, &value);
  if (found.Is(Code::kNotFound)) {
    return Status::Corruption("row of a tree that nobody uses has gone");
  }
  RETURN_IF_ERROR(std::move(found));
  ASSIGN_OR_RETURN(RowView row, DecodeRow(value));
  if (!row.header.is_long || row.header.deleted) {
    return Status::Ok();
  }
  ASSIGN_OR_RETURN(LongValueReference reference, LongValueReference::Parse(row.reference()));
  for (bool freed = false; !freed;) {
    Mtr mtr(core.store);
    RETURN_IF_ERROR(mtr.StartWriting());
    LeafCursor cursor(tree, &mtr);
    bool exact = false;
    RETURN_IF_ERROR(cursor.SeekLeaf(key, LatchMode::kExclusive, &exact));
    if (!exact) {
      return Status::Corruption("row of a tree that nobody uses has gone");
    }
    ASSIGN_OR_RETURN(freed, FreeLongValueStep(&mtr, reference, 64));
    if (freed) {
      const char flags = 0;
      cursor.PatchValue(0, {&flags, 1});
    }
    mtr.Commit();
  }
  return Status::Ok();
}

void FreeOffPagePartOf(Core& core, std::string_view value) {
  Result<RowView> row = DecodeRow(value);
  if (!row.ok() || !row->header.is_long) {
    return;
  }
  Result<LongValueReference> reference = LongValueReference::Parse(row->reference());
  for (bool freed = !reference.ok(); !freed;) {
    Mtr mtr(core.store);
    if (!mtr.StartWriting().ok()) {
      return;
    }
    Result<bool> step = FreeLongValueStep(&mtr, *reference, 64);
    if (mtr.has_changes()) {
      mtr.Commit();
    }
    freed = !step.ok() || *step;
  }
}

Status FreeOffPageParts(Core& core, BTree* tree) {
  std::string position;
  for (;;) {
    std::string key;
    bool any = false;
    {
      Mtr mtr(core.store);
      LeafCursor cursor(tree, &mtr);
      RETURN_IF_ERROR(cursor.Seek(position, SeekMode::kAtLeast, LatchMode::kShared));
      while (cursor.valid() && !any) {
        ASSIGN_OR_RETURN(RowView row, DecodeRow(cursor.value()));
        any = row.header.is_long && !row.header.deleted;
        if (any) {
          key = cursor.key();
        } else {
          RETURN_IF_ERROR(cursor.Next());
        }
      }
    }
    if (!any) {
      return Status::Ok();
    }
    RETURN_IF_ERROR(FreeOffPagePart(core, tree, key));
    position = std::move(key);
  }
}

}  // namespace borealis::engine
