#include "sql/executor/definition/foreign_key_alteration.h"

#include <algorithm>

#include "base/mysql_error.h"
#include "sql/executor/definition/definition_run.h"
#include "sql/executor/definition/foreign_key_relations.h"
#include "sql/session/session.h"

namespace borealis::sql {
namespace {

class AlterationCheck {
 public:
  AlterationCheck(StatementRun& run, const KeyedAlteration& alteration)
      : run_(run),
        before_(*alteration.before),
        after_(*alteration.after),
        alteration_(alteration) {}

  Status Run() {
    for (const ForeignKeyDescriptor& key : before_.foreign_keys) {
      RETURN_IF_ERROR(CheckOwn(key));
    }
    for (const ReferencingTable& name : before_.referencing) {
      if (name.schema == before_.schema && name.name == before_.name) {
        continue;  // CheckOwn sees to both sides
      }
      ASSIGN_OR_RETURN(const CatalogEntry child,
                       StoredCatalogOf(run_).Find(name.schema, name.name));
      for (const ForeignKeyDescriptor& key : child.table->foreign_keys) {
        if (RefersTo(key)) {
          RETURN_IF_ERROR(CheckAsParent(*child.table, key));
        }
      }
    }
    return {};
  }

 private:
  bool RefersTo(const ForeignKeyDescriptor& key) const {
    return key.schema == before_.schema && key.table == before_.name;
  }

  // The column of the new table that was the old one's; -1: dropped.
  int NewPosition(uint32_t old_position) const {
    const auto& sources = *alteration_.column_sources;
    const auto found = std::find(sources.begin(), sources.end(), static_cast<int>(old_position));
    return found == sources.end() ? -1 : static_cast<int>(found - sources.begin());
  }

  // The new table has the key's columns under an index, if the old one had.
  Status CheckIndex(std::span<const uint32_t> old_columns) const {
    std::vector<uint32_t> columns;
    for (const uint32_t column : old_columns) {
      columns.push_back(static_cast<uint32_t>(NewPosition(column)));
    }
    const int old_index = before_.FindIndexOn(old_columns);
    if (old_index < 0 || after_.FindIndexOn(columns) >= 0) {
      return {};
    }
    return UserError(ER_DROP_INDEX_FK, before_.indexes[static_cast<size_t>(old_index)].name);
  }

  bool ValuesMayChange(uint32_t old_position, const ColumnDescriptor& to) const {
    const ColumnDescriptor& from = before_.columns[old_position];
    return alteration_.copies && run_.session.settings().foreign_key_checks &&
           (from.type.Nullable() != to.type.Nullable() ||
            (from.type.nullable && !to.type.nullable));
  }

  Status CheckColumn(uint32_t old_position, const Status& changed) const {
    const ColumnDescriptor& to = after_.columns[static_cast<size_t>(NewPosition(old_position))];
    if (alteration_.copies && !SameName(before_.columns[old_position].name, to.name)) {
      return UserError(ER_ALTER_OPERATION_NOT_SUPPORTED_REASON, "ALGORITHM=COPY",
                       "Columns participating in a foreign key are renamed", "ALGORITHM=INPLACE");
    }
    return ValuesMayChange(old_position, to) ? changed : Status::Ok();
  }

  // A key of the table itself.
  Status CheckOwn(const ForeignKeyDescriptor& old_key) const {
    const auto kept =
        std::find_if(after_.foreign_keys.begin(), after_.foreign_keys.end(),
                     [&](const ForeignKeyDescriptor& key) { return SameColumns(old_key, key); });
    if (kept == after_.foreign_keys.end()) {
      return {};  // dropped
    }
    RETURN_IF_ERROR(CheckIndex(old_key.columns));
    if (RefersTo(old_key)) {
      RETURN_IF_ERROR(CheckAsParent(after_, *kept));
    } else {
      const auto parent = StoredCatalogOf(run_).Find(old_key.schema, old_key.table);
      if (parent.ok() && !ParentColumns(*kept, *parent->table).empty()) {
        RETURN_IF_ERROR(CheckReference(run_, after_, *kept, *parent->table));
      }
    }
    for (const uint32_t column : old_key.columns) {
      RETURN_IF_ERROR(CheckColumn(column, UserError(ER_FK_COLUMN_CANNOT_CHANGE,
                                                    before_.columns[column].name, old_key.name)));
    }
    return {};
  }

  // The same key in the new table: keys are told apart by what they are, as a renamed table's have
  // new names.
  bool SameColumns(const ForeignKeyDescriptor& old_key, const ForeignKeyDescriptor& key) const {
    if (key.schema != old_key.schema || key.table != old_key.table ||
        key.parent_columns != old_key.parent_columns ||
        (before_.name == after_.name && !SameName(key.name, old_key.name))) {
      return false;
    }
    return std::equal(key.columns.begin(), key.columns.end(), old_key.columns.begin(),
                      old_key.columns.end(), [&](uint32_t column, uint32_t old_column) {
                        return static_cast<int>(column) == NewPosition(old_column);
                      });
  }

  // A key of `child` to the table.
  Status CheckAsParent(const TableDescriptor& child, const ForeignKeyDescriptor& key) const {
    const std::vector<uint32_t> old_columns = ParentColumns(key, before_);
    if (old_columns.empty()) {
      return {};
    }
    ForeignKeyDescriptor renamed = key;
    for (size_t i = 0; i < old_columns.size(); ++i) {
      const int position = NewPosition(old_columns[i]);
      if (position < 0) {
        return UserError(ER_FK_COLUMN_CANNOT_DROP_CHILD, before_.columns[old_columns[i]].name,
                         key.name, child.name);
      }
      renamed.parent_columns[i] = after_.columns[static_cast<size_t>(position)].name;
    }
    RETURN_IF_ERROR(CheckIndex(old_columns));
    RETURN_IF_ERROR(CheckReference(run_, child, renamed, after_));
    for (const uint32_t column : old_columns) {
      RETURN_IF_ERROR(CheckColumn(
          column, UserError(ER_FK_COLUMN_CANNOT_CHANGE_CHILD, before_.columns[column].name,
                            key.name, child.schema + "." + child.name)));
    }
    return {};
  }

  StatementRun& run_;
  const TableDescriptor& before_;
  const TableDescriptor& after_;
  const KeyedAlteration& alteration_;
};

}  // namespace

Status CheckKeyedAlteration(StatementRun& run, const KeyedAlteration& alteration) {
  return AlterationCheck(run, alteration).Run();
}

}  // namespace borealis::sql
