// INSERT, REPLACE, UPDATE, DELETE, LOAD DATA, DO, CALL, HANDLER.
#include "sql/parser/parser_internal.h"

namespace borealis::sql {

// WITH … before SELECT, UPDATE or DELETE. The clause is looked past to see which it is.
Result<StmtPtr> Parser::ParseWithStatement() {
  size_t i = pos_ + 1;
  while (i < tokens_.size() && tokens_[i].kind != TokenKind::kEnd) {
    if (Is(tokens_[i], Op::kLeftParen)) {
      i = tokens_[i].match;
    } else if (Is(tokens_[i], Kw::kSelect) || Is(tokens_[i], Kw::kUpdate) ||
               Is(tokens_[i], Kw::kDelete)) {
      break;
    }
    ++i;
  }
  const bool update = i < tokens_.size() && Is(tokens_[i], Kw::kUpdate);
  const bool remove = i < tokens_.size() && Is(tokens_[i], Kw::kDelete);
  if (!update && !remove) {
    return ParseSelectStatement();
  }
  std::unique_ptr<WithClause> with;
  RETURN_IF_ERROR(ParseWith(&with));
  if (At(Kw::kUpdate)) {
    return ParseUpdate(std::move(with));
  }
  if (At(Kw::kDelete)) {
    return ParseDelete(std::move(with));
  }
  return Error();
}

Result<StmtPtr> Parser::ParseInsert(bool replace) {
  Next();
  auto stmt = std::make_unique<InsertStmt>();
  stmt->replace = replace;
  RETURN_IF_ERROR(ParseHints(&stmt->hints));
  if (Accept(Kw::kLowPriority)) {
    stmt->priority = WritePriority::kLow;
  } else if (Accept(Kw::kDelayed)) {
    stmt->priority = WritePriority::kDelayed;
  } else if (!replace && Accept(Kw::kHighPriority)) {
    stmt->priority = WritePriority::kHigh;
  }
  if (!replace) {
    stmt->ignore = Accept(Kw::kIgnore);
  }
  Accept(Kw::kInto);
  RETURN_IF_ERROR(TableName(&stmt->table));
  if (program_) {
    program_->NoteTable(stmt->table, std::nullopt);
    program_->NoteChanged(program_->table_count() - 1, "");
  }
  RETURN_IF_ERROR(ParsePartitionNames(&stmt->partitions));
  RETURN_IF_ERROR(ParseInsertSource(stmt.get()));
  if (!replace) {
    RETURN_IF_ERROR(ParseOnDuplicate(stmt.get()));
  }
  return StmtPtr(std::move(stmt));
}

Status Parser::ParseInsertSource(InsertStmt* stmt) {
  if (Accept(Kw::kSet)) {
    RETURN_IF_ERROR(ParseInsertSet(stmt));
    return ParseRowAlias(stmt);
  }
  if (At(Op::kLeftParen) && !ParenHoldsQuery(pos_)) {
    RETURN_IF_ERROR(ParseInsertColumns(stmt));
  }
  const bool row_constructors = At(Kw::kValues) && Is(Ahead(1), Kw::kRow);
  if ((At(Kw::kValues) && !row_constructors) || At(Kw::kValue)) {
    Next();
    do {
      RETURN_IF_ERROR(ParseValueRow(&stmt->rows));
    } while (Accept(Op::kComma));
    return ParseRowAlias(stmt);
  }
  if (!AtQuery()) {
    return Error();
  }
  ASSIGN_OR_RETURN(stmt->query, ParseQuery());
  return stmt->replace ? Status::Ok() : ParseRowAlias(stmt);
}

Status Parser::ParseInsertColumns(InsertStmt* stmt) {
  Next();
  stmt->has_columns = true;
  if (Accept(Op::kRightParen)) {
    return Status::Ok();
  }
  do {
    ASSIGN_OR_RETURN(std::unique_ptr<ColumnRef> column, ParseSimpleColumn());
    stmt->columns.push_back(std::move(column));
  } while (Accept(Op::kComma));
  return Expect(Op::kRightParen);
}

Status Parser::ParseInsertSet(InsertStmt* stmt) {
  stmt->set_form = true;
  stmt->has_columns = true;
  do {
    ASSIGN_OR_RETURN(std::unique_ptr<ColumnRef> column, ParseSimpleColumn());
    if (!Accept(Op::kEqual)) {
      RETURN_IF_ERROR(Expect(Op::kAssign));
    }
    RETURN_IF_ERROR(ParseRowValue(&stmt->rows));
    stmt->columns.push_back(std::move(column));
  } while (Accept(Op::kComma));
  stmt->rows.EndRow();
  return Status::Ok();
}

// AS new(a, b)
Status Parser::ParseRowAlias(InsertStmt* stmt) {
  if (stmt->replace || !Accept(Kw::kAs)) {
    return Status::Ok();
  }
  ASSIGN_OR_RETURN(stmt->row_alias, Ident());
  return At(Op::kLeftParen) ? IdentList(&stmt->column_aliases) : Status::Ok();
}

Status Parser::ParseOnDuplicate(InsertStmt* stmt) {
  if (!Accept(Kw::kOn)) {
    return Status::Ok();
  }
  RETURN_IF_ERROR(Expect(Kw::kDuplicate, Kw::kKey));
  RETURN_IF_ERROR(Expect(Kw::kUpdate));
  in_on_duplicate_ = true;
  RETURN_IF_ERROR(ParseAssignments(&stmt->on_duplicate));
  in_on_duplicate_ = false;
  return Status::Ok();
}

Status Parser::ParseAssignments(std::vector<AssignmentPtr>* out) {
  do {
    auto assignment = std::make_unique<Assignment>();
    ASSIGN_OR_RETURN(std::unique_ptr<ColumnRef> column, ParseSimpleColumn());
    assignment->column.span = column->span;
    assignment->column.schema = std::move(column->schema);
    assignment->column.table = std::move(column->table);
    assignment->column.column = std::move(column->column);
    if (!Accept(Op::kEqual)) {
      RETURN_IF_ERROR(Expect(Op::kAssign));
    }
    ASSIGN_OR_RETURN(assignment->value, ParseValueOrDefault());
    out->push_back(std::move(assignment));
  } while (Accept(Op::kComma));
  return Status::Ok();
}

// [WHERE …] [ORDER BY …] [LIMIT n]
Status Parser::ParseSingleTableTail(ExprPtr* where, std::vector<OrderItem>* order_by,
                                    std::optional<LimitClause>* limit) {
  if (Accept(Kw::kWhere)) {
    ASSIGN_OR_RETURN(*where, ParseExpr());
  }
  if (Accept(Kw::kOrder)) {
    RETURN_IF_ERROR(Expect(Kw::kBy));
    RETURN_IF_ERROR(ParseOrderList(order_by));
  }
  if (Accept(Kw::kLimit)) {
    ASSIGN_OR_RETURN(limit->emplace().count, ParseLimitValue());
  }
  return Status::Ok();
}

Result<StmtPtr> Parser::ParseUpdate(std::unique_ptr<WithClause> with) {
  Next();
  auto stmt = std::make_unique<UpdateStmt>();
  stmt->with = std::move(with);
  RETURN_IF_ERROR(ParseHints(&stmt->hints));
  stmt->low_priority = Accept(Kw::kLowPriority);
  stmt->ignore = Accept(Kw::kIgnore);
  const size_t first_table = program_ ? program_->table_count() : 0;
  RETURN_IF_ERROR(ParseTableReferences(&stmt->tables));
  if (program_) {
    program_->NoteChanged(first_table, "");
  }
  stmt->multi = stmt->tables.size() > 1 || !stmt->tables[0]->Is<TableRefName>();
  RETURN_IF_ERROR(Expect(Kw::kSet));
  RETURN_IF_ERROR(ParseAssignments(&stmt->assignments));
  RETURN_IF_ERROR(ParseSingleTableTail(&stmt->where, &stmt->order_by, &stmt->limit));
  return StmtPtr(std::move(stmt));
}

// t, s.t, t.*: the tables of a multi-table DELETE.
Status Parser::ParseDeleteTargets(DeleteStmt* stmt) {
  do {
    QualifiedName& target = stmt->targets.emplace_back();
    const uint32_t begin = Begin();
    ASSIGN_OR_RETURN(target.name, Ident());
    while (Accept(Op::kDot)) {
      if (Accept(Op::kStar)) {
        break;
      }
      if (!target.schema.empty()) {
        return Error();
      }
      target.schema = std::move(target.name);
      ASSIGN_OR_RETURN(target.name, DottedIdent());
    }
    target.span = SpanFrom(begin);
  } while (Accept(Op::kComma));
  return Status::Ok();
}

// The tables of a multi-table DELETE that lose rows.
void Parser::NoteDeleteTargets(size_t first_table, const DeleteStmt& stmt) {
  for (const QualifiedName& target : stmt.targets) {
    program_->NoteChanged(first_table, target.name);
  }
}

Result<StmtPtr> Parser::ParseDelete(std::unique_ptr<WithClause> with) {
  const size_t first_table = program_ ? program_->table_count() : 0;
  Next();
  auto stmt = std::make_unique<DeleteStmt>();
  stmt->with = std::move(with);
  RETURN_IF_ERROR(ParseHints(&stmt->hints));
  while (true) {
    if (Accept(Kw::kLowPriority)) {
      stmt->low_priority = true;
    } else if (At(Kw::kQuick)) {
      Next();
      stmt->quick = true;
    } else if (Accept(Kw::kIgnore)) {
      stmt->ignore = true;
    } else {
      break;
    }
  }
  if (!Accept(Kw::kFrom)) {  // DELETE t1, t2 FROM …
    RETURN_IF_ERROR(ParseDeleteTargets(stmt.get()));
    RETURN_IF_ERROR(Expect(Kw::kFrom));
    RETURN_IF_ERROR(ParseTableReferences(&stmt->tables));
  } else {
    // DELETE FROM t1, t2 USING … has USING, a comma or a star before anything else.
    size_t i = pos_;
    while (tokens_[i].kind == TokenKind::kIdent || tokens_[i].kind == TokenKind::kQuotedIdent ||
           Is(tokens_[i], Op::kDot)) {
      if (tokens_[i].kind == TokenKind::kIdent && IsReserved(tokens_[i].keyword)) {
        break;
      }
      ++i;
    }
    if (Is(tokens_[i], Kw::kUsing) || Is(tokens_[i], Op::kComma) || Is(tokens_[i], Op::kStar)) {
      RETURN_IF_ERROR(ParseDeleteTargets(stmt.get()));
      RETURN_IF_ERROR(Expect(Kw::kUsing));
      RETURN_IF_ERROR(ParseTableReferences(&stmt->tables));
    } else {
      const uint32_t begin = Begin();
      auto table = std::make_unique<TableRefName>();
      RETURN_IF_ERROR(TableName(&table->table));
      RETURN_IF_ERROR(ParseAlias(&table->alias, false));
      RETURN_IF_ERROR(ParsePartitionNames(&table->partitions));
      table->span = SpanFrom(begin);
      if (program_) {
        program_->NoteTable(table->table, table->alias);
        program_->NoteChanged(first_table, "");
      }
      stmt->tables.push_back(std::move(table));
      RETURN_IF_ERROR(ParseSingleTableTail(&stmt->where, &stmt->order_by, &stmt->limit));
      return StmtPtr(std::move(stmt));
    }
  }
  if (program_) {
    NoteDeleteTargets(first_table, *stmt);
  }
  if (Accept(Kw::kWhere)) {
    ASSIGN_OR_RETURN(stmt->where, ParseExpr());
  }
  return StmtPtr(std::move(stmt));
}

Result<StmtPtr> Parser::ParseLoad() {
  Next();
  auto stmt = std::make_unique<LoadDataStmt>();
  stmt->xml = Accept(Kw::kXml);
  if (!stmt->xml) {
    RETURN_IF_ERROR(Expect(Kw::kData));
  }
  if (Accept(Kw::kLowPriority)) {
    stmt->priority = WritePriority::kLow;
  } else {
    stmt->concurrent = Accept(Kw::kConcurrent);
  }
  stmt->local = Accept(Kw::kLocal);
  RETURN_IF_ERROR(Expect(Kw::kInfile));
  ASSIGN_OR_RETURN(stmt->file, StringText());
  if (Accept(Kw::kReplace)) {
    stmt->replace = true;
  } else {
    stmt->ignore = Accept(Kw::kIgnore);
  }
  RETURN_IF_ERROR(Expect(Kw::kInto, Kw::kTable));
  RETURN_IF_ERROR(TableName(&stmt->table));
  RETURN_IF_ERROR(ParsePartitionNames(&stmt->partitions));
  RETURN_IF_ERROR(ParseLoadTail(stmt.get()));
  return StmtPtr(std::move(stmt));
}

Status Parser::ParseLoadTail(LoadDataStmt* stmt) {
  if (stmt->xml) {
    if (AcceptCharsetKeyword()) {
      ASSIGN_OR_RETURN(stmt->format.charset, CharsetName());
    }
    if (Accept(Kw::kRows)) {
      RETURN_IF_ERROR(Expect(Kw::kIdentified, Kw::kBy));
      ASSIGN_OR_RETURN(stmt->rows_identified_by, StringText());
    }
  } else {
    RETURN_IF_ERROR(ParseFileFormat(&stmt->format));
  }
  if (Accept(Kw::kIgnore)) {
    ASSIGN_OR_RETURN(stmt->ignore_lines, UnsignedNumber());
    if (!Accept(Kw::kLines)) {
      RETURN_IF_ERROR(Expect(Kw::kRows));
    }
  }
  if (Accept(Op::kLeftParen)) {
    if (!At(Op::kRightParen)) {
      do {
        if (At(TokenKind::kUserVariable)) {
          ASSIGN_OR_RETURN(ExprPtr variable, ParseUserVariable());
          if (!variable->Is<UserVariable>()) {
            return Error();
          }
          stmt->columns.push_back(std::move(variable));
        } else {
          ASSIGN_OR_RETURN(std::unique_ptr<ColumnRef> column, ParseSimpleColumn());
          stmt->columns.push_back(std::move(column));
        }
      } while (Accept(Op::kComma));
    }
    RETURN_IF_ERROR(Expect(Op::kRightParen));
  }
  return Accept(Kw::kSet) ? ParseAssignments(&stmt->assignments) : Status::Ok();
}

Result<StmtPtr> Parser::ParseDo() {
  Next();
  auto items = std::make_unique<SelectCore>();
  RETURN_IF_ERROR(ParseSelectItems(items.get()));
  auto stmt = std::make_unique<DoStmt>();
  stmt->select.query = std::make_unique<Query>();
  stmt->select.query->body = std::move(items);
  return StmtPtr(std::move(stmt));
}

Result<StmtPtr> Parser::ParseCallStatement() {
  Next();
  auto stmt = std::make_unique<CallStmt>();
  RETURN_IF_ERROR(TableName(&stmt->procedure));
  if (At(Op::kLeftParen)) {
    RETURN_IF_ERROR(ParseParenExprList(&stmt->args));
  }
  return StmtPtr(std::move(stmt));
}

Result<StmtPtr> Parser::ParseHandler() {
  Next();
  auto stmt = std::make_unique<HandlerStmt>();
  RETURN_IF_ERROR(TableName(&stmt->table));
  if (Accept(Kw::kOpen)) {
    std::optional<std::string> alias;
    RETURN_IF_ERROR(ParseAlias(&alias, false));
    stmt->alias = alias.value_or("");
  } else if (Accept(Kw::kClose)) {
    stmt->action = HandlerStmt::Action::kClose;
  } else {
    RETURN_IF_ERROR(Expect(Kw::kRead));
    stmt->action = HandlerStmt::Action::kRead;
    RETURN_IF_ERROR(ParseHandlerRead(stmt.get()));
  }
  return StmtPtr(std::move(stmt));
}

Status Parser::ParseHandlerRead(HandlerStmt* stmt) {
  const bool scan = (At(Kw::kFirst) || At(Kw::kNext)) && !Is(Ahead(1), Kw::kFirst) &&
                    !Is(Ahead(1), Kw::kNext) && !Is(Ahead(1), Kw::kPrev) &&
                    !Is(Ahead(1), Kw::kLast) && Ahead(1).kind != TokenKind::kOperator;
  if (!scan) {
    ASSIGN_OR_RETURN(stmt->index,
                     Accept(Kw::kPrimary) ? Result<std::string>(std::string("PRIMARY")) : Ident());
  }
  if (At(TokenKind::kOperator)) {
    if (!At(Op::kEqual) && !At(Op::kLess) && !At(Op::kLessEqual) && !At(Op::kGreater) &&
        !At(Op::kGreaterEqual)) {
      return Error();
    }
    stmt->read_operation = std::string(TextOf(Cur()));
    Next();
    RETURN_IF_ERROR(ParseValueList(&stmt->key));
  } else {
    const std::string word = UpperText(Cur());
    if (!AcceptAny({Kw::kFirst, Kw::kNext, Kw::kPrev, Kw::kLast})) {
      return Error();
    }
    for (char c : word) {
      stmt->read_operation.push_back(static_cast<char>(c + 32));
    }
  }
  if (Accept(Kw::kWhere)) {
    ASSIGN_OR_RETURN(stmt->where, ParseExpr());
  }
  return Accept(Kw::kLimit) ? ParseLimit(&stmt->limit.emplace()) : Status::Ok();
}

}  // namespace borealis::sql
