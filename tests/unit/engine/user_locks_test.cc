// User-level locks: counts, holders, and circles that go over names and rows.
#include "engine/user_locks.h"

#include "tests/unit/engine/engine_fixture.h"

namespace borealis::engine::testing {
namespace {

constexpr int64_t kLongUs = 20'000'000;

class UserLocksTest : public EngineTest {
 protected:
  std::shared_ptr<UserLocks> Make(uint64_t session) {
    return engine_->MakeUserLocks(session, nullptr);
  }
};

TEST_F(UserLocksTest, TakenTwiceIsGivenBackTwice) {
  auto one = Make(1);
  auto two = Make(2);
  ASSERT_OK(one->Lock("a", 0));
  ASSERT_OK(one->Lock("a", 0));
  EXPECT_EQ(engine_->UserLockHolder("a"), 1u);
  EXPECT_EQ(engine_->UserLockHolder("b"), 0u);
  EXPECT_TRUE(two->Lock("a", 0).Is(Code::kTimedOut));
  EXPECT_TRUE(two->Lock("a", 20'000).Is(Code::kTimedOut));
  EXPECT_EQ(two->Unlock("a"), UserLocks::Release::kNotOurs);
  EXPECT_EQ(two->Unlock("b"), UserLocks::Release::kNobodys);
  EXPECT_EQ(one->Unlock("a"), UserLocks::Release::kDone);
  EXPECT_EQ(engine_->UserLockHolder("a"), 1u);
  EXPECT_EQ(one->Unlock("a"), UserLocks::Release::kDone);
  ASSERT_OK(two->Lock("a", 0));
  ASSERT_OK(two->Lock("b", 0));
  ASSERT_OK(two->Lock("b", 0));
  ASSERT_EQ(engine_->ListMetadataLocks().size(), 2u);
  EXPECT_TRUE(engine_->ListMetadataLocks()[0].kind == MetadataLockInfo::Kind::kUserLevel);
  EXPECT_EQ(two->UnlockAll(), 3u);
  ASSERT_OK(two->Lock("c", 0));
  two.reset();
  EXPECT_TRUE(engine_->ListMetadataLocks().empty());
}

TEST_F(UserLocksTest, CirclesOverNamesAreBroken) {
  auto one = Make(1);
  auto two = Make(2);
  ASSERT_OK(one->Lock("a", 0));
  ASSERT_OK(two->Lock("b", 0));
  Thread waiter("waiter", [&] { EXPECT_OK(one->Lock("b", kLongUs)); });
  AwaitWaiters(1);
  EXPECT_TRUE(two->Lock("a", kLongUs).Is(Code::kDeadlock));
  EXPECT_EQ(two->UnlockAll(), 1u);
  waiter.Join();
}

// One session has a name and wants a row, the other has the row and wants the name. It is the wait
// for the name that ends: that undoes nothing.
TEST_F(UserLocksTest, CirclesOverNamesAndRowsAreBroken) {
  Create("t", "0", {true});
  Load("t", {"1|a"});
  auto one = Make(1);
  auto two = Make(2);
  ASSERT_OK(one->Lock("a", 0));
  Session first(engine_.get(), Isolation::kRepeatableRead,
                [&](TransactionOptions* options) { options->user_locks = one; });
  Session second(engine_.get());
  ASSERT_OK(second.Update("t", "1", "1|b"));
  second.trx().Join(two);  // the transaction was there before its session's locks
  Thread waiter("waiter", [&] { EXPECT_OK(first.Update("t", "1", "1|c")); });
  AwaitWaiters(1);
  EXPECT_TRUE(two->Lock("a", kLongUs).Is(Code::kDeadlock));
  EXPECT_EQ(second.trx().state(), TransactionState::kActive);
  ASSERT_OK(second.Commit());
  waiter.Join();
  ASSERT_OK(first.Commit());
  EXPECT_EQ(ScanAll("t"), "1|c");
}

// The same, closed by the wait for the row: its transaction has changed nothing, so it goes.
TEST_F(UserLocksTest, ATransactionMayCloseTheCircle) {
  Create("t", "0", {true});
  Load("t", {"1|a"});
  auto one = Make(1);
  auto two = Make(2);
  ASSERT_OK(one->Lock("a", 0));
  const auto with = [](std::shared_ptr<UserLocks> locks) {
    return [locks](TransactionOptions* options) { options->user_locks = locks; };
  };
  Session first(engine_.get(), Isolation::kRepeatableRead, with(one));
  Session second(engine_.get(), Isolation::kRepeatableRead, with(two));
  ASSERT_OK(second.Update("t", "1", "1|b"));
  Status waited;
  Thread waiter("waiter", [&] { waited = two->Lock("a", kLongUs); });
  AwaitWaiters(1);
  const Status status = first.Update("t", "1", "1|c");
  if (status.Is(Code::kDeadlock)) {
    EXPECT_EQ(one->UnlockAll(), 1u);
  }
  waiter.Join();
  EXPECT_NE(status.Is(Code::kDeadlock), waited.Is(Code::kDeadlock));
}

TEST_F(UserLocksTest, AKilledWaitEnds) {
  auto one = Make(1);
  ASSERT_OK(one->Lock("a", 0));
  std::atomic<bool> killed{false};
  auto two = engine_->MakeUserLocks(2, [&] { return killed.load(); });
  Thread waiter("waiter", [&] { EXPECT_TRUE(two->Lock("a", kLongUs).Is(Code::kCancelled)); });
  AwaitWaiters(1);
  killed.store(true);
  waiter.Join();
  EXPECT_EQ(one->UnlockAll(), 1u);
  ASSERT_OK(two->Lock("a", 0));
}

}  // namespace
}  // namespace borealis::engine::testing
