// Pages and records out. Reads change nothing and are answered whatever their epoch.
#include <algorithm>

#include "base/fault.h"
#include "base/obs/log.h"
#include "storage_node/core.h"

namespace borealis::storage_node {

namespace {
constexpr int kPagesPerRequestMax = 1024;
constexpr size_t kPagesPerCopyMax = 256;
}  // namespace

void Node::Core::OnReadPages(PeerId from, const Frame& frame) {
  msg::ReadPagesRequest request;
  msg::ReadPagesReply reply;
  std::string images;
  const bool parsed =
      request.ParseFromArray(frame.body.data(), static_cast<int>(frame.body.size())) &&
      request.pages_size() <= kPagesPerRequestMax;
  Page page;
  for (const msg::PageWanted& wanted : request.pages()) {
    msg::PageRead* read = reply.add_pages();
    if (!parsed || reads_out_of_service_) {
      read->set_outcome(parsed ? msg::OUT_OF_SERVICE : msg::MALFORMED);
      read->set_reason(out_of_service_);
      continue;
    }
    ++counters_.page_reads;
    const msg::Outcome outcome = ReadOne(request, wanted, read, &page);
    read->set_outcome(outcome);
    if (outcome == msg::OK) {
      SealPage(&page);
      images.append(page.view());
    }
  }
  const auto volume = volumes_.find(VolumeId(request.volume_id()));
  reply.set_volume_epoch(volume == volumes_.end() ? 0 : volume->second->state.epoch.value());
  Frame out = MakeFrame(MessageType::kReadPagesReply, frame.request_id, reply);
  if (!images.empty()) {
    out.attachments.emplace_back(std::move(images));
  }
  environment_.Send(from, std::move(out));
}

msg::Outcome Node::Core::ReadOne(const msg::ReadPagesRequest& request,
                                 const msg::PageWanted& wanted, msg::PageRead* reply, Page* page) {
  const VolumeId volume(request.volume_id());
  const PageNo number(wanted.page());
  const Lsn read_point(request.read_point());
  const Lsn needed(wanted.needed_lsn());
  page->Clear();
  const auto known = volumes_.find(volume);
  if (known == volumes_.end() || known->second->acting.value == nullptr) {
    return msg::UNKNOWN;
  }
  const Held* held = FindSegment(volume, known->second->acting.value->PgOf(number));
  if (held == nullptr) {
    return msg::NOT_A_MEMBER;
  }
  Segment& segment = *held->segment;
  reply->set_scl(segment.scl().value());
  if (segment.scl() < needed ||
      segment.DoubtfulBetween(needed, read_point, VolumeEpoch(request.volume_epoch()))) {
    return msg::NOT_COMPLETE;
  }
  if (read_point < segment.horizon()) {
    COVER("node.read_collected");
    return msg::COLLECTED;
  }
  if (cache_.Get(volume, number, read_point, page)) {
    ++counters_.page_cache_hits;
  }
  if (segment.damaged && page->lsn() < segment.layered_up_to()) {
    reply->set_reason("a layer of this segment is unreadable");
    return msg::OUT_OF_SERVICE;
  }
  const Lsn before = page->lsn();
  if (Status status = segment.ReadPage(number, read_point, page); !status.ok()) {
    NoteDamage(segment, status);
    reply->set_reason(status.ToString());
    return msg::OUT_OF_SERVICE;
  }
  if (page->lsn() > before) {
    cache_.Put(volume, number, *page);
  }
  return msg::OK;
}

// A layer does not verify, or its records do not apply: no reads need it until a copy from a peer
// has taken the place of the segment's layers.
void Node::Core::NoteDamage(Segment& segment, const Status& why) {
  COVER("node.damaged_layer");
  LOG_WARN("node {}: volume {} pg {}: {}; to be copied from a peer", config_.node.value(),
           segment.volume().id.value(), segment.pg().value(), why.ToString());
  segment.damaged = true;
  if (opened_) {
    WriteManifest(nullptr);
  }
}

void Node::Core::OnFetchRecords(PeerId from, const Frame& frame) {
  msg::FetchRecordsRequest request;
  if (!request.ParseFromArray(frame.body.data(), static_cast<int>(frame.body.size()))) {
    return;
  }
  msg::FetchRecordsReply reply;
  reply.set_volume_id(request.volume_id());
  reply.set_pg(request.pg());
  std::string records;
  const VolumeId id(request.volume_id());
  const Held* held = FindSegment(id, PgId(request.pg()));
  if (reads_out_of_service_) {
    reply.set_outcome(msg::OUT_OF_SERVICE);
  } else if (held == nullptr) {
    reply.set_outcome(msg::UNKNOWN);
  } else {
    Segment& segment = *held->segment;
    reply.set_scl(segment.scl().value());
    reply.set_volume_epoch(segment.volume().epoch.value());
    reply.set_layered_up_to(segment.complete_above().value());
    const size_t size_max = std::min<size_t>(
        request.size_bytes_max() == 0 ? config_.fetch_bytes : request.size_bytes_max(),
        kFrameAttachmentsSizeMax / 2);
    bool more = false;
    if (request.after() < segment.complete_above().value()) {
      reply.set_outcome(msg::COLLECTED);
    } else if (segment.damaged && request.after() < segment.layered_up_to().value()) {
      reply.set_outcome(msg::OUT_OF_SERVICE);
    } else if (Status status = segment.ReadRecords(Lsn(request.after()), Lsn(request.up_to()),
                                                   size_max, &records, &more);
               !status.ok()) {
      NoteDamage(segment, status);
      reply.set_outcome(msg::OUT_OF_SERVICE);
      records.clear();
    }
    reply.set_more(more);
  }
  Frame out = MakeFrame(MessageType::kFetchRecordsReply, frame.request_id, reply);
  if (!records.empty()) {
    out.attachments.emplace_back(std::move(records));
  }
  environment_.Send(from, std::move(out));
}

void Node::Core::OnFetchPages(PeerId from, const Frame& frame) {
  msg::FetchPagesRequest request;
  if (!request.ParseFromArray(frame.body.data(), static_cast<int>(frame.body.size()))) {
    return;
  }
  msg::FetchPagesReply reply;
  reply.set_volume_id(request.volume_id());
  reply.set_pg(request.pg());
  std::string images;
  const Held* held = FindSegment(VolumeId(request.volume_id()), PgId(request.pg()));
  const auto answer = [&]() -> msg::Outcome {
    if (reads_out_of_service_ || held == nullptr || held->segment->damaged) {
      return held == nullptr ? msg::UNKNOWN : msg::OUT_OF_SERVICE;
    }
    Segment& segment = *held->segment;
    reply.set_volume_epoch(segment.volume().epoch.value());
    const Lsn settled = segment.LayerCut();
    const Lsn wanted = request.at_lsn() == 0 ? settled : Lsn(request.at_lsn());
    // From the layers' end on nothing that a fold needs was ever dropped, whatever the horizon, and
    // the end of the last record under an LSN is known exactly.
    const Lsn at = std::max(wanted, segment.layered_up_to());
    if (at > settled) {
      return msg::NOT_COMPLETE;
    }
    reply.set_at_lsn(at.value());
    reply.set_chain_lsn(segment.LastAtOrUnder(at).value());
    const size_t count =
        std::clamp<size_t>(request.size_bytes_max() / kPageSize, 1, kPagesPerCopyMax);
    PageNo next;
    const auto numbers = segment.PagesIn(
        PageNo(request.from_page()), request.end_page() == 0 ? kNoPage : PageNo(request.end_page()),
        at, count, &next);
    Page page;
    for (const PageNo number : numbers) {
      page.Clear();
      if (Status status = segment.ReadPage(number, at, &page); !status.ok()) {
        NoteDamage(segment, status);
        return msg::OUT_OF_SERVICE;
      }
      if (page.lsn() > Lsn(request.changed_after())) {
        SealPage(&page);
        images.append(page.view());
        reply.add_pages(number.value());
      }
    }
    reply.set_more(next != kNoPage);
    reply.set_next_page(next.value());
    reply.set_pages_here(segment.PageCount());
    return msg::OK;
  };
  const msg::Outcome outcome = answer();
  reply.set_outcome(outcome);
  if (outcome != msg::OK) {
    reply.clear_pages();
    images.clear();
  }
  Frame out = MakeFrame(MessageType::kFetchPagesReply, frame.request_id, reply);
  if (!images.empty()) {
    out.attachments.emplace_back(std::move(images));
  }
  environment_.Send(from, std::move(out));
}

}  // namespace borealis::storage_node
