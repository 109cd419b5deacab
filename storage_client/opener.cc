#include "storage_client/opener.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "base/fault.h"
#include "base/invariant.h"
#include "base/obs/log.h"
#include "storage_client/message_frame.h"

namespace borealis::storage_client {

namespace {

Result<NodeAnswer> ParseSealReply(size_t slot, const msg::SealReply& reply) {
  NodeAnswer answer;
  answer.slot = slot;
  for (const msg::SegmentState& state : reply.segments()) {
    SegmentAnswer segment;
    segment.pg = PgId(state.pg());
    segment.scl = Lsn(state.scl());
    segment.vdl_told = Lsn(state.vdl_told());
    segment.last_at_vdl_told = Lsn(state.last_at_vdl_told());
    segment.membership_epoch = MembershipEpoch(state.membership_epoch());
    ASSIGN_OR_RETURN(segment.tail, ParseTail(state.tail()));
    answer.segments.push_back(std::move(segment));
  }
  for (const msg::AnnulledRange& range : reply.annulled()) {
    if (range.after() > range.up_to()) {
      return Status::Corruption("an annulled range ends before it begins");
    }
    answer.annulled.push_back({Lsn(range.after()), Lsn(range.up_to()), VolumeEpoch(range.epoch())});
  }
  return answer;
}

void SetRange(const AnnulledSpan& span, msg::AnnulledRange* out) {
  out->set_after(span.after.value());
  out->set_up_to(span.up_to.value());
  out->set_epoch(span.epoch.value());
}

}  // namespace

Opener::Opener(const Geometry& geometry, const OpenerLimits& limits, OpenRequest request,
               NodeLink& link, RequestIds& ids, uint64_t seed,
               std::function<void(const OpenProgress&)> on_progress)
    : geometry_(geometry),
      limits_(limits),
      request_(request),
      link_(link),
      ids_(ids),
      random_(seed),
      on_progress_(std::move(on_progress)),
      nodes_(geometry.nodes.size()) {
  INVARIANT_NE(request.opener_id, 0U);
}

template <class Predicate>
SegmentSet Opener::Slots(Predicate predicate) const {
  SegmentSet slots = 0;
  for (size_t slot = 0; slot < nodes_.size(); ++slot) {
    slots |= predicate(nodes_[slot]) ? SegmentSet{1} << slot : 0;
  }
  return slots;
}

void Opener::Start(int64_t now_us) {
  if (request_.epoch > VolumeEpoch(0)) {
    BeginSealing(request_.epoch, now_us);
  } else {
    state_ = State::kProbing;
    SendAll(now_us);
  }
}

void Opener::BeginSealing(VolumeEpoch epoch, int64_t now_us) {
  epoch_ = epoch;
  raise_to_.reset();
  state_ = State::kSealing;
  for (NodeState& node : nodes_) {
    node.is_fenced = false;
    node.sealed.reset();
  }
  SendAll(now_us);
}

void Opener::SendAll(int64_t now_us) {
  repeat_at_us_ = now_us + limits_.repeat_us;
  for (size_t slot = 0; slot < nodes_.size(); ++slot) {
    SendStep(slot);
  }
  Report();
}

// What this node has to answer next.
void Opener::SendStep(size_t slot) {
  NodeState& node = nodes_[slot];
  switch (state_) {
    case State::kProbing: {
      msg::NodeStatusRequest request;
      request.set_volume_id(geometry_.volume.value());
      link_.SendToNode(slot, MakeFrame(MessageType::kNodeStatusRequest, ids_.Next(), request));
      return;
    }
    case State::kSealing: {
      if (node.sealed.has_value()) {
        return;
      }
      msg::SealRequest request;
      request.set_volume_id(geometry_.volume.value());
      request.set_epoch(epoch_.value());
      request.set_opener_id(request_.opener_id);
      link_.SendToNode(slot, MakeFrame(MessageType::kSealRequest, ids_.Next(), request));
      return;
    }
    case State::kTruncating:
      if (node.is_truncated) {
        return;
      }
      [[fallthrough]];
    case State::kReplicating: {
      // While records are copied the repeated truncation is how we hear of gossip's progress.
      Frame frame = TruncationFrame();
      frame.request_id = ids_.Next();
      link_.SendToNode(slot, std::move(frame));
      return;
    }
    case State::kOpen:
    case State::kFailed:
      return;
  }
}

void Opener::OnFrame(size_t slot, const Frame& frame, int64_t now_us) {
  if (is_done()) {
    return;
  }
  switch (static_cast<MessageType>(frame.type)) {
    case MessageType::kNodeStatusReply:
      return OnNodeStatus(slot, frame, now_us);
    case MessageType::kSealReply:
      return OnSealReply(slot, frame, now_us);
    case MessageType::kTruncateReply:
      return OnTruncateReply(slot, frame, now_us);
    case MessageType::kFetchRecordsReply:
      return OnFetchReply(slot, frame, now_us);
    case MessageType::kAppendReply:
      return OnAppendReply(slot, frame, now_us);
    default:
      return;
  }
}

void Opener::OnNodeUp(size_t slot, int64_t /*now_us*/) {
  SendStep(slot);
}

void Opener::OnTimer(int64_t now_us) {
  if (is_done() || now_us < repeat_at_us_) {
    return;
  }
  if (raise_to_.has_value()) {
    BeginSealing(*raise_to_, now_us);
    return;
  }
  SendAll(now_us);
  if (state_ == State::kReplicating) {
    PushMissing(now_us);
  }
}

void Opener::OnNodeStatus(size_t slot, const Frame& frame, int64_t now_us) {
  msg::NodeStatusReply reply;
  if (state_ != State::kProbing || !ParseBody(frame, &reply)) {
    return;
  }
  nodes_[slot].has_told_epoch = true;
  highest_seen_ = std::max(highest_seen_, VolumeEpoch(reply.volume_epoch()));
  if (geometry_.quorums.read.SatisfiedBy(
          Slots([](const NodeState& node) { return node.has_told_epoch; }))) {
    BeginSealing(VolumeEpoch(highest_seen_.value() + 1), now_us);
  }
}

void Opener::OnSealReply(size_t slot, const Frame& frame, int64_t now_us) {
  msg::SealReply reply;
  if (!ParseBody(frame, &reply)) {
    return;
  }
  const VolumeEpoch epoch(reply.volume_epoch());
  if (reply.outcome() == msg::FENCED) {
    OnFenced(slot, epoch, now_us);
    return;
  }
  NodeState& node = nodes_[slot];
  if (reply.outcome() != msg::OK) {
    node.refusal = reply.reason();
    return;
  }
  // An answer to a seal of an epoch that we raised since is of the past.
  if (state_ != State::kSealing || epoch != epoch_ || node.sealed.has_value()) {
    return;
  }
  Result<NodeAnswer> answer = ParseSealReply(slot, reply);
  if (!answer.ok()) {
    node.refusal = std::string(answer.status().message());
    return;
  }
  node.is_fenced = false;
  node.sealed = std::move(*answer);
  const SegmentSet sealed = Slots([](const NodeState& n) { return n.sealed.has_value(); });
  // The read quorum finds the end of the log; the write quorum is the claim to the epoch.
  if (geometry_.quorums.read.SatisfiedBy(sealed) && geometry_.quorums.write.SatisfiedBy(sealed)) {
    Decide(now_us);
  }
}

void Opener::Decide(int64_t now_us) {
  std::vector<NodeAnswer> answers;
  for (const NodeState& node : nodes_) {
    if (node.sealed.has_value()) {
      answers.push_back(*node.sealed);
    }
  }
  Result<RecoveryPoint> point = FindRecoveryPoint(answers, epoch_);
  if (!point.ok()) {
    Fail(std::move(point).status());
    return;
  }
  point_ = std::move(*point);
  state_ = State::kTruncating;
  SendAll(now_us);
}

Frame Opener::TruncationFrame() const {
  msg::TruncateRequest request;
  request.set_volume_id(geometry_.volume.value());
  request.set_vdl(point_.vdl_told.value());
  SetRange(point_.annulled.back(), request.mutable_range());
  for (const AnnulledSpan& span : point_.annulled) {
    SetRange(span, request.add_annulled());
  }
  return MakeFrame(MessageType::kTruncateRequest, 0, request);
}

void Opener::OnTruncateReply(size_t slot, const Frame& frame, int64_t now_us) {
  msg::TruncateReply reply;
  if ((state_ != State::kTruncating && state_ != State::kReplicating) ||
      !ParseBody(frame, &reply)) {
    return;
  }
  const VolumeEpoch epoch(reply.volume_epoch());
  NodeState& node = nodes_[slot];
  if (reply.outcome() == msg::FENCED) {
    OnFenced(slot, epoch, now_us);
    return;
  }
  if (reply.outcome() != msg::OK || epoch != epoch_) {
    node.refusal = reply.reason();
    return;
  }
  node.is_fenced = false;
  node.is_truncated = true;
  for (const msg::SegmentProgress& segment : reply.segments()) {
    TakeProgress(slot, PgId(segment.pg()), Lsn(segment.scl()));
  }
  const SegmentSet truncated = Slots([](const NodeState& n) { return n.is_truncated; });
  if (state_ == State::kTruncating && geometry_.quorums.write.SatisfiedBy(truncated)) {
    state_ = State::kReplicating;
    CheckReplicated(now_us);
    if (state_ == State::kReplicating) {
      COVER("opener.had_to_replicate");
      PushMissing(now_us);
      Report();
    }
  } else if (state_ == State::kReplicating) {
    CheckReplicated(now_us);
  }
}

void Opener::TakeProgress(size_t slot, PgId pg, Lsn scl) {
  Lsn& known = nodes_[slot].scls[pg];
  known = std::max(known, scl);
}

SegmentSet Opener::HoldersOf(PgId pg) const {
  const Lsn tail = point_.tails.at(pg);
  return Slots([&](const NodeState& node) {
    const auto scl = node.scls.find(pg);
    return node.is_truncated && scl != node.scls.end() && scl->second >= tail;
  });
}

void Opener::CheckReplicated(int64_t /*now_us*/) {
  for (const auto& [pg, tail] : point_.tails) {
    if (!geometry_.quorums.write.SatisfiedBy(HoldersOf(pg))) {
      return;
    }
  }
  state_ = State::kOpen;
}

void Opener::PushMissing(int64_t now_us) {
  for (const auto& [pg, tail] : point_.tails) {
    const SegmentSet holders = HoldersOf(pg);
    if (geometry_.quorums.write.SatisfiedBy(holders)) {
      continue;
    }
    for (size_t slot = 0; slot < nodes_.size(); ++slot) {
      if (nodes_[slot].is_truncated && (holders >> slot & 1) == 0) {
        StartPush(pg, slot, now_us);
      }
    }
  }
}

void Opener::StartPush(PgId pg, size_t to, int64_t now_us) {
  Push& push = pushes_[{pg, to}];
  if (now_us < push.deadline_us) {
    return;
  }
  // First the node with the highest SCL, then, attempt by attempt, the others: no single one may
  // have all that is missing.
  std::vector<std::pair<Lsn, size_t>> sources;
  for (size_t slot = 0; slot < nodes_.size(); ++slot) {
    if (slot != to && (nodes_[slot].is_truncated || nodes_[slot].sealed.has_value())) {
      const auto scl = nodes_[slot].scls.find(pg);
      sources.emplace_back(scl == nodes_[slot].scls.end() ? Lsn(0) : scl->second, slot);
    }
  }
  if (sources.empty()) {
    return;
  }
  std::sort(sources.rbegin(), sources.rend());
  push.from = sources[push.attempt % sources.size()].second;
  ++push.attempt;
  push.append_id = 0;
  push.fetch_id = ids_.Next();
  push.deadline_us = now_us + limits_.push_timeout_us;
  msg::FetchRecordsRequest request;
  request.set_volume_id(geometry_.volume.value());
  request.set_pg(pg.value());
  request.set_after(nodes_[to].scls[pg].value());
  request.set_up_to(point_.tails.at(pg).value());
  request.set_size_bytes_max(limits_.push_bytes);
  link_.SendToNode(push.from, MakeFrame(MessageType::kFetchRecordsRequest, push.fetch_id, request));
}

void Opener::OnFetchReply(size_t slot, const Frame& frame, int64_t now_us) {
  msg::FetchRecordsReply reply;
  if (state_ != State::kReplicating || !ParseBody(frame, &reply)) {
    return;
  }
  for (auto& [key, push] : pushes_) {
    if (push.fetch_id != frame.request_id || push.from != slot) {
      continue;
    }
    push.fetch_id = 0;
    size_t size = 0;
    for (const SharedBytes& attachment : frame.attachments) {
      size += attachment.size();
    }
    if (reply.outcome() != msg::OK || size == 0) {
      push.deadline_us = now_us;  // nothing here: another source at the next round
      return;
    }
    COVER("opener.pushed_records");
    msg::AppendRequest request;
    request.set_volume_id(geometry_.volume.value());
    request.set_volume_epoch(epoch_.value());
    request.set_vdl(point_.vdl_told.value());
    for (const SharedBytes& attachment : frame.attachments) {
      msg::AppendPart* part = request.add_parts();
      part->set_pg(key.first.value());
      part->set_membership_epoch(point_.membership_epochs[key.first].value());
      part->set_size_bytes(static_cast<uint32_t>(attachment.size()));
    }
    push.append_id = ids_.Next();
    Frame append = MakeFrame(MessageType::kAppendRequest, push.append_id, request);
    append.attachments = frame.attachments;
    link_.SendToNode(key.second, std::move(append));
    return;
  }
}

void Opener::OnAppendReply(size_t slot, const Frame& frame, int64_t now_us) {
  msg::AppendReply reply;
  if (state_ != State::kReplicating || !ParseBody(frame, &reply)) {
    return;
  }
  if (reply.outcome() == msg::FENCED) {
    OnFenced(slot, VolumeEpoch(reply.volume_epoch()), now_us);
    return;
  }
  if (reply.outcome() != msg::OK) {
    nodes_[slot].refusal = reply.reason();
    return;
  }
  for (const msg::SegmentProgress& segment : reply.segments()) {
    TakeProgress(slot, PgId(segment.pg()), Lsn(segment.scl()));
  }
  for (auto& [key, push] : pushes_) {
    if (key.second == slot && push.append_id == frame.request_id) {
      push.append_id = 0;
      push.deadline_us = now_us;
      const bool is_complete = nodes_[slot].scls[key.first] >= point_.tails.at(key.first);
      if (!is_complete) {
        StartPush(key.first, slot, now_us);  // the next piece
      }
      break;
    }
  }
  CheckReplicated(now_us);
}

void Opener::OnFenced(size_t slot, VolumeEpoch by, int64_t now_us) {
  if (by < epoch_) {
    return;  // of the past: we raised our epoch since
  }
  NodeState& node = nodes_[slot];
  highest_seen_ = std::max(highest_seen_, by);
  const bool may_raise = request_.epoch == VolumeEpoch(0) && state_ == State::kSealing &&
                         epoch_raises_ < limits_.epoch_raises_max;
  if (may_raise) {
    // Somebody sealed higher, perhaps long ago and on this node only. A pause of random length
    // keeps two openers from outbidding each other for ever.
    COVER("opener.raised_its_epoch");
    if (!raise_to_.has_value()) {
      ++epoch_raises_;
      repeat_at_us_ = now_us + static_cast<int64_t>(random_.Below(
                                   static_cast<uint64_t>(limits_.repeat_us) << epoch_raises_));
    }
    raise_to_ = VolumeEpoch(highest_seen_.value() + 1);
    return;
  }
  node.is_fenced = true;
  const SegmentSet others = Slots([](const NodeState& n) { return !n.is_fenced; });
  if (!geometry_.quorums.write.SatisfiedBy(others)) {
    COVER("opener.fenced");
    Fail(Status::Fenced(
        fmt::format("epoch {} is fenced by epoch {}", epoch_.value(), highest_seen_.value())));
  }
}

void Opener::Fail(Status status) {
  state_ = State::kFailed;
  failure_ = std::move(status);
}

std::string Opener::Describe() const {
  const auto count = [&](auto predicate) { return std::popcount(Slots(predicate)); };
  const size_t all = nodes_.size();
  std::string refusals;
  for (size_t slot = 0; slot < nodes_.size(); ++slot) {
    if (!nodes_[slot].refusal.empty()) {
      refusals +=
          fmt::format("; node {}: {}", geometry_.nodes[slot].node.value(), nodes_[slot].refusal);
    }
  }
  switch (state_) {
    case State::kProbing:
      return fmt::format(
          "asking for the epoch: {} of {} storage nodes answered, {} needed; waiting{}",
          count([](const NodeState& n) { return n.has_told_epoch; }), all,
          geometry_.quorums.read.ToString(), refusals);
    case State::kSealing:
      return fmt::format("sealing epoch {}: {} of {} storage nodes answered, {} needed; waiting{}",
                         epoch_.value(),
                         count([](const NodeState& n) { return n.sealed.has_value(); }), all,
                         geometry_.quorums.write.ToString(), refusals);
    case State::kTruncating:
      return fmt::format("truncating at {}: {} of {} storage nodes answered, {} needed; waiting{}",
                         point_.vdl.value(),
                         count([](const NodeState& n) { return n.is_truncated; }), all,
                         geometry_.quorums.write.ToString(), refusals);
    case State::kReplicating: {
      size_t behind = 0;
      for (const auto& [pg, tail] : point_.tails) {
        behind += geometry_.quorums.write.SatisfiedBy(HoldersOf(pg)) ? 0 : 1;
      }
      return fmt::format("replicating up to {}: {} of {} protection groups not at {}; waiting{}",
                         point_.vdl.value(), behind, point_.tails.size(),
                         geometry_.quorums.write.ToString(), refusals);
    }
    case State::kOpen:
      return "open";
    case State::kFailed:
      return failure_.ToString();
  }
  return "";
}

void Opener::Report() {
  std::string text = Describe();
  if (text == last_report_ || !on_progress_) {
    return;
  }
  last_report_ = std::move(text);
  OpenProgress progress;
  progress.step = last_report_;
  progress.nodes = static_cast<int>(nodes_.size());
  progress.answered = std::popcount(Slots([](const NodeState& n) {
    return n.sealed.has_value() || n.is_truncated || n.has_told_epoch;
  }));
  on_progress_(progress);
}

Result<OpenedVolume> Opener::TakeResult() {
  INVARIANT(is_done());
  if (state_ == State::kFailed) {
    return failure_;
  }
  OpenedVolume opened;
  opened.epoch = epoch_;
  opened.vdl = point_.vdl;
  opened.start = point_.start;
  opened.ready = Slots([](const NodeState& node) { return node.is_truncated; });
  opened.truncation = TruncationFrame();
  for (const auto& [pg, tail] : point_.tails) {
    OpenedGroup& group = opened.groups[pg];
    group.tail = tail;
    group.membership_epoch = point_.membership_epochs[pg];
    for (const NodeState& node : nodes_) {
      const auto scl = node.scls.find(pg);
      group.scls.push_back(scl == node.scls.end() ? Lsn(0) : scl->second);
    }
  }
  return opened;
}

}  // namespace borealis::storage_client
