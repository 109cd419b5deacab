// SQL text: any bytes parse or are refused; what is printed parses to what prints the same.
#include <filesystem>
#include <fstream>

#include "sql/ast/ddl.h"
#include "sql/ast/print.h"
#include "sql/ast/query.h"
#include "sql/ast/stmt.h"
#include "sql/parser/digest.h"
#include "sql/parser/parser.h"
#include "tests/fuzz/fuzz.h"

namespace borealis::fuzz {

namespace {

using sql::ParsedStatement;
using sql::ParserOptions;

// The statements of the tests in `directory`: what stands between `query` or `statement` and the
// expected answer.
void AddStatements(const std::filesystem::path& directory, std::vector<std::string>* seeds) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory)) {
    if (entry.path().extension() == ".test") {
      files.push_back(entry.path());
    }
  }
  std::sort(files.begin(), files.end());  // the order of a directory is not the same everywhere
  for (const auto& path : files) {
    std::ifstream file(path);
    std::string line;
    std::string statement;
    bool inside = false;
    while (std::getline(file, line)) {
      if (inside && (line.empty() || line == "----")) {
        seeds->push_back(std::move(statement));
        statement.clear();
        inside = false;
      } else if (inside) {
        statement += statement.empty() ? line : "\n" + line;
      } else {
        inside = line.starts_with("query") || line.starts_with("statement");
      }
    }
  }
}

// Every operation is printed in parentheses, so that what was just within the limit no longer is.
bool IsTooDeep(const Status& status) {
  return status.message().find("nested too deeply") != std::string_view::npos;
}

void CheckQuery(const ParsedStatement& parsed) {
  const auto* select = parsed.statement->TryAs<sql::SelectStmt>();
  if (select == nullptr || select->query->into != nullptr) {
    return;
  }
  const std::string printed = sql::PrintQuery(*select->query);
  const Result<ParsedStatement> again = sql::Parse(printed);
  if (!again.ok() && IsTooDeep(again.status())) {
    return;
  }
  FUZZ_CHECK(again.ok(), printed + ": " + std::string(again.status().message()));
  const auto* same = again->statement->TryAs<sql::SelectStmt>();
  FUZZ_CHECK(same != nullptr, printed);
  FUZZ_CHECK(sql::PrintQuery(*same->query) == printed,
             printed + "\nprints again as\n" + sql::PrintQuery(*same->query));
}

// What is kept of a trigger is its body alone.
void CheckTrigger(const ParsedStatement& parsed, const ParserOptions& options) {
  const auto* trigger = parsed.statement->TryAs<sql::CreateTriggerStmt>();
  if (trigger == nullptr) {
    return;
  }
  const Result<sql::Program> again =
      sql::ParseTriggerBody(trigger->body, trigger->timing, trigger->event, options);
  FUZZ_CHECK(again.ok(), trigger->body + ": " + std::string(again.status().message()));
  FUZZ_CHECK(again->slots.size() == trigger->program.slots.size(), trigger->body);
}

