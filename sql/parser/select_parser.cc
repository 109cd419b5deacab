// Query expressions: WITH, set operations, SELECT and its clauses, VALUES, TABLE.
#include "base/mysql_error.h"
#include "sql/parser/parser_internal.h"

namespace borealis::sql {

namespace {

bool StartsQuery(const Token& token, const Token& next) {
  if (token.kind != TokenKind::kIdent) {
    return false;
  }
  switch (token.keyword) {
    case Keyword::kSelect:
    case Keyword::kWith:
    case Keyword::kTable:
      return true;
    case Keyword::kValues:
      return next.kind == TokenKind::kIdent && next.keyword == Keyword::kRow;
    default:
      return false;
  }
}

// What may follow a parenthesised query inside the parentheses of a larger query.
bool ContinuesQuery(const Token& token) {
  if (token.kind == TokenKind::kOperator) {
    return token.op == Op::kRightParen;
  }
  if (token.kind != TokenKind::kIdent) {
    return false;
  }
  switch (token.keyword) {
    case Keyword::kUnion:
    case Keyword::kIntersect:
    case Keyword::kExcept:
    case Keyword::kOrder:
    case Keyword::kLimit:
    case Keyword::kFor:
    case Keyword::kLock:
    case Keyword::kInto:
      return true;
    default:
      return false;
  }
}

// What a program's variable must be to stand in LIMIT.
bool IsInteger(TypeKind kind) {
  return kind <= TypeKind::kBigInt || kind == TypeKind::kBit || kind == TypeKind::kYear;
}

}  // namespace

// "((((SELECT 1) UNION SELECT 2)))" holds a query, "((SELECT 1) + 1)" does not: every parenthesised
// query on the way in must be followed by something a query goes on with.
bool Parser::ParenHoldsQuery(size_t at) const {
  if (at >= tokens_.size() || !Is(tokens_[at], Op::kLeftParen)) {
    return false;
  }
  size_t inner = at + 1;
  while (inner + 1 < tokens_.size() && Is(tokens_[inner], Op::kLeftParen)) {
    const size_t close = tokens_[inner].match;
    if (close + 1 >= tokens_.size() || !ContinuesQuery(tokens_[close + 1])) {
      return false;
    }
    ++inner;
  }
  return inner + 1 < tokens_.size() && StartsQuery(tokens_[inner], tokens_[inner + 1]);
}

bool Parser::AtQuery() const {
  return StartsQuery(Cur(), Ahead(1)) || (At(Op::kLeftParen) && ParenHoldsQuery(pos_));
}

Result<QueryPtr> Parser::ParseSubquery() {
  RETURN_IF_ERROR(Expect(Op::kLeftParen));
  ASSIGN_OR_RETURN(QueryPtr query, ParseQuery());
  RETURN_IF_ERROR(Expect(Op::kRightParen));
  return query;
}

Result<QueryPtr> Parser::ParseQuery() {
  return ParseQueryWithInto(nullptr);
}

Result<QueryPtr> Parser::ParseTopQuery() {
  std::unique_ptr<IntoClause> into;
  ASSIGN_OR_RETURN(QueryPtr query, ParseQueryWithInto(&into));
  query->into = std::move(into);
  return query;
}

// `into` is null where the rows are not the statement's.
Result<QueryPtr> Parser::ParseQueryWithInto(std::unique_ptr<IntoClause>* into) {
  const NestingScope scope(this);
  if (!scope.ok()) {
    return TooDeep();
  }
  const uint32_t begin = Begin();
  auto query = std::make_unique<Query>();
  if (At(Kw::kWith)) {
    RETURN_IF_ERROR(ParseWith(&query->with));
  }
  ASSIGN_OR_RETURN(query->body, ParseSetOperations(into));
  RETURN_IF_ERROR(ParseQueryTail(query.get(), into));
  query->span = SpanFrom(begin);
  // (query) alone is the query.
  NestedQuery* nested = query->body->TryAs<NestedQuery>();
  if (nested != nullptr && !query->with && query->order_by.empty() && !query->limit &&
      query->locking.empty()) {
    QueryPtr inner = std::move(nested->query);
    return inner;
  }
  return query;
}

Status Parser::ParseWith(std::unique_ptr<WithClause>* with) {
  Next();
  auto clause = std::make_unique<WithClause>();
  clause->recursive = Accept(Kw::kRecursive);
  do {
    CommonTableExpr table;
    ASSIGN_OR_RETURN(table.name, Ident());
    if (At(Op::kLeftParen)) {
      RETURN_IF_ERROR(IdentList(&table.columns));
    }
    RETURN_IF_ERROR(Expect(Kw::kAs));
    ASSIGN_OR_RETURN(table.query, ParseSubquery());
    clause->tables.push_back(std::move(table));
  } while (Accept(Op::kComma));
  *with = std::move(clause);
  return Status::Ok();
}

Status Parser::ParseQueryTail(Query* query, std::unique_ptr<IntoClause>* into) {
  if (Accept(Kw::kOrder)) {
    RETURN_IF_ERROR(Expect(Kw::kBy));
    RETURN_IF_ERROR(ParseOrderList(&query->order_by));
  }
  if (Accept(Kw::kLimit)) {
    RETURN_IF_ERROR(ParseLimit(&query->limit.emplace()));
  }
  if (At(Kw::kProcedure)) {
    return Error();
  }
  if (At(Kw::kInto)) {
    RETURN_IF_ERROR(ParseInto(into));
    if (!AtEnd()) {
      Warn(UserError(ER_WARN_DEPRECATED_INNER_INTO));
    }
  }
  RETURN_IF_ERROR(ParseLocking(&query->locking));
  return At(Kw::kInto) ? ParseInto(into) : Status::Ok();
}

// Whether a set operation goes on here. Error 3954: INTO stands behind its last query only.
Result<bool> Parser::AtSetOperator(Kw a, Kw b, const std::unique_ptr<IntoClause>* into) const {
  if (!At(a) && !At(b)) {
    return false;
  }
  if (into != nullptr && *into != nullptr) {
    return UserError(ER_MISPLACED_INTO);
  }
  return true;
}

Result<QueryBodyPtr> Parser::ParseSetOperations(std::unique_ptr<IntoClause>* into) {
  const uint32_t begin = Begin();
  ASSIGN_OR_RETURN(QueryBodyPtr first, ParseIntersections(into));
  ASSIGN_OR_RETURN(bool more, AtSetOperator(Kw::kUnion, Kw::kExcept, into));
  if (!more) {
    return first;
  }
  auto node = std::make_unique<SetOperation>();
  node->first = std::move(first);
  while (more) {
    SetOperation::Arm arm;
    arm.op = At(Kw::kUnion) ? SetOperator::kUnion : SetOperator::kExcept;
    Next();
    arm.all = Accept(Kw::kAll);
    if (!arm.all) {
      Accept(Kw::kDistinct);
    }
    ASSIGN_OR_RETURN(arm.body, ParseIntersections(into));
    node->rest.push_back(std::move(arm));
    ASSIGN_OR_RETURN(more, AtSetOperator(Kw::kUnion, Kw::kExcept, into));
  }
  node->span = SpanFrom(begin);
  return QueryBodyPtr(std::move(node));
}

Result<QueryBodyPtr> Parser::ParseIntersections(std::unique_ptr<IntoClause>* into) {
  const uint32_t begin = Begin();
  ASSIGN_OR_RETURN(QueryBodyPtr first, ParseQueryPrimary(into));
  ASSIGN_OR_RETURN(bool more, AtSetOperator(Kw::kIntersect, Kw::kIntersect, into));
  if (!more) {
    return first;
  }
  auto node = std::make_unique<SetOperation>();
  node->first = std::move(first);
  while (more) {
    Next();
    SetOperation::Arm arm;
    arm.op = SetOperator::kIntersect;
    arm.all = Accept(Kw::kAll);
    if (!arm.all) {
      Accept(Kw::kDistinct);
    }
    ASSIGN_OR_RETURN(arm.body, ParseQueryPrimary(into));
    node->rest.push_back(std::move(arm));
    ASSIGN_OR_RETURN(more, AtSetOperator(Kw::kIntersect, Kw::kIntersect, into));
  }
  node->span = SpanFrom(begin);
  return QueryBodyPtr(std::move(node));
}

Result<QueryBodyPtr> Parser::ParseQueryPrimary(std::unique_ptr<IntoClause>* into) {
  const uint32_t begin = Begin();
  if (At(Op::kLeftParen)) {
    if (!ParenHoldsQuery(pos_)) {
      Next();
      return Error();
    }
    Next();
    ASSIGN_OR_RETURN(QueryPtr query, ParseQueryWithInto(into));
    RETURN_IF_ERROR(Expect(Op::kRightParen));
    // A parenthesised arm without clauses of its own is the arm.
    if (!query->with && query->order_by.empty() && !query->limit && query->locking.empty()) {
      return std::move(query->body);
    }
    auto node = std::make_unique<NestedQuery>();
    node->query = std::move(query);
    node->span = SpanFrom(begin);
    return QueryBodyPtr(std::move(node));
  }
  if (Accept(Kw::kTable)) {
    auto node = std::make_unique<TableCore>();
    RETURN_IF_ERROR(TableName(&node->table));
    node->span = SpanFrom(begin);
    if (program_) {
      program_->NoteTable(node->table, std::nullopt);
    }
    return QueryBodyPtr(std::move(node));
  }
  if (Accept(Kw::kValues)) {
    auto node = std::make_unique<ValuesCore>();
    RETURN_IF_ERROR(ParseValuesRows(node.get()));
    node->span = SpanFrom(begin);
    return QueryBodyPtr(std::move(node));
  }
  return ParseSelectCore(into);
}

Status Parser::ParseValuesRows(ValuesCore* core) {
  do {
    RETURN_IF_ERROR(Expect(Kw::kRow));
    RETURN_IF_ERROR(ParseValueList(&core->rows.emplace_back()));
  } while (Accept(Op::kComma));
  return Status::Ok();
}

Status Parser::ParseHints(std::vector<std::string>* hints) {
  while (At(TokenKind::kHint)) {
    hints->emplace_back(HintText(text_, Cur()));
    Next();
  }
  return Status::Ok();
}

Result<QueryBodyPtr> Parser::ParseSelectCore(std::unique_ptr<IntoClause>* into) {
  const uint32_t begin = Begin();
  RETURN_IF_ERROR(Expect(Kw::kSelect));
  auto core = std::make_unique<SelectCore>();
  RETURN_IF_ERROR(ParseHints(&core->hints));
  RETURN_IF_ERROR(ParseSelectOptions(core.get()));
  RETURN_IF_ERROR(ParseSelectItems(core.get()));
  if (At(Kw::kInto)) {
    RETURN_IF_ERROR(ParseInto(into));
  }
  if (Accept(Kw::kFrom)) {
    if (Accept(Kw::kDual)) {
      core->from_dual = true;
    } else {
      RETURN_IF_ERROR(ParseTableReferences(&core->from));
    }
  }
  RETURN_IF_ERROR(ParseSelectClauses(core.get()));
  core->span = SpanFrom(begin);
  return QueryBodyPtr(std::move(core));
}

Status Parser::ParseSelectOptions(SelectCore* core) {
  bool all = false;
  while (At(TokenKind::kIdent)) {
    switch (Cur().keyword) {
      case Kw::kAll:
        all = true;
        break;
      case Kw::kDistinct:
      case Kw::kDistinctrow:
        core->distinct = true;
        break;
      case Kw::kStraightJoin:
        core->straight_join = true;
        break;
      case Kw::kHighPriority:
        core->high_priority = true;
        break;
      case Kw::kSqlSmallResult:
        core->small_result = true;
        break;
      case Kw::kSqlBigResult:
        core->big_result = true;
        break;
      case Kw::kSqlBufferResult:
        core->buffer_result = true;
        break;
      case Kw::kSqlCalcFoundRows:
        core->calc_found_rows = true;
        WarnOfFoundRows(true);
        break;
      case Kw::kSqlNoCache:
        core->no_cache = true;
        break;
      default:
        return Status::Ok();
    }
    if (all && core->distinct) {
      return Error();
    }
    Next();
  }
  return Status::Ok();
}

Status Parser::ParseSelectItems(SelectCore* core) {
  // An unqualified * may only come first.
  if (At(Op::kStar)) {
    SelectItem item;
    item.wildcard = true;
    item.span = {Cur().begin, Cur().end};
    Next();
    core->items.push_back(std::move(item));
    if (!Accept(Op::kComma)) {
      return Status::Ok();
    }
  }
  do {
    RETURN_IF_ERROR(ParseSelectItem(&core->items.emplace_back()));
  } while (Accept(Op::kComma));
  return Status::Ok();
}

// table.* or schema.table.*; nothing is consumed otherwise.
bool Parser::ParseWildcard(SelectItem* item) {
  if (!AtIdent() || !Is(Ahead(1), Op::kDot)) {
    return false;
  }
  size_t star = 2;
  if (Is(Ahead(3), Op::kDot)) {
    star = 4;
  }
  if (!Is(Ahead(star), Op::kStar)) {
    return false;
  }
  item->wildcard = true;
  item->table = IdentifierValue(text_, Cur());
  if (star == 4) {
    item->schema = std::move(item->table);
    item->table = IdentifierValue(text_, Ahead(2));
  }
  for (size_t i = 0; i <= star; ++i) {
    Next();
  }
  return true;
}

Status Parser::ParseSelectItem(SelectItem* item) {
  const uint32_t begin = Begin();
  if (ParseWildcard(item)) {
    item->span = SpanFrom(begin);
    return Status::Ok();
  }
  ASSIGN_OR_RETURN(item->expr, ParseExpr());
  item->span = SpanFrom(begin);
  return ParseAlias(&item->alias, true);
}

// [AS] name; a string may name a column too.
Status Parser::ParseAlias(std::optional<std::string>* alias, bool string_allowed) {
  if (Accept(Kw::kAs)) {
    if (string_allowed && At(TokenKind::kString)) {
      ASSIGN_OR_RETURN(*alias, StringText());
    } else {
      ASSIGN_OR_RETURN(*alias, Ident());
    }
  } else if (AtIdent()) {
    ASSIGN_OR_RETURN(*alias, Ident());
  } else if (string_allowed && At(TokenKind::kString)) {
    ASSIGN_OR_RETURN(*alias, StringText());
  }
  return Status::Ok();
}

Status Parser::ParseSelectClauses(SelectCore* core) {
  if (Accept(Kw::kWhere)) {
    ASSIGN_OR_RETURN(core->where, ParseExpr());
  }
  if (Accept(Kw::kGroup)) {
    RETURN_IF_ERROR(Expect(Kw::kBy));
    do {
      OrderItem item;
      ASSIGN_OR_RETURN(item.expr, ParseExpr());
      core->group_by.push_back(std::move(item));
    } while (Accept(Op::kComma));
    if (Accept(Kw::kWith)) {
      RETURN_IF_ERROR(Expect(Kw::kRollup));
      core->rollup = true;
    }
  }
  if (Accept(Kw::kHaving)) {
    ASSIGN_OR_RETURN(core->having, ParseExpr());
  }
  if (Accept(Kw::kWindow)) {
    do {
      NamedWindow window;
      ASSIGN_OR_RETURN(window.name, Ident());
      RETURN_IF_ERROR(Expect(Kw::kAs));
      RETURN_IF_ERROR(ParseWindowSpec(&window.spec));
      core->windows.push_back(std::move(window));
    } while (Accept(Op::kComma));
  }
  return Status::Ok();
}

// A number, a parameter, or an identifier that a stored program would declare.
Result<ExprPtr> Parser::ParseLimitValue() {
  if (At(TokenKind::kParameter) || At(TokenKind::kHex) || At(TokenKind::kBit) ||
      At(TokenKind::kInteger)) {
    return ParsePrimary();
  }
  if (!program_ || !AtIdent()) {
    return Error();
  }
  const Span span = {Cur().begin, Cur().end};
  const Token& token = Cur();
  ASSIGN_OR_RETURN(const uint32_t slot, VariableSlot(IdentifierValue(text_, token)));
  if (!IsInteger(program_->slot(slot).type.kind)) {
    return ErrorAt(
        token, "The variable \"" + program_->slot(slot).name + "\" has a non-integer based type");
  }
  Next();
  return SlotValue(slot, span);
}

// LIMIT n, LIMIT offset, n, LIMIT n OFFSET offset
Status Parser::ParseLimit(LimitClause* limit) {
  ASSIGN_OR_RETURN(limit->count, ParseLimitValue());
  if (Accept(Op::kComma)) {
    limit->offset = std::move(limit->count);
    ASSIGN_OR_RETURN(limit->count, ParseLimitValue());
  } else if (Accept(Kw::kOffset)) {
    ASSIGN_OR_RETURN(limit->offset, ParseLimitValue());
  }
  return Status::Ok();
}

Status Parser::ParseLocking(std::vector<LockingClause>* locking) {
  if (Accept(Kw::kLock)) {
    RETURN_IF_ERROR(Expect(Kw::kIn));
    RETURN_IF_ERROR(Expect(Kw::kShare, Kw::kMode));
    locking->emplace_back().strength = LockStrength::kShare;
    return Status::Ok();
  }
  while (At(Kw::kFor) && (Is(Ahead(1), Kw::kUpdate) || Is(Ahead(1), Kw::kShare))) {
    Next();
    LockingClause clause;
    clause.strength = At(Kw::kUpdate) ? LockStrength::kUpdate : LockStrength::kShare;
    Next();
    if (Accept(Kw::kOf)) {
      RETURN_IF_ERROR(TableNameList(&clause.tables));
    }
    if (Accept(Kw::kNowait)) {
      clause.wait = LockWait::kNoWait;
    } else if (Accept(Kw::kSkip)) {
      RETURN_IF_ERROR(Expect(Kw::kLocked));
      clause.wait = LockWait::kSkipLocked;
    }
    locking->push_back(std::move(clause));
  }
  return Status::Ok();
}

Status Parser::ParseInto(std::unique_ptr<IntoClause>* into) {
  if (into == nullptr) {
    return UserError(ER_MISPLACED_INTO);
  }
  if (*into != nullptr) {
    return UserError(ER_MULTIPLE_INTO_CLAUSES);
  }
  Next();
  auto clause = std::make_unique<IntoClause>();
  if (Accept(Kw::kOutfile)) {
    ASSIGN_OR_RETURN(clause->outfile, StringText());
    RETURN_IF_ERROR(ParseFileFormat(&clause->format));
  } else if (Accept(Kw::kDumpfile)) {
    ASSIGN_OR_RETURN(clause->dumpfile, StringText());
  } else {
    do {
      if (At(TokenKind::kUserVariable)) {
        clause->variables.push_back(UserVariableName(text_, Cur(), StringEscapes()));
        clause->slots.push_back(IntoClause::kNoSlot);
        Next();
      } else if (program_) {
        ASSIGN_OR_RETURN(std::string name, Ident());
        ASSIGN_OR_RETURN(const uint32_t slot, VariableSlot(name));
        clause->variables.push_back(std::move(name));
        clause->slots.push_back(slot);
      } else {
        ASSIGN_OR_RETURN(std::string name, Ident());
        clause->variables.push_back(std::move(name));
        clause->has_local_variable = true;
      }
    } while (Accept(Op::kComma));
    if (!program_) {
      clause->slots.clear();
    }
  }
  *into = std::move(clause);
  return Status::Ok();
}

// [CHARACTER SET x] [FIELDS|COLUMNS …] [LINES …]
Status Parser::ParseFileFormat(FileFormat* format) {
  if (AcceptCharsetKeyword()) {
    ASSIGN_OR_RETURN(format->charset, CharsetName());
  }
  const auto text = [this](std::optional<std::string>* out) -> Status {
    if (At(TokenKind::kHex) || At(TokenKind::kBit)) {
      *out = At(TokenKind::kHex) ? HexValue(text_, Cur()) : BitValue(text_, Cur());
      Next();
      return Status::Ok();
    }
    ASSIGN_OR_RETURN(*out, StringText());
    return Status::Ok();
  };
  if (Accept(Kw::kFields) || Accept(Kw::kColumns)) {
    bool any = false;
    while (true) {
      if (Accept(Kw::kTerminated)) {
        RETURN_IF_ERROR(Expect(Kw::kBy));
        RETURN_IF_ERROR(text(&format->field_terminator));
      } else if (At(Kw::kOptionally) || At(Kw::kEnclosed)) {
        format->optionally_enclosed = Accept(Kw::kOptionally) || format->optionally_enclosed;
        RETURN_IF_ERROR(Expect(Kw::kEnclosed, Kw::kBy));
        RETURN_IF_ERROR(text(&format->enclosed_by));
      } else if (Accept(Kw::kEscaped)) {
        RETURN_IF_ERROR(Expect(Kw::kBy));
        RETURN_IF_ERROR(text(&format->escaped_by));
      } else {
        break;
      }
      any = true;
    }
    if (!any) {
      return Error();
    }
  }
  if (Accept(Kw::kLines)) {
    bool any = false;
    while (At(Kw::kStarting) || At(Kw::kTerminated)) {
      const bool start = At(Kw::kStarting);
      Next();
      RETURN_IF_ERROR(Expect(Kw::kBy));
      RETURN_IF_ERROR(text(start ? &format->line_start : &format->line_terminator));
      any = true;
    }
    if (!any) {
      return Error();
    }
  }
  return Status::Ok();
}

}  // namespace borealis::sql
