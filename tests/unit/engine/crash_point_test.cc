// The writer dies at every CRASH_POINT of the engine under a mixed load: splits and merges, long
// values, deletes, rollbacks, purge. What the next one opens must have exactly what had committed,
// every index in order.
#include <map>
#include <set>

#include "base/fault.h"
#include "base/os/random.h"
#include "engine/row_batch.h"
#include "tests/unit/engine/engine_fixture.h"

namespace borealis::engine::testing {
namespace {

using Rows = std::map<std::string, std::string>;  // key → the fields that follow it

std::string Text(const Rows& rows) {
  std::string text;
  for (const auto& [key, fields] : rows) {
    text += (text.empty() ? "" : " ") + key + "|" + fields;
  }
  return text;
}

// Everything of the engine that a kill may meet between two records of the log, or while one is
// being made.
const std::set<std::string> kPoints = {
    "btree.collapse_root",
    "btree.grow_root",
    "btree.merge",
    "btree.split",
    "long_value.freed_in_part",
    "long_value.written_in_part",
    "purge.done_but_for_the_log",
    "purge.entries_gone",
    "purge.ghost_gone",
    "purge.long_value_step",
    "row_batch.entries_written",
    "row_batch.rows_written",
    "row_undo.entries_undone",
    "row_undo.row_undone",
    "row_write.entry_written",
    "secondary.entry_written",
    "transaction.commit_in_log",
};

// Keeps what an opener would find when the writer died at a visit of a crash point: all that had
// been appended by then. The copy is made at the next append, since the visitor holds latches.
class CrashVolume : public MemoryVolume {
 public:
  struct Copy {
    std::set<std::string> points;  // visited since the append before
    std::unique_ptr<MemoryVolume> volume;
    Rows before;                // what had committed
    std::optional<Rows> after;  // and with the commit under way
    Rows runs_before;           // likewise in the other table
    Rows runs_after;
  };

  void Visit(std::string_view point) {
    const uint64_t visits = ++visits_[std::string(point)];
    if (visits <= 2 || visits % 100 == 0) {
      pending_.emplace(point);
    }
  }
  Lsn Append(std::span<RecordDraft> drafts) override {
    if (!pending_.empty()) {
      copies.push_back({std::exchange(pending_, {}), CrashCopy(appended()), committed, committing,
                        committed_runs, committing_runs});
    }
    return MemoryVolume::Append(drafts);
  }

  Rows committed;
  std::optional<Rows> committing;
  Rows committed_runs;
  Rows committing_runs;
  std::vector<Copy> copies;

