// Bound expressions with parts of them replaced.
//
// Expressions are shared and never change, so an expression with another part is another
// expression. Queries belong to the one expression or table that they stand in and change in
// place.
#pragma once

#include <functional>
#include <set>

#include "base/result.h"
#include "sql/binder/query.h"
#include "sql/binder/typed.h"

namespace borealis::sql {

class ExprRewriter {
 public:
  // Asked for every part, the outermost first. Null: the part stays, and its own parts are looked
  // at. `in_subquery`: it stands in a query within the expression.
  using Replace = std::function<Result<BoundPtr>(const BoundPtr& part, bool in_subquery)>;
  explicit ExprRewriter(Replace replace) : replace_(std::move(replace)) {}

  // `expr` itself when nothing of it is replaced. An expression with replaced parts may be NULL.
  Result<BoundPtr> Rewrite(const BoundPtr& expr);

 private:
  Status RewriteParts(BoundExpr* copy, bool* changed);
  Status Part(BoundPtr* part, bool* changed);
  Status Query(BoundQuery* query);
  Status Select(BoundSelect* select);
  Status From(BoundFrom* from);

  Replace replace_;
  int depth_ = 0;
  std::set<const BoundQuery*> done_;  // an alias may use one query twice
};

}  // namespace borealis::sql
