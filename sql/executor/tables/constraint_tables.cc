// information_schema tables that describe constraints: keys, foreign keys, checks.
#include <algorithm>

#include "sql/executor/show/column_text.h"
#include "sql/executor/tables/system_rows.h"
#include "sql/session/session.h"

namespace borealis::sql {
namespace {

std::vector<const IndexDescriptor*> UniqueKeys(const TableDescriptor& table) {
  std::vector<const IndexDescriptor*> keys = SortedByName(table.indexes);
  std::erase_if(keys, [](const IndexDescriptor* index) { return !index->unique(); });
  return keys;
}

constexpr std::string_view kTableConstraints =
    "CONSTRAINT_CATALOG varchar(64) BIN NOT NULL, CONSTRAINT_SCHEMA varchar(64) BIN NOT NULL, "
    "CONSTRAINT_NAME varchar(64), TABLE_SCHEMA varchar(64) BIN NOT NULL, TABLE_NAME varchar(64) "
    "BIN NOT NULL, CONSTRAINT_TYPE varchar(11) BIN NOT NULL DEFAULT '', ENFORCED varchar(3) BIN "
    "NOT NULL DEFAULT ''";

Status ScanTableConstraints(SystemRows& rows) {
  return ForEachTable(rows, 3, 4, [&rows](const CatalogEntry& entry) -> Status {
    const TableDescriptor& table = *entry.table;
    const auto add = [&](std::string_view name, std::string_view type, bool enforced) {
      SystemRow row = rows.NewRow();
      row.Text("def").Text(table.schema).Text(name).Text(table.schema).Text(table.name);
      return rows.Add(row.Text(type).YesNo(enforced));
    };
    for (const IndexDescriptor* index : UniqueKeys(table)) {
      const bool primary = index->kind == IndexKind::kPrimary;
      RETURN_IF_ERROR(add(index->name, primary ? "PRIMARY KEY" : "UNIQUE", true));
    }
    for (const ForeignKeyDescriptor* key : SortedByName(table.foreign_keys)) {
      RETURN_IF_ERROR(add(key->name, "FOREIGN KEY", true));
    }
    for (const CheckDescriptor* check : SortedByName(table.checks)) {
      RETURN_IF_ERROR(add(check->name, "CHECK", check->enforced));
    }
    return Status::Ok();
  });
}

constexpr std::string_view kKeyColumnUsage =
    "CONSTRAINT_CATALOG varchar(64) BIN NOT NULL, CONSTRAINT_SCHEMA varchar(64) BIN NOT NULL, "
    "CONSTRAINT_NAME varchar(64), TABLE_CATALOG varchar(64) BIN NOT NULL, TABLE_SCHEMA "
    "varchar(64) BIN NOT NULL, TABLE_NAME varchar(64) BIN NOT NULL, COLUMN_NAME varchar(64), "
    "ORDINAL_POSITION int unsigned NOT NULL DEFAULT 0, POSITION_IN_UNIQUE_CONSTRAINT int "
    "unsigned, REFERENCED_TABLE_SCHEMA varchar(64) BIN, REFERENCED_TABLE_NAME varchar(64) BIN, "
    "REFERENCED_COLUMN_NAME varchar(64)";

Status AddForeignKeyColumns(SystemRows& rows, const TableDescriptor& table,
                            const ForeignKeyDescriptor& key) {
  for (size_t i = 0; i < key.columns.size(); ++i) {
    SystemRow row = rows.NewRow();
    row.Text("def").Text(table.schema).Text(key.name).Text("def").Text(table.schema);
    row.Text(table.name).Text(table.columns[key.columns[i]].name).Number(i + 1).Number(i + 1);
    RETURN_IF_ERROR(rows.Add(row.Text(key.schema).Text(key.table).Text(key.parent_columns[i])));
  }
  return Status::Ok();
}

Status ScanKeyColumnUsage(SystemRows& rows) {
  return ForEachTable(rows, 4, 5, [&rows](const CatalogEntry& entry) -> Status {
    const TableDescriptor& table = *entry.table;
    for (const IndexDescriptor* index : UniqueKeys(table)) {
      for (size_t i = 0; i < index->parts.size(); ++i) {
        if (FunctionalPart(table, index->parts[i]) != nullptr) {
          continue;
        }
        SystemRow row = rows.NewRow();
        row.Text("def").Text(table.schema).Text(index->name).Text("def").Text(table.schema);
        row.Text(table.name).Text(table.columns[index->parts[i].column].name).Number(i + 1);
        RETURN_IF_ERROR(rows.Add(row.Null(4)));
      }
    }
    for (const ForeignKeyDescriptor* key : SortedByName(table.foreign_keys)) {
      RETURN_IF_ERROR(AddForeignKeyColumns(rows, table, *key));
    }
    return Status::Ok();
  });
}

constexpr std::string_view kReferentialConstraints =
    "CONSTRAINT_CATALOG varchar(64) BIN NOT NULL, CONSTRAINT_SCHEMA varchar(64) BIN NOT NULL, "
    "CONSTRAINT_NAME varchar(64), UNIQUE_CONSTRAINT_CATALOG varchar(64) BIN NOT NULL, "
    "UNIQUE_CONSTRAINT_SCHEMA varchar(64) BIN NOT NULL, UNIQUE_CONSTRAINT_NAME varchar(64), "
    "MATCH_OPTION enum('NONE','PARTIAL','FULL') BIN NOT NULL, UPDATE_RULE enum('NO "
    "ACTION','RESTRICT','CASCADE','SET NULL','SET DEFAULT') BIN NOT NULL, DELETE_RULE enum('NO "
    "ACTION','RESTRICT','CASCADE','SET NULL','SET DEFAULT') BIN NOT NULL, TABLE_NAME "
    "varchar(64) BIN NOT NULL, REFERENCED_TABLE_NAME varchar(64) BIN NOT NULL";

// The parent's key that the foreign key refers to: the first whose leading columns are its own.
std::optional<std::string> ReferredKey(const SystemRows& rows, const ForeignKeyDescriptor& key) {
  const Result<CatalogEntry> parent =
      rows.session().environment().catalog->Find(key.schema, key.table);
  if (!parent.ok()) {
    return std::nullopt;  // may be created later, under foreign_key_checks = 0
  }
  const TableDescriptor& table = *parent->table;
  for (const IndexDescriptor& index : table.indexes) {
    if (!index.unique() || index.parts.size() != key.parent_columns.size()) {
      continue;
    }
    const auto names = [&](const IndexPart& part, const std::string& name) {
      return SameName(table.columns[part.column].name, name);
    };
    if (std::equal(index.parts.begin(), index.parts.end(), key.parent_columns.begin(), names)) {
      return index.name;
    }
  }
  return std::nullopt;
}

Status ScanReferentialConstraints(SystemRows& rows) {
  return ForEachTable(rows, 1, 9, [&rows](const CatalogEntry& entry) -> Status {
    const TableDescriptor& table = *entry.table;
    for (const ForeignKeyDescriptor* key : SortedByName(table.foreign_keys)) {
      SystemRow row = rows.NewRow();
      row.Text("def").Text(table.schema).Text(key->name).Text("def").Text(key->schema);
      row.TextOrNull(ReferredKey(rows, *key)).Text("NONE").Text(ActionText(key->on_update));
      row.Text(ActionText(key->on_delete)).Text(table.name).Text(key->table);
      RETURN_IF_ERROR(rows.Add(row));
    }
    return Status::Ok();
  });
}

constexpr std::string_view kInnodbForeign =
    "ID varchar(129) BIN, FOR_NAME varchar(129) BIN, REF_NAME varchar(129) BIN, N_COLS bigint NOT "
    "NULL "
    "DEFAULT 0, TYPE bigint unsigned NOT NULL DEFAULT 0";

// InnoDB's bits of what a key does. RESTRICT has none.
uint64_t InnodbType(const ForeignKeyDescriptor& key) {
  const auto bits = [](ForeignKeyAction action, uint64_t cascade, uint64_t set_null,
                       uint64_t no_action) -> uint64_t {
    switch (action) {
      case ForeignKeyAction::kCascade:
        return cascade;
      case ForeignKeyAction::kSetNull:
        return set_null;
      case ForeignKeyAction::kNoAction:
      case ForeignKeyAction::kSetDefault:
        return no_action;
      case ForeignKeyAction::kRestrict:
        break;
    }
    return 0;
  };
  return bits(key.on_delete, 1, 2, 16) | bits(key.on_update, 4, 8, 32);
}

Status ScanInnodbForeign(SystemRows& rows) {
  return ForEachTable(rows, 0, std::nullopt, [&rows](const CatalogEntry& entry) -> Status {
    const TableDescriptor& table = *entry.table;
    for (const ForeignKeyDescriptor* key : SortedByName(table.foreign_keys)) {
      SystemRow row = rows.NewRow();
      row.Text(table.schema + "/" + key->name).Text(table.schema + "/" + table.name);
      row.Text(key->schema + "/" + key->table).Number(key->columns.size());
      RETURN_IF_ERROR(rows.Add(row.Number(InnodbType(*key))));
    }
    return Status::Ok();
  });
}

constexpr std::string_view kInnodbForeignCols =
    "ID varchar(129) BIN, FOR_COL_NAME varchar(64) BIN NOT NULL, REF_COL_NAME varchar(64) BIN NOT "
    "NULL, POS int unsigned NOT NULL";

Status ScanInnodbForeignCols(SystemRows& rows) {
  return ForEachTable(rows, 0, std::nullopt, [&rows](const CatalogEntry& entry) -> Status {
    const TableDescriptor& table = *entry.table;
    for (const ForeignKeyDescriptor* key : SortedByName(table.foreign_keys)) {
      for (size_t i = 0; i < key->columns.size(); ++i) {
        SystemRow row = rows.NewRow();
        row.Text(table.schema + "/" + key->name).Text(table.columns[key->columns[i]].name);
        RETURN_IF_ERROR(rows.Add(row.Text(key->parent_columns[i]).Number(i + 1)));
      }
    }
    return Status::Ok();
  });
}

constexpr std::string_view kCheckConstraints =
    "CONSTRAINT_CATALOG varchar(64) BIN NOT NULL, CONSTRAINT_SCHEMA varchar(64) BIN NOT NULL, "
    "CONSTRAINT_NAME varchar(64) NOT NULL, CHECK_CLAUSE longtext BIN NOT NULL";

Status ScanCheckConstraints(SystemRows& rows) {
  return ForEachTable(rows, 1, std::nullopt, [&rows](const CatalogEntry& entry) -> Status {
    for (const CheckDescriptor* check : SortedByName(entry.table->checks)) {
      SystemRow row = rows.NewRow();
      row.Text("def").Text(entry.table->schema).Text(check->name).Expression(check->text);
      RETURN_IF_ERROR(rows.Add(row));
    }
    return Status::Ok();
  });
}

constexpr std::string_view kSchema = "information_schema";

}  // namespace

std::vector<SystemTableDefinition> ConstraintSystemTables() {
  return {
      {kSchema, "TABLE_CONSTRAINTS", kTableConstraints, ScanTableConstraints, {3, 4}},
      {kSchema, "KEY_COLUMN_USAGE", kKeyColumnUsage, ScanKeyColumnUsage, {4, 5}},
      {kSchema,
       "REFERENTIAL_CONSTRAINTS",
       kReferentialConstraints,
       ScanReferentialConstraints,
       {1, 9}},
      {kSchema, "INNODB_FOREIGN", kInnodbForeign, ScanInnodbForeign},
      {kSchema, "INNODB_FOREIGN_COLS", kInnodbForeignCols, ScanInnodbForeignCols},
      {kSchema, "CHECK_CONSTRAINTS", kCheckConstraints, ScanCheckConstraints, {1}},
  };
}

}  // namespace borealis::sql
