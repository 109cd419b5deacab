// Computed tables (sqlite/lowering.h) as table-valued functions of the query machine.
#pragma once

#include <string>

#include "base/status.h"
#include "sql/sqlite/lowering.h"

struct sqlite3;

namespace borealis::sql {

class QueryMachine;

struct ComputedModule {
  QueryMachine* machine = nullptr;
  int columns = 0;
  int arguments = 0;

  // For all tables of as many columns and arguments.
  static Status Register(sqlite3* connection, const std::string& name, QueryMachine* machine,
                         const ComputedTable& like);
};

}  // namespace borealis::sql
