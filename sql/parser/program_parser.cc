// The body of a stored program: compound statements, declarations, flow of control. The statements
// between them are in program_statement_parser.cc.
//
// Tokens come statement by statement: a semicolon inside a body has the next one lexed.
#include "base/mysql_error.h"
#include "sql/parser/parser_internal.h"

namespace borealis::sql {

// At the semicolon that ends a statement of a program.
Status Parser::ExpectStatementEnd() {
  if (!At(Op::kSemicolon)) {
    return Error();
  }
  const uint32_t end = Cur().end;
  if (pos_ + 2 == tokens_.size()) {
    tokens_.pop_back();
    const size_t first = tokens_.size();
    lexer_.Run(end, &tokens_);
    RETURN_IF_ERROR(CheckNames(first));
  }
  Next();
  return Status::Ok();
}

// The statements up to one of the words that may end the list, each with its semicolon.
Status Parser::ParseProgramList(ProgramNodes* out, std::initializer_list<Kw> ends) {
  const auto at_end = [&] {
    for (const Kw word : ends) {
      if (At(word) && !Is(Ahead(1), Op::kColon)) {
        return true;
      }
    }
    return false;
  };
  while (!at_end()) {
    RETURN_IF_ERROR(ParseProgramStatement(out));
    RETURN_IF_ERROR(ExpectStatementEnd());
  }
  return Status::Ok();
}

// IF, LOOP and CASE hold a statement at least.
Status Parser::ParseProgramBranch(ProgramNodes* out, std::initializer_list<Kw> ends) {
  RETURN_IF_ERROR(ParseProgramStatement(out));
  RETURN_IF_ERROR(ExpectStatementEnd());
  return ParseProgramList(out, ends);
}

Status Parser::ParseProgramStatement(ProgramNodes* out) {
  const NestingScope scope(this);
  if (!scope.ok()) {
    return TooDeep();
  }
  const uint32_t begin = Begin();
  const size_t before = out->size();
  RETURN_IF_ERROR(ParseProgramNodes(out));
  for (size_t i = before; i < out->size(); ++i) {
    if ((*out)[i]->span.end == 0) {
      (*out)[i]->span = SpanFrom(begin);
    }
  }
  return Status::Ok();
}

Status Parser::ParseProgramNodes(ProgramNodes* out) {
  const auto add = [out](Result<ProgramNodePtr> node) -> Status {
    RETURN_IF_ERROR(node.status());
    out->push_back(std::move(node).value());
    return Status::Ok();
  };
  if (AtIdent() && Is(Ahead(1), Op::kColon)) {
    return add(ParseLabelled());
  }
  if (!At(TokenKind::kIdent)) {
    return ParseEmbeddedStatement(out);
  }
  switch (Cur().keyword) {
    case Kw::kBegin:
    case Kw::kLoop:
    case Kw::kWhile:
    case Kw::kRepeat:
      return add(ParseBlockOrLoop(""));
    case Kw::kIf:
      return add(ParseProgramIf());
    case Kw::kCase:
      return add(ParseProgramCase());
    case Kw::kLeave:
    case Kw::kIterate:
      return add(ParseLeave());
    case Kw::kOpen:
    case Kw::kClose:
      return add(ParseOpenOrClose());
    case Kw::kFetch:
      return add(ParseFetch());
    case Kw::kReturn:
      return UserError(ER_SP_BADRETURN);
    case Kw::kSet:
      return ParseProgramSet(out);
    default:
      return ParseEmbeddedStatement(out);
  }
}

// label: BEGIN | LOOP | WHILE | REPEAT … [label]
Result<ProgramNodePtr> Parser::ParseLabelled() {
  ASSIGN_OR_RETURN(const std::string label, Ident());
  Next();
  if (!At(Kw::kBegin) && !At(Kw::kLoop) && !At(Kw::kWhile) && !At(Kw::kRepeat)) {
    return Error();
  }
  if (program_->FindLabel(label) != nullptr) {
    return UserError(ER_SP_LABEL_REDEFINE, label);
  }
  return ParseBlockOrLoop(label);
}

Result<ProgramNodePtr> Parser::ParseBlockOrLoop(const std::string& label) {
  const uint32_t id = program_->NextId();
  program_->PushLabel({label, id, !At(Kw::kBegin)});
  ASSIGN_OR_RETURN(ProgramNodePtr node, At(Kw::kBegin) ? ParseBlock(id) : ParseLoop(id));
  program_->PopLabel();
  if (AtIdent() && !label.empty()) {
    ASSIGN_OR_RETURN(const std::string end_label, Ident());
    if (!ProgramNames::SameName(label, end_label)) {
      return UserError(ER_SP_LABEL_MISMATCH, end_label);
    }
  }
  return node;
}

Result<ProgramNodePtr> Parser::ParseBlock(uint32_t id) {
  Next();
  auto block = std::make_unique<ProgramBlock>();
  block->id = id;
  program_->OpenBlock();
  RETURN_IF_ERROR(ParseDeclarations(block.get()));
  RETURN_IF_ERROR(ParseProgramList(&block->body, {Kw::kEnd}));
  Next();
  program_->CloseBlock();
  return ProgramNodePtr(std::move(block));
}

Result<ProgramNodePtr> Parser::ParseLoop(uint32_t id) {
  auto loop = std::make_unique<ProgramLoop>();
  loop->id = id;
  const Kw word = Cur().keyword;
  Next();
  if (word == Kw::kWhile) {
    ASSIGN_OR_RETURN(loop->while_condition, ParseExpr());
    RETURN_IF_ERROR(Expect(Kw::kDo));
  }
  RETURN_IF_ERROR(ParseProgramBranch(&loop->body, {word == Kw::kRepeat ? Kw::kUntil : Kw::kEnd}));
  Next();
  if (word == Kw::kRepeat) {
    ASSIGN_OR_RETURN(loop->until_condition, ParseExpr());
    RETURN_IF_ERROR(Expect(Kw::kEnd));
  }
  RETURN_IF_ERROR(Expect(word));
  return ProgramNodePtr(std::move(loop));
}

Result<ProgramNodePtr> Parser::ParseProgramIf() {
  auto node = std::make_unique<ProgramIf>();
  do {
    Next();
    ProgramIf::Branch& branch = node->branches.emplace_back();
    ASSIGN_OR_RETURN(branch.condition, ParseExpr());
    RETURN_IF_ERROR(Expect(Kw::kThen));
    RETURN_IF_ERROR(ParseProgramBranch(&branch.body, {Kw::kElseif, Kw::kElse, Kw::kEnd}));
  } while (At(Kw::kElseif));
  if (Accept(Kw::kElse)) {
    RETURN_IF_ERROR(ParseProgramBranch(&node->otherwise, {Kw::kEnd}));
  }
  RETURN_IF_ERROR(Expect(Kw::kEnd, Kw::kIf));
  return ProgramNodePtr(std::move(node));
}

Result<ProgramNodePtr> Parser::ParseProgramCase() {
  Next();
  auto node = std::make_unique<ProgramCase>();
  if (!At(Kw::kWhen)) {
    ASSIGN_OR_RETURN(node->operand, ParseExpr());
  }
  if (!At(Kw::kWhen)) {
    return Error();
  }
  while (Accept(Kw::kWhen)) {
    ProgramIf::Branch& branch = node->branches.emplace_back();
    ASSIGN_OR_RETURN(branch.condition, ParseExpr());
    RETURN_IF_ERROR(Expect(Kw::kThen));
    RETURN_IF_ERROR(ParseProgramBranch(&branch.body, {Kw::kWhen, Kw::kElse, Kw::kEnd}));
  }
  node->has_else = Accept(Kw::kElse);
  if (node->has_else) {
    RETURN_IF_ERROR(ParseProgramBranch(&node->otherwise, {Kw::kEnd}));
  }
  RETURN_IF_ERROR(Expect(Kw::kEnd, Kw::kCase));
  return ProgramNodePtr(std::move(node));
}

Result<ProgramNodePtr> Parser::ParseLeave() {
  auto node = std::make_unique<ProgramLeave>();
  node->iterate = At(Kw::kIterate);
  Next();
  ASSIGN_OR_RETURN(const std::string label, Ident());
  const ProgramNames::Label* found = program_->FindLabel(label);
  if (found == nullptr || (node->iterate && !found->loop)) {
    return UserError(ER_SP_LILABEL_MISMATCH, node->iterate ? "ITERATE" : "LEAVE", label);
  }
  node->target = found->id;
  return ProgramNodePtr(std::move(node));
}

Status Parser::CursorName(uint32_t* cursor) {
  ASSIGN_OR_RETURN(const std::string name, Ident());
  const std::optional<uint32_t> found = program_->FindCursor(name);
  if (!found) {
    return UserError(ER_SP_CURSOR_MISMATCH, name);
  }
  *cursor = *found;
  return Status::Ok();
}

Result<ProgramNodePtr> Parser::ParseOpenOrClose() {
  uint32_t cursor = 0;
  const bool open = At(Kw::kOpen);
  Next();
  RETURN_IF_ERROR(CursorName(&cursor));
  if (open) {
    auto node = std::make_unique<ProgramOpen>();
    node->cursor = cursor;
    return ProgramNodePtr(std::move(node));
  }
  auto node = std::make_unique<ProgramClose>();
  node->cursor = cursor;
  return ProgramNodePtr(std::move(node));
}

// FETCH [[NEXT] FROM] cursor INTO a, b
Result<ProgramNodePtr> Parser::ParseFetch() {
  Next();
  auto node = std::make_unique<ProgramFetch>();
  if (At(Kw::kNext) && Is(Ahead(1), Kw::kFrom)) {
    Next();
  }
  Accept(Kw::kFrom);
  RETURN_IF_ERROR(CursorName(&node->cursor));
  RETURN_IF_ERROR(Expect(Kw::kInto));
  do {
    ASSIGN_OR_RETURN(const std::string name, Ident());
    ASSIGN_OR_RETURN(const uint32_t slot, VariableSlot(name));
    node->slots.push_back(slot);
  } while (Accept(Op::kComma));
  return ProgramNodePtr(std::move(node));
}

}  // namespace borealis::sql
