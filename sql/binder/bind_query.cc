// Query expressions: bodies, set operations, WITH, LIMIT, locking clauses.
#include <algorithm>
#include <functional>
#include <set>
#include <utility>

#include "sql/binder/binder_internal.h"

namespace borealis::sql {
namespace {

// SELECT * over a query, so that its owner's ORDER BY can be bound against named columns.
void WrapColumns(const BoundTable* table, BoundQuery* query) {
  query->body.select = std::make_unique<BoundSelect>();
  auto leaf = std::make_unique<BoundFrom>();
  leaf->table = const_cast<BoundTable*>(table);
  query->body.select->from = std::move(leaf);
  for (size_t i = 0; i < table->columns.size(); ++i) {
    auto column =
        std::make_shared<BoundColumn>(table->columns[i].type, table, static_cast<uint32_t>(i));
    column->coercibility = table->columns[i].coercibility;
    query->body.select->items.push_back({column, table->query->columns[i], false});
  }
  query->columns = table->query->columns;
}

}  // namespace

Result<std::shared_ptr<BoundQuery>> StatementBinder::BindQueryExpr(const Query& query,
                                                                   Scope* outer) {
  auto bound = std::make_shared<BoundQuery>();
  Scope scope;  // holds what WITH names, nothing else
  scope.outer = outer;
  scope.query = bound.get();
  Scope* above = outer;
  if (query.with != nullptr) {
    RETURN_IF_ERROR(BindWith(*query.with, bound.get(), &scope));
    above = &scope;
  }
  RETURN_IF_ERROR(BindBody(*query.body, &query, bound.get(), above));
  if (query.limit.has_value()) {
    RETURN_IF_ERROR(BindLimit(*query.limit, bound.get(), above));
  }
  RETURN_IF_ERROR(ApplyLocking(query, bound.get()));
  return bound;
}

Status StatementBinder::BindBody(const QueryBody& body, const Query* owner, BoundQuery* query,
                                 Scope* outer) {
  switch (body.kind) {
    case QueryBodyKind::kSelect:
      return BindSelect(body.As<SelectCore>(), owner, query, outer);
    case QueryBodyKind::kSetOperation:
      return BindSetOperation(body.As<SetOperation>(), owner, query, outer);
    case QueryBodyKind::kValues: {
      const auto& values = body.As<ValuesCore>();
      if (owner == nullptr || owner->order_by.empty()) {
        return BindValues(values, query, outer);
      }
      break;
    }
    case QueryBodyKind::kTable: {
      SelectCore all;
      all.items.emplace_back();
      all.items.back().wildcard = true;
      auto table = std::make_unique<TableRefName>();
      table->table = body.As<TableCore>().table;
      all.from.push_back(std::move(table));
      RETURN_IF_ERROR(BindSelect(all, owner, query, outer));
      if (names_ != nullptr) {
        ResolvedNames::TableQuery& names = names_->tables[&body.As<TableCore>()];
        names.schema = std::move(names_->schemas[&all.from[0]->As<TableRefName>()]);
        names.items = std::move(names_->wildcards[&all.items[0]]);
        names_->schemas.erase(&all.from[0]->As<TableRefName>());
        names_->wildcards.erase(&all.items[0]);
      }
      return {};
    }
    case QueryBodyKind::kNested:
      break;
  }
  // A parenthesised query, or VALUES with ORDER BY: a query over it.
  auto inner = std::make_shared<BoundQuery>();
  if (body.kind == QueryBodyKind::kValues) {
    RETURN_IF_ERROR(BindValues(body.As<ValuesCore>(), inner.get(), outer));
  } else {
    ASSIGN_OR_RETURN(inner, BindQueryExpr(*body.As<NestedQuery>().query, outer));
  }
  query->correlated |= inner->correlated;
  if (owner != nullptr && !owner->order_by.empty() &&
      (!inner->order_by.empty() || !inner->order_columns.empty() || inner->limit != nullptr)) {
    DescribeAsKept(&inner->columns);
  }
  BoundTable* table = NewTable(query, BoundTableKind::kDerived, "");
  AddDerivedColumns(*inner, table);
  table->query = std::move(inner);
  WrapColumns(table, query);
  if (owner != nullptr && !owner->order_by.empty()) {
    Scope scope;
    scope.outer = outer;
    scope.query = query;
    scope.select = query->body.select.get();
    scope.items_bound = true;
    ExposeTable(table, &scope.from);
    RETURN_IF_ERROR(
        BindOrderBy(owner->order_by, &scope, query->body.select.get(), &query->order_by));
    RETURN_IF_ERROR(SortByKeys(&query->order_by));
  }
  return {};
}

Status StatementBinder::BindValues(const ValuesCore& values, BoundQuery* query, Scope* outer) {
  Scope scope;
  scope.outer = outer;
  scope.query = query;
  scope.clause = Clause::kFieldList;
  size_t width = 0;
  for (size_t r = 0; r < values.rows.size(); ++r) {
    ASSIGN_OR_RETURN(std::vector<BoundPtr> row, BindExprs(values.rows[r], &scope));
    if (r == 0) {
      width = row.size();
    } else if (row.size() != width) {
      return UserError(ER_WRONG_VALUE_COUNT_ON_ROW, r + 1);
    }
    query->body.values.push_back(std::move(row));
  }
  for (size_t c = 0; c < width; ++c) {
    std::vector<BoundPtr> column;
    for (const auto& row : query->body.values) {
      column.push_back(row[c]);
    }
    Coercibility coercibility = Coercibility::kCoercible;
    ASSIGN_OR_RETURN(row::Type type, CommonType(column, "UNION", &coercibility));
    for (auto& row : query->body.values) {
      row[c] = Convert(row[c], type);
    }
    ResultColumn description;
    description.name = "column_" + std::to_string(c);
    description.type = type;
    description.computed = true;
    query->columns.push_back(std::move(description));
  }
  return {};
}

Status StatementBinder::BindLimit(const LimitClause& limit, BoundQuery* query, Scope* scope) {
  Scope inside;
  inside.outer = scope;
  inside.query = query;
  inside.clause = Clause::kLimit;
  auto bind = [&](const Expr& expr, BoundPtr* out) -> Status {
    ASSIGN_OR_RETURN(BoundPtr value, BindExpr(expr, &inside));
    if (!IsFixed(*value)) {
      return UserError(ER_SP_UNDECLARED_VAR, ItemName(expr, expr.span));
    }
    if (value->kind == BoundKind::kParameter &&
        (value->type.is_text() || value->type.is_binary_string())) {
      // Drivers that know no types of parameters send numbers as text.
      value = Convert(std::move(value), row::Type::BigInt(), BoundConvert::Mode::kCast);
    }
    if (const auto* literal = value->TryAs<BoundLiteral>()) {
      if (literal->value.is_null() && input_.describe_only) {
        value = nullptr;
      } else if (literal->value.is_null()) {
        value = MakeLiteral(row::Type::BigInt(), row::Value::Int(0), Coercibility::kNumeric);
      } else if (!literal->type.is_integer()) {
        return UserError(ER_WRONG_ARGUMENTS, "LIMIT");
      } else if (literal->value.kind() == row::ValueKind::kInt && literal->value.int_value() < 0) {
        return UserError(ER_WRONG_ARGUMENTS, "LIMIT");
      }
    } else if (!value->type.is_integer()) {
      return UserError(ER_WRONG_ARGUMENTS, "LIMIT");
    } else if (value->type.is_unsigned) {
      CompareOp op = CompareOp::kEqual;
      ASSIGN_OR_RETURN(value, NarrowConstant(&op, row::Type::BigInt(), value));
      if (value == nullptr) {
        return UserError(ER_WRONG_ARGUMENTS, "LIMIT");
      }
    }
    *out = std::move(value);
    return {};
  };
  if (limit.count != nullptr) {
    RETURN_IF_ERROR(bind(*limit.count, &query->limit));
  }
  if (limit.offset != nullptr) {
    RETURN_IF_ERROR(bind(*limit.offset, &query->offset));
  }
  return {};
}

Status StatementBinder::ConvertColumns(BoundQuery* query, const std::vector<row::Type>& types,
                                       const std::vector<Coercibility>& coercibilities) {
  (void)coercibilities;
  bool same = true;
  for (size_t i = 0; i < types.size(); ++i) {
    // Of text the collation too: an arm compares as its own columns say.
    const row::Type& own = query->columns[i].type;
    same = same && SameRegisterForm(own, types[i]) && own.kind == types[i].kind &&
           own.collation == types[i].collation;
  }
  if (!same && query->body.set_operation != nullptr) {
    // The arms convert: a set operation compares what it combines.
    RETURN_IF_ERROR(ConvertColumns(query->body.set_operation->left.get(), types, coercibilities));
    RETURN_IF_ERROR(ConvertColumns(query->body.set_operation->right.get(), types, coercibilities));
  } else if (!same && query->body.select != nullptr) {
    BoundSelect& select = *query->body.select;
    size_t column = 0;
    for (BoundItem& item : select.items) {
      if (!item.hidden) {
        item.expr = Convert(item.expr, types[column++]);
      }
    }
  } else if (!same) {
    for (auto& row : query->body.values) {
      for (size_t i = 0; i < row.size(); ++i) {
        row[i] = Convert(row[i], types[i]);
      }
    }
  }
  for (size_t i = 0; i < types.size(); ++i) {
    query->columns[i].type = types[i];
  }
  return {};
}

namespace {

// What the columns of an arm are for the type of their set operation: constants, or a value of the
// column's type.
std::vector<BoundPtr> ColumnsToCombine(const BoundQuery& arm) {
  std::vector<BoundPtr> columns;
  for (size_t i = 0; i < arm.columns.size(); ++i) {
    const row::Type& type = arm.columns[i].type;
    auto value = std::make_shared<BoundParameter>(type, 0);
    value->coercibility = type.is_null() ? Coercibility::kIgnorable : ColumnCoercibility(type);
    if (arm.body.select != nullptr) {
      const BoundPtr& item = arm.body.select->items[i].expr;
      if (item->Is<BoundLiteral>()) {
        columns.push_back(item);
        continue;
      }
      value->coercibility = item->coercibility;
    }
    columns.push_back(std::move(value));
  }
  return columns;
}

// Errors 1267, 1271.
Status Combine(const std::vector<BoundPtr>& arm, std::vector<BoundPtr>* combined) {
  for (size_t i = 0; i < arm.size(); ++i) {
    Coercibility coercibility = Coercibility::kImplicit;
    ASSIGN_OR_RETURN(row::Type type, CommonType({(*combined)[i], arm[i]}, "UNION", &coercibility));
    if (coercibility == Coercibility::kNone) {
      return UserError(ER_CANT_AGGREGATE_NCOLLATIONS, "UNION");
    }
    auto value = std::make_shared<BoundParameter>(std::move(type), 0);
    value->coercibility = coercibility;
    (*combined)[i] = std::move(value);
  }
  return {};
}

std::shared_ptr<BoundQuery> MakeSetOperation(SetOperator op, bool all,
                                             std::shared_ptr<BoundQuery> left,
                                             std::shared_ptr<BoundQuery> right) {
  auto combined = std::make_shared<BoundQuery>();
  combined->correlated = left->correlated || right->correlated;
  combined->calc_found_rows = left->calc_found_rows;
  combined->columns = left->columns;
  DescribeAsKept(&combined->columns);
  combined->body.set_operation = std::make_unique<BoundSetOperation>();
  combined->body.set_operation->op = op;
  combined->body.set_operation->all = all;
  combined->body.set_operation->left = std::move(left);
  combined->body.set_operation->right = std::move(right);
  return combined;
}

}  // namespace

Status StatementBinder::BindSetOperation(const SetOperation& operation, const Query* owner,
                                         BoundQuery* query, Scope* outer) {
  auto bind_arm = [&](const QueryBody& body) -> Result<std::shared_ptr<BoundQuery>> {
    if (body.kind == QueryBodyKind::kNested) {
      return BindQueryExpr(*body.As<NestedQuery>().query, outer);
    }
    auto arm = std::make_shared<BoundQuery>();
    RETURN_IF_ERROR(BindBody(body, nullptr, arm.get(), outer));
    return arm;
  };
  ASSIGN_OR_RETURN(std::shared_ptr<BoundQuery> left, bind_arm(*operation.first));
  std::vector<BoundPtr> combined = ColumnsToCombine(*left);
  for (size_t next = 0; next < operation.rest.size();) {
    // UNIONs in a row are one: of all their columns of one place there is one type.
    std::vector<std::shared_ptr<BoundQuery>> arms = {std::move(left)};
    const size_t first = next;
    do {
      ASSIGN_OR_RETURN(std::shared_ptr<BoundQuery> arm, bind_arm(*operation.rest[next].body));
      if (arm->columns.size() != combined.size()) {
        return UserError(ER_WRONG_NUMBER_OF_COLUMNS_IN_SELECT);
      }
      RETURN_IF_ERROR(Combine(ColumnsToCombine(*arm), &combined));
      arms.push_back(std::move(arm));
      ++next;
    } while (next < operation.rest.size() && operation.rest[next].op == SetOperator::kUnion &&
             operation.rest[next - 1].op == SetOperator::kUnion);
    std::vector<row::Type> types;
    for (const BoundPtr& column : combined) {
      types.push_back(column->type);
    }
    for (const std::shared_ptr<BoundQuery>& arm : arms) {
      RETURN_IF_ERROR(ConvertColumns(arm.get(), types, {}));
    }
    left = std::move(arms[0]);
    for (size_t i = 1; i < arms.size(); ++i) {
      const SetOperation::Arm& written = operation.rest[first + i - 1];
      left = MakeSetOperation(written.op, written.all, std::move(left), std::move(arms[i]));
    }
  }
  bool simple = true;
  const bool has_json = std::ranges::any_of(left->columns, [](const ResultColumn& column) {
    return column.type.kind == row::TypeKind::kJson;
  });
  if (owner != nullptr) {
    for (const OrderItem& item : owner->order_by) {
      const auto* ref = item.expr->TryAs<ColumnRef>();
      bool plain = (ref != nullptr && ref->table.empty()) || item.expr->Is<Literal>();
      simple = simple && plain && !has_json;
      if (ref != nullptr && !ref->table.empty()) {
        return UserError(ER_TABLENAME_NOT_ALLOWED_HERE, ref->table, "global ORDER clause");
      }
    }
  }
  if (!simple) {
    BoundTable* table = NewTable(query, BoundTableKind::kDerived, "");
    AddDerivedColumns(*left, table);
    query->calc_found_rows = left->calc_found_rows;
    query->correlated |= left->correlated;
    table->query = std::move(left);
    WrapColumns(table, query);
    Scope scope;
    scope.outer = outer;
    scope.query = query;
    scope.select = query->body.select.get();
    scope.items_bound = true;
    ExposeTable(table, &scope.from);
    RETURN_IF_ERROR(
        BindOrderBy(owner->order_by, &scope, query->body.select.get(), &query->order_by, true));
    return SortByKeys(&query->order_by);
  }
  query->calc_found_rows = left->calc_found_rows;
  query->columns = left->columns;
  query->body = std::move(left->body);
  query->correlated |= left->correlated;
  if (owner == nullptr) {
    return {};
  }
  for (const OrderItem& item : owner->order_by) {
    size_t position = query->columns.size();
    if (const auto* ref = item.expr->TryAs<ColumnRef>()) {
      for (size_t i = 0; i < query->columns.size() && position == query->columns.size(); ++i) {
        if (SameName(query->columns[i].name, ref->column)) {
          position = i;
        }
      }
      if (position == query->columns.size()) {
        return UnknownColumn(*ref, Clause::kOrderBy);
      }
    } else {
      const auto& literal = item.expr->As<Literal>();
      if (literal.type != LiteralKind::kInteger) {
        continue;  // a constant orders nothing
      }
      if (literal.integer < 1 || literal.integer > query->columns.size()) {
        return UserError(ER_BAD_FIELD_ERROR, literal.integer, "order clause");
      }
      position = literal.integer - 1;
      if (names_ != nullptr) {
        names_->position_columns[item.expr.get()] = {"", "", query->columns[position].name};
      }
    }
    query->order_columns.push_back({static_cast<uint32_t>(position), item.descending()});
  }
  return {};
}

Status StatementBinder::BindWith(const WithClause& with, BoundQuery* query, Scope* scope) {
  for (const CommonTableExpr& cte : with.tables) {
    for (const auto& earlier : query->ctes) {
      if (SameName(earlier->name, cte.name)) {
        return UserError(ER_NONUNIQ_TABLE, cte.name);
      }
    }
    auto bound = std::make_shared<BoundCte>();
    bound->id = NextId();
    bound->name = cte.name;
    ASSIGN_OR_RETURN(bound->recursive, IsRecursive(with, cte));
    std::vector<TemporaryUse> outside = std::exchange(temporary_, {});
    if (bound->recursive) {
      RETURN_IF_ERROR(BindRecursiveCte(cte, bound, scope));
    } else {
      Scope inside;
      inside.outer = scope;
      inside.query = scope->query;
      if (with.recursive) {
        inside.ctes.push_back(bound);  // a subquery that names it does not mean another table
      }
      ASSIGN_OR_RETURN(bound->query, BindQueryExpr(*cte.query, &inside));
      if (!cte.columns.empty() && cte.columns.size() != bound->query->columns.size()) {
        return UserError(ER_VIEW_WRONG_LIST);
      }
      for (size_t i = 0; i < cte.columns.size(); ++i) {
        bound->query->columns[i].name = cte.columns[i];
      }
      BoundTable shape;
      AddDerivedColumns(*bound->query, &shape);
      bound->columns = std::move(shape.columns);
    }
    for (size_t i = 0; i < bound->columns.size(); ++i) {
      for (size_t j = 0; j < i; ++j) {
        if (SameName(bound->columns[i].name, bound->columns[j].name)) {
          return UserError(ER_DUP_FIELDNAME, bound->columns[i].name);
        }
      }
    }
    bound->temporary = std::exchange(temporary_, std::move(outside));
    query->ctes.push_back(bound);
    scope->ctes.push_back(std::move(bound));
  }
  return {};
}

Status StatementBinder::ApplyLocking(const Query& query, BoundQuery* bound) {
  std::set<const BoundTable*> named;
  const auto take = [&](const BoundTable& table, std::string_view quote) {
    return named.insert(&table).second
               ? Status::Ok()
               : UserError(ER_DUPLICATE_TABLE_LOCK, fmt::format("{0}{1}{0}", quote, table.alias));
  };
  for (const LockingClause& clause : query.locking) {
    facts_->locks_rows = true;
    facts_->locks_for_update |= clause.strength == LockStrength::kUpdate;
    RowLock lock = clause.strength == LockStrength::kUpdate ? RowLock::kExclusive : RowLock::kShare;
    auto apply = [&](BoundTable* table) {
      table->lock = lock;
      table->lock_wait = clause.wait;
    };
    const auto check = [&](const BoundTable& table) {
      return lock == RowLock::kExclusive ? CheckLockingAccess(table) : Status();
    };
    if (clause.tables.empty()) {
      for (const auto& table : bound->tables) {
        RETURN_IF_ERROR(check(*table));
        if (table->kind == BoundTableKind::kBase) {
          RETURN_IF_ERROR(take(*table, ""));
          apply(table.get());
        }
      }
      continue;
    }
    for (const QualifiedName& name : clause.tables) {
      bool found = false;
      const std::function<void(BoundTable*)> lock_all = [&](BoundTable* table) {
        if (table->kind == BoundTableKind::kBase) {
          apply(table);
        }
        for (BoundTable* merged : table->merged_tables) {
          lock_all(merged);
        }
      };
      for (const auto& table : bound->tables) {
        const bool lockable =
            table->kind == BoundTableKind::kBase || table->kind == BoundTableKind::kView;
        if (lockable && !table->in_view && table->alias == name.name) {
          RETURN_IF_ERROR(check(*table));
          RETURN_IF_ERROR(take(*table, "`"));
          lock_all(table.get());
          found = true;
        }
      }
      if (!found) {
        return UserError(ER_UNRESOLVED_TABLE_LOCK, name.name);
      }
    }
  }
  return {};
}

}  // namespace borealis::sql
