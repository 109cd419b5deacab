#include "sql/executor/accounts/privilege_checks.h"

#include <algorithm>

#include "base/mysql_error.h"
#include "sql/ast/admin.h"
#include "sql/ast/ddl.h"
#include "sql/executor/accounts/account_statements.h"
#include "sql/executor/definition/definition_run.h"
#include "sql/executor/definition/trigger_names.h"
#include "sql/executor/variables/variable_spec.h"
#include "sql/session/session.h"

namespace borealis::sql {
namespace {

using P = Privilege;

// Asks for one statement; the first thing that lacks is the outcome.
class Checker {
 public:
  explicit Checker(const StatementRun& run)
      : run_(run), security_(run.session.security()), who_(run.session.identity()) {}

  Status Check() const;
  Status Definer(const AccountName& name) const;

 private:
  const std::string& SchemaOf(const QualifiedName& name) const {
    return name.schema.empty() ? run_.session.database() : name.schema;
  }

  Status NoSchema(std::string_view schema) const {
    return UserError(ER_DBACCESS_DENIED_ERROR, who_.account_user, who_.account_host, schema);
  }
  Status Denied(std::string_view what, std::string_view table) const {
    return UserError(ER_TABLEACCESS_DENIED_ERROR, what, who_.account_user, who_.host, table);
  }
  // 1227 names all that would do.
  Status OneOf(bool allowed, std::string_view names) const {
    return allowed ? Status::Ok() : UserError(ER_SPECIFIC_ACCESS_DENIED_ERROR, names);
  }

  Status OnSchema(std::string_view schema, PrivilegeSet all) const {
    return security_.OnSchema(schema).HasAll(all) ? Status::Ok() : NoSchema(schema);
  }
  Status OnTable(const QualifiedName& name, PrivilegeSet all) const {
    const std::string& schema = SchemaOf(name);
    if (schema.empty()) {
      return UserError(ER_NO_DB_ERROR);
    }
    const PrivilegeSet lacking = all - security_.OnTable(schema, name.name);
    return lacking.empty() ? Status::Ok() : Denied(DeniedList(lacking), name.name);
  }
  // The same where a temporary table of the name would be meant: its session may do all with it.
  Status OnUsedTable(const QualifiedName& name, PrivilegeSet all) const {
    return run_.session.HasTemporary(name) ? Status::Ok() : OnTable(name, all);
  }
  // Any privilege on the table or on a column of it.
  Status SeesTable(const QualifiedName& name, std::string_view what) const {
    const std::string& schema = SchemaOf(name);
    return run_.session.HasTemporary(name) || schema.empty() ||
                   security_.SeesTable(schema, name.name)
               ? Status::Ok()
               : Denied(what, name.name);
  }

  Status Definition() const;
  Status CreateTable(const CreateTableStmt& statement) const;
  Status AlterTable(const AlterTableStmt& statement) const;
  Status CreateView(const CreateViewStmt& statement) const;
  Status CreateTrigger(const CreateTriggerStmt& statement) const;
  Status DropTrigger(const DropTriggerStmt& statement) const;
  Status DropProgram(const DropProgramStmt& statement) const;
  Status ShowCreate(const ShowStmt& statement) const;
  Status References(const QualifiedName& child, const QualifiedName& parent) const;
  Status LoadData(const LoadDataStmt& statement) const;
  Status Rename(const QualifiedName& from, const QualifiedName& to) const;
  Status LockTables(const LockTablesStmt& statement) const;
  Status MayLock(const QualifiedName& table) const;
  Status Maintenance(const TableMaintenanceStmt& statement) const;
  Status Flush(const FlushStmt& statement) const;
  Status Set(const SetStmt& statement) const;
  Status SetVariable(const SetItem& item) const;
  Status Show(const ShowStmt& statement) const;
  Status AlterUser(const AlterUserStmt& statement) const;
  Status SetDefaultRole(const SetDefaultRoleStmt& statement) const;

