// The SQL statements of a stored program's body: which of them a trigger may hold, SET of what a
// program has, and names that are variables or columns of the row.
//
// Of what is not allowed MySQL refuses some where it stands and the rest when the body is complete;
// in which order is CheckOffences.
#include "base/mysql_error.h"
#include "sql/parser/parser_internal.h"

namespace borealis::sql {
namespace {

using Offence = ProgramNames::Offence;

// Statements that commit, outside of which a transaction cannot go on.
bool Commits(const Stmt& statement) {
  switch (statement.kind) {
    case StmtKind::kCreateTable:
      return !statement.As<CreateTableStmt>().temporary;
    case StmtKind::kDropTable:
      return !statement.As<DropTableStmt>().temporary;
    case StmtKind::kRollback:
      return statement.As<RollbackStmt>().savepoint.empty();
    case StmtKind::kCreateDatabase:
    case StmtKind::kAlterDatabase:
    case StmtKind::kDropDatabase:
    case StmtKind::kAlterTable:
    case StmtKind::kTruncate:
    case StmtKind::kRenameTable:
    case StmtKind::kCreateIndex:
    case StmtKind::kDropIndex:
    case StmtKind::kCreateView:
    case StmtKind::kDropView:
    case StmtKind::kDropProgram:
    case StmtKind::kDropTrigger:
    case StmtKind::kStartTransaction:
    case StmtKind::kCommit:
    case StmtKind::kCreateUser:
    case StmtKind::kAlterUser:
    case StmtKind::kDropUser:
    case StmtKind::kRenameUser:
    case StmtKind::kCreateRole:
    case StmtKind::kDropRole:
    case StmtKind::kGrant:
    case StmtKind::kRevoke:
      return true;
    default:
      return false;
  }
}

bool ReturnsRows(const Stmt& statement) {
  switch (statement.kind) {
    case StmtKind::kSelect:
      return !statement.As<SelectStmt>().query->into;
    case StmtKind::kShow:
    case StmtKind::kDescribe:
    case StmtKind::kExplain:
    case StmtKind::kExplainConnection:
    case StmtKind::kTableMaintenance:
      return true;
    default:
      return false;
  }
}

// Empty: may stand in a stored program.
std::string RefusedName(const Stmt& statement) {
  switch (statement.kind) {
    case StmtKind::kLoadData:
      return statement.As<LoadDataStmt>().xml ? "LOAD XML" : "LOAD DATA";
    case StmtKind::kHandler:
    case StmtKind::kHelp:
    case StmtKind::kUse:
      return StmtKindName(statement.kind);
    case StmtKind::kLockTables:
      return "LOCK";
    case StmtKind::kUnlockTables:
      return "UNLOCK";
    case StmtKind::kTableMaintenance:
      return statement.As<TableMaintenanceStmt>().verb == TableMaintenanceStmt::Verb::kCheck
                 ? "CHECK"
                 : "";
    case StmtKind::kCreateView:
      return statement.As<CreateViewStmt>().alter ? "ALTER VIEW" : "";
    default:
      return "";
  }
}

bool SetsAutocommit(const SetItem& item) {
  return item.kind == SetItem::Kind::kPassword || (item.kind == SetItem::Kind::kSystemVariable &&
                                                   ProgramNames::SameName(item.name, "autocommit"));
}

}  // namespace

Status Parser::NoteOffences(const Stmt& statement) {
  const std::string refused = RefusedName(statement);
  if (!refused.empty()) {
    return UserError(ER_SP_BADSTATEMENT, refused);
  }
  if (const auto* drop = statement.TryAs<DropProgramStmt>()) {
    if (drop->program != ProgramKind::kEvent) {
      return UserError(ER_SP_NO_DROP_SP,
                       drop->program == ProgramKind::kFunction ? "FUNCTION" : "PROCEDURE");
    }
  }
  if (Commits(statement)) {
    program_->Note(Offence::kCommit);
  } else if (ReturnsRows(statement)) {
    program_->Note(Offence::kResultSet);
  } else if (const auto* set = statement.TryAs<SetStmt>()) {
    for (const SetItem& item : set->items) {
      if (SetsAutocommit(item)) {
        program_->Note(Offence::kAutocommit);
      }
    }
  }
  switch (statement.kind) {
    case StmtKind::kPrepare:
    case StmtKind::kExecute:
    case StmtKind::kDeallocate:
      program_->Note(Offence::kDynamicSql);
      break;
    case StmtKind::kFlush:
      program_->Note(Offence::kFlush);
      break;
    case StmtKind::kReset:
      program_->Note(Offence::kReset);
      break;
    default:
      break;
  }
  return Status::Ok();
}

Status Parser::CheckOffences() const {
  if (program_->Has(Offence::kDynamicSql)) {
    return UserError(ER_STMT_NOT_ALLOWED_IN_SF_OR_TRG, "Dynamic SQL");
  }
  if (program_->Has(Offence::kResultSet)) {
    return UserError(ER_SP_NO_RETSET, "trigger");
  }
  if (program_->Has(Offence::kAutocommit)) {
    return UserError(ER_SP_CANT_SET_AUTOCOMMIT);
  }
  if (program_->Has(Offence::kCommit)) {
    return UserError(ER_COMMIT_NOT_ALLOWED_IN_SF_OR_TRG);
  }
  if (program_->Has(Offence::kReset)) {
    return UserError(ER_STMT_NOT_ALLOWED_IN_SF_OR_TRG, "RESET");
  }
  if (program_->Has(Offence::kFlush)) {
    return UserError(ER_STMT_NOT_ALLOWED_IN_SF_OR_TRG, "FLUSH");
  }
  return Status::Ok();
}

Status Parser::AddStatement(StmtPtr statement, uint32_t begin, ProgramNodes* out) {
  statement->span = SpanFrom(begin);
  RETURN_IF_ERROR(NoteOffences(*statement));
  auto node = std::make_unique<ProgramStatement>();
  node->span = statement->span;
  node->statement = std::move(statement);
  out->push_back(std::move(node));
  return Status::Ok();
}

Status Parser::ParseEmbeddedStatement(ProgramNodes* out) {
  const uint32_t begin = Begin();
  const size_t first = pos_;
  Result<StmtPtr> statement = ParseStatement();
  if (!statement.ok() && pos_ == first && AtIdent() && !At(Kw::kEnd) &&
      statement.status().user_errno() == ER_PARSE_ERROR) {
    return ErrorAt(Ahead(1));  // what begins no statement might be a label
  }
  RETURN_IF_ERROR(statement.status());
  return AddStatement(std::move(statement).value(), begin, out);
}

// ---- names

std::optional<ProgramSlot::Origin> Parser::RowNamed(std::string_view name) const {
  if (ProgramNames::SameName(name, "NEW")) {
    return ProgramSlot::Origin::kNew;
  }
  if (ProgramNames::SameName(name, "OLD")) {
    return ProgramSlot::Origin::kOld;
  }
  return std::nullopt;
}

// An INSERT has no OLD row and a DELETE no NEW one.
Status Parser::CheckRow(ProgramSlot::Origin row) const {
  const bool is_new = row == ProgramSlot::Origin::kNew;
  if (program_->event() == (is_new ? TriggerEvent::kDelete : TriggerEvent::kInsert)) {
    return UserError(ER_TRG_NO_SUCH_ROW_IN_TRG, is_new ? "NEW" : "OLD",
                     is_new ? "on DELETE" : "on INSERT");
  }
  return Status::Ok();
}

ExprPtr Parser::SlotValue(uint32_t slot, Span span) {
  auto node = std::make_unique<Parameter>();
  node->index = slot;
  node->span = span;
  return node;
}

// The value that a name stands for in a program; null when it is a column of some table.
Result<ExprPtr> Parser::ResolveInProgram(const ColumnRef& name) {
  if (!name.schema.empty()) {
    return ExprPtr();
  }
  if (name.table.empty()) {
    const std::optional<uint32_t> slot = program_->FindVariable(name.column);
    return slot ? SlotValue(*slot, name.span) : ExprPtr();
  }
  const std::optional<ProgramSlot::Origin> row = RowNamed(name.table);
  if (!row) {
    return ExprPtr();
  }
  RETURN_IF_ERROR(CheckRow(*row));
  return SlotValue(program_->SlotOfColumn(*row, name.column, name.span), name.span);
}

Result<uint32_t> Parser::VariableSlot(const std::string& name) const {
  const std::optional<uint32_t> slot =
      program_ ? program_->FindVariable(name) : std::optional<uint32_t>();
  if (!slot) {
    return UserError(ER_SP_UNDECLARED_VAR, name);
  }
  return *slot;
}

// ---- SET

// At a name that SET assigns to in the frame, not to a system variable.
bool Parser::AtSlotTarget() const {
  const auto assigned = [this](size_t n) {
    return Is(Ahead(n), Op::kEqual) || Is(Ahead(n), Op::kAssign);
  };
  if (!AtIdent()) {
    return false;
  }
  const std::string name = IdentifierValue(text_, Cur());
  return assigned(1) ? program_->FindVariable(name).has_value()
                     : Is(Ahead(1), Op::kDot) && assigned(3) && RowNamed(name).has_value();
}

// NEW.column: what a trigger before the change may set.
Result<uint32_t> Parser::ParseRowTarget() {
  const uint32_t begin = Begin();
  ASSIGN_OR_RETURN(const std::string row_name, Ident());
  const ProgramSlot::Origin row = *RowNamed(row_name);
  Next();
  ASSIGN_OR_RETURN(const std::string column, DottedIdent());
  if (row == ProgramSlot::Origin::kOld) {
    return UserError(ER_TRG_CANT_CHANGE_ROW, "OLD", "");
  }
  RETURN_IF_ERROR(CheckRow(row));
  if (program_->timing() == TriggerTiming::kAfter) {
    return UserError(ER_TRG_CANT_CHANGE_ROW, "NEW", "after ");
  }
  const uint32_t slot = program_->SlotOfColumn(row, column, SpanFrom(begin));
  program_->slot(slot).is_set_target = true;
  return slot;
}

// SET GLOBAL v and SET @@NEW.c mean no system variable.
Status Parser::CheckNoSlotMeant() const {
  const Token& second = Ahead(1);
  if (!IsIdent(second)) {
    return Status::Ok();
  }
  const std::string name = IdentifierValue(text_, second);
  const bool row = At(TokenKind::kSystemVariableMark) && Is(Ahead(2), Op::kDot) && RowNamed(name);
  const bool scoped = At(Kw::kGlobal) || At(Kw::kSession) || At(Kw::kLocal) || At(Kw::kPersist) ||
                      At(Kw::kPersistOnly);
  const bool variable = scoped && program_->FindVariable(name) &&
                        (Is(Ahead(2), Op::kEqual) || Is(Ahead(2), Op::kAssign));
  return row || variable ? ErrorAt(second) : Status::Ok();
}

Status Parser::ParseSlotAssignment(ProgramNodes* out) {
  const uint32_t begin = Begin();
  auto node = std::make_unique<ProgramSetSlot>();
  if (Is(Ahead(1), Op::kDot)) {
    ASSIGN_OR_RETURN(node->slot, ParseRowTarget());
  } else {
    ASSIGN_OR_RETURN(const std::string name, Ident());
    ASSIGN_OR_RETURN(node->slot, VariableSlot(name));
  }
  Next();
  if (At(Kw::kDefault) && !AtCall()) {
    return Error();
  }
  ASSIGN_OR_RETURN(node->value, ParseSetValue());
  node->span = SpanFrom(begin);
  out->push_back(std::move(node));
  return Status::Ok();
}

// SET a = 1, NEW.b = 2, @c = 3: assignments to the frame are nodes of their own, and what stands
// between them is a SET of the session's.
Status Parser::ParseProgramSet(ProgramNodes* out) {
  const Token& second = Ahead(1);
  if (Is(second, Kw::kRole) || Is(second, Kw::kDefault) || Is(second, Kw::kResource)) {
    return ParseEmbeddedStatement(out);
  }
  uint32_t begin = Begin();
  Next();
  VariableScope sticky = VariableScope::kDefault;
  std::unique_ptr<SetStmt> others;
  bool first = true;
  do {
    if (AtSlotTarget()) {
      if (others) {
        RETURN_IF_ERROR(AddStatement(std::move(others), begin, out));
      }
      RETURN_IF_ERROR(ParseSlotAssignment(out));
      begin = last_end_;
    } else {
      RETURN_IF_ERROR(CheckNoSlotMeant());
      if (!others) {
        others = std::make_unique<SetStmt>();
      }
      RETURN_IF_ERROR(ParseSetItem(&others->items.emplace_back(), &sticky, first));
    }
    first = false;
  } while (Accept(Op::kComma));
  return others ? AddStatement(std::move(others), begin, out) : Status::Ok();
}

}  // namespace borealis::sql
