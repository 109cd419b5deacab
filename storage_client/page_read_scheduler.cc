#include "storage_client/page_read_scheduler.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "base/fault.h"
#include "base/invariant.h"
#include "storage_client/message_frame.h"
#include "volume/page.h"

namespace borealis::storage_client {

namespace {
constexpr double kSmoothing = 1.0 / 8;

// The attachments as one row of page images; empty when their sizes are not those of pages.
std::vector<SharedBytes> CutIntoPages(std::span<const SharedBytes> attachments) {
  std::vector<SharedBytes> pages;
  for (const SharedBytes& attachment : attachments) {
    if (attachment.size() % kPageSize != 0) {
      return {};
    }
    for (size_t offset = 0; offset < attachment.size(); offset += kPageSize) {
      pages.push_back(attachment.Slice(offset, kPageSize));
    }
  }
  return pages;
}

bool IsSound(const SharedBytes& image, Lsn read_point) {
  auto page = std::make_unique<Page>();
  std::memcpy(page->bytes, image.view().data(), kPageSize);
  return PageIsIntact(*page) && page->lsn() <= read_point;
}
}  // namespace

PageReadScheduler::PageReadScheduler(const Geometry& geometry, const ReadLimits& limits,
                                     SclOf scl_of, MayAsk may_ask, OnScl on_scl, NodeLink& link,
                                     RequestIds& ids, ClientMetrics& metrics, uint64_t seed)
    : geometry_(geometry),
      limits_(limits),
      scl_of_(std::move(scl_of)),
      may_ask_(std::move(may_ask)),
      on_scl_(std::move(on_scl)),
      link_(link),
      ids_(ids),
      metrics_(metrics),
      random_(seed) {}

void PageReadScheduler::Start(std::vector<PageNo> pages, Lsn read_point, const PgTails& tails,
                              ReadDone done, int64_t now_us) {
  INVARIANT(!pages.empty());
  const PgId pg = geometry_.PgOf(pages.front());
  const std::optional<Lsn> needed = tails.Needed(pg, read_point);
  if (!needed.has_value()) {  // nothing was ever written to the group
    static const SharedBytes zeroes(std::string(kPageSize, '\0'));
    done(Status::Ok(), std::vector<SharedBytes>(pages.size(), zeroes));
    return;
  }
  ClientMetrics::Add(metrics_.page_reads, pages.size());
  const uint64_t id = ++last_read_;
  ActiveRead& active = reads_[id];
  active.images.resize(pages.size());
  active.read = {std::move(pages), pg, read_point, *needed, std::move(done)};
  active.give_up_us =
      now_us + (unreadable_.contains(pg) ? limits_.give_up_again_us : limits_.give_up_us);
  active.pause_us = limits_.round_pause_us;
  TryNext(id, now_us);
}

std::optional<size_t> PageReadScheduler::Choose(const ActiveRead& active) {
  std::vector<size_t> complete;
  std::vector<size_t> unknown;
  for (SegmentSet left = may_ask_(active.read.pg) & ~active.tried; left != 0; left &= left - 1) {
    const auto slot = static_cast<size_t>(std::countr_zero(left));
    const bool is_complete = scl_of_(active.read.pg, slot) >= active.read.needed;
    (is_complete ? complete : unknown).push_back(slot);
  }
  if (complete.empty() && unknown.empty()) {
    return std::nullopt;
  }
  if (complete.empty()) {
    // Nobody is known to be complete (a reader's first read): ask, and learn from the answer.
    COVER("reads.asked_blindly");
    return unknown[random_.Below(unknown.size())];
  }
  if (random_.Chance(limits_.sample_chance)) {
    return complete[random_.Below(complete.size())];
  }
  return *std::min_element(complete.begin(), complete.end(), [&](size_t a, size_t b) {
    return nodes_[a].mean_us < nodes_[b].mean_us;
  });
}

int64_t PageReadScheduler::HedgeDelayUs(size_t slot) const {
  // Mean and two deviations: near the 95th percentile for latencies that are not too odd.
  const double delay = nodes_[slot].mean_us + 2 * nodes_[slot].deviation_us;
  return std::clamp(static_cast<int64_t>(delay), limits_.hedge_min_us, limits_.hedge_max_us);
}

void PageReadScheduler::TryNext(uint64_t id, int64_t now_us) {
  ActiveRead& active = reads_.at(id);
  const std::optional<size_t> slot = Choose(active);
  if (!slot.has_value()) {
    EndRound(&active, now_us);
    return;
  }
  const bool is_first = active.attempts.empty();
  Send(id, &active, *slot, now_us);
  active.next_action_us = now_us + (is_first ? HedgeDelayUs(*slot) : limits_.attempt_timeout_us);
}

// All who may be asked were: wait for those still to answer, or a little, and begin again.
void PageReadScheduler::EndRound(ActiveRead* active, int64_t now_us) {
  active->next_action_us =
      now_us + (active->attempts.empty() ? active->pause_us : limits_.attempt_timeout_us);
  active->pause_us = std::min(active->pause_us * 2, limits_.round_pause_max_us);
  active->tried = 0;
}

void PageReadScheduler::Send(uint64_t id, ActiveRead* active, size_t slot, int64_t now_us) {
  msg::ReadPagesRequest request;
  request.set_volume_id(geometry_.volume.value());
  request.set_volume_epoch(epoch_.value());
  request.set_read_point(active->read.read_point.value());
  Attempt attempt;
  attempt.request_id = ids_.Next();
  attempt.slot = slot;
  attempt.sent_us = now_us;
  for (size_t i = 0; i < active->images.size(); ++i) {
    if (!active->images[i].has_value()) {
      msg::PageWanted* wanted = request.add_pages();
      wanted->set_page(active->read.pages[i].value());
      wanted->set_needed_lsn(active->read.needed.value());
      attempt.wanted.push_back(i);
    }
  }
  active->tried |= SegmentBit(slot);
  read_of_request_[attempt.request_id] = id;
  Frame frame = MakeFrame(MessageType::kReadPagesRequest, attempt.request_id, request);
  active->attempts.push_back(std::move(attempt));
  ClientMetrics::Add(metrics_.read_requests_sent);
  link_.SendToNode(slot, std::move(frame));
}

void PageReadScheduler::OnReply(size_t slot, uint64_t request_id, const msg::ReadPagesReply& reply,
                                std::span<const SharedBytes> attachments, int64_t now_us) {
  const auto of_request = read_of_request_.find(request_id);
  if (of_request == read_of_request_.end()) {
    return;
  }
  const uint64_t id = of_request->second;
  const auto at = reads_.find(id);
  INVARIANT(at != reads_.end());
  ActiveRead& active = at->second;
  const auto sent = std::find_if(active.attempts.begin(), active.attempts.end(),
                                 [&](const Attempt& a) { return a.request_id == request_id; });
  INVARIANT(sent != active.attempts.end());
  if (sent->slot != slot) {
    return;
  }
  const Attempt attempt = std::move(*sent);
  active.attempts.erase(sent);
  read_of_request_.erase(of_request);
  NoteLatency(slot, now_us - attempt.sent_us);
  if (TakeImages(&active, attempt, reply, attachments)) {
    Finish(at, Status::Ok(), now_us);
    return;
  }
  ClientMetrics::Add(metrics_.read_retries);
  if (active.collected >= kSeats) {
    Finish(at,
           Status::Unavailable(fmt::format("versions at read point {} were collected",
                                           active.read.read_point.value())),
           now_us);
    return;
  }
  TryNext(id, now_us);
}

// Keeps the images that are sound; true when none is missing any more.
bool PageReadScheduler::TakeImages(ActiveRead* active, const Attempt& attempt,
                                   const msg::ReadPagesReply& reply,
                                   std::span<const SharedBytes> attachments) {
  const std::vector<SharedBytes> images = CutIntoPages(attachments);
  size_t next_image = 0;
  for (size_t i = 0; i < attempt.wanted.size(); ++i) {
    if (i >= static_cast<size_t>(reply.pages_size())) {
      active->last_refusal = "a short reply";
      break;
    }
    const msg::PageRead& page = reply.pages(static_cast<int>(i));
    const Lsn scl(page.scl());
    if (scl > Lsn(0)) {
      on_scl_(active->read.pg, attempt.slot, scl, attempt.request_id);
    }
    if (page.outcome() != msg::OK) {
      active->collected += page.outcome() == msg::COLLECTED ? 1 : 0;
      active->last_refusal =
          fmt::format("node {}: {} {}", geometry_.nodes[attempt.slot].node.value(),
                      msg::Outcome_Name(page.outcome()), page.reason());
      continue;
    }
    if (scl < active->read.needed) {
      COVER("reads.answered_below_needed_scl");
      active->last_refusal = "an answer from an incomplete segment";
      ++next_image;
      continue;
    }
    if (next_image >= images.size() || !IsSound(images[next_image], active->read.read_point)) {
      COVER("reads.damaged_image");
      ClientMetrics::Add(metrics_.read_damaged);
      active->last_refusal = "a damaged page image";
    } else {
      active->images[attempt.wanted[i]] = images[next_image];
    }
    ++next_image;
  }
  return std::all_of(active->images.begin(), active->images.end(),
                     [](const auto& image) { return image.has_value(); });
}

void PageReadScheduler::NoteLatency(size_t slot, int64_t latency_us) {
  NodeLatency& node = nodes_[slot];
  const double error = static_cast<double>(latency_us) - node.mean_us;
  node.mean_us += kSmoothing * error;
  node.deviation_us += kSmoothing * (std::abs(error) - node.deviation_us);
}

void PageReadScheduler::Finish(Reads::iterator at, Status status, int64_t now_us) {
  for (const Attempt& loser : at->second.attempts) {
    // Its latency is at least what we waited.
    const int64_t waited = now_us - loser.sent_us;
    if (static_cast<double>(waited) > nodes_[loser.slot].mean_us) {
      NoteLatency(loser.slot, waited);
    }
    read_of_request_.erase(loser.request_id);
  }
  ActiveRead active = std::move(at->second);
  reads_.erase(at);
  std::vector<SharedBytes> images;
  if (status.ok()) {
    unreadable_.erase(active.read.pg);
    for (auto& image : active.images) {
      images.push_back(std::move(*image));
    }
  }
  active.read.done(std::move(status), std::move(images));
}

void PageReadScheduler::OnNodeDown(size_t slot, int64_t now_us) {
  std::vector<uint64_t> orphaned;
  for (auto& [id, active] : reads_) {
    const size_t erased = std::erase_if(active.attempts, [&](const Attempt& attempt) {
      if (attempt.slot != slot) {
        return false;
      }
      read_of_request_.erase(attempt.request_id);
      return true;
    });
    if (erased > 0 && active.attempts.empty()) {
      orphaned.push_back(id);
    }
  }
  for (uint64_t id : orphaned) {
    TryNext(id, now_us);
  }
}

void PageReadScheduler::OnTimer(int64_t now_us) {
  std::vector<uint64_t> due;
  for (const auto& [id, active] : reads_) {
    if (now_us >= active.next_action_us || now_us >= active.give_up_us) {
      due.push_back(id);
    }
  }
  for (uint64_t id : due) {
    const auto at = reads_.find(id);
    if (at == reads_.end()) {
      continue;
    }
    ActiveRead& active = at->second;
    if (now_us >= active.give_up_us) {
      unreadable_.insert(active.read.pg);
      Finish(
          at,
          Status::Unavailable(fmt::format(
              "read page {} at {}: no storage node of protection group {} answered: {}",
              active.read.pages[0].value(), active.read.read_point.value(), active.read.pg.value(),
              active.last_refusal.empty() ? "none can be reached" : active.last_refusal)),
          now_us);
      continue;
    }
    if (active.attempts.size() == 1) {
      COVER("reads.hedged");
      ClientMetrics::Add(metrics_.read_hedges);
    }
    // Those that hang for a whole attempt time-out are given up, so that they can be asked again.
    std::erase_if(active.attempts, [&](const Attempt& attempt) {
      if (now_us - attempt.sent_us < 2 * limits_.attempt_timeout_us) {
        return false;
      }
      read_of_request_.erase(attempt.request_id);
      NoteLatency(attempt.slot, now_us - attempt.sent_us);
      return true;
    });
    TryNext(id, now_us);
  }
}

int64_t PageReadScheduler::NextDeadlineUs() const {
  int64_t next = kNeverUs;
  for (const auto& [id, active] : reads_) {
    next = std::min({next, active.next_action_us, active.give_up_us});
  }
  return next;
}

void PageReadScheduler::FailAll(const Status& status) {
  while (!reads_.empty()) {
    Finish(reads_.begin(), status, 0);
  }
}

}  // namespace borealis::storage_client
