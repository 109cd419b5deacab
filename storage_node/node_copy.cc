// Copying a segment's pages from its peers: when records that this node misses exist there only
// merged into images, when a layer here does not verify, and when a segment is new and its group is
// not.
//
// The group's pages are cut into pieces by page number. Pieces are asked for in order, from all
// peers that have what is needed side by side, a few ahead of each other; whoever fails or is slow
// is replaced by another for that piece and left alone for a while. They are written in order too,
// into one new layer of images. A few pieces are all that is in memory, and RepairBudget bounds the
// bytes a second.
//
// Each image is as of an LSN at or above that of the first piece. From the last record under that
// LSN on the chain is caught up record by record; images that are newer skip the records they
// contain. Reads under the newest image are refused as collected. When the layers that are here are
// good, only pages that changed since come, and the new layer goes on top of them: so a node that
// cannot keep up with what its peers merge away comes nearer with each copy.
#include <algorithm>
#include <deque>
#include <tuple>

#include "base/fault.h"
#include "base/obs/log.h"
#include "storage_node/core.h"
#include "storage_node/merge.h"

namespace borealis::storage_node {

namespace {
constexpr size_t kCopiesMax = 4;     // segments at a time
constexpr size_t kPiecesAhead = 12;  // asked for, come, or being written
constexpr int kQuestionsPerPeer = 2;
constexpr int64_t kCopyRetryUs = 500'000;
constexpr int64_t kCopyGiveUpUs = 10'000'000;  // without any answer
// A peer that takes so many times longer than usual is slow.
constexpr int64_t kSlowFactor = 8;
constexpr int64_t kSlowUsMin = 50'000;
}  // namespace

struct CopyPiece {
  uint64_t first_page = 0;
  uint64_t end_page = 0;
  uint64_t request_id = 0;  // of the question under way, 0 for none
  NodeId peer;
  int64_t asked_us = 0;
  bool has_come = false;
  std::vector<uint64_t> pages;
  SharedBytes images;
};

struct SegmentCopy {
  struct Source {
    int questions = 0;
    int failures = 0;  // since it answered last
    int64_t not_before_us = 0;

    // Whom to ask first. Not the one that failed: one that is gone would be asked for ever.
    bool operator<(const Source& other) const {
      return std::tie(failures, questions) < std::tie(other.failures, other.questions);
    }
  };

