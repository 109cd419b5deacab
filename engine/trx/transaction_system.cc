#include "engine/trx/transaction_system.h"

#include <algorithm>

#include "base/fault.h"
#include "base/invariant.h"
#include "engine/memory_use.h"
#include "engine/store/space.h"

namespace borealis::engine {

Status TransactionSystem::Load() {
  Mtr mtr(store_);
  ASSIGN_OR_RETURN(uint64_t bound, Space::GetSlot(&mtr, kNumberSlot));
  next_.store(std::max<uint64_t>(1, bound));
  bound_.store(bound);
  return Status::Ok();
}

void TransactionSystem::Adopt(std::shared_ptr<ChangingTransaction> transaction) {
  MutexLock lock(mutex_);
  active_[transaction->id] = transaction;
  unseen_[transaction->id] = Lsn(0);
  orphans_.push_back(std::move(transaction));
  UpdateLeast();
}

Status TransactionSystem::EnsureNumbers() {
  if (next_.load() + kReserve < bound_.load()) {
    return Status::Ok();
  }
  MutexLock lock(bound_mutex_);
  const uint64_t bound = next_.load() + kReserve + kStep;
  if (next_.load() + kReserve < bound_.load()) {
    return Status::Ok();
  }
  Mtr mtr(store_);
  RETURN_IF_ERROR(mtr.StartWriting());
  RETURN_IF_ERROR(Space::SetSlot(&mtr, kNumberSlot, bound));
  mtr.Commit();
  bound_.store(bound);
  return Status::Ok();
}

void TransactionSystem::UpdateLeast() {
  least_active_.store(active_.empty() ? ~uint64_t{0} : active_.begin()->first.value());
  least_unseen_.store(unseen_.empty() ? ~uint64_t{0} : unseen_.begin()->first.value());
}

void TransactionSystem::Activate(const std::shared_ptr<ChangingTransaction>& transaction) {
  MutexLock lock(mutex_);
  const uint64_t id = next_.fetch_add(1);
  INVARIANT_LT(id, bound_.load());
  transaction->id = TrxId(id);
  transaction->owner->trx_id.store(id);
  active_[transaction->id] = transaction;
  unseen_[transaction->id] = Lsn(0);
  not_begun_.insert(transaction->id);
  begin_floor_.store(not_begun_.begin()->value());
  UpdateLeast();
}

void TransactionSystem::NoteBegun(TrxId id) {
  MutexLock lock(mutex_);
  not_begun_.erase(id);
}

uint64_t TransactionSystem::BeginCommit(TrxId id) {
  MutexLock lock(mutex_);
  const uint64_t number = next_.fetch_add(1);
  INVARIANT_LT(number, bound_.load());
  pending_numbers_.insert(number);
  ending_.insert(id);
  return number;
}

void TransactionSystem::BeginRollbackMark(TrxId id) {
  MutexLock lock(mutex_);
  ending_.insert(id);
}

void TransactionSystem::AbandonEnd(TrxId id, uint64_t commit_no) {
  MutexLock lock(mutex_);
  ending_.erase(id);
  pending_numbers_.erase(commit_no);
  ended_.NotifyAll();
}

void TransactionSystem::LeaveActive(TrxId id, Lsn commit_lsn) {
  MutexLock lock(mutex_);
  INVARIANT_EQ(active_.erase(id), size_t{1});
  not_begun_.erase(id);
  ending_.erase(id);
  if (commit_lsn == Lsn(0)) {  // it has left nothing in the log
    unseen_.erase(id);
  } else {
    unseen_[id] = commit_lsn;
    ended_at_[commit_lsn] = id;
  }
  UpdateLeast();
  ended_.NotifyAll();
}

uint64_t TransactionSystem::TakeNumber() {
  const uint64_t number = next_.fetch_add(1);
  INVARIANT_LT(number, bound_.load());
  return number;
}

void TransactionSystem::WaitForEnd(int64_t timeout_us) {
  MutexLock lock(mutex_);
  ended_.WaitFor(mutex_, timeout_us);
}

void TransactionSystem::BecomeDurable(TrxId id, uint64_t commit_no) {
  MutexLock lock(mutex_);
  INVARIANT(!active_.contains(id));
  if (auto found = unseen_.find(id); found != unseen_.end()) {
    SeeUpTo(found->second);
  }
  pending_numbers_.erase(commit_no);
}

void TransactionSystem::SeeUpTo(Lsn durable) {
  bool changed = false;
  while (!ended_at_.empty() && ended_at_.begin()->first <= durable) {
    changed |= unseen_.erase(ended_at_.begin()->second) > 0;
    ended_at_.erase(ended_at_.begin());
  }
  if (changed) {
    UpdateLeast();
  }
}

bool TransactionSystem::IsActive(TrxId id) const {
  if (id.value() < least_active_.load()) {
    return false;
  }
  MutexLock lock(mutex_);
  return active_.contains(id);
}

bool TransactionSystem::IfActive(TrxId id,
                                 const std::function<void(ChangingTransaction&)>& visit) const {
  MutexLock lock(mutex_);
  auto found = active_.find(id);
  if (found == active_.end()) {
    return false;
  }
  visit(*found->second);
  return true;
}

Lsn TransactionSystem::PendingCommitLsn(TrxId id) const {
  if (id.value() < least_unseen_.load()) {
    return Lsn(0);
  }
  MutexLock lock(mutex_);
  auto found = unseen_.find(id);
  return found == unseen_.end() ? Lsn(0) : found->second;
}

Lsn TransactionSystem::LatestPendingCommitLsn() const {
  MutexLock lock(mutex_);
  return ended_at_.empty() ? Lsn(0) : ended_at_.rbegin()->first;
}

TrxId TransactionSystem::SettledLimit() const {
  MutexLock lock(mutex_);
  return unseen_.empty() ? TrxId(next_.load()) : unseen_.begin()->first;
}

// ---------------------------------------------------------------------------------------------
// Views

ReadView TransactionSystem::MakeView() {
  ReadView view;
  MakeView(&view);
  return view;
}

void TransactionSystem::MakeView(ReadView* out) {
  ReadView& view = *out;
  view.made = ++views_made_;
  view.lsn = store_->is_replica() ? noted_ : store_->reader()->vdl();
  // The volume may not have got round to telling: whoever waited for a commit must see it.
  SeeUpTo(view.lsn);
  view.low_limit = TrxId(next_.load());
  view.unseen.clear();
  view.unseen.reserve(unseen_.size());
  for (const auto& [id, lsn] : unseen_) {
    view.unseen.push_back(id);
  }
  view.up_limit = view.unseen.empty() ? view.low_limit : view.unseen.front();
  view.low_limit_no = pending_numbers_.empty() ? next_.load() : *pending_numbers_.begin();
}

Lsn TransactionSystem::LastEndLsn() const {
  MutexLock lock(mutex_);
  return ended_at_.empty() ? Lsn(0) : ended_at_.rbegin()->first;
}

const ReadView* TransactionSystem::OpenView() {
  MutexLock lock(mutex_);
  if (spare_views_.empty()) {
    spare_views_.emplace_back();
  }
  const auto place = spare_views_.begin();
  MakeView(&*place);
  place->place = place;
  views_.splice(views_.end(), spare_views_, place);
  return &*place;
}

void TransactionSystem::CloseView(const ReadView* view) {
  MutexLock lock(mutex_);
  const auto place = static_cast<const OpenedView*>(view)->place;
  INVARIANT(&*place == view);
  spare_views_.splice(spare_views_.begin(), views_, place);
  if (spare_views_.size() > kSpareViews) {
    spare_views_.pop_back();
  }
}

uint64_t TransactionSystem::memory_bytes() const {
  constexpr uint64_t kActiveBytes =
      sizeof(ChangingTransaction) + sizeof(LockOwner) + 2 * (sizeof(TrxId) + kNodeOverhead);
  MutexLock lock(mutex_);
  uint64_t bytes = active_.size() * kActiveBytes +
                   (unseen_.size() + ended_at_.size() + pending_numbers_.size() + gaps_.size()) *
                       (sizeof(std::pair<TrxId, Lsn>) + kNodeOverhead);
  for (const auto* views : {&views_, &spare_views_}) {
    for (const OpenedView& view : *views) {
      bytes += sizeof(OpenedView) + kNodeOverhead + view.unseen.capacity() * sizeof(TrxId);
    }
  }
  return bytes;
}

ReadView TransactionSystem::OldestView() {
  MutexLock lock(mutex_);
  const ReadView* oldest = views_.empty() ? nullptr : &views_.front();
  if (reader_view_.has_value() && (oldest == nullptr || reader_view_->made < oldest->made)) {
    oldest = &*reader_view_;
  }
  return oldest == nullptr ? MakeView() : *oldest;
}

Lsn TransactionSystem::OldestViewLsn() const {
  MutexLock lock(mutex_);
  const Lsn least = store_->is_replica() ? noted_ : Lsn::Max();  // of a view to come
  return views_.empty() ? least : std::min(least, views_.front().lsn);
}

void TransactionSystem::SetReaderHorizon(Lsn horizon) {
  MutexLock lock(mutex_);
  if (horizon == Lsn::Max()) {
    reader_view_.reset();
    next_reader_view_.reset();
    return;
  }
  if (!reader_view_.has_value()) {
    reader_view_ = MakeView();
  }
  if (next_reader_view_.has_value() && next_reader_view_->lsn <= horizon) {
    reader_view_ = std::exchange(next_reader_view_, std::nullopt);
  }
  if (!next_reader_view_.has_value()) {
    next_reader_view_ = MakeView();
  }
}

void TransactionSystem::VoidViews() {
  MutexLock lock(mutex_);
  void_.store(views_made_);
}

// ---------------------------------------------------------------------------------------------
// Orphans and lists

void TransactionSystem::Orphan(const std::shared_ptr<ChangingTransaction>& transaction) {
  MutexLock lock(mutex_);
  transaction->orphaned = true;
  orphans_.push_back(transaction);
  orphaned_.NotifyAll();
}

void TransactionSystem::WaitForOrphan(int64_t timeout_us) {
  MutexLock lock(mutex_);
  if (orphans_.empty()) {
    orphaned_.WaitFor(mutex_, timeout_us);
  }
}

void TransactionSystem::WakeOrphanWaiter() {
  MutexLock lock(mutex_);
  orphaned_.NotifyAll();
}

std::shared_ptr<ChangingTransaction> TransactionSystem::TakeOrphan() {
  MutexLock lock(mutex_);
  if (orphans_.empty()) {
    return nullptr;
  }
  auto transaction = orphans_.front();
  orphans_.pop_front();
  return transaction;
}

bool TransactionSystem::HasOrphans() const {
  MutexLock lock(mutex_);
  return !orphans_.empty();
}

std::vector<std::shared_ptr<ChangingTransaction>> TransactionSystem::ListActive() const {
  MutexLock lock(mutex_);
  std::vector<std::shared_ptr<ChangingTransaction>> list;
  for (const auto& [id, transaction] : active_) {
    list.push_back(transaction);
  }
  return list;
}

uint64_t TransactionSystem::next_number() const {
  return next_.load();
}

// ---------------------------------------------------------------------------------------------
// Replica

std::string TransactionSystem::EncodeUnseen(Lsn* at) {
  // A replica that starts here gets the log after `at`. Who ended at or below it must not be listed
  // (the replica would never learn of the end), who ended above it or not at all must be.
  std::string encoded;
  MutexLock lock(mutex_);
  const Lsn vdl = store_->reader()->vdl();
  const std::set<TrxId> ending(ending_.begin(), ending_.end());
  for (TrxId id : ending) {
    while (ending_.contains(id)) {  // its end is on the way into the log
      COVER("transaction_system.waited_for_end");
      ended_.Wait(mutex_);
    }
  }
  std::vector<TrxId> ids;
  for (const auto& [id, commit_lsn] : unseen_) {
    if (commit_lsn == Lsn(0) || commit_lsn > vdl) {
      ids.push_back(id);
    }
  }
  AppendLittle(&encoded, next_.load());
  AppendLittle(&encoded, vdl.value());
  AppendVarint(&encoded, ids.size());
  for (TrxId id : ids) {
    AppendVarint(&encoded, id.value());
  }
  *at = vdl;
  return encoded;
}

Status TransactionSystem::LoadUnseen(std::string_view encoded) {
  ByteReader reader(encoded);
  const auto next = reader.Little<uint64_t>();
  const Lsn at(reader.Little<uint64_t>());
  std::map<TrxId, Lsn> ids;
  for (uint64_t left = reader.Varint(); left > 0 && reader.ok(); --left) {
    ids[TrxId(reader.Varint())] = Lsn(0);
  }
  if (!reader.ok() || !reader.empty()) {
    return Status::Corruption("list of unfinished transactions is malformed");
  }
  MutexLock lock(mutex_);
  unseen_.clear();
  unseen_.insert(ids.begin(), ids.end());
  gaps_.clear();
  next_.store(next);
  noted_ = at;
  void_.store(views_made_);
  UpdateLeast();
  return Status::Ok();
}

void TransactionSystem::NoteBegin(TrxId id, TrxId floor) {
  MutexLock lock(mutex_);
  for (uint64_t passed = next_.load(); passed < id.value(); ++passed) {
    unseen_[TrxId(passed)] = Lsn(0);
    gaps_.insert(TrxId(passed));
  }
  unseen_[id] = Lsn(0);
  gaps_.erase(id);
  while (!gaps_.empty() && *gaps_.begin() < floor) {
    unseen_.erase(*gaps_.begin());
    gaps_.erase(gaps_.begin());
  }
  if (next_.load() <= id.value()) {
    next_.store(id.value() + 1);
  }
  UpdateLeast();
}

void TransactionSystem::NoteEnd(TrxId id) {
  MutexLock lock(mutex_);
  unseen_.erase(id);
  UpdateLeast();
}

void TransactionSystem::NoteApplied(Lsn lsn) {
  MutexLock lock(mutex_);
  noted_ = lsn;
}

}  // namespace borealis::engine
