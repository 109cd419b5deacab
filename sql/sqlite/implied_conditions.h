// Conditions on one table that a disjunction over several implies.
//
// (a.x = 1 AND b.y = 2) OR (a.x = 2 AND b.y = 1) implies a.x = 1 OR a.x = 2, and the like for b.
// The machine does not see that; said besides, it lets the planner read those rows alone and know
// how few there are.
#pragma once

#include <vector>

#include "sql/binder/typed.h"

namespace borealis::sql {

// Of the disjunctions among the conjuncts of `where`: for each table of which every arm compares
// plain columns with constants, the disjunction of these comparisons. They cost little, cannot fail
// and warn of nothing, so that they may be evaluated twice.
std::vector<BoundPtr> ImpliedConditions(const BoundPtr& where);

}  // namespace borealis::sql
