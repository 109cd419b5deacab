// Damaged statements: whatever the text, the parser answers, and what it accepts it can print,
// read back and normalise.
#include <algorithm>
#include <array>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/mysql_error.h"
#include "sql/ast/print.h"
#include "sql/ast/stmt.h"
#include "sql/parser/digest.h"
#include "sql/parser/parser.h"

namespace borealis::sql {
namespace {

const char* const kSeeds[] = {
    "SELECT a, COUNT(*) FROM t JOIN u USING (x) WHERE b IN (1, 'two', 3.5) GROUP BY a HAVING c > 1 "
    "ORDER BY d LIMIT 5",
    "WITH RECURSIVE c AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT * FROM c WHERE n BETWEEN "
    "? "
    "AND -2",
    "INSERT INTO `t` (`a`, `b`) VALUES (1, DEFAULT), (x'4D', _utf8mb4'é') ON DUPLICATE KEY UPDATE "
    "a "
    "= VALUES(a)",
    "UPDATE t, u SET t.a = CASE WHEN u.b THEN 1 ELSE 2 END WHERE t.id = u.id",
    "DELETE a, b.* FROM a JOIN b ON a.x = b.x AND NOT (a.y LIKE 'z%' ESCAPE '|')",
    "CREATE TABLE t (a INT NOT NULL AUTO_INCREMENT, b VARCHAR(10) DEFAULT 'x', PRIMARY KEY (a), "
    "KEY "
    "k (b(3) DESC), CHECK (a > 0)) ENGINE=InnoDB /*!50100 PARTITION BY HASH (a) */",
    "ALTER TABLE t ADD COLUMN c DATETIME(6) DEFAULT NOW(6) AFTER b, DROP KEY k, ALGORITHM=INPLACE",
    "SET @a := 1, GLOBAL sql_mode = 'ANSI', NAMES utf8mb4",
    "SHOW FULL COLUMNS FROM t FROM d LIKE 'x%'",
    "SELECT SUM(a) OVER (PARTITION BY b ORDER BY c ROWS 2 PRECEDING), GROUP_CONCAT(DISTINCT x "
    "ORDER "
    "BY y SEPARATOR ',') FROM t WINDOW w AS ()",
    "GRANT SELECT (a), INSERT ON d.* TO 'u'@'%' WITH GRANT OPTION",
    "SELECT DATE_ADD(NOW(), INTERVAL 1 DAY), a->>'$.b', CAST(x AS DECIMAL(5,2)), TRIM(LEADING 'x' "
    "FROM y) FROM (t, u) LEFT JOIN LATERAL (SELECT 1) v ON TRUE FOR UPDATE SKIP LOCKED",
    "LOAD DATA LOCAL INFILE 'f' INTO TABLE t FIELDS TERMINATED BY ',' LINES TERMINATED BY '\\n' "
    "(a, @b)",
    "EXPLAIN FORMAT=JSON (SELECT 1) UNION (TABLE t) EXCEPT VALUES ROW(1, 2)",
};

const char* const kSnippets[] = {
    "(",       ")",          "'",      "`",      "\"",  "/*",     "*/",       "/*!80000 ",
    "--  ",    "#",          ";",      ",",      ".",   "@",      "@@",       "?",
    "->",      ":=",         "||",     "\\",     "{",   "}",      " SELECT ", " NOT ",
    " IN ",    " INTERVAL ", " ON ",   " 1e",    " x'", " 0x",    "\xff",     " JOIN ",
    " UNION ", " AS ",       " OVER ", " NULL ", " = ", " CASE ", " (((",     "\n",
};

std::string Mutate(std::string text, const std::vector<std::string>& seeds, std::mt19937_64* rng) {
  const auto below = [rng](size_t n) { return static_cast<size_t>((*rng)() % n); };
  const size_t edits = 1 + below(4);
  for (size_t i = 0; i < edits; ++i) {
    const size_t at = below(text.size() + 1);
    switch (below(5)) {
      case 0:
        text.erase(at, 1 + below(8));
        break;
      case 1:
        text.insert(at, kSnippets[below(std::size(kSnippets))]);
        break;
      case 2:
        if (at < text.size()) {
          text[at] = static_cast<char>(below(256));
        }
        break;
      case 3:
        text.insert(at, text.substr(below(text.size() + 1), below(30)));
        break;
      default: {
        const std::string& other = seeds[below(seeds.size())];
        text.insert(at, other.substr(below(other.size() + 1), below(30)));
      }
    }
  }
  return text;
}

void CheckAnswer(const std::string& text, const ParserOptions& options) {
  const Result<ParsedStatement> parsed = Parse(text, options);
  NormaliseStatement(text, options);
  if (!parsed.ok()) {
    const int error = parsed.status().user_errno();
    static constexpr std::array kAnswers = {
        ER_PARSE_ERROR,           ER_DERIVED_MUST_HAVE_ALIAS, ER_INVALID_CHARACTER_STRING,
        ER_MULTIPLE_INTO_CLAUSES, ER_MISPLACED_INTO,          ER_WRONG_DB_NAME,
        ER_WRONG_TABLE_NAME,      ER_WRONG_COLUMN_NAME,       ER_WRONG_NAME_FOR_INDEX};
    EXPECT_NE(std::find(kAnswers.begin(), kAnswers.end(), error), kAnswers.end())
        << error << " " << text;
    return;
  }
  EXPECT_LE(parsed.value().consumed, text.size()) << text;
  const SelectStmt* select =
      parsed.value().statement ? parsed.value().statement->TryAs<SelectStmt>() : nullptr;
  if (select == nullptr || select->query->into) {
    return;
  }
  const std::string printed = PrintQuery(*select->query);
  const Result<ParsedStatement> again = Parse(printed);
  ASSERT_TRUE(again.ok()) << text << "\n" << printed << "\n" << again.status().message();
  EXPECT_EQ(PrintQuery(*again.value().statement->As<SelectStmt>().query), printed) << text;
}

TEST(Robustness, MutatedStatements) {
  const std::vector<std::string> seeds(std::begin(kSeeds), std::end(kSeeds));
  std::mt19937_64 rng(20240607);
  for (int i = 0; i < 40000; ++i) {
    ParserOptions options;
    if (i % 5 == 0) {
      options.ansi_quotes = rng() % 2 == 0;
      options.pipes_as_concat = rng() % 2 == 0;
      options.no_backslash_escapes = rng() % 2 == 0;
      options.ignore_space = rng() % 2 == 0;
      options.high_not_precedence = rng() % 2 == 0;
    }
    CheckAnswer(Mutate(seeds[rng() % seeds.size()], seeds, &rng), options);
    if (::testing::Test::HasFailure()) {
      return;
    }
  }
}

TEST(Robustness, EveryPrefixAndSuffix) {
  for (const std::string seed : kSeeds) {
    for (size_t i = 0; i <= seed.size(); ++i) {
      CheckAnswer(seed.substr(0, i), {});
      CheckAnswer(seed.substr(i), {});
    }
  }
}

TEST(Robustness, RandomBytes) {
  std::mt19937_64 rng(7);
  for (int i = 0; i < 5000; ++i) {
    std::string text(rng() % 60, '\0');
    for (char& c : text) {
      c = static_cast<char>(rng() % 256);
    }
    CheckAnswer(text, {});
  }
}

}  // namespace
}  // namespace borealis::sql
