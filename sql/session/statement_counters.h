// How many statements of each kind an instance has run, and how long commits took to be durable.
//
// Shared by all sessions; relaxed atomics, as no counter orders anything.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <string_view>

#include "base/obs/metrics.h"

namespace borealis::sql {

enum class StatementKind : uint8_t {
  kSelect,
  kInsert,  // and REPLACE
  kUpdate,
  kDelete,
  kDefine,       // DDL and accounts
  kTransaction,  // START TRANSACTION, COMMIT, ROLLBACK, SAVEPOINT …
  kOther,
};
inline constexpr std::array<std::string_view, 7> kStatementKindNames = {
    "select", "insert", "update", "delete", "define", "transaction", "other"};

struct StatementCounters {
  std::array<std::atomic<uint64_t>, kStatementKindNames.size()> run{};
  std::atomic<uint64_t> failed{0};
  DurationHistogram commit_latency;  // from the end of the work to durable at a write quorum

  void Count(StatementKind kind) {
    run[static_cast<size_t>(kind)].fetch_add(1, std::memory_order_relaxed);
  }
};

}  // namespace borealis::sql
