#include "storage_client/log_shipper.h"

#include <algorithm>

#include "base/fault.h"
#include "base/invariant.h"
#include "storage_client/message_frame.h"

namespace borealis::storage_client {

LogShipper::LogShipper(VolumeId volume, const ShipperLimits& limits, VolumeEpoch epoch,
                       QuorumTracker& tracker, NodeLink& link, RequestIds& ids,
                       ClientMetrics& metrics)
    : volume_(volume),
      limits_(limits),
      epoch_(epoch),
      tracker_(tracker),
      link_(link),
      ids_(ids),
      metrics_(metrics) {}

void LogShipper::SetNodeCount(size_t count) {
  while (nodes_.size() < count) {
    NodeQueue& node = nodes_.emplace_back();
    node.timeout_us = limits_.timeout_us;
    node.delivered = first_chunk_;
    node.next = first_chunk_;
  }
}

void LogShipper::SetGeometry(const Geometry& geometry, int64_t now_us) {
  SegmentSet joined = 0;  // somewhere
  members_.resize(geometry.groups.size());
  for (size_t pg = 0; pg < members_.size(); ++pg) {
    const SegmentSet members = geometry.groups[pg].Members();
    joined |= members & ~members_[pg];
    members_[pg] = members;
  }
  MoveShippingEnd();
  for (size_t slot = 0; slot < nodes_.size(); ++slot) {
    if ((joined & SegmentBit(slot)) != 0) {
      Rewind(&nodes_[slot]);  // chunks that were passed over may concern it now
    }
    Pump(slot, now_us);
  }
}

void LogShipper::MoveShippingEnd() {
  const auto is_known = [this](const PgBytes& part) { return part.pg.value() < members_.size(); };
  while (shipping_end_ < EndOfRow() &&
         std::ranges::all_of(ChunkAt(shipping_end_).parts, is_known)) {
    ++shipping_end_;
  }
  if (shipping_end_ < EndOfRow()) {
    COVER("shipper.waits_for_a_group");
  }
}

bool LogShipper::Concerns(const LogChunk& chunk, size_t slot) const {
  return std::ranges::any_of(chunk.parts,
                             [&](const PgBytes& part) { return IsMember(part.pg, slot); });
}

void LogShipper::SetReady(size_t slot, int64_t now_us) {
  nodes_[slot].is_ready = true;
  Pump(slot, now_us);
}

void LogShipper::OnNodeUp(size_t slot, int64_t now_us) {
  NodeQueue& node = nodes_[slot];
  node.is_up = true;
  node.timeout_us = limits_.timeout_us;
  node.not_before_us = 0;
  Rewind(&node);
  Pump(slot, now_us);
}

void LogShipper::OnNodeDown(size_t slot) {
  nodes_[slot].is_up = false;
  Rewind(&nodes_[slot]);
}

void LogShipper::OnAppended(LogChunkPtr chunk, int64_t now_us) {
  retained_bytes_ += chunk->size_bytes;
  chunks_.push_back(std::move(chunk));
  MoveShippingEnd();
  for (size_t slot = 0; slot < nodes_.size(); ++slot) {
    Pump(slot, now_us);
  }
}

size_t LogShipper::GatheredBytes(const NodeQueue& node, size_t slot) const {
  size_t gathered = 0;
  for (uint64_t at = node.next; at < shipping_end_ && gathered < limits_.pipeline_bytes; ++at) {
    for (const PgBytes& part : ChunkAt(at).parts) {
      gathered += IsMember(part.pg, slot) ? part.bytes.size() : 0;
    }
  }
  return gathered;
}

// Passes chunks that have nothing for the node.
void LogShipper::SkipForeign(NodeQueue* node, size_t slot) {
  const bool has_all_before = node->delivered == node->next;
  while (node->next < shipping_end_ && !Concerns(ChunkAt(node->next), slot)) {
    ++node->next;
  }
  if (has_all_before) {
    node->delivered = node->next;
  }
}

void LogShipper::Pump(size_t slot, int64_t now_us) {
  NodeQueue& node = nodes_[slot];
  while (node.is_up && node.is_ready && now_us >= node.not_before_us &&
         node.in_flight.size() < limits_.in_flight_max) {
    SkipForeign(&node, slot);
    const bool is_worth_it =
        node.in_flight.empty() || GatheredBytes(node, slot) >= limits_.pipeline_bytes;
    if (node.next == shipping_end_ || !is_worth_it) {
      return;
    }
    SendBatch(slot, now_us);
  }
}

void LogShipper::SendBatch(size_t slot, int64_t now_us) {
  NodeQueue& node = nodes_[slot];
  msg::AppendRequest request;
  request.set_volume_id(volume_.value());
  request.set_volume_epoch(epoch_.value());
  request.set_vdl(tracker_.vdl().value());
  request.set_pgmrpl(pgmrpl_.value());
  Batch batch;
  batch.request_id = ids_.Next();
  batch.first = node.next;
  std::vector<SharedBytes> attachments;
  size_t bytes = 0;
  // One part and one attachment for each group of each chunk: slices of what the log buffer built.
  while (node.next < shipping_end_) {
    const LogChunk& chunk = ChunkAt(node.next);
    const bool fits = bytes + chunk.size_bytes <= limits_.batch_bytes_max &&
                      attachments.size() + chunk.parts.size() <= limits_.batch_parts_max;
    if (!fits && bytes > 0) {
      break;
    }
    for (const PgBytes& part : chunk.parts) {
      if (!IsMember(part.pg, slot)) {
        continue;
      }
      msg::AppendPart* out = request.add_parts();
      out->set_pg(part.pg.value());
      out->set_size_bytes(static_cast<uint32_t>(part.bytes.size()));
      attachments.push_back(part.bytes);
      bytes += part.bytes.size();
      if (batch.known_scls.empty() || batch.known_scls.back().first != part.pg) {
        batch.known_scls.emplace_back(part.pg, tracker_.scl(part.pg, slot));
      }
    }
    ++node.next;
  }
  batch.last = node.next;
  batch.deadline_us = now_us + node.timeout_us;
  Frame frame = MakeFrame(MessageType::kAppendRequest, batch.request_id, request);
  frame.attachments = std::move(attachments);
  node.in_flight.push_back(std::move(batch));
  node.last_sent_us = now_us;
  node.vdl_sent = tracker_.vdl();
  ClientMetrics::Add(metrics_.batches_sent);
  ClientMetrics::Add(metrics_.batch_bytes_sent, bytes);
  link_.SendToNode(slot, std::move(frame));
}

void LogShipper::SendSurvey(size_t slot, int64_t now_us) {
  NodeQueue& node = nodes_[slot];
  msg::AppendRequest request;
  request.set_volume_id(volume_.value());
  request.set_volume_epoch(epoch_.value());
  request.set_vdl(tracker_.vdl().value());
  request.set_pgmrpl(pgmrpl_.value());
  node.last_sent_us = now_us;
  node.last_survey_us = now_us;
  node.vdl_sent = tracker_.vdl();
  ClientMetrics::Add(metrics_.surveys_sent);
  link_.SendToNode(slot, MakeFrame(MessageType::kAppendRequest, ids_.Next(), request));
}

void LogShipper::Rewind(NodeQueue* node) {
  node->delivered = std::max(node->delivered, first_chunk_);
  if (node->next > node->delivered) {
    ClientMetrics::Add(metrics_.retransmissions);
  }
  node->next = node->delivered;
  node->in_flight.clear();
}

void LogShipper::OnReply(size_t slot, uint64_t request_id, const msg::AppendReply& reply,
                         int64_t now_us) {
  NodeQueue& node = nodes_[slot];
  const auto batch = std::find_if(node.in_flight.begin(), node.in_flight.end(),
                                  [&](const Batch& sent) { return sent.request_id == request_id; });
  if (reply.outcome() != msg::OK) {
    if (batch != node.in_flight.end()) {
      node.not_before_us = now_us + limits_.refusal_pause_us;
      Rewind(&node);
    }
    return;
  }
  ClientMetrics::Add(metrics_.acknowledgements);
  if (batch != node.in_flight.end()) {
    batch->is_answered = true;
    node.timeout_us = limits_.timeout_us;
    const Batch answered = *batch;
    NoteLosses(&node, slot, answered, reply);
  }
  for (const msg::SegmentProgress& segment : reply.segments()) {
    tracker_.OnProgress(PgId(segment.pg()), slot, Lsn(segment.scl()), request_id);
  }
  NoteDelivered(&node, slot);
  Pump(slot, now_us);
}

// A reply to a request that was sent when we already knew a higher SCL: the node has lost log.
void LogShipper::NoteLosses(NodeQueue* node, size_t slot, const Batch& batch,
                            const msg::AppendReply& reply) {
  for (const auto& [pg, known] : batch.known_scls) {
    for (const msg::SegmentProgress& segment : reply.segments()) {
      const bool is_less = PgId(segment.pg()) == pg && Lsn(segment.scl()) < known;
      if (!is_less || !IsMember(pg, slot)) {
        continue;
      }
      COVER("shipper.scl_went_back");
      tracker_.OnLoss(pg, slot, Lsn(segment.scl()));
      for (uint64_t at = first_chunk_; at < node->delivered; ++at) {
        if (!IsCovered(slot, ChunkAt(at))) {
          node->delivered = at;
          Rewind(node);
          break;
        }
      }
    }
  }
}

bool LogShipper::IsCovered(size_t slot, const LogChunk& chunk) const {
  return std::ranges::all_of(chunk.parts, [&](const PgBytes& part) {
    return !IsMember(part.pg, slot) || tracker_.scl(part.pg, slot) >= part.last_end;
  });
}

// What was answered, in order, or is under the SCL was delivered. A node may have taken a batch and
// still lack something before it that we no longer have: that is gossip's business.
void LogShipper::NoteDelivered(NodeQueue* node, size_t slot) {
  while (!node->in_flight.empty() && node->in_flight.front().is_answered) {
    node->delivered = std::max(node->delivered, node->in_flight.front().last);
    node->in_flight.pop_front();
  }
  AdvanceDelivered(node, slot);
}

void LogShipper::AdvanceDelivered(NodeQueue* node, size_t slot) {
  node->delivered = std::max(node->delivered, first_chunk_);
  while (node->delivered < shipping_end_ && IsCovered(slot, ChunkAt(node->delivered))) {
    ++node->delivered;
  }
  while (!node->in_flight.empty() && node->in_flight.front().last <= node->delivered) {
    node->in_flight.pop_front();
  }
  node->next = std::max(node->next, node->delivered);
}

void LogShipper::Trim() {
  uint64_t needed = EndOfRow();
  for (size_t slot = 0; slot < nodes_.size(); ++slot) {
    NodeQueue& node = nodes_[slot];
    if (!node.is_up || !node.is_ready) {
      AdvanceDelivered(&node, slot);  // past chunks that are no concern of it
    }
    needed = std::min(needed, node.delivered);
  }
  while (!chunks_.empty() && chunks_.front()->end <= tracker_.vdl()) {
    const bool all_have_it = needed > first_chunk_;
    if (!all_have_it && retained_bytes_ <= limits_.retained_bytes_max) {
      break;
    }
    if (!all_have_it) {
      COVER("shipper.gave_up_on_slow_node");
      ClientMetrics::Add(metrics_.chunks_given_up);
    }
    retained_bytes_ -= chunks_.front()->size_bytes;
    chunks_.pop_front();
    ++first_chunk_;
  }
  for (NodeQueue& node : nodes_) {
    if (node.delivered < first_chunk_) {
      node.delivered = first_chunk_;
      node.next = std::max(node.next, first_chunk_);
    }
  }
}

std::vector<LogChunkPtr> LogShipper::ChunksAbove(Lsn lsn) const {
  const auto first = std::partition_point(
      chunks_.begin(), chunks_.end(), [&](const LogChunkPtr& chunk) { return chunk->end <= lsn; });
  return {first, chunks_.end()};
}

int64_t LogShipper::SurveyAtUs(const NodeQueue& node) const {
  if (!node.is_up || !node.is_ready) {
    return kNeverUs;
  }
  const int64_t survey_us = node.last_survey_us + limits_.survey_us;
  return node.in_flight.empty() && node.vdl_sent < tracker_.vdl()
             ? std::min(survey_us, node.last_sent_us + limits_.vdl_notice_us)
             : survey_us;
}

void LogShipper::OnTimer(int64_t now_us) {
  for (size_t slot = 0; slot < nodes_.size(); ++slot) {
    NodeQueue& node = nodes_[slot];
    const bool is_overdue = !node.in_flight.empty() && now_us >= node.in_flight.front().deadline_us;
    if (is_overdue) {
      COVER("shipper.append_timed_out");
      node.timeout_us = std::min(node.timeout_us * 2, limits_.timeout_us_max);
      Rewind(&node);
    }
    Pump(slot, now_us);
    if (now_us >= SurveyAtUs(node)) {
      SendSurvey(slot, now_us);
    }
  }
}

int64_t LogShipper::NextDeadlineUs() const {
  int64_t next = kNeverUs;
  for (const NodeQueue& node : nodes_) {
    next = std::min(next, SurveyAtUs(node));
    if (!node.in_flight.empty()) {
      next = std::min(next, node.in_flight.front().deadline_us);
    } else if (node.is_up && node.is_ready && node.next < shipping_end_) {
      next = std::min(next, node.not_before_us);
    }
  }
  return next;
}

}  // namespace borealis::storage_client
