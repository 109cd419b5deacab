// The schema changes of the Engine: what each does to the dictionary (dictionary.h has how).
#include <algorithm>
#include <map>
#include <set>

#include "engine/engine_impl.h"
#include "engine/schema_changer.h"
#include "engine/table_build.h"
#include "engine/table_trees.h"

namespace borealis::engine {

namespace {

Status NoSuchTable(const TableName& name) {
  return Status::NotFound("table " + name.schema + "." + name.name + " does not exist");
}

Status RefuseOnReplica(const Store& store) {
  return store.is_replica() ? Status::InvalidArgument("a reader instance changes no schema")
                            : Status::Ok();
}

// kAlreadyExists when the name is taken.
Status CheckFree(Dictionary& dictionary, const TableName& name) {
  Result<TableRef> found = dictionary.Find(name);
  if (found.ok()) {
    return Status::AlreadyExists("table " + name.schema + "." + name.name + " exists");
  }
  return found.status().Is(Code::kNotFound) ? Status::Ok() : found.status();
}

std::vector<uint64_t> UsableFrom(const Table& table) {
  std::vector<uint64_t> list;
  for (size_t i = 0; i < table.index_count(); ++i) {
    list.push_back(table.trees().usable_from(i));
  }
  return list;
}

}  // namespace

Status EngineImpl::CreateSchema(const SchemaDefinition& schema, const SchemaChangeOptions& how) {
  RETURN_IF_ERROR(RefuseOnReplica(*store_));
  SchemaChange change(&core_, how);
  RETURN_IF_ERROR(change.LockExclusive({{schema.name, ""}}));
  Result<SchemaDefinition> found = core_.dictionary.FindSchema(schema.name);
  if (found.ok()) {
    return Status::AlreadyExists("schema " + schema.name + " exists");
  }
  if (!found.status().Is(Code::kNotFound)) {
    return found.status();
  }
  change.Add({dictionary_key::Schema(schema.name), schema.payload});
  return change.Apply({}, {});
}

Status EngineImpl::AlterSchema(const SchemaDefinition& schema, const SchemaChangeOptions& how) {
  RETURN_IF_ERROR(RefuseOnReplica(*store_));
  SchemaChange change(&core_, how);
  RETURN_IF_ERROR(change.LockExclusive({{schema.name, ""}}));
  RETURN_IF_ERROR(core_.dictionary.FindSchema(schema.name).status());
  change.Add({dictionary_key::Schema(schema.name), schema.payload});
  return change.Apply({}, {});
}

Status EngineImpl::DropSchema(std::string_view name, const SchemaChangeOptions& how) {
  RETURN_IF_ERROR(RefuseOnReplica(*store_));
  SchemaChange change(&core_, how);
  const std::string schema(name);
  RETURN_IF_ERROR(change.LockExclusive({{schema, ""}}));
  ASSIGN_OR_RETURN(std::vector<std::string> names, core_.dictionary.ListTables(schema));
  std::set<TableName> tables;
  for (std::string& table : names) {
    tables.insert({schema, std::move(table)});
  }
  RETURN_IF_ERROR(change.LockExclusive(tables));
  RETURN_IF_ERROR(change.WaitForRecoveredTransactions());
  std::vector<TableRef> dropped;
  for (const TableName& table : tables) {
    ASSIGN_OR_RETURN(TableRef found, core_.dictionary.Find(table));
    RETURN_IF_ERROR(change.AddDrop(found->definition(), {}));
    change.Add({dictionary_key::Counter(found->id()), std::nullopt});
    dropped.push_back(std::move(found));
  }
  change.Add({dictionary_key::Schema(schema), std::nullopt});
  RETURN_IF_ERROR(change.Apply(dropped, {}));
  AfterSchemaChange();
  return Status::Ok();
}

Result<TableRef> EngineImpl::CreateTable(TableDefinition table, const SchemaChangeOptions& how) {
  RETURN_IF_ERROR(RefuseOnReplica(*store_));
  SchemaChange change(&core_, how);
  RETURN_IF_ERROR(change.LockShared({table.schema, ""}));
  RETURN_IF_ERROR(change.LockExclusive({{table.schema, table.name}}));
  RETURN_IF_ERROR(core_.dictionary.FindSchema(table.schema).status());
  RETURN_IF_ERROR(CheckFree(core_.dictionary, {table.schema, table.name}));
  ASSIGN_OR_RETURN(const uint64_t id, change.NewNumber());
  table.id = TableId(id);
  table.version = id;
  for (size_t i = 0; i < table.indexes.size(); ++i) {
    ASSIGN_OR_RETURN(const uint64_t index_id, change.NewNumber());
    table.indexes[i].id = IndexId(index_id);
    ASSIGN_OR_RETURN(table.indexes[i].root,
                     change.NewTree(table.indexes[i].id, i == kClusteredIndex));
  }
  RETURN_IF_ERROR(change.AddDefinition(table));
  ASSIGN_OR_RETURN(TableRef created, core_.dictionary.MakeTable(table, {}));
  Status applied = change.Apply({}, {created});
  AfterSchemaChange();  // trees of a failed attempt are to be freed
  RETURN_IF_ERROR(std::move(applied));
  return created;
}

Status EngineImpl::DropTables(const std::vector<TableName>& tables,
                              const SchemaChangeOptions& how) {
  RETURN_IF_ERROR(RefuseOnReplica(*store_));
  SchemaChange change(&core_, how);
  RETURN_IF_ERROR(change.LockExclusive({tables.begin(), tables.end()}));
  RETURN_IF_ERROR(change.WaitForRecoveredTransactions());
  std::vector<TableRef> dropped;
  for (const TableName& table : std::set<TableName>(tables.begin(), tables.end())) {
    ASSIGN_OR_RETURN(TableRef found, core_.dictionary.Find(table));
    RETURN_IF_ERROR(change.AddDrop(found->definition(), {}));
    change.Add({dictionary_key::Counter(found->id()), std::nullopt});
    dropped.push_back(std::move(found));
  }
  RETURN_IF_ERROR(change.Apply(dropped, {}));
  AfterSchemaChange();
  return Status::Ok();
}

Status EngineImpl::RenameTables(const std::vector<std::pair<TableName, TableName>>& renames,
                                const SchemaChangeOptions& how) {
  RETURN_IF_ERROR(RefuseOnReplica(*store_));
  SchemaChange change(&core_, how);
  std::set<TableName> schemas;
  std::set<TableName> names;
  for (const auto& [from, to] : renames) {
    schemas.insert({to.schema, ""});
    names.insert(from);
    names.insert(to);
  }
  for (const TableName& schema : schemas) {
    RETURN_IF_ERROR(change.LockShared(schema));
    RETURN_IF_ERROR(core_.dictionary.FindSchema(schema.schema).status());
  }
  RETURN_IF_ERROR(change.LockExclusive(names));
  RETURN_IF_ERROR(change.WaitForRecoveredTransactions());
  // Who has each name, step by step; null: nobody.
  std::map<TableName, TableRef> holders;
  for (const TableName& name : names) {
    Result<TableRef> found = core_.dictionary.Find(name);
    if (!found.ok() && !found.status().Is(Code::kNotFound)) {
      return found.status();
    }
    holders[name] = found.ok() ? *found : nullptr;
  }
  const std::map<TableName, TableRef> before = holders;
  for (const auto& [from, to] : renames) {
    if (holders[from] == nullptr) {
      return NoSuchTable(from);
    }
    if (holders[to] != nullptr) {
      return Status::AlreadyExists("table " + to.schema + "." + to.name + " exists");
    }
    holders[to] = std::move(holders[from]);
    holders[from] = nullptr;
  }
  std::vector<TableRef> old_tables;
  std::vector<TableRef> new_tables;
  for (const auto& [name, table] : before) {
    if (table != nullptr) {
      std::set<PageNo> keep;
      for (const IndexDefinition& index : table->definition().indexes) {
        keep.insert(index.root);
      }
      RETURN_IF_ERROR(change.AddDrop(table->definition(), keep));
      old_tables.push_back(table);
    }
  }
  for (const auto& [name, table] : holders) {
    if (table != nullptr) {
      TableDefinition definition = table->definition();
      const std::string* payload = change.NewPayload({definition.schema, definition.name});
      if (payload != nullptr) {
        definition.payload = *payload;
      }
      definition.schema = name.schema;
      definition.name = name.name;
      ASSIGN_OR_RETURN(definition.version, change.NewNumber());
      RETURN_IF_ERROR(change.AddDefinition(definition));
      ASSIGN_OR_RETURN(TableRef renamed,
                       core_.dictionary.MakeTable(definition, UsableFrom(*table)));
      new_tables.push_back(std::move(renamed));
    }
  }
  RETURN_IF_ERROR(change.Apply(old_tables, new_tables));
  AfterSchemaChange();
  return Status::Ok();
}

namespace {

// The table after an alteration, and which of its trees have to be built.
struct AlteredTable {
  TableDefinition definition;
  std::vector<bool> build;
  std::vector<uint64_t> usable_from;
  std::set<PageNo> kept;
  TableRef target;  // the definition with its trees, while they are built
};

Result<AlteredTable> PlanAlteration(SchemaChange& change, const Table& old_table,
                                    const TableAlteration& alteration) {
  const TableDefinition& old = old_table.definition();
  AlteredTable plan;
  plan.definition = old;
  plan.definition.payload = alteration.payload;
  plan.definition.indexes.clear();
  if (alteration.rename.has_value()) {
    plan.definition.schema = alteration.rename->schema;
    plan.definition.name = alteration.rename->name;
  }
  ASSIGN_OR_RETURN(plan.definition.version, change.NewNumber());
  for (size_t i = 0; i < alteration.indexes.size(); ++i) {
    const TableAlteration::Index& wanted = alteration.indexes[i];
    IndexDefinition index;
    uint64_t usable_from = 0;
    const auto found =
        std::find_if(old.indexes.begin(), old.indexes.end(),
                     [&](const IndexDefinition& other) { return other.name == wanted.keep; });
    const bool keep = !alteration.rewrite && !wanted.keep.empty() && found != old.indexes.end();
    if (!wanted.keep.empty() && found == old.indexes.end()) {
      return Status::InvalidArgument("no index " + wanted.keep + " to keep");
    }
    const auto old_no = static_cast<size_t>(found - old.indexes.begin());
    if ((i == kClusteredIndex) != (keep && old_no == kClusteredIndex) && !alteration.rewrite) {
      return Status::InvalidArgument("the clustered index changes only with the rows");
    }
    if (keep) {
      index = *found;
      usable_from = old_table.trees().usable_from(old_no);
      plan.kept.insert(index.root);
    } else {
      ASSIGN_OR_RETURN(const uint64_t id, change.NewNumber());
      index.id = IndexId(id);
      ASSIGN_OR_RETURN(index.root, change.NewTree(index.id, i == kClusteredIndex));
    }
    index.name = wanted.name;
    index.unique = wanted.unique;
    plan.definition.indexes.push_back(std::move(index));
    plan.build.push_back(!keep);
    plan.usable_from.push_back(usable_from);
  }
  return plan;
}

// Views made before this point do not find in these trees what they should: all have a limit up to
// this number, and all later ones a higher one.
Status RefuseOldViews(SchemaChange& change, const std::vector<bool>& trees, AlteredTable* plan) {
  ASSIGN_OR_RETURN(const uint64_t number, change.NewNumber());
  for (size_t i = 0; i < trees.size(); ++i) {
    if (trees[i]) {
      plan->usable_from[i] = number + 1;
    }
  }
  return Status::Ok();
}

// Builds what is to be built. Others use the table meanwhile as far as the alteration lets them;
// at the end nobody does.
Status BuildTrees(SchemaChange& change, const Table& old_table, const TableAlteration& alteration,
                  AlteredTable* plan, std::optional<TableBuilder>* builder) {
  const TableDefinition& old = old_table.definition();
  const TableName name{old.schema, old.name};
  ASSIGN_OR_RETURN(plan->target, change.core().dictionary.MakeTable(plan->definition, {}));
  TableBuild build;
  build.source = &old_table;
  build.target = plan->target.get();
  build.build = plan->build;
  build.rewrite = alteration.rewrite;
  build.keeps_order = alteration.keeps_order;
  build.duplicate = alteration.duplicate;
  build.duplicate_row = alteration.duplicate_row;
  builder->emplace(change, std::move(build));
  RETURN_IF_ERROR((*builder)->Start());
  change.OpenTo(alteration.concurrency, name);
  RETURN_IF_ERROR((*builder)->Load());
  RETURN_IF_ERROR((*builder)->CatchUp());
  RETURN_IF_ERROR(change.LockExclusive({name}));
  RETURN_IF_ERROR(change.WaitForRecoveredTransactions());
  RETURN_IF_ERROR((*builder)->Finish());
  return RefuseOldViews(change, plan->build, plan);
}

}  // namespace

Status EngineImpl::AlterTable(const TableName& name, const TableAlteration& alteration,
                              const SchemaChangeOptions& how) {
  RETURN_IF_ERROR(RefuseOnReplica(*store_));
  SchemaChange change(&core_, how);
  std::set<TableName> names = {name};
  const bool renamed = alteration.rename.has_value() && *alteration.rename != name;
  if (renamed) {
    RETURN_IF_ERROR(change.LockShared({alteration.rename->schema, ""}));
    RETURN_IF_ERROR(core_.dictionary.FindSchema(alteration.rename->schema).status());
    names.insert(*alteration.rename);
  }
  RETURN_IF_ERROR(change.LockAlteration(name, alteration.concurrency));
  RETURN_IF_ERROR(change.LockExclusive(names));
  RETURN_IF_ERROR(change.WaitForRecoveredTransactions());
  ASSIGN_OR_RETURN(TableRef table, core_.dictionary.Find(name));
  if (alteration.expected_version != 0 && table->version() != alteration.expected_version) {
    return Status::Retry("another change of the table came first");
  }
  if (alteration.indexes.empty() != (table->index_count() == 0)) {
    return Status::InvalidArgument("a table needs a clustered index, and a view has none");
  }
  if (renamed) {
    RETURN_IF_ERROR(CheckFree(core_.dictionary, *alteration.rename));
  }
  auto alter = [&]() -> Status {
    ASSIGN_OR_RETURN(AlteredTable plan, PlanAlteration(change, *table, alteration));
    std::optional<TableBuilder> builder;
    if (std::find(plan.build.begin(), plan.build.end(), true) != plan.build.end()) {
      RETURN_IF_ERROR(BuildTrees(change, *table, alteration, &plan, &builder));
    }
    if (alteration.changes_columns) {
      const std::vector<bool> all(plan.build.size(), true);
      RETURN_IF_ERROR(RefuseOldViews(change, all, &plan));
    }
    ASSIGN_OR_RETURN(TableRef altered,
                     core_.dictionary.MakeTable(plan.definition, plan.usable_from));
    RETURN_IF_ERROR(change.AddDrop(table->definition(), plan.kept));
    RETURN_IF_ERROR(change.AddDefinition(plan.definition));
    change.Report(BuildStep::kPublishing);
    return change.Apply({table}, {altered});
  };
  Status status = alter();
  AfterSchemaChange();
  return status;
}

Status EngineImpl::TruncateTable(const TableName& name, const SchemaChangeOptions& how) {
  RETURN_IF_ERROR(RefuseOnReplica(*store_));
  SchemaChange change(&core_, how);
  RETURN_IF_ERROR(change.LockExclusive({name}));
  RETURN_IF_ERROR(change.WaitForRecoveredTransactions());
  ASSIGN_OR_RETURN(TableRef table, core_.dictionary.Find(name));
  auto truncate = [&]() -> Status {
    TableDefinition definition = table->definition();
    ASSIGN_OR_RETURN(definition.version, change.NewNumber());
    for (size_t i = 0; i < definition.indexes.size(); ++i) {
      ASSIGN_OR_RETURN(const uint64_t id, change.NewNumber());
      definition.indexes[i].id = IndexId(id);
      ASSIGN_OR_RETURN(definition.indexes[i].root,
                       change.NewTree(definition.indexes[i].id, i == kClusteredIndex));
    }
    RETURN_IF_ERROR(change.AddDrop(table->definition(), {}));
    change.Add({dictionary_key::Counter(table->id()), std::nullopt});
    RETURN_IF_ERROR(change.AddDefinition(definition));
    ASSIGN_OR_RETURN(const uint64_t usable_from, change.NewNumber());
    ASSIGN_OR_RETURN(
        TableRef emptied,
        core_.dictionary.MakeTable(definition,
                                   std::vector<uint64_t>(definition.indexes.size(), usable_from)));
    RETURN_IF_ERROR(change.Apply({table}, {emptied}));
    MutexLock lock(emptied->state().mutex);
    emptied->state().auto_increment_loaded = false;
    return Status::Ok();
  };
  Status status = truncate();
  AfterSchemaChange();
  return status;
}

void EngineImpl::AfterSchemaChange() {
  drops_listed_.store(false);
  core_.history->Wake();
}

}  // namespace borealis::engine
