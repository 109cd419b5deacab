// What a writer must keep for reader instances, and what a reader may believe of what it has.
#include <chrono>

#include "base/fault.h"
#include "tests/support/follower.h"
#include "tests/unit/engine/engine_fixture.h"

namespace borealis::engine::testing {
namespace {

constexpr int kTableChanged = 1412;

class ReplicaTest : public EngineTest {
 protected:
  void SetUp() override {
    EngineTest::SetUp();
    Create("t", "0;1", {true, false});
    Load("t", {"1|a", "2|b"});
  }
  void TearDown() override {
    FaultRegistry::Instance().Disarm();
    replica_.reset();
    follower_.reset();
    EngineTest::TearDown();
  }
  void StartReplica() {
    engine_->SetReaderHorizon(Lsn(0));  // as for a reader that has not said anything yet
    Lsn at;
    const std::string hello = engine_->ActiveTransactions(&at);
    follower_ = std::make_unique<Follower>(volume_.get());
    Result<std::unique_ptr<Engine>> replica =
        Engine::OpenReplica(follower_.get(), TestOptions(), hello);
    ASSERT_TRUE(replica.ok()) << replica.status().ToString();
    replica_ = std::move(*replica);
    Report();
  }
  void Report() { engine_->SetReaderHorizon(replica_->OldestReadLsn()); }
  void Follow() { ASSERT_OK(follower_->Follow(replica_.get())); }
  static void Snapshot(TransactionOptions* options) { options->consistent_snapshot = true; }
  // Of both indexes.
  static std::string ScanBoth(Session& session) {
    ScanOptions options;
    options.index_no = 1;
    const std::string by_key = session.Scan("t");
    return by_key + ", " + session.Scan("t", options);
  }
  void Change(const std::string& key, const std::string& row) {
    Session session(engine_.get());
    ASSERT_OK(session.Update("t", key, row));
    ASSERT_OK(session.Commit());
  }

