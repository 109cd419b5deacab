// Blocks whose groups are a table of their own: WITH ROLLUP and GROUPING(), aggregates in
// subqueries.
//
// A block with ROLLUP of n columns becomes three:
//
//   source   SELECT group columns, arguments of aggregates, other columns FROM … WHERE …
//   result   n + 1 groupings of the source, each by one column fewer, UNION ALL. Columns that are
//            rolled up are NULL; `level` says how many are. The last groups by nothing: it has its
//            row even when the source has none.
//   block    SELECT items FROM result WHERE the HAVING condition: DISTINCT, windows, ORDER BY and
//            LIMIT are its own.
//
// The source is a common table expression, so the tables are read once, in one moment, whatever the
// number of columns. In items, HAVING and ORDER BY an expression that is in GROUP BY, an aggregate
// and any other column are columns of the result (INV-ROLLUP-1): so is a name in a subquery there.
// Hence f(a) over a rolled-up `a` is f(NULL), and SUM(a) sums what `a` was.
//
// A block that is asked for an aggregate over its rows from within a subquery becomes two in the
// same way, of which the first groups and the second computes what is asked of the groups.
#include <algorithm>
#include <set>

#include "sql/binder/binder_internal.h"
#include "sql/binder/rewrite.h"

namespace borealis::sql {
namespace {

using row::Type;
using row::Value;

constexpr size_t kGroupingArgumentsMax = 63;  // one bit each

Type GroupingType() {
  Type type = Type::BigInt().Nullable();
  type.length = 21;
  return type;
}

Status NotInGroupBy(size_t argument) {
  return UserError(ER_FIELD_IN_GROUPING_NOT_GROUP_BY, argument + 1);
}

bool IsRolledUpConstant(const BoundExpr& expr) {
  const auto* convert = expr.TryAs<BoundConvert>();
  return convert != nullptr && convert->mode == BoundConvert::Mode::kAnyValue && IsFixed(expr);
}

const BoundExpr& WithoutMark(const BoundExpr& group) {
  return IsRolledUpConstant(group) ? *group.args[0] : group;
}

// Of two equal groups, which are rolled up one after the other, an item is the one that names it.
std::optional<size_t> FindGroup(const std::vector<BoundPtr>& groups, const BoundExpr& expr) {
  const auto named =
      std::ranges::find_if(groups, [&](const BoundPtr& group) { return group.get() == &expr; });
  if (named != groups.end()) {
    return static_cast<size_t>(named - groups.begin());
  }
  for (size_t i = 0; i < groups.size(); ++i) {
    if (SameExpr(WithoutMark(*groups[i]), expr)) {
      return i;
    }
  }
  return std::nullopt;
}

// GROUPING() where nothing is rolled up: the rows that an aggregate sees, GROUP BY without ROLLUP.
ExprRewriter::Replace GroupingAsZero(const std::vector<BoundPtr>& groups) {
  return [&groups](const BoundPtr& expr, bool) -> Result<BoundPtr> {
    if (expr->kind != BoundKind::kGrouping) {
      return BoundPtr();
    }
    for (size_t i = 0; i < expr->args.size(); ++i) {
      if (!FindGroup(groups, *expr->args[i]).has_value()) {
        return NotInGroupBy(i);
      }
    }
    return MakeLiteral(GroupingType(), Value::Int(0));
  };
}

void CollectTables(const BoundFrom* from, std::set<const BoundTable*>* tables) {
  if (from == nullptr) {
    return;
  }
  if (from->table != nullptr) {
    tables->insert(from->table);
    return;
  }
  CollectTables(from->left.get(), tables);
  CollectTables(from->right.get(), tables);
}

std::unique_ptr<BoundFrom> Leaf(BoundTable* table) {
  auto from = std::make_unique<BoundFrom>();
  from->table = table;
  return from;
}

BoundTableColumn Column(const BoundExpr& expr) {
  BoundTableColumn column;
  column.type = expr.type;
  column.coercibility = expr.coercibility;
  return column;
}

BoundPtr ColumnOf(const BoundTable* table, size_t column) {
  auto expr = std::make_shared<BoundColumn>(table->columns[column].type, table,
                                            static_cast<uint32_t>(column));
  expr->coercibility = table->columns[column].coercibility;
  return expr;
}

void AddItem(BoundPtr expr, BoundQuery* query) {
  ResultColumn column;
  column.type = expr->type;
  query->columns.push_back(column);
  query->body.select->items.push_back({std::move(expr), std::move(column), false});
}

// What the block's expressions need of its rows, and the columns of `result` that have it: the
// group columns, with ROLLUP the level, then one for each other value.
class GroupedColumns {
 public:
  GroupedColumns(const BoundSelect& select, bool rollup, BoundTable* result)
      : select_(select), groups_(select.group_by), result_(result) {
    CollectTables(select.from.get(), &own_);
    for (const BoundPtr& group : groups_) {
      BoundTableColumn column = Column(*group);
      column.type.nullable |= rollup;
      result_->columns.push_back(std::move(column));
    }
    if (rollup) {
      BoundTableColumn level;
      level.type = Type::BigInt().NotNull();
      result_->columns.push_back(std::move(level));
    }
    first_value_ = result_->columns.size();
    may_be_empty_ = rollup || groups_.empty();
  }

