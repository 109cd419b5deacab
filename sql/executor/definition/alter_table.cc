// ALTER TABLE, CREATE INDEX and DROP INDEX: actions applied to a draft of the table.
//
// As in MySQL the order of the actions does not matter: what is dropped is dropped first, then
// options and changed columns, then what is added.
#include <fmt/format.h>

#include <algorithm>

#include "base/mysql_error.h"
#include "row/collation.h"
#include "sql/catalog/temporary_tables.h"
#include "sql/executor/definition/check_names.h"
#include "sql/executor/definition/definition_run.h"
#include "sql/executor/definition/definition_statements.h"
#include "sql/executor/definition/table_alteration.h"
#include "sql/executor/definition/table_draft.h"
#include "sql/session/session.h"

namespace borealis::sql {
namespace {

class Alterer {
 public:
  Alterer(StatementRun& run, engine::TableName name, TablePtr old)
      : run_(run), name_(std::move(name)), draft_(run, name_, *old) {
    request_.old = std::move(old);
  }

  Status Run(const AlterTableStmt& statement) {
    statement_ = &statement;
    request_.online = statement.online;
    request_.nothing = std::ranges::all_of(statement.actions, [](const AlterAction& action) {
      return action.kind == AlterActionKind::kRenameTable ||
             action.kind == AlterActionKind::kDisableKeys ||
             action.kind == AlterActionKind::kEnableKeys;
    });
    for (int phase = 0; phase < 4; ++phase) {
      for (const AlterAction& action : statement.actions) {
        if (PhaseOf(action.kind) == phase) {
          RETURN_IF_ERROR(Apply(action));
        }
      }
    }
    bool any = std::any_of(draft_.columns().begin(), draft_.columns().end(),
                           [](const DraftColumn& column) { return !column.column.hidden; });
    if (!any) {
      return UserError(ER_CANT_REMOVE_ALL_FIELDS);
    }
    return AlterByDraft(run_, name_, &draft_, request_);
  }

 private:
  static int PhaseOf(AlterActionKind kind) {
    switch (kind) {
      case AlterActionKind::kDropIndex:
      case AlterActionKind::kDropPrimaryKey:
      case AlterActionKind::kDropForeignKey:
      case AlterActionKind::kDropCheck:
      case AlterActionKind::kDropConstraint:
        return 0;
      case AlterActionKind::kDropColumn:
      case AlterActionKind::kOptions:
      case AlterActionKind::kConvertCharset:
      case AlterActionKind::kRenameTable:
        return 1;
      case AlterActionKind::kModifyColumn:
      case AlterActionKind::kChangeColumn:
      case AlterActionKind::kRenameColumn:
      case AlterActionKind::kSetDefault:
      case AlterActionKind::kDropDefault:
      case AlterActionKind::kSetColumnVisible:
        return 2;
      default:
        return 3;
    }
  }

  bool AddsColumn(std::string_view name) const {
    return std::ranges::any_of(statement_->actions, [&](const AlterAction& action) {
      return action.kind == AlterActionKind::kAddColumn &&
             std::ranges::any_of(action.columns, [&](const ColumnDefinition& column) {
               return SameName(column.name, name);
             });
    });
  }

