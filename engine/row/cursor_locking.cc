// Cursors of locking reads: one key at a time.
//
// What is locked between keys is what InnoDB locks: from the entry before the first one read to the
// last one read, and at the end of the range to the entry that follows it. The entries at these
// ends are looked for once; one that comes between before the lock is had only makes it wider.
//
// For each step: look for the next entry; lock the range up to it against inserts; look again (what
// was let in before the range was locked is visible now); lock the entry; lock the row, unless
// a shared lock of the entry is all that is needed; read it.
#include <optional>
#include <utility>

#include "base/fault.h"
#include "engine/row/row_lock.h"
#include "engine/row/row_read.h"
#include "engine/store/leaf_cursor.h"
#include "engine/table_trees.h"

namespace borealis::engine {

namespace {

class LockingCursor final : public Cursor {
 public:
  LockingCursor(EngineTransaction& transaction, TableRef table, ScanOptions options)
      : trx_(transaction), table_(std::move(table)), options_(std::move(options)) {
    Begin();
  }

  Result<bool> Next() override;
  std::string_view key() const override { return key_; }
  std::string_view clustered_key() const override { return clustered_key_; }
  Result<std::string_view> row() override;
  void UnlockRow() override;
  Result<bool> Confirm() override;
  Status Restart(KeyRange range, bool unique_point) override {
    options_.range = std::move(range);
    options_.unique_point = unique_point;
    Begin();
    return Status::Ok();
  }

 private:
  struct Candidate {
    bool found = false;
    bool ghost = false;
    std::string entry_key;
    std::string own_key;
    std::string clustered_key;
    friend bool operator==(const Candidate&, const Candidate&) = default;
  };
  enum class Step { kEmit, kSkip, kLookAgain };

  bool secondary() const { return options_.index_no != kClusteredIndex; }
  IndexId index() const { return table_->definition().indexes[options_.index_no].id; }
  IndexId clustered_index() const { return table_->definition().indexes[kClusteredIndex].id; }
  void Begin();
  Result<Candidate> Look();
  Status LockGapUpTo(const Candidate& candidate);
  // The end of the range that the scan starts from; where it starts from a whole clustered key that
  // is there, that key, otherwise the entry beyond.
  Status FindStart(const Candidate& candidate);
  Result<Step> LockCandidate(const Candidate& candidate);
  Result<Step> LockCandidateEntry(const Candidate& candidate);
  Result<Step> LockCandidateRow(const Candidate& candidate);
  // The row is locked by another transaction: shows its last committed version.
  Result<Step> ShowCommitted(const Candidate& candidate);
  // Looks whether what was settled is still so.
  Result<Step> SkipIfSame(const Candidate& candidate);
  Status LockBeyond();
  bool locks_entry_alone() const {
    // A row's last writer is known by the row alone (INV-TRX-9).
    return secondary() && options_.covering && options_.lock == LockMode::kShared &&
           !trx_.options().snapshot_isolation;
  }
  void Advance(const Candidate& candidate) {
    position_before_ = std::move(position_);
    started_before_ = started_;
    position_ = candidate.entry_key;
    started_ = true;
  }
  // The row's key is the upper bound itself: InnoDB locks nothing beyond it.
  bool IsLastPossible(std::string_view key) const {
    if (secondary() || options_.reverse || !has_upper_) {
      return false;
    }
    return upper_inclusive_ ? key == upper_
                            : upper_.size() == key.size() && PrefixEnd(key) == upper_;
  }
  Result<bool> NextRow();

  EngineTransaction& trx_;
  const TableRef table_;
  ScanOptions options_;
  // Where the scan stands: bounds of the tree's own keys, and the last entry passed.
  std::string upper_;  // exclusive, when has_upper_
  bool has_upper_ = false;
  bool upper_inclusive_ = false;
  std::string position_;
  bool started_ = false;
  std::string position_before_;  // where the current row was found from
  bool started_before_ = false;
  bool done_ = false;
  uint64_t range_id_ = 0;
  // Where the locked gap starts (reverse: ends), since start_found_.
  bool start_found_ = false;
  std::string start_;
  bool start_inclusive_ = false;
  bool start_open_ = false;  // reverse: no entry beyond

