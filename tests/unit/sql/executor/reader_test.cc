// Queries of a reader instance that loses its writer and finds another one meanwhile.
#include <atomic>
#include <chrono>
#include <thread>

#include <gtest/gtest.h>

#include "base/os/thread.h"
#include "tests/support/follower.h"
#include "tests/unit/sql/executor/query_fixture.h"

namespace borealis::sql {
namespace {

using row::Type;
using row::Value;

constexpr int kRows = 500;

class ReaderTest : public ::testing::Test {
 protected:
  ReaderTest() {
    TableDescriptor table = QueryFixture::Define("t");
    QueryFixture::AddColumn(&table, "id", Type::Int().NotNull());
    QueryFixture::AddIndex(&table, "PRIMARY", IndexKind::kPrimary, {"id"});
    db_.Create(std::move(table));
    std::vector<std::vector<Value>> rows;
    for (int i = 0; i < kRows; ++i) {
      rows.push_back({Value::Int(i)});
    }
    db_.Insert("t", rows);
    follower_ = std::make_unique<engine::testing::Follower>(&db_.volume());
    Result<std::unique_ptr<engine::Engine>> replica =
        engine::Engine::OpenReplica(follower_.get(), QueryFixture::Options(), Hello());
    EXPECT_TRUE(replica.ok()) << replica.status().ToString();
    replica_ = std::move(replica).value();
    catalog_ = std::make_unique<Catalog>(replica_.get());
    SessionEnvironment environment;
    environment.engine = replica_.get();
    environment.catalog = catalog_.get();
    environment.executor = &executor_;
    session_ = std::make_unique<Session>(environment,
                                         SessionIdentity{8, "root", "localhost", "root", "%"});
    EXPECT_TRUE(session_->UseDatabase("test").ok());
  }
  // What a writer tells a reader that begins to follow it.
  std::string Hello() {
    Lsn at;
    return db_.engine().ActiveTransactions(&at);
  }
  void LoseTheWriter() { EXPECT_TRUE(replica_->RestartReplica(Hello()).ok()); }
  std::string Query(std::string_view text) { return Ask(session_.get(), text).ToString(); }

  QueryFixture db_;
  QueryOnlyExecutor executor_;
  std::unique_ptr<engine::testing::Follower> follower_;
  std::unique_ptr<engine::Engine> replica_;
  std::unique_ptr<Catalog> catalog_;
  std::unique_ptr<Session> session_;
};

TEST_F(ReaderTest, AStatementWithAViewOfItsOwnStartsAnew) {
  std::atomic<bool> stopping{false};
  std::atomic<int> queries{0};
  // Once in a query at most: one that loses its writer ten times may fail.
  Thread losing("losing", [&] {
    for (int last = -1; !stopping.load();) {
      if (const int now = queries.load(); now != last) {
        last = now;
        LoseTheWriter();
      }
      std::this_thread::sleep_for(std::chrono::microseconds(50));
    }
  });
  for (; queries.load() < 1000 && !HasFailure(); ++queries) {
    EXPECT_EQ(Query("SELECT COUNT(*), MAX(id) FROM t"), "500,499") << "query " << queries.load();
  }
  stopping.store(true);
  losing.Join();
}

TEST_F(ReaderTest, ATransactionKeepsItsViewOrFails) {
  Ask(session_.get(), "START TRANSACTION");
  ASSERT_EQ(Query("SELECT COUNT(*) FROM t"), "500");
  LoseTheWriter();
  EXPECT_EQ(Query("SELECT COUNT(*) FROM t"), "error 1412");
  Ask(session_.get(), "ROLLBACK");
  EXPECT_EQ(Query("SELECT COUNT(*) FROM t"), "500");
}

}  // namespace
}  // namespace borealis::sql
