// The engine's Transaction: what rows, cursors and locks need of it, behind SQL's interface.
//
// Order at the end (INV-TRX-5): commit record into the log, leave the active set, release row and
// metadata locks, and when the volume says durable, leave the unseen set and answer.
#pragma once

#include <algorithm>
#include <memory>
#include <string>

#include "base/result.h"
#include "engine/core.h"
#include "engine/cursor.h"
#include "engine/transaction.h"
#include "engine/trx/history.h"
#include "engine/trx/instance_lock.h"

namespace borealis::engine {

class EngineTransaction final : public Transaction {
 public:
  EngineTransaction(Core* core, TransactionOptions options);
  ~EngineTransaction() override;

  // --- Transaction
  TransactionState state() const override { return state_.load(); }
  TrxId id() const override { return TrxId(owner_->trx_id.load()); }
  const TransactionOptions& options() const override { return options_; }
  uint64_t change_count() const override { return owner_->weight.load(); }
  Savepoint BeginStatement() override;
  void EndStatement() override;
  Savepoint SetSavepoint() const override;
  Status RollbackTo(Savepoint savepoint) override;
  Status AwaitWhatItMet() override;
  Status MakeReadView() override;
  void set_wait_timeouts_us(int64_t row_lock_us, int64_t metadata_us) override {
    options_.lock_wait_timeout_us = row_lock_us;
    options_.metadata_wait_timeout_us = metadata_us;
  }
  Status PassToCommit() override;
  void Commit(std::function<void(Status)> done) override;
  Status CommitAndWait() override;
  Status Rollback() override;
  void Abandon() override;
  void Join(std::shared_ptr<const UserLocks> locks) override;
  void Interrupt() override;
  void ClearInterrupt() override;
  Lsn commit_lsn() const override { return commit_lsn_; }

  // --- for the dictionary, rows and cursors
  int64_t metadata_wait_timeout_us() const {
    return options_.metadata_wait_timeout_us > 0 ? options_.metadata_wait_timeout_us
                                                 : core_->options.metadata_wait_timeout_us;
  }
  // Before a table is opened to change its rows: waits while a read lock on the instance is held.
  // Once a statement; not at all where LOCK TABLES has done it for the session.
  Status PassToChange();
  Core& core() const { return *core_; }
  LockOwner* owner() const { return owner_.get(); }
  LockOwner* metadata_owner() { return &metadata_owner_; }
  int64_t started_wall_us() const { return started_wall_us_; }
  // kDeadlock after this transaction was a victim, kCancelled once interrupted, kInvalidArgument
  // after its end.
  Status CheckUsable();
  // The snapshot for a consistent read; makes the view where one is due.
  Result<Snapshot> SnapshotForRead();
  // What was read through the view counts only if this is still Ok (INV-TRX-7).
  Status CheckView() const;
  // INV-TRX-9: kDeadlock when the newest version of a row that is being locked, `writer`'s, is none
  // that this transaction sees or has written.
  Status CheckUnchanged(TrxId writer) const {
    const bool checked = options_.snapshot_isolation &&
                         options_.isolation >= Isolation::kRepeatableRead && view_ != nullptr;
    return checked && writer != id() && !view_->Sees(writer)
               ? Status::Deadlock("row has been changed since the transaction's snapshot")
               : Status::Ok();
  }
  // Of a table whose trees may be younger than the view.
  Status CheckTableUsable(const Table& table, size_t index_no, const Snapshot& snapshot) const;
  // How this read locks, isolation level considered.
  LockMode EffectiveLock(LockMode asked) const;
  bool locks_gaps() const { return options_.isolation >= Isolation::kRepeatableRead; }
  LockWait row_wait(WaitPolicy policy) const;
  // Before the first change: id, undo log.
  Status StartChange();
  UndoLog* log() { return &changing_->log; }
  void NoteChange(uint64_t count = 1) {
    owner_->weight.fetch_add(count, std::memory_order_relaxed);
  }
  // A locking read has met a version of this transaction: views made from now on wait for it.
  void NoteMet(TrxId trx);
  // The same of any that has ended: of what an index entry shows, it is not known whose it is.
  void NoteMetLatest();
  // Undoes what a failed change of a row has done. As in InnoDB the place of a row that it had
  // inserted stays locked, which a savepoint's rollback does not do.
  Status TakeBack(Savepoint before) { return RollBackTo(before, locks_gaps()); }
  // Passes an error on; a deadlock victim is rolled back on the way.
  Status Fail(Status status);

 private:
  Status PassGate(InstanceGate gate);
  Status RollBackTo(Savepoint savepoint, bool lock_gaps);
  void CloseView();
  // Up to where the log has to be durable before this transaction reads through a new view or is
  // answered (INV-TRX-2, INV-TRX-8).
  Lsn MustBeDurable() const { return std::max(must_see_, Lsn(owner_->met_lsn.load())); }
  // Ends being listed among those that have begun.
  void Unlist();
  void LeaveToBackground();
  // Releases locks and view; the end of every transaction.
  void Finish(TransactionState state);

  Core* const core_;
  TransactionOptions options_;
  const int64_t started_wall_us_;
  std::atomic<TransactionState> state_{TransactionState::kIdle};
  std::shared_ptr<LockOwner> owner_;
  LockOwner metadata_owner_;
  std::shared_ptr<ChangingTransaction> changing_;  // null until the first change
  const ReadView* view_ = nullptr;
  Lsn must_see_;  // of the versions that locking reads have met
  Lsn awaited_;   // durable up to here, as far as this transaction knows
  Lsn commit_lsn_;
  bool was_victim_ = false;
  bool passed_changes_ = false;
  TransactionList::Link link_;
  bool listed_ = false;
};

// Undoes the log's records down to `to_records` (all: also the log itself), newest first. Row locks
// stay. `owner`, if set, goes on: it gets the row locks that undone changes implied, and with
// `lock_gaps` the places of rows that it had inserted.
Status UndoTo(Core& core, ChangingTransaction& transaction, uint64_t to_records, LockOwner* owner,
              bool lock_gaps);
// After UndoTo(…, 0): takes the log back and lets others see that the transaction is gone.
Status FinishRollback(Core& core, const std::shared_ptr<ChangingTransaction>& transaction);

}  // namespace borealis::engine
