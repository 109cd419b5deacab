// Triggers as MySQL shows them: SHOW CREATE TRIGGER, and the rows of information_schema.TRIGGERS
// that SHOW TRIGGERS lists.
#pragma once

#include <string>
#include <string_view>

#include "sql/ast/admin.h"
#include "sql/catalog/table_descriptor.h"
#include "sql/executor/executor.h"
#include "sql/executor/show/create_text.h"

namespace borealis::sql {

// Null: the table has no trigger of the name.
const TriggerDescriptor* FindTrigger(const TableDescriptor& table, std::string_view name);
// From 1, among those of its timing and event.
uint64_t TriggerOrderNumber(const TableDescriptor& table, const TriggerDescriptor& trigger);

std::string CreateTriggerText(const TableDescriptor& table, const TriggerDescriptor& trigger,
                              const CreateTextOptions& options);

// `options` with a zone. Errors: 1046, 1049, 1360; 1227 without the privilege TRIGGER on the table.
Status ShowCreateTrigger(StatementRun& run, const ShowStmt& show, const CreateTextOptions& options);

}  // namespace borealis::sql
