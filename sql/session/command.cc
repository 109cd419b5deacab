#include "sql/session/command.h"

#include "sql/ast/admin.h"
#include "sql/ast/ddl.h"
#include "sql/ast/stmt.h"

namespace borealis::sql {
namespace {

Command CommandOfShow(const ShowStmt& show) {
  switch (show.show) {
    case ShowKind::kBinaryLogs:
      return CommandNamed("show_binlogs");
    case ShowKind::kBinaryLogStatus:
      return CommandNamed("show_master_status");
    case ShowKind::kBinlogEvents:
      return CommandNamed("show_binlog_events");
    case ShowKind::kCharacterSet:
      return CommandNamed("show_charsets");
    case ShowKind::kCollation:
      return CommandNamed("show_collations");
    case ShowKind::kColumns:
      return CommandNamed("show_fields");
    case ShowKind::kCountErrors:
    case ShowKind::kCountWarnings:  // SELECT @@error_count and @@warning_count to MySQL's parser
      return CommandNamed("select");
    case ShowKind::kCreateDatabase:
      return CommandNamed("show_create_db");
    case ShowKind::kCreateEvent:
      return CommandNamed("show_create_event");
    case ShowKind::kCreateFunction:
      return CommandNamed("show_create_func");
    case ShowKind::kCreateProcedure:
      return CommandNamed("show_create_proc");
    case ShowKind::kCreateTable:
    case ShowKind::kCreateView:
      return CommandNamed("show_create_table");
    case ShowKind::kCreateTrigger:
      return CommandNamed("show_create_trigger");
    case ShowKind::kCreateUser:
      return CommandNamed("show_create_user");
    case ShowKind::kDatabases:
      return CommandNamed("show_databases");
    case ShowKind::kEngine:
      return show.engine_part == "STATUS"  ? CommandNamed("show_engine_status")
             : show.engine_part == "MUTEX" ? CommandNamed("show_engine_mutex")
                                           : CommandNamed("show_engine_logs");
    case ShowKind::kEngines:
      return CommandNamed("show_storage_engines");
    case ShowKind::kErrors:
      return CommandNamed("show_errors");
    case ShowKind::kEvents:
      return CommandNamed("show_events");
    case ShowKind::kFunctionStatus:
      return CommandNamed("show_function_status");
    case ShowKind::kGrants:
      return CommandNamed("show_grants");
    case ShowKind::kIndexes:
      return CommandNamed("show_keys");
    case ShowKind::kOpenTables:
      return CommandNamed("show_open_tables");
    case ShowKind::kPlugins:
      return CommandNamed("show_plugins");
    case ShowKind::kPrivileges:
      return CommandNamed("show_privileges");
    case ShowKind::kProcedureStatus:
      return CommandNamed("show_procedure_status");
    case ShowKind::kProcesslist:
      return CommandNamed("show_processlist");
    case ShowKind::kProfile:
      return CommandNamed("show_profile");
    case ShowKind::kProfiles:
      return CommandNamed("show_profiles");
    case ShowKind::kRelaylogEvents:
      return CommandNamed("show_relaylog_events");
    case ShowKind::kReplicas:
      return CommandNamed("show_replicas");
    case ShowKind::kReplicaStatus:
      return CommandNamed("show_replica_status");
    case ShowKind::kStatus:
      return CommandNamed("show_status");
    case ShowKind::kTables:
      return CommandNamed("show_tables");
    case ShowKind::kTableStatus:
      return CommandNamed("show_table_status");
    case ShowKind::kTriggers:
      return CommandNamed("show_triggers");
    case ShowKind::kVariables:
      return CommandNamed("show_variables");
    case ShowKind::kWarnings:
      return CommandNamed("show_warnings");
  }
  return CommandNamed("admin_commands");
}

Command CommandOfInsert(const InsertStmt& insert) {
  if (insert.replace) {
    return insert.query != nullptr ? CommandNamed("replace_select") : CommandNamed("replace");
  }
  return insert.query != nullptr ? CommandNamed("insert_select") : CommandNamed("insert");
}

Command CommandOfHandler(HandlerStmt::Action action) {
  switch (action) {
    case HandlerStmt::Action::kOpen:
      return CommandNamed("ha_open");
    case HandlerStmt::Action::kClose:
      return CommandNamed("ha_close");
    case HandlerStmt::Action::kRead:
      break;
  }
  return CommandNamed("ha_read");
}

Command CommandOfMaintenance(TableMaintenanceStmt::Verb verb) {
  switch (verb) {
    case TableMaintenanceStmt::Verb::kAnalyze:
      return CommandNamed("analyze");
    case TableMaintenanceStmt::Verb::kOptimize:
      return CommandNamed("optimize");
    case TableMaintenanceStmt::Verb::kCheck:
      return CommandNamed("check");
    case TableMaintenanceStmt::Verb::kRepair:
      return CommandNamed("repair");
    case TableMaintenanceStmt::Verb::kChecksum:
      break;
  }
  return CommandNamed("checksum");
}

Command CommandOfDrop(ProgramKind program) {
  switch (program) {
    case ProgramKind::kProcedure:
      return CommandNamed("drop_procedure");
    case ProgramKind::kFunction:
      return CommandNamed("drop_function");
    case ProgramKind::kEvent:
      break;
  }
  return CommandNamed("drop_event");
}

Command CommandOfXa(std::string_view verb) {
  return verb == "START"      ? CommandNamed("xa_start")
         : verb == "END"      ? CommandNamed("xa_end")
         : verb == "PREPARE"  ? CommandNamed("xa_prepare")
         : verb == "COMMIT"   ? CommandNamed("xa_commit")
         : verb == "ROLLBACK" ? CommandNamed("xa_rollback")
                              : CommandNamed("xa_recover");
}

Command CommandOfRevoke(const RevokeStmt& revoke) {
  return revoke.all_and_grant_option ? CommandNamed("revoke_all")
         : !revoke.roles.empty()     ? CommandNamed("revoke_roles")
                                     : CommandNamed("revoke");
}

bool SetsPassword(const SetStmt& set) {
  return std::ranges::any_of(
      set.items, [](const SetItem& item) { return item.kind == SetItem::Kind::kPassword; });
}

}  // namespace

Command CommandOf(const Stmt& statement) {
  switch (statement.kind) {
    case StmtKind::kSelect:
      return CommandNamed("select");
    case StmtKind::kInsert:
      return CommandOfInsert(statement.As<InsertStmt>());
    case StmtKind::kUpdate:
      return statement.As<UpdateStmt>().multi ? CommandNamed("update_multi")
                                              : CommandNamed("update");
    case StmtKind::kDelete:
      return statement.As<DeleteStmt>().targets.empty() ? CommandNamed("delete")
                                                        : CommandNamed("delete_multi");
    case StmtKind::kLoadData:
      return CommandNamed("load");
    case StmtKind::kDo:
      return CommandNamed("do");
    case StmtKind::kCall:
      return CommandNamed("call_procedure");
    case StmtKind::kHandler:
      return CommandOfHandler(statement.As<HandlerStmt>().action);
    case StmtKind::kCreateDatabase:
      return CommandNamed("create_db");
    case StmtKind::kAlterDatabase:
      return CommandNamed("alter_db");
    case StmtKind::kDropDatabase:
      return CommandNamed("drop_db");
    case StmtKind::kCreateTable:
      return CommandNamed("create_table");
    case StmtKind::kAlterTable:
      return CommandNamed("alter_table");
    case StmtKind::kDropTable:
      return CommandNamed("drop_table");
    case StmtKind::kTruncate:
      return CommandNamed("truncate");
    case StmtKind::kRenameTable:
      return CommandNamed("rename_table");
    case StmtKind::kCreateIndex:
      return CommandNamed("create_index");
    case StmtKind::kDropIndex:
      return CommandNamed("drop_index");
    case StmtKind::kCreateView:
      return CommandNamed("create_view");
    case StmtKind::kDropView:
      return CommandNamed("drop_view");
    case StmtKind::kDropProgram:
      return CommandOfDrop(statement.As<DropProgramStmt>().program);
    case StmtKind::kCreateTrigger:
      return CommandNamed("create_trigger");
    case StmtKind::kDropTrigger:
      return CommandNamed("drop_trigger");
    case StmtKind::kStartTransaction:
      return CommandNamed("begin");
    case StmtKind::kCommit:
      return CommandNamed("commit");
    case StmtKind::kRollback:
      return statement.As<RollbackStmt>().savepoint.empty() ? CommandNamed("rollback")
                                                            : CommandNamed("rollback_to_savepoint");
    case StmtKind::kSavepoint:
      return CommandNamed("savepoint");
    case StmtKind::kReleaseSavepoint:
      return CommandNamed("release_savepoint");
    case StmtKind::kXa:
      return CommandOfXa(statement.As<XaStmt>().verb);
    case StmtKind::kSet:
      return SetsPassword(statement.As<SetStmt>()) ? CommandNamed("set_password")
                                                   : CommandNamed("set_option");
    case StmtKind::kSetRole:
      return CommandNamed("set_role");
    case StmtKind::kSetDefaultRole:
      return CommandNamed("alter_user_default_role");
    case StmtKind::kShow:
      return CommandOfShow(statement.As<ShowStmt>());
    case StmtKind::kUse:
      return CommandNamed("change_db");
    case StmtKind::kDescribe:
      return CommandNamed("show_fields");
    case StmtKind::kExplain:
      return CommandOf(*statement.As<ExplainStmt>().statement);
    case StmtKind::kExplainConnection:
      return CommandNamed("explain_other");
    case StmtKind::kHelp:
      return CommandNamed("help");
    case StmtKind::kKill:
      return CommandNamed("kill");
    case StmtKind::kPrepare:
      return CommandNamed("prepare_sql");
    case StmtKind::kExecute:
      return CommandNamed("execute_sql");
    case StmtKind::kDeallocate:
      return CommandNamed("dealloc_sql");
    case StmtKind::kLockTables:
      return CommandNamed("lock_tables");
    case StmtKind::kUnlockTables:
      return CommandNamed("unlock_tables");
    case StmtKind::kLockInstance:
      return statement.As<LockInstanceStmt>().unlock ? CommandNamed("unlock_instance")
                                                     : CommandNamed("lock_instance");
    case StmtKind::kFlush:
      return CommandNamed("flush");
    case StmtKind::kReset:
      return CommandNamed("reset");
    case StmtKind::kTableMaintenance:
      return CommandOfMaintenance(statement.As<TableMaintenanceStmt>().verb);
    case StmtKind::kCreateUser:
      return CommandNamed("create_user");
    case StmtKind::kAlterUser:
      return CommandNamed("alter_user");
    case StmtKind::kDropUser:
      return CommandNamed("drop_user");
    case StmtKind::kRenameUser:
      return CommandNamed("rename_user");
    case StmtKind::kCreateRole:
      return CommandNamed("create_role");
    case StmtKind::kDropRole:
      return CommandNamed("drop_role");
    case StmtKind::kGrant:
      return statement.As<GrantStmt>().roles.empty() ? CommandNamed("grant")
                                                     : CommandNamed("grant_roles");
    case StmtKind::kRevoke:
      return CommandOfRevoke(statement.As<RevokeStmt>());
    case StmtKind::kShutdown:
      return statement.As<ShutdownStmt>().restart ? CommandNamed("restart")
                                                  : CommandNamed("shutdown");
    case StmtKind::kSignal:
      return statement.As<SignalStmt>().resignal ? CommandNamed("resignal")
                                                 : CommandNamed("signal");
    case StmtKind::kGetDiagnostics:
      return CommandNamed("get_diagnostics");
    case StmtKind::kUnsupported:
      break;
  }
  return CommandNamed("admin_commands");
}

}  // namespace borealis::sql
