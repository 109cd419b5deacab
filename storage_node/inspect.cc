#include "storage_node/inspect.h"

#include <fmt/format.h>

#include "base/coding.h"
#include "storage_node/journal.h"
#include "storage_node/layer.h"
#include "storage_node/manifest.h"
#include "volume/geometry.h"
#include "volume/page.h"
#include "volume/record.h"

namespace borealis::storage_node {

namespace {

void ShowRecords(std::string_view bytes, std::string_view indent, const LineSink& sink) {
  while (!bytes.empty()) {
    const auto record = ParseRecord(bytes);
    if (!record.ok()) {
      sink(fmt::format("{}{}", indent, record.status().ToString()));
      return;
    }
    sink(fmt::format("{}{}", indent, DescribeRecord(*record)));
    bytes.remove_prefix(record->length);
  }
}

void ShowEntry(const LayerEntry& entry, const LineSink& sink) {
  if (!entry.is_image) {
    return ShowRecords(entry.bytes, "  ", sink);
  }
  Page page;
  std::memcpy(page.bytes, entry.bytes.data(), kPageSize);
  sink(fmt::format("  image of page {} at lsn {}{}", entry.page.value(), entry.lsn.value(),
                   PageIsIntact(page) ? "" : ": does not verify"));
}

void ShowLayerInfo(const LayerInfo& info, std::string_view indent, const LineSink& sink) {
  sink(
      fmt::format("{}layer {} level {} lsn ({}, {}] complete above {}: {} records, {} images, {} "
                  "bytes",
                  indent, info.number, info.level, info.from.value(), info.up_to.value(),
                  info.complete_above.value(), info.record_count, info.image_count, info.bytes));
}

void ShowGeometry(const VolumeRecord& volume, const LineSink& sink) {
  if (volume.geometry.empty()) {
    return sink("  no geometry");
  }
  const auto geometry = ParseGeometry(volume.geometry);
  if (!geometry.ok()) {
    return sink("  geometry: " + geometry.status().ToString());
  }
  sink(fmt::format("  geometry {}{}: {} groups of {} pages on {} nodes",
                   geometry->version.ToString(), volume.geometry_decided ? ", decided" : "",
                   geometry->groups.size(), geometry->pages_per_pg, geometry->nodes.size()));
}

}  // namespace

void InspectJournal(std::string_view bytes, const InspectOptions& options, const LineSink& sink) {
  size_t bad_from = 0;
  size_t bad = 0;
  const auto end_gap = [&] {
    if (bad > 0) {
      sink(fmt::format("{:#010x}: {} bytes that are no batch: unused, torn or damaged", bad_from,
                       bad));
    }
    bad = 0;
  };
  for (size_t offset = 0; offset < bytes.size();) {
    const auto batch = ParseBatch(bytes.substr(offset));
    if (!batch.ok()) {
      bad_from = bad == 0 ? offset : bad_from;
      bad += std::min(kJournalBlockSize, bytes.size() - offset);
      offset += kJournalBlockSize;
      continue;
    }
    end_gap();
    sink(fmt::format("{:#010x}: batch {} file {} node {}: {} parts, {} bytes", offset,
                     batch->sequence, batch->file, batch->node.value(), batch->parts.size(),
                     batch->padded_size));
    for (const BatchPart& part : batch->parts) {
      sink(fmt::format("  volume {} pg {} vdl {} (epoch {}): {} bytes", part.volume.value(),
                       part.pg.value(), part.vdl_told.value(), part.vdl_epoch.value(),
                       part.records.size()));
      if (options.records) {
        ShowRecords(part.records, "    ", sink);
      }
    }
    offset += batch->padded_size;
  }
  end_gap();
}

void InspectLayer(std::string_view bytes, const InspectOptions& options, const LineSink& sink) {
  const auto info = ParseLayerFooter(bytes);
  if (info.ok()) {
    sink(fmt::format("volume {} pg {}", info->volume.value(), info->pg.value()));
    ShowLayerInfo(*info, "", sink);
  } else {
    sink(info.status().ToString());
  }
  // Blocks are found one after the other, so a bad index hides none.
  for (size_t offset = 0; offset < bytes.size();) {
    const auto block = VerifyBlock(bytes.substr(offset));
    if (!block.ok()) {
      sink(fmt::format(
          "{:#010x}: {}", offset,
          block.status().Is(Code::kNotFound) ? "end of blocks" : block.status().ToString()));
      return;
    }
    const auto plain = DecodeBlock(*block);
    if (!plain.ok()) {
      sink(fmt::format("{:#010x}: {}", offset, plain.status().ToString()));
      return;
    }
    sink(
        fmt::format("{:#010x}: block of {} bytes, {} plain", offset, block->size(), plain->size()));
    size_t at = 0;
    LayerEntry entry;
    while (options.records && NextEntry(*plain, &at, &entry)) {
      ShowEntry(entry, sink);
    }
    offset += block->size();
  }
}

void InspectManifest(std::string_view bytes, const LineSink& sink) {
  const auto manifest = ParseManifest(bytes);
  if (!manifest.ok()) {
    sink(manifest.status().ToString());
    return;
  }
  sink(fmt::format("node {}{}, journal files {} to {}, next layer {}", manifest->node.value(),
                   manifest->amnesiac ? ", an amnesiac" : "", manifest->journal_first,
                   manifest->journal_last, manifest->next_layer));
  for (const VolumeRecord& volume : manifest->volumes) {
    sink(fmt::format("volume {} epoch {}{} vdl {} (epoch {}) pgmrpl {}", volume.volume.value(),
                     volume.epoch.value(),
                     volume.has_opener ? fmt::format(" by opener {:#x}", volume.opener_id) : "",
                     volume.vdl_told.value(), volume.vdl_epoch.value(), volume.pgmrpl.value()));
    ShowGeometry(volume, sink);
    for (const AnnulledRange& range : volume.annulled) {
      sink(fmt::format("  annulled ({}, {}] by epoch {}", range.after.value(), range.up_to.value(),
                       range.epoch.value()));
    }
  }
  for (const SegmentRecord& segment : manifest->segments) {
    sink(fmt::format("volume {} pg {} in layers up to {}, horizon {}{}", segment.volume.value(),
                     segment.pg.value(), segment.layered_up_to.value(), segment.horizon.value(),
                     segment.damaged ? ", damaged" : ""));
    for (const LayerInfo& layer : segment.layers) {
      ShowLayerInfo(layer, "  ", sink);
    }
  }
}

}  // namespace borealis::storage_node
