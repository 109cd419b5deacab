// information_schema.INNODB_TABLES and INNODB_TEMP_TABLE_INFO: the engine's view of tables.
//
// All tables are in one volume here; what asks for a table's space is told the table's number.
#include "sql/executor/tables/innodb_tables.h"

#include <fmt/format.h>

#include <algorithm>

#include "sql/catalog/catalog.h"
#include "sql/catalog/temporary_tables.h"
#include "sql/executor/tables/system_rows.h"
#include "sql/session/session.h"

namespace borealis::sql {
namespace {

constexpr std::string_view kInnodbTables =
    "TABLE_ID bigint unsigned NOT NULL DEFAULT 0, NAME varchar(655) NOT NULL DEFAULT '', FLAG int "
    "NOT NULL DEFAULT 0, N_COLS int NOT NULL DEFAULT 0, SPACE bigint NOT NULL DEFAULT 0, "
    "ROW_FORMAT varchar(12), ZIP_PAGE_SIZE int unsigned NOT NULL DEFAULT 0, SPACE_TYPE "
    "varchar(10), INSTANT_COLS int NOT NULL DEFAULT 0, TOTAL_ROW_VERSIONS int NOT NULL DEFAULT 0";

constexpr uint64_t kHiddenColumns = 3;  // DB_ROW_ID, DB_TRX_ID, DB_ROLL_PTR
constexpr uint64_t kCompressedPage = 8192;

void AppendForFile(std::string_view name, std::string* path) {
  for (size_t i = 0; i < name.size();) {
    const auto lead = static_cast<uint8_t>(name[i]);
    const bool plain = lead == '_' || (lead >= '0' && lead <= '9') ||
                       ((lead | 0x20) >= 'a' && (lead | 0x20) <= 'z');
    if (lead < 0x80) {
      *path += plain ? std::string(1, name[i]) : fmt::format("@{:04x}", lead);
      ++i;
      continue;
    }
    // Names are valid UTF-8 of at most three bytes a character.
    const size_t length = std::min<size_t>(lead >= 0xE0 ? 3 : 2, name.size() - i);
    uint32_t code = lead & (length == 3 ? 0x0F : 0x1F);
    for (size_t k = 1; k < length; ++k) {
      code = code << 6 | (static_cast<uint8_t>(name[i + k]) & 0x3F);
    }
    *path += fmt::format("@{:04x}", code);
    i += length;
  }
}

// The flags of the row format: not REDUNDANT, compressed pages of 8 KiB, off-page columns as a
// whole.
uint64_t FlagsOf(const std::string& row_format) {
  if (row_format == "Redundant") {
    return 0;
  }
  if (row_format == "Compact") {
    return 1;
  }
  return row_format == "Compressed" ? 41 : 33;
}

ptrdiff_t StoredColumns(const TableDescriptor& table) {
  return std::count_if(table.columns.begin(), table.columns.end(), [](const auto& column) {
    return column.generated != GeneratedKind::kVirtual && !column.hidden;
  });
}

constexpr std::string_view kInnodbTempTableInfo =
    "TABLE_ID bigint unsigned NOT NULL DEFAULT 0, NAME varchar(64), N_COLS int unsigned NOT NULL "
    "DEFAULT 0, SPACE int unsigned NOT NULL DEFAULT 0";

// Those of this session; each session has a space of its own, known by the session's number.
Status ScanInnodbTempTableInfo(SystemRows& rows) {
  const TemporaryTables* temporary = rows.session().temporary_tables();
  if (temporary == nullptr) {
    return Status::Ok();
  }
  const uint64_t session = rows.session().identity().connection_id;
  for (const engine::TableRef& table : temporary->List()) {
    SystemRow row = rows.NewRow();
    const uint64_t id = table->id().value();
    const auto columns = static_cast<uint64_t>(StoredColumns(*DescriptorOf(*table)));
    row.Number(id).Text(fmt::format("#sql{:x}_{:x}", session, id));
    RETURN_IF_ERROR(rows.Add(row.Number(columns + kHiddenColumns).Number(session)));
  }
  return Status::Ok();
}

Status ScanInnodbTables(SystemRows& rows) {
  const auto visit = [&rows](const CatalogEntry& entry) -> Status {
    const TableDescriptor& table = *entry.table;
    if (table.kind != TableKind::kBase) {
      return Status::Ok();
    }
    const auto stored = StoredColumns(table);
    const std::string row_format = RowFormat(table);
    SystemRow row = rows.NewRow();
    row.Number(table.table_id).Text(InnodbName(table.schema, table.name));
    row.Number(FlagsOf(row_format)).Number(static_cast<uint64_t>(stored) + kHiddenColumns);
    row.Number(table.table_id).Text(row_format);
    row.Number(row_format == "Compressed" ? kCompressedPage : 0).Text("Single");
    // Columns added by releases before 8.0.29 were counted apart; there are none here.
    return rows.Add(row.Number(0).Number(table.stored.row_versions));
  };
  return ForEachTable(rows, std::nullopt, std::nullopt, visit);
}

}  // namespace

std::string InnodbName(const std::string& schema, const std::string& table) {
  std::string path;
  AppendForFile(schema, &path);
  path += '/';
  AppendForFile(table, &path);
  return path;
}

std::string RowFormat(const TableDescriptor& table) {
  std::string text = table.row_format.empty() ? "dynamic" : FoldName(table.row_format);
  text[0] = static_cast<char>(text[0] - 'a' + 'A');
  return text;
}

std::vector<SystemTableDefinition> InnodbSystemTables() {
  return {{"information_schema", "INNODB_TABLES", kInnodbTables, ScanInnodbTables},
          {"information_schema", "INNODB_TEMP_TABLE_INFO", kInnodbTempTableInfo,
           ScanInnodbTempTableInfo}};
}

}  // namespace borealis::sql
