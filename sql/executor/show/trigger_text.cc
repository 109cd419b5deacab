#include "sql/executor/show/trigger_text.h"

#include <fmt/format.h>

#include "base/mysql_error.h"
#include "row/collation.h"
#include "row/sql_mode.h"
#include "row/temporal.h"
#include "row/time_zone.h"
#include "sql/executor/definition/definition_run.h"
#include "sql/executor/definition/trigger_names.h"
#include "sql/executor/show/show_rows.h"
#include "sql/session/session.h"

namespace borealis::sql {
namespace {

// MySQL shows this time in the server's zone, whatever the session's is.
Result<row::Value> ShownInServerZone(int64_t utc_us, const row::TimeZone& session) {
  ASSIGN_OR_RETURN(const std::shared_ptr<const row::TimeZone> server,
                   row::TimeZone::Find("SYSTEM"));
  return row::Value::Timestamp(session.ToUtc(row::UnpackDateTime(server->ToLocal(utc_us))));
}

Status SendCreateTrigger(StatementRun& run, const TableDescriptor& table,
                         const TriggerDescriptor& trigger, const CreateTextOptions& options) {
  constexpr uint64_t kTriggerNameChars = 192;
  constexpr uint64_t kModeChars = 117;
  // What clients are told of the time has no digits, though the values have two.
  ResultColumn created_column = NumberColumn("Created", row::Type::Timestamp(2).NotNull());
  const ResultColumn columns[] = {
      TextColumn("Trigger", kTriggerNameChars),
      TextColumn("sql_mode", kModeChars),
      TextColumn("SQL Original Statement", kStatementChars, true),
      TextColumn("character_set_client", kCharsetNameChars),
      TextColumn("collation_connection", kCharsetNameChars),
      TextColumn("Database Collation", kCharsetNameChars),
      created_column,
  };
  RETURN_IF_ERROR(run.sink.OnColumns(columns));
  const std::string mode = row::SqlModeText(trigger.sql_mode);
  const std::string statement = CreateTriggerText(table, trigger, options);
  ASSIGN_OR_RETURN(const row::Value created, ShownInServerZone(trigger.created_us, *options.zone));
  const row::Value values[] = {
      row::Value::View(trigger.name),
      row::Value::View(mode),
      row::Value::View(statement),
      row::Value::View(row::GetCollation(trigger.client_collation).charset().name),
      row::Value::View(row::GetCollation(trigger.connection_collation).name()),
      row::Value::View(row::GetCollation(trigger.database_collation).name()),
      created,
  };
  return run.sink.OnRow(values);
}

}  // namespace

const TriggerDescriptor* FindTrigger(const TableDescriptor& table, std::string_view name) {
  for (const TriggerDescriptor& trigger : table.triggers) {
    if (SameName(trigger.name, name)) {
      return &trigger;
    }
  }
  return nullptr;
}

uint64_t TriggerOrderNumber(const TableDescriptor& table, const TriggerDescriptor& trigger) {
  uint64_t number = 1;
  for (const TriggerDescriptor& other : table.triggers) {
    if (&other == &trigger) {
      break;
    }
    number += other.timing == trigger.timing && other.event == trigger.event ? 1 : 0;
  }
  return number;
}

std::string CreateTriggerText(const TableDescriptor& table, const TriggerDescriptor& trigger,
                              const CreateTextOptions& options) {
  return fmt::format(
      "CREATE DEFINER={}@{} TRIGGER {} {} {} ON {} FOR EACH ROW {}",
      QuoteNameFor(trigger.definer_user, options), QuoteNameFor(trigger.definer_host, options),
      QuoteNameFor(trigger.name, options), TriggerTimingName(trigger.timing),
      TriggerEventName(trigger.event), QuoteNameFor(table.name, options), trigger.body);
}

Status ShowCreateTrigger(StatementRun& run, const ShowStmt& show,
                         const CreateTextOptions& options) {
  ASSIGN_OR_RETURN(const engine::TableName name, ResolveName(run, show.table));
  RETURN_IF_ERROR(CatalogOf(run).FindSchema(name.schema).status());
  ASSIGN_OR_RETURN(const std::optional<std::string> holder,
                   TableOfTrigger(EngineOf(run), name.schema, name.name));
  if (!holder) {
    return UserError(ER_TRG_DOES_NOT_EXIST);
  }
  if (!run.session.security().OnTable(name.schema, *holder).Has(Privilege::kTrigger)) {
    return UserError(ER_SPECIFIC_ACCESS_DENIED_ERROR, "TRIGGER");
  }
  ASSIGN_OR_RETURN(const CatalogEntry entry, FindStoredTable(run, {name.schema, *holder}));
  const TriggerDescriptor* trigger = FindTrigger(*entry.table, name.name);
  return trigger == nullptr ? UserError(ER_TRG_DOES_NOT_EXIST)
                            : SendCreateTrigger(run, *entry.table, *trigger, options);
}

}  // namespace borealis::sql
