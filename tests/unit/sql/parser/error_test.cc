// Syntax errors: MySQL's number, wording, the text from the offending token on, and the line.
#include <string>

#include <gtest/gtest.h>

#include "base/mysql_error.h"
#include "sql/parser/parser.h"

namespace borealis::sql {
namespace {

std::string ParseErrorText(const std::string& near, int line) {
  return "You have an error in your SQL syntax; check the manual that corresponds to your MySQL "
         "server version for the right syntax to use near '" +
         near + "' at line " + std::to_string(line);
}

struct ErrorCase {
  const char* text;
  const char* near;
  int line = 1;
};

class SyntaxErrorTest : public ::testing::TestWithParam<ErrorCase> {};

TEST_P(SyntaxErrorTest, NamesTheOffendingText) {
  const ErrorCase& c = GetParam();
  const Result<ParsedStatement> parsed = Parse(c.text);
  ASSERT_FALSE(parsed.ok()) << c.text;
  EXPECT_EQ(parsed.status().user_errno(), ER_PARSE_ERROR);
  EXPECT_EQ(parsed.status().message(), ParseErrorText(c.near, c.line)) << c.text;
}

const ErrorCase kErrors[] = {
    {"SELECT", ""},
    {"SELECT * FROM", ""},
    {"SELECT * FROM t WHERE", ""},
    {"SELEC 1", "SELEC 1"},
    {"  \n SELEC 1", "SELEC 1"},
    {"SELECT 1 FROM FROM t", "FROM t"},
    {"SELECT GROUPING() FROM t GROUP BY a", ") FROM t GROUP BY a"},
    {"SELECT\n1\nFROM\nselect", "select", 4},
    {"SELECT a b c", "c"},
    {"SELECT * FROM t WHERE a = = 1", "= 1"},
    {"SELECT (1", ""},
    {"SELECT 1)", ")"},
    {"SELECT 'abc", "'abc"},
    {"SELECT `abc", "`abc"},
    {"SELECT 1 /* open", "/* open"},
    {"SELECT a = NOT b", "NOT b"},
    {"SELECT 1 UNION", ""},
    {"SELECT 1 ORDER BY 1 UNION SELECT 2", "UNION SELECT 2"},
    {"SELECT * FROM a LEFT JOIN b", ""},
    {"SELECT * FROM a LEFT JOIN b WHERE 1", "WHERE 1"},
    {"SELECT count (*) FROM t", "*) FROM t"},
    {"SELECT rank FROM t", "rank FROM t"},
    {"SELECT a FROM group", "group"},
    {"SELECT ROW_NUMBER() FROM t", "FROM t"},
    {"SELECT CASE 1 END", "END"},
    {"SELECT a IN () FROM t", ") FROM t"},
    {"INSERT INTO t VALUES (1", ""},
    {"INSERT INTO t (a b) VALUES (1)", "b) VALUES (1)"},
    {"INSERT t VALUES 1", "1"},
    {"UPDATE t a = 1", "= 1"},
    {"UPDATE t SET", ""},
    {"DELETE t WHERE 1", "WHERE 1"},
    {"CREATE TABLE t (a FOO)", "FOO)"},
    {"CREATE TABLE t (a INT) FROB=1", "FROB=1"},
    {"CREATE TABLE t (a VARCHAR)", ")"},
    {"CREATE TABLE t (a INT,)", ")"},
    {"CREATE TABLE t (a INT DEFAULT 1+1)", "+1)"},
    {"CREATE TABLE key (a INT)", "key (a INT)"},
    {"ALTER TABLE t FROBNICATE", "FROBNICATE"},
    {"DROP t", "t"},
    {"SET a", ""},
    {"SHOW FROBS", "FROBS"},
    {"SELECT 1; ; SELECT", "", 0},
    {"SELECT 1 LIMIT 1 + 1", "+ 1"},
    {"SELECT 1 LIMIT x", "x"},
    {"SELECT 1.5e", "1.5e"},
    {"SELECT x'4'", "x'4'"},
    {"SELECT \x01", "\x01"},
    {"SELECT * FROM t WHERE (a, b", ""},
    {"SELECT DISTINCT ALL a FROM t", "ALL a FROM t"},
    {"SELECT a.b.c.d FROM t", ".d FROM t"},
    {"SELECT EXISTS(1)", "1)"},
    {"WITH a AS (SELECT 1) INSERT INTO t SELECT 1", "INSERT INTO t SELECT 1"},
    {"GRANT SELECT ON t", ""},
    {"EXPLAIN FORMAT=XML SELECT 1", "XML SELECT 1"},
    {"SELECT 1 WINDOW w AS ()\n FROM t", "FROM t", 2},
};

INSTANTIATE_TEST_SUITE_P(All, SyntaxErrorTest, ::testing::ValuesIn([] {
                           std::vector<ErrorCase> cases;
                           for (const ErrorCase& c : kErrors) {
                             if (c.line > 0) {
                               cases.push_back(c);
                             }
                           }
                           return cases;
                         }()));

TEST(SyntaxError, NearTextIsCutAtEightyCharacters) {
  const std::string tail(200, 'x');
  const Result<ParsedStatement> parsed = Parse("SELECT a b " + tail);
  ASSERT_FALSE(parsed.ok());
  EXPECT_EQ(parsed.status().message(), ParseErrorText(std::string(80, 'x'), 1));
}

TEST(SyntaxError, NearTextCountsCharactersNotBytes) {
  std::string tail;
  std::string eighty;
  for (int i = 0; i < 100; ++i) {
    tail += "ü";
    if (i < 80) {
      eighty += "ü";
    }
  }
  const Result<ParsedStatement> parsed = Parse("SELECT a b " + tail);
  ASSERT_FALSE(parsed.ok());
  EXPECT_EQ(parsed.status().message(), ParseErrorText(eighty, 1));
}

TEST(SyntaxError, TrailingSemicolonsAreNotQuoted) {
  const Result<ParsedStatement> parsed = Parse("SELECT * FROM ;  ");
  ASSERT_FALSE(parsed.ok());
  EXPECT_EQ(parsed.status().message(), ParseErrorText("", 1));
}

TEST(SyntaxError, DerivedTablesNeedAnAlias) {
  const Result<ParsedStatement> parsed = Parse("SELECT * FROM (SELECT 1) WHERE 1");
  ASSERT_FALSE(parsed.ok());
  EXPECT_EQ(parsed.status().user_errno(), ER_DERIVED_MUST_HAVE_ALIAS);
  EXPECT_EQ(parsed.status().message(), "Every derived table must have its own alias");
}

TEST(SyntaxError, ParametersMayBeForbidden) {
  ParserOptions options;
  options.allow_parameters = false;
  const Result<ParsedStatement> parsed = Parse("SELECT ?", options);
  ASSERT_FALSE(parsed.ok());
  EXPECT_EQ(parsed.status().message(), ParseErrorText("?", 1));
}

std::string Repeat(const std::string& part, int times) {
  std::string out;
  for (int i = 0; i < times; ++i) {
    out += part;
  }
  return out;
}

TEST(Nesting, TooDeepIsRefused) {
  const int n = 100000;
  const std::string texts[] = {
      "SELECT " + Repeat("(", n) + "1" + Repeat(")", n),
      "SELECT " + Repeat("(", n),
      "SELECT " + Repeat("(SELECT ", n) + "1" + Repeat(")", n),
      "SELECT " + Repeat("f(", n) + "1" + Repeat(")", n),
      "SELECT " + Repeat("- ", n) + "1",
      "SELECT " + Repeat("NOT ", n) + "1",
      "SELECT " + Repeat("!", n) + "1",
      "SELECT " + Repeat("BINARY ", n) + "1",
      "SELECT " + Repeat("1 + ", n) + "1",
      "SELECT 1" + Repeat(" COLLATE x", n),
      "SELECT 1" + Repeat(" IS NULL", n),
      "SELECT " + Repeat("a BETWEEN 1 AND ", n) + "1",
      "SELECT " + Repeat("CASE WHEN 1 THEN ", n) + "1" + Repeat(" END", n),
      "SELECT " + Repeat("INTERVAL 1 DAY + ", n) + "1",
      "SELECT " + Repeat("@a := ", n) + "1",
      "SELECT * FROM " + Repeat("(", n) + "t" + Repeat(")", n),
      "SELECT * FROM a" + Repeat(" JOIN a", n),
      "SELECT * FROM a" + Repeat(" JOIN a ON 1", n),
      Repeat("EXPLAIN ", n) + "SELECT 1",
      Repeat("(", n) + "SELECT 1" + Repeat(")", n),
  };
  for (const std::string& text : texts) {
    EXPECT_FALSE(Parse(text).ok()) << text.substr(0, 60);
  }
}

TEST(Nesting, LongFlatStatementsAreFine) {
  const int n = 20000;
  EXPECT_TRUE(Parse("SELECT 1 WHERE " + Repeat("a = 1 OR ", n) + "b").ok());
  EXPECT_TRUE(Parse("SELECT 1 WHERE " + Repeat("a = 1 AND ", n) + "b").ok());
  EXPECT_TRUE(Parse("SELECT 1 WHERE a IN (" + Repeat("1, ", n) + "1)").ok());
  EXPECT_TRUE(Parse(Repeat("SELECT 1 UNION ALL ", n) + "SELECT 1").ok());
  EXPECT_TRUE(Parse("INSERT INTO t VALUES " + Repeat("(1, -1, 2 + 3), ", n) + "(1, 2, 3)").ok());
}

TEST(Nesting, UsualDepthIsFine) {
  EXPECT_TRUE(Parse("SELECT " + Repeat("(", 200) + "1" + Repeat(")", 200)).ok());
  EXPECT_TRUE(Parse("SELECT " + Repeat("1 + ", 1500) + "1").ok());
  EXPECT_TRUE(Parse("SELECT * FROM a" + Repeat(" JOIN a", 60)).ok());
}

}  // namespace
}  // namespace borealis::sql
