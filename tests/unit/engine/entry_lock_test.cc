// Locks of index entries against those who change the entries' rows, and rows that are shown
// without their lock.
#include "base/os/random.h"
#include "tests/unit/engine/engine_fixture.h"

namespace borealis::engine::testing {
namespace {

class EntryLockTest : public EngineTest {
 protected:
  void SetUp() override {
    EngineTest::SetUp();
    Create("t", "0;1", {true, false});
    Load("t", {"1|a|x", "2|b|x", "3|c|x"});
  }
  // Keys of the index, locked shared; "!code" on error.
  static std::string Entries(Session& session, const TableRef& table,
                             WaitPolicy wait = WaitPolicy::kWait) {
    ScanOptions options;
    options.index_no = 1;
    options.lock = LockMode::kShared;
    options.covering = true;
    options.wait = wait;
    auto cursor = OpenCursor(session.trx(), table, options);
    std::string keys;
    for (;;) {
      Result<bool> more = (*cursor)->Next();
      if (!more.ok()) {
        return "!" + std::string(CodeName(more.status().code()));
      }
      if (!*more) {
        return keys;
      }
      keys += std::string((*cursor)->key()) + std::string((*cursor)->clustered_key());
    }
  }
};

TEST_F(EntryLockTest, ASharedEntryKeepsItsKeyAndNotTheRest) {
  Session reader(engine_.get());
  EXPECT_NE(Entries(reader, reader.Open("t")), "");
  const auto hasty = [](TransactionOptions* options) { options->lock_wait_timeout_us = 50'000; };
  {
    Session writer(engine_.get(), Isolation::kReadCommitted, hasty);
    ASSERT_OK(writer.Update("t", "2", "2|b|y"));
    EXPECT_TRUE(writer.Update("t", "2", "2|d|y").Is(Code::kTimedOut));
    EXPECT_TRUE(writer.Delete("t", "2").Is(Code::kTimedOut));
    // What had been done before the wait is undone, and the transaction goes on.
    ASSERT_OK(writer.Commit());
  }
  ASSERT_OK(reader.Commit());
  EXPECT_EQ(ScanAll("t", 1), "1|a|x 2|b|y 3|c|x");
  Check("t");
}

TEST_F(EntryLockTest, AWriterHoldsTheEntriesItHasChanged) {
  Session writer(engine_.get());
  ASSERT_OK(writer.Update("t", "2", "2|b|y"));
  Session reader(engine_.get());
  EXPECT_NE(Entries(reader, reader.Open("t"), WaitPolicy::kFail)[0], '!');
  ASSERT_OK(reader.Rollback());
  ASSERT_OK(writer.Update("t", "2", "2|d|y"));
  ASSERT_OK(writer.Update("t", "2", "2|b|z"));  // as it was, and still held
  Session late(engine_.get());
  EXPECT_EQ(Entries(late, late.Open("t"), WaitPolicy::kFail), "!timed out");
  ASSERT_OK(late.Rollback());
  ASSERT_OK(writer.Commit());
  Check("t");
}

// INV-LCK-6: what a reader has locked stays, whatever writers do meanwhile.
TEST_F(EntryLockTest, LockedEntriesStayAmongManyWriters) {
  std::atomic<bool> stop{false};
  std::atomic<uint64_t> read{0};
  {
    std::vector<Thread> threads;
    for (uint64_t n = 0; n < 4; ++n) {
      threads.emplace_back("writer", [&, n] {
        Random random(n + 1);
        while (!stop.load()) {
          Session s(engine_.get(), Isolation::kReadCommitted);
          const std::string id = std::to_string(1 + random.Below(3));
          const auto key = std::string(1, static_cast<char>('a' + random.Below(6)));
          if (random.Chance(0.2)) {
            s.Delete("t", id).IgnoreError();
          }
          if (s.Update("t", id, id + "|" + key + "|w").Is(Code::kNotFound)) {
            s.Insert("t", id + "|" + key + "|i").IgnoreError();
          }
          (random.Chance(0.6) ? s.Rollback() : s.Commit()).IgnoreError();
        }
      });
    }
    for (int n = 0; n < 2; ++n) {
      threads.emplace_back("reader", [&] {
        while (!stop.load()) {
          Session s(engine_.get());
          const TableRef table = s.Open("t");
          const std::string first = Entries(s, table);
          if (!first.empty() && first[0] == '!') {
            continue;  // a deadlock's victim
          }
          for (int again = 0; again < 3; ++again) {
            const std::string now = Entries(s, table);
            EXPECT_EQ(now, first);
            std::this_thread::yield();
          }
          ++read;
        }
      });
    }
    for (int i = 0; i < 2000 && (read.load() < 400 || i < 100); ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    stop.store(true);
  }
  EXPECT_GT(read.load(), 20U);
  Check("t");
}

// A key that is given up and taken back again and again is never free for others.
TEST_F(EntryLockTest, ARollbackUnderWayHidesNoDuplicate) {
  Create("u", "0;1", {true, true});
  Load("u", {"1|k"});
  std::atomic<bool> stop{false};
  int inserted = 0;
  int refused = 0;
  {
    Thread giving_up("giving up", [&] {
      while (!stop.load()) {
        Session s(engine_.get(), Isolation::kReadCommitted);
        s.Update("u", "1", "1|z").IgnoreError();
        s.Rollback().IgnoreError();
      }
    });
    for (int i = 0; i < 20000; ++i) {
      Session s(engine_.get(), Isolation::kReadCommitted);
      const Status status = s.Insert("u", std::to_string(2 + i) + "|k");
      inserted += status.ok() ? 1 : 0;
      refused += status.Is(Code::kAlreadyExists) ? 1 : 0;
      s.Rollback().IgnoreError();
    }
    stop.store(true);
  }
  EXPECT_EQ(inserted, 0);
  EXPECT_GT(refused, 1000);
  Check("u");
}

// The matching rows of a scan that shows locked rows as committed: those whose third field is `x`.
TEST_F(EntryLockTest, RowsThatDoNotMatchAreNotWaitedFor) {
  Session writer(engine_.get());
  ASSERT_OK(writer.Update("t", "1", "1|a|y"));
  ASSERT_OK(writer.Insert("t", "4|d|x"));
  Session scanner(engine_.get(), Isolation::kReadCommitted);
  ScanOptions options;
  options.lock = LockMode::kExclusive;
  options.semi_consistent = true;
  auto cursor = OpenCursor(scanner.trx(), scanner.Open("t"), options);
  std::string shown;
  for (;;) {
    auto more = (*cursor)->Next();
    ASSERT_OK(more.status());
    if (!*more) {
      break;
    }
    shown += std::string(*(*cursor)->row()) + " ";
    (*cursor)->UnlockRow();
  }
  EXPECT_EQ(shown, "1|a|x 2|b|x 3|c|x ");
  // Nothing is left locked.
  Session other(engine_.get());
  EXPECT_EQ(other.Get("t", "2", LockMode::kExclusive, WaitPolicy::kFail), "2|b|x");
}

TEST_F(EntryLockTest, AShownRowIsWaitedForAndShownAgain) {
  auto writer = std::make_unique<Session>(engine_.get());
  ASSERT_OK(writer->Update("t", "2", "2|b|y"));
  Session scanner(engine_.get(), Isolation::kReadCommitted);
  ScanOptions options;
  options.lock = LockMode::kExclusive;
  options.semi_consistent = true;
  options.range = {K("2"), true, K("2"), true, false};
  auto cursor = OpenCursor(scanner.trx(), scanner.Open("t"), options);
  ASSERT_TRUE(*(*cursor)->Next());
  EXPECT_EQ(*(*cursor)->row(), "2|b|x");
  bool same = true;
  Thread confirming("confirming", [&] { same = *(*cursor)->Confirm(); });
  AwaitWaiters(1);
  ASSERT_OK(writer->Commit());
  confirming.Join();
  EXPECT_FALSE(same);
  ASSERT_TRUE(*(*cursor)->Next());
  EXPECT_EQ(*(*cursor)->row(), "2|b|y");
  EXPECT_TRUE(*(*cursor)->Confirm());
  EXPECT_FALSE(*(*cursor)->Next());
}

// One row that everybody wants: nobody starves, nobody is a victim.
TEST_F(EntryLockTest, ManySessionsIncrementOneRow) {
  constexpr int kSessions = 100;
  constexpr int kEach = 20;
  Load("t", {"9|0|n"});
  std::atomic<int> failed{0};
  {
    std::vector<Thread> threads;
    for (int n = 0; n < kSessions; ++n) {
      threads.emplace_back("session", [&] {
        for (int i = 0; i < kEach; ++i) {
          Session s(engine_.get());
          const std::string row = s.Get("t", "9", LockMode::kExclusive);
          const bool good =
              row[0] != '!' &&
              s.Update("t", "9", "9|" + std::to_string(std::stoi(row.substr(2)) + 1) + "|n").ok() &&
              s.Commit().ok();
          failed += good ? 0 : 1;
        }
      });
    }
  }
  EXPECT_EQ(failed.load(), 0);
  EXPECT_EQ(engine_->counters().deadlocks, 0U);
  EXPECT_EQ(Session(engine_.get()).Get("t", "9"), "9|" + std::to_string(kSessions * kEach) + "|n");
}

}  // namespace
}  // namespace borealis::engine::testing
