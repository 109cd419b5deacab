// Records and pages out, to peers that catch up or copy a segment.
//
// A work of a lane of its own reads the layers: peers that are behind keep neither appends nor the
// reads of instances waiting.
#include <algorithm>

#include "storage_node/core.h"
#include "storage_node/page_build.h"

namespace borealis::storage_node {

namespace {
constexpr size_t kPagesPerCopyMax = 256;

Status ReadRecordsOf(const std::vector<std::shared_ptr<Layer>>& layers, Lsn after, Lsn up_to,
                     size_t size_max, std::string* out, bool* more) {
  for (const auto& layer : layers) {
    Lsn last;
    RETURN_IF_ERROR(layer->ReadRecords(after, up_to, size_max, out, &last, more));
    if (*more) {
      break;
    }
    after = std::max(after, layer->info().up_to);
  }
  return Status::Ok();
}
}  // namespace

struct Node::Core::RecordsAnswer {
  PeerId to = 0;
  uint64_t request_id = 0;
  msg::FetchRecordsReply reply;
  Lsn after;
  Lsn up_to;
  size_t size_max = 0;
  std::vector<std::shared_ptr<Layer>> layers;
  Lsn layers_end;
  std::string records;
  bool more = false;
};

struct Node::Core::CopiesAnswer {
  PeerId to = 0;
  uint64_t request_id = 0;
  msg::FetchPagesReply reply;
  Lsn changed_after;
  std::vector<PageBuild> pages;
};

void Node::Core::OnFetchRecords(PeerId from, const Frame& frame) {
  msg::FetchRecordsRequest request;
  if (!request.ParseFromArray(frame.body.data(), static_cast<int>(frame.body.size()))) {
    return;
  }
  auto answer = std::make_shared<RecordsAnswer>();
  answer->to = from;
  answer->request_id = frame.request_id;
  answer->reply.set_volume_id(request.volume_id());
  answer->reply.set_pg(request.pg());
  answer->reply.set_outcome(BeginRecords(request, answer.get()));
  if (answer->layers.empty()) {
    return SendRecords(answer.get());
  }
  Start(
      Lane::kFetches,
      [answer] {
        return ReadRecordsOf(answer->layers, answer->after, answer->up_to, answer->size_max,
                             &answer->records, &answer->more);
      },
      [this, answer](const Status& outcome) {
        Held* held = FindSegment(VolumeId(answer->reply.volume_id()), PgId(answer->reply.pg()));
        if (!outcome.ok()) {
          answer->reply.set_outcome(msg::OUT_OF_SERVICE);
          answer->records.clear();
          if (held != nullptr && UsesAnyOf(*held->segment, answer->layers)) {
            NoteDamage(*held->segment, outcome);
          }
        }
        SendRecords(answer.get());
      });
}

// Refuses, or notes which layers have what is asked for.
msg::Outcome Node::Core::BeginRecords(const msg::FetchRecordsRequest& request,
                                      RecordsAnswer* answer) {
  if (reads_out_of_service_) {
    return msg::OUT_OF_SERVICE;
  }
  const Held* held = FindSegment(VolumeId(request.volume_id()), PgId(request.pg()));
  if (held == nullptr) {
    return msg::UNKNOWN;
  }
  const Segment& segment = *held->segment;
  msg::FetchRecordsReply& reply = answer->reply;
  reply.set_scl(segment.scl().value());
  reply.set_volume_epoch(segment.volume().epoch.value());
  reply.set_layered_up_to(segment.complete_above().value());
  if (request.after() < segment.complete_above().value()) {
    return msg::COLLECTED;
  }
  if (segment.damaged && request.after() < segment.layered_up_to().value()) {
    return msg::OUT_OF_SERVICE;
  }
  answer->after = Lsn(request.after());
  answer->up_to = Lsn(request.up_to());
  answer->size_max = std::min<size_t>(
      request.size_bytes_max() == 0 ? config_.fetch_bytes : request.size_bytes_max(),
      kFrameAttachmentsSizeMax / 2);
  answer->layers = segment.LayersBetween(answer->after, answer->up_to);
  answer->layers_end = segment.layered_up_to();
  return msg::OK;
}

// With what the table has after the layers; the peer asks again for what it does not get.
void Node::Core::SendRecords(RecordsAnswer* answer) {
  const Held* held = FindSegment(VolumeId(answer->reply.volume_id()), PgId(answer->reply.pg()));
  if (answer->reply.outcome() == msg::OK && !answer->more) {
    answer->more = held == nullptr || held->segment->layered_up_to() != answer->layers_end;
    if (!answer->more) {
      held->segment->ReadTable(std::max(answer->after, answer->layers_end), answer->up_to,
                               answer->size_max, &answer->records, &answer->more);
    }
  }
  answer->reply.set_more(answer->more);
  Frame out = MakeFrame(MessageType::kFetchRecordsReply, answer->request_id, answer->reply);
  if (!answer->records.empty()) {
    out.attachments.emplace_back(std::move(answer->records));
  }
  environment_.Send(answer->to, std::move(out));
}

void Node::Core::OnFetchPages(PeerId from, const Frame& frame) {
  msg::FetchPagesRequest request;
  if (!request.ParseFromArray(frame.body.data(), static_cast<int>(frame.body.size()))) {
    return;
  }
  auto answer = std::make_shared<CopiesAnswer>();
  answer->to = from;
  answer->request_id = frame.request_id;
  answer->changed_after = Lsn(request.changed_after());
  answer->reply.set_volume_id(request.volume_id());
  answer->reply.set_pg(request.pg());
  answer->reply.set_outcome(BeginCopies(request, answer.get()));
  if (std::ranges::none_of(answer->pages, &PageBuild::needs_layers)) {
    return SendCopies(answer.get());
  }
  Start(
      Lane::kFetches,
      [answer] {
        for (PageBuild& page : answer->pages) {
          page.Finish();
        }
        return Status::Ok();
      },
      [this, answer](const Status&) { SendCopies(answer.get()); });
}

// Refuses, or begins the pages.
msg::Outcome Node::Core::BeginCopies(const msg::FetchPagesRequest& request, CopiesAnswer* answer) {
  const Held* held = FindSegment(VolumeId(request.volume_id()), PgId(request.pg()));
  if (reads_out_of_service_ || held == nullptr || held->segment->damaged) {
    return held == nullptr ? msg::UNKNOWN : msg::OUT_OF_SERVICE;
  }
  const Segment& segment = *held->segment;
  msg::FetchPagesReply& reply = answer->reply;
  reply.set_volume_epoch(segment.volume().epoch.value());
  const Lsn settled = segment.LayerCut();
  const Lsn wanted = request.at_lsn() == 0 ? settled : Lsn(request.at_lsn());
  // From the layers' end on nothing that a fold needs was ever dropped, whatever the horizon, but
  // for images of a copied layer that are newer (page_build.h); and the end of the last record
  // under an LSN is known exactly.
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
  for (const PageNo number : numbers) {
    auto page = std::make_unique<Page>();
    page->Clear();
    answer->pages.push_back(BeginPage(segment, number, at, std::move(page)));
    answer->pages.back().for_copy = true;
  }
  reply.set_more(next != kNoPage);
  reply.set_next_page(next.value());
  reply.set_pages_here(segment.PageCount());
  return msg::OK;
}

void Node::Core::SendCopies(CopiesAnswer* answer) {
  std::string images;
  for (PageBuild& build : answer->pages) {
    if (!build.outcome.ok()) {
      const bool newer = build.outcome.Is(Code::kUnavailable);
      if (!newer) {
        NoteDamage(VolumeId(answer->reply.volume_id()), build);
      }
      answer->reply.set_outcome(newer ? msg::NOT_COMPLETE : msg::OUT_OF_SERVICE);
      answer->reply.clear_pages();
      images.clear();
      break;
    }
    if (build.page->lsn() > answer->changed_after) {
      SealPage(build.page.get());
      images.append(build.page->view());
      answer->reply.add_pages(build.number.value());
    }
  }
  Frame out = MakeFrame(MessageType::kFetchPagesReply, answer->request_id, answer->reply);
  if (!images.empty()) {
    out.attachments.emplace_back(std::move(images));
  }
  environment_.Send(answer->to, std::move(out));
}

}  // namespace borealis::storage_node
