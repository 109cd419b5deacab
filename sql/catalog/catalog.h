// Names to tables: the engine's dictionary and the system tables behind one look-up.
//
// Descriptors are not cached here: an open engine table carries its own (row_layout.h). Schema and
// table names are compared exactly, as on a MySQL server with lower_case_table_names = 0; the names
// of system schemas in any case. Thread-safe.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "engine/engine.h"
#include "sql/catalog/row_layout.h"
#include "sql/catalog/system_table.h"
#include "sql/catalog/table_descriptor.h"

namespace borealis::sql {

struct CatalogEntry {
  TablePtr table;
  engine::TableRef engine;              // null for system tables
  const SystemTable* system = nullptr;  // null for all others
};

// What a session that holds `locks` may do with a table: errors 1099 and 1100.
Status CheckTableLock(const engine::TableLocks& locks, std::string_view schema,
                      std::string_view name, engine::TableUse use);

class Catalog {
 public:
  // Both outlive the catalog; `system` may be null.
  explicit Catalog(engine::Engine* engine, const SystemTables* system = nullptr)
      : engine_(engine), system_(system) {}
  void set_system_tables(const SystemTables* system) { system_ = system; }

  // The table or view now current. Errors: 1146; 1049 when the schema does not exist either.
  Result<CatalogEntry> Find(std::string_view schema, std::string_view name) const;
  // Opens a base table for the transaction (takes its metadata locks). Errors: 1146; under LOCK
  // TABLES, 1100 for a table that is not locked, 1099 for a change of one locked for reading.
  Result<CatalogEntry> Open(engine::Transaction& transaction, std::string_view schema,
                            std::string_view name, engine::TableUse use) const;

  bool IsSystemSchema(std::string_view schema) const;
  // Error: 1049.
  Result<SchemaDescriptor> FindSchema(std::string_view schema) const;
  // Sorted, with the system schemas.
  Result<std::vector<std::string>> ListSchemas() const;
  // Sorted. Error: 1049.
  Result<std::vector<std::string>> ListTables(std::string_view schema) const;
  uint64_t version() const { return engine_->dictionary_version(); }

  engine::Engine& engine() const { return *engine_; }

 private:
  engine::Engine* engine_;
  const SystemTables* system_;
};

}  // namespace borealis::sql
