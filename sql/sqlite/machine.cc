#include "sql/sqlite/machine.h"

#include <sqlite3.h>

#include <algorithm>
#include <cstdio>
#include <mutex>
#include <utility>

#include "base/mysql_error.h"
#include "engine/row_sampler.h"
#include "row/collation.h"
#include "sql/sqlite/computed_table.h"
#include "sql/sqlite/register_io.h"
#include "sql/sqlite/run_internal.h"
#include "sql/sqlite/table_module.h"

namespace borealis::sql {
namespace {

// Opcodes between two looks at the kill flag: well under a millisecond.
constexpr int kProgressOpcodes = 2000;
// How many rows the planner looks at: a few pages, which a busy table has in memory.
constexpr uint32_t kSampledLeaves = 4;
constexpr uint32_t kSampledRowsOfLeaf = 64;

// Process-wide settings, before the first connection.
void ConfigureOnce() {
  static std::once_flag once;
  std::call_once(once, [] {
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    sqlite3_config(SQLITE_CONFIG_MULTITHREAD);
    sqlite3_initialize();
  });
}

}  // namespace

CompiledQuery::~CompiledQuery() {
  sqlite3_finalize(statement_);
  for (sqlite3_stmt* statement : computed_statements_) {
    sqlite3_finalize(statement);
  }
}

Result<std::unique_ptr<QueryMachine>> QueryMachine::Open() {
  ConfigureOnce();
  std::unique_ptr<QueryMachine> machine(new QueryMachine());
  int rc = sqlite3_open_v2(
      ":memory:", &machine->connection_,
      SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_MEMORY,
      nullptr);
  if (rc != SQLITE_OK) {
    return machine->MachineError("open");
  }
  sqlite3* connection = machine->connection_;
  sqlite3_extended_result_codes(connection, 1);
  // A name in double quotes that is no column must be an error, never a string.
  sqlite3_db_config(connection, SQLITE_DBCONFIG_DQS_DML, 0, nullptr);
  sqlite3_db_config(connection, SQLITE_DBCONFIG_DQS_DDL, 0, nullptr);
  sqlite3_limit(connection, SQLITE_LIMIT_COMPOUND_SELECT, 5000);
  sqlite3_progress_handler(connection, kProgressOpcodes, &MachineCallbacks::Progress,
                           machine.get());
  sqlite3_collation_needed(connection, nullptr, &MachineCallbacks::CollationNeeded);
  constexpr int kPure = SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS;
  constexpr int kVarying = SQLITE_UTF8 | SQLITE_INNOCUOUS;
  if (sqlite3_create_function_v2(connection, "bf", -1, kPure, machine.get(),
                                 &MachineCallbacks::Scalar, nullptr, nullptr,
                                 nullptr) != SQLITE_OK ||
      sqlite3_create_function_v2(connection, "bv", -1, kVarying, machine.get(),
                                 &MachineCallbacks::Scalar, nullptr, nullptr,
                                 nullptr) != SQLITE_OK ||
      sqlite3_create_function_v2(connection, "bdepth", 2, kPure, machine.get(),
                                 &MachineCallbacks::NextDepth, nullptr, nullptr,
                                 nullptr) != SQLITE_OK) {
    return machine->MachineError("register functions");
  }
  return machine;
}

QueryMachine::~QueryMachine() {
  sqlite3_close_v2(connection_);
}

Status QueryMachine::MachineError(std::string_view what) const {
  // What the machine cannot say is refused; it is no fault of the server's.
  struct Refusal {
    std::string_view told;
    std::string_view construct;
  };
  constexpr int kTablesMax =
      61;  // as MySQL has it; the machine's 64 are met in views that it merges
  static constexpr Refusal kRefusals[] = {
      {"misuse of aggregate", "an aggregate of an outer query in this place"},
      {"misuse of window function", "a window function in this place"},
      {"Expression tree is too large", "an expression nested as deep as this one"},
      {"parser stack overflow", "an expression nested as deep as this one"},
      {"too many terms in compound SELECT", "a set operation over as many queries as these"},
  };
  const std::string_view told = connection_ != nullptr ? sqlite3_errmsg(connection_) : "";
  for (const Refusal& refusal : kRefusals) {
    if (told.find(refusal.told) != std::string_view::npos) {
      return UserError(ER_NOT_SUPPORTED_YET, refusal.construct);
    }
  }
  if (told.ends_with("tables in a join")) {
    return UserError(ER_TOO_MANY_TABLES, kTablesMax);
  }
  if (told.starts_with("too many columns in")) {
    return UserError(ER_TOO_MANY_FIELDS);
  }
  return Status::Internal(std::string(what) + ": " +
                          (connection_ != nullptr ? sqlite3_errmsg(connection_) : "no memory"));
}

Status QueryMachine::RegisterAggregate(size_t site) {
  if (site < aggregates_.size() && aggregates_[site] != nullptr) {
    return {};
  }
  if (aggregates_.size() <= site) {
    aggregates_.resize(site + 1);
  }
  aggregates_[site] = std::make_unique<AggregateSlot>();
  aggregates_[site]->machine = this;
  aggregates_[site]->site = site;
  std::string name = "ba" + std::to_string(site);
  int rc = sqlite3_create_window_function(
      connection_, name.c_str(), -1, SQLITE_UTF8 | SQLITE_INNOCUOUS, aggregates_[site].get(),
      &MachineCallbacks::AggregateStep, &MachineCallbacks::AggregateFinal,
      &MachineCallbacks::AggregateValue, &MachineCallbacks::AggregateInverse, nullptr);
  return rc == SQLITE_OK ? Status() : MachineError("register aggregate");
}

Status QueryMachine::RegisterComputed(const ComputedTable& table) {
  std::string name = ModuleName(table);
  if (computed_modules_.contains(name)) {
    return {};
  }
  RETURN_IF_ERROR(ComputedModule::Register(connection_, name, this, table));
  computed_modules_.insert(std::move(name));
  return {};
}

Result<TableModule*> QueryMachine::ModuleFor(const ModuleUse& use, const Catalog& catalog) {
  auto found = modules_.find(use.module);
  if (found != modules_.end()) {
    return found->second;
  }
  ASSIGN_OR_RETURN(std::unique_ptr<TableModule> module, TableModule::Make(use, this, catalog));
  TableModule* raw = module.get();
  RETURN_IF_ERROR(TableModule::Register(connection_, use.module, std::move(module)));
  modules_[use.module] = raw;
  return raw;
}

Status QueryMachine::LowerInto(const BoundQuery& query, const Catalog& catalog,
                               const LoweringOptions& options, CompiledQuery* compiled) {
  ASSIGN_OR_RETURN(compiled->lowered_, Lower(query, options));
  compiled->modules_.clear();
  for (const ModuleUse& use : compiled->lowered_.modules) {
    ASSIGN_OR_RETURN(TableModule * module, ModuleFor(use, catalog));
    compiled->modules_.push_back(module);
  }
  for (size_t i = 0; i < compiled->lowered_.sites.size(); ++i) {
    CallKind kind = compiled->lowered_.sites[i].kind;
    if (kind == CallKind::kAggregate || kind == CallKind::kSingleRow) {
      RETURN_IF_ERROR(RegisterAggregate(i));
    }
  }
  for (const ComputedTable& table : compiled->lowered_.computed) {
    RETURN_IF_ERROR(RegisterComputed(table));
  }
  return {};
}

Result<sqlite3_stmt*> QueryMachine::Prepare(const std::string& sql) {
  sqlite3_stmt* statement = nullptr;
  const int rc = sqlite3_prepare_v3(connection_, sql.data(), static_cast<int>(sql.size()),
                                    SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  return rc == SQLITE_OK ? Result<sqlite3_stmt*>(statement) : MachineError("compile [" + sql + "]");
}

Result<std::unique_ptr<CompiledQuery>> QueryMachine::Compile(const BoundQuery& query,
                                                             const Catalog& catalog,
                                                             const LoweringOptions& options) {
  std::unique_ptr<CompiledQuery> compiled(new CompiledQuery());
  LoweringOptions lowering = options;
  lowering.module_per_table = reads_.has_value();
  RETURN_IF_ERROR(LowerInto(query, catalog, lowering, compiled.get()));
  if (compiled->lowered_.may_hash) {
    ASSIGN_OR_RETURN(lowering.hashed, TablesSortedToGroup(compiled->lowered_));
    if (!lowering.hashed.empty()) {
      RETURN_IF_ERROR(LowerInto(query, catalog, lowering, compiled.get()));
    }
  }
  for (const ResultColumn& column : query.columns) {
    compiled->column_types_.push_back(column.type);
  }
  for (const size_t column : compiled->lowered_.text_columns) {
    compiled->column_types_[column] =
        row::Type::Varchar(row::DisplayWidth(query.columns[column].type), row::kDefaultCollation);
  }
  const LoweredQuery* const around = std::exchange(compiling_, &compiled->lowered_);
  Status status = [&]() -> Status {
    ASSIGN_OR_RETURN(compiled->statement_, Prepare(compiled->lowered_.sql));
    for (const ComputedTable& table : compiled->lowered_.computed) {
      compiled->computed_statements_.push_back(nullptr);
      if (table.is_kept()) {
        ASSIGN_OR_RETURN(compiled->computed_statements_.back(), Prepare(table.sql));
      }
    }
    return {};
  }();
  compiling_ = around;
  samples_.clear();
  RETURN_IF_ERROR(status);
  return compiled;
}

Result<std::set<uint32_t>> QueryMachine::TablesSortedToGroup(const LoweredQuery& lowered) {
  std::vector<PlanStep> steps;
  const LoweredQuery* const around = std::exchange(compiling_, &lowered);
  Status explained = ExplainText(lowered.sql, &steps);
  compiling_ = around;
  RETURN_IF_ERROR(explained);
  std::set<int> selects;
  for (const PlanStep& step : steps) {
    if (step.detail == "USE TEMP B-TREE FOR GROUP BY") {
      selects.insert(step.parent);
    }
  }
  std::set<uint32_t> tables;
  for (const PlanStep& step : steps) {
    // "SCAN t12 …"; with OR a table has steps of its own, which its siblings stand for.
    unsigned table = 0;
    if (selects.contains(step.parent) && (sscanf(step.detail.c_str(), "SCAN t%u", &table) == 1 ||
                                          sscanf(step.detail.c_str(), "SEARCH t%u", &table) == 1)) {
      tables.insert(table);
    }
  }
  return tables;
}

std::vector<const ConstantList*> QueryMachine::ListsOf(const TableModule& module,
                                                       uint32_t column) const {
  std::vector<const ConstantList*> found;
  if (compiling_ == nullptr) {
    return found;
  }
  for (const ConstantList& list : compiling_->lists) {
    const auto known = modules_.find(list.module);
    if (list.column == column && known != modules_.end() && known->second == &module) {
      found.push_back(&list);
    }
  }
  return found;
}

const ConstantList* QueryMachine::ListOf(const TableModule& module, uint32_t column) const {
  const std::vector<const ConstantList*> lists = ListsOf(module, column);
  return lists.size() == 1 ? lists.front() : nullptr;
}

const ConstantList* QueryMachine::LongestListOf(const TableModule& module, uint32_t column) const {
  const std::vector<const ConstantList*> lists = ListsOf(module, column);
  const auto longest = std::ranges::max_element(
      lists, {}, [](const ConstantList* list) { return list->values.size(); });
  return longest != lists.end() ? *longest : nullptr;
}

const RowFilter* QueryMachine::FilterOf(size_t number) const {
  return compiling_ != nullptr && number < compiling_->filters.size() ? &compiling_->filters[number]
                                                                      : nullptr;
}

const RowSample* QueryMachine::SampleOf(const TableModule& module) {
  if (compiling_ == nullptr || compiling_->modules.size() < 2 || module.engine_table() == nullptr) {
    return nullptr;
  }
  const auto [at, is_new] = samples_.try_emplace(&module);
  RowSample& sample = at->second;
  if (is_new) {
    const auto see = [&](std::string_view row) { sample.rows.emplace_back(row); };
    const Status seen = engine::SampleRows(*module.engine_table(), kSampledLeaves,
                                           kSampledRowsOfLeaf, see, &sample.whole);
    if (!seen.ok()) {
      sample = {};
    }
  }
  return &sample;
}

bool QueryMachine::IsJoined(const TableModule& module, uint32_t column) const {
  return compiling_ != nullptr &&
         std::ranges::any_of(compiling_->joined, [&](const JoinedColumn& joined) {
           const auto known = modules_.find(joined.module);
           return joined.column == column && known != modules_.end() && known->second == &module;
         });
}

Result<std::unique_ptr<RowSource>> QueryMachine::Run(CompiledQuery* query,
                                                     const RunContext& context,
                                                     std::span<const TypedValue> parameters) {
  INVARIANT(!query->running_);
  for (TableModule* module : query->modules_) {
    RETURN_IF_ERROR(module->OpenFor(context));
  }
  const std::vector<row::Type>& types = query->lowered_.parameters;
  for (size_t i = 0; i < types.size(); ++i) {
    if (types[i].is_null()) {
      continue;
    }
    if (i >= parameters.size()) {
      return Status::Internal("parameter without a value");
    }
    const auto bind = [&](sqlite3_stmt* statement) -> Status {
      Status bound =
          BindRegister(statement, static_cast<int>(i + 1), parameters[i].value, types[i]);
      return std::move(bound).Annotate("parameter " + std::to_string(i));
    };
    RETURN_IF_ERROR(bind(query->statement_));
    for (sqlite3_stmt* statement : query->computed_statements_) {
      RETURN_IF_ERROR(statement != nullptr ? bind(statement) : Status());
    }
  }
  return std::unique_ptr<RowSource>(std::make_unique<QueryRun>(this, query, context));
}

QueryRun::~QueryRun() {
  QueryRun* outer = std::exchange(machine_->current_, this);
  if (status_.ok()) {
    // Aggregates of an abandoned run clean up without computing.
    status_ = Status::Cancelled("query ended");
  }
  sqlite3_reset(query_->statement_);
  machine_->current_ = outer;
  query_->running_ = false;
}

Result<bool> QueryRun::Next(std::vector<row::Value>* row) {
  if (done_) {
    return false;
  }
  QueryRun* outer = std::exchange(machine_->current_, this);
  int rc = sqlite3_step(query_->statement_);
  machine_->current_ = outer;
  if (rc == SQLITE_ROW) {
    const std::vector<row::Type>& types = query_->column_types_;
    row->resize(types.size());
    for (size_t i = 0; i < types.size(); ++i) {
      ASSIGN_OR_RETURN((*row)[i], ColumnValue(query_->statement_, static_cast<int>(i), types[i]));
    }
    return true;
  }
  done_ = true;
  if (!status_.ok()) {
    return status_;
  }
  if (rc == SQLITE_DONE) {
    return false;
  }
  if (rc == SQLITE_NOMEM) {
    return Status::NoSpace("query machine out of memory");
  }
  const std::string_view told = sqlite3_errmsg(machine_->connection_);
  for (const std::string_view function : {"ntile", "nth_value"}) {
    if (told.find(function) != std::string_view::npos &&
        told.ends_with("must be a positive integer")) {
      return UserError(ER_WRONG_ARGUMENTS, function);
    }
  }
  return machine_->MachineError("step [" + query_->lowered_.sql + "]");
}

Result<std::vector<QueryMachine::PlanStep>> QueryMachine::Explain(const CompiledQuery& query) {
  std::vector<PlanStep> steps;
  const LoweredQuery* const around = std::exchange(compiling_, &query.lowered_);
  Status status = ExplainText(query.lowered_.sql, &steps);
  for (const ComputedTable& table : query.lowered_.computed) {
    if (status.ok() && !table.sql.empty()) {
      status = ExplainText(table.sql, &steps);
    }
  }
  compiling_ = around;
  RETURN_IF_ERROR(status);
  return steps;
}

Status QueryMachine::ExplainText(const std::string& text, std::vector<PlanStep>* steps) {
  std::string sql = "EXPLAIN QUERY PLAN " + text;
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v2(connection_, sql.data(), static_cast<int>(sql.size()), &statement,
                         nullptr) != SQLITE_OK) {
    return MachineError("explain");
  }
  while (sqlite3_step(statement) == SQLITE_ROW) {
    PlanStep step;
    step.id = sqlite3_column_int(statement, 0);
    step.parent = sqlite3_column_int(statement, 1);
    const auto* detail = sqlite3_column_text(statement, 3);
    step.detail = detail != nullptr ? reinterpret_cast<const char*>(detail) : "";
    steps->push_back(std::move(step));
  }
  sqlite3_finalize(statement);
  return {};
}

}  // namespace borealis::sql
