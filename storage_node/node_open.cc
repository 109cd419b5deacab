// Start of a node: what the disk holds becomes what the node knows.
#include <fmt/format.h>

#include <set>

#include "base/fault.h"
#include "base/obs/log.h"
#include "storage_node/core.h"

namespace borealis::storage_node {

Status Node::Core::Open() {
  Status status = [&]() -> Status {
    RETURN_IF_ERROR(files_.CreateDirectories(config_.directory));
    bool blank = false;
    RETURN_IF_ERROR(LoadManifest(&blank));
    std::string damage;
    RETURN_IF_ERROR(journal_.Open(
        journal_first_written_, journal_last_written_,
        [&](const auto& batch, const BatchView& view) { return ReplayBatch(batch, view); },
        &damage));
    if (!damage.empty()) {
      RETURN_IF_ERROR(Salvage(damage));
    }
    RemoveOrphans();
    if (blank || !damage.empty()) {
      RETURN_IF_ERROR(
          WriteWholeFile(files_, config_.directory + "/manifest", EncodeManifest(DescribeAll())));
    }
    return Status::Ok();
  }();
  if (!status.ok()) {
    OutOfService("open " + config_.directory + ": " + status.ToString(), /*reads_too=*/true);
    return status;
  }
  journal_first_written_ = std::max(journal_first_written_, uint64_t{1});
  journal_ends_open_ = journal_.file_count() > 0;
  opened_ = true;
  out_of_service_.clear();
  reads_out_of_service_ = false;
  for (auto& [id, volume] : volumes_) {
    DropUnseated(*volume);
  }
  TryMend();
  LOG_INFO("node {}: open with {} volumes{}", config_.node.value(), volumes_.size(),
           amnesiac_ ? ", as an amnesiac" : "");
  return Status::Ok();
}

Status Node::Core::LoadManifest(bool* blank) {
  const std::string path = config_.directory + "/manifest";
  auto bytes = ReadWholeFile(files_, path);
  if (!bytes.ok() && bytes.status().Is(Code::kNotFound)) {
    ASSIGN_OR_RETURN(const auto names, files_.List(config_.directory));
    for (const std::string& name : names) {
      if (JournalFileNumber(name) != 0 || LayerFileNumber(name) != 0) {
        return Status::Corruption(path + " is missing, but " + name + " is here");
      }
    }
    *blank = true;
    amnesiac_ = !config_.new_cluster;
    return Status::Ok();
  }
  RETURN_IF_ERROR(bytes.ok() ? Status::Ok() : bytes.status());
  auto parsed = ParseManifest(*bytes);
  if (!parsed.ok()) {
    return Status(parsed.status().code(), path + ": " + std::string(parsed.status().message()));
  }
  const Manifest manifest = std::move(parsed).value();
  if (manifest.node != config_.node) {
    return Status::InvalidArgument(
        fmt::format("{} is of node {}", config_.directory, manifest.node.value()));
  }
  amnesiac_ = manifest.amnesiac;
  journal_first_written_ = manifest.journal_first;
  journal_last_written_ = manifest.journal_last;
  next_layer_ = manifest.next_layer;
  for (const VolumeRecord& record : manifest.volumes) {
    VolumeState& state = VolumeFor(record.volume).state;
    state.epoch = record.epoch;
    state.has_opener = record.has_opener;
    state.opener_id = record.opener_id;
    state.vdl_told = record.vdl_told;
    state.vdl_epoch = record.vdl_epoch;
    state.retention.RaiseReadPoints(record.pgmrpl);
    state.retention.RestoreHolds(record.holds);
    state.annulled = record.annulled;
    if (!record.geometry.empty()) {
      auto known = ParseKnownGeometry(record.volume, record.geometry, record.geometry_decided);
      RETURN_IF_ERROR(known.ok() ? Status::Ok() : known.status());
      state.geometry = *known;
      ActOn(VolumeFor(record.volume), *known);
    }
  }
  return LoadLayers(manifest);
}

Status Node::Core::LoadLayers(const Manifest& manifest) {
  for (const SegmentRecord& record : manifest.segments) {
    Segment& segment = *SegmentFor(VolumeFor(record.volume), record.pg).segment;
    std::vector<std::shared_ptr<Layer>> layers;
    Status failure;
    for (const LayerInfo& info : record.layers) {
      next_layer_ = std::max(next_layer_, info.number + 1);
      auto layer = Layer::Open(files_, config_.directory, info);
      if (layer.ok()) {
        layers.push_back(std::move(layer).value());
      } else {
        failure = layer.status();
        if (failure.Is(Code::kUnsupported)) {
          return failure;  // a newer program wrote it: nothing is wrong with it
        }
      }
    }
    // Layers hold nothing that could still be undecided (INV-NOD-3): without one the segment keeps
    // its promises, but cannot be read until a peer has given the pages again.
    if (!failure.ok()) {
      layers.clear();
    }
    segment.Restore(record, std::move(layers));
    if (!failure.ok()) {
      NoteDamage(segment, failure);
    }
  }
  return Status::Ok();
}

Status Node::Core::ReplayBatch(const std::shared_ptr<JournalBatch>& batch, const BatchView& view) {
  batch->live = 1;  // held while it is looked through
  journal_.Retain(batch);
  for (const BatchPart& part : view.parts) {
    Volume& volume = VolumeFor(part.volume);
    volume.state.NoteVdl(part.vdl_told, part.vdl_epoch);
    if (!HasSeat(volume, part.pg)) {
      continue;  // left over from a segment that went with its seat
    }
    Segment& segment = *SegmentFor(volume, part.pg).segment;
    for (std::string_view rest = part.records; !rest.empty();) {
      ASSIGN_OR_RETURN(const RecordView record, ParseRecord(rest));
      rest.remove_prefix(record.length);
      volume.state.epoch = std::max(volume.state.epoch, record.epoch);
      if (segment.Insert(record, batch.get()) == Segment::Taken::kConflict) {
        return Status::Corruption("two records at one place: " + DescribeRecord(record));
      }
    }
  }
  journal_.Release(batch.get());
  return Status::Ok();
}

// What is left of a damaged journal is written anew, so that the damaged files are not needed any
// more; the manifest, written next, says that the node is an amnesiac.
Status Node::Core::Salvage(const std::string& damage) {
  COVER("node.salvage");
  LOG_ERROR("node {}: journal is damaged: {}", config_.node.value(), damage);
  amnesiac_ = true;
  Gathering salvaged;
  for (auto& [id, volume] : volumes_) {
    for (auto& [pg, held] : volume->segments) {
      salvaged.builder.BeginPart(id, pg, volume->state.vdl_told, volume->state.vdl_epoch);
      for (const std::string& record : held.segment->TakeTable()) {
        salvaged.records.push_back({held.segment.get(), salvaged.builder.Add(record),
                                    static_cast<uint32_t>(record.size())});
      }
      salvaged.builder.EndPart();
    }
  }
  journal_.StartAfresh();
  if (salvaged.records.empty()) {
    return Status::Ok();
  }
  const auto batch = salvaged.builder.Take();
  RETURN_IF_ERROR(journal_.PrepareWrite(batch)());
  flushing_ = std::move(salvaged);
  journal_.Retain(batch);
  IndexBatch(batch.get());
  flushing_.Clear();
  return Status::Ok();
}

void Node::Core::RemoveOrphans() {
  std::set<uint64_t> known;
  for (const auto& [id, volume] : volumes_) {
    for (const auto& [pg, held] : volume->segments) {
      if (held.segment->damaged) {
        return;  // its files are the last resort
      }
      for (const auto& layer : held.segment->layers()) {
        known.insert(layer->info().number);
      }
    }
  }
  auto names = files_.List(config_.directory);
  if (!names.ok()) {
    return;  // only space is lost, until the next start
  }
  for (const std::string& name : *names) {
    const uint64_t number = LayerFileNumber(name);
    if (number != 0 && !known.contains(number)) {
      next_layer_ = std::max(next_layer_, number + 1);
      files_.Remove(config_.directory + "/" + name).IgnoreError();
    }
  }
}

}  // namespace borealis::storage_node
