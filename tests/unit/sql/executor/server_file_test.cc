// Files of the server: SELECT … INTO OUTFILE and DUMPFILE, LOAD DATA INFILE, and where they may be.
// What the files hold is what a real server writes.
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "base/mysql_error.h"
#include "base/os/file.h"
#include "engine/engine.h"
#include "row/convert.h"
#include "sql/catalog/catalog.h"
#include "sql/executor/create.h"
#include "sql/session/session.h"
#include "tests/support/memory_volume.h"

namespace borealis::sql {
namespace {

// The last statement's outcome in one line.
class Outcome final : public ResultSink {
 public:
  Status OnColumns(std::span<const ResultColumn> columns) override {
    columns_.assign(columns.begin(), columns.end());
    return {};
  }
  Status OnRow(std::span<const row::Value> row) override {
    for (size_t i = 0; i < row.size(); ++i) {
      text += row[i].is_null() ? "NULL" : row::ToText(row[i], columns_[i].type);
      text += i + 1 < row.size() ? "," : "\n";
    }
    return {};
  }
  void OnDone(const OkInfo& ok) override {
    text += columns_.empty() ? "ok " + std::to_string(ok.affected_rows) + " " + ok.info : "";
    warnings = ok.warnings;
  }
  void OnError(const Status& error, uint16_t) override {
    text = std::to_string(error.user_errno());
  }
  std::string text;
  int warnings = 0;

 private:
  std::vector<ResultColumn> columns_;
};

class ServerFileTest : public testing::Test {
 protected:
  ServerFileTest() {
    std::string name = testing::TempDir() + "/borealis_files_XXXXXX";
    INVARIANT(::mkdtemp(name.data()) != nullptr);
    directory_ = CanonicalPath(name);
    std::filesystem::create_directory(directory_ + "/open");
    engine::EngineOptions options;
    options.layouts = MakeSqlRowLayout;
    options.background_threads = false;
    auto opened = engine::Engine::Open(&volume_, options);
    INVARIANT(opened.ok());
    engine_ = std::move(opened).value();
    parts_ = MakeExecutorParts();
    catalog_ = std::make_unique<Catalog>(engine_.get(), parts_->system_tables.get());
    SessionEnvironment environment;
    environment.engine = engine_.get();
    environment.catalog = catalog_.get();
    environment.variables = parts_->variables.get();
    environment.executor = parts_->executor.get();
    session_ = std::make_unique<Session>(environment,
                                         SessionIdentity{7, "root", "localhost", "root", "%"});
    INVARIANT(parts_->variables->SetAtStart("secure_file_priv", directory_ + "/open").ok());
    Run("CREATE DATABASE test");
    Run("USE test");
  }
  ~ServerFileTest() override {
    session_.reset();
    engine_->Stop();
    std::filesystem::remove_all(directory_);
  }

  std::string Run(std::string_view text) {
    Outcome outcome;
    session_->ExecuteAndWait(text, outcome);
    warnings_ = outcome.warnings;
    return outcome.text;
  }
  std::string Path(std::string_view name) const {
    return directory_ + "/open/" + std::string(name);
  }
  std::string Quoted(std::string_view name) const { return "'" + Path(name) + "'"; }
  static std::string Contents(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  }
  // What SELECT … FROM o INTO OUTFILE with these clauses writes.
  std::string Written(std::string_view clauses, std::string_view columns = "*") {
    const std::string name = "out" + std::to_string(++files_);
    const std::string outcome = Run("SELECT " + std::string(columns) + " INTO OUTFILE " +
                                    Quoted(name) + " " + std::string(clauses) + " FROM o");
    return outcome == "ok 2 " ? Contents(Path(name)) : "outcome " + outcome;
  }
  void MakeRows() {
    EXPECT_EQ(Run("CREATE TABLE o (i INT, d DOUBLE, dc DECIMAL(8,2), s VARCHAR(50), c VARCHAR(20) "
                  "CHARACTER SET latin1, b VARBINARY(10), dt DATETIME(3), e ENUM('x','y'), j JSON, "
                  "bi BIT(8), y YEAR, tm TIME, n INT)"),
              "ok 0 ");
    EXPECT_EQ(Run("INSERT INTO o VALUES (1, 1.5, 2.50, 'tab\\there \"q\" nl\\nback\\\\ zero\\0 "
                  "end', 'äé', x'00ff0941', '2020-01-02 03:04:05.678', 'y', '{\"a\": [1, "
                  "\"x\"]}', b'1000001', 1999, '-01:02:03', NULL), (-2, 1e20, -0.01, 'a,b', 'x', "
                  "'b', NULL, 'x', '\"s\"', b'0', 2000, '11:12:13', 5)"),
              "ok 2 Records: 2  Duplicates: 0  Warnings: 0");
  }

