// Queries from text to rows, over an engine in memory.
#include <gtest/gtest.h>

#include "tests/unit/sql/executor/query_fixture.h"

namespace borealis::sql {
namespace {

using row::Type;
using row::Value;

Value Text(std::string text) {
  return Value::String(std::move(text));
}

class QueryTest : public ::testing::Test {
 protected:
  QueryTest() {
    TableDescriptor users = QueryFixture::Define("users");
    QueryFixture::AddColumn(&users, "id", Type::Int().NotNull());
    QueryFixture::AddColumn(&users, "name", Type::Varchar(40, 255));
    QueryFixture::AddColumn(&users, "age", Type::Int());
    QueryFixture::AddColumn(&users, "score", Type::Decimal(10, 2));
    QueryFixture::AddIndex(&users, "PRIMARY", IndexKind::kPrimary, {"id"});
    QueryFixture::AddIndex(&users, "by_name", IndexKind::kPlain, {"name"});
    QueryFixture::AddIndex(&users, "by_age", IndexKind::kPlain, {"age", "name"});
    db_.Create(std::move(users));
    auto decimal = [](const char* text) {
      row::Decimal number;
      EXPECT_EQ(row::Decimal::Parse(text, &number), row::DecimalStatus::kOk);
      return Value::Dec(number);
    };
    db_.Insert("users", {
                            {Value::Int(1), Text("Ann"), Value::Int(30), decimal("1.50")},
                            {Value::Int(2), Text("bob"), Value::Int(25), decimal("2.25")},
                            {Value::Int(3), Text("Cid"), Value::Int(30), Value::Null()},
                            {Value::Int(4), Value::Null(), Value::Null(), decimal("-7.00")},
                            {Value::Int(5), Text("ann"), Value::Int(41), decimal("10.00")},
                        });
    TableDescriptor orders = QueryFixture::Define("orders");
    QueryFixture::AddColumn(&orders, "user_id", Type::Int());
    QueryFixture::AddColumn(&orders, "item", Type::Varchar(20, 255));
    QueryFixture::AddColumn(&orders, "price", Type::Double());
    QueryFixture::AddIndex(&orders, "by_user", IndexKind::kPlain, {"user_id"});
    db_.Create(std::move(orders));
    db_.Insert("orders", {
                             {Value::Int(1), Text("pen"), Value::Double(1.5)},
                             {Value::Int(1), Text("ink"), Value::Double(3)},
                             {Value::Int(2), Text("pen"), Value::Double(1.5)},
                             {Value::Int(9), Text("cup"), Value::Double(4)},
                         });
  }

  std::string Ask(std::string_view text) {
    Answer answer = db_.Query(text);
    last_message_ = answer.message;
    return answer.ToString();
  }

