#include "engine/trx/table_locks.h"

#include "engine/schema_changer.h"
#include "engine/trx/instance_lock.h"

namespace borealis::engine {

std::string RowsKey(std::string_view schema, std::string_view table) {
  std::string key = MetadataKey(schema, table);
  key.push_back('\0');
  return key;
}

Result<std::shared_ptr<const TableLocks>> HeldTableLocks::Take(
    Core* core, const std::vector<TableLockRequest>& tables, const SchemaChangeOptions& how) {
  std::shared_ptr<HeldTableLocks> locks(new HeldTableLocks(core, how));
  for (const TableLockRequest& request : tables) {
    bool& for_writing = locks->held_.try_emplace(request.table, request.for_writing).first->second;
    for_writing = for_writing || request.for_writing;
    locks->for_writing_ |= for_writing;
    locks->held_.try_emplace(TableName{request.table.schema, ""}, false);
  }
  LockWait wait;
  wait.timeout_us = how.metadata_wait_timeout_us > 0 ? how.metadata_wait_timeout_us
                                                     : core->options.metadata_wait_timeout_us;
  if (locks->for_writing_) {
    RETURN_IF_ERROR(PassGate(core, &locks->owner_, InstanceGate::kChanges, wait.timeout_us));
  }
  // In the order of the names, as schema changes do.
  for (const auto& [table, for_writing] : locks->held_) {
    if (!for_writing && !table.name.empty()) {
      RETURN_IF_ERROR(core->metadata
                          .LockRecord(&locks->owner_, IndexId(0), RowsKey(table.schema, table.name),
                                      LockMode::kShared, wait)
                          .status());
    }
    RETURN_IF_ERROR(core->metadata
                        .LockRecord(&locks->owner_, IndexId(0),
                                    MetadataKey(table.schema, table.name),
                                    for_writing ? LockMode::kExclusive : LockMode::kShared, wait)
                        .status());
  }
  // Views made under the locks see what was done in the tables before (INV-TRX-8).
  if (const Lsn met(locks->owner_.met_lsn.load()); met != Lsn(0)) {
    RETURN_IF_ERROR(core->store->volume()->WaitDurable(met));
  }
  return std::shared_ptr<const TableLocks>(std::move(locks));
}

HeldTableLocks::HeldTableLocks(Core* core, const SchemaChangeOptions& how)
    : core_(core), owner_(core->next_owner.fetch_add(1), how.session_id, how.killed) {}

HeldTableLocks::~HeldTableLocks() {
  core_->metadata.ReleaseAll(&owner_);
}

std::vector<TableName> HeldTableLocks::tables() const {
  std::vector<TableName> names;
  for (const auto& [name, for_writing] : held_) {
    if (!name.name.empty()) {
      names.push_back(name);
    }
  }
  return names;
}

TableLocks::Held HeldTableLocks::HeldOn(std::string_view schema, std::string_view table) const {
  const auto found = held_.find(TableName{std::string(schema), std::string(table)});
  if (found == held_.end()) {
    return Held::kNo;
  }
  return found->second ? Held::kForWriting : Held::kForReading;
}

}  // namespace borealis::engine
