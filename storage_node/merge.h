// Makes layers: from a segment's table, or from neighbouring layers, merged into one.
//
// Merging is where page images come into being and where old versions go. Runs as a work off the
// node's thread, with files of its own.
//
// INV-NOD-8 rests here: of each page the newest image at or under the horizon, or all records down
// to an older one, stay; so a read at or above the horizon always finds its base.
// INV-LAY-2  The last record that empties a page stays, in some layer of the segment, though
//            nothing is left of the page: layers further down, and a peer that copies what changed
//            since its own layers end (node_copy.cc), still have what was on it before.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/os/file.h"
#include "base/result.h"
#include "storage_node/layer.h"
#include "storage_node/manifest.h"
#include "volume/page.h"

namespace borealis::storage_node {

// No page has more records than this in a row in one layer.
inline constexpr size_t kLayerChainMax = 1024;

struct MergePlan {
  // One of both: a table's records in any order, or layers, oldest first.
  std::vector<LayerEntry> table;
  std::vector<LayerInfo> layers;
  // The segment's older layers, oldest first: bases of pages come from there.
  std::vector<LayerInfo> below;
  // number, volume, pg, level, from, up_to of the result.
  LayerInfo output;
  // No read will come from under it.
  Lsn horizon;
  // Records at or under it may go where an image covers them.
  Lsn drop_records_up_to;
  // A page with more records than this since its last image gets a new one.
  size_t image_after_records = 32;
};

struct MergeResult {
  LayerInfo info;
  bool dropped = false;   // reads under the horizon may no longer be right
  size_t page_count = 0;  // of different pages in it and in the layers below
};

Result<MergeResult> MergeLayers(FileSystem& files, const std::string& directory, MergePlan plan);

// Applies entries of one page, ascending, to `page`: an image replaces it, a record at or under its
// LSN is skipped. Entries above `up_to` are left out.
Status FoldEntries(const std::vector<LayerEntry>& entries, Lsn up_to, Page* page);

// What reads of pages took.
struct ReadCost {
  uint64_t records = 0;  // applied
  uint64_t layers = 0;   // that had anything of the page
};

// The newest version of a page at or under `up_to` that the layers hold, zeroes when none does.
// Reads back only as far as it must. A version already in `page` serves when none newer is found.
// What it took is added to *cost.
Status ReadPageFromLayers(const std::vector<std::shared_ptr<Layer>>& layers, PageNo number,
                          Lsn up_to, Page* page, ReadCost* cost = nullptr);

}  // namespace borealis::storage_node
