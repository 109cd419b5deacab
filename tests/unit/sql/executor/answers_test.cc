// What a client is told inside a transaction is durable: locks let others go on before a commit is.
#include <atomic>
#include <chrono>
#include <thread>

#include <gtest/gtest.h>

#include "base/os/thread.h"
#include "tests/unit/sql/executor/query_fixture.h"

namespace borealis::sql {
namespace {

using row::Type;
using row::Value;

// INV-TRX-2
TEST(AnswersTest, ALockingReadTellsOfNoCommitThatMayBeLost) {
  QueryFixture db;
  TableDescriptor table = QueryFixture::Define("t");
  QueryFixture::AddColumn(&table, "id", Type::Int().NotNull());
  QueryFixture::AddIndex(&table, "PRIMARY", IndexKind::kPrimary, {"id"});
  db.Create(std::move(table));
  db.volume().HoldDurability();
  Thread commits("commits", [&] { db.Insert("t", {{Value::Int(1)}}); });
  std::atomic<bool> durable{false};
  Thread releases("releases", [&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    durable.store(true);
    db.volume().Release();
  });
  std::string found;
  while (found.empty()) {
    db.Query("BEGIN");
    found = db.Query("SELECT id FROM t WHERE id = 1 FOR UPDATE").ToString();
    EXPECT_TRUE(found.empty() || durable.load()) << found;
    db.Query("ROLLBACK");
  }
  commits.Join();
  releases.Join();
  EXPECT_EQ(found, "1");
}

}  // namespace
}  // namespace borealis::sql
