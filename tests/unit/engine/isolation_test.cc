// The anomalies of the Hermitage suite at every isolation level: what InnoDB prevents is prevented,
// what it allows is allowed.
//
// Table: (1, 10), (2, 20). A step that has to wait runs on a thread of its own; the script goes on
// when it waits.
#include "tests/unit/engine/engine_fixture.h"

namespace borealis::engine::testing {
namespace {

constexpr Isolation kAll[] = {Isolation::kReadUncommitted, Isolation::kReadCommitted,
                              Isolation::kRepeatableRead, Isolation::kSerializable};

class IsolationTest : public EngineTest, public ::testing::WithParamInterface<Isolation> {
 protected:
  void SetUp() override {
    EngineTest::SetUp();
    Create("test", "0;1", {true, false});
    Load("test", {"1|10", "2|20"});
    t1_ = std::make_unique<Session>(engine_.get(), GetParam());
    t2_ = std::make_unique<Session>(engine_.get(), GetParam());
    t3_ = std::make_unique<Session>(engine_.get(), GetParam());
  }
  void TearDown() override {
    t1_.reset();
    t2_.reset();
    t3_.reset();
    EngineTest::TearDown();
  }
  Status Set(Session& session, const std::string& id, const std::string& value) {
    return session.Update("test", id, id + "|" + value);
  }
  std::string Get(Session& session, const std::string& id) {
    const std::string row = session.Get("test", id);
    return row.size() > 2 && row[0] != '!' ? row.substr(2) : row;
  }
  // Rows whose value divides by three, as a scan with a condition finds them.
  std::string Thirds(Session& session) {
    std::string found;
    const std::string all = session.Scan("test");
    if (!all.empty() && all[0] == '!') {
      return all;
    }
    for (const std::string& row : Split(all, ' ')) {
      if (!row.empty() && std::stoi(row.substr(2)) % 3 == 0) {
        found += row + " ";
      }
    }
    return found;
  }
  bool AtLeast(Isolation level) const { return GetParam() >= level; }
  bool Serializable() const { return GetParam() == Isolation::kSerializable; }

  std::unique_ptr<Session> t1_, t2_, t3_;
};

// Runs a step that is expected to wait; Wait() ends once it waits, Join gives its outcome.
class Waiting {
 public:
  Waiting(EngineTest*, Engine* engine, std::function<Status()> step)
      : thread_("step", [this, step = std::move(step)] {
          status_ = step();
          done_.store(true);
        }) {
    while (!done_.load() && engine->counters().row_lock_current_waits == 0) {
      std::this_thread::yield();
    }
  }
  bool waits() const { return !done_.load(); }
  Status Join() {
    thread_.Join();
    return status_;
  }

