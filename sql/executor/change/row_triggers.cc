#include "sql/executor/change/row_triggers.h"

#include <algorithm>

#include "base/mysql_error.h"
#include "sql/executor/change/table_writer.h"
#include "sql/session/session.h"

namespace borealis::sql {

std::unique_ptr<RowTriggers> RowTriggers::Of(StatementRun& run, const TablePtr& table,
                                             const StatementFacts& facts) {
  return table->triggers.empty() ? nullptr
                                 : std::make_unique<RowTriggers>(&run.session, table, facts);
}

RowTriggers::RowTriggers(Session* session, const TablePtr& table, const StatementFacts& facts)
    : session_(*session),
      table_(table),
      in_use_(&SessionPrograms::Of(session), *table, facts.base_tables) {
  for (const TriggerDescriptor& trigger : table->triggers) {
    present_[static_cast<size_t>(trigger.timing)][static_cast<size_t>(trigger.event)] = true;
  }
}

Status RowTriggers::Fire(TriggerTiming timing, TriggerEvent event,
                         const std::vector<row::Value>* old_row, std::vector<row::Value>* new_row) {
  if (!Has(timing, event)) {
    return {};
  }
  if (session_.program_depth() >= kNestingMax) {
    return UserError(ER_NOT_SUPPORTED_YET, "triggers nested more than 32 deep");
  }
  nulled_.clear();
  if (compiled_ == nullptr) {
    compiled_ = SessionPrograms::Of(&session_).TriggersOf(table_);
  }
  for (size_t i = 0; i < table_->triggers.size(); ++i) {
    const TriggerDescriptor& trigger = table_->triggers[i];
    if (trigger.timing != timing || trigger.event != event) {
      continue;
    }
    std::unique_ptr<TriggerProgram>& program = compiled_->programs[i];
    if (program == nullptr) {
      ASSIGN_OR_RETURN(program, TriggerProgram::Compile(&session_, *table_, trigger));
    }
    RETURN_IF_ERROR(program->Fire(old_row, new_row, &nulled_));
  }
  return {};
}

Status RowTriggers::CheckNulled(const std::vector<row::Value>& row) const {
  for (const uint32_t number : nulled_) {
    const ColumnDescriptor& column = table_->columns[number];
    if (row[number].is_null() && !column.type.nullable && !column.auto_increment) {
      return UserError(ER_BAD_NULL_ERROR, column.name);
    }
  }
  return {};
}

Status FireBeforeUpdate(TableWriter* writer, RowTriggers* triggers,
                        const std::vector<row::Value>& before, bool ignore, bool multi_row,
                        std::vector<bool>* assigned, std::vector<row::Value>* after) {
  const bool changes =
      !std::equal(before.begin(), before.end(), after->begin(), after->end(),
                  [](const row::Value& a, const row::Value& b) { return a.Identical(b); });
  if (changes) {
    writer->TouchTimestamps(*assigned, after);
  }
  assigned->assign(assigned->size(), true);
  RETURN_IF_ERROR(writer->ComputeGenerated(after));
  RETURN_IF_ERROR(triggers->Before(TriggerEvent::kUpdate, &before, after));
  if (Status nulled = triggers->CheckNulled(*after); !nulled.ok()) {
    return ignore ? Status::NotFound("row left as it was") : nulled;
  }
  writer->set_defers_nulls(false);
  return writer->CheckNulls(nullptr, multi_row, after);
}

}  // namespace borealis::sql