  Status Apply(const AlterAction& action) {
    switch (action.kind) {
      case AlterActionKind::kAddColumn:
        for (const ColumnDefinition& column : action.columns) {
          RETURN_IF_ERROR(draft_.AddColumn(column, action.position));
        }
        return {};
      case AlterActionKind::kAddIndex:
        return draft_.AddIndex(*action.index);
      case AlterActionKind::kAddForeignKey:
        return draft_.AddForeignKey(*action.foreign_key);
      case AlterActionKind::kAddCheck:
        return draft_.AddCheck(*action.check, "");
      case AlterActionKind::kDropColumn:
        return draft_.DropColumn(action.name, AddsColumn(action.name));
      case AlterActionKind::kDropIndex:
        return draft_.DropIndex(action.name);
      case AlterActionKind::kDropPrimaryKey:
        return draft_.DropIndex("PRIMARY");
      case AlterActionKind::kDropForeignKey:
        return draft_.DropForeignKey(action.name);
      case AlterActionKind::kDropCheck:
        return DropCheck(action.name, ER_CHECK_CONSTRAINT_NOT_FOUND);
      case AlterActionKind::kDropConstraint:
        return DropConstraint(action.name);
      case AlterActionKind::kModifyColumn:
        return ReplaceColumn(action, action.columns[0].name);
      case AlterActionKind::kChangeColumn:
        return ReplaceColumn(action, action.name);
      case AlterActionKind::kRenameColumn:
        return draft_.RenameColumn(action.name, action.new_name);
      case AlterActionKind::kRenameIndex:
        return RenameIndex(action.name, action.new_name);
      case AlterActionKind::kRenameTable:
        return RenameTo(action.table);
      case AlterActionKind::kSetDefault:
        return draft_.SetDefault(action.name, &*action.default_value);
      case AlterActionKind::kDropDefault:
        return draft_.SetDefault(action.name, nullptr);
      case AlterActionKind::kSetColumnVisible:
        return SetColumnVisible(action.name, action.flag);
      case AlterActionKind::kSetIndexVisible:
        return SetIndexVisible(action.name, action.flag);
      case AlterActionKind::kAlterCheck:
        return EnforceCheck(action.name, action.flag);
      case AlterActionKind::kAlterConstraint:
        return EnforceConstraint(action.name, action.flag);
      case AlterActionKind::kOptions:
        return ApplyOptions(action.options);
      case AlterActionKind::kConvertCharset:
        return ConvertCharset(action);
      case AlterActionKind::kOrderBy:
        RETURN_IF_ERROR(CheckOrder(action.order_by));
        request_.force = true;
        return {};
      case AlterActionKind::kForce:
        request_.force = true;
        return {};
      case AlterActionKind::kDisableKeys:
      case AlterActionKind::kEnableKeys:
        run_.session.diagnostics().Note(
            1031,
            fmt::format("Table storage engine for '{}' doesn't have this option", name_.name));
        return {};
      case AlterActionKind::kDiscardTablespace:
      case AlterActionKind::kImportTablespace:
        if (request_.old->temporary) {
          return UserError(ER_CANNOT_DISCARD_TEMPORARY_TABLE);
        }
        return Unsupported(action.kind == AlterActionKind::kDiscardTablespace
                               ? "DISCARD TABLESPACE"
                               : "IMPORT TABLESPACE");
      case AlterActionKind::kPartitioning:
        if (request_.old->temporary) {
          return UserError(ER_PARTITION_NO_TEMPORARY);
        }
        return Unsupported("ALTER TABLE ... " + action.text);
      case AlterActionKind::kSecondaryLoad:
      case AlterActionKind::kSecondaryUnload:
        return Unsupported("SECONDARY_LOAD");
    }
    return Unsupported("ALTER TABLE");
  }

  Status DropCheck(std::string_view name, MysqlError missing) {
    const size_t dropped = std::erase_if(draft_.checks(), [&](const DraftCheck& check) {
      return SameCheckName(check.check.name, name);
    });
    return dropped == 0 ? UserError(missing, name) : Status::Ok();
  }

  enum class ConstraintKind : uint8_t { kKey, kForeignKey, kCheck };

  // The one constraint of that name. `clause`: what the statement does, in the words of 3939.
  Result<ConstraintKind> FindConstraint(std::string_view name, std::string_view clause) {
    int index = draft_.FindIndex(name);
    const bool is_key =
        index >= 0 && draft_.indexes()[static_cast<size_t>(index)].kind != IndexKind::kPlain;
    const bool is_foreign_key =
        std::any_of(draft_.foreign_keys().begin(), draft_.foreign_keys().end(),
                    [&](const DraftForeignKey& key) { return SameName(key.key.name, name); });
    const bool is_check =
        std::any_of(draft_.checks().begin(), draft_.checks().end(),
                    [&](const DraftCheck& check) { return SameCheckName(check.check.name, name); });
    if (is_key + is_foreign_key + is_check > 1) {
      return UserError(ER_MULTIPLE_CONSTRAINTS_WITH_SAME_NAME, name, clause);
    }
    if (is_key) {
      return ConstraintKind::kKey;
    }
    if (is_foreign_key) {
      return ConstraintKind::kForeignKey;
    }
    return is_check ? Result<ConstraintKind>(ConstraintKind::kCheck)
                    : UserError(ER_CONSTRAINT_NOT_FOUND, name);
  }

  Status DropConstraint(std::string_view name) {
    ASSIGN_OR_RETURN(const ConstraintKind kind, FindConstraint(name, "DROP"));
    switch (kind) {
      case ConstraintKind::kKey:
        return draft_.DropIndex(name);
      case ConstraintKind::kForeignKey:
        return draft_.DropForeignKey(name);
      case ConstraintKind::kCheck:
        break;
    }
    return DropCheck(name, ER_CONSTRAINT_NOT_FOUND);
  }

