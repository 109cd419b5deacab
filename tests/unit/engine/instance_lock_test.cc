// Locks on the instance: what passes which gate, what waits, and what is seen once they are held.
#include "engine/instance_lock.h"

#include "tests/unit/engine/engine_fixture.h"

namespace borealis::engine::testing {
namespace {

using Lock = std::shared_ptr<InstanceLock>;
constexpr int64_t kShortUs = 20'000;

void ShortWaits(TransactionOptions* options) {
  options->metadata_wait_timeout_us = kShortUs;
}

class InstanceLockTest : public EngineTest {
 protected:
  void SetUp() override {
    EngineTest::SetUp();
    Create("t", "0", {true});
    Create("u", "0", {true});
    Load("t", {"1|a", "2|b"});
    short_.metadata_wait_timeout_us = kShortUs;
  }
  Result<Lock> Take(InstanceLockKind kind) { return engine_->LockInstance(kind, short_); }
  Lock MustTake(InstanceLockKind kind) {
    Result<Lock> lock = Take(kind);
    EXPECT_TRUE(lock.ok()) << lock.status().ToString();
    return lock.ok() ? std::move(*lock) : nullptr;
  }
  Code Change() {
    TransactionOptions options;
    ShortWaits(&options);
    const auto trx = engine_->Begin(std::move(options));
    return engine_->OpenTable(*trx, "test", "t", TableUse::kChange).status().code();
  }
  Code ChangeSchema(const SchemaChangeOptions& how) {
    return engine_->TruncateTable({"test", "u"}, how).code();
  }
  // The row of key 1 as a view that is made now sees it.
  std::string Read() {
    const auto trx = engine_->Begin({});
    Result<TableRef> table = engine_->OpenTable(*trx, "test", "t", TableUse::kRead);
    std::string row;
    EXPECT_OK(engine::Get(*trx, **table, K("1"), LockMode::kNone, WaitPolicy::kWait, &row));
    return row;
  }
  std::set<MetadataLockInfo::Kind> Listed() {
    std::set<MetadataLockInfo::Kind> kinds;
    for (const MetadataLockInfo& info : engine_->ListMetadataLocks()) {
      kinds.insert(info.kind);
    }
    return kinds;
  }

