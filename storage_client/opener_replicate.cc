// The last step of an opening: every group's records up to the VDL on a write quorum of its nodes.
// Gossip would do it, too; pushing does not wait for its turn.
#include <algorithm>
#include <bit>

#include "base/fault.h"
#include "storage_client/message_frame.h"
#include "storage_client/opener.h"

namespace borealis::storage_client {

void Opener::TakeProgress(size_t slot, PgId pg, Lsn scl, int64_t now_us) {
  Lsn& known = nodes_[slot].scls[pg];
  if (scl > known) {
    known = scl;
    progressed_at_us_ = now_us;
  }
}

// A record that a single node had when it was sealed may be gone with its disk. Nobody was answered
// for it, or others would have it; but we truncated behind it, and wait for it in vain.
bool Opener::IsStuck(int64_t now_us) const {
  if (state_ != State::kReplicating ||
      now_us < progressed_at_us_ + (limits_.stuck_us << std::min(times_stuck_, 5))) {
    return false;
  }
  const SegmentSet truncated = Truncated();
  return std::ranges::any_of(point_.tails, [&](const auto& group) {
    const Group& members = geometry_.group(group.first);
    return !IsReplicated(group.first) &&
           members.Quorums().write.SatisfiedBy(truncated & members.Members());
  });
}

// As another opener would, who does not find what is gone.
void Opener::BeginAnew(int64_t now_us) {
  COVER("opener.began_anew");
  ++times_stuck_;
  if (request_.epoch != VolumeEpoch(0)) {
    Fail(Status::Unavailable("records that a storage node had when it was sealed are gone"));
    return;
  }
  highest_seen_ = std::max(highest_seen_, epoch_);
  BeginSealing(VolumeEpoch(highest_seen_.value() + 1), now_us);
}

SegmentSet Opener::CompleteOf(PgId pg) const {
  const Lsn tail = point_.tails.at(pg);
  SegmentSet complete = 0;
  for (size_t slot = 0; slot < nodes_.size(); ++slot) {
    const auto scl = nodes_[slot].scls.find(pg);
    if (nodes_[slot].is_truncated && scl != nodes_[slot].scls.end() && scl->second >= tail) {
      complete |= SegmentBit(slot);
    }
  }
  return complete & geometry_.group(pg).Members();
}

bool Opener::IsReplicated(PgId pg) const {
  return geometry_.group(pg).Quorums().write.SatisfiedBy(CompleteOf(pg));
}

void Opener::CheckReplicated() {
  const bool is_open = std::ranges::all_of(
      point_.tails, [this](const auto& group) { return IsReplicated(group.first); });
  if (is_open) {
    state_ = State::kOpen;
  }
}

void Opener::PushMissing(int64_t now_us) {
  for (const auto& [pg, tail] : point_.tails) {
    if (IsReplicated(pg)) {
      continue;
    }
    for (SegmentSet left = geometry_.group(pg).Members() & ~CompleteOf(pg); left != 0;
         left &= left - 1) {
      const auto slot = static_cast<size_t>(std::countr_zero(left));
      if (nodes_[slot].is_truncated) {
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
  for (SegmentSet left = geometry_.group(pg).Members(); left != 0; left &= left - 1) {
    const auto slot = static_cast<size_t>(std::countr_zero(left));
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
  request.set_volume_id(volume_.value());
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
    request.set_volume_id(volume_.value());
    request.set_volume_epoch(epoch_.value());
    request.set_vdl(point_.vdl_told.value());
    for (const SharedBytes& attachment : frame.attachments) {
      msg::AppendPart* part = request.add_parts();
      part->set_pg(key.first.value());
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
    TakeProgress(slot, PgId(segment.pg()), Lsn(segment.scl()), now_us);
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
  CheckReplicated();
}

}  // namespace borealis::storage_client
