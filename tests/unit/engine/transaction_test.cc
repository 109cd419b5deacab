// Rows and transactions: changes, savepoints, versions, secondary indexes, long rows.
#include "tests/unit/engine/engine_fixture.h"

namespace borealis::engine::testing {
namespace {

using TransactionTest = EngineTest;

TEST_F(TransactionTest, InsertedRowsAreReadInKeyOrder) {
  Create("t", "0;1", {true, false});
  Load("t", {"3|c", "1|z", "2|b"});
  EXPECT_EQ(ScanAll("t"), "1|z 2|b 3|c");
  EXPECT_EQ(ScanAll("t", 1), "2|b 3|c 1|z");
  EXPECT_EQ(Session(engine_.get()).Get("t", "2"), "2|b");
  EXPECT_EQ(Session(engine_.get()).Get("t", "9"), "-");
  Check("t");
}

TEST_F(TransactionTest, UncommittedChangesAreSeenByTheirOwnerAlone) {
  Create("t", "0;1", {true, false});
  Load("t", {"1|a", "2|b"});
  Session writer(engine_.get());
  ASSERT_OK(writer.Insert("t", "3|c"));
  ASSERT_OK(writer.Update("t", "1", "1|x"));
  ASSERT_OK(writer.Delete("t", "2"));
  EXPECT_EQ(writer.Scan("t"), "1|x 3|c");
  EXPECT_EQ(ScanAll("t"), "1|a 2|b");
  EXPECT_EQ(ScanAll("t", 1), "1|a 2|b");
  ASSERT_OK(writer.Commit());
  EXPECT_EQ(ScanAll("t"), "1|x 3|c");
  EXPECT_EQ(ScanAll("t", 1), "3|c 1|x");
  Check("t");
}

TEST_F(TransactionTest, RollbackTakesEverythingBack) {
  Create("t", "0;1", {true, true});
  Load("t", {"1|a", "2|b", "3|c"});
  {
    Session session(engine_.get());
    ASSERT_OK(session.Insert("t", "4|d"));
    ASSERT_OK(session.Update("t", "1", "1|aa"));
    ASSERT_OK(session.Update("t", "1", "1|aaa"));
    ASSERT_OK(session.Delete("t", "2"));
    ASSERT_OK(session.Insert("t", "2|bb"));
    ASSERT_OK(session.Update("t", "3", "5|c"));
    EXPECT_EQ(session.Scan("t"), "1|aaa 2|bb 4|d 5|c");
    ASSERT_OK(session.Rollback());
  }
  EXPECT_EQ(ScanAll("t"), "1|a 2|b 3|c");
  EXPECT_EQ(ScanAll("t", 1), "1|a 2|b 3|c");
  Check("t");
  EXPECT_TRUE(engine_->ListLocks().empty());
  EXPECT_TRUE(engine_->ListTransactions().empty());
}

TEST_F(TransactionTest, SavepointsAndStatementsAreUndoneAlone) {
  Create("t", "0;1", {true, false});
  Session session(engine_.get());
  ASSERT_OK(session.Insert("t", "1|a"));
  const Savepoint first = session.trx().SetSavepoint();
  ASSERT_OK(session.Insert("t", "2|b"));
  const Savepoint second = session.trx().SetSavepoint();
  ASSERT_OK(session.Update("t", "1", "1|x"));
  ASSERT_OK(session.trx().RollbackTo(second));
  EXPECT_EQ(session.Scan("t"), "1|a 2|b");
  const Savepoint statement = session.trx().BeginStatement();
  ASSERT_OK(engine::Insert(session.trx(), *session.Open("t"), "3|c", nullptr));
  ASSERT_OK(session.trx().RollbackTo(statement));
  ASSERT_OK(session.trx().RollbackTo(first));
  EXPECT_EQ(session.Scan("t"), "1|a");
  ASSERT_OK(session.Commit());
  EXPECT_EQ(ScanAll("t"), "1|a");
  Check("t");
}

TEST_F(TransactionTest, DuplicatesNameTheirKeyAndLeaveNothing) {
  Create("t", "0;1", {true, true});
  Load("t", {"1|a", "2|b", "7|", "8|"});  // empty: NULL, never a duplicate
  Session session(engine_.get());
  DuplicateKey dup;
  EXPECT_EQ(session.Insert("t", "1|z", &dup).code(), Code::kAlreadyExists);
  EXPECT_EQ(dup.index_no, 0u);
  EXPECT_EQ(dup.clustered_key, K("1"));
  EXPECT_EQ(session.Insert("t", "3|b", &dup).code(), Code::kAlreadyExists);
  EXPECT_EQ(dup.index_no, 1u);
  EXPECT_EQ(dup.clustered_key, K("2"));
  EXPECT_EQ(session.Update("t", "1", "1|b", &dup).code(), Code::kAlreadyExists);
  EXPECT_EQ(session.Update("t", "1", "2|c", &dup).code(), Code::kAlreadyExists);
  EXPECT_EQ(session.Scan("t"), "1|a 2|b 7| 8|");
  EXPECT_OK(session.Update("t", "1", "1|a"));
  EXPECT_OK(session.Update("t", "1", "5|a"));
  EXPECT_EQ(session.Delete("t", "1").code(), Code::kNotFound);
  ASSERT_OK(session.Commit());
  EXPECT_EQ(ScanAll("t", 1), "7| 8| 5|a 2|b");
  Check("t");
}

// INV-TRX-3, INV-ROW-1
TEST_F(TransactionTest, OldViewsSeeOldVersionsThroughEveryIndex) {
  Create("t", "0;1", {true, false});
  Load("t", {"1|a", "2|b", "3|c"});
  Session old(engine_.get(), Isolation::kRepeatableRead,
              [](TransactionOptions* o) { o->consistent_snapshot = true; });
  for (int i = 0; i < 5; ++i) {
    Session writer(engine_.get());
    ASSERT_OK(writer.Update("t", "1", "1|m" + std::to_string(i)));
    ASSERT_OK(writer.Commit());
  }
  {
    Session writer(engine_.get());
    ASSERT_OK(writer.Delete("t", "2"));
    ASSERT_OK(writer.Insert("t", "4|d"));
    ASSERT_OK(writer.Commit());
  }
  {
    Session writer(engine_.get());
    ASSERT_OK(writer.Insert("t", "2|again"));
    ASSERT_OK(writer.Commit());
  }
  ASSERT_OK(engine_->RunBackground());
  EXPECT_EQ(old.Scan("t"), "1|a 2|b 3|c");
  ScanOptions by_field;
  by_field.index_no = 1;
  EXPECT_EQ(old.Scan("t", by_field), "1|a 2|b 3|c");
  EXPECT_EQ(old.Get("t", "2"), "2|b");
  EXPECT_EQ(ScanAll("t", 1), "2|again 3|c 4|d 1|m4");
  ASSERT_OK(old.Commit());
  EXPECT_GT(engine_->counters().history_length, 0u);
  ASSERT_OK(engine_->RunBackground());
  EXPECT_EQ(engine_->counters().history_length, 0u);
  EXPECT_EQ(ScanAll("t", 1), "2|again 3|c 4|d 1|m4");
  Check("t");
}

TEST_F(TransactionTest, RangesAndReverseScans) {
  Create("t", "0;1", {true, false});
  std::vector<std::string> rows;
  for (int i = 100; i < 400; ++i) {
    rows.push_back(std::to_string(i) + "|" + std::to_string(i % 7));
  }
  Load("t", rows);
  ScanOptions options;
  options.range.lower = K("150");
  options.range.upper = K("153");
  options.range.no_upper = false;
  for (LockMode lock : {LockMode::kNone, LockMode::kShared}) {
    options.lock = lock;
    options.reverse = false;
    options.range.lower_inclusive = true;
    options.range.upper_inclusive = false;
    EXPECT_EQ(Session(engine_.get()).Scan("t", options), "150|3 151|4 152|5");
    options.range.lower_inclusive = false;
    options.range.upper_inclusive = true;
    EXPECT_EQ(Session(engine_.get()).Scan("t", options), "151|4 152|5 153|6");
    options.reverse = true;
    EXPECT_EQ(Session(engine_.get()).Scan("t", options), "153|6 152|5 151|4");
  }
  ScanOptions by_field;
  by_field.index_no = 1;
  by_field.range = KeyRange::Prefix(K("6"));
  for (LockMode lock : {LockMode::kNone, LockMode::kExclusive}) {
    by_field.lock = lock;
    by_field.reverse = false;
    const std::string forward = Session(engine_.get()).Scan("t", by_field);
    EXPECT_EQ(Split(forward, ' ').size(), 43u) << forward;
    EXPECT_EQ(Split(forward, ' ').front(), "104|6");
    by_field.reverse = true;
    const std::string backward = Session(engine_.get()).Scan("t", by_field);
    std::vector<std::string> parts = Split(backward, ' ');
    EXPECT_EQ(parts.size(), 43u);
    EXPECT_EQ(parts.back(), "104|6");
  }
  EXPECT_EQ(Split(ScanAll("t"), ' ').size(), 300u);
  ScanOptions reverse;
  reverse.reverse = true;
  EXPECT_EQ(Split(Session(engine_.get()).Scan("t", reverse), ' ').front(), "399|0");
}

TEST_F(TransactionTest, LongRowsGoOffPageAndComeBack) {
  Create("t", "0;1", {true, false});
  const std::string big_a(30'000, 'a');
  const std::string big_b(90'000, 'b');
  Load("t", {"1|x|" + big_a, "2|y|short"});
  Session old(engine_.get(), Isolation::kRepeatableRead,
              [](TransactionOptions* o) { o->consistent_snapshot = true; });
  {
    Session writer(engine_.get());
    ASSERT_OK(writer.Update("t", "1", "1|z|" + big_b));
    ASSERT_OK(writer.Update("t", "2", "2|y|" + big_b));
    ASSERT_OK(writer.Commit());
  }
  {
    Session writer(engine_.get());
    ASSERT_OK(writer.Update("t", "2", "2|y|" + big_a));
    ASSERT_OK(writer.Delete("t", "1"));
    EXPECT_EQ(writer.Get("t", "2"), "2|y|" + big_a);
    ASSERT_OK(writer.Rollback());
  }
  EXPECT_EQ(old.Get("t", "1"), "1|x|" + big_a);
  EXPECT_EQ(Session(engine_.get()).Get("t", "1"), "1|z|" + big_b);
  EXPECT_EQ(Session(engine_.get()).Get("t", "2"), "2|y|" + big_b);
  {
    Session writer(engine_.get());
    ASSERT_OK(writer.Delete("t", "1"));
    ASSERT_OK(writer.Commit());
  }
  ASSERT_OK(engine_->RunBackground());
  EXPECT_EQ(old.Get("t", "1"), "1|x|" + big_a);
  ASSERT_OK(old.Commit());
  ASSERT_OK(engine_->RunBackground());
  EXPECT_EQ(ScanAll("t"), "2|y|" + big_b);
  Check("t");
}

// INV-TRX-1, INV-TRX-2
TEST_F(TransactionTest, CommitIsAnsweredAndSeenOnlyWhenDurable) {
  Create("t", "0", {true});
  volume_->HoldDurability();
  Session writer(engine_.get());
  ASSERT_OK(writer.Insert("t", "1|a"));
  bool done = false;
  writer.trx().Commit([&](Status status) {
    EXPECT_OK(status);
    done = true;
  });
  EXPECT_FALSE(done);
  EXPECT_EQ(ScanAll("t"), "");  // INV-TRX-2
  {
    // A change sees it at once: its locks are gone.
    Session other(engine_.get(), Isolation::kReadCommitted);
    EXPECT_EQ(other.Get("t", "1", LockMode::kExclusive), "1|a");
  }
  volume_->Release();
  EXPECT_TRUE(done);
  EXPECT_EQ(ScanAll("t"), "1|a");
}

TEST_F(TransactionTest, ReadOnlyTransactionsChangeNothing) {
  Create("t", "0", {true});
  Session session(engine_.get(), Isolation::kRepeatableRead,
                  [](TransactionOptions* o) { o->read_only = true; });
  EXPECT_EQ(session.Insert("t", "1|a").user_errno(), 1792);
  EXPECT_EQ(session.Scan("t"), "");
  const Lsn before = volume_->appended();
  EXPECT_OK(session.Commit());
  EXPECT_EQ(volume_->appended(), before);
}

}  // namespace
}  // namespace borealis::engine::testing
