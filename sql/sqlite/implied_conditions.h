// Conditions that others imply, and that the machine does not see.
//
// - (a.x = 1 AND b.y = 2) OR (a.x = 2 AND b.y = 1) implies a.x = 1 OR a.x = 2, and the like for b.
//   Said besides, it lets the planner read those rows alone and know how few there are.
// - a.x = b.x AND b.x = c.x implies a.x = c.x, so that a and c may be joined without b.
#pragma once

#include <vector>

#include "sql/binder/typed.h"

namespace borealis::sql {

// Of the disjunctions among the conjuncts: for each table of which every arm compares plain columns
// with constants, the disjunction of these comparisons. Of the equalities between columns of one
// type: those that follow. All cost little, cannot fail and warn of nothing, so that they may be
// evaluated twice.
std::vector<BoundPtr> ImpliedConditions(const std::vector<BoundPtr>& conjuncts);

}  // namespace borealis::sql
