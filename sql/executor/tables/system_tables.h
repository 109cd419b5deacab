// The system tables of an instance: information_schema, performance_schema, and those of mysql that
// nothing is stored in.
//
// Immutable once made, and thread-safe; the tables hold no state, their rows are produced from the
// catalog, the engine, the server and the asking session while they are scanned.
#pragma once

#include <memory>

#include "sql/catalog/system_table.h"

namespace borealis::sql {

std::unique_ptr<SystemTables> MakeSystemTables();

// What MySQL keeps such a table in.
std::string_view EngineOfSystemTable(const TableDescriptor& table);

}  // namespace borealis::sql