class SqlTarget final : public Target {
 public:
  std::vector<std::string> Seeds() override {
    std::vector<std::string> seeds = {
        "SELECT a.*, COUNT(DISTINCT b + 1) OVER w FROM t AS a LEFT JOIN (SELECT 1 AS x) AS d ON "
        "a.x "
        "= d.x WHERE a.y IN (1, 2) AND EXISTS (SELECT 1) GROUP BY 1 WITH ROLLUP HAVING n > 1 "
        "WINDOW "
        "w AS (PARTITION BY a ORDER BY b ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) ORDER BY 1 DESC "
        "LIMIT 1, 2",
        "WITH RECURSIVE c (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 5) SELECT CASE "
        "n "
        "WHEN 1 THEN _utf8mb4'a' COLLATE utf8mb4_bin ELSE x'41' END, CAST(n AS DECIMAL(10,2)), "
        "INTERVAL 1 DAY + NOW(6), n DIV 2, -n, !n, ~n, n << 1 FROM c",
        "CREATE TABLE t (id INT UNSIGNED NOT NULL AUTO_INCREMENT, e ENUM('a','b') DEFAULT 'a', g "
        "INT "
        "AS (id * 2) STORED, PRIMARY KEY (id), UNIQUE KEY u (e DESC), CHECK (id > 0)) "
        "ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COMMENT='x'",
        "INSERT INTO t (a, b) VALUES (1, DEFAULT), (?, 'it''s') AS new ON DUPLICATE KEY UPDATE a = "
        "new.a + VALUES(b)",
        "UPDATE t AS x JOIN u USING (id) SET x.a = u.b WHERE u.c BETWEEN 1 AND 2 ORDER BY a LIMIT "
        "3",
        "/*!40101 SET @OLD=@@SQL_MODE, SQL_MODE='NO_AUTO_VALUE_ON_ZERO' */;",
        "ALTER TABLE t ADD COLUMN c INT AFTER b, DROP INDEX i, RENAME TO u, ALGORITHM=INPLACE",
        "GRANT SELECT, INSERT (a) ON d.* TO 'u'@'%' IDENTIFIED BY 'x' WITH GRANT OPTION",
        "SELECT JSON_EXTRACT(j, '$.a'), j->>'$.b', MATCH (a) AGAINST ('x' IN BOOLEAN MODE), "
        "GROUP_CONCAT(DISTINCT a ORDER BY b SEPARATOR ';'), TRIM(BOTH 'x' FROM a), EXTRACT(DAY "
        "FROM "
        "d) FROM t PARTITION (p0) FORCE INDEX (i) FOR UPDATE SKIP LOCKED",
    };
    AddStatements(BOREALIS_SQL_TESTS, &seeds);
    return seeds;
  }

  std::vector<std::string> Dictionary() override {
    return {"SELECT ",
            " FROM ",
            "(",
            ")",
            "((((((((",
            " UNION ",
            "'",
            "\"",
            "`",
            "\\",
            "/*",
            "*/",
            "/*!",
            "--",
            "\n",
            "#",
            ";",
            ",",
            "?",
            "0x",
            "b'",
            ".",
            "1e",
            "@",
            "@@",
            ":=",
            "->>",
            "<=>",
            "||",
            "!",
            " AND ",
            " NOT ",
            " IN ",
            " BETWEEN ",
            " AS ",
            " INTERVAL ",
            " COLLATE utf8mb4_bin ",
            "_latin1",
            "N'",
            std::string(1, '\0'),
            "\xff",
            "é",
            "😀",
            "18446744073709551616",
            " DATE ",
            " ROW(",
            " CASE ",
            " END ",
            "BEGIN ",
            "DECLARE ",
            "HANDLER FOR ",
            " CURSOR FOR ",
            "LOOP ",
            "LEAVE ",
            "NEW.a",
            "OLD.b",
            "/*!50003 ",
            "CREATE TRIGGER x BEFORE UPDATE ON t FOR EACH ROW "};
  }

  void Run(std::string_view input) override {
    ParserOptions plain;
    ParserOptions other;
    other.ansi_quotes = other.pipes_as_concat = other.no_backslash_escapes = true;
    other.ignore_space = other.high_not_precedence = other.real_as_float = true;
    for (const ParserOptions& options : {plain, other}) {
      const Result<ParsedStatement> parsed = sql::Parse(input, options);
      (void)sql::NormaliseStatement(input, options);
      if (!parsed.ok()) {
        FUZZ_CHECK(parsed.status().user_errno() != 0, "refused without a user's error");
        continue;
      }
      FUZZ_CHECK(parsed->consumed <= input.size() && parsed->end <= parsed->consumed, "offsets");
      if (parsed->statement != nullptr) {
        CheckQuery(*parsed);
        CheckTrigger(*parsed, options);
      }
    }
    const Result<sql::ExprPtr> expr = sql::ParseExpression(input);
    if (expr.ok()) {
      const std::string printed = sql::PrintExpr(**expr);
      const Result<sql::ExprPtr> again = sql::ParseExpression(printed);
      if (!again.ok() && IsTooDeep(again.status())) {
        return;
      }
      FUZZ_CHECK(again.ok(), printed);
      FUZZ_CHECK(sql::PrintExpr(**again) == printed, printed);
    }
  }
};

}  // namespace

Target& TheTarget() {
  static SqlTarget target;
  return target;
}

}  // namespace borealis::fuzz
