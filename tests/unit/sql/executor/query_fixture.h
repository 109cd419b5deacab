// A session on an engine on a volume in memory, with tables made straight through the engine: for
// tests of queries that must not depend on DDL and DML.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/engine.h"
#include "row/value.h"
#include "sql/catalog/catalog.h"
#include "sql/catalog/table_descriptor.h"
#include "sql/session/session.h"
#include "tests/support/memory_volume.h"
#include "tests/unit/sql/executor/answer.h"

namespace borealis::sql {

// Refuses what is not a query, as a server without DML and DDL would.
class QueryOnlyExecutor final : public StatementExecutor {
 public:
  Status Execute(StatementRun& run) override;
};

class QueryFixture {
 public:
  QueryFixture();
  ~QueryFixture();

  Session& session() { return *session_; }
  engine::Engine& engine() { return *engine_; }
  MemoryVolume& volume() { return volume_; }
  static engine::EngineOptions Options();
  Answer Query(std::string_view text);
  // Executes a prepared statement.
  Answer Execute(uint32_t id, const std::vector<TypedValue>& parameters);

  // Starts the definition of a table; columns are NOT NULL only when their type says so.
  static TableDescriptor Define(std::string name);
  static void AddColumn(TableDescriptor* table, std::string name, row::Type type);
  // Columns by name; the first index added must be the primary key (or none: a row id is added).
  static void AddIndex(TableDescriptor* table, std::string name, IndexKind kind,
                       const std::vector<std::string>& columns);
  void Create(TableDescriptor table);
  void Insert(std::string_view table, const std::vector<std::vector<row::Value>>& rows);

 private:
  MemoryVolume volume_;
  std::unique_ptr<engine::Engine> engine_;
  std::unique_ptr<Catalog> catalog_;
  QueryOnlyExecutor executor_;
  std::unique_ptr<Session> session_;
};

}  // namespace borealis::sql
