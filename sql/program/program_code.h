// A stored program as instructions: what ProgramRun executes.
//
// Blocks, branches and loops become jumps; each instruction knows the scope it stands in, so that
// the handlers that may catch its failure, and the cursors that a jump closes, follow from the code
// alone. With the instructions live the bound forms of its statements and expressions, so code
// belongs to one session and is run by one caller at a time (ProgramRun may nest in other code).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "sql/ast/program.h"
#include "sql/program/program_expression.h"
#include "sql/session/nested_statement.h"

namespace borealis::sql {

inline constexpr uint32_t kNoOperand = UINT32_MAX;

struct ProgramInstruction {
  enum class Op : uint8_t {
    kSet,         // slot `target` = expression `operand`, or NULL
    kSetOperand,  // of CASE: the same, and the slot takes the expression's type
    kJump,        // to `target`, out to scope `operand`
    kJumpUnless,  // to `target` unless expression `operand` is true
    kStatement,   // number `operand`
    kOpen,        // cursor `operand`
    kFetch,       // cursor `operand` into list `target` of slots
    kClose,       // cursor `operand`
    kLeave,       // the block whose scope is `operand` ends
    kCaseNotFound,
    kEndHandler,
    kEnd,
  };
  Op op = Op::kEnd;
  uint32_t operand = kNoOperand;
  uint32_t target = 0;
  uint32_t scope = 0;
  // Where a CONTINUE handler goes on: behind the whole statement whose condition failed.
  uint32_t resume = 0;
  // A variable's default: the handlers of its block are declared, but not yet in force.
  bool declares = false;
};

// A block, or the body of a handler.
struct ProgramCodeScope {
  uint32_t parent = 0;  // of scope 0: itself
  bool is_handler = false;
  uint32_t end = 0;  // the block's kLeave
  struct Handler {
    bool exits = false;
    std::vector<ProgramCondition> conditions;
    uint32_t entry = 0;
  };
  std::vector<Handler> handlers;
  std::vector<uint32_t> cursors;
};

class ProgramCode {
 public:
  // `text` is what the program was parsed from.
  ProgramCode(Program program, std::string text);
  ProgramCode(const ProgramCode&) = delete;
  ProgramCode& operator=(const ProgramCode&) = delete;

  const std::string& text() const { return *text_; }
  // The declared ones and NEW's and OLD's columns; behind them, up to frame_size, operands of CASE.
  const std::vector<ProgramSlot>& slots() const { return slots_; }
  size_t frame_size() const { return frame_size_; }
  const std::vector<ProgramInstruction>& instructions() const { return instructions_; }
  const std::vector<ProgramCodeScope>& scopes() const { return scopes_; }
  const std::vector<uint32_t>& fetch_slots(uint32_t list) const { return fetches_[list]; }
  size_t cursor_count() const { return cursors_.size(); }

  ProgramExpression& expression(uint32_t number) { return expressions_[number]; }
  NestedStatement& statement(uint32_t number) { return statements_[number]; }
  NestedStatement& cursor(uint32_t number) { return cursors_[number]; }

  // Whether `scope` is `block` or lies within it.
  bool IsWithin(uint32_t scope, uint32_t block) const;

 private:
  friend class ProgramCompiler;

  std::unique_ptr<const std::string> text_;
  std::vector<ProgramSlot> slots_;
  size_t frame_size_ = 0;
  std::vector<StmtPtr> trees_;  // of statements and cursors
  std::vector<ProgramInstruction> instructions_;
  std::vector<ProgramCodeScope> scopes_;
  std::vector<ProgramExpression> expressions_;
  std::vector<NestedStatement> statements_;
  std::vector<NestedStatement> cursors_;
  std::vector<std::vector<uint32_t>> fetches_;
};

}  // namespace borealis::sql
