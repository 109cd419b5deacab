// Column names to columns: MySQL's scoping rules.
//
// FROM first, then (GROUP BY, HAVING, ORDER BY) the select list's aliases, then the enclosing
// queries. HAVING sees only the select list, the GROUP BY columns and, inside an aggregate, FROM.
#include <algorithm>

#include "sql/binder/binder_internal.h"
#include "sql/functions/eval_context.h"

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
    case Clause::kWindowPartition:
      return "window partition by";
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

// Whether the column is an item, under whatever name, or in GROUP BY.
bool IsSelectedOrGrouped(const BoundSelect& select, const BoundExpr& column) {
  return std::any_of(
             select.items.begin(), select.items.end(),
             [&](const BoundItem& item) { return !item.hidden && SameExpr(*item.expr, column); }) ||
         std::any_of(select.group_by.begin(), select.group_by.end(),
                     [&](const BoundPtr& group) { return SameExpr(*group, column); });
}

bool HoldsWindow(const BoundExpr& expr) {
  bool holds = false;
  Walk(expr, [&](const BoundExpr& part) { holds |= part.Is<BoundWindow>(); });
  return holds;
}

// Whether a select item that is not bound yet has the name.
bool IsNamedLater(const SelectCore& core, std::string_view name) {
  return std::any_of(core.items.begin(), core.items.end(), [&](const SelectItem& item) {
    const auto* column = item.wildcard ? nullptr : item.expr->TryAs<ColumnRef>();
    return item.alias.has_value() ? SameName(*item.alias, name)
                                  : column != nullptr && SameName(column->column, name);
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

// The first item that is no column wins; of columns by that name there may be but one.
Result<std::optional<size_t>> StatementBinder::FindItem(const ColumnRef& ref,
                                                        const Scope& scope) const {
  const std::vector<BoundItem>& items = scope.select->items;
  std::optional<size_t> found;
  for (size_t i = 0; i < items.size(); ++i) {
    if (items[i].hidden || !SameName(items[i].column.name, ref.column)) {
      continue;
    }
    if (!items[i].expr->Is<BoundColumn>()) {
      return std::optional<size_t>(i);
    }
    if (found.has_value() && !SameExpr(*items[*found].expr, *items[i].expr)) {
      return UserError(ER_NON_UNIQ_ERROR, WrittenName(ref), ClauseName(scope.clause));
    }
    found = found.has_value() ? found : i;
  }
  return found;
}

Result<BoundPtr> StatementBinder::FindInItems(const ColumnRef& ref, const Scope& scope) const {
  if (scope.select == nullptr || !scope.items_bound) {
    return BoundPtr();
  }
  if (ref.table.empty()) {
    ASSIGN_OR_RETURN(const std::optional<size_t> item, FindItem(ref, scope));
    if (!item.has_value()) {
      return BoundPtr();
    }
    NoteItemReference(ref, scope, *item);
    return scope.select->items[*item].expr;
  }
  BoundPtr found;
  for (size_t i = 0; i < scope.select->items.size(); ++i) {
    const BoundItem& item = scope.select->items[i];
    const auto* column = item.expr->TryAs<BoundColumn>();
    if (item.hidden || column == nullptr || !Qualifies(ref, *column->table) ||
        !SameName(item.column.org_name, ref.column)) {
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

// The column of FROM that has the name and is in GROUP BY.
BoundPtr StatementBinder::FindInGroups(const ColumnRef& ref, const Scope& scope) const {
  if (!ref.table.empty()) {
    return nullptr;
  }
  const Found item = found_;
  const Result<BoundPtr> column = FindInTables(ref, scope);
  const bool grouped = column.ok() && column.value() != nullptr &&
                       std::ranges::any_of(scope.select->group_by, [&](const BoundPtr& group) {
                         return SameExpr(*group, *column.value());
                       });
  found_ = grouped ? found_ : item;
  return grouped ? column.value() : nullptr;
}

void StatementBinder::WarnOfTwoMeanings(const ColumnRef& ref, const Scope& scope) {
  environment().eval_context().conversion.Warn(
      UserError(ER_NON_UNIQ_ERROR, WrittenName(ref), ClauseName(scope.clause)));
}

Result<BoundPtr> StatementBinder::FindInEarlierItems(const ColumnRef& ref,
                                                     const Scope& scope) const {
  if (scope.select == nullptr || !ref.table.empty()) {
    return BoundPtr();
  }
  for (const BoundItem& item : scope.select->items) {
    if (!item.hidden && SameName(item.column.name, ref.column)) {
      return item.expr;
    }
  }
  if (scope.core != nullptr && IsNamedLater(*scope.core, ref.column)) {
    return UserError(ER_ILLEGAL_REFERENCE, ref.column, "forward reference in item list");
  }
  return BoundPtr();
}

// Besides its select list HAVING sees the columns that are selected or grouped by; the HAVING of a
// subquery sees the others too where no rows are dropped before; the rest of a subquery sees all.
Result<BoundPtr> StatementBinder::FindForHaving(const ColumnRef& ref, const Scope& at,
                                                const Scope& from) const {
  ASSIGN_OR_RETURN(BoundPtr column, FindInTables(ref, at));
  if (column == nullptr || IsSelectedOrGrouped(*at.select, *column)) {
    return column;
  }
  const bool in_having = from.clause == Clause::kHaving && from.in_aggregate == 0;
  const bool keeps_rows = !at.has_group_by && !at.has_aggregate && !at.select->distinct;
  return &at != &from && (!in_having || keeps_rows) ? column : BoundPtr();
}

Status StatementBinder::NoteUse(const ColumnRef& ref, const BoundExpr& found, Scope* from,
                                Scope* at) {
  // Every query between the name and its table depends on the outer row.
  for (Scope* inner = from; inner != at; inner = inner->outer) {
    if (inner->query != nullptr) {
      inner->query->correlated = true;
    }
  }
  const bool in_call = aggregate_ != nullptr && DepthOf(aggregate_->scope) >= DepthOf(at);
  if (in_call) {
    aggregate_->columns = std::max(aggregate_->columns, DepthOf(at));
  }
  if (found.Is<BoundColumn>()) {
    return {};
  }
  // An item, by its alias.
  if ((from != at || at->clause == Clause::kHaving) && HoldsWindow(found)) {
    return UserError(ER_WINDOW_INVALID_WINDOW_FUNC_ALIAS_USE, ref.column);
  }
  if (!HoldsAggregate(found)) {
    return {};
  }
  if (in_call) {
    aggregate_->aggregates = std::max(aggregate_->aggregates, DepthOf(at));
    return {};
  }
  if (from != at && (from->clause != Clause::kHaving || at->clause == Clause::kGroupBy)) {
    return UserError(ER_ILLEGAL_REFERENCE, ref.column, "reference to group function");
  }
  if (from != at && HoldsAggregateOf(found, at->select)) {
    at->select->aggregates_below = true;
  }
  return {};
}

Result<BoundPtr> StatementBinder::BindColumnRef(const ColumnRef& ref, Scope* scope) {
  if (ref.column.empty()) {
    return UnknownColumn(ref, scope->clause);  // what is hidden has no name
  }
  for (Scope* at = scope; at != nullptr; at = at->outer) {
    BoundPtr found;
    found_ = {};
    if (at->clause == Clause::kHaving && at->in_aggregate == 0) {
      ASSIGN_OR_RETURN(found, FindInItems(ref, *at));
      if (found == nullptr) {
        ASSIGN_OR_RETURN(found, FindForHaving(ref, *at, *scope));
      } else if (BoundPtr group = FindInGroups(ref, *at);
                 group != nullptr && !SameExpr(*group, *found)) {
        WarnOfTwoMeanings(ref, *at);
        found = std::move(group);
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
      RETURN_IF_ERROR(NoteUse(ref, *found, scope, at));
      return found;
    }
  }
  if (!ref.table.empty() && scope->from.tables.empty() && IsOutermost(*scope)) {
    return UserError(ER_UNKNOWN_TABLE, ref.table, ClauseName(scope->clause));
  }
  return UnknownColumn(ref, scope->clause);
}

}  // namespace borealis::sql
