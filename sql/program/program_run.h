// Executes the code of a stored program: control flow, handlers, cursors. The program has been
// entered (session/program_scope.h).
//
// KILL is asked for before every instruction, so a loop that does nothing ends as well. What one
// instruction fails with goes to the handlers in force; without one it is the program's outcome.
#pragma once

#include <cstdint>
#include <vector>

#include "base/status.h"
#include "sql/program/program_code.h"
#include "sql/program/program_cursor.h"
#include "sql/program/program_frame.h"

namespace borealis::sql {

class Session;
struct Condition;

class ProgramRun {
 public:
  ProgramRun(Session* session, ProgramCode* code, ProgramFrame* frame);
  Status Execute();

 private:
  Status Step(const ProgramInstruction& instruction);
  Status SetSlot(const ProgramInstruction& instruction);
  Status JumpUnless(const ProgramInstruction& instruction);
  Result<TypedValue> Evaluate(uint32_t expression);
  // Whether a handler takes the failure, or a warning of the instruction; `next_` is then its
  // entry.
  bool Catch(const ProgramInstruction& instruction, const Condition& condition);
  void CatchWarning(const ProgramInstruction& instruction);
  void EndHandler();
  // Closes the cursors of blocks that a jump leaves.
  void LeaveScopes(uint32_t from, uint32_t to);

  // A handler at work.
  struct Activation {
    uint32_t block;   // that declares it
    uint32_t scope;   // of the instruction that failed
    uint32_t resume;  // where that goes on
    bool exits;
  };

  Session& session_;
  ProgramCode& code_;
  ProgramFrame& frame_;
  uint32_t next_ = 0;
  std::vector<ProgramCursorState> cursors_;
  std::vector<Activation> handlers_;  // innermost last
};

}  // namespace borealis::sql