  Result<BoundPtr> Replace(const BoundPtr& expr, bool in_subquery) {
    std::optional<size_t> group = FindGroup(groups_, *expr);
    if (group.has_value() && (!in_subquery || !IsFixed(*expr) || IsRolledUpConstant(*expr))) {
      return ColumnOf(result_, *group);
    }
    switch (expr->kind) {
      case BoundKind::kGrouping:
        return Grouping(*expr);
      case BoundKind::kAggregate: {
        if (expr->As<BoundAggregate>().owner != &select_) {
          return BoundPtr();
        }
        ExprRewriter rewriter(GroupingAsZero(groups_));
        ASSIGN_OR_RETURN(BoundPtr aggregate, rewriter.Rewrite(expr));
        return AddValue(aggregate);
      }
      case BoundKind::kColumn:
        return own_.contains(expr->As<BoundColumn>().table) ? AddValue(expr) : BoundPtr();
      default:
        return BoundPtr();
    }
  }

  // Whether `count` columns or more are rolled up.
  BoundPtr RolledUp(size_t count) const {
    auto compare = std::make_shared<BoundCompare>(CompareOp::kGreaterEqual);
    compare->type.nullable = false;
    compare->args = {
        ColumnOf(result_, groups_.size()),
        MakeLiteral(Type::BigInt().NotNull(), Value::Int(static_cast<int64_t>(count)))};
    return compare;
  }

  // The last grouping is one because of its aggregates: there is one at least.
  void AddAggregate() {
    const bool any = std::any_of(values_.begin(), values_.end(), [](const BoundPtr& value) {
      return value->kind == BoundKind::kAggregate;
    });
    if (!any) {
      auto count = std::make_shared<BoundAggregate>(Type::BigInt().NotNull(), AggregateFn::kCount);
      count->owner = &select_;
      AddValue(count);
    }
  }

  const std::vector<BoundPtr>& groups() const { return groups_; }
  const std::vector<BoundPtr>& values() const { return values_; }
  const BoundTable* result() const { return result_; }

 private:
  // The bits say which arguments are rolled up, the last argument's is the lowest.
  Result<BoundPtr> Grouping(const BoundExpr& expr) const {
    std::vector<size_t> arguments;
    for (size_t i = 0; i < expr.args.size(); ++i) {
      std::optional<size_t> group = FindGroup(groups_, *expr.args[i]);
      if (!group.has_value()) {
        return NotInGroupBy(i);
      }
      arguments.push_back(*group);
    }
    auto bits = std::make_shared<BoundCase>(GroupingType());
    for (size_t level = groups_.size() + 1; level-- > 0;) {
      int64_t value = 0;
      for (size_t group : arguments) {
        value = value << 1 | (group + level >= groups_.size() ? 1 : 0);
      }
      if (level > 0) {
        bits->args.push_back(RolledUp(level));
      }
      bits->args.push_back(MakeLiteral(GroupingType(), Value::Int(value)));
    }
    return BoundPtr(bits);
  }

