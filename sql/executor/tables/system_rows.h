// How a system table is written down: its columns as SQL and a function that produces the rows.
//
// A table parses the columns into a descriptor and hands the function a SystemRows to fill.
// Values are given in the order of the columns and take the form their column's type asks for; a
// row with too few or too many values is a defect of this code (INV-SYS-1), not of the data, and so
// are columns that do not parse (INV-SYS-2).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "row/time_zone.h"
#include "sql/catalog/catalog.h"
#include "sql/catalog/system_table.h"

namespace borealis::sql {

// One row being put together.
class SystemRow {
 public:
  explicit SystemRow(const TableDescriptor& table) : table_(&table) {}

  SystemRow& Text(std::string_view text);
  // The text of a CHECK, a generated column or a default, as MySQL shows it outside of SHOW CREATE:
  // once more quoted.
  SystemRow& Expression(std::string_view text);
  // A JSON document, from its text.
  SystemRow& Json(std::string_view text);
  SystemRow& TextOrNull(const std::optional<std::string>& text);
  SystemRow& Number(uint64_t number);
  SystemRow& Signed(int64_t number);
  SystemRow& Real(double number);
  SystemRow& YesNo(bool yes) { return Text(yes ? "YES" : "NO"); }
  // Of a SET, by bits.
  SystemRow& Members(uint64_t bits);
  // Microseconds since 1970, for a TIMESTAMP; digits that the column lacks are cut off.
  SystemRow& Time(int64_t utc_us);
  // The same for a DATETIME, which shows the zone's time.
  SystemRow& LocalTime(int64_t utc_us, const row::TimeZone& zone);
  SystemRow& NumberOrNull(std::optional<uint64_t> number);
  SystemRow& Null(size_t count = 1);
  // Nothing in all columns that are left: NULL, 0 or the first member, as their types allow.
  SystemRow& Rest();

  const std::vector<row::Value>& values() const { return values_; }

 private:
  const row::Type& NextType() const;

  const TableDescriptor* table_;
  std::vector<row::Value> values_;
};

class SystemRows {
 public:
  using Emit = std::function<Status(std::span<const row::Value>)>;
  SystemRows(const TableDescriptor& table, const SystemScan& scan, const Emit& emit)
      : table_(table), scan_(scan), emit_(emit) {}

  Session& session() const { return *scan_.session; }
  // The text that `column` must have, where the query says so.
  std::optional<std::string> Wanted(std::optional<uint32_t> column) const;
  // Whether the query reads any column of [first, last].
  bool Reads(uint32_t first, uint32_t last) const;

  SystemRow NewRow() const { return SystemRow(table_); }
  Status Add(const SystemRow& row);

 private:
  const TableDescriptor& table_;
  const SystemScan& scan_;
  const Emit& emit_;
};

using SystemScanFunction = Status (*)(SystemRows& rows);

struct SystemTableDefinition {
  std::string_view schema;
  std::string_view name;
  // As in CREATE TABLE, but " BIN" stands for COLLATE utf8mb3_bin. Text that names no collation has
  // the schema's: utf8mb3_general_ci, or utf8mb4_0900_ai_ci in performance_schema. Empty: the table
  // is a declared one (declared_tables.cc).
  std::string_view columns;
  // Null: the table is there for clients that ask, and what it would list does not exist here.
  SystemScanFunction scan = nullptr;
  std::vector<uint32_t> lookup_columns = {};
};

std::unique_ptr<SystemTable> MakeSystemTable(SystemTableDefinition definition);

// Calls `visit` for every table and view of the instance, or for those that the columns
// `schema_column` and `name_column`, if there are such, are known to equal. Tables dropped
// meanwhile are left out. Temporary tables are not among them, but for the one that is just shown
// (Session::shown_temporary).
using TableVisitor = std::function<Status(const CatalogEntry& entry)>;
Status ForEachTable(const SystemRows& rows, std::optional<uint32_t> schema_column,
                    std::optional<uint32_t> name_column, const TableVisitor& visit);

// The tables, by the file that has them.
std::vector<SystemTableDefinition> SchemaSystemTables();
std::vector<SystemTableDefinition> ConstraintSystemTables();
std::vector<SystemTableDefinition> TransactionSystemTables();
std::vector<SystemTableDefinition> LockSystemTables();
std::vector<SystemTableDefinition> ServerSystemTables();
std::vector<SystemTableDefinition> PrivilegeSystemTables();
std::vector<SystemTableDefinition> DeclaredSystemTables();
std::vector<SystemTableDefinition> ExtensionSystemTables();
std::vector<SystemTableDefinition> InnodbDictionarySystemTables();
std::vector<SystemTableDefinition> InnodbStateSystemTables();
std::vector<SystemTableDefinition> PerformanceSystemTables();
std::vector<SystemTableDefinition> TimeZoneSystemTables();
std::vector<SystemTableDefinition> StatisticsSystemTables();
std::vector<SystemTableDefinition> InnodbSystemTables();
std::vector<SystemTableDefinition> TriggerSystemTables();

}  // namespace borealis::sql
