#include "sql/sqlite/passing_share.h"

#include <algorithm>

#include "sql/binder/binder_internal.h"
#include "sql/functions/function.h"

namespace borealis::sql {
namespace {

// MySQL takes no list for more than half of the rows.
constexpr double kListPassesAtMost = 0.5;

// A join in parentheses shows SQLite no hidden column of its tables.
void AddInnerTables(const BoundFrom& from, std::vector<const BoundTable*>* tables) {
  if (from.table != nullptr) {
    if (from.table->kind == BoundTableKind::kBase) {
      tables->push_back(from.table);
    }
    return;
  }
  AddInnerTables(*from.left, tables);
  if (from.join == BoundJoinKind::kInner && from.right->table != nullptr) {
    AddInnerTables(*from.right, tables);
  }
}

const BoundColumn* AsColumn(const BoundExpr& expr) {
  const BoundExpr* at = &expr;
  while (const auto* convert = at->TryAs<BoundConvert>()) {
    at = convert->args[0].get();
  }
  return at->TryAs<BoundColumn>();
}

// The one table that the condition speaks of; null: several, none, or a subquery's as well.
const BoundTable* OnlyTable(const BoundExpr& condition) {
  const BoundTable* table = nullptr;
  bool one = true;
  Walk(condition, [&](const BoundExpr& part) {
    one = one && SubqueryOf(part) == nullptr;
    if (const auto* column = part.TryAs<BoundColumn>()) {
      one = one && (table == nullptr || table == column->table);
      table = column->table;
    }
  });
  return one ? table : nullptr;
}

bool LeadsIndex(const BoundColumn& column) {
  const std::vector<IndexDescriptor>& indexes = column.table->table->indexes;
  return std::any_of(indexes.begin(), indexes.end(), [&](const IndexDescriptor& index) {
    return index.parts.front().column == column.column;
  });
}

// Whether the planner counts a comparison of a column with something else: with a constant it does,
// with a parameter, whose value it does not know, only where an index serves it.
bool IsCounted(const BoundColumn& column, const BoundExpr& other) {
  bool constant = true;
  Walk(other, [&](const BoundExpr& part) { constant &= part.kind != BoundKind::kParameter; });
  return constant || column.table->table == nullptr || LeadsIndex(column);
}

double ShareOf(const BoundExpr& condition);

double ShareOfComparison(const BoundCompare& compare) {
  if (AsColumn(*compare.args[0]) == nullptr && AsColumn(*compare.args[1]) == nullptr) {
    return 1;
  }
  switch (compare.op) {
    case CompareOp::kEqual:
    case CompareOp::kNullSafeEqual:
      return kEqualPasses;
    case CompareOp::kNotEqual:
      return 1 - kEqualPasses;
    default:
      return kOneSidePasses;
  }
}

double ShareOfLogical(const BoundLogical& logical) {
  double share = 1;
  for (const BoundPtr& arg : logical.args) {
    share *= logical.is_and ? ShareOf(*arg) : 1 - ShareOf(*arg);
  }
  return logical.is_and ? share : 1 - share;
}

double ShareOf(const BoundExpr& condition) {
  const bool on_column = !condition.args.empty() && AsColumn(*condition.args[0]) != nullptr;
  switch (condition.kind) {
    case BoundKind::kCompare:
      return ShareOfComparison(condition.As<BoundCompare>());
    case BoundKind::kLogical:
      return ShareOfLogical(condition.As<BoundLogical>());
    case BoundKind::kNot: {
      const double share = ShareOf(*condition.args[0]);
      return share < 1 ? 1 - share : 1;
    }
    case BoundKind::kIsNull: {
      const bool negated = condition.As<BoundIsNull>().negated;
      return !on_column ? 1 : negated ? 1 - kEqualPasses : kEqualPasses;
    }
    case BoundKind::kIn: {
      const double values = static_cast<double>(condition.args.size() - 1);
      const double share = std::min(values * kEqualPasses, kListPassesAtMost);
      return !on_column ? 1 : condition.As<BoundIn>().negated ? 1 - share : share;
    }
    case BoundKind::kFunction:
      return on_column && condition.As<BoundFunction>().function->def().name == "like"
                 ? kBothSidesPass
                 : 1;
    default:
      return 1;
  }
}

}  // namespace

std::vector<const BoundTable*> InnerTables(const BoundFrom& from) {
  std::vector<const BoundTable*> tables;
  AddInnerTables(from, &tables);
  return tables;
}

bool IsSeen(const BoundExpr& condition) {
  switch (condition.kind) {
    case BoundKind::kCompare: {
      const BoundColumn* left = AsColumn(*condition.args[0]);
      const BoundColumn* right = AsColumn(*condition.args[1]);
      if (condition.As<BoundCompare>().op == CompareOp::kNotEqual ||
          (left != nullptr) == (right != nullptr)) {
        return false;
      }
      return left != nullptr ? IsCounted(*left, *condition.args[1])
                             : IsCounted(*right, *condition.args[0]);
    }
    case BoundKind::kIn:
      return !condition.As<BoundIn>().negated && AsColumn(*condition.args[0]) != nullptr;
    case BoundKind::kIsNull:
      return !condition.As<BoundIsNull>().negated;
    case BoundKind::kLogical: {
      // x = 1 OR x = 2 it takes for a list.
      const BoundColumn* column = nullptr;
      return std::all_of(condition.args.begin(), condition.args.end(), [&](const BoundPtr& arm) {
        const auto* compare = arm->TryAs<BoundCompare>();
        const BoundColumn* of = compare != nullptr ? AsColumn(*compare->args[0]) : nullptr;
        const bool same = of != nullptr && compare->op == CompareOp::kEqual &&
                          (column == nullptr || column->column == of->column);
        column = of;
        return same;
      });
    }
    default:
      return false;
  }
}

std::vector<std::pair<const BoundTable*, double>> UnseenShares(
    const BoundFrom& from, const std::vector<BoundPtr>& conjuncts) {
  const std::vector<const BoundTable*> tables = InnerTables(from);
  std::vector<std::pair<const BoundTable*, double>> shares;
  for (const BoundPtr& conjunct : conjuncts) {
    const double share = IsSeen(*conjunct) ? 1 : ShareOf(*conjunct);
    const BoundTable* table = share < 1 ? OnlyTable(*conjunct) : nullptr;
    if (std::find(tables.begin(), tables.end(), table) == tables.end()) {
      continue;
    }
    const auto at = std::find_if(shares.begin(), shares.end(),
                                 [table](const auto& one) { return one.first == table; });
    if (at == shares.end()) {
      shares.emplace_back(table, std::max(share, kLeastShare));
    } else {
      at->second = std::max(at->second * share, kLeastShare);
    }
  }
  return shares;
}

}  // namespace borealis::sql
