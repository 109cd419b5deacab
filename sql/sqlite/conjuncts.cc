#include "sql/sqlite/conjuncts.h"

namespace borealis::sql {
namespace {

void AppendInnerConditions(const BoundFrom& from, std::vector<BoundPtr>* conjuncts) {
  if (from.table != nullptr) {
    return;
  }
  AppendInnerConditions(*from.left, conjuncts);
  if (from.join == BoundJoinKind::kInner) {
    AppendInnerConditions(*from.right, conjuncts);
    if (from.on != nullptr) {
      AppendConjuncts(from.on, conjuncts);
    }
  }
}

}  // namespace

void AppendConjuncts(const BoundPtr& condition, std::vector<BoundPtr>* conjuncts) {
  const auto* logical = condition->TryAs<BoundLogical>();
  if (logical == nullptr || !logical->is_and) {
    conjuncts->push_back(condition);
    return;
  }
  for (const BoundPtr& arg : logical->args) {
    AppendConjuncts(arg, conjuncts);
  }
}

std::vector<BoundPtr> InnerConjuncts(const BoundSelect& select) {
  std::vector<BoundPtr> conjuncts;
  if (select.where != nullptr) {
    AppendConjuncts(select.where, &conjuncts);
  }
  if (select.from != nullptr) {
    AppendInnerConditions(*select.from, &conjuncts);
  }
  return conjuncts;
}

}  // namespace borealis::sql
