#include "sql/program/session_programs.h"

#include <algorithm>

#include "base/mysql_error.h"

namespace borealis::sql {

SessionPrograms& SessionPrograms::Of(Session* session) {
  if (session->programs() == nullptr) {
    session->programs() = std::make_unique<SessionPrograms>();
  }
  return static_cast<SessionPrograms&>(*session->programs());
}

std::shared_ptr<CompiledTriggers> SessionPrograms::TriggersOf(const TablePtr& table) {
  for (auto at = tables_.begin(); at != tables_.end(); ++at) {
    const TableDescriptor& known = *(*at)->table;
    if (known.table_id != table->table_id) {
      continue;
    }
    if (known.version == table->version) {
      tables_.splice(tables_.begin(), tables_, at);
      return tables_.front();
    }
    tables_.erase(at);
    break;
  }
  if (tables_.size() >= kTablesMax) {
    tables_.pop_back();
  }
  auto compiled = std::make_shared<CompiledTriggers>();
  compiled->table = table;
  compiled->programs.resize(table->triggers.size());
  tables_.push_front(compiled);
  return compiled;
}

SessionPrograms::StatementTables::StatementTables(SessionPrograms* programs,
                                                  const TableDescriptor& target,
                                                  const std::vector<TablePtr>& tables)
    : programs_(programs), count_(tables.size() + 1) {
  programs_->used_.push_back(target.table_id);
  for (const TablePtr& table : tables) {
    programs_->used_.push_back(table->table_id);
  }
}

// Statements end in the reverse of their order.
SessionPrograms::StatementTables::~StatementTables() {
  programs_->used_.resize(programs_->used_.size() - count_);
}

Status SessionPrograms::CheckMayChange(Session* session, const TableDescriptor& table) {
  if (session->program_depth() == 0) {
    return {};
  }
  const std::vector<uint64_t>& used = Of(session).used_;
  return std::find(used.begin(), used.end(), table.table_id) == used.end()
             ? Status::Ok()
             : UserError(ER_CANT_UPDATE_USED_TABLE_IN_SF_OR_TRG, table.name);
}

}  // namespace borealis::sql
