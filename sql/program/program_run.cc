#include "sql/program/program_run.h"

#include "base/mysql_error.h"
#include "row/convert.h"
#include "sql/functions/eval_context.h"
#include "sql/program/program_conditions.h"
#include "sql/session/session.h"

namespace borealis::sql {

namespace {

using Op = ProgramInstruction::Op;

// Whether the instruction is a statement of its own, which starts with an empty diagnostics area.
// Nested statements see to that themselves.
bool ClearsDiagnostics(Op op) {
  return op == Op::kSet || op == Op::kSetOperand || op == Op::kJumpUnless || op == Op::kFetch ||
         op == Op::kClose;
}

bool MayWarn(Op op) {
  return ClearsDiagnostics(op) || op == Op::kStatement || op == Op::kOpen;
}

}  // namespace

ProgramRun::ProgramRun(Session* session, ProgramCode* code, ProgramFrame* frame)
    : session_(*session), code_(*code), frame_(*frame), cursors_(code->cursor_count()) {}

Status ProgramRun::Execute() {
  Diagnostics& diagnostics = session_.diagnostics();
  for (;;) {
    const ProgramInstruction& instruction = code_.instructions()[next_++];
    if (instruction.op == Op::kEnd) {
      return {};
    }
    RETURN_IF_ERROR(session_.CheckInterrupt());
    if (ClearsDiagnostics(instruction.op)) {
      diagnostics.Clear();
    }
    const Status status = Step(instruction);
    if (status.ok()) {
      if (diagnostics.count() != 0 && MayWarn(instruction.op)) {
        CatchWarning(instruction);
      }
      continue;
    }
    if (!IsCatchable(status) || !Catch(instruction, diagnostics.ConditionOf(status))) {
      return status;
    }
  }
}

Status ProgramRun::Step(const ProgramInstruction& instruction) {
  switch (instruction.op) {
    case Op::kSet:
    case Op::kSetOperand:
      return SetSlot(instruction);
    case Op::kJump:
      LeaveScopes(instruction.scope, instruction.operand);
      next_ = instruction.target;
      return {};
    case Op::kJumpUnless:
      return JumpUnless(instruction);
    case Op::kStatement:
      return session_.RunNested(&code_.statement(instruction.operand), frame_.values());
    case Op::kOpen:
      return cursors_[instruction.operand].Open(&session_, &code_.cursor(instruction.operand),
                                                frame_);
    case Op::kFetch:
      return cursors_[instruction.operand].Fetch(code_.fetch_slots(instruction.target), &frame_);
    case Op::kClose:
      return cursors_[instruction.operand].Close();
    case Op::kLeave:
      LeaveScopes(instruction.operand, code_.scopes()[instruction.operand].parent);
      return {};
    case Op::kCaseNotFound:
      return UserError(ER_SP_CASE_NOT_FOUND);
    case Op::kEndHandler:
      EndHandler();
      return {};
    case Op::kEnd:
      break;
  }
  return Status::Internal("an instruction that is none");
}

Result<TypedValue> ProgramRun::Evaluate(uint32_t expression) {
  Diagnostics& diagnostics = session_.diagnostics();
  const ProgramContext context{session_, code_.text(), frame_.values(), frame_.types_version()};
  diagnostics.set_strict(row::IsStrict(session_.settings().sql_mode));
  Result<TypedValue> value = code_.expression(expression).Evaluate(context);
  Status strict = diagnostics.strict_error();
  diagnostics.EndStrict();
  RETURN_IF_ERROR(value.ok() ? std::move(strict) : value.status());
  return value;
}

Status ProgramRun::JumpUnless(const ProgramInstruction& instruction) {
  ASSIGN_OR_RETURN(const TypedValue value, Evaluate(instruction.operand));
  const bool is_true = !value.value.is_null() &&
                       row::ToBool(value.value, value.type, session_.eval_context().conversion);
  next_ = is_true ? next_ : instruction.target;
  return {};
}

Status ProgramRun::SetSlot(const ProgramInstruction& instruction) {
  if (instruction.operand == kNoOperand) {
    frame_.Put(instruction.target, row::Value::Null());
    return {};
  }
  ASSIGN_OR_RETURN(TypedValue value, Evaluate(instruction.operand));
  if (instruction.op == Op::kSetOperand) {
    frame_.PutTyped(instruction.target, std::move(value));
    return {};
  }
  return frame_.Assign(instruction.target, value);
}

bool ProgramRun::Catch(const ProgramInstruction& instruction, const Condition& condition) {
  const FoundHandler found = FindHandler(code_, instruction, condition);
  if (found.handler == nullptr) {
    return false;
  }
  Diagnostics& diagnostics = session_.diagnostics();
  diagnostics.EndStrict();
  if (condition.level == row::WarningLevel::kError) {
    diagnostics.Add(condition);
  }
  diagnostics.EnterHandler(condition);
  handlers_.push_back({found.scope, instruction.scope, instruction.resume, found.handler->exits});
  next_ = found.handler->entry;
  return true;
}

// Of several warnings that have a handler the last is handled. As in MySQL a condition of IF that
// warns goes on behind END IF, whatever its value.
void ProgramRun::CatchWarning(const ProgramInstruction& instruction) {
  const std::vector<Condition>& conditions = session_.diagnostics().conditions();
  for (size_t i = conditions.size(); i-- > 0;) {
    const Condition condition = conditions[i];
    if (condition.level != row::WarningLevel::kError && Catch(instruction, condition)) {
      return;
    }
  }
}

void ProgramRun::EndHandler() {
  const Activation ended = handlers_.back();
  handlers_.pop_back();
  session_.diagnostics().LeaveHandler();
  if (!ended.exits) {
    next_ = ended.resume;
    return;
  }
  // Handlers at work within the block end with it.
  while (!handlers_.empty() && code_.IsWithin(handlers_.back().block, ended.block)) {
    handlers_.pop_back();
    session_.diagnostics().LeaveHandler();
  }
  LeaveScopes(ended.scope, ended.block);
  next_ = code_.scopes()[ended.block].end;
}

void ProgramRun::LeaveScopes(uint32_t from, uint32_t to) {
  while (from != to && from != 0) {
    for (const uint32_t cursor : code_.scopes()[from].cursors) {
      cursors_[cursor].Forget();
    }
    from = code_.scopes()[from].parent;
  }
}

}  // namespace borealis::sql
