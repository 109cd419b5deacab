// Inserts of several rows at a time: they come to what inserts one by one come to, whatever is in
// their way.
#include "engine/row_batch.h"

#include <map>
#include <set>

#include "base/fault.h"
#include "base/os/random.h"
#include "base/os/thread.h"
#include "tests/unit/engine/engine_fixture.h"

namespace borealis::engine::testing {
namespace {

using Rows = std::map<std::string, std::string>;  // key → row

std::string Text(const Rows& rows) {
  std::string text;
  for (const auto& [key, row] : rows) {
    text += (text.empty() ? "" : " ") + row;
  }
  return text;
}

std::string Number(uint64_t number) {
  const std::string text = std::to_string(number);
  return std::string(7 - text.size(), '0') + text;
}

class RowBatchTest : public EngineTest {
 protected:
  void SetUp() override {
    EngineTest::SetUp();
    Create("t", "0;1;2,1", {true, false, false});
    FaultRegistry::Instance().Arm([this](std::string_view point) {
      visited_.emplace(point);
      return false;
    });
  }
  void TearDown() override {
    FaultRegistry::Instance().Disarm();
    EngineTest::TearDown();
  }
  std::string Row(const std::string& key, size_t long_size = 0) {
    const char letter = static_cast<char>('a' + random_.Below(26));
    return key + "|" + std::string(1, static_cast<char>('a' + random_.Below(6))) +
           std::to_string(random_.Below(50)) + "|" + std::string(20 + random_.Below(60), letter) +
           "|" + std::string(long_size, letter);
  }
  void CheckIndexes() {
    Check("t");
    EXPECT_EQ(ScanAll("t", 1).empty(), ScanAll("t").empty());
  }

