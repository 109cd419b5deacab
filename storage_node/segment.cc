#include "storage_node/segment.h"

#include <algorithm>

#include "base/fault.h"
#include "base/invariant.h"
#include "volume/tail.h"

namespace borealis::storage_node {

bool VolumeState::IsVoid(Lsn end, VolumeEpoch record_epoch) const {
  return std::any_of(annulled.begin(), annulled.end(), [&](const AnnulledRange& range) {
    return end > range.after && end <= range.up_to && record_epoch < range.epoch;
  });
}

namespace {
VolumeEpoch HighestEpoch(const std::vector<AnnulledRange>& list) {
  VolumeEpoch highest;
  for (const AnnulledRange& range : list) {
    highest = std::max(highest, range.epoch);
  }
  return highest;
}
}  // namespace

VolumeEpoch VolumeState::HighestAnnulling() const {
  return HighestEpoch(annulled);
}

void VolumeState::NoteVdl(Lsn vdl, VolumeEpoch teller) {
  if (vdl > vdl_told) {
    vdl_told = vdl;
    vdl_epoch = teller;
  }
}

bool VolumeState::AdoptList(std::vector<AnnulledRange> list) {
  if (HighestEpoch(list) <= HighestAnnulling()) {
    return false;
  }
  annulled = std::move(list);
  std::sort(annulled.begin(), annulled.end(),
            [](const AnnulledRange& a, const AnnulledRange& b) { return a.after < b.after; });
  return true;
}

Segment::Segment(const VolumeState* volume, PgId pg, Journal* journal)
    : volume_(volume), pg_(pg), journal_(journal) {}

Segment::~Segment() = default;

size_t Segment::UpperBound(Lsn lsn) const {
  const auto at =
      std::upper_bound(chain_.begin(), chain_.end(), lsn,
                       [](Lsn wanted, const Entry& entry) { return wanted < entry.end; });
  return static_cast<size_t>(at - chain_.begin());
}

const Segment::Entry* Segment::Find(Lsn end) const {
  if (end > scl_) {
    const auto at = beyond_.find(end);
    return at == beyond_.end() ? nullptr : &at->second;
  }
  const size_t at = UpperBound(end);
  return at > 0 && chain_[at - 1].end == end ? &chain_[at - 1] : nullptr;
}

// Whether a record with that back link may take the place of what the chain has above it: all of
// that is of lower epochs and above every VDL told, so a later opening must have annulled it
// (INV-LOG-2 holds for what is valid).
bool Segment::CanCutTo(Lsn back_link, VolumeEpoch epoch) const {
  if (back_link < layered_up_to_ || (back_link != layered_up_to_ && Find(back_link) == nullptr)) {
    return false;
  }
  for (size_t i = UpperBound(back_link); i < chain_.size(); ++i) {
    const bool told = chain_[i].end <= volume_->vdl_told && volume_->vdl_epoch < epoch;
    if (chain_[i].epoch >= epoch || told || chain_[i].end <= job_cut) {
      return false;
    }
  }
  return true;
}

Segment::Taken Segment::Probe(const RecordView& record) const {
  if (record.end <= layered_up_to_) {
    return Taken::kRepeated;
  }
  if (volume_->IsVoid(record.end, record.epoch)) {
    return Taken::kVoid;
  }
  if (const Entry* known = Find(record.end); known != nullptr) {
    const bool same = known->length == record.length &&
                      std::string_view(known->bytes, known->length) == record.bytes;
    if (same) {
      return Taken::kRepeated;
    }
    return record.epoch < known->epoch ? Taken::kVoid : Taken::kConflict;
  }
  if (record.end <= scl_) {
    // The chain passes it by: a record of a later epoch says that it does not count.
    const size_t next = UpperBound(record.end);
    const bool later = next < chain_.size() && chain_[next].epoch > record.epoch;
    return later || record.epoch < volume_->epoch ? Taken::kVoid : Taken::kConflict;
  }
  if (record.pg_back_link < scl_) {
    if (CanCutTo(record.pg_back_link, record.epoch)) {
      return Taken::kNew;
    }
    return record.epoch < volume_->epoch ? Taken::kVoid : Taken::kConflict;
  }
  return Taken::kNew;
}

Segment::Taken Segment::Insert(const RecordView& record, JournalBatch* batch) {
  const Taken taken = Probe(record);
  if (taken != Taken::kNew) {
    return taken;
  }
  Entry entry;
  entry.bytes = record.bytes.data();
  entry.length = record.length;
  entry.batch = batch;
  entry.end = record.end;
  entry.page = record.page;
  entry.epoch = record.epoch;
  ++batch->live;
  table_bytes_ += entry.length;
  if (record.pg_back_link > scl_) {
    beyond_.emplace(record.end, entry);
    beyond_by_back_link_.emplace(record.pg_back_link, record.end);
    return taken;
  }
  if (record.pg_back_link < scl_) {
    COVER("segment.later_epoch_cuts_chain");
    CutAbove(record.pg_back_link);
  }
  PushChain(entry);
  if (!beyond_.empty()) {
    Drain();
  }
  return taken;
}

void Segment::PushChain(const Entry& entry) {
  chain_.push_back(entry);
  scl_ = entry.end;
  if (entry.page != kNoPage) {
    const uint64_t position = first_ + chain_.size() - 1;
    PageTail& tail = pages_[entry.page];
    chain_.back().previous_of_page = tail.newest;
    tail.newest = position;
    if (++tail.since_image == kTableChainMax) {
      tail.since_image = 0;
      images_due_.emplace_back(entry.page, entry.end);
    }
  }
  if (entry.EmptiesPage()) {
    emptied_.push_back(entry.end);
  }
}

// Moves along the chain as far as the records beyond the hole lead. Where two of them follow the
// same record, the one of the later epoch is the valid one.
void Segment::Drain() {
  while (true) {
    auto [from, to] = beyond_by_back_link_.equal_range(scl_);
    auto best = beyond_.end();
    for (; from != to; ++from) {
      const auto candidate = beyond_.find(from->second);
      INVARIANT(candidate != beyond_.end());
      if (best == beyond_.end() || candidate->second.epoch > best->second.epoch) {
        best = candidate;
      }
    }
    if (best == beyond_.end()) {
      break;
    }
    const Entry entry = best->second;
    ++entry.batch->live;  // it only moves; EraseBeyond lets go of it once
    table_bytes_ += entry.length;
    EraseBeyond(best);
    PushChain(entry);
  }
  while (!beyond_.empty() && beyond_.begin()->first <= scl_) {
    COVER("segment.chain_passed_void_record");
    EraseBeyond(beyond_.begin());
  }
}

void Segment::Forget(const Entry& entry) {
  table_bytes_ -= entry.length;
  journal_->Release(entry.batch);
}

void Segment::EraseBeyond(std::map<Lsn, Entry>::iterator at) {
  const Lsn back_link = at->second.View().pg_back_link;
  auto [from, to] = beyond_by_back_link_.equal_range(back_link);
  from = std::find_if(from, to, [&](const auto& link) { return link.second == at->first; });
  INVARIANT(from != to);
  beyond_by_back_link_.erase(from);
  const Entry entry = at->second;
  beyond_.erase(at);
  Forget(entry);
}

void Segment::PopBack(bool keep_if_valid) {
  const Entry entry = chain_.back();
  INVARIANT_GT(entry.end, job_cut);
  chain_.pop_back();
  if (entry.page != kNoPage) {
    if (entry.previous_of_page >= first_) {
      pages_[entry.page].newest = entry.previous_of_page;
    } else {
      pages_.erase(entry.page);
    }
    if (!table_images_.empty() || !images_due_.empty()) {
      ForgetImagesFrom(entry.page, entry.end);
    }
  }
  if (!emptied_.empty() && emptied_.back() == entry.end) {
    emptied_.pop_back();
  }
  scl_ = chain_.empty() ? layered_up_to_ : chain_.back().end;
  if (keep_if_valid && !volume_->IsVoid(entry.end, entry.epoch)) {
    beyond_.emplace(entry.end, entry);
    beyond_by_back_link_.emplace(entry.View().pg_back_link, entry.end);
  } else {
    Forget(entry);
  }
}

void Segment::CutAbove(Lsn lsn) {
  INVARIANT_GE(lsn, layered_up_to_);  // INV-SEG-2
  while (!chain_.empty() && chain_.back().end > lsn) {
    PopBack(/*keep_if_valid=*/false);
  }
}

void Segment::DropVoid() {
  const auto first_void = std::find_if(chain_.begin(), chain_.end(), [&](const Entry& entry) {
    return volume_->IsVoid(entry.end, entry.epoch);
  });
  if (first_void != chain_.end()) {
    const Lsn from = first_void->end;
    while (!chain_.empty() && chain_.back().end >= from) {
      PopBack(/*keep_if_valid=*/true);
    }
  }
  for (auto at = beyond_.begin(); at != beyond_.end();) {
    const auto next = std::next(at);
    if (volume_->IsVoid(at->second.end, at->second.epoch)) {
      EraseBeyond(at);
    }
    at = next;
  }
  Drain();
}

Lsn Segment::highest_held() const {
  return beyond_.empty() ? scl_ : std::max(scl_, beyond_.rbegin()->first);
}

Lsn Segment::complete_above() const {
  Lsn above;
  for (const auto& layer : layers_) {
    above = std::max(above, layer->info().complete_above);
  }
  return above;
}

bool Segment::DoubtfulBetween(Lsn last, Lsn up_to, VolumeEpoch epoch) const {
  const size_t next = UpperBound(last);
  if (next == chain_.size() || chain_[next].end > up_to || chain_[next].epoch >= epoch) {
    return false;
  }
  return volume_->HighestAnnulling() < epoch && chain_.back().epoch < epoch;
}

uint64_t Segment::oldest_journal_file() const {
  return chain_.empty() ? 0 : chain_.front().batch->file;
}

Lsn Segment::SettledVdl() const {
  const Lsn told = volume_->vdl_told;
  if (volume_->KnowsTellersOpening()) {
    return told;
  }
  const size_t at = UpperBound(told);
  bool settled = at == 0 || chain_[at - 1].epoch >= volume_->vdl_epoch;
  for (auto entry = beyond_.begin(); entry != beyond_.end() && entry->first <= told; ++entry) {
    settled &= entry->second.epoch >= volume_->vdl_epoch;
  }
  return settled ? told : std::min(told, LayerCut());
}

std::string Segment::Tail(Lsn above) const {
  std::string tail;
  const auto append = [&](const Entry& entry) {
    const RecordView record = entry.View();
    AppendTailEntry(&tail, {record.end, record.length, record.is_consistency_point, record.epoch,
                            record.pg_back_link});
  };
  for (size_t i = UpperBound(above); i < chain_.size(); ++i) {
    append(chain_[i]);
  }
  for (auto at = beyond_.upper_bound(above); at != beyond_.end(); ++at) {
    append(at->second);
  }
  return tail;
}

Lsn Segment::LastAtOrUnder(Lsn lsn) const {
  const auto after = beyond_.upper_bound(lsn);
  if (after != beyond_.begin()) {
    return std::prev(after)->first;
  }
  const size_t at = UpperBound(lsn);
  return at > 0 ? chain_[at - 1].end : std::min(lsn, layered_up_to_);
}

void Segment::ReadTable(Lsn after, Lsn up_to, size_t size_max, std::string* out, bool* more) const {
  const auto append = [&](const Entry& entry) {
    *more = out->size() >= size_max;
    if (!*more) {
      out->append(entry.bytes, entry.length);
    }
    return !*more;
  };
  for (size_t i = UpperBound(after); i < chain_.size() && chain_[i].end <= up_to; ++i) {
    if (!append(chain_[i])) {
      return;
    }
  }
  for (auto at = beyond_.upper_bound(after); at != beyond_.end() && at->first <= up_to; ++at) {
    if (!append(at->second)) {
      return;
    }
  }
}

Lsn Segment::LayerCut() const {
  size_t at = UpperBound(volume_->vdl_told);
  if (!volume_->KnowsTellersOpening()) {
    while (at > 0 && chain_[at - 1].epoch < volume_->vdl_epoch) {
      --at;
    }
  }
  return at > 0 ? chain_[at - 1].end : layered_up_to_;
}

std::vector<LayerEntry> Segment::TableEntries(Lsn cut) const {
  std::vector<LayerEntry> entries;
  const size_t count = UpperBound(cut);
  entries.reserve(count);
  for (size_t i = 0; i < count; ++i) {
    const Entry& entry = chain_[i];
    entries.push_back({entry.page, entry.end, false, {entry.bytes, entry.length}});
  }
  return entries;
}

void Segment::NoteLayeredUpTo(Lsn cut) {
  INVARIANT_LE(cut, volume_->vdl_told);  // INV-NOD-3
  INVARIANT_LE(cut, scl_);
  layered_up_to_ = std::max(layered_up_to_, cut);
}

void Segment::PopFront() {
  const Entry entry = chain_.front();
  chain_.pop_front();
  const auto newest = pages_.find(entry.page);
  if (newest != pages_.end() && newest->second.newest == first_) {
    pages_.erase(newest);
  }
  if (!table_images_.empty() || !images_due_.empty()) {
    ForgetImagesUpTo(entry.page, entry.end);
  }
  if (!emptied_.empty() && emptied_.front() == entry.end) {
    emptied_.pop_front();
  }
  ++first_;
  Forget(entry);
}

void Segment::ReleaseUpTo(Lsn cut) {
  INVARIANT_LE(cut, layered_up_to_);
  while (!chain_.empty() && chain_.front().end <= cut) {
    PopFront();
  }
  INVARIANT_GE(scl_, layered_up_to_);
}

std::vector<LayerInfo> Segment::LayerInfos() const {
  std::vector<LayerInfo> infos;
  infos.reserve(layers_.size());
  for (const auto& layer : layers_) {
    infos.push_back(layer->info());
  }
  return infos;
}

void Segment::InstallLayer(std::shared_ptr<Layer> layer, const std::vector<uint64_t>& replaced,
                           Lsn new_horizon) {
  const auto is_replaced = [&](const std::shared_ptr<Layer>& known) {
    return std::find(replaced.begin(), replaced.end(), known->info().number) != replaced.end();
  };
  const auto first = std::find_if(layers_.begin(), layers_.end(), is_replaced);
  const auto at = first - layers_.begin();
  layers_.erase(std::remove_if(first, layers_.end(), is_replaced), layers_.end());
  const auto place = layers_.insert(layers_.begin() + at, std::move(layer));
  INVARIANT(place == layers_.begin() || (*std::prev(place))->info().up_to == (*place)->info().from);
  INVARIANT(std::next(place) == layers_.end() ||
            (*place)->info().up_to == (*std::next(place))->info().from);
  horizon_ = std::max(horizon_, new_horizon);
}

void Segment::StageCopy(std::shared_ptr<Layer> layer, Lsn chain_lsn, Lsn new_horizon) {
  INVARIANT_GE(chain_lsn, layered_up_to_);
  INVARIANT_EQ(layer->info().from,
               damaged || layers_.empty() ? Lsn(0) : layers_.back()->info().up_to);
  staged_ = {std::move(layer), chain_lsn, std::max(horizon_, new_horizon), damaged};
}

void Segment::InstallCopy() {
  INVARIANT(staged_.has_value());
  if (staged_->replaces) {
    layers_.clear();
    damaged = false;
  }
  layers_.push_back(std::move(staged_->layer));
  const Lsn chain_lsn = staged_->chain_lsn;
  horizon_ = staged_->horizon;
  staged_.reset();
  while (!chain_.empty() && chain_.front().end <= chain_lsn) {
    PopFront();
  }
  layered_up_to_ = chain_lsn;
  // What does not follow the copied chain was never valid.
  while (!chain_.empty() && chain_.front().View().pg_back_link != chain_lsn) {
    PopBack(/*keep_if_valid=*/false);
  }
  scl_ = chain_.empty() ? chain_lsn : chain_.back().end;
  Drain();
}

void Segment::Restore(const SegmentRecord& record, std::vector<std::shared_ptr<Layer>> layers) {
  layers_ = std::move(layers);
  layered_up_to_ = record.layered_up_to;
  scl_ = record.layered_up_to;
  horizon_ = record.horizon;
  damaged = record.damaged;
}

SegmentRecord Segment::Describe() const {
  SegmentRecord record{volume_->id, pg_, layered_up_to_, horizon_, damaged, LayerInfos()};
  if (staged_.has_value()) {
    if (staged_->replaces) {
      record.layers.clear();
      record.damaged = false;
    }
    record.layers.push_back(staged_->layer->info());
    record.layered_up_to = staged_->chain_lsn;
    record.horizon = staged_->horizon;
  }
  return record;
}

std::vector<std::string> Segment::TakeTable() {
  std::vector<std::string> records;
  for (const Entry& entry : chain_) {
    records.emplace_back(entry.bytes, entry.length);
  }
  for (const auto& [end, entry] : beyond_) {
    records.emplace_back(entry.bytes, entry.length);
  }
  Discard();
  return records;
}

void Segment::Discard() {
  for (const Entry& entry : chain_) {
    Forget(entry);
  }
  for (const auto& [end, entry] : beyond_) {
    Forget(entry);
  }
  first_ += chain_.size();
  chain_.clear();
  beyond_.clear();
  beyond_by_back_link_.clear();
  pages_.clear();
  emptied_.clear();
  table_images_.clear();
  images_due_.clear();
  scl_ = layered_up_to_;
}

}  // namespace borealis::storage_node
