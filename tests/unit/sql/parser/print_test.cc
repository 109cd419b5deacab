// The canonical text of expressions and queries; it also serves here to check how operators bind.
#include "sql/ast/print.h"

#include <string>

#include <gtest/gtest.h>

#include "sql/ast/ddl.h"
#include "sql/ast/stmt.h"
#include "sql/parser/parser.h"

namespace borealis::sql {
namespace {

std::string Canonical(const std::string& text, const ParserOptions& options = {}) {
  const Result<ExprPtr> expr = ParseExpression(text, options);
  return expr.ok() ? PrintExpr(*expr.value()) : std::string(expr.status().message());
}

struct PrintCase {
  const char* text;
  const char* printed;
};

class PrintTest : public ::testing::TestWithParam<PrintCase> {};

TEST_P(PrintTest, IsCanonicalAndStable) {
  const PrintCase& c = GetParam();
  const std::string printed = Canonical(c.text);
  EXPECT_EQ(printed, c.printed) << c.text;
  EXPECT_EQ(Canonical(printed), printed) << c.text;
}

const PrintCase kOperators[] = {
    {"1 + 2 * 3", "(1 + (2 * 3))"},
    {"1 - 2 - 3", "((1 - 2) - 3)"},
    {"(1 - 2) - 3", "((1 - 2) - 3)"},
    {"1 - (2 - 3)", "(1 - (2 - 3))"},
    {"a DIV b % c MOD d", "(((`a` DIV `b`) % `c`) % `d`)"},
    {"MOD(a, b)", "(`a` % `b`)"},
    {"a | b & c << 1 + 2", "(`a` | (`b` & (`c` << (1 + 2))))"},
    {"2 ^ 3 * 4", "((2 ^ 3) * 4)"},
    {"-a ^ b", "(-(`a`) ^ `b`)"},
    {"- - a", "-(-(`a`))"},
    {"+a", "`a`"},
    {"~a + !b", "(~(`a`) + (0 = `b`))"},
    {"-1", "-(1)"},
    {"NOT a = b", "(`a` <> `b`)"},
    {"!a = b", "((0 = `a`) = `b`)"},
    {"NOT a AND b", "((0 = `a`) and (0 <> `b`))"},
    {"a OR b AND c XOR d", "((0 <> `a`) or (((0 <> `b`) and (0 <> `c`)) xor (0 <> `d`)))"},
    {"a || b && c", "((0 <> `a`) or ((0 <> `b`) and (0 <> `c`)))"},
    {"a AND b AND c AND d", "((0 <> `a`) and (0 <> `b`) and (0 <> `c`) and (0 <> `d`))"},
    {"a AND (b AND c) AND d", "((0 <> `a`) and (0 <> `b`) and (0 <> `c`) and (0 <> `d`))"},
    {"(a OR b) AND (c OR d)", "(((0 <> `a`) or (0 <> `b`)) and ((0 <> `c`) or (0 <> `d`)))"},
    {"a = b = c", "((`a` = `b`) = `c`)"},
    {"a <=> NULL", "(`a` <=> NULL)"},
    {"a != b", "(`a` <> `b`)"},
    {"a IS NULL IS NOT NULL", "((`a` is null) is not null)"},
    {"a = b IS TRUE", "((`a` = `b`) is true)"},
    {"a IS NOT UNKNOWN", "(`a` is not null)"},
    {"a + 1 IS NULL", "((`a` + 1) is null)"},
    {"a BETWEEN 1 AND 2 AND c", "((`a` between 1 and 2) and (0 <> `c`))"},
    {"a NOT BETWEEN 1 + 1 AND 2", "(`a` not between (1 + 1) and 2)"},
    {"a BETWEEN 1 AND b IN (2)", "(`a` between 1 and (`b` = 2))"},
    {"a IN (1, 2)", "(`a` in (1,2))"},
    {"a NOT IN (1)", "(`a` <> 1)"},
    {"(a, b) IN ((1, 2))", "((`a`,`b`) in ((1,2)))"},
    {"a LIKE 'x%' ESCAPE '|'", "(`a` like 'x%' escape '|')"},
    {"a NOT LIKE b", "(not((`a` like `b`)))"},
    {"a REGEXP 'x'", "regexp_like(`a`,'x')"},
    {"a NOT RLIKE 'x'", "(not(regexp_like(`a`,'x')))"},
    {"a SOUNDS LIKE b", "(soundex(`a`) = soundex(`b`))"},
    {"1 MEMBER OF (a)", "(1 member of (`a`))"},
    {"a COLLATE utf8mb4_bin = b", "((`a` collate utf8mb4_bin) = `b`)"},
    {"-a COLLATE utf8mb4_bin", "-((`a` collate utf8mb4_bin))"},
    {"BINARY a = b", "(cast(`a` as char charset binary) = `b`)"},
    {"a->'$.x'", "json_extract(`a`,'$.x')"},
    {"t.a->>'$.x' = 1", "(json_unquote(json_extract(`t`.`a`,'$.x')) = 1)"},
    {"a + INTERVAL 1 DAY", "(`a` + interval 1 day)"},
    {"a - INTERVAL b + 1 HOUR_MINUTE", "(`a` - interval (`b` + 1) hour_minute)"},
    {"INTERVAL 1 DAY + a", "(`a` + interval 1 day)"},
    {"a + INTERVAL (1) DAY", "(`a` + interval 1 day)"},
    {"a + INTERVAL(1, 2)", "(`a` + interval(1,2))"},
    {"a + INTERVAL 1 DAY - INTERVAL 2 SQL_TSI_MONTH",
     "((`a` + interval 1 day) - interval 2 month)"},
    {"@a := @b + 1", "(@`a`:=((@`b`) + 1))"},
    {"ROW(1, 2) = (3, 4)", "((1 = 3) and (2 = 4))"},
    {"a > ALL (SELECT 1)", "(`a` > all (select 1))"},
    {"a = SOME (SELECT b FROM t)", "(`a` in (select `b` from `t`))"},
    {"a IN (SELECT 1)", "(`a` in (select 1))"},
    {"NOT EXISTS (SELECT 1)", "(not exists(select 1))"},
    {"CASE WHEN a THEN 1 ELSE 2 END", "(case when `a` then 1 else 2 end)"},
    {"CASE a WHEN 1 THEN 2 WHEN 3 THEN 4 END", "(case `a` when 1 then 2 when 3 then 4 end)"},
};

const PrintCase kFunctions[] = {
    {"now()", "now()"},
    {"CURRENT_TIMESTAMP", "now()"},
    {"CURRENT_TIMESTAMP(6)", "now(6)"},
    {"LOCALTIME", "now()"},
    {"CURRENT_DATE", "curdate()"},
    {"UTC_TIMESTAMP(3)", "utc_timestamp(3)"},
    {"CURRENT_USER", "current_user()"},
    {"SCHEMA()", "database()"},
    {"SESSION_USER()", "user()"},
    {"Concat ( a , 'x' )", "concat(`a`,'x')"},
    {"IF(a, 1, 2)", "if(`a`,1,2)"},
    {"LEFT(a, 1)", "left(`a`,1)"},
    {"REPLACE(a, 'x', 'y')", "replace(`a`,'x','y')"},
    {"INSERT(a, 1, 2, 'z')", "insert(`a`,1,2,'z')"},
    {"TRUNCATE(a, 1)", "truncate(`a`,1)"},
    {"DATE(a)", "cast(`a` as date)"},
    {"YEAR(a)", "year(`a`)"},
    {"VALUES(a)", "values(`a`)"},
    {"DEFAULT(t.a)", "default(`t`.`a`)"},
    {"SUBSTRING(a FROM 1 FOR 2)", "substr(`a`,1,2)"},
    {"MID(a, 1)", "substr(`a`,1)"},
    {"POSITION('x' IN a)", "locate('x',`a`)"},
    {"TRIM(a)", "trim(`a`)"},
    {"TRIM('x' FROM a)", "trim(both 'x' from `a`)"},
    {"TRIM(LEADING FROM a)", "trim(leading from `a`)"},
    {"TRIM(TRAILING 'x' FROM a)", "trim(trailing 'x' from `a`)"},
    {"EXTRACT(YEAR_MONTH FROM a)", "extract(year_month from `a`)"},
    {"DATE_ADD(a, INTERVAL 1 DAY)", "(`a` + interval 1 day)"},
    {"DATE_SUB(a, INTERVAL '1:2' MINUTE_SECOND)", "(`a` - interval '1:2' minute_second)"},
    {"ADDDATE(a, 5)", "(`a` + interval 5 day)"},
    {"SUBDATE(a, INTERVAL 5 WEEK)", "(`a` - interval 5 week)"},
    {"TIMESTAMPDIFF(SQL_TSI_DAY, a, b)", "timestampdiff(DAY,`a`,`b`)"},
    {"GET_FORMAT(DATE, 'EUR')", "get_format(DATE, 'EUR')"},
    {"CAST(a AS SIGNED INTEGER)", "cast(`a` as signed)"},
    {"CAST(a AS UNSIGNED)", "cast(`a` as unsigned)"},
    {"CAST(a AS CHAR(5) CHARACTER SET latin1)", "cast(`a` as char(5) charset latin1)"},
    {"CAST(a AS DECIMAL(10, 2))", "cast(`a` as decimal(10,2))"},
    {"CAST(a AS DATETIME(6))", "cast(`a` as datetime(6))"},
    {"CAST(a AS JSON)", "cast(`a` as json)"},
    {"CAST(a AS UNSIGNED ARRAY)", "cast(`a` as unsigned array)"},
    {"CONVERT(a, BINARY(3))", "cast(`a` as char(3) charset binary)"},
    {"CONVERT(a USING utf8mb4)", "convert(`a` using utf8mb4)"},
    {"CHAR(65, 66 USING utf8mb4)", "char(65,66 using utf8mb4)"},
    {"WEIGHT_STRING(a AS CHAR(3))", "weight_string(`a` as char(3))"},
    {"JSON_VALUE(a, '$.x' RETURNING SIGNED DEFAULT 1 ON EMPTY ERROR ON ERROR)",
     "json_value(`a`, '$.x' returning signed default 1 on empty error on error)"},
    {"COUNT(*)", "count(0)"},
    {"COUNT(DISTINCT a, b)", "count(distinct `a`,`b`)"},
    {"SUM(DISTINCT a)", "sum(distinct `a`)"},
    {"STDDEV(a)", "std(`a`)"},
    {"GROUP_CONCAT(DISTINCT a, b ORDER BY c DESC, d SEPARATOR '; ')",
     "group_concat(distinct `a`,`b` order by `c` DESC,`d` ASC separator '; ')"},
    {"GROUP_CONCAT(a)", "group_concat(`a` separator ',')"},
    {"JSON_OBJECTAGG(a, b)", "json_objectagg(`a`,`b`)"},
    {"ROW_NUMBER() OVER ()", "row_number() OVER () "},
    {"SUM(a) OVER w", "sum(`a`) OVER `w`"},
    {"LAG(a, 1) OVER (w PARTITION BY b ORDER BY c DESC ROWS BETWEEN 1 PRECEDING AND UNBOUNDED "
     "FOLLOWING)",
     "lag(`a`,1) OVER (`w` PARTITION BY `b` ORDER BY `c` desc ROWS BETWEEN 1 PRECEDING AND "
     "UNBOUNDED FOLLOWING) "},
    {"MATCH (a, b) AGAINST ('x' IN BOOLEAN MODE)", "(match `a`,`b` against ('x' in boolean mode))"},
    {"d.f(1)", "`d`.`f`(1)"},
    {"`my f`(1)", "`my f`(1)"},
    {"GROUPING(a, b)", "grouping(`a`,`b`)"},
    {"{fn NOW()}", "now()"},
};

const PrintCase kLiterals[] = {
    {"1", "1"},
    {"12.50", "12.50"},
    {".5", "0.5"},
    {"1.", "1"},
    {"1e3", "1e3"},
    {"1.e3", "1.e3"},
    {"1.5E-3", "1.5E-3"},
    {"18446744073709551616", "18446744073709551616"},
    {"NULL", "NULL"},
    {"TRUE", "true"},
    {"'it''s' \" \\\"quoted\\\"\"", "'it\\'s \"quoted\"'"},
    {"'a\\tb\\n\\\\ \\% \\_'", "'a\tb\\n\\\\ \\\\% \\\\_'"},
    {"_latin1'x'", "_latin1'x'"},
    {"N'x'", "_utf8mb3'x'"},
    {"x'4D'", "0x4d"},
    {"0xABC", "0x0abc"},
    {"X''", "X''"},
    {"b'1000001'", "0x41"},
    {"0b101", "0x05"},
    {"_utf8mb4 0x41", "_utf8mb4 0x41"},
    {"DATE '2020-01-01'", "DATE'2020-01-01'"},
    {"TIME'10:11:12.5'", "TIME'10:11:12.5'"},
    {"{ts '2020-01-01 10:00:00'}", "TIMESTAMP'2020-01-01 10:00:00'"},
    {"@`a b`", "(@`a b`)"},
    {"@'x'", "(@`x`)"},
    {"@@global.sql_mode", "@@global.`sql_mode`"},
    {"@@validate_password.length", "@@`validate_password`.`length`"},
    {"a.b.c", "`a`.`b`.`c`"},
    {"`we``ird`", "`we``ird`"},
};

INSTANTIATE_TEST_SUITE_P(Operators, PrintTest, ::testing::ValuesIn(kOperators));
INSTANTIATE_TEST_SUITE_P(Functions, PrintTest, ::testing::ValuesIn(kFunctions));
INSTANTIATE_TEST_SUITE_P(Literals, PrintTest, ::testing::ValuesIn(kLiterals));

TEST(PrintModes, PipesAsConcat) {
  ParserOptions options;
  options.pipes_as_concat = true;
  EXPECT_EQ(Canonical("a || b || c", options), "concat(concat(`a`,`b`),`c`)");
  EXPECT_EQ(Canonical("a || b = c || d", options), "(concat(`a`,`b`) = concat(`c`,`d`))");
  EXPECT_EQ(Canonical("a LIKE b || '%'", options), "(`a` like concat(`b`,'%'))");
}

TEST(PrintModes, AnsiQuotes) {
  ParserOptions options;
  options.ansi_quotes = true;
  EXPECT_EQ(Canonical("\"a\"\"b\" = 'c'", options), "(`a\"b` = 'c')");
}

TEST(PrintModes, NoBackslashEscapes) {
  ParserOptions options;
  options.no_backslash_escapes = true;
  EXPECT_EQ(Canonical("'a\\' ", options), "'a\\\\'");
}

TEST(PrintModes, HighNotPrecedence) {
  ParserOptions options;
  options.high_not_precedence = true;
  EXPECT_EQ(Canonical("NOT a = b", options), "((0 = `a`) = `b`)");
}

TEST(PrintModes, IgnoreSpace) {
  EXPECT_EQ(Canonical("max (a)"), "`max`(`a`)");
  EXPECT_TRUE(ParseExpression("max (a)").value()->Is<FunctionCall>());
  ParserOptions options;
  options.ignore_space = true;
  EXPECT_TRUE(ParseExpression("max (a)", options).value()->Is<Aggregate>());
}

TEST(PrintOptionsTest, DefaultCharsetAndBareColumns) {
  const Result<ExprPtr> expr = ParseExpression("d.t.a = 'x' OR t.b = _latin1'y'");
  ASSERT_TRUE(expr.ok());
  PrintOptions options;
  options.default_charset = "utf8mb4";
  options.bare_columns = true;
  EXPECT_EQ(PrintExpr(*expr.value(), options), "((`a` = _utf8mb4'x') or (`b` = _latin1'y'))");
}

std::string CanonicalQuery(const std::string& text) {
  const Result<ParsedStatement> parsed = Parse(text);
  if (!parsed.ok()) {
    return std::string(parsed.status().message());
  }
  return PrintQuery(*parsed.value().statement->As<SelectStmt>().query);
}

class PrintQueryTest : public ::testing::TestWithParam<PrintCase> {};

TEST_P(PrintQueryTest, IsCanonicalAndStable) {
  const PrintCase& c = GetParam();
  const std::string printed = CanonicalQuery(c.text);
  EXPECT_EQ(printed, c.printed) << c.text;
  EXPECT_EQ(CanonicalQuery(printed), printed) << c.text;
}

const PrintCase kQueries[] = {
    {"SELECT a, b AS x, t.* FROM d.t AS t WHERE a > 1",
     "select `a`,`b` AS `x`,`t`.* from `d`.`t` where (`a` > 1)"},
    {"SELECT DISTINCT a FROM t GROUP BY a, b WITH ROLLUP HAVING c ORDER BY d DESC, 2 LIMIT 3, 4",
     "select distinct `a` from `t` group by `a`,`b` with rollup having (0 <> `c`) order by `d` "
     "desc,2 "
     "limit 3,4"},
    {"SELECT * FROM a JOIN b ON x LEFT JOIN c USING (y) NATURAL JOIN d",
     "select * from (((`a` join `b` on((0 <> `x`))) left join `c` using (`y`)) natural join `d`)"},
    {"SELECT * FROM a JOIN b JOIN c ON x ON y",
     "select * from (`a` join (`b` join `c` on((0 <> `x`))) on((0 <> `y`)))"},
    {"SELECT * FROM a LEFT JOIN b JOIN c ON x ON y",
     "select * from (`a` left join (`b` join `c` on((0 <> `x`))) on((0 <> `y`)))"},
    {"SELECT * FROM a CROSS JOIN b LEFT JOIN c ON x",
     "select * from ((`a` join `b`) left join `c` on((0 <> `x`)))"},
    {"SELECT * FROM a JOIN b JOIN c JOIN d", "select * from (((`a` join `b`) join `c`) join `d`)"},
    {"SELECT * FROM a JOIN (b JOIN c) LEFT JOIN d ON x",
     "select * from ((`a` join (`b` join `c`)) left join `d` on((0 <> `x`)))"},
    {"SELECT * FROM a LEFT JOIN (b, c) ON x",
     "select * from (`a` left join (`b` join `c`) on((0 <> `x`)))"},
    {"SELECT 1 UNION SELECT 2 UNION ALL SELECT 3", "(select 1 union select 2) union all select 3"},
    {"SELECT 1 UNION SELECT 2 INTERSECT SELECT 3", "select 1 union (select 2 intersect select 3)"},
    {"(SELECT 1 LIMIT 1) UNION (SELECT 2) LIMIT 5", "(select 1 limit 1) union select 2 limit 5"},
    {"SELECT 1 UNION (SELECT 2 UNION SELECT 3)", "select 1 union select 2 union select 3"},
    {"((SELECT 1))", "select 1"},
    {"WITH RECURSIVE c (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT * FROM c",
     "with recursive `c` (`n`) as (select 1 union all select (`n` + 1) from `c`) select * from "
     "`c`"},
    {"SELECT * FROM (SELECT 1) AS d (x) JOIN LATERAL (SELECT 2) e",
     "select * from ((select 1) `d` (`x`) join lateral (select 2) `e`)"},
    {"VALUES ROW(1, 2), ROW(3, 4)", "values row(1,2),row(3,4)"},
    {"TABLE d.t", "table `d`.`t`"},
    {"SELECT a FROM t FORCE INDEX FOR ORDER BY (i, PRIMARY) FOR UPDATE OF t SKIP LOCKED",
     "select `a` from `t` FORCE INDEX FOR ORDER BY (`i`,PRIMARY) for update of `t` skip locked"},
    {"SELECT SUM(a) OVER w FROM t WINDOW w AS (ORDER BY b)",
     "select sum(`a`) OVER `w` from `t` window `w` AS (ORDER BY `b` ) "},
    {"SELECT * FROM JSON_TABLE(a, '$[*]' COLUMNS (i FOR ORDINALITY, b VARCHAR(5) PATH '$.b' NULL "
     "ON "
     "EMPTY, NESTED '$.c' COLUMNS (d INT EXISTS PATH '$'))) jt",
     "select * from json_table(`a`, '$[*]' columns (`i` for ordinality, `b` varchar(5) path '$.b' "
     "null on empty, nested path '$.c' columns (`d` int exists path '$'))) `jt`"},
};

INSTANTIATE_TEST_SUITE_P(All, PrintQueryTest, ::testing::ValuesIn(kQueries));

TEST(PrintTypes, AsInShowCreateTable) {
  const Result<ParsedStatement> parsed = Parse(
      "CREATE TABLE t (a INTEGER UNSIGNED, b BOOL, c DECIMAL(10, 2) UNSIGNED ZEROFILL, d "
      "VARCHAR(5), "
      "e ENUM('x', 'it''s'), f DATETIME(6), g DOUBLE PRECISION, h TEXT, i FLOAT(30), j NUMERIC)");
  ASSERT_TRUE(parsed.ok()) << parsed.status().message();
  const char* const expected[] = {"int unsigned",
                                  "tinyint(1)",
                                  "decimal(10,2) unsigned zerofill",
                                  "varchar(5)",
                                  "enum('x','it\\'s')",
                                  "datetime(6)",
                                  "double",
                                  "text",
                                  "double",
                                  "decimal"};
  const auto& columns = parsed.value().statement->As<CreateTableStmt>().columns;
  ASSERT_EQ(columns.size(), std::size(expected));
  for (size_t i = 0; i < columns.size(); ++i) {
    EXPECT_EQ(PrintType(columns[i].type), expected[i]);
  }
}

}  // namespace
}  // namespace borealis::sql
