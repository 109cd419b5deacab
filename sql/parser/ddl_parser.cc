// CREATE and DROP of databases, tables, indexes and views; table options.
#include "base/mysql_error.h"
#include "sql/parser/parser_internal.h"

namespace borealis::sql {

// [DEFAULT] CHARACTER SET [=] x, [DEFAULT] COLLATE [=] x, [DEFAULT] ENCRYPTION [=] 'Y',
// READ ONLY [=] n
Status Parser::ParseDatabaseOptions(DatabaseOptions* options, bool required) {
  bool any = false;
  while (true) {
    const bool with_default = Accept(Kw::kDefault);
    if (AcceptCharsetKeyword()) {
      Accept(Op::kEqual);
      ASSIGN_OR_RETURN(options->charset, CharsetName());
    } else if (Accept(Kw::kCollate)) {
      Accept(Op::kEqual);
      ASSIGN_OR_RETURN(options->collation, CollationName());
    } else if (Accept(Kw::kEncryption)) {
      Accept(Op::kEqual);
      ASSIGN_OR_RETURN(const std::string value, StringText());
      options->encryption = value == "Y" || value == "y";
    } else if (!with_default && Accept(Kw::kRead)) {
      RETURN_IF_ERROR(Expect(Kw::kOnly));
      Accept(Op::kEqual);
      if (Accept(Kw::kDefault)) {
        options->read_only = false;
      } else {
        ASSIGN_OR_RETURN(const uint64_t value, UnsignedNumber());
        options->read_only = value != 0;
      }
    } else if (with_default || (required && !any)) {
      return Error();
    } else {
      return Status::Ok();
    }
    any = true;
  }
}

Result<StmtPtr> Parser::ParseCreateDatabase() {
  Next();
  Next();
  auto stmt = std::make_unique<CreateDatabaseStmt>();
  Status error;
  stmt->if_not_exists = AcceptIfNotExists(&error);
  RETURN_IF_ERROR(error);
  ASSIGN_OR_RETURN(stmt->name, Ident());
  RETURN_IF_ERROR(ParseDatabaseOptions(&stmt->options, false));
  return StmtPtr(std::move(stmt));
}

Result<StmtPtr> Parser::ParseAlterDatabase() {
  Next();
  Next();
  auto stmt = std::make_unique<AlterDatabaseStmt>();
  const bool option =
      At(Kw::kCharset) || (At(Kw::kEncryption) && !AtEnd() &&
                           (Is(Ahead(1), Op::kEqual) || Ahead(1).kind == TokenKind::kString));
  if (AtIdent() && !option) {
    ASSIGN_OR_RETURN(stmt->name, Ident());
  }
  RETURN_IF_ERROR(ParseDatabaseOptions(&stmt->options, true));
  return StmtPtr(std::move(stmt));
}

// At TABLE.
Result<StmtPtr> Parser::ParseCreateTable(bool temporary) {
  RETURN_IF_ERROR(Expect(Kw::kTable));
  auto stmt = std::make_unique<CreateTableStmt>();
  stmt->temporary = temporary;
  Status error;
  stmt->if_not_exists = AcceptIfNotExists(&error);
  RETURN_IF_ERROR(error);
  RETURN_IF_ERROR(TableName(&stmt->table));
  RETURN_IF_ERROR(ParseCreateTableBody(stmt.get()));
  return StmtPtr(std::move(stmt));
}

Status Parser::ParseCreateTableBody(CreateTableStmt* stmt) {
  if (Accept(Kw::kLike)) {
    return TableName(&stmt->like.emplace());
  }
  if (At(Op::kLeftParen) && Is(Ahead(1), Kw::kLike)) {
    Next();
    Next();
    RETURN_IF_ERROR(TableName(&stmt->like.emplace()));
    return Expect(Op::kRightParen);
  }
  if (At(Op::kLeftParen) && !ParenHoldsQuery(pos_)) {
    RETURN_IF_ERROR(ParseTableElements(stmt));
  }
  RETURN_IF_ERROR(ParseTableOptions(&stmt->options, true));
  if (At(Kw::kPartition)) {
    RETURN_IF_ERROR(ParsePartitionClause(&stmt->partition));
  }
  if (Accept(Kw::kReplace)) {
    stmt->select_replace = true;
  } else {
    stmt->select_ignore = Accept(Kw::kIgnore);
  }
  const bool as = Accept(Kw::kAs);
  if (as || stmt->select_replace || stmt->select_ignore || AtQuery()) {
    if (!AtQuery()) {
      return Error();
    }
    ASSIGN_OR_RETURN(stmt->select, ParseQuery());
  }
  return Status::Ok();
}

Status Parser::ParseTableElements(CreateTableStmt* stmt) {
  RETURN_IF_ERROR(Expect(Op::kLeftParen));
  do {
    RETURN_IF_ERROR(ParseTableElement(stmt));
  } while (Accept(Op::kComma));
  return Expect(Op::kRightParen);
}

// Words that begin a constraint or an index rather than a column.
bool Parser::AtConstraint() const {
  if (!At(TokenKind::kIdent)) {
    return false;
  }
  switch (Cur().keyword) {
    case Kw::kConstraint:
    case Kw::kPrimary:
    case Kw::kUnique:
    case Kw::kForeign:
    case Kw::kCheck:
    case Kw::kIndex:
    case Kw::kKey:
    case Kw::kFulltext:
    case Kw::kSpatial:
      return true;
    default:
      return false;
  }
}

Status Parser::ParseTableElement(CreateTableStmt* stmt) {
  if (!AtConstraint()) {
    return ParseColumnDefinition(&stmt->columns.emplace_back());
  }
  std::optional<IndexDefinition> index;
  std::optional<ForeignKeyDefinition> foreign_key;
  std::optional<CheckConstraint> check;
  RETURN_IF_ERROR(ParseTableConstraint(&index, &foreign_key, &check));
  if (index) {
    stmt->indexes.push_back(std::move(*index));
  } else if (foreign_key) {
    foreign_key->indexes_before = stmt->indexes.size();
    stmt->foreign_keys.push_back(std::move(*foreign_key));
  } else if (check) {
    check->columns_before = stmt->columns.size();
    stmt->checks.push_back(std::move(*check));
  }
  return Status::Ok();
}

// Sets exactly one of the three.
Status Parser::ParseTableConstraint(std::optional<IndexDefinition>* index,
                                    std::optional<ForeignKeyDefinition>* foreign_key,
                                    std::optional<CheckConstraint>* check) {
  std::string name;
  const bool constraint = Accept(Kw::kConstraint);
  if (constraint && AtIdent()) {
    ASSIGN_OR_RETURN(name, Ident());
  }
  if (At(Kw::kCheck)) {
    (*check).emplace().name = std::move(name);
    return ParseCheck(&**check);
  }
  if (Accept(Kw::kForeign)) {
    (*foreign_key).emplace().constraint_name = std::move(name);
    return ParseForeignKey(&**foreign_key);
  }
  IndexDefinition& definition = index->emplace();
  definition.constraint_name = std::move(name);
  if (Accept(Kw::kPrimary)) {
    RETURN_IF_ERROR(Expect(Kw::kKey));
    definition.type = IndexType::kPrimary;
  } else if (Accept(Kw::kUnique)) {
    definition.type = IndexType::kUnique;
    if (!Accept(Kw::kIndex)) {
      Accept(Kw::kKey);
    }
  } else if (constraint) {
    return Error();
  } else if (At(Kw::kFulltext) || At(Kw::kSpatial)) {
    definition.type = At(Kw::kFulltext) ? IndexType::kFulltext : IndexType::kSpatial;
    Next();
    if (!Accept(Kw::kIndex)) {
      Accept(Kw::kKey);
    }
  } else if (!Accept(Kw::kIndex)) {
    RETURN_IF_ERROR(Expect(Kw::kKey));
  }
  if (AtIdent()) {
    ASSIGN_OR_RETURN(definition.name, Ident());
    if (definition.name.empty()) {
      return UserError(ER_WRONG_NAME_FOR_INDEX, "");
    }
  }
  return ParseIndexRest(&definition);
}

// [USING BTREE] (parts) [options]
Status Parser::ParseIndexRest(IndexDefinition* index) {
  if (At(Kw::kUsing) || At(Kw::kType)) {
    RETURN_IF_ERROR(ParseIndexAlgorithm(index));
  }
  RETURN_IF_ERROR(ParseKeyParts(&index->parts));
  return ParseIndexOptions(index);
}

Status Parser::ParseIndexAlgorithm(IndexDefinition* index) {
  Next();
  if (Accept(Kw::kBtree)) {
    index->algorithm = IndexAlgorithm::kBtree;
  } else if (Accept(Kw::kRtree)) {
    index->algorithm = IndexAlgorithm::kRtree;
  } else if (Accept(Kw::kHash)) {
    index->algorithm = IndexAlgorithm::kHash;
  } else {
    return Error();
  }
  return Status::Ok();
}

Status Parser::ParseIndexOptions(IndexDefinition* index) {
  while (true) {
    if (At(Kw::kUsing) || At(Kw::kType)) {
      RETURN_IF_ERROR(ParseIndexAlgorithm(index));
    } else if (Accept(Kw::kComment)) {
      ASSIGN_OR_RETURN(index->comment, StringText());
    } else if (Accept(Kw::kVisible)) {
      index->visible = true;
    } else if (Accept(Kw::kInvisible)) {
      index->visible = false;
    } else if (Accept(Kw::kKeyBlockSize)) {
      Accept(Op::kEqual);
      ASSIGN_OR_RETURN(index->key_block_size, UnsignedNumber());
    } else if (At(Kw::kWith, Kw::kParser)) {
      Next();
      Next();
      ASSIGN_OR_RETURN(index->parser, Ident());
    } else if (Accept(Kw::kEngineAttribute) || Accept(Kw::kSecondaryEngineAttribute)) {
      Accept(Op::kEqual);
      ASSIGN_OR_RETURN(index->engine_attribute, StringText());
    } else {
      return Status::Ok();
    }
  }
}

Status Parser::ParseKeyParts(std::vector<KeyPart>* out) {
  RETURN_IF_ERROR(Expect(Op::kLeftParen));
  do {
    KeyPart part;
    if (At(Op::kLeftParen)) {
      Next();
      ASSIGN_OR_RETURN(part.expr, ParseExpr());
      RETURN_IF_ERROR(Expect(Op::kRightParen));
    } else {
      ASSIGN_OR_RETURN(part.column, Ident());
      if (Accept(Op::kLeftParen)) {
        ASSIGN_OR_RETURN(part.length, UnsignedNumber());
        RETURN_IF_ERROR(Expect(Op::kRightParen));
      }
    }
    if (Accept(Kw::kAsc)) {
      part.direction = SortDirection::kAscending;
    } else if (Accept(Kw::kDesc)) {
      part.direction = SortDirection::kDescending;
    }
    out->push_back(std::move(part));
  } while (Accept(Op::kComma));
  return Expect(Op::kRightParen);
}

// After FOREIGN.
Status Parser::ParseForeignKey(ForeignKeyDefinition* key) {
  RETURN_IF_ERROR(Expect(Kw::kKey));
  if (AtIdent()) {
    ASSIGN_OR_RETURN(key->index_name, Ident());
  }
  std::vector<KeyPart> parts;
  const Token& open = Cur();
  RETURN_IF_ERROR(ParseKeyParts(&parts));
  for (KeyPart& part : parts) {
    if (part.expr) {
      return ErrorAt(open);
    }
    key->columns.push_back(std::move(part.column));
  }
  return ParseReferences(&key->references);
}

Status Parser::ParseReferences(References* references) {
  RETURN_IF_ERROR(Expect(Kw::kReferences));
  RETURN_IF_ERROR(TableName(&references->table));
  if (At(Op::kLeftParen)) {
    RETURN_IF_ERROR(IdentList(&references->columns));
  }
  if (Accept(Kw::kMatch)) {
    if (Accept(Kw::kFull)) {
      references->match = ReferenceMatch::kFull;
    } else if (Accept(Kw::kPartial)) {
      references->match = ReferenceMatch::kPartial;
    } else {
      RETURN_IF_ERROR(Expect(Kw::kSimple));
      references->match = ReferenceMatch::kSimple;
    }
  }
  while (At(Kw::kOn, Kw::kDelete) || At(Kw::kOn, Kw::kUpdate)) {
    Next();
    ReferenceAction* action = At(Kw::kDelete) ? &references->on_delete : &references->on_update;
    if (*action != ReferenceAction::kUnspecified) {
      return Error();
    }
    Next();
    RETURN_IF_ERROR(ParseReferenceAction(action));
  }
  return Status::Ok();
}

Status Parser::ParseReferenceAction(ReferenceAction* action) {
  if (Accept(Kw::kRestrict)) {
    *action = ReferenceAction::kRestrict;
  } else if (Accept(Kw::kCascade)) {
    *action = ReferenceAction::kCascade;
  } else if (Accept(Kw::kNo)) {
    *action = ReferenceAction::kNoAction;
    return Expect(Kw::kAction);
  } else {
    RETURN_IF_ERROR(Expect(Kw::kSet));
    if (Accept(Kw::kNull)) {
      *action = ReferenceAction::kSetNull;
    } else {
      *action = ReferenceAction::kSetDefault;
      return Expect(Kw::kDefault);
    }
  }
  return Status::Ok();
}

// CHECK (expr) [[NOT] ENFORCED]
Status Parser::ParseCheck(CheckConstraint* check) {
  RETURN_IF_ERROR(Expect(Kw::kCheck));
  RETURN_IF_ERROR(Expect(Op::kLeftParen));
  const uint32_t begin = Begin();
  ASSIGN_OR_RETURN(check->expr, ParseExpr());
  check->expr_span = SpanFrom(begin);
  RETURN_IF_ERROR(Expect(Op::kRightParen));
  if (Accept(Kw::kNot, Kw::kEnforced)) {
    check->enforced = false;
  } else {
    Accept(Kw::kEnforced);
  }
  return Status::Ok();
}

Status Parser::ParseTableOptions(std::vector<TableOption>* out, bool commas_allowed) {
  bool after_comma = false;
  while (true) {
    TableOption option;
    ASSIGN_OR_RETURN(const bool found, ParseTableOption(&option));
    if (!found) {
      return after_comma ? Error() : Status::Ok();
    }
    out->push_back(std::move(option));
    after_comma = commas_allowed && Accept(Op::kComma);
  }
}

// False, with nothing consumed, when the next word is no table option.
Result<bool> Parser::ParseTableOption(TableOption* option) {
  const bool with_default = At(Kw::kDefault);
  const Token& word = with_default ? Ahead(1) : Cur();
  if (word.kind != TokenKind::kIdent) {
    return false;
  }
  const bool charset =
      word.keyword == Kw::kCharset || word.keyword == Kw::kCharacter || word.keyword == Kw::kChar;
  if (charset || word.keyword == Kw::kCollate) {
    if (with_default) {
      Next();
    }
    option->name = charset ? "CHARACTER SET" : "COLLATE";
    if (charset && !AcceptCharsetKeyword()) {
      return Error();
    }
    if (!charset) {
      Next();
    }
    Accept(Op::kEqual);
    option->is_default = At(Kw::kDefault);
    ASSIGN_OR_RETURN(option->text, charset ? CharsetName() : CollationName());
    return true;
  }
  if (with_default) {
    return false;
  }
  switch (word.keyword) {
    case Kw::kEngine:
    case Kw::kSecondaryEngine:
    case Kw::kTablespace:
    case Kw::kRowFormat:
    case Kw::kInsertMethod:
    case Kw::kComment:
    case Kw::kCompression:
    case Kw::kConnection:
    case Kw::kEncryption:
    case Kw::kEngineAttribute:
    case Kw::kSecondaryEngineAttribute:
    case Kw::kPassword:
    case Kw::kAutoIncrement:
    case Kw::kAutoextendSize:
    case Kw::kAvgRowLength:
    case Kw::kChecksum:
    case Kw::kTableChecksum:
    case Kw::kDelayKeyWrite:
    case Kw::kKeyBlockSize:
    case Kw::kMaxRows:
    case Kw::kMinRows:
    case Kw::kPackKeys:
    case Kw::kStatsAutoRecalc:
    case Kw::kStatsPersistent:
    case Kw::kStatsSamplePages:
      option->name =
          word.keyword == Kw::kTableChecksum ? "CHECKSUM" : std::string(KeywordText(word.keyword));
      Next();
      Accept(Op::kEqual);
      RETURN_IF_ERROR(ParseTableOptionValue(word.keyword, option));
      return true;
    case Kw::kData:
    case Kw::kIndex:
    case Kw::kStart:
    case Kw::kStorage:
    case Kw::kUnion: {
      const Kw second = Ahead(1).kind == TokenKind::kIdent ? Ahead(1).keyword : Kw::kNotKeyword;
      const bool directory =
          (word.keyword == Kw::kData || word.keyword == Kw::kIndex) && second == Kw::kDirectory;
      const bool other =
          (word.keyword == Kw::kStart && second == Kw::kTransaction) ||
          (word.keyword == Kw::kStorage && (second == Kw::kDisk || second == Kw::kMemory)) ||
          (word.keyword == Kw::kUnion &&
           (Is(Ahead(1), Op::kEqual) ||
            (Is(Ahead(1), Op::kLeftParen) && !ParenHoldsQuery(pos_ + 1))));
      if (!directory && !other) {
        return false;
      }
      RETURN_IF_ERROR(ParseNamedOptionValue(option));
      return true;
    }
    default:
      return false;
  }
}

// DATA DIRECTORY, INDEX DIRECTORY, START TRANSACTION, STORAGE, UNION.
Status Parser::ParseNamedOptionValue(TableOption* option) {
  if (Accept(Kw::kStart, Kw::kTransaction)) {
    option->name = "START TRANSACTION";
    return Status::Ok();
  }
  if (Accept(Kw::kStorage)) {
    option->name = "STORAGE";
    option->text = UpperText(Cur());
    Next();
    return Status::Ok();
  }
  if (Accept(Kw::kUnion)) {
    option->name = "UNION";
    Accept(Op::kEqual);
    RETURN_IF_ERROR(Expect(Op::kLeftParen));
    if (!At(Op::kRightParen)) {
      RETURN_IF_ERROR(TableNameList(&option->tables));
    }
    return Expect(Op::kRightParen);
  }
  option->name = At(Kw::kData) ? "DATA DIRECTORY" : "INDEX DIRECTORY";
  Next();
  Next();
  Accept(Op::kEqual);
  ASSIGN_OR_RETURN(option->text, StringText());
  return Status::Ok();
}

Status Parser::ParseTableOptionValue(Kw keyword, TableOption* option) {
  switch (keyword) {
    case Kw::kEngine:
    case Kw::kSecondaryEngine: {
      if (Accept(Kw::kNull)) {
        return Status::Ok();
      }
      ASSIGN_OR_RETURN(option->text, IdentOrString());
      return Status::Ok();
    }
    case Kw::kTablespace: {
      ASSIGN_OR_RETURN(option->text, IdentOrString());
      return Status::Ok();
    }
    case Kw::kRowFormat:
    case Kw::kInsertMethod:
      option->text = UpperText(Cur());
      option->is_default = At(Kw::kDefault);
      if (!AcceptAny({Kw::kDefault, Kw::kFixed, Kw::kDynamic, Kw::kCompressed, Kw::kRedundant,
                      Kw::kCompact, Kw::kNo, Kw::kFirst, Kw::kLast})) {
        return Error();
      }
      return Status::Ok();
    case Kw::kComment:
    case Kw::kCompression:
    case Kw::kConnection:
    case Kw::kEncryption:
    case Kw::kEngineAttribute:
    case Kw::kSecondaryEngineAttribute:
    case Kw::kPassword: {
      ASSIGN_OR_RETURN(option->text, StringText());
      return Status::Ok();
    }
    case Kw::kPackKeys:
    case Kw::kStatsAutoRecalc:
    case Kw::kStatsPersistent:
    case Kw::kStatsSamplePages:
      if (Accept(Kw::kDefault)) {
        option->is_default = true;
        return Status::Ok();
      }
      break;
    default:
      break;
  }
  option->text = std::string(TextOf(Cur()));
  ASSIGN_OR_RETURN(option->number, NumberWithSuffix());
  return Status::Ok();
}

// PARTITION BY …: remembers the method and passes over the rest.
Status Parser::ParsePartitionClause(std::optional<PartitionClause>* partition) {
  const uint32_t begin = Begin();
  RETURN_IF_ERROR(Expect(Kw::kPartition, Kw::kBy));
  PartitionClause clause;
  while (At(TokenKind::kIdent)) {
    if (!clause.method.empty()) {
      clause.method += ' ';
    }
    clause.method += UpperText(Cur());
    Next();
    if (Accept(Op::kEqual)) {  // KEY ALGORITHM = 2
      RETURN_IF_ERROR(UnsignedNumber().status());
    }
  }
  if (clause.method.empty() || !At(Op::kLeftParen)) {
    return Error();
  }
  while (!AtEnd() && !At(TokenKind::kError)) {
    if (At(Kw::kAs) || (AtQuery() && !At(Op::kLeftParen))) {
      break;
    }
    if (At(Op::kLeftParen)) {
      const size_t close = Cur().match;
      while (pos_ < close) {
        Next();
      }
      RETURN_IF_ERROR(Expect(Op::kRightParen));
    } else if (At(TokenKind::kIdent) || At(TokenKind::kInteger)) {
      Next();
    } else {
      return Error();
    }
  }
  clause.span = SpanFrom(begin);
  *partition = std::move(clause);
  return Status::Ok();
}

// ALGORITHM [=] x, LOCK [=] x
Status Parser::ParseOnlineOption(OnlineDdlOptions* online, bool* handled) {
  *handled = true;
  if (Accept(Kw::kAlgorithm)) {
    Accept(Op::kEqual);
    online->algorithm = UpperText(Cur());
    return Accept(Kw::kDefault) ? Status::Ok() : Ident().status();
  }
  if (Accept(Kw::kLock)) {
    Accept(Op::kEqual);
    online->lock = UpperText(Cur());
    return Accept(Kw::kDefault) ? Status::Ok() : Ident().status();
  }
  *handled = false;
  return Status::Ok();
}

// At INDEX.
Result<StmtPtr> Parser::ParseCreateIndex(IndexType type) {
  RETURN_IF_ERROR(Expect(Kw::kIndex));
  auto stmt = std::make_unique<CreateIndexStmt>();
  stmt->index.type = type;
  ASSIGN_OR_RETURN(stmt->index.name, Ident());
  if (stmt->index.name.empty()) {
    return UserError(ER_WRONG_NAME_FOR_INDEX, "");
  }
  if (At(Kw::kUsing) || At(Kw::kType)) {
    RETURN_IF_ERROR(ParseIndexAlgorithm(&stmt->index));
  }
  RETURN_IF_ERROR(Expect(Kw::kOn));
  RETURN_IF_ERROR(TableName(&stmt->table));
  RETURN_IF_ERROR(ParseKeyParts(&stmt->index.parts));
  RETURN_IF_ERROR(ParseIndexOptions(&stmt->index));
  bool handled = true;
  while (handled) {
    RETURN_IF_ERROR(ParseOnlineOption(&stmt->online, &handled));
  }
  return StmtPtr(std::move(stmt));
}

Result<StmtPtr> Parser::ParseDropIndex() {
  Next();
  Next();
  auto stmt = std::make_unique<DropIndexStmt>();
  ASSIGN_OR_RETURN(stmt->name, Ident());
  RETURN_IF_ERROR(Expect(Kw::kOn));
  RETURN_IF_ERROR(TableName(&stmt->table));
  bool handled = true;
  while (handled) {
    RETURN_IF_ERROR(ParseOnlineOption(&stmt->online, &handled));
  }
  return StmtPtr(std::move(stmt));
}

// At TABLE or TABLES.
Result<StmtPtr> Parser::ParseDropTable(bool temporary) {
  if (!Accept(Kw::kTables)) {
    RETURN_IF_ERROR(Expect(Kw::kTable));
  }
  auto stmt = std::make_unique<DropTableStmt>();
  stmt->temporary = temporary;
  Status error;
  stmt->if_exists = AcceptIfExists(&error);
  RETURN_IF_ERROR(error);
  RETURN_IF_ERROR(TableNameList(&stmt->tables));
  if (!Accept(Kw::kRestrict)) {
    Accept(Kw::kCascade);
  }
  return StmtPtr(std::move(stmt));
}

Result<StmtPtr> Parser::ParseTruncate() {
  Next();
  auto stmt = std::make_unique<TruncateStmt>();
  Accept(Kw::kTable);
  RETURN_IF_ERROR(TableName(&stmt->table));
  return StmtPtr(std::move(stmt));
}

Result<StmtPtr> Parser::ParseRenameTable() {
  Next();
  if (!Accept(Kw::kTables)) {
    RETURN_IF_ERROR(Expect(Kw::kTable));
  }
  auto stmt = std::make_unique<RenameTableStmt>();
  do {
    RenameTableStmt::Rename& rename = stmt->renames.emplace_back();
    RETURN_IF_ERROR(TableName(&rename.from));
    RETURN_IF_ERROR(Expect(Kw::kTo));
    RETURN_IF_ERROR(TableName(&rename.to));
  } while (Accept(Op::kComma));
  return StmtPtr(std::move(stmt));
}

// [ALGORITHM = x] [DEFINER = user] [SQL SECURITY DEFINER|INVOKER]
Status Parser::ParseViewPrefix(CreateViewStmt* stmt) {
  if (Accept(Kw::kAlgorithm)) {
    RETURN_IF_ERROR(Expect(Op::kEqual));
    if (Accept(Kw::kMerge)) {
      stmt->algorithm = ViewAlgorithm::kMerge;
    } else if (Accept(Kw::kTemptable)) {
      stmt->algorithm = ViewAlgorithm::kTemptable;
    } else {
      RETURN_IF_ERROR(Expect(Kw::kUndefined));
    }
  }
  if (Accept(Kw::kDefiner)) {
    RETURN_IF_ERROR(Expect(Op::kEqual));
    RETURN_IF_ERROR(Account(&stmt->definer.emplace()));
  }
  if (Accept(Kw::kSql)) {
    RETURN_IF_ERROR(Expect(Kw::kSecurity));
    if (Accept(Kw::kInvoker)) {
      stmt->security_invoker = true;
    } else {
      RETURN_IF_ERROR(Expect(Kw::kDefiner));
    }
  }
  return Status::Ok();
}

// At VIEW, with the prefix already in `stmt`.
Result<StmtPtr> Parser::ParseCreateView(std::unique_ptr<CreateViewStmt> stmt) {
  RETURN_IF_ERROR(Expect(Kw::kView));
  RETURN_IF_ERROR(TableName(&stmt->view));
  if (At(Op::kLeftParen)) {
    RETURN_IF_ERROR(IdentList(&stmt->columns));
  }
  RETURN_IF_ERROR(Expect(Kw::kAs));
  const uint32_t begin = Begin();
  if (!AtQuery()) {
    return Error();
  }
  ASSIGN_OR_RETURN(stmt->query, ParseTopQuery());
  if (stmt->query->into != nullptr) {
    return UserError(ER_VIEW_SELECT_CLAUSE, "INTO");
  }
  stmt->query_span = SpanFrom(begin);
  if (Accept(Kw::kWith)) {
    stmt->check = ViewCheck::kCascaded;
    if (Accept(Kw::kLocal)) {
      stmt->check = ViewCheck::kLocal;
    } else {
      Accept(Kw::kCascaded);
    }
    RETURN_IF_ERROR(Expect(Kw::kCheck, Kw::kOption));
  }
  return StmtPtr(std::move(stmt));
}

}  // namespace borealis::sql
