// SIGNAL, RESIGNAL and GET DIAGNOSTICS, in stored programs and outside of them.
#include <algorithm>
#include <array>

#include "base/mysql_error.h"
#include "sql/parser/parser_internal.h"

namespace borealis::sql {
namespace {

constexpr std::array<std::string_view, 12> kConditionItems = {
    "CLASS_ORIGIN",    "SUBCLASS_ORIGIN", "CONSTRAINT_CATALOG", "CONSTRAINT_SCHEMA",
    "CONSTRAINT_NAME", "CATALOG_NAME",    "SCHEMA_NAME",        "TABLE_NAME",
    "COLUMN_NAME",     "CURSOR_NAME",     "MESSAGE_TEXT",       "MYSQL_ERRNO"};

bool IsConditionItem(std::string_view name) {
  return std::find(kConditionItems.begin(), kConditionItems.end(), name) != kConditionItems.end();
}

}  // namespace

// A literal, a variable or a column of the row; no expression.
Result<ExprPtr> Parser::ParseDiagnosticsValue() {
  const Token first = Cur();
  const Token second = Ahead(1);
  ASSIGN_OR_RETURN(ExprPtr value, ParsePrimary());
  switch (value->kind) {
    case ExprKind::kLiteral:
    case ExprKind::kUserVariable:
    case ExprKind::kSystemVariable:
    case ExprKind::kParameter:
    case ExprKind::kColumnRef:
      return value;
    default:
      return ErrorAt(Is(second, Op::kLeftParen) ? second : first);
  }
}

// The state that a condition's name stands for in the program.
Status Parser::ResolveCondition(SignalStmt* stmt) {
  const ProgramCondition* found = program_ ? program_->FindCondition(stmt->condition) : nullptr;
  if (found == nullptr) {
    return UserError(ER_SP_COND_MISMATCH, stmt->condition);
  }
  if (found->kind != ProgramCondition::Kind::kSqlState) {
    return UserError(ER_SIGNAL_BAD_CONDITION_TYPE);
  }
  stmt->sqlstate = found->sqlstate;
  return Status::Ok();
}

// SIGNAL SQLSTATE [VALUE] 'x' | condition [SET name = value, …]
Result<StmtPtr> Parser::ParseSignal(bool resignal) {
  Next();
  auto stmt = std::make_unique<SignalStmt>();
  stmt->resignal = resignal;
  if (Accept(Kw::kSqlstate)) {
    Accept(Kw::kValue);
    RETURN_IF_ERROR(ParseSqlState(&stmt->sqlstate));
  } else if (!resignal || AtIdent()) {
    ASSIGN_OR_RETURN(stmt->condition, Ident());
    RETURN_IF_ERROR(ResolveCondition(stmt.get()));
  }
  if (!Accept(Kw::kSet)) {
    return StmtPtr(std::move(stmt));
  }
  do {
    SignalStmt::Item item;
    item.name = UpperText(Cur());
    if (!IsConditionItem(item.name)) {
      return Error();
    }
    Next();
    RETURN_IF_ERROR(Expect(Op::kEqual));
    ASSIGN_OR_RETURN(item.value, ParseDiagnosticsValue());
    for (const SignalStmt::Item& other : stmt->items) {
      if (other.name == item.name) {
        return UserError(ER_DUP_SIGNAL_SET, item.name);
      }
    }
    stmt->items.push_back(std::move(item));
  } while (Accept(Op::kComma));
  return StmtPtr(std::move(stmt));
}

// GET [CURRENT | STACKED] DIAGNOSTICS [CONDITION n] target = NAME, …
Result<StmtPtr> Parser::ParseGetDiagnostics() {
  Next();
  auto stmt = std::make_unique<GetDiagnosticsStmt>();
  stmt->stacked = Accept(Kw::kStacked);
  if (!stmt->stacked) {
    Accept(Kw::kCurrent);
  }
  RETURN_IF_ERROR(Expect(Kw::kDiagnostics));
  if (Accept(Kw::kCondition)) {
    ASSIGN_OR_RETURN(stmt->condition, ParseDiagnosticsValue());
  }
  do {
    RETURN_IF_ERROR(ParseDiagnosticsTarget(&stmt->items.emplace_back()));
    RETURN_IF_ERROR(Expect(Op::kEqual));
    const std::string name = UpperText(Cur());
    const bool known = stmt->condition ? IsConditionItem(name) || name == "RETURNED_SQLSTATE"
                                       : name == "NUMBER" || name == "ROW_COUNT";
    if (!known) {
      return Error();
    }
    Next();
    stmt->items.back().name = name;
  } while (Accept(Op::kComma));
  return StmtPtr(std::move(stmt));
}

Status Parser::ParseDiagnosticsTarget(GetDiagnosticsStmt::Item* item) {
  if (At(TokenKind::kUserVariable)) {
    item->variable = UserVariableName(text_, Cur(), StringEscapes());
    Next();
    return Status::Ok();
  }
  ASSIGN_OR_RETURN(item->variable, Ident());
  ASSIGN_OR_RETURN(item->slot, VariableSlot(item->variable));
  return Status::Ok();
}

}  // namespace borealis::sql
