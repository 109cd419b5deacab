// Tables without storage: information_schema, performance_schema, mysql, sys.
//
// A system table has a descriptor like any other and produces its rows when it is scanned. Queries
// see it as a table that is read whole; columns on which the scan can save work are named by
// `lookup_columns` and come as equality hints, which a scan may use or ignore (SQLite filters
// again). Implementations live in sql/executor and are registered with the catalog; thread-safe.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "row/value.h"
#include "sql/catalog/table_descriptor.h"

namespace borealis::sql {

class Session;

struct SystemScan {
  Session* session = nullptr;
  // Value that the column of the same index must equal, where the query says so.
  std::vector<std::optional<row::Value>> equals;
  // Which columns the query reads; bit 63 stands for all further ones.
  uint64_t columns_used = ~uint64_t{0};
};

class SystemTable {
 public:
  virtual ~SystemTable() = default;
  // kind is kSystem; indexes is empty.
  virtual const TablePtr& descriptor() const = 0;
  // Columns for which SystemScan::equals is worth filling (TABLE_SCHEMA, TABLE_NAME, …).
  virtual std::span<const uint32_t> lookup_columns() const { return {}; }
  // Calls `emit` for each row, one value per column as its type holds it; stops at an error.
  virtual Status Scan(const SystemScan& scan,
                      const std::function<Status(std::span<const row::Value>)>& emit) const = 0;
};

// Where the catalog finds system tables.
class SystemTables {
 public:
  virtual ~SystemTables() = default;
  // Names in any case. Null when there is none.
  virtual const SystemTable* Find(std::string_view schema, std::string_view name) const = 0;
  // "information_schema", …
  virtual std::vector<std::string> Schemas() const = 0;
  virtual std::vector<std::string> Tables(std::string_view schema) const = 0;
};

}  // namespace borealis::sql
