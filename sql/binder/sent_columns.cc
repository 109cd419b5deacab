// How clients are told of a query's columns. MySQL computes values as it sends them or keeps rows
// in a table of its own before, for groups, DISTINCT, windows and some orders; then the columns are
// that table's, and lack what is told of an expression or of a table's keys. Which of them it does
// is a matter of its plan; what is here follows from the query and its tables' keys alone.
#include <algorithm>

#include "sql/binder/binder_internal.h"
#include "sql/functions/function.h"

namespace borealis::sql {
namespace {

using row::Type;
using Kind = row::TypeKind;

// The width of what is computed and has none of its own, with the sign.
constexpr uint32_t kBigIntWidth = 21;
constexpr uint32_t kDoubleWidth = 23;
// Integers of fewer characters are kept as INT.
constexpr uint32_t kIntWidth = 10;

enum class Sending : uint8_t {
  kComputed,  // each row as it is sent
  kGrouped,   // from a table of groups: what is made of an aggregate is computed as it is sent
  kKept,      // from a table of the rows
};

bool HasWindows(const BoundSelect& select) {
  return std::ranges::any_of(select.items, [](const BoundItem& item) {
    bool windows = false;
    Walk(*item.expr, [&](const BoundExpr& part) { windows |= part.Is<BoundWindow>(); });
    return windows;
  });
}

// The same for all rows of the statement: kept in no table.
bool IsSameForAll(const BoundExpr& expr) {
  switch (expr.kind) {
    case BoundKind::kColumn:
    case BoundKind::kAggregate:
    case BoundKind::kWindow:
    case BoundKind::kAssignVariable:
    case BoundKind::kGrouping:
      return false;
    case BoundKind::kFunction:
      if (expr.As<BoundFunction>().function->def().stability == Stability::kVolatile) {
        return false;
      }
      break;
    default:
      if (const BoundQuery* query = SubqueryOf(expr); query != nullptr && query->correlated) {
        return false;
      }
      break;
  }
  return std::ranges::all_of(expr.args, [](const BoundPtr& arg) { return IsSameForAll(*arg); });
}

bool HasAggregate(const BoundExpr& expr) {
  bool found = false;
  Walk(expr, [&](const BoundExpr& part) { found |= part.Is<BoundAggregate>(); });
  return found;
}

// Aggregates for which MySQL sorts rows into groups.
bool NeedsSortedGroups(const BoundSelect& select) {
  bool found = false;
  for (const BoundItem& item : select.items) {
    Walk(*item.expr, [&](const BoundExpr& part) {
      if (const auto* aggregate = part.TryAs<BoundAggregate>()) {
        found |= aggregate->distinct || aggregate->fn == AggregateFn::kGroupConcat ||
                 aggregate->fn == AggregateFn::kJsonArrayAgg ||
                 aggregate->fn == AggregateFn::kJsonObjectAgg;
      }
    });
  }
  return found;
}

// Calls `visit` for the operands of each equality that holds for all rows.
void ForEachEquality(const BoundPtr& condition,
                     const std::function<void(const BoundExpr&, const BoundExpr&)>& visit) {
  if (condition == nullptr) {
    return;
  }
  if (const auto* both = condition->TryAs<BoundLogical>(); both != nullptr && both->is_and) {
    for (const BoundPtr& part : both->args) {
      ForEachEquality(part, visit);
    }
  } else if (const auto* compare = condition->TryAs<BoundCompare>();
             compare != nullptr && compare->op == CompareOp::kEqual) {
    visit(*compare->args[0], *compare->args[1]);
    visit(*compare->args[1], *compare->args[0]);
  }
}

const BoundColumn* ColumnOf(const BoundTable& table, const BoundExpr& expr) {
  const auto* column = expr.TryAs<BoundColumn>();
  return column != nullptr && column->table == &table ? column : nullptr;
}

// The leaves of FROM, those among them that outer joins read after others, and what is said ON.
struct Leaves {
  std::vector<const BoundTable*> tables;
  std::vector<const BoundTable*> inner;
  std::vector<BoundPtr> conditions;

