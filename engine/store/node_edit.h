// Changing access to an index page: entry-level operations as short edits through an Mtr.
//
// An insert is three or four edits (entry, directory shift, slot, header), an erase two; a page
// whose free space is scattered is compacted by moves, not rewritten. All functions work on a page
// latched exclusively by the Mtr and leave it well-formed (CheckPage).
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "engine/store/mtr.h"
#include "engine/store/page_format.h"

namespace borealis::engine {

struct NodeEntry {
  std::string_view key;
  std::string_view value;
};

class NodeEditor {
 public:
  NodeEditor(Mtr* mtr, MtrPage* page) : mtr_(mtr), page_(page) {}

  Node view() const { return Node(page_->bytes()); }

  // Makes the page an empty index page.
  void Format(int level, uint64_t index_id);
  // Puts an entry at `slot`, or returns false when the page has no room.
  // REQUIRES: the slot is the key's place; neither view points into a page of the Mtr.
  bool Insert(int slot, std::string_view key, std::string_view value);
  // Puts entries at `slot` and those after it. REQUIRES: they fit; that is their place; no view
  // points into a page of the Mtr.
  void InsertRun(int slot, std::span<const NodeEntry> entries);
  // Gives the entry another value, or returns false when the page has no room.
  bool Replace(int slot, std::string_view value);
  void Erase(int slot);
  // Drops the entries from `count` on.
  void Truncate(int count);
  // Appends entries [from, to) of `source`, whose keys follow this page's. REQUIRES: they fit.
  void AppendFrom(const Node& source, int from, int to);
  void SetLeft(PageNo page) { mtr_->WriteU64(page_, node::kLeft, page.value()); }
  void SetRight(PageNo page) { mtr_->WriteU64(page_, node::kRight, page.value()); }
  void RaiseMaxTrxId(uint64_t trx_id);
  // Makes the garbage one with the free space.
  void Compact();

 private:
  void WriteCounters(size_t count, size_t heap_top, size_t garbage);
  void WriteSlot(int slot, size_t offset);

  Mtr* const mtr_;
  MtrPage* const page_;
};

// Builds an index page's image in memory: for a page that receives many entries at once.
class NodeBuilder {
 public:
  NodeBuilder(int level, uint64_t index_id);
  void Append(std::string_view key, std::string_view value);
  void AppendFrom(const Node& source, int from, int to);
  void SetLinks(PageNo left, PageNo right);
  void SetMaxTrxId(uint64_t trx_id);
  // Room for the directory is kept.
  bool Fits(size_t entry_size) const;
  Node view() const { return Node(image_); }
  // Logs heap and directory, not the free space between them.
  void WriteTo(Mtr* mtr, MtrPage* page) const;

 private:
  Page image_;
};

}  // namespace borealis::engine