  std::string key_;
  std::string clustered_key_;
  std::string row_;
  bool have_row_ = false;
  IndexKey built_key_;
  std::string entry_key_;  // locked by Next()
  bool may_unlock_entry_ = false;
  bool may_unlock_row_ = false;
  std::optional<RowVersion> shown_;  // without a lock
  bool confirmed_ = false;           // the row to come is locked since Confirm()
};

void LockingCursor::Begin() {
  const KeyRange& range = options_.range;
  has_upper_ = !range.no_upper;
  upper_ = range.upper;
  upper_inclusive_ = range.upper_inclusive;
  if (has_upper_ && upper_inclusive_ && secondary()) {
    // All entries of that key, whatever clustered key follows it.
    upper_ = PrefixEnd(range.upper);
    has_upper_ = !upper_.empty();
    upper_inclusive_ = false;
  }
  position_.clear();
  started_ = false;
  done_ = false;
  range_id_ = 0;
  start_found_ = false;
  may_unlock_entry_ = false;
  may_unlock_row_ = false;
  shown_.reset();
  confirmed_ = false;
}

Result<LockingCursor::Candidate> LockingCursor::Look() {
  Mtr mtr(trx_.core().store);
  LeafCursor cursor(&table_->trees().tree(options_.index_no), &mtr);
  const LatchMode latch = LatchMode::kShared;
  if (options_.reverse) {
    if (started_) {
      RETURN_IF_ERROR(cursor.Seek(position_, SeekMode::kBefore, latch));
    } else if (!has_upper_) {
      RETURN_IF_ERROR(cursor.SeekLast(latch));
    } else {
      RETURN_IF_ERROR(
          cursor.Seek(upper_, upper_inclusive_ ? SeekMode::kAtMost : SeekMode::kBefore, latch));
    }
  } else {
    RETURN_IF_ERROR(started_ ? cursor.Seek(position_, SeekMode::kAfter, latch)
                             : cursor.Seek(options_.range.lower, SeekMode::kAtLeast, latch));
  }
  Candidate candidate;
  while (cursor.valid()) {
    if (secondary()) {
      ASSIGN_OR_RETURN(SecondaryEntry entry, DecodeSecondary(cursor.key(), cursor.value()));
      candidate.own_key = entry.key;
      candidate.clustered_key = entry.clustered_key;
      candidate.ghost = entry.deleted;
    } else {
      ASSIGN_OR_RETURN(RowView row, DecodeRow(cursor.value()));
      candidate.own_key = cursor.key();
      candidate.clustered_key = cursor.key();
      candidate.ghost = row.header.deleted;
    }
    if (PastEnd(options_.range, options_.reverse, candidate.own_key)) {
      break;
    }
    if (!PastEnd(options_.range, !options_.reverse, candidate.own_key)) {
      candidate.found = true;
      candidate.entry_key = cursor.key();
      return candidate;
    }
    RETURN_IF_ERROR(options_.reverse ? cursor.Prev() : cursor.Next());
  }
  return Candidate{};
}

Status LockingCursor::FindStart(const Candidate& candidate) {
  if (start_found_) {
    return Status::Ok();
  }
  BTree& tree = table_->trees().tree(options_.index_no);
  if (options_.reverse) {
    bool found = false;
    if (has_upper_) {
      const SeekMode mode = upper_inclusive_ ? SeekMode::kAfter : SeekMode::kAtLeast;
      ASSIGN_OR_RETURN(found, FindEntry(trx_.core(), tree, upper_, mode, &start_));
    }
    start_open_ = !found;
    start_inclusive_ = false;
  } else if (!secondary() && candidate.found && candidate.own_key == options_.range.lower) {
    start_ = candidate.own_key;
    start_inclusive_ = true;
  } else {
    ASSIGN_OR_RETURN(const bool found, FindEntry(trx_.core(), tree, options_.range.lower,
                                                 SeekMode::kBefore, &start_));
    start_inclusive_ = !found;
  }
  start_found_ = true;
  return Status::Ok();
}

Status LockingCursor::LockGapUpTo(const Candidate& candidate) {
  RETURN_IF_ERROR(FindStart(candidate));
  BTree& tree = table_->trees().tree(options_.index_no);
  GapBounds bounds;
  bounds.exclusive = options_.lock == LockMode::kExclusive;
  std::string end;
  if (options_.reverse) {
    ASSIGN_OR_RETURN(
        const bool found,
        FindEntry(trx_.core(), tree, candidate.found ? candidate.entry_key : options_.range.lower,
                  SeekMode::kBefore, &end));
    bounds.lower = end;
    bounds.lower_inclusive = !found;
    bounds.upper = start_;
    bounds.no_upper = start_open_;
  } else {
    bounds.lower = start_;
    bounds.lower_inclusive = start_inclusive_;
    if (candidate.found) {
      bounds.upper = candidate.entry_key;
      bounds.upper_inclusive = true;
    } else if (has_upper_) {
      const SeekMode mode = upper_inclusive_ ? SeekMode::kAfter : SeekMode::kAtLeast;
      ASSIGN_OR_RETURN(const bool found, FindEntry(trx_.core(), tree, upper_, mode, &end));
      bounds.upper = end;
      bounds.no_upper = !found;
    } else {
      bounds.no_upper = true;
    }
  }
  range_id_ = trx_.core().locks.LockGap(
      trx_.owner(), table_->definition().indexes[options_.index_no].id, bounds, range_id_);
  return Status::Ok();
}

Result<LockingCursor::Step> LockingCursor::SkipIfSame(const Candidate& candidate) {
  ASSIGN_OR_RETURN(Candidate again, Look());
  return again == candidate ? Step::kSkip : Step::kLookAgain;
}

Result<LockingCursor::Step> LockingCursor::LockCandidate(const Candidate& candidate) {
  may_unlock_entry_ = false;
  may_unlock_row_ = false;
  shown_.reset();
  if (candidate.ghost) {
    // Only a ghost whose fate is open matters.
    RowVersion newest;
    bool open = false;
    ASSIGN_OR_RETURN(bool exists, ReadNewestAndWriter(trx_.core(), *table_, candidate.clustered_key,
                                                      TrxId(0), &newest, &open));
    if (!open || newest.header.trx == trx_.id()) {
      if (exists) {
        RETURN_IF_ERROR(trx_.CheckUnchanged(newest.header.trx));
      }
      // Settled; but it may have been settled since the look, by coming back to life.
      confirmed_ = false;
      return SkipIfSame(candidate);
    }
    COVER("cursor_locking.waits_for_ghost");
  }
  if (secondary()) {
    ASSIGN_OR_RETURN(const Step step, LockCandidateEntry(candidate));
    if (step != Step::kEmit || locks_entry_alone()) {
      have_row_ = false;
      return step;
    }
  }
  return LockCandidateRow(candidate);
}

Result<LockingCursor::Step> LockingCursor::LockCandidateEntry(const Candidate& candidate) {
  EntryLockResult locked;
  RETURN_IF_ERROR(LockEntry(trx_, *table_, options_.index_no, candidate.own_key,
                            candidate.clustered_key, options_.lock, options_.wait, &locked));
  if (locked.outcome == LockOutcome::kSkipped) {
    return Step::kSkip;
  }
  entry_key_ = candidate.entry_key;
  if (locked.live) {
    may_unlock_entry_ = !trx_.locks_gaps() && locked.outcome != LockOutcome::kHeld;
    return Step::kEmit;
  }
  if (locked.outcome != LockOutcome::kHeld) {
    trx_.core().locks.UnlockRecord(trx_.owner(), index(), entry_key_);
  }
  return SkipIfSame(candidate);
}

Result<LockingCursor::Step> LockingCursor::LockCandidateRow(const Candidate& candidate) {
  clustered_key_ = candidate.clustered_key;
  const bool confirmed = std::exchange(confirmed_, false);
  const bool show = options_.semi_consistent && !secondary() && !trx_.locks_gaps() && !confirmed;
  RowLockResult locked;
  Status status = LockRow(trx_, *table_, candidate.clustered_key, options_.lock,
                          show ? WaitPolicy::kFail : options_.wait, &locked);
  if (show && status.Is(Code::kTimedOut)) {
    return ShowCommitted(candidate);
  }
  RETURN_IF_ERROR(std::move(status));
  if (locked.outcome == LockOutcome::kSkipped) {
    UnlockRow();
    return Step::kSkip;
  }
  may_unlock_row_ = !trx_.locks_gaps() && (confirmed || locked.outcome != LockOutcome::kHeld);
  const bool live = locked.exists && !locked.newest.header.deleted;
  if (live) {
    RETURN_IF_ERROR(LoadRow(trx_.core(), locked.newest.view(), &row_));
    have_row_ = true;
    if (secondary()) {
      RETURN_IF_ERROR(table_->layout().BuildKey(options_.index_no, row_, &built_key_));
    }
    if (!secondary() || built_key_.bytes == candidate.own_key) {
      return Step::kEmit;
    }
  }
  // Deleted, or its key has moved away, before the lock was ours.
  UnlockRow();
  return candidate.ghost || locked.waited ? SkipIfSame(candidate) : Result<Step>(Step::kSkip);
}

Result<LockingCursor::Step> LockingCursor::ShowCommitted(const Candidate& candidate) {
  COVER("cursor_locking.shows_committed");
  RowVersion version;
  ASSIGN_OR_RETURN(bool exists, ReadNewest(*table_, candidate.clustered_key, &version));
  if (!exists) {
    return Step::kLookAgain;
  }
  ASSIGN_OR_RETURN(exists, FindCommitted(trx_.core(), *table_, candidate.clustered_key, &version));
  if (!exists) {
    return Step::kSkip;
  }
  if (Status loaded = LoadRow(trx_.core(), version.view(), &row_); !loaded.ok()) {
    // Its off-page part may have gone with it; then the row has another version by now.
    RowVersion newest;
    ASSIGN_OR_RETURN(exists, ReadNewest(*table_, candidate.clustered_key, &newest));
    return exists && newest.SameAs(version) ? Result<Step>(std::move(loaded))
                                            : Result<Step>(Step::kLookAgain);
  }
  have_row_ = true;
  shown_ = std::move(version);
  return Step::kEmit;
}

Result<bool> LockingCursor::Confirm() {
  if (!shown_.has_value()) {
    return true;
  }
  const RowVersion shown = *std::exchange(shown_, std::nullopt);
  RowLockResult locked;
  Status status = LockRow(trx_, *table_, clustered_key_, options_.lock, options_.wait, &locked);
  if (!status.ok()) {
    return trx_.Fail(std::move(status));
  }
  may_unlock_row_ = locked.exists && locked.outcome != LockOutcome::kHeld;
  if (locked.exists && locked.newest.SameAs(shown)) {
    return true;
  }
  COVER("cursor_locking.shown_row_changed");
  confirmed_ = may_unlock_row_;
  may_unlock_row_ = false;
  position_ = position_before_;
  started_ = started_before_;
  done_ = false;
  return false;
}

Result<std::string_view> LockingCursor::row() {
  if (!have_row_) {
    RowLockResult locked;
    Status status =
        LockRow(trx_, *table_, clustered_key_, options_.lock, WaitPolicy::kWait, &locked);
    if (status.ok() && (!locked.exists || locked.newest.header.deleted)) {
      status = Status::Corruption("index entry without a row in " + table_->definition().name);
    }
    if (status.ok()) {
      status = LoadRow(trx_.core(), locked.newest.view(), &row_);
    }
    if (!status.ok()) {
      return trx_.Fail(std::move(status));
    }
    have_row_ = true;
  }
  return std::string_view(row_);
}

// The scan has come to its end: InnoDB has met the entry that follows, and locked it.
Status LockingCursor::LockBeyond() {
  if (!secondary() || !trx_.locks_gaps() || options_.beyond == BeyondRange::kGap ||
      (!options_.reverse && !has_upper_)) {
    return Status::Ok();
  }
  BTree& tree = table_->trees().tree(options_.index_no);
  std::string place = options_.reverse ? options_.range.lower : upper_;
  SeekMode mode = options_.reverse   ? SeekMode::kBefore
                  : upper_inclusive_ ? SeekMode::kAfter
                                     : SeekMode::kAtLeast;
  for (;;) {
    Candidate beyond;
    ASSIGN_OR_RETURN(beyond.found, FindEntry(trx_.core(), tree, place, mode, &beyond.entry_key));
    if (!beyond.found) {
      return Status::Ok();  // the gap that ends the range goes on to the end of the index
    }
    RETURN_IF_ERROR(LockGapUpTo(beyond));
    std::string value;
    Status status = tree.Get(beyond.entry_key, &value);
    if (status.Is(Code::kNotFound)) {
      continue;
    }
    RETURN_IF_ERROR(std::move(status));
    ASSIGN_OR_RETURN(SecondaryEntry entry, DecodeSecondary(beyond.entry_key, value));
    EntryLockResult locked;
    RETURN_IF_ERROR(LockEntry(trx_, *table_, options_.index_no, entry.key, entry.clustered_key,
                              options_.lock, options_.wait, &locked));
    if (locked.live && options_.beyond == BeyondRange::kRow) {
      RowLockResult row;
      RETURN_IF_ERROR(
          LockRow(trx_, *table_, entry.clustered_key, options_.lock, options_.wait, &row));
    }
    if (locked.live || locked.outcome == LockOutcome::kSkipped) {
      return Status::Ok();
    }
    if (locked.outcome != LockOutcome::kHeld) {
      trx_.core().locks.UnlockRecord(trx_.owner(), index(), beyond.entry_key);
    }
    place = std::move(beyond.entry_key);
    mode = options_.reverse ? SeekMode::kBefore : SeekMode::kAfter;
  }
}

Result<bool> LockingCursor::NextRow() {
  while (!done_) {
    ASSIGN_OR_RETURN(Candidate candidate, Look());
    const bool point_found = options_.unique_point && candidate.found && !candidate.ghost;
    if (trx_.locks_gaps() && !point_found) {
      RETURN_IF_ERROR(LockGapUpTo(candidate));
      ASSIGN_OR_RETURN(Candidate again, Look());
      if (!(again == candidate)) {
        COVER("cursor_locking.met_new_entry");
        continue;
      }
    }
    if (!candidate.found) {
      done_ = true;
      RETURN_IF_ERROR(LockBeyond());
      break;
    }
    ASSIGN_OR_RETURN(Step step, LockCandidate(candidate));
    if (step == Step::kLookAgain) {
      continue;
    }
    Advance(candidate);
    if (step == Step::kEmit) {
      key_ = std::move(candidate.own_key);
      clustered_key_ = std::move(candidate.clustered_key);
      done_ = options_.unique_point || IsLastPossible(clustered_key_);
      trx_.core().rows.read.fetch_add(1, std::memory_order_relaxed);
      return true;
    }
  }
  return false;
}

Result<bool> LockingCursor::Next() {
  RETURN_IF_ERROR(trx_.CheckUsable());
  Result<bool> moved = NextRow();
  if (!moved.ok()) {
    return trx_.Fail(std::move(moved).status());
  }
  return moved;
}

void LockingCursor::UnlockRow() {
  LockTable& locks = trx_.core().locks;
  if (std::exchange(may_unlock_row_, false)) {
    locks.UnlockRecord(trx_.owner(), clustered_index(), clustered_key_);
  }
  if (std::exchange(may_unlock_entry_, false)) {
    locks.UnlockRecord(trx_.owner(), index(), entry_key_);
  }
}

}  // namespace

Result<std::unique_ptr<Cursor>> MakeLockingCursor(EngineTransaction& transaction, TableRef table,
                                                  ScanOptions options) {
  return std::unique_ptr<Cursor>(
      std::make_unique<LockingCursor>(transaction, std::move(table), std::move(options)));
}

}  // namespace borealis::engine