  Status EnforceConstraint(std::string_view name, bool enforced) {
    ASSIGN_OR_RETURN(const ConstraintKind kind, FindConstraint(name, "ALTER"));
    return kind == ConstraintKind::kCheck
               ? EnforceCheck(name, enforced)
               : UserError(ER_ALTER_CONSTRAINT_ENFORCEMENT_NOT_SUPPORTED, name);
  }

  Status ReplaceColumn(const AlterAction& action, std::string_view name) {
    int position = draft_.FindColumn(name);
    if (position < 0) {
      return UserError(ER_BAD_FIELD_ERROR, name, name_.name);
    }
    auto at = static_cast<size_t>(position);
    RETURN_IF_ERROR(draft_.ReplaceColumn(at, action.columns[0]));
    return action.position.has_value() ? draft_.MoveColumn(at, *action.position) : Status::Ok();
  }

  Status RenameIndex(std::string_view from, const std::string& to) {
    int position = draft_.FindIndex(from);
    if (position < 0 || draft_.indexes()[static_cast<size_t>(position)].source.empty()) {
      return UserError(ER_KEY_DOES_NOT_EXITS, from, name_.name);
    }
    const bool impossible = to.empty() || SameName(to, "PRIMARY");
    if (impossible || SameName(from, "PRIMARY")) {
      return UserError(ER_WRONG_NAME_FOR_INDEX, impossible ? to : std::string(from));
    }
    RETURN_IF_ERROR(CheckIdentifierLength(to));
    draft_.indexes()[static_cast<size_t>(position)].name = to;
    draft_.indexes()[static_cast<size_t>(position)].made_for_foreign_key = false;
    return {};
  }

  Status RenameTo(const QualifiedName& to) {
    engine::TableName target{to.schema.empty() ? name_.schema : to.schema, to.name};
    RETURN_IF_ERROR(CheckSchemaChangeable(run_, target.schema));
    RETURN_IF_ERROR(CheckTableName(target.name));
    RETURN_IF_ERROR(CatalogOf(run_).FindSchema(target.schema).status());
    if (target == name_) {
      return {};
    }
    if (EngineOf(run_, *request_.old).FindTable(target.schema, target.name).ok()) {
      return UserError(ER_TABLE_EXISTS_ERROR, target.name);
    }
    RETURN_IF_ERROR(request_.old->temporary ? PrepareTemporaryName(target)
                                            : CheckHiddenName(target));
    // Names that were made from the table's follow it.
    for (DraftCheck& check : draft_.checks()) {
      if (const auto number = NumberOfMadeCheck(check.check.name, name_.name)) {
        check.check.name = MadeCheckName(target.name, *number);
      }
    }
    draft_.RenameForeignKeys(name_.name, target.name);
    request_.rename = target;
    draft_.set_name(std::move(target));
    return {};
  }

  // Rows are kept in the order of their key, so ORDER BY has only to name columns.
  Status CheckOrder(const std::vector<OrderItem>& order) {
    for (const OrderItem& item : order) {
      const auto& column = item.expr->As<ColumnRef>();
      if (request_.old->FindColumn(column.column) < 0) {
        return UserError(ER_BAD_FIELD_ERROR, column.column, "order clause");
      }
    }
    return {};
  }

  Status PrepareTemporaryName(const engine::TableName& target) {
    return run_.session.temporary_tables()->EnsureSchema(target.schema, {});
  }

  // The rest of the alteration would look for the table under a name that means another one.
  Status CheckHiddenName(const engine::TableName& target) {
    const bool hidden =
        !request_.nothing && CatalogOf(run_).HasTemporary(target.schema, target.name);
    return hidden ? Unsupported("RENAME TO the name of a temporary table together with changes")
                  : Status::Ok();
  }

  Status SetColumnVisible(std::string_view name, bool visible) {
    int position = draft_.FindColumn(name);
    if (position < 0) {
      return UserError(ER_BAD_FIELD_ERROR, name, name_.name);
    }
    draft_.columns()[static_cast<size_t>(position)].column.invisible = !visible;
    return {};
  }

  Status SetIndexVisible(std::string_view name, bool visible) {
    int position = draft_.FindIndex(name);
    if (position < 0) {
      return UserError(ER_KEY_DOES_NOT_EXITS, name, name_.name);
    }
    DraftIndex& index = draft_.indexes()[static_cast<size_t>(position)];
    if (index.kind == IndexKind::kPrimary && !visible) {
      return UserError(ER_PK_INDEX_CANT_BE_INVISIBLE);
    }
    index.visible = visible;
    return {};
  }

