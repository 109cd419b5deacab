// A statement of a stored program, with what was worked out for it when it ran last.
//
// A program keeps one for each of its statements and cursors, for as long as the session keeps the
// program. The tree and the text outlive it. Used by the session's thread.
#pragma once

#include <memory>
#include <string_view>

#include "sql/ast/node.h"
#include "sql/context/typed_value.h"
#include "sql/executor/executor.h"

namespace borealis::sql {

struct PlanHolder;

// The variables of the program that runs, for statements that give them values.
class VariableSlots {
 public:
  virtual ~VariableSlots() = default;
  // Converts as an assignment to a column of the variable's type does.
  virtual Status Assign(uint32_t slot, const TypedValue& value) = 0;
};

class NestedStatement {
 public:
  // Spans in `statement` are offsets into `text`.
  NestedStatement(const Stmt& statement, std::string_view text);
  ~NestedStatement();
  NestedStatement(NestedStatement&&) noexcept;
  NestedStatement& operator=(NestedStatement&&) = delete;

  const Stmt& statement() const { return statement_; }
  std::string_view text() const { return text_; }

 private:
  friend class Session;

  const Stmt& statement_;
  const std::string_view text_;
  std::unique_ptr<PlanHolder> query_;    // of a SELECT or DO
  std::unique_ptr<StatementPlan> plan_;  // of any other
};

}  // namespace borealis::sql
