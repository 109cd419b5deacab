// A running query, as the machine's callbacks see it. Shared by this folder's source files only.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "sql/sqlite/kept_values.h"
#include "sql/sqlite/machine.h"
#include "sql/sqlite/row_hash.h"

struct sqlite3;
struct sqlite3_context;
struct sqlite3_value;

namespace borealis::sql {

class QueryRun final : public RowSource {
 public:
  QueryRun(QueryMachine* machine, CompiledQuery* query, const RunContext& context)
      : machine_(machine), query_(query), context_(context) {
    query_->running_ = true;
  }
  ~QueryRun() override;

  Result<bool> Next(std::vector<row::Value>* row) override;

  const RunContext& context() const { return context_; }
  const CallSite& site(size_t number) const { return query_->lowered_.sites[number]; }
  // Null: there is none of that number.
  const RowFilter* filter(size_t number) const {
    const std::vector<RowFilter>& filters = query_->lowered_.filters;
    return number < filters.size() ? &filters[number] : nullptr;
  }
  // Null: there is none of that number.
  const ComputedTable* computed(size_t number) const {
    const std::vector<ComputedTable>& tables = query_->lowered_.computed;
    return number < tables.size() ? &tables[number] : nullptr;
  }
  // Of a computed table: null when it has none that is kept.
  sqlite3_stmt* computed_statement(size_t number) const {
    return query_->computed_statements_[number];
  }
  // Where the arguments of the call at hand are.
  std::vector<row::Value>& stack() { return stack_; }
  // The first error of a callback; the step that it ends reports it.
  void Fail(Status status) {
    if (status_.ok()) {
      status_ = std::move(status);
    }
  }
  const Status& status() const { return status_; }
  // What scans of a table keep from one to the next, by module and plan.
  struct KeptRows {
    bool wanted = false;  // one scan has looked for them
    bool too_many = false;
    std::unique_ptr<RowHash> rows;  // null: not read yet
  };
  KeptRows& Kept(const TableModule& module, const std::string& plan) {
    return kept_[{&module, plan}];
  }
  // What a computed table of values has given (ComputedKind::kValue).
  KeptValues& Values(size_t number) { return values_[number]; }
  Status CheckInterrupt() const {
    return context_.check_interrupt ? context_.check_interrupt() : Status();
  }

 private:
  QueryMachine* machine_;
  CompiledQuery* query_;
  RunContext context_;
  Status status_;
  bool done_ = false;
  std::vector<row::Value> stack_;
  std::map<size_t, KeptValues> values_;
  std::map<std::pair<const TableModule*, std::string>, KeptRows> kept_;
};

// Number `site` of aggregates "ba<site>" in one connection.
struct AggregateSlot {
  QueryMachine* machine = nullptr;
  size_t site = 0;
};

struct MachineCallbacks {
  // Of the rounds of a recursive common table expression, in decimal: all are equal.
  static constexpr const char* kRoundCollation = "round";

  static void Scalar(sqlite3_context* context, int count, sqlite3_value** values);
  // (round, 1 when no row is dropped for being equal to another): the next round of a recursive
  // common table expression. 3636 beyond the limit.
  static void NextDepth(sqlite3_context* context, int count, sqlite3_value** values);
  static void AggregateStep(sqlite3_context* context, int count, sqlite3_value** values);
  static void AggregateInverse(sqlite3_context* context, int count, sqlite3_value** values);
  static void AggregateValue(sqlite3_context* context);
  static void AggregateFinal(sqlite3_context* context);
  static int Progress(void* machine);
  static void CollationNeeded(void* unused, sqlite3* connection, int encoding, const char* name);
  static QueryRun* Current(QueryMachine* machine) { return machine->current_; }
  static sqlite3* Connection(QueryMachine* machine) { return machine->connection_; }
};

}  // namespace borealis::sql
