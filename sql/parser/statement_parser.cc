// Which statement is it: dispatch on the first words.
#include "base/mysql_error.h"
#include "sql/parser/parser_internal.h"

namespace borealis::sql {

// The rest of the text belongs to the statement, whatever it holds.
Result<StmtPtr> Parser::Unsupported(std::string construct) {
  if (program_) {
    return UserError(ER_NOT_SUPPORTED_YET, construct);
  }
  auto stmt = std::make_unique<UnsupportedStmt>();
  stmt->construct = std::move(construct);
  consume_all_ = true;
  return StmtPtr(std::move(stmt));
}

Result<StmtPtr> Parser::ParseSelectStatement() {
  auto stmt = std::make_unique<SelectStmt>();
  ASSIGN_OR_RETURN(stmt->query, ParseTopQuery());
  return StmtPtr(std::move(stmt));
}

Result<StmtPtr> Parser::ParseStatement() {
  const NestingScope scope(this);  // EXPLAIN holds a statement
  if (!scope.ok()) {
    return TooDeep();
  }
  if (At(Op::kLeftParen)) {
    return ParseSelectStatement();
  }
  if (!At(TokenKind::kIdent)) {
    return Error();
  }
  switch (Cur().keyword) {
    case Kw::kSelect:
    case Kw::kValues:
    case Kw::kTable:
      return ParseSelectStatement();
    case Kw::kWith:
      return ParseWithStatement();
    case Kw::kInsert:
      return ParseInsert(false);
    case Kw::kReplace:
      return ParseInsert(true);
    case Kw::kUpdate:
      return ParseUpdate(nullptr);
    case Kw::kDelete:
      return ParseDelete(nullptr);
    case Kw::kLoad:
      return ParseLoad();
    case Kw::kDo:
      return ParseDo();
    case Kw::kCall:
      return ParseCallStatement();
    case Kw::kHandler:
      return ParseHandler();
    case Kw::kCreate:
      return ParseCreate();
    case Kw::kAlter:
      return ParseAlter();
    case Kw::kDrop:
      return ParseDrop();
    case Kw::kRename:
      return ParseRename();
    case Kw::kTruncate:
      return ParseTruncate();
    case Kw::kStart:
      return ParseStart();
    case Kw::kBegin:
      return ParseBegin();
    case Kw::kCommit:
      return ParseCommit();
    case Kw::kRollback:
      return ParseRollback();
    case Kw::kSavepoint:
      return ParseSavepoint();
    case Kw::kRelease:
      return ParseRelease();
    case Kw::kXa:
      return ParseXa();
    case Kw::kSet:
      return ParseSet();
    case Kw::kShow:
      return ParseShow();
    case Kw::kDescribe:
    case Kw::kDesc:
    case Kw::kExplain:
      return ParseDescribe();
    case Kw::kUse:
      return ParseUse();
    case Kw::kHelp:
      return ParseHelp();
    case Kw::kKill:
      return ParseKill();
    case Kw::kPrepare:
      return ParsePrepare();
    case Kw::kExecute:
      return ParseExecute();
    case Kw::kDeallocate:
      return ParseDeallocate();
    case Kw::kLock:
      return ParseLock();
    case Kw::kUnlock:
      return ParseUnlock();
    case Kw::kFlush:
      return ParseFlush();
    case Kw::kReset:
      return ParseReset();
    case Kw::kAnalyze:
      return ParseTableMaintenance(TableMaintenanceStmt::Verb::kAnalyze);
    case Kw::kOptimize:
      return ParseTableMaintenance(TableMaintenanceStmt::Verb::kOptimize);
    case Kw::kCheck:
      return ParseTableMaintenance(TableMaintenanceStmt::Verb::kCheck);
    case Kw::kRepair:
      return ParseTableMaintenance(TableMaintenanceStmt::Verb::kRepair);
    case Kw::kChecksum:
      return ParseTableMaintenance(TableMaintenanceStmt::Verb::kChecksum);
    case Kw::kGrant:
      return ParseGrant();
    case Kw::kRevoke:
      return ParseRevoke();
    case Kw::kSignal:
      return ParseSignal(false);
    case Kw::kResignal:
      return ParseSignal(true);
    case Kw::kGet:
      return ParseGetDiagnostics();
    case Kw::kShutdown:
    case Kw::kRestart: {
      auto stmt = std::make_unique<ShutdownStmt>();
      stmt->restart = At(Kw::kRestart);
      Next();
      return StmtPtr(std::move(stmt));
    }
    case Kw::kBinlog:
    case Kw::kCache:
    case Kw::kChange:
    case Kw::kClone:
    case Kw::kImport:
    case Kw::kInstall:
    case Kw::kPurge:
    case Kw::kStop:
    case Kw::kUninstall: {
      const std::string first = UpperText(Cur());
      Next();
      if (!At(TokenKind::kIdent)) {
        return first == "BINLOG" && At(TokenKind::kString) ? Unsupported(first) : Error();
      }
      return Unsupported(first + " " + UpperText(Cur()));
    }
    default:
      return Error();
  }
}

// At the word that says of which kind it is. No stored program may make another.
Result<StmtPtr> Parser::ParseCreateProgram(std::optional<AccountName> definer) {
  const std::string what = At(Kw::kAggregate) ? "FUNCTION" : UpperText(Cur());
  if (program_) {
    return At(Kw::kEvent) ? UserError(ER_EVENT_RECURSION_FORBIDDEN)
                          : UserError(ER_SP_NO_RECURSIVE_CREATE, what);
  }
  return At(Kw::kTrigger) ? ParseCreateTrigger(std::move(definer)) : Unsupported("CREATE " + what);
}

Result<StmtPtr> Parser::ParseCreate() {
  const Token& second = Ahead(1);
  switch (second.kind == TokenKind::kIdent ? second.keyword : Kw::kNotKeyword) {
    case Kw::kDatabase:
    case Kw::kSchema:
      return ParseCreateDatabase();
    case Kw::kTable:
      Next();
      return ParseCreateTable(false);
    case Kw::kTemporary:
      Next();
      Next();
      return ParseCreateTable(true);
    case Kw::kIndex:
      Next();
      return ParseCreateIndex(IndexType::kIndex);
    case Kw::kUnique:
      Next();
      Next();
      return ParseCreateIndex(IndexType::kUnique);
    case Kw::kFulltext:
      Next();
      Next();
      return ParseCreateIndex(IndexType::kFulltext);
    case Kw::kSpatial:
      Next();
      if (Is(Ahead(1), Kw::kReference)) {
        return Unsupported("CREATE SPATIAL REFERENCE SYSTEM");
      }
      Next();
      return ParseCreateIndex(IndexType::kSpatial);
    case Kw::kUser:
      return ParseCreateUser();
    case Kw::kRole:
      return ParseCreateRole();
    case Kw::kTrigger:
    case Kw::kProcedure:
    case Kw::kFunction:
    case Kw::kAggregate:
    case Kw::kEvent:
      Next();
      return ParseCreateProgram(std::nullopt);
    case Kw::kServer:
    case Kw::kTablespace:
    case Kw::kUndo:
    case Kw::kLogfile:
    case Kw::kResource:
      return Unsupported("CREATE " + UpperText(second));
    default:
      break;
  }
  // [OR REPLACE] [ALGORITHM = …] [DEFINER = …] [SQL SECURITY …], then what it is.
  auto stmt = std::make_unique<CreateViewStmt>();
  Next();
  if (Accept(Kw::kOr)) {
    if (Is(Ahead(1), Kw::kSpatial)) {
      return Unsupported("CREATE SPATIAL REFERENCE SYSTEM");
    }
    RETURN_IF_ERROR(Expect(Kw::kReplace));
    stmt->or_replace = true;
  }
  RETURN_IF_ERROR(ParseViewPrefix(stmt.get()));
  if (stmt->definer && !stmt->or_replace) {
    if (At(Kw::kProcedure) || At(Kw::kFunction) || At(Kw::kTrigger) || At(Kw::kEvent) ||
        At(Kw::kAggregate)) {
      return ParseCreateProgram(std::move(stmt->definer));
    }
  }
  return ParseCreateView(std::move(stmt));
}

Result<StmtPtr> Parser::ParseAlter() {
  const Token& second = Ahead(1);
  switch (second.kind == TokenKind::kIdent ? second.keyword : Kw::kNotKeyword) {
    case Kw::kTable:
      return ParseAlterTable();
    case Kw::kDatabase:
    case Kw::kSchema:
      return ParseAlterDatabase();
    case Kw::kUser:
      return ParseAlterUser();
    case Kw::kProcedure:
    case Kw::kFunction:
      if (program_) {
        return UserError(ER_SP_NO_DROP_SP, UpperText(second));
      }
      return Unsupported("ALTER " + UpperText(second));
    case Kw::kEvent:
      if (program_) {
        return UserError(ER_COMMIT_NOT_ALLOWED_IN_SF_OR_TRG);
      }
      return Unsupported("ALTER EVENT");
    case Kw::kServer:
    case Kw::kTablespace:
    case Kw::kUndo:
    case Kw::kInstance:
    case Kw::kLogfile:
    case Kw::kResource:
      return Unsupported("ALTER " + UpperText(second));
    default:
      break;
  }
  auto stmt = std::make_unique<CreateViewStmt>();
  stmt->alter = true;
  Next();
  RETURN_IF_ERROR(ParseViewPrefix(stmt.get()));
  if (stmt->definer && At(Kw::kEvent)) {
    return Unsupported("ALTER EVENT");
  }
  return ParseCreateView(std::move(stmt));
}

Result<StmtPtr> Parser::ParseDropProgram(ProgramKind kind) {
  Next();
  Next();
  auto stmt = std::make_unique<DropProgramStmt>();
  stmt->program = kind;
  Status error;
  stmt->if_exists = AcceptIfExists(&error);
  RETURN_IF_ERROR(error);
  RETURN_IF_ERROR(TableName(&stmt->name));
  return StmtPtr(std::move(stmt));
}

Result<StmtPtr> Parser::ParseDrop() {
  const Token& second = Ahead(1);
  switch (second.kind == TokenKind::kIdent ? second.keyword : Kw::kNotKeyword) {
    case Kw::kDatabase:
    case Kw::kSchema: {
      Next();
      Next();
      auto stmt = std::make_unique<DropDatabaseStmt>();
      Status error;
      stmt->if_exists = AcceptIfExists(&error);
      RETURN_IF_ERROR(error);
      ASSIGN_OR_RETURN(stmt->name, Ident());
      return StmtPtr(std::move(stmt));
    }
    case Kw::kTable:
    case Kw::kTables:
      Next();
      return ParseDropTable(false);
    case Kw::kTemporary:
      Next();
      Next();
      return ParseDropTable(true);
    case Kw::kIndex:
      return ParseDropIndex();
    case Kw::kView: {
      Next();
      Next();
      auto stmt = std::make_unique<DropViewStmt>();
      Status error;
      stmt->if_exists = AcceptIfExists(&error);
      RETURN_IF_ERROR(error);
      RETURN_IF_ERROR(TableNameList(&stmt->views));
      if (!Accept(Kw::kRestrict)) {
        Accept(Kw::kCascade);
      }
      return StmtPtr(std::move(stmt));
    }
    case Kw::kUser:
      return ParseDropUser();
    case Kw::kRole:
      return ParseDropRole();
    case Kw::kPrepare:
      Next();
      return ParseDeallocate();
    case Kw::kProcedure:
      return ParseDropProgram(ProgramKind::kProcedure);
    case Kw::kFunction:
      return ParseDropProgram(ProgramKind::kFunction);
    case Kw::kEvent:
      return ParseDropProgram(ProgramKind::kEvent);
    case Kw::kTrigger:
      return ParseDropTrigger();
    case Kw::kServer:
    case Kw::kTablespace:
    case Kw::kUndo:
    case Kw::kSpatial:
    case Kw::kLogfile:
    case Kw::kResource: {
      const std::string what = "DROP " + UpperText(second);
      Next();
      Next();
      // IF EXISTS of a thing that cannot exist is how dumps begin; the binder may let it pass.
      while (!AtEnd()) {
        Next();
      }
      if (program_) {
        return UserError(ER_NOT_SUPPORTED_YET, what);
      }
      auto stmt = std::make_unique<UnsupportedStmt>();
      stmt->construct = what;
      return StmtPtr(std::move(stmt));
    }
    default:
      Next();
      return Error();
  }
}

Result<StmtPtr> Parser::ParseRename() {
  if (Is(Ahead(1), Kw::kUser)) {
    return ParseRenameUser();
  }
  return ParseRenameTable();
}

}  // namespace borealis::sql
