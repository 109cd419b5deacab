#include "engine/schema_changer.h"

#include <algorithm>
#include <utility>

#include "base/fault.h"
#include "engine/table_locks.h"
#include "engine/trx/history.h"
#include "engine/trx/instance_lock.h"
#include "engine/trx/table_locks.h"

namespace borealis::engine {

std::string MetadataKey(std::string_view schema, std::string_view table) {
  std::string key(schema);
  if (!table.empty()) {
    key.push_back('\0');
    key.append(table);
  }
  return key;
}

SchemaChange::SchemaChange(Core* core, const SchemaChangeOptions& how)
    : core_(core), how_(how), owner_(core->next_owner.fetch_add(1), how.session_id, how.killed) {
  owner_.weight.store(LockOwner::kSpared);
}

SchemaChange::~SchemaChange() {
  for (PageNo root : new_trees_) {
    core_->dictionary.StopGuarding(root);
  }
  core_->metadata.ReleaseAll(&owner_);
  if (own_backup_lock_ != nullptr) {
    own_backup_lock_->EndOwn();
  }
}

bool SchemaChange::IsGiven(const TableName& name, LockMode mode) const {
  if (how_.table_locks == nullptr) {
    return false;
  }
  const TableLocks::Held held = how_.table_locks->HeldOn(name.schema, name.name);
  return held == TableLocks::Held::kForWriting ||
         (held == TableLocks::Held::kForReading && mode == LockMode::kShared);
}

int64_t SchemaChange::wait_timeout_us() const {
  return how_.metadata_wait_timeout_us > 0 ? how_.metadata_wait_timeout_us
                                           : core_->options.metadata_wait_timeout_us;
}

Status SchemaChange::PassGates() {
  if (std::exchange(passed_gates_, true) || how_.passes_instance_locks) {
    return Status::Ok();
  }
  if (how_.backup_lock != nullptr) {
    auto& lock = static_cast<HeldInstanceLock&>(*how_.backup_lock);
    RETURN_IF_ERROR(lock.BeginOwn());
    own_backup_lock_ = &lock;
  } else {
    RETURN_IF_ERROR(PassGate(core_, &owner_, InstanceGate::kDefinitions, wait_timeout_us()));
  }
  const bool passed_changes = how_.table_locks != nullptr && how_.table_locks->for_writing();
  return passed_changes ? Status::Ok()
                        : PassGate(core_, &owner_, InstanceGate::kChanges, wait_timeout_us());
}

Status SchemaChange::LockKey(const std::string& key, LockMode mode) {
  RETURN_IF_ERROR(PassGates());
  LockWait wait;
  wait.timeout_us = wait_timeout_us();
  return core_->metadata.LockRecord(&owner_, IndexId(0), key, mode, wait).status();
}

Status SchemaChange::Lock(const TableName& name, LockMode mode) {
  RETURN_IF_ERROR(PassGates());
  return IsGiven(name, mode) ? Status::Ok() : LockKey(MetadataKey(name.schema, name.name), mode);
}

Status SchemaChange::LockAlteration(const TableName& name, Concurrency concurrency) {
  const std::string rows = RowsKey(name.schema, name.name);
  RETURN_IF_ERROR(LockKey(rows + '\0', LockMode::kExclusive));
  return concurrency == Concurrency::kReadAndWrite || IsGiven(name, LockMode::kExclusive)
             ? Status::Ok()
             : LockKey(rows, LockMode::kShared);
}

void SchemaChange::OpenTo(Concurrency concurrency, const TableName& name) {
  if (concurrency != Concurrency::kNone && !IsGiven(name, LockMode::kExclusive)) {
    core_->metadata.Downgrade(&owner_, IndexId(0), MetadataKey(name.schema, name.name));
  }
}

void SchemaChange::Report(BuildStep step) const {
  if (how_.progress) {
    how_.progress(step);
  }
}

Status SchemaChange::LockExclusive(std::set<TableName> names) {
  const bool takes_related =
      !related_locked_ && std::any_of(names.begin(), names.end(),
                                      [](const TableName& name) { return !name.name.empty(); });
  if (takes_related) {
    for (const RelatedChanges::Table& table : how_.related.tables) {
      names.insert(table.name);
    }
  }
  for (const TableName& name : names) {
    RETURN_IF_ERROR(Lock(name, LockMode::kExclusive));
  }
  if (!takes_related) {
    return Status::Ok();
  }
  related_locked_ = true;
  return CheckRelated();
}

Status SchemaChange::CheckRelated() {
  bool described_anew = false;
  for (const RelatedChanges::Table& table : how_.related.tables) {
    Result<TableRef> found = core_->dictionary.Find(table.name);
    if (!found.ok() && !found.status().Is(Code::kNotFound)) {
      return found.status();
    }
    const uint64_t version = found.ok() ? (*found)->version() : 0;
    if (version != table.expected_version) {
      COVER("schema_change.related_table_changed");
      return Status::Retry("another change of a related table came first");
    }
    described_anew |= table.payload.has_value();
  }
  return described_anew ? WaitForRecoveredTransactions() : Status::Ok();
}

const std::string* SchemaChange::NewPayload(const TableName& name) const {
  for (const RelatedChanges::Table& table : how_.related.tables) {
    if (table.name == name && table.payload.has_value()) {
      return &*table.payload;
    }
  }
  return nullptr;
}

// The related tables that the change itself does not replace: described anew, over the same trees.
Status SchemaChange::AddRelated(std::vector<TableRef>* old_tables,
                                std::vector<TableRef>* new_tables) {
  for (const RelatedChanges::Entry& entry : how_.related.entries) {
    Add({dictionary_key::Sql(entry.key), entry.value});
  }
  for (const RelatedChanges::Table& related : how_.related.tables) {
    if (!related.payload.has_value()) {
      continue;
    }
    ASSIGN_OR_RETURN(TableRef table, core_->dictionary.Find(related.name));
    const bool replaced =
        std::any_of(old_tables->begin(), old_tables->end(),
                    [&](const TableRef& old_table) { return old_table->id() == table->id(); });
    if (replaced) {
      continue;
    }
    TableDefinition definition = table->definition();
    definition.payload = *related.payload;
    ASSIGN_OR_RETURN(definition.version, NewNumber());
    std::set<PageNo> trees;
    std::vector<uint64_t> usable_from;
    for (size_t i = 0; i < table->index_count(); ++i) {
      trees.insert(definition.indexes[i].root);
      usable_from.push_back(table->trees().usable_from(i));
    }
    RETURN_IF_ERROR(AddDrop(table->definition(), trees));
    RETURN_IF_ERROR(AddDefinition(definition));
    ASSIGN_OR_RETURN(TableRef described, core_->dictionary.MakeTable(definition, usable_from));
    old_tables->push_back(std::move(table));
    new_tables->push_back(std::move(described));
  }
  return Status::Ok();
}

Status SchemaChange::LockShared(const TableName& name) {
  return Lock(name, LockMode::kShared);
}

Status SchemaChange::CheckKilled() const {
  if (core_->stopping.load() || (how_.killed && how_.killed())) {
    return Status::Cancelled("schema change interrupted");
  }
  return Status::Ok();
}

Status SchemaChange::WaitForRecoveredTransactions() {
  for (;;) {
    const auto active = core_->transactions->ListActive();
    const bool any = std::any_of(active.begin(), active.end(), [](const auto& transaction) {
      return transaction->recovered || transaction->orphaned;
    });
    if (!any) {
      return Status::Ok();
    }
    COVER("schema_change.waits_for_recovery");
    RETURN_IF_ERROR(CheckKilled());
    core_->history->Wake();
    core_->transactions->WaitForEnd(20'000);
  }
}

Result<uint64_t> SchemaChange::NewNumber() {
  RETURN_IF_ERROR(core_->transactions->EnsureNumbers());
  return core_->transactions->TakeNumber();
}

Result<PageNo> SchemaChange::NewTree(IndexId id, bool is_clustered) {
  ASSIGN_OR_RETURN(PageNo root, core_->dictionary.CreateTree(id, is_clustered));
  new_trees_.push_back(root);
  return root;
}

namespace {
std::string IdValue(uint64_t id) {
  std::string value;
  AppendLittle(&value, id);
  return value;
}
}  // namespace

Status SchemaChange::AddDefinition(const TableDefinition& table) {
  Add({dictionary_key::Name({table.schema, table.name}), IdValue(table.id.value())});
  if (!table.indexes.empty()) {
    Add({dictionary_key::Clustered(table.indexes[0].id), IdValue(table.id.value())});
  }
  ASSIGN_OR_RETURN(DictionaryChange definition, core_->dictionary.DefinitionChange(table));
  Add(std::move(definition));
  for (const IndexDefinition& index : table.indexes) {
    Add({dictionary_key::Drop(index.root), std::nullopt});
  }
  return Status::Ok();
}

Status SchemaChange::AddDrop(const TableDefinition& table, const std::set<PageNo>& keep_trees) {
  Add({dictionary_key::Name({table.schema, table.name}), std::nullopt});
  if (!table.indexes.empty()) {
    Add({dictionary_key::Clustered(table.indexes[0].id), std::nullopt});
  }
  ASSIGN_OR_RETURN(std::optional<DictionaryChange> off_page,
                   core_->dictionary.DropOfDefinition(table.id));
  if (off_page.has_value()) {
    Add(std::move(*off_page));
    freed_trees_ = true;
  }
  Add({dictionary_key::Definition(table.id), std::nullopt});
  for (size_t i = 0; i < table.indexes.size(); ++i) {
    if (!keep_trees.contains(table.indexes[i].root)) {
      Add({dictionary_key::Statistics(table.id, table.indexes[i].id), std::nullopt});
      if (i == kClusteredIndex) {
        Add({dictionary_key::Statistics(table.id), std::nullopt});
      }
      Add(Dictionary::DropOfTree(table.indexes[i].root, i == kClusteredIndex));
      freed_trees_ = true;
    }
  }
  return Status::Ok();
}

Status SchemaChange::Apply(const std::vector<TableRef>& old_tables,
                           const std::vector<TableRef>& new_tables) {
  RETURN_IF_ERROR(CheckKilled());
  if (how_.related.empty()) {
    return core_->dictionary.Apply(changes_, {}, old_tables, new_tables);
  }
  std::vector<TableRef> all_old = old_tables;
  std::vector<TableRef> all_new = new_tables;
  RETURN_IF_ERROR(AddRelated(&all_old, &all_new));
  return core_->dictionary.Apply(changes_, how_.related.expected, all_old, all_new);
}

}  // namespace borealis::engine
