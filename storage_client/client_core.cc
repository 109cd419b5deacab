#include "storage_client/client_core.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/fault.h"
#include "base/invariant.h"
#include "storage_client/message_frame.h"
#include "volume/page.h"

namespace borealis::storage_client {

namespace {
constexpr SegmentSet Bit(size_t slot) {
  return SegmentSet{1} << slot;
}
}  // namespace

ClientCore::ClientCore(const Geometry& geometry, const ClientLimits& limits, NodeLink& link,
                       ClientEvents& events, ClientMetrics& metrics, uint64_t seed)
    : geometry_(geometry),
      limits_(limits),
      link_(link),
      events_(events),
      metrics_(metrics),
      random_(seed) {
  INVARIANT_LE(geometry.nodes.size(), 64U);
  INVARIANT_LT(limits.allocation_bytes, kLsnSpan / 2);
}

void ClientCore::StartOpen(OpenRequest request, int64_t now_us) {
  INVARIANT(state_ == State::kIdle);
  state_ = State::kOpening;
  opener_ = std::make_unique<Opener>(
      geometry_, limits_.opener, request, link_, ids_, random_.Next(),
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
  tracker_ = std::make_unique<QuorumTracker>(geometry_.quorums.write, geometry_.nodes.size(),
                                             opened.vdl, opened.start);
  shipper_ = std::make_unique<LogShipper>(geometry_, limits_.shipper, epoch_, *tracker_, link_,
                                          ids_, metrics_);
  for (const auto& [pg, group] : opened.groups) {
    tracker_->AddGroup(pg, group.tail, group.scls);
    shipper_->SetMembershipEpoch(pg, group.membership_epoch);
  }
  reads_ = std::make_unique<PageReadScheduler>(
      geometry_, limits_.reads, [this](PgId pg, size_t slot) { return tracker_->scl(pg, slot); },
      [this](size_t slot) { return (up_ & ready_ & Bit(slot)) != 0; },
      [this](PgId pg, size_t slot, Lsn scl) { tracker_->OnProgress(pg, slot, scl); }, link_, ids_,
      metrics_, random_.Next());
  reads_->SetEpoch(epoch_);
  for (size_t slot = 0; slot < geometry_.nodes.size(); ++slot) {
    if ((up_ & Bit(slot)) != 0) {
      shipper_->OnNodeUp(slot, now_us);
    }
    if ((ready_ & Bit(slot)) != 0) {
      shipper_->SetReady(slot, now_us);
    }
  }
  truncate_at_us_ = now_us;
  events_.OnOpened(opened);
  OnTimer(now_us);
}

void ClientCore::OnAppended(LogChunkPtr chunk, int64_t now_us) {
  if (state_ != State::kOpen) {
    return;  // fenced: nothing of it can become durable
  }
  tracker_->OnAppended(*chunk);
  shipper_->OnAppended(std::move(chunk), now_us);
}

void ClientCore::Read(std::vector<PageNo> pages, Lsn read_point, ReadDone done, int64_t now_us) {
  if (state_ != State::kOpen) {
    done(state_ == State::kFenced ? Status::Fenced("a newer epoch owns the volume")
                                  : Status::Unavailable("the volume is not open"),
         {});
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
    fenced_ &= ~Bit(slot);
  }
  if (state_ == State::kOpen) {
    shipper_->OnReply(slot, frame.request_id, reply, now_us);
    AdvanceVdl();
  }
}

void ClientCore::AdvanceVdl() {
  if (tracker_->Advance()) {
    ClientMetrics::Add(metrics_.vdl_advances);
    events_.OnVdlAdvanced(tracker_->vdl(), tracker_->changed_tails());
    shipper_->Trim();
  } else {
    shipper_->Trim();
  }
}

void ClientCore::OnReadReply(size_t slot, const Frame& frame, int64_t now_us) {
  msg::ReadPagesReply reply;
  if (!ParseBody(frame, &reply)) {
    return;
  }
  reads_->OnReply(slot, frame.request_id, reply, frame.attachments, now_us);
  if (state_ == State::kOpen) {
    AdvanceVdl();
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
  if ((ready_ & Bit(slot)) != 0 || !ParseBody(frame, &reply)) {
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
  ready_ |= Bit(slot);
  fenced_ &= ~Bit(slot);
  for (const msg::SegmentProgress& segment : reply.segments()) {
    tracker_->OnProgress(PgId(segment.pg()), slot, Lsn(segment.scl()));
  }
  shipper_->SetReady(slot, now_us);
  AdvanceVdl();
}

void ClientCore::NoteFenced(size_t slot, VolumeEpoch by) {
  if (by <= epoch_) {
    return;
  }
  fenced_ |= Bit(slot);
  // One node with a higher epoch may be the trace of an opening that died. When the rest cannot
  // make a write quorum, we are deposed.
  if (geometry_.quorums.write.SatisfiedBy(geometry_.quorums.write.Members() & ~fenced_)) {
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
  up_ |= Bit(slot);
  if (state_ == State::kOpening) {
    opener_->OnNodeUp(slot, now_us);
  } else if (state_ == State::kOpen) {
    if ((ready_ & Bit(slot)) == 0) {
      SendTruncation(slot, now_us);
    }
    shipper_->OnNodeUp(slot, now_us);
  }
}

void ClientCore::OnNodeDown(size_t slot, int64_t now_us) {
  up_ &= ~Bit(slot);
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
    for (size_t slot = 0; slot < geometry_.nodes.size(); ++slot) {
      if ((ready_ & Bit(slot)) == 0) {
        truncate_at_us_ = now_us + limits_.truncation_repeat_us;
        if ((up_ & Bit(slot)) != 0) {
          SendTruncation(slot, now_us);
        }
      }
    }
  }
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
  return std::min({truncate_at_us_, shipper_->NextDeadlineUs(), reads_->NextDeadlineUs()});
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
