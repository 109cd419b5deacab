// information_schema.TRIGGERS: those of tables on which the account has the privilege TRIGGER. In
// the order of SHOW TRIGGERS: by table, event, timing, and as they fire.
#include <algorithm>
#include <tuple>

#include "row/collation.h"
#include "sql/executor/show/trigger_text.h"
#include "sql/executor/tables/sql_mode_column.h"
#include "sql/executor/tables/system_rows.h"
#include "sql/session/session.h"

namespace borealis::sql {
namespace {

constexpr std::string_view kTriggers =
    "TRIGGER_CATALOG varchar(64) BIN NOT NULL, TRIGGER_SCHEMA varchar(64) BIN NOT NULL, "
    "TRIGGER_NAME varchar(64) NOT NULL, EVENT_MANIPULATION enum('INSERT','UPDATE','DELETE') BIN "
    "NOT NULL, EVENT_OBJECT_CATALOG varchar(64) BIN NOT NULL, EVENT_OBJECT_SCHEMA varchar(64) BIN "
    "NOT NULL, EVENT_OBJECT_TABLE varchar(64) BIN NOT NULL, ACTION_ORDER int unsigned NOT NULL, "
    "ACTION_CONDITION binary(0), ACTION_STATEMENT longtext BIN NOT NULL, ACTION_ORIENTATION "
    "varchar(3) NOT NULL DEFAULT '', ACTION_TIMING enum('BEFORE','AFTER') BIN NOT NULL, "
    "ACTION_REFERENCE_OLD_TABLE binary(0), ACTION_REFERENCE_NEW_TABLE binary(0), "
    "ACTION_REFERENCE_OLD_ROW varchar(3) NOT NULL DEFAULT '', ACTION_REFERENCE_NEW_ROW varchar(3) "
    "NOT NULL DEFAULT '', CREATED timestamp(2) NOT NULL, SQL_MODE " BOREALIS_SQL_MODE_COLUMN
    " NOT NULL, DEFINER varchar(288) BIN NOT NULL, CHARACTER_SET_CLIENT varchar(64) NOT NULL, "
    "COLLATION_CONNECTION varchar(64) NOT NULL, DATABASE_COLLATION varchar(64) NOT NULL";

SystemRow TriggerRow(const SystemRows& rows, const TableDescriptor& table,
                     const TriggerDescriptor& trigger) {
  SystemRow row = rows.NewRow();
  row.Text("def").Text(table.schema).Text(trigger.name).Text(TriggerEventName(trigger.event));
  row.Text("def").Text(table.schema).Text(table.name).Number(TriggerOrderNumber(table, trigger));
  row.Null().Text(trigger.body).Text("ROW").Text(TriggerTimingName(trigger.timing)).Null(2);
  row.Text("OLD").Text("NEW").Time(trigger.created_us).Members(trigger.sql_mode);
  row.Text(trigger.definer_user + "@" + trigger.definer_host);
  row.Text(row::GetCollation(trigger.client_collation).charset().name);
  row.Text(row::GetCollation(trigger.connection_collation).name());
  row.Text(row::GetCollation(trigger.database_collation).name());
  return row;
}

Status ScanTriggers(SystemRows& rows) {
  return ForEachTable(rows, 1, 6, [&rows](const CatalogEntry& entry) -> Status {
    const TableDescriptor& table = *entry.table;
    if (table.triggers.empty() ||
        !rows.session().security().OnTable(table.schema, table.name).Has(Privilege::kTrigger)) {
      return Status::Ok();
    }
    std::vector<const TriggerDescriptor*> sorted;
    for (const TriggerDescriptor& trigger : table.triggers) {
      sorted.push_back(&trigger);
    }
    std::stable_sort(sorted.begin(), sorted.end(),
                     [](const TriggerDescriptor* a, const TriggerDescriptor* b) {
                       return std::tie(a->event, a->timing) < std::tie(b->event, b->timing);
                     });
    for (const TriggerDescriptor* trigger : sorted) {
      RETURN_IF_ERROR(rows.Add(TriggerRow(rows, table, *trigger)));
    }
    return Status::Ok();
  });
}

}  // namespace

std::vector<SystemTableDefinition> TriggerSystemTables() {
  // Trigger and table are of one schema.
  return {{"information_schema", "TRIGGERS", kTriggers, ScanTriggers, {1, 6}}};
}

}  // namespace borealis::sql
