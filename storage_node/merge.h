// Makes layers: from a segment's table, or from neighbouring layers, merged into one.
//
// Merging is where page images come into being and where old versions go. Runs as a work off the
// node's thread, with files of its own.
//
// INV-NOD-8 rests here: of each page the newest image at or under the horizon, or all records down
// to an older one, stay; so a read at or above the horizon always finds its base.
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
  bool dropped = false;  // reads under the horizon may no longer be right
};

Result<MergeResult> MergeLayers(FileSystem& files, const std::string& directory, MergePlan plan);

// Applies entries of one page, ascending, to `page`: an image replaces it, a record at or under its
// LSN is skipped. Entries above `up_to` are left out.
Status FoldEntries(const std::vector<LayerEntry>& entries, Lsn up_to, Page* page);

// The newest version of a page at or under `up_to` that the layers hold, zeroes when none does.
// Reads back only as far as it must. A version already in `page` serves when none newer is found.
Status ReadPageFromLayers(const std::vector<std::shared_ptr<Layer>>& layers, PageNo number,
                          Lsn up_to, Page* page);

}  // namespace borealis::storage_node
