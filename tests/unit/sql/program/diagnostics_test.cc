// The diagnostics area: what SIGNAL raises, areas of handlers, and of statements within others.
#include "sql/context/diagnostics.h"

#include <gtest/gtest.h>

#include "base/mysql_error.h"

namespace borealis::sql {
namespace {

Condition Signalled(std::string sqlstate, int number, std::string text) {
  Condition condition{row::WarningLevel::kError, number, std::move(text)};
  condition.raised_sqlstate = std::move(sqlstate);
  return condition;
}

TEST(Diagnostics, AnOutcomeStandsForWhatWasRaised) {
  Diagnostics diagnostics;
  const Status error = diagnostics.Raise(Signalled("45123", 1644, "mine"));
  EXPECT_EQ(error.user_errno(), 1644);
  EXPECT_EQ(diagnostics.ConditionOf(error).sqlstate(), "45123");
  EXPECT_EQ(diagnostics.count(), 0U);
  diagnostics.AddError(error);
  EXPECT_EQ(diagnostics.conditions()[0].sqlstate(), "45123");
  // Another error of the same number is another error.
  EXPECT_EQ(diagnostics.ConditionOf(Status::User(1644, "theirs")).sqlstate(), "HY000");
}

TEST(Diagnostics, AHandlerWorksOnACopyAndLeavesItsOwn) {
  Diagnostics diagnostics;
  diagnostics.AddError(UserError(ER_DUP_ENTRY, "1", "k"));
  diagnostics.EnterHandler(diagnostics.conditions()[0]);
  EXPECT_EQ(diagnostics.count(), 1U);
  EXPECT_EQ(diagnostics.handled()->area.conditions.size(), 1U);
  diagnostics.AddWarning(row::WarningLevel::kWarning, 1265, "cut");
  diagnostics.LeaveHandler();
  ASSERT_EQ(diagnostics.conditions().size(), 1U);
  EXPECT_EQ(diagnostics.conditions()[0].mysql_errno, 1265);
  EXPECT_EQ(diagnostics.count(), 1U);
  EXPECT_EQ(diagnostics.error_count(), 0U);
  EXPECT_EQ(diagnostics.handled(), nullptr);
}

TEST(Diagnostics, AHandlerThatClearsTheAreaTakesNothingBack) {
  Diagnostics diagnostics;
  diagnostics.AddError(UserError(ER_DUP_ENTRY, "1", "k"));
  diagnostics.EnterHandler(diagnostics.conditions()[0]);
  diagnostics.Clear();
  EXPECT_EQ(diagnostics.handled()->condition.mysql_errno, ER_DUP_ENTRY);
  diagnostics.AddWarning(row::WarningLevel::kWarning, 1265, "cut");
  diagnostics.LeaveHandler();
  EXPECT_EQ(diagnostics.count(), 1U);
}

// INV-SQL-3
TEST(Diagnostics, ASuspendedStatementFindsAllAsItWas) {
  Diagnostics diagnostics;
  diagnostics.set_strict(true);
  diagnostics.AddWarning(row::WarningLevel::kNote, 1051, "outer");
  Diagnostics::State outer = diagnostics.Suspend();
  EXPECT_EQ(diagnostics.count(), 0U);
  diagnostics.AddWarning(row::WarningLevel::kWarning, ER_DIVISION_BY_ZERO, "inner");
  EXPECT_TRUE(diagnostics.strict_error().ok());
  diagnostics.Resume(std::move(outer));
  ASSERT_EQ(diagnostics.count(), 1U);
  EXPECT_EQ(diagnostics.conditions()[0].mysql_errno, 1051);
  diagnostics.AddWarning(row::WarningLevel::kWarning, ER_DIVISION_BY_ZERO, "outer");
  EXPECT_EQ(diagnostics.strict_error().user_errno(), ER_DIVISION_BY_ZERO);
}

}  // namespace
}  // namespace borealis::sql