  VolumeId volume;
  PgId pg;
  HeldSegment* held = nullptr;
  Lsn wanted;           // what pages must be as of at least; 0 leaves it to the first peer
  Lsn changed_after;    // only pages with records above it are wanted
  bool begun = false;   // the first piece has come
  size_t refusals = 0;  // of the first piece
  Lsn chain_lsn;
  Lsn horizon;
  std::deque<CopyPiece> pieces;  // ascending; asked for or come, not handed to a work yet
  uint64_t next_page = 0;        // where the next piece begins
  uint64_t end_page = 0;         // of the group, or where its pages end
  std::map<NodeId, Source> sources;
  int64_t answered_us = 0;
  int64_t mean_answer_us = 0;
  size_t writes_under_way = 0;
  bool created = false;  // the layer's file, by the first write
  bool finishing = false;
  bool abandoned = false;
  std::shared_ptr<LayerWriter> writer;  // used by works only, once made
  uint64_t layer_number = 0;
  uint64_t pages = 0;
  uint64_t pages_at_peer = 0;
};

// `wanted`: the pages must be as of that LSN or later.
void Node::Core::StartCopy(Volume& volume, PgId pg, Held& held, Lsn wanted) {
  if (held.segment->layer_job || copies_under_way_ >= kCopiesMax) {
    return;
  }
  const uint64_t pages_per_pg = volume.acting.value->pages_per_pg;
  auto copy = std::make_shared<Copy>();
  copy->volume = volume.state.id;
  copy->pg = pg;
  copy->held = &held;
  copy->wanted = wanted;
  copy->changed_after = held.segment->damaged ? Lsn(0) : held.segment->layered_up_to();
  copy->next_page = pg.value() * pages_per_pg;
  copy->end_page = copy->next_page + pages_per_pg;
  copy->answered_us = now();
  copy->layer_number = next_layer_++;
  held.copy = copy;
  held.fetch_id = 0;
  held.segment->layer_job = true;
  ++copies_under_way_;
  LOG_INFO("node {}: copying volume {} pg {} from its peers", config_.node.value(),
           volume.state.id.value(), pg.value());
  PumpCopy(copy);
}

// Moves the copy on as far as answers, budget and works allow.
void Node::Core::PumpCopy(const std::shared_ptr<Copy>& copy) {
  const int64_t now_us = now();
  if (copy->finishing || copy->abandoned) {
    return;
  }
  ReplaceSlowPeers(*copy, now_us);
  while (!copy->pieces.empty() && copy->pieces.front().has_come) {
    WritePiece(copy);
  }
  AskPieces(*copy, now_us);
  if (copy->begun && copy->pieces.empty() && copy->next_page >= copy->end_page) {
    if (copy->writes_under_way == 0) {
      FinishCopy(copy);
    }
  } else if (now_us >= copy->answered_us + kCopyGiveUpUs) {
    AbandonCopy(copy, "no peer answers");
  }
}

void Node::Core::ReplaceSlowPeers(Copy& copy, int64_t now_us) {
  const int64_t patience =
      copy.mean_answer_us == 0
          ? config_.fetch_timeout_us
          : std::clamp(copy.mean_answer_us * kSlowFactor, kSlowUsMin, config_.fetch_timeout_us);
  for (CopyPiece& piece : copy.pieces) {
    if (piece.request_id != 0 && now_us >= piece.asked_us + patience) {
      COVER("node.copy_peer_replaced");
      FailPiece(copy, piece);
    }
  }
}

// Its peer is asked no more for a while; the piece may go to another at once.
void Node::Core::FailPiece(Copy& copy, CopyPiece& piece) {
  Copy::Source& source = copy.sources[piece.peer];
  --source.questions;
  ++source.failures;
  source.not_before_us = now() + kCopyRetryUs;
  piece.request_id = 0;
  repair_budget_.GiveBack((piece.end_page - piece.first_page) * kPageSize);
}

void Node::Core::AskPieces(Copy& copy, int64_t now_us) {
  for (CopyPiece& piece : copy.pieces) {
    if (piece.request_id == 0 && !piece.has_come && !AskPiece(copy, piece, now_us)) {
      return;
    }
  }
  const uint64_t step = std::max<uint64_t>(1, config_.fetch_bytes / kPageSize);
  // What LSN the first piece is as of, all others go by.
  while (copy.next_page < copy.end_page && (copy.begun || copy.pieces.empty()) &&
         copy.pieces.size() + copy.writes_under_way < kPiecesAhead) {
    CopyPiece piece;
    piece.first_page = copy.next_page;
    piece.end_page = std::min(copy.end_page, copy.next_page + step);
    if (!AskPiece(copy, piece, now_us)) {
      return;
    }
    copy.next_page = piece.end_page;
    copy.pieces.push_back(std::move(piece));
  }
}

// Of the peers that have enough, the one with the fewest failures, then questions; false when
// nobody may be asked.
bool Node::Core::AskPiece(Copy& copy, CopyPiece& piece, int64_t now_us) {
  Copy::Source* chosen = nullptr;
  for (const auto& [node, told] : copy.held->told) {
    Copy::Source& source = copy.sources[node];
    if (told.scl == Lsn(0) || told.scl < copy.wanted || now_us < source.not_before_us ||
        source.questions >= kQuestionsPerPeer || (chosen != nullptr && !(source < *chosen))) {
      continue;
    }
    chosen = &source;
    piece.peer = node;
  }
  if (chosen == nullptr || !repair_budget_.Allows(now_us)) {
    return false;
  }
  ++chosen->questions;
  repair_budget_.Spend((piece.end_page - piece.first_page) * kPageSize);
  piece.request_id = next_fetch_++;
  piece.asked_us = now_us;
  msg::FetchPagesRequest request;
  request.set_volume_id(copy.volume.value());
  request.set_pg(copy.pg.value());
  request.set_from_page(piece.first_page);
  request.set_end_page(piece.end_page);
  request.set_at_lsn(copy.wanted.value());
  request.set_changed_after(copy.changed_after.value());
  request.set_size_bytes_max(
      static_cast<uint32_t>((piece.end_page - piece.first_page) * kPageSize));
  environment_.SendToNode(piece.peer,
                          MakeFrame(MessageType::kFetchPagesRequest, piece.request_id, request));
  return true;
}

void Node::Core::OnFetchPagesReply(const Frame& frame) {
  msg::FetchPagesReply reply;
  if (!opened_ || !out_of_service_.empty() || frame.request_id == 0 ||
      !reply.ParseFromArray(frame.body.data(), static_cast<int>(frame.body.size()))) {
    return;
  }
  Held* held = FindSegment(VolumeId(reply.volume_id()), PgId(reply.pg()));
  if (held == nullptr || held->copy == nullptr) {
    return;  // late
  }
  const std::shared_ptr<Copy> copy = held->copy;
  const auto piece =
      std::find_if(copy->pieces.begin(), copy->pieces.end(),
                   [&](const CopyPiece& asked) { return asked.request_id == frame.request_id; });
  if (piece == copy->pieces.end()) {
    return;  // late
  }
  const std::string objection = TakePages(*copy, *piece, reply, frame);
  if (!objection.empty()) {
    COVER("node.copy_piece_refused");
    LOG_WARN("node {}: copy of volume {} pg {}: node {}: {}", config_.node.value(),
             copy->volume.value(), copy->pg.value(), piece->peer.value(), objection);
    FailPiece(*copy, *piece);
    if (!copy->begun && ++copy->refusals >= held->told.size()) {
      return AbandonCopy(copy, "no peer can begin it");
    }
  }
  PumpCopy(copy);
}

// Verifies a piece and keeps it. Returns why it cannot be used, or nothing.
std::string Node::Core::TakePages(Copy& copy, CopyPiece& piece, const msg::FetchPagesReply& reply,
                                  const Frame& frame) {
  if (reply.outcome() != msg::OK) {
    return "answers " + msg::Outcome_Name(reply.outcome()) + " " + reply.reason();
  }
  const SharedBytes images = frame.attachments.empty() ? SharedBytes() : frame.attachments.front();
  const auto count = static_cast<size_t>(reply.pages_size());
  if (images.size() != count * kPageSize || Lsn(reply.at_lsn()) < copy.wanted) {
    return "pages and attachment do not add up";
  }
  for (size_t i = 0; i < count; ++i) {
    const uint64_t number = reply.pages(static_cast<int>(i));
    const bool ascending = number >= piece.first_page && number < piece.end_page &&
                           (i == 0 || number > reply.pages(static_cast<int>(i) - 1));
    Page page;
    std::memcpy(page.bytes, images.view().data() + i * kPageSize, kPageSize);
    if (!ascending || !PageIsIntact(page) || page.lsn() > Lsn(reply.at_lsn())) {
      return "a page does not verify";
    }
  }
  if (!copy.begun && !BeginCopy(copy, reply)) {
    return "has less than is needed";
  }
  const int64_t took_us = now() - piece.asked_us;
  copy.answered_us = now();
  copy.mean_answer_us =
      copy.mean_answer_us == 0 ? took_us : (copy.mean_answer_us * 7 + took_us) / 8;
  copy.horizon = std::max(copy.horizon, Lsn(reply.at_lsn()));
  Copy::Source& source = copy.sources[piece.peer];
  --source.questions;
  source.failures = 0;
  repair_budget_.GiveBack((piece.end_page - piece.first_page - count) * kPageSize);
  piece.request_id = 0;
  piece.has_come = true;
  piece.images = images;
  piece.pages.assign(reply.pages().begin(), reply.pages().end());
  PlanOn(copy, piece, reply);
  return "";
}

// The first piece says what the new layer is.
bool Node::Core::BeginCopy(Copy& copy, const msg::FetchPagesReply& reply) {
  const Segment& segment = *copy.held->segment;
  copy.chain_lsn = Lsn(reply.chain_lsn());
  if (segment.damaged ? copy.chain_lsn < segment.layered_up_to()
                      : copy.chain_lsn <= segment.scl()) {
    return false;
  }
  copy.begun = true;
  copy.wanted = std::max(copy.wanted, Lsn(reply.at_lsn()));
  copy.pages_at_peer = reply.pages_here();
  LayerInfo info;
  info.number = copy.layer_number;
  info.volume = copy.volume;
  info.pg = copy.pg;
  info.level = 1;
  info.from = copy.changed_after;
  info.up_to = copy.chain_lsn;
  info.complete_above = copy.chain_lsn;
  copy.writer = std::make_shared<LayerWriter>(files_, config_.directory, info);
  return true;
}

// A peer may send less of a piece than was asked for, and tells where the next page is: the rest
// becomes a piece of its own, stretches without pages are skipped.
void Node::Core::PlanOn(Copy& copy, CopyPiece& piece, const msg::FetchPagesReply& reply) {
  const uint64_t next = reply.more() ? reply.next_page() : copy.end_page;
  if (next < piece.end_page && next > piece.first_page) {
    CopyPiece rest;
    rest.first_page = next;
    rest.end_page = piece.end_page;
    piece.end_page = next;
    const auto at = std::find_if(copy.pieces.begin(), copy.pieces.end(),
                                 [&](const CopyPiece& other) { return &other == &piece; });
    copy.pieces.insert(std::next(at), std::move(rest));
  } else if (next > copy.next_page) {
    copy.next_page = std::min(next, copy.end_page);
  }
}

// Hands the first piece to a work.
void Node::Core::WritePiece(const std::shared_ptr<Copy>& copy) {
  CopyPiece piece = std::move(copy->pieces.front());
  copy->pieces.pop_front();
  const bool first = !copy->created;
  copy->created = true;
  copy->pages += piece.pages.size();
  ++copy->writes_under_way;
  Start(
      Lane::kLayers,
      [writer = copy->writer, piece = std::move(piece), first]() -> Status {
        if (first) {
          RETURN_IF_ERROR(writer->Create());
        }
        for (size_t i = 0; i < piece.pages.size(); ++i) {
          const std::string_view bytes = piece.images.view().substr(i * kPageSize, kPageSize);
          RETURN_IF_ERROR(writer->Add(
              {PageNo(piece.pages[i]), Lsn(LoadLittle<uint64_t>(bytes.data())), true, bytes}));
        }
        return Status::Ok();
      },
      [this, copy](const Status& outcome) {
        --copy->writes_under_way;
        if (copy->abandoned) {
          return;
        }
        if (!outcome.ok()) {
          return AbandonCopy(copy, outcome.ToString());
        }
        PumpCopy(copy);
      });
}

void Node::Core::FinishCopy(const std::shared_ptr<Copy>& copy) {
  copy->finishing = true;
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
        InstallCopy(copy, *layer);
      });
}