 private:
  Status status_;
  std::atomic<bool> done_{false};
  Thread thread_;
};

TEST_P(IsolationTest, G0WriteCycles) {
  ASSERT_OK(Set(*t1_, "1", "11"));
  Waiting blocked(this, engine_.get(), [&] { return Set(*t2_, "1", "12"); });
  EXPECT_TRUE(blocked.waits());
  ASSERT_OK(Set(*t1_, "2", "21"));
  ASSERT_OK(t1_->Commit());
  ASSERT_OK(blocked.Join());
  if (!Serializable()) {  // there the read would wait for T2
    EXPECT_NE(Get(*t3_, "1"), "10");
    ASSERT_OK(t3_->Rollback());
  }
  ASSERT_OK(Set(*t2_, "2", "22"));
  ASSERT_OK(t2_->Commit());
  EXPECT_EQ(ScanAll("test"), "1|12 2|22");
}

TEST_P(IsolationTest, G1aAbortedReads) {
  if (Serializable()) {
    ASSERT_OK(Set(*t1_, "1", "101"));
    Waiting blocked(this, engine_.get(), [&] {
      return Get(*t2_, "1") == "10" ? Status::Ok() : Status::Internal("dirty");
    });
    EXPECT_TRUE(blocked.waits());
    ASSERT_OK(t1_->Rollback());
    EXPECT_OK(blocked.Join());
    return;
  }
  ASSERT_OK(Set(*t1_, "1", "101"));
  EXPECT_EQ(Get(*t2_, "1"), AtLeast(Isolation::kReadCommitted) ? "10" : "101");
  ASSERT_OK(t1_->Rollback());
  EXPECT_EQ(Get(*t2_, "1"), "10");
}

TEST_P(IsolationTest, G1bIntermediateReads) {
  if (Serializable()) {
    return;  // as above: the read waits
  }
  ASSERT_OK(Set(*t1_, "1", "101"));
  EXPECT_EQ(Get(*t2_, "1"), AtLeast(Isolation::kReadCommitted) ? "10" : "101");
  ASSERT_OK(Set(*t1_, "1", "11"));
  ASSERT_OK(t1_->Commit());
  EXPECT_EQ(Get(*t2_, "1"), AtLeast(Isolation::kRepeatableRead) ? "10" : "11");
}

TEST_P(IsolationTest, G1cCircularInformationFlow) {
  ASSERT_OK(Set(*t1_, "1", "11"));
  ASSERT_OK(Set(*t2_, "2", "22"));
  if (Serializable()) {
    Waiting blocked(this, engine_.get(), [&] {
      return Get(*t1_, "2") == "20" ? Status::Ok() : Status::Internal("wrong value");
    });
    EXPECT_TRUE(blocked.waits());
    EXPECT_EQ(Get(*t2_, "1"), "!deadlock");
    EXPECT_OK(blocked.Join());  // the victim is rolled back
    return;
  }
  EXPECT_EQ(Get(*t1_, "2"), AtLeast(Isolation::kReadCommitted) ? "20" : "22");
  EXPECT_EQ(Get(*t2_, "1"), AtLeast(Isolation::kReadCommitted) ? "10" : "11");
}

TEST_P(IsolationTest, ObservedTransactionVanishes) {
  ASSERT_OK(Set(*t1_, "1", "11"));
  ASSERT_OK(Set(*t1_, "2", "19"));
  Waiting blocked(this, engine_.get(), [&] { return Set(*t2_, "1", "12"); });
  EXPECT_TRUE(blocked.waits());
  ASSERT_OK(t1_->Commit());
  ASSERT_OK(blocked.Join());
  if (Serializable()) {
    return;  // T3's reads wait for T2
  }
  EXPECT_EQ(Get(*t3_, "1"), AtLeast(Isolation::kReadCommitted) ? "11" : "12");
  ASSERT_OK(Set(*t2_, "2", "18"));
  EXPECT_EQ(Get(*t3_, "2"), AtLeast(Isolation::kReadCommitted) ? "19" : "18");
  ASSERT_OK(t2_->Commit());
  EXPECT_EQ(Get(*t3_, "2"), AtLeast(Isolation::kRepeatableRead) ? "19" : "18");
  EXPECT_EQ(Get(*t3_, "1"), AtLeast(Isolation::kRepeatableRead) ? "11" : "12");
}

TEST_P(IsolationTest, PredicateManyPreceders) {
  EXPECT_EQ(Thirds(*t1_), "");
  if (Serializable()) {
    Waiting blocked(this, engine_.get(), [&] { return t2_->Insert("test", "3|30"); });
    EXPECT_TRUE(blocked.waits());
    EXPECT_EQ(Thirds(*t1_), "");
    ASSERT_OK(t1_->Commit());
    ASSERT_OK(blocked.Join());
    return;
  }
  ASSERT_OK(t2_->Insert("test", "3|30"));
  ASSERT_OK(t2_->Commit());
  EXPECT_EQ(Thirds(*t1_), AtLeast(Isolation::kRepeatableRead) ? "" : "3|30 ");
}

TEST_P(IsolationTest, PredicateWritesSeeTheNewest) {
  if (Serializable()) {
    return;
  }
  // T1 adds 10 to all; T2 looks for 20 to delete and finds what was 10.
  EXPECT_EQ(t2_->Scan("test"), "1|10 2|20");
  ASSERT_OK(Set(*t1_, "1", "20"));
  ASSERT_OK(Set(*t1_, "2", "30"));
  std::string seen;
  Waiting blocked(this, engine_.get(), [&] {
    ScanOptions options;
    options.lock = LockMode::kExclusive;
    seen = t2_->Scan("test", options);
    return Status::Ok();
  });
  EXPECT_TRUE(blocked.waits());
  ASSERT_OK(t1_->Commit());
  ASSERT_OK(blocked.Join());
  EXPECT_EQ(seen, "1|20 2|30");
}

TEST_P(IsolationTest, P4LostUpdate) {
  EXPECT_EQ(Get(*t1_, "1"), "10");
  EXPECT_EQ(Get(*t2_, "1"), "10");
  if (Serializable()) {
    Waiting blocked(this, engine_.get(), [&] { return Set(*t1_, "1", "11"); });
    EXPECT_TRUE(blocked.waits());
    EXPECT_EQ(Set(*t2_, "1", "12").code(), Code::kDeadlock);
    EXPECT_OK(blocked.Join());
    EXPECT_EQ(t2_->trx().CommitAndWait().code(), Code::kDeadlock);
    ASSERT_OK(t1_->Commit());
    EXPECT_EQ(ScanAll("test"), "1|11 2|20");
    return;
  }
  ASSERT_OK(Set(*t1_, "1", "11"));
  Waiting blocked(this, engine_.get(), [&] { return Set(*t2_, "1", "12"); });
  EXPECT_TRUE(blocked.waits());
  ASSERT_OK(t1_->Commit());
  ASSERT_OK(blocked.Join());
  ASSERT_OK(t2_->Commit());
  EXPECT_EQ(ScanAll("test"), "1|12 2|20");
}

TEST_P(IsolationTest, GSingleReadSkew) {
  EXPECT_EQ(Get(*t1_, "1"), "10");
  if (Serializable()) {
    Waiting blocked(this, engine_.get(), [&] { return Set(*t2_, "1", "12"); });
    EXPECT_TRUE(blocked.waits());
    EXPECT_EQ(Get(*t1_, "2"), "20");
    ASSERT_OK(t1_->Commit());
    ASSERT_OK(blocked.Join());
    return;
  }
  ASSERT_OK(Set(*t2_, "1", "12"));
  ASSERT_OK(Set(*t2_, "2", "18"));
  ASSERT_OK(t2_->Commit());
  EXPECT_EQ(Get(*t1_, "2"), AtLeast(Isolation::kRepeatableRead) ? "20" : "18");
}

TEST_P(IsolationTest, G2ItemWriteSkew) {
  EXPECT_EQ(t1_->Scan("test"), "1|10 2|20");
  EXPECT_EQ(t2_->Scan("test"), "1|10 2|20");
  if (Serializable()) {
    Waiting blocked(this, engine_.get(), [&] { return Set(*t1_, "1", "11"); });
    EXPECT_TRUE(blocked.waits());
    EXPECT_EQ(Set(*t2_, "2", "21").code(), Code::kDeadlock);
    EXPECT_OK(blocked.Join());
    return;
  }
  ASSERT_OK(Set(*t1_, "1", "11"));
  ASSERT_OK(Set(*t2_, "2", "21"));
  ASSERT_OK(t1_->Commit());
  ASSERT_OK(t2_->Commit());
  EXPECT_EQ(ScanAll("test"), "1|11 2|21");
}

TEST_P(IsolationTest, G2AntiDependencyCycle) {
  EXPECT_EQ(Thirds(*t1_), "");
  EXPECT_EQ(Thirds(*t2_), "");
  if (Serializable()) {
    Waiting blocked(this, engine_.get(), [&] { return t1_->Insert("test", "3|30"); });
    EXPECT_TRUE(blocked.waits());
    EXPECT_EQ(t2_->Insert("test", "4|42").code(), Code::kDeadlock);
    EXPECT_OK(blocked.Join());
    return;
  }
  ASSERT_OK(t1_->Insert("test", "3|30"));
  ASSERT_OK(t2_->Insert("test", "4|42"));
  ASSERT_OK(t1_->Commit());
  ASSERT_OK(t2_->Commit());
  Session reader(engine_.get());
  EXPECT_EQ(Thirds(reader), "3|30 4|42 ");
}

INSTANTIATE_TEST_SUITE_P(Levels, IsolationTest, ::testing::ValuesIn(kAll), [](const auto& level) {
  switch (level.param) {
    case Isolation::kReadUncommitted:
      return "ReadUncommitted";
    case Isolation::kReadCommitted:
      return "ReadCommitted";
    case Isolation::kRepeatableRead:
      return "RepeatableRead";
    default:
      return "Serializable";
  }
});

// ---------------------------------------------------------------------------------------------
// Locks

class LockTest : public EngineTest {
 protected:
  void SetUp() override {
    EngineTest::SetUp();
    Create("t", "0;1", {true, true});
    Load("t", {"1|a", "3|c", "5|e", "7|g"});
  }
  static void ShortWaits(TransactionOptions* options) { options->lock_wait_timeout_us = 20'000; }
};

TEST_F(LockTest, WaitsTimeOutAndLeaveTheTransactionAlive) {
  Session holder(engine_.get());
  ASSERT_OK(holder.Update("t", "1", "1|x"));
  Session waiter(engine_.get(), Isolation::kRepeatableRead, ShortWaits);
  ASSERT_OK(waiter.Update("t", "3", "3|y"));
  EXPECT_EQ(waiter.Update("t", "1", "1|z").code(), Code::kTimedOut);
  EXPECT_EQ(waiter.Get("t", "3"), "3|y");
  ASSERT_OK(holder.Commit());
  ASSERT_OK(waiter.Update("t", "1", "1|z"));
  ASSERT_OK(waiter.Commit());
  EXPECT_EQ(ScanAll("t"), "1|z 3|y 5|e 7|g");
  EXPECT_EQ(engine_->counters().lock_timeouts, 1u);
  EXPECT_TRUE(engine_->ListLocks().empty());
}

TEST_F(LockTest, NowaitFailsAndSkipLockedSkips) {
  Session holder(engine_.get());
  EXPECT_EQ(holder.Get("t", "3", LockMode::kExclusive), "3|c");
  Session other(engine_.get());
  EXPECT_EQ(other.Get("t", "3", LockMode::kShared, WaitPolicy::kFail), "!timed out");
  EXPECT_EQ(other.Get("t", "3", LockMode::kExclusive, WaitPolicy::kSkip), "-");
  ScanOptions options;
  options.lock = LockMode::kExclusive;
  options.wait = WaitPolicy::kSkip;
  EXPECT_EQ(other.Scan("t", options), "1|a 5|e 7|g");
  options.index_no = 1;
  EXPECT_EQ(other.Scan("t", options), "1|a 5|e 7|g");
}

// LOCK TABLES: what is locked for reading is read together and changed by nobody, what is locked
// for writing is the holder's alone, schema changes included.
TEST_F(LockTest, TableLocksKeepOthersOut) {
  SchemaChangeOptions how;
  how.metadata_wait_timeout_us = 20'000;
  const auto use = [this](TableUse table_use, std::shared_ptr<const TableLocks> locks = nullptr) {
    TransactionOptions options;
    options.metadata_wait_timeout_us = 20'000;
    options.table_locks = std::move(locks);
    const auto trx = engine_->Begin(std::move(options));
    return engine_->OpenTable(*trx, "test", "t", table_use).status().code();
  };
  auto reading = engine_->LockTables({{{"test", "t"}, false}}, how);
  ASSERT_OK(reading.status());
  EXPECT_EQ(use(TableUse::kRead), Code::kOk);
  EXPECT_EQ(use(TableUse::kChange), Code::kTimedOut);
  ASSERT_OK(engine_->LockTables({{{"test", "t"}, false}}, how).status());
  EXPECT_EQ(engine_->LockTables({{{"test", "t"}, true}}, how).status().code(), Code::kTimedOut);
  reading->reset();
  auto writing = engine_->LockTables({{{"test", "t"}, false}, {{"test", "t"}, true}}, how);
  ASSERT_OK(writing.status());
  EXPECT_EQ(use(TableUse::kRead), Code::kTimedOut);
  EXPECT_EQ(use(TableUse::kChange, *writing), Code::kOk);
  EXPECT_EQ(engine_->TruncateTable({"test", "t"}, how).code(), Code::kTimedOut);
  EXPECT_EQ(engine_->DropSchema("test", how).code(), Code::kTimedOut);
  SchemaChangeOptions own = how;
  own.table_locks = *writing;
  ASSERT_OK(engine_->TruncateTable({"test", "t"}, own));
  own.table_locks.reset();
  writing->reset();
  EXPECT_TRUE(engine_->ListMetadataLocks().empty());
  Session writer(engine_.get());
  ASSERT_OK(writer.Insert("t", "1|a"));
  EXPECT_EQ(engine_->LockTables({{{"test", "t"}, false}}, how).status().code(), Code::kTimedOut);
  ASSERT_OK(writer.Commit());
  ASSERT_OK(engine_->LockTables({{{"test", "t"}, false}}, how).status());
}

// INV-LCK-2
TEST_F(LockTest, DeadlockTakesTheOneWithFewerChanges) {
  Session big(engine_.get());
  ASSERT_OK(big.Update("t", "1", "1|x"));
  ASSERT_OK(big.Update("t", "7", "7|w"));
  Session small(engine_.get());
  ASSERT_OK(small.Update("t", "3", "3|y"));
  Waiting blocked(this, engine_.get(), [&] { return small.Update("t", "1", "1|u"); });
  EXPECT_TRUE(blocked.waits());
  ASSERT_OK(big.Update("t", "3", "3|v"));
  EXPECT_EQ(blocked.Join().code(), Code::kDeadlock);
  EXPECT_EQ(engine::Delete(small.trx(), *Table("t"), K("5")).code(), Code::kDeadlock);
  ASSERT_OK(big.Commit());
  EXPECT_EQ(ScanAll("t"), "1|x 3|v 5|e 7|w");
  EXPECT_EQ(engine_->counters().deadlocks, 1u);
}

TEST_F(LockTest, InterruptEndsAWait) {
  Session holder(engine_.get());
  ASSERT_OK(holder.Update("t", "1", "1|x"));
  Session waiter(engine_.get());
  Waiting blocked(this, engine_.get(), [&] { return waiter.Update("t", "1", "1|y"); });
  EXPECT_TRUE(blocked.waits());
  waiter.trx().Interrupt();
  EXPECT_EQ(blocked.Join().code(), Code::kCancelled);
  waiter.trx().ClearInterrupt();
  EXPECT_EQ(waiter.Get("t", "1"), "1|a");
}

// INV-LCK-4
TEST_F(LockTest, RangesKeepInsertsOutUnderRepeatableReadOnly) {
  ScanOptions options;
  options.lock = LockMode::kShared;
  options.range.lower = K("3");
  options.range.upper = K("5");
  options.range.no_upper = false;
  options.range.upper_inclusive = true;
  {
    Session reader(engine_.get());
    EXPECT_EQ(reader.Scan("t", options), "3|c 5|e");
    Session writer(engine_.get(), Isolation::kRepeatableRead, ShortWaits);
    EXPECT_EQ(writer.Insert("t", "4|d").code(), Code::kTimedOut);
    EXPECT_OK(writer.Insert("t", "2|b"));  // outside of what was read
    EXPECT_OK(writer.Insert("t", "6|f"));
    ASSERT_OK(writer.Rollback());
    EXPECT_OK(reader.Insert("t", "4|d"));  // its own range
    ASSERT_OK(reader.Rollback());
  }
  {
    Session reader(engine_.get(), Isolation::kReadCommitted);
    EXPECT_EQ(reader.Scan("t", options), "3|c 5|e");
    Session writer(engine_.get(), Isolation::kRepeatableRead, ShortWaits);
    EXPECT_OK(writer.Insert("t", "4|d"));
    EXPECT_EQ(writer.Delete("t", "3").code(), Code::kTimedOut);
  }
  {
    Session reader(engine_.get());
    EXPECT_EQ(reader.Get("t", "4", LockMode::kExclusive), "-");
    Session writer(engine_.get(), Isolation::kRepeatableRead, ShortWaits);
    EXPECT_EQ(writer.Insert("t", "4|d").code(), Code::kTimedOut);
  }
  Check("t");
}

TEST_F(LockTest, GapLocksOnASecondaryIndexBlockItsKeys) {
  Session reader(engine_.get());
  ScanOptions options;
  options.index_no = 1;
  options.lock = LockMode::kExclusive;
  options.range = KeyRange::Prefix(K("d"));
  EXPECT_EQ(reader.Scan("t", options), "");
  Session writer(engine_.get(), Isolation::kRepeatableRead, ShortWaits);
  EXPECT_EQ(writer.Insert("t", "4|d").code(), Code::kTimedOut);
  EXPECT_EQ(writer.Update("t", "3", "3|d").code(), Code::kTimedOut);
  EXPECT_EQ(writer.Insert("t", "4|dd").code(), Code::kTimedOut);  // the same gap, as in InnoDB
  EXPECT_OK(writer.Insert("t", "8|h"));
  ASSERT_OK(writer.Commit());
  ASSERT_OK(reader.Commit());
  EXPECT_EQ(ScanAll("t"), "1|a 3|c 5|e 7|g 8|h");
  Check("t");
}

TEST_F(LockTest, AnInsertWaitsForTheOwnerOfItsDuplicate) {
  for (const bool commits : {true, false}) {
    for (const bool by_secondary : {true, false}) {
      Session first(engine_.get());
      ASSERT_OK(first.Insert("t", "8|h"));
      Session second(engine_.get());
      DuplicateKey dup;
      Waiting blocked(this, engine_.get(),
                      [&] { return second.Insert("t", by_secondary ? "9|h" : "8|i", &dup); });
      EXPECT_TRUE(blocked.waits());
      ASSERT_OK(commits ? first.Commit() : first.Rollback());
      const Status outcome = blocked.Join();
      EXPECT_EQ(outcome.code(), commits ? Code::kAlreadyExists : Code::kOk);
      ASSERT_OK(second.Rollback());
      if (commits) {
        EXPECT_EQ(dup.index_no, by_secondary ? 1u : 0u);
        Session cleaner(engine_.get());
        ASSERT_OK(cleaner.Delete("t", "8"));
        ASSERT_OK(cleaner.Commit());
        ASSERT_OK(engine_->RunBackground());
      }
    }
  }
  Check("t");
}

TEST_F(LockTest, AnInsertWaitsForAnUncommittedDelete) {
  for (const bool commits : {true, false}) {
    Session first(engine_.get());
    ASSERT_OK(first.Delete("t", "5"));
    Session second(engine_.get());
    Waiting blocked(this, engine_.get(), [&] { return second.Insert("t", "6|e"); });
    EXPECT_TRUE(blocked.waits());
    ASSERT_OK(commits ? first.Commit() : first.Rollback());
    EXPECT_EQ(blocked.Join().code(), commits ? Code::kOk : Code::kAlreadyExists);
    ASSERT_OK(second.Rollback());
    Session again(engine_.get());
    if (commits) {
      ASSERT_OK(again.Insert("t", "5|e"));
    }
    ASSERT_OK(again.Commit());
  }
  EXPECT_EQ(ScanAll("t", 1), "1|a 3|c 5|e 7|g");
  Check("t");
}

TEST_F(LockTest, ASavepointRollbackKeepsTheLocks) {
  Session first(engine_.get());
  const Savepoint savepoint = first.trx().SetSavepoint();
  ASSERT_OK(first.Update("t", "1", "1|x"));
  ASSERT_OK(first.trx().RollbackTo(savepoint));
  Session second(engine_.get(), Isolation::kRepeatableRead, ShortWaits);
  EXPECT_EQ(second.Update("t", "1", "1|y").code(), Code::kTimedOut);
  ASSERT_OK(first.Commit());
  ASSERT_OK(second.Update("t", "1", "1|y"));
}

TEST_F(LockTest, ReadCommittedGivesRowsBackThatDidNotMatch) {
  Session reader(engine_.get(), Isolation::kReadCommitted);
  ScanOptions options;
  options.lock = LockMode::kExclusive;
  Result<std::unique_ptr<Cursor>> cursor = OpenCursor(reader.trx(), reader.Open("t"), options);
  ASSERT_TRUE(cursor.ok());
  for (Result<bool> more = (*cursor)->Next(); more.ok() && *more; more = (*cursor)->Next()) {
    if (*(*cursor)->row() != "3|c") {
      (*cursor)->UnlockRow();
    }
  }
  Session writer(engine_.get(), Isolation::kReadCommitted, ShortWaits);
  EXPECT_OK(writer.Update("t", "1", "1|x"));
  EXPECT_EQ(writer.Update("t", "3", "3|x").code(), Code::kTimedOut);
}

// INV-LCK-3
TEST_F(LockTest, SharedLocksUpgradeAheadOfWaiters) {
  Session first(engine_.get());
  EXPECT_EQ(first.Get("t", "1", LockMode::kShared), "1|a");
  Session second(engine_.get());
  Waiting blocked(this, engine_.get(), [&] { return second.Update("t", "1", "1|y"); });
  EXPECT_TRUE(blocked.waits());
  ASSERT_OK(first.Update("t", "1", "1|x"));
  ASSERT_OK(first.Commit());
  ASSERT_OK(blocked.Join());
  ASSERT_OK(second.Commit());
  EXPECT_EQ(Session(engine_.get()).Get("t", "1"), "1|y");
}

}  // namespace
}  // namespace borealis::engine::testing
