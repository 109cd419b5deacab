// One SELECT block: items, *, WHERE, GROUP BY, HAVING, ORDER BY.
#include <algorithm>

#include "sql/ast/print.h"
#include "sql/binder/binder_internal.h"

namespace borealis::sql {
namespace {

constexpr size_t kMaxNameBytes = 255;
constexpr size_t kTablesMax = 61;

// Literal that counts items from 1.
const Literal* Position(const Expr& expr) {
  const auto* literal = expr.TryAs<Literal>();
  return literal != nullptr && literal->type == LiteralKind::kInteger ? literal : nullptr;
}

// Spaces and control characters before a name are no part of it.
std::string WithoutLeadingSpace(std::string_view name) {
  const auto is_space = [](char c) { return static_cast<unsigned char>(c) <= ' ' || c == 0x7F; };
  name.remove_prefix(
      static_cast<size_t>(std::find_if_not(name.begin(), name.end(), is_space) - name.begin()));
  return std::string(name);
}

// Flags of the keys that a column is in, and the like. A derived table that MySQL puts into the
// query around passes them on.
uint16_t ExtraFlagsOf(const BoundColumn& column) {
  const BoundQuery* merged = MergedQuery(*column.table);
  return merged != nullptr && column.column < merged->columns.size()
             ? merged->columns[column.column].extra_flags
             : column.table->columns[column.column].extra_flags;
}

// Whether a column is shown under the name that the table gives it, however the query writes it: so
// it is where MySQL puts a view or a derived table into the query, and the better part of
// information_schema is views.
bool NamesItsColumns(const BoundTable& table) {
  if (!table.merged_items.empty() || MergedQuery(table) != nullptr) {
    return true;
  }
  static constexpr std::string_view kNoViews[] = {"APPLICABLE_ROLES",   "COLUMN_PRIVILEGES",
                                                  "ENABLED_ROLES",      "ENGINES",
                                                  "OPTIMIZER_TRACE",    "PLUGINS",
                                                  "PROCESSLIST",        "PROFILING",
                                                  "ROLE_COLUMN_GRANTS", "ROLE_ROUTINE_GRANTS",
                                                  "ROLE_TABLE_GRANTS",  "SCHEMA_PRIVILEGES",
                                                  "TABLE_PRIVILEGES",   "USER_PRIVILEGES"};
  static constexpr std::string_view kInnodbViews[] = {
      "INNODB_DATAFILES", "INNODB_FIELDS", "INNODB_FOREIGN_COLS", "INNODB_TABLESPACES_BRIEF"};
  if (table.table == nullptr || !SameName(table.schema, "information_schema")) {
    return false;
  }
  const auto is_table = [&](std::string_view name) { return SameName(table.table->name, name); };
  return SameName(std::string_view(table.table->name).substr(0, 7), "INNODB_")
             ? std::ranges::any_of(kInnodbViews, is_table)
             : std::ranges::none_of(kNoViews, is_table);
}

size_t TablesIn(const BoundFrom& from) {
  return from.table != nullptr ? 1 : TablesIn(*from.left) + TablesIn(*from.right);
}

// A constant that is NULL where it is rolled up: nothing may be computed from it beforehand.
BoundPtr RolledUpConstant(BoundPtr constant) {
  auto any =
      std::make_shared<BoundConvert>(constant->type.Nullable(), BoundConvert::Mode::kAnyValue);
  any->coercibility = constant->coercibility;
  any->args = {std::move(constant)};
  return any;
}

// DISTINCT compares numbers as they are shown: not by the digits that a division holds beyond.
void RoundShown(BoundSelect* select, std::vector<BoundOrder>* order_by) {
  for (BoundItem& item : select->items) {
    if (!item.expr->type.is_decimal() || !item.expr->Is<BoundFunction>()) {
      continue;
    }
    const BoundPtr shown = Convert(item.expr, item.expr->type, BoundConvert::Mode::kCast);
    for (BoundOrder& order : *order_by) {
      if (SameExpr(*order.expr, *item.expr)) {
        order.expr = shown;
      }
    }
    item.expr = shown;
  }
}

}  // namespace

// An unaliased item is named by its text; a column by its own name; a string by its value.
std::string StatementBinder::ItemName(const Expr& expr, Span span) const {
  if (const auto* ref = expr.TryAs<ColumnRef>()) {
    return ref->column;
  }
  if (const auto* literal = expr.TryAs<Literal>()) {
    if (literal->type == LiteralKind::kString) {
      size_t size = literal->first_part != 0 ? literal->first_part : literal->text.size();
      return WithoutLeadingSpace(std::string_view(literal->text).substr(0, size));
    }
    if (literal->type == LiteralKind::kNull) {
      return "NULL";
    }
  }
  if (const auto* call = expr.TryAs<FunctionCall>()) {
    if (call->name == "name_const" && call->args.size() == 2) {
      return ItemName(*call->args[0], call->args[0]->span);
    }
  }
  if (span.end > span.begin && span.end <= text().size()) {
    return std::string(
        text().substr(span.begin, std::min<size_t>(span.end - span.begin, kMaxNameBytes)));
  }
  return PrintExpr(expr);
}

ResultColumn StatementBinder::DescribeItem(const BoundPtr& expr, std::string name) const {
  ResultColumn column;
  column.name = std::move(name);
  column.type = expr->type;
  if (const auto* source = expr->TryAs<BoundColumn>()) {
    if (source->column != kHandleColumn) {
      const BoundTableColumn& origin = source->table->columns[source->column];
      column.org_name = origin.org_name.empty() ? origin.name : origin.org_name;
      column.table = source->table->alias;
      column.org_table = origin.org_table;
      column.schema = source->table->schema.empty() ? origin.org_schema : source->table->schema;
      column.extra_flags = ExtraFlagsOf(*source);
    }
  }
  return column;
}

// A view's column is shown as the view's, with the flags of the column that it comes from.
ResultColumn StatementBinder::DescribeViewColumn(const BoundTable& view, size_t column,
                                                 std::string name) {
  const BoundTableColumn& origin = view.columns[column];
  ResultColumn described;
  described.name = std::move(name);
  described.org_name = origin.org_name;
  described.table = view.alias;
  described.org_table = origin.org_table;
  described.type = view.merged_items[column]->type;
  const auto* source = view.merged_items[column]->TryAs<BoundColumn>();
  if (source != nullptr && source->column != kHandleColumn) {
    described.schema = view.schema;
    described.extra_flags = ExtraFlagsOf(*source);
  }
  return described;
}

Status StatementBinder::ExpandWildcard(const SelectItem& item, Scope* scope, BoundSelect* select) {
  if (scope->from.tables.empty()) {
    if (item.table.empty()) {
      return UserError(ER_NO_TABLES_USED);
    }
    return UserError(ER_BAD_TABLE_ERROR, item.table);
  }
  bool any = false;
  auto add = [&](const BoundPtr& expr, const std::string& name, const BoundTable* table,
                 size_t column) -> Status {
    any = true;
    RETURN_IF_ERROR(CheckReadByWildcard(*table, column));
    const bool of_view = table->kind == BoundTableKind::kView;
    select->items.push_back(
        {expr, of_view ? DescribeViewColumn(*table, column, name) : DescribeItem(expr, name),
         false});
    if (names_ != nullptr) {
      ResolvedNames::Column full = NameOf(*table, name);
      names_->wildcards[&item].push_back({full, name});
      scope->item_sources.push_back({nullptr, std::move(full)});
    }
    return {};
  };
  if (item.table.empty()) {
    for (const ScopeColumn& column : scope->from.columns) {
      if (!column.hidden) {
        RETURN_IF_ERROR(add(column.expr, column.name, column.tables[0], column.column));
      }
    }
    return {};
  }
  for (const BoundTable* table : scope->from.tables) {
    if (table->alias != item.table || (!item.schema.empty() && item.schema != table->schema)) {
      continue;
    }
    for (size_t i = 0; i < table->columns.size(); ++i) {
      if (!table->columns[i].hidden) {
        RETURN_IF_ERROR(add(TableColumn(table, i), table->columns[i].name, table, i));
      }
    }
  }
  if (!any) {
    return UserError(ER_BAD_TABLE_ERROR, item.table);
  }
  return {};
}

Status StatementBinder::BindItems(const SelectCore& core, Scope* scope, BoundSelect* select) {
  scope->clause = Clause::kFieldList;
  for (const SelectItem& item : core.items) {
    if (item.wildcard) {
      read_needs_ = scope->shown_needs;
      const Status expanded = ExpandWildcard(item, scope, select);
      read_needs_ = {Privilege::kSelect};
      RETURN_IF_ERROR(expanded);
      continue;
    }
    found_ = {};
    read_needs_ =
        item.expr->Is<ColumnRef>() ? scope->shown_needs : PrivilegeSet{Privilege::kSelect};
    bool unreadable = false;
    bool* outer_unreadable = item_unreadable_;
    if (scope->unreadable_items != nullptr) {
      item_unreadable_ = &unreadable;
    }
    Result<BoundPtr> bound = BindExpr(*item.expr, scope);
    item_unreadable_ = outer_unreadable;
    read_needs_ = {Privilege::kSelect};
    if (scope->unreadable_items != nullptr) {
      scope->unreadable_items->push_back(unreadable);
    }
    ASSIGN_OR_RETURN(BoundPtr expr, std::move(bound));
    std::string name = item.alias.has_value() ? *item.alias : ItemName(*item.expr, item.span);
    if (!item.alias.has_value() && item.expr->Is<ColumnRef>() && found_.table != nullptr &&
        NamesItsColumns(*found_.table)) {
      name = found_.table->columns[found_.column].name;
    }
    if (names_ != nullptr) {
      names_->item_names[&item] = name;
      scope->item_sources.push_back({item.expr.get(), {}});
    }
    const bool of_view = item.expr->Is<ColumnRef>() && found_.table != nullptr &&
                         found_.table->kind == BoundTableKind::kView;
    ResultColumn column = of_view
                              ? DescribeViewColumn(*found_.table, found_.column, std::move(name))
                              : DescribeItem(expr, std::move(name));
    select->items.push_back({std::move(expr), std::move(column), false});
  }
  scope->items_bound = true;
  return {};
}

Result<const BoundItem*> StatementBinder::FindOrderTarget(const Expr& expr, Scope* scope,
                                                          BoundSelect* select) {
  const BoundItem* none = nullptr;
  if (const Literal* position = Position(expr)) {
    if (position->integer < 1 || position->integer > select->items.size()) {
      return UserError(ER_BAD_FIELD_ERROR, position->integer, ClauseName(scope->clause));
    }
    if (names_ != nullptr && position->integer <= scope->item_sources.size()) {
      const ItemSource& source = scope->item_sources[position->integer - 1];
      if (source.expr != nullptr) {
        names_->position_exprs[&expr] = source.expr;
      } else {
        names_->position_columns[&expr] = source.column;
      }
    }
    return &select->items[position->integer - 1];
  }
  const auto* ref = expr.TryAs<ColumnRef>();
  if (ref == nullptr || !ref->table.empty()) {
    return none;
  }
  if (scope->clause == Clause::kGroupBy) {
    // FROM comes first in GROUP BY.
    ASSIGN_OR_RETURN(BoundPtr column, FindInTables(*ref, *scope));
    if (column != nullptr) {
      const Result<std::optional<size_t>> item = FindItem(*ref, *scope);
      if (item.ok() && item.value().has_value() &&
          !SameExpr(*select->items[*item.value()].expr, *column)) {
        WarnOfTwoMeanings(*ref, *scope);
      }
      return none;
    }
  }
  ASSIGN_OR_RETURN(const std::optional<size_t> item, FindItem(*ref, *scope));
  if (!item.has_value()) {
    return none;
  }
  NoteItemReference(*ref, *scope, *item);
  return &select->items[*item];
}

Status StatementBinder::BindGroupBy(const SelectCore& core, Scope* scope, BoundSelect* select) {
  scope->clause = Clause::kGroupBy;
  for (const OrderItem& item : core.group_by) {
    ASSIGN_OR_RETURN(const BoundItem* target, FindOrderTarget(*item.expr, scope, select));
    BoundPtr expr;
    if (target != nullptr && core.rollup && target->expr->Is<BoundColumn>()) {
      // Of equal groups the item is this one (bind_rollup.cc).
      const auto number = static_cast<size_t>(target - select->items.data());
      expr = std::make_shared<BoundColumn>(target->expr->As<BoundColumn>());
      select->items[number].expr = expr;
    } else if (target != nullptr && core.rollup && IsFixed(*target->expr)) {
      const auto number = static_cast<size_t>(target - select->items.data());
      expr = RolledUpConstant(target->expr);
      select->items[number].expr = expr;
    } else if (target != nullptr) {
      expr = target->expr;
    } else {
      ASSIGN_OR_RETURN(expr, BindExpr(*item.expr, scope));
    }
    bool refused = HoldsAggregateOf(*expr, select);
    Walk(*expr, [&](const BoundExpr& e) {
      refused |= e.kind == BoundKind::kAggregate || e.kind == BoundKind::kWindow ||
                 e.kind == BoundKind::kGrouping;
    });
    if (refused) {
      // An expression has no name.
      return UserError(ER_WRONG_GROUP_FIELD, target != nullptr ? target->column.name : "???");
    }
    select->group_by.push_back(std::move(expr));
  }
  return {};
}

Status StatementBinder::BindOrderBy(const std::vector<OrderItem>& items, Scope* scope,
                                    BoundSelect* select, std::vector<BoundOrder>* out,
                                    bool of_set_operation) {
  scope->clause = Clause::kOrderBy;
  const bool aggregated = scope->has_aggregate || !select->group_by.empty();
  for (size_t i = 0; i < items.size(); ++i) {
    ASSIGN_OR_RETURN(const BoundItem* target, FindOrderTarget(*items[i].expr, scope, select));
    BoundPtr expr;
    if (target != nullptr) {
      expr = target->expr;
    } else {
      ASSIGN_OR_RETURN(expr, BindExpr(*items[i].expr, scope));
    }
    bool window = false;
    Walk(*expr, [&](const BoundExpr& part) { window |= part.Is<BoundWindow>(); });
    if (of_set_operation && (scope->has_aggregate || window)) {
      return UserError(ER_AGGREGATE_ORDER_FOR_UNION, i + 1);
    }
    if (scope->has_aggregate && !aggregated) {
      return UserError(ER_AGGREGATE_ORDER_NON_AGG_QUERY, i + 1);
    }
    // A constant orders nothing.
    if (!IsFixed(*expr) || (scope->rollup && expr->Is<BoundConvert>())) {
      out->push_back({std::move(expr), items[i].descending()});
    }
  }
  return {};
}

Status StatementBinder::BindSelect(const SelectCore& core, const Query* owner, BoundQuery* query,
                                   Scope* outer) {
  query->body.select = std::make_unique<BoundSelect>();
  BoundSelect* select = query->body.select.get();
  Scope scope;
  scope.outer = outer;
  scope.query = query;
  scope.select = select;
  scope.core = &core;
  scope.named_windows = &core.windows;
  scope.has_group_by = !core.group_by.empty();
  scope.rollup = core.rollup;
  select->distinct = core.distinct;
  query->calc_found_rows = core.calc_found_rows;

  if (input_.defines_view && outer == nullptr && view_stack_.empty()) {
    scope.from_needs = kSomeUseOfRows;
    scope.shown_needs = kSomeUseOfRows;
  }
  ASSIGN_OR_RETURN(select->from, BindFrom(core.from, &scope));
  if (select->from != nullptr && TablesIn(*select->from) > kTablesMax) {
    return UserError(ER_TOO_MANY_TABLES, kTablesMax);
  }
  if (core.straight_join) {
    for (BoundFrom* at = select->from.get(); at != nullptr; at = at->left.get()) {
      at->straight = at->table == nullptr;
    }
  }
  if (core.where != nullptr) {
    scope.clause = Clause::kWhere;
    ASSIGN_OR_RETURN(select->where, BindCondition(*core.where, &scope));
  }
  select->where = AndAlso(scope.view_condition, std::move(select->where));
  RETURN_IF_ERROR(CheckNamedWindows(scope));
  RETURN_IF_ERROR(BindItems(core, &scope, select));
  RETURN_IF_ERROR(BindGroupBy(core, &scope, select));
  if (core.having != nullptr) {
    scope.clause = Clause::kHaving;
    ASSIGN_OR_RETURN(select->having, BindCondition(*core.having, &scope));
  }
  RETURN_IF_ERROR(BindNamedWindows(&scope));
  if (owner != nullptr) {
    RETURN_IF_ERROR(BindOrderBy(owner->order_by, &scope, select, &query->order_by));
    // The order of a view that is all there is to select from.
    if (owner->order_by.empty() && scope.from.tables.size() == 1 && !select->distinct) {
      query->order_by = scope.view_order;
    }
  }
  select->aggregated = scope.has_aggregate || !select->group_by.empty();
  if (&core == selecting_ && !select->aggregated && !select->distinct) {
    selected_ = scope.from;
  }
  RETURN_IF_ERROR(CheckGrouping(core, scope, *select, query->order_by));
  if (select->having != nullptr && !select->aggregated) {
    // A filter like any other, which merely may use aliases.
    select->where = AndAlso(std::move(select->where), std::move(select->having));
    select->having = nullptr;
  }
  if (select->aggregated &&
      (select->group_by.empty() || owner == nullptr || owner->order_by.empty())) {
    query->order_by.clear();  // one row, or a view's order that says nothing of groups
  }
  RETURN_IF_ERROR(FinishGrouping(core, scope, query));
  RETURN_IF_ERROR(SeparateMonthFrames(query));
  if (select->distinct) {
    RoundShown(select, &query->order_by);
  }
  RETURN_IF_ERROR(SortByKeys(&query->order_by));
  DescribeSentColumns(core.buffer_result, owner != nullptr && !owner->order_by.empty(), query);
  return {};
}

}  // namespace borealis::sql