  BoundPtr AddValue(const BoundPtr& value) {
    size_t at = 0;
    while (at < values_.size() && !SameExpr(*values_[at], *value)) {
      ++at;
    }
    if (at == values_.size()) {
      values_.push_back(value);
      BoundTableColumn column = Column(*value);
      column.type.nullable |= may_be_empty_ && value->kind == BoundKind::kColumn;
      result_->columns.push_back(std::move(column));
    }
    return ColumnOf(result_, first_value_ + at);
  }

  const BoundSelect& select_;
  const std::vector<BoundPtr> groups_;
  std::set<const BoundTable*> own_;
  std::vector<BoundPtr> values_;
  BoundTable* result_;
  size_t first_value_ = 0;
  bool may_be_empty_ = false;  // there is a group without rows
};

// The source's columns, in the order in which they are asked for.
class SourceColumns {
 public:
  explicit SourceColumns(const std::vector<BoundPtr>& groups) : exprs_(groups) {}

  // `expr` as read from `table`, an occurrence of the source.
  BoundPtr Read(const BoundPtr& expr, BoundTable* table) {
    if (IsFixed(*expr)) {
      return expr;
    }
    size_t at = 0;
    while (at < exprs_.size() && !SameExpr(*exprs_[at], *expr)) {
      ++at;
    }
    if (at == exprs_.size()) {
      exprs_.push_back(expr);
    }
    return ReadAt(at, table);
  }
  BoundPtr ReadAt(size_t column, BoundTable* table) {
    for (size_t i = table->columns.size(); i < exprs_.size(); ++i) {
      table->columns.push_back(Column(*exprs_[i]));
    }
    return ColumnOf(table, column);
  }
  const std::vector<BoundPtr>& exprs() const { return exprs_; }