  Status EnforceCheck(std::string_view name, bool enforced) {
    for (DraftCheck& check : draft_.checks()) {
      if (SameCheckName(check.check.name, name)) {
        request_.check_rows |= enforced && !check.check.enforced;
        check.check.enforced = enforced;
        return {};
      }
    }
    return UserError(ER_CHECK_CONSTRAINT_NOT_FOUND, name);
  }

  Status ApplyOptions(const std::vector<TableOption>& options) {
    RETURN_IF_ERROR(draft_.ApplyOptions(options, true));
    for (const TableOption& option : options) {
      if (option.name == "AUTO_INCREMENT") {
        request_.auto_increment = option.number;
      } else if (option.name == "ENGINE" || option.name == "ROW_FORMAT") {
        request_.force = true;
      }
    }
    return {};
  }

  // Every text column takes the character set; TEXT types grow where their bytes would not fit.
  Status ConvertCharset(const AlterAction& action) {
    ASSIGN_OR_RETURN(SchemaDescriptor schema, CatalogOf(run_).FindSchema(name_.schema));
    ASSIGN_OR_RETURN(row::CollationId collation,
                     ResolveCollation(action.charset, action.collation, schema.collation));
    RETURN_IF_ERROR(draft_.NoteCharset(std::string(row::GetCollation(collation).charset().name)));
    draft_.options().collation = collation;
    if (collation == row::kBinaryCollation) {
      return Unsupported("CONVERT TO CHARACTER SET binary");
    }
    int to_bytes = row::GetCollation(collation).charset().max_bytes;
    for (DraftColumn& column : draft_.columns()) {
      row::Type& type = column.column.type;
      if (!type.has_collation() || type.collation == row::kBinaryCollation) {
        continue;
      }
      int from_bytes = row::GetCollation(type.collation).charset().max_bytes;
      if (type.is_text() && type.is_blob() && to_bytes > from_bytes &&
          type.kind != row::TypeKind::kLongText) {
        type.kind = static_cast<row::TypeKind>(static_cast<int>(type.kind) + 1);
      }
      if (type.kind == row::TypeKind::kVarchar &&
          uint64_t{type.length} * static_cast<uint64_t>(to_bytes) > 65535) {
        return UserError(ER_TOO_BIG_FIELDLENGTH, column.column.name, 65535 / to_bytes);
      }
      type.collation = collation;
    }
    return {};
  }

  StatementRun& run_;
  engine::TableName name_;
  TableDraft draft_;
  AlterationRequest request_;
  const AlterTableStmt* statement_ = nullptr;
};

// Works on the table as it is, again if another statement changed it meanwhile.
template <class Change>
Status WithCurrentTable(StatementRun& run, const QualifiedName& written, const Change& change) {
  ASSIGN_OR_RETURN(engine::TableName name, ResolveForAlteration(run, written));
  return UntilNotOvertaken(run, [&]() -> Status {
    ASSIGN_OR_RETURN(CatalogEntry entry, FindBaseTable(run, name));
    return change(name, entry.table);
  });
}

}  // namespace

Status AlterTable(StatementRun& run, const AlterTableStmt& statement) {
  return WithCurrentTable(run, statement.table,
                          [&](const engine::TableName& name, const TablePtr& table) {
                            return Alterer(run, name, table).Run(statement);
                          });
}

Status CreateIndex(StatementRun& run, const CreateIndexStmt& statement) {
  return WithCurrentTable(run, statement.table,
                          [&](const engine::TableName& name, const TablePtr& table) -> Status {
                            TableDraft draft(run, name, *table);
                            RETURN_IF_ERROR(draft.AddIndex(statement.index));
                            AlterationRequest request;
                            request.old = table;
                            request.online = statement.online;
                            return AlterByDraft(run, name, &draft, request);
                          });
}

Status DropIndex(StatementRun& run, const DropIndexStmt& statement) {
  return WithCurrentTable(run, statement.table,
                          [&](const engine::TableName& name, const TablePtr& table) -> Status {
                            TableDraft draft(run, name, *table);
                            RETURN_IF_ERROR(draft.DropIndex(statement.name));
                            AlterationRequest request;
                            request.old = table;
                            request.online = statement.online;
                            return AlterByDraft(run, name, &draft, request);
                          });
}

}  // namespace borealis::sql
