// Users, roles, GRANT and REVOKE.
#include "sql/parser/parser_internal.h"

namespace borealis::sql {

Status Parser::RoleNames(std::vector<AccountName>* out) {
  return AccountList(out);
}

// account [IDENTIFIED …] [REPLACE 'old'] [RETAIN CURRENT PASSWORD] [DISCARD OLD PASSWORD]
Status Parser::ParseUserSpec(UserSpec* user) {
  const bool user_function = At(Kw::kUser) && AtCall();
  if (user_function) {  // ALTER USER USER() IDENTIFIED BY …
    Next();
    Next();
    RETURN_IF_ERROR(Expect(Op::kRightParen));
    user->account.current_user = true;
  } else {
    RETURN_IF_ERROR(Account(&user->account));
  }
  if (Accept(Kw::kDiscard)) {
    user->discard_old_password = true;
    return Expect(Kw::kOld, Kw::kPassword);
  }
  if (!Accept(Kw::kIdentified)) {
    return Status::Ok();
  }
  user->identified = true;
  if (Accept(Kw::kWith)) {
    ASSIGN_OR_RETURN(user->plugin, IdentOrString());
    if (Accept(Kw::kAs)) {
      if (At(TokenKind::kHex)) {
        user->hash = HexValue(text_, Cur());
        Next();
      } else {
        ASSIGN_OR_RETURN(user->hash, StringText());
      }
    }
  } else if (!At(Kw::kBy)) {
    return Error();
  }
  if (!user->hash && Accept(Kw::kBy)) {
    if (Accept(Kw::kRandom)) {
      user->random_password = true;
      RETURN_IF_ERROR(Expect(Kw::kPassword));
    } else {
      ASSIGN_OR_RETURN(user->password, StringText());
    }
  }
  if (Accept(Kw::kReplace)) {
    ASSIGN_OR_RETURN(user->current_password, StringText());
  }
  if (Accept(Kw::kRetain)) {
    user->retain_current_password = true;
    return Expect(Kw::kCurrent, Kw::kPassword);
  }
  return Status::Ok();
}

Status Parser::ParseUserSpecs(std::vector<UserSpec>* users) {
  do {
    RETURN_IF_ERROR(ParseUserSpec(&users->emplace_back()));
  } while (Accept(Op::kComma));
  return Status::Ok();
}

// REQUIRE NONE | SSL | X509 | CIPHER 'c' | ISSUER 'i' | SUBJECT 's' [AND …]
Status Parser::ParseRequire(std::vector<AccountOption>* options) {
  if (!Accept(Kw::kRequire)) {
    return Status::Ok();
  }
  if (At(Kw::kNone) || At(Kw::kSsl) || At(Kw::kX509)) {
    options->emplace_back().name = "REQUIRE " + UpperText(Cur());
    Next();
    return Status::Ok();
  }
  do {
    AccountOption& option = options->emplace_back();
    option.name = "REQUIRE " + UpperText(Cur());
    if (!AcceptAny({Kw::kCipher, Kw::kIssuer, Kw::kSubject})) {
      return Error();
    }
    ASSIGN_OR_RETURN(option.text, StringText());
    Accept(Kw::kAnd);
  } while (At(Kw::kCipher) || At(Kw::kIssuer) || At(Kw::kSubject));
  return Status::Ok();
}

Status Parser::ParseAccountOptions(std::vector<AccountOption>* options) {
  RETURN_IF_ERROR(ParseRequire(options));
  if (Accept(Kw::kWith)) {
    bool any = false;
    while (At(Kw::kMaxQueriesPerHour) || At(Kw::kMaxUpdatesPerHour) ||
           At(Kw::kMaxConnectionsPerHour) || At(Kw::kMaxUserConnections)) {
      AccountOption& option = options->emplace_back();
      option.name = UpperText(Cur());
      Next();
      ASSIGN_OR_RETURN(option.number, UnsignedNumber());
      any = true;
    }
    if (!any) {
      return Error();
    }
  }
  while (true) {
    AccountOption option;
    bool handled = false;
    RETURN_IF_ERROR(ParseAccountOption(&option, &handled));
    if (!handled) {
      return Status::Ok();
    }
    options->push_back(std::move(option));
  }
}

Status Parser::ParseAccountOption(AccountOption* option, bool* handled) {
  *handled = true;
  if (Accept(Kw::kAccount)) {
    option->name = "ACCOUNT " + UpperText(Cur());
    return AcceptAny({Kw::kLock, Kw::kUnlock}) ? Status::Ok() : Error();
  }
  if (Accept(Kw::kPassword)) {
    return ParsePasswordOption(option);
  }
  if (At(Kw::kFailedLoginAttempts) || At(Kw::kPasswordLockTime)) {
    option->name = UpperText(Cur());
    Next();
    if (Accept(Kw::kUnbounded)) {
      option->text = "UNBOUNDED";
      return Status::Ok();
    }
    ASSIGN_OR_RETURN(option->number, UnsignedNumber());
    return Status::Ok();
  }
  if (At(Kw::kComment) || At(Kw::kAttribute)) {
    option->name = UpperText(Cur());
    Next();
    ASSIGN_OR_RETURN(option->text, StringText());
    return Status::Ok();
  }
  *handled = false;
  return Status::Ok();
}

// After PASSWORD: EXPIRE [DEFAULT | NEVER | INTERVAL n DAY], HISTORY n|DEFAULT,
// REUSE INTERVAL n DAY|DEFAULT, REQUIRE CURRENT [DEFAULT | OPTIONAL]
Status Parser::ParsePasswordOption(AccountOption* option) {
  option->name = "PASSWORD " + UpperText(Cur());
  if (Accept(Kw::kExpire)) {
    if (At(Kw::kDefault) || At(Kw::kNever)) {
      option->name += " " + UpperText(Cur());
      Next();
    } else if (Accept(Kw::kInterval)) {
      option->name += " INTERVAL";
      ASSIGN_OR_RETURN(option->number, UnsignedNumber());
      return Expect(Kw::kDay);
    }
    return Status::Ok();
  }
  if (Accept(Kw::kHistory)) {
    if (Accept(Kw::kDefault)) {
      return Status::Ok();
    }
    ASSIGN_OR_RETURN(option->number, UnsignedNumber());
    return Status::Ok();
  }
  if (Accept(Kw::kReuse)) {
    RETURN_IF_ERROR(Expect(Kw::kInterval));
    option->name += " INTERVAL";
    if (Accept(Kw::kDefault)) {
      return Status::Ok();
    }
    ASSIGN_OR_RETURN(option->number, UnsignedNumber());
    return Expect(Kw::kDay);
  }
  RETURN_IF_ERROR(Expect(Kw::kRequire, Kw::kCurrent));
  option->name += " CURRENT";
  if (At(Kw::kDefault) || At(Kw::kOptional)) {
    option->name += " " + UpperText(Cur());
    Next();
  }
  return Status::Ok();
}

Result<StmtPtr> Parser::ParseCreateUser() {
  Next();
  Next();
  auto stmt = std::make_unique<CreateUserStmt>();
  Status error;
  stmt->if_not_exists = AcceptIfNotExists(&error);
  RETURN_IF_ERROR(error);
  RETURN_IF_ERROR(ParseUserSpecs(&stmt->users));
  if (Accept(Kw::kDefault)) {
    RETURN_IF_ERROR(Expect(Kw::kRole));
    RETURN_IF_ERROR(RoleNames(&stmt->default_roles));
  }
  RETURN_IF_ERROR(ParseAccountOptions(&stmt->options));
  return StmtPtr(std::move(stmt));
}

Result<StmtPtr> Parser::ParseAlterUser() {
  Next();
  Next();
  auto stmt = std::make_unique<AlterUserStmt>();
  Status error;
  stmt->if_exists = AcceptIfExists(&error);
  RETURN_IF_ERROR(error);
  RETURN_IF_ERROR(ParseUserSpecs(&stmt->users));
  if (Accept(Kw::kDefault)) {
    RETURN_IF_ERROR(Expect(Kw::kRole));
    if (Accept(Kw::kNone)) {
      stmt->default_role = RoleSelection::kNone;
    } else if (Accept(Kw::kAll)) {
      stmt->default_role = RoleSelection::kAll;
    } else {
      stmt->default_role = RoleSelection::kList;
      RETURN_IF_ERROR(RoleNames(&stmt->default_roles));
    }
  }
  RETURN_IF_ERROR(ParseAccountOptions(&stmt->options));
  return StmtPtr(std::move(stmt));
}

Result<StmtPtr> Parser::ParseDropUser() {
  Next();
  Next();
  auto stmt = std::make_unique<DropUserStmt>();
  Status error;
  stmt->if_exists = AcceptIfExists(&error);
  RETURN_IF_ERROR(error);
  RETURN_IF_ERROR(AccountList(&stmt->users));
  return StmtPtr(std::move(stmt));
}

Result<StmtPtr> Parser::ParseRenameUser() {
  Next();
  Next();
  auto stmt = std::make_unique<RenameUserStmt>();
  do {
    auto& [from, to] = stmt->renames.emplace_back();
    RETURN_IF_ERROR(Account(&from));
    RETURN_IF_ERROR(Expect(Kw::kTo));
    RETURN_IF_ERROR(Account(&to));
  } while (Accept(Op::kComma));
  return StmtPtr(std::move(stmt));
}

Result<StmtPtr> Parser::ParseCreateRole() {
  Next();
  Next();
  auto stmt = std::make_unique<CreateRoleStmt>();
  Status error;
  stmt->if_not_exists = AcceptIfNotExists(&error);
  RETURN_IF_ERROR(error);
  RETURN_IF_ERROR(RoleNames(&stmt->roles));
  return StmtPtr(std::move(stmt));
}

Result<StmtPtr> Parser::ParseDropRole() {
  Next();
  Next();
  auto stmt = std::make_unique<DropRoleStmt>();
  Status error;
  stmt->if_exists = AcceptIfExists(&error);
  RETURN_IF_ERROR(error);
  RETURN_IF_ERROR(RoleNames(&stmt->roles));
  return StmtPtr(std::move(stmt));
}

// A privilege is one or more words (CREATE TEMPORARY TABLES, BACKUP_ADMIN), then maybe columns.
Status Parser::ParsePrivilege(PrivilegeSpec* privilege) {
  while (At(TokenKind::kIdent) && !At(Kw::kOn) && !At(Kw::kTo) && !At(Kw::kFrom)) {
    if (!privilege->name.empty()) {
      privilege->name += ' ';
    }
    privilege->name += UpperText(Cur());
    Next();
  }
  if (privilege->name.empty()) {
    return Error();
  }
  return At(Op::kLeftParen) ? IdentList(&privilege->columns) : Status::Ok();
}

Status Parser::ParsePrivileges(std::vector<PrivilegeSpec>* out) {
  do {
    RETURN_IF_ERROR(ParsePrivilege(&out->emplace_back()));
  } while (Accept(Op::kComma));
  return Status::Ok();
}

// [TABLE | FUNCTION | PROCEDURE] * | *.* | schema.* | [schema.]name
Status Parser::ParseGrantTarget(GrantObject* object, QualifiedName* target) {
  if (Accept(Kw::kFunction)) {
    *object = GrantObject::kFunction;
  } else if (Accept(Kw::kProcedure)) {
    *object = GrantObject::kProcedure;
  } else {
    Accept(Kw::kTable);
  }
  const uint32_t begin = Begin();
  if (Accept(Op::kStar)) {
    target->name = "*";
    if (Accept(Op::kDot)) {
      target->schema = "*";
      RETURN_IF_ERROR(Expect(Op::kStar));
    }
  } else {
    ASSIGN_OR_RETURN(target->name, Ident());
    if (Accept(Op::kDot)) {
      target->schema = std::move(target->name);
      if (Accept(Op::kStar)) {
        target->name = "*";
      } else {
        ASSIGN_OR_RETURN(target->name, DottedIdent());
      }
    }
  }
  target->span = SpanFrom(begin);
  return Status::Ok();
}

// Whether a list of roles stands before `end` (TO or FROM), that is, no ON comes before it.
bool Parser::AtRoleGrant(Kw end) const {
  for (size_t i = pos_; i < tokens_.size(); ++i) {
    if (Is(tokens_[i], Kw::kOn)) {
      return false;
    }
    if (Is(tokens_[i], end)) {
      return true;
    }
  }
  return false;
}

Result<StmtPtr> Parser::ParseGrant() {
  Next();
  auto stmt = std::make_unique<GrantStmt>();
  if (At(Kw::kProxy) && Is(Ahead(1), Kw::kOn)) {
    Next();
    Next();
    RETURN_IF_ERROR(Account(&stmt->proxy.emplace()));
  } else if (AtRoleGrant(Kw::kTo)) {
    RETURN_IF_ERROR(RoleNames(&stmt->roles));
  } else {
    RETURN_IF_ERROR(ParsePrivileges(&stmt->privileges));
    RETURN_IF_ERROR(Expect(Kw::kOn));
    RETURN_IF_ERROR(ParseGrantTarget(&stmt->object, &stmt->target));
  }
  RETURN_IF_ERROR(Expect(Kw::kTo));
  RETURN_IF_ERROR(ParseUserSpecs(&stmt->users));
  while (Accept(Kw::kWith)) {
    if (Accept(Kw::kGrant)) {
      stmt->with_grant_option = true;
    } else {
      RETURN_IF_ERROR(Expect(Kw::kAdmin));
      stmt->with_admin_option = true;
    }
    RETURN_IF_ERROR(Expect(Kw::kOption));
  }
  if (Accept(Kw::kAs)) {  // AS user [WITH ROLE …]
    AccountName ignored;
    RETURN_IF_ERROR(Account(&ignored));
    if (Accept(Kw::kWith)) {
      RETURN_IF_ERROR(Expect(Kw::kRole));
      std::vector<AccountName> roles;
      if (!AcceptAny({Kw::kDefault, Kw::kNone, Kw::kAll})) {
        RETURN_IF_ERROR(RoleNames(&roles));
      }
    }
  }
  return StmtPtr(std::move(stmt));
}

Result<StmtPtr> Parser::ParseRevoke() {
  Next();
  auto stmt = std::make_unique<RevokeStmt>();
  Status error;
  stmt->if_exists = AcceptIfExists(&error);
  RETURN_IF_ERROR(error);
  if (At(Kw::kProxy) && Is(Ahead(1), Kw::kOn)) {
    Next();
    Next();
    RETURN_IF_ERROR(Account(&stmt->proxy.emplace()));
  } else if (At(Kw::kAll) && AtRoleGrant(Kw::kFrom)) {
    Next();
    Accept(Kw::kPrivileges);
    RETURN_IF_ERROR(Expect(Op::kComma));
    RETURN_IF_ERROR(Expect(Kw::kGrant, Kw::kOption));
    stmt->all_and_grant_option = true;
  } else if (AtRoleGrant(Kw::kFrom)) {
    RETURN_IF_ERROR(RoleNames(&stmt->roles));
  } else {
    RETURN_IF_ERROR(ParsePrivileges(&stmt->privileges));
    RETURN_IF_ERROR(Expect(Kw::kOn));
    RETURN_IF_ERROR(ParseGrantTarget(&stmt->object, &stmt->target));
  }
  RETURN_IF_ERROR(Expect(Kw::kFrom));
  RETURN_IF_ERROR(AccountList(&stmt->users));
  if (Accept(Kw::kIgnore)) {
    stmt->ignore_unknown_user = true;
    RETURN_IF_ERROR(Expect(Kw::kUnknown, Kw::kUser));
  }
  return StmtPtr(std::move(stmt));
}

}  // namespace borealis::sql
