// Queries of a session: planning, the plan's reuse, running, SELECT … INTO, and queries inside
// other statements.
#include <algorithm>
#include <utility>

#include "base/mysql_error.h"
#include "sql/binder/evaluate.h"
#include "sql/binder/narrow.h"
#include "sql/session/nested_statement.h"
#include "sql/session/outfile.h"
#include "sql/session/server_file.h"
#include "sql/session/session_internal.h"

namespace borealis::sql {
namespace {

// Attempts at planning against definitions that keep changing.
constexpr int kPlanAttempts = 10;

// Types between which a cached plan's parameters may vary: not their lengths.
bool SameShape(const row::Type& a, const row::Type& b) {
  return a.kind == b.kind && a.is_unsigned == b.is_unsigned && a.scale == b.scale;
}

row::Type ShapeOf(const TypedValue& value, bool frame) {
  return value.value.is_null() && !frame ? row::Type::Null() : value.type;
}

// A row source that keeps what its query needs alive.
class OwningSource final : public RowSource {
 public:
  OwningSource(std::unique_ptr<CompiledQuery> compiled, std::unique_ptr<RowSource> rows,
               std::function<void()> end)
      : compiled_(std::move(compiled)), rows_(std::move(rows)), end_(std::move(end)) {}
  ~OwningSource() override {
    rows_.reset();
    compiled_.reset();
    if (end_) {
      end_();
    }
  }
  Result<bool> Next(std::vector<row::Value>* row) override { return rows_->Next(row); }

