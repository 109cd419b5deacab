// What a storage node must remember besides records: epochs sealed, ranges annulled, the geometry,
// which layers make up which segment, from which journal file on to read.
//
// One small file, replaced as a whole (write aside, flush, rename, flush the directory), so it is
// either the old or the new one after any crash. A checksum covers it. The format is in
// docs/formats/manifest.md.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/types.h"
#include "storage_node/retention.h"

namespace borealis::storage_node {

// Records with LSN in (after, up_to] of an epoch below `epoch` are void.
struct AnnulledRange {
  Lsn after;
  Lsn up_to;
  VolumeEpoch epoch;
  friend bool operator==(const AnnulledRange&, const AnnulledRange&) = default;
};

// An immutable file of page versions; see layer.h.
struct LayerInfo {
  uint64_t number = 0;
  VolumeId volume;
  PgId pg;
  uint32_t level = 0;  // how often its content was merged
  Lsn from;            // holds records with LSN in (from, up_to] …
  Lsn up_to;
  Lsn complete_above;  // … all of those above this; 0 when none was dropped
  uint64_t bytes = 0;
  uint64_t record_count = 0;
  uint64_t image_count = 0;
  // From here on in the layer's footer only, not in manifests; 0 in old files.
  uint64_t empty_pages = 0;     // pages that are empty by their last entry here
  uint64_t covering_pages = 0;  // of these, pages with older entries, here or in layers below
  uint64_t plain_bytes = 0;     // of the blocks, before compression
};

struct SegmentRecord {
  VolumeId volume;
  PgId pg;
  Lsn layered_up_to;
  Lsn horizon;
  bool damaged = false;  // a layer of it failed to verify
  std::vector<LayerInfo> layers;
};

struct VolumeRecord {
  VolumeId volume;
  VolumeEpoch epoch;
  bool has_opener = false;
  uint64_t opener_id = 0;
  Lsn vdl_told;
  VolumeEpoch vdl_epoch;
  Lsn pgmrpl;
  std::vector<RetentionHold> holds;
  std::vector<AnnulledRange> annulled;
  std::string geometry;  // as volume/geometry.h encodes it; empty: none is known
  bool geometry_decided = false;
};

struct Manifest {
  NodeId node;
  bool amnesiac = false;
  uint64_t journal_first = 1;
  uint64_t journal_last = 0;
  uint64_t next_layer = 1;
  std::vector<VolumeRecord> volumes;
  std::vector<SegmentRecord> segments;
};

std::string EncodeManifest(const Manifest& manifest);
Result<Manifest> ParseManifest(std::string_view bytes);
// For inspection: what can be read of a manifest of this program's versions, verified or not.
// *trouble says what is wrong with it.
Manifest DecodeDamagedManifest(std::string_view bytes, std::string* trouble);

}  // namespace borealis::storage_node
