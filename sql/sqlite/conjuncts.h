// The conditions that every row of a join fulfils, one by one.
#pragma once

#include <vector>

#include "sql/binder/query.h"

namespace borealis::sql {

// The operands of an AND, of ANDs among them, too; or the condition itself.
void AppendConjuncts(const BoundPtr& condition, std::vector<BoundPtr>* conjuncts);
// Of WHERE and of the ON of inner joins, but for those within an outer join's inner side.
std::vector<BoundPtr> InnerConjuncts(const BoundSelect& select);

}  // namespace borealis::sql