 private:
  std::vector<BoundPtr> exprs_;
};

// A value of the result, over the source's columns.
BoundPtr ValueOver(const BoundPtr& value, SourceColumns* source, BoundTable* table,
                   const BoundSelect* grouping) {
  const auto* aggregate = value->TryAs<BoundAggregate>();
  if (aggregate == nullptr) {
    return source->Read(value, table);
  }
  auto copy = std::make_shared<BoundAggregate>(*aggregate);
  copy->owner = grouping;
  for (BoundPtr& arg : copy->args) {
    arg = source->Read(arg, table);
  }
  for (BoundOrder& order : copy->order_by) {
    order.expr = source->Read(order.expr, table);
  }
  return copy;
}

// The grouping by the first `kept` columns.
void AddGrouping(const GroupedColumns& columns, size_t kept, SourceColumns* source,
                 BoundTable* table, BoundQuery* query) {
  query->body.select = std::make_unique<BoundSelect>();
  BoundSelect* select = query->body.select.get();
  select->from = Leaf(table);
  select->aggregated = true;
  const size_t count = columns.groups().size();
  for (size_t i = 0; i < count; ++i) {
    if (i < kept) {
      BoundPtr column = source->ReadAt(i, table);
      select->group_by.push_back(column);
      AddItem(std::move(column), query);
    } else {
      AddItem(MakeLiteral(columns.result()->columns[i].type, Value::Null()), query);
    }
  }
  AddItem(MakeLiteral(Type::BigInt().NotNull(), Value::Int(static_cast<int64_t>(count - kept))),
          query);
  for (const BoundPtr& value : columns.values()) {
    AddItem(ValueOver(value, source, table, select), query);
  }
}

bool HasWindow(const BoundSelect& select) {
  bool has = false;
  for (const BoundItem& item : select.items) {
    Walk(*item.expr, [&](const BoundExpr& e) { has |= e.kind == BoundKind::kWindow; });
  }
  return has;
}

// ENUM and SET that come out of a rollup are text; inside an expression they still are numbers too.
BoundPtr Shown(BoundPtr expr) {
  if (!expr->Is<BoundColumn>() || !expr->type.is_enum_or_set()) {
    return expr;
  }
  const Type text = Type::Varchar(row::DisplayWidth(expr->type), expr->type.collation);
  return Convert(std::move(expr), text.Nullable());
}

Status RewriteBlock(ExprRewriter* rewriter, BoundSelect* select, BoundQuery* query) {
  for (BoundItem& item : select->items) {
    ASSIGN_OR_RETURN(BoundPtr expr, rewriter->Rewrite(item.expr));
    if (expr != item.expr) {
      expr = Shown(std::move(expr));
      // A value that was computed, whatever column it is by name.
      ResultColumn column;
      column.name = std::move(item.column.name);
      column.type = expr->type;
      item.column = std::move(column);
      item.expr = std::move(expr);
    }
  }
  if (select->having != nullptr) {
    ASSIGN_OR_RETURN(select->having, rewriter->Rewrite(select->having));
  }
  for (BoundOrder& order : query->order_by) {
    ASSIGN_OR_RETURN(BoundPtr expr, rewriter->Rewrite(order.expr));
    order.expr = expr != order.expr ? Shown(std::move(expr)) : std::move(expr);
  }
  std::erase_if(query->order_by, [](const BoundOrder& order) { return IsFixed(*order.expr); });
  return {};
}

}  // namespace

const BoundSelect& SourceOf(const BoundSelect& select) {
  if (select.separated) {
    return *select.from->table->query->body.select;
  }
  return select.rollup ? *select.from->table->query->ctes[0]->query->body.select : select;
}

Result<BoundPtr> StatementBinder::BindGrouping(const FunctionCall& expr, Scope* scope) {
  if (scope->clause == Clause::kGroupBy) {
    return UserError(ER_WRONG_GROUP_FIELD, "GROUPING function");
  }
  const bool of_groups = scope->clause == Clause::kFieldList || scope->clause == Clause::kHaving ||
                         scope->clause == Clause::kOrderBy || IsOfWindow(scope->clause);
  if (!of_groups || !scope->has_group_by) {
    return UserError(ER_INVALID_GROUP_FUNC_USE);
  }
  if (expr.args.size() > kGroupingArgumentsMax) {
    return Unsupported("GROUPING of more than 63 expressions");
  }
  scope->has_grouping = true;
  auto grouping = std::make_shared<BoundGrouping>(GroupingType());
  ASSIGN_OR_RETURN(grouping->args, BindExprs(expr.args, scope));
  if (std::any_of(grouping->args.begin(), grouping->args.end(),
                  [](const BoundPtr& arg) { return IsFixed(*arg) && !IsRolledUpConstant(*arg); })) {
    return UserError(ER_WRONG_ARGUMENTS, "GROUPING function");
  }
  return BoundPtr(grouping);
}

Status StatementBinder::FinishGrouping(const SelectCore& core, const Scope& scope,
                                       BoundQuery* query) {
  if (core.rollup) {
    return ExpandRollup(query);
  }
  BoundSelect* select = query->body.select.get();
  if (scope.has_grouping) {
    ExprRewriter rewriter(GroupingAsZero(select->group_by));
    RETURN_IF_ERROR(RewriteBlock(&rewriter, select, query));
  }
  return select->aggregates_below ? SeparateGroups(query) : Status();
}

Status StatementBinder::SeparateGroups(BoundQuery* query) {
  BoundSelect* select = query->body.select.get();
  BoundTable* result = NewTable(query, BoundTableKind::kDerived, "");
  GroupedColumns columns(*select, false, result);
  ExprRewriter rewriter(
      [&](const BoundPtr& expr, bool in_subquery) { return columns.Replace(expr, in_subquery); });
  for (BoundItem& item : select->items) {
    ASSIGN_OR_RETURN(item.expr, rewriter.Rewrite(item.expr));
    item.column.type = item.expr->type;
  }
  if (select->having != nullptr) {
    ASSIGN_OR_RETURN(select->having, rewriter.Rewrite(select->having));
  }
  for (BoundOrder& order : query->order_by) {
    ASSIGN_OR_RETURN(order.expr, rewriter.Rewrite(order.expr));
  }

  auto groups = std::make_shared<BoundQuery>();
  groups->correlated = query->correlated;
  groups->body.select = std::make_unique<BoundSelect>();
  BoundSelect* grouped = groups->body.select.get();
  grouped->aggregated = true;
  grouped->from = std::move(select->from);
  grouped->where = std::move(select->where);
  grouped->group_by = std::move(select->group_by);
  for (const BoundPtr& group : columns.groups()) {
    AddItem(group, groups.get());
  }
  for (const BoundPtr& value : columns.values()) {
    const auto* aggregate = value->TryAs<BoundAggregate>();
    if (aggregate == nullptr) {
      AddItem(value, groups.get());
      continue;
    }
    auto moved = std::make_shared<BoundAggregate>(*aggregate);
    moved->owner = grouped;
    AddItem(std::move(moved), groups.get());
  }
  result->query = std::move(groups);

  select->from = Leaf(result);
  select->where = std::move(select->having);
  select->having = nullptr;
  select->group_by.clear();
  select->aggregated = false;
  select->aggregates_below = false;
  select->separated = true;
  return {};
}

Status StatementBinder::ExpandRollup(BoundQuery* query) {
  BoundSelect* select = query->body.select.get();
  BoundTable* result = NewTable(query, BoundTableKind::kDerived, "");
  GroupedColumns columns(*select, true, result);
  ExprRewriter rewriter(
      [&](const BoundPtr& expr, bool in_subquery) { return columns.Replace(expr, in_subquery); });
  RETURN_IF_ERROR(RewriteBlock(&rewriter, select, query));
  columns.AddAggregate();

  // The groupings; the source's columns come together with them.
  auto cte = std::make_shared<BoundCte>();
  cte->id = NextId();
  SourceColumns source(columns.groups());
  std::shared_ptr<BoundQuery> groupings;
  for (size_t kept = columns.groups().size() + 1; kept-- > 0;) {
    auto grouping = std::make_shared<BoundQuery>();
    BoundTable* table = NewTable(grouping.get(), BoundTableKind::kCte, "");
    table->cte = cte.get();
    AddGrouping(columns, kept, &source, table, grouping.get());
    if (groupings == nullptr) {
      groupings = std::move(grouping);
      continue;
    }
    auto both = std::make_shared<BoundQuery>();
    both->columns = groupings->columns;
    both->body.set_operation = std::make_unique<BoundSetOperation>();
    both->body.set_operation->all = true;
    both->body.set_operation->left = std::move(groupings);
    both->body.set_operation->right = std::move(grouping);
    groupings = std::move(both);
  }

  cte->query = std::make_shared<BoundQuery>();
  cte->query->correlated = query->correlated;
  cte->query->body.select = std::make_unique<BoundSelect>();
  cte->query->body.select->from = std::move(select->from);
  cte->query->body.select->where = std::move(select->where);
  for (const BoundPtr& expr : source.exprs()) {
    AddItem(expr, cte->query.get());
    cte->columns.push_back(Column(*expr));
  }
  groupings->correlated = query->correlated;
  groupings->ctes.push_back(std::move(cte));
  result->query = std::move(groupings);

  select->from = Leaf(result);
  select->where = std::move(select->having);
  select->having = nullptr;
  select->group_by.clear();
  select->aggregated = false;
  select->rollup = true;
  if (query->order_by.empty() && !HasWindow(*select)) {
    // In the order of the groups, each group's rows before the row that sums them up.
    for (size_t i = 0; i < columns.groups().size(); ++i) {
      query->order_by.push_back({columns.RolledUp(columns.groups().size() - i), false});
      query->order_by.push_back({ColumnOf(result, i), false});
    }
  }
  return {};
}

}  // namespace borealis::sql
