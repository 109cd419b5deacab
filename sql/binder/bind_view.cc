// Views in FROM.
//
// A view that selects from tables without grouping, DISTINCT, LIMIT, windows or set operations is
// merged: its tables join those of the query around it, its columns are the expressions that it
// selects, and its WHERE becomes part of the condition. So indexes, locks and changes reach the
// tables as if they had been written there. All other views, and those with ALGORITHM = TEMPTABLE,
// are derived tables.
//
// INV-VIEW-1  A view sees nothing of the statement that uses it: neither its tables nor its common
//             table expressions, database or parameters.
#include <algorithm>

#include "sql/ast/ddl.h"
#include "sql/binder/binder_internal.h"
#include "sql/catalog/catalog.h"
#include "sql/parser/parser.h"

namespace borealis::sql {
namespace {

constexpr size_t kViewDepthMax = 32;

// What is wrong with what a view is made from is told as the view's.
Status AsViewError(Status status, const TableDescriptor& view) {
  switch (status.user_errno()) {
    case ER_BAD_FIELD_ERROR:
    case ER_NO_SUCH_TABLE:
    case ER_BAD_DB_ERROR:
    case ER_UNKNOWN_TABLE:
    case ER_NON_UNIQ_ERROR:
    case ER_SP_DOES_NOT_EXIST:
    case ER_TABLEACCESS_DENIED_ERROR:
    case ER_COLUMNACCESS_DENIED_ERROR:
    case ER_VIEW_INVALID:
      return UserError(ER_VIEW_INVALID, view.schema, view.name);
    default:
      return status;
  }
}

bool IsPlainSelect(const Query& query) {
  const auto* core = query.body->TryAs<SelectCore>();
  return core != nullptr && query.with == nullptr && !query.limit.has_value() && !core->distinct &&
         !core->from.empty() && core->group_by.empty() && core->having == nullptr &&
         core->windows.empty();
}

// Grouped, or to be evaluated once and in its own order.
bool NeedsOwnQuery(const BoundExpr& expr) {
  bool needs = false;
  Walk(expr, [&](const BoundExpr& e) {
    needs |= e.kind == BoundKind::kAggregate || e.kind == BoundKind::kWindow ||
             e.kind == BoundKind::kAssignVariable || e.kind == BoundKind::kUserVariable;
  });
  return needs;
}

// ON conditions of the joins.
BoundPtr JoinConditions(const BoundFrom& from) {
  if (from.table != nullptr) {
    return nullptr;
  }
  return AndAlso(AndAlso(JoinConditions(*from.left), JoinConditions(*from.right)), from.on);
}

bool HasOuterJoin(const BoundFrom& from) {
  return from.table == nullptr && (from.join == BoundJoinKind::kLeft || HasOuterJoin(*from.left) ||
                                   HasOuterJoin(*from.right));
}

}  // namespace

Result<std::unique_ptr<BoundFrom>> StatementBinder::BindView(const TableRefName& ref,
                                                             const TablePtr& view, Scope* scope,
                                                             ScopeTables* tables) {
  for (const TablePtr& outer : view_stack_) {
    if (outer->schema == view->schema && outer->name == view->name) {
      return UserError(ER_VIEW_RECURSIVE, view_stack_[0]->schema, view_stack_[0]->name);
    }
  }
  if (view_stack_.size() >= kViewDepthMax) {
    return Unsupported("views of more than 32 views within each other");
  }
  if (!ref.index_hints.empty() && !ref.index_hints[0].indexes.empty()) {
    return UserError(ER_KEY_DOES_NOT_EXITS, ref.index_hints[0].indexes[0],
                     ref.alias.value_or(ref.table.name));
  }
  Result<ParsedStatement> parsed = Parse(view->view->text);
  const auto* select =
      parsed.ok() && parsed->statement ? parsed->statement->TryAs<SelectStmt>() : nullptr;
  if (select == nullptr) {
    return Status::Corruption("text of view " + view->name);
  }
  RETURN_IF_ERROR(environment().EnterView(*view, !input_.unchecked));
  std::string_view outer_text = std::exchange(text_, view->view->text);
  ResolvedNames* outer_names = std::exchange(names_, nullptr);
  view_stack_.push_back(view);
  const PrivilegeSet outer_needs = std::exchange(read_needs_, {Privilege::kSelect});
  Result<std::unique_ptr<BoundFrom>> bound =
      BindViewQuery(ref, view, *select->query, scope, tables);
  read_needs_ = outer_needs;
  environment().LeaveView();
  view_stack_.pop_back();
  names_ = outer_names;
  text_ = outer_text;
  if (!bound.ok()) {
    return AsViewError(std::move(bound).status(), *view);
  }
  NoteAccess(const_cast<BoundTable*>(tables->tables.back()));
  return bound;
}

Result<std::unique_ptr<BoundFrom>> StatementBinder::BindViewQuery(const TableRefName& ref,
                                                                  const TablePtr& view,
                                                                  const Query& query, Scope* scope,
                                                                  ScopeTables* tables) {
  BoundTable* table =
      NewTable(scope->query, BoundTableKind::kView, ref.alias.value_or(ref.table.name));
  table->schema = view->schema;
  table->view = view;
  std::unique_ptr<BoundFrom> from;
  if (view->view->algorithm != ViewAlgorithm::kTemptable && IsPlainSelect(query)) {
    const size_t before = scope->query->tables.size();
    ASSIGN_OR_RETURN(from, MergeView(query, table, scope));
    if (from == nullptr) {
      scope->query->tables.resize(before);
      table->columns.clear();
      table->merged_items.clear();
      table->merged_tables.clear();
      table->merged_condition = nullptr;
    }
  }
  if (from == nullptr) {
    table->kind = BoundTableKind::kDerived;
    ASSIGN_OR_RETURN(from, DeriveView(query, table));
  }
  if (table->columns.size() != view->columns.size()) {
    return UserError(ER_VIEW_INVALID, view->schema, view->name);
  }
  for (size_t i = 0; i < table->columns.size(); ++i) {
    BoundTableColumn& column = table->columns[i];
    column.name = view->columns[i].name;
    column.org_name = view->columns[i].name;
    column.org_table = view->name;
    column.org_schema = view->schema;
  }
  ExposeTable(table, tables);
  return from;
}

Result<std::unique_ptr<BoundFrom>> StatementBinder::MergeView(const Query& query, BoundTable* table,
                                                              Scope* scope) {
  const auto& core = query.body->As<SelectCore>();
  BoundSelect select;
  Scope inside;
  inside.query = scope->query;
  inside.select = &select;
  inside.in_inner_side = scope->in_inner_side;
  ASSIGN_OR_RETURN(std::unique_ptr<BoundFrom> from, BindFrom(core.from, &inside));
  for (const BoundTable* merged : inside.from.tables) {
    table->merged_tables.push_back(const_cast<BoundTable*>(merged));
    table->merged_tables.back()->in_view = true;
  }
  BoundPtr where;
  if (core.where != nullptr) {
    inside.clause = Clause::kWhere;
    ASSIGN_OR_RETURN(where, BindCondition(*core.where, &inside));
  }
  std::vector<bool> unreadable;
  inside.unreadable_items = &unreadable;
  RETURN_IF_ERROR(BindItems(core, &inside, &select));
  bool mergeable = !inside.has_aggregate;
  for (const BoundItem& item : select.items) {
    // What is no column is not NULL where an outer join finds no row.
    mergeable = mergeable && !NeedsOwnQuery(*item.expr) &&
                (scope->in_inner_side == 0 || item.expr->Is<BoundColumn>());
  }
  if (!mergeable) {
    return std::unique_ptr<BoundFrom>();
  }
  std::vector<BoundOrder> order;
  RETURN_IF_ERROR(BindOrderBy(query.order_by, &inside, &select, &order));
  for (const BoundOrder& key : order) {
    for (size_t i = 0; i < unreadable.size(); ++i) {
      if (unreadable[i] && SameExpr(*key.expr, *select.items[i].expr)) {
        return UserError(ER_VIEW_INVALID, table->view->schema, table->view->name);
      }
    }
  }
  if (order.empty() && inside.from.tables.size() == 1) {
    order = std::move(inside.view_order);
  }
  scope->view_order = std::move(order);
  std::vector<ResultColumn> columns;
  for (BoundItem& item : select.items) {
    columns.push_back(std::move(item.column));
    table->merged_items.push_back(std::move(item.expr));
  }
  AddDerivedColumns(columns, table);
  for (size_t i = 0; i < table->columns.size(); ++i) {
    table->columns[i].unreadable = unreadable[i];
  }
  from->filter = AndAlso(inside.view_condition, where);
  // What nested views ask of their rows is their own condition.
  table->merged_condition = AndAlso(JoinConditions(*from), std::move(where));
  table->has_outer_join = HasOuterJoin(*from);
  return from;
}

Result<std::unique_ptr<BoundFrom>> StatementBinder::DeriveView(const Query& query,
                                                               BoundTable* table) {
  ASSIGN_OR_RETURN(table->query, BindQueryExpr(query, nullptr));
  AddDerivedColumns(*table->query, table);
  auto from = std::make_unique<BoundFrom>();
  from->table = table;
  return from;
}

namespace {

// The column of a stored table that the expression is, perhaps through derived tables.
const ColumnDescriptor* StoredColumn(const BoundExpr& expr) {
  const auto* column = expr.TryAs<BoundColumn>();
  if (column == nullptr) {
    return nullptr;
  }
  const BoundTable& table = *column->table;
  if (table.kind == BoundTableKind::kBase) {
    return &table.table->columns[column->column];
  }
  const BoundSelect* select =
      table.kind == BoundTableKind::kDerived ? table.query->body.select.get() : nullptr;
  return select != nullptr ? StoredColumn(*select->items[column->column].expr) : nullptr;
}

}  // namespace

Result<ViewTraits> BindViewDefinition(const TablePtr& view, const BindInput& input) {
  StatementFacts facts;
  BindInput unchecked = input;
  unchecked.unchecked = true;
  StatementBinder binder(unchecked, &facts);
  BoundQuery owner;
  Scope scope;
  scope.query = &owner;
  scope.clause = Clause::kFrom;
  TableRefName ref;
  ref.table = {view->schema, view->name, {}};
  ScopeTables tables;
  RETURN_IF_ERROR(binder.BindView(ref, view, &scope, &tables).status());
  const BoundTable& table = *tables.tables[0];
  ViewTraits traits;
  traits.merges = table.kind == BoundTableKind::kView;
  for (size_t i = 0; i < table.columns.size(); ++i) {
    const BoundPtr column = StatementBinder::TableColumn(&table, i);
    const auto* plain = traits.merges ? column->TryAs<BoundColumn>() : nullptr;
    const bool stored = plain != nullptr && plain->table->kind == BoundTableKind::kBase;
    const bool derived = plain != nullptr && plain->table->kind == BoundTableKind::kDerived &&
                         plain->table->view == nullptr;
    traits.updatable |= !table.has_outer_join && (stored || derived);
    traits.columns.push_back(column->type);
    traits.sources.push_back(StoredColumn(*column));
  }
  traits.tables = std::move(facts.base_tables);
  return traits;
}

}  // namespace borealis::sql
