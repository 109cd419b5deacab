// What the tree holds: names, literals, spans, parameters, statement boundaries, and the details of
// statements that the binder relies on.
#include <string>

#include <gtest/gtest.h>

#include "sql/ast/admin.h"
#include "sql/ast/ddl.h"
#include "sql/ast/print.h"
#include "sql/ast/stmt.h"
#include "sql/parser/lexer.h"
#include "sql/parser/parser.h"

namespace borealis::sql {
namespace {

ParsedStatement MustParse(std::string_view text, const ParserOptions& options = {}) {
  Result<ParsedStatement> parsed = Parse(text, options);
  EXPECT_TRUE(parsed.ok()) << text << "\n" << parsed.status().message();
  return parsed.ok() ? std::move(parsed).value() : ParsedStatement{};
}

template <class T>
std::unique_ptr<T> ParseAs(std::string_view text) {
  ParsedStatement parsed = MustParse(text);
  EXPECT_TRUE(parsed.statement && parsed.statement->Is<T>()) << text;
  if (!parsed.statement || !parsed.statement->Is<T>()) {
    return nullptr;
  }
  return std::unique_ptr<T>(static_cast<T*>(parsed.statement.release()));
}

const SelectCore& CoreOf(const SelectStmt& stmt) {
  return stmt.query->body->As<SelectCore>();
}

TEST(Boundaries, StatementsAreTakenOneByOne) {
  const std::string text = "SELECT 1; ; SELECT ';' /* ; */ ;\n  INSERT INTO t VALUES (1)";
  std::vector<std::string> statements;
  for (size_t at = 0; at < text.size();) {
    const ParsedStatement parsed = MustParse(std::string_view(text).substr(at));
    ASSERT_GT(parsed.consumed, 0U);
    if (parsed.statement) {
      const Span span = parsed.statement->span;
      statements.push_back(text.substr(at + span.begin, span.end - span.begin));
    }
    at += parsed.consumed;
  }
  EXPECT_EQ(statements,
            (std::vector<std::string>{"SELECT 1", "SELECT ';'", "INSERT INTO t VALUES (1)"}));
}

TEST(Boundaries, EmptyTextsHaveNoStatement) {
  for (const char* text : {"", "  ", ";", "-- x", "/* x */", "# x\n;", "/*!99999 SELECT 1 */"}) {
    const ParsedStatement parsed = MustParse(text);
    EXPECT_EQ(parsed.statement, nullptr) << text;
  }
}

TEST(Parameters, AreNumberedInOrderOfAppearance) {
  const ParsedStatement parsed = MustParse("SELECT ?, '?', `?` FROM t WHERE a = ? LIMIT ?");
  EXPECT_EQ(parsed.parameter_count, 3U);
  EXPECT_EQ(parsed.parameter_positions, (std::vector<uint32_t>{7, 36, 44}));
  const auto& core = CoreOf(parsed.statement->As<SelectStmt>());
  EXPECT_EQ(core.items[0].expr->As<Parameter>().index, 0U);
  EXPECT_EQ(parsed.statement->As<SelectStmt>().query->limit->count->As<Parameter>().index, 2U);
}

TEST(Spans, SelectItemsKeepTheirText) {
  const std::string text = "SELECT  a+ 1 , count( * ) AS n,(b), 'x' 'y', t . c FROM t";
  const auto stmt = ParseAs<SelectStmt>(text);
  std::vector<std::string> names;
  for (const SelectItem& item : CoreOf(*stmt).items) {
    names.push_back(text.substr(item.span.begin, item.span.end - item.span.begin));
  }
  EXPECT_EQ(names, (std::vector<std::string>{"a+ 1", "count( * )", "(b)", "'x' 'y'", "t . c"}));
  EXPECT_EQ(CoreOf(*stmt).items[3].expr->As<Literal>().first_part, 1U);
  EXPECT_EQ(CoreOf(*stmt).items[1].alias, "n");
}

TEST(Spans, CoverWholeOperations) {
  const std::string text = "a + b * c AND d";
  const Result<ExprPtr> expr = ParseExpression(text);
  ASSERT_TRUE(expr.ok());
  EXPECT_EQ(expr.value()->span.end, text.size());
  const Expr& sum = *expr.value()->As<Logical>().operands[0];
  EXPECT_EQ(text.substr(sum.span.begin, sum.span.end - sum.span.begin), "a + b * c");
}

TEST(Literals, KeepTheirKind) {
  const auto literal = [](const char* text) {
    Result<ExprPtr> expr = ParseExpression(text);
    EXPECT_TRUE(expr.ok()) << text;
    return std::unique_ptr<Literal>(static_cast<Literal*>(std::move(expr).value().release()));
  };
  EXPECT_EQ(literal("18446744073709551615")->type, LiteralKind::kInteger);
  EXPECT_EQ(literal("18446744073709551615")->integer, UINT64_MAX);
  EXPECT_EQ(literal("18446744073709551616")->type, LiteralKind::kDecimal);
  EXPECT_EQ(literal("0012")->integer, 12U);
  EXPECT_EQ(literal("12.50")->type, LiteralKind::kDecimal);
  EXPECT_EQ(literal("12.50")->text, "12.50");
  EXPECT_EQ(literal("1e3")->type, LiteralKind::kFloat);
  EXPECT_EQ(literal(".5")->type, LiteralKind::kDecimal);
  EXPECT_EQ(literal("1.e3")->type, LiteralKind::kFloat);
  EXPECT_EQ(literal("'a' 'b'\n\"c\"")->text, "abc");
  EXPECT_EQ(literal("'\\0\\'\\\"\\b\\n\\r\\t\\Z\\\\\\%\\_\\x'")->text,
            std::string("\0'\"\b\n\r\t\x1a\\\\%\\_x", 14));
  EXPECT_EQ(literal("_LATIN1 'x'")->charset, "latin1");
  EXPECT_EQ(literal("N'x'")->charset, "utf8mb3");
  EXPECT_EQ(literal("x'4d4E'")->text, "MN");
  EXPECT_EQ(literal("0x4d4")->text, "\x04\xd4");
  EXPECT_EQ(literal("b'100000001'")->text, "\x01\x01");
  EXPECT_EQ(literal("TRUE")->type, LiteralKind::kBoolean);
  EXPECT_EQ(literal("TIMESTAMP '2020-01-01'")->type, LiteralKind::kTimestamp);
}

TEST(Names, NonReservedWordsAndWordsAfterDots) {
  const auto stmt = ParseAs<SelectStmt>("SELECT t.select, `a``b`, 1a, $x, straße FROM t");
  const auto& items = CoreOf(*stmt).items;
  const char* const expected[] = {"select", "a`b", "1a", "$x", "straße"};
  for (size_t i = 0; i < items.size(); ++i) {
    EXPECT_EQ(items[i].expr->As<ColumnRef>().column, expected[i]);
  }
}

struct KeywordCase {
  const char* text;
  bool reserved;
};

const KeywordCase kKeywordCases[] = {
#define KEYWORD(name, text, reserved) {text, reserved},
#include "sql/parser/keywords.def"
#undef KEYWORD
};

TEST(Names, EveryNonReservedKeywordIsAnIdentifier) {
  int reserved = 0;
  for (const KeywordCase& c : kKeywordCases) {
    const std::string word = c.text;
    const bool accepted = Parse("SELECT x." + word + ", 1 AS " + word + " FROM " + word).ok() &&
                          Parse("CREATE TABLE " + word + " (" + word + " INT)").ok();
    EXPECT_EQ(accepted, !c.reserved) << word;
    reserved += c.reserved ? 1 : 0;
  }
  EXPECT_GT(reserved, 250);
  EXPECT_GT(std::size(kKeywordCases) - static_cast<size_t>(reserved), 350U);
}

TEST(Names, KeywordLookupIsCaseInsensitive) {
  EXPECT_EQ(FindKeyword("sElEcT"), Keyword::kSelect);
  EXPECT_EQ(FindKeyword("selec"), Keyword::kNotKeyword);
  EXPECT_EQ(FindKeyword(std::string(100, 'a')), Keyword::kNotKeyword);
  EXPECT_TRUE(IsReserved(Keyword::kSelect));
  EXPECT_FALSE(IsReserved(Keyword::kStatus));
}

TEST(Comments, VersionCommentsAreTextUpToOurVersion) {
  const auto items = [](const char* text) {
    return CoreOf(MustParse(text).statement->As<SelectStmt>()).items.size();
  };
  EXPECT_EQ(items("SELECT 1 /*! , 2 */"), 2U);
  EXPECT_EQ(items("SELECT 1 /*!80036 , 2 */"), 2U);
  EXPECT_EQ(items("SELECT 1 /*!80037 , 2 */"), 1U);
  EXPECT_EQ(items("SELECT 1 /*!99999 , 2 /* x */ , 3 */, 4"), 2U);
  EXPECT_EQ(items("SELECT 1 /* , 2 */ -- , 3\n # , 4\n, 5"), 2U);
  EXPECT_EQ(items("SELECT 1--1"), 1U);  // two minus signs
}

TEST(Comments, HintsAreKept) {
  const auto stmt = ParseAs<SelectStmt>("SELECT /*+ NO_BKA(t) */ /* c */ a FROM t");
  EXPECT_EQ(CoreOf(*stmt).hints, (std::vector<std::string>{" NO_BKA(t) "}));
}

TEST(Select, ClausesArriveInTheirPlaces) {
  const auto stmt = ParseAs<SelectStmt>(
      "SELECT SQL_CALC_FOUND_ROWS DISTINCT a FROM t WHERE b GROUP BY c WITH ROLLUP HAVING d "
      "ORDER BY e DESC LIMIT 1, 2 FOR SHARE OF t NOWAIT");
  const SelectCore& core = CoreOf(*stmt);
  EXPECT_TRUE(core.distinct);
  EXPECT_TRUE(core.calc_found_rows);
  EXPECT_TRUE(core.rollup);
  EXPECT_NE(core.where, nullptr);
  EXPECT_NE(core.having, nullptr);
  EXPECT_TRUE(stmt->query->order_by[0].descending());
  EXPECT_EQ(stmt->query->limit->offset->As<Literal>().integer, 1U);
  EXPECT_EQ(stmt->query->limit->count->As<Literal>().integer, 2U);
  EXPECT_EQ(stmt->query->locking[0].wait, LockWait::kNoWait);
  EXPECT_EQ(stmt->query->locking[0].tables[0].name, "t");
}

TEST(Insert, FormsAreToldApart) {
  auto stmt = ParseAs<InsertStmt>(
      "INSERT IGNORE d.t (a, b) VALUES (1, DEFAULT) AS n (x, y) "
      "ON DUPLICATE KEY UPDATE a = n.x, b = VALUES(b)");
  EXPECT_TRUE(stmt->ignore);
  EXPECT_EQ(stmt->table.schema, "d");
  EXPECT_EQ(stmt->columns.size(), 2U);
  EXPECT_EQ(stmt->rows[0][1].kind, ValueCell::Kind::kDefault);
  EXPECT_EQ(stmt->row_alias, "n");
  EXPECT_EQ(stmt->column_aliases, (std::vector<std::string>{"x", "y"}));
  EXPECT_TRUE(stmt->on_duplicate[1]->value->Is<InsertValue>());

  stmt = ParseAs<InsertStmt>("REPLACE t SELECT 1");
  EXPECT_TRUE(stmt->replace);
  EXPECT_FALSE(stmt->has_columns);
  EXPECT_NE(stmt->query, nullptr);

  stmt = ParseAs<InsertStmt>("INSERT t () VALUES (), ()");
  EXPECT_TRUE(stmt->has_columns);
  EXPECT_EQ(stmt->rows.size(), 2U);

  stmt = ParseAs<InsertStmt>("INSERT t SET a = 1, b = 2");
  EXPECT_TRUE(stmt->set_form);
  EXPECT_EQ(stmt->rows[0].size(), 2U);
}

std::string KindsOf(const ValueRows& rows, size_t row) {
  static constexpr std::string_view kLetters = "eDNu-dfs?";
  std::string kinds;
  for (const ValueCell& cell : rows[row]) {
    kinds += kLetters[static_cast<size_t>(cell.kind)];
  }
  return kinds;
}

TEST(Insert, LiteralsAreCellsAndTheRestAreExpressions) {
  const auto stmt = ParseAs<InsertStmt>(
      "INSERT t VALUES (1, -2, 3.50, -.5, 1e3, -1E-3, 'it''s\\n', NULL, DEFAULT, ?),"
      "(1 + 1, 'a' 'b', _latin1'x', N'x', x'4D', b'1', DATE'2024-01-01', TRUE, (7), - ?, - -1), (),"
      "(18446744073709551615, 18446744073709551616, -9223372036854775808, -9223372036854775809,"
      " 1e999, default(a), \"q\")");
  const ValueRows& rows = stmt->rows;
  ASSERT_EQ(rows.size(), 4U);
  EXPECT_EQ(KindsOf(rows, 0), "u-ddffsND?");
  EXPECT_EQ(KindsOf(rows, 1), "eeeeeeeeeee");
  EXPECT_EQ(KindsOf(rows, 2), "");
  EXPECT_EQ(KindsOf(rows, 3), "ud-eees");
  EXPECT_EQ(rows[0][0].bits, 1U);
  EXPECT_EQ(static_cast<int64_t>(rows[0][1].bits), -2);
  EXPECT_EQ(rows.DecimalOf(rows[0][2]).ToString(), "3.50");
  EXPECT_EQ(rows.DecimalOf(rows[0][3]).ToString(), "-0.5");
  EXPECT_EQ(rows[0][4].float_value(), 1000);
  EXPECT_EQ(rows[0][5].float_value(), -0.001);
  EXPECT_EQ(rows.TextOf(rows[0][6]), "it's\n");
  EXPECT_EQ(rows[0][9].bits, 0U);
  EXPECT_EQ(rows.expressions()[1]->As<Literal>().text, "ab");
  EXPECT_EQ(rows[3][0].bits, UINT64_MAX);
  EXPECT_EQ(rows.DecimalOf(rows[3][1]).ToString(), "18446744073709551616");
  EXPECT_EQ(static_cast<int64_t>(rows[3][2].bits), INT64_MIN);
  EXPECT_EQ(rows.TextOf(rows[3][6]), "q");
}

TEST(Update, SingleAndMultiTable) {
  EXPECT_FALSE(ParseAs<UpdateStmt>("UPDATE t SET a = 1 ORDER BY b LIMIT 1")->multi);
  EXPECT_TRUE(ParseAs<UpdateStmt>("UPDATE t, u SET t.a = 1")->multi);
  EXPECT_TRUE(ParseAs<UpdateStmt>("UPDATE t JOIN u SET t.a = 1")->multi);
}

TEST(Delete, SingleAndMultiTable) {
  auto stmt = ParseAs<DeleteStmt>("DELETE FROM t AS x WHERE a LIMIT 1");
  EXPECT_TRUE(stmt->targets.empty());
  EXPECT_EQ(stmt->tables[0]->As<TableRefName>().alias, "x");
  stmt = ParseAs<DeleteStmt>("DELETE a, d.b.* FROM a JOIN d.b");
  EXPECT_EQ(stmt->targets[1].schema, "d");
  EXPECT_EQ(stmt->targets[1].name, "b");
  stmt = ParseAs<DeleteStmt>("DELETE FROM a USING a, b WHERE a.x = b.x");
  EXPECT_EQ(stmt->targets.size(), 1U);
  EXPECT_EQ(stmt->tables.size(), 2U);
}

TEST(CreateTable, ColumnsIndexesOptions) {
  const auto stmt = ParseAs<CreateTableStmt>(
      "CREATE TABLE IF NOT EXISTS d.t ("
      " id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,"
      " name VARCHAR(20) CHARACTER SET latin1 COLLATE latin1_bin DEFAULT 'x' COMMENT 'c',"
      " at DATETIME(6) DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),"
      " g INT AS (id + 1) STORED,"
      " e JSON DEFAULT (JSON_OBJECT()),"
      " CHECK (id > 0),"
      " UNIQUE KEY u (name(5) DESC, (id + 1)),"
      " CONSTRAINT f FOREIGN KEY (id) REFERENCES p (x) ON DELETE CASCADE"
      ") ENGINE = InnoDB DEFAULT CHARSET utf8mb4 AUTO_INCREMENT = 100 COMMENT 'hi'");
  EXPECT_TRUE(stmt->if_not_exists);
  ASSERT_EQ(stmt->columns.size(), 5U);
  const ColumnDefinition& id = stmt->columns[0];
  EXPECT_EQ(id.type.kind, TypeKind::kBigInt);
  EXPECT_TRUE(id.type.is_unsigned && id.auto_increment && id.primary_key);
  EXPECT_EQ(id.nullable, false);
  EXPECT_EQ(stmt->columns[1].type.charset, "latin1");
  EXPECT_EQ(stmt->columns[1].type.collation, "latin1_bin");
  EXPECT_EQ(stmt->columns[1].comment, "c");
  EXPECT_EQ(PrintExpr(*stmt->columns[2].default_value->expr), "now(6)");
  EXPECT_NE(stmt->columns[2].on_update, nullptr);
  EXPECT_TRUE(stmt->columns[3].generated->stored);
  EXPECT_TRUE(stmt->columns[4].default_value->parenthesised);
  EXPECT_EQ(stmt->checks.size(), 1U);
  ASSERT_EQ(stmt->indexes.size(), 1U);
  EXPECT_EQ(stmt->indexes[0].type, IndexType::kUnique);
  EXPECT_EQ(stmt->indexes[0].parts[0].length, 5U);
  EXPECT_EQ(stmt->indexes[0].parts[0].direction, SortDirection::kDescending);
  EXPECT_NE(stmt->indexes[0].parts[1].expr, nullptr);
  EXPECT_EQ(stmt->foreign_keys[0].references.on_delete, ReferenceAction::kCascade);
  ASSERT_EQ(stmt->options.size(), 4U);
  EXPECT_EQ(stmt->options[0].name, "ENGINE");
  EXPECT_EQ(stmt->options[1].name, "CHARACTER SET");
  EXPECT_EQ(stmt->options[1].text, "utf8mb4");
  EXPECT_EQ(stmt->options[2].number, 100U);
}

TEST(AlterTable, ActionsInOrder) {
  const auto stmt = ParseAs<AlterTableStmt>(
      "ALTER TABLE t ADD (a INT, KEY (a)), CHANGE b c INT AFTER d, DROP e, RENAME TO u, "
      "ENGINE = x COMMENT 'y', ALGORITHM = INSTANT, LOCK = NONE");
  std::vector<AlterActionKind> kinds;
  for (const AlterAction& action : stmt->actions) {
    kinds.push_back(action.kind);
  }
  EXPECT_EQ(kinds, (std::vector<AlterActionKind>{
                       AlterActionKind::kAddColumn, AlterActionKind::kAddIndex,
                       AlterActionKind::kChangeColumn, AlterActionKind::kDropColumn,
                       AlterActionKind::kRenameTable, AlterActionKind::kOptions}));
  EXPECT_EQ(stmt->actions[2].name, "b");
  EXPECT_EQ(stmt->actions[2].position->after, "d");
  EXPECT_EQ(stmt->actions[5].options.size(), 2U);
  EXPECT_EQ(stmt->online.algorithm, "INSTANT");
  EXPECT_EQ(stmt->online.lock, "NONE");
}

TEST(Set, ItemsAndScopes) {
  const auto stmt = ParseAs<SetStmt>(
      "SET @u = 1, GLOBAL a = 1, b = ON, @@session.c = DEFAULT, NAMES latin1 COLLATE latin1_bin");
  ASSERT_EQ(stmt->items.size(), 5U);
  EXPECT_EQ(stmt->items[0].kind, SetItem::Kind::kUserVariable);
  EXPECT_EQ(stmt->items[1].scope, VariableScope::kGlobal);
  EXPECT_EQ(stmt->items[2].scope, VariableScope::kGlobal);
  EXPECT_EQ(stmt->items[2].value->As<Literal>().text, "ON");
  EXPECT_EQ(stmt->items[3].scope, VariableScope::kSession);
  EXPECT_EQ(stmt->items[3].value, nullptr);
  EXPECT_EQ(stmt->items[4].kind, SetItem::Kind::kNames);
  EXPECT_EQ(stmt->items[4].collation, "latin1_bin");
  const auto transaction =
      ParseAs<SetStmt>("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED, READ ONLY");
  EXPECT_EQ(transaction->items[0].isolation, IsolationLevel::kReadCommitted);
  EXPECT_EQ(transaction->items[0].read_only, true);
  EXPECT_EQ(transaction->items[0].scope, VariableScope::kSession);
}

TEST(Accounts, UsersAndHosts) {
  const auto stmt = ParseAs<CreateUserStmt>("CREATE USER a, 'b'@'HOST', c@10.0.0.1, d@`%`");
  EXPECT_EQ(stmt->users[0].account.host, "%");
  EXPECT_EQ(stmt->users[1].account.host, "host");
  EXPECT_EQ(stmt->users[2].account.host, "10.0.0.1");
  EXPECT_EQ(stmt->users[3].account.host, "%");
}

TEST(Unsupported, IsNamed) {
  EXPECT_EQ(ParseAs<UnsupportedStmt>("CREATE DEFINER=a@b PROCEDURE p() ...")->construct,
            "CREATE PROCEDURE");
  EXPECT_EQ(ParseAs<UnsupportedStmt>("create procedure p() begin end")->construct,
            "CREATE PROCEDURE");
}

}  // namespace
}  // namespace borealis::sql
