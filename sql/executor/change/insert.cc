// INSERT and REPLACE: rows from VALUES or a query. LAST_INSERT_ID is the first number that the
// statement generated.
#include "sql/executor/change/insert.h"

#include <fmt/format.h>

#include "sql/ast/stmt.h"
#include "sql/binder/binder.h"
#include "sql/executor/change/change_plan.h"
#include "sql/executor/change/row_inserter.h"
#include "sql/executor/change/row_spool.h"
#include "sql/executor/change/value_row_reader.h"
#include "sql/session/server_file.h"
#include "sql/session/session.h"
#include "sql/sqlite/row_source.h"

namespace borealis::sql {

namespace {

class InsertRun {
 public:
  InsertRun(StatementRun& run, ChangePlan& plan)
      : run_(run),
        insert_(*plan.insert),
        facts_(plan.facts),
        kept_query_(KeptQuery(run, plan)),
        session_(run.session) {}

  Status Execute();

 private:
  Status InsertValues();
  Status InsertQuery();
  bool MayReadMeanwhile() const;
  Status InsertSelected(const RowValues& values);
  void Report();

  StatementRun& run_;
  const BoundInsert& insert_;
  const StatementFacts& facts_;
  std::unique_ptr<CompiledQuery>* const kept_query_;
  Session& session_;
  std::unique_ptr<RowInserter> inserter_;
  RowValues blank_;
  RowValues row_;  // the one at hand
  std::vector<bool> given_;
  uint64_t records_ = 0;
  uint64_t row_number_ = 1;  // in messages: rows that IGNORE skips have that of the next
};

Status InsertRun::Execute() {
  const bool multi_row = insert_.values.size() > 1 || insert_.query != nullptr;
  ASSIGN_OR_RETURN(inserter_, RowInserter::Open(run_, insert_, facts_, multi_row));
  session_.diagnostics().set_strict(inserter_->writer().strict());
  inserter_->writer().set_tells_nulls_once();
  inserter_->StartBatches();
  blank_ = inserter_->writer().BlankRow();
  Status done = inserter_->Finish(insert_.query != nullptr ? InsertQuery() : InsertValues());
  session_.diagnostics().set_strict(false);
  RETURN_IF_ERROR(std::move(done));
  Report();
  return Status::Ok();
}

Status InsertRun::InsertValues() {
  ValueRowReader reader(run_, insert_, &inserter_->writer(), inserter_->multi_row());
  for (size_t i = 0; i < reader.size(); ++i) {
    RETURN_IF_ERROR(session_.CheckInterrupt());
    ++records_;
    inserter_->writer().set_row_number(row_number_);
    if (!reader.IsPlain(i)) {
      RETURN_IF_ERROR(inserter_->PutIn());
    }
    RETURN_IF_ERROR(reader.Read(i, &row_, &given_));
    ASSIGN_OR_RETURN(const bool tried, inserter_->Add(given_, nullptr, &row_));
    row_number_ += tried ? 1 : 0;
  }
  return Status::Ok();
}

// Rows go in while the query is read, unless it could meet them, or what they make happen to
// others.
bool InsertRun::MayReadMeanwhile() const {
  return !insert_.query_reads_table && !facts_.uses_system_tables && !insert_.replace &&
         insert_.on_duplicate.empty() && insert_.table->triggers.empty();
}

Status InsertRun::InsertQuery() {
  RowValues values;
  ASSIGN_OR_RETURN(auto source,
                   session_.OpenQuery(*insert_.query, facts_, run_.parameters, kept_query_));
  if (MayReadMeanwhile()) {
    for (;;) {
      ASSIGN_OR_RETURN(const bool more, source->Next(&values));
      RETURN_IF_ERROR(session_.diagnostics().strict_error());
      if (!more) {
        return Status::Ok();
      }
      RETURN_IF_ERROR(InsertSelected(values));
    }
  }
  RowSpool rows(TemporaryDirectory(session_));
  for (;;) {
    ASSIGN_OR_RETURN(const bool more, source->Next(&values));
    if (!more) {
      break;
    }
    RETURN_IF_ERROR(rows.Add(values));
  }
  source = nullptr;
  RETURN_IF_ERROR(session_.diagnostics().strict_error());
  for (;;) {
    ASSIGN_OR_RETURN(const bool more, rows.Next(&values));
    if (!more) {
      return Status::Ok();
    }
    RETURN_IF_ERROR(InsertSelected(values));
  }
}

Status InsertRun::InsertSelected(const RowValues& values) {
  TableWriter& writer = inserter_->writer();
  RETURN_IF_ERROR(session_.CheckInterrupt());
  ++records_;
  writer.set_row_number(row_number_);
  row_ = blank_;
  given_.assign(blank_.size(), false);
  for (size_t i = 0; i < insert_.columns.size(); ++i) {
    RETURN_IF_ERROR(writer.Store(insert_.columns[i], values[i], insert_.query->columns[i].type,
                                 inserter_->multi_row(), &row_));
    given_[insert_.columns[i]] = true;
  }
  ASSIGN_OR_RETURN(const bool tried, inserter_->Add(given_, &values, &row_));
  row_number_ += tried ? 1 : 0;
  return Status::Ok();
}

void InsertRun::Report() {
  run_.ok.affected_rows = inserter_->affected();
  // The packet tells the last explicit value when none was generated, if there is a row that has
  // gone in; LAST_INSERT_ID() does not.
  const uint64_t generated = inserter_->first_generated();
  // A query's row is put back for the next one before anybody looks where it may have been changed.
  const bool put_back = insert_.query != nullptr &&
                        (!insert_.table->triggers.empty() || !insert_.on_duplicate.empty());
  const uint64_t given = inserter_->affected() > 0 && !put_back ? inserter_->explicit_id() : 0;
  run_.ok.last_insert_id = generated != 0 ? generated : given;
  if (generated != 0) {
    session_.set_last_insert_id(generated);
  }
  if (inserter_->multi_row()) {
    run_.ok.info = fmt::format("Records: {}  Duplicates: {}  Warnings: {}",
                               records_ - inserter_->turned_away(), inserter_->duplicates(),
                               session_.diagnostics().count());
  }
}

}  // namespace

Status ExecuteInsert(StatementRun& run) {
  ChangePlan own;
  ChangePlan& plan = PlanOf(run, &own);
  if (plan.insert == nullptr) {
    ASSIGN_OR_RETURN(plan.insert,
                     BindInsert(run.statement.As<InsertStmt>(), InputOf(run), &plan.facts));
  }
  return InsertRun(run, plan).Execute();
}

}  // namespace borealis::sql