  std::unique_ptr<Follower> follower_;
  std::unique_ptr<Engine> replica_;
};

// INV-TRX-6
TEST_F(ReplicaTest, RollbackAndPurgeLeaveWhatAReadersViewNeeds) {
  StartReplica();
  Session old(replica_.get(), Isolation::kRepeatableRead, Snapshot);
  const std::string before = "1|a 2|b, 1|a 2|b";
  Change("1", "1|c");
  Follow();
  Report();
  {
    // Goes back to the key that only the reader's view still has, and away again.
    Session undone(engine_.get());
    ASSERT_OK(undone.Update("t", "1", "1|a"));
    ASSERT_OK(undone.Rollback());
  }
  ASSERT_OK(engine_->RunBackground());
  Follow();
  Report();
  EXPECT_EQ(ScanBoth(old), before);
  Session young(replica_.get());
  EXPECT_EQ(ScanBoth(young), "1|c 2|b, 2|b 1|c");
  ASSERT_OK(young.Commit());
  ASSERT_OK(old.Commit());
  for (int i = 0; i < 3; ++i) {
    Change("2", "2|" + std::to_string(i));
    Follow();
    Report();
    ASSERT_OK(engine_->RunBackground());
  }
  // The horizon has come past all but the last rounds; without readers everything goes.
  EXPECT_LE(engine_->counters().history_length, 2u);
  engine_->SetReaderHorizon(Lsn::Max());
  ASSERT_OK(engine_->RunBackground());
  EXPECT_EQ(engine_->counters().history_length, 0u);
  Check("t");
}

TEST_F(ReplicaTest, AStartingReaderFindsTheHistoryOfItsPoint) {
  engine_->SetReaderHorizon(Lsn(0));
  Lsn at;
  const std::string hello = engine_->ActiveTransactions(&at);
  follower_ = std::make_unique<Follower>(volume_.get());
  Change("1", "1|c");
  ASSERT_OK(engine_->RunBackground());
  Result<std::unique_ptr<Engine>> replica =
      Engine::OpenReplica(follower_.get(), TestOptions(), hello);
  ASSERT_TRUE(replica.ok());
  replica_ = std::move(*replica);
  Session old(replica_.get(), Isolation::kRepeatableRead, Snapshot);
  Follow();
  Report();
  ASSERT_OK(engine_->RunBackground());
  Follow();
  EXPECT_EQ(ScanBoth(old), "1|a 2|b, 1|a 2|b");
}

// INV-TRX-7
TEST_F(ReplicaTest, AViewMadeWhileLogIsAppliedClaimsNoMoreThanItSees) {
  StartReplica();
  Change("1", "1|c");
  // The pages have come to the new point, the marks have not.
  FaultRegistry::Instance().Arm(
      [](std::string_view name) { return name == "engine.apply_ends_before_marks"; });
  EXPECT_FALSE(follower_->Follow(replica_.get()).ok());
  FaultRegistry::Instance().Disarm();
  Session old(replica_.get(), Isolation::kRepeatableRead, Snapshot);
  EXPECT_EQ(ScanBoth(old), "1|a 2|b, 1|a 2|b");
  Report();
  ASSERT_OK(engine_->RunBackground());
  Lsn at;
  Report();
  ASSERT_OK(engine_->RunBackground());
  EXPECT_GT(engine_->counters().history_length, 0u);
  EXPECT_EQ(ScanBoth(old), "1|a 2|b, 1|a 2|b");
  const std::string hello = engine_->ActiveTransactions(&at);
  ASSERT_OK(replica_->RestartReplica(hello));
  EXPECT_EQ(ScanBoth(*std::make_unique<Session>(replica_.get())), "1|c 2|b, 2|b 1|c");
}

// INV-DIC-4
TEST_F(ReplicaTest, ViewsSeeWhatWasCommittedBeforeAnEntryThatWasRead) {
  StartReplica();
  Change("1", "1|c");
  SchemaChangeOptions how;
  how.related.entries.push_back({"accounts/1", ""});
  Result<SchemaDefinition> schema = engine_->FindSchema("test");
  ASSERT_TRUE(schema.ok());
  ASSERT_OK(engine_->AlterSchema(*schema, how));
  // The row, its commit and the entry come in one piece of log; while the marks are on their way
  // somebody reads the entries, and then the row.
  bool entry_was_there = false;
  std::string row;
  std::unique_ptr<Thread> reader;
  FaultRegistry::Instance().Arm([&](std::string_view name) {
    if (name == "engine.apply_ends_before_marks") {
      reader = std::make_unique<Thread>("reader", [&] {
        const auto entries = replica_->ListSqlEntries("accounts/");
        entry_was_there = entries.ok() && !entries->empty();
        Session session(replica_.get(), Isolation::kRepeatableRead, Snapshot);
        row = session.Scan("t");
      });
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
    return false;
  });
  Follow();
  FaultRegistry::Instance().Disarm();
  reader->Join();
  EXPECT_TRUE(entry_was_there);
  EXPECT_EQ(row, "1|c 2|b");
}

TEST_F(ReplicaTest, ViewsFromBeforeALostStreamAreRefused) {
  StartReplica();
  Session old(replica_.get(), Isolation::kRepeatableRead, Snapshot);
  ScanOptions options;
  Result<std::unique_ptr<Cursor>> cursor = OpenCursor(old.trx(), old.Open("t"), options);
  ASSERT_TRUE(cursor.ok());
  ASSERT_TRUE((*cursor)->Next().ok());
  // The writer hears no more of the reader and lets go of what it needed.
  engine_->SetReaderHorizon(Lsn::Max());
  Change("2", "2|c");
  Change("2", "2|d");
  ASSERT_OK(engine_->RunBackground());
  engine_->SetReaderHorizon(Lsn(0));
  Lsn at;
  const std::string hello = engine_->ActiveTransactions(&at);
  follower_->Skip();
  ASSERT_OK(replica_->RestartReplica(hello));
  EXPECT_EQ((*cursor)->Next().status().user_errno(), kTableChanged);
  std::string row;
  EXPECT_EQ(engine::Get(old.trx(), *old.Open("t"), K("2"), LockMode::kNone, WaitPolicy::kWait, &row)
                .user_errno(),
            kTableChanged);
  ASSERT_OK(old.Rollback());
  Session young(replica_.get());
  EXPECT_EQ(ScanBoth(young), "1|a 2|d, 1|a 2|d");
}

// The writer would not know of them.
TEST_F(ReplicaTest, AReaderTakesNoLocksOfRows) {
  StartReplica();
  for (const LockMode lock : {LockMode::kShared, LockMode::kExclusive}) {
    Session session(replica_.get());
    const TableRef table = session.Open("t");
    std::string row;
    EXPECT_EQ(Get(session.trx(), *table, K("1"), lock, WaitPolicy::kWait, &row).user_errno(), 1836);
    ScanOptions options;
    options.lock = lock;
    EXPECT_EQ(OpenCursor(session.trx(), table, options).status().user_errno(), 1836);
    EXPECT_EQ(ScanBoth(session), "1|a 2|b, 1|a 2|b");
  }
  Session serializable(replica_.get(), Isolation::kSerializable);
  EXPECT_EQ(ScanBoth(serializable), "1|a 2|b, 1|a 2|b");
  EXPECT_TRUE(replica_->ListLocks().empty());
}

TEST_F(ReplicaTest, StorageKeepsPageVersionsDownToTheSlowestReader) {
  engine_.reset();
  OpenEngine(TestOptions(/*background=*/true));
  StartReplica();
  const Lsn slowest = replica_->OldestReadLsn();
  const auto await_report = [&](Lsn above) {
    for (int i = 0; i < 500 && volume_->lowest_read_point() <= above; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return volume_->lowest_read_point();
  };
  Change("1", "1|c");
  std::this_thread::sleep_for(std::chrono::milliseconds(1'500));
  EXPECT_LE(volume_->lowest_read_point(), slowest);
  // A page that the reader has not cached yet is still there at its point: the model would abort.
  EXPECT_EQ(ScanBoth(*std::make_unique<Session>(replica_.get())), "1|a 2|b, 1|a 2|b");
  Follow();
  Report();
  EXPECT_GT(await_report(slowest), slowest);
  const Lsn reported = volume_->lowest_read_point();
  Change("1", "1|d");
  engine_->SetReaderHorizon(Lsn::Max());
  EXPECT_GT(await_report(reported), reported);
  replica_.reset();
}

}  // namespace
}  // namespace borealis::engine::testing
