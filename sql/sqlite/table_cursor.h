// Cursors of virtual tables: a thin skin on an engine cursor, or on the rows of a system table.
#pragma once

#include <sqlite3.h>

#include <memory>
#include <string_view>

#include "sql/sqlite/read_counts.h"

namespace borealis::sql {

class TableModule;

// One open cursor of a virtual table. Errors go to the running query and come back as
// SQLITE_ERROR.
class Scan : public sqlite3_vtab_cursor {
 public:
  virtual ~Scan() = default;
  virtual int Start(std::string_view plan, int count, sqlite3_value** values) = 0;
  virtual int Next() = 0;
  virtual bool at_end() const = 0;
  virtual int Column(sqlite3_context* context, int column) = 0;

  // Where what is read is counted; null: nowhere.
  TableReads* reads = nullptr;

 protected:
  Scan() : sqlite3_vtab_cursor{} {}
};

// The methods of a module whose cursors are Scans; its own are xConnect, xBestIndex, xDisconnect
// and xOpen.
sqlite3_module ScanMethods();

std::unique_ptr<Scan> MakeScan(TableModule* module);
std::unique_ptr<Scan> MakeSystemScan(TableModule* module);

}  // namespace borealis::sql
