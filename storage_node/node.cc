#include "storage_node/node.h"

#include "base/invariant.h"
#include "base/obs/log.h"
#include "storage_node/core.h"

namespace borealis::storage_node {

namespace {
constexpr int64_t kFreeBytesIntervalUs = 1'000'000;
// How often all segments are looked at, of which there may be thousands. What cannot wait so long
// comes by an event, or sets next_walk_us_.
constexpr int64_t kWalkIntervalUs = 20'000;
}  // namespace

Node::Node(NodeConfig config, NodeEnvironment& environment, FileSystem& files, const Clock& clock)
    : core_(std::make_unique<Core>(std::move(config), environment, files, clock)) {}
Node::~Node() = default;

Status Node::Open() {
  return core_->Open();
}
void Node::OnFrame(PeerId from, Frame frame) {
  core_->OnFrame(from, std::move(frame));
}
void Node::OnTimer() {
  core_->OnTimer();
}
void Node::OnWorkDone(uint64_t id, Status outcome) {
  core_->OnWorkDone(id, std::move(outcome));
}
bool Node::in_service() const {
  return core_->RefusesPromises().empty();
}
bool Node::amnesiac() const {
  return core_->amnesiac_;
}
std::string Node::out_of_service_reason() const {
  return core_->RefusesPromises();
}
bool Node::needs_restart() const {
  return !core_->out_of_service_.empty();
}
VolumeEpoch Node::epoch(VolumeId volume) const {
  const auto at = core_->volumes_.find(volume);
  return at == core_->volumes_.end() ? VolumeEpoch(0) : at->second->state.epoch;
}
Lsn Node::vdl_told(VolumeId volume) const {
  const auto at = core_->volumes_.find(volume);
  return at == core_->volumes_.end() ? Lsn(0) : at->second->state.vdl_told;
}
GeometryVersion Node::geometry_version(VolumeId volume) const {
  const auto at = core_->volumes_.find(volume);
  return at == core_->volumes_.end() ? GeometryVersion() : at->second->acting.version();
}
std::vector<SegmentSummary> Node::Segments() const {
  std::vector<SegmentSummary> segments;
  for (const auto& [id, volume] : core_->volumes_) {
    for (const auto& [pg, held] : volume->segments) {
      segments.push_back(core_->Summarize(*volume, pg, held));
    }
  }
  return segments;
}
NodeCounters Node::Counters() const {
  return core_->CountSpace();
}

NodeCounters Node::Core::CountSpace() const {
  NodeCounters counters = counters_;
  counters.journal_bytes = journal_.SizeBytes();
  for (const auto& [id, volume] : volumes_) {
    for (const auto& [pg, held] : volume->segments) {
      counters.logical_bytes += held.segment->LivePageCount() * kPageSize;
      for (const auto& layer : held.segment->layers()) {
        counters.layer_bytes += layer->info().bytes;
        counters.layer_plain_bytes += layer->info().plain_bytes;
      }
    }
  }
  return counters;
}

Node::Core::Core(NodeConfig config, NodeEnvironment& environment, FileSystem& files,
                 const Clock& clock)
    : config_(std::move(config)),
      environment_(environment),
      files_(files),
      clock_(clock),
      out_of_service_("not opened"),
      journal_(files, config_.directory, config_.node, config_.journal_file_bytes),
      cache_(config_.page_cache_pages),
      repair_budget_(config_.repair_bytes_per_second) {}

Node::Core::~Core() = default;

void Node::Core::Start(Lane lane, std::function<Status()> work, Continuation then) {
  const uint64_t id = next_work_++;
  works_.emplace(id, std::move(then));
  environment_.Start(lane, id, std::move(work));
}

void Node::Core::OnWorkDone(uint64_t id, Status outcome) {
  const auto at = works_.find(id);
  INVARIANT(at != works_.end());
  const Continuation then = std::move(at->second);
  works_.erase(at);
  then(std::move(outcome));
}

void Node::Core::OnFrame(PeerId from, Frame frame) {
  switch (static_cast<MessageType>(frame.type)) {
    case MessageType::kAppendRequest:
      return OnAppend(from, frame);
    case MessageType::kReadPagesRequest:
      return OnReadPages(from, frame);
    case MessageType::kSealRequest:
      return OnSeal(from, frame);
    case MessageType::kTruncateRequest:
      return OnTruncate(from, frame);
    case MessageType::kFetchRecordsRequest:
      return OnFetchRecords(from, frame);
    case MessageType::kFetchRecordsReply:
      return OnFetchRecordsReply(frame);
    case MessageType::kFetchPagesRequest:
      return OnFetchPages(from, frame);
    case MessageType::kFetchPagesReply:
      return OnFetchPagesReply(frame);
    case MessageType::kGossipStatus:
      return OnGossip(from, frame);
    case MessageType::kGeometryUpdate:
      return OnGeometryUpdate(from, frame);
    case MessageType::kGeometryReply:
      return;  // of a peer: its gossip tells as much
    case MessageType::kNodeStatusRequest:
      return OnNodeStatus(from, frame);
    case MessageType::kRetentionRequest:
      return OnRetention(from, frame);
    default:
      LOG_WARN("node {}: message of type {} is none of ours", config_.node.value(), frame.type);
  }
}

void Node::Core::OnTimer() {
  if (!opened_ || !out_of_service_.empty()) {
    return;
  }
  const int64_t now_us = now();
  if (now_us >= next_free_bytes_us_) {
    next_free_bytes_us_ = now_us + kFreeBytesIntervalUs;
    const auto free_bytes = files_.FreeBytes(config_.directory);
    free_bytes_ = free_bytes.ok() ? *free_bytes : 0;
  }
  if (now_us >= next_gossip_us_) {
    next_gossip_us_ = now_us + config_.gossip_interval_us;
    SendGossip();
  }
  if (now_us >= next_walk_us_) {
    next_walk_us_ = now_us + kWalkIntervalUs;
    CatchUpAll(now_us);
    MakeImagesDue();
    StartLayerWork();
  }
  CloseJournal(now_us);
  TryMend();
  BuryLeaving();
  StepScrub(now_us);
  if (journal_.FirstNeeded() > journal_first_written_ ||
      journal_.LastFile() > journal_last_written_) {
    WriteManifest(nullptr);
  }
}

void Node::Core::OutOfService(const std::string& reason, bool reads_too) {
  LOG_ERROR("node {}: out of service: {}", config_.node.value(), reason);
  if (out_of_service_.empty()) {
    out_of_service_ = reason;
  }
  reads_out_of_service_ |= reads_too;
}

std::string Node::Core::RefusesPromises() const {
  if (!out_of_service_.empty()) {
    return out_of_service_;
  }
  return amnesiac_ ? "this node lost what it may have promised and is being mended by its peers"
                   : "";
}

std::string Node::Core::RefusesAppends() const {
  return out_of_service_.empty() && mended_as_holder_ ? "" : RefusesPromises();
}

Node::Core::Volume& Node::Core::VolumeFor(VolumeId id) {
  auto& volume = volumes_[id];
  if (volume == nullptr) {
    volume = std::make_unique<Volume>();
    volume->state.id = id;
  }
  return *volume;
}

Node::Core::Held& Node::Core::SegmentFor(Volume& volume, PgId pg) {
  Held& held = volume.segments[pg];
  if (held.segment == nullptr) {
    held.segment = std::make_unique<Segment>(&volume.state, pg, &journal_);
  }
  return held;
}

Node::Core::Held* Node::Core::FindSegment(VolumeId volume, PgId pg) {
  const auto at = volumes_.find(volume);
  if (at == volumes_.end()) {
    return nullptr;
  }
  const auto held = at->second->segments.find(pg);
  return held == at->second->segments.end() ? nullptr : &held->second;
}

// The volume as it will be when what is under way is durable.
VolumeRecord Node::Core::Describe(const Volume& volume) {
  const VolumeState& state = volume.state;
  const bool sealing = volume.sealing_epoch > state.epoch ||
                       (volume.sealing_epoch == state.epoch && volume.sealing_has_opener);
  return {.volume = state.id,
          .epoch = sealing ? volume.sealing_epoch : state.epoch,
          .has_opener = sealing ? volume.sealing_has_opener : state.has_opener,
          .opener_id = sealing ? volume.sealing_opener : state.opener_id,
          .vdl_told = state.vdl_told,
          .vdl_epoch = state.vdl_epoch,
          .pgmrpl = state.retention.read_points(),
          .holds = state.retention.holds(),
          .annulled = state.annulled,
          .geometry = state.geometry.bytes,
          .geometry_decided = state.geometry.decided};
}

Manifest Node::Core::DescribeAll() const {
  Manifest manifest;
  manifest.node = config_.node;
  manifest.amnesiac = amnesiac_;
  manifest.journal_first = journal_.FirstNeeded();
  manifest.journal_last = journal_.LastFile();
  manifest.next_layer = next_layer_;
  for (const auto& [id, volume] : volumes_) {
    manifest.volumes.push_back(Describe(*volume));
    for (const auto& [pg, held] : volume->segments) {
      manifest.segments.push_back(held.segment->Describe());
    }
  }
  return manifest;
}

void Node::Core::WriteManifest(std::function<void()> then) {
  if (then) {
    manifest_waiters_.push_back(std::move(then));
  }
  manifest_wanted_ = true;
  if (!manifest_under_way_) {
    StartManifestWrite();
  }
}

// Whoever asks while a write is under way waits for the next: that one has all they changed.
void Node::Core::StartManifestWrite() {
  manifest_wanted_ = false;
  manifest_under_way_ = true;
  const Manifest manifest = DescribeAll();
  auto waiters = std::make_shared<std::vector<std::function<void()>>>(std::move(manifest_waiters_));
  manifest_waiters_.clear();
  std::vector<std::pair<Volume*, KnownGeometry>> geometries;
  for (const auto& [id, volume] : volumes_) {
    if (volume->state.geometry.TellsMoreThan(volume->acting.version(), volume->acting.decided)) {
      geometries.emplace_back(volume.get(), volume->state.geometry);
    }
  }
  Start(
      Lane::kManifest,
      [files = &files_, path = config_.directory + "/manifest", bytes = EncodeManifest(manifest)] {
        return WriteWholeFile(*files, path, bytes);
      },
      [this, waiters, geometries = std::move(geometries), first = manifest.journal_first,
       last = manifest.journal_last](const Status& outcome) {
        manifest_under_way_ = false;
        if (!outcome.ok()) {
          OutOfService("manifest: " + outcome.ToString(), /*reads_too=*/false);
          return;
        }
        journal_first_written_ = first;
        journal_last_written_ = last;
        journal_.FreeBelow(first);
        for (const auto& [volume, geometry] : geometries) {
          ActOn(*volume, geometry);
        }
        for (const auto& waiter : *waiters) {
          waiter();
        }
        if (manifest_wanted_ && !manifest_under_way_) {
          StartManifestWrite();
        }
      });
}

}  // namespace borealis::storage_node
