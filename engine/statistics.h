// What the engine tells about itself: estimates for the planner, counters for status variables, and
// the lists behind performance_schema and SHOW ENGINE INNODB STATUS.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/types.h"
#include "engine/definition.h"

namespace borealis::engine {

struct TableEstimate {
  uint64_t row_count = 0;
  uint64_t clustered_bytes = 0;  // pages of the clustered tree, in bytes
  uint64_t secondary_bytes = 0;
};

// How many different values the prefixes of an index have, as InnoDB's n_diff_pfx: what a planner
// divides the rows by to know how many share a value.
struct IndexStatistics {
  IndexId id;
  uint64_t leaf_pages = 0;
  uint64_t pages = 0;
  uint64_t sampled_pages = 0;
  std::vector<uint64_t> distinct;  // by prefix (RowLayout::counted_prefixes)
};

// A table as ANALYZE TABLE or the background last saw it. Immutable once made.
struct TableStatistics {
  uint64_t row_count = 0;
  uint64_t clustered_pages = 0;
  uint64_t secondary_pages = 0;
  int64_t updated_wall_us = 0;
  bool stored = false;  // is in the volume
  bool rough = false;   // sizes alone, from a few dives: nothing has been counted yet
  std::vector<IndexStatistics> indexes;

  // Null when the index is not known, or nothing has been counted.
  const IndexStatistics* Find(IndexId id) const;
};

// For tables whose options say nothing: innodb_stats_persistent and its like.
struct StatisticsDefaults {
  bool persistent = true;
  bool auto_recalc = true;
  uint64_t persistent_sample_pages = 20;
  uint64_t transient_sample_pages = 8;
};

struct EngineCounters {
  uint64_t rows_read = 0;  // Innodb_rows_read …
  uint64_t rows_inserted = 0;
  uint64_t rows_updated = 0;
  uint64_t rows_deleted = 0;
  uint64_t commits = 0;    // of transactions with changes
  uint64_t rollbacks = 0;  // of transactions with changes
  uint64_t row_lock_waits = 0;
  uint64_t row_lock_current_waits = 0;
  uint64_t row_lock_time_us = 0;
  uint64_t row_lock_time_max_us = 0;
  uint64_t deadlocks = 0;
  uint64_t lock_timeouts = 0;
  uint64_t history_length = 0;  // committed transactions that purge has not finished
  uint64_t purged_records = 0;
  uint64_t buffer_pool_pages_total = 0;
  uint64_t buffer_pool_pages_used = 0;
  uint64_t buffer_pool_read_requests = 0;
  uint64_t buffer_pool_reads = 0;
  uint64_t buffer_pool_read_ahead = 0;          // pages
  uint64_t buffer_pool_read_ahead_evicted = 0;  // of these, before anybody asked for them
  uint64_t buffer_pool_wait_free = 0;           // waits for pages to become durable
  uint64_t buffer_pool_pages_wanted = 0;        // the size; above it a resize is under way
  int64_t buffer_pool_resized_wall_us = 0;      // when the last resize ended; 0: none did
};

// A transaction that has begun to read or change.
struct TransactionInfo {
  TrxId id;            // 0: nothing changed yet
  uint64_t owner = 0;  // as in LockInfo
  uint64_t session_id = 0;
  std::string state;  // "RUNNING", "LOCK WAIT", "ROLLING BACK", "COMMITTING"
  int64_t started_wall_us = 0;
  int64_t wait_started_wall_us = 0;  // in "LOCK WAIT"
  uint64_t changes = 0;
  uint64_t row_locks = 0;
  uint64_t lock_sets = 0;  // LockOwner::CountLockSets
  std::string isolation;
  bool read_only = false;
  bool autocommit = false;
  bool recovered = false;  // left by an earlier writer and being rolled back
  uint64_t undone = 0;     // changes that the background has undone; `changes` are left, if known
};

struct LockInfo {
  TrxId trx;  // 0: the owner has changed nothing yet
  uint64_t session_id = 0;
  uint64_t owner = 0;  // identifies the transaction among the blocking_owners
  IndexId index;
  std::string key;        // record; for a gap the one that follows it
  bool supremum = false;  // a gap that no record follows
  std::string mode;       // as performance_schema.data_locks: "S,REC_NOT_GAP", "X,GAP", …
  bool granted = true;
  std::vector<uint64_t> blocking_owners;  // when waiting
};

// A lock that somebody waits for.
struct WaitedLock {
  IndexId index;
  std::string key;
  bool exclusive = true;
  bool insert_intention = false;
  bool blocker_exclusive = true;  // what is in the way
};

// A circle of waits that was broken: each member waits for a lock that the next one has, the last
// for one of the first.
struct DeadlockInfo {
  struct Member {
    TrxId trx;
    uint64_t owner = 0;  // as in LockInfo
    uint64_t session_id = 0;
    int64_t started_wall_us = 0;
    uint64_t changes = 0;
    uint64_t row_locks = 0;
    uint64_t lock_sets = 0;
    std::string statement;
    WaitedLock waits_for;
  };
  int64_t wall_us = 0;
  std::vector<Member> members;
  size_t victim = 0;
};

struct MetadataLockInfo {
  // Of the last three: gates of instance_lock.h, for changes, commits and definitions.
  enum class Kind : uint8_t { kTable, kSchema, kUserLevel, kGlobal, kCommit, kBackup };
  Kind kind = Kind::kTable;
  std::string schema;
  std::string name;  // of the table or of the user-level lock
  // "SHARED_READ", "SHARED_WRITE", "SHARED_READ_ONLY", "EXCLUSIVE", "SHARED", "INTENTION_EXCLUSIVE"
  std::string mode;
  bool granted = true;
  uint64_t session_id = 0;
};

}  // namespace borealis::engine