  SchemaChangeOptions short_;
};

// INV-TRX-10
TEST_F(InstanceLockTest, AReadLockKeepsChangesCommitsAndDefinitionsOut) {
  Session before(engine_.get(), Isolation::kRepeatableRead, ShortWaits);
  ASSERT_OK(before.Update("t", "1", "1|x"));
  before.trx().EndStatement();
  Lock lock = MustTake(InstanceLockKind::kRead);
  EXPECT_EQ(Change(), Code::kTimedOut);
  EXPECT_EQ(ChangeSchema(short_), Code::kTimedOut);
  EXPECT_EQ(engine_->LockTables({{{"test", "u"}, true}}, short_).status().code(), Code::kTimedOut);
  EXPECT_OK(engine_->LockTables({{{"test", "u"}, false}}, short_).status());
  EXPECT_TRUE(before.trx().PassToCommit().Is(Code::kTimedOut));
  EXPECT_EQ(Read(), "1|a");
  {
    Lock another = MustTake(InstanceLockKind::kRead);  // may be shared
  }
  MustTake(InstanceLockKind::kBackup);  // has a gate of its own
  lock.reset();
  EXPECT_EQ(Change(), Code::kOk);
  ASSERT_OK(before.trx().PassToCommit());
  ASSERT_OK(before.Commit());
  EXPECT_TRUE(engine_->ListMetadataLocks().empty());
}

TEST_F(InstanceLockTest, AReadLockWaitsForStatementsNotForTransactions) {
  Session session(engine_.get());
  ASSERT_OK(session.Update("t", "1", "1|x"));
  EXPECT_TRUE(Take(InstanceLockKind::kRead).status().Is(Code::kTimedOut));
  session.trx().EndStatement();
  MustTake(InstanceLockKind::kRead);
  // One that ends with its statement need not say so.
  ASSERT_OK(session.Update("t", "1", "1|y"));
  ASSERT_OK(session.Commit());
  MustTake(InstanceLockKind::kRead);
}

TEST_F(InstanceLockTest, WhatIsLockedForWritingPassesUntilItIsGivenBack) {
  auto locks = engine_->LockTables({{{"test", "t"}, true}}, short_);
  ASSERT_OK(locks.status());
  EXPECT_TRUE(Take(InstanceLockKind::kRead).status().Is(Code::kTimedOut));
  {
    // While somebody waits for the lock the session's own statements go on: they have passed.
    Thread waiter("waiter", [&] {
      SchemaChangeOptions how;
      how.metadata_wait_timeout_us = 10'000'000;
      EXPECT_OK(engine_->LockInstance(InstanceLockKind::kRead, how).status());
    });
    const auto waits = [&] {
      for (const MetadataLockInfo& info : engine_->ListMetadataLocks()) {
        if (!info.granted) {
          return true;
        }
      }
      return false;
    };
    while (!waits()) {
      std::this_thread::yield();
    }
    {
      Session session(engine_.get(), Isolation::kRepeatableRead, [&](TransactionOptions* options) {
        ShortWaits(options);
        options->table_locks = *locks;
      });
      EXPECT_OK(session.Update("t", "1", "1|x"));
      ASSERT_OK(session.Commit());
    }
    locks->reset();
    waiter.Join();
  }
  EXPECT_EQ(ScanAll("t"), "1|x 2|b");
}

TEST_F(InstanceLockTest, ABackupLockKeepsDefinitionsOutAlone) {
  Lock lock = MustTake(InstanceLockKind::kBackup);
  EXPECT_EQ(Change(), Code::kOk);
  EXPECT_EQ(ChangeSchema(short_), Code::kTimedOut);
  EXPECT_EQ(engine_->CreateSchema({"s", ""}, short_).code(), Code::kTimedOut);
  {
    auto locks = engine_->LockTables({{{"test", "u"}, true}}, short_);
    ASSERT_OK(locks.status());
    SchemaChangeOptions under = short_;
    under.table_locks = *locks;
    EXPECT_EQ(ChangeSchema(under), Code::kTimedOut);
  }
  SchemaChangeOptions own = short_;
  own.backup_lock = lock;
  EXPECT_EQ(ChangeSchema(own), Code::kOk);
  {
    Lock other = MustTake(InstanceLockKind::kBackup);
    EXPECT_EQ(ChangeSchema(own), Code::kTimedOut);
  }
  EXPECT_EQ(ChangeSchema(own), Code::kOk);
  EXPECT_EQ(ChangeSchema(short_), Code::kTimedOut);
  own.backup_lock.reset();
  lock.reset();
  EXPECT_EQ(ChangeSchema(short_), Code::kOk);
}

// A schema change that has passed waits for a transaction, whose next statement waits behind a read
// lock, which waits for the schema change.
TEST_F(InstanceLockTest, CirclesOverGatesAndTablesAreBroken) {
  Session session(engine_.get());
  session.Get("t", "1");
  session.trx().EndStatement();
  Thread changes("changes", [&] { EXPECT_OK(engine_->TruncateTable({"test", "t"}, {})); });
  const auto waiting = [&](MetadataLockInfo::Kind kind) {
    for (const MetadataLockInfo& info : engine_->ListMetadataLocks()) {
      if (info.kind == kind && !info.granted) {
        return true;
      }
    }
    return false;
  };
  while (!waiting(MetadataLockInfo::Kind::kTable)) {
    std::this_thread::yield();
  }
  Thread locks("locks",
               [&] { EXPECT_OK(engine_->LockInstance(InstanceLockKind::kRead, {}).status()); });
  while (!waiting(MetadataLockInfo::Kind::kGlobal)) {
    std::this_thread::yield();
  }
  // Lanes are taken in order: this one may be beyond what the lock has come to, and pass.
  Result<TableRef> opened = engine_->OpenTable(session.trx(), "test", "u", TableUse::kChange);
  EXPECT_TRUE(opened.ok() || opened.status().Is(Code::kDeadlock)) << opened.status().ToString();
  ASSERT_OK(session.Rollback());
  changes.Join();
  locks.Join();
}

TEST_F(InstanceLockTest, TheyAreListed) {
  Session session(engine_.get());
  session.Open("t");
  using Kind = MetadataLockInfo::Kind;
  EXPECT_EQ(Listed(), (std::set<Kind>{Kind::kTable, Kind::kGlobal}));
  ASSERT_OK(session.Rollback());
  Lock lock = MustTake(InstanceLockKind::kRead);
  EXPECT_EQ(Listed(), (std::set<Kind>{Kind::kGlobal, Kind::kCommit}));
  EXPECT_EQ(engine_->ListMetadataLocks().size(), 2u);
  lock = MustTake(InstanceLockKind::kBackup);
  EXPECT_EQ(Listed(), (std::set<Kind>{Kind::kBackup}));
  EXPECT_EQ(engine_->ListMetadataLocks()[0].mode, "SHARED");
}

}  // namespace
}  // namespace borealis::engine::testing
