// Bodies of triggers: where the statement ends, what names stand for, and the shape of the program.
// Errors, which MySQL words, are in tests/sql/triggers.
#include "sql/ast/program.h"

#include <string>

#include <gtest/gtest.h>

#include "sql/ast/admin.h"
#include "sql/ast/ddl.h"
#include "sql/ast/stmt.h"
#include "sql/parser/parser.h"

namespace borealis::sql {
namespace {

std::string TriggerWith(std::string_view body) {
  std::string text = "CREATE TRIGGER x BEFORE UPDATE ON t FOR EACH ROW ";
  text.append(body);
  return text;
}

Program MustParseBody(std::string_view text, TriggerTiming timing = TriggerTiming::kBefore,
                      TriggerEvent event = TriggerEvent::kUpdate) {
  Result<Program> program = ParseTriggerBody(text, timing, event);
  EXPECT_TRUE(program.ok()) << text << "\n" << program.status().message();
  return program.ok() ? std::move(program).value() : Program{};
}

uint16_t ErrorOf(std::string_view body, const ParserOptions& options = {}) {
  const Result<ParsedStatement> parsed = Parse(TriggerWith(body), options);
  return parsed.ok() ? 0 : parsed.status().user_errno();
}

const ProgramBlock& BlockOf(const Program& program) {
  return program.body->As<ProgramBlock>();
}

template <class T>
const T& StatementAt(const ProgramBlock& block, size_t i) {
  return block.body[i]->As<ProgramStatement>().statement->As<T>();
}

TEST(TriggerText, EndsAfterTheBody) {
  const std::string text = TriggerWith(
      "BEGIN IF 1 THEN SET @a = ';'; END IF; /* ; */ SET @b = 1; END ; "
      "SELECT 1 FROM `;`");
  Result<ParsedStatement> parsed = Parse(text);
  ASSERT_TRUE(parsed.ok()) << parsed.status().message();
  EXPECT_EQ(text.substr(parsed->consumed), " SELECT 1 FROM `;`");
  EXPECT_EQ(parsed->statement->As<CreateTriggerStmt>().body,
            "BEGIN IF 1 THEN SET @a = ';'; END IF; /* ; */ SET @b = 1; END");
  EXPECT_TRUE(text.substr(0, parsed->end).ends_with("END"));
}

TEST(TriggerText, ASingleStatementEndsAtItsSemicolon) {
  const std::string text = TriggerWith("SET NEW.a = 1; SET NEW.b = 2");
  Result<ParsedStatement> parsed = Parse(text);
  ASSERT_TRUE(parsed.ok()) << parsed.status().message();
  EXPECT_EQ(parsed->statement->As<CreateTriggerStmt>().body, "SET NEW.a = 1");
  EXPECT_EQ(text.substr(parsed->consumed), " SET NEW.b = 2");
}

// As mysqldump writes it, where comments of versions go across statements of the body.
TEST(TriggerText, DumpsHaveItInVersionComments) {
  constexpr std::string_view kDump =
      "/*!50003 CREATE*/ /*!50017 DEFINER=`root`@`%`*/ /*!50003 TRIGGER `x` AFTER DELETE ON "
      "`s`.`t` "
      "FOR EACH ROW FOLLOWS y begin\n set @a = 1; /*!99999 no; */ set @b = 2;\nend */";
  Result<ParsedStatement> parsed = Parse(kDump);
  ASSERT_TRUE(parsed.ok()) << parsed.status().message();
  const auto& trigger = parsed->statement->As<CreateTriggerStmt>();
  EXPECT_EQ(trigger.definer->host, "%");
  EXPECT_EQ(trigger.table.schema, "s");
  EXPECT_EQ(trigger.timing, TriggerTiming::kAfter);
  EXPECT_EQ(trigger.event, TriggerEvent::kDelete);
  EXPECT_TRUE(trigger.order->follows);
  EXPECT_EQ(trigger.order->name, "y");
  EXPECT_EQ(trigger.body, "begin\n set @a = 1;  set @b = 2;\nend");
}

TEST(TriggerText, ErrorsSayTheLineOfTheWholeStatement) {
  const Result<ParsedStatement> parsed =
      Parse("CREATE TRIGGER x BEFORE INSERT ON t FOR EACH ROW\nBEGIN\n  SET @a = 1;\n  FROB;\nEND");
  ASSERT_FALSE(parsed.ok());
  EXPECT_TRUE(parsed.status().message().ends_with("near ';\nEND' at line 4"))
      << parsed.status().message();
}

TEST(ProgramSlots, AnInnerNameHidesAnOuterOne) {
  const Program program = MustParseBody(
      "BEGIN DECLARE v INT; BEGIN DECLARE V, w CHAR(3) DEFAULT v; SET v = 1; END; SET v = 2; END");
  ASSERT_EQ(program.slots.size(), 3U);
  const ProgramBlock& outer = BlockOf(program);
  const auto& inner = outer.body[0]->As<ProgramBlock>();
  // A default sees none of the variables that are declared with it.
  EXPECT_EQ(inner.variables[0].initial->As<Parameter>().index, 0U);
  EXPECT_EQ(inner.variables[1].initial->As<Parameter>().index, 0U);
  EXPECT_EQ(inner.body[0]->As<ProgramSetSlot>().slot, 1U);
  EXPECT_EQ(outer.body[1]->As<ProgramSetSlot>().slot, 0U);
  EXPECT_EQ(program.slots[2].type.kind, TypeKind::kChar);
}

TEST(ProgramSlots, ColumnsOfTheRowHaveOneEach) {
  const Program program = MustParseBody(
      "BEGIN SET NEW.a = OLD.a + new.`A`; INSERT INTO u SELECT t.a, OLD.b FROM t, s WHERE old.a; "
      "END");
  ASSERT_EQ(program.slots.size(), 3U);
  EXPECT_EQ(program.slots[0].origin, ProgramSlot::Origin::kNew);
  EXPECT_TRUE(program.slots[0].is_set_target);
  EXPECT_EQ(program.slots[1].origin, ProgramSlot::Origin::kOld);
  EXPECT_FALSE(program.slots[1].is_set_target);
  EXPECT_EQ(program.slots[2].name, "b");
}

// A variable stands where an expression may, and nowhere else.
TEST(ProgramSlots, NamesOfColumnsAndTablesAreNoVariables) {
  const Program program = MustParseBody(
      "BEGIN DECLARE a, t INT; INSERT INTO t (a) VALUES (a); UPDATE t SET a = a WHERE t.a = a; "
      "SELECT b INTO t FROM t LIMIT a; END");
  const auto& insert = StatementAt<InsertStmt>(BlockOf(program), 0);
  EXPECT_EQ(insert.columns[0]->column, "a");
  ASSERT_EQ(insert.rows[0][0].kind, ValueCell::Kind::kExpression);
  EXPECT_TRUE(insert.rows.expressions()[0]->Is<Parameter>());
  const auto& update = StatementAt<UpdateStmt>(BlockOf(program), 1);
  EXPECT_EQ(update.assignments[0]->column.column, "a");
  EXPECT_TRUE(update.assignments[0]->value->Is<Parameter>());
  EXPECT_TRUE(update.where->As<Binary>().left->Is<ColumnRef>());
  const auto& select = StatementAt<SelectStmt>(BlockOf(program), 2);
  EXPECT_EQ(select.query->into->slots, std::vector<uint32_t>{1});
  EXPECT_TRUE(select.query->limit->count->Is<Parameter>());
}

TEST(ProgramSlots, SetIsSplitByWhatItAssigns) {
  const Program program = MustParseBody("SET NEW.a = 1, @b = 2, sql_mode = '', NEW.c = 3, @d = 4");
  const ProgramBlock& block = BlockOf(program);
  ASSERT_EQ(block.body.size(), 4U);
  EXPECT_TRUE(block.body[0]->Is<ProgramSetSlot>());
  EXPECT_EQ(StatementAt<SetStmt>(block, 1).items.size(), 2U);
  EXPECT_TRUE(block.body[2]->Is<ProgramSetSlot>());
  EXPECT_EQ(StatementAt<SetStmt>(block, 3).items.size(), 1U);
}

TEST(ProgramShape, HandlersHaveTheConditionsThatNamesStandFor) {
  const Program program = MustParseBody(
      "BEGIN DECLARE v INT; DECLARE c CONDITION FOR SQLSTATE '45000'; DECLARE d CONDITION FOR "
      "1051; "
      "DECLARE cur CURSOR FOR SELECT 1; "
      "DECLARE EXIT HANDLER FOR c, d, NOT FOUND, SQLWARNING, SQLEXCEPTION BEGIN END; "
      "SIGNAL c SET MESSAGE_TEXT = 'x'; FETCH NEXT FROM cur INTO v; END");
  const ProgramBlock& block = BlockOf(program);
  using Kind = ProgramCondition::Kind;
  std::vector<Kind> kinds;
  for (const ProgramCondition& condition : block.handlers[0].conditions) {
    kinds.push_back(condition.kind);
  }
  EXPECT_EQ(kinds, (std::vector<Kind>{Kind::kSqlState, Kind::kErrorNumber, Kind::kNotFound,
                                      Kind::kWarnings, Kind::kExceptions}));
  EXPECT_EQ(block.handlers[0].conditions[0].sqlstate, "45000");
  EXPECT_EQ(block.handlers[0].conditions[1].error_number, 1051);
  EXPECT_EQ(StatementAt<SignalStmt>(block, 0).sqlstate, "45000");
  EXPECT_EQ(block.body[1]->As<ProgramFetch>().slots, std::vector<uint32_t>{0});
}

TEST(ProgramShape, LabelsNameLoopsAndBlocks) {
  const Program program =
      MustParseBody("o: BEGIN i: LOOP IF 1 THEN LEAVE o; END IF; ITERATE i; END LOOP i; END o");
  const ProgramBlock& block = BlockOf(program);
  const auto& loop = block.body[0]->As<ProgramLoop>();
  const auto& leave = loop.body[0]->As<ProgramIf>().branches[0].body[0]->As<ProgramLeave>();
  EXPECT_EQ(leave.target, block.id);
  EXPECT_FALSE(leave.iterate);
  EXPECT_EQ(loop.body[1]->As<ProgramLeave>().target, loop.id);
  EXPECT_NE(block.id, loop.id);
  EXPECT_LT(loop.id, program.id_count);
}

TEST(ProgramTables, SayWhichAreChanged) {
  const Program program = MustParseBody(
      "BEGIN INSERT INTO a SELECT * FROM b; UPDATE c SET x = (SELECT 1 FROM s.d); "
      "DELETE e1 FROM e e1 JOIN f USING (x); DELETE FROM g; END");
  std::string text;
  for (const ProgramTable& table : program.tables) {
    text += table.name.name + (table.changed ? "! " : " ");
  }
  EXPECT_EQ(text, "a! b c! d e! f g! ");
}

TEST(ProgramLimits, NestingIsBounded) {
  std::string deep;
  std::string ends;
  for (int i = 0; i < 2000; ++i) {
    deep += "BEGIN ";
    ends += " END;";
  }
  EXPECT_EQ(ErrorOf(deep + ends), 1064);
}

TEST(ProgramLimits, ParametersAreNone) {
  EXPECT_EQ(ErrorOf("SET NEW.a = ?"), 1064);
  EXPECT_EQ(ErrorOf("BEGIN SET NEW.a = 1; SELECT ? INTO @a; END"), 1064);
}

TEST(ProgramLimits, TheRestOfAStatementIsNotSwallowed) {
  EXPECT_EQ(ErrorOf("BEGIN INSTALL PLUGIN a SONAME 'b'; END"), 1235);
  EXPECT_EQ(ErrorOf("DROP SERVER s"), 1235);
}

}  // namespace
}  // namespace borealis::sql
