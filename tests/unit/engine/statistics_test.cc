// Statistics of tables: what is counted, stored, found again, and counted anew by itself.
#include "engine/statistics.h"

#include <fmt/format.h>

#include <atomic>
#include <chrono>
#include <functional>

#include "base/os/time.h"
#include "tests/support/follower.h"
#include "tests/unit/engine/engine_fixture.h"

namespace borealis::engine {
namespace {

using testing::EngineTest;
using testing::FieldLayout;
using testing::Follower;
using testing::Session;
using testing::TestOptions;

// Goes on when it is told to. Counting asks for the wall time between looking at the table and
// storing what it has found: what a test wants to happen there.
class TestClock final : public Clock {
 public:
  int64_t NowUs() const override {
    asked.fetch_add(1);
    return now_us.load();
  }
  int64_t WallUs() const override {
    if (on_wall != nullptr) {
      std::exchange(on_wall, nullptr)();
    }
    return now_us.load();
  }
  std::atomic<int64_t> now_us{1'000'000'000};
  mutable std::atomic<uint64_t> asked{0};
  mutable std::function<void()> on_wall;
};

class StatisticsTest : public EngineTest {
 protected:
  void OpenWithClock(bool background) {
    engine_.reset();
    EngineOptions options = TestOptions(background);
    options.clock = &clock_;
    OpenEngine(std::move(options));
  }
  // Waits for a count by the background that finds so many rows, and until it has looked at the
  // clock again, to know for how long to rest.
  uint64_t AwaitCount(const std::string& name, uint64_t rows) {
    for (int i = 0; i < 1000 && (Get(name)->rough || Get(name)->row_count != rows); ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    AwaitLooks(1);
    return Get(name)->row_count;
  }
  // Until the background has looked at the clock so many times.
  void AwaitLooks(uint64_t times) {
    const uint64_t until = clock_.asked.load() + times;
    for (int i = 0; i < 2000 && clock_.asked.load() < until; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  }
  void TearDown() override {
    FieldLayout::statistics = {};
    EngineTest::TearDown();
  }

  // Rows "000001|g|tail": the second field has `groups` values, as evenly as can be.
  void Fill(const std::string& name, int from, int to, int groups) {
    Session session(engine_.get());
    TableRef table = session.Open(name);
    const std::string tail(200, 'x');
    for (int i = from; i < to; ++i) {
      session.trx().BeginStatement();
      ASSERT_OK(Insert(session.trx(), *table, fmt::format("{:06}|{:05}|{}", i, i % groups, tail),
                       nullptr));
    }
    ASSERT_OK(session.Commit());
  }
  void Analyze(const std::string& name) { ASSERT_OK(engine_->AnalyzeTable(*Table(name), {})); }
  std::shared_ptr<const TableStatistics> Get(const std::string& name) {
    auto statistics = engine_->Statistics(*Table(name));
    EXPECT_TRUE(statistics.ok()) << statistics.status().ToString();
    return *statistics;
  }
  const IndexStatistics& Index(const std::string& name, size_t index_no) {
    kept_ = Get(name);
    const IndexStatistics* index = kept_->Find(Table(name)->definition().indexes[index_no].id);
    EXPECT_NE(index, nullptr);
    static const IndexStatistics kNone;
    return index != nullptr ? *index : kNone;
  }

  std::shared_ptr<const TableStatistics> kept_;
  TestClock clock_;
};

TEST_F(StatisticsTest, SmallTablesAreCountedExactly) {
  Create("t", "0;1;1,0", {true, false, true});
  EXPECT_TRUE(Get("t")->rough);
  Fill("t", 0, 300, 7);
  Session deleter(engine_.get());
  for (int i = 0; i < 100; ++i) {
    ASSERT_OK(deleter.Delete("t", fmt::format("{:06}", i)));
  }
  ASSERT_OK(deleter.Commit());
  Analyze("t");  // the ghosts are still there, and do not count
  EXPECT_EQ(Get("t")->row_count, 200u);
  EXPECT_TRUE(Get("t")->stored);
  EXPECT_EQ(Index("t", 0).distinct, std::vector<uint64_t>{200});
  EXPECT_EQ(Index("t", 1).distinct, (std::vector<uint64_t>{7, 200}));
  EXPECT_EQ(Index("t", 2).distinct, (std::vector<uint64_t>{7, 200}));
}

TEST_F(StatisticsTest, EmptyTablesHaveNoValues) {
  Create("t", "0;1", {true, false});
  Analyze("t");
  EXPECT_EQ(Get("t")->row_count, 0u);
  EXPECT_EQ(Index("t", 1).distinct, (std::vector<uint64_t>{0, 0}));
  EXPECT_EQ(Index("t", 0).leaf_pages, 1u);
}

// Within a fifth, whether values share a leaf or one value spans many.
TEST_F(StatisticsTest, LargeTablesAreEstimated) {
  Create("t", "0;1", {true, false});
  constexpr int kRows = 40000;
  const auto near = [](uint64_t value, int truth) {
    return value >= 0.8 * truth && value <= 1.2 * truth;
  };
  Fill("t", 0, kRows, 3);
  Analyze("t");
  EXPECT_GT(Index("t", 0).leaf_pages, 400u);
  EXPECT_EQ(Index("t", 0).sampled_pages, 20u);
  EXPECT_TRUE(near(Get("t")->row_count, kRows)) << Get("t")->row_count;
  EXPECT_EQ(Index("t", 1).distinct[0], 3u);
  EXPECT_TRUE(near(Index("t", 1).distinct[1], kRows)) << Index("t", 1).distinct[1];
  for (const int groups : {50, 400, 5000, 20000}) {
    const std::string name = "t" + std::to_string(groups);
    Create(name, "0;1", {true, false});
    Fill(name, 0, kRows, groups);
    Analyze(name);
    EXPECT_TRUE(near(Index(name, 1).distinct[0], groups))
        << groups << ": " << Index(name, 1).distinct[0];
  }
}

TEST_F(StatisticsTest, TheyOutliveACrashAndEndWithTheirIndex) {
  Create("t", "0;1", {true, false});
  Fill("t", 0, 100, 4);
  Analyze("t");
  Crash();
  ASSERT_TRUE(Get("t")->stored);
  EXPECT_EQ(Get("t")->row_count, 100u);
  EXPECT_EQ(Index("t", 1).distinct, (std::vector<uint64_t>{4, 100}));
  ASSERT_OK(engine_->TruncateTable({"test", "t"}, {}));
  EXPECT_TRUE(Get("t")->rough);
  EXPECT_EQ(Get("t")->row_count, 0u);
  Crash();
  EXPECT_TRUE(Get("t")->rough);
}

TEST_F(StatisticsTest, RenamingKeepsThem) {
  Create("t", "0;1", {true, false});
  Fill("t", 0, 100, 4);
  Analyze("t");
  ASSERT_OK(engine_->RenameTables({{{"test", "t"}, {"test", "u"}}}, {}));
  EXPECT_EQ(Get("u")->row_count, 100u);
  Crash();
  EXPECT_TRUE(Get("u")->stored);
  EXPECT_EQ(Index("u", 1).distinct, (std::vector<uint64_t>{4, 100}));
}

TEST_F(StatisticsTest, RowsAreFollowedBetweenCounts) {
  Create("t", "0;1", {true, true});
  Fill("t", 0, 100, 1000);
  Analyze("t");
  const auto rows = [&] { return engine_->EstimateTable(*Table("t"))->row_count; };
  Fill("t", 100, 150, 1000);
  EXPECT_EQ(rows(), 150u);
  {
    Session session(engine_.get());
    ASSERT_OK(session.Insert("t", "000900|00900|x"));
    ASSERT_OK(session.Delete("t", "000001"));
    ASSERT_OK(session.Delete("t", "000002"));
    ASSERT_OK(session.Insert("t", "000002|00002|again"));
    EXPECT_EQ(rows(), 150u);
    ASSERT_OK(session.Rollback());
  }
  EXPECT_EQ(rows(), 150u);
  Session session(engine_.get());
  EXPECT_FALSE(session.Insert("t", "000999|00005|dup").ok());  // taken back as a statement
  ASSERT_OK(session.Delete("t", "000007"));
  ASSERT_OK(session.Commit());
  EXPECT_EQ(rows(), 149u);
}

TEST_F(StatisticsTest, TransientOnesAreNotStored) {
  FieldLayout::statistics.persistent = false;
  Create("t", "0;1", {true, false});
  Fill("t", 0, 100, 4);
  Analyze("t");
  EXPECT_FALSE(Get("t")->stored);
  EXPECT_EQ(Index("t", 1).distinct, (std::vector<uint64_t>{4, 100}));
  Crash();
  EXPECT_TRUE(Get("t")->rough);
}

TEST_F(StatisticsTest, TablesSayHowManyPages) {
  FieldLayout::statistics.sample_pages = 3;
  Create("t", "0", {true});
  Fill("t", 0, 5000, 4);
  Analyze("t");
  EXPECT_EQ(Index("t", 0).sampled_pages, 3u);
}

TEST_F(StatisticsTest, ChangedTablesAreCountedByThemselves) {
  engine_.reset();
  OpenEngine(TestOptions(/*background=*/true));
  Create("t", "0;1", {true, false});
  FieldLayout::statistics.auto_recalc = false;
  Create("left", "0;1", {true, false});
  Fill("left", 0, 200, 5);
  Fill("t", 0, 200, 5);
  for (int i = 0; i < 500 && Get("t")->rough; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  ASSERT_TRUE(Get("t")->stored);
  EXPECT_EQ(Index("t", 1).distinct, (std::vector<uint64_t>{5, 200}));
  EXPECT_TRUE(Get("left")->rough);
}

// As InnoDB: more than a tenth, and not more often than every ten seconds. That a table is not
// counted is seen from one that is: the background takes them in turn.
TEST_F(StatisticsTest, ATenthOfTheRowsMakesATableDue) {
  OpenWithClock(/*background=*/true);
  for (const char* name : {"t", "few", "late"}) {
    Create(name, "0;1", {true, false});
    Fill(name, 0, 200, 5);
  }
  clock_.now_us += 600'000;
  for (const char* name : {"t", "few", "late"}) {
    EXPECT_EQ(AwaitCount(name, 200), 200u);
  }
  // They have been queued again meanwhile and are found not to be due, with four looks for each.
  clock_.now_us += 11'000'000;
  AwaitLooks(13);
  clock_.now_us += 11'000'000;
  Fill("few", 200, 220, 5);
  Fill("t", 200, 230, 5);
  clock_.now_us += 600'000;
  Fill("late", 200, 300, 5);
  EXPECT_EQ(AwaitCount("t", 230), 230u);
  EXPECT_EQ(Get("late")->row_count, 200u);  // its load may go on
  clock_.now_us += 600'000;
  EXPECT_EQ(AwaitCount("late", 300), 300u);
  EXPECT_EQ(Get("few")->row_count, 200u);
  Fill("t", 230, 300, 5);
  Fill("few", 220, 300, 5);
  clock_.now_us += 5'000'000;
  EXPECT_EQ(AwaitCount("few", 300), 300u);
  EXPECT_EQ(Get("t")->row_count, 230u);
  clock_.now_us += 6'000'000;
  EXPECT_EQ(AwaitCount("t", 300), 300u);
}

TEST_F(StatisticsTest, ChangesDuringACountAreNotForgotten) {
  OpenWithClock(/*background=*/false);
  Create("t", "0;1", {true, false});
  Fill("t", 0, 100, 5);
  clock_.on_wall = [&] { Fill("t", 100, 103, 5); };
  Analyze("t");
  EXPECT_EQ(Get("t")->row_count, 100u);
  EXPECT_EQ(engine_->EstimateTable(*Table("t"))->row_count, 103u);
}

// INV-STA-1
TEST_F(StatisticsTest, OfATableThatGoesMeanwhileNothingIsStored) {
  OpenWithClock(/*background=*/false);
  Create("t", "0;1", {true, false});
  Fill("t", 0, 100, 5);
  const TableRef table = Table("t");
  clock_.on_wall = [&] { ASSERT_OK(engine_->DropTables({{"test", "t"}}, {})); };
  EXPECT_TRUE(engine_->AnalyzeTable(*table, {}).Is(Code::kRetry));
}

// INV-STA-1
TEST_F(StatisticsTest, TheyAreStoredUnderTheTablesLock) {
  OpenWithClock(/*background=*/false);
  Create("t", "0;1", {true, false});
  Fill("t", 0, 100, 5);
  std::shared_ptr<const TableLocks> locks;
  clock_.on_wall = [&] { locks = engine_->LockTables({{{"test", "t"}, true}}, {}).value(); };
  SchemaChangeOptions how;
  how.killed = [] { return true; };  // while it waits
  EXPECT_TRUE(engine_->AnalyzeTable(*Table("t"), how).Is(Code::kCancelled));
  locks.reset();
  EXPECT_OK(engine_->AnalyzeTable(*Table("t"), how));
}

TEST_F(StatisticsTest, PlansAreOutdatedByOtherFiguresOnly) {
  Create("t", "0;1", {true, false});
  Fill("t", 0, 100, 5);
  uint64_t version = engine_->dictionary_version();
  Analyze("t");
  EXPECT_GT(engine_->dictionary_version(), version);
  version = engine_->dictionary_version();
  Fill("t", 100, 110, 5);
  Analyze("t");
  EXPECT_EQ(engine_->dictionary_version(), version);
  Fill("t", 110, 300, 5);
  Analyze("t");
  EXPECT_GT(engine_->dictionary_version(), version);
}

TEST_F(StatisticsTest, AReaderLooksAgainAfterAWhile) {
  Create("t", "0;1", {true, false});
  Fill("t", 0, 100, 5);
  Analyze("t");
  Lsn at;
  const std::string hello = engine_->ActiveTransactions(&at);
  Follower follower(volume_.get());
  EngineOptions options = TestOptions();
  options.clock = &clock_;
  auto replica = Engine::OpenReplica(&follower, std::move(options), hello);
  ASSERT_OK(replica.status());
  const auto rows = [&] {
    return (*(*replica)->Statistics(**(*replica)->FindTable("test", "t")))->row_count;
  };
  EXPECT_EQ(rows(), 100u);
  Fill("t", 100, 300, 5);
  Analyze("t");
  ASSERT_OK(follower.Follow(replica->get()));
  clock_.now_us += 5'000'000;
  EXPECT_EQ(rows(), 100u);
  clock_.now_us += 6'000'000;
  EXPECT_EQ(rows(), 300u);
}

}  // namespace
}  // namespace borealis::engine
