// USE, KILL, prepared statements as SQL, locks, FLUSH, RESET, table maintenance, diagnostics.
#include "sql/parser/parser_internal.h"

namespace borealis::sql {

Result<StmtPtr> Parser::ParseUse() {
  Next();
  auto stmt = std::make_unique<UseStmt>();
  ASSIGN_OR_RETURN(stmt->name, Ident());
  return StmtPtr(std::move(stmt));
}

Result<StmtPtr> Parser::ParseHelp() {
  Next();
  auto stmt = std::make_unique<HelpStmt>();
  ASSIGN_OR_RETURN(stmt->topic, IdentOrString());
  return StmtPtr(std::move(stmt));
}

Result<StmtPtr> Parser::ParseKill() {
  Next();
  auto stmt = std::make_unique<KillStmt>();
  if (Accept(Kw::kQuery)) {
    stmt->query_only = true;
  } else {
    Accept(Kw::kConnection);
  }
  ASSIGN_OR_RETURN(stmt->connection_id, ParseExpr());
  return StmtPtr(std::move(stmt));
}

Result<StmtPtr> Parser::ParsePrepare() {
  Next();
  auto stmt = std::make_unique<PrepareStmt>();
  ASSIGN_OR_RETURN(stmt->name, Ident());
  RETURN_IF_ERROR(Expect(Kw::kFrom));
  if (At(TokenKind::kUserVariable)) {
    stmt->from_variable = true;
    stmt->text = UserVariableName(text_, Cur(), StringEscapes());
    Next();
  } else {
    ASSIGN_OR_RETURN(stmt->text, StringText());
  }
  return StmtPtr(std::move(stmt));
}

Result<StmtPtr> Parser::ParseExecute() {
  Next();
  auto stmt = std::make_unique<ExecuteStmt>();
  ASSIGN_OR_RETURN(stmt->name, Ident());
  if (Accept(Kw::kUsing)) {
    do {
      if (!At(TokenKind::kUserVariable)) {
        return Error();
      }
      stmt->variables.push_back(UserVariableName(text_, Cur(), StringEscapes()));
      Next();
    } while (Accept(Op::kComma));
  }
  return StmtPtr(std::move(stmt));
}

// At DEALLOCATE, or at PREPARE after DROP.
Result<StmtPtr> Parser::ParseDeallocate() {
  Accept(Kw::kDeallocate);
  RETURN_IF_ERROR(Expect(Kw::kPrepare));
  auto stmt = std::make_unique<DeallocateStmt>();
  ASSIGN_OR_RETURN(stmt->name, Ident());
  return StmtPtr(std::move(stmt));
}

Result<StmtPtr> Parser::ParseLock() {
  Next();
  if (Accept(Kw::kInstance)) {
    RETURN_IF_ERROR(Expect(Kw::kFor, Kw::kBackup));
    return StmtPtr(std::make_unique<LockInstanceStmt>());
  }
  if (!Accept(Kw::kTables)) {
    RETURN_IF_ERROR(Expect(Kw::kTable));
  }
  auto stmt = std::make_unique<LockTablesStmt>();
  do {
    LockTablesStmt::Item& item = stmt->items.emplace_back();
    RETURN_IF_ERROR(TableName(&item.table));
    std::optional<std::string> alias;
    RETURN_IF_ERROR(ParseAlias(&alias, false));
    item.alias = alias.value_or("");
    if (Accept(Kw::kRead)) {
      item.lock = Accept(Kw::kLocal) ? TableLockKind::kReadLocal : TableLockKind::kRead;
    } else {
      item.lock =
          Accept(Kw::kLowPriority) ? TableLockKind::kLowPriorityWrite : TableLockKind::kWrite;
      RETURN_IF_ERROR(Expect(Kw::kWrite));
    }
  } while (Accept(Op::kComma));
  return StmtPtr(std::move(stmt));
}

Result<StmtPtr> Parser::ParseUnlock() {
  Next();
  if (Accept(Kw::kInstance)) {
    auto stmt = std::make_unique<LockInstanceStmt>();
    stmt->unlock = true;
    return StmtPtr(std::move(stmt));
  }
  if (!Accept(Kw::kTables)) {
    RETURN_IF_ERROR(Expect(Kw::kTable));
  }
  return StmtPtr(std::make_unique<UnlockTablesStmt>());
}

Result<StmtPtr> Parser::ParseFlush() {
  Next();
  auto stmt = std::make_unique<FlushStmt>();
  stmt->no_write_to_binlog = Accept(Kw::kNoWriteToBinlog) || Accept(Kw::kLocal);
  if (At(Kw::kTables) || At(Kw::kTable)) {
    RETURN_IF_ERROR(ParseFlushTables(stmt.get()));
    return StmtPtr(std::move(stmt));
  }
  do {
    RETURN_IF_ERROR(ParseFlushItem(stmt.get()));
  } while (Accept(Op::kComma));
  return StmtPtr(std::move(stmt));
}

// TABLES [names] [WITH READ LOCK | FOR EXPORT]
Status Parser::ParseFlushTables(FlushStmt* stmt) {
  Next();
  stmt->what.emplace_back("TABLES");
  if (AtIdent()) {
    RETURN_IF_ERROR(TableNameList(&stmt->tables));
  }
  if (Accept(Kw::kWith)) {
    stmt->with_read_lock = true;
    return Expect(Kw::kRead, Kw::kLock);
  }
  if (!stmt->tables.empty() && Accept(Kw::kFor)) {
    stmt->for_export = true;
    return Expect(Kw::kExport);
  }
  return Status::Ok();
}

Status Parser::ParseFlushItem(FlushStmt* stmt) {
  std::string& what = stmt->what.emplace_back(UpperText(Cur()));
  const bool kind_of_log = At(Kw::kBinary) || At(Kw::kEngine) || At(Kw::kError) ||
                           At(Kw::kGeneral) || At(Kw::kSlow) || At(Kw::kRelay);
  if (kind_of_log) {
    const bool relay = At(Kw::kRelay);
    Next();
    what += " LOGS";
    RETURN_IF_ERROR(Expect(Kw::kLogs));
    if (relay && Accept(Kw::kFor)) {
      RETURN_IF_ERROR(Expect(Kw::kChannel));
      return IdentOrString().status();
    }
    return Status::Ok();
  }
  if (AtWord("HOSTS") || AtWord("OPTIMIZER_COSTS")) {
    Next();
    return Status::Ok();
  }
  return AcceptAny({Kw::kPrivileges, Kw::kLogs, Kw::kStatus, Kw::kUserResources, Kw::kHosts,
                    Kw::kOptimizerCosts})
             ? Status::Ok()
             : Error();
}

Result<StmtPtr> Parser::ParseReset() {
  Next();
  auto stmt = std::make_unique<ResetStmt>();
  do {
    std::string& what = stmt->what.emplace_back(UpperText(Cur()));
    if (Accept(Kw::kPersist)) {
      Status error;
      AcceptIfExists(&error);
      RETURN_IF_ERROR(error);
      if (AtIdent()) {
        ASSIGN_OR_RETURN(std::string name, Ident());
        if (Accept(Op::kDot)) {
          ASSIGN_OR_RETURN(const std::string part, DottedIdent());
          name += "." + part;
        }
        what += " " + name;
      }
    } else if (Accept(Kw::kBinary)) {
      RETURN_IF_ERROR(Expect(Kw::kLogs, Kw::kAnd));
      if (!AtWord("GTIDS")) {
        return Error();
      }
      Next();
      what = "BINARY LOGS AND GTIDS";
    } else if (Accept(Kw::kMaster)) {
      if (Accept(Kw::kTo)) {
        RETURN_IF_ERROR(UnsignedNumber().status());
      }
    } else if (Accept(Kw::kReplica) || Accept(Kw::kSlave)) {
      Accept(Kw::kAll);
      if (Accept(Kw::kFor)) {
        RETURN_IF_ERROR(Expect(Kw::kChannel));
        RETURN_IF_ERROR(IdentOrString().status());
      }
    } else {
      return Error();
    }
  } while (Accept(Op::kComma));
  return StmtPtr(std::move(stmt));
}

Result<StmtPtr> Parser::ParseTableMaintenance(TableMaintenanceStmt::Verb verb) {
  Next();
  auto stmt = std::make_unique<TableMaintenanceStmt>();
  stmt->verb = verb;
  using Verb = TableMaintenanceStmt::Verb;
  if (verb != Verb::kCheck && verb != Verb::kChecksum) {
    stmt->no_write_to_binlog = Accept(Kw::kNoWriteToBinlog) || Accept(Kw::kLocal);
  }
  if (!Accept(Kw::kTables)) {
    RETURN_IF_ERROR(Expect(Kw::kTable));
  }
  RETURN_IF_ERROR(TableNameList(&stmt->tables));
  RETURN_IF_ERROR(ParseMaintenanceTail(stmt.get()));
  return StmtPtr(std::move(stmt));
}

Status Parser::ParseMaintenanceTail(TableMaintenanceStmt* stmt) {
  using Verb = TableMaintenanceStmt::Verb;
  if (stmt->verb == Verb::kAnalyze && (At(Kw::kUpdate) || At(Kw::kDrop))) {
    stmt->update_histogram = At(Kw::kUpdate);
    stmt->drop_histogram = At(Kw::kDrop);
    Next();
    RETURN_IF_ERROR(Expect(Kw::kHistogram, Kw::kOn));
    do {
      ASSIGN_OR_RETURN(std::string column, Ident());
      stmt->histogram_columns.push_back(std::move(column));
    } while (Accept(Op::kComma));
    if (stmt->update_histogram && Accept(Kw::kWith)) {
      RETURN_IF_ERROR(UnsignedNumber().status());
      return Expect(Kw::kBuckets);
    }
    if (stmt->update_histogram && Accept(Kw::kUsing)) {
      RETURN_IF_ERROR(Expect(Kw::kData));
      return StringText().status();
    }
    return Status::Ok();
  }
  if (stmt->verb == Verb::kAnalyze || stmt->verb == Verb::kOptimize) {
    return Status::Ok();
  }
  while (At(TokenKind::kIdent)) {
    const std::string word = UpperText(Cur());
    if (stmt->verb == Verb::kCheck && Accept(Kw::kFor)) {
      RETURN_IF_ERROR(Expect(Kw::kUpgrade));
      stmt->options.emplace_back("FOR UPGRADE");
    } else if (AcceptAny({Kw::kQuick, Kw::kFast, Kw::kMedium, Kw::kExtended, Kw::kChanged,
                          Kw::kUseFrm})) {
      stmt->options.push_back(word);
    } else {
      return Error();
    }
  }
  return Status::Ok();
}

}  // namespace borealis::sql
