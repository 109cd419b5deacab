// Queries in SQLite's SQL: SELECT, FROM, set operations, WITH, ORDER BY, LIMIT.
#include <algorithm>
#include <cmath>
#include <utility>

#include "sql/binder/binder_internal.h"
#include "sql/sqlite/conjuncts.h"
#include "sql/sqlite/implied_conditions.h"
#include "sql/sqlite/lowering_internal.h"
#include "sql/sqlite/passing_share.h"

namespace borealis::sql {
namespace {

bool HasComputed(const BoundFrom& from) {
  if (from.table != nullptr) {
    return from.table->lateral || from.table->kind == BoundTableKind::kJsonTable;
  }
  return HasComputed(*from.left) || HasComputed(*from.right);
}

const BoundTable* Find(const BoundFrom& from, const BoundCte* cte) {
  if (from.table != nullptr) {
    return from.table->cte == cte ? from.table : nullptr;
  }
  const BoundTable* left = Find(*from.left, cte);
  return left != nullptr ? left : Find(*from.right, cte);
}

// The column in which a recursive table counts rounds; of the first round. Under its collation all
// rounds are equal, so that UNION DISTINCT does not look at it (MachineCallbacks::kRoundCollation).
constexpr std::string_view kFirstRound = ",'0' COLLATE round AS depth";

// Whether no row is dropped for being equal to another.
bool KeepsAllRows(const BoundCte& cte) {
  const BoundQuery* at = cte.query.get();
  while (at->body.set_operation != nullptr && at->body.set_operation->all) {
    at = at->body.set_operation->left.get();
  }
  return at->body.set_operation == nullptr;
}

bool KeepsDepth(const BoundCte& cte) {
  if (!cte.recursive) {
    return false;
  }
  const BoundQuery* at = cte.query.get();
  for (; at->body.set_operation != nullptr; at = at->body.set_operation->left.get()) {
    if (at->body.set_operation->op != SetOperator::kUnion) {
      return false;
    }
  }
  return true;
}

// Whether the condition cannot be true where the tables of `from` have only NULLs. Deliberately
// narrow: comparisons and IS NOT NULL on plain columns.
bool RejectsNulls(const BoundExpr& condition, const BoundFrom& from) {
  auto is_inner = [&](const BoundExpr& expr) {
    const BoundExpr* at = &expr;
    while (const auto* convert = at->TryAs<BoundConvert>()) {
      at = convert->args[0].get();
    }
    const auto* column = at->TryAs<BoundColumn>();
    return column != nullptr && Contains(from, column->table);
  };
  switch (condition.kind) {
    case BoundKind::kLogical: {
      const auto& logical = condition.As<BoundLogical>();
      auto rejects = [&](const BoundPtr& arg) { return RejectsNulls(*arg, from); };
      return logical.is_and ? std::any_of(logical.args.begin(), logical.args.end(), rejects)
                            : std::all_of(logical.args.begin(), logical.args.end(), rejects);
    }
    case BoundKind::kCompare:
      return condition.As<BoundCompare>().op != CompareOp::kNullSafeEqual &&
             (is_inner(*condition.args[0]) || is_inner(*condition.args[1]));
    case BoundKind::kIn:
      return is_inner(*condition.args[0]);
    case BoundKind::kIsNull:
      return condition.As<BoundIsNull>().negated && is_inner(*condition.args[0]);
    default:
      return false;
  }
}

// LEFT JOINs whose missing rows the WHERE drops anyway become inner joins, which the planner may
// reorder and push conditions into (SQLite does not do so for virtual tables).
void ReduceOuterJoins(BoundFrom* from, const BoundExpr* where) {
  if (from == nullptr || from->table != nullptr || where == nullptr) {
    return;
  }
  if (from->join == BoundJoinKind::kLeft && RejectsNulls(*where, *from->right)) {
    from->join = BoundJoinKind::kInner;
  }
  ReduceOuterJoins(from->left.get(), where);
  if (from->join == BoundJoinKind::kInner) {
    ReduceOuterJoins(from->right.get(), where);
  }
}

bool IsBodyAlone(const BoundQuery& query) {
  return query.ctes.empty() && query.order_by.empty() && query.order_columns.empty() &&
         query.limit == nullptr && query.offset == nullptr;
}

// The queries whose rows the union is made of. A union that it begins with is part of it, unless
// that one alone drops rows.
std::vector<const BoundQuery*> ArmsOf(const BoundSetOperation& operation) {
  std::vector<const BoundQuery*> arms;
  const BoundSetOperation* at = &operation;
  while (true) {
    arms.push_back(at->right.get());
    const BoundQuery& left = *at->left;
    const BoundSetOperation* before = left.body.set_operation.get();
    if (before == nullptr || !IsBodyAlone(left) || before->op != SetOperator::kUnion ||
        (operation.all && !before->all)) {
      arms.push_back(&left);
      std::ranges::reverse(arms);
      return arms;
    }
    at = before;
  }
}

// Of the machine's 500.
constexpr size_t kArmsMax = 400;

std::string ColumnNames(size_t count) {
  std::string names;
  for (size_t i = 0; i < count; ++i) {
    names += (i == 0 ? "c" : ",c") + std::to_string(i);
  }
  return names;
}

// The table of a locking SELECT that has to tell its cursor which rows match; those that do not are
// unlocked below REPEATABLE READ. Changes ask for the handle anyway.
const BoundTable* ReportsMatches(const BoundSelect& select) {
  const BoundTable* table = select.from != nullptr ? select.from->table : nullptr;
  const bool locks = table != nullptr && table->kind == BoundTableKind::kBase &&
                     (table->lock == RowLock::kShare || table->lock == RowLock::kExclusive);
  return locks && !table->changes ? table : nullptr;
}

}  // namespace

std::string Quoted(std::string_view name) {
  std::string quoted = "\"";
  for (char c : name) {
    if (c == '"') {
      quoted.push_back('"');
    }
    quoted.push_back(c);
  }
  quoted.push_back('"');
  return quoted;
}

std::string CteName(const BoundCte& cte) {
  return "w" + std::to_string(cte.id);
}

bool Contains(const BoundFrom& from, const BoundTable* table) {
  if (from.table != nullptr) {
    return from.table == table;
  }
  return Contains(*from.left, table) || Contains(*from.right, table);
}

std::string TableAlias(const BoundTable& table) {
  return "t" + std::to_string(table.id);
}

std::string Lowering::ModuleOf(const BoundTable& table) const {
  const TableDescriptor& descriptor = *table.table;
  std::string name = descriptor.schema + "." + descriptor.name + "@" +
                     std::to_string(descriptor.table_id) + "." + std::to_string(descriptor.version);
  if (table.lock != RowLock::kNone) {
    name += table.lock == RowLock::kShare             ? "+s"
            : table.lock == RowLock::kShareRepeatable ? "+r"
                                                      : "+x";
    name += table.lock_wait == LockWait::kWait     ? ""
            : table.lock_wait == LockWait::kNoWait ? "n"
                                                   : "k";
    name += table.semi_consistent ? "u" : table.changes ? "d" : "";
  }
  if (table.usable_indexes != ~uint64_t{0}) {
    name += (table.force_index ? "!" : "?") + std::to_string(table.usable_indexes);
  }
  if (options_.module_per_table) {
    name += "#" + std::to_string(table.id);
  }
  return name;
}

Result<LoweredQuery> Lower(const BoundQuery& query, const LoweringOptions& options) {
  LoweredQuery lowered;
  Lowering lowering(options, &lowered);
  RETURN_IF_ERROR(lowering.Outermost(query, &lowered.sql));
  return lowered;
}

Status Lowering::Outermost(const BoundQuery& query, std::string* sql) {
  outermost_ = options_.shown ? &query : nullptr;
  return Query(query, options_.without_limit, sql);
}

Status Lowering::Query(const BoundQuery& query, bool without_limit, std::string* sql) {
  const size_t defined_above = defined_.size();
  for (size_t i = 0; i < query.ctes.size(); ++i) {
    sql->append(i == 0 ? "WITH RECURSIVE " : ",");
    defined_.push_back(query.ctes[i].get());
    RETURN_IF_ERROR(CteDefinition(*query.ctes[i], sql));
  }
  if (!query.ctes.empty()) {
    sql->push_back(' ');
  }
  Status lowered = OrderedCore(query, without_limit, sql);
  defined_.resize(defined_above);
  return lowered;
}

Status Lowering::CteDefinition(const BoundCte& cte, std::string* sql) {
  sql->append(CteName(cte) + "(");
  for (size_t c = 0; c < cte.columns.size(); ++c) {
    sql->append((c == 0 ? "c" : ",c") + std::to_string(c));
  }
  const BoundCte* outer_depth = std::exchange(depth_of_, KeepsDepth(cte) ? &cte : nullptr);
  sql->append(depth_of_ != nullptr ? ",depth) AS (" : ") AS (");
  // A recursive table's arms must stand as SQLite knows them.
  bool outer = std::exchange(in_recursive_cte_, cte.recursive);
  being_defined_.push_back(&cte);
  Status lowered = Query(*cte.query, false, sql);
  being_defined_.pop_back();
  in_recursive_cte_ = outer;
  depth_of_ = outer_depth;
  sql->append(")");
  return lowered;
}

Status Lowering::OrderedCore(const BoundQuery& query, bool without_limit, std::string* sql) {
  GroupedSelect* const around = std::exchange(grouped_, nullptr);
  Status lowered = Ordered(query, sql);
  grouped_ = around;
  if (!lowered.ok() || without_limit) {
    return lowered;
  }
  if (query.limit != nullptr || query.offset != nullptr) {
    sql->append(" LIMIT ");
    if (query.limit != nullptr) {
      RETURN_IF_ERROR(Expr(*query.limit, sql));
    } else {
      sql->append("-1");
    }
    if (query.offset != nullptr) {
      sql->append(" OFFSET ");
      RETURN_IF_ERROR(Expr(*query.offset, sql));
    }
  }
  return {};
}

Status Lowering::Ordered(const BoundQuery& query, std::string* sql) {
  if (MayHash(query)) {
    out_->may_hash = true;
    bool done = false;
    RETURN_IF_ERROR(IsHashed(*query.body.select) ? Grouped(query, &done, sql) : Status());
    if (done) {
      return {};
    }
  }
  if (std::vector<const BoundExpr*> keys = OuterKeys(query); !keys.empty()) {
    return OrderedOutside(query, std::move(keys), sql);
  }
  RETURN_IF_ERROR(Core(query, sql));
  return OrderBy(query, sql);
}

Status Lowering::Core(const BoundQuery& query, std::string* sql) {
  if (query.body.select != nullptr) {
    return Select(*query.body.select, {}, sql);
  }
  if (query.body.set_operation != nullptr) {
    return SetOperation(*query.body.set_operation, sql);
  }
  return Values(query, sql);
}

Status Lowering::OrderBy(const BoundQuery& query, std::string* sql) {
  // The keys are read where the tables of the select are: also by a query within a key, when that
  // is a statement of its own.
  const auto by_keys = [&]() -> Status {
    for (size_t i = 0; i < query.order_by.size(); ++i) {
      sql->append(i == 0 ? " ORDER BY " : ",");
      RETURN_IF_ERROR(Comparable(*query.order_by[i].expr, sql));
      sql->append(query.order_by[i].descending ? " DESC" : "");
    }
    return {};
  };
  if (!query.order_by.empty()) {
    RETURN_IF_ERROR(query.body.select == nullptr ? by_keys() : Within(*query.body.select, by_keys));
  }
  for (size_t i = 0; i < query.order_columns.size(); ++i) {
    const BoundQuery::OrderColumn& order = query.order_columns[i];
    sql->append(i == 0 ? " ORDER BY " : ",");
    sql->append(std::to_string(order.column + 1));
    // The arms carry the collation.
    sql->append(order.descending ? " DESC" : "");
  }
  return {};
}

bool Lowering::ReadsOuterColumn(const BoundExpr& expr, const BoundSelect& select) const {
  bool outer = false;
  Walk(expr, [&](const BoundExpr& part) {
    const auto* column = part.TryAs<BoundColumn>();
    outer |= column != nullptr && !IsArgument(part) &&
             (select.from == nullptr || !Contains(*select.from, column->table));
  });
  return outer;
}

// ORDER BY and GROUP BY in SQLite do not see columns of the queries around, but for those that are
// columns of the result.
std::vector<const BoundExpr*> Lowering::OuterKeys(const BoundQuery& query) const {
  std::vector<const BoundExpr*> keys;
  if (const BoundSelect* const select = query.body.select.get()) {
    const auto add = [&](const BoundExpr& expr) {
      if (ReadsOuterColumn(expr, *select)) {
        keys.push_back(&expr);
      }
    };
    for (const BoundOrder& order : query.order_by) {
      add(*order.expr);
    }
    for (const BoundPtr& expr : select->group_by) {
      add(*expr);
    }
  }
  return keys;
}

// So a query with such keys has them as columns of a query inside, by which the one around sorts.
Status Lowering::OrderedOutside(const BoundQuery& query, std::vector<const BoundExpr*> keys,
                                std::string* sql) {
  const BoundSelect& select = *query.body.select;
  sql->append("SELECT " + ColumnNames(select.items.size()));
  const size_t first_order = keys.size();
  for (const BoundOrder& order : query.order_by) {
    keys.push_back(order.expr.get());
  }
  sql->append(" FROM (");
  RETURN_IF_ERROR(Select(select, keys, sql));
  sql->append(")");
  for (size_t i = 0; i < query.order_by.size(); ++i) {
    sql->append((i == 0 ? " ORDER BY k" : ",k") + std::to_string(first_order + i));
    sql->append(query.order_by[i].descending ? " DESC" : "");
  }
  return {};
}

Status Lowering::Within(const BoundSelect& select, const std::function<Status()>& lower) {
  const BoundSelect* const around = std::exchange(select_, &select);
  const size_t shown_above = shown_.size();
  Show(select.from.get());
  Status lowered = lower();
  shown_.resize(shown_above);
  select_ = around;
  return lowered;
}

Status Lowering::Select(const BoundSelect& select, std::span<const BoundExpr* const> keys,
                        std::string* sql) {
  // Not of what stands inside this select.
  const BoundCte* depth_of = std::exchange(depth_of_, nullptr);
  Status lowered = Within(select, [&] { return SelectItems(select, keys, depth_of, sql); });
  depth_of_ = depth_of;
  return lowered;
}

BoundPtr Lowering::ShownItem(const BoundSelect& select, size_t item) {
  const bool computed = outermost_ != nullptr && outermost_->body.select.get() == &select &&
                        item < outermost_->columns.size() && outermost_->columns[item].computed;
  return computed ? ChoiceAsText(select.items[item].expr, row::kDefaultCollation) : nullptr;
}

Status Lowering::Items(const BoundSelect& select, std::string* sql) {
  sql->append(select.distinct ? "SELECT DISTINCT " : "SELECT ");
  for (size_t i = 0; i < select.items.size(); ++i) {
    sql->append(i == 0 ? "" : ",");
    // SQLite takes HAVING only where an item is an aggregate: what is NULL stands before the first.
    const bool needs_aggregate = i == 0 && select.having != nullptr && select.group_by.empty();
    sql->append(needs_aggregate ? "coalesce(nullif(count(*),count(*))," : "");
    // The collation goes with the column to whoever compares it: DISTINCT, UNION, an outer query.
    if (const BoundPtr shown = ShownItem(select, i); shown != nullptr) {
      out_->text_columns.push_back(i);
      RETURN_IF_ERROR(Expr(*shown, sql));
    } else {
      RETURN_IF_ERROR(Comparable(*select.items[i].expr, sql));
    }
    sql->append(needs_aggregate ? ")" : "");
    sql->append(" AS c" + std::to_string(i));
  }
  return {};
}

Status Lowering::SelectItems(const BoundSelect& select, std::span<const BoundExpr* const> keys,
                             const BoundCte* depth_of, std::string* sql) {
  RETURN_IF_ERROR(Items(select, sql));
  for (size_t i = 0; i < keys.size(); ++i) {
    sql->push_back(',');
    RETURN_IF_ERROR(Comparable(*keys[i], sql));
    sql->append(" AS k" + std::to_string(i));
  }
  if (depth_of != nullptr) {
    const BoundTable* before = select.from != nullptr ? Find(*select.from, depth_of) : nullptr;
    if (before != nullptr) {
      sql->append(",bdepth(" + TableAlias(*before) +
                  (KeepsAllRows(*depth_of) ? ".depth,1" : ".depth,0") + ") AS depth");
    } else {
      sql->append(kFirstRound);
    }
  }
  return SelectTail(select, keys, sql);
}

Status Lowering::FromAndWhere(const BoundSelect& select, std::string* sql) {
  if (select.from != nullptr) {
    ReduceOuterJoins(select.from.get(), select.where.get());
    sql->append(" FROM ");
    const BoundFrom* outer = std::exchange(from_, select.from.get());
    Status lowered = From(*select.from, sql);
    from_ = outer;
    RETURN_IF_ERROR(lowered);
  } else if (select.aggregated) {
    sql->append(" FROM (SELECT 1 AS c0) AS " + kNoTable);
  }
  return Where(select, sql);
}

Status Lowering::SelectTail(const BoundSelect& select, std::span<const BoundExpr* const> keys,
                            std::string* sql) {
  RETURN_IF_ERROR(FromAndWhere(select, sql));
  for (size_t i = 0; i < select.group_by.size(); ++i) {
    sql->append(i == 0 ? " GROUP BY " : ",");
    const auto key = std::ranges::find(keys, select.group_by[i].get());
    if (key != keys.end()) {
      sql->append(std::to_string(select.items.size() + 1 + (key - keys.begin())));
    } else if (IsFixed(*select.group_by[i])) {
      sql->append("NULL");  // a number would mean a column
    } else {
      RETURN_IF_ERROR(Comparable(*select.group_by[i], sql));
    }
  }
  if (select.having != nullptr) {
    sql->append(" HAVING ");
    RETURN_IF_ERROR(Expr(*select.having, sql));
  }
  return {};
}

Status Lowering::Where(const BoundSelect& select, std::string* sql) {
  const BoundTable* reports = select.where != nullptr ? ReportsMatches(select) : nullptr;
  std::string_view before = " WHERE ";
  std::vector<BoundPtr> asked;
  std::vector<std::string> filters;
  if (select.where != nullptr) {
    AppendConjuncts(select.where, &asked);
    RETURN_IF_ERROR(TakeFilters(select, &asked, &filters));
  }
  if (!asked.empty()) {
    sql->append(reports != nullptr ? " WHERE (" : " WHERE ");
    RETURN_IF_ERROR(Joined(asked, 0, asked.size(), " AND ", sql));
    before = " AND ";
  }
  for (const std::string& filter : filters) {
    sql->append(std::exchange(before, " AND ")).append(filter);
  }
  std::vector<BoundPtr> conjuncts = InnerConjuncts(select);
  for (BoundPtr& implied : ImpliedConditions(conjuncts)) {
    sql->append(std::exchange(before, " AND "));
    RETURN_IF_ERROR(Expr(*implied, sql));
    conjuncts.push_back(std::move(implied));
  }
  if (select.from != nullptr && select.from->table == nullptr) {
    for (const auto& [table, share] : UnseenShares(*select.from, conjuncts)) {
      sql->append(std::exchange(before, " AND "));
      sql->append(TableAlias(*table) + ".f<" + std::to_string(std::lround(share * kShareUnit)));
    }
  }
  if (reports != nullptr) {
    // Evaluated last: asking for the handle says that the row has matched.
    sql->append(") AND " + TableAlias(*reports) + ".h IS NOT x''");
  }
  return {};
}

Status Lowering::From(const BoundFrom& from, std::string* sql) {
  if (from.table != nullptr) {
    return Table(*from.table, sql);
  }
  RETURN_IF_ERROR(From(*from.left, sql));
  return Join(from, from.on.get(), *from.right, sql);
}

// Joins `right` to what stands before it, as `join` says.
Status Lowering::Join(const BoundFrom& join, const BoundExpr* on, const BoundFrom& right,
                      std::string* sql) {
  const bool plain = join.join == BoundJoinKind::kInner && on == nullptr;
  if (plain && right.table == nullptr && HasComputed(right)) {
    // A, (B JOIN C ON p) is (A, B) JOIN C ON p, where B and C see A.
    RETURN_IF_ERROR(Join(join, nullptr, *right.left, sql));
    return Join(right, right.on.get(), *right.right, sql);
  }
  sql->append(join.join == BoundJoinKind::kLeft ? " LEFT JOIN "
              : join.straight                   ? " CROSS JOIN "
                                                : " JOIN ");
  if (right.table == nullptr) {
    sql->push_back('(');
    parentheses_.push_back({from_, &right});
    RETURN_IF_ERROR(From(right, sql));
    parentheses_.pop_back();
    sql->push_back(')');
  } else {
    RETURN_IF_ERROR(From(right, sql));
  }
  if (on != nullptr) {
    sql->append(" ON ");
    RETURN_IF_ERROR(Expr(*on, sql));
  } else if (join.join == BoundJoinKind::kLeft) {
    sql->append(" ON 1");
  }
  return {};
}

Status Lowering::Table(const BoundTable& table, std::string* sql) {
  switch (table.kind) {
    case BoundTableKind::kBase:
    case BoundTableKind::kSystem: {
      std::string module = ModuleOf(table);
      sql->append(Quoted(module));
      out_->modules.push_back({std::move(module), &table});
      break;
    }
    case BoundTableKind::kDerived: {
      if (table.lateral) {
        RETURN_IF_ERROR(Lateral(table, sql));
        break;
      }
      bool outer = std::exchange(in_recursive_cte_, false);
      const BoundCte* outer_depth = std::exchange(depth_of_, nullptr);
      sql->push_back('(');
      RETURN_IF_ERROR(Query(*table.query, false, sql));
      sql->push_back(')');
      in_recursive_cte_ = outer;
      depth_of_ = outer_depth;
      break;
    }
    case BoundTableKind::kCte:
      RETURN_IF_ERROR(UseCte(*table.cte));
      sql->append(CteName(*table.cte));
      break;
    case BoundTableKind::kJsonTable: {
      ComputedTable rows;
      rows.table = &table;
      rows.columns = table.columns.size();
      RETURN_IF_ERROR(ComputedCall(std::move(rows), {table.document}, sql));
      break;
    }
    case BoundTableKind::kRow:
    case BoundTableKind::kView:
      return Status::Internal("a row table or a merged view in a join");
  }
  sql->append(" AS " + TableAlias(table));
  return {};
}

// An arm with ORDER BY, LIMIT, WITH or operators of its own is a query of its own.
Status Lowering::Arm(const BoundQuery& query, bool leftmost, std::string* sql) {
  if (IsBodyAlone(query) && (query.body.set_operation == nullptr || leftmost)) {
    return Core(query, sql);
  }
  sql->append("SELECT " + ColumnNames(query.columns.size()));
  // Such an arm stands before the recursion.
  sql->append(depth_of_ != nullptr ? kFirstRound : "");
  sql->append(" FROM (");
  const BoundCte* outer_depth = std::exchange(depth_of_, nullptr);
  Status lowered = Query(query, false, sql);
  depth_of_ = outer_depth;
  RETURN_IF_ERROR(lowered);
  sql->push_back(')');
  return {};
}

// INTERSECT ALL and EXCEPT ALL: equal rows are told apart by a number, and rows with the same
// number are paired.
Status Lowering::NumberedOperation(const BoundSetOperation& operation, std::string* sql) {
  const std::string columns = ColumnNames(operation.left->columns.size());
  const std::string numbered =
      "SELECT " + columns + ",row_number() OVER (PARTITION BY " + columns + ") AS n FROM (";
  sql->append("SELECT " + columns + " FROM (" + numbered);
  RETURN_IF_ERROR(Arm(*operation.left, true, sql));
  sql->append(operation.op == SetOperator::kIntersect ? ") INTERSECT " : ") EXCEPT ");
  sql->append(numbered);
  RETURN_IF_ERROR(Arm(*operation.right, false, sql));
  sql->append("))");
  return {};
}

Status Lowering::UnionAll(std::span<const BoundQuery* const> arms, std::string* sql) {
  if (arms.size() > kArmsMax) {
    const std::string part = "SELECT " + ColumnNames(arms[0]->columns.size()) + " FROM (";
    for (size_t begin = 0; begin < arms.size(); begin += kArmsMax) {
      sql->append(begin == 0 ? "" : " UNION ALL ").append(part);
      RETURN_IF_ERROR(UnionAll(arms.subspan(begin, std::min(kArmsMax, arms.size() - begin)), sql));
      sql->push_back(')');
    }
    return {};
  }
  for (size_t i = 0; i < arms.size(); ++i) {
    sql->append(i == 0 ? "" : " UNION ALL ");
    RETURN_IF_ERROR(Arm(*arms[i], i == 0, sql));
  }
  return {};
}

// SQLite's UNION, INTERSECT and EXCEPT keep the last of equal rows, MySQL the first, which shows
// where equal is not identical ('a' and 'A'). DISTINCT keeps the first.
Status Lowering::SetOperation(const BoundSetOperation& operation, std::string* sql) {
  if (operation.op == SetOperator::kUnion && !in_recursive_cte_) {
    const std::vector<const BoundQuery*> arms = ArmsOf(operation);
    if (operation.all) {
      return UnionAll(arms, sql);
    }
    sql->append("SELECT DISTINCT " + ColumnNames(operation.left->columns.size()) + " FROM (");
    RETURN_IF_ERROR(UnionAll(arms, sql));
    sql->push_back(')');
    return {};
  }
  if (operation.op != SetOperator::kUnion && operation.all) {
    return NumberedOperation(operation, sql);
  }
  RETURN_IF_ERROR(Arm(*operation.left, true, sql));
  switch (operation.op) {
    case SetOperator::kUnion:
      sql->append(operation.all ? " UNION ALL " : " UNION ");
      break;
    case SetOperator::kIntersect:
      sql->append(" INTERSECT ");
      break;
    case SetOperator::kExcept:
      sql->append(" EXCEPT ");
      break;
  }
  return Arm(*operation.right, false, sql);
}

Status Lowering::Values(const BoundQuery& query, std::string* sql) {
  const std::string_view depth = depth_of_ != nullptr ? kFirstRound : "";
  for (size_t r = 0; r < query.body.values.size(); ++r) {
    sql->append(r == 0 ? "SELECT " : " UNION ALL SELECT ");
    const std::vector<BoundPtr>& row = query.body.values[r];
    for (size_t c = 0; c < row.size(); ++c) {
      sql->append(c == 0 ? "" : ",");
      RETURN_IF_ERROR(Comparable(*row[c], sql));
      sql->append(" AS c" + std::to_string(c));
    }
    sql->append(depth);
  }
  return {};
}

}  // namespace borealis::sql
