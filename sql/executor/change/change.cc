// UPDATE and DELETE: the bound query yields handles and new values; here they are applied.
//
// A row that a join yields several times is changed once, as MySQL does. The query locks the rows
// it reads. Rows are collected first where the scan could meet its own writes.
#include "sql/executor/change/change.h"

#include <fmt/format.h>

#include <map>
#include <set>

#include "base/mysql_error.h"
#include "sql/ast/stmt.h"
#include "sql/binder/binder.h"
#include "sql/executor/change/change_plan.h"
#include "sql/executor/change/row_triggers.h"
#include "sql/executor/change/table_writer.h"
#include "sql/session/session.h"
#include "sql/sqlite/row_source.h"

namespace borealis::sql {

namespace {

// Calls `apply` for each row of the query, after collecting them all when `materialise` says so.
template <class Apply>
Status ForEachRow(StatementRun& run, const BoundQuery& query, ChangePlan& plan, bool materialise,
                  bool strict, Apply apply) {
  Diagnostics& diagnostics = run.session.diagnostics();
  diagnostics.set_strict(strict);
  ASSIGN_OR_RETURN(auto source,
                   run.session.OpenQuery(query, plan.facts, run.parameters, KeptQuery(run, plan)));
  std::vector<RowValues> collected;
  RowValues row;
  for (;;) {
    ASSIGN_OR_RETURN(const bool more, source->Next(&row));
    RETURN_IF_ERROR(diagnostics.strict_error());
    if (!more) {
      break;
    }
    if (!materialise) {
      RETURN_IF_ERROR(apply(row));
      RETURN_IF_ERROR(diagnostics.strict_error());
      continue;
    }
    for (row::Value& value : row) {
      value.Own();
    }
    collected.push_back(std::move(row));
    row.clear();
  }
  source = nullptr;
  for (const RowValues& one : collected) {
    RETURN_IF_ERROR(run.session.CheckInterrupt());
    RETURN_IF_ERROR(apply(one));
  }
  RETURN_IF_ERROR(run.session.CheckInterrupt());
  RETURN_IF_ERROR(diagnostics.strict_error());
  diagnostics.set_strict(false);
  return Status::Ok();
}

bool SameRow(const RowValues& a, const RowValues& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const row::Value& x, const row::Value& y) { return x.Identical(y); });
}

bool IsJoin(const BoundQuery& query) {
  return query.body.select != nullptr && query.body.select->from != nullptr &&
         query.body.select->from->table == nullptr;
}

class UpdateRun {
 public:
  UpdateRun(StatementRun& run, ChangePlan& plan)
      : run_(run),
        plan_(plan),
        update_(*plan.update),
        may_repeat_(IsJoin(*update_.query)),
        seen_(update_.targets.size()) {}

  Status Execute();

 private:
  Status Apply(const RowValues& values);
  Status ApplyTo(size_t target_no, const RowValues& values);
  Status AssignTo(size_t target_no, const RowValues& values, std::vector<bool>* assigned,
                  RowValues* row);
  bool KeepsValue(size_t target_no, const BoundChangeTarget::NewValue& value,
                  const RowValues& values, const RowValues& row) const;
  Result<bool> Change(size_t target_no, const RowValues& values, const std::vector<bool>& assigned,
                      const RowValues& before, RowValues* after);
  // WITH CHECK OPTION: false where IGNORE lets the row stay as it was.
  Result<bool> CheckViews(const BoundChangeTarget& target, const RowValues& values,
                          const RowValues& after, TableWriter* writer);

  StatementRun& run_;
  ChangePlan& plan_;
  const BoundUpdate& update_;
  // A join may show a row several times: it is changed, and counted, the first time.
  const bool may_repeat_;
  std::vector<std::unique_ptr<TableWriter>> writers_;
  std::vector<std::unique_ptr<RowTriggers>> triggers_;    // by target; null: none
  std::vector<std::set<std::string, std::less<>>> seen_;  // handles, if may_repeat_
  uint64_t matched_ = 0;
  uint64_t changed_ = 0;
};

Status UpdateRun::Execute() {
  for (const BoundChangeTarget& target : update_.targets) {
    ASSIGN_OR_RETURN(auto writer, TableWriter::Open(run_, target.table, update_.ignore));
    writers_.push_back(std::move(writer));
  }
  bool materialise = update_.materialise;
  for (const BoundChangeTarget& target : update_.targets) {
    triggers_.push_back(RowTriggers::Of(run_, target.table, plan_.facts));
    // A trigger may change what the scan goes by.
    materialise |= triggers_.back() != nullptr;
  }
  const bool strict = writers_[0]->strict();
  RETURN_IF_ERROR(ForEachRow(run_, *update_.query, plan_, materialise, strict,
                             [this](const RowValues& values) { return Apply(values); }));
  run_.ok.affected_rows = run_.session.client_found_rows() ? matched_ : changed_;
  run_.ok.info = fmt::format("Rows matched: {}  Changed: {}  Warnings: {}", matched_, changed_,
                             run_.session.diagnostics().count());
  return Status::Ok();
}

