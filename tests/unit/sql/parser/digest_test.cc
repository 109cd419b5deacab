// Normalised statement text.
#include "sql/parser/digest.h"

#include <string>

#include <gtest/gtest.h>

namespace borealis::sql {
namespace {

struct DigestCase {
  const char* text;
  const char* normalised;
};

class DigestTest : public ::testing::TestWithParam<DigestCase> {};

TEST_P(DigestTest, ReplacesLiterals) {
  EXPECT_EQ(NormaliseStatement(GetParam().text), GetParam().normalised);
}

const DigestCase kCases[] = {
    {"select * from t where id = 5", "SELECT * FROM `t` WHERE `id` = ?"},
    {"SELECT  *\n FROM `t` /* c */ WHERE id='x' -- end", "SELECT * FROM `t` WHERE `id` = ?"},
    {"SELECT 1, 2, 3", "SELECT ?, ..."},
    {"SELECT 1", "SELECT ?"},
    {"SELECT -1, a - 1, (-1)", "SELECT ? , `a` - ? , (?)"},
    {"SELECT - 1.5 * -2", "SELECT ? * ?"},
    {"SELECT a FROM t WHERE b IN (1, 'x', ?)", "SELECT `a` FROM `t` WHERE `b` IN (...)"},
    {"SELECT a FROM t WHERE b IN (1)", "SELECT `a` FROM `t` WHERE `b` IN (?)"},
    {"INSERT INTO t VALUES (1, 2), (3, NULL), (5, 6)", "INSERT INTO `t` VALUES (...) /* , ... */"},
    {"INSERT INTO t (a) VALUES (1), (2)", "INSERT INTO `t` ( `a` ) VALUES (?) /* , ... */"},
    {"INSERT INTO t VALUES (1, a)", "INSERT INTO `t` VALUES ( ? , `a` )"},
    {"SELECT a IS NULL, b IS NOT NULL, NULL", "SELECT `a` IS NULL , `b` IS NOT NULL , ?"},
    {"select t.a from d.t where x'4D' = b'01'", "SELECT `t` . `a` FROM `d` . `t` WHERE ? = ?"},
    {"SELECT _utf8mb4'x', N'y'", "SELECT ?, ..."},
    {"SET @a = 1", "SET @a = ?"},
    {"SELECT @@global.sql_mode", "SELECT @@ GLOBAL . `sql_mode`"},
    {"SELECT 1; SELECT a", "SELECT ?"},
    {"SELECT /*! STRAIGHT_JOIN */ a /*!99999 , b */", "SELECT STRAIGHT_JOIN `a`"},
    {"SELECT 'unterminated", "SELECT"},
    {"", ""},
};

INSTANTIATE_TEST_SUITE_P(All, DigestTest, ::testing::ValuesIn(kCases));

TEST(Digest, IsCutAtATokenWhenLong) {
  const std::string cut = NormaliseStatement("SELECT aaaaaaaaaa, bbbbbbbbbb", {}, 22);
  EXPECT_EQ(cut, "SELECT `aaaaaaaaaa` , ...");
}

TEST(Digest, ValuesOfAnyLengthGiveTheSameText) {
  std::string many = "INSERT INTO t VALUES (1, 2)";
  const std::string two = NormaliseStatement("INSERT INTO t VALUES (1, 2), (3, 4)");
  for (int i = 0; i < 1000; ++i) {
    many += ", (1, 'x')";
  }
  EXPECT_EQ(NormaliseStatement(many), two);
}

}  // namespace
}  // namespace borealis::sql
