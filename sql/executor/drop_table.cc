// DROP TABLE, TRUNCATE TABLE and RENAME TABLE.
#include <algorithm>
#include <map>
#include <set>

#include "base/mysql_error.h"
#include "sql/executor/definition_run.h"
#include "sql/executor/definition_statements.h"
#include "sql/session/session.h"

namespace borealis::sql {

Status DropTable(StatementRun& run, const DropTableStmt& statement) {
  std::vector<engine::TableName> found;
  std::vector<engine::TableName> missing;
  for (const QualifiedName& written : statement.tables) {
    ASSIGN_OR_RETURN(engine::TableName name, ResolveForChange(run, written));
    if (std::find(found.begin(), found.end(), name) != found.end()) {
      return UserError(ER_NONUNIQ_TABLE, name.name);
    }
    Result<engine::TableRef> table = EngineOf(run).FindTable(name.schema, name.name);
    if (table.ok() && !statement.temporary) {
      found.push_back(std::move(name));
    } else if (statement.temporary || table.status().Is(Code::kNotFound)) {
      missing.push_back(std::move(name));
    } else {
      return std::move(table).status();
    }
  }
  if (!missing.empty() && !statement.if_exists) {
    std::string names;
    for (const engine::TableName& name : missing) {
      names += (names.empty() ? "" : ",") + DottedName(name);
    }
    return UserError(ER_BAD_TABLE_ERROR, names);
  }
  for (const engine::TableName& name : missing) {
    run.session.diagnostics().Note(
        ER_BAD_TABLE_ERROR, std::string(UserError(ER_BAD_TABLE_ERROR, DottedName(name)).message()));
  }
  return found.empty() ? Status::Ok() : EngineOf(run).DropTables(found, ChangeOptions(run));
}

Status TruncateTable(StatementRun& run, const TruncateStmt& statement) {
  ASSIGN_OR_RETURN(engine::TableName name, ResolveForChange(run, statement.table));
  ASSIGN_OR_RETURN(CatalogEntry entry, FindBaseTable(run, name));
  Status truncated = EngineOf(run).TruncateTable(name, ChangeOptions(run));
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
  return EngineOf(run).RenameTables(renames, ChangeOptions(run));
}

}  // namespace borealis::sql
