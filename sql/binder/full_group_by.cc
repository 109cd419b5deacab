// ONLY_FULL_GROUP_BY: every expression of an aggregated query is determined by the group.
//
// A column is determined when it is in GROUP BY, equal (by an inner condition) to a determined
// column, a constant or a column of a query around, or of a table one of whose unique keys is
// determined, if that has no NULLs: by definition, or where the condition drops them; or of a
// derived table, a view or a CTE whose groups are determined. In a subquery the columns of the
// block around have to be determined as well.
#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "sql/binder/binder_internal.h"
#include "sql/functions/function.h"

namespace borealis::sql {
namespace {

using ColumnId = std::pair<const BoundTable*, uint32_t>;

// Together the columns `from` determine `to`.
struct Implied {
  std::vector<ColumnId> from;
  ColumnId to;
};

class Dependencies {
 public:
  Dependencies(const Scope& scope, const BoundSelect& select, bool rollup)
      : scope_(scope), select_(select) {
    for (const BoundPtr& group : select.group_by) {
      if (const auto* column = group->TryAs<BoundColumn>()) {
        determined_.insert({column->table, column->column});
      }
    }
    if (rollup) {
      return;  // what a column determines is not NULL where it is
    }
    CollectEqualities(select.where.get());
    CollectNotNull(select.where.get());
    CollectJoins(select.from.get());
    Close();
  }

  // Null when the expression is determined; otherwise the column that is not.
  const BoundColumn* FirstFree(const BoundExpr& expr) const {
    if (expr.kind == BoundKind::kLiteral || expr.kind == BoundKind::kGrouping) {
      return nullptr;
    }
    if (const auto* aggregate = expr.TryAs<BoundAggregate>();
        aggregate != nullptr && aggregate->owner == &select_) {
      return nullptr;
    }
    if (const auto* convert = expr.TryAs<BoundConvert>();
        convert != nullptr && convert->mode == BoundConvert::Mode::kAnyValue) {
      return nullptr;
    }
    for (const BoundPtr& group : select_.group_by) {
      if (SameExpr(*group, expr)) {
        return nullptr;
      }
    }
    if (const auto* column = expr.TryAs<BoundColumn>()) {
      return IsOwn(column->table) && !determined_.contains({column->table, column->column})
                 ? column
                 : nullptr;
    }
    const BoundColumn* free = nullptr;
    ForEachPart(expr,
                [&](const BoundExpr& part) { free = free != nullptr ? free : FirstFree(part); });
    return free;
  }

 private:
  bool IsOwn(const BoundTable* table) const {
    return std::any_of(scope_.from.tables.begin(), scope_.from.tables.end(),
                       [&](const BoundTable* own) { return IsPartOf(*own, table); });
  }

  // Itself, or a table of the view that it is.
  static bool IsPartOf(const BoundTable& own, const BoundTable* table) {
    return &own == table ||
           std::any_of(own.merged_tables.begin(), own.merged_tables.end(),
                       [&](const BoundTable* merged) { return IsPartOf(*merged, table); });
  }

  void CollectJoins(const BoundFrom* from) {
    if (from == nullptr || from->table != nullptr) {
      return;
    }
    // An outer join's condition says nothing of rows that found no partner.
    if (from->join == BoundJoinKind::kInner) {
      CollectEqualities(from->on.get());
      CollectNotNull(from->on.get());
    } else {
      CollectOneSided(from->on.get(), from->right.get());
    }
    CollectJoins(from->left.get());
    CollectJoins(from->right.get());
  }

  // t LEFT JOIN u ON u.k = t.x AND …: u.k is determined (or NULL throughout) by t.x and whatever
  // else of t the condition reads.
  void CollectOneSided(const BoundExpr* on, const BoundFrom* inner) {
    if (on == nullptr) {
      return;
    }
    std::vector<ColumnId> read;
    bool varies = false;
    WalkDeep(*on, [&](const BoundExpr& part) {
      const auto* column = part.TryAs<BoundColumn>();
      if (column != nullptr && IsOwn(column->table) && !Contains(inner, column->table)) {
        read.push_back({column->table, column->column});
      }
      const auto* call = part.TryAs<BoundFunction>();
      varies |= call != nullptr && call->function->def().stability == Stability::kVolatile;
    });
    if (!varies) {
      CollectOneSided(*on, inner, read);
    }
  }

  void CollectOneSided(const BoundExpr& condition, const BoundFrom* inner,
                       const std::vector<ColumnId>& read) {
    if (const auto* all = condition.TryAs<BoundLogical>(); all != nullptr && all->is_and) {
      for (const BoundPtr& arg : all->args) {
        CollectOneSided(*arg, inner, read);
      }
      return;
    }
    const auto* compare = condition.TryAs<BoundCompare>();
    if (compare == nullptr || compare->op != CompareOp::kEqual) {
      return;
    }
    const auto* a = compare->args[0]->TryAs<BoundColumn>();
    const auto* b = compare->args[1]->TryAs<BoundColumn>();
    for (const auto& [column, other] : {std::pair(a, b), std::pair(b, a)}) {
      const bool other_is_outer = other != nullptr && !Contains(inner, other->table);
      if (column != nullptr && Contains(inner, column->table) && other_is_outer) {
        implied_.push_back({read, {column->table, column->column}});
      }
    }
  }

