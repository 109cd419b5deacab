#include "sql/program/program_code.h"

#include "sql/ast/stmt.h"

namespace borealis::sql {

// Takes the tree apart: expressions and statements move into the code.
class ProgramCompiler {
 public:
  explicit ProgramCompiler(ProgramCode* code) : code_(*code) {}

  void Compile(Program program);

 private:
  using Op = ProgramInstruction::Op;
  struct Label {
    uint32_t id;
    uint32_t scope;
    uint32_t start;
    std::vector<uint32_t> leaves;  // jumps to its end
  };

  uint32_t Here() const { return static_cast<uint32_t>(code_.instructions_.size()); }
  uint32_t Emit(Op op, uint32_t operand, uint32_t target = 0);
  uint32_t AddExpression(ExprPtr expr);
  uint32_t AddTree(StmtPtr tree, std::vector<NestedStatement>* list);
  void Target(uint32_t instruction) { code_.instructions_[instruction].target = Here(); }
  void Resume(uint32_t instruction) { code_.instructions_[instruction].resume = Here(); }

  void AddNodes(ProgramNodes* nodes);
  void AddNode(ProgramNode* node);
  void AddBlock(ProgramBlock* block);
  void AddHandlers(ProgramBlock* block, uint32_t scope);
  void AddIf(ProgramIf* node);
  void AddCase(ProgramCase* node);
  // The branches and what stands behind ELSE; `operand` is CASE's, or kNoOperand.
  void AddBranches(std::vector<ProgramIf::Branch>* branches, uint32_t operand, bool has_else,
                   ProgramNodes* otherwise, std::vector<uint32_t> conditions);
  void AddLoop(ProgramLoop* loop);
  void AddLeave(const ProgramLeave& leave);
  void CloseLabel();