 private:
  std::unique_ptr<CompiledQuery> compiled_;
  std::unique_ptr<RowSource> rows_;
  std::function<void()> end_;
};

// The result of DO.
class DroppedRows final : public ResultSink {
 public:
  Status OnColumns(std::span<const ResultColumn>) override { return {}; }
  Status OnRow(std::span<const row::Value>) override { return {}; }
  void OnDone(const OkInfo&) override {}
  void OnError(const Status&, uint16_t) override {}
};

std::vector<row::Value> OwnedCopy(const std::vector<row::Value>& row) {
  std::vector<row::Value> copy = row;
  for (row::Value& value : copy) {
    value.Own();
  }
  return copy;
}

// The limits of SQL_CALC_FOUND_ROWS, which the session applies itself.
Result<uint64_t> LimitValue(const BoundPtr& expr, EvalContext* context,
                            std::span<const TypedValue> parameters, uint64_t none) {
  if (expr == nullptr) {
    return none;
  }
  EvalFrame frame;
  frame.context = context;
  frame.parameters = parameters;
  ASSIGN_OR_RETURN(row::Value value, Evaluate(*expr, frame));
  return value.is_null() ? none : static_cast<uint64_t>(value.raw_int());
}

// A LIMIT below zero, which only a parameter can give.
Status CheckLimit(const BoundPtr& limit, std::span<const TypedValue> parameters) {
  const auto* given = limit == nullptr ? nullptr : limit->TryAs<BoundParameter>();
  if (given == nullptr || given->index >= parameters.size()) {
    return {};
  }
  const row::Value& value = parameters[given->index].value;
  const bool below_zero = value.kind() == row::ValueKind::kInt && value.int_value() < 0;
  return below_zero ? UserError(ER_DATA_OUT_OF_RANGE, "unsigned integer", "EXECUTE") : Status::Ok();
}

}  // namespace

Result<QueryMachine*> Session::Machine() {
  if (machine_ == nullptr) {
    ASSIGN_OR_RETURN(machine_, QueryMachine::Open());
  }
  machine_->set_dive_limit(settings_.eq_range_index_dive_limit);
  return machine_.get();
}

RunContext Session::MakeRunContext(engine::Transaction* transaction) {
  RunContext context;
  context.catalog = &catalog();
  context.transaction = transaction;
  context.eval = &context_->eval_context();
  context.variables = context_.get();
  context.session = this;
  context.check_interrupt = [this] { return CheckInterrupt(); };
  context.temporary_directory = [this] { return TemporaryDirectory(*this); };
  return context;
}

bool Session::PlanFits(const PlanHolder& holder, std::span<const TypedValue> parameters) const {
  if (holder.plan == nullptr) {
    return false;
  }
  const QueryPlan& plan = *holder.plan;
  if (plan.facts.uncacheable || plan.generation != settings_.generation ||
      plan.catalog_version != catalog().version() || plan.database != database_ ||
      plan.select_limit != settings_.sql_select_limit || plan.compiled->running() ||
      plan.parameter_types.size() != parameters.size()) {
    return false;
  }
  for (size_t i = 0; i < parameters.size(); ++i) {
    if (!SameShape(plan.parameter_types[i], ShapeOf(parameters[i], holder.frame))) {
      return false;
    }
  }
  return true;
}

Result<bool> Session::NarrowParameters(const StatementFacts& facts,
                                       std::span<const TypedValue> parameters,
                                       std::vector<TypedValue>* slots) {
  slots->clear();
  slots->reserve(parameters.size() + facts.narrowed.size());
  for (const TypedValue& parameter : parameters) {
    slots->push_back({parameter.type, parameter.value.Borrow()});
  }
  for (const StatementFacts::NarrowedParameter& narrowed : facts.narrowed) {
    const TypedValue& source = parameters[narrowed.source];
    if (source.value.is_null()) {  // a variable of a stored program
      slots->push_back({narrowed.to, row::Value::Null()});
      continue;
    }
    ASSIGN_OR_RETURN(
        std::optional<row::Value> value,
        NarrowExactly(source.value, source.type, narrowed.to, context_->eval_context().conversion));
    if (!value.has_value()) {
      return false;
    }
    slots->push_back({narrowed.to, std::move(*value)});
  }
  return true;
}

Status Session::PlanQuery(const QueryText& text, PlanHolder* holder,
                          std::span<const TypedValue> parameters, std::vector<TypedValue>* slots) {
  if (PlanFits(*holder, parameters)) {
    ASSIGN_OR_RETURN(bool narrowed, NarrowParameters(holder->plan->facts, parameters, slots));
    if (narrowed) {
      return {};
    }
    holder->no_narrowing = true;
  }
  holder->plan.reset();
  auto plan = std::make_unique<QueryPlan>();
  plan->generation = settings_.generation;
  plan->catalog_version = catalog().version();
  plan->database = database_;
  plan->select_limit = settings_.sql_select_limit;
  for (const TypedValue& parameter : parameters) {
    plan->parameter_types.push_back(ShapeOf(parameter, holder->frame));
  }
  BindInput input;
  input.environment = context_.get();
  input.text = text.text;
  input.parameters = parameters;
  input.frame = holder->frame;
  input.no_narrowing = holder->no_narrowing;
  ASSIGN_OR_RETURN(plan->query, BindQuery(*text.select.query, input, &plan->facts));
  if (settings_.sql_select_limit != ~uint64_t{0} && plan->query->limit == nullptr &&
      plan->query->offset == nullptr) {
    auto limit = static_cast<int64_t>(
        std::min<uint64_t>(settings_.sql_select_limit, static_cast<uint64_t>(INT64_MAX)));
    plan->query->limit =
        std::make_shared<BoundLiteral>(row::Type::BigInt(), row::Value::Int(limit));
  }
  ASSIGN_OR_RETURN(QueryMachine * machine, Machine());
  LoweringOptions options;
  options.without_limit = plan->query->calc_found_rows;
  options.keep_values = true;
  options.shown = program_depth_ == 0 && text.select.query->into == nullptr;
  ASSIGN_OR_RETURN(plan->compiled, machine->Compile(*plan->query, catalog(), options));
  ASSIGN_OR_RETURN(bool narrowed, NarrowParameters(plan->facts, parameters, slots));
  if (!narrowed) {
    return Status::Internal("a parameter that was narrowed cannot be");
  }
  holder->plan = std::move(plan);
  return {};
}

Status Session::CheckMayWriteFile(const SelectStmt& select) const {
  const IntoClause* into = select.query->into.get();
  if (into == nullptr || (!into->outfile.has_value() && !into->dumpfile.has_value())) {
    return {};
  }
  return security_.Has(Privilege::kFile) ? Status::Ok()
                                         : UserError(ER_ACCESS_DENIED_ERROR, identity_.account_user,
                                                     identity_.account_host, "YES");
}

// As MySQL with super_read_only. FOR SHARE is let through here; a reader's engine refuses it.
Status Session::CheckMayLockForUpdate(const StatementFacts& facts) const {
  if (std::all_of(facts.base_tables.begin(), facts.base_tables.end(),
                  [](const TablePtr& table) { return table->temporary; })) {
    return {};
  }
  RETURN_IF_ERROR(CheckMayChange());
  RETURN_IF_ERROR(CheckReadLock());
  return transaction_read_only_ ? UserError(ER_CANT_EXECUTE_IN_READ_ONLY_TRANSACTION)
                                : Status::Ok();
}

Status Session::OpenViews(const StatementFacts& facts, engine::Transaction& transaction) {
  for (const TablePtr& table : facts.base_tables) {
    if (table->kind != TableKind::kView) {
      continue;
    }
    ASSIGN_OR_RETURN(const OpenedTable entry,
                     environment_.catalog->Open(transaction, *table, engine::TableUse::kRead));
    if (entry.table->version != table->version || entry.table->table_id != table->table_id) {
      return Status::Retry("definition of view " + table->name + " changed");
    }
  }
  return {};
}

Status Session::RunSelect(const QueryText& text, PlanHolder* holder,
                          std::span<const TypedValue> parameters, ResultSink& sink, OkInfo* ok) {
  RETURN_IF_ERROR(CheckMayWriteFile(text.select));
  // The query of a stored program is part of the statement that called it.
  const bool nested = program_depth_ != 0;
  Status status;
  for (int attempt = 0; attempt < kPlanAttempts; ++attempt) {
    std::vector<TypedValue> slots;
    RETURN_IF_ERROR(PlanQuery(text, holder, parameters, &slots));
    QueryPlan& plan = *holder->plan;
    RETURN_IF_ERROR(CheckLimit(plan.query->limit, slots));
    RETURN_IF_ERROR(CheckLimit(plan.query->offset, slots));
    engine::Transaction* transaction = nullptr;
    if (!plan.facts.base_tables.empty()) {
      ASSIGN_OR_RETURN(transaction, EnterTransaction());
      if (!nested) {
        (void)transaction->BeginStatement();
      }
    }
    const uint64_t sent_before = results_begun_;
    status = [&]() -> Status {
      if (transaction != nullptr) {
        RETURN_IF_ERROR(OpenViews(plan.facts, *transaction));
        RETURN_IF_ERROR(plan.facts.locks_for_update ? CheckMayLockForUpdate(plan.facts)
                                                    : Status::Ok());
      }
      ASSIGN_OR_RETURN(QueryMachine * machine, Machine());
      ASSIGN_OR_RETURN(std::unique_ptr<RowSource> rows,
                       machine->Run(plan.compiled.get(), MakeRunContext(transaction), slots));
      if (const IntoClause* into = text.select.query->into.get(); into != nullptr) {
        if (plan.query->calc_found_rows) {
          return UserError(ER_NOT_SUPPORTED_YET, "SQL_CALC_FOUND_ROWS with INTO");
        }
        return StoreInto(*into, plan.query->columns, rows.get(), ok);
      }
      return SendRows(*plan.query, slots, rows.get(), sink);
    }();
    if (transaction != nullptr && !nested) {
      status = LeaveTransaction(std::move(status), false);
    }
    if (results_begun_ != sent_before || !MayPlanAgain(status)) {
      break;
    }
    holder->plan.reset();
  }
  return status;
}

bool Session::MayPlanAgain(const Status& status) const {
  return status.Is(Code::kRetry) ||
         (status.user_errno() == ER_TABLE_DEF_CHANGED && transaction_ == nullptr);
}

Status Session::SendRows(const BoundQuery& query, std::span<const TypedValue> slots,
                         RowSource* rows, ResultSink& sink) {
  std::vector<row::Value> row;
  uint64_t count = 0;
  uint64_t skip = 0;
  uint64_t limit = ~uint64_t{0};
  if (query.calc_found_rows) {
    EvalContext* eval = &context_->eval_context();
    ASSIGN_OR_RETURN(skip, LimitValue(query.offset, eval, slots, 0));
    ASSIGN_OR_RETURN(limit, LimitValue(query.limit, eval, slots, ~uint64_t{0}));
  }
  // The client hears of nothing before there is a row: until then the statement may start anew.
  ASSIGN_OR_RETURN(bool found, rows->Next(&row));
  const bool reads_rows = query.body.select == nullptr || query.body.select->from != nullptr;
  RETURN_IF_ERROR(reads_rows ? CheckInterrupt() : Status());
  ++results_begun_;
  RETURN_IF_ERROR(sink.OnColumns(query.columns));
  while (found) {
    ++count;
    if (count > skip && count - skip <= limit) {
      RETURN_IF_ERROR(transaction_ != nullptr ? transaction_->AwaitWhatItMet() : Status::Ok());
      RETURN_IF_ERROR(sink.OnRow(row));
    }
    ASSIGN_OR_RETURN(found, rows->Next(&row));
    RETURN_IF_ERROR(reads_rows ? CheckInterrupt() : Status());
  }
  found_rows_ = count;
  row_count_ = -1;
  return {};
}

Status Session::StoreInto(const IntoClause& into, const std::vector<ResultColumn>& columns,
                          RowSource* rows, OkInfo* ok) {
  if (into.outfile.has_value() || into.dumpfile.has_value()) {
    return StoreIntoFile(into, columns, rows, ok);
  }
  if (into.variables.size() != columns.size()) {
    return UserError(ER_WRONG_NUMBER_OF_COLUMNS_IN_SELECT);
  }
  std::vector<row::Value> row;
  ASSIGN_OR_RETURN(bool found, rows->Next(&row));
  if (!found) {
    diagnostics_.AddWarning(row::WarningLevel::kWarning, 1329,
                            "No data - zero rows fetched, selected, or processed");
    row_count_ = 0;
    return {};
  }
  std::vector<row::Value> first = OwnedCopy(row);
  ASSIGN_OR_RETURN(bool more, rows->Next(&row));
  if (more) {
    return UserError(ER_TOO_MANY_ROWS);
  }
  for (size_t i = 0; i < columns.size(); ++i) {
    RETURN_IF_ERROR(StoreVariable(into, i, columns[i].type, std::move(first[i])));
  }
  ok->affected_rows = 1;
  row_count_ = 1;
  return {};
}

Status Session::StoreVariable(const IntoClause& into, size_t i, row::Type type, row::Value value) {
  if (!into.slots.empty() && into.slots[i] != IntoClause::kNoSlot) {
    return variable_slots_->Assign(into.slots[i], {std::move(type), std::move(value)});
  }
  if (type.is_temporal() || type.is_enum_or_set()) {
    // User variables are numbers or strings.
    if (!value.is_null()) {
      value = row::Value::String(
          row::ToText(value, type, context_->eval_context().conversion.time_zone()));
    }
    type = row::Type::Varchar(row::DisplayWidth(type), settings_.collation_connection);
  }
  SetUserVariable(into.variables[i], {std::move(type), std::move(value)});
  return {};
}

Status Session::StoreIntoFile(const IntoClause& into, const std::vector<ResultColumn>& columns,
                              RowSource* rows, OkInfo* ok) {
  constexpr uint64_t kDumpedRowsMax = 2;
  const bool dumps = into.dumpfile.has_value();
  ASSIGN_OR_RETURN(FieldFormat format,
                   CompleteFormat(into.format, row::GetCharset(row::CharsetId::kBinary), this));
  ASSIGN_OR_RETURN(const std::string path,
                   ServerFilePath(*this, dumps ? *into.dumpfile : *into.outfile));
  RowFormatter formatter(std::move(format), !into.format.charset.empty(), columns, this);
  // As with rows for the client: until there is one the statement may start anew.
  std::vector<row::Value> row;
  ASSIGN_OR_RETURN(bool found, rows->Next(&row));
  ++results_begun_;
  ASSIGN_OR_RETURN(const std::unique_ptr<NewServerFile> file, NewServerFile::Create(path));
  if (!dumps) {
    formatter.WarnIfAmbiguous();
  }
  uint64_t count = 0;
  std::string line;
  while (found) {
    RETURN_IF_ERROR(transaction_ != nullptr ? transaction_->AwaitWhatItMet() : Status::Ok());
    if (dumps && count == kDumpedRowsMax) {
      return UserError(ER_TOO_MANY_ROWS);
    }
    ++count;
    line.clear();
    if (dumps) {
      formatter.AppendPlain(row, &line);
    } else {
      formatter.AppendLine(row, &line);
    }
    RETURN_IF_ERROR(file->Append(line));
    ASSIGN_OR_RETURN(found, rows->Next(&row));
  }
  RETURN_IF_ERROR(file->Finish());
  ok->affected_rows = count;
  found_rows_ = count;
  row_count_ = static_cast<int64_t>(count);
  return {};
}

Status Session::RunDo(const QueryText& text, PlanHolder* holder,
                      std::span<const TypedValue> parameters) {
  DroppedRows sink;
  OkInfo ok;
  RETURN_IF_ERROR(RunSelect(text, holder, parameters, sink, &ok));
  row_count_ = 0;
  return {};
}

Result<std::unique_ptr<RowSource>> Session::OpenQuery(const BoundQuery& query,
                                                      const StatementFacts& facts,
                                                      std::span<const TypedValue> parameters,
                                                      std::unique_ptr<CompiledQuery>* kept) {
  std::vector<TypedValue> slots;
  ASSIGN_OR_RETURN(bool narrowed, NarrowParameters(facts, parameters, &slots));
  if (!narrowed) {
    return Status::Retry("a parameter cannot be narrowed");
  }
  ASSIGN_OR_RETURN(QueryMachine * machine, Machine());
  std::unique_ptr<CompiledQuery> own_query;
  const bool keeps = kept != nullptr && (*kept == nullptr || !(*kept)->running());
  std::unique_ptr<CompiledQuery>& compiled = keeps ? *kept : own_query;
  if (compiled == nullptr) {
    ASSIGN_OR_RETURN(compiled, machine->Compile(query, catalog()));
  }
  // A query over system tables alone needs no transaction, nor does it use up SET TRANSACTION.
  const bool stored = !facts.uses_system_tables || !facts.base_tables.empty();
  const bool own = stored && transaction_ == nullptr;
  engine::Transaction* transaction = transaction_.get();
  if (stored) {
    ASSIGN_OR_RETURN(transaction, EnterTransaction());
  }
  if (own) {
    (void)transaction->BeginStatement();
  }
  auto end = [this, own] {
    if (own && !explicit_transaction_) {
      LeaveTransaction({}, false).IgnoreError();  // a read: nothing to make durable
    }
  };
  if (stored) {
    if (Status views = OpenViews(facts, *transaction); !views.ok()) {
      end();
      return views;
    }
  }
  Result<std::unique_ptr<RowSource>> rows =
      machine->Run(compiled.get(), MakeRunContext(transaction), slots);
  if (!rows.ok()) {
    end();
    return std::move(rows).status();
  }
  return std::unique_ptr<RowSource>(std::make_unique<OwningSource>(
      std::move(own_query), std::move(rows).value(), std::move(end)));
}

Status Session::CollectSubquery(const BoundQuery& query, std::span<const TypedValue> parameters,
                                std::vector<std::vector<row::Value>>* rows,
                                std::unique_ptr<CompiledQuery>* kept) {
  // The tree's parameters beyond the statement's are narrowed ones that its facts describe; a
  // subquery met while evaluating was bound without.
  StatementFacts none;
  none.parameter_count = static_cast<uint32_t>(parameters.size());
  ASSIGN_OR_RETURN(std::unique_ptr<RowSource> source, OpenQuery(query, none, parameters, kept));
  std::vector<row::Value> row;
  while (true) {
    ASSIGN_OR_RETURN(bool found, source->Next(&row));
    if (!found) {
      return {};
    }
    rows->push_back(OwnedCopy(row));
  }
}

namespace {

// While it lives, what is bound is text of the server's own, in which names of any character are
// literals, and not of a client that may have no such characters.
class ServerText {
 public:
  explicit ServerText(SessionSettings* settings)
      : settings_(settings),
        client_(std::exchange(settings->character_set_client, row::CharsetId::kUtf8mb4)),
        connection_(settings->collation_connection) {
    if (row::GetCollation(connection_).charset().id != row::CharsetId::kUtf8mb4) {
      settings->collation_connection = row::kDefaultCollation;
    }
  }
  ~ServerText() {
    settings_->character_set_client = client_;
    settings_->collation_connection = connection_;
  }
  ServerText(const ServerText&) = delete;
  ServerText& operator=(const ServerText&) = delete;

