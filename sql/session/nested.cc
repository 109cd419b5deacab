// Stored programs within a session: entering and leaving them, and their statements, which run in
// the transaction of the statement that called the program.
#include <utility>

#include "base/mysql_error.h"
#include "sql/ast/admin.h"
#include "sql/catalog/temporary_tables.h"
#include "sql/session/program_scope.h"
#include "sql/session/session_internal.h"

namespace borealis::sql {

namespace {

// Attempts at a statement whose tables' definitions keep changing.
constexpr int kNestedAttempts = 10;

// A statement of a trigger has no rows to show.
class NoRows final : public ResultSink {
 public:
  Status OnColumns(std::span<const ResultColumn>) override {
    return Status::Internal("a result set within a stored program");
  }
  Status OnRow(std::span<const row::Value>) override { return {}; }
  void OnDone(const OkInfo&) override {}
  void OnError(const Status&, uint16_t) override {}
};

// What looks at the diagnostics area finds it as the statement before has left it.
bool KeepsDiagnostics(const Stmt& statement) {
  const auto* signal = statement.TryAs<SignalStmt>();
  return statement.kind == StmtKind::kGetDiagnostics || (signal != nullptr && signal->resignal);
}

bool IsAboutSavepoints(const Stmt& statement) {
  const auto* rollback = statement.TryAs<RollbackStmt>();
  return statement.kind == StmtKind::kSavepoint || statement.kind == StmtKind::kReleaseSavepoint ||
         (rollback != nullptr && !rollback->savepoint.empty());
}

Status RefuseInProgram(const Stmt& statement) {
  return UserError(ER_NOT_SUPPORTED_YET,
                   std::string(StmtKindName(statement.kind)) + " in a stored program");
}

}  // namespace

NestedStatement::NestedStatement(const Stmt& statement, std::string_view text)
    : statement_(statement), text_(text) {
  if (statement.kind == StmtKind::kSelect || statement.kind == StmtKind::kDo) {
    query_ = std::make_unique<PlanHolder>();
    query_->frame = true;
  }
}
NestedStatement::~NestedStatement() = default;
NestedStatement::NestedStatement(NestedStatement&&) noexcept = default;

ProgramScope::ProgramScope(Session* session, ProgramEnvironment* environment, VariableSlots* slots)
    : session_(session),
      environment_(environment),
      outer_slots_(std::exchange(session->variable_slots_, slots)),
      outer_diagnostics_(session->diagnostics_.Suspend()),
      outer_is_strict_(session->caller_is_strict_),
      last_insert_id_(session->last_insert_id_),
      insert_id_(std::exchange(session->settings_.insert_id, 0)),
      found_rows_(session->found_rows_) {
  ++session_->program_depth_;
  session_->caller_is_strict_ |= outer_diagnostics_.strict;
  session_->savepoints_.swap(outer_savepoints_);
  const SessionSettings& settings = session_->settings_;
  outer_settings_ = {settings.sql_mode, settings.character_set_client,
                     settings.collation_connection, settings.collation_database};
  // The program's text is the server's own.
  other_settings_ = settings.sql_mode != environment->sql_mode ||
                    settings.character_set_client != row::CharsetId::kUtf8mb4 ||
                    settings.collation_connection != environment->collation_connection ||
                    settings.collation_database != environment->collation_database;
  other_database_ = session_->database_ != environment->schema;
  other_account_ =
      session_->security_.tables() != nullptr && (session_->account() != environment->definer ||
                                                  session_->active_roles_ != environment->roles);
  if (other_settings_) {
    SwitchSettings();
  }
  if (other_database_) {
    session_->database_.swap(environment_->schema);
  }
  if (other_account_) {
    account_user_ = environment_->definer.user;
    account_host_ = environment_->definer.host;
    SwitchAccount();
  }
}

void ProgramScope::SwitchSettings() {
  SessionSettings& settings = session_->settings_;
  settings.sql_mode = environment_->sql_mode;
  settings.character_set_client = row::CharsetId::kUtf8mb4;
  settings.collation_connection = environment_->collation_connection;
  settings.collation_database = environment_->collation_database;
  session_->context_->FollowSettings();
}

void ProgramScope::SwitchAccount() {
  std::swap(session_->security_, environment_->security);
  std::swap(session_->active_roles_, environment_->roles);
  session_->identity_.account_user.swap(account_user_);
  session_->identity_.account_host.swap(account_host_);
}

void ProgramScope::KeepConditions() {
  keep_conditions_ = true;
}

ProgramScope::~ProgramScope() {
  if (other_account_) {
    SwitchAccount();
  }
  if (other_database_) {
    session_->database_.swap(environment_->schema);
  }
  SessionSettings& settings = session_->settings_;
  const bool changed = settings.sql_mode != environment_->sql_mode ||
                       settings.collation_connection != environment_->collation_connection;
  if (other_settings_ || changed) {  // the program may have said SET sql_mode itself
    settings.sql_mode = outer_settings_.sql_mode;
    settings.character_set_client = outer_settings_.client;
    settings.collation_connection = outer_settings_.connection;
    settings.collation_database = outer_settings_.database;
    session_->context_->FollowSettings();
  }
  settings.insert_id = insert_id_;
  session_->last_insert_id_ = last_insert_id_;
  session_->found_rows_ = found_rows_;
  session_->variable_slots_ = outer_slots_;
  --session_->program_depth_;
  session_->caller_is_strict_ = outer_is_strict_;
  session_->savepoints_.swap(outer_savepoints_);
  std::vector<Condition> told;
  if (keep_conditions_) {
    told = session_->diagnostics_.conditions();
  }
  session_->diagnostics_.Resume(std::move(outer_diagnostics_));
  for (Condition& condition : told) {
    session_->diagnostics_.Add(std::move(condition));
  }
}

Status Session::RunNested(NestedStatement* nested, std::span<const TypedValue> frame) {
  const Stmt& statement = nested->statement();
  Count(CommandOf(statement));
  if (!KeepsDiagnostics(statement)) {
    diagnostics_.Clear();
  }
  NoRows sink;
  OkInfo ok;
  StatementRun run{*this, statement, nested->text(), frame, sink, ok, &nested->plan_};
  const bool strict = row::IsStrict(settings_.sql_mode);
  Status status;
  switch (StatementClassOf(statement.kind)) {
    case StatementClass::kQuery:
      diagnostics_.set_strict(strict);
      status = RunSelect({statement.As<SelectStmt>(), nested->text()}, nested->query_.get(), frame,
                         sink, &ok);
      break;
    case StatementClass::kChange:
      status = RunNestedChange(run);
      break;
    case StatementClass::kOther:
      status =
          statement.kind == StmtKind::kDo
              ? RunDo({statement.As<DoStmt>().select, nested->text()}, nested->query_.get(), frame)
              : environment_.executor->Execute(run);
      break;
    case StatementClass::kTransaction:
      status = IsAboutSavepoints(statement) ? RunTransactionStatement(statement)
                                            : RefuseInProgram(statement);
      break;
    default:
      status = RefuseInProgram(statement);
  }
  if (statement.kind == StmtKind::kSet) {
    row_count_ = 0;
    context_->FollowSettings();
  }
  if (status.ok()) {
    status = diagnostics_.strict_error();
  } else {
    row_count_ = -1;
  }
  diagnostics_.EndStrict();
  return status;
}

Status Session::RunNestedChange(StatementRun& run) {
  Status status;
  for (int attempt = 0; attempt < kNestedAttempts; ++attempt) {
    const engine::Savepoint before = transaction_->SetSavepoint();
    const engine::Savepoint before_temporary =
        temporary_ != nullptr ? temporary_->SetSavepoint() : engine::Savepoint();
    status = environment_.executor->Execute(run);
    if (status.ok()) {
      row_count_ = static_cast<int64_t>(run.ok.affected_rows);
      return status;
    }
    run.plan->reset();
    if (!status.Is(Code::kRetry)) {
      return status;  // as in MySQL the rows before the failed one stay, if a handler lets them
    }
    if (transaction_->state() == engine::TransactionState::kActive) {
      RETURN_IF_ERROR(transaction_->RollbackTo(before));
    }
    if (temporary_ != nullptr) {
      RETURN_IF_ERROR(temporary_->RollbackTo(before_temporary));
    }
  }
  return status;
}

Status Session::CollectNested(NestedStatement* nested, std::span<const TypedValue> frame,
                              std::vector<row::Type>* types,
                              std::vector<std::vector<row::Value>>* rows) {
  class Collector final : public ResultSink {
   public:
    Collector(std::vector<row::Type>* types, std::vector<std::vector<row::Value>>* rows)
        : types_(types), rows_(rows) {}
    Status OnColumns(std::span<const ResultColumn> columns) override {
      for (const ResultColumn& column : columns) {
        types_->push_back(column.type);
      }
      return {};
    }
    Status OnRow(std::span<const row::Value> row) override {
      std::vector<row::Value>& kept = rows_->emplace_back(row.begin(), row.end());
      for (row::Value& value : kept) {
        value.Own();
      }
      return {};
    }
    void OnDone(const OkInfo&) override {}
    void OnError(const Status&, uint16_t) override {}

   private:
    std::vector<row::Type>* const types_;
    std::vector<std::vector<row::Value>>* const rows_;
  };
  types->clear();
  rows->clear();
  diagnostics_.Clear();
  Collector collector(types, rows);
  OkInfo ok;
  return RunSelect({nested->statement().As<SelectStmt>(), nested->text()}, nested->query_.get(),
                   frame, collector, &ok);
}

}  // namespace borealis::sql
