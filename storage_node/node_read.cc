// Pages out, to instances. Reads change nothing and are answered whatever their epoch.
//
// What memory has is answered at once; for the rest a work reads layers, so that a slow disk or
// many blocks to decode keep no append waiting.
#include <algorithm>

#include "base/fault.h"
#include "base/obs/log.h"
#include "storage_node/core.h"
#include "storage_node/page_build.h"

namespace borealis::storage_node {

namespace {
constexpr int kPagesPerRequestMax = 1024;
}  // namespace

// The answer to a read, as far as it is there.
struct Node::Core::PagesAnswer {
  PeerId to = 0;
  uint64_t request_id = 0;
  VolumeId volume;
  msg::ReadPagesReply reply;
  struct Built {
    int index;  // in the reply
    Lsn cached;
    PageBuild build;
  };
  std::vector<Built> pages;
  uint64_t cache_drops = 0;
};

void Node::Core::OnReadPages(PeerId from, const Frame& frame) {
  msg::ReadPagesRequest request;
  const bool parsed =
      request.ParseFromArray(frame.body.data(), static_cast<int>(frame.body.size())) &&
      request.pages_size() <= kPagesPerRequestMax;
  auto answer = std::make_shared<PagesAnswer>();
  answer->to = from;
  answer->request_id = frame.request_id;
  answer->volume = VolumeId(request.volume_id());
  answer->cache_drops = cache_.drops();
  bool needs_layers = false;
  for (const msg::PageWanted& wanted : request.pages()) {
    msg::PageRead* read = answer->reply.add_pages();
    if (!parsed || reads_out_of_service_) {
      read->set_outcome(parsed ? msg::OUT_OF_SERVICE : msg::MALFORMED);
      read->set_reason(out_of_service_);
      continue;
    }
    ++counters_.page_reads;
    read->set_outcome(ReadOne(request, wanted, answer.get()));
    needs_layers |= read->outcome() == msg::OK && answer->pages.back().build.needs_layers();
  }
  if (!needs_layers) {
    return SendPages(answer.get());
  }
  Start(
      Lane::kReads,
      [answer] {
        for (PagesAnswer::Built& page : answer->pages) {
          page.build.Finish();
        }
        return Status::Ok();
      },
      [this, answer](const Status&) { SendPages(answer.get()); });
}

// OK when the page was added to those of the answer.
msg::Outcome Node::Core::ReadOne(const msg::ReadPagesRequest& request,
                                 const msg::PageWanted& wanted, PagesAnswer* answer) {
  const VolumeId volume(request.volume_id());
  const PageNo number(wanted.page());
  const Lsn read_point(request.read_point());
  const Lsn needed(wanted.needed_lsn());
  const auto known = volumes_.find(volume);
  if (known == volumes_.end() || known->second->acting.value == nullptr) {
    return msg::UNKNOWN;
  }
  const Held* held = FindSegment(volume, known->second->acting.value->PgOf(number));
  if (held == nullptr) {
    return msg::NOT_A_MEMBER;
  }
  const int index = answer->reply.pages_size() - 1;
  msg::PageRead* reply = answer->reply.mutable_pages(index);
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
  auto page = std::make_unique<Page>();
  page->Clear();
  if (cache_.Get(volume, number, read_point, page.get())) {
    ++counters_.page_cache_hits;
  }
  const Lsn cached = page->lsn();
  if (segment.damaged && cached < segment.layered_up_to()) {
    reply->set_reason("a layer of this segment is unreadable");
    return msg::OUT_OF_SERVICE;
  }
  answer->pages.push_back({index, cached, BeginPage(segment, number, read_point, std::move(page))});
  return msg::OK;
}

void Node::Core::SendPages(PagesAnswer* answer) {
  std::string images;
  images.reserve(answer->pages.size() * kPageSize);
  for (PagesAnswer::Built& built : answer->pages) {
    PageBuild& build = built.build;
    counters_.page_read_records += build.cost.records;
    counters_.page_read_layers += build.cost.layers;
    if (!build.outcome.ok()) {
      NoteDamage(answer->volume, build);
      msg::PageRead* read = answer->reply.mutable_pages(built.index);
      read->set_outcome(msg::OUT_OF_SERVICE);
      read->set_reason(build.outcome.ToString());
      continue;
    }
    // Not when records were annulled meanwhile, of which the page may have some.
    if (build.page->lsn() > built.cached && answer->cache_drops == cache_.drops()) {
      cache_.Put(answer->volume, build.number, *build.page);
    }
    SealPage(build.page.get());
    images.append(build.page->view());
  }
  const auto volume = volumes_.find(answer->volume);
  answer->reply.set_volume_epoch(volume == volumes_.end() ? 0
                                                          : volume->second->state.epoch.value());
  Frame out = MakeFrame(MessageType::kReadPagesReply, answer->request_id, answer->reply);
  if (!images.empty()) {
    out.attachments.emplace_back(std::move(images));
  }
  environment_.Send(answer->to, std::move(out));
}

// INV-SEG-3. Where the first of a page's images needs layers, a work reads them.
void Node::Core::MakeTableImages(Segment& segment) {
  if (segment.damaged || !opened_) {
    return;  // images stay due
  }
  for (const auto& [number, lsn] : segment.TakeImagesDue()) {
    if (lsn < segment.horizon()) {
      continue;  // the page may have no base there
    }
    auto page = std::make_unique<Page>();
    page->Clear();
    auto build = std::make_shared<PageBuild>(BeginPage(segment, number, lsn, std::move(page)));
    const auto add = [this, build, volume = segment.volume().id, pg = segment.pg(),
                      drops = cache_.drops()] { AddTableImage(volume, pg, build.get(), drops); };
    if (!build->needs_layers()) {
      add();
      continue;
    }
    Start(
        Lane::kReads,
        [build] {
          build->Finish();
          return Status::Ok();
        },
        [add](const Status&) { add(); });
  }
}

// Those left over from the node's start.
void Node::Core::MakeImagesDue() {
  for (auto& [id, volume] : volumes_) {
    for (auto& [pg, held] : volume->segments) {
      if (held.segment->HasImagesDue()) {
        MakeTableImages(*held.segment);
      }
    }
  }
}

// Not when records were annulled meanwhile, of which the page may have some.
void Node::Core::AddTableImage(VolumeId volume, PgId pg, PageBuild* build, uint64_t drops) {
  Held* held = FindSegment(volume, pg);
  if (held == nullptr || drops != cache_.drops()) {
    return;
  }
  if (!build->outcome.ok()) {
    return NoteDamage(volume, *build);
  }
  held->segment->AddTableImage(build->number, std::move(build->page));
}

// What a build found, unless the layers that it used are not the segment's any more.
void Node::Core::NoteDamage(VolumeId volume, const PageBuild& build) {
  const auto known = volumes_.find(volume);
  if (known == volumes_.end() || known->second->acting.value == nullptr) {
    return;
  }
  Held* held = FindSegment(volume, known->second->acting.value->PgOf(build.number));
  if (held != nullptr && UsesAnyOf(*held->segment, build.layers)) {
    NoteDamage(*held->segment, build.outcome);
  }
}

bool Node::Core::UsesAnyOf(const Segment& segment,
                           const std::vector<std::shared_ptr<Layer>>& layers) {
  return layers.empty() || std::ranges::any_of(layers, [&](const std::shared_ptr<Layer>& layer) {
           return std::ranges::find(segment.layers(), layer) != segment.layers().end();
         });
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

}  // namespace borealis::storage_node
