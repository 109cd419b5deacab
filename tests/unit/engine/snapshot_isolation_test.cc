// INV-TRX-9: with snapshot isolation nothing is locked that has changed since the read view.
#include "tests/unit/engine/engine_fixture.h"

namespace borealis::engine::testing {
namespace {

class SnapshotIsolationTest : public EngineTest {
 protected:
  void SetUp() override {
    EngineTest::SetUp();
    Create("t", "0;1", {true, false});
    Load("t", {"1|a", "2|b", "3|c"});
  }
  static void On(TransactionOptions* options) { options->snapshot_isolation = true; }
  void Change(const std::string& key, const std::string& row) {
    Session other(engine_.get());
    ASSERT_OK(other.Update("t", key, row));
    ASSERT_OK(other.Commit());
  }
};

TEST_F(SnapshotIsolationTest, ALostUpdateIsRefusedAndRolledBack) {
  Session session(engine_.get(), Isolation::kRepeatableRead, On);
  EXPECT_EQ(session.Get("t", "1"), "1|a");
  ASSERT_OK(session.Update("t", "2", "2|mine"));
  Change("1", "1|theirs");
  EXPECT_TRUE(session.Update("t", "1", "1|mine").Is(Code::kDeadlock));
  EXPECT_EQ(session.trx().state(), TransactionState::kRolledBack);
  EXPECT_EQ(ScanAll("t"), "1|theirs 2|b 3|c");
  EXPECT_TRUE(engine_->ListLocks().empty());
}

TEST_F(SnapshotIsolationTest, LockingReadsAreRefused) {
  for (const LockMode lock : {LockMode::kShared, LockMode::kExclusive}) {
    Session session(engine_.get(), Isolation::kRepeatableRead, On);
    (void)session.Get("t", "3");
    Change("1", "1|x" + std::to_string(static_cast<int>(lock)));
    EXPECT_EQ(session.Get("t", "2", lock), "2|b");
    EXPECT_EQ(session.Get("t", "1", lock), "!" + std::string(CodeName(Code::kDeadlock)));
  }
}

// Also through an index that gives all that is read, and by scans.
TEST_F(SnapshotIsolationTest, ScansAreRefused) {
  for (const size_t index_no : {size_t{0}, size_t{1}}) {
    Session session(engine_.get(), Isolation::kRepeatableRead, On);
    (void)session.Get("t", "3");
    Change("1", "1|y" + std::to_string(index_no));
    ScanOptions options;
    options.index_no = index_no;
    options.lock = LockMode::kShared;
    options.covering = true;
    EXPECT_EQ(session.Scan("t", options), "!" + std::string(CodeName(Code::kDeadlock)));
  }
}

TEST_F(SnapshotIsolationTest, RowsThatAreGoneAreRefused) {
  Session session(engine_.get(), Isolation::kRepeatableRead, On);
  EXPECT_EQ(session.Get("t", "1"), "1|a");
  {
    Session other(engine_.get());
    ASSERT_OK(other.Delete("t", "1"));
    ASSERT_OK(other.Commit());
  }
  EXPECT_EQ(session.Get("t", "1", LockMode::kExclusive),
            "!" + std::string(CodeName(Code::kDeadlock)));
}

TEST_F(SnapshotIsolationTest, OwnChangesAreNoOthers) {
  Session session(engine_.get(), Isolation::kRepeatableRead, On);
  EXPECT_EQ(session.Get("t", "1"), "1|a");
  ASSERT_OK(session.Update("t", "1", "1|b"));
  ASSERT_OK(session.Update("t", "1", "1|c"));
  ASSERT_OK(session.Delete("t", "1"));
  ASSERT_OK(session.Insert("t", "1|d"));
  EXPECT_EQ(session.Get("t", "1", LockMode::kExclusive), "1|d");
  ASSERT_OK(session.Commit());
}

TEST_F(SnapshotIsolationTest, WithoutASnapshotOrWithoutTheOptionNothingIsRefused) {
  {
    Session first_read_locks(engine_.get(), Isolation::kRepeatableRead, On);
    Change("1", "1|p");
    ASSERT_OK(first_read_locks.Update("t", "1", "1|q"));
    ASSERT_OK(first_read_locks.Commit());
  }
  Session off(engine_.get());
  EXPECT_EQ(off.Get("t", "1"), "1|q");
  Session committed(engine_.get(), Isolation::kReadCommitted, On);
  EXPECT_EQ(committed.Get("t", "2"), "2|b");
  Change("1", "1|r");
  Change("2", "2|r");
  ASSERT_OK(off.Update("t", "1", "1|s"));
  ASSERT_OK(off.Commit());
  ASSERT_OK(committed.Update("t", "2", "2|s"));
  ASSERT_OK(committed.Commit());
}

}  // namespace
}  // namespace borealis::engine::testing
