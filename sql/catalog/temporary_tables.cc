#include "sql/catalog/temporary_tables.h"

#include <utility>

#include "engine/local_volume.h"
#include "sql/catalog/row_layout.h"

namespace borealis::sql {

namespace {

// Where dropped tables wait for the end of the transaction. No schema of a user's can have the
// name: they do not end in a space.
constexpr std::string_view kHiddenSchema = "dropped ";

// Changed rows after which old versions are purged.
constexpr uint64_t kChangesPerPurge = 1000;

}  // namespace

TemporaryTables::TemporaryTables() = default;

TemporaryTables::~TemporaryTables() {
  if (transaction_ != nullptr) {
    transaction_->Abandon();  // nobody will see what it would undo
    transaction_.reset();
  }
}

Result<std::unique_ptr<TemporaryTables>> TemporaryTables::Open(const Options& options) {
  std::unique_ptr<TemporaryTables> tables(new TemporaryTables());
  tables->volume_ = std::make_unique<engine::LocalVolume>(options.directory);
  engine::EngineOptions how;
  how.layouts = MakeTemporaryRowLayout;
  how.buffer_pool_bytes = options.buffer_pool_bytes;
  how.background_threads = false;
  how.temporary_directory = options.directory;
  how.clock = options.clock;
  ASSIGN_OR_RETURN(tables->engine_, engine::Engine::Open(tables->volume_.get(), std::move(how)));
  engine::StatisticsDefaults statistics;
  statistics.persistent = false;
  tables->engine_->SetStatisticsDefaults(statistics);
  return tables;
}

// --- tables

void TemporaryTables::ListAgain() const {
  tables_.clear();
  const Result<std::vector<engine::SchemaDefinition>> schemas = engine_->ListSchemas();
  for (size_t i = 0; schemas.ok() && i < schemas->size(); ++i) {
    const std::string& schema = (*schemas)[i].name;
    const Result<std::vector<std::string>> names = engine_->ListTables(schema);
    for (size_t j = 0; schema != kHiddenSchema && names.ok() && j < names->size(); ++j) {
      Result<engine::TableRef> table = engine_->FindTable(schema, (*names)[j]);
      if (table.ok()) {
        tables_[{schema, (*names)[j]}] = std::move(table).value();
      }
    }
  }
}

engine::TableRef TemporaryTables::Find(std::string_view schema, std::string_view name) const {
  if (const uint64_t version = engine_->dictionary_version(); version != listed_at_) {
    ListAgain();
    listed_at_ = version;
  }
  const auto found = tables_.find({std::string(schema), std::string(name)});
  return found != tables_.end() ? found->second : nullptr;
}

std::vector<engine::TableRef> TemporaryTables::List() const {
  (void)Find("", "");
  std::vector<engine::TableRef> list;
  for (const auto& [name, table] : tables_) {
    list.push_back(table);
  }
  return list;
}

Status TemporaryTables::EnsureSchema(std::string_view name,
                                     const engine::SchemaChangeOptions& how) {
  const Status found = engine_->FindSchema(name).status();
  return found.Is(Code::kNotFound) ? engine_->CreateSchema({std::string(name), ""}, how) : found;
}

Result<engine::TableRef> TemporaryTables::Create(engine::TableDefinition table,
                                                 const engine::SchemaChangeOptions& how) {
  RETURN_IF_ERROR(EnsureSchema(table.schema, how));
  return engine_->CreateTable(std::move(table), how);
}

Status TemporaryTables::Drop(const std::vector<engine::TableName>& tables,
                             const engine::SchemaChangeOptions& how) {
  dropped_ += tables.size();
  frees_trees_ = true;
  if (transaction_ == nullptr) {
    RETURN_IF_ERROR(engine_->DropTables(tables, how));
    return Tidy();
  }
  RETURN_IF_ERROR(EnsureSchema(kHiddenSchema, how));
  std::vector<std::pair<engine::TableName, engine::TableName>> renames;
  for (const engine::TableName& table : tables) {
    renames.push_back({table, {std::string(kHiddenSchema), std::to_string(++hidden_so_far_)}});
  }
  RETURN_IF_ERROR(engine_->RenameTables(renames, how));
  for (const auto& [from, to] : renames) {
    hidden_.push_back(to);
  }
  return Status::Ok();
}

Status TemporaryTables::Tidy() {
  if (!hidden_.empty()) {
    const std::vector<engine::TableName> hidden = std::exchange(hidden_, {});
    RETURN_IF_ERROR(engine_->DropTables(hidden, {}));
  }
  if (!std::exchange(frees_trees_, false) && changes_ < kChangesPerPurge) {
    return Status::Ok();
  }
  changes_ = 0;
  RETURN_IF_ERROR(engine_->RunBackground());
  CountAgain();
  return Status::Ok();
}

// A tenth more or fewer rows than when they were last counted, as InnoDB has it.
void TemporaryTables::CountAgain() {
  for (const engine::TableRef& table : List()) {
    const auto counted = engine_->Statistics(*table);
    const auto now = engine_->EstimateTable(*table);
    if (!counted.ok() || !now.ok()) {
      continue;
    }
    const uint64_t before = (*counted)->row_count;
    const uint64_t moved =
        now->row_count > before ? now->row_count - before : before - now->row_count;
    if (moved > before / 10) {
      engine_->AnalyzeTable(*table, {}).IgnoreError();  // statements are right without
    }
  }
}

// --- the companion

engine::Transaction& TemporaryTables::transaction() {
  if (transaction_ == nullptr) {
    transaction_ = engine_->Begin({});
  }
  return *transaction_;
}

engine::Savepoint TemporaryTables::SetSavepoint() const {
  return transaction_ != nullptr ? transaction_->SetSavepoint() : engine::Savepoint();
}

Status TemporaryTables::RollbackTo(engine::Savepoint savepoint) {
  return transaction_ != nullptr ? transaction_->RollbackTo(savepoint) : Status::Ok();
}

Status TemporaryTables::Commit() {
  if (transaction_ == nullptr) {
    return Status::Ok();
  }
  return End(transaction_->CommitAndWait());
}

Status TemporaryTables::Rollback() {
  if (transaction_ == nullptr) {
    return Status::Ok();
  }
  return End(transaction_->Rollback());
}

Status TemporaryTables::End(Status ended) {
  // What could not be undone is tried again with the purge.
  changes_ += ended.ok() ? transaction_->change_count() : kChangesPerPurge;
  transaction_.reset();
  Status tidied = Tidy();
  return ended.ok() ? tidied : ended;
}

}  // namespace borealis::sql
