// Arguments of schema changes (Engine::CreateTable and so on).
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/definition.h"
#include "engine/row.h"

namespace borealis::engine {

class InstanceLock;
class TableLocks;

struct TableName {
  std::string schema;
  std::string name;
  friend auto operator<=>(const TableName&, const TableName&) = default;
};

// How far a change that builds trees has come.
enum class BuildStep : uint8_t {
  kReading,     // the table's rows
  kSorting,     // rows that get another place
  kInserting,   // into the new trees
  kCatchingUp,  // with what other transactions have changed meanwhile
  kFinishing,   // with everybody else kept off
  kPublishing,
};

// What a schema change takes along in its atomic step besides its own tables: the other sides of
// foreign keys, and SQL's own entries in the dictionary (opaque here). SQL works it out from what
// it sees without locks; under the locks it is compared with what is, and when another change came
// first nothing happens and the answer is kRetry.
struct RelatedChanges {
  // Locked exclusively, together with the change's own tables (which may be listed, too).
  struct Table {
    TableName name;
    uint64_t expected_version = 0;       // 0: there is no such table
    std::optional<std::string> payload;  // its new description; none: stays as it is
  };
  struct Entry {
    std::string key;
    std::optional<std::string> value;  // none: erase
  };
  // Of SQL's entries exactly these start with `prefix` before the change; sorted.
  struct Expectation {
    std::string prefix;
    std::vector<std::string> keys;
  };
  std::vector<Table> tables;
  std::vector<Entry> entries;
  std::vector<Expectation> expected;

  bool empty() const { return tables.empty() && entries.empty() && expected.empty(); }
};

struct SchemaChangeOptions {
  RelatedChanges related;
  // lock_wait_timeout; 0 uses the engine's default.
  int64_t metadata_wait_timeout_us = 0;
  // Asked during waits and while rows are copied; true fails the change with kCancelled.
  std::function<bool()> killed;
  uint64_t session_id = 0;
  // Called as a build goes on; may block and use the engine.
  std::function<void(BuildStep)> progress;
  // innodb_online_alter_log_max_size: beyond it changes of rows fail the build that they meet.
  uint64_t online_log_max_bytes = uint64_t{128} << 20;
  // Memory of each sort.
  size_t sort_buffer_bytes = size_t{32} << 20;
  // LOCK TABLES of the session that is in force; null: none. Locks held for writing count as the
  // change's own.
  std::shared_ptr<const TableLocks> table_locks;
  // The session's own LOCK INSTANCE FOR BACKUP; null: none.
  std::shared_ptr<InstanceLock> backup_lock;
  // Waits for no lock on the instance.
  bool passes_instance_locks = false;
};

// Gives the new bytes of a row, into *to (replaced). An error ends the change and is returned.
using RowMapper = std::function<Status(std::string_view from, std::string* to)>;

// What other transactions may do to the table while its new trees are built.
enum class Concurrency : uint8_t { kNone, kRead, kReadAndWrite };

// What ALTER TABLE (and CREATE INDEX …) does to one table, in one step.
struct TableAlteration {
  // The version of the definition that the change was worked out from: with another one nothing
  // happens and the answer is kRetry. 0: any.
  uint64_t expected_version = 0;
  // SQL's new description; it describes the table after all of the alteration.
  std::string payload;
  // The indexes after it, in order; [0] is the clustered one (none at all: of a view). An index of
  // the old table is kept when `keep` names it (perhaps under a new name); otherwise it is built.
  // Old indexes that nothing keeps are dropped.
  struct Index {
    std::string name;
    bool unique = false;
    std::string keep;  // empty: build
  };
  std::vector<Index> indexes;
  // Set: every row is rewritten by it, and all indexes are built anew whatever `keep` says. Needed
  // when row bytes or clustered keys change.
  // REQUIRES for Concurrency::kReadAndWrite: equal rows give rows of equal keys.
  RowMapper rewrite;
  // The rewritten rows have the order that they had: they need not be sorted.
  bool keeps_order = false;
  Concurrency concurrency = Concurrency::kReadAndWrite;
  // Rows have other columns afterwards, though nothing is rewritten: views from before may not read
  // the table any more.
  bool changes_columns = false;
  // Set: the table's new name as well.
  std::optional<TableName> rename;
  // When a unique key of the new shape is met twice: kAlreadyExists, and this says which.
  DuplicateKey* duplicate = nullptr;
  // The row that was in the way (its new bytes), for the message.
  std::string* duplicate_row = nullptr;
};

}  // namespace borealis::engine
