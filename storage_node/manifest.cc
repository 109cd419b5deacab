#include "storage_node/manifest.h"

#include <fmt/format.h>

#include "base/coding.h"
#include "base/crc32c.h"

namespace borealis::storage_node {

namespace {

constexpr uint32_t kManifestMagic = 0x4D4E4D42;  // "BMNM"
constexpr uint32_t kManifestVersion = 3;
constexpr uint32_t kOldestVersion = 2;  // it knew no holds
constexpr size_t kPrefixSize = 12;

void PutLayer(std::string* to, const LayerInfo& layer) {
  AppendLittle(to, layer.number);
  AppendLittle(to, layer.level);
  AppendLittle(to, layer.from.value());
  AppendLittle(to, layer.up_to.value());
  AppendLittle(to, layer.complete_above.value());
  AppendLittle(to, layer.bytes);
  AppendLittle(to, layer.record_count);
  AppendLittle(to, layer.image_count);
}

void PutSegment(std::string* to, const SegmentRecord& segment) {
  AppendLittle(to, segment.volume.value());
  AppendLittle(to, segment.pg.value());
  AppendLittle(to, segment.layered_up_to.value());
  AppendLittle(to, segment.horizon.value());
  AppendLittle(to, static_cast<uint8_t>(segment.damaged ? 1 : 0));
  AppendLittle(to, static_cast<uint32_t>(segment.layers.size()));
  for (const LayerInfo& layer : segment.layers) {
    PutLayer(to, layer);
  }
}

void PutVolume(std::string* to, const VolumeRecord& volume) {
  AppendLittle(to, volume.volume.value());
  AppendLittle(to, volume.epoch.value());
  AppendLittle(to, static_cast<uint8_t>(volume.has_opener ? 1 : 0));
  AppendLittle(to, volume.opener_id);
  AppendLittle(to, volume.vdl_told.value());
  AppendLittle(to, volume.vdl_epoch.value());
  AppendLittle(to, volume.pgmrpl.value());
  AppendLittle(to, static_cast<uint32_t>(volume.annulled.size()));
  for (const AnnulledRange& range : volume.annulled) {
    AppendLittle(to, range.after.value());
    AppendLittle(to, range.up_to.value());
    AppendLittle(to, range.epoch.value());
  }
  AppendLittle(to, static_cast<uint8_t>(volume.geometry_decided ? 1 : 0));
  AppendLittle(to, static_cast<uint32_t>(volume.geometry.size()));
  to->append(volume.geometry);
  AppendLittle(to, static_cast<uint32_t>(volume.holds.size()));
  for (const RetentionHold& hold : volume.holds) {
    AppendLittle(to, static_cast<uint8_t>(hold.kind));
    AppendLittle(to, hold.holder);
    AppendLittle(to, hold.lsn.value());
  }
}

LayerInfo GetLayer(ByteReader* reader, VolumeId volume, PgId pg) {
  LayerInfo layer;
  layer.volume = volume;
  layer.pg = pg;
  layer.number = reader->Little<uint64_t>();
  layer.level = reader->Little<uint32_t>();
  layer.from = Lsn(reader->Little<uint64_t>());
  layer.up_to = Lsn(reader->Little<uint64_t>());
  layer.complete_above = Lsn(reader->Little<uint64_t>());
  layer.bytes = reader->Little<uint64_t>();
  layer.record_count = reader->Little<uint64_t>();
  layer.image_count = reader->Little<uint64_t>();
  return layer;
}

SegmentRecord GetSegment(ByteReader* reader) {
  SegmentRecord segment;
  segment.volume = VolumeId(reader->Little<uint64_t>());
  segment.pg = PgId(reader->Little<uint32_t>());
  segment.layered_up_to = Lsn(reader->Little<uint64_t>());
  segment.horizon = Lsn(reader->Little<uint64_t>());
  segment.damaged = reader->Little<uint8_t>() != 0;
  const auto layer_count = reader->Little<uint32_t>();
  for (uint32_t i = 0; i < layer_count && reader->ok(); ++i) {
    segment.layers.push_back(GetLayer(reader, segment.volume, segment.pg));
  }
  return segment;
}

VolumeRecord GetVolume(ByteReader* reader, uint32_t version) {
  VolumeRecord volume;
  volume.volume = VolumeId(reader->Little<uint64_t>());
  volume.epoch = VolumeEpoch(reader->Little<uint64_t>());
  volume.has_opener = reader->Little<uint8_t>() != 0;
  volume.opener_id = reader->Little<uint64_t>();
  volume.vdl_told = Lsn(reader->Little<uint64_t>());
  volume.vdl_epoch = VolumeEpoch(reader->Little<uint64_t>());
  volume.pgmrpl = Lsn(reader->Little<uint64_t>());
  const auto range_count = reader->Little<uint32_t>();
  for (uint32_t i = 0; i < range_count && reader->ok(); ++i) {
    AnnulledRange range;
    range.after = Lsn(reader->Little<uint64_t>());
    range.up_to = Lsn(reader->Little<uint64_t>());
    range.epoch = VolumeEpoch(reader->Little<uint64_t>());
    volume.annulled.push_back(range);
  }
  volume.geometry_decided = reader->Little<uint8_t>() != 0;
  volume.geometry = std::string(reader->Bytes(reader->Little<uint32_t>()));
  const auto hold_count = version >= 3 ? reader->Little<uint32_t>() : 0;
  for (uint32_t i = 0; i < hold_count && reader->ok(); ++i) {
    RetentionHold hold;
    hold.kind = static_cast<HoldKind>(reader->Little<uint8_t>());
    hold.holder = reader->Little<uint64_t>();
    hold.lsn = Lsn(reader->Little<uint64_t>());
    volume.holds.push_back(hold);
  }
  return volume;
}

}  // namespace

std::string EncodeManifest(const Manifest& manifest) {
  std::string bytes(kPrefixSize, '\0');
  AppendLittle(&bytes, manifest.node.value());
  AppendLittle(&bytes, static_cast<uint8_t>(manifest.amnesiac ? 1 : 0));
  AppendLittle(&bytes, manifest.journal_first);
  AppendLittle(&bytes, manifest.journal_last);
  AppendLittle(&bytes, manifest.next_layer);
  AppendLittle(&bytes, static_cast<uint32_t>(manifest.volumes.size()));
  for (const VolumeRecord& volume : manifest.volumes) {
    PutVolume(&bytes, volume);
  }
  AppendLittle(&bytes, static_cast<uint32_t>(manifest.segments.size()));
  for (const SegmentRecord& segment : manifest.segments) {
    PutSegment(&bytes, segment);
  }
  StoreLittle(bytes.data(), kManifestMagic);
  StoreLittle(bytes.data() + 4, kManifestVersion);
  StoreLittle(bytes.data() + 8, Crc32c(std::string_view(bytes).substr(kPrefixSize)));
  return bytes;
}

namespace {

Status CheckPrefix(std::string_view bytes) {
  if (bytes.size() < kPrefixSize || LoadLittle<uint32_t>(bytes.data()) != kManifestMagic) {
    return Status::Corruption("not a manifest");
  }
  const auto version = LoadLittle<uint32_t>(bytes.data() + 4);
  if (version < kOldestVersion || version > kManifestVersion) {
    return Status::Unsupported(
        fmt::format("manifest of format version {}, this program reads {} to {}", version,
                    kOldestVersion, kManifestVersion));
  }
  return Status::Ok();
}

// As far as the bytes go. Whether they end where the manifest does.
bool DecodeBody(std::string_view body, uint32_t version, Manifest* manifest) {
  ByteReader reader(body);
  manifest->node = NodeId(reader.Little<uint32_t>());
  manifest->amnesiac = reader.Little<uint8_t>() != 0;
  manifest->journal_first = reader.Little<uint64_t>();
  manifest->journal_last = reader.Little<uint64_t>();
  manifest->next_layer = reader.Little<uint64_t>();
  const auto volume_count = reader.Little<uint32_t>();
  for (uint32_t i = 0; i < volume_count && reader.ok(); ++i) {
    manifest->volumes.push_back(GetVolume(&reader, version));
  }
  const auto segment_count = reader.Little<uint32_t>();
  for (uint32_t i = 0; i < segment_count && reader.ok(); ++i) {
    manifest->segments.push_back(GetSegment(&reader));
  }
  return reader.ok() && reader.empty();
}

}  // namespace

Result<Manifest> ParseManifest(std::string_view bytes) {
  RETURN_IF_ERROR(CheckPrefix(bytes));
  const std::string_view body = bytes.substr(kPrefixSize);
  if (Crc32c(body) != LoadLittle<uint32_t>(bytes.data() + 8)) {
    return Status::Corruption("manifest checksum does not match");
  }
  Manifest manifest;
  if (!DecodeBody(body, LoadLittle<uint32_t>(bytes.data() + 4), &manifest)) {
    return Status::Corruption("manifest does not add up");
  }
  return manifest;
}

Manifest DecodeDamagedManifest(std::string_view bytes, std::string* trouble) {
  Manifest manifest;
  if (Status status = CheckPrefix(bytes); !status.ok()) {
    *trouble = status.ToString();
    return manifest;
  }
  *trouble = "corruption: manifest checksum does not match; what it seems to say:";
  if (!DecodeBody(bytes.substr(kPrefixSize), LoadLittle<uint32_t>(bytes.data() + 4), &manifest)) {
    *trouble = "corruption: manifest does not add up; what it seems to say:";
  }
  return manifest;
}

}  // namespace borealis::storage_node
