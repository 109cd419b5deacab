// Large transactions that their session has left: undone by the background, whatever comes between.
// ROLLBACK_ROWS in the environment sets how many rows (a million is the long form).
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>

#include "tests/unit/engine/engine_fixture.h"

namespace borealis::engine::testing {
namespace {

// Storage that does not answer one read of so many.
class FlakyVolume final : public MemoryVolume {
 public:
  Status ReadPage(PageNo page, Lsn read_point, Page* out) override {
    RETURN_IF_ERROR(Answer());
    return MemoryVolume::ReadPage(page, read_point, out);
  }
  Status ReadPages(std::span<const PageNo> pages, Lsn read_point, Page* out) override {
    RETURN_IF_ERROR(Answer());
    return MemoryVolume::ReadPages(pages, read_point, out);
  }
  void FailEvery(int reads) { fail_every_ = reads; }

 private:
  Status Answer() {
    const int every = fail_every_.load();
    return every != 0 && ++reads_ % every == 0 ? Status::Unavailable("no answer") : Status::Ok();
  }

  std::atomic<int> fail_every_ = 0;
  std::atomic<int> reads_ = 0;
};

class RollbackTest : public EngineTest {
 protected:
  int Rows() const {
    const char* rows = std::getenv("ROLLBACK_ROWS");
    return std::max(rows != nullptr ? std::atoi(rows) : 20'000, least_rows_);
  }
  static std::string Key(int i) { return fmt::format("{:07}", i); }

  // A third of the changes each: new rows, changed rows, rows deleted.
  void Change(Session* session) {
    TableRef table = session->Open("t");
    const int third = Rows() / 3;
    for (int i = 0; i < third; ++i) {
      session->trx().BeginStatement();
      ASSERT_OK(Insert(session->trx(), *table, Key(5'000'000 + i) + "|new|x", nullptr));
      ASSERT_OK(engine::Update(session->trx(), *table, K(Key(i)), Key(i) + "|changed|y", nullptr));
      ASSERT_OK(engine::Delete(session->trx(), *table, K(Key(1'000'000 + i))));
    }
  }
  void Prepare() {
    Create("t", "0;1,0", {true, false});
    Session session(engine_.get());
    TableRef table = session.Open("t");
    for (int i = 0; i < Rows() / 3; ++i) {
      session.trx().BeginStatement();
      ASSERT_OK(Insert(session.trx(), *table, Key(i) + "|old|x", nullptr));
      ASSERT_OK(Insert(session.trx(), *table, Key(1'000'000 + i) + "|old|x", nullptr));
    }
    ASSERT_OK(session.Commit());
    before_ = std::hash<std::string>()(ScanAll("t"));
    ASSERT_OK(engine_->RunBackground());
  }
  void ExpectAsBefore() {
    EXPECT_EQ(std::hash<std::string>()(ScanAll("t")), before_);
    EXPECT_TRUE(engine_->ListTransactions().empty());
    EXPECT_TRUE(engine_->ListLocks().empty());
    EXPECT_TRUE(engine_->ListMetadataLocks().empty());
    Check("t");
  }
  // Lets the background work until it has undone so much, then the writer dies.
  void DieAfter(uint64_t undone) {
    std::unique_ptr<MemoryVolume> copy = volume_->CrashCopy(volume_->appended());
    engine_->Stop();
    engine_.reset();
    volume_ = std::move(copy);
    OpenEngine(TestOptions(/*background=*/true));
    for (;;) {
      const auto list = engine_->ListTransactions();
      ASSERT_EQ(list.size(), 1u);
      ASSERT_EQ(list[0].state, "ROLLING BACK");
      if (list[0].undone >= undone) {
        return;
      }
      std::this_thread::yield();
    }
  }

  int least_rows_ = 0;
  size_t before_ = 0;
};

TEST_F(RollbackTest, AnAbandonedTransactionIsUndoneInTheBackground) {
  Prepare();
  Session session(engine_.get());
  Change(&session);
  const uint64_t changes = session.trx().change_count();
  session.trx().Abandon();
  EXPECT_EQ(session.trx().state(), TransactionState::kRolledBack);
  auto list = engine_->ListTransactions();
  ASSERT_EQ(list.size(), 1u);
  EXPECT_EQ(list[0].state, "ROLLING BACK");
  EXPECT_EQ(list[0].changes, changes);
  // Until it is done others see what was, and do not get what is locked.
  EXPECT_EQ(std::hash<std::string>()(ScanAll("t")), before_);
  Session other(engine_.get(), Isolation::kRepeatableRead,
                [](TransactionOptions* options) { options->lock_wait_timeout_us = 20'000; });
  EXPECT_TRUE(other.Update("t", Key(0), Key(0) + "|mine|z").Is(Code::kTimedOut));
  ASSERT_OK(other.Rollback());
  ASSERT_OK(engine_->RunBackground());
  ExpectAsBefore();
}

TEST_F(RollbackTest, LocksStayAndTheViewGoes) {
  Prepare();
  {
    Session session(engine_.get());
    EXPECT_EQ(session.Get("t", Key(0)), Key(0) + "|old|x");  // through a view
    Change(&session);
    EXPECT_EQ(session.Get("t", Key(9'000'000), LockMode::kExclusive), "-");  // locks the gap
    session.trx().Abandon();
  }
  EXPECT_EQ(engine_->OldestReadLsn(), Lsn::Max());
  EXPECT_FALSE(engine_->ListLocks().empty());
  ASSERT_OK(engine_->RunBackground());
  ExpectAsBefore();
}

// Its undo log has an end as well, or the next writer would find it unfinished.
TEST_F(RollbackTest, WhatIsUndoneIsNotFoundAgain) {
  Prepare();
  {
    Session session(engine_.get());
    Change(&session);
    session.trx().Abandon();
  }
  ASSERT_OK(engine_->RunBackground());
  Crash();
  ExpectAsBefore();
}

TEST_F(RollbackTest, ASmallOneIsUndoneAtOnce) {
  Create("t", "0", {true});
  Session session(engine_.get());
  ASSERT_OK(session.Insert("t", "1|a"));
  session.trx().Abandon();
  EXPECT_TRUE(engine_->ListTransactions().empty());
  EXPECT_EQ(ScanAll("t"), "");
}

TEST_F(RollbackTest, ItGoesOnAfterEachCrash) {
  Prepare();
  {
    Session session(engine_.get());
    Change(&session);
    session.trx().Abandon();
  }
  const auto part = static_cast<uint64_t>(Rows() / 10);
  DieAfter(part);
  DieAfter(part);
  Crash();
  ASSERT_EQ(engine_->ListTransactions().size(), 1u);
  ASSERT_OK(engine_->RunBackground());
  ExpectAsBefore();
}

// A read that fails half-way is an end for now: what is undone stays so, the rest stays locked, and
// the next attempt goes on from there.
TEST_F(RollbackTest, ItGoesOnAfterEachFailure) {
  engine_.reset();
  least_rows_ = 20'000;  // more than the smallest pool holds
  auto flaky = std::make_unique<FlakyVolume>();
  FlakyVolume* volume = flaky.get();
  volume_ = std::move(flaky);
  EngineOptions options = TestOptions();
  options.buffer_pool_bytes = 1;  // the least there is: pages are read all the time
  OpenEngine(options);
  Prepare();
  Session session(engine_.get());
  Change(&session);
  session.trx().Abandon();
  volume->FailEvery(1);
  EXPECT_TRUE(engine_->RunBackground().Is(Code::kUnavailable));
  volume->FailEvery(0);
  {
    Session other(engine_.get(), Isolation::kRepeatableRead,
                  [](TransactionOptions* hasty) { hasty->lock_wait_timeout_us = 1'000; });
    EXPECT_TRUE(other.Delete("t", Key(0)).Is(Code::kTimedOut));
  }
  volume->FailEvery(10);
  int failures = 0;
  uint64_t undone = 0;
  for (Status status = engine_->RunBackground(); !status.ok(); status = engine_->RunBackground()) {
    ASSERT_TRUE(status.Is(Code::kUnavailable)) << status.ToString();
    const auto list = engine_->ListTransactions();
    if (list.empty()) {
      continue;  // purge's turn to fail
    }
    ++failures;
    EXPECT_EQ(list[0].state, "ROLLING BACK");
    EXPECT_GE(list[0].undone, undone);
    undone = list[0].undone;
  }
  EXPECT_GT(failures, 10);
  EXPECT_GT(undone, 0u);
  volume->FailEvery(0);
  ExpectAsBefore();
}

TEST_F(RollbackTest, PurgeAndOthersGoOnMeanwhile) {
  engine_.reset();
  OpenEngine(TestOptions(/*background=*/true));
  Prepare();
  Session session(engine_.get());
  Change(&session);
  session.trx().Abandon();
  for (int i = 0; i < 500; ++i) {
    Session other(engine_.get());
    ASSERT_OK(other.Insert("t", fmt::format("{:07}|theirs|x", 9'000'000 + i)));
    ASSERT_OK(other.Commit());
    Session deleter(engine_.get());
    ASSERT_OK(deleter.Delete("t", fmt::format("{:07}", 9'000'000 + i)));
    ASSERT_OK(deleter.Commit());
  }
  while (!engine_->ListTransactions().empty()) {
    std::this_thread::yield();
  }
  ExpectAsBefore();
}

}  // namespace
}  // namespace borealis::engine::testing
