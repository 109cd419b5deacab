// A page on its way out: begun on the node's thread from what memory has there, finished elsewhere
// when layers have a part of it.
//
// What is begun is a snapshot: layers are held, records of the table copied. So merges, truncations
// and the end of the segment do not matter to it, and finishing touches nothing of the node's.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/status.h"
#include "base/types.h"
#include "storage_node/layer.h"
#include "storage_node/merge.h"
#include "volume/page.h"

namespace borealis::storage_node {

class Segment;

struct PageBuild {
  PageNo number;
  Lsn up_to;
  std::unique_ptr<Page> page;  // what is there so far
  // Still to be applied, the table's records when layers have been.
  std::vector<std::shared_ptr<Layer>> layers;
  std::string records;
  // For a peer that copies the page. A copied layer may have images newer than its end, of which
  // older versions are not here: where layers turn out to have nothing else, the outcome is
  // kUnavailable. (Reads of instances are refused by the horizon before.)
  bool for_copy = false;
  Status outcome;
  ReadCost cost;

  bool needs_layers() const { return !layers.empty(); }
  // Does what is left to do; the result is in `page` and `outcome`.
  void Finish();
};

// `page` may hold an older version, or zeroes. REQUIRES: up_to >= segment.horizon().
PageBuild BeginPage(const Segment& segment, PageNo number, Lsn up_to, std::unique_ptr<Page> page);

}  // namespace borealis::storage_node
