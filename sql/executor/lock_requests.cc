#include "sql/executor/lock_requests.h"

#include "base/mysql_error.h"
#include "sql/binder/binder.h"
#include "sql/catalog/catalog.h"
#include "sql/executor/show/view_text.h"
#include "sql/parser/parser_mode.h"
#include "sql/session/session.h"

namespace borealis::sql {

bool LockRequests::AddOne(const TableDescriptor& table, bool for_writing) {
  const engine::TableName name{table.schema, table.name};
  for (engine::TableLockRequest& other : requests_) {
    if (other.table == name) {
      const bool stronger = for_writing && !other.for_writing;
      other.for_writing |= for_writing;
      return stronger;
    }
  }
  requests_.push_back({name, for_writing});
  return true;
}

Status LockRequests::AddTablesOfView(const TablePtr& view, bool for_writing) {
  ASSIGN_OR_RETURN(const ViewTraits traits,
                   BindViewDefinition(view, ViewInput(run_.session, view->view->text)));
  for (const TablePtr& table : traits.tables) {
    RETURN_IF_ERROR(Add(table, for_writing));
  }
  return Status::Ok();
}

// What is not there, or is no table, is told when the trigger fires.
Status LockRequests::AddTablesOfTrigger(const TableDescriptor& table,
                                        const TriggerDescriptor& trigger) {
  const Result<Program> program = ParseTriggerBody(trigger.body, trigger.timing, trigger.event,
                                                   ParserOptionsUnder(trigger.sql_mode));
  if (!program.ok()) {
    return Status::Ok();
  }
  Catalog& catalog = *run_.session.environment().catalog;
  for (const ProgramTable& used : program->tables) {
    const std::string& schema = used.name.schema.empty() ? table.schema : used.name.schema;
    if (catalog.IsSystemSchema(schema)) {
      continue;
    }
    const Result<CatalogEntry> entry = catalog.Find(schema, used.name.name);
    if (entry.ok()) {
      RETURN_IF_ERROR(Add(entry->table, used.changed));
    } else if (entry.status().user_errno() == 0) {
      return entry.status();
    }
  }
  return Status::Ok();
}

Status LockRequests::Add(const TablePtr& table, bool for_writing) {
  if (!AddOne(*table, for_writing)) {
    return Status::Ok();
  }
  if (table->kind == TableKind::kView) {
    return AddTablesOfView(table, for_writing);
  }
  if (for_writing) {
    for (const TriggerDescriptor& trigger : table->triggers) {
      RETURN_IF_ERROR(AddTablesOfTrigger(*table, trigger));
    }
  }
  return Status::Ok();
}

}  // namespace borealis::sql
