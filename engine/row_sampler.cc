#include "engine/row_sampler.h"

#include <string>

#include "engine/row/row_format.h"
#include "engine/store/leaf_cursor.h"
#include "engine/table_trees.h"

namespace borealis::engine {

Status SampleRows(const Table& table, uint32_t leaves, uint32_t rows_per_leaf,
                  const std::function<void(std::string_view row)>& see, bool* whole) {
  *whole = false;
  TreePin pin(table.trees());
  if (!pin.held()) {
    return {};
  }
  BTree& tree = table.trees().tree(0);
  ASSIGN_OR_RETURN(const BTree::Estimate size, tree.EstimateSize(1));
  const bool single = size.leaf_pages <= 1;
  *whole = single;
  std::string last;
  for (uint32_t i = 0; i < (single ? 1 : leaves); ++i) {
    std::string from;
    if (!single) {
      ASSIGN_OR_RETURN(from, tree.KeyAt((i + 0.5) / leaves));
      if (i > 0 && from <= last) {
        continue;
      }
    }
    Mtr mtr(tree.store());
    LeafCursor cursor(&tree, &mtr);
    RETURN_IF_ERROR(cursor.Seek(from, SeekMode::kAtLeast, LatchMode::kShared));
    const PageNo leaf = cursor.valid() ? cursor.leaf()->number() : kNoPage;
    for (uint32_t rows = 0; cursor.valid() && cursor.leaf()->number() == leaf; ++rows) {
      if (rows == rows_per_leaf) {
        *whole = false;
        break;
      }
      ASSIGN_OR_RETURN(const RowView row, DecodeRow(cursor.value()));
      if (row.header.is_long) {
        *whole = false;
      } else if (!row.header.deleted) {
        see(row.stored);
      }
      RETURN_IF_ERROR(cursor.Next());
    }
    last = std::move(from);
  }
  return {};
}

}  // namespace borealis::engine
