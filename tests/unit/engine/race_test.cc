// What others do between two steps of one operation: transactions that end, and undo that is
// purged, just when a version of theirs has been read.
#include "base/fault.h"
#include "tests/unit/engine/engine_fixture.h"

namespace borealis::engine::testing {
namespace {

class RaceTest : public EngineTest {
 protected:
  void SetUp() override {
    EngineTest::SetUp();
    Create("t", "0;1", {true, false});
    Load("t", {"1|a", "2|b"});
  }
  void TearDown() override {
    FaultRegistry::Instance().OnPass(nullptr);
    EngineTest::TearDown();
  }

  // At the first visit of the point from now on `steps` happen; it is seen to have been visited.
  class At {
   public:
    At(std::string point, std::function<void()> steps)
        : point_(std::move(point)), steps_(std::move(steps)) {
      FaultRegistry::Instance().OnPass([this](std::string_view name) {
        if (name == point_) {
          FaultRegistry::Instance().OnPass(nullptr);
          visited_ = true;
          steps_();
        }
      });
    }
    ~At() {
      FaultRegistry::Instance().OnPass(nullptr);
      EXPECT_TRUE(visited_) << point_;
    }

   private:
    const std::string point_;
    const std::function<void()> steps_;
    bool visited_ = false;
  };

  // Changes enough rows to fill undo pages, row 1 first.
  void ChangeMuch(Session& session, const std::string& value) {
    ASSERT_OK(session.Update("t", "1", "1|" + value));
    for (int i = 0; i < 20; ++i) {
      ASSERT_OK(session.Update("t", "2", "2|" + std::string(3000, static_cast<char>('c' + i))));
    }
  }
  ScanOptions SemiConsistent() {
    ScanOptions options;
    options.lock = LockMode::kExclusive;
    options.semi_consistent = true;
    options.range = {K("1"), true, K("1"), true, false};
    return options;
  }
  // The first row of a scan that shows locked rows as committed.
  std::string FirstShown(Session& session) {
    Result<std::unique_ptr<Cursor>> cursor =
        OpenCursor(session.trx(), session.Open("t"), SemiConsistent());
    EXPECT_TRUE(cursor.ok());
    Result<bool> more = (*cursor)->Next();
    EXPECT_TRUE(more.ok()) << more.status().ToString();
    return more.ok() && *more ? std::string(*(*cursor)->row()) : "-";
  }
};

// INV-ROW-4: the writer comes between the look at the row and the lock, and rolls back between the
// reading of its version and the question whether it is active.
TEST_F(RaceTest, ALockedReadShowsNoRowThatWasRolledBack) {
  Session writer(engine_.get());
  ASSERT_OK(writer.Update("t", "2", "2|c"));
  Session reader(engine_.get());
  std::unique_ptr<At> rollback;
  {
    At write("row_lock.row_seen", [&] {
      ASSERT_OK(writer.Update("t", "1", "1|x"));
      rollback =
          std::make_unique<At>("row_version.newest_read", [&] { ASSERT_OK(writer.Rollback()); });
    });
    EXPECT_EQ(reader.Get("t", "1", LockMode::kExclusive), "1|a");
  }
  rollback.reset();
  EXPECT_EQ(reader.Get("t", "1"), "1|a");
}

// INV-LCK-3: what is taken back to a savepoint stays locked, also when somebody was given the lock
// just before and has yet to see whose the row is.
TEST_F(RaceTest, ARowTakenBackToASavepointStaysLocked) {
  Session writer(engine_.get());
  ASSERT_OK(writer.Update("t", "2", "2|c"));
  const Savepoint before = writer.trx().SetSavepoint();
  Session reader(engine_.get());
  std::unique_ptr<At> granted;
  std::unique_ptr<Thread> others;
  {
    At write("row_lock.row_seen", [&] {
      ASSERT_OK(writer.Update("t", "1", "1|x"));
      granted = std::make_unique<At>("row_lock.lock_granted", [&] {
        others = std::make_unique<Thread>("writer", [&] {
          ASSERT_OK(writer.trx().RollbackTo(before));
          std::this_thread::sleep_for(std::chrono::milliseconds(150));
          ASSERT_OK(writer.Update("t", "1", "1|z"));
          ASSERT_OK(writer.Commit());
        });
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
      });
    });
    EXPECT_EQ(reader.Get("t", "1", LockMode::kExclusive), "1|z");
  }
  others->Join();
  granted.reset();
}

// INV-ROW-4
TEST_F(RaceTest, ALockedReadFindsARowWhoseDeleteWasRolledBack) {
  Session writer(engine_.get());
  ASSERT_OK(writer.Delete("t", "1"));
  Session reader(engine_.get(), Isolation::kReadCommitted);
  {
    At at("row_version.newest_read", [&] { ASSERT_OK(writer.Rollback()); });
    EXPECT_EQ(reader.Get("t", "1", LockMode::kExclusive), "1|a");
  }
}

// INV-ROW-4
TEST_F(RaceTest, NoRowIsShownAsCommittedThatWasRolledBack) {
  Session writer(engine_.get());
  ASSERT_OK(writer.Update("t", "1", "1|x"));
  Session reader(engine_.get(), Isolation::kReadCommitted);
  At at("row_version.newest_read", [&] { ASSERT_OK(writer.Rollback()); });
  EXPECT_EQ(FirstShown(reader), "1|a");
}

// INV-ROW-3
TEST_F(RaceTest, AWriterCommitsAndIsPurgedWhileItsUndoIsRead) {
  Session writer(engine_.get());
  ChangeMuch(writer, "x");
  Session reader(engine_.get(), Isolation::kReadCommitted);
  At at("row_version.writer_active", [&] {
    ASSERT_OK(writer.Commit());
    ASSERT_OK(engine_->RunBackground());
  });
  EXPECT_EQ(FirstShown(reader), "1|x");
}

// The rollback asks whether an older view needs the entry that it takes back; the last such view is
// closed, and the undo that leads to its version purged.
TEST_F(RaceTest, UndoIsPurgedWhileARollbackReadsIt) {
  Session view(engine_.get());
  EXPECT_EQ(view.Scan("t"), "1|a 2|b");
  {
    Session writer(engine_.get());
    ChangeMuch(writer, "x");
    ASSERT_OK(writer.Commit());
  }
  Session writer(engine_.get());
  ASSERT_OK(writer.Update("t", "1", "1|y"));
  {
    At at("row_version.oldest_view_taken", [&] {
      ASSERT_OK(view.Commit());
      ASSERT_OK(engine_->RunBackground());
    });
    EXPECT_OK(writer.Rollback());
  }
  ScanOptions by_value;
  by_value.index_no = 1;
  by_value.range = {K("x"), true, K("y"), true, false};
  EXPECT_EQ(Session(engine_.get()).Scan("t", by_value), "1|x");
  ASSERT_OK(engine_->RunBackground());
  Check("t");
}

}  // namespace
}  // namespace borealis::engine::testing
