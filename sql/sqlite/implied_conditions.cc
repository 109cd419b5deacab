#include "sql/sqlite/implied_conditions.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "sql/binder/binder_internal.h"

namespace borealis::sql {
namespace {

// Comparisons of one table, by the order in which tables are met.
using ByTable = std::vector<std::pair<const BoundTable*, std::vector<BoundPtr>>>;

void AddConjuncts(const BoundPtr& condition, std::vector<BoundPtr>* list) {
  const auto* logical = condition->TryAs<BoundLogical>();
  if (logical == nullptr || !logical->is_and) {
    list->push_back(condition);
    return;
  }
  for (const BoundPtr& arg : logical->args) {
    AddConjuncts(arg, list);
  }
}

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
  AddConjuncts(arm, &conjuncts);
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

}  // namespace

std::vector<BoundPtr> ImpliedConditions(const BoundPtr& where) {
  std::vector<BoundPtr> conjuncts;
  AddConjuncts(where, &conjuncts);
  std::vector<BoundPtr> implied;
  for (const BoundPtr& conjunct : conjuncts) {
    const auto* logical = conjunct->TryAs<BoundLogical>();
    if (logical != nullptr && !logical->is_and && !IsOfOneTable(*conjunct)) {
      AddImplied(*logical, &implied);
    }
  }
  return implied;
}

}  // namespace borealis::sql