  void Collect(const BoundFrom* from, bool is_inner) {
    if (from == nullptr) {
      return;
    }
    if (from->table != nullptr) {
      tables.push_back(from->table);
      if (is_inner) {
        inner.push_back(from->table);
      }
    }
    if (from->on != nullptr) {
      conditions.push_back(from->on);
    }
    Collect(from->left.get(), is_inner);
    Collect(from->right.get(), is_inner || from->join == BoundJoinKind::kLeft);
  }
};

bool IsWholePart(const IndexPart& part, uint32_t column) {
  return part.column == column && part.prefix_length == 0;
}

// Whether an index of the table begins with these columns, in this order.
bool InOrderOfIndex(const BoundTable& table, const std::vector<uint32_t>& columns) {
  return table.table != nullptr &&
         std::ranges::any_of(table.table->indexes, [&](const IndexDescriptor& index) {
           bool begins = index.parts.size() >= columns.size();
           for (size_t i = 0; begins && i < columns.size(); ++i) {
             begins = IsWholePart(index.parts[i], columns[i]);
           }
           return begins;
         });
}

// Whether the conditions say which row of the table it is.
bool IsOneRow(const BoundTable& table, const BoundPtr& where) {
  if (table.table == nullptr) {
    return false;
  }
  std::vector<uint32_t> known;
  ForEachEquality(where, [&](const BoundExpr& a, const BoundExpr& b) {
    if (const BoundColumn* column = ColumnOf(table, a); column != nullptr && IsSameForAll(b)) {
      known.push_back(column->column);
    }
  });
  return std::ranges::any_of(table.table->indexes, [&](const IndexDescriptor& index) {
    return index.unique() && std::ranges::all_of(index.parts, [&](const IndexPart& part) {
             return std::ranges::any_of(known,
                                        [&](uint32_t column) { return IsWholePart(part, column); });
           });
  });
}

// Of one table: what the expressions name, in their order, without what is the same for all rows.
// Nothing: there is another table or more than a column.
std::optional<std::vector<uint32_t>> ColumnsOf(const BoundTable& table,
                                               const std::vector<const BoundExpr*>& exprs) {
  std::vector<uint32_t> columns;
  for (const BoundExpr* expr : exprs) {
    if (IsSameForAll(*expr)) {
      continue;
    }
    const BoundColumn* column = ColumnOf(table, *expr);
    if (column == nullptr) {
      return std::nullopt;
    }
    columns.push_back(column->column);
  }
  return columns;
}

class SendingRule {
 public:
  SendingRule(const BoundSelect& select, bool ordered, const std::vector<BoundOrder>& order_by)
      : select_(select), ordered_(ordered), order_by_(order_by) {
    leaves_.Collect(select.from.get(), false);
    leaves_.conditions.push_back(select.where);
  }

  Sending Find() const {
    if (HasWindows(select_)) {
      return Sending::kKept;
    }
    if (select_.rollup) {
      return !ordered_ && !select_.distinct ? Sending::kComputed : Sending::kKept;
    }
    const bool grouped = std::ranges::any_of(
        select_.group_by, [](const BoundPtr& expr) { return !IsSameForAll(*expr); });
    if ((select_.aggregated && !grouped) ||
        (leaves_.tables.size() == 1 && IsOneRow(*leaves_.tables[0], select_.where))) {
      return Sending::kComputed;
    }
    if (select_.distinct && (grouped || !IsDistinctByKey())) {
      return Sending::kKept;
    }
    if (!grouped) {
      return order_by_.empty() || LeadsInOrder() ? Sending::kComputed : Sending::kKept;
    }
    if (!NeedsSortedGroups(select_) && !GroupsAreInOrder()) {
      return Sending::kGrouped;
    }
    return OrderIsThatOfGroups() ? Sending::kComputed : Sending::kKept;
  }

 private:
  // By an index, or because a key is among the columns.
  bool IsDistinctByKey() const {
    std::vector<const BoundExpr*> items;
    for (const BoundItem& item : select_.items) {
      if (!item.hidden) {
        items.push_back(item.expr.get());
      }
    }
    if (leaves_.tables.size() != 1 || leaves_.tables[0]->table == nullptr) {
      return false;
    }
    const auto columns = ColumnsOf(*leaves_.tables[0], items);
    const auto has_part = [&](const IndexPart& part) {
      return std::ranges::any_of(*columns,
                                 [&](uint32_t column) { return IsWholePart(part, column); });
    };
    return columns.has_value() &&
           (InOrderOfIndex(*leaves_.tables[0], *columns) ||
            std::ranges::any_of(
                leaves_.tables[0]->table->indexes, [&](const IndexDescriptor& index) {
                  return index.unique() && std::ranges::all_of(index.parts, has_part);
                }));
  }

  bool GroupsAreInOrder() const {
    std::vector<const BoundExpr*> groups;
    for (const BoundPtr& group : select_.group_by) {
      groups.push_back(group.get());
    }
    const auto columns = leaves_.tables.size() == 1 ? ColumnsOf(*leaves_.tables[0], groups)
                                                    : std::vector<uint32_t>();
    return leaves_.tables.size() == 1 && columns.has_value() &&
           InOrderOfIndex(*leaves_.tables[0], *columns);
  }

  bool OrderIsThatOfGroups() const {
    return std::ranges::all_of(order_by_, [this](const BoundOrder& order) {
      return std::ranges::any_of(
          select_.group_by, [&](const BoundPtr& group) { return SameExpr(*group, *order.expr); });
    });
  }

