// SHOW, DESCRIBE and EXPLAIN.
#include "sql/parser/parser_internal.h"

namespace borealis::sql {

// [{FROM | IN} schema]
Status Parser::ParseShowFrom(std::string* schema) {
  if (Accept(Kw::kFrom) || Accept(Kw::kIn)) {
    ASSIGN_OR_RETURN(*schema, Ident());
  }
  return Status::Ok();
}

// [LIKE 'pattern' | WHERE expr]
Status Parser::ParseShowFilter(ShowStmt* stmt) {
  if (Accept(Kw::kLike)) {
    ASSIGN_OR_RETURN(stmt->like, StringText());
  } else if (Accept(Kw::kWhere)) {
    ASSIGN_OR_RETURN(stmt->where, ParseExpr());
  }
  return Status::Ok();
}

Result<StmtPtr> Parser::ParseShow() {
  Next();
  auto stmt = std::make_unique<ShowStmt>();
  if (Accept(Kw::kCreate)) {
    RETURN_IF_ERROR(ParseShowCreate(stmt.get()));
    return StmtPtr(std::move(stmt));
  }
  if (At(Kw::kFull) || At(Kw::kExtended)) {
    RETURN_IF_ERROR(ParseShowFull(stmt.get()));
    return StmtPtr(std::move(stmt));
  }
  if ((At(Kw::kGlobal) || At(Kw::kSession) || At(Kw::kLocal)) && AcceptScope(&stmt->scope)) {
    if (!At(Kw::kVariables) && !At(Kw::kStatus)) {
      return Error();
    }
  }
  bool handled = false;
  RETURN_IF_ERROR(ParseShowTableThings(stmt.get(), &handled));
  if (!handled) {
    RETURN_IF_ERROR(ParseShowDiagnostics(stmt.get(), &handled));
  }
  if (!handled) {
    RETURN_IF_ERROR(ParseShowReplication(stmt.get(), &handled));
  }
  if (!handled) {
    RETURN_IF_ERROR(ParseShowServerThings(stmt.get(), &handled));
  }
  if (!handled) {
    return Error();
  }
  return StmtPtr(std::move(stmt));
}

// FULL | EXTENDED [FULL]: COLUMNS, TABLES, PROCESSLIST, INDEX
Status Parser::ParseShowFull(ShowStmt* stmt) {
  stmt->extended = Accept(Kw::kExtended);
  stmt->full = Accept(Kw::kFull);
  if (!stmt->extended && Accept(Kw::kProcesslist)) {
    stmt->show = ShowKind::kProcesslist;
    return Status::Ok();
  }
  const bool index = At(Kw::kIndex) || At(Kw::kIndexes) || At(Kw::kKeys);
  const bool listing = At(Kw::kColumns) || At(Kw::kFields) || At(Kw::kTables) ||
                       (!stmt->extended && At(Kw::kTriggers));
  if (!listing && (stmt->full || !index)) {
    return Error();
  }
  bool handled = false;
  return ParseShowTableThings(stmt, &handled);
}

Status Parser::ParseShowColumns(ShowStmt* stmt) {
  Next();
  stmt->show = ShowKind::kColumns;
  if (!Accept(Kw::kFrom)) {
    RETURN_IF_ERROR(Expect(Kw::kIn));
  }
  RETURN_IF_ERROR(TableName(&stmt->table));
  std::string schema;
  RETURN_IF_ERROR(ParseShowFrom(&schema));
  if (!schema.empty()) {
    stmt->table.schema = std::move(schema);
  }
  return ParseShowFilter(stmt);
}

Status Parser::ParseShowIndexes(ShowStmt* stmt) {
  Next();
  stmt->show = ShowKind::kIndexes;
  if (!Accept(Kw::kFrom)) {
    RETURN_IF_ERROR(Expect(Kw::kIn));
  }
  RETURN_IF_ERROR(TableName(&stmt->table));
  std::string schema;
  RETURN_IF_ERROR(ParseShowFrom(&schema));
  if (!schema.empty()) {
    stmt->table.schema = std::move(schema);
  }
  if (Accept(Kw::kWhere)) {
    ASSIGN_OR_RETURN(stmt->where, ParseExpr());
  }
  return Status::Ok();
}

Status Parser::ParseShowTableThings(ShowStmt* stmt, bool* handled) {
  *handled = true;
  switch (At(TokenKind::kIdent) ? Cur().keyword : Kw::kNotKeyword) {
    case Kw::kColumns:
    case Kw::kFields:
      return ParseShowColumns(stmt);
    case Kw::kIndex:
    case Kw::kIndexes:
    case Kw::kKeys:
      return ParseShowIndexes(stmt);
    case Kw::kDatabases:
    case Kw::kSchemas:
      Next();
      stmt->show = ShowKind::kDatabases;
      return ParseShowFilter(stmt);
    case Kw::kTables:
      Next();
      stmt->show = ShowKind::kTables;
      break;
    case Kw::kTable:
      Next();
      RETURN_IF_ERROR(Expect(Kw::kStatus));
      stmt->show = ShowKind::kTableStatus;
      break;
    case Kw::kOpen:
      Next();
      RETURN_IF_ERROR(Expect(Kw::kTables));
      stmt->show = ShowKind::kOpenTables;
      break;
    case Kw::kTriggers:
      Next();
      stmt->show = ShowKind::kTriggers;
      break;
    case Kw::kEvents:
      Next();
      stmt->show = ShowKind::kEvents;
      break;
    default:
      *handled = false;
      return Status::Ok();
  }
  RETURN_IF_ERROR(ParseShowFrom(&stmt->schema));
  return ParseShowFilter(stmt);
}

// WARNINGS, ERRORS, COUNT(*) WARNINGS | ERRORS, PROFILE(S)
Status Parser::ParseShowDiagnostics(ShowStmt* stmt, bool* handled) {
  *handled = true;
  if (AtWord("COUNT") && AtCall()) {
    Next();
    Next();
    RETURN_IF_ERROR(Expect(Op::kStar));
    RETURN_IF_ERROR(Expect(Op::kRightParen));
    stmt->show = At(Kw::kErrors) ? ShowKind::kCountErrors : ShowKind::kCountWarnings;
    return AcceptAny({Kw::kErrors, Kw::kWarnings}) ? Status::Ok() : Error();
  }
  if (At(Kw::kWarnings) || At(Kw::kErrors)) {
    stmt->show = At(Kw::kErrors) ? ShowKind::kErrors : ShowKind::kWarnings;
    Next();
    return Accept(Kw::kLimit) ? ParseLimit(&stmt->limit.emplace()) : Status::Ok();
  }
  if (Accept(Kw::kProfiles)) {
    stmt->show = ShowKind::kProfiles;
    return Status::Ok();
  }
  if (Accept(Kw::kProfile)) {
    return ParseShowProfile(stmt);
  }
  *handled = false;
  return Status::Ok();
}

Status Parser::ParseShowProfile(ShowStmt* stmt) {
  stmt->show = ShowKind::kProfile;
  do {
    if (Accept(Kw::kBlock)) {
      RETURN_IF_ERROR(Expect(Kw::kIo));
    } else if (Accept(Kw::kContext)) {
      RETURN_IF_ERROR(Expect(Kw::kSwitches));
    } else if (Accept(Kw::kPage)) {
      RETURN_IF_ERROR(Expect(Kw::kFaults));
    } else if (!AcceptAny({Kw::kAll, Kw::kCpu, Kw::kIpc, Kw::kMemory, Kw::kSource, Kw::kSwaps})) {
      break;
    }
  } while (Accept(Op::kComma));
  if (Accept(Kw::kFor)) {
    RETURN_IF_ERROR(Expect(Kw::kQuery));
    stmt->name = std::string(TextOf(Cur()));
    RETURN_IF_ERROR(UnsignedNumber().status());
  }
  return Accept(Kw::kLimit) ? ParseLimit(&stmt->limit.emplace()) : Status::Ok();
}

Status Parser::ParseShowReplication(ShowStmt* stmt, bool* handled) {
  *handled = true;
  if (Accept(Kw::kMaster, Kw::kStatus)) {
    stmt->show = ShowKind::kBinaryLogStatus;
    return Status::Ok();
  }
  if (Accept(Kw::kMaster, Kw::kLogs)) {
    stmt->show = ShowKind::kBinaryLogs;
    return Status::Ok();
  }
  if (Accept(Kw::kBinary)) {
    if (Accept(Kw::kLogs)) {
      stmt->show = ShowKind::kBinaryLogs;
      return Status::Ok();
    }
    stmt->show = ShowKind::kBinaryLogStatus;
    return Expect(Kw::kLog, Kw::kStatus);
  }
  if (Accept(Kw::kReplicas) || Accept(Kw::kSlave, Kw::kHosts)) {
    stmt->show = ShowKind::kReplicas;
    return Status::Ok();
  }
  if (At(Kw::kReplica) || At(Kw::kSlave)) {
    Next();
    stmt->show = ShowKind::kReplicaStatus;
    RETURN_IF_ERROR(Expect(Kw::kStatus));
    if (Accept(Kw::kFor)) {
      RETURN_IF_ERROR(Expect(Kw::kChannel));
      ASSIGN_OR_RETURN(stmt->name, IdentOrString());
    }
    return Status::Ok();
  }
  if (At(Kw::kBinlog) || At(Kw::kRelaylog)) {
    stmt->show = At(Kw::kBinlog) ? ShowKind::kBinlogEvents : ShowKind::kRelaylogEvents;
    Next();
    RETURN_IF_ERROR(Expect(Kw::kEvents));
    if (Accept(Kw::kIn)) {
      ASSIGN_OR_RETURN(stmt->name, StringText());
    }
    if (Accept(Kw::kFrom)) {
      RETURN_IF_ERROR(UnsignedNumber().status());
    }
    return Accept(Kw::kLimit) ? ParseLimit(&stmt->limit.emplace()) : Status::Ok();
  }
  *handled = false;
  return Status::Ok();
}

Status Parser::ParseShowServerThings(ShowStmt* stmt, bool* handled) {
  *handled = true;
  switch (At(TokenKind::kIdent) ? Cur().keyword : Kw::kNotKeyword) {
    case Kw::kVariables:
      stmt->show = ShowKind::kVariables;
      break;
    case Kw::kStatus:
      stmt->show = ShowKind::kStatus;
      break;
    case Kw::kCollation:
      stmt->show = ShowKind::kCollation;
      break;
    case Kw::kCharset:
    case Kw::kCharacter:
    case Kw::kChar:
      if (!AcceptCharsetKeyword()) {
        return Error();
      }
      stmt->show = ShowKind::kCharacterSet;
      return ParseShowFilter(stmt);
    case Kw::kProcedure:
    case Kw::kFunction:
      stmt->show = At(Kw::kFunction) ? ShowKind::kFunctionStatus : ShowKind::kProcedureStatus;
      Next();
      RETURN_IF_ERROR(Expect(Kw::kStatus));
      return ParseShowFilter(stmt);
    case Kw::kEngine:
      return ParseShowEngine(stmt);
    case Kw::kStorage:
      Next();
      stmt->show = ShowKind::kEngines;
      return Expect(Kw::kEngines);
    case Kw::kEngines:
      Next();
      stmt->show = ShowKind::kEngines;
      return Status::Ok();
    case Kw::kPlugins:
      Next();
      stmt->show = ShowKind::kPlugins;
      return Status::Ok();
    case Kw::kPrivileges:
      Next();
      stmt->show = ShowKind::kPrivileges;
      return Status::Ok();
    case Kw::kProcesslist:
      Next();
      stmt->show = ShowKind::kProcesslist;
      return Status::Ok();
    case Kw::kGrants:
      return ParseShowGrants(stmt);
    default:
      *handled = false;
      return Status::Ok();
  }
  Next();
  return ParseShowFilter(stmt);
}

Status Parser::ParseShowEngine(ShowStmt* stmt) {
  Next();
  stmt->show = ShowKind::kEngine;
  if (!Accept(Kw::kAll)) {
    ASSIGN_OR_RETURN(stmt->name, IdentOrString());
  }
  stmt->engine_part = UpperText(Cur());
  return AcceptAny({Kw::kStatus, Kw::kMutex, Kw::kLogs}) ? Status::Ok() : Error();
}

Status Parser::ParseShowGrants(ShowStmt* stmt) {
  Next();
  stmt->show = ShowKind::kGrants;
  if (Accept(Kw::kFor)) {
    RETURN_IF_ERROR(Account(&stmt->account.emplace()));
    if (Accept(Kw::kUsing)) {
      RETURN_IF_ERROR(AccountList(&stmt->roles));
    }
  }
  return Status::Ok();
}

Status Parser::ParseShowCreate(ShowStmt* stmt) {
  if (Accept(Kw::kDatabase) || Accept(Kw::kSchema)) {
    stmt->show = ShowKind::kCreateDatabase;
    Status error;
    stmt->if_not_exists = AcceptIfNotExists(&error);
    RETURN_IF_ERROR(error);
    ASSIGN_OR_RETURN(stmt->name, Ident());
    return Status::Ok();
  }
  if (Accept(Kw::kUser)) {
    stmt->show = ShowKind::kCreateUser;
    return Account(&stmt->account.emplace());
  }
  if (Accept(Kw::kTable)) {
    stmt->show = ShowKind::kCreateTable;
  } else if (Accept(Kw::kView)) {
    stmt->show = ShowKind::kCreateView;
  } else if (Accept(Kw::kProcedure)) {
    stmt->show = ShowKind::kCreateProcedure;
  } else if (Accept(Kw::kFunction)) {
    stmt->show = ShowKind::kCreateFunction;
  } else if (Accept(Kw::kTrigger)) {
    stmt->show = ShowKind::kCreateTrigger;
  } else if (Accept(Kw::kEvent)) {
    stmt->show = ShowKind::kCreateEvent;
  } else {
    return Error();
  }
  return TableName(&stmt->table);
}

// FORMAT = name | 'name'
Status Parser::ParseExplainFormat(ExplainFormat* format) {
  RETURN_IF_ERROR(Expect(Op::kEqual));
  const Token& token = Cur();
  ASSIGN_OR_RETURN(std::string name, IdentOrString());
  for (char& c : name) {
    c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
  }
  if (name == "TRADITIONAL") {
    *format = ExplainFormat::kTraditional;
  } else if (name == "TREE") {
    *format = ExplainFormat::kTree;
  } else if (name == "JSON") {
    *format = ExplainFormat::kJson;
  } else {
    return ErrorAt(token);
  }
  return Status::Ok();
}

Result<StmtPtr> Parser::ParseDescribe() {
  Next();
  const bool analyze = Accept(Kw::kAnalyze);
  if (!analyze && (At(Kw::kExtended) || At(Kw::kPartitions)) &&
      Ahead(1).kind == TokenKind::kIdent && IsReserved(Ahead(1).keyword)) {
    Next();  // old spellings that change nothing
  }
  ExplainFormat format = ExplainFormat::kDefault;
  if (At(Kw::kFormat) && Is(Ahead(1), Op::kEqual)) {
    Next();
    RETURN_IF_ERROR(ParseExplainFormat(&format));
  }
  if (At(Kw::kFor, Kw::kConnection)) {
    Next();
    Next();
    auto stmt = std::make_unique<ExplainConnectionStmt>();
    stmt->format = format;
    ASSIGN_OR_RETURN(stmt->connection_id, UnsignedNumber());
    return StmtPtr(std::move(stmt));
  }
  const bool dml = At(Kw::kInsert) || At(Kw::kReplace) || At(Kw::kUpdate) || At(Kw::kDelete);
  if (dml || AtQuery()) {
    auto stmt = std::make_unique<ExplainStmt>();
    stmt->analyze = analyze;
    stmt->format = format;
    const uint32_t begin = Begin();
    ASSIGN_OR_RETURN(stmt->statement, ParseStatement());
    stmt->statement->span = SpanFrom(begin);
    return StmtPtr(std::move(stmt));
  }
  if (analyze || format != ExplainFormat::kDefault) {
    return Error();
  }
  auto stmt = std::make_unique<DescribeStmt>();
  RETURN_IF_ERROR(TableName(&stmt->table));
  if (!AtEnd()) {
    ASSIGN_OR_RETURN(stmt->column, IdentOrString());
  }
  return StmtPtr(std::move(stmt));
}

}  // namespace borealis::sql
