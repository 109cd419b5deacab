// What the engine says it keeps in memory moves with what it keeps.
#include "engine/memory_use.h"

#include <fmt/format.h>

#include "tests/unit/engine/engine_fixture.h"

namespace borealis::engine::testing {
namespace {

class MemoryUseTest : public EngineTest {
 protected:
  MemoryUse Use() { return MemoryUseOf(*engine_); }
};

TEST_F(MemoryUseTest, LocksAndTransactions) {
  constexpr int kRows = 5000;
  Create("t", "0", {true});
  const MemoryUse before = Use();
  Session session(engine_.get());
  const TableRef table = session.Open("t");
  for (int i = 0; i < kRows; ++i) {
    session.trx().BeginStatement();
    ASSERT_OK(Insert(session.trx(), *table, fmt::format("{:05}|a", i), nullptr));
  }
  EXPECT_GT(Use().transactions, before.transactions);
  ASSERT_OK(session.Commit());
  Session locking(engine_.get());
  ScanOptions options;
  options.lock = LockMode::kExclusive;
  locking.Scan("t", options);
  const MemoryUse during = Use();
  // Each takes a node and its key at least; some memory is kept for later ones.
  EXPECT_GT(during.locks, before.locks + kRows * 50);
  EXPECT_LT(during.locks, before.locks + kRows * 500);
  ASSERT_OK(locking.Rollback());
  EXPECT_LT(Use().locks, before.locks + (during.locks - before.locks) / 2);
}

TEST_F(MemoryUseTest, HistoryThatIsNotPurged) {
  Create("t", "0", {true});
  Load("t", {"1|a"});
  ASSERT_OK(engine_->RunBackground());
  const uint64_t before = Use().transactions;
  for (int i = 0; i < 100; ++i) {
    Session session(engine_.get());
    ASSERT_OK(session.Update("t", "1", fmt::format("1|{}", i)));
    ASSERT_OK(session.Commit());
  }
  EXPECT_GE(Use().transactions, before + 100 * sizeof(uint64_t));
  ASSERT_OK(engine_->RunBackground());
  EXPECT_LT(Use().transactions, before + 100 * sizeof(uint64_t));
}

TEST_F(MemoryUseTest, TablesAndTheirStatistics) {
  const MemoryUse before = Use();
  for (int i = 0; i < 50; ++i) {
    Create(fmt::format("t{}", i), "0;1", {true, false});
  }
  const MemoryUse made = Use();
  EXPECT_GT(made.dictionary, before.dictionary + 50 * sizeof(engine::Table));
  EXPECT_EQ(made.statistics, before.statistics);
  for (int i = 0; i < 50; ++i) {
    EXPECT_OK(engine_->AnalyzeTable(*Table(fmt::format("t{}", i)), {}));
  }
  EXPECT_GT(Use().statistics, made.statistics + 50 * sizeof(TableStatistics));
  for (int i = 0; i < 50; ++i) {
    EXPECT_OK(engine_->DropTables({{"test", fmt::format("t{}", i)}}, {}));
  }
  EXPECT_EQ(Use().statistics, before.statistics);
  EXPECT_EQ(Use().dictionary, before.dictionary);
}

}  // namespace
}  // namespace borealis::engine::testing
