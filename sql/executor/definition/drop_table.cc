// DROP TABLE, TRUNCATE TABLE and RENAME TABLE.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/mysql_error.h"
#include "sql/catalog/temporary_tables.h"
#include "sql/executor/definition/check_names.h"
#include "sql/executor/definition/definition_run.h"
#include "sql/executor/definition/definition_statements.h"
#include "sql/executor/definition/foreign_key_names.h"
#include "sql/executor/definition/foreign_key_relations.h"
#include "sql/executor/definition/trigger_names.h"
#include "sql/executor/show/create_text.h"
#include "sql/session/session.h"

namespace borealis::sql {
namespace {

// 3730 for the first foreign key of a table that stays.
Status CheckUnreferenced(const StatementRun& run, const TableDescriptor& table,
                         const std::vector<engine::TableName>& dropped) {
  for (const ReferencingTable& name : table.referencing) {
    if (std::find(dropped.begin(), dropped.end(), engine::TableName{name.schema, name.name}) !=
        dropped.end()) {
      continue;
    }
    ASSIGN_OR_RETURN(const CatalogEntry child, StoredCatalogOf(run).Find(name.schema, name.name));
    if (const auto* key = FindReference(*child.table, table.schema, table.name); key != nullptr) {
      return UserError(ER_FK_CANNOT_DROP_PARENT, table.name, key->name, name.name);
    }
  }
  return {};
}

// 1701: other tables refer to it.
Status CheckTruncatable(const StatementRun& run, const TableDescriptor& table) {
  for (const ReferencingTable& name : table.referencing) {
    if (name.schema == table.schema && name.name == table.name) {
      continue;
    }
    ASSIGN_OR_RETURN(const CatalogEntry child, StoredCatalogOf(run).Find(name.schema, name.name));
    if (const auto* key = FindReference(*child.table, table.schema, table.name); key != nullptr) {
      const CreateTextOptions quoting;
      return UserError(
          ER_TRUNCATE_ILLEGAL_FK,
          fmt::format("{}.{}, CONSTRAINT {}", QuoteNameFor(name.schema, quoting),
                      QuoteNameFor(name.name, quoting), QuoteNameFor(key->name, quoting)));
    }
  }
  return {};
}

// What becomes of the tables that a statement renames, step by step.
Result<std::vector<TableChange>> RenamedTables(
    const StatementRun& run,
    const std::vector<std::pair<engine::TableName, engine::TableName>>& renames) {
  std::map<engine::TableName, engine::TableName> first_names;  // by the name at that step
  for (const auto& [from, to] : renames) {
    const auto known = first_names.find(from);
    const engine::TableName first = known != first_names.end() ? known->second : from;
    first_names.erase(from);
    first_names[to] = first;
  }
  std::vector<TableChange> changes;
  for (const auto& [last, first] : first_names) {
    ASSIGN_OR_RETURN(const CatalogEntry entry, StoredCatalogOf(run).Find(first.schema, first.name));
    if (entry.engine == nullptr) {
      return UserError(ER_NO_SUCH_TABLE, first.schema, first.name);  // the server's, not stored
    }
    if (entry.table->kind == TableKind::kView) {
      if (last.schema != first.schema) {
        return UserError(ER_FORBID_SCHEMA_CHANGE, first.schema, last.schema);
      }
      continue;
    }
    TableChange change{entry.table, std::make_shared<TableDescriptor>(*entry.table), {}};
    change.after->schema = last.schema;
    change.after->name = last.name;
    for (ForeignKeyDescriptor& key : change.after->foreign_keys) {
      if (const auto number = NumberOfMadeForeignKey(key.name, first.name)) {
        key.name = MadeForeignKeyName(last.name, *number);
        RETURN_IF_ERROR(CheckIdentifierLength(key.name));
      }
    }
    for (CheckDescriptor& check : change.after->checks) {
      if (const auto number = NumberOfMadeCheck(check.name, first.name)) {
        check.name = MadeCheckName(last.name, *number);
        RETURN_IF_ERROR(CheckIdentifierLength(check.name));
      }
    }
    changes.push_back(std::move(change));
  }
  return changes;
}

// 1051, an error or with IF EXISTS a note for each.
Status TellMissing(StatementRun& run, const DropTableStmt& statement,
                   const std::vector<engine::TableName>& missing) {
  std::string names;
  for (const engine::TableName& name : missing) {
    names += (names.empty() ? "" : ",") + DottedName(name);
    if (statement.if_exists) {
      run.session.diagnostics().Note(
          ER_BAD_TABLE_ERROR,
          std::string(UserError(ER_BAD_TABLE_ERROR, DottedName(name)).message()));
    }
  }
  return missing.empty() || statement.if_exists ? Status::Ok()
                                                : UserError(ER_BAD_TABLE_ERROR, names);
}

Status DropTemporary(StatementRun& run, const std::vector<engine::TableName>& tables) {
  return tables.empty() ? Status::Ok() : run.session.temporary_tables()->Drop(tables, {});
}

Status DropTemporaryTables(StatementRun& run, const DropTableStmt& statement) {
  std::vector<engine::TableName> found;
  std::vector<engine::TableName> missing;
  std::set<engine::TableName> named;
  for (const QualifiedName& written : statement.tables) {
    ASSIGN_OR_RETURN(engine::TableName name, ResolveName(run, written));
    if (!named.insert(name).second) {
      return UserError(ER_NONUNIQ_TABLE, name.name);
    }
    (run.session.HasTemporary(written) ? found : missing).push_back(std::move(name));
  }
  RETURN_IF_ERROR(TellMissing(run, statement, missing));
  if (!found.empty()) {
    run.session.NoteTemporaryDropped();
  }
  return DropTemporary(run, found);
}

// LOCK TABLES ends when the last of its tables has been dropped.
void LeaveLocksOnNothing(StatementRun& run) {
  const auto& locks = run.session.table_locks();
  if (locks == nullptr) {
    return;
  }
  const std::vector<engine::TableName> names = locks->tables();
  const bool any = std::any_of(names.begin(), names.end(), [&](const engine::TableName& name) {
    return EngineOf(run).FindTable(name.schema, name.name).ok();
  });
  if (!any) {
    run.session.set_table_locks(nullptr);
  }
}

}  // namespace

Status DropTablesWithKeys(StatementRun& run, const std::vector<engine::TableName>& tables,
                          bool checks) {
  return UntilNotOvertaken(run, [&]() -> Status {
    std::vector<TableChange> changes;
    for (const engine::TableName& name : tables) {
      ASSIGN_OR_RETURN(const CatalogEntry entry, FindStoredTable(run, name));
      if (checks) {
        RETURN_IF_ERROR(CheckUnreferenced(run, *entry.table, tables));
      }
      changes.push_back({entry.table, nullptr, {}});
    }
    engine::SchemaChangeOptions how = ChangeOptions(run);
    ASSIGN_OR_RETURN(how.related, RelateForeignKeys(run, changes));
    RETURN_IF_ERROR(RelateTriggers(changes, &how.related));
    return EngineOf(run).DropTables(tables, how);
  });
}

Status DropTable(StatementRun& run, const DropTableStmt& statement) {
  if (statement.temporary) {
    return DropTemporaryTables(run, statement);
  }
  std::vector<engine::TableName> temporary;
  std::vector<engine::TableName> found;
  std::vector<engine::TableName> missing;
  std::set<engine::TableName> named;
  for (const QualifiedName& written : statement.tables) {
    ASSIGN_OR_RETURN(engine::TableName name, ResolveForAlteration(run, written));
    if (!named.insert(name).second) {
      return UserError(ER_NONUNIQ_TABLE, name.name);
    }
    if (run.session.HasTemporary(written)) {
      temporary.push_back(std::move(name));
      continue;
    }
    Result<engine::TableRef> table = EngineOf(run).FindTable(name.schema, name.name);
    if (table.ok() && DescriptorOf(**table)->kind == TableKind::kView) {
      missing.push_back(std::move(name));
    } else if (table.ok()) {
      found.push_back(std::move(name));
    } else if (table.status().Is(Code::kNotFound)) {
      missing.push_back(std::move(name));
    } else {
      return std::move(table).status();
    }
  }
  RETURN_IF_ERROR(TellMissing(run, statement, missing));
  const bool checks = run.session.settings().foreign_key_checks;
  RETURN_IF_ERROR(found.empty() ? Status::Ok() : DropTablesWithKeys(run, found, checks));
  LeaveLocksOnNothing(run);
  return DropTemporary(run, temporary);
}

Status TruncateTable(StatementRun& run, const TruncateStmt& statement) {
  ASSIGN_OR_RETURN(engine::TableName name, ResolveForAlteration(run, statement.table));
  ASSIGN_OR_RETURN(const CatalogEntry named, CatalogOf(run).Find(name.schema, name.name));
  if (named.table->temporary) {
    return named.owner->TruncateTable(name, ChangeOptions(run, *named.table));
  }
  if (named.table->kind == TableKind::kView) {
    return UserError(ER_NO_SUCH_TABLE, name.schema, name.name);
  }
  Status truncated = UntilNotOvertaken(run, [&]() -> Status {
    ASSIGN_OR_RETURN(const CatalogEntry entry, FindStoredTable(run, name));
    engine::SchemaChangeOptions how = ChangeOptions(run);
    if (run.session.settings().foreign_key_checks) {
      RETURN_IF_ERROR(CheckTruncatable(run, *entry.table));
      how.related.tables.push_back({name, entry.table->version, std::nullopt});
    }
    return EngineOf(run).TruncateTable(name, how);
  });
  if (truncated.Is(Code::kNotFound)) {
    return UserError(ER_NO_SUCH_TABLE, name.schema, name.name);
  }
  return truncated;
}

Status RenameTable(StatementRun& run, const RenameTableStmt& statement) {
  std::vector<std::pair<engine::TableName, engine::TableName>> renames;
  // What exists after the renames so far: names they made or took away.
  std::map<engine::TableName, bool> changed;
  auto exists = [&](const engine::TableName& name) -> Result<bool> {
    if (auto known = changed.find(name); known != changed.end()) {
      return known->second;
    }
    Result<engine::TableRef> table = EngineOf(run).FindTable(name.schema, name.name);
    if (table.ok()) {
      return true;
    }
    return table.status().Is(Code::kNotFound) ? Result<bool>(false) : std::move(table).status();
  };
  for (const RenameTableStmt::Rename& rename : statement.renames) {
    ASSIGN_OR_RETURN(engine::TableName from, ResolveForChange(run, rename.from));
    ASSIGN_OR_RETURN(engine::TableName to, ResolveForChange(run, rename.to));
    RETURN_IF_ERROR(CheckTableName(to.name));
    ASSIGN_OR_RETURN(bool from_exists, exists(from));
    if (!from_exists) {
      return UserError(ER_NO_SUCH_TABLE, from.schema, from.name);
    }
    RETURN_IF_ERROR(CatalogOf(run).FindSchema(to.schema).status());
    ASSIGN_OR_RETURN(bool to_exists, exists(to));
    if (to_exists) {
      return UserError(ER_TABLE_EXISTS_ERROR, to.name);
    }
    changed[from] = false;
    changed[to] = true;
    renames.emplace_back(std::move(from), std::move(to));
  }
  return UntilNotOvertaken(run, [&]() -> Status {
    ASSIGN_OR_RETURN(std::vector<TableChange> changed_tables, RenamedTables(run, renames));
    engine::SchemaChangeOptions how = ChangeOptions(run);
    ASSIGN_OR_RETURN(how.related, RelateForeignKeys(run, changed_tables));
    RETURN_IF_ERROR(RelateTriggers(changed_tables, &how.related));
    return EngineOf(run).RenameTables(renames, how);
  });
}

}  // namespace borealis::sql