  ProgramCode& code_;
  std::vector<Label> labels_;  // innermost last
  uint32_t scope_ = 0;
};

ProgramCode::ProgramCode(Program program, std::string text)
    : text_(std::make_unique<const std::string>(std::move(text))) {
  ProgramCompiler(this).Compile(std::move(program));
}

bool ProgramCode::IsWithin(uint32_t scope, uint32_t block) const {
  while (scope != block && scope != 0) {
    scope = scopes_[scope].parent;
  }
  return scope == block;
}

void ProgramCompiler::Compile(Program program) {
  code_.slots_ = std::move(program.slots);
  code_.frame_size_ = code_.slots_.size();
  code_.scopes_.emplace_back();
  for (ProgramCursor& cursor : program.cursors) {
    auto select = std::make_unique<SelectStmt>();
    select->span = cursor.span;
    select->query = std::move(cursor.query);
    AddTree(std::move(select), &code_.cursors_);
  }
  AddNode(program.body.get());
  code_.scopes_[0].end = Emit(Op::kEnd, kNoOperand);
}

uint32_t ProgramCompiler::Emit(Op op, uint32_t operand, uint32_t target) {
  const uint32_t at = Here();
  code_.instructions_.push_back({op, operand, target, scope_, at + 1, false});
  return at;
}

uint32_t ProgramCompiler::AddExpression(ExprPtr expr) {
  if (expr == nullptr) {
    return kNoOperand;
  }
  code_.expressions_.emplace_back(std::move(expr));
  return static_cast<uint32_t>(code_.expressions_.size() - 1);
}

uint32_t ProgramCompiler::AddTree(StmtPtr tree, std::vector<NestedStatement>* list) {
  list->emplace_back(*tree, *code_.text_);
  code_.trees_.push_back(std::move(tree));
  return static_cast<uint32_t>(list->size() - 1);
}

void ProgramCompiler::AddNodes(ProgramNodes* nodes) {
  for (ProgramNodePtr& node : *nodes) {
    AddNode(node.get());
  }
}

void ProgramCompiler::AddNode(ProgramNode* node) {
  switch (node->kind) {
    case ProgramNodeKind::kBlock:
      return AddBlock(&node->As<ProgramBlock>());
    case ProgramNodeKind::kIf:
      return AddIf(&node->As<ProgramIf>());
    case ProgramNodeKind::kCase:
      return AddCase(&node->As<ProgramCase>());
    case ProgramNodeKind::kLoop:
      return AddLoop(&node->As<ProgramLoop>());
    case ProgramNodeKind::kLeave:
      return AddLeave(node->As<ProgramLeave>());
    case ProgramNodeKind::kOpen:
      Emit(Op::kOpen, node->As<ProgramOpen>().cursor);
      return;
    case ProgramNodeKind::kFetch: {
      auto& fetch = node->As<ProgramFetch>();
      code_.fetches_.push_back(std::move(fetch.slots));
      Emit(Op::kFetch, fetch.cursor, static_cast<uint32_t>(code_.fetches_.size() - 1));
      return;
    }
    case ProgramNodeKind::kClose:
      Emit(Op::kClose, node->As<ProgramClose>().cursor);
      return;
    case ProgramNodeKind::kSetSlot: {
      auto& set = node->As<ProgramSetSlot>();
      Emit(Op::kSet, AddExpression(std::move(set.value)), set.slot);
      return;
    }
    case ProgramNodeKind::kStatement:
      Emit(Op::kStatement,
           AddTree(std::move(node->As<ProgramStatement>().statement), &code_.statements_));
      return;
  }
}

void ProgramCompiler::AddBlock(ProgramBlock* block) {
  const auto scope = static_cast<uint32_t>(code_.scopes_.size());
  ProgramCodeScope& added = code_.scopes_.emplace_back();
  added.parent = scope_;
  added.cursors = std::move(block->cursors);
  const uint32_t outer = std::exchange(scope_, scope);
  for (ProgramBlock::Variable& variable : block->variables) {
    const uint32_t set = Emit(Op::kSet, AddExpression(std::move(variable.initial)), variable.slot);
    code_.instructions_[set].declares = true;
  }
  AddHandlers(block, scope);
  labels_.push_back({block->id, scope, Here(), {}});
  AddNodes(&block->body);
  CloseLabel();
  code_.scopes_[scope].end = Emit(Op::kLeave, scope);
  scope_ = outer;
}

void ProgramCompiler::AddHandlers(ProgramBlock* block, uint32_t scope) {
  if (block->handlers.empty()) {
    return;
  }
  const uint32_t over = Emit(Op::kJump, scope);
  for (ProgramHandler& handler : block->handlers) {
    code_.scopes_[scope].handlers.push_back(
        {handler.action == ProgramHandler::Action::kExit, std::move(handler.conditions), Here()});
    scope_ = static_cast<uint32_t>(code_.scopes_.size());
    ProgramCodeScope& body = code_.scopes_.emplace_back();
    body.parent = scope;
    body.is_handler = true;
    AddNode(handler.body.get());
    Emit(Op::kEndHandler, kNoOperand);
  }
  scope_ = scope;
  Target(over);
}

void ProgramCompiler::AddIf(ProgramIf* node) {
  AddBranches(&node->branches, kNoOperand, true, &node->otherwise, {});
}

void ProgramCompiler::AddCase(ProgramCase* node) {
  uint32_t operand = kNoOperand;
  std::vector<uint32_t> conditions;
  if (node->operand != nullptr) {
    operand = static_cast<uint32_t>(code_.frame_size_++);
    conditions.push_back(Emit(Op::kSetOperand, AddExpression(std::move(node->operand)), operand));
  }
  AddBranches(&node->branches, operand, node->has_else, &node->otherwise, std::move(conditions));
}

void ProgramCompiler::AddBranches(std::vector<ProgramIf::Branch>* branches, uint32_t operand,
                                  bool has_else, ProgramNodes* otherwise,
                                  std::vector<uint32_t> conditions) {
  std::vector<uint32_t> ends;
  for (ProgramIf::Branch& branch : *branches) {
    ExprPtr condition = std::move(branch.condition);
    if (operand != kNoOperand) {
      auto equal = std::make_unique<Binary>();
      equal->op = BinaryOp::kEqual;
      auto slot = std::make_unique<Parameter>();
      slot->index = operand;
      equal->span = condition->span;
      slot->span = condition->span;
      equal->left = std::move(slot);
      equal->right = std::move(condition);
      condition = std::move(equal);
    }
    const uint32_t unless = Emit(Op::kJumpUnless, AddExpression(std::move(condition)));
    conditions.push_back(unless);
    AddNodes(&branch.body);
    ends.push_back(Emit(Op::kJump, scope_));
    Target(unless);
  }
  if (has_else) {
    AddNodes(otherwise);
  } else {
    Emit(Op::kCaseNotFound, kNoOperand);
  }
  for (const uint32_t end : ends) {
    Target(end);
  }
  for (const uint32_t condition : conditions) {
    Resume(condition);
  }
}

void ProgramCompiler::AddLoop(ProgramLoop* loop) {
  const uint32_t start = Here();
  labels_.push_back({loop->id, scope_, start, {}});
  std::vector<uint32_t> conditions;
  if (loop->while_condition != nullptr) {
    conditions.push_back(Emit(Op::kJumpUnless, AddExpression(std::move(loop->while_condition))));
    labels_.back().leaves.push_back(conditions.back());
  }
  AddNodes(&loop->body);
  if (loop->until_condition != nullptr) {
    conditions.push_back(
        Emit(Op::kJumpUnless, AddExpression(std::move(loop->until_condition)), start));
  } else {
    Emit(Op::kJump, scope_, start);
  }
  CloseLabel();
  for (const uint32_t condition : conditions) {
    Resume(condition);
  }
}

// The parser lets LEAVE and ITERATE name nothing outside of the handler that they stand in.
void ProgramCompiler::AddLeave(const ProgramLeave& leave) {
  for (size_t i = labels_.size(); i-- > 0;) {
    Label& label = labels_[i];
    if (label.id != leave.target) {
      continue;
    }
    const uint32_t jump = Emit(Op::kJump, label.scope, label.start);
    if (!leave.iterate) {
      label.leaves.push_back(jump);
    }
    return;
  }
  INVARIANT(false);
}

void ProgramCompiler::CloseLabel() {
  for (const uint32_t leave : labels_.back().leaves) {
    Target(leave);
  }
  labels_.pop_back();
}

}  // namespace borealis::sql
