#include "storage_client/opener.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "base/fault.h"
#include "base/invariant.h"
#include "base/obs/log.h"
#include "storage_client/message_frame.h"
#include "volume/placement.h"

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

Opener::Opener(const VolumeSource& source, const OpenerLimits& limits, OpenRequest request,
               NodeTable& nodes, NodeLink& link, RequestIds& ids, uint64_t seed,
               std::function<void(const OpenProgress&)> on_progress)
    : volume_(source.volume),
      limits_(limits),
      request_(request),
      table_(nodes),
      link_(link),
      ids_(ids),
      random_(seed),
      on_progress_(std::move(on_progress)),
      nodes_(nodes.size()) {
  INVARIANT_NE(request.opener_id, 0U);
  if (source.make_new.has_value()) {
    ProposeFirstGeometry(source);
  }
}

// Lower than any version that exists, so it holds only where nobody knows of one.
void Opener::ProposeFirstGeometry(const VolumeSource& source) {
  Geometry first;
  first.volume = volume_;
  first.pages_per_pg = source.make_new->pages_per_pg;
  first.nodes = table_.nodes();
  Result<Group> root =
      PlaceGroup(first, kRootGroup, std::vector<NodeLoad>(first.nodes.size(), {true, 1}));
  if (root.ok()) {
    first.groups.push_back(std::move(*root));
    geometry_ = std::move(first);
  } else {
    no_geometry_ = std::string(root.status().message());
  }
}

void Opener::LearnGeometry(size_t slot, std::string_view bytes) {
  if (bytes.empty() || (state_ != State::kProbing && state_ != State::kSealing)) {
    return;
  }
  Result<Geometry> told = ParseGeometry(bytes);
  if (!told.ok() || told->volume != volume_ || !told->Has(kRootGroup)) {
    nodes_[slot].refusal = told.ok() ? "the geometry it has is not this volume's"
                                     : std::string(told.status().message());
    return;
  }
  if (told->version <= geometry_.version) {
    return;
  }
  Result<Geometry> rebased = table_.Rebase(*told);
  for (size_t added = nodes_.size(); added < table_.size(); ++added) {
    nodes_.emplace_back();
    SendStep(added);
  }
  if (rebased.ok()) {
    geometry_ = std::move(*rebased);
  } else {
    nodes_[slot].refusal = std::string(rebased.status().message());
  }
}

template <class Predicate>
SegmentSet Opener::Slots(Predicate predicate) const {
  SegmentSet slots = 0;
  for (size_t slot = 0; slot < nodes_.size(); ++slot) {
    slots |= predicate(nodes_[slot]) ? SegmentBit(slot) : 0;
  }
  return slots;
}

std::optional<PgId> Opener::FirstWithout(Quorum quorum, SegmentSet have) const {
  for (uint32_t pg = 0; pg < geometry_.groups.size(); ++pg) {
    if (!(geometry_.groups[pg].Quorums().*quorum).SatisfiedBy(have)) {
      return PgId(pg);
    }
  }
  return std::nullopt;
}

bool Opener::HasRoot(Quorum quorum, SegmentSet have) const {
  return geometry_.Has(kRootGroup) &&
         (geometry_.group(kRootGroup).Quorums().*quorum).SatisfiedBy(have);
}