  Random random_{7};
  std::set<std::string> visited_;
};

TEST_F(RowBatchTest, SuitsTablesWithOneUniqueKey) {
  Create("u", "0;1", {true, true});
  EXPECT_TRUE(RowBatch::Suits(*Table("t")));
  EXPECT_FALSE(RowBatch::Suits(*Table("u")));
}

TEST_F(RowBatchTest, AscendingRowsFillLeavesInFewMiniTransactions) {
  constexpr uint64_t kRows = 20'000;
  Session session(engine_.get());
  const TableRef table = session.Open("t");
  RowBatch batch(&session.trx(), table.get());
  Rows expected;
  DuplicateKey duplicate;
  for (uint64_t i = 0; i < kRows; ++i) {
    const std::string row = Row(Number(i));
    expected[Number(i)] = row;
    ASSERT_OK(batch.Add(row));
    if (batch.full() || i + 1 == kRows) {
      ASSERT_OK(batch.Flush(&duplicate));
      EXPECT_EQ(batch.done(), batch.size());
      batch.Clear();
    }
  }
  ASSERT_OK(session.Commit());
  EXPECT_TRUE(visited_.contains("row_batch.rows_written"));
  EXPECT_TRUE(visited_.contains("row_batch.entries_written"));
  EXPECT_EQ(ScanAll("t"), Text(expected));
  CheckIndexes();
}

// INV-UND-3, INV-ROW-1: rows, rows that were there, ghosts, long rows, whatever order.
TEST_F(RowBatchTest, AgreesWithAModel) {
  Rows committed;
  for (int round = 0; round < 25 && !HasFailure(); ++round) {
    Session session(engine_.get());
    Rows rows = committed;
    const TableRef table = session.Open("t");
    RowBatch batch(&session.trx(), table.get());
    const bool ascending = random_.Chance(0.6);
    uint64_t at = random_.Below(3000);
    for (int flush = 0; flush < 3; ++flush) {
      const Savepoint before = session.trx().SetSavepoint();
      Rows put = rows;
      std::vector<bool> fits;
      const uint64_t count = 1 + random_.Below(random_.Chance(0.3) ? 900 : 40);
      for (uint64_t i = 0; i < count; ++i) {
        at = ascending ? at + 1 + random_.Below(3) : random_.Below(3000);
        const std::string key = Number(at);
        const std::string row = Row(key, random_.Chance(0.01) ? 20'000 : 0);
        ASSERT_OK(batch.Add(row));
        fits.push_back(put.emplace(key, row).second);
      }
      for (;;) {
        DuplicateKey duplicate;
        const Status status = batch.Flush(&duplicate);
        if (status.ok()) {
          break;
        }
        ASSERT_TRUE(status.Is(Code::kAlreadyExists)) << status.ToString();
        ASSERT_FALSE(fits.at(batch.done()));
        EXPECT_EQ(duplicate.index_no, kClusteredIndex);
        fits[batch.done()] = true;
        batch.SkipRow();
      }
      EXPECT_EQ(std::count(fits.begin(), fits.end(), false), 0);
      batch.Clear();
      if (random_.Chance(0.2)) {
        ASSERT_OK(session.trx().RollbackTo(before));
        continue;
      }
      rows = std::move(put);
      for (int i = 0; i < 20 && !rows.empty(); ++i) {  // ghosts for the rows to come
        const auto victim = rows.lower_bound(Number(random_.Below(3000)));
        if (victim != rows.end()) {
          ASSERT_OK(session.Delete("t", victim->first));
          rows.erase(victim);
        }
      }
    }
    EXPECT_EQ(session.Scan("t"), Text(rows));
    if (random_.Chance(0.2)) {
      ASSERT_OK(session.Rollback());
    } else {
      ASSERT_OK(session.Commit());
      committed = std::move(rows);
    }
    EXPECT_EQ(ScanAll("t"), Text(committed));
    CheckIndexes();
    if (random_.Chance(0.3)) {
      ASSERT_OK(engine_->RunBackground());
    }
    if (random_.Chance(0.1)) {
      Crash();
    }
  }
}

// The rows before the one that failed are in, nothing of those behind it is.
TEST_F(RowBatchTest, ADuplicateStopsAtItsRow) {
  Load("t", {"0000005|x|y"});
  Session session(engine_.get());
  const TableRef table = session.Open("t");
  RowBatch batch(&session.trx(), table.get());
  for (const uint64_t i : {1, 2, 5, 6}) {
    ASSERT_OK(batch.Add(Number(i) + "|a|b"));
  }
  DuplicateKey duplicate;
  EXPECT_TRUE(batch.Flush(&duplicate).Is(Code::kAlreadyExists));
  EXPECT_EQ(batch.done(), 2U);
  EXPECT_EQ(duplicate.clustered_key, K("0000005"));
  EXPECT_EQ(session.Scan("t"), "0000001|a|b 0000002|a|b 0000005|x|y");
  batch.Clear();
  ASSERT_OK(session.Commit());
  CheckIndexes();
}

// INV-LCK-4
TEST_F(RowBatchTest, WaitsForGapsThatOthersHaveLocked) {
  Load("t", {"0000001|a|b", "0000009|a|b"});
  for (const bool secondary : {false, true}) {
    Session locker(engine_.get());
    ScanOptions options;
    options.index_no = secondary ? 1 : 0;
    options.range = KeyRange::Prefix(secondary ? K("m") : "0000005");
    options.lock = LockMode::kExclusive;
    EXPECT_EQ(locker.Scan("t", options), "");
    std::atomic<bool> done = false;
    Thread inserter("inserter", [&] {
      Session session(engine_.get());
      const TableRef table = session.Open("t");
      RowBatch batch(&session.trx(), table.get());
      for (uint64_t i = 3; i < 8; ++i) {
        EXPECT_OK(batch.Add(Number(i) + (i == 5 ? "|m|b" : "|a|b")));
      }
      DuplicateKey duplicate;
      EXPECT_OK(batch.Flush(&duplicate));
      done = true;
      EXPECT_OK(session.Rollback());
    });
    AwaitWaiters(1);
    EXPECT_FALSE(done);
    ASSERT_OK(locker.Commit());
    inserter.Join();
    EXPECT_TRUE(done);
    EXPECT_EQ(ScanAll("t"), "0000001|a|b 0000009|a|b");
    CheckIndexes();
  }
}

TEST_F(RowBatchTest, ManyInsertersBesideEachOther) {
  constexpr uint64_t kInserters = 4;
  constexpr uint64_t kRows = 3000;
  std::vector<std::unique_ptr<Thread>> threads;
  for (uint64_t inserter = 0; inserter < kInserters; ++inserter) {
    threads.push_back(std::make_unique<Thread>("inserter", [&, inserter] {
      Random random(inserter);
      for (uint64_t i = 0; i < kRows;) {
        Session session(engine_.get());
        const TableRef table = session.Open("t");
        RowBatch batch(&session.trx(), table.get());
        const uint64_t end = std::min(kRows, i + 1 + random.Below(300));
        for (; i < end; ++i) {  // woven into each other
          EXPECT_OK(batch.Add(Number(i * kInserters + inserter) + "|a" +
                              std::to_string(random.Below(20)) + "|" + std::string(40, 'x')));
        }
        DuplicateKey duplicate;
        EXPECT_OK(batch.Flush(&duplicate));
        EXPECT_OK(session.Commit());
      }
    }));
  }
  for (const auto& thread : threads) {
    thread->Join();
  }
  const std::string all = ScanAll("t");
  EXPECT_EQ(static_cast<uint64_t>(std::count(all.begin(), all.end(), ' ')) + 1, kInserters * kRows);
  CheckIndexes();
}

}  // namespace
}  // namespace borealis::engine::testing
