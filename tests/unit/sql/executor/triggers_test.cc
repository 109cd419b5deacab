// Triggers where a test file of statements does not reach: KILL of a loop, depth, what a session
// keeps compiled, and SQLSTATEs on their way to the client.
#include <thread>

#include "base/mysql_error.h"
#include "sql/program/session_programs.h"
#include "tests/unit/sql/executor/executor_fixture.h"

namespace borealis::sql {
namespace {

class TriggersTest : public ExecutorTest {
 protected:
  TriggersTest() { Run("CREATE TABLE t (a INT)"); }
};

TEST_F(TriggersTest, KillEndsALoopPastAllHandlers) {
  ASSERT_EQ(Run("CREATE TRIGGER x BEFORE INSERT ON t FOR EACH ROW BEGIN DECLARE CONTINUE HANDLER "
                "FOR SQLEXCEPTION SET @caught = 1; LOOP SET @b = 1; END LOOP; END"),
            "");
  std::thread killer([this] {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    session_->Kill(/*connection=*/false);
  });
  EXPECT_EQ(Run("INSERT INTO t VALUES (1)"), "error 1317");
  killer.join();
  EXPECT_EQ(Run("SELECT @caught, COUNT(*) FROM t"), "NULL,0");
}

TEST_F(TriggersTest, DepthIsBoundedAndTheStatementUndone) {
  constexpr int kTables = 40;
  for (int i = 0; i < kTables; ++i) {
    ASSERT_EQ(Run("CREATE TABLE n" + std::to_string(i) + " (a INT)"), "");
  }
  for (int i = 0; i + 1 < kTables; ++i) {
    const std::string number = std::to_string(i);
    ASSERT_EQ(Run("CREATE TRIGGER x" + number + " AFTER INSERT ON n" + number +
                  " FOR EACH ROW INSERT INTO n" + std::to_string(i + 1) + " VALUES (NEW.a)"),
              "");
  }
  EXPECT_EQ(Run("INSERT INTO n0 VALUES (1)"), "error 1235");
  EXPECT_EQ(Run("SELECT (SELECT COUNT(*) FROM n0), (SELECT COUNT(*) FROM n31)"), "0,0");
  EXPECT_EQ(Run("INSERT INTO n10 VALUES (1)"), "");
  EXPECT_EQ(Run("SELECT a FROM n39"), "1");
}

TEST_F(TriggersTest, CompiledTriggersAreKeptUntilTheTableChanges) {
  ASSERT_EQ(Run("CREATE TRIGGER x BEFORE INSERT ON t FOR EACH ROW SET NEW.a = NEW.a + 1"), "");
  const auto compiled = [this] {
    return SessionPrograms::Of(session_.get()).TriggersOf(catalog_->Find("test", "t")->table);
  };
  ASSERT_EQ(Run("INSERT INTO t VALUES (1), (2)"), "");
  const auto first = compiled();
  ASSERT_NE(first->programs[0], nullptr);
  ASSERT_EQ(Run("INSERT INTO t VALUES (3)"), "");
  EXPECT_EQ(compiled(), first);
  ASSERT_EQ(Run("ALTER TABLE t ADD COLUMN b INT"), "");
  ASSERT_EQ(Run("INSERT INTO t (a) VALUES (4)"), "");
  EXPECT_NE(compiled(), first);
  EXPECT_EQ(Run("SELECT a FROM t"), "2|3|4|5");
}

TEST_F(TriggersTest, ManyTablesWithTriggersInOneSession) {
  constexpr int kTables = 100;  // more than are kept compiled
  for (int i = 0; i < kTables; ++i) {
    const std::string number = std::to_string(i);
    ASSERT_EQ(Run("CREATE TABLE m" + number + " (a INT)"), "");
    ASSERT_EQ(Run("CREATE TRIGGER y" + number + " AFTER INSERT ON m" + number +
                  " FOR EACH ROW INSERT INTO t VALUES (NEW.a)"),
              "");
  }
  for (int round = 0; round < 2; ++round) {
    for (int i = 0; i < kTables; ++i) {
      const std::string number = std::to_string(i);
      ASSERT_EQ(Run("INSERT INTO m" + number + " VALUES (" + number + ")"), "");
    }
  }
  EXPECT_EQ(Run("SELECT COUNT(*), SUM(a) FROM t"), "200,9900");
}

TEST_F(TriggersTest, TheSqlStateOfSignalReachesTheClient) {
  EXPECT_EQ(Run("SIGNAL SQLSTATE '45123'"), "error 1644 45123");
  ASSERT_EQ(Run("CREATE TRIGGER x BEFORE INSERT ON t FOR EACH ROW SIGNAL SQLSTATE '45010' SET "
                "MYSQL_ERRNO = 5000"),
            "");
  EXPECT_EQ(Run("INSERT INTO t VALUES (1)"), "error 5000 45010");
  EXPECT_EQ(Run("SELECT nosuch"), "error 1054");
}

}  // namespace
}  // namespace borealis::sql
