// What share of a table's rows pass the conditions that the machine does not tell its planner of.
//
// xBestIndex sees comparisons of one column with a value. LIKE, <>, a comparison of two columns of
// the table, NOT and OR it does not see; but how many rows pass them decides in what order tables
// are best joined. So the lowering guesses their share, as MySQL does (its condition filtering),
// and hands it on in the text of the statement: `AND t1.f < 111100`, a comparison with a hidden
// column that is always 0. It is always true, and its constant, in millionths, is the share.
#pragma once

#include <utility>
#include <vector>

#include "sql/binder/query.h"

namespace borealis::sql {

inline constexpr double kShareUnit = 1e6;
inline constexpr double kLeastShare = 1e-4;

// What passes a condition on a column: MySQL's COND_FILTER_EQUALITY, _INEQUALITY and _BETWEEN.
inline constexpr double kEqualPasses = 0.1;
inline constexpr double kOneSidePasses = 0.3333;
inline constexpr double kBothSidesPass = 0.1111;

// The stored tables whose rows the WHERE restricts: not those on the inner side of outer joins.
std::vector<const BoundTable*> InnerTables(const BoundFrom& from);

// Whether the machine makes a constraint on a column of the condition, which the planner then sees.
bool IsSeen(const BoundExpr& condition);

// For the stored tables of a join: what share passes the conjuncts, where they restrict it. Tables
// on the inner side of outer joins are left out, since there the condition would drop the NULLs,
// and those in parentheses.
std::vector<std::pair<const BoundTable*, double>> UnseenShares(
    const BoundFrom& from, const std::vector<BoundPtr>& conjuncts);

}  // namespace borealis::sql
