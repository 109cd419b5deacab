// FROM: tables, derived tables, views, joins, USING and NATURAL.
#include <algorithm>

#include "sql/binder/binder_internal.h"
#include "sql/catalog/catalog.h"

namespace borealis::sql {
namespace {

std::unique_ptr<BoundFrom> Leaf(BoundTable* table) {
  auto from = std::make_unique<BoundFrom>();
  from->table = table;
  return from;
}

std::unique_ptr<BoundFrom> MakeJoin(BoundJoinKind kind, std::unique_ptr<BoundFrom> left,
                                    std::unique_ptr<BoundFrom> right) {
  auto from = std::make_unique<BoundFrom>();
  from->join = kind;
  from->left = std::move(left);
  from->right = std::move(right);
  return from;
}

// Columns of the inner side of an outer join may be NULL whatever their definition says. The
// tables are still ours alone: nothing has been bound against them but their own joins.
BoundPtr AsNullable(const BoundPtr& expr) {
  const auto* plain = expr->TryAs<BoundColumn>();
  if (plain == nullptr) {
    return expr;
  }
  auto copy = std::make_shared<BoundColumn>(*plain);
  copy->type.nullable = true;
  return copy;
}

// What USING names is shown in the order of the side that an outer join keeps.
void SortByPlace(const ScopeTables& side, std::vector<std::string>* names) {
  const auto place = [&](const std::string& name) {
    return std::find_if(side.columns.begin(), side.columns.end(),
                        [&](const ScopeColumn& column) { return SameName(column.name, name); });
  };
  std::stable_sort(names->begin(), names->end(),
                   [&](const std::string& a, const std::string& b) { return place(a) < place(b); });
}

void MakeNullable(const BoundTable* table) {
  auto* own = const_cast<BoundTable*>(table);
  for (BoundTableColumn& column : own->columns) {
    column.type.nullable = true;
  }
  for (BoundPtr& item : own->merged_items) {
    item = AsNullable(item);
  }
  for (const BoundTable* merged : own->merged_tables) {
    MakeNullable(merged);
  }
}

// The condition of merged views in a tree of joins: what concerns the inner side of an outer join
// becomes part of its ON, the rest is for the WHERE.
BoundPtr LiftFilters(BoundFrom* from) {
  BoundPtr lifted = std::move(from->filter);
  if (from->table != nullptr || from->left == nullptr) {
    return lifted;
  }
  lifted = AndAlso(std::move(lifted), LiftFilters(from->left.get()));
  BoundPtr right = LiftFilters(from->right.get());
  if (from->join == BoundJoinKind::kLeft) {
    from->on = AndAlso(std::move(from->on), std::move(right));
    return lifted;
  }
  return AndAlso(std::move(lifted), std::move(right));
}

void Append(ScopeTables from, ScopeTables* to) {
  to->tables.insert(to->tables.end(), from.tables.begin(), from.tables.end());
  for (ScopeColumn& column : from.columns) {
    to->columns.push_back(std::move(column));
  }
}

}  // namespace

BoundTable* StatementBinder::NewTable(BoundQuery* query, BoundTableKind kind, std::string alias) {
  auto table = std::make_unique<BoundTable>();
  table->id = NextId();
  table->kind = kind;
  table->alias = std::move(alias);
  query->tables.push_back(std::move(table));
  return query->tables.back().get();
}

BoundPtr StatementBinder::TableColumn(const BoundTable* table, size_t column) {
  if (table->kind == BoundTableKind::kView) {
    return table->merged_items[column];
  }
  auto expr = std::make_shared<BoundColumn>(table->columns[column].type, table,
                                            static_cast<uint32_t>(column));
  expr->coercibility = table->columns[column].coercibility;
  return expr;
}

void StatementBinder::ExposeTable(const BoundTable* table, ScopeTables* tables) {
  tables->tables.push_back(table);
  for (size_t i = 0; i < table->columns.size(); ++i) {
    const BoundTableColumn& column = table->columns[i];
    tables->columns.push_back({column.name, TableColumn(table, i), {table}, i, column.hidden});
  }
}

Status StatementBinder::CheckUniqueAliases(const ScopeTables& tables) const {
  for (size_t i = 0; i < tables.tables.size(); ++i) {
    for (size_t j = 0; j < i; ++j) {
      const BoundTable& a = *tables.tables[i];
      const BoundTable& b = *tables.tables[j];
      if (a.alias == b.alias && (a.schema == b.schema || a.schema.empty() || b.schema.empty())) {
        return UserError(ER_NONUNIQ_TABLE, a.alias);
      }
    }
  }
  return {};
}

Result<std::unique_ptr<BoundFrom>> StatementBinder::BindFrom(const std::vector<TableRefPtr>& refs,
                                                             Scope* scope) {
  std::unique_ptr<BoundFrom> from;
  for (const TableRefPtr& ref : refs) {
    ScopeTables tables;
    ASSIGN_OR_RETURN(std::unique_ptr<BoundFrom> next, BindTableRef(*ref, scope, &tables));
    Append(std::move(tables), &scope->from);
    from = from == nullptr ? std::move(next)
                           : MakeJoin(BoundJoinKind::kInner, std::move(from), std::move(next));
  }
  RETURN_IF_ERROR(CheckUniqueAliases(scope->from));
  if (from != nullptr) {
    scope->view_condition = AndAlso(std::move(scope->view_condition), LiftFilters(from.get()));
  }
  return from;
}

Result<std::unique_ptr<BoundFrom>> StatementBinder::BindTableRef(const TableRef& ref, Scope* scope,
                                                                 ScopeTables* tables) {
  switch (ref.kind) {
    case TableRefKind::kTable:
      return BindNamedTable(ref.As<TableRefName>(), scope, tables);
    case TableRefKind::kDerived:
      return BindDerivedTable(ref.As<DerivedTable>(), scope, tables);
    case TableRefKind::kJoin:
      return BindJoin(ref.As<JoinedTable>(), scope, tables);
    case TableRefKind::kJsonTable:
      return BindJsonTable(ref.As<JsonTable>(), scope, tables);
  }
  return Status::Internal("table reference of an unknown kind");
}

Result<std::unique_ptr<BoundFrom>> StatementBinder::BindNamedTable(const TableRefName& ref,
                                                                   Scope* scope,
                                                                   ScopeTables* tables) {
  std::string alias = ref.alias.value_or(ref.table.name);
  if (!ref.partitions.empty()) {
    return Unsupported("PARTITION in a table reference");
  }
  if (ref.table.schema.empty()) {
    for (Scope* at = scope; at != nullptr; at = at->outer) {
      for (auto cte = at->ctes.rbegin(); cte != at->ctes.rend(); ++cte) {
        if (SameName((*cte)->name, ref.table.name)) {
          if ((*cte)->columns.empty()) {  // not recursive, and named in its own definition
            return UserError(ER_CTE_RECURSIVE_REQUIRES_SINGLE_REFERENCE, (*cte)->name);
          }
          BoundTable* table = NewTable(scope->query, BoundTableKind::kCte, std::move(alias));
          table->cte = cte->get();
          ++(*cte)->uses;
          RETURN_IF_ERROR(OpenTemporaryOf(**cte));
          table->columns = (*cte)->columns;
          ExposeTable(table, tables);
          return Leaf(table);
        }
      }
    }
  }
  std::string schema(ref.table.schema);
  if (schema.empty()) {
    schema = environment().database();
  }
  if (schema.empty()) {
    return UserError(ER_NO_DB_ERROR);
  }
  ASSIGN_OR_RETURN(const bool temporary, EnterTemporary(schema, ref.table.name, alias));
  RETURN_IF_ERROR(temporary ? Status::Ok() : CheckTable(schema, ref.table.name, scope->from_needs));
  ASSIGN_OR_RETURN(CatalogEntry entry, environment().FindTable(schema, ref.table.name));
  if (names_ != nullptr) {
    names_->schemas[&ref] = entry.table->schema;
  }
  if (entry.table->kind == TableKind::kView) {
    facts_->base_tables.push_back(entry.table);
    return BindView(ref, entry.table, scope, tables);
  }
  bool system = entry.system != nullptr;
  BoundTable* table = NewTable(
      scope->query, system ? BoundTableKind::kSystem : BoundTableKind::kBase, std::move(alias));
  table->schema = entry.table->schema;
  table->table = entry.table;
  table->system = entry.system;
  if (system) {
    facts_->uses_system_tables = true;
  } else {
    facts_->base_tables.push_back(entry.table);
  }
  for (size_t i = 0; i < entry.table->columns.size(); ++i) {
    const ColumnDescriptor& column = entry.table->columns[i];
    BoundTableColumn bound;
    // A column that nobody may name has a name that nobody can write.
    bound.name = column.hidden ? std::string() : column.name;
    bound.org_name = column.name;
    bound.type = column.type;
    bound.coercibility = ColumnCoercibility(column.type);
    bound.extra_flags = entry.table->KeyFlags(static_cast<int>(i));
    bound.hidden = column.hidden || column.invisible;
    bound.org_table = entry.table->name;
    bound.org_schema = entry.table->schema;
    table->columns.push_back(std::move(bound));
  }
  NoteAccess(table);
  RETURN_IF_ERROR(ApplyIndexHints(ref, table));
  ExposeTable(table, tables);
  return Leaf(table);
}

Status StatementBinder::ApplyIndexHints(const TableRefName& ref, BoundTable* table) {
  uint64_t usable = ~uint64_t{0};
  bool restricted = false;
  for (const IndexHint& hint : ref.index_hints) {
    uint64_t named = 0;
    for (const std::string& name : hint.indexes) {
      int index = table->table->FindIndex(name);
      if (index < 0 ||
          table->table->indexes[static_cast<size_t>(index)].kind == IndexKind::kRowId) {
        return UserError(ER_KEY_DOES_NOT_EXITS, name, table->alias);
      }
      if (index < 64) {
        named |= uint64_t{1} << index;
      }
    }
    if (hint.kind == IndexHintKind::kIgnore) {
      usable &= ~named;
      continue;
    }
    const bool force = hint.kind == IndexHintKind::kForce;
    if (restricted && force != table->force_index) {
      return UserError(ER_WRONG_USAGE, "USE INDEX", "FORCE INDEX");
    }
    usable = restricted ? (usable | named) : named;
    restricted = true;
    table->force_index = force;
  }
  // The clustered index holds the rows: it can be walked even when no hint names it.
  table->usable_indexes = usable | 1;
  return {};
}

// Text holds its collation as strongly as what it is selected from.
void StatementBinder::AddDerivedColumns(const BoundQuery& query, BoundTable* table) {
  AddDerivedColumns(query.columns, table);
  const BoundSelect* const select = query.body.select.get();
  for (size_t i = 0; select != nullptr && i < query.columns.size(); ++i) {
    if (query.columns[i].type.has_collation()) {
      table->columns[i].coercibility = select->items[i].expr->coercibility;
    }
  }
}

void StatementBinder::AddDerivedColumns(const std::vector<ResultColumn>& columns,
                                        BoundTable* table) {
  for (const ResultColumn& column : columns) {
    BoundTableColumn bound;
    bound.name = column.name;
    bound.org_name = column.org_name;
    bound.type = column.type;
    bound.coercibility = ColumnCoercibility(column.type);
    bound.extra_flags =
        column.extra_flags &
        static_cast<uint16_t>(~(row::kPriKeyFlag | row::kUniqueKeyFlag | row::kMultipleKeyFlag |
                                row::kAutoIncrementFlag | row::kPartKeyFlag));
    bound.org_table = column.org_table;
    bound.org_schema = column.schema;
    table->columns.push_back(std::move(bound));
  }
}

Result<std::unique_ptr<BoundFrom>> StatementBinder::BindDerivedTable(const DerivedTable& ref,
                                                                     Scope* scope,
                                                                     ScopeTables* tables) {
  if (ref.alias.empty()) {
    return UserError(ER_DERIVED_MUST_HAVE_ALIAS);
  }
  Scope barrier = ScopeOfTable(scope, ref.lateral);
  ASSIGN_OR_RETURN(std::shared_ptr<BoundQuery> query, BindQueryExpr(*ref.query, &barrier));
  if (!ref.columns.empty() && ref.columns.size() != query->columns.size()) {
    return UserError(ER_VIEW_WRONG_LIST);
  }
  for (size_t i = 0; i < ref.columns.size(); ++i) {
    query->columns[i].name = ref.columns[i];
  }
  for (size_t i = 0; i < query->columns.size(); ++i) {
    for (size_t j = 0; j < i; ++j) {
      if (SameName(query->columns[i].name, query->columns[j].name)) {
        return UserError(ER_DUP_FIELDNAME, query->columns[i].name);
      }
    }
  }
  BoundTable* table = NewTable(scope->query, BoundTableKind::kDerived, ref.alias);
  AddDerivedColumns(*query, table);
  table->lateral = ref.lateral && query->correlated;
  table->query = std::move(query);
  ExposeTable(table, tables);
  return Leaf(table);
}

Scope StatementBinder::ScopeOfTable(Scope* scope, bool lateral) {
  Scope inside;
  inside.outer = scope->outer;
  for (Scope* at = scope; at != nullptr; at = at->outer) {
    inside.ctes.insert(inside.ctes.begin(), at->ctes.begin(), at->ctes.end());
  }
  inside.query = scope->query;
  inside.clause = Clause::kFrom;
  inside.lateral = lateral;
  if (lateral) {
    inside.from = scope->from;
    for (const ScopeTables* earlier : scope->earlier) {
      Append(*earlier, &inside.from);
    }
  }
  return inside;
}

Status StatementBinder::BindSides(const JoinedTable& ref, Scope* scope,
                                  std::unique_ptr<BoundFrom>* left, ScopeTables* left_tables,
                                  std::unique_ptr<BoundFrom>* right, ScopeTables* right_tables) {
  // The side whose rows are all kept comes first.
  const bool swapped = ref.join == JoinKind::kRight;
  const TableRef& first = swapped ? *ref.right : *ref.left;
  const TableRef& second = swapped ? *ref.left : *ref.right;
  ScopeTables* first_tables = swapped ? right_tables : left_tables;
  ASSIGN_OR_RETURN(*(swapped ? right : left), BindTableRef(first, scope, first_tables));
  const int inner = ref.join == JoinKind::kInner ? 0 : 1;
  scope->in_inner_side += inner;
  scope->earlier.push_back(first_tables);
  ASSIGN_OR_RETURN(*(swapped ? left : right),
                   BindTableRef(second, scope, swapped ? left_tables : right_tables));
  scope->earlier.pop_back();
  scope->in_inner_side -= inner;
  return {};
}

Result<std::unique_ptr<BoundFrom>> StatementBinder::BindJoin(const JoinedTable& ref, Scope* scope,
                                                             ScopeTables* tables) {
  ScopeTables left_tables;
  ScopeTables right_tables;
  std::unique_ptr<BoundFrom> left;
  std::unique_ptr<BoundFrom> right;
  RETURN_IF_ERROR(BindSides(ref, scope, &left, &left_tables, &right, &right_tables));
  ScopeTables both = left_tables;
  Append(right_tables, &both);
  RETURN_IF_ERROR(CheckUniqueAliases(both));

  // The ON condition sees the two sides only (and the enclosing queries).
  BoundPtr on;
  ScopeTables merged;
  if (ref.natural || !ref.using_columns.empty()) {
    RETURN_IF_ERROR(MergeColumns(ref, left_tables, right_tables, &on, &merged));
  } else {
    merged = std::move(both);
  }
  if (ref.on != nullptr) {
    Scope on_scope;
    on_scope.outer = scope->outer;
    on_scope.query = scope->query;
    on_scope.ctes = scope->ctes;
    on_scope.from = merged;
    on_scope.clause = Clause::kOn;
    ASSIGN_OR_RETURN(on, BindCondition(*ref.on, &on_scope));
  }

  bool outer = ref.join != JoinKind::kInner;
  if (outer) {
    // After the condition: inside it the inner side's own nullability holds.
    const ScopeTables& inner = ref.join == JoinKind::kLeft ? right_tables : left_tables;
    for (const BoundTable* table : inner.tables) {
      MakeNullable(table);
    }
    for (ScopeColumn& column : merged.columns) {
      const auto* plain = column.expr->TryAs<BoundColumn>();
      if (plain != nullptr && plain->table->columns[plain->column].type.nullable) {
        column.expr = AsNullable(column.expr);
      }
    }
  }
  Append(std::move(merged), tables);
  BoundJoinKind kind = outer ? BoundJoinKind::kLeft : BoundJoinKind::kInner;
  std::unique_ptr<BoundFrom> join = ref.join == JoinKind::kRight
                                        ? MakeJoin(kind, std::move(right), std::move(left))
                                        : MakeJoin(kind, std::move(left), std::move(right));
  join->on = std::move(on);
  join->straight = ref.straight;
  return join;
}

Status StatementBinder::MergeColumns(const JoinedTable& ref, const ScopeTables& left,
                                     const ScopeTables& right, BoundPtr* on, ScopeTables* merged) {
  auto find = [](const ScopeTables& side, const std::string& name,
                 const ScopeColumn** out) -> Status {
    *out = nullptr;
    for (const ScopeColumn& column : side.columns) {
      if (!column.name.empty() && SameName(column.name, name)) {
        if (*out != nullptr) {
          return UserError(ER_NON_UNIQ_ERROR, name, "from clause");
        }
        *out = &column;
      }
    }
    return {};
  };
  const bool swapped = ref.join == JoinKind::kRight;
  const ScopeTables& kept_side = swapped ? right : left;
  std::vector<std::string> names = ref.using_columns;
  if (ref.natural) {
    for (const ScopeColumn& column : kept_side.columns) {
      const ScopeColumn* other = nullptr;
      if (column.hidden) {
        continue;
      }
      RETURN_IF_ERROR(find(swapped ? left : right, column.name, &other));
      if (other != nullptr && !other->hidden) {
        names.push_back(column.name);
      }
    }
  } else {
    SortByPlace(kept_side, &names);
  }
  merged->tables = left.tables;
  merged->tables.insert(merged->tables.end(), right.tables.begin(), right.tables.end());
  std::vector<const ScopeColumn*> used;
  for (const std::string& name : names) {
    const ScopeColumn* a = nullptr;
    const ScopeColumn* b = nullptr;
    RETURN_IF_ERROR(find(left, name, &a));
    RETURN_IF_ERROR(find(right, name, &b));
    if (a == nullptr || b == nullptr) {
      return UserError(ER_BAD_FIELD_ERROR, name, "from clause");
    }
    RETURN_IF_ERROR(CheckRead(a->tables[0], a->column));
    RETURN_IF_ERROR(CheckRead(b->tables[0], b->column));
    ASSIGN_OR_RETURN(BoundPtr equal, Compare(CompareOp::kEqual, a->expr, b->expr));
    *on = AndAlso(std::move(*on), std::move(equal));
    used.push_back(a);
    used.push_back(b);
    // The side that an outer join keeps has the value.
    const ScopeColumn* kept = swapped ? b : a;
    ScopeColumn column = *kept;
    const ScopeColumn* dropped = swapped ? a : b;
    if (names_ != nullptr) {
      names_->merged[&ref].emplace_back(NameOf(*kept->tables[0], kept->name),
                                        NameOf(*dropped->tables[0], dropped->name));
    }
    column.tables.insert(column.tables.end(), dropped->tables.begin(), dropped->tables.end());
    merged->columns.push_back(std::move(column));
  }
  auto rest = [&](const ScopeTables& side) {
    for (const ScopeColumn& column : side.columns) {
      if (std::find(used.begin(), used.end(), &column) == used.end()) {
        merged->columns.push_back(column);
      }
    }
  };
  // Column order is that of the written sides; a RIGHT JOIN shows its kept side first.
  rest(swapped ? right : left);
  rest(swapped ? left : right);
  return {};
}

}  // namespace borealis::sql
