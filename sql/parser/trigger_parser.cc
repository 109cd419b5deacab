// CREATE TRIGGER, DROP TRIGGER, and the body of a trigger by itself.
#include "sql/parser/parser_internal.h"

namespace borealis::sql {

Result<Program> ParseTriggerBody(std::string_view text, TriggerTiming timing, TriggerEvent event,
                                 const ParserOptions& options) {
  if (text.size() >= UINT32_MAX) {
    return Status::InvalidArgument("trigger body of 4 GiB or more");
  }
  return Parser(text, options).ParseWholeTriggerBody(timing, event);
}

Result<Program> Parser::ParseWholeTriggerBody(TriggerTiming timing, TriggerEvent event) {
  RETURN_IF_ERROR(CheckNames(0));
  ASSIGN_OR_RETURN(Program program, ParseTriggerProgram(timing, event));
  if (!At(TokenKind::kEnd)) {
    return Error();
  }
  return program;
}

Result<Program> Parser::ParseTriggerProgram(TriggerTiming timing, TriggerEvent event) {
  program_.emplace(timing, event);
  options_.allow_parameters = false;
  ProgramNodes statements;
  RETURN_IF_ERROR(ParseProgramStatement(&statements));
  if (!AtEnd()) {
    return Error();
  }
  RETURN_IF_ERROR(CheckOffences());
  ProgramNodePtr body = InBlock(std::move(statements));
  Program program = program_->TakeProgram(std::move(body));
  program_.reset();
  return program;
}

// What is kept of a program must not depend on what version reads it. Words that only a mark kept
// apart stay apart.
std::string Parser::TextWithoutVersionMarks(Span span) const {
  const auto is_space = [](char c) { return c == ' ' || (c >= '\t' && c <= '\r'); };
  std::string out;
  size_t copied = span.begin;
  for (const Span& mark : lexer_.version_marks()) {
    if (mark.begin < span.begin || mark.end > span.end) {
      continue;
    }
    out.append(text_.substr(copied, mark.begin - copied));
    copied = mark.end;
    if (!out.empty() && !is_space(out.back()) && copied < span.end && !is_space(text_[copied])) {
      out.push_back(' ');
    }
  }
  return out.append(text_.substr(copied, span.end - copied));
}

Status Parser::ParseTriggerMoment(CreateTriggerStmt* stmt) {
  stmt->timing = At(Kw::kBefore) ? TriggerTiming::kBefore : TriggerTiming::kAfter;
  if (!AcceptAny({Kw::kBefore, Kw::kAfter})) {
    return Error();
  }
  if (Accept(Kw::kInsert)) {
    stmt->event = TriggerEvent::kInsert;
  } else if (Accept(Kw::kUpdate)) {
    stmt->event = TriggerEvent::kUpdate;
  } else {
    RETURN_IF_ERROR(Expect(Kw::kDelete));
    stmt->event = TriggerEvent::kDelete;
  }
  return Status::Ok();
}

// At TRIGGER.
Result<StmtPtr> Parser::ParseCreateTrigger(std::optional<AccountName> definer) {
  Next();
  auto stmt = std::make_unique<CreateTriggerStmt>();
  stmt->definer = std::move(definer);
  Status error;
  stmt->if_not_exists = AcceptIfNotExists(&error);
  RETURN_IF_ERROR(error);
  RETURN_IF_ERROR(TableName(&stmt->trigger));
  RETURN_IF_ERROR(ParseTriggerMoment(stmt.get()));
  RETURN_IF_ERROR(Expect(Kw::kOn));
  RETURN_IF_ERROR(TableName(&stmt->table));
  RETURN_IF_ERROR(Expect(Kw::kFor));
  RETURN_IF_ERROR(Expect(Kw::kEach, Kw::kRow));
  if (At(Kw::kFollows) || At(Kw::kPrecedes)) {
    TriggerOrder& order = stmt->order.emplace();
    order.follows = At(Kw::kFollows);
    Next();
    ASSIGN_OR_RETURN(order.name, IdentOrString());
  }
  const uint32_t begin = Begin();
  ASSIGN_OR_RETURN(stmt->program, ParseTriggerProgram(stmt->timing, stmt->event));
  stmt->body = TextWithoutVersionMarks(SpanFrom(begin));
  return StmtPtr(std::move(stmt));
}

Result<StmtPtr> Parser::ParseDropTrigger() {
  Next();
  Next();
  auto stmt = std::make_unique<DropTriggerStmt>();
  Status error;
  stmt->if_exists = AcceptIfExists(&error);
  RETURN_IF_ERROR(error);
  RETURN_IF_ERROR(TableName(&stmt->trigger));
  return StmtPtr(std::move(stmt));
}

}  // namespace borealis::sql
