// Triggers where a test file of statements does not reach: KILL of a loop, depth, what a session
// keeps compiled, and SQLSTATEs on their way to the client.
#include <thread>

#include <gtest/gtest.h>

#include "base/invariant.h"
#include "base/mysql_error.h"
#include "engine/engine.h"
#include "row/convert.h"
#include "sql/catalog/catalog.h"
#include "sql/executor/create.h"
#include "sql/functions/eval_context.h"
#include "sql/program/session_programs.h"
#include "sql/session/session.h"
#include "tests/support/memory_volume.h"

namespace borealis::sql {
namespace {

// "1,a|2,NULL"; "error 1054", and the SQLSTATE that was told with it, when it failed.
class Answer final : public ResultSink {
 public:
  explicit Answer(Session* session) : session_(session) {}
  Status OnColumns(std::span<const ResultColumn> columns) override {
    columns_.assign(columns.begin(), columns.end());
    return {};
  }
  Status OnRow(std::span<const row::Value> values) override {
    const row::TimeZone& zone = session_->eval_context().conversion.time_zone();
    text += text.empty() ? "" : "|";
    for (size_t i = 0; i < values.size(); ++i) {
      text += i == 0 ? "" : ",";
      text += values[i].is_null() ? "NULL" : row::ToText(values[i], columns_[i].type, zone);
    }
    return {};
  }
  void OnDone(const OkInfo&) override {}
  void OnSqlState(std::string_view sqlstate) override { sqlstate_ = " " + std::string(sqlstate); }
  void OnError(const Status& status, uint16_t) override {
    text = "error " + std::to_string(status.user_errno()) + sqlstate_;
  }

  std::string text;

 private:
  Session* session_;
  std::vector<ResultColumn> columns_;
  std::string sqlstate_;
};

class TriggersTest : public ::testing::Test {
 protected:
  TriggersTest() : parts_(MakeExecutorParts()) {
    engine::EngineOptions options;
    options.layouts = MakeSqlRowLayout;
    options.background_threads = false;
    auto opened = engine::Engine::Open(&volume_, options);
    INVARIANT(opened.ok());
    engine_ = std::move(opened).value();
    catalog_ = std::make_unique<Catalog>(engine_.get(), parts_->system_tables.get());
    session_ = MakeSession();
    Run("CREATE DATABASE test");
    Run("USE test");
    Run("CREATE TABLE t (a INT)");
  }
  ~TriggersTest() override {
    session_.reset();
    engine_->Stop();
  }

  std::unique_ptr<Session> MakeSession() {
    SessionEnvironment environment;
    environment.engine = engine_.get();
    environment.catalog = catalog_.get();
    environment.variables = parts_->variables.get();
    environment.executor = parts_->executor.get();
    return std::make_unique<Session>(environment,
                                     SessionIdentity{7, "root", "localhost", "root", "%"});
  }
  static std::string Ask(Session* session, std::string_view text) {
    Answer answer(session);
    session->ExecuteAndWait(text, answer);
    return answer.text;
  }
  std::string Run(std::string_view text) { return Ask(session_.get(), text); }

  MemoryVolume volume_;
  std::unique_ptr<engine::Engine> engine_;
  std::unique_ptr<ExecutorParts> parts_;
  std::unique_ptr<Catalog> catalog_;
  std::unique_ptr<Session> session_;
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
