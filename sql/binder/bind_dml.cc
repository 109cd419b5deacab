// INSERT, UPDATE and DELETE (binder/dml.h).
#include <algorithm>

#include "sql/binder/binder_internal.h"
#include "sql/binder/evaluate.h"
#include "sql/binder/rewrite.h"
#include "sql/catalog/catalog.h"

namespace borealis::sql {
namespace {

using row::Type;

bool FromHasDerived(const BoundFrom& from) {
  if (from.table != nullptr) {
    return from.table->kind != BoundTableKind::kBase;
  }
  return FromHasDerived(*from.left) || FromHasDerived(*from.right);
}

// Whether changing these columns can move a row within an index of the table.
bool TouchesIndex(const TableDescriptor& table, uint32_t column) {
  for (const IndexDescriptor& index : table.indexes) {
    for (const IndexPart& part : index.parts) {
      if (part.column == column) {
        return true;
      }
      // A generated column may follow from the changed one.
      if (table.columns[part.column].generated != GeneratedKind::kNone) {
        return true;
      }
    }
  }
  return false;
}

bool Reads(const BoundTable& read, const TableDescriptor& table) {
  return std::ranges::any_of(BaseTablesOf(read), [&](const BoundTable* base) {
    return base->kind == BoundTableKind::kBase && base->table->table_id == table.table_id;
  });
}

const BoundTable* FindReadingIn(const BoundQuery& query, const TableDescriptor& table) {
  for (const auto& read : query.tables) {
    if (!read->in_view && Reads(*read, table)) {
      return read.get();
    }
  }
  if (query.body.set_operation != nullptr) {
    const BoundTable* left = FindReadingIn(*query.body.set_operation->left, table);
    return left != nullptr ? left : FindReadingIn(*query.body.set_operation->right, table);
  }
  const BoundSelect* select = query.body.select.get();
  if (select == nullptr) {
    return nullptr;
  }
  const BoundTable* reading = nullptr;
  const auto look_at = [&](const BoundPtr& expr) {
    if (reading == nullptr && expr != nullptr) {
      reading = FindReading(*expr, table);
    }
  };
  look_at(select->where);
  look_at(select->having);
  std::ranges::for_each(select->items, look_at, &BoundItem::expr);
  return reading;
}

}  // namespace

const BoundTable* FindReading(const BoundExpr& expr, const TableDescriptor& table) {
  const BoundTable* reading = nullptr;
  Walk(expr, [&](const BoundExpr& e) {
    const BoundQuery* query = SubqueryOf(e);
    if (query != nullptr && reading == nullptr) {
      reading = FindReadingIn(*query, table);
    }
  });
  return reading;
}

bool IsBareDefault(const Expr& expr) {
  const auto* value = expr.TryAs<DefaultExpr>();
  return value != nullptr && value->column == nullptr;
}

Status RefuseGenerated(const TableDescriptor& table, uint32_t column) {
  if (table.columns[column].generated == GeneratedKind::kNone) {
    return {};
  }
  return UserError(ER_NON_DEFAULT_VALUE_FOR_GENERATED_COLUMN, table.columns[column].name,
                   table.name);
}

ChangedTable InsertedInto(const BoundInsert& insert) {
  const TableDescriptor& named = insert.view != nullptr ? *insert.view : *insert.table;
  return {*insert.table, named.name, insert.view.get(), "INSERT"};
}

Status RefuseReadingTarget(const BoundExpr& expr, const ChangedTable& changed) {
  const BoundTable* reading = FindReading(expr, changed.table);
  if (reading == nullptr) {
    return {};
  }
  const TableDescriptor* read_view = reading->view.get();
  const bool same_view = read_view != nullptr && changed.view != nullptr &&
                         read_view->name == changed.view->name &&
                         read_view->schema == changed.view->schema;
  if (same_view || (read_view == nullptr && changed.view == nullptr)) {
    return UserError(ER_UPDATE_TABLE_USED, changed.name);
  }
  return UserError(ER_VIEW_PREVENT_UPDATE, read_view != nullptr ? reading->alias : changed.name,
                   changed.operation, changed.name);
}

// sql_safe_updates: rows to change are found by a key, or their number is limited.
Status StatementBinder::CheckSafeChange(const BoundTable& table, const BoundExpr* where,
                                        bool limited) const {
  if (!settings().sql_safe_updates || limited) {
    return {};
  }
  bool by_key = false;
  if (where != nullptr) {
    Walk(*where, [&](const BoundExpr& e) {
      const auto* column = e.TryAs<BoundColumn>();
      if (column != nullptr && column->table == &table) {
        for (const IndexDescriptor& index : table.table->indexes) {
          by_key |= index.parts[0].column == column->column;
        }
      }
    });
  }
  return by_key ? Status() : UserError(ER_UPDATE_WITHOUT_KEY_IN_SAFE_MODE, "");
}

std::optional<uint32_t> InsertNames::Find(std::string_view name) const {
  for (size_t i = 0; i < names.size(); ++i) {
    if (SameName(names[i], name)) {
      return columns[i];
    }
  }
  return std::nullopt;
}

Status StatementBinder::OpenInsertTarget(const InsertStmt& statement, BoundInsert* insert,
                                         ScopeTables* tables, InsertNames* names) {
  const QualifiedName& name = statement.table;
  std::string schema(name.schema.empty() ? environment().database() : name.schema);
  if (schema.empty()) {
    return UserError(ER_NO_DB_ERROR);
  }
  PrivilegeSet needed = {Privilege::kInsert};
  if (statement.replace) {
    needed.Add(Privilege::kDelete);
  }
  if (!statement.on_duplicate.empty()) {
    needed.Add(Privilege::kUpdate);
  }
  ASSIGN_OR_RETURN(const bool temporary, EnterTemporary(schema, name.name, name.name));
  RETURN_IF_ERROR(temporary ? Status::Ok() : CheckTableHasAll(schema, name.name, needed));
  ASSIGN_OR_RETURN(CatalogEntry entry, environment().FindTable(schema, name.name));
  if (entry.system != nullptr) {
    return UserError(ER_DBACCESS_DENIED_ERROR, environment().security_user(),
                     environment().security_host(), schema);
  }
  if (entry.table->kind == TableKind::kView) {
    RETURN_IF_ERROR(OpenInsertView(statement, insert, tables, names));
    names->all = names->columns;
    insert->proposed = MakeRowTable(insert->table, "");
    for (BoundTableColumn& column : insert->proposed->columns) {
      column.name.clear();
    }
    for (size_t i = 0; i < names->names.size(); ++i) {
      insert->proposed->columns[names->columns[i]].name = names->names[i];
    }
  } else {
    insert->table = entry.table;
    facts_->base_tables.push_back(entry.table);
    insert->target = MakeRowTable(entry.table, entry.table->name);
    insert->target->id = NextId();
    NoteAccess(insert->target.get());
    insert->proposed = MakeRowTable(entry.table, "");
    ExposeTable(insert->target.get(), tables);
    for (uint32_t i = 0; i < entry.table->columns.size(); ++i) {
      const ColumnDescriptor& column = entry.table->columns[i];
      if (!column.hidden) {
        names->names.push_back(column.name);
        names->columns.push_back(i);
        if (!column.invisible) {
          names->all.push_back(i);
        }
      }
    }
  }
  insert->proposed->id = NextId();
  return {};
}

// A column of what the query reads becomes one of the query's row, which has it behind those that
// are inserted.
Status StatementBinder::TakeFromQuery(BoundInsert* insert) {
  if (selected_.tables.empty()) {
    return {};
  }
  insert->source = std::make_unique<BoundTable>();
  insert->source->id = NextId();
  insert->source->kind = BoundTableKind::kRow;
  BoundSelect* select = insert->query->body.select.get();
  std::vector<const BoundTable*> read_tables;
  for (const BoundTable* table : selected_.tables) {
    const std::vector<const BoundTable*> bases = BaseTablesOf(*table);
    read_tables.insert(read_tables.end(), bases.begin(), bases.end());
  }
  ExprRewriter rewriter([&](const BoundPtr& part, bool) -> Result<BoundPtr> {
    const auto* column = part->TryAs<BoundColumn>();
    if (column == nullptr || std::ranges::find(read_tables, column->table) == read_tables.end()) {
      return BoundPtr();
    }
    size_t item = 0;
    while (item < select->items.size() && !SameExpr(*select->items[item].expr, *column)) {
      ++item;
    }
    if (item == select->items.size()) {
      select->items.push_back({part, DescribeItem(part, ""), false});
      insert->query->columns.push_back(select->items.back().column);
    }
    auto read = std::make_shared<BoundColumn>(*column);
    read->table = insert->source.get();
    read->column = static_cast<uint32_t>(item);
    return BoundPtr(read);
  });
  for (BoundAssignment& assignment : insert->on_duplicate) {
    if (assignment.value != nullptr) {
      ASSIGN_OR_RETURN(assignment.value, rewriter.Rewrite(assignment.value));
    }
  }
  for (const BoundItem& item : select->items) {
    insert->source->columns.emplace_back().type = item.expr->type;
  }
  return {};
}

Status StatementBinder::BindOnDuplicate(const InsertStmt& statement, const InsertNames& names,
                                        Scope* scope, BoundInsert* insert) {
  if (!statement.row_alias.empty()) {
    insert->proposed->alias = statement.row_alias;
    insert->proposed->schema.clear();
    if (!statement.column_aliases.empty()) {
      if (statement.column_aliases.size() != insert->columns.size()) {
        return UserError(ER_VIEW_WRONG_LIST);
      }
      for (BoundTableColumn& column : insert->proposed->columns) {
        column.name.clear();
      }
      for (size_t i = 0; i < insert->columns.size(); ++i) {
        insert->proposed->columns[insert->columns[i]].name = statement.column_aliases[i];
      }
    }
    ExposeTable(insert->proposed.get(), &scope->from);
  }
  ScopeTables& in_view = scope->from;
  in_view.tables.insert(in_view.tables.end(), selected_.tables.begin(), selected_.tables.end());
  in_view.columns.insert(in_view.columns.end(), selected_.columns.begin(), selected_.columns.end());
  scope->proposed = insert->proposed.get();
  for (const AssignmentPtr& assignment : statement.on_duplicate) {
    scope->clause = Clause::kFieldList;
    const std::optional<uint32_t> column = names.Find(assignment->column.column);
    if (!column.has_value()) {
      return UnknownColumn(assignment->column, Clause::kFieldList);
    }
    BoundAssignment bound;
    bound.column = *column;
    const BoundTable& named = *scope->from.tables[0];
    RETURN_IF_ERROR(CheckColumn(named, ColumnShowing(named, *insert->target, bound.column),
                                {Privilege::kUpdate}));
    RETURN_IF_ERROR(CheckBelow(named, *insert->target, bound.column, Privilege::kUpdate));
    if (!IsBareDefault(*assignment->value)) {
      ASSIGN_OR_RETURN(bound.value, BindExpr(*assignment->value, scope));
      if (insert->query == nullptr) {
        RETURN_IF_ERROR(RefuseReadingTarget(*bound.value, InsertedInto(*insert)));
      }
      RETURN_IF_ERROR(RefuseGenerated(*insert->table, bound.column));
    }
    insert->on_duplicate.push_back(std::move(bound));
  }
  RETURN_IF_ERROR(TakeFromQuery(insert));
  return {};
}

Result<std::unique_ptr<BoundInsert>> StatementBinder::Insert(const InsertStmt& statement) {
  if (!statement.partitions.empty()) {
    return Unsupported("PARTITION in INSERT");
  }
  auto insert = std::make_unique<BoundInsert>();
  BoundQuery owner;
  Scope scope;
  scope.query = &owner;
  InsertNames names;
  RETURN_IF_ERROR(OpenInsertTarget(statement, insert.get(), &scope.from, &names));
  insert->replace = statement.replace;
  insert->ignore = statement.ignore;
  const TableDescriptor& table = *insert->table;
  insert->columns = names.all;
  if (statement.has_columns) {
    insert->columns.clear();
    for (const auto& ref : statement.columns) {
      const std::optional<uint32_t> column = names.Find(ref->column);
      if (!column.has_value()) {
        return UnknownColumn(*ref, Clause::kFieldList);
      }
      insert->columns.push_back(*column);
    }
    for (auto at = insert->columns.begin(); at != insert->columns.end(); ++at) {
      if (std::find(insert->columns.begin(), at, *at) != at) {
        return UserError(ER_FIELD_SPECIFIED_TWICE, table.columns[*at].name);
      }
    }
  }
  RETURN_IF_ERROR(CheckInsertAccess(statement, *insert, *scope.from.tables[0]));
  if (statement.query != nullptr) {
    const auto before = static_cast<ptrdiff_t>(facts_->base_tables.size());
    const QueryBody& body = *statement.query->body;
    if (!statement.on_duplicate.empty() && body.kind == QueryBodyKind::kSelect) {
      selecting_ = &body.As<SelectCore>();
    }
    ASSIGN_OR_RETURN(insert->query, BindQueryExpr(*statement.query, nullptr));
    const auto& read = facts_->base_tables;
    insert->query_reads_table =
        std::any_of(read.begin() + before, read.end(),
                    [&](const TablePtr& one) { return one->table_id == table.table_id; });
    LockForChange({}, insert->query.get());
    if (insert->query->columns.size() != insert->columns.size()) {
      return UserError(ER_WRONG_VALUE_COUNT_ON_ROW, 1);
    }
    for (uint32_t column : insert->columns) {
      RETURN_IF_ERROR(RefuseGenerated(table, column));
    }
  }
  // What is evaluated row by row takes parameters as they are.
  input_.no_narrowing = true;
  if (insert->query == nullptr) {
    RETURN_IF_ERROR(BindValueRows(statement, &scope, insert.get()));
  }
  RETURN_IF_ERROR(BindOnDuplicate(statement, names, &scope, insert.get()));
  RETURN_IF_ERROR(FreeSubqueries(insert.get()));
  return insert;
}

// Subqueries of what is evaluated row by row run as queries of their own: what they name of the
// rows comes as parameters.
Status StatementBinder::FreeSubqueries(BoundInsert* insert) const {
  insert->first_outer_parameter = static_cast<uint32_t>(input_.parameters.size());
  const BoundTable* const rows[] = {insert->target.get(), insert->proposed.get(),
                                    insert->source.get()};
  auto& outer = insert->outer_columns;
  ExprRewriter rewriter([&](const BoundPtr& part, bool in_subquery) -> Result<BoundPtr> {
    const auto* column = part->TryAs<BoundColumn>();
    if (!in_subquery || column == nullptr ||
        std::ranges::find(rows, column->table) == std::end(rows)) {
      return BoundPtr();
    }
    const auto at = std::ranges::find_if(outer, [&](const BoundInsert::OuterColumn& known) {
      return known.table == column->table && known.column == column->column;
    });
    const auto number = static_cast<uint32_t>(at - outer.begin());
    if (at == outer.end()) {
      outer.push_back({column->table, column->column});
    }
    return BoundPtr(
        std::make_shared<BoundParameter>(part->type, insert->first_outer_parameter + number));
  });
  const auto free = [&](BoundPtr* expr) -> Status {
    if (*expr == nullptr || !HasSubquery(**expr)) {
      return {};
    }
    ASSIGN_OR_RETURN(*expr, rewriter.Rewrite(*expr));
    Walk(**expr, [](const BoundExpr& part) {
      if (const BoundQuery* query = SubqueryOf(part); query != nullptr) {
        const_cast<BoundQuery*>(query)->correlated = false;
      }
    });
    return {};
  };
  for (BoundPtr& value : insert->values.expressions) {
    RETURN_IF_ERROR(free(&value));
  }
  for (BoundAssignment& assignment : insert->on_duplicate) {
    RETURN_IF_ERROR(free(&assignment.value));
  }
  return {};
}

// Reads what is changed with exclusive locks; the rest is to stay as it was read, where the level
// promises that.
void StatementBinder::LockForChange(const std::vector<const BoundTable*>& targets,
                                    BoundQuery* query) {
  facts_->locks_rows = true;
  for (const auto& table : query->tables) {
    if (table->kind == BoundTableKind::kBase) {
      bool target = std::find(targets.begin(), targets.end(), table.get()) != targets.end();
      if (target) {
        table->lock = RowLock::kExclusive;
        table->changes = true;
      } else if (table->lock == RowLock::kNone) {
        table->lock = RowLock::kShareRepeatable;
      }
    }
  }
}

uint32_t StatementBinder::AddHandleItem(const BoundTable* table, BoundSelect* select) {
  for (uint32_t i = 0; i < select->items.size(); ++i) {
    const auto* column = select->items[i].expr->TryAs<BoundColumn>();
    if (column != nullptr && column->table == table && column->column == kHandleColumn) {
      return i;
    }
  }
  Type type = Type::Blob(row::TypeKind::kLongBlob);
  auto handle = std::make_shared<BoundColumn>(type, table, kHandleColumn);
  ResultColumn column;
  column.name = "handle";
  column.type = type;
  select->items.push_back({std::move(handle), std::move(column), false});
  return static_cast<uint32_t>(select->items.size() - 1);
}

Status StatementBinder::StartChangeQuery(const WithClause* with,
                                         const std::vector<TableRefPtr>& tables, BoundQuery* query,
                                         Scope* with_scope, Scope* scope) {
  query->body.select = std::make_unique<BoundSelect>();
  with_scope->query = query;
  scope->query = query;
  scope->select = query->body.select.get();
  scope->changes_rows = true;
  if (with != nullptr) {
    scope->outer = with_scope;
    RETURN_IF_ERROR(BindWith(*with, query, with_scope));
  }
  ASSIGN_OR_RETURN(scope->select->from, BindFrom(tables, scope));
  return Status::Ok();
}

Status StatementBinder::FinishChangeQuery(const std::vector<OrderItem>& order_by,
                                          const std::optional<LimitClause>& limit, Scope* scope,
                                          BoundQuery* query) {
  scope->items_bound = false;
  BoundSelect* select = query->body.select.get();
  if (!order_by.empty()) {
    // Positions and aliases mean nothing here.
    scope->clause = Clause::kOrderBy;
    for (const OrderItem& item : order_by) {
      ASSIGN_OR_RETURN(BoundPtr key, BindExpr(*item.expr, scope));
      if (!IsFixed(*key)) {
        query->order_by.push_back({std::move(key), item.descending()});
      }
    }
  }
  if (limit.has_value()) {
    RETURN_IF_ERROR(BindLimit(*limit, query, scope));
  }
  for (const BoundItem& item : select->items) {
    query->columns.push_back(item.column);
  }
  return {};
}

namespace {

Status RefuseWindow(const BoundExpr& value) {
  const BoundWindow* window = nullptr;
  Walk(value, [&](const BoundExpr& part) {
    window = window == nullptr ? part.TryAs<BoundWindow>() : window;
  });
  if (window == nullptr) {
    return {};
  }
  const std::string_view name =
      window->is_aggregate ? AggregateName(window->fn) : WindowFunctionName(window->window_fn);
  return UserError(ER_WINDOW_INVALID_WINDOW_FUNC_USE, FoldName(std::string(name)));
}

}  // namespace

// What the assignments change. Their values are bound when all is known to be changeable.
Status StatementBinder::FindChanged(const UpdateStmt& statement, Scope* scope, Changes* changes) {
  scope->clause = Clause::kFieldList;
  for (const AssignmentPtr& assignment : statement.assignments) {
    BoundPtr bound;
    ASSIGN_OR_RETURN(const BoundColumn* column, FindAssigned(assignment->column, *scope, &bound));
    const BoundTable* named = found_.table;
    const size_t named_column = found_.column;
    if (named->kind == BoundTableKind::kView) {
      changes->views.emplace_back(named, column->table);
    }
    RETURN_IF_ERROR(CheckOccurrence(*named, Privilege::kUpdate));
    RETURN_IF_ERROR(CheckColumn(*named, named_column, {Privilege::kUpdate}));
    RETURN_IF_ERROR(CheckBelow(*named, *column->table, column->column, Privilege::kUpdate));
    std::vector<const BoundTable*>& targets = changes->targets;
    if (std::find(targets.begin(), targets.end(), column->table) == targets.end()) {
      targets.push_back(column->table);
    }
    changes->assigned.push_back({column->table, column->column, nullptr});
  }
  return Status::Ok();
}

Status StatementBinder::BindAssigned(const Expr& expr, Scope* scope, Changes::Assigned* assigned) {
  ASSIGN_OR_RETURN(assigned->value, BindExpr(expr, scope));
  if (assigned->table->columns[assigned->column].type.is_numeric()) {
    assigned->value = HexAsNumber(assigned->value);
  }
  RETURN_IF_ERROR(RefuseWindow(*assigned->value));
  return scope->has_aggregate ? UserError(ER_INVALID_GROUP_FUNC_USE) : Status::Ok();
}

Status StatementBinder::BindAssignments(const UpdateStmt& statement, bool left_to_right,
                                        Scope* scope, Changes* changes) {
  RETURN_IF_ERROR(FindChanged(statement, scope, changes));
  if (left_to_right) {
    scope->replace = [changes](const BoundTable* table, uint32_t column) -> BoundPtr {
      const auto& assigned = changes->assigned;
      for (auto at = assigned.rbegin(); at != assigned.rend(); ++at) {
        if (at->table == table && at->column == column && at->value != nullptr) {
          return Convert(at->value, table->columns[column].type);
        }
      }
      return nullptr;
    };
  }
  for (size_t i = 0; i < statement.assignments.size(); ++i) {
    const Expr& value = *statement.assignments[i]->value;
    if (!IsBareDefault(value)) {
      RETURN_IF_ERROR(BindAssigned(value, scope, &changes->assigned[i]));
    }
  }
  scope->replace = nullptr;
  for (const Changes::Assigned& next : changes->assigned) {
    if (next.value != nullptr) {
      RETURN_IF_ERROR(RefuseGenerated(*next.table->table, next.column));
    }
  }
  return Status::Ok();
}

namespace {

using Changes = StatementBinder::Changes;

// As the statement names it: the view that it is part of.
const BoundTable& TargetAsNamed(const BoundTable& table, const Changes& changes) {
  for (const auto& [view, beneath] : changes.views) {
    if (beneath == &table) {
      return *view;
    }
  }
  return table;
}

// 1393: several tables of one view.
Status RefuseTwoTablesOfView(const Changes& changes) {
  for (const auto& [view, table] : changes.views) {
    for (const auto& [other_view, other_table] : changes.views) {
      if (view == other_view && table != other_table) {
        return UserError(ER_VIEW_MULTIUPDATE, view->view->schema, view->view->name);
      }
    }
  }
  return {};
}

bool AssignsKey(const BoundTable& table, const Changes& changes) {
  const std::vector<IndexPart>& key = table.table->indexes[0].parts;
  return std::ranges::any_of(changes.assigned, [&](const Changes::Assigned& next) {
    return next.table == &table && std::ranges::any_of(key, [&](const IndexPart& part) {
             return part.column == next.column;
           });
  });
}

// 1706: one table under two names, with a primary key that moves its rows meanwhile.
Status RefuseMovingRows(const Changes& changes) {
  std::vector<const BoundTable*> targets = changes.targets;
  std::ranges::sort(targets, {}, &BoundTable::id);
  for (auto a = targets.begin(); a != targets.end(); ++a) {
    for (auto b = a + 1; b != targets.end(); ++b) {
      if ((*a)->table->table_id == (*b)->table->table_id && (*a)->table->has_primary_key() &&
          (AssignsKey(**a, changes) || AssignsKey(**b, changes))) {
        return UserError(ER_MULTI_UPDATE_KEY_CONFLICT, TargetAsNamed(**a, changes).alias,
                         TargetAsNamed(**b, changes).alias);
      }
    }
  }
  return {};
}

}  // namespace

Status StatementBinder::CheckUpdate(const UpdateStmt& statement, const Changes& changes,
                                    const BoundExpr* where) const {
  RETURN_IF_ERROR(RefuseMovingRows(changes));
  for (const BoundTable* table : changes.targets) {
    const BoundTable& named = TargetAsNamed(*table, changes);
    const ChangedTable changed{*table->table, named.alias, named.view.get(), "UPDATE"};
    if (where != nullptr) {
      RETURN_IF_ERROR(RefuseReadingTarget(*where, changed));
    }
    for (const Changes::Assigned& next : changes.assigned) {
      if (next.value != nullptr) {
        RETURN_IF_ERROR(RefuseReadingTarget(*next.value, changed));
      }
    }
  }
  RETURN_IF_ERROR(RefuseTwoTablesOfView(changes));
  for (const BoundTable* table : changes.targets) {
    RETURN_IF_ERROR(CheckSafeChange(*table, where, statement.limit.has_value()));
  }
  return Status::Ok();
}

Result<BoundChangeTarget> StatementBinder::MakeUpdateTarget(const BoundTable* table,
                                                            const Changes& changes,
                                                            BoundSelect* select) {
  BoundChangeTarget target;
  target.table = table->table;
  target.alias = table->alias;
  target.handle_item = AddHandleItem(table, select);
  for (const Changes::Assigned& next : changes.assigned) {
    if (next.table != table) {
      continue;
    }
    uint32_t item = kDefaultItem;
    if (next.value != nullptr) {
      item = static_cast<uint32_t>(select->items.size());
      select->items.push_back({next.value, DescribeItem(next.value, "value"), false});
    }
    target.values.push_back({next.column, item});
  }
  RETURN_IF_ERROR(AddViewChecks(changes.views, table, select, &target));
  return target;
}

Result<std::unique_ptr<BoundUpdate>> StatementBinder::Update(const UpdateStmt& statement) {
  auto update = std::make_unique<BoundUpdate>();
  update->ignore = statement.ignore;
  update->query = std::make_shared<BoundQuery>();
  BoundQuery* query = update->query.get();
  Scope with_scope;
  Scope scope;
  // Which of several tables are changed is known only once the assignments are.
  scope.from_needs = statement.multi ? PrivilegeSet{Privilege::kSelect, Privilege::kUpdate}
                                     : PrivilegeSet{Privilege::kUpdate};
  RETURN_IF_ERROR(
      StartChangeQuery(statement.with.get(), statement.tables, query, &with_scope, &scope));
  BoundSelect* select = query->body.select.get();
  const bool single = !statement.multi && select->from->table != nullptr;
  if (!statement.multi) {
    RETURN_IF_ERROR(CheckUpdatable(*scope.from.tables[0], "UPDATE"));
  }
  if (statement.where != nullptr) {
    scope.clause = Clause::kWhere;
    ASSIGN_OR_RETURN(select->where, BindCondition(*statement.where, &scope));
    if (scope.has_aggregate) {
      return UserError(ER_INVALID_GROUP_FUNC_USE);
    }
  }
  Changes changes;
  RETURN_IF_ERROR(BindAssignments(statement, /*left_to_right=*/single, &scope, &changes));
  select->where = AndAlso(scope.view_condition, std::move(select->where));
  RETURN_IF_ERROR(CheckUpdate(statement, changes, select->where.get()));
  if (!single && !statement.order_by.empty()) {
    return UserError(ER_WRONG_USAGE, "UPDATE", "ORDER BY");
  }
  if (!single && statement.limit.has_value()) {
    return UserError(ER_WRONG_USAGE, "UPDATE", "LIMIT");
  }
  // Whether a change could be met again by the query that finds the rows.
  update->materialise = !single || FromHasDerived(*select->from) ||
                        (select->where != nullptr && HasSubquery(*select->where)) ||
                        statement.limit.has_value() || !statement.order_by.empty();
  for (const Changes::Assigned& next : changes.assigned) {
    update->materialise |= TouchesIndex(*next.table->table, next.column) ||
                           (next.value != nullptr && HasSubquery(*next.value));
  }
  for (const BoundTable* table : changes.targets) {
    ASSIGN_OR_RETURN(BoundChangeTarget target, MakeUpdateTarget(table, changes, select));
    update->targets.push_back(std::move(target));
  }
  LockForChange(changes.targets, query);
  // A sort or a limit would count rows that turn out to have changed.
  if (select->from->table != nullptr && statement.order_by.empty() &&
      !statement.limit.has_value()) {
    select->from->table->semi_consistent = true;
  }
  RETURN_IF_ERROR(FinishChangeQuery(statement.order_by, statement.limit, &scope, query));
  return update;
}

Status StatementBinder::AddViewChecks(
    const std::vector<std::pair<const BoundTable*, const BoundTable*>>& views,
    const BoundTable* table, BoundSelect* select, BoundChangeTarget* target) {
  for (const auto& [view, changed] : views) {
    const bool known =
        std::any_of(target->checks.begin(), target->checks.end(),
                    [&, name = view->view](const BoundViewCheck& check) {
                      return check.schema == name->schema && check.name == name->name;
                    });
    if (changed != table || known) {
      continue;
    }
    ASSIGN_OR_RETURN(BoundViewCheck check, CheckOfView(*view, *table));
    if (check.condition == nullptr) {
      continue;
    }
    for (BoundViewCheck::Other& other : check.others) {
      other.item = static_cast<uint32_t>(select->items.size());
      const BoundPtr value = TableColumn(other.table, other.column);
      select->items.push_back({value, DescribeItem(value, "other"), false});
    }
    target->checks.push_back(std::move(check));
  }
  return {};
}

Result<std::unique_ptr<BoundDelete>> StatementBinder::Delete(const DeleteStmt& statement) {
  auto deletion = std::make_unique<BoundDelete>();
  deletion->ignore = statement.ignore;
  deletion->query = std::make_shared<BoundQuery>();
  BoundQuery* query = deletion->query.get();
  Scope with_scope;
  Scope scope;
  scope.from_needs = statement.targets.empty()
                         ? PrivilegeSet{Privilege::kDelete}
                         : PrivilegeSet{Privilege::kSelect, Privilege::kDelete};
  RETURN_IF_ERROR(
      StartChangeQuery(statement.with.get(), statement.tables, query, &with_scope, &scope));
  BoundSelect* select = query->body.select.get();
  std::vector<const BoundTable*> targets;
  std::vector<const BoundTable*> named;  // as the statement has them: tables and views
  if (statement.targets.empty()) {
    ASSIGN_OR_RETURN(const BoundTable* target, FindDeleted(*scope.from.tables[0]));
    targets.push_back(target);
    named.push_back(scope.from.tables[0]);
  }
  for (const QualifiedName& name : statement.targets) {
    const BoundTable* found = nullptr;
    for (const BoundTable* table : scope.from.tables) {
      if (table->alias == name.name && (name.schema.empty() || name.schema == table->schema)) {
        found = table;
      }
    }
    if (found == nullptr) {
      return UserError(ER_UNKNOWN_TABLE, name.name, "MULTI DELETE");
    }
    ASSIGN_OR_RETURN(const BoundTable* target, FindDeleted(*found));
    if (std::find(targets.begin(), targets.end(), target) != targets.end()) {
      return UserError(ER_NONUNIQ_TABLE, name.name);
    }
    targets.push_back(target);
    named.push_back(found);
  }
  for (const BoundTable* table : targets) {
    BoundChangeTarget target;
    target.table = table->table;
    target.alias = table->alias;
    target.handle_item = AddHandleItem(table, select);
    deletion->targets.push_back(std::move(target));
  }
  if (statement.where != nullptr) {
    scope.clause = Clause::kWhere;
    ASSIGN_OR_RETURN(select->where, BindCondition(*statement.where, &scope));
    if (scope.has_aggregate) {
      return UserError(ER_INVALID_GROUP_FUNC_USE);
    }
  }
  select->where = AndAlso(scope.view_condition, std::move(select->where));
  for (size_t i = 0; i < targets.size(); ++i) {
    const BoundTable* table = targets[i];
    if (select->where != nullptr) {
      RETURN_IF_ERROR(RefuseReadingTarget(
          *select->where, {*table->table, named[i]->alias, named[i]->view.get(), "DELETE"}));
    }
    RETURN_IF_ERROR(CheckSafeChange(*table, select->where.get(), statement.limit.has_value()));
  }
  deletion->materialise = !statement.targets.empty() || select->from->table == nullptr ||
                          (select->where != nullptr && HasSubquery(*select->where));
  LockForChange(targets, query);
  RETURN_IF_ERROR(FinishChangeQuery(statement.order_by, statement.limit, &scope, query));
  return deletion;
}

Result<std::unique_ptr<BoundInsert>> BindInsert(const InsertStmt& statement, const BindInput& input,
                                                StatementFacts* facts) {
  return StatementBinder(input, facts).Insert(statement);
}
Result<std::unique_ptr<BoundUpdate>> BindUpdate(const UpdateStmt& statement, const BindInput& input,
                                                StatementFacts* facts) {
  return StatementBinder(input, facts).Update(statement);
}
Result<std::unique_ptr<BoundDelete>> BindDelete(const DeleteStmt& statement, const BindInput& input,
                                                StatementFacts* facts) {
  return StatementBinder(input, facts).Delete(statement);
}

}  // namespace borealis::sql
