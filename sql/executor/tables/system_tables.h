// The system tables of an instance: information_schema and performance_schema.
//
// Immutable once made, and thread-safe; the tables hold no state, their rows are produced from the
// catalog, the engine, the server and the asking session while they are scanned.
#pragma once

#include <memory>

#include "sql/catalog/system_table.h"

namespace borealis::sql {

std::unique_ptr<SystemTables> MakeSystemTables();

}  // namespace borealis::sql