Status UpdateRun::Apply(const RowValues& values) {
  for (size_t i = 0; i < update_.targets.size(); ++i) {
    RETURN_IF_ERROR(ApplyTo(i, values));
  }
  return Status::Ok();
}

Result<bool> UpdateRun::CheckViews(const BoundChangeTarget& target, const RowValues& values,
                                   const RowValues& after, TableWriter* writer) {
  for (const BoundViewCheck& check : target.checks) {
    std::map<const BoundTable*, RowValues> others;
    for (const BoundViewCheck::Other& other : check.others) {
      RowValues& row = others[other.table];
      row.resize(other.table->columns.size());
      row[other.column] = values[other.item].Borrow();
    }
    std::vector<EvalFrame::Row> rows{{check.target, after}};
    for (const auto& [table, row] : others) {
      rows.push_back({table, row});
    }
    const Status fulfilled = CheckViewOption(check, rows, writer);
    if (fulfilled.user_errno() == ER_VIEW_CHECK_FAILED && update_.ignore) {
      run_.session.diagnostics().AddWarning(fulfilled);
      return false;
    }
    RETURN_IF_ERROR(fulfilled);
  }
  return true;
}

Status UpdateRun::ApplyTo(size_t target_no, const RowValues& values) {
  const BoundChangeTarget& target = update_.targets[target_no];
  const row::Value& handle = values[target.handle_item];
  if (handle.is_null()) {
    return Status::Ok();  // the outer join found no row of this table
  }
  if (may_repeat_ && !seen_[target_no].insert(std::string(handle.bytes())).second) {
    return Status::Ok();
  }
  TableWriter& writer = *writers_[target_no];
  RowTriggers* triggers = triggers_[target_no].get();
  auto before = writer.ReadLocked(handle.bytes());
  if (before.status().Is(Code::kNotFound)) {
    return Status::Ok();  // this statement deleted it, through another target
  }
  RETURN_IF_ERROR(before.status());
  writer.set_row_number(++matched_);
  RowValues after = *before;
  std::vector<bool> assigned(after.size());
  const bool fires_before =
      triggers != nullptr && triggers->Has(TriggerTiming::kBefore, TriggerEvent::kUpdate);
  writer.set_defers_nulls(fires_before);
  RETURN_IF_ERROR(AssignTo(target_no, values, &assigned, &after));
  if (fires_before) {
    Status fired = FireBeforeUpdate(&writer, triggers, *before, update_.ignore, /*multi_row=*/true,
                                    &assigned, &after);
    if (fired.Is(Code::kNotFound)) {
      return Status::Ok();  // IGNORE lets the row stay as it was
    }
    RETURN_IF_ERROR(std::move(fired));
  }
  if (!SameRow(*before, after)) {
    ASSIGN_OR_RETURN(const bool changed, Change(target_no, values, assigned, *before, &after));
    if (!changed) {
      return Status::Ok();  // IGNORE let the row stay as it was
    }
  }
  return triggers == nullptr ? Status::Ok()
                             : triggers->After(TriggerEvent::kUpdate, &*before, &after);
}

// What a column has already is not tried again: it may be a date of another mode.
bool UpdateRun::KeepsValue(size_t target_no, const BoundChangeTarget::NewValue& value,
                           const RowValues& values, const RowValues& row) const {
  const row::Value& assigned = values[value.item];
  return !assigned.is_null() && assigned.Identical(row[value.column]) &&
         update_.query->columns[value.item].type.Nullable() ==
             update_.targets[target_no].table->columns[value.column].type.Nullable();
}

Status UpdateRun::AssignTo(size_t target_no, const RowValues& values, std::vector<bool>* assigned,
                           RowValues* row) {
  TableWriter& writer = *writers_[target_no];
  RowValues& after = *row;
  for (const BoundChangeTarget::NewValue& value : update_.targets[target_no].values) {
    if (value.item == kDefaultItem) {
      ASSIGN_OR_RETURN(after[value.column], writer.Default(value.column, after));
      after[value.column].Own();
    } else if (!KeepsValue(target_no, value, values, after)) {
      RETURN_IF_ERROR(writer.Store(value.column, values[value.item],
                                   update_.query->columns[value.item].type, /*multi_row=*/true,
                                   &after));
    }
    (*assigned)[value.column] = true;
  }
  return Status::Ok();
}

