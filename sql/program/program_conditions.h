// Which handler of a stored program is called for a condition, by MySQL's rules: blocks from the
// inside out; in one block the most specific (error number, SQLSTATE, class), of equals the first
// declared. Within a handler those of its own block are not in force.
#pragma once

#include <cstdint>

#include "sql/context/diagnostics.h"
#include "sql/program/program_code.h"

namespace borealis::sql {

struct FoundHandler {
  uint32_t scope = 0;                                  // the block that declares it
  const ProgramCodeScope::Handler* handler = nullptr;  // null: none
};

// As MySQL has it, what a variable's default fails with is for no handler at all when its own block
// declares one for it.
FoundHandler FindHandler(const ProgramCode& code, const ProgramInstruction& failed,
                         const Condition& condition);

// Whether handlers of a trigger may catch the failure: not when the session was killed, nor when
// the engine has undone or given up more than the statement (deadlock, lock wait timeout), nor when
// the server itself failed.
bool IsCatchable(const Status& failure);

}  // namespace borealis::sql
