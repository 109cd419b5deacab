// Executing a statement: from text to outcome, and the parking of commits.
#include <algorithm>
#include <tuple>
#include <utility>

#include "base/mysql_error.h"
#include "sql/ast/admin.h"
#include "sql/ast/ddl.h"
#include "sql/catalog/temporary_tables.h"
#include "sql/parser/client_statement.h"
#include "sql/session/hints.h"
#include "sql/session/session_internal.h"

namespace borealis::sql {

StatementClass StatementClassOf(StmtKind kind) {
  switch (kind) {
    case StmtKind::kSelect:
      return StatementClass::kQuery;
    case StmtKind::kInsert:
    case StmtKind::kUpdate:
    case StmtKind::kDelete:
    case StmtKind::kLoadData:
      return StatementClass::kChange;
    case StmtKind::kCreateDatabase:
    case StmtKind::kAlterDatabase:
    case StmtKind::kDropDatabase:
    case StmtKind::kCreateTable:
    case StmtKind::kAlterTable:
    case StmtKind::kDropTable:
    case StmtKind::kTruncate:
    case StmtKind::kRenameTable:
    case StmtKind::kCreateIndex:
    case StmtKind::kDropIndex:
    case StmtKind::kCreateView:
    case StmtKind::kDropView:
    case StmtKind::kDropProgram:
    case StmtKind::kCreateTrigger:
    case StmtKind::kDropTrigger:
    case StmtKind::kTableMaintenance:
    case StmtKind::kCreateUser:
    case StmtKind::kAlterUser:
    case StmtKind::kDropUser:
    case StmtKind::kRenameUser:
    case StmtKind::kCreateRole:
    case StmtKind::kDropRole:
    case StmtKind::kGrant:
    case StmtKind::kRevoke:
    case StmtKind::kSetDefaultRole:
      return StatementClass::kDefine;
    case StmtKind::kStartTransaction:
    case StmtKind::kCommit:
    case StmtKind::kRollback:
    case StmtKind::kSavepoint:
    case StmtKind::kReleaseSavepoint:
    case StmtKind::kXa:
      return StatementClass::kTransaction;
    case StmtKind::kPrepare:
    case StmtKind::kExecute:
    case StmtKind::kDeallocate:
      return StatementClass::kPrepared;
    default:
      return StatementClass::kOther;
  }
}

namespace {

// A statement that has several errors to tell has told the one that ends it before the others.
// RESIGNAL keeps those of the statement before.
bool HasTold(const Diagnostics& diagnostics, const Condition& error) {
  return error.mysql_errno != ER_RESIGNAL_WITHOUT_ACTIVE_HANDLER &&
         std::ranges::any_of(diagnostics.conditions(), [&](const Condition& told) {
           return told.level == row::WarningLevel::kError &&
                  told.mysql_errno == error.mysql_errno && told.message == error.message;
         });
}

StatementKind CountedAs(StmtKind kind) {
  switch (kind) {
    case StmtKind::kInsert:
      return StatementKind::kInsert;
    case StmtKind::kUpdate:
      return StatementKind::kUpdate;
    case StmtKind::kDelete:
      return StatementKind::kDelete;
    default:
      break;
  }
  switch (StatementClassOf(kind)) {
    case StatementClass::kQuery:
      return StatementKind::kSelect;
    case StatementClass::kDefine:
      return StatementKind::kDefine;
    case StatementClass::kTransaction:
      return StatementKind::kTransaction;
    default:
      return StatementKind::kOther;
  }
}

// Temporary tables concern the session alone: making and dropping them commits nothing and needs no
// writer.
bool IsAboutTemporary(const Stmt& statement) {
  const auto* drop = statement.TryAs<DropTableStmt>();
  const auto* create = statement.TryAs<CreateTableStmt>();
  return (drop != nullptr && drop->temporary) || (create != nullptr && create->temporary);
}

// Statements that report diagnostics must not clear them.
bool ReadsDiagnostics(const Stmt& statement) {
  const auto* signal = statement.TryAs<SignalStmt>();
  if (statement.kind == StmtKind::kGetDiagnostics || (signal != nullptr && signal->resignal)) {
    return true;
  }
  const auto* show = statement.TryAs<ShowStmt>();
  return show != nullptr &&
         (show->show == ShowKind::kWarnings || show->show == ShowKind::kErrors ||
          show->show == ShowKind::kCountWarnings || show->show == ShowKind::kCountErrors);
}

// What a session whose transactions are READ ONLY refuses; temporary tables are no exception.
bool WritesDictionary(const Stmt& statement) {
  if (const auto* maintenance = statement.TryAs<TableMaintenanceStmt>()) {
    return maintenance->verb == TableMaintenanceStmt::Verb::kOptimize;
  }
  return statement.kind != StmtKind::kSetDefaultRole;
}

}  // namespace

uint16_t Session::StatusFlags() const {
  uint16_t flags = 0;
  if (in_transaction()) {
    flags |= kStatusInTransaction;
    if (transaction_read_only_) {
      flags |= kStatusInReadOnlyTransaction;
    }
  }
  if (settings_.autocommit) {
    flags |= kStatusAutocommit;
  }
  if ((settings_.sql_mode & row::kModeNoBackslashEscapes) != 0) {
    flags |= kStatusNoBackslashEscapes;
  }
  if (more_results_) {
    flags |= kStatusMoreResults;
  }
  if (!changes_.empty()) {
    flags |= kStatusSessionStateChanged;
  }
  return flags;
}

Result<std::unique_ptr<CachedStatement>> Session::ParseText(std::string_view text) {
  auto statement = std::make_unique<CachedStatement>();
  ASSIGN_OR_RETURN(statement->parsed,
                   ParseFromClient(text, parser_options(), settings_.character_set_client));
  statement->text = std::string(text.substr(0, statement->parsed.end));
  statement->generation = settings_.generation;
  return statement;
}

ExecuteResult Session::Execute(std::string_view text, ResultSink& sink, Resume resume) {
  ExecuteResult result;
  result.next = text.size();
  more_results_ = false;
  CachedStatement* cached = cache_->Find(text, settings_.generation);
  if (cached != nullptr) {
    result.state = Run(cached, {}, sink, std::move(resume)).state;
    return result;
  }
  Result<std::unique_ptr<CachedStatement>> parsed = ParseText(text);
  Status problem;
  if (!parsed.ok()) {
    problem = std::move(parsed).status();
  } else if ((*parsed)->parsed.statement == nullptr) {
    const size_t end = (*parsed)->parsed.consumed;
    problem = UserError(ER_EMPTY_QUERY);
    if (text.find_first_not_of(kSpaceAndSemicolon, end) != std::string_view::npos) {
      problem = NoSecondStatement(text, end - 1);  // `; SELECT 2`
    } else if (text.find_first_not_of(kSpaceAndSemicolon) != std::string_view::npos) {
      // Nothing but comments: a statement that does nothing. Clients send those of a dump.
      diagnostics_.Clear();
      changes_.clear();
      row_count_ = 0;
      OkInfo ok;
      ok.status |= StatusFlags();
      sink.OnDone(ok);
      return result;
    }
  } else if ((*parsed)->parsed.parameter_count != 0) {
    const ParsedStatement& statement = (*parsed)->parsed;
    problem = UserError(ER_PARSE_ERROR, text.substr(statement.parameter_positions[0], 80), 1);
  }
  if (!problem.ok()) {
    diagnostics_.Clear();
    diagnostics_.AddError(problem);
    row_count_ = -1;
    sink.OnError(problem, StatusFlags());
    return result;
  }
  std::unique_ptr<CachedStatement> statement = std::move(parsed).value();
  size_t consumed = statement->parsed.consumed;
  more_results_ = AnotherFollows(text, consumed, parser_options());
  if (more_results_ && !multi_statements_) {
    more_results_ = false;
    Status refused = NoSecondStatement(text, consumed);
    diagnostics_.Clear();
    diagnostics_.AddError(refused);
    row_count_ = -1;
    NoteFailure();
    sink.OnError(refused, StatusFlags());
    return result;
  }
  CachedStatement* run = statement.get();
  if (consumed >= text.size() && text.size() <= StatementCache::kMaxText &&
      run->parsed.statement->kind == StmtKind::kSelect && run->text == text) {
    run = cache_->Add(std::move(statement));
  }
  bool more = more_results_;
  uint64_t errors_before = statements_failed_;
  result.state = Run(run, {}, sink, std::move(resume)).state;
  result.next = more && errors_before == statements_failed_ ? consumed : text.size();
  return result;
}

void Session::StartStatement(const Stmt& statement) {
  int statement_kill = 1;
  killed_.compare_exchange_strong(statement_kill, 0);
  changes_.clear();
  commit_after_ = false;
  chain_ = false;
  statement_time_us_ = settings_.fixed_timestamp_us != 0 ? settings_.fixed_timestamp_us
                                                         : environment_.clock->WallUs();
  statement_started_us_ = environment_.clock->NowUs();
  if (!ReadsDiagnostics(statement)) {
    diagnostics_.Clear();
    diagnostics_.set_limit(settings_.max_error_count);
    diagnostics_.set_keep_notes(settings_.sql_notes);
  }
  const Stmt* timed = &statement;
  if (const auto* execute = statement.TryAs<ExecuteStmt>()) {
    const auto found = named_prepared_.find(FoldName(execute->name));
    timed = found != named_prepared_.end() ? found->second->parsed.statement.get() : timed;
  }
  uint64_t limit_ms = ExecutionTimeHint(*timed, &diagnostics_);
  if (limit_ms == 0 && timed->kind == StmtKind::kSelect) {
    limit_ms = settings_.max_execution_time_ms;
  }
  deadline_us_ = limit_ms == 0 ? 0 : statement_started_us_ + static_cast<int64_t>(limit_ms) * 1000;
  context_->Refresh();
}

ExecuteResult Session::Run(CachedStatement* statement, std::span<const TypedValue> parameters,
                           ResultSink& sink, Resume resume) {
  StartStatement(*statement->parsed.statement);
  if (environment_.counters != nullptr) {
    environment_.counters->Count(CountedAs(statement->parsed.statement->kind));
  }
  Count(CommandOf(*statement->parsed.statement));
  if (!statement->prepared) {
    WarnOfSyntax(statement->parsed, &diagnostics_);
  }
  OkInfo ok;
  Status status = CheckInterrupt();
  if (status.ok()) {
    status = RefreshSecurity();
  }
  if (status.ok() && password_expired_) {
    status = CheckPasswordChange(*statement->parsed.statement);
  }
  if (status.ok()) {
    const std::string_view outer = std::exchange(running_text_, statement->text);
    status = Dispatch(statement, parameters, sink, &ok);
    running_text_ = outer;
  }
  return Deliver(std::move(status), std::move(ok), sink, std::move(resume));
}

Status Session::CheckMayChange() const {
  if ((environment_.server != nullptr && environment_.server->read_only()) ||
      environment_.engine->is_replica()) {
    return UserError(ER_OPTION_PREVENTS_STATEMENT, "--read-only");
  }
  return {};
}

Status Session::Define(StatementRun& run) {
  if (temporary_ == nullptr || !NamesTemporary(run.statement, /*all=*/true)) {
    RETURN_IF_ERROR(CheckMayChange());
    if (run.statement.kind != StmtKind::kTableMaintenance) {
      RETURN_IF_ERROR(CheckReadLock());
    }
  }
  RETURN_IF_ERROR(ImplicitCommit());
  if (settings_.transaction_read_only && WritesDictionary(run.statement)) {
    return UserError(ER_CANT_EXECUTE_IN_READ_ONLY_TRANSACTION);
  }
  Status status = environment_.executor->Execute(run);
  row_count_ = status.ok() ? static_cast<int64_t>(run.ok.affected_rows) : -1;
  return status;
}

Status Session::RunChange(StatementRun& run, bool temporary) {
  const auto next = std::make_pair(next_isolation_, next_read_only_);
  ASSIGN_OR_RETURN(engine::Transaction * transaction, EnterTransaction());
  if (transaction_read_only_ && !temporary) {
    Status refused = UserError(ER_CANT_EXECUTE_IN_READ_ONLY_TRANSACTION);
    if (!explicit_transaction_) {  // SET TRANSACTION still waits for its transaction
      std::tie(next_isolation_, next_read_only_) = next;
    }
    return LeaveTransaction(std::move(refused), true);
  }
  const engine::Savepoint before = transaction->BeginStatement();
  const engine::Savepoint before_temporary =
      temporary_ != nullptr ? temporary_->SetSavepoint() : engine::Savepoint();
  Status status = environment_.executor->Execute(run);
  // What LAST_INSERT_ID(expr) was given goes to the client as what was generated would.
  if (context_->gave_insert_id() &&
      (run.statement.kind == StmtKind::kInsert || run.statement.kind == StmtKind::kUpdate)) {
    run.ok.last_insert_id = last_insert_id_;
  }
  const engine::TransactionState state = transaction->state();
  if (!status.ok() && state != engine::TransactionState::kRolledBack && explicit_transaction_) {
    if (state == engine::TransactionState::kActive && connection_killed()) {
      AbandonAll();  // nobody is there to go on with it
      return status;
    }
    if (state == engine::TransactionState::kActive) {
      RETURN_IF_ERROR(transaction->RollbackTo(before));  // INV-SQL-2
    }
    if (temporary_ != nullptr) {
      RETURN_IF_ERROR(temporary_->RollbackTo(before_temporary));
    }
  }
  commit_after_ = status.ok() && !explicit_transaction_;
  row_count_ = status.ok() ? static_cast<int64_t>(run.ok.affected_rows) : -1;
  return LeaveTransaction(std::move(status), true);
}

Status Session::Dispatch(CachedStatement* statement, std::span<const TypedValue> parameters,
                         ResultSink& sink, OkInfo* ok) {
  const Stmt& stmt = *statement->parsed.statement;
  StatementRun run{*this, stmt, statement->text, parameters, sink, *ok};
  switch (StatementClassOf(stmt.kind)) {
    case StatementClass::kQuery:
      return RunSelect({stmt.As<SelectStmt>(), statement->text}, &statement->query, parameters,
                       sink, ok);
    case StatementClass::kTransaction:
      row_count_ = 0;
      return RunTransactionStatement(stmt);
    case StatementClass::kPrepared:
      return RunPreparedStatement(stmt, sink, ok);
    case StatementClass::kChange: {
      const bool temporary = temporary_ != nullptr && NamesTemporary(stmt, /*all=*/false);
      RETURN_IF_ERROR(temporary ? Status::Ok() : CheckMayChange());
      if (!temporary && table_locks_ == nullptr) {  // under LOCK TABLES it is 1099 or 1100
        RETURN_IF_ERROR(CheckReadLock());
      }
      // In a transaction that the client has made read-only, MySQL wants all tables of an UPDATE to
      // be temporary ones, and of other statements those that are changed.
      return RunChange(
          run, temporary && (stmt.kind != StmtKind::kUpdate || environment_.engine->is_replica() ||
                             NamesTemporary(stmt, /*all=*/true)));
    }
    case StatementClass::kDefine: {
      const uint64_t dropped = temporary_ != nullptr ? temporary_->dropped() : 0;
      Status status = IsAboutTemporary(stmt) ? DefineTemporary(run) : Define(run);
      ForgetDroppedTables(dropped);
      return status;
    }
    case StatementClass::kOther: {
      if (stmt.kind == StmtKind::kDo) {
        return RunDo({stmt.As<DoStmt>().select, statement->text}, &statement->query, parameters);
      }
      if (stmt.kind == StmtKind::kExplain) {
        return RunExplain(run);
      }
      // What has rows to show changes none.
      bool shows = stmt.kind == StmtKind::kShow || stmt.kind == StmtKind::kDescribe ||
                   stmt.kind == StmtKind::kTableMaintenance;
      Status status = environment_.executor->Execute(run);
      if (stmt.kind != StmtKind::kGetDiagnostics) {  // which tells it
        row_count_ = shows ? -1 : 0;
      }
      return status;
    }
  }
  return Status::Internal("statement of an unknown class");
}

void Session::NoteFailure() {
  ++statements_failed_;
  if (environment_.counters != nullptr) {
    environment_.counters->failed.fetch_add(1, std::memory_order_relaxed);
  }
}

// The wait for the commit to be durable does not count.
void Session::NoteIfSlow() {
  if (environment_.clock->NowUs() - statement_started_us_ <= settings_.long_query_time_us) {
    return;
  }
  ++slow_statements_;
  if (environment_.counters != nullptr) {
    environment_.counters->slow.fetch_add(1, std::memory_order_relaxed);
  }
}

ExecuteResult Session::Deliver(Status status, OkInfo ok, ResultSink& sink, Resume resume) {
  ExecuteResult result;
  deadline_us_ = 0;
  NoteIfSlow();
  if (status.ok() && commit_after_) {
    status = CommitTemporary();
    if (!status.ok()) {
      RollbackAll().IgnoreError();  // the first failure is told
    }
  }
  if (!status.ok()) {
    Status error = ToUserError(status);
    const Condition condition = diagnostics_.ConditionOf(error);
    if (!condition.raised_sqlstate.empty()) {
      sink.OnSqlState(condition.raised_sqlstate);
    }
    if (!HasTold(diagnostics_, condition)) {
      diagnostics_.Add(condition);
    }
    NoteFailure();
    row_count_ = -1;
    more_results_ = false;
    sink.OnError(error, StatusFlags());
    return result;
  }
  if (commit_after_ && transaction_ != nullptr) {
    auto parked = std::make_shared<Parked>();
    parked->transaction = std::move(transaction_);
    bool read_only = transaction_read_only_;
    ForgetTransaction();
    if (chain_) {
      transaction_ = BeginEngineTransaction(false, read_only, false);
      transaction_read_only_ = read_only;
      explicit_transaction_ = true;
    }
    const int64_t commit_us = environment_.counters != nullptr ? environment_.clock->NowUs() : 0;
    parked->transaction->Commit([parked, commit_us, clock = environment_.clock,
                                 counters = environment_.counters](Status durable) {
      if (counters != nullptr) {
        counters->commit_latency.Observe(clock->NowUs() - commit_us);
      }
      Resume call;
      {
        MutexLock lock(parked->mutex);
        parked->done = true;
        parked->status = std::move(durable);
        call = std::move(parked->resume);
      }
      if (call) {
        call();
      }
    });
    ok.status |= StatusFlags();
    ok.warnings = diagnostics_.packet_count();
    ok.changes = std::move(changes_);
    parked->ok = std::move(ok);
    parked_ = parked;
    bool done;
    {
      MutexLock lock(parked->mutex);
      done = parked->done;
      if (!done) {
        parked->resume = std::move(resume);
      }
    }
    if (!done) {
      result.state = ExecuteState::kParked;
      return result;
    }
    CompleteParked(sink);
    return result;
  }
  ok.status |= StatusFlags();
  ok.warnings = diagnostics_.packet_count();
  ok.changes = std::move(changes_);
  changes_.clear();
  sink.OnDone(ok);
  return result;
}

void Session::CompleteParked(ResultSink& sink) {
  std::shared_ptr<Parked> parked = std::move(parked_);
  INVARIANT(parked != nullptr);
  Status status;
  {
    MutexLock lock(parked->mutex);
    INVARIANT(parked->done);
    status = parked->status;
  }
  parked->transaction.reset();
  if (status.ok()) {
    sink.OnDone(parked->ok);
    return;
  }
  Status error = ToUserError(status);
  diagnostics_.AddError(error);
  ++statements_failed_;
  sink.OnError(error, StatusFlags());
}

bool Session::ExecuteAndWait(std::string_view text, ResultSink& sink) {
  while (true) {
    uint64_t failed = statements_failed_;
    struct Waiter {
      Mutex mutex{LockRank::kLeaf};
      ConditionVariable condition;
      bool resumed = false;
    };
    auto waiter = std::make_shared<Waiter>();
    ExecuteResult result = Execute(text, sink, [waiter] {
      MutexLock lock(waiter->mutex);
      waiter->resumed = true;
      waiter->condition.NotifyAll();
    });
    if (result.state == ExecuteState::kParked) {
      {
        MutexLock lock(waiter->mutex);
        while (!waiter->resumed) {
          waiter->condition.Wait(waiter->mutex);
        }
      }
      CompleteParked(sink);
    }
    if (failed != statements_failed_) {
      return false;
    }
    if (result.next >= text.size()) {
      return true;
    }
    text.remove_prefix(result.next);
  }
}

}  // namespace borealis::sql