  QueryFixture db_;
  std::string last_message_;
};

TEST_F(QueryTest, ReadsRowsWithoutTables) {
  EXPECT_EQ(Ask("SELECT 1"), "1");
  EXPECT_EQ(Ask("SELECT 1+1, 'a', NULL, 1.5*2"), "2,a,NULL,3.0");
  EXPECT_EQ(Ask("SELECT 2 WHERE 0"), "");
}

TEST_F(QueryTest, ReadsByPrimaryKey) {
  EXPECT_EQ(Ask("SELECT name FROM users WHERE id = 2"), "bob");
  EXPECT_EQ(Ask("SELECT name FROM users WHERE id = '2'"), "bob");
  EXPECT_EQ(Ask("SELECT name FROM users WHERE id = 2.5"), "");
  EXPECT_EQ(Ask("SELECT id FROM users WHERE id IN (5, 1, 77, NULL) ORDER BY id"), "1|5");
  EXPECT_EQ(Ask("SELECT id FROM users WHERE id BETWEEN 2 AND 4 ORDER BY id DESC"), "4|3|2");
  EXPECT_EQ(Ask("SELECT id FROM users WHERE id > 3.5 ORDER BY id"), "4|5");
}

TEST_F(QueryTest, ComparesTextByCollation) {
  EXPECT_EQ(Ask("SELECT id FROM users WHERE name = 'ANN' ORDER BY id"), "1|5");
  EXPECT_EQ(Ask("SELECT id FROM users WHERE name > 'b' ORDER BY name"), "2|3");
  EXPECT_EQ(Ask("SELECT DISTINCT UPPER(name) FROM users WHERE name IS NOT NULL ORDER BY 1"),
            "ANN|BOB|CID");
}

TEST_F(QueryTest, JoinsAndGroups) {
  EXPECT_EQ(Ask("SELECT u.name, o.item FROM users u JOIN orders o ON o.user_id = u.id "
                "ORDER BY u.id, o.item"),
            "Ann,ink|Ann,pen|bob,pen");
  EXPECT_EQ(Ask("SELECT u.id, COUNT(o.item) FROM users u LEFT JOIN orders o ON o.user_id = u.id "
                "GROUP BY u.id ORDER BY u.id"),
            "1,2|2,1|3,0|4,0|5,0");
  EXPECT_EQ(Ask("SELECT age, COUNT(*), SUM(score), AVG(score) FROM users GROUP BY age "
                "HAVING COUNT(*) > 1"),
            "30,2,1.50,1.500000");
}

TEST_F(QueryTest, Subqueries) {
  EXPECT_EQ(Ask("SELECT id FROM users WHERE id IN (SELECT user_id FROM orders) ORDER BY id"),
            "1|2");
  EXPECT_EQ(Ask("SELECT id FROM users u WHERE EXISTS (SELECT 1 FROM orders WHERE user_id = u.id "
                "AND price > 2)"),
            "1");
  EXPECT_EQ(Ask("SELECT (SELECT MAX(price) FROM orders WHERE user_id = u.id) FROM users u "
                "WHERE id <= 3 ORDER BY id"),
            "3|1.5|NULL");
  EXPECT_EQ(Ask("SELECT (SELECT item FROM orders)"), "error 1242");
  EXPECT_EQ(Ask("SELECT id FROM users WHERE age > ALL (SELECT age FROM users WHERE id < 3)"), "5");
}

TEST_F(QueryTest, SetOperationsAndCtes) {
  EXPECT_EQ(Ask("SELECT 1 UNION SELECT 2 UNION SELECT 1 ORDER BY 1 DESC"), "2|1");
  EXPECT_EQ(Ask("SELECT 1 UNION ALL SELECT 1.5"), "1.0|1.5");
  EXPECT_EQ(Ask("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 4) "
                "SELECT SUM(i) FROM n"),
            "10");
}

TEST_F(QueryTest, Errors) {
  EXPECT_EQ(Ask("SELECT nope FROM users"), "error 1054");
  EXPECT_EQ(last_message_, "Unknown column 'nope' in 'field list'");
  EXPECT_EQ(Ask("SELECT * FROM missing"), "error 1146");
  EXPECT_EQ(Ask("SELECT user_id FROM orders o, orders o"), "error 1066");
  EXPECT_EQ(Ask("SELECT item FROM orders a JOIN orders b"), "error 1052");
  EXPECT_EQ(Ask("SELECT id FROM users WHERE COUNT(*) = 1"), "error 1111");
  EXPECT_EQ(Ask("SELECT name, COUNT(*) FROM users"), "error 1140");
  EXPECT_EQ(Ask("SELECT name, age FROM users GROUP BY age"), "error 1055");
  EXPECT_EQ(Ask("SELECT (SELECT 1, 2)"), "error 1241");
  EXPECT_EQ(Ask("SELECT 1 UNION SELECT 1, 2"), "error 1222");
}

TEST_F(QueryTest, PreparedStatementsReusePlans) {
  Result<PreparedInfo> info =
      db_.session().Prepare("SELECT name FROM users WHERE id = ? AND age >= ?");
  ASSERT_TRUE(info.ok()) << info.status().ToString();
  EXPECT_EQ(info->parameter_count, 2u);
  ASSERT_EQ(info->columns.size(), 1u);
  EXPECT_EQ(info->columns[0].name, "name");
  auto number = [](int64_t n) { return TypedValue{Type::BigInt(), Value::Int(n)}; };
  EXPECT_EQ(db_.Execute(info->id, {number(1), number(30)}).ToString(), "Ann");
  EXPECT_EQ(db_.Execute(info->id, {number(2), number(30)}).ToString(), "");
  EXPECT_EQ(db_.Execute(info->id, {number(2), number(3)}).ToString(), "bob");
  // A value that is no integer: compared as it is, not as the column's type.
  TypedValue text{Type::Varchar(3, 255), Value::String("2.5")};
  EXPECT_EQ(db_.Execute(info->id, {text, number(3)}).ToString(), "");
  EXPECT_EQ(db_.Execute(info->id, {number(3), number(3)}).ToString(), "Cid");
}

}  // namespace
}  // namespace borealis::sql
