// The sections and the layout are InnoDB's as far as what they tell of exists here, so that tools
// that read them (deadlock loggers above all) find what they look for. There are no space and page
// numbers: an index's id stands for its space. A locked record is shown by its key's values.
#include "sql/executor/show/innodb_status.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/memory_use.h"
#include "row/convert.h"
#include "sql/executor/definition/definition_run.h"
#include "sql/executor/show/lock_text.h"
#include "sql/functions/eval_context.h"
#include "sql/session/session.h"

namespace borealis::sql {
namespace {

// Transactions without changes have no id; InnoDB shows one beyond all others.
uint64_t ShownId(TrxId id, uint64_t owner) {
  return id != TrxId(0) ? id.value() : (uint64_t{1} << 48) + owner;
}

class StatusText {
 public:
  StatusText(engine::Engine& engine, const row::TimeZone& zone, int64_t now_us, LockNames names)
      : engine_(engine), zone_(zone), now_us_(now_us), names_(std::move(names)) {}

  std::string Write() {
    const std::string rule(37, '=');
    text_ = fmt::format("\n{}\n{} 0 INNODB MONITOR OUTPUT\n{}\n", rule, Time(now_us_), rule);
    Deadlock();
    Transactions();
    Counters();
    text_ += fmt::format("----------------------------\nEND OF INNODB MONITOR OUTPUT\n{}\n",
                         std::string(28, '='));
    return std::move(text_);
  }

 private:
  std::string Time(int64_t wall_us) const {
    return row::ToText(row::Value::Timestamp(wall_us), row::Type::Timestamp(), zone_);
  }
  void Section(std::string_view title) {
    const std::string rule(title.size(), '-');
    text_ += fmt::format("{}\n{}\n{}\n", rule, title, rule);
  }
  int64_t Seconds(int64_t since_wall_us, int64_t until_wall_us) const {
    return std::max<int64_t>(0, until_wall_us - since_wall_us) / 1'000'000;
  }

  void Lock(const engine::WaitedLock& lock, uint64_t trx, bool exclusive, bool waiting) {
    const LockNames::Index* index = names_.Find(lock.index);
    std::string table = "?";
    std::string name = "?";
    if (index != nullptr) {
      table = fmt::format("`{}`.`{}`", index->definition().schema, index->definition().name);
      name = index->name();
    }
    const std::string_view kind = !lock.insert_intention ? " locks rec but not gap"
                                  : waiting              ? " locks gap before rec insert intention"
                                                         : " locks gap before rec";
    text_ += fmt::format(
        "RECORD LOCKS space id {} page no 0 n bits 0 index {} of table {} trx id {} {}{}{}\n",
        lock.index.value(), name, table, trx, exclusive ? "lock_mode X" : "lock mode S", kind,
        waiting ? " waiting" : "");
    text_ += fmt::format("Record lock, key ({})\n\n",
                         names_.KeyText(lock.index, lock.key).value_or("not there"));
  }

  void Deadlock() {
    const std::optional<engine::DeadlockInfo> deadlock = engine_.LatestDeadlock();
    if (!deadlock.has_value()) {
      return;
    }
    Section("LATEST DETECTED DEADLOCK");
    text_ += Time(deadlock->wall_us) + " 0\n";
    const auto& members = deadlock->members;
    for (size_t i = 0; i < members.size(); ++i) {
      const auto& member = members[i];
      const uint64_t trx = ShownId(member.trx, member.owner);
      text_ += fmt::format(
          "*** ({0}) TRANSACTION:\nTRANSACTION {1}, ACTIVE {2} sec {3}\n"
          "mysql tables in use 1, locked 1\n"
          "LOCK WAIT {4} lock struct(s), heap size 0, {5} row lock(s){6}\n"
          "MySQL thread id {7}, OS thread handle 0, query id 0\n{8}\n\n",
          i + 1, trx, Seconds(member.started_wall_us, deadlock->wall_us),
          member.waits_for.insert_intention ? "inserting" : "starting index read", member.lock_sets,
          member.row_locks,
          member.changes > 0 ? fmt::format(", undo log entries {}", member.changes) : "",
          member.session_id, member.statement);
      // The one before it in the circle waits for what this one has.
      const engine::WaitedLock& held = members[(i + members.size() - 1) % members.size()].waits_for;
      text_ += fmt::format("*** ({}) HOLDS THE LOCK(S):\n", i + 1);
      Lock(held, trx, held.blocker_exclusive, /*waiting=*/false);
      text_ += fmt::format("\n*** ({}) WAITING FOR THIS LOCK TO BE GRANTED:\n", i + 1);
      Lock(member.waits_for, trx, member.waits_for.exclusive, /*waiting=*/true);
      text_ += i + 1 < members.size() ? "\n" : "";
    }
    text_ += fmt::format("*** WE ROLL BACK TRANSACTION ({})\n", deadlock->victim + 1);
  }

