// Column names to columns: MySQL's scoping rules.
//
// FROM first, then (GROUP BY, HAVING, ORDER BY) the select list's aliases, then the enclosing
// queries. HAVING sees only the select list, the GROUP BY columns and, inside an aggregate, FROM.
#include "sql/binder/binder_internal.h"

namespace borealis::sql {

std::string_view ClauseName(Clause clause) {
  switch (clause) {
    case Clause::kFrom:
      return "a table function argument";
    case Clause::kOn:
      return "on clause";
    case Clause::kWhere:
      return "where clause";
    case Clause::kGroupBy:
      return "group statement";
    case Clause::kHaving:
      return "having clause";
    case Clause::kOrderBy:
      return "order clause";
    case Clause::kWindow:
      return "window order by";
    case Clause::kFieldList:
    case Clause::kLimit:
    case Clause::kValues:
    case Clause::kAssignment:
      return "field list";
  }
  return "field list";
}

namespace {

std::string WrittenName(const ColumnRef& ref) {
  std::string name;
  if (!ref.schema.empty()) {
    name += ref.schema + ".";
  }
  if (!ref.table.empty()) {
    name += ref.table + ".";
  }
  return name + ref.column;
}

bool Qualifies(const ColumnRef& ref, const BoundTable& table) {
  return (ref.table.empty() || ref.table == table.alias) &&
         (ref.schema.empty() || ref.schema == table.schema);
}

// Not within another query block; what surrounds a derived table in FROM is none.
bool IsOutermost(const Scope& scope) {
  const Scope* outer = scope.outer;
  while (outer != nullptr && outer->select == nullptr && outer->from.tables.empty() &&
         !outer->lateral) {
    outer = outer->outer;
  }
  return outer == nullptr;
}

// Whether a column of a derived table, which merging made an expression, is an item under its name.
bool ShowsColumn(const BoundSelect& select, std::string_view name, const BoundExpr& column) {
  return std::any_of(select.items.begin(), select.items.end(), [&](const BoundItem& item) {
    return !item.hidden && SameName(item.column.name, name) && SameExpr(*item.expr, column);
  });
}

bool HasWindow(const BoundExpr& expr) {
  bool has = false;
  Walk(expr, [&](const BoundExpr& part) { has |= part.Is<BoundWindow>(); });
  return has;
}

}  // namespace

Status StatementBinder::UnknownColumn(const ColumnRef& ref, Clause clause) const {
  return UserError(ER_BAD_FIELD_ERROR, WrittenName(ref), ClauseName(clause));
}

ResolvedNames::Column StatementBinder::NameOf(const BoundTable& table, std::string_view column) {
  const TablePtr& own = table.view != nullptr ? table.view : table.table;
  const bool by_name = own != nullptr && own->name == table.alias;
  return {by_name ? table.schema : std::string(), table.alias, std::string(column)};
}

void StatementBinder::NoteColumn(const ColumnRef& ref, ResolvedNames::Column column) const {
  if (names_ != nullptr) {
    names_->columns[&ref] = std::move(column);
  }
}

// By its alias, unless the item is the column of that name itself, or is ordered by where rows are
// not grouped.
void StatementBinder::NoteItemReference(const ColumnRef& ref, const Scope& scope,
                                        size_t item) const {
  if (names_ == nullptr) {
    return;
  }
  const BoundItem& target = scope.select->items[item];
  NoteColumn(ref, {"", "", target.column.name});
  // What is rolled up is no longer the column.
  const bool rolled_up = scope.rollup && scope.clause == Clause::kOrderBy;
  if (item >= scope.item_sources.size() || rolled_up) {
    return;
  }
  const ItemSource& source = scope.item_sources[item];
  const auto* column = source.expr != nullptr ? source.expr->TryAs<ColumnRef>() : nullptr;
  const bool grouped =
      !scope.select->group_by.empty() || scope.select->having != nullptr || scope.has_aggregate;
  const bool in_full = scope.clause == Clause::kOrderBy && !grouped;
  if (source.expr == nullptr || column != nullptr) {
    const ResolvedNames::Column own = column != nullptr ? names_->columns[column] : source.column;
    if (in_full || SameName(own.column, target.column.name)) {
      NoteColumn(ref, own);
    }
  } else if (in_full) {
    names_->position_exprs[&ref] = source.expr;
  }
}

Result<BoundPtr> StatementBinder::FindInTables(const ColumnRef& ref, const Scope& scope) const {
  BoundPtr found;
  auto match = [&](const BoundPtr& candidate, const BoundTable* table, size_t column) -> Status {
    if (found != nullptr && !SameExpr(*found, *candidate)) {
      return UserError(ER_NON_UNIQ_ERROR, WrittenName(ref), ClauseName(scope.clause));
    }
    found = candidate;
    found_ = {table, column};
    return {};
  };
  if (ref.table.empty()) {
    for (const ScopeColumn& column : scope.from.columns) {
      if (SameName(column.name, ref.column)) {
        RETURN_IF_ERROR(match(column.expr, column.tables[0], column.column));
      }
    }
  } else {
    // A qualified name means the table's own column, even where USING merged it.
    for (const BoundTable* table : scope.from.tables) {
      if (!Qualifies(ref, *table)) {
        continue;
      }
      for (size_t i = 0; i < table->columns.size(); ++i) {
        if (SameName(table->columns[i].name, ref.column)) {
          RETURN_IF_ERROR(match(TableColumn(table, i), table, i));
        }
      }
    }
  }
  if (found != nullptr && names_ != nullptr) {
    NoteColumn(ref, NameOf(*found_.table, found_.table->columns[found_.column].name));
  }
  if (found != nullptr && scope.replace) {
    if (const auto* column = found->TryAs<BoundColumn>()) {
      if (BoundPtr replaced = scope.replace(column->table, column->column)) {
        return replaced;
      }
    }
  }
  return found;
}

Result<BoundPtr> StatementBinder::FindInItems(const ColumnRef& ref, const Scope& scope) const {
  if (scope.select == nullptr || !scope.items_bound) {
    return BoundPtr();
  }
  BoundPtr found;
  for (size_t i = 0; i < scope.select->items.size(); ++i) {
    const BoundItem& item = scope.select->items[i];
    if (item.hidden) {
      continue;
    }
    bool matches = false;
    if (ref.table.empty()) {
      matches = SameName(item.column.name, ref.column);
    } else if (const auto* column = item.expr->TryAs<BoundColumn>()) {
      matches = Qualifies(ref, *column->table) && SameName(item.column.org_name, ref.column);
    }
    if (!matches) {
      continue;
    }
    if (found != nullptr && !SameExpr(*found, *item.expr)) {
      return UserError(ER_NON_UNIQ_ERROR, WrittenName(ref), ClauseName(scope.clause));
    }
    if (scope.clause == Clause::kHaving && HasWindow(*item.expr)) {
      return UserError(ER_WINDOW_INVALID_WINDOW_FUNC_ALIAS_USE, ref.column);
    }
    found = item.expr;
    NoteItemReference(ref, scope, i);
  }
  return found;
}

// A subquery in the select list may name an item that is written before it, but for aggregates.
Result<BoundPtr> StatementBinder::FindInEarlierItems(const ColumnRef& ref,
                                                     const Scope& scope) const {
  if (scope.select == nullptr || !ref.table.empty()) {
    return BoundPtr();
  }
  for (const BoundItem& item : scope.select->items) {
    if (item.hidden || !SameName(item.column.name, ref.column)) {
      continue;
    }
    if (HasWindow(*item.expr)) {
      return UserError(ER_WINDOW_INVALID_WINDOW_FUNC_ALIAS_USE, ref.column);
    }
    bool of_group = false;
    Walk(*item.expr, [&](const BoundExpr& e) { of_group |= e.TryAs<BoundAggregate>() != nullptr; });
    if (of_group) {
      return UserError(ER_ILLEGAL_REFERENCE, ref.column, "reference to group function");
    }
    return item.expr;
  }
  return BoundPtr();
}

Result<BoundPtr> StatementBinder::BindColumnRef(const ColumnRef& ref, Scope* scope) {
  if (ref.column.empty()) {
    return UnknownColumn(ref, scope->clause);  // what is hidden has no name
  }
  for (Scope* at = scope; at != nullptr; at = at->outer) {
    BoundPtr found;
    found_ = {};
    bool having = at->clause == Clause::kHaving && at->in_aggregate == 0;
    if (having) {
      // The select list and GROUP BY only.
      ASSIGN_OR_RETURN(found, FindInItems(ref, *at));
      if (found == nullptr) {
        ASSIGN_OR_RETURN(BoundPtr column, FindInTables(ref, *at));
        if (column != nullptr) {
          for (const BoundPtr& group : at->select->group_by) {
            if (SameExpr(*group, *column)) {
              found = column;
            }
          }
          if (found == nullptr && ShowsColumn(*at->select, ref.column, *column)) {
            found = column;
          }
          // Without GROUP BY and aggregates HAVING is a filter on the select list's tables too.
          if (found == nullptr && at != scope) {
            found = column;
          }
        }
      }
    } else {
      ASSIGN_OR_RETURN(found, FindInTables(ref, *at));
      bool aliases = at->clause == Clause::kGroupBy || at->clause == Clause::kOrderBy ||
                     at->clause == Clause::kHaving;
      if (found == nullptr && aliases) {
        ASSIGN_OR_RETURN(found, FindInItems(ref, *at));
      }
      if (found == nullptr && at != scope && at->clause == Clause::kFieldList) {
        ASSIGN_OR_RETURN(found, FindInEarlierItems(ref, *at));
      }
    }
    if (found != nullptr) {
      RETURN_IF_ERROR(CheckRead(found_.table, found_.column));
      // Every query between the name and its table depends on the outer row.
      for (Scope* inner = scope; inner != at; inner = inner->outer) {
        if (inner->query != nullptr) {
          inner->query->correlated = true;
        }
      }
      return found;
    }
  }
  if (!ref.table.empty() && scope->from.tables.empty() && IsOutermost(*scope)) {
    return UserError(ER_UNKNOWN_TABLE, ref.table, ClauseName(scope->clause));
  }
  return UnknownColumn(ref, scope->clause);
}

}  // namespace borealis::sql
