#include "tests/sim/oracle.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "storage_client/message_frame.h"
#include "volume/record.h"

namespace borealis::sim {

namespace {
constexpr size_t kRecordsPerImage = 16;
constexpr size_t kPageCrcOffset = 8;
}  // namespace

bool Oracle::IsVoid(Lsn end, VolumeEpoch epoch) const {
  return std::any_of(openings_.upper_bound(epoch), openings_.end(),
                     [&](const auto& opening) { return end > opening.second.vdl; });
}

namespace {

NodeId NodeAt(const Geometry& geometry, Slot slot) {
  return slot == kNoSlot ? NodeId(0) : geometry.nodes[slot].node;
}

// Whether an opener that goes by this geometry, or a later one, reads the group from the node.
bool IsHolder(const Geometry& geometry, PgId pg, NodeId node) {
  return geometry.Has(pg) && std::ranges::any_of(geometry.group(pg).seats, [&](const Seat& seat) {
           return NodeAt(geometry, seat.holder) == node;
         });
}

// The rules once more, and not by the code that the cluster goes by. Seats of the group of which
// all nodes do.
template <class Predicate>
int CountSeats(const Geometry& geometry, PgId pg, Predicate does) {
  int count = 0;
  for (const Seat& seat : geometry.group(pg).seats) {
    count += does(NodeAt(geometry, seat.holder)) &&
                     (!seat.changing() || does(NodeAt(geometry, seat.successor)))
                 ? 1
                 : 0;
  }
  return count;
}

// Whether a seat may go from one state to the other in one version.
bool IsOneStep(const Geometry& a, const Seat& from, const Geometry& b, const Seat& to) {
  const NodeId holder = NodeAt(a, from.holder);
  const NodeId successor = NodeAt(a, from.successor);
  const NodeId new_holder = NodeAt(b, to.holder);
  const NodeId new_successor = NodeAt(b, to.successor);
  if (new_holder == holder) {
    return !from.changing() || !to.changing() || new_successor == successor;
  }
  return from.changing() && new_holder == successor && !to.changing();
}

}  // namespace

void Oracle::OnGeometryDecided(const Geometry& geometry) {
  const auto [known, is_new] = decided_.emplace(geometry.version, EncodeGeometry(geometry));
  if (!is_new) {
    world_.Fail(fmt::format("geometry {} was decided twice", geometry.version.ToString()));
    return;
  }
  if (geometry.version < geometry_.version) {
    return;  // news of a writer that was deposed meanwhile
  }
  // An opening repeats a version that may have been a proposal: it is its own rule.
  const bool is_opening = geometry.version.epoch > geometry_.version.epoch;
  CheckIsHeld(geometry.version, is_opening ? geometry : geometry_);
  for (size_t pg = 0; pg < geometry_.groups.size(); ++pg) {
    for (size_t i = 0; i < kSeats; ++i) {
      if (pg >= geometry.groups.size()) {
        world_.Fail(fmt::format("geometry {} has lost pg {}", geometry.version.ToString(), pg));
        return;
      }
      CheckStep(PgId(static_cast<uint32_t>(pg)), geometry_.groups[pg].seats[i], geometry,
                geometry.groups[pg].seats[i]);
    }
  }
  for (uint32_t pg = 0; pg < geometry_.groups.size(); ++pg) {
    NoteWritten(PgId(pg));  // what counts by the rules until now goes on counting
  }
  geometry_ = geometry;
  for (Slot slot = 0; slot < geometry.nodes.size(); ++slot) {
    const size_t node = geometry.nodes[slot].node.value() - 1;
    for (uint32_t pg = 0; pg < geometry.groups.size(); ++pg) {
      if ((geometry.groups[pg].Members() & SegmentBit(slot)) == 0) {
        unseated_[{node, PgId(pg)}] = geometry.version;
        acknowledged_[node].erase(PgId(pg));
        owed_[node].erase(PgId(pg));
        told_.erase({node, PgId(pg)});
        successors_need_.erase({node, PgId(pg)});
      }
    }
  }
}

void Oracle::CheckIsHeld(const GeometryVersion& version, const Geometry& rule) {
  const auto has_told = [&](NodeId node) { return versions_told_[node.value() - 1] >= version; };
  if (CountSeats(rule, kRootGroup, has_told) < 4) {
    world_.Fail(
        fmt::format("INV-GEO-1: geometry {} counts as decided and is not", version.ToString()));
  }
}

void Oracle::CheckStep(PgId pg, const Seat& before, const Geometry& to, const Seat& seat) {
  if (!IsOneStep(geometry_, before, to, seat)) {
    world_.Fail(fmt::format("a seat of pg {} makes two steps from geometry {} to {}", pg.value(),
                            geometry_.version.ToString(), to.version.ToString()));
    return;
  }
  const bool is_new = seat.changing() && !before.changing();
  if (is_new) {
    successors_need_[{to.nodes[seat.successor].node.value() - 1, pg}] = LastOfGroup(pg, answered_);
  }
  const NodeId holder = NodeAt(to, seat.holder);
  if (holder == NodeAt(geometry_, before.holder)) {
    return;
  }
  ++seats_moved_;
  history_from_[pg] = answered_;
  const std::pair<size_t, PgId> key{holder.value() - 1, pg};
  if (told_[key] < successors_need_[key]) {
    world_.Fail(fmt::format("INV-GEO-2: node {} is to hold pg {}, has told of {} and needs {}",
                            holder.value(), pg.value(), told_[key].value(),
                            successors_need_[key].value()));
  }
}

bool Oracle::MustAnswer(PageNo page, Lsn read_point) const {
  const auto from = history_from_.find(geometry_.PgOf(page));
  return read_point >= lowest_read_point_ &&
         (from == history_from_.end() || read_point >= from->second);
}

void Oracle::OnAppended(VolumeEpoch epoch, const storage_client::LogChunk& chunk) {
  const SharedBytes ordered = chunk.InLsnOrder();
  size_t offset = 0;
  while (offset < ordered.size()) {
    const Result<RecordView> view = ParseRecord(ordered.view().substr(offset));
    if (!view.ok()) {
      world_.Fail("a record left the log buffer damaged");
      return;
    }
    // 3: an LSN is handed out once, over all epochs.
    const auto above = records_.upper_bound(view->start());
    if (above != records_.end() && above->second.start < view->end) {
      world_.Fail(fmt::format("LSNs [{}, {}) of epoch {} overlap those of epoch {}",
                              view->start().value(), view->end.value(), epoch.value(),
                              above->second.epoch.value()));
      return;
    }
    ModelRecord& record = records_[view->end];
    record.start = view->start();
    record.epoch = epoch;
    record.pg = view->pg;
    record.page = view->page;
    record.is_consistency_point = view->is_consistency_point;
    record.bytes = ordered.Slice(offset, view->length);
    if (!IsVoid(view->end, epoch)) {
      groups_[record.pg][view->end] = &record;
      if (record.page != kNoPage) {
        pages_[record.page].records[view->end] = &record;
      }
    }
    offset += view->length;
  }
}

void Oracle::Void(Lsn end, const ModelRecord& record) {
  groups_[record.pg].erase(end);
  if (record.page != kNoPage) {
    PageModel& page = pages_[record.page];
    page.records.erase(end);
    page.images.erase(page.images.lower_bound(end), page.images.end());
  }
}

void Oracle::OnOpened(const storage_client::OpenedVolume& opened) {
  if (!opened_epochs_.insert(opened.epoch).second) {
    world_.Fail(fmt::format("3: epoch {} was opened twice", opened.epoch.value()));
    return;
  }
  const auto higher = openings_.upper_bound(opened.epoch);
  if (higher != openings_.end()) {
    // Its last answers were on their way when a higher epoch sealed: it must not know more.
    if (opened.vdl > higher->second.vdl) {
      world_.Fail(fmt::format("3: epoch {} opened at {} after epoch {} had opened at {}",
                              opened.epoch.value(), opened.vdl.value(), higher->first.value(),
                              higher->second.vdl.value()));
    }
    return;  // it changes nothing any more: whatever it appends is void
  }
  if (opened.vdl < answered_) {
    world_.Fail(fmt::format("1: epoch {} opened at {}, but {} was answered", opened.epoch.value(),
                            opened.vdl.value(), answered_.value()));
    return;
  }
  const auto last = records_.find(opened.vdl);
  if (opened.vdl > Lsn(0) && (last == records_.end() || !last->second.is_consistency_point)) {
    world_.Fail(fmt::format("epoch {} opened at {}, which is no consistency point",
                            opened.epoch.value(), opened.vdl.value()));
    return;
  }
  OnGeometryDecided(opened.geometry);
  openings_[opened.epoch] = {opened.vdl, opened.start};
  for (auto at = records_.upper_bound(opened.vdl); at != records_.end(); ++at) {
    if (at->second.epoch < opened.epoch) {
      Void(at->first, at->second);
    }
  }
  for (const auto& [pg, group] : opened.groups) {
    const Lsn tail = LastOfGroup(pg, opened.vdl);
    if (group.tail != tail) {
      world_.Fail(fmt::format("epoch {}: pg {} ends at {}, not at {}", opened.epoch.value(),
                              pg.value(), tail.value(), group.tail.value()));
    }
  }
  CheckIsWritten(opened.vdl, fmt::format("epoch {} opened", opened.epoch.value()));
  NoteAnswered(opened.vdl);
}

void Oracle::NoteWritten(PgId pg) {
  const auto told = [&](Slot slot) {
    const auto known = told_.find({NodeAt(geometry_, slot).value() - 1, pg});
    return known == told_.end() ? Lsn(0) : known->second;
  };
  std::vector<Lsn> reached;
  for (const Seat& seat : geometry_.group(pg).seats) {
    reached.push_back(seat.changing() ? std::min(told(seat.holder), told(seat.successor))
                                      : told(seat.holder));
  }
  std::sort(reached.rbegin(), reached.rend());
  written_[pg] = std::max(written_[pg], reached[3]);
}

void Oracle::OnInstanceRequest(const Frame& frame) {
  msg::TruncateRequest request;
  if (static_cast<MessageType>(frame.type) != MessageType::kTruncateRequest ||
      !storage_client::ParseBody(frame, &request) ||
      !truncated_.insert(VolumeEpoch(request.range().epoch())).second) {
    return;
  }
  const VolumeEpoch epoch(request.range().epoch());
  const Result<Geometry> geometry = ParseGeometry(request.geometry());
  if (!geometry.ok()) {
    world_.Fail("an opener truncates without a geometry");
    return;
  }
  const std::set<NodeId>& sealed = sealed_by_[epoch];
  if (CountSeats(*geometry, kRootGroup, [&](NodeId node) { return sealed.contains(node); }) < 4) {
    world_.Fail(
        fmt::format("3: epoch {} truncates, and four seats of the root group have not "
                    "answered its seal",
                    epoch.value()));
  }
  for (uint32_t pg = 0; pg < geometry->groups.size(); ++pg) {
    const auto& seats = geometry->groups[pg].seats;
    const auto holders = std::ranges::count_if(
        seats, [&](const Seat& seat) { return sealed.contains(NodeAt(*geometry, seat.holder)); });
    if (holders < 3) {
      world_.Fail(
          fmt::format("3: epoch {} truncates, and of pg {} {} holders have answered its seal",
                      epoch.value(), pg, holders));
    }
  }
}

void Oracle::CheckIsWritten(Lsn vdl, const std::string& who) {
  for (const auto& [pg, records] : groups_) {
    const Lsn tail = LastOfGroup(pg, vdl);
    if (written_[pg] >= tail) {
      continue;
    }
    if (geometry_.Has(pg)) {
      NoteWritten(pg);
    }
    if (written_[pg] < tail) {
      world_.Fail(fmt::format(
          "1: {} at {}, but of pg {} four seats have told of {} only, and its last record is {}",
          who, vdl.value(), pg.value(), written_[pg].value(), tail.value()));
    }
  }
}

void Oracle::NoteAnswered(Lsn vdl) {
  if (vdl > answered_) {
    answered_ = vdl;
    read_points_.push_back(vdl);
  }
}

void Oracle::OnVdl(VolumeEpoch epoch, Lsn vdl) {
  Lsn& before = vdls_[epoch];
  if (vdl < before) {
    world_.Fail(fmt::format("4: the VDL of epoch {} went back", epoch.value()));
  }
  before = vdl;
  for (auto at = openings_.upper_bound(epoch); at != openings_.end(); ++at) {
    if (vdl > at->second.vdl) {
      world_.Fail(fmt::format("3: epoch {} reached {} though epoch {} opened at {}", epoch.value(),
                              vdl.value(), at->first.value(), at->second.vdl.value()));
      return;
    }
  }
  const auto last = records_.find(vdl);
  if (last == records_.end() || !last->second.is_consistency_point) {
    world_.Fail(fmt::format("VDL {} is no consistency point", vdl.value()));
    return;
  }
  if (epoch == geometry_.version.epoch) {
    CheckIsWritten(vdl, fmt::format("epoch {} answers", epoch.value()));
  }
  NoteAnswered(vdl);
}

void Oracle::RaiseLowestReadPoint(Lsn lsn) {
  lowest_read_point_ = std::max(lowest_read_point_, lsn);
  std::erase_if(read_points_, [&](Lsn point) { return point < lowest_read_point_; });
}

bool Oracle::CheckPage(PageNo number, Lsn read_point, std::string_view bytes,
                       const std::string& who) {
  ++pages_checked_;
  auto page = std::make_unique<Page>();
  page->Clear();
  PageModel& model = pages_[number];
  auto record = model.records.begin();
  auto image = model.images.upper_bound(read_point);
  if (image != model.images.begin()) {
    --image;
    *page = *image->second;
    record = model.records.upper_bound(image->first);
  }
  size_t folded = 0;
  for (; record != model.records.end() && record->first <= read_point; ++record) {
    const Result<RecordView> view = ParseRecord(record->second->bytes.view());
    if (!view.ok() || !ApplyRecord(*view, page.get()).ok()) {
      world_.Fail("the model holds a record that does not apply");
      return false;
    }
    if (++folded % kRecordsPerImage == 0) {
      model.images[record->first] = std::make_unique<Page>(*page);
    }
  }
  auto found = std::make_unique<Page>();
  std::memcpy(found->bytes, bytes.data(), kPageSize);
  std::memset(found->bytes + kPageCrcOffset, 0, sizeof(uint32_t));
  if (std::memcmp(found->bytes, page->bytes, kPageSize) == 0) {
    return true;
  }
  const auto differs = std::mismatch(found->bytes, found->bytes + kPageSize, page->bytes);
  world_.Fail(fmt::format(
      "2: {} read page {} at {}: page LSN {}, the model has {}; they differ from byte {} on", who,
      number.value(), read_point.value(), found->lsn().value(), page->lsn().value(),
      differs.first - found->bytes));
  return false;
}

bool Oracle::Counts(size_t slot, PgId pg, const GeometryVersion& has) const {
  const auto unseated = unseated_.find({slot, pg});
  return unseated == unseated_.end() || has > unseated->second;
}

void Oracle::NoteTold(size_t slot, const GeometryVersion& has, const Frame& frame) {
  const auto note = [&](PgId pg, Lsn scl) {
    if (Counts(slot, pg, has)) {
      Lsn& told = told_[{slot, pg}];
      told = std::max(told, scl);
    }
  };
  const auto type = static_cast<MessageType>(frame.type);
  if (type == MessageType::kReadPagesReply) {
    msg::ReadPagesReply reply;
    // The group is known by the record that the SCL names.
    if (storage_client::ParseBody(frame, &reply)) {
      for (const msg::PageRead& page : reply.pages()) {
        for (const auto& [pg, records] : groups_) {
          if (records.contains(Lsn(page.scl()))) {
            note(pg, Lsn(page.scl()));
          }
        }
      }
    }
  } else if (type == MessageType::kAppendReply) {
    msg::AppendReply reply;
    if (storage_client::ParseBody(frame, &reply) && reply.outcome() == msg::OK) {
      for (const msg::SegmentProgress& segment : reply.segments()) {
        note(PgId(segment.pg()), Lsn(segment.scl()));
      }
    }
  } else if (type == MessageType::kTruncateReply) {
    msg::TruncateReply reply;
    if (storage_client::ParseBody(frame, &reply) && reply.outcome() == msg::OK) {
      for (const msg::SegmentProgress& segment : reply.segments()) {
        note(PgId(segment.pg()), Lsn(segment.scl()));
      }
    }
  }
}

void Oracle::OnNodeReply(size_t slot, const GeometryVersion& has, const Frame& frame) {
  const auto type = static_cast<MessageType>(frame.type);
  NoteTold(slot, has, frame);
  Promises& promises = promises_[slot];
  if (type == MessageType::kSealReply) {
    CheckSealReply(slot, has, frame);
  }
  if (type == MessageType::kGeometryReply) {
    msg::GeometryReply reply;
    if (storage_client::ParseBody(frame, &reply) && reply.outcome() == msg::OK) {
      versions_told_[slot] = std::max(versions_told_[slot], has);
      promises.version =
          std::max(promises.version, {VolumeEpoch(reply.version_epoch()), reply.version_number()});
    }
  }
  if (type == MessageType::kAppendReply) {
    msg::AppendReply reply;
    if (storage_client::ParseBody(frame, &reply) && reply.outcome() == msg::OK) {
      if (VolumeEpoch(reply.volume_epoch()) > truncated_for_[slot]) {
        world_.Fail(
            fmt::format("3: node {} acknowledges an append in epoch {}, and has truncated "
                        "for epoch {} only",
                        slot + 1, reply.volume_epoch(), truncated_for_[slot].value()));
      }
      for (const msg::SegmentProgress& segment : reply.segments()) {
        if (Counts(slot, PgId(segment.pg()), has)) {
          Lsn& known = acknowledged_[slot][PgId(segment.pg())];
          known = std::max(known, Lsn(segment.scl()));
        }
      }
    }
  } else if (type == MessageType::kTruncateReply) {
    // A truncation may take records back: what it answers is what counts from now on.
    msg::TruncateReply reply;
    if (storage_client::ParseBody(frame, &reply) && reply.outcome() == msg::OK) {
      const VolumeEpoch epoch(reply.volume_epoch());
      versions_told_[slot] = std::max(versions_told_[slot], has);
      promises.sealed = std::max(promises.sealed, epoch);
      promises.truncated = std::max(promises.truncated, epoch);
      truncated_for_[slot] = std::max(truncated_for_[slot], epoch);
      if (has.epoch == epoch) {
        promises.version = std::max(promises.version, GeometryVersion{epoch, 1});
      }
      for (const msg::SegmentProgress& segment : reply.segments()) {
        if (Counts(slot, PgId(segment.pg()), has)) {
          acknowledged_[slot][PgId(segment.pg())] = Lsn(segment.scl());
        }
      }
    }
  }
}

// Its answer to a seal, which the next writer goes by, has all that was answered on its word. The
// answer brings the highest version that the node knows, perhaps one that was never decided. An
// opener reads groups from it by that or by the decided one, whichever is higher.
void Oracle::CheckSealReply(size_t slot, const GeometryVersion& has, const Frame& frame) {
  msg::SealReply reply;
  if (!storage_client::ParseBody(frame, &reply) || reply.outcome() != msg::OK) {
    return;
  }
  Promises& promises = promises_[slot];
  promises.sealed = std::max(promises.sealed, VolumeEpoch(reply.volume_epoch()));
  sealed_by_[VolumeEpoch(reply.volume_epoch())].insert(NodeId(static_cast<uint32_t>(slot + 1)));
  const Result<Geometry> known = ParseGeometry(reply.geometry());
  const Geometry& highest = known.ok() && known->version > geometry_.version ? *known : geometry_;
  const NodeId node(static_cast<uint32_t>(slot + 1));
  for (const auto* owing : {&acknowledged_[slot], &owed_[slot]}) {
    for (const auto& [pg, scl] : *owing) {
      const bool is_asked = !known.ok() || IsHolder(highest, pg, node);
      const Lsn owed = LastOfGroup(pg, std::min(scl, answered_));
      Lsn told(0);
      for (const msg::SegmentState& state : reply.segments()) {
        told = PgId(state.pg()) == pg ? Lsn(state.scl()) : told;
      }
      if (told < owed && is_asked && Counts(slot, pg, has)) {
        world_.Fail(
            fmt::format("5: node {} answers a seal with pg {} up to {}, and had acknowledged {}",
                        slot + 1, pg.value(), told.value(), scl.value()));
      }
    }
  }
}

void Oracle::ForgetNode(size_t slot) {
  for (const auto& [pg, scl] : acknowledged_[slot]) {
    Lsn& owed = owed_[slot][pg];
    owed = std::max(owed, LastOfGroup(pg, std::min(scl, answered_)));
  }
  acknowledged_[slot].clear();
  promises_[slot] = {};
}

void Oracle::OnNodeRestarted(size_t slot, const std::vector<storage_node::SegmentSummary>& segments,
                             VolumeEpoch epoch, const GeometryVersion& version) {
  const Promises& promises = promises_[slot];
  if (epoch < promises.sealed || version < promises.version) {
    world_.Fail(fmt::format(
        "5: node {} came back with epoch {} and geometry {}, and had promised {} and {}", slot + 1,
        epoch.value(), version.ToString(), promises.sealed.value(), promises.version.ToString()));
  }
  for (const storage_node::SegmentSummary& segment : segments) {
    const auto last = records_.find(segment.scl);
    if (last == records_.end()) {
      continue;
    }
    for (auto at = openings_.upper_bound(last->second.epoch);
         at != openings_.end() && at->first <= promises.truncated; ++at) {
      if (segment.scl > at->second.vdl) {
        world_.Fail(
            fmt::format("5: node {} truncated for epoch {} and came back with a record of "
                        "pg {} at {} that is void since epoch {}",
                        slot + 1, promises.truncated.value(), segment.pg.value(),
                        segment.scl.value(), at->first.value()));
        return;
      }
    }
  }
  for (const auto& [pg, scl] : acknowledged_[slot]) {
    // Records that nobody was answered for may have been voided on this node since.
    const Lsn owed = LastOfGroup(pg, std::min(scl, answered_));
    Lsn has(0);
    for (const storage_node::SegmentSummary& segment : segments) {
      has = segment.pg == pg ? segment.scl : has;
    }
    if (has < owed) {
      world_.Fail(fmt::format("5: node {} acknowledged pg {} up to {} and came back with {}",
                              slot + 1, pg.value(), scl.value(), has.value()));
    }
  }
}

Lsn Oracle::LastOfGroup(PgId pg, Lsn lsn) const {
  const auto group = groups_.find(pg);
  if (group == groups_.end()) {
    return Lsn(0);
  }
  const auto above = group->second.upper_bound(lsn);
  return above == group->second.begin() ? Lsn(0) : std::prev(above)->first;
}

std::vector<PgId> Oracle::Groups() const {
  std::vector<PgId> groups;
  for (const auto& [pg, records] : groups_) {
    if (!records.empty()) {
      groups.push_back(pg);
    }
  }
  return groups;
}

}  // namespace borealis::sim
