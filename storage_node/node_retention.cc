// What merging may drop: by the lines of retention.h, and by what peers still lack.
#include <fmt/format.h>

#include <algorithm>

#include "base/fault.h"
#include "storage_node/core.h"

namespace borealis::storage_node {

namespace {
constexpr size_t kHoldsMax = 4096;
}  // namespace

// No read will come from under it.
Lsn Node::Core::ReadLine(const Segment& segment) {
  const VolumeState& state = segment.volume();
  return std::max(segment.horizon(), std::min(state.retention.Line(), state.vdl_told));
}

// Records at or under it need not stay records: every other member of the group has them, or they
// are so old that one that comes back copies pages instead. `end` is the end of the log here.
Lsn Node::Core::RecordLine(const Held& held, Lsn end) const {
  const Segment& segment = *held.segment;
  const uint64_t retained = config_.retain_log_bytes;
  const Lsn old(end.value() > retained ? end.value() - retained : 0);
  const auto volume = volumes_.find(segment.volume().id);
  if (volume == volumes_.end() || volume->second->acting.value == nullptr) {
    return old;
  }
  Lsn everywhere = segment.scl();
  for (const NodeId member :
       OtherMembers(*volume->second->acting.value, segment.pg(), config_.node)) {
    const auto told = held.told.find(member);
    everywhere = std::min(everywhere, told == held.told.end() ? Lsn(0) : told->second.scl);
  }
  return std::max(old, everywhere);
}

void Node::Core::OnRetention(PeerId from, const Frame& frame) {
  msg::RetentionRequest request;
  const bool parsed =
      request.ParseFromArray(frame.body.data(), static_cast<int>(frame.body.size())) &&
      IsHoldKind(request.kind());
  const auto answer = [this, from, id = frame.request_id, volume_id = request.volume_id()](
                          msg::Outcome outcome, const std::string& reason) {
    msg::RetentionReply reply;
    reply.set_outcome(outcome);
    reply.set_reason(reason);
    if (const auto at = volumes_.find(VolumeId(volume_id)); at != volumes_.end()) {
      reply.set_line(at->second->state.retention.Line().value());
      for (const auto& [pg, held] : at->second->segments) {
        reply.set_horizon(std::max(reply.horizon(), held.segment->horizon().value()));
      }
    }
    environment_.Send(from, MakeFrame(MessageType::kRetentionReply, id, reply));
  };
  if (!parsed) {
    return answer(msg::MALFORMED, "no RetentionRequest");
  }
  if (const std::string reason = RefusesPromises(); !reason.empty()) {
    return answer(msg::OUT_OF_SERVICE, reason);
  }
  const auto at = volumes_.find(VolumeId(request.volume_id()));
  if (at == volumes_.end()) {
    return answer(msg::UNKNOWN, "no such volume here");
  }
  std::string reason;
  const msg::Outcome outcome = TakeHold(*at->second, request, &reason);
  if (outcome != msg::OK) {
    return answer(outcome, reason);
  }
  // Until then it may be forgotten, but it is not told to anybody either.
  WriteManifest([answer] { answer(msg::OK, ""); });
}

// INV-RET-1
msg::Outcome Node::Core::TakeHold(Volume& volume, const msg::RetentionRequest& request,
                                  std::string* reason) {
  Retention& retention = volume.state.retention;
  const RetentionHold hold{static_cast<HoldKind>(request.kind()), request.holder(),
                           Lsn(request.lsn())};
  if (request.release()) {
    retention.Release(hold.kind, hold.holder);
    return msg::OK;
  }
  for (const auto& [pg, held] : volume.segments) {
    const Lsn horizon = std::max(held.segment->horizon(), held.segment->job_horizon);
    if (hold.lsn < horizon) {
      COVER("node.hold_came_too_late");
      *reason = fmt::format("group {} can be read from lsn {} on", pg.value(), horizon.value());
      return msg::COLLECTED;
    }
  }
  if (retention.holds().size() >= kHoldsMax) {
    *reason = fmt::format("{} holds are the most that a node keeps", kHoldsMax);
    return msg::MALFORMED;
  }
  retention.Set(hold);
  return msg::OK;
}

}  // namespace borealis::storage_node
