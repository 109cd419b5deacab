// Many threads at once, with purge running: sums that must hold, indexes that must agree.
#include <array>

#include "base/os/random.h"
#include "tests/unit/engine/engine_fixture.h"
#include "tests/unit/engine/stress.h"

namespace borealis::engine::testing {
namespace {

class EngineConcurrencyTest : public EngineTest {
 protected:
  void SetUp() override { OpenEngine(TestOptions(/*background=*/true)); }
  static constexpr int kAccounts = 20;
  static constexpr int kThreads = 4;

  static std::string Key(uint64_t i) { return std::to_string(100 + i); }
  void LoadAccounts() {
    Create("t", "0;1", {true, false});
    std::vector<std::string> rows;
    for (int i = 0; i < kAccounts; ++i) {
      rows.push_back(Key(static_cast<uint64_t>(i)) + "|1000");
    }
    Load("t", rows);
  }
  static int64_t Sum(const std::string& rows) {
    int64_t sum = 0;
    for (const std::string& row : Split(rows, ' ')) {
      sum += std::stoll(Split(row, '|').at(1));
    }
    return sum;
  }
};

// INV-TRX-4, INV-TRX-5, INV-ROW-3
TEST_F(EngineConcurrencyTest, TransfersKeepTheSum) {
  LoadAccounts();
  std::atomic<bool> stop{false};
  std::atomic<uint64_t> commits{0};
  std::atomic<int> wrong{0};
  const StressTime time;
  {
    std::vector<Thread> threads;
    for (int n = 0; n < kThreads; ++n) {
      threads.emplace_back("transfer", [&, n] {
        Random random(static_cast<uint64_t>(n) + 1);
        for (int i = 0; i < 150 || time.GoesOn(); ++i) {
          Session s(engine_.get());
          const std::string from = Key(random.Below(kAccounts));
          const std::string to = Key(random.Below(kAccounts));
          if (from == to) {
            continue;
          }
          const auto add = [&](const std::string& key, int64_t amount) -> Status {
            const std::string row = s.Get("t", key, LockMode::kExclusive);
            if (row[0] == '!') {
              return Status::Deadlock("");
            }
            return s.Update("t", key,
                            key + "|" + std::to_string(std::stoll(row.substr(4)) + amount));
          };
          if (!add(from, -7).ok() || !add(to, 7).ok()) {
            continue;
          }
          if (random.Chance(0.2)) {
            EXPECT_OK(s.Rollback());
          } else if (s.Commit().ok()) {
            ++commits;
          }
        }
      });
    }
    threads.emplace_back("reader", [&] {
      for (size_t i = 0; !stop.load(); ++i) {
        Session s(engine_.get());
        ScanOptions options;
        options.index_no = i % 2;
        const std::string rows = s.Scan("t", options);
        if (rows.empty() || rows[0] == '!' || Sum(rows) != 1000 * kAccounts ||
            s.Scan("t", options) != rows) {
          ADD_FAILURE() << "index " << options.index_no << ": " << rows
                        << "\nagain: " << s.Scan("t", options);
          ++wrong;
        }
      }
    });
    for (int n = 0; n < kThreads; ++n) {
      threads[static_cast<size_t>(n)].Join();
    }
    stop = true;
  }
  EXPECT_EQ(wrong, 0);
  EXPECT_GT(commits, 50u);
  EXPECT_EQ(Sum(ScanAll("t")), 1000 * kAccounts);
  ASSERT_OK(engine_->RunBackground());
  Check("t");
  EXPECT_TRUE(engine_->ListLocks().empty());
}

// INV-DIC-3: trees are listed to be freed while they are being made.
TEST_F(EngineConcurrencyTest, BackgroundFreesNoTreeThatIsBeingMade) {
  std::atomic<bool> stop{false};
  Thread background("background", [&] {
    while (!stop) {
      EXPECT_OK(engine_->RunBackground());
    }
  });
  for (int i = 0; i < 200; ++i) {
    const std::string name = "t" + std::to_string(i % 3);
    if (i >= 3) {
      Check(name);
      ASSERT_OK(engine_->DropTables({{"test", name}}, {}));
    }
    Create(name, "0;1", {true, true});
    Load(name, {"1|a", "2|b"});
  }
  stop = true;
  background.Join();
  for (const std::string name : {"t0", "t1", "t2"}) {
    Check(name);
    EXPECT_EQ(ScanAll(name), "1|a 2|b");
  }
}

// What a row had off its page is freed at once by a rollback, and soon by purge.
TEST_F(EngineConcurrencyTest, CheckTableWhileLongValuesComeAndGo) {
  Create("t", "0;1", {true, false});
  const std::string tail = "|a|" + std::string(40'000, 'x');
  std::vector<std::string> rows;
  for (uint64_t i = 0; i < 40; ++i) {
    rows.push_back(Key(i) + tail);
  }
  Load("t", rows);
  std::atomic<bool> stop{false};
  {
    Thread changes("changes", [&] {
      Random random(1);
      for (int i = 0; !stop; ++i) {
        Session s(engine_.get());
        for (int n = 0; n < 3; ++n) {
          const std::string key = Key(random.Below(40));
          EXPECT_OK(s.Update("t", key, key + tail));
        }
        EXPECT_OK(i % 2 == 0 ? s.Commit() : s.Rollback());
      }
    });
    for (int i = 0; i < 60 && !HasFailure(); ++i) {
      Check("t");
    }
    stop = true;
  }
}

TEST_F(EngineConcurrencyTest, UniqueKeysStayUnique) {
  Create("t", "0;1", {true, true});
  std::vector<Thread> threads;
  std::array<std::atomic<int>, 50> live{};
  std::atomic<int> wrong{0};
  for (int n = 0; n < kThreads; ++n) {
    threads.emplace_back("insert", [&, n] {
      Random random(static_cast<uint64_t>(n) + 77);
      for (int i = 0; i < 400; ++i) {
        Session s(engine_.get(),
                  random.Chance(0.5) ? Isolation::kReadCommitted : Isolation::kRepeatableRead);
        const uint64_t value = random.Below(live.size());
        const std::string key = std::to_string(n) + "-" + std::to_string(i);
        Status status = s.Insert("t", key + "|" + std::to_string(value));
        if (status.ok()) {
          // Between the insert and the commit nobody else has the value.
          wrong += live[value].fetch_add(1) == 0 ? 0 : 1;
          const bool keep = random.Chance(0.3);
          if (!keep || random.Chance(0.5)) {
            status = s.Delete("t", key);
            wrong += status.ok() ? 0 : 1;
          }
          live[value].fetch_sub(1);
          wrong += (random.Chance(0.7) ? s.Commit() : s.Rollback()).ok() ? 0 : 1;
        } else if (!status.Is(Code::kAlreadyExists) && !status.Is(Code::kDeadlock)) {
          ++wrong;
        }
      }
    });
  }
  threads.clear();
  EXPECT_EQ(wrong, 0);
  ASSERT_OK(engine_->RunBackground());
  std::set<std::string> values;
  size_t rows = 0;
  for (const std::string& row : Split(ScanAll("t"), ' ')) {
    if (!row.empty()) {
      values.insert(Split(row, '|')[1]);
      ++rows;
    }
  }
  EXPECT_EQ(values.size(), rows);
  Check("t");
}

// The transactions of sysbench's oltp_read_write, and the writer dies again and again under them.
TEST_F(EngineConcurrencyTest, MixedTransactionsSurviveCrashesAtAnyMoment) {
  constexpr uint64_t kRows = 60;
  Create("t", "0;1", {true, false});
  const auto row_of = [](const std::string& key, uint64_t k, uint64_t c) {
    return key + "|" + std::to_string(100 + k) + "|" + std::string(c % 700, 'c');
  };
  std::vector<std::string> rows;
  for (uint64_t i = 0; i < kRows; ++i) {
    rows.push_back(row_of(Key(i), i, i * 31));
  }
  Load("t", rows);
  std::atomic<bool> stop{false};
  std::atomic<int> wrong{0};
  std::atomic<int> commits{0};
  std::vector<Thread> threads;
  for (int n = 0; n < 8; ++n) {
    threads.emplace_back("mix", [&, n] {
      Random random(static_cast<uint64_t>(n) + 401);
      while (!stop.load()) {
        Session s(engine_.get(),
                  random.Chance(0.5) ? Isolation::kReadCommitted : Isolation::kRepeatableRead);
        const auto key = [&] { return Key(random.Below(kRows)); };
        // False after a deadlock; nothing else may fail.
        const auto went = [&](const Status& status) {
          wrong += status.ok() || status.Is(Code::kDeadlock) ? 0 : 1;
          return status.ok();
        };
        const std::string read = s.Get("t", key());
        ScanOptions range;
        range.range.lower = K(Key(random.Below(kRows)));
        range.index_no = 0;
        const std::string scanned = s.Scan("t", range);
        wrong += read[0] == '-' || read[0] == '!' || scanned[0] == '!' ? 1 : 0;
        const std::string indexed = key();
        const std::string replaced = key();
        if (!went(s.Update("t", indexed, row_of(indexed, random.Below(50), random.Below(700)))) ||
            !went(s.Delete("t", replaced)) ||
            !went(s.Insert("t", row_of(replaced, random.Below(50), random.Below(700))))) {
          continue;
        }
        if (random.Chance(0.1)) {
          wrong += s.Rollback().ok() ? 0 : 1;
        } else {
          const bool ok = s.Commit().ok();
          wrong += ok ? 0 : 1;
          commits += ok ? 1 : 0;
        }
      }
    });
  }
  for (int crash = 0; crash < 6; ++crash) {
    const int before = commits;
    while (commits < before + 30) {
      std::this_thread::yield();
    }
    volume_->HoldDurability();
    const Lsn held = volume_->appended();
    for (int i = 0; i < 1'000 && volume_->appended() == held; ++i) {
      std::this_thread::yield();  // in the best case something is under way
    }
    std::unique_ptr<MemoryVolume> copy = volume_->CrashCopy(volume_->appended());
    volume_->Release();
    Result<std::unique_ptr<Engine>> next = Engine::Open(copy.get(), TestOptions());
    EXPECT_TRUE(next.ok()) << next.status().ToString();
    if (!next.ok()) {
      break;
    }
    EXPECT_OK((*next)->RunBackground());
    EXPECT_EQ(Split(Session(next->get()).Scan("t"), ' ').size(), kRows);
    EXPECT_OK((*next)->CheckTable(**(*next)->FindTable("test", "t")));
  }
  stop = true;
  threads.clear();
  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(Split(ScanAll("t"), ' ').size(), kRows);
  EXPECT_EQ(Split(ScanAll("t", 1), ' ').size(), kRows);
  ASSERT_OK(engine_->RunBackground());
  Check("t");
  EXPECT_TRUE(engine_->ListLocks().empty());
}

TEST_F(EngineConcurrencyTest, SchemaChangesWaitForTransactionsAndTheOtherWayRound) {
  LoadAccounts();
  Session user(engine_.get());
  EXPECT_EQ(Sum(user.Scan("t")), 1000 * kAccounts);
  std::atomic<bool> done{false};
  Thread ddl("ddl", [&] {
    TableAlteration alteration;
    alteration.payload = "0;1;1,0";
    alteration.indexes = {{"PRIMARY", true, "PRIMARY"}, {"k1", false, "k1"}, {"k2", false, ""}};
    alteration.concurrency = Concurrency::kNone;
    EXPECT_OK(engine_->AlterTable({"test", "t"}, alteration, {}));
    done = true;
  });
  AwaitWaiters(1);
  EXPECT_FALSE(done);
  EXPECT_EQ(engine_->ListMetadataLocks().empty(), false);
  // Whoever comes now queues behind the change.
  std::atomic<bool> second_done{false};
  Thread second("second", [&] {
    Session late(engine_.get());
    EXPECT_EQ(Sum(late.Scan("t")), 1000 * kAccounts);
    EXPECT_EQ(late.Open("t")->index_count(), 3u);
    second_done = true;
  });
  AwaitWaiters(2);
  EXPECT_FALSE(second_done);
  ASSERT_OK(user.Commit());
  ddl.Join();
  second.Join();
  Check("t");
  SchemaChangeOptions impatient;
  impatient.metadata_wait_timeout_us = 10'000;
  Session holder(engine_.get());
  holder.Scan("t");
  EXPECT_EQ(engine_->DropTables({{"test", "t"}}, impatient).code(), Code::kTimedOut);
  ASSERT_OK(holder.Commit());
  EXPECT_OK(engine_->DropTables({{"test", "t"}}, impatient));
  EXPECT_TRUE(engine_->ListMetadataLocks().empty());
}

}  // namespace
}  // namespace borealis::engine::testing
