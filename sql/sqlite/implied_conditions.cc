#include "sql/sqlite/implied_conditions.h"

#include <algorithm>
#include <deque>
#include <memory>
#include <utility>

#include "sql/binder/binder_internal.h"
#include "sql/sqlite/conjuncts.h"

namespace borealis::sql {
namespace {

// Comparisons of one table, by the order in which tables are met.
using ByTable = std::vector<std::pair<const BoundTable*, std::vector<BoundPtr>>>;

// The table whose plain column a condition compares with constants; null: it is none of that kind.
const BoundTable* ComparedTable(const BoundExpr& condition) {
  const bool is_list = condition.kind == BoundKind::kIn && !condition.As<BoundIn>().negated;
  if (condition.kind != BoundKind::kCompare && !is_list) {
    return nullptr;
  }
  const BoundTable* table = nullptr;
  for (const BoundPtr& arg : condition.args) {
    const auto* column = arg->TryAs<BoundColumn>();
    if (column != nullptr && table == nullptr && column->table->kind == BoundTableKind::kBase) {
      table = column->table;
    } else if (!IsFixed(*arg)) {
      return nullptr;
    }
  }
  return table;
}

ByTable ComparisonsOf(const BoundPtr& arm) {
  std::vector<BoundPtr> conjuncts;
  AppendConjuncts(arm, &conjuncts);
  ByTable found;
  for (const BoundPtr& conjunct : conjuncts) {
    const BoundTable* table = ComparedTable(*conjunct);
    if (table == nullptr) {
      continue;
    }
    const auto at = std::find_if(found.begin(), found.end(),
                                 [table](const auto& one) { return one.first == table; });
    if (at == found.end()) {
      found.push_back({table, {conjunct}});
    } else {
      at->second.push_back(conjunct);
    }
  }
  return found;
}

BoundPtr Joined(bool conjunction, std::vector<BoundPtr> args) {
  if (args.size() == 1) {
    return std::move(args.front());
  }
  auto logical = std::make_shared<BoundLogical>(conjunction);
  logical->args = std::move(args);
  return logical;
}

void AddImplied(const BoundLogical& disjunction, std::vector<BoundPtr>* implied) {
  std::vector<ByTable> arms;
  for (const BoundPtr& arm : disjunction.args) {
    arms.push_back(ComparisonsOf(arm));
  }
  for (const auto& [table, first] : arms.front()) {
    std::vector<BoundPtr> alternatives;
    for (ByTable& arm : arms) {
      const auto at = std::find_if(arm.begin(), arm.end(),
                                   [table](const auto& one) { return one.first == table; });
      if (at == arm.end()) {
        break;
      }
      alternatives.push_back(Joined(true, at->second));
    }
    if (alternatives.size() == arms.size()) {
      implied->push_back(Joined(false, std::move(alternatives)));
    }
  }
}

// Whether the condition speaks of one table only: it implies nothing that it does not say itself.
bool IsOfOneTable(const BoundExpr& condition) {
  const BoundTable* table = nullptr;
  bool one = true;
  Walk(condition, [&](const BoundExpr& part) {
    if (const auto* column = part.TryAs<BoundColumn>()) {
      one = one && (table == nullptr || table == column->table);
      table = column->table;
    }
  });
  return one;
}

// Columns that conjuncts say to be equal, directly or through others.
class EqualColumns {
 public:
  void Add(const BoundExpr& conjunct) {
    const auto* compare = conjunct.TryAs<BoundCompare>();
    if (compare == nullptr || compare->op != CompareOp::kEqual) {
      return;
    }
    const auto* left = compare->args[0]->TryAs<BoundColumn>();
    const auto* right = compare->args[1]->TryAs<BoundColumn>();
    if (left == nullptr || right == nullptr || left->table == right->table ||
        left->type.Nullable() != right->type.Nullable()) {
      return;
    }
    said_.emplace_back(left, right);
    Group& group = GroupOf(compare->args[0]);
    Group& other = GroupOf(compare->args[1]);
    if (&group != &other) {
      group.insert(group.end(), other.begin(), other.end());
      other.clear();
    }
  }

  // The equalities that follow from the others.
  void AppendImplied(std::vector<BoundPtr>* implied) const {
    for (const Group& group : groups_) {
      for (size_t i = 0; i < group.size() && group.size() <= kMostColumns; ++i) {
        for (size_t j = i + 1; j < group.size(); ++j) {
          if (!IsSaid(*group[i], *group[j])) {
            auto equal = std::make_shared<BoundCompare>(CompareOp::kEqual);
            equal->args = {group[i], group[j]};
            implied->push_back(std::move(equal));
          }
        }
      }
    }
  }

 private:
  using Group = std::vector<BoundPtr>;
  // Pairs grow with the square of the columns, and joins of so many tables have enough to choose.
  static constexpr size_t kMostColumns = 6;

  static bool IsSame(const BoundColumn& a, const BoundColumn& b) {
    return a.table == b.table && a.column == b.column;
  }
  bool IsSaid(const BoundExpr& left, const BoundExpr& right) const {
    const auto& a = left.As<BoundColumn>();
    const auto& b = right.As<BoundColumn>();
    return a.table == b.table || std::any_of(said_.begin(), said_.end(), [&](const auto& pair) {
             return (IsSame(*pair.first, a) && IsSame(*pair.second, b)) ||
                    (IsSame(*pair.first, b) && IsSame(*pair.second, a));
           });
  }
  Group& GroupOf(const BoundPtr& column) {
    for (Group& group : groups_) {
      for (const BoundPtr& member : group) {
        if (IsSame(member->As<BoundColumn>(), column->As<BoundColumn>())) {
          return group;
        }
      }
    }
    return groups_.emplace_back(Group{column});
  }

  std::vector<std::pair<const BoundColumn*, const BoundColumn*>> said_;
  std::deque<Group> groups_;  // references into it stay
};

}  // namespace

std::vector<BoundPtr> ImpliedConditions(const std::vector<BoundPtr>& conjuncts) {
  std::vector<BoundPtr> implied;
  EqualColumns equal;
  for (const BoundPtr& conjunct : conjuncts) {
    equal.Add(*conjunct);
    const auto* logical = conjunct->TryAs<BoundLogical>();
    if (logical != nullptr && !logical->is_and && !IsOfOneTable(*conjunct)) {
      AddImplied(*logical, &implied);
    }
  }
  equal.AppendImplied(&implied);
  return implied;
}

}  // namespace borealis::sql
