// What the session may do with the tables and columns that a statement names.
//
// A privilege on a table suffices; otherwise each column that is read or changed is asked for.
// Tables are asked for before they are looked up, so that nobody learns what exists by asking.
// An account with all privileges costs one null pointer here.
//
// Views: whoever names a view is asked for what they do with the view. What a view is made from is
// asked of the view's definer, or with SQL SECURITY INVOKER of whoever uses the view, while its
// text is bound (BinderEnvironment::EnterView). A column that they may not read makes the view's
// columns that show it unreadable, not the others; anything else that lacks is the view's error
// 1356.
//
// INV-VIEW-3  Every occurrence of a table or view is asked for with the privileges of whoever wrote
//             its name: of the invoker for what the statement names, of the view's definer or the
//             invoker for what a view names. A change through a view asks each of them on the way
//             to the stored table.
#include <algorithm>

#include "sql/binder/binder_internal.h"

namespace borealis::sql {
namespace {

// What information_schema tells of the engine is about everybody's tables and transactions.
bool IsEngineTable(std::string_view schema, std::string_view table) {
  return SameName(schema, "information_schema") &&
         (SameName(table, "files") || (SameName(table.substr(0, 7), "innodb_") &&
                                       !SameName(table, "innodb_ft_default_stopword")));
}

// What a message calls the privilege of which one of the set was wanted.
std::string NameOfWanted(PrivilegeSet any) {
  if (any == kSomeUseOfRows) {
    return "ANY";
  }
  for (int i = 0; i < kPrivilegeCount; ++i) {
    if (any.Has(static_cast<Privilege>(i))) {
      return DeniedList({static_cast<Privilege>(i)});
    }
  }
  return "";
}

const TableDescriptor& Described(const BoundTable& table) {
  return table.view != nullptr ? *table.view : *table.table;
}

Status InvalidView(const BoundTable& view) {
  return UserError(ER_VIEW_INVALID, view.view->schema, view.view->name);
}

}  // namespace

const SecurityContext* StatementBinder::Security() const {
  return input_.unchecked ? nullptr : input_.environment->security();
}

Status StatementBinder::DeniedTable(std::string_view what, std::string_view table) const {
  return UserError(ER_TABLEACCESS_DENIED_ERROR, what, input_.environment->security_user(),
                   input_.environment->security_host(), table);
}

Status StatementBinder::CheckTable(std::string_view schema, std::string_view table,
                                   PrivilegeSet any) const {
  const SecurityContext* security = Security();
  if (security == nullptr) {
    return {};
  }
  if (IsEngineTable(schema, table) && !security->Has(Privilege::kProcess)) {
    return UserError(ER_SPECIFIC_ACCESS_DENIED_ERROR, "PROCESS");
  }
  return security->OnAnyColumn(schema, table).HasAny(any) ? Status()
                                                          : DeniedTable(NameOfWanted(any), table);
}

Result<bool> StatementBinder::EnterTemporary(std::string_view schema, std::string_view name,
                                             std::string_view alias) {
  if (!environment().HasTemporary(schema, name)) {
    return false;
  }
  if (input_.defines_view) {
    return UserError(ER_VIEW_SELECT_TMPTABLE, alias);
  }
  std::string table(schema);
  table.append(".").append(name);
  RETURN_IF_ERROR(OpenTemporary({std::move(table), std::string(alias)}));
  return true;
}

Status StatementBinder::OpenTemporary(const TemporaryUse& use) {
  for (const TemporaryUse& open : temporary_) {
    if (open.table == use.table) {
      return UserError(ER_CANT_REOPEN_TABLE, open.alias);
    }
  }
  temporary_.push_back(use);
  return {};
}

Status StatementBinder::OpenTemporaryOf(const BoundCte& cte) {
  for (const TemporaryUse& use : cte.temporary) {
    RETURN_IF_ERROR(OpenTemporary(use));
  }
  return {};
}

Status StatementBinder::CheckTableHasAll(std::string_view schema, std::string_view table,
                                         PrivilegeSet all) const {
  const SecurityContext* security = Security();
  if (security == nullptr) {
    return {};
  }
  const PrivilegeSet lacking = all - security->OnAnyColumn(schema, table);
  return lacking.empty() ? Status() : DeniedTable(DeniedList(lacking), table);
}

Status StatementBinder::CheckOccurrence(const BoundTable& table, Privilege privilege) const {
  const TableDescriptor& named = Described(table);
  if (table.security == nullptr ||
      table.security->OnAnyColumn(named.schema, named.name).Has(privilege)) {
    return {};
  }
  return DeniedTable(DeniedList({privilege}), named.name);
}

Status StatementBinder::CheckColumn(const BoundTable& table, size_t column,
                                    PrivilegeSet any) const {
  if (table.security == nullptr) {
    return {};
  }
  const TableDescriptor& named = Described(table);
  const std::string& name = named.columns[column].name;
  if (table.security->OnColumn(named.schema, named.name, name).HasAny(any)) {
    return {};
  }
  return UserError(ER_COLUMNACCESS_DENIED_ERROR, NameOfWanted(any),
                   input_.environment->security_user(), input_.environment->security_host(), name,
                   named.name);
}

Status StatementBinder::CheckRead(const BoundTable* table, size_t column) const {
  if (table == nullptr) {
    return {};
  }
  Status status;
  if (table->select_by_column) {
    status = CheckColumn(*table, column, read_needs_);
  }
  if (status.ok() && table->columns[column].unreadable) {
    status = InvalidView(*table);
  }
  if (!status.ok() && item_unreadable_ != nullptr) {
    *item_unreadable_ = true;
    return {};
  }
  return status;
}

Status StatementBinder::CheckReadByWildcard(const BoundTable& table, size_t column) const {
  const Status status = CheckRead(&table, column);
  return status.user_errno() == ER_COLUMNACCESS_DENIED_ERROR
             ? DeniedTable(NameOfWanted(read_needs_), Described(table).name)
             : status;
}

void StatementBinder::NoteAccess(BoundTable* table) const {
  const TableDescriptor& named = Described(*table);
  table->security = named.temporary ? nullptr : Security();
  table->select_by_column =
      table->security != nullptr &&
      !table->security->OnTable(named.schema, named.name).Has(Privilege::kSelect);
}

Status StatementBinder::CheckBelow(const BoundTable& named, const BoundTable& target,
                                   std::optional<uint32_t> column, Privilege privilege) const {
  const BoundTable* at = &named;
  while (at != &target) {
    const auto next =
        std::find_if(at->merged_tables.begin(), at->merged_tables.end(), [&](const auto* merged) {
          const std::vector<const BoundTable*> bases = BaseTablesOf(*merged);
          return std::find(bases.begin(), bases.end(), &target) != bases.end();
        });
    if (next == at->merged_tables.end()) {
      return Status::Internal("a change of a table that the view does not read");
    }
    at = *next;
    Status status = CheckOccurrence(*at, privilege);
    if (status.ok() && column.has_value()) {
      status = CheckColumn(*at, ColumnShowing(*at, target, *column), {privilege});
    }
    if (!status.ok()) {
      return InvalidView(named);
    }
  }
  return {};
}

size_t StatementBinder::ColumnShowing(const BoundTable& table, const BoundTable& target,
                                      uint32_t column) {
  if (table.kind != BoundTableKind::kView) {
    return column;
  }
  for (size_t i = 0; i < table.merged_items.size(); ++i) {
    const auto* item = table.merged_items[i]->TryAs<BoundColumn>();
    if (item != nullptr && item->table == &target && item->column == column) {
      return i;
    }
  }
  INVARIANT(false);
  return 0;
}

Status StatementBinder::CheckInsertAccess(const InsertStmt& statement, const BoundInsert& insert,
                                          const BoundTable& named) const {
  const TableDescriptor& described = Described(named);
  const bool whole =
      named.security == nullptr ||
      named.security->OnTable(described.schema, described.name).Has(Privilege::kInsert);
  if (!whole && !statement.has_columns) {
    return DeniedTable("INSERT", described.name);
  }
  for (const uint32_t column : insert.columns) {
    if (!whole) {
      RETURN_IF_ERROR(
          CheckColumn(named, ColumnShowing(named, *insert.target, column), {Privilege::kInsert}));
    }
    RETURN_IF_ERROR(CheckBelow(named, *insert.target, column, Privilege::kInsert));
  }
  RETURN_IF_ERROR(CheckBelow(named, *insert.target, std::nullopt, Privilege::kInsert));
  return statement.replace ? CheckBelow(named, *insert.target, std::nullopt, Privilege::kDelete)
                           : Status();
}

Status StatementBinder::CheckLockingAccess(const BoundTable& table) const {
  if (table.in_view || table.security == nullptr) {
    return {};
  }
  const TableDescriptor& named = Described(table);
  return table.security->OnAnyColumn(named.schema, named.name)
                 .HasAny({Privilege::kUpdate, Privilege::kDelete, Privilege::kLockTables})
             ? Status()
             : DeniedTable("SELECT with locking clause", named.name);
}

}  // namespace borealis::sql
