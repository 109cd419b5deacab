// DECLARE: the variables, conditions, cursors and handlers of a block.
#include <algorithm>

#include "base/mysql_error.h"
#include "sql/parser/parser_internal.h"

namespace borealis::sql {
namespace {

bool IsSqlState(std::string_view text) {
  return text.size() == 5 && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z');
         });
}

}  // namespace

Status Parser::ParseDeclarations(ProgramBlock* block) {
  bool cursors = false;
  while (Accept(Kw::kDeclare)) {
    const bool handler = (At(Kw::kContinue) || At(Kw::kExit)) && Is(Ahead(1), Kw::kHandler);
    const bool cursor = !handler && Is(Ahead(1), Kw::kCursor);
    if (!handler && cursor && !block->handlers.empty()) {
      return UserError(ER_SP_CURSOR_AFTER_HANDLER);
    }
    if (handler) {
      RETURN_IF_ERROR(ParseHandlerDeclaration(block));
    } else if (cursor) {
      cursors = true;
      RETURN_IF_ERROR(ParseCursorDeclaration(block));
    } else {
      const bool late = cursors || !block->handlers.empty();
      RETURN_IF_ERROR(Is(Ahead(1), Kw::kCondition) ? ParseConditionDeclaration(late)
                                                   : ParseVariableDeclaration(block, late));
    }
    RETURN_IF_ERROR(ExpectStatementEnd());
  }
  return Status::Ok();
}

// a, b TYPE [DEFAULT expr]. The default is evaluated for each variable, so each has its own tree.
// It sees none of them, but what they hide.
Status Parser::ParseVariableDeclaration(ProgramBlock* block, bool late) {
  const size_t first = block->variables.size();
  do {
    const Span span = {Cur().begin, Cur().end};
    ASSIGN_OR_RETURN(const std::string name, Ident());
    uint32_t slot = 0;
    if (!program_->DeclareVariable(name, &slot)) {
      return UserError(ER_SP_DUP_VAR, name);
    }
    program_->slot(slot).span = span;
    block->variables.emplace_back().slot = slot;
  } while (Accept(Op::kComma));
  TypeName type;
  RETURN_IF_ERROR(ParseDataType(&type));
  if (Accept(Kw::kCollate)) {
    ASSIGN_OR_RETURN(type.collation, CollationName());
  }
  const bool has_default = Accept(Kw::kDefault);
  const size_t expression = pos_;
  program_->HideVariables(block->variables.size() - first);
  for (size_t i = first; i < block->variables.size(); ++i) {
    ProgramBlock::Variable& variable = block->variables[i];
    program_->slot(variable.slot).type = type;
    if (has_default) {
      pos_ = expression;
      ASSIGN_OR_RETURN(variable.initial, ParseExpr());
    }
  }
  program_->HideVariables(0);
  return late ? UserError(ER_SP_VARCOND_AFTER_CURSHNDLR) : Status::Ok();
}

// SQLSTATE [VALUE] 'x' | number
Status Parser::ParseConditionValue(ProgramCondition* condition) {
  if (!Accept(Kw::kSqlstate)) {
    condition->kind = ProgramCondition::Kind::kErrorNumber;
    ASSIGN_OR_RETURN(const uint64_t number, UnsignedNumber());
    if (number == 0) {
      return UserError(ER_WRONG_VALUE, "CONDITION", "0");
    }
    condition->error_number = number > UINT16_MAX ? 0 : static_cast<uint16_t>(number);
    return Status::Ok();
  }
  Accept(Kw::kValue);
  return ParseSqlState(&condition->sqlstate);
}

// A state of success ('00…') is none that can be raised or handled.
Status Parser::ParseSqlState(std::string* sqlstate) {
  ASSIGN_OR_RETURN(*sqlstate, StringText());
  if (!IsSqlState(*sqlstate) || sqlstate->starts_with("00")) {
    return UserError(ER_SP_BAD_SQLSTATE, *sqlstate);
  }
  return Status::Ok();
}

// name CONDITION FOR value
Status Parser::ParseConditionDeclaration(bool late) {
  ASSIGN_OR_RETURN(const std::string name, Ident());
  Next();
  RETURN_IF_ERROR(Expect(Kw::kFor));
  ProgramCondition condition;
  RETURN_IF_ERROR(ParseConditionValue(&condition));
  if (!program_->DeclareCondition(name, std::move(condition))) {
    return UserError(ER_SP_DUP_COND, name);
  }
  return late ? UserError(ER_SP_VARCOND_AFTER_CURSHNDLR) : Status::Ok();
}

// name CURSOR FOR query
Status Parser::ParseCursorDeclaration(ProgramBlock* block) {
  ASSIGN_OR_RETURN(const std::string name, Ident());
  Next();
  RETURN_IF_ERROR(Expect(Kw::kFor));
  if (!AtQuery()) {
    return Error();
  }
  const uint32_t begin = Begin();
  ASSIGN_OR_RETURN(QueryPtr query, ParseTopQuery());
  if (query->into) {
    return UserError(ER_SP_BAD_CURSOR_SELECT);
  }
  uint32_t number = 0;
  if (!program_->DeclareCursor(name, &number)) {
    return UserError(ER_SP_DUP_CURS, name);
  }
  program_->cursor(number).query = std::move(query);
  program_->cursor(number).span = SpanFrom(begin);
  block->cursors.push_back(number);
  return Status::Ok();
}

// CONTINUE | EXIT HANDLER FOR condition, … statement
Status Parser::ParseHandlerDeclaration(ProgramBlock* block) {
  ProgramHandler handler;
  handler.action =
      At(Kw::kExit) ? ProgramHandler::Action::kExit : ProgramHandler::Action::kContinue;
  Next();
  Next();
  RETURN_IF_ERROR(Expect(Kw::kFor));
  do {
    RETURN_IF_ERROR(ParseHandledCondition(&handler.conditions.emplace_back()));
    if (!program_->DeclareHandled(handler.conditions.back())) {
      return UserError(ER_SP_DUP_HANDLER);
    }
  } while (Accept(Op::kComma));
  const size_t labels = program_->HideLabels();
  ProgramNodes statements;
  RETURN_IF_ERROR(ParseProgramStatement(&statements));
  program_->ShowLabels(labels);
  handler.body = InBlock(std::move(statements));
  block->handlers.push_back(std::move(handler));
  return Status::Ok();
}

Status Parser::ParseHandledCondition(ProgramCondition* condition) {
  using Kind = ProgramCondition::Kind;
  if (Accept(Kw::kSqlwarning)) {
    condition->kind = Kind::kWarnings;
    return Status::Ok();
  }
  if (Accept(Kw::kSqlexception)) {
    condition->kind = Kind::kExceptions;
    return Status::Ok();
  }
  if (Accept(Kw::kNot)) {
    condition->kind = Kind::kNotFound;
    return Expect(Kw::kFound);
  }
  if (!AtIdent()) {
    return ParseConditionValue(condition);
  }
  ASSIGN_OR_RETURN(const std::string name, Ident());
  const ProgramCondition* found = program_->FindCondition(name);
  if (found == nullptr) {
    return UserError(ER_SP_COND_MISMATCH, name);
  }
  *condition = *found;
  return Status::Ok();
}

// One node of the several that a statement has become (SET a = 1, b = 2).
ProgramNodePtr Parser::InBlock(ProgramNodes statements) {
  if (statements.size() == 1) {
    return std::move(statements[0]);
  }
  auto block = std::make_unique<ProgramBlock>();
  block->id = program_->NextId();
  block->body = std::move(statements);
  return block;
}

}  // namespace borealis::sql