 private:
  std::set<std::string> pending_;
  std::map<std::string, uint64_t> visits_;
};

class CrashPointTest : public EngineTest, public ::testing::WithParamInterface<uint64_t> {
 protected:
  void SetUp() override {
    auto volume = std::make_unique<CrashVolume>();
    crashing_ = volume.get();
    volume_ = std::move(volume);
    OpenEngine(TestOptions());
    Create("t", "0;1;2,1", {true, true, false});
    Create("runs", "0;1", {true, false});
  }
  void TearDown() override {
    FaultRegistry::Instance().Disarm();
    EngineTest::TearDown();
  }
  // Wide enough that a page splits after some twenty.
  std::string Fields(const std::string& key, size_t long_size) {
    std::string fields =
        "u" + key + std::to_string(random_.Below(1'000'000)) + "|" +
        std::string(400 + random_.Below(300), static_cast<char>('a' + random_.Below(26)));
    if (long_size > 0) {
      fields += "|" + std::string(long_size, static_cast<char>('a' + random_.Below(26)));
    }
    return fields;
  }
  size_t LongSize() {
    const uint64_t kind = random_.Below(40);
    return kind == 0 ? 1'300'000 : kind < 4 ? 20'000 + random_.Below(500'000) : 0;
  }
  void Change(Session* session, Rows* rows, uint64_t deletes_of_ten) {
    const std::string key = std::to_string(100 + random_.Below(200));
    if (!rows->contains(key)) {
      if (deletes_of_ten < 8) {
        (*rows)[key] = Fields(key, LongSize());
        ASSERT_OK(session->Insert("t", key + "|" + (*rows)[key]));
      }
    } else if (random_.Below(10) < deletes_of_ten) {
      rows->erase(key);
      ASSERT_OK(session->Delete("t", key));
    } else {
      (*rows)[key] = Fields(key, LongSize());
      ASSERT_OK(session->Update("t", key, key + "|" + (*rows)[key]));
    }
  }
  // Rows that ascend, put in together.
  void InsertRun(Session* session, Rows* runs) {
    const TableRef table = session->Open("runs");
    RowBatch batch(&session->trx(), table.get());
    for (const uint64_t end = next_run_ + 2 + random_.Below(60); next_run_ < end; ++next_run_) {
      const std::string key = std::to_string(next_run_);
      (*runs)[key] = std::to_string(random_.Below(1000)) + "|" + std::string(40, 'r');
      ASSERT_OK(batch.Add(key + "|" + (*runs)[key]));
    }
    DuplicateKey duplicate;
    ASSERT_OK(batch.Flush(&duplicate));
  }
  void RunTransaction(uint64_t changes, uint64_t deletes_of_ten) {
    Session session(engine_.get());
    Rows rows = crashing_->committed;
    Rows runs = crashing_->committed_runs;
    ASSERT_NO_FATAL_FAILURE(InsertRun(&session, &runs));
    for (uint64_t i = 0; i < changes; ++i) {
      if (random_.Chance(0.1)) {
        const Savepoint savepoint = session.trx().SetSavepoint();
        Rows undone = rows;
        ASSERT_NO_FATAL_FAILURE(Change(&session, &undone, deletes_of_ten));
        ASSERT_OK(session.trx().RollbackTo(savepoint));
      }
      ASSERT_NO_FATAL_FAILURE(Change(&session, &rows, deletes_of_ten));
    }
    if (random_.Chance(0.2)) {
      ASSERT_OK(session.Rollback());
      return;
    }
    crashing_->committing = rows;
    crashing_->committing_runs = runs;
    ASSERT_OK(session.Commit());
    crashing_->committed = std::move(rows);
    crashing_->committed_runs = std::move(runs);
    crashing_->committing.reset();
  }
  void DeleteAll() {
    Session session(engine_.get());
    for (const auto& [key, fields] : crashing_->committed) {
      ASSERT_OK(session.Delete("t", key));
    }
    crashing_->committing.emplace();
    crashing_->committing_runs = crashing_->committed_runs;
    ASSERT_OK(session.Commit());
    crashing_->committed.clear();
    crashing_->committing.reset();
  }
  static void LookAt(const CrashVolume::Copy& copy) {
    SCOPED_TRACE("crash at " + ::testing::PrintToString(copy.points));
    Result<std::unique_ptr<Engine>> opened = Engine::Open(copy.volume.get(), TestOptions());
    ASSERT_TRUE(opened.ok()) << opened.status().ToString();
    Engine& engine = **opened;
    ASSERT_OK(engine.RunBackground());
    EXPECT_TRUE(engine.ListTransactions().empty());
    ASSERT_OK(engine.CheckTable(**engine.FindTable("test", "t")));
    const std::string found = Session(&engine).Scan("t");
    ASSERT_OK(engine.CheckTable(**engine.FindTable("test", "runs")));
    const std::string runs = Session(&engine).Scan("runs");
    EXPECT_TRUE((found == Text(copy.before) && runs == Text(copy.runs_before)) ||
                (copy.after && found == Text(*copy.after) && runs == Text(copy.runs_after)));
    // And it can be worked with: everything goes.
    Session session(&engine);
    for (const auto& [key, fields] : found == Text(copy.before) ? copy.before : *copy.after) {
      ASSERT_OK(session.Delete("t", key));
    }
    ASSERT_OK(session.Commit());
    ASSERT_OK(engine.RunBackground());
    ASSERT_OK(engine.CheckTable(**engine.FindTable("test", "t")));
  }

  Random random_{GetParam()};
  uint64_t next_run_ = 1'000'000;
  CrashVolume* crashing_ = nullptr;
};

// INV-UND-1, INV-UND-3
TEST_P(CrashPointTest, EveryOneUnderAMixedLoad) {
  FaultRegistry::Instance().Arm([this](std::string_view point) {
    crashing_->Visit(point);
    return false;  // the writer lives on, for the next ones
  });
  for (int round = 0; round < 2; ++round) {
    for (int i = 0; i < 12 && !HasFailure(); ++i) {
      RunTransaction(1 + random_.Below(20), 1);
    }
    ASSERT_OK(engine_->RunBackground());
    for (int i = 0; i < 12 && !HasFailure(); ++i) {
      RunTransaction(1 + random_.Below(20), 9);
      ASSERT_OK(engine_->RunBackground());
    }
    DeleteAll();
    ASSERT_OK(engine_->RunBackground());
  }
  FaultRegistry::Instance().Disarm();
  ASSERT_FALSE(HasFailure());
  std::set<std::string> seen;
  for (const CrashVolume::Copy& copy : crashing_->copies) {
    seen.insert(copy.points.begin(), copy.points.end());
    LookAt(copy);
    if (HasFailure()) {
      break;
    }
  }
  EXPECT_EQ(seen, kPoints);
}

INSTANTIATE_TEST_SUITE_P(Seeds, CrashPointTest, ::testing::Range<uint64_t>(1, 3));

}  // namespace
}  // namespace borealis::engine::testing
