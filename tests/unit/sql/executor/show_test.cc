// SHOW and the system tables: what a client sees besides rows (names and types of columns), and
// what depends on the server around the session.

#include "base/mysql_error.h"
#include "base/os/thread.h"
#include "sql/accounts/grant_store.h"
#include "sql/executor/accounts/account_change.h"
#include "sql/executor/accounts/account_text.h"
#include "sql/session/server_interface.h"
#include "tests/unit/sql/executor/executor_fixture.h"

namespace borealis::sql {
namespace {

class FixedServer final : public ServerInterface {
 public:
  std::vector<ProcessInfo> Processes() const override {
    return {{7, "root", "localhost:5000", "test", "Query", 3, "executing", std::string(150, 'q')},
            {8, "app", "10.0.0.1:6000", std::nullopt, "Sleep", 60, "", std::nullopt}};
  }
  std::vector<ClientAttributes> Clients() const override {
    return {{7, {"root", "%"}, {{"_client_name", "libmysql"}, {"program_name", "mysql"}}},
            {8, {"app", "%"}, {{"_client_name", "pymysql"}}}};
  }
  Status Kill(uint64_t, bool, const std::optional<AccountKey>&) override { return Status::Ok(); }
  std::vector<std::pair<std::string, std::string>> StatusVariables() const override {
    return {{"Uptime", "61"}, {"Threads_connected", "2"}};
  }
  bool read_only() const override { return false; }
  std::string_view version() const override { return "8.0.36"; }
  std::string_view version_comment() const override { return "Borealis"; }
  std::string_view hostname() const override { return "db1"; }
  uint16_t port() const override { return 3306; }
  std::string_view server_uuid() const override { return "0"; }
  int64_t uptime_seconds() const override { return 61; }
  uint64_t NextShortUuid() override { return 1; }
  void ResizeBufferPool(uint64_t bytes) override { pool_bytes = bytes; }
  Status RequestShutdown(bool) override { return Status::Ok(); }

  uint64_t pool_bytes = 0;
};

class ShowTest : public ExecutorTest {
 protected:
  ShowTest() : environment_(Environment()) {
    environment_.server = &server_;
    session_ = MakeSession(environment_);
    Ask("USE test");
    Ask("CREATE TABLE p (id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, a INT)");
  }

  ~ShowTest() override { session_.reset(); }  // before its server

  // The only cell of the only row.
  std::string Cell(std::string_view text) {
    const Answer answer = Ask(text);
    return answer.rows.size() == 1 ? answer.ToString()
                                   : "rows: " + std::to_string(answer.rows.size());
  }

