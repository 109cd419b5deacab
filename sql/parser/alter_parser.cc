// ALTER TABLE: a comma-separated list of actions.
#include "sql/parser/parser_internal.h"

namespace borealis::sql {

Result<StmtPtr> Parser::ParseAlterTable() {
  Next();
  Next();
  auto stmt = std::make_unique<AlterTableStmt>();
  RETURN_IF_ERROR(TableName(&stmt->table));
  if (AtEnd()) {
    return StmtPtr(std::move(stmt));
  }
  if (At(Kw::kPartition, Kw::kBy)) {
    std::optional<PartitionClause> partition;
    RETURN_IF_ERROR(ParsePartitionClause(&partition));
    AlterAction& action = stmt->actions.emplace_back();
    action.kind = AlterActionKind::kPartitioning;
    action.text = "PARTITION BY";
    return StmtPtr(std::move(stmt));
  }
  do {
    RETURN_IF_ERROR(ParseAlterAction(stmt.get()));
  } while (Accept(Op::kComma));
  if (At(Kw::kPartition, Kw::kBy)) {
    std::optional<PartitionClause> partition;
    RETURN_IF_ERROR(ParsePartitionClause(&partition));
    AlterAction& action = stmt->actions.emplace_back();
    action.kind = AlterActionKind::kPartitioning;
    action.text = "PARTITION BY";
  }
  return StmtPtr(std::move(stmt));
}

Status Parser::ParseAlterAction(AlterTableStmt* stmt) {
  bool handled = false;
  RETURN_IF_ERROR(ParseOnlineOption(&stmt->online, &handled));
  if (handled) {
    return Status::Ok();
  }
  AlterAction action;
  RETURN_IF_ERROR(ParsePartitionOperation(&action, &handled));
  if (!handled) {
    switch (At(TokenKind::kIdent) ? Cur().keyword : Kw::kNotKeyword) {
      case Kw::kAdd:
        return ParseAdd(stmt);
      case Kw::kDrop:
        RETURN_IF_ERROR(ParseDropAction(&action));
        break;
      case Kw::kModify:
        RETURN_IF_ERROR(ParseChange(&action, true));
        break;
      case Kw::kChange:
        RETURN_IF_ERROR(ParseChange(&action, false));
        break;
      case Kw::kAlter:
        RETURN_IF_ERROR(ParseAlterItem(&action));
        break;
      case Kw::kRename:
        RETURN_IF_ERROR(ParseRenameAction(&action));
        break;
      default:
        RETURN_IF_ERROR(ParseOtherAlter(stmt, &handled));
        return handled ? Status::Ok() : Error();
    }
  }
  stmt->actions.push_back(std::move(action));
  return Status::Ok();
}

// ADD, DROP, TRUNCATE, … PARTITION: recognised by their words; their tails are passed over.
Status Parser::ParsePartitionOperation(AlterAction* action, bool* handled) {
  *handled = false;
  const bool verb = At(Kw::kAdd) || At(Kw::kDrop) || At(Kw::kTruncate) || At(Kw::kCoalesce) ||
                    At(Kw::kReorganize) || At(Kw::kExchange) || At(Kw::kRebuild) ||
                    At(Kw::kAnalyze) || At(Kw::kOptimize) || At(Kw::kCheck) || At(Kw::kRepair) ||
                    At(Kw::kDiscard) || At(Kw::kImport) || At(Kw::kSecondaryLoad);
  const bool removes = At(Kw::kRemove, Kw::kPartitioning);
  if (!removes && !(verb && Is(Ahead(1), Kw::kPartition))) {
    return Status::Ok();
  }
  *handled = true;
  action->kind = AlterActionKind::kPartitioning;
  action->text = UpperText(Cur()) + " " + UpperText(Ahead(1));
  Next();
  Next();
  while (!removes && !AtEnd() && !At(TokenKind::kError)) {
    Next();
  }
  return Status::Ok();
}

// ADD [COLUMN] def | (defs) | constraint
Status Parser::ParseAdd(AlterTableStmt* stmt) {
  Next();
  if (AtConstraint()) {
    AlterAction action;
    RETURN_IF_ERROR(ParseTableConstraint(&action.index, &action.foreign_key, &action.check));
    action.kind = action.index         ? AlterActionKind::kAddIndex
                  : action.foreign_key ? AlterActionKind::kAddForeignKey
                                       : AlterActionKind::kAddCheck;
    stmt->actions.push_back(std::move(action));
    return Status::Ok();
  }
  Accept(Kw::kColumn);
  if (At(Op::kLeftParen)) {
    return ParseAddColumns(stmt);
  }
  AlterAction action;
  action.kind = AlterActionKind::kAddColumn;
  RETURN_IF_ERROR(ParseColumnDefinition(&action.columns.emplace_back()));
  RETURN_IF_ERROR(ParsePosition(&action));
  stmt->actions.push_back(std::move(action));
  return Status::Ok();
}

// (a INT, b INT, KEY (a)): one action each.
Status Parser::ParseAddColumns(AlterTableStmt* stmt) {
  Next();
  do {
    AlterAction action;
    if (AtConstraint()) {
      RETURN_IF_ERROR(ParseTableConstraint(&action.index, &action.foreign_key, &action.check));
      action.kind = action.index         ? AlterActionKind::kAddIndex
                    : action.foreign_key ? AlterActionKind::kAddForeignKey
                                         : AlterActionKind::kAddCheck;
    } else {
      action.kind = AlterActionKind::kAddColumn;
      RETURN_IF_ERROR(ParseColumnDefinition(&action.columns.emplace_back()));
    }
    stmt->actions.push_back(std::move(action));
  } while (Accept(Op::kComma));
  return Expect(Op::kRightParen);
}

Status Parser::ParsePosition(AlterAction* action) {
  if (Accept(Kw::kFirst)) {
    action->position.emplace().first = true;
  } else if (Accept(Kw::kAfter)) {
    ASSIGN_OR_RETURN(action->position.emplace().after, Ident());
  }
  return Status::Ok();
}

Status Parser::ParseDropAction(AlterAction* action) {
  Next();
  if (Accept(Kw::kPrimary)) {
    action->kind = AlterActionKind::kDropPrimaryKey;
    return Expect(Kw::kKey);
  }
  if (Accept(Kw::kIndex) || Accept(Kw::kKey)) {
    action->kind = AlterActionKind::kDropIndex;
  } else if (Accept(Kw::kForeign)) {
    RETURN_IF_ERROR(Expect(Kw::kKey));
    action->kind = AlterActionKind::kDropForeignKey;
  } else if (Accept(Kw::kCheck)) {
    action->kind = AlterActionKind::kDropCheck;
  } else if (Accept(Kw::kConstraint)) {
    action->kind = AlterActionKind::kDropConstraint;
  } else {
    Accept(Kw::kColumn);
    action->kind = AlterActionKind::kDropColumn;
  }
  ASSIGN_OR_RETURN(action->name, Ident());
  if (action->kind == AlterActionKind::kDropColumn && !Accept(Kw::kRestrict)) {
    Accept(Kw::kCascade);
  }
  return Status::Ok();
}

Status Parser::ParseChange(AlterAction* action, bool modify) {
  Next();
  Accept(Kw::kColumn);
  action->kind = modify ? AlterActionKind::kModifyColumn : AlterActionKind::kChangeColumn;
  if (!modify) {
    ASSIGN_OR_RETURN(action->name, Ident());
  }
  RETURN_IF_ERROR(ParseColumnDefinition(&action->columns.emplace_back()));
  return ParsePosition(action);
}

// ALTER [COLUMN] c …, ALTER INDEX i …, ALTER CHECK | CONSTRAINT n …
Status Parser::ParseAlterItem(AlterAction* action) {
  Next();
  if (Accept(Kw::kIndex)) {
    action->kind = AlterActionKind::kSetIndexVisible;
    ASSIGN_OR_RETURN(action->name, Ident());
    action->flag = Accept(Kw::kVisible);
    return action->flag ? Status::Ok() : Expect(Kw::kInvisible);
  }
  if (At(Kw::kCheck) || At(Kw::kConstraint)) {
    action->kind =
        Accept(Kw::kCheck) ? AlterActionKind::kAlterCheck : AlterActionKind::kAlterConstraint;
    Accept(Kw::kConstraint);
    ASSIGN_OR_RETURN(action->name, Ident());
    action->flag = !Accept(Kw::kNot);
    return Expect(Kw::kEnforced);
  }
  Accept(Kw::kColumn);
  ASSIGN_OR_RETURN(action->name, Ident());
  if (Accept(Kw::kDrop)) {
    action->kind = AlterActionKind::kDropDefault;
    return Expect(Kw::kDefault);
  }
  RETURN_IF_ERROR(Expect(Kw::kSet));
  if (Accept(Kw::kDefault)) {
    action->kind = AlterActionKind::kSetDefault;
    return ParseDefaultValue(&action->default_value.emplace());
  }
  action->kind = AlterActionKind::kSetColumnVisible;
  action->flag = Accept(Kw::kVisible);
  return action->flag ? Status::Ok() : Expect(Kw::kInvisible);
}

Status Parser::ParseRenameAction(AlterAction* action) {
  Next();
  if (At(Kw::kColumn) || At(Kw::kIndex) || At(Kw::kKey)) {
    action->kind = At(Kw::kColumn) ? AlterActionKind::kRenameColumn : AlterActionKind::kRenameIndex;
    Next();
    ASSIGN_OR_RETURN(action->name, Ident());
    RETURN_IF_ERROR(Expect(Kw::kTo));
    ASSIGN_OR_RETURN(action->new_name, Ident());
    return Status::Ok();
  }
  action->kind = AlterActionKind::kRenameTable;
  if (!Accept(Kw::kTo) && !Accept(Kw::kAs)) {
    Accept(Op::kEqual);
  }
  return TableName(&action->table);
}

Status Parser::ParseOtherAlter(AlterTableStmt* stmt, bool* handled) {
  *handled = true;
  AlterAction action;
  if (Accept(Kw::kConvert)) {
    action.kind = AlterActionKind::kConvertCharset;
    RETURN_IF_ERROR(Expect(Kw::kTo));
    if (!AcceptCharsetKeyword()) {
      return Error();
    }
    ASSIGN_OR_RETURN(action.charset, CharsetName());
    if (Accept(Kw::kCollate)) {
      Accept(Op::kEqual);
      ASSIGN_OR_RETURN(action.collation, CollationName());
    }
  } else if (Accept(Kw::kDisable)) {
    action.kind = AlterActionKind::kDisableKeys;
    RETURN_IF_ERROR(Expect(Kw::kKeys));
  } else if (Accept(Kw::kEnable)) {
    action.kind = AlterActionKind::kEnableKeys;
    RETURN_IF_ERROR(Expect(Kw::kKeys));
  } else if (Accept(Kw::kForce)) {
    action.kind = AlterActionKind::kForce;
  } else if (At(Kw::kOrder)) {
    Next();
    RETURN_IF_ERROR(Expect(Kw::kBy));
    action.kind = AlterActionKind::kOrderBy;
    RETURN_IF_ERROR(ParseColumnOrder(&action.order_by));
  } else if (At(Kw::kDiscard, Kw::kTablespace) || At(Kw::kImport, Kw::kTablespace)) {
    action.kind =
        At(Kw::kDiscard) ? AlterActionKind::kDiscardTablespace : AlterActionKind::kImportTablespace;
    Next();
    Next();
  } else if (Accept(Kw::kSecondaryLoad)) {
    action.kind = AlterActionKind::kSecondaryLoad;
  } else if (Accept(Kw::kSecondaryUnload)) {
    action.kind = AlterActionKind::kSecondaryUnload;
  } else if (Accept(Kw::kWith, Kw::kValidation)) {
    stmt->online.validation = true;
    return Status::Ok();
  } else if (Accept(Kw::kWithout)) {
    stmt->online.validation = false;
    return Expect(Kw::kValidation);
  } else {
    action.kind = AlterActionKind::kOptions;
    RETURN_IF_ERROR(ParseTableOptions(&action.options, false));
    *handled = !action.options.empty();
  }
  if (*handled) {
    stmt->actions.push_back(std::move(action));
  }
  return Status::Ok();
}

}  // namespace borealis::sql