// A row that differs. False: IGNORE lets it stay as it was.
Result<bool> UpdateRun::Change(size_t target_no, const RowValues& values,
                               const std::vector<bool>& assigned, const RowValues& before,
                               RowValues* after) {
  const BoundChangeTarget& target = update_.targets[target_no];
  TableWriter& writer = *writers_[target_no];
  writer.TouchTimestamps(assigned, after);
  Status status = writer.Complete(after);
  if (status.Is(Code::kNotFound)) {
    return false;  // a check
  }
  RETURN_IF_ERROR(std::move(status));
  ASSIGN_OR_RETURN(const bool allowed, CheckViews(target, values, *after, &writer));
  if (!allowed) {
    return false;
  }
  engine::DuplicateKey duplicate;
  status = writer.Update(values[target.handle_item].bytes(), before, *after, &duplicate);
  if (status.Is(Code::kNotFound)) {
    return false;  // a foreign key
  }
  if (status.Is(Code::kAlreadyExists)) {
    Status error = writer.DuplicateError(*after, duplicate.index_no);
    if (!update_.ignore) {
      return error;
    }
    run_.session.diagnostics().AddWarning(error);
    return false;
  }
  RETURN_IF_ERROR(std::move(status));
  ++changed_;
  const int counted = target.table->auto_increment_column();
  if (counted >= 0 && assigned[static_cast<size_t>(counted)]) {
    RETURN_IF_ERROR(writer.BumpAutoIncrement(*after));
  }
  return true;
}

// DELETE, of one target. False: the row is not deleted.
Result<bool> DeleteRow(std::string_view handle, RowTriggers* triggers, TableWriter* writer) {
  RowValues before;
  if (triggers != nullptr) {
    auto read = writer->ReadLocked(handle);
    if (read.status().Is(Code::kNotFound)) {
      return false;
    }
    RETURN_IF_ERROR(read.status());
    before = std::move(read).value();
    RETURN_IF_ERROR(triggers->Before(TriggerEvent::kDelete, &before, nullptr));
  }
  const Status status = writer->Delete(handle);
  if (status.Is(Code::kNotFound)) {
    return false;  // a join yielded it before, a cascade took it, or IGNORE let it stay
  }
  RETURN_IF_ERROR(status);
  if (triggers != nullptr) {
    RETURN_IF_ERROR(triggers->After(TriggerEvent::kDelete, &before, nullptr));
  }
  return true;
}

}  // namespace

Status ExecuteUpdate(StatementRun& run) {
  ChangePlan own;
  ChangePlan& plan = PlanOf(run, &own);
  if (plan.update == nullptr) {
    ASSIGN_OR_RETURN(plan.update,
                     BindUpdate(run.statement.As<UpdateStmt>(), InputOf(run), &plan.facts));
  }
  return UpdateRun(run, plan).Execute();
}

Status ExecuteDelete(StatementRun& run) {
  ChangePlan own;
  ChangePlan& plan = PlanOf(run, &own);
  if (plan.deletion == nullptr) {
    ASSIGN_OR_RETURN(plan.deletion,
                     BindDelete(run.statement.As<DeleteStmt>(), InputOf(run), &plan.facts));
  }
  const BoundDelete& bound = *plan.deletion;
  std::vector<std::unique_ptr<TableWriter>> writers;
  std::vector<std::unique_ptr<RowTriggers>> triggers;
  for (const BoundChangeTarget& target : bound.targets) {
    ASSIGN_OR_RETURN(auto writer, TableWriter::Open(run, target.table, bound.ignore));
    writers.push_back(std::move(writer));
  }
  for (const BoundChangeTarget& target : bound.targets) {
    triggers.push_back(RowTriggers::Of(run, target.table, plan.facts));
  }
  uint64_t deleted = 0;
  const auto apply = [&](const RowValues& values) -> Status {
    for (size_t i = 0; i < writers.size(); ++i) {
      const row::Value& handle = values[bound.targets[i].handle_item];
      if (handle.is_null()) {
        continue;
      }
      ASSIGN_OR_RETURN(const bool gone,
                       DeleteRow(handle.bytes(), triggers[i].get(), writers[i].get()));
      deleted += gone ? 1 : 0;
    }
    return Status::Ok();
  };
  RETURN_IF_ERROR(
      ForEachRow(run, *bound.query, plan, bound.materialise, writers[0]->strict(), apply));
  run.ok.affected_rows = deleted;
  return Status::Ok();
}

}  // namespace borealis::sql