  void Transactions() {
    Section("TRANSACTIONS");
    text_ += fmt::format("History list length {}\nLIST OF TRANSACTIONS FOR EACH SESSION:\n",
                         engine_.counters().history_length);
    for (const engine::TransactionInfo& trx : engine_.ListTransactions()) {
      const bool waits = trx.state == "LOCK WAIT";
      text_ += fmt::format("---TRANSACTION {}, ACTIVE {} sec{}\n", ShownId(trx.id, trx.owner),
                           Seconds(trx.started_wall_us, now_us_),
                           trx.state == "ROLLING BACK" ? " rollback"
                           : waits                     ? " starting index read"
                                                       : "");
      if (trx.row_locks > 0 || trx.changes > 0) {
        text_ +=
            fmt::format("{}{} lock struct(s), heap size 0, {} row lock(s){}\n",
                        waits ? "LOCK WAIT " : "", trx.lock_sets, trx.row_locks,
                        trx.changes > 0 ? fmt::format(", undo log entries {}", trx.changes) : "");
      }
      text_ += fmt::format("MySQL thread id {}, OS thread handle 0, query id 0\n", trx.session_id);
      if (waits) {
        text_ += fmt::format("------- TRX HAS BEEN WAITING {} SEC FOR THIS LOCK TO BE GRANTED\n",
                             Seconds(trx.wait_started_wall_us, now_us_));
      }
    }
  }

  void Counters() {
    const engine::EngineCounters counters = engine_.counters();
    Section("ROW LOCKS");
    text_ += fmt::format(
        "{} waits, {} waiting now, {} ms waited, {} ms at most\n{} deadlocks, {} timeouts\n",
        counters.row_lock_waits, counters.row_lock_current_waits, counters.row_lock_time_us / 1000,
        counters.row_lock_time_max_us / 1000, counters.deadlocks, counters.lock_timeouts);
    Section("BUFFER POOL AND MEMORY");
    const engine::MemoryUse memory = engine::MemoryUseOf(engine_);
    text_ += fmt::format(
        "Dictionary memory allocated {}\nStatistics {}, locks {}, transactions and views {}\n",
        memory.dictionary, memory.statistics, memory.locks, memory.transactions);
    text_ += fmt::format(
        "Buffer pool size   {}\nDatabase pages     {}\nRead requests {}, reads from storage {}\n",
        counters.buffer_pool_pages_total, counters.buffer_pool_pages_used,
        counters.buffer_pool_read_requests, counters.buffer_pool_reads);
    Section("ROW OPERATIONS");
    text_ += fmt::format(
        "Number of rows inserted {}, updated {}, deleted {}, read {}\n"
        "{} commits and {} rollbacks of transactions with changes\n",
        counters.rows_inserted, counters.rows_updated, counters.rows_deleted, counters.rows_read,
        counters.commits, counters.rollbacks);
  }

  engine::Engine& engine_;
  const row::TimeZone& zone_;
  const int64_t now_us_;
  const LockNames names_;
  std::string text_;
};

}  // namespace

Result<std::string> InnodbStatusText(StatementRun& run) {
  engine::Engine& engine = EngineOf(run);
  ASSIGN_OR_RETURN(LockNames names, LockNames::Read(engine));
  return StatusText(engine, run.session.eval_context().conversion.time_zone(),
                    run.session.statement_time_us(), std::move(names))
      .Write();
}

}  // namespace borealis::sql
