// LOAD DATA (binder/dml.h): an INSERT whose values are fields of a file, and what SET makes of
// them.
#include <algorithm>

#include "sql/binder/binder_internal.h"
#include "sql/binder/evaluate.h"

namespace borealis::sql {
namespace {

std::unique_ptr<ColumnRef> CopyOf(const ColumnRef& ref) {
  auto copy = std::make_unique<ColumnRef>();
  copy->span = ref.span;
  copy->schema = ref.schema;
  copy->table = ref.table;
  copy->column = ref.column;
  return copy;
}

// The INSERT into the same table and columns: what may be inserted into, and by whom, is the same.
std::unique_ptr<InsertStmt> InsertLike(const LoadDataStmt& statement) {
  auto insert = std::make_unique<InsertStmt>();
  insert->span = statement.span;
  insert->replace = statement.replace;
  insert->table = statement.table;
  insert->has_columns = !statement.columns.empty();
  for (const ExprPtr& written : statement.columns) {
    if (const auto* ref = written->TryAs<ColumnRef>()) {
      insert->columns.push_back(CopyOf(*ref));
    }
  }
  for (const AssignmentPtr& assignment : statement.assignments) {
    insert->columns.push_back(CopyOf(assignment->column));
  }
  return insert;
}

}  // namespace

Result<uint32_t> StatementBinder::FindLoaded(const ColumnRef& ref, const QualifiedName& table,
                                             const InsertNames& names) const {
  const std::optional<uint32_t> column = names.Find(ref.column);
  const bool other = (!ref.table.empty() && ref.table != table.name) ||
                     (!ref.schema.empty() && !table.schema.empty() && ref.schema != table.schema);
  if (!column.has_value() || other) {
    return UnknownColumn(ref, Clause::kFieldList);
  }
  return *column;
}

Result<std::unique_ptr<BoundLoad>> StatementBinder::Load(const LoadDataStmt& statement) {
  if (!statement.partitions.empty()) {
    return Unsupported("PARTITION in LOAD DATA");
  }
  auto load = std::make_unique<BoundLoad>();
  BoundInsert& insert = load->insert;
  const std::unique_ptr<const InsertStmt> like = InsertLike(statement);
  BoundQuery owner;
  Scope scope;
  scope.query = &owner;
  InsertNames names;
  RETURN_IF_ERROR(OpenInsertTarget(*like, &insert, &scope.from, &names));
  insert.replace = statement.replace;
  // Without a word about duplicates LOCAL means IGNORE: a client that sends is not stopped halfway.
  insert.ignore = statement.ignore || (statement.local && !statement.replace);
  for (const ExprPtr& written : statement.columns) {
    if (const auto* variable = written->TryAs<UserVariable>()) {
      load->fields.push_back({std::nullopt, variable->name});
      continue;
    }
    ASSIGN_OR_RETURN(const uint32_t column,
                     FindLoaded(written->As<ColumnRef>(), statement.table, names));
    load->fields.push_back({column, ""});
    insert.columns.push_back(column);
  }
  if (statement.columns.empty()) {
    insert.columns = names.all;
    for (const uint32_t column : names.all) {
      load->fields.push_back({column, ""});
    }
  }
  for (const AssignmentPtr& assignment : statement.assignments) {
    ASSIGN_OR_RETURN(const uint32_t column, FindLoaded(assignment->column, statement.table, names));
    insert.columns.push_back(column);
    load->assignments.push_back({column, nullptr});
  }
  RETURN_IF_ERROR(CheckInsertAccess(*like, insert, *scope.from.tables[0]));
  RETURN_IF_ERROR(BindLoadAssignments(statement, &scope, load.get()));
  return load;
}

Status StatementBinder::BindLoadAssignments(const LoadDataStmt& statement, Scope* scope,
                                            BoundLoad* load) {
  input_.no_narrowing = true;  // evaluated row by row
  // Variables get their values while rows are read: they are looked up for each.
  facts_->assigns_variables = true;
  scope->clause = Clause::kFieldList;
  for (size_t i = 0; i < statement.assignments.size(); ++i) {
    BoundAssignment& bound = load->assignments[i];
    const Expr& value = *statement.assignments[i]->value;
    if (IsBareDefault(value)) {
      continue;
    }
    ASSIGN_OR_RETURN(bound.value, BindExpr(value, scope));
    if (scope->has_aggregate) {
      return UserError(ER_INVALID_GROUP_FUNC_USE);
    }
    RETURN_IF_ERROR(RefuseReadingTarget(*bound.value, InsertedInto(load->insert)));
    if (load->insert.table->columns[bound.column].type.is_numeric()) {
      bound.value = HexAsNumber(bound.value);
    }
  }
  return {};
}

Result<std::unique_ptr<BoundLoad>> BindLoad(const LoadDataStmt& statement, const BindInput& input,
                                            StatementFacts* facts) {
  return StatementBinder(input, facts).Load(statement);
}

}  // namespace borealis::sql