// The segment is acknowledged by what it has got only when the manifest that names the layer is
// durable (INV-NOD-1).
void Node::Core::InstallCopy(const std::shared_ptr<Copy>& copy, std::shared_ptr<Layer> layer) {
  Segment& segment = *copy->held->segment;
  if (segment.damaged && copy->changed_after > Lsn(0)) {
    return AbandonCopy(copy, "a layer below it went bad meanwhile");
  }
  std::vector<uint64_t> old;
  if (segment.damaged) {
    for (const LayerInfo& info : segment.LayerInfos()) {
      old.push_back(info.number);
    }
  }
  Volume& volume = VolumeFor(copy->volume);
  volume.state.NoteVdl(copy->horizon, volume.state.vdl_epoch);
  counters_.layer_bytes_from_copies += layer->info().bytes;
  segment.StageCopy(std::move(layer), copy->chain_lsn, copy->horizon);
  WriteManifest([this, copy, old] {
    if (copy->abandoned) {
      return;
    }
    COVER("node.segment_copied");
    Held& held = *copy->held;
    held.segment->InstallCopy();
    held.segment->layer_job = false;
    held.fetch_attempts = 0;
    held.needs_pages = false;
    held.copy = nullptr;
    --copies_under_way_;
    cache_.DropAbove(copy->volume, Lsn(0));
    ++counters_.segments_copied;
    counters_.pages_copied += copy->pages;
    LOG_INFO("node {}: volume {} pg {}: {} pages copied, complete up to {}", config_.node.value(),
             copy->volume.value(), copy->pg.value(), copy->pages, held.segment->scl().value());
    RemoveLayerFiles(old);
  });
}

// By value: the caller's pointer may be the segment's own, which this clears.
void Node::Core::AbandonCopy(std::shared_ptr<Copy> copy, const std::string& why) {
  COVER("node.copy_abandoned");
  LOG_WARN("node {}: copy of volume {} pg {} given up: {}", config_.node.value(),
           copy->volume.value(), copy->pg.value(), why);
  copy->abandoned = true;
  copy->held->copy = nullptr;
  copy->held->copy_not_before_us = now() + kCopyRetryUs;
  copy->held->segment->layer_job = false;
  --copies_under_way_;
  if (copy->writer != nullptr) {
    RemoveLayerFiles({copy->layer_number});
  }
}

double Node::Core::PartCopied(const Copy& copy) const {
  return copy.pages_at_peer == 0 ? 0
                                 : std::min(1.0, static_cast<double>(copy.pages) /
                                                     static_cast<double>(copy.pages_at_peer));
}

}  // namespace borealis::storage_node
