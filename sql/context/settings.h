// The system variables that the SQL layer itself obeys, as plain members: reading one costs
// nothing.
//
// The variables' names, scopes, checks and texts live in the registry (sql/executor, behind
// SystemVariables); setting one that is listed here also writes the member. A session starts with a
// copy of the global values. Changing a member that changes what a statement text means must bump
// `generation`, which is part of the statement cache's key.
#pragma once

#include <cstdint>
#include <string>

#include "row/collation.h"
#include "row/sql_mode.h"
#include "sql/ast/admin.h"

namespace borealis::sql {

struct SessionSettings {
  row::SqlMode sql_mode = row::kDefaultSqlMode;
  bool autocommit = true;
  IsolationLevel isolation = IsolationLevel::kRepeatableRead;
  bool transaction_read_only = false;

  // Empty character sets are never stored; "binary" is legal for the client's.
  row::CharsetId character_set_client = row::CharsetId::kUtf8mb4;
  row::CharsetId character_set_results = row::CharsetId::kUtf8mb4;
  bool results_unconverted = false;  // character_set_results = NULL
  row::CollationId collation_connection = row::kDefaultCollation;
  row::CollationId collation_database = row::kDefaultCollation;
  row::CollationId collation_server = row::kDefaultCollation;

  std::string time_zone = "SYSTEM";
  // `timestamp` variable: fixed statement time in microseconds since 1970, or 0 for the clock.
  int64_t fixed_timestamp_us = 0;

  uint64_t max_execution_time_ms = 0;
  int64_t long_query_time_us = 10'000'000;           // long_query_time
  uint64_t row_lock_wait_timeout_s = 50;             // innodb_lock_wait_timeout
  uint64_t metadata_lock_wait_timeout_s = 31536000;  // lock_wait_timeout
  uint64_t sql_select_limit = ~uint64_t{0};
  uint64_t group_concat_max_len = 1024;
  uint64_t cte_max_recursion_depth = 1000;
  uint64_t max_allowed_packet = 64 << 20;
  uint64_t max_error_count = 1024;
  uint64_t max_sort_memory_bytes = 64 << 20;
  uint32_t div_precision_increment = 4;
  uint32_t default_week_format = 0;
  uint64_t auto_increment_increment = 1;
  uint64_t auto_increment_offset = 1;
  uint64_t insert_id = 0;  // next auto-increment value of the next INSERT, or 0
  uint64_t eq_range_index_dive_limit = 200;
  bool foreign_key_checks = true;
  bool unique_checks = true;
  bool sql_safe_updates = false;
  bool sql_auto_is_null = false;
  bool sql_notes = true;
  bool sql_warnings = false;
  bool sql_big_selects = true;
  bool explicit_defaults_for_timestamp = true;
  bool innodb_rollback_on_timeout = false;
  bool innodb_snapshot_isolation = false;
  std::string default_storage_engine = "InnoDB";
  std::string block_encryption_mode = "aes-128-ecb";

  // Part of the statement cache's key; see above.
  uint64_t generation = 0;
};

}  // namespace borealis::sql
