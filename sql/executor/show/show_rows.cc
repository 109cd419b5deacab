#include "sql/executor/show/show_rows.h"

#include <fmt/format.h>

#include "base/mysql_error.h"
#include "engine/engine.h"
#include "row/collation.h"
#include "row/convert.h"
#include "sql/binder/binder.h"
#include "sql/binder/evaluate.h"
#include "sql/executor/definition/definition_run.h"
#include "sql/executor/show/innodb_status.h"
#include "sql/functions/eval_context.h"
#include "sql/session/session.h"

namespace borealis::sql {
namespace {

constexpr uint32_t kShortText = 1024;

ResultColumn TextColumn(std::string name) {
  ResultColumn column;
  column.name = std::move(name);
  column.type = row::Type::Varchar(kShortText, row::kDefaultCollation).NotNull();
  return column;
}

std::string_view LevelText(row::WarningLevel level) {
  switch (level) {
    case row::WarningLevel::kNote:
      return "Note";
    case row::WarningLevel::kWarning:
      return "Warning";
    case row::WarningLevel::kError:
      break;
  }
  return "Error";
}

// A number of LIMIT: a literal or a parameter.
Result<uint64_t> LimitNumber(StatementRun& run, const ExprPtr& expr, uint64_t none) {
  if (expr == nullptr) {
    return none;
  }
  BindInput input;
  input.environment = &run.session.binder_environment();
  input.text = run.text;
  input.parameters = run.parameters;
  StatementFacts facts;
  ASSIGN_OR_RETURN(const BoundPtr bound, BindScalar(*expr, input, &facts));
  EvalFrame frame;
  frame.context = &run.session.eval_context();
  frame.parameters = run.parameters;
  ASSIGN_OR_RETURN(const row::Value value, Evaluate(*bound, frame));
  return value.is_null() ? none : static_cast<uint64_t>(value.raw_int());
}

}  // namespace

Status SendTextRows(StatementRun& run, const TextRows& rows) {
  std::vector<ResultColumn> columns;
  for (const std::string& name : rows.columns) {
    columns.push_back(TextColumn(name));
  }
  RETURN_IF_ERROR(run.sink.OnColumns(columns));
  for (const auto& cells : rows.rows) {
    std::vector<row::Value> values;
    for (const std::string& cell : cells) {
      values.push_back(row::Value::View(cell));
    }
    RETURN_IF_ERROR(run.sink.OnRow(values));
  }
  return Status::Ok();
}

Status SendNothing(StatementRun& run, std::initializer_list<std::string_view> columns) {
  TextRows rows;
  for (const std::string_view name : columns) {
    rows.columns.emplace_back(name);
  }
  return SendTextRows(run, rows);
}

Status ShowConditions(StatementRun& run, const ShowStmt& show) {
  uint64_t skip = 0;
  uint64_t limit = ~uint64_t{0};
  if (show.limit.has_value()) {
    ASSIGN_OR_RETURN(skip, LimitNumber(run, show.limit->offset, 0));
    ASSIGN_OR_RETURN(limit, LimitNumber(run, show.limit->count, limit));
  }
  ResultColumn columns[] = {TextColumn("Level"), TextColumn("Code"), TextColumn("Message")};
  columns[0].type = row::Type::Varchar(7, row::kDefaultCollation).NotNull();
  columns[1].type = row::Type::Integer(row::TypeKind::kInt, true).NotNull();
  columns[2].type = row::Type::Varchar(512, row::kDefaultCollation).NotNull();
  RETURN_IF_ERROR(run.sink.OnColumns(columns));
  for (const Condition& condition : run.session.diagnostics().conditions()) {
    if (show.show == ShowKind::kErrors && condition.level != row::WarningLevel::kError) {
      continue;
    }
    if (skip > 0) {
      --skip;
      continue;
    }
    if (limit-- == 0) {
      break;
    }
    const row::Value values[] = {row::Value::View(LevelText(condition.level)),
                                 row::Value::Uint(static_cast<uint64_t>(condition.mysql_errno)),
                                 row::Value::View(condition.message)};
    RETURN_IF_ERROR(run.sink.OnRow(values));
  }
  return Status::Ok();
}

Status ShowConditionCount(StatementRun& run, const ShowStmt& show) {
  const bool errors = show.show == ShowKind::kCountErrors;
  ResultColumn column = TextColumn(errors ? "@@session.error_count" : "@@session.warning_count");
  column.type = row::Type::BigInt(true);
  RETURN_IF_ERROR(run.sink.OnColumns({&column, 1}));
  const Diagnostics& diagnostics = run.session.diagnostics();
  const row::Value count =
      row::Value::Uint(errors ? diagnostics.error_count() : diagnostics.count());
  return run.sink.OnRow({&count, 1});
}

Status ShowEngine(StatementRun& run, const ShowStmt& show) {
  const bool stored = SameName(show.name, "innodb");
  if (!stored && !show.name.empty() && !SameName(show.name, "performance_schema")) {
    return UserError(ER_UNKNOWN_STORAGE_ENGINE, show.name);
  }
  TextRows rows{{"Type", "Name", "Status"}, {}};
  if (show.engine_part == "STATUS" && (stored || show.name.empty())) {
    ASSIGN_OR_RETURN(std::string text, InnodbStatusText(run));
    rows.rows.push_back({"InnoDB", "", std::move(text)});
  }
  return SendTextRows(run, rows);
}

Status ShowReplication(StatementRun& run, const ShowStmt& show) {
  switch (show.show) {
    case ShowKind::kBinaryLogs:
      return UserError(ER_NO_BINARY_LOGGING);
    case ShowKind::kBinaryLogStatus:
      return SendNothing(
          run, {"File", "Position", "Binlog_Do_DB", "Binlog_Ignore_DB", "Executed_Gtid_Set"});
    case ShowKind::kReplicas:
      return SendNothing(run, {"Server_Id", "Host", "Port", "Source_Id", "Replica_UUID"});
    case ShowKind::kReplicaStatus:
      return SendNothing(run, {"Replica_IO_State",
                               "Source_Host",
                               "Source_User",
                               "Source_Port",
                               "Connect_Retry",
                               "Source_Log_File",
                               "Read_Source_Log_Pos",
                               "Relay_Log_File",
                               "Relay_Log_Pos",
                               "Relay_Source_Log_File",
                               "Replica_IO_Running",
                               "Replica_SQL_Running",
                               "Replicate_Do_DB",
                               "Replicate_Ignore_DB",
                               "Replicate_Do_Table",
                               "Replicate_Ignore_Table",
                               "Replicate_Wild_Do_Table",
                               "Replicate_Wild_Ignore_Table",
                               "Last_Errno",
                               "Last_Error",
                               "Skip_Counter",
                               "Exec_Source_Log_Pos",
                               "Relay_Log_Space",
                               "Until_Condition",
                               "Until_Log_File",
                               "Until_Log_Pos",
                               "Source_SSL_Allowed",
                               "Source_SSL_CA_File",
                               "Source_SSL_CA_Path",
                               "Source_SSL_Cert",
                               "Source_SSL_Cipher",
                               "Source_SSL_Key",
                               "Seconds_Behind_Source",
                               "Source_SSL_Verify_Server_Cert",
                               "Last_IO_Errno",
                               "Last_IO_Error",
                               "Last_SQL_Errno",
                               "Last_SQL_Error",
                               "Replicate_Ignore_Server_Ids",
                               "Source_Server_Id",
                               "Source_UUID",
                               "Source_Info_File",
                               "SQL_Delay",
                               "SQL_Remaining_Delay",
                               "Replica_SQL_Running_State",
                               "Source_Retry_Count",
                               "Source_Bind",
                               "Last_IO_Error_Timestamp",
                               "Last_SQL_Error_Timestamp",
                               "Source_SSL_Crl",
                               "Source_SSL_Crlpath",
                               "Retrieved_Gtid_Set",
                               "Executed_Gtid_Set",
                               "Auto_Position",
                               "Replicate_Rewrite_DB",
                               "Channel_Name",
                               "Source_TLS_Version",
                               "Source_public_key_path",
                               "Get_Source_public_key",
                               "Network_Namespace"});
    default:
      return SendNothing(run,
                         {"Log_name", "Pos", "Event_type", "Server_id", "End_log_pos", "Info"});
  }
}

}  // namespace borealis::sql
