// ONLY_FULL_GROUP_BY: every expression of an aggregated query is determined by the group.
//
// A column is determined when it is in GROUP BY, equal (by an inner condition) to a determined
// column or a constant, or of a table one of whose unique NOT NULL keys is determined.
#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "sql/binder/binder_internal.h"

namespace borealis::sql {
namespace {

using ColumnId = std::pair<const BoundTable*, uint32_t>;

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
    CollectJoins(select.from.get());
    Close();
  }

  // Null when the expression is determined; otherwise the column that is not.
  const BoundColumn* FirstFree(const BoundExpr& expr) const {
    if (expr.kind == BoundKind::kAggregate || expr.kind == BoundKind::kLiteral ||
        expr.kind == BoundKind::kGrouping) {
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
    for (const BoundPtr& arg : expr.args) {
      if (const BoundColumn* free = FirstFree(*arg)) {
        return free;
      }
    }
    if (const auto* window = expr.TryAs<BoundWindow>()) {
      for (const BoundPtr& part : window->partition_by) {
        if (const BoundColumn* free = FirstFree(*part)) {
          return free;
        }
      }
      for (const BoundOrder& order : window->window_order) {
        if (const BoundColumn* free = FirstFree(*order.expr)) {
          return free;
        }
      }
    }
    return nullptr;
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
    } else {
      CollectOneSided(from->on.get(), from->right.get());
    }
    CollectJoins(from->left.get());
    CollectJoins(from->right.get());
  }

  // t LEFT JOIN u ON u.k = t.x: t.x determines u.k (or NULL throughout).
  void CollectOneSided(const BoundExpr* condition, const BoundFrom* inner) {
    if (condition == nullptr) {
      return;
    }
    if (const auto* all = condition->TryAs<BoundLogical>(); all != nullptr && all->is_and) {
      for (const BoundPtr& arg : all->args) {
        CollectOneSided(arg.get(), inner);
      }
      return;
    }
    const auto* compare = condition->TryAs<BoundCompare>();
    if (compare == nullptr || compare->op != CompareOp::kEqual) {
      return;
    }
    const auto* a = compare->args[0]->TryAs<BoundColumn>();
    const auto* b = compare->args[1]->TryAs<BoundColumn>();
    if (a == nullptr || b == nullptr) {
      return;
    }
    if (Contains(inner, a->table)) {
      implied_.push_back({{b->table, b->column}, {a->table, a->column}});
    } else if (Contains(inner, b->table)) {
      implied_.push_back({{a->table, a->column}, {b->table, b->column}});
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
    if (a != nullptr && b != nullptr) {
      implied_.push_back({{a->table, a->column}, {b->table, b->column}});
      implied_.push_back({{b->table, b->column}, {a->table, a->column}});
    } else if (a != nullptr && IsFixed(*compare->args[1])) {
      determined_.insert({a->table, a->column});
    } else if (b != nullptr && IsFixed(*compare->args[0])) {
      determined_.insert({b->table, b->column});
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
    if (table.table == nullptr) {
      return false;
    }
    for (const IndexDescriptor& index : table.table->indexes) {
      if (!index.unique()) {
        continue;
      }
      bool all = !index.parts.empty();
      for (const IndexPart& part : index.parts) {
        all = all && part.prefix_length == 0 && !table.table->columns[part.column].type.nullable &&
              determined_.contains({&table, part.column});
      }
      if (!all) {
        continue;
      }
      bool added = false;
      for (size_t i = 0; i < table.columns.size(); ++i) {
        added |= determined_.insert({&table, static_cast<uint32_t>(i)}).second;
      }
      return added;
    }
    return false;
  }

  void Close() {
    for (bool changed = true; changed;) {
      changed = false;
      for (const auto& [from, to] : implied_) {
        if (determined_.contains(from)) {
          changed |= determined_.insert(to).second;
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
  std::vector<std::pair<ColumnId, ColumnId>> implied_;
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
