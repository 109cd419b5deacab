// A session's life, its variables and prepared statements. Executing is in execute.cc, queries in
// query.cc, transactions in transactions.cc.
#include "sql/session/session.h"

#include "base/mysql_error.h"
#include "row/collation.h"
#include "row/convert.h"
#include "sql/ast/admin.h"
#include "sql/ast/stmt.h"
#include "sql/catalog/temporary_tables.h"
#include "sql/parser/parser_mode.h"
#include "sql/session/session_internal.h"

namespace borealis::sql {

CachedStatement* StatementCache::Find(std::string_view text, uint64_t generation) {
  if (text.size() > kMaxText) {
    return nullptr;
  }
  auto found = by_text_.find(text);
  if (found == by_text_.end() || (*found->second)->generation != generation) {
    return nullptr;
  }
  statements_.splice(statements_.begin(), statements_, found->second);
  return found->second->get();
}

CachedStatement* StatementCache::Add(std::unique_ptr<CachedStatement> statement) {
  auto same = by_text_.find(statement->text);
  if (same != by_text_.end()) {
    auto at = same->second;
    by_text_.erase(same);
    statements_.erase(at);
  }
  if (statements_.size() >= kCapacity) {
    by_text_.erase(statements_.back()->text);
    statements_.pop_back();
  }
  statements_.push_front(std::move(statement));
  by_text_[statements_.front()->text] = statements_.begin();
  return statements_.front().get();
}

void StatementCache::Clear() {
  by_text_.clear();
  statements_.clear();
}

Session::Session(const SessionEnvironment& environment, SessionIdentity identity)
    : environment_(environment),
      identity_(std::move(identity)),
      context_(std::make_unique<SessionContext>(this)),
      cache_(std::make_unique<StatementCache>()) {
  if (environment_.clock == nullptr) {
    environment_.clock = &SystemClock();
  }
  if (environment_.variables != nullptr) {
    settings_ = environment_.variables->InitialSettings();
    other_variables_ = environment_.variables->InitialOthers();
  }
  explicit_transaction_ = false;
}

Session::~Session() {
  DropTemporaryTables();
  AbandonAll();
  user_locks_ = nullptr;
  // Compiled queries go before the machine they run on.
  programs_ = nullptr;
  prepared_.clear();
  named_prepared_.clear();
  cache_->Clear();
}

void Session::Kill(bool connection) {
  int wanted = connection ? 2 : 1;
  int now = killed_.load(std::memory_order_acquire);
  while (now < wanted && !killed_.compare_exchange_weak(now, wanted, std::memory_order_acq_rel)) {
  }
}

bool Session::interrupted() const {
  return killed_.load(std::memory_order_relaxed) != 0 ||
         (deadline_us_ != 0 && environment_.clock->NowUs() > deadline_us_);
}

Status Session::CheckInterrupt() const {
  switch (killed_.load(std::memory_order_acquire)) {
    case 0:
      break;
    default:
      return UserError(ER_QUERY_INTERRUPTED);
  }
  if (deadline_us_ != 0 && environment_.clock->NowUs() > deadline_us_) {
    return UserError(ER_QUERY_TIMEOUT);
  }
  return {};
}

void Session::Count(Command command) {
  if (environment_.counters != nullptr) {
    environment_.counters->Count(command);
  }
  const auto known =
      std::ranges::find(command_counts_, command, &std::pair<Command, uint64_t>::first);
  if (known != command_counts_.end()) {
    ++known->second;
  } else {
    command_counts_.emplace_back(command, 1);
  }
}

void Session::ForgetCounts() {
  command_counts_.clear();
  slow_statements_ = 0;
}

const TypedValue* Session::FindUserVariable(std::string_view name) const {
  auto found = user_variables_.find(FoldName(name));
  return found != user_variables_.end() ? &found->second : nullptr;
}

void Session::SetUserVariable(std::string_view name, TypedValue value) {
  if (value.type.kind == row::TypeKind::kJson) {  // a variable holds its text
    if (value.value.is_string()) {
      value.value = row::Value::String(row::ToText(value.value, value.type));
    }
    value.type = row::Type::Text(row::TypeKind::kLongText, row::kUtf8mb4Bin);
  }
  value.value.Own();
  user_variables_[FoldName(name)] = std::move(value);
}

Status Session::UseDatabase(std::string_view name) {
  if (name.empty()) {
    return UserError(ER_NO_DB_ERROR);
  }
  RETURN_IF_ERROR(RefreshSecurity());
  if (!security_.SeesSchema(SameName(name, "information_schema") ? "information_schema" : name)) {
    return UserError(ER_DBACCESS_DENIED_ERROR, identity_.account_user, identity_.account_host,
                     name);
  }
  ASSIGN_OR_RETURN(SchemaDescriptor schema, environment_.catalog->FindSchema(name));
  bool system = environment_.catalog->IsSystemSchema(name);
  database_ = system && SameName(name, "information_schema") ? "information_schema" : name;
  settings_.collation_database = schema.collation;
  ++settings_.generation;
  changes_.push_back({SessionChange::Kind::kSchema, "", database_});
  return {};
}

void Session::ForgetDatabase() {
  database_.clear();
  settings_.collation_database = settings_.collation_server;
  ++settings_.generation;
  changes_.push_back({SessionChange::Kind::kSchema, "", ""});
}

void Session::Close() {
  DropTemporaryTables();  // with what a transaction has changed in them: nobody would see it undone
  AbandonAll();
  Release();
}

void Session::Release() {
  RollbackAll().IgnoreError();
  user_locks_ = nullptr;
  table_locks_ = nullptr;
  read_lock_ = nullptr;
  backup_lock_ = nullptr;
  programs_ = nullptr;
  prepared_.clear();
  named_prepared_.clear();
  cache_->Clear();
  DropTemporaryTables();
  user_variables_.clear();
}

void Session::Reset() {
  Release();
  diagnostics_.Clear();
  last_insert_id_ = 0;
  row_count_ = -1;
  found_rows_ = 0;
  ForgetCounts();
  const SystemVariables* const variables = environment_.variables;
  const uint64_t generation = settings_.generation + 1;
  settings_ = variables != nullptr ? variables->InitialSettings() : SessionSettings();
  other_variables_ = variables != nullptr ? variables->InitialOthers() : OtherVariables();
  settings_.generation = generation;
  if (!active_roles_.empty()) {
    ActivateDefaultRoles().IgnoreError();
  }
  int statement_kill = 1;
  killed_.compare_exchange_strong(statement_kill, 0);
}

ParserOptions Session::parser_options() const {
  return ParserOptionsUnder(settings_.sql_mode);
}

BinderEnvironment& Session::binder_environment() {
  return *context_;
}
EvalContext& Session::eval_context() {
  return context_->eval_context();
}

}  // namespace borealis::sql
