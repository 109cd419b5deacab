// The time between a commit's record and its answer: what others see when the volume tells of
// durability late and in any order.
#include <chrono>
#include <thread>

#include "tests/support/follower.h"
#include "tests/unit/engine/engine_fixture.h"

namespace borealis::engine::testing {
namespace {

// Durable at once, but the answers to commits can be kept back; and something can happen while a
// commit is on its way into the log.
class LateVolume : public MemoryVolume {
 public:
  void WhenDurable(Lsn lsn, std::function<void(Status)> done) override {
    if (keep_answers.load()) {
      kept_.emplace_back(std::move(done));
      return;
    }
    MemoryVolume::WhenDurable(lsn, std::move(done));
  }
  Lsn Append(std::span<RecordDraft> drafts) override {
    const Lsn end = MemoryVolume::Append(drafts);
    if (drafts.back().kind == at_kind && after_append) {
      std::exchange(after_append, nullptr)();
    }
    return end;
  }
  void Answer() {
    for (auto& done : std::exchange(kept_, {})) {
      done(Status::Ok());
    }
  }

  std::atomic<bool> keep_answers{false};
  RecordKind at_kind = RecordKind::kTrxCommit;
  std::function<void()> after_append;

 private:
  std::vector<std::function<void(Status)>> kept_;
};

class DurabilityTest : public EngineTest {
 protected:
  void SetUp() override {
    auto volume = std::make_unique<LateVolume>();
    late_ = volume.get();
    volume_ = std::move(volume);
    OpenEngine(TestOptions());
    Create("t", "0;1", {true, false});
    Load("t", {"1|10", "2|20"});
  }
  LateVolume* late_ = nullptr;
};

// INV-TRX-4
TEST_F(DurabilityTest, ACommitIsNotSeenWithoutThoseThatItMet) {
  Session first(engine_.get());
  ASSERT_OK(first.Update("t", "1", "1|9"));
  ASSERT_OK(first.Update("t", "2", "2|21"));
  int answered = 0;
  late_->keep_answers = true;
  first.trx().Commit([&](const Status&) { ++answered; });
  late_->keep_answers = false;
  // The second one builds on the first, and its answer overtakes the other.
  Session second(engine_.get());
  EXPECT_EQ(second.Get("t", "1", LockMode::kExclusive), "1|9");
  ASSERT_OK(second.Update("t", "1", "1|8"));
  ASSERT_OK(second.Commit());
  EXPECT_EQ(answered, 0);
  EXPECT_EQ(ScanAll("t"), "1|8 2|21");
  EXPECT_EQ(ScanAll("t", 1), "2|21 1|8");
  late_->Answer();
  EXPECT_EQ(answered, 1);
  EXPECT_EQ(ScanAll("t"), "1|8 2|21");
  ASSERT_OK(engine_->RunBackground());
  EXPECT_EQ(engine_->counters().history_length, 0u);
}

TEST_F(DurabilityTest, AViewSeesWhatALockingReadHasSeen) {
  Session first(engine_.get());
  ASSERT_OK(first.Update("t", "1", "1|9"));
  late_->keep_answers = true;
  first.trx().Commit([](const Status&) {});
  late_->keep_answers = false;
  Session second(engine_.get());
  EXPECT_EQ(second.Get("t", "1", LockMode::kShared), "1|9");
  EXPECT_EQ(second.Get("t", "1"), "1|9");
  late_->Answer();
}

// INV-TRX-8
TEST_F(DurabilityTest, AViewSeesWhatTheLastHolderOfALockCommitted) {
  enum class By { kRow, kRowUnchanged, kGap, kTable };
  int round = 0;
  for (const By by : {By::kRow, By::kRowUnchanged, By::kGap, By::kTable}) {
    SCOPED_TRACE(static_cast<int>(by));
    const std::string changed = "2|" + std::to_string(30 + ++round);
    Session first(engine_.get());
    // The first one has only locked what the second one wants.
    if (by == By::kGap) {
      EXPECT_EQ(first.Get("t", "5", LockMode::kExclusive), "-");
    } else {
      EXPECT_NE(first.Get("t", "1", LockMode::kShared), "-");
    }
    ASSERT_OK(first.Update("t", "2", changed));
    late_->HoldDurability();
    first.trx().Commit([](const Status&) {});
    EXPECT_EQ(ScanAll("t").find(changed), std::string::npos);  // nobody else has to see it
    Session second(engine_.get());
    std::unique_ptr<Thread> releases;
    const auto release_soon = [&] {
      releases = std::make_unique<Thread>("releases", [&] {
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
        late_->Release();
      });
    };
    std::shared_ptr<const TableLocks> locks;
    if (by == By::kRow) {
      ASSERT_OK(second.Update("t", "1", "1|1" + std::to_string(round)));
    } else if (by == By::kRowUnchanged) {
      EXPECT_NE(second.Get("t", "1", LockMode::kExclusive), "-");
    } else if (by == By::kGap) {
      ASSERT_OK(second.Insert("t", "5|50"));
    } else {
      release_soon();
      Result<std::shared_ptr<const TableLocks>> taken =
          engine_->LockTables({{{"test", "t"}, true}}, {});
      ASSERT_TRUE(taken.ok()) << taken.status().ToString();
      locks = *taken;
    }
    if (by != By::kTable) {
      release_soon();
    }
    if (by == By::kTable) {
      Session third(engine_.get(), Isolation::kRepeatableRead,
                    [&](TransactionOptions* options) { options->table_locks = locks; });
      EXPECT_EQ(third.Get("t", "2"), changed);
    } else {
      EXPECT_EQ(second.Get("t", "2"), changed);
    }
    releases->Join();
    locks = nullptr;
    ASSERT_OK(second.Rollback());
  }
}

// INV-TRX-10: commits that have passed before the lock was there are seen by whoever looks under
// it.
TEST_F(DurabilityTest, AReadLockWaitsForTheCommitsBeforeIt) {
  Session first(engine_.get());
  ASSERT_OK(first.Update("t", "1", "1|11"));
  late_->HoldDurability();
  first.trx().Commit([](const Status&) {});
  Thread releases("releases", [&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    late_->Release();
  });
  const auto lock = engine_->LockInstance(InstanceLockKind::kRead, {});
  ASSERT_OK(lock.status());
  const auto reader = engine_->Begin({});
  const Result<TableRef> table = engine_->OpenTable(*reader, "test", "t", TableUse::kRead);
  std::string row;
  EXPECT_OK(engine::Get(*reader, **table, K("1"), LockMode::kNone, WaitPolicy::kWait, &row));
  EXPECT_EQ(row, "1|11");
  releases.Join();
}

TEST_F(DurabilityTest, AReplicaMayStartWhileATransactionEnds) {
  for (const bool commits : {true, false}) {
    SCOPED_TRACE(commits);
    Session writer(engine_.get());
    ASSERT_OK(writer.Update("t", "1", commits ? "1|11" : "1|12"));
    std::string hello;
    Lsn at;
    std::atomic<bool> asked{false};
    std::unique_ptr<Thread> asks;
    late_->at_kind = commits ? RecordKind::kTrxCommit : RecordKind::kTrxRollback;
    late_->after_append = [&] {
      asks = std::make_unique<Thread>("asks", [&] {
        hello = engine_->ActiveTransactions(&at);
        asked = true;
      });
      for (int i = 0; i < 20'000 && !asked; ++i) {
        std::this_thread::yield();
      }
    };
    ASSERT_OK(commits ? writer.Commit() : writer.Rollback());
    ASSERT_NE(asks, nullptr);
    asks->Join();
    Follower follower(volume_.get());
    ASSERT_EQ(at, follower.vdl());
    Result<std::unique_ptr<Engine>> replica = Engine::OpenReplica(&follower, TestOptions(), hello);
    ASSERT_TRUE(replica.ok()) << replica.status().ToString();
    EXPECT_EQ(Session(replica->get()).Scan("t"), "1|11 2|20");
  }
}

}  // namespace
}  // namespace borealis::engine::testing
