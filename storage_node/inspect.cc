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

// Where after a bad place the next good record begins; the end when there is none.
size_t NextRecord(std::string_view bytes) {
  for (size_t at = 1; at + kRecordHeaderSize <= bytes.size(); ++at) {
    const auto length = LoadLittle<uint32_t>(bytes.data() + at + 4);
    if (length >= kRecordHeaderSize && length <= bytes.size() - at &&
        ParseRecord(bytes.substr(at)).ok()) {
      return at;
    }
  }
  return bytes.size();
}

void ShowRecords(std::string_view bytes, std::string_view indent, const LineSink& sink) {
  while (!bytes.empty()) {
    const auto record = ParseRecord(bytes);
    if (!record.ok()) {
      const size_t next = NextRecord(bytes);
      sink(fmt::format("{}{} bytes that are no record: {}", indent, next,
                       record.status().ToString()));
      bytes.remove_prefix(next);
      continue;
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

namespace {

// A batch that does not verify: its head, as far as it makes sense, and the records that do.
void ShowDamagedBatch(std::string_view bytes, const Status& why, const InspectOptions& options,
                      const LineSink& sink) {
  const size_t size = LoadLittle<uint32_t>(bytes.data() + 8);
  sink(fmt::format("  begins like batch {} of file {}: {}", LoadLittle<uint64_t>(bytes.data() + 16),
                   LoadLittle<uint64_t>(bytes.data() + 24), why.ToString()));
  if (options.records && size > kBatchHeaderSize + kBatchPartHeaderSize && size <= bytes.size()) {
    const std::string_view parts = bytes.substr(0, size).substr(kBatchHeaderSize);
    ShowRecords(parts.substr(kBatchPartHeaderSize), "    ", sink);
  }
}

// The next good block at or after `from`; npos when there is none.
size_t NextBlock(std::string_view bytes, size_t from) {
  constexpr std::string_view kMagic = "BBL2";
  constexpr size_t kMagicAt = 12;
  for (size_t at = bytes.find(kMagic, from + kMagicAt); at != std::string_view::npos;
       at = bytes.find(kMagic, at + 1)) {
    if (VerifyBlock(bytes.substr(at - kMagicAt)).ok()) {
      return at - kMagicAt;
    }
  }
  return std::string_view::npos;
}

void ShowBlock(std::string_view stored, size_t offset, const InspectOptions& options,
               const LineSink& sink) {
  const auto plain = DecodeBlock(stored);
  if (!plain.ok()) {
    return sink(fmt::format("{:#010x}: {}", offset, plain.status().ToString()));
  }
  sink(fmt::format("{:#010x}: block of {} bytes, {} plain", offset, stored.size(), plain->size()));
  size_t at = 0;
  LayerEntry entry;
  while (NextEntry(*plain, &at, &entry)) {
    if (options.records) {
      ShowEntry(entry, sink);
    }
  }
  if (at != plain->size() && plain->size() > kBlockHeaderSize) {
    sink(fmt::format("  entry at byte {} of it is malformed", at));
  }
}

}  // namespace

void InspectJournal(std::string_view bytes, const InspectOptions& options, const LineSink& sink) {
  size_t bad_from = 0;
  size_t bad = 0;
  const auto end_gap = [&] {
    if (bad > 0) {
      const bool unused = IsAllZero(bytes.substr(bad_from, bad));
      sink(fmt::format("{:#010x}: {} bytes that are no batch: {}", bad_from, bad,
                       unused ? "unused" : "of an earlier use, torn or damaged"));
    }
    bad = 0;
  };
  for (size_t offset = 0; offset < bytes.size();) {
    const std::string_view here = bytes.substr(offset);
    const auto batch = ParseBatch(here);
    if (!batch.ok()) {
      if (here.starts_with("BJB1") && here.size() >= kBatchHeaderSize) {
        end_gap();
        sink(fmt::format("{:#010x}: damaged", offset));
        ShowDamagedBatch(here, batch.status(), options, sink);
      }
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
    sink(fmt::format("{} pages left empty, {} with older versions; {} bytes of blocks in plain",
                     info->empty_pages, info->covering_pages, info->plain_bytes));
  } else {
    sink(info.status().ToString());
  }
  // Blocks are found one after the other, so a bad index hides none.
  size_t offset = 0;
  while (offset < bytes.size()) {
    const auto block = VerifyBlock(bytes.substr(offset));
    if (block.ok()) {
      ShowBlock(*block, offset, options, sink);
      offset += block->size();
      continue;
    }
    const size_t next = NextBlock(bytes, offset);
    if (next == std::string_view::npos) {
      sink(fmt::format(
          "{:#010x}: {}", offset,
          block.status().Is(Code::kNotFound) ? "end of blocks" : block.status().ToString()));
      break;
    }
    sink(fmt::format("{:#010x}: {} bytes that are no block: {}", offset, next - offset,
                     block.status().ToString()));
    offset = next;
  }
  for (const std::string& trouble : LayerIndexTroubles(bytes)) {
    sink(trouble);
  }
}

void InspectManifest(std::string_view bytes, const LineSink& sink) {
  auto manifest = ParseManifest(bytes);
  if (!manifest.ok()) {
    std::string trouble;
    manifest = DecodeDamagedManifest(bytes, &trouble);
    sink(trouble);
    if (manifest->volumes.empty() && manifest->segments.empty()) {
      return;
    }
  }
  sink(fmt::format("node {}{}, journal files {} to {}, next layer {}", manifest->node.value(),
                   manifest->amnesiac ? ", an amnesiac" : "", manifest->journal_first,
                   manifest->journal_last, manifest->next_layer));
  for (const VolumeRecord& volume : manifest->volumes) {
    sink(fmt::format("volume {} epoch {}{} vdl {} (epoch {}) pgmrpl {}", volume.volume.value(),
                     volume.epoch.value(),
                     volume.has_opener ? fmt::format(" by opener {:#x}", volume.opener_id) : "",
                     volume.vdl_told.value(), volume.vdl_epoch.value(), volume.pgmrpl.value()));
    for (const RetentionHold& hold : volume.holds) {
      sink(fmt::format("  held by {} {} from lsn {} on", NameOf(hold.kind), hold.holder,
                       hold.lsn.value()));
    }
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
