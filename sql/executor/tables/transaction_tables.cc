// System tables about what runs: transactions and the locks they hold, and who may run what.
#include <fmt/format.h>

#include <map>

#include "engine/engine.h"
#include "sql/executor/show/lock_text.h"
#include "sql/executor/tables/system_rows.h"
#include "sql/functions/eval_context.h"
#include "sql/session/session.h"

namespace borealis::sql {
namespace {

constexpr std::string_view kInnodbTrx =
    "trx_id bigint unsigned NOT NULL DEFAULT 0, trx_state varchar(13) NOT NULL DEFAULT '', "
    "trx_started datetime NOT NULL, trx_requested_lock_id varchar(126), trx_wait_started "
    "datetime, trx_weight bigint unsigned NOT NULL DEFAULT 0, trx_mysql_thread_id bigint unsigned "
    "NOT NULL DEFAULT 0, trx_query varchar(1024), trx_operation_state varchar(64), "
    "trx_tables_in_use bigint unsigned NOT NULL DEFAULT 0, trx_tables_locked bigint unsigned NOT "
    "NULL DEFAULT 0, trx_lock_structs bigint unsigned NOT NULL DEFAULT 0, trx_lock_memory_bytes "
    "bigint unsigned NOT NULL DEFAULT 0, trx_rows_locked bigint unsigned NOT NULL DEFAULT 0, "
    "trx_rows_modified bigint unsigned NOT NULL DEFAULT 0, trx_concurrency_tickets bigint "
    "unsigned NOT NULL DEFAULT 0, trx_isolation_level varchar(16) NOT NULL DEFAULT '', "
    "trx_unique_checks int NOT NULL DEFAULT 0, trx_foreign_key_checks int NOT NULL DEFAULT 0, "
    "trx_last_foreign_key_error varchar(256), trx_adaptive_hash_latched int NOT NULL DEFAULT 0, "
    "trx_adaptive_hash_timeout bigint unsigned NOT NULL DEFAULT 0, trx_is_read_only int NOT NULL "
    "DEFAULT 0, trx_autocommit_non_locking int NOT NULL DEFAULT 0, trx_schedule_weight bigint "
    "unsigned";

// A transaction without changes has no id; as in InnoDB it shows one beyond all others.
uint64_t ShownId(const engine::TransactionInfo& trx) {
  return trx.id != TrxId(0) ? trx.id.value() : (uint64_t{1} << 48) + trx.owner;
}

// What it is waiting in, or how far its rollback in the background has come.
std::optional<std::string> Operation(const engine::TransactionInfo& trx) {
  if (trx.state == "LOCK WAIT") {
    return "starting index read";
  }
  if (trx.state != "ROLLING BACK") {
    return std::nullopt;
  }
  return trx.recovered ? fmt::format("rollback: {} rows undone", trx.undone)
                       : fmt::format("rollback: {} rows undone, {} left", trx.undone, trx.changes);
}

Status ScanInnodbTrx(SystemRows& rows) {
  const Session& session = rows.session();
  const row::TimeZone& zone = rows.session().eval_context().conversion.time_zone();
  std::map<uint64_t, std::optional<std::string>> texts;
  if (session.environment().server != nullptr) {
    for (const ProcessInfo& process : session.environment().server->Processes()) {
      texts[process.id] = process.info;
    }
  }
  std::map<uint64_t, std::optional<std::string>> awaited;
  for (const engine::LockInfo& lock : session.environment().engine->ListLocks()) {
    if (!lock.granted) {
      awaited[lock.owner] = LockId(lock);
    }
  }
  for (const engine::TransactionInfo& trx : session.environment().engine->ListTransactions()) {
    const bool waits = trx.state == "LOCK WAIT";
    // Its session has ended, or was an earlier writer's.
    const bool rolling_back = trx.state == "ROLLING BACK";
    SystemRow row = rows.NewRow();
    row.Number(ShownId(trx)).Text(trx.state).LocalTime(trx.started_wall_us, zone);
    if (waits) {
      row.TextOrNull(awaited[trx.owner]).LocalTime(trx.wait_started_wall_us, zone);
    } else {
      row.Null(2);
    }
    row.Number(trx.changes + trx.lock_sets)
        .Number(rolling_back ? 0 : trx.session_id)
        .TextOrNull(rolling_back ? std::nullopt : texts[trx.session_id])
        .TextOrNull(Operation(trx));
    row.Number(waits ? 1 : 0).Number(trx.row_locks + trx.changes > 0 ? 1 : 0);
    row.Number(trx.lock_sets).Number(0).Number(trx.row_locks).Number(trx.changes);
    row.Number(0).Text(trx.isolation).Number(1).Number(1).Null().Number(0).Number(0);
    row.Number(trx.read_only ? 1 : 0).Number(trx.autocommit && trx.row_locks == 0 ? 1 : 0);
    RETURN_IF_ERROR(rows.Add(row.Null()));
  }
  return Status::Ok();
}

constexpr std::string_view kMetadataLocks =
    "OBJECT_TYPE varchar(64) NOT NULL, OBJECT_SCHEMA varchar(64), OBJECT_NAME varchar(64), "
    "COLUMN_NAME varchar(64), OBJECT_INSTANCE_BEGIN bigint unsigned NOT NULL, LOCK_TYPE "
    "varchar(32) NOT NULL, LOCK_DURATION varchar(32) NOT NULL, LOCK_STATUS varchar(32) NOT "
    "NULL, SOURCE varchar(64), OWNER_THREAD_ID bigint unsigned, OWNER_EVENT_ID bigint unsigned";

std::string_view ObjectType(engine::MetadataLockInfo::Kind kind) {
  using Kind = engine::MetadataLockInfo::Kind;
  switch (kind) {
    case Kind::kTable:
      return "TABLE";
    case Kind::kSchema:
      return "SCHEMA";
    case Kind::kUserLevel:
      return "USER LEVEL LOCK";
    case Kind::kGlobal:
      return "GLOBAL";
    case Kind::kCommit:
      return "COMMIT";
    case Kind::kBackup:
      return "BACKUP LOCK";
  }
  return "";
}

std::string_view Duration(const engine::MetadataLockInfo& lock) {
  using Kind = engine::MetadataLockInfo::Kind;
  if (lock.kind == Kind::kUserLevel || lock.mode == "SHARED") {
    return "EXPLICIT";
  }
  return lock.kind == Kind::kGlobal ? "STATEMENT" : "TRANSACTION";
}

Status ScanMetadataLocks(SystemRows& rows) {
  uint64_t number = 0;
  for (const engine::MetadataLockInfo& lock :
       rows.session().environment().engine->ListMetadataLocks()) {
    const auto filled = [](const std::string& text) {
      return text.empty() ? std::nullopt : std::optional(text);
    };
    SystemRow row = rows.NewRow();
    row.Text(ObjectType(lock.kind)).TextOrNull(filled(lock.schema)).TextOrNull(filled(lock.name));
    row.Null().Number(++number).Text(lock.mode).Text(Duration(lock));
    row.Text(lock.granted ? "GRANTED" : "PENDING").Null().Number(lock.session_id).Null();
    RETURN_IF_ERROR(rows.Add(row));
  }
  return Status::Ok();
}

constexpr std::string_view kInformation = "information_schema";
constexpr std::string_view kPerformance = "performance_schema";

}  // namespace

std::vector<SystemTableDefinition> TransactionSystemTables() {
  return {
      {kInformation, "INNODB_TRX", kInnodbTrx, ScanInnodbTrx},
      {kPerformance, "metadata_locks", kMetadataLocks, ScanMetadataLocks},
  };
}

}  // namespace borealis::sql
