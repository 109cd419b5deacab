// EXPLAIN ANALYZE: runs the query, sends none of its rows, and shows with EXPLAIN's tree what was
// read of each table and when. Of operations that read no table it knows the outermost only, whose
// rows are the query's; the machine does not tell of the others.
#include <chrono>
#include <utility>

#include "sql/session/session_internal.h"

namespace borealis::sql {
namespace {

// Whether the rows of the tree's first line are the query's: an aggregation without a line of its
// own makes others of them.
bool FirstLineGivesTheRows(const BoundQuery& query, const ExplainRow& first) {
  const BoundSelect* select = query.body.select.get();
  return select != nullptr && (!select->aggregated || first.rollup ||
                               first.Notes("Using temporary") || first.Notes("Using filesort"));
}

// While it lives, the session's queries run on a machine of their own, which counts what it reads.
class CountingMachine {
 public:
  explicit CountingMachine(std::unique_ptr<QueryMachine>* machine) : machine_(machine) {}
  ~CountingMachine() {
    if (opened_) {
      *machine_ = std::move(usual_);
    }
  }
  CountingMachine(const CountingMachine&) = delete;
  CountingMachine& operator=(const CountingMachine&) = delete;

  Status Open() {
    ASSIGN_OR_RETURN(std::unique_ptr<QueryMachine> counting, QueryMachine::Open());
    counting->CountReads();
    usual_ = std::exchange(*machine_, std::move(counting));
    opened_ = true;
    return Status::Ok();
  }

 private:
  std::unique_ptr<QueryMachine>* const machine_;
  std::unique_ptr<QueryMachine> usual_;
  bool opened_ = false;
};

}  // namespace

Status Session::AnalyzeQuery(const BoundQuery& query, const StatementFacts& facts,
                             const StatementRun& run) {
  RETURN_IF_ERROR(facts.locks_for_update ? CheckMayLockForUpdate(facts) : Status::Ok());
  CountingMachine counting(&machine_);
  RETURN_IF_ERROR(counting.Open());
  std::vector<ExplainRow> rows;
  RETURN_IF_ERROR(ExplainQuery(query, "", &rows));
  ASSIGN_OR_RETURN(const TableReads sent, ReadAll(query, facts, run.parameters));
  for (ExplainRow& row : rows) {
    if (row.has_table && !row.Notes("Table function: json_table")) {
      row.reads = *machine_->ReadsOf(row.table_number);
    }
  }
  const bool of_first = !rows.empty() && FirstLineGivesTheRows(query, rows.front());
  return SendExplainText(ExplainAsTree(rows, of_first ? &sent : nullptr), run.sink);
}

Result<TableReads> Session::ReadAll(const BoundQuery& query, const StatementFacts& facts,
                                    std::span<const TypedValue> parameters) {
  const auto began = std::chrono::steady_clock::now();
  TableReads sent;
  sent.loops = 1;
  // As the statement itself would be compiled.
  LoweringOptions options;
  options.keep_values = true;
  ASSIGN_OR_RETURN(QueryMachine * machine, Machine());
  ASSIGN_OR_RETURN(std::unique_ptr<CompiledQuery> compiled,
                   machine->Compile(query, catalog(), options));
  ASSIGN_OR_RETURN(const std::unique_ptr<RowSource> source,
                   OpenQuery(query, facts, parameters, &compiled));
  std::vector<row::Value> row;
  for (;;) {
    ASSIGN_OR_RETURN(const bool found, source->Next(&row));
    sent.all_rows = std::chrono::steady_clock::now() - began;
    if (sent.rows == 0) {
      sent.first_row = sent.all_rows;
    }
    if (!found) {
      return sent;
    }
    ++sent.rows;
  }
}

}  // namespace borealis::sql
