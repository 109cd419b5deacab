#include "storage_client/client_core.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "base/fault.h"
#include "base/invariant.h"
#include "base/obs/log.h"
#include "storage_client/message_frame.h"
#include "volume/page.h"

namespace borealis::storage_client {

namespace {
constexpr int64_t kGrowAgainUs = 200'000;
constexpr int64_t kSeatsInAz = 2;
constexpr int64_t kStallUs = 1'000'000;
// What a usable node is taken to have free at least: far more than one that is not.
constexpr uint64_t kFreeBytesLeast = uint64_t{1} << 20;
// Of the text fields of an address, as the geometry's format bounds them.
constexpr size_t kAddressTextMax = 255;
}  // namespace

ClientCore::ClientCore(VolumeSource source, const ClientLimits& limits, NodeLink& link,
                       ClientEvents& events, ClientMetrics& metrics, uint64_t seed)
    : source_(std::move(source)),
      limits_(limits),
      link_(link),
      events_(events),
      metrics_(metrics),
      random_(seed),
      nodes_(source_.seeds, link) {
  INVARIANT_LT(limits.allocation_bytes, kLsnSpan / 2);
}

void ClientCore::StartOpen(OpenRequest request, int64_t now_us) {
  INVARIANT(state_ == State::kIdle);
  state_ = State::kOpening;
  opener_ = std::make_unique<Opener>(
      source_, limits_.opener, request, nodes_, link_, ids_, random_.Next(),
      [this](const OpenProgress& progress) { events_.OnOpenProgress(progress); });
  opener_->Start(now_us);
  AfterOpenerStep(now_us);
}

void ClientCore::AfterOpenerStep(int64_t now_us) {
  if (state_ != State::kOpening || !opener_->is_done()) {
    return;
  }
  Result<OpenedVolume> opened = opener_->TakeResult();
  opener_.reset();
  if (!opened.ok()) {
    state_ = State::kFailed;
    events_.OnOpenFailed(std::move(opened).status());
    return;
  }
  BecomeOpen(*opened, now_us);
}

void ClientCore::BecomeOpen(const OpenedVolume& opened, int64_t now_us) {
  state_ = State::kOpen;
  epoch_ = opened.epoch;
  ready_ = opened.ready;
  truncation_ = opened.truncation;
  tracker_ = std::make_unique<QuorumTracker>(opened.vdl, opened.start);
  for (const auto& [pg, group] : opened.groups) {
    tracker_->AddGroup(pg, opened.geometry.group(pg).Quorums().write, group.tail, group.scls);
    if (group.tail > Lsn(0)) {
      groups_wanted_ = pg.value() + 2;
    }
  }
  decided_groups_ = opened.groups.size();
  keeper_ = std::make_unique<GeometryKeeper>(opened.geometry, nodes_, link_, ids_);
  seats_ = std::make_unique<SeatChanges>(*keeper_, nodes_, *tracker_);
  shipper_ = std::make_unique<LogShipper>(source_.volume, limits_.shipper, epoch_, *tracker_, link_,
                                          ids_, metrics_);
  shipper_->SetNodeCount(nodes_.size());
  shipper_->SetGeometry(opened.geometry, now_us);
  reads_ = std::make_unique<PageReadScheduler>(
      keeper_->decided(), limits_.reads,
      [this](PgId pg, size_t slot) { return tracker_->scl(pg, slot); },
      [this](PgId pg) {
        return geometry().Has(pg) ? up_ & ready_ & geometry().group(pg).Members() : SegmentSet{0};
      },
      [this](PgId pg, size_t slot, Lsn scl, uint64_t request_id) {
        tracker_->OnProgress(pg, slot, scl, request_id);
      },
      link_, ids_, metrics_, random_.Next());
  reads_->SetEpoch(epoch_);
  for (size_t slot = 0; slot < nodes_.size(); ++slot) {
    if ((up_ & SegmentBit(slot)) != 0) {
      shipper_->OnNodeUp(slot, now_us);
    }
    if ((ready_ & SegmentBit(slot)) != 0) {
      shipper_->SetReady(slot, now_us);
    }
  }
  truncate_at_us_ = now_us;
  events_.OnOpened(opened);
  AskForGroups(now_us);
  OnTimer(now_us);
}

Status ClientCore::NotOpen() const {
  return state_ == State::kFenced ? Status::Fenced("a newer epoch owns the volume")
                                  : Status::Unavailable("the volume is not open");
}

Status ClientCore::OrderSeat(const SeatOrder& order, int64_t now_us) {
  return state_ == State::kOpen ? seats_->Order(order, now_us) : NotOpen();
}

Status ClientCore::AddNode(const StorageNodeAddress& node, int64_t now_us) {
  if (state_ != State::kOpen) {
    return NotOpen();
  }
  const std::optional<Slot> known = nodes_.SlotOf(node.node);
  if (known.has_value() && nodes_[*known].az != node.az) {
    return Status::InvalidArgument(fmt::format("storage node {} is in availability zone {}",
                                               node.node.value(), nodes_[*known].az));
  }
  if (std::max(node.az.size(), node.host.size()) > kAddressTextMax) {
    return Status::InvalidArgument(
        fmt::format("the address of storage node {} is too long", node.node.value()));
  }
  if (!nodes_.Add(node).has_value()) {
    return Status::InvalidArgument(fmt::format("there are {} storage nodes already", kSlotsMax));
  }
  shipper_->SetNodeCount(nodes_.size());
  truncate_at_us_ = std::min(truncate_at_us_, now_us);
  keeper_->Ask([](Geometry*) {}, now_us);  // versions have the nodes of the table
  return Status::Ok();
}

Status ClientCore::SetDraining(NodeId node, bool draining, int64_t now_us) {
  if (state_ != State::kOpen) {
    return NotOpen();
  }
  const std::optional<Slot> slot = nodes_.SlotOf(node);
  if (!slot.has_value()) {
    return Status::InvalidArgument(fmt::format("storage node {} is not known", node.value()));
  }
  const auto takes_segments = [&](const StorageNodeAddress& other) {
    return other.az == nodes_[*slot].az && other.node != node && !other.draining;
  };
  if (draining && std::ranges::count_if(nodes_.nodes(), takes_segments) < kSeatsInAz) {
    return Status::InvalidArgument(
        fmt::format("without storage node {} availability zone {} has no two for new segments",
                    node.value(), nodes_[*slot].az));
  }
  nodes_.SetDraining(*slot, draining);
  keeper_->Ask([](Geometry*) {}, now_us);
  return Status::Ok();
}

// As many groups as have records, and one more.
void ClientCore::AskForGroups(int64_t now_us) {
  grow_at_us_ = kNeverUs;
  if (geometry().groups.size() >= groups_wanted_) {
    return;
  }
  if (!keeper_->is_changing()) {  // otherwise when that is decided
    keeper_->Ask([this](Geometry* geometry) { PlaceGroups(geometry); }, now_us);
  }
  grow_at_us_ = now_us + kGrowAgainUs;
}

void ClientCore::PlaceGroups(Geometry* geometry) {
  const std::vector<NodeLoad> loads = Loads();
  while (geometry->groups.size() < groups_wanted_) {
    const PgId pg(static_cast<uint32_t>(geometry->groups.size()));
    Result<Group> group = PlaceGroup(*geometry, pg, loads);
    if (!group.ok()) {
      LOG_WARN("the volume cannot grow: {}", group.status().message());
      return;
    }
    geometry->groups.push_back(std::move(*group));
  }
}

// A node that cannot take part now is the last choice, but better than none: the volume has to grow
// also when it lives on six nodes and two of them are away.
std::vector<NodeLoad> ClientCore::Loads() const {
  const SegmentSet usable = up_ & ready_ & ~fenced_;
  std::vector<NodeLoad> loads(nodes_.size());
  for (size_t slot = 0; slot < loads.size(); ++slot) {
    const bool is_usable = (usable & SegmentBit(slot)) != 0;
    loads[slot] = {true, is_usable ? std::max(free_bytes_[slot], kFreeBytesLeast) : 1};
  }
  return loads;
}

void ClientCore::OnGeometryReply(size_t slot, const Frame& frame, int64_t now_us) {
  msg::GeometryReply reply;
  if (!ParseBody(frame, &reply)) {
    return;
  }
  if (reply.outcome() == msg::FENCED) {
    NoteFenced(slot, VolumeEpoch(reply.volume_epoch()));
    return;
  }
  if (keeper_->OnReply(slot, frame.request_id, reply, now_us)) {
    OnGeometryDecided(now_us);
  }
  if (keeper_->IsKnownTo(slot)) {
    tracker_->CountFrom(slot, ids_.Next());
  }
  seats_->Finish(now_us);
}

void ClientCore::OnGeometryDecided(int64_t now_us) {
  for (uint32_t number = 0; number < geometry().groups.size(); ++number) {
    const PgId pg(number);
    if (number < decided_groups_) {
      tracker_->SetQuorum(pg, geometry().group(pg).Quorums().write);
    } else {
      tracker_->AddGroup(pg, geometry().group(pg).Quorums().write, Lsn(0), {});
    }
  }
  decided_groups_ = geometry().groups.size();
  shipper_->SetGeometry(geometry(), now_us);
  seats_->OnDecided();
  events_.OnGeometryDecided(geometry());
  AskForGroups(now_us);
  AdvanceVdl(now_us);
}

void ClientCore::OnAppended(LogChunkPtr chunk, int64_t now_us) {
  if (state_ != State::kOpen) {
    return;  // fenced: nothing of it can become durable
  }
  for (const PgBytes& part : chunk->parts) {
    groups_wanted_ = std::max<size_t>(groups_wanted_, part.pg.value() + 2);
  }
  if (groups_wanted_ > geometry().groups.size() && grow_at_us_ == kNeverUs) {
    AskForGroups(now_us);
  }
  if (!tracker_->WaitsFor().has_value()) {
    vdl_due_since_us_ = now_us;
  }
  tracker_->OnAppended(*chunk);
  shipper_->OnAppended(std::move(chunk), now_us);
}

void ClientCore::Read(std::vector<PageNo> pages, Lsn read_point, ReadDone done, int64_t now_us) {
  if (state_ != State::kOpen) {
    done(NotOpen(), {});
    return;
  }
  reads_->Start(std::move(pages), read_point, tracker_->tails(), std::move(done), now_us);
}

void ClientCore::SetLowestReadPoint(Lsn lsn) {
  if (tracker_) {
    tracker_->tails().Forget(lsn);
    shipper_->SetLowestReadPoint(lsn);
  }
}

void ClientCore::OnFrame(size_t slot, const Frame& frame, int64_t now_us) {
  if (state_ == State::kOpening) {
    opener_->OnFrame(slot, frame, now_us);
    AfterOpenerStep(now_us);
    return;
  }
  if (state_ != State::kOpen) {
    return;
  }
  switch (static_cast<MessageType>(frame.type)) {
    case MessageType::kAppendReply:
      return OnAppendReply(slot, frame, now_us);
    case MessageType::kReadPagesReply:
      return OnReadReply(slot, frame, now_us);
    case MessageType::kTruncateReply:
      return OnLateTruncateReply(slot, frame, now_us);
    case MessageType::kGeometryReply:
      return OnGeometryReply(slot, frame, now_us);
    default:
      return;
  }
}

void ClientCore::OnAppendReply(size_t slot, const Frame& frame, int64_t now_us) {
  msg::AppendReply reply;
  if (!ParseBody(frame, &reply)) {
    return;
  }
  if (reply.outcome() == msg::FENCED) {
    NoteFenced(slot, VolumeEpoch(reply.volume_epoch()));
  } else if (reply.outcome() == msg::OK) {
    fenced_ &= ~SegmentBit(slot);
    free_bytes_[slot] = reply.free_bytes();
  } else if (reply.outcome() == msg::NOT_A_MEMBER) {
    keeper_->OnNotAMember(slot, now_us);
  }
  if (state_ == State::kOpen) {
    shipper_->OnReply(slot, frame.request_id, reply, now_us);
    AdvanceVdl(now_us);
  }
}

void ClientCore::AdvanceVdl(int64_t now_us) {
  if (tracker_->Advance()) {
    ClientMetrics::Add(metrics_.vdl_advances);
    vdl_due_since_us_ = now_us;
    events_.OnVdlAdvanced(tracker_->vdl(), tracker_->changed_tails());
  }
  shipper_->Trim();
  seats_->Finish(now_us);
}

void ClientCore::OnReadReply(size_t slot, const Frame& frame, int64_t now_us) {
  msg::ReadPagesReply reply;
  if (!ParseBody(frame, &reply)) {
    return;
  }
  reads_->OnReply(slot, frame.request_id, reply, frame.attachments, now_us);
  if (state_ == State::kOpen) {
    AdvanceVdl(now_us);
  }
}

// Nodes that were away when the volume opened join when they have truncated, too.
void ClientCore::SendTruncation(size_t slot, int64_t /*now_us*/) {
  Frame frame = truncation_;
  frame.request_id = ids_.Next();
  link_.SendToNode(slot, std::move(frame));
}

void ClientCore::OnLateTruncateReply(size_t slot, const Frame& frame, int64_t now_us) {
  msg::TruncateReply reply;
  if ((ready_ & SegmentBit(slot)) != 0 || !ParseBody(frame, &reply)) {
    return;
  }
  const VolumeEpoch epoch(reply.volume_epoch());
  if (reply.outcome() == msg::FENCED) {
    NoteFenced(slot, epoch);
    return;
  }
  if (reply.outcome() != msg::OK || epoch != epoch_) {
    return;
  }
  COVER("client.node_joined_late");
  ready_ |= SegmentBit(slot);
  fenced_ &= ~SegmentBit(slot);
  for (const msg::SegmentProgress& segment : reply.segments()) {
    tracker_->OnProgress(PgId(segment.pg()), slot, Lsn(segment.scl()), frame.request_id);
  }
  shipper_->SetReady(slot, now_us);
  AdvanceVdl(now_us);
}

void ClientCore::NoteFenced(size_t slot, VolumeEpoch by) {
  if (by <= epoch_) {
    return;
  }
  fenced_ |= SegmentBit(slot);
  // One node with a higher epoch may be the trace of an opening that died. When the rest cannot
  // make a write quorum of every group, we are deposed.
  const auto can_be_written = [this](const Group& group) {
    return group.Quorums().write.SatisfiedBy(group.Members() & ~fenced_);
  };
  if (std::ranges::all_of(geometry().groups, can_be_written)) {
    COVER("client.fenced_by_few");
    return;
  }
  COVER("client.fenced");
  state_ = State::kFenced;
  const Status status =
      Status::Fenced(fmt::format("epoch {} was deposed by epoch {}", epoch_.value(), by.value()));
  reads_->FailAll(status);
  events_.OnFenced(status);
}

void ClientCore::OnNodeUp(size_t slot, int64_t now_us) {
  up_ |= SegmentBit(slot);
  if (state_ == State::kOpening) {
    opener_->OnNodeUp(slot, now_us);
  } else if (state_ == State::kOpen) {
    if ((ready_ & SegmentBit(slot)) == 0) {
      SendTruncation(slot, now_us);
    }
    keeper_->OnNodeUp(slot, now_us);
    shipper_->OnNodeUp(slot, now_us);
  }
}

void ClientCore::OnNodeDown(size_t slot, int64_t now_us) {
  up_ &= ~SegmentBit(slot);
  if (state_ == State::kOpen) {
    shipper_->OnNodeDown(slot);
    reads_->OnNodeDown(slot, now_us);
  }
}

void ClientCore::OnTimer(int64_t now_us) {
  if (state_ == State::kOpening) {
    opener_->OnTimer(now_us);
    AfterOpenerStep(now_us);
    return;
  }
  if (state_ != State::kOpen) {
    return;
  }
  if (now_us >= truncate_at_us_) {
    truncate_at_us_ = kNeverUs;
    for (size_t slot = 0; slot < nodes_.size(); ++slot) {
      if ((ready_ & SegmentBit(slot)) == 0) {
        truncate_at_us_ = now_us + limits_.truncation_repeat_us;
        if ((up_ & SegmentBit(slot)) != 0) {
          SendTruncation(slot, now_us);
        }
      }
    }
  }
  if (now_us >= grow_at_us_) {
    AskForGroups(now_us);
  }
  keeper_->OnTimer(now_us);
  shipper_->OnTimer(now_us);
  reads_->OnTimer(now_us);
}

int64_t ClientCore::NextDeadlineUs() const {
  if (state_ == State::kOpening) {
    return opener_->NextDeadlineUs();
  }
  if (state_ != State::kOpen) {
    return kNeverUs;
  }
  return std::min({truncate_at_us_, grow_at_us_, keeper_->NextDeadlineUs(),
                   shipper_->NextDeadlineUs(), reads_->NextDeadlineUs()});
}

std::optional<WriteStall> ClientCore::StallAt(int64_t now_us) const {
  if (state_ != State::kOpen || now_us - vdl_due_since_us_ < kStallUs) {
    return std::nullopt;
  }
  const std::optional<QuorumTracker::Waiting> waiting = tracker_->WaitsFor();
  if (!waiting.has_value()) {
    return std::nullopt;
  }
  WriteStall stall{vdl_due_since_us_, waiting->pg, {}};
  for (SegmentSet left = waiting->lacking; left != 0; left &= left - 1) {
    stall.lacking.push_back(nodes_[static_cast<size_t>(std::countr_zero(left))].node);
  }
  return stall;
}

std::vector<PgTailAt> ClientCore::Tails() const {
  return tracker_ ? tracker_->tails().Latest() : std::vector<PgTailAt>();
}

std::vector<LogChunkPtr> ClientCore::ChunksAboveVdl() const {
  return shipper_ ? shipper_->ChunksAbove(tracker_->vdl()) : std::vector<LogChunkPtr>();
}

void ClientCore::Shutdown() {
  if (reads_) {
    reads_->FailAll(Status::Cancelled("the volume is closing"));
  }
}

}  // namespace borealis::storage_client
