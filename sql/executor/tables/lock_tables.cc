// System tables about row locks: performance_schema.data_locks and data_lock_waits.
//
// A thread's id is its session's connection id, as in performance_schema.threads. A lock is known
// by its transaction, its index and its key bytes. LOCK_DATA is NULL, as MySQL has it for a page
// that is not in memory, where a key's text cannot be had from the key and the row has moved on.
#include "engine/engine.h"
#include "sql/executor/show/lock_text.h"
#include "sql/executor/tables/system_rows.h"
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

Status ScanDataLocks(SystemRows& rows) {
  engine::Engine& engine = *rows.session().environment().engine;
  const std::vector<engine::LockInfo> locks = engine.ListLocks();
  if (locks.empty()) {
    return Status::Ok();
  }
  ASSIGN_OR_RETURN(const LockNames names, LockNames::Read(engine));
  for (const engine::LockInfo& lock : locks) {
    SystemRow row = rows.NewRow();
    row.Text(kEngine).Text(LockId(lock)).Number(lock.trx.value()).Number(lock.session_id).Null();
    const LockNames::Index* index = names.Find(lock.index);
    if (index == nullptr) {
      row.Null(5);
    } else {
      row.Text(index->definition().schema).Text(index->definition().name).Null(2);
      row.Text(index->name());
    }
    row.Number(lock.owner).Text("RECORD").Text(lock.mode);
    row.Text(lock.granted ? "GRANTED" : "WAITING").TextOrNull(LockData(names, lock));
    RETURN_IF_ERROR(rows.Add(row));
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
