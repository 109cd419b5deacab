// The lowering's working parts, shared by its source files only.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "sql/sqlite/lowering.h"

namespace borealis::sql {

class Lowering {
 public:
  explicit Lowering(LoweredQuery* out) : out_(out) {}

  // --- queries (lower_query.cc) ---
  Status Query(const BoundQuery& query, bool without_limit, std::string* sql);
  Status Core(const BoundQuery& query, std::string* sql);
  Status Select(const BoundQuery& query, const BoundSelect& select, std::string* sql);
  Status SelectItems(const BoundSelect& select, const BoundCte* depth_of, std::string* sql);
  Status SelectTail(const BoundSelect& select, std::string* sql);
  Status SetOperation(const BoundSetOperation& operation, std::string* sql);
  Status NumberedOperation(const BoundSetOperation& operation, std::string* sql);
  Status Arm(const BoundQuery& query, bool leftmost, std::string* sql);
  Status Values(const BoundQuery& query, std::string* sql);
  Status From(const BoundFrom& from, std::string* sql);
  Status Table(const BoundTable& table, std::string* sql);
  Status OrderBy(const BoundQuery& query, std::string* sql);

  // --- expressions (lower_expr.cc) ---
  Status Expr(const BoundExpr& expr, std::string* sql);
  // With its collation attached, for places that compare: DISTINCT, ORDER BY, GROUP BY.
  Status Comparable(const BoundExpr& expr, std::string* sql);
  Status Convert(const BoundConvert& convert, std::string* sql);
  Status Function(const BoundFunction& call, std::string* sql);
  Status Compare(const BoundCompare& compare, std::string* sql);
  Status Case(const BoundCase& node, std::string* sql);
  Status In(const BoundIn& in, std::string* sql);
  // For the planner: the values, where they are constants.
  void NoteList(const BoundIn& in);
  Status InSubquery(const BoundInSubquery& in, std::string* sql);
  Status ScalarSubquery(const BoundScalarSubquery& subquery, std::string* sql);
  Status Aggregate(const BoundAggregate& aggregate, std::string* sql);
  Status Window(const BoundWindow& window, std::string* sql);
  Status Joined(const std::vector<BoundPtr>& parts, size_t begin, size_t end,
                std::string_view between, std::string* sql);
  Status Call(CallSite site, std::string_view name, const std::vector<BoundPtr>& args,
              std::string* sql);

 private:
  LoweredQuery* out_;
  // The recursive table whose arms are being lowered, when they count rounds.
  const BoundCte* depth_of_ = nullptr;
  bool in_recursive_cte_ = false;  // directly: not in a query inside it
};

std::string TableAlias(const BoundTable& table);
// ` COLLATE "name"` where a comparison of the expression needs it; empty otherwise.
std::string CollateSuffix(const BoundExpr& expr);
// Whether a conversion leaves the register as it is.
bool KeepsRegister(const row::Type& from, const row::Type& to);

}  // namespace borealis::sql
