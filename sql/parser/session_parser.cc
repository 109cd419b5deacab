// Transactions and SET.
#include "sql/parser/parser_internal.h"

namespace borealis::sql {

Result<StmtPtr> Parser::ParseStart() {
  Next();
  if (!At(Kw::kTransaction)) {
    if (At(Kw::kReplica) || At(Kw::kSlave) || At(Kw::kGroupReplication)) {
      return Unsupported("START " + UpperText(Cur()));
    }
    return Error();
  }
  Next();
  auto stmt = std::make_unique<StartTransactionStmt>();
  if (AtEnd()) {
    return StmtPtr(std::move(stmt));
  }
  bool contradicts = false;
  do {
    if (Accept(Kw::kWith)) {
      RETURN_IF_ERROR(Expect(Kw::kConsistent, Kw::kSnapshot));
      stmt->consistent_snapshot = true;
    } else {
      RETURN_IF_ERROR(Expect(Kw::kRead));
      const bool read_only = At(Kw::kOnly);
      if (!AcceptAny({Kw::kOnly, Kw::kWrite})) {
        return Error();
      }
      contradicts |= stmt->read_only.value_or(read_only) != read_only;
      stmt->read_only = read_only;
    }
  } while (Accept(Op::kComma));
  if (contradicts) {
    return Error();
  }
  return StmtPtr(std::move(stmt));
}

Result<StmtPtr> Parser::ParseBegin() {
  Next();
  Accept(Kw::kWork);
  return StmtPtr(std::make_unique<StartTransactionStmt>());
}

// [AND [NO] CHAIN] [[NO] RELEASE]
Status Parser::ParseCompletion(Completion* chain, Completion* release) {
  if (Accept(Kw::kAnd)) {
    *chain = Accept(Kw::kNo) ? Completion::kNo : Completion::kYes;
    RETURN_IF_ERROR(Expect(Kw::kChain));
  }
  if (Accept(Kw::kNo)) {
    *release = Completion::kNo;
    return Expect(Kw::kRelease);
  }
  if (*chain != Completion::kYes && Accept(Kw::kRelease)) {
    *release = Completion::kYes;
  }
  return Status::Ok();
}

Result<StmtPtr> Parser::ParseCommit() {
  Next();
  Accept(Kw::kWork);
  auto stmt = std::make_unique<CommitStmt>();
  RETURN_IF_ERROR(ParseCompletion(&stmt->chain, &stmt->release));
  return StmtPtr(std::move(stmt));
}

Result<StmtPtr> Parser::ParseRollback() {
  Next();
  Accept(Kw::kWork);
  auto stmt = std::make_unique<RollbackStmt>();
  if (Accept(Kw::kTo)) {
    if (At(Kw::kSavepoint) && IsIdent(Ahead(1))) {
      Next();
    }
    ASSIGN_OR_RETURN(stmt->savepoint, Ident());
    return StmtPtr(std::move(stmt));
  }
  RETURN_IF_ERROR(ParseCompletion(&stmt->chain, &stmt->release));
  return StmtPtr(std::move(stmt));
}

Result<StmtPtr> Parser::ParseSavepoint() {
  Next();
  auto stmt = std::make_unique<SavepointStmt>();
  ASSIGN_OR_RETURN(stmt->name, Ident());
  return StmtPtr(std::move(stmt));
}

Result<StmtPtr> Parser::ParseRelease() {
  Next();
  RETURN_IF_ERROR(Expect(Kw::kSavepoint));
  auto stmt = std::make_unique<ReleaseSavepointStmt>();
  ASSIGN_OR_RETURN(stmt->name, Ident());
  return StmtPtr(std::move(stmt));
}

// XA verb …: the branch identifier and options are passed over.
Result<StmtPtr> Parser::ParseXa() {
  Next();
  auto stmt = std::make_unique<XaStmt>();
  stmt->verb = At(Kw::kBegin) ? "START" : UpperText(Cur());
  if (!AcceptAny({Kw::kStart, Kw::kBegin, Kw::kEnd, Kw::kPrepare, Kw::kCommit, Kw::kRollback,
                  Kw::kRecover})) {
    return Error();
  }
  while (!AtEnd() && !At(TokenKind::kError)) {
    Next();
  }
  return StmtPtr(std::move(stmt));
}

bool Parser::AcceptScope(VariableScope* scope) {
  if (Accept(Kw::kGlobal)) {
    *scope = VariableScope::kGlobal;
  } else if (Accept(Kw::kSession) || Accept(Kw::kLocal)) {
    *scope = VariableScope::kSession;
  } else if (Accept(Kw::kPersist)) {
    *scope = VariableScope::kPersist;
  } else if (Accept(Kw::kPersistOnly)) {
    *scope = VariableScope::kPersistOnly;
  } else {
    return false;
  }
  return true;
}

Result<StmtPtr> Parser::ParseSet() {
  Next();
  if (At(Kw::kRole) && !Is(Ahead(1), Op::kEqual) && !Is(Ahead(1), Op::kAssign)) {
    return ParseSetRole();
  }
  if (At(Kw::kDefault) && Is(Ahead(1), Kw::kRole)) {
    return ParseSetDefaultRole();
  }
  if (At(Kw::kResource) && Is(Ahead(1), Kw::kGroup)) {
    return Unsupported("SET RESOURCE GROUP");
  }
  auto stmt = std::make_unique<SetStmt>();
  VariableScope sticky = VariableScope::kDefault;
  bool first = true;
  do {
    RETURN_IF_ERROR(ParseSetItem(&stmt->items.emplace_back(), &sticky, first));
    first = false;
  } while (Accept(Op::kComma));
  return StmtPtr(std::move(stmt));
}

// One item of the list. A scope word holds for the following plain names too, as in MySQL:
// SET GLOBAL a = 1, b = 2 sets both globals.
Status Parser::ParseSetItem(SetItem* item, VariableScope* sticky, bool first) {
  const auto assigned = [this](size_t n) {
    return Is(Ahead(n), Op::kEqual) || Is(Ahead(n), Op::kAssign) || Is(Ahead(n), Op::kDot);
  };
  if (At(TokenKind::kUserVariable)) {
    item->kind = SetItem::Kind::kUserVariable;
    item->name = UserVariableName(text_, Cur(), StringEscapes());
    Next();
    if (!Accept(Op::kEqual)) {
      RETURN_IF_ERROR(Expect(Op::kAssign));
    }
    ASSIGN_OR_RETURN(item->value, ParseExpr());
    return Status::Ok();
  }
  if (At(TokenKind::kSystemVariableMark)) {
    Next();
    if (Is(Ahead(1), Op::kDot) && AcceptScope(&item->scope)) {
      Next();
    }
    return ParseSetSystemVariable(item);
  }
  if (At(Kw::kNames) && !assigned(1)) {
    return ParseSetNames(item);
  }
  const bool charset =
      (At(Kw::kCharset) && !assigned(1)) || At(Kw::kCharacter, Kw::kSet) || At(Kw::kChar, Kw::kSet);
  if (charset) {
    AcceptCharsetKeyword();
    item->kind = SetItem::Kind::kCharset;
    ASSIGN_OR_RETURN(item->name, CharsetOrCollation());
    return Status::Ok();
  }
  if (At(Kw::kPassword) && !Is(Ahead(1), Op::kDot)) {
    return ParseSetPassword(item);
  }
  const bool scoped = !assigned(1) && AcceptScope(sticky);
  if (At(Kw::kTransaction) && !assigned(1)) {
    if (!first) {
      return Error();
    }
    item->scope = *sticky;
    return ParseSetTransaction(item);
  }
  // A plain name is the session's variable; @@name without a scope may mean less (SET TRANSACTION).
  item->scope = *sticky == VariableScope::kDefault ? VariableScope::kSession : *sticky;
  if (scoped && !AtIdent()) {
    return Error();
  }
  return ParseSetSystemVariable(item);
}

// NAMES charset [COLLATE collation], NAMES DEFAULT
Status Parser::ParseSetNames(SetItem* item) {
  Next();
  item->kind = SetItem::Kind::kNames;
  const bool is_default = At(Kw::kDefault);
  ASSIGN_OR_RETURN(item->name, CharsetName());
  if (!is_default && Accept(Kw::kCollate)) {
    ASSIGN_OR_RETURN(item->collation, CollationName());
  }
  return Status::Ok();
}

Status Parser::ParseSetTransaction(SetItem* item) {
  Next();
  item->kind = SetItem::Kind::kTransaction;
  do {
    RETURN_IF_ERROR(ParseTransactionCharacteristics(item));
  } while (Accept(Op::kComma));
  return Status::Ok();
}

// READ ONLY | READ WRITE | ISOLATION LEVEL level; each at most once
Status Parser::ParseTransactionCharacteristics(SetItem* item) {
  if (!item->read_only && Accept(Kw::kRead)) {
    item->read_only = At(Kw::kOnly);
    return AcceptAny({Kw::kOnly, Kw::kWrite}) ? Status::Ok() : Error();
  }
  if (item->isolation) {
    return Error();
  }
  RETURN_IF_ERROR(Expect(Kw::kIsolation, Kw::kLevel));
  if (Accept(Kw::kSerializable)) {
    item->isolation = IsolationLevel::kSerializable;
    return Status::Ok();
  }
  if (Accept(Kw::kRepeatable)) {
    item->isolation = IsolationLevel::kRepeatableRead;
    return Expect(Kw::kRead);
  }
  RETURN_IF_ERROR(Expect(Kw::kRead));
  item->isolation =
      At(Kw::kCommitted) ? IsolationLevel::kReadCommitted : IsolationLevel::kReadUncommitted;
  return AcceptAny({Kw::kCommitted, Kw::kUncommitted}) ? Status::Ok() : Error();
}

// PASSWORD [FOR user] = 'text' | TO RANDOM
Status Parser::ParseSetPassword(SetItem* item) {
  Next();
  item->kind = SetItem::Kind::kPassword;
  if (Accept(Kw::kFor)) {
    RETURN_IF_ERROR(Account(&item->account.emplace()));
  }
  if (Accept(Kw::kTo)) {
    item->random_password = true;
    RETURN_IF_ERROR(Expect(Kw::kRandom));
  } else {
    if (!Accept(Op::kEqual)) {
      RETURN_IF_ERROR(Expect(Op::kAssign));
    }
    ASSIGN_OR_RETURN(item->password, StringText());
  }
  if (Accept(Kw::kReplace)) {
    ASSIGN_OR_RETURN(item->current_password, StringText());
  }
  if (Accept(Kw::kRetain)) {
    item->retain_current_password = true;
    RETURN_IF_ERROR(Expect(Kw::kCurrent, Kw::kPassword));
  }
  return Status::Ok();
}

// [component.]name = value
Status Parser::ParseSetSystemVariable(SetItem* item) {
  item->kind = SetItem::Kind::kSystemVariable;
  if (Accept(Kw::kDefault)) {  // DEFAULT.key_buffer_size: the default key cache
    item->name = "default";
    if (!At(Op::kDot)) {
      return Error();
    }
  } else {
    ASSIGN_OR_RETURN(item->name, Ident());
  }
  if (Accept(Op::kDot)) {
    ASSIGN_OR_RETURN(const std::string part, DottedIdent());
    item->name += "." + part;
  }
  if (!Accept(Op::kEqual)) {
    RETURN_IF_ERROR(Expect(Op::kAssign));
  }
  if (At(Kw::kDefault) && !AtCall()) {
    Next();
    return Status::Ok();
  }
  ASSIGN_OR_RETURN(item->value, ParseSetValue());
  return Status::Ok();
}

// An expression, or one of the reserved words that are values here.
Result<ExprPtr> Parser::ParseSetValue() {
  const bool bare =
      At(Kw::kOn) || At(Kw::kAll) || At(Kw::kBinary) || At(Kw::kRow) || At(Kw::kSystem);
  const Token& next = Ahead(1);
  const bool alone =
      next.kind == TokenKind::kEnd || Is(next, Op::kComma) || Is(next, Op::kSemicolon);
  if (!bare || !alone) {
    return ParseExpr();
  }
  auto node = std::make_unique<Literal>();
  node->type = LiteralKind::kString;
  node->text = UpperText(Cur());
  if (At(Kw::kBinary)) {
    node->text = "binary";
  }
  node->first_part = node->text.size();
  node->span = {Cur().begin, Cur().end};
  Next();
  return ExprPtr(std::move(node));
}

Result<StmtPtr> Parser::ParseSetRole() {
  Next();
  auto stmt = std::make_unique<SetRoleStmt>();
  if (Accept(Kw::kNone)) {
    stmt->selection = RoleSelection::kNone;
  } else if (Accept(Kw::kDefault)) {
    stmt->selection = RoleSelection::kDefault;
  } else if (Accept(Kw::kAll)) {
    stmt->selection = RoleSelection::kAll;
    if (Accept(Kw::kExcept)) {
      stmt->selection = RoleSelection::kAllExcept;
      RETURN_IF_ERROR(RoleNames(&stmt->roles));
    }
  } else {
    stmt->selection = RoleSelection::kList;
    RETURN_IF_ERROR(RoleNames(&stmt->roles));
  }
  return StmtPtr(std::move(stmt));
}

Result<StmtPtr> Parser::ParseSetDefaultRole() {
  Next();
  Next();
  auto stmt = std::make_unique<SetDefaultRoleStmt>();
  if (Accept(Kw::kNone)) {
    stmt->selection = RoleSelection::kNone;
  } else if (Accept(Kw::kAll)) {
    stmt->selection = RoleSelection::kAll;
  } else {
    stmt->selection = RoleSelection::kList;
    RETURN_IF_ERROR(RoleNames(&stmt->roles));
  }
  RETURN_IF_ERROR(Expect(Kw::kTo));
  RETURN_IF_ERROR(AccountList(&stmt->accounts));
  return StmtPtr(std::move(stmt));
}

}  // namespace borealis::sql
