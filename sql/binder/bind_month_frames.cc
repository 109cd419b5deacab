// RANGE frames over INTERVALs of months.
//
// A month has no one length, so the machine cannot measure such a frame (bind_window.cc). The rows
// of the block become a common table expression, and each windowed call over such a frame a
// subquery that reads the rows of its frame from that:
//
//   rows    SELECT columns FROM … WHERE …
//   block   SELECT …, (SELECT SUM(i.v) FROM rows i WHERE i.p <=> o.p AND i.d >= o.d - INTERVAL 1
//           MONTH AND i.d <= o.d) FROM rows o
//
// A block with groups is made a block over a table of its groups first.
#include <algorithm>
#include <set>

#include "sql/binder/binder_internal.h"
#include "sql/binder/rewrite.h"

namespace borealis::sql {
namespace {

using row::Type;
using row::Value;

bool HasMonthFrame(const BoundExpr& expr) {
  bool has = false;
  Walk(expr, [&](const BoundExpr& part) {
    const auto* window = part.TryAs<BoundWindow>();
    has |= window != nullptr && window->frame_by_limits;
  });
  return has;
}

void CollectTables(const BoundFrom& from, std::set<const BoundTable*>* tables) {
  if (from.table != nullptr) {
    tables->insert(from.table);
    return;
  }
  CollectTables(*from.left, tables);
  CollectTables(*from.right, tables);
}

// The columns of the block's tables that anything asks for: those of the common table expression.
class RowColumns {
 public:
  explicit RowColumns(const BoundFrom* from) {
    if (from != nullptr) {
      CollectTables(*from, &own_);
    }
  }

  // The column as `rows` has it; null when `expr` is no column of the block's tables.
  BoundPtr Read(const BoundPtr& expr, const BoundTable* rows) {
    const auto* column = expr->TryAs<BoundColumn>();
    if (column == nullptr || !own_.contains(column->table)) {
      return nullptr;
    }
    const auto known = std::ranges::find_if(
        columns_, [&](const BoundPtr& other) { return SameExpr(*other, *expr); });
    const auto place = static_cast<uint32_t>(known - columns_.begin());
    if (known == columns_.end()) {
      columns_.push_back(expr);
    }
    auto read = std::make_shared<BoundColumn>(expr->type, rows, place);
    read->coercibility = expr->coercibility;
    return read;
  }
  Result<BoundPtr> Over(const BoundPtr& expr, const BoundTable* rows) {
    ExprRewriter rewriter(
        [&](const BoundPtr& part, bool) -> Result<BoundPtr> { return Read(part, rows); });
    return rewriter.Rewrite(expr);
  }
  const std::vector<BoundPtr>& columns() const { return columns_; }

