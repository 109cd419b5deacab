// Schema changes that build trees while others read and change the table's rows.
//
// What happens "meanwhile" happens at named steps of the build, on its own thread but through other
// sessions: so each interleaving is made on purpose, and always the same.
#include <map>
#include <random>

#include "base/fault.h"
#include "engine/store/space.h"
#include "tests/unit/engine/engine_fixture.h"

namespace borealis::engine::testing {
namespace {

class OnlineBuildTest : public EngineTest {
 protected:
  // Adds an index on field 1 to a table of "0" or "0;2".
  static TableAlteration AddIndex(bool unique) {
    TableAlteration alteration;
    alteration.payload = "0;1";
    alteration.indexes = {{"PRIMARY", true, "PRIMARY"}, {"k1", unique, ""}};
    return alteration;
  }
  // Makes field 1 the clustered key, with an index on field 0, and adds a field.
  static TableAlteration Rekey() {
    TableAlteration alteration;
    alteration.payload = "1;0";
    alteration.indexes = {{"PRIMARY", true, ""}, {"id", true, ""}};
    alteration.rewrite = [](std::string_view from, std::string* to) {
      *to = std::string(from) + "|new";
      return Status::Ok();
    };
    return alteration;
  }
  // Rows keep their place.
  static TableAlteration Rewrite() {
    TableAlteration alteration = Rekey();
    alteration.payload = "0;1";
    alteration.indexes = {{"PRIMARY", true, ""}, {"k1", true, ""}};
    alteration.keeps_order = true;
    return alteration;
  }
  SchemaChangeOptions At(BuildStep step, std::function<void()> work) {
    SchemaChangeOptions how;
    auto once = std::make_shared<bool>(false);
    how.progress = [step, work = std::move(work), once](BuildStep now) {
      if (now == step && !*once) {
        *once = true;
        work();
      }
    };
    return how;
  }
  void Change(const std::function<void(Session&)>& work) {
    Session session(engine_.get());
    work(session);
    ASSERT_OK(session.Commit());
  }
  uint64_t AllocatedPages() {
    Page bitmap;
    EXPECT_OK(volume_->ReadPage(PageNo(1), volume_->vdl(), &bitmap));
    uint64_t count = 0;
    for (size_t i = space::kBits; i < kPageSize; ++i) {
      count += static_cast<uint64_t>(std::popcount(static_cast<uint8_t>(bitmap.bytes[i])));
    }
    return count;
  }
};

constexpr BuildStep kStepsWithOthers[] = {BuildStep::kReading, BuildStep::kInserting,
                                          BuildStep::kCatchingUp};

TEST_F(OnlineBuildTest, ChangesMeanwhileAreInTheIndex) {
  for (const BuildStep step : kStepsWithOthers) {
    for (const bool unique : {false, true}) {
      SCOPED_TRACE(static_cast<int>(step));
      Create("t", "0", {true});
      Load("t", {"1|a", "2|b", "3|c", "4|d", "5|e"});
      const Status altered =
          engine_->AlterTable({"test", "t"}, AddIndex(unique), At(step, [&] {
                                Change([](Session& s) {
                                  EXPECT_OK(s.Insert("t", "6|f"));
                                  EXPECT_OK(s.Delete("t", "1"));
                                  EXPECT_OK(s.Update("t", "2", "2|bb"));
                                  EXPECT_OK(s.Update("t", "3", "7|c"));  // another key
                                  EXPECT_OK(s.Delete("t", "4"));
                                  EXPECT_OK(s.Insert("t", "4|d"));
                                });
                                // Taken back: as if it had never been.
                                Session s(engine_.get());
                                EXPECT_OK(s.Update("t", "5", "5|zzz"));
                                EXPECT_OK(s.Insert("t", "8|h"));
                                EXPECT_OK(s.Delete("t", "2"));
                                EXPECT_OK(s.Rollback());
                              }));
      ASSERT_OK(altered);
      EXPECT_EQ(ScanAll("t"), "2|bb 4|d 5|e 6|f 7|c");
      EXPECT_EQ(ScanAll("t", 1), "2|bb 7|c 4|d 5|e 6|f");
      Check("t");
      ASSERT_OK(engine_->DropTables({{"test", "t"}}, {}));
    }
  }
}

TEST_F(OnlineBuildTest, ChangesMeanwhileAreInTheRewrittenTable) {
  const std::string big(20'000, 'z');
  for (const BuildStep step : kStepsWithOthers) {
    for (const bool rekey : {false, true}) {
      SCOPED_TRACE(static_cast<int>(step));
      ASSERT_OK(engine_->RunBackground());
      const uint64_t pages = AllocatedPages();
      Create("t", "0;1", {true, false});
      Load("t", {"1|a", "2|b|" + big, "3|c", "4|d", "5|e|" + big});
      const Status altered =
          engine_->AlterTable({"test", "t"}, rekey ? Rekey() : Rewrite(), At(step, [&] {
                                Change([&](Session& s) {
                                  EXPECT_OK(s.Insert("t", "6|f|" + big));
                                  EXPECT_OK(s.Delete("t", "1"));
                                  EXPECT_OK(s.Update("t", "2", "2|bb"));
                                  // Keys go round in a circle.
                                  EXPECT_OK(s.Update("t", "3", "3|x"));
                                  EXPECT_OK(s.Update("t", "4", "4|c"));
                                  EXPECT_OK(s.Update("t", "3", "3|d"));
                                  EXPECT_OK(s.Update("t", "5", "7|e|" + big));
                                });
                              }));
      ASSERT_OK(altered);
      const std::string all =
          rekey ? "2|bb|new 4|c|new 3|d|new 7|e|" + big + "|new 6|f|" + big + "|new"
                : "2|bb|new 3|d|new 4|c|new 6|f|" + big + "|new 7|e|" + big + "|new";
      EXPECT_EQ(ScanAll("t"), all);
      Check("t");
      ASSERT_OK(engine_->DropTables({{"test", "t"}}, {}));
      ASSERT_OK(engine_->RunBackground());
      EXPECT_LE(AllocatedPages(), pages + 2);
    }
  }
}

// Transactions under way hold the end of the build up, and what they commit is in it.
TEST_F(OnlineBuildTest, TransactionsAcrossTheEndAreWaitedFor) {
  Create("t", "0", {true});
  Load("t", {"1|a", "2|b", "3|c"});
  auto open = std::make_unique<Session>(engine_.get());
  Thread ddl;
  std::atomic<bool> changed{false};
  std::atomic<bool> done{false};
  ddl = Thread("ddl", [&] {
    const Status altered =
        engine_->AlterTable({"test", "t"}, AddIndex(true), At(BuildStep::kReading, [&] {
                              EXPECT_OK(open->Update("t", "1", "1|x"));
                              changed = true;
                            }));
    EXPECT_OK(altered);
    done = true;
  });
  while (!changed) {
    std::this_thread::yield();
  }
  AwaitWaiters(1);
  EXPECT_FALSE(done);
  EXPECT_OK(open->Insert("t", "4|d"));  // not held up by the one that waits
  ASSERT_OK(open->Commit());
  ddl.Join();
  EXPECT_EQ(ScanAll("t", 1), "2|b 3|c 4|d 1|x");
  Check("t");
}

TEST_F(OnlineBuildTest, AWaitingEndTimesOutAndLeavesTheOldTable) {
  Create("t", "0", {true});
  Load("t", {"1|a", "2|b"});
  ASSERT_OK(engine_->RunBackground());
  const uint64_t pages = AllocatedPages();
  Session open(engine_.get());
  SchemaChangeOptions how = At(BuildStep::kReading, [&] { EXPECT_OK(open.Insert("t", "3|c")); });
  how.metadata_wait_timeout_us = 20'000;
  EXPECT_EQ(engine_->AlterTable({"test", "t"}, AddIndex(true), how).code(), Code::kTimedOut);
  EXPECT_OK(open.Insert("t", "4|d"));
  ASSERT_OK(open.Commit());
  EXPECT_EQ(Table("t")->index_count(), 1u);
  ASSERT_OK(engine_->RunBackground());
  EXPECT_LE(AllocatedPages(), pages);
  EXPECT_TRUE(engine_->ListMetadataLocks().empty());
  ASSERT_OK(engine_->AlterTable({"test", "t"}, AddIndex(true), {}));
  Check("t");
}

TEST_F(OnlineBuildTest, DuplicatesEndIt) {
  for (const BuildStep step : kStepsWithOthers) {
    SCOPED_TRACE(static_cast<int>(step));
    Create("t", "0", {true});
    Load("t", {"1|a", "2|b"});
    TableAlteration alteration = AddIndex(true);
    DuplicateKey duplicate;
    std::string row;
    alteration.duplicate = &duplicate;
    alteration.duplicate_row = &row;
    EXPECT_EQ(
        engine_
            ->AlterTable(
                {"test", "t"}, alteration,
                At(step, [&] { Change([](Session& s) { EXPECT_OK(s.Insert("t", "3|a")); }); }))
            .code(),
        Code::kAlreadyExists);
    EXPECT_EQ(duplicate.index_no, 1u);
    EXPECT_TRUE(row == "1|a" || row == "3|a") << row;
    EXPECT_EQ(Table("t")->index_count(), 1u);
    ASSERT_OK(engine_->DropTables({{"test", "t"}}, {}));
  }
}

// One that no reader could have seen does not.
TEST_F(OnlineBuildTest, DuplicatesInsideOneTransactionDoNot) {
  Create("t", "0", {true});
  Load("t", {"1|a", "2|b"});
  const Status altered =
      engine_->AlterTable({"test", "t"}, AddIndex(true), At(BuildStep::kInserting, [&] {
                            Change([](Session& s) {
                              EXPECT_OK(s.Insert("t", "3|a"));
                              EXPECT_OK(s.Delete("t", "1"));
                            });
                          }));
  ASSERT_OK(altered);
  EXPECT_EQ(ScanAll("t", 1), "3|a 2|b");
  Check("t");
}

TEST_F(OnlineBuildTest, ALogBeyondItsLimitEndsIt) {
  Create("t", "0", {true});
  Load("t", {"1|a"});
  SchemaChangeOptions how = At(BuildStep::kReading, [&] {
    Change([](Session& s) {
      for (int i = 100; i < 200; ++i) {
        EXPECT_OK(s.Insert("t", std::to_string(i) + "|v" + std::to_string(i)));
      }
    });
  });
  how.online_log_max_bytes = 500;
  const Status status = engine_->AlterTable({"test", "t"}, AddIndex(false), how);
  EXPECT_NE(status.ToString().find("innodb_online_alter_log_max_size"), std::string::npos)
      << status.ToString();
  how.online_log_max_bytes = 100'000;
  EXPECT_OK(engine_->AlterTable({"test", "t"}, AddIndex(false),
                                how.progress ? SchemaChangeOptions{} : how));
  Check("t");
}

TEST_F(OnlineBuildTest, LongLogsAndSortsGoThroughFiles) {
  FaultRegistry::Instance().ResetCoverage();
  FaultRegistry::Instance().EnableCoverage(true);
  Create("t", "0", {true});
  std::vector<std::string> rows;
  const std::string pad(300, 'k');
  for (int i = 10'000; i < 14'000; ++i) {
    rows.push_back(std::to_string(i) + pad + "|v" + std::to_string(i * 7919 % 100'003));
  }
  Load("t", rows);
  SchemaChangeOptions how = At(BuildStep::kReading, [&] {
    for (int round = 0; round < 2; ++round) {
      Change([&](Session& s) {
        for (int i = 10'000; i < 12'000; ++i) {
          EXPECT_OK(s.Update("t", std::to_string(i) + pad,
                             std::to_string(i) + pad + "|w" + std::to_string(i * 17 % 100'003)));
        }
      });
    }
  });
  how.sort_buffer_bytes = 4'096;
  ASSERT_OK(engine_->AlterTable({"test", "t"}, AddIndex(true), how));
  Check("t");
  EXPECT_EQ(Split(ScanAll("t", 1), ' ').size(), rows.size());
  const auto coverage = FaultRegistry::Instance().Coverage();
  for (const char* point :
       {"sorted_runs.spilled", "sorted_runs.merged_runs", "change_log.spilled"}) {
    EXPECT_TRUE(coverage.contains(point)) << point;
  }
  FaultRegistry::Instance().EnableCoverage(false);
}

// A view from before the change finds in the new index less than it should see.
TEST_F(OnlineBuildTest, OldViewsMayNotUseWhatIsNew) {
  Create("t", "0", {true});
  Create("u", "0", {true});
  Load("t", {"1|a", "2|b"});
  Session old(engine_.get());
  EXPECT_EQ(old.Get("u", "1"), "-");  // its view is made
  Session between(engine_.get());
  const Status altered = engine_->AlterTable(
      {"test", "t"}, AddIndex(false),
      At(BuildStep::kFinishing, [&] { EXPECT_EQ(between.Get("u", "1"), "-"); }));
  ASSERT_OK(altered);
  ScanOptions by_index;
  by_index.index_no = 1;
  for (Session* session : {&old, &between}) {
    EXPECT_NE(session->Scan("t", by_index).find("definition has changed"), std::string::npos);
    EXPECT_EQ(session->Scan("t"), "1|a 2|b");  // the rows are still those
  }
  EXPECT_EQ(ScanAll("t", 1), "1|a 2|b");
  ASSERT_OK(old.Commit());
  ASSERT_OK(between.Commit());
  Session older(engine_.get());
  EXPECT_EQ(older.Get("u", "1"), "-");
  ASSERT_OK(engine_->AlterTable({"test", "t"}, Rewrite(), {}));
  EXPECT_NE(older.Scan("t").find("definition has changed"), std::string::npos);
}

// The same where nothing is built, but the columns are others.
TEST_F(OnlineBuildTest, OldViewsMayNotReadOtherColumns) {
  Create("t", "0", {true});
  Create("u", "0", {true});
  Load("t", {"1|a", "2|b"});
  TableAlteration alteration;
  alteration.payload = "0";
  alteration.indexes = {{"PRIMARY", true, "PRIMARY"}};
  for (const bool changes_columns : {false, true}) {
    Session old(engine_.get());
    EXPECT_EQ(old.Get("u", "1"), "-");
    alteration.changes_columns = changes_columns;
    ASSERT_OK(engine_->AlterTable({"test", "t"}, alteration, {}));
    EXPECT_EQ(old.Scan("t").find("definition has changed") != std::string::npos, changes_columns);
    EXPECT_EQ(ScanAll("t"), "1|a 2|b");
  }
}

TEST_F(OnlineBuildTest, ReadersOnlyMeansThatWritersWait) {
  Create("t", "0", {true});
  Load("t", {"1|a", "2|b"});
  TableAlteration alteration = AddIndex(false);
  alteration.concurrency = Concurrency::kRead;
  std::atomic<bool> wrote{false};
  Thread writer;
  const Status altered = engine_->AlterTable(
      {"test", "t"}, alteration, At(BuildStep::kReading, [&] {
        Session reader(engine_.get());
        std::string row;
        Result<TableRef> table = engine_->OpenTable(reader.trx(), "test", "t", TableUse::kRead);
        ASSERT_TRUE(table.ok());
        EXPECT_OK(Get(reader.trx(), **table, K("1"), LockMode::kNone, WaitPolicy::kWait, &row));
        ASSERT_OK(reader.Commit());
        writer = Thread("writer", [&] {
          Change([](Session& s) { EXPECT_OK(s.Insert("t", "3|c")); });
          wrote = true;
        });
        AwaitWaiters(1);
        EXPECT_FALSE(wrote);
      }));
  ASSERT_OK(altered);
  writer.Join();
  EXPECT_EQ(ScanAll("t", 1), "1|a 2|b 3|c");
  Check("t");
}

// One alteration of a table waits for the other without holding anybody else up.
TEST_F(OnlineBuildTest, AlterationsQueueByThemselves) {
  Create("t", "0", {true});
  Load("t", {"1|a", "2|b"});
  Thread second;
  const Status altered =
      engine_->AlterTable({"test", "t"}, AddIndex(false), At(BuildStep::kReading, [&] {
                            second = Thread("second", [&] {
                              TableAlteration drop;
                              drop.payload = "0";
                              drop.indexes = {{"PRIMARY", true, "PRIMARY"}};
                              EXPECT_OK(engine_->AlterTable({"test", "t"}, drop, {}));
                            });
                            AwaitWaiters(1);
                            Change([](Session& s) { EXPECT_OK(s.Insert("t", "3|c")); });
                          }));
  ASSERT_OK(altered);
  second.Join();
  EXPECT_EQ(Table("t")->index_count(), 1u);
  EXPECT_EQ(ScanAll("t"), "1|a 2|b 3|c");
}

// Killed at each step; the table is the old one, nothing stays behind, and it can be done again.
TEST_F(OnlineBuildTest, KilledAtAnyStepItLeavesTheOldTable) {
  const std::string big(20'000, 'z');
  Create("t", "0", {true});
  std::vector<std::string> rows;
  for (int i = 100; i < 400; ++i) {
    rows.push_back(std::to_string(i) + "|v" + std::to_string(i) + (i % 50 == 0 ? "|" + big : ""));
  }
  Load("t", rows);
  const std::string all = ScanAll("t");
  for (const bool rewrite : {false, true}) {
    for (const BuildStep step :
         {BuildStep::kReading, BuildStep::kSorting, BuildStep::kInserting, BuildStep::kCatchingUp,
          BuildStep::kFinishing, BuildStep::kPublishing}) {
      if (!rewrite && step == BuildStep::kSorting) {
        continue;
      }
      SCOPED_TRACE(static_cast<int>(step));
      ASSERT_OK(engine_->RunBackground());
      const uint64_t pages = AllocatedPages();
      bool killed = false;
      SchemaChangeOptions how = At(step, [&] { killed = true; });
      how.killed = [&] { return killed; };
      EXPECT_EQ(engine_->AlterTable({"test", "t"}, rewrite ? Rekey() : AddIndex(true), how).code(),
                Code::kCancelled);
      EXPECT_TRUE(killed);
      EXPECT_EQ(ScanAll("t"), all);
      EXPECT_EQ(Table("t")->index_count(), 1u);
      EXPECT_TRUE(engine_->ListMetadataLocks().empty());
      ASSERT_OK(engine_->RunBackground());
      EXPECT_EQ(AllocatedPages(), pages);
      Check("t");
    }
  }
  ASSERT_OK(engine_->AlterTable({"test", "t"}, Rekey(), {}));
  Check("t");
}

// The writer dies at each step, and at points in between, while others had changed rows.
TEST_F(OnlineBuildTest, CrashedAtAnyStepItIsTheOldTableOrTheNew) {
  for (const bool rewrite : {false, true}) {
    Create("t", "0", {true});
    std::vector<std::string> rows;
    for (int i = 100; i < 400; ++i) {
      rows.push_back(std::to_string(i) + "|v" + std::to_string(i));
    }
    Load("t", rows);
    ASSERT_OK(engine_->RunBackground());
    const uint64_t pages = AllocatedPages();
    std::vector<std::pair<std::unique_ptr<MemoryVolume>, std::string>> crashes;
    const auto crash = [&](const std::string& expected) {
      crashes.emplace_back(volume_->CrashCopy(volume_->appended()), expected);
    };
    int changes = 0;
    std::string now;
    SchemaChangeOptions how;
    how.progress = [&](BuildStep step) {
      if (step != BuildStep::kFinishing && step != BuildStep::kPublishing) {
        Change([&](Session& s) {
          const std::string key = std::to_string(500 + changes++);
          EXPECT_OK(s.Insert("t", key + "|v" + key));
          EXPECT_OK(s.Delete("t", std::to_string(100 + changes)));
        });
        now = ScanAll("t");
      }
      crash(now);
    };
    ASSERT_OK(engine_->AlterTable({"test", "t"}, rewrite ? Rekey() : AddIndex(true), how));
    ASSERT_GE(crashes.size(), 5u);
    for (auto& [copy, expected] : crashes) {
      Result<std::unique_ptr<Engine>> engine = Engine::Open(copy.get(), TestOptions());
      ASSERT_TRUE(engine.ok());
      ASSERT_OK((*engine)->RunBackground());
      Result<TableRef> table = (*engine)->FindTable("test", "t");
      ASSERT_TRUE(table.ok());
      EXPECT_EQ((*table)->index_count(), 1u);
      EXPECT_EQ(Session(engine->get()).Scan("t"), expected);
      EXPECT_OK((*engine)->CheckTable(**table));
      engine->reset();
      std::swap(volume_, copy);
      EXPECT_LE(AllocatedPages(), pages + 2);  // the rows that came
      std::swap(volume_, copy);
    }
    Crash();
    EXPECT_EQ(Table("t")->index_count(), 2u);
    Check("t");
    ASSERT_OK(engine_->DropTables({{"test", "t"}}, {}));
  }
}

// Threads change rows at random while indexes come and go and the table is rewritten.
TEST_F(OnlineBuildTest, RandomChangesMeanwhile) {
  Create("t", "0", {true});
  std::vector<std::string> rows;
  for (int i = 1000; i < 2000; ++i) {
    rows.push_back(std::to_string(i) + "|" + std::to_string(i * 7 % 1000) + "|x");
  }
  Load("t", rows);
  std::atomic<bool> stop{false};
  std::atomic<uint64_t> commits{0};
  std::vector<Thread> threads;
  for (int seed = 0; seed < 3; ++seed) {
    threads.emplace_back("changes", [&, seed] {
      std::mt19937 random(static_cast<unsigned>(seed));
      while (!stop) {
        Session s(engine_.get(), Isolation::kReadCommitted);
        bool good = true;
        for (int i = 0; i < 4 && good; ++i) {
          const std::string key = std::to_string(1000 + random() % 1200);
          const std::string row = key + "|" + std::to_string(random() % 100'000) + "|y";
          Status status;
          switch (random() % 4) {
            case 0:
              status = s.Insert("t", row);
              break;
            case 1:
              status = s.Delete("t", key);
              break;
            default:
              status = s.Update("t", key, row);
          }
          good = status.ok() || status.Is(Code::kNotFound) || status.Is(Code::kAlreadyExists);
        }
        if (good && random() % 8 != 0) {
          EXPECT_OK(s.Commit());
          ++commits;
        } else {
          EXPECT_OK(s.Rollback());
        }
      }
    });
  }
  for (int round = 0; round < 12; ++round) {
    TableAlteration alteration;
    const uint64_t before = commits;
    SchemaChangeOptions how;
    how.progress = [&](BuildStep step) {
      for (int i = 0; i < 2000 && step < BuildStep::kFinishing && commits < before + 50; ++i) {
        std::this_thread::yield();
      }
    };
    if (round % 3 == 2) {
      alteration = Rewrite();
      alteration.indexes[1].unique = false;
      alteration.rewrite = [](std::string_view from, std::string* to) {
        *to = from;
        return Status::Ok();
      };
    } else if (round % 3 == 1) {
      alteration.payload = "0";
      alteration.indexes = {{"PRIMARY", true, "PRIMARY"}};
    } else {
      alteration = AddIndex(false);
    }
    ASSERT_OK(engine_->AlterTable({"test", "t"}, alteration, how));
    Check("t");
  }
  stop = true;
  threads.clear();
  ASSERT_OK(engine_->RunBackground());
  Check("t");
}

}  // namespace
}  // namespace borealis::engine::testing
