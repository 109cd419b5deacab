#include "storage_node/page_build.h"

#include "storage_node/merge.h"
#include "storage_node/segment.h"

namespace borealis::storage_node {

PageBuild BeginPage(const Segment& segment, PageNo number, Lsn up_to, std::unique_ptr<Page> page) {
  PageBuild build{number, up_to, std::move(page), {}, {}, {}};
  build.layers = segment.LayersWith(number, build.page->lsn(), up_to);
  if (build.needs_layers()) {
    build.records = segment.TableRecords(number, build.page->lsn(), up_to);
  } else {
    build.outcome = segment.ApplyTable(number, up_to, build.page.get());
  }
  return build;
}

void PageBuild::Finish() {
  if (!needs_layers()) {
    return;
  }
  outcome = ReadPageFromLayers(layers, number, up_to, page.get());
  std::string_view rest = records;
  while (outcome.ok() && !rest.empty()) {
    const RecordView record = ViewVerifiedRecord(rest);
    outcome = ApplyRecord(record, page.get());
    rest.remove_prefix(record.length);
  }
}

}  // namespace borealis::storage_node
