// The temporary tables of one session: a small engine over a volume of its own.
//
// Made at the session's first CREATE TEMPORARY TABLE and gone with its last temporary table, or the
// session. The engine is one like the instance's: all that tables can do, these can. It has no
// background threads; what they would do is done after transactions, by the session's thread.
//
// What a transaction of the session changes here is changed in a companion of it, which begins with
// the first use and must be ended with it; going back to a savepoint goes back here as well. Making
// and dropping tables is part of no transaction: a table that the companion may still have to undo
// changes of is only out of sight, and goes when the companion has ended.
//
// INV-TMP-1  No name of another session, and no lock, is touched by what is done here.
// INV-TMP-2  A table with changes that may have to be undone is not freed: undo would free what its
//            rows held a second time.
// One thread at a time.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/os/time.h"
#include "base/result.h"
#include "engine/engine.h"

namespace borealis::engine {
class LocalVolume;
}  // namespace borealis::engine

namespace borealis::sql {

class TemporaryTables {
 public:
  struct Options {
    std::string directory = "/tmp";
    uint64_t buffer_pool_bytes = uint64_t{4} << 20;
    const Clock* clock = nullptr;
  };
  static Result<std::unique_ptr<TemporaryTables>> Open(const Options& options);
  ~TemporaryTables();
  TemporaryTables(const TemporaryTables&) = delete;
  TemporaryTables& operator=(const TemporaryTables&) = delete;

  engine::Engine& engine() const { return *engine_; }

  // --- tables
  // Null when there is none.
  engine::TableRef Find(std::string_view schema, std::string_view name) const;
  // By name.
  std::vector<engine::TableRef> List() const;
  // kAlreadyExists.
  Result<engine::TableRef> Create(engine::TableDefinition table,
                                  const engine::SchemaChangeOptions& how);
  // The engine knows a schema once there are tables in it.
  Status EnsureSchema(std::string_view name, const engine::SchemaChangeOptions& how);
  // REQUIRES: all are there.
  Status Drop(const std::vector<engine::TableName>& tables, const engine::SchemaChangeOptions& how);
  // Tables dropped so far.
  uint64_t dropped() const { return dropped_; }

  // --- the companion of the session's transaction
  engine::Transaction& transaction();
  bool in_transaction() const { return transaction_ != nullptr; }
  engine::Savepoint SetSavepoint() const;
  Status RollbackTo(engine::Savepoint savepoint);
  // Both are harmless without one.
  Status Commit();
  Status Rollback();

 private:
  TemporaryTables();
  Status End(Status ended);
  // After a transaction: what was dropped meanwhile goes, and from time to time old versions.
  Status Tidy();
  // Statistics of the tables that have changed much.
  void CountAgain();

  std::unique_ptr<engine::LocalVolume> volume_;
  std::unique_ptr<engine::Engine> engine_;
  // As of the engine's dictionary version `listed_at_`.
  mutable std::map<engine::TableName, engine::TableRef> tables_;
  mutable uint64_t listed_at_ = 0;
  void ListAgain() const;
  std::vector<engine::TableName> hidden_;  // dropped, and still in the engine
  uint64_t hidden_so_far_ = 0;
  uint64_t dropped_ = 0;
  bool frees_trees_ = false;
  uint64_t changes_ = 0;  // since old versions were last purged
  std::unique_ptr<engine::Transaction> transaction_;
};

}  // namespace borealis::sql