  FixedServer server_;
  SessionEnvironment environment_;
};

// The roundings and warnings are MySQL's, with chunks of 2 MiB instead of 128.
TEST_F(ShowTest, TheBufferPoolIsResizedByItsVariable) {
  EXPECT_EQ(Ask("SET GLOBAL innodb_buffer_pool_size = 134217728").error, 0);
  EXPECT_EQ(server_.pool_bytes, 134217728u);
  EXPECT_EQ(Ask("SHOW WARNINGS").rows.size(), 0u);
  EXPECT_EQ(Ask("SET GLOBAL innodb_buffer_pool_size = 150000000").error, 0);
  const std::vector<std::string> warnings = Ask("SHOW WARNINGS").Lines();
  ASSERT_EQ(warnings.size(), 2u);
  EXPECT_EQ(warnings[0],
            "Warning,1292,Truncated incorrect innodb_buffer_pool_size value: '150000000'");
  EXPECT_EQ(warnings[1],
            "Warning,1292,Truncated incorrect innodb_buffer_pool_size value: '149946368'");
  EXPECT_EQ(Cell("SELECT @@innodb_buffer_pool_size"), "150994944");
  EXPECT_EQ(server_.pool_bytes, 150994944u);
  EXPECT_EQ(Ask("SET GLOBAL innodb_buffer_pool_size = 1000").error, 0);
  EXPECT_EQ(Cell("SELECT @@innodb_buffer_pool_size"), "6291456");
  EXPECT_EQ(Ask("SET GLOBAL innodb_buffer_pool_size = '134217728'").error, 1232);
  EXPECT_EQ(Ask("SET innodb_buffer_pool_size = 134217728").error, 1229);
  EXPECT_EQ(server_.pool_bytes, 6291456u);
}

TEST_F(ShowTest, ColumnsHaveTheNamesThatClientsLookFor) {
  const std::pair<const char*, const char*> kCases[] = {
      {"SHOW DATABASES", "Database"},
      {"SHOW DATABASES LIKE 't%'", "Database (t%)"},
      {"SHOW TABLES", "Tables_in_test"},
      {"SHOW FULL TABLES FROM INFORMATION_SCHEMA LIKE 'T%'",
       "Tables_in_INFORMATION_SCHEMA (T%),Table_type"},
      {"SHOW COLUMNS FROM p", "Field,Type,Null,Key,Default,Extra"},
      {"DESCRIBE p", "Field,Type,Null,Key,Default,Extra"},
      {"SHOW FULL COLUMNS FROM p",
       "Field,Type,Collation,Null,Key,Default,Extra,Privileges,Comment"},
      {"SHOW INDEX FROM p",
       "Table,Non_unique,Key_name,Seq_in_index,Column_name,Collation,Cardinality,Sub_part,Packed,"
       "Null,Index_type,Comment,Index_comment,Visible,Expression"},
      {"SHOW TABLE STATUS",
       "Name,Engine,Version,Row_format,Rows,Avg_row_length,Data_length,Max_data_length,"
       "Index_length,Data_free,Auto_increment,Create_time,Update_time,Check_time,Collation,"
       "Checksum,Create_options,Comment"},
      {"SHOW CREATE TABLE p", "Table,Create Table"},
      {"SHOW CREATE DATABASE test", "Database,Create Database"},
      {"SHOW VARIABLES LIKE 'port'", "Variable_name,Value"},
      {"SHOW GLOBAL STATUS LIKE 'uptime'", "Variable_name,Value"},
      {"SHOW PROCESSLIST", "Id,User,Host,db,Command,Time,State,Info"},
      {"SHOW ENGINES", "Engine,Support,Comment,Transactions,XA,Savepoints"},
      {"SHOW CHARACTER SET", "Charset,Description,Default collation,Maxlen"},
      {"SHOW COLLATION", "Collation,Charset,Id,Default,Compiled,Sortlen,Pad_attribute"},
      {"SHOW GRANTS", "Grants for root@%"},
      {"SHOW CREATE USER CURRENT_USER()", "CREATE USER for root@%"},
      {"SHOW PRIVILEGES", "Privilege,Context,Comment"},
      {"SHOW PLUGINS", "Name,Status,Type,Library,License"},
      {"SHOW TRIGGERS",
       "Trigger,Event,Table,Statement,Timing,Created,sql_mode,Definer,character_set_client,"
       "collation_connection,Database Collation"},
      {"SHOW EVENTS",
       "Db,Name,Definer,Time zone,Type,Execute at,Interval value,Interval field,Starts,Ends,Status,"
       "Originator,character_set_client,collation_connection,Database Collation"},
      {"SHOW PROCEDURE STATUS",
       "Db,Name,Type,Definer,Modified,Created,Security_type,Comment,character_set_client,"
       "collation_connection,Database Collation"},
      {"SHOW OPEN TABLES", "Database,Table,In_use,Name_locked"},
      {"SHOW WARNINGS", "Level,Code,Message"},
      {"SHOW COUNT(*) WARNINGS", "@@session.warning_count"},
      {"SHOW COUNT(*) ERRORS", "@@session.error_count"},
      {"SHOW ENGINE INNODB STATUS", "Type,Name,Status"},
      {"SHOW MASTER STATUS", "File,Position,Binlog_Do_DB,Binlog_Ignore_DB,Executed_Gtid_Set"},
      {"SHOW SLAVE HOSTS", "Server_Id,Host,Port,Source_Id,Replica_UUID"},
      {"SHOW PROFILES", "Query_ID,Duration,Query"},
  };
  for (const auto& [statement, names] : kCases) {
    const Answer answer = Ask(statement);
    EXPECT_EQ(answer.error, 0) << statement;
    EXPECT_EQ(answer.Names(), names) << statement;
  }
}

TEST_F(ShowTest, EverySystemTableCanBeReadWhole) {
  for (const std::string& schema : parts_->system_tables->Schemas()) {
    for (const std::string& table : parts_->system_tables->Tables(schema)) {
      const Answer answer = Ask("SELECT * FROM " + schema + "." + table);
      EXPECT_EQ(answer.error, 0) << table;
      EXPECT_FALSE(answer.columns.empty()) << table;
    }
  }
}

TEST_F(ShowTest, SystemTablesDescribeThemselves) {
  EXPECT_EQ(Cell("SELECT COUNT(*) FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = "
                 "'information_schema' AND TABLE_NAME = 'TABLES'"),
            "21");
  EXPECT_EQ(Ask("DESCRIBE information_schema.engines").Lines()[3],
            "TRANSACTIONS,varchar(3),YES,,NULL,");
  EXPECT_EQ(Cell("SHOW CREATE TABLE performance_schema.session_variables"),
            "session_variables,CREATE TABLE `session_variables` (\n"
            "  `VARIABLE_NAME` varchar(64) NOT NULL,\n"
            "  `VARIABLE_VALUE` varchar(1024) DEFAULT NULL\n"
            ") ENGINE=PERFORMANCE_SCHEMA DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci");
}

TEST_F(ShowTest, ProcesslistShowsStatementsCutUnlessFull) {
  const Answer cut = Ask("SHOW PROCESSLIST");
  ASSERT_EQ(cut.rows.size(), 2u);
  EXPECT_EQ(cut.Lines()[0],
            "7,root,localhost:5000,test,Query,3,executing," + std::string(100, 'q'));
  EXPECT_EQ(cut.Lines()[1], "8,app,10.0.0.1:6000,NULL,Sleep,60,,NULL");
  const Answer full = Ask("SHOW FULL PROCESSLIST");
  EXPECT_EQ(full.Lines()[0],
            "7,root,localhost:5000,test,Query,3,executing," + std::string(150, 'q'));
  EXPECT_EQ(Cell("SELECT PROCESSLIST_USER FROM performance_schema.threads WHERE THREAD_ID = 8"),
            "app");
}

TEST_F(ShowTest, StatusComesFromTheServerSorted) {
  const Answer answer = Ask("SHOW STATUS WHERE Variable_name NOT LIKE 'Com\\_%'");
  EXPECT_EQ(answer.Lines(),
            (std::vector<std::string>{"Prepared_stmt_count,0", "Slow_queries,0",
                                      "Ssl_cipher,TLS_AES_128_GCM_SHA256", "Ssl_version,TLSv1.3",
                                      "Threads_connected,2", "Uptime,61"}));
  EXPECT_EQ(Cell("SHOW GLOBAL STATUS LIKE 'UPTIME'"), "Uptime,61");
}

TEST_F(ShowTest, WarningsLastUntilTheNextStatementThatIsNotAboutThem) {
  Ask("SELECT 1 / 0");
  EXPECT_EQ(Cell("SHOW WARNINGS"), "Warning,1365,Division by 0");
  EXPECT_EQ(Cell("SHOW COUNT(*) WARNINGS"), "1");
  EXPECT_EQ(Cell("SHOW WARNINGS LIMIT 1"), "Warning,1365,Division by 0");
  EXPECT_TRUE(Ask("SHOW WARNINGS LIMIT 1, 1").rows.empty());
  EXPECT_TRUE(Ask("SHOW ERRORS").rows.empty());
  Ask("SELECT * FROM absent");
  EXPECT_EQ(Cell("SHOW ERRORS"), "Error,1146,Table 'test.absent' doesn't exist");
  EXPECT_EQ(Cell("SHOW COUNT(*) ERRORS"), "1");
  Ask("SHOW TABLES");
  EXPECT_TRUE(Ask("SHOW WARNINGS").rows.empty());
}

TEST_F(ShowTest, WithoutStoredAccountsTheOwnOneMayDoEverything) {
  EXPECT_TRUE(Cell("SHOW GRANTS").starts_with("GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, "));
  EXPECT_EQ(Ask("SHOW GRANTS FOR app").error, 1141);
}

// As volumes of the first release have it.
TEST_F(ShowTest, AUserTableOfTheFirstReleaseIsBroughtUp) {
  Ask("CREATE DATABASE mysql");
  Ask("CREATE TABLE mysql.user (Host CHAR(255), User CHAR(32), ssl_type VARCHAR(16) NOT NULL "
      "DEFAULT '', plugin CHAR(64) NOT NULL DEFAULT 'caching_sha2_password', "
      "authentication_string TEXT, password_expired CHAR(1) NOT NULL DEFAULT 'N', "
      "account_locked CHAR(1) NOT NULL DEFAULT 'N', PRIMARY KEY (Host, User))");
  Ask("INSERT INTO mysql.user (Host, User, authentication_string, account_locked) "
      "VALUES ('%', 'app', 'it''s', 'Y')");
  ASSERT_TRUE(MakeAccountTables(environment_).ok());
  ASSERT_TRUE(MakeAccountTables(environment_).ok());  // and stays as it is
  const std::unique_ptr<GrantStore> grants = MakeGrantStore(environment_);
  const auto tables = grants->At(catalog_->version());
  ASSERT_TRUE(tables.ok());
  const Account* app = (*tables)->Find({"app", "%"});
  ASSERT_NE(app, nullptr);
  EXPECT_EQ(CreateUserText(*app),
            "CREATE USER `app`@`%` IDENTIFIED WITH 'caching_sha2_password' AS 'it''s' REQUIRE NONE "
            "PASSWORD EXPIRE DEFAULT ACCOUNT LOCK PASSWORD HISTORY DEFAULT PASSWORD REUSE INTERVAL "
            "DEFAULT PASSWORD REQUIRE CURRENT DEFAULT");
  EXPECT_EQ(app->global, PrivilegeSet::All());
  EXPECT_EQ(app->dynamic.size(), DynamicPrivileges().size());
  EXPECT_EQ(Ask("SELECT * FROM mysql.user_before").error, 1146);
}

TEST_F(ShowTest, CountersOfTheTableAreTheEngines) {
  Ask("INSERT INTO p (a) VALUES (1), (2), (3)");
  EXPECT_EQ(Cell("SELECT TABLE_ROWS, AUTO_INCREMENT FROM information_schema.TABLES WHERE "
                 "TABLE_SCHEMA = 'test' AND TABLE_NAME = 'p'"),
            "3,4");
  EXPECT_TRUE(Cell("SHOW CREATE TABLE p").find(" AUTO_INCREMENT=4 ") != std::string::npos);
  EXPECT_EQ(Ask("SHOW INDEX FROM p").Lines()[0],
            "p,0,PRIMARY,1,id,A,3,NULL,NULL,,BTREE,,,YES,NULL");
}

TEST_F(ShowTest, OpenTransactionsAndTheirTablesAreListed) {
  Ask("BEGIN");
  Ask("INSERT INTO p (a) VALUES (1)");
  EXPECT_EQ(Cell("SHOW OPEN TABLES"), "test,p,0,0");
  EXPECT_EQ(Cell("SELECT LOCK_TYPE FROM performance_schema.metadata_locks WHERE OBJECT_NAME = 'p'"),
            "SHARED_WRITE");
  EXPECT_EQ(Cell("SELECT trx_state, trx_mysql_thread_id, trx_rows_modified FROM "
                 "information_schema.INNODB_TRX"),
            "RUNNING,7,1");
  EXPECT_TRUE(Cell("SHOW ENGINE INNODB STATUS").find("MySQL thread id 7,") != std::string::npos);
  Ask("COMMIT");
  EXPECT_TRUE(Ask("SHOW OPEN TABLES").rows.empty());
  Ask("LOCK TABLES p READ");
  EXPECT_EQ(Cell("SHOW OPEN TABLES"), "test,p,1,0");
  Ask("UNLOCK TABLES");
}

TEST_F(ShowTest, ListingStartsNoTransaction) {
  Ask("SET autocommit = 0");
  Ask("SHOW TABLES");
  EXPECT_FALSE(session_->in_transaction());
  Ask("SELECT COUNT(*) FROM information_schema.TABLES");
  EXPECT_FALSE(session_->in_transaction());
  Ask("SELECT * FROM p");
  EXPECT_TRUE(session_->in_transaction());
}

// Of EXPLAIN ANALYZE's "(rows=4)  (actual time=0.2 rows=2 loops=1)", what is the same at each run.
std::string WithoutTimes(std::string text) {
  for (size_t at = 0; (at = text.find(" (rows=", at)) != std::string::npos;) {
    text.erase(at, text.find(')', at) + 1 - at);
  }
  constexpr std::string_view kTime = "time=";
  for (size_t at = 0; (at = text.find(kTime, at)) != std::string::npos;) {
    at += kTime.size();
    text.replace(at, text.find(' ', at) - at, "_");
  }
  return text;
}

TEST_F(ShowTest, ExplainAnalyzeTellsWhatWasRead) {
  Ask("CREATE TABLE big (id INT PRIMARY KEY, k INT, KEY k (k))");
  Ask("INSERT INTO big VALUES (1, 1), (2, 1), (3, 2), (4, 9)");
  Ask("CREATE TABLE small (id INT PRIMARY KEY, b INT)");
  Ask("INSERT INTO small VALUES (1, 4), (2, 77), (3, 1)");
  Ask("ANALYZE TABLE big, small");
  const auto analyze = [&](const std::string& query) {
    return WithoutTimes(Cell("EXPLAIN ANALYZE " + query));
  };
  EXPECT_EQ(analyze("SELECT COUNT(*) FROM big WHERE k = 1"),
            "-> Covering index lookup on big using k (const)  (actual time=_ rows=2 loops=1)\n");
  EXPECT_EQ(analyze("SELECT s.b, big.k FROM small s STRAIGHT_JOIN big ON big.id = s.b"),
            "-> Nested loop inner join  (actual time=_ rows=2 loops=1)\n"
            "    -> Table scan on s  (actual time=_ rows=3 loops=1)\n"
            "    -> Single-row index lookup on big using PRIMARY (test.s.b) "
            " (actual time=_ rows=0.667 loops=3)\n");
  // Each reading of one table counts for itself.
  EXPECT_EQ(analyze("SELECT a.b FROM small a STRAIGHT_JOIN small b WHERE a.id < 3 ORDER BY a.b"),
            "-> Sort  (actual time=_ rows=6 loops=1)\n"
            "    -> Nested loop inner join\n"
            "        -> Index range scan on a using PRIMARY  (actual time=_ rows=2 loops=1)\n"
            "        -> Table scan on b  (actual time=_ rows=3 loops=2)\n");
  EXPECT_EQ(analyze("SELECT * FROM small a STRAIGHT_JOIN big WHERE a.b = 5 AND big.id > a.id"),
            "-> Nested loop inner join  (actual time=_ rows=0 loops=1)\n"
            "    -> Table scan on a  (actual time=_ rows=3 loops=1)\n"
            "    -> Index range scan on big using PRIMARY  (never executed)\n");
  EXPECT_EQ(Ask("EXPLAIN ANALYZE SELECT * FROM small WHERE b = (SELECT 1 UNION SELECT 2)").error,
            ER_SUBQUERY_NO_1_ROW);
  EXPECT_EQ(Cell("SELECT 1"), "1");
}

// However often another table's rows ask for them.
TEST_F(ShowTest, GroupsAndKeptValuesAreMadeOnce) {
  Ask("CREATE TABLE t (id INT PRIMARY KEY, k INT)");
  Ask("INSERT INTO t VALUES (1, 1), (2, 1), (3, 2)");
  Ask("CREATE TABLE u (id INT PRIMARY KEY, k INT)");
  Ask("INSERT INTO u VALUES (1, 1), (2, 1), (3, 2), (4, 2)");
  const auto reads_of = [&](const std::string& table, const std::string& query) {
    const std::string text = WithoutTimes(Cell("EXPLAIN ANALYZE " + query));
    const size_t at = text.find(" on " + table + " ");
    EXPECT_NE(at, std::string::npos) << text;
    return text.substr(at, text.find('\n', at) - at);
  };
  EXPECT_EQ(reads_of("t",
                     "SELECT STRAIGHT_JOIN * FROM u JOIN"
                     " (SELECT k, COUNT(*) AS c FROM t GROUP BY k) AS g ON g.k = u.k"),
            " on t  (actual time=_ rows=3 loops=1)");
  // Two rows of t join each pair of u's; t.k has two values.
  EXPECT_EQ(reads_of("i",
                     "SELECT t.id, (SELECT COUNT(*) FROM u i WHERE i.id > t.k)"
                     " FROM t STRAIGHT_JOIN u ON u.k = t.k"),
            " on i using PRIMARY  (actual time=_ rows=2.5 loops=2)");
}

TEST_F(ShowTest, WarningsTellWhatCouldNotBePrepared) {
  EXPECT_FALSE(session_->Prepare("SELECT nope").ok());
  EXPECT_EQ(Cell("SHOW WARNINGS"), "Error,1054,Unknown column 'nope' in 'field list'");
  EXPECT_FALSE(session_->Prepare("SELECT FROM").ok());
  EXPECT_EQ(Cell("SHOW COUNT(*) ERRORS"), "1");
}

TEST_F(ShowTest, ParametersMayStandInWhere) {
  const Result<PreparedInfo> prepared = session_->Prepare("SHOW TABLES WHERE Tables_in_test = ?");
  ASSERT_TRUE(prepared.ok());
  EXPECT_EQ(prepared->parameter_count, 1u);
  for (const auto& [name, count] : {std::pair{"p", 1u}, std::pair{"q", 0u}}) {
    const TypedValue value{row::Type::Varchar(10, row::kDefaultCollation),
                           row::Value::String(name)};
    const Answer answer = AskPrepared(session_.get(), prepared->id, {&value, 1});
    EXPECT_EQ(answer.error, 0);
    EXPECT_EQ(answer.rows.size(), count);
  }
}

TEST_F(ShowTest, TheLatestDeadlockIsToldAsInnoDBTellsIt) {
  EXPECT_EQ(Cell("SHOW ENGINE INNODB STATUS").find("DEADLOCK"), std::string::npos);
  Ask("CREATE TABLE d (id INT PRIMARY KEY, k INT, s CHAR(1), KEY k (k))");
  Ask("INSERT INTO d VALUES (1, 10, 'a'), (2, 20, 'b')");
  Session other(environment_, SessionIdentity{8, "root", "localhost", "root", "%"});
  const auto run_other = [&](std::string_view text) { return sql::Ask(&other, text).error; };
  run_other("USE test");
  run_other("BEGIN");
  Ask("BEGIN");
  Ask("UPDATE d SET s = 'x' WHERE id = 1");
  EXPECT_EQ(run_other("SELECT * FROM d WHERE id = 2 FOR UPDATE"), 0);
  int other_error = 0;
  Thread waiting("waiting", [&] { other_error = run_other("DELETE FROM d WHERE id = 1"); });
  while (engine_->counters().row_lock_current_waits == 0) {
    std::this_thread::yield();
  }
  EXPECT_EQ(Ask("UPDATE d SET s = 'y' WHERE id = 2").error, 0);
  waiting.Join();
  EXPECT_EQ(other_error, 1213);  // it had changed nothing
  Ask("ROLLBACK");
  const std::string text = Cell("SHOW ENGINE INNODB STATUS");
  const char* const kParts[] = {
      "------------------------\nLATEST DETECTED DEADLOCK\n------------------------\n",
      "*** (1) TRANSACTION:\nTRANSACTION ",
      "MySQL thread id 8, ",
      "\nDELETE FROM d WHERE id = 1\n",
      "*** (1) HOLDS THE LOCK(S):\nRECORD LOCKS space id ",
      " index PRIMARY of table `test`.`d` trx id ",
      " lock_mode X locks rec but not gap\nRecord lock, key (2)\n",
      "*** (1) WAITING FOR THIS LOCK TO BE GRANTED:\nRECORD LOCKS space id ",
      " lock_mode X locks rec but not gap waiting\nRecord lock, key (1)\n",
      "*** (2) TRANSACTION:\nTRANSACTION ",
      "MySQL thread id 7, ",
      "\nUPDATE d SET s = 'y' WHERE id = 2\n",
      "*** (2) HOLDS THE LOCK(S):\n",
      "Record lock, key (1)\n",
      "*** (2) WAITING FOR THIS LOCK TO BE GRANTED:\n",
      "Record lock, key (2)\n",
      "*** WE ROLL BACK TRANSACTION (1)\n",
  };
  size_t at = 0;
  for (const char* part : kParts) {
    const size_t found = text.find(part, at);
    ASSERT_NE(found, std::string::npos) << part << "\nis not in, or not in its place:\n" << text;
    at = found + std::string_view(part).size();
  }
}

TEST_F(ShowTest, ConnectAttributes) {
  EXPECT_EQ(Ask("SELECT * FROM performance_schema.session_connect_attrs ORDER BY 1, 4").ToString(),
            "7,_client_name,libmysql,0|7,program_name,mysql,1|8,_client_name,pymysql,0");
  // Those of the session's own account.
  EXPECT_EQ(Cell("SELECT GROUP_CONCAT(DISTINCT PROCESSLIST_ID) FROM "
                 "performance_schema.session_account_connect_attrs"),
            "7");
}

TEST_F(ShowTest, WhatIsNotOfferedIsRefusedByName) {
  EXPECT_EQ(Ask("SHOW EXTENDED COLUMNS FROM p").error, 1235);
  EXPECT_EQ(Ask("SHOW BINARY LOGS").error, 1381);
  EXPECT_EQ(Ask("SHOW ENGINE nosuch STATUS").error, 1286);
}

}  // namespace
}  // namespace borealis::sql
