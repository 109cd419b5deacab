// System tables about row locks: performance_schema.data_locks and data_lock_waits.
//
// A thread's id is its session's connection id, as in performance_schema.threads. A lock is known
// by its transaction, its index and its key bytes; LOCK_DATA is NULL, as MySQL has it for a page
// that is not in memory.
#include <fmt/format.h>

#include <functional>
#include <map>

#include "engine/engine.h"
#include "sql/executor/system_rows.h"
#include "sql/session/session.h"

namespace borealis::sql {
namespace {

constexpr std::string_view kDataLocks =
    "ENGINE varchar(32) NOT NULL, ENGINE_LOCK_ID varchar(128) NOT NULL, ENGINE_TRANSACTION_ID "
    "bigint unsigned, THREAD_ID bigint unsigned, EVENT_ID bigint unsigned, OBJECT_SCHEMA "
    "varchar(64), OBJECT_NAME varchar(64), PARTITION_NAME varchar(64), SUBPARTITION_NAME "
    "varchar(64), INDEX_NAME varchar(64), OBJECT_INSTANCE_BEGIN bigint unsigned NOT NULL, "
    "LOCK_TYPE varchar(32) NOT NULL, LOCK_MODE varchar(32) NOT NULL, LOCK_STATUS varchar(32) "
    "NOT NULL, LOCK_DATA varchar(8192)";

constexpr std::string_view kDataLockWaits =
    "ENGINE varchar(32) NOT NULL, REQUESTING_ENGINE_LOCK_ID varchar(128) NOT NULL, "
    "REQUESTING_ENGINE_TRANSACTION_ID bigint unsigned, REQUESTING_THREAD_ID bigint unsigned, "
    "REQUESTING_EVENT_ID bigint unsigned, REQUESTING_OBJECT_INSTANCE_BEGIN bigint unsigned NOT "
    "NULL, BLOCKING_ENGINE_LOCK_ID varchar(128) NOT NULL, BLOCKING_ENGINE_TRANSACTION_ID "
    "bigint unsigned, BLOCKING_THREAD_ID bigint unsigned, BLOCKING_EVENT_ID bigint unsigned, "
    "BLOCKING_OBJECT_INSTANCE_BEGIN bigint unsigned NOT NULL";

constexpr std::string_view kEngine = "INNODB";

std::string LockId(const engine::LockInfo& lock) {
  return fmt::format("{}:{}:{:x}:{}", lock.owner, lock.index.value(),
                     std::hash<std::string>()(lock.key), lock.mode);
}

struct IndexName {
  std::string schema;
  std::string table;
  std::string index;
};

// Names of the indexes of all tables; one that is dropped while its locks are listed has none.
Result<std::map<uint64_t, IndexName>> IndexNames(engine::Engine& engine) {
  std::map<uint64_t, IndexName> names;
  ASSIGN_OR_RETURN(const auto schemas, engine.ListSchemas());
  for (const engine::SchemaDefinition& schema : schemas) {
    auto tables = engine.ListTables(schema.name);
    if (tables.status().Is(Code::kNotFound)) {
      continue;
    }
    RETURN_IF_ERROR(tables.status());
    for (const std::string& name : *tables) {
      auto table = engine.FindTable(schema.name, name);
      if (table.status().Is(Code::kNotFound)) {
        continue;
      }
      RETURN_IF_ERROR(table.status());
      for (const engine::IndexDefinition& index : (*table)->definition().indexes) {
        names[index.id.value()] = {schema.name, name, index.name};
      }
    }
  }
  return names;
}

Status ScanDataLocks(SystemRows& rows) {
  engine::Engine& engine = *rows.session().environment().engine;
  const std::vector<engine::LockInfo> locks = engine.ListLocks();
  if (locks.empty()) {
    return Status::Ok();
  }
  ASSIGN_OR_RETURN(const auto names, IndexNames(engine));
  for (const engine::LockInfo& lock : locks) {
    SystemRow row = rows.NewRow();
    row.Text(kEngine).Text(LockId(lock)).Number(lock.trx.value()).Number(lock.session_id).Null();
    const auto name = names.find(lock.index.value());
    if (name == names.end()) {
      row.Null(5);
    } else {
      row.Text(name->second.schema).Text(name->second.table).Null(2).Text(name->second.index);
    }
    row.Number(lock.owner).Text("RECORD").Text(lock.mode);
    RETURN_IF_ERROR(rows.Add(row.Text(lock.granted ? "GRANTED" : "WAITING").Null()));
  }
  return Status::Ok();
}

Status ScanDataLockWaits(SystemRows& rows) {
  const std::vector<engine::LockInfo> locks = rows.session().environment().engine->ListLocks();
  for (const engine::LockInfo& waiting : locks) {
    for (const uint64_t owner : waiting.blocking_owners) {
      // The owner's lock there: of this key, or a range of its index.
      const engine::LockInfo* blocking = nullptr;
      for (const engine::LockInfo& lock : locks) {
        const bool candidate = lock.owner == owner && lock.index == waiting.index;
        if (candidate && (blocking == nullptr || lock.key == waiting.key)) {
          blocking = &lock;
        }
      }
      if (blocking == nullptr) {
        continue;  // given back since the wait was listed
      }
      SystemRow row = rows.NewRow();
      row.Text(kEngine).Text(LockId(waiting)).Number(waiting.trx.value());
      row.Number(waiting.session_id).Null().Number(waiting.owner).Text(LockId(*blocking));
      row.Number(blocking->trx.value()).Number(blocking->session_id).Null();
      RETURN_IF_ERROR(rows.Add(row.Number(owner)));
    }
  }
  return Status::Ok();
}

constexpr std::string_view kPerformance = "performance_schema";

}  // namespace

std::vector<SystemTableDefinition> LockSystemTables() {
  return {
      {kPerformance, "data_locks", kDataLocks, ScanDataLocks},
      {kPerformance, "data_lock_waits", kDataLockWaits, ScanDataLockWaits},
  };
}

}  // namespace borealis::sql
