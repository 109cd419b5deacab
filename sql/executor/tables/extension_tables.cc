// information_schema's tables of ENGINE_ATTRIBUTE and its like. Nothing here takes such attributes:
// what could have them is listed, without any.
#include "sql/catalog/catalog.h"
#include "sql/executor/tables/system_rows.h"
#include "sql/session/session.h"

namespace borealis::sql {
namespace {

Status ScanColumnsExtensions(SystemRows& rows) {
  return ForEachTable(rows, 1, 2, [&rows](const CatalogEntry& entry) -> Status {
    for (const ColumnDescriptor& column : entry.table->columns) {
      if (column.hidden) {
        continue;
      }
      SystemRow row = rows.NewRow();
      row.Text("def").Text(entry.table->schema).Text(entry.table->name).Text(column.name);
      RETURN_IF_ERROR(rows.Add(row.Null(2)));
    }
    return Status::Ok();
  });
}

Status ScanTablesExtensions(SystemRows& rows) {
  return ForEachTable(rows, 1, 2, [&rows](const CatalogEntry& entry) {
    SystemRow row = rows.NewRow();
    row.Text("def").Text(entry.table->schema).Text(entry.table->name);
    return rows.Add(row.Null(2));
  });
}

// All indexes, under the name of the primary key where there is none.
Status ScanTableConstraintsExtensions(SystemRows& rows) {
  return ForEachTable(rows, 1, 3, [&rows](const CatalogEntry& entry) -> Status {
    for (const IndexDescriptor& index : entry.table->indexes) {
      SystemRow row = rows.NewRow();
      row.Text("def").Text(entry.table->schema);
      row.Text(index.kind == IndexKind::kRowId ? std::string_view("PRIMARY") : index.name);
      RETURN_IF_ERROR(rows.Add(row.Text(entry.table->name).Null(2)));
    }
    return Status::Ok();
  });
}

Status ScanSchemataExtensions(SystemRows& rows) {
  const Catalog& catalog = *rows.session().environment().catalog;
  ASSIGN_OR_RETURN(const std::vector<std::string> names, catalog.ListSchemas());
  for (const std::string& name : names) {
    if (rows.session().security().SeesSchema(name)) {
      SystemRow row = rows.NewRow();
      RETURN_IF_ERROR(rows.Add(row.Text("def").Text(name).Text("")));
    }
  }
  return Status::Ok();
}

constexpr std::string_view kSchema = "information_schema";

}  // namespace

std::vector<SystemTableDefinition> ExtensionSystemTables() {
  return {
      {kSchema, "COLUMNS_EXTENSIONS", "", ScanColumnsExtensions, {1, 2}},
      {kSchema, "TABLES_EXTENSIONS", "", ScanTablesExtensions, {1, 2}},
      {kSchema, "TABLE_CONSTRAINTS_EXTENSIONS", "", ScanTableConstraintsExtensions, {1, 3}},
      {kSchema, "SCHEMATA_EXTENSIONS", "", ScanSchemataExtensions},
  };
}

}  // namespace borealis::sql
