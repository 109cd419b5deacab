// Changes through views: which table a view's column belongs to, and what WITH CHECK OPTION asks
// of new rows.
#include <algorithm>

#include "sql/binder/binder_internal.h"

namespace borealis::sql {
namespace {

void CollectBase(const BoundTable& table, std::vector<const BoundTable*>* out) {
  if (table.kind != BoundTableKind::kView) {
    out->push_back(&table);
  }
  for (const BoundTable* merged : table.merged_tables) {
    CollectBase(*merged, out);
  }
}

// What the view's new rows have to fulfil: its own condition if it asks for that, or a view above
// it asks for all below, and what the views that it is made from ask for.
BoundPtr CheckCondition(const BoundTable& view, bool cascaded) {
  const ViewCheck check = view.view->view->check;
  cascaded = cascaded || check == ViewCheck::kCascaded;
  BoundPtr condition;
  if (cascaded || check == ViewCheck::kLocal) {
    condition = view.merged_condition;
  }
  for (const BoundTable* merged : view.merged_tables) {
    if (merged->kind == BoundTableKind::kView) {
      condition = AndAlso(std::move(condition), CheckCondition(*merged, cascaded));
    }
  }
  return condition;
}

bool HasCorrelatedSubquery(const BoundExpr& expr) {
  bool has = false;
  Walk(expr, [&](const BoundExpr& e) {
    const BoundQuery* query = SubqueryOf(e);
    has |= query != nullptr && query->correlated;
  });
  return has;
}

}  // namespace

std::vector<const BoundTable*> BaseTablesOf(const BoundTable& table) {
  std::vector<const BoundTable*> list;
  CollectBase(table, &list);
  return list;
}

bool IsUpdatable(const BoundTable& view) {
  if (view.has_outer_join) {
    return false;
  }
  // What reads the rows that are changed would see them change.
  if (view.merged_condition != nullptr) {
    for (const BoundTable* base : BaseTablesOf(view)) {
      if (base->kind == BoundTableKind::kBase &&
          FindReading(*view.merged_condition, *base->table) != nullptr) {
        return false;
      }
    }
  }
  return std::ranges::none_of(view.merged_items,
                              [](const BoundPtr& item) { return HasCorrelatedSubquery(*item); }) &&
         std::ranges::all_of(view.merged_tables, [](const BoundTable* merged) {
           return merged->kind != BoundTableKind::kView || IsUpdatable(*merged);
         });
}

Status CheckUpdatable(const BoundTable& named, std::string_view operation) {
  const bool updatable = named.kind == BoundTableKind::kView
                             ? IsUpdatable(named)
                             : named.kind != BoundTableKind::kDerived;
  return updatable ? Status::Ok() : UserError(ER_NON_UPDATABLE_TABLE, named.alias, operation);
}

Result<BoundViewCheck> StatementBinder::CheckOfView(const BoundTable& view,
                                                    const BoundTable& target) {
  BoundViewCheck check;
  check.condition = CheckCondition(view, false);
  check.schema = view.view->schema;
  check.name = view.view->name;
  check.target = &target;
  if (check.condition == nullptr) {
    return check;
  }
  if (HasCorrelatedSubquery(*check.condition)) {
    return Unsupported("WITH CHECK OPTION over a subquery that depends on the row");
  }
  Walk(*check.condition, [&](const BoundExpr& e) {
    const auto* column = e.TryAs<BoundColumn>();
    const bool other = column != nullptr && column->table != &target &&
                       std::none_of(check.others.begin(), check.others.end(), [&](const auto& o) {
                         return o.table == column->table && o.column == column->column;
                       });
    if (other) {
      check.others.push_back({column->table, column->column, 0});
    }
  });
  return check;
}

// The table of an INSERT through a view, and what the view's names mean there.
Status StatementBinder::OpenInsertView(const InsertStmt& statement, BoundInsert* insert,
                                       ScopeTables* tables, InsertNames* names) {
  insert->view_query = std::make_shared<BoundQuery>();
  Scope scope;
  scope.query = insert->view_query.get();
  scope.clause = Clause::kFrom;
  scope.from_needs = {Privilege::kInsert};
  TableRefName ref;
  ref.table = {statement.table.schema, statement.table.name, {}};
  RETURN_IF_ERROR(BindNamedTable(ref, &scope, tables).status());
  const BoundTable& view = *tables->tables[0];
  const Status refused = UserError(ER_NON_INSERTABLE_TABLE, view.alias, "INSERT");
  if (view.kind != BoundTableKind::kView || !IsUpdatable(view)) {
    return refused;
  }
  const bool names_columns = statement.has_columns && !statement.columns.empty();
  const bool is_join = BaseTablesOf(view).size() > 1;
  if (is_join && !names_columns) {
    return UserError(ER_VIEW_NO_INSERT_FIELD_LIST, view.view->schema, view.view->name);
  }
  if (is_join && statement.replace) {
    return UserError(ER_VIEW_DELETE_MERGE_VIEW, view.view->schema, view.view->name);
  }
  std::vector<const BoundColumn*> columns;  // null: what is computed
  for (const BoundPtr& item : view.merged_items) {
    const auto* column = item->TryAs<BoundColumn>();
    if (column != nullptr && column->table->kind != BoundTableKind::kBase) {
      return refused;
    }
    columns.push_back(column);
  }
  const auto find = [&](std::string_view name) {
    return std::ranges::find_if(
        view.columns, [&](const BoundTableColumn& column) { return SameName(column.name, name); });
  };
  for (const auto& written : statement.columns) {
    const auto at = find(written->column);
    if (at == view.columns.end()) {
      return UnknownColumn(*written, Clause::kFieldList);
    }
    if (columns[static_cast<size_t>(at - view.columns.begin())] == nullptr) {
      return UserError(ER_NONUPDATEABLE_COLUMN, written->column);
    }
  }
  if (const auto computed = std::ranges::find(columns, nullptr); computed != columns.end()) {
    const auto at = static_cast<size_t>(computed - columns.begin());
    return names_columns ? refused : UserError(ER_NONUPDATEABLE_COLUMN, view.columns[at].name);
  }
  const BoundTable* target = columns[0]->table;
  if (is_join) {
    target = nullptr;
    for (const auto& written : statement.columns) {
      const auto at = static_cast<size_t>(find(written->column) - view.columns.begin());
      if (target != nullptr && target != columns[at]->table) {
        return UserError(ER_VIEW_MULTIUPDATE, view.view->schema, view.view->name);
      }
      target = columns[at]->table;
    }
  }
  for (size_t i = 0; i < columns.size(); ++i) {
    if (columns[i]->table != target) {
      continue;
    }
    if (std::find(names->columns.begin(), names->columns.end(), columns[i]->column) !=
        names->columns.end()) {
      return refused;  // one column under two names
    }
    names->names.push_back(view.columns[i].name);
    names->columns.push_back(columns[i]->column);
  }
  ASSIGN_OR_RETURN(insert->check, CheckOfView(view, *target));
  if (!insert->check.others.empty()) {
    return Unsupported("INSERT into a join view WITH CHECK OPTION");
  }
  // From a table of the view's FROM it becomes the row that is put together.
  auto& owned = insert->view_query->tables;
  const auto at = std::find_if(owned.begin(), owned.end(),
                               [&](const auto& table) { return table.get() == target; });
  insert->target = std::move(*at);
  owned.erase(at);
  insert->target->kind = BoundTableKind::kRow;
  insert->table = insert->target->table;
  insert->view = view.view;
  return {};
}

// The column that an assignment means. Errors: 1054, 1288, 1348.
Result<const BoundColumn*> StatementBinder::FindAssigned(const ColumnRef& ref, const Scope& scope,
                                                         BoundPtr* bound) {
  found_ = {};
  ASSIGN_OR_RETURN(*bound, FindInTables(ref, scope));
  if (*bound == nullptr) {
    return UnknownColumn(ref, Clause::kFieldList);
  }
  const BoundTable* named = found_.table;
  const bool through_view = named->kind == BoundTableKind::kView;
  const auto* column = (*bound)->TryAs<BoundColumn>();
  if (through_view && column == nullptr) {
    return UserError(ER_NONUPDATEABLE_COLUMN, ref.column);
  }
  if (column == nullptr || column->table->kind != BoundTableKind::kBase) {
    return UserError(ER_NON_UPDATABLE_TABLE, named->alias, "UPDATE");
  }
  return column;
}

// The table whose rows a DELETE from `named` takes. Errors: 1142, 1288, 1356, 1395.
Result<const BoundTable*> StatementBinder::FindDeleted(const BoundTable& named) {
  if (named.kind == BoundTableKind::kBase) {
    RETURN_IF_ERROR(CheckOccurrence(named, Privilege::kDelete));
    return &named;
  }
  if (named.kind == BoundTableKind::kView && IsUpdatable(named)) {
    const std::vector<const BoundTable*> tables = BaseTablesOf(named);
    if (tables.size() > 1) {
      return UserError(ER_VIEW_DELETE_MERGE_VIEW, named.view->schema, named.view->name);
    }
    if (tables[0]->kind == BoundTableKind::kBase) {
      RETURN_IF_ERROR(CheckOccurrence(named, Privilege::kDelete));
      RETURN_IF_ERROR(CheckBelow(named, *tables[0], std::nullopt, Privilege::kDelete));
      return tables[0];
    }
  }
  return UserError(ER_NON_UPDATABLE_TABLE, named.alias, "DELETE");
}

}  // namespace borealis::sql