 private:
  std::set<const BoundTable*> own_;
  std::vector<BoundPtr> columns_;
};

BoundPtr Compared(CompareOp op, BoundPtr a, BoundPtr b) {
  auto compare = std::make_shared<BoundCompare>(op);
  compare->args = {std::move(a), std::move(b)};
  return compare;
}

BoundPtr IsNull(BoundPtr value) {
  auto test = std::make_shared<BoundIsNull>(false);
  test->args = {std::move(value)};
  return test;
}

BoundPtr Either(std::vector<BoundPtr> conditions) {
  auto either = std::make_shared<BoundLogical>(false);
  either->args = std::move(conditions);
  return either;
}

bool IsUnbounded(const BoundFrameBound& bound) {
  return bound.kind == FrameBoundKind::kUnboundedPreceding ||
         bound.kind == FrameBoundKind::kUnboundedFollowing;
}

// Whether the row of `key` lies behind the limit, or before it. NULL comes before all values, or in
// descending order behind them; a row where the order is by NULL has all such rows in its frame.
BoundPtr Within(const BoundPtr& key, const BoundPtr& current, const BoundPtr& limit, bool behind,
                bool descending) {
  const bool at_least = behind != descending;
  BoundPtr compared =
      Compared(at_least ? CompareOp::kGreaterEqual : CompareOp::kLessEqual, key, limit);
  if (at_least) {
    return Either({IsNull(current), std::move(compared)});
  }
  auto neither = std::make_shared<BoundNot>();
  neither->args = {IsNull(current)};
  auto of_values = std::make_shared<BoundLogical>(true);
  of_values->args = {std::move(neither), Either({IsNull(key), std::move(compared)})};
  auto of_nulls = std::make_shared<BoundLogical>(true);
  of_nulls->args = {IsNull(current), IsNull(key)};
  return Either({std::move(of_values), std::move(of_nulls)});
}

}  // namespace

// What stands for one windowed call.
static Result<BoundPtr> FrameSubquery(const BoundWindow& window, RowColumns* columns,
                                      const BoundTable* outer, BoundTable* inner,
                                      std::shared_ptr<BoundQuery> query) {
  query->correlated = true;
  query->body.select = std::make_unique<BoundSelect>();
  BoundSelect* select = query->body.select.get();
  select->from = std::make_unique<BoundFrom>();
  select->from->table = inner;
  for (const BoundPtr& part : window.partition_by) {
    ASSIGN_OR_RETURN(BoundPtr here, columns->Over(part, inner));
    ASSIGN_OR_RETURN(BoundPtr there, columns->Over(part, outer));
    select->where = AndAlso(std::move(select->where),
                            Compared(CompareOp::kNullSafeEqual, std::move(here), std::move(there)));
  }
  const BoundOrder& order = window.window_order[0];
  ASSIGN_OR_RETURN(const BoundPtr key, columns->Over(order.expr, inner));
  ASSIGN_OR_RETURN(const BoundPtr current, columns->Over(order.expr, outer));
  for (const BoundFrameBound* bound : {&window.frame_start, &window.frame_end}) {
    if (IsUnbounded(*bound)) {
      continue;
    }
    BoundPtr limit = current;
    if (bound->offset != nullptr) {
      ASSIGN_OR_RETURN(limit, columns->Over(bound->offset, outer));
    }
    select->where =
        AndAlso(std::move(select->where),
                Within(key, current, limit, bound == &window.frame_start, order.descending));
  }
  std::vector<BoundPtr> args;
  for (const BoundPtr& arg : window.args) {
    ASSIGN_OR_RETURN(args.emplace_back(), columns->Over(arg, inner));
  }
  BoundPtr value;
  if (window.is_aggregate) {
    auto aggregate = std::make_shared<BoundAggregate>(window.type, window.fn);
    aggregate->owner = select;
    aggregate->args = std::move(args);
    aggregate->coercibility = window.coercibility;
    select->aggregated = true;
    value = std::move(aggregate);
  } else {
    const bool last = window.window_fn == WindowFn::kLastValue;
    query->order_by.push_back({key, order.descending != last});
    query->limit = MakeLiteral(Type::BigInt(), Value::Int(1));
    if (args.size() == 2) {  // NTH_VALUE
      const auto* number = args[1]->TryAs<BoundLiteral>();
      if (number == nullptr) {
        return StatementBinder::Unsupported("NTH_VALUE with a parameter over a frame of months");
      }
      query->offset = MakeLiteral(Type::BigInt(), Value::Int(number->value.raw_int() - 1));
    }
    value = args[0];
  }
  ResultColumn column;
  column.type = value->type;
  query->columns.push_back(column);
  select->items.push_back({std::move(value), std::move(column), false});
  auto subquery = std::make_shared<BoundScalarSubquery>(window.type.Nullable(), std::move(query));
  subquery->type.nullable = window.type.nullable;
  subquery->coercibility = window.coercibility;
  return BoundPtr(subquery);
}

Status StatementBinder::SeparateMonthFrames(BoundQuery* query) {
  BoundSelect* select = query->body.select.get();
  const bool any =
      std::ranges::any_of(select->items,
                          [](const BoundItem& item) { return HasMonthFrame(*item.expr); }) ||
      std::ranges::any_of(query->order_by,
                          [](const BoundOrder& order) { return HasMonthFrame(*order.expr); });
  if (!any) {
    return {};
  }
  if (select->aggregated) {
    RETURN_IF_ERROR(SeparateGroups(query));
  }
  auto cte = std::make_shared<BoundCte>();
  cte->id = NextId();
  RowColumns columns(select->from.get());
  BoundTable* outer = NewTable(query, BoundTableKind::kCte, "");
  outer->cte = cte.get();
  ++cte->uses;
  std::vector<BoundTable*> tables = {outer};
  ExprRewriter rewriter([&](const BoundPtr& part, bool) -> Result<BoundPtr> {
    const auto* window = part->TryAs<BoundWindow>();
    if (window == nullptr || !window->frame_by_limits) {
      return columns.Read(part, outer);
    }
    auto frame = std::make_shared<BoundQuery>();
    tables.push_back(NewTable(frame.get(), BoundTableKind::kCte, ""));
    tables.back()->cte = cte.get();
    ++cte->uses;
    return FrameSubquery(*window, &columns, outer, tables.back(), std::move(frame));
  });
  for (BoundItem& item : select->items) {
    ASSIGN_OR_RETURN(item.expr, rewriter.Rewrite(item.expr));
  }
  for (BoundOrder& order : query->order_by) {
    ASSIGN_OR_RETURN(order.expr, rewriter.Rewrite(order.expr));
  }

  cte->query = std::make_shared<BoundQuery>();
  cte->query->correlated = query->correlated;
  cte->query->body.select = std::make_unique<BoundSelect>();
  BoundSelect* rows = cte->query->body.select.get();
  rows->from = std::move(select->from);
  rows->where = std::move(select->where);
  rows->separated = std::exchange(select->separated, false);
  rows->rollup = std::exchange(select->rollup, false);
  for (const BoundPtr& expr : columns.columns()) {
    BoundTableColumn column;
    column.type = expr->type;
    column.coercibility = expr->coercibility;
    cte->columns.push_back(std::move(column));
    ResultColumn shown;
    shown.type = expr->type;
    cte->query->columns.push_back(shown);
    rows->items.push_back({expr, std::move(shown), false});
  }
  for (BoundTable* table : tables) {
    table->columns = cte->columns;
  }
  query->ctes.push_back(std::move(cte));
  select->from = std::make_unique<BoundFrom>();
  select->from->table = outer;
  select->where = nullptr;
  return {};
}

}  // namespace borealis::sql
