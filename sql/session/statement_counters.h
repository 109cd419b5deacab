// How many statements of each kind an instance has run, how many are prepared, and how long commits
// took to be durable.
//
// Shared by all sessions; relaxed atomics, as no counter orders anything.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string_view>

#include "base/obs/metrics.h"
#include "sql/session/command.h"

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
  std::array<std::atomic<uint64_t>, kCommandNames.size()> commands{};
  std::atomic<uint64_t> failed{0};
  std::atomic<uint64_t> slow{0};      // statements that took longer than long_query_time
  std::atomic<uint64_t> prepared{0};  // statements that are prepared now
  DurationHistogram commit_latency;   // from the end of the work to durable at a write quorum

  void Count(StatementKind kind) {
    run[static_cast<size_t>(kind)].fetch_add(1, std::memory_order_relaxed);
  }
  void Count(Command command) {
    commands[static_cast<size_t>(command)].fetch_add(1, std::memory_order_relaxed);
  }
};

// One statement among StatementCounters::prepared, as long as it lives.
struct EndPrepared {
  void operator()(StatementCounters* counters) const {
    counters->prepared.fetch_sub(1, std::memory_order_relaxed);
  }
};
using PreparedTicket = std::unique_ptr<StatementCounters, EndPrepared>;
// `counters` may be null.
inline PreparedTicket CountPrepared(StatementCounters* counters) {
  if (counters != nullptr) {
    counters->prepared.fetch_add(1, std::memory_order_relaxed);
  }
  return PreparedTicket(counters);
}

}  // namespace borealis::sql