  // Whether the rows can be sorted before they are joined: the order is of one table, from which
  // each of the others is found by an index.
  bool LeadsInOrder() const {
    const BoundTable* first = nullptr;
    bool one = true;
    for (const BoundOrder& order : order_by_) {
      Walk(*order.expr, [&](const BoundExpr& part) {
        if (const auto* column = part.TryAs<BoundColumn>()) {
          one &= first == nullptr || first == column->table;
          first = column->table;
        }
      });
    }
    one &= std::ranges::find(leaves_.inner, first) == leaves_.inner.end();
    return leaves_.tables.size() < 2 ||
           (one && std::ranges::all_of(leaves_.tables, [&](const BoundTable* table) {
              return table == first || IsFoundByIndex(*table);
            }));
  }

  bool IsFoundByIndex(const BoundTable& table) const {
    bool found = false;
    for (const BoundPtr& condition : leaves_.conditions) {
      ForEachEquality(condition, [&](const BoundExpr& a, const BoundExpr&) {
        const BoundColumn* column = ColumnOf(table, a);
        found |= column != nullptr && InOrderOfIndex(table, {column->column});
      });
    }
    return found;
  }

  const BoundSelect& select_;
  const bool ordered_;  // order_by_ may hold what a rollup needs
  const std::vector<BoundOrder>& order_by_;
  Leaves leaves_;
};

// The type of a column of MySQL's own table: whole numbers are INT or BIGINT by their width, but
// for what an aggregate hands on, and windows, whose types are such already.
Type KeptType(const BoundExpr& expr, const Type& type) {
  if (!type.is_integer() ||
      (type.kind != Kind::kBigInt && (expr.Is<BoundAggregate>() || expr.Is<BoundWindow>()))) {
    return type;
  }
  const uint32_t width = row::DisplayWidth(type);
  Type kept = type;
  kept.kind = width < kIntWidth ? Kind::kInt : Kind::kBigInt;
  kept.length = width;
  return kept.kind != type.kind && SameRegisterForm(type, kept) ? kept : type;
}

bool IsColumnOfTable(const BoundExpr& expr) {
  const auto* column = expr.TryAs<BoundColumn>();
  if (column == nullptr) {
    return false;
  }
  const BoundQuery* merged = MergedQuery(*column->table);
  return merged == nullptr || column->column >= merged->columns.size() ||
         !merged->columns[column->column].computed;
}

bool IsSentAsComputed(const BoundExpr& expr, Sending sending) {
  switch (sending) {
    case Sending::kComputed:
      return true;
    case Sending::kGrouped:
      return IsSameForAll(expr) || (HasAggregate(expr) && !expr.Is<BoundAggregate>());
    case Sending::kKept:
      break;
  }
  return IsSameForAll(expr);
}

}  // namespace

bool IsMergeable(const BoundSelect& select) {
  return !select.distinct && select.group_by.empty() && !select.rollup && !HasWindows(select);
}

const BoundQuery* MergedQuery(const BoundTable& table) {
  const BoundQuery* query = table.cte != nullptr ? table.cte->query.get() : table.query.get();
  const BoundSelect* select = query != nullptr ? query->body.select.get() : nullptr;
  const bool merged = table.view == nullptr && select != nullptr && select->from != nullptr &&
                      !select->aggregated && IsMergeable(*select) && query->limit == nullptr &&
                      query->offset == nullptr;
  return merged ? query : nullptr;
}

void DescribeSentColumns(bool buffered, bool ordered, BoundQuery* query) {
  const BoundSelect& select = *query->body.select;
  const Sending sending =
      buffered ? Sending::kKept : SendingRule(select, ordered, query->order_by).Find();
  for (const BoundItem& item : select.items) {
    if (item.hidden) {
      continue;
    }
    ResultColumn column = item.column;
    const bool of_table = !select.rollup && IsColumnOfTable(*item.expr);
    column.computed = !of_table && IsSentAsComputed(*item.expr, sending);
    if (of_table && sending != Sending::kComputed) {
      column.extra_flags &= row::kNoDefaultValueFlag;
    }
    if (select.rollup) {
      column.org_name.clear();  // of the rows that groups are made of
    }
    if (!of_table) {
      if (column.type.kind == Kind::kBigInt && column.type.length == 0) {
        column.type.length = kBigIntWidth;
      } else if (column.type.kind == Kind::kDouble && column.type.length == 0) {
        column.type.length = kDoubleWidth;
      }
      if (!column.computed) {
        column.type = KeptType(*item.expr, column.type);
        const bool nameless = sending == Sending::kGrouped && item.expr->Is<BoundAggregate>();
        column.org_name = nameless ? "" : column.name;
      }
    }
    query->columns.push_back(std::move(column));
  }
}

void DescribeAsKept(std::vector<ResultColumn>* columns) {
  for (ResultColumn& column : *columns) {
    column.org_name = column.name;
    column.table.clear();
    column.org_table.clear();
    column.schema.clear();
    column.extra_flags = 0;
    column.computed = false;
  }
}

}  // namespace borealis::sql
