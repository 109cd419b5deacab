// Prepared statements, of the protocol and of PREPARE: what may be prepared, and what is found out
// before a statement is run.
#include <algorithm>

#include "base/mysql_error.h"
#include "row/convert.h"
#include "sql/ast/admin.h"
#include "sql/ast/ddl.h"
#include "sql/ast/stmt.h"
#include "sql/binder/dml.h"
#include "sql/session/session.h"
#include "sql/session/session_internal.h"

namespace borealis::sql {
namespace {

// MySQL prepares no statements that steer the session or its transaction, nor those that tell of
// the statement before.
bool MayPrepare(const Stmt& statement) {
  switch (statement.kind) {
    case StmtKind::kPrepare:
    case StmtKind::kExecute:
    case StmtKind::kDeallocate:
    case StmtKind::kLoadData:
    case StmtKind::kCreateTrigger:
    case StmtKind::kDropTrigger:
    case StmtKind::kAlterDatabase:
    case StmtKind::kStartTransaction:
    case StmtKind::kSavepoint:
    case StmtKind::kReleaseSavepoint:
    case StmtKind::kXa:
    case StmtKind::kUse:
    case StmtKind::kHelp:
    case StmtKind::kHandler:
    case StmtKind::kExplainConnection:
    case StmtKind::kLockTables:
    case StmtKind::kUnlockTables:
    case StmtKind::kLockInstance:
    case StmtKind::kShutdown:
    case StmtKind::kSignal:
    case StmtKind::kGetDiagnostics:
      return false;
    case StmtKind::kRollback:
      return statement.As<RollbackStmt>().savepoint.empty();
    case StmtKind::kCreateView:
      return !statement.As<CreateViewStmt>().alter;
    case StmtKind::kShow: {
      const ShowKind show = statement.As<ShowStmt>().show;
      return show != ShowKind::kWarnings && show != ShowKind::kErrors;
    }
    default:
      return true;
  }
}

// What is wrong with a statement whatever its parameters are; the rest is told when it is run.
bool IsOfNames(const Status& status) {
  static constexpr MysqlError kErrors[] = {
      ER_NO_DB_ERROR,     ER_BAD_DB_ERROR,          ER_NO_SUCH_TABLE,
      ER_BAD_FIELD_ERROR, ER_NON_UNIQ_ERROR,        ER_WRONG_VALUE_COUNT_ON_ROW,
      ER_BAD_TABLE_ERROR, ER_UNKNOWN_TABLE,         ER_SP_DOES_NOT_EXIST,
      ER_VIEW_INVALID,    ER_FIELD_SPECIFIED_TWICE, ER_KEY_DOES_NOT_EXITS,
      ER_WRONG_USAGE};
  return std::ranges::find(kErrors, status.user_errno()) != std::end(kErrors);
}

Status OnlyOfNames(const Status& status) {
  return IsOfNames(status) ? status : Status::Ok();
}

}  // namespace

bool AnotherFollows(std::string_view text, size_t from, const ParserOptions& options) {
  const std::string_view rest =
      text.substr(from, std::max(text.find_last_not_of(kSpaceAndSemicolon) + 1, from) - from);
  const Result<ParsedStatement> next = Parse(rest, options);
  return !next.ok() || next->statement != nullptr || next->consumed < rest.size();
}

Status NoSecondStatement(std::string_view text, size_t from) {
  constexpr size_t kShown = 80;
  const size_t at = std::min(text.find_first_not_of(" \n\t\r", from), text.size());
  const auto line = 1 + std::count(text.begin(), text.begin() + static_cast<ptrdiff_t>(at), '\n');
  return UserError(ER_PARSE_ERROR, text.substr(at, kShown), line);
}

void WarnOfSyntax(const ParsedStatement& parsed, Diagnostics* diagnostics) {
  for (const Status& warning : parsed.warnings) {
    diagnostics->AddWarning(warning);
  }
}

Result<PreparedTicket> Session::AdmitPrepared() const {
  StatementCounters* const counters = environment_.counters;
  if (counters != nullptr && environment_.variables != nullptr) {
    const uint64_t limit =
        environment_.variables->IntegerValue("max_prepared_stmt_count").value_or(0);
    if (counters->prepared.load(std::memory_order_relaxed) >= limit) {
      return UserError(ER_MAX_PREPARED_STMT_COUNT_REACHED, limit);
    }
  }
  return CountPrepared(counters);
}

// Null `columns`: nobody asks for them, and a query that only its parameters' types make possible
// is left for when it is run.
Status Session::DescribePrepared(const CachedStatement& statement,
                                 std::vector<ResultColumn>* columns) {
  BindInput input;
  input.environment = context_.get();
  input.text = statement.text;
  input.describe_only = true;
  StatementFacts facts;
  const Stmt& parsed = *statement.parsed.statement;
  switch (parsed.kind) {
    case StmtKind::kSelect: {
      const Query& written = *parsed.As<SelectStmt>().query;
      if (columns == nullptr) {
        return OnlyOfNames(BindQuery(written, input, &facts).status());
      }
      ASSIGN_OR_RETURN(const std::shared_ptr<BoundQuery> query, BindQuery(written, input, &facts));
      if (written.into == nullptr) {
        *columns = query->columns;
      }
      return {};
    }
    case StmtKind::kInsert:
      return OnlyOfNames(BindInsert(parsed.As<InsertStmt>(), input, &facts).status());
    case StmtKind::kUpdate:
      return OnlyOfNames(BindUpdate(parsed.As<UpdateStmt>(), input, &facts).status());
    case StmtKind::kDelete:
      return OnlyOfNames(BindDelete(parsed.As<DeleteStmt>(), input, &facts).status());
    default:
      return {};
  }
}

Result<std::unique_ptr<CachedStatement>> Session::MakePrepared(std::string_view text,
                                                               std::vector<ResultColumn>* columns) {
  ASSIGN_OR_RETURN(PreparedTicket ticket, AdmitPrepared());
  ASSIGN_OR_RETURN(std::unique_ptr<CachedStatement> statement, ParseText(text));
  if (statement->parsed.statement == nullptr) {
    return UserError(ER_EMPTY_QUERY);
  }
  if (AnotherFollows(text, statement->parsed.consumed, parser_options())) {
    return NoSecondStatement(text, statement->parsed.consumed);
  }
  WarnOfSyntax(statement->parsed, &diagnostics_);
  if (!MayPrepare(*statement->parsed.statement)) {
    return UserError(ER_UNSUPPORTED_PS);
  }
  RETURN_IF_ERROR(DescribePrepared(*statement, columns));
  statement->prepared = true;
  statement->ticket = std::move(ticket);
  return statement;
}

Result<PreparedInfo> Session::Prepare(std::string_view text) {
  Count(CommandNamed("stmt_prepare"));
  RETURN_IF_ERROR(RefreshSecurity());
  statement_time_us_ = environment_.clock->WallUs();
  diagnostics_.Clear();
  context_->Refresh();
  PreparedInfo info;
  Result<std::unique_ptr<CachedStatement>> statement = MakePrepared(text, &info.columns);
  if (!statement.ok()) {
    if (statement.status().user_errno() != 0) {
      diagnostics_.AddError(statement.status());
    }
    return std::move(statement).status();
  }
  info.parameter_count = (*statement)->parsed.parameter_count;
  info.id = next_prepared_++;
  prepared_[info.id] = std::move(statement).value();
  return info;
}

ExecuteResult Session::ExecutePrepared(uint32_t id, std::span<const TypedValue> parameters,
                                       ResultSink& sink, Resume resume) {
  Count(CommandNamed("stmt_execute"));
  auto found = prepared_.find(id);
  more_results_ = false;
  if (found == prepared_.end()) {
    sink.OnError(UserError(ER_UNKNOWN_STMT_HANDLER, id, "mysqld_stmt_execute"), StatusFlags());
    return {};
  }
  if (parameters.size() != found->second->parsed.parameter_count) {
    sink.OnError(UserError(ER_WRONG_ARGUMENTS, "mysqld_stmt_execute"), StatusFlags());
    return {};
  }
  return Run(found->second.get(), parameters, sink, std::move(resume));
}

void Session::ClosePrepared(uint32_t id) {
  Count(CommandNamed("stmt_close"));
  prepared_.erase(id);
}
bool Session::HasPrepared(uint32_t id) const {
  return prepared_.contains(id);
}

Status Session::RunPreparedStatement(const Stmt& stmt, ResultSink& sink, OkInfo* ok) {
  if (const auto* deallocate = stmt.TryAs<DeallocateStmt>()) {
    Count(CommandNamed("stmt_close"));
    if (named_prepared_.erase(FoldName(deallocate->name)) == 0) {
      return UserError(ER_UNKNOWN_STMT_HANDLER, deallocate->name, "DEALLOCATE PREPARE");
    }
    return {};
  }
  if (const auto* prepare = stmt.TryAs<PrepareStmt>()) {
    Count(CommandNamed("stmt_prepare"));
    std::string name = FoldName(prepare->name);
    named_prepared_.erase(name);
    std::string text = prepare->text;
    if (prepare->from_variable) {
      const TypedValue* value = FindUserVariable(prepare->text);
      text = value != nullptr && !value->value.is_null() ? row::ToText(value->value, value->type)
                                                         : "NULL";
    }
    ASSIGN_OR_RETURN(std::unique_ptr<CachedStatement> statement, MakePrepared(text, nullptr));
    named_prepared_[std::move(name)] = std::move(statement);
    ok->info = "Statement prepared";
    return {};
  }
  const auto& execute = stmt.As<ExecuteStmt>();
  Count(CommandNamed("stmt_execute"));
  auto found = named_prepared_.find(FoldName(execute.name));
  if (found == named_prepared_.end()) {
    return UserError(ER_UNKNOWN_STMT_HANDLER, execute.name, "EXECUTE");
  }
  if (execute.variables.size() != found->second->parsed.parameter_count) {
    return UserError(ER_WRONG_ARGUMENTS, "EXECUTE");
  }
  std::vector<TypedValue> parameters;
  for (const std::string& variable : execute.variables) {
    const TypedValue* value = FindUserVariable(variable);
    parameters.push_back(value != nullptr ? *value : TypedValue());
  }
  Count(CommandOf(*found->second->parsed.statement));
  return Dispatch(found->second.get(), parameters, sink, ok);
}

}  // namespace borealis::sql
