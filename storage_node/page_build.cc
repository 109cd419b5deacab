#include "storage_node/page_build.h"

#include "base/fault.h"
#include "storage_node/merge.h"
#include "storage_node/segment.h"

namespace borealis::storage_node {

PageBuild BeginPage(const Segment& segment, PageNo number, Lsn up_to, std::unique_ptr<Page> page) {
  PageBuild build{number, up_to, std::move(page), {}, {}, false, {}, {}};
  segment.UseTableImage(number, up_to, build.page.get());
  build.layers = segment.LayersWith(number, build.page->lsn(), up_to);
  if (build.needs_layers()) {
    build.records = segment.TableRecords(number, build.page->lsn(), up_to);
  } else {
    build.outcome = segment.ApplyTable(number, up_to, build.page.get(), &build.cost);
  }
  return build;
}

void PageBuild::Finish() {
  if (!needs_layers()) {
    return;
  }
  const Lsn of_layers = for_copy ? Lsn(~uint64_t{0}) : up_to;
  outcome = ReadPageFromLayers(layers, number, of_layers, page.get(), &cost);
  if (outcome.ok() && page->lsn() > up_to) {
    COVER("page_build.newer_in_a_copied_layer");
    outcome = Status::Unavailable("here the page is newer");
  }
  std::string_view rest = records;
  while (outcome.ok() && !rest.empty()) {
    const RecordView record = ViewVerifiedRecord(rest);
    outcome = ApplyRecord(record, page.get());
    rest.remove_prefix(record.length);
    ++cost.records;
  }
}

}  // namespace borealis::storage_node
