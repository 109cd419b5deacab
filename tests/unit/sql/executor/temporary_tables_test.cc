// Temporary tables where a client of one writer does not see them: on a reader instance, at the end
// and the reset of a session, beyond the size of their buffer pool, and made and dropped for long.
#include "sql/catalog/temporary_tables.h"

#include "tests/support/follower.h"
#include "tests/unit/sql/executor/executor_fixture.h"

namespace borealis::sql {
namespace {

class TemporaryTablesTest : public ExecutorTest {
 protected:
  TemporaryTablesTest() {
    Run("CREATE TABLE t (a INT PRIMARY KEY, b VARCHAR(10))");
    Run("INSERT INTO t VALUES (1, 'stored')");
  }
};

TEST_F(TemporaryTablesTest, AResetDropsThem) {
  EXPECT_EQ(Run("CREATE TEMPORARY TABLE t (q INT)"), "");
  EXPECT_EQ(Run("INSERT INTO t VALUES (5)"), "");
  EXPECT_EQ(Run("BEGIN"), "");
  EXPECT_EQ(Run("INSERT INTO t VALUES (6)"), "");
  session_->Reset();
  EXPECT_EQ(Run("SELECT * FROM t"), "1,stored");
  EXPECT_EQ(Run("DROP TEMPORARY TABLE t"), "error 1051");
}

TEST_F(TemporaryTablesTest, TheLastOneTakesItsEngineAlong) {
  Result<PreparedInfo> prepared = session_->Prepare("SELECT * FROM t");
  ASSERT_TRUE(prepared.ok());
  const auto execute = [&] { return AskPrepared(session_.get(), prepared->id).ToString(); };
  for (int round = 0; round < 3; ++round) {
    EXPECT_EQ(execute(), "1,stored");
    EXPECT_EQ(session_->temporary_tables(), nullptr);
    EXPECT_EQ(Run("CREATE TEMPORARY TABLE t (q INT)"), "");
    EXPECT_EQ(Run("CREATE TEMPORARY TABLE t2 (q INT)"), "");
    EXPECT_EQ(execute(), "");
    EXPECT_EQ(Run("INSERT INTO t VALUES (7)"), "");
    EXPECT_EQ(execute(), "7");
    EXPECT_NE(session_->temporary_tables(), nullptr);
    EXPECT_EQ(Run("DROP TABLE t"), "");
    EXPECT_EQ(execute(), "1,stored");
    EXPECT_EQ(Run("DROP TEMPORARY TABLE t2"), "");
  }
}

// In one transaction, so that nothing is forgotten with its end.
TEST_F(TemporaryTablesTest, MadeAndDroppedManyTimes) {
  EXPECT_EQ(Run("CREATE TEMPORARY TABLE stays (a INT PRIMARY KEY, b LONGTEXT)"), "");
  EXPECT_EQ(Run("BEGIN"), "");
  for (int i = 0; i < 200; ++i) {
    const std::string number = std::to_string(i);
    ASSERT_EQ(Run("CREATE TEMPORARY TABLE x (a INT, b LONGTEXT, KEY (a))"), "");
    ASSERT_EQ(Run("INSERT INTO x VALUES (" + number + ", REPEAT('x', 40000))"), "");
    ASSERT_EQ(Run("INSERT INTO stays VALUES (" + number + ", REPEAT('y', 30000))"), "");
    ASSERT_EQ(Run("SELECT a, LENGTH(b) FROM x WHERE a = " + number), number + ",40000");
    ASSERT_EQ(Run("DROP TEMPORARY TABLE x"), "");
  }
  EXPECT_EQ(Run("SELECT COUNT(*), SUM(LENGTH(b)) FROM stays"), "200,6000000");
  EXPECT_EQ(Run("ROLLBACK"), "");
  EXPECT_EQ(Run("SELECT COUNT(*) FROM stays"), "0");
  EXPECT_EQ(Run("CHECK TABLE stays"), "test.stays,check,status,OK");
  EXPECT_EQ(Run("INSERT INTO stays VALUES (1, REPEAT('z', 100000))"), "");
  EXPECT_EQ(Run("SELECT a, LENGTH(b) FROM stays"), "1,100000");
}

TEST_F(TemporaryTablesTest, FarBeyondTheirPool) {
  EXPECT_EQ(Run("SET GLOBAL temporary_buffer_pool_size = 1048576"), "");
  EXPECT_EQ(Run("CREATE TEMPORARY TABLE big (id INT AUTO_INCREMENT PRIMARY KEY, v INT, "
                "f VARCHAR(1000), KEY (v))"),
            "");
  EXPECT_EQ(Run("INSERT INTO big (v, f) VALUES (1, REPEAT('a', 900))"), "");
  for (int rows = 1; rows < 8192; rows *= 2) {
    // A temporary table cannot be read and changed in one statement.
    ASSERT_EQ(
        Run("CREATE TEMPORARY TABLE copy SELECT v + " + std::to_string(rows) + " AS v, f FROM big"),
        "");
    ASSERT_EQ(Run("INSERT INTO big (v, f) SELECT v, f FROM copy"), "");
    ASSERT_EQ(Run("DROP TEMPORARY TABLE copy"), "");
  }
  const std::string all = "8192,33558528,7372800";
  EXPECT_EQ(Run("SELECT COUNT(*), SUM(v), SUM(LENGTH(f)) FROM big"), all);
  EXPECT_EQ(Run("BEGIN"), "");
  EXPECT_EQ(Run("UPDATE big SET v = v + 1, f = CONCAT(f, 'more')"), "");
  EXPECT_EQ(Run("DELETE FROM big WHERE v % 3 = 0"), "");
  EXPECT_EQ(Run("ROLLBACK"), "");
  EXPECT_EQ(Run("SELECT COUNT(*), SUM(v), SUM(LENGTH(f)) FROM big"), all);
  EXPECT_EQ(Run("SELECT v FROM big WHERE v BETWEEN 4000 AND 4002"), "4000|4001|4002");
  EXPECT_EQ(Run("CHECK TABLE big"), "test.big,check,status,OK");
}

TEST_F(TemporaryTablesTest, OnAReader) {
  Lsn at;
  const std::string hello = engine_->ActiveTransactions(&at);
  engine::testing::Follower follower(&volume_);
  auto opened = engine::Engine::OpenReplica(&follower, Options(), hello);
  ASSERT_TRUE(opened.ok());
  const std::unique_ptr<engine::Engine> replica = std::move(opened).value();
  Catalog catalog(replica.get(), parts_->system_tables.get());
  {
    SessionEnvironment environment = Environment();
    environment.engine = replica.get();
    environment.catalog = &catalog;
    const std::unique_ptr<Session> session = MakeSession(environment);
    const auto ask = [&](std::string_view text) {
      return sql::Ask(session.get(), text).ToString();
    };
    EXPECT_EQ(ask("USE test"), "");
    EXPECT_EQ(ask("INSERT INTO t VALUES (2, 'no')"), "error 1290");
    EXPECT_EQ(ask("CREATE TEMPORARY TABLE mine (a INT PRIMARY KEY, b VARCHAR(10))"), "");
    EXPECT_EQ(ask("INSERT INTO mine SELECT * FROM t"), "");
    EXPECT_EQ(ask("BEGIN"), "");
    EXPECT_EQ(ask("INSERT INTO mine VALUES (2, 'own')"), "");
    EXPECT_EQ(ask("CREATE TEMPORARY TABLE second SELECT a + 1 AS a FROM t"), "");
    EXPECT_EQ(ask("UPDATE mine JOIN t USING (a) SET mine.b = 'both'"), "");
    EXPECT_EQ(ask("SELECT * FROM mine FOR UPDATE"), "1,both|2,own");
    EXPECT_EQ(ask("ROLLBACK"), "");
    EXPECT_EQ(ask("SELECT * FROM mine"), "1,stored");
    EXPECT_EQ(ask("INSERT INTO t VALUES (2, 'no')"), "error 1290");
    EXPECT_EQ(ask("INSERT INTO t SELECT a + 1, b FROM mine"), "error 1290");
    EXPECT_EQ(ask("UPDATE mine JOIN t USING (a) SET t.b = 'no'"), "error 1290");
    EXPECT_EQ(ask("DELETE t FROM mine JOIN t USING (a)"), "error 1290");
    EXPECT_EQ(ask("ALTER TABLE mine ADD COLUMN c INT DEFAULT 3"), "");
    EXPECT_EQ(ask("ALTER TABLE t ADD COLUMN c INT DEFAULT 3"), "error 1290");
    EXPECT_EQ(ask("SELECT * FROM mine"), "1,stored,3");
    EXPECT_EQ(ask("TRUNCATE TABLE mine"), "");
    EXPECT_EQ(ask("TRUNCATE TABLE t"), "error 1290");
    EXPECT_EQ(ask("DROP TABLE mine, t"), "error 1290");
    EXPECT_EQ(ask("SELECT COUNT(*) FROM mine"), "0");
    EXPECT_EQ(ask("DROP TABLE mine"), "");
    EXPECT_EQ(ask("SELECT * FROM t"), "1,stored");
  }
  replica->Stop();
}

}  // namespace
}  // namespace borealis::sql
