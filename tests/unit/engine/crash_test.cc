// The writer dies at every consistency point of a scripted history; the next one must find exactly
// what had committed by then, with its indexes in order.
#include <array>
#include <map>
#include <set>

#include "tests/unit/engine/engine_fixture.h"

namespace borealis::engine::testing {
namespace {

class CrashTest : public EngineTest {
 protected:
  std::vector<Lsn> ConsistencyPoints(Lsn after) {
    std::vector<Lsn> points;
    volume_->ForEachRecord(after, volume_->appended(), [&](const RecordView& record) {
      if (record.is_consistency_point) {
        points.push_back(record.end);
      }
    });
    return points;
  }
  // Opens what a writer finds that stopped at `lsn`, and looks.
  void AfterCrashAt(Lsn lsn, const std::function<void(Engine&)>& look, bool background = true) {
    std::unique_ptr<MemoryVolume> copy = volume_->CrashCopy(lsn);
    Result<std::unique_ptr<Engine>> engine = Engine::Open(copy.get(), TestOptions());
    ASSERT_TRUE(engine.ok()) << engine.status().ToString();
    if (background) {
      ASSERT_OK((*engine)->RunBackground());
      EXPECT_TRUE((*engine)->ListTransactions().empty());
    }
    look(**engine);
  }
};

// INV-UND-3
TEST_F(CrashTest, EveryConsistencyPointOfAHistory) {
  Create("t", "0;1;2,1", {true, true, false});
  Load("t", {"1|a|x", "2|b|x", "3|c|y"});
  volume_->HoldDurability();
  const Lsn start = volume_->appended();
  std::map<Lsn, std::string> states = {{start, "1|a|x 2|b|x 3|c|y"}};
  const std::string big(20'000, 'z');
  const auto commit = [&](Session& session, std::string state) {
    session.trx().Commit([](const Status&) {});
    states[session.trx().commit_lsn()] = std::move(state);
  };
  {
    Session s(engine_.get());
    ASSERT_OK(s.Insert("t", "4|d|y"));
    ASSERT_OK(s.Update("t", "1", "1|aa|x"));
    commit(s, "1|aa|x 2|b|x 3|c|y 4|d|y");
  }
  Session open(engine_.get());  // never commits
  ASSERT_OK(open.Insert("t", "9|nine|q"));
  ASSERT_OK(open.Update("t", "3", "3|gone|y"));
  {
    Session s(engine_.get());
    ASSERT_OK(s.Delete("t", "2"));
    ASSERT_OK(s.Insert("t", "5|b|q|" + big));
    ASSERT_OK(s.Update("t", "5", "6|b|q|" + big));
    commit(s, "1|aa|x 3|c|y 4|d|y 6|b|q|" + big);
  }
  {
    Session s(engine_.get());
    const Savepoint savepoint = s.trx().SetSavepoint();
    ASSERT_OK(s.Update("t", "4", "4|dd|q|" + big));
    ASSERT_OK(s.Delete("t", "1"));
    ASSERT_OK(s.trx().RollbackTo(savepoint));
    ASSERT_OK(s.Insert("t", "2|back|w"));
    commit(s, "1|aa|x 2|back|w 3|c|y 4|d|y 6|b|q|" + big);
  }
  {
    Session s(engine_.get());
    ASSERT_OK(s.Update("t", "6", "6|b|small"));
    ASSERT_OK(s.Update("t", "4", "4|d2|q|" + big));
    ASSERT_OK(s.Rollback());
  }
  ASSERT_OK(open.Delete("t", "9"));
  const std::vector<Lsn> points = ConsistencyPoints(start);
  ASSERT_GT(points.size(), 40u);
  for (Lsn point : points) {
    SCOPED_TRACE("crash at " + point.ToString());
    const std::string& expected = std::prev(states.upper_bound(point))->second;
    AfterCrashAt(point, [&](Engine& engine) {
      EXPECT_EQ(Session(&engine).Scan("t"), expected);
      EXPECT_OK(engine.CheckTable(**engine.FindTable("test", "t")));
      // And it can be worked with.
      Session s(&engine);
      ASSERT_OK(s.Insert("t", "99|new|row"));
      ASSERT_OK(s.Commit());
    });
    if (HasFailure()) {
      break;
    }
  }
  // Unfinished transactions keep their locks until they are rolled back.
  AfterCrashAt(
      points.back(),
      [&](Engine& engine) {
        EXPECT_EQ(engine.ListTransactions().size(), 1u);
        EXPECT_TRUE(engine.ListTransactions()[0].recovered);
        Session s(&engine, Isolation::kRepeatableRead,
                  [](TransactionOptions* o) { o->lock_wait_timeout_us = 10'000; });
        EXPECT_EQ(s.Update("t", "3", "3|me|y").code(), Code::kTimedOut);
        EXPECT_EQ(s.Scan("t"), std::prev(states.end())->second);
        ASSERT_OK(engine.RunBackground());
        EXPECT_OK(s.Update("t", "3", "3|me|y"));
      },
      /*background=*/false);
  volume_->Release();
}

TEST_F(CrashTest, RollbackInterruptedByCrashesGoesOn) {
  Create("t", "0;1", {true, true});
  Load("t", {"1|a", "2|b"});
  volume_->HoldDurability();
  Session s(engine_.get());
  const std::string big(20'000, 'z');
  ASSERT_OK(s.Update("t", "1", "1|x|" + big));
  ASSERT_OK(s.Delete("t", "2"));
  ASSERT_OK(s.Insert("t", "2|c"));
  ASSERT_OK(s.Insert("t", "3|b|" + big));
  const Lsn before = volume_->appended();
  ASSERT_OK(s.Rollback());
  const std::vector<Lsn> points = ConsistencyPoints(before);
  ASSERT_GT(points.size(), 4u);
  for (Lsn point : points) {
    SCOPED_TRACE("crash at " + point.ToString());
    AfterCrashAt(point, [&](Engine& engine) {
      EXPECT_EQ(Session(&engine).Scan("t"), "1|a 2|b");
      EXPECT_OK(engine.CheckTable(**engine.FindTable("test", "t")));
    });
  }
  volume_->Release();
}

// INV-UND-1
TEST_F(CrashTest, PurgeInterruptedByCrashesGoesOn) {
  Create("t", "0;1", {true, true});
  const std::string big(20'000, 'z');
  Load("t", {"1|a|" + big, "2|b", "3|c"});
  {
    Session s(engine_.get());
    ASSERT_OK(s.Update("t", "1", "1|aa|" + big));
    ASSERT_OK(s.Update("t", "2", "2|bb"));
    ASSERT_OK(s.Delete("t", "3"));
    ASSERT_OK(s.Commit());
    Session again(engine_.get());
    ASSERT_OK(again.Insert("t", "3|cc"));
    ASSERT_OK(again.Delete("t", "2"));
    ASSERT_OK(again.Commit());
  }
  volume_->HoldDurability();
  const Lsn before = volume_->appended();
  ASSERT_OK(engine_->RunBackground());
  const std::vector<Lsn> points = ConsistencyPoints(before);
  ASSERT_GT(points.size(), 4u);
  for (Lsn point : points) {
    SCOPED_TRACE("crash at " + point.ToString());
    AfterCrashAt(point, [&](Engine& engine) {
      EXPECT_EQ(Session(&engine).Scan("t"), "1|aa|" + big + " 3|cc");
      EXPECT_OK(engine.CheckTable(**engine.FindTable("test", "t")));
    });
  }
  volume_->Release();
}

// INV-DIC-1, INV-DIC-2
TEST_F(CrashTest, SchemaChangesHappenEntirelyOrNotAtAll) {
  Create("a", "0;1", {true, false});
  Create("b", "0", {true});
  std::vector<std::string> rows;
  for (int i = 100; i < 160; ++i) {
    rows.push_back(std::to_string(i) + "|v" + std::to_string(i % 10));
  }
  Load("a", rows);
  Load("b", {"1|only"});
  const std::string all = ScanAll("a");
  TableAlteration rebuild;
  rebuild.payload = "1,0;0;2";
  rebuild.indexes = {{"PRIMARY", true, ""}, {"id", true, ""}, {"k2", false, ""}};
  rebuild.rewrite = [](std::string_view from, std::string* to) {
    *to = std::string(from) + "|extra";
    return Status::Ok();
  };
  const auto describe = [](Engine& engine) {
    std::string text;
    for (const std::string& name : *engine.ListTables("test")) {
      Result<TableRef> table = engine.FindTable("test", name);
      EXPECT_TRUE(table.ok());
      EXPECT_OK(engine.CheckTable(**table));
      text +=
          name + "(" + (*table)->definition().payload + "): " + Session(&engine).Scan(name) + "\n";
    }
    for (const auto& [key, value] : *engine.ListSqlEntries("")) {
      text += key + "=" + value + "\n";
    }
    return text;
  };
  std::string long_definition(3000, ' ');
  long_definition += "0;1";
  const std::vector<std::function<Status()>> changes = {
      [&] {
        return engine_->CreateTable(MakeDefinition("c", long_definition, {true, false}), {})
            .status();
      },
      [&] {  // with another table's description and an entry of SQL's own
        const TableRef other = engine_->FindTable("test", "a").value();
        SchemaChangeOptions how;
        how.related.tables = {{{"test", "a"}, other->version(), " " + other->definition().payload}};
        how.related.entries = {{"key", "value"}};
        return engine_->CreateTable(MakeDefinition("d", "0", {true}), how).status();
      },
      [&] {
        return engine_->RenameTables({{{"test", "a"}, {"test", "tmp"}},
                                      {{"test", "b"}, {"test", "a"}},
                                      {{"test", "tmp"}, {"test", "b"}}},
                                     {});
      },
      [&] {
        return engine_->AlterTable({"test", "b"}, rebuild, {});
      },
      [&] {
        return engine_->TruncateTable({"test", "a"}, {});
      },
      [&] {
        return engine_->DropTables({{"test", "a"}, {"test", "c"}}, {});
      },
      [&] { return engine_->DropSchema("test", {}); },
  };
  for (size_t i = 0; i < changes.size(); ++i) {
    SCOPED_TRACE("change " + std::to_string(i));
    ASSERT_OK(engine_->RunBackground());
    const std::string before = describe(*engine_);
    volume_->HoldDurability();
    const Lsn start = volume_->appended();
    Status outcome;
    std::atomic<bool> done{false};
    std::atomic<bool> started{false};
    Thread thread("ddl", [&] {
      started = true;
      outcome = changes[i]();
      done = true;
    });
    // It waits for the volume when all its records are there.
    Lsn seen = start;
    for (int quiet = 0; quiet < 200; ++quiet) {
      ConditionVariable never;
      Mutex mutex{LockRank::kLeaf};
      {
        MutexLock lock(mutex);
        never.WaitFor(mutex, 1'000);
      }
      if (volume_->appended() != seen || !started) {
        seen = volume_->appended();
        quiet = 0;
      }
    }
    EXPECT_FALSE(done) << "answered before it was durable";
    const std::vector<Lsn> points = ConsistencyPoints(start);
    std::vector<std::string> outcomes;
    size_t step = 0;
    for (Lsn point : points) {
      // All of the last ones, some of a long copying.
      if (points.size() > 60 && ++step % 7 != 0 && point < points[points.size() - 40]) {
        continue;
      }
      AfterCrashAt(point, [&](Engine& engine) {
        const bool gone = !engine.FindSchema("test").ok();
        outcomes.push_back(gone ? "gone" : describe(engine));
      });
    }
    volume_->Release();
    thread.Join();
    ASSERT_OK(outcome);
    const std::string after = engine_->FindSchema("test").ok() ? describe(*engine_) : "gone";
    ASSERT_NE(before, after);
    ASSERT_FALSE(outcomes.empty());
    bool happened = false;
    for (const std::string& text : outcomes) {
      happened |= text == after;
      EXPECT_EQ(text, happened ? after : before);
    }
    EXPECT_TRUE(happened);
  }
}

TEST_F(CrashTest, RowIdsNeverComeTwice) {
  Create("t", "0", {true});
  uint64_t highest = 0;
  for (int round = 0; round < 100; ++round) {
    // The first calls after an opening, all at once.
    std::array<std::atomic<uint64_t>, 4> ids{};
    std::atomic<int> ready{0};
    {
      std::vector<Thread> threads;
      const TableRef table = Table("t");
      for (auto& id : ids) {
        threads.emplace_back("row id", [&] {
          for (++ready; ready < 4;) {
          }
          id = *engine_->NextRowId(*table);
        });
      }
    }
    const std::set<uint64_t> distinct(ids.begin(), ids.end());
    ASSERT_EQ(distinct.size(), ids.size());
    ASSERT_GT(*distinct.begin(), highest);
    highest = *distinct.rbegin();
    Crash();
  }
}

TEST_F(CrashTest, AutoIncrementNeverGoesBack) {
  Create("t", "0", {true});
  uint64_t last = 0;
  for (int round = 0; round < 5; ++round) {
    for (int i = 0; i < 40; ++i) {
      Result<uint64_t> next = engine_->ReserveAutoIncrement(*Table("t"), 1);
      ASSERT_TRUE(next.ok());
      EXPECT_GT(*next, last);
      if (i > 0) {
        EXPECT_EQ(*next, last + 1);
      }
      last = *next;
    }
    const uint64_t row_id = *engine_->NextRowId(*Table("t"));
    Crash();
    EXPECT_GT(*engine_->NextRowId(*Table("t")), row_id);
  }
  ASSERT_OK(engine_->BumpAutoIncrement(*Table("t"), 5000));
  Crash();
  EXPECT_GE(*engine_->PeekAutoIncrement(*Table("t")), 5001u);
  ASSERT_OK(engine_->SetAutoIncrement(*Table("t"), 6000));
  EXPECT_EQ(*engine_->ReserveAutoIncrement(*Table("t"), 3, 5, 10), 6005u);
  EXPECT_EQ(*engine_->PeekAutoIncrement(*Table("t")), 6026u);
  // A clean stop keeps the exact number.
  engine_->Stop();
  engine_.reset();
  OpenEngine(TestOptions());
  EXPECT_EQ(*engine_->PeekAutoIncrement(*Table("t")), 6026u);
  ASSERT_OK(engine_->TruncateTable({"test", "t"}, {}));
  EXPECT_EQ(*engine_->ReserveAutoIncrement(*Table("t"), 1), 1u);
}

}  // namespace
}  // namespace borealis::engine::testing
