// Table references: names, derived tables, joins, JSON_TABLE.
//
// An ON or USING belongs to the innermost JOIN still without one: "a LEFT JOIN b JOIN c ON x ON y"
// is a LEFT JOIN (b JOIN c ON x) ON y. A join that ends up without a condition is left-associative:
// "a JOIN b LEFT JOIN c ON x" is (a JOIN b) LEFT JOIN c ON x.
#include "base/mysql_error.h"
#include "sql/parser/parser_internal.h"

namespace borealis::sql {

Status Parser::ParseTableReferences(std::vector<TableRefPtr>* out) {
  do {
    ASSIGN_OR_RETURN(TableRefPtr table, ParseJoins());
    out->push_back(std::move(table));
  } while (Accept(Op::kComma));
  return Status::Ok();
}

bool Parser::AtJoin() const {
  if (!At(TokenKind::kIdent)) {
    return false;
  }
  switch (Cur().keyword) {
    case Kw::kJoin:
    case Kw::kInner:
    case Kw::kCross:
    case Kw::kStraightJoin:
    case Kw::kLeft:
    case Kw::kRight:
    case Kw::kNatural:
      return true;
    default:
      return false;
  }
}

namespace {

// Makes `join`, which lacks a right side and a condition, the leftmost operand of `right`.
TableRefPtr JoinLeftmost(std::unique_ptr<JoinedTable> join, TableRefPtr right) {
  TableRefPtr* leaf = &right;
  while (true) {
    JoinedTable* inner = (*leaf)->TryAs<JoinedTable>();
    if (inner == nullptr || inner->parenthesised) {
      break;
    }
    inner->span.begin = join->span.begin;
    leaf = &inner->left;
  }
  join->span.end = (*leaf)->span.end;
  join->right = std::move(*leaf);
  *leaf = std::move(join);
  return right;
}

}  // namespace

// [NATURAL] [INNER | CROSS | LEFT [OUTER] | RIGHT [OUTER]] JOIN, STRAIGHT_JOIN
Status Parser::ParseJoinWords(JoinedTable* join) {
  join->natural = Accept(Kw::kNatural);
  if (At(Kw::kLeft) || At(Kw::kRight)) {
    join->join = At(Kw::kLeft) ? JoinKind::kLeft : JoinKind::kRight;
    Next();
    Accept(Kw::kOuter);
    return Expect(Kw::kJoin);
  }
  if (!join->natural && Accept(Kw::kStraightJoin)) {
    join->straight = true;
    return Status::Ok();
  }
  if (!Accept(Kw::kInner) && !join->natural) {
    Accept(Kw::kCross);
  }
  return Expect(Kw::kJoin);
}

Result<TableRefPtr> Parser::ParseJoins() {
  const NestingScope scope(this);
  if (!scope.ok()) {
    return TooDeep();
  }
  const uint32_t begin = Begin();
  ASSIGN_OR_RETURN(TableRefPtr left, ParseTableFactor());
  while (AtJoin()) {
    auto join = std::make_unique<JoinedTable>();
    RETURN_IF_ERROR(ParseJoinWords(join.get()));
    join->span.begin = begin;
    join->left = std::move(left);
    RETURN_IF_ERROR(GrowChain());
    if (join->natural) {
      ASSIGN_OR_RETURN(join->right, ParseTableFactor());
      join->span.end = last_end_;
      left = std::move(join);
      continue;
    }
    ASSIGN_OR_RETURN(TableRefPtr right, ParseJoins());
    // ON DUPLICATE KEY UPDATE belongs to an INSERT around the query.
    const bool duplicate = At(Kw::kOn, Kw::kDuplicate) && Is(Ahead(2), Kw::kKey);
    const bool conditional = (At(Kw::kOn) && !duplicate) || At(Kw::kUsing);
    if (!conditional) {
      if (join->join != JoinKind::kInner) {
        return Error();
      }
      left = JoinLeftmost(std::move(join), std::move(right));
      continue;
    }
    join->right = std::move(right);
    if (Accept(Kw::kOn)) {
      ASSIGN_OR_RETURN(join->on, ParseExpr());
    } else {
      Next();
      RETURN_IF_ERROR(IdentList(&join->using_columns));
    }
    join->span.end = last_end_;
    left = std::move(join);
  }
  return left;
}

Result<TableRefPtr> Parser::ParseTableFactor() {
  if (At(Op::kLeftParen)) {
    return ParenHoldsQuery(pos_) ? ParseDerived(false) : ParseParenthesisedTables();
  }
  if (Accept(Kw::kLateral)) {
    return ParseDerived(true);
  }
  if (At(Kw::kJsonTable)) {
    return ParseJsonTable();
  }
  if (At(Op::kLeftBrace)) {  // {OJ a LEFT OUTER JOIN b ON …}
    Next();
    RETURN_IF_ERROR(Ident().status());
    ASSIGN_OR_RETURN(TableRefPtr table, ParseJoins());
    RETURN_IF_ERROR(Expect(Op::kRightBrace));
    return table;
  }
  return ParseNamedTable();
}

// (a JOIN b), (a, b)
Result<TableRefPtr> Parser::ParseParenthesisedTables() {
  const uint32_t begin = Begin();
  Next();
  ASSIGN_OR_RETURN(TableRefPtr left, ParseJoins());
  while (Accept(Op::kComma)) {
    auto join = std::make_unique<JoinedTable>();
    join->left = std::move(left);
    ASSIGN_OR_RETURN(join->right, ParseJoins());
    join->span = SpanFrom(begin);
    RETURN_IF_ERROR(GrowChain());
    left = std::move(join);
  }
  RETURN_IF_ERROR(Expect(Op::kRightParen));
  if (JoinedTable* join = left->TryAs<JoinedTable>()) {
    join->parenthesised = true;
  }
  return left;
}

Result<TableRefPtr> Parser::ParseDerived(bool lateral) {
  const uint32_t begin = Begin();
  auto node = std::make_unique<DerivedTable>();
  node->lateral = lateral;
  ASSIGN_OR_RETURN(node->query, ParseSubquery());
  std::optional<std::string> alias;
  RETURN_IF_ERROR(ParseAlias(&alias, false));
  if (!alias) {
    return UserError(ER_DERIVED_MUST_HAVE_ALIAS);
  }
  node->alias = std::move(*alias);
  if (At(Op::kLeftParen)) {
    RETURN_IF_ERROR(IdentList(&node->columns));
  }
  node->span = SpanFrom(begin);
  return TableRefPtr(std::move(node));
}

Status Parser::ParsePartitionNames(std::vector<std::string>* out) {
  return Accept(Kw::kPartition) ? IdentList(out) : Status::Ok();
}

Result<TableRefPtr> Parser::ParseNamedTable() {
  const uint32_t begin = Begin();
  auto node = std::make_unique<TableRefName>();
  RETURN_IF_ERROR(TableName(&node->table));
  RETURN_IF_ERROR(ParsePartitionNames(&node->partitions));
  RETURN_IF_ERROR(ParseAlias(&node->alias, false));
  RETURN_IF_ERROR(ParseIndexHints(&node->index_hints));
  node->span = SpanFrom(begin);
  if (program_) {
    program_->NoteTable(node->table, node->alias);
  }
  return TableRefPtr(std::move(node));
}

Status Parser::ParseIndexHints(std::vector<IndexHint>* out) {
  while (At(Kw::kUse) || At(Kw::kForce) || At(Kw::kIgnore)) {
    if (!Is(Ahead(1), Kw::kIndex) && !Is(Ahead(1), Kw::kKey)) {
      return Status::Ok();
    }
    IndexHint hint;
    if (At(Kw::kForce)) {
      hint.kind = IndexHintKind::kForce;
    } else if (At(Kw::kIgnore)) {
      hint.kind = IndexHintKind::kIgnore;
    }
    Next();
    Next();
    if (Accept(Kw::kFor)) {
      if (Accept(Kw::kJoin)) {
        hint.scope = IndexHintScope::kJoin;
      } else if (Accept(Kw::kOrder)) {
        hint.scope = IndexHintScope::kOrderBy;
        RETURN_IF_ERROR(Expect(Kw::kBy));
      } else {
        hint.scope = IndexHintScope::kGroupBy;
        RETURN_IF_ERROR(Expect(Kw::kGroup, Kw::kBy));
      }
    }
    RETURN_IF_ERROR(Expect(Op::kLeftParen));
    if (hint.kind != IndexHintKind::kUse || !At(Op::kRightParen)) {
      do {
        if (Accept(Kw::kPrimary)) {
          hint.indexes.emplace_back("PRIMARY");
        } else {
          ASSIGN_OR_RETURN(std::string name, Ident());
          hint.indexes.push_back(std::move(name));
        }
      } while (Accept(Op::kComma));
    }
    RETURN_IF_ERROR(Expect(Op::kRightParen));
    out->push_back(std::move(hint));
  }
  return Status::Ok();
}

Result<TableRefPtr> Parser::ParseJsonTable() {
  const uint32_t begin = Begin();
  Next();
  auto node = std::make_unique<JsonTable>();
  RETURN_IF_ERROR(Expect(Op::kLeftParen));
  ASSIGN_OR_RETURN(node->document, ParseExpr());
  RETURN_IF_ERROR(Expect(Op::kComma));
  ASSIGN_OR_RETURN(node->path, StringText());
  RETURN_IF_ERROR(ParseJsonTableColumns(&node->columns));
  RETURN_IF_ERROR(Expect(Op::kRightParen));
  std::optional<std::string> alias;
  RETURN_IF_ERROR(ParseAlias(&alias, false));
  if (!alias) {
    return UserError(ER_TF_MUST_HAVE_ALIAS);
  }
  node->alias = std::move(*alias);
  node->span = SpanFrom(begin);
  return TableRefPtr(std::move(node));
}

Status Parser::ParseJsonTableColumns(std::vector<JsonTableColumn>* out) {
  const NestingScope scope(this);
  if (!scope.ok()) {
    return TooDeep();
  }
  RETURN_IF_ERROR(Expect(Kw::kColumns));
  RETURN_IF_ERROR(Expect(Op::kLeftParen));
  do {
    RETURN_IF_ERROR(ParseJsonTableColumn(&out->emplace_back()));
  } while (Accept(Op::kComma));
  return Expect(Op::kRightParen);
}

Status Parser::ParseJsonTableColumn(JsonTableColumn* column) {
  const bool nested =
      At(Kw::kNested) && (Is(Ahead(1), Kw::kPath) || Ahead(1).kind == TokenKind::kString);
  if (nested) {
    Next();
    Accept(Kw::kPath);
    column->kind = JsonTableColumn::Kind::kNested;
    ASSIGN_OR_RETURN(column->path, StringText());
    return ParseJsonTableColumns(&column->nested);
  }
  ASSIGN_OR_RETURN(column->name, Ident());
  if (Accept(Kw::kFor)) {
    column->kind = JsonTableColumn::Kind::kOrdinality;
    return Expect(Kw::kOrdinality);
  }
  RETURN_IF_ERROR(ParseDataType(&column->type));
  if (Accept(Kw::kCollate)) {
    ASSIGN_OR_RETURN(column->type.collation, CollationName());
  }
  const bool exists = Accept(Kw::kExists);
  column->kind = exists ? JsonTableColumn::Kind::kExistsPath : JsonTableColumn::Kind::kPath;
  RETURN_IF_ERROR(Expect(Kw::kPath));
  ASSIGN_OR_RETURN(column->path, StringText());
  return exists ? Status::Ok() : ParseJsonOn(&column->on_empty, &column->on_error);
}

}  // namespace borealis::sql
