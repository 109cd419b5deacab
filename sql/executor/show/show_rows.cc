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

using row::Type;
using Kind = row::TypeKind;

constexpr uint64_t kFileNameChars = 512;
constexpr uint64_t kHostChars = 255;
constexpr uint64_t kUuidChars = 36;

ResultColumn IntegerColumn(std::string_view name, Kind kind, uint32_t width) {
  return NumberColumn(name, Type::Integer(kind, true).NotNull(), width);
}

// Columns without a row.
Status SendNothing(StatementRun& run, std::span<const ResultColumn> columns) {
  return run.sink.OnColumns(columns);
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

// The columns alone: a server without a source has no row.
Status ShowReplicaStatus(StatementRun& run) {
  const ResultColumn columns[] = {TextColumn("Replica_IO_State", 14),
                                  TextColumn("Source_Host", 256),
                                  TextColumn("Source_User", 97),
                                  IntegerColumn("Source_Port", Kind::kInt, 8),
                                  IntegerColumn("Connect_Retry", Kind::kInt, 11),
                                  TextColumn("Source_Log_File", kFileNameChars),
                                  IntegerColumn("Read_Source_Log_Pos", Kind::kBigInt, 11),
                                  TextColumn("Relay_Log_File", kFileNameChars),
                                  IntegerColumn("Relay_Log_Pos", Kind::kBigInt, 11),
                                  TextColumn("Relay_Source_Log_File", kFileNameChars),
                                  TextColumn("Replica_IO_Running", 3),
                                  TextColumn("Replica_SQL_Running", 3),
                                  TextColumn("Replicate_Do_DB", 20),
                                  TextColumn("Replicate_Ignore_DB", 20),
                                  TextColumn("Replicate_Do_Table", 20),
                                  TextColumn("Replicate_Ignore_Table", 23),
                                  TextColumn("Replicate_Wild_Do_Table", 24),
                                  TextColumn("Replicate_Wild_Ignore_Table", 28),
                                  IntegerColumn("Last_Errno", Kind::kInt, 5),
                                  TextColumn("Last_Error", 20),
                                  IntegerColumn("Skip_Counter", Kind::kInt, 11),
                                  IntegerColumn("Exec_Source_Log_Pos", Kind::kBigInt, 11),
                                  IntegerColumn("Relay_Log_Space", Kind::kBigInt, 11),
                                  TextColumn("Until_Condition", 6),
                                  TextColumn("Until_Log_File", kFileNameChars),
                                  IntegerColumn("Until_Log_Pos", Kind::kBigInt, 11),
                                  TextColumn("Source_SSL_Allowed", 7),
                                  TextColumn("Source_SSL_CA_File", kFileNameChars),
                                  TextColumn("Source_SSL_CA_Path", kFileNameChars),
                                  TextColumn("Source_SSL_Cert", kFileNameChars),
                                  TextColumn("Source_SSL_Cipher", kFileNameChars),
                                  TextColumn("Source_SSL_Key", kFileNameChars),
                                  IntegerColumn("Seconds_Behind_Source", Kind::kBigInt, 11),
                                  TextColumn("Source_SSL_Verify_Server_Cert", 3),
                                  IntegerColumn("Last_IO_Errno", Kind::kInt, 5),
                                  TextColumn("Last_IO_Error", 20),
                                  IntegerColumn("Last_SQL_Errno", Kind::kInt, 5),
                                  TextColumn("Last_SQL_Error", 20),
                                  TextColumn("Replicate_Ignore_Server_Ids", kFileNameChars),
                                  IntegerColumn("Source_Server_Id", Kind::kInt, 9),
                                  TextColumn("Source_UUID", kUuidChars),
                                  TextColumn("Source_Info_File", 1024),
                                  IntegerColumn("SQL_Delay", Kind::kInt, 11),
                                  IntegerColumn("SQL_Remaining_Delay", Kind::kInt, 9),
                                  TextColumn("Replica_SQL_Running_State", 20),
                                  IntegerColumn("Source_Retry_Count", Kind::kBigInt, 11),
                                  TextColumn("Source_Bind", 256),
                                  TextColumn("Last_IO_Error_Timestamp", 20),
                                  TextColumn("Last_SQL_Error_Timestamp", 20),
                                  TextColumn("Source_SSL_Crl", kFileNameChars),
                                  TextColumn("Source_SSL_Crlpath", kFileNameChars),
                                  TextColumn("Retrieved_Gtid_Set", 0),
                                  TextColumn("Executed_Gtid_Set", 0),
                                  IntegerColumn("Auto_Position", Kind::kInt, 9),
                                  TextColumn("Replicate_Rewrite_DB", 24),
                                  TextColumn("Channel_Name", 192),
                                  TextColumn("Source_TLS_Version", kFileNameChars),
                                  TextColumn("Source_public_key_path", kFileNameChars),
                                  IntegerColumn("Get_Source_public_key", Kind::kInt, 9),
                                  TextColumn("Network_Namespace", 193)};
  return SendNothing(run, columns);
}

}  // namespace

