// The query machine: one SQLite connection that runs typed queries, behind an interface of ours.
//
// A session has one, made when first needed. Compile() turns a typed query into a CompiledQuery
// that may be run again and again with other parameters; Run() starts one and gives its rows.
// Everything that knows SQLite is in this folder.
//
// One thread at a time. A machine outlives its compiled queries, a compiled query its runs. Runs
// may nest (a system table that queries others); a compiled query runs once at a time.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "engine/transaction.h"
#include "sql/binder/query.h"
#include "sql/catalog/catalog.h"
#include "sql/context/typed_value.h"
#include "sql/functions/eval_context.h"
#include "sql/sqlite/lowering.h"
#include "sql/sqlite/read_counts.h"
#include "sql/sqlite/row_source.h"

struct sqlite3;
struct sqlite3_stmt;

namespace borealis::sql {

class Session;
class TableModule;
struct AggregateSlot;

// User variables, for statements that read what they assign.
class VariableStore {
 public:
  virtual ~VariableStore() = default;
  virtual const TypedValue* Find(std::string_view name) const = 0;
  virtual void Set(std::string_view name, TypedValue value) = 0;
};

// What a run works with. Borrowed for as long as the run lives.
struct RunContext {
  const Catalog* catalog = nullptr;
  engine::Transaction* transaction = nullptr;  // may be null when no stored table is read
  EvalContext* eval = nullptr;
  VariableStore* variables = nullptr;
  Session* session = nullptr;  // handed to system tables
  // Ok, or why the statement must stop. Asked often.
  std::function<Status()> check_interrupt;
  // Where rows go that do not fit in memory (tmpdir).
  std::function<std::string()> temporary_directory;
};

// Some rows of a table, as a cursor gives them, by which the planner judges conditions.
struct RowSample {
  std::vector<std::string> rows;
  bool whole = false;  // the table has no others
};

class QueryMachine;

class CompiledQuery {
 public:
  ~CompiledQuery();
  CompiledQuery(const CompiledQuery&) = delete;
  CompiledQuery& operator=(const CompiledQuery&) = delete;

  const std::vector<row::Type>& column_types() const { return column_types_; }
  const LoweredQuery& lowered() const { return lowered_; }
  bool running() const { return running_; }

 private:
  friend class QueryMachine;
  friend class QueryRun;
  CompiledQuery() = default;

  LoweredQuery lowered_;
  std::vector<row::Type> column_types_;
  std::vector<TableModule*> modules_;  // one per table of the statement
  sqlite3_stmt* statement_ = nullptr;
  // Of the computed tables; null where it is not kept.
  std::vector<sqlite3_stmt*> computed_statements_;
  bool running_ = false;
};

class QueryMachine {
 public:
  static Result<std::unique_ptr<QueryMachine>> Open();
  ~QueryMachine();
  QueryMachine(const QueryMachine&) = delete;
  QueryMachine& operator=(const QueryMachine&) = delete;

  Result<std::unique_ptr<CompiledQuery>> Compile(const BoundQuery& query, const Catalog& catalog,
                                                 const LoweringOptions& options = {});
  // eq_range_index_dive_limit, for what is compiled from now on.
  void set_dive_limit(uint64_t limit) { dive_limit_ = limit; }
  uint64_t dive_limit() const { return dive_limit_; }
  // What is compiled from now on counts what it reads.
  void CountReads() { reads_.emplace(); }
  // Null: nothing is counted.
  TableReads* ReadsOf(uint32_t table) { return reads_ ? &(*reads_)[table] : nullptr; }
  // While a query is compiled: the list that it compares a column of a module with; null when there
  // is none, or more than one.
  const ConstantList* ListOf(const TableModule& module, uint32_t column) const;
  // The longest of such lists.
  const ConstantList* LongestListOf(const TableModule& module, uint32_t column) const;
  // While a query is compiled: its filter of that number; null: there is none.
  const RowFilter* FilterOf(size_t number) const;
  // While a join is compiled: some of the table's rows. Null: nothing is to be gained by them.
  const RowSample* SampleOf(const TableModule& module);
  // While a query is compiled: whether it joins the column of a module with other tables.
  bool IsJoined(const TableModule& module, uint32_t column) const;
  // Opens the tables, binds the parameters (by index, as the lowered query numbers them) and gives
  // the rows. kRetry when a table's definition is no longer the one compiled against.
  Result<std::unique_ptr<RowSource>> Run(CompiledQuery* query, const RunContext& context,
                                         std::span<const TypedValue> parameters);
  // One row of the machine's plan, outermost first: how each table is read.
  struct PlanStep {
    int id = 0;
    int parent = 0;
    std::string detail;
  };
  Result<std::vector<PlanStep>> Explain(const CompiledQuery& query);

 private:
  friend class QueryRun;
  friend struct MachineCallbacks;
  QueryMachine() = default;
  Result<TableModule*> ModuleFor(const ModuleUse& use, const Catalog& catalog);
  Status RegisterAggregate(size_t site);
  Status RegisterComputed(const ComputedTable& table);
  // Lowers the query and sees to it that all that its text names is there.
  Status LowerInto(const BoundQuery& query, const Catalog& catalog, const LoweringOptions& options,
                   CompiledQuery* compiled);
  // The tables, by id, of selects that SQLite would sort to group them.
  Result<std::set<uint32_t>> TablesSortedToGroup(const LoweredQuery& lowered);
  Result<sqlite3_stmt*> Prepare(const std::string& sql);
  std::vector<const ConstantList*> ListsOf(const TableModule& module, uint32_t column) const;
  Status ExplainText(const std::string& sql, std::vector<PlanStep>* steps);
  Status MachineError(std::string_view what) const;

  sqlite3* connection_ = nullptr;
  uint64_t dive_limit_ = 200;
  std::optional<ReadCounts> reads_;
  const LoweredQuery* compiling_ = nullptr;
  std::map<const TableModule*, RowSample> samples_;  // of what is being compiled
  class QueryRun* current_ = nullptr;
  std::map<std::string, TableModule*, std::less<>> modules_;  // owned by the connection
  std::vector<std::unique_ptr<AggregateSlot>> aggregates_;
  std::set<std::string> computed_modules_;
};

}  // namespace borealis::sql
