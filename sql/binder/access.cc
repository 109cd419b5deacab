// What the session may do with the tables and columns that a statement names.
//
// A privilege on a table suffices; otherwise each column that is read or changed is asked for.
// Tables are asked for before they are looked up, so that nobody learns what exists by asking.
// An account with all privileges costs one null pointer here.
#include "sql/binder/binder_internal.h"

namespace borealis::sql {
namespace {

// What information_schema tells of the engine is about everybody's transactions.
bool IsEngineTable(std::string_view schema, std::string_view table) {
  return SameName(schema, "information_schema") && SameName(table.substr(0, 7), "innodb_");
}

// The first privilege of a set, for a message.
PrivilegeSet First(PrivilegeSet set) {
  for (int i = 0; i < kPrivilegeCount; ++i) {
    if (set.Has(static_cast<Privilege>(i))) {
      return {static_cast<Privilege>(i)};
    }
  }
  return set;
}

}  // namespace

Status StatementBinder::CheckTable(std::string_view schema, std::string_view table,
                                   PrivilegeSet any) const {
  const SecurityContext* security = input_.environment->security();
  if (security == nullptr) {
    return {};
  }
  if (IsEngineTable(schema, table) && !security->Has(Privilege::kProcess)) {
    return UserError(ER_SPECIFIC_ACCESS_DENIED_ERROR, "PROCESS");
  }
  if (security->OnAnyColumn(schema, table).HasAny(any)) {
    return {};
  }
  return UserError(ER_TABLEACCESS_DENIED_ERROR, DeniedList(First(any)),
                   input_.environment->security_user(), input_.environment->security_host(), table);
}

Status StatementBinder::CheckTableHasAll(std::string_view schema, std::string_view table,
                                         PrivilegeSet all) const {
  const SecurityContext* security = input_.environment->security();
  if (security == nullptr) {
    return {};
  }
  const PrivilegeSet lacking = all - security->OnAnyColumn(schema, table);
  if (lacking.empty()) {
    return {};
  }
  return UserError(ER_TABLEACCESS_DENIED_ERROR, DeniedList(lacking),
                   input_.environment->security_user(), input_.environment->security_host(), table);
}

Status StatementBinder::CheckColumn(const TableDescriptor& table, uint32_t column,
                                    Privilege privilege) const {
  const SecurityContext* security = input_.environment->security();
  if (security == nullptr) {
    return {};
  }
  const std::string& name = table.columns[column].name;
  if (security->OnColumn(table.schema, table.name, name).Has(privilege)) {
    return {};
  }
  return UserError(ER_COLUMNACCESS_DENIED_ERROR, DeniedList({privilege}),
                   input_.environment->security_user(), input_.environment->security_host(), name,
                   table.name);
}

Status StatementBinder::CheckRead(const BoundExpr& expr) const {
  const auto* column = expr.TryAs<BoundColumn>();
  if (column == nullptr || !column->table->select_by_column || column->column == kHandleColumn) {
    return {};
  }
  return CheckColumn(*column->table->table, column->column, Privilege::kSelect);
}

Status StatementBinder::CheckReadByWildcard(const BoundExpr& expr) const {
  if (CheckRead(expr).ok()) {
    return {};
  }
  return UserError(ER_TABLEACCESS_DENIED_ERROR, "SELECT", input_.environment->security_user(),
                   input_.environment->security_host(), expr.As<BoundColumn>().table->table->name);
}

void StatementBinder::NoteAccess(BoundTable* table) const {
  const SecurityContext* security = input_.environment->security();
  table->select_by_column =
      security != nullptr &&
      !security->OnTable(table->table->schema, table->table->name).Has(Privilege::kSelect);
}

Status StatementBinder::CheckInsertAccess(const InsertStmt& statement,
                                          const BoundInsert& insert) const {
  const SecurityContext* security = input_.environment->security();
  const TableDescriptor& table = *insert.table;
  if (security == nullptr || security->OnTable(table.schema, table.name).Has(Privilege::kInsert)) {
    return {};
  }
  if (!statement.has_columns) {
    return UserError(ER_TABLEACCESS_DENIED_ERROR, "INSERT", input_.environment->security_user(),
                     input_.environment->security_host(), table.name);
  }
  for (const uint32_t column : insert.columns) {
    RETURN_IF_ERROR(CheckColumn(table, column, Privilege::kInsert));
  }
  return {};
}

Status StatementBinder::CheckLockingAccess(const BoundTable& table) const {
  const SecurityContext* security = input_.environment->security();
  if (security == nullptr ||
      security->OnAnyColumn(table.table->schema, table.table->name)
          .HasAny({Privilege::kUpdate, Privilege::kDelete, Privilege::kLockTables})) {
    return {};
  }
  return UserError(ER_TABLEACCESS_DENIED_ERROR, "SELECT with locking clause",
                   input_.environment->security_user(), input_.environment->security_host(),
                   table.table->name);
}

}  // namespace borealis::sql
