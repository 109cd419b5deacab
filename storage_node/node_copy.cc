// Copying a segment's pages from a peer: when records that this node misses exist at the peers only
// merged into images, or when a layer here does not verify.
//
// Page images come in page order, each as of an LSN at or above that of the first piece, and go
// into one new layer, which then takes the place of all the segment's layers. From the last record
// under the first piece's LSN on, the chain is caught up record by record; images that are newer
// than that skip the records they contain. Reads under the newest image are refused as collected.
#include <algorithm>

#include "base/fault.h"
#include "base/obs/log.h"
#include "storage_node/core.h"
#include "storage_node/merge.h"

namespace borealis::storage_node {

namespace {
constexpr int64_t kCopyRetryUs = 500'000;
}  // namespace

struct Node::Core::Copy {
  VolumeId volume;
  PgId pg;
  Held* held = nullptr;
  NodeId peer;
  uint64_t request_id = 0;  // of the piece asked for, 0 while none is
  int64_t asked_us = 0;
  Lsn wanted;  // what the chain needs at least; 0 leaves it to the peer
  uint64_t next_page = 0;
  bool begun = false;
  Lsn chain_lsn;
  Lsn horizon;
  bool abandoned = false;
  std::shared_ptr<LayerWriter> writer;  // used by works only, once made
  uint64_t layer_number = 0;
  uint64_t pages = 0;
};

// `wanted`: the pages must be as of that LSN or later.
void Node::Core::StartCopy(Volume& volume, PgId pg, Held& held, NodeId from, Lsn wanted) {
  if (held.segment->layer_job) {
    return;
  }
  auto copy = std::make_shared<Copy>();
  copy->volume = volume.state.id;
  copy->pg = pg;
  copy->held = &held;
  copy->peer = from;
  copy->wanted = wanted;
  copy->layer_number = next_layer_++;
  held.copy = copy;
  held.fetch_id = 0;
  held.segment->layer_job = true;
  LOG_INFO("node {}: copying volume {} pg {} from node {}", config_.node.value(),
           volume.state.id.value(), pg.value(), copy->peer.value());
  AskPages(copy);
}

void Node::Core::AskPages(const std::shared_ptr<Copy>& copy) {
  copy->request_id = next_fetch_++;
  copy->asked_us = now();
  msg::FetchPagesRequest request;
  request.set_volume_id(copy->volume.value());
  request.set_pg(copy->pg.value());
  request.set_from_page(copy->next_page);
  request.set_at_lsn(copy->wanted.value());
  request.set_size_bytes_max(config_.fetch_bytes);
  environment_.SendToNode(copy->peer,
                          MakeFrame(MessageType::kFetchPagesRequest, copy->request_id, request));
}

void Node::Core::OnFetchPagesReply(const Frame& frame) {
  msg::FetchPagesReply reply;
  if (!opened_ || !out_of_service_.empty() ||
      !reply.ParseFromArray(frame.body.data(), static_cast<int>(frame.body.size()))) {
    return;
  }
  Held* held = FindSegment(VolumeId(reply.volume_id()), PgId(reply.pg()));
  if (held == nullptr || held->copy == nullptr || held->copy->request_id == 0 ||
      held->copy->request_id != frame.request_id) {
    return;  // late
  }
  const std::shared_ptr<Copy> copy = held->copy;
  copy->request_id = 0;
  if (reply.outcome() != msg::OK) {
    return AbandonCopy(copy, "peer answers " + msg::Outcome_Name(reply.outcome()));
  }
  TakePages(copy, reply, frame);
}

// A piece has come: verified, then written by a work.
void Node::Core::TakePages(const std::shared_ptr<Copy>& copy, const msg::FetchPagesReply& reply,
                           const Frame& frame) {
  const SharedBytes images = frame.attachments.empty() ? SharedBytes() : frame.attachments.front();
  const auto count = static_cast<size_t>(reply.pages_size());
  if (images.size() != count * kPageSize) {
    return AbandonCopy(copy, "pages and attachment do not add up");
  }
  std::vector<LayerEntry> entries;
  for (size_t i = 0; i < count; ++i) {
    const std::string_view bytes = images.view().substr(i * kPageSize, kPageSize);
    Page page;
    std::memcpy(page.bytes, bytes.data(), kPageSize);
    const PageNo number(reply.pages(static_cast<int>(i)));
    const bool ascending = number.value() >= copy->next_page &&
                           (entries.empty() || entries.back().page < number) &&
                           number.value() / config_.pages_per_pg == copy->pg.value();
    if (!ascending || !PageIsIntact(page) || page.lsn() > Lsn(reply.at_lsn())) {
      return AbandonCopy(copy, "a page does not verify");
    }
    entries.push_back({number, page.lsn(), true, bytes});
  }
  if (!copy->begun) {
    copy->begun = true;
    copy->chain_lsn = Lsn(reply.chain_lsn());
    if (copy->chain_lsn < copy->held->segment->layered_up_to()) {
      return AbandonCopy(copy, "peer has less than we need");
    }
    LayerInfo info;
    info.number = copy->layer_number;
    info.volume = copy->volume;
    info.pg = copy->pg;
    info.level = 1;
    info.up_to = copy->chain_lsn;
    info.complete_above = copy->chain_lsn;
    copy->writer = std::make_shared<LayerWriter>(files_, config_.directory, info);
    copy->wanted = std::max(copy->wanted, Lsn(reply.at_lsn()));
  }
  copy->horizon = std::max(copy->horizon, Lsn(reply.at_lsn()));
  copy->next_page = reply.next_page();
  copy->pages += count;
  const bool first = copy->pages == count;
  Start(
      Lane::kLayers,
      [writer = copy->writer, entries = std::move(entries), images, first]() -> Status {
        if (first) {
          RETURN_IF_ERROR(writer->Create());
        }
        for (const LayerEntry& entry : entries) {
          RETURN_IF_ERROR(writer->Add(entry));
        }
        return Status::Ok();
      },
      [this, copy, more = reply.more()](const Status& outcome) {
        if (copy->abandoned) {
          return;
        }
        if (!outcome.ok()) {
          return AbandonCopy(copy, outcome.ToString());
        }
        more ? AskPages(copy) : FinishCopy(copy);
      });
}

void Node::Core::FinishCopy(const std::shared_ptr<Copy>& copy) {
  auto layer = std::make_shared<std::shared_ptr<Layer>>();
  Start(
      Lane::kLayers,
      [writer = copy->writer, layer, files = &files_, directory = config_.directory]() -> Status {
        ASSIGN_OR_RETURN(const LayerInfo info, writer->Finish());
        ASSIGN_OR_RETURN(*layer, Layer::Open(*files, directory, info));
        return Status::Ok();
      },
      [this, copy, layer](const Status& outcome) {
        if (copy->abandoned) {
          return;
        }
        if (!outcome.ok()) {
          return AbandonCopy(copy, outcome.ToString());
        }
        COVER("node.segment_copied");
        Held& held = *copy->held;
        std::vector<uint64_t> old;
        for (const auto& known : held.segment->layers()) {
          old.push_back(known->info().number);
        }
        Volume& volume = VolumeFor(copy->volume);
        volume.state.NoteVdl(copy->horizon, volume.state.vdl_epoch);
        held.segment->ReplaceLayers(*layer, copy->chain_lsn, copy->horizon);
        held.segment->layer_job = false;
        held.copy = nullptr;
        held.fetch_attempts = 0;
        cache_.DropAbove(copy->volume, Lsn(0));
        LOG_INFO("node {}: volume {} pg {}: {} pages copied, complete up to {}",
                 config_.node.value(), copy->volume.value(), copy->pg.value(), copy->pages,
                 held.segment->scl().value());
        WriteManifest([this, old] { RemoveLayerFiles(old); });
      });
}

// By value: the caller's pointer may be the segment's own, which this clears.
void Node::Core::AbandonCopy(std::shared_ptr<Copy> copy, const std::string& why) {
  COVER("node.copy_abandoned");
  LOG_WARN("node {}: copy of volume {} pg {} from node {} given up: {}", config_.node.value(),
           copy->volume.value(), copy->pg.value(), copy->peer.value(), why);
  copy->abandoned = true;
  copy->held->copy = nullptr;
  copy->held->copy_not_before_us = now() + kCopyRetryUs;
  copy->held->segment->layer_job = false;
  if (copy->writer != nullptr) {
    RemoveLayerFiles({copy->layer_number});
  }
}

void Node::Core::CheckCopy(Held& held, int64_t now_us) {
  if (held.copy != nullptr && held.copy->request_id != 0 &&
      now_us >= held.copy->asked_us + config_.fetch_timeout_us) {
    AbandonCopy(held.copy, "no answer");
  }
}

}  // namespace borealis::storage_node