 private:
  SessionSettings* const settings_;
  const row::CharsetId client_;
  const row::CollationId connection_;
};

}  // namespace

Status Session::RunQueryText(std::string_view text, ResultSink& sink,
                             std::span<const TypedValue> parameters) {
  ASSIGN_OR_RETURN(ParsedStatement parsed, Parse(text, parser_options()));
  const auto* select = parsed.statement ? parsed.statement->TryAs<SelectStmt>() : nullptr;
  if (select == nullptr) {
    return Status::Internal("query text that is no query");
  }
  BindInput input;
  input.environment = context_.get();
  input.text = text;
  input.parameters = parameters;
  StatementFacts facts;
  std::shared_ptr<BoundQuery> query;
  {
    const ServerText server_text(&settings_);
    ASSIGN_OR_RETURN(query, BindQuery(*select->query, input, &facts));
  }
  ASSIGN_OR_RETURN(std::unique_ptr<RowSource> rows, OpenQuery(*query, facts, parameters));
  return SendRows(*query, parameters, rows.get(), sink);
}

Result<std::vector<std::vector<row::Value>>> Session::CollectQueryText(std::string_view text) {
  class Collector final : public ResultSink {
   public:
    Status OnColumns(std::span<const ResultColumn>) override { return {}; }
    Status OnRow(std::span<const row::Value> row) override {
      rows.push_back(OwnedCopy({row.begin(), row.end()}));
      return {};
    }
    void OnDone(const OkInfo&) override {}
    void OnError(const Status&, uint16_t) override {}
    std::vector<std::vector<row::Value>> rows;
  };
  Collector collector;
  RETURN_IF_ERROR(RunQueryText(text, collector));
  return std::move(collector.rows);
}

}  // namespace borealis::sql
