// Names to tables: the engine's dictionary and the system tables behind one look-up.
//
// A session that has temporary tables has a catalog of its own, in which they hide stored tables of
// the same name.
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

class TemporaryTables;

struct CatalogEntry {
  TablePtr table;
  engine::TableRef engine;              // null for system tables
  const SystemTable* system = nullptr;  // null for all others
  engine::Engine* owner = nullptr;      // that `engine` is a table of
};

// A table that may be read or changed, and the transaction to do it in.
struct OpenedTable : CatalogEntry {
  engine::Transaction* transaction = nullptr;
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
  // The catalog of a session with temporary tables, which outlive it.
  Catalog(const Catalog& shared, TemporaryTables* temporary)
      : engine_(shared.engine_), system_(shared.system_), temporary_(temporary) {}

  // The table or view now current. Errors: 1146; 1049 when the schema does not exist either.
  Result<CatalogEntry> Find(std::string_view schema, std::string_view name) const;
  // The same without temporary tables: what everybody sees under the name.
  Result<CatalogEntry> FindStored(std::string_view schema, std::string_view name) const;
  // What now has the name of a table found before, among those of its sort.
  Result<CatalogEntry> FindAgain(const TableDescriptor& table) const;
  bool HasTemporary(std::string_view schema, std::string_view name) const;
  // Opens a table found before. A stored one for the transaction (takes its metadata locks).
  // Errors: 1146; under LOCK TABLES, 1100 for a table that is not locked, 1099 for a change of one
  // locked for reading. A temporary one is locked by nobody, and has a transaction of its own.
  Result<OpenedTable> Open(engine::Transaction& transaction, const TableDescriptor& table,
                           engine::TableUse use) const;

  bool IsSystemSchema(std::string_view schema) const;
  // Error: 1049.
  Result<SchemaDescriptor> FindSchema(std::string_view schema) const;
  // Sorted, with the system schemas.
  Result<std::vector<std::string>> ListSchemas() const;
  // Sorted. Error: 1049.
  Result<std::vector<std::string>> ListTables(std::string_view schema) const;
  // Grows with every change of a definition that names of this catalog may mean.
  uint64_t version() const {
    return engine_->dictionary_version() + (temporary_ != nullptr ? TemporaryVersion() : 0);
  }

 private:
  uint64_t TemporaryVersion() const;

  engine::Engine* engine_;
  const SystemTables* system_;
  TemporaryTables* temporary_ = nullptr;
};

}  // namespace borealis::sql
