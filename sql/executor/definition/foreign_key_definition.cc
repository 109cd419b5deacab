// The foreign keys of a table draft: their names, the indexes made for them, and MySQL's rules of
// the table's own columns. What they ask of the parent is in foreign_key_relations.cc.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/mysql_error.h"
#include "sql/executor/definition/definition_run.h"
#include "sql/executor/definition/foreign_key_names.h"
#include "sql/executor/definition/stored_text.h"
#include "sql/executor/definition/table_draft.h"
#include "sql/executor/show/column_text.h"

namespace borealis::sql {
namespace {

ForeignKeyAction ActionOf(ReferenceAction written) {
  switch (written) {
    case ReferenceAction::kRestrict:
      return ForeignKeyAction::kRestrict;
    case ReferenceAction::kCascade:
      return ForeignKeyAction::kCascade;
    case ReferenceAction::kSetNull:
      return ForeignKeyAction::kSetNull;
    case ReferenceAction::kSetDefault:
      return ForeignKeyAction::kSetDefault;
    case ReferenceAction::kNoAction:
    case ReferenceAction::kUnspecified:
      break;
  }
  return ForeignKeyAction::kNoAction;
}

bool SetsOtherValue(ForeignKeyAction action) {
  return action == ForeignKeyAction::kSetNull || action == ForeignKeyAction::kSetDefault;
}

// The actions give the columns another value.
bool ChangesColumns(const ForeignKeyDescriptor& key) {
  return SetsOtherValue(key.on_delete) || SetsOtherValue(key.on_update) ||
         key.on_update == ForeignKeyAction::kCascade;
}

// Every part of `shorter` is the part of `longer` at its place.
bool IsPrefix(const DraftIndex& shorter, const DraftIndex& longer) {
  return shorter.parts.size() <= longer.parts.size() &&
         std::equal(shorter.parts.begin(), shorter.parts.end(), longer.parts.begin(),
                    [](const DraftPart& a, const DraftPart& b) {
                      return SameName(a.column, b.column) && a.expression.empty() &&
                             b.expression.empty() && a.prefix_length == b.prefix_length &&
                             a.descending == b.descending;
                    });
}

// One of the two was made for a foreign key and the other does its work: then the one to go.
const DraftIndex* RedundantOf(const DraftIndex& earlier, const DraftIndex& later) {
  const DraftIndex* made = &later;
  const DraftIndex* other = &earlier;
  if (!later.made_for_foreign_key ||
      (earlier.made_for_foreign_key && later.parts.size() >= earlier.parts.size())) {
    std::swap(made, other);
  }
  return made->made_for_foreign_key && IsPrefix(*made, *other) ? made : nullptr;
}

// A foreign key may not write what is computed, nor what a stored column is computed from.
Status CheckGenerated(const TableDescriptor& table, const ForeignKeyDescriptor& key,
                      const ColumnDescriptor& column) {
  if (column.generated == GeneratedKind::kVirtual) {
    return UserError(ER_FK_CANNOT_USE_VIRTUAL_COLUMN, key.name, column.name);
  }
  if (column.generated == GeneratedKind::kStored) {
    if (key.on_update == ForeignKeyAction::kCascade || SetsOtherValue(key.on_update)) {
      return UserError(ER_WRONG_FK_OPTION_FOR_GENERATED_COLUMN,
                       fmt::format("ON UPDATE {}", ActionText(key.on_update)));
    }
    if (SetsOtherValue(key.on_delete)) {
      return UserError(ER_WRONG_FK_OPTION_FOR_GENERATED_COLUMN,
                       fmt::format("ON DELETE {}", ActionText(key.on_delete)));
    }
  }
  if (!ChangesColumns(key) && key.on_delete != ForeignKeyAction::kCascade) {
    return {};
  }
  for (const ColumnDescriptor& computed : table.columns) {
    if (computed.generated == GeneratedKind::kStored &&
        MentionsColumn(computed.generated_text, column.name)) {
      return UserError(ER_CANNOT_ADD_FOREIGN);
    }
  }
  return {};
}

Status CheckColumn(const TableDescriptor& table, const ForeignKeyDescriptor& key,
                   const ColumnDescriptor& column) {
  RETURN_IF_ERROR(CheckGenerated(table, key, column));
  const bool sets_null =
      key.on_delete == ForeignKeyAction::kSetNull || key.on_update == ForeignKeyAction::kSetNull;
  if (sets_null && !column.type.nullable) {
    return UserError(ER_FK_COLUMN_NOT_NULL, column.name, key.name);
  }
  if (!ChangesColumns(key)) {
    return {};
  }
  // Cascades try no checks, so none may depend on what they write.
  for (const CheckDescriptor& check : table.checks) {
    if (MentionsColumn(check.text, column.name)) {
      return UserError(ER_CHECK_CONSTRAINT_CLAUSE_USING_FK_REFER_ACTION_COLUMN, column.name,
                       check.name, key.name);
    }
  }
  return {};
}

// Names of the parent, which need not exist.
Status CheckReferenceNames(const References& references) {
  if (!references.table.schema.empty()) {
    RETURN_IF_ERROR(CheckDatabaseName(references.table.schema));
  }
  if (!CheckTableName(references.table.name).ok()) {
    return UserError(ER_WRONG_TABLE_NAME, references.table.name);
  }
  for (const std::string& column : references.columns) {
    if (!CheckColumnName(column).ok()) {
      return UserError(ER_WRONG_COLUMN_NAME, column);
    }
  }
  return {};
}

}  // namespace

Status TableDraft::AddForeignKey(const ForeignKeyDefinition& definition) {
  RETURN_IF_ERROR(CheckIdentifierLength(definition.constraint_name));
  RETURN_IF_ERROR(CheckIdentifierLength(definition.index_name));
  const References& references = definition.references;
  RETURN_IF_ERROR(CheckReferenceNames(references));
  if (references.columns.size() != definition.columns.size()) {
    const std::string& name = definition.constraint_name;
    return UserError(ER_WRONG_FK_DEF, name.empty() ? "foreign key without name" : name,
                     "Key reference and table reference don't match");
  }
  DraftForeignKey draft;
  draft.columns = definition.columns;
  draft.key.name = definition.constraint_name;
  draft.key.schema = references.table.schema.empty() ? name_.schema : references.table.schema;
  draft.key.table = references.table.name;
  draft.key.parent_columns = references.columns;
  draft.key.on_delete = ActionOf(references.on_delete);
  draft.key.on_update = ActionOf(references.on_update);
  foreign_keys_.push_back(std::move(draft));

  DraftIndex index;
  index.made_for_foreign_key = true;
  index.name =
      definition.constraint_name.empty() ? definition.index_name : definition.constraint_name;
  for (const std::string& column : definition.columns) {
    index.parts.emplace_back();
    index.parts.back().column = column;
  }
  indexes_.push_back(std::move(index));
  return {};
}

Status TableDraft::DropForeignKey(std::string_view name) {
  const size_t dropped = std::erase_if(
      foreign_keys_, [&](const DraftForeignKey& key) { return SameName(key.key.name, name); });
  if (dropped == 0) {
    return UserError(ER_CANT_DROP_FIELD_OR_KEY, name);
  }
  dropped_foreign_keys_.emplace_back(name);
  return {};
}

void TableDraft::RenameForeignKeys(std::string_view old_table, std::string_view new_table) {
  for (DraftForeignKey& key : foreign_keys_) {
    if (const auto number = NumberOfMadeForeignKey(key.key.name, old_table)) {
      key.key.name = MadeForeignKeyName(new_table, *number);
    }
  }
}

void TableDraft::DropRedundantIndexes() {
  for (size_t later = 1; later < indexes_.size(); ++later) {
    for (size_t earlier = 0; earlier < later; ++earlier) {
      const DraftIndex* redundant = RedundantOf(indexes_[earlier], indexes_[later]);
      if (redundant != nullptr) {
        indexes_.erase(indexes_.begin() + (redundant - indexes_.data()));
        later = 0;  // look again at all that is left
        break;
      }
    }
  }
}

Status TableDraft::NameForeignKeys() {
  uint64_t number = last_foreign_key_;
  for (DraftForeignKey& key : foreign_keys_) {
    if (key.key.name.empty()) {
      key.key.name = MadeForeignKeyName(name_.name, ++number);
    }
    RETURN_IF_ERROR(CheckIdentifierLength(key.key.name));
  }
  for (size_t i = 0; i < foreign_keys_.size(); ++i) {
    const std::string& name = foreign_keys_[i].key.name;
    const auto same = [&](const std::string& other) { return SameName(name, other); };
    bool taken = std::any_of(foreign_keys_.begin(), foreign_keys_.begin() + static_cast<int>(i),
                             [&](const DraftForeignKey& other) { return same(other.key.name); });
    // A name comes free only with the end of the statement.
    taken |= std::any_of(dropped_foreign_keys_.begin(), dropped_foreign_keys_.end(), same);
    if (taken) {
      return UserError(ER_FK_DUP_NAME, name);
    }
  }
  return {};
}

Status TableDraft::AssembleForeignKeys(FinishedTable* out) const {
  for (const DraftForeignKey& draft : foreign_keys_) {
    ForeignKeyDescriptor key = draft.key;
    key.columns.clear();
    for (const std::string& name : draft.columns) {
      const int position = out->table->FindColumn(name);
      if (position < 0 || out->table->columns[static_cast<size_t>(position)].hidden) {
        return draft.is_new ? UserError(ER_KEY_COLUMN_DOES_NOT_EXITS, name)
                            : UserError(ER_FK_COLUMN_CANNOT_DROP, name, key.name);
      }
      RETURN_IF_ERROR(
          CheckColumn(*out->table, key, out->table->columns[static_cast<size_t>(position)]));
      key.columns.push_back(static_cast<uint32_t>(position));
    }
    out->table->foreign_keys.push_back(std::move(key));
  }
  return {};
}

}  // namespace borealis::sql