Status SendTextRows(StatementRun& run, const TextRows& rows) {
  RETURN_IF_ERROR(run.sink.OnColumns(rows.columns));
  for (const auto& cells : rows.rows) {
    std::vector<row::Value> values;
    for (const std::string& cell : cells) {
      values.push_back(row::Value::View(cell));
    }
    RETURN_IF_ERROR(run.sink.OnRow(values));
  }
  return Status::Ok();
}

Status ShowConditions(StatementRun& run, const ShowStmt& show) {
  uint64_t skip = 0;
  uint64_t limit = ~uint64_t{0};
  if (show.limit.has_value()) {
    ASSIGN_OR_RETURN(skip, LimitNumber(run, show.limit->offset, 0));
    ASSIGN_OR_RETURN(limit, LimitNumber(run, show.limit->count, limit));
  }
  const ResultColumn columns[] = {TextColumn("Level", 7), IntegerColumn("Code", Kind::kInt, 5),
                                  TextColumn("Message", 512)};
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
  const ResultColumn column = NumberColumn(
      errors ? "@@session.error_count" : "@@session.warning_count", Type::BigInt(true), 21);
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
  TextRows rows{
      {TextColumn("Type", 10), TextColumn("Name", kFileNameChars), TextColumn("Status", 10)}, {}};
  if (show.engine_part == "STATUS" && (stored || show.name.empty())) {
    ASSIGN_OR_RETURN(std::string text, InnodbStatusText(run));
    rows.rows.push_back({"InnoDB", "", std::move(text)});
  }
  return SendTextRows(run, rows);
}

Status ShowProfiling(StatementRun& run, const ShowStmt& show) {
  if (show.show == ShowKind::kProfiles) {
    Type seconds = Type::Double().NotNull();
    seconds.is_unsigned = true;
    seconds.scale = 0;
    const ResultColumn columns[] = {IntegerColumn("Query_ID", Kind::kInt, 11),
                                    NumberColumn("Duration", seconds, 9), TextColumn("Query", 40)};
    return SendNothing(run, columns);
  }
  ResultColumn columns[] = {TextColumn("Status", 30),
                            NumberColumn("Duration", Type::Decimal(9, 6).NotNull(), 9)};
  for (ResultColumn& column : columns) {
    column.computed = false;
    column.table = column.org_table = "PROFILING";
    column.schema = "information_schema";
  }
  columns[0].org_name = "STATE";
  columns[1].org_name = "DURATION";
  return SendNothing(run, columns);
}

Status ShowReplication(StatementRun& run, const ShowStmt& show) {
  switch (show.show) {
    case ShowKind::kBinaryLogs:
      return UserError(ER_NO_BINARY_LOGGING);
    case ShowKind::kBinaryLogStatus: {
      const ResultColumn columns[] = {
          TextColumn("File", kFileNameChars), IntegerColumn("Position", Kind::kBigInt, 21),
          TextColumn("Binlog_Do_DB", kHostChars), TextColumn("Binlog_Ignore_DB", kHostChars),
          TextColumn("Executed_Gtid_Set", 0)};
      return SendNothing(run, columns);
    }
    case ShowKind::kReplicas: {
      const ResultColumn columns[] = {
          IntegerColumn("Server_Id", Kind::kInt, 11), TextColumn("Host", kHostChars),
          IntegerColumn("Port", Kind::kInt, 8), IntegerColumn("Source_Id", Kind::kInt, 11),
          TextColumn("Replica_UUID", kUuidChars)};
      return SendNothing(run, columns);
    }
    case ShowKind::kReplicaStatus:
      return ShowReplicaStatus(run);
    default: {
      const ResultColumn columns[] = {TextColumn("Log_name", 20),
                                      IntegerColumn("Pos", Kind::kBigInt, 12),
                                      TextColumn("Event_type", 20),
                                      IntegerColumn("Server_id", Kind::kInt, 11),
                                      IntegerColumn("End_log_pos", Kind::kBigInt, 12),
                                      TextColumn("Info", 20)};
      return SendNothing(run, columns);
    }
  }
}

}  // namespace borealis::sql
