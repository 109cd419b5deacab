// The foreground: records in, one flush for all that gathered, acknowledgement.
#include <fmt/format.h>

#include <algorithm>

#include "base/fault.h"
#include "base/invariant.h"
#include "base/obs/log.h"
#include "storage_node/core.h"

namespace borealis::storage_node {

namespace {
constexpr int64_t kCloseJournalAfterUs = 100'000;
}  // namespace

void Node::Core::RefuseAppend(PeerId to, uint64_t request_id, msg::Outcome outcome,
                              VolumeEpoch epoch, const std::string& reason) {
  msg::AppendReply reply;
  reply.set_outcome(outcome);
  reply.set_volume_epoch(epoch.value());
  reply.set_reason(reason);
  environment_.Send(to, MakeFrame(MessageType::kAppendReply, request_id, reply));
}

void Node::Core::NoteTold(Volume& volume, Lsn vdl, VolumeEpoch teller, Lsn pgmrpl) {
  volume.state.NoteVdl(vdl, teller);
  volume.state.retention.RaiseReadPoints(pgmrpl);
}

void Node::Core::OnAppend(PeerId from, const Frame& frame) {
  msg::AppendRequest request;
  if (!request.ParseFromArray(frame.body.data(), static_cast<int>(frame.body.size()))) {
    return RefuseAppend(from, frame.request_id, msg::MALFORMED, VolumeEpoch(0), "no AppendRequest");
  }
  const VolumeEpoch epoch(request.volume_epoch());
  if (const std::string reason = RefusesAppends(); !reason.empty()) {
    return RefuseAppend(from, frame.request_id, msg::OUT_OF_SERVICE, VolumeEpoch(0), reason);
  }
  Volume& volume = VolumeFor(VolumeId(request.volume_id()));
  if (epoch < volume.state.epoch) {
    COVER("node.append_fenced");
    return RefuseAppend(from, frame.request_id, msg::FENCED, volume.state.epoch,
                        "a higher epoch is sealed here");
  }
  const bool is_member = std::all_of(
      request.parts().begin(), request.parts().end(),
      [&](const msg::AppendPart& part) { return volume.segments.contains(PgId(part.pg())); });
  if (!is_member) {
    COVER("node.append_not_a_member");
    return RefuseAppend(from, frame.request_id, msg::NOT_A_MEMBER, volume.state.epoch,
                        "by geometry " + volume.acting.version().ToString() +
                            " this node is no member of a group of the append");
  }
  ++counters_.appends;
  ++volume.append_count;
  const size_t records_before = gathering_.records.size();
  if (const std::string reason = TakeParts(volume, request, frame); !reason.empty()) {
    LOG_WARN("node {}: append refused: {}", config_.node.value(), reason);
    return RefuseAppend(from, frame.request_id, msg::MALFORMED, volume.state.epoch, reason);
  }
  if (!out_of_service_.empty()) {
    return RefuseAppend(from, frame.request_id, msg::OUT_OF_SERVICE, volume.state.epoch,
                        out_of_service_);
  }
  NoteTold(volume, Lsn(request.vdl()), epoch, Lsn(request.pgmrpl()));
  Waiter waiter;
  waiter.peer = from;
  waiter.request_id = frame.request_id;
  waiter.volume = &volume;
  waiter.epoch = epoch;
  for (const msg::AppendPart& part : request.parts()) {
    if (waiter.pgs.empty() || waiter.pgs.back() != PgId(part.pg())) {
      waiter.pgs.emplace_back(part.pg());
    }
  }
  if (gathering_.records.size() == records_before) {
    return Acknowledge(waiter);  // nothing that is not durable already, or under way
  }
  gathering_.waiters.push_back(std::move(waiter));
  if (!flush_under_way_) {
    Flush();
  }
}

// Verifies all parts before any is taken. Returns why the request is malformed, or nothing.
std::string Node::Core::TakeParts(Volume& volume, const msg::AppendRequest& request,
                                  const Frame& frame) {
  std::string joined;
  std::vector<std::string_view> parts;
  const bool attached_apart = frame.attachments.size() == static_cast<size_t>(request.parts_size());
  if (!attached_apart) {
    for (const SharedBytes& attachment : frame.attachments) {
      joined.append(attachment.view());
    }
  }
  std::string_view rest = joined;
  for (int i = 0; i < request.parts_size(); ++i) {
    const size_t size = request.parts(i).size_bytes();
    const std::string_view from =
        attached_apart ? frame.attachments[static_cast<size_t>(i)].view() : rest;
    if (from.size() < size || (attached_apart && from.size() != size)) {
      return "parts and attachments do not add up";
    }
    parts.push_back(from.substr(0, size));
    rest.remove_prefix(attached_apart ? 0 : size);
  }
  if (!rest.empty()) {
    return "parts and attachments do not add up";
  }
  const VolumeEpoch epoch(request.volume_epoch());
  verified_.clear();
  std::vector<size_t> ends;
  for (int i = 0; i < request.parts_size(); ++i) {
    const std::string reason =
        VerifyRecords(volume, parts[static_cast<size_t>(i)], PgId(request.parts(i).pg()), epoch);
    if (!reason.empty()) {
      return reason;
    }
    ends.push_back(verified_.size());
  }
  size_t begin = 0;
  for (int i = 0; i < request.parts_size(); ++i) {
    const size_t end = ends[static_cast<size_t>(i)];
    GatherRecords(volume, PgId(request.parts(i).pg()),
                  std::span(verified_).subspan(begin, end - begin));
    begin = end;
  }
  return "";
}

// Appends what it finds to verified_. Returns why the bytes are malformed, or nothing.
std::string Node::Core::VerifyRecords(const Volume& volume, std::string_view bytes, PgId pg,
                                      VolumeEpoch epoch_max) {
  const Geometry& geometry = *volume.acting.value;  // there is a segment
  while (!bytes.empty()) {
    auto record = ParseRecord(bytes);
    if (!record.ok()) {
      return record.status().ToString();
    }
    const bool in_group = record->page == kNoPage || geometry.PgOf(record->page) == pg;
    if (record->pg != pg || !in_group || record->epoch > epoch_max) {
      return "record does not belong here: " + DescribeRecord(*record);
    }
    verified_.push_back(*record);
    bytes.remove_prefix(record->length);
  }
  return "";
}

// Puts the new ones of verified records of one group into the batch being gathered.
void Node::Core::GatherRecords(Volume& volume, PgId pg, std::span<const RecordView> records) {
  if (records.empty()) {
    return;
  }
  Segment& segment = *SegmentFor(volume, pg).segment;
  // Over the limit only what moves the SCL on, and so can go to a layer, is taken.
  const bool crowded = gathering_.builder.size() + memory_bytes_ > config_.memory_bytes;
  Lsn expected = segment.scl();
  gathering_.builder.BeginPart(volume.state.id, pg, volume.state.vdl_told, volume.state.vdl_epoch);
  for (const RecordView& record : records) {
    switch (segment.Probe(record)) {
      case Segment::Taken::kNew:
        if (crowded && record.pg_back_link > expected) {
          COVER("node.crowded");
          continue;
        }
        expected = record.end;
        gathering_.records.push_back(
            {&segment, gathering_.builder.Add(record.bytes), record.length});
        break;
      case Segment::Taken::kRepeated:
        ++counters_.records_repeated;
        break;
      case Segment::Taken::kVoid:
        COVER("node.void_record_refused");
        ++counters_.records_void;
        break;
      case Segment::Taken::kConflict:
        OutOfService("two records claim one place: " + DescribeRecord(record),
                     /*reads_too=*/false);
        break;
    }
  }
  gathering_.builder.EndPart();
}

void Node::Core::Flush() {
  if (gathering_.records.empty() || !out_of_service_.empty()) {
    return;
  }
  std::swap(flushing_, gathering_);
  journal_ends_open_ = true;
  WriteBatch(flushing_.builder.Take());
}

// INV-JRN-3.
void Node::Core::CloseJournal(int64_t now_us) {
  if (journal_ends_open_ && !flush_under_way_ && gathering_.records.empty() &&
      now_us >= flushed_at_us_ + kCloseJournalAfterUs) {
    journal_ends_open_ = false;
    WriteBatch(EmptyBatch());
  }
}

void Node::Core::WriteBatch(const std::shared_ptr<JournalBatch>& batch) {
  flush_under_way_ = true;
  counters_.flushed_bytes += batch->bytes.size();
  ++counters_.flushes;
  auto work = journal_.PrepareWrite(batch);
  Start(Lane::kJournal, std::move(work),
        [this, batch](Status outcome) { OnFlushed(batch, std::move(outcome)); });
  if (auto spare = journal_.PrepareSpare(); spare != nullptr) {
    Start(Lane::kLayers, std::move(spare),
          [this](const Status& outcome) { journal_.SpareDone(outcome.ok()); });
  }
}

void Node::Core::OnFlushed(const std::shared_ptr<JournalBatch>& batch, Status outcome) {
  flush_under_way_ = false;
  flushed_at_us_ = now();
  if (!outcome.ok()) {
    COVER("node.failed_flush");
    OutOfService("journal: " + outcome.ToString(), /*reads_too=*/false);
  }
  if (!out_of_service_.empty()) {
    for (const Gathering* lost : {&flushing_, &gathering_}) {
      for (const Waiter& waiter : lost->waiters) {
        if (!waiter.then) {
          RefuseAppend(waiter.peer, waiter.request_id, msg::OUT_OF_SERVICE,
                       waiter.volume->state.epoch, out_of_service_);
        }
      }
    }
    flushing_.Clear();
    gathering_.Clear();
    return;
  }
  journal_.Retain(batch);
  IndexBatch(batch.get());
  std::vector<Waiter> waiters = std::move(flushing_.waiters);
  flushing_.Clear();
  if (!gathering_.records.empty()) {
    Flush();
  }
  for (const Waiter& waiter : waiters) {
    Acknowledge(waiter);
  }
}

// The batch is durable: its records count from here on.
void Node::Core::IndexBatch(JournalBatch* batch) {
  batch->live = 1;  // held while it is looked through
  for (const PendingRecord& pending : flushing_.records) {
    const RecordView record =
        ViewVerifiedRecord({batch->bytes.data() + pending.offset, pending.length});
    Segment& segment = *pending.segment;
    const auto taken = segment.Insert(record, batch);
    if (taken == Segment::Taken::kNew) {
      ++counters_.records_taken;
      counters_.record_bytes += record.length;
      memory_bytes_ += record.length;
      auto& state = volumes_.at(segment.volume().id)->state;
      if (record.epoch > state.epoch) {
        state.epoch = record.epoch;
        state.has_opener = false;
      }
    } else if (taken == Segment::Taken::kConflict) {
      OutOfService("two records claim one place: " + DescribeRecord(record), /*reads_too=*/false);
    }
  }
  journal_.Release(batch);
  for (const PendingRecord& pending : flushing_.records) {
    MakeTableImages(*pending.segment);
  }
}

void Node::Core::Acknowledge(const Waiter& waiter) {
  if (waiter.then) {
    return waiter.then();
  }
  const VolumeState& state = waiter.volume->state;
  if (!out_of_service_.empty()) {
    return RefuseAppend(waiter.peer, waiter.request_id, msg::OUT_OF_SERVICE, state.epoch,
                        out_of_service_);
  }
  if (waiter.epoch < state.epoch) {
    COVER("node.fenced_while_flushing");
    return RefuseAppend(waiter.peer, waiter.request_id, msg::FENCED, state.epoch,
                        "a higher epoch was sealed here");
  }
  msg::AppendReply reply;
  reply.set_outcome(msg::OK);
  reply.set_volume_epoch(state.epoch.value());
  const auto add = [&](PgId pg, Lsn scl) {
    msg::SegmentProgress* progress = reply.add_segments();
    progress->set_pg(pg.value());
    progress->set_scl(scl.value());
  };
  if (waiter.pgs.empty()) {
    reply.set_free_bytes(free_bytes_);
    for (const auto& [pg, held] : waiter.volume->segments) {
      add(pg, held.segment->scl());
    }
  }
  for (const PgId pg : waiter.pgs) {
    const auto held = waiter.volume->segments.find(pg);
    if (held != waiter.volume->segments.end()) {  // its seat may have gone meanwhile
      add(pg, held->second.segment->scl());
    }
  }
  environment_.Send(waiter.peer, MakeFrame(MessageType::kAppendReply, waiter.request_id, reply));
}

}  // namespace borealis::storage_node
