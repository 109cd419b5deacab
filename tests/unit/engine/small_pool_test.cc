// Data far larger than the buffer pool, which has the least size it can have: nothing may wait for
// itself, and what fails for want of a page must not leave half of a change.
#include <chrono>

#include "base/os/random.h"
#include "tests/unit/engine/engine_fixture.h"
#include "tests/unit/engine/stress.h"

namespace borealis::engine::testing {
namespace {

#if defined(BOREALIS_SANITIZED)
constexpr int kScale = 1;
#else
constexpr int kScale = 4;
#endif

EngineOptions SmallPool(bool background) {
  EngineOptions options = TestOptions(background);
  options.buffer_pool_bytes = 1;  // 64 pages
  return options;
}

class SmallPoolTest : public EngineTest {
 protected:
  static constexpr int kRows = 1500;
  static std::string Key(uint64_t i) { return std::to_string(10'000 + i); }
  static std::string Row(uint64_t i, int64_t amount, size_t filler) {
    return Key(i) + "|" + std::to_string(amount) + "|" + std::to_string(i * 7919 % kRows) + "|" +
           std::string(filler, 'f');
  }
  static int64_t Amount(const std::string& row) { return std::stoll(Split(row, '|').at(1)); }

  void SetUp() override {}
  void OpenLoaded(bool background) {
    OpenEngine(SmallPool(background));
    Create("t", "0;1;2", {true, false, true});
    Session session(engine_.get());
    for (uint64_t i = 0; i < kRows; ++i) {
      ASSERT_OK(session.Insert("t", Row(i, 100, 1500)));
    }
    ASSERT_OK(session.Commit());
  }
  int64_t Sum() {
    Session session(engine_.get());
    int64_t sum = 0;
    for (const std::string& row : Split(session.Scan("t"), ' ')) {
      sum += Amount(row);
    }
    return sum;
  }
};

TEST_F(SmallPoolTest, ManySessionsWithSlowDurability) {
  OpenLoaded(/*background=*/true);
  volume_->HoldDurability();
  std::atomic<bool> stop{false};
  std::atomic<int> wrong{0};
  std::atomic<int> commits{0};
  const StressTime time;
  Thread storage("storage", [&] {
    while (!stop.load()) {
      volume_->ReleaseUpTo(volume_->appended());
      std::this_thread::sleep_for(std::chrono::microseconds(300));
    }
    volume_->Release();
  });
  {
    std::vector<Thread> threads;
    for (int n = 0; n < 6; ++n) {
      threads.emplace_back("session", [&, n] {
        Random random(static_cast<uint64_t>(n) + 31);
        for (int i = 0; i < 40 * kScale || time.GoesOn(); ++i) {
          Session s(engine_.get(),
                    random.Chance(0.5) ? Isolation::kReadCommitted : Isolation::kRepeatableRead);
          const auto add = [&](uint64_t which, int64_t amount) -> Status {
            const std::string row = s.Get("t", Key(which), LockMode::kExclusive);
            if (row[0] == '!') {
              return Status::Deadlock("");
            }
            // Now and then the row goes off the page, and comes back.
            return s.Update("t", Key(which),
                            Row(which, Amount(row) + amount, random.Chance(0.2) ? 40'000 : 1500));
          };
          const int pairs = random.Chance(0.1) ? 30 : 2;
          bool failed = false;
          for (int pair = 0; pair < pairs && !failed; ++pair) {
            const uint64_t from = random.Below(kRows);
            failed =
                !add(from, -3).ok() || !add((from + 1 + random.Below(kRows - 1)) % kRows, 3).ok();
          }
          if (failed) {
            continue;
          }
          if (random.Chance(0.25)) {
            wrong += s.Rollback().ok() ? 0 : 1;
          } else {
            const bool ok = s.Commit().ok();
            wrong += ok ? 0 : 1;
            commits += ok ? 1 : 0;
          }
        }
      });
    }
    threads.emplace_back("reader", [&] {
      for (int i = 0; i < 4 * kScale; ++i) {
        const int64_t sum = Sum();
        if (sum != kRows * 100) {
          ADD_FAILURE() << sum;
        }
      }
    });
  }
  stop = true;
  storage.Join();
  EXPECT_EQ(wrong, 0);
  EXPECT_GT(commits, 20);
  EXPECT_EQ(Sum(), kRows * 100);
  ASSERT_OK(engine_->RunBackground());
  Check("t");
  EXPECT_TRUE(engine_->ListLocks().empty());
}

TEST_F(SmallPoolTest, ALargeTransactionIsUndoneInBackgroundWhileOthersWork) {
  OpenLoaded(/*background=*/false);
  {
    Session large(engine_.get());
    for (uint64_t i = 0; i < kRows; i += 2) {
      ASSERT_OK(large.Update("t", Key(i), Row(i, 1, i % 50 == 0 ? 30'000 : 1000)));
    }
    for (uint64_t i = 1; i < kRows; i += 4) {
      ASSERT_OK(large.Delete("t", Key(i)));
    }
    std::unique_ptr<MemoryVolume> copy = volume_->CrashCopy(volume_->appended());
    ASSERT_OK(large.Rollback());
    engine_.reset();
    volume_ = std::move(copy);
  }
  OpenEngine(SmallPool(/*background=*/true));
  // Rows that it did not touch can be had at once, the others when their turn has come; what is
  // read is right all the time.
  Random random(5);
  for (int i = 0; i < 60 * kScale; ++i) {
    const uint64_t which = random.Below(kRows);
    Session s(engine_.get());
    const std::string row = s.Get("t", Key(which));
    EXPECT_EQ(row, Row(which, 100, 1500));
    ASSERT_OK(s.Update("t", Key(which), row));
    ASSERT_OK(s.Commit());
  }
  EXPECT_EQ(Sum(), kRows * 100);
  ASSERT_OK(engine_->RunBackground());
  EXPECT_TRUE(engine_->ListTransactions().empty());
  EXPECT_EQ(Sum(), kRows * 100);
  Check("t");
}

TEST_F(SmallPoolTest, NothingHalfUndoneIsEverCommitted) {
  OpenLoaded(/*background=*/false);
  Session session(engine_.get());
  ASSERT_OK(session.Update("t", Key(0), Row(0, 7, 1500)));
  const Savepoint savepoint = session.trx().SetSavepoint();
  for (uint64_t i = 0; i < kRows; i += 3) {
    ASSERT_OK(session.Update("t", Key(i), Row(i, 200, 1500)));
  }
  // The first rows to be undone are cached, others are not.
  volume_->FailReadsWith(Status::Unavailable("no segment answers"));
  EXPECT_FALSE(session.trx().RollbackTo(savepoint).ok());
  volume_->FailReadsWith(Status::Ok());
  EXPECT_FALSE(session.Commit().ok());
  EXPECT_EQ(Sum(), kRows * 100);
  EXPECT_FALSE(engine_->OpenTable(session.trx(), "test", "t", TableUse::kRead).ok());
  // Its rows stay locked until the background has undone them.
  EXPECT_EQ(engine_->ListTransactions().size(), 1u);
  ASSERT_OK(engine_->RunBackground());
  EXPECT_TRUE(engine_->ListTransactions().empty());
  EXPECT_TRUE(engine_->ListLocks().empty());
  EXPECT_EQ(Sum(), kRows * 100);
  Check("t");
}

TEST_F(SmallPoolTest, FailedReadsLeaveWholeChangesOnly) {
  OpenLoaded(/*background=*/false);
  Random random(9);
  int failures = 0;
  for (int i = 0; i < 100 * kScale; ++i) {
    Session session(engine_.get());
    bool failed = false;
    for (int n = 0; n < 6 && !failed; ++n) {
      const uint64_t from = random.Below(kRows);
      const uint64_t to = (from + 1 + random.Below(kRows - 1)) % kRows;
      const Savepoint before = session.trx().SetSavepoint();
      const std::string from_row = session.Get("t", Key(from), LockMode::kExclusive);
      const std::string to_row = session.Get("t", Key(to), LockMode::kExclusive);
      ASSERT_NE(from_row[0], '!') << from_row;
      ASSERT_NE(to_row[0], '!') << to_row;
      const size_t filler = random.Chance(0.2) ? 30'000 : 1400;
      if (random.Chance(0.5)) {
        // Other pages take the place of those just read.
        for (int other = 0; other < 100; ++other) {
          session.Get("t", Key(random.Below(kRows)));
        }
        volume_->FailReadsWith(Status::Unavailable("no segment answers"));
      }
      Status status = session.Update("t", Key(from), Row(from, Amount(from_row) - 3, filler));
      if (status.ok()) {
        status = session.Update("t", Key(to), Row(to, Amount(to_row) + 3, 1400));
      }
      if (!status.ok()) {
        ++failures;
        failed = !session.trx().RollbackTo(before).ok() ||
                 session.trx().state() == TransactionState::kRolledBack;
      }
      volume_->FailReadsWith(Status::Ok());
    }
    const bool committed = session.Commit().ok();
    EXPECT_EQ(committed, !failed);
    if (random.Chance(0.1)) {
      volume_->FailReadsWith(Status::Unavailable("no segment answers"));
      (void)engine_->RunBackground().ok();
      volume_->FailReadsWith(Status::Ok());
    }
    ASSERT_OK(engine_->RunBackground());
  }
  EXPECT_GT(failures, 10);
  EXPECT_EQ(Sum(), kRows * 100);
  Check("t");
  EXPECT_TRUE(engine_->ListTransactions().empty());
}

}  // namespace
}  // namespace borealis::engine::testing
