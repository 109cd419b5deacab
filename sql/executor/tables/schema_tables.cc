// information_schema tables that describe schemas, tables, columns and indexes.
#include <fmt/format.h>

#include <algorithm>

#include "engine/engine.h"
#include "row/collation.h"
#include "sql/catalog/catalog.h"
#include "sql/executor/show/column_text.h"
#include "sql/executor/show/view_text.h"
#include "sql/executor/tables/innodb_tables.h"
#include "sql/executor/tables/system_rows.h"
#include "sql/executor/tables/system_tables.h"
#include "sql/functions/eval_context.h"
#include "sql/session/session.h"

namespace borealis::sql {
namespace {

constexpr std::string_view kSchemata =
    "CATALOG_NAME varchar(64) BIN NOT NULL, SCHEMA_NAME varchar(64) BIN NOT NULL, "
    "DEFAULT_CHARACTER_SET_NAME varchar(64) NOT NULL, DEFAULT_COLLATION_NAME varchar(64) NOT "
    "NULL, SQL_PATH binary(0), DEFAULT_ENCRYPTION enum('NO','YES') BIN NOT NULL";

Status ScanSchemata(SystemRows& rows) {
  const Catalog& catalog = *rows.session().environment().catalog;
  ASSIGN_OR_RETURN(const std::vector<std::string> names, catalog.ListSchemas());
  for (const std::string& name : names) {
    if (!rows.session().security().SeesSchema(name)) {
      continue;
    }
    const Result<SchemaDescriptor> schema = catalog.FindSchema(name);
    if (!schema.ok()) {
      continue;  // dropped meanwhile
    }
    const row::Collation& collation = row::GetCollation(schema->collation);
    SystemRow row = rows.NewRow();
    row.Text("def").Text(name).Text(collation.charset().name).Text(collation.name());
    RETURN_IF_ERROR(rows.Add(row.Null().Text("NO")));
  }
  return Status::Ok();
}

constexpr std::string_view kTables =
    "TABLE_CATALOG varchar(64) BIN NOT NULL, TABLE_SCHEMA varchar(64) BIN NOT NULL, TABLE_NAME "
    "varchar(64) BIN NOT NULL, TABLE_TYPE enum('BASE TABLE','VIEW','SYSTEM VIEW') BIN NOT "
    "NULL, ENGINE varchar(64), VERSION int, ROW_FORMAT "
    "enum('Fixed','Dynamic','Compressed','Redundant','Compact','Paged') BIN, TABLE_ROWS bigint "
    "unsigned, AVG_ROW_LENGTH bigint unsigned, DATA_LENGTH bigint unsigned, MAX_DATA_LENGTH "
    "bigint unsigned, INDEX_LENGTH bigint unsigned, DATA_FREE bigint unsigned, AUTO_INCREMENT "
    "bigint unsigned, CREATE_TIME timestamp NOT NULL, UPDATE_TIME datetime, CHECK_TIME "
    "datetime, TABLE_COLLATION varchar(64), CHECKSUM bigint, CREATE_OPTIONS varchar(256), "
    "TABLE_COMMENT text";

// In the order MySQL lists them.
std::string CreateOptions(const TableDescriptor& table) {
  constexpr std::string_view kOrder[] = {
      "MAX_ROWS",         "MIN_ROWS",           "AVG_ROW_LENGTH",    "ROW_FORMAT",
      "STATS_PERSISTENT", "STATS_SAMPLE_PAGES", "STATS_AUTO_RECALC", "PACK_KEYS",
      "CHECKSUM",         "DELAY_KEY_WRITE",    "KEY_BLOCK_SIZE"};
  std::string text;
  for (const std::string_view name : kOrder) {
    const std::string value = TableOptionText(table, name);
    if (!value.empty()) {
      text += fmt::format("{}{}={}", text.empty() ? "" : " ", FoldName(name), value);
    }
  }
  return text;
}

// Of a view that cannot be used, what is wrong with it is the comment.
Status AddView(SystemRows& rows, const TablePtr& view) {
  SystemRow row = rows.NewRow();
  row.Text("def").Text(view->schema).Text(view->name).Text("VIEW").Null(10).Time(view->created_us);
  row.Null(5);
  const Status usable = rows.Reads(20, 20) ? CheckView(rows.session(), view) : Status();
  if (usable.ok()) {
    return rows.Add(row.Text("VIEW"));
  }
  if (usable.user_errno() == 0) {
    return usable;
  }
  rows.session().diagnostics().AddWarning(usable);
  return rows.Add(row.Text(usable.message()));
}

// System tables are as old as the server that makes them up.
Status AddSystemTable(SystemRows& rows, const TableDescriptor& table) {
  const Session& session = rows.session();
  const ServerInterface* server = session.environment().server;
  const int64_t uptime = server != nullptr ? server->uptime_seconds() : 0;
  const bool view = table.schema == "information_schema";
  SystemRow row = rows.NewRow();
  row.Text("def").Text(table.schema).Text(table.name).Text(view ? "SYSTEM VIEW" : "BASE TABLE");
  view ? row.Null() : row.Text(EngineOfSystemTable(table));
  row.Number(10);
  view ? row.Null() : row.Text("Dynamic");
  for (int i = 0; i < 6; ++i) {
    row.Number(0);
  }
  row.Null().Time(session.statement_time_us() - uptime * 1'000'000).Null(2);
  view ? row.Null() : row.Text(row::GetCollation(table.collation).name());
  return rows.Add(row.Null().Text("").Text(""));
}

Status AddBaseTable(SystemRows& rows, const CatalogEntry& entry) {
  const TableDescriptor& table = *entry.table;
  engine::Engine& engine = *rows.session().environment().engine;
  engine::TableEstimate estimate;
  if (rows.Reads(7, 11)) {
    ASSIGN_OR_RETURN(estimate, engine.EstimateTable(*entry.engine));
  }
  SystemRow row = rows.NewRow();
  row.Text("def").Text(table.schema).Text(table.name).Text("BASE TABLE").Text("InnoDB").Number(10);
  row.Text(RowFormat(table)).Number(estimate.row_count);
  row.Number(estimate.row_count == 0 ? 0 : estimate.clustered_bytes / estimate.row_count);
  row.Number(estimate.clustered_bytes).Number(0).Number(estimate.secondary_bytes).Number(0);
  if (table.auto_increment_column() >= 0) {
    uint64_t next = 1;
    if (rows.Reads(13, 13)) {
      ASSIGN_OR_RETURN(next, engine.PeekAutoIncrement(*entry.engine));
    }
    row.Number(next);
  } else {
    row.Null();
  }
  row.Time(table.created_us).Null(2).Text(row::GetCollation(table.collation).name()).Null();
  return rows.Add(row.Text(CreateOptions(table)).Text(table.comment));
}

Status ScanTables(SystemRows& rows) {
  return ForEachTable(rows, 1, 2, [&rows](const CatalogEntry& entry) {
    switch (entry.table->kind) {
      case TableKind::kView:
        return AddView(rows, entry.table);
      case TableKind::kSystem:
        return AddSystemTable(rows, *entry.table);
      case TableKind::kBase:
        break;
    }
    return AddBaseTable(rows, entry);
  });
}

constexpr std::string_view kColumns =
    "TABLE_CATALOG varchar(64) BIN NOT NULL, TABLE_SCHEMA varchar(64) BIN NOT NULL, TABLE_NAME "
    "varchar(64) BIN NOT NULL, COLUMN_NAME varchar(64), ORDINAL_POSITION int unsigned NOT NULL, "
    "COLUMN_DEFAULT text BIN, IS_NULLABLE varchar(3) NOT NULL DEFAULT '', DATA_TYPE longtext BIN, "
    "CHARACTER_MAXIMUM_LENGTH bigint, CHARACTER_OCTET_LENGTH bigint, NUMERIC_PRECISION bigint "
    "unsigned, NUMERIC_SCALE bigint unsigned, DATETIME_PRECISION int unsigned, CHARACTER_SET_NAME "
    "varchar(64), COLLATION_NAME varchar(64), COLUMN_TYPE mediumtext BIN NOT NULL, COLUMN_KEY "
    "enum('','PRI','UNI','MUL') BIN NOT NULL, EXTRA varchar(256), PRIVILEGES varchar(154), "
    "COLUMN_COMMENT text BIN NOT NULL, GENERATION_EXPRESSION longtext BIN NOT NULL, SRS_ID int "
    "unsigned";

// "select,insert": what the session may do with the column.
std::string ColumnPrivilegesText(const SystemRows& rows, const TableDescriptor& table,
                                 const ColumnDescriptor& column) {
  if (table.kind == TableKind::kSystem) {
    return "select";
  }
  const SecurityContext& security = rows.session().security();
  const PrivilegeSet held = security.unrestricted()
                                ? PrivilegeSet::All()
                                : security.OnColumn(table.schema, table.name, column.name);
  return FoldName(PrivilegeList(held & PrivilegesAt(PrivilegeLevel::kColumn), ","));
}

// MySQL tells less of a temporary table's column, and NULL instead of nothing.
std::optional<std::string> TemporaryExtraText(const ColumnDescriptor& column) {
  constexpr std::string_view kNotTold = "DEFAULT_GENERATED";
  std::string text = ExtraText(column);
  if (text.starts_with(kNotTold)) {
    text.erase(0, kNotTold.size());
    text.erase(0, text.find_first_not_of(' '));
  }
  return text.empty() ? std::nullopt : std::optional(std::move(text));
}

SystemRow ColumnRow(SystemRows& rows, const TableDescriptor& table, uint32_t number,
                    uint64_t position) {
  const ColumnDescriptor& column = table.columns[number];
  const row::Type& type = column.type;
  const row::TimeZone& zone = rows.session().eval_context().conversion.time_zone();
  SystemRow row = rows.NewRow();
  row.Text("def").Text(table.schema).Text(table.name).Text(column.name).Number(position);
  if (column.default_value.kind == DefaultKind::kExpression) {
    table.temporary ? row.Text("(" + column.default_value.text + ")")
                    : row.Expression(column.default_value.text);
  } else {
    row.TextOrNull(DefaultText(column, zone));
  }
  row.YesNo(type.nullable).Text(row::SqlName(type.kind));
  const std::optional<CharacterLengths> lengths = LengthsOf(type);
  row.NumberOrNull(lengths ? std::optional(lengths->characters) : std::nullopt);
  row.NumberOrNull(lengths ? std::optional(lengths->octets) : std::nullopt);
  row.NumberOrNull(NumericPrecision(type));
  row.NumberOrNull(NumericScale(type));
  const bool fraction = type.is_temporal() && type.kind != row::TypeKind::kDate;
  row.NumberOrNull(fraction ? std::optional<uint64_t>(type.scale) : std::nullopt);
  if (type.has_collation()) {
    const row::Collation& collation = row::GetCollation(type.collation);
    row.Text(collation.charset().name).Text(collation.name());
  } else {
    row.Null(2);
  }
  row.Text(row::SqlText(type)).Text(KeyText(table, number));
  row.TextOrNull(table.temporary ? TemporaryExtraText(column) : ExtraText(column));
  row.Text(ColumnPrivilegesText(rows, table, column));
  row.Text(column.comment).Expression(column.generated_text).Null();
  return row;
}

bool SeesColumn(const SystemRows& rows, const TableDescriptor& table,
                const ColumnDescriptor& column) {
  const SecurityContext& security = rows.session().security();
  return security.unrestricted() || table.kind == TableKind::kSystem ||
         security.OnColumn(table.schema, table.name, column.name)
             .HasAny(PrivilegesAt(PrivilegeLevel::kColumn));
}

Status ScanColumns(SystemRows& rows) {
  return ForEachTable(rows, 1, 2, [&rows](const CatalogEntry& entry) -> Status {
    const TableDescriptor& table = *entry.table;
    uint64_t position = 0;
    for (uint32_t i = 0; i < table.columns.size(); ++i) {
      if (table.columns[i].hidden) {
        continue;
      }
      ++position;
      if (SeesColumn(rows, table, table.columns[i])) {
        RETURN_IF_ERROR(rows.Add(ColumnRow(rows, table, i, position)));
      }
    }
    return Status::Ok();
  });
}

constexpr std::string_view kStatistics =
    "TABLE_CATALOG varchar(64) BIN NOT NULL, TABLE_SCHEMA varchar(64) BIN NOT NULL, TABLE_NAME "
    "varchar(64) BIN NOT NULL, NON_UNIQUE int NOT NULL DEFAULT 0, INDEX_SCHEMA varchar(64) BIN "
    "NOT NULL, INDEX_NAME varchar(64), SEQ_IN_INDEX int unsigned NOT NULL, COLUMN_NAME "
    "varchar(64), COLLATION varchar(1), CARDINALITY bigint, SUB_PART bigint, PACKED binary(0), "
    "NULLABLE varchar(3) NOT NULL DEFAULT '', INDEX_TYPE varchar(11) BIN NOT NULL DEFAULT '', "
    "COMMENT varchar(8) NOT NULL DEFAULT '', INDEX_COMMENT varchar(2048) BIN NOT NULL, IS_VISIBLE "
    "varchar(3) NOT NULL DEFAULT '', EXPRESSION longtext BIN";

// Distinct values of the key up to each part, as far as they are known. An empty table has none.
std::vector<std::optional<uint64_t>> Cardinalities(const CatalogEntry& entry, size_t index_no,
                                                   const engine::TableStatistics& statistics) {
  const IndexDescriptor& index = entry.table->indexes[index_no];
  const engine::IndexStatistics* counted =
      statistics.Find(entry.engine->definition().indexes[index_no].id);
  std::vector<std::optional<uint64_t>> list(index.parts.size());
  for (size_t i = 0; i < list.size(); ++i) {
    if (counted != nullptr) {
      list[i] = counted->distinct[std::min(i, counted->distinct.size() - 1)];
    } else if (statistics.row_count == 0 || (index.unique() && i + 1 == list.size())) {
      list[i] = statistics.row_count;
    }
  }
  return list;
}

SystemRow IndexPartRow(SystemRows& rows, const TableDescriptor& table, const IndexDescriptor& index,
                       size_t number, std::optional<uint64_t> cardinality) {
  const IndexPart& part = index.parts[number];
  const ColumnDescriptor& column = table.columns[part.column];
  const ColumnDescriptor* functional = FunctionalPart(table, part);
  SystemRow row = rows.NewRow();
  row.Text("def").Text(table.schema).Text(table.name).Number(index.unique() ? 0 : 1);
  row.Text(table.schema).Text(index.name).Number(number + 1);
  row.TextOrNull(functional != nullptr ? std::nullopt : std::optional(column.name));
  row.Text(part.descending ? "D" : "A");
  row.NumberOrNull(cardinality);
  if (part.prefix_length != 0) {
    row.Number(part.prefix_length);
  } else {
    row.Null();
  }
  row.Null().Text(column.type.nullable ? "YES" : "").Text("BTREE").Text("").Text(index.comment);
  row.YesNo(index.visible);
  return functional != nullptr ? row.Expression(functional->generated_text) : row.Null();
}

Status ScanStatistics(SystemRows& rows) {
  return ForEachTable(rows, 1, 2, [&rows](const CatalogEntry& entry) -> Status {
    const TableDescriptor& table = *entry.table;
    std::shared_ptr<const engine::TableStatistics> statistics;
    if (entry.engine != nullptr && table.kind == TableKind::kBase && rows.Reads(9, 9)) {
      ASSIGN_OR_RETURN(statistics, entry.owner->Statistics(*entry.engine));
    }
    for (size_t index_no = 0; index_no < table.indexes.size(); ++index_no) {
      const IndexDescriptor& index = table.indexes[index_no];
      if (index.kind == IndexKind::kRowId) {
        continue;
      }
      std::vector<std::optional<uint64_t>> cardinalities(index.parts.size());
      if (statistics != nullptr) {
        cardinalities = Cardinalities(entry, index_no, *statistics);
      }
      for (size_t i = 0; i < index.parts.size(); ++i) {
        RETURN_IF_ERROR(rows.Add(IndexPartRow(rows, table, index, i, cardinalities[i])));
      }
    }
    return Status::Ok();
  });
}

constexpr std::string_view kViews =
    "TABLE_CATALOG varchar(64) BIN NOT NULL, TABLE_SCHEMA varchar(64) BIN NOT NULL, TABLE_NAME "
    "varchar(64) BIN NOT NULL, VIEW_DEFINITION longtext BIN, CHECK_OPTION "
    "enum('NONE','LOCAL','CASCADED') BIN, IS_UPDATABLE enum('NO','YES') BIN, DEFINER "
    "varchar(288) BIN, SECURITY_TYPE varchar(7) BIN, CHARACTER_SET_CLIENT varchar(64) NOT "
    "NULL, COLLATION_CONNECTION varchar(64) NOT NULL";

// What a view is made from is told to those who may see its definition.
bool ShowsDefinition(const SystemRows& rows, const TableDescriptor& view) {
  return rows.session().security().OnTable(view.schema, view.name).Has(Privilege::kShowView);
}

Status ScanViews(SystemRows& rows) {
  return ForEachTable(rows, 1, 2, [&rows](const CatalogEntry& entry) -> Status {
    const TableDescriptor& view = *entry.table;
    if (view.kind != TableKind::kView) {
      return Status::Ok();
    }
    constexpr std::string_view kChecks[] = {"NONE", "LOCAL", "CASCADED"};
    const ViewDescriptor& what = *view.view;
    SystemRow row = rows.NewRow();
    row.Text("def").Text(view.schema).Text(view.name);
    row.Text(ShowsDefinition(rows, view) ? std::string_view(what.text) : std::string_view());
    row.Text(kChecks[static_cast<size_t>(what.check)]).YesNo(what.updatable);
    row.Text(what.definer_user + "@" + what.definer_host);
    row.Text(what.security_invoker ? "INVOKER" : "DEFINER");
    row.Text(row::GetCollation(what.client_collation).charset().name);
    return rows.Add(row.Text(row::GetCollation(what.connection_collation).name()));
  });
}

constexpr std::string_view kViewTableUsage =
    "VIEW_CATALOG varchar(64) BIN NOT NULL, VIEW_SCHEMA varchar(64) BIN NOT NULL, VIEW_NAME "
    "varchar(64) BIN NOT NULL, TABLE_CATALOG varchar(64) BIN NOT NULL, TABLE_SCHEMA "
    "varchar(64) BIN NOT NULL, TABLE_NAME varchar(64) BIN NOT NULL";

Status ScanViewTableUsage(SystemRows& rows) {
  return ForEachTable(rows, 1, 2, [&rows](const CatalogEntry& entry) -> Status {
    const TableDescriptor& view = *entry.table;
    if (view.kind != TableKind::kView || !ShowsDefinition(rows, view)) {
      return Status::Ok();
    }
    for (const ReferencingTable& used : view.view->tables) {
      if (!rows.session().security().SeesTable(used.schema, used.name)) {
        continue;
      }
      SystemRow row = rows.NewRow();
      row.Text("def").Text(view.schema).Text(view.name);
      RETURN_IF_ERROR(rows.Add(row.Text("def").Text(used.schema).Text(used.name)));
    }
    return Status::Ok();
  });
}

constexpr std::string_view kPartitions =
    "TABLE_CATALOG varchar(64) BIN NOT NULL, TABLE_SCHEMA varchar(64) BIN NOT NULL, TABLE_NAME "
    "varchar(64) BIN NOT NULL, PARTITION_NAME varchar(64), SUBPARTITION_NAME varchar(64), "
    "PARTITION_ORDINAL_POSITION int unsigned, SUBPARTITION_ORDINAL_POSITION int unsigned, "
    "PARTITION_METHOD varchar(13), SUBPARTITION_METHOD varchar(13), PARTITION_EXPRESSION "
    "varchar(2048) BIN, SUBPARTITION_EXPRESSION "
    "varchar(2048) BIN, PARTITION_DESCRIPTION text BIN, TABLE_ROWS bigint unsigned, "
    "AVG_ROW_LENGTH bigint unsigned, DATA_LENGTH bigint unsigned, MAX_DATA_LENGTH bigint "
    "unsigned, INDEX_LENGTH bigint unsigned, DATA_FREE bigint unsigned, CREATE_TIME timestamp "
    "NOT NULL, UPDATE_TIME datetime, CHECK_TIME datetime, CHECKSUM bigint, PARTITION_COMMENT "
    "text BIN NOT NULL, NODEGROUP varchar(256), TABLESPACE_NAME varchar(268) BIN";

// A table that is not partitioned is one partition without a name.
Status ScanPartitions(SystemRows& rows) {
  return ForEachTable(rows, 1, 2, [&rows](const CatalogEntry& entry) -> Status {
    const TableDescriptor& table = *entry.table;
    if (table.kind != TableKind::kBase) {
      return Status::Ok();
    }
    engine::TableEstimate estimate;
    if (rows.Reads(12, 16)) {
      ASSIGN_OR_RETURN(estimate, rows.session().environment().engine->EstimateTable(*entry.engine));
    }
    SystemRow row = rows.NewRow();
    row.Text("def").Text(table.schema).Text(table.name).Null(9).Number(estimate.row_count);
    row.Number(estimate.row_count == 0 ? 0 : estimate.clustered_bytes / estimate.row_count);
    row.Number(estimate.clustered_bytes).Number(0).Number(estimate.secondary_bytes).Number(0);
    return rows.Add(row.Time(table.created_us).Null(3).Text("").Text("").Null());
  });
}

constexpr std::string_view kSchema = "information_schema";

}  // namespace

std::vector<SystemTableDefinition> SchemaSystemTables() {
  return {
      {kSchema, "SCHEMATA", kSchemata, ScanSchemata},
      {kSchema, "TABLES", kTables, ScanTables, {1, 2}},
      {kSchema, "COLUMNS", kColumns, ScanColumns, {1, 2}},
      {kSchema, "STATISTICS", kStatistics, ScanStatistics, {1, 2}},
      {kSchema, "VIEWS", kViews, ScanViews, {1, 2}},
      {kSchema, "VIEW_TABLE_USAGE", kViewTableUsage, ScanViewTableUsage, {1, 2}},
      {kSchema, "PARTITIONS", kPartitions, ScanPartitions, {1, 2}},
  };
}

}  // namespace borealis::sql
