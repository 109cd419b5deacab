// Freeing what rows of a tree keep off-page, when the tree goes and no version of them is read.
//
// The off-page part of a delete-marked row is not the tree's: the undo record of the delete has it,
// and purge frees it.
#pragma once

#include <string_view>

#include "base/result.h"

namespace borealis::engine {

class BTree;
struct Core;

// Frees the off-page part of the row under `key`, if it has one. It is cut off its entry in the
// mini-transaction that frees its last page, so a crash in between does no harm. REQUIRES: nobody
// else uses the tree. kCorruption when the row is not there.
Status FreeOffPagePart(Core& core, BTree* tree, std::string_view key);

// The same for the value of a row that is in no tree. What a volume does not take any more is lost
// to it.
void FreeOffPagePartOf(Core& core, std::string_view value);

// Of all rows of the tree.
Status FreeOffPageParts(Core& core, BTree* tree);

}  // namespace borealis::engine