  std::string directory_;
  int files_ = 0;
  int warnings_ = 0;
  MemoryVolume volume_;
  std::unique_ptr<engine::Engine> engine_;
  std::unique_ptr<ExecutorParts> parts_;
  std::unique_ptr<Catalog> catalog_;
  std::unique_ptr<Session> session_;
};

using namespace std::string_literals;  // NOLINT: text with zero bytes

TEST_F(ServerFileTest, OutfileIsWrittenAsMysqlDoes) {
  MakeRows();
  EXPECT_EQ(Written(""),
            "1\t1.5\t2.50\ttab\\\there \"q\" nl\\\nback\\\\ zero\\0 end\t\xE4\xE9\t\\0\xFF\\\tA\t"
            "2020-01-02 03:04:05.678\ty\t{\"a\": [1, \"x\"]}\tA\t1999\t-01:02:03\t\\N\n"
            "-2\t1e20\t-0.01\ta,b\tx\tb\t\\N\tx\t\"s\"\t\\0\t2000\t11:12:13\t5\n");
  EXPECT_EQ(
      Written("FIELDS TERMINATED BY ',' OPTIONALLY ENCLOSED BY '\"'"),
      "1,1.5,2.50,\"tab\there \\\"q\\\" nl\\\nback\\\\ zero\\0 end\",\"\xE4\xE9\",\"\\0\xFF\tA"
      "\",\"2020-01-02 03:04:05.678\",\"y\",\"{\\\"a\\\": [1, \\\"x\\\"]}\",\"A\",1999,"
      "\"-01:02:03\",\\N\n"
      "-2,1e20,-0.01,\"a,b\",\"x\",\"b\",\\N,\"x\",\"\\\"s\\\"\",\"\\0\",2000,\"11:12:13\",5\n");
  EXPECT_EQ(
      Written("FIELDS TERMINATED BY ',' ENCLOSED BY '\"' ESCAPED BY '' LINES STARTING BY '>>' "
              "TERMINATED BY '\\r\\n'",
              "i, s, c, n"),
      ">>\"1\",\"tab\there \"q\" nl\nback\\ zero\0 end\",\"\xE4\xE9\",NULL\r\n"
      ">>\"-2\",\"a,b\",\"x\",\"5\"\r\n"s);
  EXPECT_EQ(Written("CHARACTER SET utf8mb4 FIELDS TERMINATED BY ';' ENCLOSED BY '\\'' ESCAPED BY "
                    "'\\''",
                    "s, c, b, n"),
            "'tab\there \"q\" nl'\nback\\ zero'0 end';'\xC3\xA4\xC3\xA9';''0';'N\n"
            "'a,b';'x';'b';'5'\n");
  EXPECT_EQ(warnings_, 1) << "bytes that are no utf8mb4";
  EXPECT_EQ(Written("FIELDS TERMINATED BY ',' ENCLOSED BY '\"' LINES TERMINATED BY 'e'", "s, e"),
            "\"tab\th\\er\\e \\\"q\\\" nl\nback\\\\ z\\ero\\0 \\end\",\"y\"e\"a,b\",\"x\"e");
  EXPECT_EQ(Written("FIELDS TERMINATED BY ',' ENCLOSED BY '\"' ESCAPED BY '\"'", "j, n"),
            "\"{\"\"a\"\": [1, \"\"x\"\"]}\",\"N\n\"\"\"s\"\"\",\"5\"\n");
  EXPECT_EQ(Written("LINES TERMINATED BY ''", "i, e"), "1\ty\t-2\tx\t");
}

TEST_F(ServerFileTest, RowsOfFixedSize) {
  MakeRows();
  EXPECT_EQ(Written("FIELDS TERMINATED BY ''", "i, dt, y, n"),
            "1          2020-01-02 03:04:05.6781999           \n"
            "-2                                2000"
            "5          \n");
  EXPECT_EQ(
      Written("FIELDS TERMINATED BY ''", "d, dc, c, b, e, bi, tm"),
      "1.5                   2.50      \xE4\xE9                  \\0\xFF\tA      y   A       "
      "-01:02:03 \n"
      "1e20                  -0.01     x                   b         x   \\0       11:12:13  \n");
  EXPECT_EQ(Written("FIELDS TERMINATED BY ''", "i, j"), "1{\"a\": [1, \"x\"]}\n-2\"s\"\n");
}

TEST_F(ServerFileTest, AmbiguousTerminatorsAreWarnedAbout) {
  MakeRows();
  EXPECT_EQ(Written("FIELDS TERMINATED BY 'n'", "i, s, n"),
            "1ntab\there \"q\" nl\\\nback\\\\ zero\\0 endn\\N\n-2na,bn5\n");
  EXPECT_EQ(warnings_, 1);
  EXPECT_EQ(Written("FIELDS TERMINATED BY '1' OPTIONALLY ENCLOSED BY '\"'", "i, n"),
            "11\\N\n-215\n");
  EXPECT_EQ(warnings_, 1);
  EXPECT_EQ(Written("FIELDS TERMINATED BY '1' ENCLOSED BY '\"'", "i, n"),
            "\"1\"1\\N\n\"-2\"1\"5\"\n");
  EXPECT_EQ(warnings_, 0);
}

TEST_F(ServerFileTest, WhatOutfileWritesLoadDataReads) {
  MakeRows();
  Run("CREATE TABLE back LIKE o");
  // Without a name for the character set each column is written in its own: latin1 is left out.
  const std::string columns = "i, d, dc, s, b, dt, e, j, bi, y, tm, n";
  for (const std::string clauses :
       {"", "FIELDS TERMINATED BY ',' OPTIONALLY ENCLOSED BY '\"'",
        "FIELDS TERMINATED BY 'ab' ENCLOSED BY '|' ESCAPED BY '^' LINES STARTING BY '>' TERMINATED "
        "BY '\\r\\n'"}) {
    const std::string name = Quoted("trip" + std::to_string(++files_));
    EXPECT_EQ(Run("SELECT " + columns + " INTO OUTFILE " + name + " " + clauses + " FROM o"),
              "ok 2 ");
    EXPECT_EQ(Run("LOAD DATA INFILE " + name + " INTO TABLE back CHARACTER SET latin1 " + clauses +
                  " (i, d, dc, @s, b, dt, e, j, bi, y, tm, n) SET s = NULL"),
              "ok 2 Records: 2  Deleted: 0  Skipped: 0  Warnings: 0")
        << clauses;
    EXPECT_EQ(
        Run("SELECT COUNT(*) FROM o JOIN back USING (i) WHERE o.d = back.d AND o.dc = back.dc "
            "AND o.b = back.b AND o.dt <=> back.dt AND o.e = back.e AND o.j = back.j AND o.bi "
            "= back.bi AND o.y = back.y AND o.tm = back.tm AND o.n <=> back.n"),
        "2\n")
        << clauses;
    Run("DELETE FROM back");
  }
}

TEST_F(ServerFileTest, Dumpfile) {
  MakeRows();
  EXPECT_EQ(Run("SELECT s FROM o WHERE i = 1 INTO DUMPFILE " + Quoted("one")), "ok 1 ");
  EXPECT_EQ(Contents(Path("one")), "tab\there \"q\" nl\nback\\ zero\0 end"s);
  EXPECT_EQ(Run("SELECT i, 'x' FROM o ORDER BY i INTO DUMPFILE " + Quoted("two")), "ok 2 ");
  EXPECT_EQ(Contents(Path("two")), "-2x1x");
  EXPECT_EQ(Run("SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3 INTO DUMPFILE " + Quoted("three")),
            "1172");
  EXPECT_FALSE(std::filesystem::exists(Path("three"))) << "nothing is left of what failed";
}

TEST_F(ServerFileTest, OnlyBelowSecureFilePriv) {
  MakeRows();
  std::ofstream(directory_ + "/outside") << "1\n";
  std::filesystem::create_symlink(directory_ + "/outside", Path("link"));
  Run("CREATE TABLE t (a INT)");
  for (const std::string& path : {directory_ + "/outside", Path("../outside"), Path("link"),
                                  std::string("outside"), directory_ + "/opening"}) {
    EXPECT_EQ(Run("LOAD DATA INFILE '" + path + "' INTO TABLE t"), "1290") << path;
    EXPECT_EQ(Run("SELECT 1 INTO OUTFILE '" + path + "'"), "1290") << path;
  }
  ASSERT_TRUE(parts_->variables->SetAtStart("secure_file_priv", "NULL").ok());
  EXPECT_EQ(Run("SELECT 1 INTO OUTFILE " + Quoted("new")), "1290");
  ASSERT_TRUE(parts_->variables->SetAtStart("secure_file_priv", "").ok());
  EXPECT_EQ(Run("LOAD DATA INFILE '" + directory_ + "/outside' INTO TABLE t"),
            "ok 1 Records: 1  Deleted: 0  Skipped: 0  Warnings: 0");
}

TEST_F(ServerFileTest, FilesThatAreNotThereOrAlreadyAre) {
  Run("CREATE TABLE t (a INT)");
  EXPECT_EQ(Run("LOAD DATA INFILE " + Quoted("none") + " INTO TABLE t"), "13");
  EXPECT_EQ(Run("LOAD DATA INFILE " + Quoted("") + " INTO TABLE t"), "1290");
  std::filesystem::create_directory(Path("folder"));
  EXPECT_EQ(Run("LOAD DATA INFILE " + Quoted("folder") + " INTO TABLE t"), "1085");
  EXPECT_EQ(Run("SELECT 1 INTO OUTFILE " + Quoted("a")), "ok 1 ");
  EXPECT_EQ(Run("SELECT 1 INTO OUTFILE " + Quoted("a")), "1086");
  EXPECT_EQ(Run("SELECT 1 INTO DUMPFILE " + Quoted("a")), "1086");
  EXPECT_EQ(Contents(Path("a")), "1\n");
  EXPECT_EQ(Run("SELECT 1 INTO OUTFILE " + Quoted("folder/none/a")), "1");
  EXPECT_EQ(Run("SELECT 1 LIMIT 0 INTO OUTFILE " + Quoted("empty")), "ok 0 ");
  EXPECT_TRUE(std::filesystem::exists(Path("empty")));
  EXPECT_EQ(Run("SELECT 1 INTO OUTFILE " + Quoted("b") + " FIELDS ESCAPED BY 'ab'"), "1083");
  EXPECT_EQ(Run("SELECT SQL_CALC_FOUND_ROWS 1 LIMIT 1 INTO OUTFILE " + Quoted("b")), "1235");
}

}  // namespace
}  // namespace borealis::sql