  static bool Contains(const BoundFrom* from, const BoundTable* table) {
    if (from->table != nullptr) {
      return from->table == table;
    }
    return Contains(from->left.get(), table) || Contains(from->right.get(), table);
  }

  void CollectEqualities(const BoundExpr* condition) {
    if (condition == nullptr) {
      return;
    }
    if (const auto* all = condition->TryAs<BoundLogical>(); all != nullptr && all->is_and) {
      for (const BoundPtr& arg : all->args) {
        CollectEqualities(arg.get());
      }
      return;
    }
    const auto* compare = condition->TryAs<BoundCompare>();
    if (compare == nullptr || compare->op != CompareOp::kEqual) {
      return;
    }
    const auto* a = compare->args[0]->TryAs<BoundColumn>();
    const auto* b = compare->args[1]->TryAs<BoundColumn>();
    if (a != nullptr && IsConstantHere(*compare->args[1])) {
      determined_.insert({a->table, a->column});
    } else if (b != nullptr && IsConstantHere(*compare->args[0])) {
      determined_.insert({b->table, b->column});
    } else if (a != nullptr && b != nullptr) {
      implied_.push_back({{{a->table, a->column}}, {b->table, b->column}});
      implied_.push_back({{{b->table, b->column}}, {a->table, a->column}});
    }
  }

  bool IsConstantHere(const BoundExpr& expr) const {
    const auto* column = expr.TryAs<BoundColumn>();
    return IsFixed(expr) || (column != nullptr && !IsOwn(column->table));
  }

  // Columns that are not NULL where the condition is true.
  void CollectNotNull(const BoundExpr* condition) {
    if (condition == nullptr) {
      return;
    }
    switch (condition->kind) {
      case BoundKind::kColumn: {
        const auto& column = condition->As<BoundColumn>();
        not_null_.insert({column.table, column.column});
        return;
      }
      case BoundKind::kLogical:
        for (const BoundPtr& arg : condition->args) {
          CollectNotNull(condition->As<BoundLogical>().is_and ? arg.get() : nullptr);
        }
        return;
      case BoundKind::kNot: {
        const BoundExpr& denied = *condition->args[0];
        const auto* is_null = denied.TryAs<BoundIsNull>();
        const bool of_null = is_null != nullptr && !is_null->negated;
        CollectNotNull(of_null ? is_null->args[0].get() : IsStrict(denied) ? &denied : nullptr);
        return;
      }
      case BoundKind::kIsNull:
        CollectNotNull(condition->As<BoundIsNull>().negated ? condition->args[0].get() : nullptr);
        return;
      case BoundKind::kIsTruth:
        CollectNotNull(!condition->As<BoundIsTruth>().negated && IsStrict(*condition->args[0])
                           ? condition->args[0].get()
                           : nullptr);
        return;
      default:
        break;
    }
    if (!IsStrict(*condition)) {
      return;
    }
    const bool first_only = condition->kind == BoundKind::kIn;
    for (size_t i = 0; i < (first_only ? 1 : condition->args.size()); ++i) {
      const BoundExpr& arg = *condition->args[i];
      CollectNotNull(IsStrict(arg) || arg.Is<BoundColumn>() ? &arg : nullptr);
    }
  }

  // NULL when an operand is; of IN when the first is.
  static bool IsStrict(const BoundExpr& expr) {
    switch (expr.kind) {
      case BoundKind::kCompare:
        return expr.As<BoundCompare>().op != CompareOp::kNullSafeEqual;
      case BoundKind::kIn:
      case BoundKind::kConvert:
        return true;
      case BoundKind::kInSubquery:
        return expr.args.size() == 1;
      case BoundKind::kFunction:
        return expr.As<BoundFunction>().function->def().name == "like";
      default:
        return false;
    }
  }

  bool AddKeyed(const BoundTable& table) {
    if (!table.merged_tables.empty()) {
      bool added = false;
      for (const BoundTable* merged : table.merged_tables) {
        added |= AddKeyed(*merged);
      }
      return added;
    }
    if (const BoundSelect* grouped = GroupedSource(table); grouped != nullptr) {
      return AreGroupsDetermined(table, *grouped) && AddAll(table);
    }
    if (table.table == nullptr) {
      return false;
    }
    for (const IndexDescriptor& index : table.table->indexes) {
      if (!index.unique()) {
        continue;
      }
      bool all = !index.parts.empty();
      for (const IndexPart& part : index.parts) {
        const ColumnId column{&table, part.column};
        const bool has_nulls =
            table.table->columns[part.column].type.nullable && !not_null_.contains(column);
        all = all && part.prefix_length == 0 && !has_nulls && determined_.contains(column);
      }
      if (all) {
        return AddAll(table);
      }
    }
    return false;
  }

