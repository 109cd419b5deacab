// Transactions of a session: BEGIN, COMMIT, savepoints, autocommit, and statements' own.
#include "base/mysql_error.h"
#include "engine/engine.h"
#include "sql/ast/admin.h"
#include "sql/catalog/temporary_tables.h"
#include "sql/session/session_internal.h"

namespace borealis::sql {
namespace {

engine::Isolation EngineIsolation(IsolationLevel level) {
  switch (level) {
    case IsolationLevel::kReadUncommitted:
      return engine::Isolation::kReadUncommitted;
    case IsolationLevel::kReadCommitted:
      return engine::Isolation::kReadCommitted;
    case IsolationLevel::kRepeatableRead:
      return engine::Isolation::kRepeatableRead;
    case IsolationLevel::kSerializable:
      return engine::Isolation::kSerializable;
  }
  return engine::Isolation::kRepeatableRead;
}

int64_t MicrosecondsOf(uint64_t seconds) {
  return static_cast<int64_t>(seconds) * 1'000'000;
}

}  // namespace

std::unique_ptr<engine::Transaction> Session::BeginEngineTransaction(bool autocommit,
                                                                     bool read_only,
                                                                     bool snapshot) {
  engine::TransactionOptions options;
  options.isolation = EngineIsolation(next_isolation_.value_or(settings_.isolation));
  options.read_only = read_only;
  options.consistent_snapshot = snapshot;
  options.autocommit = autocommit;
  options.lock_wait_timeout_us = MicrosecondsOf(settings_.row_lock_wait_timeout_s);
  options.metadata_wait_timeout_us = MicrosecondsOf(settings_.metadata_lock_wait_timeout_s);
  options.killed = [this] { return interrupted(); };
  options.statement = [this] { return std::string(running_text_); };
  options.session_id = identity_.connection_id;
  options.table_locks = table_locks_;
  options.user_locks = user_locks_;
  options.snapshot_isolation = settings_.innodb_snapshot_isolation;
  next_isolation_.reset();
  return environment_.engine->Begin(std::move(options));
}

Result<engine::Transaction*> Session::EnterTransaction() {
  if (transaction_ == nullptr) {
    bool autocommit = settings_.autocommit;
    bool read_only = next_read_only_.value_or(settings_.transaction_read_only) ||
                     environment_.engine->is_replica();
    next_read_only_.reset();
    transaction_ = BeginEngineTransaction(autocommit, read_only, false);
    transaction_read_only_ = read_only;
    explicit_transaction_ = !autocommit;
  } else {
    transaction_->set_wait_timeouts_us(MicrosecondsOf(settings_.row_lock_wait_timeout_s),
                                       MicrosecondsOf(settings_.metadata_lock_wait_timeout_s));
  }
  return transaction_.get();
}

// The companion has ended before, or is undone now as the engine has undone the transaction.
void Session::ForgetTransaction() {
  if (temporary_ != nullptr) {
    temporary_->Rollback().IgnoreError();  // who uses a table next hears of it
  }
  transaction_.reset();
  explicit_transaction_ = false;
  transaction_read_only_ = false;
  savepoints_.clear();
  created_temporary_ = false;
  dropped_temporary_ = false;
}

Status Session::RollbackAll() {
  if (transaction_ == nullptr) {
    return {};
  }
  Status status = transaction_->Rollback();
  Status temporary = temporary_ != nullptr ? temporary_->Rollback() : Status::Ok();
  ForgetTransaction();
  return status.ok() ? temporary : status;
}

void Session::AbandonAll() {
  if (transaction_ != nullptr) {
    transaction_->Abandon();
    ForgetTransaction();
  }
}

Status Session::RollbackFailed() {
  if (connection_killed()) {
    AbandonAll();
    return {};
  }
  return RollbackAll();
}

engine::UserLocks& Session::user_locks() {
  if (user_locks_ == nullptr) {
    user_locks_ = environment_.engine->MakeUserLocks(identity_.connection_id,
                                                     [this] { return interrupted(); });
    if (transaction_ != nullptr) {
      transaction_->Join(user_locks_);
    }
  }
  return *user_locks_;
}

Status Session::LeaveTransaction(Status status, bool changes) {
  if (transaction_ == nullptr) {
    return status;
  }
  if (transaction_->state() == engine::TransactionState::kRolledBack) {
    ForgetTransaction();  // a deadlock's victim
    return status;
  }
  transaction_->EndStatement();
  if (explicit_transaction_ || !status.ok()) {
    // The answer tells of what the statement has met, be it by a duplicate key.
    Status durable = transaction_->AwaitWhatItMet();
    status = durable.ok() ? std::move(status) : std::move(durable);
  }
  if (explicit_transaction_) {
    return status;
  }
  // The statement's own transaction. A successful change is committed by the caller.
  if (!status.ok()) {
    Status undone = RollbackFailed();
    return undone.ok() ? std::move(status) : std::move(undone);
  }
  if (!changes) {
    Status temporary = CommitTemporary();
    Status ended = transaction_->CommitAndWait();
    ForgetTransaction();
    return temporary.ok() ? ended : temporary;
  }
  return status;
}

Status Session::CommitTemporary() {
  created_temporary_ = false;
  dropped_temporary_ = false;
  return temporary_ != nullptr ? temporary_->Commit() : Status::Ok();
}

Status Session::ImplicitCommit() {
  RETURN_IF_ERROR(PassToCommit());
  RETURN_IF_ERROR(CommitTemporary());
  if (transaction_ == nullptr) {
    return {};
  }
  Status status = transaction_->CommitAndWait();
  ForgetTransaction();
  return status;
}

Status Session::PassToCommit() {
  if (transaction_ == nullptr) {
    return {};
  }
  Status passed = transaction_->PassToCommit();
  if (!passed.ok()) {  // as in MySQL nothing is left of the transaction then
    RETURN_IF_ERROR(RollbackFailed());
  }
  return passed;
}

Status Session::CheckReadLock() const {
  return read_lock_ == nullptr ? Status::Ok() : UserError(ER_CANT_UPDATE_WITH_READLOCK);
}

Status Session::RunTransactionStatement(const Stmt& statement) {
  switch (statement.kind) {
    case StmtKind::kStartTransaction: {
      const auto& start = statement.As<StartTransactionStmt>();
      RETURN_IF_ERROR(ImplicitCommit());
      table_locks_ = nullptr;
      if (start.read_only.has_value() && !*start.read_only && environment_.server != nullptr &&
          environment_.server->read_only()) {
        return UserError(ER_OPTION_PREVENTS_STATEMENT, "--read-only");
      }
      bool read_only =
          start.read_only.value_or(next_read_only_.value_or(settings_.transaction_read_only)) ||
          environment_.engine->is_replica();
      next_read_only_.reset();
      transaction_ = BeginEngineTransaction(false, read_only, start.consistent_snapshot);
      transaction_read_only_ = read_only;
      if (start.consistent_snapshot &&
          transaction_->options().isolation != engine::Isolation::kRepeatableRead) {
        diagnostics_.AddWarning(row::WarningLevel::kWarning, 138,
                                "InnoDB: WITH CONSISTENT SNAPSHOT was ignored because this phrase "
                                "can only be used with REPEATABLE READ isolation level.");
      }
      explicit_transaction_ = true;
      return {};
    }
    case StmtKind::kCommit: {
      const auto& commit = statement.As<CommitStmt>();
      RETURN_IF_ERROR(PassToCommit());
      release_ = commit.release == Completion::kYes;
      chain_ = commit.chain == Completion::kYes && transaction_ != nullptr;
      commit_after_ = transaction_ != nullptr;
      return CommitTemporary();
    }
    case StmtKind::kRollback: {
      const auto& rollback = statement.As<RollbackStmt>();
      if (!rollback.savepoint.empty()) {
        std::string name = FoldName(rollback.savepoint);
        for (size_t i = savepoints_.size(); i-- > 0;) {
          if (savepoints_[i].name == name) {
            savepoints_.resize(i + 1);
            WarnOfTemporary();
            RETURN_IF_ERROR(transaction_->RollbackTo(savepoints_[i].point));
            return temporary_ != nullptr ? temporary_->RollbackTo(savepoints_[i].temporary)
                                         : Status::Ok();
          }
        }
        return UserError(ER_SP_DOES_NOT_EXIST, "SAVEPOINT", rollback.savepoint);
      }
      release_ = rollback.release == Completion::kYes;
      bool chain = rollback.chain == Completion::kYes && transaction_ != nullptr;
      bool read_only = transaction_read_only_;
      WarnOfTemporary();
      RETURN_IF_ERROR(RollbackAll());
      created_temporary_ = false;  // with autocommit off, there need not have been a transaction
      dropped_temporary_ = false;
      if (chain) {
        transaction_ = BeginEngineTransaction(false, read_only, false);
        transaction_read_only_ = read_only;
        explicit_transaction_ = true;
      }
      return {};
    }
    case StmtKind::kSavepoint: {
      if (transaction_ == nullptr && settings_.autocommit) {
        return {};  // of a transaction that is over with the statement
      }
      RETURN_IF_ERROR(EnterTransaction().status());
      std::string name = FoldName(statement.As<SavepointStmt>().name);
      std::erase_if(savepoints_, [&](const NamedSavepoint& s) { return s.name == name; });
      savepoints_.push_back(
          {std::move(name), transaction_->SetSavepoint(),
           temporary_ != nullptr ? temporary_->SetSavepoint() : engine::Savepoint()});
      return {};
    }
    case StmtKind::kReleaseSavepoint: {
      const auto& release = statement.As<ReleaseSavepointStmt>();
      std::string name = FoldName(release.name);
      for (size_t i = savepoints_.size(); i-- > 0;) {
        if (savepoints_[i].name == name) {
          savepoints_.resize(i);
          return {};
        }
      }
      return UserError(ER_SP_DOES_NOT_EXIST, "SAVEPOINT", release.name);
    }
    default:
      return UserError(ER_NOT_SUPPORTED_YET, "XA transactions");
  }
}

}  // namespace borealis::sql