  bool IsOwn(const AccountName& name) const {
    return ResolveAccount(run_, name) == run_.session.account();
  }

  const StatementRun& run_;
  const SecurityContext& security_;
  const SessionIdentity& who_;
};

Status Checker::Rename(const QualifiedName& from, const QualifiedName& to) const {
  RETURN_IF_ERROR(OnTable(from, {P::kAlter, P::kDrop}));
  return OnTable(to, {P::kCreate, P::kInsert});
}

Status Checker::References(const QualifiedName& child, const QualifiedName& parent) const {
  const std::string& schema = parent.schema.empty() ? SchemaOf(child) : parent.schema;
  return security_.OnAnyColumn(schema, parent.name).Has(P::kReferences)
             ? Status::Ok()
             : Denied("REFERENCES", schema + "." + parent.name);
}

Status Checker::CreateTable(const CreateTableStmt& statement) const {
  if (statement.temporary) {
    RETURN_IF_ERROR(OnSchema(SchemaOf(statement.table), {P::kCreateTemporaryTables}));
  } else {
    PrivilegeSet needed = {P::kCreate};
    if (statement.select != nullptr) {
      needed.Add(P::kInsert);
    }
    RETURN_IF_ERROR(OnTable(statement.table, needed));
  }
  if (statement.like.has_value()) {
    RETURN_IF_ERROR(OnUsedTable(*statement.like, {P::kSelect}));
  }
  for (const ForeignKeyDefinition& key : statement.foreign_keys) {
    RETURN_IF_ERROR(References(statement.table, key.references.table));
  }
  return Status::Ok();
}

Status Checker::AlterTable(const AlterTableStmt& statement) const {
  RETURN_IF_ERROR(OnUsedTable(statement.table, {P::kAlter}));
  for (const AlterAction& action : statement.actions) {
    if (action.kind == AlterActionKind::kRenameTable) {
      RETURN_IF_ERROR(OnUsedTable(statement.table, {P::kAlter, P::kDrop}));
      RETURN_IF_ERROR(OnTable(action.table, {P::kCreate, P::kInsert}));
    }
    if (action.foreign_key.has_value()) {
      RETURN_IF_ERROR(References(statement.table, action.foreign_key->references.table));
    }
  }
  return Status::Ok();
}

// The columns that its query reads are the binder's to check.
Status Checker::CreateView(const CreateViewStmt& statement) const {
  PrivilegeSet needed = {P::kCreateView};
  if (statement.alter || statement.or_replace) {
    needed.Add(P::kDrop);
  }
  RETURN_IF_ERROR(OnTable(statement.view, needed));
  return statement.definer.has_value() ? Definer(*statement.definer) : Status::Ok();
}

Status Checker::Definer(const AccountName& name) const {
  if (IsOwn(name)) {
    return Status::Ok();
  }
  RETURN_IF_ERROR(OneOf(security_.HasSuperOr("SET_USER_ID"), "SUPER or SET_USER_ID"));
  const Account* definer = security_.tables() == nullptr
                               ? nullptr
                               : security_.tables()->Find(ResolveAccount(run_, name));
  const bool system = definer != nullptr && definer->dynamic.contains("SYSTEM_USER");
  return OneOf(!system || security_.HasDynamic("SYSTEM_USER"), "SYSTEM_USER");
}

// Of what system tables lack the statement itself tells, and of the definer when it has found that
// the trigger may be made.
Status Checker::CreateTrigger(const CreateTriggerStmt& statement) const {
  QualifiedName table = statement.table;
  if (table.schema.empty()) {
    table.schema = statement.trigger.schema;
  }
  return table.schema == "mysql" || run_.session.HasTemporary(table)
             ? Status::Ok()
             : OnTable(table, {P::kTrigger});
}

// A trigger that is not there is told to everybody.
Status Checker::DropTrigger(const DropTriggerStmt& statement) const {
  const std::string& schema = SchemaOf(statement.trigger);
  if (schema.empty()) {
    return Status::Ok();  // told by the statement itself
  }
  ASSIGN_OR_RETURN(const std::optional<std::string> table,
                   TableOfTrigger(EngineOf(run_), schema, statement.trigger.name));
  return table ? OnTable({schema, *table, {}}, {P::kTrigger}) : Status::Ok();
}

Status Checker::DropProgram(const DropProgramStmt& statement) const {
  const std::string& schema = SchemaOf(statement.name);
  if (schema.empty()) {
    return Status::Ok();  // told by the statement itself
  }
  if (statement.program == ProgramKind::kEvent) {
    return OnSchema(schema, {P::kEvent});
  }
  return security_.OnSchema(schema).Has(P::kAlterRoutine)
             ? Status::Ok()
             : UserError(ER_PROCACCESS_DENIED_ERROR, "alter routine", who_.account_user,
                         who_.account_host, schema + "." + statement.name.name);
}

// Of a view more is asked than of a table. What exists is told only to those who see it.
Status Checker::ShowCreate(const ShowStmt& statement) const {
  RETURN_IF_ERROR(SeesTable(statement.table, "SHOW"));
  const Result<CatalogEntry> entry =
      CatalogOf(run_).Find(SchemaOf(statement.table), statement.table.name);
  if (!entry.ok() || entry->table->kind != TableKind::kView) {
    return Status::Ok();  // told by the statement itself
  }
  const bool as_view = statement.show == ShowKind::kCreateView;
  const PrivilegeSet held = security_.OnTable(SchemaOf(statement.table), statement.table.name);
  if (as_view && !held.Has(P::kSelect)) {
    return Denied("SELECT", statement.table.name);
  }
  if (!held.Has(P::kShowView)) {
    return Denied("SHOW VIEW", statement.table.name);
  }
  return held.Has(P::kSelect) ? Status::Ok() : Denied("SELECT", statement.table.name);
}

Status Checker::Definition() const {
  const Stmt& statement = run_.statement;
  switch (statement.kind) {
    case StmtKind::kCreateDatabase:
      return OnSchema(statement.As<CreateDatabaseStmt>().name, {P::kCreate});
    case StmtKind::kAlterDatabase: {
      const std::string& name = statement.As<AlterDatabaseStmt>().name;
      return OnSchema(name.empty() ? run_.session.database() : name, {P::kAlter});
    }
    case StmtKind::kDropDatabase:
      return OnSchema(statement.As<DropDatabaseStmt>().name, {P::kDrop});
    case StmtKind::kCreateTable:
      return CreateTable(statement.As<CreateTableStmt>());
    case StmtKind::kAlterTable:
      return AlterTable(statement.As<AlterTableStmt>());
    case StmtKind::kDropTable:
      if (statement.As<DropTableStmt>().temporary) {
        return Status::Ok();  // only the session's own are dropped
      }
      for (const QualifiedName& table : statement.As<DropTableStmt>().tables) {
        RETURN_IF_ERROR(OnUsedTable(table, {P::kDrop}));
      }
      return Status::Ok();
    case StmtKind::kCreateView:
      return CreateView(statement.As<CreateViewStmt>());
    case StmtKind::kDropProgram:
      return DropProgram(statement.As<DropProgramStmt>());
    case StmtKind::kCreateTrigger:
      return CreateTrigger(statement.As<CreateTriggerStmt>());
    case StmtKind::kDropTrigger:
      return DropTrigger(statement.As<DropTriggerStmt>());
    case StmtKind::kDropView:
      for (const QualifiedName& view : statement.As<DropViewStmt>().views) {
        RETURN_IF_ERROR(OnTable(view, {P::kDrop}));
      }
      return Status::Ok();
    case StmtKind::kTruncate:
      return OnUsedTable(statement.As<TruncateStmt>().table, {P::kDrop});
    case StmtKind::kRenameTable:
      for (const RenameTableStmt::Rename& rename : statement.As<RenameTableStmt>().renames) {
        RETURN_IF_ERROR(Rename(rename.from, rename.to));
      }
      return Status::Ok();
    case StmtKind::kCreateIndex:
      return OnUsedTable(statement.As<CreateIndexStmt>().table, {P::kIndex});
    default:
      return OnUsedTable(statement.As<DropIndexStmt>().table, {P::kIndex});
  }
}

Status Checker::LockTables(const LockTablesStmt& statement) const {
  for (const LockTablesStmt::Item& item : statement.items) {
    RETURN_IF_ERROR(MayLock(item.table));
  }
  return Status::Ok();
}

Status Checker::MayLock(const QualifiedName& table) const {
  RETURN_IF_ERROR(OnSchema(SchemaOf(table), {P::kLockTables}));
  return OnUsedTable(table, {P::kSelect});
}

// The table's privileges are the binder's to ask for.
Status Checker::LoadData(const LoadDataStmt& statement) const {
  return statement.local || security_.Has(P::kFile)
             ? Status::Ok()
             : UserError(ER_ACCESS_DENIED_ERROR, who_.account_user, who_.account_host, "YES");
}

Status Checker::Maintenance(const TableMaintenanceStmt& statement) const {
  using Verb = TableMaintenanceStmt::Verb;
  const bool reads = statement.verb == Verb::kCheck || statement.verb == Verb::kChecksum;
  for (const QualifiedName& table : statement.tables) {
    RETURN_IF_ERROR(OnUsedTable(
        table, reads ? PrivilegeSet{P::kSelect} : PrivilegeSet{P::kSelect, P::kInsert}));
  }
  return Status::Ok();
}

Status Checker::Flush(const FlushStmt& statement) const {
  constexpr std::pair<std::string_view, std::string_view> kOwnPrivileges[] = {
      {"TABLES", "FLUSH_TABLES"},
      {"STATUS", "FLUSH_STATUS"},
      {"USER_RESOURCES", "FLUSH_USER_RESOURCES"},
      {"OPTIMIZER_COSTS", "FLUSH_OPTIMIZER_COSTS"},
  };
  for (const std::string& what : statement.what) {
    if (security_.Has(P::kReload)) {
      break;
    }
    std::string names = "RELOAD";
    bool allowed = false;
    for (const auto& [word, privilege] : kOwnPrivileges) {
      if (what == word) {
        names += " or " + std::string(privilege);
        allowed = security_.HasDynamic(privilege);
      }
    }
    RETURN_IF_ERROR(OneOf(allowed, names));
  }
  if (statement.with_read_lock) {
    for (const QualifiedName& table : statement.tables) {
      RETURN_IF_ERROR(MayLock(table));
    }
  }
  return Status::Ok();
}

// Session values that only administrators set, as they concern others or the server's means.
constexpr std::string_view kRestrictedVariables[] = {"binlog_direct_non_transactional_updates",
                                                     "binlog_format",
                                                     "binlog_row_image",
                                                     "binlog_row_value_options",
                                                     "binlog_rows_query_log_events",
                                                     "binlog_transaction_compression",
                                                     "binlog_transaction_compression_level_zstd",
                                                     "bulk_insert_buffer_size",
                                                     "character_set_database",
                                                     "character_set_filesystem",
                                                     "connection_memory_chunk_size",
                                                     "connection_memory_limit",
                                                     "global_connection_memory_tracking",
                                                     "gtid_next",
                                                     "histogram_generation_max_mem_size",
                                                     "immediate_server_version",
                                                     "innodb_strict_mode",
                                                     "innodb_tmpdir",
                                                     "internal_tmp_mem_storage_engine",
                                                     "low_priority_updates",
                                                     "max_delayed_threads",
                                                     "max_error_count",
                                                     "max_insert_delayed_threads",
                                                     "min_examined_row_limit",
                                                     "original_commit_timestamp",
                                                     "original_server_version",
                                                     "preload_buffer_size",
                                                     "pseudo_replica_mode",
                                                     "pseudo_slave_mode",
                                                     "pseudo_thread_id",
                                                     "select_into_buffer_size",
                                                     "select_into_disk_sync_delay",
                                                     "show_old_temporals",
                                                     "sql_generate_invisible_primary_key",
                                                     "sql_log_bin",
                                                     "sql_log_off",
                                                     "sql_require_primary_key",
                                                     "xa_detach_on_prepare"};

// Global values are for administrators; so are a few of the session's.
Status Checker::SetVariable(const SetItem& item) const {
  const bool global = item.scope == VariableScope::kGlobal ||
                      item.scope == VariableScope::kPersist ||
                      item.scope == VariableScope::kPersistOnly;
  if (global) {
    return OneOf(security_.HasSuperOr("SYSTEM_VARIABLES_ADMIN"), "SUPER or SYSTEM_VARIABLES_ADMIN");
  }
  const bool restricted =
      std::find(std::begin(kRestrictedVariables), std::end(kRestrictedVariables),
                FoldName(item.name)) != std::end(kRestrictedVariables);
  return OneOf(!restricted || security_.HasSuperOr("SYSTEM_VARIABLES_ADMIN") ||
                   security_.HasDynamic("SESSION_VARIABLES_ADMIN"),
               "SUPER, SYSTEM_VARIABLES_ADMIN or SESSION_VARIABLES_ADMIN");
}

Status Checker::Set(const SetStmt& statement) const {
  for (const SetItem& item : statement.items) {
    const bool variable =
        item.kind == SetItem::Kind::kSystemVariable || item.kind == SetItem::Kind::kTransaction;
    const bool known =
        item.kind != SetItem::Kind::kSystemVariable || FindVariable(FoldName(item.name)) != nullptr;
    if (variable && known) {
      RETURN_IF_ERROR(SetVariable(item));
    }
    if (item.kind == SetItem::Kind::kPassword && item.account.has_value() &&
        !IsOwn(*item.account) && !security_.Has(P::kCreateUser) &&
        !security_.OnSchema("mysql").Has(P::kUpdate)) {
      return NoSchema("mysql");
    }
  }
  return Status::Ok();
}

Status Checker::Show(const ShowStmt& statement) const {
  const std::string& schema = statement.schema.empty() ? run_.session.database() : statement.schema;
  switch (statement.show) {
    case ShowKind::kTables:
    case ShowKind::kTableStatus:
    case ShowKind::kTriggers:
    case ShowKind::kEvents:
      return schema.empty() || security_.SeesSchema(schema) ? Status::Ok() : NoSchema(schema);
    case ShowKind::kCreateDatabase:
      return security_.SeesSchema(statement.name) ? Status::Ok() : NoSchema(statement.name);
    case ShowKind::kColumns:
    case ShowKind::kIndexes:
      return SeesTable(statement.table, "SELECT");
    case ShowKind::kCreateTable:
    case ShowKind::kCreateView:
      return ShowCreate(statement);
    case ShowKind::kEngine:
      return OneOf(security_.Has(P::kProcess), "PROCESS");
    case ShowKind::kBinaryLogs:
    case ShowKind::kBinaryLogStatus:
    case ShowKind::kReplicaStatus:
      return OneOf(security_.Has(P::kSuper) || security_.Has(P::kReplicationClient),
                   "SUPER, REPLICATION CLIENT");
    case ShowKind::kReplicas:
    case ShowKind::kBinlogEvents:
    case ShowKind::kRelaylogEvents:
      return OneOf(security_.Has(P::kReplicationSlave), "REPLICATION SLAVE");
    default:
      return Status::Ok();
  }
}

// One's own password, and which of one's roles are the default, are one's own affair.
Status Checker::AlterUser(const AlterUserStmt& statement) const {
  const bool own =
      statement.options.empty() &&
      std::all_of(statement.users.begin(), statement.users.end(), [&](const UserSpec& user) {
        return IsOwn(user.account) && user.plugin.empty() && !user.hash.has_value();
      });
  return OneOf(own || security_.Has(P::kCreateUser), "CREATE USER");
}

Status Checker::SetDefaultRole(const SetDefaultRoleStmt& statement) const {
  const bool own = std::all_of(statement.accounts.begin(), statement.accounts.end(),
                               [&](const AccountName& name) { return IsOwn(name); });
  return OneOf(own || security_.Has(P::kCreateUser), "CREATE USER");
}

Status Checker::Check() const {
  const Stmt& statement = run_.statement;
  switch (statement.kind) {
    case StmtKind::kCreateDatabase:
    case StmtKind::kAlterDatabase:
    case StmtKind::kDropDatabase:
    case StmtKind::kCreateTable:
    case StmtKind::kAlterTable:
    case StmtKind::kDropTable:
    case StmtKind::kCreateView:
    case StmtKind::kDropView:
    case StmtKind::kDropProgram:
    case StmtKind::kCreateTrigger:
    case StmtKind::kDropTrigger:
    case StmtKind::kTruncate:
    case StmtKind::kRenameTable:
    case StmtKind::kCreateIndex:
    case StmtKind::kDropIndex:
      return Definition();
    case StmtKind::kSet:
      return Set(statement.As<SetStmt>());
    case StmtKind::kLoadData:
      return LoadData(statement.As<LoadDataStmt>());
    case StmtKind::kShow:
      return Show(statement.As<ShowStmt>());
    case StmtKind::kDescribe:
      return SeesTable(statement.As<DescribeStmt>().table, "SELECT");
    case StmtKind::kFlush:
      return Flush(statement.As<FlushStmt>());
    case StmtKind::kLockInstance:
      return OneOf(security_.HasDynamic("BACKUP_ADMIN"), "BACKUP_ADMIN");
    case StmtKind::kTableMaintenance:
      return Maintenance(statement.As<TableMaintenanceStmt>());
    case StmtKind::kShutdown:
      return OneOf(security_.Has(P::kShutdown), "SHUTDOWN");
    case StmtKind::kLockTables:
      return LockTables(statement.As<LockTablesStmt>());
    case StmtKind::kCreateUser:
    case StmtKind::kDropUser:
    case StmtKind::kRenameUser:
      return OneOf(security_.Has(P::kCreateUser), "CREATE USER");
    case StmtKind::kCreateRole:
      return OneOf(security_.Has(P::kCreateUser) || security_.Has(P::kCreateRole),
                   "CREATE USER, CREATE ROLE");
    case StmtKind::kDropRole:
      return OneOf(security_.Has(P::kCreateUser) || security_.Has(P::kDropRole),
                   "CREATE USER, DROP ROLE");
    case StmtKind::kAlterUser:
      return AlterUser(statement.As<AlterUserStmt>());
    case StmtKind::kSetDefaultRole:
      return SetDefaultRole(statement.As<SetDefaultRoleStmt>());
    case StmtKind::kRevoke:
      return OneOf(
          !statement.As<RevokeStmt>().all_and_grant_option || security_.Has(P::kCreateUser),
          "CREATE USER");
    default:
      return Status::Ok();  // asked for by the binder, by the statement itself, or nothing
  }
}

}  // namespace

Status CheckPrivileges(const StatementRun& run) {
  if (run.session.security().unrestricted()) {
    return Status::Ok();
  }
  return Checker(run).Check();
}

Status CheckDefiner(const StatementRun& run, const AccountName& definer) {
  return Checker(run).Definer(definer);
}

}  // namespace borealis::sql