bool Opener::HasAll(Quorum quorum, SegmentSet have) const {
  return geometry_.Has(kRootGroup) && !FirstWithout(quorum, have).has_value();
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
    node.is_truncated = false;
    node.scls.clear();
  }
  pushes_.clear();
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
      request.set_volume_id(volume_.value());
      link_.SendToNode(slot, MakeFrame(MessageType::kNodeStatusRequest, ids_.Next(), request));
      return;
    }
    case State::kSealing: {
      if (node.sealed.has_value()) {
        return;
      }
      msg::SealRequest request;
      request.set_volume_id(volume_.value());
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
  if (IsStuck(now_us)) {
    BeginAnew(now_us);
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
  LearnGeometry(slot, reply.geometry());
  if (HasRoot(&QuorumPair::read,
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
  LearnGeometry(slot, reply.geometry());
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
  CheckSealed(now_us);
}

void Opener::CheckSealed(int64_t now_us) {
  const SegmentSet sealed = Slots([](const NodeState& n) { return n.sealed.has_value(); });
  if (!HasRoot(&QuorumPair::write, sealed) || !HasAll(&QuorumPair::read, sealed)) {
    return;
  }
  Result<RecoveryPoint> point = FindRecoveryPoint(AnswersOfMembers(), epoch_);
  if (!point.ok()) {
    Fail(std::move(point).status());
    return;
  }
  point_ = std::move(*point);
  geometry_.version = {epoch_, geometry_.version.number + 1};
  raise_to_.reset();  // the epoch is ours, whoever a minority was sealed by
  state_ = State::kTruncating;
  SendAll(now_us);
}

// Without segments of groups that the node has no seat in: leftovers, which nobody keeps whole.
std::vector<NodeAnswer> Opener::AnswersOfMembers() const {
  std::vector<NodeAnswer> answers;
  for (size_t slot = 0; slot < nodes_.size(); ++slot) {
    if (!nodes_[slot].sealed.has_value()) {
      continue;
    }
    answers.push_back(*nodes_[slot].sealed);
    std::erase_if(answers.back().segments, [&](const SegmentAnswer& segment) {
      return !geometry_.Has(segment.pg) ||
             (geometry_.group(segment.pg).Members() & SegmentBit(slot)) == 0;
    });
  }
  return answers;
}

SegmentSet Opener::Truncated() const {
  return Slots([](const NodeState& node) { return node.is_truncated; });
}

Frame Opener::TruncationFrame() const {
  msg::TruncateRequest request;
  request.set_volume_id(volume_.value());
  request.set_vdl(point_.vdl_told.value());
  SetRange(point_.annulled.back(), request.mutable_range());
  for (const AnnulledSpan& span : point_.annulled) {
    SetRange(span, request.add_annulled());
  }
  request.set_geometry(EncodeGeometry(geometry_));
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
    TakeProgress(slot, PgId(segment.pg()), Lsn(segment.scl()), now_us);
  }
  const SegmentSet truncated = Truncated();
  if (state_ == State::kTruncating && HasAll(&QuorumPair::write, truncated)) {
    state_ = State::kReplicating;
    progressed_at_us_ = now_us;
    CheckReplicated();
    if (state_ == State::kReplicating) {
      COVER("opener.had_to_replicate");
      PushMissing(now_us);
      Report();
    }
  } else if (state_ == State::kReplicating) {
    CheckReplicated();
  }
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
  if (others == 0 || FirstWithout(&QuorumPair::write, others).has_value()) {
    COVER("opener.fenced");
    Fail(Status::Fenced(
        fmt::format("epoch {} is fenced by epoch {}", epoch_.value(), highest_seen_.value())));
  }
}

void Opener::Fail(Status status) {
  state_ = State::kFailed;
  failure_ = std::move(status);
}

std::string Opener::DescribeQuorum(std::string_view step, std::optional<PgId> lacking,
                                   Quorum quorum, SegmentSet have) const {
  std::string text(step);
  if (!geometry_.Has(kRootGroup)) {
    text += fmt::format(": {} of {} storage nodes answered, {}", std::popcount(have), nodes_.size(),
                        no_geometry_);
  } else if (lacking.has_value()) {
    const Group& group = geometry_.group(*lacking);
    const bool to_write = quorum == &QuorumPair::write;
    text += fmt::format(": protection group {}: {} of {} segments answered, {} needed",
                        lacking->value(), std::popcount(have & group.Holders()), group.seats.size(),
                        to_write ? kSeatsToWrite : kSeatsToRead);
    if (to_write && group.Members() != group.Holders()) {
      text += fmt::format("; to succeed: {} of {}",
                          std::popcount(have & group.Members() & ~group.Holders()),
                          std::popcount(group.Members() & ~group.Holders()));
    }
  }
  text += "; waiting";
  for (size_t slot = 0; slot < nodes_.size(); ++slot) {
    if (!nodes_[slot].refusal.empty()) {
      text += fmt::format("; node {}: {}", table_[slot].node.value(), nodes_[slot].refusal);
    }
  }
  return text;
}

std::string Opener::Describe() const {
  switch (state_) {
    case State::kProbing: {
      const SegmentSet told = Slots([](const NodeState& n) { return n.has_told_epoch; });
      return DescribeQuorum("asking for the epoch", kRootGroup, &QuorumPair::read, told);
    }
    case State::kSealing: {
      const SegmentSet sealed = Slots([](const NodeState& n) { return n.sealed.has_value(); });
      const std::string step = fmt::format("sealing epoch {}", epoch_.value());
      if (!HasRoot(&QuorumPair::write, sealed)) {
        return DescribeQuorum(step, kRootGroup, &QuorumPair::write, sealed);
      }
      return DescribeQuorum(step, FirstWithout(&QuorumPair::read, sealed), &QuorumPair::read,
                            sealed);
    }
    case State::kTruncating: {
      const SegmentSet truncated = Truncated();
      return DescribeQuorum(fmt::format("truncating at {}", point_.vdl.value()),
                            FirstWithout(&QuorumPair::write, truncated), &QuorumPair::write,
                            truncated);
    }
    case State::kReplicating: {
      std::optional<PgId> lacking;
      for (const auto& [pg, tail] : point_.tails) {
        if (!lacking.has_value() && !IsReplicated(pg)) {
          lacking = pg;
        }
      }
      return DescribeQuorum(fmt::format("replicating up to {}", point_.vdl.value()), lacking,
                            &QuorumPair::write, lacking ? CompleteOf(*lacking) : 0);
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
  opened.geometry = geometry_;
  opened.ready = Slots([](const NodeState& node) { return node.is_truncated; });
  opened.truncation = TruncationFrame();
  for (uint32_t number = 0; number < geometry_.groups.size(); ++number) {
    const PgId pg(number);
    OpenedGroup& group = opened.groups[pg];
    const auto tail = point_.tails.find(pg);
    group.tail = tail == point_.tails.end() ? Lsn(0) : tail->second;
    for (const NodeState& node : nodes_) {
      const auto scl = node.scls.find(pg);
      group.scls.push_back(scl == node.scls.end() ? Lsn(0) : scl->second);
    }
  }
  return opened;
}

}  // namespace borealis::storage_client
