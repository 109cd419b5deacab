// The parts of an open engine, as its own code passes them around. Everything is thread-safe.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "engine/dictionary.h"
#include "engine/engine.h"
#include "engine/store/store.h"
#include "engine/trx/lock_table.h"
#include "engine/trx/transaction_list.h"
#include "engine/trx/transaction_system.h"
#include "engine/trx/undo_log.h"
#include "engine/trx/wait_graph.h"

namespace borealis::engine {

struct RowCounters {
  std::atomic<uint64_t> read{0}, inserted{0}, updated{0}, deleted{0};
  std::atomic<uint64_t> commits{0}, rollbacks{0}, purged{0};
};

// Commits that purge has not taken up yet, per stream, with the LSN at which they became durable
// or will. Only purge takes from it.
class History;
class StatisticsKeeper;

struct Core {
  Core(Store* s, EngineOptions o, const Clock* c)
      : store(s),
        options(std::move(o)),
        clock(c),
        graph(c, options.deadlock_detect),
        locks(&graph),
        metadata(&graph),
        undo(s),
        transactions(std::make_shared<TransactionSystem>(s)),
        dictionary(s, options.layouts, transactions.get()) {}

  Store* const store;
  const EngineOptions options;
  const Clock* const clock;
  WaitGraph graph;
  LockTable locks;
  LockTable metadata;  // keys are names under IndexId(0), user-level locks under IndexId(1)
  UndoSpace undo;
  // Shared with callbacks of commits that are not durable yet.
  const std::shared_ptr<TransactionSystem> transactions;
  Dictionary dictionary;
  TransactionList begun;
  RowCounters rows;
  std::atomic<uint64_t> next_owner{1};
  std::shared_ptr<History> history;
  StatisticsKeeper* statistics = nullptr;  // hears of every changed row
  std::atomic<bool> stopping{false};
};

}  // namespace borealis::engine
