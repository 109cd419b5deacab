// Stored programs as code: jumps, where a failed condition goes on, and which handler is called.
#include "sql/program/program_code.h"

#include <gtest/gtest.h>

#include "base/mysql_error.h"
#include "sql/parser/parser.h"
#include "sql/program/program_conditions.h"

namespace borealis::sql {
namespace {

using Op = ProgramInstruction::Op;

std::unique_ptr<ProgramCode> CodeOf(const std::string& text) {
  Result<Program> program =
      ParseTriggerBody(text, TriggerTiming::kBefore, TriggerEvent::kInsert, {});
  EXPECT_TRUE(program.ok()) << program.status().ToString();
  return std::make_unique<ProgramCode>(std::move(program).value(), text);
}

std::vector<Op> OpsOf(const ProgramCode& code) {
  std::vector<Op> ops;
  for (const ProgramInstruction& instruction : code.instructions()) {
    ops.push_back(instruction.op);
  }
  return ops;
}

// The nth instruction of a kind.
const ProgramInstruction& Nth(const ProgramCode& code, Op op, int n) {
  for (const ProgramInstruction& instruction : code.instructions()) {
    if (instruction.op == op && n-- == 0) {
      return instruction;
    }
  }
  ADD_FAILURE() << "there is no such instruction";
  return code.instructions().back();
}

uint32_t At(const ProgramCode& code, const ProgramInstruction& instruction) {
  return static_cast<uint32_t>(&instruction - code.instructions().data());
}

Condition Error(int number) {
  return {row::WarningLevel::kError, number, "text"};
}

TEST(ProgramCode, OneStatementNeedsNoBlock) {
  EXPECT_EQ(OpsOf(*CodeOf("set new.a = 1")), (std::vector<Op>{Op::kSet, Op::kEnd}));
  EXPECT_EQ(OpsOf(*CodeOf("insert into t values (new.a)")),
            (std::vector<Op>{Op::kStatement, Op::kEnd}));
}

TEST(ProgramCode, AnIfJumpsToTheNextBranchAndFailsToItsEnd) {
  const auto code = CodeOf(
      "begin if new.a = 1 then set @b = 1; elseif new.a = 2 then set @b = 2; else set @b = "
      "3; end if; set @c = 1; end");
  const ProgramInstruction& first = Nth(*code, Op::kJumpUnless, 0);
  const ProgramInstruction& second = Nth(*code, Op::kJumpUnless, 1);
  const uint32_t behind = At(*code, Nth(*code, Op::kStatement, 3));
  EXPECT_EQ(first.target, At(*code, second));
  EXPECT_EQ(second.target, At(*code, Nth(*code, Op::kStatement, 2)));
  EXPECT_EQ(first.resume, behind);
  EXPECT_EQ(second.resume, behind);
}

TEST(ProgramCode, LoopsGoBackAndLeaveForward) {
  const auto code =
      CodeOf("begin l: while new.a do set @a = 1; iterate l; leave l; end while; set @b = 1; end");
  const ProgramInstruction& condition = Nth(*code, Op::kJumpUnless, 0);
  const uint32_t behind = At(*code, Nth(*code, Op::kStatement, 1));
  EXPECT_EQ(condition.target, behind);
  EXPECT_EQ(condition.resume, behind);
  EXPECT_EQ(Nth(*code, Op::kJump, 0).target, At(*code, condition));  // ITERATE
  EXPECT_EQ(Nth(*code, Op::kJump, 1).target, behind);                // LEAVE
  EXPECT_EQ(Nth(*code, Op::kJump, 2).target, At(*code, condition));
}

TEST(ProgramCode, CaseKeepsItsOperandBehindTheVariables) {
  const auto code = CodeOf("begin declare v int; case v when 1 then set @a = 1; end case; end");
  EXPECT_EQ(code->slots().size(), 1U);
  EXPECT_EQ(code->frame_size(), 2U);
  EXPECT_EQ(Nth(*code, Op::kSetOperand, 0).target, 1U);
  EXPECT_EQ(Nth(*code, Op::kJumpUnless, 0).target, At(*code, Nth(*code, Op::kCaseNotFound, 0)));
}

TEST(ProgramHandlers, TheMostSpecificOfABlockIsCalled) {
  const auto code = CodeOf(
      "begin declare exit handler for sqlexception set @h = 1; declare exit handler for sqlstate "
      "'23000' set @h = 2; declare exit handler for 1062 set @h = 3; insert into t values (1); "
      "end");
  const ProgramInstruction& insert = Nth(*code, Op::kStatement, 3);
  const auto& handlers = code->scopes()[insert.scope].handlers;
  ASSERT_EQ(handlers.size(), 3U);
  EXPECT_EQ(FindHandler(*code, insert, Error(ER_DUP_ENTRY)).handler, &handlers[2]);
  EXPECT_EQ(FindHandler(*code, insert, Error(ER_BAD_NULL_ERROR)).handler, &handlers[1]);
  EXPECT_EQ(FindHandler(*code, insert, Error(ER_NO_SUCH_TABLE)).handler, &handlers[0]);
  EXPECT_EQ(FindHandler(*code, insert, Error(ER_SP_FETCH_NO_DATA)).handler, nullptr);
}

TEST(ProgramHandlers, InnerBlocksGoFirstHoweverGeneral) {
  const auto code = CodeOf(
      "begin declare exit handler for 1062 set @h = 1; begin declare exit handler for sqlexception "
      "set @h = 2; insert into t values (1); end; end");
  const ProgramInstruction& insert = Nth(*code, Op::kStatement, 2);
  const FoundHandler found = FindHandler(*code, insert, Error(ER_DUP_ENTRY));
  EXPECT_EQ(found.scope, insert.scope);
  EXPECT_TRUE(code->IsWithin(found.scope, 0));
}

TEST(ProgramHandlers, AHandlersOwnBlockIsNotInForceWithinIt) {
  const auto code = CodeOf(
      "begin declare exit handler for sqlexception set @outer = 1; begin declare continue handler "
      "for sqlexception set @inner = 1; insert into t values (1); end; end");
  const ProgramInstruction& in_inner = Nth(*code, Op::kStatement, 1);
  const FoundHandler found = FindHandler(*code, in_inner, Error(ER_DUP_ENTRY));
  ASSERT_NE(found.handler, nullptr);
  EXPECT_TRUE(found.handler->exits);
  const ProgramInstruction& in_outer = Nth(*code, Op::kStatement, 0);
  EXPECT_EQ(FindHandler(*code, in_outer, Error(ER_DUP_ENTRY)).handler, nullptr);
}

TEST(ProgramHandlers, ADefaultThatFailsIsForNoHandlerIfItsBlockHasOne) {
  const auto with = CodeOf(
      "begin declare exit handler for sqlexception set @o = 1; begin declare v int default 1; "
      "declare exit handler for 1062 set @i = 1; end; end");
  const ProgramInstruction& set = Nth(*with, Op::kSet, 0);
  ASSERT_TRUE(set.declares);
  EXPECT_EQ(FindHandler(*with, set, Error(ER_DUP_ENTRY)).handler, nullptr);
  EXPECT_NE(FindHandler(*with, set, Error(ER_NO_SUCH_TABLE)).handler, nullptr);
}

TEST(ProgramHandlers, WarningsAndNotFoundByClass) {
  const auto code = CodeOf(
      "begin declare continue handler for not found set @h = 1; declare continue handler for "
      "sqlwarning set @h = 2; insert into t values (1); end");
  const ProgramInstruction& insert = Nth(*code, Op::kStatement, 2);
  const auto& handlers = code->scopes()[insert.scope].handlers;
  EXPECT_EQ(FindHandler(*code, insert, Error(ER_SP_FETCH_NO_DATA)).handler, &handlers[0]);
  Condition warning{row::WarningLevel::kWarning, ER_TRUNCATED_WRONG_VALUE, "text"};
  EXPECT_EQ(FindHandler(*code, insert, warning).handler, &handlers[1]);
  EXPECT_EQ(FindHandler(*code, insert, Error(ER_DUP_ENTRY)).handler, nullptr);
}

TEST(ProgramHandlers, WhatEndedMoreThanTheStatementIsCaughtByNobody) {
  EXPECT_TRUE(IsCatchable(UserError(ER_DUP_ENTRY, "1", "k")));
  EXPECT_FALSE(IsCatchable(UserError(ER_QUERY_INTERRUPTED)));
  EXPECT_FALSE(IsCatchable(UserError(ER_LOCK_DEADLOCK)));
  EXPECT_FALSE(IsCatchable(UserError(ER_LOCK_WAIT_TIMEOUT)));
  EXPECT_FALSE(IsCatchable(Status::Deadlock("victim")));
  EXPECT_FALSE(IsCatchable(Status::Internal("bug")));
}

}  // namespace
}  // namespace borealis::sql
