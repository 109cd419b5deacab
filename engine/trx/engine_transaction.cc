#include "engine/trx/engine_transaction.h"

#include "base/fault.h"
#include "base/mysql_error.h"
#include "base/obs/log.h"
#include "engine/row/row_read.h"
#include "engine/row/row_undo.h"
#include "engine/table_trees.h"
#include "engine/user_locks.h"

namespace borealis::engine {

namespace {
// Changes that an abandoned transaction undoes itself: a few milliseconds' work.
constexpr uint64_t kAbandonLeast = 1000;
}  // namespace

EngineTransaction::EngineTransaction(Core* core, TransactionOptions options)
    : core_(core),
      options_(std::move(options)),
      started_wall_us_(core->clock->WallUs()),
      owner_(std::make_shared<LockOwner>(core->next_owner.fetch_add(1), options_.session_id,
                                         options_.killed)),
      metadata_owner_(owner_->id, options_.session_id, options_.killed) {
  owner_->statement = options_.statement;
  owner_->started_wall_us = started_wall_us_;
  if (options_.user_locks != nullptr) {
    core_->graph.Join(owner_->id, options_.user_locks->party());
  }
  if (options_.consistent_snapshot && options_.isolation == Isolation::kRepeatableRead) {
    CheckUsable().IgnoreError();   // it begins with this
    MakeReadView().IgnoreError();  // cannot fail: nothing has been met yet
  }
}

EngineTransaction::~EngineTransaction() {
  if (Status status = Rollback(); !status.ok()) {
    LOG_WARN("rollback of transaction {} is left to the background: {}", id().value(),
             status.ToString());
  }
  Unlist();
  if (options_.user_locks != nullptr) {
    core_->graph.Leave(owner_->id);
  }
}

void EngineTransaction::Join(std::shared_ptr<const UserLocks> locks) {
  core_->graph.Join(owner_->id, locks->party());
  options_.user_locks = std::move(locks);
}

// ---------------------------------------------------------------------------------------------
// Statements, savepoints, views

Status EngineTransaction::CheckUsable() {
  if (was_victim_) {
    return Status::Deadlock("transaction was chosen as deadlock victim");
  }
  if (state_ == TransactionState::kCommitted || state_ == TransactionState::kRolledBack) {
    return Status::InvalidArgument("transaction has ended");
  }
  if (core_->stopping.load(std::memory_order_relaxed) ||
      owner_->interrupted.load(std::memory_order_relaxed)) {
    return Status::Cancelled("interrupted");
  }
  if (state_ == TransactionState::kIdle) {
    state_ = TransactionState::kActive;
    link_ = {this, owner_->id};
    core_->begun.Add(&link_);
    listed_ = true;
  }
  return Status::Ok();
}

Savepoint EngineTransaction::BeginStatement() {
  if (options_.isolation <= Isolation::kReadCommitted) {
    CloseView();
  }
  return SetSavepoint();
}

void EngineTransaction::EndStatement() {
  if (std::exchange(passed_changes_, false)) {
    LeaveGate(core_, &metadata_owner_, InstanceGate::kChanges);
  }
}

Status EngineTransaction::PassToChange() {
  if (passed_changes_ || (options_.table_locks != nullptr && options_.table_locks->for_writing())) {
    return Status::Ok();
  }
  RETURN_IF_ERROR(PassGate(InstanceGate::kChanges));
  passed_changes_ = true;
  return Status::Ok();
}

Status EngineTransaction::PassToCommit() {
  return changing_ == nullptr ? Status::Ok() : PassGate(InstanceGate::kCommits);
}

Status EngineTransaction::PassGate(InstanceGate gate) {
  return Fail(engine::PassGate(core_, &metadata_owner_, gate, metadata_wait_timeout_us()));
}

Savepoint EngineTransaction::SetSavepoint() const {
  return {changing_ == nullptr ? 0 : changing_->log.records};
}

Status EngineTransaction::RollbackTo(Savepoint savepoint) {
  return RollBackTo(savepoint, /*lock_gaps=*/false);
}

Status EngineTransaction::RollBackTo(Savepoint savepoint, bool lock_gaps) {
  if (changing_ == nullptr || state_ != TransactionState::kActive ||
      changing_->log.records <= savepoint.undo_count) {
    return Status::Ok();
  }
  Status undone = UndoTo(*core_, *changing_, savepoint.undo_count, owner_.get(), lock_gaps);
  if (!undone.ok()) {
    // Half of it is undone, which nobody may commit: all of it has to go, here or in background.
    Rollback().IgnoreError();
  }
  return undone;
}

Status EngineTransaction::AwaitWhatItMet() {
  const Lsn met = MustBeDurable();
  if (met > awaited_) {
    RETURN_IF_ERROR(core_->store->volume()->WaitDurable(met));
    awaited_ = met;
  }
  return Status::Ok();
}

Status EngineTransaction::MakeReadView() {
  if (view_ == nullptr) {
    RETURN_IF_ERROR(AwaitWhatItMet());
    view_ = core_->transactions->OpenView();
  }
  return Status::Ok();
}

void EngineTransaction::CloseView() {
  if (view_ != nullptr) {
    core_->transactions->CloseView(std::exchange(view_, nullptr));
  }
}

Result<Snapshot> EngineTransaction::SnapshotForRead() {
  if (options_.isolation == Isolation::kReadUncommitted && !core_->store->is_replica()) {
    return Snapshot{nullptr, id()};
  }
  RETURN_IF_ERROR(MakeReadView());
  RETURN_IF_ERROR(CheckView());
  return Snapshot{view_, id()};
}

Status EngineTransaction::CheckView() const {
  if (view_ != nullptr && core_->transactions->IsVoid(*view_)) {
    COVER("engine_transaction.view_is_void");
    return UserError(ER_TABLE_DEF_CHANGED);
  }
  return Status::Ok();
}

Status EngineTransaction::CheckTableUsable(const Table& table, size_t index_no,
                                           const Snapshot& snapshot) const {
  if (snapshot.view != nullptr &&
      (snapshot.view->low_limit.value() < table.trees().usable_from(index_no) ||
       snapshot.view->lsn < table.trees().usable_from_lsn())) {
    return UserError(ER_TABLE_DEF_CHANGED);
  }
  return Status::Ok();
}

LockMode EngineTransaction::EffectiveLock(LockMode asked) const {
  if (asked == LockMode::kNone && options_.isolation == Isolation::kSerializable &&
      !options_.autocommit && !core_->store->is_replica()) {
    return LockMode::kShared;
  }
  return asked;
}

LockWait EngineTransaction::row_wait(WaitPolicy policy) const {
  return {policy, options_.lock_wait_timeout_us > 0 ? options_.lock_wait_timeout_us
                                                    : core_->options.lock_wait_timeout_us};
}

void EngineTransaction::NoteMet(TrxId trx) {
  must_see_ = std::max(must_see_, core_->transactions->PendingCommitLsn(trx));
}

void EngineTransaction::NoteMetLatest() {
  must_see_ = std::max(must_see_, core_->transactions->LatestPendingCommitLsn());
}

Status EngineTransaction::StartChange() {
  RETURN_IF_ERROR(CheckUsable());
  if (changing_ != nullptr) {
    return Status::Ok();
  }
  if (core_->store->is_replica()) {
    return UserError(ER_READ_ONLY_MODE);
  }
  if (options_.read_only) {
    return UserError(ER_CANT_EXECUTE_IN_READ_ONLY_TRANSACTION);
  }
  auto changing = std::make_shared<ChangingTransaction>(owner_);
  changing->started_wall_us = started_wall_us_;
  RETURN_IF_ERROR(core_->undo.Acquire(&changing->log));
  Status numbers = core_->transactions->EnsureNumbers();
  if (!numbers.ok()) {
    core_->undo.Release(&changing->log);
    return numbers;
  }
  core_->transactions->Activate(changing);
  changing_ = std::move(changing);
  return Status::Ok();
}

Status EngineTransaction::Fail(Status status) {
  if (status.Is(Code::kDeadlock) && !was_victim_) {
    if (Status undone = Rollback(); !undone.ok()) {
      LOG_WARN("rollback of deadlock victim {}: {}", id().value(), undone.ToString());
    }
    was_victim_ = true;
  }
  return status;
}

// ---------------------------------------------------------------------------------------------
// The end

void EngineTransaction::Unlist() {
  if (std::exchange(listed_, false)) {
    core_->begun.Remove(&link_);
  }
}

void EngineTransaction::Finish(TransactionState state) {
  CloseView();
  Unlist();
  state_ = state;
  passed_changes_ = false;  // goes with the other metadata locks
  const Lsn ended_at = std::max(commit_lsn_, MustBeDurable());
  core_->locks.ReleaseAll(owner_.get(), ended_at);
  core_->metadata.ReleaseAll(&metadata_owner_, ended_at);
}

void EngineTransaction::Commit(std::function<void(Status)> done) {
  if (was_victim_ || state_ == TransactionState::kRolledBack) {
    done(was_victim_ ? Status::Deadlock("transaction was chosen as deadlock victim")
                     : Status::InvalidArgument("transaction was rolled back"));
    return;
  }
  Volume* volume = core_->store->volume();
  if (changing_ == nullptr || !changing_->log.begun) {
    if (changing_ != nullptr) {
      // It got an id and then changed nothing.
      core_->transactions->LeaveActive(changing_->id, Lsn(0));
      core_->undo.Release(&changing_->log);
      changing_ = nullptr;
    }
    Finish(TransactionState::kCommitted);
    if (const Lsn lsn = MustBeDurable(); lsn != Lsn(0) && volume != nullptr) {
      volume->WhenDurable(lsn, std::move(done));
    } else {
      done(Status::Ok());
    }
    return;
  }
  const TrxId trx = changing_->id;
  const Status room = core_->transactions->EnsureNumbers();
  uint64_t number = 0;
  bool kept = false;
  Status status = room;
  if (status.ok()) {
    Mtr mtr(core_->store);
    status = mtr.StartWriting();
    if (status.ok()) {
      number = core_->transactions->BeginCommit(trx);
      status = core_->undo.Commit(&mtr, &changing_->log, number, &kept);
    }
    if (status.ok()) {
      char mark[2 * sizeof(uint64_t)];
      StoreLittle(mark, trx.value());
      StoreLittle(mark + sizeof(uint64_t), number);
      mtr.Mark(RecordKind::kTrxCommit, {mark, sizeof mark});
      commit_lsn_ = mtr.Commit();
    }
  }
  if (!status.ok()) {
    // Nothing of the commit is in the log: the transaction goes on, and can only be rolled back.
    if (number != 0) {
      core_->transactions->AbandonEnd(trx, number);
    }
    done(std::move(status));
    return;
  }
  CRASH_POINT("transaction.commit_in_log");
  core_->transactions->LeaveActive(trx, commit_lsn_);
  if (kept) {
    core_->history->Add(number, commit_lsn_);
  }
  core_->undo.Release(&changing_->log);
  changing_ = nullptr;
  core_->rows.commits.fetch_add(1, std::memory_order_relaxed);
  Finish(TransactionState::kCommitted);
  volume->WhenDurable(commit_lsn_, [transactions = core_->transactions, trx, number,
                                    done = std::move(done)](Status durable) {
    if (durable.ok()) {
      transactions->BecomeDurable(trx, number);
    }
    done(std::move(durable));
  });
}

Status EngineTransaction::CommitAndWait() {
  // It stays here until `done` has been called, and that has let go of the mutex.
  struct Outcome {
    Mutex mutex{LockRank::kLeaf};
    ConditionVariable changed;
    bool done GUARDED_BY(mutex) = false;
    Status status GUARDED_BY(mutex);
  } outcome;
  Commit([&outcome](Status status) {
    MutexLock lock(outcome.mutex);
    outcome.status = std::move(status);
    outcome.done = true;
    outcome.changed.NotifyAll();
  });
  MutexLock lock(outcome.mutex);
  while (!outcome.done) {
    outcome.changed.Wait(outcome.mutex);
  }
  return std::move(outcome.status);
}

Status EngineTransaction::Rollback() {
  if (state_ == TransactionState::kCommitted || state_ == TransactionState::kRolledBack) {
    return Status::Ok();
  }
  Status status;
  if (changing_ != nullptr) {
    core_->rows.rollbacks.fetch_add(1, std::memory_order_relaxed);
    status = UndoTo(*core_, *changing_, 0, nullptr, /*lock_gaps=*/false);
    if (status.ok()) {
      status = FinishRollback(*core_, changing_);
    }
    if (!status.ok()) {
      // Somebody else finishes it; it keeps its id, so its changes stay invisible and locked.
      core_->transactions->Orphan(changing_);
    }
    changing_ = nullptr;
  }
  if (status.ok()) {
    Finish(TransactionState::kRolledBack);
  } else {
    LeaveToBackground();
  }
  return status;
}

void EngineTransaction::Abandon() {
  if (changing_ == nullptr || changing_->log.records < kAbandonLeast) {
    Rollback().IgnoreError();  // when it fails it is the background's as well
    return;
  }
  COVER("engine_transaction.abandoned");
  core_->rows.rollbacks.fetch_add(1, std::memory_order_relaxed);
  core_->transactions->Orphan(std::exchange(changing_, nullptr));
  LeaveToBackground();
}

// Row locks stay with the orphan; its owner lives on with it.
void EngineTransaction::LeaveToBackground() {
  CloseView();
  Unlist();
  state_ = TransactionState::kRolledBack;
  core_->metadata.ReleaseAll(&metadata_owner_);
}

void EngineTransaction::Interrupt() {
  owner_->Interrupt();
  metadata_owner_.Interrupt();
}

void EngineTransaction::ClearInterrupt() {
  owner_->interrupted.store(false);
  metadata_owner_.interrupted.store(false);
}

// ---------------------------------------------------------------------------------------------
// Undoing

namespace {

// An undone insert leaves its place locked, up to the rows on both sides.
Status LockPlace(Core& core, LockOwner* owner, const UndoRecord& record) {
  ASSIGN_OR_RETURN(TableRef table, core.dictionary.FindByClusteredIndex(record.clustered_index));
  if (table == nullptr) {
    return Status::Ok();
  }
  TreePin pin(table->trees());
  if (!pin.held()) {
    return Status::Ok();
  }
  return LockGapAround(core, owner, *table, kClusteredIndex,
                       {record.clustered_key, true, record.clustered_key, true, false});
}

// What lists of transactions show: after recovery it is not known how much is left.
void NoteProgress(ChangingTransaction& transaction) {
  transaction.undone.fetch_add(1, std::memory_order_relaxed);
  if (!transaction.recovered) {
    transaction.owner->weight.store(transaction.log.records, std::memory_order_relaxed);
  }
}

}  // namespace

Status UndoTo(Core& core, ChangingTransaction& transaction, uint64_t to_records, LockOwner* owner,
              bool lock_gaps) {
  UndoLog& log = transaction.log;
  std::string body;
  UndoPosition position;
  const bool in_background = transaction.recovered || transaction.orphaned;
  while (in_background || log.records > to_records) {
    if (in_background && core.stopping.load(std::memory_order_relaxed)) {
      return Status::Cancelled("the engine stops; the next opener goes on");
    }
    ASSIGN_OR_RETURN(bool found, core.undo.ReadLast(&log, &body, &position));
    if (!found) {
      break;
    }
    ASSIGN_OR_RETURN(UndoRecord record, ParseUndo(body));
    if (owner != nullptr && record.type == UndoType::kChange) {
      // The row stays locked, but its header will no longer say by whom.
      core.locks.GrantImplicitAlone(owner, record.clustered_index, record.clustered_key);
    }
    if (lock_gaps && record.type == UndoType::kInsert) {
      RETURN_IF_ERROR(LockPlace(core, owner, record));
    }
    RETURN_IF_ERROR(UndoChange(core, transaction.id, owner, record, position, &log));
    if (in_background) {
      NoteProgress(transaction);
    }
    if (owner != nullptr && record.type == UndoType::kInsert) {
      // The row is gone, and those who waited for it need not wait on.
      core.locks.UnlockRecord(owner, record.clustered_index, record.clustered_key);
    }
  }
  return Status::Ok();
}

Status FinishRollback(Core& core, const std::shared_ptr<ChangingTransaction>& transaction) {
  Lsn end;
  if (transaction->log.begun) {
    Mtr mtr(core.store);
    RETURN_IF_ERROR(mtr.StartWriting());
    core.transactions->BeginRollbackMark(transaction->id);
    if (Status erased = core.undo.Erase(&mtr, &transaction->log); !erased.ok()) {
      core.transactions->AbandonEnd(transaction->id, 0);
      return erased;
    }
    std::string mark;
    AppendLittle(&mark, transaction->id.value());
    mtr.Mark(RecordKind::kTrxRollback, mark);
    end = mtr.Commit();
  }
  core.transactions->LeaveActive(transaction->id, end);
  core.undo.Release(&transaction->log);
  if (end == Lsn(0)) {
    return Status::Ok();
  }
  const TrxId id = transaction->id;
  core.store->volume()->WhenDurable(end, [transactions = core.transactions, id](Status durable) {
    if (durable.ok()) {
      transactions->BecomeDurable(id);
    }
  });
  return Status::Ok();
}

}  // namespace borealis::engine