  bool AddAll(const BoundTable& table) {
    bool added = false;
    for (size_t i = 0; i < table.columns.size(); ++i) {
      added |= determined_.insert({&table, static_cast<uint32_t>(i)}).second;
    }
    return added;
  }

  // The select with GROUP BY that makes the rows of the table; nullptr: none does.
  static const BoundSelect* GroupedSource(const BoundTable& table) {
    const BoundQuery* query = table.cte != nullptr ? table.cte->query.get() : table.query.get();
    const BoundSelect* select = query != nullptr ? query->body.select.get() : nullptr;
    return select != nullptr && !select->group_by.empty() && !select->rollup ? select : nullptr;
  }

  // Whether all that the rows are grouped by is shown, in columns that are determined.
  bool AreGroupsDetermined(const BoundTable& table, const BoundSelect& grouped) const {
    const size_t shown = std::min(table.columns.size(), grouped.items.size());
    return std::ranges::all_of(grouped.group_by, [&](const BoundPtr& group) {
      for (size_t i = 0; i < shown; ++i) {
        if (SameExpr(*grouped.items[i].expr, *group) &&
            determined_.contains({&table, static_cast<uint32_t>(i)})) {
          return true;
        }
      }
      return false;
    });
  }

  void Close() {
    for (bool changed = true; changed;) {
      changed = false;
      for (const Implied& implied : implied_) {
        if (std::ranges::all_of(implied.from,
                                [&](const ColumnId& id) { return determined_.contains(id); })) {
          changed |= determined_.insert(implied.to).second;
        }
      }
      for (const BoundTable* table : scope_.from.tables) {
        changed |= AddKeyed(*table);
      }
    }
  }

  const Scope& scope_;
  const BoundSelect& select_;
  std::set<ColumnId> determined_;
  std::set<ColumnId> not_null_;
  std::vector<Implied> implied_;
};

std::string DottedColumn(const BoundColumn& column) {
  const BoundTable& table = *column.table;
  std::string name = table.schema.empty() ? "" : table.schema + ".";
  return name + table.alias + "." + table.columns[column.column].name;
}

}  // namespace

Status StatementBinder::CheckGrouping(const SelectCore& core, const Scope& scope,
                                      const BoundSelect& select,
                                      const std::vector<BoundOrder>& order_by) {
  if ((settings().sql_mode & row::kModeOnlyFullGroupBy) == 0) {
    return {};
  }
  if (!select.aggregated) {
    if (!select.distinct) {
      return {};
    }
    // DISTINCT: ORDER BY may only use what is selected.
    for (size_t i = 0; i < order_by.size(); ++i) {
      bool selected = false;
      for (const BoundItem& item : select.items) {
        selected |= SameExpr(*item.expr, *order_by[i].expr);
      }
      const BoundColumn* column = nullptr;
      Walk(*order_by[i].expr, [&](const BoundExpr& e) {
        const auto* found = e.TryAs<BoundColumn>();
        if (found == nullptr || column != nullptr) {
          return;
        }
        for (const BoundItem& item : select.items) {
          if (SameExpr(*item.expr, *found)) {
            return;
          }
        }
        column = found;
      });
      if (!selected && column != nullptr) {
        return UserError(ER_FIELD_IN_ORDER_NOT_SELECT, i + 1, "ORDER BY clause",
                         DottedColumn(*column), "DISTINCT");
      }
    }
    return {};
  }
  Dependencies dependencies(scope, select, core.rollup);
  auto check = [&](const BoundExpr& expr, size_t number, std::string_view list) -> Status {
    const BoundColumn* free = dependencies.FirstFree(expr);
    if (free == nullptr) {
      return {};
    }
    if (select.group_by.empty()) {
      return UserError(ER_MIX_OF_GROUP_FUNC_AND_FIELDS, number, list, DottedColumn(*free));
    }
    return UserError(ER_WRONG_FIELD_WITH_GROUP, number, list, DottedColumn(*free));
  };
  for (size_t i = 0; i < select.items.size(); ++i) {
    RETURN_IF_ERROR(check(*select.items[i].expr, i + 1, "SELECT list"));
  }
  if (select.having != nullptr) {
    RETURN_IF_ERROR(check(*select.having, 1, "HAVING clause"));
  }
  for (size_t i = 0; i < order_by.size(); ++i) {
    if (!select.group_by.empty()) {
      RETURN_IF_ERROR(check(*order_by[i].expr, i + 1, "ORDER BY clause"));
    }
  }
  return {};
}

}  // namespace borealis::sql
